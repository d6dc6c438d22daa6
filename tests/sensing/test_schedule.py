"""How a radar shares out its time: fence, track, what a centre asks for, and what a raid does to it."""

import math
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensing_world import DEG, THETA0, OnTheEarth, radar, sensor, targets
from test_radar import place

from tocsin.earth.clock import NS
from tocsin.records.columns import Status
from tocsin.records.shapes import Task
from tocsin.sensing.radar import Radars
from tocsin.sensing.rig import Rig
from tocsin.sensing.schedule import FORGET, look_factor, look_time, search_places, search_time

FENCE = {
    "el_min": 3.0 * DEG, "el_max": 85.0 * DEG, "fence": (3.0 * DEG, 10.0 * DEG), "track_period": 1.0,
    "reference_snr": 1e4, "swerling": 0, "scan_period": 1.0,
}  # fmt: skip


def frames(rig, what, first, last, tasks=()):
    return [rig.step(t * NS, (t + 1) * NS, what, tasks=tasks) for t in range(first, last)]


def joined(parts):
    return (np.concatenate([p.detections for p in parts]), np.concatenate([p.links for p in parts]),
            np.concatenate([p.scans for p in parts]))  # fmt: skip


def strains(rig, what, first, last):
    radars = rig._kinds[0][0]
    assert isinstance(radars, Radars)
    out = []
    for t in range(first, last):
        rig.step(t * NS, (t + 1) * NS, what)
        out += radars.strain.get("sensor-0", [])
    return out


def through(n=1, up=(5.0, 30.0), seconds=100.0, distance=1e6, spread_deg=0.0):
    """Objects that climb evenly from one elevation to another, side by side."""
    a = np.array([place(90.0 + spread_deg * k, up[0], distance + 10.0 * k) for k in range(n)])
    b = np.array([place(90.0 + spread_deg * k, up[1], distance + 10.0 * k) for k in range(n)])
    return OnTheEarth(a, (b - a) / seconds)


def test_a_fence_sees_no_further_unless_it_tracks():
    for period, goes_on in ((0.0, False), (1.0, True)):
        rig = Rig((sensor(radar(**{**FENCE, "track_period": period})),), THETA0, 1)
        detections, _, scans = joined(frames(rig, targets(through()), 0, 100))
        up = detections["z"][:, 2] / DEG
        assert (up.max() > 25.0) == goes_on
        assert goes_on or up.max() < 10.5
        # the scans say what is searched
        np.testing.assert_allclose(scans["el_max"], 10.0 * DEG)
        np.testing.assert_allclose(scans["el_min"], 3.0 * DEG)


def test_what_never_crosses_the_fence_is_never_found():
    rig = Rig((sensor(radar(**FENCE)),), THETA0, 1)
    assert not len(joined(frames(rig, targets(through(up=(12.0, 40.0))), 0, 60))[0])


def test_track_revisit_is_the_track_period():
    for period in (1.0, 3.0, 7.0):
        rig = Rig((sensor(radar(**{**FENCE, "track_period": period})),), THETA0, 1)
        detections, _, _ = joined(frames(rig, targets(through()), 0, 100))
        late = detections["t_ns"][detections["z"][:, 2] > 11.0 * DEG]
        gaps = np.diff(late) / 1e9
        assert len(gaps) > 5
        assert gaps == pytest.approx(period, abs=0.02)


def test_time_of_a_look_goes_with_the_fourth_power_of_range():
    r = radar(dwell=0.01, reference_range=1e6)
    assert look_time(r, 1e6) == 0.01
    assert look_time(r, 1.5e6) / look_time(r, 0.75e6) == pytest.approx(16.0)
    assert look_time(r, 1e6, math.cos(math.radians(60.0))) == pytest.approx(0.08)
    assert (look_time(r, 1e4), look_time(r, 1e8)) == (0.01 / 16.0, 0.16)
    # the SNR is held: factor times range^-4 is the same
    assert look_factor(r, 1.5e6) / 1.5**4 == pytest.approx(look_factor(r, 0.8e6) / 0.8**4)
    assert look_factor(radar(), 3e6) == 1.0


def test_a_search_takes_as_long_as_its_beams():
    # a ring of 4 deg at 3 deg of elevation with beams of 2 x 2 deg: 360 x 4 / 4, short of the cosine
    r = radar(beam_az=2 * DEG, beam_el=2 * DEG, el_min=0.0, fence=(1.0 * DEG, 5.0 * DEG), dwell=0.02, search_share=0.5)
    assert search_places(r) == pytest.approx(360.0, rel=0.01)
    assert search_time(r) == pytest.approx(14.4, rel=0.01)


