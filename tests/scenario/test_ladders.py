"""Ladders, doctrines and notices in the scenario file: what they become, and every fault of them by name."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.command.doctrine import check_doctrine
from tocsin.earth.frames import gmst82
from tocsin.scenario import Scenario, ScenarioError
from tocsin.scenario.ladders import LadderEntry, doctrine, doctrine_ids, ladder_ids, resolve
from tocsin.scenario.model import RuleEntry
from tocsin.scenario.specs import NationSpec

P = "partners.japan.centre"


@pytest.fixture(scope="module")
def base() -> Scenario:
    """A bundled scenario whose centre says nothing of when it confirms."""
    return Scenario.load("hokkaido-2017", check_doctrine).with_(f"{P}.rule", {"refresh_s": 10})


def nation(scenario: Scenario, id: str = "japan") -> NationSpec:
    return scenario.split(gmst82)[1][id]


def faults(scenario: Scenario, path: str, value: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        scenario.with_(path, value)
    return [f"{f.path}: {f.found}; {f.allowed}" for f in caught.value.faults]


def rung(id: str, **changed: Any) -> dict[str, Any]:
    return {"id": id, "when": "confirmed", "calls": [{"post": "defence-ministry"}], **changed}


# ---- the library


@pytest.mark.parametrize("id", doctrine_ids())
def test_each_doctrine_is_whole_says_its_source_and_changes_rungs_that_there_are(base: Scenario, id: str) -> None:
    made = doctrine(id)
    assert made.title
    assert made.summary
    assert made.source
    RuleEntry.model_validate(made.rule)
    spec = nation(base.with_(f"{P}.ladder", "three-step").with_(f"{P}.doctrine", id))
    assert set(made.ladder) <= {r.id for r in spec.ladder}
    assert check_doctrine(spec.posts, [a.id for a in spec.areas], [c.id for c in spec.classes], spec.ladder) == []


def test_the_bundled_ladder_is_the_published_one_of_three_steps(base: Scenario) -> None:
    assert ladder_ids() == ("three-step",)
    spec = nation(base.with_(f"{P}.ladder", "three-step"))
    assert [r.id for r in spec.ladder] == ["missile-display", "threat-assessment", "missile-attack"]
    assert [r.after for r in spec.ladder] == [(), ("missile-display",), ("threat-assessment",)]
    assert all(r.source for r in spec.ladder)
    # its roles become posts, so that people can take their seats
    assert [p.id for p in spec.posts[-4:]] == ["duty", "commander", "forces", "leader"]


def test_roles_may_be_posts_of_the_nation(base: Scenario) -> None:
    spec = nation(base.with_(f"{P}.ladder", {"from": "three-step", "posts": {"duty": "sensor-crew"}}))
    assert spec.ladder[0].calls[0].post == "sensor-crew"
    assert "duty" not in [p.id for p in spec.posts]


# ---- a nation's own


def test_without_a_ladder_and_doctrine_nothing_changes(base: Scenario) -> None:
    spec = nation(base)
    assert spec.ladder == ()
    rule = RuleEntry()
    assert (spec.rule.min_updates, spec.rule.min_kinds, spec.rule.cross_check) == (rule.min_updates, 1, 0.0)


def test_a_doctrine_gives_the_rule_and_what_the_scenario_says_comes_first(base: Scenario) -> None:
    named = base.with_(f"{P}.doctrine", "two-kinds")
    assert nation(named).rule.min_kinds == 2
    assert not nation(named).rule.accept_partner
    assert nation(named.with_(f"{P}.doctrine", "cross-check")).rule.cross_check == 300.0
    own = named.with_(f"{P}.rule", {"min_kinds": 1, "accept_partner": True})
    assert nation(own).rule.min_kinds == 1
    assert nation(own).rule.accept_partner
    assert nation(own).rule.min_updates == 4  # of the doctrine


def test_a_doctrine_changes_bundled_rungs_and_own_rungs_come_before_it(base: Scenario) -> None:
    with_ladder = base.with_(f"{P}.ladder", "three-step").with_(f"{P}.doctrine", "two-kinds")
    assert "sensor_kinds >= 2" in nation(with_ladder).ladder[1].when
    own = {"from": "three-step", "rungs": [{"id": "threat-assessment", "when": "p_real > 0.9", "agree": "any"}]}
    spec = nation(with_ladder.with_(f"{P}.ladder", own))
    assert spec.ladder[1].when == "p_real > 0.9"
    assert spec.ladder[1].agree == 1
    assert [c.agrees for c in spec.ladder[1].calls] == ["p_real > 0.9"] * 3
    assert spec.ladder[2] == nation(with_ladder).ladder[2]


def test_a_ladder_of_ones_own_stands_on_the_rung_below_unless_it_says_otherwise(base: Scenario) -> None:
    ladder = {"rungs": [rung("a"), rung("b"), rung("c", after=[])]}
    spec = nation(base.with_(f"{P}.ladder", ladder))
    assert [r.after for r in spec.ladder] == [(), ("a",), ()]
    assert [(r.state, r.leave, r.action, r.agree) for r in spec.ladder] == [(i, "over", "note", 1) for i in "abc"]


def test_it_is_written_as_it_was_given_and_read_again(base: Scenario) -> None:
    for given in ("three-step", {"rungs": [rung("a", agree=1)]}):
        made = base.with_(f"{P}.ladder", given)
        assert made.plain()["partners"]["japan"]["centre"]["ladder"] == given
        again = Scenario.from_text(made.to_yaml(), "again.yaml", check_doctrine)
        assert again == made
        assert nation(again) == nation(made)


def test_a_nation_is_told_of_its_own_ladder_alone(base: Scenario) -> None:
    made = base.with_(f"{P}.ladder", "three-step")
    assert nation(made, "united-states") == nation(base, "united-states")


# ---- what is wrong with them


@pytest.mark.parametrize(
    ("ladder", "said"),
    [
        ("two-step", "from: the unknown ladder 'two-step'; one of three-step"),
        ({}, ": a ladder without rungs; "),
        ({"rungs": [{"id": "a"}]}, "rungs.0: the rung 'a' without when and calls; "),
        ({"rungs": [rung("a"), rung("a")]}, "rungs.1.id: the rung 'a' again; "),
        ({"rungs": [rung("a", calls=[{"post": "nobody"}])]}, "rungs.0.calls.0.post: the unknown post 'nobody'; "),
        ({"rungs": [rung("a", calls=[{"post": "sensor-crew"}] * 2)]}, "rungs.0.calls.1.post: the post 'sensor-crew'"),
        ({"rungs": [rung("a", agree=2)]}, "rungs.0.agree: 2 who must agree, of 1 who are called; "),
        ({"rungs": [rung("a", after=["b"])]}, "rungs.0.after.0: the unknown rung 'b'; "),
        ({"from": "three-step", "posts": {"boss": "sensor-crew"}}, "posts.boss: the role 'boss'; one of duty, "),
        ({"from": "three-step", "posts": {"duty": "nobody"}}, "posts.duty: the unknown post 'nobody'; "),
        ({"rungs": [rung("confirm", calls=[{"post": "defence-ministry"}])]}, ""),
    ],
)
def test_faults_of_a_ladder_have_a_place_and_a_name(base: Scenario, ladder: Any, said: str) -> None:
    if not said:  # a rung may have the name of a step of another post, but not of its chair's
        steps = [s.id for s in nation(base).posts[1].steps]
        ladder["rungs"][0]["id"] = steps[0]
        said = f"rungs.0: a rung '{steps[0]}' beside a step of that name at its chair's post 'defence-ministry'"
    found = faults(base, f"{P}.ladder", ladder)
    assert any(line.removeprefix(f"{P}.ladder").removeprefix(".").startswith(said) for line in found), found


def test_an_unknown_doctrine_is_found_with_the_nearest(base: Scenario) -> None:
    assert faults(base, f"{P}.doctrine", "two-kind") == [
        f"{P}.doctrine: 'two-kind' (a word); a bundled doctrine; near: two-kinds, two-kinds-or-partner"
    ]


@pytest.mark.parametrize(
    ("rungs", "said"),
    [
        (
            [rung("a", when="conference('b')"), rung("b")],
            f"{P}.ladder.rungs.0: rung 'a': can never be done, it waits for itself: "
            "the ladder/a -> the ladder/b -> the ladder/a",
        ),
        ([rung("a", when="p_real > 0.9 and p_real < 0.5")], f"{P}.ladder.rungs.0: rung 'a': the condition can never"),
        ([rung("a", leave="sensors < 0")], f"{P}.ladder.rungs.0: rung 'a': it is never left"),
        ([rung("a", action="shout")], f"{P}.ladder.rungs.0: rung 'a': unknown action 'shout'"),
        ([rung("a", when="p_impact('atlantis') > 0")], f"{P}.ladder.rungs.0: rung 'a': p_impact('atlantis'): there"),
    ],
)
def test_a_doctrine_with_a_loop_or_a_condition_that_never_holds_is_found(
    base: Scenario, rungs: list[Any], said: str
) -> None:
    found = faults(base, f"{P}.ladder", {"rungs": rungs})
    assert any(line.startswith(said) for line in found), found


def test_a_bundled_rung_that_a_scenario_spoils_is_found_by_name(base: Scenario) -> None:
    spoilt = {"from": "three-step", "rungs": [{"id": "missile-attack", "when": "confidence > 'high'"}]}
    found = faults(base, f"{P}.ladder", spoilt)
    assert found[0].startswith(f"{P}.ladder.rungs.0: rung 'missile-attack': the condition can never hold")


def test_faults_say_the_line() -> None:
    text = Scenario.load("hokkaido-2017").text.replace(
        "    centre:\n", "    centre:\n      ladder:\n        rungs:\n          - id: talk\n", 1
    )
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_text(text, "x.yaml", check_doctrine)
    line = text[: text.index("- id: talk")].count("\n") + 1
    assert [f.line for f in caught.value.faults] == [line]


def test_what_a_ladder_calls_may_be_set_beside_what_was_published(base: Scenario) -> None:
    made = base.with_(f"{P}.ladder", "three-step")
    seen = {"event": "x", "at": "T+05:00", "matches": "step:japan/threat-assessment"}
    made.with_("published", [seen])
    assert "'threat-assessment'" in faults(base, "published", [seen])[0]


def test_resolving_gives_places_for_what_the_scenario_says_itself() -> None:
    entry = LadderEntry.model_validate({"from": "three-step", "rungs": ({"id": "missile-display", "agree": "any"},)})
    made, problems = resolve(entry, None, ())
    assert problems == []
    assert made.places == {"missile-display": ("rungs", 0), "threat-assessment": (), "missile-attack": ()}


# ---- notices


def note(**changed: Any) -> dict[str, Any]:
    values = {
        "from": "somewhere", "to": "japan", "sent": "2017-08-27T00:00:00Z",
        "window": ["2017-08-28T20:00:00Z", "2017-08-28T22:00:00Z"],
        "area": {"lat_deg": 39.2, "lon_deg": 125.7, "radius_km": 50}, "azimuth_deg": 68, "class": "irbm-liquid",
        "handoffs": [{"who": "embassy", "takes_s": "3600 +- 600", "loss": 0.01}],
    }  # fmt: skip
    return {k: v for k, v in {**values, **changed}.items() if v is not None}


def test_notices_stand_in_the_world_and_no_nation_knows_them_beforehand(base: Scenario) -> None:
    made = base.with_("notices", {"n": note()})
    world, nations = made.split(gmst82)
    assert [n.announcement.id for n in world.notices] == ["n"]
    assert world.notices[0].sent_ns == -(20 * 3600 + 58 * 60 + 86400) * 1_000_000_000
    assert nations == base.split(gmst82)[1]
    assert Scenario.from_text(made.to_yaml(), "again.yaml") == made


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"to": "nippon"}, "notices.b.to: the unknown partner 'nippon'; one of "),
        ({"from": "japan"}, "notices.b.to: a notice of japan to itself; another partner"),
        ({"class": "zeppelin"}, "notices.b.class: the unknown class 'zeppelin'; one of "),
        ({"window": ["T+10:00", "T+10:00"]}, "notices.b.window.1: 'T+10:00'; a time after"),
        ({"replaces": "c"}, "notices.b.replaces: the unknown notice 'c'; one of a, b"),
        ({"azimuth_deg": 180}, "notices.b: notice 'b', which contradicts notice 'a' (azimuth 68 and 180 deg)"),
        ({"class": "space-launch"}, "notices.b: notice 'b', which contradicts notice 'a' (class irbm-liquid and "),
        ({"handoffs": [{"who": "x", "loss": 2}]}, "notices.b.handoffs.0.loss: 2"),
        ({"area": {"lat_deg": 95, "lon_deg": 0}}, "notices.b.area.lat_deg: 95"),
    ],
)
def test_faults_of_notices_have_a_place_and_a_name(base: Scenario, changed: dict[str, Any], said: str) -> None:
    classes = {**base.plain()["classes"], "space-launch": None}
    made = base.with_("classes", classes)
    found = faults(made, "notices", {"a": note(), "b": note(**changed)})
    assert any(line.startswith(said) for line in found), found


@pytest.mark.parametrize(
    "changed",
    [
        {},  # the same again
        {"azimuth_deg": 70},
        {"azimuth_deg": 180, "window": ["2017-08-28T23:00:00Z", "2017-08-28T23:30:00Z"]},
        {"azimuth_deg": 180, "area": {"lat_deg": 42, "lon_deg": 130, "radius_km": 50}},
        {"azimuth_deg": 180, "replaces": "a"},
        {"azimuth_deg": 180, "from": "somebody-else"},  # two who say different things: the nation's own affair
        {"azimuth_deg": 180, "to": "united-states"},
        {"azimuth_deg": None, "class": None},
    ],
)
def test_what_does_not_contradict_is_left_alone(base: Scenario, changed: dict[str, Any]) -> None:
    base.with_("notices", {"a": note(), "b": note(**changed)})


def test_notices_that_replace_each_other_are_found_once(base: Scenario) -> None:
    found = faults(base, "notices", {"a": note(replaces="b"), "b": note(replaces="a")})
    assert found == ["notices.a.replaces: notices that replace each other: a -> b -> a; an earlier notice"]
