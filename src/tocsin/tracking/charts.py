"""The range-direction chart of a sensor: range, two small angles about a line of sight, and their rates.

A long-range radar measures range to tens of metres and direction to kilometres: what it knows is a thin curved shell,
which a Gaussian in Cartesian axes is not. In the chart, where the measurement is nearly linear, it is. A stored state
is Cartesian and its covariance a tangent at its mean; going to the chart about the mean and back loses nothing, as both
derivatives are exact there. Source: Aidala and Hammel, IEEE TAC 28 (1983), for filtering in polar charts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel

Array = NDArray[np.float64]

_BENT = 0.3  # of the range sigma: how far the shell may leave its tangent before Cartesian axes will not do


@kernel
def site_at(site: Array, theta: float, out: Array) -> None:
    """Position and velocity (6) eci of a place at rest on the Earth (ecef, 3) at sidereal angle ``theta``."""
    c, s = math.cos(theta), math.sin(theta)
    out[0], out[1], out[2] = c * site[0] - s * site[1], s * site[0] + c * site[1], site[2]
    out[3], out[4], out[5] = -OMEGA_GMST * out[1], OMEGA_GMST * out[0], 0.0


@kernel
def chart_axes(x: Array, centre: Array, e: Array, y: Array) -> None:
    """Axes ``e`` (3, 3: line of sight, two across) and coordinates ``y`` (6) of ``x`` in its chart about ``centre``."""
    d0, d1, d2 = x[0] - centre[0], x[1] - centre[1], x[2] - centre[2]
    w0, w1, w2 = x[3] - centre[3], x[4] - centre[4], x[5] - centre[5]
    r = max(math.sqrt(d0 * d0 + d1 * d1 + d2 * d2), 1.0)
    e[0, 0], e[0, 1], e[0, 2] = d0 / r, d1 / r, d2 / r
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
        s = e[k, 0] * w0 + e[k, 1] * w1 + e[k, 2] * w2
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
def in_chart(x: Array, centre: Array, e: Array, y: Array) -> None:
    """Coordinates ``y`` (6) of any state ``x`` (6) in the chart with axes ``e`` about ``centre``: ``from_chart`` back.

    Angles grow out of (-pi/2, pi/2) only for what stands behind the centre, whose chart is no use anyway.
    """
    d0, d1, d2 = x[0] - centre[0], x[1] - centre[1], x[2] - centre[2]
    r = max(math.sqrt(d0 * d0 + d1 * d1 + d2 * d2), 1.0)
    f = (e[0, 0] * d0 + e[0, 1] * d1 + e[0, 2] * d2) / r
    g = (e[1, 0] * d0 + e[1, 1] * d1 + e[1, 2] * d2) / r
    s = (e[2, 0] * d0 + e[2, 1] * d1 + e[2, 2] * d2) / r
    a = math.atan2(g, f)
    b = math.asin(min(max(s, -1.0), 1.0))
    ca, sa = math.cos(a), math.sin(a)
    cb, sb = max(math.cos(b), 1e-6), math.sin(b)
    rr, across, up = 0.0, 0.0, 0.0
    for k in range(3):
        w = x[3 + k] - centre[3 + k]
        fwd, side = ca * e[0, k] + sa * e[1, k], ca * e[1, k] - sa * e[0, k]
        rr += (cb * fwd + sb * e[2, k]) * w
        across += side * w
        up += (cb * e[2, k] - sb * fwd) * w
    y[0], y[1], y[2] = r, a, b
    y[3], y[4], y[5] = rr, across / (r * cb), up / r


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
