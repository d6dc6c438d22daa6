"""What is believed against Bayes' rule written out, and what no amount of repetition may do."""

from __future__ import annotations

import math
from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.records.shapes import Estimate, Evidence, WarningVersion
from tocsin.scenario.specs import Credence
from tocsin.warning.credence import Said, believe, heard, level, rate_of, relapsing

RATES = Credence()
NONE = Estimate(0, "none", 1.0, "none")


def infrared(name="ir", state="agrees", **change):
    return Said(name, "infrared", state, **change)


def radar(name="r", state="agrees", **change):
    return Said(name, "radar", state, **change)


def sure(*said, existence=0.999, **more):
    return believe(said, RATES, existence, **more)


def test_one_satellite_by_bayes_rule_written_out():
    """Rates a year: 1000 launches, 10 false sources of which 0.3 + 0.7 exp(-span / 60 s) last, 1 fault; the tracker's
    odds of chance are a thousandth of all that one source may be."""
    false = 10.0 * (0.3 + 0.7 * math.exp(-2.0))
    chance = (1000.0 + 10.0) * 0.001 / 0.999
    expected = 1000.0 / (1000.0 + false + 1.0 + chance)
    belief = sure(infrared(span_s=120.0))
    assert belief.p_real == pytest.approx(expected, rel=1e-12)
    assert belief.causes["sensor:ir"] == pytest.approx(false / (1000.0 + false + 1.0 + chance), rel=1e-12)
    assert sum(belief.causes.values()) == pytest.approx(1.0, abs=1e-12)


def test_a_second_sensor_and_a_silent_one_by_bayes_rule_written_out():
    real = 1000.0 * (0.02 + 0.98 * math.exp(-3.0))
    ir = 10.0 * 1.0 * 0.001  # deceives the radar too
    rr = 10.0 * 1.0 * 0.001
    fault = 1.0 * 0.5
    chance = (1000.0 + 20.0) * 0.001 / 0.999
    belief = sure(infrared(), radar(), radar("silent", "not_yet", log_missed=-3.0))
    assert belief.p_real == pytest.approx(real / (real + ir + rr + fault + chance), rel=1e-12)
    without = 1000.0 / (1000.0 + ir + rr + fault + chance)
    odds = math.log10(belief.p_real / (1 - belief.p_real)) - math.log10(without / (1 - without))
    assert belief.weights[2] == pytest.approx(odds, rel=1e-9)
    assert belief.weights[0] > 0.0 > belief.weights[2]


@given(st.floats(0.0, 1e9))
def test_repetition_alone_makes_nothing_certain(span):
    """However long one sensor goes on, its own false sources that stay remain, so it never reaches "high"."""
    p = sure(infrared(span_s=span), existence=1.0).p_real
    assert p <= 1000.0 / (1000.0 + 10.0 * 0.3 + 1.0) + 1e-12
    assert level(p, RATES) == "medium"


@given(st.floats(-1e6, 0.0))
def test_silence_alone_makes_nothing_certain_either(missed):
    p = sure(infrared(), radar("r", "disagrees", log_missed=missed), existence=1.0).p_real
    assert p >= 1000.0 * 0.02 / (1000.0 * 0.02 + 10.0 + 1.0) - 1e-6


def test_further_silences_of_a_kind_say_less_than_the_first():
    def factor(*silent):
        p = believe((infrared(), *silent), RATES, 1.0 - 1e-9).p_real
        return p / (1.0 - p)

    one = factor(radar("a", "disagrees", log_missed=-1e6))
    two = factor(radar("a", "disagrees", log_missed=-1e6), radar("b", "disagrees", log_missed=-1e6))
    lost = factor(radar("a", "agrees", log_missed=-1e6)) / factor(radar("a"))
    assert one / factor() == pytest.approx(0.02, rel=1e-9)
    assert two / one == pytest.approx(0.3, rel=1e-9)
    assert lost == pytest.approx(0.3, rel=1e-9)


def test_two_kinds_say_more_than_two_of_a_kind_and_both_more_than_one():
    one = sure(infrared("a"), existence=1.0).p_real
    same = sure(infrared("a"), infrared("b"), existence=1.0).p_real
    kinds = sure(infrared("a"), radar("b"), existence=1.0).p_real
    assert one < same < kinds
    assert level(one, RATES) == "medium"
    assert level(kinds, RATES) == "high"


def test_the_order_in_which_sensors_are_told_changes_nothing():
    said = (infrared("a", span_s=40.0), infrared("b"), radar("c", "disagrees", log_missed=-6.0), radar("d", owner="x"))
    ways = [believe(way, RATES, 0.9) for way in permutations(said)]
    assert all(way.causes == pytest.approx(ways[0].causes, rel=1e-9) for way in ways)


