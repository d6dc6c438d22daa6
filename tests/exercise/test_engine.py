"""The engine: same scenario and seed, same bytes; nothing leaks; snapshots, branches, inputs."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest

from tocsin.api import engine_of, inputs_of, play
from tocsin.api import run as run_scenario
from tocsin.command.posts import Decide
from tocsin.earth.frames import gmst82
from tocsin.exercise.engine import SNAPSHOT, Engine, SnapshotError
from tocsin.exercise.inputs import InjectBody, SeatBody
from tocsin.exercise.nation import Nation
from tocsin.records.record import Accepted, Input, Record, Refused, pack, unpack
from tocsin.records.shapes import Envelope, Frame
from tocsin.scenario import Scenario
from tocsin.scenario.specs import Radar

S = 1_000_000_000
SCENARIO = "hokkaido-2017"
UNTIL = 420 * S  # launch, infrared and radar tracks, warnings, messages and decisions all lie before


def encoded(records: list[Record]) -> list[bytes]:
    return [msgspec.msgpack.encode(r) for r in records]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario.load(SCENARIO)


@pytest.fixture(scope="module")
def straight(scenario: Scenario) -> list[Record]:
    return engine_of(scenario, seed=5).step(UNTIL)


def test_records_have_unique_identities_numbered_per_source_and_come_in_order(straight: list[Record]) -> None:
    assert len({r.ref for r in straight}) == len(straight)
    for source in {r.source for r in straight}:
        assert sorted(r.n for r in straight if r.source == source) == list(
            range(sum(r.source == source for r in straight))
        )
    assert [r.t_ns for r in straight] == sorted(r.t_ns for r in straight)
    kinds = {r.kind for r in straight}
    assert {
        "scans",
        "detections",
        "tracks",
        "warning",
        "message.sent",
        "message.received",
        "decision",
        "truth.states",
    } <= kinds


def test_causes_are_records_of_the_same_audience_or_envelopes(straight: list[Record]) -> None:
    by_ref = {r.ref: r for r in straight}
    envelopes = {unpack(r.body, Envelope).ref for r in straight if r.kind == "message.sent"}
    checked = 0
    for r in straight:
        for cause in r.causes:
            if tuple(cause) in envelopes:
                continue
            checked += 1
            assert set(by_ref[tuple(cause)].audience) >= set(r.audience)
            assert by_ref[tuple(cause)].t_ns <= r.t_ns
    assert checked > 100


def test_frames_or_one_long_step_give_the_same_bytes(scenario: Scenario, straight: list[Record]) -> None:
    engine = engine_of(scenario, seed=5)
    pieces: list[Record] = []
    rng = random.Random(1)
    while engine.t_ns < UNTIL:
        pieces += engine.step(min(UNTIL, engine.t_ns + rng.randint(1, 40) * S + rng.randint(0, S - 1)))
    assert encoded(pieces) == encoded(straight)


@pytest.mark.parametrize("at_s", [0, random.Random(20260).randint(30, 400), 117])
def test_a_snapshot_goes_on_with_the_same_bytes(scenario: Scenario, straight: list[Record], at_s: int) -> None:
    engine = engine_of(scenario, seed=5)
    before = engine.step(at_s * S)
    restored = Engine.restore(engine.snapshot())
    after = restored.step(UNTIL)
    assert encoded(before + after) == encoded(straight)


def test_a_branch_leaves_the_line_it_came_from_untouched(scenario: Scenario, straight: list[Record]) -> None:
    engine = engine_of(scenario, seed=5)
    before = engine.step(60 * S)
    other = Engine.restore(engine.snapshot(), branch="what-if")
    assert (other.branch.name, other.branch.parent, other.branch.t_ns, other.branch.n) == (
        "what-if",
        "main",
        60 * S,
        len(before),
    )
    cut = Input(
        "c1", "what-if", "control", "director", "inject", 1, pack(InjectBody("link.cut", "united-states>japan"))
    )
    assert isinstance(other.submit(cut), Accepted)
    assert encoded(other.step(UNTIL)) != encoded(straight[len(before) :])
    assert encoded(engine.step(UNTIL)) == encoded(straight[len(before) :])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: b"", "not a snapshot"),
        (lambda data: b"\x00\xff" * 40, "not a snapshot"),
        (lambda data: data[:-7], "not a snapshot"),
        (lambda data: data.replace(SNAPSHOT.encode(), b"tocsin-snapshot/9"), "this version reads"),
    ],
)
def test_what_is_no_snapshot_is_refused(scenario: Scenario, spoil: Callable[[bytes], bytes], message: str) -> None:
    data = engine_of(scenario, seed=5).snapshot()
    with pytest.raises(SnapshotError, match=message):
        Engine.restore(spoil(data))


def test_a_nation_can_be_advanced_alone_from_its_frames(scenario: Scenario, straight: list[Record]) -> None:
    from tocsin.records.columns import DETECTION, SCAN, Columns, decode, empty

    _world, nations = scenario.with_seed(5).split(gmst82)
    name = "japan"
    mine = [r for r in straight if f"nation:{name}" in r.audience]
    alone = Nation(nations[name])
    made: list[Record] = []
    for t1 in range(S, UNTIL + 1, S):
        got = {"scans": (empty(SCAN), None), "detections": (empty(DETECTION), None)}
        envelopes = []
        for r in mine:
            if r.source == f"world:{name}" and r.t_ns == t1:
                got[r.kind] = (decode(unpack(r.body, Columns)), r.ref)
            elif r.kind == "message.received" and r.t_ns == t1:
                envelopes.append(unpack(r.body, Envelope))
        frame = Frame(
            t1 - S,
            t1,
            got["scans"][0],
            got["detections"][0],
            tuple(envelopes),
            (),
            got["scans"][1],
            got["detections"][1],
        )
        made.extend(alone.step(frame).records)
    own = sorted((r for r in mine if r.source == f"nation:{name}"), key=lambda r: r.n)
    assert encoded(sorted(made, key=lambda r: r.n)) == encoded(own)


def of_nations(records: list[Record]) -> dict[str, list[bytes]]:
    names = sorted({a for r in records for a in r.audience if a.startswith("nation:")})
    return {name: [msgspec.msgpack.encode(r) for r in records if name in r.audience] for name in names}


def with_objects(scenario: Scenario, names: tuple[str, str], swap: bool) -> Scenario:
    first = next(iter(scenario.plain()["objects"].values()))
    second = {
        "class": first["class"],
        "launch": "T+01:00",
        "site": {"lat_deg": 39.6, "lon_deg": 125.9},
        "azimuth_deg": 80,
        "range_km": 1500,
        "apogee_km": 400,
    }
    both = [(names[0], first), (names[1], second)]
    return scenario.with_("objects", dict(reversed(both) if swap else both)).with_seed(3)


def test_renaming_and_permuting_objects_changes_no_nations_bytes(scenario: Scenario) -> None:
    until = 400 * S
    plain = engine_of(with_objects(scenario, ("first", "second"), swap=False)).step(until)
    other = engine_of(with_objects(scenario, ("zulu", "alpha"), swap=True)).step(until)
    assert sum(r.kind == "detections" for r in plain) > 50
    assert of_nations(plain) == of_nations(other)


def test_what_a_partner_gets_depends_on_what_is_released_only(scenario: Scenario) -> None:
    """Silencing a sensor that is not released changes what its owner has and nothing that crosses the border."""
    sensors = sorted(scenario.plain()["partners"]["united-states"]["sensors"])
    _, nations = scenario.split(gmst82)
    radars = [s.id for s in nations["united-states"].sensors if isinstance(s.model, Radar)]
    released = [s for s in sensors if s not in radars]
    assert radars
    assert released
    release = [{"from": "united-states", "to": "japan", "sensors": released}]
    base = scenario.with_("sharing.releases", release).with_seed(5)
    loud, quiet = engine_of(base), engine_of(base)
    for k, radar in enumerate(radars):
        silence = pack(InjectBody("sensor.silence", radar))
        assert isinstance(quiet.submit(Input(f"s{k}", "main", "control", "ann", "inject", 1, silence)), Accepted)
    a, b = loud.step(UNTIL), quiet.step(UNTIL)
    assert of_nations(a)["nation:united-states"] != of_nations(b)["nation:united-states"]
    assert of_nations(a)["nation:japan"] == of_nations(b)["nation:japan"]


def test_inputs_are_idempotent_apply_later_than_now_and_touch_nothing_else(
    scenario: Scenario, straight: list[Record]
) -> None:
    engine = engine_of(scenario, seed=5)
    engine.step(30 * S)
    note = Input("n1", "main", "control", "director", "inject", 1, pack(InjectBody("note", "japan", None, "hello")))
    first = engine.submit(note)
    assert isinstance(first, Accepted)
    assert first.applies_ns > engine.t_ns
    assert engine.submit(note) == first
    rest = [r for r in engine.step(UNTIL) if r.source != "control"]
    assert encoded(rest) == encoded([r for r in straight if r.source != "control" and r.t_ns > 30 * S])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"act": "launch"}, "unknown act 'launch'; known: inject, decide"),
        ({"id": ""}, "an input needs an id"),
        ({"v": 2}, "inject version 2 is not known"),
        ({"branch": "other"}, "branch 'other' is not this one ('main')"),
        ({"seat": "japan/watch"}, "inject is for the seat 'control'"),
        ({"body": msgspec.Raw(b"\xff")}, "inject: "),
        ({"body": pack({"act": "sensor.silence", "target": "x", "zzz": 1})}, "inject: "),
        ({"body": pack(InjectBody("meteor", "x"))}, "unknown inject 'meteor'; known: sensor.silence, sensor.degrade, "),
        ({"body": pack(InjectBody("sensor.silence", "nowhere"))}, "sensor.silence: unknown target 'nowhere'"),
        ({"act": "seat.take", "body": pack(SeatBody()), "seat": "atlantis/post"}, "unknown seat 'atlantis/post'"),
        ({"body": msgspec.Raw(b"\xc0" * 70000)}, "body larger than"),
    ],
)
def test_a_refused_input_says_why(scenario: Scenario, change: dict[str, object], reason: str) -> None:
    engine = engine_of(scenario, seed=5)
    base = Input("i1", "main", "control", "director", "inject", 1, pack(InjectBody("note", "japan")))
    answer = engine.submit(msgspec.structs.replace(base, **change))
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(reason)
    assert engine.submit(base) == Accepted("i1", S)  # a refusal has not used up the id


def test_replaying_the_inputs_of_a_run_gives_the_same_run(scenario: Scenario) -> None:
    short = scenario.with_("duration", "7min").with_seed(5)
    desk = engine_of(short)
    seat = f"japan/{desk.nation_specs['japan'].posts[0].id}"
    step = desk.nation_specs["japan"].posts[0].steps[0].id
    silence = pack(InjectBody("sensor.silence", desk.world_spec.sensors[0].id))
    live = [
        (45 * S, Input("i2", "main", "control", "director", "inject", 1, silence)),
        (50 * S, Input("i1", "main", seat, "ann", "seat.take", 1, pack(SeatBody()))),
        (200 * S, Input("i3", "main", seat, "ann", "decide", 1, pack(Decide("japan/own/0", step)))),
    ]
    first = run_scenario(short, inputs=live)
    again = run_scenario(short, inputs=inputs_of(first.tables))
    assert first.tables["inputs"].num_rows >= 3
    for name, table in first.tables.items():
        assert table.equals(again.tables[name]), name
    assert any(row["by"] == "ann" for row in first.tables["decisions"].to_pylist())


def test_recording_levels_leave_out_records_and_change_none(scenario: Scenario, straight: list[Record]) -> None:
    kept = engine_of(scenario, seed=5, recording="summary").step(UNTIL)
    sparse = [r for r in straight if r.kind not in ("scans", "detections", "tracks", "truth.states")]
    assert encoded(kept) == encoded(sparse)
    assert engine_of(scenario, seed=5, recording="none").step(UNTIL) == []


def test_play_refuses_an_input_that_cannot_apply_when_it_says(scenario: Scenario) -> None:
    note = Input("n1", "main", "control", "director", "inject", 1, pack(InjectBody("note", "japan")))
    with pytest.raises(ValueError, match="would apply at"):
        play(engine_of(scenario), [(S // 2, note)])
