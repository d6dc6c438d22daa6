"""Marginals against the sum over all joint events; blending against moments taken of samples' definition."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.tracking.association import components
from tocsin.tracking.jpda import ambiguity, blend, choose, marginals, merged_marginals, unresolved


def by_force(tracks, dets, gain, missed):
    """Marginals by writing out every joint event."""
    rows = np.unique(tracks)
    choices = [[-1, *np.flatnonzero((tracks == r) & np.isfinite(gain))] for r in rows]
    beta, none, whole = np.zeros(len(tracks)), np.zeros(len(rows)), 0.0
    for event in itertools.product(*choices):
        used = [dets[i] for i in event if i >= 0]
        if len(set(used)) < len(used):
            continue
        w = math.exp(sum(gain[i] if i >= 0 else missed[a] for a, i in enumerate(event)))
        whole += w
        for a, i in enumerate(event):
            if i >= 0:
                beta[i] += w
            else:
                none[a] += w
    return beta / whole, none / whole


def some_pairs(seed, tracks, dets, count):
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = rng.choice(tracks * dets, size=min(count, tracks * dets), replace=False)
    gain = rng.normal(2.0, 3.0, len(chosen))
    gain[rng.random(len(chosen)) < 0.1] = -math.inf
    return chosen // dets * 2 + 1, chosen % dets * 5, gain, rng.uniform(-3.0, -0.1, tracks)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5), st.integers(1, 18))
def test_exact_is_the_sum_over_all_events(seed, n, m, count):
    tracks, dets, gain, missed = some_pairs(seed, n, m, count)
    missed = missed[: len(np.unique(tracks))]
    beta, none = marginals(tracks, dets, gain, missed)
    expected, left = by_force(tracks, dets, gain, missed)
    assert np.allclose(beta, expected, atol=1e-12, rtol=1e-9)
    assert np.allclose(none, left, atol=1e-12, rtol=1e-9)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(tracks))
    again, _ = marginals(tracks[order], dets[order], gain[order], missed)
    assert np.array_equal(again, beta[order])


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(2, 5), st.integers(1, 18))
def test_belief_propagation_is_near_and_sums_to_one(seed, n, m, count):
    tracks, dets, gain, missed = some_pairs(seed, n, m, count)
    missed = missed[: len(np.unique(tracks))]
    beta, none = marginals(tracks, dets, gain, missed, most=0)
    expected, _ = by_force(tracks, dets, gain, missed)
    assert np.all(beta >= 0.0)
    assert np.all(none >= 0.0)
    sums = np.bincount(np.unique(tracks, return_inverse=True)[1], beta) + none
    assert np.allclose(sums, 1.0)
    # Williams and Lau (2014) see errors of some hundredths; the worst of cycles as strong as these stays under this
    assert np.max(np.abs(beta - expected)) < 0.3


def test_belief_propagation_is_exact_on_a_tree():
    # track 0 - det 0 - track 1 - det 1 - track 2: no cycle
    tracks, dets = np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1])
    gain, missed = np.array([1.0, 2.0, 0.5, 3.0]), np.array([-1.0, -2.0, -0.3])
    beta, none = marginals(tracks, dets, gain, missed, most=0)
    expected, left = by_force(tracks, dets, gain, missed)
    assert np.allclose(beta, expected, atol=1e-9)
    assert np.allclose(none, left, atol=1e-9)


def test_equal_pairs_share_alike():
    """n tracks and n detections, all alike and never missed: each pair has probability 1 / n."""
    n = 10
    tracks, dets = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    beta, none = marginals(tracks, dets, np.full(n * n, 3.0), -60.0)
    assert np.allclose(beta, 1.0 / n, atol=1e-9)
    assert np.all(none < 1e-9)


def test_enormous_gains_do_not_overflow():
    # both want detection 0, by e^5000; track 1 loses least by taking the other
    tracks, dets = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    gain = np.array([5000.0, 10.0, 5000.0, 12.0])
    beta, none = marginals(tracks, dets, gain, -1.0)
    share = 1.0 / (1.0 + math.exp(-2.0))  # 5000 + 12 against 5000 + 10
    assert beta == pytest.approx([share, 1 - share, 1 - share, share], abs=2e-5)  # missing one: e^-11
    assert np.all(none < 1e-4)


def test_a_net_too_large_goes_to_belief_propagation_by_count():
    rng = np.random.Generator(np.random.PCG64(4))
    n = 40
    tracks, dets = np.repeat(np.arange(n), n), np.tile(np.arange(n), n)
    gain = rng.normal(0.0, 2.0, n * n)
    beta, none = marginals(tracks, dets, gain, -2.3)
    assert np.allclose(beta.reshape(n, n).sum(axis=1) + none, 1.0)
    loopy, _ = marginals(tracks, dets, gain, -2.3, most=0)
    assert np.array_equal(beta, loopy)


def test_no_pairs():
    beta, none = marginals(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0), -1.0)
    assert len(beta) == len(none) == 0


def test_blend_has_the_moments_of_the_mixture():
    rng = np.random.Generator(np.random.PCG64(9))
    k, models, slots = 7, 2, 4
    group = np.array([0, 0, 0, 1, 1, 1, 1])
    x = rng.normal(size=(k, models, slots))
    root = rng.normal(size=(k, models, slots, slots))
    P = root @ np.swapaxes(root, -1, -2)
    mu = rng.random((k, models))
    mu /= mu.sum(axis=1, keepdims=True)
    weight = rng.random(k)
    xo, Po, muo = blend(group, 2, weight, x, P, mu)
    for a in range(2):
        own = group == a
        share = weight[own, None] * mu[own] / weight[own].sum()
        assert np.allclose(muo[a], share.sum(axis=0))
        for m in range(models):
            w = share[:, m] / share[:, m].sum()
            mean = np.einsum("h,hi->i", w, x[own, m])
            second = np.einsum("h,hij->ij", w, P[own, m] + np.einsum("hi,hj->hij", x[own, m], x[own, m]))
            assert np.allclose(xo[a, m], mean)
            assert np.allclose(Po[a, m], second - np.outer(mean, mean))


def test_a_model_nobody_believes_keeps_a_state():
    x = np.array([[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]])
    P = np.tile(np.eye(2), (2, 2, 1, 1))
    mu = np.array([[1.0, 0.0], [1.0, 0.0]])
    xo, Po, muo = blend(np.array([0, 0]), 1, np.array([0.2, 0.8]), x, P, mu)
    assert muo.tolist() == [[1.0, 0.0]]
    assert xo[0, 1].tolist() == [7.0, 8.0]
    assert np.array_equal(Po[0, 1], np.eye(2))


def test_doubt_and_what_follows_from_it():
    # component 0: two tracks and two detections all alike; component 1: one sure pair
    tracks, dets = np.array([0, 0, 1, 1, 5]), np.array([0, 1, 0, 1, 9])
    gain = np.array([8.0, 8.0, 8.0, 8.0, 12.0])
    component = components(tracks, dets)
    doubt = ambiguity(tracks, component, *marginals(tracks, dets, gain, -2.0))
    assert doubt[0] == pytest.approx(0.5, abs=1e-3)
    assert doubt[1] < 1e-5
    assert [choose(doubt[0], 2), choose(doubt[1], 1), choose(0.4, 100)] == ["window", "gnn", "jpda"]


def merged_by_force(tracks, dets, gain, missed, pairs, chance, which, at, gain_merged):
    """Every set of merged pairs, every joint event in it."""
    rows = np.unique(tracks)
    beta, none, both, whole = np.zeros(len(tracks)), np.zeros(len(rows)), np.zeros(len(which)), 0.0
    for chosen in itertools.product((False, True), repeat=len(pairs)):
        members = [j for j, c in enumerate(chosen) if c]
        used = [t for j in members for t in pairs[j]]
        if len(set(used)) < len(used):
            continue
        prior = math.prod(chance[j] if c else 1.0 - chance[j] for j, c in enumerate(chosen))
        sources = [("track", t) for t in rows if t not in used] + [("pair", j) for j in members]
        options = [
            [-1, *(np.flatnonzero(tracks == t) if kind == "track" else np.flatnonzero(which == t))]
            for kind, t in sources
        ]
        for event in itertools.product(*options):
            taken = [
                dets[i] if kind == "track" else at[i] for (kind, _), i in zip(sources, event, strict=True) if i >= 0
            ]
            if len(set(taken)) < len(taken):
                continue
            w = prior
            for (kind, t), i in zip(sources, event, strict=True):
                if i < 0:
                    w *= math.exp(missed[np.searchsorted(rows, t if kind == "track" else pairs[t][0])])
                else:
                    w *= math.exp(gain[i] if kind == "track" else gain_merged[i])
            whole += w
            for (kind, t), i in zip(sources, event, strict=True):
                if i < 0:
                    none[np.searchsorted(rows, [t] if kind == "track" else pairs[t])] += w
                elif kind == "track":
                    beta[i] += w
                else:
                    both[i] += w
    return beta / whole, none / whole, both / whole


@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(1, 3))
def test_merged_detections_are_the_sum_over_all_events(seed, n, m):
    rng = np.random.Generator(np.random.PCG64(seed))
    tracks, dets = np.repeat(np.arange(n) * 2, m), np.tile(np.arange(m), n)
    gain, missed = rng.normal(1.0, 2.0, n * m), rng.uniform(-3.0, -0.1, n)
    every = np.array(list(itertools.combinations(np.arange(n) * 2, 2)))
    pairs = every[: rng.integers(1, len(every) + 1)]
    chance = rng.uniform(0.0, 1.0, len(pairs))
    which, at = np.repeat(np.arange(len(pairs)), m), np.tile(np.arange(m), len(pairs))
    gain_merged = rng.normal(1.0, 2.0, len(which))
    keep = rng.random(len(which)) < 0.7  # some pairs have no detection in their gate
    which, at, gain_merged = which[keep], at[keep], gain_merged[keep]
    found = merged_marginals(tracks, dets, gain, missed, pairs, chance, which, at, gain_merged)
    expected = merged_by_force(tracks, dets, gain, missed, pairs, chance, which, at, gain_merged)
    for f, e in zip(found, expected, strict=True):
        assert np.allclose(f, e, atol=1e-12, rtol=1e-8)


def test_resolution_is_a_half_at_one_cell():
    assert unresolved(np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 0.02]]), np.array([100.0, 0.02])).tolist() == [
        1.0,
        0.5,
        0.5,
    ]


def test_a_merged_pair_needs_tracks():
    one = np.array([0])
    with pytest.raises(ValueError, match="without a row"):
        merged_marginals(one, one, np.ones(1), -1.0, np.array([[0, 3]]), np.array([0.5]), one, one, np.ones(1))
