"""From a state without thrust: where it comes down, and from where it rose.

A cloud of states is carried along Kepler arcs, which are exact in everything that is not linear (the arc, the turning
Earth, the ellipsoid), in closed form. What an arc leaves out, J2 and drag, hardly differs within a cloud: it is taken
from the full propagators at the cloud's mean and at a few states about it. Times inside are seconds since the
scenario's epoch.

Source of the arcs: Bate, Mueller, White, Fundamentals of Astrodynamics (1971), chapters 1, 2 and 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import back_to_height, fall
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.geodesics import direct
from tocsin.earth.jit import kernel
from tocsin.earth.random import normal_quantile, normals, stream_key
from tocsin.earth.wgs84 import E2, MU, A, B, ecef_to_geodetic, geodetic_of
from tocsin.scenario.specs import Spread
from tocsin.warning.regions import from_plane, geodetic, middle, polar, to_plane

Floats = NDArray[np.float64]

SAMPLES = 2048
LAUNCH_ROWS = 512
_BETAS = 7  # full falls, evenly over the inverse of the ballistic coefficient
_STRETCH = 2.0  # half of the samples are drawn this much wider in the two directions that move the impact point


@dataclass(frozen=True)
class Cloud:
    """Weighted points on the ellipsoid with their times. Only rows with ``hit`` have a point.

    ``lat``, ``lon`` (rad), ``t`` (s since the epoch), ``weight`` (sum 1 over all rows, hit or not), ``hit``; ``x``,
    ``t_x``: the eci state (n, 6) from which each falls freely, and when (s); ``effective``: how many independent
    points the cloud is worth; ``energy``: the range (m) that the energy of each would give at best; ``reach``: the
    range of its arc (m).
    """

    lat: Floats
    lon: Floats
    t: Floats
    weight: Floats
    hit: NDArray[np.bool_]
    x: Floats
    t_x: Floats
    effective: float
    energy: Floats
    reach: Floats
    elevation: Floats

    @property
    def p_impact(self) -> float:
        """Share of the weight that comes down."""
        return float(self.weight[self.hit].sum())


@kernel
def surface_radius(sine: float) -> float:
    """Distance (m) of the ellipsoid from the centre at geocentric latitude with ``sine``."""
    s2 = sine * sine
    return A * B / math.sqrt(B * B * (1.0 - s2) + A * A * s2)


@kernel
def best_range(x: Floats) -> float:
    """Greatest range (m, over a sphere) that the energy of an eci state gives at the best elevation: a measure of
    energy.

    From ``sin(range / 2R) = nu / (2 - nu)`` with ``nu = v^2 R / mu`` at the surface (Bate, Mueller, White, eq. 6.2-19).
    """
    r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    v2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    radius = 6371008.8
    nu = (v2 + 2.0 * MU * (1.0 / radius - 1.0 / r)) * radius / MU
    if nu <= 0.0:
        return 0.0
    if nu >= 1.0:
        # beyond half round the Earth: kept growing so that energies stay in order
        return float(math.pi * radius * nu)
    return 2.0 * radius * math.asin(nu / (2.0 - nu))


@kernel
def arc_range(x: Floats) -> float:
    """Distance (m, over a sphere, not turning) between where an eci state's arc leaves the ground and where it comes
    back to it.

    Nought where it never leaves the ground, half round the Earth where it never comes back.
    """
    r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    v2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    rv = x[0] * x[3] + x[1] * x[4] + x[2] * x[5]
    p = (r * r * v2 - rv * rv) / MU
    e = math.sqrt(max(1.0 + p * (v2 / MU - 2.0 / r), 1e-18))
    radius = 6371008.8
    c = (p / radius - 1.0) / e
    if c > 1.0:
        return math.pi * radius
    if c < -1.0:
        return 0.0
    return 2.0 * radius * (math.pi - math.acos(c))


@kernel
def arc_elevation(x: Floats) -> float:
    """Elevation (rad, 0 to pi/2) with which an eci state's arc would leave the ground (a sphere, not turning)."""
    r = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    v2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    rv = x[0] * x[3] + x[1] * x[4] + x[2] * x[5]
    radius = 6371008.8
    speed2 = v2 + 2.0 * MU * (1.0 / radius - 1.0 / r)
    return math.acos(min(math.sqrt(max(r * r * v2 - rv * rv, 0.0) / max(speed2, 1.0)) / radius, 1.0))


