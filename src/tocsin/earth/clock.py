"""Time: UTC at the edges, int64 nanoseconds since the scenario's epoch inside.

Leap seconds: UTC labels are mapped day by day (86,400 s each); a scenario that spans a leap second would be off by it.
The last one was on 31 December 2016, and none is announced.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

NS = 1_000_000_000
_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_utc(text: str) -> int:
    """Nanoseconds since 1970-01-01T00:00:00Z of an ISO 8601 time that ends in ``Z``.

    Raises ValueError with what is allowed if ``text`` is anything else.
    """
    if not _ISO.fullmatch(text):
        raise ValueError(f"{text!r} is not a UTC time such as 2017-08-28T20:58:00Z")
    body, _, fraction = text[:-1].partition(".")
    if body.count(":") == 1:
        body += ":00"
    try:
        whole = datetime.fromisoformat(body).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a UTC time: {error}") from None
    return (whole - _EPOCH) // timedelta(seconds=1) * NS + int((fraction + "000000000")[:9] or 0)


def format_utc(unix_ns: int, digits: int = 3) -> str:
    """ISO 8601 with ``Z`` and ``digits`` decimals (0 to 9), rounded half up."""
    step = 10 ** (9 - digits)
    rounded = (unix_ns + step // 2) // step * step
    seconds, rest = divmod(rounded, NS)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest // step:0{digits}d}Z" if digits else f"{text}Z"


def to_ns(seconds: float) -> int:
    """Seconds to whole nanoseconds, half to even."""
    return round(seconds * 1e9)


def to_s(ns: int) -> float:
    """Nanoseconds to seconds as a float, for use within one kernel call."""
    return ns / 1e9


@dataclass(frozen=True)
class Epoch:
    """The zero of a scenario's clock.

    ``unix_ns``: UTC of the epoch; ``theta0``: Greenwich mean sidereal time there (rad), which fixes ``eci`` (see
    ``frames``).
    """

    unix_ns: int
    theta0: float

    @classmethod
    def at(cls, utc: str, dut1_s: float = 0.0) -> Epoch:
        """The epoch at an ISO time; ``dut1_s`` is UT1 - UTC (published by the IERS)."""
        from tocsin.earth.frames import gmst82

        unix_ns = parse_utc(utc)
        return cls(unix_ns, gmst82(unix_ns, dut1_s))

    def utc(self, t_ns: int, digits: int = 3) -> str:
        """ISO time of a scenario time."""
        return format_utc(self.unix_ns + t_ns, digits)

    def t_ns(self, utc: str) -> int:
        """Scenario time of an ISO time."""
        return parse_utc(utc) - self.unix_ns
