"""Cued tasking end to end: who may ask whom, when it is carried out, and that nothing else changes."""

from __future__ import annotations

from functools import cache

import msgspec
import numpy as np
import pytest

from tocsin.api import engine_of
from tocsin.earth.clock import NS
from tocsin.exercise.engine import Engine
from tocsin.exercise.tasking import LONGEST_NS, MOST, Tasking
from tocsin.records.columns import Columns, Table, decode
from tocsin.records.record import Record, unpack
from tocsin.records.shapes import Task
from tocsin.scenario import Scenario
from tocsin.scenario.specs import Radar, Sensor

UNTIL = 300 * NS
RADAR = "JP-FPS5-OMINATO"


def scenario(scheduling: str, sharing: str = "warnings") -> Scenario:
    """The overflight of 2017 with one Japanese radar, whose fence the missile never passes."""
    values = {"fence_deg": [1, 4], "track_period_s": 2, "dwell_s": 0.02, "scheduling": scheduling}
    plain = Scenario.load("hokkaido-2017").with_("partners.japan.sensors", {RADAR: values})
    return plain.with_("sharing.mode", sharing)


@cache
def played(scheduling: str, sharing: str = "warnings") -> tuple[Record, ...]:
    return tuple(engine_of(scenario(scheduling, sharing), seed=1).step(UNTIL))


def dense(records: tuple[Record, ...], kind: str, source: str) -> Table:
    return np.concatenate([decode(unpack(r.body, Columns)) for r in records if (r.kind, r.source) == (kind, source)])


def found(records: tuple[Record, ...]) -> list[int]:
    """Times (ns) at which Japan's radar detected something that is there."""
    made = [decode(unpack(r.body, Columns)) for r in records if (r.kind, r.source) == ("detections", "world:japan")]
    links = dense(records, "truth.links", "world")
    real = {(int(a["sensor"]), int(a["scan"]), int(a["n"])) for a in links if a["object"] >= 0}
    rows = [row for table in made for row in table]
    return [int(r["t_ns"]) for r in rows if (int(r["sensor"]), int(r["scan"]), int(r["n"])) in real]


def test_a_partner_s_word_finds_what_the_own_search_misses() -> None:
    tasks = [(r, unpack(r.body, Task)) for r in played("cued") if r.kind == "sensor.task"]
    assert tasks
    assert {task.sensor for _, task in tasks} == {RADAR}
    messages = {r.ref for r in played("cued") if r.kind == "message.received"}
    about = [r for r, task in tasks if task.about.startswith("united-states/")]
    assert about[0].causes[0] in messages
    assert about[0].audience == ("nation:japan", "control")
    assert found(played("local")) == []
    seen = found(played("cued"))
    assert seen
    # nothing is looked at before somebody has asked for it
    assert min(seen) >= about[0].t_ns


def test_without_a_partner_nobody_knows_where_to_look() -> None:
    assert found(played("cued", "none")) == []
    assert not any(r.kind == "sensor.task" for r in played("cued", "none"))


@pytest.mark.parametrize("nation", ["japan", "united-states"])
def test_with_local_scheduling_sensing_is_the_same_under_every_policy(nation: str) -> None:
    assert not any(r.kind in ("sensor.task", "task.refused") for r in played("local"))
    for kind in ("scans", "detections"):
        alone, shared = (
            [bytes(r.body) for r in played("local", sharing) if (r.kind, r.source) == (kind, f"world:{nation}")]
            for sharing in ("none", "warnings")
        )
        assert alone == shared


def test_one_thing_is_asked_of_a_sensor_once_at_a_time() -> None:
    last: dict[tuple[str, str], Task] = {}
    for r in played("cued"):
        if r.kind != "sensor.task":
            continue
        task = unpack(r.body, Task)
        assert task.t_ns == r.t_ns
        before = last.get((task.sensor, task.about))
        if before is not None:
            assert r.t_ns >= (before.t_ns + before.until_ns) // 2
        last[task.sensor, task.about] = task


