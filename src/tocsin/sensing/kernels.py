"""The inner loops of sensing: every (scan, object) pair of a frame in one call, and the false detections beside them.

Scalars are SI and rad, arrays float64, int64 or uint64 and contiguous, so that one machine-code variant serves. Rows
are independent: a pair's result and its random numbers depend on its own scan and object only. Draws are keyed by (the
sensor's stream mixed with the object's content key, start of the scan); false detections by (the sensor's stream, start
of the scan, their number).

Geometry follows ``records.columns``: a scan's platform and attitude hold at its start. In a sector (``Region.SECTOR``)
both turn with the Earth until the look; in a view (``Region.VIEW``) the platform falls, p + v dt - mu p / |p|^3 dt^2 /
2, and the attitude stays.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth import wgs84
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.earth.random import poisson
from tocsin.records.columns import Region

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Keys = NDArray[np.uint64]

_A = wgs84.A
_B = wgs84.B
_MU = wgs84.MU
_SECTOR = Region.SECTOR
_TURN = 2.0 * math.pi
_0 = np.int64(0)

# columns of a scan's limits
AZ_FROM, AZ_TO, EL_MIN, EL_MAX, RANGE_MIN, RANGE_MAX = range(6)



@kernel
def mix(key: np.uint64, other: np.uint64) -> np.uint64:
    """A 64-bit key of two (finaliser of SplitMix64; Steele, Lea, Flood, OOPSLA 2014)."""
    z = np.uint64(key) + np.uint64(other) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def pair_up(t0: Ints, t1: Ints, windows: Ints) -> tuple[Ints, Ints, Ints]:
    """Pairs of a scan and an object that exists at some time of it: scan, object, middle of the common time (ns).

    ``windows (n, 2)``: first and last time of each object.
    """
    count = 0
    for s in range(t0.shape[0]):
        for j in range(windows.shape[0]):
            if windows[j, 0] <= t1[s] and windows[j, 1] >= t0[s]:
                count += 1
    scan = np.empty(count, np.int64)
    row = np.empty(count, np.int64)
    middle = np.empty(count, np.int64)
    i = 0
    for s in range(t0.shape[0]):
        for j in range(windows.shape[0]):
            if windows[j, 0] <= t1[s] and windows[j, 1] >= t0[s]:
                scan[i] = s
                row[i] = j
                a = max(windows[j, 0], t0[s])
                middle[i] = a + (min(windows[j, 1], t1[s]) - a) // 2
                i += 1
    return scan, row, middle


@kernel
def carry(region: int, platform: Floats, attitude: Floats, dt: float, p: Floats, a: Floats) -> None:
    """Platform (6) and attitude (9) ``dt`` seconds after the start of the scan, into ``p`` and ``a``."""
    if region == _SECTOR:
        c = math.cos(OMEGA_GMST * dt)
        s = math.sin(OMEGA_GMST * dt)
        for k in range(0, 6, 3):
            p[k] = c * platform[k] - s * platform[k + 1]
            p[k + 1] = s * platform[k] + c * platform[k + 1]
            p[k + 2] = platform[k + 2]
        for k in range(0, 9, 3):
            a[k] = c * attitude[k] - s * attitude[k + 1]
            a[k + 1] = s * attitude[k] + c * attitude[k + 1]
            a[k + 2] = attitude[k + 2]
    else:
        r2 = platform[0] * platform[0] + platform[1] * platform[1] + platform[2] * platform[2]
        g = -_MU / (r2 * math.sqrt(r2))
        for k in range(3):
            p[k] = platform[k] + platform[k + 3] * dt + 0.5 * g * platform[k] * dt * dt
            p[k + 3] = platform[k + 3] + g * platform[k] * dt
        for k in range(9):
            a[k] = attitude[k]


@kernel
def aspect(p: Floats, a: Floats, x: Floats) -> tuple[float, float, float, float]:
    """Range (m), azimuth (-pi to pi), elevation (rad), range rate (m/s) of the state ``x`` (6, eci)."""
    dx, dy, dz = x[0] - p[0], x[1] - p[1], x[2] - p[2]
    r = math.sqrt(dx * dx + dy * dy + dz * dz)
    if r == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    dx, dy, dz = dx / r, dy / r, dz / r
    u0 = a[0] * dx + a[1] * dy + a[2] * dz
    u1 = a[3] * dx + a[4] * dy + a[5] * dz
    u2 = a[6] * dx + a[7] * dy + a[8] * dz
    rate = (x[3] - p[3]) * dx + (x[4] - p[4]) * dy + (x[5] - p[5]) * dz
    return r, math.atan2(u0, u1), math.atan2(u2, math.hypot(u0, u1)), rate


@kernel
def turned(angle: float) -> float:
    """An angle brought to 0 <= angle < 2 pi."""
    t = angle % _TURN
    return t if t < _TURN else 0.0


@kernel
def sector_width(az_from: float, az_to: float) -> float:
    """Width (rad) of a sector, clockwise; from == to is all round."""
    w = turned(az_to - az_from)
    return w if w > 0.0 else _TURN


@kernel
def within(limits: Floats, r: float, az: float, el: float) -> bool:
    """Whether range, azimuth and elevation lie in a scan's limits (6)."""
    if r < limits[RANGE_MIN] or r > limits[RANGE_MAX] or el < limits[EL_MIN] or el > limits[EL_MAX]:
        return False
    return turned(az - limits[AZ_FROM]) <= sector_width(limits[AZ_FROM], limits[AZ_TO])


@kernel
def sweep_time(limits: Floats, az: float, t0: int, t1: int) -> int:
    """When (ns) the sweep, which runs through the azimuths evenly from ``t0`` to ``t1``, passes ``az``."""
    width = sector_width(limits[AZ_FROM], limits[AZ_TO])
    past = turned(az - limits[AZ_FROM])
    if past > width:  # outside: the nearer edge
        past = width if past - width < _TURN - past else 0.0
    return int(min(t0 + int(past / width * (t1 - t0)), t1 - 1))


@kernel
def look_times(
    region: int, t0: Ints, t1: Ints, platform: Floats, attitude: Floats, limits: Floats, scan: Ints, t: Ints, x: Floats
) -> Ints:
    """When (ns) each pair's look takes place, from the pair's state ``x (n, 6)`` at the time ``t``."""
    out = np.empty(scan.shape[0], np.int64)
    p = np.empty(6)
    a = np.empty(9)
    for i in range(scan.shape[0]):
        s = scan[i]
        carry(region, platform[s], attitude[s], (t[i] - t0[s]) * 1e-9, p, a)
        _, az, _, _ = aspect(p, a, x[i])
        out[i] = sweep_time(limits[s], az, t0[s], t1[s])
    return out


@kernel
def false_counts(keys: Keys, t0: Ints, mean: Floats) -> Ints:
    """How many false detections each scan has (Poisson)."""
    out = np.empty(t0.shape[0], np.int64)
    for s in range(t0.shape[0]):
        out[s] = poisson(keys[s], t0[s], np.int64(0), np.int64(0), mean[s])
    return out
