"""What stands behind a warning: the detections, tracks, messages and versions that led to it, over borders too.

Everything is read from the tables of a run, so a run of last year is measured like one just made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.records.arrow import scalar, values

Row = dict[str, Any]
Ints = NDArray[np.int64]
Pipeline = tuple[str, str]  # nation, label
NO_OBJECT = -1
_DEEPEST = 8  # a rumour goes through no more nations than this


@dataclass(frozen=True)
class Milestone:
    """The end of one part of a delay: ``part`` as in ``shapes.Delays`` without "_s", at ``t_s`` since the epoch."""

    part: str
    t_s: float


@dataclass(frozen=True)
class Chain:
    """How a version came about. ``path``: nations, first whose sensors saw it; ``source``: "own" or a partner."""

    source: str
    path: tuple[str, ...]
    pipeline: Pipeline
    first_detection_s: float | None
    track_confirmed_s: float | None
    milestones: tuple[Milestone, ...]


@dataclass
class Versions:
    """All versions of one warning, in order."""

    uid: str
    nation: str
    label: str
    rows: list[Row] = field(default_factory=list)

    @property
    def first_confirmed(self) -> Row | None:
        """The first version that stands confirmed."""
        return next((row for row in self.rows if row["confirmed"]), None)

    def at(self, t_s: float) -> Row | None:
        """The version that stood at a time."""
        standing = [row for row in self.rows if row["t_s"] <= t_s]
        return standing[-1] if standing else None

    @property
    def tracks(self) -> list[int]:
        """The numbers of its own pipeline's tracks that it ever stood on."""
        return list(dict.fromkeys(row["track"] for row in self.rows if row["track"] is not None))


