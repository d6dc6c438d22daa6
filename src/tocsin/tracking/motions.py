"""How one object moves without thrust: free fall, fall through the air, glide, flight of an aircraft.

Every motion is a differential equation of position and velocity in eci whose extra slots are constant over a step:

- coast and orbit: gravity with J2; no slot.
- re-entry: slot 6 is l = ln of the ballistic coefficient (kg/m2). Drag q e^-l against the flight through the turning
  air, q = rho u^2 / 2 with the standard atmosphere.
- glide: slot 6 is l = ln of mass over drag area as it is now (kg/m2: the same equation of drag, with the drag that
  goes with the lift in it); slots 7 and 8 are lift over drag, up across the path and to the right of it. Their length
  is lift over drag, their direction the angle of bank: two components instead of ratio and angle, because the angle
  has no meaning where there is no lift. (Tracy and Wright, Science & Global Security 28, 2020, for the equations.)
- aircraft: slot 6 is the turn rate over the Earth (rad/s, to the right): the velocity over the ground turns about the
  local vertical and keeps its climb (the coordinated turn of Bar-Shalom, Li, Kirubarajan, 2001, section 11.7, in the
  local level), in eci with the Coriolis and centrifugal parts.

Steps are of order 4: for free fall Nystroem's method with three evaluations, whose derivative takes three products of
3 x 3 matrices; for the others the classical Runge-Kutta method with the variational equations in the same stages, so
that the transition matrix is the derivative of the step itself. Covariances are carried by congruence; noise enters at
the end of steps of at most ``STEP`` s. Slots that are a Gauss-Markov process fall back to their mean at each end.

Where a motion cannot be: re-entry, glide and aircraft have no meaning far above the air (re-entry is a coast there,
see ``transitions``); an orbit must stay clear of it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.dynamics.leap import climb_of, height_of
from tocsin.earth.atmosphere import density, density_and_slope
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import gravity, gravity_gradient
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import E2, MU, A
from tocsin.tracking.belief import (
    BETA,
    BETA_SD,
    GLIDE_BETA,
    GLIDE_LIFT,
    Q_AIRCRAFT,
    Q_BETA,
    Q_COAST,
    Q_GLIDE,
    Q_ORBIT,
    Q_REENTRY,
    TURN_SD,
)

Array = NDArray[np.float64]

BOOST, COAST, REENTRY, GLIDE, AIRCRAFT, ORBIT = 0, 1, 2, 3, 4, 5  # kinds of motion, as in the places of TRACK's mu
KINDS = 6
SLOTS = 10

STEP = 2.0  # s between the moments at which noise enters re-entry, glide and aircraft
ROOM = 520  # floats of room that a step needs

GLIDE_BETA_SD = 0.7  # of ln: mass over drag area changes by 2.5 between pull-up and glide on a parabolic polar
GLIDE_LIFT_SD = 1.0  # of lift over drag, up and to the right: any bank is as likely as level flight
_BETA_TIME = 100.0  # s over which a glider's drag changes
_LIFT_TIME = 30.0  # s over which its lift and bank change
_TURN_TIME = 30.0  # s that a turn lasts
_CLIMB_SHARE = 0.2  # of an aircraft's noise, upwards
_AIR_CORRELATION = 10.0  # s over which drag that the coast model leaves out pushes the same way
_TRIM = 0.01  # of drag: what a body that is not quite round is pushed sideways
_TRIM_TIME = 5.0  # s over which it is pushed to the same side
_CLEAR = A + 160e3  # m from the centre: above it the coast has no air to mind (150 km over the equator)
_FURTHEST = 5.0  # of ln beta from its mean: beyond, a slot's error may not make the body stop
_MOST_LIFT = 8.0
_MOST_TURN = 0.5  # rad/s: 13 g at 250 m/s
_STEEPEST = 0.05  # cosine of the path's angle under which "up across the path" is held


@kernel
def _clamp(v: float, low: float, high: float) -> float:
    return min(max(v, low), high)


@kernel
def forces(kind: int, s: Array, par: Array, a: Array, G: Array, w: Array) -> float:
    """Acceleration ``a`` (3) of a state ``s`` (9: position, velocity, slots 6 to 8) and its derivatives ``G`` (3, 9).

    For REENTRY, GLIDE and AIRCRAFT; returns the drag (m/s2). Slots beyond what is possible act as the nearest possible
    value. The height is ``height_of``, its derivative the geodetic vertical (good to 2e-5 rad). ``w`` (3, 6): room.
    """
    x, y, z = s[0], s[1], s[2]
    ux, uy, uz = s[3] + OMEGA_GMST * y, s[4] - OMEGA_GMST * x, s[5]
    u2 = ux * ux + uy * uy + uz * uz
    speed = max(math.sqrt(u2), 1e-6)
    r = math.sqrt(x * x + y * y + z * z)
    # the vertical n = m / |m| with m = (x, y, f z); its derivative is (I - n n') dm / |m|, where dm is diag(1, 1, f)
    # and, in the third row, bend (x, y, z): the change of f
    f = 1.0 + E2 * A / r
    m = math.sqrt(x * x + y * y + f * f * z * z)
    nx, ny, nz = x / m, y / m, f * z / m
    bend = -E2 * A * z / (r * r * r)
    w[0, 0], w[1, 0], w[2, 0] = nx, ny, nz
    for i in range(3):
        for j in range(6, 9):
            G[i, j] = 0.0
    if kind == AIRCRAFT:
        turn = _clamp(s[6], -_MOST_TURN, _MOST_TURN)
        up = ux * nx + uy * ny + uz * nz
        level = max(u2 - up * up, 0.0) / r
        a[0], a[1], a[2] = uy * nz - uz * ny, uz * nx - ux * nz, ux * ny - uy * nx  # to the right
        w[0, 1], w[1, 1], w[2, 1] = ux, uy, uz
        for i in range(3):
            G[i, 6] = a[i]
            for j in range(3):
                G[i, 3 + j] = -2.0 * (w[j, 1] - up * w[j, 0]) / r * w[i, 0]
                G[i, j] = 2.0 * up / r * w[i, 0] * w[j, 1]  # by n, for now
            G[i, i] -= level
            a[i] = turn * a[i] - level * w[i, 0]
        G[0, 4] += turn * nz - 2.0 * OMEGA_GMST
        G[0, 5] -= turn * ny
        G[1, 3] -= turn * nz - 2.0 * OMEGA_GMST
        G[1, 5] += turn * nx
        G[2, 3] += turn * ny
        G[2, 4] -= turn * nx
        G[0, 1] -= turn * uz
        G[0, 2] += turn * uy
        G[1, 0] += turn * uz
        G[1, 2] -= turn * ux
        G[2, 0] -= turn * uy
        G[2, 1] += turn * ux
        a[0] -= 2.0 * OMEGA_GMST * uy + OMEGA_GMST * OMEGA_GMST * x
        a[1] += 2.0 * OMEGA_GMST * ux - OMEGA_GMST * OMEGA_GMST * y
        for i in range(3):
            along = G[i, 0] * nx + G[i, 1] * ny + G[i, 2] * nz
            d0, d1, d2 = G[i, 0] - along * nx, G[i, 1] - along * ny, G[i, 2] - along * nz
            k = level / (r * r) * w[i, 0]
            G[i, 0] = (d0 + d2 * bend * x) / m + k * x - OMEGA_GMST * G[i, 4]
            G[i, 1] = (d1 + d2 * bend * y) / m + k * y + OMEGA_GMST * G[i, 3]
            G[i, 2] = (d2 * (f + bend * z)) / m + k * z
        G[0, 0] -= OMEGA_GMST * OMEGA_GMST
        G[1, 1] -= OMEGA_GMST * OMEGA_GMST
        return 0.0
    mean = math.log(par[BETA]) if kind == REENTRY else par[GLIDE_BETA]
    ln_beta = _clamp(s[6], mean - _FURTHEST, mean + _FURTHEST)
    rho, slope = density_and_slope(height_of(x, y, z))
    drag = 0.5 * rho * u2 * math.exp(-ln_beta)
    a[0], a[1], a[2] = gravity(x, y, z)
    G[0, 0], G[0, 1], G[0, 2], G[1, 1], G[1, 2], G[2, 2] = gravity_gradient(x, y, z)
    G[1, 0], G[2, 0], G[2, 1] = G[0, 1], G[0, 2], G[1, 2]
    sx, sy, sz = ux / speed, uy / speed, uz / speed
    sine = nx * sx + ny * sy + nz * sz
    cosine = max(math.sqrt(max(1.0 - sine * sine, 0.0)), _STEEPEST)
    tangent = sine / cosine
    lift_up, lift_right = 0.0, 0.0
    if kind == GLIDE:
        lift_up = _clamp(s[7], -_MOST_LIFT, _MOST_LIFT)
        lift_right = _clamp(s[8], -_MOST_LIFT, _MOST_LIFT)
    # 1: along the path, 2: up across it, 3: to its right, 4: where all of it points, in units of drag
    w[0, 1], w[1, 1], w[2, 1] = sx, sy, sz
    for i in range(3):
        w[i, 2] = (w[i, 0] - sine * w[i, 1]) / cosine
    w[0, 3] = sy * w[2, 2] - sz * w[1, 2]
    w[1, 3] = sz * w[0, 2] - sx * w[2, 2]
    w[2, 3] = sx * w[1, 2] - sy * w[0, 2]
    for i in range(3):
        w[i, 4] = -w[i, 1] + lift_up * w[i, 2] + lift_right * w[i, 3]
        a[i] += drag * w[i, 4]
    k = drag / speed
    side = (w[0, 3] + w[2, 3] * bend * x, w[1, 3] + w[2, 3] * bend * y, w[2, 3] * (f + bend * z))
    w[0, 5], w[1, 5], w[2, 5] = side  # how n turns to the right as the place changes; to n itself it is orthogonal
    for i in range(3):
        # as the direction of flight turns, "up across" turns against it and about it, "right" likewise
        by_up = -w[i, 2] - lift_up * w[i, 1]
        by_right = -w[i, 3] - lift_up * tangent * w[i, 3] - lift_right * (w[i, 1] - tangent * w[i, 2])
        turned = drag * (lift_up * w[i, 3] - lift_right * w[i, 2]) / (m * cosine)
        for j in range(3):
            if kind == GLIDE:
                G[i, 3 + j] = k * (2.0 * w[i, 4] * w[j, 1] + by_up * w[j, 2] + by_right * w[j, 3])
            else:
                G[i, 3 + j] = -k * (w[i, 1] * w[j, 1] + (1.0 if i == j else 0.0))
            G[i, j] += drag * slope * w[i, 4] * w[j, 0] + turned * w[j, 5]
        G[i, 0] -= OMEGA_GMST * G[i, 4]
        G[i, 1] += OMEGA_GMST * G[i, 3]
        G[i, 6] = -drag * w[i, 4]
        if kind == GLIDE:
            G[i, 7] = drag * w[i, 2]
            G[i, 8] = drag * w[i, 3]
    return float(drag)


@kernel
def _substeps(kind: int, s: Array, par: Array, dt: float) -> int:
    """How many steps a flight over ``dt`` s is made in: short against what the air changes in."""
    rate = 0.5
    if kind == AIRCRAFT:
        rate += abs(_clamp(s[6], -_MOST_TURN, _MOST_TURN)) * 2.0
    else:
        h = height_of(s[0], s[1], s[2])
        climb = abs(climb_of(s[0], s[1], s[2], s[3], s[4], s[5]))
        rho = density(max(h - climb * abs(dt), 0.0))  # the densest air on the way, or nearly
        u = math.sqrt(s[3] * s[3] + s[4] * s[4] + s[5] * s[5])
        mean = math.log(par[BETA]) if kind == REENTRY else par[GLIDE_BETA]
        k = 0.5 * rho * u * math.exp(-_clamp(s[6], mean - _FURTHEST, mean + _FURTHEST))
        rate += climb / 2000.0 * min(k * u, 1.0) + 3.0 * k
    n = abs(dt) * rate
    if not n < 64.0:  # also where it is no number
        return 64 if n >= 64.0 else 1
    return math.ceil(n)


@kernel
def fly(kind: int, x: Array, dt: float, slots: int, par: Array, xo: Array, F: Array, room: Array) -> float:
    """Carry the first ``slots`` (7 or 9) of a state over ``dt`` s (some seconds, may be negative) into ``xo`` (10), the
    derivative into the upper left of ``F`` (10, 10); returns the drag at its end (m/s2).

    REENTRY, GLIDE or AIRCRAFT. Slots fall back to their mean by a Gauss-Markov process's e^-dt/T at the end.
    ``room``: ``ROOM`` floats.
    """
    s = room[0:9]
    at = room[9:18]
    a = room[18:21]
    va, xa = room[21:24], room[24:27]  # sums of slopes
    G = room[27:54].reshape(3, 9)
    w = room[500:518].reshape(3, 6)
    X = room[60:120].reshape(6, 10)
    K = room[120:180].reshape(6, 10)  # slopes of the stage before
    T = room[180:240].reshape(6, 10)
    Z = room[240:300].reshape(6, 10)  # sums of slopes
    for i in range(9):
        s[i] = x[i] if i < slots else 0.0
    for i in range(6):
        for j in range(slots):
            X[i, j] = 1.0 if i == j else 0.0
    count = _substeps(kind, s, par, dt)
    h = dt / count
    drag = 0.0
    for _ in range(count):
        for i in range(3):
            va[i], xa[i] = 0.0, 0.0
        for i in range(6):
            for j in range(slots):
                Z[i, j] = 0.0
                K[i, j] = 0.0
        ax, ay, az = 0.0, 0.0, 0.0
        qx, qy, qz = s[3], s[4], s[5]
        for i in range(9):
            at[i] = s[i]
        for stage in range(4):
            c = 0.0 if stage == 0 else (h if stage == 3 else 0.5 * h)
            if stage > 0:
                at[0], at[1], at[2] = s[0] + c * qx, s[1] + c * qy, s[2] + c * qz
                at[3], at[4], at[5] = s[3] + c * ax, s[4] + c * ay, s[5] + c * az
                qx, qy, qz = at[3], at[4], at[5]
            drag = forces(kind, at, par, a, G, w)
            ax, ay, az = a[0], a[1], a[2]
            weight = h / 6.0 if stage == 0 or stage == 3 else h / 3.0
            xa[0] += weight * qx
            xa[1] += weight * qy
            xa[2] += weight * qz
            va[0] += weight * ax
            va[1] += weight * ay
            va[2] += weight * az
            for i in range(6):
                for j in range(slots):
                    T[i, j] = X[i, j] + c * K[i, j]
            for i in range(3):
                for j in range(slots):
                    K[i, j] = T[3 + i, j]
                    K[3 + i, j] = 0.0
                for k in range(6):
                    g = G[i, k]
                    for j in range(slots):
                        K[3 + i, j] += g * T[k, j]
                for j in range(6, slots):
                    K[3 + i, j] += G[i, j]
            for i in range(6):
                for j in range(slots):
                    Z[i, j] += weight * K[i, j]
        for i in range(3):
            s[i] += xa[i]
            s[3 + i] += va[i]
        for i in range(6):
            for j in range(slots):
                X[i, j] += Z[i, j]
    for i in range(6):
        xo[i] = s[i]
        for j in range(slots):
            F[i, j] = X[i, j]
    for i in range(6, 10):
        if i < slots:
            mean, time, _ = slot_process(kind, i, par)
            keep = math.exp(-abs(dt) / time) if time > 0.0 else 1.0
            xo[i] = mean + keep * (s[i] - mean)
            for j in range(slots):
                F[i, j] = keep if i == j else 0.0
        else:
            xo[i] = 0.0
    return float(drag)


@kernel
def slot_process(kind: int, slot: int, par: Array) -> tuple[float, float, float]:
    """Mean, correlation time (s; 0: a random walk) and standard deviation of a slot: its prior, and where it falls
    back to.
    """
    if kind == REENTRY:
        return math.log(par[BETA]), 0.0, float(par[BETA_SD])
    if kind == GLIDE:
        if slot == 6:
            return float(par[GLIDE_BETA]), _BETA_TIME, GLIDE_BETA_SD
        return (float(par[GLIDE_LIFT]) if slot == 7 else 0.0), _LIFT_TIME, GLIDE_LIFT_SD
    return 0.0, _TURN_TIME, float(par[TURN_SD])


@kernel
def white(P: Array, q: float, h: float) -> None:
    """Add the covariance of white acceleration of density q (m2/s3) over h s."""
    for i in range(3):
        P[i, i] += q * h * h * h / 3.0
        P[i, 3 + i] += q * h * h / 2.0
        P[3 + i, i] += q * h * h / 2.0
        P[3 + i, 3 + i] += q * h


@kernel
def _noise(kind: int, x: Array, h: float, drag: float, par: Array, P: Array) -> None:
    """Add what happens beside the motion over ``h`` s: white acceleration and the wandering of slots."""
    if kind == AIRCRAFT:
        q = par[Q_AIRCRAFT]
        white(P, q, h)
        r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
        less = q * (1.0 - _CLIMB_SHARE)
        for i in range(3):
            for j in range(3):
                d = less * x[i] / r * x[j] / r
                P[i, j] -= d * h * h * h / 3.0
                P[i, 3 + j] -= d * h * h / 2.0
                P[3 + i, j] -= d * h * h / 2.0
                P[3 + i, 3 + j] -= d * h
        P[6, 6] += par[TURN_SD] ** 2 * -math.expm1(-2.0 * h / _TURN_TIME)
        return
    push = min(_TRIM * drag, 100.0)
    q = par[Q_REENTRY] if kind == REENTRY else par[Q_GLIDE]
    white(P, q + 2.0 * push * push * _TRIM_TIME, h)
    if kind == REENTRY:
        # what the drag coefficient does follows the Mach number: noise by how fast the speed falls, not by time
        u = max(math.sqrt(x[3] * x[3] + x[4] * x[4] + x[5] * x[5]), 100.0)
        P[6, 6] += par[Q_BETA] * min(drag / u, 1.0) * h
        return
    P[6, 6] += GLIDE_BETA_SD**2 * -math.expm1(-2.0 * h / _BETA_TIME)
    lift = GLIDE_LIFT_SD**2 * -math.expm1(-2.0 * h / _LIFT_TIME)
    P[7, 7] += lift
    P[8, 8] += lift


@kernel
def congruence(F: Array, P: Array, n: int, t: Array, out: Array) -> None:
    """``out = F P F'`` for the leading n x n parts, made exactly symmetric; ``t`` (n, n or more): room."""
    for i in range(n):
        for j in range(n):
            t[i, j] = 0.0
        for k in range(n):
            f = F[i, k]
            if f != 0.0:
                for j in range(n):
                    t[i, j] += f * P[k, j]
    for i in range(n):
        for j in range(i, n):
            s = 0.0
            for k in range(n):
                s += t[i, k] * F[j, k]
            out[i, j] = s
            out[j, i] = s


