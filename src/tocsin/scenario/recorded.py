"""Recorded paths as CSV text: ``t_s,lat_deg,lon_deg,height_km``, a row a line, times rising.

Empty lines and lines that begin with # are passed over. ``height_m`` may stand for ``height_km``. A table is read as a
whole or not at all.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tocsin.scenario.faults import clean, one_of

MOST_ROWS = 50_000
LONGEST_S = 1e7
MOST_PROBLEMS = 20  # of one table
COLUMNS = ("t_s", "lat_deg", "lon_deg", "height_km", "height_m")
FORM = "the columns t_s, lat_deg, lon_deg and height_km (or height_m), each once"
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?\Z", re.ASCII)
_BOUNDS = {
    "t_s": (0.0, LONGEST_S),
    "lat_deg": (-90.0, 90.0),
    "lon_deg": (-180.0, 360.0),
    "height_km": (-0.5, 100_000.0),
    "height_m": (-500.0, 100_000_000.0),
}

# m/s between rows, over the ground and upwards together: beyond the fastest entries and the fastest aircraft
FASTEST = {"flight": 15_000.0, "aircraft": 1_500.0}
_RADIUS = 6_371_000.0  # m, a sphere does for a bound

Row = tuple[int, float, float, float]  # ns, rad, rad, m
Problem = tuple[int, str, str]  # line of the table (from 1), found, allowed


@dataclass(frozen=True)
class Table:
    """Rows of time (ns since the table's own start), latitude and longitude (rad), height over the ellipsoid (m)."""

    rows: tuple[Row, ...]


def _header(line: int, text: str) -> tuple[list[str], list[Problem]]:
    names = [name.strip() for name in text.split(",")]
    found: list[Problem] = []
    for name in names:
        if name not in COLUMNS:
            found.append((line, f"the column '{clean(name)[:40]}'", one_of(name, COLUMNS, FORM)))
        elif names.count(name) > 1:
            found.append((line, f"the column {name} twice", FORM))
    missing = [name for name in COLUMNS[:3] if name not in names]
    if "height_km" not in names and "height_m" not in names:
        missing.append("height_km")
    if "height_km" in names and "height_m" in names:
        found.append((line, "height_km and height_m", FORM))
    if missing and not found:
        found.append((line, f"no column {', '.join(missing)}", FORM))
    return names, list(dict.fromkeys(found))


def _row(line: int, text: str, names: list[str]) -> tuple[dict[str, float], list[Problem]]:
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != len(names):
        return {}, [(line, f"{len(cells)} values", f"{len(names)}, as the first line names")]
    values: dict[str, float] = {}
    found: list[Problem] = []
    for name, cell in zip(names, cells, strict=True):
        low, high = _BOUNDS[name]
        if len(cell) > 40 or not _NUMBER.match(cell):
            found.append((line, f"{name} '{clean(cell)[:40]}'", "a finite number"))
            continue
        value = float(cell)
        if not low <= value <= high:
            found.append((line, f"{name} {value:g}", f"from {low:g} to {high:g}"))
        values[name] = value
    return values, found


_A = {"flight": "a flight", "aircraft": "an aircraft"}


def _speed(a: Row, b: Row) -> float:
    across = 2.0 * math.sin(0.5 * (b[2] - a[2])) * math.cos(0.5 * (a[1] + b[1]))
    over = (_RADIUS + max(a[3], b[3], 0.0)) * math.hypot(b[1] - a[1], across)
    return math.hypot(over, b[3] - a[3]) / (b[0] - a[0]) * 1e9


def parse(text: str, greatest_gap_s: float, kind: str = "flight") -> tuple[Table | None, list[Problem]]:
    """A recorded path from its text, or None and what is wrong with it.

    ``greatest_gap_s``: between rows; ``kind``: "flight" or "aircraft", which bounds the speed between them. Wrong are,
    each told with its line: columns that are unknown, missing or doubled; rows with too few or many values; what is no
    finite number or out of its range; times that do not rise; gaps over the greatest; jumps that nothing flies; fewer
    than two rows, or more than ``MOST_ROWS``.
    """
    names: list[str] = []
    rows: list[Row] = []
    found: list[Problem] = []
    before: float | None = None
    for line, raw in enumerate(text.splitlines(), 1):
        row = raw.strip()
        if not row or row.startswith("#"):
            continue
        if not names:
            names, found = _header(line, row)
            if found:
                return None, found
            continue
        values, wrong = _row(line, row, names)
        found += wrong
        if not wrong:
            t = values["t_s"]
            ns = round(t * 1e9)
            if before is not None and rows and ns <= rows[-1][0]:
                said = "again" if ns == rows[-1][0] else f"after {before:g} s"
                found.append((line, f"the time {t:g} s {said}", "times that rise"))
            elif before is not None and t - before > greatest_gap_s:
                found.append((line, f"a gap of {t - before:g} s, from {before:g} s", f"at most {greatest_gap_s:g} s"))
            before = t
            height = values["height_km"] * 1e3 if "height_km" in values else values["height_m"]
            lon = math.remainder(math.radians(values["lon_deg"]), 2.0 * math.pi)
            at = (ns, math.radians(values["lat_deg"]), lon, height)
            if rows and ns > rows[-1][0] and (speed := _speed(rows[-1], at)) > FASTEST[kind]:
                said = f"{speed:,.0f} m/s from the row before"
                found.append((line, said, f"at most {FASTEST[kind]:,.0f} m/s for {_A[kind]}"))
            rows.append(at)
        if len(rows) > MOST_ROWS:
            found.append((line, f"more than {MOST_ROWS:,} rows", f"at most {MOST_ROWS:,}"))
        if len(found) >= MOST_PROBLEMS or len(rows) > MOST_ROWS:
            return None, found
    if not names:
        return None, [(1, "no table", FORM)]
    if not found and len(rows) < 2:
        found.append((1, f"{len(rows)} rows", "at least two"))
    return (None, found) if found else (Table(tuple(rows)), [])
