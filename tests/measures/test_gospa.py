"""GOSPA against its definition by brute force, SciPy's assignment, and the axioms of a metric."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from tocsin.measures.gospa import gospa, gospa_over, least_cost


def by_definition(x, y, c, p):
    """The minimum over every assignment set, as the paper writes it."""
    best = math.inf
    for k in range(min(len(x), len(y)) + 1):
        for chosen in itertools.combinations(range(len(x)), k):
            for given_ in itertools.permutations(range(len(y)), k):
                s = sum(np.linalg.norm(x[i] - y[j]) ** p for i, j in zip(chosen, given_, strict=True))
                best = min(best, s + c**p / 2 * (len(x) + len(y) - 2 * k))
    return best ** (1 / p)


@settings(max_examples=60)
@given(
    st.integers(0, 4), st.integers(0, 4), st.sampled_from([1.0, 2.0, 3.0]), st.floats(0.5, 8.0), st.integers(0, 10_000)
)
def test_it_is_the_least_over_all_assignments(n, m, p, c, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 5, (n, 2)), rng.uniform(0, 5, (m, 2))
    got = gospa(x, y, c, p)
    assert got.distance == pytest.approx(by_definition(x, y, c, p), rel=1e-12, abs=1e-12)
    assert got.localisation + got.missed + got.false == pytest.approx(got.distance**p, rel=1e-9, abs=1e-12)
    assigned = int((got.pair >= 0).sum())
    assert got.missed == pytest.approx(c**p / 2 * (n - assigned))
    assert got.false == pytest.approx(c**p / 2 * (m - assigned))


def test_a_case_worked_out_by_hand():
    # two objects; one estimate 3 off, one 40 off; c = 10, p = 2: 9 localised, one missed and one false of 50 each
    got = gospa(np.array([[0.0, 0.0], [100.0, 0.0]]), np.array([[0.0, 3.0], [100.0, 40.0]]), 10.0)
    assert (got.localisation, got.missed, got.false) == (9.0, 50.0, 50.0)
    assert got.distance == pytest.approx(math.sqrt(109.0))
    assert got.pair.tolist() == [0, -1]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.5, 6.0))
def test_it_is_a_metric(seed, c):
    rng = np.random.default_rng(seed)
    x, y, z = (rng.uniform(0, 4, (rng.integers(0, 6), 3)) for _ in range(3))

    def d(a, b):
        return gospa(a, b, c).distance

    assert d(x, x) == 0.0
    assert d(x, y) == pytest.approx(d(y, x), rel=1e-12, abs=1e-12)
    assert d(x, z) <= d(x, y) + d(y, z) + 1e-9


def test_many_close_objects_as_scipy_assigns_them():
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 60, (300, 3))
    y = np.concatenate((x[:260] + rng.normal(0, 2.0, (260, 3)), rng.uniform(0, 60, (70, 3))))
    c = 6.0
    cost = np.minimum(((x[:, None] - y[None]) ** 2).sum(axis=2), c**2)
    i, j = linear_sum_assignment(cost)
    expected = cost[i, j].sum() + c**2 / 2 * abs(len(x) - len(y))
    assert gospa(x, y, c).distance ** 2 == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(0, 8), st.integers(0, 10_000))
def test_least_cost_is_scipys(n, more, seed):
    cost = np.random.default_rng(seed).uniform(-1, 1, (n, n + more))
    column = np.empty(n, dtype=np.int64)
    least_cost(cost, column)
    i, j = linear_sum_assignment(cost)
    assert len(set(column.tolist())) == n
    assert cost[np.arange(n), column].sum() == pytest.approx(cost[i, j].sum(), abs=1e-12)


def test_frames_are_what_each_is_alone():
    rng = np.random.default_rng(2)
    sizes = [(3, 4), (0, 2), (5, 0), (2, 2), (0, 0)]
    x = [rng.uniform(0, 9, (n, 3)) for n, _ in sizes]
    y = [rng.uniform(0, 9, (m, 3)) for _, m in sizes]
    starts = [np.r_[0, np.cumsum([len(r) for r in rows])] for rows in (x, y)]
    got = gospa_over(np.concatenate(x), starts[0], np.concatenate(y), starts[1], 3.0)
    alone = [gospa(a, b, 3.0) for a, b in zip(x, y, strict=True)]
    assert got.distance.tolist() == [g.distance for g in alone]
    assert got.false.tolist() == [g.false for g in alone]
    assert got.pair.tolist() == np.concatenate([g.pair for g in alone]).tolist()
    assert got.rms() == pytest.approx(math.sqrt(np.mean([g.distance**2 for g in alone])))


@pytest.mark.parametrize(
    ("x", "c", "p", "said"),
    [
        (np.zeros((1, 2)), 0.0, 2.0, "cut-off above 0"),
        (np.zeros((1, 2)), 1.0, 0.5, "power of 1 or more"),
        (np.zeros((1, 3)), 1.0, 2.0, "truth has 3 columns, estimates 2"),
        (np.full((1, 2), np.nan), 1.0, 2.0, "not finite"),
        (np.zeros(2), 1.0, 2.0, "expected rows"),
    ],
)
def test_what_is_no_set_of_states_is_refused(x, c, p, said):
    with pytest.raises(ValueError, match=said):
        gospa(x, np.zeros((1, 2)), c, p)
