"""One object of every kind through the engine: what the truth holds of each, that none of it leaks, that it is the same
twice, and what is said of objects that cannot move as asked.
"""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest

import tocsin
from tocsin import cli, screen
from tocsin.api import check_objects, engine_of
from tocsin.earth.geodesics import inverse
from tocsin.exercise.engine import Engine
from tocsin.measures.summary import summarise
from tocsin.records.record import Record
from tocsin.records.tables import tables_from_records
from tocsin.records.words import Facts
from tocsin.report.facts import DRAWN_OBJECTS, gather
from tocsin.report.page import page
from tocsin.report.timeline import timeline
from tocsin.scenario import Scenario, ScenarioError

S = 1_000_000_000
END_S = 300
# a launch to orbit, a glider, a flight with what comes off it, one that comes down, two in free flight (one circles),
# a satellite, an aircraft that is flown and one that was recorded, and a recorded flight
SCENARIO = """\
id: mixed
title: One of each
start: 2022-11-02T23:00:00Z
duration: 5 min
seed: 1
objects:
  short:
    class: srbm
    launch: T+00:12
    site: {lat_deg: 40.0, lon_deg: 137.0}
    azimuth_deg: 90
    range_km: 200
    apogee_km: 55
  staged:
    class: mrbm
    launch: T+00:10
    site: {lat_deg: 39.0, lon_deg: 133.0}
    azimuth_deg: 80
    range_km: 900
    apogee_km: 220
    loose: true
  orbiter:
    class: space-launch
    launch: T+00:15
    site: {lat_deg: 39.66, lon_deg: 135.0}
    orbit: {perigee_km: 480, apogee_km: 500, inclination_deg: 97.4, heading: south}
    loose: true
  glider:
    class: boost-glide
    launch: T+00:20
    site: {lat_deg: 40.8, lon_deg: 134.0}
    azimuth_deg: 80
    range_km: 4000
  fragment:
    state: {at: T+01:00, lat_deg: 40, lon_deg: 141, height_km: 90, speed_m_s: 2500, azimuth_deg: 90, climb_deg: -30}
    beta_kg_m2: 3000
    rcs_m2: 0.5
  circling:
    state: {at: T+00:30, lat_deg: 38, lon_deg: 136, height_km: 400, speed_m_s: 7500, azimuth_deg: 90, climb_deg: 1}
    beta_kg_m2: 0
    rcs_m2: 2
    lasts: 4 min
  relay:
    satellite:
      tle: |
        1 41032U 15066A   22305.96180280 -.00000792  00000+0  00000+0 0  9991
        2 41032  62.8052 154.4967 6789649 270.3630  18.5880  2.00693159 50922
    rcs_m2: 10
  airliner:
    aircraft:
      starts: T+00:00
      points:
        - {lat_deg: 40, lon_deg: 140, height_km: 9, speed_m_s: 230}
        - {lat_deg: 42, lon_deg: 141, height_km: 11}
    rcs_m2: 30
  rows:
    starts: T+00:20
    rcs_m2: 20
    kind: aircraft
    table: |
      t_s,lat_deg,lon_deg,height_km
      0,41.000,139.000,9.0
      60,41.120,139.000,9.0
      120,41.240,139.010,9.1
  recorded:
    starts: T+02:00
    rcs_m2: 1
    table: |
      t_s,lat_deg,lon_deg,height_km
      0,41.00,139.00,60
      20,41.10,139.40,75
      40,41.20,139.80,86
      60,41.30,140.20,93
classes: {srbm: , mrbm: , space-launch: , boost-glide: }
partners:
  coast:
    name: Coast
    sensors: {JP-FPS5-OMINATO: }
    centre: {rule: {min_updates: 3, min_span_s: 5, min_sensors: 1, accept_partner: true, refresh_s: 60}}
    areas:
      town: {name: Town, polygon: [[139.0, 39.0], [143.0, 39.0], [143.0, 42.0], [139.0, 42.0]]}
    posts:
      watch:
        steps:
          - {id: alert, action: inform, when: confirmed, takes_s: 5, text: "Warning for {areas}."}
  high:
    name: High
    sensors: {eye: {from: US-SBIRS-GEO, longitude_deg: 140, source: notional}}
    centre: {rule: {min_updates: 3, min_span_s: 5, min_sensors: 1, accept_partner: false, refresh_s: 60}}
links: [{from: high, to: coast, delay_s: 5, loss: 0}]
sharing: {mode: warnings, releases: [{from: high, to: coast, sensors: all}]}
"""
KINDS = {
    "short": "flight", "staged": "flight", "orbiter": "launch", "glider": "glide", "fragment": "state",
    "circling": "state", "relay": "orbit", "airliner": "aircraft", "rows": "aircraft", "recorded": "recorded",
}  # fmt: skip
CLASSES = {"short": "srbm", "staged": "mrbm", "orbiter": "space-launch", "glider": "boost-glide"}
PARTS = {"staged": ("stage1", "debris1-"), "orbiter": ("stage1", "fairing-")}
FAULTY = {
    "short": ("apogee_km: 55", "apogee_km: 2000"),
    "glider": ("range_km: 4000", "range_km: 400"),
    "orbiter": ("inclination_deg: 97.4", "inclination_deg: 20"),
    "airliner": ("aircraft:\n      starts", "aircraft:\n      climb_m_s: 1\n      starts"),
}


