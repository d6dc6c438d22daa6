"""What crosses a border: labels, gateway, link, inbox."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.exchange.gateway import Gateway
from tocsin.exchange.inbox import LARGEST, Inbox
from tocsin.exchange.labels import may_leave, pipelines
from tocsin.exchange.link import Channel
from tocsin.records.record import pack
from tocsin.records.shapes import AreaRisk, Envelope, Estimate, Evidence, Receipt, WarningVersion
from tocsin.scenario.specs import Infrared, Link, NationSpec, Orbit, Sensor, Share, Spread, WarningRule

S = 1_000_000_000
NOTHING = Estimate(0, "none", 1.0, "none")


def sensor(n: int) -> Sensor:
    orbit = Orbit(42164e3, 0.0, 0.0, 0.0, 0.0, 0.1 * n)
    return Sensor(n, f"ir-{n}", f"IR {n}", "a", Infrared(orbit, 10.0, 1e4, 6.0, 3.6e7, 8e3, 5e-5, 1e-5, 0.0, 5.0, 1e4))


def nation(name: str = "a", shares: tuple[Share, ...] = ()) -> NationSpec:
    return NationSpec(
        id=name, name=name.upper(), unix_ns=0, theta0=0.0, frame_ns=S, duration_ns=600 * S, stream=1,
        sensors=(sensor(0), sensor(1), sensor(2)), classes=(), areas=(), posts=(),
        rule=WarningRule(3, 5.0, 1, True, 0.01, 5.0, 2.0), shares=shares, links=(),
    )  # fmt: skip


def version(
    uid: str = "a/to:b/0", sources: tuple[str, ...] = ("a",), chain: tuple[str, ...] = ("a",)
) -> WarningVersion:
    return WarningVersion(
        uid=uid, version=0, t_ns=9 * S, status="opened", confirmed=False, cause="new detections", track=7,
        sources=sources, partner=None, first_data_ns=S, launch=NOTHING, impact=NOTHING,
        areas=(AreaRisk("home", 0.1, 0.2, None, False),), types={"x": 1.0},
        p_real=0.9, confidence="low", evidence=(Evidence("infrared", "ir-0", "agrees", None, chain),),
    )  # fmt: skip


SHARES = (Share("a", "c", "warnings", ("ir-2",)), Share("a", "b", "warnings", ("ir-1", "ir-0")))


def test_a_pipeline_is_fed_by_what_is_released_and_nothing_else() -> None:
    assert pipelines(nation(shares=SHARES)) == {"own": (0, 1, 2), "to:b": (0, 1), "to:c": (2,)}


@given(st.text(), st.text())
def test_only_the_label_made_for_a_recipient_may_leave(label: str, recipient: str) -> None:
    assert may_leave(label, recipient) == (label == "to:" + recipient)
    assert not may_leave("own", recipient)


def test_message_numbers_count_per_recipient() -> None:
    gateway = Gateway(nation(shares=SHARES))
    assert [e.n for e, _ in gateway.release(S, "to:b", [version(), version()])] == [0, 1]
    assert [e.n for e, _ in gateway.release(S, "to:c", [version("a/to:c/0")])] == [0]
    assert gateway.release(S, "own", [version("a/own/0")]) == []
    again = Gateway(nation(shares=SHARES))
    again.load(gateway.state())
    assert [e.n for e, _ in again.release(S, "to:b", [version()])] == [2]


def test_what_is_sent_says_exercise_and_keeps_the_senders_areas_and_track_numbers_at_home() -> None:
    envelope, _ = Gateway(nation(shares=SHARES)).release(S, "to:b", [version()])[0]
    assert envelope.exercise == "EXERCISE"
    read = Inbox(nation("b")).accept(envelope)
    assert isinstance(read, WarningVersion)
    assert read.areas == ()
    assert read.track is None


def envelope(body: msgspec.Raw | None = None, **change: object) -> Envelope:
    made = Envelope("a", "b", 0, S, 2 * S, "warning", "EXERCISE", body if body is not None else pack(version()))
    return msgspec.structs.replace(made, **change)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (envelope(recipient="c"), "addressed to 'c'"),
        (envelope(exercise=""), "not marked EXERCISE"),
        (envelope(kind="order"), "unknown kind 'order'"),
        (envelope(msgspec.Raw(b"\xc0" * (LARGEST + 1))), "too large"),
        (envelope(msgspec.Raw(b"\xff\x00")), "unreadable: "),
        (envelope(pack(version(uid="c/to:b/0"))), "warning 'c/to:b/0' is not one of a's"),
        (envelope(pack(version(sources=("a", "b")))), "it rests on our own sensors: it has come home"),
    ],
)
def test_what_the_inbox_refuses_and_why(bad: Envelope, reason: str) -> None:
    read = Inbox(nation("b")).accept(bad)
    assert isinstance(read, str)
    assert read.startswith(reason)


def test_a_message_counts_once() -> None:
    inbox = Inbox(nation("b"))
    assert isinstance(inbox.accept(envelope()), WarningVersion)
    assert inbox.accept(envelope()) == "received before"
    again = Inbox(nation("b"))
    again.load(inbox.state())
    assert again.accept(envelope()) == "received before"


def test_evidence_that_passed_through_here_before_is_left_out() -> None:
    read = Inbox(nation("b")).accept(envelope(pack(version(chain=("c", "b", "a")))))
    assert isinstance(read, WarningVersion)
    assert read.evidence == ()


@given(st.binary(max_size=300))
def test_no_bytes_bring_the_inbox_down(raw: bytes) -> None:
    assert isinstance(Inbox(nation("b")).accept(envelope(msgspec.Raw(raw))), str | WarningVersion)


def test_delays_follow_the_spread_and_take_a_frame_at_least() -> None:
    channel = Channel(Link("a", "b", Spread(20.0, 4.0), 0.0), 1, S)
    delays = np.array(
        [(e.arrive_ns - e.sent_ns) / 1e9 for n in range(2000) if (e := channel.send(envelope(n=n))) is not None]
    )
    assert abs(delays.mean() - 20.0) < 4.0 * 4.0 / math.sqrt(2000)
    # a normal cut at three sigma has 0.986 of its standard deviation
    assert abs(delays.std() / (4.0 * 0.9866) - 1.0) < 4.0 / math.sqrt(2 * 2000)
    quick = Channel(Link("a", "b", Spread(0.0, 0.0), 0.0), 1, S).send(envelope())
    assert quick is not None
    assert quick.arrive_ns == quick.sent_ns + S


def test_losses_come_at_the_stated_rate_and_a_cut_link_carries_nothing() -> None:
    channel = Channel(Link("a", "b", Spread(5.0), 0.2), 3, S)
    lost = sum(channel.send(envelope(n=n)) is None for n in range(2000))
    assert abs(lost - 400) < 4.0 * math.sqrt(2000 * 0.2 * 0.8)
    channel.cut = True
    assert channel.send(envelope(n=9999)) is None


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20), st.integers(0, 80))
def test_every_message_arrives_once_and_in_time(sent: list[int], pause: int) -> None:
    channel = Channel(Link("a", "b", Spread(7.0, 2.0), 0.0), 5, S)
    expected = [channel.send(envelope(n=n, sent_ns=s * S)) for n, s in enumerate(sent)]
    first = channel.deliver(pause * S)
    restored = Channel(Link("a", "b", Spread(7.0, 2.0), 0.0), 5, S)
    restored.load(channel.state())
    rest = restored.deliver(1000 * S)
    assert all(e.arrive_ns <= pause * S for e in first)
    assert all(e.arrive_ns > pause * S for e in rest)
    assert sorted(e.n for e in first + rest) == sorted(e.n for e in expected if e is not None)


LINKED = msgspec.structs.replace(nation("b"), links=(Link("b", "a", Spread(1.0), 0.0),))


def taken_back(uid: str = "a/to:b/0", number: int = 1) -> WarningVersion:
    return msgspec.structs.replace(version(uid), version=number, status="cancelled", cause="taken back")


def test_a_cancellation_reaches_whom_the_warning_reached_though_the_policy_has_changed_since() -> None:
    gateway = Gateway(nation(shares=SHARES))
    gateway.release(S, "to:b", [version()])
    later = Gateway(nation(shares=SHARES[:1]))  # nothing is released to b any more
    later.load(gateway.state())
    assert later.release(2 * S, "to:b", [msgspec.structs.replace(version(), version=1)]) == []
    ((sent, carried),) = later.release(3 * S, "to:b", [taken_back(number=2)])
    assert (sent.recipient, sent.n, carried.status) == ("b", 1, "cancelled")
    # and never anybody else
    assert later.release(3 * S, "to:x", [taken_back("a/to:x/0")]) == []


def test_a_cancellation_is_told_again_until_its_receipt_comes() -> None:
    gateway = Gateway(nation(shares=SHARES))
    gateway.release(S, "to:b", [version()])
    gateway.release(10 * S, "to:b", [taken_back()])
    assert [(t, len(gateway.repeat(t * S))) for t in (11, 39, 40, 41, 70)] == [
        (11, 0), (39, 0), (40, 1), (41, 0), (70, 1),
    ]  # fmt: skip
    restored = Gateway(nation(shares=SHARES))
    restored.load(gateway.state())
    read = Inbox(LINKED).accept(Gateway(LINKED).receipt(71 * S, "a", taken_back()))  # type: ignore[arg-type]
    assert read == "addressed to 'a'"
    back = Inbox(nation("a")).accept(Gateway(LINKED).receipt(71 * S, "a", taken_back()))  # type: ignore[arg-type]
    assert isinstance(back, Receipt)
    assert not restored.take_receipt("c", back)
    assert restored.take_receipt("b", back)
    assert not restored.take_receipt("b", back)  # once is enough
    assert restored.repeat(500 * S) == []
    assert [(r.event, r.times) for r in restored.recalls()] == [("has it", 3)]
    assert [r.event for r in gateway.recalls()] == ["told", "told again", "told again"]


def test_without_any_receipt_it_gives_up_after_five_times_and_says_so() -> None:
    gateway = Gateway(nation(shares=SHARES))
    gateway.release(S, "to:b", [version()])
    gateway.release(S, "to:b", [taken_back()])
    told = [t for t in range(2, 1000) if gateway.repeat(t * S)]
    assert told == [31, 61, 91, 121]
    assert gateway.recalls()[-1].event == "no receipt"
    assert gateway.recalls() == []


def test_a_nation_without_a_link_back_sends_no_receipt() -> None:
    assert Gateway(nation("b")).receipt(S, "a", taken_back()) is None


@given(st.binary(max_size=200))
def test_no_receipt_brings_the_inbox_down(raw: bytes) -> None:
    read = Inbox(nation("b")).accept(envelope(msgspec.Raw(raw), kind="receipt"))
    assert isinstance(read, str | Receipt)


def test_the_end_of_a_warning_of_which_nothing_has_come_is_said_by_name_and_taken_in_all_the_same() -> None:
    def mail(n: int, uid: str, status: str) -> Envelope:
        body = pack(msgspec.structs.replace(version(uid), status=status))
        return Envelope("a", "b", n, 0, 0, "warning", "EXERCISE", body)

    inbox = Inbox(nation("b"))
    assert isinstance(inbox.accept(mail(0, "a/to:b/7", "cancelled")), WarningVersion)
    assert inbox.strays() == [("a/to:b/7", "cancellation of an unknown warning")]
    assert inbox.strays() == []
    inbox.accept(mail(1, "a/to:b/7", "cancelled"))  # told again, for want of a receipt: known by now
    inbox.accept(mail(2, "a/to:b/8", "opened"))
    inbox.accept(mail(3, "a/to:b/8", "cancelled"))
    assert inbox.strays() == []
    again = Inbox(nation("b"))
    again.load(inbox.state())
    again.accept(mail(4, "a/to:b/8", "closed"))
    again.accept(mail(5, "a/to:b/9", "closed"))
    assert again.strays() == [("a/to:b/9", "end of an unknown warning")]
