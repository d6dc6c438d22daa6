# ruff: noqa: D103 - what a row measures stands in its decorator
"""Filters of the tracker against bounds and against published runs of other filters.

**One radar, in its chart.** An object in free fall is seen ten times by one radar (30 m; elevation 30 degrees at first)
by the tracker's own update in the chart of the sensor. *Seed*: started as initiation does, from the first detection
and a velocity like the ground's with 3,500 m/s of standard deviation along each axis, from which the truth is drawn:
the speed is mostly unknown, and the ten looks of a short arc leave much of it so. *Known velocity*: the same with
50 m/s. ANEES/n (n = 6) is scored in the chart at the tenth look; the bound is the posterior Cramer-Rao bound in Riccati
form along each truth, its trace averaged over the runs. The Cartesian filter beside is the same update without charts.

How far the points of the regression lie out (four standard deviations, ``bridge``) was chosen at 0.3 degrees with other
seeds and then left. One degree is a stress row: what is known is then a piece of a ring rather than an ellipsoid.

**Lines of sight.** A coasting object is seen by geostationary satellites (30 microradians, every 10 s, 20 looks) from
a start with 300 km and 3 km/s of standard deviation.

**Sigma points.** Athans, Wishner and Bertolini, IEEE TAC 13 (1968), and Julier and Uhlmann, Proc. IEEE 92 (2004), as
set up in the reference numbers of the project. A body that falls into the air with an unknown ballistic coefficient
has some noise in truth and filter alike (winds and turning 0.3 m/s, coefficient 2 % in a second): wholly without it,
either filter loses some runs for good (ANEES/n 12 with sigma points, 350 extended). The extended filter beside is the
same code with points a thousandth of a standard deviation out.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to, coast_to_stm
from tocsin.earth.frames import OMEGA_GMST, to_eci
from tocsin.earth.wgs84 import MU, enu_axes, geodetic_to_ecef
from tocsin.records.columns import KIND_SIZE, Kind, Region
from tocsin.tracking.belief import BETA, Q_COAST, believe
from tocsin.tracking.bridge import fall_slopes
from tocsin.tracking.charts import chart_axes, from_chart, in_chart, to_chart
from tocsin.tracking.filter import update_rows
from tocsin.tracking.initiation import SPEED_SD
from tocsin.tracking.measure import Looks, h, predict
from tocsin.tracking.models import COAST, REENTRY, SLOTS, Bank, advance_rows
from tocsin.tracking.sigma import Weights, correct, moments, points, weights
from validation.run import Book, Measured, at_most, between, near

book = Book("filters", "Filters", __doc__)
Array = NDArray[np.float64]
_THETA0 = 0.7
_DEG = math.pi / 180.0
_LAT, _LON = 50.0 * _DEG, 20.0 * _DEG
_SITE = np.asarray(geodetic_to_ecef(np.array([_LAT, _LON, 0.0])))
_ELEVATION, _AZIMUTH = 30.0 * _DEG, 40.0 * _DEG
_RANGE_SD = 30.0
_RUNS = 500
_LOOKS = 10
_ANGLES_DEG = (0.05, 0.1, 0.3)
_PERIODS_S = (1.0, 10.0)
_BOUND = "posterior Cramer-Rao bound along the truth"
_CHI = "chi-squared with 6 degrees of freedom"


def _radar(t: float) -> tuple[Array, Array]:
    theta = _THETA0 + OMEGA_GMST * t
    return to_eci(np.r_[_SITE, np.zeros(3)], theta), np.vstack([to_eci(a, theta) for a in enu_axes(_LAT, _LON)]).ravel()


def _looks(kind: Kind, region: Region, t: float, platform: Array, attitude: Array, z: Array, R: Array) -> Looks:
    k = len(z)
    return Looks(
        np.full(k, int(kind)), np.full(k, int(region)), np.full(k, t), np.zeros(k), np.tile(platform, (k, 1)),
        np.tile(attitude, (k, 1)), z, np.tile(R, (k, 1, 1)), np.full(k, KIND_SIZE[kind]),
    )  # fmt: skip


def _bank() -> Bank:
    par = believe(()).parameters.copy()
    par[BETA], par[Q_COAST] = 1e15, 1e-5  # no air: truth falls freely, whatever its height
    return Bank.of((COAST,), par, _THETA0)


class _Bounds:
    """The covariance (k, 6, 6) that nobody can go under, carried along the truths."""

    def __init__(self, P: Array) -> None:
        self.P = P.copy()

    def carry(self, truth: Array, t0: float, t1: float) -> None:
        """Truths in place and their bounds from ``t0`` to ``t1``."""
        F = np.empty((6, 6))
        for k in range(len(truth)):
            coast_to_stm(truth[k], t0, t1, _THETA0, truth[k], F)
            self.P[k] = F @ self.P[k] @ F.T + np.diag([0.0] * 3 + [1e-5 * (t1 - t0)] * 3)

    def look(self, truth: Array, looks: Looks, R: Array) -> Array:
        """A look at each truth: the bounds after it, and what would be measured without error."""
        z, H, _, _ = predict(truth, looks)
        n = int(looks.rows[0])
        H, R = H[:, :n], R[:n, :n]
        S = H @ self.P @ H.transpose(0, 2, 1) + R
        K = np.linalg.solve(S, H @ self.P).transpose(0, 2, 1)
        M = np.eye(6) - K @ H
        self.P = M @ self.P @ M.transpose(0, 2, 1) + K @ R @ K.transpose(0, 2, 1)
        return z


@dataclass(frozen=True)
class _Score:
    """NEES of every run, in the chart and Cartesian; rms position and velocity error over the bound's."""

    nees: Array
    cartesian: Array
    position: float
    velocity: float

    @property
    def ratio(self) -> float:
        return float(self.nees.mean() / 6.0)

    @property
    def half(self) -> float:
        return float(1.96 * self.nees.std() / 6.0 / math.sqrt(len(self.nees)))