def encoded(records: list[Record]) -> list[bytes]:
    return [msgspec.msgpack.encode(r) for r in records]


def of_nations(records: list[Record]) -> dict[str, list[bytes]]:
    return {name: encoded([r for r in records if name in r.audience]) for name in ("nation:coast", "nation:high")}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario.from_text(SCENARIO, "mixed.yaml")


@pytest.fixture(scope="module")
def engine(scenario: Scenario) -> Engine:
    return engine_of(scenario)


@pytest.fixture(scope="module")
def records(engine: Engine) -> list[Record]:
    return engine.step(END_S * S)


@pytest.fixture(scope="module")
def facts(engine: Engine) -> Facts:
    return Facts.of(engine.world_spec, (body.id for body in engine.bodies))


@pytest.fixture(scope="module")
def tables(records: list[Record], facts: Facts) -> dict[str, Any]:
    return tables_from_records(records, facts)


def rows_of(table: Any, column: str = "object") -> dict[str, dict[str, Any]]:
    return {row[column]: row for row in table.to_pylist()}


# what the truth holds -------------------------------------------------------------------------------------------------


def test_objects_are_all_that_moves_with_its_kind_and_what_it_came_off(tables: dict[str, Any]) -> None:
    found = rows_of(tables["objects"])
    whole = {name: row for name, row in found.items() if row["parent"] is None}
    assert {name: row["kind"] for name, row in whole.items()} == KINDS
    assert {name: row["class"] for name, row in whole.items() if row["class"]} == CLASSES
    loose = {name: row for name, row in found.items() if row["parent"] is not None}
    assert {row["kind"] for row in loose.values()} == {"loose"}
    assert {row["parent"] for row in loose.values()} == set(PARTS)
    for name, row in loose.items():
        parent, part = name.split("/")
        assert parent == row["parent"]
        assert part.startswith(PARTS[parent])
        assert row["start_s"] > found[parent]["start_s"]
    assert (found["circling"]["start_s"], found["circling"]["end_s"]) == (30.0, 270.0)
    assert (found["rows"]["start_s"], found["rows"]["end_s"]) == (20.0, 140.0)
    assert (found["relay"]["start_s"], found["relay"]["end_s"]) == (0.0, 300.0)


def test_flights_are_what_a_warning_can_be_about(tables: dict[str, Any]) -> None:
    flights, objects = rows_of(tables["flights"]), rows_of(tables["objects"])
    assert set(flights) == {name for name, row in objects.items() if row["kind"] not in ("orbit", "aircraft")}
    for name, row in flights.items():
        assert (row["kind"], row["parent"]) == (objects[name]["kind"], objects[name]["parent"])
        down = [row[key] for key in ("impact_s", "range_km", "impact_lat_deg", "impact_lon_deg")]
        assert all(value is None for value in down) or all(value is not None for value in down)
        if row["impact_s"] is not None:
            away = inverse(
                *(math.radians(row[f"{end}_{c}_deg"]) for end in ("launch", "impact") for c in ("lat", "lon"))
            )[0]
            assert row["range_km"] * 1e3 == pytest.approx(float(away), abs=1e-3)
    stays = {name for name, row in flights.items() if row["impact_s"] is None}
    assert stays == {"orbiter", "circling", "recorded"}
    assert flights["short"]["impact_s"] < END_S < flights["staged"]["impact_s"]
    assert flights["short"]["range_km"] == pytest.approx(200.0, abs=0.02)
    assert flights["short"]["apogee_km"] == pytest.approx(55.0, abs=0.02)


