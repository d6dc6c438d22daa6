"""What may come in from outside: the shapes of an input's body by act, checked before anything is touched."""

from __future__ import annotations

import msgspec

from tocsin.command.posts import Decide
from tocsin.records.record import Input, pack, unpack
from tocsin.scenario.specs import Inject, WorldSpec

CONTROL = "control"
LARGEST = 64 * 1024
INJECTS = ("sensor.silence", "link.cut", "note")


class InjectBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``act``: one of ``INJECTS``; ``target``: sensor id, "a>b", or "nation/post"; ``until_ns``: end (None: for
    good).
    """

    act: str
    target: str
    until_ns: int | None = None
    text: str = ""


class RateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How fast the exercise is to run (scenario seconds a second); recorded, as the engine itself has no clock."""

    rate: float


class SeatBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Taking over or giving back a post."""


BODIES: dict[str, type[msgspec.Struct]] = {
    "inject": InjectBody,
    "decide": Decide,
    "rate": RateBody,
    "seat.take": SeatBody,
    "seat.release": SeatBody,
}


def refusal(i: Input, world: WorldSpec, posts: tuple[str, ...]) -> str | None:
    """Why an input cannot be taken, or None. ``posts``: "nation/post" of every seat."""
    shape = BODIES.get(i.act)
    if shape is None:
        return f"unknown act {i.act[:80]!r}; known: {', '.join(BODIES)}"
    if not i.id or len(i.id) > 200:
        return "an input needs an id of 1 to 200 characters"
    if len(bytes(i.body)) > LARGEST:
        return f"body larger than {LARGEST} bytes"
    if i.v != 1:
        return f"{i.act} version {i.v} is not known; known: 1"
    try:
        body = unpack(i.body, shape)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return f"{i.act}: {error}"
    if isinstance(body, InjectBody | RateBody):
        if i.seat != CONTROL:
            return f"{i.act} is for the seat {CONTROL!r}, not {i.seat[:80]!r}"
        return _inject_refusal(body, world) if isinstance(body, InjectBody) else None
    if i.seat not in posts:
        return f"unknown seat {i.seat[:80]!r}; known: {', '.join(posts) or 'none'}"
    return None


def _inject_refusal(body: InjectBody, world: WorldSpec) -> str | None:
    if body.act not in INJECTS:
        return f"unknown inject {body.act[:80]!r}; known: {', '.join(INJECTS)}"
    known: tuple[str, ...] = ()
    if body.act == "sensor.silence":
        known = tuple(s.id for s in world.sensors)
    elif body.act == "link.cut":
        known = tuple(f"{link.sender}>{link.recipient}" for link in world.links)
    if body.act != "note" and body.target not in known:
        return f"{body.act}: unknown target {body.target[:80]!r}; known: {', '.join(known) or 'none'}"
    return None


def from_script(inject: Inject, branch: str) -> Input:
    """A scripted inject of the scenario as the input that it is."""
    body = InjectBody(inject.act, inject.target, inject.until_ns, inject.text)
    return Input(f"scenario:{inject.id}", branch, CONTROL, "scenario", "inject", 1, pack(body))
