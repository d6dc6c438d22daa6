"""What a sensor would measure of a state, with the derivatives that estimators need.

One kernel with a switch on ``kind``: ``h``. Between a scan's ``t0_ns`` and a detection's time the platform and the
attitude move by one convention, shared with whoever writes ``z``: ``Region.SECTOR`` turns both about the pole with the
Earth, ``Region.VIEW`` moves the platform as ``p + v dt - mu p / |p|^3 dt^2 / 2`` and leaves the attitude,
``Region.GROUND`` adds to ``SECTOR`` the platform's own uniform motion over the ground, ``Region.SPACE`` moves the
platform as ``p + v dt`` and leaves the attitude. Derivatives by elementary calculus (Bar-Shalom, Li, Kirubarajan,
"Estimation with Applications to Tracking and Navigation", 2001, chapter 10, gives the same for range and angles).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import MU
from tocsin.records.columns import KIND_SIZE, Kind, Region, Table

_SECTOR = Region.SECTOR
_GROUND = Region.GROUND
_SPACE = Region.SPACE
_RAE = Kind.RAE
_RAER = Kind.RAER
_LOS = Kind.LOS
_RA = Kind.RA
_XY = Kind.XY
_TINY = 1e-9  # keeps azimuth's derivative finite at the zenith; m, far under any measurement error


@kernel
def move_platform(
    dt: float,
    region: int,
    platform: NDArray[np.float64],
    attitude: NDArray[np.float64],
    platform_out: NDArray[np.float64],
    attitude_out: NDArray[np.float64],
) -> None:
    """Platform (6: position, velocity eci) and attitude (9: rows, eci to sensor axes) ``dt`` s after a scan's t0."""
    if region in (_SECTOR, _GROUND):
        c = math.cos(OMEGA_GMST * dt)
        s = math.sin(OMEGA_GMST * dt)
        for k in range(0, 6, 3):
            a, b = platform[k], platform[k + 1]
            platform_out[k], platform_out[k + 1], platform_out[k + 2] = c * a - s * b, s * a + c * b, platform[k + 2]
        if region == _GROUND:
            # own motion in axes that turn with the Earth: u = v - omega x p, here turned to the time asked for
            a, b = platform[3] + OMEGA_GMST * platform[1], platform[4] - OMEGA_GMST * platform[0]
            u0, u1, u2 = c * a - s * b, s * a + c * b, platform[5]
            platform_out[0] += u0 * dt
            platform_out[1] += u1 * dt
            platform_out[2] += u2 * dt
            # the velocity: u + omega x (what the position has become)
            platform_out[3] = u0 - OMEGA_GMST * platform_out[1]
            platform_out[4] = u1 + OMEGA_GMST * platform_out[0]
        for k in range(0, 9, 3):
            a, b = attitude[k], attitude[k + 1]
            attitude_out[k], attitude_out[k + 1], attitude_out[k + 2] = c * a - s * b, s * a + c * b, attitude[k + 2]
    elif region == _SPACE:
        for k in range(3):
            platform_out[k] = platform[k] + platform[3 + k] * dt
            platform_out[3 + k] = platform[3 + k]
        for k in range(9):
            attitude_out[k] = attitude[k]
    else:
        r2 = platform[0] ** 2 + platform[1] ** 2 + platform[2] ** 2
        g = -MU / (r2 * math.sqrt(r2))
        for k in range(3):
            acceleration = g * platform[k]
            platform_out[k] = platform[k] + platform[3 + k] * dt + 0.5 * acceleration * dt * dt
            platform_out[3 + k] = platform[3 + k] + acceleration * dt
        for k in range(9):
            attitude_out[k] = attitude[k]


