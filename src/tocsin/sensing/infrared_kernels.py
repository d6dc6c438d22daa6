"""The inner loops of infrared satellites: lines of sight, detections and false detections (conventions as in
``kernels``)."""

from __future__ import annotations

import math

import numpy as np

from tocsin.dynamics.orbit import orbit_state
from tocsin.dynamics.signals import against_space, blinded, dimmed, sees
from tocsin.earth import wgs84
from tocsin.earth.jit import kernel
from tocsin.earth.random import normal, uniform
from tocsin.earth.wgs84 import geodetic_of
from tocsin.sensing.kernels import Floats, Ints, Keys, aspect, carry, mix, sweep_time, turned, within

_A = wgs84.A
_B = wgs84.B
_TURN = 2.0 * math.pi
_0 = np.int64(0)
_LEAST_COS = 1e-3

# columns of an infrared scan's parameters
I_GAIN = 0  # SNR of 1 W/sr at 1 m (m2 sr/W)
I_THRESHOLD = 1
I_CLOUD_TOP, I_LIMB = 2, 3
I_SIGMA, I_FLOOR = 4, 5  # line of sight at threshold, and at best (rad)
I_SUN = 6  # cosine of the angle to the Sun under which nothing is seen; NO_SUN: it does not matter
I_BODY = 7  # SNR of a warm body of 1 W/sr at 1 m (m2 sr/W); 0: bodies are not seen
INFRARED_PARAMETERS = 8
NO_SUN = 2.0

# columns of an object's trough
T_LOW, T_HIGH, T_FACTOR = range(3)


@kernel
def view_axes(x: Floats, out: Floats) -> None:
    """Attitudes (k, 9) of satellites at ``x (k, 6)``: row 1 towards the Earth's centre, row 2 along the orbit's normal,
    row 0 = row 1 x row 2.
    """
    for k in range(x.shape[0]):
        px, py, pz, vx, vy, vz = x[k, 0], x[k, 1], x[k, 2], x[k, 3], x[k, 4], x[k, 5]
        r = math.sqrt(px * px + py * py + pz * pz)
        dx, dy, dz = -px / r, -py / r, -pz / r
        nx, ny, nz = py * vz - pz * vy, pz * vx - px * vz, px * vy - py * vx
        n = math.sqrt(nx * nx + ny * ny + nz * nz)
        nx, ny, nz = nx / n, ny / n, nz / n
        out[k, 0], out[k, 1], out[k, 2] = dy * nz - dz * ny, dz * nx - dx * nz, dx * ny - dy * nx
        out[k, 3], out[k, 4], out[k, 5] = dx, dy, dz
        out[k, 6], out[k, 7], out[k, 8] = nx, ny, nz


@kernel
def satellites_at(elements: Floats, t: Floats, out: Floats) -> None:
    """States (k, 6) in eci of satellites with ``elements (k, 6)`` (as in ``Orbit``) at ``t (k,)`` s."""
    for k in range(t.shape[0]):
        e = elements[k]
        orbit_state(e[0], e[1], e[2], e[3], e[4], e[5], t[k], out[k])


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
def infrared_report(
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
    sun: Floats,
    scan: Ints,
    row: Ints,
    t: Ints,
    x: Floats,
    object_keys: Keys,
    burn_start: Ints,
    burn_t: Ints,
    burn_intensity: Floats,
    trough: Floats,
    warm: Floats,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
    intensity_out: Floats,
) -> Ints:
    """Look at every pair; write line of sight, covariance, measured SNR and intensity; return the pairs detected.

    SNR = I_GAIN intensity / distance^2 of a plume, less what its trough takes, or I_BODY warm / distance^2 of a body
    against space; unit normal noise is added and the sum must reach the threshold. Errors are drawn with the sigma of
    the true SNR, reported with that of the measured one. ``sun (k, 3)``: eci, m; ``trough (n, 3)``, ``warm (n,)``.
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
        body = par[s, I_BODY] * warm[j]
        if burning <= 0.0 and body <= 0.0:
            continue
        carry(region, platform[s], attitude[s], (t[i] - t0[s]) * 1e-9, p, a)
        r, az, el, _ = aspect(p, a, x[i])
        if not within(limits[s], r, az, el) or r <= 0.0:
            continue
        if par[s, I_SUN] <= 1.0 and blinded(p[0], p[1], p[2], x[i, 0], x[i, 1], x[i, 2], sun[s], par[s, I_SUN]):
            continue
        snr = 0.0
        if burning > 0.0 and sees(p[0], p[1], p[2], x[i, 0], x[i, 1], x[i, 2], par[s, I_CLOUD_TOP], par[s, I_LIMB]):
            if trough[j, T_FACTOR] != 1.0:
                _, _, h = geodetic_of(x[i, 0], x[i, 1], x[i, 2])
                burning *= dimmed(h, trough[j, T_LOW], trough[j, T_HIGH], trough[j, T_FACTOR])
            snr = par[s, I_GAIN] * burning / (r * r)
        elif body > 0.0 and against_space(p[0], p[1], p[2], x[i, 0], x[i, 1], x[i, 2], par[s, I_LIMB]):
            snr = body / (r * r)
        else:
            continue
        key = mix(keys[s], object_keys[j])
        measured = snr + normal(key, t0[s], _0, np.int64(0))
        if measured < par[s, I_THRESHOLD]:
            continue
        sigma = infrared_sigma(par[s], snr)
        intensity_out[i] = infrared_report(
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
        intensity_out[i] = infrared_report(par[s], p, a, az, el, snr_out[i], z[i], cov[i])


@kernel
def away_from_sun(platform: Floats, attitude: Floats, par: Floats, sun: Floats, scan: Ints, z: Floats) -> Ints:
    """Which of some lines of sight (``z``: azimuth, elevation) do not lie too near the Sun."""
    out = np.empty(scan.shape[0], np.int64)
    n = 0
    for i in range(scan.shape[0]):
        s = scan[i]
        blind = False
        if par[s, I_SUN] <= 1.0:
            a = attitude[s]
            c0 = math.cos(z[i, 1]) * math.sin(z[i, 0])
            c1 = math.cos(z[i, 1]) * math.cos(z[i, 0])
            c2 = math.sin(z[i, 1])
            px, py, pz = platform[s, 0], platform[s, 1], platform[s, 2]
            qx = px + a[0] * c0 + a[3] * c1 + a[6] * c2
            qy = py + a[1] * c0 + a[4] * c1 + a[7] * c2
            qz = pz + a[2] * c0 + a[5] * c1 + a[8] * c2
            blind = blinded(px, py, pz, qx, qy, qz, sun[s], par[s, I_SUN])
        if not blind:
            out[n] = i
            n += 1
    return out[:n]