def test_what_never_turns_down_is_highest_where_it_was(tables: dict[str, Any]) -> None:
    """Also a launch to orbit, which has no apogee of its own within the exercise."""
    flights = rows_of(tables["flights"])
    truth = tables["truth"].to_pandas()
    for name in ("orbiter", "circling", "recorded", "fragment"):
        mine = truth[truth["object"] == name]
        at = flights[name]["apogee_s"]
        top = mine.loc[mine["height_km"].idxmax()]
        if at <= END_S:  # the launch goes on to its orbit when the exercise is over
            assert flights[name]["apogee_km"] == pytest.approx(top["height_km"], abs=1.5)
            assert at == pytest.approx(top["t_s"], abs=1.01)
    assert flights["recorded"]["apogee_km"] == pytest.approx(93.0, abs=0.1)
    assert flights["fragment"]["apogee_km"] == pytest.approx(90.0, abs=0.01)
    assert flights["orbiter"]["apogee_km"] > 200.0


def test_what_comes_off_shares_the_launch_of_what_it_came_off(tables: dict[str, Any]) -> None:
    flights = rows_of(tables["flights"])
    loose = [row for row in flights.values() if row["parent"] is not None]
    assert len(loose) >= 8
    for row in loose:
        parent = flights[row["parent"]]
        for key in ("launch_s", "launch_lat_deg", "launch_lon_deg"):
            assert row[key] == parent[key]
        assert row["impact_s"] is not None


def test_truth_holds_each_object_while_it_is_there_and_as_what_it_moves(tables: dict[str, Any]) -> None:
    truth = tables["truth"].to_pandas()
    objects = rows_of(tables["objects"])
    assert set(truth["object"]) == set(objects)
    for name, mine in truth.groupby("object"):
        start, end = objects[name]["start_s"], objects[name]["end_s"]
        times = mine["t_s"].to_numpy()
        assert (np.diff(times) > 0.0).all()
        assert max(start, 1.0) <= times[0] <= start + 1.0
        assert times[-1] == pytest.approx(min(end, END_S), abs=1e-6)
        assert (mine["height_km"] > -0.1).all()
    phases = {name: list(dict.fromkeys(mine["phase"])) for name, mine in truth.groupby("object")}
    assert {name: phases[name] for name in KINDS} == {
        "short": ["boost", "coast", "re-entry"],
        "staged": ["boost", "coast"],
        "orbiter": ["boost", "coast"],
        "glider": ["boost", "coast"],
        "fragment": ["re-entry"],
        "circling": ["coast"],
        "relay": ["orbit"],
        "airliner": ["air"],
        "rows": ["air"],
        "recorded": ["coast"],
    }
    assert phases["staged/stage1"] == ["coast"]


def test_what_happens_is_told_when_and_where_it_does(tables: dict[str, Any]) -> None:
    events = [row for row in tables["events"].to_pylist() if row["kind"] == "truth.event"]
    assert events
    flights = rows_of(tables["flights"])
    ends = [(e["subject"], e["t_s"]) for e in events if "impact" in str(e)]
    assert {name for name, _ in ends} == {name for name, f in flights.items() if (f["impact_s"] or 1e9) <= END_S}
    for name, at in ends:
        assert at == pytest.approx(flights[name]["impact_s"], abs=1e-6)


def test_objects_of_any_kind_are_seen_and_tied_to_their_detections(tables: dict[str, Any], facts: Facts) -> None:
    caused = set(tables["truth_links"]["object"].to_pylist()) - {None}
    assert {"short", "staged", "glider", "orbiter"} <= caused
    assert caused & {"airliner", "rows"}  # a radar sees an aircraft
    assert caused <= set(facts.objects)


# the result -----------------------------------------------------------------------------------------------------------


