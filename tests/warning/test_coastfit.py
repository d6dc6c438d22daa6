import math

import numpy as np
import pytest
import warning_cases as cases
from scipy.stats import chi2

from tocsin.dynamics.kernels import coast_to
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.tracking.measure import lay_out
from tocsin.warning import boostfit, coastfit

THETA0 = cases.THETA0
QUIET = cases.make_class(beta=cases.Spread(1e9))  # no drag on the looks, so that what is fitted is what is flown


def radar_case(seed, start=20.0, looks=20, every=5.0):
    rng = np.random.default_rng(seed)
    flight = cases.draw_flight(rng, QUIET)
    times = flight.t_cut + start + every * np.arange(looks)
    history = cases.radar_looks(rng, flight, times, flight.site[0] + 0.1, flight.site[1] + 0.1)
    return flight, history, times


def fitted(flight, history, prior=None, off=(30e3, 300.0)):
    looks = boostfit.smooth_noise(lay_out(history.detections, history.scans), history.detections["sensor"])
    t = float(looks.t_s[-1])
    rough = flight.state(t) + np.repeat(off, 3)
    return coastfit.fit_arc(looks, boostfit.whiteners(looks), rough, t, THETA0, prior)


def test_the_state_is_found_within_what_is_claimed():
    # normalised estimation error squared of six numbers over many flights: chi-square
    total, n = 0.0, 60
    for seed in range(n):
        flight, history, times = radar_case(seed)
        arc = fitted(flight, history)
        assert arc is not None
        assert arc.t == pytest.approx(times[-1], abs=1e-6)
        apart = flight.state(arc.t) - arc.x
        total += float(apart @ np.linalg.solve(arc.P, apart))
    low, high = chi2.ppf([1e-4, 1.0 - 1e-4], 6 * n)
    # the reported sigmas are noisy and taken on the safe side: a little under six a flight is right
    assert 0.75 * low < total < high


def test_looks_from_before_the_end_of_thrust_are_left_out():
    rng = np.random.default_rng(5)
    flight = cases.draw_flight(rng, QUIET)
    times = flight.t_cut + np.arange(-30.0, 60.0, 3.0)
    history = cases.radar_looks(rng, flight, times, flight.site[0] + 0.1, flight.site[1] + 0.1)
    arc = fitted(flight, history)
    assert arc is not None
    assert arc.since > flight.t_cut - 4.0
    assert np.linalg.norm(arc.x[:3] - flight.state(arc.t)[:3]) < 5.0 * math.sqrt(np.trace(arc.P[:3, :3]))


def test_a_stray_look_is_left_out():
    flight, history, _ = radar_case(6)
    history.detections["z"][7, 0] += 5e3
    arc = fitted(flight, history)
    assert arc is not None
    assert arc.looks == 19
    apart = flight.state(arc.t) - arc.x
    assert apart @ np.linalg.solve(arc.P, apart) < 30.0


def test_too_few_looks_make_no_arc():
    flight, history, _ = radar_case(7, looks=3)
    assert fitted(flight, history) is None


def test_a_prior_narrows_and_shifts_as_it_should():
    flight, history, _ = radar_case(8, looks=5)
    alone = fitted(flight, history)
    P = np.diag([100.0**2] * 3 + [1.0] * 3)
    prior = coastfit.Prior(flight.state(flight.t_cut + 1.0), P, flight.t_cut + 1.0)
    both = fitted(flight, history, prior)
    assert np.trace(both.P[3:, 3:]) < 0.2 * np.trace(alone.P[3:, 3:])
    # information adds up: no direction is known worse than by the looks alone
    assert np.linalg.eigvalsh(alone.P - both.P).min() > -1e-3 * np.trace(alone.P)


def test_the_prior_of_states_is_their_mean_at_one_time():
    flight, _, _ = radar_case(9)
    x = flight.state(flight.t_cut + 30.0)
    back = np.empty(6)
    coast_to(x, flight.t_cut + 30.0, flight.t_cut + 10.0, THETA0, 0.0, back)
    prior = coastfit.prior_of(
        np.vstack([back, x]), np.array([flight.t_cut + 10.0, flight.t_cut + 30.0]), np.array([1.0, 3.0]), THETA0
    )
    assert prior.t == flight.t_cut + 30.0
    np.testing.assert_allclose(prior.x, x, atol=0.05)


def test_heights_along_the_arc_are_those_of_the_flight():
    flight, _, times = radar_case(10)
    told = coastfit.heights(flight.state(times[-1]), times[-1], times, THETA0)
    for t, height in zip(times, told, strict=True):
        assert height == pytest.approx(ecef_to_geodetic(flight.state(t)[:3])[2], abs=1.0)


def test_numbers_that_ran_away_are_no_step():
    scale, g = np.ones(6), np.ones(6)
    assert coastfit._move(np.zeros((6, 6)), g, scale) is None  # as seed 111 of hokkaido-2017 once met it
    assert coastfit._move(np.full((6, 6), np.inf), g, scale) is None
    np.testing.assert_allclose(coastfit._move(2.0 * np.eye(6), g, scale), 0.5)
