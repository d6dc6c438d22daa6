"""Gravity of the Earth: central mass and flattening (J2), on request J3 and J4, in any axes whose third is the pole.

Left out: what depends on longitude, higher harmonics (together about 1e-6 of gravity: some hundred metres in half an
hour of flight), Sun, Moon, tides. mu and J2 from ``wgs84``; the potential is mu/r (1 - J2 (a/r)^2 (3 (z/r)^2 - 1)/2),
as in Vallado, Fundamentals of Astrodynamics. J3 and J4 are those of the WGS 84 Earth Gravitational Model 1996 (NIMA
TR8350.2, third edition, chapter 5): J_n = -sqrt(2 n + 1) C_n0 of its normalised coefficients. (The ellipsoid has a J4
of its own, -2.4e-6, which belongs to its smooth figure and not to the Earth.)
"""

from __future__ import annotations

import math

from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import J2, MU, A

J3 = -math.sqrt(7.0) * 0.957254173792e-6
J4 = -math.sqrt(9.0) * 0.539873863789e-6

_K = 1.5 * J2 * A * A


@kernel
def gravity(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Attraction (m/s2) at a position (m) in eci or ecef axes; in ecef the centrifugal part is not included."""
    r2 = x * x + y * y + z * z
    m = MU / (r2 * math.sqrt(r2))
    k = _K / r2
    q = 5.0 * z * z / r2
    across = -m * (1.0 + k * (1.0 - q))
    return across * x, across * y, -m * (1.0 + k * (3.0 - q)) * z


@kernel
def gravity_gradient(x: float, y: float, z: float) -> tuple[float, float, float, float, float, float]:
    """Derivatives (1/s2) of ``gravity`` by position, a symmetric matrix: its xx, xy, xz, yy, yz, zz."""
    r2 = x * x + y * y + z * z
    m = MU / (r2 * math.sqrt(r2))
    k = _K / r2
    q = z * z / r2
    # a = -m (1 + k (1 - 5 q)) (x, y, z) - 2 m k z (0, 0, 1); d(m)/dr = -3 m/r, d(m k)/dr = -5 m k/r, d(m k q)/dr = -7 m
    # k q/r
    diagonal = -m * (1.0 + k * (1.0 - 5.0 * q))
    radial = m * (3.0 + k * (5.0 - 35.0 * q)) / r2
    polar = 10.0 * m * k * z / r2
    return (
        diagonal + radial * x * x,
        radial * x * y,
        (radial * z + polar) * x,
        diagonal + radial * y * y,
        (radial * z + polar) * y,
        diagonal - 2.0 * m * k + radial * z * z + 2.0 * polar * z,
    )


@kernel
def potential(x: float, y: float, z: float) -> float:
    """Potential energy per mass (m2/s2, zero far away) whose negative gradient ``gravity`` is."""
    r2 = x * x + y * y + z * z
    return -MU / math.sqrt(r2) * (1.0 - _K / 3.0 / r2 * (3.0 * z * z / r2 - 1.0))


@kernel
def zonal_gravity(x: float, y: float, z: float, degree: int) -> tuple[float, float, float]:
    """Attraction (m/s2) as ``gravity``, with the zonal harmonics up to ``degree``: 0 or 1 (point mass), 2, 3, 4 or
    more.
    """
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    m = MU / (r2 * r)
    u = z / r
    u2 = u * u
    radial = 0.0  # sum of J_n (a/r)^n P'_(n+1)(u) and of J_n (a/r)^n P'_n(u)
    polar = 0.0
    if degree >= 2:
        s = J2 * A * A / r2
        radial += s * 1.5 * (5.0 * u2 - 1.0)
        polar += s * 3.0 * u
    if degree >= 3:
        s = J3 * A * A * A / (r2 * r)
        radial += s * 2.5 * u * (7.0 * u2 - 3.0)
        polar += s * 1.5 * (5.0 * u2 - 1.0)
    if degree >= 4:
        s = J4 * A * A * A * A / (r2 * r2)
        radial += s * 1.875 * (u2 * (21.0 * u2 - 14.0) + 1.0)
        polar += s * 2.5 * u * (7.0 * u2 - 3.0)
    along = m * (radial - 1.0)
    return along * x, along * y, along * z - m * r * polar


@kernel
def zonal_potential(x: float, y: float, z: float, degree: int) -> float:
    """Potential energy per mass (m2/s2, zero far away) whose negative gradient ``zonal_gravity`` is."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    u = z / r
    u2 = u * u
    s = 1.0
    if degree >= 2:
        s -= J2 * A * A / r2 * (3.0 * u2 - 1.0) / 2.0
    if degree >= 3:
        s -= J3 * A * A * A / (r2 * r) * u * (5.0 * u2 - 3.0) / 2.0
    if degree >= 4:
        s -= J4 * A * A * A * A / (r2 * r2) * (u2 * (35.0 * u2 - 30.0) + 3.0) / 8.0
    return -MU / r * s
