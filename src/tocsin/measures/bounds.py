"""The posterior Cramér-Rao bound: how small the error of any estimator can be, for a model that is known.

Tichavsky, Muravchik, Nehorai, "Posterior Cramér-Rao bounds for discrete-time nonlinear filtering", IEEE TSP 46 (1998):
for x' = f(x) + w, w of covariance Q, and measurements of information J = E[H' R^-1 H], eq. 21 is

    J_{k+1} = D22 - D21 (J_k + D11)^-1 D12 + J,  D11 = E[F' Q^-1 F], D12 = -E[F'] Q^-1, D22 = Q^-1,

which by the matrix inversion lemma is the Riccati recursion of a Kalman filter whose F and J are taken at the truth:

    B^-_{k+1} = F B_k F' + Q,      B_k = (B^-_k ^-1 + J_k)^-1.

The second form is used: the first needs Q^-1, and breaks where Q is small or none. It is exact where F does not vary
with the state (within what the prior allows), and otherwise stands for a bound given the path; the mean over drawn
paths, as here (``Bound.mean``), is the bound of a Bayesian who is told the path to linearise about. Measurements that
may be missed count by the information reduction factor: detection probability Pd times their information (Niu,
Willett, Bar-Shalom, IEEE TAES 37, 2001; without false detections the factor is Pd). With a Pd under 1 it is a bound,
but not a tight one while detections are few (Hernandez, Ristic, Farina, Sathyan, Soltys, IEEE TAES 44, 2008).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.tracking.filter import factor
from tocsin.tracking.measure import Looks, predict

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def measured(B: Array, J: Array, n: int, out: Array) -> bool:
    """``out = (B^-1 + J)^-1`` without inverting B: B - B G (I + G' B G)^-1 G' B with J = G G'.

    ``B``, ``J`` symmetric (n, n), J positive semidefinite of any rank, B too; False where they are not.
    """
    G, A, S, L = np.zeros((n, n)), np.empty((n, n)), np.empty((n, n)), np.zeros((n, n))
    # G: Cholesky with zero rows where nothing new is measured (semidefinite)
    for j in range(n):
        d = J[j, j]
        for k in range(j):
            d -= G[j, k] * G[j, k]
        if d < -1e-9 * abs(J[j, j]):
            return False
        if d > 1e-13 * abs(J[j, j]):
            G[j, j] = math.sqrt(d)
            for i in range(j + 1, n):
                s = J[i, j]
                for k in range(j):
                    s -= G[i, k] * G[j, k]
                G[i, j] = s / G[j, j]
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += B[i, k] * G[k, j]
            A[i, j] = s  # B G
    for i in range(n):
        for j in range(n):
            s = 1.0 if i == j else 0.0
            for k in range(n):
                s += G[k, i] * A[k, j]
            S[i, j] = s
    if factor(S, n, L) == math.inf:
        return False
    # rows of A L'^-1: out = B - (A L'^-1) (A L'^-1)'
    for i in range(n):
        for j in range(n):
            s = A[i, j]
            for k in range(j):
                s -= L[j, k] * A[i, k]
            A[i, j] = s / L[j, j]
    for i in range(n):
        for j in range(i, n):
            s = B[i, j]
            for k in range(n):
                s -= A[i, k] * A[j, k]
            out[i, j] = s
            out[j, i] = s
    return True


@kernel
def _bound(F: Array, Q: Array, J: Array, P0: Array, out: Array) -> bool:
    steps, n = F.shape[0], P0.shape[0]
    B, T = P0.copy(), np.empty((n, n))
    for s in range(steps):
        for i in range(n):
            for j in range(n):
                t = 0.0
                for k in range(n):
                    t += F[s, i, k] * B[k, j]
                T[i, j] = t
        for i in range(n):
            for j in range(i, n):
                t = Q[s, i, j]
                for k in range(n):
                    t += T[i, k] * F[s, j, k]
                B[i, j] = t
                B[j, i] = t
        if not measured(B, J[s], n, out[s]):
            return False
        B[:] = out[s]
    return True


@kernel
def _bounds(F: Array, Q: Array, J: Array, P0: Array, out: Array) -> int:
    for a in range(F.shape[0]):
        if not _bound(F[a], Q[a], J[a], P0[a], out[a]):
            return a
    return -1


def _many(name: str, values: Array, shape: tuple[int, ...]) -> Array:
    try:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(values, dtype=np.float64), shape))
    except ValueError:
        raise ValueError(f"{name}: expected a shape that goes with {shape}, found {np.shape(values)}") from None


def bound(F: Array, Q: Array, J: Array, P0: Array) -> Array:
    """The bound after each step's measurements, of the shape of ``F``: (k, n, n), or (runs, k, n, n) for many runs.

    Step s: carried by ``F[s]`` with noise ``Q[s]``, then measured with information ``J[s]`` (zeros: nothing). ``F``
    (..., k, n, n); ``Q``, ``J`` likewise or such as are broadcast to it; ``P0`` (n, n) or (runs, n, n): what was known
    before the first step. For information at the start, make the first F the identity and its Q zero. Raises ValueError
    for shapes that do not go together, or where a covariance or an information is not positive (semi)definite.
    """
    f = np.asarray(F, dtype=np.float64)
    if f.ndim not in (3, 4) or f.shape[-1] != f.shape[-2]:
        raise ValueError(f"F: expected (k, n, n) or (runs, k, n, n), found {f.shape}")
    single = f.ndim == 3
    runs, steps, n = (1 if single else f.shape[0]), f.shape[-3], f.shape[-1]
    full = (runs, steps, n, n)
    out = np.empty(full)
    start = _many("P0", P0, (runs, n, n))
    failed = _bounds(_many("F", f, full), _many("Q", Q, full), _many("J", J, full), start, out)
    if failed >= 0:
        raise ValueError(f"run {failed}: P0, Q or J is not positive semidefinite")
    return out[0] if single else out


@dataclass(frozen=True)
class Bound:
    """A bound over many runs: ``P`` (runs, k, n, n) given each run's path."""

    P: Array

    @property
    def mean(self) -> Array:
        """(k, n, n): the mean over the runs, to be compared with mean squared errors over the same runs."""
        return np.asarray(self.P.mean(axis=0))

    def rms(self, slots: Sequence[int] = (0, 1, 2)) -> Array:
        """(k,): root of the mean square that errors in ``slots`` together cannot be under (position by default)."""
        mean = self.mean
        return np.asarray(np.sqrt(sum(mean[:, i, i] for i in slots)))


@kernel
def _information(Hx: Array, R: Array, rows: Ints, weight: Array, row: Ints, out: Array) -> int:
    L, g, T = np.zeros((4, 4)), np.empty(4), np.empty((4, 6))
    for a in range(Hx.shape[0]):
        n = rows[a]
        if factor(R[a], n, L) == math.inf:
            return a
        # L^-1 H, whose square is H' R^-1 H
        for j in range(6):
            for i in range(n):
                s = Hx[a, i, j]
                for k in range(i):
                    s -= L[i, k] * g[k]
                g[i] = s / L[i, i]
                T[i, j] = g[i]
        for i in range(6):
            for j in range(6):
                s = 0.0
                for k in range(n):
                    s += T[k, i] * T[k, j]
                out[row[a], i, j] += weight[a] * s
    return -1


def information(truth: Array, looks: Looks, row: Ints, rows: int, pd: float | Array = 1.0) -> Array:
    """Information (rows, 6, 6) about position and velocity in ``looks`` at the true states ``truth`` (k, 6), H' R^-1 H
    summed into ``row`` (k,); each counts by its detection probability ``pd`` (the information reduction factor).

    Raises ValueError where a noise covariance is not positive definite, or a ``pd`` is outside [0, 1].
    """
    weight = np.ascontiguousarray(np.broadcast_to(np.asarray(pd, dtype=np.float64), (len(truth),)))
    if not ((weight >= 0.0) & (weight <= 1.0)).all():
        raise ValueError("a detection probability must be from 0 to 1")
    where = np.ascontiguousarray(row, dtype=np.int64)
    if len(where) != len(truth) or (len(where) and not (where.min() >= 0 and where.max() < rows)):
        raise ValueError(f"row: expected {len(truth)} numbers from 0 to {rows - 1}")
    _, hx, _, _ = predict(truth, looks)
    out = np.zeros((rows, 6, 6))
    failed = _information(hx, looks.R, looks.rows, weight, where, out)
    if failed >= 0:
        raise ValueError(f"look {failed}: R is not positive definite")
    return out
