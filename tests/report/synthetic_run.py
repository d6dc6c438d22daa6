"""A run made by hand, for pages without a simulation: plausible flights, looks, warnings and decisions in the tables
of a run.

The flights are arcs over a great circle with a parabola of height: right enough to look at, and everything about them
is known in closed form, which is what the tests use.
"""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from tocsin.earth.clock import format_utc, parse_utc
from tocsin.earth.frames import gmst82, theta_at, to_eci
from tocsin.earth.wgs84 import enu_axes, geodetic_to_ecef
from tocsin.records.dictionary import TABLES, schema

R_KM = 6371.0088


def along(lat_deg: float, lon_deg: float, azimuth_deg: float, km: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points on a sphere at distances along an azimuth, degrees."""
    la, az = math.radians(lat_deg), math.radians(azimuth_deg)
    d = np.asarray(km) / R_KM
    lat = np.arcsin(math.sin(la) * np.cos(d) + math.cos(la) * np.sin(d) * math.cos(az))
    lon = math.radians(lon_deg) + np.arctan2(
        math.sin(az) * np.sin(d) * math.cos(la), np.cos(d) - math.sin(la) * np.sin(lat)
    )
    return np.degrees(lat), (np.degrees(lon) + 180.0) % 360.0 - 180.0


def circle(lat: float, lon: float, semi_e: float, semi_n: float, n: int = 48) -> dict[str, Any]:
    a = np.linspace(0, 2 * math.pi, n, endpoint=False)
    ring = [
        [
            lon + math.degrees(semi_e * math.cos(x) / R_KM / math.cos(math.radians(lat))),
            lat + math.degrees(semi_n * math.sin(x) / R_KM),
        ]
        for x in a
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


class Builder:
    """Collects rows for each table; ``run()`` makes the Arrow tables in the declared schemas."""

    def __init__(self, utc: str) -> None:
        self.unix_ns = parse_utc(utc)
        self.theta0 = gmst82(self.unix_ns)
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}

    def utc(self, t_s: float, digits: int = 3) -> str:
        return format_utc(self.unix_ns + round(t_s * 1e9), digits)

    def add(self, table: str, **row: Any) -> None:
        names = {c.name: c for c in TABLES[table].columns}
        if "time_utc" in names and "time_utc" not in row:
            row["time_utc"] = self.utc(row["t_s"] if "t_s" in row else row["t1_s"])
        unknown = row.keys() - names.keys()
        missing = [n for n, c in names.items() if n not in row and not c.nullable]
        assert not unknown, (table, unknown)
        assert not missing, (table, missing)
        self.rows[table].append({n: row.get(n) for n in names})

    def tables(self) -> dict[str, pa.Table]:
        return {name: pa.Table.from_pylist(rows, schema=schema(name)) for name, rows in self.rows.items()}

    def flight(
        self,
        obj: str,
        cls: str,
        launch: float,
        site: tuple[float, float],
        az: float,
        km: float,
        apogee: float,
        flight_s: float,
        boost_s: float,
    ) -> dict[str, np.ndarray]:
        t = np.arange(launch, launch + flight_s + 0.5)
        u = (t - launch) / flight_s
        lat, lon = along(*site, az, km * u)
        h = 4.0 * apogee * u * (1.0 - u)
        ecef = geodetic_to_ecef(np.stack([np.radians(lat), np.radians(lon), h * 1e3], axis=-1))
        eci = to_eci(ecef, np.array([theta_at(self.theta0, round(x * 1e9)) for x in t])) / 1e3
        v = np.gradient(eci, t, axis=0)
        for i, x in enumerate(t):
            phase = "boost" if x - launch <= boost_s else "re-entry" if h[i] < 100 and u[i] > 0.5 else "coast"
            self.add(
                "truth",
                object=obj,
                t_s=float(x),
                lat_deg=lat[i],
                lon_deg=lon[i],
                height_km=h[i],
                phase=phase,
                **dict(zip(("x_eci_km", "y_eci_km", "z_eci_km"), eci[i], strict=True)),
                **dict(zip(("vx_eci_km_s", "vy_eci_km_s", "vz_eci_km_s"), v[i], strict=True)),
            )
        self.add(
            "flights",
            object=obj,
            launch_s=launch,
            cutoff_s=launch + boost_s,
            apogee_s=launch + flight_s / 2,
            impact_s=launch + flight_s,
            apogee_km=apogee,
            range_km=km,
            launch_lat_deg=site[0],
            launch_lon_deg=site[1],
            impact_lat_deg=lat[-1],
            impact_lon_deg=lon[-1],
            drawn="{}",
            kind="flight",
            **{"class": cls},
        )
        return {
            "t": t,
            "lat": lat,
            "lon": lon,
            "h": h,
            "ecef": ecef,
            "launch": np.array(launch),
            "boost": np.array(boost_s),
        }

    def radar(
        self,
        nation: str,
        sensor: str,
        site: tuple[float, float],
        sector: tuple[float, float],
        el: tuple[float, float],
        range_km: float,
        period: float,
        until: float,
        flights: dict[str, dict[str, np.ndarray]],
        rng: np.random.Generator,
        false_every: int = 0,
    ) -> list[float]:
        axes = enu_axes(math.radians(site[0]), math.radians(site[1]))
        origin = geodetic_to_ecef([math.radians(site[0]), math.radians(site[1]), 100.0])
        seen: list[float] = []
        for k, t1 in enumerate(np.arange(period, until, period)):
            found = []
            for name, f in flights.items():
                i = round(t1 - float(f["t"][0]))
                if 0 <= i < len(f["t"]):
                    d = axes @ (f["ecef"][i] - origin)
                    r = float(np.linalg.norm(d))
                    a, e = math.degrees(math.atan2(d[0], d[1])) % 360, math.degrees(math.asin(d[2] / r))
                    width = (sector[1] - sector[0]) % 360 or 360.0
                    if (
                        (a - sector[0]) % 360 <= width
                        and el[0] <= e <= el[1]
                        and r < range_km * 1e3
                        and rng.random() < 0.95
                    ):
                        found.append(
                            (name, r / 1e3 + rng.normal(0, 0.05), a + rng.normal(0, 0.1), e + rng.normal(0, 0.1))
                        )
            if false_every and k % false_every == 3:
                found.append((None, range_km * rng.random(), sector[0] + 10.0, el[0] + 5.0))
            if any(x[0] for x in found):
                seen.append(float(t1))
            self._scan(
                nation,
                sensor,
                "radar",
                k,
                t1,
                period,
                "sector",
                (*sector, *el, 50.0, range_km),
                (*site, 0.1),
                len(found),
            )
            for n, (name, r, a, e) in enumerate(found):
                self.add(
                    "detections",
                    nation=nation,
                    sensor=sensor,
                    scan=k,
                    n=n,
                    t_s=float(t1),
                    arrive_s=float(t1) + 1,
                    kind="range-azimuth-elevation",
                    range_km=r,
                    azimuth_deg=a,
                    elevation_deg=e,
                    sigma_range_km=0.05,
                    sigma_azimuth_deg=0.1,
                    sigma_elevation_deg=0.1,
                    snr_db=17.0,
                    flags=0,
                )
                self.add("truth_links", sensor=sensor, scan=k, n=n, object=name)
        return seen

    def satellite(
        self,
        nation: str,
        sensor: str,
        lon: float,
        period: float,
        until: float,
        cloud_km: float,
        flights: dict[str, dict[str, np.ndarray]],
        rng: np.random.Generator,
    ) -> list[float]:
        seen: list[float] = []
        for k, t1 in enumerate(np.arange(period, until, period)):
            found = [
                name
                for name, f in flights.items()
                if 0 <= t1 - f["t"][0] <= f["boost"] and f["h"][round(t1 - float(f["t"][0]))] > cloud_km
            ]
            if found:
                seen.append(float(t1))
            place = (2.0 * math.sin(t1 / 13000), lon, 35786.0)
            self._scan(nation, sensor, "infrared", k, t1, period, "view", (None,) * 6, place, len(found))
            for n, name in enumerate(found):
                self.add(
                    "detections",
                    nation=nation,
                    sensor=sensor,
                    scan=k,
                    n=n,
                    t_s=float(t1),
                    arrive_s=float(t1) + 2,
                    kind="line-of-sight",
                    azimuth_deg=rng.normal(0, 5),
                    elevation_deg=rng.normal(0, 5),
                    snr_db=12.0,
                    intensity_kw_sr=150.0,
                    flags=0,
                )
                self.add("truth_links", sensor=sensor, scan=k, n=n, object=name)
        return seen

    def _scan(
        self,
        nation: str,
        sensor: str,
        kind: str,
        k: int,
        t1: float,
        period: float,
        region: str,
        limits: Any,
        place: tuple[float, float, float],
        n: int,
    ) -> None:
        keys = (
            "azimuth_from_deg",
            "azimuth_to_deg",
            "elevation_min_deg",
            "elevation_max_deg",
            "range_min_km",
            "range_max_km",
        )
        self.add(
            "scans",
            nation=nation,
            sensor=sensor,
            sensor_kind=kind,
            scan=k,
            t0_s=float(t1) - period,
            t1_s=float(t1),
            arrive_s=float(t1) + 1,
            region=region,
            **dict(zip(keys, limits, strict=True)),
            sensitivity=2000.0,
            clutter_per_scan=0.01,
            status="up",
            platform_lat_deg=place[0],
            platform_lon_deg=place[1],
            platform_height_km=place[2],
            n_detections=n,
        )

    def warning(
        self,
        nation: str,
        number: int,
        times: list[float],
        confirm: float,
        flight: dict[str, np.ndarray],
        areas: dict[str, Any],
        sources: str,
        rng: np.random.Generator,
        types: dict[str, float],
        partner: str | None = None,
        sensors: tuple[tuple[str, str], ...] = (),
    ) -> str:
        uid = f"{nation}/own/{number}"
        t_end = float(flight["t"][-1])
        for version, t in enumerate(times):
            done = t >= confirm
            status = "opened" if version == 0 else "confirmed" if done and times[version - 1] < confirm else "updated"
            self.add(
                "warnings",
                nation=nation,
                label="own",
                warning=uid,
                version=version,
                t_s=t,
                status=status,
                confirmed=done,
                cause="more data",
                track=1,
                sources=sources,
                partner=partner,
                first_data_s=times[0] - 8,
                burnout_s=None,
                p_real=min(0.999, 0.7 + version * 0.1),
                confidence="medium" if not done else "high",
                types=json.dumps(types),
            )
            spread = 600.0 * math.exp(-version / 4.0) + 4.0
            for what, lat, lon, at, s in (
                ("launch", flight["lat"][0], flight["lon"][0], float(flight["t"][0]), 6.0 + spread / 60),
                ("impact", flight["lat"][-1], flight["lon"][-1], t_end, spread),
            ):
                la = lat + rng.normal(0, s / 3 / 111)
                lo = lon + rng.normal(0, s / 3 / 111 / math.cos(math.radians(lat)))
                kind = "polygon" if what == "impact" and version < 2 else "gaussian"
                self.add(
                    "estimates",
                    nation=nation,
                    label="own",
                    warning=uid,
                    version=version,
                    t_s=t,
                    what=what,
                    as_of_s=t - 5,
                    basis="boost-fit" if version < 4 else "coast",
                    p_impact=1.0 if what == "launch" else 0.98,
                    kind=kind,
                    lat_deg=la if kind == "gaussian" else None,
                    lon_deg=lo if kind == "gaussian" else None,
                    cov_ee_km2=s**2 / 6 if kind == "gaussian" else None,
                    cov_en_km2=0.0 if kind == "gaussian" else None,
                    cov_nn_km2=s**2 / 12 if kind == "gaussian" else None,
                    at_s=at + rng.normal(0, 4),
                    at_sigma_s=5.0,
                    region50=json.dumps(circle(la, lo, s * 0.5, s * 0.35)),
                    region95=json.dumps(circle(la, lo, s, s * 0.7)),
                )
            for area, p in areas.items():
                p_impact, p_passage = p(t)
                self.add(
                    "risks",
                    nation=nation,
                    label="own",
                    warning=uid,
                    version=version,
                    t_s=t,
                    area=area,
                    p_impact=p_impact,
                    p_passage=p_passage,
                    at_s=t_end,
                    excluded=p_impact < 0.01,
                )
            for sensor, kind in sensors:
                self.add(
                    "evidence",
                    nation=nation,
                    label="own",
                    warning=uid,
                    version=version,
                    t_s=t,
                    sensor_kind=kind,
                    sensor=sensor,
                    state="agrees" if version > 1 else "not_yet",
                    could_from_s=times[0] + 20,
                    source_chain=nation,
                )
        return uid

    def track(self, nation: str, flight: dict[str, np.ndarray], start: float, rng: np.random.Generator) -> None:
        for i, t in enumerate(flight["t"]):
            if t >= start:
                x = flight["ecef"][i] / 1e3
                self.add(
                    "tracks",
                    nation=nation,
                    label="own",
                    track=1,
                    t_s=float(t),
                    life="confirmed",
                    lat_deg=flight["lat"][i] + rng.normal(0, 0.05),
                    lon_deg=flight["lon"][i],
                    height_km=flight["h"][i] + 3,
                    x_eci_km=x[0],
                    y_eci_km=x[1],
                    z_eci_km=x[2],
                    vx_eci_km_s=0.0,
                    vy_eci_km_s=0.0,
                    vz_eci_km_s=0.0,
                    sigma_position_km=5.0,
                    sigma_velocity_km_s=0.1,
                    p_boost=0.1,
                    existence=0.99,
                    updates=i,
                    sensors=2,
                    last_update_s=float(t),
                )

    def decide(
        self, nation: str, step: str, action: str, uid: str, due: float, took: float, text: str, areas: str = ""
    ) -> None:
        self.add(
            "decisions",
            nation=nation,
            post="watch",
            step=step,
            action=action,
            warning=uid,
            version=1,
            due_s=due,
            t_s=due + took,
            took_s=took,
            by="doctrine",
            areas=areas,
            text=text,
        )


SQUARE_NORTH_JAPAN = [[139.0, 38.0], [146.0, 42.5], [145.8, 44.2], [141.0, 45.8], [139.0, 41.0]]


def overflight(evil: str = "") -> SimpleNamespace:
    """Two partners, one object that passes over; ``evil`` is added to every name and text a scenario may choose."""
    b = Builder("2017-08-28T20:57:00Z")
    rng = np.random.default_rng(7)
    obj, cls = f"hwasong-12{evil}", f"irbm-liquid{evil}"
    launch = 60.0
    f = b.flight(obj, cls, launch, (39.2002, 125.6733), 73.0, 2700.0, 550.0, 930.0, 150.0)
    flights = {obj: f}
    until, jp, us = 1200.0, f"japan{evil}", f"united-states{evil}"
    s1, s2, s3, s4 = f"sbirs-geo-3{evil}", f"sbirs-geo-1{evil}", f"tpy2-shariki{evil}", f"fps5-sado{evil}"
    b.satellite(us, s1, 104.0, 10.0, until, 8.0, flights, rng)
    b.satellite(us, s2, 166.0, 10.0, until, 8.0, flights, rng)
    b.radar(us, s3, (40.887, 140.338), (180.0, 320.0), (3.0, 60.0), 2000.0, 5.0, until, flights, rng)
    b.radar(jp, s4, (38.15, 138.4), (230.0, 50.0), (3.0, 80.0), 2500.0, 8.0, until, flights, rng, false_every=17)

    def risk(t: float) -> tuple[float, float]:
        return (max(0.0004, 0.25 * math.exp(-max(0.0, t - 180) / 60.0)), min(0.999, 0.6 + (t - 100) / 400.0))

    area = f"northern-japan{evil}"
    us_uid = b.warning(
        us,
        0,
        [118.0, 128, 138, 150, 165, 180, 200, 240, 300, 400, 500, 700, 900],
        138.0,
        f,
        {area: risk},
        us,
        rng,
        {cls: 0.8, "mrbm": 0.2},
        sensors=((s1, "infrared"), (s3, "radar")),
    )
    jp_uid = b.warning(
        jp,
        0,
        [152.0, 170, 185, 200, 230, 260, 300, 360, 480, 600, 800],
        185.0,
        f,
        {area: risk},
        f"{us},{jp}",
        rng,
        {cls: 0.7, "mrbm": 0.3},
        partner=us_uid,
        sensors=((s4, "radar"),),
    )
    b.track(us, f, 118.0, rng)
    b.track(jp, f, 190.0, rng)
    b.add(
        "messages",
        sender=us,
        recipient=jp,
        n=0,
        kind="warning",
        sent_s=138.0,
        arrive_s=152.0,
        outcome="received",
        warning=us_uid,
        version=2,
        exercise="EXERCISE",
    )
    b.decide(jp, "confirm", "confirm", jp_uid, 200.0, 40.0, f"Government confirms a launch{evil}")
    b.decide(jp, "public", "inform", jp_uid, 240.0, 60.0, f"EXERCISE: launch, take cover{evil}", area)
    for what, t in (("launch", 60.0), ("burnout", 210.0), ("apogee", 525.0), ("impact", 990.0)):
        b.add(
            "events",
            t_s=t,
            source="world",
            n=round(t),
            kind="truth.event",
            audience="truth",
            label="",
            subject=obj,
            what=what,
            text=f"{what}{evil}",
        )
    for nation, t, what in (
        (us, 112.0, "initiated"),
        (us, 128.0, "confirmed"),
        (jp, 180.0, "initiated"),
        (jp, 196.0, "confirmed"),
    ):
        b.add(
            "events",
            t_s=t,
            source=f"nation:{nation}",
            n=round(t),
            kind="track.event",
            audience=f"nation:{nation}",
            label="own",
            subject="track 1",
            what=what,
            text="",
        )
    estimate = estimates_of(b, us_uid, "impact", f)
    events = {
        us: event(
            us_uid,
            obj,
            launch,
            40.0,
            68.0,
            78.0,
            None,
            {area: 459.0},
            us,
            [us],
            {cls: 0.8, "mrbm": 0.2},
            estimate,
            (30.0, 10.0, 28.0, 10.0, 0.0, None),
            [us],
        ),
        jp: event(
            jp_uid,
            obj,
            launch,
            116.0,
            136.0,
            125.0,
            240.0,
            {area: 412.0},
            us,
            [us, jp],
            {cls: 0.7, "mrbm": 0.3},
            estimate,
            (30.0, 10.0, 28.0, 43.0, 14.0, 115.0),
            [us, jp],
        ),
    }
    summary = summary_of(
        b,
        "hokkaido-2017",
        f"Over Hokkaido, 29 August 2017{evil}",
        obj,
        cls,
        f,
        150.0,
        550.0,
        2700.0,
        [partner(us, f"United States{evil}", events[us]), partner(jp, f"Japan{evil}", events[jp])],
        [
            stage(
                "step:japan/confirm",
                f"Government confirms the launch{evil}",
                180.0,
                180.0,
                f"press, 29 August 2017{evil}",
            ),
            stage("step:japan/public", "Public alert (J-Alert)", 240.0, 240.0 + 14.0, "hitchhikersgui.de wiki mirror"),
            stage("abeam:erimo", "Abeam Cape Erimo", 540.0, 531.0, "times.abema.tv"),
            stage("impact", "Splash", 840.0, 930.0, "times.abema.tv"),
        ],
    )
    scenario = {
        "format": "tocsin-scenario/1",
        "id": "hokkaido-2017",
        "title": f"Over Hokkaido, 29 August 2017{evil}",
        "summary": f"The overflight of 28 August 2017 (UTC){evil}",
        "start": "2017-08-28T20:57:00Z",
        "seed": 1,
        "duration": "20 min",
        "partners": {
            us: {
                "name": f"United States{evil}",
                "sensors": {
                    s1: {
                        "name": f"SBIRS GEO-3{evil}",
                        "values": {
                            "cloud_top_km": {
                                "value": 8.0,
                                "status": "notional",
                                "source": ["notional"],
                                "confidence": "low",
                                "why": f"no source{evil}",
                            }
                        },
                    },
                    s2: {},
                    s3: {"source": f"notional{evil}", "range_km": [50, 2000]},
                },
            },
            jp: {
                "name": f"Japan{evil}",
                "sensors": {s4: {}},
                "areas": {area: {"name": f"Northern Japan{evil}", "kind": "defended", "polygon": SQUARE_NORTH_JAPAN}},
                "posts": {
                    "watch": {
                        "name": f"Crisis room{evil}",
                        "steps": [
                            {
                                "id": "confirm",
                                "action": "confirm",
                                "when": "confirmed",
                                "takes_s": "40 +- 5",
                                "source": f"notional{evil}",
                            },
                            {
                                "id": "public",
                                "action": "inform",
                                "when": "done('confirm')",
                                "takes_s": {"nominal": 60, "spread": 8},
                                "source": f"notional{evil}",
                            },
                        ],
                    }
                },
            },
        },
        "classes": {cls: {"title": f"IRBM, liquid{evil}"}},
        "places": {"erimo": {"name": f"Cape Erimo{evil}", "lat_deg": 41.925, "lon_deg": 143.249}},
        "links": [{"from": us, "to": jp, "delay_s": {"nominal": 12, "spread": 3}, "source": f"notional{evil}"}],
        "sharing": {"mode": "warnings", "releases": [{"from": us, "to": jp}]},
        "sources": {
            "press": {"title": f"Press reports{evil}", "url": f"https://example.org/{evil}"},
            "bad": {"title": "No link", "url": f"javascript:alert(1){evil}"},
        },
        "assumptions": [{"what": f"The radars' reach{evil}", "confidence": "notional", "why": f"not published{evil}"}],
    }
    return SimpleNamespace(tables=b.tables(), summary=summary, scenario=scenario, manifest=manifest("hokkaido-2017"))


def polar_rocket() -> SimpleNamespace:
    """One partner, one radar with a ceiling, one rocket that rises through it and comes down elsewhere."""
    b = Builder("1995-01-25T06:24:00Z")
    rng = np.random.default_rng(11)
    f = b.flight("black-brant", "black-brant-xii", 0.0, (69.294, 16.020), 5.0, 960.0, 1453.0, 1440.0, 110.0)
    b.radar(
        "russia",
        "olenegorsk-dnepr",
        (68.114, 33.910),
        (260.0, 340.0),
        (5.5, 34.5),
        4600.0,
        10.0,
        1700.0,
        {"black-brant": f},
        rng,
    )

    def risk(t: float) -> tuple[float, float]:
        return (0.3 * math.exp(-(t - 150) / 40.0), 0.4 * math.exp(-(t - 150) / 40.0))

    b.warning(
        "russia",
        0,
        [150.0, 160, 170, 180, 200, 220, 240, 300, 400, 600, 900, 1100, 1200, 1300, 1400],
        170.0,
        f,
        {"russia": risk},
        "russia",
        rng,
        {"slbm": 0.4, "black-brant-xii": 0.6},
        sensors=(("olenegorsk-dnepr", "radar"),),
    )
    b.track("russia", f, 150.0, rng)
    b.decide(
        "russia",
        "exclude",
        "exclude",
        "russia/own/0",
        300.0,
        30.0,
        "EXERCISE: impact in the territory excluded",
        "russia",
    )
    uid = "russia/own/0"
    summary = summary_of(
        b,
        "black-brant-1995",
        "A research rocket, 25 January 1995",
        "black-brant",
        "black-brant-xii",
        f,
        110.0,
        1453.0,
        960.0,
        [
            partner(
                "russia",
                "Russia",
                event(
                    uid,
                    "black-brant",
                    0.0,
                    140.0,
                    150.0,
                    170.0,
                    None,
                    {},
                    "own",
                    ["russia"],
                    {"slbm": 0.4},
                    estimates_of(b, uid, "impact", f),
                    (120.0, 20.0, 10.0, 20.0, 0.0, None),
                    ["russia"],
                ),
            )
        ],
        [],
    )
    ring = [
        [30.0, 60.0],
        [30.5, 69.7],
        [41.0, 66.8],
        [60.0, 69.0],
        [70.0, 73.0],
        [100.0, 77.5],
        [100.0, 50.0],
        [30.0, 52.0],
    ]
    scenario = {
        "format": "tocsin-scenario/1",
        "id": "black-brant-1995",
        "title": "A research rocket, 25 January 1995",
        "start": "1995-01-25T06:24:00Z",
        "seed": 1,
        "duration": "30 min",
        "partners": {
            "russia": {
                "name": "Russia",
                "sensors": {"olenegorsk-dnepr": {"name": "Olenegorsk (Dnepr)"}},
                "areas": {"russia": {"name": "Russia", "kind": "territory", "polygon": ring}},
            }
        },
    }
    return SimpleNamespace(tables=b.tables(), summary=summary, scenario=scenario, manifest=manifest("black-brant-1995"))


def manifest(name: str) -> dict[str, Any]:
    return {"format": "tocsin-run/1", "scenario": name, "seed": 1, "version": "0.1.0", "scenario_sha256": "0" * 64}


def estimates_of(b: Builder, uid: str, what: str, f: dict[str, np.ndarray]) -> dict[str, Any]:
    """The last estimate of a kind, three times over, in the shape of the summary."""
    r = [x for x in b.rows["estimates"] if x["warning"] == uid and x["what"] == what][-1]
    one = {
        "version": r["version"],
        "t_s": r["t_s"] - float(f["t"][0]),
        "as_of_s": r["as_of_s"],
        "basis": r["basis"],
        "p_impact": r["p_impact"],
        "kind": r["kind"],
        "lat_deg": float(r["lat_deg"]),
        "lon_deg": float(r["lon_deg"]),
        "cov_enu_km2": [[float(r["cov_ee_km2"]), 0.0], [0.0, float(r["cov_nn_km2"])]],
        "at_s": float(r["at_s"]),
        "at_sigma_s": r["at_sigma_s"],
        "region50": json.loads(r["region50"]),
        "region95": json.loads(r["region95"]),
        "error_km": 12.0,
        "time_error_s": 2.0,
        "inside50": True,
        "inside95": True,
    }
    return {"first_warning": one, "burnout_60s": None, "last": one}


def event(
    uid: str,
    obj: str,
    zero: float,
    first: float,
    track: float,
    warning: float,
    alert: float | None,
    times: dict[str, Any],
    source: str,
    sources: list[str],
    types: dict[str, float],
    estimate: dict[str, Any],
    parts: tuple[Any, ...],
    path: list[str],
) -> dict[str, Any]:
    names = ("geometry_s", "detection_s", "confirmation_s", "processing_s", "sending_s", "decision_s")
    delays = {**dict(zip(names, parts, strict=True)), "total_s": sum(x or 0.0 for x in parts), "path": path}
    return {
        "warning": uid,
        "object": obj,
        "zero": "launch",
        "zero_s": zero,
        "first_detection_s": first,
        "track_confirmed_s": track,
        "opened_s": first + 5,
        "warning_s": warning,
        "confirm_s": None,
        "alert_s": alert,
        "warning_time_s": times,
        "source": source,
        "sources": sources,
        "status": "updated",
        "versions": 9,
        "launch_estimate": estimate,
        "impact_estimate": estimate,
        "types": types,
        "confidence": "high",
        "confidence_at_warning": "medium",
        "areas": [
            {
                "area": a,
                "name": a,
                "kind": "defended",
                "max_p_impact": 0.2,
                "last_p_impact": 0.001,
                "above_1_percent": True,
                "below_1_percent_s": 300.0,
                "excluded_s": 300.0,
                "passage_s": 500.0,
                "impact_inside": False,
            }
            for a in times
        ],
        "decisions": [],
        "delays": delays,
    }


def partner(id: str, name: str, *events: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "name": name, "events": list(events), "missed": [], "false_warnings": 0}


def stage(matches: str, name: str, published: float, simulated: float | None, source: str) -> dict[str, Any]:
    return {
        "event": name,
        "matches": matches,
        "published_s": published,
        "precision_s": 60.0,
        "simulated_s": simulated,
        "difference_s": None if simulated is None else simulated - published,
        "source": source,
    }


def summary_of(
    b: Builder,
    scenario: str,
    title: str,
    obj: str,
    cls: str,
    f: dict[str, np.ndarray],
    burnout: float,
    apogee: float,
    km: float,
    partners: list[Any],
    stages: list[Any],
) -> dict[str, Any]:
    t0, t1 = float(f["t"][0]), float(f["t"][-1])
    return {
        "format": "tocsin-run/1",
        "exercise": "EXERCISE",
        "scenario": scenario,
        "title": title,
        "seed": 1,
        "version": "0.1.0",
        "epoch_utc": b.utc(0.0, 0),
        "headline": {
            "objects": 1,
            "warned_objects": 1,
            "false_warnings": 0,
            "first_detection_s": 40.0,
            "first_warning_s": 78.0,
            "first_warning_partner": partners[0]["id"],
            "first_alert_s": None,
            "first_alert_partner": None,
            "longest_warning_time_s": None,
            "shortest_warning_time_s": None,
            "detections": len(b.rows["detections"]),
            "false_detections": 0,
            "messages": len(b.rows["messages"]),
        },
        "objects": [
            {
                "id": obj,
                "class": cls,
                "launch_time": b.utc(t0),
                "impact_time": b.utc(t1),
                "launch_s": t0,
                "flight_time_s": t1 - t0,
                "burnout_s": burnout,
                "apogee_km": apogee,
                "range_km": km,
                "launch_lat_deg": float(f["lat"][0]),
                "launch_lon_deg": float(f["lon"][0]),
                "impact_lat_deg": float(f["lat"][-1]),
                "impact_lon_deg": float(f["lon"][-1]),
            }
        ],
        "partners": partners,
        "stages": stages,
    }
