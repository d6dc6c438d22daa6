"""Orbits: Kepler's equation, published nodal and apsidal rates, and a numerical integration with J2."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dynamics.coast import propagate
from tocsin.dynamics.orbit import kepler, orbit_states
from tocsin.earth import wgs84
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
