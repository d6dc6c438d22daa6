"""Element sets as they are published: two-line elements (with or without names), OMM as JSON and as KVN.

Formats: TLE as in Spacetrack Report No. 3 and on celestrak.org (columns, checksum, alpha-5 numbers); OMM, CCSDS
502.0-B-3, with the keywords of CelesTrak and Space-Track. A file is read whole or not at all: everything that is wrong
in it is collected, each with its line (TLE, KVN) or index from 0 (JSON), and raised at once.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tocsin.earth.clock import parse_utc
from tocsin.earth.wgs84 import MU, A

MOST_CHARACTERS = 50_000_000  # of one file: the public catalogue has about 5 million
LINE_LENGTH = 69
_DAY_NS = 86_400_000_000_000
_SHOWN = 8  # problems quoted in an error's text
_ALPHA5 = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # without I and O
_TURNS_PER_DAY = 2.0 * math.pi / 86400.0


class ElementsError(ValueError):
    """Element sets that cannot be read: ``problems``, each with its place, what was found and what is allowed."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        more = len(self.problems) - _SHOWN
        tail = f"; and {more} more" if more > 0 else ""
        super().__init__("; ".join(self.problems[:_SHOWN]) + tail)


@dataclass(frozen=True)
class ElementSet:
    """Mean elements of one satellite for SGP4 (WGS 72, TEME of date), nothing else.

    ``number``: catalogue number; ``epoch_ns``: UTC, ns since 1970; ``mean_motion``: rad/s (Kozai's, as published);
    ``e``; ``i``, ``raan``, ``argp``, ``m0``: rad; ``bstar``: per Earth radius; ``place``: where in the file it stood.
    """

    name: str
    number: int
    designator: str
    epoch_ns: int
    mean_motion: float
    e: float
    i: float
    raan: float
    argp: float
    m0: float
    bstar: float
    place: str = ""

    @property
    def a(self) -> float:
        """Semi-major axis (m) that goes with the mean motion."""
        return float((MU / self.mean_motion**2) ** (1.0 / 3.0))

    @property
    def perigee(self) -> float:
        """Height of the perigee (m) over the equator's radius."""
        return self.a * (1.0 - self.e) - A

    @property
    def apogee(self) -> float:
        """Height of the apogee (m) over the equator's radius."""
        return self.a * (1.0 + self.e) - A


def read_elements(text: str, history: bool = False) -> tuple[ElementSet, ...]:
    """Element sets of a text in any of the three formats, told apart by how it begins.

    ``history``: whether a satellite may occur more than once. Raises ElementsError.
    """
    _cap(text)
    start = text.lstrip()
    if start[:1] in ("{", "["):
        return read_omm_json(text, history)
    if re.search(r"^\s*CCSDS_OMM_VERS\s*=", text, re.MULTILINE):
        return read_omm_kvn(text, history)
    return read_tle(text, history)


# ---- two lines -----------------------------------------------------------------------------------------------------


def read_tle(text: str, history: bool = False) -> tuple[ElementSet, ...]:
    """Element sets of a file of two or three lines each; empty lines and lines beginning with # are skipped.

    Raises ElementsError with line numbers: lengths, checksums, columns, numbers that differ between the two lines,
    satellites that occur twice (unless ``history``).
    """
    _cap(text)
    problems: list[str] = []
    sets: list[ElementSet] = []
    name, first, first_at = "", "", 0
    for at, raw in enumerate(text.splitlines(), 1):
        line = raw.rstrip()
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("1 "):
            if first:
                problems.append(f"line {first_at}: first line of an element set without its second")
            first, first_at = line, at
        elif line.startswith("2 "):
            if not first:
                problems.append(f"line {at}: second line of an element set without its first")
            else:
                made = _two_lines(name, first, first_at, line, at, problems)
                if made is not None:
                    sets.append(made)
            name, first = "", ""
        else:
            if first:
                problems.append(f"line {first_at}: first line of an element set without its second")
                first = ""
            if name:
                problems.append(f"line {at}: found {line[:40]!r}, allowed: the line of an element set (after a name)")
            name = line.removeprefix("0 ").strip()
    if first:
        problems.append(f"line {first_at}: first line of an element set without its second")
    elif name:
        problems.append(f"last line: a name ({name[:40]!r}) without an element set")
    return _checked(sets, problems, history)


