"""Powered flight under a boost program: thrust, gravity and drag from the site to the end of thrust."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import free_acceleration
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import ecef_of

Array = NDArray[np.float64]

_LEAST_MASS = 0.01  # part of the initial mass under which no stage burns on: keeps absurd inputs finite


@kernel
def _breaks(stages: Array, vertical_s: float, pitch_s: float, end: float) -> Array:
    """Times after launch, sorted, from 0 to ``end``, between which the thrust program is smooth."""
    k = stages.shape[0]
    times = np.empty(2 * k + 4)
    times[0] = 0.0
    times[1] = end
    times[2] = vertical_s
    times[3] = vertical_s + pitch_s
    for i in range(k):
        times[4 + 2 * i] = stages[i, 0]
        times[5 + 2 * i] = stages[i, 0] + stages[i, 1]
    for i in range(times.shape[0]):
        times[i] = min(max(times[i], 0.0), end)
    for i in range(1, times.shape[0]):  # by insertion: there are a dozen
        v = times[i]
        j = i
        while j > 0 and times[j - 1] > v:
            times[j] = times[j - 1]
            j -= 1
        times[j] = v
    return times


@kernel
def burn_end(stages: Array, cutoff_s: float) -> float:
    """When thrust ends for good (s after launch): the cut-off or the last burnout, whichever comes first."""
    last = 0.0
    for i in range(stages.shape[0]):
        last = max(last, stages[i, 0] + stages[i, 1])
    return min(cutoff_s, last)


@kernel
def boost_rows(stages: Array, vertical_s: float, pitch_s: float, cutoff_s: float, step_s: float) -> int:
    """How many rows ``fly_boost`` can need at most (for either width of ``out``)."""
    pieces: int = 2 * stages.shape[0] + 3  # each takes a row more than its steps, and up to one step more for its rest
    return int(max(burn_end(stages, cutoff_s), 0.0) / step_s) + 1 + 2 * pieces


@kernel
def _boost_acceleration(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, beta: float,
    tau: float, thrust: float, ignition: float, exhaust: float, el0: float, el_rate: float, since: float, axes: Array,
) -> tuple[float, float, float]:  # fmt: skip
    """Gravity, drag and thrust at ``tau`` s after launch, inside one smooth piece of the program."""
    ax, ay, az = free_acceleration(x, y, z, vx, vy, vz, beta)
    if thrust > 0.0:
        f = thrust / max(1.0 - thrust * (tau - ignition) / exhaust, _LEAST_MASS)
        el = el0 + el_rate * (tau - since)
        c = f * math.cos(el)
        s = f * math.sin(el)
        ax += c * axes[0] + s * axes[3]
        ay += c * axes[1] + s * axes[4]
        az += c * axes[2] + s * axes[5]
    return ax, ay, az


@kernel
def fly_boost(
    stages: Array, vertical_s: float, pitch_s: float, beta: float, elevation: float, azimuth: float, cutoff_s: float,
    lat: float, lon: float, h: float, t_launch: float, theta0: float, step_s: float, out: Array,
) -> int:  # fmt: skip
    """Fly a boost program from rest on the turning Earth until thrust ends for good; returns the rows of ``out`` used.

    ``stages (k, 4)``: ignition (s after launch), burn (s), initial specific thrust (m/s2), exhaust velocity (m/s) of
    each stage; the specific thrust grows as thrust / (1 - thrust t / exhaust) within a stage (constant mass flow).
    Thrust points along the site's up for ``vertical_s``, then its elevation turns at an even rate to ``elevation`` over
    ``pitch_s`` and stays; ``azimuth`` is constant; both (rad) are in the east-north-up axes of the site at launch,
    which stay fixed in eci. Between stages, and from ``cutoff_s`` (s after launch) on, there is no thrust. ``lat``,
    ``lon``, ``h``: site (rad, m); ``t_launch``: s since the epoch.

    Steps are at most ``step_s`` long and end at every change of the program. ``out (m, 7)``: time (s since the epoch),
    state. If ``out`` has ten columns or more, the acceleration follows, and the times where the program changes stand
    twice, with the acceleration before and after (see ``state_at``). ``boost_rows`` tells how many rows suffice; too
    few: 0 is returned.
    """
    theta = theta0 + OMEGA_GMST * t_launch + lon
    sl, cl = math.sin(theta), math.cos(theta)
    sp, cp = math.sin(lat), math.cos(lat)
    sa, ca = math.sin(azimuth), math.cos(azimuth)
    axes = np.empty(6)  # the horizontal direction of the azimuth, and up
    axes[0], axes[1], axes[2] = -sa * sl - ca * sp * cl, sa * cl - ca * sp * sl, ca * cp
    axes[3], axes[4], axes[5] = cp * cl, cp * sl, sp
    x, y, z = ecef_of(lat, theta, h)
    vx, vy, vz = -OMEGA_GMST * y, OMEGA_GMST * x, 0.0
    with_acceleration = out.shape[1] >= 10
    times = _breaks(stages, vertical_s, pitch_s, burn_end(stages, cutoff_s))
    n = 0
    for piece in range(times.shape[0] - 1):
        start = times[piece]
        length = times[piece + 1] - start
        if length <= 1e-9:
            continue
        middle = start + 0.5 * length
        thrust, ignition, exhaust = 0.0, 0.0, 1.0
        for i in range(stages.shape[0]):
            if stages[i, 0] <= middle < stages[i, 0] + stages[i, 1]:
                ignition, thrust, exhaust = stages[i, 0], stages[i, 2], stages[i, 3]
        el0, el_rate, since = elevation, 0.0, 0.0
        if middle < vertical_s:
            el0 = 0.5 * math.pi
        elif middle < vertical_s + pitch_s:
            el0 = 0.5 * math.pi
            el_rate = (elevation - el0) / pitch_s
            since = vertical_s
        steps = max(1, math.ceil(length / step_s - 1e-9))
        dt = length / steps
        half = 0.5 * dt
        w = dt / 6.0
        for j in range(steps + 1):
            # the piece's end by name: start + steps * dt may miss it by a rounding, and times must not fall
            tau = times[piece + 1] if j == steps else start + j * dt
            ax1, ay1, az1 = _boost_acceleration(
                x, y, z, vx, vy, vz, beta, tau, thrust, ignition, exhaust, el0, el_rate, since, axes
            )
            if j > 0 or with_acceleration or n == 0:
                if n >= out.shape[0]:
                    return 0
                out[n, 0] = t_launch + tau
                out[n, 1], out[n, 2], out[n, 3], out[n, 4], out[n, 5], out[n, 6] = x, y, z, vx, vy, vz
                if with_acceleration:
                    out[n, 7], out[n, 8], out[n, 9] = ax1, ay1, az1
                n += 1
            if j == steps:
                break
            vx2, vy2, vz2 = vx + half * ax1, vy + half * ay1, vz + half * az1
            ax2, ay2, az2 = _boost_acceleration(
                x + half * vx, y + half * vy, z + half * vz, vx2, vy2, vz2, beta,
                tau + half, thrust, ignition, exhaust, el0, el_rate, since, axes,
            )  # fmt: skip
            vx3, vy3, vz3 = vx + half * ax2, vy + half * ay2, vz + half * az2
            ax3, ay3, az3 = _boost_acceleration(
                x + half * vx2, y + half * vy2, z + half * vz2, vx3, vy3, vz3, beta,
                tau + half, thrust, ignition, exhaust, el0, el_rate, since, axes,
            )  # fmt: skip
            vx4, vy4, vz4 = vx + dt * ax3, vy + dt * ay3, vz + dt * az3
            ax4, ay4, az4 = _boost_acceleration(
                x + dt * vx3, y + dt * vy3, z + dt * vz3, vx4, vy4, vz4, beta,
                tau + dt, thrust, ignition, exhaust, el0, el_rate, since, axes,
            )  # fmt: skip
            x += w * (vx + 2.0 * (vx2 + vx3) + vx4)
            y += w * (vy + 2.0 * (vy2 + vy3) + vy4)
            z += w * (vz + 2.0 * (vz2 + vz3) + vz4)
            vx += w * (ax1 + 2.0 * (ax2 + ax3) + ax4)
            vy += w * (ay1 + 2.0 * (ay2 + ay3) + ay4)
            vz += w * (az1 + 2.0 * (az2 + az3) + az4)
    return n