def test_a_snapshot_holds_what_has_been_asked() -> None:
    engine = engine_of(scenario("cued"), seed=1)
    before = engine.step(215 * NS)
    assert engine._tasking.standing(engine.t_ns)
    restored = Engine.restore(engine.snapshot())
    after = restored.step(UNTIL)
    assert [msgspec.msgpack.encode(r) for r in before + after] == [msgspec.msgpack.encode(r) for r in played("cued")]


def sensors() -> list[Sensor]:
    model = Radar(
        lat=0.0, lon=0.0, h=0.0, boresights=(), sector=(0.0, 0.0), el_min=0.0, el_max=1.5, range_min=0.0, range_max=5e6,
        reference_range=1e6, reference_snr=100.0, frequency=435e6, beam_az=0.04, beam_el=0.03, bandwidth=1e6, pfa=1e-6,
        false_per_scan=0.0, scan_period=5.0, latency=0.5, sigma_range=10.0, sigma_angle=1e-3, scheduling="cued",
    )  # fmt: skip
    plain = msgspec.structs.replace(model, scheduling="local")
    return [
        Sensor(0, "cued", "s", "a", model),
        Sensor(1, "local", "s", "a", plain),
        Sensor(2, "theirs", "s", "b", model),
    ]


GOOD = Task("cued", 10 * NS, 20 * NS, (7e6, 0.0, 0.0, 0.0, 5e3, 0.0), 1e3, "track 1")


def test_a_good_task_stands_until_it_is_over_and_the_newer_one_counts() -> None:
    tasking = Tasking(sensors())
    assert tasking.take("a", GOOD, 10 * NS) is None
    other = msgspec.structs.replace(GOOD, about="track 2")
    assert tasking.take("a", other, 10 * NS) is None
    newer = msgspec.structs.replace(GOOD, t_ns=15 * NS, until_ns=18 * NS)
    assert tasking.take("a", newer, 15 * NS) is None
    assert tasking.standing(16 * NS) == (newer, other)
    again = Tasking(sensors())
    again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(tasking.state())))
    assert again.standing(16 * NS) == (newer, other)
    # a scan of 5 s may still be under way
    assert tasking.standing(23 * NS) == (newer, other)
    assert tasking.standing(24 * NS) == (other,)
    assert tasking.standing(26 * NS) == ()
    assert tasking.refused == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sensor": "theirs"}, "a has no sensor 'theirs'"),
        ({"sensor": "nobody"}, "a has no sensor 'nobody'"),
        ({"sensor": "local"}, "local takes no tasks: its scheduling is not cued"),
        ({"t_ns": 9 * NS}, "from its time on"),
        ({"until_ns": 9 * NS}, "from its time on"),
        ({"until_ns": 10 * NS + LONGEST_NS + 1}, "for at most 120 s"),
        ({"spread": float("nan")}, "finite numbers"),
        ({"spread": -1.0}, "a spread of 0 to"),
        ({"x": (float("inf"), 0.0, 0.0, 0.0, 0.0, 0.0)}, "finite numbers"),
        ({"x": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}, "from the Earth's centre"),
        ({"x": (7e6, 0.0, 0.0, 3e8, 0.0, 0.0)}, "no faster than"),
        ({"about": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_is_refused_changes_nothing_and_is_counted(changes: dict[str, object], said: str) -> None:
    tasking = Tasking(sensors())
    reason = tasking.take("a", msgspec.structs.replace(GOOD, **changes), 10 * NS)
    assert reason is not None
    assert said in reason
    assert tasking.standing(10 * NS) == ()
    assert tasking.refused == {"a": 1}


def test_a_sensor_takes_no_more_than_it_can_hold() -> None:
    tasking = Tasking(sensors())
    reasons = [tasking.take("a", msgspec.structs.replace(GOOD, about=f"{k}"), 10 * NS) for k in range(MOST + 3)]
    assert [r is None for r in reasons] == [True] * MOST + [False] * 3
    # the same thing said anew is not one more
    assert tasking.take("a", msgspec.structs.replace(GOOD, about="0", spread=5.0), 10 * NS) is None
    assert len(tasking.standing(10 * NS)) == MOST
