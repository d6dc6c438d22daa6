"""The researcher's door: tracks from anybody's detections, without a scenario.

    from tocsin.tracking import Observer, track

    result = track(detections, [Observer.on_earth("north", lat_deg=68.1, lon_deg=33.9, scan_period_s=1.0)])
    result.tracks, result.associations, result.histories, result.refused      # Arrow tables

``Tracking`` is the same with a handle: settings, steps as data come, tracks to start from.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.clock import NS, parse_utc, to_ns
from tocsin.earth.frames import gmst82
from tocsin.records.columns import DETECTION, KIND_NAME, KIND_SIZE, LIFE_NAME, TRACK, Table, empty
from tocsin.records.shapes import TrackEvent
from tocsin.scenario.specs import FlightClass
from tocsin.tracking.observers import Observer
from tocsin.tracking.reading import Batch, Reader
from tocsin.tracking.settings import MODEL_NAME, Settings
from tocsin.tracking.tracker import Tracker, TrackStep

if TYPE_CHECKING:
    import pyarrow as pa

EPOCH = "2000-01-01T12:00:00Z"
_LONG_NS = 600 * NS


@dataclass(frozen=True)
class Step:
    """What one step gave. ``told``: as the tracker tells it (structured arrays); the rest are Arrow tables made of it
    when they are asked for.

    ``tracks``: those alive at the step's end and those that ended in it. ``associations``: rows of the detections'
    tables given to tracks and not told before. ``events``: what happened to tracks (``TrackEvent``).
    """

    told: TrackStep
    _door: Tracking

    @property
    def events(self) -> tuple[TrackEvent, ...]:
        """What happened to tracks."""
        return self._door._named(self.told.events)

    @functools.cached_property
    def tracks(self) -> pa.Table:
        """Tracks at the step's end."""
        return self._door._tracks([self.told.tracks])

    @functools.cached_property
    def associations(self) -> pa.Table:
        """Detections given to tracks."""
        return self._door._associations([self.told])


@dataclass(frozen=True)
class Result:
    """What a whole table came to, as Arrow tables.

    ``tracks``: each track at the end of each step. ``histories``: the detections that each track was made from in the
    end, in order of time. ``associations``: as they were told, step by step (late data may have changed them since).
    ``events``: what happened to tracks. ``refused``: rows that were not taken, with the reason; ``counts`` by reason.
    """

    tracks: pa.Table
    associations: pa.Table
    histories: pa.Table
    events: pa.Table
    refused: pa.Table
    counts: Mapping[str, int]


