"""The engine: time and order. It moves the world and the nations frame by frame and has no clock, no input and no
output of its own.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tocsin._version import __version__
from tocsin.earth.clock import to_ns
from tocsin.exchange.link import Channel
from tocsin.exercise.dispatch import Dispatch
from tocsin.exercise.faults import Faults
from tocsin.exercise.inputs import TROUBLES, InjectBody, Trouble, from_script, refusal
from tocsin.exercise.nation import Nation
from tocsin.exercise.tasking import Tasking
from tocsin.exercise.world import World
from tocsin.records.record import Accepted, Input, Phase, Record, Refused, Source, unpack
from tocsin.records.shapes import Envelope, Frame
from tocsin.scenario.specs import NationSpec, StatusSpan, WorldSpec
from tocsin.truth.body import Body

SNAPSHOT = "tocsin-snapshot/1"
FOREVER = 2**62  # ns
Recording = Literal["none", "summary", "full"]
_DENSE = ("scans", "detections", "tracks", "truth.states")  # left out at level "summary"


class SnapshotError(ValueError):
    """Bytes that are not a snapshot of this version."""


class Branch(msgspec.Struct, frozen=True):
    """Where a line of events comes from: ``parent`` branch ("" for the first), the time and the record count at which
    it left it.
    """

    name: str
    parent: str
    t_ns: int
    n: int


class _Pending(msgspec.Struct):
    input: Input
    applies_ns: int


class Engine:
    """One exercise.

    ``world``, ``nations``: what ``Scenario.split`` gives. ``recording``: which records ``step`` returns: all ("full"),
    all but the dense ones ("summary"), or none.
    """

    def __init__(
        self, world: WorldSpec, nations: dict[str, NationSpec], *, recording: Recording = "full", branch: str = "main"
    ) -> None:
        self.world_spec = world
        self.nation_specs = {name: nations[name] for name in world.nations}
        self.recording: Recording = recording
        self.branch = Branch(branch, "", 0, 0)
        self.t_ns = 0
        self._count = 0
        declared = [sensor for spec in self.nation_specs.values() for sensor in spec.sensors]
        self._world = World(world, declared)
        self._nations = {name: Nation(spec) for name, spec in self.nation_specs.items()}
        self._channels = {
            f"{link.sender}>{link.recipient}": Channel(link, world.seed, world.frame_ns)
            for link in sorted(world.links, key=lambda link: (link.sender, link.recipient))
        }
        self._links = {name: Source(f"link:{name}") for name in self._channels}
        self._control = Source("control")
        self._posts = tuple(f"{name}/{post.id}" for name, spec in self.nation_specs.items() for post in spec.posts)
        self._answers: dict[str, Accepted | Refused] = {}
        self._pending: list[_Pending] = []
        self._silent_until: dict[str, int | None] = {}
        self._cut_until: dict[str, int | None] = {}
        self._troubles: list[StatusSpan] = []  # of injects; those of the scenario stand in its spec
        periods = [to_ns(s.model.scan_period) for s in world.sensors]
        self._longest_scan_ns = max(periods, default=0)
        self._tasking = Tasking(declared)
        self._faults = Faults(world)
        self._faults.widths({
            f"{name}/{post.id}": post.display.digits
            for name, spec in self.nation_specs.items()
            for post in spec.posts
            if post.display is not None
        })
        self._dispatch = Dispatch(world)
        for inject in world.injects:
            # a script may act from time zero on: it applies in the frame that holds its time
            frame_end = max(1, -(-inject.at_ns // world.frame_ns)) * world.frame_ns
            made = from_script(inject, branch)
            self._answers[made.id] = Accepted(made.id, frame_end)
            self._pending.append(_Pending(made, frame_end))

    @property
    def bodies(self) -> tuple[Body, ...]:
        """All that moves (truth; for control and for tests)."""
        return self._world.bodies

    @property
    def done(self) -> bool:
        """Whether no whole frame of the scenario's duration is left."""
        return self.t_ns + self.world_spec.frame_ns > self.world_spec.duration_ns

    def share_assessments(self, other: Engine) -> None:
        """Reckon each assessment once for both: for engines of one scenario that differ in doctrine alone and are
        stepped frame by frame, the other one first.
        """
        for name, nation in self._nations.items():
            nation.share_assessments(other._nations[name])

    def submit(self, i: Input) -> Accepted | Refused:
        """Take an input, or say why not; the same id gets the same answer again. It applies with the next frame."""
        known = self._answers.get(i.id)
        if known is not None:
            return known
        reason = refusal(i, self.world_spec, self._posts)
        if reason is None and i.seat in self._posts:
            reason = self._nations[i.seat.partition("/")[0]].refuses(i) or None
        if reason is None and i.branch != self.branch.name:
            reason = f"branch {i.branch[:80]!r} is not this one ({self.branch.name!r})"
        if reason is None and self.done:
            reason = "the exercise is over"
        if reason is not None:
            return Refused(i.id, reason)
        answer = Accepted(i.id, self.t_ns + self.world_spec.frame_ns)
        self._answers[i.id] = answer
        self._pending.append(_Pending(i, answer.applies_ns))
        return answer

    def step(self, until_ns: int) -> list[Record]:
        """Advance by the whole frames that end by ``until_ns`` and within the scenario; the records made, in order."""
        records: list[Record] = []
        frame = self.world_spec.frame_ns
        while self.t_ns + frame <= min(until_ns, self.world_spec.duration_ns):
            made = self._frame(self.t_ns, self.t_ns + frame)
            self.t_ns += frame
            self._count += len(made)
            if self.recording == "full":
                records.extend(made)
            elif self.recording == "summary":
                records.extend(r for r in made if r.kind not in _DENSE)
        return records

    def _frame(self, t0_ns: int, t1_ns: int) -> list[Record]:
        records: list[Record] = self._world.opening() if t0_ns == 0 else []
        inputs = self._apply(t0_ns, t1_ns, records)
        tasks = self._tasking.standing(t0_ns)
        world, deliveries, refs = self._world.step(t0_ns, t1_ns, frozenset(self._silent_until), self._troubles, tasks)
        records.extend(world)
        faults, reports, screens = self._faults.step(t0_ns, t1_ns, self._control)
        records.extend(faults)
        arrived: dict[str, list[Envelope]] = {name: [] for name in self._nations}
        for name, channel in self._channels.items():
            channel.cut = name in self._cut_until
            arrived[channel.link.recipient].extend(channel.deliver(t1_ns))
        notices = self._dispatch.step(t0_ns, t1_ns)
        for passed in notices.events:
            records.append(self._control.record(t1_ns, Phase.CONTROL, passed.kind, passed.body, ("control",)))
        outgoing: list[Envelope] = []
        for name, nation in self._nations.items():
            here = tuple(sorted(arrived[name], key=lambda e: (e.arrive_ns, e.sender, e.n)))
            seats = tuple(i for i in inputs if i.seat.startswith(f"{name}/"))
            delivery = deliveries[name]
            words = tuple(reports.get(name, ())), tuple(screens.get(name, ()))
            told = notices.arrived.get(name, ())
            frame = Frame(
                t0_ns, t1_ns, delivery.scans, delivery.detections, here, seats, *refs[name], *words, notices=told
            )
            made = nation.step(frame)
            records.extend(made.records)
            self._faults.carry(name, made.screens, t1_ns)
            outgoing.extend(made.outgoing)
            for task in made.tasks:
                reason = self._tasking.take(name, task, t1_ns)
                if reason is not None:
                    body = {"sensor": task.sensor[:80], "nation": name, "event": "refused", "text": reason}
                    records.append(self._control.record(t1_ns, Phase.CONTROL, "task.refused", body, ("control",)))
        for envelope in outgoing:
            self._send(envelope, t1_ns, records)
        records.sort(key=lambda r: r.order)
        return records

    def _apply(self, t0_ns: int, t1_ns: int, records: list[Record]) -> list[Input]:
        for table in (self._silent_until, self._cut_until):
            for target in [k for k, until in table.items() if until is not None and until <= t0_ns]:
                del table[target]
        due = sorted((p for p in self._pending if p.applies_ns <= t1_ns), key=lambda p: (p.applies_ns, p.input.id))
        self._pending = [p for p in self._pending if p.applies_ns > t1_ns]
        for p in due:
            body = {"input": p.input, "applies_ns": p.applies_ns}
            records.append(self._control.record(t1_ns, Phase.CONTROL, "input", body, ("control",)))
            if p.input.act == "inject":
                self._inject(unpack(p.input.body, InjectBody), t0_ns, t1_ns, records)
        return [p.input for p in due]

    def _inject(self, body: InjectBody, t0_ns: int, t1_ns: int, records: list[Record]) -> None:
        if body.trouble is not msgspec.UNSET and body.act in TROUBLES:
            self._trouble(body, body.trouble, t0_ns)
        if body.act == "sensor.silence":
            self._silent_until[body.target] = body.until_ns
        elif body.act == "link.cut":
            self._cut_until[body.target] = body.until_ns
        elif body.act == "fault.begin":
            self._faults.begin(body.target, t0_ns, body.until_ns)
        elif body.act == "fault.end":
            self._faults.end(body.target, t1_ns)
        records.append(self._control.record(t1_ns, Phase.CONTROL, "inject", body, ("control",)))

    def _trouble(self, body: InjectBody, trouble: Trouble, t0_ns: int) -> None:
        what = TROUBLES[body.act]
        for k, span in enumerate(self._troubles):
            if (span.sensor, span.what) == (body.target, what) and span.t1_ns > t0_ns:
                self._troubles[k] = msgspec.structs.replace(span, t1_ns=t0_ns)
        # a scan that is under way still shows what is over
        self._troubles = [span for span in self._troubles if span.t1_ns > t0_ns - self._longest_scan_ns]
        until = FOREVER if body.until_ns is None else body.until_ns
        if until > t0_ns:
            made = StatusSpan(body.target, t0_ns, until, what, trouble.amount, trouble.bias, trouble.declared)
            self._troubles.append(made)

    def _send(self, envelope: Envelope, t1_ns: int, records: list[Record]) -> None:
        name = f"{envelope.sender}>{envelope.recipient}"
        channel = self._channels.get(name)
        if channel is None or channel.send(envelope) is None:
            source = self._links.get(name, self._control)
            records.append(source.record(t1_ns, Phase.EXCHANGE, "message.lost", envelope, ("control",)))

    def snapshot(self) -> bytes:
        """All that is needed to go on, at a frame's edge: msgpack of plain data, with format and version."""
        return msgspec.msgpack.encode({
            "format": SNAPSHOT,
            "version": __version__,
            "world_spec": self.world_spec,
            "nation_specs": list(self.nation_specs.values()),
            "recording": self.recording,
            "branch": self.branch,
            "t_ns": self.t_ns,
            "count": self._count,
            "world": self._world.state(),
            "nations": [nation.state() for nation in self._nations.values()],
            "channels": [channel.state() for channel in self._channels.values()],
            "links": [source.n for source in self._links.values()],
            "control": self._control.n,
            "answers": [[k, v.applies_ns] for k, v in self._answers.items() if isinstance(v, Accepted)],
            "pending": self._pending,
            "silent": self._silent_until,
            "cut": self._cut_until,
            "troubles": self._troubles,
            "tasking": self._tasking.state(),
            "faults": self._faults.state(),
        })  # fmt: skip

    @classmethod
    def restore(cls, data: bytes, *, branch: str | None = None) -> Engine:
        """Go on from a snapshot; with ``branch``, as a new line of events that leaves the old one untouched.

        Raises SnapshotError on anything that is not a snapshot of this format and version.
        """
        try:
            head = msgspec.msgpack.decode(data, type=_Head)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise SnapshotError(f"not a snapshot: {error}") from None
        if head.format != SNAPSHOT:
            raise SnapshotError(f"format {head.format[:80]!r}; this version reads {SNAPSHOT!r}")
        if head.version != __version__:
            raise SnapshotError(
                f"made by version {head.version[:80]!r}; this is {__version__!r}, whose bits may differ"
            )
        try:
            s = msgspec.msgpack.decode(data, type=_Snapshot)
            engine = cls(s.world_spec, {n.id: n for n in s.nation_specs}, recording=s.recording, branch=s.branch.name)
            engine._load(s)
        except (msgspec.DecodeError, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise SnapshotError(f"damaged snapshot: {error}") from None
        if branch is not None:
            engine.branch = Branch(branch, s.branch.name, s.t_ns, s.count)
        return engine

    def _load(self, s: _Snapshot) -> None:
        self.branch, self.t_ns, self._count = s.branch, s.t_ns, s.count
        self._world.load(s.world)
        for nation, plain in zip(self._nations.values(), s.nations, strict=True):
            nation.load(plain)
        for channel, plain in zip(self._channels.values(), s.channels, strict=True):
            channel.load(plain)
        for source, n in zip(self._links.values(), s.links, strict=True):
            source.n = n
        self._control.n = s.control
        self._answers = {name: Accepted(name, applies_ns) for name, applies_ns in s.answers}
        self._pending = list(s.pending)
        self._silent_until = dict(s.silent)
        self._cut_until = dict(s.cut)
        self._troubles = list(s.troubles)
        self._tasking.load(s.tasking)
        self._faults.load(s.faults)


class _Head(msgspec.Struct):
    format: str
    version: str


class _Snapshot(msgspec.Struct):
    world_spec: WorldSpec
    nation_specs: list[NationSpec]
    recording: Recording
    branch: Branch
    t_ns: int
    count: int
    world: dict[str, Any]
    nations: list[dict[str, Any]]
    channels: list[dict[str, Any]]
    links: list[int]
    control: int
    answers: list[tuple[str, int]]
    pending: list[_Pending]
    silent: dict[str, int | None]
    cut: dict[str, int | None]
    troubles: list[StatusSpan] = []
    tasking: dict[str, Any] = {}
    faults: dict[str, Any] = {}
