"""Objects close together through the tracker: weighed, searched for, and the same bits however the data come."""

from __future__ import annotations

import copy
import math

import msgspec
import numpy as np
import pytest

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.clock import parse_utc
from tocsin.earth.frames import gmst82
from tocsin.tracking import Observer, Tracking
from tocsin.tracking.door import EPOCH

THETA0 = gmst82(parse_utc(EPOCH))
ORIGIN = np.array([0.0, 0.0, 6371e3])
RADARS = {"one": np.zeros(3), "two": np.array([250e3, -60e3, 0.0])}
SIGMA = np.array([30.0, math.radians(0.1), math.radians(0.1)])  # about a kilometre across at 600 km
PD, FALSE = 0.9, 10.0
MIDDLE = ORIGIN + np.array([0.0, 550e3, 110e3])
SD = np.array([500.0] * 3 + [50.0] * 3)


def observers():
    return [
        Observer.at_rest(
            name, position_m=ORIGIN + place, axes=np.eye(3).tolist(), scan_period_s=1.0, detection_probability=PD,
            false_alarms=FALSE, azimuth_deg=(-60.0, 60.0), elevation_deg=(0.0, 30.0), range_km=(200.0, 1400.0),
        )
        for name, place in RADARS.items()
    ]  # fmt: skip


def seen(x, name):
    """Range, azimuth, elevation (n, 3) of positions, by plain trigonometry."""
    d = x[:, :3] - ORIGIN - RADARS[name]
    r = np.linalg.norm(d, axis=1)
    return np.column_stack((r, np.arctan2(d[:, 0], d[:, 1]), np.arcsin(d[:, 2] / r)))


class World:
    """Objects ``x`` (n, 6) seen by both radars for some seconds, among clutter; truth (seconds, n, 6)."""

    def __init__(self, x, seconds, seed):
        rng = np.random.Generator(np.random.PCG64(seed))
        self.x0 = x + SD * rng.standard_normal(x.shape)
        self.truth = np.empty((seconds, *x.shape))
        self.rows = []  # one list of (sensor, t, z) a scan
        Phi = np.empty((6, 6))
        for k in range(seconds):
            for i in range(len(x)):
                coast_to_stm(x[i], 0.0, k + 1.0, THETA0, self.truth[k, i], Phi)
            for name in RADARS:
                z = seen(self.truth[k], name) + SIGMA * rng.standard_normal((len(x), 3))
                z = z[rng.random(len(x)) < PD]
                places = ORIGIN + rng.uniform([-300e3, 400e3, 80e3], [300e3, 900e3, 150e3], (rng.poisson(FALSE), 3))
                self.rows.append([(name, k + 1.0, v) for v in np.concatenate((z, seen(places, name)))])

    def tracking(self, association, **more):
        tracker = Tracking(
            observers(), models=("coast",), association=association, noise={"coast": 0.01}, initiation=False,
            deletion=False, lag_s=20.0, **more,
        )  # fmt: skip
        tracker.start(self.x0, np.broadcast_to(np.diag(SD**2), (len(self.x0), 6, 6)), 0.0)
        return tracker


def table(rows):
    return {
        "sensor": [r[0] for r in rows],
        "t_s": [r[1] for r in rows],
        "measurement": [r[2] for r in rows],
        "covariance": [np.diag(SIGMA**2).ravel()] * len(rows),
    }


def feed(tracker, world, first=0, last=None):
    """Each second's scans; the tracks of each (seconds, n, 6)."""
    told = []
    for k in range(first, len(world.truth) if last is None else last):
        step = tracker.step(k + 1.0, table(world.rows[2 * k] + world.rows[2 * k + 1]))
        told.append(step.told.tracks["x"][:, :6])
    return np.array(told)


def off(tracked, truth):
    """Mean over time of the RMS distance of tracks and objects, whoever is who (brute force over permutations)."""
    from itertools import permutations

    orders = [list(p) for p in permutations(range(truth.shape[1]))]
    out = []
    for x, y in zip(tracked, truth, strict=True):
        d2 = ((x[:, None, :3] - y[None, :, :3]) ** 2).sum(axis=2)
        out.append(min(math.sqrt(np.mean(d2[range(len(y)), p])) for p in orders))
    return float(np.mean(out))


