"""Times as a scenario file writes them: UTC (``2017-08-28T20:58:00Z``), since the epoch (``T+04:30``, ``T+4min``),
durations (``20 min``).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

NS = 1_000_000_000
UTC_FORM = "a UTC time such as 2017-08-28T20:58:00Z"
MOMENT_FORM = "T+MM:SS, T+HH:MM:SS, T+4min, T+90s or " + UTC_FORM
DURATION_FORM = "a duration such as 20 min, 90 s, 1.5 h or 1 h 30 min"

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?Z\Z", re.ASCII)
_CLOCK = re.compile(r"T\+(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,9})?)\Z", re.ASCII)
_SINCE = re.compile(r"T\+\s?(\d{1,7}(?:\.\d{1,9})?)\s?(s|min|h)?\Z", re.ASCII)
_PARTS = re.compile(r"(?:\d{1,7}(?:\.\d{1,9})?\s?(?:s|min|h)(?:\s|\Z))+\Z", re.ASCII)
_UNIT = {"s": 1, "min": 60, "h": 3600, None: 1}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ns(number: str, unit: str | None) -> int:
    """Exact: decimals never pass through a float."""
    whole, _, fraction = number.partition(".")
    return (int(whole) * NS + int((fraction + "000000000")[:9])) * _UNIT[unit]


def unix_ns(text: str) -> int:
    """Nanoseconds since 1970 of a UTC time that ends in ``Z``; ValueError for anything else."""
    if not _ISO.match(text):
        raise ValueError(UTC_FORM)
    body, _, fraction = text[:-1].partition(".")
    try:
        whole = datetime.fromisoformat(body).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{UTC_FORM} ({error})") from None
    return (whole - _EPOCH) // timedelta(seconds=1) * NS + int((fraction + "000000000")[:9])


def moment_ns(text: str, start_unix_ns: int) -> int:
    """Nanoseconds since the epoch of a moment, which may be given in UTC; ValueError for anything else."""
    clock = _CLOCK.match(text)
    if clock:
        hours, minutes, seconds = clock.groups()
        if float(seconds) >= 60 or (hours is not None and int(minutes) >= 60):
            raise ValueError(MOMENT_FORM)
        return int(hours or 0) * 3600 * NS + int(minutes) * 60 * NS + _ns(seconds, "s")
    since = _SINCE.match(text)
    if since:
        return _ns(since.group(1), since.group(2))
    if _ISO.match(text):
        return unix_ns(text) - start_unix_ns
    raise ValueError(MOMENT_FORM)


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration; ValueError for anything else."""
    if len(text) > 80 or not _PARTS.match(text):
        raise ValueError(DURATION_FORM)
    parts = re.findall(r"(\d{1,7}(?:\.\d{1,9})?)\s?(s|min|h)(?=\s|\Z)", text, re.ASCII)
    return sum(_ns(number, unit) for number, unit in parts)
