"""ADS-B tables: what aircraft said of themselves, as the ``traffic`` library and the OpenSky Network write it.

Two forms, told apart by their columns, each as JSON (a list of objects, one a row), as CSV with the same names as
header, or either of them compressed (``.gz``):

- traffic: ``timestamp`` (JSON: integer milliseconds since 1970 UTC, as pandas writes it; CSV: ISO 8601 with its zone),
  ``icao24``, ``latitude``, ``longitude`` (degrees), ``altitude`` and ``geoaltitude`` (feet), ``groundspeed`` (knots),
  ``track`` (degrees), ``vertical_rate`` (feet a minute), ``callsign``;
- OpenSky state vectors: ``time`` (seconds since 1970 UTC), ``icao24``, ``lat``, ``lon`` (degrees), ``baroaltitude`` and
  ``geoaltitude`` (m), ``velocity`` (m/s), ``heading`` (degrees), ``vertrate`` (m/s), ``callsign``.

Other columns are passed over. Height is what ``height`` names: "pressure" (the altimeter at the standard setting, which
is off the height over the ellipsoid by the weather, some hundred metres, and by the geoid, up to 100 m) or "geometric"
(by satellite, over the ellipsoid). The track and the rates are read past: the path itself is followed.

Rows without a position or a height are left out and counted, and so are stale ones: a position that repeats the one
before to the last digit, while the aircraft says that it moves, was filled in by the receiver's side and is old. All of
a table is read, or nothing: the first fault ends it, with its line (CSV) or its record, counted from 0 (JSON).

Times are those of reception: a position may be seconds older than its time says, and the speed between two rows be off
by that (see ``AdsbPath.thinned`` and the validation book).
"""

from __future__ import annotations

import gzip
import io
import itertools
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from tocsin.interop.paths import (
    MOST_BYTES,
    NUMBER,
    PathError,
    contents,
    csv_lines,
    decoded,
    header_of,
)
from tocsin.truth.recorded import Row, TableFault, check_rows

FOOT, KNOT = 0.3048, 1852.0 / 3600.0
MOST_ROWS = 1_000_000
MOVING = 10.0  # m/s over the ground; what says that it is faster and stands still has an old position
_ICAO24 = re.compile(r"[0-9a-f]{6}")
_ZONED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = (315_532_800, 4_102_444_800)  # 1980 to 2100, s; other numbers count in other units


class AdsbError(ValueError):
    """What is wrong with an ADS-B table; ``name``: the file or text; ``place``: "line 7" (CSV), "record 6" (JSON), ""
    as a whole."""

    def __init__(self, name: str, place: str, text: str) -> None:
        super().__init__(f"{name}, {place}: {text}" if place else f"{name}: {text}")
        self.name = name
        self.place = place


@dataclass(frozen=True)
class _Form:
    """Column names and units of one form."""

    time: str
    lat: str
    lon: str
    pressure: str
    geometric: str
    speed: str
    metres: float
    metres_a_second: float


_TRAFFIC = _Form("timestamp", "latitude", "longitude", "altitude", "geoaltitude", "groundspeed", FOOT, KNOT)
_OPENSKY = _Form("time", "lat", "lon", "baroaltitude", "geoaltitude", "velocity", 1.0, 1.0)


@dataclass(frozen=True)
class AdsbPath:
    """The path of one aircraft.

    ``icao24``: its address (six hex digits, small); ``callsign``: the first it gave, "" if none; ``part``: number from
    1, where a table was parted at gaps; ``rows``: (ns since 1970 UTC, latitude, longitude rad, height m), times rising;
    ``incomplete``, ``stale``: how many rows of the aircraft were left out (see the module's text).
    """

    icao24: str
    callsign: str
    part: int
    rows: tuple[Row, ...]
    incomplete: int
    stale: int

    def on_clock(self, unix_ns: int, start_ns: int | None = None) -> tuple[Row, ...]:
        """Its rows on the clock of a scenario whose epoch is ``unix_ns``, as ``TableObject`` takes them; with
        ``start_ns`` moved so that it begins then.
        """
        shift = unix_ns if start_ns is None else self.rows[0][0] - start_ns
        return tuple((t - shift, lat, lon, h) for t, lat, lon, h in self.rows)

    def thinned(self, step_s: float) -> AdsbPath:
        """The path with its rows ``step_s`` apart or more, the last one kept.

        Positions are late or early by up to some seconds; the speed of a path through all of them swings by as much as
        the flight covers in that time over the step between rows. Every 30 s it is good to some metres a second, and
        the path still holds all turns of an airliner.
        """
        rows = [self.rows[0]]
        for row in self.rows[1:]:
            if row[0] - rows[-1][0] >= step_s * 1e9:
                rows.append(row)
        if rows[-1] is not self.rows[-1]:
            # in place of the one before, which lies nearer to it than the step, unless that is the first
            rows[max(len(rows) - 1, 1) :] = [self.rows[-1]]
        return replace(self, rows=tuple(rows))


