"""The inner loops of coverage: nominal flights from many places to one, and which sensors could see them when.

All is in ecef (m, s since the launch); time runs in steps and what begins between two steps is found by halving.
Geometry is that of ``sensing`` (its kernels are called); nothing is drawn. A sensor "sees" where one look would detect
with even odds or better.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth import wgs84
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.sensing.infrared_kernels import lowest_point, sees
from tocsin.sensing.kernels import EL_MAX, EL_MIN, RANGE_MAX, RANGE_MIN, sector_width, turned, within
from tocsin.sensing.radar_kernels import off_boresight, over_horizon

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_A = wgs84.A
_B = wgs84.B
_MU = wgs84.MU

RADAR, INFRARED, OVER_HORIZON = 0, 1, 2

# columns of a sensor's parameters
S_KIND = 0
S_POWER = 1  # radar: SNR of 1 m2 at 1 m; infrared: SNR of 1 W/sr at 1 m
S_NEEDED = 2  # SNR at which one look has even odds
S_SEARCH_LOW, S_SEARCH_HIGH = 3, 4  # radar: elevations that it searches (rad)
S_CLOUD_TOP, S_LIMB, S_SUN, S_BODY = 5, 6, 7, 8  # infrared: m, m, cosine of the excluded angle, SNR of 1 W/sr body
S_HEIGHT = 9  # over-horizon: greatest height (m)
SENSOR_PARAMETERS = 10

# columns of what a cell's flight is
C_DISTANCE, C_AZIMUTH, C_TIME, C_BURNOUT, C_APOGEE, C_SEEN, C_GAP, C_GAPS, C_LAST = range(9)
CELL_COLUMNS = 9
_NEWTON = 12


@kernel
def _radius(u0: float, u1: float, u2: float) -> float:
    """Distance (m) of the ellipsoid from the centre along a unit vector."""
    return 1.0 / math.sqrt((u0 * u0 + u1 * u1) / (_A * _A) + u2 * u2 / (_B * _B))


@kernel
def height_over(x: float, y: float, z: float) -> float:
    """Height (m) over the ellipsoid along the line to the centre: within 0.6 % of the geodetic one."""
    r = math.sqrt(x * x + y * y + z * z)
    return float(r - _radius(x / r, y / r, z / r))


@kernel
def _spin(x: Floats, angle: float, out: Floats) -> None:
    c, s = math.cos(angle), math.sin(angle)
    a, b = x[0], x[1]
    out[0], out[1], out[2] = c * a - s * b, s * a + c * b, x[2]


@kernel
def _profile(table: Floats, at: float, share: float, column: int) -> float:
    """A boost table ``(ranges, times, 2)`` at a fractional row and a share of the burn."""
    rows, n = table.shape[0], table.shape[1]
    i = min(max(int(at), 0), rows - 2)
    u = min(max(at - i, 0.0), 1.0)
    k = min(int(share * (n - 1)), n - 2)
    w = share * (n - 1) - k
    low = table[i, k, column] + w * (table[i, k + 1, column] - table[i, k, column])
    high = table[i + 1, k, column] + w * (table[i + 1, k + 1, column] - table[i + 1, k, column])
    return float(low + u * (high - low))


@kernel
def plan(
    start: Floats, aim: Floats, ranges: Floats, burn: Floats, tilt: Floats, table: Floats, arc: Floats
) -> bool:
    """The nominal flight from ``start`` to ``aim`` (ecef, on the ground); False where its range is not in ``ranges``.

    Boost: height and way over the ground of the class's own flights at ``ranges (k,)``, ``burn (k,)`` s long, ``table
    (k, times, 2)``. Then the arc of least energy from where thrust ends to where the aim will be, in the axes that were
    ecef at launch, found by going round a few times as the Earth turns on; no drag.

    ``arc (20,)``: unit vectors of the start and across towards the aim (0-5), fractional row (6), burn (7), state where
    thrust ends (8-13), its radius (14), semi-major axis (15), time of flight (16), distance (17), azimuth (18).
    """
    r0 = math.sqrt(start[0] ** 2 + start[1] ** 2 + start[2] ** 2)
    r2 = math.sqrt(aim[0] ** 2 + aim[1] ** 2 + aim[2] ** 2)
    dot = (start[0] * aim[0] + start[1] * aim[1] + start[2] * aim[2]) / (r0 * r2)
    angle = math.acos(min(max(dot, -1.0), 1.0))
    distance = angle * wgs84.R_MEAN
    arc[17] = distance
    if not ranges[0] <= distance <= ranges[-1]:
        return False
    for k in range(3):
        arc[k] = start[k] / r0
        arc[3 + k] = aim[k] / r2 - dot * start[k] / r0
    size = math.sqrt(arc[3] ** 2 + arc[4] ** 2 + arc[5] ** 2)
    if size < 1e-9:
        return False
    for k in range(3, 6):
        arc[k] /= size
    flat = max(math.hypot(arc[0], arc[1]), 1e-9)
    east = (-arc[1] * arc[3] + arc[0] * arc[4]) / flat
    north = (-arc[2] * (arc[0] * arc[3] + arc[1] * arc[4])) / flat + flat * arc[5]
    arc[18] = turned(math.atan2(east, north))
    row = 0
    while row < ranges.shape[0] - 2 and distance > ranges[row + 1]:
        row += 1
    arc[6] = row + (distance - ranges[row]) / (ranges[row + 1] - ranges[row])
    u = arc[6] - row
    arc[7] = burn[row] + u * (burn[row + 1] - burn[row])
    # by azimuth: what is spared is speed against the turning Earth, the more the nearer to the equator
    lean = 0.0
    turn = math.cos(math.asin(arc[2])) * math.sin(arc[18])
    for i in range(2):
        w = u if i == 1 else 1.0 - u
        lean += w * (tilt[row + i, 0] + tilt[row + i, 1] * turn + tilt[row + i, 2] * math.cos(arc[18]))

    p = np.empty(3)
    boost_at(table, arc, arc[7], p)
    x = np.empty(3)
    _spin(p, OMEGA_GMST * arc[7], x)
    r1 = math.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2)
    y = np.empty(3)
    time = arc[7] + 1200.0
    v = np.empty(3)
    a = 0.0
    for _ in range(_NEWTON):
        _spin(aim, OMEGA_GMST * time, y)
        cosine = (x[0] * y[0] + x[1] * y[1] + x[2] * y[2]) / (r1 * r2)
        cx = x[1] * y[2] - x[2] * y[1]
        cy = x[2] * y[0] - x[0] * y[2]
        cz = x[0] * y[1] - x[1] * y[0]
        sine = math.sqrt(cx * cx + cy * cy + cz * cz) / (r1 * r2)
        if sine < 1e-6:
            return False
        c = math.sqrt((y[0] - x[0]) ** 2 + (y[1] - x[1]) ** 2 + (y[2] - x[2]) ** 2)
        q = r1 * r2 * (1.0 - cosine) / c
        f = 1.0 - r2 / q * (1.0 - cosine)
        g = r1 * r2 * sine / math.sqrt(_MU * q)
        # horizontal and radial parts of the least speed, then of the arc that is steeper by the tilt (Wheelon 1959)
        climb = ((y[0] - f * x[0]) * x[0] + (y[1] - f * x[1]) * x[1] + (y[2] - f * x[2]) * x[2]) / (g * r1)
        gamma = math.atan2(climb, math.sqrt(_MU * q) / r1) + lean
        theta = math.atan2(sine, cosine)
        cg = math.cos(gamma)
        under = cg * cg * (r1 / r2 - math.cos(theta + gamma) / cg)
        if under <= 0.0:
            return False
        ratio = (1.0 - cosine) / under  # r1 v^2 / mu
        if not 0.0 < ratio < 2.0:
            return False
        a = r1 / (2.0 - ratio)
        q = r1 * ratio * cg * cg
        f = 1.0 - r2 / q * (1.0 - cosine)
        g = r1 * r2 * sine / math.sqrt(_MU * q)
        slope = math.sqrt(_MU / q) * math.tan(0.5 * theta) * ((1.0 - cosine) / q - 1.0 / r1 - 1.0 / r2)
        e = math.atan2(-slope * r1 * r2 / math.sqrt(_MU * a), 1.0 - r1 * r2 * (1.0 - cosine) / (a * q))
        if e < 0.0:
            e += 2.0 * math.pi
        tof = g + math.sqrt(a * a * a / _MU) * (e - math.sin(e))
        for k in range(3):
            v[k] = (y[k] - f * x[k]) / g
        before = time
        time = arc[7] + tof
        if abs(time - before) < 1e-3:
            break
    for k in range(3):
        arc[8 + k] = x[k]
        arc[11 + k] = v[k]
    arc[14], arc[15], arc[16] = r1, a, time
    return True


@kernel
def boost_at(table: Floats, arc: Floats, t: float, p: Floats) -> None:
    """Where a flight is under thrust (ecef)."""
    share = min(max(t / arc[7], 0.0), 1.0)
    h = _profile(table, arc[6], share, 0)
    d = _profile(table, arc[6], share, 1) / wgs84.R_MEAN
    c, s = math.cos(d), math.sin(d)
    u0, u1, u2 = c * arc[0] + s * arc[3], c * arc[1] + s * arc[4], c * arc[2] + s * arc[5]
    r = _radius(u0, u1, u2) + h
    p[0], p[1], p[2] = u0 * r, u1 * r, u2 * r


@kernel
def place_at(table: Floats, arc: Floats, t: float, p: Floats) -> None:
    """Where a planned flight is ``t`` s after its launch (ecef)."""
    if t <= arc[7]:
        boost_at(table, arc, t, p)
        return
    dt = t - arc[7]
    r1, a = arc[14], arc[15]
    root = math.sqrt(a)
    n = math.sqrt(_MU / (a * a * a))
    sigma = (arc[8] * arc[11] + arc[9] * arc[12] + arc[10] * arc[13]) / math.sqrt(_MU) / root
    k = 1.0 - r1 / a
    e = n * dt
    for _ in range(_NEWTON):
        c, s = math.cos(e), math.sin(e)
        miss = e + sigma * (1.0 - c) - k * s - n * dt
        step = miss / (1.0 + sigma * s - k * c)
        e -= step
        if abs(step) < 1e-10:
            break
    f = 1.0 - a / r1 * (1.0 - math.cos(e))
    g = dt - (e - math.sin(e)) / n
    x, y, z = f * arc[8] + g * arc[11], f * arc[9] + g * arc[12], f * arc[10] + g * arc[13]
    c, s = math.cos(OMEGA_GMST * t), math.sin(OMEGA_GMST * t)
    p[0], p[1], p[2] = c * x + s * y, -s * x + c * y, z


@kernel
def ground_of(terrain: Floats, first: int, last: int, az: float) -> float:
    """Least elevation (rad) over the terrain in a direction; rows of azimuth (rising) and elevation, joined round."""
    if first == last:
        return -math.pi
    a = turned(az)
    for i in range(first, last):
        j = i + 1 if i + 1 < last else first
        width = turned(terrain[j, 0] - terrain[i, 0])
        past = turned(a - terrain[i, 0])
        if last - first == 1 or width == 0.0:
            return float(terrain[i, 1])
        if past <= width:
            return float(terrain[i, 1] + past / width * (terrain[j, 1] - terrain[i, 1]))
    return -math.pi


@kernel
def radar_sees(
    par: Floats,
    site: Floats,
    axes: Floats,
    limits: Floats,
    faces: Floats,
    face_from: int,
    face_to: int,
    terrain: Floats,
    terrain_from: int,
    terrain_to: int,
    p: Floats,
    rcs: float,
    gain: float,
    search: bool,
) -> bool:
    """Whether a radar sees an object of ``rcs`` (m2) at ``p``; ``search``: or only would find it, in its fence."""
    dx, dy, dz = p[0] - site[0], p[1] - site[1], p[2] - site[2]
    r = math.sqrt(dx * dx + dy * dy + dz * dz)
    if r > limits[RANGE_MAX] or r < limits[RANGE_MIN] or r <= 0.0:
        return False
    snr = par[S_POWER] * gain * rcs / (r * r * r * r)
    if snr < par[S_NEEDED]:
        return False
    u0 = (axes[0] * dx + axes[1] * dy + axes[2] * dz) / r
    u1 = (axes[3] * dx + axes[4] * dy + axes[5] * dz) / r
    u2 = (axes[6] * dx + axes[7] * dy + axes[8] * dz) / r
    el = math.asin(min(max(u2, -1.0), 1.0))
    low, high = limits[EL_MIN], limits[EL_MAX]
    if search:
        low, high = max(low, par[S_SEARCH_LOW]), min(high, par[S_SEARCH_HIGH])
    if el < low or el > high:
        return False
    az = math.atan2(u0, u1)
    if not within(limits, r, az, el) or el < ground_of(terrain, terrain_from, terrain_to, az):
        return False
    cosine = off_boresight(faces, face_from, face_to, az, el)
    if cosine <= 0.0 or snr * cosine * cosine * cosine < par[S_NEEDED]:
        return False
    return bool(over_horizon(site[0], site[1], site[2], p[0], p[1], p[2]))


@kernel
def far_radar_sees(par: Floats, site: Floats, axes: Floats, limits: Floats, p: Floats, rcs: float, gain: float) -> bool:
    """Whether an over-the-horizon radar sees an object: by way over the ground, azimuth and height."""
    h = height_over(p[0], p[1], p[2])
    if h < 0.0 or h > par[S_HEIGHT]:
        return False
    rs = math.sqrt(site[0] ** 2 + site[1] ** 2 + site[2] ** 2)
    rp = math.sqrt(p[0] ** 2 + p[1] ** 2 + p[2] ** 2)
    cosine = (site[0] * p[0] + site[1] * p[1] + site[2] * p[2]) / (rs * rp)
    d = math.acos(min(max(cosine, -1.0), 1.0)) * wgs84.R_MEAN
    if d < limits[RANGE_MIN] or d > limits[RANGE_MAX] or d <= 0.0:
        return False
    dx, dy, dz = p[0] - site[0], p[1] - site[1], p[2] - site[2]
    az = math.atan2(axes[0] * dx + axes[1] * dy + axes[2] * dz, axes[3] * dx + axes[4] * dy + axes[5] * dz)
    if turned(az - limits[0]) > sector_width(limits[0], limits[1]):
        return False
    return bool(par[S_POWER] * gain * rcs / (d * d * d * d) >= par[S_NEEDED])


@kernel
def satellite_sees(
    par: Floats, s0: float, s1: float, s2: float, sun: Floats, p: Floats, plume: float, body: float, gain: float
) -> bool:
    """Whether an infrared satellite (ecef, m) sees a plume, or without one a warm body (W/sr) against cold space."""
    dx, dy, dz = p[0] - s0, p[1] - s1, p[2] - s2
    rr = dx * dx + dy * dy + dz * dz
    if rr <= 0.0:
        return False
    if plume > 0.0 and par[S_POWER] * gain * plume / rr >= par[S_NEEDED]:
        if not sees(s0, s1, s2, p[0], p[1], p[2], par[S_CLOUD_TOP], par[S_LIMB]):
            return False
    elif body > 0.0 and par[S_BODY] > 0.0 and par[S_BODY] * gain * body / rr >= par[S_NEEDED]:
        # the line of sight goes on behind the body and must miss the Earth
        far = 3.0 * _A / math.sqrt(rr) + 1.0
        _, low = lowest_point(s0, s1, s2, s0 + far * dx, s1 + far * dy, s2 + far * dz)
        if low < par[S_LIMB] or low < 0.0:
            return False
    else:
        return False
    if par[S_SUN] < 1.0:
        ahead = sun[0] * s0 + sun[1] * s1 + sun[2] * s2
        aside = s0 * s0 + s1 * s1 + s2 * s2 - ahead * ahead
        shaded = ahead < 0.0 and aside < _B * _B  # a Sun behind the Earth blinds nobody
        cosine = (sun[0] * dx + sun[1] * dy + sun[2] * dz) / math.sqrt(rr)
        if cosine > par[S_SUN] and not shaded:
            return False
    return True


@kernel
def _gain_of(spans: Floats, first: int, last: int, t: float) -> float:
    """Factor on a sensor's SNR at a time: the product of its spans (from, to, factor)."""
    gain = 1.0
    for i in range(first, last):
        if spans[i, 0] <= t < spans[i, 1]:
            gain *= spans[i, 2]
    return gain


