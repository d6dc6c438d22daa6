"""Gravity of the Earth to second degree: central mass and flattening (J2), in any axes whose third is the pole.

Left out: higher harmonics (about 1e-6 of gravity: some hundred metres in half an hour of flight), Sun, Moon, tides.
Constants from ``wgs84``; the potential is mu/r (1 - J2 (a/r)^2 (3 (z/r)^2 - 1)/2), as in Vallado, Fundamentals of
Astrodynamics.
"""

from __future__ import annotations

import math

from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import J2, MU, A

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
