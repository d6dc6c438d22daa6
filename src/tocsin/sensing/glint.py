"""Sunlight mirrored by high cloud: false detections that geometry makes, not chance.

A cloud field is a patch of ice crystals at the cloud tops, all of whose facets lie nearly flat. Seen from a satellite
the Sun is mirrored by those whose normal halves the angle between the directions to the Sun and to the satellite;
their tilt from the vertical is normal with the standard deviation ``glint_lobe``, so a field shines with

    glint_intensity * b * exp(-tilt^2 / (2 glint_lobe^2)) * (part of the Sun's disk that it sees),

where ``b`` is the field's own brightness, exponential with mean 1. Fields are drawn once, evenly over the Earth, stay
where they are in the turning Earth's axes, and are the same for all satellites of a world (one with a larger mean
number has more of them, among which are the others'). No source gives the brightness of such fields in the plume's
band or the tilts of their facets; all three numbers are there to be varied. Left out: the sea, snow, how cloud comes
and goes, light that is scattered rather than mirrored, the air above the cloud.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.dynamics.signals import blinded, lowest_point
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.earth.random import draw_uniform, normal, stream_key
from tocsin.earth.shadow import sunlit
from tocsin.earth.wgs84 import geodetic_of, geodetic_to_ecef
from tocsin.sensing.infrared_kernels import (
    I_GAIN,
    I_LIMB,
    I_SUN,
    I_THRESHOLD,
    infrared_report,
    infrared_sigma,
)
from tocsin.sensing.kernels import Floats, Ints, Keys, aspect, carry, mix, sweep_time, within

_0 = np.int64(0)
_LEAST_COS = 1e-3
GREATEST_FIELDS = 2000  # over the whole Earth
# columns of what a sensor makes of glint
G_LOBE, G_INTENSITY, G_STARING = range(3)


@kernel
def facet_tilt(x: float, y: float, z: float, to: Floats, sun: Floats) -> float:
    """Tilt from the vertical (rad) of a facet at (x, y, z) that mirrors the Sun at ``sun`` (3) to ``to`` (3), all ecef,
    m. Pi where the Sun or the satellite is under the horizon of the place.
    """
    lat, lon, _ = geodetic_of(x, y, z)
    ux, uy, uz = math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)
    ax, ay, az = to[0] - x, to[1] - y, to[2] - z
    bx, by, bz = sun[0] - x, sun[1] - y, sun[2] - z
    a = math.sqrt(ax * ax + ay * ay + az * az)
    b = math.sqrt(bx * bx + by * by + bz * bz)
    up_a, up_b = (ux * ax + uy * ay + uz * az) / a, (ux * bx + uy * by + uz * bz) / b
    if up_a <= 0.0 or up_b <= 0.0:
        return math.pi
    hx, hy, hz = ax / a + bx / b, ay / a + by / b, az / a + bz / b
    h = math.sqrt(hx * hx + hy * hy + hz * hz)
    if h == 0.0:
        return math.pi
    return math.acos(min(max((up_a + up_b) / h, -1.0), 1.0))


@kernel
def _tilts(place: Floats, to: Floats, sun: Floats, out: Floats) -> None:
    for k in range(to.shape[0]):
        out[k] = facet_tilt(place[0], place[1], place[2], to[k], sun)


def facet_tilts(place: ArrayLike, satellites: ArrayLike, sun: ArrayLike) -> NDArray[np.float64]:
    """Tilts ``(k,)`` (rad, pi where nothing can be mirrored) that a facet at ``place`` (3) must have to mirror the Sun
    at ``sun`` (3) to ``satellites (k, 3)``; all ecef, m.
    """
    to = np.ascontiguousarray(satellites, dtype=np.float64).reshape(-1, 3)
    out = np.empty(len(to))
    spot = np.ascontiguousarray(place, dtype=np.float64)
    _tilts(spot, to, np.ascontiguousarray(sun, dtype=np.float64), out)
    return out


def cloud_fields(seed: int, number: int, height: float) -> tuple[NDArray[np.float64], NDArray[np.float64], Keys]:
    """The first ``number`` cloud fields of a world: ecef ``(m, 3)``, brightness ``(m,)``, keys ``(m,)``.

    The first ones of a larger number are the same; ``height``: of the cloud tops (m over the ellipsoid).
    """
    key = stream_key(seed, "world", "cloud fields")
    place = np.empty((number, 3))
    bright = np.empty(number)
    keys = np.empty(number, dtype=np.uint64)
    for i in range(number):
        lat = math.asin(2.0 * draw_uniform(key, 0, i, 0) - 1.0)
        place[i] = geodetic_to_ecef([lat, 2.0 * math.pi * draw_uniform(key, 0, i, 1), height])
        bright[i] = -math.log(draw_uniform(key, 0, i, 2))
        keys[i] = stream_key(seed, f"world:{i}", "cloud field")
    return place, bright, keys


def part_in_view(r: float, earth: float) -> float:
    """Part of a sphere of radius ``earth`` that is seen from the distance ``r`` of its centre."""
    return 0.5 * (1.0 - earth / r)


@kernel
def _bring(
    region: int,
    theta: float,
    dt: float,
    platform: Floats,
    attitude: Floats,
    place: Floats,
    p: Floats,
    a: Floats,
    x: Floats,
) -> None:
    """Platform and attitude ``dt`` s after the start of a scan, and where a field is then (eci), into p, a, x."""
    c, s = math.cos(theta + OMEGA_GMST * dt), math.sin(theta + OMEGA_GMST * dt)
    x[0] = c * place[0] - s * place[1]
    x[1] = s * place[0] + c * place[1]
    x[2] = place[2]
    carry(region, platform, attitude, dt, p, a)


@kernel
def glint_detect(
    region: int,
    keys: Keys,
    t0: Ints,
    t1: Ints,
    platform: Floats,
    attitude: Floats,
    limits: Floats,
    par: Floats,
    glint: Floats,
    sun: Floats,
    theta: Floats,
    first: Ints,
    last: Ints,
    place: Floats,
    bright: Floats,
    field_keys: Keys,
    scan: Ints,
    t: Ints,
    z: Floats,
    cov: Floats,
    snr_out: Floats,
    intensity_out: Floats,
) -> int:
    """Look at every cloud field in every scan; write what is detected and return how much that is.

    ``glint (k, 3)``: lobe (rad), intensity (W/sr), whether it stares; ``sun (k, 3)``: eci at ``t0``; ``theta (k,)``:
    sidereal angle then; ``first``, ``last (k,)``: which fields each scan's sensor has.
    """
    found = 0
    p = np.empty(6)
    a = np.empty(9)
    x = np.zeros(6)
    q = np.empty(3)
    lit = np.empty(3)
    for s in range(t0.shape[0]):
        if glint[s, G_LOBE] <= 0.0:
            continue
        threshold = par[s, I_THRESHOLD]
        for j in range(first[s], last[s]):
            # as objects are looked at: where it is in the middle of the scan says when the sweep passes it
            when = t1[s] - 1
            if glint[s, G_STARING] <= 0.0:
                middle = t0[s] + (t1[s] - t0[s]) // 2
                _bring(region, theta[s], (middle - t0[s]) * 1e-9, platform[s], attitude[s], place[j], p, a, x)
                _, az, _, _ = aspect(p, a, x)
                when = sweep_time(limits[s], az, t0[s], t1[s])
            dt = (when - t0[s]) * 1e-9
            _bring(region, theta[s], dt, platform[s], attitude[s], place[j], p, a, x)
            r, az, el, _ = aspect(p, a, x)
            if not within(limits[s], r, az, el) or r <= 0.0:
                continue
            c, d = math.cos(theta[s] + OMEGA_GMST * dt), math.sin(theta[s] + OMEGA_GMST * dt)
            # the tilt does not depend on the axes but through the vertical, which turns about the pole with them
            q[0], q[1], q[2] = c * p[0] + d * p[1], -d * p[0] + c * p[1], p[2]
            lit[0], lit[1], lit[2] = c * sun[s, 0] + d * sun[s, 1], -d * sun[s, 0] + c * sun[s, 1], sun[s, 2]
            tilt = facet_tilt(place[j, 0], place[j, 1], place[j, 2], q, lit)
            if tilt > 6.0 * glint[s, G_LOBE] or tilt >= math.pi:
                continue
            past, lowest = lowest_point(p[0], p[1], p[2], x[0], x[1], x[2])
            if past and lowest < max(par[s, I_LIMB], 0.0):
                continue
            if par[s, I_SUN] <= 1.0 and blinded(p[0], p[1], p[2], x[0], x[1], x[2], sun[s], par[s, I_SUN]):
                continue
            width = tilt / glint[s, G_LOBE]
            shines = glint[s, G_INTENSITY] * bright[j] * math.exp(-0.5 * width * width)
            shines *= sunlit(x[0], x[1], x[2], sun[s, 0], sun[s, 1], sun[s, 2])
            snr = par[s, I_GAIN] * shines / (r * r)
            key = mix(keys[s], field_keys[j])
            measured = snr + normal(key, t0[s], _0, np.int64(0))
            # a field too faint to see is part of the noise, of which false detections are made elsewhere
            if measured < threshold or snr < 0.25 * threshold:
                continue
            sigma = infrared_sigma(par[s], snr)
            intensity_out[found] = infrared_report(
                par[s],
                p,
                a,
                az + sigma / max(abs(math.cos(el)), _LEAST_COS) * normal(key, t0[s], _0, np.int64(1)),
                el + sigma * normal(key, t0[s], _0, np.int64(2)),
                measured,
                z[found],
                cov[found],
            )
            snr_out[found] = measured
            scan[found] = s
            t[found] = when
            found += 1
    return found