def test_a_raid_overloads_the_radar_visibly():
    # 0.5 s of each second for tracks at 1,000 km and 10 ms a look: 50 objects
    base = {**FENCE, "dwell": 0.01, "reference_range": 1e6, "search_share": 0.5}
    revisit, left_over, declared = {}, {}, {}
    for n in (20, 45, 100):
        rig = Rig((sensor(radar(**base)),), THETA0, 1)
        what = targets(through(n, spread_deg=0.05))
        detections, links, scans = joined(frames(rig, what, 0, 90))
        high = detections["z"][:, 2] > 15.0 * DEG
        gaps = [np.diff(detections["t_ns"][high & (links["object"] == j)]) / 1e9 for j in range(n)]
        revisit[n] = float(np.mean(np.concatenate(gaps)))
        declared[n] = bool((scans["status"][60:] == Status.DEGRADED).any())
        logs = strains(Rig((sensor(radar(**base)),), THETA0, 1), what, 0, 90)[60:]
        assert all(s.used <= s.had + 1e-9 for s in logs)
        left_over[n] = sum(s.wanted - s.made for s in logs) / len(logs)
    assert revisit[20] == pytest.approx(1.0, abs=0.01)
    assert revisit[45] == pytest.approx(1.0, abs=0.01)
    # twice as many as there is time for: every object waits two cycles, less what the chord that they climb along
    # brings them nearer (2.4 % in range at most, 9 % in time)
    assert 2.0 * 0.976**4 - 0.01 < revisit[100] < 2.01
    assert left_over[20] == left_over[45] == 0.0
    assert 40.0 < left_over[100] < 65.0
    assert declared == {20: False, 45: False, 100: True}


def test_further_away_fewer_can_be_held():
    made = {}
    for distance in (1.0e6, 1.3e6):
        model = radar(**{**FENCE, "dwell": 0.01, "reference_range": 1e6})
        what = targets(through(120, spread_deg=0.05, distance=distance))
        made[distance] = np.mean([s.made for s in strains(Rig((sensor(model),), THETA0, 1), what, 0, 80)[60:]])
    assert made[1.0e6] / made[1.3e6] == pytest.approx(1.3**4, rel=0.1)


def test_a_lost_object_is_dropped_and_costs_no_more():
    path = through()
    path.spans = [(-NS, 50 * NS)]
    rig = Rig((sensor(radar(**{**FENCE, "dwell": 0.01})),), THETA0, 1)
    logs = strains(rig, targets(path), 0, 70)
    assert logs[45].wanted == 1
    assert [s.wanted for s in logs[52:]].count(1) <= 3
    assert logs[-1].wanted == 0
    assert FORGET > 3


def test_false_detections_cost_time():
    model = radar(**{**FENCE, "false_per_scan": 3.0, "dwell": 0.01, "reference_range": 5e6})
    logs = strains(Rig((sensor(model),), THETA0, 1), targets(OnTheEarth(np.empty((0, 3)))), 0, 50)
    assert sum(s.used for s in logs) > 0.05
    assert all(s.wanted == 0 for s in logs)


@pytest.mark.parametrize("at", [0, 13, 40, 77])
def test_state_and_load(at):
    model = radar(**{**FENCE, "dwell": 0.02, "false_per_scan": 1.0, "swerling": 1, "resolution": True})
    what = targets(through(40, spread_deg=0.1))
    plain = joined(frames(Rig((sensor(model),), THETA0, 1), what, 0, 90))
    first = Rig((sensor(model),), THETA0, 1)
    before = frames(first, what, 0, at)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(first.state()))
    second = Rig((sensor(model),), THETA0, 1)
    second.load(kept)
    both = joined(before + frames(second, what, at, 90))
    assert [a.tobytes() for a in both] == [a.tobytes() for a in plain]


@settings(max_examples=6, deadline=None)
@given(st.permutations(range(30)), st.lists(st.integers(1, 69 * NS), max_size=6))
def test_neither_order_nor_frames_change_a_byte(order, cuts):
    model = radar(**{**FENCE, "dwell": 0.03, "scan_period": 2.0})
    path = through(30, spread_deg=0.1)
    mixed = OnTheEarth(path.position[list(order)], path.velocity[list(order)])
    plain = Rig((sensor(model),), THETA0, 1).step(0, 70 * NS, targets(path, keys=range(100, 130)))
    rig = Rig((sensor(model),), THETA0, 1)
    what = targets(mixed, keys=[100 + j for j in order])
    edges = [0, *sorted(set(cuts)), 70 * NS]
    parts = [rig.step(a, b, what) for a, b in pairwise(edges)]
    assert joined(parts)[0].tobytes() == plain.detections.tobytes()


def task(path, t_s=0, until_s=100, spread=2e3):
    x = path.states(np.array([0]), np.array([t_s * NS]))[0]
    return Task("sensor-0", t_s * NS, until_s * NS, tuple(x.tolist()), spread)


def test_a_cued_radar_finds_what_it_is_told_of_and_a_local_one_does_not():
    path = through(up=(12.0, 14.0), seconds=20.0)
    for scheduling, found in (("cued", True), ("local", False)):
        rig = Rig((sensor(radar(**{**FENCE, "scheduling": scheduling, "dwell": 0.01})),), THETA0, 1)
        detections = joined(frames(rig, targets(path), 0, 15, [task(path, 5, 9)]))[0]
        assert bool(len(detections)) == found
        if found:  # and then holds it by itself
            assert detections["t_ns"].min() > 3.9 * NS
            assert detections["t_ns"].max() > 12 * NS


def test_a_task_elsewhere_finds_nothing_and_takes_time():
    path = through(up=(12.0, 14.0), seconds=20.0)
    other = OnTheEarth(place(140.0, 30.0, 1e6))
    model = radar(**{**FENCE, "scheduling": "cued", "dwell": 0.01, "reference_range": 1e6})
    rig = Rig((sensor(model),), THETA0, 1)
    radars = rig._kinds[0][0]
    detections = joined(frames(rig, targets(path), 0, 10, [task(other, 0, 100)]))[0]
    assert not len(detections)
    strain = radars.strain["sensor-0"][-1]
    assert (strain.wanted, strain.made) == (1, 1)
    assert strain.used == pytest.approx(0.01, rel=0.1)
