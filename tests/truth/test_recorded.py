"""Recorded paths: through their rows, no overshoot, close to what was left out; faults by row."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import lagrange

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.precise import FreeBody, descend
from tocsin.earth.frames import OMEGA_GMST, to_ecef, to_eci
from tocsin.earth.wgs84 import ecef_to_geodetic, geodetic_to_ecef
from tocsin.scenario.specs import TableObject
from tocsin.truth.recorded import (
    FASTEST,
    MOST_ROWS,
    RecordedPath,
    TableFault,
    check_rows,
    monotone,
    recorded_body,
    slopes,
)

THETA0 = 0.7


def table(rows, kind="flight", gap=60.0, rcs=1.0, burns=()):
    return TableObject("t", "0" * 32, "c", kind, tuple(rows), gap, rcs, burns)


def rows_of(t, geodetic):
    return [(round(a * 1e9), float(b[0]), float(b[1]), float(b[2])) for a, b in zip(t, geodetic, strict=True)]


def arc(step=5.0):
    """A ballistic flight by the precise integrator: times, ecef states, and a table of every ``step`` s."""
    lat, lon = math.radians(64.0), math.radians(179.0)  # over the date line, near the pole
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    east = np.array([-math.sin(lon), math.cos(lon), 0.0])
    north = np.cross(up, east)
    x = np.concatenate([geodetic_to_ecef(np.array([lat, lon, 1e5])), 2500.0 * up + 1500.0 * east + 2500.0 * north])
    flown = descend(to_eci(x, THETA0), 0.0, THETA0, FreeBody(0.0), longest_s=500.0)
    ephemeris = Ephemeris([0], [flown.nodes])
    t = np.arange(0.0, 480.0 + 1e-9, step)
    return ephemeris, rows_of(t, ecef_to_geodetic(place(ephemeris, t)))


def place(ephemeris, t):
    """Earth-fixed positions (m) at times (s) since the epoch."""
    t_ns = np.rint(np.atleast_1d(t) * 1e9).astype(np.int64)
    return np.array(to_ecef(ephemeris.states(0, t_ns)[:, :3], THETA0 + OMEGA_GMST * t_ns / 1e9))


def test_smooth_flight_is_followed_between_rows():
    truth, rows = arc(5.0)
    body = recorded_body(table(rows), THETA0)
    again = Ephemeris([body.start_ns], [body.nodes])
    t = np.linspace(0.0, 480.0, 2111)
    off = np.linalg.norm(place(again, t) - place(truth, t), axis=1)
    assert off.max() < 0.2
    speed = np.linalg.norm(again.states(0, (t[1:-1] * 1e9).astype(np.int64))[:, 3:], axis=1)
    theirs = np.linalg.norm(truth.states(0, (t[1:-1] * 1e9).astype(np.int64))[:, 3:], axis=1)
    assert np.abs(speed - theirs).max() < 0.2
    # a coarser table is worse by the fourth power of its step, not by less: smooth maxima are not cut
    _, coarse = arc(20.0)
    body = recorded_body(table(coarse), THETA0)
    off = np.linalg.norm(place(Ephemeris([0], [body.nodes]), t) - place(truth, t), axis=1)
    assert off.max() < 20.0


def test_passes_through_every_row_in_place_and_time():
    _, rows = arc(10.0)
    start = 7_000_000_123
    rows = [(t + start, *rest) for t, *rest in rows]
    body = recorded_body(table(rows), THETA0)
    assert body.start_ns == start
    again = Ephemeris([body.start_ns], [body.nodes])
    t = np.array([r[0] for r in rows])
    x = to_ecef(again.states(0, np.minimum(t, again.span(0)[1]))[:, :3], THETA0 + OMEGA_GMST * t / 1e9)
    assert np.abs(x - geodetic_to_ecef(np.array([r[1:] for r in rows]))).max() < 1e-4


def test_events_of_a_flight_and_none_of_an_aircraft():
    _, rows = arc(10.0)
    low = [(t, lat, lon, h - 1e5) for t, lat, lon, h in rows]
    burns = ((0, 5_000_000_000, 1e5), (6_000_000_000, 9_000_000_000, 2e5))
    body = recorded_body(table(low, burns=burns), THETA0)
    names = [e[0] for e in body.events]
    assert names[:3] == ["launch", "burnout", "apogee"]
    assert body.cutoff_ns == 9_000_000_000
    assert body.burns == burns
    path = RecordedPath(*(np.array(c) for c in zip(*[(r[0] / 1e9, *r[1:]) for r in low], strict=True)))
    t = np.linspace(0.0, 480.0, 96_001)
    h = path.geodetic(t)[:, 2]
    assert body.facts["apogee"] == pytest.approx(h.max(), abs=1e-3)
    assert dict(body.events)["apogee"] / 1e9 == pytest.approx(t[h.argmax()], abs=0.01)
    assert body.facts["rows"] == len(rows)
    assert body.facts["gap"] == 10.0
    back = [(480_000_000_000 - t, *rest) for t, *rest in low][::-1]
    assert [e[0] for e in recorded_body(table(back), THETA0).events][-1] == "impact"
    slow = [(4 * t, *rest) for t, *rest in low]
    made = recorded_body(table(slow, kind="aircraft"), THETA0)
    assert made.kind == "aircraft"
    assert made.events == ()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0.1, 30.0), st.floats(0.0, 500.0)), min_size=2, max_size=30),
    st.booleans(),
)
def test_height_is_monotone_where_the_rows_are(steps, down):
    t = np.cumsum([s[0] for s in steps])
    h = np.cumsum([s[1] for s in steps]) * (-1.0 if down else 1.0)
    path = RecordedPath(t, np.zeros(len(t)), np.zeros(len(t)), h)
    fine = np.linspace(t[0], t[-1], 1500)
    rise = np.diff(path.geodetic(np.clip(fine, t[0], t[-1]))[:, 2]) * (-1.0 if down else 1.0)
    assert rise.min() > -1e-9 * (1.0 + np.abs(h).max())


@settings(max_examples=60)
@given(st.lists(st.floats(0.0, 1e4), min_size=3, max_size=25), st.integers(0, 10_000))
def test_height_overshoots_no_more_than_the_rows_curve(heights, seed):
    # whatever the rows, the curve stays within a half of the greatest step beyond them
    h = np.array(heights)
    t = np.arange(len(h)) * 1.0
    path = RecordedPath(t, np.zeros(len(t)), np.zeros(len(t)), h)
    fine = path.geodetic(np.linspace(0.0, t[-1], 800))[:, 2]
    over = max(fine.max() - h.max(), h.min() - fine.min(), 0.0)
    assert over <= 0.5 * np.abs(np.diff(h)).max() + 1e-9


def test_single_spike_makes_no_further_waves():
    h = np.zeros(21)
    h[10] = 100.0
    t = np.arange(21.0)
    d = monotone(t, h, slopes(t, h[:, None])[:, 0])
    assert np.all(d == 0.0)


def test_what_stands_still_stays():
    lat = np.radians(np.array([0.0, 0.01, 0.02, 0.02, 0.02, 0.03, 0.04]))
    path = RecordedPath(np.arange(7.0) * 10.0, lat, np.zeros(7), np.zeros(7))
    still = path.geodetic(np.linspace(20.0, 40.0, 50))
    assert np.ptp(still[:, 0]) == 0.0


def test_slopes_are_those_of_the_polynomial_through_five_rows():
    t = np.array([0.0, 1.0, 1.5, 4.0, 5.0, 9.0, 9.5])
    x = np.array([3.0, -1.0, 2.0, 8.0, 1.0, 0.0, 4.0])
    d = slopes(t, x[:, None])[:, 0]
    for j in (2, 3, 4):
        assert d[j] == pytest.approx(lagrange(t[j - 2 : j + 3], x[j - 2 : j + 3]).deriv()(t[j]), rel=1e-8)
    assert d[0] == pytest.approx(lagrange(t[:3], x[:3]).deriv()(t[0]))
    assert d[-1] == pytest.approx(lagrange(t[-3:], x[-3:]).deriv()(t[-1]))
    assert slopes(t[:2], x[:2, None])[:, 0] == pytest.approx([-4.0, -4.0])


def test_two_rows_are_a_straight_flight_and_a_time_outside_is_an_error():
    path = RecordedPath(np.array([0.0, 10.0]), np.array([0.0, 0.001]), np.zeros(2), np.array([0.0, 100.0]))
    assert path.geodetic(np.array([5.0]))[0] == pytest.approx([0.0005, 0.0, 50.0])
    with pytest.raises(ValueError, match="covers 0 to 10 s"):
        path.geodetic(np.array([10.1]))


def test_height_by_height_at_the_poles():
    # a flight over the north pole: latitude and longitude are of no use there
    t = np.arange(9.0) * 10.0
    angle = np.radians(np.linspace(-0.2, 0.2, 9))
    lat, lon = 0.5 * math.pi - np.abs(angle), np.where(angle < 0.0, 0.3, 0.3 - math.pi)
    path = RecordedPath(t, lat, lon, np.full(9, 1e4))
    x = path.position(np.array([3, 4]), np.array([35.0, 45.0]))
    assert np.linalg.norm(x[1] - x[0]) == pytest.approx(np.radians(0.05) * 6.41e6, rel=2e-3)


GOOD = [(0, 0.5, 0.5, 1e3), (10_000_000_000, 0.5001, 0.5, 1e3), (20_000_000_000, 0.5002, 0.5, 1e3)]


def changed(i, k, value):
    rows = [list(r) for r in GOOD]
    rows[i][k] = value
    return [tuple(r) for r in rows]


@pytest.mark.parametrize(
    ("rows", "row", "text"),
    [
        (changed(1, 1, math.nan), 1, "latitude must be a finite number, found nan"),
        (changed(2, 3, math.inf), 2, "height must be a finite number, found inf"),
        (changed(0, 1, 1.6), 0, "latitude must lie between -90 and 90 degrees, found 91.6732"),
        (changed(2, 2, 7.0), 2, "longitude must lie between -360 and 360 degrees, found 401.07"),
        (changed(1, 3, -2e3), 1, "height must lie between -1000 and 1e+08 m, found -2000"),
        (changed(2, 0, 10_000_000_000), 2, "time 10.000 s stands twice"),
        (changed(2, 0, 5_000_000_000), 2, "time 5.000 s is earlier than the row before (10.000 s)"),
        (changed(2, 0, 90_000_000_000), 2, "gap of 80.000 s before it; at most 60 s may be bridged"),
        (changed(1, 1, 0.55), 1, "after the row before is 31860 m/s; no flight is faster than 15000 m/s"),
        (GOOD[:1], -1, f"a path needs 2 to {MOST_ROWS:,} rows, found 1"),
    ],
)
def test_rows_that_make_no_path_are_named(rows, row, text):
    with pytest.raises(TableFault) as raised:
        recorded_body(table(rows), THETA0)
    assert raised.value.row == row
    assert text in str(raised.value)
    assert str(raised.value).startswith("t: row " if row >= 0 else "t: a path")


def test_other_faults_of_a_table():
    with pytest.raises(TableFault, match="kind must be 'flight' or 'aircraft', found 'boat'"):
        check_rows(GOOD, 60.0, "boat")
    with pytest.raises(TableFault, match="greatest gap must be above 0 s, found 0"):
        check_rows(GOOD, 0.0)
    with pytest.raises(TableFault, match="rcs must be above 0 m2, found 0"):
        recorded_body(table(GOOD, rcs=0.0), THETA0)
    with pytest.raises(
        TableFault, match=r"burn 1 must begin before it ends and lie within the table's 0\.000 to 20\.000 s"
    ):
        recorded_body(table(GOOD, burns=((0, 30_000_000_000, 1.0),)), THETA0)
    with pytest.raises(TableFault, match="burn 2: intensity must be 0 W/sr or more, found nan"):
        recorded_body(table(GOOD, burns=((0, 1, 1.0), (1, 2, math.nan))), THETA0)
    assert FASTEST["aircraft"] < FASTEST["flight"]