def checksum(line: str) -> int:
    """Checksum of a TLE line: its digits and its minus signs (one each) over the first 68 columns, modulo 10."""
    return sum(int(c) if c in "0123456789" else c == "-" for c in line[: LINE_LENGTH - 1]) % 10


def _line_is_whole(line: str, at: int, problems: list[str]) -> bool:
    if not line.isascii():
        problems.append(f"line {at}: characters outside ASCII")
    elif len(line) != LINE_LENGTH:
        problems.append(f"line {at}: {len(line)} characters, allowed: {LINE_LENGTH}")
    elif line[-1] != str(checksum(line)):
        problems.append(f"line {at}: checksum {line[-1]!r}, the line's digits give {checksum(line)}")
    else:
        return True
    return False


class _Columns:
    """Fields of one TLE line by their columns (from 1, both included); what is wrong goes to ``problems``."""

    def __init__(self, line: str, at: int, problems: list[str]) -> None:
        self.line, self.at, self.problems = line, at, problems

    def text(self, start: int, stop: int, what: str, pattern: str, like: str) -> str:
        found = self.line[start - 1 : stop]
        if not re.fullmatch(pattern, found):
            self.problems.append(
                f"line {self.at}, columns {start} to {stop}: {what} {found!r}, allowed: such as {like!r}"
            )
            return ""
        return found

    def number(self, start: int, stop: int, what: str, pattern: str, like: str) -> float:
        found = self.text(start, stop, what, pattern, like).replace(" ", "")
        return float(found) if found else math.nan

    def angle(self, start: int, what: str, most: float) -> float:
        value = self.number(start, start + 7, what, r"[ \d]{2}\d\.\d{4}", " 51.6416")
        if value > most:
            self.problems.append(f"line {self.at}: {what} {value:g} deg, allowed: 0 to {most:g}")
        return value

    def power(self, start: int, what: str) -> float:
        found = self.text(start, start + 7, what, r"[ +-][ \d]{5}[+-]\d|[ ]{8}", " 28098-4")
        if not found.strip():
            return 0.0 if len(found) == 8 else math.nan
        return float(f"{found[0].strip()}0.{found[1:6].replace(' ', '0')}e{found[6:]}")


def _catalogue_number(columns: _Columns) -> int:
    found = columns.text(3, 7, "catalogue number", rf"[ {_ALPHA5}\d][ \d]{{3}}\d", "25544")
    if not found:
        return -1
    lead = found[0]
    if lead in _ALPHA5:
        return (10 + _ALPHA5.index(lead)) * 10_000 + int(found[1:].replace(" ", "0"))
    return int(found)


