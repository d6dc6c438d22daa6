"""Notices on their way, and the ladder of a nation in a whole exercise."""

from __future__ import annotations

import msgspec
import pytest

from tocsin.earth.frames import gmst82
from tocsin.exercise.dispatch import Dispatch, way
from tocsin.exercise.engine import Engine
from tocsin.records.record import Accepted, Input, Record, Refused, pack, unpack
from tocsin.records.shapes import AlertState, Conference, Decision, WarningVersion
from tocsin.scenario import Scenario
from tocsin.scenario.specs import Announcement, HandOff, Notice, Spread, WorldSpec

S = 1_000_000_000


def notice(*hands: HandOff, id: str = "rocket", sent_s: float = 0.0) -> Notice:
    said = Announcement(id, "norway", 0, 3600 * S, 1.2, 0.3, 20e3, None, 0.1, "")
    return Notice(said, "russia", int(sent_s * S), hands)


def hand(
    who: str = "ministry", takes: float = 10.0, spread: float = 0.0, loss: float = 0.0, lost: bool = False
) -> HandOff:
    return HandOff(who, Spread(takes, spread), loss, lost)


def world(*notices: Notice, seed: int = 1) -> WorldSpec:
    return WorldSpec("x", "x", 0, 0.0, S, 600 * S, seed, (), (), (), ("russia",), (), (), notices=notices)


def test_it_is_there_when_the_last_hand_has_passed_it_on() -> None:
    events = way(notice(hand(takes=10.0), hand("staff", 25.0), sent_s=-5.0), 1)
    assert [(e.t_ns / S, e.kind) for e in events] == [
        (-5.0, "notice.sent"), (5.0, "notice.passed"), (30.0, "notice.passed"), (30.0, "notice.arrived"),
    ]  # fmt: skip
    assert all(e.body["text"].startswith("EXERCISE") for e in events)


def test_a_named_loss_ends_it_and_the_nation_gets_nothing() -> None:
    lost = notice(hand(), hand("staff", lost=True), hand("crew"))
    events = way(lost, 1)
    assert [e.kind for e in events] == ["notice.sent", "notice.passed", "notice.lost"]
    assert "staff" in events[-1].body["text"]
    dispatch = Dispatch(world(lost))
    assert all(dispatch.step(t * S, (t + 1) * S).arrived == {} for t in range(100))


def test_losses_come_as_often_as_said_and_times_as_spread() -> None:
    ways = [way(notice(hand(takes=60.0, spread=10.0, loss=0.3), id=f"n{k}"), 7) for k in range(1000)]
    lost = sum(w[-1].kind == "notice.lost" for w in ways)
    assert abs(lost - 300) < 4 * (1000 * 0.3 * 0.7) ** 0.5
    took = [w[-1].t_ns / S for w in ways if w[-1].kind == "notice.arrived"]
    assert sum(took) / len(took) == pytest.approx(60.0, abs=4 * 10.0 / len(took) ** 0.5)
    assert all(30.0 <= t <= 90.0 for t in took)
    assert ways == [way(notice(hand(takes=60.0, spread=10.0, loss=0.3), id=f"n{k}"), 7) for k in range(1000)]


def test_each_arrives_in_one_frame_and_what_came_before_the_start_in_the_first() -> None:
    early, late = notice(hand(takes=60.0), sent_s=-86400.0), notice(hand(takes=4.5), id="late", sent_s=1.0)
    dispatch = Dispatch(world(early, late))
    arrived = [dispatch.step(t * S, (t + 1) * S).arrived.get("russia", ()) for t in range(60)]
    assert [(t, a.id) for t, here in enumerate(arrived) for a in here] == [(0, "rocket"), (5, "late")]


# ---- a whole exercise: the research rocket of 1995, with a ladder, and the note that comes or not

