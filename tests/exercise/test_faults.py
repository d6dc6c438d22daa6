"""Faults behind the sensors: what they do is as declared, no nation is told, and all of it goes on from a snapshot."""

from __future__ import annotations

import json

import msgspec
import pytest

from tocsin.api import engine_of
from tocsin.command.doctrine import check_doctrine
from tocsin.earth.frames import gmst82
from tocsin.exercise.engine import Engine
from tocsin.exercise.faults import Faults
from tocsin.exercise.inputs import InjectBody
from tocsin.records.record import Accepted, Input, Record, Refused, Source, pack, unpack
from tocsin.records.shapes import Decision, Screen, WarningVersion
from tocsin.scenario import Scenario

S = 1_000_000_000


@pytest.fixture(scope="module")
def chip() -> Scenario:
    return Scenario.load("chip-1980", check_doctrine)


@pytest.fixture(scope="module")
def tape() -> Scenario:
    return Scenario.load("tape-1979", check_doctrine)


@pytest.fixture(scope="module")
def hawaii() -> Scenario:
    return Scenario.load("hawaii-2018", check_doctrine)


def versions(records: list[Record]) -> list[WarningVersion]:
    return [unpack(r.body, WarningVersion) for r in records if r.kind == "warning"]


def done(records: list[Record]) -> dict[str, Decision]:
    found: dict[str, Decision] = {}
    for r in records:
        if r.kind == "decision":
            d = unpack(r.body, Decision)
            found.setdefault(d.step, d)
    return found


def started(scenario: Scenario) -> Faults:
    world, _ = scenario.split(gmst82)
    return Faults(world)


# counts ---------------------------------------------------------------------------------------------------------------


def test_a_line_that_fills_zeros_changes_zeros_and_nothing_else(chip: Scenario) -> None:
    faults = started(chip.with_("faults.chip.chance", 1.0).with_("faults.chip.from", "T+00:00"))
    faults.widths({"united-states/sac": 3, "united-states/nmcc": 3})
    source = Source("control")
    faults.step(0, S, source)
    sent = (Screen("sac", (("slbm", 0), ("icbm", 105))), Screen("elsewhere", (("slbm", 0),)))
    faults.carry("united-states", sent, S)
    _, _, shown = faults.step(S, 2 * S, source)
    # 000 becomes 222, 105 becomes 125; a post that the line does not lead to sees what was sent
    assert shown["united-states"] == [Screen("sac", (("slbm", 222), ("icbm", 125))), sent[1]]
    assert faults.step(2 * S, 3 * S, source)[2] == {}


def test_before_and_after_the_fault_displays_show_what_the_centre_sends(chip: Scenario) -> None:
    records = engine_of(chip).step(700 * S)
    shown = [(r.t_ns, json.loads(msgspec.json.encode(unpack(r.body, dict)))) for r in records if r.kind == "display"]
    wrong = [t for t, body in shown if sum(body["counts"].values())]
    assert wrong
    assert min(wrong) > 120 * S
    assert max(wrong) <= 602 * S  # a message that the fault has changed is one frame on its way
    # every digit of a wrong count is a nought or a two, as published
    digits = {d for _, body in shown for n in body["counts"].values() for d in str(n)}
    assert digits == {"0", "2"}
    # posts showed different counts, and a warning says so
    assert any(len(set(v.shown.values())) > 1 for v in versions(records))


def test_no_nation_is_told_of_a_fault(chip: Scenario, tape: Scenario) -> None:
    for scenario in (chip, tape):
        _, nations = scenario.split(gmst82)
        text = msgspec.json.encode(nations["united-states"]).decode()
        assert scenario.model.faults[0].text not in text
        assert '"chip"' not in text
        assert '"tape"' not in text
        told = [r for r in engine_of(scenario).step(400 * S) if r.kind == "fault"]
        assert told
        assert all(not any(a.startswith("nation:") for a in r.audience) for r in told)


# a test's data --------------------------------------------------------------------------------------------------------


def test_a_tape_is_believed_until_somebody_asks_the_sensors(tape: Scenario) -> None:
    records = engine_of(tape).step(900 * S)
    assert not any(r.kind in ("detections", "tracks") for r in records)  # nothing stands behind it
    first = [v for v in versions(records) if v.uid == "united-states/own/r0"]
    steps = done(records)
    asked = next(r.t_ns for r in records if r.kind == "decision" and unpack(r.body, Decision).step == "raw-data")
    before = [v for v in first if v.t_ns <= asked]
    after = [v for v in first if v.t_ns > asked]
    assert any(v.confirmed for v in before)
    assert before[-1].confirmed
    assert before[-1].p_real > 0.5
    assert {e.sensor for e in before[-1].evidence if e.state == "agrees"} == {"dsp-pacific", "US-BEALE"}
    # the satellite looked at where it is said to have burnt and saw nothing
    assert after[0].status == "downgraded"
    assert after[0].cause == "the sensors' own data"
    assert {e.sensor: e.state for e in after[0].evidence}["dsp-pacific"] == "disagrees"
    assert after[0].p_real < 0.01
    assert "known-false" in steps
    assert first[-1].status == "cancelled"
    assert first[-1].cause == "taken back by commander"


