"""The Sun's direction against erfa's Earth ephemeris in the axes of eci; its height and lines by what they mean."""

import math
import warnings

import erfa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.earth.clock import parse_utc
from tocsin.earth.sun import (
    AU,
    SUNRISE_HEIGHT,
    sun_direction_ecef,
    sun_direction_eci,
    sun_heights,
    sun_line,
    sun_positions,
)

DAY_NS = 86_400_000_000_000


def erfa_sun(unix_ns):
    """Apparent direction in TEME, and distance in au: aberration, precession and nutation by erfa."""
    day, rest = divmod(unix_ns, DAY_NS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # leap seconds of the future are not known
        tt = erfa.taitt(*erfa.utctai(2440587.5 + day, rest / DAY_NS))
    heliocentric, barycentric = erfa.epv00(*tt)
    away = -heliocentric["p"] / np.linalg.norm(heliocentric["p"])
    away = away + barycentric["v"] / 173.1446327  # au a day of light
    away = erfa.pnm80(*tt) @ (away / np.linalg.norm(away))
    return erfa.rz(erfa.eqeq94(*tt), np.eye(3)) @ away, np.linalg.norm(heliocentric["p"])


@pytest.mark.parametrize("year", [1950, 1960, 1983, 1995, 2017, 2040, 2070, 2099])
def test_it_agrees_with_erfa_through_the_year(year):
    for month in range(1, 13):
        unix_ns = parse_utc(f"{year}-{month:02d}-25T20:15:00Z")
        ours = sun_direction_eci(unix_ns)
        theirs, distance = erfa_sun(unix_ns)
        assert np.linalg.norm(ours) == pytest.approx(1.0, abs=1e-15)
        assert np.degrees(np.linalg.norm(ours - theirs)) < 0.01
        assert np.linalg.norm(sun_positions(unix_ns)[0]) / AU == pytest.approx(distance, abs=1e-4)


def test_many_times_are_one_time_each():
    times = np.arange(5) * DAY_NS * 40
    together = sun_positions(times)
    assert all(np.array_equal(together[k], sun_positions(int(times[k]))[0]) for k in range(5))


def test_the_equinox_and_the_solstice_of_2022():
    """20 March 15:33 and 21 June 09:14 UTC, as published."""
    assert np.degrees(np.arcsin(sun_direction_eci(parse_utc("2022-03-20T15:33Z"))[2])) == pytest.approx(0, abs=0.005)
    assert np.degrees(np.arcsin(sun_direction_eci(parse_utc("2022-06-21T09:14Z"))[2])) == pytest.approx(
        23.4382, abs=0.002
    )


def test_over_montana_in_1983():
    """40 degrees up at 20:15 UTC on 25 September 1983."""
    height = sun_heights(math.radians(47.5), math.radians(-111.2), parse_utc("1983-09-25T20:15Z"))
    assert math.degrees(height) == pytest.approx(40, abs=1)


def test_the_height_agrees_with_erfa_at_a_place():
    unix_ns = parse_utc("2017-08-28T20:58:00Z")
    day, rest = divmod(unix_ns, DAY_NS)
    x = erfa.rz(erfa.gmst82(2440587.5 + day, rest / DAY_NS), np.eye(3)) @ erfa_sun(unix_ns)[0]
    assert np.degrees(np.linalg.norm(sun_direction_ecef(unix_ns) - x)) < 0.01
    for lat, lon in ((0.6, 2.4), (-1.2, 0.1), (math.pi / 2, 0.0)):
        up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        assert sun_heights(lat, lon, unix_ns) == pytest.approx(math.asin(up @ x), abs=math.radians(0.01))


@given(st.integers(-600_000_000, 4_000_000_000), st.sampled_from([SUNRISE_HEIGHT, 0.0, -0.1, -0.31, 0.5]))
def test_on_the_line_the_sun_has_that_height(second, height):
    unix_ns = second * 1_000_000_000
    line = sun_line(unix_ns, height, 91)
    assert np.abs(sun_heights(line.lat, line.lon, unix_ns) - height).max() < 1e-7
    assert (line.lat[0], line.lon[0]) == (line.lat[-1], line.lon[-1])
    # a minute later the Sun is higher where it rises, but where it stands due north or south
    later = sun_heights(line.lat, line.lon, unix_ns + 60_000_000_000) - height
    clear = np.abs(later) > 2e-5
    assert clear.sum() > 60
    assert np.array_equal(later[clear] > 0, line.rising[clear])


def test_day_on_the_equator_at_an_equinox_is_longer_than_night():
    """Almanacs have 12 h 06.7 min: 4 min for every degree of 2 x 50'."""
    start = parse_utc("2022-03-20T00:00:00Z")
    heights = np.array([sun_heights(0.0, 0.0, start + k * 15_000_000_000) for k in range(5760)])
    assert (heights > SUNRISE_HEIGHT).sum() * 15 / 60 == pytest.approx(726.7, abs=0.5)


@pytest.mark.parametrize(("height", "n"), [(2.0, 361), (0.0, 3)])
def test_lines_that_cannot_be(height, n):
    with pytest.raises(ValueError, match="a height within 90 deg and 4 points"):
        sun_line(0, height, n)
