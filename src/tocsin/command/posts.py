"""Posts and their desk: when a step of a written doctrine becomes due, when it is done, and who does it.

The desk is asked once a frame and sees the newest version of each warning of the nation's own pipeline. A step
becomes due at the first frame's edge where its condition holds and the steps of its ``after`` have been done for the
same warning. It is done ``takes`` seconds later (drawn for that warning and step, at least one frame), at the next
frame's edge, on what the post knows by then. A due step is withdrawn only where the warning has been cancelled or
closed in the meantime and the condition no longer holds: people who have begun to act do not stop because a number
moves.

A person may take a seat ("seat.take", seat "nation/post"). The doctrine of that post then only proposes; "decide"
decides. Conferences (``ladder``) are called and held before the steps of the same frame are looked at; a person at a
post that is called decides there with the conference as the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tocsin.command.actions import action, wording
from tocsin.command.doctrine import StepRef, find_step
from tocsin.command.grammar import Condition, ConditionError, Value, parse
from tocsin.command.ladder import Event, Ladder
from tocsin.earth.clock import to_ns
from tocsin.earth.draws import draw_spread
from tocsin.earth.random import stream_key
from tocsin.records.record import Input, unpack
from tocsin.records.shapes import Decision, WarningVersion
from tocsin.scenario.specs import NationSpec, Post, StepRule

Warnings = Mapping[str, WarningVersion]
_OVER = ("cancelled", "closed")
_KEPT_NS = 600_000_000_000  # a warning that is over stays on the desk this long: standing down takes time


class DoctrineError(ValueError):
    """A doctrine that cannot be carried out; says which post and step, and why."""


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of the input "decide": do or decline ``step`` for ``warning``; ``text`` stands instead of the doctrine's. In
    a conference, whose name stands as the step, "do" agrees, and no text is taken.
    """

    warning: str
    step: str
    choice: Literal["do", "decline"] = "do"
    text: str = ""


class Proposal(msgspec.Struct, frozen=True):
    """A step that the doctrine holds to be due at a post where a person sits, or a conference that the post is called
    to.
    """

    post: str
    step: str
    warning: str
    due_ns: int


class _Due(msgspec.Struct):
    """A due step. ``done_ns``: when doctrine will have done it; None while it waits for a person."""

    warning: str
    post: str
    step: str
    due_ns: int
    done_ns: int | None


class _State(msgspec.Struct):
    """All that a desk remembers; plain data."""

    now_ns: int
    done: list[tuple[str, str, str, int]]
    declined: list[tuple[str, str, str]]
    due: list[_Due]
    seats: dict[str, str]
    over: list[tuple[int, WarningVersion]]
    ladder: dict[str, Any] = {}


class _Step:
    """One step ready to be asked: its rule, parsed condition, and the steps that its names mean."""

    def __init__(self, posts: tuple[Post, ...], post: Post, rule: StepRule) -> None:
        self.post, self.rule, self.ref = post, rule, (post.id, rule.id)
        where = f"post {post.id!r}, step {rule.id!r}"
        try:
            self.condition: Condition = parse(rule.when)
            self.action = action(rule.action)
        except (ConditionError, ValueError) as error:
            raise DoctrineError(f"{where}: {error}") from None
        self.after = [self._find(posts, name, where) for name in rule.after]
        asked = [n.argument or "" for n in self.condition.names() if n.name == "done"]
        self.steps = {name: self._find(posts, name, where) for name in asked}

    def _find(self, posts: tuple[Post, ...], name: str, where: str) -> StepRef:
        found = find_step(posts, self.post.id, name)
        if len(found) != 1:
            what = "no step" if not found else f"{len(found)} steps"
            raise DoctrineError(f"{where}: there is {what} {name!r}")
        return found[0]


