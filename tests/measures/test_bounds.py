"""The bound against its first form, closed forms, Kalman filters, and what no bound may do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.measures.bounds import Bound, bound, information
from tocsin.records.columns import Kind, Region
from tocsin.tracking.measure import Looks, predict


def spd(rng, n, scale=1.0):
    root = rng.standard_normal((n, n + 2)) * scale
    return root @ root.T


def tichavsky(F, Q, J, P0):
    """Equation 21 of the paper, as written there."""
    out = []
    info = np.linalg.inv(P0)
    for f, q, j in zip(F, Q, J, strict=True):
        qi = np.linalg.inv(q)
        info = qi - qi @ f @ np.linalg.inv(info + f.T @ qi @ f) @ f.T @ qi + j
        out.append(np.linalg.inv(info))
    return np.array(out)


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_it_is_the_papers_recursion(n, seed):
    rng = np.random.default_rng(seed)
    F = np.eye(n) + 0.3 * rng.standard_normal((5, n, n))
    Q = np.array([spd(rng, n, 0.3) for _ in range(5)])
    J = np.array([spd(rng, n) for _ in range(5)])
    J[1], J[3] = 0.0, np.outer(J[3][0], J[3][0])  # nothing measured; one direction only
    P0 = spd(rng, n)
    np.testing.assert_allclose(bound(F, Q, J, P0), tichavsky(F, Q, J, P0), rtol=1e-6, atol=1e-9)


def test_it_holds_without_process_noise():
    # a constant measured k times with unit variance, prior variance 1: 1 / (k + 1)
    one = np.ones((10, 1, 1))
    got = bound(one, 0.0 * one, one, np.ones((1, 1)))
    np.testing.assert_allclose(got[:, 0, 0], 1.0 / np.arange(2, 12), rtol=1e-12)


def test_its_steady_state_is_the_alpha_beta_filters():
    # Kalata's tracking index (IEEE TAES 17, 1981): position gain alpha of the steady state, r = 1, T = 1, q as below
    q = 0.25
    lam = q  # sigma_w T^2 / sigma_v for discrete white acceleration of sigma q
    r = (4.0 + lam - math.sqrt(8.0 * lam + lam * lam)) / 4.0
    alpha = 1.0 - r * r
    F = np.tile([[1.0, 1.0], [0.0, 1.0]], (400, 1, 1))
    Q = np.tile(q**2 * np.array([[0.25, 0.5], [0.5, 1.0]]), (400, 1, 1))
    J = np.tile([[1.0, 0.0], [0.0, 0.0]], (400, 1, 1))
    assert bound(F, Q, J, 10.0 * np.eye(2))[-1, 0, 0] == pytest.approx(alpha, rel=1e-9)


def looks(k, kind, platform, R):
    return Looks(
        np.full(k, kind), np.full(k, Region.VIEW), np.zeros(k), np.zeros(k), np.tile(platform, (k, 1)),
        np.tile(np.eye(3).ravel(), (k, 1)), np.zeros((k, 4)), np.tile(R, (k, 1, 1)), np.full(k, 3 if kind == Kind.RAE
        else 2),
    )  # fmt: skip


R_RADAR = np.diag([30.0**2, 1.7e-3**2, 1.7e-3**2, 1.0])


def test_information_is_that_of_the_looks():
    rng = np.random.default_rng(3)
    platform = np.r_[0.0, 0.0, 6.371e6, 0.0, 0.0, 0.0]
    truth = platform + np.c_[rng.uniform(3e5, 6e5, (5, 3)), rng.uniform(-2e3, 2e3, (5, 3))]
    seen = looks(5, Kind.RAE, platform, R_RADAR)
    got = information(truth, seen, np.array([0, 0, 1, 3, 3]), 4, np.array([1.0, 0.5, 1.0, 0.0, 0.9]))
    _, H, _, _ = predict(truth, seen)
    each = np.array([h[:3].T @ np.linalg.inv(R_RADAR[:3, :3]) @ h[:3] for h in H])
    np.testing.assert_allclose(got[0], each[0] + 0.5 * each[1], rtol=1e-9, atol=1e-18)
    np.testing.assert_allclose(got[1], each[2], rtol=1e-9, atol=1e-18)
    assert (got[2] == 0.0).all()
    np.testing.assert_allclose(got[3], 0.9 * each[4], rtol=1e-9, atol=1e-18)


@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(0.0, 1.0))
def test_more_sensors_never_reduce_the_information(seed, sensors, pd):
    rng = np.random.default_rng(seed)
    truth = np.r_[rng.uniform(-3e5, 3e5, 2), 6.371e6 + rng.uniform(8e4, 5e5), rng.uniform(-3e3, 3e3, 3)]
    F = np.eye(6)
    F[:3, 3:] = np.eye(3)
    Q = np.zeros((6, 6))
    Q[3:, 3:] = 0.01 * np.eye(3)
    P0 = np.diag([500.0**2] * 3 + [50.0**2] * 3)
    total, last = np.zeros((6, 6)), None
    weigh = np.r_[[1.0 / 500.0] * 3, [1.0 / 50.0] * 3]  # in units of the prior
    for _ in range(sensors):
        platform = np.r_[rng.uniform(-5e5, 5e5, 2), 6.371e6, 0.0, 0.0, 0.0]
        kind, R = (Kind.RAE, R_RADAR) if rng.random() < 0.5 else (Kind.LOS, np.diag([1e-5**2, 1e-5**2, 1.0, 1.0]))
        total = total + information(truth[None], looks(1, kind, platform, R), np.zeros(1, dtype=np.int64), 1, pd)[0]
        B = bound(np.tile(F, (6, 1, 1)), np.tile(Q, (6, 1, 1)), np.tile(total, (6, 1, 1)), P0)[-1]
        J = np.linalg.inv(B * np.outer(weigh, weigh))
        if last is not None:
            assert np.linalg.eigvalsh(J - last)[0] >= -1e-6 * np.linalg.eigvalsh(J)[-1]
        last = J


def test_many_runs_are_what_each_is_alone():
    rng = np.random.default_rng(8)
    F = np.eye(3) + 0.1 * rng.standard_normal((4, 6, 3, 3))
    J = np.array([[spd(rng, 3) for _ in range(6)] for _ in range(4)])
    Q, P0 = 0.01 * np.eye(3), np.eye(3)
    together = bound(F, Q, J, P0)
    for run in range(4):
        assert (together[run] == bound(F[run], Q, J[run], P0)).all()
    whole = Bound(together)
    np.testing.assert_allclose(whole.rms((0, 2)) ** 2, together[:, :, 0, 0].mean(0) + together[:, :, 2, 2].mean(0))


def test_what_is_no_model_is_refused():
    one = np.ones((2, 1, 1))
    with pytest.raises(ValueError, match="not positive semidefinite"):
        bound(one, one, -one, np.ones((1, 1)))
    with pytest.raises(ValueError, match="J: expected a shape"):
        bound(one, one, np.ones((3, 2, 2)), np.ones((1, 1)))
    with pytest.raises(ValueError, match="F: expected"):
        bound(np.ones((2, 2)), one, one, one)
    seen = looks(1, Kind.RAE, np.r_[0.0, 0.0, 6.371e6, 0.0, 0.0, 0.0], np.zeros((4, 4)))
    x = np.array([[3e5, 3e5, 6.5e6, 0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="R is not positive definite"):
        information(x, seen, np.zeros(1, dtype=np.int64), 1)
    with pytest.raises(ValueError, match="from 0 to 1"):
        information(x, seen, np.zeros(1, dtype=np.int64), 1, 1.5)