def _two_lines(
    name: str, first: str, first_at: int, second: str, second_at: int, problems: list[str]
) -> ElementSet | None:
    before = len(problems)
    whole = [_line_is_whole(first, first_at, problems), _line_is_whole(second, second_at, problems)]
    if not all(whole):
        return None
    one, two = _Columns(first, first_at, problems), _Columns(second, second_at, problems)
    number, again = _catalogue_number(one), _catalogue_number(two)
    if number >= 0 and again >= 0 and number != again:
        problems.append(f"lines {first_at} and {second_at}: catalogue numbers {number} and {again} differ")
    year = one.number(19, 20, "epoch's year", r"[ \d]\d", "06")
    day = one.text(21, 32, "epoch's day", r"[ \d]{2}\d\.\d{8}", "176.82412014")
    one.text(34, 43, "half rate of the mean motion", r"[ +-][ \d]?\.\d{8}|[ ]{10}", " .00000023")
    one.power(45, "sixth of the second rate of the mean motion")
    bstar = one.power(54, "drag term")
    kind = one.text(63, 63, "ephemeris type", r"[ \d]", "0")
    if kind == "4":
        problems.append(f"line {first_at}: ephemeris type 4 (SGP4-XP), allowed: those for SGP4 (0)")
    i = two.angle(9, "inclination", 180.0)
    raan = two.angle(18, "right ascension of the node", 360.0)
    e = two.number(27, 33, "eccentricity", r"[ \d]{6}\d", "0006703")
    argp = two.angle(35, "argument of perigee", 360.0)
    m0 = two.angle(44, "mean anomaly", 360.0)
    turns = two.number(53, 63, "mean motion", r"[ \d]\d\.\d{8}", "15.72125391")
    epoch_ns = 0
    if day and math.isfinite(year):
        whole_days, fraction = int(day[:3]), int(day[4:])
        if not 1 <= whole_days <= 366:
            problems.append(f"line {first_at}: day {whole_days} of the year, allowed: 1 to 366")
        else:
            full = int(year) + (1900 if year >= 57 else 2000)
            start = int(datetime(full, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
            epoch_ns = start + (whole_days - 1) * _DAY_NS + fraction * (_DAY_NS // 100_000_000)
    if turns == 0.0:
        problems.append(f"line {second_at}: mean motion 0, allowed: more")
    if len(problems) > before:
        return None
    return ElementSet(
        name, number, one.line[9:17].strip(), epoch_ns, turns * _TURNS_PER_DAY, e / 1e7, math.radians(i),
        math.radians(raan), math.radians(argp), math.radians(m0), bstar, f"line {first_at}",
    )  # fmt: skip


# ---- OMM -----------------------------------------------------------------------------------------------------------

_NUMBERS: tuple[tuple[str, float, float], ...] = (  # keyword, least, most (units of the standard)
    ("MEAN_MOTION", 1e-6, 20.0),
    ("ECCENTRICITY", 0.0, 1.0),
    ("INCLINATION", 0.0, 180.0),
    ("RA_OF_ASC_NODE", -360.0, 360.0),
    ("ARG_OF_PERICENTER", -360.0, 360.0),
    ("MEAN_ANOMALY", -360.0, 360.0),
    ("BSTAR", -1e3, 1e3),
)
# what has to be so where it is said at all
_FIXED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CENTER_NAME", ("EARTH",)),
    ("REF_FRAME", ("TEME", "TEMEOFDATE")),
    ("TIME_SYSTEM", ("UTC",)),
    ("MEAN_ELEMENT_THEORY", ("SGP4", "SGP/SGP4", "SDP4")),
)
_EPOCH = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)Z?")


def read_omm_json(text: str, history: bool = False) -> tuple[ElementSet, ...]:
    """Element sets of an OMM in JSON: one object or a list of them, values as numbers or as text.

    Raises ElementsError with the index of the object (from 0).
    """
    _cap(text)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) != len(found):
            names = [key for key, _ in found]
            raise ElementsError([f"JSON: the field {next(n for n in names if names.count(n) > 1)} twice in one object"])
        return made

    def refuse(word: str) -> float:
        raise ElementsError([f"JSON: found {word}, allowed: finite numbers"])

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ElementsError([f"JSON, line {error.lineno}, column {error.colno}: {error.msg}"]) from None
    except RecursionError:
        raise ElementsError(["JSON: nested too deeply, allowed: a list of objects"]) from None
    rows = data if isinstance(data, list) else [data]
    problems: list[str] = []
    sets: list[ElementSet] = []
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            problems.append(f"index {index}: found {type(row).__name__}, allowed: an object")
            continue
        made = _from_fields(row, lambda _, index=index: f"index {index}", problems)  # type: ignore[misc]
        if made is not None:
            sets.append(made)
    return _checked(sets, problems, history)


