"""Notices on their way: from hand to hand, each of which takes its time and may let it go no further.

What became of each notice is drawn once, from the scenario's seed and the notice's own name, so that nothing has to be
remembered. A nation is given a notice when the last hand has passed it on, and never hears of one that was lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tocsin.earth.clock import to_ns
from tocsin.earth.draws import draw_spread
from tocsin.earth.random import draw_uniform, stream_key
from tocsin.scenario.specs import Announcement, Notice, WorldSpec


@dataclass(frozen=True)
class Passed:
    """Something that happened to a notice at ``t_ns``: ``kind`` "notice.sent", "notice.passed", "notice.lost" or
    "notice.arrived"; ``body`` of its record.
    """

    t_ns: int
    kind: str
    body: dict[str, str]


@dataclass
class Arrivals:
    """Of one frame: what happened, and what reached whom."""

    events: list[Passed] = field(default_factory=list)
    arrived: dict[str, tuple[Announcement, ...]] = field(default_factory=dict)


class Dispatch:
    """All notices of a scenario."""

    def __init__(self, world: WorldSpec) -> None:
        self._ways = [(notice, way(notice, world.seed)) for notice in world.notices]

    def step(self, t0_ns: int, t1_ns: int) -> Arrivals:
        """What happens in the frame ``(t0_ns, t1_ns]``; in the first frame also all that was before the start."""
        made = Arrivals()
        for notice, events in self._ways:
            for event in events:
                if event.t_ns > t1_ns or (event.t_ns <= t0_ns and t0_ns > 0):
                    continue
                made.events.append(event)
                if event.kind == "notice.arrived":
                    to = notice.recipient
                    made.arrived[to] = (*made.arrived.get(to, ()), notice.announcement)
        return made


def way(notice: Notice, seed: int) -> list[Passed]:
    """What becomes of a notice: each hand that has it, in time; last its loss or its arrival."""
    said, to = notice.announcement, notice.recipient
    t = notice.sent_ns

    def event(kind: str, text: str) -> Passed:
        body = {"id": said.id, "event": kind.partition(".")[2], "to": to, "text": f"EXERCISE: {text}"}
        return Passed(t, kind, body)

    events = [event("notice.sent", f"notice {said.id} sent by {said.sender}")]
    for k, hand in enumerate(notice.handoffs):
        key = stream_key(seed, f"notice:{said.id}", f"hand-off/{k}")
        if hand.lost or draw_uniform(key, 0, 1) < hand.loss:
            return [*events, event("notice.lost", f"notice {said.id} went no further than {hand.who}")]
        t += to_ns(draw_spread(hand.takes.nominal, hand.takes.spread, key))
        events.append(event("notice.passed", f"notice {said.id} passed on by {hand.who}"))
    return [*events, event("notice.arrived", f"notice {said.id} is there")]
