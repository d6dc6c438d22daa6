# ruff: noqa: D103 - what a row measures stands in its decorator
"""Aircraft and recorded paths: flight plans against PROJ, recorded paths against what was left out of them.

Flight plans are drawn over the whole globe (poles and date line among them), 60 of six points each; the answer comes
from GeographicLib and PROJ (by pyproj), what is shown is the worst of all.

Hold-out: every second row of a real flight (ADS-B, `validation/data/adsb`) is left out, the path is laid through the
others, and its distance from the rows left out is taken, apart along and across the track and in height. That is an
upper bound of the path's own error: the rows left out are measured too, and the rows used are twice as far apart as in
use. The targets are not ours. Across: the position accuracy that surveillance asks of an aircraft, 0.05 nautical miles
with 95 % (NACp 8). Along: one second of flight, because the tables give whole seconds. Height: one step of the altitude
code, 25 feet. Speed: the velocity accuracy asked, 10 m/s (NACv 1); both accuracies by 14 CFR 91.227(c).

What is found along the track is the data's: times are those of reception, and `kiruna`, `munich` and `toulouse` stand
on steps of exactly 5 s, many rows halfway between their neighbours: they were resampled. The note gives what a straight
line between the rows misses by, and the last rows of each flight show what this unevenness does to the speed of a path
through every row, and how much of it is left when a table is thinned first (`AdsbPath.thinned`).
"""

from __future__ import annotations

import functools
import gzip
import math
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.precise import FreeBody, descend
from tocsin.earth.frames import OMEGA_GMST, to_ecef, to_eci
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.interop.adsb import read_adsb
from tocsin.scenario.specs import AircraftObject, TableObject, Waypoint
from tocsin.truth.aircraft import aircraft_body
from tocsin.truth.body import Body
from tocsin.truth.recorded import RecordedPath, recorded_body
from validation.run import Book, Measured, at_most

book = Book("aircraft", "Aircraft and recorded paths", __doc__)
DATA = Path(__file__).parent / "data" / "adsb"
FLIGHTS = ("kiruna", "munich", "toulouse", "belevingsvlucht")
_THETA0 = 1.0
_PLANS = 60
Array = NDArray[np.float64]


@functools.cache
def _plans() -> tuple[tuple[AircraftObject, Body], ...]:
    generator = np.random.default_rng(7)
    out = []
    for n in range(_PLANS):
        places = [(math.asin(generator.uniform(-1, 1)), generator.uniform(-math.pi, math.pi))]
        if n < 4:
            places = [(math.radians((89.5, -89.5, 0.0, 45.0)[n]), math.radians((0.0, 120.0, 179.9, -179.9)[n]))]
        for _ in range(5):
            from pyproj import Geod

            far, course = generator.uniform(1e5, 2e6), generator.uniform(-180, 180)
            lat, lon = map(math.degrees, places[-1])
            lon, lat, _ = Geod(ellps="WGS84").fwd(lon, lat, course, far)
            places.append((math.radians(lat), math.radians(lon)))
        points = tuple(Waypoint(*p, generator.uniform(0, 12e3), generator.uniform(100, 300)) for p in places)
        thing = AircraftObject("a", "0" * 32, "", n * 10**12, points, 30.0, math.radians(25.0), 1.0)
        out.append((thing, aircraft_body(thing, _THETA0)))
    return tuple(out)


def _places(body: Body, seconds: Array) -> Array:
    """Longitude, latitude (degrees), height (m) by PROJ, ``(n, 3)``, at times since the body's start."""
    from pyproj import Transformer

    ephemeris = Ephemeris([body.start_ns], [body.nodes])
    t = np.clip(body.start_ns + np.rint(seconds * 1e9).astype(np.int64), *ephemeris.span(0))
    x = to_ecef(ephemeris.states(0, t)[:, :3], _THETA0 + OMEGA_GMST * t / 1e9)
    return np.column_stack(Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True).transform(*x.T))


