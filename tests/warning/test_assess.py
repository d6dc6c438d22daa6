import math

import numpy as np
import pytest
import warning_cases as cases
from scipy.stats import norm

from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.geodesics import inverse
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.records.columns import TRACK, empty
from tocsin.warning import coasting, regions
from tocsin.warning.assess import Assessor, Plume

THETA0 = cases.THETA0


def boosted(seed, looks=None, c=cases.MIDDLE, site=None):
    rng = np.random.default_rng(seed)
    flight = cases.draw_flight(rng, c, site=site)
    history = cases.infrared_history(rng, flight, 1e9)
    if looks:
        history = cases.History(history.detections[:looks], history.scans[:looks])
    t = history.detections["t_ns"][-1] / 1e9
    return flight, history, cases.track_row(flight.state(t), np.eye(6) * 1e6, t), int(t * 1e9)


def coasting_case(seed, after=60.0, sd=20.0, site=None):
    rng = np.random.default_rng(seed)
    flight = cases.draw_flight(rng, site=site)
    t = flight.t_cut + after
    P = np.diag([300.0**2] * 3 + [sd**2] * 3)
    x = flight.state(t) + np.sqrt(np.diag(P)) * rng.standard_normal(6)
    looks = cases.radar_looks(rng, flight, t - 5.0 * np.arange(5)[::-1], flight.site[0] + 0.1, flight.site[1] + 0.1)
    return flight, looks, cases.track_row(x, P, t, 0.0), int(t * 1e9)


def holds(region, point):
    return bool(regions.holds(region, np.array([point[0]]), np.array([point[1]]))[0])


def test_first_looks_give_a_launch_and_a_region_of_impact():
    flight, history, row, t = boosted(1, looks=6)
    a = Assessor(cases.make_spec((cases.MIDDLE, cases.SHORT))).assess(t, row, history)
    assert a.launch.kind == "gaussian"
    assert a.launch.basis == a.impact.basis == "boost-fit"
    assert inverse(*flight.site, *a.launch.mean)[0] < 15e3
    assert abs(a.launch.t_ns / 1e9 - flight.t_launch) < 15.0
    assert a.impact.kind == "polygon"
    assert a.impact.cov_enu is None
    assert a.burnout_ns is None
    assert a.p_impact > 0.99
    assert set(a.types) == {"middle", "short"}
    assert sum(a.types.values()) == pytest.approx(1.0)
    assert a.launch.as_of_ns == a.impact.as_of_ns == history.detections["t_ns"][-1]


def test_a_seen_end_of_burning_brackets_burnout_and_narrows_the_impact():
    flight, history, row, t = boosted(2)
    assessor = Assessor(cases.make_spec())
    burning = assessor.assess(t, row, history)
    last = int(history.detections["t_ns"][-1])
    gone = assessor.assess(t, row, history, Plume(last, int((flight.t_cut + 3.0) * 1e9)))
    assert last - 10**6 <= gone.burnout_ns <= int((flight.t_cut + 3.0) * 1e9)
    assert area(gone.impact.region95) < 0.9 * area(burning.impact.region95)
    assert gone.impact.t_var < burning.impact.t_var
    assert holds(gone.impact.region95, flight.impact)


def area(region):
    parts = [region["coordinates"]] if region["type"] == "Polygon" else region["coordinates"]
    total = 0.0
    for part in parts:
        for ring in part:
            a = np.radians(np.array(ring))
            total += 0.5 * np.sum((a[:-1, 0] * a[1:, 1] - a[1:, 0] * a[:-1, 1]) * np.cos(0.5 * (a[:-1, 1] + a[1:, 1])))
    return total


def test_radar_in_coast_takes_over_the_impact_and_keeps_the_seen_launch():
    flight, seen, _, _ = boosted(3)
    rng = np.random.default_rng(30)
    t = flight.t_cut + 60.0
    times = t - 5.0 * np.arange(6)[::-1]
    history = cases.joined(seen, cases.radar_looks(rng, flight, times, flight.site[0] + 0.1, flight.site[1] + 0.1))
    P = np.diag([200.0**2] * 3 + [5.0**2] * 3)
    row = cases.track_row(flight.state(t), P, t, 0.02)
    plume = Plume(int(seen.detections["t_ns"][-1]), int((flight.t_cut + 4.0) * 1e9))
    a = Assessor(cases.make_spec()).assess(int(t * 1e9), row, history, plume)
    assert (a.launch.basis, a.impact.basis) == ("boost-fit", "coast")
    assert a.impact.kind == "gaussian"
    assert inverse(*flight.impact, *a.impact.mean)[0] < 30e3
    assert inverse(*flight.site, *a.launch.mean)[0] < 10e3
    assert a.impact.t_ns / 1e9 == pytest.approx(flight.t_impact, abs=15.0)


