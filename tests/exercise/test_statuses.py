"""Trouble with sensors in an exercise: by the scenario, by injects, over snapshots; who learns of it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tocsin.api import engine_of
from tocsin.exercise.engine import Engine
from tocsin.exercise.inputs import InjectBody, Trouble
from tocsin.records.columns import Columns, Status, decode
from tocsin.records.record import Accepted, Input, Record, Refused, pack, unpack
from tocsin.scenario import Scenario
from tocsin.scenario.specs import Bias

S = 1_000_000_000
UNTIL = 60 * S
TEXT = """\
id: troubled
title: A quiet day with trouble
start: 2020-01-01T00:00:00Z
duration: 2 min
seed: 3
partners:
  a:
    sensors:
      dish: {from: uewr, lat_deg: 40, lon_deg: 10, sector_deg: [0, 240], source: notional,
             false_per_scan: 2, STATUS}
      eye: {from: sbirs-geo, longitude_deg: 20, false_per_scan: 2}
  b: {name: B}
classes: {srbm: }
INJECTS
"""
SPANS = """status: [
  {from: T+00:20, until: T+00:30, what: jammed, noise_db: 10},
  {from: T+00:40, until: T+00:50, what: silent, declared: false}]"""


def load(status: str = "", injects: str = "") -> Scenario:
    return Scenario.from_text(TEXT.replace(", STATUS", f", {status}" if status else "").replace("INJECTS", injects))


def encoded(records: list[Record]) -> list[bytes]:
    return [msgspec.msgpack.encode(r) for r in records]


def table(records: list[Record], kind: str, sensor: int = 0) -> Any:
    parts = [decode(unpack(r.body, Columns)) for r in records if r.kind == kind]
    whole = np.concatenate(parts)
    whole = whole[whole["sensor"] == sensor]
    return whole[np.lexsort([whole["t0_ns" if kind == "scans" else "t_ns"]])]


@pytest.fixture(scope="module")
def quiet() -> list[Record]:
    return engine_of(load()).step(UNTIL)


def hit(scans: Any, first: float, last: float) -> Any:
    return (scans["t0_ns"] < last * S) & (scans["t1_ns"] > first * S)


def test_spans_of_the_scenario(quiet: list[Record]) -> None:
    records = engine_of(load(SPANS)).step(UNTIL)
    before, after = table(quiet, "scans"), table(records, "scans")
    assert after["scan"].tolist() == before["scan"].tolist()
    jammed = hit(before, 20, 30)
    assert jammed.any()
    assert (after["status"] == np.where(jammed, Status.DEGRADED, Status.UP)).all()
    # ten times the noise: the range falls with its fourth root
    np.testing.assert_allclose(after["sensitivity"] / before["sensitivity"], np.where(jammed, 10**-0.25, 1.0))
    # control is told when each began and the nation is not: it has the scans
    told = [r for r in records if r.kind == "sensor.status"]
    assert [r.t_ns for r in told] == [20 * S, 40 * S]
    assert all(r.audience == ("control",) for r in told)
    bodies = [unpack(r.body, dict[str, Any]) for r in told]
    assert [(b["sensor"], b["status"], b["text"]) for b in bodies] == [
        ("dish", "jammed", "until T+30 s, declared"),
        ("dish", "silent", "until T+50 s, not declared"),
    ]


def test_what_is_not_declared_shows_nowhere_but_in_what_is_found(quiet: list[Record]) -> None:
    spans = "status: [{from: T+00:00, until: T+02:00, what: degraded, loss_db: 20, declared: false}]"
    records = engine_of(load(spans)).step(UNTIL)
    assert table(records, "scans").tobytes() == table(quiet, "scans").tobytes()
    mine = [r for r in records if "nation:a" in r.audience]
    assert encoded(mine) == encoded([r for r in quiet if "nation:a" in r.audience])  # nothing flies that it could miss


def test_a_delay_of_the_scenario_is_when_a_nation_gets_its_scans(quiet: list[Record]) -> None:
    spans = "status: [{from: T+00:10, until: T+00:20, what: delayed, delay_s: 17}]"
    before, after = table(quiet, "scans"), table(engine_of(load(spans)).step(2 * UNTIL), "scans")
    late = dict(zip(after["scan"].tolist(), after["arrive_ns"].tolist(), strict=True))
    for s in before:
        added = 17 * S if hit(s, 10, 20) else 0
        assert late[int(s["scan"])] == s["arrive_ns"] + added


def test_the_world_is_told_of_a_bias_to_the_end() -> None:
    spans = "status: [{from: T+00:00, what: biased, bias: {range_m: 5000}, declared: false}]"
    world, _ = load(spans).split(lambda t, dut1: 1.0)
    assert world.statuses[0].bias == Bias((5000.0, 0.0, 0.0, 0.0))
    assert world.statuses[0].t1_ns == 120 * S


def inject(engine: Engine, act: str, n: int, trouble: Trouble | None = None, **more: Any) -> Accepted | Refused:
    body = InjectBody(act, more.pop("target", "dish"), trouble=msgspec.UNSET if trouble is None else trouble, **more)
    return engine.submit(Input(f"i{n}", engine.branch.name, "control", "director", "inject", 1, pack(body)))


def test_injects_begin_replace_and_end_trouble(quiet: list[Record]) -> None:
    engine = engine_of(load())
    records = engine.step(10 * S)
    assert isinstance(inject(engine, "sensor.degrade", 1, Trouble(0.1), until_ns=40 * S), Accepted)
    records += engine.step(20 * S)
    inject(engine, "sensor.degrade", 2, Trouble(0.01))  # in the place of the one before, for good
    inject(engine, "sensor.jam", 3, Trouble(10.0, declared=False))  # and besides
    records += engine.step(50 * S)
    inject(engine, "sensor.degrade", 4, Trouble(0.5), until_ns=0)  # over
    records += engine.step(UNTIL)
    before, after = table(quiet, "scans"), table(records, "scans")
    first, second = hit(before, 10, 20), hit(before, 20, 50)
    factor = np.where(first, 0.1, 1.0) * np.where(second, 0.01, 1.0)
    # a scan under way when one takes the other's place has both
    assert 0 < (first & second).sum() <= 1
    np.testing.assert_allclose(after["sensitivity"] / before["sensitivity"], factor**0.25, rtol=1e-12)
    assert (after["status"] == np.where(first | second, Status.DEGRADED, Status.UP)).all()


@pytest.mark.parametrize("at_s", [0, 11, 21, 33, 47])
def test_a_snapshot_in_the_middle_of_trouble_goes_on_with_the_same_bytes(at_s: int) -> None:
    injects = """injects:
  - {id: a, at: T+00:10, until: T+00:32, act: sensor.delay, target: dish, delay_s: 3}
  - {id: b, at: T+00:20, act: sensor.jam, target: eye, noise_db: 6}
  - {id: c, at: T+00:25, until: T+00:45, act: sensor.bias, target: dish, bias: {range_m: 9, slow: {range_m: 50}}}
  - {id: d, at: T+00:30, until: T+00:40, act: sensor.degrade, target: dish, loss_db: 6, declared: false}
  - {id: e, at: T+00:35, until: T+00:38, act: sensor.silence, target: eye}
