"""Conferences and alert states: when a rung of the ladder is called, who takes part, when it agrees, when it is left.

Each warning climbs for itself. A rung is called at the first frame's edge where its condition holds and the rungs of
its ``after`` stand for the warning. Those called join one by one; from when as many have joined as must agree, the
conference needs its time, and from then on each post that has joined agrees at the first frame's edge where its
condition holds. A person who holds the seat of a post decides for it instead, with "decide" and the rung as the step:
"do" agrees at once, "decline" refuses, and when too few are left to agree the conference has refused. It is adjourned
where its condition to leave comes to hold before it has agreed, or the warning is over.

A conference that has agreed stands, and is stood down some time after its condition to leave came to hold; what stands
on it is stood down with it. Nothing stays: a warning that the desk has forgotten takes its conferences with it. One
that has ended is called again for the same warning only after its condition has ceased to hold in between.

The nation's alert state is that of the highest rung that stands for any warning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tocsin.command.actions import MARK, action, wording
from tocsin.command.grammar import Condition, parse
from tocsin.earth.clock import to_ns
from tocsin.earth.draws import draw_spread
from tocsin.earth.random import stream_key
from tocsin.records.shapes import AlertState, Conference, Decision, WarningVersion
from tocsin.scenario.specs import NationSpec, Rung, Spread

Event = Conference | AlertState
Ask = Callable[[Condition, WarningVersion, int, str], bool]
"""Whether a condition of a rung holds for a version at a time (ns); last the rung's chair, whose steps come first."""
_OVER = ("cancelled", "closed")


class _Sitting(msgspec.Struct):
    """A conference on a warning, from its call on. Times in ns. ``joins``: when each post joins; ``ready_ns``: from
    when they can agree; ``yes``, ``no``: who agreed or refused for a post; ``leaving_ns``, ``left_ns``: from when it is
    being stood down, and when it has been.
    """

    warning: str
    rung: str
    version: WarningVersion
    called_ns: int
    joins: dict[str, int]
    ready_ns: int | None = None
    yes: dict[str, str] = {}
    no: dict[str, str] = {}
    agreed_ns: int | None = None
    leaving_ns: int | None = None
    left_ns: int | None = None


class _State(msgspec.Struct):
    """All that a ladder remembers; plain data. ``spent``: ended, and the condition has held ever since."""

    sittings: list[_Sitting]
    counts: list[tuple[str, str, int]]
    spent: list[tuple[str, str]]
    level: int


class _Ready:
    """A rung with its conditions read."""

    def __init__(self, rung: Rung) -> None:
        self.rung = rung
        self.when, self.leave = parse(rung.when), parse(rung.leave)
        self.agrees = {call.post: parse(call.agrees) for call in rung.calls}
        self.action = action(rung.action)
        self.chair = rung.calls[0].post