def read_adsb(
    file: Path,
    *,
    height: str = "pressure",
    greatest_gap: float = 60.0,
    part_at_gaps: bool = False,
    aircraft: Sequence[str] | None = None,
) -> tuple[AdsbPath, ...]:
    """The aircraft of a file (``.json`` or ``.csv``, also ``.gz``), by address and time.

    ``height``: "pressure" or "geometric"; ``greatest_gap``: s between two rows of an aircraft; a longer gap is an
    error, or parts its path with ``part_at_gaps`` (single rows between two gaps are left out); ``aircraft``: only these
    addresses.

    Raises AdsbError as ``parse_json`` and ``parse_csv`` do, and for a file that cannot be read, is none of these, or
    holds more than ``MOST_BYTES``.
    """
    try:
        data = contents(file)
    except PathError as error:
        raise AdsbError(file.name, "", str(error).split(": ", 1)[1]) from None
    name = file.name
    bare = name.lower()
    if bare.endswith(".gz"):
        bare = bare[:-3]
        data = _unpacked(name, data)
    options: dict[str, Any] = {
        "height": height, "greatest_gap": greatest_gap, "part_at_gaps": part_at_gaps, "aircraft": aircraft
    }  # fmt: skip
    if bare.endswith(".json"):
        return parse_json(data, name, **options)
    if bare.endswith(".csv"):
        try:
            text = decoded(name, data)
        except PathError as error:
            raise AdsbError(name, f"line {error.line}", "is not UTF-8 text") from None
        return parse_csv(text, name, **options)
    raise AdsbError(name, "", "the name must end in .json, .csv, .json.gz or .csv.gz")


