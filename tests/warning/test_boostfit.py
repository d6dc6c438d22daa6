import math

import numpy as np
import pytest
import warning_cases as cases
from scipy.stats import norm

from tocsin.dynamics.thrust import fly_boost
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.wgs84 import geodetic_of
from tocsin.records.columns import Kind
from tocsin.tracking.measure import h, lay_out
from tocsin.warning import boostfit, coasting
from tocsin.warning.boostfit import Burn

THETA0 = cases.THETA0


def looks_of(history):
    return boostfit.smooth_noise(lay_out(history.detections, history.scans), history.detections["sensor"])


def fitted(c, history, theta0=THETA0):
    model = boostfit.model_of(c)
    looks = looks_of(history)
    position, velocity, t = boostfit.rough_path(looks, history.detections["sensor"], theta0)
    place, theta = boostfit.start(model, position, velocity, t, theta0)
    return boostfit.fit(model, looks, place, theta, theta0), looks


def first(history, n):
    return cases.History(history.detections[:n], history.scans[:n])


def test_two_satellites_place_a_point_where_their_lines_meet():
    rng = np.random.default_rng(1)
    flight = cases.draw_flight(rng)
    history = first(cases.infrared_history(rng, flight, 1e9), 12)
    looks = looks_of(history)
    position, velocity, t = boostfit.rough_path(looks, history.detections["sensor"], THETA0)
    truth = to_ecef(flight.state(t), THETA0 + OMEGA_GMST * t)
    # the other satellite looked up to ten seconds apart, at some km/s
    assert np.linalg.norm(position - truth[:3]) < 40e3
    assert np.linalg.norm(velocity) < 5e3


def test_one_look_from_one_satellite_is_put_at_a_height_on_its_line():
    rng = np.random.default_rng(2)
    flight = cases.draw_flight(rng, site=(0.3, 1.0))
    history = cases.infrared_history(rng, flight, 1e9, satellites=(0.3,))
    position, velocity, _ = boostfit.rough_path(looks_of(first(history, 1)), np.array([0]), THETA0)
    assert np.linalg.norm(position) == pytest.approx(6371008.77 + 20e3, abs=1.0)
    assert not velocity.any()


def test_exact_looks_find_the_flight_again():
    # a class without spreads and looks with hardly any error: the launch must come out to metres
    exact = cases.make_class(
        stages=(cases.Stage(*(cases.Spread(v) for v in (150.0, 16.0, 2800.0, 0.0, 2e5))),),
        vertical=cases.Spread(8.0), pitch=cases.Spread(50.0), beta_boost=cases.Spread(8000.0),
    )  # fmt: skip
    rng = np.random.default_rng(3)
    flight = cases.draw_flight(rng, exact)
    rows, scans = [], []
    for j in range(10):
        t = flight.t_launch + 40.0 + 6.0 * j
        for k, off in enumerate((-0.5, 0.45)):
            scans.append(cases.geo_scan(k, j, t - 1.0, flight.site[1] + off, THETA0))
            rows.append(cases.measured(rng, scans[-1], t, flight.state(t), cases.Kind.LOS, (1e-8, 1e-8)))
    found, _ = fitted(exact, cases.in_order(rows, scans))
    assert len(found.theta) == 5
    launches = boostfit.draw(
        found, looks_of(cases.in_order(rows, scans)), Burn(flight.t_launch + 94.0), THETA0, 64, 5000.0
    )
    apart = [inverse(*flight.site, a, b)[0] for a, b in zip(launches.lat, launches.lon, strict=True)]
    assert np.average(apart, weights=launches.weight) < 20.0
    assert launches.weight @ launches.t == pytest.approx(flight.t_launch, abs=0.05)


def test_residuals_of_the_right_class_are_noise_and_of_a_wrong_one_are_not():
    rng = np.random.default_rng(4)
    flight = cases.draw_flight(rng)
    history = first(cases.infrared_history(rng, flight, 1e9), 14)
    right, _ = fitted(cases.MIDDLE, history)
    wrong, _ = fitted(cases.SHORT, history)
    assert right.chi2 < right.size + 4.0 * math.sqrt(2.0 * right.size)
    assert right.log_evidence > wrong.log_evidence + 5.0