def crossing(seed, n=2):
    """Objects that meet within a few hundred metres after 15 s, at 300 m/s across."""
    rng = np.random.Generator(np.random.PCG64(seed))
    x = np.empty((n, 6))
    side = np.linspace(-1.0, 1.0, n)
    for i in range(n):
        v = np.array([side[i] * 150.0, 2000.0, 1900.0])
        x[i] = np.r_[MIDDLE - 15.0 * np.array([v[0], 0.0, 0.0]) + rng.normal(0, 150, 3), v]
    return x


def beside(seed, n=4):
    """Objects in a box of a kilometre with speeds that differ by a per cent or two."""
    rng = np.random.Generator(np.random.PCG64(seed))
    x = np.empty((n, 6))
    for i in range(n):
        v = np.array([300.0, 2000.0, 1900.0]) * rng.uniform(0.96, 1.04)
        x[i] = np.r_[MIDDLE + rng.uniform(-500, 500, 3), v]
    return x


@pytest.mark.parametrize(("make", "share"), [(crossing, 1.0), (beside, 0.9)])
def test_close_objects_lose_less_than_with_the_nearest_neighbour(make, share):
    found = {way: [] for way in ("gnn", "jpda", "mht", "auto")}
    for seed in range(3):
        world = World(make(seed), 20, 40 + seed)
        for way, errors in found.items():
            errors.append(off(feed(world.tracking(way), world)[5:], world.truth[5:]))
    mean = {way: float(np.mean(v)) for way, v in found.items()}
    assert mean["jpda"] < mean["gnn"]
    assert mean["mht"] < share * mean["gnn"]
    assert mean["auto"] < share * mean["gnn"]


def test_where_nothing_is_in_doubt_all_choose_the_same():
    x = np.repeat(crossing(0)[:1], 3, axis=0)
    x[:, 0] += [-100e3, 0.0, 100e3]
    world = World(x, 8, 1)
    given = feed(world.tracking("gnn"), world)
    np.testing.assert_array_equal(feed(world.tracking("auto"), world), given)
    # blending leaves a trace of what is next to impossible; 200 m are a fifth of a sigma across
    np.testing.assert_allclose(feed(world.tracking("jpda"), world), given, atol=200.0)


@pytest.mark.parametrize("association", ["jpda", "mht", "auto"])
def test_order_of_detections_late_scans_and_snapshots_change_no_bit(association):
    world = World(beside(7), 14, 3)
    given = feed(world.tracking(association, window=8), world)

    rng = np.random.Generator(np.random.PCG64(2))
    shuffled = World(beside(7), 14, 3)
    shuffled.rows = [[rows[i] for i in rng.permutation(len(rows))] for rows in world.rows]
    np.testing.assert_array_equal(feed(shuffled.tracking(association, window=8), shuffled), given)

    late = world.tracking(association, window=8)
    feed(late, world, last=6)
    for k in (7, 6, 8):  # the scans of these seconds come in this order
        late.step(9.0, table(world.rows[2 * k + 1]))
        late.step(9.0, table(world.rows[2 * k]))
    np.testing.assert_array_equal(feed(late, world, first=9), given[9:])

    first = world.tracking(association, window=8)
    feed(first, world, last=9)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(first._tracker.state()))
    second = copy.deepcopy(first)  # with its numbers of scans; the tracker in it forgets all and loads
    second._tracker.load(kept)
    for k in range(9, 14):
        part = table(world.rows[2 * k] + world.rows[2 * k + 1])
        a, b = first.step(k + 1.0, part), second.step(k + 1.0, part)
        np.testing.assert_array_equal(a.told.tracks["x"], b.told.tracks["x"])
        np.testing.assert_array_equal(a.told.tracks["x"][:, :6], given[k])


def test_with_clutter_alone_beside_it_a_track_is_blended_and_goes_on():
    world = World(crossing(3)[:1], 20, 9)
    told = feed(world.tracking("jpda"), world)
    assert off(told[10:], world.truth[10:]) < 600.0
