"""Incidents under other doctrines: the table, and that doing it side by side changes nothing."""

from __future__ import annotations

import json

import pytest

from tocsin.api import run
from tocsin.command.doctrine import check_doctrine
from tocsin.scenario import Scenario
from tocsin.study.incidents import AS_IT_WAS, Cell, cells, incident_ids, outcomes, said, table, under


@pytest.fixture(scope="module")
def hawaii() -> Scenario:
    return Scenario.load("hawaii-2018", check_doctrine)


@pytest.fixture(scope="module")
def tape() -> Scenario:
    return Scenario.load("tape-1979", check_doctrine).with_("duration", "22 min")


def test_incidents_are_five_in_their_order() -> None:
    assert incident_ids() == ("tape-1979", "chip-1980", "sun-glint-1983", "black-brant-1995", "hawaii-2018")


def test_as_it_was_is_the_run_itself(hawaii: Scenario) -> None:
    summary = run(hawaii).summary
    found = outcomes(hawaii, (AS_IT_WAS,))[AS_IT_WAS]
    assert summary["incident"]["highest"] == found.highest == "public"
    (alert,) = [d for d in summary["partners"][0]["events"][0]["decisions"] if d["step"] == "alert"]
    (correct,) = [d for d in summary["partners"][0]["events"][0]["decisions"] if d["step"] == "correct"]
    top = found.top
    assert top is not None
    # the public alert is taken back by what reaches the public, not by the cancellation before it
    assert (top.at_s, top.back_s) == (alert["t_s"], correct["t_s"])


def test_two_kinds_of_sensor_are_no_help_against_a_tape_that_speaks_for_both(tape: Scenario) -> None:
    found = {c.doctrine: c for c in cells(tape.id, outcomes(tape, (AS_IT_WAS, "two-kinds", "cross-check")))}
    assert found[AS_IT_WAS].level == found["two-kinds"].level == "passed up"
    assert found["two-kinds"].at_s > found[AS_IT_WAS].at_s  # type: ignore[operator]
    # by the time that a partner has been waited for, the sensors themselves have been asked
    assert found["cross-check"].level in ("shown", "confirmed")


def test_side_by_side_gives_what_each_alone_gives() -> None:
    glint = Scenario.load("sun-glint-1983", check_doctrine).with_("duration", "70 s")
    names = (AS_IT_WAS, "two-kinds")
    together = outcomes(glint, names)
    assert together[AS_IT_WAS].highest == "confirmed"
    assert together["two-kinds"].highest == "shown"
    for name in names[1:]:
        assert outcomes(glint, (name,))[name] == together[name]


def test_a_doctrine_guards_what_raises_and_nothing_else(hawaii: Scenario) -> None:
    posts = under(hawaii, "one-sensor").plain()["partners"]["hawaii"]["posts"]
    (alert,) = posts["warning-officer"]["steps"]
    assert alert["when"] == "(reported('message')) and confirmed"
    assert posts["agency"] == hawaii.plain()["partners"]["hawaii"]["posts"]["agency"]
    centre = under(hawaii, "one-sensor").model.partners["hawaii"].centre
    assert centre.doctrine == "one-sensor"
    assert centre.rule.exclude_below == hawaii.model.partners["hawaii"].centre.rule.exclude_below


def test_the_table_says_level_and_minutes() -> None:
    one = Cell("a-1999", "as it was", "public", 33.75, 1.0, "x/y", 1)
    two = Cell("a-1999", "two-kinds", "passed up", None, 1.0, "x/y", 1)
    three = Cell("b-2000", "as it was", "nothing", None, None, "", 0)
    assert [said(c) for c in (one, two, three)] == ["public, 33.8", "passed up, –", "nothing"]
    lines = table([one, two, three]).splitlines()
    assert lines[0].split() == ["as", "it", "was", "two-kinds"]
    assert lines[2].startswith("a-1999  public, 33.8  passed up, –")
    assert len(lines) == 4


def test_the_command_refuses_unknown_names_and_prints_json(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from tocsin import cli
    from tocsin.study import incidents

    def asked(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tocsin", "study", "incidents", *words])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    code, _, err = asked("--incident", "moon-1960")
    assert code == 2
    assert "'moon-1960'; allowed: tape-1979, chip-1980" in err
    code, _, err = asked("--doctrine", "hope")
    assert code == 2
    assert "'hope'; allowed: as it was, " in err
    monkeypatch.setattr(incidents, "study", lambda *_: [Cell("a-1999", "as it was", "public", 33.8, 1.0, "x/y", 1)])
    code, out, _ = asked("--json")
    assert code == 0
    assert json.loads(out)[0]["level"] == "public"
    code, out, _ = asked()
    assert out.startswith("EXERCISE")