def _nees(error: Array, P: Array) -> Array:
    return np.einsum("ki,ki->k", error, np.linalg.solve(P, error[:, :, None])[:, :, 0])


def _score(x: Array, P: Array, truth: Array, bound: Array, platform: Array | None) -> _Score:
    error = truth - x
    nees = cartesian = _nees(error, P)
    if platform is not None:
        e, y, J, there = np.empty((3, 3)), np.empty(6), np.empty((6, 6)), np.empty(6)
        off, C = np.empty_like(x), np.empty_like(P)
        for k in range(len(x)):
            chart_axes(x[k], platform, e, y)
            to_chart(y, e, J)
            in_chart(truth[k], platform, e, there)
            off[k], C[k] = there - y, J @ P[k] @ J.T
        nees = _nees(off, C)

    def ratio(s: slice) -> float:
        least = np.trace(bound[:, s, s], axis1=1, axis2=2).mean()
        return float(math.sqrt((error[:, s] ** 2).sum(axis=1).mean() / least))

    return _Score(nees, cartesian, ratio(slice(0, 3)), ratio(slice(3, 6)))


# ------------------------------------------------------------------------------------------ one radar, in its chart


@functools.cache
def _one_radar(km: float, deg: float, period: float, velocity_sd: float, charts: bool, points_too: bool) -> _Score:
    rng = np.random.default_rng([31, round(km), round(1000 * deg), round(period), round(velocity_sd)])
    s = deg * _DEG
    sigma = np.array([_RANGE_SD, s / math.cos(_ELEVATION), s, 0.0])
    R = np.diag([sigma[0] ** 2, sigma[1] ** 2, sigma[2] ** 2, 1.0])
    platform, attitude = _radar(0.0)
    ce, se = math.cos(_ELEVATION), math.sin(_ELEVATION)
    line = attitude.reshape(3, 3).T @ np.array([ce * math.sin(_AZIMUTH), ce * math.cos(_AZIMUTH), se])
    start = np.r_[platform[:3] + km * 1e3 * line, np.zeros(3)]
    start[3], start[4] = -OMEGA_GMST * start[1], OMEGA_GMST * start[0]
    # the first detection; truths are drawn from what is known after it
    e, y, G, mean = np.empty((3, 3)), np.empty(6), np.empty((6, 6)), np.empty(6)
    chart_axes(start, platform, e, y)
    sd = np.array([_RANGE_SD, s, s, velocity_sd, velocity_sd / y[0], velocity_sd / y[0]])
    from_chart(y, platform, e, mean, G)
    x, P = np.zeros((_RUNS, 1, SLOTS)), np.zeros((_RUNS, 1, SLOTS, SLOTS))
    x[:, 0, :6], P[:, 0, :6, :6] = mean, (G * sd**2) @ G.T
    truth, first = np.empty((_RUNS, 6)), np.empty((_RUNS, 6, 6))
    for k in range(_RUNS):
        from_chart(y + sd * rng.standard_normal(6), platform, e, truth[k], G)
        first[k] = (G * sd**2) @ G.T
    bounds = _Bounds(first)
    bank, rows, mu = _bank(), np.arange(_RUNS), np.ones((_RUNS, 1))
    chart, sites = np.full(_RUNS, 1 if charts else 0), np.tile(_SITE, (_RUNS, 1))
    t = 0.0
    for look in range(1, _LOOKS):
        t1 = look * period
        platform, attitude = _radar(t1)
        bounds.carry(truth, t, t1)
        seen = _looks(Kind.RAE, Region.SECTOR, t1, platform, attitude, np.zeros((_RUNS, 4)), R)
        z = bounds.look(truth, seen, R) + sigma * rng.standard_normal((_RUNS, 4))
        seen = _looks(Kind.RAE, Region.SECTOR, t1, platform, attitude, z, R)
        carried = advance_rows(
            bank, rows, np.full(_RUNS, t1), x, P, mu, np.zeros((_RUNS, 9)), np.full(_RUNS, t), np.zeros((_RUNS, 2))
        )
        before = np.ascontiguousarray(x[:, 0, :6]), np.ascontiguousarray(P[:, 0, :6, :6]), np.full(_RUNS, t)
        update_rows(
            bank, before, carried, np.ones(_RUNS, dtype=np.int64), chart, sites, 1, seen, rows, charts,
            points=points_too,
        )  # fmt: skip
        (x, P, mu), t = carried, t1
    return _score(x[:, 0, :6].copy(), P[:, 0, :6, :6].copy(), truth, bounds.P, platform)


