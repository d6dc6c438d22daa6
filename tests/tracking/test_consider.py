"""The consider filter against one that estimates the parameters, the plain filter, and drawn biases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.records.columns import Kind, Region
from tocsin.tracking.consider import PER_SENSOR, Considered, parameters
from tocsin.tracking.filter import update
from tocsin.tracking.measure import Looks, predict

ORIGIN = np.array([0.0, 0.0, 6.371e6])
SITES = np.array([ORIGIN, [2.5e5, -6e4, 6.371e6]])
R = np.diag([30.0**2, math.radians(0.1) ** 2, math.radians(0.1) ** 2, 1.0])
P0 = np.diag([500.0**2] * 3 + [50.0**2] * 3)


def look(t, site, z, kind=Kind.RAE):
    k = len(z)
    return Looks(
        np.full(k, kind), np.full(k, Region.VIEW), np.full(k, float(t)), np.zeros(k), np.tile(np.r_[SITES[site], 0, 0,
        0], (k, 1)), np.tile(np.eye(3).ravel(), (k, 1)), np.ascontiguousarray(z), np.tile(R, (k, 1, 1)), np.full(k, 3),
    )  # fmt: skip


def flights(n, seed):
    rng = np.random.default_rng(seed)
    x = np.zeros((n, 6))
    x[:, 0], x[:, 1] = rng.uniform(-2e5, 2e5, n), rng.uniform(4e5, 8e5, n)
    x[:, 2] = 6.371e6 + rng.uniform(8e4, 1.5e5, n)
    x[:, 3:] = rng.uniform(-1e3, 1e3, (n, 3)) + np.array([0.0, -1500.0, 2000.0])
    return x, rng


def fly(x, t0, t1):
    out, F = np.empty_like(x), np.empty((len(x), 6, 6))
    for a, row in enumerate(x):
        coast_to_stm(row, t0, t1, 0.0, out[a], F[a])
    return out, F


def test_without_parameters_it_is_the_plain_filter():
    x, rng = flights(5, 1)
    none = parameters(np.zeros((1, PER_SENSOR)))
    tracks = Considered.start(x + rng.standard_normal((5, 6)) * np.sqrt(np.diag(P0)), np.tile(P0, (5, 1, 1)), 0.0, none)
    plain_x, plain_P = np.zeros((5, 10)), np.zeros((5, 10, 10))
    plain_x[:, :6], plain_P[:, :6, :6] = tracks.x, tracks.P
    z, _, _, _ = predict(x, look(0.0, 0, np.zeros((5, 4))))
    seen = look(0.0, 0, z)
    fits = tracks.update(np.arange(5), seen, np.arange(5), np.zeros(5, dtype=int), none, noise=0.0)
    for a in range(5):
        d = np.empty(1)
        log = update(
            plain_x[a], plain_P[a], 6, Kind.RAE, 0.0, Region.VIEW, seen.platform[a], seen.attitude[a], seen.z[a],
            seen.R[a], False, seen.platform[a], 1, d,
        )  # fmt: skip
        assert fits[a, 0] == pytest.approx(log, rel=1e-9)
        assert fits[a, 1] == pytest.approx(d[0], rel=1e-9)
    np.testing.assert_allclose(tracks.x, plain_x[:, :6], rtol=1e-12)
    np.testing.assert_allclose(tracks.P, plain_P[:, :6, :6], rtol=1e-6, atol=1e-6)


def test_it_is_the_estimating_filter_with_the_parameters_gain_struck_out():
    # the filter of state and parameters together, in plain matrices, its gain for the parameters set to zero
    sigma = np.array([[100.0, 2e-3, 3e-3, 0.0, 0.05], [50.0, 1e-3, 1e-3, 0.0, 0.01]])
    of = parameters(sigma, np.where(np.arange(10).reshape(2, 5) % 5 == 0, 300.0, np.inf))
    x, rng = flights(1, 2)
    tracks = Considered.start(x + rng.standard_normal((1, 6)) * 10.0, P0[None], 0.0, of)
    mean, full = tracks.x[0].copy(), np.zeros((16, 16))
    full[:6, :6], full[6:, 6:] = P0, of.B
    t = 0.0
    for step in range(12):
        t1, site = t + 1.5, step % 2
        x, _ = fly(x, t, t1)
        z, _, _, _ = predict(x, look(t1, site, np.zeros((1, 4))))
        z[:, :3] += rng.standard_normal((1, 3)) * np.sqrt(np.diag(R)[:3])
        seen = look(t1, site, z)
        tracks.update(np.zeros(1, dtype=int), seen, np.zeros(1, dtype=int), np.array([site]), of, noise=0.02)
        (mean,), (F,) = fly(mean[None], t, t1)
        big = np.zeros((16, 16))
        big[:6, :6] = F
        big[6:, 6:] = np.diag(np.exp(-1.5 / of.tau))
        full = big @ full @ big.T
        full[6:, 6:] = of.B  # a wandering parameter keeps its variance
        Q = 0.02 * np.block(
            [[1.5**3 / 3 * np.eye(3), 1.5**2 / 2 * np.eye(3)], [1.5**2 / 2 * np.eye(3), 1.5 * np.eye(3)]]
        )
        full[:6, :6] += Q
        zp, Hx, Hb, Ht = predict(mean[None], seen)
        H = np.zeros((3, 16))
        H[:, :6] = Hx[0, :3]
        H[:, 6 + 5 * site : 10 + 5 * site] = Hb[0, :3]
        H[:, 10 + 5 * site] = Ht[0, :3]
        S = H @ full @ H.T + R[:3, :3]
        K = full @ H.T @ np.linalg.inv(S)
        K[6:] = 0.0
        mean = mean + K[:6] @ (z - zp)[0, :3]
        A = np.eye(16) - K @ H
        full = A @ full @ A.T + K @ R[:3, :3] @ K.T
        t = t1
    np.testing.assert_allclose(tracks.x[0], mean, rtol=1e-9)
    np.testing.assert_allclose(tracks.P[0], full[:6, :6], rtol=1e-6, atol=1e-6 * P0[5, 5])
    np.testing.assert_allclose(tracks.C[0], full[:6, 6:], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(full[6:, 6:], of.B)


def test_drawn_biases_leave_it_consistent():
    n, sigma = 120, np.array([[200.0, 3e-3, 3e-3, 0.0, 0.05], [200.0, 3e-3, 3e-3, 0.0, 0.05]])
    of, none = parameters(sigma), parameters(np.zeros((2, PER_SENSOR)))
    x, rng = flights(n, 3)
    start = x + rng.standard_normal((n, 6)) * np.sqrt(np.diag(P0))
    b = rng.standard_normal((n, 2, 5)) * sigma
    careful = Considered.start(start, np.tile(P0, (n, 1, 1)), 0.0, of)
    careless = Considered.start(start, np.tile(P0, (n, 1, 1)), 0.0, none)
    every = np.arange(n)
    for step in range(20):
        site = step % 2
        x, _ = fly(x, float(step), step + 1.0)
        late = np.array([fly(x[a : a + 1], 0.0, b[a, site, 4])[0][0] for a in range(n)])
        z, _, _, _ = predict(late, look(step + 1.0, site, np.zeros((n, 4))))
        z += b[:, site, :4]
        z[:, :3] += rng.standard_normal((n, 3)) * np.sqrt(np.diag(R)[:3])
        for tracks, params in ((careful, of), (careless, none)):
            tracks.update(every, look(step + 1.0, site, z), every, np.full(n, site), params, noise=1e-5)
    nees = [
        np.mean([e @ np.linalg.solve(P, e) for e, P in zip(t.x - x, t.P, strict=True)]) for t in (careful, careless)
    ]
    # 720 degrees of freedom: 6 within a fifth
    assert 0.8 * 6 < nees[0] < 1.2 * 6
    assert nees[1] > 3 * 6
    assert all(np.linalg.eigvalsh(P)[0] > 0 for P in careful.P)


def test_rows_do_not_depend_on_each_other():
    of = parameters(np.full((1, 5), 1e-3))
    x, _ = flights(4, 4)
    z, _, _, _ = predict(x, look(2.0, 0, np.zeros((4, 4))))
    together = Considered.start(x, np.tile(P0, (4, 1, 1)), 0.0, of)
    apart = Considered.start(x, np.tile(P0, (4, 1, 1)), 0.0, of)
    seen = look(2.0, 0, z)
    together.update(np.arange(4), seen, np.arange(4), np.zeros(4, dtype=int), of)
    for a in (2, 0, 3, 1):
        apart.update(np.array([a]), seen, np.array([a]), np.zeros(1, dtype=int), of)
    for name in ("x", "P", "C", "t"):
        assert (getattr(together, name) == getattr(apart, name)).all()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="standard deviations"):
        parameters(np.ones((2, 4)))
    with pytest.raises(ValueError, match="correlation times"):
        parameters(np.ones((1, 5)), 0.0)
    of = parameters(np.ones((1, 5)))
    with pytest.raises(ValueError, match=r"expected x \(k, 6\)"):
        Considered.start(np.zeros((1, 5)), np.zeros((1, 6, 6)), 0.0, of)
    tracks = Considered.start(flights(1, 5)[0], P0[None], 0.0, of)
    seen = look(0.0, 0, np.array([[5e5, 0.0, 0.2, 0.0]]))
    zero = np.zeros(1, dtype=int)
    with pytest.raises(ValueError, match="sensors must be -1 to 0"):
        tracks.update(zero, seen, zero, np.array([1]), of)
    with pytest.raises(ValueError, match="twice"):
        tracks.update(np.zeros(2, dtype=int), seen, np.zeros(2, dtype=int), np.zeros(2, dtype=int), of)
    broken = look(0.0, 0, np.array([[5e5, 0.0, 0.2, 0.0]]))
    broken.R[:] = np.diag([-1e12, 1.0, 1.0, 1.0])
    before = tracks.P.copy()
    assert tracks.update(zero, broken, zero, zero, of, noise=0.0)[0, 0] == -math.inf
    nothing = look(0.0, 0, np.array([[np.nan, 0.0, 0.2, 0.0]]))
    assert tracks.update(zero, nothing, zero, zero, of, noise=0.0)[0, 0] == -math.inf
    assert (before == tracks.P).all()
    assert np.isfinite(tracks.x).all()