@book.row("distance from each point of the plan as it passes", target=at_most(1.0), unit="m", source="PROJ, by pyproj")
def points() -> Measured:
    from pyproj import Geod

    worst = 0.0
    for thing, body in _plans():
        t = np.array([body.facts.get(f"point{i}", 0.0) for i in range(1, 7)])
        at = _places(body, t)
        lat, lon, h = np.array([(p.lat, p.lon, p.h) for p in thing.points]).T
        over = Geod(ellps="WGS84").inv(np.degrees(lon), np.degrees(lat), at[:, 0], at[:, 1])[2]
        worst = max(worst, float(np.hypot(over, at[:, 2] - h).max()))
    return Measured(worst, note=f"worst of {6 * _PLANS} points")


@book.row(
    "straight parts: distance from the geodesic that PROJ draws from their middle to the point ahead",
    target=at_most(1.0),
    unit="m",
    source="GeographicLib, by pyproj.Geod",
)
def straight() -> Measured:
    from pyproj import Geod

    worst = 0.0
    for thing, body in _plans():
        for i in range(2, 7):
            t0, t1 = body.facts.get(f"point{i - 1}", 0.0), body.facts[f"point{i}"]
            to = thing.points[i - 1]
            # from the middle on every turn and change of speed is over
            t = np.linspace(t0 + 0.8 * (t1 - t0), t1, 15)
            at = _places(body, t)
            lon, lat = np.degrees(to.lon), np.degrees(to.lat)
            azimuth, _, length = Geod(ellps="WGS84").inv(at[0, 0], at[0, 1], lon, lat)
            gone = to.speed * (t - t[0])
            line = Geod(ellps="WGS84").fwd(
                np.full(15, at[0, 0]), np.full(15, at[0, 1]), np.full(15, azimuth), np.minimum(gone, length)
            )
            worst = max(worst, float(Geod(ellps="WGS84").inv(line[0], line[1], at[:, 0], at[:, 1])[2].max()))
    return Measured(worst, note=f"worst of {5 * _PLANS} legs, in time and place")


@book.row(
    "turns: distance from the circle of radius v² / (g tan bank)",
    target=at_most(1.0),
    unit="m",
    source="closed form; the centre and distances by pyproj.Geod",
)
def turns() -> Measured:
    from pyproj import Geod

    geod = Geod(ellps="WGS84")
    worst, n = 0.0, 0
    for thing, body in _plans():
        for i in range(2, 6):
            p, q = thing.points[i - 1], thing.points[i]
            before = _places(body, np.array([body.facts[f"point{i}"] - 5.0]))[0]
            radius = p.speed**2 / (9.80665 * math.tan(thing.bank))
            lon, lat = math.degrees(p.lon), math.degrees(p.lat)
            course = geod.inv(lon, lat, before[0], before[1])[0] + 180.0
            to = geod.inv(lon, lat, math.degrees(q.lon), math.degrees(q.lat))[0]
            change = (to - course + 180.0) % 360.0 - 180.0
            c_lon, c_lat, _ = geod.fwd(lon, lat, course + math.copysign(90.0, change), radius)
            # the straight line to the next point begins a little beyond the change of course at most 10 degrees early
            lasts = radius * math.radians(max(abs(change) - 20.0, 0.0)) / p.speed
            at = _places(body, body.facts[f"point{i}"] + np.linspace(0.0, lasts, 12))
            off = geod.inv(np.full(12, c_lon), np.full(12, c_lat), at[:, 0], at[:, 1])[2] - radius
            worst, n = max(worst, float(np.abs(off).max())), n + 1
    return Measured(worst, note=f"worst of {n} turns")


@book.row(
    "rate of climb over what is allowed",
    target=at_most(0.01),
    unit="m/s",
    source="the plan's own limit; heights by PROJ, every second",
)
def climbs() -> Measured:
    worst = -math.inf
    for thing, body in _plans():
        h = _places(body, np.arange(0.0, body.facts["duration"], 1.0))[:, 2]
        worst = max(worst, float(np.abs(np.diff(h)).max()) - thing.climb)
    return Measured(worst, note=f"worst of {_PLANS} plans")