class Tracking:
    """A tracker over described sensors.

    ``observers``: see ``Observer``. ``models``: names of motions side by side in every track (``MODEL_NAME``);
    ``filter``: "ekf" or "ukf"; ``association``: "auto", "gnn", "jpda" or "mht"; ``classes``: believed flight classes
    (``scenario.specs.FlightClass``), priors for what is launched; ``noise``: white acceleration noise in m2/s3 by model
    name, in place of the models' own; ``charts``: range-direction charts for young long-range tracks; ``epoch``: the
    UTC time of time 0; ``lag_s``: how late data may be; ``more``: further fields of ``Settings``. Raises ValueError
    for a wrong description, naming place, found and allowed.
    """

    def __init__(
        self,
        observers: Sequence[Observer],
        *,
        models: Sequence[str] = ("boost", "coast"),
        filter: str = "ekf",
        association: str = "auto",
        classes: Sequence[FlightClass] = (),
        noise: Mapping[str, float] | None = None,
        charts: bool = True,
        epoch: str = EPOCH,
        lag_s: float = 60.0,
        **more: Any,
    ) -> None:
        if not 0.0 <= lag_s < 1e5:
            raise ValueError(f"lag_s: found {lag_s!r}; allowed: 0 to 1e5")
        allowed = [f for f in Settings.__dataclass_fields__ if f not in _OWN]
        for name in more:
            if name not in allowed:
                raise ValueError(f"Tracking: found the setting {name!r}; allowed: {', '.join([*_SHOWN, *allowed])}")
        self.settings = Settings(
            models=tuple(_model(m, "models") for m in models), filter=filter, association=association, charts=charts,
            noise={_model(m, "noise"): float(q) for m, q in (noise or {}).items()}, ring_ns=to_ns(lag_s), **more,
        )  # fmt: skip
        try:
            epoch_ns = parse_utc(epoch)
        except ValueError as error:
            raise ValueError(f"epoch: {error}") from None
        theta0 = gmst82(epoch_ns)
        self._reader = Reader(observers, theta0, epoch_ns)
        declared = tuple(o.declared(n) for n, o in enumerate(self._reader.observers))
        self._tracker = Tracker(declared, tuple(classes), theta0, self.settings)
        self._rows: dict[tuple[int, int], NDArray[np.int64]] = {}
        self._known: dict[int, None] = {}
        self._now = -(1 << 62)
        self._late: Counter[str] = Counter()

    # ---------------------------------------------------------------------------------------------------------- acting

    def start(self, x: ArrayLike, P: ArrayLike, t_s: float) -> list[int]:
        """Start tracks that are known otherwise, confirmed: ``x`` (n, 6), m and m/s eci, ``P`` (n, 6, 6), at ``t_s``.

        Their numbers, in order. Raises ValueError for other shapes, values that are not finite, covariances that are
        not positive definite.
        """
        states = np.array(x, dtype=np.float64).reshape(-1, 6)
        spread = np.array(P, dtype=np.float64)
        if spread.shape != (len(states), 6, 6):
            raise ValueError(f"start: P: found shape {spread.shape}; allowed: ({len(states)}, 6, 6)")
        if not (np.isfinite(states).all() and np.isfinite(spread).all() and math.isfinite(t_s)):
            raise ValueError("start: found values that are not finite; allowed: finite states, covariances and time")
        for k, one in enumerate(spread):
            if not np.allclose(one, one.T, rtol=1e-9, atol=0.0) or float(np.linalg.eigvalsh(one)[0]) <= 0.0:
                raise ValueError(f"start: P[{k}]: found a matrix that is not symmetric and positive definite")
        numbers = self._tracker.start(states, spread, to_ns(t_s))
        self._known.update(dict.fromkeys(numbers))
        return numbers

    def step(self, until_s: float, table: Any, scans: Any = None) -> Step:
        """Take a table of detections (see ``reading``) that were there until ``until_s`` and say what is known then.

        The detections of one scan come in one call; ``scans`` tells of scans, also of those that saw nothing. Rows
        later than the lag allows, or after ``until_s``, are refused and counted.
        """
        until = to_ns(until_s)
        if until < self._now:
            raise ValueError(f"step: until_s: found {until_s!r}; allowed: {self._now / NS} or later")
        batch = self._reader.read(table, scans, until - self.settings.ring_ns, until)
        return self._step(until, batch, 0, len(batch.scans))

    def run(self, table: Any, scans: Any = None, *, every_s: float = 1.0, fill: bool = True) -> Result:
        """Go through a whole table in order of time, in steps of ``every_s`` from its first whole step on.

        ``scans``: see ``step``. Without it and with ``fill``, scans without detections are made up where a sensor that
        stands still left out a period; nobody else can say that a sensor looked and saw nothing.
        """
        steps = [s.told for s in self.steps(table, scans, every_s=every_s, fill=fill)]
        return Result(
            self._tracks([s.tracks for s in steps]), self._associations(steps), self._histories(), self._events(steps),
            self.refused, self.counts,
        )  # fmt: skip

    def steps(self, table: Any, scans: Any = None, *, every_s: float = 1.0, fill: bool = True) -> Iterator[Step]:
        """``run``, a step at a time. Through more than ten minutes without a scan it goes in one step."""
        every = to_ns(every_s)
        if every < 1:
            raise ValueError(f"every_s: found {every_s!r}; allowed: over 0")
        batch = self._reader.read(table, scans, max(self._now - self.settings.ring_ns, -(1 << 62)), fill=fill)
        ends = batch.scans["t1_ns"].astype(np.int64)
        if not len(ends):
            return
        until = max(-(-int(ends[0]) // every) * every, self._now)
        at = 0
        while at < len(ends):
            end = int(np.searchsorted(ends, until, side="right"))
            yield self._step(until, batch, at, end)
            at, until = end, until + every
            if at < len(ends) and ends[at] - until > _LONG_NS:
                until = -(-int(ends[at]) // every) * every

    def _step(self, until: int, batch: Batch, begin: int, end: int) -> Step:
        scans = batch.scans[begin:end]
        a, b = int(batch.first[begin]), int(batch.first[end])
        for i in range(begin, end):
            if batch.first[i] < batch.first[i + 1]:
                scan = batch.scans[i]
                key = (int(scan["sensor"]), int(scan["scan"]))
                self._rows[key] = batch.rows[batch.first[i] : batch.first[i + 1]]
        self._now = until
        told = self._tracker.step(until, scans, batch.detections[a:b])
        self._late.update(told.refused.reasons)
        self._known.update(dict.fromkeys(e.track for e in told.events if e.event == "initiated"))
        return Step(told, self)

    # ---------------------------------------------------------------------------------------------------------- asking

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows (and scans) were refused, by reason (in order of the reasons' first appearance)."""
        counts = dict(self._reader.refused.counts)
        for why, n in self._late.items():
            counts[why] = counts.get(why, 0) + n
        return counts

    @property
    def refused(self) -> pa.Table:
        """Rows that were refused: ``row``, counted from 0 through all tables given, and ``reason``."""
        import pyarrow as pa

        rows = sorted(self._reader.refused.rows)
        return pa.table({
            "row": pa.array([r for r, _ in rows], pa.int64()), "reason": pa.array([why for _, why in rows], pa.string())
        })  # fmt: skip

    def history(self, track: int) -> pa.Table:
        """The detections that a track was made from, in order of time. Raises KeyError for an unknown number."""
        return self._history([track])

    def _histories(self) -> pa.Table:
        return self._history(sorted(self._known))

    def _history(self, tracks: Sequence[int]) -> pa.Table:
        import pyarrow as pa

        parts = [self._tracker.history(n).detections for n in tracks]
        sizes = np.array([len(p) for p in parts], dtype=np.int64)
        rows: Table = np.concatenate([empty(DETECTION), *parts])
        if not len(rows):
            return pa.table({
                "track": pa.array([], pa.int64()), "row": pa.array([], pa.int64()), "sensor": pa.array([], pa.string()),
                "t_s": pa.array([], pa.float64()), "kind": pa.array([], pa.string()),
                "measurement": pa.array([], pa.list_(pa.float64())),
            })  # fmt: skip
        kinds = rows["kind"].tolist()
        return pa.table({
            "track": np.repeat(np.array(tracks, dtype=np.int64), sizes),
            "row": self._row_of(rows["sensor"], rows["scan"], rows["n"]),
            "sensor": self._names(rows["sensor"]),
            "t_s": rows["t_ns"] / NS,
            "kind": pa.array([KIND_NAME[k] for k in kinds], pa.string()),
            "measurement": [z[: KIND_SIZE[k]].tolist() for z, k in zip(rows["z"], kinds, strict=True)],
        })  # fmt: skip

    def _named(self, events: Sequence[TrackEvent]) -> tuple[TrackEvent, ...]:
        """Events with observers by name where the tracker, in "initiated" alone, gives their numbers."""
        names = [str(o.name) for o in self._reader.observers]

        def told(e: TrackEvent) -> TrackEvent:
            if e.event != "initiated":
                return e
            return TrackEvent(e.track, e.event, e.t_ns, re.sub(r"\d+", lambda m: names[int(m[0])], e.reason))

        return tuple(told(e) for e in events)

    def _events(self, steps: Sequence[TrackStep]) -> pa.Table:
        import pyarrow as pa

        rows = [e for s in steps for e in self._named(s.events)]
        return pa.table({
            "track": pa.array([e.track for e in rows], pa.int64()),
            "t_s": pa.array([e.t_ns / NS for e in rows], pa.float64()),
            "what": pa.array([e.event for e in rows], pa.string()),
            "why": pa.array([e.reason for e in rows], pa.string()),
        })  # fmt: skip

    def _names(self, sensor: NDArray[Any]) -> list[str]:
        names = [str(o.name) for o in self._reader.observers]
        return [names[s] for s in sensor.tolist()]

    def _row_of(self, sensor: NDArray[Any], scan: NDArray[Any], n: NDArray[Any]) -> NDArray[np.int64]:
        marks = zip(sensor.tolist(), scan.tolist(), n.tolist(), strict=True)
        return np.array([self._rows[s, c][k] for s, c, k in marks], dtype=np.int64)

    def _associations(self, steps: Sequence[TrackStep]) -> pa.Table:
        import pyarrow as pa

        parts = [s.associations for s in steps if len(s.associations)]
        if not parts:
            return pa.table({"track": pa.array([], pa.int64()), "row": pa.array([], pa.int64()),
                             "sensor": pa.array([], pa.string())})  # fmt: skip
        rows = np.concatenate(parts)
        return pa.table({
            "track": rows["track"].astype(np.int64),
            "row": self._row_of(rows["sensor"], rows["scan"], rows["n"]),
            "sensor": pa.array(self._names(rows["sensor"]), pa.string()),
        })  # fmt: skip

    def _tracks(self, parts: Sequence[Table]) -> pa.Table:
        import pyarrow as pa

        rows: Table = np.concatenate([empty(TRACK), *parts])
        packed = np.ascontiguousarray(rows["P"], dtype=np.float64)
        columns: dict[str, Any] = {
            "track": rows["track"].astype(np.int64),
            "t_s": rows["t_ns"] / NS,
            "life": pa.array([LIFE_NAME[k] for k in rows["life"].tolist()], pa.string()),
        }
        for k, name in enumerate(("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")):
            columns[name] = np.ascontiguousarray(rows["x"][:, k])
        columns["covariance"] = pa.FixedSizeListArray.from_arrays(pa.array(packed.ravel()), 21)
        for k in self.settings.models:
            columns[f"p_{MODEL_NAME[k]}"] = np.ascontiguousarray(rows["mu"][:, k])
        columns["existence"] = np.ascontiguousarray(rows["existence"])
        columns["updates"] = rows["updates"].astype(np.int64)
        columns["sensors"] = rows["sensors"].astype(np.int64)
        columns["last_update_s"] = rows["last_update_ns"] / NS
        return pa.table(columns)


def track(detections: Any, observers: Sequence[Observer], scans: Any = None, **settings: Any) -> Result:
    """Tracks of a whole table of detections: ``Tracking(observers, **settings).run(detections, scans)``.

    ``every_s`` and ``fill`` go to ``run``.
    """
    to_run = {name: settings.pop(name) for name in ("every_s", "fill") if name in settings}
    return Tracking(observers, **settings).run(detections, scans, **to_run)


_SHOWN = ("models", "filter", "association", "classes", "noise", "charts", "epoch", "lag_s")
_OWN = ("models", "filter", "association", "noise", "charts", "ring_ns")


def _model(name: str, place: str) -> int:
    if name not in MODEL_NAME:
        raise ValueError(f"{place}: found {name!r}; allowed: {', '.join(MODEL_NAME)}")
    return MODEL_NAME.index(name)