@kernel
def arc_to(x: Floats, height: float, falling: bool, out: Floats) -> bool:
    """Where the Kepler arc of an eci state falls through ``height`` (m), or where it rose through it (``falling``
    False).

    ``out``: seconds from the state (negative when rising, or when it has fallen through already), position and
    velocity eci there. False if the arc never does, or has yet to rise through.
    """
    rx, ry, rz, vx, vy, vz = x[0], x[1], x[2], x[3], x[4], x[5]
    r = math.sqrt(rx * rx + ry * ry + rz * rz)
    v2 = vx * vx + vy * vy + vz * vz
    rv = rx * vx + ry * vy + rz * vz
    hx, hy, hz = ry * vz - rz * vy, rz * vx - rx * vz, rx * vy - ry * vx
    h2 = hx * hx + hy * hy + hz * hz
    p = h2 / MU
    c1 = v2 / MU - 1.0 / r
    c2 = rv / MU
    ex, ey, ez = c1 * rx - c2 * vx, c1 * ry - c2 * vy, c1 * rz - c2 * vz
    e = math.sqrt(ex * ex + ey * ey + ez * ez)
    if not (1e-7 < e < 0.99999 and h2 > 1e10):  # also what is not a number
        return False
    ex, ey, ez = ex / e, ey / e, ez / e
    h = math.sqrt(h2)
    qx, qy, qz = (hy * ez - hz * ey) / h, (hz * ex - hx * ez) / h, (hx * ey - hy * ex) / h
    axis = p / (1.0 - e * e)
    f0 = math.atan2(rx * qx + ry * qy + rz * qz, rx * ex + ry * ey + rz * ez)
    sine = rz / r
    f = 0.0
    ux, uy, uz = 0.0, 0.0, 0.0
    for _ in range(6):
        target = surface_radius(sine) + height
        c = (p / target - 1.0) / e
        if c > 1.0 or c < -1.0:
            return False
        f = math.acos(c)
        if falling:
            f = -f
        cf, sf = math.cos(f), math.sin(f)
        ux, uy, uz = cf * ex + sf * qx, cf * ey + sf * qy, cf * ez + sf * qz
        if abs(uz - sine) < 1e-12:
            break
        sine = uz
    k = math.sqrt((1.0 - e) / (1.0 + e))
    e0 = 2.0 * math.atan(k * math.tan(0.5 * f0))
    e1 = 2.0 * math.atan(k * math.tan(0.5 * f))
    # mean anomalies from perigee, which lies under the ground: no flight goes through it
    m0 = (e0 - e * math.sin(e0)) % (2.0 * math.pi)
    m = (e1 - e * math.sin(e1)) % (2.0 * math.pi) - m0
    if not falling and m > 0.0:
        return False
    out[0] = m * math.sqrt(axis * axis * axis / MU)
    cf, sf = math.cos(f), math.sin(f)
    target = p / (1.0 + e * cf)
    speed = math.sqrt(MU / p)
    out[1], out[2], out[3] = target * ux, target * uy, target * uz
    out[4] = speed * (-sf * ex + (e + cf) * qx)
    out[5] = speed * (-sf * ey + (e + cf) * qy)
    out[6] = speed * (-sf * ez + (e + cf) * qz)
    return True


@kernel
def _ground(x: Floats, theta: float) -> tuple[float, float]:
    """Geodetic latitude and longitude (rad) of an eci position on (or near) the ellipsoid."""
    lat = math.atan2(x[2], math.hypot(x[0], x[1]) * (1.0 - E2))
    lon = (math.atan2(x[1], x[0]) - theta + math.pi) % (2.0 * math.pi) - math.pi
    return lat, lon


@kernel
def _arc_impacts(x: Floats, t: Floats, theta0: float, hit: NDArray[np.bool_], out: Floats) -> None:
    """Impact latitude, longitude, time and ``best_range``, ``arc_range``, ``arc_elevation`` of each row's arc into
    ``out`` (n, 6).
    """
    end = np.empty(7)
    for i in range(x.shape[0]):
        hit[i] = arc_to(x[i], 0.0, True, end)
        out[i, 3] = best_range(x[i])
        out[i, 4] = arc_range(x[i])
        out[i, 5] = arc_elevation(x[i])
        if hit[i]:
            out[i, 2] = t[i] + end[0]
            out[i, 0], out[i, 1] = _ground(end[1:4], theta0 + OMEGA_GMST * out[i, 2])
        else:
            out[i, 0], out[i, 1], out[i, 2] = 0.0, 0.0, t[i]


