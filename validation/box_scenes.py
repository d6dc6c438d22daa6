"""Ten objects in a box, seen by two radars: the scenes and the trackers that the book ``boxes`` compares.

The set-up is the one Stone Soup was measured on: a local frame that does not turn, two radars at its origin and at (250,
-60) km, each looking once a second for 30 s (range 30 m, azimuth and elevation 0.1 deg, detection probability 0.9, ten
false detections a scan over 600 x 500 x 70 km). Tracks start from the truth and an error of 500 m and 50 m/s on each
axis, and none begins or ends. Filter, gravity and measurement are the product's kernels, Cartesian, process noise 0.01
m2/s3, gate 5 sigma.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.jit import kernel
from tocsin.records.columns import Kind, Region
from tocsin.tracking.association import assign
from tocsin.tracking.filter import update
from tocsin.tracking.measure import h

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

DATA = Path(__file__).resolve().parent / "data" / "boxes" / "states.csv"
ORIGIN = np.array([0.0, 0.0, 6371e3])
RADARS = np.array([[0.0, 0.0, 0.0], [250e3, -60e3, 0.0]]) + ORIGIN
SIGMA = np.array([30.0, math.radians(0.1), math.radians(0.1)])
NOISE = np.zeros((4, 4))
NOISE[:3, :3] = np.diag(SIGMA**2)
LOW, HIGH = np.array([-300e3, 400e3, 80e3]), np.array([300e3, 900e3, 150e3])
PD, FALSE, GATE, Q, SECONDS = 0.9, 10.0, 25.0, 0.01, 30
START = np.array([500.0] * 3 + [50.0] * 3)
C = 5e3
ATTITUDE = np.eye(3).ravel()
RANDOM, HEADING, VELOCITY = 0, 1, 2
KINDS = ("random headings", "one heading, spread speeds", "one velocity")
SIDES = (1, 2, 3, 5, 10)
_RAE, _VIEW = Kind.RAE, Region.VIEW


@dataclass(frozen=True)
class Scan:
    """One look of one radar: ``t`` (s), ``platform`` (6), ``z`` (m, 4), ``source`` (m,): the object or -1."""

    t: float
    platform: Array
    z: Array
    source: Ints


@dataclass(frozen=True)
class Scene:
    """Truth (31, n, 6) at whole seconds, the scans in order, the tracks' start ``x`` (n, 6) and ``P`` (6, 6)."""

    truth: Array
    scans: tuple[Scan, ...]
    x: Array
    P: Array


@cache
def _states() -> Array:
    with DATA.open(encoding="utf-8") as file:
        rows = [[float(v) for v in row] for row in list(csv.reader(file))[1:]]
    return np.array(rows)


def initial(side_km: float, kind: int, seed: int) -> Array:
    """States (10, 6) in eci (m, m/s) at the start."""
    table = _states()
    rows = table[table[:, 0] == seed]
    out = np.empty((len(rows), 6))
    out[:, :3] = 1e3 * (rows[:, 2:5] + side_km * rows[:, 8:11]) + ORIGIN
    heading = np.radians(rows[:, 11] if kind == RANDOM else rows[:, 5])
    climb = np.radians(rows[:, 12] if kind == RANDOM else rows[:, 6])
    speed = 1e3 * (rows[:, 7] if kind == VELOCITY else rows[:, 13])
    out[:, 3] = speed * np.cos(climb) * np.sin(heading)
    out[:, 4] = speed * np.cos(climb) * np.cos(heading)
    out[:, 5] = speed * np.sin(climb)
    return out


@kernel
def measure(x: Array, platform: Array, attitude: Array, kind: int, region: int) -> Array:
    """Range, azimuth, elevation (n, 4) of states (n, 6)."""
    out = np.empty((x.shape[0], 4))
    bias, Hx, Hb, Ht = np.zeros(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4)
    for i in range(x.shape[0]):
        h(kind, x[i], 0.0, region, platform, attitude, bias, out[i], Hx, Hb, Ht)
    return out


@kernel
def carry(x: Array, P: Array, dt: float, q: float) -> None:
    """Carry states (n, 6) and covariances (n, 6, 6) by ``dt`` s under gravity with white acceleration q, in place."""
    F, T = np.empty((6, 6)), np.empty((6, 6))
    for a in range(x.shape[0]):
        coast_to_stm(x[a], 0.0, dt, 0.0, x[a], F)
        for i in range(6):
            for j in range(6):
                s = 0.0
                for k in range(6):
                    s += F[i, k] * P[a, k, j]
                T[i, j] = s
        for i in range(6):
            for j in range(i, 6):
                s = 0.0
                for k in range(6):
                    s += T[i, k] * F[j, k]
                P[a, i, j] = s
                P[a, j, i] = s
        for i in range(3):
            P[a, i, i] += q * dt**3 / 3.0
            P[a, i, 3 + i] += q * dt**2 / 2.0
            P[a, 3 + i, i] += q * dt**2 / 2.0
            P[a, 3 + i, 3 + i] += q * dt


