"""The update of a track by a detection: an extended Kalman filter in the range-direction chart of a sensor.

A long-range radar measures range to tens of metres and direction to kilometres: what it knows is a thin curved shell,
which a Gaussian in Cartesian axes is not. Updates are therefore carried out in the chart of a sensor, (range, two
small angles about the predicted line of sight, and their rates), where the measurement is nearly linear: the state is
moved there, corrected, moved back exactly, and its covariance is carried by the derivatives at each end. Stored states
stay Cartesian; between updates, the covariance is a tangent to the shell at the mean. For detections of a second
sensor the chart of the first is kept, with the update iterated, as long as the shell is bent against its thickness:
(cross-range sigma)^2 / (2 R) over 0.3 sigma of range.

Covariances are updated in Joseph's form. Sources: Aidala and Hammel, IEEE TAC 28 (1983) for filtering in polar charts;
Bell and Cathey, IEEE TAC 38 (1993) for the iteration; Bar-Shalom, Li, Kirubarajan (2001), section 11.6, for the
multiple model.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.records.columns import Kind
from tocsin.tracking.measure import Looks, h, move_platform, predict_rows, wrap_residual
from tocsin.tracking.models import BOOST, USED, Bank

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_BENT = 0.3  # of the range sigma: how far the shell may leave its tangent before Cartesian axes will not do
_ITERATIONS_OTHER = 4
_MOST_STEPS = 8
_LOS = Kind.LOS
_RAER = Kind.RAER
_RAE = Kind.RAE
_DARK = 1e-3  # share of the plume's detection probability that a coasting object is granted: it has no plume


@kernel
def site_at(site: Array, theta: float, out: Array) -> None:
    """Position and velocity (6) eci of a place at rest on the Earth (ecef, 3) at sidereal angle ``theta``."""
    c, s = math.cos(theta), math.sin(theta)
    out[0], out[1], out[2] = c * site[0] - s * site[1], s * site[0] + c * site[1], site[2]
    out[3], out[4], out[5] = -OMEGA_GMST * out[1], OMEGA_GMST * out[0], 0.0


@kernel
def chart_axes(x: Array, centre: Array, e: Array, y: Array) -> None:
    """Axes ``e`` (3, 3: line of sight, two across) and coordinates ``y`` (6) of ``x`` in its chart about ``centre``."""
    d = np.empty(3)
    w = np.empty(3)
    for k in range(3):
        d[k] = x[k] - centre[k]
        w[k] = x[3 + k] - centre[3 + k]
    r = max(math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]), 1.0)
    for k in range(3):
        e[0, k] = d[k] / r
    # across: perpendicular to the coordinate axis that the line of sight is least along
    a, b, c = abs(e[0, 0]), abs(e[0, 1]), abs(e[0, 2])
    if c <= a and c <= b:
        e[1, 0], e[1, 1], e[1, 2] = -e[0, 1], e[0, 0], 0.0
    elif b <= a:
        e[1, 0], e[1, 1], e[1, 2] = e[0, 2], 0.0, -e[0, 0]
    else:
        e[1, 0], e[1, 1], e[1, 2] = 0.0, -e[0, 2], e[0, 1]
    n = math.sqrt(e[1, 0] ** 2 + e[1, 1] ** 2 + e[1, 2] ** 2)
    for k in range(3):
        e[1, k] /= n
    e[2, 0] = e[0, 1] * e[1, 2] - e[0, 2] * e[1, 1]
    e[2, 1] = e[0, 2] * e[1, 0] - e[0, 0] * e[1, 2]
    e[2, 2] = e[0, 0] * e[1, 1] - e[0, 1] * e[1, 0]
    y[0], y[1], y[2] = r, 0.0, 0.0
    for k in range(3):
        s = e[k, 0] * w[0] + e[k, 1] * w[1] + e[k, 2] * w[2]
        y[3 + k] = s if k == 0 else s / r


@kernel
def from_chart(y: Array, centre: Array, e: Array, x: Array, G: Array) -> None:
    """State ``x`` (6) of chart coordinates ``y`` (6) and the derivative ``G`` (6, 6) of x by y."""
    ca, sa = math.cos(y[1]), math.sin(y[1])
    cb, sb = math.cos(y[2]), math.sin(y[2])
    r, rr, ar, br = y[0], y[3], y[4], y[5]
    for k in range(3):
        fwd, side = ca * e[0, k] + sa * e[1, k], ca * e[1, k] - sa * e[0, k]
        u = cb * fwd + sb * e[2, k]
        ua = cb * side
        ub = cb * e[2, k] - sb * fwd
        uaa = -cb * fwd
        uab = -sb * side
        x[k] = centre[k] + r * u
        x[3 + k] = centre[3 + k] + rr * u + r * (ar * ua + br * ub)
        G[k, 0], G[k, 1], G[k, 2] = u, r * ua, r * ub
        G[k, 3], G[k, 4], G[k, 5] = 0.0, 0.0, 0.0
        G[3 + k, 0] = ar * ua + br * ub
        G[3 + k, 1] = rr * ua + r * (ar * uaa + br * uab)
        G[3 + k, 2] = rr * ub + r * (ar * uab - br * u)
        G[3 + k, 3], G[3 + k, 4], G[3 + k, 5] = u, r * ua, r * ub


@kernel
def to_chart(y: Array, e: Array, J: Array) -> None:
    """Derivative ``J`` (6, 6) of chart coordinates by the state at angles zero: ``from_chart``'s inverse."""
    r = y[0]
    for j in range(3):
        J[0, j], J[0, 3 + j] = e[0, j], 0.0
        J[1, j], J[1, 3 + j] = e[1, j] / r, 0.0
        J[2, j], J[2, 3 + j] = e[2, j] / r, 0.0
        J[3, j], J[3, 3 + j] = y[4] * e[1, j] + y[5] * e[2, j], e[0, j]
        J[4, j], J[4, 3 + j] = -(y[4] * e[0, j] + y[3] * e[1, j] / r) / r, e[1, j] / r
        J[5, j], J[5, 3 + j] = -(y[5] * e[0, j] + y[3] * e[2, j] / r) / r, e[2, j] / r