def arc_impacts(x: Floats, t: Floats, theta0: float) -> tuple[NDArray[np.bool_], Floats]:
    """``hit (n,)`` and ``(n, 6)``: latitude, longitude (rad), time (s), best range, range (m), elevation (rad) of the
    bare arcs of eci states at ``t``.
    """
    hit = np.zeros(len(x), dtype=np.bool_)
    out = np.empty((len(x), 6))
    _arc_impacts(np.ascontiguousarray(x), np.ascontiguousarray(t, float), theta0, hit, out)
    return hit, out


@kernel
def _falls(x: Floats, t: Floats, theta0: float, beta: Floats, out: Floats) -> None:
    for i in range(x.shape[0]):
        fall(x[i], t[i], theta0, beta[i], out[i])


def falls(x: Floats, t: Floats, theta0: float, beta: Floats) -> Floats:
    """``(n, 7)``: hit, time, latitude, longitude, apogee height, its time, speed at impact, with J2 and drag, of eci
    states.
    """
    out = np.zeros((len(x), 7))
    _falls(np.ascontiguousarray(x), np.ascontiguousarray(t, float), theta0, np.ascontiguousarray(beta, float), out)
    return out


@cache
def standard_normals(rows: int, columns: int, name: str) -> Floats:
    """A fixed table of standard normal draws, the same in every run, its mean made nought and its covariance the unit
    matrix.

    Raises ValueError unless there are more rows than twice the columns.
    """
    if rows <= 2 * columns:
        raise ValueError(f"{rows} rows are too few for {columns} columns")
    half = normals(stream_key(0, name, "estimates"), 0, 0, (rows // 2) * columns).reshape(-1, columns)
    z = np.vstack([half, -half])
    if len(z) < rows:
        z = np.vstack([z, np.zeros((1, columns))])
    return np.asarray(np.linalg.solve(np.linalg.cholesky(z.T @ z / rows), z.T).T)


@cache
def spread_normals(rows: int, columns: int) -> Floats:
    """``(rows, columns)`` normal quantiles of an additive recurrence (Roberts' R sequence): evenly spread, no random
    numbers.
    """
    g = 1.5
    for _ in range(60):
        g = (1.0 + g) ** (1.0 / (columns + 1))
    u = (0.5 + np.arange(1, rows + 1)[:, None] * (1.0 / g) ** np.arange(1, columns + 1)[None, :]) % 1.0
    return np.array([[normal_quantile(v) for v in row] for row in u])


def _square_root(P: Floats) -> Floats:
    """A square root of a covariance that forgives small negative eigenvalues."""
    scale = np.sqrt(np.maximum(np.diag(P), 1e-12))
    values, vectors = np.linalg.eigh(P / np.outer(scale, scale))
    return np.asarray(scale[:, None] * vectors * np.sqrt(np.maximum(values, 1e-12)))


def draw_states(x: Floats, P: Floats, theta0: float, t: float, rows: int = SAMPLES) -> tuple[Floats, Floats]:
    """``(rows, 6)`` states of a normal distribution and their weights (sum 1), dense also in the tails of the impact
    point.

    The square root of P is turned so that its first two columns are what moves the impact point; in these half of the
    rows are drawn twice as wide and weighted back (balance heuristic), so that shares of 0.1 % and less are still
    many rows.
    """
    root = _square_root(P)
    hit, at = arc_impacts((x + 0.3 * np.vstack([np.zeros(6), root.T, -root.T])), np.full(13, t), theta0)
    if hit.all():
        xy = to_plane((at[0, 0], at[0, 1]), at[:, 0], at[:, 1])
        gradient = (xy[1:7] - xy[7:13]).T
        root = root @ np.linalg.svd(gradient)[2].T
    z = spread_normals(rows, 6).copy()
    wide = np.arange(rows) % 2 == 1
    z[wide, :2] *= _STRETCH
    r2 = z[:, 0] ** 2 + z[:, 1] ** 2
    narrow_density = np.exp(-0.5 * r2)
    wide_density = np.exp(-0.5 * r2 / _STRETCH**2) / _STRETCH**2
    w = narrow_density / (0.5 * narrow_density + 0.5 * wide_density)
    # row by row, so that no row's bits depend on the number of rows
    states = x + np.sum(z[:, None, :] * root[None, :, :], axis=2)
    return states, w / w.sum()


def _coefficients(drag: Sequence[tuple[float, Spread]], rows: int) -> Floats:
    """Ballistic coefficients (kg/m2) of rows: kinds by their shares, each with its spread, evenly mixed over the
    rows.
    """
    kinds = np.searchsorted(np.cumsum([share for share, _ in drag]), (np.arange(rows) * 0.6180339887498949 + 0.5) % 1.0)
    kinds = np.minimum(kinds, len(drag) - 1)
    nominal = np.array([max(b.nominal, 1.0) for _, b in drag])[kinds]
    spread = np.array([b.spread for _, b in drag])[kinds]
    return np.asarray(np.maximum(nominal + spread * spread_normals(rows, 7)[:, 6], 0.2 * nominal), dtype=np.float64)


def coast_cloud(x: Floats, P: Floats, t: float, theta0: float, drag: Sequence[tuple[float, Spread]]) -> Cloud:
    """Impact points of an object that coasts with eci state ``x`` (m, m/s) and covariance ``P`` at ``t`` (s).

    ``drag``: shares (sum 1) and ballistic coefficients on re-entry (kg/m2) of what it may be.
    """
    states, w = draw_states(x, P, theta0, t)
    hit, at = arc_impacts(states, np.full(len(states), t), theta0)
    lat, lon, when = at[:, 0].copy(), at[:, 1].copy(), at[:, 2].copy()
    if hit.any():
        # what J2 and drag do to the mean, with as much drag as it may have
        mean = x if arc_impacts(x[None, :], np.array([t]), theta0)[0][0] else states[hit][0]
        bare = arc_impacts(mean[None, :], np.array([t]), theta0)[1][0]
        inverse = 1.0 / _coefficients(drag, len(states))
        grid = np.linspace(float(inverse.min()), float(inverse.max()), _BETAS)
        full = falls(np.tile(mean, (_BETAS, 1)), np.full(_BETAS, t), theta0, 1.0 / grid)
        if (full[:, 0] > 0.5).all():
            centre = (float(bare[0]), float(bare[1]))
            move = to_plane(centre, full[:, 2], full[:, 3])
            xy = to_plane(centre, lat, lon)
            xy[:, 0] += np.interp(inverse, grid, move[:, 0])
            xy[:, 1] += np.interp(inverse, grid, move[:, 1])
            lat, lon = from_plane(centre, xy)
            when = when + np.interp(inverse, grid, full[:, 1] - bare[2])
    whole = 1.0 / float(w @ w)
    return Cloud(lat, lon, when, w, hit, states, np.full(len(states), t), whole, at[:, 3], at[:, 4], at[:, 5])


@kernel
def _course(x: Floats, theta: float) -> tuple[float, float, float]:
    """Latitude, longitude under an eci state, and the azimuth of its motion over the turning ground (rad)."""
    lat, lon, _ = geodetic_of(x[0], x[1], x[2])
    lon -= theta
    vx, vy, vz = x[3] + OMEGA_GMST * x[1], x[4] - OMEGA_GMST * x[0], x[5]
    s, c = math.sin(lon + theta), math.cos(lon + theta)
    east = -s * vx + c * vy
    north = -math.sin(lat) * (c * vx + s * vy) + math.cos(lat) * vz
    return lat, lon, math.atan2(east, north)


@kernel
def _rises(x: Floats, t: float, theta0: float, height: Floats, ok: NDArray[np.bool_], out: Floats) -> None:
    """Time, latitude, longitude and the ground track's azimuth (Earth-fixed) where each row's arc rose through its
    height.
    """
    at = np.empty(7)
    for i in range(x.shape[0]):
        ok[i] = arc_to(x[i], height[i], False, at)
        if ok[i]:
            out[i, 0] = t + at[0]
            out[i, 1], out[i, 2], out[i, 3] = _course(at[1:], theta0 + OMEGA_GMST * out[i, 0])
        else:
            out[i, :] = 0.0


@kernel
def _back_along(lat: float, lon: float, azimuth: float, distance: float) -> tuple[float, float]:
    back_lat, back_lon, _ = direct(lat, lon, azimuth + math.pi, distance)
    return back_lat, back_lon


@kernel
def _backs(rise: Floats, downrange: Floats, out: Floats) -> None:
    for i in range(rise.shape[0]):
        out[i, 0], out[i, 1] = _back_along(rise[i, 1], rise[i, 2], rise[i, 3], downrange[i])


@dataclass(frozen=True)
class Origin:
    """Believed burnout numbers of one class: height, downrange (m) of the end of thrust, time from launch to it (s)."""

    height: Spread
    downrange: Spread
    burn: Spread


def launch_cloud(
    x: Floats, P: Floats, t: float, theta0: float, origin: Origin, rows: int = LAUNCH_ROWS
) -> tuple[Floats, Floats, Floats, Floats]:
    """Launch points of a coasting object by one class's burnout numbers: latitude, longitude (rad), launch and
    burnout time (s).

    The state is carried back to where it rose through the burnout height; the launch point lies the burnout's downrange
    behind it under its track, the launch time by the burn time before it. Rows whose arc never rose there are left
    out; for a state that still climbs under that height, thrust has just ended.
    """
    z = spread_normals(rows, 9)
    root = _square_root(P)
    states = x + np.sum(z[:, None, :6] * root[None, :, :], axis=2)
    height = np.maximum(origin.height.nominal + origin.height.spread * z[:, 6], 1e3)
    downrange = np.maximum(origin.downrange.nominal + origin.downrange.spread * z[:, 7], 0.0)
    burn = np.maximum(origin.burn.nominal + origin.burn.spread * z[:, 8], 1.0)
    # it coasts: thrust ended under where it is now
    now = ecef_to_geodetic(to_ecef(states[:, :3], theta0 + OMEGA_GMST * t))[:, 2]
    height = np.where(np.sum(states[:, :3] * states[:, 3:], axis=1) > 0.0, np.minimum(height, now - 1.0), height)
    ok = np.zeros(rows, dtype=np.bool_)
    rise = np.zeros((rows, 4))
    _rises(states, t, theta0, height, ok, rise)
    if not ok.any():
        empty = np.empty(0)
        return empty, empty, empty, empty
    rise, downrange, burn = rise[ok], downrange[ok], burn[ok]
    full = np.zeros(8)
    usual = float(np.median(height[ok]))
    nominal = np.zeros(4)[None, :]
    ok1 = np.zeros(1, dtype=np.bool_)
    _rises(x[None, :], t, theta0, np.array([usual]), ok1, nominal)
    back_to_height(np.ascontiguousarray(x), t, theta0, usual, full)
    if ok1[0] and full[0] > 0.5:
        la, lo, azimuth = _course(full[2:], theta0 + OMEGA_GMST * full[1])
        centre = (float(nominal[0, 1]), float(nominal[0, 2]))
        move = to_plane(centre, np.array([la]), np.array([lo]))[0]
        rise[:, 1], rise[:, 2] = from_plane(centre, to_plane(centre, rise[:, 1], rise[:, 2]) + move)
        rise[:, 3] += azimuth - nominal[0, 3]
        rise[:, 0] += full[1] - nominal[0, 0]
    at = np.zeros((len(rise), 2))
    _backs(np.ascontiguousarray(rise), downrange, at)
    return at[:, 0], at[:, 1], rise[:, 0] - burn, rise[:, 0]


@kernel
def _tracks(x: Floats, t: Floats, end: Floats, theta0: float, out: Floats) -> None:
    """Ground points of Kepler arcs at even steps of true anomaly between two states' times, into ``out`` (n, k, 3)."""
    k = out.shape[1]
    for i in range(x.shape[0]):
        rx, ry, rz, vx, vy, vz = x[i, 0], x[i, 1], x[i, 2], x[i, 3], x[i, 4], x[i, 5]
        r = math.sqrt(rx * rx + ry * ry + rz * rz)
        rv = rx * vx + ry * vy + rz * vz
        hx, hy, hz = ry * vz - rz * vy, rz * vx - rx * vz, rx * vy - ry * vx
        h = math.sqrt(hx * hx + hy * hy + hz * hz)
        p = h * h / MU
        c1 = (vx * vx + vy * vy + vz * vz) / MU - 1.0 / r
        c2 = rv / MU
        ex, ey, ez = c1 * rx - c2 * vx, c1 * ry - c2 * vy, c1 * rz - c2 * vz
        e = math.sqrt(ex * ex + ey * ey + ez * ez)
        ex, ey, ez = ex / e, ey / e, ez / e
        qx, qy, qz = (hy * ez - hz * ey) / h, (hz * ex - hx * ez) / h, (hx * ey - hy * ex) / h
        axis = p / (1.0 - e * e)
        rate = math.sqrt(MU / (axis * axis * axis))
        s = math.sqrt((1.0 - e) / (1.0 + e))
        f0 = math.atan2(rx * qx + ry * qy + rz * qz, rx * ex + ry * ey + rz * ez)
        f0 = f0 % (2.0 * math.pi)
        m0 = 2.0 * math.atan2(s * math.sin(0.5 * f0), math.cos(0.5 * f0))
        m0 = m0 - e * math.sin(m0)
        sx, sy, sz = end[i, 1], end[i, 2], end[i, 3]
        f1 = math.atan2(sx * qx + sy * qy + sz * qz, sx * ex + sy * ey + sz * ez) % (2.0 * math.pi)
        if f1 < f0:
            f1 += 2.0 * math.pi
        for j in range(k):
            f = f0 + (f1 - f0) * j / (k - 1)
            cf, sf = math.cos(f), math.sin(f)
            ecc = 2.0 * math.atan2(s * math.sin(0.5 * f), math.cos(0.5 * f))
            m = ecc - e * math.sin(ecc)
            dt = (m - m0) / rate
            if dt < -1.0:
                dt += 2.0 * math.pi / rate
            x0, x1, x2 = cf * ex + sf * qx, cf * ey + sf * qy, cf * ez + sf * qz
            when = t[i] + dt
            out[i, j, 0] = math.atan2(x2, math.hypot(x0, x1) * (1.0 - E2))
            out[i, j, 1] = (math.atan2(x1, x0) - theta0 - OMEGA_GMST * when + math.pi) % (2.0 * math.pi) - math.pi
            out[i, j, 2] = when


@kernel
def _ends(x: Floats, from_rise: bool, start: Floats, t: Floats, stop: Floats) -> None:
    """Impact of each row's arc into ``stop``; with ``from_rise`` each start is carried back to 30 km on the way up."""
    at = np.empty(7)
    for i in range(x.shape[0]):
        arc_to(x[i], 0.0, True, stop[i])
        start[i, :] = x[i]
        if from_rise and arc_to(x[i], 30e3, False, at):
            start[i, :] = at[1:7]
            t[i] += at[0]


def ground_tracks(
    cloud: Cloud, rows: NDArray[np.int64], theta0: float, points: int = 64, *, whole: bool = True
) -> Floats:
    """``(len(rows), points, 3)``: latitude, longitude (rad), time (s) under the arcs of some rows of a cloud that
    come down.

    ``whole``: from where they rose through 30 km, else from the state on. Bare arcs: without the last kilometres by
    drag.
    """
    x = np.ascontiguousarray(cloud.x[rows])
    t = cloud.t_x[rows].copy()
    start = np.empty_like(x)
    stop = np.zeros((len(x), 7))
    _ends(x, whole, start, t, stop)
    out = np.empty((len(x), points, 3))
    _tracks(start, t, stop, theta0, out)
    return out


def shift_in_range(
    lat: Floats, lon: Floats, origin: tuple[float, float], at: Floats, by: Floats, turn: Floats
) -> tuple[Floats, Floats]:
    """Move points by what is interpolated over their distance from ``origin``: ``by`` (m) outwards, ``turn`` (rad)
    clockwise.
    """
    ra = polar(origin, lat, lon)
    ra[:, 1] += np.interp(ra[:, 0], at, turn)
    ra[:, 0] += np.interp(ra[:, 0], at, by)
    return geodetic(origin, ra)


def reenters(x: Floats, height: float) -> bool:
    """Whether an eci state sinks under ``height`` (m)."""
    return bool(x[:3] @ x[3:] < 0.0 and ecef_to_geodetic(x[:3])[2] < height)  # turning does not change the height


def centre_of(cloud: Cloud) -> tuple[float, float]:
    """Mean of the points of a cloud."""
    return middle(cloud.lat[cloud.hit], cloud.lon[cloud.hit], cloud.weight[cloud.hit])
