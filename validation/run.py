"""Rows of the validation book, registered by decorator; a page of docs/validation for each book.

    book = Book("earth", "The Earth", __doc__)

    @book.row("geodetic coordinates", target=at_most(1e-6), unit="m", source="pyproj 3.7 (PROJ)")
    def geodetic() -> Measured: ...

A row's function measures and returns ``Measured`` (a value, an interval where it is a statistic, a note). A row that
fails to run is outside its target. The last line is ``validation: M of N rows inside target``.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "validation"


@dataclass(frozen=True)
class Measured:
    """What came out: ``value``, its ``interval`` (95 %) where it is a statistic, a ``note``."""

    value: float
    interval: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True)
class Target:
    """What is asked: a text without unit, and the test of it."""

    text: str
    holds: Callable[[Measured], bool]


def at_most(bound: float) -> Target:
    """The value is no greater than ``bound``."""
    return Target(f"≤ {number(bound)}", lambda m: m.value <= bound)


def at_least(bound: float) -> Target:
    """The value is no less than ``bound``."""
    return Target(f"≥ {number(bound)}", lambda m: m.value >= bound)


def between(low: float, high: float) -> Target:
    """The value lies from ``low`` to ``high``."""
    return Target(f"{number(low)} to {number(high)}", lambda m: low <= m.value <= high)


def near(expected: float, tolerance: float) -> Target:
    """The value is ``expected`` within ``tolerance``."""
    return Target(f"{number(expected)} ± {number(tolerance)}", lambda m: abs(m.value - expected) <= tolerance)


def interval_holds(expected: float) -> Target:
    """The 95 % interval of the statistic holds ``expected``."""

    def holds(m: Measured) -> bool:
        return m.interval is not None and m.interval[0] <= expected <= m.interval[1]

    return Target(f"{number(expected)} inside the interval", holds)


def proportion(hits: int, trials: int, note: str = "") -> Measured:
    """A share with its exact binomial interval (Clopper and Pearson, 1934). Raises ValueError without trials."""
    from scipy.stats import beta

    if trials <= 0 or not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no proportion")
    low = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0
    said = f"{hits} of {trials}" + (f"; {note}" if note else "")
    return Measured(hits / trials, (low, high), said)


@dataclass(frozen=True)
class Row:
    """One claim: ``what`` is claimed, the ``target``, the ``unit``, the ``source`` of the answer."""

    what: str
    target: Target
    unit: str
    source: str
    measure: Callable[[], Measured]


@dataclass(frozen=True)
class Result:
    """A row, what was measured (None: it failed, ``error`` says how), the seconds it took."""

    row: Row
    measured: Measured | None
    error: str
    took_s: float

    @property
    def inside(self) -> bool:
        """Whether the claim holds."""
        return self.measured is not None and self.row.target.holds(self.measured)


BOOKS: dict[str, Book] = {}


class Book:
    """One page: ``name`` of its file, ``title``, ``about`` (Markdown), rows in order. Names are unique (ValueError)."""

    def __init__(self, name: str, title: str, about: str | None) -> None:
        if name in BOOKS:
            raise ValueError(f"there is already a book {name!r}")
        self.name, self.title, self.about = name, title, (about or "").strip()
        self.rows: list[Row] = []
        BOOKS[name] = self

    def row(
        self, what: str, *, target: Target, unit: str = "", source: str
    ) -> Callable[[Callable[[], Measured]], Callable[[], Measured]]:
        """Register the decorated function as a row."""

        def add(function: Callable[[], Measured]) -> Callable[[], Measured]:
            self.rows.append(Row(what, target, unit, source, function))
            return function

        return add

    def page(self, results: Sequence[Result]) -> str:
        """The page, in Markdown."""
        versions = ", ".join(f"{name} {version(name)}" for name in ("tocsin", "numpy", "numba", "scipy"))
        return "\n".join([
            f"# {self.title}", "",
            self.about, "",
            f"Made by `make validation ROWS={self.name}` (Python {platform.python_version()}, {versions}).", "",
            "| claim | measured | target | inside | against |", "|---|---|---|---|---|",
            *(line(r) for r in results), "",
            f"{sum(r.inside for r in results)} of {len(results)} rows inside target.", "",
        ])  # fmt: skip


def number(value: float) -> str:
    """Three figures."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def line(r: Result) -> str:
    """One row of a page."""
    unit = f" {r.row.unit}" if r.row.unit else ""
    if r.measured is None:
        said = f"failed: {r.error.splitlines()[0][:200]}".replace("|", "\\|")
    else:
        said = number(r.measured.value) + unit
        if r.measured.interval is not None:
            said += f" ({number(r.measured.interval[0])} to {number(r.measured.interval[1])})"
        if r.measured.note:
            said += f"; {r.measured.note}"
    return f"| {r.row.what} | {said} | {r.row.target.text}{unit} | {'yes' if r.inside else '**no**'} | {r.row.source} |"


def measure(row: Row) -> Result:
    """Run one row; an error stops that row only."""
    began = time.perf_counter()
    try:
        measured, error = row.measure(), ""
    except Exception as raised:
        measured, error = None, f"{type(raised).__name__}: {raised}"
    return Result(row, measured, error, time.perf_counter() - began)


def contents(books: Sequence[Book]) -> str:
    """The first page of the book."""
    return "\n".join([
        "# Validation book", "",
        "Every claim is a row: what was measured, what was asked, where the answer comes from. All of it is made by "
        "`make validation`; a row outside its target says so in bold and stays.", "",
        *(f"- [{book.title}]({book.name}.md)" for book in books), "",
    ])  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Make the pages of the books asked for; 0 unless a row failed to run at all."""
    unknown = [a for a in arguments if a not in BOOKS]
    if unknown:
        print(f"no book {unknown[0]!r}; books: {', '.join(BOOKS)}", file=sys.stderr)
        return 2
    chosen = [b for b in BOOKS.values() if not arguments or b.name in arguments]
    FOLDER.mkdir(parents=True, exist_ok=True)
    everything: list[Result] = []
    for book in chosen:
        print(f"{book.title}:", flush=True)
        results = []
        for row in book.rows:
            r = measure(row)
            results.append(r)
            said = r.error or number(r.measured.value if r.measured else 0.0) + (f" {row.unit}" if row.unit else "")
            mark = "inside " if r.inside else "OUTSIDE"
            print(f"  {mark} {row.what}: {said} (target {row.target.text}; {r.took_s:.1f} s)", flush=True)
        (FOLDER / f"{book.name}.md").write_text(book.page(results), encoding="utf-8")
        everything += results
    (FOLDER / "index.md").write_text(contents(list(BOOKS.values())), encoding="utf-8")
    print(f"pages: {FOLDER.relative_to(ROOT)}/")
    print(f"validation: {sum(r.inside for r in everything)} of {len(everything)} rows inside target")
    return 1 if any(r.measured is None for r in everything) else 0
