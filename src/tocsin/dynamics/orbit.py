"""Satellites on Kepler orbits whose node, perigee and mean anomaly drift by J2 (first-order secular rates, Brouwer
1959).

Good to some kilometres over a day for the orbits of infrared satellites: their exact place is not known to the public
any better. Notional orbits are made here by what one wants of them: a slot, a repeating ellipse, a shell.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.frames import OMEGA_GMST
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


# ---- notional orbits -----------------------------------------------------------------------------------------------


def drifts(a: float, e: float, i: float) -> tuple[float, float, float]:
    """Secular rates (rad/s) of node, perigee and mean anomaly (J2, first order)."""
    n = math.sqrt(MU / a) / a
    eta2 = 1.0 - e * e
    g = 0.75 * J2 * (A / (a * eta2)) ** 2 * n
    c = math.cos(i)
    return -2.0 * g * c, g * (5.0 * c * c - 1.0), n + g * math.sqrt(eta2) * (3.0 * c * c - 1.0)


def _turn(angle: float) -> float:
    return math.fmod(math.fmod(angle, 2.0 * math.pi) + 2.0 * math.pi, 2.0 * math.pi)


def repeating_axis(turns: int, e_of: Callable[[float], float], i: float) -> float:
    """Semi-major axis (m) with which a satellite goes round ``turns`` times while its node sees the Earth turn once.

    ``e_of``: eccentricity by semi-major axis (constant, or that of a given perigee). The ground track then repeats
    after one nodal day. Raises ValueError for less than one turn.
    """
    if turns < 1:
        raise ValueError(f"turns per nodal day must be at least 1, found {turns}")
    a = float((MU / (turns * OMEGA_GMST) ** 2) ** (1.0 / 3.0))
    for _ in range(50):
        node, perigee, anomaly = drifts(a, e_of(a), i)
        off = (perigee + anomaly) / (turns * (OMEGA_GMST - node))
        a *= off ** (2.0 / 3.0)
        if abs(off - 1.0) < 1e-14:
            break
    return a


def geo_slot(longitude: float, theta0: float, inclination: float = 0.0) -> Orbit:
    """A satellite that stays at ``longitude`` (rad; ``theta0``: sidereal angle at the epoch).

    With an ``inclination`` it crosses the equator northwards there at the epoch and then draws the figure of eight.
    """
    a = repeating_axis(1, lambda _: 0.0, inclination)
    return Orbit(a, 0.0, inclination, _turn(longitude + theta0), 0.0, 0.0)


def high_ellipse(
    turns: int,
    perigee: float,
    inclination: float,
    argp: float,
    apogee_longitude: float,
    apogee_ns: int,
    theta0: float,
) -> Orbit:
    """An ellipse whose ground track repeats every nodal day: ``turns`` 2 for a 12-hour (Molniya), 1 for a 24-hour one.

    ``perigee``: its height (m) over the equator's radius; ``argp``: argument of perigee (rad; 270 deg: apogee furthest
    north); the satellite is at an apogee over ``apogee_longitude`` (rad) at ``apogee_ns``. Raises ValueError where the
    period leaves no such ellipse.
    """
    low = A + perigee
    # the period fixes a to a per cent; a perigee above that is no perigee
    if not 0.0 < perigee < 0.97 * (MU / (max(turns, 1) * OMEGA_GMST) ** 2) ** (1.0 / 3.0) - A:
        raise ValueError(f"perigee {perigee / 1e3:.0f} km does not go with {turns} turns a day")
    a = repeating_axis(turns, lambda a: 1.0 - low / a, inclination)
    e = 1.0 - low / a
    node, perigee_rate, anomaly = drifts(a, e, inclination)
    since = apogee_ns / 1e9
    u = argp + perigee_rate * since + math.pi  # argument of latitude of the apogee at that time
    ahead = math.atan2(math.cos(inclination) * math.sin(u), math.cos(u))  # its right ascension from the node
    raan = apogee_longitude + theta0 + OMEGA_GMST * since - ahead - node * since
    return Orbit(a, e, inclination, _turn(raan), _turn(argp), _turn(math.pi - anomaly * since))


def shell(
    height: float, inclination: float, satellites: int, planes: int, phasing: int = 0, spread: float = 2.0 * math.pi
) -> tuple[Orbit, ...]:
    """A shell of circular orbits in Walker's pattern: ``satellites`` in all, in ``planes``, plane after plane.

    Nodes lie evenly over ``spread`` (rad; a full turn: delta pattern, half a turn: star pattern for polar orbits);
    neighbours in the next plane are ahead by ``phasing`` times a turn over ``satellites``. ``height``: m over the
    equator's radius. Source: Walker, "Satellite constellations", J. British Interplanetary Society 37 (1984). Raises
    ValueError where the satellites do not fill the planes evenly.
    """
    if planes < 1 or satellites < 1 or satellites % planes or not 0 <= phasing < planes or not height > 0.0:
        raise ValueError(
            f"{satellites} satellites in {planes} planes with phasing {phasing} at {height:g} m:"
            " planes must divide satellites, phasing lies from 0 to planes - 1, the height is above 0"
        )
    each = satellites // planes
    turn = 2.0 * math.pi
    return tuple(
        Orbit(
            A + height, 0.0, inclination, _turn(spread * p / planes), 0.0,
            _turn(turn * (s / each + phasing * p / satellites)),
        )
        for p in range(planes)
        for s in range(each)
    )  # fmt: skip
