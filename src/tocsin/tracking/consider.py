"""Sensor bias and clock errors that are never estimated, only reckoned with: the consider (Schmidt-Kalman) filter.

A constant bias makes the errors of a sensor's looks alike, so a filter that takes them for independent becomes sure of
a wrong place. The consider filter keeps, beside a track's covariance P, its cross-covariance C with q parameters b of
zero mean and known covariance B (biases of the components of z, and a clock error, for each sensor):

    z = h(x) + Hb b + v,    S = H P H' + H C Hb' + Hb C' H' + Hb B Hb' + R,    K = (P H' + C Hb') S^-1,

and updates x and P with that gain, C by C - K (H C + Hb B), and leaves b at zero and B as it is (Schmidt, "Application
of state-space methods to navigation problems", Advances in Control Systems 3, 1966; Woodbury and Junkins, AIAA
2010-7752, for the form with an arbitrary gain used here). Between updates C follows the state: F C. A parameter may
wander (Gauss-Markov of constant variance, correlation exp(-dt / tau)): C then fades by the same factor.

The parameters of one sensor are five in a row: the four components of its z, then its clock: the true time of a look
less the time that is stamped on it (s), whose derivative is ``H_t`` of ``measure.h``. Cartesian axes throughout, one
extended update a look: right where the cross-range spread squared over twice the range is small against the range
error (DESIGN section 9), as for a track that has left its chart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.jit import kernel
from tocsin.tracking.filter import factor
from tocsin.tracking.measure import Looks, h, wrap_residual

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

PER_SENSOR = 5  # four biases of z, one of the clock
CLOCK = 4


@dataclass(frozen=True)
class Parameters:
    """What is considered: ``B`` (q, q), covariance of the parameters, q = ``PER_SENSOR`` times the number of sensors;

    ``tau`` (q,): correlation time (s) of each, inf for constants.
    """

    B: Array
    tau: Array


def parameters(sigma: Array, tau: Array | float = math.inf) -> Parameters:
    """Independent parameters: ``sigma`` (sensors, 5), standard deviations of the four biases (units of z) and of the
    clock (s); ``tau`` likewise, or one for all (s). Zero leaves a parameter out.

    Raises ValueError for other shapes, negative or non-finite deviations, a tau that is not positive.
    """
    s = np.asarray(sigma, dtype=np.float64)
    if s.ndim != 2 or s.shape[1] != PER_SENSOR or not (np.isfinite(s) & (s >= 0.0)).all():
        raise ValueError(f"expected standard deviations (sensors, {PER_SENSOR}) of 0 or more, found shape {s.shape}")
    times = np.broadcast_to(np.asarray(tau, dtype=np.float64), s.shape)
    if not (times > 0.0).all():
        raise ValueError("correlation times must be above 0 s; inf is a constant")
    return Parameters(np.diag(s.ravel() ** 2), np.ascontiguousarray(times.ravel()))


@kernel
def consider_advance(
    x: Array, P: Array, C: Array, tau: Array, t0: float, t1: float, theta0: float, noise: float
) -> None:  # fmt: skip
    """Carry a state ``x`` (6), its covariance ``P`` (6, 6) and cross-covariance ``C`` (6, q) in free flight from ``t0``
    to ``t1`` (s), in place; ``noise``: density of white acceleration, m2/s3.
    """
    q = C.shape[1]
    F, T, out = np.empty((6, 6)), np.empty((6, 6)), np.empty(6)
    coast_to_stm(x, t0, t1, theta0, out, F)
    for i in range(6):
        for j in range(6):
            s = 0.0
            for k in range(6):
                s += F[i, k] * P[k, j]
            T[i, j] = s
    for i in range(6):
        for j in range(i, 6):
            s = 0.0
            for k in range(6):
                s += T[i, k] * F[j, k]
            P[i, j] = s
            P[j, i] = s
    span = abs(t1 - t0)
    for i in range(3):
        P[i, i] += noise * span * span * span / 3.0
        P[i, 3 + i] += noise * span * span / 2.0
        P[3 + i, i] += noise * span * span / 2.0
        P[3 + i, 3 + i] += noise * span
    column = np.empty(6)
    for b in range(q):
        fade = math.exp(-span / tau[b])
        for i in range(6):
            s = 0.0
            for k in range(6):
                s += F[i, k] * C[k, b]
            column[i] = s * fade
        for i in range(6):
            C[i, b] = column[i]
    for i in range(6):
        x[i] = out[i]


@kernel
def consider_update(
    x: Array, P: Array, C: Array, B: Array, sensor: int, kind: int, dt: float, region: int, platform: Array,
    attitude: Array, z: Array, R: Array, distance: Array,
) -> float:  # fmt: skip
    """Correct ``x`` (6), ``P`` (6, 6), ``C`` (6, q) by a look of sensor ``sensor`` (its place among the parameters,
    -1: it has none), in place; log-likelihood before it, ``distance[0]``: squared Mahalanobis distance.

    ``kind`` to ``R``: as ``measure.h`` and ``filter.update`` take them. Where the innovation's covariance is not
    positive definite, or ``z`` is not finite, nothing changes and -inf is returned.
    """
    q = C.shape[1]
    zp, Ht, bias = np.empty(4), np.empty(4), np.zeros(4)
    Hx, Hb = np.empty((4, 6)), np.empty((4, 4))
    n = h(kind, x, dt, region, platform, attitude, bias, zp, Hx, Hb, Ht)
    r, v, column = np.zeros(4), np.zeros(4), np.zeros(4)
    for i in range(n):
        r[i] = z[i] - zp[i]
    wrap_residual(kind, r)
    # parameters of this sensor: D = d z / d b, of which only these five columns are not zero
    D = np.zeros((4, PER_SENSOR))
    first = sensor * PER_SENSOR
    own = PER_SENSOR if sensor >= 0 else 0
    for i in range(n):
        for k in range(4):
            D[i, k] = Hb[i, k]
        D[i, CLOCK] = Ht[i]
    U = np.empty((6, 4))  # P H' + C D'
    W = np.zeros((q, 4))  # C' H' + B D'
    for i in range(n):
        for a in range(6):
            s = 0.0
            for k in range(6):
                s += P[a, k] * Hx[i, k]
            for k in range(own):
                s += C[a, first + k] * D[i, k]
            U[a, i] = s
        for b in range(q):
            s = 0.0
            for k in range(6):
                s += C[k, b] * Hx[i, k]
            for k in range(own):
                s += B[b, first + k] * D[i, k]
            W[b, i] = s
    S, L, K = np.empty((4, 4)), np.zeros((4, 4)), np.empty((6, 4))
    for i in range(n):
        for j in range(n):
            s = R[i, j]
            for k in range(6):
                s += Hx[i, k] * U[k, j]
            for k in range(own):
                s += D[i, k] * W[first + k, j]
            S[i, j] = s
    logdet = factor(S, n, L)
    if logdet == math.inf:
        return -math.inf
    # by substitution with L: v = L^-1 r, G = U L'^-1, so that K = G L^-1 and K S K' = G G'
    d2 = 0.0
    for i in range(n):
        s = r[i]
        for k in range(i):
            s -= L[i, k] * v[k]
        v[i] = s / L[i, i]
        d2 += v[i] * v[i]
    if not d2 < math.inf:  # a measurement that is no number
        return -math.inf
    distance[0] = d2
    for a in range(6):
        for i in range(n):
            s = U[a, i]
            for k in range(i):
                s -= L[i, k] * column[k]
            column[i] = s / L[i, i]
        for i in range(n - 1, -1, -1):
            s = column[i]
            for k in range(i + 1, n):
                s -= L[k, i] * K[a, k]
            K[a, i] = s / L[i, i]
    for a in range(6):
        for i in range(n):
            x[a] += K[a, i] * r[i]
        for b in range(q):
            for i in range(n):
                C[a, b] -= K[a, i] * W[b, i]
    # P - K U' - U K' + K S K': holds for any gain, and is symmetric
    KS = np.empty((6, 4))
    for a in range(6):
        for j in range(n):
            s = 0.0
            for i in range(n):
                s += K[a, i] * S[i, j]
            KS[a, j] = s
    for a in range(6):
        for b in range(a, 6):
            s = P[a, b]
            for i in range(n):
                s += KS[a, i] * K[b, i] - K[a, i] * U[b, i] - U[a, i] * K[b, i]
            P[a, b] = s
            P[b, a] = s
    return -0.5 * (d2 + logdet + n * math.log(2.0 * math.pi))


@kernel
def _rows(
    x: Array, P: Array, C: Array, t: Array, B: Array, tau: Array, theta0: float, noise: float, sensor: Ints, kind: Ints,
    t_look: Array, dt: Array, region: Ints, platform: Array, attitude: Array, z: Array, R: Array, fits: Array,
) -> None:  # fmt: skip
    distance = np.empty(1)
    for a in range(x.shape[0]):
        distance[0] = math.inf
        consider_advance(x[a], P[a], C[a], tau, t[a], t_look[a], theta0, noise)
        fits[a, 0] = consider_update(
            x[a], P[a], C[a], B, sensor[a], kind[a], dt[a], region[a], platform[a], attitude[a], z[a], R[a], distance
        )
        fits[a, 1] = distance[0]
        t[a] = t_look[a]


@dataclass
class Considered:
    """Coasting tracks with what they owe to the considered parameters; row i of every array is one track.

    ``x`` (k, 6), ``P`` (k, 6, 6), eci, m and m/s; ``C`` (k, 6, q) with the parameters; ``t`` (k,) s.
    """

    x: Array
    P: Array
    C: Array
    t: Array

    @classmethod
    def start(cls, x: Array, P: Array, t: Array, of: Parameters) -> Considered:
        """Tracks that owe the parameters nothing yet. Raises ValueError for shapes that do not go together."""
        k, q = len(x), len(of.B)
        states, cov = np.array(x, dtype=np.float64), np.array(P, dtype=np.float64)
        times = np.array(np.broadcast_to(np.asarray(t, dtype=np.float64), (k,)))
        if states.shape != (k, 6) or cov.shape != (k, 6, 6):
            raise ValueError(f"expected x (k, 6) and P (k, 6, 6), found {states.shape} and {cov.shape}")
        return cls(states, cov, np.zeros((k, 6, q)), times)

    def update(
        self, rows: Ints, looks: Looks, dets: Ints, sensor: Ints, of: Parameters, theta0: float = 0.0, noise: float =
        1e-5,
    ) -> Array:  # fmt: skip
        """Carry tracks ``rows`` (k,), no track twice, to looks ``dets`` (k,) and correct them, in place.

        ``sensor`` (k,): place of each look's sensor among the parameters, -1 where none is considered; ``theta0``:
        sidereal angle at time zero; ``noise``: density of white acceleration, m2/s3. Returns (k, 2): log-likelihood
        (-inf: not used), squared distance. Raises ValueError for a track named twice or a sensor without parameters.
        """
        which = np.asarray(sensor, dtype=np.int64)
        if len(np.unique(rows)) != len(rows):
            raise ValueError("a track stands twice in one update")
        if len(which) and not (which.min() >= -1 and (which.max() + 1) * PER_SENSOR <= len(of.B)):
            raise ValueError(
                f"sensors must be -1 to {len(of.B) // PER_SENSOR - 1}, found {which.min()} to {which.max()}"
            )
        x, P, C, t = self.x[rows], self.P[rows], self.C[rows], self.t[rows]
        fits = np.empty((len(rows), 2))
        _rows(
            x, P, C, t, of.B, of.tau, float(theta0), float(noise), which, looks.kind[dets], looks.t_s[dets],
            looks.dt[dets], looks.region[dets], looks.platform[dets], looks.attitude[dets], looks.z[dets],
            looks.R[dets], fits,
        )  # fmt: skip
        self.x[rows], self.P[rows], self.C[rows], self.t[rows] = x, P, C, t
        return fits