@kernel
def look(
    j: int, t: float, p: Floats, par: Floats, site: Floats, axes: Floats, limits: Floats, faces: Floats,
    face_start: Ints, terrain: Floats, terrain_start: Ints, orbit: Floats, at: float, sun: Floats, spans: Floats,
    span_start: Ints, rcs: float, plume: float, body: float, search: bool,
) -> bool:  # fmt: skip
    """Whether sensor ``j`` sees at ``t`` an object at ``p``: its cross-section, plume and warmth (m2, W/sr).

    ``orbit (n, 3)``: places of a satellite, straight between them; ``at``: the row, with its fraction.
    """
    gain = _gain_of(spans, span_start[j], span_start[j + 1], t)
    if gain <= 0.0:
        return False
    if par[j, S_KIND] == RADAR:
        return bool(
            radar_sees(
                par[j], site[j], axes[j], limits[j], faces, face_start[j], face_start[j + 1],
                terrain, terrain_start[j], terrain_start[j + 1], p, rcs, gain, search,
            )
        )  # fmt: skip
    if par[j, S_KIND] == OVER_HORIZON:
        return bool(far_radar_sees(par[j], site[j], axes[j], limits[j], p, rcs, gain))
    if plume <= 0.0 and par[j, S_BODY] <= 0.0:
        return False
    k = max(min(int(at), orbit.shape[0] - 2), 0)
    w = at - k
    n = min(k + 1, orbit.shape[0] - 1)
    s0 = orbit[k, 0] + w * (orbit[n, 0] - orbit[k, 0])
    s1 = orbit[k, 1] + w * (orbit[n, 1] - orbit[k, 1])
    s2 = orbit[k, 2] + w * (orbit[n, 2] - orbit[k, 2])
    return bool(satellite_sees(par[j], s0, s1, s2, sun, p, plume, body, gain))


