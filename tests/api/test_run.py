"""A whole run from Python: what one may ask of it; that it is the same twice, across processes, after loading."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import tocsin
from tocsin.measures.knowledge import parse_moment

SHORT = "7min"  # of hokkaido-2017: launch, both nations' tracks, messages and decisions lie before


@pytest.fixture(scope="module")
def scenario() -> tocsin.Scenario:
    return tocsin.Scenario.load("hokkaido-2017").with_("duration", SHORT)


@pytest.fixture(scope="module")
def run(scenario: tocsin.Scenario) -> tocsin.Run:
    return tocsin.run(scenario, seed=4)


def digests(folder: Path) -> dict[str, str]:
    equal = [p for p in sorted(folder.iterdir()) if p.suffix == ".parquet" or p.name == "summary.json"]
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in equal}


def test_a_run_is_the_same_in_another_process(scenario: tocsin.Scenario, run: tocsin.Run, tmp_path: Path) -> None:
    here = run.write(tmp_path / "here")
    file = tmp_path / "short.yaml"
    file.write_text(scenario.to_yaml(), encoding="utf-8")
    code = "import sys, tocsin; tocsin.run(sys.argv[1], seed=4).write(sys.argv[2])"
    subprocess.run([sys.executable, "-c", code, str(file), str(tmp_path / "there")], check=True, timeout=300)
    mine, other = digests(here), digests(tmp_path / "there")
    assert len(mine) >= 14
    assert mine == other


def test_another_seed_is_another_run(scenario: tocsin.Scenario, run: tocsin.Run) -> None:
    assert not tocsin.run(scenario, seed=5).detections.equals(run.detections)


def test_a_run_comes_back_from_its_folder(run: tocsin.Run, tmp_path: Path) -> None:
    back = tocsin.load(run.write(tmp_path / "run"))
    assert back.summary == json.loads(json.dumps(run.summary))
    assert back.seed == 4
    for name, table in run.tables.items():
        assert back.tables[name].equals(table), name
    assert back.report_html() == run.report_html()
    assert str(back.knew("japan", "T+4min")) == str(run.knew("japan", "T+4min"))


def test_the_summary_validates_against_its_published_schema(run: tocsin.Run) -> None:
    schema = json.loads((Path(__file__).parents[2] / "docs/reference/summary.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(run.summary, schema)


def test_the_flight_is_the_one_that_was_asked_for(run: tocsin.Run) -> None:
    flown = run.summary["objects"][0]
    assert flown["apogee_km"] == pytest.approx(550.0, abs=1.0)
    assert flown["range_km"] == pytest.approx(2700.0, abs=1.0)


def test_events_belong_to_the_object_they_were_caused_by(run: tocsin.Run) -> None:
    by_id = {p["id"]: p for p in run.summary["partners"]}
    japan = by_id["japan"]["events"][0]
    assert japan["object"] == "hwasong-12"
    assert japan["source"] == "united-states"  # the infrared satellites are the partner's and see it first
    assert by_id["united-states"]["events"][0]["source"] == "own"
    order = [japan[k] for k in ("first_detection_s", "track_confirmed_s", "warning_s", "confirm_s", "alert_s")]
    assert order == sorted(order)


def test_what_a_nation_knew_grows_and_holds_nothing_from_later(run: tocsin.Run) -> None:
    early, late = run.knew("japan", 60), run.knew("japan", "T+6min")
    assert early.warnings == []
    assert late.warnings[0]["t_s"] <= 360.0
    assert all(d["t_s"] <= 360.0 for d in late.decisions)
    assert all(m["arrive_s"] <= 360.0 for m in late.messages)
    assert str(late).startswith("EXERCISE")
    with pytest.raises(KeyError, match="no partner 'atlantis'; this run has: japan, united-states"):
        run.knew("atlantis", 0)


def test_an_explanation_leads_over_the_border_to_scans_that_saw_the_object(run: tocsin.Run) -> None:
    first = run.explain("japan/own/0", 0)
    lines = first.lines()
    assert "message 0 from united-states" in lines[1]
    assert "united-states/to:japan/0" in lines[2]
    assert any("scan " in line for line in lines)

    def leaves(step: object) -> list[dict[str, object]]:
        under = [leaf for s in step.under for leaf in leaves(s)]  # type: ignore[attr-defined]
        return under or list(step.rows)  # type: ignore[attr-defined]

    scans = {(row["sensor"], row["scan"]) for row in leaves(first)}
    links = {(r["sensor"], r["scan"]) for r in run.truth_links.to_pylist() if r["object"] == "hwasong-12"}
    assert scans
    assert scans <= links
    with pytest.raises(KeyError, match="no warning 'x'; this run has: "):
        run.explain("x")
    with pytest.raises(KeyError, match="has versions 0 to "):
        run.explain("japan/own/0", 9999)


def test_without_sharing_the_own_radars_warn_later(scenario: tocsin.Scenario, run: tocsin.Run) -> None:
    alone = tocsin.run(scenario, seed=4, sharing="none")
    assert alone.messages.num_rows == 0
    shared = next(p for p in run.summary["partners"] if p["id"] == "japan")["events"][0]
    own = next(p for p in alone.summary["partners"] if p["id"] == "japan")["events"][0]
    assert own["source"] == "own"
    assert own["warning_s"] > shared["warning_s"] + 30.0
    assert own["first_detection_s"] > shared["first_detection_s"]


def test_the_timeline_is_a_picture(run: tocsin.Run, tmp_path: Path) -> None:
    timeline = run.timeline()
    assert timeline.rows == sorted(timeline.rows)
    timeline.plot(tmp_path / "timeline.png")
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(AttributeError, match="a run has no 'nonsense'; its tables: "):
        _ = run.nonsense


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("T+4min", 240.0),
        ("T+3min 20s", 200.0),
        ("T+90s", 90.0),
        ("T+03:20", 200.0),
        ("2017-08-28T21:02:00Z", 240.0),
        (17, 17.0),
    ],
)
def test_moments(text: str | float, seconds: float) -> None:
    assert parse_moment(text, 1503953880 * 10**9) == seconds


@pytest.mark.parametrize("text", ["", "T+", "four minutes", "T+4h", "20:58"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="is no time; write T\\+4min"):
        parse_moment(text, 0)


def test_a_run_that_ends_early_claims_no_stage_that_it_did_not_reach(run: tocsin.Run) -> None:
    stages = {s["matches"]: s["simulated_s"] for s in run.summary["stages"]}
    assert stages["launch"] == 0.0
    assert stages["step:japan/alert"] is not None
    assert stages["abeam:cape-erimo"] is None  # T+9.6 min, and the run ends at T+7
    assert stages["impact"] is None
