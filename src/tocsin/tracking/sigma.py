"""Sigma points: mean and covariance through a function that is not linear, without its derivatives.

A Gaussian of n dimensions is stood for by 2 n + 1 points, its mean and one on each side of it along every column of the
Cholesky factor. The points are carried through the function, and their weighted moments are those of what comes out:
right to second order, where an extended filter is right to first. Here are the parts over arrays of tracks, to be put
around anybody's dynamics:

    W = weights(n)                       # or weights(n, kappa=0.0): the cubature rule
    X = points(x, P, W)                  # (k, 2 n + 1, n): carry each of them through the dynamics
    x, P = moments(X, W)                 # of what came out; add the process noise to P
    Z = ...                              # what each point would measure (k, 2 n + 1, m)
    log, distance = correct(x, P, X, Z, z, R, W)    # in place

Corrections are written as a linear regression of the measurement on the state with an error of its own (the spread of
the points about the regression), which allows Joseph's form: with weights that are not negative the covariance stays
positive definite. Where the weight of the centre is negative (kappa < 0, as in 3 - n for n > 3) that is not so, and a
row whose covariance would not be positive definite is left as it was with -inf for its likelihood.

Sources: Julier and Uhlmann, Proc. IEEE 92 (2004) 401; Wan and van der Merwe (2000) for alpha and beta; Arasaratnam and
Haykin, IEEE TAC 54 (2009) 1254 for the cubature rule; Garcia-Fernandez, Svensson, Morelande and Sarkka, IEEE TSP 63
(2015) 5561 for the regression about the posterior, which ``filter`` uses for young tracks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Weights:
    """Of 2 n + 1 points: ``mean`` and ``cov`` (2 n + 1,); ``spread``: how many standard deviations out they lie."""

    mean: Array
    cov: Array
    spread: float


def weights(n: int, kappa: float | None = None, alpha: float = 1.0, beta: float = 0.0) -> Weights:
    """Weights of the scaled unscented transform in ``n`` dimensions; ``kappa`` None: 3 - n, 0: the cubature rule.

    Raises ValueError where there are no dimensions or the points would not lie apart (n + kappa or alpha not positive).
    """
    kappa = 3.0 - n if kappa is None else kappa
    if n < 1 or not (n + kappa > 0.0 and alpha > 0.0 and math.isfinite(kappa + alpha + beta)):
        raise ValueError(f"sigma points: found n={n}, kappa={kappa}, alpha={alpha}; allowed: n + kappa, alpha > 0")
    total = alpha * alpha * (n + kappa)
    mean = np.full(2 * n + 1, 0.5 / total)
    mean[0] = 1.0 - n / total
    cov = mean.copy()
    cov[0] += 1.0 - alpha * alpha + beta
    return Weights(mean, cov, math.sqrt(total))


@kernel
def root(P: Array, n: int, L: Array) -> bool:
    """Lower Cholesky factor of the leading n x n part of P into L (its upper part zero); False where there is none."""
    for i in range(n):
        for j in range(n):
            if j > i:
                L[i, j] = 0.0
                continue
            s = P[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                if not (s > 0.0 and s < math.inf):
                    return False
                L[i, i] = math.sqrt(s)
            else:
                L[i, j] = s / L[j, j]
    return True


@kernel
def spread_points(x: Array, L: Array, n: int, spread: float, out: Array) -> None:
    """Points (2 n + 1, n) about ``x`` along the columns of the factor ``L``."""
    for i in range(n):
        out[0, i] = x[i]
        for j in range(n):
            d = spread * L[i, j]
            out[1 + j, i] = x[i] + d
            out[1 + n + j, i] = x[i] - d


@kernel
def weigh(Y: Array, m: int, wm: Array, wc: Array, mean: Array, cov: Array) -> None:
    """Mean (m) and covariance (m, m) of points ``Y`` (p, m)."""
    p = Y.shape[0]
    for i in range(m):
        s = 0.0
        for a in range(p):
            s += wm[a] * (Y[a, i] - Y[0, i])
        mean[i] = Y[0, i] + s
    for i in range(m):
        for j in range(i, m):
            s = 0.0
            for a in range(p):
                s += wc[a] * (Y[a, i] - mean[i]) * (Y[a, j] - mean[j])
            cov[i, j] = s
            cov[j, i] = s


@kernel
def solve_lower(L: Array, b: Array, n: int) -> None:
    """Solve L v = b in place."""
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= L[i, k] * b[k]
        b[i] = s / L[i, i]


@kernel
def solve_upper(L: Array, b: Array, n: int) -> None:
    """Solve L' v = b in place."""
    for i in range(n - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, n):
            s -= L[k, i] * b[k]
        b[i] = s / L[i, i]