@kernel
def dimmed(trough: Floats, h: float) -> float:
    """Factor on a plume at a height: 1 outside the trough, the given factor in its middle, smooth between."""
    if trough.shape[0] < 3 or h <= trough[0] or h >= trough[1]:
        return 1.0
    s = math.sin(math.pi * (h - trough[0]) / (trough[1] - trough[0]))
    return float(1.0 - (1.0 - trough[2]) * s * s)


@kernel
def watch(
    starts: Floats, aim: Floats, ranges: Floats, burn: Floats, tilt: Floats, table: Floats, plumes: Floats,
    trough: Floats, rcs: Floats, body: float, par: Floats, site: Floats, axes: Floats, limits: Floats,
    faces: Floats, face_start: Ints, terrain: Floats, terrain_start: Ints, orbit: Floats, orbit_step: float,
    sun: Floats, spans: Floats, span_start: Ints, step: float, boost_only: bool, first: Floats, cells: Floats,
) -> None:  # fmt: skip
    """Fly from every start to the aim and note when each sensor first sees the flight.

    ``plumes (k, 3)``: from, to as shares of the burn, W/sr; ``rcs (2,)``: boosting, after; ``first (cells, sensors)``:
    s after launch, NaN for never; ``cells (cells, CELL_COLUMNS)``: NaN where the class does not fly that far.
    """
    m = par.shape[0]
    arc = np.empty(20)
    p = np.empty(3)
    for c in range(starts.shape[0]):
        for j in range(m):
            first[c, j] = np.nan
        for k in range(CELL_COLUMNS):
            cells[c, k] = np.nan
        ok = plan(starts[c], aim, ranges, burn, tilt, table, arc)
        cells[c, C_DISTANCE] = arc[17]
        if not ok:
            continue
        cells[c, C_AZIMUTH], cells[c, C_TIME], cells[c, C_BURNOUT] = arc[18], arc[16], arc[7]
        end = arc[7] if boost_only else arc[16]
        top = 0.0
        seen = 0.0
        gap = 0.0
        gaps = 0
        last = -1.0
        began = False
        n = math.ceil(end / step)
        for i in range(n + 1):
            t = min(i * step, end)
            place_at(table, arc, t, p)
            h = height_over(p[0], p[1], p[2])
            top = max(top, h)
            share = t / arc[7]
            plume = 0.0
            for b in range(plumes.shape[0]):
                if plumes[b, 0] <= share < plumes[b, 1]:
                    plume += plumes[b, 2] * dimmed(trough, h)
            area = rcs[0] if share < 1.0 else rcs[1]
            any_now = False
            for j in range(m):
                new = np.isnan(first[c, j])
                if any_now and not new:
                    continue
                if not look(j, t, p, par, site, axes, limits, faces, face_start, terrain, terrain_start, orbit[j],
                            t / orbit_step, sun, spans, span_start, area, plume, body, new):  # fmt: skip
                    continue
                any_now = True
                if not new:
                    continue
                low, high = max(t - step, 0.0), t
                while high - low > 0.25:
                    mid = 0.5 * (low + high)
                    place_at(table, arc, mid, p)
                    hm = height_over(p[0], p[1], p[2])
                    share_m = mid / arc[7]
                    plume_m = 0.0
                    for b in range(plumes.shape[0]):
                        if plumes[b, 0] <= share_m < plumes[b, 1]:
                            plume_m += plumes[b, 2] * dimmed(trough, hm)
                    area_m = rcs[0] if share_m < 1.0 else rcs[1]
                    if look(j, mid, p, par, site, axes, limits, faces, face_start, terrain, terrain_start, orbit[j],
                            mid / orbit_step, sun, spans, span_start, area_m, plume_m, body, True):  # fmt: skip
                        high = mid
                    else:
                        low = mid
                first[c, j] = high
                place_at(table, arc, t, p)
            if any_now:
                if began and i * step - last > 1.5 * step:
                    gaps += 1
                    gap = max(gap, t - last)
                began = True
                last = t
                seen += step
        cells[c, C_APOGEE] = top
        cells[c, C_SEEN], cells[c, C_GAP], cells[c, C_GAPS] = min(seen, end), gap, gaps
        cells[c, C_LAST] = last if began else np.nan