def _arc(step: float) -> tuple[float, float]:
    """Greatest distance (m) of a recorded path with a row every ``step`` s from the ballistic arcs recorded, and the
    number of arcs."""
    generator = np.random.default_rng(3)
    worst = 0.0
    for _ in range(20):
        lat, lon = math.asin(generator.uniform(-1, 1)), generator.uniform(-math.pi, math.pi)
        course, climb = generator.uniform(-math.pi, math.pi), math.radians(generator.uniform(20, 70))
        level = math.cos(climb)
        v = generator.uniform(2e3, 6e3) * np.array(
            [level * math.sin(course), level * math.cos(course), math.sin(climb)]
        )
        x = np.concatenate([geodetic_to_ecef(np.array([lat, lon, 1e5])), v @ enu_axes(lat, lon)])
        flown = descend(to_eci(x, _THETA0), 0.0, _THETA0, FreeBody(0.0))
        truth = Ephemeris([0], [flown.nodes])
        t = np.arange(0.0, min(flown.nodes[-1, 0], 3000.0), step)
        at = np.linspace(0.0, t[-1], 4001)

        def ecef(ephemeris: Ephemeris, seconds: Array) -> Array:
            ns = np.rint(seconds * 1e9).astype(np.int64)
            return np.array(to_ecef(ephemeris.states(0, ns)[:, :3], _THETA0 + OMEGA_GMST * ns / 1e9))

        rows = tuple(
            (round(a * 1e9), float(b[0]), float(b[1]), float(b[2]))
            for a, b in zip(t, ecef_to_geodetic(ecef(truth, t)), strict=True)
        )
        body = recorded_body(TableObject("t", "0" * 32, "", "flight", rows, 2.0 * step, 1.0), _THETA0)
        off = np.linalg.norm(ecef(Ephemeris([0], [body.nodes]), at) - ecef(truth, at), axis=1)
        worst = max(worst, float(off.max()))
    return worst, 20


@book.row(
    "a ballistic flight recorded every second: path between rows",
    target=at_most(1.0),
    unit="m",
    source="the precise propagator that made the table (20 arcs, 2 to 6 km/s, to the ground)",
)
def arc_1() -> Measured:
    return Measured(_arc(1.0)[0], note="worst of 20")


@book.row(
    "the same, recorded every 10 s", target=at_most(10.0), unit="m", source="the precise propagator that made the table"
)
def arc_10() -> Measured:
    return Measured(_arc(10.0)[0], note="worst of 20")


@functools.cache
def _held_out(name: str) -> tuple[Array, Array, int, float]:
    """Errors ``(n, 3)`` along, across, up (m) at the rows left out, speed there (m/s), rows, median spacing (s)."""
    (flight,) = read_adsb(DATA / f"{name}.json.gz")
    rows = np.array([r[1:] for r in flight.rows])
    t = np.array([(r[0] - flight.rows[0][0]) / 1e9 for r in flight.rows])
    used, out = slice(0, None, 2), slice(1, None, 2)
    path = RecordedPath(t[used], rows[used, 0], rows[used, 1], np.array(rows[used, 2]))
    when = t[out][t[out] < t[used][-1]]
    there = rows[out][: len(when)]
    ours = path.geodetic(when)
    flat = ecef_path(ours) - ecef_path(there)
    # the track from the rows that were used, half a minute about the moment, so that their unevenness turns it little
    far = 15.0
    ahead = ecef_path(path.geodetic(np.minimum(when + far, t[used][-1])))
    behind = ecef_path(path.geodetic(np.maximum(when - far, 0.0)))
    errors = np.empty((len(when), 3))
    speed = np.empty(len(when))
    for i, (lat, lon, _) in enumerate(there):
        east, north, _ = enu_axes(float(lat), float(lon))
        way = np.array([east @ (ahead[i] - behind[i]), north @ (ahead[i] - behind[i])])
        size = float(np.hypot(*way))
        speed[i] = size / (min(when[i] + far, t[used][-1]) - max(when[i] - far, 0.0))
        way /= max(size, 1e-9)
        off = np.array([east @ flat[i], north @ flat[i]])
        errors[i] = way @ off, way[1] * off[0] - way[0] * off[1], ours[i, 2] - there[i, 2]
    return errors, speed, len(rows), float(np.median(np.diff(t)))


