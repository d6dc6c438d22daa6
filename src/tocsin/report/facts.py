"""What the page needs of a run, read once from its tables into plain arrays and small objects.

Times are seconds since the scenario's epoch, positions latitude and longitude in rad and height in m. ``Facts.t0`` is
the first launch: the page counts "T+" from there, and draws satellites and aircraft from there on. Nothing here is a
simulation; ``views`` works out where the true position stood in a sensor's declared limits, which the run does not
record.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import parse_utc
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.records.arrow import values
from tocsin.report.declared import Declared, declared
from tocsin.report.views import Site, View, view

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAUNCHED = ("flight", "glide", "launch", "state", "recorded")
# a picture with more objects than this says nothing any more; the tables name them all
DRAWN_OBJECTS = 12


class RunLike(Protocol):
    """What a page or an export is made of: a run, or a run folder that was read."""

    @property
    def tables(self) -> Mapping[str, Any]:
        """Arrow tables by name, as in the data dictionary."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """The documented keys of ``summary.json``."""

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Format, seed, version, scenario text and hash."""

    @property
    def scenario(self) -> Mapping[str, Any]:
        """The parsed scenario as plain data."""


@dataclass(frozen=True)
class Flight:
    """One object as it was: rows a second apart, launch and impact added. ``phase``: "boost", "coast", "re-entry",
    "glide", "orbit", "air" per row; ``kind``: as in the table of objects, "flight" in runs that had none.
    """

    id: str
    class_id: str
    t: Floats
    lat: Floats
    lon: Floats
    h: Floats
    ecef: Floats
    phase: list[str]
    kind: str = "flight"
    down: bool = True  # whether its last row is where it comes down

    @property
    def launched(self) -> bool:
        """Whether it was launched as such: no satellite, no aircraft, nothing that came off another."""
        return self.kind in LAUNCHED

    @property
    def launch_s(self) -> float:
        """First second of flight."""
        return float(self.t[0])

    @property
    def end_s(self) -> float:
        """Last second of flight."""
        return float(self.t[-1])

    @property
    def burnout_s(self) -> float | None:
        """Last second of thrust."""
        burning = [float(t) for t, p in zip(self.t, self.phase, strict=True) if p == "boost"]
        return burning[-1] if burning else None

    def at(self, t: Floats) -> tuple[Floats, Floats, Floats]:
        """Latitude, longitude, height at times (nan outside the flight), along the chord between two rows."""
        out = [np.interp(t, self.t, self.ecef[:, i], left=np.nan, right=np.nan) for i in range(3)]
        place = np.stack(out, axis=-1)
        good = np.isfinite(place[:, 0])
        result = np.full((len(place), 3), np.nan)
        if good.any():
            result[good] = ecef_to_geodetic(place[good])
        return result[:, 0], result[:, 1], result[:, 2]

    def since(self, t: float) -> Flight:
        """The same from a time on."""
        k = int(np.searchsorted(self.t, t))
        names = ("t", "lat", "lon", "h", "ecef", "phase")
        return replace(self, **{name: getattr(self, name)[k:] for name in names})


@dataclass(frozen=True)
class Looks:
    """Detections of one sensor: time, object (row of ``Facts.flights``; -1 false; -2 one not drawn), place (nan: no
    range).
    """

    t: Floats
    object: Ints
    lat: Floats
    lon: Floats
    h: Floats


