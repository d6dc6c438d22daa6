"""Lambert's problem, answered by flights whose beginning is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.dynamics.kernels import coast_to
from tocsin.dynamics.lambert import lambert
from tocsin.earth.wgs84 import MU, A


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-1.4, 1.4), st.floats(0.0, 6.28), st.floats(1500.0, 7200.0), st.floats(0.15, 1.5), st.floats(0.2, 0.95)
)
def test_the_flight_that_made_the_ends_is_found(lat, azimuth, speed, elevation, part):
    up = np.array([math.cos(lat), 0.0, math.sin(lat)])
    east = np.array([0.0, 1.0, 0.0])
    north = np.cross(up, east)
    level = math.sin(azimuth) * east + math.cos(azimuth) * north
    x0 = np.concatenate([up * (A + 120e3), speed * (math.cos(elevation) * level + math.sin(elevation) * up)])
    duration = part * 2.0 * speed * math.sin(elevation) / 9.8  # of a flat Earth: still in flight
    end = np.empty(6)
    coast_to(x0, 0.0, duration, 0.0, -1.0, end)
    found = np.empty(6)
    assert lambert(x0[:3].copy(), end[:3].copy(), 0.0, duration, 0.0, found)
    again = np.empty(6)
    coast_to(found, 0.0, duration, 0.0, -1.0, again)
    assert np.linalg.norm(again[:3] - end[:3]) < 1.0  # m, what it promises
    assert np.linalg.norm(found[3:] - x0[3:]) < 1e3 / duration  # m/s; J2 and a metre at the end


def test_a_quarter_of_a_circle_about_a_point():
    # Kepler: a quarter of a circular orbit; J2 shifts it by about 1e-3
    r = A + 1e6
    v = math.sqrt(MU / r)
    x = np.empty(6)
    assert lambert(np.array([r, 0.0, 0.0]), np.array([0.0, r, 0.0]), 0.0, 0.5 * math.pi * r / v, 0.0, x)
    assert x[3:] == pytest.approx([0.0, v, 0.0], abs=2e-3 * v)


def test_where_there_is_no_answer_it_says_so():
    a = np.array([A, 0.0, 0.0])
    x = np.empty(6)
    assert not lambert(a, -a, 0.0, 1800.0, 0.0, x)
    assert not lambert(a, np.array([0.0, A, 0.0]), 10.0, 10.0, 0.0, x)