def _straight(name: str) -> Array:
    """Distance (m) of the rows left out from where straight flight between the others would be."""
    (flight,) = read_adsb(DATA / f"{name}.json.gz")
    x = ecef_path(np.array([r[1:] for r in flight.rows]))
    t = np.array([(r[0] - flight.rows[0][0]) / 1e9 for r in flight.rows])
    when = t[1::2][t[1::2] < t[::2][-1]]
    between = np.column_stack([np.interp(when, t[::2], x[::2, k]) for k in range(3)])
    return np.asarray(np.linalg.norm(between - x[1::2][: len(when)], axis=1))


def ecef_path(geodetic: Array) -> Array:
    """Earth-fixed positions on the ellipsoid (m) under geodetic ones, ``(n, 3)``."""
    return geodetic_to_ecef(np.column_stack([geodetic[:, :2], np.zeros(len(geodetic))]))


def _note(name: str, values: Array) -> str:
    _, _, n, step = _held_out(name)
    rms = math.sqrt(float(np.mean(values**2)))
    return (
        f"median {np.median(np.abs(values)):.1f}, rms {rms:.1f}, greatest {np.abs(values).max():.0f} m;"
        f" {len(values):,} of {n:,} rows left out, those used {2 * step:g} s apart"
    )


def _rows_of(name: str) -> None:
    @book.row(
        f"{name}: hold-out error across the track, 95 %",
        target=at_most(92.6),
        unit="m",
        source="ADS-B as received (OpenSky); target: NACp 8",
    )
    def across() -> Measured:
        errors = _held_out(name)[0][:, 1]
        return Measured(float(np.percentile(np.abs(errors), 95)), note=_note(name, errors))

    @book.row(
        f"{name}: hold-out error along the track, 95 %",
        target=at_most(1.0),
        unit="s of flight",
        source="ADS-B as received (OpenSky); target: the tables' whole seconds",
    )
    def along() -> Measured:
        errors, speed, _, _ = _held_out(name)
        moving = speed > 20.0
        seconds = np.abs(errors[moving, 0]) / speed[moving]
        straight = np.percentile(_straight(name)[moving] / speed[moving], 95)
        note = f"{_note(name, errors[:, 0])}; a straight line between rows misses the place by {straight:.2f} s"
        return Measured(float(np.percentile(seconds, 95)), note=note)

    @book.row(
        f"{name}: hold-out error of height, 95 %",
        target=at_most(7.62),
        unit="m",
        source="ADS-B as received (OpenSky); target: one step of 25 ft",
    )
    def height() -> Measured:
        errors = _held_out(name)[0][:, 2]
        return Measured(float(np.percentile(np.abs(errors), 95)), note=_note(name, errors))

    for step, words in ((0.0, "every row"), (30.0, "rows 30 s apart")):
        _speed_row(name, step, words)


def _speed_row(name: str, step: float, words: str) -> None:
    @book.row(
        f"{name}: speed of the path through {words} against the speed reported, rms",
        target=at_most(10.0),
        unit="m/s",
        source="the aircraft's own ground speed (ADS-B); target: NACv 1",
    )
    def speeds() -> Measured:
        raw = msgspec.json.decode(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
        said = {r["timestamp"] * 1_000_000: r["groundspeed"] * 1852 / 3600 for r in raw}
        (flight,) = read_adsb(DATA / f"{name}.json.gz")
        used = flight.thinned(step) if step else flight
        rows = used.on_clock(0, 0)
        body = recorded_body(TableObject("t", "0" * 32, "", "aircraft", rows, 3600.0, 1.0), _THETA0)
        t = np.array([r[0] for r in flight.on_clock(0, 0)])
        x = to_ecef(Ephemeris([0], [body.nodes]).states(0, t), _THETA0 + OMEGA_GMST * t / 1e9)
        off = np.linalg.norm(x[:, 3:], axis=1) - np.array([said[r[0]] for r in flight.rows])
        note = f"median {np.median(np.abs(off)):.1f}, greatest {np.abs(off).max():.0f} m/s; {len(rows):,} rows"
        return Measured(math.sqrt(float(np.mean(off**2))), note=note)


for _flight in FLIGHTS:
    _rows_of(_flight)
