"""A burning object: which launches of a class explain the looks at it, and where each of them may come down.

The unknowns are where and when it passes a height near the looks (and so the launch point and time), the final
direction of thrust (its tilt from the vertical as an east-north vector, which has no pole where a flight goes
straight up and so is near to normal even when the azimuth is not known at all) and the class's own numbers with their
believed spreads. The most probable values come from damped Gauss-Newton steps, their spread from the curvature there
(Laplace); draws of that normal distribution are then weighted by the exact posterior, so that the launch and impact
clouds are right also where the problem is curved. What is still to burn is unknown: the cut-off is uniform in energy
(as the range that it would give at best) over the class's energy range, as far as the object was still seen burning,
and no longer once it was not.

Source of the method: Gelman et al., Bayesian Data Analysis (3rd ed., 2013), sections 4.1, 10.4 and 13.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to, free_acceleration
from tocsin.dynamics.thrust import fly_boost
from tocsin.earth.frames import OMEGA_GMST, ecef_from_eci, eci_from_ecef, to_ecef
from tocsin.earth.jit import kernel
from tocsin.earth.random import normal_quantile
from tocsin.earth.wgs84 import R_MEAN, ecef_of, ecef_to_geodetic, enu_axes, geodetic_of
from tocsin.records.columns import Kind
from tocsin.scenario.specs import FlightClass
from tocsin.tracking.measure import Looks, h, move_platform, sight, wrap_residual
from tocsin.warning.coasting import (
    Cloud,
    arc_impacts,
    arc_range,
    best_range,
    falls,
    shift_in_range,
    standard_normals,
    surface_radius,
)
from tocsin.warning.regions import polar

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SITE = 10e3  # m: one unit of east and north
CLOCK = 10.0  # s: one unit of time
TILT = math.radians(30.0)  # one unit of the final tilt, which is believed to lie within it in each direction
# share of flights that are near the tilt their class wants; of the others nothing is believed
_USUAL = 0.7
_NEAR = math.radians(12.0)  # how near their tilt is to the best one
_SITE_PRIOR = 50.0  # units: 500 km, no more than a word
_CLOCK_PRIOR = 30.0
_SCALE = 0.15  # believed spread of the thrust scale of classes whose energy is turned by payload
_STEP = 5.0  # s, of the flight's integration: errors of ten metres at its end
_NODES = 512
_LOW = 6.35e6  # m from the centre: under the ground everywhere
_ROOM, _UNSURE = 1.8, 0.35  # draws are so much wider in the tilt where it is known no better than this (units)
_WIDER = 1.15  # draws are this much wider than Laplace's normal
_CROOKED = 2.5  # draws are made anew where they are worth less than one in so many
CUTOFFS = 8
_LOS, _XY = Kind.LOS, Kind.XY


@dataclass(frozen=True)
class Model:
    """A believed class as arrays.

    ``nominal``, ``spread`` (4 + 4 k): vertical, pitch (s), log beta, log thrust scale, then thrust, exhaust, burn,
    coast of each stage; ``active``: which of them a fit turns; ``last``: index of the last stage's burn; ``cutoff``:
    whether thrust may end early; ``energy_range`` (m); ``best_tilt``: the tilt (rad) that reaches farthest for the
    energy, 0 where nothing says that flights of the class want that.
    """

    id: str
    nominal: Floats
    spread: Floats
    active: Ints
    last: int
    cutoff: bool
    energy_range: tuple[float, float]
    best_tilt: float = 0.0

    @property
    def burn(self) -> float:
        """Nominal time from launch to the end of thrust (s)."""
        return float(self.nominal[6::4].sum() + self.nominal[7::4][:-1].sum())

    @property
    def burn_spread(self) -> float:
        """Standard deviation of ``burn`` (s)."""
        return math.sqrt(float((self.spread[6::4] ** 2).sum() + (self.spread[7::4][:-1] ** 2).sum()))


def model_of(c: FlightClass) -> Model:
    """The arrays of a believed class."""
    nominal = [c.vertical.nominal, c.pitch.nominal, math.log(max(c.beta_boost.nominal, 1.0)), 0.0]
    spread = [
        c.vertical.spread,
        c.pitch.spread,
        c.beta_boost.spread / max(c.beta_boost.nominal, 1.0),
        0.0 if c.energy == "cutoff" else _SCALE,
    ]
    for stage in c.stages:
        parts = (stage.thrust, stage.exhaust, stage.burn, stage.coast)
        nominal += [part.nominal for part in parts]
        spread += [part.spread for part in parts]
    last = len(nominal) - 2
    active = [i for i, s in enumerate(spread) if s > 0.0 and i < last]
    model = Model(
        c.id,
        np.array(nominal),
        np.array(spread),
        np.array(active, dtype=np.int64),
        last,
        c.energy == "cutoff",
        c.energy_range,
    )
    return model if c.family == "sounding-rocket" else replace(model, best_tilt=_best_tilt(model))


def _best_tilt(model: Model) -> float:
    """The final tilt (rad) with which the class's nominal flight makes the most range of its energies."""
    place = np.array([0.0, 0.0, 0.0, 1e3, 30.0])
    theta = np.zeros(5 + len(model.active))
    best, found = 0.0, 0.0
    for degrees in range(6, 76, 3):
        theta[4] = math.radians(degrees) / TILT
        nodes = _flight(model, theta, place, 0.0)
        reach = np.array([arc_range(x) for x in nodes[:, 1:]])
        energy = np.array([best_range(x) for x in nodes[:, 1:]])
        inside = (energy >= model.energy_range[0]) & (energy <= model.energy_range[1])
        if inside.any():
            share = float((reach[inside] / energy[inside]).mean())
            if share > best:
                best, found = share, math.radians(degrees)
    return found