@kernel
def least_height(
    ground: Floats, heights: Floats, rcs: float, par: Floats, site: Floats, axes: Floats, limits: Floats,
    faces: Floats, face_start: Ints, terrain: Floats, terrain_start: Ints, out: Floats,
) -> None:  # fmt: skip
    """The least height (m) at which some radar would find an object of ``rcs`` over each place ``ground (n, 3)`` (unit
    vectors); NaN where none would up to the last of ``heights`` (rising).
    """
    p = np.empty(3)
    for c in range(ground.shape[0]):
        out[c] = np.nan
        base = _radius(ground[c, 0], ground[c, 1], ground[c, 2])
        done = False
        for i in range(heights.shape[0]):
            low, high = heights[i - 1] if i > 0 else 0.0, heights[i]
            for j in range(par.shape[0]):
                if par[j, S_KIND] != RADAR:
                    continue
                for k in range(3):
                    p[k] = ground[c, k] * (base + high)
                if not radar_sees(par[j], site[j], axes[j], limits[j], faces, face_start[j], face_start[j + 1],
                                  terrain, terrain_start[j], terrain_start[j + 1], p, rcs, 1.0, True):  # fmt: skip
                    continue
                a, b = low, high
                while b - a > 50.0:
                    mid = 0.5 * (a + b)
                    for k in range(3):
                        p[k] = ground[c, k] * (base + mid)
                    if radar_sees(par[j], site[j], axes[j], limits[j], faces, face_start[j], face_start[j + 1],
                                  terrain, terrain_start[j], terrain_start[j + 1], p, rcs, 1.0, True):  # fmt: skip
                        b = mid
                    else:
                        a = mid
                if not done or b < out[c]:
                    out[c] = b
                done = True
            if done:
                break


@kernel
def over_places(
    points: Floats, rcs: float, par: Floats, site: Floats, axes: Floats, limits: Floats, faces: Floats,
    face_start: Ints, terrain: Floats, terrain_start: Ints, out: Flags,
) -> None:  # fmt: skip
    """Whether some radar sees an object of ``rcs`` at each of ``points (n, 3)`` (ecef)."""
    for c in range(points.shape[0]):
        out[c] = False
        for j in range(par.shape[0]):
            if par[j, S_KIND] == RADAR and radar_sees(
                par[j], site[j], axes[j], limits[j], faces, face_start[j], face_start[j + 1],
                terrain, terrain_start[j], terrain_start[j + 1], points[c], rcs, 1.0, False,
            ):  # fmt: skip
                out[c] = True
                break