class Desk:
    """The posts of one nation at work. Raises DoctrineError for a doctrine that cannot be read."""

    def __init__(self, spec: NationSpec) -> None:
        self.spec = spec
        self._steps = {s.ref: s for p in spec.posts for s in (_Step(spec.posts, p, rule) for rule in p.steps)}
        self._posts = {p.id: p for p in spec.posts}
        self._now = 0
        self._done: dict[tuple[str, StepRef], int] = {}
        self._declined: dict[tuple[str, StepRef], None] = {}
        self._due: dict[tuple[str, StepRef], _Due] = {}
        self._seats: dict[str, str] = {}
        self._over: dict[str, tuple[int, WarningVersion]] = {}  # until when, last version
        self._known: dict[str, WarningVersion] = {}  # of the last frame
        self._events: list[tuple[int, Event]] = []  # of the last frame
        try:
            self._ladder = Ladder(spec)
        except ValueError as error:  # a ConditionError is one
            raise DoctrineError(f"ladder: {error}") from None

    # ---- what goes in and out

    def step(self, t1_ns: int, warnings: Warnings, inputs: tuple[Input, ...] = ()) -> list[tuple[int, Decision]]:
        """One frame up to ``t1_ns``: the decisions made in it, each with its time, in the order in which they are made.

        ``warnings``: the newest version of each warning of the own pipeline, by uid. One that is over needs to be
        given once; the desk keeps it for ten minutes. ``inputs``: those of this nation's seats, in the order in which
        they apply; inputs that ``refuses`` refuses change nothing.
        """
        known = self._know(t1_ns, warnings)
        made: list[tuple[int, Decision]] = []
        self._withdraw(t1_ns, known)
        for given in inputs:
            if not self.refuses(given, known):
                self._apply(given, t1_ns, known, made)
        self._events = []
        if self.spec.ladder:
            decided, self._events = self._ladder.step(t1_ns, known, self._seats, self._ask)
            made += decided
        self._complete(t1_ns, known, made)
        self._fall_due(t1_ns, known)
        self._now, self._known = t1_ns, known
        return made

    def events(self) -> list[tuple[int, Event]]:
        """What else happened in the last frame: conferences called, joined, refused, adjourned; alert states."""
        return list(self._events)

    def known(self) -> Warnings:
        """The warnings that lie on the desk: those of the last frame, and those that are over but not yet forgotten."""
        return dict(self._known)

    @property
    def ladder(self) -> Ladder:
        """The nation's conferences."""
        return self._ladder

    def refuses(self, given: Input, warnings: Warnings | None = None) -> str:
        """Why an input cannot be taken ("" if it can). Without ``warnings`` no word about the warning's existence."""
        nation, _, post = given.seat.partition("/")
        if nation != self.spec.id or post not in self._posts:
            seats = ", ".join(f"{self.spec.id}/{p}" for p in self._posts) or "none"
            return f"there is no seat {given.seat!r}; seats: {seats}"
        holder = self._seats.get(post)
        if given.act == "seat.take":
            return "" if holder in {None, given.person} else f"the seat {given.seat!r} is taken by {holder}"
        if given.act in {"seat.release", "decide"} and holder != given.person:
            return f"{given.person!r} does not hold the seat {given.seat!r}"
        if given.act == "seat.release":
            return ""
        if given.act != "decide" or given.v != 1:
            return f"a seat cannot do {given.act!r} v{given.v}; allowed: seat.take, seat.release, decide v1"
        try:
            decide = unpack(given.body, Decide)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return f"a decision needs step and warning: {error}"
        ref = (post, decide.step)
        of_ladder = self._ladder.is_rung(post, decide.step)
        if ref not in self._steps and not of_ladder:
            known = ", ".join(s.id for s in self._posts[post].steps)
            return f"the post has no step {decide.step[:80]!r}; steps: {known}"
        if warnings is not None and decide.warning not in warnings:
            return f"there is no warning {decide.warning[:80]!r}"
        if ref not in self._steps:
            return self._ladder.refuses(post, decide.warning, decide.step)
        if (decide.warning, ref) in self._done:
            return f"{decide.step!r} has already been done for {decide.warning}"
        return ""

    def proposals(self) -> tuple[Proposal, ...]:
        """What the doctrine proposes to the people who have taken seats, oldest first."""
        open_ = [d for d in self._due.values() if d.done_ns is None]
        made = [Proposal(d.post, d.step, d.warning, d.due_ns) for d in sorted(open_, key=_order)]
        for post in sorted(self._seats):
            made += [Proposal(post, rung, uid, t) for rung, uid, t in self._ladder.waiting(post)]
        return tuple(sorted(made, key=lambda p: (p.due_ns, p.warning, p.post, p.step)))

    def seats(self) -> dict[str, str]:
        """Post to the person who holds its seat."""
        return dict(sorted(self._seats.items()))

    # ---- state

    def state(self) -> dict[str, Any]:
        """Everything remembered, as plain data for a snapshot."""
        made = _State(
            now_ns=self._now,
            done=[(uid, *ref, t) for (uid, ref), t in sorted(self._done.items())],
            declined=[(uid, *ref) for uid, ref in sorted(self._declined)],
            due=sorted(self._due.values(), key=_order),
            seats=dict(sorted(self._seats.items())),
            over=list(self._over.values()),
            ladder=self._ladder.state(),
        )
        plain: dict[str, Any] = msgspec.to_builtins(made)
        return plain

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``. Raises ValueError (msgspec.ValidationError) for anything else."""
        read = msgspec.convert(state, _State)
        self._now = read.now_ns
        self._done = {(uid, (post, step)): t for uid, post, step, t in read.done}
        self._declined = {(uid, (post, step)): None for uid, post, step in read.declined}
        self._due = {(d.warning, (d.post, d.step)): d for d in read.due}
        self._seats = dict(read.seats)
        self._over = {version.uid: (until_ns, version) for until_ns, version in read.over}
        if read.ladder:
            self._ladder.load(read.ladder)

    # ---- one frame

    def _know(self, t1_ns: int, warnings: Warnings) -> dict[str, WarningVersion]:
        """The given warnings and those that are over but not yet forgotten."""
        for uid, version in warnings.items():
            if version.status not in _OVER:
                self._over.pop(uid, None)
            elif uid not in self._over or self._over[uid][1] != version:
                self._over[uid] = (t1_ns + _KEPT_NS, version)
        waited_for = {due.warning for due in self._due.values()}  # taking back may take longer than anything else
        self._over = {uid: kept for uid, kept in self._over.items() if kept[0] > t1_ns or uid in waited_for}
        return {**{uid: version for uid, (_, version) in self._over.items()}, **warnings}

    def _withdraw(self, t1_ns: int, warnings: Warnings) -> None:
        for key, due in list(self._due.items()):
            version = warnings.get(due.warning)
            if version is None or (version.status in _OVER and not self._holds(key[1], version, t1_ns)):
                del self._due[key]

    def _apply(self, given: Input, t1_ns: int, warnings: Warnings, made: list[tuple[int, Decision]]) -> None:
        post = given.seat.partition("/")[2]
        if given.act == "seat.take":
            self._seats[post] = given.person
            for due in self._due.values():
                if due.post == post:
                    due.done_ns = None
        elif given.act == "seat.release":
            del self._seats[post]
            for due in self._due.values():
                if due.post == post:
                    # the doctrine takes over what lies on the desk and needs its time for it from now on
                    due.done_ns = t1_ns + self._takes(due.warning, (due.post, due.step))
        else:
            decide = unpack(given.body, Decide)
            if (post, decide.step) not in self._steps:
                self._ladder.decide(post, decide.warning, decide.step, given.person, decide.choice == "do")
                return
            key = (decide.warning, (post, decide.step))
            found = self._due.pop(key, None)
            if decide.choice == "do":
                due_ns = found.due_ns if found is not None else t1_ns
                made.append(self._decide(key, due_ns, t1_ns, warnings[decide.warning], given.person, decide.text))
            else:
                self._declined[key] = None

    def _complete(self, t1_ns: int, warnings: Warnings, made: list[tuple[int, Decision]]) -> None:
        ready = [d for d in self._due.values() if d.done_ns is not None and d.done_ns <= t1_ns]
        for due in sorted(ready, key=_order):
            key = (due.warning, (due.post, due.step))
            del self._due[key]
            made.append(self._decide(key, due.due_ns, t1_ns, warnings[due.warning], "doctrine", ""))

    def _fall_due(self, t1_ns: int, warnings: Warnings) -> None:
        for uid in sorted(warnings):
            for ref, step in self._steps.items():
                key = (uid, ref)
                if key in self._done or key in self._due or key in self._declined:
                    continue
                if step.action.raises and warnings[uid].status in _OVER:
                    continue
                if any((uid, a) not in self._done for a in step.after) or not self._holds(ref, warnings[uid], t1_ns):
                    continue
                done_ns = None if ref[0] in self._seats else t1_ns + self._takes(uid, ref)
                self._due[key] = _Due(uid, *ref, t1_ns, done_ns)

    def _decide(
        self, key: tuple[str, StepRef], due_ns: int, t_ns: int, version: WarningVersion, by: str, text: str
    ) -> tuple[int, Decision]:
        uid, ref = key
        step = self._steps[ref]
        areas = step.action.areas(version, self.spec)
        said = wording(text or step.rule.text or step.action.text, version, self.spec, step.post.name, areas, t_ns)
        self._done[key] = t_ns
        self._declined.pop(key, None)
        made = Decision(*ref, step.rule.action, uid, version.version, due_ns, (t_ns - due_ns) / 1e9, by, said, areas)
        return t_ns, made

    def _takes(self, uid: str, ref: StepRef) -> int:
        """Nanoseconds that the step takes for this warning: one draw for good, whenever it is asked."""
        key = stream_key(self.spec.stream, uid, f"command/takes/{ref[0]}/{ref[1]}")
        takes = self._steps[ref].rule.takes
        return max(to_ns(draw_spread(takes.nominal, takes.spread, key)), self.spec.frame_ns)

    def _holds(self, ref: StepRef, version: WarningVersion, t_ns: int) -> bool:
        step = self._steps[ref]

        def resolve(name: str, argument: str | None) -> Value:
            if name == "done":
                return (version.uid, step.steps[argument or ""]) in self._done
            return self._fact(version, t_ns, name, argument)

        return step.condition.evaluate(resolve)

    def _ask(self, condition: Condition, version: WarningVersion, t_ns: int, chair: str) -> bool:
        """Whether a condition of a rung holds, whose chair sits at the post ``chair``."""

        def resolve(name: str, argument: str | None) -> Value:
            if name == "done":
                meant = find_step(self.spec.posts, chair, argument or "")
                return any((version.uid, ref) in self._done for ref in meant)
            return self._fact(version, t_ns, name, argument)

        return condition.evaluate(resolve)

    def _fact(self, version: WarningVersion, t_ns: int, name: str, argument: str | None) -> Value:
        """What a name means here: of the ladder, or of the version."""
        match name:
            case "called":
                return self._ladder.called(version.uid, argument or "")
            case "conference":
                return self._ladder.stands(version.uid, argument or "")
            case "alert_state":
                return self._ladder.level
            case "alert":
                return self._ladder.in_state(argument or "")
        return fact(version, self.spec.id, t_ns, name, argument)


def _order(due: _Due) -> tuple[int, str, str, str]:
    return (due.due_ns if due.done_ns is None else due.done_ns, due.warning, due.post, due.step)


def fact(version: WarningVersion, nation: str, t_ns: int, name: str, argument: str | None) -> Value:
    """What ``name`` of ``grammar.NAMES`` is in ``version`` at ``t_ns`` for ``nation``; None: not known. "done" and the
    names of conferences and alert states are the desk's.
    """
    agreeing = [e for e in version.evidence if e.state == "agrees"]
    match name:
        case "confirmed":
            return version.confirmed
        case "cancelled":
            return version.status == "cancelled"
        case "over":
            return version.status in _OVER
        case "announced":
            return min(sum(a.p for a in version.announced), 1.0)
        case "confidence":
            return version.confidence
        case "p_real":
            return version.p_real
        case "version_count":
            return version.version + 1
        case "age_s":
            return (t_ns - version.first_data_ns) / 1e9
        case "sensors":
            return len({e.sensor for e in agreeing})
        case "sensor_kinds":
            return len({e.sensor_kind for e in agreeing})
        case "sources":
            return len(set(version.sources))
        case "partner_reports":
            partner = version.partner.partition("/")[0] if version.partner else nation
            return len({*version.sources, partner} - {nation})
        case "agrees" | "disagrees" | "not_yet":
            return sum(e.state == name for e in version.evidence)
        case "reported":
            return argument in (version.launch.basis, version.impact.basis)
        case "shown":
            return max(version.shown.values(), default=0)
        case "counts_differ":
            return len(set(version.shown.values())) > 1
        case "p_impact" | "p_passage" | "excluded":
            return next((getattr(a, name) for a in version.areas if a.area == argument), None)
        case "max_p_impact":
            return max((a.p_impact for a in version.areas), default=None)
        case "max_p_passage":
            return max((a.p_passage for a in version.areas), default=None)
        case "type":
            return version.types.get(argument or "", 0.0 if version.types else None)
        case "time_to_impact_s":
            return None if version.impact.t_ns is None else (version.impact.t_ns - t_ns) / 1e9
    raise KeyError(name)
