"""Motions without thrust against SciPy's integrator, the truth's own glider, closed forms and differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from tracking_scenes import THETA0, arc, gravity

from tocsin.dynamics.glide import GLIDE as GLIDING
from tocsin.dynamics.glide import glide_forces
from tocsin.earth.atmosphere import density, density_and_slope
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.tracking.belief import BETA, GLIDE_BETA, GLIDE_LIFT, Q_COAST, Q_ORBIT, believe
from tocsin.tracking.models import AIRCRAFT, COAST, GLIDE, ORBIT, REENTRY, USED
from tocsin.tracking.motions import ROOM, fall_step, fly, fly_step, forces

PAR = believe(()).parameters
OMEGA = np.array([0.0, 0.0, OMEGA_GMST])
LN_BETA = math.log(PAR[BETA])


def state(height, east, north, up, lat=0.7, lon=0.3, slots=()):
    """Position at a place, velocity over the ground in its local axes, slots; eci (sidereal angle zero)."""
    axes = enu_axes(lat, lon)
    p = geodetic_to_ecef([lat, lon, height])
    v = east * axes[0] + north * axes[1] + up * axes[2] + np.cross(OMEGA, p)
    x = np.zeros(10)
    x[:6] = np.r_[p, v]
    x[6 : 6 + len(slots)] = slots
    return x


CASES = [
    (REENTRY, state(30e3, 3000.0, 1000.0, -3000.0, slots=(LN_BETA,))),
    (REENTRY, state(100e3, 6000.0, 1000.0, -2000.0, lat=-1.2, slots=(LN_BETA + 0.5,))),
    (GLIDE, state(40e3, 4000.0, -2000.0, -100.0, slots=(PAR[GLIDE_BETA], 2.0, -0.8))),
    (GLIDE, state(25e3, 1000.0, 1000.0, -1500.0, lat=0.1, slots=(PAR[GLIDE_BETA] - 1.0, -1.5, 0.3))),
    (AIRCRAFT, state(10e3, 200.0, 120.0, 10.0, slots=(0.03,))),
    (AIRCRAFT, state(3e3, -180.0, 40.0, -15.0, lat=-0.9, slots=(-0.08,))),
]


@pytest.mark.parametrize("height", [-6e3, 3e3, 15e3, 30e3, 60e3, 80e3, 92e3, 260e3, 1.2e6])
def test_slope_of_the_air(height):
    rho, slope = density_and_slope(height)
    assert rho == density(height)
    d = 10.0
    if rho:
        assert slope == pytest.approx(math.log(density(height + d) / density(height - d)) / (2 * d), rel=1e-4)
    else:
        assert slope == 0.0


@pytest.mark.parametrize(("kind", "x"), CASES)
def test_derivatives_of_forces(kind, x):
    a, G, b, c = np.empty(3), np.empty((3, 9)), np.empty(3), np.empty(3)
    spare = np.empty((3, 9))
    forces(kind, x[:9].copy(), PAR, a, G, np.empty((3, 6)))
    step = np.array([10.0] * 3 + [0.1] * 3 + [1e-4] * 3)
    for j in range(USED[kind]):
        e = np.zeros(9)
        e[j] = step[j]
        forces(kind, x[:9] + e, PAR, b, spare, np.empty((3, 6)))
        forces(kind, x[:9] - e, PAR, c, spare, np.empty((3, 6)))
        fd = (b - c) / (2 * step[j])
        # the vertical stands in for the exact slope of the height: 2e-5 rad, and curvature over 10 m
        np.testing.assert_allclose(G[:, j], fd, atol=3e-4 * np.abs(fd).max() + 1e-12)


@pytest.mark.parametrize(("kind", "x"), CASES)
@pytest.mark.parametrize("dt", [2.0, 0.6, -0.8])
def test_steps_and_transition_matrices(kind, x, dt):
    n = USED[kind]
    room = np.empty(ROOM)
    out, F = np.empty(10), np.empty((10, 10))
    fly(kind, x, dt, n, PAR, out, F, room)
    a, G = np.empty(3), np.empty((3, 9))

    def rate(_, s):
        forces(kind, s, PAR, a, G, np.empty((3, 6)))
        return np.r_[s[3:6], a, 0.0, 0.0, 0.0]

    truth = solve_ivp(rate, (0.0, dt), x[:9], method="DOP853", rtol=1e-12, atol=1e-8).y[:6, -1]
    assert np.abs(out[:3] - truth[:3]).max() < 0.1
    assert np.abs(out[3:6] - truth[3:]).max() < 0.1
    up, down, spare = np.empty(10), np.empty(10), np.empty((10, 10))
    step = np.array([10.0] * 3 + [0.1] * 3 + [1e-3] * 4)
    for j in range(n):
        e = np.zeros(10)
        e[j] = step[j]
        fly(kind, x + e, dt, n, PAR, up, spare, room)
        fly(kind, x - e, dt, n, PAR, down, spare, room)
        fd = (up - down)[:n] / (2 * step[j])
        scale = np.where(np.arange(n) < 3, np.abs(fd[:3]).max(), np.abs(fd[3:]).max())
        assert (np.abs(F[:n, j] - fd) < 1e-3 * scale + 1e-9).all(), j


def test_a_fall_through_the_air_against_an_integrator_of_its_own():
    x = state(90e3, 4000.0, 2000.0, -3500.0, slots=(LN_BETA,))

    def rate(_, s):
        u = s[3:6] - np.cross(OMEGA, s[:3])
        h = ecef_to_geodetic(s[:3])[2]
        return np.r_[s[3:6], gravity(s[:3]) - 0.5 * density(h) * np.linalg.norm(u) / PAR[BETA] * u]

    truth = solve_ivp(rate, (0.0, 24.0), x[:6], method="DOP853", rtol=1e-11, atol=1e-6, max_step=0.1).y[:, -1]
    room, P, Q = np.empty(ROOM), np.zeros((10, 10)), np.empty((10, 10))
    out = np.empty(10)
    for _ in range(12):
        fly_step(REENTRY, x, P, 2.0, 7, PAR, out, Q, room)
        x = out.copy()
    assert 2e3 < ecef_to_geodetic(x[:3])[2] < 12e3
    assert np.linalg.norm(x[:3] - truth[:3]) < 1.0
    assert np.linalg.norm(x[3:6] - truth[3:]) < 0.5


def test_far_above_the_air_a_reentry_is_a_coast():
    x = state(200e3, 3000.0, 2000.0, 500.0, slots=(LN_BETA,))
    P = np.diag([1e4] * 3 + [1e2] * 3 + [1.0] + [0.0] * 3)
    room = np.empty(ROOM)
    a, b, Pa, Pb = np.empty(10), np.empty(10), np.empty((10, 10)), np.empty((10, 10))
    fly_step(REENTRY, x, P, 2.0, 7, PAR, a, Pa, room)
    fall_step(COAST, x, P, 0.0, 2.0, THETA0, PAR, b, Pb, np.empty((6, 6)), np.empty((6, 6)))
    np.testing.assert_allclose(a[:6], b[:6], atol=1e-3)
    np.testing.assert_allclose(Pa[:6, :6], Pb[:6, :6], atol=1e-4 * 1e4)


def test_the_glide_has_the_forces_of_the_glider():
    body = np.array([2.6, 13e3, 0.0, 25.0, 600.0])
    x = state(42e3, 5000.0, 1500.0, -40.0)
    for bank in (0.0, 0.5, -1.0):
        ax, ay, az, lift, drag, _, _, m = glide_forces(*x[:6], body, GLIDING, bank)
        # the same point of the polar as the filter's slots
        x[6] = math.log(2.0 * body[1] / (1.0 + m * m))
        x[7], x[8] = lift / drag * math.cos(bank), lift / drag * math.sin(bank)
        a, G = np.empty(3), np.empty((3, 9))
        assert forces(GLIDE, x[:9].copy(), PAR, a, G, np.empty((3, 6))) == pytest.approx(drag, rel=1e-9)
        np.testing.assert_allclose(a, (ax, ay, az), rtol=1e-9)


def test_an_aircraft_turns_in_a_circle_over_the_ground():
    speed, turn = 230.0, math.radians(3.0)
    x = state(10e3, 0.0, speed, 0.0, slots=(turn,))
    room, P, Q = np.empty(ROOM), np.zeros((10, 10)), np.empty((10, 10))
    out = np.empty(10)
    start = x.copy()
    for i in range(60):  # 120 s: once around
        x[6] = turn  # held: the model itself lets a turn fade
        fly_step(AIRCRAFT, x, P, 2.0, 7, PAR, out, Q, room)
        x = out.copy()
        lat, lon, h = ecef_to_geodetic(to_ecef(x[:6][None], np.array([OMEGA_GMST * 2.0 * (i + 1)]))[0, :3])
        assert abs(h - 10e3) < 5.0
        if i == 29:  # half a turn to the right: a diameter to the east
            far = (lon - 0.3) * math.cos(lat) * 6.39e6
            assert far == pytest.approx(2 * speed / turn, rel=0.01)
    there = to_ecef(x[:6][None], np.array([OMEGA_GMST * 120.0]))[0]
    assert np.linalg.norm(there[:3] - start[:3]) < 20.0
    ground = there[3:]
    assert np.linalg.norm(ground) == pytest.approx(speed, rel=1e-3)


def test_straight_flight_keeps_its_height_over_the_curved_earth():
    x = state(11e3, 170.0, 170.0, 0.0)
    room, P, Q = np.empty(ROOM), np.zeros((10, 10)), np.empty((10, 10))
    out = np.empty(10)
    for _ in range(300):
        fly_step(AIRCRAFT, x, P, 2.0, 7, PAR, out, Q, room)
        x = out.copy()
    at = ecef_to_geodetic(to_ecef(x[:6][None], np.array([OMEGA_GMST * 600.0]))[0, :3])
    assert abs(at[2] - 11e3) < 30.0


@pytest.mark.parametrize("dt", [1.0, 10.0, 60.0, 400.0, -1.0])
def test_free_fall_in_one_step_or_many(dt):
    flight = arc(20.0, 30.0, 300e3, 4000.0, 40.0, 30.0, 0.0, 400.0)
    x = np.zeros(10)
    x[:6] = flight(100.0 if dt < 0 else 0.0)
    P = np.diag([1e4] * 3 + [1e2] * 3 + [1.0] * 4)
    out, Po = np.empty(10), np.empty((10, 10))
    F, T = np.empty((6, 6)), np.empty((6, 6))
    t = 100.0 if dt < 0 else 0.0
    fall_step(COAST, x, P, t, t + dt, THETA0, PAR, out, Po, F, T)
    assert np.abs(out[:3] - flight(t + dt)[:3]).max() < 0.5
    assert not out[6:].any()
    assert not Po[6:].any()
    step = np.array([10.0] * 3 + [0.1] * 3)
    up, down, spare = np.empty(10), np.empty(10), np.empty((10, 10))
    derivative = F.copy()
    for j in range(6):
        e = np.zeros(10)
        e[j] = step[j]
        fall_step(COAST, x + e, P, t, t + dt, THETA0, PAR, up, spare, F, T)
        fall_step(COAST, x - e, P, t, t + dt, THETA0, PAR, down, spare, F, T)
        fd = (up - down)[:6] / (2 * step[j])
        scale = np.where(np.arange(6) < 3, np.abs(fd[:3]).max(), np.abs(fd[3:]).max())
        assert (np.abs(derivative[:, j] - fd) < 1e-5 * scale).all()


def test_noise_of_an_orbit_falls_with_distance():
    P = np.zeros((10, 10))
    Po, out, F, T = np.empty((10, 10)), np.empty(10), np.empty((6, 6)), np.empty((6, 6))
    for r, kind, q in (
        (7e6, COAST, PAR[Q_COAST]),
        (7e6, ORBIT, PAR[Q_ORBIT] * (6.378137 / 7.0) ** 8),
        (4.2e7, ORBIT, 0),
    ):
        x = np.r_[r, 0, 0, 0, math.sqrt(3.986e14 / r), 0, 0, 0, 0, 0]
        fall_step(kind, x, P, 0.0, 1.0, THETA0, PAR, out, Po, F, T)
        assert Po[4, 4] == pytest.approx(q, abs=1e-9, rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([REENTRY, GLIDE, AIRCRAFT]), st.floats(-3e3, 150e3), st.floats(-7e3, 7e3), st.floats(-7e3, 3e3),
    st.lists(st.floats(-30.0, 30.0), min_size=3, max_size=3), st.floats(-2.0, 2.0), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_covariances_stay_positive_definite(kind, height, east, up, slots, dt, seed):
    n = USED[kind]
    x = state(height, east, 300.0, up, slots=slots)
    x[6 + n - 6 :] = 0.0
    rng = np.random.default_rng(seed)
    B = rng.standard_normal((n, n)) * np.array([300.0] * 3 + [30.0] * 3 + [0.5] * (n - 6))[:, None]
    P = np.zeros((10, 10))
    P[:n, :n] = B @ B.T + np.diag([1.0] * 3 + [0.01] * 3 + [1e-3] * (n - 6))
    out, Po = np.empty(10), np.empty((10, 10))
    fly_step(kind, x, P, dt, n, PAR, out, Po, np.empty(ROOM))
    assert np.isfinite(out).all()
    assert np.isfinite(Po).all()
    d = np.sqrt(np.diag(Po)[:n])
    assert np.linalg.eigvalsh(Po[:n, :n] / np.outer(d, d)).min() > -1e-9


def test_states_that_are_no_numbers_end():
    x = np.full(10, np.nan)
    out, Po = np.empty(10), np.empty((10, 10))
    for kind in (REENTRY, GLIDE, AIRCRAFT):
        fly_step(kind, x, np.zeros((10, 10)), 2.0, USED[kind], PAR, out, Po, np.empty(ROOM))
        assert np.isnan(out[:6]).all()
    assert PAR[GLIDE_LIFT] == 2.2
