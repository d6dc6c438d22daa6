# ruff: noqa: D103 - what a row measures stands in its decorator
"""Infrared satellites against closed forms, SciPy's distributions, pyerfa's Sun and the law of reflection.

The sunlit cloud of 25 September 1983, 20:15 UTC: the Sun stood 40 deg over the missile fields of Montana. A satellite
on a twelve-hour ellipse, 39,700 km up, met its reflection only off facets tilted from the flat: by about 35 deg with an
apogee at 36 N that sees Montana along the limb, by about 11 deg at 62 N; no place that sees Montana less than 10 deg
high does with less than 15 deg. **So flat cloud gives no launch there; tilts that spread by 4 deg could with an apogee
at 62 N, but the grazing view from 36 to 38 N asks for 12 deg or more** (a field three standard deviations off its lobe
shines with a ninetieth of its brightness). The picture is in *What a sensor sees*.
"""

from __future__ import annotations

import math
from functools import cache

import erfa
import numpy as np
from numpy.typing import NDArray
from scipy import integrate, stats

from tocsin.dynamics.signals import against_space, blinded, sees
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST, gmst82, to_eci
from tocsin.earth.sun import AU, sun_direction_ecef, sun_positions
from tocsin.scenario.specs import Bias, Infrared, Orbit, Sensor
from tocsin.sensing.glint import cloud_fields, facet_tilts, part_in_view
from tocsin.sensing.rig import Rig
from tocsin.sensing.scanning import Sensed
from tocsin.sensing.targets import Targets
from validation.run import Book, Measured, at_least, at_most, between, interval_holds, near

book = Book("infrared", "Infrared satellites", __doc__)
Array = NDArray[np.float64]
_GEO = 42_164_172.0
_WHEN = 433_368_900_000_000_000  # 1983-09-25T20:15:00Z
_THETA = gmst82(_WHEN)
_DEG = math.pi / 180.0
_MALMSTROM = (47.5 * _DEG, -111.2 * _DEG)
_HOUR = 3600 * NS


class _Still:
    """Objects that stay where they are on the turning Earth: ``place (n, 3)`` ecef."""

    def __init__(self, place: Array) -> None:
        self.place = place

    def states(self, rows: NDArray[np.int64], t_ns: NDArray[np.int64]) -> Array:
        x = np.concatenate([self.place[rows], np.zeros((len(rows), 3))], axis=1)
        return np.asarray(to_eci(x, _THETA + OMEGA_GMST * (t_ns * 1e-9)))

    def span(self, row: int) -> tuple[int, int]:
        del row
        return -_HOUR, 100 * _HOUR


def _satellite(**changes: object) -> Infrared:
    values: dict[str, object] = {
        "orbit": Orbit(_GEO, 0.0, 0.0, _THETA - 110.0 * _DEG, 0.0, 0.0), "scan_period": 1.0, "least_intensity": 20e3,
        "threshold_snr": 6.0, "reference_distance": 38e6, "cloud_top": 8e3, "sigma_pointing": 60e-6,
        "sigma_floor": 20e-6, "false_per_scan": 0.0, "latency": 5.0, "limb": 20e3, "staring": True,
    }  # fmt: skip
    return Infrared(**{**values, **changes})  # type: ignore[arg-type]


def _rig(model: Infrared, seed: int = 1) -> Rig:
    return Rig((Sensor(0, "satellite", "Satellite", "nation", model),), _THETA, seed)


def _plumes(n: int, strength: float) -> tuple[Targets, float]:
    """``n`` plumes at one place under the satellite, ``strength`` times the threshold, and their distance."""
    place = wgs84.geodetic_to_ecef([0.2, -1.8, 50e3])
    burns = [(j, -_HOUR, 100 * _HOUR, 20e3 * strength) for j in range(n)]
    still = _Still(np.tile(place, (n, 1)))
    eye = _GEO * np.array([math.cos(-110.0 * _DEG), math.sin(-110.0 * _DEG), 0.0])
    return Targets.of(still, range(1, n + 1), np.ones((n, 2)), np.zeros(n), burns), float(np.linalg.norm(eye - place))


