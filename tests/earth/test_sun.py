"""The Sun's direction against erfa's Earth ephemeris, aberration and precession included."""

import erfa
import numpy as np
import pytest

from tocsin.earth.clock import parse_utc
from tocsin.earth.sun import sun_direction_eci

ALMANAC = np.radians(0.01 + 0.005)  # what the formulas promise, and nutation


def erfa_sun(unix_ns):
    jd1, jd2 = 2440587.5, unix_ns / 86.4e12
    heliocentric, barycentric = erfa.epv00(jd1, jd2)
    away = -heliocentric["p"] / np.linalg.norm(heliocentric["p"])
    away = away + barycentric["v"] / 173.1446327  # au a day of light
    mean_of_date = erfa.pmat06(jd1, jd2) @ away
    return mean_of_date / np.linalg.norm(mean_of_date)


@pytest.mark.parametrize("year", [1960, 1983, 1995, 2017, 2040])
def test_it_agrees_with_erfa_through_the_year(year):
    for month in range(1, 13):
        unix_ns = parse_utc(f"{year}-{month:02d}-25T20:15:00Z")
        ours = sun_direction_eci(unix_ns)
        assert np.linalg.norm(ours) == pytest.approx(1.0, abs=1e-15)
        assert np.arccos(np.clip(ours @ erfa_sun(unix_ns), -1, 1)) < ALMANAC
