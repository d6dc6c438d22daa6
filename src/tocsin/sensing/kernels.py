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
from tocsin.earth.random import normal, poisson, uniform
from tocsin.earth.wgs84 import geodetic_of
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

# columns of a radar scan's parameters
R_POWER = 0  # SNR of 1 m2 at 1 m on boresight (m4 / m2): reference SNR times reference range to the fourth
R_THRESHOLD = 1  # of measured power over noise power
R_CELL = 2  # range resolution (m)
R_BEAM_AZ, R_BEAM_EL = 3, 4  # 3 dB widths on boresight (rad)
R_SIGMA_RANGE, R_SIGMA_ANGLE, R_SIGMA_RATE = 5, 6, 7  # floors
R_DOPPLER = 8  # 1 where range rate is measured
RADAR_PARAMETERS = 9

# columns of an infrared scan's parameters
I_GAIN = 0  # SNR of 1 W/sr at 1 m (m2 sr/W)
I_THRESHOLD = 1
I_CLOUD_TOP, I_LIMB = 2, 3
I_SIGMA, I_FLOOR = 4, 5  # line of sight at threshold, and at best (rad)
INFRARED_PARAMETERS = 6

LEAST_SNR = 0.1  # a measured SNR under this says no more than that there is something
TROPOSPHERE = 6000.0  # m of 4/3-Earth air: a ray at the horizon bends by 12.5 mrad in all, then goes straight
_EFFECTIVE = 4.0 / 3.0
_MONOPULSE = 1.6  # slope of the monopulse error curve
_LEAST_COS = 1e-3
_SEARCHED_RATE = 8000.0  # m/s: range rates searched, either way


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


# ---------------------------------------------------------------------------------------------------------------- radar


@kernel
def ray_reach(h: float) -> float:
    """Angle at the Earth's centre (rad) from where a radio ray grazes a sphere of the equatorial radius to where it is
    ``h`` m high.

    Under ``TROPOSPHERE`` the ray is straight over an Earth of 4/3 the radius, above it straight over the Earth as it
    is: the 4/3 rule holds for the lowest air only, and at 1,000 km it would show objects 5 deg beyond the true horizon.
    """
    if h <= 0.0:
        return 0.0
    k = _EFFECTIVE * _A
    if h <= TROPOSPHERE:
        return _EFFECTIVE * math.acos(k / (k + h))
    b = math.acos(k / (k + TROPOSPHERE))
    return _EFFECTIVE * b + math.acos((_A + TROPOSPHERE) * math.cos(b) / (_A + h)) - b


@kernel
def over_horizon(sx: float, sy: float, sz: float, px: float, py: float, pz: float) -> bool:
    """Whether a radar at ``s`` has the radio horizon below a target at ``p`` (eci or ecef, m).

    Both are taken to the axes in which the ellipsoid is a sphere, where straight lines stay straight, so that without
    air the answer would be exact; the air's share is ``ray_reach``. A target under the ellipsoid is never seen.
    """
    f = _A / _B
    sz, pz = sz * f, pz * f
    hs = math.sqrt(sx * sx + sy * sy + sz * sz) - _A
    hp = math.sqrt(px * px + py * py + pz * pz) - _A
    if hp < 0.0:
        return False
    cx, cy, cz = sy * pz - sz * py, sz * px - sx * pz, sx * py - sy * px
    apart = math.atan2(math.sqrt(cx * cx + cy * cy + cz * cz), sx * px + sy * py + sz * pz)
    return apart <= ray_reach(hs) + ray_reach(hp)


@kernel
def off_boresight(faces: Floats, first: int, last: int, az: float, el: float) -> float:
    """Cosine of the angle between a direction and the nearest boresight (rows: east, north, up); 1 if there is none."""
    if first == last:
        return 1.0
    ue = math.cos(el) * math.sin(az)
    un = math.cos(el) * math.cos(az)
    uu = math.sin(el)
    best = -1.0
    for k in range(first, last):
        best = max(best, faces[k, 0] * ue + faces[k, 1] * un + faces[k, 2] * uu)
    return min(best, 1.0)


