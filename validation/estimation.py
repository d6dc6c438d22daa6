# ruff: noqa: D103 - what a row measures stands in its decorator
"""Filters against the bound: matched models, long range, smoothing, and biases that are reckoned with.

**Matched gravity.** Two radars, (0, 0) and (250, -60) km in a local frame at rest, measure range to 30 m and both
angles to 0.1 deg once a second; objects start within 300 km across, 400 to 900 km out and 80 to 150 km up, at 2.5 to
3.2 km/s, climbing 30 to 50 deg; the estimate starts from the truth + N(0; 500 m, 50 m/s) in each axis. Truth is flown
by the filter's own gravity (`dynamics.kernels.coast_to_stm`) with white acceleration of 0.01 m2/s3, and corrected by
`tracking.filter.update` in Cartesian axes. The bound is the posterior Cramér-Rao bound in its Riccati form, linearised
at each run's true path. RMSE and bound are averaged over runs and summed over axes before the root; their ratio is
averaged over the 60 s. 2,000 runs: a consistent ANEES / n lies within 0.975 to 1.025 in 95 % of cases.

**Smoothing.** The same two radars and a state six times as uncertain, 20 s: the first state as `tracking.smooth` has it
from all looks, against the bound of a batch (the information of all looks carried to the start). Then launches drawn
from the boost model itself: its prior of place, velocity and thrust, its noise, an end of thrust at any time (once in
40 s on average), one of these radars every 2 s for 80 s; nothing of this but the model is told.

**All looks at once, far away.** One radar, 30 m and 0.05 to 1 deg, ten looks; the object at 500 to 4,500 km with
4 km/s in any direction, known beforehand to 1 km/s in each axis, which is next to nothing. What decides then is how
range bends over all looks, 30 m against the square of a speed: a filter that never goes back to its first looks becomes
too sure.
The smoother, Gauss-Newton over all looks, is scored in the radar's chart after the last of them. 300 runs a distance: a
consistent mean lies within 0.935 to 1.066.

**Consider.** Each radar has constant biases drawn from 200 m, 3 mrad, 3 mrad and a clock off by 50 ms (all 1-sigma),
new in each run, never estimated: `tracking.consider` beside the same filter told of none.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.measures.bounds import Bound, bound, information
from tocsin.measures.nees import anees, chart_errors, nees
from tocsin.records.columns import Kind, Region
from tocsin.tracking.belief import BURNOUT, Q_ANGLE, Q_BOOST, Q_COAST, Q_RATIO, Q_THRUST, TOP, believe
from tocsin.tracking.consider import PER_SENSOR, Considered, parameters
from tocsin.tracking.filter import update
from tocsin.tracking.measure import Looks, predict
from tocsin.tracking.models import boost_step
from tocsin.tracking.smooth import Start, smooth_looks
from validation.run import Book, Measured, at_least, between, proportion

book = Book("estimation", "Estimation", __doc__)
Array = NDArray[np.float64]
_DEG = math.pi / 180.0
_ORIGIN = np.array([0.0, 0.0, 6.371e6])
_SITES = np.array([[0.0, 0.0, 6.371e6, 0.0, 0.0, 0.0], [2.5e5, -6e4, 6.371e6, 0.0, 0.0, 0.0]])
_AXES = np.eye(3).ravel()
_P0 = np.diag([500.0**2] * 3 + [50.0**2] * 3)
_RUNS, _SECONDS, _NOISE = 2000, 60, 0.01
_LISTED = (1, 5, 10, 20, 30, 40, 50, 60)
_CHI = "chi-square, 95 %"


def _noise(q: float, dt: float) -> Array:
    one = np.eye(3)
    return q * np.block([[dt**3 / 3 * one, dt**2 / 2 * one], [dt**2 / 2 * one, dt * one]])


def _fly(x: Array, t0: float, t1: float) -> tuple[Array, Array]:
    out, F = np.empty_like(x), np.empty((len(x), 6, 6))
    for a in range(len(x)):
        coast_to_stm(x[a], t0, t1, 0.0, out[a], F[a])
    return out, F


def _looks(t: float, site: Array, R: Array, k: int) -> Looks:
    return Looks(
        np.full(k, Kind.RAE), np.full(k, Region.VIEW), np.full(k, t), np.zeros(k), np.tile(site, (k, 1)),
        np.tile(_AXES, (k, 1)), np.zeros((k, 4)), np.tile(R, (k, 1, 1)), np.full(k, 3),
    )  # fmt: skip


def _radar(sigma_angle: float) -> Array:
    return np.diag([30.0**2, sigma_angle**2, sigma_angle**2, 1.0])


def _see(x: Array, looks: Looks, random: np.random.Generator) -> None:
    z = predict(x, looks)[0]
    z[:, :3] += random.standard_normal((len(x), 3)) * np.sqrt(np.diagonal(looks.R[0])[:3])
    looks.z[:] = z


def _targets(n: int, random: np.random.Generator) -> Array:
    x = np.empty((n, 6))
    x[:, 0], x[:, 1] = random.uniform(-3e5, 3e5, n), random.uniform(4e5, 9e5, n)
    x[:, 2] = _ORIGIN[2] + random.uniform(8e4, 1.5e5, n)
    speed, climb, way = (
        random.uniform(2.5e3, 3.2e3, n),
        random.uniform(30, 50, n) * _DEG,
        random.uniform(0, 2 * np.pi, n),
    )
    x[:, 3] = speed * np.cos(climb) * np.sin(way)
    x[:, 4] = speed * np.cos(climb) * np.cos(way)
    x[:, 5] = speed * np.sin(climb)
    return x


@dataclass(frozen=True)
class _Runs:
    """Errors (runs, steps, 6), their covariances and bounds (runs, steps, 6, 6) after the looks of each second."""

    error: Array
    P: Array
    bound: Array

    def ratio(self, slots: tuple[int, ...]) -> Array:
        """RMSE over bound (steps,)."""
        mse = sum((self.error[:, :, i] ** 2).mean(axis=0) for i in slots)
        return np.asarray(np.sqrt(mse) / Bound(self.bound).rms(slots))

    def anees(self, second: int) -> float:
        return float(nees(self.error[:, second - 1], self.P[:, second - 1]).mean()) / 6.0


@functools.cache
def _matched(pd: float, seed: int) -> _Runs:
    random = np.random.Generator(np.random.PCG64(seed))
    n, R, Q = _RUNS, _radar(0.1 * _DEG), _noise(_NOISE, 1.0)
    root = np.linalg.cholesky(Q)
    truth = _targets(n, random)
    x, P = np.zeros((n, 10)), np.zeros((n, 10, 10))
    x[:, :6] = truth + random.standard_normal((n, 6)) * np.sqrt(np.diag(_P0))
    P[:, :6, :6] = _P0
    error, cov = np.empty((n, _SECONDS, 6)), np.empty((n, _SECONDS, 6, 6))
    Fs, Js = np.empty((n, _SECONDS, 6, 6)), np.zeros((n, _SECONDS, 6, 6))
    distance, every = np.empty(1), np.arange(n)
    for s in range(_SECONDS):
        truth, Fs[:, s] = _fly(truth, float(s), s + 1.0)
        truth = truth + random.standard_normal((n, 6)) @ root.T
        x[:, :6], F = _fly(np.ascontiguousarray(x[:, :6]), float(s), s + 1.0)
        P[:, :6, :6] = F @ P[:, :6, :6] @ F.transpose(0, 2, 1) + Q
        for site in _SITES:
            seen = _looks(s + 1.0, site, R, n)
            _see(truth, seen, random)
            Js[:, s] += information(truth, seen, every, n, pd)
            for a in np.flatnonzero(random.random(n) < pd):
                update(
                    x[a], P[a], 6, Kind.RAE, 0.0, Region.VIEW, site, _AXES, seen.z[a], R, False, site, 1, distance
                )  # fmt: skip
        error[:, s], cov[:, s] = x[:, :6] - truth, P[:, :6, :6]
    return _Runs(error, cov, bound(Fs, Q, Js, _P0))


def _of_ratio(runs: _Runs, slots: tuple[int, ...]) -> Measured:
    ratio = runs.ratio(slots)
    # the runs are independent: an interval by drawing runs anew, time averages whole
    random = np.random.Generator(np.random.PCG64(1))
    drawn = []
    for _ in range(200):
        which = random.integers(0, _RUNS, _RUNS)
        drawn.append(_Runs(runs.error[which], runs.P[:1], runs.bound[which]).ratio(slots).mean())
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Measured(float(ratio.mean()), (float(low), float(high)), f"{ratio.min():.3f} to {ratio.max():.3f} over 60 s")


_PCRLB = "posterior Cramér-Rao bound, Tichavsky, Muravchik, Nehorai 1998"


@book.row("matched gravity, position: RMSE / bound, mean of 60 s", target=between(0.97, 1.03), source=_PCRLB)
def matched_position() -> Measured:
    return _of_ratio(_matched(1.0, 11), (0, 1, 2))


@book.row("matched gravity, velocity: RMSE / bound, mean of 60 s", target=between(0.97, 1.03), source=_PCRLB)
def matched_velocity() -> Measured:
    return _of_ratio(_matched(1.0, 11), (3, 4, 5))


def _add_anees(second: int) -> None:
    @book.row(f"matched gravity: ANEES / n at {second} s", target=between(0.95, 1.05), source=_CHI)
    def measure() -> Measured:
        values = nees(_matched(1.0, 11).error[:, second - 1], _matched(1.0, 11).P[:, second - 1])
        found = anees(values, 6)
        half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values)) / 6.0
        value = found.mean / 6.0
        return Measured(
            value, (value - half, value + half), f"consistent means {found.low / 6:.3f} to {found.high / 6:.3f}"
        )


for _second in _LISTED:
    _add_anees(_second)


@book.row(
    "the same, nine looks of ten: position RMSE / bound with the information reduction factor, mean of 60 s",
    target=between(0.97, 1.1),
    source=f"{_PCRLB}; a bound, but not a tight one where few looks decide (Hernandez and others 2008)",
)
def missed_looks() -> Measured:
    return _of_ratio(_matched(0.9, 12), (0, 1, 2))


# ----------------------------------------------------------------------------------------------------------- smoothing


@functools.cache
def _smoothed(n: int = 400, seconds: int = 20, seed: int = 21) -> tuple[Array, Array, Array, Array]:
    """Errors of the first state, smoothed and filtered (the last carried back), covariance and bound (n, 6, 6)."""
    random = np.random.Generator(np.random.PCG64(seed))
    R, Q, prior = _radar(0.1 * _DEG), _noise(_NOISE, 1.0), 36.0 * _P0
    root = np.linalg.cholesky(Q)
    start = _targets(n, random)
    mean = start + random.standard_normal((n, 6)) * np.sqrt(np.diag(prior))
    truth, seen = start, []
    backward = np.empty((seconds, n, 6, 6))
    Js = np.zeros((seconds + 1, n, 6, 6))
    every = np.arange(n)
    for s in range(seconds + 1):
        if s:
            truth, backward[s - 1] = _fly(truth, s - 1.0, float(s))
            truth = truth + random.standard_normal((n, 6)) @ root.T
        for site in _SITES:
            looks = _looks(float(s), site, R, n)
            _see(truth, looks, random)
            Js[s] += information(truth, looks, every, n)
            seen.append(looks)
    # the bound of the first state: information from the end back, through the noise of each step
    info = np.zeros((n, 6, 6))
    for s in range(seconds, 0, -1):
        # noise first: (J^-1 + Q)^-1 = J - J (J + Q^-1)^-1 J without inverting a J that may be singular
        total = info + Js[s]
        total = total - total @ np.linalg.inv(total + np.linalg.inv(Q)) @ total
        F = backward[s - 1]
        info = F.transpose(0, 2, 1) @ total @ F
    best = np.linalg.inv(info + Js[0] + np.linalg.inv(prior))
    par = believe(()).parameters.copy()
    par[Q_COAST] = _NOISE
    error, P, late = np.empty((n, 6)), np.empty((n, 6, 6)), np.empty((n, 6))
    for a in range(n):
        one = Looks(
            *(np.concatenate([getattr(x, name)[a : a + 1] for x in seen]) for name in (
                "kind", "region", "t_s", "dt", "platform", "attitude", "z", "R", "rows"))
        )  # fmt: skip
        x, cov = np.zeros(10), np.zeros((10, 10))
        x[:6], cov[:6, :6] = mean[a], prior
        got = smooth_looks(one, Start(x, cov, _AXES, 1.0), par)
        error[a], P[a] = got.x[0] - start[a], got.P[0]
        late[a] = _fly(got.x[-1:], float(seconds), 0.0)[0][0] - start[a]
    return error, P, late, best


@book.row(
    "smoothing, first state: position RMSE / bound of the whole batch", target=between(0.95, 1.05),
    source="the information of all looks carried to the start",
)  # fmt: skip
def smoothed_bound() -> Measured:
    error, _, late, best = _smoothed()
    squares, bounds = (error[:, :3] ** 2).sum(axis=1), np.trace(best[:, :3, :3], axis1=1, axis2=2)
    ratio = math.sqrt(squares.mean() / bounds.mean())
    half = 1.96 * squares.std(ddof=1) / math.sqrt(len(squares)) / squares.mean() / 2.0 * ratio
    back = math.sqrt((late[:, :3] ** 2).sum(axis=1).mean())
    note = f"RMSE {math.sqrt(squares.mean()):.0f} m; the last filtered state carried back {back:.0f} m"
    return Measured(ratio, (ratio - half, ratio + half), note)


@book.row("smoothing, first state: ANEES / n", target=between(0.95, 1.05), source=_CHI)
def smoothed_anees() -> Measured:
    error, P, _, _ = _smoothed()
    values = nees(error, P)
    found = anees(values, 6)
    half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values)) / 6.0
    value = found.mean / 6.0
    return Measured(
        value, (value - half, value + half), f"consistent means {found.low / 6:.3f} to {found.high / 6:.3f}"
    )


# ------------------------------------------------------------------------------------------------------------ consider


@functools.cache
def _considered(n: int = 1000, seconds: int = 40, seed: int = 31) -> dict[str, tuple[Array, Array]]:
    """NEES (n,) at 10, 20, 40 s and position errors, with the parameters considered and without."""
    random = np.random.Generator(np.random.PCG64(seed))
    R, sigma = _radar(0.1 * _DEG), np.tile([200.0, 3e-3, 3e-3, 0.0, 0.05], (2, 1))
    root = np.linalg.cholesky(_noise(_NOISE, 1.0))
    truth = _targets(n, random)
    start = truth + random.standard_normal((n, 6)) * np.sqrt(np.diag(_P0))
    off = random.standard_normal((n, 2, PER_SENSOR)) * sigma
    cases = {"with": parameters(sigma), "without": parameters(np.zeros((2, PER_SENSOR)))}
    tracks = {name: Considered.start(start, np.tile(_P0, (n, 1, 1)), 0.0, of) for name, of in cases.items()}
    found: dict[str, list[Array]] = {name: [] for name in cases}
    away: dict[str, list[Array]] = {name: [] for name in cases}
    every = np.arange(n)
    late = np.empty_like(truth)
    for s in range(seconds):
        truth = _fly(truth, float(s), s + 1.0)[0] + random.standard_normal((n, 6)) @ root.T
        for k, site in enumerate(_SITES):
            for a in range(n):
                coast_to_stm(truth[a], 0.0, off[a, k, 4], 0.0, late[a], np.empty((6, 6)))
            seen = _looks(s + 1.0, site, R, n)
            _see(late, seen, random)
            seen.z[:] += off[:, k, :4]
            for name, of in cases.items():
                tracks[name].update(every, seen, every, np.full(n, k), of, noise=_NOISE)
        if s + 1 in (10, 20, 40):
            for name, of_now in tracks.items():
                e = of_now.x - truth
                found[name].append(nees(e, of_now.P))
                away[name].append((e[:, :3] ** 2).sum(axis=1))
    return {name: (np.array(found[name]), np.array(away[name])) for name in cases}


def _add_consider(place: int, second: int) -> None:
    @book.row(
        f"constant biases and clocks, considered: ANEES / n at {second} s", target=between(0.93, 1.07), source=_CHI
    )
    def measure() -> Measured:
        values = _considered()["with"][0][place]
        found = anees(values, 6)
        half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values)) / 6.0
        value = found.mean / 6.0
        note = f"consistent means {found.low / 6:.3f} to {found.high / 6:.3f}"
        return Measured(value, (value - half, value + half), note)


for _place, _second in enumerate((10, 20, 40)):
    _add_consider(_place, _second)


@book.row(
    "the same, not considered: ANEES / n at 40 s", target=at_least(3.0), source="shown: the bias is taken for truth"
)
def not_considered() -> Measured:
    values, away = _considered()["without"]
    careful = _considered()["with"][1]
    note = f"position RMSE {math.sqrt(away[2].mean()):.0f} m, considered {math.sqrt(careful[2].mean()):.0f} m"
    return Measured(float(values[2].mean()) / 6.0, note=note)


# ------------------------------------------------------------------------------------------ launches from the model

_BOOST_MEAN = np.array([2e5, 5e5, 6.371e6 + 3e4, 100.0, 100.0, 600.0, 25.0, 0.05, 0.3, 0.008])
_BOOST_SD = np.array([3e3, 3e3, 3e3, 100.0, 100.0, 100.0, 5.0, 0.1, 0.1, 0.002])
_BOOST_NOISE = {Q_COAST: 1e-5, Q_BOOST: 4.0, Q_THRUST: 1.0, Q_ANGLE: 4e-4, Q_RATIO: 1e-7}


@functools.cache
def _launches(n: int = 400, seconds: int = 80, seed: int = 41) -> tuple[Array, Array, Array]:
    """NEES (n, 3) of the first, middle and last look; the probability that thrust ended before it truly did (n,), 1 for
    those that burned on; true ends (n,).
    """
    random = np.random.Generator(np.random.PCG64(seed))
    par = believe(()).parameters.copy()
    for place, value in _BOOST_NOISE.items():
        par[place] = value
    par[BURNOUT], par[TOP] = 1.0 / 40.0, 1e9
    R, site, period = _radar(0.1 * _DEG), _SITES[0], 2.0
    count = round(seconds / period) + 1
    scores, before, ends = np.empty((n, 3)), np.empty(n), random.exponential(40.0, n)
    fine = 0.1
    spread = np.sqrt(np.array([par[Q_THRUST], par[Q_ANGLE], par[Q_ANGLE], par[Q_RATIO]]) * fine)
    root = np.linalg.cholesky(_noise(par[Q_BOOST], fine))
    out, F = np.empty(10), np.empty((10, 10))
    for a in range(n):
        x = _BOOST_MEAN + random.standard_normal(10) * _BOOST_SD
        path = np.empty((count, 6))
        path[0] = x[:6]
        burning = True
        for step in range(round(seconds / fine)):
            t = step * fine
            if burning and t + fine > ends[a]:
                burning, ends[a] = False, t  # to the step
            if burning:
                boost_step(x, _AXES, fine, par, out, F)
                x = out.copy()
                x[6:] += random.standard_normal(4) * spread
                x[:6] += root @ random.standard_normal(6)
            else:
                coast_to_stm(x[:6].copy(), 0.0, fine, 0.0, x[:6], F[:6, :6])
            if (step + 1) % round(period / fine) == 0:
                path[(step + 1) // round(period / fine)] = x[:6]
        looks = [_looks(period * k, site, R, 1) for k in range(count)]
        for look, state in zip(looks, path, strict=True):
            _see(state[None], look, random)
        one = Looks(*(np.concatenate([getattr(look, name) for look in looks]) for name in _FIELDS))
        got = smooth_looks(one, Start(_BOOST_MEAN, np.diag(_BOOST_SD**2), _AXES, 0.0), par)
        at = [0, count // 2, count - 1]
        scores[a] = nees(got.x[at] - path[at], got.P[at])
        before[a] = float(got.weight[got.ends < ends[a]].sum()) if ends[a] < seconds else math.nan
    return scores, before, ends


_FIELDS = ("kind", "region", "t_s", "dt", "platform", "attitude", "z", "R", "rows")


def _add_launches(place: int, what: str) -> None:
    @book.row(f"smoothing, launches drawn from the model: ANEES / n, {what}", target=between(0.9, 1.1), source=_CHI)
    def measure() -> Measured:
        values = _launches()[0][:, place]
        half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values)) / 6.0
        value = float(values.mean()) / 6.0
        return Measured(value, (value - half, value + half), "consistent means 0.944 to 1.057")


for _place, _what in enumerate(("first look", "middle look", "last look")):
    _add_launches(_place, _what)


@book.row(
    "the same: how often the end of thrust lay in the middle nine tenths of what was said of it",
    target=between(0.85, 0.95),
    source="9 of 10",
)
def ends_said() -> Measured:
    before = _launches()[1]
    known = before[np.isfinite(before)]
    return proportion(int(((known > 0.05) & (known < 0.95)).sum()), len(known), "said to a grid of 2 s")


# --------------------------------------------------------------------------------------- all looks at once, far away

_FAR_KM = (500.0, 1500.0, 3000.0, 4500.0)
_FAR_RUNS, _UNKNOWN = 300, 1000.0  # m/s, 1-sigma of each axis of velocity before the first look


@functools.cache
def _far(distance_km: float, sigma_deg: float, period: float) -> float:
    """ANEES / n in the chart at the last of ten looks; the first look's place is a guess to start from."""
    random = np.random.Generator(np.random.PCG64([round(distance_km), round(sigma_deg * 1000), round(period)]))
    n, R, site = _FAR_RUNS, _radar(sigma_deg * _DEG), _SITES[0]
    way, up = random.uniform(0, 2 * np.pi, n), random.uniform(10, 60, n) * _DEG
    line = np.stack([np.cos(up) * np.sin(way), np.cos(up) * np.cos(way), np.sin(up)], axis=1)
    velocity = random.standard_normal((n, 3))
    velocity *= 4e3 / np.sqrt((velocity**2).sum(axis=1))[:, None]
    truth = np.concatenate((site[:3] + distance_km * 1e3 * line, velocity), axis=1)
    first = np.empty((n, 6))
    first[:, 3:] = velocity + _UNKNOWN * random.standard_normal((n, 3))
    looks = []
    for s in range(10):
        if s:
            truth, _ = _fly(truth, period * (s - 1), period * s)
        looks.append(_looks(period * s, site, R, n))
        _see(truth, looks[-1], random)
    r, a, b = looks[0].z[:, 0], looks[0].z[:, 1], looks[0].z[:, 2]
    first[:, :3] = site[:3] + r[:, None] * np.stack(
        [np.cos(b) * np.sin(a), np.cos(b) * np.cos(a), np.sin(b)], axis=1
    )  # fmt: skip
    par = believe(()).parameters.copy()
    par[Q_COAST] = 0.0
    x, P = np.empty((n, 6)), np.empty((n, 6, 6))
    spread = np.zeros((10, 10))
    spread[:6, :6] = np.diag([3e5**2] * 3 + [_UNKNOWN**2] * 3)
    for k in range(n):
        one = Looks(*(np.concatenate([getattr(look, name)[k : k + 1] for look in looks]) for name in _FIELDS))
        start = Start(np.r_[first[k], np.zeros(4)], spread, _AXES, 1.0)
        got = smooth_looks(one, start, par, 0.0, np.array([period * 9.0]))
        x[k], P[k] = got.x[0], got.P[0]
    return float(chart_errors(truth, x, P, site)[2].mean()) / 6.0


def _add_far(sigma_deg: float, period: float) -> None:
    stress = "; a stress row" if sigma_deg == 1.0 else ""

    @book.row(
        f"one radar, {sigma_deg:g} deg, ten looks at {period:g} s at once: ANEES / n in its chart, the worst of four "
        "distances",
        target=between(0.9, 1.1), source=f"1{stress}",
    )  # fmt: skip
    def consistency() -> Measured:
        found = {d: _far(d, sigma_deg, period) for d in _FAR_KM}
        said = ", ".join(f"{d:,.0f} km {f:.3g}" for d, f in found.items())
        return Measured(max(found.values(), key=lambda f: abs(f - 1.0)), note=said)


for _sigma in (0.05, 0.1, 0.3, 1.0):
    for _period in (1.0, 10.0):
        _add_far(_sigma, _period)
