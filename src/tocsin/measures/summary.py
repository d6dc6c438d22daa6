"""The result of a run: every warning measured against the truth, in the documented shape of ``summary.json``.

Times of an event are seconds since the launch of its object, of a false event since the scenario's epoch. Positions
are compared along geodesics of WGS 84. What was published of a real event is set beside what came out; nothing is
tuned to it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tocsin.earth.clock import format_utc
from tocsin.earth.geodesics import inverse
from tocsin.measures import shapes
from tocsin.measures.chain import NO_OBJECT, Behind, Chain, Versions, parts_of
from tocsin.measures.ground import GroundTrack, region_holds, rings_of
from tocsin.measures.incident import incident
from tocsin.measures.stages import stages
from tocsin.measures.track_quality import TrackQuality, qualities
from tocsin.measures.view import first_look
from tocsin.records.arrow import scalar
from tocsin.records.dictionary import FORMAT
from tocsin.records.words import Facts
from tocsin.scenario.specs import Area

Row = dict[str, Any]
Floats = NDArray[np.float64]
_ONE_PERCENT = 0.01
_AFTER_BURNOUT_S = 60.0


def _round(value: float | None, digits: int = 3) -> float | None:
    # + 0.0 turns -0.0 into 0.0, which would print differently
    return None if value is None else round(value, digits) + 0.0


def _ms(value: float) -> float:
    return round(value, 3) + 0.0


def areas_of(scenario: Mapping[str, Any]) -> dict[str, tuple[Area, ...]]:
    """The areas of each partner (rad), from a scenario as plain data."""
    found: dict[str, tuple[Area, ...]] = {}
    for partner, entry in scenario["partners"].items():
        found[partner] = tuple(
            Area(name, area.get("name") or name, area.get("kind") or "defended", rings_of(area))
            for name, area in ((entry or {}).get("areas") or {}).items()
        )
    return found


@dataclass(frozen=True)
class _Truth:
    """One object as it was."""

    flight: Row
    rows: pa.Table
    ground: GroundTrack

    @property
    def launch_s(self) -> float:
        return float(self.flight["launch_s"])

    @property
    def whole(self) -> bool:
        """Whether it was launched as such, not come off another."""
        return self.flight["parent"] is None


class _Measured:
    """Everything that the events of one run are measured with."""

    def __init__(self, tables: Mapping[str, pa.Table], scenario: Mapping[str, Any], facts: Facts) -> None:
        self.tables = tables
        self.scenario = scenario
        self.facts = facts
        self.behind = Behind(tables, facts.objects)
        self.areas = areas_of(scenario)
        flights = {row["object"]: row for row in tables["flights"].to_pylist()}
        truth = tables["truth"]
        self.truths: dict[int, _Truth] = {}
        for i, name in enumerate(facts.objects):
            if name in flights:
                rows = truth.filter(pc.equal(truth["object"], scalar(name)))
                self.truths[i] = _Truth(flights[name], rows, GroundTrack.of(rows))
        self._estimates = {(r["warning"], r["version"], r["what"]): r for r in tables["estimates"].to_pylist()}
        self._risks: dict[str, list[Row]] = {}
        for row in tables["risks"].to_pylist():
            self._risks.setdefault(row["warning"], []).append(row)
        self._decisions: dict[tuple[str, str], list[Row]] = {}
        for row in tables["decisions"].to_pylist():
            self._decisions.setdefault((row["nation"], row["warning"]), []).append(row)
        self._looks: dict[tuple[tuple[str, str], int], float | None] = {}

    # parts of an event ------------------------------------------------------------------------------------------------

    def event(self, versions: Versions) -> shapes.Event:
        obj = self.behind.object_of(versions)
        truth = self.truths.get(obj)
        if truth is None:
            obj = NO_OBJECT
        zero = truth.launch_s if truth is not None else 0.0
        confirmed = versions.first_confirmed
        chain = self.behind.chain(versions, confirmed or versions.rows[0], obj)
        decisions = sorted(self._decisions.get((versions.nation, versions.uid), []), key=lambda r: r["t_s"])
        warning_s = confirmed["t_s"] if confirmed is not None else None
        alert_s = next((r["t_s"] for r in decisions if r["action"] == "inform"), None)
        confirm_s = next((r["t_s"] for r in decisions if r["action"] == "confirm"), None)
        last = versions.rows[-1]

        def since(t_s: float | None) -> float | None:
            return None if t_s is None else _ms(t_s - zero)

        areas = self._areas(versions, truth, zero)
        return shapes.Event(
            warning=versions.uid,
            object=None if truth is None else self.facts.objects[obj],
            zero="epoch" if truth is None else "launch",
            zero_s=_ms(zero),
            first_detection_s=since(chain.first_detection_s),
            track_confirmed_s=since(chain.track_confirmed_s),
            opened_s=_ms(versions.rows[0]["t_s"] - zero),
            warning_s=since(warning_s),
            confirm_s=since(confirm_s),
            alert_s=since(alert_s),
            warning_time_s={
                area.id: self._warning_time(area, truth, warning_s)
                for area in self.areas.get(versions.nation, ())
                if area.kind == "defended"
            },
            source=chain.source,
            sources=last["sources"].split(",") if last["sources"] else [],
            status=last["status"],
            versions=len(versions.rows),
            launch_estimate=self._estimates_at(versions, "launch", truth, zero),
            impact_estimate=self._estimates_at(versions, "impact", truth, zero),
            types={k: round(v, 6) for k, v in sorted(json.loads(last["types"]).items())},
            confidence=last["confidence"],
            confidence_at_warning=confirmed["confidence"] if confirmed is not None else None,
            areas=areas,
            decisions=[
                shapes.DecisionSummary(
                    post=r["post"],
                    step=r["step"],
                    action=r["action"],
                    t_s=_ms(r["t_s"] - zero),
                    by=r["by"],
                    areas=r["areas"].split(",") if r["areas"] else [],
                    text=r["text"],
                )
                for r in decisions
            ],
            delays=self._delays(chain, obj, zero, alert_s) if confirmed is not None else None,
        )

    def _warning_time(self, area: Area, truth: _Truth | None, warning_s: float | None) -> float | None:
        if truth is None or warning_s is None:
            return None
        inside = truth.ground.holds_impact(area.rings, truth.flight)
        comes = truth.flight["impact_s"] if inside else truth.ground.first_over(area.rings)
        return None if comes is None else _ms(comes - warning_s)

    def _areas(self, versions: Versions, truth: _Truth | None, zero: float) -> list[shapes.AreaSummary]:
        made = []
        rows = sorted(self._risks.get(versions.uid, []), key=lambda r: r["version"])
        for area in self.areas.get(versions.nation, ()):
            mine = [r for r in rows if r["area"] == area.id]
            passage = truth.ground.first_over(area.rings) if truth is not None else None
            made.append(
                shapes.AreaSummary(
                    area=area.id,
                    name=area.name,
                    kind=area.kind,
                    max_p_impact=round(max((r["p_impact"] for r in mine), default=0.0), 6),
                    last_p_impact=round(mine[-1]["p_impact"], 6) if mine else 0.0,
                    above_1_percent=any(r["p_impact"] >= _ONE_PERCENT for r in mine),
                    below_1_percent_s=_for_good(mine, lambda r: r["p_impact"] < _ONE_PERCENT, zero),
                    excluded_s=_for_good(mine, lambda r: r["excluded"], zero),
                    passage_s=None if passage is None else _ms(passage - zero),
                    impact_inside=None if truth is None else truth.ground.holds_impact(area.rings, truth.flight),
                )
            )
        return made

    def _estimates_at(self, versions: Versions, what: str, truth: _Truth | None, zero: float) -> shapes.Estimates:
        first = versions.first_confirmed
        later = None if truth is None else versions.at(truth.flight["cutoff_s"] + _AFTER_BURNOUT_S)
        return shapes.Estimates(
            first_warning=None if first is None else self._estimate(first, what, truth, zero),
            burnout_60s=None if later is None else self._estimate(later, what, truth, zero),
            last=self._estimate(versions.rows[-1], what, truth, zero),
        )

    def _estimate(self, version: Row, what: str, truth: _Truth | None, zero: float) -> shapes.EstimateSummary:
        e = self._estimates[version["warning"], version["version"], what]
        region50 = None if e["region50"] is None else json.loads(e["region50"])
        region95 = None if e["region95"] is None else json.loads(e["region95"])
        error = time_error = inside50 = inside95 = None
        if truth is not None and truth.flight[f"{what}_s"] is not None:
            lat, lon = (math.radians(truth.flight[f"{what}_{c}_deg"]) for c in ("lat", "lon"))
            if e["lat_deg"] is not None:
                away = inverse(math.radians(e["lat_deg"]), math.radians(e["lon_deg"]), lat, lon)[0]
                error = _round(float(away) * 1e-3)
            if e["at_s"] is not None:
                time_error = _round(e["at_s"] - truth.flight[f"{what}_s"])
            inside50 = None if region50 is None else region_holds(region50, lat, lon)
            inside95 = None if region95 is None else region_holds(region95, lat, lon)
        cov = None
        if e["cov_ee_km2"] is not None:
            ee, en, nn = (round(e[k], 6) for k in ("cov_ee_km2", "cov_en_km2", "cov_nn_km2"))
            cov = [[ee, en], [en, nn]]
        return shapes.EstimateSummary(
            version=version["version"],
            t_s=_ms(version["t_s"] - zero),
            as_of_s=_ms(e["as_of_s"] - zero),
            basis=e["basis"],
            p_impact=round(e["p_impact"], 6),
            kind=e["kind"],
            lat_deg=_round(e["lat_deg"], 6),
            lon_deg=_round(e["lon_deg"], 6),
            cov_enu_km2=cov,
            at_s=None if e["at_s"] is None else _ms(e["at_s"] - zero),
            at_sigma_s=_round(e["at_sigma_s"]),
            region50=region50,
            region95=region95,
            error_km=error,
            time_error_s=time_error,
            inside50=inside50,
            inside95=inside95,
        )

    def _delays(self, chain: Chain, obj: int, zero: float, alert_s: float | None) -> shapes.Delays:
        first = self._first_possible(chain.pipeline, obj) if obj != NO_OBJECT else None
        spent = parts_of(chain, zero, first, alert_s)
        total = sum(spent.values())
        return shapes.Delays(
            geometry_s=spent["geometry"] / 1000,
            detection_s=spent["detection"] / 1000,
            confirmation_s=spent["confirmation"] / 1000,
            processing_s=spent["processing"] / 1000,
            sending_s=spent["sending"] / 1000,
            decision_s=None if alert_s is None else spent["decision"] / 1000,
            total_s=total / 1000,
            path=list(chain.path),
        )

    def _first_possible(self, pipeline: tuple[str, str], obj: int) -> float | None:
        """Earliest look of any sensor that feeds ``pipeline`` at an object; None if none could look."""
        if (pipeline, obj) not in self._looks:
            nation, label = pipeline
            scans = self.tables["scans"]
            times = []
            for sensor in self.facts.sensors:
                if sensor.partner == nation and self._feeds(sensor.id, nation, label):
                    mine = scans.filter(pc.equal(scans["sensor"], scalar(sensor.id)))
                    times.append(first_look(mine, self.truths[obj].rows, sensor.cloud_top))
            known = [t for t in times if t is not None]
            self._looks[pipeline, obj] = min(known) if known else None
        return self._looks[pipeline, obj]

    def _feeds(self, sensor: str, nation: str, label: str) -> bool:
        if label == "own":
            return True
        for release in (self.scenario.get("sharing") or {}).get("releases") or ():
            if release["from"] == nation and f"to:{release['to']}" == label:
                released = release.get("sensors", "all")
                return released == "all" or sensor in released
        return True

    @cached_property
    def _tracking(self) -> dict[tuple[str, str], TrackQuality]:
        return qualities(self.tables, self.scenario, self.facts)

    def tracking(self, nation: str) -> shapes.Tracking:
        """The tracks of a nation's own label against the truth."""
        q = self._tracking[nation, "own"]

        def km(metres: float | None) -> float | None:
            return _round(None if metres is None else metres * 1e-3, 6)

        return shapes.Tracking(
            cutoff_km=q.cutoff_m * 1e-3,
            frames=q.times,
            gospa_km=round(q.gospa_m * 1e-3, 6),
            localisation_km=round(q.localisation_m * 1e-3, 6),
            missed_km=round(q.missed_m * 1e-3, 6),
            false_km=round(q.false_m * 1e-3, 6),
            completeness=_round(q.completeness, 6),
            longest_share=_round(q.longest_share, 6),
            breaks=q.breaks,
            switches=q.switches,
            spurious=_round(q.spurious, 6),
            rms_km=km(q.rms_m),
            rms_km_s=km(q.rms_velocity_m_s),
            over_sigma=_round(q.over_sigma, 4),
            objects=[
                shapes.TrackedObject(
                    object=self.facts.objects[o.who],
                    from_s=_ms(o.first_ns / 1e9),
                    completeness=round(o.completeness, 6),
                    longest_share=round(o.longest_share, 6),
                    breaks=o.breaks,
                    switches=o.switches,
                    tracks=list(o.numbers),
                    rms_km=km(o.rms_m),
                    over_sigma=_round(o.over_sigma, 4),
                )
                for o in q.objects
            ],
        )

    # the rest ---------------------------------------------------------------------------------------------------------

    def partner(self, nation: str, name: str) -> shapes.Partner:
        events = [
            self.event(versions)
            for versions in self.behind.warnings.values()
            if versions.nation == nation and versions.label == "own"
        ]
        warned = [e.object for e in events if e.warning_s is not None]
        return shapes.Partner(
            id=nation,
            name=name,
            events=events,
            missed=[
                self.facts.objects[i] for i, t in self.truths.items() if t.whole and self.facts.objects[i] not in warned
            ],
            false_warnings=warned.count(None),
            tracking=self.tracking(nation),
            raid=self.raid(nation),
        )

    def raid(self, nation: str) -> shapes.Raid | None:
        """The picture with the most open warnings, the last of them; None where there never were two."""
        table = self.tables.get("raids")
        found = [row for row in (table.to_pylist() if table is not None else ()) if row["nation"] == nation]
        if not found:
            return None
        row = max(found, key=lambda r: (r["open"], r["t_s"]))
        return shapes.Raid(
            t_s=_ms(row["t_s"]),
            open=row["open"],
            confirmed=row["confirmed"],
            least=row["least"],
            most=row["most"],
            rate_per_min=_round(row["rate_per_min"]),
            first_impact_s=_round(row["first_impact_s"]),
            first_sigma_s=_round(row["first_sigma_s"]),
            last_impact_s=_round(row["last_impact_s"]),
            last_sigma_s=_round(row["last_sigma_s"]),
            areas=json.loads(row["areas"]),
            counts=json.loads(row["counts"]),
        )

    def objects(self) -> list[shapes.ObjectSummary]:
        made = []
        for truth in self.truths.values():
            f = truth.flight
            if not truth.whole:
                continue
            end = f["impact_s"]
            made.append(
                shapes.ObjectSummary(
                    id=f["object"],
                    class_=f["class"],
                    launch_time=format_utc(self.facts.unix_ns + round(f["launch_s"] * 1e9)),
                    impact_time=None if end is None else format_utc(self.facts.unix_ns + round(end * 1e9)),
                    launch_s=_ms(f["launch_s"]),
                    flight_time_s=None if end is None else _ms(end - f["launch_s"]),
                    burnout_s=_ms(f["cutoff_s"] - f["launch_s"]),
                    apogee_km=_ms(f["apogee_km"]),
                    range_km=_round(f["range_km"]),
                    launch_lat_deg=round(f["launch_lat_deg"], 6),
                    launch_lon_deg=round(f["launch_lon_deg"], 6),
                    impact_lat_deg=_round(f["impact_lat_deg"], 6),
                    impact_lon_deg=_round(f["impact_lon_deg"], 6),
                )
            )
        return made

    def _first_warnings(self, partners: list[shapes.Partner]) -> list[shapes.Event]:
        """Each partner's first confirmed warning of each object that was launched as such: a warning of an object of
        which it was warned before, or of what came off it, leaves nobody less time.
        """
        whole = {self.facts.objects[i] for i, t in self.truths.items() if t.whole}
        first: dict[tuple[str, str], shapes.Event] = {}
        for partner in partners:
            for e in partner.events:
                if e.object is None or e.object not in whole or e.warning_s is None:
                    continue
                known = first.get((partner.id, e.object))
                if known is None or known.warning_s is None or e.warning_s < known.warning_s:
                    first[partner.id, e.object] = e
        return list(first.values())

    def headline(self, partners: list[shapes.Partner]) -> shapes.Headline:
        whole = [self.facts.objects[i] for i, t in self.truths.items() if t.whole]
        real = [(p, e) for p in partners for e in p.events if e.object in whole]
        warned = [(e.warning_s, p.id) for p, e in real if e.warning_s is not None]
        alerted = [(e.alert_s, p.id) for p, e in real if e.alert_s is not None]
        seen = [e.first_detection_s for _, e in real if e.first_detection_s is not None]
        times = [t for e in self._first_warnings(partners) for t in e.warning_time_s.values() if t is not None]
        first_warning, first_alert = min(warned, default=None), min(alerted, default=None)
        links = self.tables["truth_links"]
        return shapes.Headline(
            objects=sum(t.whole for t in self.truths.values()),
            warned_objects=len(set(whole).intersection(e.object for _, e in real if e.warning_s is not None)),
            false_warnings=sum(p.false_warnings for p in partners),
            first_detection_s=min(seen, default=None),
            first_warning_s=first_warning[0] if first_warning else None,
            first_warning_partner=first_warning[1] if first_warning else None,
            first_alert_s=first_alert[0] if first_alert else None,
            first_alert_partner=first_alert[1] if first_alert else None,
            longest_warning_time_s=max(times, default=None),
            shortest_warning_time_s=min(times, default=None),
            detections=self.tables["detections"].num_rows,
            false_detections=links["object"].null_count,
            messages=self.tables["messages"].num_rows,
        )


