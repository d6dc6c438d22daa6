"""Sigma points: moments that are known exactly, the linear case against Kalman's algebra, rows of no use."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from tocsin.tracking.sigma import correct, moments, points, weights


def some(k, n, seed):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((k, n, n))
    return rng.standard_normal((k, n)), a @ a.transpose(0, 2, 1) + 0.1 * np.eye(n)


@pytest.mark.parametrize(("n", "kappa", "alpha", "beta"), [(3, None, 1.0, 0.0), (6, 0.0, 1.0, 0.0), (4, 2.0, 0.1, 2.0)])
def test_points_have_the_moments_they_stand_for(n, kappa, alpha, beta):
    w = weights(n, kappa, alpha, beta)
    x, P = some(4, n, 1)
    mean, cov = moments(points(x, P, w), w)
    np.testing.assert_allclose(mean, x, atol=1e-9)
    np.testing.assert_allclose(cov, P, atol=1e-8)


def test_a_square_has_the_moments_of_chi_squared():
    # of N(m, s^2) squared: mean m^2 + s^2, variance 4 m^2 s^2 + 2 s^4; kappa = 2 in one dimension matches that
    w = weights(1, 2.0)
    X = points(np.array([[3.0]]), np.array([[[4.0]]]), w)
    mean, cov = moments(X**2, w)
    assert mean[0, 0] == pytest.approx(13.0)
    assert cov[0, 0, 0] == pytest.approx(4 * 9 * 4 + 2 * 16)


def test_a_linear_look_is_kalmans():
    w = weights(5, 0.0)
    x, P = some(3, 5, 2)
    rng = np.random.default_rng(3)
    H, z = rng.standard_normal((2, 5)), rng.standard_normal((3, 2))
    R = np.array([[0.5, 0.1], [0.1, 0.3]])
    x1, P1 = x.copy(), P.copy()
    X = points(x, P, w)
    log, distance = correct(x1, P1, X, X @ H.T, z, np.tile(R, (3, 1, 1)), w)
    for k in range(3):
        S = H @ P[k] @ H.T + R
        K = P[k] @ H.T @ np.linalg.inv(S)
        r = z[k] - H @ x[k]
        np.testing.assert_allclose(x1[k], x[k] + K @ r, atol=1e-10)
        np.testing.assert_allclose(P1[k], P[k] - K @ S @ K.T, atol=1e-10)
        assert log[k] == pytest.approx(multivariate_normal(H @ x[k], S).logpdf(z[k]))
        assert distance[k] == pytest.approx(r @ np.linalg.solve(S, r))


def test_angles_wrap():
    w = weights(2, 0.0)
    x, P = np.array([[-1.0, 0.0]]), np.array([np.diag([0.01, 0.04])])
    X = points(x, P, w)
    Z = np.arctan2(X[..., 1], X[..., 0])[..., None]
    x1, P1 = x.copy(), P.copy()
    correct(x1, P1, X, Z, np.array([[math.pi - 0.1]]), np.full((1, 1, 1), 0.01), w, wrapped=0)
    # the same about the other side of the circle, where nothing wraps
    y, Q = -x, P.copy()
    Y = points(y, Q, w)
    correct(y, Q, Y, np.arctan2(Y[..., 1], Y[..., 0])[..., None], np.array([[-0.1]]), np.full((1, 1, 1), 0.01), w, 0)
    np.testing.assert_allclose(x1, -y, atol=1e-9)
    np.testing.assert_allclose(P1, Q, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 7), st.floats(-8, 8), st.floats(-8, 8))
def test_covariances_stay_positive_definite(seed, n, wide, fine):
    """Whatever the scales and however bent the look, with weights that are not negative."""
    w = weights(n, 0.0)
    x, P = some(3, n, seed)
    P = P * 10.0**wide
    for _ in range(4):
        X = points(x, P, w)
        Z = np.stack([np.sqrt((X**2).sum(axis=2) + 1.0), np.sin(X[..., 0])], axis=2)
        R = np.tile(np.diag([10.0**fine, 10.0**fine]), (3, 1, 1))
        correct(x, P, X, Z, np.ones((3, 2)), R, w)
        for Pk in P:
            np.testing.assert_array_equal(Pk, Pk.T)
            assert np.linalg.eigvalsh(Pk).min() > -1e-12 * np.abs(Pk).max()
            assert np.all(np.diagonal(Pk) > 0.0)


@pytest.mark.parametrize("spoil", ["nan look", "infinite noise", "negative noise", "bad covariance"])
def test_a_row_of_no_use_stays_and_its_neighbour_is_corrected(spoil):
    w = weights(3)
    x, P = some(2, 3, 5)
    z, R = np.zeros((2, 1)), np.ones((2, 1, 1))
    if spoil == "nan look":
        z[0] = math.nan
    elif spoil == "infinite noise":
        R[0] = math.inf
    elif spoil == "negative noise":
        R[0] = -1e6
    else:
        P[0] = np.diag([1.0, -1.0, 1.0])
    X = points(x, P, w)
    x1, P1 = x.copy(), P.copy()
    log, distance = correct(x1, P1, X, X[..., :1], z, R, w)
    assert log[0] == -math.inf
    assert distance[0] == math.inf
    np.testing.assert_array_equal(x1[0], x[0])
    np.testing.assert_array_equal(P1[0], P[0])
    alone, own = x[1:].copy(), P[1:].copy()
    correct(alone, own, X[1:], X[1:, :, :1], z[1:], R[1:], w)
    np.testing.assert_array_equal(x1[1], alone[0])
    np.testing.assert_array_equal(P1[1], own[0])


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"sigma points: found n=3, kappa=-3\.0"):
        weights(3, -3.0)
    with pytest.raises(ValueError, match="states of 2 dimensions and weights for 3"):
        points(np.zeros((1, 2)), np.eye(2)[None], weights(3))
    with pytest.raises(ValueError, match="found 3 points and 7 weights"):
        moments(np.zeros((1, 3, 1)), weights(3))
    P = np.asfortranarray(np.arange(8.0).reshape(2, 2, 2))
    with pytest.raises(ValueError, match="P: corrected in place"):
        correct(np.zeros((2, 2)), P, np.zeros((2, 5, 2)), np.zeros((2, 5, 1)), np.zeros((2, 1)), P, weights(2))
