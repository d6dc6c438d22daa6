"""Where the Sun stands, to 0.01 degrees from 1950 to 2050.

The low-precision formulas of the Astronomical Almanac (page C5 of any recent year), apparent place for the mean equinox
of date: the axes of ``eci`` but for nutation (0.005 degrees).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_J2000_UNIX_NS = 946_728_000_000_000_000  # 2000-01-01T12:00:00


def sun_direction_eci(unix_ns: int) -> NDArray[np.float64]:
    """Unit vector ``(3,)`` from the Earth to the Sun in eci at a UTC time (ns since 1970)."""
    days = (unix_ns - _J2000_UNIX_NS) / 86_400e9
    anomaly = math.radians(357.528 + 0.9856003 * days)
    longitude = math.radians(280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
    obliquity = math.radians(23.439 - 4e-7 * days)
    across = math.sin(longitude)
    return np.array([math.cos(longitude), math.cos(obliquity) * across, math.sin(obliquity) * across])