def _unpacked(name: str, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as opened:
            out = opened.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise AdsbError(name, "", f"is no whole gzip file: {error}") from None
    if len(out) > MOST_BYTES:
        raise AdsbError(name, "", f"unpacks to more than {MOST_BYTES:,} bytes")
    return out


def parse_json(
    data: bytes | str,
    name: str = "table",
    *,
    height: str = "pressure",
    greatest_gap: float = 60.0,
    part_at_gaps: bool = False,
    aircraft: Sequence[str] | None = None,
) -> tuple[AdsbPath, ...]:
    """The aircraft of a JSON text; as ``read_adsb``.

    Raises AdsbError with the record: missing columns, values that are no numbers, places out of range, times of an
    aircraft that do not rise, gaps, jumps that no aircraft flies.
    """
    try:
        records = msgspec.json.decode(data, type=list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AdsbError(name, "", f"is no JSON list of objects: {error}") from None
    cells = ((f"record {i}", record) for i, record in enumerate(records))
    return _aircraft(name, cells, height, greatest_gap, part_at_gaps, aircraft)


def parse_csv(
    text: str,
    name: str = "table",
    *,
    height: str = "pressure",
    greatest_gap: float = 60.0,
    part_at_gaps: bool = False,
    aircraft: Sequence[str] | None = None,
) -> tuple[AdsbPath, ...]:
    """The aircraft of a CSV text; as ``parse_json``, with the line in errors. Empty cells are values not given."""
    try:
        lines = csv_lines(name, text)
        first = next(lines, None)
        if first is None:
            raise AdsbError(name, "", "is empty")
        header = list(header_of(name, *first))
        rows = [(f"line {line}", _cells(name, line, header, cells)) for line, cells in lines]
    except PathError as error:
        raise AdsbError(name, f"line {error.line}" if error.line else "", str(error).split(": ", 1)[1]) from None
    return _aircraft(name, iter(rows), height, greatest_gap, part_at_gaps, aircraft)


def _cells(name: str, line: int, header: list[str], cells: list[str]) -> dict[str, Any]:
    if len(cells) != len(header):
        raise AdsbError(name, f"line {line}", f"{len(cells)} cells under {len(header)} columns")
    out: dict[str, Any] = {}
    for column, cell in zip(header, cells, strict=True):
        if not cell:
            out[column] = None
        elif column in {"icao24", "callsign"} or not NUMBER.fullmatch(cell):
            out[column] = cell
        else:
            out[column] = int(cell) if re.fullmatch(r"[+-]?\d+", cell, re.ASCII) else float(cell)
    return out


def _form(name: str, place: str, record: dict[str, Any], height: str) -> tuple[_Form, str]:
    """The form of a table by its first record, and the column of the height."""
    if height not in {"pressure", "geometric"}:
        raise AdsbError(name, "", f"height must be 'pressure' or 'geometric', found {height!r}")
    form = _OPENSKY if "time" in record and "timestamp" not in record else _TRAFFIC
    column = form.pressure if height == "pressure" else form.geometric
    for needed in (form.time, "icao24", form.lat, form.lon, column):
        if needed not in record:
            raise AdsbError(name, place, f"column {needed!r} is missing; found {', '.join(sorted(record))}")
    return form, column


def _number(name: str, place: str, column: str, value: Any) -> float:
    # the bound is beyond all that stands in such a table and keeps whole numbers within floats
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise AdsbError(name, place, f"{column} must be a finite number, found {value!r}")
    return float(value)


def _time(name: str, place: str, form: _Form, value: Any) -> int:
    """Nanoseconds since 1970 UTC."""
    if isinstance(value, str):
        if not _ZONED.fullmatch(value):
            raise AdsbError(
                name,
                place,
                f"{form.time} must be a time with its zone such as 2019-01-30 08:15:25+00:00, found {value!r}",
            )
        body, _, rest = value.replace("Z", "+00:00").partition(".")
        fraction = re.match(r"\d*", rest)
        digits = fraction.group() if fraction else ""
        try:
            whole = datetime.fromisoformat(body + rest[len(digits) :])
        except ValueError as error:
            raise AdsbError(name, place, f"{form.time} {value!r} is no time: {error}") from None
        t = (whole - _EPOCH) // timedelta(seconds=1) * 1_000_000_000 + int((digits + "000000000")[:9])
    else:
        number = _number(name, place, form.time, value)
        unit = 1_000_000 if form.time == "timestamp" else 1_000_000_000
        t = value * unit if isinstance(value, int) else round(number * unit)
    if not _YEARS[0] <= t / 1e9 <= _YEARS[1]:
        unit_name = "milliseconds" if form.time == "timestamp" else "seconds"
        raise AdsbError(name, place, f"{form.time} must be {unit_name} since 1970, from 1980 to 2100, found {value}")
    return t


def _aircraft(
    name: str, records: Iterator[tuple[str, dict[str, Any]]], height: str, greatest_gap: float, part_at_gaps: bool,
    only: Sequence[str] | None,
) -> tuple[AdsbPath, ...]:  # fmt: skip
    if not greatest_gap > 0.0:
        raise AdsbError(name, "", f"the greatest gap must be above 0 s, found {greatest_gap:g}")
    wanted = None if only is None else {a.lower() for a in only}
    rows: dict[str, list[Row]] = {}
    places: dict[str, list[str]] = {}
    seen: dict[str, AdsbPath] = {}
    form, column = _TRAFFIC, ""
    for n, (place, record) in enumerate(records):
        if n >= MOST_ROWS:
            raise AdsbError(name, place, f"has more than {MOST_ROWS:,} rows")
        if not column:
            form, column = _form(name, place, record, height)
        address = record.get("icao24")
        if not isinstance(address, str) or not _ICAO24.fullmatch(address.lower()):
            raise AdsbError(name, place, f"icao24 must be six hexadecimal digits, found {address!r}")
        address = address.lower()
        if wanted is not None and address not in wanted:
            continue
        about = seen.setdefault(address, AdsbPath(address, "", 1, (), 0, 0))
        callsign = record.get("callsign")
        if not about.callsign and isinstance(callsign, str) and callsign.strip():
            about = seen[address] = replace(about, callsign=callsign.strip())
        given = [record.get(c) for c in (form.lat, form.lon, column)]
        t = _time(name, place, form, record.get(form.time))
        if any(value is None for value in given):
            seen[address] = replace(about, incomplete=about.incomplete + 1)
            continue
        lat, lon, h = (_number(name, place, c, v) for c, v in zip((form.lat, form.lon, column), given, strict=True))
        row = (t, math.radians(lat), math.radians(lon), h * form.metres)
        mine = rows.setdefault(address, [])
        if mine and row[1:3] == mine[-1][1:3] and t > mine[-1][0]:
            speed = record.get(form.speed)
            if speed is not None and _number(name, place, form.speed, speed) * form.metres_a_second > MOVING:
                seen[address] = replace(about, stale=about.stale + 1)
                continue
        mine.append(row)
        places.setdefault(address, []).append(place)
    if not column:
        raise AdsbError(name, "", "is empty")
    if wanted is not None and wanted - seen.keys():
        raise AdsbError(name, "", f"has no aircraft {min(wanted - seen.keys())}")
    out: list[AdsbPath] = []
    for address in sorted(seen):
        out += _parts(name, seen[address], rows.get(address, []), places.get(address, []), greatest_gap, part_at_gaps)
    if not out:
        raise AdsbError(name, "", "holds no aircraft with two rows that belong together")
    return tuple(out)


def _parts(
    name: str, about: AdsbPath, rows: list[Row], places: list[str], greatest_gap: float, part_at_gaps: bool
) -> list[AdsbPath]:
    """The path of an aircraft, whole or parted at its gaps."""
    cuts = [0, len(rows)]
    if part_at_gaps:
        cuts[1:1] = [i for i in range(1, len(rows)) if rows[i][0] - rows[i - 1][0] > greatest_gap * 1e9]
    out: list[AdsbPath] = []
    for first, stop in itertools.pairwise(cuts):
        if part_at_gaps and stop - first < 2:
            continue
        try:
            check_rows(rows[first:stop], greatest_gap, "aircraft")
        except TableFault as fault:
            place = places[first + fault.row] if fault.row >= 0 else ""
            raise AdsbError(name, place, f"aircraft {about.icao24}: {fault.reason}") from None
        out.append(replace(about, part=len(out) + 1, rows=tuple(rows[first:stop])))
    return out