def test_evidence_of_the_draws_agrees_with_laplace_where_the_problem_is_nearly_linear():
    rng = np.random.default_rng(5)
    flight = cases.draw_flight(rng)
    history = cases.infrared_history(rng, flight, 1e9)
    found, looks = fitted(cases.MIDDLE, history)
    seen = flight.t_launch + 30.0  # burning then says nothing, so that only the looks speak
    launches = boostfit.draw(found, looks, Burn(seen), THETA0, 320, 5000.0)
    # the energies still possible cost something too: between nought and a few log units
    assert -4.0 < launches.log_evidence - found.log_evidence < 1.0
    assert launches.weight.sum() == pytest.approx(1.0)
    assert launches.impacts.effective > 80.0


def test_the_end_of_thrust_lies_between_the_looks():
    rng = np.random.default_rng(6)
    flight = cases.draw_flight(rng)
    history = cases.infrared_history(rng, flight, 1e9)
    found, looks = fitted(cases.MIDDLE, history)
    seen = history.detections["t_ns"][-1] / 1e9
    for gone in (seen + 2.0, math.inf):
        launches = boostfit.draw(found, looks, Burn(seen, gone), THETA0, 128, 5000.0)
        cut = launches.cutoff.reshape(128, -1)
        good = launches.weight > 1e-3 * launches.weight.max()
        assert (cut[good] >= seen - 1e-6).all()
        assert (cut[good] <= gone + 1e-6).all()
        if gone == math.inf:
            spread = launches.impacts.energy.reshape(128, -1)[good]
            assert (np.diff(spread, axis=1) > 0.0).all()
            assert spread.max() <= cases.MIDDLE.energy_range[1] * 1.001


def test_a_motor_that_cannot_stop_burns_out():
    c = cases.make_class(energy="thrust")
    rng = np.random.default_rng(7)
    flight = cases.draw_flight(rng, c)
    history = cases.infrared_history(rng, flight, 1e9)
    found, looks = fitted(c, history)
    assert len(found.theta) == len(boostfit.model_of(cases.MIDDLE).active) + 6  # the scale of thrust comes in
    launches = boostfit.draw(found, looks, Burn(history.detections["t_ns"][-1] / 1e9), THETA0, 128, 5000.0)
    assert len(launches.cutoff) == 128
    burned = launches.cutoff - launches.t
    assert launches.weight @ burned == pytest.approx(flight.t_cut - flight.t_launch, abs=12.0)


def test_smoothing_never_trusts_a_look_more_than_the_usual_one():
    rng = np.random.default_rng(8)
    flight = cases.draw_flight(rng)
    history = cases.infrared_history(rng, flight, 1e9)
    raw = lay_out(history.detections, history.scans)
    smooth = boostfit.smooth_noise(raw, history.detections["sensor"])
    for n in (0, 1):
        rows = history.detections["sensor"] == n
        usual = np.median(raw.R[rows, 0, 0])
        assert (smooth.R[rows, 0, 0] >= 0.949 * usual).all()
        assert (smooth.R[rows, 0, 0] >= raw.R[rows, 0, 0] * (1.0 - 1e-12)).all()


def test_time_and_longitude_shift_the_fit_and_nothing_else():
    rng = np.random.default_rng(9)
    flight = cases.draw_flight(rng, site=(0.6, 2.0))
    history = first(cases.infrared_history(rng, flight, 1e9), 10)
    one, looks = fitted(cases.MIDDLE, history)
    launches = boostfit.draw(one, looks, Burn(float(looks.t_s[-1])), THETA0, 96, 5000.0)
    # the same sky over an Earth turned by half a radian: everything lies half a radian further west
    other, _ = fitted(cases.MIDDLE, history, THETA0 + 0.5)
    turned = boostfit.draw(other, looks, Burn(float(looks.t_s[-1])), THETA0 + 0.5, 96, 5000.0)
    np.testing.assert_allclose((launches.lon - turned.lon) % (2.0 * math.pi), 0.5, atol=2e-6)
    np.testing.assert_allclose(turned.lat, launches.lat, atol=2e-6)
    np.testing.assert_allclose(turned.weight, launches.weight, atol=2e-3)
    np.testing.assert_allclose((launches.impacts.lon - turned.impacts.lon) % (2.0 * math.pi), 0.5, atol=2e-4)
    # and a minute later with the Earth's turn taken back, a minute later
    later = cases.History(history.detections.copy(), history.scans.copy())
    for table, names in ((later.detections, ("t_ns",)), (later.scans, ("t0_ns", "t1_ns"))):
        for name in names:
            table[name] += 60 * 10**9
    moved, moved_looks = fitted(cases.MIDDLE, later, THETA0 - 60.0 * OMEGA_GMST)
    shifted = boostfit.draw(
        moved, moved_looks, Burn(float(moved_looks.t_s[-1])), THETA0 - 60.0 * OMEGA_GMST, 96, 5000.0
    )
    np.testing.assert_allclose(shifted.t - launches.t, 60.0, atol=1e-4)
    np.testing.assert_allclose(shifted.lat, launches.lat, atol=2e-6)


