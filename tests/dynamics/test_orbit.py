"""Orbits: Kepler's equation, published nodal and apsidal rates, and a numerical integration with J2."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dynamics.coast import propagate
from tocsin.dynamics.orbit import drifts, geo_slot, high_ellipse, kepler, orbit_states, repeating_axis, shell
from tocsin.earth import wgs84
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.scenario import catalogue
from tocsin.scenario.specs import Orbit

DAY_NS = 86_400_000_000_000
GEO = Orbit(42_164_170.0, 0.0002, 0.01, 0.3, 0.2, 0.1)
MOLNIYA = Orbit(26_600e3, 0.72, math.radians(63.4), 1.0, math.radians(280), 0.5)
LOW = Orbit(7_378e3, 0.001, math.radians(81.0), 2.0, 0.4, 0.0)


@given(st.floats(-50, 50), st.floats(0, 0.99))
def test_kepler_is_solved(m, e):
    x = kepler(m, e)
    assert math.remainder(x - e * math.sin(x) - m, 2 * math.pi) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("orbit", [GEO, MOLNIYA, LOW])
def test_the_velocity_is_the_derivative_of_the_position(orbit):
    for t in (0, 12_345_000_000_000):
        step = 1_000_000_000
        a, b, x, c, d = orbit_states(orbit, [t - 2 * step, t - step, t, t + step, t + 2 * step])
        derivative = (a - 8 * b + 8 * c - d)[:3] / 12.0
        assert x[3:] == pytest.approx(derivative, abs=1e-4)


def elements(x):
    """Node and argument of perigee (rad) of a state, osculating."""
    r, v = x[:3], x[3:]
    h = np.cross(r, v)
    e = np.cross(v, h) / wgs84.MU - r / np.linalg.norm(r)
    node = np.array([-h[1], h[0], 0.0])
    return math.atan2(node[1], node[0]), math.atan2(
        e @ np.cross(h / np.linalg.norm(h), node) / np.linalg.norm(node), e @ node / np.linalg.norm(node)
    )


def test_a_sun_synchronous_node_follows_the_sun():
    """Landsat's orbit, 705 km and 98.2 degrees, moves 0.9856 degrees a day."""
    orbit = Orbit(7_077.8e3, 0.0001, math.radians(98.2), 0.0, 0.0, 0.0)
    x = orbit_states(orbit, [0, DAY_NS])
    nodes = [math.atan2(h[0], -h[1]) for h in np.cross(x[:, :3], x[:, 3:])]
    assert math.degrees(nodes[1] - nodes[0]) == pytest.approx(0.9856, abs=0.01)


def test_the_critical_inclination_holds_the_perigee():
    frozen = Orbit(26_600e3, 0.72, math.acos(math.sqrt(0.2)), 0.0, 4.9, 0.0)
    rates = []
    for orbit in (frozen, Orbit(26_600e3, 0.72, math.radians(50), 0.0, 4.9, 0.0)):
        x = orbit_states(orbit, [0, 30 * DAY_NS])
        rates.append(math.remainder(elements(x[1])[1] - elements(x[0])[1], 2 * math.pi))
    assert abs(rates[0]) < 1e-3
    assert abs(rates[1]) > 0.05


@pytest.mark.parametrize("orbit", [MOLNIYA, LOW])
def test_the_drift_of_the_node_is_that_of_an_integration(orbit):
    turns = 10
    period_ns = int(2 * math.pi * math.sqrt(orbit.a**3 / wgs84.MU) * 1e9)
    start = orbit_states(orbit, [0])
    true = propagate(start, 0, turns * period_ns, 0.0)[0]
    ours = orbit_states(orbit, [turns * period_ns])[0]
    moved, expected = (math.remainder(elements(x)[0] - elements(start[0])[0], 2 * math.pi) for x in (ours, true))
    assert moved == pytest.approx(expected, rel=0.03)
    assert abs(moved) > 1e-3


def test_a_day_of_a_geostationary_satellite():
    x = orbit_states(GEO, np.arange(24) * 3600 * 10**9)
    assert np.linalg.norm(x[:, :3], axis=1) == pytest.approx(GEO.a, rel=3e-4)
    assert np.linalg.norm(x[:, 3:], axis=1) == pytest.approx(3074.7, rel=1e-3)


def test_what_is_no_ellipse_is_refused():
    with pytest.raises(ValueError, match=r"0 <= e < 1, found a = 7000000\.0, e = 1\.2"):
        orbit_states(Orbit(7e6, 1.2, 0.0, 0.0, 0.0, 0.0), [0])


THETA0 = 1.2345


def ground(orbit, t_ns):
    x = orbit_states(orbit, t_ns)
    theta = THETA0 + OMEGA_GMST * np.asarray(t_ns) / 1e9
    return ecef_to_geodetic(to_ecef(x[:, :3], theta))


