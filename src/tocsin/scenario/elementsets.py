"""Element sets in a scenario: the two lines of a TLE, the fields of an OMM. Here they are only looked over; what flies
them reads them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tocsin.scenario.faults import clean, one_of

LENGTH = 69  # characters of each line
LINES = "the two lines of a TLE, of 69 characters each"
# where the numbers stand (columns from 0, end excluded), and their bounds: Space-Track's description of the format
_FIRST = {
    "epoch year": (18, 20, 0.0, 99.0),
    "epoch day": (20, 32, 1.0, 367.0),
    "first derivative of the mean motion": (33, 43, -1.0, 1.0),
}
_SECOND = {
    "inclination": (8, 16, 0.0, 180.0),
    "right ascension of the node": (17, 25, 0.0, 360.0),
    "eccentricity": (26, 33, 0.0, 9_999_999.0),
    "argument of perigee": (34, 42, 0.0, 360.0),
    "mean anomaly": (43, 51, 0.0, 360.0),
    "mean motion": (52, 63, 0.0, 20.0),
}
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)\Z", re.ASCII)
_OMM_NUMBERS = {
    "MEAN_MOTION": (1e-6, 20.0),
    "ECCENTRICITY": (0.0, 0.9999999),
    "INCLINATION": (0.0, 180.0),
    "RA_OF_ASC_NODE": (-360.0, 360.0),
    "ARG_OF_PERICENTER": (-360.0, 360.0),
    "MEAN_ANOMALY": (-360.0, 360.0),
    "BSTAR": (-1000.0, 1000.0),
}
OMM_NEEDED = ("NORAD_CAT_ID", "EPOCH", *_OMM_NUMBERS)
_EPOCH = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?\Z", re.ASCII)
OMM_KNOWN = (
    *OMM_NEEDED, "CCSDS_OMM_VERS", "COMMENT", "CREATION_DATE", "ORIGINATOR", "OBJECT_NAME", "OBJECT_ID", "CENTER_NAME",
    "REF_FRAME", "TIME_SYSTEM", "MEAN_ELEMENT_THEORY", "EPHEMERIS_TYPE", "CLASSIFICATION_TYPE",
    "ELEMENT_SET_NO", "REV_AT_EPOCH", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT",
)  # fmt: skip
_ONLY = {
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME", "TEMEOFDATE"),
    "TIME_SYSTEM": ("UTC",),
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4", "SDP4"),
}

Problem = tuple[str, str, str]  # field of an OMM, or "", found, allowed


def checksum(line: str) -> int:
    """The last digit that a TLE line ought to have: its digits and a one for each minus, modulo ten."""
    return sum(int(c) if c in "0123456789" else 1 if c == "-" else 0 for c in line[: LENGTH - 1]) % 10


def tle(given: str | tuple[str, ...]) -> tuple[str, list[Problem]]:
    """The two lines as one text, and what is wrong with them. A line with a name before them is left out."""
    lines = given.splitlines() if isinstance(given, str) else list(given)
    lines = [line.rstrip() for line in lines if line.strip()]
    if len(lines) == 3 and not lines[0].startswith("1 "):
        lines = lines[1:]
    if len(lines) != 2:
        return "", [("", f"{len(lines)} lines", LINES)]
    found: list[Problem] = []
    for n, (line, places) in enumerate(zip(lines, (_FIRST, _SECOND), strict=True), 1):
        if not line.startswith(f"{n} ") or not line.isascii():
            found.append(("", f"line {n} '{clean(line)[:24]}'", f"a line {n}, which begins with '{n} '"))
        elif len(line) != LENGTH:
            found.append(("", f"line {n} with {len(line)} characters", f"{LENGTH}"))
        elif line[-1] != str(checksum(line)):
            found.append(("", f"line {n} with the checksum {clean(line[-1])}", f"{checksum(line)}, as its digits give"))
        else:
            for name, (start, end, low, high) in places.items():
                cell = line[start:end].strip()
                value = float(cell) if _NUMBER.match(cell) else math.nan
                if not low <= value <= high:
                    found.append(("", f"line {n} with the {name} '{clean(cell)}'", f"from {low:g} to {high:g}"))
    if not found and lines[0][2:7] != lines[1][2:7]:
        found.append(("", f"the satellites {lines[0][2:7]} and {lines[1][2:7]}", "two lines of one satellite"))
    if not found and float(lines[1][52:63]) == 0.0:
        found.append(("", "line 2 with the mean motion 0", "over 0"))
    return "\n".join(lines), found


def omm(fields: Mapping[str, Any]) -> tuple[str, list[Problem]]:
    """The fields as JSON, and what is wrong with them."""
    found: list[Problem] = []
    for name, value in fields.items():
        if name not in OMM_KNOWN and not name.startswith("USER_DEFINED_"):
            allowed = one_of(name, OMM_KNOWN, "a field of an OMM")
            found.append((name, f"the unknown field '{clean(name)[:40]}'", allowed))
        elif name in _ONLY and str(value).upper() not in _ONLY[name]:
            found.append((name, f"'{clean(str(value))[:40]}'", " or ".join(_ONLY[name])))
        elif name in _OMM_NUMBERS:
            low, high = _OMM_NUMBERS[name]
            try:
                number = float(value)
            except (TypeError, ValueError, OverflowError):
                number = math.nan
            if not low <= number <= high:
                found.append((name, f"'{clean(str(value))[:40]}'", f"from {low:g} to {high:g}"))
    missing = [name for name in OMM_NEEDED if name not in fields]
    if missing:
        found.append(("", f"no {', '.join(missing)}", f"a message with {', '.join(OMM_NEEDED)}"))
    if "EPOCH" in fields:
        text = str(fields["EPOCH"])
        try:
            right = _EPOCH.match(text) is not None and bool(datetime.fromisoformat(text[:19]))
        except ValueError:
            right = False
        if not right:
            found.append(("EPOCH", f"'{clean(text)[:40]}'", "a UTC time such as 2020-05-12T04:05:06.123456"))
    if "NORAD_CAT_ID" in fields and not re.fullmatch(r"[0-9]{1,9}", str(fields["NORAD_CAT_ID"])):
        found.append(("NORAD_CAT_ID", f"'{clean(str(fields['NORAD_CAT_ID']))[:40]}'", "a number of up to nine digits"))
    return json.dumps(dict(sorted(fields.items()))), found
