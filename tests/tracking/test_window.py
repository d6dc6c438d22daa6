"""The search over a window: frequencies of its samples against the sum over all assignments, ghosts of two radars."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.records.columns import Kind, Region
from tocsin.tracking.measure import h
from tocsin.tracking.window import Block, Effort, _evidence, _linear, _sample, _sum_up, explain

ORIGIN = np.array([0.0, 0.0, 6371e3])
RADARS = np.array([[0.0, 0.0, 0.0], [250e3, -60e3, 0.0]]) + ORIGIN
SIGMA = np.array([30.0, math.radians(0.1), math.radians(0.1)])
START = np.array([500.0] * 3 + [50.0] * 3)
LEVEL = 25.0  # ln Pd / (1 - Pd) / density of false detections: ten in a volume of 2e16 m3 at 700 km


def flown(x, t):
    out, F = np.empty(6), np.empty((6, 6))
    coast_to_stm(x, 0.0, t, 0.0, out, F)
    return out


def seen(x, platform):
    z, Hx, Hb, Ht = np.empty(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4)
    h(Kind.RAE, x, 0.0, Region.VIEW, platform, np.eye(3).ravel(), np.zeros(4), z, Hx, Hb, Ht)
    return z


def block_of(truth, seconds, rng, pd=0.9, radars=(0, 1)):
    """A window of scans and, of each detection, the object; the detections of a scan stand in order of range."""
    z, source, first, times, which = [], [], [0], [], []
    for t in seconds:
        for r in radars:
            platform = np.r_[RADARS[r], np.zeros(3)]
            found = []
            for k, x in enumerate(truth):
                if rng.random() < pd:
                    one = seen(flown(x, t), platform)
                    one[:3] += SIGMA * rng.standard_normal(3)
                    found.append((one, k))
            found.sort(key=lambda f: f[0][0])
            z += [f[0] for f in found]
            source += [f[1] for f in found]
            first.append(len(z))
            times.append(float(t))
            which.append(r)
    n = len(times)
    R = np.zeros((n, 4, 4))
    R[:, :3, :3] = np.diag(SIGMA**2)
    platforms = np.array([np.r_[RADARS[r], np.zeros(3)] for r in which])
    block = Block(
        np.array(times), np.zeros(n), np.array(which), np.full(n, Kind.RAE, dtype=np.int64),
        np.full(n, Region.VIEW, dtype=np.int64), platforms, np.tile(np.eye(3).ravel(), (n, 1)), R, np.array(first),
        np.array(z), np.zeros(len(z)), np.full(len(z), LEVEL),
    )  # fmt: skip
    return block, np.array(source)


def truth_of(block, source, n):
    own = np.full((n, len(block.t)), -1)
    for s in range(len(block.t)):
        for b in range(block.first[s], block.first[s + 1]):
            own[source[b], s] = b
    return own


def two(apart):
    x = np.array([[50e3, 600e3, 100e3, 800.0, 1900.0, 1900.0]]) + np.r_[ORIGIN, np.zeros(3)]
    return np.vstack((x, x + np.r_[apart, np.zeros(3)]))


def same_partition(own, other):
    return sorted(map(tuple, own.tolist())) == sorted(map(tuple, other.tolist()))


def test_samples_have_the_frequencies_of_the_posterior():
    rng = np.random.Generator(np.random.PCG64(3))
    truth = two([60.0, 40.0, 30.0])
    block, _ = block_of(truth, [1.0, 2.0], rng, pd=1.0, radars=(0,))
    n, scans, count = 2, 2, len(block.z)
    G, H = np.empty((n, scans, 6, 6)), np.empty((n, scans, 4, 6))
    y, r, c = np.empty((n, count, 6)), np.empty((n, count, 4)), np.empty((n, count))
    level = np.full(count, -1.0)  # so low that leaving a detection out happens
    for a in range(n):
        _linear(
            truth[a], 0.0, 0.0, 0.01, block.t, block.dt, block.kind, block.region, block.platform, block.attitude,
            block.R, block.first, block.z, block.late, level, G[a], H[a], y[a], r[a], c[a],
        )  # fmt: skip
    prior = np.tile(np.diag(START**-2.0), (n, 1, 1))
    y0 = np.zeros((n, 6))
    # every assignment, by its likelihood with the states integrated out
    options = [[(-1, -1), *itertools.permutations((-1, block.first[s], block.first[s] + 1), 2)] for s in range(scans)]
    options = [list(dict.fromkeys(per)) for per in options]
    weight = {}
    for event in itertools.product(*options):
        own = np.array(event, dtype=np.int64).T.copy()
        total = 0.0
        for a in range(n):
            info, Y, L, x = np.empty((6, 6)), np.empty(6), np.zeros((6, 6)), np.empty(6)
            total += _sum_up(own[a], prior[a], y0[a], G[a], y[a], c[a], info, Y) + _evidence(info, Y, L, x)
        weight[tuple(own.ravel())] = total
    most = max(weight.values())
    weight = {k: math.exp(v - most) for k, v in weight.items()}
    whole = sum(weight.values())
    own = np.full((n, scans), -1)
    states, spreads = np.empty((1, n, 6)), np.empty((1, n, 6, 6))
    met = dict.fromkeys(weight, 0)
    sweeps = 10_000
    for k in range(sweeps):
        _sample(own, prior, y0, G, y, c, block.first, 1, np.uint64(7), k, states, spreads)
        met[tuple(own.ravel())] += 1
    likely = [k for k, v in weight.items() if v / whole > 0.01]
    assert len(likely) > 5
    for k in likely:
        # sweeps are correlated: three standard errors of a hundred times fewer samples is generous, and still tells
        p = weight[k] / whole
        assert abs(met[k] / sweeps - p) < 3.0 * math.sqrt(p * (1.0 - p) / (sweeps / 100))


def test_ghosts_of_two_radars_are_left():
    """All that one radar saw was given to the wrong track: no exchange in a single scan mends it."""
    rng = np.random.Generator(np.random.PCG64(5))
    truth = two([900.0, 700.0, -300.0])
    block, source = block_of(truth, range(1, 21), rng)
    right = truth_of(block, source, 2)
    ghost = right.copy()
    ghost[:, 1::2] = right[::-1, 1::2]
    P = np.tile(np.diag((4.0 * START) ** 2), (2, 1, 1))
    found = explain(block, truth, P, 0.0, truth, ghost, 0.01, 20.0)
    assert same_partition(found.own, right)


def test_a_better_guess_is_taken_and_a_worse_one_left():
    rng = np.random.Generator(np.random.PCG64(12))
    truth = two([1200.0, 900.0, -500.0])
    block, source = block_of(truth, range(1, 16), rng)
    P = np.tile(np.diag(START**2), (2, 1, 1))
    end = np.array([flown(x, 15.0) for x in truth])
    small = np.tile(np.diag([50.0**2] * 3 + [5.0**2] * 3), (2, 1, 1))
    right = truth_of(block, source, 2)
    few = Effort(rounds=0, keep=1)  # no search: only the choice between the two
    bad = np.where(rng.random(right.shape[1]) < 0.5, right, right[::-1])
    better = explain(block, truth, P, 0.0, truth, bad, 0.01, 15.0, effort=few, guess=(end, small))
    assert same_partition(better.own, right)
    worse = explain(block, truth, P, 0.0, truth, right, 0.01, 15.0, effort=few, guess=(end + 3e3, small))
    assert same_partition(worse.own, right)


def test_far_objects_are_told_apart_and_estimated_as_by_least_squares():
    rng = np.random.Generator(np.random.PCG64(8))
    truth = two([20e3, 0.0, 0.0])
    block, source = block_of(truth, range(1, 11), rng)
    P = np.tile(np.diag(START**2), (2, 1, 1))
    begin = truth + START * rng.standard_normal((2, 6))
    found = explain(block, begin, P, 0.0, begin, np.zeros((2, 0), dtype=np.int64), 0.0, 0.0, effort=Effort(relinear=3))
    assert np.array_equal(found.own, truth_of(block, source, 2))
    for a in range(2):  # least squares by Gauss and Newton, with finite differences
        x = begin[a].copy()
        for _ in range(4):
            rows, rest = [np.diag(1.0 / START)], [(begin[a] - x) / START]
            for s, t in enumerate(block.t):
                b = found.own[a, s]
                if b < 0:
                    continue
                at = seen(flown(x, t), block.platform[s])[:3]
                step = np.array([1.0] * 3 + [0.01] * 3)
                J = np.array([(seen(flown(x + d, t), block.platform[s])[:3] - at) for d in np.diag(step)]).T / step
                rows.append(J / SIGMA[:, None])
                rest.append((block.z[b, :3] - at) / SIGMA)
            A = np.vstack(rows)
            x = x + np.linalg.lstsq(A, np.concatenate(rest), rcond=None)[0]
        sigma = np.sqrt(np.diag(np.linalg.inv(A.T @ A)))
        assert np.all(np.abs(found.x[a] - x) < 0.01 * sigma)
        assert np.allclose(np.sqrt(np.diag(found.P[a])), sigma, rtol=1e-3)


def test_the_same_data_give_the_same_bits_and_late_detections_their_own_time():
    rng = np.random.Generator(np.random.PCG64(2))
    truth = two([500.0, 200.0, 100.0])
    block, _ = block_of(truth, range(1, 6), rng)
    P = np.tile(np.diag(START**2), (2, 1, 1))
    none = np.zeros((2, 0), dtype=np.int64)
    one, other = (explain(block, truth, P, 0.0, truth, none, 0.01, 5.0, seed=4) for _ in range(2))
    assert np.array_equal(one.x, other.x)
    assert np.array_equal(one.P, other.P)
    # the times of all scans a little wrong, the detections late by as much: nearly the same
    early = Block(**{**block.__dict__, "t": block.t - 0.2, "late": np.full(len(block.z), 0.2)})
    third = explain(early, truth, P, 0.0, truth, none, 0.01, 5.0, seed=4)
    assert np.all(np.abs(third.x - one.x) < 0.2 * np.sqrt(np.einsum("aii->ai", one.P)))


def test_what_does_not_go_together_is_refused():
    rng = np.random.Generator(np.random.PCG64(2))
    truth = two([500.0, 200.0, 100.0])
    block, _ = block_of(truth, [1.0], rng)
    P = np.tile(np.diag(START**2), (2, 1, 1))
    with pytest.raises(ValueError, match="2 tracks and 2 scans"):
        explain(block, truth, P, 0.0, truth, np.zeros((3, 0), dtype=np.int64), 0.01, 1.0)
    with pytest.raises(ValueError, match="track 1 is not positive definite"):
        explain(
            block, truth, P * np.array([1.0, -1.0])[:, None, None], 0.0, truth, np.zeros((2, 0), dtype=int), 0.0, 1.0
        )