@kernel
def _aim(
    theta: Floats,
    active: Ints,
    nominal: Floats,
    spread: Floats,
    place: Floats,
    theta0: float,
    until: float,
    stages: Floats,
    plan: Floats,
    way: Floats,
    out: Floats,
) -> int:
    """Fly what one parameter vector stands for from the reference point at the reference time; returns rows of ``out``.

    ``theta``: where (east, north of the reference point) and when the flight passes the reference height, the final
    tilt of thrust (east, north), then the active numbers of the class in their spreads. What looks tell is a place and
    a time high up, so that these are hardly bound to the rest; the launch point and time follow, by the way that such a
    flight takes to that height from the reference point (a shift: the volume of what is possible stays the same), see
    ``_shift``.
    ``place``: latitude, longitude, time (s), height (m) of the reference point, longest time to that height (s);
    ``until``: time (s) that the flight must reach after the shift, unless thrust ends before.
    Written: ``stages`` as ``fly_boost`` has them, the last burning longer than believed, for the time being; ``plan``:
    vertical, pitch (s), beta, elevation, azimuth; ``way``: Earth-fixed way to the reference height (m), time it took.
    """
    q = nominal.copy()
    for j in range(active.shape[0]):
        q[active[j]] += spread[active[j]] * theta[5 + j]
    k = (q.shape[0] - 4) // 4
    scale = math.exp(q[3])
    ignition = 0.0
    end = 0.0
    for i in range(k):
        thrust = max(q[4 + 4 * i] * scale, 1.0)
        exhaust = max(q[5 + 4 * i], 500.0)
        burn = max(q[6 + 4 * i], 1.0)
        if i == k - 1:
            burn = burn * 1.15 + 5.0
        burn = min(burn, 0.95 * exhaust / thrust)  # mass cannot run out
        stages[i, 0], stages[i, 1], stages[i, 2], stages[i, 3] = ignition, burn, thrust, exhaust
        end = ignition + burn
        ignition = end + max(q[7 + 4 * i], 0.0)
    tilt = math.hypot(theta[3], theta[4]) * TILT
    azimuth = math.atan2(theta[3], theta[4])
    elevation = 0.5 * math.pi - min(tilt, 1.55)
    vertical, pitch, beta = max(q[0], 0.1), max(q[1], 0.1), math.exp(q[2])
    plan[0], plan[1], plan[2], plan[3], plan[4] = vertical, pitch, beta, elevation, azimuth
    lat, lon, t_launch = place[0], place[1], place[2]
    stop = min(end, place[4] + max(until - t_launch - theta[2] * CLOCK, 0.0))
    rows = fly_boost(
        stages, vertical, pitch, beta, elevation, azimuth, max(stop, 1.0), lat, lon, 0.0, t_launch, theta0, _STEP, out
    )
    # the way to the reference height, from the nodes before and after it (or the last two, drawn out); the height over
    # the ellipsoid along the radius, which is near enough to find them
    x, y, z = ecef_of(lat, lon, 0.0)
    high = 1
    while high < rows - 1:
        r = math.sqrt(out[high, 1] ** 2 + out[high, 2] ** 2 + out[high, 3] ** 2)
        if r - surface_radius(out[high, 3] / r) >= place[3]:
            break
        high += 1
    fixed = np.empty(6)
    ecef_from_eci(out[high, 1:7], theta0 + OMEGA_GMST * out[high, 0], fixed)
    _, _, upper = geodetic_of(fixed[0], fixed[1], fixed[2])
    way[0], way[1], way[2] = fixed[0] - x, fixed[1] - y, fixed[2] - z
    ecef_from_eci(out[high - 1, 1:7], theta0 + OMEGA_GMST * out[high - 1, 0], fixed)
    _, _, lower = geodetic_of(fixed[0], fixed[1], fixed[2])
    s = (place[3] - lower) / max(upper - lower, 1.0)
    before = (fixed[0] - x, fixed[1] - y, fixed[2] - z)
    for j in range(3):
        way[j] = before[j] + s * (way[j] - before[j])
    way[3] = out[high - 1, 0] + s * (out[high, 0] - out[high - 1, 0]) - t_launch
    return rows