@kernel
def h(
    kind: int,
    x: NDArray[np.float64],
    dt: float,
    region: int,
    platform: NDArray[np.float64],
    attitude: NDArray[np.float64],
    bias: NDArray[np.float64],
    z: NDArray[np.float64],
    Hx: NDArray[np.float64],
    Hb: NDArray[np.float64],
    Ht: NDArray[np.float64],
) -> int:
    """Predicted measurement of a state and its derivatives; returns the rows used.

    ``x`` (6, m and m/s, eci) at the detection's time; ``dt``: s from the scan's t0 to the detection; ``platform`` (6),
    ``attitude`` (9): as the scan's row has them, at its t0; ``bias`` (4): added to the components of z. Written: ``z``
    (4), ``Hx`` (4, 6) by the state, ``Hb`` (4, 4) by the bias, ``Ht`` (4) by the detection's time (a clock error), the
    object going on with its velocity under central gravity. Azimuth is within (-pi, pi] plus its bias: wrap differences
    with ``wrap_residual``. Rows past those used are zero.
    """
    p = np.empty(6)
    e = np.empty(9)
    move_platform(dt, region, platform, attitude, p, e)
    for i in range(4):
        z[i] = 0.0
        Ht[i] = 0.0
        for j in range(6):
            Hx[i, j] = 0.0
        for j in range(4):
            Hb[i, j] = 0.0
    d0, d1, d2 = x[0] - p[0], x[1] - p[1], x[2] - p[2]
    w0, w1, w2 = x[3] - p[3], x[4] - p[4], x[5] - p[5]
    l0 = e[0] * d0 + e[1] * d1 + e[2] * d2
    l1 = e[3] * d0 + e[4] * d1 + e[5] * d2
    l2 = e[6] * d0 + e[7] * d1 + e[8] * d2
    m0 = e[0] * w0 + e[1] * w1 + e[2] * w2
    m1 = e[3] * w0 + e[4] * w1 + e[5] * w2
    m2 = e[6] * w0 + e[7] * w1 + e[8] * w2
    if region in (_SECTOR, _GROUND):  # the axes turn too: (omega x row) . d
        m0 += OMEGA_GMST * (e[0] * d1 - e[1] * d0)
        m1 += OMEGA_GMST * (e[3] * d1 - e[4] * d0)
        m2 += OMEGA_GMST * (e[6] * d1 - e[7] * d0)
    r = max(math.sqrt(d0 * d0 + d1 * d1 + d2 * d2), _TINY)
    ground = max(math.sqrt(l0 * l0 + l1 * l1), _TINY)
    azimuth = math.atan2(l0, l1)
    elevation = math.atan2(l2, ground)
    rate = (d0 * w0 + d1 * w1 + d2 * w2) / r
    i_range, i_azimuth, i_elevation, i_rate, rows = -1, -1, -1, -1, 0
    if kind in (_RAE, _RAER):
        i_range, i_azimuth, i_elevation, rows = 0, 1, 2, 3
        if kind == _RAER:
            i_rate, rows = 3, 4
    elif kind == _LOS:
        i_azimuth, i_elevation, rows = 0, 1, 2
    elif kind == _RA:
        i_range, i_azimuth, rows = 0, 1, 2
    elif kind == _XY:
        rows = 2
        z[0], z[1] = l0, l1
        for j in range(3):
            Hx[0, j] = e[j]
            Hx[1, j] = e[3 + j]
        Ht[0], Ht[1] = m0, m1
    if i_range >= 0:
        z[i_range] = r
        Hx[i_range, 0], Hx[i_range, 1], Hx[i_range, 2] = d0 / r, d1 / r, d2 / r
        Ht[i_range] = rate
    if i_azimuth >= 0:
        z[i_azimuth] = azimuth
        a0 = l1 / (ground * ground)
        a1 = -l0 / (ground * ground)
        for j in range(3):
            Hx[i_azimuth, j] = a0 * e[j] + a1 * e[3 + j]
        Ht[i_azimuth] = a0 * m0 + a1 * m1
    if i_elevation >= 0:
        z[i_elevation] = elevation
        b0 = -l0 * l2 / (ground * r * r)
        b1 = -l1 * l2 / (ground * r * r)
        b2 = ground / (r * r)
        for j in range(3):
            Hx[i_elevation, j] = b0 * e[j] + b1 * e[3 + j] + b2 * e[6 + j]
        Ht[i_elevation] = b0 * m0 + b1 * m1 + b2 * m2
    if i_rate >= 0:
        z[i_rate] = rate
        u0, u1, u2 = d0 / r, d1 / r, d2 / r
        Hx[i_rate, 0], Hx[i_rate, 1], Hx[i_rate, 2] = (w0 - rate * u0) / r, (w1 - rate * u1) / r, (w2 - rate * u2) / r
        Hx[i_rate, 3], Hx[i_rate, 4], Hx[i_rate, 5] = u0, u1, u2
        x2 = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]
        g = -MU / (x2 * math.sqrt(x2))
        if region == _SECTOR:
            q0, q1, q2 = -OMEGA_GMST * OMEGA_GMST * p[0], -OMEGA_GMST * OMEGA_GMST * p[1], 0.0
        elif region == _GROUND:  # omega x (omega x p) + 2 omega x u = omega x (2 v - omega x p)
            q0 = -OMEGA_GMST * (2.0 * p[4] - OMEGA_GMST * p[0])
            q1 = OMEGA_GMST * (2.0 * p[3] + OMEGA_GMST * p[1])
            q2 = 0.0
        elif region == _SPACE:
            q0, q1, q2 = 0.0, 0.0, 0.0
        else:
            s2 = platform[0] ** 2 + platform[1] ** 2 + platform[2] ** 2
            gs = -MU / (s2 * math.sqrt(s2))
            q0, q1, q2 = gs * platform[0], gs * platform[1], gs * platform[2]
        along = u0 * (g * x[0] - q0) + u1 * (g * x[1] - q1) + u2 * (g * x[2] - q2)
        Ht[i_rate] = (w0 * w0 + w1 * w1 + w2 * w2 - rate * rate) / r + along
    for i in range(rows):
        z[i] += bias[i]
        Hb[i, i] = 1.0
    return rows


