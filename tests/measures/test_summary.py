"""The measures against a run whose every number was worked out by hand (see ``watched_flight``)."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyproj
import pytest
import watched_flight as w

from tocsin.measures.chain import Chain, Milestone, parts_of
from tocsin.measures.ground import GroundTrack
from tocsin.measures.shapes import json_schema
from tocsin.measures.summary import summarise
from tocsin.records.tables import tables_from_records

GEOD = pyproj.Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    return tables_from_records(w.records(), w.FACTS)


@pytest.fixture(scope="module")
def summary(tables: dict[str, Any]) -> dict[str, Any]:
    return summarise(tables, w.SCENARIO, w.MANIFEST, w.FACTS)


def events(summary: dict[str, Any], nation: str) -> list[dict[str, Any]]:
    return next(p["events"] for p in summary["partners"] if p["id"] == nation)


def test_it_fits_the_published_schema(summary: dict[str, Any]) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(summary, allow_nan=False)), schema)


def test_the_published_schema_is_the_one_in_the_handbook() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "summary.schema.json"
    assert json.loads(page.read_text()) == json.loads(json.dumps(json_schema())), "python -m tocsin.measures.shapes"


def test_a_nations_tracks_are_set_against_the_truth(summary: dict[str, Any], tables: dict[str, Any]) -> None:
    tracking = next(p["tracking"] for p in summary["partners"] if p["id"] == "b")
    assert tracking["frames"] == w.IMPACT - w.LAUNCH + 1
    assert [o["object"] for o in tracking["objects"]] == ["north-star"]  # the other one was never seen
    assert tracking["objects"][0]["from_s"] == 40.0
    told = {r["t_s"] for r in tables["tracks"].to_pylist() if r["nation"] == "b" and r["life"] == "confirmed"}
    assert tracking["completeness"] == pytest.approx(len(told) / (w.IMPACT - 40 + 1), abs=1e-6)
    parts = [tracking[f"{part}_km"] ** 2 for part in ("localisation", "missed", "false")]
    assert tracking["gospa_km"] ** 2 == pytest.approx(sum(parts), rel=1e-4)


def test_the_schema_refuses_what_is_no_summary(summary: dict[str, Any]) -> None:
    for broken in ({**summary, "format": "tocsin-run/2"}, {k: v for k, v in summary.items() if k != "partners"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, json_schema())


def test_objects_are_told_in_the_scenarios_order(summary: dict[str, Any]) -> None:
    assert [o["id"] for o in summary["objects"]] == ["north-star", "unseen"]
    first = summary["objects"][0]
    assert first["class"] == "alpha"
    assert first["launch_time"] == "2020-01-01T00:00:10.000Z"
    assert first["impact_time"] == "2020-01-01T00:10:10.000Z"
    assert (first["flight_time_s"], first["burnout_s"], first["apogee_km"], first["range_km"]) == (
        600.0,
        100.0,
        300.0,
        1327.0,
    )


def test_a_warning_fed_by_a_partner_is_traced_over_the_border(summary: dict[str, Any]) -> None:
    event = events(summary, "a")[0]
    assert event["object"] == "north-star"
    assert (event["zero"], event["zero_s"]) == ("launch", 10.0)
    assert event["source"] == "b"
    assert event["sources"] == ["a", "b"]
    assert event["first_detection_s"] == 30.0  # the satellite's look at 40 s
    assert event["track_confirmed_s"] == 51.0
    assert event["opened_s"] == 61.0
    assert event["warning_s"] == 73.0
    assert event["confirm_s"] == 90.0
    assert event["alert_s"] == 120.0  # the first of two "inform" steps
    assert (event["versions"], event["status"]) == (3, "updated")
    assert event["types"] == {"alpha": 0.75, "zeta": 0.25}
    assert (event["confidence"], event["confidence_at_warning"]) == ("high", "high")
    assert [d["step"] for d in event["decisions"]] == ["gov", "public", "again"]


def test_the_waterfall_adds_up_to_the_alert(summary: dict[str, Any]) -> None:
    delays = events(summary, "a")[0]["delays"]
    # 10 km of cloud: the rocket stands at 9.92 km five seconds after launch and at 11.88 km after six
    assert delays == {
        "geometry_s": 6.0,
        "detection_s": 24.0,
        "confirmation_s": 21.0,
        "processing_s": 15.0,
        "sending_s": 7.0,
        "decision_s": 47.0,
        "total_s": 120.0,
        "path": ["b", "a"],
    }


def test_without_an_alert_the_waterfall_ends_at_the_warning(summary: dict[str, Any]) -> None:
    event = events(summary, "b")[0]
    assert event["source"] == "own"
    assert event["alert_s"] is None
    assert event["delays"]["decision_s"] is None
    assert event["delays"]["total_s"] == event["warning_s"] == 66.0
    assert event["delays"]["path"] == ["b"]


def test_only_warnings_of_its_own_label_are_a_nations_events(summary: dict[str, Any]) -> None:
    assert [e["warning"] for e in events(summary, "b")] == ["b/own/0"]


def test_a_warning_of_nothing_counts_from_the_epoch(summary: dict[str, Any]) -> None:
    event = events(summary, "a")[1]
    assert event["object"] is None
    assert (event["zero"], event["zero_s"], event["warning_s"]) == ("epoch", 0.0, 400.0)
    assert set(event["warning_time_s"].values()) == {None}
    assert event["launch_estimate"]["first_warning"]["error_km"] is None
    assert event["launch_estimate"]["burnout_60s"] is None
    partner = summary["partners"][0]
    assert (partner["false_warnings"], partner["missed"]) == (1, ["unseen"])
    assert summary["partners"][1]["missed"] == ["unseen"]


def test_warning_time_runs_to_passage_or_impact_of_defended_areas(summary: dict[str, Any]) -> None:
    # first whole second over 4.01 deg north is 211; impact lies in "goal" at 610; "soil" is no defended area
    assert events(summary, "a")[0]["warning_time_s"] == {"under": 211 - 83, "goal": 610 - 83, "far": None}


def test_areas_tell_when_the_risk_was_gone_for_good(summary: dict[str, Any]) -> None:
    under, goal, far, soil = events(summary, "a")[0]["areas"]
    assert under["max_p_impact"] == 0.2
    assert under["last_p_impact"] == 0.004
    assert under["above_1_percent"] is True
    assert under["below_1_percent_s"] == under["excluded_s"] == 170.0
    assert (under["passage_s"], under["impact_inside"]) == (201.0, False)
    assert (goal["below_1_percent_s"], goal["impact_inside"]) == (None, True)
    assert (far["passage_s"], far["max_p_impact"], far["above_1_percent"]) == (None, 0.0, False)
    assert (soil["kind"], soil["name"], under["name"]) == ("territory", "soil", "Under")


def test_estimates_are_measured_along_geodesics(summary: dict[str, Any]) -> None:
    launch = events(summary, "a")[0]["launch_estimate"]
    first, later, last = launch["first_warning"], launch["burnout_60s"], launch["last"]
    assert [e["version"] for e in (first, later, last)] == [1, 1, 2]  # burnout at 110 s: version 1 stood at 170 s
    for e, off in ((first, 0.2), (last, 0.02)):
        _, _, metres = GEOD.inv(w.LON, off, w.LON, 0.0)
        assert e["error_km"] == pytest.approx(metres / 1e3, abs=1e-3)
        assert e["time_error_s"] == 2.0
        assert e["inside95"] is True
    assert (first["inside50"], last["inside50"]) == (False, True)
    assert first["cov_enu_km2"] == [[4.0, 1.0], [1.0, 9.0]]
    assert (first["t_s"], first["as_of_s"], first["at_s"], first["at_sigma_s"]) == (73.0, 68.0, 2.0, 3.0)
    impact = events(summary, "a")[0]["impact_estimate"]["first_warning"]
    _, _, metres = GEOD.inv(w.LON, 12.2, w.LON, 12.0)
    assert impact["error_km"] == pytest.approx(metres / 1e3, abs=1e-3)
    assert (impact["time_error_s"], impact["p_impact"]) == (10.0, 0.9)


def test_published_stages_stand_beside_the_simulated_ones(summary: dict[str, Any]) -> None:
    found = {s["event"]: (s["published_s"], s["simulated_s"], s["difference_s"]) for s in summary["stages"]}
    assert found["launch"] == (0.0, 0.0, 0.0)
    assert found["over Under"] == (200.0, 201.0, 1.0)
    assert found["first report"] == (110.0, 130.0, 20.0)  # a's own radar, not the partner's satellite
    assert found["warned"] == (50.0, 73.0, 23.0)
    assert found["told"] == (110.0, 120.0, 10.0)
    assert found["a speech"] == (1190.0, None, None)
    assert found["impact"] == (590.0, 600.0, 10.0)
    # the meridian is nearest to 7 N 10.5 E where a great circle meets it at a right angle:
    # tan(latitude) = tan(7 deg) / cos(0.5 deg), on the sphere that the measure takes
    lat = np.degrees(np.arctan(np.tan(np.radians(7.0)) / np.cos(np.radians(0.5))))
    assert found["past the cape"][1] == pytest.approx(lat / 0.02, abs=0.01)
    assert next(s for s in summary["stages"] if s["event"] == "over Under")["source"] == "a paper"


def test_the_headline_counts(summary: dict[str, Any], tables: dict[str, Any]) -> None:
    h = summary["headline"]
    assert (h["objects"], h["warned_objects"], h["false_warnings"]) == (2, 1, 1)
    assert (h["first_warning_s"], h["first_warning_partner"]) == (66.0, "b")
    assert (h["first_alert_s"], h["first_alert_partner"]) == (120.0, "a")
    assert (h["shortest_warning_time_s"], h["longest_warning_time_s"]) == (128.0, 527.0)
    assert (h["detections"], h["false_detections"], h["messages"]) == (27, 3, 4)


def test_the_order_of_records_changes_nothing(summary: dict[str, Any]) -> None:
    mixed = w.records()
    random.Random(3).shuffle(mixed)
    again = summarise(tables_from_records(mixed, w.FACTS), w.SCENARIO, w.MANIFEST, w.FACTS)
    assert json.dumps(again) == json.dumps(summary)


def test_a_quiet_day_has_a_summary_too() -> None:
    quiet = {**w.SCENARIO, "published": []}
    facts = w.Facts(w.UNIX_NS, w.THETA0, (), w.FACTS.sensors)
    made = summarise(tables_from_records([], facts), quiet, w.MANIFEST, facts)
    jsonschema.validate(json.loads(json.dumps(made)), json_schema())
    assert made["headline"]["objects"] == 0
    assert made["headline"]["first_warning_s"] is None
    assert [p["events"] for p in made["partners"]] == [[], []]


def test_a_track_with_more_false_than_true_detections_is_a_false_one() -> None:
    records = [r for r in w.records() if not (r.kind == "warning" and r.source == "nation:a")]
    source = w.Source("nation:a", 1000)
    keys = [(0, 12, 0), (0, 18, 1), (0, 36, 1)]
    records.append(
        source.record(301 * w.S, 4, "associations", w.c.encode(w.associations(9, keys)), ("nation:a",), label="own")
    )
    body = w.version("a/own/7", 0, 305.0, status="opened", confirmed=True, track=9, sources=("a",))
    records.append(source.record(305 * w.S, 5, "warning", body, ("nation:a",), label="own"))
    made = summarise(tables_from_records(records, w.FACTS), w.SCENARIO, w.MANIFEST, w.FACTS)
    assert [e["object"] for e in events(made, "a")] == [None]


@pytest.mark.parametrize("seed", range(20))
def test_parts_of_a_delay_always_add_up(seed: int) -> None:
    rng = random.Random(seed)
    parts = ("detection", "confirmation", "processing", "sending", "processing")
    times = [rng.uniform(0.0, 300.0) for _ in parts]  # in any order: a late track must not make a part negative
    chain = Chain("own", ("a",), ("a", "own"), times[0], times[1], tuple(map(Milestone, parts, times)))
    alert = rng.uniform(0.0, 300.0)
    spent = parts_of(chain, 0.0, rng.choice([None, rng.uniform(0.0, 400.0)]), alert)
    assert min(spent.values()) >= 0.0
    assert sum(spent.values()) == round(max(*times, alert) * 1000)


def test_a_track_that_ends_before_a_place_is_never_abeam_of_it() -> None:
    track = GroundTrack(np.array([0.0, 1.0, 2.0]), np.radians([0.0, 1.0, 2.0]), np.zeros(3))
    assert track.abeam(np.radians(9.0), 0.0) is None
    assert track.abeam(np.radians(-9.0), 0.0) is None
    assert track.abeam(np.radians(1.0), 0.002) == pytest.approx(1.0, abs=1e-3)
    assert GroundTrack(np.zeros(0), np.zeros(0), np.zeros(0)).abeam(0.0, 0.0) is None