def _seen(n: int, scans: int, strength: float, **changes: object) -> list[Sensed]:
    what, distance = _plumes(n, strength)
    rig = _rig(_satellite(reference_distance=distance, **changes))
    return [rig.step(k * 10 * NS, (k + 1) * 10 * NS, what) for k in range(scans // 10)]


# ---- lines of sight


def _pairs(n: int, low: float, high: float) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    lat = np.arcsin(rng.uniform(-1, 1, (2, n)))
    lon = rng.uniform(-math.pi, math.pi, (2, n))
    up = np.exp(rng.uniform(math.log(4e5), math.log(4e7), n))
    plume = rng.uniform(low, high, n)
    return (
        np.asarray(wgs84.geodetic_to_ecef(np.stack([lat[0], lon[0], up], axis=1))),
        np.asarray(wgs84.geodetic_to_ecef(np.stack([lat[1], lon[1], plume], axis=1))),
    )


def _roots(s: Array, p: Array) -> tuple[Array, Array, Array]:
    """Where the lines from s to p meet the ellipsoid (parts of the way), and their discriminants."""
    d = np.array([1 / wgs84.A, 1 / wgs84.A, 1 / wgs84.B])
    u, w = s * d, (p - s) * d
    a, b, c = (w * w).sum(1), (u * w).sum(1), (u * u).sum(1) - 1.0
    disc = b * b - a * c
    root = np.sqrt(np.maximum(disc, 0.0))
    return (-b - root) / a, (-b + root) / a, disc


@book.row(
    "occultation: of 50,000 lines of sight, those judged otherwise than by the discriminant of line and ellipsoid",
    target=at_most(0.0), source="closed form",
)  # fmt: skip
def occultation() -> Measured:
    s, p = _pairs(50_000, 100.0, 1e6)
    first, last, disc = _roots(s, p)
    blocked = (disc > 0.0) & (((first > 0.0) & (first < 1.0)) | ((last > 0.0) & (last < 1.0)))
    got = np.array([sees(*a, *b, 0.0, 0.0) for a, b in zip(s, p, strict=True)])
    return Measured(float((got == blocked).sum()), None, f"{int(blocked.sum())} of them hidden")


@book.row(
    "space behind a warm body: of 50,000 lines of sight, those judged otherwise than by the ray past the body",
    target=at_most(0.0), source="closed form",
)  # fmt: skip
def space() -> Measured:
    s, p = _pairs(50_000, 1e5, 2e6)
    _, last, disc = _roots(s, p)
    meets = (disc > 0.0) & (last > 0.0)
    got = np.array([against_space(*a, *b, 0.0) for a, b in zip(s, p, strict=True)])
    return Measured(float((got == meets).sum()), None, f"{int((~meets).sum())} of them before space")


@book.row(
    "past the limb: the height at which a plume comes into view over the horizon of the equator, worst of 200",
    target=at_most(1.0), unit="m", source="closed form: (a + limb) / cos(angle past the limb)",
)  # fmt: skip
def limb() -> Measured:
    worst = 0.0
    for past in np.linspace(0.02, 0.5, 200):
        tangent = wgs84.A + 30e3
        angle = math.acos(tangent / _GEO) + past
        low, high = 0.0, 5e6
        for _ in range(50):
            middle = 0.5 * (low + high)
            q = wgs84.A + middle
            seen = sees(_GEO, 0.0, 0.0, q * math.cos(angle), q * math.sin(angle), 0.0, 0.0, 30e3)
            low, high = (low, middle) if seen else (middle, high)
        worst = max(worst, abs(high - (tangent / math.cos(past) - wgs84.A)))
    return Measured(worst)


# ---- the Sun


def _erfa_sun(unix_ns: int, leap: int) -> Array:
    """Direction to the Sun (true equator, mean equinox of date)."""
    tt = 2440587.5 + (unix_ns / 1e9 + leap + 32.184) / 86400.0
    heliocentric, barycentric = erfa.epv00(tt, 0.0)
    u = -heliocentric["p"] / np.linalg.norm(heliocentric["p"])
    u = u + barycentric["v"] / 173.1446326742403  # aberration, au a day over the speed of light
    u = erfa.pnm06a(tt, 0.0) @ (u / np.linalg.norm(u))
    back = -erfa.ee06a(tt, 0.0)
    c, s = math.cos(back), math.sin(back)
    return np.asarray(np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ u)


@book.row(
    "Sun exclusion of 15 deg: angle to the Sun at which a satellite goes blind, worst of 300 over 2017 to 2026",
    target=at_most(0.01), unit="deg", source="pyerfa (epv00, pnm06a), bisection",
)  # fmt: skip
def exclusion() -> Measured:
    rng = np.random.default_rng(2)
    worst = 0.0
    for _ in range(300):
        when = int(rng.integers(1_483_300_000, 1_790_000_000)) * NS
        sun, true = sun_positions(when)[0], _erfa_sun(when, 37)
        p = -true * 4e6 + np.cross(true, rng.normal(size=3)) * 3e7
        if np.linalg.norm(p) < 1e7 or np.linalg.norm(np.cross(p, true)) < 1.2e7:
            continue  # in the shadow, or nearly
        axis = np.cross(true, rng.normal(size=3))
        axis /= np.linalg.norm(axis)
        low, high = 0.0, 0.6
        for _ in range(40):
            middle = 0.5 * (low + high)
            u = math.cos(middle) * true + math.sin(middle) * np.cross(axis, true)
            inside = blinded(*p, *(p + 1e7 * u), sun, math.cos(15.0 * _DEG))
            low, high = (middle, high) if inside else (low, middle)
        toward = true * AU - p  # the Sun's parallax across the orbit is a few seconds of arc
        u = math.cos(low) * true + math.sin(low) * np.cross(axis, true)
        worst = max(worst, abs(math.degrees(math.acos(u @ toward / np.linalg.norm(toward))) - 15.0))
    return Measured(worst)


# ---- detection


@book.row(
    "detection probability of a plume of 0.8, 0.9, 1, 1.1, 1.25 times the threshold: worst difference, 2e6 looks each",
    target=at_most(1e-3), source="normal tail",
)  # fmt: skip
def probability() -> Measured:
    worst, said = 0.0, []
    for strength in (0.8, 0.9, 1.0, 1.1, 1.25):
        parts = _seen(20_000, 100, strength)
        looks = 20_000 * sum(len(p.scans) for p in parts)
        got = sum(len(p.detections) for p in parts) / looks
        expected = float(stats.norm.sf(6.0 * (1.0 - strength)))
        worst = max(worst, abs(got - expected))
        said.append(f"{got:.4f} ({expected:.4f})")
    return Measured(worst, None, ", ".join(said))


@cache
def _errors(strength: float, keep: int = 100_000) -> tuple[Array, Array, float]:
    """Errors ``(m, 2)`` of lines of sight in true sigmas, the same in reported sigmas, and the true sigma (rad)."""
    scans = 10 * math.ceil(keep / 10_000 / 0.4)
    parts = _seen(2_000, scans, strength)
    # where the place is in each scan: satellite and Earth do not turn together to a hundredth of a sigma
    exact = np.concatenate([p.detections for p in _seen(1, scans, 1e12, sigma_pointing=0.0, sigma_floor=0.0)])
    where = exact["z"][np.argsort(exact["scan"]), :2]
    d = np.concatenate([p.detections for p in parts])
    objects = np.concatenate([p.links["object"] for p in parts])
    order = np.lexsort((d["scan"], objects))[:keep]  # a table's own order is by what was measured
    z, r = d["z"][order], d["R"][order]
    where = where[np.searchsorted(np.sort(exact["scan"]), d["scan"][order])]
    sigma = math.sqrt((20e-6) ** 2 + ((60e-6) ** 2 - (20e-6) ** 2) / strength**2)
    cosine = np.cos(where[:, 1])
    off = (z[:, :2] - where) * np.stack([cosine, np.ones(len(cosine))], axis=1)
    reported = np.stack([np.sqrt(r[:, 0]) * cosine, np.sqrt(r[:, 4])], axis=1)
    return off / sigma, off / reported, sigma


def _statistic(values: Array) -> Measured:
    mean, se = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    return Measured(mean, (mean - 1.96 * se, mean + 1.96 * se), f"{len(values):,} detections")


@book.row("errors over the sigma of the true SNR, plume of 1.5 thresholds: mean, 4e5 detections",
          target=at_most(0.007), source="0; 0.0016 is a standard error")  # fmt: skip
def error_mean() -> Measured:
    e, _, _ = _errors(1.5, 400_000)
    return Measured(float(np.abs(e.mean(axis=0)).max()), None, f"{len(e):,} detections, the worse of two angles")


@book.row("... variance", target=near(1.0, 0.009), source="1; 0.0022 is a standard error")
def error_variance() -> Measured:
    e, _, _ = _errors(1.5, 400_000)
    v = e.var(axis=0)
    low, high = (stats.chi2.ppf(q, len(e)) / len(e) for q in (0.025, 0.975))
    worse = float(v[int(np.argmax(np.abs(v - 1.0)))])
    return Measured(worse, (worse / high, worse / low), "the worse of two angles")


@book.row("... white: greatest correlation with the detection 1 to 10 before it, or of the two angles",
          target=at_most(0.007), source="0; 0.0016 is a standard error")  # fmt: skip
def error_white() -> Measured:
    e, _, _ = _errors(1.5, 400_000)
    n = len(e)
    lags = [abs(float((e[:-k, i] * e[k:, i]).mean())) for k in range(1, 11) for i in (0, 1)]
    return Measured(max(*lags, abs(float((e[:, 0] * e[:, 1]).mean()))), None, f"{n:,} detections")


@book.row(
    "... over the sigma of the measured SNR, at the threshold itself: mean square (the known inflation)",
    target=interval_holds(
        float(
            integrate.quad(
                lambda s: 2.0 * stats.norm.pdf(s - 6.0) * (60e-6) ** 2
                / ((20e-6) ** 2 + ((60e-6) ** 2 - (20e-6) ** 2) * (6.0 / s) ** 2),
                6.0, 20.0,
            )[0]
        )
    ),
    source="expectation over the noise that lifts it past the threshold (SciPy quadrature)",
)  # fmt: skip
def inflation() -> Measured:
    _, e, _ = _errors(1.0)
    return _statistic((e**2).mean(axis=1))


@book.row("false detections at 3 a scan: chi-square of 20,000 counts against Poisson, p-value",
          target=at_least(1e-3), source="Poisson")  # fmt: skip
def false_alarms() -> Measured:
    what, _ = _plumes(1, 1e-9)
    rig = _rig(_satellite(false_per_scan=3.0))
    parts = [rig.step(k * 1000 * NS, (k + 1) * 1000 * NS, what) for k in range(20)]
    counts = np.concatenate([p.scans["n_detections"] for p in parts])
    bins = np.arange(10)
    found = np.array([*((counts == b).sum() for b in bins), (counts >= 10).sum()], dtype=np.float64)
    share = np.array([*stats.poisson.pmf(bins, 3.0), stats.poisson.sf(9, 3.0)])
    return Measured(float(stats.chisquare(found, share * len(counts)).pvalue), None, f"mean {counts.mean():.4f}")


@book.row("a bias of 1 mrad that wanders over 60 s: standard deviation over 200 satellites",
          target=near(1.0, 0.15), unit="mrad", source="stated")  # fmt: skip
def wander() -> Measured:
    off = []
    for seed in range(200):
        model = _satellite(bias=Bias(slow=(1e-3, 0.0, 0.0, 0.0), tau=60.0), sigma_pointing=0.0, sigma_floor=0.0)
        what, _ = _plumes(1, 1e9)
        d = _rig(model, seed).step(0, 2 * NS, what).detections
        plain = _rig(_satellite(sigma_pointing=0.0, sigma_floor=0.0), seed).step(0, 2 * NS, what).detections
        off.append(float(d["z"][0, 0] - plain["z"][0, 0]) * 1e3)
    return Measured(float(np.std(off)))


# ---- sunlit cloud


def _malmstrom() -> tuple[Array, Array, Array]:
    lat, lon = _MALMSTROM
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    return np.asarray(wgs84.geodetic_to_ecef([lat, lon, 8e3])), up, sun_direction_ecef(_WHEN) * AU


@book.row("25 September 1983, 20:15 UTC: height of the Sun over Montana (47.5 N 111.2 W)",
          target=near(40.0, 0.5), unit="deg", source="pyerfa, true pole; the published account's geometry")  # fmt: skip
def montana() -> Measured:
    _, up, sun = _malmstrom()
    ours = math.degrees(math.asin(up @ sun / AU))
    true = _erfa_sun(_WHEN, 22)
    c, s = math.cos(_THETA), math.sin(_THETA)
    theirs = math.degrees(math.asin(up @ np.array([c * true[0] + s * true[1], c * true[1] - s * true[0], true[2]])))
    return Measured(ours, None, f"pyerfa {theirs:.3f}")


def _tilts_along_the_limb(lat: float) -> tuple[float, float, str]:
    """Tilts (deg) of facets over Montana for satellites 39,700 km up at a latitude that see it 0 to 20 deg high."""
    place, up, sun = _malmstrom()
    lons = np.arange(-60.0, 61.0, 0.5)
    at = np.asarray(wgs84.geodetic_to_ecef([[lat * _DEG, x * _DEG, 39.7e6] for x in lons]))
    d = at - place
    height = np.degrees(np.arcsin(d @ up / np.linalg.norm(d, axis=1)))
    tilts = np.degrees(facet_tilts(place, at, sun))
    chosen = (height > 0.0) & (height < 20.0)
    return (
        float(tilts[chosen].min()),
        float(tilts[chosen].max()),
        (
            f"{tilts[chosen].min():.0f} to {tilts[chosen].max():.0f} deg from"
            f" {lons[chosen].min():.0f} to {lons[chosen].max():.0f} deg of longitude"
        ),
    )


@book.row("... tilt of facets that mirror it to an apogee at 36 N, Montana 0 to 20 deg high: the greatest",
          target=between(33.0, 37.0), unit="deg", source="35 deg, worked out apart from this program")  # fmt: skip
def low_apogee() -> Measured:
    _, most, said = _tilts_along_the_limb(36.0)
    return Measured(most, None, said)


@book.row("... at 62 N: the least", target=between(10.0, 12.5), unit="deg", source="11 deg by the same")
def high_apogee() -> Measured:
    least, _, said = _tilts_along_the_limb(62.0)
    return Measured(least, None, said)


@book.row("... least tilt for any satellite 39,700 km up that sees Montana 0 to 10 deg high: flat cloud gives none",
          target=at_least(5.0), unit="deg", source="geometry")  # fmt: skip
def any_place() -> Measured:
    place, up, sun = _malmstrom()
    grid = [(la, lo) for la in range(-80, 81, 2) for lo in range(-180, 180, 2)]
    at = np.asarray(wgs84.geodetic_to_ecef([[la * _DEG, lo * _DEG, 39.7e6] for la, lo in grid]))
    d = at - place
    height = np.degrees(np.arcsin(d @ up / np.linalg.norm(d, axis=1)))
    tilts = np.degrees(facet_tilts(place, at, sun))
    chosen = np.flatnonzero((height > 0.0) & (height < 10.0))
    best = chosen[int(np.argmin(tilts[chosen]))]
    where = f"at {grid[best][0]} N {grid[best][1]} E; median {np.median(tilts[chosen]):.0f} deg"
    return Measured(float(tilts[best]), None, where)


_GLINT = {"glint_lobe": 8.0 * _DEG, "glint_intensity": 1e6, "glint_fields": 40.0}


def _expected_fields() -> float:
    """Integral over the sphere of the density of fields times the chance that one is bright enough to be detected."""
    model = _satellite(**_GLINT)
    density = model.glint_fields / part_in_view(_GEO, wgs84.A)  # over the whole sphere
    eye = _GEO * np.array([math.cos(-110.0 * _DEG), math.sin(-110.0 * _DEG), 0.0])
    sun = sun_direction_ecef(_WHEN) * AU
    n = 60_000  # an even spiral over the sphere
    i = np.arange(n) + 0.5
    lat, lon = np.arcsin(1.0 - 2.0 * i / n), math.pi * (1.0 + math.sqrt(5.0)) * i
    spots = np.asarray(wgs84.geodetic_to_ecef(np.stack([lat, lon, np.full(n, 8e3)], axis=1)))
    total = 0.0
    levels = np.linspace(1.5, 14.0, 400)  # of the true SNR, under a quarter of the threshold none count
    for p, la, lo in zip(spots, lat, lon, strict=True):
        up = np.array([math.cos(la) * math.cos(lo), math.cos(la) * math.sin(lo), math.sin(la)])
        e, s = eye - p, sun - p
        r = float(np.linalg.norm(e))
        e, s = e / r, s / np.linalg.norm(s)
        if e @ up <= 0.0 or s @ up <= 0.0:
            continue
        tilt = math.acos(min(float((e + s) @ up) / float(np.linalg.norm(e + s)), 1.0))
        if tilt > 6.0 * model.glint_lobe:
            continue
        scale = 6.0 * 1e6 * math.exp(-0.5 * (tilt / model.glint_lobe) ** 2) / 20e3 * (38e6 / r) ** 2
        chance = float(np.trapezoid(np.exp(-levels / scale) / scale * stats.norm.sf(6.0 - levels), levels))
        total += (chance + math.exp(-14.0 / scale)) / n
    return density * total


@book.row(
    "number of cloud fields that a satellite over 110 W sees shine (40 in view, tilts of 8 deg, 1 MW/sr), mean of 1,000"
    " skies, less what an integral over the sphere gives",
    target=interval_holds(0.0), source="integral over the sphere",
)  # fmt: skip
def fields() -> Measured:
    what, _ = _plumes(1, 1e-9)
    sky = Targets(what.ephemeris, what.keys, what.rcs, what.cutoff_ns, what.burns, unix_ns=_WHEN)
    model = _satellite(**_GLINT)
    counts = [_rig(model, seed).step(0, 1_999_000_000, sky).scans["n_detections"][0] for seed in range(1000)]
    expected = _expected_fields()
    m = _statistic(np.array(counts, dtype=np.float64) - expected)
    return Measured(m.value, m.interval, f"{np.mean(counts):.2f} against {expected:.2f}")


@book.row("cloud fields of one sky lie evenly over the Earth: chi-square over 20 belts of equal area, p-value",
          target=at_least(1e-3), source="uniform")  # fmt: skip
def even() -> Measured:
    place, _, _ = cloud_fields(1, 2000, 8e3)
    z = np.sin(wgs84.ecef_to_geodetic(place)[:, 0])
    count, _ = np.histogram(z, 20, (-1.0, 1.0))
    return Measured(float(stats.chisquare(count).pvalue))