def _for_good(rows: list[Row], holds: Any, zero: float) -> float | None:
    """When a condition came to hold that then held to the last version."""
    start = None
    for row in rows:
        if not holds(row):
            start = None
        elif start is None:
            start = row["t_s"]
    return None if start is None else _ms(start - zero)


def summarise(
    tables: Mapping[str, pa.Table], scenario: Mapping[str, Any], manifest: Mapping[str, Any], facts: Facts
) -> dict[str, Any]:
    """``summary.json`` of a run as plain data (``shapes.Summary``).

    ``tables``: all tables of the dictionary; ``scenario``: as plain data, with its defaults or without; ``manifest``:
    "scenario", "title", "epoch_utc", "seed" and "version"; ``facts``: what the tables were made with.
    """
    measured = _Measured(tables, scenario, facts)
    partners = [
        measured.partner(nation, (entry or {}).get("name") or nation) for nation, entry in scenario["partners"].items()
    ]
    truths = sorted((t for t in measured.truths.values() if t.whole), key=lambda t: t.launch_s)
    made = shapes.Summary(
        format=FORMAT,
        exercise="EXERCISE",
        scenario=str(manifest["scenario"]),
        title=str(manifest.get("title") or scenario.get("title") or manifest["scenario"]),
        seed=int(manifest["seed"]),
        version=str(manifest["version"]),
        epoch_utc=format_utc(facts.unix_ns),
        headline=measured.headline(partners),
        objects=measured.objects(),
        partners=partners,
        stages=stages(
            scenario, tables, partners, truths[0].flight if truths else None, truths[0].ground if truths else None,
            measured.areas, facts.unix_ns,
        ),
        incident=incident(tables, scenario) if scenario.get("incident") else msgspec.UNSET,
    )  # fmt: skip
    plain: dict[str, Any] = msgspec.to_builtins(made)
    return plain