def test_a_tape_that_nobody_checks_is_closed_when_nothing_comes_down(tape: Scenario) -> None:
    idle = tape.with_("published", []).with_("partners.united-states.posts", {"commander": {"steps": []}})
    found = versions(engine_of(idle).step(1300 * S))
    last = {v.uid: v for v in found}
    # launched at T+05:00, 13 min of flight, a minute more
    assert last["united-states/own/r0"].status == "closed"
    assert last["united-states/own/r0"].t_ns == pytest.approx((300 + 13 * 60 + 60) * S, abs=2 * S)


def test_a_doctrine_of_two_kinds_waits_for_what_the_tape_says_of_a_radar(tape: Scenario) -> None:
    rule = {"min_updates": 4, "min_sensors": 2, "min_kinds": 2}
    chosen = tape.with_("partners.united-states.centre.rule", rule)
    first = next(v for v in versions(engine_of(chosen).step(600 * S)) if v.confirmed)
    assert first.t_ns >= (300 + 100) * S  # the radar is said to see it 100 s after its launch
    assert {e.sensor_kind for e in first.evidence if e.state == "agrees"} == {"infrared", "radar"}


# a drill --------------------------------------------------------------------------------------------------------------


def test_an_alert_on_a_drills_words_is_taken_back_by_who_may(hawaii: Scenario) -> None:
    records = engine_of(hawaii).step(3600 * S)
    at = {unpack(r.body, Decision).step: r.t_ns / S for r in records if r.kind == "decision"}
    assert at["alert"] < at["no-threat"] < at["stop"] < at["correct"]
    assert versions(records)[-1].status == "cancelled"
    assert all("EXERCISE" in unpack(r.body, Decision).text for r in records if r.kind == "decision")
    # words that stand ready take away the time to find them, and nothing else of the chain
    ready = hawaii.with_("partners.hawaii.centre.retraction.texts.correct", "False alarm in {areas}.")
    again = engine_of(ready).step(3600 * S)
    sooner = {unpack(r.body, Decision).step: r for r in again if r.kind == "decision"}
    assert sooner["stop"].t_ns / S == at["stop"]
    assert at["correct"] - sooner["correct"].t_ns / S > 600.0
    assert unpack(sooner["correct"].body, Decision).text == "EXERCISE: False alarm in Hawaii."


def test_a_drill_that_is_taken_for_a_drill_does_nothing(hawaii: Scenario) -> None:
    records = engine_of(hawaii.with_("faults.drill.taken_for_real", 0.0)).step(1200 * S)
    assert not versions(records)
    assert not done(records)
    said = [unpack(r.body, dict)["text"] for r in records if r.kind == "fault"]
    assert "warning-officer takes it for the drill that it is" in said


# injects, snapshots ---------------------------------------------------------------------------------------------------


def inject(id: str, act: str, target: str, until_ns: int | None = None) -> Input:
    return Input(id, "main", "control", "director", "inject", 1, pack(InjectBody(act, target, until_ns)))


def test_a_fault_without_a_time_waits_for_its_inject(hawaii: Scenario) -> None:
    data = hawaii.plain()
    del data["faults"][0]["from"]
    engine = engine_of(hawaii.with_("faults", data["faults"]))
    assert not versions(engine.step(400 * S))
    refused = engine.submit(inject("a", "fault.begin", "dril"))
    assert isinstance(refused, Refused)
    assert "known: drill" in refused.reason
    assert isinstance(engine.submit(inject("b", "fault.begin", "drill")), Accepted)
    opened = versions(engine.step(410 * S))
    assert opened[0].status == "opened"
    assert opened[0].launch.basis == "message"


def test_an_inject_ends_a_fault(tape: Scenario) -> None:
    engine = engine_of(tape)
    engine.step(310 * S)
    engine.submit(inject("stop", "fault.end", "tape"))
    after = versions(engine.step(500 * S))
    # its last word says that no more come; what was not confirmed by then is cancelled
    assert not any(v.uid.endswith(("r1", "r2")) for v in after)


@pytest.mark.parametrize(("name", "at"), [("chip-1980", 200), ("tape-1979", 420), ("hawaii-2018", 340)])
def test_a_run_goes_on_from_a_snapshot_to_the_same_bytes(name: str, at: int) -> None:
    scenario = Scenario.load(name)
    straight = engine_of(scenario)
    straight.step(at * S)
    again = Engine.restore(straight.snapshot())
    encode = msgspec.msgpack.encode
    until = (at + 200) * S
    assert [encode(r) for r in straight.step(until)] == [encode(r) for r in again.step(until)]
