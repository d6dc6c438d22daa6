"""Components against SciPy's graph search; the assignment against all permutations and SciPy's dense solver."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tocsin.tracking.association import assign, components


def best_by_force(pairs):
    """The greatest total over all ways to use each track and detection once at most."""
    best = 0.0
    for k in range(1, len(pairs) + 1):
        for some in itertools.combinations(pairs, k):
            if len({p[0] for p in some}) == k and len({p[1] for p in some}) == k:
                best = max(best, sum(p[2] for p in some))
    return best


def columns_of(pairs):
    """Tracks, detections and gains as arrays."""
    tracks, dets = (np.array([p[k] for p in pairs], dtype=np.int64) for k in (0, 1))
    return tracks, dets, np.array([p[2] for p in pairs], dtype=float)


def random_pairs(rng, n_tracks, n_dets, count, low=-2.0):
    """Distinct pairs with gains, in no order."""
    chosen = rng.choice(n_tracks * n_dets, size=min(count, n_tracks * n_dets), replace=False)
    return chosen // n_dets * 3, chosen % n_dets * 7, rng.uniform(low, 10.0, len(chosen))


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
        st.floats(-5.0, 20.0, allow_nan=False) | st.sampled_from([float("-inf"), float("inf"), float("nan"), 1.0, 2.0]),
        max_size=9,
    )
)
def test_it_is_the_best_and_uses_nothing_twice(table):
    pairs = [(t, d, g) for (t, d), g in table.items()]
    tracks, dets, gain = columns_of(pairs)
    chosen = assign(tracks, dets, gain)
    assert len(set(tracks[chosen])) == len(set(dets[chosen])) == len(chosen)
    assert np.all((gain[chosen] > 0) & np.isfinite(gain[chosen]))
    assert np.all(np.diff(tracks[chosen]) > 0)
    best = best_by_force([p for p in pairs if p[2] > 0 and np.isfinite(p[2])])
    assert abs(gain[chosen].sum() - best) < 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_large_components_against_scipy(seed, n_tracks, n_dets, coarse):
    rng = np.random.Generator(np.random.PCG64(seed))
    tracks, dets, gain = random_pairs(rng, n_tracks, n_dets, int(rng.integers(1, 400)))
    if coarse:
        gain = np.round(gain)  # many ties
    table = np.zeros((n_tracks, n_dets + n_tracks))
    table[:, :n_dets] = -1e9
    table[tracks // 3, dets // 7] = gain
    expected = table[linear_sum_assignment(table, maximize=True)].sum()
    chosen = assign(tracks, dets, gain)
    assert abs(gain[chosen].sum() - expected) < 1e-6
    # whatever order the pairs are given in, the same pairs are chosen
    order = rng.permutation(len(tracks))
    again = assign(tracks[order], dets[order], gain[order])
    assert np.array_equal(order[again], chosen)


@given(st.integers(0, 2**32 - 1))
def test_components_against_a_graph_search(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    tracks, dets, _ = random_pairs(rng, 12, 12, int(rng.integers(1, 20)))
    links = coo_array((np.ones(len(tracks)), (tracks, 40 + dets)), shape=(150, 150))
    _, label = connected_components(links, directed=False)
    found = components(tracks, dets)
    first = list(dict.fromkeys(label[tracks].tolist()))
    assert found.tolist() == [first.index(v) for v in label[tracks]]


def test_nothing_at_all():
    none = np.zeros(0, dtype=np.int64)
    assert len(components(none, none)) == len(assign(none, none, np.zeros(0))) == 0


def test_of_equal_gains_the_first_detection_is_taken():
    tracks, dets, gain = columns_of([(5, 9, 1.0), (5, 4, 1.0), (2, 9, 3.0), (2, 4, 3.0)])
    assert sorted(zip(tracks[assign(tracks, dets, gain)], dets[assign(tracks, dets, gain)], strict=True)) == [
        (2, 4),
        (5, 9),
    ]


def test_far_components_do_not_matter():
    tracks, dets = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    gain = np.array([5.0, 4.0, 4.5, 1.0])
    alone = assign(tracks, dets, gain)
    together = assign(np.r_[7, 8, 8, tracks], np.r_[7, 7, 8, dets], np.r_[1.0, 9.0, 3.0, gain])
    assert alone.tolist() == [1, 2]
    assert together[:2].tolist() == [4, 5]
