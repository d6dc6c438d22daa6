"""The Earth's shadow: how much of the Sun a satellite sees.

Overlap of the Sun's disk with the Earth's (Montenbruck and Gill, Satellite Orbits, section 3.4.2), the flattening taken
in by stretching the polar axis until the ellipsoid is a sphere (Adhya et al., "Oblate Earth eclipse state algorithm for
low-earth-orbiting satellites", J. Spacecraft and Rockets 41, 2004). The air is left out: it darkens and bends light
some 20 km deep around the edge, which a low satellite crosses in about 5 s.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.jit import kernel
from tocsin.earth.sun import RADIUS, sun_at, sun_positions
from tocsin.earth.wgs84 import A, B

_STRETCH = A / B


@kernel
def sunlit(x: float, y: float, z: float, sx: float, sy: float, sz: float) -> float:
    """Part of the Sun's disk (0: umbra, between: penumbra, 1: light) seen from a position with the Sun at (sx, sy, sz).

    All in m, in eci or in ecef.
    """
    dx, dy, dz = sx - x, sy - y, (sz - z) * _STRETCH
    zz = z * _STRETCH
    r = math.sqrt(x * x + y * y + zz * zz)
    d = math.sqrt(dx * dx + dy * dy + dz * dz)
    sun = math.asin(min(1.0, RADIUS / d))
    earth = math.asin(A / r) if r > A else 0.5 * math.pi
    if r == 0.0:
        return 0.0
    cosine = -(x * dx + y * dy + zz * dz) / (r * d)
    apart = math.acos(max(-1.0, min(1.0, cosine)))
    if apart >= sun + earth:
        return 1.0
    if apart <= earth - sun:
        return 0.0
    if apart <= sun - earth:  # the Earth in front of the Sun, smaller than it: beyond the tip of the umbra
        return 1.0 - (earth / sun) ** 2
    along = (apart * apart + sun * sun - earth * earth) / (2.0 * apart)
    across = math.sqrt(max(0.0, sun * sun - along * along))
    covered = (
        sun * sun * math.acos(max(-1.0, min(1.0, along / sun)))
        + earth * earth * math.acos(max(-1.0, min(1.0, (apart - along) / earth)))
        - apart * across
    )
    return min(1.0, max(0.0, 1.0 - covered / (math.pi * sun * sun)))


@kernel
def _sunlit_many(x: NDArray[np.float64], sun: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    for k in range(x.shape[0]):
        s = sun[k if sun.shape[0] > 1 else 0]
        out[k] = sunlit(x[k, 0], x[k, 1], x[k, 2], s[0], s[1], s[2])


def sunlit_parts(x_eci: ArrayLike, unix_ns: ArrayLike) -> NDArray[np.float64]:
    """Part of the Sun's disk ``(k,)`` that is seen from positions ``(k, 3)`` or states ``(k, 6)`` in eci (m).

    ``unix_ns``: UTC (ns since 1970), one time or one a row. 0: umbra, 1: full light.
    """
    x = np.ascontiguousarray(x_eci, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] not in (3, 6):
        raise ValueError(f"expected positions (k, 3) or states (k, 6), found shape {x.shape}")
    times = np.atleast_1d(np.asarray(unix_ns, dtype=np.int64))
    if len(times) not in (1, len(x)):
        raise ValueError(f"expected one time or {len(x)}, found {len(times)}")
    if not np.isfinite(x).all():
        raise ValueError(f"row {int(np.argwhere(~np.isfinite(x))[0, 0])}: positions must be finite")
    out = np.empty(len(x))
    _sunlit_many(x, sun_positions(times), out)
    return out


__all__ = ["sun_at", "sunlit", "sunlit_parts"]
