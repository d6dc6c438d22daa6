"""All sensors of a world, frame by frame.

A sensor scans without a pause: scan number n runs from phase + n period to phase + (n + 1) period, with a phase of its
own (drawn from the sensor's stream, in whole ms, under one period), so that sensors of equal periods do not look in
step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_ns
from tocsin.earth.random import draw_uniform, stream_key
from tocsin.records.columns import Status
from tocsin.scenario.specs import Sensor
from tocsin.sensing.infrared import InfraredSatellites
from tocsin.sensing.radar import Radars
from tocsin.sensing.scanning import Due, Kind, Sensed
from tocsin.sensing.targets import Targets

ENTRY_POINTS = "tocsin.sensing"
Maker = Callable[[Sequence[Sensor], float, int], Kind]
_makers: dict[str, Maker] = {"radar": Radars, "infrared": InfraredSatellites}
_MS = 1_000_000


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
    """All sensors. ``theta0``: sidereal angle (rad) at the scenario's epoch; ``seed``: of the scenario.

    Raises ValueError for two sensors with one number or one id, a scan period under 1 ms, or more than 600 false
    detections a scan.
    """

    def __init__(self, sensors: tuple[Sensor, ...], theta0: float, seed: int) -> None:
        self._sensors = tuple(sorted(sensors, key=lambda s: s.n))
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

    def step(
        self, t0_ns: int, t1_ns: int, targets: Targets, silent: Set[str] | Mapping[str, int] = frozenset()
    ) -> Sensed:
        """The scans that end in ``(t0_ns, t1_ns]``.

        ``silent``: ids of sensors that are silent in this frame, or id to ``records.columns.Status``. A silent sensor
        sends nothing, not even an empty scan, and a scan during any part of which it was silent is lost. A degraded
        sensor scans with half its SNR and says so. ``links.object`` is the object's row in ``targets``, -1 for a false
        detection.

        Raises KeyError for an unknown sensor id.
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
        parts = []
        for kind, members in self._kinds:
            due = self._due(members, before, until, status)
            if len(due.which):
                parts.append(kind.observe(due, targets))
        return _merge(parts)

    def _status(self, silent: Set[str] | Mapping[str, int], t1_ns: int) -> NDArray[np.uint8]:
        status = np.zeros(len(self._sensors), dtype=np.uint8)
        given = silent if isinstance(silent, Mapping) else dict.fromkeys(silent, Status.SILENT)
        for name, value in given.items():
            status[self._place[name]] = value
        self._dark[status == Status.SILENT] = t1_ns
        return status

    def _due(
        self, members: NDArray[np.int64], before: NDArray[np.int64], until: NDArray[np.int64], status: NDArray[np.uint8]
    ) -> Due:
        count = (until - before)[members]
        which = np.repeat(np.arange(len(members)), count)
        own = members[which]
        scan = before[own] + np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        t0 = self._phase[own] + scan * self._period[own]
        kept = (status[own] != Status.SILENT) & (t0 >= self._dark[own])
        which, own, scan, t0 = which[kept], own[kept], scan[kept], t0[kept]
        return Due(which, scan, t0, t0 + self._period[own], status[own])

    def state(self) -> dict[str, Any]:
        """Plain data from which ``load`` goes on exactly; everything else follows from the time."""
        never = np.iinfo(np.int64).min
        return {
            "format": 1,
            "dark_ns": {s.id: int(t) for s, t in zip(self._sensors, self._dark, strict=True) if t != never},
        }

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


def _merge(parts: list[Sensed]) -> Sensed:
    """One frame's tables of several kinds, in the order (sensor, scan, n)."""
    if not parts:
        return Sensed.nothing()
    if len(parts) == 1:
        return parts[0]
    scans = np.concatenate([p.scans for p in parts])
    detections = np.concatenate([p.detections for p in parts])
    links = np.concatenate([p.links for p in parts])
    by_scan = np.lexsort((scans["scan"], scans["sensor"]))
    by_detection = np.lexsort((detections["n"], detections["scan"], detections["sensor"]))
    return Sensed(scans[by_scan], detections[by_detection], links[by_detection])