class Ladder:
    """The conferences of one nation. Raises ConditionError or ValueError for rungs that cannot be read."""

    def __init__(self, spec: NationSpec) -> None:
        self._spec = spec
        self._rungs = {rung.id: _Ready(rung) for rung in spec.ladder}
        self._levels = {rung.id: k for k, rung in enumerate(spec.ladder, 1)}
        self._names = {post.id: post.name for post in spec.posts}
        self._sittings: dict[tuple[str, str], _Sitting] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._spent: dict[tuple[str, str], None] = {}
        self._level = 0

    # ---- what others ask

    def called(self, warning: str, rung: str) -> bool:
        """Whether the conference has been called for the warning and has neither ended nor agreed."""
        sitting = self._sittings.get((warning, rung))
        return sitting is not None and sitting.agreed_ns is None

    def stands(self, warning: str, rung: str) -> bool:
        """Whether the conference has agreed on the warning and has not been stood down."""
        sitting = self._sittings.get((warning, rung))
        return sitting is not None and sitting.agreed_ns is not None

    @property
    def level(self) -> int:
        """Rung of the nation's alert state, 1 the lowest; 0: none stands."""
        return self._level

    def in_state(self, state: str) -> bool:
        """Whether the nation is in the alert state or a higher one."""
        levels = [self._levels[r.rung.id] for r in self._rungs.values() if r.rung.state == state]
        return bool(levels) and self._level >= min(levels)

    def is_rung(self, post: str, name: str) -> bool:
        """Whether ``post`` is called to a conference ``name``."""
        ready = self._rungs.get(name)
        return ready is not None and post in ready.agrees

    def refuses(self, post: str, warning: str, name: str) -> str:
        """Why the person at ``post`` cannot decide on the conference as things stand ("" if it can)."""
        sitting = self._sittings.get((warning, name))
        if sitting is None:
            return f"no conference {name!r} has been called for {warning[:80]}"
        if sitting.agreed_ns is not None:
            return f"the conference {name!r} has already agreed on {warning}"
        if post in sitting.yes or post in sitting.no:
            return f"{post!r} has already decided in the conference {name!r} on {warning}"
        return ""

    def waiting(self, post: str) -> list[tuple[str, str, int]]:
        """Conferences that ``post`` is called to and has not decided in: (rung, warning, when it was called)."""
        return [
            (s.rung, s.warning, s.called_ns)
            for s in self._sittings.values()
            if s.agreed_ns is None and post in s.joins and post not in s.yes and post not in s.no
        ]

    def decide(self, post: str, warning: str, name: str, person: str, agree: bool) -> None:
        """What a person at ``post`` decides; only where ``refuses`` finds nothing against it."""
        sitting = self._sittings[warning, name]
        (sitting.yes if agree else sitting.no)[post] = person

    # ---- one frame

    def step(
        self, t_ns: int, warnings: Mapping[str, WarningVersion], seats: Mapping[str, str], ask: Ask
    ) -> tuple[list[tuple[int, Decision]], list[tuple[int, Event]]]:
        """One frame up to ``t_ns``: decisions made and what else happened, each with its time.

        ``warnings``: newest version of each that the desk knows; one that is no longer among them is over for good.
        ``seats``: post to the person who holds it.
        """
        decisions: list[tuple[int, Decision]] = []
        events: list[tuple[int, Event]] = []
        uids = sorted({**warnings, **{uid: None for uid, _ in self._sittings}})
        for uid in uids:
            # from the highest rung down, so that what stands on another is left first
            for name in reversed(self._rungs):
                self._leave(t_ns, uid, name, warnings.get(uid), ask, decisions, events)
            for name in self._rungs:
                self._sit(t_ns, uid, name, warnings.get(uid), seats, ask, decisions, events)
        for table in (self._counts, self._spent):
            for key in [k for k in table if k[0] not in warnings]:
                del table[key]
        self._state_of_alert(t_ns, events)
        return decisions, events

    def _leave(
        self,
        t_ns: int,
        uid: str,
        name: str,
        version: WarningVersion | None,
        ask: Ask,
        decisions: list[tuple[int, Decision]],
        events: list[tuple[int, Event]],
    ) -> None:
        sitting = self._sittings.get((uid, name))
        if sitting is None:
            return
        ready = self._rungs[name]
        forgotten = version is None
        if version is not None:
            sitting.version = version
        over = forgotten or sitting.version.status in _OVER
        if sitting.agreed_ns is None:
            if over or ask(ready.leave, sitting.version, t_ns, ready.chair):
                self._end(t_ns, sitting, "adjourned", events)
            return
        if sitting.leaving_ns is None and (forgotten or ask(ready.leave, sitting.version, t_ns, ready.chair)):
            takes = self._draw(uid, f"leave/{name}", ready.rung.leave_takes)
            sitting.leaving_ns, sitting.left_ns = t_ns, t_ns + max(takes, self._spec.frame_ns)
        if sitting.left_ns is not None and (forgotten or sitting.left_ns <= t_ns):
            for above in self._above(name):
                standing = self._sittings.get((uid, above))
                if standing is not None and standing.agreed_ns is not None:
                    self._stand_down(t_ns, standing, sitting.leaving_ns or t_ns, decisions)
                elif standing is not None:
                    self._end(t_ns, standing, "adjourned", events)
            self._stand_down(t_ns, sitting, sitting.leaving_ns or t_ns, decisions)

    def _above(self, name: str) -> list[str]:
        """The rungs that stand on ``name``, whatever lies between, the highest first."""
        found = {name}
        for _ in self._rungs:
            found |= {r for r, ready in self._rungs.items() if found.intersection(ready.rung.after)}
        return [r for r in reversed(self._rungs) if r in found and r != name]

    def _sit(
        self,
        t_ns: int,
        uid: str,
        name: str,
        version: WarningVersion | None,
        seats: Mapping[str, str],
        ask: Ask,
        decisions: list[tuple[int, Decision]],
        events: list[tuple[int, Event]],
    ) -> None:
        ready, key = self._rungs[name], (uid, name)
        sitting = self._sittings.get(key)
        if sitting is None:
            if version is not None:
                self._call(t_ns, key, ready, version, ask, events)
            return
        if sitting.agreed_ns is not None:
            return
        rung = ready.rung
        for post in sorted((p for p in sitting.joins if p not in sitting.no), key=lambda p: (sitting.joins[p], p)):
            if t_ns - self._spec.frame_ns < sitting.joins[post] <= t_ns:
                events.append((t_ns, self._said(sitting, "joined", post, seats.get(post, "doctrine"))))
        if len(sitting.no) > len(rung.calls) - rung.agree:
            self._end(t_ns, sitting, "refused", events)
            return
        here = [p for p, joined in sitting.joins.items() if joined <= t_ns or p in sitting.yes]
        if sitting.ready_ns is None and len(here) >= rung.agree:
            takes = self._draw(uid, f"takes/{name}", rung.takes)
            sitting.ready_ns = t_ns + max(takes, self._spec.frame_ns)
        if sitting.ready_ns is not None and sitting.ready_ns <= t_ns:
            for post in here:
                if post in sitting.yes or post in sitting.no or post in seats:
                    continue
                if ask(ready.agrees[post], sitting.version, t_ns, ready.chair):
                    sitting.yes[post] = "doctrine"
        if len(sitting.yes) >= rung.agree:
            sitting.agreed_ns = t_ns
            people = [by for by in dict.fromkeys(sitting.yes.values()) if by != "doctrine"]
            by = ", ".join(people) or "doctrine"
            decisions.append((t_ns, self._decision(t_ns, sitting, rung.action, sitting.called_ns, by, rung.text)))

    def _call(
        self,
        t_ns: int,
        key: tuple[str, str],
        ready: _Ready,
        version: WarningVersion,
        ask: Ask,
        events: list[tuple[int, Event]],
    ) -> None:
        uid, name = key
        rung = ready.rung
        if not ask(ready.when, version, t_ns, ready.chair):
            self._spent.pop(key, None)
            return
        if key in self._spent or version.status in _OVER or not all(self.stands(uid, below) for below in rung.after):
            return
        self._counts[key] = self._counts.get(key, 0) + 1
        joins = {
            call.post: t_ns + max(self._draw(uid, f"joins/{name}/{call.post}", call.joins), self._spec.frame_ns)
            for call in rung.calls
        }
        sitting = self._sittings[key] = _Sitting(uid, name, version, t_ns, joins)
        events.append((t_ns, self._said(sitting, "called", ready.chair, "doctrine")))

    def _end(self, t_ns: int, sitting: _Sitting, how: Any, events: list[tuple[int, Event]]) -> None:
        by = ", ".join(dict.fromkeys(sitting.no.values())) if how == "refused" else "doctrine"
        events.append((t_ns, self._said(sitting, how, self._rungs[sitting.rung].chair, by)))
        self._forget(sitting)

    def _stand_down(self, t_ns: int, sitting: _Sitting, since_ns: int, decisions: list[tuple[int, Decision]]) -> None:
        name = self._rungs[sitting.rung].rung.name
        text = f"{name} on {{warning}} is stood down."
        decisions.append((t_ns, self._decision(t_ns, sitting, "stand-down", since_ns, "doctrine", text)))
        self._forget(sitting)

    def _forget(self, sitting: _Sitting) -> None:
        key = (sitting.warning, sitting.rung)
        self._spent[key] = None
        del self._sittings[key]

    def _draw(self, uid: str, what: str, spread: Spread) -> int:
        """Nanoseconds of one draw for this warning, this purpose, and the so-manyeth call of the rung."""
        count = self._counts.get((uid, what.split("/")[1]), 1)
        key = stream_key(self._spec.stream, uid, f"command/ladder/{what}")
        return to_ns(draw_spread(spread.nominal, spread.spread, key, 0, count))

    def _decision(self, t_ns: int, sitting: _Sitting, what: str, since_ns: int, by: str, text: str) -> Decision:
        ready, version = self._rungs[sitting.rung], sitting.version
        doing = action(what)
        areas = doing.areas(version, self._spec)
        chair = self._names.get(ready.chair, ready.chair)
        said = wording(text or doing.text, version, self._spec, chair, areas, t_ns)
        took = (t_ns - since_ns) / 1e9
        return Decision(
            ready.chair, sitting.rung, what, sitting.warning, version.version, since_ns, took, by, said, areas
        )

    def _said(self, sitting: _Sitting, event: Any, post: str, by: str) -> Conference:
        name, who = self._rungs[sitting.rung].rung.name, self._names.get(post, post)
        text = {
            "called": f"{name} called on {sitting.warning}",
            "joined": f"{who} has joined: {name} on {sitting.warning}",
            "refused": f"{name} on {sitting.warning} did not agree",
            "adjourned": f"{name} on {sitting.warning} adjourned without a decision",
        }[event]
        return Conference(sitting.rung, event, sitting.warning, sitting.version.version, post, by, f"{MARK}: {text}")

    def _state_of_alert(self, t_ns: int, events: list[tuple[int, Event]]) -> None:
        standing = [(self._levels[s.rung], s.warning) for s in self._sittings.values() if s.agreed_ns is not None]
        level = max((k for k, _ in standing), default=0)
        if level == self._level:
            return
        holder = min((uid for k, uid in standing if k == level), default="")
        state = next((r.rung.state for r in self._rungs.values() if self._levels[r.rung.id] == level), "")
        event: Any = "raised" if level > self._level else "lowered"
        text = f"{MARK}: alert state {event} to {state}" if state else f"{MARK}: no alert state"
        events.append((t_ns, AlertState(state, event, level, self._level, holder, text)))
        self._level = level

    # ---- state

    def state(self) -> dict[str, Any]:
        """Everything remembered, as plain data for a snapshot."""
        made = _State(
            list(self._sittings.values()),
            [(*key, n) for key, n in sorted(self._counts.items())],
            sorted(self._spent),
            self._level,
        )
        plain: dict[str, Any] = msgspec.to_builtins(made)
        return plain

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``. Raises ValueError (msgspec.ValidationError) for anything else."""
        read = msgspec.convert(state, _State)
        self._sittings = {(s.warning, s.rung): s for s in read.sittings}
        self._counts = {(uid, rung): n for uid, rung, n in read.counts}
        self._spent = dict.fromkeys(read.spent)
        self._level = read.level
