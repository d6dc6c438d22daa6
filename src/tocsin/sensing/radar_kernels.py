"""The inner loops of radars: horizon, errors, detections and false detections (conventions as in ``kernels``)."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth import wgs84
from tocsin.earth.jit import kernel
from tocsin.earth.random import normal, uniform
from tocsin.records.columns import Region
from tocsin.sensing.kernels import (
    AZ_FROM,
    AZ_TO,
    EL_MAX,
    EL_MIN,
    RANGE_MAX,
    RANGE_MIN,
    Floats,
    Ints,
    Keys,
    aspect,
    carry,
    mix,
    sector_width,
    sweep_time,
    turned,
    within,
)  # fmt: skip

_A = wgs84.A
_B = wgs84.B
_SECTOR = Region.SECTOR
_0 = np.int64(0)

# columns of a radar scan's parameters
R_POWER = 0  # SNR of 1 m2 at 1 m on boresight (m4 / m2): reference SNR times reference range to the fourth
R_THRESHOLD = 1  # of measured power over noise power
R_CELL = 2  # range resolution (m)
R_BEAM_AZ, R_BEAM_EL = 3, 4  # 3 dB widths on boresight (rad)
R_SIGMA_RANGE, R_SIGMA_ANGLE, R_SIGMA_RATE = 5, 6, 7  # floors
R_DOPPLER = 8  # 1 where range rate is measured
RADAR_PARAMETERS = 9

LEAST_SNR = 0.1  # a measured SNR under this says no more than that there is something
TROPOSPHERE = 6000.0  # m of 4/3-Earth air: a ray at the horizon bends by 12.5 mrad in all, then goes straight
_EFFECTIVE = 4.0 / 3.0
_MONOPULSE = 1.6  # slope of the monopulse error curve
_LEAST_COS = 1e-3
_SEARCHED_RATE = 8000.0  # m/s: range rates searched, either way


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