@kernel
def radar_sigmas(par: Floats, snr: float, cos_off: float, el: float) -> tuple[float, float, float, float]:
    """1-sigma errors of range (m), azimuth, elevation (rad), range rate (m/s) of one look at a given SNR.

    Range: resolution / sqrt(2 SNR). Angles: beam width / (1.6 sqrt(2 SNR)), the beam broadened by 1 / cos of the angle
    off boresight, azimuth by 1 / cos of the elevation besides (Curry, Radar System Performance Modeling, 2nd ed., ch.
    8). Floors are added in quadrature. The range rate's floor stands for its waveform, of which nothing is said: its
    noise share equals the floor at threshold.
    """
    noise = 1.0 / math.sqrt(2.0 * snr)
    wide = noise / (_MONOPULSE * max(cos_off, 0.2))
    sr = math.hypot(par[R_SIGMA_RANGE], par[R_CELL] * noise)
    sa = math.hypot(par[R_SIGMA_ANGLE], par[R_BEAM_AZ] * wide) / max(abs(math.cos(el)), _LEAST_COS)
    se = math.hypot(par[R_SIGMA_ANGLE], par[R_BEAM_EL] * wide)
    sv = par[R_SIGMA_RATE] * math.sqrt(1.0 + par[R_THRESHOLD] / snr)
    return sr, min(sa, math.pi), min(se, math.pi), sv


@kernel
def _radar_report(
    par: Floats,
    faces: Floats,
    first: int,
    last: int,
    r: float,
    az: float,
    el: float,
    rate: float,
    snr: float,
    z: Floats,
    cov: Floats,
) -> None:
    """Write a measurement and the covariance that the radar believes: from what it measured, never from what is so."""
    if el > 0.5 * math.pi:
        el = math.pi - el
        az += math.pi
    elif el < -0.5 * math.pi:
        el = -math.pi - el
        az += math.pi
    z[0], z[1], z[2] = max(r, 0.0), turned(az), el
    sr, sa, se, sv = radar_sigmas(par, snr, off_boresight(faces, first, last, az, el), el)
    cov[0], cov[4], cov[7] = sr * sr, sa * sa, se * se
    if par[R_DOPPLER] > 0.0:
        z[3] = rate
        cov[9] = sv * sv


@kernel
def radar_detect(
    keys: Keys,
    t0: Ints,
    platform: Floats,
    attitude: Floats,
    limits: Floats,
    par: Floats,
    faces: Floats,
    face_start: Ints,
    scan: Ints,
    row: Ints,
    t: Ints,
    x: Floats,
    object_keys: Keys,
    rcs: Floats,
    cutoff: Ints,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
) -> Ints:
    """Look at every pair; write measurement ``z (n, 4)``, covariance ``cov (n, 10)``, measured SNR; return the pairs
    detected.

    SNR = R_POWER rcs cos^3(off boresight) / r^4. Swerling 1: the object's own SNR of this look is exponential about
    that; to its amplitude complex noise is added, and the power must exceed the threshold, so that Pd = pfa^(1 / (1 +
    SNR)). Errors are drawn with the sigma of the look's own SNR; what is reported is the sigma of the SNR *measured*.
    """
    hits = np.empty(scan.shape[0], np.int64)
    found = 0
    p = np.empty(6)
    a = np.empty(9)
    for i in range(scan.shape[0]):
        s = scan[i]
        carry(_SECTOR, platform[s], attitude[s], (t[i] - t0[s]) * 1e-9, p, a)
        r, az, el, rate = aspect(p, a, x[i])
        if not within(limits[s], r, az, el) or r <= 0.0:
            continue
        if not over_horizon(p[0], p[1], p[2], x[i, 0], x[i, 1], x[i, 2]):
            continue
        cos_off = off_boresight(faces, face_start[s], face_start[s + 1], az, el)
        if cos_off <= 0.0:
            continue
        j = row[i]
        area = rcs[j, 0] if t[i] < cutoff[j] else rcs[j, 1]
        mean = par[s, R_POWER] * area * cos_off * cos_off * cos_off / (r * r * r * r)
        key = mix(keys[s], object_keys[j])
        own = mean * -math.log(uniform(key, t0[s], _0, np.int64(0)))
        re = math.sqrt(own) + normal(key, t0[s], _0, np.int64(1)) * math.sqrt(0.5)
        im = normal(key, t0[s], _0, np.int64(2)) * math.sqrt(0.5)
        power = re * re + im * im
        if power <= par[s, R_THRESHOLD]:
            continue
        measured = max(power - 1.0, LEAST_SNR)
        sr, sa, se, sv = radar_sigmas(par[s], max(own, LEAST_SNR), cos_off, el)
        _radar_report(
            par[s],
            faces,
            face_start[s],
            face_start[s + 1],
            r + sr * normal(key, t0[s], _0, np.int64(3)),
            az + sa * normal(key, t0[s], _0, np.int64(4)),
            el + se * normal(key, t0[s], _0, np.int64(5)),
            rate + sv * normal(key, t0[s], _0, np.int64(6)),
            measured,
            z[i],
            cov[i],
        )
        snr_out[i] = measured
        hits[found] = i
        found += 1
    return hits[:found]


