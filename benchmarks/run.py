"""Rows registered by decorator: medians over runs, the machine they ran on, a peer and a target where there is one.

    @row("philox", "normals drawn by the own generator", unit="M/s", better="more", target=20, peer=("numpy",
    numpy_normals)) def philox() -> float: ...

A row's function measures once and returns the number (or the numbers of several runs at once); it runs ``warmups``
times unrecorded, then ``runs`` times. The table goes to the terminal and to docs/benchmarks.md. The last line is
``bench: M of N rows inside target``; rows without a target are not counted.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
Measure = Callable[[], float | list[float]]


@dataclass(frozen=True)
class Row:
    """One thing that is timed; ``better``: "less" or "more"; ``target``: a bound in ``unit`` (None: only watched)."""

    name: str
    what: str
    unit: str
    measure: Measure
    better: str = "less"
    target: float | None = None
    peer: tuple[str, Measure] | None = None
    runs: int = 5
    warmups: int = 1


@dataclass
class Result:
    """What a row came to: values of all runs, the peer's median, or the error that stopped it."""

    row: Row
    values: list[float] = field(default_factory=list)
    peer: float | None = None
    error: str = ""

    @property
    def median(self) -> float:
        """Of the runs."""
        return statistics.median(self.values)

    @property
    def inside(self) -> bool | None:
        """Whether the median is inside the target; None where there is no target."""
        if self.row.target is None:
            return None if not self.error else False
        if self.error:
            return False
        return self.median <= self.row.target if self.row.better == "less" else self.median >= self.row.target


ROWS: dict[str, Row] = {}


def row(
    name: str,
    what: str,
    *,
    unit: str,
    better: str = "less",
    target: float | None = None,
    peer: tuple[str, Measure] | None = None,
    runs: int = 5,
    warmups: int = 1,
) -> Callable[[Measure], Measure]:
    """Register the decorated function as a row. Raises ValueError for a name that is taken or an unknown ``better``."""
    if name in ROWS:
        raise ValueError(f"there is already a row {name!r}")
    if better not in {"less", "more"}:
        raise ValueError(f"better={better!r}: less or more")

    def add(function: Measure) -> Measure:
        ROWS[name] = Row(name, what, unit, function, better, target, peer, runs, warmups)
        return function

    return add


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass(frozen=True)
class Process:
    """What a command took: wall seconds and peak memory (MB) of it and its children."""

    wall_s: float
    peak_mb: float


# A child's peak memory starts from its parent's when it is forked: a small process of its own stands between, times the
# command and tells (seconds, peak as the system counts it, exit code) on standard error's last line.
_BETWEEN = """
import os, subprocess, sys, time
began = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stderr=subprocess.STDOUT)
_, status, usage = os.wait4(child.pid, 0)
print(time.perf_counter() - began, usage.ru_maxrss, os.waitstatus_to_exitcode(status), file=sys.stderr)
"""


def process(command: Sequence[str], **environment: str) -> Process:
    """Run a command to its end, quietly. Raises RuntimeError with what it said if it fails."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _BETWEEN, *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stderr.strip().splitlines()[-1:] or [""]
    try:
        wall, peak, code = (float(word) for word in told[0].split())
    except ValueError:
        raise RuntimeError(f"{' '.join(command)}: could not be started: {done.stderr.strip()[-500:]}") from None
    if code:
        raise RuntimeError(f"{' '.join(command)}: exit {code:.0f}: {done.stdout.strip()[-500:]}")
    # kilobytes on Linux, bytes on macOS
    return Process(wall, peak / (1024.0 if platform.system() == "Linux" else 1024.0**2))


def _values(measured: float | list[float]) -> list[float]:
    return measured if isinstance(measured, list) else [measured]


def measure(one: Row) -> Result:
    """Run one row; an error stops that row only."""
    result = Result(one)
    try:
        for _ in range(one.warmups):
            one.measure()
        result.values = [value for _ in range(one.runs) for value in _values(one.measure())]
        if one.peer is not None:
            one.peer[1]()
            result.peer = statistics.median(v for _ in range(one.runs) for v in _values(one.peer[1]()))
    except Exception as error:
        result.error = f"{type(error).__name__}: {error}"
    return result


def machine() -> str:
    """The machine, in a line."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        pass
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"{model}, {os.cpu_count()} cores{load}"


def number(value: float) -> str:
    """Three figures."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def table(results: Sequence[Result]) -> list[str]:
    """The results as Markdown rows."""
    lines = ["| row | what | median | least to most | target | inside | peer |", "|---|---|---|---|---|---|---|"]
    for r in results:
        one, sign = r.row, "≤" if r.row.better == "less" else "≥"
        target = "" if one.target is None else f"{sign} {number(one.target)} {one.unit}"
        inside = {None: "", True: "yes", False: "**no**"}[r.inside]
        peer = f"{one.peer[0]}: {number(r.peer)} {one.unit}" if one.peer is not None and r.peer is not None else ""
        if r.error:
            lines.append(
                f"| {one.name} | {one.what} | failed | {r.error.splitlines()[0][:200]} | {target} | {inside} | |"
            )
        else:
            spread = f"{number(min(r.values))} to {number(max(r.values))}, {len(r.values)} runs"
            lines.append(
                f"| {one.name} | {one.what} | {number(r.median)} {one.unit} | {spread} | {target} | {inside} | {peer} |"
            )
    return lines


def summary(results: Sequence[Result]) -> str:
    """The last line."""
    counted = [r for r in results if r.inside is not None]
    return f"bench: {sum(bool(r.inside) for r in counted)} of {len(counted)} rows inside target"


def page(results: Sequence[Result], on: str) -> str:
    """The page docs/benchmarks.md."""
    made = datetime.now(UTC).strftime("%Y-%m-%d")
    versions = ", ".join(f"{name} {version(name)}" for name in ("tocsin", "numpy", "numba"))
    return "\n".join([
        "# Benchmarks", "",
        "Made by `make bench`. Numbers belong to the machine they ran on; targets are for two cores.", "",
        f"{made}: {on}; Python {platform.python_version()}, {versions}.", "",
        *table(results), "", summary(results), "",
    ])  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Run the rows asked for; 0 unless one of them failed to run at all."""
    chosen = [r for r in ROWS.values() if not arguments or r.name.startswith(tuple(arguments))]
    if not chosen:
        print(f"no row begins with {' or '.join(arguments)}; rows: {', '.join(ROWS)}", file=sys.stderr)
        return 2
    on = machine()
    print(on, flush=True)
    results = []
    for one in chosen:
        print(f"  {one.name} ...", end="", flush=True)
        r = measure(one)
        results.append(r)
        print(f" {r.error}" if r.error else f" {number(r.median)} {one.unit}", flush=True)
    if len(chosen) == len(ROWS):  # a part must not overwrite the whole
        PAGE.write_text(page(results, on), encoding="utf-8")
        print(f"page: {PAGE.relative_to(ROOT)}")
    print("\n".join(table(results)))
    print(summary(results))
    return 1 if any(r.error for r in results) else 0