@kernel
def _shift(
    theta: Floats, place: Floats, theta0: float, ignition: float, way: Floats, nodes: Floats, rows: int,
    launch: Floats, out: Floats,
) -> None:  # fmt: skip
    """Move the flight that ``_aim`` has flown to where and when ``theta`` says that it passes the reference height.

    The same flight rises from the launch point that follows: what it does against a point that goes on with the
    launch point's speed is turned with the local axes, and falls by how gravity at the two launch points differs in
    them. That is exact in longitude and time; in latitude it leaves out some metres in 150 s for 50 km, less than the
    integration's error.
    Written: ``launch``: latitude, longitude (rad), time, ignition of the last stage (s); ``out``: rows as ``nodes``.
    """
    lat, lon = place[0], place[1]
    axes = enu_axes(lat, lon)
    x, y, z = ecef_of(lat, lon, 0.0)
    e = theta[0] * SITE - (axes[0, 0] * way[0] + axes[0, 1] * way[1] + axes[0, 2] * way[2])
    n = theta[1] * SITE - (axes[1, 0] * way[0] + axes[1, 1] * way[1] + axes[1, 2] * way[2])
    x += axes[0, 0] * e + axes[1, 0] * n
    y += axes[0, 1] * e + axes[1, 1] * n
    z += axes[0, 2] * e + axes[1, 2] * n
    lat1, lon1, _ = geodetic_of(x, y, z)
    t1 = place[2] + theta[2] * CLOCK - way[3]
    launch[0], launch[1], launch[2], launch[3] = lat1, lon1, t1, t1 + ignition
    angle0 = theta0 + OMEGA_GMST * place[2] + lon
    angle1 = theta0 + OMEGA_GMST * t1 + lon1
    a, b = enu_axes(lat, angle0), enu_axes(lat1, angle1)
    turn = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            turn[i, j] = b[0, i] * a[0, j] + b[1, i] * a[1, j] + b[2, i] * a[2, j]
    s0, s1, s2 = ecef_of(lat, angle0, 0.0)
    d0, d1, d2 = ecef_of(lat1, angle1, 0.0)
    u0, u1 = -OMEGA_GMST * s1, OMEGA_GMST * s0
    w0, w1 = -OMEGA_GMST * d1, OMEGA_GMST * d0
    g0, g1, g2 = free_acceleration(s0, s1, s2, 0.0, 0.0, 0.0, 0.0)
    f0, f1, f2 = free_acceleration(d0, d1, d2, 0.0, 0.0, 0.0, 0.0)
    f0 -= turn[0, 0] * g0 + turn[0, 1] * g1 + turn[0, 2] * g2
    f1 -= turn[1, 0] * g0 + turn[1, 1] * g1 + turn[1, 2] * g2
    f2 -= turn[2, 0] * g0 + turn[2, 1] * g1 + turn[2, 2] * g2
    for r in range(rows):
        tau = nodes[r, 0] - place[2]
        half = 0.5 * tau * tau
        p0, p1, p2 = nodes[r, 1] - s0 - u0 * tau, nodes[r, 2] - s1 - u1 * tau, nodes[r, 3] - s2
        v0, v1, v2 = nodes[r, 4] - u0, nodes[r, 5] - u1, nodes[r, 6]
        out[r, 0] = t1 + tau
        out[r, 1] = d0 + w0 * tau + half * f0 + turn[0, 0] * p0 + turn[0, 1] * p1 + turn[0, 2] * p2
        out[r, 2] = d1 + w1 * tau + half * f1 + turn[1, 0] * p0 + turn[1, 1] * p1 + turn[1, 2] * p2
        out[r, 3] = d2 + half * f2 + turn[2, 0] * p0 + turn[2, 1] * p1 + turn[2, 2] * p2
        out[r, 4] = w0 + tau * f0 + turn[0, 0] * v0 + turn[0, 1] * v1 + turn[0, 2] * v2
        out[r, 5] = w1 + tau * f1 + turn[1, 0] * v0 + turn[1, 1] * v1 + turn[1, 2] * v2
        out[r, 6] = tau * f2 + turn[2, 0] * v0 + turn[2, 1] * v1 + turn[2, 2] * v2


