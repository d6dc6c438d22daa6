"""Steered flight: thrust under laws of direction that a program of pieces names, from any state on.

``thrust.fly_boost`` flies what a warning centre has to believe of a launch: straight up, an even turn, a constant
direction. Ascent to orbit needs more, and has it here: the gravity turn of a first stage, and the linear-tangent law of
upper stages, which is the direction of least propellant over a flat Earth (Lawden, Optimal Trajectories for Space
Navigation, 1963; Bryson and Ho, Applied Optimal Control, 1975, section 2.7).

A program is an array ``pieces (k, 8)``, one row for each stretch in which thrust is smooth, in order and without gaps:

    start, end    s
    ignition      s, of the stage that burns
    thrust        m/s2, specific thrust at that ignition (0: none)
    exhaust       m/s
    law           of the direction, one of the constants below
    p, q          its numbers; s counts from the piece's start

``ALONG_ELEVATION``: elevation p + q s (rad) over the fixed axes; ``ALONG_AIRSPEED``: along the velocity against the
turning air; ``ALONG_TANGENT``: tan(elevation) = p + q s over the fixed axes; ``ALONG_HORIZON``: the same over the local
horizontal, ahead in the plane of motion.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import free_acceleration
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import ecef_of

Array = NDArray[np.float64]

ALONG_ELEVATION = 0.0
ALONG_AIRSPEED = 1.0
ALONG_TANGENT = 2.0
ALONG_HORIZON = 3.0

_LEAST_MASS = 0.01  # part of the initial mass under which no stage burns on: keeps absurd inputs finite


def site_axes(lat: float, theta: float, azimuth: float) -> Array:
    """Fixed axes ``(6,)`` in eci: the horizontal direction of an ``azimuth`` at a site, and its up.

    ``lat``: geodetic latitude; ``theta``: sidereal angle of the site's meridian at that time (rad).
    """
    sl, cl = math.sin(theta), math.cos(theta)
    sp, cp = math.sin(lat), math.cos(lat)
    sa, ca = math.sin(azimuth), math.cos(azimuth)
    return np.array([-sa * sl - ca * sp * cl, sa * cl - ca * sp * sl, ca * cp, cp * cl, cp * sl, sp])


def at_rest(lat: float, theta: float, h: float) -> Array:
    """State ``(6,)`` in eci of a point that turns with the Earth; arguments as in ``site_axes``, ``h`` in m."""
    x, y, z = ecef_of(lat, theta, h)
    return np.array([x, y, z, -OMEGA_GMST * y, OMEGA_GMST * x, 0.0])


def program_rows(pieces: Array, step_s: float) -> int:
    """How many rows ``fly_program`` needs for a program."""
    return int(sum(max(1, math.ceil((p[1] - p[0]) / step_s - 1e-9)) + 1 for p in pieces if p[1] - p[0] > 1e-9)) + 1


@kernel
def _steered(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float, tau: float, piece: Array, axes: Array
) -> tuple[float, float, float]:
    """Gravity, drag and thrust (m/s2) at ``tau``, inside one piece."""
    ax, ay, az = free_acceleration(x, y, z, vx, vy, vz, beta)
    if piece[3] > 0.0:
        f = piece[3] / max(1.0 - piece[3] * (tau - piece[2]) / piece[4], _LEAST_MASS)
        law = piece[5]
        turned = piece[6] + piece[7] * (tau - piece[0])
        if law == ALONG_AIRSPEED:
            ux = vx + OMEGA_GMST * y
            uy = vy - OMEGA_GMST * x
            f /= max(math.sqrt(ux * ux + uy * uy + vz * vz), 1e-9)
            return ax + f * ux, ay + f * uy, az + f * vz
        if law == ALONG_ELEVATION:
            c, s = math.cos(turned), math.sin(turned)
        else:
            c = 1.0 / math.sqrt(1.0 + turned * turned)
            s = turned * c
        if law == ALONG_HORIZON:
            r = math.sqrt(x * x + y * y + z * z)
            ux, uy, uz = x / r, y / r, z / r
            climb = ux * vx + uy * vy + uz * vz
            hx, hy, hz = vx - climb * ux, vy - climb * uy, vz - climb * uz
            level = max(math.sqrt(hx * hx + hy * hy + hz * hz), 1e-9)
            ax += f * (c * hx / level + s * ux)
            ay += f * (c * hy / level + s * uy)
            az += f * (c * hz / level + s * uz)
        else:
            ax += f * (c * axes[0] + s * axes[3])
            ay += f * (c * axes[1] + s * axes[4])
            az += f * (c * axes[2] + s * axes[5])
    return ax, ay, az


@kernel
def fly_program(pieces: Array, axes: Array, x6: Array, beta: float, step_s: float, out: Array) -> int:
    """Fly a program of pieces (see the module's text) from ``x6`` at its first start; returns the rows of ``out`` used.

    ``axes (k, 6)``: the fixed axes (forward, up) of each piece in eci; ``beta``: kg/m2. Runge-Kutta steps of at most
    ``step_s`` that end at each piece. ``out (m, 10)``: time (s, the pieces' clock), state, acceleration; where pieces
    meet the time stands twice, with the acceleration before and after (see ``kernels.state_at``). 0 if ``out`` is too
    short (``program_rows`` tells).
    """
    x, y, z, vx, vy, vz = x6[0], x6[1], x6[2], x6[3], x6[4], x6[5]
    n = 0
    for k in range(pieces.shape[0]):
        piece = pieces[k]
        fixed = axes[k]
        start = piece[0]
        length = piece[1] - start
        if not length > 1e-9:
            continue
        steps = max(1, math.ceil(length / step_s - 1e-9))
        dt = length / steps
        half = 0.5 * dt
        w = dt / 6.0
        for j in range(steps + 1):
            tau = piece[1] if j == steps else start + j * dt
            ax1, ay1, az1 = _steered(x, y, z, vx, vy, vz, beta, tau, piece, fixed)
            if n >= out.shape[0]:
                return 0
            out[n, 0], out[n, 1], out[n, 2], out[n, 3], out[n, 4] = tau, x, y, z, vx
            out[n, 5], out[n, 6], out[n, 7], out[n, 8], out[n, 9] = vy, vz, ax1, ay1, az1
            n += 1
            if j == steps:
                break
            vx2, vy2, vz2 = vx + half * ax1, vy + half * ay1, vz + half * az1
            ax2, ay2, az2 = _steered(
                x + half * vx, y + half * vy, z + half * vz, vx2, vy2, vz2, beta, tau + half, piece, fixed
            )
            vx3, vy3, vz3 = vx + half * ax2, vy + half * ay2, vz + half * az2
            ax3, ay3, az3 = _steered(
                x + half * vx2, y + half * vy2, z + half * vz2, vx3, vy3, vz3, beta, tau + half, piece, fixed
            )
            vx4, vy4, vz4 = vx + dt * ax3, vy + dt * ay3, vz + dt * az3
            ax4, ay4, az4 = _steered(
                x + dt * vx3, y + dt * vy3, z + dt * vz3, vx4, vy4, vz4, beta, tau + dt, piece, fixed
            )
            x += w * (vx + 2.0 * (vx2 + vx3) + vx4)
            y += w * (vy + 2.0 * (vy2 + vy3) + vy4)
            z += w * (vz + 2.0 * (vz2 + vz3) + vz4)
            vx += w * (ax1 + 2.0 * (ax2 + ax3) + ax4)
            vy += w * (ay1 + 2.0 * (ay2 + ay3) + ay4)
            vz += w * (az1 + 2.0 * (az2 + az3) + az4)
    return n
