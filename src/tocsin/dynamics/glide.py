"""Unpowered flight with lift: entry, pull-up, glide and dive of a point mass over the turning, flattened Earth.

Kinematics at the level of the open literature (Eggers, Allen and Neice, NACA Report 1382, 1958; Acton, Science & Global
Security 23, 2015; Tracy and Wright, Science & Global Security 28, 2020): gravity with J2, the air of
``earth.atmosphere`` that turns with the Earth, drag against the flight through it and lift normal to that. Lift and
drag follow a parabolic polar fixed by two numbers: the greatest lift over drag ``E``, and ``beta`` (kg/m2), the
ballistic coefficient at that ratio. With q = rho u^2 / 2 and the lift coefficient as a multiple m of the one at E

    drag = q / beta (1 + m^2) / 2        lift = q / beta E m

so that without lift the body falls like one of the ballistic coefficient 2 beta. Where m goes:

- free flight to the downward passage of 100 km (or to the apogee, if that is lower): no lift.
- "equilibrium": m = 1 + tanh(k (g - gamma)), between 0 and 2; gamma is the angle of the path against the air, g the
  slope of the quasi-steady glide at m = 1, and the gain k damps the swinging about it (0.7 of critical). On entry that
  is full lift up (the pull-up, over when the path has come up to g), later m = 1 and a smooth sinking: no target is
  looked at.
- "skip": m = 1 throughout, the path swings; the pull-up is over when it is level for the first time.
- dive, from a given time or when the speed falls under a limit: lift down at m = 1 until the path is 45 deg steep, none
  from there to the ground.

Lift never exceeds ``pull_up`` (m/s2; approached smoothly). ``bank`` turns lift about the velocity, to the right where
it is positive, by a programme over the time since the pull-up was over. The body takes each angle at once.

Left out: heating, change of the polar with Mach number and height, wind, rolling at a finite rate.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.leap import climb_of, height_of
from tocsin.earth.atmosphere import TOP, density
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import gravity
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import E2, MU, A, geodetic_of

Array = NDArray[np.float64]
State = tuple[float, float, float, float, float, float]
Flow = tuple[float, float, float, float, float, float, float, float]

ENTRY_HEIGHT = 100e3  # m: above it lift is not used
FREE, PULL_UP, GLIDE, DIVE, DOWN = 0, 1, 2, 3, 4  # phases in their order
LONGEST_S = 14_400.0  # what is not down after four hours is not followed further

# entries of ``out`` of ``fly_glide``
HIT, ENTRY_T, ENTRY_SPEED, ENTRY_ANGLE, LIFT_T, GLIDE_T, GLIDE_HEIGHT, GLIDE_SPEED = 0, 1, 2, 3, 4, 5, 6, 7
DIVE_T, DIVE_HEIGHT, DIVE_SPEED, IMPACT_T, IMPACT_LAT, IMPACT_LON, IMPACT_SPEED, IMPACT_ANGLE = (
    8, 9, 10, 11, 12, 13, 14, 15,
)  # fmt: skip
PEAK_LIFT = 16
OUT = 17

_MOST_STEPS = 200_000
_SCALE = 7000.0  # m: mean scale height of the air between 30 and 60 km, for the slope and the gain only
_DAMPING = 0.7  # of critical
_LEAST_PULL = 0.5  # m/s2: near circular speed the weight that lift has to carry goes to zero, and the gain with it
_DIVE_ANGLE = math.radians(45.0)
_DIVE_BLEND = 0.1  # rad over which lift fades as the dive steepens
_STEEPEST_COS = 0.05  # of the bank angle, in the slope


@kernel
def glide_forces(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, body: Array, phase: int, bank: float
) -> Flow:
    """Forces on a body in a ``phase``: acceleration (3, eci, m/s2), of it lift and drag (m/s2), the angle of the path
    against the air (rad, up positive), that of the quasi-steady glide (rad), the multiple m of the lift coefficient.

    ``body`` (5): greatest lift over drag, ``beta`` (kg/m2) at it, mode (0 equilibrium, 1 skip), greatest lift (m/s2),
    dive speed (m/s).
    """
    ax, ay, az = gravity(x, y, z)
    ux = vx + OMEGA_GMST * y
    uy = vy - OMEGA_GMST * x
    u = math.sqrt(ux * ux + uy * uy + vz * vz)
    r = math.sqrt(x * x + y * y + z * z)
    zn = z * (1.0 + E2 * A / r)  # the geodetic vertical, good to 2e-5 rad
    n = math.sqrt(x * x + y * y + zn * zn)
    px, py, pz = x / n, y / n, zn / n
    sine = (px * ux + py * uy + pz * vz) / max(u, 1e-9)
    angle = math.asin(min(max(sine, -1.0), 1.0))
    slope = 0.0
    h = height_of(x, y, z)
    if h >= TOP or u < 1e-6:
        return ax, ay, az, 0.0, 0.0, angle, slope, 0.0
    most, beta = body[0], body[1]
    if phase == FREE or most <= 0.0:
        m = 0.0
    elif phase == DIVE:
        m = -0.5 * (1.0 + math.tanh((angle + _DIVE_ANGLE) / _DIVE_BLEND))
    else:
        # what lift carries: weight less the centrifugal part of the flight about the Earth's centre
        g = MU / (r * r)
        up = px * vx + py * vy + pz * vz
        pull = max(g - (vx * vx + vy * vy + vz * vz - up * up) / r, _LEAST_PULL)
        ratio = most * max(math.cos(bank), _STEEPEST_COS)
        slope = -2.0 * _SCALE * g / ratio / (u * u + 2.0 * _SCALE * g * g / pull)
        if body[2] > 0.5:
            m = 1.0
        else:
            m = 1.0 + math.tanh(2.0 * _DAMPING * u / math.sqrt(pull * _SCALE) * (slope - angle))
    steady = 0.5 * density(h) * u * u / beta
    lift = steady * most * m
    limit = (1.0 + (abs(lift) / body[3]) ** 8) ** -0.125
    lift *= limit
    m *= limit
    drag = 0.5 * steady * (1.0 + m * m)
    level = math.cos(angle)
    if lift != 0.0 and level > 1e-9:
        sx, sy, sz = ux / u, uy / u, vz / u
        # up across the path, and the right of it
        cx, cy, cz = (px - sine * sx) / level, (py - sine * sy) / level, (pz - sine * sz) / level
        rx, ry, rz = sy * cz - sz * cy, sz * cx - sx * cz, sx * cy - sy * cx
        cb, sb = lift * math.cos(bank), lift * math.sin(bank)
        ax += cb * cx + sb * rx
        ay += cb * cy + sb * ry
        az += cb * cz + sb * rz
    d = drag / u
    return ax - d * ux, ay - d * uy, az - d * vz, lift, drag, angle, slope, m


@kernel
def _stride(x: float, y: float, z: float, vx: float, vy: float, vz: float, phase: int, lift: float) -> float:
    """Length (s) of a step: short against what height and lift change, at most 2 s with lift."""
    climb = abs(climb_of(x, y, z, vx, vy, vz))
    if phase == FREE:
        r2 = x * x + y * y + z * z
        q = height_of(x, y, z) / 160e3
        q *= q
        q *= q
        return 1.0 / (50.0 * math.sqrt(MU / r2 / math.sqrt(r2)) + climb / 2000.0 / (1.0 + q * q))
    return 1.0 / (0.5 + climb / 700.0 + abs(lift) / 25.0)


@kernel
def _step(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, body: Array, phase: int, bank: float, dt: float
) -> State:
    """One Runge-Kutta step."""
    half = 0.5 * dt
    f = glide_forces(x, y, z, vx, vy, vz, body, phase, bank)
    ax1, ay1, az1 = f[0], f[1], f[2]
    vx2, vy2, vz2 = vx + half * ax1, vy + half * ay1, vz + half * az1
    f = glide_forces(x + half * vx, y + half * vy, z + half * vz, vx2, vy2, vz2, body, phase, bank)
    ax2, ay2, az2 = f[0], f[1], f[2]
    vx3, vy3, vz3 = vx + half * ax2, vy + half * ay2, vz + half * az2
    f = glide_forces(x + half * vx2, y + half * vy2, z + half * vz2, vx3, vy3, vz3, body, phase, bank)
    ax3, ay3, az3 = f[0], f[1], f[2]
    vx4, vy4, vz4 = vx + dt * ax3, vy + dt * ay3, vz + dt * az3
    f = glide_forces(x + dt * vx3, y + dt * vy3, z + dt * vz3, vx4, vy4, vz4, body, phase, bank)
    w = dt / 6.0
    return (
        x + w * (vx + 2.0 * (vx2 + vx3) + vx4),
        y + w * (vy + 2.0 * (vy2 + vy3) + vy4),
        z + w * (vz + 2.0 * (vz2 + vz3) + vz4),
        vx + w * (ax1 + 2.0 * (ax2 + ax3) + f[0]),
        vy + w * (ay1 + 2.0 * (ay2 + ay3) + f[1]),
        vz + w * (az1 + 2.0 * (az2 + az3) + f[2]),
    )


@kernel
def _speed(x: float, y: float, vx: float, vy: float, vz: float) -> float:
    """Speed over the ground (m/s)."""
    ux = vx + OMEGA_GMST * y
    uy = vy - OMEGA_GMST * x
    return math.sqrt(ux * ux + uy * uy + vz * vz)


@kernel
def _gauge(s: State, body: Array, phase: int, bank: float, kind: int) -> float:
    """What falls through zero where something happens. ``kind``: 0 height over 100 km, 1 rate of climb, 2 angle of the
    path under the glide's slope, 3 speed over the least speed of the glide, 4 height.
    """
    x, y, z, vx, vy, vz = s
    if kind == 0:
        return height_of(x, y, z) - ENTRY_HEIGHT
    if kind == 1:
        return climb_of(x, y, z, vx, vy, vz)
    if kind == 2:
        f = glide_forces(x, y, z, vx, vy, vz, body, phase, bank)
        return (0.0 if body[2] > 0.5 else f[6]) - f[5]
    if kind == 3:
        return float(_speed(x, y, vx, vy, vz) - body[4])
    return height_of(x, y, z)


@kernel
def _moment(s: State, body: Array, phase: int, bank: float, kind: int, dt: float) -> float:
    """Where within a step of ``dt`` the gauge ``kind`` is first known not to be above zero (s): false position inside a
    bracket, to 1e-10 s; never before the zero, so that the step that ends there has seen it happen.
    """
    x, y, z, vx, vy, vz = s
    low, high = 0.0, dt
    at_low = _gauge(s, body, phase, bank, kind)
    at_high = _gauge(_step(x, y, z, vx, vy, vz, body, phase, bank, dt), body, phase, bank, kind)
    for i in range(60):
        if high - low < 1e-10:
            break
        d = low + (high - low) * at_low / (at_low - at_high) if i % 3 < 2 else 0.5 * (low + high)
        if not low < d < high:
            d = 0.5 * (low + high)
        there = _gauge(_step(x, y, z, vx, vy, vz, body, phase, bank, d), body, phase, bank, kind)
        if there > 0.0:
            low, at_low = d, there
        else:
            high, at_high = d, there
    return high


@kernel
def _note(
    t: float, x: float, y: float, z: float, vx: float, vy: float, vz: float, f: Flow, n: int, nodes: Array
) -> int:  # fmt: skip
    """Write a node, if nodes are kept; the number after it, -1 where there is no room."""
    if nodes.shape[0] == 0:
        return 0
    if n >= nodes.shape[0]:
        return -1
    nodes[n, 0], nodes[n, 1], nodes[n, 2], nodes[n, 3], nodes[n, 4] = t, x, y, z, vx
    nodes[n, 5], nodes[n, 6], nodes[n, 7], nodes[n, 8], nodes[n, 9] = vy, vz, f[0], f[1], f[2]
    return n + 1


@kernel
def fly_glide(
    x6: Array, t0: float, theta0: float, body: Array, bank: Array, dive_s: float, until: int, step: float,
    nodes: Array, out: Array,
) -> int:  # fmt: skip
    """Follow a body with lift from a state in eci (m, m/s) at ``t0`` (s) to the ground, or to the start of phase
    ``until`` (``PULL_UP``, ``GLIDE``, ``DIVE``; ``DOWN``: the ground).

    ``theta0``: sidereal angle at time zero (rad); ``body`` as in ``glide_forces``; ``bank (k, 2)``: s since the pull-up
    was over and angle (rad), held until the next, level before the first; ``dive_s``: s since then at which the dive
    begins if the speed has not fallen under the dive speed before (infinity: not before); ``step`` scales the steps (1
    is meant).

    ``nodes (m, 10)``: time, state, acceleration at each step, twice where the acceleration jumps; with no rows nothing
    is kept. ``out`` (17) by the names above: hit (1 or 0), times (s), speeds over the ground (m/s), angles of the path
    against the air (rad), heights (m), latitude and longitude (rad), the greatest lift on the way (m/s2); NaN for what
    did not happen. Returns the rows used, -1 where ``nodes`` is too short. A flight that is not down after four hours
    ends there without a hit, as do states that are not numbers.
    """
    for i in range(OUT):
        out[i] = np.nan
    out[HIT] = 0.0
    out[PEAK_LIFT] = 0.0
    x, y, z, vx, vy, vz = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    t = t0
    n = 0
    phase = FREE
    angle_of_bank = 0.0
    turn = 0  # the next row of the bank programme
    for _ in range(_MOST_STEPS):
        if t - t0 > LONGEST_S:
            break
        climb = climb_of(x, y, z, vx, vy, vz)
        h = height_of(x, y, z)
        if not math.isfinite(h + climb):
            return n
        before = phase
        if phase == FREE and climb <= 0.0 and h <= ENTRY_HEIGHT + 1e-3:
            phase = PULL_UP
            f = glide_forces(x, y, z, vx, vy, vz, body, phase, angle_of_bank)
            if abs(h - ENTRY_HEIGHT) < 0.01:
                out[ENTRY_T], out[ENTRY_SPEED], out[ENTRY_ANGLE] = t, _speed(x, y, vx, vy, vz), f[5]
        if phase == PULL_UP:
            kind = 3 if _speed(x, y, vx, vy, vz) <= body[4] else 2
            if kind == 3 or _gauge((x, y, z, vx, vy, vz), body, phase, angle_of_bank, 2) <= 1e-12:
                phase = DIVE if kind == 3 else GLIDE
                if phase == GLIDE:
                    out[GLIDE_T], out[GLIDE_HEIGHT], out[GLIDE_SPEED] = t, h, _speed(x, y, vx, vy, vz)
        turned = False
        if phase == GLIDE:
            while turn < bank.shape[0] and t >= out[GLIDE_T] + bank[turn, 0] - 1e-9:
                turned = turned or bank[turn, 1] != angle_of_bank
                angle_of_bank = bank[turn, 1]
                turn += 1
            if t >= out[GLIDE_T] + dive_s - 1e-9 or _speed(x, y, vx, vy, vz) <= body[4]:
                phase = DIVE
        if phase == DIVE and before != DIVE:
            angle_of_bank = 0.0
            out[DIVE_T], out[DIVE_HEIGHT], out[DIVE_SPEED] = t, h, _speed(x, y, vx, vy, vz)
        f = glide_forces(x, y, z, vx, vy, vz, body, phase, angle_of_bank)
        if n == 0 or phase != before or turned:  # the end of the step before, and now the other side of the jump
            n = _note(t, x, y, z, vx, vy, vz, f, n, nodes)
            if n < 0:
                return -1
        if phase >= until:
            return n
        dt = step * _stride(x, y, z, vx, vy, vz, phase, f[3])
        kind = -1
        if phase == FREE:
            kind = 0 if h > ENTRY_HEIGHT else 1
        elif phase == PULL_UP:
            kind = 2
        elif phase == GLIDE:
            kind = 3
            stop = out[GLIDE_T] + dive_s
            if turn < bank.shape[0]:
                stop = min(stop, out[GLIDE_T] + bank[turn, 0])
            dt = min(dt, stop - t)
        s = (x, y, z, vx, vy, vz)
        new = _step(x, y, z, vx, vy, vz, body, phase, angle_of_bank, dt)
        if kind >= 0 and _gauge(new, body, phase, angle_of_bank, kind) < 0.0:
            if _gauge(s, body, phase, angle_of_bank, kind) > 0.0:
                dt = _moment(s, body, phase, angle_of_bank, kind, dt)
                new = _step(x, y, z, vx, vy, vz, body, phase, angle_of_bank, dt)
        elif phase == PULL_UP and _speed(new[0], new[1], new[3], new[4], new[5]) < body[4]:
            dt = _moment(s, body, phase, angle_of_bank, 3, dt)
            new = _step(x, y, z, vx, vy, vz, body, phase, angle_of_bank, dt)
        down = height_of(new[0], new[1], new[2]) <= 0.0 and climb_of(new[0], new[1], new[2], new[3], new[4], new[5]) < 0
        if down and h > 0.0:
            dt = _moment(s, body, phase, angle_of_bank, 4, dt)
            new = _step(x, y, z, vx, vy, vz, body, phase, angle_of_bank, dt)
        x, y, z, vx, vy, vz = new
        e = glide_forces(x, y, z, vx, vy, vz, body, phase, angle_of_bank)
        if phase == PULL_UP and math.isnan(out[LIFT_T]) and e[5] > f[5] and e[3] > 0.0:
            out[LIFT_T] = t  # from here on the path bends upwards
        out[PEAK_LIFT] = max(out[PEAK_LIFT], abs(e[3]))
        t += dt
        n = _note(t, x, y, z, vx, vy, vz, e, n, nodes)
        if n < 0:
            return -1
        if down:
            lat, lon, _ = geodetic_of(x, y, z)
            lon -= theta0 + OMEGA_GMST * t
            out[HIT] = 1.0
            out[IMPACT_T] = t
            out[IMPACT_LAT] = lat
            out[IMPACT_LON] = lon - 2.0 * math.pi * math.floor(lon / (2.0 * math.pi) + 0.5)
            out[IMPACT_SPEED] = _speed(x, y, vx, vy, vz)
            out[IMPACT_ANGLE] = e[5]
            return n
    return n


def steady_range(speed: float, least_speed: float, lift_to_drag: float, radius: float, mu: float = MU) -> float:
    """Ground range (m, on the sphere of ``radius``) of an equilibrium glide from ``speed`` to ``least_speed`` (m/s),
    sphere at rest, height lost neglected (Eggers, Allen and Neice, NACA Report 1382).
    """
    circular = mu / radius
    return 0.5 * lift_to_drag * radius * math.log((circular - least_speed**2) / (circular - speed**2))


def steady_time(speed: float, least_speed: float, lift_to_drag: float, radius: float, mu: float = MU) -> float:
    """Time (s) of the glide of ``steady_range``."""
    circular = math.sqrt(mu / radius)
    return (
        lift_to_drag * circular * radius * radius / mu
        * (math.atanh(speed / circular) - math.atanh(least_speed / circular))
    )  # fmt: skip