def _cells(km: float, angles: tuple[float, ...], velocity_sd: float) -> dict[str, tuple[_Score, _Score]]:
    return {
        f"{deg:g} deg, {period:g} s": (
            _one_radar(km, deg, period, velocity_sd, True, False),
            _one_radar(km, deg, period, velocity_sd, False, False),
        )
        for deg in angles for period in _PERIODS_S
    }  # fmt: skip


def _consistency(km: float, angles: tuple[float, ...], velocity_sd: float) -> Measured:
    cells = _cells(km, angles, velocity_sd)
    worst = max((c for c, _ in cells.values()), key=lambda c: abs(math.log(c.ratio)))
    said = ", ".join(f"{name}: {c.ratio:.2f}" for name, (c, _) in cells.items())
    beside = ", ".join(f"{d.ratio:.3g}" for _, d in cells.values())
    return Measured(
        worst.ratio, (worst.ratio - worst.half, worst.ratio + worst.half), f"{said}; Cartesian filter: {beside}"
    )


def _error(km: float, angles: tuple[float, ...], velocity_sd: float) -> Measured:
    cells = _cells(km, angles, velocity_sd)
    said = ", ".join(f"{name}: {c.position:.2f}" for name, (c, _) in cells.items())
    velocity = ", ".join(f"{c.velocity:.2f}" for c, _ in cells.values())
    beside = ", ".join(f"{d.position:.3g}" for _, d in cells.values())
    return Measured(
        max(c.position for c, _ in cells.values()), note=f"{said}; velocity: {velocity}; Cartesian filter: {beside}"
    )


def _add(start: str, velocity_sd: float, km: float, angles: tuple[float, ...], stress: str) -> None:
    @book.row(
        f"one radar, {km:,.0f} km, {start}{stress}: ANEES/n in the chart after ten looks, worst of the cells",
        target=between(0.9, 1.1), source=_CHI,
    )  # fmt: skip
    def consistency() -> Measured:
        return _consistency(km, angles, velocity_sd)

    @book.row(
        f"one radar, {km:,.0f} km, {start}{stress}: position error over the bound, worst of the cells",
        target=at_most(1.1), source=_BOUND,
    )  # fmt: skip
    def error() -> Measured:
        return _error(km, angles, velocity_sd)


