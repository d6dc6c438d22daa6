"""A run made by hand whose every number is known: one rocket flies due north along a meridian, one nation's satellite
sees it, the other nation is told and later sees it with a radar. A second object is never seen; one warning is false.

Times in s since the epoch; the rocket leaves at 10 and comes down at 610, twelve degrees further north.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tocsin.earth.clock import parse_utc
from tocsin.earth.frames import OMEGA_GMST, gmst82, to_eci
from tocsin.earth.wgs84 import enu_axes, geodetic_to_ecef
from tocsin.records import columns as c
from tocsin.records.record import Input, Phase, Record, Source, pack
from tocsin.records.shapes import AreaRisk, Decision, Envelope, Estimate, Evidence, TrackEvent, WarningVersion
from tocsin.records.words import Facts, SensorFact

S = 1_000_000_000
UNIX_NS = parse_utc("2020-01-01T00:00:00Z")
THETA0 = gmst82(UNIX_NS)
LAUNCH, CUTOFF, APOGEE, IMPACT = 10, 110, 310, 610
LON = 10.0
DISH = (6.0, 12.0)  # latitude, longitude of the radar
FACTS = Facts(
    UNIX_NS,
    THETA0,
    ("north-star", "unseen"),
    (SensorFact(0, "dish", "radar", "a"), SensorFact(1, "eye", "infrared", "b", 10_000.0)),
)


def lat_deg(t: float) -> float:
    return (t - LAUNCH) * 0.02


def height_km(t: float) -> float:
    u = (t - LAUNCH) / (IMPACT - LAUNCH)
    return 1200.0 * u * (1.0 - u)


def box(south: float, north: float) -> list[list[float]]:
    return [[LON - 1, south], [LON + 1, south], [LON + 1, north], [LON - 1, north]]


def region(south: float, north: float) -> dict[str, Any]:
    ring = box(south, north)
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


SCENARIO: dict[str, Any] = {
    "id": "watched",
    "title": "A watched flight",
    "partners": {
        "a": {
            "name": "Aland",
            "areas": {
                "under": {"name": "Under", "kind": "defended", "polygon": box(4.01, 6.0)},
                "goal": {"polygon": box(11.5, 12.5)},
                "far": {"polygon": box(-20.0, -10.0)},
                "soil": {"kind": "territory", "polygon": box(3.0, 5.0)},
            },
        },
        "b": {"name": "Bland"},
    },
    "sharing": {"mode": "warnings", "releases": [{"from": "b", "to": "a", "sensors": "all"}]},
    "places": {"cape": {"lat_deg": 7.0, "lon_deg": 10.5}},
    "published": [
        {"event": "launch", "at": "T+00:10", "matches": "launch"},
        {"event": "over Under", "at": "T+210s", "matches": "passage:a/under", "precision_s": 60, "source": "a paper"},
        {"event": "past the cape", "at": "T+06:00", "matches": "abeam:cape"},
        {"event": "first report", "at": "T+02:00", "matches": "first-detection:a"},
        {"event": "warned", "at": "T+01:00", "matches": "warning:a"},
        {"event": "told", "at": "2020-01-01T00:02:00Z", "matches": "step:a/public"},
        {"event": "a speech", "at": "T+20min"},
        {"event": "impact", "at": "T+10min", "matches": "impact"},
    ],
}
MANIFEST = {"scenario": "watched", "title": "A watched flight", "seed": 7, "version": "0.1.0"}


def estimate(what: str, lat: float, as_of: float, at: float) -> Estimate:
    return Estimate(
        as_of_ns=round(as_of * S),
        basis="boost-fit",
        p_impact=1.0 if what == "launch" else 0.9,
        kind="gaussian",
        mean=(math.radians(lat), math.radians(LON)),
        cov_enu=(4e6, 1e6, 1e6, 9e6),
        t_ns=round(at * S),
        t_var=9.0,
        cov_position_time=(100.0, -200.0),
        region50=region(lat - 0.05, lat + 0.05),
        region95=region(lat - 0.5, lat + 0.5),
    )


def version(
    uid: str,
    number: int,
    t: float,
    *,
    status: str,
    confirmed: bool,
    track: int | None,
    partner: str | None = None,
    sources: tuple[str, ...] = ("b",),
    p_impact: float = 0.2,
    off: float = 0.2,
) -> WarningVersion:
    return WarningVersion(
        uid=uid,
        version=number,
        t_ns=round(t * S),
        status=status,
        confirmed=confirmed,
        cause="made up",
        track=track,
        sources=sources,
        partner=partner,
        first_data_ns=40 * S,
        launch=estimate("launch", off, t - 5, 12.0),
        impact=estimate("impact", 12.0 + off, t - 5, 620.0),
        areas=(AreaRisk("under", p_impact, 0.9, 212 * S, p_impact < 0.01), AreaRisk("goal", 0.7, 0.7, 600 * S, False))
        if uid.startswith("a/")
        else (),
        types={"zeta": 0.25, "alpha": 0.75},
        p_real=0.95,
        confidence="high" if confirmed else "low",
        evidence=(
            Evidence("infrared", "eye", "agrees", None, ("b",)),
            Evidence("radar", "dish", "not_yet", 120 * S, ("a",)),
        ),
        burnout_ns=None if number == 0 else 111 * S,
    )


def truth_rows() -> c.Table:
    t = np.arange(LAUNCH, IMPACT + 1)
    rows = c.empty(c.TRUTH_STATE, len(t))
    geodetic = np.array([[math.radians(lat_deg(x)), math.radians(LON), height_km(x) * 1e3] for x in t])
    rows["x"][:, :3] = to_eci(geodetic_to_ecef(geodetic), THETA0 + OMEGA_GMST * t.astype(float))
    rows["x"][:, 3:] = np.gradient(rows["x"][:, :3], axis=0)
    rows["t_ns"] = t * S
    rows["phase"] = np.where(t < CUTOFF, 0, np.where((t > APOGEE) & (geodetic[:, 2] < 1e5), 2, 1))
    return rows


def scan_rows(sensor: int) -> c.Table:
    ends = np.arange(20, 700, 10)
    rows = c.empty(c.SCAN, len(ends))
    rows["sensor"], rows["scan"] = sensor, np.arange(len(ends))
    rows["t0_ns"], rows["t1_ns"], rows["arrive_ns"] = (ends - 10) * S, ends * S, (ends + 1) * S
    rows["clutter"] = 0.5
    theta = THETA0 + OMEGA_GMST * (ends - 10.0)
    if sensor == 0:
        site = geodetic_to_ecef([math.radians(DISH[0]), math.radians(DISH[1]), 100.0])
        rows["region"] = c.Region.SECTOR
        rows["az_from"], rows["az_to"] = math.radians(180.0), math.radians(0.0)
        rows["el_min"], rows["el_max"] = math.radians(5.0), math.radians(85.0)
        rows["range_min"], rows["range_max"] = 50e3, 3000e3
        rows["sensitivity"] = 1500e3
    else:
        site = geodetic_to_ecef([0.0, math.radians(LON), 35_786e3])
        rows["region"] = c.Region.VIEW
        rows["az_from"] = rows["az_to"] = rows["range_min"] = np.nan
        rows["el_min"] = rows["el_max"] = np.nan
        rows["range_max"] = np.inf
        rows["sensitivity"] = 30e3
    rows["platform"][:, :3] = to_eci(np.tile(site, (len(ends), 1)), theta)
    return rows


def look(t: float) -> tuple[float, float, float]:
    """Range, azimuth, elevation of the rocket from the radar."""
    site = geodetic_to_ecef([math.radians(DISH[0]), math.radians(DISH[1]), 100.0])
    at = geodetic_to_ecef([math.radians(lat_deg(t)), math.radians(LON), height_km(t) * 1e3])
    d = enu_axes(math.radians(DISH[0]), math.radians(DISH[1])) @ (at - site)
    r = float(np.linalg.norm(d))
    return r, math.atan2(d[0], d[1]), math.asin(d[2] / r)


def found(sensor: int, scan: int, n: int, t: float) -> c.Table:
    row = c.empty(c.DETECTION, 1)
    row["sensor"], row["scan"], row["n"] = sensor, scan, n
    row["t_ns"], row["arrive_ns"] = round(t * S), round((t + 1) * S)
    row["snr_db"] = 15.5
    if sensor == 0:
        row["kind"] = c.Kind.RAE
        row["z"][0, :3] = look(t)
        row["R"][0, [0, 4, 7]] = (30.0**2, math.radians(0.1) ** 2, math.radians(0.2) ** 2)
    else:
        row["kind"] = c.Kind.LOS
        row["z"][0, :2] = (-0.01, 0.02)
        row["R"][0, [0, 4]] = (50e-6**2, 60e-6**2)
        row["intensity"] = 250e3
    return row


def seen() -> tuple[c.Table, c.Table]:
    """Detections and their links: the satellite from 40 to 100 s, the radar from 140 s on, and three false ones."""
    parts, links = [], []
    for sensor, times in ((1, range(40, 101, 10)), (0, range(140, 301, 10))):
        for t in times:
            scan = t // 10 - 2
            parts.append(found(sensor, scan, 0, t))
            links.append((sensor, scan, 0, 0))
    for t in (200, 380, 390):
        parts.append(found(0, t // 10 - 2, 1, t))
        links.append((0, t // 10 - 2, 1, -1))
    table = c.empty(c.TRUTH_LINK, len(links))
    for i, link in enumerate(links):
        table[i] = link
    return np.concatenate(parts), table


def associations(track: int, keys: list[tuple[int, int, int]]) -> c.Table:
    rows = c.empty(c.ASSOCIATION, len(keys))
    for i, key in enumerate(keys):
        rows[i] = (track, *key)
    return rows


def track_row(track: int, t: float) -> c.Table:
    row = c.empty(c.TRACK, 1)
    at = geodetic_to_ecef([math.radians(lat_deg(t)), math.radians(LON), height_km(t) * 1e3])
    row["track"], row["t_ns"], row["life"] = track, round(t * S), c.Life.CONFIRMED
    row["x"][0, :3] = to_eci(at, THETA0 + OMEGA_GMST * t)
    row["P"][0, [0, 6, 11, 15, 18, 20]] = (1e6, 4e6, 4e6, 1e2, 2e2, 1e2)
    row["mu"][0, :2] = (0.3, 0.7)
    row["existence"], row["updates"], row["sensors"], row["last_update_ns"] = 0.97, 5, 1, round((t - 1) * S)
    return row


def flight_body(name: str, launch: int) -> dict[str, Any]:
    shift = launch - LAUNCH
    return {
        "object": name,
        "class": "alpha",
        "launch_ns": launch * S,
        "cutoff_ns": (CUTOFF + shift) * S,
        "impact_ns": (IMPACT + shift) * S,
        "apogee_m": 300e3,
        "apogee_ns": (APOGEE + shift) * S,
        "range_m": 1_327e3,
        "launch_lat": 0.0,
        "launch_lon": math.radians(LON),
        "impact_lat": math.radians(12.0),
        "impact_lon": math.radians(LON),
        "drawn": {"rcs": 0.5, "beta": 3000.0},
    }


def records() -> list[Record]:
    world, to_a, to_b = Source("world"), Source("world:a"), Source("world:b")
    a, b, control, link = Source("nation:a"), Source("nation:b"), Source("control"), Source("link:b>a")
    made: list[Record] = []

    def add(source: Source, t: float, phase: int, kind: str, body: Any, *audience: str, label: str = "") -> None:
        made.append(source.record(round(t * S), phase, kind, body, audience, label=label))

    # out of the scenario's order on purpose: the later object first
    add(world, 0, Phase.TRUTH, "truth.flight", flight_body("unseen", 30), "truth")
    add(world, 0, Phase.TRUTH, "truth.flight", flight_body("north-star", LAUNCH), "truth")
    detections, links = seen()
    add(world, 700, Phase.TRUTH, "truth.links", c.encode(links), "truth")
    states = truth_rows()
    for k, i in enumerate(range(0, len(states), 200)):
        add(world, 210 + 200 * k, Phase.TRUTH, "truth.states", c.encode(states[i : i + 200]), "truth")
    event = {
        "object": "north-star",
        "event": "launch",
        "t_ns": LAUNCH * S,
        "lat": 0.0,
        "lon": math.radians(LON),
        "h": 0.0,
    }
    add(world, LAUNCH, Phase.TRUTH, "truth.event", event, "truth")
    for source, sensor, nation in ((to_a, 0, "a"), (to_b, 1, "b")):
        add(source, 700, Phase.SENSING, "scans", c.encode(scan_rows(sensor)), f"nation:{nation}", "control")
        mine = detections[detections["sensor"] == sensor]
        add(source, 700, Phase.SENSING, "detections", c.encode(mine), f"nation:{nation}", "control")

    satellite = [(1, t // 10 - 2, 0) for t in range(40, 101, 10)]
    for label in ("own", "to:a"):
        add(b, 101, Phase.TRACKING, "associations", c.encode(associations(0, satellite)), "nation:b", label=label)
        add(b, 61, Phase.TRACKING, "track.event", TrackEvent(0, "confirmed", 61 * S), "nation:b", label=label)
        add(b, 65, Phase.TRACKING, "tracks", c.encode(track_row(0, 65.0)), "nation:b", label=label)
        uid = f"b/{label}/0"
        first = version(uid, 0, 66.0, status="opened", confirmed=False, track=0)
        add(b, 66, Phase.WARNING, "warning", first, "nation:b", label=label)
        second = version(uid, 1, 76.0, status="confirmed", confirmed=True, track=0)
        add(b, 76, Phase.WARNING, "warning", second, "nation:b", label=label)
        if label == "to:a":
            for n, (sent, arrive, body) in enumerate(
                ((66, 71, first), (76, 83, second), (86, 0, second), (690, 0, second))
            ):
                envelope = Envelope("b", "a", n, sent * S, sent * S, "warning", "EXERCISE", pack(body))
                add(b, sent, Phase.EXCHANGE, "message.sent", envelope, "nation:b", label=label)
                there = Envelope("b", "a", n, sent * S, arrive * S, "warning", "EXERCISE", pack(body))
                if arrive:
                    add(a, arrive, Phase.LINK, "message.received", there, "nation:a")
                elif n == 2:
                    add(link, sent, Phase.EXCHANGE, "message.lost", envelope, "control")

    told = {"partner": "b/to:a/0", "status": "updated", "confirmed": True}
    add(
        a,
        71,
        Phase.WARNING,
        "warning",
        version("a/own/0", 0, 71.0, status="opened", confirmed=False, track=None, partner="b/to:a/0"),
        "nation:a",
        label="own",
    )
    add(
        a,
        83,
        Phase.WARNING,
        "warning",
        version("a/own/0", 1, 83.0, track=None, **{**told, "status": "confirmed"}),
        "nation:a",
        label="own",
    )
    # a radar's track comes to it later, with one false detection in it
    radar = [(0, t // 10 - 2, 0) for t in range(140, 301, 10)] + [(0, 18, 1)]
    add(a, 301, Phase.TRACKING, "associations", c.encode(associations(3, radar)), "nation:a", label="own")
    add(a, 160, Phase.TRACKING, "track.event", TrackEvent(3, "confirmed", 160 * S), "nation:a", label="own")
    add(
        a,
        180,
        Phase.WARNING,
        "warning",
        version("a/own/0", 2, 180.0, track=3, sources=("a", "b"), p_impact=0.004, off=0.02, **told),
        "nation:a",
        label="own",
    )
    add(
        a,
        380,
        Phase.TRACKING,
        "associations",
        c.encode(associations(5, [(0, 36, 1), (0, 37, 1)])),
        "nation:a",
        label="own",
    )
    add(
        a,
        395,
        Phase.WARNING,
        "warning",
        version("a/own/1", 0, 395.0, status="opened", confirmed=False, track=5, sources=("a",)),
        "nation:a",
        label="own",
    )
    add(
        a,
        400,
        Phase.WARNING,
        "warning",
        version("a/own/1", 1, 400.0, status="confirmed", confirmed=True, track=5, sources=("a",)),
        "nation:a",
        label="own",
    )

    for step, action, due, t in (
        ("gov", "confirm", 85, 100),
        ("public", "inform", 100, 130),
        ("again", "inform", 190, 200),
    ):
        decision = Decision(
            "watch",
            step,
            action,
            "a/own/0",
            1,
            due * S,
            float(t - due),
            "doctrine",
            "EXERCISE: take shelter",
            ("under", "goal"),
        )
        add(a, t, Phase.COMMAND, "decision", decision, "nation:a", label="own")
    given = Input("i-1", "main", "a/watch", "Ada", "decide", 1, pack({"warning": "a/own/0", "step": "public"}))
    add(control, 99, Phase.CONTROL, "input", {"input": given, "applies_ns": 99_123_456_789}, "control")
    add(
        control,
        98,
        Phase.CONTROL,
        "inject",
        {"act": "note", "target": "watch", "until_ns": None, "text": "drill"},
        "control",
    )
    return made
