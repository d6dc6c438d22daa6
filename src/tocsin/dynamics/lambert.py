"""The free flight between two places in a given time (Lambert's problem), under the gravity that everything else flies
in.

First around a point mass, by universal variables (Bate, Mueller and White, Fundamentals of Astrodynamics, 1971, section
5.3) with a bisection that cannot run away; then corrected along the state transition matrix until the flight with J2
ends where it is to end.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import MU

_HALVINGS = 80
_CORRECTIONS = 6
_CLOSE = 1.0  # m: what is left of the miss when the corrections may stop


@kernel
def _stumpff(z: float) -> tuple[float, float]:
    """The functions C and S of universal variables."""
    if z > 1e-3:
        q = math.sqrt(z)
        return (1.0 - math.cos(q)) / z, (q - math.sin(q)) / (z * q)
    if z < -1e-3:
        q = math.sqrt(-z)
        return (1.0 - math.cosh(q)) / z, (math.sinh(q) - q) / (-z * q)
    return 0.5 - z / 24.0 + z * z / 720.0, 1.0 / 6.0 - z / 120.0 + z * z / 5040.0


@kernel
def _time(z: float, r1: float, r2: float, a: float) -> tuple[float, float]:
    """Time of flight (s) and y (m) for a value of the universal variable; a y that is not positive has no time."""
    c, s = _stumpff(z)
    y = r1 + r2 + a * (z * s - 1.0) / math.sqrt(c)
    if y <= 0.0:
        return -1.0, y
    return ((y / c) ** 1.5 * s + a * math.sqrt(y)) / math.sqrt(MU), y


@kernel
def _around_a_point(p0: NDArray[np.float64], p1: NDArray[np.float64], duration: float, x: NDArray[np.float64]) -> bool:
    """The state at the start of the shorter way from ``p0`` to ``p1`` around a point mass, into ``x (6,)``."""
    r1 = math.sqrt(p0[0] * p0[0] + p0[1] * p0[1] + p0[2] * p0[2])
    r2 = math.sqrt(p1[0] * p1[0] + p1[1] * p1[1] + p1[2] * p1[2])
    if r1 <= 0.0 or r2 <= 0.0 or duration <= 0.0:
        return False
    cosine = (p0[0] * p1[0] + p0[1] * p1[1] + p0[2] * p1[2]) / (r1 * r2)
    a = math.sqrt(max(r1 * r2 * (1.0 + cosine), 0.0))
    if a < 1e-6 * math.sqrt(r1 * r2):  # half round the Earth: any plane will do, and none is better
        return False
    low, high = -4.0 * math.pi * math.pi, 4.0 * math.pi * math.pi
    y = 0.0
    for _ in range(_HALVINGS):
        z = 0.5 * (low + high)
        t, y = _time(z, r1, r2, a)
        if t < duration:
            low = z
        else:
            high = z
    t, y = _time(high, r1, r2, a)
    if not abs(t - duration) < 1e-3 * duration:
        return False
    g = a * math.sqrt(y / MU)
    f = 1.0 - y / r1
    for i in range(3):
        x[i] = p0[i]
        x[3 + i] = (p1[i] - f * p0[i]) / g
    return True


@kernel
def lambert(
    p0: NDArray[np.float64], p1: NDArray[np.float64], t0: float, t1: float, theta0: float, x: NDArray[np.float64]
) -> bool:
    """The state (6, eci) at ``t0`` (s) of a free flight from ``p0`` to ``p1`` (3, eci, m) that arrives at ``t1``, the
    shorter way round and without a whole turn, into ``x``. Gravity with J2, no air: the way may lead through the Earth.

    False (and nothing of use in ``x``) where there is none: places half round the Earth from each other, no time.
    """
    if not _around_a_point(p0, p1, t1 - t0, x):
        return False
    end = np.empty(6)
    phi = np.empty((6, 6))
    for _ in range(_CORRECTIONS):
        coast_to_stm(x, t0, t1, theta0, end, phi)
        d0, d1, d2 = p1[0] - end[0], p1[1] - end[1], p1[2] - end[2]
        if d0 * d0 + d1 * d1 + d2 * d2 < _CLOSE * _CLOSE:
            return True
        b = phi[:3, 3:]
        c00 = b[1, 1] * b[2, 2] - b[1, 2] * b[2, 1]
        c10 = b[1, 2] * b[2, 0] - b[1, 0] * b[2, 2]
        c20 = b[1, 0] * b[2, 1] - b[1, 1] * b[2, 0]
        det = b[0, 0] * c00 + b[0, 1] * c10 + b[0, 2] * c20
        if det == 0.0:
            return False
        x[3] += (
            c00 * d0 + (b[0, 2] * b[2, 1] - b[0, 1] * b[2, 2]) * d1 + (b[0, 1] * b[1, 2] - b[0, 2] * b[1, 1]) * d2
        ) / det
        x[4] += (
            c10 * d0 + (b[0, 0] * b[2, 2] - b[0, 2] * b[2, 0]) * d1 + (b[0, 2] * b[1, 0] - b[0, 0] * b[1, 2]) * d2
        ) / det
        x[5] += (
            c20 * d0 + (b[0, 1] * b[2, 0] - b[0, 0] * b[2, 1]) * d1 + (b[0, 0] * b[1, 1] - b[0, 1] * b[1, 0]) * d2
        ) / det
    return False
