"""The world: what happens, what the sensors make of it, and what of that has reached each nation by when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST, theta_at, to_ecef
from tocsin.earth.geodesics import inverse
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.records.columns import DETECTION, SCAN, TRUTH_STATE, Table, empty, encode
from tocsin.records.lines import FlightBody, ObjectBody
from tocsin.records.record import Phase, Record, Source
from tocsin.records.shapes import Task
from tocsin.scenario.specs import Sensor, StatusSpan, WorldSpec
from tocsin.sensing.rig import Rig
from tocsin.sensing.targets import BURN, Targets
from tocsin.truth.body import Body, bodies_ephemeris
from tocsin.truth.classes import draw
from tocsin.truth.draw import draw_bodies

TRUTH = ("truth",)
REENTRY_HEIGHT = 100e3  # phase 2 of a falling object starts here (m)
_FLYING = ("flight", "glide", "launch", "loose", "state", "recorded")  # kinds that a warning can be about
_PHASE = {"orbit": 4, "aircraft": 5}  # of kinds that have but one


@dataclass
class Delivery:
    """What reached one nation in a frame."""

    scans: Table
    detections: Table


class World:
    """Truth and sensing of one scenario. Only ``exercise`` holds one; no nation does. ``declared``: the sensors as the
    nations declare them, which their scans tell.
    """

    def __init__(self, spec: WorldSpec, declared: Sequence[Sensor] = ()) -> None:
        self.spec = spec
        self.bodies: tuple[Body, ...] = draw_bodies(spec)
        self._ephemeris = bodies_ephemeris(self.bodies)
        self._rig = Rig(spec.sensors, spec.theta0, spec.seed, declared)
        self._targets = targets_of(self.bodies, self._ephemeris, spec)
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
        """What the sensors may see, by number of the body."""
        return self._targets

    def step(
        self,
        t0_ns: int,
        t1_ns: int,
        silent: frozenset[str],
        troubles: Sequence[StatusSpan] = (),
        tasks: Sequence[Task] = (),
    ) -> tuple[list[Record], dict[str, Delivery], dict[str, tuple[Any, Any]]]:
        """One frame: records, what reaches each nation, and the identities of the records that carried it (scans,
        detections). ``troubles``: of sensors, besides those of the scenario; ``tasks``: what centres ask of theirs.
        """
        records = self._truth(t0_ns, t1_ns)
        records += self._statuses(t0_ns, t1_ns)
        sensed = self._rig.step(t0_ns, t1_ns, self._targets, silent, (*self.spec.statuses, *troubles), tasks)
        if len(sensed.links):
            records.append(self._source.record(t1_ns, Phase.TRUTH, "truth.links", encode(sensed.links), TRUTH))
        if len(sensed.scans):
            self._scans = np.concatenate([self._scans, sensed.scans], dtype=SCAN)
            self._detections = np.concatenate([self._detections, sensed.detections], dtype=DETECTION)
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
        records = []
        for i, body in enumerate(self.bodies):
            t0, t1 = self._ephemeris.span(i)
            facts = {k: float(v) for k, v in sorted(body.facts.items())}
            thing = ObjectBody(body.id, body.class_id, body.kind, body.parent, t0, t1, facts)
            records.append(self._source.record(0, Phase.TRUTH, "truth.object", thing, TRUTH))
        flying = [i for i, body in enumerate(self.bodies) if body.kind in _FLYING]
        records += [self._source.record(0, Phase.TRUTH, "truth.flight", self._flight(i), TRUTH) for i in flying]
        return records

    def _place(self, i: int, t_ns: int) -> tuple[float, float, float]:
        """Latitude, longitude (rad) and height (m) of a body."""
        x = self._ephemeris.states(i, t_ns)[0]
        lat, lon, h = ecef_to_geodetic(to_ecef(x[:3], theta_at(self.spec.theta0, t_ns)))
        return float(lat), float(lon), float(h)

    def _highest(self, i: int) -> int:
        """When a body that turns nowhere between rising and falling is highest, to a second (ns)."""
        t0, t1 = self._ephemeris.span(i)
        t = np.append(np.arange(t0, t1, NS, dtype=np.int64), t1)
        x = self._ephemeris.states(np.full(len(t), i, dtype=np.int64), t)
        heights = ecef_to_geodetic(to_ecef(x[:, :3], self.spec.theta0 + OMEGA_GMST * (t / 1e9)))[:, 2]
        return int(t[np.argmax(heights)])

    def _flight(self, i: int) -> FlightBody:
        body = self.bodies[i]
        names = {other.id: k for k, other in enumerate(self.bodies)}
        origin = names.get(body.parent, i)  # what came off shares the launch
        launch_ns = self._ephemeris.span(origin)[0]
        lat, lon, _ = self._place(origin, launch_ns)
        when = dict(body.events)
        apogee_ns = when["apogee"] if "apogee" in when else self._highest(i)
        impact_ns = when.get("impact")
        range_m = end_lat = end_lon = None
        if impact_ns is not None:
            end_lat, end_lon, _ = self._place(i, impact_ns)
            range_m = inverse(lat, lon, end_lat, end_lon)[0]
        return FlightBody(
            object=body.id, class_=body.class_id, launch_ns=launch_ns, cutoff_ns=body.cutoff_ns, impact_ns=impact_ns,
            apogee_m=self._place(i, apogee_ns)[2], apogee_ns=apogee_ns, range_m=range_m, launch_lat=lat,
            launch_lon=lon, impact_lat=end_lat, impact_lon=end_lon,
            drawn={k: float(v) for k, v in sorted(body.facts.items())}, kind=body.kind, parent=body.parent,
        )  # fmt: skip

    def _truth(self, t0_ns: int, t1_ns: int) -> list[Record]:
        rows, times = [], []
        for i in range(len(self.bodies)):
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
        for i, body in enumerate(self.bodies):
            for name, when in body.events:
                if t0_ns < when <= t1_ns or (t0_ns == 0 and when == 0):
                    lat, lon, h = self._place(i, when)
                    event = {"object": body.id, "event": name, "t_ns": when, "lat": lat, "lon": lon, "h": h}
                    records.append(self._source.record(when, Phase.TRUTH, "truth.event", event, TRUTH))
        return records

    def _statuses(self, t0_ns: int, t1_ns: int) -> list[Record]:
        """What begins to be wrong with sensors, for control alone: a nation has its scans to tell it."""
        return [
            self._source.record(span.t0_ns, Phase.SENSING, "sensor.status", _status_body(span), ("control",))
            for span in self.spec.statuses
            if t0_ns < span.t0_ns <= t1_ns or (t0_ns == 0 and span.t0_ns == 0)
        ]

    def _phase(self, i: int, t_ns: int, x: Any) -> int:
        body = self.bodies[i]
        if body.kind in _PHASE:
            return _PHASE[body.kind]
        if any(t0 <= t_ns < t1 for t0, t1, _ in body.burns):
            return 0
        when = dict(body.events)
        if "pull-up" in when and t_ns >= when["pull-up"]:
            return 3
        # what never turns from rising to falling, such as a launch to orbit, may rise under that height between burns
        falling = t_ns > when["apogee"] if "apogee" in when else float(np.sum(x[:3] * x[3:])) < 0.0
        h = float(ecef_to_geodetic(to_ecef(x[:3], theta_at(self.spec.theta0, t_ns)))[2])
        return 2 if falling and h < REENTRY_HEIGHT else 1

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


def _status_body(span: StatusSpan) -> dict[str, Any]:
    until = f"until T+{span.t1_ns / 1e9:g} s, {'declared' if span.declared else 'not declared'}"
    return {"sensor": span.sensor, "status": span.what, "text": until, "span": span}


def targets_of(bodies: tuple[Body, ...], ephemeris: Ephemeris, spec: WorldSpec) -> Targets:
    """What the sensors need to know of the bodies. The heat of a body is drawn for it, by its key."""
    burns = [(i, t0, t1, intensity) for i, body in enumerate(bodies) for t0, t1, intensity in body.burns]
    classes = {c.id: c for c in spec.classes}
    trough = np.tile([0.0, 1.0, 1.0], (len(bodies), 1))
    warm = np.zeros(len(bodies))
    for i, body in enumerate(bodies):
        own = classes.get(body.class_id)
        if own is None:
            continue
        if own.trough:
            trough[i] = own.trough
        if own.warm.nominal > 0.0:
            warm[i] = max(draw(own.warm, spec.seed, body.key, "body.warm"), 0.0)
    return Targets(
        ephemeris=ephemeris,
        keys=np.array([int(body.key[:16], 16) for body in bodies], dtype=np.uint64),
        rcs=np.array([[body.rcs_boost, body.rcs] for body in bodies], dtype=np.float64).reshape(-1, 2),
        cutoff_ns=np.array([body.cutoff_ns for body in bodies], dtype=np.int64),
        burns=np.array(burns, dtype=BURN),
        trough=trough,
        warm=warm,
        unix_ns=spec.unix_ns,
    )
