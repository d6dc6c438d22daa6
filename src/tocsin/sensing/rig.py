"""All sensors of a world, frame by frame.

A sensor scans without a pause: scan number n runs from phase + n period to phase + (n + 1) period, with a phase of its
own (drawn from the sensor's stream, in whole ms, under one period), so that sensors of equal periods do not look in
step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import fields, replace
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.clock import to_ns
from tocsin.earth.random import draw_uniform, stream_key
from tocsin.records.columns import DETECTION, SCAN, TRUTH_LINK, Status, Table
from tocsin.records.shapes import Task
from tocsin.scenario.specs import Sensor, StatusSpan
from tocsin.sensing.biases import Biases
from tocsin.sensing.infrared import InfraredSatellites
from tocsin.sensing.over_horizon import OverHorizonRadars
from tocsin.sensing.radar import Radars
from tocsin.sensing.scanning import DEGRADED_GAIN, Due, Kind, Sensed
from tocsin.sensing.targets import Targets

TROUBLES = ("silent", "degraded", "jammed", "delayed", "biased")
ENTRY_POINTS = "tocsin.sensing"
Maker = Callable[[Sequence[Sensor], float, int], Kind]
_makers: dict[str, Maker] = {"radar": Radars, "infrared": InfraredSatellites, "over-horizon": OverHorizonRadars}
_MS = 1_000_000
BLIND = 1e-9  # factor on the SNR of a sensor that looks and sees nothing, and does not know it
# what the scans of a sensor that differs from what is declared of it take from what is declared
_DECLARED = (
    "region", "az_from", "az_to", "el_min", "el_max", "range_min", "range_max", "sensitivity", "clutter", "platform",
    "attitude",
)  # fmt: skip


def register(kind: str, maker: Maker) -> None:
    """Let sensors whose model has the tag ``kind`` be carried out by what ``maker(sensors, theta0, seed)`` returns."""
    _makers[kind] = maker


def _maker(kind: str) -> Maker:
    if kind not in _makers:
        for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.value):
            if point.name == kind:
                _makers[kind] = point.load()
    if kind not in _makers:
        raise ValueError(f"no sensor kind {kind!r}; known: {', '.join(sorted(_makers))}")
    return _makers[kind]


def _kind_of(sensor: Sensor) -> str:
    return str(sensor.model.__struct_config__.tag)


class Rig:
    """All sensors, as they are. ``theta0``: sidereal angle (rad) at the scenario's epoch; ``seed``: of the scenario.

    ``declared``: what is declared of the sensors, where it may differ from what is so (by id; the rest are as
    declared). It shows in the scans and changes no detection.

    Raises ValueError for two sensors with one number or one id, a scan period under 1 ms, more than 600 false
    detections a scan, or a sensor that is declared to be of another kind.
    """

    def __init__(self, sensors: tuple[Sensor, ...], theta0: float, seed: int, declared: Sequence[Sensor] = ()) -> None:
        self._sensors = tuple(sorted(sensors, key=lambda s: s.n))
        self._seed = seed
        for what in ("n", "id"):
            if len({getattr(s, what) for s in sensors}) != len(sensors):
                raise ValueError(f"two sensors have the same {what}")
        for s in self._sensors:
            if to_ns(s.model.scan_period) < _MS:
                raise ValueError(f"{s.id}: a scan period of {s.model.scan_period} s; at least 0.001 s is allowed")
            if not 0.0 <= s.model.false_per_scan <= 600.0:
                raise ValueError(f"{s.id}: {s.model.false_per_scan} false detections a scan; 0 to 600 are allowed")
        self._period = np.array([to_ns(s.model.scan_period) for s in self._sensors], dtype=np.int64)
        self._phase = np.array(
            [
                int(draw_uniform(stream_key(seed, f"sensor:{s.id}", "phase")) * (p // _MS)) * _MS
                for s, p in zip(self._sensors, self._period, strict=True)
            ],
            dtype=np.int64,
        )
        self._place = {s.id: i for i, s in enumerate(self._sensors)}
        self._dark = np.full(len(self._sensors), np.iinfo(np.int64).min)  # until when each was last silent
        self._kinds: list[tuple[Kind, NDArray[np.int64]]] = []
        for kind in sorted({_kind_of(s) for s in self._sensors}):
            members = [i for i, s in enumerate(self._sensors) if _kind_of(s) == kind]
            self._kinds.append((_maker(kind)([self._sensors[i] for i in members], theta0, seed), np.array(members)))
        self._said = self._declarations({s.id: s for s in declared}, theta0, seed)

    def _declarations(self, declared: Mapping[str, Sensor], theta0: float, seed: int) -> list[Kind | None]:
        """By kind, what makes the scans of sensors that are not as declared; None where all are."""
        made: list[Kind | None] = []
        self._differs = np.zeros(len(self._sensors), dtype=np.bool_)
        for i, s in enumerate(self._sensors):
            said = declared.get(s.id, s)
            if _kind_of(said) != _kind_of(s):
                raise ValueError(f"{s.id}: declared to be of the kind {_kind_of(said)!r}; it is of {_kind_of(s)!r}")
            self._differs[i] = said.model != s.model
        for _, members in self._kinds:
            if not self._differs[members].any():
                made.append(None)
                continue
            own = [self._sensors[i] for i in members]
            made.append(_maker(_kind_of(own[0]))([declared.get(s.id, s) for s in own], theta0, seed))
        return made

    def step(
        self,
        t0_ns: int,
        t1_ns: int,
        targets: Targets,
        silent: Set[str] | Mapping[str, int] = frozenset(),
        spans: Sequence[StatusSpan] = (),
        tasks: Sequence[Task] = (),
    ) -> Sensed:
        """The scans that end in ``(t0_ns, t1_ns]``.

        ``silent``: ids of sensors that are silent in this frame, or id to ``records.columns.Status``. A silent sensor
        sends nothing, not even an empty scan, and a scan during any part of which it was silent is lost. A degraded
        sensor scans with half its SNR and says so. ``links.object`` is the object's row in ``targets``, -1 for a false
        detection.

        ``spans``: what is wrong with sensors and when, in any order; one holds for each scan of which any part lies
        within it, so those that are over must be given for as long as such a scan may end. Several on one scan work
        together. A sensor that does not know that it is silent is blind: it sends scans in which nothing but false
        detections is found. ``tasks``: what the sensors are asked to watch, handed to their kinds.

        Raises KeyError for an unknown sensor id, ValueError for a span of an unknown kind of trouble.
        """
        before = np.maximum((t0_ns - self._phase) // self._period, 0)
        until = np.maximum((t1_ns - self._phase) // self._period, 0)
        status = None
        if silent:
            status = self._status(silent, t1_ns)
        if (before == until).all():
            return Sensed.nothing()
        if status is None:
            status = np.zeros(len(self._sensors), dtype=np.uint8)
        wrong: dict[int, list[StatusSpan]] = {}
        for span in spans:
            wrong.setdefault(self._place[span.sensor], []).append(span)
        parts = []
        for (kind, members), said in zip(self._kinds, self._said, strict=True):
            due = self._due(members, before, until, status, wrong)
            if tasks:
                own = {self._sensors[i].id for i in members.tolist()}
                due = replace(due, tasks=tuple(task for task in tasks if task.sensor in own))
            if len(due.which):
                sensed = kind.observe(due, targets)
                if said is not None:
                    self._as_declared(sensed.scans, said.observe(due, _nothing()).scans, members)
                parts.append(sensed)
        return _merge(parts)

    def _as_declared(self, scans: Table, said: Table, members: NDArray[np.int64]) -> None:
        numbers = np.array([self._sensors[i].n for i in members.tolist() if self._differs[i]], dtype=np.uint16)
        rows = np.isin(scans["sensor"], numbers)
        for name in _DECLARED:
            scans[name][rows] = said[name][rows]

    def _status(self, silent: Set[str] | Mapping[str, int], t1_ns: int) -> NDArray[np.uint8]:
        status = np.zeros(len(self._sensors), dtype=np.uint8)
        given = silent if isinstance(silent, Mapping) else dict.fromkeys(silent, Status.SILENT)
        for name, value in given.items():
            status[self._place[name]] = value
        self._dark[status == Status.SILENT] = t1_ns
        return status

    def _due(
        self,
        members: NDArray[np.int64],
        before: NDArray[np.int64],
        until: NDArray[np.int64],
        status: NDArray[np.uint8],
        wrong: Mapping[int, Sequence[StatusSpan]],
    ) -> Due:
        count = (until - before)[members]
        which = np.repeat(np.arange(len(members)), count)
        own = members[which]
        scan = before[own] + np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        t0 = self._phase[own] + scan * self._period[own]
        kept = (status[own] != Status.SILENT) & (t0 >= self._dark[own])
        which, own, scan, t0 = which[kept], own[kept], scan[kept], t0[kept]
        due = Due(which, scan, t0, t0 + self._period[own], status[own])
        return self._troubled(due, own, wrong) if wrong else due

    def _troubled(self, due: Due, own: NDArray[np.int64], wrong: Mapping[int, Sequence[StatusSpan]]) -> Due:
        """The scans due with what is wrong with them; those of a sensor that is silent and knows it are lost."""
        status, delay_ns, bias = due.status.copy(), due.delay_ns.copy(), due.bias.copy()
        factor, said = due.factor.copy(), due.said.copy()
        kept = np.ones(len(own), dtype=np.bool_)
        for i in sorted(wrong):
            for span in wrong[i]:
                hit = (own == i) & (due.t0 < span.t1_ns) & (due.t1 > span.t0_ns)
                if span.what == "silent" and span.declared:
                    kept &= ~hit
                    continue
                change = 1.0
                if span.what == "silent":
                    change = BLIND
                elif span.what == "degraded":
                    change = span.amount if span.amount > 0.0 else DEGRADED_GAIN
                elif span.what == "jammed":
                    change = 1.0 / max(span.amount, 1.0)
                elif span.what == "delayed":
                    delay_ns[hit] += to_ns(span.amount)
                elif span.what == "biased":
                    bias[hit] += self._bias(span, due.t0[hit])
                else:
                    raise ValueError(f"{span.sensor}: no trouble {span.what!r}; known: {', '.join(TROUBLES)}")
                factor[hit] *= change
                if span.declared:
                    said[hit] *= change
                    status[hit] = Status.DEGRADED
        made = Due(due.which, due.scan, due.t0, due.t1, status, factor, said, delay_ns, bias)
        if kept.all():
            return made
        return Due(*(getattr(made, f.name)[kept] for f in fields(Due) if f.name != "tasks"))

    def _bias(self, span: StatusSpan, t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """What a span adds to the measurements of scans that begin at ``t_ns (k,)``: (k, 4)."""
        own = Biases((f"{span.sensor}:from {span.t0_ns}",), (span.bias,), self._seed)  # a wander of its own
        return own.at(np.zeros(len(t_ns), dtype=np.int64), t_ns)

    def state(self) -> dict[str, Any]:
        """Plain data from which ``load`` goes on exactly; everything else follows from the time."""
        never = np.iinfo(np.int64).min
        made: dict[str, Any] = {
            "format": 1,
            "dark_ns": {s.id: int(t) for s, t in zip(self._sensors, self._dark, strict=True) if t != never},
        }
        kinds = {name: kept for name, kind in self._remembering() if (kept := kind.state())}
        return {**made, "kinds": kinds} if kinds else made

    def _remembering(self) -> list[tuple[str, Any]]:
        """Kinds that keep something from scan to scan, and their names."""
        kinds = [(_kind_of(self._sensors[members[0]]), kind) for kind, members in self._kinds]
        return [(name, kind) for name, kind in kinds if hasattr(kind, "state")]

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()`` of a rig of the same sensors. Raises ValueError for another format or an unknown
        sensor.
        """
        if state.get("format") != 1:
            raise ValueError(f"rig state of format {state.get('format')!r}; this version reads 1")
        unknown = sorted(set(state["dark_ns"]) - set(self._place))
        if unknown:
            raise ValueError(f"rig state names sensors that are not here: {', '.join(unknown)}")
        self._dark[:] = np.iinfo(np.int64).min
        for name, t in state["dark_ns"].items():
            self._dark[self._place[name]] = t
        for name, kind in self._remembering():
            kind.load(state.get("kinds", {}).get(name, {}))


@cache
def _nothing() -> Targets:
    """No object at all."""
    return Targets.of(Ephemeris([], []), (), np.empty((0, 2)), np.empty(0, dtype=np.int64), ())


def _merge(parts: list[Sensed]) -> Sensed:
    """One frame's tables of several kinds, in the order (sensor, scan, n)."""
    if not parts:
        return Sensed.nothing()
    if len(parts) == 1:
        return parts[0]
    scans = np.concatenate([p.scans for p in parts], dtype=SCAN)
    detections = np.concatenate([p.detections for p in parts], dtype=DETECTION)
    links = np.concatenate([p.links for p in parts], dtype=TRUTH_LINK)
    by_scan = np.lexsort((scans["scan"], scans["sensor"]))
    by_detection = np.lexsort((detections["n"], detections["scan"], detections["sensor"]))
    return Sensed(scans[by_scan], detections[by_detection], links[by_detection])