@kernel
def regress(X: Array, x: Array, L: Array, n: int, Y: Array, y: Array, m: int, wc: Array, A: Array) -> None:
    """Slopes ``A`` (m, n) of the best linear fit of ``Y`` (p, m) on points ``X`` (p, n) with covariance L L'."""
    column = np.empty(n)
    for i in range(m):
        for j in range(n):
            s = 0.0
            for a in range(X.shape[0]):
                s += wc[a] * (X[a, j] - x[j]) * (Y[a, i] - y[i])
            column[j] = s
        solve_lower(L, column, n)
        solve_upper(L, column, n)
        for j in range(n):
            A[i, j] = column[j]


@kernel
def _correct_row(
    x: Array, P: Array, X: Array, Z: Array, z: Array, R: Array, wm: Array, wc: Array, wrapped: int, out: Array
) -> None:
    n, m = x.shape[0], z.shape[0]
    out[0], out[1] = -math.inf, math.inf
    L, V = np.empty((n, n)), np.empty((m, m))
    zp, Szz, A = np.empty(m), np.empty((m, m)), np.empty((m, n))
    if not root(P, n, L):
        return
    turn = 2.0 * math.pi
    if wrapped >= 0:  # angles are taken about the centre's, or their mean means nothing
        for a in range(1, Z.shape[0]):
            d = Z[a, wrapped] - Z[0, wrapped]
            Z[a, wrapped] -= turn * math.floor((d + math.pi) / turn)
    weigh(Z, m, wm, wc, zp, Szz)
    regress(X, x, L, n, Z, zp, m, wc, A)
    # K = P A' (A P A' + N)^-1 with the noise N = R + what the regression leaves: A P A' + N = Szz + R
    S, N = np.empty((m, m)), np.empty((m, m))
    PA = np.empty((n, m))
    for a in range(n):
        for i in range(m):
            s = 0.0
            for k in range(n):
                s += P[a, k] * A[i, k]
            PA[a, i] = s
    for i in range(m):
        for j in range(m):
            S[i, j] = Szz[i, j] + R[i, j]
            s = 0.0
            for k in range(n):
                s += A[i, k] * PA[k, j]
            N[i, j] = S[i, j] - s
    if not root(S, m, V):
        return
    r, v = np.empty(m), np.empty(m)
    logdet, d2 = 0.0, 0.0
    for i in range(m):
        r[i] = z[i] - zp[i]
        if i == wrapped:
            r[i] -= turn * math.floor((r[i] + math.pi) / turn)
        v[i] = r[i]
    solve_lower(V, v, m)
    for i in range(m):
        logdet += 2.0 * math.log(V[i, i])
        d2 += v[i] * v[i]
    log = -0.5 * (d2 + logdet + m * math.log(turn))
    if not log > -math.inf:
        return
    K, M = np.empty((n, m)), np.empty((n, n))
    T, Po = np.empty((n, n)), np.empty((n, n))
    for a in range(n):
        for i in range(m):
            v[i] = PA[a, i]
        solve_lower(V, v, m)
        solve_upper(V, v, m)
        for i in range(m):
            K[a, i] = v[i]
    for a in range(n):
        for b in range(n):
            s = 1.0 if a == b else 0.0
            for i in range(m):
                s -= K[a, i] * A[i, b]
            M[a, b] = s
    for a in range(n):
        for b in range(n):
            s = 0.0
            for k in range(n):
                s += M[a, k] * P[k, b]
            T[a, b] = s
    for a in range(n):
        for b in range(a, n):
            s = 0.0
            for k in range(n):
                s += T[a, k] * M[b, k]
            for i in range(m):
                for j in range(m):
                    s += K[a, i] * N[i, j] * K[b, j]
            Po[a, b] = s
            Po[b, a] = s
    if not root(Po, n, L):
        return
    for a in range(n):
        for i in range(m):
            x[a] += K[a, i] * r[i]
        for b in range(n):
            P[a, b] = Po[a, b]
    out[0], out[1] = log, d2


