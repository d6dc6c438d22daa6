"""Track quality: cases counted by hand, and a run made by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import watched_flight as w

from tocsin.measures.track_quality import Points, qualities, quality_table, track_quality
from tocsin.records.tables import tables_from_records

S = 1_000_000_000


def points(rows, **more):
    who, t, x = zip(*rows, strict=True) if rows else ((), (), ())
    place = np.array([[v, 0.0, 0.0] for v in x]).reshape(-1, 3)
    return Points(np.array(who, dtype=np.int64), np.array(t, dtype=np.int64) * S, place, **more)


TIMES = np.arange(10, dtype=np.int64) * S


def still(who, x, times=range(10)):
    return [(who, t, x) for t in times]


def test_a_day_counted_by_hand():
    # object 1 at 0 m for ten seconds: nobody (0), track 7 (1-3), nobody (4), track 7 (5), track 8 (6-8), nobody (9)
    # object 2 at 1,000 m for five seconds, followed all along by track 9 at 3 m; track 10 far from all at 0-3
    tracks = (
        still(7, 4.0, (1, 2, 3, 5))
        + still(8, 4.0, (6, 7, 8))
        + still(9, 1003.0, range(5))
        + still(10, 5000.0, range(4))
    )
    got = track_quality(points(still(1, 0.0) + still(2, 1000.0, range(5))), points(tracks), TIMES, cutoff_m=10.0)
    one, two = got.objects
    assert (one.times, one.completeness, one.longest_share, one.breaks, one.switches) == (10, 0.7, 0.3, 1, 1)
    assert one.numbers == (7, 8)
    assert (two.times, two.completeness, two.longest_share, two.breaks, two.switches) == (5, 1.0, 1.0, 0, 0)
    assert got.completeness == pytest.approx(12 / 15)
    assert got.spurious == pytest.approx(4 / 16)
    assert (got.breaks, got.switches) == (1, 1)
    assert got.longest_share == pytest.approx(0.65)
    assert got.rms_m == pytest.approx(math.sqrt((7 * 16 + 5 * 9) / 12))
    # c = 10, p = 2: a miss and a false one cost 50 each, at ten times
    assert got.missed_m == pytest.approx(math.sqrt(3 * 50 / 10))
    assert got.false_m == pytest.approx(math.sqrt(4 * 50 / 10))
    assert got.localisation_m == pytest.approx(math.sqrt((7 * 16 + 5 * 9) / 10))
    assert got.gospa_m**2 == pytest.approx(got.missed_m**2 + got.false_m**2 + got.localisation_m**2)


def test_a_pair_stays_while_it_may():
    # two objects 6 m apart, each with its track; for two seconds the tracks lean to the other object
    truth = still(1, 0.0) + still(2, 6.0)
    lean = [(7, t, 4.0 if t in (4, 5) else 0.0) for t in range(10)] + [
        (8, t, 2.0 if t in (4, 5) else 6.0) for t in range(10)
    ]
    got = track_quality(points(truth), points(lean), TIMES, cutoff_m=10.0)
    assert got.switches == 0
    assert got.completeness == 1.0
    # GOSPA has no memory and takes the nearer ones
    assert got.localisation_m == pytest.approx(math.sqrt(2 * 2 * 2.0**2 / 10))


def test_what_nobody_could_know_of_costs_nothing():
    truth = points(still(1, 0.0) + still(2, 1000.0))
    tracks = points(still(7, 1.0, range(2, 10)) + still(8, 1000.0, range(10)))
    got = track_quality(truth, tracks, TIMES, {1: 4 * S}, 10.0)
    assert [o.who for o in got.objects] == [1]
    assert (got.objects[0].times, got.objects[0].first_ns) == (6, 4 * S)
    assert got.completeness == 1.0
    assert got.missed_m == 0.0
    # the track of an object that does not count is no false one
    assert got.spurious == 0.0
    assert got.false_m == 0.0


def test_stated_spread_and_covariance_are_judged():
    truth = points(still(1, 0.0))
    tracks = points(still(7, 3.0), sigma=np.full(10, 1.5), P=np.tile(np.eye(3), (10, 1, 1)))
    got = track_quality(truth, tracks, TIMES, cutoff_m=10.0)
    assert got.over_sigma == pytest.approx(2.0)
    assert got.anees == pytest.approx(9.0 / 3)


def test_nothing_is_nothing():
    none = points([])
    got = track_quality(none, none, TIMES)
    assert (got.gospa_m, got.completeness, got.spurious, got.rms_m, got.objects) == (0.0, None, None, None, ())
    missed = track_quality(points(still(1, 0.0)), none, TIMES, cutoff_m=10.0)
    assert missed.completeness == 0.0
    assert missed.objects[0].numbers == ()
    assert missed.gospa_m == pytest.approx(math.sqrt(50))


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(1)
    truth = [(k, t, 100.0 * k + rng.normal()) for k in range(5) for t in range(10)]
    tracks = [(20 + k, t, 100.0 * k + rng.normal()) for k in range(6) for t in range(10) if rng.random() < 0.8]
    first = track_quality(points(truth), points(tracks), TIMES, cutoff_m=30.0)
    rng.shuffle(truth)
    rng.shuffle(tracks)
    assert track_quality(points(truth), points(tracks), TIMES, cutoff_m=30.0) == first


@pytest.mark.parametrize(
    ("truth", "tracks", "times", "said"),
    [
        (points(still(1, 0.0)), points([]), TIMES[::-1], "times must rise"),
        (points(still(1, 0.0) * 2), points([]), TIMES, "truth: one of them stands twice"),
        (points([]), points(still(1, np.nan)), TIMES, "tracks: a position is not finite"),
        (points([]), Points(np.zeros(2), np.zeros(1), np.zeros((2, 3))), TIMES, "tracks: expected who"),
    ],
)
def test_what_cannot_be_scored_is_refused(truth, tracks, times, said):
    with pytest.raises(ValueError, match=said):
        track_quality(truth, tracks, times)


def test_a_run_is_scored_from_its_tables():
    tables: dict[str, Any] = tables_from_records(w.records(), w.FACTS)
    found = qualities(tables, w.SCENARIO, w.FACTS)
    own = found["b", "own"]
    told = [r for r in tables["tracks"].to_pylist() if r["nation"] == "b" and r["life"] in ("confirmed", "coasting")]
    assert own.objects[0].first_ns == 40 * S  # the satellite's look
    assert own.objects[0].times == w.IMPACT - 40 + 1
    assert own.completeness == pytest.approx(len({r["t_s"] for r in told}) / (w.IMPACT - 40 + 1))
    table = quality_table(found, w.FACTS).to_pylist()
    assert [r["object"] for r in table if r["nation"] == "b" and r["label"] == "own"] == [None, "north-star"]
