"""`make check`: ruff, mypy, the floors and the generated pages, at the same time; each one's output where it fails."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = ROOT / ".venv" / "bin"
CHECKS = {
    "ruff": [str(BIN / "ruff"), "check", "--quiet", "--output-format=concise", "."],
    "mypy": [str(BIN / "mypy"), "--no-error-summary"],
    "floors": [str(BIN / "lint-imports"), "--no-cache"],
    "pages": [str(BIN / "python"), "tools/pages.py", "--check"],
}


def main() -> int:
    """Run every check; 0 if all are clean."""
    began = time.monotonic()
    running = {
        name: subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name, command in CHECKS.items()
    }
    failed = []
    for name, process in running.items():
        output, _ = process.communicate()
        print(f"{name}: {'clean' if process.returncode == 0 else 'FAILED'}", flush=True)
        if process.returncode:
            failed.append(name)
            print(output.rstrip(), flush=True)
    print(f"check: {', '.join(failed) + ' failed' if failed else 'clean'} ({time.monotonic() - began:.0f} s)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
