"""Where the Sun stands: within 0.01 degrees from 1950 to 2100 in the axes of ``eci``; its height, and sunrise lines.

Meeus, Astronomical Algorithms (2nd edition, 1998), chapter 25, "low accuracy", aberration and the largest term of
nutation included, and the five periodic terms of his Astronomical Formulae for Calculators (chapter 18), without which
a hundredth of a degree is only just missed. The equinox is then moved back to the mean one, because ``eci`` has the
true equator and the mean equinox of date (TEME). Kernels take ns since 1970 (UTC); Terrestrial Time is ahead of it by
the sum of the leap seconds and 32.184 s (before 1972 by a line through 29.1 s in 1950), after 2017 by 69.184 s as long
as no leap second is announced: a second is 1e-5 degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.frames import gmst82
from tocsin.earth.jit import kernel

AU = 149_597_870_700.0  # m (IAU 2012)
RADIUS = 6.957e8  # m, nominal (IAU 2015 resolution B3)
# refraction 34' and semi-diameter 16', by which the Sun's centre is below the horizon when its edge appears
# (Explanatory Supplement to the Astronomical Almanac, section 9.311)
SUNRISE_HEIGHT = -math.radians(50.0 / 60.0)
_J2000_UNIX_NS = 946_728_000_000_000_000  # 2000-01-01T12:00:00
_RAD = math.pi / 180.0


@kernel
def _tt_ahead(year: float) -> float:
    """TT - UTC (s): leap seconds of IERS Bulletin C, smoothed by straight lines to within 1 s."""
    if year < 1972.0:
        return 29.1 + (year - 1950.0) * (42.2 - 29.1) / 22.0
    if year < 1999.0:
        return 42.2 + (year - 1972.0) * (64.2 - 42.2) / 27.0
    if year < 2017.0:
        return 64.2 + (year - 1999.0) * (69.2 - 64.2) / 18.0
    return 69.184


@kernel
def sun_at(unix_ns: int) -> tuple[float, float, float]:
    """Position (m) of the Sun in eci at a UTC time (ns since 1970)."""
    t = (unix_ns - _J2000_UNIX_NS) / 3_155_760e12  # centuries
    t += _tt_ahead(2000.0 + 100.0 * t) / 3_155_760e3
    anomaly = (357.52911 + t * (35999.05029 - 0.0001537 * t)) * _RAD
    e = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    centre = (
        (1.914602 - t * (0.004817 + 0.000014 * t)) * math.sin(anomaly)
        + (0.019993 - 0.000101 * t) * math.sin(2.0 * anomaly)
        + 0.000289 * math.sin(3.0 * anomaly)
    )
    t1900 = t + 1.0  # close enough for terms of thousandths of a degree
    planets = (
        0.00134 * math.cos((153.23 + 22518.7541 * t1900) * _RAD)  # Venus
        + 0.00154 * math.cos((216.57 + 45037.5082 * t1900) * _RAD)  # Venus
        + 0.00200 * math.cos((312.69 + 32964.3577 * t1900) * _RAD)  # Jupiter
        + 0.00179 * math.sin((350.74 + t1900 * (445267.1142 - 0.00144 * t1900)) * _RAD)  # Moon
        + 0.00178 * math.sin((231.19 + 20.20 * t1900) * _RAD)  # of long period
    )
    true = 280.46646 + t * (36000.76983 + 0.0003032 * t) + centre + planets
    node = (125.04 - 1934.136 * t) * _RAD
    nutation = -0.00478 * math.sin(node)
    longitude = (true - 0.00569 + nutation) * _RAD
    obliquity = (23.439291 - 0.0130042 * t + 0.00256 * math.cos(node)) * _RAD
    r = AU * 1.000001018 * (1.0 - e * e) / (1.0 + e * math.cos(anomaly + centre * _RAD))
    x = math.cos(longitude)
    y = math.cos(obliquity) * math.sin(longitude)
    z = math.sin(obliquity) * math.sin(longitude)
    # from the true equinox to the mean one, along the equator
    back = nutation * math.cos(obliquity) * _RAD
    return r * (x + back * y), r * (y - back * x), r * z


@kernel
def _sun_many(unix_ns: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    for k in range(unix_ns.shape[0]):
        out[k, 0], out[k, 1], out[k, 2] = sun_at(unix_ns[k])


def sun_positions(unix_ns: ArrayLike) -> NDArray[np.float64]:
    """Positions ``(k, 3)`` (m) of the Sun in eci at UTC times ``(k,)`` (ns since 1970)."""
    times = np.atleast_1d(np.asarray(unix_ns, dtype=np.int64))
    out = np.empty((len(times), 3))
    _sun_many(np.ascontiguousarray(times), out)
    return out


def sun_direction_eci(unix_ns: int) -> NDArray[np.float64]:
    """Unit vector ``(3,)`` from the Earth to the Sun in eci at a UTC time (ns since 1970)."""
    x, y, z = map(float, sun_positions(unix_ns)[0])
    return np.array([x, y, z]) / math.sqrt(x * x + y * y + z * z)


def sun_direction_ecef(unix_ns: int, dut1_s: float = 0.0) -> NDArray[np.float64]:
    """Unit vector ``(3,)`` from the Earth to the Sun in ecef at a UTC time (ns since 1970)."""
    x, y, z = sun_direction_eci(unix_ns)
    theta = gmst82(unix_ns, dut1_s)
    c, s = math.cos(theta), math.sin(theta)
    return np.array([c * x + s * y, -s * x + c * y, z])


def sun_heights(lat: ArrayLike, lon: ArrayLike, unix_ns: int) -> NDArray[np.float64]:
    """Height of the Sun's centre over the horizon (rad, without refraction) at geodetic places (rad), any shape.

    Seen from the Earth's centre: the parallax (9", 0.0024 deg) is left out.
    """
    x, y, z = sun_direction_ecef(unix_ns)
    phi, lam = np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)
    up = np.cos(phi) * (np.cos(lam) * x + np.sin(lam) * y) + np.sin(phi) * z
    return np.asarray(np.arcsin(np.clip(up, -1.0, 1.0)))


@dataclass(frozen=True)
class SunLine:
    """The closed line on the ground along which the Sun's centre is at one height.

    ``lat``, ``lon (n,)``: geodetic, rad, the first point again as the last, going round the place under the Sun
    clockwise as seen from it; ``rising (n,)``: whether the Sun comes up there (else it goes down).
    """

    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    rising: NDArray[np.bool_]


def sun_line(unix_ns: int, height: float = SUNRISE_HEIGHT, n: int = 361) -> SunLine:
    """Where the Sun's centre is at ``height`` (rad) at a UTC time (ns since 1970), as ``n`` points.

    The default is sunrise and sunset as almanacs have them (refraction 34', semi-diameter 16'); -6, -12 and -18 deg are
    the ends of civil, nautical and astronomical twilight. Exact on the ellipsoid at height 0, but for the parallax. The
    height must lie within 90 deg and n be at least 4 (ValueError).
    """
    if not (abs(height) < 0.5 * math.pi and n >= 4):
        raise ValueError(f"a line needs a height within 90 deg and 4 points, found {math.degrees(height):g} and {n}")
    s = sun_direction_ecef(unix_ns)
    # the vertical of such a place makes the angle 90 deg - height with the Sun: a circle of directions about it; the
    # Sun never stands within 60 deg of the pole
    across = np.array([-s[1], s[0], 0.0]) / math.hypot(s[0], s[1])  # eastwards at the place under the Sun
    north = np.cross(s, across)
    phase = np.arange(n) * (2.0 * math.pi / (n - 1))
    phase[-1] = 0.0
    up = (
        math.sin(height) * s
        + math.cos(height) * (np.cos(phase)[:, None] * north + np.sin(phase)[:, None] * across)
    )  # fmt: skip
    lat, lon = np.arcsin(np.clip(up[:, 2], -1.0, 1.0)), np.arctan2(up[:, 1], up[:, 0])
    # the Sun rises where it stands in the east
    east = -np.sin(lon) * s[0] + np.cos(lon) * s[1]
    return SunLine(lat, lon, east > 0.0)