@kernel
def _points_rows(x: Array, P: Array, spread: float, X: Array, good: Bools) -> None:
    n = x.shape[1]
    L = np.empty((n, n))
    for a in range(x.shape[0]):
        good[a] = root(P[a], n, L)
        if not good[a]:
            for i in range(n):
                for j in range(n):
                    L[i, j] = math.nan
        spread_points(x[a], L, n, spread, X[a])


@kernel
def _moments_rows(X: Array, wm: Array, wc: Array, x: Array, P: Array) -> None:
    for a in range(X.shape[0]):
        weigh(X[a], X.shape[2], wm, wc, x[a], P[a])


@kernel
def _correct_rows(
    x: Array, P: Array, X: Array, Z: Array, z: Array, R: Array, wm: Array, wc: Array, wrapped: int, out: Array
) -> None:
    for a in range(x.shape[0]):
        _correct_row(x[a], P[a], X[a], Z[a], z[a], R[a], wm, wc, wrapped, out[a])


def points(x: Array, P: Array, w: Weights) -> Array:
    """Sigma points (k, 2 n + 1, n) of states ``x`` (k, n), ``P`` (k, n, n); NaN where P is not positive definite."""
    x, P = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(P, dtype=np.float64)
    _fits(x.shape[1], w)
    X = np.empty((len(x), 2 * x.shape[1] + 1, x.shape[1]))
    _points_rows(x, P, w.spread, X, np.empty(len(x), dtype=np.bool_))
    return X


def moments(X: Array, w: Weights) -> tuple[Array, Array]:
    """Mean (k, m) and covariance (k, m, m) of points ``X`` (k, 2 n + 1, m)."""
    X = np.ascontiguousarray(X, dtype=np.float64)
    if X.shape[1] != len(w.mean):
        raise ValueError(f"moments of sigma points: found {X.shape[1]} points and {len(w.mean)} weights")
    x, P = np.empty((len(X), X.shape[2])), np.empty((len(X), X.shape[2], X.shape[2]))
    _moments_rows(X, w.mean, w.cov, x, P)
    return x, P


def correct(
    x: Array, P: Array, X: Array, Z: Array, z: Array, R: Array, w: Weights, wrapped: int = -1
) -> tuple[Array, Array]:
    """Correct states in place: ``x`` (k, n), ``P`` (k, n, n) (contiguous float64), whose points ``X`` (k, 2 n + 1, n)
    would measure ``Z`` (k, 2 n + 1, m), by measurements ``z`` (k, m) with noise ``R`` (k, m, m).

    ``wrapped``: which component is an angle that may wrap (-1: none). Returns the log-likelihood (k,) and the squared
    distance (k,); -inf and inf, and nothing changed, where a row is not finite or not positive definite.
    """
    _fits(x.shape[1], w)
    for name, a in (("x", x), ("P", P)):
        if not (a.dtype == np.float64 and a.flags.c_contiguous):
            raise ValueError(f"{name}: corrected in place, so it must be a contiguous array of float64")
    out = np.empty((len(x), 2))
    X, Z, z, R = (np.array(a, dtype=np.float64, order="C") for a in (X, Z, z, R))
    _correct_rows(x, P, X, Z, z, R, w.mean, w.cov, wrapped, out)
    return out[:, 0], out[:, 1]


def _fits(n: int, w: Weights) -> None:
    if len(w.mean) != 2 * n + 1:
        raise ValueError(f"sigma points: found states of {n} dimensions and weights for {(len(w.mean) - 1) // 2}")
