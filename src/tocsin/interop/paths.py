"""Recorded paths as text: CSV (RFC 4180, UTF-8) with a header, one row a moment.

Columns, in any order: ``t_s`` (s on the scenario's clock) with either ``lat_deg``, ``lon_deg`` and ``height_km`` or
``height_m`` (over the WGS 84 ellipsoid), or ``x_m``, ``y_m``, ``z_m`` (Earth-fixed, ecef). Lines that begin with ``#``
and empty lines are passed over. All of a text is read, or nothing: the first fault ends it, with its line.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tocsin.earth.clock import NS, to_ns
from tocsin.earth.wgs84 import geodetic_of
from tocsin.truth.recorded import Row, TableFault, check_rows

MOST_BYTES = 64_000_000
MOST_LINES = 1_000_000
MOST_SECONDS = 1e8  # three years; a clock that shows more counts from elsewhere
GEODETIC = ("t_s", "lat_deg", "lon_deg", "height_km")
GEODETIC_M = ("t_s", "lat_deg", "lon_deg", "height_m")
ECEF = ("t_s", "x_m", "y_m", "z_m")
# what Python's float takes besides (1_000, Arabic figures, thousands of digits) is no number of a table
NUMBER = re.compile(r"[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,4})?", re.ASCII)


class PathError(ValueError):
    """What is wrong with a recorded path; ``name``: the file or text, ``line``: its line from 1 (0: as a whole)."""

    def __init__(self, name: str, line: int, text: str) -> None:
        super().__init__(f"{name}, line {line}: {text}" if line else f"{name}: {text}")
        self.name = name
        self.line = line


def read_path(file: Path, *, greatest_gap: float = 60.0, kind: str = "flight") -> tuple[Row, ...]:
    """Rows (t_ns, latitude, longitude rad, height m) of a CSV file, as ``TableObject`` takes them.

    Raises PathError as ``parse_path`` does, and where the file cannot be read or is larger than ``MOST_BYTES``.
    """
    return parse_path(decoded(file.name, contents(file)), file.name, greatest_gap=greatest_gap, kind=kind)


def contents(file: Path) -> bytes:
    """The bytes of a file of at most ``MOST_BYTES``; PathError where it cannot be read or is larger."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise PathError(file.name, 0, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(data) > MOST_BYTES:
        raise PathError(file.name, 0, f"is larger than {MOST_BYTES:,} bytes")
    return data


def decoded(name: str, data: bytes) -> str:
    """UTF-8 text, without a byte-order mark; PathError with the line where it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PathError(name, data.count(b"\n", 0, error.start) + 1, "is not UTF-8 text") from None


def csv_lines(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells (stripped) of each record that is not empty and no comment.

    Raises PathError where it is no CSV or has more than ``MOST_LINES`` lines.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if line > MOST_LINES:
                raise PathError(name, line, f"has more than {MOST_LINES:,} lines")
            cells = [c.strip() for c in cells]
            if any(cells) and not cells[0].startswith("#"):
                yield line, cells
            line = reader.line_num + 1  # a quoted cell may hold line breaks
    except csv.Error as error:
        raise PathError(name, line, f"is no CSV: {error}") from None


def header_of(name: str, line: int, cells: Sequence[str]) -> dict[str, int]:
    """Where each column stands; PathError where a name stands twice."""
    out: dict[str, int] = {}
    for i, cell in enumerate(cells):
        if cell in out:
            raise PathError(name, line, f"column {cell!r} stands twice")
        out[cell] = i
    return out


def number_of(name: str, line: int, column: str, cell: str) -> float:
    """A finite number; PathError for anything else."""
    value = float(cell) if NUMBER.fullmatch(cell) else math.nan
    if not math.isfinite(value):
        raise PathError(name, line, f"{column} must be a finite number, found {cell!r}")
    return value


def time_of(name: str, line: int, column: str, cell: str) -> int:
    """Seconds as whole nanoseconds, decimals exact; PathError for anything else."""
    value = number_of(name, line, column, cell)
    if abs(value) > MOST_SECONDS:
        raise PathError(name, line, f"{column} must lie within {MOST_SECONDS:g} s of zero, found {cell}")
    whole, _, fraction = cell.partition(".")
    if re.fullmatch(r"[+-]?\d+", whole, re.ASCII) and re.fullmatch(r"\d{0,9}", fraction, re.ASCII):
        part = int((fraction + "000000000")[:9])
        return int(whole) * NS + (-part if whole.startswith("-") else part)
    return to_ns(value)


def parse_path(text: str, name: str = "table", *, greatest_gap: float = 60.0, kind: str = "flight") -> tuple[Row, ...]:
    """Rows of a CSV text; ``name`` is used in errors, ``greatest_gap`` (s) may lie between two rows, ``kind``
    ("flight", "aircraft") bounds the speed.

    Raises PathError with the line: missing, doubled or unknown columns, a cell that is no finite number, times that do
    not rise, gaps, places out of range, jumps that nothing flies.
    """
    lines = csv_lines(name, text)
    first = next(lines, None)
    if first is None:
        raise PathError(name, 0, f"is empty; it needs the columns {', '.join(GEODETIC)} or {', '.join(ECEF)}")
    where = header_of(name, *first)
    columns = ECEF if "x_m" in where else GEODETIC
    if "height_m" in where and "height_km" not in where:
        columns = GEODETIC_M
    missing = [c for c in columns if c not in where]
    if missing:
        raise PathError(
            name, first[0],
            f"column {missing[0]!r} is missing; found {', '.join(where)}; needed are {', '.join(GEODETIC)} or"
            f" {', '.join(ECEF)}",
        )  # fmt: skip
    unknown = [c for c in where if c not in columns]
    if unknown:
        raise PathError(name, first[0], f"unknown column {unknown[0]!r}; allowed are {', '.join(columns)}")
    rows: list[Row] = []
    at: list[int] = []
    for line, cells in lines:
        if len(cells) != len(where):
            raise PathError(name, line, f"{len(cells)} cells under {len(where)} columns")
        t = time_of(name, line, "t_s", cells[where["t_s"]])
        a, b, c = (number_of(name, line, col, cells[where[col]]) for col in columns[1:])
        if columns is ECEF:
            if not 1e6 < math.hypot(a, b, c) < 1e9:
                raise PathError(name, line, f"{math.hypot(a, b, c) / 1e3:.0f} km from the Earth's centre is no flight")
            rows.append((t, *geodetic_of(a, b, c)))
        else:
            rows.append((t, math.radians(a), math.radians(b), c * 1e3 if columns is GEODETIC else c))
        at.append(line)
    try:
        check_rows(rows, greatest_gap, kind)
    except TableFault as fault:
        raise PathError(name, at[fault.row] if fault.row >= 0 else 0, fault.reason) from None
    return tuple(rows)


def path_text(rows: Sequence[Row]) -> str:
    """The CSV text of rows (t_ns, latitude, longitude rad, height m): the form that ``parse_path`` reads and that a
    scenario may hold.

    Times are exact, angles to 1e-9 degrees (0.1 mm), heights to a millimetre.
    """
    out = [",".join(GEODETIC)]
    for t, lat, lon, h in rows:
        sign, size = ("-", -t) if t < 0 else ("", t)
        seconds = f"{sign}{size // NS}.{size % NS:09d}".rstrip("0").rstrip(".")
        out.append(f"{seconds},{math.degrees(lat):.9f},{math.degrees(lon):.9f},{h / 1e3:.6f}")
    return "\n".join(out) + "\n"