@dataclass
class Sensor:
    """A sensor as its scans showed it, with its detections and what it could have seen (one ``View`` per drawn
    flight).
    """

    id: str
    name: str
    nation: str
    kind: str
    site: Site
    scan_t: Floats
    period: float
    looks: Looks
    views: list[View] = field(default_factory=list)
    silent: list[tuple[float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Version:
    """One version of a warning with its two estimates and the risks in each area (area: (p_impact, p_passage, at_s,
    excluded)).
    """

    t: float
    version: int
    status: str
    confirmed: bool
    cause: str
    partner: str | None
    sources: str
    p_real: float
    confidence: str
    types: dict[str, float]
    estimates: dict[str, dict[str, Any]]
    risks: dict[str, tuple[float, float, float | None, bool]]


@dataclass
class Warned:
    """A warning: its versions in time order. ``object``: what measures found it to be of (None: false or unknown)."""

    uid: str
    nation: str
    versions: list[Version]
    object: str | None = None

    @property
    def first_confirmed(self) -> Version | None:
        """The first version that stood confirmed; None if none did."""
        return next((v for v in self.versions if v.confirmed), None)

    def at(self, t: float) -> Version | None:
        """The version that stood at a time."""
        standing = [v for v in self.versions if v.t <= t]
        return standing[-1] if standing else None


@dataclass
class Nation:
    """A partner: its sensors (rows of ``Facts.sensors``), warnings of its own label, decisions as rows of the table."""

    id: str
    name: str
    sensors: list[int]
    warnings: list[Warned]
    decisions: list[dict[str, Any]]
    events: list[dict[str, Any]]  # of the summary


@dataclass
class Facts:
    """Everything the page draws."""

    declared: Declared
    summary: Mapping[str, Any]
    manifest: Mapping[str, Any]
    tables: Mapping[str, Any]
    unix_ns: int
    t0: float
    t1: float
    flights: list[Flight]
    undrawn: int
    sensors: list[Sensor]
    nations: list[Nation]

    def nation(self, id: str) -> Nation | None:
        """A nation by id."""
        return next((n for n in self.nations if n.id == id), None)

    def nation_name(self, id: str) -> str:
        """What to call a nation."""
        found = self.nation(id)
        return found.name if found else self.declared.partner_name(id)


def rows(table: Any) -> list[dict[str, Any]]:
    """An Arrow table as a list of plain rows; an absent table has none."""
    return [] if table is None else list(table.to_pylist())


def floats(table: Any, column: str) -> Floats:
    """A column as float64, null as nan."""
    return np.asarray(values(table.column(column)), dtype=np.float64)


def texts(table: Any, column: str) -> list[str]:
    """A column of texts."""
    return list(table.column(column).to_pylist())


def gather(run: RunLike) -> Facts:
    """All that a page needs of ``run``."""
    said = declared(run.scenario, run.summary)
    flights, undrawn = _flights(run.tables)
    launches = [f.launch_s for f in flights if f.launched] or [f.launch_s for f in flights]
    t0 = min(launches) if launches else 0.0
    drawn = [f for f in (flight.since(t0) for flight in flights) if len(f.t) > 1]
    flights, undrawn = drawn, undrawn + len(flights) - len(drawn)
    sensors = _sensors(run.tables, flights, said)
    nations = _nations(run, said, sensors)
    truth = run.tables.get("truth")
    ends = [f.end_s for f in flights]
    if undrawn:
        ends.append(float(floats(truth, "t_s").max()))
    last = [d["t_s"] for n in nations for d in n.decisions] + [w.versions[-1].t for n in nations for w in n.warnings]
    t1 = max([*ends, *last, t0 + 60.0])
    return Facts(
        declared=said,
        summary=run.summary,
        manifest=run.manifest,
        tables=run.tables,
        unix_ns=_epoch(run),
        t0=t0,
        t1=t1,
        flights=flights,
        undrawn=undrawn,
        sensors=sensors,
        nations=nations,
    )


def _epoch(run: RunLike) -> int:
    """UTC of the epoch, from the first row that gives a time both ways."""
    for name in ("truth", "events", "scans"):
        table = run.tables.get(name)
        if table is not None and table.num_rows:
            row = table.slice(0, 1).to_pylist()[0]
            t = row["t1_s"] if name == "scans" else row["t_s"]
            return parse_utc(row["time_utc"]) - round(float(t) * 1e9)
    text = run.summary.get("epoch_utc") or run.scenario.get("start")
    return parse_utc(text) if isinstance(text, str) else 0


def _flights(tables: Mapping[str, Any]) -> tuple[list[Flight], int]:
    truth = tables.get("truth")
    if truth is None or truth.num_rows == 0:
        return [], 0
    names = texts(truth, "object")
    solved = {r["object"]: r for r in rows(tables.get("flights"))}
    kinds = {r["object"]: str(r["kind"]) for r in rows(tables.get("objects"))}
    order = sorted(dict.fromkeys(names), key=lambda name: kinds.get(name, LAUNCHED[0]) not in LAUNCHED)
    index = np.array([order.index(n) for n in names]) if len(order) <= 64 else _codes(names, order)
    t, lat, lon, h = (floats(truth, c) for c in ("t_s", "lat_deg", "lon_deg", "height_km"))
    phase = texts(truth, "phase")
    flights = []
    for k, name in enumerate(order[:DRAWN_OBJECTS]):
        pick = np.flatnonzero(index == k)
        pick = pick[np.argsort(t[pick], kind="stable")]
        seconds, words = t[pick], [phase[i] for i in pick]
        place = np.stack([np.radians(lat[pick]), np.radians(lon[pick]), h[pick] * 1e3], axis=-1)
        flew = solved.get(name, {})
        # the rows are at whole seconds: launch and impact lie before the first and after the last of them
        if flew and -1.5 < flew["launch_s"] - seconds[0] < 0.0:
            start = [math.radians(flew["launch_lat_deg"]), math.radians(flew["launch_lon_deg"]), 0.0]
            seconds, place = np.insert(seconds, 0, flew["launch_s"]), np.insert(place, 0, start, axis=0)
            words = [words[0], *words]
        comes_down = flew.get("impact_s")
        if comes_down is not None and 0.0 < comes_down - seconds[-1] < 1.5:
            end = [math.radians(flew["impact_lat_deg"]), math.radians(flew["impact_lon_deg"]), 0.0]
            seconds, place = np.append(seconds, comes_down), np.append(place, [end], axis=0)
            words = [*words, words[-1]]
        flights.append(
            Flight(
                name,
                str(flew.get("class", "")),
                seconds,
                place[:, 0],
                place[:, 1],
                place[:, 2],
                geodetic_to_ecef(place),
                words,
                kinds.get(name, LAUNCHED[0]),
                comes_down is not None and bool(seconds[-1] >= comes_down - 1e-6),
            )
        )
    return flights, max(0, len(order) - DRAWN_OBJECTS)


def _codes(names: Sequence[str], order: Sequence[str]) -> Ints:
    code = {n: i for i, n in enumerate(order)}
    return np.array([code[n] for n in names], dtype=np.int64)


def _sensors(tables: Mapping[str, Any], flights: list[Flight], said: Declared) -> list[Sensor]:
    scans = tables.get("scans")
    if scans is None or scans.num_rows == 0:
        return []
    column = {name: scans.column(name) for name in scans.column_names}
    ids = column["sensor"].to_pylist()
    order = sorted(dict.fromkeys(zip(column["nation"].to_pylist(), ids, strict=True)))
    code = _codes(ids, [s for _, s in order])
    t1 = floats(scans, "t1_s")
    number = {
        name: floats(scans, name)
        for name in (
            "azimuth_from_deg",
            "azimuth_to_deg",
            "elevation_min_deg",
            "elevation_max_deg",
            "range_min_km",
            "range_max_km",
            "platform_lat_deg",
            "platform_lon_deg",
            "platform_height_km",
        )
    }
    looks = _looks(tables, flights)
    sensors = []
    for k, (nation, sensor_id) in enumerate(order):
        pick = np.flatnonzero(code == k)
        pick = pick[np.argsort(t1[pick], kind="stable")]
        kind = column["sensor_kind"][int(pick[0])].as_py()
        first = {name: float(values[pick[0]]) for name, values in number.items()}
        place = np.stack(
            [
                np.radians(number["platform_lat_deg"][pick]),
                np.radians(number["platform_lon_deg"][pick]),
                number["platform_height_km"][pick] * 1e3,
            ],
            axis=-1,
        )
        site = Site(
            kind=kind,
            t=floats(scans, "t0_s")[pick],
            ecef=geodetic_to_ecef(place),
            lat=place[:, 0],
            lon=place[:, 1],
            h=place[:, 2],
            azimuth=(math.radians(first["azimuth_from_deg"]), math.radians(first["azimuth_to_deg"])),
            elevation=(math.radians(first["elevation_min_deg"]), math.radians(first["elevation_max_deg"])),
            range=(first["range_min_km"] * 1e3, first["range_max_km"] * 1e3),
            cloud_top=said.cloud_tops.get(sensor_id, 0.0),
        )
        times = t1[pick]
        period = float(np.median(np.diff(times))) if len(times) > 1 else 10.0
        made = Sensor(
            id=sensor_id,
            name=said.sensor_name(sensor_id),
            nation=nation,
            kind=kind,
            site=site,
            scan_t=times,
            period=period,
            looks=_placed(looks.get(sensor_id), site),
        )
        made.views = [view(site, f.t, f.ecef, f.h, f.phase) for f in flights]
        gaps = np.flatnonzero(np.diff(times) > 3.5 * max(period, 1e-9))
        made.silent = [(float(times[i]), float(times[i + 1])) for i in gaps]
        sensors.append(made)
    return sensors


def _looks(tables: Mapping[str, Any], flights: list[Flight]) -> dict[str, dict[str, Any]]:
    """Per sensor: times, object rows and what was measured."""
    table = tables.get("detections")
    if table is None or table.num_rows == 0:
        return {}
    caused: dict[tuple[str, int, int], str | None] = {}
    links = tables.get("truth_links")
    if links is not None and links.num_rows:
        parts = [links.column(c).to_pylist() for c in ("sensor", "scan", "n", "object")]
        caused = {(s, k, n): o for s, k, n, o in zip(*parts, strict=True)}
    known = {f.id: i for i, f in enumerate(flights)}
    ids, scan, n = (table.column(c).to_pylist() for c in ("sensor", "scan", "n"))
    measured = [floats(table, c) for c in ("t_s", "range_km", "azimuth_deg", "elevation_deg")]
    out: dict[str, dict[str, Any]] = {}
    by_sensor: dict[str, list[int]] = {}
    for i, sensor in enumerate(ids):
        by_sensor.setdefault(sensor, []).append(i)
    for sensor, pick in by_sensor.items():
        objects = [caused.get((sensor, scan[i], n[i])) for i in pick]
        out[sensor] = {
            "object": np.array([-1 if o is None else known.get(o, -2) for o in objects], dtype=np.int64),
            **{k: v[pick] for k, v in zip(("t", "range", "azimuth", "elevation"), measured, strict=True)},
        }
    return out


def _placed(found: dict[str, Any] | None, site: Site) -> Looks:
    """Detections with range put on the map by what was measured, errors and all."""
    if found is None:
        none = np.empty(0)
        return Looks(none, np.empty(0, dtype=np.int64), none, none, none)
    order = np.argsort(found["t"], kind="stable")
    t = found["t"][order]
    place = np.full((len(t), 3), np.nan)
    if site.kind == "radar":
        r = found["range"][order] * 1e3
        az, el = np.radians(found["azimuth"][order]), np.radians(found["elevation"][order])
        local = np.stack([np.cos(el) * np.sin(az), np.cos(el) * np.cos(az), np.sin(el)], axis=-1) * r[:, None]
        good = np.isfinite(local).all(axis=1)
        if good.any():
            axes = enu_axes(float(site.lat[0]), float(site.lon[0]))
            # sums written out: a matrix product would be over rows, which other code here avoids on principle
            moved = sum(local[good][:, i : i + 1] * axes[i] for i in range(3))
            place[good] = ecef_to_geodetic(site.ecef[0] + moved)
    return Looks(t, found["object"][order], place[:, 0], place[:, 1], place[:, 2])


def _nations(run: RunLike, said: Declared, sensors: list[Sensor]) -> list[Nation]:
    warned = _warnings(run.tables)
    decisions = rows(run.tables.get("decisions"))
    partners = [p for p in run.summary.get("partners", []) if isinstance(p, Mapping)]
    ids = [str(p.get("id", "")) for p in partners]
    ids += sorted(
        ({s.nation for s in sensors} | {w.nation for w in warned} | {d["nation"] for d in decisions}) - set(ids)
    )
    out = []
    for nation in dict.fromkeys(ids):
        entry = next((p for p in partners if p.get("id") == nation), {})
        events = [e for e in entry.get("events", []) if isinstance(e, Mapping)]
        mine = [w for w in warned if w.nation == nation]
        for w in mine:
            found = [e for e in events if e.get("warning") == w.uid]
            if found:
                w.object = found[0].get("object")
        out.append(
            Nation(
                id=nation,
                name=str(entry.get("name") or said.partner_name(nation)),
                sensors=[i for i, s in enumerate(sensors) if s.nation == nation],
                warnings=mine,
                decisions=sorted((d for d in decisions if d["nation"] == nation), key=lambda d: d["t_s"]),
                events=[dict(e) for e in events],
            )
        )
    return out


def _warnings(tables: Mapping[str, Any]) -> list[Warned]:
    """Warnings of each nation's own label, with what hangs on each version."""
    estimates: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for r in rows(tables.get("estimates")):
        estimates.setdefault((r["warning"], r["version"]), {})[r["what"]] = r
    risks: dict[tuple[str, int], dict[str, tuple[float, float, float | None, bool]]] = {}
    for r in rows(tables.get("risks")):
        risks.setdefault((r["warning"], r["version"]), {})[r["area"]] = (
            r["p_impact"],
            r["p_passage"],
            r["at_s"],
            r["excluded"],
        )
    found: dict[str, Warned] = {}
    for r in rows(tables.get("warnings")):
        if r["label"] != "own":
            continue
        key = (r["warning"], r["version"])
        found.setdefault(r["warning"], Warned(r["warning"], r["nation"], [])).versions.append(
            Version(
                t=r["t_s"],
                version=r["version"],
                status=r["status"],
                confirmed=r["confirmed"],
                cause=r["cause"],
                partner=r["partner"],
                sources=r["sources"],
                p_real=r["p_real"],
                confidence=r["confidence"],
                types=json.loads(r["types"] or "{}"),
                estimates=estimates.get(key, {}),
                risks=risks.get(key, {}),
            )
        )
    for w in found.values():
        w.versions.sort(key=lambda v: v.version)
    return list(found.values())