@kernel
def false_counts(keys: Keys, t0: Ints, mean: Floats) -> Ints:
    """How many false detections each scan has (Poisson)."""
    out = np.empty(t0.shape[0], np.int64)
    for s in range(t0.shape[0]):
        out[s] = poisson(keys[s], t0[s], np.int64(0), np.int64(0), mean[s])
    return out


@kernel
def radar_false(
    keys: Keys,
    t0: Ints,
    t1: Ints,
    limits: Floats,
    horizon: Floats,
    par: Floats,
    faces: Floats,
    face_start: Ints,
    scan: Ints,
    number: Ints,
    t: Ints,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
) -> None:
    """False detections of thermal noise, even over the cells searched: in range, and over the solid angle.

    Elevations under ``horizon`` (rad) are not searched. The power over threshold has the exponential tail of the noise.
    """
    for i in range(scan.shape[0]):
        s = scan[i]
        slot = number[i] + 1
        lim = limits[s]
        r = lim[RANGE_MIN] + (lim[RANGE_MAX] - lim[RANGE_MIN]) * uniform(keys[s], t0[s], slot, np.int64(0))
        az = lim[AZ_FROM] + sector_width(lim[AZ_FROM], lim[AZ_TO]) * uniform(keys[s], t0[s], slot, np.int64(1))
        low = math.sin(min(max(lim[EL_MIN], horizon[s]), lim[EL_MAX]))
        el = math.asin(low + (math.sin(lim[EL_MAX]) - low) * uniform(keys[s], t0[s], slot, np.int64(2)))
        power = par[s, R_THRESHOLD] - math.log(uniform(keys[s], t0[s], slot, np.int64(3)))
        rate = _SEARCHED_RATE * (2.0 * uniform(keys[s], t0[s], slot, np.int64(4)) - 1.0)
        snr_out[i] = max(power - 1.0, LEAST_SNR)
        t[i] = sweep_time(lim, az, t0[s], t1[s])
        _radar_report(par[s], faces, face_start[s], face_start[s + 1], r, az, el, rate, snr_out[i], z[i], cov[i])


# ------------------------------------------------------------------------------------------------------------- infrared


@kernel
def lowest_point(sx: float, sy: float, sz: float, px: float, py: float, pz: float) -> tuple[bool, float]:
    """Where the line of sight from ``s`` to ``p`` (eci or ecef, m) comes nearest to the Earth: before ``p`` or not, and
    its height (m).

    "Nearest" is meant in the axes in which the ellipsoid is a sphere: exact for whether the line touches the ellipsoid,
    and within metres for the height of a line that passes it by some tens of kilometres.
    """
    f = _A / _B
    dx, dy, dz = px - sx, py - sy, pz - sz
    dd = dx * dx + dy * dy + f * f * dz * dz
    tau = 1.0
    if dd > 0.0:
        tau = min(max(-(sx * dx + sy * dy + f * f * sz * dz) / dd, 0.0), 1.0)
    _, _, h = geodetic_of(sx + tau * dx, sy + tau * dy, sz + tau * dz)
    return tau < 1.0, h


