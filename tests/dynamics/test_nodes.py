"""Nodes of a smooth path against the path itself."""

import math

import numpy as np
import pytest

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.nodes import PathNotSmooth, path_nodes

RATE = 2 * math.pi / 5400.0


def circle(t):
    return 7e6 * np.column_stack([np.cos(RATE * t), np.sin(RATE * t), 0.0 * t])


def test_a_circle_is_followed():
    nodes = path_nodes(circle, 0.0, 10_000.0, 1000.0, within=0.1)
    times = np.linspace(0, 10_000, 3001)
    x = Ephemeris([0], [nodes]).states(0, np.rint(times * 1e9).astype(np.int64))
    assert np.linalg.norm(x[:, :3] - circle(times), axis=1).max() < 0.11
    v = 7e6 * RATE * np.column_stack([-np.sin(RATE * times), np.cos(RATE * times), 0 * times])
    assert np.linalg.norm(x[:, 3:] - v, axis=1).max() < 0.01
    a = -(RATE**2) * nodes[:, 1:4]
    assert np.abs(nodes[:, 7:10] - a).max() < 1e-7
    # an interval of h is good to h^6 7e6 RATE^6 / 46080: 0.1 m needs 360 s
    assert 20 < len(nodes) < 60


def test_intervals_are_halved_only_where_needed():
    def kink(t):
        return np.column_stack([1e6 / (1.0 + ((t - 3000.0) / 50.0) ** 2), 0 * t, 0 * t])

    nodes = path_nodes(kink, 0.0, 6000.0, 1000.0, within=0.5)
    steps = np.diff(nodes[:, 0])
    assert (steps > 0).all()
    near = np.abs(nodes[:-1, 0] - 3000.0) < 100
    assert steps[near].max() < 40 < steps.max()


def test_a_jump_is_refused():
    def jump(t):
        return np.column_stack([np.where(t > 1234.5, 1000.0, 0.0), 0 * t, 0 * t])

    with pytest.raises(PathNotSmooth, match=r"the path jumps near 12\d\d"):
        path_nodes(jump, 0.0, 3000.0, 500.0)


def test_a_jump_of_metres_is_joined_within_a_second():
    def jump(t):
        return circle(t) + np.column_stack([np.where(t > 1234.56, 6.0, 0.0), 0 * t, 0 * t])

    nodes = path_nodes(jump, 0.0, 3000.0, 500.0)
    times = np.concatenate([np.linspace(0, 1233.5, 500), np.linspace(1235.6, 3000, 500)])
    x = Ephemeris([0], [nodes]).states(0, np.rint(times * 1e9).astype(np.int64))
    assert np.linalg.norm(x[:, :3] - jump(times), axis=1).max() < 0.35
    assert len(nodes) < 150


def test_a_path_needs_a_length():
    with pytest.raises(ValueError, match=r"ends after it begins, found 5\.0 to 5\.0 s"):
        path_nodes(circle, 5.0, 5.0, 100.0)