def read_omm_kvn(text: str, history: bool = False) -> tuple[ElementSet, ...]:
    """Element sets of OMMs in KVN ("KEY = VALUE", one a line), one message after another, each begun by CCSDS_OMM_VERS.

    Raises ElementsError with line numbers.
    """
    _cap(text)
    problems: list[str] = []
    messages: list[dict[str, tuple[str, int]]] = []
    for at, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("COMMENT"):
            continue
        key, equals, value = line.partition("=")
        key, value = key.strip(), re.sub(r"\s*\[[^\]]*\]$", "", value.strip())
        if not equals or not re.fullmatch(r"[A-Z][A-Z0-9_]*", key):
            problems.append(f"line {at}: found {line[:40]!r}, allowed: KEY = VALUE")
            continue
        if key == "CCSDS_OMM_VERS":
            messages.append({})
        if not messages:
            problems.append(f"line {at}: {key} before the first CCSDS_OMM_VERS")
            messages.append({})
        if key in messages[-1]:
            problems.append(f"line {at}: {key} again, first on line {messages[-1][key][1]}")
        else:
            messages[-1][key] = (value, at)
    sets: list[ElementSet] = []
    for message in messages:
        start = min(at for _, at in message.values())

        def place(key: str, message: dict[str, tuple[str, int]] = message, start: int = start) -> str:
            return f"line {message[key][1]}" if key in message else f"message of line {start}"

        made = _from_fields({key: value for key, (value, _) in message.items()}, place, problems)
        if made is not None:
            sets.append(made)
    return _checked(sets, problems, history)


def _from_fields(row: Mapping[str, Any], place: Callable[[str], str], problems: list[str]) -> ElementSet | None:
    before = len(problems)
    values: dict[str, float] = {}
    for key, least, most in _NUMBERS:
        found = row.get(key)
        if found is None:
            problems.append(f"{place(key)}: {key} is missing")
            continue
        try:
            value = math.nan if isinstance(found, bool) else float(found)
        except (TypeError, ValueError):
            value = math.nan
        outside = not least <= value <= most or (key == "ECCENTRICITY" and value == 1.0)
        if outside:
            problems.append(f"{place(key)}: {key} {found!r}, allowed: a number from {least:g} to {most:g}")
        values[key] = value
    for key, allowed in _FIXED:
        if key in row and str(row[key]).strip().upper() not in allowed:
            problems.append(f"{place(key)}: {key} {row[key]!r}, allowed: {' or '.join(allowed)}")
    if str(row.get("EPHEMERIS_TYPE", "0")).strip() == "4":
        problems.append(f"{place('EPHEMERIS_TYPE')}: EPHEMERIS_TYPE 4 (SGP4-XP), allowed: those for SGP4 (0)")
    number = str(row.get("NORAD_CAT_ID", "")).strip()
    if not re.fullmatch(r"\d{1,9}", number):
        problems.append(f"{place('NORAD_CAT_ID')}: NORAD_CAT_ID {number!r}, allowed: a number of up to nine digits")
    epoch = _EPOCH.fullmatch(str(row.get("EPOCH", "")).strip())
    epoch_ns = 0
    if epoch is None:
        problems.append(
            f"{place('EPOCH')}: EPOCH {row.get('EPOCH', '')!r}, allowed: a UTC time such as 2022-11-03T04:53:28.96"
        )
    else:
        try:
            epoch_ns = parse_utc(f"{epoch[1]}T{epoch[2]}Z")
        except ValueError as error:
            problems.append(f"{place('EPOCH')}: EPOCH {error}")
    if len(problems) > before:
        return None
    return ElementSet(
        str(row.get("OBJECT_NAME", "") or "").strip(), int(number), str(row.get("OBJECT_ID", "") or "").strip(),
        epoch_ns, values["MEAN_MOTION"] * _TURNS_PER_DAY, values["ECCENTRICITY"], math.radians(values["INCLINATION"]),
        math.radians(values["RA_OF_ASC_NODE"]), math.radians(values["ARG_OF_PERICENTER"]),
        math.radians(values["MEAN_ANOMALY"]), values["BSTAR"], place("EPOCH"),
    )  # fmt: skip


# ---- all -----------------------------------------------------------------------------------------------------------


def _cap(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise ElementsError([f"{len(text):,} characters, allowed: up to {MOST_CHARACTERS:,}"])


def _checked(sets: list[ElementSet], problems: list[str], history: bool) -> tuple[ElementSet, ...]:
    if not history:
        first: dict[int, str] = {}
        for one in sets:
            if one.number in first:
                problems.append(f"{one.place}: satellite {one.number} again, first at {first[one.number]}")
            else:
                first[one.number] = one.place
    if problems:
        raise ElementsError(problems)
    if not sets:
        raise ElementsError(["no element set found"])
    return tuple(sets)