for _start, _sd in (("seed", SPEED_SD), ("known velocity", 50.0)):
    for _km in (500.0, 1000.0, 2000.0, 3000.0, 4500.0):
        _add(_start, _sd, _km, _ANGLES_DEG, "")
    for _km in (1000.0, 4500.0):
        _add(_start, _sd, _km, (1.0,), ", stress (1 deg)")


@book.row(
    "one radar, 2,000 km, seed, sigma points at every look: ANEES/n in the chart, worst of the cells",
    target=between(0.9, 1.1), source=_CHI,
)  # fmt: skip
def always_points() -> Measured:
    cells = {(d, p): _one_radar(2000.0, d, p, SPEED_SD, True, True) for d in _ANGLES_DEG for p in _PERIODS_S}
    worst = max(cells.values(), key=lambda c: abs(math.log(c.ratio)))
    return Measured(
        worst.ratio, (worst.ratio - worst.half, worst.ratio + worst.half),
        ", ".join(f"{d:g} deg, {p:g} s: {c.ratio:.2f}" for (d, p), c in cells.items()),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------- lines of sight


def _satellite(lon: float, t: float) -> tuple[Array, Array]:
    """A geostationary platform, and axes that look at the centre of the Earth."""
    a = 42_164e3
    w = math.sqrt(MU / a**3)
    c, s = math.cos(lon + w * t), math.sin(lon + w * t)
    return np.array([a * c, a * s, 0.0, -a * w * s, a * w * c, 0.0]), np.array([-s, c, 0.0, -c, -s, 0.0, 0.0, 0.0, 1.0])


def _sights(lons: tuple[float, ...], apart: float) -> tuple[list[_Score], float]:
    """Scores after each round of looks."""
    rng = np.random.default_rng([32, len(lons), round(apart)])
    start = to_eci(np.r_[np.asarray(geodetic_to_ecef(np.array([45.0 * _DEG, _LON, 250e3]))), np.zeros(3)], _THETA0)
    axes = np.vstack([to_eci(a, _THETA0) for a in enu_axes(45.0 * _DEG, _LON)])
    start[3:] = axes.T @ np.array([2100.0, 1750.0, 2170.0])
    sd = np.array([300e3] * 3 + [3000.0] * 3)
    truth = start + sd * rng.standard_normal((_RUNS, 6))
    x, P = np.zeros((_RUNS, 1, SLOTS)), np.zeros((_RUNS, 1, SLOTS, SLOTS))
    x[:, 0, :6], P[:, 0, :6, :6] = start, np.diag(sd**2)
    bounds, bank = _Bounds(np.tile(np.diag(sd**2), (_RUNS, 1, 1))), _bank()
    rows, mu, chart = np.arange(_RUNS), np.ones((_RUNS, 1)), np.zeros(_RUNS, dtype=np.int64)
    sigma, t, out = 30e-6, 0.0, []
    R = np.diag([sigma**2, sigma**2, 1.0, 1.0])
    for look in range(20):
        for s, lon in enumerate(lons):
            t1 = 10.0 * look + s * apart
            platform, attitude = _satellite(lon, t1)
            bounds.carry(truth, t, t1)
            blank = _looks(Kind.LOS, Region.VIEW, t1, platform, attitude, np.zeros((_RUNS, 4)), R)
            z = bounds.look(truth, blank, R)
            z[:, :2] += sigma * rng.standard_normal((_RUNS, 2))
            seen = _looks(Kind.LOS, Region.VIEW, t1, platform, attitude, z, R)
            carried = advance_rows(
                bank, rows, np.full(_RUNS, t1), x, P, mu, np.zeros((_RUNS, 9)), np.full(_RUNS, t), np.zeros((_RUNS, 2))
            )
            before = np.ascontiguousarray(x[:, 0, :6]), np.ascontiguousarray(P[:, 0, :6, :6]), np.full(_RUNS, t)
            later = np.full(_RUNS, 1 if t1 > t else 0)
            update_rows(bank, before, carried, later, chart, np.zeros((_RUNS, 3)), 0, seen, rows)
            (x, P, mu), t = carried, t1
        out.append(_score(x[:, 0, :6].copy(), P[:, 0, :6, :6].copy(), truth, bounds.P, None))
    return out, float(math.sqrt(np.trace(bounds.P[:, :3, :3], axis1=1, axis2=2).mean()))


def _add_sights(what: str, lons: tuple[float, ...], apart: float) -> None:
    cached = functools.cache(lambda: _sights(lons, apart))

    @book.row(f"lines of sight, {what}: ANEES/n, mean over 20 looks", target=between(0.9, 1.1), source=_CHI)
    def consistency() -> Measured:
        scores, last = cached()
        said = ", ".join(f"{scores[k - 1].ratio:.2f} after {k}" for k in (1, 2, 5, 10, 20))
        mean = float(np.mean([s.ratio for s in scores]))
        # errors of one run go on from look to look: the interval is that of one look
        half = float(np.mean([s.half for s in scores]))
        return Measured(mean, (mean - half, mean + half), f"{said}; bound {last:,.0f} m in the end")

    @book.row(f"lines of sight, {what}: position error over the bound at the end", target=at_most(1.1), source=_BOUND)
    def error() -> Measured:
        scores, _ = cached()
        return Measured(scores[-1].position, note=f"velocity {scores[-1].velocity:.2f}")


_add_sights("two satellites at the same moments", (0.9, 1.9), 0.0)
_add_sights("two satellites 3 s apart", (0.9, 1.9), 3.0)
_add_sights("one satellite", (0.9,), 0.0)


# --------------------------------------------------------------------------------------------------- sigma points

_EXTENDED_ALPHA = 1e-3


def _awb_rate(x: Array) -> Array:
    d = np.zeros_like(x)
    d[..., 0] = -x[..., 1]
    d[..., 1] = -np.exp(-5e-5 * x[..., 0]) * x[..., 1] ** 2 * x[..., 2]
    return d


def _awb_second(x: Array) -> Array:
    step = 1.0 / 64.0
    for _ in range(64):
        k1 = _awb_rate(x)
        k2 = _awb_rate(x + 0.5 * step * k1)
        k3 = _awb_rate(x + 0.5 * step * k2)
        k4 = _awb_rate(x + step * k3)
        x = x + step / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return x


@functools.cache
def _awb(extended: bool) -> dict[int, tuple[float, Array, Array]]:
    """At 10, 20, 30 and 60 s: true altitude (ft), errors of altitude (ft) and NEES over 500 runs."""
    runs, rng, w = 500, np.random.default_rng(33), weights(3, alpha=_EXTENDED_ALPHA if extended else 1.0)
    truth, x = np.array([3e5, 2e4, 1e-3]), np.tile([3e5, 2e4, 3e-5], (runs, 1))
    P = np.tile(np.diag([1e6, 4e6, 1e-4]), (runs, 1, 1))
    out = {}
    for second in range(1, 61):
        truth = _awb_second(truth)
        X = _awb_second(points(x, P, w))
        x, P = moments(X, w)
        z = math.hypot(1e5, truth[0] - 1e5) + 100.0 * rng.standard_normal((runs, 1))
        correct(x, P, X, np.hypot(1e5, X[..., :1] - 1e5), z, np.full((runs, 1, 1), 1e4), w)
        if second in (10, 20, 30, 60):
            out[second] = float(truth[0]), x[:, 0] - truth[0], _nees(x - truth, P)
    return out


@book.row(
    "Athans-Wishner-Bertolini: true altitude, worst of 10, 20, 30, 60 s off the published one", target=at_most(0.1),
    unit="ft", source="102,455.4, 39,452.6, 32,591.9, 26,732.3 ft",
)  # fmt: skip
def awb_truth() -> Measured:
    known = {10: 102_455.4, 20: 39_452.6, 30: 32_591.9, 60: 26_732.3}
    return Measured(max(abs(_awb(False)[t][0] - v) for t, v in known.items()))


def _add_awb(second: int) -> None:
    @book.row(
        f"Athans-Wishner-Bertolini, 500 runs: median NEES at {second} s", target=between(2.0, 3.0),
        source="2.37 is the median of chi-squared with 3 degrees; published runs 2.1 to 2.6",
    )  # fmt: skip
    def median() -> Measured:
        _, _, nees = _awb(False)[second]
        quantiles = ", ".join(f"{np.quantile(nees, q):.2f}" for q in (0.05, 0.25, 0.75, 0.95))
        low, high = np.sort(nees)[[228, 271]]  # binomial interval of the median of 500
        extended = _awb(True)[second][2]
        return Measured(
            float(np.median(nees)), (float(low), float(high)),
            f"quantiles 5, 25, 75, 95 %: {quantiles}; extended filter: median {np.median(extended):,.0f}",
        )  # fmt: skip


for _second in (10, 20, 30, 60):
    _add_awb(_second)


@book.row(
    "Athans-Wishner-Bertolini, 500 runs: mean absolute error of altitude at 60 s", target=at_most(30.0), unit="ft",
    source="mean altitude error 2.6 ft for an unscented filter elsewhere",
)  # fmt: skip
def awb_altitude() -> Measured:
    error = _awb(False)[60][1]
    half = 1.96 * float(np.abs(error).std()) / math.sqrt(len(error))
    mean = float(np.abs(error).mean())
    other = _awb(True)[60][1]
    return Measured(
        mean, (mean - half, mean + half),
        f"mean error {error.mean():.1f} ft; extended filter: {np.abs(other).mean():,.0f} ft",
    )  # fmt: skip


def _ju_rate(x: Array) -> Array:
    r = np.hypot(x[..., 0], x[..., 1])
    drag = -0.59783 * np.exp(x[..., 4] + (6374.0 - r) / 13.406) * np.hypot(x[..., 2], x[..., 3])
    pull = -398_600.0 / r**3
    d = np.zeros_like(x)
    d[..., 0], d[..., 1] = x[..., 2], x[..., 3]
    d[..., 2] = drag * x[..., 2] + pull * x[..., 0]
    d[..., 3] = drag * x[..., 3] + pull * x[..., 1]
    return d


def _ju_look(x: Array) -> Array:
    return np.stack([np.hypot(x[..., 0] - 6374.0, x[..., 1]), np.arctan2(x[..., 1], x[..., 0] - 6374.0)], axis=-1)


def _ju(w: Weights, runs: int) -> tuple[float, float]:
    """Position RMSE (m) over 200 s, and half its 95 % interval."""
    rng = np.random.default_rng(34)
    mean, noise = np.array([6500.4, 349.14, -1.8093, -6.7967, 0.6932]), math.sqrt(2.4064e-5)
    truth = np.tile(mean, (runs, 1))
    truth[:, :4] += 1e-3 * rng.standard_normal((runs, 4))
    x = np.tile(np.r_[mean[:4], 0.0], (runs, 1))
    P = np.tile(np.diag([1e-6] * 4 + [1.0]), (runs, 1, 1))
    Q, sigma = np.diag([0.0, 0.0, 2.4064e-5, 2.4064e-5, 1e-6]), np.array([1e-3, 0.17e-3])
    R, squares = np.tile(np.diag(sigma**2), (runs, 1, 1)), np.zeros(runs)
    for _ in range(2000):
        truth = truth + 0.1 * _ju_rate(truth)
        truth[:, 2:4] += noise * rng.standard_normal((runs, 2))
        X = points(x, P, w)
        x, P = moments(X + 0.1 * _ju_rate(X), w)
        P += Q
        X = points(x, P, w)
        z = _ju_look(truth) + sigma * rng.standard_normal((runs, 2))
        correct(x, P, X, _ju_look(X), z, R, w, wrapped=1)
        squares += ((x - truth)[:, :2] ** 2).sum(axis=1)
    squares /= 2000.0
    rms = 1e3 * math.sqrt(squares.mean())
    return rms, 1.96 * 1e6 * float(squares.std()) / math.sqrt(runs) / (2.0 * rms)


@book.row(
    "Julier-Uhlmann re-entry, 0.17 mrad: position RMSE", target=near(8.3, 0.2), unit="m",
    source="8.306 m, unscented and extended alike",
)  # fmt: skip
def julier_uhlmann() -> Measured:
    rms, half = _ju(weights(5, kappa=0.0), 400)
    others = _ju(weights(5, kappa=0.0, alpha=0.5, beta=2.0), 100)[0], _ju(weights(5, alpha=_EXTENDED_ALPHA), 100)[0]
    return Measured(
        rms, (rms - half, rms + half),
        f"cubature points, 400 runs; of the first 100, scaled points (alpha 0.5, beta 2): {others[0]:.2f} m, extended "
        f"filter: {others[1]:.2f} m",
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------- re-entry


def _falling(points_too: bool) -> tuple[Array, Array]:
    """NEES (7 slots) after 40 looks at 1 s of a body falling from 90 km, and errors of ln ballistic coefficient."""
    runs, rng, sigma = 200, np.random.default_rng(35), np.array([_RANGE_SD, 0.1 * _DEG, 0.1 * _DEG, 0.0])
    R = np.diag([sigma[0] ** 2, sigma[1] ** 2, sigma[2] ** 2, 1.0])
    axes = np.vstack([to_eci(a, _THETA0) for a in enu_axes(_LAT + 0.025, _LON)])
    start = to_eci(np.r_[np.asarray(geodetic_to_ecef(np.array([_LAT + 0.025, _LON, 90e3]))), np.zeros(3)], _THETA0)
    start[3:] = axes.T @ np.array([500.0, -1500.0, -2000.0])
    mean = np.r_[start, math.log(2000.0)]
    sd = np.array([500.0] * 3 + [50.0] * 3 + [0.7])
    truth = mean + sd * rng.standard_normal((runs, 7))
    x, P = np.zeros((runs, 1, SLOTS)), np.zeros((runs, 1, SLOTS, SLOTS))
    x[:, 0, :7], P[:, 0, :7, :7] = mean, np.diag(sd**2)
    bank = Bank.of((REENTRY,), believe(()).parameters, _THETA0)
    rows, mu = np.arange(runs), np.ones((runs, 1))
    # what drag does beside its mean, in truth and filter: winds and turning (m/s) and a coefficient that wanders
    wander = np.array([0.0] * 3 + [0.3] * 3 + [0.02])
    end, F = np.empty(6), np.zeros((7, 7))
    for look in range(1, 41):
        t0, t1 = look - 1.0, float(look)
        platform, attitude = _radar(t1)
        z, xo, Po = np.empty((runs, 4)), x.copy(), P.copy()
        for k in range(runs):
            coast_to(truth[k, :6].copy(), t0, t1, _THETA0, math.exp(truth[k, 6]), end)
            truth[k, :6] = end
            truth[k] += wander * rng.standard_normal(7)
            h(
                int(Kind.RAE), truth[k, :6], 0.0, int(Region.SECTOR), platform, attitude, np.zeros(4), z[k],
                np.empty((4, 6)), np.empty((4, 4)), np.empty(4),
            )  # fmt: skip
            fall_slopes(x[k, 0], t0, t1, _THETA0, end, F)
            xo[k, 0, :6] = end
            Po[k, 0, :7, :7] = F @ P[k, 0, :7, :7] @ F.T + np.diag(wander**2)
        z += sigma * rng.standard_normal((runs, 4))
        seen = _looks(Kind.RAE, Region.SECTOR, t1, platform, attitude, z, R)
        before = x.copy(), P.copy(), np.full(runs, t0)
        update_rows(
            bank, before, (xo, Po, mu), np.zeros(runs, dtype=np.int64), np.zeros(runs, dtype=np.int64),
            np.tile(_SITE, (runs, 1)), 1, seen, rows, points=points_too,
        )  # fmt: skip
        x, P = xo, Po
    error = truth - x[:, 0, :7]
    return _nees(error, P[:, 0, :7, :7]), error[:, 6]


@book.row(
    "re-entry, unknown ballistic coefficient (ln within 0.7), one radar, 40 looks, sigma points: ANEES/n (n = 7)",
    target=between(0.9, 1.1), source="chi-squared with 7 degrees of freedom",
)  # fmt: skip
def reentry() -> Measured:
    nees, error = _falling(True)
    other, far = _falling(False)
    half = 1.96 * float(nees.std()) / 7.0 / math.sqrt(len(nees))
    mean = float(nees.mean()) / 7.0
    return Measured(
        mean, (mean - half, mean + half),
        f"ballistic coefficient to {100.0 * error.std():.1f} %; extended filter: {other.mean() / 7.0:.3g}, "
        f"{100.0 * far.std():.1f} %",
    )  # fmt: skip


