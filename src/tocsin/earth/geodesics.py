"""Shortest lines on the WGS 84 ellipsoid: where a line ends (direct), how long it is and how it points (inverse).

Series of sixth order in the third flattening from C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87 (2013),
43-55 (equations 15-18, 23-25). The direct problem is solved by Newton's method, the inverse one by Vincenty's iteration
of the longitude on the auxiliary sphere and, where that does not settle (nearly antipodal points), by bracketing the
azimuth at the first point, of which the longitude is a rising function. Within a micrometre everywhere; azimuths (rad,
from north clockwise, -pi to pi).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import EP2, A, B, F

_N = F / (2.0 - F)
_TINY = 1e-150
_SETTLED = 2e-15  # rad on the auxiliary sphere


@kernel
def _epsilon(cos_alpha0: float) -> float:
    k2 = EP2 * cos_alpha0 * cos_alpha0
    root = math.sqrt(1.0 + k2)
    return k2 / ((1.0 + root) * (1.0 + root))


@kernel
def _length(eps: float, start: float, end: float) -> float:
    """Distance over B along a geodesic between two arcs from its node (Karney's I1)."""
    e2 = eps * eps
    c = (
        eps * (-1.0 / 2.0 + e2 * (3.0 / 16.0 - e2 / 32.0)),
        e2 * (-1.0 / 16.0 + e2 * (1.0 / 32.0 - e2 * 9.0 / 2048.0)),
        e2 * eps * (-1.0 / 48.0 + e2 * 3.0 / 256.0),
        e2 * e2 * (-5.0 / 512.0 + e2 * 3.0 / 512.0),
        e2 * e2 * eps * (-7.0 / 1280.0),
        e2 * e2 * e2 * (-7.0 / 2048.0),
    )
    total = end - start
    for k in range(6):
        # sin b - sin a as a product keeps the digits of short arcs
        total += 2.0 * c[k] * math.sin((k + 1) * (end - start)) * math.cos((k + 1) * (start + end))
    return (1.0 + e2 * (1.0 / 4.0 + e2 * (1.0 / 64.0 + e2 / 256.0))) / (1.0 - eps) * total


@kernel
def _lag(eps: float, start: float, end: float) -> float:
    """Spherical less true longitude, over F sin(alpha0), between two arcs from the node (Karney's I3)."""
    n = _N
    e2 = eps * eps
    a3 = 1.0 - eps * (
        (0.5 - n / 2.0)
        + eps * (
            (0.25 + n / 8.0 - n * n * 3.0 / 8.0)
            + eps * ((1.0 / 16.0 + n * 3.0 / 16.0 + n * n / 16.0) + eps * ((3.0 / 64.0 + n / 32.0) + eps * 3.0 / 128.0))
        )
    )  # fmt: skip
    c = (
        eps * (
            (0.25 - n / 4.0)
            + eps * (
                (0.125 - n * n / 8.0)
                + eps * (
                    (3.0 / 64.0 + n * 3.0 / 64.0 - n * n / 64.0) + eps * ((5.0 / 128.0 + n / 64.0) + eps * 3.0 / 128.0)
                )
            )
        ),
        e2 * (
            (1.0 / 16.0 - n * 3.0 / 32.0 + n * n / 32.0)
            + eps * (
                (3.0 / 64.0 - n / 32.0 - n * n * 3.0 / 64.0) + eps * ((3.0 / 128.0 + n / 128.0) + eps * 5.0 / 256.0)
            )
        ),
        e2 * eps * (
            (5.0 / 192.0 - n * 3.0 / 64.0 + n * n * 5.0 / 192.0)
            + eps * ((3.0 / 128.0 - n * 5.0 / 192.0) + eps * 7.0 / 512.0)
        ),
        e2 * e2 * ((7.0 / 512.0 - n * 7.0 / 256.0) + eps * 7.0 / 512.0),
        e2 * e2 * eps * 21.0 / 2560.0,
    )  # fmt: skip
    total = end - start
    for k in range(5):
        total += 2.0 * c[k] * math.sin((k + 1) * (end - start)) * math.cos((k + 1) * (start + end))
    return a3 * total


@kernel
def _wrap(angle: float) -> float:
    return angle - 2.0 * math.pi * math.floor(angle / (2.0 * math.pi) + 0.5)


@kernel
def direct(lat: float, lon: float, azimuth: float, distance: float) -> tuple[float, float, float]:
    """End of the line that leaves (``lat``, ``lon``) at ``azimuth`` (rad) after ``distance`` (m).

    Returns latitude, longitude (-pi to pi) and the azimuth back to the start as seen from the end. A negative distance
    goes backwards.
    """
    sb, cb = (1.0 - F) * math.sin(lat), max(math.cos(lat), _TINY)
    norm = math.hypot(sb, cb)
    sb, cb = sb / norm, cb / norm
    sa, ca = math.sin(azimuth), math.cos(azimuth)
    sa0 = sa * cb
    ca0 = math.hypot(ca, sa * sb)
    sigma1 = math.atan2(sb, ca * cb) if sb != 0.0 or ca != 0.0 else 0.0
    omega1 = math.atan2(sa0 * sb, ca * cb)  # not by sin and cos of sigma1: at a pole those have no digits left
    eps = _epsilon(ca0)
    k2 = EP2 * ca0 * ca0
    sigma = sigma1 + distance / B
    for _ in range(8):
        s = math.sin(sigma)
        change = (distance / B - _length(eps, sigma1, sigma)) / math.sqrt(1.0 + k2 * s * s)
        sigma += change
        if abs(change) < 1e-15:
            break
    s, c = math.sin(sigma), math.cos(sigma)
    lat2 = math.atan2(ca0 * s, (1.0 - F) * math.hypot(ca0 * c, sa0))
    # spherical longitudes grow with the arc without jumps only when whole turns are counted
    omega = math.atan2(sa0 * s, c)
    turns = math.floor((sigma - sigma1) / (2.0 * math.pi) + 0.5) * math.copysign(1.0, sa0)
    spherical = omega - omega1 + 2.0 * math.pi * turns
    lon2 = lon + spherical - F * sa0 * _lag(eps, sigma1, sigma)
    forward = math.atan2(sa0, ca0 * c)
    return lat2, _wrap(lon2), _wrap(forward + math.pi)


@kernel
def _reach(
    sb1: float, cb1: float, sb2: float, cb2: float, alpha1: float
) -> tuple[float, float, float, float, float, float]:
    """Longitude gained by the line at ``alpha1`` up to where it next runs north through the second latitude.

    Needs sb1 <= 0 and cb2 >= cb1. Also returns sin, cos of the azimuth there, sigma1, sigma2 and epsilon.
    """
    sa1, ca1 = math.sin(alpha1), math.cos(alpha1)
    sa0 = sa1 * cb1
    ca0 = math.hypot(ca1, sa1 * sb1)
    sa2 = sa0 / cb2
    rest = (cb2 - cb1) * (cb1 + cb2) if cb1 < -sb1 else (sb1 - sb2) * (sb1 + sb2)
    ca2 = math.sqrt(max((ca1 * cb1) * (ca1 * cb1) + rest, 0.0)) / cb2
    sigma1 = math.atan2(sb1, ca1 * cb1)
    sigma2 = math.atan2(sb2, ca2 * cb2)
    omega1 = math.atan2(sa0 * sb1, ca1 * cb1)
    omega2 = math.atan2(sa0 * sb2, ca2 * cb2)
    eps = _epsilon(ca0)
    gained = omega2 - omega1 - F * sa0 * _lag(eps, sigma1, sigma2)
    return gained, sa2, ca2, sigma1, sigma2, eps


@kernel
def inverse(lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[float, float, float]:
    """Length (m) of the shortest line, its azimuth at the first point, and its azimuth (onward) at the second.

    Points that coincide: 0, 0, 0. Where several lines are equally short, one of them.
    """
    lam = _wrap(lon2 - lon1)
    east = math.copysign(1.0, lam)
    lam = abs(lam)
    # bring the points into one standard position: the first one south, and farther from the equator than the second
    swapped = abs(lat1) < abs(lat2)
    first, second = (lat2, lat1) if swapped else (lat1, lat2)
    flip = 1.0 if first <= 0.0 else -1.0
    first *= flip
    second *= flip
    sb1, cb1 = (1.0 - F) * math.sin(first), max(math.cos(first), _TINY)
    norm = math.hypot(sb1, cb1)
    sb1, cb1 = min(sb1 / norm, -_TINY), cb1 / norm
    sb2, cb2 = (1.0 - F) * math.sin(second), max(math.cos(second), _TINY)
    norm = math.hypot(sb2, cb2)
    sb2, cb2 = sb2 / norm, cb2 / norm
    if cb1 <= 1e-140 or lam == 0.0 or lam == math.pi:
        # along a meridian; at a pole the azimuth is the longitude difference
        sa1, ca1 = math.sin(lam), math.cos(lam)
        sa2, ca2 = 0.0, 1.0
        sigma1 = math.atan2(sb1, cb1 * (1.0 if lam == 0.0 else math.copysign(1.0, ca1)))
        if cb1 <= 1e-140:
            sigma1 = -0.5 * math.pi
        sigma2 = math.atan2(sb2, cb2)
        eps = _epsilon(1.0)
    elif sb1 == -_TINY and sb2 <= 0.0 and lam <= (1.0 - F) * math.pi:
        d = A * lam
        if d == 0.0:
            return 0.0, 0.0, 0.0
        return d, east * 0.5 * math.pi, east * 0.5 * math.pi
    else:
        omega = lam
        settled = False
        sa1, ca1, sa2, ca2, sigma1, sigma2, eps = 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0
        for _ in range(20):
            so, co = math.sin(omega), math.cos(omega)
            half = math.sin(0.5 * omega)
            # the second form keeps its digits for close points
            sa1 = cb2 * so
            ca1 = (sb2 * cb1 - cb2 * sb1) + 2.0 * cb2 * sb1 * half * half
            sa2 = cb1 * so
            ca2 = (sb2 * cb1 - cb2 * sb1) - 2.0 * cb1 * sb2 * half * half
            n1 = math.hypot(sa1, ca1)
            n2 = math.hypot(sa2, ca2)
            if n1 < 1e-14 or n2 < 1e-14:
                break
            arc = math.atan2(n1, sb1 * sb2 + cb1 * cb2 * co)
            if arc > 3.1:
                break
            sa1, ca1 = sa1 / n1, ca1 / n1
            sa2, ca2 = sa2 / n2, ca2 / n2
            sa0 = sa1 * cb1
            eps = _epsilon(math.hypot(ca1, sa1 * sb1))
            sigma1 = math.atan2(sb1, ca1 * cb1)
            sigma2 = sigma1 + arc
            new = lam + F * sa0 * _lag(eps, sigma1, sigma2)
            change = abs(new - omega)
            omega = new
            if change < _SETTLED:
                settled = True
                break
        if not settled:
            # the Illinois form of regula falsi, halving where it is slow; the longitude gained rises from 0 to pi
            low, high = 0.0, math.pi
            f_low, f_high = -lam, math.pi - lam
            side = 0
            alpha = 0.5 * math.pi
            for i in range(120):
                if i % 3 == 0:
                    alpha = 0.5 * (low + high)
                else:
                    alpha = high - f_high * (high - low) / (f_high - f_low)
                    if not low < alpha < high:
                        alpha = 0.5 * (low + high)
                gained, sa2, ca2, sigma1, sigma2, eps = _reach(sb1, cb1, sb2, cb2, alpha)
                f = gained - lam
                if abs(f) < 1e-16 or high - low < 1e-16:
                    break
                if f > 0.0:
                    high, f_high = alpha, f
                    if side == 1:
                        f_low *= 0.5
                    side = 1
                else:
                    low, f_low = alpha, f
                    if side == -1:
                        f_high *= 0.5
                    side = -1
            sa1, ca1 = math.sin(alpha), math.cos(alpha)
    d = B * _length(eps, sigma1, sigma2)
    if d == 0.0:
        return 0.0, 0.0, 0.0
    if swapped:
        # traversed the other way: both azimuths turn about, and the mirror in the equator undoes the turn of the north
        # part
        sa1, ca1, sa2, ca2 = sa2, -ca2, sa1, -ca1
        sa1, sa2 = -sa1, -sa2
        east = -east
    ca1 *= flip
    ca2 *= flip
    return d, math.atan2(east * sa1, ca1), math.atan2(east * sa2, ca2)


@kernel
def _direct_many(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty((rows.shape[0], 3))
    for i in range(rows.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = direct(rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3])
    return out


@kernel
def _inverse_many(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty((rows.shape[0], 3))
    for i in range(rows.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = inverse(rows[i, 0], rows[i, 1], rows[i, 2], rows[i, 3])
    return out


def _stack(*columns: ArrayLike) -> NDArray[np.float64]:
    together = np.broadcast_arrays(*(np.asarray(c, dtype=np.float64) for c in columns))
    return np.stack([c.ravel() for c in together], axis=1).copy()


def ends(lat: ArrayLike, lon: ArrayLike, azimuth: ArrayLike, distance: ArrayLike) -> NDArray[np.float64]:
    """``direct`` of many lines (inputs broadcast and flattened): rows of latitude, longitude, azimuth back."""
    return _direct_many(_stack(lat, lon, azimuth, distance))


def lines(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> NDArray[np.float64]:
    """``inverse`` of many pairs (broadcast and flattened): rows of distance, azimuth at the first, at the second."""
    return _inverse_many(_stack(lat1, lon1, lat2, lon2))
