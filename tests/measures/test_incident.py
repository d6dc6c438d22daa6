"""How far an alarm went: levels from decisions and versions written by hand."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tocsin.measures.incident import incident

COLUMNS = ("nation", "warning", "label", "version", "t_s", "status", "confirmed")


def tables(
    versions: list[tuple[str, float, str, bool]], decisions: list[tuple[str, float, str, str]]
) -> dict[str, Any]:
    count: dict[str, int] = {}
    rows = []
    for uid, t, status, confirmed in versions:
        n = count[uid] = count.get(uid, -1) + 1
        rows.append(dict(zip(COLUMNS, ("a", uid, "own", n, t, status, confirmed), strict=True)))
    done = [{"nation": "a", "warning": w, "t_s": t, "action": a, "step": s, "post": "p"} for w, t, a, s in decisions]
    empty = {"nation": [], "warning": [], "t_s": [], "action": [], "step": [], "post": []}
    decided = pa.Table.from_pylist(done) if done else pa.table(empty)
    return {"warnings": pa.Table.from_pylist(rows), "decisions": decided}


def scenario(*actions: str, ladder: Any = None) -> dict[str, Any]:
    steps = [{"id": f"s{k}", "action": action} for k, action in enumerate(actions)]
    centre = {} if ladder is None else {"ladder": ladder}
    return {"incident": {"cause": "x"}, "partners": {"a": {"posts": {"p": {"steps": steps}}, "centre": centre}}}


OPENED = ("w", 10.0, "opened", False)


def test_what_is_shown_is_taken_back_by_its_end() -> None:
    found = incident(tables([OPENED, ("w", 70.0, "cancelled", False)], []), scenario())
    assert found.highest == "shown"
    assert [(r.level, r.at_s, r.back_s, r.stood_s) for r in found.reached] == [("shown", 10.0, 70.0, 60.0)]


def test_what_was_confirmed_is_taken_back_by_a_version_that_is_not() -> None:
    rows = [OPENED, ("w", 20.0, "confirmed", True), ("w", 30.0, "updated", True), ("w", 50.0, "downgraded", False)]
    top = incident(tables(rows, []), scenario()).top
    assert top is not None
    assert (top.level, top.at_s, top.back_s, top.minutes) == ("confirmed", 20.0, 50.0, 0.5)


@pytest.mark.parametrize(("corrects", "back"), [(True, None), (False, 90.0)])
def test_a_public_alert_is_taken_back_by_what_reaches_the_public(corrects: bool, back: float | None) -> None:
    decisions = [("w", 30.0, "inform", "alert"), ("w", 90.0, "stand-down", "down")]
    actions = ("inform", "stand-down", "correct") if corrects else ("inform", "stand-down")
    top = incident(tables([OPENED], decisions), scenario(*actions)).top
    assert top is not None
    assert (top.level, top.back_s) == ("public", back)
    assert top.stood_s == (None if back is None else 60.0)


def test_the_first_conference_of_a_ladder_is_routine_and_the_last_is_the_top() -> None:
    first = [("w", 30.0, "note", "missile-display")]
    assert incident(tables([OPENED], first), scenario(ladder="three-step")).highest == "shown"
    second = [*first, ("w", 60.0, "note", "threat-assessment"), ("w", 90.0, "stand-down", "threat-assessment")]
    found = incident(tables([OPENED], second), scenario(ladder="three-step"))
    assert (found.highest, found.reached[-1].stood_s) == ("passed up", 30.0)
    third = [*second[:2], ("w", 80.0, "confirm", "missile-attack"), ("w", 120.0, "stand-down", "missile-attack")]
    found = incident(tables([OPENED], third), scenario(ladder="three-step"))
    assert (found.highest, found.reached[-1].back_s) == ("to the top", 120.0)


def test_alarms_that_come_again_are_stretches_of_their_own() -> None:
    rows = [OPENED, ("w", 40.0, "cancelled", False), ("x", 30.0, "opened", False), ("x", 60.0, "closed", False)]
    rows += [("y", 100.0, "opened", False), ("y", 120.0, "cancelled", False)]
    (shown,) = incident(tables(rows, []), scenario()).reached
    assert shown.stretches == [(10.0, 60.0), (100.0, 120.0)]
    assert (shown.stood_s, shown.back_s, shown.warnings) == (50.0, 120.0, 3)


def test_nothing_is_nothing() -> None:
    none = pa.table({name: [] for name in COLUMNS})
    found = incident({"warnings": none, "decisions": tables([OPENED], [])["decisions"]}, scenario())
    assert (found.highest, found.reached, found.top) == ("nothing", [], None)
