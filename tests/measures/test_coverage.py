"""Coverage: known answers of geometry, flights against the solver of truth, what is off, what is refused."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from scipy.stats import ncx2

from tocsin.earth.frames import gmst82
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.wgs84 import geodetic_to_ecef
from tocsin.measures import coverage as c
from tocsin.measures import coverage_kernels as k
from tocsin.scenario import Scenario
from tocsin.scenario.specs import FlightObject, Infrared, Radar, StatusSpan
from tocsin.truth.classes import nominal_class
from tocsin.truth.flights import solve

TOKYO = (math.radians(35.7), math.radians(139.7))


@pytest.fixture(scope="module")
def world():
    return Scenario.load("hokkaido-2017").split(gmst82)[0]


@pytest.fixture(scope="module")
def irbm(world):
    return next(x for x in world.classes if x.id == "irbm-liquid")


@pytest.fixture(scope="module")
def scene(world, irbm):
    return c.Scene.of(world, irbm, TOKYO, 10.0)


@pytest.fixture(scope="module")
def coarse(world, irbm):
    return c.cover(world, irbm, TOKYO, "Tokyo", 10.0, hours=True)


def one(sensor, **values):
    return msgspec.structs.replace(sensor, model=msgspec.structs.replace(sensor.model, **values))


def radar_of(world):
    return next(s for s in world.sensors if isinstance(s.model, Radar))


@pytest.mark.parametrize("start", [(39.2, 125.7), (20.0, 110.0), (60.0, 160.0), (45.0, 175.0)])
def test_a_nominal_flight_is_near_to_what_truth_solves(scene, irbm, start):
    lat, lon = map(math.radians, start)
    thing = FlightObject("a", "00", irbm.id, 0, lat, lon, 0.0, 0.0, 0.0, 0.0, "minimum-energy", TOKYO)
    flight = solve(thing, nominal_class(irbm), 0.0, 1)
    _, cells = scene.watch(0, starts=geodetic_to_ecef(np.array([[lat, lon, 0.0]])))
    assert cells[0, k.C_TIME] == pytest.approx(flight.impact_ns / 1e9, rel=0.02)
    assert cells[0, k.C_BURNOUT] == pytest.approx(flight.cutoff_ns / 1e9, rel=0.02)
    assert cells[0, k.C_APOGEE] == pytest.approx(flight.apogee, rel=0.05)


def test_a_flight_starts_at_its_cell_and_ends_at_the_aim(scene):
    start = np.asarray(geodetic_to_ecef([0.7, 2.0, 0.0]))
    aim = np.asarray(geodetic_to_ecef([*TOKYO, 0.0]))
    arc, p = np.empty(20), np.empty(3)
    b = scene.boosts
    assert k.plan(start, aim, b.ranges, b.burn, b.tilt, b.table, arc)
    k.place_at(b.table, arc, 0.0, p)
    assert np.linalg.norm(p - start) < 1.0
    k.place_at(b.table, arc, arc[16], p)
    assert np.linalg.norm(p - aim) < 5.0
    # free flight keeps its energy: speeds and radii of the arc against the axis of the ellipse
    for t in (arc[7] + 1.0, 500.0, arc[16] - 1.0):
        states = []
        for dt in (-0.5, 0.5):
            k.place_at(b.table, arc, t + dt, p)
            angle = 7.2921158553e-5 * (t + dt)
            states.append(np.array([math.cos(angle) * p[0] - math.sin(angle) * p[1],
                                    math.sin(angle) * p[0] + math.cos(angle) * p[1], p[2]]))  # fmt: skip
        v, r = np.linalg.norm(states[1] - states[0]), np.linalg.norm(states[0] + states[1]) / 2
        assert 0.5 * v * v - 3.986004418e14 / r == pytest.approx(-3.986004418e14 / 2 / arc[15], rel=1e-5)


def test_ranges_of_the_class_bound_the_grid(coarse, irbm):
    flies = np.isfinite(coarse.cells["flight_time_s"])
    d = coarse.cells["distance_km"]
    assert flies.any()
    assert (d[flies] >= irbm.energy_range[0] / 1e3 - 1).all()
    assert (d[flies] <= irbm.energy_range[1] / 1e3 + 1).all()
    lat, lon = np.argwhere(flies)[0]
    at = math.radians(coarse.lat[lat]), math.radians(coarse.lon[lon])
    assert d[lat, lon] == pytest.approx(inverse(*at, *TOKYO)[0] / 1e3, rel=0.006)
    assert math.cos(math.radians(coarse.cells["azimuth_deg"][lat, lon]) - inverse(*at, *TOKYO)[1]) > 0.9999


def test_columns_go_together(coarse):
    x = coarse.cells
    seen = np.isfinite(x["first_s"])
    assert seen.any()
    assert np.array_equal(x["first_s"][seen], np.fmin(x["first_radar_s"], x["first_infrared_s"])[seen])
    assert np.allclose((x["left_s"] + x["first_s"])[seen], x["flight_time_s"][seen])
    assert (x["sensors"][seen] >= 1).all()
    assert np.array_equal(np.isfinite(coarse.first_s).sum(axis=-1)[seen], x["sensors"][seen])
    assert (x["last_seen_s"][seen] <= x["flight_time_s"][seen] + 1e-6).all()
    assert 0.0 < coarse.share("first_s") <= 1.0
    assert len(coarse.hours) == 24
    own = next(h for h in coarse.hours if h.hour == 21.0)  # two minutes after the launches of the grid
    assert own.share_infrared == pytest.approx(coarse.share("first_infrared_s"), abs=0.02)


def test_the_floor_of_a_beam_has_its_closed_form(world):
    """Height of a ray of elevation e over a sphere, by the angle at its centre."""
    radar = one(radar_of(world), sector=(0.0, 0.0), boresights=(), el_min=math.radians(3.0), el_max=1.5, lat=0.6,
                lon=0.3, h=0.0, range_min=0.0, range_max=9e6, reference_range=1e9)  # fmt: skip
    p = c.pack([radar])
    for ground in (500e3, 1500e3, 2500e3):
        lat, lon, _ = direct(0.6, 0.3, 1.1, ground)
        at = np.asarray(geodetic_to_ecef([lat, lon, 0.0])).reshape(1, 3)
        out = np.empty(1)
        k.least_height(np.ascontiguousarray(at / np.linalg.norm(at)), c.LEAST_HEIGHTS, 1.0, p.par, p.site, p.axes,
                       p.limits, p.faces, p.face_start, p.terrain, p.terrain_start, out)  # fmt: skip
        a, e = ground / 6.371e6, math.radians(3.0)
        h = 6.371e6 * (math.cos(e) / math.cos(a + e) - 1.0)
        assert out[0] == pytest.approx(h, rel=0.012)


def test_nothing_under_the_horizon_is_seen(world):
    radar = one(radar_of(world), sector=(0.0, 0.0), boresights=(), el_min=-1.5, el_max=1.5, range_min=0.0,
                range_max=9e6, reference_range=1e9)  # fmt: skip
    p = c.pack([radar])
    rng = np.random.default_rng(4)
    out = np.empty(1, dtype=bool)
    seen = 0
    for _ in range(300):
        d, h = rng.uniform(1e5, 5e6), rng.uniform(0.0, 1e6)
        lat, lon, _ = direct(radar.model.lat, radar.model.lon, rng.uniform(0, 6.28), d)
        point = np.asarray(geodetic_to_ecef([lat, lon, h])).reshape(1, 3)
        k.over_places(
            point, 1.0, p.par, p.site, p.axes, p.limits, p.faces, p.face_start, p.terrain, p.terrain_start, out
        )
        # even with all the bending of the air a ray from the ground cannot come down again within 4/3 of the radius
        reach = sum(math.acos(1.0 / (1.0 + x / (6.38e6 * 4 / 3))) * 6.38e6 * 4 / 3 for x in (h, radar.model.h))
        if out[0]:
            seen += 1
            assert d <= reach * 1.01
    assert 20 < seen < 280


@pytest.mark.parametrize("case", [0, 1, 3])
def test_even_odds_are_even(case):
    s = c.even_odds_snr(1e-6, case)
    rng = np.random.default_rng(case)
    n = 400_000
    own = {0: np.full(n, s), 1: rng.exponential(s, n), 3: rng.gamma(2.0, s / 2.0, n)}[case]
    noise = (rng.normal(size=n) + 1j * rng.normal(size=n)) / math.sqrt(2.0)
    assert (np.abs(np.sqrt(own) + noise) ** 2 > math.log(1e6)).mean() == pytest.approx(0.5, abs=0.004)
    if case == 0:
        assert ncx2.sf(2 * math.log(1e6), 2, 2 * s) == pytest.approx(0.5, abs=1e-9)


def test_even_odds_know_three_cases():
    with pytest.raises(ValueError, match="Swerling case 2; 0, 1 and 3 are known"):
        c.even_odds_snr(1e-6, 2)


def test_a_fence_is_where_it_searches_and_hills_hide(world, irbm):
    def share(**values):
        radar = one(radar_of(world), sector=(0.0, 0.0), **values)
        w = msgspec.structs.replace(world, sensors=(radar,))
        first, _ = c.Scene.of(w, irbm, TOKYO, 10.0).watch(0)
        return first

    free, fence = share(), share(fence=(math.radians(8.0), math.radians(12.0)))
    hills = share(terrain=((0.0, math.radians(20.0)),))
    assert np.isfinite(free).any()
    both = np.isfinite(fence)
    assert (fence[both] >= free[both]).all()
    assert (fence[both] > free[both]).any()
    assert np.isfinite(hills).sum() < np.isfinite(free).sum()


def test_what_is_silent_sees_nothing(world, irbm):
    spans = tuple(StatusSpan(s.id, 0, 7_200_000_000_000, "silent") for s in world.sensors)
    first, _ = c.Scene.of(msgspec.structs.replace(world, statuses=spans), irbm, TOKYO, 10.0).watch(0)
    assert not np.isfinite(first).any()
    half = msgspec.structs.replace(world, statuses=(StatusSpan(world.sensors[0].id, 0, 10, "degraded", 0.5),))
    rows, start = c.spans_of(half, world.sensors, 0)
    assert rows.tolist() == [[0.0, 1e-8, 0.5]]
    assert start[-1] == 1
    assert len(c.spans_of(half, world.sensors, 0, dimming=False)[0]) == 0


def test_the_sun_and_the_clouds_take_infrared_looks(world, irbm):
    satellites = [s for s in world.sensors if isinstance(s.model, Infrared)]

    def first(**values):
        w = msgspec.structs.replace(world, sensors=tuple(one(s, **values) for s in satellites))
        return c.Scene.of(w, irbm, TOKYO, 10.0).watch(0)[0]

    plain, high, blind = first(), first(cloud_top=60e3), first(sun_exclusion=math.pi)
    good = np.isfinite(plain) & np.isfinite(high)
    assert good.any()
    assert (high[good] >= plain[good]).all()
    early = good & (plain < 70.0)  # later ones wait for the limb
    assert (high[early] > plain[early] + 10.0).all()
    assert not np.isfinite(blind).any()


def test_what_is_refused(world, irbm):
    with pytest.raises(c.CoverageError, match=r"a step of 7 deg; 0.25 to 30 that divide 180"):
        c.cover(world, irbm, TOKYO, "x", 7.0)
    with pytest.raises(c.CoverageError, match="no class 'x' in this scenario; it has: icbm-liquid"):
        c.choose_class(world, "x")
    launcher = next(x for x in world.classes if x.id == "space-launch")
    with pytest.raises(c.CoverageError, match="family space-launch; coverage flies ballistic"):
        c.nominal_boosts(launcher)
    with pytest.raises(c.CoverageError, match="no sensor"):
        c.cover(msgspec.structs.replace(world, sensors=()), irbm, TOKYO, "x", 10.0)


def test_the_aim_is_an_area_or_a_place(world):
    nations = Scenario.load("hokkaido-2017").split(gmst82)[1]
    areas = [(name, area) for name, spec in nations.items() for area in spec.areas]
    (lat, lon), name = c.choose_aim(areas, "japan/hokkaido")
    assert name == "Hokkaido"
    assert math.degrees(lat) == pytest.approx(43.0, abs=1.0)
    assert math.degrees(lon) == pytest.approx(142.5, abs=1.5)
    assert c.choose_aim(areas, "10,-20")[0] == (math.radians(10.0), math.radians(-20.0))
    for wrong, text in (("a,b", "is no place"), ("95,0", "latitudes to 89"), ("atlantis", "no area 'atlantis'")):
        with pytest.raises(c.CoverageError, match=text):
            c.choose_aim(areas, wrong)
    with pytest.raises(c.CoverageError, match="has no area"):
        c.choose_aim([], None)