def test_mixture_weighs_its_parts():
    a, b = (
        coasting.coast_cloud(
            np.array([7e6, 0.0, 0.0, 2000.0, v, 100.0]), np.eye(6) * 10.0, 0.0, THETA0, [(1.0, cases.MIDDLE.beta)]
        )
        for v in (3000.0, 4000.0)
    )
    both = boostfit.mixture([(0.25, a), (0.75, b)])
    assert both.weight.sum() == pytest.approx(1.0)
    assert both.weight[: len(a.weight)].sum() == pytest.approx(0.25)
    assert both.effective == pytest.approx(1.0 / (0.25**2 / a.effective + 0.75**2 / b.effective))


def test_normal_cdf_is_scipys():
    for z in (-6.0, -1.0, 0.0, 0.3, 4.0):
        assert boostfit.normal_cdf(z) == pytest.approx(norm.cdf(z), rel=1e-12)


def test_a_shifted_flight_is_the_flight_from_there():
    """Flown once from the reference point and moved, against flown from the launch point that follows."""
    model = boostfit.model_of(cases.MIDDLE)
    place = np.array([0.6, 1.0, 300.0, 60e3, 200.0])
    rng = np.random.default_rng(9)
    for _ in range(20):
        theta = rng.standard_normal(5 + len(model.active))
        theta[:2] *= 2.0  # 20 km
        theta[3:5] *= 0.4  # so that it does get to 60 km
        nodes, moved = np.empty((512, 7)), np.empty((512, 7))
        plan, way, launch, stages = np.empty(5), np.empty(4), np.empty(4), np.empty((1, 4))
        given = (model.active, model.nominal, model.spread, place, THETA0, np.inf, stages, plan, way, nodes)
        rows = boostfit._aim(theta, *given)
        boostfit._shift(theta, place, THETA0, 0.0, way, nodes, rows, launch, moved)
        flown = np.empty((512, 7))
        again = fly_boost(stages, *plan[:4], plan[4], 1e9, launch[0], launch[1], 0.0, launch[2], THETA0, 5.0, flown)
        assert again == rows
        np.testing.assert_allclose(moved[:rows, 0], flown[:rows, 0], atol=1e-6)
        shift = inverse(0.6, 1.0, launch[0], launch[1])[0]
        assert np.linalg.norm(moved[:rows, 1:4] - flown[:rows, 1:4], axis=1).max() < 1.0 + 2e-4 * shift
        # and it passes where and when it was asked to
        x = np.empty(6)
        boostfit._at(moved, rows, place[2] + 10.0 * theta[2], launch, THETA0, x)
        lat, lon, height = geodetic_of(*to_ecef(x, THETA0 + OMEGA_GMST * (place[2] + 10.0 * theta[2]))[:3])
        assert height == pytest.approx(60e3, abs=1500.0)  # the passage is drawn straight between nodes of 5 s
        there = direct(0.6, 1.0, math.atan2(theta[0], theta[1]), 1e4 * math.hypot(theta[0], theta[1]))
        assert inverse(lat, lon, there[0], there[1])[0] < 3000.0


def test_what_is_predicted_without_derivatives_is_what_h_predicts():
    rng = np.random.default_rng(4)
    for kind in (Kind.RAE, Kind.RAER, Kind.LOS, Kind.RA, Kind.XY):
        for region in (0, 1):
            p, e = rng.standard_normal(6) * 7e6, np.linalg.qr(rng.standard_normal((3, 3)))[0].ravel()
            x, dt = rng.standard_normal(6) * 7e6, 4.0
            z, hx, hb, ht = np.empty(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4)
            rows = h(kind, x, dt, region, p, e, np.zeros(4), z, hx, hb, ht)
            there, axes, other = np.empty((1, 6)), np.empty((1, 9)), np.empty(4)
            boostfit._aligned(np.array([dt]), np.array([region]), p[None, :], e[None, :], there, axes)
            boostfit._seen_from(kind, x, there[0], axes[0], other)
            np.testing.assert_allclose(other[:rows], z[:rows], rtol=1e-13)
