"""The inner loops of radars: horizon, errors, detections and false detections (conventions as in ``kernels``)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

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
R_SWERLING = 9  # 0, 1 or 3
R_AIR = 10  # 1-sigma residual of the elevation's correction for the air, at 5 deg (rad)
RADAR_PARAMETERS = 11

# columns of what a look at an object would be
L_RANGE, L_AZ, L_EL, L_RATE, L_COS, L_SNR = range(6)  # m, rad, rad, m/s, cosine off boresight, SNR of this very look
LOOK = 6

LEAST_SNR = 0.1  # a measured SNR under this says no more than that there is something
TROPOSPHERE = 6000.0  # m of 4/3-Earth air: a ray at the horizon bends by 12.5 mrad in all, then goes straight
_EFFECTIVE = 4.0 / 3.0
_MONOPULSE = 1.6  # slope of the monopulse error curve
_LEAST_COS = 1e-3
_SEARCHED_RATE = 8000.0  # m/s: range rates searched, either way
_HARDEST = 1000.0  # m/s2 that no object exceeds
_SLACK = 1000.0  # m
_AIR_AT = math.radians(5.0)
_AIR_LEAST = math.radians(1.0)  # under this elevation the residual of refraction grows no further


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
def air_factor(el: float) -> float:
    """Residual refraction at an elevation (rad) over that at 5 deg: the bending that a surface value corrects badly
    goes with its cotangent (Bean and Dutton, Radio Meteorology, 1966, ch. 3), held under 1 deg.
    """
    return math.tan(_AIR_AT) / math.tan(max(el, _AIR_LEAST)) if el < 0.5 * math.pi else 0.0


@kernel
def terrain_mask(terrain: Floats, first: int, last: int, az: float) -> float:
    """Least elevation (rad) over the terrain at an azimuth: rows (azimuth from 0 to 2 pi rising, elevation), linear
    between them and across north; -pi / 2 if there are none.
    """
    if first == last:
        return -0.5 * math.pi
    a = turned(az)
    k = first
    while k < last and terrain[k, 0] <= a:
        k += 1
    before = k - 1 if k > first else last - 1
    after = k if k < last else first
    width = turned(terrain[after, 0] - terrain[before, 0])
    if width <= 0.0:
        return float(terrain[before, 1])
    share = turned(a - terrain[before, 0]) / width
    return float(terrain[before, 1] + (terrain[after, 1] - terrain[before, 1]) * share)


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
    if par[R_AIR] > 0.0:
        se = math.hypot(se, par[R_AIR] * air_factor(el))
    cov[0], cov[4], cov[7] = sr * sr, sa * sa, se * se
    if par[R_DOPPLER] > 0.0:
        z[3] = rate
        cov[9] = sv * sv


@kernel
def near_pairs(
    t0: Ints,
    t1: Ints,
    which: Ints,
    sites: Floats,
    ups: Floats,
    limits: Floats,
    windows: Ints,
    at_ns: Ints,
    where: Floats,
) -> tuple[Ints, Ints, Ints]:
    """As ``kernels.pair_up``, less the pairs that cannot be within elevation and range at any time of the scan.

    ``sites``, ``ups (m, 3)``: of the radars, fixed to the Earth; ``at_ns (n,)``: a time of each object, ``where (n,
    4)``: its place then, fixed to the Earth, and its greatest speed there. It may be anywhere in a ball about that
    place as large as it can go till the farther end of the scan, under any thrust or drag that an object stands.
    """
    size = t0.shape[0] * windows.shape[0]
    scan = np.empty(size, np.int64)
    row = np.empty(size, np.int64)
    middle = np.empty(size, np.int64)
    i = 0
    for s in range(t0.shape[0]):
        w = which[s]
        lowest = math.sin(max(limits[s, EL_MIN], -0.5 * math.pi))
        for j in range(windows.shape[0]):
            if windows[j, 0] > t1[s] or windows[j, 1] < t0[s]:
                continue
            g = max(abs(t0[s] - at_ns[j]), abs(t1[s] - at_ns[j])) * 1e-9
            ball = (where[j, 3] + _HARDEST * g) * g + _SLACK
            dx, dy, dz = where[j, 0] - sites[w, 0], where[j, 1] - sites[w, 1], where[j, 2] - sites[w, 2]
            r = math.sqrt(dx * dx + dy * dy + dz * dz)
            if r > limits[s, RANGE_MAX] + ball or r < limits[s, RANGE_MIN] - ball:
                continue
            up = ups[w, 0] * dx + ups[w, 1] * dy + ups[w, 2] * dz
            if up + ball < lowest * (r - ball if lowest > 0.0 else r + ball):
                continue
            scan[i] = s
            row[i] = j
            a = max(windows[j, 0], t0[s])
            middle[i] = a + (min(windows[j, 1], t1[s]) - a) // 2
            i += 1
    return scan[:i].copy(), row[:i].copy(), middle[:i].copy()


@kernel
def radar_looks(
    keys: Keys,
    t0: Ints,
    platform: Floats,
    attitude: Floats,
    limits: Floats,
    par: Floats,
    faces: Floats,
    face_span: Ints,
    terrain: Floats,
    terrain_span: Ints,
    scan: Ints,
    row: Ints,
    t: Ints,
    x: Floats,
    object_keys: Keys,
    rcs: Floats,
    cutoff: Ints,
    look: Floats,
) -> Ints:
    """Write what a look at each pair's object would be (``look (n, 6)``); return the pairs in sight.

    SNR = R_POWER rcs cos^3(off boresight) / r^4 in the mean; that of the look is drawn about it: exponential (Swerling
    1), gamma of shape 2 (Swerling 3) or just that (0).
    """
    sight = np.empty(scan.shape[0], np.int64)
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
        if terrain_span[s, 0] < terrain_span[s, 1] and el < terrain_mask(
            terrain, terrain_span[s, 0], terrain_span[s, 1], az
        ):
            continue
        cos_off = off_boresight(faces, face_span[s, 0], face_span[s, 1], az, el)
        if cos_off <= 0.0:
            continue
        j = row[i]
        area = rcs[j, 0] if t[i] < cutoff[j] else rcs[j, 1]
        own = par[s, R_POWER] * area * cos_off * cos_off * cos_off / (r * r * r * r)
        if par[s, R_SWERLING] > 0.0:
            key = mix(keys[s], object_keys[j])
            drawn = -math.log(uniform(key, t0[s], _0, np.int64(0)))
            if par[s, R_SWERLING] > 2.0:
                drawn = 0.5 * (drawn - math.log(uniform(key, t0[s], _0, np.int64(7))))
            own = own * drawn
        look[i, 0], look[i, 1], look[i, 2], look[i, 3], look[i, 4], look[i, 5] = r, az, el, rate, cos_off, own
        sight[found] = i
        found += 1
    return sight[:found]


@kernel
def radar_merge(par: Floats, scan: Ints, order: Ints, resolved: NDArray[np.bool_], look: Floats) -> Ints:
    """Let objects in one cell of range and beam be one: changes ``look`` of the strongest, returns the pairs that
    remain (pairs of scans that are not ``resolved (k,)`` all do).

    ``order``: pairs by scan, the strongest first. The strongest takes all that lie within a range cell and a beam
    width (broadened off the boresight) of it, then the strongest of the rest, and so on. SNRs add, and the place is the
    mean weighted by them.
    """
    n = order.shape[0]
    gone = np.zeros(n, np.bool_)
    kept = np.empty(n, np.int64)
    m = 0
    for a in range(n):
        if gone[a]:
            continue
        i = order[a]
        kept[m] = i
        m += 1
        s = scan[i]
        if not resolved[s]:
            continue
        r, az, el, cos_off = look[i, 0], look[i, 1], look[i, 2], max(look[i, 4], 0.2)
        beam_az, beam_el = par[s, R_BEAM_AZ] / cos_off, par[s, R_BEAM_EL] / cos_off
        power = look[i, 5]
        sr, sa, se, sv = 0.0, 0.0, 0.0, 0.0
        for b in range(a + 1, n):
            j = order[b]
            if scan[j] != s:
                break
            if gone[b] or abs(look[j, 0] - r) >= par[s, R_CELL] or abs(look[j, 2] - el) >= beam_el:
                continue
            aside = turned(look[j, 1] - az + math.pi) - math.pi
            if abs(aside) * math.cos(el) >= beam_az:
                continue
            gone[b] = True
            w = look[j, 5]
            power += w
            sr += w * (look[j, 0] - r)
            sa += w * aside
            se += w * (look[j, 2] - el)
            sv += w * (look[j, 3] - look[i, 3])
        if power > look[i, 5]:
            look[i, 0] = r + sr / power
            look[i, 1] = az + sa / power
            look[i, 2] = el + se / power
            look[i, 3] += sv / power
            look[i, 5] = power
    return kept[:m]


@kernel
def radar_detect(
    keys: Keys,
    t0: Ints,
    par: Floats,
    faces: Floats,
    face_span: Ints,
    bias: Floats,
    air: Floats,
    pairs: Ints,
    scan: Ints,
    row: Ints,
    object_keys: Keys,
    look: Floats,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
) -> Ints:
    """Look at ``pairs``; write measurement ``z (n, 4)``, covariance ``cov (n, 10)``, measured SNR; return the pairs
    detected.

    To the amplitude of the look's SNR complex noise is added, and the power must exceed the threshold, so that Pd is
    ``dynamics.signals.chance`` of the mean SNR. Errors are drawn with the sigma of the look's own SNR; what is
    reported is the sigma of the SNR *measured*. ``bias (k, 4)`` of each scan is added to what was measured, and ``air
    (k,)``, in sigmas, times the residual of refraction to the elevation.
    """
    hits = np.empty(pairs.shape[0], np.int64)
    found = 0
    for n in range(pairs.shape[0]):
        i = pairs[n]
        s = scan[i]
        r, az, el, rate, cos_off, own = look[i, 0], look[i, 1], look[i, 2], look[i, 3], look[i, 4], look[i, 5]
        key = mix(keys[s], object_keys[row[i]])
        re = math.sqrt(own) + normal(key, t0[s], _0, np.int64(1)) * math.sqrt(0.5)
        im = normal(key, t0[s], _0, np.int64(2)) * math.sqrt(0.5)
        power = re * re + im * im
        if not power > par[s, R_THRESHOLD]:  # a cross-section that is no number, or less than nothing, is never seen
            continue
        measured = max(power - 1.0, LEAST_SNR)
        sr, sa, se, sv = radar_sigmas(par[s], max(own, LEAST_SNR), cos_off, el)
        lifted = el + se * normal(key, t0[s], _0, np.int64(5))
        if par[s, R_AIR] > 0.0:
            lifted += air[s] * par[s, R_AIR] * air_factor(el)
        _radar_report(
            par[s],
            faces,
            face_span[s, 0],
            face_span[s, 1],
            r + sr * normal(key, t0[s], _0, np.int64(3)) + bias[s, 0],
            az + sa * normal(key, t0[s], _0, np.int64(4)) + bias[s, 1],
            lifted + bias[s, 2],
            rate + sv * normal(key, t0[s], _0, np.int64(6)) + bias[s, 3],
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
    face_span: Ints,
    terrain: Floats,
    terrain_span: Ints,
    scan: Ints,
    number: Ints,
    t: Ints,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
) -> None:
    """False detections of thermal noise, even over the cells searched: in range, and over the solid angle.

    Elevations under ``horizon`` (rad) or under the terrain are not searched. The power over threshold has the
    exponential tail of the noise.
    """
    for i in range(scan.shape[0]):
        s = scan[i]
        slot = number[i] + 1
        lim = limits[s]
        r = lim[RANGE_MIN] + (lim[RANGE_MAX] - lim[RANGE_MIN]) * uniform(keys[s], t0[s], slot, np.int64(0))
        az = lim[AZ_FROM] + sector_width(lim[AZ_FROM], lim[AZ_TO]) * uniform(keys[s], t0[s], slot, np.int64(1))
        low = max(lim[EL_MIN], horizon[s])
        if terrain_span[s, 0] < terrain_span[s, 1]:
            low = max(low, terrain_mask(terrain, terrain_span[s, 0], terrain_span[s, 1], az))
        low = math.sin(min(low, lim[EL_MAX]))
        el = math.asin(low + (math.sin(lim[EL_MAX]) - low) * uniform(keys[s], t0[s], slot, np.int64(2)))
        power = par[s, R_THRESHOLD] - math.log(uniform(keys[s], t0[s], slot, np.int64(3)))
        rate = _SEARCHED_RATE * (2.0 * uniform(keys[s], t0[s], slot, np.int64(4)) - 1.0)
        snr_out[i] = max(power - 1.0, LEAST_SNR)
        t[i] = sweep_time(lim, az, t0[s], t1[s])
        _radar_report(par[s], faces, face_span[s, 0], face_span[s, 1], r, az, el, rate, snr_out[i], z[i], cov[i])
