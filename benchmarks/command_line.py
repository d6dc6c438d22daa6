"""What a person waits for: help, import, a run."""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.run import Process, process, row

TOCSIN = str(Path(sys.executable).parent / "tocsin")


@row("help", "`tocsin --help`, wall time", unit="s", target=0.4, runs=9)
def help_time() -> float:
    return process([TOCSIN, "--help"]).wall_s


@row("import", '`python -c "import tocsin"`, wall time', unit="s", runs=9)
def import_time() -> float:
    return process([sys.executable, "-c", "import tocsin"]).wall_s


@functools.cache
def _runs() -> list[Process]:
    """A few runs of the first scenario, each a process of its own, after one that compiles what is not yet compiled."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(6):
            found.append(process([TOCSIN, "run", "hokkaido-2017", "--out", os.path.join(folder, str(n))]))
    return found[1:]


@row("run-time", "`tocsin run hokkaido-2017`, folder and report included", unit="s", target=6.0, runs=1, warmups=0)
def run_time() -> list[float]:
    return [p.wall_s for p in _runs()]


@row("run-memory", "the same, peak memory", unit="MB", target=700.0, runs=1, warmups=0)
def run_memory() -> list[float]:
    return [p.peak_mb for p in _runs()]
