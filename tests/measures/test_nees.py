"""NEES against NumPy, chi-square and the chart's own definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tocsin.measures.nees import anees, chart_errors, chart_nees, nees
from tocsin.tracking.filter import chart_axes, from_chart

CENTRE = np.array([3.0e6, 4.5e6, 3.6e6, -330.0, 220.0, 0.0])


def covariances(rng, k, n, scale):
    root = rng.standard_normal((k, n, n + 2)) * np.asarray(scale)[:, None]
    return root @ root.transpose(0, 2, 1)


def test_it_is_the_quadratic_form():
    rng = np.random.default_rng(1)
    scale = np.array([1e4, 1e4, 30.0, 5.0, 1e-3, 1e-6])
    P = covariances(rng, 20, 6, scale)
    e = rng.standard_normal((20, 6)) * scale
    expected = [v @ np.linalg.solve(p, v) for v, p in zip(e, P, strict=True)]
    np.testing.assert_allclose(nees(e, P), expected, rtol=1e-8)


def test_no_covariance_gives_no_finite_value():
    e = np.ones((2, 2))
    P = np.array([[[1.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
    assert np.isinf(nees(e, P)).all()


@given(st.integers(0, 10_000))
def test_the_charts_error_leads_from_the_estimate_to_the_truth(seed):
    rng = np.random.default_rng(seed)
    x = CENTRE + rng.uniform(-1, 1, 6) * np.r_[[2e6] * 3, [5e3] * 3]
    truth = x + rng.uniform(-1, 1, 6) * np.r_[[2e5] * 3, [500.0] * 3]
    error, _, _ = chart_errors(truth[None], x[None], np.eye(6)[None], CENTRE)
    axes, y = np.empty((3, 3)), np.empty(6)
    chart_axes(x, CENTRE, axes, y)
    back = np.empty(6)
    from_chart(y + error[0], CENTRE, axes, back, np.empty((6, 6)))
    np.testing.assert_allclose(back[:3], truth[:3], atol=1e-5)
    np.testing.assert_allclose(back[3:], truth[3:], atol=1e-6)


def test_small_errors_count_the_same_in_the_chart():
    rng = np.random.default_rng(3)
    x = np.tile(CENTRE + np.r_[8e5, 3e5, 9e5, 3e3, 1e3, -2e3], (30, 1))
    P = covariances(rng, 30, 6, [3.0, 3.0, 3.0, 0.1, 0.1, 0.1])
    truth = x + np.stack([np.linalg.cholesky(p) @ rng.standard_normal(6) for p in P])
    np.testing.assert_allclose(chart_nees(truth, x, P, CENTRE), nees(truth - x, P), rtol=1e-3)


def test_a_bent_shell_is_consistent_in_the_chart_and_not_in_cartesian_axes():
    # exact draws of range and direction at 2,000 km: 30 m, 0.3 deg; DESIGN section 9 names the same trap
    rng = np.random.default_rng(4)
    x = CENTRE + np.r_[2e6, 0.0, 0.0, 0.0, 3e3, 0.0]
    axes, y = np.empty((3, 3)), np.empty(6)
    chart_axes(x, CENTRE, axes, y)
    sigma = np.r_[30.0, np.radians([0.3, 0.3]), 5.0, 1e-5, 1e-5]
    G, truth = np.empty((6, 6)), np.empty((400, 6))
    for row in truth:
        from_chart(y + sigma * rng.standard_normal(6), CENTRE, axes, row, np.empty((6, 6)))
    from_chart(y, CENTRE, axes, np.empty(6), G)
    P = np.tile(G @ np.diag(sigma**2) @ G.T, (400, 1, 1))
    states = np.tile(x, (400, 1))
    assert anees(chart_nees(truth, states, P, CENTRE), 6).consistent
    # the shell's sag alone, (a^2 + b^2) / 2R against 30 m of range, adds 2 s^4 / (R^2 30^2) = 6.7 to the mean
    assert nees(truth - states, P).mean() > 9.0


def test_the_interval_is_chi_squares():
    got = anees(np.full(50, 6.0), 6)
    assert got.consistent
    assert got.mean == 6.0
    # Bar-Shalom and others (2001), example of section 5.4.2: 50 runs of two components, 95 %: 1.5 to 2.6
    two = anees(np.full(50, 2.0), 2)
    assert (round(two.low, 1), round(two.high, 1)) == (1.5, 2.6)
    assert stats.chi2.cdf(50 * two.high, 100) - stats.chi2.cdf(50 * two.low, 100) == pytest.approx(0.95)


def test_drawn_errors_are_consistent_and_boasts_are_not():
    rng = np.random.default_rng(7)
    P = covariances(rng, 500, 4, [1.0, 10.0, 0.1, 1.0])
    e = np.stack([np.linalg.cholesky(p) @ rng.standard_normal(4) for p in P])
    assert anees(nees(e, P), 4).consistent
    assert not anees(nees(e, 0.8 * P), 4).consistent
    assert anees(nees(e, P), 4).mean / 4 == pytest.approx(1.0, abs=3 * math.sqrt(2 / (4 * 500)))


@pytest.mark.parametrize(("values", "dof", "level"), [([], 2, 0.95), ([1.0], 0, 0.95), ([1.0], 2, 1.0)])
def test_nothing_to_average_is_refused(values, dof, level):
    with pytest.raises(ValueError, match="expected values"):
        anees(np.array(values), dof, level)


def test_shapes_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match=r"errors \(k, n\)"):
        nees(np.zeros((2, 3)), np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"states \(k, 6\)"):
        chart_nees(np.zeros((2, 6)), np.zeros((1, 6)), np.zeros((1, 6, 6)), CENTRE)
