"""Correcting a flight and its end at once, where the flight bends more than the measurement is wide.

A young track's velocity is hardly known, a radar's range is known to tens of metres: how far the object gets nearer
depends on the square of its velocity across, and on gravity along a line of sight that is uncertain. An extended filter
that linearises each look at what it thinks then, gathers slopes that never were, and becomes sure of what it cannot
know (in the validation book, ``filters``: ANEES of hundreds). Two things are done about that:

- Sought is the state *before* the flight, in the chart of the sensor where that is a Gaussian. Look and flight are
  fitted by a linear regression about what the look leaves of it, iterated (iterated posterior linearisation:
  Garcia-Fernandez, Svensson, Morelande, Sarkka, IEEE TSP 63 (2015) 5561; for one step of smoothing, the same authors
  with Tronarp, IEEE SPL 2017). What a straight line does not fit is added to the noise.
- The corrected state is carried on through its points: their mean and covariance in the chart at the other end.

The points lie four standard deviations out (``sigma.weights(6, kappa=10)``), further than the three that match a
Gaussian's fourth moment: a bend has the same sign at every look, so its parts of the noise do not average out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to, coast_to_stm
from tocsin.earth.jit import kernel
from tocsin.tracking.charts import chart_axes, from_chart, in_chart, to_chart
from tocsin.tracking.measure import h, wrap_residual
from tocsin.tracking.sigma import regress, root, solve_lower, solve_upper, spread_points, weigh

Array = NDArray[np.float64]

_OUT = 4.0  # standard deviations
_SIDE = 0.5 / _OUT**2  # weight of an outer point
_MOST_STEPS = 4
_STILL = 1e-3  # squared standard deviations: a step that moves the mean less is the last


@kernel
def carry(J: Array, P: Array, n: int, t: Array, out: Array) -> None:
    """``out = diag(J, I) P diag(J, I)'`` for J (6, 6) and an n x n P, made symmetric; ``t`` (n, n) is for work."""
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
def fall_slopes(x0: Array, t0: float, t1: float, theta0: float, end: Array, F: Array) -> None:
    """Fall with drag of ``x0`` (7: the last the logarithm of the ballistic coefficient) to ``end`` (6), and its slopes
    ``F`` (7, 7) by central differences: the integrator is smooth in its start.
    """
    plus, minus = np.empty(6), np.empty(6)
    beta = math.exp(x0[6])
    for i in range(6):
        plus[i] = x0[i]
    coast_to(plus, t0, t1, theta0, beta, end)
    for j in range(7):
        step = 10.0 if j < 3 else (0.1 if j < 6 else 1e-3)
        for i in range(6):
            plus[i] = x0[i] + (step if i == j else 0.0)
            minus[i] = x0[i] - (step if i == j else 0.0)
        side = math.exp(step) if j == 6 else 1.0
        coast_to(plus, t0, t1, theta0, beta * side, plus)
        coast_to(minus, t0, t1, theta0, beta / side, minus)
        for i in range(6):
            F[i, j] = (plus[i] - minus[i]) / (2.0 * step)
    F[6, 6] = 1.0


