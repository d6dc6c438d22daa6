"""Faults behind the sensors, as they are: words of tests and drills on their way in, counts on their way to a display.

This is the world's side. What a nation gets from here are ``Report`` and ``Screen``, which say nothing about how they
came about; what was so goes into records for control and truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tocsin.earth.random import draw_uniform, stream_key
from tocsin.records.record import Phase, Record, Source
from tocsin.records.shapes import Report, Screen
from tocsin.scenario.specs import AnyFault, CountsFault, Drill, Said, TestData, WorldSpec

_AUDIENCE = ("truth", "control")


class _Span(msgspec.Struct):
    """One fault's life: from when to when it is (None: it waits), words told so far by launch, whether it has begun."""

    t0_ns: int | None
    t1_ns: int
    told: list[int]
    begun: bool = False
    over: bool = False
    first: int = 0  # number of its first word's id
    taken: bool = False  # a drill's, for the real thing


class Faults:
    """The faults of one scenario, driven by frames."""

    def __init__(self, world: WorldSpec) -> None:
        self._faults: dict[str, AnyFault] = {fault.id: fault for fault in world.faults}
        self._displays: dict[str, int] = {}
        self._seed = world.seed
        self._spans = {f.id: self._span(f, f.t0_ns, f.t1_ns) for f in world.faults}
        self._next: dict[str, int] = {}  # numbers of words' ids, by nation
        self._waiting: dict[str, list[Screen]] = {}  # messages to displays that arrive with the next frame

    def _span(self, fault: AnyFault, t0_ns: int | None, t1_ns: int) -> _Span:
        words = len(fault.words) if isinstance(fault, TestData) else 1
        return _Span(t0_ns, t1_ns, [0] * words)

    def begin(self, id: str, at_ns: int, until_ns: int | None) -> None:
        """An inject begins a fault (anew, if it has been)."""
        fault = self._faults[id]
        self._spans[id] = self._span(fault, at_ns, fault.t1_ns if until_ns is None else until_ns)

    def end(self, id: str, at_ns: int) -> None:
        """An inject ends it."""
        span = self._spans[id]
        span.t1_ns = min(span.t1_ns, at_ns)

    def step(
        self, t0_ns: int, t1_ns: int, source: Source
    ) -> tuple[list[Record], dict[str, list[Report]], dict[str, list[Screen]]]:
        """One frame: records of what was so, the words that come to each nation, what its displays show anew."""
        records: list[Record] = []
        reports: dict[str, list[Report]] = {}
        for id, fault in self._faults.items():
            span = self._spans[id]
            if span.t0_ns is None or span.t0_ns > t1_ns or span.over:
                continue
            if not span.begun:
                span.begun = True
                self._begin(fault, span, t1_ns, source, records)
            words = reports.setdefault(fault.nation, [])
            ends = span.t1_ns <= t1_ns
            if isinstance(fault, TestData):
                self._tell(fault, span, t1_ns, ends, words)
            elif isinstance(fault, Drill) and span.taken and not span.told[0]:
                span.told[0] = 1
                words.append(self._word(fault, span, 0, fault.word, "message", fault.post, t1_ns))
            if ends:
                span.over = True
                self._record(fault, "ends", "", t1_ns, source, records)
        screens, self._waiting = self._waiting, {}
        return records, reports, screens

    def _begin(self, fault: AnyFault, span: _Span, t_ns: int, source: Source, records: list[Record]) -> None:
        self._record(fault, "begins", fault.text, t_ns, source, records)
        span.first = self._next.get(fault.nation, 0)
        self._next[fault.nation] = span.first + len(span.told)
        if isinstance(fault, Drill):
            drawn = draw_uniform(stream_key(self._seed, fault.id, "fault/taken-for-real"), span.t0_ns or 0)
            span.taken = drawn < fault.taken
            said = f"{fault.post} takes it for {'the real thing' if span.taken else 'the drill that it is'}"
            self._record(fault, "taken", said, t_ns, source, records)

    def _tell(self, fault: TestData, span: _Span, t_ns: int, ends: bool, words: list[Report]) -> None:
        assert span.t0_ns is not None
        for k, said in enumerate(fault.words):
            begins = span.t0_ns + said.after_ns
            due = begins + span.told[k] * fault.every_ns
            if due <= min(t_ns, span.t1_ns):
                span.told[k] += 1
                words.append(self._word(fault, span, k, said, "processing", "", t_ns))
            if ends and span.told[k]:
                last = self._word(fault, span, k, said, "processing", "", t_ns)
                words.append(msgspec.structs.replace(last, ends=True))

    def _word(self, fault: TestData | Drill, span: _Span, k: int, said: Said, way: Any, post: str, t_ns: int) -> Report:
        assert span.t0_ns is not None
        at = span.t0_ns + said.after_ns
        launch = None if said.launch is None else (*said.launch, at)
        impact = None if said.impact is None else (*said.impact, at + said.flight_ns)
        seen = tuple(sensor for sensor, after in said.sensors if at + after <= t_ns)
        text = fault.text if isinstance(fault, Drill) else ""
        return Report(str(span.first + k), way, post, said.class_id, said.count, launch, impact, seen, text)

    def _record(self, fault: AnyFault, event: str, text: str, t_ns: int, source: Source, records: list[Record]) -> None:
        body = {"target": fault.id, "nation": fault.nation, "event": event, "text": text}
        records.append(source.record(t_ns, Phase.CONTROL, "fault", body, _AUDIENCE))

    def carry(self, nation: str, screens: tuple[Screen, ...], t_ns: int) -> None:
        """Take a centre's messages to its displays; they arrive with the next frame, as the line leaves them."""
        if screens:
            self._waiting[nation] = [self._changed(nation, screen, t_ns) for screen in screens]

    def _changed(self, nation: str, screen: Screen, t_ns: int) -> Screen:
        for id, fault in self._faults.items():
            span = self._spans[id]
            if not isinstance(fault, CountsFault) or fault.nation != nation or screen.post not in fault.posts:
                continue
            if not span.begun or span.over:
                continue
            counts = []
            for slot, (name, n) in enumerate(screen.counts):
                key = stream_key(self._seed, id, f"fault/{screen.post}/{name}")
                digits = list(f"{n:0{self._width(nation, screen.post)}d}")
                for k, digit in enumerate(digits):
                    if digit == "0" and draw_uniform(key, t_ns, slot, k) < fault.chance:
                        digits[k] = str(fault.digit)
                counts.append((name, int("".join(digits))))
            screen = Screen(screen.post, tuple(counts))
        return screen

    def _width(self, nation: str, post: str) -> int:
        return self._displays.get(f"{nation}/{post}", 4)

    def widths(self, digits: Mapping[str, int]) -> None:
        """How many digits a number has on the line to "nation/post"."""
        self._displays = dict(digits)

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {
            "spans": {id: msgspec.to_builtins(span) for id, span in self._spans.items()},
            "next": dict(self._next),
            "waiting": {name: [msgspec.to_builtins(s) for s in screens] for name, screens in self._waiting.items()},
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``."""
        for id, plain in state.get("spans", {}).items():
            self._spans[id] = msgspec.convert(plain, _Span)
        self._next = {str(k): int(v) for k, v in state.get("next", {}).items()}
        self._waiting = {
            str(name): [msgspec.convert(s, Screen) for s in screens]
            for name, screens in state.get("waiting", {}).items()
        }
