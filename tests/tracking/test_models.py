"""Motion models against SciPy's integrator, finite differences and the rules of mixing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tracking_scenes import THETA0, arc, believed, gravity

from tocsin.earth.wgs84 import enu_axes, geodetic_to_ecef
from tocsin.tracking.belief import BURNOUT, MOST_THRUST, PAUSE, RATIO, RESTART, THRUST, THRUST_SD, TOP, believe
from tocsin.tracking.models import (
    BOOST,
    COAST,
    Bank,
    advance_rows,
    boost_step,
    match_moments,
    thrust_direction,
    turn_axes,
)

PAR = believe((believed(burn=60.0, pause=20.0),)).parameters


def boosting(height=50e3, speed=1500.0):
    p = geodetic_to_ecef([0.9, 0.4, height])
    axes = enu_axes(0.9, 0.4)
    v = speed * (0.5 * axes[0] + 0.3 * axes[1] + 0.8 * axes[2])
    return np.r_[p, v, 35.0, 0.4, 0.3, 0.013], np.ascontiguousarray(axes.ravel())


def along(x0, axes, dt):
    """The same flight by an adaptive integrator."""
    u = np.empty((3, 3))
    thrust_direction(axes, x0[7], x0[8], u)
    direction = u[0].copy()

    def rate(_, x):
        return np.r_[x[3:6], gravity(x[:3]) + x[6] * direction, x[6] * x[9], 0.0, 0.0, x[9] ** 2]

    return solve_ivp(rate, (0.0, dt), x0, rtol=1e-11, atol=1e-9, method="DOP853").y[:, -1]


@pytest.mark.parametrize("dt", [2.0, 0.7, -0.9])
def test_a_powered_step_and_its_derivative(dt):
    x0, axes = boosting()
    out, F = np.empty(10), np.empty((10, 10))
    boost_step(x0, axes, dt, PAR, out, F)
    truth = along(x0, axes, dt)
    assert np.abs(out[:3] - truth[:3]).max() < 0.1
    assert np.abs(out[3:6] - truth[3:6]).max() < 0.05
    np.testing.assert_allclose(out[6:], truth[6:], rtol=1e-9)
    step = np.array([100.0] * 3 + [1.0] * 3 + [0.01, 1e-4, 1e-4, 1e-5])
    for j in range(10):
        e = np.zeros(10)
        e[j] = step[j]
        fd = (along(x0 + e, axes, dt) - along(x0 - e, axes, dt)) / (2 * step[j])
        scale = np.abs(fd).max()
        assert np.abs(F[:, j] - fd).max() < 0.02 * scale, j


def test_nothing_burns_harder_than_believed():
    x0, axes = boosting()
    x0[6], x0[9] = PAR[MOST_THRUST] * 0.99, 0.1
    out, F = np.empty(10), np.empty((10, 10))
    boost_step(x0, axes, 2.0, PAR, out, F)
    assert out[6] <= PAR[MOST_THRUST]


def start(x6, mu, sd=(100.0, 10.0)):
    x, P = np.zeros((1, 2, 10)), np.zeros((1, 2, 10, 10))
    x[0, :, :6] = x6
    for m in range(2):
        P[0, m, :6, :6] = np.diag([sd[0] ** 2] * 3 + [sd[1] ** 2] * 3)
    x[0, BOOST, 6:] = 35.0, 0.0, 0.0, 0.013
    P[0, BOOST, 6:, 6:] = np.diag([4.0, 0.01, 0.01, 1e-6])
    return x, P, np.array([mu], dtype=float)


def carry(x, P, mu, t1, par=PAR, until=1e9):
    axes = np.ascontiguousarray(enu_axes(0.9, 0.4).reshape(1, 9))
    return advance_rows(
        Bank.of((BOOST, COAST), par, THETA0),
        np.array([0]),
        np.array([t1]),
        x,
        P,
        mu,
        axes,
        np.array([0.0]),
        np.array([[0.0, until]]),
    )


def test_coasting_alone_is_free_fall_with_its_own_covariance():
    flight = arc(20.0, 30.0, 300e3, 4000.0, 40.0, 30.0, 0.0, 400.0)
    x, P, mu = start(flight(0.0), (0.0, 1.0))
    xo, Po, muo = carry(x, P, mu, 300.0)
    assert np.abs(xo[0, COAST, :6] - flight(300.0)).max() < 2.0
    # the covariance against a cloud that flies by SciPy
    rng = np.random.default_rng(5)
    cloud = np.array(
        [arc_from(flight(0.0) + rng.standard_normal(6) * [100, 100, 100, 10, 10, 10], 300.0) for _ in range(120)]
    )
    sd = np.sqrt(np.diag(Po[0, COAST])[:6])
    # 120 draws: 6.5 % in each standard deviation; the process noise adds 30 m and 0.2 m/s
    np.testing.assert_allclose(cloud.std(axis=0), sd, rtol=0.25)
    assert muo[0, COAST] == 1.0
    assert not xo[0, COAST, 6:].any()


def arc_from(x0, t):
    return solve_ivp(lambda _, x: np.r_[x[3:], gravity(x[:3])], (0, t), x0, rtol=1e-8, atol=1e-3).y[:, -1]


def test_boost_ends_at_the_believed_rate_and_falls_asleep_unseen():
    x0, _ = boosting()
    x, P, mu = start(x0[:6], (1.0, 0.0))
    _, _, muo = carry(x, P, mu, 10.0)
    rate = PAR[BURNOUT]
    back = PAR[RESTART]
    # the two-state chain in closed form; the chain itself may not restart above the believed end of thrust, and is
    # below it here
    total = rate + back
    expected = back / total + rate / total * math.exp(-total * 10.0)
    assert muo[0, BOOST] == pytest.approx(expected, rel=0.01)
    _, _, late = carry(x, P, mu, 200.0)
    assert late[0, BOOST] < 1e-3


def test_a_lacking_slot_gets_the_prior_of_boost():
    x0, _ = boosting()
    x, P, mu = start(x0[:6], (0.0, 1.0))
    x[0, BOOST] = 0.0  # nothing of the boost model may count: it has no probability
    P[0, BOOST] = 0.0
    assert np.linalg.norm(x0[:3]) - 6.37e6 < PAR[TOP]
    xo, Po, muo = carry(x, P, mu, 2.0)
    assert 0.0 < muo[0, BOOST] < 0.15
    assert carry(x, P, mu, 2.0, until=-1.0)[2][0, BOOST] == 0.0  # the pause is long over: no thrust begins anew
    assert xo[0, BOOST, 6] == pytest.approx(
        PAR[THRUST] / (1 - PAR[RATIO] * 2.0), rel=1e-4
    )  # a little more by its spread
    assert Po[0, BOOST, 6, 6] > 0.9 * PAR[THRUST_SD] ** 2
    assert np.linalg.eigvalsh(Po[0, BOOST]).min() > 0.0
    # thrust along the way through the air: within the prior's own spread of a degree of arithmetic
    u = np.empty((3, 3))
    thrust_direction(np.ascontiguousarray(enu_axes(0.9, 0.4).ravel()), xo[0, BOOST, 7], xo[0, BOOST, 8], u)
    v = x0[3:6] - np.cross([0, 0, 7.292115855e-5], x0[:3])
    assert u[0] @ v / np.linalg.norm(v) > 0.97


def test_moments_of_two_models():
    x0, _ = boosting()
    x, P, mu = start(x0[:6], (0.3, 0.7))
    x[0, BOOST, :6] += 500.0
    mean, cov = match_moments(x, P, mu)
    np.testing.assert_allclose(mean[0], x0[:6] + 150.0)
    np.testing.assert_allclose(cov[0, 0, 0], 100.0**2 + 0.21 * 500.0**2)
    np.testing.assert_allclose(cov[0, 0, 3], 0.21 * 500.0**2)


def test_turning_the_axes_leaves_the_thrust_where_it_is():
    x0, axes = boosting()
    x0[7], x0[8] = 1.2, 0.5
    P = np.diag([1.0] * 6 + [4.0, 0.02, 0.03, 1e-6])
    before = np.empty((3, 3))
    thrust_direction(axes, x0[7], x0[8], before)
    spread = before[1:].T @ P[7:9, 7:9] @ before[1:]
    assert turn_axes(x0, P, axes)
    after = np.empty((3, 3))
    thrust_direction(axes, x0[7], x0[8], after)
    np.testing.assert_allclose(after[0], before[0], atol=1e-12)
    np.testing.assert_allclose(after[1:].T @ P[7:9, 7:9] @ after[1:], spread, atol=1e-12)
    assert not turn_axes(x0, P, axes)


def test_beliefs():
    typical = believed()
    belief = believe((typical,))
    par = belief.parameters
    stage = typical.stages[0]
    end = stage.thrust.nominal / (1 - stage.thrust.nominal * stage.burn.nominal / stage.exhaust.nominal)
    assert stage.thrust.nominal < par[THRUST] < end
    assert par[BURNOUT] == pytest.approx(1 / 100.0)
    assert par[TOP] >= 110e3 + 3 * 10e3
    # a second stage may light, after the pause between stages and not for ever
    assert par[RESTART] < 1e-3 < PAR[RESTART] < 1 / 20.0 + 1e-3
    assert 20.0 < PAR[PAUSE] < 60.0
    first = belief.first_seen(10e3, 10.0)
    assert 10e3 < first.mean[0] < 25e3  # within a look of the cloud tops, mostly
    np.testing.assert_allclose(first.mean[1:3], 0.0, atol=1e-6)  # any azimuth
    assert first.mean[3] > 100.0
    assert belief.at_any_time().mean[0] > first.mean[0]
    # belief in a class that is never seen above the clouds still gives a prior
    assert believe((believed(burn=10.0),)).first_seen(50e3, 10.0).mean[0] > 0.0
    assert not believe(()).boosts
