"""Long steps of free flight with drag: what makes the fast propagator fast.

A step of order 8 (the weights of DOP853, without its error control) whose length is a smooth function of the state and
which ends where a layer of the standard atmosphere ends, so that no step leads over a kink. Where it ends is foreseen
from height, climb and vertical acceleration, to some metres; a step that overshoots the edge by so little goes on with
the formulas of the layer it came from, which changes nothing that matters.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics import dop853
from tocsin.earth.atmosphere import EDGES, EMPTY, TOP, density_in
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import gravity
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import E2, EP2, MU, A

Array = NDArray[np.float64]
State = tuple[float, float, float, float, float, float]

STAGES = dop853.STAGES
# For x'' = a(x, x') the slopes of the position are the velocities of the stages, and drop out: row i weighs the
# accelerations 0 to i - 1 in the velocity (V, times the step) and the position (P, times its square) of stage i; row 12
# in those at its end. C: the times of the stages.
V = np.zeros((STAGES + 1, STAGES))
V[:STAGES] = dop853.A
V[STAGES] = dop853.B
P = np.zeros((STAGES + 1, STAGES))
for _i in range(STAGES + 1):
    for _j in range(STAGES):
        P[_i, _j] = sum(float(V[_i, _k] * dop853.A[_k, _j]) for _k in range(STAGES))
C = np.array([sum(float(v) for v in row) for row in V])

_TURN = 0.3  # of the local orbital time scale, at most, in one step
_SCALES = 1.8  # of the air's scale height
_STOP = 1.5  # of the time in which drag stops it
_MARGIN = 60.0  # m about an edge within which a body belongs to the layer it moves into


@kernel
def height_of(x: float, y: float, z: float) -> float:
    """Height (m) over the ellipsoid, in eci or ecef axes: the geodetic height by a series, within 2 cm up to 500 km and
    20 cm up to 36,000 km.
    """
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    w = z * z / r2
    along = r - A / math.sqrt(1.0 + EP2 * w)
    # from the height along the radius to that along the normal, which leans by about E2 sin(lat) cos(lat) A / r
    return along * (1.0 - 0.5 * E2 * E2 * w * (1.0 - w) * A / r)


@kernel
def climb_of(x: float, y: float, z: float, vx: float, vy: float, vz: float) -> float:
    """Rate (m/s) at which the geodetic height grows; the vertical is good to 2e-5 rad."""
    r = math.sqrt(x * x + y * y + z * z)
    zn = z * (1.0 + E2 * A / r)
    return (x * vx + y * vy + zn * vz) / math.sqrt(x * x + y * y + zn * zn)


@kernel
def layer_of(h: float, climb: float) -> int:
    """The layer of the atmosphere that a body at a height (m) moves into."""
    h += math.copysign(_MARGIN, climb)
    layer = 0
    while layer < EMPTY - 1 and h >= EDGES[layer]:
        layer += 1
    return layer


@kernel
def acceleration_in(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float, layer: int
) -> tuple[float, float, float]:
    """Gravity and drag (m/s2), the air by the formulas of one layer."""
    ax, ay, az = gravity(x, y, z)
    h = height_of(x, y, z)
    if h < TOP:
        ux = vx + OMEGA_GMST * y
        uy = vy - OMEGA_GMST * x
        d = -0.5 * density_in(h, layer) * math.sqrt(ux * ux + uy * uy + vz * vz) / beta
        ax += d * ux
        ay += d * uy
        az += d * vz
    return ax, ay, az


@kernel
def leap_length(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, h: float, climb: float, beta: float, layer: int,
    upward: float,
) -> float:  # fmt: skip
    """Length (s, positive) of a step: smooth in the state, and no further than to the edge of the layer.

    ``climb`` (m/s) in the direction of the step, ``upward`` (m/s2): how it changes.
    """
    r2 = x * x + y * y + z * z
    rate = math.sqrt(MU / (r2 * math.sqrt(r2))) / _TURN
    # of the way to denser air; the second part is for what falls from rest
    scale = _SCALES * (6500.0 + 0.6 * max(0.0, h - 100e3))
    rate += math.sqrt(climb * climb / (scale * scale) + 5.0 / scale)
    if h < TOP:
        ux = vx + OMEGA_GMST * y
        uy = vy - OMEGA_GMST * x
        rate += density_in(h, layer) * math.sqrt(ux * ux + uy * uy + vz * vz) / (_STOP * beta)
    dt = 1.0 / rate
    edge = np.inf
    if climb >= 0.0:
        if layer < EMPTY - 1:
            edge = EDGES[layer] - h
    elif layer > 0:
        edge = EDGES[layer - 1] - h
    elif h > 0.0:
        edge = -h  # the ground
    if abs(edge) < np.inf:
        # edge = climb t + upward t^2 / 2, the first time after now
        root = climb * climb + 2.0 * upward * edge
        if root > 0.0:
            t = 2.0 * edge / (climb + math.copysign(math.sqrt(root), climb))
            if 0.0 < t < dt:
                dt = t
            elif t < 2.0 * dt:
                dt = 0.5 * t
    return dt


@kernel
def leap(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float, layer: int, dt: float, a: Array
) -> State:
    """One step of free flight; ``a (12, 3)``: row 0 holds the acceleration at its start, the others are written."""
    d2 = dt * dt
    for i in range(1, STAGES):
        px, py, pz, qx, qy, qz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(i):
            p, q = P[i, j], V[i, j]
            px += p * a[j, 0]
            py += p * a[j, 1]
            pz += p * a[j, 2]
            qx += q * a[j, 0]
            qy += q * a[j, 1]
            qz += q * a[j, 2]
        c = dt * C[i]
        a[i, 0], a[i, 1], a[i, 2] = acceleration_in(
            x + c * vx + d2 * px, y + c * vy + d2 * py, z + c * vz + d2 * pz,
            vx + dt * qx, vy + dt * qy, vz + dt * qz, beta, layer,
        )  # fmt: skip
    px, py, pz, qx, qy, qz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(STAGES):
        p, q = P[STAGES, j], V[STAGES, j]
        px += p * a[j, 0]
        py += p * a[j, 1]
        pz += p * a[j, 2]
        qx += q * a[j, 0]
        qy += q * a[j, 1]
        qz += q * a[j, 2]
    return (
        x + dt * vx + d2 * px, y + dt * vy + d2 * py, z + dt * vz + d2 * pz,
        vx + dt * qx, vy + dt * qy, vz + dt * qz,
    )  # fmt: skip


@kernel
def upward_of(x: float, y: float, z: float, vx: float, vy: float, vz: float, ax: float, ay: float, az: float) -> float:
    """Second derivative (m/s2) of the height, on a sphere."""
    r2 = x * x + y * y + z * z
    r = math.sqrt(r2)
    rv = x * vx + y * vy + z * vz
    return (x * ax + y * ay + z * az + vx * vx + vy * vy + vz * vz - rv * rv / r2) / r


@kernel
def to_leap(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float, sign: float, a: Array
) -> tuple[float, int]:
    """Length (s, positive) and layer of the step to take from here, forward (``sign`` 1) or backward (-1) in time; its
    first acceleration into ``a (12, 3)``.
    """
    h = height_of(x, y, z)
    climb = sign * climb_of(x, y, z, vx, vy, vz)
    layer = layer_of(h, climb)
    ax, ay, az = acceleration_in(x, y, z, vx, vy, vz, beta, layer)
    a[0, 0], a[0, 1], a[0, 2] = ax, ay, az
    upward = upward_of(x, y, z, vx, vy, vz, ax, ay, az)
    return leap_length(x, y, z, vx, vy, vz, h, climb, beta, layer, upward), layer


@kernel
def leap_to(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float, duration: float, a: Array
) -> State:
    """The state after ``duration`` s (negative: before) of free flight with drag, in leaps; ``a (12, 3)``: room."""
    sign = math.copysign(1.0, duration)
    left = abs(duration)
    while left > 0.0:
        dt, layer = to_leap(x, y, z, vx, vy, vz, beta, sign, a)
        if not left > dt:  # also where the state, and so dt, is no number
            dt = left
            left = 0.0
        else:
            left -= dt
        x, y, z, vx, vy, vz = leap(x, y, z, vx, vy, vz, beta, layer, sign * dt, a)
    return x, y, z, vx, vy, vz
