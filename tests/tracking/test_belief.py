"""What is believed of a boost: known for flights that can be written down."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from tracking_scenes import believed

from tocsin.scenario.specs import Spread
from tocsin.tracking.belief import PAUSE, Q_ANGLE, Q_RATIO, Q_THRUST, RATIO, RESTART, THRUST, believe
from tocsin.tracking.models import bend_boost, boost_step


def airless(c):
    """The same class without drag and without spread."""
    exact = [
        msgspec.structs.replace(s, **{n: Spread(getattr(s, n).nominal) for n in ("burn", "thrust", "exhaust", "coast")})
        for s in c.stages
    ]
    return msgspec.structs.replace(c, beta_boost=Spread(1e12), stages=tuple(exact))


def test_without_drag_and_spread_the_cloud_is_the_rocket_equation():
    c = airless(believed())
    belief = believe((c,))
    stage = c.stages[0]
    left = 1.0 - stage.thrust.nominal * belief.clock / stage.exhaust.nominal
    np.testing.assert_allclose(belief.cloud[:, 4], stage.thrust.nominal / left, rtol=1e-6)
    np.testing.assert_allclose(belief.cloud[:, 7], stage.thrust.nominal / stage.exhaust.nominal / left, rtol=1e-9)
    # constant mass flow is what the model has: nothing but throttling is left for its noise
    par = belief.parameters
    assert par[Q_THRUST] == pytest.approx(0.1)
    # the mass flow of the same throttling: thrust over exhaust velocity
    assert par[Q_RATIO] == pytest.approx(0.1 / stage.exhaust.nominal**2, rel=1e-6)


def test_drag_is_part_of_what_is_taken_for_thrust():
    thick = msgspec.structs.replace(airless(believed()), beta_boost=Spread(5000.0))
    with_air, without = believe((thick,)), believe((airless(believed()),))
    assert with_air.parameters[Q_THRUST] > 2.0 * without.parameters[Q_THRUST]
    low = with_air.cloud[:, 0] < 12e3
    stage = thick.stages[0]
    gross = stage.thrust.nominal / (1.0 - stage.thrust.nominal * with_air.clock / stage.exhaust.nominal)
    assert (with_air.cloud[low, 4] < gross[low]).mean() > 0.95


def test_thrust_turns_as_in_a_gravity_turn():
    """Where the class's own programme is over, direction noise is that of g cos(climb) / v over ten seconds."""
    c = airless(msgspec.structs.replace(believed(), vertical=Spread(1.0), pitch=Spread(2.0)))
    belief = believe((c,))
    # moments in sight that have a later one to be compared with, before the mass flow runs away
    seen = (belief.cloud[:, 0] > 10e3) & (belief.clock < belief.clock.max() - 10.0) & (belief.cloud[:, 7] < 0.08)
    along = np.hypot(belief.cloud[seen, 1], belief.cloud[seen, 2])
    rate = 9.8 * along / np.maximum(np.hypot(along, belief.cloud[seen, 3]), 100.0) ** 2
    expected = (rate**2).mean() * 10.0 / 2.0
    assert belief.parameters[Q_ANGLE] == pytest.approx(expected, rel=0.1)


def test_thrust_that_begins_anew_is_that_of_a_stage_lately_lit():
    one, two = believe((airless(believed()),)), believe((airless(believed(pause=20.0)),))
    stage = believed().stages[0]
    lit = stage.thrust.nominal
    assert lit < two.parameters[THRUST] < lit / (1.0 - lit * 12.0 / stage.exhaust.nominal)
    assert one.parameters[THRUST] > two.parameters[THRUST]
    assert two.parameters[RATIO] < one.parameters[RATIO]
    assert two.parameters[RESTART] == pytest.approx(1.0 / 20.0, abs=1e-3)
    assert two.parameters[PAUSE] > 20.0
    # a pause that nobody can tell from none is still one
    assert believe((believed(pause=1.0),)).parameters[RESTART] == pytest.approx(0.1, abs=1e-3)


def test_what_cannot_rise_is_no_flight_of_its_class():
    weak = believed(thrust=14.0, burn=150.0, exhaust=2600.0, height=120e3)
    belief = believe((weak,))
    tops = [belief.cloud[belief.flight == f, 0].max() for f in np.unique(belief.flight)]
    assert len(tops) < 12
    assert min(tops) >= 120e3 - 3 * 10e3
    # but a class that never gets as high as it says keeps its flights
    assert len(np.unique(believe((believed(burn=20.0, height=500e3),)).flight)) == 12


def test_a_belief_is_made_once():
    assert believe((believed(),)) is believe([believed()])


def test_the_mean_of_thrust_of_uncertain_direction_is_that_of_samples():
    par = believe((believed(),)).parameters
    axes = np.array([1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0])
    x = np.array([6.5e6, 0, 0, 500.0, 0, 0, 30.0, 0.3, -0.2, 0.012])
    sd = np.array([0.0] * 6 + [3.0, 0.3, 0.25, 0.0015])
    P = np.diag(sd**2)
    P[6, 9] = P[9, 6] = 0.6 * sd[6] * sd[9]
    P[6, 7] = P[7, 6] = 0.3 * sd[6] * sd[7]
    P[7, 8] = P[8, 7] = -0.4 * sd[7] * sd[8]
    plain, F = np.empty(10), np.empty((10, 10))
    boost_step(x, axes, 2.0, par, plain, F)
    bent = plain.copy()
    bend_boost(x, P, axes, 2.0, par, bent)
    draw = np.random.default_rng(1)
    root = np.zeros((10, 10))
    root[6:, 6:] = np.linalg.cholesky(P[6:, 6:])
    half = draw.standard_normal((20_000, 10))
    out = np.empty((40_000, 10))
    for i, z in enumerate(np.concatenate([half, -half])):
        boost_step(x + root @ z, axes, 2.0, par, out[i], F)
    mean = out.mean(axis=0)
    pairs = 0.5 * (out[:20_000] + out[20_000:])
    error = pairs.std(axis=0) / math.sqrt(20_000)
    # fourth order in the angles is left: 2 per cent of the correction
    for i in (0, 1, 2, 3, 4, 5, 6, 9):
        assert abs(bent[i] - mean[i]) < 4.0 * error[i] + 0.04 * abs(plain[i] - mean[i]) + 1e-9
    assert np.abs(plain - mean)[3:6].max() > 10.0 * np.abs(bent - mean)[3:6].max()