def test_re_entry_keeps_the_arc_from_before_it():
    rng = np.random.default_rng(31)
    flight = cases.draw_flight(rng, site=(0.5, 0.8))
    t = flight.t_impact - 12.0  # deep in the air
    times = np.arange(flight.t_cut + 30.0, t, 5.0)
    looks = cases.radar_looks(rng, flight, times, flight.site[0] + 0.1, flight.site[1] + 0.1)
    row = cases.track_row(flight.state(t), np.diag([2e4**2] * 3 + [500.0**2] * 3), t, 0.0)
    a = Assessor(cases.make_spec()).assess(int(t * 1e9), row, looks)
    # the state is off by tens of kilometres; the arc knows better, and its region says so
    assert inverse(*flight.impact, *a.impact.mean)[0] < 10e3
    assert area(a.impact.region95) < 3e8 / 6371e3**2
    assert holds(a.impact.region95, flight.impact)


def test_radar_alone_goes_back_to_the_believed_burnout():
    flight, looks, row, t = coasting_case(4)
    a = Assessor(cases.make_spec()).assess(t, row, looks)
    assert (a.launch.basis, a.impact.basis) == ("coast", "coast")
    assert inverse(*flight.site, *a.launch.mean)[0] < 250e3
    assert holds(a.launch.region95, flight.site)
    assert abs(a.burnout_ns / 1e9 - flight.t_cut) < 90.0


def test_what_is_not_known_to_coast_gets_both():
    _, looks, row, t = coasting_case(5)
    row = row.copy()
    row["mu"] = [0.6, 0.4, 0.0, 0.0, 0.0, 0.0]  # twenty seconds on an arc are not enough against that
    a = Assessor(cases.make_spec()).assess(t, row, looks)
    assert a.impact.basis == "boost-fit+coast"
    row["mu"] = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    only = Assessor(cases.make_spec()).assess(t, row, looks)
    assert a.impact.t_var > only.impact.t_var


def test_risks_of_areas_that_share_no_point_add_up():
    flight, looks, row, t = coasting_case(6, sd=150.0, site=(0.6, 2.2))
    lat, lon = np.degrees(flight.impact)
    big = cases.square("big", lat, lon, 3.0)
    quarters = [cases.square(f"q{i}{j}", lat - 1.5 + 3.0 * i, lon - 1.5 + 3.0 * j, 1.5) for i in (0, 1) for j in (0, 1)]
    far = cases.square("far", -lat, lon + 170.0, 3.0)
    a = Assessor(cases.make_spec(areas=(big, *quarters, far))).assess(t, row, looks)
    risk = {r.area: r for r in a.areas}
    assert [r.area for r in a.areas] == ["big", "q00", "q01", "q10", "q11", "far"]
    assert sum(risk[q.id].p_impact for q in quarters) == pytest.approx(risk["big"].p_impact, abs=1e-12)
    assert 0.05 < risk["big"].p_impact <= 1.0
    assert max(risk[q.id].p_impact for q in quarters) < risk["big"].p_impact
    assert risk["far"].p_impact == risk["far"].p_passage == 0.0
    assert risk["far"].excluded
    assert risk["far"].t_ns is None
    assert not risk["big"].excluded
    assert all(r.p_passage >= r.p_impact for r in a.areas)


def test_small_probabilities_of_impact_follow_the_normal_tail():
    _, _, row, t = coasting_case(7, sd=15.0, site=(0.1, 2.2))
    looks = cases.History(empty(cases.DETECTION), empty(cases.SCAN))
    assessor = Assessor(cases.make_spec())
    impact = assessor.assess(t, row, looks).impact
    assert impact.kind == "gaussian"
    east = math.sqrt(impact.cov_enu[0])
    lat, lon = impact.mean
    for k in (2.326, 3.09):
        # everything further east than k sigma
        edge = math.degrees(regions.from_plane((lat, lon), np.array([[k * east, 0.0]]))[1][0])
        strip = cases.square("strip", math.degrees(lat), edge + 10.0, 10.0)
        p = Assessor(cases.make_spec(areas=(strip,))).assess(t, row, looks).areas[0].p_impact
        assert p == pytest.approx(norm.sf(k), rel=0.4)


def test_a_country_flown_over_is_passed_and_not_hit():
    flight, looks, row, t = coasting_case(8, sd=3.0)
    middle = flight.state(0.5 * (flight.t_cut + flight.t_impact))
    when = 0.5 * (flight.t_cut + flight.t_impact)
    lat, lon, _ = np.degrees(ecef_to_geodetic(to_ecef(middle[:3], THETA0 + OMEGA_GMST * when)))
    area = cases.square("under", lat, lon, 0.5)
    risk = Assessor(cases.make_spec(areas=(area,))).assess(t, row, looks).areas[0]
    assert risk.p_passage > 0.9
    assert risk.p_impact < 1e-3
    # the time told is that of coming in: the true flight is then at the area's edge (half a degree, and one step of
    # the track)
    entry = flight.state(risk.t_ns / 1e9)
    edge = np.degrees(ecef_to_geodetic(to_ecef(entry[:3], THETA0 + OMEGA_GMST * risk.t_ns / 1e9)))
    off = max(abs(edge[0] - lat), abs((edge[1] - lon + 180.0) % 360.0 - 180.0))
    assert risk.t_ns / 1e9 < when
    assert 0.2 < off < 0.65
    assert risk.excluded