@kernel
def fly_step(
    kind: int, x: Array, P: Array, dt: float, slots: int, par: Array, xo: Array, Po: Array, room: Array
) -> None:
    """A state (10) and its covariance (10, 10) over ``dt`` s by REENTRY, GLIDE or AIRCRAFT; unused slots become zero.

    At most ``STEP`` s are meant. ``xo``, ``Po`` must not be ``x``, ``P``. ``room``: ``ROOM`` floats.
    """
    F = room[300:400].reshape(10, 10)
    T = room[400:500].reshape(10, 10)
    drag = fly(kind, x, dt, slots, par, xo, F, room)
    for i in range(SLOTS):
        for j in range(SLOTS):
            if i >= slots or j >= slots:
                Po[i, j] = 0.0
    congruence(F, P, slots, T, Po)
    _noise(kind, xo, abs(dt), drag, par, Po)


@kernel
def _free_fall(x: Array, h: float, xo: Array, F: Array) -> None:
    """One step of Nystroem's method (order 4, three evaluations; Hairer, Norsett, Wanner I, section II.14) under
    gravity, and its exact derivative ``F`` (6, 6).
    """
    h2 = h * h
    px, py, pz, vx, vy, vz = x[0], x[1], x[2], x[3], x[4], x[5]
    ax, ay, az = gravity(px, py, pz)
    a0, a1, a2, a3, a4, a5 = gravity_gradient(px, py, pz)
    c = h2 / 8.0
    qx, qy, qz = px + 0.5 * h * vx + c * ax, py + 0.5 * h * vy + c * ay, pz + 0.5 * h * vz + c * az
    bx, by, bz = gravity(qx, qy, qz)
    b0, b1, b2, b3, b4, b5 = gravity_gradient(qx, qy, qz)
    c = h2 / 2.0
    qx, qy, qz = px + h * vx + c * bx, py + h * vy + c * by, pz + h * vz + c * bz
    cx, cy, cz = gravity(qx, qy, qz)
    c0, c1, c2, c3, c4, c5 = gravity_gradient(qx, qy, qz)
    w = h2 / 6.0
    xo[0], xo[1], xo[2] = (
        px + h * vx + w * (ax + 2.0 * bx), py + h * vy + w * (ay + 2.0 * by), pz + h * vz + w * (az + 2.0 * bz)
    )  # fmt: skip
    w = h / 6.0
    xo[3], xo[4], xo[5] = vx + w * (ax + 4.0 * bx + cx), vy + w * (ay + 4.0 * by + cy), vz + w * (az + 4.0 * bz + cz)
    # K2 = B (I + h2/8 A), K3 = C (I + h2/2 K2) by position; h/2 B and C (h I + h3/4 B) by velocity
    A1 = ((a0, a1, a2), (a1, a3, a4), (a2, a4, a5))
    B1 = ((b0, b1, b2), (b1, b3, b4), (b2, b4, b5))
    C1 = ((c0, c1, c2), (c1, c3, c4), (c2, c4, c5))
    e, half, sixth, quarter = h2 / 8.0, 0.5 * h2, h2 / 6.0, 0.25 * h2
    for j in range(3):
        k0 = b0 * A1[0][j] + b1 * A1[1][j] + b2 * A1[2][j]
        k1 = b1 * A1[0][j] + b3 * A1[1][j] + b4 * A1[2][j]
        k2 = b2 * A1[0][j] + b4 * A1[1][j] + b5 * A1[2][j]
        k0, k1, k2 = B1[0][j] + e * k0, B1[1][j] + e * k1, B1[2][j] + e * k2
        for i in range(3):
            one = 1.0 if i == j else 0.0
            k = k0 if i == 0 else (k1 if i == 1 else k2)
            k3 = C1[i][j] + half * (C1[i][0] * k0 + C1[i][1] * k1 + C1[i][2] * k2)
            v3 = C1[i][0] * B1[0][j] + C1[i][1] * B1[1][j] + C1[i][2] * B1[2][j]
            F[i, j] = one + sixth * (A1[i][j] + 2.0 * k)
            F[i, 3 + j] = one * h + sixth * h * B1[i][j]
            F[3 + i, j] = w * (A1[i][j] + 4.0 * k + k3)
            F[3 + i, 3 + j] = one + w * h * (2.0 * B1[i][j] + C1[i][j] + quarter * v3)