@kernel
def try_all(
    x: Array, P: Array, z: Array, R: Array, platform: Array, attitude: Array, kind: int, region: int
) -> tuple[Array, Array, Array, Array]:
    """Every track corrected by every detection: states (n, m, 6), covariances, ln likelihood and distance (n, m)."""
    n, m = x.shape[0], z.shape[0]
    xo, Po = np.empty((n, m, 6)), np.empty((n, m, 6, 6))
    ll, d2 = np.empty((n, m)), np.empty((n, m))
    centre = np.zeros(6)
    for a in range(n):
        for b in range(m):
            xo[a, b] = x[a]
            Po[a, b] = P[a]
            ll[a, b] = update(
                xo[a, b],
                Po[a, b],
                6,
                kind,
                0.0,
                region,
                platform,
                attitude,
                z[b],
                R,
                False,
                centre,
                1,
                d2[a, b : b + 1],
            )
    return xo, Po, ll, d2


def scene(side_km: float, kind: int, seed: int) -> Scene:
    """The scene of a box; the noise is the same in every box of a seed."""
    rng = np.random.Generator(np.random.PCG64([11, seed]))
    x = initial(side_km, kind, seed)
    n = len(x)
    truth = np.empty((SECONDS + 1, n, 6))
    truth[0] = x
    start = x + START * rng.standard_normal((n, 6))
    now, unused = x.copy(), np.zeros((n, 6, 6))
    scans: list[Scan] = []
    for second in range(1, SECONDS + 1):
        carry(now, unused, 1.0, 0.0)
        truth[second] = now
        for place in RADARS:
            platform = np.r_[place, np.zeros(3)]
            z = measure(now, platform, ATTITUDE, _RAE, _VIEW)
            z[:, :3] += SIGMA * rng.standard_normal((n, 3))
            seen = np.flatnonzero(rng.random(n) < PD)
            clutter = rng.uniform(LOW, HIGH, (rng.poisson(FALSE), 3)) + ORIGIN
            false = measure(np.hstack((clutter, np.zeros_like(clutter))), platform, ATTITUDE, _RAE, _VIEW)
            every = np.vstack((z[seen], false))
            source = np.r_[seen, np.full(len(false), -1)]
            order = np.argsort(every[:, 0])
            scans.append(Scan(float(second), platform, every[order], source[order]))
    return Scene(truth, tuple(scans), start, np.diag(START**2))


def ln_false(z: Array) -> Array:
    """ln of the density of false detections in (range, azimuth, elevation): even over the volume."""
    density = FALSE / float(np.prod(HIGH - LOW))
    return np.log(density * z[:, 0] ** 2 * np.cos(z[:, 2]))


def gospa(x: Array, truth: Array) -> float:
    """GOSPA of positions, p = 2, alpha = 2, as many tracks as objects."""
    d2 = np.sum((x[:, None, :3] - truth[None, :, :3]) ** 2, axis=2)
    cost = np.minimum(d2, C * C)
    return float(np.sqrt(cost[linear_sum_assignment(cost)].sum()))


def step(x: Array, P: Array, scan: Scan, before: float) -> tuple[Array, Array, Array, Array]:
    """Carry tracks to a scan and correct them by everything in it: ``try_all``'s, with gains in place of likelihoods
    (-inf outside the gate)."""
    if scan.t != before:
        carry(x, P, scan.t - before, Q)
    xo, Po, ll, d2 = try_all(x, P, scan.z, NOISE, scan.platform, ATTITUDE, _RAE, _VIEW)
    gain = np.where(d2 < GATE, ll + math.log(PD) - ln_false(scan.z)[None, :], -math.inf)
    return xo, Po, gain, d2


def track_given(s: Scene) -> Array:
    """The filter given the truth of every association: states (30, n, 6) at whole seconds."""
    x, P = s.x.copy(), np.repeat(s.P[None], len(s.x), axis=0)
    out = np.empty((SECONDS, len(x), 6))
    t = 0.0
    for scan in s.scans:
        xo, Po, _, _ = step(x, P, scan, t)
        t = scan.t
        for b, a in enumerate(scan.source):
            if a >= 0:
                x[a], P[a] = xo[a, b], Po[a, b]
        out[int(t) - 1] = x
    return out


def track_gnn(s: Scene) -> Array:
    """Global nearest neighbour."""
    x, P = s.x.copy(), np.repeat(s.P[None], len(s.x), axis=0)
    out = np.empty((SECONDS, len(x), 6))
    t = 0.0
    for scan in s.scans:
        xo, Po, gain, _ = step(x, P, scan, t)
        t = scan.t
        a, b = np.nonzero(gain > -math.inf)
        chosen = assign(a, b, gain[a, b])
        a, b = a[chosen], b[chosen]
        x[a], P[a] = xo[a, b], Po[a, b]
        out[int(t) - 1] = x
    return out


def errors(s: Scene, tracked: Array) -> Array:
    """GOSPA (30,) at whole seconds."""
    return np.array([gospa(tracked[k], s.truth[k + 1]) for k in range(SECONDS)])