@pytest.mark.parametrize("longitude", [-2.9, 0.0, 1.5])
def test_a_slot_stays_over_its_place(longitude):
    orbit = geo_slot(longitude, THETA0)
    place = ground(orbit, np.arange(0, 30) * DAY_NS)
    assert np.abs(np.remainder(place[:, 1] - longitude + np.pi, 2 * np.pi) - np.pi).max() < 1e-9
    assert np.abs(place[:, 0]).max() < 1e-12
    assert place[0, 2] == pytest.approx(35_786e3, abs=3e3)  # as published; mean elements are 2 km off it


def test_an_inclined_slot_draws_the_figure_of_eight():
    tilt = math.radians(6.0)
    place = ground(geo_slot(0.4, THETA0, tilt), np.arange(0, DAY_NS, DAY_NS // 400))
    assert place[0, :2] == pytest.approx([0.0, 0.4], abs=1e-9)
    assert place[1, 0] > 0.0
    assert math.degrees(place[:, 0].max()) == pytest.approx(6.0, abs=0.05)
    # half the width is about i^2/4: 0.157 deg
    assert math.degrees(np.abs(place[:, 1] - 0.4).max()) == pytest.approx(math.degrees(tilt**2 / 4), abs=0.01)


def test_the_slot_agrees_with_the_catalogue_of_sensors():
    values = {"orbit": "geo", "longitude_deg": 20.0, "inclination_deg": 0.0}
    theirs = catalogue.orbit(values, 0, lambda _: THETA0)
    ours = geo_slot(math.radians(20.0), THETA0)
    assert ours.a == pytest.approx(theirs.a, abs=1.0)
    assert ours.raan == pytest.approx(theirs.raan)


@pytest.mark.parametrize(
    ("turns", "perigee", "hours"), [(2, 600e3, 11.967), (2, 1650e3, 11.967), (1, 24_000e3, 23.934)]
)
def test_a_high_ellipse_is_where_and_when_it_is_asked(turns, perigee, hours):
    i, apogee_ns = math.radians(63.4), 4_000_000_000_000
    orbit = high_ellipse(turns, perigee, i, math.radians(270), math.radians(100), apogee_ns, THETA0)
    at = ground(orbit, [apogee_ns])[0]
    assert math.degrees(at[1]) == pytest.approx(100.0, abs=1e-6)
    assert math.degrees(at[0]) == pytest.approx(63.4, abs=0.2)  # geodetic, over the geocentric
    around = ground(orbit, apogee_ns + np.array([-600, 0, 600]) * 1_000_000_000)[:, 2]
    assert around[1] > around[0]
    assert around[1] > around[2]
    assert orbit.a * (1 - orbit.e) - wgs84.A == pytest.approx(perigee, abs=1e-3)
    assert 2 * math.pi * math.sqrt(orbit.a**3 / wgs84.MU) / 3600 == pytest.approx(hours, abs=0.02)
    # a nodal day later everything stands where it stood, over the same ground
    node, _, _ = drifts(orbit.a, orbit.e, orbit.i)
    day = round(2 * math.pi / (OMEGA_GMST - node) * 1e9)
    again = ground(orbit, [apogee_ns + 30 * day])[0]
    assert again[:2] == pytest.approx(at[:2], abs=1e-3)  # the perigee turns a little: 63.4 is not quite critical


def test_the_oko_period_and_apogee():
    """600 x 39,700 km in 718 minutes, as published of the Oko satellites."""
    orbit = high_ellipse(2, 600e3, math.radians(63.0), math.radians(315), 0.0, 0, THETA0)
    assert orbit.a * (1 + orbit.e) - wgs84.A == pytest.approx(39_700e3, rel=0.01)
    assert 2 * math.pi * math.sqrt(orbit.a**3 / wgs84.MU) / 60 == pytest.approx(718, abs=1.5)


def test_a_shell_is_walkers_pattern():
    orbits = shell(1000e3, math.radians(80), 28, 4, 2)
    assert len(orbits) == 28
    nodes = sorted({round(math.degrees(o.raan), 9) for o in orbits})
    assert nodes == [0.0, 90.0, 180.0, 270.0]
    first = [math.degrees(o.m0) for o in orbits[:7]]
    assert np.diff(first) == pytest.approx(360 / 7)
    assert math.degrees(orbits[7].m0) == pytest.approx(2 * 360 / 28)
    star = shell(780e3, math.radians(86.4), 66, 6, 2, math.pi)
    assert math.degrees(star[11].raan) == pytest.approx(30.0)
    assert star[0].a == wgs84.A + 780e3


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: shell(1e6, 1.0, 28, 5), "28 satellites in 5 planes"),
        (lambda: shell(1e6, 1.0, 28, 4, 4), "phasing lies from 0 to planes - 1"),
        (lambda: shell(-1.0, 1.0, 28, 4), "the height is above 0"),
        (lambda: repeating_axis(0, lambda _: 0.0, 0.0), "at least 1, found 0"),
        (lambda: high_ellipse(2, 40_000e3, 1.1, 4.7, 0.0, 0, 0.0), "perigee 40000 km does not go with 2 turns"),
        (lambda: high_ellipse(0, 600e3, 1.1, 4.7, 0.0, 0, 0.0), "at least 1, found 0"),
    ],
)
def test_what_cannot_be_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
