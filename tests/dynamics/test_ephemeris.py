"""The ephemeris: as near to the integration as it says, exact polynomials, and no states outside."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dynamics import kernels as k
from tocsin.dynamics.boost import BoostPlan, trajectory
from tocsin.dynamics.coast import propagate
from tocsin.dynamics.ephemeris import Ephemeris, OutsideEphemeris

THETA0 = 0.8
LAUNCH_NS = 7_123_456_789
PLAN = BoostPlan(
    ((0.0, 60.0, 25.0, 2400.0), (63.0, 60.0, 25.0, 2700.0)), 5.0, 20.0, math.radians(45), 1.0, 118.5, 8000.0,
    0.7, 2.0, 0.0, LAUNCH_NS,
)  # fmt: skip
BETA = 2000.0


@pytest.fixture(scope="module")
def flight():
    boost = trajectory(PLAN, THETA0, since_launch=True)
    out = np.empty(7)
    k.fall(boost[-1, 1:7].copy(), boost[-1, 0], THETA0, BETA, out)
    coast = np.empty((2000, 10))
    n = k.coast_nodes(boost[-1, 1:7].copy(), boost[-1, 0], out[1], BETA, coast)
    return boost, coast[:n]


@pytest.fixture(scope="module")
def ephemeris(flight):
    return Ephemeris([LAUNCH_NS], [np.concatenate(flight)])


def test_boost_within_a_metre_of_a_fine_integration(ephemeris):
    fine = trajectory(PLAN, THETA0, step_s=0.1, since_launch=True)
    t_ns = LAUNCH_NS + np.rint(fine[:, 0] * 1e9).astype(np.int64)
    inside = t_ns <= ephemeris.span(0)[1]
    x = ephemeris.states(0, t_ns[inside])
    assert np.linalg.norm(x[:, :3] - fine[inside, 1:4], axis=1).max() < 0.5
    assert np.linalg.norm(x[:, 3:] - fine[inside, 4:7], axis=1).max() < 0.5


def test_coast_and_reentry_within_a_metre_of_a_fine_integration(flight, ephemeris):
    _, coast = flight
    # a chain of short steps of its own, from burnout to the ground
    x, t = coast[:1, 1:7].copy(), LAUNCH_NS + round(coast[0, 0] * 1e9)
    end = ephemeris.span(0)[1]
    worst = 0.0
    while t + 250_000_000 < end:
        x = propagate(x, t, t + 250_000_000, THETA0, BETA)
        t += 250_000_000
        worst = max(worst, float(np.linalg.norm(ephemeris.states(0, t)[0, :3] - x[0, :3])))
    assert worst < 1.0


def test_it_passes_through_its_nodes_and_knows_both_sides_of_a_burnout(flight, ephemeris):
    boost, _ = flight
    for row in (0, 30, len(boost) - 1):
        t_ns = LAUNCH_NS + round(boost[row, 0] * 1e9)
        assert ephemeris.states(0, t_ns)[0] == pytest.approx(boost[row, 1:7], abs=1e-4)
    before, after = (ephemeris.states(0, LAUNCH_NS + int(60e9) + s)[0, 3:] for s in (-(10**7), 10**7))
    at = ephemeris.states(0, LAUNCH_NS + int(60e9))[0, 3:]
    assert np.linalg.norm(at - before) / 0.01 > 50.0  # last of the first stage's thrust
    assert np.linalg.norm(after - at) / 0.01 < 15.0  # gravity and drag alone


@given(st.lists(st.floats(-100, 100), min_size=18, max_size=18), st.floats(0, 1))
def test_quintics_and_cubics_are_exact(coefficients, s):
    c = np.array(coefficients).reshape(3, 6)
    times = np.array([2.0, 5.0])

    def poly(degree, t):
        p = [np.polynomial.Polynomial(row[: degree + 1]) for row in c]
        return np.concatenate(
            [[f(t - 2.0) for f in p], [f.deriv()(t - 2.0) for f in p], [f.deriv(2)(t - 2.0) for f in p]]
        )

    out = np.empty(6)
    t = 2.0 + 3.0 * s
    for degree, width in ((5, 10), (3, 7)):
        nodes = np.array([[v, *poly(degree, v)[: width - 1]] for v in times])
        assert k.state_at(nodes, 0, 2, t, out)
        assert out == pytest.approx(poly(degree, t)[:6], rel=1e-9, abs=1e-7)


def test_many_objects():
    a, b = np.zeros((2, 10)), np.zeros((3, 10))
    a[:, 0], b[:, 0] = (0.0, 10.0), (0.0, 1.0, 2.5)
    a[:, 1], a[:, 4] = (0.0, 10.0), 1.0
    b[:, 2] = 5.0
    e = Ephemeris([100, 10**9], [a, b])
    assert len(e) == 2
    assert e.span(0) == (100, 10_000_000_100)
    assert e.span(1) == (10**9, 3_500_000_000)
    x = e.states([1, 0, 1], [10**9, 5_000_000_100, 3_500_000_000])
    assert x[:, :3].tolist() == [[0.0, 5.0, 0.0], [5.0, 0.0, 0.0], [0.0, 5.0, 0.0]]
    assert e.states(0, [100, 200]).shape == (2, 6)
    assert e.states([], []).shape == (0, 6)
    with pytest.raises(
        OutsideEphemeris, match="object 1 has states from 1000000000 to 3500000000 ns, asked for 3500000001 ns"
    ):
        e.states([0, 1], [200, 3_500_000_001])
    with pytest.raises(OutsideEphemeris):
        e.states(0, 99)
    with pytest.raises(IndexError, match="between 0 and 1"):
        e.states(2, 200)
    with pytest.raises(IndexError):
        e.states(-1, 200)
    assert len(Ephemeris([], [])) == 0


@given(st.floats(0, 1e4), st.floats(1e-3, 1e4), st.integers(-(10**12), 10**12))
def test_spans_are_answered_to_their_very_ends(start, length, launch_ns):
    nodes = np.zeros((2, 10))
    nodes[:, 0] = start, start + length
    e = Ephemeris([launch_ns], [nodes])
    t0, t1 = e.span(0)
    assert e.states(0, [t0, t1]).shape == (2, 6)
    assert abs(t0 - launch_ns - start * 1e9) < 5
    assert abs(t1 - launch_ns - (start + length) * 1e9) < 5
    for outside in (t0 - 1, t1 + 1):
        with pytest.raises(OutsideEphemeris):
            e.states(0, outside)


def test_nodes_that_do_not_fit_are_refused():
    backwards = np.zeros((2, 10))
    backwards[:, 0] = 1.0, 0.0
    for starts, nodes, text in (
        ([0], [], "1 start times for 0 objects"),
        ([0], [np.zeros((2, 7))], r"object 0: nodes need the shape \(m, 10\), found \(2, 7\)"),
        ([0], [backwards], "their times must not fall"),
        ([0], [np.full((1, 10), np.nan)], "must be finite"),
    ):
        with pytest.raises(ValueError, match=text):
            Ephemeris(starts, nodes)