NOTE = {
    "from": "norway", "to": "russia", "sent": "1995-01-24T06:00:00Z",
    "window": ["1995-01-25T05:00:00Z", "1995-01-25T10:00:00Z"],
    "area": {"lat_deg": 69.29, "lon_deg": 16.02, "radius_km": 30}, "azimuth_deg": 350, "azimuth_spread_deg": 5,
    "class": "sounding-rocket-bb12",
    "handoffs": [{"who": "ministry", "takes_s": 3600}, {"who": "general staff", "takes_s": 3600}],
}  # fmt: skip
# an assessment of whatever is not announced, whether or not its impact is excluded within seconds
ANYWHERE = {"id": "threat-assessment", "when": "version_count and announced < 50 %", "leave": "over"}
LADDER = {"from": "three-step", "posts": {"duty": "radar-crew"}, "rungs": [ANYWHERE]}


def scenario(**hand_over: object) -> Scenario:
    hands = [NOTE["handoffs"][0], {**NOTE["handoffs"][1], **hand_over}]  # type: ignore[index, dict-item]
    made = Scenario.load("black-brant-1995").with_("notices", {"rocket": {**NOTE, "handoffs": hands}})
    return made.with_("partners.russia.centre.ladder", LADDER).with_("duration", "10 min")


def flown(chosen: Scenario, at: int | None = None) -> list[Record]:
    engine = Engine(*chosen.split(gmst82), recording="summary")
    if at is None:
        return engine.step(600 * S)
    records = engine.step(at * S)
    return records + Engine.restore(engine.snapshot()).step(600 * S)


def bodies(records: list[Record], kind: str, shape: type) -> list[object]:
    return [unpack(r.body, shape) for r in records if r.kind == kind and r.label in ("own", "")]


@pytest.fixture(scope="module")
def lost() -> list[Record]:
    return flown(scenario(lost=True))


@pytest.fixture(scope="module")
def told() -> list[Record]:
    return flown(scenario())


def test_the_note_that_was_lost_leaves_the_nation_in_the_dark(lost: list[Record]) -> None:
    assert [r.audience for r in lost if r.kind == "notice.lost"] == [("control",)]
    assert [r for r in lost if r.kind == "notice.received"] == []
    versions = bodies(lost, "warning", WarningVersion)
    assert versions
    assert all(v.announced == () for v in versions)


def test_the_note_that_came_is_evidence_in_the_warning(told: list[Record], lost: list[Record]) -> None:
    assert len([r for r in told if r.kind == "notice.received"]) == 1
    versions = bodies(told, "warning", WarningVersion)
    last = [v for v in versions if v.uid == versions[0].uid][-1]
    assert [a.notice for a in last.announced] == ["rocket"]
    # but for that nothing of the processing has changed: a note is no sensor
    without = [msgspec.structs.replace(v, announced=()) for v in versions]
    assert without == bodies(lost, "warning", WarningVersion)


def test_what_is_announced_is_not_taken_for_a_threat(told: list[Record], lost: list[Record]) -> None:
    def called(records: list[Record]) -> set[str]:
        return {c.id for c in bodies(records, "conference", Conference) if c.event == "called"}

    def highest(records: list[Record]) -> int:
        return max(a.level for a in bodies(records, "alert", AlertState))

    assert called(lost) == {"missile-display", "threat-assessment"}
    assert called(told) == {"missile-display"}
    assert (highest(lost), highest(told)) == (2, 1)
    assert "threat-assessment" in {d.step for d in bodies(lost, "decision", Decision)}


def test_a_snapshot_in_the_middle_goes_on_the_same(told: list[Record]) -> None:
    assert flown(scenario(), at=240) == told


def test_a_decision_on_a_warning_that_is_unknown_is_refused_by_name() -> None:
    engine = Engine(*scenario().split(gmst82), recording="none")
    engine.step(2 * S)
    taken = Input("a", "main", "russia/radar-crew", "Mori", "seat.take", 1, pack({}))
    assert isinstance(engine.submit(taken), Accepted)
    engine.step(4 * S)
    body = {"warning": "russia/own/99", "step": "report", "choice": "do"}
    answer = engine.submit(Input("b", "main", "russia/radar-crew", "Mori", "decide", 1, pack(body)))
    assert isinstance(answer, Refused)
    assert answer.reason == "there is no warning 'russia/own/99'"
