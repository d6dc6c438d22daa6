"""Faults, displays and retractions in a scenario file: what is wrong is told with place, found and allowed."""

from __future__ import annotations

import pytest

from tocsin.command.doctrine import check_doctrine
from tocsin.earth.frames import gmst82
from tocsin.scenario import Scenario, ScenarioError

GOOD = """
format: tocsin-scenario/1
id: small
title: Small
start: 2000-01-01T00:00:00Z
duration: 10 min
classes: {slbm: , icbm-liquid: }
faults:
  - {id: chip, kind: counts, partner: here, from: T+01:00, until: T+02:00}
  - {id: tape, kind: test-data, partner: here, from: T+03:00, says: [{class: slbm, sensors: {US-BEALE: 20}}]}
  - {id: drill, kind: drill, partner: here, post: watch, says: {class: slbm, site: {lat_deg: 1, lon_deg: 2},
     to: {lat_deg: 5, lon_deg: 9}, flight_time: 10 min}}
injects: [{id: go, at: T+05:00, act: fault.begin, target: drill}]
partners:
  here:
    sensors: {US-BEALE: }
    centre: {retraction: {by: [chief], drafting_s: 300}}
    posts:
      watch:
        display: {fields: {slbm: [slbm]}, digits: 3}
        steps: [{id: sees, action: note, when: "reported('display') and counts_differ or shown >= 2"}]
      chief:
        steps: [{id: back, action: cancel, when: confirmed, takes_s: 10 +- 1}]
published: [{event: begins, at: T+01:00, matches: "fault:chip"}]
"""


def load(text: str) -> Scenario:
    return Scenario.from_text(text, "small", check_doctrine)


def test_a_sound_one_loads_and_says_the_same_after_writing() -> None:
    scenario = load(GOOD)
    assert Scenario.from_text(scenario.to_yaml(), "again", check_doctrine) == scenario
    world, nations = scenario.split(gmst82)
    assert [f.id for f in world.faults] == ["chip", "tape", "drill"]
    assert world.faults[0].posts == ("watch",)  # type: ignore[union-attr]  # all that have a display
    assert world.faults[2].t0_ns is None
    # no words stand ready for a cancellation: finding them takes 300 s more
    (step,) = next(p for p in nations["here"].posts if p.id == "chief").steps
    assert (step.takes.nominal, step.takes.spread) == (310.0, 1.0)


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("kind: counts", "kind: count", "faults.0", "counts"),
        ("partner: here, from: T+01:00", "partner: her, from: T+01:00", "faults.0.partner", "a partner: here"),
        ("until: T+02:00", "until: T+00:30", "faults.0.until", "a time after `from`"),
        ("from: T+03:00", "from: T+30:00", "faults.1.from", "a time from the start to the end"),
        ("[{class: slbm, s", "[{class: srbm, s", "faults.1.says.0.class", "a class that stands under `classes`"),
        ("{US-BEALE: 20}", "{US-CLEAR: 20}", "faults.1.says.0.sensors.US-CLEAR", "a sensor of that partner: US-BEALE"),
        ("post: watch", "post: wach", "faults.2.post", "a post of here: watch, chief"),
        (", flight_time: 10 min", "", "faults.2.says", "all of site, to and flight_time, or none"),
        ("id: tape", "id: chip", "faults.1.id", "each fault's id once"),
        ("target: drill", "target: dril", "injects.0.target", "near: drill"),
        ("fault:chip", "fault:chips", "published.0.matches", "near: chip"),
        ("slbm: [slbm]", "slbm: [srbm]", "partners.here.posts.watch.display.fields.slbm.0", "a class that stands"),
        ("by: [chief]", "by: [watch]", "partners.here.posts.chief.steps.0.action", "centre.retraction.by: watch"),
        ("by: [chief]", "by: [cheif, chief]", "partners.here.centre.retraction.by.0", "a post: watch, chief"),
        ("reported('display')", "reported('rumour')", "partners.here.posts.watch.steps.0", "processing"),
        ("digits: 3", "digits: 9", "partners.here.posts.watch.display.digits", "at most 6"),
        ("display: {fields: {slbm: [slbm]}, digits: 3}", "name: x", "faults.0", "with a display: there is none"),
    ],
)
def test_what_is_wrong_is_told_by_name(old: str, new: str, place: str, said: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(ScenarioError) as told:
        load(GOOD.replace(old, new, 1))
    text = str(told.value)
    assert f" {place}" in text
    assert said in text