def _flight(model: Model, theta: Floats, place: Floats, theta0: float, until: float = math.inf) -> Floats:
    """Nodes (time, state) of one parameter vector's flight, the last burn as long as may be."""
    nodes, out, stages = np.empty((_NODES, 7)), np.empty((_NODES, 7)), np.empty(((len(model.nominal) - 4) // 4, 4))
    plan, way, launch = np.empty(5), np.empty(4), np.empty(4)
    rows = _aim(theta, model.active, model.nominal, model.spread, place, theta0, until, stages, plan, way, nodes)
    _shift(theta, place, theta0, float(stages[-1, 0]), way, nodes, rows, launch, out)
    return out[:rows]


@kernel
def _at(nodes: Floats, rows: int, t: float, launch: Floats, theta0: float, out: Floats) -> None:
    """State (6) at ``t`` between the nodes of a flight; standing on the ground before it, coasting after it."""
    if t <= nodes[0, 0] or rows < 2:
        ground = np.zeros(6)
        ground[0], ground[1], ground[2] = ecef_of(launch[0], launch[1], 0.0)
        eci_from_ecef(ground, theta0 + OMEGA_GMST * t, out)
        return
    last = nodes[rows - 1]
    if t > last[0]:
        after = t - last[0]
        r2 = last[1] * last[1] + last[2] * last[2] + last[3] * last[3]
        if after < 300.0 and r2 > _LOW * _LOW:
            coast_to(last[1:7], last[0], t, theta0, 0.0, out)
        else:  # a draw far from anything that was seen: where exactly does not matter
            for i in range(3):
                out[i], out[3 + i] = last[1 + i] + after * last[4 + i], last[4 + i]
        return
    low, high = 0, rows - 1
    while high - low > 1:
        mid = (low + high) // 2
        if nodes[mid, 0] <= t:
            low = mid
        else:
            high = mid
    _between(nodes[low], nodes[high], t, out)


@kernel
def _between(a: Floats, b: Floats, t: float, out: Floats) -> None:
    """Cubic Hermite between two nodes (t, x6)."""
    dt = b[0] - a[0]
    s = (t - a[0]) / dt
    s2, s3 = s * s, s * s * s
    for i in range(3):
        out[i] = (
            (2.0 * s3 - 3.0 * s2 + 1.0) * a[1 + i]
            + (s3 - 2.0 * s2 + s) * dt * a[4 + i]
            + (3.0 * s2 - 2.0 * s3) * b[1 + i]
            + (s3 - s2) * dt * b[4 + i]
        )
        out[3 + i] = (
            (6.0 * s2 - 6.0 * s) / dt * (a[1 + i] - b[1 + i])
            + (3.0 * s2 - 4.0 * s + 1.0) * a[4 + i]
            + (3.0 * s2 - 2.0 * s) * b[4 + i]
        )


@kernel
def _states(
    theta: Floats,
    active: Ints,
    nominal: Floats,
    spread: Floats,
    t: Floats,
    until: float,
    place: Floats,
    theta0: float,
    S: Floats,
    D: Floats,
) -> None:
    """States ``S`` (m, 6) at times ``t`` and, unless ``D`` has no columns, their derivatives (m, 6, d) by
    differences.
    """
    flown, nodes = np.empty((_NODES, 7)), np.empty((_NODES, 7))
    launch, plan, way, other_way = np.empty(4), np.empty(5), np.empty(4), np.empty(4)
    stages = np.empty(((nominal.shape[0] - 4) // 4, 4))
    last = stages.shape[0] - 1
    x = np.empty(6)
    m = t.shape[0]
    rows = _aim(theta, active, nominal, spread, place, theta0, until, stages, plan, way, flown)
    _shift(theta, place, theta0, stages[last, 0], way, flown, rows, launch, nodes)
    for i in range(m):
        _at(nodes, rows, t[i], launch, theta0, S[i])
    if D.shape[2] == 0:
        return
    step = 0.01
    other = theta.copy()
    for j in range(theta.shape[0]):
        other[j] = theta[j] + step
        if j < 3:  # the same flight elsewhere
            _shift(other, place, theta0, stages[last, 0], way, flown, rows, launch, nodes)
            count = rows
        else:
            count = _aim(other, active, nominal, spread, place, theta0, until, stages, plan, other_way, nodes)
            _shift(other, place, theta0, stages[last, 0], other_way, nodes, count, launch, nodes)
        for i in range(m):
            _at(nodes, count, t[i], launch, theta0, x)
            for k in range(6):
                D[i, k, j] = (x[k] - S[i, k]) / step
        other[j] = theta[j]


@kernel
def _normal_equations(
    theta: Floats,
    active: Ints,
    nominal: Floats,
    spread: Floats,
    until: float,
    place: Floats,
    theta0: float,
    t: Floats,
    dt: Floats,
    kind: Ints,
    region: Ints,
    platform: Floats,
    attitude: Floats,
    z: Floats,
    W: Floats,
    used: Ints,
    A: Floats,
    g: Floats,
) -> float:
    """Sum of the squared whitened residuals of looks; unless ``A`` is empty, ``J' J`` (d, d) and ``J' r`` (d) too."""
    m, d = t.shape[0], A.shape[0]
    S, D = np.empty((m, 6)), np.empty((m, 6, d))
    _states(theta, active, nominal, spread, t, until, place, theta0, S, D)
    p, r, row, J = np.empty(4), np.empty(4), np.empty(6), np.empty(d)
    Hx, Hb, Ht, bias = np.empty((4, 6)), np.empty((4, 4)), np.empty(4), np.zeros(4)
    for a in range(d):
        g[a] = 0.0
        for b in range(d):
            A[a, b] = 0.0
    total = 0.0
    for i in range(m):
        h(kind[i], S[i], dt[i], region[i], platform[i], attitude[i], bias, p, Hx, Hb, Ht)
        for a in range(4):
            r[a] = z[i, a] - p[a]
        wrap_residual(kind[i], r)
        for a in range(used[i]):
            e = 0.0
            for c in range(6):
                row[c] = 0.0
            for b in range(a + 1):
                e += W[i, a, b] * r[b]
                for c in range(6):
                    row[c] += W[i, a, b] * Hx[b, c]
            total += e * e
            for j in range(d):
                J[j] = 0.0
                for c in range(6):
                    J[j] += row[c] * D[i, c, j]
            for j in range(d):
                g[j] += J[j] * e
                for k in range(j + 1):
                    A[j, k] += J[j] * J[k]
    for j in range(d):
        for k in range(j):
            A[k, j] = A[j, k]
    return total


@dataclass(frozen=True)
class Burn:
    """What is known of the end of thrust: burning until at least ``seen`` (s), and not any more when looked at, at
    ``gone``.
    """

    seen: float
    gone: float = math.inf


@dataclass(frozen=True)
class Fit:
    """The most probable launch of one class. ``theta``, ``cov``: in units (see ``_aim``); ``log_evidence``: Laplace's;

    ``chi2``, ``size``: weighted squares of the residuals and how many there are; ``t_launch``: s since the epoch.
    """

    model: Model
    place: Floats
    theta: Floats
    cov: Floats
    log_evidence: float
    chi2: float
    size: int
    t_launch: float


def whiteners(looks: Looks) -> Floats:
    """``(m, 4, 4)``: W with ``W' W = R^-1`` over the components in use, rows of noughts for the rest."""
    out = np.zeros((len(looks.kind), 4, 4))
    for i, k in enumerate(looks.rows):
        out[i, :k, :k] = np.linalg.inv(np.linalg.cholesky(looks.R[i, :k, :k]))
    return out


def smooth_noise(looks: Looks, sensor: NDArray[np.integer]) -> Looks:
    """Looks whose R is no better than the usual one of the same sensor and kind: reported sigmas follow a measured,
    noisy SNR.
    """
    noise = looks.R.copy()
    for number in np.unique(sensor):
        for kind in np.unique(looks.kind[sensor == number]):
            rows = np.flatnonzero((sensor == number) & (looks.kind == kind))
            for c in range(int(looks.rows[rows[0]])):
                variance = noise[rows, c, c]
                usual = float(np.median(variance))
                grown = np.sqrt(np.maximum(variance, 0.95 * usual) / np.maximum(variance, 1e-300))
                noise[rows, c, :] *= grown[:, None]
                noise[rows, :, c] *= grown[:, None]
    return Looks(
        looks.kind, looks.region, looks.t_s, looks.dt, looks.platform, looks.attitude, looks.z, noise, looks.rows
    )


def _prior(model: Model) -> Floats:
    return np.array([_SITE_PRIOR, _SITE_PRIOR, _CLOCK_PRIOR, 1.0, 1.0] + [1.0] * len(model.active))


def rough_path(looks: Looks, sensor: NDArray[np.integer], theta0: float) -> tuple[Floats, Floats, float]:
    """Rough Earth-fixed position (m) and velocity (m/s) at a time (s) from looks in time order, without any model of
    the flight.

    Ranges give points; a line of sight gives the point nearest to that of another sensor at about the same time, or,
    where there is none, where it passes through 20 km of height. The last point and the mean motion since the first
    are returned.
    """
    points, times = [], []
    rays = np.zeros((len(looks.kind), 6))
    for i, kind in enumerate(looks.kind):
        j = 1 if kind in (Kind.RAE, Kind.RAER) else 0
        if kind in (Kind.RAE, Kind.RAER, Kind.LOS):
            z = looks.z[i]
            sight(z[j], z[j + 1], looks.dt[i], looks.region[i], looks.platform[i], looks.attitude[i], rays[i])
    for i, kind in enumerate(looks.kind):
        p, u = rays[i, :3], rays[i, 3:]
        if kind in (Kind.RAE, Kind.RAER):
            point = p + looks.z[i, 0] * u
        elif kind == Kind.LOS:
            others = np.flatnonzero((sensor != sensor[i]) & (looks.kind == Kind.LOS))
            gap = np.abs(looks.t_s[others] - looks.t_s[i])
            along = _through_height(p, u, 20e3)
            if len(others) and gap.min() <= 15.0:
                q, v = rays[others[np.argmin(gap)], :3], rays[others[np.argmin(gap)], 3:]
                c = float(u @ v)
                if 1.0 - c * c > 1e-4:
                    along = float((q - p) @ (u - c * v)) / (1.0 - c * c)
            point = p + along * u
        else:
            continue
        points.append(to_ecef(point, theta0 + OMEGA_GMST * looks.t_s[i]))
        times.append(looks.t_s[i])
    if not points:
        raise ValueError("no look with a direction: nothing can be fitted")
    span = times[-1] - times[0]
    velocity = (points[-1] - points[0]) / span if span > 5.0 else np.zeros(3)
    return points[-1], velocity, float(times[-1])


def _through_height(p: Floats, u: Floats, height: float) -> float:
    """How far (m) along a ray the sphere of the mean Earth and ``height`` lies, or the ray's nearest point to it."""
    b = float(p @ u)
    under = b * b - float(p @ p) + (R_MEAN + height) ** 2
    return -b - math.sqrt(max(under, 0.0))


def start(
    model: Model, position: Floats, velocity: Floats, t: float, theta0: float, tilt: float | None = None
) -> tuple[Floats, Floats]:
    """A first guess from a rough Earth-fixed position (m) and velocity (m/s) at ``t`` (s): the place (see ``_aim``)
    and ``theta``.

    The place is the position, at that time: a flight of the class, tilted along the ground track (by ``tilt`` rad, or
    as the velocity says), passes there.
    """
    lat, lon, height = ecef_to_geodetic(position)
    axes = enu_axes(lat, lon)
    east, north, up = (float(axes[k] @ velocity) for k in range(3))
    azimuth = math.atan2(east, north)
    theta = np.zeros(5 + len(model.active))
    if tilt is None:
        tilt = min(0.8, math.atan2(math.hypot(east, north), max(up, 300.0)))
    theta[3], theta[4] = tilt / TILT * math.sin(azimuth), tilt / TILT * math.cos(azimuth)
    place = np.array([lat, lon, t, 1e3, 30.0])
    nodes = _flight(model, theta, place, theta0)
    flown = to_ecef(nodes[:, 1:], theta0 + OMEGA_GMST * nodes[:, 0])
    heights = ecef_to_geodetic(flown[:, :3])[:, 2]
    # no higher than the class gets while it burns
    place[3] = min(max(height, 1e3), 0.95 * float(heights.max()))
    reached = nodes[int(np.argmax(heights >= place[3])), 0] - nodes[0, 0]
    place[4] = 1.6 * reached + 10.0
    return place, theta


def fit(model: Model, looks: Looks, place: Floats, theta: Floats, theta0: float, iterations: int = 12) -> Fit | None:
    """The most probable launch of one class that explains ``looks`` (in time order); None if the numbers run away.

    Damped Gauss-Newton (Levenberg, Marquardt) on the looks' residuals and the priors together.
    """
    W = whiteners(looks)
    prior = _prior(model)
    until = float(looks.t_s.max()) + 1e-3
    d = len(theta)

    def ends(p: Floats, derive: bool) -> tuple[Floats, Floats, float]:
        A, g = np.empty((d if derive else 0,) * 2), np.empty(d if derive else 0)
        chi2 = _normal_equations(
            p, model.active, model.nominal, model.spread, until, place, theta0, looks.t_s, looks.dt, looks.kind,
            looks.region, looks.platform, looks.attitude, looks.z, W, looks.rows, A, g,
        )  # fmt: skip
        return A, g, chi2

    try:
        return _fitted(model, looks, place, theta.copy(), theta0, prior, ends, iterations)
    except np.linalg.LinAlgError:  # derivatives so large that the priors are lost beside them
        return None


def _fitted(
    model: Model,
    looks: Looks,
    place: Floats,
    theta: Floats,
    theta0: float,
    prior: Floats,
    ends: Callable[[Floats, bool], tuple[Floats, Floats, float]],
    iterations: int,
) -> Fit | None:
    JJ, Jr, chi2 = ends(theta, True)
    damping = 1e-3
    cost = chi2 + float(np.sum((theta / prior) ** 2))
    for _ in range(iterations):
        A = JJ + np.diag(1.0 / prior**2)
        g = Jr - theta / prior**2
        gained = math.inf
        for _ in range(6):
            move = np.linalg.solve(A + damping * np.diag(np.diag(A)), g)
            trial = theta + move
            _, _, chi2_new = ends(trial, False)
            cost_new = chi2_new + float(np.sum((trial / prior) ** 2))
            if cost_new <= cost:
                gained = cost - cost_new
                theta, cost = trial, cost_new
                damping = max(damping * 0.1, 1e-7)
                break
            damping = min(damping * 8.0, 1e6)
        else:
            break
        JJ, Jr, chi2 = ends(theta, True)
        if gained < 1e-2:
            break
    if not np.isfinite(cost):
        return None
    A = JJ + np.diag(1.0 / prior**2)
    cov = np.asarray(np.linalg.inv(A), dtype=np.float64)
    sign, logdet = np.linalg.slogdet(A)
    if sign <= 0.0:
        return None
    evidence = -0.5 * cost - float(np.sum(np.log(prior))) - 0.5 * float(logdet)
    t_launch = float(_flight(model, theta, place, theta0, -1e9)[0, 0])
    return Fit(model, place, theta, cov, evidence, chi2, int(looks.rows.sum()), t_launch)


def _log_prior(model: Model, thetas: Floats) -> Floats:
    """Log prior density of rows of parameters, times (2 pi) ^ (d / 2).

    All are normal but the tilt: most flights are near the tilt that makes the most of their energy, in whatever
    direction, or (sounding rockets) near the vertical.
    """
    prior = _prior(model)
    scaled = thetas / prior
    scaled[:, 3:5] = 0.0
    out = -0.5 * np.sum(scaled * scaled, axis=1) - float(np.sum(np.log(prior)))
    tilt = np.hypot(thetas[:, 3], thetas[:, 4])
    density = np.exp(-0.5 * tilt * tilt)
    s = _NEAR / TILT
    if model.best_tilt > 0.0:
        off = (tilt - model.best_tilt / TILT) / s
        usual = np.exp(-0.5 * off * off) / (math.sqrt(2.0 * math.pi) * s * np.maximum(tilt, 0.1))
    else:
        usual = np.exp(-0.5 * tilt * tilt / s**2) / s**2
    density = (1.0 - _USUAL) * density + _USUAL * usual
    return np.asarray(out + np.log(np.maximum(density, 1e-300)))


@kernel
def normal_cdf(z: float) -> float:
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


@kernel
def _aligned(
    dt: Floats, region: Ints, platform: Floats, attitude: Floats, platform_out: Floats, attitude_out: Floats
) -> None:
    """Platforms and attitudes at the looks' own times: they are the same for every draw."""
    for i in range(dt.shape[0]):
        move_platform(dt[i], region[i], platform[i], attitude[i], platform_out[i], attitude_out[i])


@kernel
def _seen_from(kind: int, x: Floats, p: Floats, e: Floats, z: Floats) -> None:
    """What ``tracking.measure.h`` gives for a state, without derivatives, from a platform and attitude at its time."""
    d0, d1, d2 = x[0] - p[0], x[1] - p[1], x[2] - p[2]
    l0 = e[0] * d0 + e[1] * d1 + e[2] * d2
    l1 = e[3] * d0 + e[4] * d1 + e[5] * d2
    if kind == _XY:
        z[0], z[1] = l0, l1
        return
    l2 = e[6] * d0 + e[7] * d1 + e[8] * d2
    azimuth = math.atan2(l0, l1)
    elevation = math.atan2(l2, max(math.sqrt(l0 * l0 + l1 * l1), 1e-9))
    if kind == _LOS:
        z[0], z[1] = azimuth, elevation
        return
    r = max(math.sqrt(d0 * d0 + d1 * d1 + d2 * d2), 1e-9)
    z[0], z[1], z[2] = r, azimuth, elevation
    z[3] = (d0 * (x[3] - p[3]) + d1 * (x[4] - p[4]) + d2 * (x[5] - p[5])) / r


@kernel
def _log_likelihood(
    nodes: Floats, rows: int, launch: Floats, theta0: float, t: Floats, kind: Ints, platform: Floats, attitude: Floats,
    z: Floats, W: Floats, used: Ints,
) -> float:  # fmt: skip
    """``platform``, ``attitude``: as ``_aligned`` gives them."""
    x, p, r = np.empty(6), np.empty(4), np.empty(4)
    total = 0.0
    for i in range(t.shape[0]):
        _at(nodes, rows, t[i], launch, theta0, x)
        _seen_from(kind[i], x, platform[i], attitude[i], p)
        for a in range(used[i]):
            r[a] = z[i, a] - p[a]
        wrap_residual(kind[i], r)
        for a in range(used[i]):
            s = 0.0
            for b in range(a + 1):
                s += W[i, a, b] * r[b]
            total -= 0.5 * s * s
    return total


@kernel
def _draws(
    thetas: Floats,
    active: Ints,
    nominal: Floats,
    spread: Floats,
    last: int,
    early: bool,
    energy_low: float,
    energy_high: float,
    seen: float,
    gone: float,
    place: Floats,
    theta0: float,
    t: Floats,
    dt: Floats,
    kind: Ints,
    region: Ints,
    platform: Floats,
    attitude: Floats,
    z: Floats,
    W: Floats,
    used: Ints,
    shuffle: Floats,
    log_weight: Floats,
    launches: Floats,
    states: Floats,
    times: Floats,
) -> None:
    """Fly each row of ``thetas``; its log likelihood with the end of thrust, its launch, and states (n, K, 6) at
    drawn cut-offs.
    """
    nodes = np.empty((_NODES, 7))
    energy = np.empty(_NODES)
    launch, plan, way = np.empty(4), np.empty(5), np.empty(4)
    stages = np.empty(((nominal.shape[0] - 4) // 4, 4))
    x = np.empty(6)
    there, axes = np.empty_like(platform), np.empty_like(attitude)
    _aligned(dt, region, platform, attitude, there, axes)
    cuts = states.shape[1]
    for n in range(thetas.shape[0]):
        theta = thetas[n]
        rows = _aim(theta, active, nominal, spread, place, theta0, np.inf, stages, plan, way, nodes)
        _shift(theta, place, theta0, stages[stages.shape[0] - 1, 0], way, nodes, rows, launch, nodes)
        # the last burn is drawn, given that it burns when seen
        ignition = launch[3]
        low, high = 0.0, 1.0
        late = spread[last] > 0.0
        if late:
            low = normal_cdf((seen - ignition - nominal[last]) / spread[last])
            if not early:
                high = normal_cdf((gone - ignition - nominal[last]) / spread[last])
        else:
            low = 0.0 if ignition + nominal[last] >= seen else 1.0
            if not early and ignition + nominal[last] > gone:
                low = 1.0
        share = max(high - low, 0.0)
        burn = nominal[last]
        if late and share > 1e-9:
            burn = nominal[last] + spread[last] * normal_quantile(
                min(max(low + share * shuffle[n, 0], 1e-12), 1.0 - 1e-12)
            )
        burn = max(burn, seen - ignition + 0.1, 1.0)
        log_weight[n] = math.log(max(share, 1e-9))
        # the flight as it is until then: what would burn on is cut away
        end = ignition + burn
        if end < nodes[rows - 1, 0]:
            _at(nodes, rows, end, launch, theta0, x)
            while rows > 2 and nodes[rows - 2, 0] >= end:
                rows -= 1
            nodes[rows - 1, 0] = end
            for i in range(6):
                nodes[rows - 1, 1 + i] = x[i]
        launches[n, 0], launches[n, 1], launches[n, 2], launches[n, 3] = launch[0], launch[1], launch[2], launch[3]
        log_weight[n] += _log_likelihood(nodes, rows, launch, theta0, t, kind, there, axes, z, W, used)
        if not early:
            for k in range(cuts):
                times[n, k] = nodes[rows - 1, 0]
                states[n, k, :] = nodes[rows - 1, 1:7]
            continue
        for i in range(rows):
            energy[i] = best_range(nodes[i, 1:7])
            if i > 0:
                energy[i] = max(energy[i], energy[i - 1])
        _at(nodes, rows, min(seen, nodes[rows - 1, 0]), launch, theta0, x)
        top = min(energy_high, energy[rows - 1])
        a = max(energy_low, best_range(x))
        b = top
        if gone < nodes[rows - 1, 0]:
            _at(nodes, rows, gone, launch, theta0, x)
            b = min(b, best_range(x))
        whole = max(top - energy_low, 1e3)
        if b - a < 1e-3 * whole:
            # burns on past the class's energy, or ends before it: hardly believed, but then the cut-off is now
            log_weight[n] += math.log(1e-3)
            b = a + 1e-3 * whole
        else:
            log_weight[n] += math.log((b - a) / whole)
        i = 1
        for k in range(cuts):
            goal = a + (b - a) * (k + shuffle[n, 1]) / cuts
            while i < rows - 1 and energy[i] < goal:
                i += 1
            step = energy[i] - energy[i - 1]
            part = 1.0 if step <= 0.0 else min(max((goal - energy[i - 1]) / step, 0.0), 1.0)
            # energy is not quite linear between nodes: one step of false position more
            t0, t1, e0, e1 = nodes[i - 1, 0], nodes[i, 0], energy[i - 1], energy[i]
            cut = t0 + part * (t1 - t0)
            _at(nodes, rows, cut, launch, theta0, x)
            reached = best_range(x)
            if reached < goal:
                t0, e0 = cut, reached
            else:
                t1, e1 = cut, reached
            if e1 > e0:
                cut = t0 + min(max((goal - e0) / (e1 - e0), 0.0), 1.0) * (t1 - t0)
            # the looks have the last word
            times[n, k] = min(max(cut, seen), gone)
            _at(nodes, rows, times[n, k], launch, theta0, states[n, k])


@dataclass(frozen=True)
class Launches:
    """Weighted launches of one class: latitude, longitude (rad), launch time, end of the longest burn (s), ``weight``
    (sum 1);

    ``log_evidence``: of the class; ``impacts``: its cloud, ``cutoff`` (s) of each of its rows.
    """

    lat: Floats
    lon: Floats
    t: Floats
    weight: Floats
    log_evidence: float
    impacts: Cloud
    cutoff: Floats


def _root(cov: Floats) -> Floats | None:
    """Lower triangular root of a covariance; None if it is none.

    One that rounding has left a hair short of positive (its numbers span many decades) is taken by its correlations,
    with their smallest eigenvalues raised to what rounding can tell from zero.
    """
    try:
        return np.asarray(np.linalg.cholesky(cov))
    except np.linalg.LinAlgError:
        scale = np.sqrt(np.diag(cov))
        if not (np.isfinite(cov).all() and (scale > 0.0).all()):
            return None
        values, vectors = np.linalg.eigh(cov / scale[:, None] / scale)
        if values[0] < -1e-6:
            return None
        near = (vectors * np.maximum(values, 1e-12)) @ vectors.T + 1e-12 * np.eye(len(cov))
        return np.asarray(scale[:, None] * np.linalg.cholesky(near))


def draw(found: Fit, looks: Looks, burn: Burn, theta0: float, rows: int, beta: float) -> Launches | None:
    """Launches of a fitted class and where each comes down, ``CUTOFFS`` times for as many ends of thrust.

    ``beta``: ballistic coefficient on re-entry (kg/m2). None if not one draw can fly.
    """
    model, d = found.model, len(found.theta)
    shuffle = np.column_stack(
        [(np.arange(rows) * 0.6180339887498949 + 0.5) % 1.0, (np.arange(rows) * 0.7548776662466927 + 0.5) % 1.0]
    )
    log_weight, launches = np.empty(rows), np.empty((rows, 4))
    cuts = CUTOFFS if model.cutoff else 1
    states, times = np.empty((rows, cuts, 6)), np.empty((rows, cuts))
    W = whiteners(looks)
    centre, cov = found.theta, _wide_in_tilt(found.cov)
    for again in (False, True):
        root = _root(cov)
        if root is None:
            return None
        z = standard_normals(rows, d, "launches, again" if again else "launches")
        thetas = centre + _WIDER * np.sum(z[:, None, :] * root[None, :, :], axis=2)
        _draws(
            thetas, model.active, model.nominal, model.spread, model.last, model.cutoff, *model.energy_range,
            burn.seen, burn.gone, found.place, theta0, looks.t_s, looks.dt, looks.kind, looks.region, looks.platform,
            looks.attitude, looks.z, W, looks.rows, shuffle, log_weight, launches, states, times,
        )  # fmt: skip
        log_weight += _log_prior(model, thetas)
        log_weight += 0.5 * np.sum(z * z, axis=1) + d * math.log(_WIDER) + float(np.sum(np.log(np.diag(root))))
        # a draw that cannot fly at all (its numbers are far out) stands for the best one, without weight
        broken = ~(np.isfinite(log_weight) & np.isfinite(launches).all(axis=1) & np.isfinite(states).all(axis=(1, 2)))
        log_weight[broken] = -np.inf
        top = float(log_weight.max())
        if not math.isfinite(top):
            return None
        best = int(np.argmax(log_weight))
        launches[broken], states[broken], times[broken], thetas[broken] = (
            launches[best], states[best], times[best], thetas[best],
        )  # fmt: skip
        w = np.exp(log_weight - top)
        evidence = top + math.log(float(w.mean()))
        w = _tempered(log_weight - top, min(40.0, 0.25 * rows))
        if again or w @ w < _CROOKED / rows:
            break
        # few of the draws carry the weight: the posterior is crooked, and what they tell of it makes a better set
        centre = w @ thetas
        apart = thetas - centre
        cov = 0.8 * ((apart * w[:, None]).T @ apart) + 0.2 * cov
    effective = 1.0 / float(w @ w)
    x, t = states.reshape(-1, 6), times.ravel()
    hit, at = arc_impacts(x, t, theta0)
    lat, lon, when = at[:, 0], at[:, 1], at[:, 2]
    if hit.any():
        lat, lon, when = _with_drag(
            lat, lon, when, (launches[best, 0], launches[best, 1]), states[best], times[best], theta0, beta
        )
    weight = np.repeat(w / cuts, cuts)
    cloud = Cloud(lat, lon, when, weight, hit, x, t, effective, at[:, 3], at[:, 4], at[:, 5])
    return Launches(launches[:, 0].copy(), launches[:, 1].copy(), launches[:, 2].copy(), w, evidence, cloud, t)


def _wide_in_tilt(cov: Floats) -> Floats:
    """A covariance with more room in the tilt, and in the rest as far as it follows the tilt.

    While the looks say little of the tilt, its posterior leans far to the side, which a normal one cannot.
    """
    tilt = cov[:, 3:5]
    own = cov[3:5, 3:5]
    room = _ROOM if float(np.linalg.eigvalsh(own)[1]) > _UNSURE**2 else 1.0
    if room == 1.0:
        return cov
    return np.asarray(cov + (room * room - 1.0) * tilt @ np.linalg.solve(own, tilt.T), dtype=np.float64)


def _tempered(log_weight: Floats, least: float) -> Floats:
    """Normalised weights; flattened, where a few draws would carry all, until they are worth ``least`` draws."""
    power = 1.0
    for _ in range(12):
        w = np.exp(power * log_weight)
        w /= w.sum()
        if 1.0 / float(w @ w) >= least:
            break
        power *= 0.75
    return w


def _with_drag(
    lat: Floats, lon: Floats, t: Floats, origin: tuple[float, float], x: Floats, t_x: Floats, theta0: float, beta: float
) -> tuple[Floats, Floats, Floats]:
    """Move impacts of bare arcs by what J2 and drag do to a few of them, as a function of the distance from the
    launch.
    """
    hit, bare = arc_impacts(x, t_x, theta0)
    full = falls(x, t_x, theta0, np.full(len(x), max(beta, 1.0)))
    ok = hit & (full[:, 0] > 0.5)
    if not ok.any():
        return lat, lon, t
    a, b = polar(origin, bare[ok, 0], bare[ok, 1]), polar(origin, full[ok, 2], full[ok, 3])
    order = np.argsort(a[:, 0], kind="stable")
    turn = (b[:, 1] - a[:, 1] + math.pi) % (2.0 * math.pi) - math.pi
    distance = polar(origin, lat, lon)[:, 0]
    t = t + np.interp(distance, a[order, 0], (full[ok, 1] - bare[ok, 2])[order])
    lat, lon = shift_in_range(lat, lon, origin, a[order, 0], (b[:, 0] - a[:, 0])[order], turn[order])
    return lat, lon, t


def mixture(parts: Sequence[tuple[float, Cloud]]) -> Cloud:
    """One cloud of several with the given shares (sum 1)."""
    w = np.concatenate([p * c.weight for p, c in parts])
    effective = 1.0 / sum(p * p / c.effective for p, c in parts)
    return Cloud(
        np.concatenate([c.lat for _, c in parts]),
        np.concatenate([c.lon for _, c in parts]),
        np.concatenate([c.t for _, c in parts]),
        w,
        np.concatenate([c.hit for _, c in parts]),
        np.concatenate([c.x for _, c in parts]),
        np.concatenate([c.t_x for _, c in parts]),
        effective,
        np.concatenate([c.energy for _, c in parts]),
        np.concatenate([c.reach for _, c in parts]),
        np.concatenate([c.elevation for _, c in parts]),
    )
