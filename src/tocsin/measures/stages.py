"""Published stages of a real event beside the simulated ones, stage against stage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tocsin.measures import shapes
from tocsin.measures.ground import GroundTrack
from tocsin.records.arrow import scalar
from tocsin.scenario.moments import moment_ns
from tocsin.scenario.specs import Area


def stages(
    scenario: Mapping[str, Any],
    tables: Mapping[str, pa.Table],
    partners: list[shapes.Partner],
    flight: dict[str, Any] | None,
    ground: GroundTrack | None,
    areas: Mapping[str, tuple[Area, ...]],
    unix_ns: int,
) -> list[shapes.Stage]:
    """One stage for each entry of the scenario's ``published``, in seconds since the first launch.

    ``flight``, ``ground``: row and ground track of the object launched first (None: nothing flies, the epoch counts).
    """
    zero = float(flight["launch_s"]) if flight is not None else 0.0
    last = pc.max(tables["truth"]["t_s"]).as_py()
    comes_down = flight is not None and flight["impact_s"] is not None
    cut = comes_down and flight is not None and last is not None and last < float(flight["impact_s"]) - 1.0
    end = float(last) if cut and last is not None else math.inf
    made = []
    for entry in scenario.get("published") or ():
        matches = entry.get("matches") or ""
        published = moment_ns(entry["at"], unix_ns) / 1e9 - zero
        simulated = None
        if flight is None or ground is None:
            at = _of_nothing(matches, partners, tables)
            simulated = None if at is None else round(at - zero, 3) + 0.0
        else:
            at = _simulated(matches, scenario, tables, partners, flight, ground, areas)
            if at is not None and at >= end:
                at = None  # the run ended before, or just there and the object was still on its way
            simulated = None if at is None else round(at - zero, 3) + 0.0
        made.append(
            shapes.Stage(
                event=entry["event"],
                matches=matches,
                published_s=round(published, 3) + 0.0,
                precision_s=float(entry.get("precision_s") or 0.0),
                simulated_s=simulated,
                difference_s=None if simulated is None else round(simulated - published, 3) + 0.0,
                source=entry.get("source") or "",
            )
        )
    return made


def _simulated(
    matches: str,
    scenario: Mapping[str, Any],
    tables: Mapping[str, pa.Table],
    partners: list[shapes.Partner],
    flight: dict[str, Any],
    ground: GroundTrack,
    areas: Mapping[str, tuple[Area, ...]],
) -> float | None:
    """The time (s since the epoch) in the run that a published stage is set against; None if there is none."""
    kind, _, of = matches.partition(":")
    if kind in ("launch", "apogee", "impact"):
        when = flight[f"{kind}_s"]
        return None if when is None else float(when)
    if kind in ("opened", "over", "fault"):
        return _of_nothing(matches, partners, tables)
    if kind == "abeam":
        place = (scenario.get("places") or {}).get(of)
        return None if place is None else ground.abeam(math.radians(place["lat_deg"]), math.radians(place["lon_deg"]))
    nation, _, name = of.partition("/")
    if kind == "passage":
        area = next((a for a in areas.get(nation, ()) if a.id == name), None)
        return None if area is None else ground.first_over(area.rings)
    if kind == "first-detection":
        return _first_detection(tables, nation, flight["object"])
    events = [e for p in partners if p.id == nation for e in p.events if e.object == flight["object"]]
    if kind == "warning":
        return min((e.warning_s + e.zero_s for e in events if e.warning_s is not None), default=None)
    if kind == "step":
        return min((d.t_s + e.zero_s for e in events for d in e.decisions if d.step == name), default=None)
    return None


def _of_nothing(matches: str, partners: list[shapes.Partner], tables: Mapping[str, pa.Table]) -> float | None:
    """The same where nothing was launched: warnings and steps, whatever they were about."""
    kind, _, of = matches.partition(":")
    nation, _, name = of.partition("/")
    events = [e for p in partners if p.id == nation for e in p.events]
    if kind == "fault":
        return fault_began(tables, of)
    if kind == "opened":
        return min((e.opened_s + e.zero_s for e in events), default=None)
    if kind == "over":
        return last_over(tables, nation)
    if kind == "warning":
        return min((e.warning_s + e.zero_s for e in events if e.warning_s is not None), default=None)
    if kind == "step":
        return min((d.t_s + e.zero_s for e in events for d in e.decisions if d.step == name), default=None)
    return None


def fault_began(tables: Mapping[str, pa.Table], id: str) -> float | None:
    """When a fault behind the sensors began, s since the epoch."""
    events = tables["events"]
    kept = events.filter(pc.and_(pc.equal(events["kind"], scalar("fault")), pc.equal(events["subject"], scalar(id))))
    first = pc.min(kept.filter(pc.equal(kept["what"], scalar("begins")))["t_s"]).as_py()
    return None if first is None else float(first)


def last_over(tables: Mapping[str, pa.Table], nation: str) -> float | None:
    """When the last of a nation's own warnings was over; None while one stands, or where there was none."""
    last: dict[str, tuple[str, float]] = {}
    for row in tables["warnings"].to_pylist():
        if row["nation"] == nation and row["label"] == "own":
            last[row["warning"]] = (row["status"], row["t_s"])
    if not last or any(status not in ("cancelled", "closed") for status, _ in last.values()):
        return None
    return max(t for _, t in last.values())


def _first_detection(tables: Mapping[str, pa.Table], nation: str, obj: str) -> float | None:
    """First detection of an object by a nation's own sensors, used in a track or not."""
    links, detections = tables["truth_links"], tables["detections"]
    caused = links.filter(pc.equal(links["object"], scalar(obj))).select(["sensor", "scan", "n"])
    mine = detections.filter(pc.equal(detections["nation"], scalar(nation))).select(["sensor", "scan", "n", "t_s"])
    found = mine.join(caused, keys=["sensor", "scan", "n"], join_type="inner")
    first = pc.min(found["t_s"]).as_py()
    return None if first is None else float(first)