@kernel
def sees(sx: float, sy: float, sz: float, px: float, py: float, pz: float, cloud_top: float, limb: float) -> bool:
    """Whether a satellite at ``s`` has a free line of sight to a plume at ``p`` (eci or ecef, m).

    The plume must stand above ``cloud_top``. If the line of sight has passed its lowest point before it reaches the
    plume (a view past the limb), that point must be at least ``limb`` m over the ellipsoid.
    """
    _, _, h = geodetic_of(px, py, pz)
    if h <= cloud_top:
        return False
    past, lowest = lowest_point(sx, sy, sz, px, py, pz)
    return (not past) or (lowest >= limb and lowest >= 0.0)


@kernel
def ground_distance(p: Floats, a: Floats, az: float, el: float, height: float) -> float:
    """Distance (m) at which a line of sight meets the ellipsoid raised by ``height``, or passes it closest."""
    c0 = math.cos(el) * math.sin(az)
    c1 = math.cos(el) * math.cos(az)
    c2 = math.sin(el)
    f = (_A + height) / (_B + height)
    ux = a[0] * c0 + a[3] * c1 + a[6] * c2
    uy = a[1] * c0 + a[4] * c1 + a[7] * c2
    uz = (a[2] * c0 + a[5] * c1 + a[8] * c2) * f
    pz = p[2] * f
    uu = ux * ux + uy * uy + uz * uz
    pu = p[0] * ux + p[1] * uy + pz * uz
    pp = p[0] * p[0] + p[1] * p[1] + pz * pz - (_A + height) * (_A + height)
    root = pu * pu - uu * pp
    d = (-pu - math.sqrt(root)) / uu if root > 0.0 else -pu / uu
    return float(max(d, 1.0))


@kernel
def infrared_sigma(par: Floats, snr: float) -> float:
    """1-sigma error (rad) of a line-of-sight angle: ``I_SIGMA`` at threshold, then falling to ``I_FLOOR``."""
    share = par[I_THRESHOLD] / max(snr, 0.25 * par[I_THRESHOLD])
    noise = max(par[I_SIGMA] * par[I_SIGMA] - par[I_FLOOR] * par[I_FLOOR], 0.0)
    return math.sqrt(par[I_FLOOR] * par[I_FLOOR] + noise * share * share)


@kernel
def _infrared_report(
    par: Floats, p: Floats, a: Floats, az: float, el: float, snr: float, z: Floats, cov: Floats
) -> float:
    """Write a line of sight and its believed covariance; return the intensity (W/sr) as if at the cloud tops."""
    if abs(el) > 0.5 * math.pi:
        el = math.copysign(math.pi, el) - el
        az += math.pi
    az = turned(az + math.pi) - math.pi
    z[0], z[1] = az, el
    s = infrared_sigma(par, snr)
    sa = min(s / max(abs(math.cos(el)), _LEAST_COS), math.pi)
    cov[0], cov[4] = sa * sa, s * s
    d = ground_distance(p, a, az, el, par[I_CLOUD_TOP])
    return float(snr * d * d / par[I_GAIN])