def test_the_summary_of_a_mixed_run_is_of_its_published_shape(
    scenario: Scenario, tables: dict[str, Any], facts: Facts
) -> None:
    manifest = {"scenario": "mixed", "title": "One of each", "epoch_utc": "", "seed": 1, "version": "0"}
    made = summarise(tables, scenario.as_dict(), manifest, facts)
    schema = json.loads((Path(__file__).parents[2] / "docs/reference/summary.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(made, schema)
    objects = {o["id"]: o for o in made["objects"]}
    assert set(objects) == {name for name, kind in KINDS.items() if kind not in ("orbit", "aircraft")}
    for name in ("orbiter", "circling", "recorded"):
        nothing = [objects[name][key] for key in ("impact_time", "flight_time_s", "range_km", "impact_lat_deg")]
        assert nothing == [None] * 4
    events = [e for p in made["partners"] for e in p["events"]]
    assert {"short", "staged"} <= {e["object"] for e in events}
    assert made["headline"]["objects"] == len(objects)


@pytest.fixture(scope="module")
def seen(scenario: Scenario, tables: dict[str, Any], facts: Facts) -> SimpleNamespace:
    """What a page is made of."""
    manifest = {"scenario": "mixed", "title": "One of each", "epoch_utc": "", "seed": 1, "version": "0"}
    plain = scenario.as_dict()
    made = summarise(tables, plain, manifest, facts)
    return SimpleNamespace(tables=tables, summary=made, manifest=manifest, scenario=plain)


def test_the_page_counts_from_the_first_launch_and_draws_all_kinds_from_there(seen: SimpleNamespace) -> None:
    shown = gather(seen)
    assert shown.t0 == pytest.approx(10.0, abs=1e-6)
    flights = {f.id: f for f in shown.flights}
    assert len(flights) == DRAWN_OBJECTS
    assert set(KINDS) <= set(flights)
    assert min(f.t[0] for f in flights.values()) >= shown.t0
    assert {name for name, f in flights.items() if f.down} == {"short", "fragment"}
    assert shown.undrawn == seen.tables["objects"].num_rows - len(flights)
    texts = page(seen)
    data = json.loads(texts.partition('<script type="application/json" id="data">')[2].partition("</script>")[0])
    assert {f["id"] for f in data["flights"] if f["down"]} == {"short", "fragment"}
    assert all(min(f["t"]) >= 0 for f in data["flights"])
    assert all(f["named"] == ("/" not in f["id"]) for f in data["flights"])
    card = texts.partition('<div class="card"><h3>')[2].partition("</div></dl>")[0]
    assert card.startswith("staged and 6 more</h3>")
    assert "fragment begins" in texts
    assert "staged is launched" in texts
    assert "fragment is launched" not in texts
    assert "Left out: decoys" in texts


def test_heights_and_frame_are_those_of_what_flies_not_of_satellites(seen: SimpleNamespace) -> None:
    shown = gather(seen)
    relay = next(f for f in shown.flights if f.kind == "orbit")
    assert relay.h.max() > 7e6
    drawn = timeline(shown, 960.0)
    high = [float(number) for number in re.findall(r'class="tick">(\d+)</text>', str(drawn).replace("\u202f", ""))]
    assert 300.0 <= max(high) < 1000.0
    assert "relay rises" not in str(drawn)
    assert "airliner rises" in str(drawn)


def test_what_is_said_first_is_of_what_was_launched(seen: SimpleNamespace) -> None:
    head, partners = seen.summary["headline"], seen.summary["partners"]
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for p in partners:
        for e in sorted(p["events"], key=lambda e: (e["warning_s"] is None, e["warning_s"])):
            if e["object"] in KINDS and e["warning_s"] is not None:
                first.setdefault((p["id"], e["object"]), e)
    times = [t for e in first.values() for t in e["warning_time_s"].values() if t is not None]
    assert times
    assert (head["shortest_warning_time_s"], head["longest_warning_time_s"]) == (min(times), max(times))
    assert head["first_warning_s"] == min(e["warning_s"] for e in first.values())
    assert head["warned_objects"] == len({name for _, name in first})


def test_the_end_of_a_run_names_the_object_of_each_line(
    seen: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    screen.show_run(seen.summary, "runs/mixed-1")
    out = capsys.readouterr().out
    assert "circling: apogee 445 km, does not come down" in out
    assert "short (srbm): apogee 55 km, range 200 km, flight time 4 min" in out
    assert "Coast, short, steps done: alert " in out
    assert "Coast, steps done" not in out


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "Nothing flew, and nobody confirmed a warning (Coast and High kept watch)."),
        (("relay",), "Nothing was launched, and nobody confirmed a warning (Coast and High kept watch)."),
        # aircraft are tracked as what they are, and nobody is warned of them
        (("airliner", "rows"), "Nothing was launched, and nobody confirmed a warning (Coast and High kept watch)."),
    ],
)
def test_a_run_without_launches_has_its_page_and_summary(
    names: tuple[str, ...], said: str, scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    things = scenario.plain()["objects"]
    made = tocsin.run(scenario.with_("objects", {name: things[name] for name in names}).with_("duration", "2 min"))
    assert made.summary["objects"] == []
    assert made.summary["headline"]["warned_objects"] == 0
    assert said in made.report_html()
    assert made.tables["flights"].num_rows == 0
    assert made.tables["objects"].num_rows == len(names)
    json.loads(made.czml())
    screen.show_run(made.summary, "runs/x")
    assert "EXERCISE: One of each" in capsys.readouterr().out


# nothing leaks, and all of it again -----------------------------------------------------------------------------------


def test_names_and_order_of_objects_change_no_nations_bytes(scenario: Scenario, records: list[Record]) -> None:
    things = scenario.plain()["objects"]
    names = sorted(things)
    new = dict(zip(names, reversed([f"z{k}" for k in range(len(names))]), strict=True))
    turned = {new[name]: things[name] for name in reversed(names)}
    other = engine_of(scenario.with_("objects", turned)).step(END_S * S)
    here, there = of_nations(records), of_nations(other)
    assert all(len(mine) > 100 for mine in here.values())
    assert here == there
    assert encoded(records) != encoded(other)


def test_the_same_run_comes_again_from_a_snapshot_in_its_middle(scenario: Scenario, records: list[Record]) -> None:
    first = engine_of(scenario)
    before = first.step(137 * S)
    restored = Engine.restore(first.snapshot())
    assert [body.id for body in restored.bodies] == [body.id for body in first.bodies]
    assert encoded(before + restored.step(END_S * S)) == encoded(records)


def test_what_comes_off_changes_nothing_of_what_it_came_off(engine: Engine, scenario: Scenario) -> None:
    def without(name: str, plain: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in plain.items() if k != "loose"}

    things = {name: without(name, plain) for name, plain in scenario.plain()["objects"].items()}
    alone = engine_of(scenario.with_("objects", things))
    mine = {body.id: body for body in alone.bodies}
    loose = [body for body in engine.bodies if body.kind == "loose"]
    assert set(mine) == set(KINDS)
    assert len(engine.bodies) == len(mine) + len(loose)
    for body in engine.bodies:
        if body.kind != "loose":
            assert body == mine[body.id]  # key, events, burns, facts ...
            assert np.array_equal(body.nodes, mine[body.id].nodes)

    def states(made: Engine) -> list[dict[str, Any]]:
        known = Facts.of(made.world_spec, (body.id for body in made.bodies))
        table = tables_from_records(made.step(30 * S), known)["truth"]
        return [row for row in table.to_pylist() if "/" not in row["object"]]

    assert states(alone) == states(engine_of(scenario))


# what cannot move as asked --------------------------------------------------------------------------------------------


@pytest.fixture
def bad_text() -> str:
    text = SCENARIO
    for old, new in FAULTY.values():
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def test_all_objects_that_cannot_move_as_asked_are_faults(bad_text: str) -> None:
    bad = Scenario.from_text(bad_text, "bad.yaml")
    for ask in (check_objects, engine_of):
        with pytest.raises(ScenarioError) as caught:
            ask(bad)
        assert sorted(f.path for f in caught.value.faults) == sorted(f"objects.{name}" for name in FAULTY)
        assert all(f.file == "bad.yaml" and f.found and f.allowed and str(f).isprintable() for f in caught.value.faults)
        assert not any(f.found.startswith(f.path.removeprefix("objects.")) for f in caught.value.faults)


@pytest.mark.parametrize("command", ["validate", "run"])
def test_the_commands_say_so_and_leave_nothing(
    command: str, bad_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(bad_text, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["tocsin", command, "bad.yaml"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    assert end.value.code == 2
    assert "Traceback" not in out + err
    for name in FAULTY:
        assert err.count(f" objects.{name}: found ") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["bad.yaml"]