@kernel
def bridge(
    x0: Array, P0: Array, known: int, t0: float, t1: float, theta0: float, charted: bool, centre: Array, after: Array,
    x: Array, P: Array, slots: int, kind: int, dt: float, region: int, platform: Array, attitude: Array, z: Array,
    R: Array, distance: Array,
) -> float:  # fmt: skip
    """Correct a predicted state by a look and the flight to it together; log-likelihood, in place.

    ``x0`` (10), ``P0`` (10, 10): the state before, at ``t0``, of which ``known`` slots count: 6, position and velocity
    in free fall, or 7, with the logarithm of the ballistic coefficient (kg/m2) in air; ``x`` (10), ``P`` (10, 10): the
    prediction at ``t1``, of which ``slots`` are used: what it has beside that flight of ``x0`` (thrust, noise) is kept
    as an error of its own and corrected too. ``charted``: in the charts about ``centre`` (6) at ``t0`` and ``after``
    (6) at ``t1``, else in Cartesian axes. ``distance[0]``: squared distance. Where anything is not positive definite
    or not finite nothing changes and -inf is returned.
    """
    e, e1 = np.zeros((3, 3)), np.zeros((3, 3))
    J, G = np.zeros((6, 6)), np.zeros((6, 6))
    d = known
    y0, y6 = np.empty(d), np.empty(6)
    wide, also = np.empty((slots, slots)), np.empty((slots, slots))
    W, T = np.empty((slots, slots)), np.empty((d, d))
    since, mean = np.empty(slots), np.empty(slots)
    xi = np.empty(6)
    distance[0] = math.inf
    # what has happened beside free fall: mean ``since`` and covariance ``W``
    for i in range(6):
        xi[i] = x0[i]
    F = np.zeros((d, d))
    if d == 6:
        coast_to_stm(xi, t0, t1, theta0, y6, F)
    else:
        fall_slopes(x0, t0, t1, theta0, y6, F)
    for i in range(d):
        for j in range(d):
            s = 0.0
            for k in range(d):
                for q in range(d):
                    s += F[i, k] * P0[k, q] * F[j, q]
            T[i, j] = s
    for i in range(slots):
        since[i] = x[i]
        if i < d:
            since[i] -= y6[i] if i < 6 else x0[i]
        for j in range(slots):
            W[i, j] = P[i, j] - 0.5 * (T[i, j] + T[j, i]) if i < d and j < d else P[i, j]
    for i in range(d):
        W[i, i] = max(W[i, i], 0.0)
    Py, C, L = np.empty((d, d)), np.empty((d, d)), np.empty((d, d))
    if charted:
        chart_axes(xi, centre, e, y6)
        to_chart(y6, e, J)
        carry(J, P0, d, T, Py)
    else:
        for i in range(d):
            for j in range(d):
                Py[i, j] = P0[i, j]
    for i in range(d):
        y0[i] = y6[i] if charted and i < 6 else x0[i]
    points = 2 * d + 1
    weight = np.full(points, _SIDE)
    weight[0] = 1.0 - 2.0 * d * _SIDE
    X, X1, Z, Y1 = np.empty((points, d)), np.empty((points, d)), np.empty((points, 4)), np.empty((points, slots))
    m = np.empty(d)
    for i in range(d):
        m[i] = y0[i]
        for j in range(d):
            C[i, j] = Py[i, j]
    zp, Szz, A = np.empty(4), np.empty((4, 4)), np.empty((4, d))
    Hx, Hb, Ht, bias = np.empty((4, 6)), np.empty((4, 4)), np.empty(4), np.zeros(4)
    WH, gain = np.empty((slots, 4)), np.empty((slots, 4))
    S, N, V = np.empty((4, 4)), np.empty((4, 4)), np.empty((4, 4))
    noise = np.empty((4, 4))
    K, PA, AC, M = np.empty((d, 4)), np.empty((d, 4)), np.empty((4, d)), np.empty((d, d))
    r, v = np.zeros(4), np.zeros(4)
    likelihood, d2, n = -math.inf, math.inf, 0
    last = False
    for step in range(_MOST_STEPS + 1):
        if not root(C, d, L):
            return -math.inf
        spread_points(m, L, d, _OUT, X)
        for a in range(points):
            if charted:
                for i in range(6):
                    y6[i] = X[a, i]
                y6[0] = max(y6[0], 1.0)
                from_chart(y6, centre, e, xi, G)
            else:
                for i in range(6):
                    xi[i] = X[a, i]
            coast_to(xi, t0, t1, theta0, math.exp(X[a, 6]) if d > 6 else 0.0, xi)
            for i in range(d):
                X1[a, i] = (xi[i] if i < 6 else X[a, i]) + since[i]
        for a in range(points - 1, -1, -1):  # the centre last: its derivatives stay
            n = h(kind, X1[a], dt, region, platform, attitude, bias, Z[a], Hx, Hb, Ht)
        for a in range(1, points):
            for i in range(4):
                r[i] = Z[a, i] - Z[0, i] if i < n else 0.0
            wrap_residual(kind, r)
            for i in range(n):
                Z[a, i] = Z[0, i] + r[i]
        if last:
            break
        weigh(Z, n, weight, weight, zp, Szz)
        regress(X, m, L, d, Z, zp, n, weight, A)
        # noise = R and what happened since; N = that and what the line does not fit
        for a in range(slots):
            for i in range(n):
                s = 0.0
                for k in range(6):
                    s += W[a, k] * Hx[i, k]
                WH[a, i] = s
        for i in range(n):
            for k in range(d):
                s = 0.0
                for j in range(d):
                    s += A[i, j] * C[j, k]
                AC[i, k] = s
        for i in range(n):
            for j in range(n):
                s = R[i, j]
                for k in range(6):
                    s += Hx[i, k] * WH[k, j]
                noise[i, j] = s
                s += Szz[i, j]
                for k in range(d):
                    s -= AC[i, k] * A[j, k]
                N[i, j] = s
        for a in range(d):
            for i in range(n):
                s = 0.0
                for k in range(d):
                    s += Py[a, k] * A[i, k]
                PA[a, i] = s
        for i in range(n):
            for j in range(n):
                s = N[i, j]
                for k in range(d):
                    s += A[i, k] * PA[k, j]
                S[i, j] = s
        if not root(S, n, V):
            return -math.inf
        for i in range(4):
            r[i] = z[i] - zp[i] if i < n else 0.0
        wrap_residual(kind, r)
        logdet = 0.0
        for i in range(n):
            s = r[i]
            for k in range(d):
                s -= A[i, k] * (y0[k] - m[k])
            r[i] = s
            v[i] = s
            logdet += 2.0 * math.log(V[i, i])
        solve_lower(V, v, n)
        d2 = 0.0
        for i in range(n):
            d2 += v[i] * v[i]
        likelihood = -0.5 * (d2 + logdet + n * math.log(2.0 * math.pi))
        if not likelihood > -math.inf:
            return -math.inf
        moved = 0.0
        for a in range(d):
            for i in range(n):
                v[i] = PA[a, i]
            solve_lower(V, v, n)
            solve_upper(V, v, n)
            s = y0[a]
            for i in range(n):
                K[a, i] = v[i]
                s += v[i] * r[i]
            moved = max(moved, (s - m[a]) ** 2 / C[a, a])
            m[a] = s
        # Joseph: (I - K A) Py (I - K A)' + K N K'
        for i in range(d):
            for j in range(d):
                M[i, j] = 1.0 if i == j else 0.0
                for k in range(n):
                    M[i, j] -= K[i, k] * A[k, j]
        for i in range(d):
            for j in range(d):
                s = 0.0
                for k in range(d):
                    s += M[i, k] * Py[k, j]
                T[i, j] = s
        for i in range(d):
            for j in range(i, d):
                s = 0.0
                for k in range(d):
                    s += T[i, k] * M[j, k]
                for a in range(n):
                    for b in range(n):
                        s += K[i, a] * N[a, b] * K[j, b]
                C[i, j] = s
                C[j, i] = s
        if charted:
            m[0] = max(m[0], 1.0)
        last = (step > 0 and moved < _STILL) or step == _MOST_STEPS - 1
    # what has happened since, given the look: each point's share of what it leaves of the measurement
    if not root(noise, n, V):
        return -math.inf
    for a in range(slots):
        for i in range(n):
            v[i] = WH[a, i]
        solve_lower(V, v, n)
        solve_upper(V, v, n)
        for i in range(n):
            gain[a, i] = v[i]
    for a in range(points):
        for i in range(4):
            r[i] = z[i] - Z[a, i] if i < n else 0.0
        wrap_residual(kind, r)
        for b in range(slots):
            s = 0.0
            for i in range(n):
                s += gain[b, i] * r[i]
            Y1[a, b] = (X1[a, b] if b < d else since[b]) + s
    if charted:
        for i in range(6):
            xi[i] = Y1[0, i]
        chart_axes(xi, after, e1, y6)
        for a in range(points):
            for i in range(6):
                xi[i] = Y1[a, i]
            in_chart(xi, after, e1, y6)
            for i in range(6):
                Y1[a, i] = y6[i]
    weigh(Y1, slots, weight, weight, mean, wide)
    if charted:
        for i in range(6):
            y6[i] = mean[i]
        y6[0] = max(y6[0], 1.0)
        from_chart(y6, after, e1, xi, G)
        T2 = np.empty((slots, slots))
        carry(G, wide, slots, also, T2)
        for i in range(slots):
            if i < 6:
                mean[i] = xi[i]
            for j in range(slots):
                wide[i, j] = T2[i, j]
    for i in range(slots):
        for j in range(slots):
            s = wide[i, j] + W[i, j]
            for a in range(n):
                s -= gain[i, a] * WH[j, a]
            also[i, j] = s
    if not root(also, slots, wide):
        return -math.inf
    for i in range(slots):
        if not abs(mean[i]) < math.inf:
            return -math.inf
    distance[0] = d2
    for i in range(slots):
        x[i] = mean[i]
        for j in range(slots):
            P[i, j] = 0.5 * (also[i, j] + also[j, i])
    return likelihood