@kernel
def infrared_detect(
    region: int,
    keys: Keys,
    t0: Ints,
    platform: Floats,
    attitude: Floats,
    limits: Floats,
    par: Floats,
    scan: Ints,
    row: Ints,
    t: Ints,
    x: Floats,
    object_keys: Keys,
    burn_start: Ints,
    burn_t: Ints,
    burn_intensity: Floats,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
    intensity_out: Floats,
) -> Ints:
    """Look at every pair; write line of sight, covariance, measured SNR and intensity; return the pairs detected.

    SNR = I_GAIN intensity / distance^2; unit normal noise is added and the sum must reach the threshold. Errors are
    drawn with the sigma of the true SNR, reported with that of the measured one.
    """
    hits = np.empty(scan.shape[0], np.int64)
    found = 0
    p = np.empty(6)
    a = np.empty(9)
    for i in range(scan.shape[0]):
        s = scan[i]
        j = row[i]
        burning = 0.0
        for b in range(burn_start[j], burn_start[j + 1]):
            if burn_t[b, 0] <= t[i] < burn_t[b, 1]:
                burning += burn_intensity[b]
        if burning <= 0.0:
            continue
        carry(region, platform[s], attitude[s], (t[i] - t0[s]) * 1e-9, p, a)
        r, az, el, _ = aspect(p, a, x[i])
        if not within(limits[s], r, az, el) or r <= 0.0:
            continue
        if not sees(p[0], p[1], p[2], x[i, 0], x[i, 1], x[i, 2], par[s, I_CLOUD_TOP], par[s, I_LIMB]):
            continue
        snr = par[s, I_GAIN] * burning / (r * r)
        key = mix(keys[s], object_keys[j])
        measured = snr + normal(key, t0[s], _0, np.int64(0))
        if measured < par[s, I_THRESHOLD]:
            continue
        sigma = infrared_sigma(par[s], snr)
        intensity_out[i] = _infrared_report(
            par[s],
            p,
            a,
            az + sigma / max(abs(math.cos(el)), _LEAST_COS) * normal(key, t0[s], _0, np.int64(1)),
            el + sigma * normal(key, t0[s], _0, np.int64(2)),
            measured,
            z[i],
            cov[i],
        )
        snr_out[i] = measured
        hits[found] = i
        found += 1
    return hits[:found]


@kernel
def infrared_false(
    region: int,
    keys: Keys,
    t0: Ints,
    t1: Ints,
    platform: Floats,
    attitude: Floats,
    limits: Floats,
    par: Floats,
    scan: Ints,
    number: Ints,
    t: Ints,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
    intensity_out: Floats,
) -> None:
    """False detections, even over the directions in which the Earth is seen; the SNR has the tail of normal noise over
    threshold.
    """
    p = np.empty(6)
    a = np.empty(9)
    for i in range(scan.shape[0]):
        s = scan[i]
        slot = number[i] + 1
        # the disc in the axes in which the Earth is a sphere: a cone about nadir, drawn even over its solid angle, then
        # taken back
        f = _A / _B
        qx, qy, qz = platform[s, 0], platform[s, 1], platform[s, 2] * f
        q = math.sqrt(qx * qx + qy * qy + qz * qz)
        edge = math.sqrt(max(1.0 - (_A / q) * (_A / q), 0.0))
        c = 1.0 - (1.0 - edge) * uniform(keys[s], t0[s], slot, np.int64(0))
        w = _TURN * uniform(keys[s], t0[s], slot, np.int64(1))
        sine = math.sqrt(max(1.0 - c * c, 0.0))
        # two axes across nadir
        nx, ny, nz = -qx / q, -qy / q, -qz / q
        ex, ey, ez = attitude[s, 0], attitude[s, 1], attitude[s, 2]
        along = ex * nx + ey * ny + ez * nz
        ex, ey, ez = ex - along * nx, ey - along * ny, ez - along * nz
        e = math.sqrt(ex * ex + ey * ey + ez * ez)
        ex, ey, ez = ex / e, ey / e, ez / e
        gx, gy, gz = ny * ez - nz * ey, nz * ex - nx * ez, nx * ey - ny * ex
        cw, sw = math.cos(w) * sine, math.sin(w) * sine
        ux = c * nx + cw * ex + sw * gx
        uy = c * ny + cw * ey + sw * gy
        uz = (c * nz + cw * ez + sw * gz) / f
        u0 = attitude[s, 0] * ux + attitude[s, 1] * uy + attitude[s, 2] * uz
        u1 = attitude[s, 3] * ux + attitude[s, 4] * uy + attitude[s, 5] * uz
        u2 = attitude[s, 6] * ux + attitude[s, 7] * uy + attitude[s, 8] * uz
        az = math.atan2(u0, u1)
        el = math.atan2(u2, math.hypot(u0, u1))
        t[i] = sweep_time(limits[s], az, t0[s], t1[s])
        threshold = par[s, I_THRESHOLD]
        snr_out[i] = threshold - math.log(uniform(keys[s], t0[s], slot, np.int64(2))) / max(threshold, 1.0)
        carry(region, platform[s], attitude[s], (t[i] - t0[s]) * 1e-9, p, a)
        intensity_out[i] = _infrared_report(par[s], p, a, az, el, snr_out[i], z[i], cov[i])
