"""Satellites on Kepler orbits whose node, perigee and mean anomaly drift by J2 (first-order secular rates, Brouwer
1959).

Good to some kilometres over a day for the orbits of infrared satellites: their exact place is not known to the public
any better.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import J2, MU, A
from tocsin.scenario.specs import Orbit


@kernel
def kepler(m: float, e: float) -> float:
    """Eccentric anomaly (rad, within half a turn of zero) of a mean anomaly, for 0 <= e < 1."""
    m -= 2.0 * math.pi * math.floor(m / (2.0 * math.pi) + 0.5)
    low, high = m - e, m + e
    x = m + e * math.sin(m) / (1.0 - math.sin(m + e) + math.sin(m)) if e < 0.8 else m + math.copysign(0.85 * e, m)
    for _ in range(60):
        f = x - e * math.sin(x) - m
        if f > 0.0:
            high = x
        else:
            low = x
        change = f / (1.0 - e * math.cos(x))
        x -= change
        if not low <= x <= high:
            x = 0.5 * (low + high)
        elif abs(change) < 1e-15:
            break
    return x


@kernel
def orbit_state(
    a: float, e: float, i: float, raan: float, argp: float, m0: float, t: float, out6: NDArray[np.float64]
) -> None:
    """State in eci, ``t`` s after the epoch of the mean elements (m, rad), into ``out6``.

    The velocity is the exact time derivative of the position, drift of the elements included.
    """
    n = math.sqrt(MU / a) / a
    eta2 = 1.0 - e * e
    eta = math.sqrt(eta2)
    g = 0.75 * J2 * (A / (a * eta2)) ** 2 * n
    ci, si = math.cos(i), math.sin(i)
    raan_rate = -2.0 * g * ci
    argp_rate = g * (5.0 * ci * ci - 1.0)
    m_rate = n + g * eta * (3.0 * ci * ci - 1.0)
    x = kepler(m0 + m_rate * t, e)
    c, s = math.cos(x), math.sin(x)
    p, q = a * (c - e), a * eta * s
    x_rate = m_rate / (1.0 - e * c)
    # the perigee's turn joins the motion in the plane
    w = argp + argp_rate * t
    vp, vq = -a * s * x_rate - argp_rate * q, a * eta * c * x_rate + argp_rate * p
    cw, sw = math.cos(w), math.sin(w)
    p, q = cw * p - sw * q, sw * p + cw * q
    vp, vq = cw * vp - sw * vq, sw * vp + cw * vq
    o = raan + raan_rate * t
    co, so = math.cos(o), math.sin(o)
    px, py, pz = co * p - so * ci * q, so * p + co * ci * q, si * q
    out6[0], out6[1], out6[2] = px, py, pz
    out6[3] = co * vp - so * ci * vq - raan_rate * py
    out6[4] = so * vp + co * ci * vq + raan_rate * px
    out6[5] = si * vq


@kernel
def _orbit_many(elements: NDArray[np.float64], t: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    a, e, i, raan, argp, m0 = elements[0], elements[1], elements[2], elements[3], elements[4], elements[5]
    for k in range(t.shape[0]):
        orbit_state(a, e, i, raan, argp, m0, t[k], out[k])


def orbit_states(orbit: Orbit, t_ns: ArrayLike) -> NDArray[np.float64]:
    """States ``(k, 6)`` in eci at scenario times ``t_ns (k,)``. Raises ValueError unless it is an ellipse."""
    if not (orbit.a > 0.0 and 0.0 <= orbit.e < 1.0):
        raise ValueError(f"an orbit needs a > 0 and 0 <= e < 1, found a = {orbit.a}, e = {orbit.e}")
    t = np.atleast_1d(np.asarray(t_ns, dtype=np.int64)) / 1e9
    elements = np.array([orbit.a, orbit.e, orbit.i, orbit.raan, orbit.argp, orbit.m0])
    out = np.empty((len(t), 6))
    _orbit_many(elements, t, out)
    return out
