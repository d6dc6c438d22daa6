"""The assignment against all permutations."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tocsin.tracking.association import assign


def best_by_force(pairs):
    """The greatest total over all ways to use each track and detection once at most."""
    best = 0.0
    for k in range(1, len(pairs) + 1):
        for some in itertools.combinations(pairs, k):
            if len({p[0] for p in some}) == k and len({p[1] for p in some}) == k:
                best = max(best, sum(p[2] for p in some))
    return best


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
        st.floats(-5.0, 20.0, allow_nan=False) | st.just(float("-inf")),
        max_size=9,
    )
)
def test_it_is_the_best_and_uses_nothing_twice(table):
    pairs = [(t, d, g) for (t, d), g in table.items()]
    tracks, detections = (np.array([p[k] for p in pairs], dtype=np.int64) for k in (0, 1))
    gain = np.array([p[2] for p in pairs], dtype=float)
    chosen = assign(tracks, detections, gain)
    assert len({c[0] for c in chosen}) == len({c[1] for c in chosen}) == len(chosen)
    assert all(gain[i] > 0 and tracks[i] == t and detections[i] == d for t, d, i in chosen)
    total = sum(gain[i] for _, _, i in chosen)
    assert abs(total - best_by_force([p for p in pairs if p[2] > 0])) < 1e-9


def test_far_components_do_not_matter():
    tracks, detections = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    gain = np.array([5.0, 4.0, 4.5, 1.0])
    alone = assign(tracks, detections, gain)
    together = assign(np.r_[tracks, 7, 8, 8], np.r_[detections, 7, 7, 8], np.r_[gain, 1.0, 9.0, 3.0])
    assert [c[:2] for c in alone] == [(0, 1), (1, 0)]
    assert [c for c in together if c[0] < 2] == alone
