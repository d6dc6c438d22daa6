"""One nation's whole processing: all that a nation's own machine runs.

It is built from a ``NationSpec`` and driven by frames. It never sees the scenario, the world, or another nation's
inside.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from tocsin.command.posts import Desk
from tocsin.exchange.gateway import Gateway
from tocsin.exchange.inbox import Inbox
from tocsin.exchange.labels import OWN, pipelines
from tocsin.records.columns import Table, encode
from tocsin.records.record import Input, Phase, Record, Ref, Source
from tocsin.records.shapes import (
    Conference,
    Decision,
    Envelope,
    Frame,
    RaidPicture,
    Receipt,
    Screen,
    Step,
    Task,
    WarningVersion,
)
from tocsin.scenario.specs import NationSpec
from tocsin.tracking.settings import Settings
from tocsin.tracking.tracker import Tracker, TrackStep
from tocsin.warning import raid
from tocsin.warning.cueing import Cueing
from tocsin.warning.notices import Notices
from tocsin.warning.reports import Reports
from tocsin.warning.warner import Views, Warner

_TRACKING = Settings(models=(0, 1, 2, 3, 4, 5))  # nobody tells a nation what will fly: it has every kind of motion


class Nation:
    """Sensors' scans in, warnings, messages and decisions out, one frame at a time."""

    def __init__(self, spec: NationSpec) -> None:
        self.spec = spec
        self._source = Source(f"nation:{spec.id}")
        self._audience = (f"nation:{spec.id}", "control")
        self._labels = pipelines(spec)
        # tracking depends on nothing but the sensors that feed it: pipelines with the same sensors share one tracker
        self._trackers = {
            fed: Tracker(self._sensors(fed), spec.classes, spec.theta0, _TRACKING) for fed in self._distinct()
        }
        views = {fed: Views(spec, self._sensors(fed)) for fed in self._trackers}
        # what it was told by others goes into its own warnings only: a partner gets what rests on released sensors
        self._notices = Notices(spec)
        self._warners = {
            label: Warner(spec, label, self._sensors(fed), views[fed], self._notices if label == OWN else None)
            for label, fed in self._labels.items()
        }
        self._gateway = Gateway(spec)
        self._inbox = Inbox(spec)
        self._desk = Desk(spec)
        self._cueing = Cueing(spec)
        self._reports = Reports(spec)
        self._shown: dict[str, Screen] = {}
        self._raid: RaidPicture | None = None
        self._refs: dict[str, Ref] = {}  # newest record of each warning and track, for causes

    def share_assessments(self, other: Nation) -> None:
        """Take what ``other`` has worked out of equal tracks at the same time, instead of working it out again."""
        for label, warner in self._warners.items():
            warner.share_views(other._warners[label])

    def _sensors(self, fed: tuple[int, ...]) -> tuple[Any, ...]:
        return tuple(sensor for sensor in self.spec.sensors if sensor.n in fed)

    def _distinct(self) -> list[tuple[int, ...]]:
        return list(dict.fromkeys(self._labels.values()))

    def step(self, frame: Frame) -> Step:
        """Process one frame; everything it causes carries the frame's end as its time."""
        t = frame.t1_ns
        records: list[Record] = []
        outgoing: list[Envelope] = []
        received = self._receive(frame, records, outgoing)
        for notice in frame.notices:
            self._notices.take(notice)
            body = {"id": notice.id, "event": "received", "text": f"EXERCISE: {notice.sender} announces a launch"}
            records.append(self._source.record(t, Phase.LINK, "notice.received", body, self._audience))
        steps: dict[tuple[int, ...], TrackStep] = {}
        scans_of: dict[tuple[int, ...], Table] = {}
        for fed, tracker in self._trackers.items():
            scans_of[fed] = _of(frame.scans, fed)
            steps[fed] = tracker.step(t, scans_of[fed], _of(frame.detections, fed))
        for label, fed in self._labels.items():
            self._record_tracks(t, label, steps[fed], frame, records)
            heard = tuple(received) if label == OWN else ()
            versions = self._warners[label].step(t, scans_of[fed], steps[fed], self._trackers[fed], heard)
            for version in versions:
                records.append(self._record_warning(t, label, version, received))
            if label == OWN:
                told = self._hear_words(t, frame, records)
            for envelope, version in self._gateway.release(t, label, versions):
                self._post(t, envelope, version.uid, label, outgoing, records)
            if label == OWN:
                newest = {**self._warners[label].newest(), **self._reports.newest()}
                ended = {v.uid: v for v in [*versions, *told] if v.status in ("cancelled", "closed")}
                if versions or told:
                    self._record_raid(t, newest, records)
                for when, decision in self._desk.step(t, {**newest, **ended}, frame.inputs):
                    cause = (self._refs[decision.warning],) if decision.warning in self._refs else ()
                    made = self._source.record(
                        when, Phase.COMMAND, "decision", decision, self._audience, causes=cause, label=label
                    )
                    records.append(made)
                    self._take_effect(decision)
                for when, event in self._desk.events():
                    kind = "conference" if isinstance(event, Conference) else "alert"
                    cause = (self._refs[event.warning],) if event.warning in self._refs else ()
                    records.append(
                        self._source.record(
                            when, Phase.COMMAND, kind, event, self._audience, causes=cause, label=label
                        )
                    )
        for envelope, uid in self._gateway.repeat(t):
            self._post(t, envelope, uid, "", outgoing, records)
        for recall in self._gateway.recalls():
            cause = (self._refs[recall.warning],) if recall.warning in self._refs else ()
            records.append(
                self._source.record(t, Phase.EXCHANGE, "warning.recall", recall, self._audience, causes=cause)
            )
        tasks = self._cue(t, steps[self._labels[OWN]], received, records)
        screens = self._reports.send(t, {**self._warners[OWN].newest(), **self._reports.newest()})
        return Step(tuple(records), tuple(outgoing), tasks, screens)

    def _hear_words(self, t: int, frame: Frame, records: list[Record]) -> list[WarningVersion]:
        """What came in by another way than the sensors: new versions of the warnings that rest on it, recorded. They
        leave to nobody: no released sensor stands behind them.
        """
        for screen in frame.screens:
            if self._shown.get(screen.post) != screen:
                self._shown[screen.post] = screen
                body = {"target": screen.post, "event": "shows", "counts": dict(screen.counts)}
                records.append(self._source.record(t, Phase.WARNING, "display", body, self._audience, label=OWN))
        versions = self._reports.step(t, frame.scans, frame.reports, frame.screens)
        for version in versions:
            records.append(self._record_warning(t, OWN, version, []))
        return versions

    def _take_effect(self, decision: Decision) -> None:
        """What a decision does to the warning itself."""
        if decision.action == "check-sensors":
            self._reports.ask(decision.warning)
        elif decision.action == "cancel":
            self._reports.take_back(decision.warning, f"taken back by {decision.post}")
            self._warners[OWN].take_back(decision.warning, f"by {decision.post}")

    def _record_raid(self, t: int, newest: dict[str, WarningVersion], records: list[Record]) -> None:
        """The picture of all open warnings, where there are several (or were) and it says something new."""
        made = raid.picture(t, newest)
        several = made is not None and made.open > 1
        if not several and self._raid is None:
            return
        if made is not None and raid.changed(made, self._raid):
            causes = tuple(self._refs[uid] for uid in sorted(newest))
            records.append(
                self._source.record(t, Phase.WARNING, "raid", made, self._audience, causes=causes, label=OWN)
            )
        self._raid = made if several else None

    def _post(
        self, t: int, envelope: Envelope, about: str, label: str, outgoing: list[Envelope], records: list[Record]
    ) -> None:
        outgoing.append(envelope)
        causes: tuple[Ref, ...] = (self._refs[about],) if about in self._refs else ()
        records.append(
            self._source.record(t, Phase.EXCHANGE, "message.sent", envelope, self._audience, causes=causes, label=label)
        )

    def _cue(
        self, t: int, step: TrackStep, received: list[tuple[Envelope, WarningVersion]], records: list[Record]
    ) -> tuple[Task, ...]:
        """What it asks of its own sensors, recorded with the track or the message that it rests on."""
        heard = [(f"{envelope.sender}:{envelope.n}", version) for envelope, version in received]
        newest = self._warners[OWN].newest()
        tasks = []
        for cue in self._cueing.step(t, step.tracks, step.associations, newest, heard):
            kind, what = cue.cause
            ref = self._refs.get(f"track:{OWN}:{what}" if kind == "track" else f"envelope:{what}")
            causes = () if ref is None else (ref,)
            made = self._source.record(
                t, Phase.COMMAND, "sensor.task", cue.task, self._audience, causes=causes, label=OWN
            )
            records.append(made)
            tasks.append(cue.task)
        return tuple(tasks)

    def refuses(self, i: Input) -> str:
        """Why a seat's input cannot be taken as things stand ("" if it can)."""
        return self._desk.refuses(i, self._desk.known())

    def _receive(
        self, frame: Frame, records: list[Record], outgoing: list[Envelope]
    ) -> list[tuple[Envelope, WarningVersion]]:
        received = []
        for envelope in frame.envelopes:
            read = self._inbox.accept(envelope)
            if isinstance(read, Receipt) and not self._gateway.take_receipt(envelope.sender, read):
                read = "a receipt for what was never taken back, or has been received"
            if isinstance(read, str):
                body = {"sender": envelope.sender, "n": envelope.n, "reason": read}
                records.append(self._source.record(frame.t1_ns, Phase.LINK, "message.refused", body, self._audience))
                continue
            made = self._source.record(
                frame.t1_ns, Phase.LINK, "message.received", envelope, self._audience, causes=(envelope.ref,)
            )
            self._refs[f"envelope:{envelope.sender}:{envelope.n}"] = made.ref
            records.append(made)
            for uid, what in self._inbox.strays():
                odd = {"id": uid, "event": what, "text": f"EXERCISE: {what} {uid!r}, from {envelope.sender}"}
                of = (made.ref,)
                stray = self._source.record(frame.t1_ns, Phase.LINK, "message.stray", odd, self._audience, causes=of)
                records.append(stray)
            if isinstance(read, Receipt):
                continue
            received.append((envelope, read))
            if read.status == "cancelled":
                receipt = self._gateway.receipt(frame.t1_ns, envelope.sender, read)
                if receipt is not None:
                    self._refs[read.uid] = made.ref
                    self._post(frame.t1_ns, receipt, read.uid, "", outgoing, records)
        return received

    def _record_tracks(self, t: int, label: str, step: TrackStep, frame: Frame, records: list[Record]) -> None:
        causes = tuple(ref for ref in (frame.scan_record, frame.detection_record) if ref is not None)
        if len(step.tracks):
            made = self._source.record(
                t, Phase.TRACKING, "tracks", encode(step.tracks), self._audience, causes=causes, label=label
            )
            records.append(made)
            for number in np.unique(step.tracks["track"]):
                self._refs[f"track:{label}:{int(number)}"] = made.ref
        if len(step.associations):
            body = encode(step.associations)
            records.append(
                self._source.record(t, Phase.TRACKING, "associations", body, self._audience, causes=causes, label=label)
            )
        for event in step.events:
            records.append(
                self._source.record(t, Phase.TRACKING, "track.event", event, self._audience, causes=causes, label=label)
            )

    def _record_warning(
        self, t: int, label: str, version: WarningVersion, received: list[tuple[Envelope, WarningVersion]]
    ) -> Record:
        causes: list[Ref] = []
        if version.track is not None and (ref := self._refs.get(f"track:{label}:{version.track}")) is not None:
            causes.append(ref)
        for envelope, theirs in received:
            if theirs.uid == version.partner:
                causes.append(self._refs[f"envelope:{envelope.sender}:{envelope.n}"])
        if version.uid in self._refs:
            causes.append(self._refs[version.uid])
        made = self._source.record(
            t, Phase.WARNING, "warning", version, self._audience, causes=tuple(causes), label=label
        )
        self._refs[version.uid] = made.ref
        return made

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {
            "n": self._source.n,
            "trackers": [tracker.state() for tracker in self._trackers.values()],
            "warners": [warner.state() for warner in self._warners.values()],
            "gateway": self._gateway.state(),
            "inbox": self._inbox.state(),
            "desk": self._desk.state(),
            "cueing": self._cueing.state(),
            "reports": self._reports.state(),
            "shown": [msgspec.to_builtins(screen) for screen in self._shown.values()],
            "notices": self._notices.state(),
            "raid": None if self._raid is None else msgspec.msgpack.encode(self._raid),
            "refs": [[name, ref[0], ref[1]] for name, ref in self._refs.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``, which is that of a nation with the same spec."""
        self._source.n = int(state["n"])
        for tracker, plain in zip(self._trackers.values(), state["trackers"], strict=True):
            tracker.load(plain)
        for warner, plain in zip(self._warners.values(), state["warners"], strict=True):
            warner.load(plain)
        self._gateway.load(state["gateway"])
        self._inbox.load(state["inbox"])
        self._desk.load(state["desk"])
        self._cueing.load(state["cueing"])
        self._reports.load(state["reports"])
        shown = [msgspec.convert(plain, Screen) for plain in state["shown"]]
        self._shown = {screen.post: screen for screen in shown}
        self._notices.load(state.get("notices", []))
        self._raid = None if state["raid"] is None else msgspec.msgpack.decode(state["raid"], type=RaidPicture)
        self._refs = {str(name): (str(source), int(n)) for name, source, n in state["refs"]}


def _of(table: Table, sensors: tuple[int, ...]) -> Table:
    if len(table) == 0:
        return table
    return table[np.isin(table["sensor"], np.array(sensors, dtype=np.uint16))]
