"""Steered flight against DOP853 with the laws written by their definitions, and against the boost program."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tocsin.dynamics import ascent as a
from tocsin.dynamics import kernels as k
from tocsin.dynamics.thrust import fly_boost
from tocsin.earth import wgs84
from tocsin.earth.frames import OMEGA_GMST, to_eci

LAT, LON, H, THETA = 0.5, -1.4, 20.0, 2.1
BETA = 30_000.0
AXES = a.site_axes(LAT, THETA + LON, 0.8)
# up, a turn, along the air's stream, a pause, and the tangent law over either horizon
PIECES = np.array([
    (0.0, 10.0, 0.0, 13.1, 2950.0, a.ALONG_ELEVATION, math.pi / 2, 0.0),
    (10.0, 50.0, 0.0, 13.1, 2950.0, a.ALONG_ELEVATION, math.pi / 2, -0.006),
    (50.0, 150.0, 0.0, 13.1, 2950.0, a.ALONG_AIRSPEED, 0.0, 0.0),
    (150.0, 160.0, 0.0, 0.0, 1.0, a.ALONG_TANGENT, 0.0, 0.0),
    (160.0, 400.0, 160.0, 8.0, 3400.0, a.ALONG_TANGENT, 0.6, -0.0022),
    (400.0, 500.0, 160.0, 8.0, 3400.0, a.ALONG_HORIZON, 0.1, -0.001),
])  # fmt: skip
TRUNCATION_M = 0.02  # of steps of half a second


def fly(pieces, x6, step_s=0.5):
    out = np.empty((a.program_rows(pieces, step_s), 10))
    used = a.fly_program(pieces, np.tile(AXES, (len(pieces), 1)), x6, BETA, step_s, out)
    assert used
    return out[:used]


def rest():
    return a.at_rest(LAT, THETA + LON, H)


def test_site_axes_and_rest():
    """East, north and up, and the turning Earth, by the frames."""
    enu = to_eci(wgs84.enu_axes(LAT, LON), THETA)
    np.testing.assert_allclose(AXES[:3], math.sin(0.8) * enu[0] + math.cos(0.8) * enu[1], atol=1e-15)
    np.testing.assert_allclose(AXES[3:], enu[2], atol=1e-15)
    place = wgs84.geodetic_to_ecef([LAT, LON, H])
    np.testing.assert_allclose(rest(), to_eci(np.concatenate([place, np.zeros(3)]), THETA), atol=1e-8)


def reference(state):
    """The end of ``PIECES`` by DOP853."""

    def rate(tau, s, piece):
        start, _, ignition, thrust, exhaust, law, p, q = piece
        r, v = s[:3], s[3:]
        out = np.array(k.free_acceleration(*s, BETA))
        if thrust:
            f = thrust / (1 - thrust * (tau - ignition) / exhaust)
            angle = p + q * (tau - start)
            forward, up = AXES[:3], AXES[3:]
            if law == a.ALONG_HORIZON:
                up = r / np.linalg.norm(r)
                ahead = v - (v @ up) * up
                forward = ahead / np.linalg.norm(ahead)
            if law == a.ALONG_AIRSPEED:
                wind = v - np.cross([0, 0, OMEGA_GMST], r)
                along = wind / np.linalg.norm(wind)
            else:
                el = angle if law == a.ALONG_ELEVATION else math.atan(angle)
                along = math.cos(el) * forward + math.sin(el) * up
            out = out + f * along
        return np.concatenate([v, out])

    for piece in PIECES:
        state = solve_ivp(
            rate, piece[:2], state, "DOP853", rtol=1e-10, atol=1e-6, args=(piece,), max_step=5.0
        ).y[:, -1]  # fmt: skip
    return state


def test_laws_of_direction():
    ours = fly(PIECES, rest())[-1, 1:7]
    theirs = reference(rest())
    assert np.linalg.norm(ours[:3] - theirs[:3]) < TRUNCATION_M
    assert np.linalg.norm(ours[3:] - theirs[3:]) < TRUNCATION_M


def test_same_as_the_boost_program():
    """What ``fly_boost`` flies is one of the programs."""
    el = 0.7
    stages = np.array([(0.0, 120.0, 14.0, 2700.0), (125.0, 80.0, 12.0, 3000.0)])
    theirs = np.empty((2000, 10))
    used = fly_boost(stages, 8.0, 30.0, BETA, el, 0.8, math.inf, LAT, LON, H, 0.0, THETA, 1.0, theirs)
    one, two = (0.0, 14.0, 2700.0), (125.0, 12.0, 3000.0)
    turn = (el - math.pi / 2) / 30.0
    pieces = np.array([
        (0.0, 8.0, *one, a.ALONG_ELEVATION, math.pi / 2, 0.0),
        (8.0, 38.0, *one, a.ALONG_ELEVATION, math.pi / 2, turn),
        (38.0, 120.0, *one, a.ALONG_ELEVATION, el, 0.0),
        (120.0, 125.0, 0.0, 0.0, 1.0, a.ALONG_ELEVATION, 0.0, 0.0),
        (125.0, 205.0, *two, a.ALONG_ELEVATION, el, 0.0),
    ])  # fmt: skip
    ours = fly(pieces, rest(), 1.0)
    assert len(ours) == used
    np.testing.assert_allclose(ours, theirs[:used], rtol=0, atol=1e-6)


def test_without_thrust_it_is_free_flight():
    state = fly(PIECES, rest())[-1, 1:7].copy()
    coast = np.array([(500.0, 580.0, 0.0, 0.0, 1.0, a.ALONG_HORIZON, 0.3, 0.0)])
    there = np.empty(6)
    k.coast_to(state, 500.0, 580.0, 0.0, BETA, there)
    np.testing.assert_allclose(fly(coast, state, 2.0)[-1, 1:7], there, atol=1e-2)


def test_nodes_join_within_a_metre():
    """The quintic between steps of a second against steps of a tenth; times stand twice where pieces meet."""
    coarse, fine = fly(PIECES, rest(), 1.0), fly(PIECES, rest(), 0.1)
    assert np.sum(np.diff(coarse[:, 0]) == 0.0) == len(PIECES) - 1
    out = np.empty(6)
    for row in fine[3::37]:
        assert k.state_at(coarse, 0, len(coarse), row[0], out)
        assert np.linalg.norm(out[:3] - row[1:4]) < 1.0


@pytest.mark.parametrize("step", [0.3, 1.0, 7.0])
def test_rows_suffice_and_one_less_is_told(step):
    rows = a.program_rows(PIECES, step)
    out = np.empty((rows, 10))
    used = a.fly_program(PIECES, np.tile(AXES, (len(PIECES), 1)), rest(), BETA, step, out)
    assert 0 < used <= rows
    assert a.fly_program(PIECES, np.tile(AXES, (len(PIECES), 1)), rest(), BETA, step, np.empty((used - 1, 10))) == 0
