"""The end of `make demo`: run the first scenario, then say what to type next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = "hokkaido-2017"


def next_commands(root: Path) -> list[tuple[str, str]]:
    """Three commands as they are to be typed in ``root``, each with what it does; none meets a file in its way."""
    runs = root / "runs"
    again = " --force" if any(runs.glob("black-brant-1995-*")) else ""
    alone = " --force" if (runs / "alone").exists() else ""
    names = ["mine", *(f"mine-{n}" for n in range(2, 1000))]
    mine = next(name for name in names if not (root / f"{name}.yaml").exists())
    return [
        (f".venv/bin/tocsin run black-brant-1995{again}", "a research rocket seen by one radar: does it come here?"),
        (f".venv/bin/tocsin run {SCENARIO} --sharing none --out runs/alone{alone}", "the same flight if nobody shares"),
        (f".venv/bin/tocsin new {mine}", "a commented scenario of your own to start from"),
    ]


def main() -> int:
    """Run the demonstration; the exit code of the run."""
    # the command that a reader will type, in a process of its own
    done = subprocess.run([str(ROOT / ".venv" / "bin" / "tocsin"), "run", SCENARIO, "--force"], cwd=ROOT, check=False)
    if done.returncode:
        return done.returncode
    commands = next_commands(ROOT)
    width = max(len(command) for command, _ in commands)
    print("\nNext, type one of:")
    for command, what in commands:
        print(f"  {command:<{width}}  # {what}")
    if Path.cwd() != ROOT:
        print(f"(in {os.path.relpath(ROOT)})")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
