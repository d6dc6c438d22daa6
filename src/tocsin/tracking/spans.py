"""How well a young track goes with a lost one: both states whole, in the chart of the young one's sensor.

What ``filter.bridge`` does for one detection is done here for six dimensions: the flight over the gap is linearised
anew about the state that fits both sides best (Gauss-Newton; Bell and Cathey, IEEE TAC 38, 1993).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.tracking.filter import chart_axes, factor, from_chart, site_at

Array = NDArray[np.float64]

_STEPS = 8


@kernel
def _in_chart(x: Array, centre: Array, e: Array, y: Array, G: Array, J: Array, moved: Array) -> None:
    """Coordinates ``y`` (6) of a state in the chart of axes ``e`` about ``centre``, and their derivative ``J`` (6, 6).

    ``J`` is the inverse of ``from_chart``'s ``G`` = [A 0; B A]: [A' 0; -A' B A', A'] with A' = A^-1.
    """
    u, w = np.zeros(3), np.zeros(3)
    r2 = 0.0
    for k in range(3):
        d = x[k] - centre[k]
        r2 += d * d
        for i in range(3):
            u[i] += e[i, k] * d
            w[i] += e[i, k] * (x[3 + k] - centre[3 + k])
    r = max(math.sqrt(r2), 1.0)
    a, b = math.atan2(u[1], u[0]), math.asin(min(max(u[2] / r, -1.0), 1.0))
    ca, sa, cb, sb = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
    y[0], y[1], y[2] = r, a, b
    y[3] = cb * (ca * w[0] + sa * w[1]) + sb * w[2]
    y[4] = (ca * w[1] - sa * w[0]) / (r * cb)
    y[5] = (cb * w[2] - sb * (ca * w[0] + sa * w[1])) / r
    from_chart(y, centre, e, moved, G)
    for i in range(6):
        for j in range(6):
            J[i, j] = 0.0
    for j in range(3):
        J[0, j] = G[j, 0]
        J[1, j] = G[j, 1] / (r * r * cb * cb)
        J[2, j] = G[j, 2] / (r * r)
    for i in range(3):
        for j in range(3):
            J[3 + i, 3 + j] = J[i, j]
            s = 0.0
            for k in range(3):
                for m in range(3):
                    s -= J[i, k] * G[3 + k, m] * J[m, j]
            J[3 + i, j] = s


@kernel
def _sandwich(J: Array, P: Array, out: Array) -> None:
    """``out = J P J'`` (6, 6), exactly symmetric."""
    t = np.zeros((6, 6))
    for i in range(6):
        for j in range(6):
            s = 0.0
            for k in range(6):
                s += J[i, k] * P[k, j]
            t[i, j] = s
    for i in range(6):
        for j in range(i, 6):
            s = 0.0
            for k in range(6):
                s += t[i, k] * J[j, k]
            out[i, j] = s
            out[j, i] = s


@kernel
def span(
    x0: Array, P0: Array, t0: float, t1: float, theta0: float, x1: Array, P1: Array, y: Array, Py: Array,
    centre: Array, out: Array,
) -> None:  # fmt: skip
    """How well a young track (``y`` (6), ``Py`` (6, 6) at ``t1``) goes with a lost one, in the chart about ``centre``.

    ``x0`` (6), ``P0`` at ``t0``: the lost one before its free flight (``t0 == t1``: no flight is linearised anew);
    ``x1``, ``P1``: as predicted at ``t1``. ``out``: squared distance, and ln of the density at ``y`` in position and
    velocity (m, m/s).
    """
    e, cy, cf = np.empty((3, 3)), np.empty(6), np.empty(6)
    G, Jy, Jf, moved = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6)), np.empty(6)
    chart_axes(y, centre, e, cy)
    _in_chart(y, centre, e, cy, G, Jy, moved)
    Ry = np.empty((6, 6))
    _sandwich(Jy, Py, Ry)
    xi, f, Phi = np.empty(6), np.empty(6), np.zeros((6, 6))
    flies = t0 != t1
    for i in range(6):
        xi[i] = x0[i]
        f[i] = x0[i]
        Phi[i, i] = 1.0
    since, W, T = np.zeros(6), np.zeros((6, 6)), np.empty((6, 6))
    if flies:
        # what happens beside free fall: mean ``since`` and covariance ``W``
        coast_to_stm(xi, t0, t1, theta0, f, Phi)
        _sandwich(Phi, P0, T)
        for i in range(6):
            since[i] = x1[i] - f[i]
            for j in range(6):
                W[i, j] = P1[i, j] - T[i, j]
        for i in range(6):
            W[i, i] = max(W[i, i], 0.0)
    H, PH, S, L = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6)), np.zeros((6, 6))
    v, q, z = np.empty(6), np.empty(6), np.empty(6)
    out[0], out[1] = math.inf, -math.inf
    for step in range(_STEPS):
        for i in range(6):
            z[i] = f[i] + since[i]
        _in_chart(z, centre, e, cf, G, Jf, moved)
        _sandwich(Jf, W, S)
        for i in range(6):
            for j in range(6):
                s = 0.0
                for k in range(6):
                    s += Jf[i, k] * Phi[k, j]
                H[i, j] = s
        _sandwich(H, P0, T)
        for i in range(6):
            for j in range(6):
                S[i, j] += T[i, j] + Ry[i, j]
                s = 0.0
                for k in range(6):
                    s += P0[i, k] * H[j, k]
                PH[i, j] = s
        logdet = factor(S, 6, L)
        if logdet == math.inf:
            return
        for i in range(6):
            s = cy[i] - cf[i]
            for k in range(6):
                s -= H[i, k] * (x0[k] - xi[k])
            v[i] = s
        for i in range(6):
            s = v[i]
            for k in range(i):
                s -= L[i, k] * q[k]
            q[i] = s / L[i, i]
        d2 = 0.0
        for i in range(6):
            d2 += q[i] * q[i]
        out[0] = d2
        out[1] = -0.5 * (d2 + logdet + 6.0 * math.log(2.0 * math.pi)) - 4.0 * math.log(cy[0])
        if not flies:
            return
        for i in range(5, -1, -1):
            s = q[i]
            for k in range(i + 1, 6):
                s -= L[k, i] * q[k]
            q[i] = s / L[i, i]
        moved2 = 0.0
        for i in range(6):
            s = x0[i]
            for k in range(6):
                s += PH[i, k] * q[k]
            moved2 = max(moved2, (s - xi[i]) ** 2 / max(P0[i, i], 1e-300))
            xi[i] = s
        if step > 0 and moved2 < 1e-8:
            return
        coast_to_stm(xi, t0, t1, theta0, f, Phi)


@kernel
def span_rows(
    x0: Array, P0: Array, t0: Array, t1: Array, theta0: float, x1: Array, P1: Array, y: Array, Py: Array,
    sites: Array, out: Array,
) -> None:  # fmt: skip
    """``span`` row by row, in charts about places at rest on the Earth: ``sites`` (k, 3) ecef; ``out`` (k, 2)."""
    centre = np.empty(6)
    for a in range(x0.shape[0]):
        site_at(sites[a], theta0 + OMEGA_GMST * t1[a], centre)
        span(x0[a], P0[a], t0[a], t1[a], theta0, x1[a], P1[a], y[a], Py[a], centre, out[a])