class Behind:
    """Looks things up in the tables of a run. ``objects``: ids of the true objects in the scenario's order."""

    def __init__(self, tables: Mapping[str, pa.Table], objects: tuple[str, ...]) -> None:
        self._tables = tables
        self.objects = objects

    @cached_property
    def warnings(self) -> dict[str, Versions]:
        """Every warning of every pipeline by uid, in the order in which they were opened."""
        found: dict[str, Versions] = {}
        for row in self._tables["warnings"].to_pylist():
            found.setdefault(row["warning"], Versions(row["warning"], row["nation"], row["label"])).rows.append(row)
        for versions in found.values():
            versions.rows.sort(key=lambda row: row["version"])
        return found

    @cached_property
    def _sensor_code(self) -> dict[str, int]:
        names: dict[str, int] = {}
        for table in ("detections", "truth_links", "associations"):
            for name in self._tables[table]["sensor"].unique().to_pylist():
                names.setdefault(name, len(names))
        return names

    def _keys(self, table: pa.Table) -> Ints:
        """One number for each (sensor, scan, n): 16 bits n, 32 bits scan."""
        if table.num_rows == 0:
            return np.zeros(0, dtype=np.int64)
        code = np.array([self._sensor_code[name] for name in table["sensor"].to_pylist()], dtype=np.int64)
        scan = np.asarray(values(table["scan"]), dtype=np.int64)
        n = np.asarray(values(table["n"]), dtype=np.int64)
        return (code << 48) | (scan << 16) | n

    @cached_property
    def _seen(self) -> tuple[Ints, NDArray[np.float64], Ints]:
        """Detections by key: keys sorted, time of the look (s), object (index, ``NO_OBJECT``)."""
        detections, links = self._tables["detections"], self._tables["truth_links"]
        keys = self._keys(detections)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        t = np.asarray(values(detections["t_s"]), dtype=np.float64)[order]
        caused = np.full(len(keys), NO_OBJECT, dtype=np.int64)
        index = {name: i for i, name in enumerate(self.objects)}
        linked = self._keys(links)
        objects = np.array([index.get(o, NO_OBJECT) for o in links["object"].to_pylist()], dtype=np.int64)
        if len(keys) and len(linked):
            at = np.minimum(np.searchsorted(keys, linked), len(keys) - 1)
            hit = keys[at] == linked
            caused[at[hit]] = objects[hit]
        return keys, t, caused

    def first_seen(self, sensors: Iterable[str]) -> dict[int, float]:
        """When each object (index) was first detected by any of these sensors, s since the epoch; the others are not
        there.
        """
        keys, t, caused = self._seen
        codes = [self._sensor_code[s] for s in sensors if s in self._sensor_code]
        mine = np.flatnonzero(np.isin(keys >> 48, np.array(codes, dtype=np.int64)) & (caused != NO_OBJECT))
        first: dict[int, float] = {}
        for i, t_s in zip(caused[mine].tolist(), t[mine].tolist(), strict=True):
            first[i] = min(t_s, first.get(i, t_s))
        return dict(sorted(first.items()))

    @cached_property
    def _given(self) -> dict[tuple[str, str, int], Ints]:
        """Keys of the detections given to each track (nation, label, track), in order."""
        table = self._tables["associations"]
        keys = self._keys(table)
        names = zip(table["nation"].to_pylist(), table["label"].to_pylist(), table["track"].to_pylist(), strict=True)
        rows: dict[tuple[str, str, int], list[int]] = {}
        for i, name in enumerate(names):
            rows.setdefault(name, []).append(i)
        return {name: keys[np.array(at)] for name, at in rows.items()}

    @cached_property
    def _confirmed(self) -> dict[tuple[str, str, int], float]:
        """First confirmation of each track."""
        found: dict[tuple[str, str, int], float] = {}
        for row in self._of_kind("track.event"):
            if row["what"] == "confirmed" and row["subject"].startswith("track "):
                nation = row["source"].partition(":")[2]
                name = (nation, row["label"], int(row["subject"].removeprefix("track ")))
                found[name] = min(row["t_s"], found.get(name, row["t_s"]))
        return found

    def _of_kind(self, kind: str) -> list[Row]:
        import pyarrow.compute as pc

        events = self._tables["events"]
        found: list[Row] = events.filter(pc.equal(events["kind"], scalar(kind))).to_pylist()
        return found

    @cached_property
    def _received(self) -> dict[tuple[str, str], list[Row]]:
        """Messages that arrived by (recipient, warning), in order of arrival."""
        found: dict[tuple[str, str], list[Row]] = {}
        rows = [row for row in self._tables["messages"].to_pylist() if row["outcome"] == "received" and row["warning"]]
        for row in sorted(rows, key=lambda r: (r["arrive_s"], r["n"])):
            found.setdefault((row["recipient"], row["warning"]), []).append(row)
        return found

    def _detections(self, versions: Versions) -> tuple[NDArray[np.float64], Ints]:
        """Times and objects of all detections given to the tracks of a warning."""
        parts = [self._given.get((versions.nation, versions.label, track)) for track in versions.tracks]
        here = [part for part in parts if part is not None]
        keys, t, caused = self._seen
        if not here or not len(keys):
            return np.zeros(0), np.zeros(0, dtype=np.int64)
        wanted = np.concatenate(here)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        at = at[keys[at] == wanted]
        return t[at], caused[at]

    def object_of(self, versions: Versions, depth: int = 0) -> int:
        """Index of the object most of the detections behind a warning came from; ``NO_OBJECT`` for a false one.

        Where it never stood on a track of its own, the partner's warning that fed it is asked. A tie goes to a real
        object, the first in the scenario.
        """
        _, caused = self._detections(versions)
        if len(caused):
            votes = np.bincount(caused[caused >= 0], minlength=len(self.objects))
            best = int(np.argmax(votes)) if len(votes) else NO_OBJECT
            return best if best >= 0 and votes[best] >= max(1, int((caused < 0).sum())) else NO_OBJECT
        for uid in dict.fromkeys(row["partner"] for row in versions.rows if row["partner"]):
            theirs = self.warnings.get(uid)
            if theirs is not None and depth < _DEEPEST:
                return self.object_of(theirs, depth + 1)
        return NO_OBJECT

    def chain(self, versions: Versions, row: Row, obj: int, depth: int = 0) -> Chain:
        """How version ``row`` of a warning of object ``obj`` came about."""
        message = self._word(versions, row) if depth < _DEEPEST else None
        theirs = self.warnings.get(message["warning"]) if message is not None else None
        if message is not None and theirs is not None:
            sent = next((r for r in theirs.rows if r["version"] == message["version"]), theirs.rows[0])
            deeper = self.chain(theirs, sent, obj, depth + 1)
            return Chain(
                source=theirs.nation,
                path=(*deeper.path, versions.nation),
                pipeline=deeper.pipeline,
                first_detection_s=deeper.first_detection_s,
                track_confirmed_s=deeper.track_confirmed_s,
                milestones=(
                    *deeper.milestones,
                    Milestone("sending", message["arrive_s"]),
                    Milestone("processing", row["t_s"]),
                ),
            )
        t, caused = self._detections(versions)
        t = t[caused == obj] if obj != NO_OBJECT else t
        first = float(t.min()) if len(t) else None
        times = [self._confirmed.get((versions.nation, versions.label, track)) for track in versions.tracks]
        known = [time for time in times if time is not None]
        confirmed = min(known) if known else None
        milestones = [Milestone("processing", row["t_s"])]
        if confirmed is not None:
            milestones.insert(0, Milestone("confirmation", confirmed))
        if first is not None:
            milestones.insert(0, Milestone("detection", first))
        pipeline = (versions.nation, versions.label)
        return Chain("own", (versions.nation,), pipeline, first, confirmed, tuple(milestones))

    def _word(self, versions: Versions, row: Row) -> Row | None:
        """The partner's message that made version ``row``, or None where the nation's own track did.

        A version without a track rests on the partner. One with a track rests on the partner where it is the first
        confirmed one and a partner's confirmed version came in since the version before.
        """
        if not row["partner"]:
            return None
        here = [m for m in self._received.get((versions.nation, row["partner"]), []) if m["arrive_s"] <= row["t_s"]]
        theirs = self.warnings.get(row["partner"])
        if not here or theirs is None:
            return None
        confirmed = {r["version"] for r in theirs.rows if r["confirmed"]}
        telling = [m for m in here if m["version"] in confirmed]
        if row["track"] is None:
            return telling[0] if row["confirmed"] and telling else here[0]
        before = [r["t_s"] for r in versions.rows if r["version"] < row["version"]]
        if row is versions.first_confirmed and telling and (not before or telling[0]["arrive_s"] > before[-1]):
            return telling[0]
        return None


def parts_of(chain: Chain, zero_s: float, first_possible_s: float | None, alert_s: float | None) -> dict[str, float]:
    """Milliseconds spent in each part, from ``zero_s`` (launch) on; they add up to the last milestone minus ``zero_s``.

    ``first_possible_s``: end of the geometry's part, taken to be no later than the first detection (None: the first
    detection itself). A milestone before the one that precedes it (a track confirmed late) costs nothing.
    """
    limit = chain.first_detection_s
    first = first_possible_s if first_possible_s is not None else limit
    if first is not None and limit is not None:
        first = min(first, limit)
    ends = [Milestone("geometry", first)] if first is not None else []
    ends += chain.milestones
    if alert_s is not None:
        ends.append(Milestone("decision", alert_s))
    spent = dict.fromkeys(("geometry", "detection", "confirmation", "processing", "sending", "decision"), 0.0)
    last = round(zero_s * 1000)
    for end in ends:
        now = max(last, round(end.t_s * 1000))
        spent[end.part] += now - last
        last = now
    return spent
