# ruff: noqa: D103 - what a row measures stands in its decorator
"""Radars against the radar equation, closed forms and an independent calculation of first looks.

The ultra-high-frequency face: 609 kW peak for one 16 ms pulse, 38.6 dB of gain at 435 MHz both ways (effective aperture
G lambda^2 / 4 pi), 450 K, 7 dB of losses, 15 dB wanted. The X-band class: 81 kW average over a dwell of 0.1 s, 9.2 m2
at an efficiency of 0.8 both ways, 9.5 GHz, 13 dB wanted (taken as 20); the system temperature of 500 K and the losses
of 6 dB are not published: a row shows what other values of the two would make of it.

First looks: impulsive minimum-energy arcs on a sphere of 6,371 km that does not turn, put over the ellipsoid with their
latitudes, longitudes and heights; sectors, elevations and ranges as published; nothing below 5 km; no power. Tocsin's
sight (and its whole chain: a radar that scans every second and sees everything) stands beside PROJ's topocentric
coordinates and a root finder. The minutes asked for were worked out on the sphere throughout.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from scipy import integrate, optimize, stats

from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST, to_eci
from tocsin.scenario.specs import Bias, Radar, Sensor
from tocsin.sensing.biases import Biases
from tocsin.sensing.radar import Radars, aperture_of, detection_probability, gain_of, radar_range, threshold
from tocsin.sensing.radar_kernels import TROPOSPHERE, air_factor, ray_reach
from tocsin.sensing.rig import Rig
from tocsin.sensing.scanning import Sensed
from tocsin.sensing.targets import Targets
from tocsin.sensing.visibility import Sight
from validation.run import Book, Measured, at_least, at_most, between, near

book = Book("radar", "Radars", __doc__)
Array = NDArray[np.float64]
_DEG = math.pi / 180.0
_THETA0 = 0.4
_EQUATION = "the radar equation worked out elsewhere (Skolnik, Radar Handbook)"


def _ratio(db: float) -> float:
    return float(10.0 ** (db / 10.0))


# -------------------------------------------------------------------------------------------------- the radar equation


def _early_warning(rcs: float) -> float:
    gain = _ratio(38.6)
    return float(
        radar_range(609e3, gain, aperture_of(gain, 435e6), 16e-3, _ratio(15.0), rcs, 450.0, _ratio(7.0))
    ) / 1e3  # fmt: skip


def _x_band(rcs: float, temperature: float = 500.0, loss_db: float = 6.0) -> float:
    aperture = 9.2 * 0.8
    return float(
        radar_range(81e3, gain_of(aperture, 9.5e9), aperture, 0.1, 20.0, rcs, temperature, _ratio(loss_db))
    ) / 1e3  # fmt: skip


def _add(what: str, measured: Callable[[], float], expected: float) -> None:
    @book.row(what, target=near(expected, 0.01 * expected), unit="km", source=_EQUATION)
    def measure() -> Measured:
        return Measured(measured())


for _rcs, _km in ((0.1, 1878.0), (1.0, 3339.0), (10.0, 5938.0)):
    _add(f"early-warning face: range for {_rcs:g} m2", functools.partial(_early_warning, _rcs), _km)


@book.row(
    "X-band class: range for 0.01 m2", target=between(870.0, 895.0), unit="km",
    source="published analysis (about 870 km) and the same inputs worked out elsewhere (894 km)",
)  # fmt: skip
def x_band() -> Measured:
    return Measured(_x_band(0.01), note=f"0.1 m2: {_x_band(0.1):,.0f} km; 1 m2: {_x_band(1.0):,.0f} km")


@book.row(
    "X-band class: what unpublished temperature and losses allow, half of the spread", target=at_most(20.0), unit="%",
    source="400 to 700 K, 5 to 8 dB",
)  # fmt: skip
def x_band_spread() -> Measured:
    found = [_x_band(0.01, t, loss) for t in (400.0, 500.0, 600.0, 700.0) for loss in (5.0, 6.0, 7.0, 8.0)]
    needed = (_x_band(0.01) / 870.0) ** 4
    return Measured(
        50.0 * (max(found) - min(found)) / _x_band(0.01),
        note=f"{min(found):.0f} to {max(found):.0f} km; 870 km takes {10 * math.log10(needed):.2f} dB more",
    )


# ------------------------------------------------------------------------------------ looks, false detections, errors


@dataclass
class _Still:
    """Objects that stand on the turning Earth: ``ecef (n, 3)``."""

    ecef: Array

    def states(self, rows: NDArray[np.int64], t_ns: NDArray[np.int64]) -> Array:
        x = np.zeros((len(rows), 6))
        x[:, :3] = self.ecef[rows]
        return to_eci(x, _THETA0 + OMEGA_GMST * (np.asarray(t_ns) / 1e9))

    def span(self, row: int) -> tuple[int, int]:
        del row
        return -(10**15), 10**15


def _model(**changes: Any) -> Radar:
    values: dict[str, Any] = {
        "lat": 0.0, "lon": 0.0, "h": 0.0, "boresights": (), "sector": (0.0, 0.0), "el_min": 0.0, "el_max": 0.5 * np.pi,
        "range_min": 0.0, "range_max": 5e6, "reference_range": 1e6, "reference_snr": 100.0, "frequency": 435e6,
        "beam_az": 0.04, "beam_el": 0.03, "bandwidth": 1e6, "pfa": 1e-6, "false_per_scan": 0.0, "scan_period": 1.0,
        "latency": 0.5, "sigma_range": 0.0, "sigma_angle": 0.0,
    }  # fmt: skip
    return Radar(**{**values, **changes})


def _place(azimuth: float, elevation: float, distance: float) -> Array:
    a, e = azimuth * _DEG, elevation * _DEG
    local = np.array([math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)]) * distance
    return np.asarray(wgs84.geodetic_to_ecef(np.zeros(3)) + wgs84.enu_axes(0.0, 0.0).T @ local)


def _crowd(n: int, azimuth: float = 120.0, elevation: float = 35.0, distance: float = 1e6) -> Targets:
    where = _Still(np.tile(_place(azimuth, elevation, distance), (n, 1)))
    return Targets.of(where, range(1, n + 1), np.ones((n, 2)), np.full(n, 10**15), ())


def _rig(model: Radar, seed: int = 1) -> Rig:
    return Rig((Sensor(0, "radar", "", "", model),), _THETA0, seed)


def _scans(rig: Rig, what: Targets, last: int) -> list[Sensed]:
    return [rig.step(t * NS, (t + 1) * NS, what) for t in range(last)]


def _by_quadrature(swerling: int, snr: float, limit: float) -> float:
    steady = functools.partial(stats.ncx2.sf, 2.0 * limit, 2)
    if swerling == 0:
        return float(steady(2.0 * snr))
    shape = 1 if swerling == 1 else 2

    def part(s: float) -> float:
        return float(stats.gamma.pdf(s, shape, scale=snr / shape) * steady(2.0 * s))

    return float(integrate.quad(part, 0.0, 40.0 * snr, points=[snr, 2.0 * limit], limit=500)[0])


_SNRS = (3.0, 10.0, 13.0, 20.0, 40.0)


@book.row(
    "detection probability in closed form, Swerling 0, 1, 3, pfa 1e-4 to 1e-8", target=at_most(1e-3),
    source="SciPy: noncentral chi-square, integrated over the cross-section",
)  # fmt: skip
def closed_forms() -> Measured:
    worst = 0.0
    for pfa in (1e-4, 1e-6, 1e-8):
        for case in (0, 1, 3):
            model = _model(swerling=case, pfa=pfa)
            got = detection_probability(model, 1e6, np.array(_SNRS) / 100.0)
            worst = max(
                worst, *(abs(g - _by_quadrature(case, s, threshold(pfa))) for g, s in zip(got, _SNRS, strict=True))
            )
    return Measured(worst)


@book.row(
    "detections drawn against the closed forms, share of two million looks each", target=at_most(1e-3),
    source="closed forms; the worst of nine shares has an error of 0.0008 by chance",
)  # fmt: skip
def drawn() -> Measured:
    n, turns, worst, where = 20_000, 100, 0.0, ""
    what = _crowd(n)
    for case in (0, 1, 3):
        for snr in (8.0, 13.0, 30.0):
            model = _model(swerling=case, reference_snr=snr)
            parts = _scans(_rig(model), what, turns)
            looks = n * sum(len(p.scans) for p in parts)
            off = sum(len(p.detections) for p in parts) / looks - float(detection_probability(model, 1e6, 1.0))
            if abs(off) > worst:
                worst, where = abs(off), f"Swerling {case}, SNR {snr:g}"
    return Measured(worst, note=f"worst: {where}")


@book.row(
    "false detections a scan are Poisson at the stated rate: chi-square, p", target=at_least(0.001),
    source="Poisson distribution, 20,000 scans at 0.5 and at 4 a scan",
)  # fmt: skip
def false_detections() -> Measured:
    p = []
    for rate in (0.5, 4.0):
        counts = _rig(_model(false_per_scan=rate)).step(0, 20_000 * NS, _crowd(0)).scans["n_detections"]
        top = int(stats.poisson.isf(5.0 / len(counts), rate))
        seen = np.array([*(np.sum(counts == k) for k in range(top)), np.sum(counts >= top)])
        expected = np.array([*stats.poisson.pmf(range(top), rate), stats.poisson.sf(top - 1, rate)]) * len(counts)
        p.append(float(stats.chisquare(seen, expected).pvalue))
    return Measured(min(p))


@book.row(
    "noise alone exceeds the threshold as often as the pfa says: two million looks at nothing, pfa 1e-3",
    target=between(0.93e-3, 1.07e-3), source="pfa; the interval is three sigma",
)  # fmt: skip
def noise() -> Measured:
    parts = _scans(_rig(_model(swerling=0, reference_snr=1e-12, pfa=1e-3)), _crowd(20_000), 100)
    looks = 20_000 * sum(len(p.scans) for p in parts)
    return Measured(sum(len(p.detections) for p in parts) / looks)


@functools.cache
def _errors(snr: float) -> tuple[Array, Array, Array]:
    """Errors of range, azimuth, elevation over the true sigma, over the reported one; objects (in order of scans)."""
    n, turns = 2000, 61
    parts = _scans(_rig(_model(swerling=0, reference_snr=snr, doppler=False)), _crowd(n), turns)
    d = np.concatenate([p.detections for p in parts])
    error = d["z"][:, :3] - np.array([1e6, 120.0 * _DEG, 35.0 * _DEG])
    cell = 299_792_458.0 / 2e6
    sigma = np.array([cell, 0.04 / 1.6 / math.cos(35.0 * _DEG), 0.03 / 1.6]) / math.sqrt(2.0 * snr)
    return error / sigma, error / np.sqrt(d["R"][:, [0, 4, 7]]), np.concatenate([p.links for p in parts])["object"]


@book.row(
    "errors over the sigma of the true SNR: greatest mean of range, azimuth, elevation, in its own sigmas",
    target=at_most(4.0), source="mean 0, over 1e5 detections, SNR 20 dB",
)  # fmt: skip
def error_mean() -> Measured:
    unit = _errors(100.0)[0]
    worst = float(np.abs(unit.mean(axis=0)).max() * math.sqrt(len(unit)))
    return Measured(worst, note=f"{len(unit):,} detections")


@book.row(
    "errors over the sigma of the true SNR: the variance farthest from 1", target=near(1.0, 0.018),
    source="variance 1, over 1e5 detections, SNR 20 dB",
)  # fmt: skip
def error_variance() -> Measured:
    variance = _errors(100.0)[0].var(axis=0)
    return Measured(float(variance[np.argmax(np.abs(variance - 1.0))]))


@book.row(
    "errors are white: greatest correlation from look to look of an object and between the three, in its sigmas",
    target=at_most(4.0), source="correlation 0, lags 1 to 3",
)  # fmt: skip
def error_white() -> Measured:
    unit, _, objects = _errors(100.0)
    order = np.argsort(objects, kind="stable")
    e, o = unit[order], objects[order]
    worst = float(np.abs(np.corrcoef(unit.T) - np.eye(3)).max() * math.sqrt(len(unit)))
    for lag in (1, 2, 3):
        same = o[lag:] == o[:-lag]
        for c in range(3):
            a, b = e[lag:, c][same], e[:-lag, c][same]
            worst = max(worst, abs(float(np.corrcoef(a, b)[0, 1])) * math.sqrt(len(a)))
    return Measured(worst)


def _inflation(snr: float) -> float:
    """Mean of (measured SNR) / (true SNR) over the powers that are detected."""
    limit = threshold(1e-6)

    def part(p: float) -> float:
        return float((p - 1.0) / snr * 2.0 * stats.ncx2.pdf(2.0 * p, 2, 2.0 * snr))

    top = (math.sqrt(snr) + 8.0) ** 2
    return float(integrate.quad(part, limit, top, limit=500)[0] / stats.ncx2.sf(2.0 * limit, 2, 2.0 * snr))


for _snr in (10.0, 16.0, 40.0):

    def _shown(snr: float = _snr) -> Measured:
        variance = _errors(snr)[1].var(axis=0)
        share = float(detection_probability(_model(swerling=0), 1e6, snr / 100.0))
        return Measured(float(variance.mean()), note=f"{share:.2f} of the looks detected")

    book.row(
        f"errors over the sigma of the measured SNR: variance at a true SNR of {_snr:g}",
        target=near(round(_inflation(_snr), 4), 0.03 * _inflation(_snr)),
        source="mean of measured over true SNR of what passes the threshold, by quadrature",
    )(_shown)


# --------------------------------------------------------------------------------------------------- horizon, biases


@book.row(
    "reach to the horizon from 10 m to 4,000 km of height", target=at_most(2e-5), unit="rad",
    source="a ray of a quarter of the Earth's curvature in the lowest 6 km, integrated by SciPy",
)  # fmt: skip
def horizon() -> Measured:
    def bent(height: float) -> float:
        def ray(_: float, y: Array) -> tuple[float, float, float]:
            bend = 0.25 / wgs84.A if y[0] - wgs84.A < TROPOSPHERE else 0.0
            return math.sin(y[2]), math.cos(y[2]) / y[0], math.cos(y[2]) / y[0] - bend

        def there(_: float, y: Array) -> float:
            return float(y[0] - wgs84.A - height)

        there.terminal, there.direction = True, 1  # type: ignore[attr-defined]
        way = integrate.solve_ivp(
            ray, (0.0, 2e7), (wgs84.A, 0.0, 0.0), events=there, rtol=1e-10, atol=1e-6, max_step=5e3
        )
        return float(way.y_events[0][0][1])

    heights = (10.0, 100.0, 3e3, 12e3, 100e3, 1e6, 4e6)
    low = 1000.0
    rule = math.sqrt(2.0 * 4.0 / 3.0 * low / wgs84.A) * 4.0 / 3.0
    return Measured(
        max(abs(float(ray_reach(h)) - bent(h)) for h in heights),
        note=f"at {low:g} m {float(ray_reach(low)) * wgs84.A / 1e3:.1f} km, the rule of thumb has "
        f"{rule * wgs84.A * 0.75 / 1e3:.1f} km",
    )


@book.row(
    "objects under the horizon that were ever detected, of 20,000 places under it", target=at_most(0.0),
    source="a straight line through the ellipsoid, and more than twice the bending of a grazing ray deep",
)  # fmt: skip
def under() -> Measured:
    rng = np.random.default_rng(3)
    azimuth, reach = rng.uniform(0.0, 360.0, 20_000), 10.0 ** rng.uniform(5.0, 6.9, 20_000)
    down = -rng.uniform(1.5, 60.0, 20_000)
    ecef = np.array([_place(a, e, r) for a, e, r in zip(azimuth, down, reach, strict=True)])
    what = Targets.of(_Still(ecef), range(1, 20_001), np.ones((20_000, 2)), np.full(20_000, 10**15), ())
    model = _model(el_min=-0.5 * math.pi, range_max=1e8, reference_snr=1e30, swerling=0)
    return Measured(float(len(_rig(model).step(0, 2 * NS, what).detections)))


@book.row(
    "residual of refraction at 10 deg over that at 5 deg", target=near(0.4962, 1e-3),
    source="cotangent of the elevation: tan 5 / tan 10",
)  # fmt: skip
def refraction() -> Measured:
    return Measured(float(air_factor(10.0 * _DEG)))


@book.row(
    "a wandering bias: correlation after one correlation time, over 4,000 sensors", target=near(math.exp(-1.0), 0.055),
    source="exp(-1); four sigma",
)  # fmt: skip
def bias() -> Measured:
    n = 4000
    many = Biases([f"s{k}" for k in range(n)], [Bias(slow=(1.0, 0.0, 0.0, 0.0), tau=600.0)] * n, 1)
    which = np.arange(n)
    a, b = (many.at(which, np.full(n, t * NS))[:, 0] for t in (1000, 1600))
    return Measured(float(np.corrcoef(a, b)[0, 1]), note=f"variance {a.var():.3f} and {b.var():.3f}")


# ----------------------------------------------------------------------------------------------------- time and energy


@functools.cache
def _revisit(n: int, distance: float) -> float:
    """Mean s between looks at each of ``n`` objects in track above a fence, 10 ms at 1,000 km, half of the time."""
    model = _model(
        fence=(30.0 * _DEG, 36.0 * _DEG), track_period=1.0, dwell=0.01, reference_snr=1e4, swerling=0, search_share=0.5
    )
    rig = _rig(model)
    radars = rig._kinds[0][0]
    assert isinstance(radars, Radars)
    inside = np.array([_place(90.0 + 0.1 * k, 35.0, distance) for k in range(n)])
    outside = np.array([_place(90.0 + 0.1 * k, 40.0, distance) for k in range(n)])
    made = []
    for t in range(60):
        where = _Still(inside if t < 3 else outside)
        rig.step(t * NS, (t + 1) * NS, Targets.of(where, range(1, n + 1), np.ones((n, 2)), np.full(n, 10**15), ()))
        made += [s.made for s in radars.strain["radar"]] if t > 20 else []
    return n / float(np.mean(made))


for _n, _distance in ((40, 1.0e6), (100, 1.0e6), (200, 1.0e6), (100, 1.3e6)):
    _expected = max(1.0, _n * 0.01 * (_distance / 1e6) ** 4 / 0.5)

    def _raid(n: int = _n, distance: float = _distance) -> Measured:
        return Measured(_revisit(n, distance))

    book.row(
        f"revisit of {_n} objects held at {_distance / 1e3:,.0f} km by a radar with time for 50 at 1,000 km",
        target=near(round(_expected, 3), 0.03 * _expected), unit="s",
        source="energy of a look with range to the fourth for a held SNR, over the time there is",
    )(_raid)  # fmt: skip


# --------------------------------------------------------------------------------------------------------- first looks

_R = 6_371_000.0
_GM = 3.986004418e14


class _Arc:
    """Impulsive minimum-energy arc on a sphere that does not turn (degrees in, earth-fixed m out)."""

    def __init__(self, lat1: float, lon1: float, lat2: float, lon2: float) -> None:
        def unit(lat: float, lon: float) -> Array:
            a, o = lat * _DEG, lon * _DEG
            return np.array([math.cos(a) * math.cos(o), math.cos(a) * math.sin(o), math.sin(a)])

        a, b = unit(lat1, lon1), unit(lat2, lon2)
        self.phi = math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))
        # least energy: the empty focus lies in the middle of the chord
        self.a = 0.5 * _R * (1.0 + math.sin(0.5 * self.phi))
        self.e = 0.5 * _R * math.cos(0.5 * self.phi) / self.a
        self.start = a
        side = b - float(a @ b) * a
        self.side = side / np.linalg.norm(side)
        self.n = math.sqrt(_GM / self.a**3)
        self.e0 = self._eccentric(math.pi - 0.5 * self.phi)
        self.time = 2.0 * (math.pi - (self.e0 - self.e * math.sin(self.e0))) / self.n

    def _eccentric(self, true: float) -> float:
        return 2.0 * math.atan2(
            math.sqrt(1.0 - self.e) * math.sin(0.5 * true), math.sqrt(1.0 + self.e) * math.cos(0.5 * true)
        )

    def at(self, t: float) -> tuple[float, float, float]:
        """Latitude, longitude (rad), height (m)."""
        mean = self.e0 - self.e * math.sin(self.e0) + self.n * t
        big = optimize.brentq(lambda x: x - self.e * math.sin(x) - mean, 0.0, 2.0 * math.pi, xtol=1e-14)
        true = 2.0 * math.atan2(
            math.sqrt(1.0 + self.e) * math.sin(0.5 * big), math.sqrt(1.0 - self.e) * math.cos(0.5 * big)
        )
        along = (true % (2.0 * math.pi)) - (math.pi - 0.5 * self.phi)
        u = math.cos(along) * self.start + math.sin(along) * self.side
        height = self.a * (1.0 - self.e * math.cos(big)) - _R
        return math.asin(u[2]), math.atan2(u[1], u[0]), height

    def ecef(self, t: Array) -> Array:
        return np.asarray(wgs84.geodetic_to_ecef(np.array([self.at(float(s)) for s in np.atleast_1d(t)])))


@dataclass
class _Flown:
    """An arc as something to look at."""

    arc: _Arc

    def states(self, rows: NDArray[np.int64], t_ns: NDArray[np.int64]) -> Array:
        del rows
        t = np.asarray(t_ns) / 1e9
        x = np.zeros((len(t), 6))
        x[:, :3] = self.arc.ecef(t)
        x[:, 3:] = (self.arc.ecef(t + 0.01) - self.arc.ecef(t - 0.01)) / 0.02
        return to_eci(x, _THETA0 + OMEGA_GMST * t)

    def span(self, row: int) -> tuple[int, int]:
        del row
        t = np.arange(0.0, self.arc.time, 0.05)
        up = t[[self.arc.at(float(s))[2] > 5e3 for s in t]]
        return int(up[0] * NS), int(up[-1] * NS)


_PLAINS = (47.5, -111.2, 55.75, 37.62)
_SEA = (60.0, -20.0, 55.75, 37.62)
# latitude, longitude, sector, elevations (deg), greatest range (km)
_OLENEGORSK = (68.11, 33.91, 280.0, 340.0, 5.5, 34.5, 4600.0)
_LEKHTUSI = (60.28, 30.55, 245.0, 355.0, 2.0, 70.0, 6000.0)
_PECHORA = (65.21, 57.30, 305.0, 55.0, 2.0, 55.0, 6000.0)
_LOOKS = (
    ("US plains to Moscow from Olenegorsk", _PLAINS, _OLENEGORSK, 12.8),
    ("US plains to Moscow from Lekhtusi", _PLAINS, _LEKHTUSI, 14.0),
    ("US plains to Moscow from Pechora", _PLAINS, _PECHORA, 14.2),
    ("60 N 20 W to Moscow from Lekhtusi", _SEA, _LEKHTUSI, 3.0),
)


@functools.cache
def _first(ends: tuple[float, ...], site: tuple[float, ...]) -> tuple[float, float, float]:
    """First look (s): by the sight of many places, by a radar's scans, by PROJ and a root finder."""
    arc = _Arc(*ends)
    lat, lon, az_from, az_to, low, high, far = site
    radar = _model(
        lat=lat * _DEG, lon=lon * _DEG, sector=(az_from * _DEG, az_to * _DEG), el_min=low * _DEG, el_max=high * _DEG,
        range_max=far * 1e3, reference_snr=1e30, swerling=0, scan_period=1.0,
    )  # fmt: skip
    t = np.arange(0.0, arc.time, 0.1)
    places = np.array([arc.at(float(s)) for s in t])
    lit = Sight([radar]).lit(wgs84.geodetic_to_ecef(places))[0] & (places[:, 2] > 5e3)
    sight = float(t[np.argmax(lit)])
    what = Targets.of(_Flown(arc), [1], np.ones((1, 2)), [10**15], ())
    seen = _rig(radar).step(0, round(arc.time) * NS, what).detections["t_ns"]
    scans = float(seen.min()) / 1e9
    local = Transformer.from_pipeline(f"+proj=topocentric +ellps=WGS84 +lat_0={lat} +lon_0={lon} +h_0=0")
    cart = Transformer.from_pipeline("+proj=cart +ellps=WGS84")

    def margin(s: float) -> float:
        """The least of all margins (deg, or km over 100, or so): positive in sight."""
        la, lo, h = arc.at(s)
        e, n, u = local.transform(*cart.transform(math.degrees(lo), math.degrees(la), h))
        r = math.hypot(e, n, u)
        el, az = math.degrees(math.asin(u / r)), math.degrees(math.atan2(e, n))
        wide = (az_to - az_from) % 360.0
        past = (az - az_from + 0.5 * wide) % 360.0 - 0.5 * wide
        return min(el - low, high - el, past, wide - past, (far - r / 1e3) / 100.0, (h - 5e3) / 1e3)

    steps = np.arange(5.0, arc.time, 5.0)
    k = next(i for i, s in enumerate(steps) if margin(float(s)) > 0.0)
    exact = float(optimize.brentq(margin, steps[k - 1], steps[k], xtol=1e-6))
    return sight, scans, exact


