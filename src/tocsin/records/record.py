"""The unit of everything that happens, and of everything that comes in from outside.

A record's identity is ``(source, n)`` with ``n`` counted per source, never globally: a global counter would tell a seat
how much it does not see. Records are ordered by ``(t_ns, phase, source, n)``.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

Ref = tuple[str, int]  # a record's identity: (source, n)


class Record(msgspec.Struct, frozen=True):
    """One thing that happened.

    ``t_ns``: scenario time; ``phase``: order within one instant (see ``Phase``); ``source``: "world", "world:japan"
    (what the world hands to a nation), "nation:japan", "link:a>b", "seat:japan/watch", "control"; ``n``: count within
    the source; ``kind`` and ``v``: what ``body`` holds; ``audience``: fixed at birth: "truth", "nation:japan",
    "control"; ``causes``: records of the same audience; across a border, the envelope's identity; ``label``: the
    release label of the pipeline it came from ("own", "to:b") or "" where there is none; ``body``: msgpack.
    """

    t_ns: int
    phase: int
    source: str
    n: int
    kind: str
    v: int
    audience: tuple[str, ...]
    causes: tuple[Ref, ...]
    label: str
    body: msgspec.Raw

    @property
    def ref(self) -> Ref:
        """Identity ``(source, n)``."""
        return (self.source, self.n)

    @property
    def order(self) -> tuple[int, int, str, int]:
        """Sort key ``(t_ns, phase, source, n)``."""
        return (self.t_ns, self.phase, self.source, self.n)


class Phase:
    """The order of things within one instant."""

    CONTROL = 0
    TRUTH = 1
    SENSING = 2
    LINK = 3
    TRACKING = 4
    WARNING = 5
    EXCHANGE = 6
    COMMAND = 7


class Input(msgspec.Struct, frozen=True):
    """Every outside event: an inject, a decision, a rate change, the taking over of a seat.

    ``act``: "inject", "decide", "seat.take", "seat.release", "rate". ``body``: msgpack, its shape by ``act`` and ``v``.
    """

    id: str
    branch: str
    seat: str
    person: str
    act: str
    v: int
    body: msgspec.Raw


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """An input that will apply at ``applies_ns``, which is later than now."""

    id: str
    applies_ns: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """An input that changes nothing, and why."""

    id: str
    reason: str


S = TypeVar("S")
_encoder = msgspec.msgpack.Encoder()


def pack(body: Any) -> msgspec.Raw:
    """Encode a struct or plain data as a record's body."""
    return msgspec.Raw(_encoder.encode(body))


def unpack(body: msgspec.Raw, shape: type[S]) -> S:
    """Decode a body as ``shape``; raises msgspec.ValidationError or DecodeError on anything else."""
    return msgspec.msgpack.decode(body, type=shape)


class Source:
    """Gives the records of one source their numbers. ``n`` is the next number and the only state."""

    def __init__(self, name: str, n: int = 0) -> None:
        self.name = name
        self.n = n

    def record(
        self,
        t_ns: int,
        phase: int,
        kind: str,
        body: Any,
        audience: tuple[str, ...],
        *,
        causes: tuple[Ref, ...] = (),
        label: str = "",
        v: int = 1,
    ) -> Record:
        """Make the next record of this source."""
        raw = body if isinstance(body, msgspec.Raw) else pack(body)
        made = Record(t_ns, phase, self.name, self.n, kind, v, audience, causes, label, raw)
        self.n += 1
        return made
