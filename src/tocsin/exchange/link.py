"""A one-way link between two nations: delay and loss, drawn per message, and what is under way."""

from __future__ import annotations

from typing import Any

import msgspec

from tocsin.earth.clock import to_ns
from tocsin.earth.draws import draw_spread
from tocsin.earth.random import draw_uniform, stream_key
from tocsin.records.shapes import Envelope
from tocsin.scenario.specs import Link


class Channel:
    """What is under way from one nation to another. A message takes at least one frame."""

    def __init__(self, link: Link, seed: int, frame_ns: int) -> None:
        self.link = link
        self.cut = False
        self._frame_ns = frame_ns
        self._key = stream_key(seed, f"{link.sender}>{link.recipient}", "link")
        self._under_way: list[Envelope] = []

    def send(self, envelope: Envelope) -> Envelope | None:
        """Put a message on its way; returns it with its time of arrival, or None if it is lost."""
        if self.cut or draw_uniform(self._key, 0, envelope.n, 0) < self.link.loss:
            return None
        delay = self.link.delay
        delay_ns = max(self._frame_ns, to_ns(draw_spread(delay.nominal, delay.spread, self._key, 1, envelope.n)))
        sent = msgspec.structs.replace(envelope, arrive_ns=envelope.sent_ns + delay_ns)
        self._under_way.append(sent)
        return sent

    def deliver(self, until_ns: int) -> list[Envelope]:
        """Messages that arrive up to ``until_ns``, ordered by arrival and number."""
        here = sorted((e for e in self._under_way if e.arrive_ns <= until_ns), key=lambda e: (e.arrive_ns, e.n))
        self._under_way = [e for e in self._under_way if e.arrive_ns > until_ns]
        return here

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {"cut": self.cut, "under_way": [msgspec.msgpack.encode(e) for e in self._under_way]}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self.cut = bool(state["cut"])
        self._under_way = [msgspec.msgpack.decode(raw, type=Envelope) for raw in state["under_way"]]
