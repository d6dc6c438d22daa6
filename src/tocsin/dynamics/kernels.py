"""Free flight under gravity and drag: the fast integrators that truth and estimators share.

States are position and velocity in eci (m, m/s), times are float seconds since the scenario's epoch, ``theta0`` is the
sidereal angle at that epoch. Forces: gravity with J2 (``earth.gravity``); drag ``rho v^2 / (2 beta)`` against air that
turns with the Earth (``earth.atmosphere``; ``beta`` in kg/m2, none if beta <= 0). Powered flight stands in ``thrust``,
on the same forces. All of it is symmetric about the pole, so the sidereal angle matters only where longitudes come in.

Without drag, and where thrust is, the integrator is the classical Runge-Kutta method of fourth order; with drag it
leaps (see ``leap``), by steps of order 8 from layer to layer of the air. Either stride is a smooth function of the
state, not of an error estimate with accepted and refused steps: results then vary smoothly with the initial state, and
estimators may take differences of them. From burnout to the ground it stays within two metres of DOP853, most often
within centimetres (the validation book has a thousand arcs).

Heights are geodetic, inside by a series that is within 2 cm up to 500 km.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.leap import (
    STAGES,
    climb_of,
    height_of,
    leap,
    leap_to,
    to_leap,
)
from tocsin.earth.atmosphere import TOP, density
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import gravity, gravity_gradient
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import MU, A, geodetic_of

State = tuple[float, float, float, float, float, float]
Array = NDArray[np.float64]

LONGEST_FALL_S = 43_200.0  # what has not come down after half a day is not called falling
_NEVER_DOWN = 120_000.0  # nor is what stays above this height for a whole turn (m)
_NEAR_GROUND = 100.0  # m
_PART_OF_LEAP = 0.6  # between nodes: a quintic follows less than a step of order 8 does


@kernel
def free_acceleration(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float
) -> tuple[float, float, float]:
    """Gravity and drag (m/s2) without thrust."""
    ax, ay, az = gravity(x, y, z)
    if beta > 0.0:
        h = height_of(x, y, z)
        if h < TOP:
            ux = vx + OMEGA_GMST * y
            uy = vy - OMEGA_GMST * x
            d = -0.5 * density(h) * math.sqrt(ux * ux + uy * uy + vz * vz) / beta
            ax += d * ux
            ay += d * uy
            az += d * vz
    return ax, ay, az


@kernel
def _stride(x: float, y: float, z: float) -> float:
    """Length (s) of a step without drag: 1/50 of the local orbital time scale."""
    r2 = x * x + y * y + z * z
    return math.sqrt(r2 * math.sqrt(r2) / MU) / 50.0


@kernel
def _step(x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float, dt: float) -> State:
    """One Runge-Kutta step of free flight."""
    half = 0.5 * dt
    ax1, ay1, az1 = free_acceleration(x, y, z, vx, vy, vz, beta)
    vx2, vy2, vz2 = vx + half * ax1, vy + half * ay1, vz + half * az1
    ax2, ay2, az2 = free_acceleration(x + half * vx, y + half * vy, z + half * vz, vx2, vy2, vz2, beta)
    vx3, vy3, vz3 = vx + half * ax2, vy + half * ay2, vz + half * az2
    ax3, ay3, az3 = free_acceleration(x + half * vx2, y + half * vy2, z + half * vz2, vx3, vy3, vz3, beta)
    vx4, vy4, vz4 = vx + dt * ax3, vy + dt * ay3, vz + dt * az3
    ax4, ay4, az4 = free_acceleration(x + dt * vx3, y + dt * vy3, z + dt * vz3, vx4, vy4, vz4, beta)
    w = dt / 6.0
    return (
        x + w * (vx + 2.0 * (vx2 + vx3) + vx4),
        y + w * (vy + 2.0 * (vy2 + vy3) + vy4),
        z + w * (vz + 2.0 * (vz2 + vz3) + vz4),
        vx + w * (ax1 + 2.0 * (ax2 + ax3) + ax4),
        vy + w * (ay1 + 2.0 * (ay2 + ay3) + ay4),
        vz + w * (az1 + 2.0 * (az2 + az3) + az4),
    )


@kernel
def coast_to(x6: Array, t0: float, t1: float, theta0: float, beta: float, out6: Array) -> None:
    """Carry a state from ``t0`` to ``t1`` (later or earlier) under gravity and drag, into ``out6`` (may be ``x6``
    itself).

    ``theta0`` changes nothing (the forces are symmetric about the pole); it stands here so that all calls look alike.
    """
    x, y, z, vx, vy, vz = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    left = t1 - t0
    if beta > 0.0:
        x, y, z, vx, vy, vz = leap_to(x, y, z, vx, vy, vz, beta, left, np.empty((STAGES, 3)))
        left = 0.0
    while left != 0.0:
        dt = _stride(x, y, z)
        if not abs(left) > dt:  # also where the state, and so dt, is no number
            dt = left
            left = 0.0
        else:
            dt = math.copysign(dt, left)
            left -= dt
        x, y, z, vx, vy, vz = _step(x, y, z, vx, vy, vz, beta, dt)
    out6[0], out6[1], out6[2], out6[3], out6[4], out6[5] = x, y, z, vx, vy, vz


@kernel
def _gradient_rows(g: State, p: Array, source: Array, factor: float, out: Array) -> None:
    """Derivative of a transition matrix, ``out = F (p + factor source)`` with F = [[0, I], [G, 0]]."""
    gxx, gxy, gxz, gyy, gyz, gzz = g
    for j in range(6):
        a = p[0, j] + factor * source[0, j]
        b = p[1, j] + factor * source[1, j]
        c = p[2, j] + factor * source[2, j]
        out[0, j] = p[3, j] + factor * source[3, j]
        out[1, j] = p[4, j] + factor * source[4, j]
        out[2, j] = p[5, j] + factor * source[5, j]
        out[3, j] = gxx * a + gxy * b + gxz * c
        out[4, j] = gxy * a + gyy * b + gyz * c
        out[5, j] = gxz * a + gyz * b + gzz * c


@kernel
def coast_to_stm(x6: Array, t0: float, t1: float, theta0: float, out6: Array, Phi66: Array) -> None:
    """Carry a state under gravity alone, with the state transition matrix d out6 / d x6 (6 x 6) into ``Phi66``.

    The matrix is the exact derivative of the step that moves the state (the variational equations under the same
    method). ``out6`` may be ``x6`` itself.
    """
    x, y, z, vx, vy, vz = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    for i in range(6):
        for j in range(6):
            Phi66[i, j] = 1.0 if i == j else 0.0
    k1 = np.empty((6, 6))
    k2 = np.empty((6, 6))
    k3 = np.empty((6, 6))
    k4 = np.empty((6, 6))
    left = t1 - t0
    while left != 0.0:
        dt = _stride(x, y, z)
        if not abs(left) > dt:  # also where the state, and so dt, is no number
            dt = left
            left = 0.0
        else:
            dt = math.copysign(dt, left)
            left -= dt
        half = 0.5 * dt
        ax1, ay1, az1 = gravity(x, y, z)
        vx2, vy2, vz2 = vx + half * ax1, vy + half * ay1, vz + half * az1
        x2, y2, z2 = x + half * vx, y + half * vy, z + half * vz
        ax2, ay2, az2 = gravity(x2, y2, z2)
        vx3, vy3, vz3 = vx + half * ax2, vy + half * ay2, vz + half * az2
        x3, y3, z3 = x + half * vx2, y + half * vy2, z + half * vz2
        ax3, ay3, az3 = gravity(x3, y3, z3)
        vx4, vy4, vz4 = vx + dt * ax3, vy + dt * ay3, vz + dt * az3
        x4, y4, z4 = x + dt * vx3, y + dt * vy3, z + dt * vz3
        ax4, ay4, az4 = gravity(x4, y4, z4)
        _gradient_rows(gravity_gradient(x, y, z), Phi66, Phi66, 0.0, k1)
        _gradient_rows(gravity_gradient(x2, y2, z2), Phi66, k1, half, k2)
        _gradient_rows(gravity_gradient(x3, y3, z3), Phi66, k2, half, k3)
        _gradient_rows(gravity_gradient(x4, y4, z4), Phi66, k3, dt, k4)
        w = dt / 6.0
        for i in range(6):
            for j in range(6):
                Phi66[i, j] += w * (k1[i, j] + 2.0 * (k2[i, j] + k3[i, j]) + k4[i, j])
        x += w * (vx + 2.0 * (vx2 + vx3) + vx4)
        y += w * (vy + 2.0 * (vy2 + vy3) + vy4)
        z += w * (vz + 2.0 * (vz2 + vz3) + vz4)
        vx += w * (ax1 + 2.0 * (ax2 + ax3) + ax4)
        vy += w * (ay1 + 2.0 * (ay2 + ay3) + ay4)
        vz += w * (az1 + 2.0 * (az2 + az3) + az4)
    out6[0], out6[1], out6[2], out6[3], out6[4], out6[5] = x, y, z, vx, vy, vz


@kernel
def perigee_of(x: float, y: float, z: float, vx: float, vy: float, vz: float) -> float:
    """Radius (m) of the perigee of the osculating Kepler orbit."""
    r = math.sqrt(x * x + y * y + z * z)
    v2 = vx * vx + vy * vy + vz * vz
    hx, hy, hz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    p = (hx * hx + hy * hy + hz * hz) / MU
    e2 = 1.0 + p * (v2 / MU - 2.0 / r)
    return p / (1.0 + math.sqrt(max(e2, 0.0)))


@kernel
def state_at(nodes: Array, first: int, stop: int, t: float, out6: Array) -> bool:
    """State at time ``t`` between nodes ``first`` to ``stop - 1``; False, and nothing written, before the first or
    after the last.

    Nodes with ten columns (time, state, acceleration) are joined by quintic, nodes with seven by cubic Hermite
    polynomials. Times must not fall; where one stands twice, ``t`` itself belongs to the later piece.
    """
    if stop - first < 1 or not nodes[first, 0] <= t <= nodes[stop - 1, 0]:
        return False
    low, high = first, stop
    while high - low > 1:  # the last node at or before t
        middle = (low + high) // 2
        if nodes[middle, 0] <= t:
            low = middle
        else:
            high = middle
    if low == stop - 1:
        for i in range(6):
            out6[i] = nodes[low, 1 + i]
        return True
    h = nodes[low + 1, 0] - nodes[low, 0]
    s = (t - nodes[low, 0]) / h
    quintic = nodes.shape[1] >= 10
    for i in range(3):
        p0 = nodes[low, 1 + i]
        v0 = nodes[low, 4 + i] * h
        # in units of the interval: what the second node has beyond a straight flight from the first
        p = nodes[low + 1, 1 + i] - p0 - v0
        v = nodes[low + 1, 4 + i] * h - v0
        if quintic:
            a0 = nodes[low, 7 + i] * h * h
            p -= 0.5 * a0
            v -= a0
            a = nodes[low + 1, 7 + i] * h * h - a0
            c3 = 10.0 * p - 4.0 * v + 0.5 * a
            c4 = -15.0 * p + 7.0 * v - a
            c5 = 6.0 * p - 3.0 * v + 0.5 * a
            c2 = 0.5 * a0
        else:
            c2 = 3.0 * p - v
            c3 = v - 2.0 * p
            c4 = 0.0
            c5 = 0.0
        out6[i] = p0 + s * (v0 + s * (c2 + s * (c3 + s * (c4 + s * c5))))
        out6[3 + i] = (v0 + s * (2.0 * c2 + s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5)))) / h
    return True


@kernel
def _end_of_step(
    out: Array, t: float, x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float
) -> None:
    """One node: time, state, acceleration."""
    out[0], out[1], out[2], out[3], out[4], out[5], out[6] = t, x, y, z, vx, vy, vz
    out[7], out[8], out[9] = free_acceleration(x, y, z, vx, vy, vz, beta)


@kernel
def fall(x6: Array, t0: float, theta0: float, beta: float, out: Array) -> None:
    """Follow a free flight to the ellipsoid. ``out`` (7): hit (1 or 0), impact time (s), latitude, longitude (rad),
    apogee height (m, geodetic, the highest from ``t0`` on), its time (s), speed at impact over the ground (m/s).

    hit = 0 and the rest NaN where it does not come down: escape, an orbit with its perigee above 120 km, or more than
    half a day. A state under the ellipsoid that still rises is followed; one that sinks there has hit at once.
    """
    for i in range(7):
        out[i] = np.nan
    out[0] = 0.0
    x, y, z, vx, vy, vz = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    r = math.sqrt(x * x + y * y + z * z)
    climb = climb_of(x, y, z, vx, vy, vz)
    bound = 0.5 * (vx * vx + vy * vy + vz * vz) < MU / r
    # the negated form also sends NaN states away
    if not (perigee_of(x, y, z, vx, vy, vz) < A + _NEVER_DOWN) or (climb > 0.0 and not bound):
        return
    h = height_of(x, y, z)
    top, top_t = -np.inf, t0
    t = t0
    if climb <= 0.0:
        _, _, top = geodetic_of(x, y, z)
    down = h <= 0.0 and climb <= 0.0
    drags = beta > 0.0
    a = np.empty((STAGES, 3))
    ends = np.empty((2, 10))
    at = np.empty(6)
    while not down:
        if t - t0 > LONGEST_FALL_S:
            return
        layer = 0
        if drags:
            dt, layer = to_leap(x, y, z, vx, vy, vz, beta, 1.0, a)
            nx, ny, nz, nvx, nvy, nvz = leap(x, y, z, vx, vy, vz, beta, layer, dt, a)
        else:
            dt = _stride(x, y, z)
            nx, ny, nz, nvx, nvy, nvz = _step(x, y, z, vx, vy, vz, beta, dt)
        nclimb = climb_of(nx, ny, nz, nvx, nvy, nvz)
        nh = height_of(nx, ny, nz)
        if climb > 0.0 and nclimb <= 0.0:
            _end_of_step(ends[0], 0.0, x, y, z, vx, vy, vz, beta)
            _end_of_step(ends[1], dt, nx, ny, nz, nvx, nvy, nvz, beta)
            d, slope = dt * climb / (climb - nclimb), (nclimb - climb) / dt
            for _ in range(6):
                state_at(ends, 0, 2, d, at)
                d = min(max(d - climb_of(at[0], at[1], at[2], at[3], at[4], at[5]) / slope, 0.0), dt)
            state_at(ends, 0, 2, d, at)
            if drags:  # over a leap the quintic is good to some centimetres: once more by the leap itself
                at[0], at[1], at[2], at[3], at[4], at[5] = leap(x, y, z, vx, vy, vz, beta, layer, d, a)
                d -= climb_of(at[0], at[1], at[2], at[3], at[4], at[5]) / slope
            _, _, height = geodetic_of(at[0], at[1], at[2])
            if height > top:
                top, top_t = height, t + d
        if drags:
            down = nclimb < 0.0 and nh < _NEAR_GROUND
            if down:
                # leaps end near the ground: the rest, to either side, by Newton's method in short steps
                for _ in range(30):
                    if abs(nh) < 1e-5:
                        break
                    d = -nh / nclimb
                    nx, ny, nz, nvx, nvy, nvz = _step(nx, ny, nz, nvx, nvy, nvz, beta, d)
                    nh, nclimb = height_of(nx, ny, nz), climb_of(nx, ny, nz, nvx, nvy, nvz)
                    dt += d
        elif nh <= 0.0 and nclimb < 0.0:
            if h > 0.0:
                # Newton's method for the time at which the height is zero, kept inside its bracket
                low, high = 0.0, dt
                d = dt * h / (h - nh)
                for _ in range(30):
                    nx, ny, nz, nvx, nvy, nvz = _step(x, y, z, vx, vy, vz, beta, d)
                    nh = height_of(nx, ny, nz)
                    if nh > 0.0:
                        low = d
                    else:
                        high = d
                    if abs(nh) < 1e-5:
                        break
                    d -= nh / climb_of(nx, ny, nz, nvx, nvy, nvz)
                    if not low < d < high:
                        d = 0.5 * (low + high)
                dt = d
            down = True
        x, y, z, vx, vy, vz = nx, ny, nz, nvx, nvy, nvz
        climb, h = nclimb, nh
        t += dt
    lat, lon, _ = geodetic_of(x, y, z)
    lon -= theta0 + OMEGA_GMST * t
    out[0] = 1.0
    out[1] = t
    out[2] = lat
    out[3] = lon - 2.0 * math.pi * math.floor(lon / (2.0 * math.pi) + 0.5)
    out[4] = top
    out[5] = top_t
    ux = vx + OMEGA_GMST * y
    uy = vy - OMEGA_GMST * x
    out[6] = math.sqrt(ux * ux + uy * uy + vz * vz)


@kernel
def back_to_height(x6: Array, t0: float, theta0: float, height: float, out: Array) -> None:
    """Follow a flight backwards, under gravity alone, to where it last rose through ``height`` (m).

    ``out`` (8): ok (1 or 0), time (s), state there. ok = 0 and the rest NaN if it never did: it is still rising under
    that height, its apogee lies under it, or it is an orbit that stays above.
    """
    for i in range(8):
        out[i] = np.nan
    out[0] = 0.0
    x, y, z, vx, vy, vz = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    if not (perigee_of(x, y, z, vx, vy, vz) < A + height + 50e3):
        return
    h = height_of(x, y, z)
    above = h >= height
    if not above and climb_of(x, y, z, vx, vy, vz) > 0.0:
        return
    t = t0
    while t0 - t < LONGEST_FALL_S:
        dt = _stride(x, y, z)
        nx, ny, nz, nvx, nvy, nvz = _step(x, y, z, vx, vy, vz, 0.0, -dt)
        nh = height_of(nx, ny, nz)
        if above and nh < height:
            low, high = 0.0, dt
            d = dt * (h - height) / (h - nh)
            for _ in range(30):
                nx, ny, nz, nvx, nvy, nvz = _step(x, y, z, vx, vy, vz, 0.0, -d)
                nh = height_of(nx, ny, nz)
                if nh >= height:
                    low = d
                else:
                    high = d
                if abs(nh - height) < 1e-5:
                    break
                d += (nh - height) / climb_of(nx, ny, nz, nvx, nvy, nvz)
                if not low < d < high:
                    d = 0.5 * (low + high)
            out[0] = 1.0
            out[1] = t - d
            out[2], out[3], out[4], out[5], out[6], out[7] = nx, ny, nz, nvx, nvy, nvz
            return
        if nh >= height:
            above = True
        elif climb_of(nx, ny, nz, nvx, nvy, nvz) > 0.0:
            return
        x, y, z, vx, vy, vz, h = nx, ny, nz, nvx, nvy, nvz, nh
        t -= dt


@kernel
def coast_nodes(x6: Array, t0: float, t1: float, beta: float, out: Array) -> int:
    """Steps of free flight from ``t0`` forward to ``t1``: rows (t, state, acceleration) into ``out (m, 10)``, both ends
    included.

    With drag the steps are leaps, shortened so that the quintics between them follow. Returns the rows used, 0 if
    ``out`` is too short.
    """
    x, y, z, vx, vy, vz = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    t = t0
    n = 0
    drags = beta > 0.0
    room = np.empty((STAGES, 3))
    while n < out.shape[0]:
        _end_of_step(out[n], t, x, y, z, vx, vy, vz, beta)
        n += 1
        if t >= t1:
            return n
        layer = 0
        if drags:
            dt, layer = to_leap(x, y, z, vx, vy, vz, beta, 1.0, room)
            dt *= _PART_OF_LEAP
        else:
            dt = _stride(x, y, z)
        end = not t + dt < t1
        if end:
            dt = t1 - t
        if drags:
            x, y, z, vx, vy, vz = leap(x, y, z, vx, vy, vz, beta, layer, dt, room)
        else:
            x, y, z, vx, vy, vz = _step(x, y, z, vx, vy, vz, beta, dt)
        t = t1 if end else t + dt
    return 0


@kernel
def lowest_of(nodes: Array, stop: int) -> float:
    """Least height (m, along the radius) over the ellipsoid of nodes 0 to ``stop - 1``."""
    low = np.inf
    for n in range(stop):
        low = min(low, height_of(nodes[n, 1], nodes[n, 2], nodes[n, 3]))
    return low
