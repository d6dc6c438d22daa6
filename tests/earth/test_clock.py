"""The clock: ISO times at the edges, whole nanoseconds inside."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.earth import clock

YEAR_1000 = int(datetime(1000, 1, 1, tzinfo=UTC).timestamp()) * clock.NS
YEAR_9999 = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) * clock.NS


@given(st.integers(YEAR_1000, YEAR_9999))
def test_nanoseconds_survive_the_text(unix_ns):
    assert clock.parse_utc(clock.format_utc(unix_ns, 9)) == unix_ns


@given(st.integers(YEAR_1000, YEAR_9999), st.integers(0, 9))
def test_rounding_is_to_the_nearest(unix_ns, digits):
    off = clock.parse_utc(clock.format_utc(unix_ns, digits)) - unix_ns
    assert abs(off) <= 10 ** (9 - digits) // 2
    assert 2 * off != -(10 ** (9 - digits))  # half goes up


@given(st.datetimes(datetime(1000, 1, 1), datetime(9998, 1, 1)))  # noqa: DTZ001 - hypothesis wants them without a zone
def test_agrees_with_the_standard_library(moment):
    text = moment.isoformat() + "Z"
    delta = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert clock.parse_utc(text) == ((delta.days * 86400 + delta.seconds) * 10**6 + delta.microseconds) * 1000


def test_known_times():
    assert clock.parse_utc("1970-01-01T00:00:00Z") == 0
    assert clock.parse_utc("2017-08-28T20:58Z") == 1503953880 * clock.NS
    assert clock.parse_utc("2017-08-28T20:58:00.000000001Z") == 1503953880 * clock.NS + 1
    assert clock.format_utc(1503953880 * clock.NS) == "2017-08-28T20:58:00.000Z"
    assert clock.format_utc(1503953880 * clock.NS, 0) == "2017-08-28T20:58:00Z"
    assert clock.format_utc(1503953879_999_999_999) == "2017-08-28T20:58:00.000Z"


@pytest.mark.parametrize(
    "text", ["", "now", "2017-08-28", "2017-08-28T20:58:00", "2017-08-28T20:58:00+09:00", "2017-08-28 20:58:00Z",
             "2017-13-01T00:00:00Z", "2017-02-29T00:00:00Z", "2017-08-28T24:01:00Z", "2017-08-28T20:60:00Z",
             "2017-08-28T20:58:00.1234567890Z", "2017-08-28T20:58:00.Z"],
)  # fmt: skip
def test_anything_else_is_refused_by_name(text):
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        clock.parse_utc(text)


@given(st.integers(-(10**12), 10**12))
def test_seconds_and_back_over_eleven_days(microseconds):
    assert clock.to_ns(clock.to_s(microseconds * 1000)) == microseconds * 1000


@given(st.integers(0, 10**16))
def test_scenario_time_and_back(t_ns):
    epoch = clock.Epoch.at("1995-01-25T06:24:00Z")
    assert epoch.t_ns(epoch.utc(t_ns, 9)) == t_ns