@kernel
def _carry(J: Array, P: Array, n: int, out: Array) -> None:
    """``out = diag(J, I) P diag(J, I)'`` for an n x n P, made symmetric."""
    t = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            if i < 6:
                s = 0.0
                for k in range(6):
                    s += J[i, k] * P[k, j]
                t[i, j] = s
            else:
                t[i, j] = P[i, j]
    for i in range(n):
        for j in range(n):
            if j < 6:
                s = 0.0
                for k in range(6):
                    s += t[i, k] * J[j, k]
                out[i, j] = s
            else:
                out[i, j] = t[i, j]
    for i in range(n):
        for j in range(i):
            s = 0.5 * (out[i, j] + out[j, i])
            out[i, j] = s
            out[j, i] = s


@kernel
def factor(S: Array, n: int, L: Array) -> float:
    """Cholesky factor of the leading n x n part of S into L; returns ln det S, inf where S is not positive definite."""
    logdet = 0.0
    for i in range(n):
        for j in range(i + 1):
            s = S[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                if not s > 0.0:
                    return math.inf
                L[i, i] = math.sqrt(s)
                logdet += math.log(s)
            else:
                L[i, j] = s / L[j, j]
    return logdet


@kernel
def _solve(L: Array, b: Array, n: int) -> None:
    """Solve L L' v = b in place."""
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= L[i, k] * b[k]
        b[i] = s / L[i, i]
    for i in range(n - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, n):
            s -= L[k, i] * b[k]
        b[i] = s / L[i, i]


@kernel
def _innovate(kind: int, n: int, zp: Array, Hx: Array, P: Array, z: Array, R: Array, out: Array) -> float:
    """Log-likelihood of a measurement under a state's predicted one; ``out[0]``: squared Mahalanobis distance.

    The spread of range that a Cartesian Gaussian bent around the sensor has (variance of d^2 / 2 R for the cross-range
    d) is added.
    """
    S = np.empty((4, 4))
    r, v = np.zeros(4), np.zeros(4)
    for i in range(n):
        r[i] = z[i] - zp[i]
        for j in range(n):
            s = 0.0
            for a in range(6):
                for b in range(6):
                    s += Hx[i, a] * P[a, b] * Hx[j, b]
            S[i, j] = s
    if kind in (_RAE, _RAER):
        S[0, 0] += 0.5 * (zp[0] * S[2, 2]) ** 2 + 0.5 * (zp[0] * math.cos(zp[2]) ** 2 * S[1, 1]) ** 2
    for i in range(n):
        for j in range(n):
            S[i, j] += R[i, j]
    wrap_residual(kind, r)
    L = np.zeros((4, 4))
    logdet = factor(S, n, L)
    if logdet == math.inf:
        out[0] = math.inf
        return -math.inf
    for i in range(n):
        v[i] = r[i]
    _solve(L, v, n)
    d2 = 0.0
    for i in range(n):
        d2 += r[i] * v[i]
    out[0] = d2
    return -0.5 * (d2 + logdet + n * math.log(2.0 * math.pi))


@kernel
def update(
    x: Array, P: Array, slots: int, kind: int, dt: float, region: int, platform: Array, attitude: Array, z: Array,
    R: Array, charted: bool, centre: Array, iterations: int, distance: Array,
) -> float:  # fmt: skip
    """Correct a state (``x`` (10), ``P`` (10, 10), of which ``slots`` are used) by a measurement, in place;
    log-likelihood before it.

    ``charted``: in the chart about ``centre`` (6), else in Cartesian axes; ``iterations`` of Gauss-Newton (1: the
    plain filter). Where the innovation's covariance is not positive definite nothing changes and -inf is returned.
    """
    e, J, G = np.zeros((3, 3)), np.zeros((6, 6)), np.zeros((6, 6))
    y0, y = np.empty(slots), np.empty(slots)
    xi = np.empty(6)
    Py = np.empty((slots, slots))
    for i in range(6):
        xi[i] = x[i]
        G[i, i] = 1.0
        J[i, i] = 1.0
    y6 = np.empty(6)
    if charted:
        chart_axes(xi, centre, e, y6)
        to_chart(y6, e, J)
        from_chart(y6, centre, e, xi, G)
    else:
        for i in range(6):
            y6[i] = xi[i]
    for i in range(slots):
        y0[i] = y6[i] if i < 6 else x[i]
        y[i] = y0[i]
    _carry(J, P, slots, Py)
    zp, Ht, bias = np.empty(4), np.empty(4), np.zeros(4)
    Hx, Hb = np.empty((4, 6)), np.empty((4, 4))
    H = np.zeros((4, slots))
    PH = np.empty((slots, 4))
    K = np.empty((slots, 4))
    S, L = np.empty((4, 4)), np.zeros((4, 4))
    r, v, column = np.zeros(4), np.zeros(4), np.zeros(4)
    likelihood = 0.0
    n = 0
    for step in range(iterations):
        n = h(kind, xi, dt, region, platform, attitude, bias, zp, Hx, Hb, Ht)
        for i in range(n):
            for j in range(6):
                s = 0.0
                for k in range(6):
                    s += Hx[i, k] * G[k, j]
                H[i, j] = s
        for a in range(slots):
            for i in range(n):
                s = 0.0
                for k in range(6):
                    s += Py[a, k] * H[i, k]
                PH[a, i] = s
        for i in range(n):
            for j in range(n):
                s = R[i, j]
                for k in range(6):
                    s += H[i, k] * PH[k, j]
                S[i, j] = s
        logdet = factor(S, n, L)
        if logdet == math.inf:
            return -math.inf
        for i in range(4):
            r[i] = z[i] - zp[i] if i < n else 0.0
        wrap_residual(kind, r)
        for i in range(n):
            s = r[i]
            for k in range(6):
                s -= H[i, k] * (y0[k] - y[k])
            v[i] = s
        for a in range(slots):
            for i in range(n):
                column[i] = PH[a, i]
            _solve(L, column, n)
            for i in range(n):
                K[a, i] = column[i]
        if step == 0:
            for i in range(n):
                column[i] = v[i]
            _solve(L, column, n)
            d2 = 0.0
            for i in range(n):
                d2 += v[i] * column[i]
            distance[0] = d2
            likelihood = -0.5 * (d2 + logdet + n * math.log(2.0 * math.pi))
        for a in range(slots):
            s = y0[a]
            for i in range(n):
                s += K[a, i] * v[i]
            y[a] = s
        if charted:
            y[0] = max(y[0], 1.0)
            for i in range(6):
                y6[i] = y[i]
            from_chart(y6, centre, e, xi, G)
        else:
            for i in range(6):
                xi[i] = y[i]
    # Joseph: (I - K H) Py (I - K H)' + K R K'
    M = np.zeros((slots, slots))
    T = np.empty((slots, slots))
    for i in range(slots):
        M[i, i] = 1.0
        for j in range(6):
            for k in range(n):
                M[i, j] -= K[i, k] * H[k, j]
    for i in range(slots):
        for j in range(slots):
            s = 0.0
            for k in range(slots):
                m = M[i, k]
                if m != 0.0:
                    s += m * Py[k, j]
            T[i, j] = s
    for i in range(slots):
        for j in range(slots):
            s = 0.0
            for k in range(slots):
                s += T[i, k] * M[j, k]
            for a in range(n):
                for b in range(n):
                    s += K[i, a] * R[a, b] * K[j, b]
            Py[i, j] = s
    _carry(G, Py, slots, T)
    for i in range(slots):
        x[i] = xi[i] if i < 6 else y[i]
        for j in range(slots):
            P[i, j] = T[i, j]
    return likelihood


@kernel
def bridge(
    x0: Array, P0: Array, t0: float, t1: float, theta0: float, charted: bool, centre: Array, x: Array, P: Array, slots:
    int, kind: int, dt: float, region: int, platform: Array, attitude: Array, z: Array, R: Array, distance: Array,
) -> float:  # fmt: skip
    """Correct a predicted state as ``update`` does, but with the flight since ``t0`` linearised anew in every
    iteration.

    Over a gap, or where the velocity before it was hardly known, the flight bends more than the measurement is wide.
    Sought is therefore the most likely state *before* (``x0`` (6), ``P0`` (6, 6) at ``t0``, in the chart about
    ``centre`` if ``charted``) and what has happened since beside free fall: ``x`` (10), ``P`` (10, 10), the prediction
    at ``t1``, less the free fall of ``x0``. The corrected state at ``t1`` is written to ``x``, ``P``; ``distance[0]``:
    squared distance; returns the log-likelihood.
    """
    e, J, G = np.zeros((3, 3)), np.zeros((6, 6)), np.zeros((6, 6))
    y0, y, xi, x1 = np.empty(6), np.empty(6), np.empty(6), np.empty(6)
    Phi, A = np.empty((6, 6)), np.empty((6, 6))
    Py = np.empty((6, 6))
    for i in range(6):
        xi[i] = x0[i]
        G[i, i] = 1.0
        J[i, i] = 1.0
        y0[i] = x0[i]
    if charted:
        chart_axes(xi, centre, e, y0)
        to_chart(y0, e, J)
        from_chart(y0, centre, e, xi, G)
    for i in range(6):
        y[i] = y0[i]
    _carry(J, P0, 6, Py)
    # what has happened beside free fall: mean ``since`` and covariance ``W``
    since = np.empty(slots)
    W, T = np.empty((slots, slots)), np.empty((6, 6))
    coast_to_stm(xi, t0, t1, theta0, x1, Phi)
    _carry(Phi, P0, 6, T)
    for i in range(slots):
        since[i] = x[i] - x1[i] if i < 6 else x[i]
        for j in range(slots):
            W[i, j] = P[i, j] - T[i, j] if i < 6 and j < 6 else P[i, j]
    for i in range(6):
        W[i, i] = max(W[i, i], 0.0)
    xs = np.empty(6)
    zp, Ht, bias = np.empty(4), np.empty(4), np.zeros(4)
    Hx, Hb = np.empty((4, 6)), np.empty((4, 4))
    H, PH, K = np.empty((4, 6)), np.empty((6, 4)), np.empty((6, 4))
    WH, M = np.empty((slots, 4)), np.empty((slots, 4))
    S, N, L = np.empty((4, 4)), np.empty((4, 4)), np.zeros((4, 4))
    r, v, column = np.zeros(4), np.zeros(4), np.zeros(4)
    likelihood, d2 = -math.inf, math.inf
    n = 0
    for step in range(_MOST_STEPS):
        for i in range(6):
            xs[i] = x1[i] + since[i]
        n = h(kind, xs, dt, region, platform, attitude, bias, zp, Hx, Hb, Ht)
        for i in range(6):
            for j in range(6):
                s = 0.0
                for k in range(6):
                    s += Phi[i, k] * G[k, j]
                A[i, j] = s
        for i in range(n):
            for j in range(6):
                s = 0.0
                for k in range(6):
                    s += Hx[i, k] * A[k, j]
                H[i, j] = s
            for a in range(slots):
                s = 0.0
                for k in range(6):
                    s += W[a, k] * Hx[i, k]
                WH[a, i] = s
        for a in range(6):
            for i in range(n):
                s = 0.0
                for k in range(6):
                    s += Py[a, k] * H[i, k]
                PH[a, i] = s
        for i in range(n):
            for j in range(n):
                s = R[i, j]
                for k in range(6):
                    s += Hx[i, k] * WH[k, j]
                N[i, j] = s
                for k in range(6):
                    s += H[i, k] * PH[k, j]
                S[i, j] = s
        logdet = factor(S, n, L)
        if logdet == math.inf:
            return -math.inf
        for i in range(4):
            r[i] = z[i] - zp[i] if i < n else 0.0
        wrap_residual(kind, r)
        for i in range(n):
            s = r[i]
            for k in range(6):
                s -= H[i, k] * (y0[k] - y[k])
            v[i] = s
            column[i] = s
        _solve(L, column, n)
        d2 = 0.0
        for i in range(n):
            d2 += v[i] * column[i]
        likelihood = -0.5 * (d2 + logdet + n * math.log(2.0 * math.pi))
        moved = 0.0
        for a in range(6):
            s = y0[a]
            for i in range(n):
                s += PH[a, i] * column[i]
            moved = max(moved, (s - y[a]) ** 2 / max(Py[a, a], 1e-300))
            xs[a] = s
        if moved < 1e-8 and step > 0:
            break
        for a in range(6):
            y[a] = xs[a]
        if charted:
            y[0] = max(y[0], 1.0)
            from_chart(y, centre, e, xi, G)
        else:
            for i in range(6):
                xi[i] = y[i]
        coast_to_stm(xi, t0, t1, theta0, x1, Phi)
    distance[0] = d2
    # covariance before, Joseph: (I - K H) Py (I - K H)' + K N K'
    for a in range(6):
        for i in range(n):
            column[i] = PH[a, i]
        _solve(L, column, n)
        for i in range(n):
            K[a, i] = column[i]
    for i in range(6):
        for j in range(6):
            J[i, j] = 1.0 if i == j else 0.0
            for k in range(n):
                J[i, j] -= K[i, k] * H[k, j]
    _carry(J, Py, 6, T)
    for i in range(6):
        for j in range(6):
            s = T[i, j]
            for a in range(n):
                for b in range(n):
                    s += K[i, a] * N[a, b] * K[j, b]
            Py[i, j] = s
    # what has happened since, given the measurement: W H' N^-1, and with it the state and covariance at t1
    if factor(N, n, L) == math.inf:
        return -math.inf
    for a in range(slots):
        for i in range(n):
            column[i] = WH[a, i]
        _solve(L, column, n)
        for i in range(n):
            M[a, i] = column[i]
    F = np.empty((slots, 6))
    for a in range(slots):
        for j in range(6):
            s = A[a, j] if a < 6 else 0.0
            for i in range(n):
                s -= M[a, i] * H[i, j]
            F[a, j] = s
    FP = np.empty((slots, 6))
    for a in range(slots):
        for j in range(6):
            s = 0.0
            for k in range(6):
                s += F[a, k] * Py[k, j]
            FP[a, j] = s
    for a in range(slots):
        s = x1[a] + since[a] if a < 6 else since[a]
        for i in range(n):
            s += M[a, i] * r[i]
        x[a] = s
        for b in range(a, slots):
            s = W[a, b]
            for i in range(n):
                s -= M[a, i] * WH[b, i]
            for k in range(6):
                s += FP[a, k] * F[b, k]
            P[a, b] = s
            P[b, a] = s
    return likelihood


@kernel
def bent(P: Array, x: Array, centre: Array) -> bool:
    """Whether what is known of the position about ``centre`` is a shell too bent for Cartesian axes."""
    d0, d1, d2 = x[0] - centre[0], x[1] - centre[1], x[2] - centre[2]
    r = max(math.sqrt(d0 * d0 + d1 * d1 + d2 * d2), 1.0)
    u = (d0 / r, d1 / r, d2 / r)
    along = 0.0
    trace = 0.0
    for i in range(3):
        trace += P[i, i]
        for j in range(3):
            along += u[i] * P[i, j] * u[j]
    across = max(trace - along, 0.0)
    return bool(across / (2.0 * r) > _BENT * math.sqrt(max(along, 0.0)))


@kernel
def _update_rows(
    kinds: Ints, used: Ints, x: Array, P: Array, mu: Array, t1: Array, x0: Array, P0: Array, t0: Array, anew: Ints,
    theta0: float, chart: Ints, sites: Array, own: int, charts: bool,
    kind: Ints, dt: Array, region: Ints, platform: Array, attitude: Array, z: Array, R: Array, score: Array,
) -> None:  # fmt: skip
    centre, attitude_now, platform_now = np.empty(6), np.empty(9), np.empty(6)
    models = kinds.shape[0]
    weight, distance = np.empty(models), np.empty(1)
    for a in range(x.shape[0]):
        move_platform(dt[a], region[a], platform[a], attitude[a], platform_now, attitude_now)
        kept = chart[a] != 0 and chart[a] != own
        charted = True
        iterations = 1
        if anew[a]:
            charted = charts and (chart[a] != 0 or own != 0)
            site_at(sites[a], theta0 + OMEGA_GMST * t0[a], centre)
        elif kept:
            site_at(sites[a], theta0 + OMEGA_GMST * t1[a], centre)
            iterations = _ITERATIONS_OTHER
        else:
            for i in range(6):
                centre[i] = platform_now[i]
        most = -math.inf
        closest = math.inf
        for m in range(models):
            weight[m] = -math.inf
            if mu[a, m] <= 0.0:
                continue
            slots = used[m]
            lit = _DARK if kind[a] == _LOS and kinds[m] != BOOST and models > 1 else 1.0
            if anew[a]:
                likelihood = bridge(
                    x0[a], P0[a], t0[a], t1[a], theta0, charted, centre, x[a, m], P[a, m], slots,
                    kind[a], dt[a], region[a], platform[a], attitude[a], z[a], R[a], distance,
                )  # fmt: skip
            else:
                likelihood = update(
                    x[a, m], P[a, m], slots, kind[a], dt[a], region[a], platform[a], attitude[a], z[a], R[a],
                    charts, centre, iterations, distance,
                )  # fmt: skip
            weight[m] = math.log(mu[a, m] * lit) + likelihood
            closest = min(closest, distance[0])
            most = max(most, weight[m])
        score[a, 0] = -math.inf
        score[a, 1] = closest
        if most > -math.inf:
            total = 0.0
            for m in range(models):
                weight[m] = math.exp(weight[m] - most)
                total += weight[m]
            for m in range(models):
                mu[a, m] = weight[m] / total
            score[a, 0] = most + math.log(total)
        if not charts:
            chart[a] = 0
            continue
        best = models - 1
        for m in range(models - 1, -1, -1):
            if mu[a, m] > mu[a, best]:
                best = m
        if kept:
            site_at(sites[a], theta0 + OMEGA_GMST * t1[a], centre)
        else:
            for i in range(6):
                centre[i] = platform_now[i]
        if not bent(P[a, best], x[a, best], centre):
            chart[a] = 0
        elif not kept:
            chart[a] = own


def update_rows(
    bank: Bank, before: tuple[Array, Array, Array], carried: tuple[Array, Array, Array], anew: Ints,
    chart: Ints, sites: Array, own: int, looks: Looks, dets: Ints, charts: bool = True,
) -> Array:  # fmt: skip
    """Correct tracks that were carried to their detections, in place: row a by detection ``dets[a]``.

    ``before``: position and velocity (k, 6), covariance (k, 6, 6) and time (k,) of the coast model before they were
    carried; ``carried``: x, P, mu as from ``advance_rows``, corrected here; ``anew`` (k,): 1 where the flight is to be
    linearised anew (``bridge``); ``chart`` (k,): as the tracks have it, corrected too; ``sites`` (k, 3): where the
    chart to use stands (ecef); ``own``: the sensor's chart, 0 if it has none to keep (a satellite); ``charts``:
    whether charts are used at all, else updates are made in Cartesian axes. Returns (k, 2): log-likelihood, least
    squared distance.
    """
    x, P, mu = carried
    score = np.empty((len(dets), 2))
    used = np.array([USED[k] for k in bank.kinds], dtype=np.int64)
    _update_rows(
        bank.kinds, used, x, P, mu, looks.t_s[dets], *before[:2], before[2], anew, bank.theta0, chart, sites, own,
        charts,
        looks.kind[dets], looks.dt[dets], looks.region[dets], looks.platform[dets], looks.attitude[dets],
        looks.z[dets], looks.R[dets], score,
    )  # fmt: skip
    return score


@kernel
def _score_rows(
    kinds: Ints, kind: Ints, rows: Ints, zp: Array, Hx: Array, P: Array, mu: Array, z: Array, R: Array, gate: Array,
    score: Array,
) -> None:  # fmt: skip
    out = np.empty(1)
    models = kinds.shape[0]
    part = np.empty(models)
    for a in range(kind.shape[0]):
        inside = False
        most = -math.inf
        for m in range(models):
            part[m] = -math.inf
            if mu[a, m] <= 0.0:
                continue
            lit = _DARK if kind[a] == _LOS and kinds[m] != BOOST and models > 1 else 1.0
            likelihood = _innovate(kind[a], rows[a], zp[a, m], Hx[a, m], P[a, m], z[a], R[a], out)
            part[m] = math.log(mu[a, m] * lit) + likelihood
            inside = inside or out[0] < gate[kind[a]]
            most = max(most, part[m])
        score[a] = -math.inf
        if inside and most > -math.inf:
            total = 0.0
            for m in range(models):
                total += math.exp(part[m] - most)
            score[a] = most + math.log(total)


def score_pairs(bank: Bank, x: Array, P: Array, mu: Array, looks: Looks, dets: Ints, gate: Array) -> Array:
    """ln of the likelihood (k,) of each pair: a track carried to its detection, and the detection; -inf outside the
    gate.

    ``x`` (k, M, 10), ``P``, ``mu`` from ``advance_rows``; ``dets`` (k,): which of ``looks``; ``gate`` (5): greatest
    squared distance by kind. The models' likelihoods are weighed by their probabilities; that an object without thrust
    has a plume is next to impossible (but where there is one model only).
    """
    k, models = len(dets), len(bank)
    each = np.repeat(dets, models)
    n = k * models
    z, hx, hb, ht = np.empty((n, 4)), np.empty((n, 4, 6)), np.empty((n, 4, 4)), np.empty((n, 4))
    predict_rows(
        looks.kind[each], np.ascontiguousarray(x[:, :, :6]).reshape(-1, 6), looks.dt[each], looks.region[each],
        looks.platform[each], looks.attitude[each], z, hx, hb, ht,
    )  # fmt: skip
    score = np.empty(k)
    _score_rows(
        bank.kinds, looks.kind[dets], looks.rows[dets], z.reshape(k, models, 4), hx.reshape(k, models, 4, 6), P, mu,
        looks.z[dets], looks.R[dets], gate, score,
    )  # fmt: skip
    return score


@kernel
def _near(
    x: Array, P: Array, mu: Array, t0: float, kind: int, t1: float, z: Array, R: Array, reach: Array
) -> bool:  # fmt: skip
    """A cheap and generous test that spares ``advance`` for pairs that are far apart."""
    dt = t1 - t0
    if abs(dt) > 120.0:
        return True
    models = mu.shape[0]
    best = models - 1
    for m in range(models - 1, -1, -1):
        if mu[m] > mu[best]:
            best = m
    r2 = x[best, 0] ** 2 + x[best, 1] ** 2 + x[best, 2] ** 2
    g = -3.986e14 / (r2 * math.sqrt(r2))
    slack = 5e3 + 60.0 * dt * dt  # thrust, and what free fall has beyond second order
    sp, sv, spread = 0.0, 0.0, 0.0
    for k in range(3):
        for m in range(models):
            if mu[m] > 0.0:
                sp = max(sp, P[m, k, k])
                sv = max(sv, P[m, 3 + k, 3 + k])
        for m in range(models):
            if m != best and mu[m] > 0.0:
                spread += abs(x[m, k] - x[best, k]) + abs(x[m, 3 + k] - x[best, 3 + k]) * abs(dt)
    slack += 12.0 * (math.sqrt(sp) + math.sqrt(sv) * abs(dt)) + spread
    d = np.empty(3)
    along = 0.0
    for k in range(3):
        d[k] = x[best, k] * (1.0 + 0.5 * g * dt * dt) + x[best, 3 + k] * dt - reach[k]
        along += d[k] * reach[3 + k]
    across2 = d[0] ** 2 + d[1] ** 2 + d[2] ** 2 - along * along
    if kind == _LOS:
        angle = math.sqrt(R[0, 0] + R[1, 1])
    elif kind in (_RAE, _RAER):
        angle = math.sqrt(R[1, 1] + R[2, 2])
        if abs(along - z[0]) > slack + 8.0 * math.sqrt(R[0, 0]) + across2 / z[0]:
            return False
    else:
        return True
    return along > 0.0 and across2 < (slack + 8.0 * angle * along) ** 2


@kernel
def _near_pairs(
    x: Array, P: Array, mu: Array, t_track: Array, kind: Ints, t_det: Array, z: Array, R: Array, reach: Array,
    tracks: Ints, dets: Ints,
) -> int:  # fmt: skip
    found = 0
    for i in range(x.shape[0]):
        for j in range(kind.shape[0]):
            if _near(x[i], P[i], mu[i], t_track[i], kind[j], t_det[j], z[j], R[j], reach[j]):
                tracks[found] = i
                dets[found] = j
                found += 1
    return found


def near_pairs(x: Array, P: Array, mu: Array, t_track: Array, looks: Looks, reach: Array) -> tuple[Ints, Ints]:
    """Pairs (track, detection) worth a closer look; ``reach`` (k, 6): origin and unit vector of each line of sight."""
    most = len(x) * len(looks.kind)
    tracks, dets = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    found = _near_pairs(x, P, mu, t_track, looks.kind, looks.t_s, looks.z, looks.R, reach, tracks, dets)
    return tracks[:found], dets[:found]
