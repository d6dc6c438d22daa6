"""Smoothing against batch least squares, drawn flights, and the filter it must not be worse than."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tracking_scenes as scenes
from scipy.optimize import least_squares

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.records.columns import DETECTION, SCAN, Kind, Region, empty
from tocsin.tracking.belief import BURNOUT, Q_ANGLE, Q_BOOST, Q_COAST, Q_RATIO, Q_THRUST, TOP, believe
from tocsin.tracking.measure import Looks, predict
from tocsin.tracking.models import boost_step
from tocsin.tracking.smooth import GRID_S, Start, _path, smooth, smooth_looks
from tocsin.tracking.tracker import History

SITE = np.array([0.0, 0.0, 6.371e6, 0.0, 0.0, 0.0])
AXES = np.eye(3).ravel()
R = np.diag([30.0**2, math.radians(0.1) ** 2, math.radians(0.1) ** 2, 1.0])


def looks(t, site=SITE):
    k = len(t)
    return Looks(
        np.full(k, Kind.RAE), np.full(k, Region.VIEW), np.asarray(t, dtype=float), np.zeros(k), np.tile(site, (k, 1)),
        np.tile(AXES, (k, 1)), np.zeros((k, 4)), np.tile(R, (k, 1, 1)), np.full(k, 3),
    )  # fmt: skip


def measured(x, t, rng):
    seen = looks(t)
    z, _, _, _ = predict(x, seen)
    z[:, :3] += rng.standard_normal((len(t), 3)) * np.sqrt(np.diag(R)[:3])
    seen.z[:] = z
    return seen


def parameters(**changes):
    par = believe(()).parameters.copy()
    places = {
        "coast": Q_COAST, "boost": Q_BOOST, "thrust": Q_THRUST, "angle": Q_ANGLE, "ratio": Q_RATIO, "burnout": BURNOUT,
        "top": TOP,
    }  # fmt: skip
    for name, value in changes.items():
        par[places[name]] = value
    return par


def coast(x, t0, t1):
    out = np.empty(6)
    coast_to_stm(x, t0, t1, 0.0, out, np.empty((6, 6)))
    return out


def arc(t, x0):
    return np.array([coast(x0, t[0], s) for s in t])


X0 = np.array([1e5, 6e5, 6.371e6 + 4e5, 500.0, -1500.0, 2000.0])
PRIOR = np.diag([2e3**2] * 3 + [100.0**2] * 3)


def free(P=PRIOR, mean=X0):
    x, cov = np.zeros(10), np.zeros((10, 10))
    x[:6], cov[:6, :6] = mean, P
    return Start(x, cov, AXES, 1.0)


def residuals_of(seen, x):
    z, _, _, _ = predict(x, seen)
    return ((seen.z - z)[:, :3] / np.sqrt(np.diag(R)[:3])).ravel()


def test_a_free_fall_without_noise_is_batch_least_squares():
    rng = np.random.default_rng(1)
    t = np.array([3.0, 4.0, 4.0, 9.0, 15.0, 21.0])
    seen = measured(arc(t, X0 + rng.standard_normal(6) * np.sqrt(np.diag(PRIOR))), t, rng)
    scale = np.sqrt(np.diag(PRIOR))

    def cost(u):
        return np.r_[u, residuals_of(seen, arc(t, X0 + scale * u))]

    best = least_squares(cost, np.zeros(6), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    P = np.linalg.inv(best.jac.T @ best.jac) * np.outer(scale, scale)
    got = smooth_looks(seen, free(), parameters(coast=0.0), 0.0)
    assert got.still
    sigma = np.sqrt(np.diag(P))
    assert np.abs((got.x[0] - X0 - scale * best.x) / sigma).max() < 2e-3
    np.testing.assert_allclose(got.P[0] / np.outer(sigma, sigma), P / np.outer(sigma, sigma), atol=2e-3)
    # at the end it is the same flight
    assert np.abs(got.x[-1, :3] - coast(X0 + scale * best.x, t[0], t[-1])[:3]).max() < 1.0


def test_with_noise_it_is_the_batch_problem_of_all_states_at_once():
    rng = np.random.default_rng(2)
    t, q = np.array([0.0, 2.0, 4.0, 7.0, 9.0]), 50.0
    n = len(t)
    seen = measured(arc(t, X0), t, rng)
    seen.z[:, 0] += rng.normal(0.0, 200.0, n)  # rough enough for the noise to matter

    roots = []
    for dt in np.diff(t):
        Q = q * np.block([[dt**3 / 3 * np.eye(3), dt**2 / 2 * np.eye(3)], [dt**2 / 2 * np.eye(3), dt * np.eye(3)]])
        roots.append(np.linalg.inv(np.linalg.cholesky(Q)))
    scale = np.tile(np.sqrt(np.diag(PRIOR)), n)
    nominal = arc(t, X0).ravel()

    def cost(u):
        x = (nominal + scale * u).reshape(n, 6)
        steps = [root @ (x[i + 1] - coast(x[i], t[i], t[i + 1])) for i, root in enumerate(roots)]
        return np.r_[(x[0] - X0) / scale[:6], np.concatenate(steps), residuals_of(seen, x)]

    best = least_squares(cost, np.zeros(6 * n), xtol=1e-14, ftol=1e-14, gtol=1e-14)
    P = np.linalg.inv(best.jac.T @ best.jac) * np.outer(scale, scale)
    x = (nominal + scale * best.x).reshape(n, 6)
    got = smooth_looks(seen, free(), parameters(coast=q), 0.0)
    for i in range(n):
        block = P[6 * i : 6 * i + 6, 6 * i : 6 * i + 6]
        sigma = np.sqrt(np.diag(block))
        assert np.abs((got.x[i] - x[i]) / sigma).max() < 5e-3
        np.testing.assert_allclose(got.P[i] / np.outer(sigma, sigma), block / np.outer(sigma, sigma), atol=5e-3)


def powered(x, t0, t1, par):
    while t0 < t1:
        end, out = min(t0 + GRID_S, t1), np.empty(10)
        boost_step(x, AXES, end - t0, par, out, np.empty((10, 10)))
        x, t0 = out, end
    return x


BOOST0 = np.r_[2e5, 5e5, 6.371e6 + 3e4, 100.0, 100.0, 600.0, 25.0, 0.05, 0.3, 0.008]
BOOST_SD = np.r_[[3e3] * 3, [100.0] * 3, 5.0, 0.1, 0.1, 0.002]


def flown(x0, t, end, par):
    out = []
    burnout = powered(x0, t[0], end, par)[:6]
    for s in t:
        out.append(powered(x0, t[0], s, par)[:6] if s <= end else coast(burnout, end, s))
    return np.array(out)


def test_a_boost_and_the_coast_after_it_are_one_least_squares_problem():
    rng = np.random.default_rng(3)
    par = parameters(coast=0.0, boost=0.0, thrust=0.0, angle=0.0, ratio=0.0)
    t, end = np.arange(0.0, 44.0, 4.0), 25.0
    truth = BOOST0 + 0.5 * BOOST_SD * rng.standard_normal(10)
    seen = measured(flown(truth, t, end, par), t, rng)

    def cost(u):
        return np.r_[u, residuals_of(seen, flown(BOOST0 + BOOST_SD * u, t, end, par))]

    best = least_squares(cost, np.zeros(10), xtol=1e-13, ftol=1e-13, gtol=1e-13)
    P = np.linalg.inv(best.jac.T @ best.jac) * np.outer(BOOST_SD, BOOST_SD)
    row = (seen.kind, seen.dt, seen.region, seen.platform, seen.attitude, seen.z, seen.R)
    x, cov, _, still = _path(end, t, t, (AXES, 0.0, par, BOOST0, np.diag(BOOST_SD**2), *row))
    sigma = np.sqrt(np.diag(P))[:6]
    assert still
    # the models' transition is a derivative to second order in time: a hundredth of a sigma, not a rounding
    assert np.abs((x[0] - (BOOST0 + BOOST_SD * best.x)[:6]) / sigma).max() < 0.05
    np.testing.assert_allclose(np.sqrt(np.diagonal(cov[0])), sigma, rtol=0.05)


def test_the_end_of_thrust_is_found():
    rng = np.random.default_rng(4)
    par = parameters(coast=1e-5, boost=0.1, thrust=0.1, angle=1e-4, ratio=1e-7, burnout=1 / 60, top=2e5)
    t, end = np.arange(0.0, 60.0, 1.0), 31.4
    seen = measured(flown(BOOST0, t, end, par), t, rng)
    got = smooth_looks(seen, Start(BOOST0, np.diag(BOOST_SD**2), AXES, 0.0), par, 0.0)
    mean = float((got.weight * got.ends).sum())
    assert abs(mean - end) < 1.0
    assert got.weight.sum() == pytest.approx(1.0)
    assert got.p_boost[t < 28].min() > 0.99
    assert got.p_boost[t > 35].max() < 0.01


def test_a_launch_seen_by_two_satellites_is_smoothed_back_towards_its_pad():
    first, pad, scores, after = [], [], [], []
    for seed in range(8):
        flight, cut = scenes.launch(40.0, 20.0, 60.0 + 12.0 * seed, 45.0)
        sats = (scenes.satellite(0, 0.0, false=0.0), scenes.satellite(1, 60.0, false=0.0))
        made = scenes.Watch(sats, [flight], seed, 0.95, [cut]).all_scans(0.0, 130.0)
        detections = np.concatenate([d for _, d in made])
        scans = np.concatenate([np.repeat(row, len(d)) for row, d in made])
        order = np.argsort(detections["t_ns"], kind="stable")
        t = detections["t_ns"][order] / 1e9
        got = smooth(
            History(detections[order], scans[order]), (scenes.believed(),), scenes.THETA0, np.r_[0.0, t, t[-1] + 20.0]
        )
        e = got.x - np.array([flight(s) for s in got.t_s])
        nees = [v @ np.linalg.solve(P, v) / 6 for v, P in zip(e, got.P, strict=True)]
        assert got.still
        assert got.weight.sum() == pytest.approx(1.0)
        away = np.linalg.norm(e[:, :3], axis=1)
        first.append(away[1])
        pad.append(away[0])
        scores += nees[1:-1]
        after.append(nees[-1])
    # 30 microradians at 38,000 km are 1.1 km across; the first look's own range was known to some 20 km by belief alone
    assert np.sqrt(np.mean(np.square(first))) < 3e3
    assert np.sqrt(np.mean(np.square(pad))) < 15e3  # 25 to 35 s before the first look
    assert 0.4 < np.mean(scores) < 1.6
    assert np.mean(after) < 3.0  # thrust may have ended in the meantime: the spread says so


def test_bad_histories_are_refused():
    with pytest.raises(ValueError, match="without detections"):
        smooth(History(empty(DETECTION), empty(SCAN)))
    seen = looks([1.0, 0.0])
    with pytest.raises(ValueError, match="in order of time"):
        smooth_looks(seen, free(), parameters(), 0.0)
    with pytest.raises(ValueError, match="finite"):
        smooth_looks(looks([0.0]), free(), parameters(), 0.0, np.array([np.nan]))
