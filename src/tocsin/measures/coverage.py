"""Who sees what from where: a class of objects launched from each cell of a grid towards one place.

From each cell one nominal flight: the boost of the class's own least-energy flight over that range (``truth.flights``,
spreads zero), then an arc to the place as the Earth turns on, as much steeper than the
one of least energy as the class's own arcs are, without drag. A sensor first sees it
where one look would detect with even odds: the limits of ``sensing``, horizon, line of sight, Sun, radar equation,
fence and terrain are in it; when a sweep comes by, the delay to the centre, false detections, errors, and how long a
centre takes are not. So the times are the earliest that geometry and signal allow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.orbit import orbit_states
from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST, theta_at, to_ecef
from tocsin.earth.geodesics import inverse
from tocsin.earth.sun import sun_direction_ecef
from tocsin.earth.wgs84 import MU, R_MEAN, ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.measures import coverage_kernels as k
from tocsin.scenario.specs import Area, FlightClass, FlightObject, Infrared, Radar, Sensor, WorldSpec
from tocsin.truth.classes import FlightImpossible, nominal_class
from tocsin.truth.flights import Flight, solve

Floats = NDArray[np.float64]
STEP_S = 5.0  # between looks; what begins between two is found to a quarter of a second
_ORBIT_STEP_S = 10.0
_LAT = math.radians(40.0)  # from where the class is flown for its boost
_RANGES = 10  # at which the class is flown
_SHARES = 41  # of the burn at which its boost is kept
_DAY_NS = 86_400_000_000_000
LEAST_HEIGHTS = np.concatenate([np.arange(1e3, 20e3, 1e3), np.geomspace(20e3, 3000e3, 60)])


class CoverageError(ValueError):
    """What was asked of a coverage cannot be had."""


@dataclass(frozen=True)
class Boosts:
    """The nominal boost of a class over its ranges: ``ranges (k,)`` m, ``burn (k,)`` s, ``table (k, times, 2)`` height
    and way over the ground (m) at even shares of the burn, ``plumes (b, 3)`` from, to (shares of the burn), W/sr;
    ``tilt (k, 3)``: rad by which its arcs leave steeper than those of least energy, always, going east at the equator,
    and going north.
    """

    ranges: Floats
    burn: Floats
    tilt: Floats
    table: Floats
    plumes: Floats


@dataclass(frozen=True)
class Pack:
    """Sensors as the kernels take them, in the order given."""

    par: Floats
    site: Floats
    axes: Floats
    limits: Floats
    faces: Floats
    face_start: NDArray[np.int64]
    terrain: Floats
    terrain_start: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Coverage:
    """The labelled grid. ``lat``, ``lon``: middles of the cells (deg); ``cells``: per cell ``(lat, lon)`` under a name
    with its unit; ``first_s (lat, lon, sensor)``: s after launch, NaN for never. ``least_height_m (lat, lon)``: where
    some radar would find an object of the class after boost.
    """

    lat: Floats
    lon: Floats
    aim: tuple[float, float]  # deg
    aim_name: str
    class_id: str
    class_title: str
    sensors: tuple[Sensor, ...]
    unix_ns: int  # of the launches
    cells: dict[str, Floats]
    first_s: Floats
    least_height_m: Floats
    hours: tuple[Hour, ...] = field(default=())

    @property
    def weight(self) -> Floats:
        """Area of the cells (km2) where the class can fly, 0 elsewhere."""
        step = math.radians(float(self.lat[1] - self.lat[0]))
        area = (R_MEAN / 1e3) ** 2 * step * step * np.cos(np.radians(self.lat))
        return np.where(np.isfinite(self.cells["flight_time_s"]), area[:, None], 0.0)

    def share(self, what: str) -> float:
        """Share of the area from which the class can fly where a column is a number (a time: seen at all)."""
        w = self.weight
        total = float(w.sum())
        return float(w[np.isfinite(self.cells[what])].sum()) / total if total else math.nan

    def median(self, what: str) -> float:
        """Median over that area of a column, where it is a number."""
        return weighted_median(self.cells[what], self.weight)


@dataclass(frozen=True)
class Hour:
    """What launches at an hour of the day (UTC) would meet, over the area from which the class can fly: shares of it
    from which a satellite, any sensor, or both kinds see the flight; medians of the first looks (s); ``silent``: ids of
    sensors that are off for some of the hour.
    """

    hour: float
    share_infrared: float
    median_infrared_s: float
    share_any: float
    median_any_s: float
    share_both: float
    silent: tuple[str, ...]


def weighted_median(values: Floats, weight: Floats) -> float:
    """Median of the finite values, each as heavy as its weight; NaN of none."""
    good = np.isfinite(values) & (weight > 0.0)
    if not good.any():
        return math.nan
    v, w = values[good], weight[good]
    order = np.argsort(v, kind="stable")
    upto = np.cumsum(w[order])
    return float(v[order][np.searchsorted(upto, 0.5 * upto[-1])])


def even_odds_snr(pfa: float, swerling: int) -> float:
    """Mean SNR (ratio) at which one look detects with probability 1/2 (Swerling 0, 1, 3; one pulse).

    Swerling 1: pfa^(1 / (1 + SNR)); 3: (1 + 2 T s / (2 + s)^2) exp(-2 T / (2 + s)); 0: Marcum's Q. Raises ValueError
    for another case.
    """
    t = -math.log(pfa)
    if swerling == 1:
        return t / math.log(2.0) - 1.0
    from scipy.optimize import brentq  # takes a quarter of a second to load, and most runs never ask
    from scipy.stats import ncx2

    if swerling == 3:

        def chance(s: float) -> float:
            return (1.0 + 2.0 * t * s / (2.0 + s) ** 2) * math.exp(-2.0 * t / (2.0 + s))

    elif swerling == 0:

        def chance(s: float) -> float:
            return float(ncx2.sf(2.0 * t, 2, 2.0 * s))

    else:
        raise ValueError(f"Swerling case {swerling}; 0, 1 and 3 are known")
    return float(brentq(lambda s: chance(s) - 0.5, 1e-6, 10.0 * t + 100.0))


def nominal_boosts(flight_class: FlightClass) -> Boosts:
    """The boost of the nominal class over its ranges, from 40 degrees north: the mean of four directions.

    Raises CoverageError for a class without ballistic flights.
    """
    if flight_class.family != "ballistic":
        raise CoverageError(f"class {flight_class.id} is of the family {flight_class.family}; coverage flies ballistic")
    nominal = nominal_class(flight_class)
    rows = []
    for distance in np.geomspace(*flight_class.energy_range, _RANGES):
        try:
            ways = [_boost(nominal, float(distance), 0.5 * math.pi * i) for i in range(4)]
        except FlightImpossible:
            continue
        north, east, south, west = (_tilt(flight) for flight, _, _ in ways)
        tilt = ((north + east + south + west) / 4.0, (east - west) / 2.0 / math.cos(_LAT), (north - south) / 2.0)
        burn = sum(burn for _, burn, _ in ways) / 4.0
        rows.append((float(distance), burn, tilt, sum(table for _, _, table in ways) / 4.0, ways[0]))
    if len(rows) < 2:
        raise CoverageError(f"class {flight_class.id} flies nowhere at least energy")
    last, its_burn, _ = rows[-1][4]
    return Boosts(
        np.array([r[0] for r in rows]),
        np.array([r[1] for r in rows]),
        np.array([r[2] for r in rows]),
        np.ascontiguousarray(np.stack([r[3] for r in rows])),
        np.array([(to_s(a) / its_burn, to_s(b) / its_burn, w) for a, b, w in last.burns]).reshape(-1, 3),
    )


def _boost(nominal: FlightClass, distance: float, azimuth: float) -> tuple[Flight, float, Floats]:
    """A flight of least energy, when its thrust ends (s), height and way (m) at even shares of that ``(times, 2)``."""
    thing = FlightObject("a", "00", nominal.id, 0, _LAT, 0.0, 0.0, azimuth, distance, 0.0, "minimum-energy")
    flight = solve(thing, nominal, 0.0, 0)
    burn = to_s(flight.cutoff_ns)
    t = np.linspace(0.0, burn, _SHARES)
    nodes = flight.nodes[flight.nodes[:, 0] <= burn + 1e-6]
    x = np.stack([np.interp(t, nodes[:, 0], nodes[:, i]) for i in (1, 2, 3)], axis=-1)
    place = [ecef_to_geodetic(to_ecef(p, OMEGA_GMST * s)) for p, s in zip(x, t, strict=True)]
    way = [inverse(_LAT, 0.0, float(p[0]), float(p[1]))[0] for p in place]
    return flight, burn, np.stack([[float(p[2]) for p in place], way], axis=-1)


def _tilt(flight: Flight) -> float:
    """By how much (rad) a flight leaves its burnout steeper than the arc of least energy to where it comes down."""
    burn = to_s(flight.cutoff_ns)
    state = flight.nodes[np.searchsorted(flight.nodes[:, 0], burn - 1e-6), 1:7]
    end = flight.nodes[-1, 1:4]
    r1, r2 = math.hypot(*state[:3]), math.hypot(*end)
    steep = math.asin(float((state[:3] * state[3:]).sum()) / (r1 * math.hypot(*state[3:])))
    cosine = float((state[:3] * end).sum()) / (r1 * r2)
    chord = math.hypot(*(end - state[:3]))
    q = r1 * r2 * (1.0 - cosine) / chord
    g = r1 * r2 * math.sqrt(1.0 - cosine**2) / math.sqrt(MU * q)
    climb = (r2 * cosine - (1.0 - r2 / q * (1.0 - cosine)) * r1) / g
    return steep - math.atan2(climb, math.sqrt(MU * q) / r1)


def pack(sensors: Sequence[Sensor]) -> Pack:
    """Sensors as arrays."""
    m = len(sensors)
    par = np.zeros((m, k.SENSOR_PARAMETERS))
    site, axes, limits = np.zeros((m, 3)), np.zeros((m, 9)), np.zeros((m, 6))
    faces: list[tuple[float, float, float]] = []
    terrain: list[tuple[float, float]] = []
    face_start, terrain_start = [0], [0]
    for i, sensor in enumerate(sensors):
        model = sensor.model
        if isinstance(model, Infrared):
            par[i, k.S_KIND] = k.INFRARED
            par[i, k.S_POWER] = model.threshold_snr * model.reference_distance**2 / model.least_intensity
            par[i, k.S_NEEDED] = model.threshold_snr
            par[i, k.S_CLOUD_TOP], par[i, k.S_LIMB] = model.cloud_top, model.limb
            par[i, k.S_SUN] = math.cos(model.sun_exclusion)
            if model.least_body > 0.0:
                par[i, k.S_BODY] = model.threshold_snr * model.reference_distance**2 / model.least_body
        else:
            site[i] = geodetic_to_ecef(np.array([model.lat, model.lon, model.h]))
            axes[i] = np.asarray(enu_axes(model.lat, model.lon)).reshape(9)
            if isinstance(model, Radar):
                par[i, k.S_KIND] = k.RADAR
                par[i, k.S_POWER] = model.reference_snr * model.reference_range**4
                par[i, k.S_NEEDED] = even_odds_snr(model.pfa, model.swerling)
                low, high = (-math.pi, math.pi) if model.fence is None else model.fence
                limits[i] = *model.sector, model.el_min, model.el_max, model.range_min, model.range_max
                faces += [
                    (math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)) for a, e in model.boresights
                ]
                turned = sorted((a % (2.0 * math.pi), e) for a, e in model.terrain)
                terrain += turned
            else:
                par[i, k.S_KIND] = k.OVER_HORIZON
                par[i, k.S_POWER] = model.reference_snr * model.reference_range**4 / model.reference_rcs
                par[i, k.S_NEEDED] = even_odds_snr(model.pfa, 1)
                par[i, k.S_HEIGHT] = model.greatest_height
                low, high = -math.pi, math.pi
                limits[i] = *model.sector, -math.pi, math.pi, model.range_min, model.range_max
            par[i, k.S_SEARCH_LOW], par[i, k.S_SEARCH_HIGH] = low, high
        face_start.append(len(faces))
        terrain_start.append(len(terrain))
    return Pack(
        par, site, axes, limits, np.array(faces).reshape(-1, 3), np.array(face_start, dtype=np.int64),
        np.array(terrain).reshape(-1, 2), np.array(terrain_start, dtype=np.int64),
    )  # fmt: skip


def spans_of(
    world: WorldSpec, sensors: Sequence[Sensor], launch_ns: int, dimming: bool = True
) -> tuple[Floats, NDArray[np.int64]]:
    """What takes SNR from sensors, in s after a launch: from, to, factor (0: silent) ``(n, 3)``, and where each
    sensor's begin. Without ``dimming`` only silence counts.
    """
    rows: list[tuple[float, float, float]] = []
    start = [0]
    for sensor in sensors:
        for span in world.statuses:
            if span.sensor == sensor.id and span.what in ("silent", "degraded", "jammed"):
                if span.what != "silent" and not dimming:
                    continue
                factor = {"silent": 0.0, "degraded": span.amount}.get(span.what, 1.0 / max(span.amount, 1.0))
                rows.append((to_s(span.t0_ns - launch_ns), to_s(span.t1_ns - launch_ns), factor))
        for inject in world.injects:
            if inject.act == "sensor.silence" and inject.target == sensor.id:
                until = math.inf if inject.until_ns is None else to_s(inject.until_ns - launch_ns)
                rows.append((to_s(inject.at_ns - launch_ns), until, 0.0))
        start.append(len(rows))
    return np.array(rows).reshape(-1, 3), np.array(start, dtype=np.int64)


def _orbits(world: WorldSpec, sensors: Sequence[Sensor], launch_ns: int, longest_s: float) -> Floats:
    """Places (ecef) of the satellites among the sensors in steps of ``_ORBIT_STEP_S``; zero for the others."""
    n = math.ceil(longest_s / _ORBIT_STEP_S) + 2
    out = np.zeros((len(sensors), n, 3))
    t = launch_ns + (np.arange(n) * round(_ORBIT_STEP_S * 1e9)).astype(np.int64)
    theta = np.array([theta_at(world.theta0, int(x)) for x in t])
    for i, sensor in enumerate(sensors):
        if isinstance(sensor.model, Infrared):
            out[i] = to_ecef(np.ascontiguousarray(orbit_states(sensor.model.orbit, t)[:, :3]), theta)
    # the axes of the kernels are ecef of each moment
    return np.ascontiguousarray(out)


@dataclass(frozen=True, eq=False)
class Scene:
    """All that flights of one class towards one place need, made once for several hours."""

    world: WorldSpec
    flight_class: FlightClass
    aim: tuple[float, float]  # rad
    lat: Floats
    lon: Floats
    boosts: Boosts
    packed: Pack

    @classmethod
    def of(cls, world: WorldSpec, flight_class: FlightClass, aim: tuple[float, float], step_deg: float) -> Scene:
        """A grid over the whole Earth. Raises CoverageError for a step that does not divide 180 degrees."""
        n = round(180.0 / step_deg) if step_deg > 0.0 else 0
        if not 0.25 <= step_deg <= 30.0 or abs(n * step_deg - 180.0) > 1e-9:
            raise CoverageError(f"a step of {step_deg:g} deg; 0.25 to 30 that divide 180 are allowed")
        if not world.sensors:
            raise CoverageError("the scenario has no sensor")
        lat: Floats = -90.0 + step_deg * (np.arange(n, dtype=np.float64) + 0.5)
        lon: Floats = -180.0 + step_deg * (np.arange(2 * n, dtype=np.float64) + 0.5)
        return cls(world, flight_class, aim, lat, lon, nominal_boosts(flight_class), pack(world.sensors))

    def starts(self) -> Floats:
        """Ground places (ecef) of all cells, row by row."""
        phi, lam = np.meshgrid(np.radians(self.lat), np.radians(self.lon), indexing="ij")
        return np.ascontiguousarray(
            geodetic_to_ecef(np.stack([phi.ravel(), lam.ravel(), np.zeros(phi.size)], axis=-1)).reshape(-1, 3)
        )

    def watch(self, launch_ns: int, boost_only: bool = False, starts: Floats | None = None) -> tuple[Floats, Floats]:
        """Launches at a time (ns on the scenario's clock): ``first (cells, sensors)``, ``cells (cells, columns)``."""
        where = self.starts() if starts is None else np.ascontiguousarray(starts, dtype=np.float64)
        sensors = self.world.sensors
        spans, span_start = spans_of(self.world, sensors, launch_ns)
        longest = float(self.boosts.burn.max()) if boost_only else 7200.0
        sun = sun_direction_ecef(self.world.unix_ns + launch_ns)
        first = np.empty((len(where), len(sensors)))
        cells = np.empty((len(where), k.CELL_COLUMNS))
        c, p = self.flight_class, self.packed
        aim = np.asarray(geodetic_to_ecef(np.array([*self.aim, 0.0])), dtype=np.float64).reshape(3)
        k.watch(
            where, aim, self.boosts.ranges, self.boosts.burn, self.boosts.tilt, self.boosts.table, self.boosts.plumes,
            np.array(c.trough, dtype=np.float64), np.array([c.rcs_boost.nominal, c.rcs.nominal]), c.warm.nominal,
            p.par, p.site, p.axes, p.limits, p.faces, p.face_start, p.terrain, p.terrain_start,
            _orbits(self.world, sensors, launch_ns, longest), _ORBIT_STEP_S, sun, spans, span_start, STEP_S,
            boost_only, first, cells,
        )  # fmt: skip
        return first, cells

    def least_heights(self) -> Floats:
        """Least height (m) over each cell at which some radar would find the class after boost ``(lat, lon)``."""
        phi, lam = np.meshgrid(np.radians(self.lat), np.radians(self.lon), indexing="ij")
        # geocentric directions of the cells
        at = geodetic_to_ecef(np.stack([phi.ravel(), lam.ravel(), np.zeros(phi.size)], axis=-1)).reshape(-1, 3)
        unit = np.ascontiguousarray(at / np.sqrt((at**2).sum(axis=1))[:, None])
        out = np.empty(len(unit))
        p = self.packed
        k.least_height(
            unit, LEAST_HEIGHTS, self.flight_class.rcs.nominal, p.par, p.site, p.axes, p.limits, p.faces,
            p.face_start, p.terrain, p.terrain_start, out,
        )  # fmt: skip
        return out.reshape(phi.shape)


def _least(first: Floats, members: Sequence[int]) -> Floats:
    """Earliest over some sensors; NaN where none."""
    if not members:
        return np.full(len(first), np.nan)
    low = np.where(np.isnan(first[:, members]), np.inf, first[:, members]).min(axis=1)
    return np.where(np.isinf(low), np.nan, low)


def cover(
    world: WorldSpec,
    flight_class: FlightClass,
    aim: tuple[float, float],
    aim_name: str,
    step_deg: float | None = None,
    hours: bool = False,
) -> Coverage:
    """The coverage of a world's actual sensors, for launches at the scenario's start towards ``aim`` (rad).

    ``step_deg``: side of the cells, None: 2, or finer for a class of short range; ``hours``: also for launches at each
    full hour of that day (UTC). Raises CoverageError.
    """
    if step_deg is None:
        farthest = flight_class.energy_range[1]
        step_deg = 2.0 if farthest > 2500e3 else 1.0 if farthest > 1200e3 else 0.5
    scene = Scene.of(world, flight_class, aim, step_deg)
    first, cells = scene.watch(0)
    shape = (len(scene.lat), len(scene.lon))
    infrared = [i for i, s in enumerate(world.sensors) if isinstance(s.model, Infrared)]
    radars = [i for i in range(len(world.sensors)) if i not in infrared]
    by_radar, by_satellite = _least(first, radars), _least(first, infrared)
    any_ = _least(first, range(len(world.sensors)))
    time = cells[:, k.C_TIME]
    flies = np.isfinite(time)
    number = np.isfinite(first).sum(axis=1).astype(np.float64)
    kinds = np.isfinite(by_radar).astype(np.float64) + np.isfinite(by_satellite)
    columns = {
        "distance_km": cells[:, k.C_DISTANCE] / 1e3,
        "azimuth_deg": np.degrees(cells[:, k.C_AZIMUTH]),
        "flight_time_s": time,
        "burnout_s": cells[:, k.C_BURNOUT],
        "apogee_km": cells[:, k.C_APOGEE] / 1e3,
        "first_s": any_,
        "first_radar_s": by_radar,
        "first_infrared_s": by_satellite,
        "both_kinds_s": np.maximum(by_radar, by_satellite),
        "left_s": time - any_,
        "left_radar_s": time - by_radar,
        "sensors": np.where(flies, number, np.nan),
        "kinds": np.where(flies, kinds, np.nan),
        "seen_s": cells[:, k.C_SEEN],
        "gaps": cells[:, k.C_GAPS],
        "longest_gap_s": cells[:, k.C_GAP],
        "last_seen_s": cells[:, k.C_LAST],
    }
    return Coverage(
        scene.lat, scene.lon, (math.degrees(aim[0]), math.degrees(aim[1])), aim_name, flight_class.id,
        flight_class.title, world.sensors, world.unix_ns, {name: v.reshape(shape) for name, v in columns.items()},
        first.reshape(*shape, -1), scene.least_heights(),
        _hours(scene, first, radars, infrared) if hours else (),
    )  # fmt: skip


def _hours(scene: Scene, base: Floats, radars: list[int], infrared: list[int]) -> tuple[Hour, ...]:
    """Launches at each hour of the day: satellites move, the Sun moves, and what is silent changes."""
    world = scene.world
    made = []
    area = np.cos(np.radians(np.repeat(scene.lat, len(scene.lon))))
    into_day = world.unix_ns % _DAY_NS
    for hour in range(24):
        launch_ns = (hour * 3_600_000_000_000 - into_day) % _DAY_NS
        first, cells = scene.watch(launch_ns, boost_only=True)
        w = np.where(np.isfinite(cells[:, k.C_TIME]), area, 0.0)
        spans, start = spans_of(world, world.sensors, launch_ns)
        off = np.zeros(len(world.sensors), dtype=bool)
        late = base[:, radars].copy()  # the Earth turns with the radars: what they see does not depend on the hour
        for place, i in enumerate(radars):
            for t0, t1, factor in spans[start[i] : start[i + 1]]:
                if factor == 0.0:
                    late[(late[:, place] >= t0) & (late[:, place] < t1), place] = np.nan
                    off[i] |= t0 < 3600.0 and t1 > 0.0
        for i in infrared:
            off[i] = any(f == 0.0 and t0 < 3600.0 and t1 > 0.0 for t0, t1, f in spans[start[i] : start[i + 1]])
        by_radar = _least(late, range(len(radars)))
        by_satellite = _least(first, infrared)
        any_ = np.fmin(by_radar, by_satellite)
        both = np.isfinite(by_radar) & np.isfinite(by_satellite)
        total = float(w.sum())

        def share(good: NDArray[np.bool_], w: Floats = w, total: float = total) -> float:
            return float(w[good].sum()) / total if total else math.nan

        made.append(
            Hour(
                float(hour), share(np.isfinite(by_satellite)), weighted_median(by_satellite, w),
                share(np.isfinite(any_)), weighted_median(any_, w), share(both),
                tuple(s.id for s, gone in zip(world.sensors, off, strict=True) if gone),
            )
        )  # fmt: skip
    return tuple(made)


def choose_class(world: WorldSpec, wanted: str | None) -> FlightClass:
    """A class of the world by its id; without one that of its first ballistic object, else its most common ballistic
    class.

    Raises CoverageError.
    """
    by_id = {c.id: c for c in world.classes}
    if wanted is not None:
        if wanted not in by_id:
            raise CoverageError(f"no class {wanted!r} in this scenario; it has: {', '.join(sorted(by_id))}")
        return by_id[wanted]
    likely = sorted(by_id, key=lambda id: (-by_id[id].prior, id))
    for id in [*(thing.class_id for thing in world.objects), *likely]:
        if id in by_id and by_id[id].family == "ballistic":
            return by_id[id]
    raise CoverageError(f"no ballistic class in this scenario; it has: {', '.join(sorted(by_id))}")


def choose_aim(areas: Sequence[tuple[str, Area]], wanted: str | None) -> tuple[tuple[float, float], str]:
    """Where launches are meant to come down (rad) and its name.

    ``areas``: of each partner; ``wanted``: an area's id, "partner/area", or "LAT,LON" in degrees; None: the first area
    that is defended, else the first. The middle of an outline is the mean direction of its corners. Raises
    CoverageError.
    """
    if wanted is not None and "," in wanted:
        try:
            lat, lon = (float(part) for part in wanted.split(","))
        except ValueError:
            raise CoverageError(f"{wanted!r} is no place; LAT,LON in degrees is, such as 55.75,37.62") from None
        if not (abs(lat) <= 89.0 and abs(lon) <= 360.0):
            raise CoverageError(f"a place at {wanted}; latitudes to 89 deg and longitudes to 360 deg are allowed")
        return (math.radians(lat), math.radians(lon)), f"{lat:g}, {lon:g}"
    names = [f"{partner}/{area.id}" for partner, area in areas]
    if not areas:
        raise CoverageError("the scenario has no area; say where to with LAT,LON")
    if wanted is None:
        area = next((area for _, area in areas if area.kind == "defended"), areas[0][1])
    else:
        found = [area for name, (_, area) in zip(names, areas, strict=True) if wanted in (name, area.id)]
        if len(found) != 1:
            said = "several areas are called" if found else "no area"
            raise CoverageError(f"{said} {wanted!r}; there are: {', '.join(names)}, or LAT,LON")
        area = found[0]
    ring = np.array(area.rings[0])
    x = float((np.cos(ring[:, 1]) * np.cos(ring[:, 0])).sum())
    y = float((np.cos(ring[:, 1]) * np.sin(ring[:, 0])).sum())
    z = float(np.sin(ring[:, 1]).sum())
    return (math.atan2(z, math.hypot(x, y)), math.atan2(y, x)), area.name
