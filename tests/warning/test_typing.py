import math

import numpy as np
import pytest
import warning_cases as cases
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from tocsin.warning import typing

NAMES = ("a", "b", "c")


@given(st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3), st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3))
def test_probabilities_sum_to_one_and_follow_bayes(scores, priors):
    p = typing.probabilities(dict(zip(NAMES, scores, strict=True)), dict(zip(NAMES, priors, strict=True)))
    assert sum(p.values()) == pytest.approx(1.0, abs=1e-12)
    assert min(p.values()) > 0.0
    if p["a"] > 1e-5 and p["b"] > 1e-5:
        odds = math.exp(scores[0] - scores[1]) * priors[0] / priors[1]
        assert p["a"] / p["b"] == pytest.approx(odds, rel=1e-6)


def test_without_any_evidence_the_priors_stand():
    p = typing.probabilities({}, {"a": 1.0, "b": 3.0})
    assert p["b"] == pytest.approx(0.75)
    p = typing.probabilities({"a": -math.inf, "b": -math.inf}, {"a": 1.0, "b": 3.0})
    assert p["b"] == pytest.approx(0.75)


def test_a_class_without_a_score_keeps_a_little():
    p = typing.probabilities({"a": -5.0}, {"a": 1.0, "b": 1.0})
    assert 0.0 < p["b"] < 1e-5


def test_no_class_at_all_is_refused():
    with pytest.raises(ValueError, match="no class"):
        typing.probabilities({}, {})


def test_energy_is_even_over_the_range_and_nothing_beyond():
    one = np.ones(1)
    width = 3000e3
    inside = typing.energy_score(cases.MIDDLE, np.array([2000e3]), np.zeros(1), one)
    assert inside == pytest.approx(-math.log(width), abs=1e-3)
    edge = typing.energy_score(cases.MIDDLE, np.array([3500e3]), np.zeros(1), one)
    assert edge == pytest.approx(inside - math.log(2.0), abs=1e-3)
    assert typing.energy_score(cases.MIDDLE, np.array([9000e3]), np.zeros(1), one) < inside - 20.0
    # the density integrates to one
    e = np.linspace(0.0, 8000e3, 8001)
    density = [math.exp(typing.energy_score(cases.MIDDLE, np.array([v]), np.zeros(1), one)) for v in e]
    assert np.trapezoid(density, e) == pytest.approx(1.0, abs=5e-3)


def test_a_steep_flight_of_a_motor_that_burns_out_counts_by_its_range():
    rocket = cases.make_class("rocket", energy="thrust", low=100e3, high=1500e3)
    steep = typing.energy_score(rocket, np.array([4000e3]), np.array([950e3]), np.ones(1))
    assert steep == pytest.approx(-math.log(1400e3), abs=0.01)


def test_how_steep_it_flies_tells_a_sounding_rocket():
    rocket = cases.make_class("rocket", energy="thrust", low=100e3, high=3000e3, family="sounding-rocket")
    for degrees, kind in ((85.0, rocket), (38.0, cases.MIDDLE)):
        scores = {
            c.id: typing.energy_score(c, np.array([2000e3]), np.array([900e3]), np.ones(1),
            np.array([math.radians(degrees)])) for c in (rocket, cases.MIDDLE)
        }
        assert max(scores, key=scores.get) == kind.id
    # over all elevations the density is that of energy alone
    energy, reach, one = np.array([2000e3]), np.array([900e3]), np.ones(1)
    a = np.linspace(0.0, 0.5 * math.pi, 2001)
    for c in (rocket, cases.MIDDLE):
        density = [math.exp(typing.energy_score(c, energy, reach, one, np.array([v]))) for v in a]
        assert np.trapezoid(density, a) == pytest.approx(math.exp(typing.energy_score(c, energy, reach, one)), rel=1e-3)


def test_intensity_tells_a_bright_plume_from_a_faint_one():
    bright, faint = cases.make_class(intensity=1e6), cases.make_class(intensity=3e4)
    seen = [9e5, 1.1e6, 1.0e6, 0.0, math.nan]
    assert typing.intensity_score(bright, seen) > typing.intensity_score(faint, seen) + 2.0
    # whatever is seen, no class is quite ruled out by it
    assert typing.intensity_score(faint, [1e9]) > -10.0
    assert typing.intensity_score(faint, []) == 0.0


def test_burn_score_is_the_share_of_burns_that_fit():
    assert typing.burn_score(100.0, 5.0, False, 95.0, math.inf) == pytest.approx(math.log(norm.sf(-1.0)))
    assert typing.burn_score(100.0, 5.0, False, 95.0, 105.0) == pytest.approx(math.log(norm.cdf(1.0) - norm.cdf(-1.0)))
    # a class that may stop early is not contradicted by an end
    assert typing.burn_score(100.0, 5.0, True, 20.0, 30.0) == pytest.approx(0.0, abs=1e-9)
    assert typing.burn_score(100.0, 0.0, True, 120.0, math.inf) < -15.0
