"""What may come in from outside: the shapes of an input's body by act, checked before anything is touched."""

from __future__ import annotations

import math

import msgspec

from tocsin.command.posts import Decide
from tocsin.records.record import Input, pack, unpack
from tocsin.scenario.specs import NO_BIAS, Bias, Inject, WorldSpec

CONTROL = "control"
LARGEST = 64 * 1024
TROUBLES = {
    "sensor.degrade": "degraded", "sensor.jam": "jammed", "sensor.delay": "delayed", "sensor.bias": "biased",
}  # fmt: skip
"""Acts that do something to a sensor but silence, and the ``what`` of the ``specs.StatusSpan`` that each begins."""
INJECTS = ("sensor.silence", *TROUBLES, "link.cut", "fault.begin", "fault.end", "note")
_AMOUNTS = {
    "sensor.degrade": ("a factor on the SNR over 0 and under 1", 0.0, 1.0),
    "sensor.jam": ("a rise of the noise (a ratio) over 1, up to 1e9", 1.0, 1e9),
    "sensor.delay": ("over 0 s, up to 3600 s", 0.0, 3600.0),
}


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an inject does to a sensor: ``amount``, ``bias`` and ``declared`` as in ``specs.StatusSpan``."""

    amount: float = 0.0
    bias: Bias = NO_BIAS
    declared: bool = True


class InjectBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``act``: one of ``INJECTS``; ``target``: sensor id, "a>b", a fault's id, or "nation/post"; ``until_ns``: end
    (None: for good); ``trouble``: for the acts of ``TROUBLES`` and no other. A further act of one kind on one sensor
    takes the place of the one before it; one with an end that is past just ends that.
    """

    act: str
    target: str
    until_ns: int | None = None
    text: str = ""
    trouble: Trouble | msgspec.UnsetType = msgspec.UNSET


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
    if body.act.startswith("sensor."):
        known = tuple(s.id for s in world.sensors)
    elif body.act.startswith("fault."):
        known = tuple(fault.id for fault in world.faults)
    elif body.act == "link.cut":
        known = tuple(f"{link.sender}>{link.recipient}" for link in world.links)
    if body.act != "note" and body.target not in known:
        return f"{body.act}: unknown target {body.target[:80]!r}; known: {', '.join(known) or 'none'}"
    return _trouble_refusal(body)


def _trouble_refusal(body: InjectBody) -> str | None:
    if body.act not in TROUBLES:
        return None if body.trouble is msgspec.UNSET else f"{body.act}: no trouble is allowed beside it"
    if body.trouble is msgspec.UNSET:
        return f"{body.act}: a trouble is needed"
    trouble = body.trouble
    if body.act == "sensor.bias":
        numbers = (*trouble.bias.constant, *trouble.bias.slow, trouble.bias.tau)
        if not all(math.isfinite(v) for v in numbers) or min(trouble.bias.slow) < 0.0 or trouble.bias.tau < 1e-3:
            return f"{body.act}: finite numbers, none of `slow` under 0, tau from 0.001 s"
        return None
    allowed, low, high = _AMOUNTS[body.act]
    if not low < trouble.amount <= high or (high == 1.0 and trouble.amount == 1.0):
        return f"{body.act}: amount {trouble.amount}; allowed: {allowed}"
    return None


def from_script(inject: Inject, branch: str) -> Input:
    """A scripted inject of the scenario as the input that it is."""
    trouble: Trouble | msgspec.UnsetType = msgspec.UNSET
    if inject.act in TROUBLES:
        trouble = Trouble(inject.amount, inject.bias, inject.declared)
    body = InjectBody(inject.act, inject.target, inject.until_ns, inject.text, trouble)
    return Input(f"scenario:{inject.id}", branch, CONTROL, "scenario", "inject", 1, pack(body))