for _name, _ends, _site, _minutes in _LOOKS:

    def _minute(ends: tuple[float, ...] = _ends, site: tuple[float, ...] = _site) -> Measured:
        sight, scans, exact = _first(ends, site)
        return Measured(sight / 60.0, note=f"sight {sight:.1f} s, scans {scans:.1f} s, PROJ {exact:.2f} s")

    book.row(
        f"first look: {_name}", target=near(_minutes, 0.1), unit="min after launch",
        source="the same on the sphere, in steps of 5 s",
    )(_minute)  # fmt: skip


@book.row(
    "first looks: greatest difference between sight, scans each second and PROJ", target=at_most(1.0), unit="s",
    source="PROJ's topocentric coordinates and a root finder",
)  # fmt: skip
def first_looks() -> Measured:
    found = [_first(ends, site) for _, ends, site, _ in _LOOKS]
    return Measured(max(abs(a - exact) for sight, scans, exact in found for a in (sight, scans)))


@book.row(
    "the two arcs: flight time of the longer", target=near(28.4, 0.05), unit="min",
    source="minimum-energy arc of 8,170 km on the sphere",
)  # fmt: skip
def arcs() -> Measured:
    far, short = _Arc(*_PLAINS), _Arc(*_SEA)
    return Measured(far.time / 60.0, note=f"{far.phi * _R / 1e3:,.0f} km; the other {short.phi * _R / 1e3:,.0f} km in "
                    f"{short.time / 60.0:.1f} min (15.9)")  # fmt: skip