"""
    straight = engine_of(load(SPANS, injects)).step(UNTIL)
    engine = engine_of(load(SPANS, injects))
    before = engine.step(at_s * S)
    after = Engine.restore(engine.snapshot()).step(UNTIL)
    assert encoded(before + after) == encoded(straight)
    kinds = [unpack(r.body, dict[str, Any])["act"] for r in straight if r.kind == "inject"]
    assert kinds == ["sensor.delay", "sensor.jam", "sensor.bias", "sensor.degrade", "sensor.silence"]


def test_an_inject_without_trouble_is_written_as_it_always_was() -> None:
    body = msgspec.msgpack.decode(pack(InjectBody("link.cut", "a>b")))
    assert body == {"act": "link.cut", "target": "a>b", "until_ns": None, "text": ""}
    assert unpack(pack(InjectBody("note", "a", trouble=Trouble(0.5))), InjectBody).trouble == Trouble(0.5)


@pytest.mark.parametrize(
    ("act", "trouble", "reason"),
    [
        ("sensor.degrade", None, "sensor.degrade: a trouble is needed"),
        ("sensor.degrade", Trouble(1.0), "sensor.degrade: amount 1.0; allowed: a factor on the SNR over 0 and under 1"),
        ("sensor.degrade", Trouble(-0.5), "sensor.degrade: amount -0.5"),
        ("sensor.degrade", Trouble(float("nan")), "sensor.degrade: amount nan"),
        ("sensor.jam", Trouble(0.5), "sensor.jam: amount 0.5; allowed: a rise of the noise"),
        ("sensor.jam", Trouble(float("inf")), "sensor.jam: amount inf"),
        ("sensor.delay", Trouble(3601.0), "sensor.delay: amount 3601.0; allowed: over 0 s, up to 3600 s"),
        ("sensor.bias", Trouble(bias=Bias((float("nan"), 0.0, 0.0, 0.0))), "sensor.bias: finite numbers"),
        ("sensor.bias", Trouble(bias=Bias(slow=(-1.0, 0.0, 0.0, 0.0))), "sensor.bias: finite numbers"),
        ("sensor.bias", Trouble(bias=Bias(tau=0.0)), "sensor.bias: finite numbers"),
        ("sensor.silence", Trouble(0.5), "sensor.silence: no trouble is allowed beside it"),
        ("note", Trouble(0.5), "note: no trouble is allowed beside it"),
    ],
)
def test_a_refused_inject_says_why(act: str, trouble: Trouble | None, reason: str) -> None:
    answer = inject(engine_of(load()), act, 1, trouble)
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(reason)
    nowhere = inject(engine_of(load()), "sensor.jam", 2, Trouble(5.0), target="nowhere")
    assert isinstance(nowhere, Refused)
    assert nowhere.reason == "sensor.jam: unknown target 'nowhere'; known: dish, eye"
