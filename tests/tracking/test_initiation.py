"""Starting tracks: the prior along a line of sight, and how often clutter alone may start one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tracking_scenes import THETA0, Watch, believed, radar, satellite

from tocsin.earth.frames import to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.records.columns import Kind
from tocsin.tracking.belief import believe
from tocsin.tracking.initiation import STARTING_KINDS, false_tracks_per_hour, sighted
from tocsin.tracking.measure import lay_out, predict

BELIEF = believe((believed(),))
FIRST = BELIEF.first_seen(10e3, 10.0)


def a_sight(seed=0):
    """One false line of sight of a satellite: where it falls on the Earth is anybody's guess."""
    watch = Watch((satellite(0, 40.0, false=60.0),), [], seed)
    scans, dets = watch.scan(watch.sensors[0], 0, 0.0, 10.0)
    return lay_out(dets, np.repeat(scans, len(dets)))


def test_a_sight_is_taken_to_the_heights_at_which_plumes_are_first_seen():
    looks = a_sight()
    met = 0
    for i in range(len(looks.kind)):
        made = sighted(looks, i, FIRST, BELIEF.at_any_time())
        assert made is not None
        x, P, axes = made
        # what is measured is kept: the predicted line of sight is the measured one
        z, *_ = predict(x[None, :6].copy(), a_row(looks, i))
        np.testing.assert_allclose(z[0, :2], looks.z[i, :2], atol=1e-9)
        height = ecef_to_geodetic(to_ecef(x[:3], THETA0))[2]
        if abs(height - FIRST.mean[0]) < 200.0:  # not past the limb
            met += 1
            # along the local vertical the spread is that of the believed height
            up = axes[2]
            assert math.sqrt(up @ P[:3, :3] @ up) > 0.9 * math.sqrt(FIRST.cov[0, 0])
        np.linalg.cholesky(P + np.diag([1e-3] * 10))
    assert met > 40


def a_row(looks, i):
    return type(looks)(**{name: getattr(looks, name)[i : i + 1] for name in looks.__dataclass_fields__})


def test_the_stated_rate_is_that_of_new_objects_over_the_odds():
    assert false_tracks_per_hour(1) == pytest.approx(1.0 / 99.0)
    assert false_tracks_per_hour(22) == pytest.approx(22.0 / 99.0)
    assert false_tracks_per_hour(1, 1.0) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="odds at least 1"):
        false_tracks_per_hour(1, 0.5)
    with pytest.raises(ValueError, match="must not be negative"):
        false_tracks_per_hour(-1)


def test_the_ratio_that_the_rate_rests_on_never_passes_a_level_more_often_than_one_in_it():
    """The bound behind the stated rate, on the plainest case: hits in a gate of Poisson clutter, best hit taken."""
    draw = np.random.default_rng(4)
    pd, side, mean, sigma, scans = 0.9, 1000.0, 5.0, 8.0, 12  # a line of 1,000 m, a prediction in its middle
    passed = dict.fromkeys((2.0, 5.0, 20.0), 0)
    runs = 4_000
    counts = draw.poisson(mean, (runs, scans))
    for run in range(runs):
        score, most = 0.0, 0.0
        for k in range(scans):
            v = (draw.random(counts[run, k]) - 0.5) * side / sigma
            nearest = np.abs(v).min(initial=np.inf)
            gain = pd * math.exp(-0.5 * nearest * nearest) / math.sqrt(2 * math.pi) / sigma / (mean / side)
            score += math.log(max(gain, 1.0 - pd) if nearest < 5.0 else 1.0 - pd)
            most = max(most, score)
        for level in passed:
            passed[level] += most > math.log(level)
    for level, count in passed.items():
        assert count / runs < 1.0 / level
    assert passed[2.0] > 20  # it happens


def test_only_what_gives_a_place_starts_tracks():
    assert Kind.RA not in STARTING_KINDS
    assert Kind.XY not in STARTING_KINDS
    assert radar(0, 0.0, 0.0).model.false_per_scan == 0.1