@kernel
def wrap_residual(kind: int, residual: NDArray[np.float64]) -> None:
    """Bring the azimuth of a measured minus predicted ``residual`` (4) into [-pi, pi), in place."""
    i = -1
    if kind == _LOS:
        i = 0
    elif kind in (_RAE, _RAER, _RA):
        i = 1
    if i >= 0:
        turn = 2.0 * math.pi
        residual[i] -= turn * math.floor((residual[i] + math.pi) / turn)


@kernel
def sight(
    azimuth: float,
    elevation: float,
    dt: float,
    region: int,
    platform: NDArray[np.float64],
    attitude: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """The line of a measured direction at the detection's time into ``out`` (6): origin (m) and unit vector, eci."""
    p = np.empty(6)
    e = np.empty(9)
    move_platform(dt, region, platform, attitude, p, e)
    ce = math.cos(elevation)
    l0, l1, l2 = ce * math.sin(azimuth), ce * math.cos(azimuth), math.sin(elevation)
    for j in range(3):
        out[j] = p[j]
        out[3 + j] = l0 * e[j] + l1 * e[3 + j] + l2 * e[6 + j]


@kernel
def unpack_noise(packed: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """The packed R (10) of a detection into a symmetric ``out`` (4, 4)."""
    k = 0
    for i in range(4):
        for j in range(i, 4):
            out[i, j] = packed[k]
            out[j, i] = packed[k]
            k += 1


@dataclass(frozen=True)
class Looks:
    """Detections laid out for kernels: row i of every array belongs to detection i.

    ``kind``, ``region`` (k,) int64; ``t_s`` (k,) s since the epoch; ``dt`` (k,) s since the scan's t0; ``platform``
    (k, 6) and ``attitude`` (k, 9) eci at the scan's t0; ``z`` (k, 4); ``R`` (k, 4, 4); ``rows`` (k,) components used.
    """

    kind: NDArray[np.int64]
    region: NDArray[np.int64]
    t_s: NDArray[np.float64]
    dt: NDArray[np.float64]
    platform: NDArray[np.float64]
    attitude: NDArray[np.float64]
    z: NDArray[np.float64]
    R: NDArray[np.float64]
    rows: NDArray[np.int64]


_SIZE = np.array(KIND_SIZE, dtype=np.int64)
_UPPER = np.triu_indices(4)


def lay_out(detections: Table, scans: Table) -> Looks:
    """Detections and, aligned with them, the scans they came from (tables of ``columns``) as contiguous arrays.

    Raises ValueError where the two tables do not go together.
    """
    if len(detections) != len(scans):
        raise ValueError(f"{len(detections)} detections need as many scan rows, found {len(scans)}")
    if np.any(detections["sensor"] != scans["sensor"]) or np.any(detections["scan"] != scans["scan"]):
        raise ValueError("a detection stands beside a scan that is not its own")
    noise = np.zeros((len(detections), 4, 4))
    packed = np.asarray(detections["R"], dtype=np.float64)
    noise[:, _UPPER[0], _UPPER[1]] = packed
    noise[:, _UPPER[1], _UPPER[0]] = packed
    kind = detections["kind"].astype(np.int64)
    return Looks(
        kind,
        scans["region"].astype(np.int64),
        detections["t_ns"] / 1e9,
        (detections["t_ns"] - scans["t0_ns"]) / 1e9,
        np.ascontiguousarray(scans["platform"], dtype=np.float64),
        np.ascontiguousarray(scans["attitude"], dtype=np.float64),
        np.ascontiguousarray(detections["z"], dtype=np.float64),
        noise,
        _SIZE[kind],
    )


@kernel
def predict_rows(
    kind: NDArray[np.int64],
    x: NDArray[np.float64],
    dt: NDArray[np.float64],
    region: NDArray[np.int64],
    platform: NDArray[np.float64],
    attitude: NDArray[np.float64],
    z: NDArray[np.float64],
    Hx: NDArray[np.float64],
    Hb: NDArray[np.float64],
    Ht: NDArray[np.float64],
) -> None:
    """``h`` row by row, without bias: shapes as in ``Looks`` and ``predict``."""
    bias = np.zeros(4)
    for i in range(x.shape[0]):
        h(kind[i], x[i], dt[i], region[i], platform[i], attitude[i], bias, z[i], Hx[i], Hb[i], Ht[i])


def predict(
    x: NDArray[np.float64], looks: Looks
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """``h`` for states ``x`` (k, 6), row i at the time of look i: z (k, 4), Hx (k, 4, 6), Hb (k, 4, 4), Ht (k, 4)."""
    states = np.ascontiguousarray(x, dtype=np.float64)
    k = states.shape[0]
    z, hx, hb, ht = np.empty((k, 4)), np.empty((k, 4, 6)), np.empty((k, 4, 4)), np.empty((k, 4))
    predict_rows(looks.kind, states, looks.dt, looks.region, looks.platform, looks.attitude, z, hx, hb, ht)
    return z, hx, hb, ht
