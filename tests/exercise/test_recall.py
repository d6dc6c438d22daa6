"""A warning that is taken back in one nation's machine, told to another's, and the receipt that comes home."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from tocsin.exercise.nation import Nation
from tocsin.records.columns import DETECTION, SCAN, empty
from tocsin.records.record import pack, unpack
from tocsin.records.shapes import Envelope, Estimate, Evidence, Frame, RaidPicture, Recall, WarningVersion
from tocsin.scenario.specs import Infrared, Link, NationSpec, Orbit, Sensor, Share, Spread, WarningRule

S = 1_000_000_000


def nation(name: str, **change: Any) -> Nation:
    orbit = Orbit(42164e3, 0.0, 0.0, 0.0, 0.0, 0.1)
    satellite = Infrared(orbit, 10.0, 1e4, 6.0, 3.6e7, 8e3, 5e-5, 1e-5, 0.0, 5.0, 1e4)
    spec = NationSpec(
        id=name, name=name, unix_ns=0, theta0=0.0, frame_ns=S, duration_ns=600 * S, stream=1,
        sensors=(Sensor(0, f"ir-{name}", "IR", name, satellite),), classes=(), areas=(), posts=(),
        rule=WarningRule(3, 5.0, 1, True, 0.01, 5.0, 2.0), shares=(),
        links=(Link(name, "b" if name == "a" else "a", Spread(1.0), 0.0),),
    )  # fmt: skip
    return Nation(msgspec.structs.replace(spec, **change))


def word(number: int, status: str = "updated", event: int = 0) -> WarningVersion:
    place = Estimate(0, "coast", 1.0, "gaussian", (0.1 * event, 0.2), (1e8, 0.0, 0.0, 1e8), event * S, 1.0)
    down = Estimate(0, "coast", 1.0, "gaussian", (0.5 + event, 0.2), (1e8, 0.0, 0.0, 1e8), (550 + event) * S, 1.0)
    return WarningVersion(
        f"a/to:b/{event}", number, 9 * S, status, status != "cancelled", "", None, ("a",), None, S, place, down, (), {},
        0.99, "medium", (Evidence("infrared", "ir-a", "agrees", None, ("a",)),),
    )  # fmt: skip


def frame(t: int, *envelopes: Envelope) -> Frame:
    return Frame((t - 1) * S, t * S, empty(SCAN), empty(DETECTION), envelopes)


def letter(n: int, version: WarningVersion) -> Envelope:
    return Envelope("a", "b", n, 8 * S, 9 * S, "warning", "EXERCISE", pack(version))


def test_a_cancellation_goes_out_comes_back_as_a_receipt_and_every_step_is_on_record() -> None:
    a, b = nation("a", shares=(Share("a", "b", "warnings", ("ir-a",)),)), nation("b")
    a._gateway.release(5 * S, "to:b", [word(0)])
    ((sent, _),) = a._gateway.release(10 * S, "to:b", [word(1, "cancelled")])
    opened = b.step(frame(11, letter(0, word(0))))
    assert [r.kind for r in opened.records if r.kind == "warning"] == ["warning"]
    taken = b.step(frame(12, sent))
    (closed,) = [unpack(r.body, WarningVersion) for r in taken.records if r.kind == "warning"]
    assert closed.status == "cancelled"
    (receipt,) = taken.outgoing
    assert (receipt.kind, receipt.recipient) == ("receipt", "a")
    home = a.step(frame(14, receipt))
    told = [unpack(r.body, Recall) for r in home.records if r.kind == "warning.recall"]
    assert [(r.event, r.recipient, r.times) for r in told] == [("told", "b", 1), ("has it", "b", 1)]
    assert (home.records[-1].t_ns - told[-1].since_ns) / S == 4.0  # its own clock
    # a second one is refused, on record
    again = a.step(frame(15, msgspec.structs.replace(receipt, n=7)))
    assert [r.kind for r in again.records] == ["message.refused"]
    assert [e for t in range(16, 300) for e in a.step(frame(t)).outgoing] == []


def test_an_overdue_receipt_brings_the_message_once_more_out_of_the_nation() -> None:
    a = nation("a", shares=(Share("a", "b", "warnings", ("ir-a",)),))
    a._gateway.release(10 * S, "to:b", [word(1, "cancelled")])
    out = [(t, e.kind, e.n) for t in range(11, 400) for e in a.step(frame(t)).outgoing]
    assert out == [(40, "warning", 1), (70, "warning", 2), (100, "warning", 3), (130, "warning", 4)]


def test_several_warnings_make_one_picture_that_is_recorded_when_it_changes() -> None:
    b = nation("b")
    made = [r for t, m in ((11, word(0)), (12, word(0, event=1))) for r in b.step(frame(t, letter(t, m))).records]
    pictures = [unpack(r.body, RaidPicture) for r in made if r.kind == "raid"]
    assert [(p.open, p.counts) for p in pictures] == [(2, {"ir-a": 2, "partner a": 2})]
    assert pictures[0].first_impact_ns is not None
    again = nation("b")
    again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(b.state())))
    gone = letter(13, word(1, "cancelled", 1))
    one, two = b.step(frame(13, gone)), again.step(frame(13, gone))
    assert [r.kind for r in one.records] == [r.kind for r in two.records]
    assert "raid" in [r.kind for r in one.records]
    assert np.all([r.body == s.body for r, s in zip(one.records, two.records, strict=True)])
