"""The WGS 84 ellipsoid: constants, geodetic and Earth-fixed positions, local axes.

Source: NIMA TR8350.2, third edition, amendment 1 (2000), tables 3.1 and 3.3; J2 is that
ellipsoid's dynamic form factor. Angles in rad, lengths in m. Arrays: rows are points; one point or many. The kernels
take scalars and return tuples.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.jit import kernel

A = 6378137.0
F = 1.0 / 298.257223563
B = A * (1.0 - F)
E2 = F * (2.0 - F)
EP2 = E2 / (1.0 - E2)
MU = 3.986004418e14
J2 = 1.082629821313e-3
OMEGA = 7.292115e-5
R_MEAN = 6371008.7714


@kernel
def ecef_of(lat: float, lon: float, h: float) -> tuple[float, float, float]:
    """Earth-fixed position (m) of geodetic latitude, longitude (rad) and height (m)."""
    s = math.sin(lat)
    c = math.cos(lat)
    n = A / math.sqrt(1.0 - E2 * s * s)
    return (n + h) * c * math.cos(lon), (n + h) * c * math.sin(lon), (n * (1.0 - E2) + h) * s


@kernel
def geodetic_of(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Geodetic latitude, longitude (rad) and height (m) of an Earth-fixed position, by Bowring's method with two
    refinements.

    Within 1e-11 rad and 1e-4 m from 5,000 km under the surface to beyond 1e9 m; at the centre itself no latitude means
    anything.
    """
    p = math.hypot(x, y)
    lon = math.atan2(y, x)
    beta = math.atan2(z * A, p * B)
    lat = 0.0
    for _ in range(3):
        sb = math.sin(beta)
        cb = math.cos(beta)
        lat = math.atan2(z + EP2 * B * sb * sb * sb, p - E2 * A * cb * cb * cb)
        beta = math.atan2((1.0 - F) * math.sin(lat), math.cos(lat))
    s = math.sin(lat)
    c = math.cos(lat)
    n = A / math.sqrt(1.0 - E2 * s * s)
    # this form has no division that fails at the poles or on the equator
    h = p * c + z * s - A * A / n
    return lat, lon, h


@kernel
def _ecef_many(geodetic: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty_like(geodetic)
    for i in range(geodetic.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = ecef_of(geodetic[i, 0], geodetic[i, 1], geodetic[i, 2])
    return out


@kernel
def _geodetic_many(ecef: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty_like(ecef)
    for i in range(ecef.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = geodetic_of(ecef[i, 0], ecef[i, 1], ecef[i, 2])
    return out


def _rows(values: ArrayLike) -> tuple[NDArray[np.float64], bool]:
    a = np.ascontiguousarray(values, dtype=np.float64)
    if a.ndim not in (1, 2) or a.shape[-1] != 3:
        raise ValueError(f"expected an array of shape (3,) or (n, 3), found {a.shape}")
    return a.reshape(-1, 3), a.ndim == 1


def geodetic_to_ecef(geodetic: ArrayLike) -> NDArray[np.float64]:
    """``(n, 3)`` or ``(3,)`` of latitude (rad), longitude (rad), height (m) to Earth-fixed metres, same shape."""
    rows, one = _rows(geodetic)
    out = _ecef_many(rows)
    return out[0] if one else out


def ecef_to_geodetic(ecef: ArrayLike) -> NDArray[np.float64]:
    """``(n, 3)`` or ``(3,)`` Earth-fixed metres to latitude (rad), longitude (rad, -pi to pi), height (m), same
    shape.
    """
    rows, one = _rows(ecef)
    out = _geodetic_many(rows)
    return out[0] if one else out


@kernel
def enu_axes(lat: float, lon: float) -> NDArray[np.float64]:
    """``(3, 3)``: rows are the unit vectors east, north, up (Earth-fixed) at a geodetic latitude and longitude."""
    sl, cl = math.sin(lon), math.cos(lon)
    sp, cp = math.sin(lat), math.cos(lat)
    m = np.empty((3, 3))
    m[0, 0], m[0, 1], m[0, 2] = -sl, cl, 0.0
    m[1, 0], m[1, 1], m[1, 2] = -sp * cl, -sp * sl, cp
    m[2, 0], m[2, 1], m[2, 2] = cp * cl, cp * sl, sp
    return m