@kernel
def _congruence6(F: Array, P: Array, t: Array, out: Array) -> None:
    """``congruence`` of six by six."""
    for i in range(6):
        for j in range(6):
            t[i, j] = (
                F[i, 0] * P[0, j] + F[i, 1] * P[1, j] + F[i, 2] * P[2, j]
                + F[i, 3] * P[3, j] + F[i, 4] * P[4, j] + F[i, 5] * P[5, j]
            )  # fmt: skip
    for i in range(6):
        for j in range(i, 6):
            s = (
                t[i, 0] * F[j, 0] + t[i, 1] * F[j, 1] + t[i, 2] * F[j, 2]
                + t[i, 3] * F[j, 3] + t[i, 4] * F[j, 4] + t[i, 5] * F[j, 5]
            )  # fmt: skip
            out[i, j] = s
            out[j, i] = s


@kernel
def fall_step(
    kind: int, x: Array, P: Array, t0: float, t1: float, theta0: float, par: Array, xo: Array, Po: Array, F: Array,
    T: Array,
) -> None:  # fmt: skip
    """Free flight (COAST or ORBIT) of the first six slots from ``t0`` to ``t1`` (s) with covariance; the others become
    zero.

    A coast's noise grows where the air could brake; an orbit's is what the gravity model leaves out, which falls with
    the eighth power of the distance. ``F``, ``T`` (6, 6): room.
    """
    h = t1 - t0
    r2 = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]
    if h * h * 2500.0 * MU <= r2 * math.sqrt(r2):  # within the stride of ``coast_to_stm``: one step
        _free_fall(x, h, xo, F)
    else:
        coast_to_stm(x, t0, t1, theta0, xo, F)
    for i in range(6, SLOTS):
        xo[i] = 0.0
        for j in range(SLOTS):
            Po[i, j] = 0.0
            Po[j, i] = 0.0
    _congruence6(F, P, T, Po)
    if kind == ORBIT:
        ratio = A * A / r2
        ratio *= ratio
        white(Po, par[Q_ORBIT] * ratio * ratio, abs(h))
        return
    q = par[Q_COAST]
    if min(r2, xo[0] * xo[0] + xo[1] * xo[1] + xo[2] * xo[2]) < _CLEAR * _CLEAR:
        low = min(height_of(x[0], x[1], x[2]), height_of(xo[0], xo[1], xo[2]))
        if low < 150e3:
            v2 = xo[3] ** 2 + xo[4] ** 2 + xo[5] ** 2
            drag = min(0.5 * density(low) * v2 / par[BETA], 100.0)
            q += drag * drag * _AIR_CORRELATION
    white(Po, q, abs(h))