def test_a_partners_word_is_no_better_than_its_channel():
    """A thousand launches to five false words a year, however many of its sensors it names."""
    many = (*(infrared(f"i{k}", owner="b") for k in range(3)), radar("r", owner="b"))
    belief = believe(many, RATES, None, tracked=False)
    assert belief.p_real == pytest.approx(1000.0 / 1005.0, rel=1e-3)
    assert belief.otherwise == "channel:b"
    # and one of our own that agrees lifts it over that
    assert believe((*many, radar("own")), RATES, 0.999).p_real > 0.9999


def test_a_fault_behind_the_sensors_shows_several_at_once_and_is_the_likeliest_doubt_then():
    belief = sure(infrared(), radar(), existence=1.0 - 1e-9)
    assert belief.otherwise == "centre"


def test_a_path_that_fits_no_class_speaks_for_a_false_source_and_no_more_than_beliefs_can_be_wrong():
    plain, odd = sure(infrared()), sure(infrared(), misfit=1e9)
    assert odd.p_real < plain.p_real
    assert odd.p_real / (1.0 - odd.p_real) == pytest.approx(0.02 * plain.p_real / (1.0 - plain.p_real), rel=1e-9)


def test_what_the_tracker_holds_for_chance_is_chance():
    assert sure(infrared(), existence=0.1).p_real < 0.12
    assert sure(infrared(), existence=0.1).otherwise == "chance"


def test_false_alarms_come_in_clusters():
    """Each brings 0.3 more within the hour: 0.3 * 8766 a year beside the usual ten."""
    assert relapsing(0, "infrared", RATES) == 1.0
    assert relapsing(2, "infrared", RATES) == pytest.approx(1.0 + 2 * 0.3 * 8766.0 / 10.0)
    wary = sure(infrared(unwell=relapsing(1, "infrared", RATES)))
    assert level(wary.p_real, RATES) == "no"
    assert level(sure(infrared(unwell=relapsing(1, "infrared", RATES)), radar()).p_real, RATES) == "medium"


def theirs(p_real=0.99, status="updated", evidence=()):
    return WarningVersion(
        "b/to:a/0", 0, 0, status, True, "", None, ("b",), None, 0, NONE, NONE, (), {}, p_real, "high", evidence
    )


def test_what_a_partner_says_is_checked_and_not_counted_twice():
    seen = Evidence("infrared", "ir", "agrees", None, ("b",))
    blind = Evidence("radar", "r", "not_yet", None, ("b",))
    against = Evidence("radar", "q", "disagrees", None, ("b",))
    assert [(s.sensor, s.owner) for s in heard(theirs(evidence=(seen, blind, against)))] == [("ir", "b"), ("q", "b")]
    assert heard(theirs(status="cancelled")) == ()
    for p in (0.0, 0.99, 1.0, math.nan, math.inf, -3.0):
        belief = believe(heard(theirs(p_real=p)), RATES, None, tracked=False)
        assert 0.0 <= belief.p_real <= 1.0
        assert math.isfinite(belief.weights[0])
    assert believe(heard(theirs(p_real=0.2)), RATES, None, tracked=False).p_real < 0.5


@given(
    st.lists(
        st.builds(
            Said, st.sampled_from("abcdefgh"), st.sampled_from(["infrared", "radar", "over-horizon", "word", "new"]),
            st.sampled_from(["agrees", "disagrees", "not_yet"]), st.sampled_from(["", "x", "y"]),
            st.floats(-1e9, 0.0), st.floats(0.0, math.inf), st.floats(1e-6, 1e6),
        ), max_size=12,
    ),
    st.one_of(st.none(), st.floats(0.0, 1.0)), st.floats(0.0, math.inf), st.booleans(),
)  # fmt: skip
def test_whatever_is_said_gives_probabilities(said, existence, misfit, tracked):
    belief = believe(said, RATES, existence, misfit, tracked)
    assert 0.0 <= belief.p_real <= 1.0
    assert sum(belief.causes.values()) == pytest.approx(1.0, abs=1e-9)
    assert len(belief.weights) == len(said)
    assert all(math.isfinite(w) for w in belief.weights)
    assert level(belief.p_real, RATES) in ("no", "low", "medium", "high")


def test_rates_and_levels_are_the_rules():
    lax = msgspec.structs.replace(RATES, false_radar=7.0, low=0.1, medium=0.2, high=0.3)
    assert rate_of("radar", lax) == 7.0
    assert [level(p, lax) for p in (0.05, 0.15, 0.25, 0.35)] == ["no", "low", "medium", "high"]
