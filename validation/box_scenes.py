"""Ten objects in a box, seen by two radars: the scenes and the trackers that the book ``boxes`` compares.

The set-up is the one Stone Soup was measured on: a local frame that does not turn, two radars at its origin and at
(250, -60) km, each looking once a second for 30 s (range 30 m, azimuth and elevation 0.1 deg, detection probability
0.9, ten false detections a scan over 600 x 500 x 70 km). Tracks start from the truth and an error of 500 m and 50 m/s
on each axis, and none begins or ends. Filter, gravity and measurement are the product's kernels, Cartesian, process
noise 0.01 m2/s3, gate 5 sigma.
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
from tocsin.tracking.jpda import blend, marginals
from tocsin.tracking.measure import h
from tocsin.tracking.window import Block, Effort, explain

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


def track_jpda(s: Scene) -> Array:
    """Joint probabilistic data association."""
    return jpda(s)[0]


def jpda(s: Scene) -> tuple[Array, Array]:
    """States (30, n, 6) and covariances (30, n, 6, 6) of joint probabilistic data association."""
    n = len(s.x)
    x, P = s.x.copy(), np.repeat(s.P[None], n, axis=0)
    out, cov = np.empty((SECONDS, n, 6)), np.empty((SECONDS, n, 6, 6))
    t = 0.0
    for scan in s.scans:
        xo, Po, gain, _ = step(x, P, scan, t)
        t = scan.t
        a, b = np.nonzero(gain > -math.inf)
        beta, none = marginals(a, b, gain[a, b], math.log(1.0 - PD))
        alone = np.ones(n)
        alone[np.unique(a)] = none
        group = np.r_[np.arange(n), a]
        every = np.concatenate((x, xo[a, b]))[:, None], np.concatenate((P, Po[a, b]))[:, None]
        xb, Pb, _ = blend(group, n, np.r_[alone, beta], *every, np.ones((len(group), 1)))
        x, P = np.ascontiguousarray(xb[:, 0]), np.ascontiguousarray(Pb[:, 0])
        out[int(t) - 1], cov[int(t) - 1] = x, P
    return out, cov


def block(scans: tuple[Scan, ...]) -> Block:
    """Scans as the search over a window takes them."""
    n = len(scans)
    first = np.concatenate(([0], np.cumsum([len(s.z) for s in scans]))).astype(np.int64)
    level = np.concatenate([math.log(PD / (1.0 - PD)) - ln_false(s.z) for s in scans])
    return Block(
        np.array([s.t for s in scans]), np.zeros(n), np.arange(n) % 2, np.full(n, _RAE, dtype=np.int64),
        np.full(n, _VIEW, dtype=np.int64), np.array([s.platform for s in scans]), np.tile(ATTITUDE, (n, 1)),
        np.tile(NOISE, (n, 1, 1)), first, np.concatenate([s.z for s in scans]), np.zeros(first[-1]), level,
    )  # fmt: skip


def track_window(s: Scene, effort: Effort | None = None) -> Array:
    """The window of scans, all of the 30 s, searched again each second from where it stood and from what JPDA says."""
    guess, spread = jpda(s)
    n = len(s.x)
    P = np.repeat(s.P[None], n, axis=0)
    start, own = s.x.copy(), np.zeros((n, 0), dtype=np.int64)
    out = np.empty((SECONDS, n, 6))
    for second in range(1, SECONDS + 1):
        scans = block(s.scans[: 2 * second])
        found = explain(
            scans,
            s.x,
            P,
            0.0,
            start,
            own,
            Q,
            float(second),
            effort=effort,
            seed=second,
            guess=(guess[second - 1], spread[second - 1]),
        )
        start, own = found.start, found.own
        out[second - 1] = found.x
    return out


def track_stone_soup(s: Scene) -> Array:
    """Stone Soup's JPDA with efficient hypothesis management (pyehm), our gravity and measurement in its models."""
    from datetime import datetime, timedelta

    from pyehm.plugins.stonesoup import JPDAWithEHM2
    from stonesoup.base import Property
    from stonesoup.hypothesiser.probability import PDAHypothesiser
    from stonesoup.models.base import GaussianModel
    from stonesoup.models.measurement.base import MeasurementModel
    from stonesoup.models.transition.base import TransitionModel
    from stonesoup.predictor.kalman import ExtendedKalmanPredictor
    from stonesoup.types.array import CovarianceMatrix, StateVector
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.types.track import Track
    from stonesoup.types.update import GaussianStateUpdate
    from stonesoup.updater.kalman import ExtendedKalmanUpdater

    def flat(state) -> Array:
        return np.ascontiguousarray(np.asarray(state.state_vector, dtype=np.float64).ravel())

    class Coast(TransitionModel, GaussianModel):
        ndim_state = 6

        def fly(self, state, dt):
            out, F = np.empty(6), np.empty((6, 6))
            coast_to_stm(flat(state), 0.0, dt.total_seconds(), 0.0, out, F)
            return out, F

        def function(self, state, noise=False, time_interval=None, **more):
            return StateVector(self.fly(state, time_interval)[0])

        def jacobian(self, state, time_interval=None, **more):
            return self.fly(state, time_interval)[1]

        def covar(self, time_interval=None, **more):
            dt = time_interval.total_seconds()
            part = Q * np.array([[dt**3 / 3.0, dt * dt / 2.0], [dt * dt / 2.0, dt]])
            return CovarianceMatrix(np.kron(part, np.eye(3)))

    class Sees(MeasurementModel, GaussianModel):
        ndim_state: int = Property(default=6)
        mapping: tuple[int, ...] = Property(default=(0, 1, 2))
        platform: Array = Property()
        ndim_meas = 3

        def look(self, state):
            z, Hx, Hb, Ht = np.empty(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4)
            h(_RAE, flat(state), 0.0, _VIEW, self.platform, ATTITUDE, np.zeros(4), z, Hx, Hb, Ht)
            return z[:3], Hx[:3]

        def function(self, state, noise=False, **more):
            return StateVector(self.look(state)[0])

        def jacobian(self, state, **more):
            return self.look(state)[1]

        def covar(self, **more):
            return CovarianceMatrix(np.diag(SIGMA**2))

    predictor, updater = ExtendedKalmanPredictor(Coast()), ExtendedKalmanUpdater(measurement_model=None)
    middle = np.concatenate([scan.z for scan in s.scans[:2]])
    density = float(np.exp(np.median(ln_false(middle[np.concatenate([scan.source for scan in s.scans[:2]]) >= 0]))))
    within = 0.9999847  # of a normal in three dimensions, inside 5 sigma
    hypothesiser = PDAHypothesiser(
        predictor, updater, clutter_spatial_density=density, prob_detect=PD, prob_gate=within
    )  # fmt: skip
    associator = JPDAWithEHM2(hypothesiser=hypothesiser)
    began = datetime(2000, 1, 1)  # noqa: DTZ001 - Stone Soup's times have no zone
    tracks = [Track([GaussianState(StateVector(x), CovarianceMatrix(s.P), timestamp=began)]) for x in s.x]
    out = np.empty((SECONDS, len(s.x), 6))
    for scan in s.scans:
        when = began + timedelta(seconds=scan.t)
        model = Sees(platform=scan.platform)
        seen = {Detection(StateVector(z[:3]), timestamp=when, measurement_model=model) for z in scan.z}
        found = associator.associate(set(tracks), seen, when)
        for track in tracks:
            means, covs, weights = [], [], []
            for hypothesis in found[track]:
                state = updater.update(hypothesis) if hypothesis else hypothesis.prediction
                means.append(np.asarray(state.state_vector, dtype=np.float64).ravel())
                covs.append(np.asarray(state.covar, dtype=np.float64))
                weights.append(float(hypothesis.probability))
            share, mean = np.array(weights) / sum(weights), np.array(means)
            middle_x = share @ mean
            apart = mean - middle_x
            cov = np.einsum("k,kij->ij", share, np.array(covs)) + np.einsum("k,ki,kj->ij", share, apart, apart)
            track.append(GaussianStateUpdate(StateVector(middle_x), CovarianceMatrix(cov), found[track], when))
        out[int(scan.t) - 1] = [flat(track.state) for track in tracks]
    return out


def errors(s: Scene, tracked: Array) -> Array:
    """GOSPA (30,) at whole seconds."""
    return np.array([gospa(tracked[k], s.truth[k + 1]) for k in range(SECONDS)])