def test_an_orbit_has_no_impact_and_rules_nothing_out():
    x = np.array([7.0e6, 0.0, 0.0, 0.0, 7600.0, 1000.0])
    row = cases.track_row(x, np.eye(6), 100.0, 0.0)
    history = coasting_case(9)[1]
    a = Assessor(cases.make_spec(areas=(cases.square("a", 0.0, 0.0, 5.0),))).assess(100 * 10**9, row, history)
    assert a.p_impact == 0.0
    assert a.impact.kind == "none"
    assert a.areas[0].p_impact == 0.0


def test_without_detections_the_state_alone_is_assessed():
    flight, _, row, t = coasting_case(10)
    none = cases.History(empty(cases.DETECTION), empty(cases.SCAN))
    a = Assessor(cases.make_spec()).assess(t, row, none)
    assert a.impact.basis == "coast"
    assert inverse(*flight.impact, *a.impact.mean)[0] < 300e3


def test_the_answer_does_not_depend_on_what_was_asked_before():
    spec = cases.make_spec((cases.MIDDLE, cases.SHORT), (cases.square("a", 30.0, 20.0, 5.0),))
    used = Assessor(spec)
    for seed in (11, 12, 11):
        _, history, row, t = boosted(seed, looks=8)
        assert used.assess(t, row, history) == Assessor(spec).assess(t, row, history)


def test_the_sky_turned_turns_the_answer():
    _, history, row, t = boosted(13, looks=10)
    one = Assessor(cases.make_spec()).assess(t, row, history)
    other = Assessor(cases.make_spec(theta0=THETA0 + 0.5)).assess(t, row, history)
    assert (one.launch.mean[1] - other.launch.mean[1]) % (2.0 * math.pi) == pytest.approx(0.5, abs=1e-6)
    assert other.launch.mean[0] == pytest.approx(one.launch.mean[0], abs=1e-6)
    np.testing.assert_allclose(other.launch.cov_enu, one.launch.cov_enu, rtol=1e-3, atol=1e4)
    assert other.types == pytest.approx(one.types, abs=1e-6)


def test_the_burning_tells_the_class():
    right = 0
    for seed in range(20, 28):
        c = cases.MIDDLE if seed % 2 else cases.SHORT
        _, history, row, t = boosted(seed, looks=8, c=c)
        types = Assessor(cases.make_spec((cases.MIDDLE, cases.SHORT))).assess(t, row, history).types
        right += types[c.id] > 0.5
    assert right >= 7


def test_regions_hold_the_truth_as_often_as_they_say():
    # truth drawn from the spreads of the belief; at six looks (three of each satellite) and when the burning was seen
    # to end
    assessor = Assessor(cases.make_spec())
    n = 100
    inside = {
        "first launch": 0,
        "first impact": 0,
        "last launch": 0,
        "last impact": 0,
        "first launch 50": 0,
        "last impact 50": 0,
    }
    for k in range(n):
        rng = np.random.default_rng([77, k])
        flight = cases.draw_flight(rng)
        history = cases.infrared_history(rng, flight, 1e9)
        gone = int((flight.t_cut + rng.uniform(0.5, 5.0)) * 1e9)
        row = empty(TRACK, 1)[0]
        early = cases.History(history.detections[:6], history.scans[:6])
        first = assessor.assess(int(early.detections["t_ns"][-1]), row, early)
        last = assessor.assess(gone, row, history, Plume(int(history.detections["t_ns"][-1]), gone))
        inside["first launch"] += holds(first.launch.region95, flight.site)
        inside["first launch 50"] += holds(first.launch.region50, flight.site)
        inside["first impact"] += holds(first.impact.region95, flight.impact)
        inside["last launch"] += holds(last.launch.region95, flight.site)
        inside["last impact"] += holds(last.impact.region95, flight.impact)
        inside["last impact 50"] += holds(last.impact.region50, flight.impact)
    for name, count in inside.items():
        share = 0.5 if name.endswith("50") else 0.95
        # three binomial sigmas
        assert abs(count / n - share) < 3.0 * math.sqrt(share * (1.0 - share) / n), (name, count)


@pytest.mark.filterwarnings("error")
def test_what_comes_down_without_any_weight_puts_nobody_at_risk():
    x = np.tile(np.array([7000e3, 0.0, 0.0, 0.0, 7900.0, 0.0]), (3, 1))
    one, none = np.ones(3), np.zeros(3)
    # two points that would fall, of no weight, and one that stays up and has all of it
    cloud = coasting.Cloud(
        lat=0.7 * one, lon=2.4 * one, t=900.0 * one, weight=np.array([0.0, 0.0, 1.0]),
        hit=np.array([True, True, False]), x=x, t_x=none, effective=1.0,
        energy=1e6 * one, reach=1e6 * one, elevation=none,
    )  # fmt: skip
    risks = Assessor(cases.make_spec(areas=(cases.square("here", 40.0, 137.5, 5.0),)))._risks(cloud)
    assert [(r.area, r.p_impact, r.p_passage, r.t_ns) for r in risks] == [("here", 0.0, 0.0, None)]
