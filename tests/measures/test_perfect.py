"""The perfect observer: never later than what was detected, own and pooled."""

from __future__ import annotations

import msgspec
import pytest

import tocsin
from tocsin.earth.frames import gmst82
from tocsin.measures.perfect import POOLED, perfect
from tocsin.scenario import Scenario
from tocsin.scenario.specs import StatusSpan


@pytest.fixture(scope="module")
def run():
    return tocsin.run(Scenario.load("hokkaido-2017").with_("duration", "5min"))


@pytest.fixture(scope="module")
def sights(run):
    return {(r["observer"], r["object"]): r for r in run.perfect().to_pylist()}


def test_no_true_detection_comes_sooner(run, sights):
    numbers = {}
    for scan in run.tables["scans"].select(["sensor", "nation"]).to_pylist():
        numbers[scan["sensor"]] = scan["nation"]
    true = {
        (r["sensor"], r["scan"], r["n"])
        for r in run.tables["truth_links"].to_pylist()
        if r["object"] not in (None, -1, "")
    }
    firsts: dict[str, float] = {}
    for d in run.tables["detections"].to_pylist():
        if (d["sensor"], d["scan"], d["n"]) in true:
            firsts[d["nation"]] = min(firsts.get(d["nation"], 1e9), d["t_s"])
    assert set(firsts) == {"japan", "united-states"}
    for nation, t in firsts.items():
        assert sights[(nation, "hwasong-12")]["first_s"] <= t + 1.0  # looks are a second apart


def test_pooled_is_the_first_of_all(sights):
    own = [r["first_s"] for (who, _), r in sights.items() if who != POOLED]
    assert sights[(POOLED, "hwasong-12")]["first_s"] == min(own)
    assert sights[(POOLED, "hwasong-12")]["seen_s"] >= max(r["seen_s"] for r in sights.values())


def test_blind_sensors_see_nothing():
    world = Scenario.load("hokkaido-2017").with_("duration", "4min").split(gmst82)[0]
    spans = tuple(StatusSpan(s.id, 0, 10**15, "silent") for s in world.sensors)
    for sight in perfect(msgspec.structs.replace(world, statuses=spans), 5.0):
        assert sight.first_s is None
        assert sight.seen_s == 0.0
    with pytest.raises(ValueError, match="a step of 0 s"):
        perfect(world, 0)
