"""The world: what happens, what the sensors make of it, and what of that has reached each nation by when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tocsin.earth.frames import theta_at, to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.records.columns import DETECTION, SCAN, TRUTH_STATE, Table, empty, encode
from tocsin.records.record import Phase, Record, Source
from tocsin.scenario.specs import WorldSpec
from tocsin.sensing.rig import Rig
from tocsin.sensing.targets import BURN, Targets
from tocsin.truth.flights import Flight, draw_flights, truth_ephemeris

TRUTH = ("truth",)
REENTRY_HEIGHT = 100e3  # phase 2 of a falling object starts here (m)


@dataclass
class Delivery:
    """What reached one nation in a frame."""

    scans: Table
    detections: Table


class World:
    """Truth and sensing of one scenario. Only ``exercise`` holds one; no nation does."""

    def __init__(self, spec: WorldSpec) -> None:
        self.spec = spec
        self.flights: tuple[Flight, ...] = draw_flights(spec)
        self._ephemeris = truth_ephemeris(self.flights)
        self._rig = Rig(spec.sensors, spec.theta0, spec.seed)
        self._targets = targets_of(self.flights, self._ephemeris)
        self._owner = np.zeros(max((s.n for s in spec.sensors), default=-1) + 1, dtype=np.int64)
        nations = list(spec.nations)
        for sensor in spec.sensors:
            self._owner[sensor.n] = nations.index(sensor.partner)
        self._scans = empty(SCAN)
        self._detections = empty(DETECTION)
        self._source = Source("world")
        self._to = {nation: Source(f"world:{nation}") for nation in spec.nations}

    @property
    def targets(self) -> Targets:
        """What the sensors may see, by object index of the scenario."""
        return self._targets

    def step(
        self, t0_ns: int, t1_ns: int, silent: frozenset[str]
    ) -> tuple[list[Record], dict[str, Delivery], dict[str, tuple[Any, Any]]]:
        """One frame: records, what reaches each nation, and the identities of the records that carried it (scans,
        detections).
        """
        records = self._truth(t0_ns, t1_ns)
        sensed = self._rig.step(t0_ns, t1_ns, self._targets, silent)
        if len(sensed.links):
            records.append(self._source.record(t1_ns, Phase.TRUTH, "truth.links", encode(sensed.links), TRUTH))
        if len(sensed.scans):
            self._scans = np.concatenate([self._scans, sensed.scans])
            self._detections = np.concatenate([self._detections, sensed.detections])
        here_scans = self._scans["arrive_ns"] <= t1_ns
        here_detections = self._detections["arrive_ns"] <= t1_ns
        deliveries = {nation: Delivery(empty(SCAN), empty(DETECTION)) for nation in self.spec.nations}
        refs: dict[str, tuple[Any, Any]] = dict.fromkeys(self.spec.nations, (None, None))
        if not here_scans.any():
            return records, deliveries, refs
        for k, nation in enumerate(self.spec.nations):
            scans = self._mine(self._scans[here_scans], k)
            detections = self._mine(self._detections[here_detections], k)
            if len(scans) == 0:
                continue
            scans = scans[np.lexsort((scans["scan"], scans["sensor"]))]
            detections = detections[np.lexsort((detections["n"], detections["scan"], detections["sensor"]))]
            deliveries[nation] = Delivery(scans, detections)
            audience = (f"nation:{nation}", "control")
            carried = self._to[nation].record(t1_ns, Phase.SENSING, "scans", encode(scans), audience)
            records.append(carried)
            found = None
            if len(detections):
                found = self._to[nation].record(t1_ns, Phase.SENSING, "detections", encode(detections), audience)
                records.append(found)
            refs[nation] = (carried.ref, found.ref if found else None)
        self._scans = self._scans[~here_scans]
        self._detections = self._detections[~here_detections]
        return records, deliveries, refs

    def _mine(self, table: Table, nation: int) -> Table:
        return table[self._owner[table["sensor"]] == nation] if len(table) else table

    def opening(self) -> list[Record]:
        """Records of what was drawn, at time zero."""
        return [
            self._source.record(0, Phase.TRUTH, "truth.flight", flight_facts(flight), TRUTH) for flight in self.flights
        ]

    def _truth(self, t0_ns: int, t1_ns: int) -> list[Record]:
        rows, times = [], []
        for i in range(len(self.flights)):
            start, end = self._ephemeris.span(i)
            if t0_ns < end and t1_ns >= start:  # the last frame of a flight shows its impact
                rows.append(i)
                times.append(min(t1_ns, end))
        records: list[Record] = []
        if rows:
            t = np.array(times, dtype=np.int64)
            x = self._ephemeris.states(np.array(rows, dtype=np.int64), t)
            table = empty(TRUTH_STATE, len(rows))
            table["object"], table["t_ns"], table["x"] = rows, t, x
            for k, i in enumerate(rows):
                table["phase"][k] = self._phase(i, int(t[k]), x[k])
            records.append(self._source.record(t1_ns, Phase.TRUTH, "truth.states", encode(table), TRUTH))
        for i, flight in enumerate(self.flights):
            for name, when in events_of(flight):
                if t0_ns < when <= t1_ns or (t0_ns == 0 and when == 0):
                    x1 = self._ephemeris.states(np.array([i], dtype=np.int64), np.array([when], dtype=np.int64))[0]
                    lat, lon, h = map(float, ecef_to_geodetic(to_ecef(x1[:3], theta_at(self.spec.theta0, when))))
                    body = {"object": flight.object.id, "event": name, "t_ns": when, "lat": lat, "lon": lon, "h": h}
                    records.append(self._source.record(when, Phase.TRUTH, "truth.event", body, TRUTH))
        return records

    def _phase(self, i: int, t_ns: int, x: Any) -> int:
        flight = self.flights[i]
        if any(t0 <= t_ns < t1 for t0, t1, _ in flight.burns):
            return 0
        h = float(ecef_to_geodetic(to_ecef(x[:3], theta_at(self.spec.theta0, t_ns)))[2])
        return 2 if t_ns > flight.apogee_ns and h < REENTRY_HEIGHT else 1

    def state(self) -> dict[str, Any]:
        """Plain data to go on from; truth itself is drawn anew from the spec and comes out the same."""
        return {
            "rig": self._rig.state(),
            "scans": self._scans.tobytes(),
            "detections": self._detections.tobytes(),
            "n": {name: source.n for name, source in (("world", self._source), *self._to.items())},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self._rig.load(state["rig"])
        self._scans = np.frombuffer(state["scans"], dtype=SCAN).copy()
        self._detections = np.frombuffer(state["detections"], dtype=DETECTION).copy()
        self._source.n = int(state["n"]["world"])
        for nation, source in self._to.items():
            source.n = int(state["n"][nation])


def events_of(flight: Flight) -> list[tuple[str, int]]:
    """Launch, burnout (last), apogee and impact of a flight with their times (ns)."""
    return [
        ("launch", flight.launch_ns),
        ("burnout", flight.cutoff_ns),
        ("apogee", flight.apogee_ns),
        ("impact", flight.impact_ns),
    ]


def flight_facts(flight: Flight) -> dict[str, Any]:
    """What was drawn and solved of a flight, as a record's body (SI, rad)."""
    return {
        "object": flight.object.id,
        "class": flight.object.class_id,
        "launch_ns": flight.launch_ns,
        "cutoff_ns": flight.cutoff_ns,
        "impact_ns": flight.impact_ns,
        "apogee_m": flight.apogee,
        "apogee_ns": flight.apogee_ns,
        "range_m": flight.range,
        "launch_lat": flight.object.lat,
        "launch_lon": flight.object.lon,
        "impact_lat": flight.impact_lat,
        "impact_lon": flight.impact_lon,
        "drawn": {k: float(v) for k, v in sorted(flight.drawn.items())},
    }


def targets_of(flights: tuple[Flight, ...], ephemeris: Any) -> Targets:
    """What the sensors need to know of the flights."""
    burns = [(i, t0, t1, intensity) for i, flight in enumerate(flights) for t0, t1, intensity in flight.burns]
    return Targets(
        ephemeris=ephemeris,
        keys=np.array([int(flight.object.key[:16], 16) for flight in flights], dtype=np.uint64),
        rcs=np.array(
            [[flight.drawn["rcs_boost"], flight.drawn["rcs"]] for flight in flights], dtype=np.float64
        ).reshape(-1, 2),
        cutoff_ns=np.array([flight.cutoff_ns for flight in flights], dtype=np.int64),
        burns=np.array(burns, dtype=BURN),
    )
