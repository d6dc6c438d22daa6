"""What each sensor says of a warning: geometry against closed forms, and the three answers."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from scipy import stats

from tocsin.dynamics.kernels import coast_to
from tocsin.earth.frames import theta_at, to_ecef, to_eci
from tocsin.earth.sun import sun_direction_eci
from tocsin.earth.wgs84 import A, geodetic_to_ecef
from tocsin.records.columns import SCAN, Region, Status, empty
from tocsin.scenario.specs import Infrared, Orbit, OverHorizon, Radar, Sensor
from tocsin.warning.evidence import (
    Shown,
    Sky,
    Watch,
    collect,
    could_from,
    in_sector,
    look_angles,
    look_probability,
    look_snr,
    note_scans,
    over_terrain,
    single_look,
    tells_burning,
)

S = 1_000_000_000
DEG = math.pi / 180.0
SKY = Sky(0.3, 0)
DARK = Shown(1.0, False, 0.0)


def radar(n: int = 0, lat: float = 40.0, lon: float = 140.0, el_min: float = 3.0, pfa: float = 1e-6) -> Sensor:
    model = Radar(
        lat=lat * DEG, lon=lon * DEG, h=0.0, boresights=(), sector=(0.0, 0.0), el_min=el_min * DEG, el_max=85 * DEG,
        range_min=10e3, range_max=2500e3, reference_range=1500e3, reference_snr=20.0, frequency=1.3e9, beam_az=0.02,
        beam_el=0.02, bandwidth=1e6, pfa=pfa, false_per_scan=0.1, scan_period=5.0, latency=1.0, sigma_range=30.0,
        sigma_angle=1e-3,
    )  # fmt: skip
    return Sensor(n, f"radar-{n}", "a radar", "a", model)


def satellite(n: int = 5, lon0: float = 0.0) -> Sensor:
    orbit = Orbit(42164.17e3, 0.0, 0.0, 0.0, 0.0, lon0)
    model = Infrared(orbit, 10.0, 2e4, 6.0, 38e6, 10e3, 5e-5, 1e-5, 0.1, 5.0, 0.0)
    return Sensor(n, f"ir-{n}", "a satellite", "a", model)


@given(st.floats(-10, 10), st.floats(0, 6.28), st.floats(0, 6.28))
def test_a_sector_and_its_complement_share_only_their_borders(azimuth: float, start: float, end: float) -> None:
    both = in_sector(azimuth, start, end), in_sector(azimuth, end, start)
    assert any(both)
    if all(both) and start != end:
        off = min(abs(math.remainder(azimuth - start, 2 * math.pi)), abs(math.remainder(azimuth - end, 2 * math.pi)))
        assert off < 1e-9


@given(st.floats(-80, 80), st.floats(-179, 179), st.floats(0, 359), st.floats(1e4, 2e6), st.floats(0, 1.2e6))
def test_look_angles_agree_with_the_geodesic(lat: float, lon: float, azimuth: float, distance: float, h: float) -> None:
    lon2, lat2, _ = Geod(ellps="WGS84").fwd(lon, lat, azimuth, distance)
    there = geodetic_to_ecef([lat2 * DEG, lon2 * DEG, h])
    r, az, el = look_angles(there, lat * DEG, lon * DEG, 0.0)
    here = geodetic_to_ecef([lat * DEG, lon * DEG, 0.0])
    assert r == pytest.approx(float(np.linalg.norm(there - here)), rel=1e-12)
    # the normal section and the geodesic part by less than a tenth of a degree within 2,000 km
    assert abs(math.remainder(az - azimuth * DEG, 2 * math.pi)) < 0.1 * DEG + 0.01 * h / 1e6
    arc = distance / 6371e3
    assert el == pytest.approx(math.atan2(math.cos(arc) - 6371e3 / (6371e3 + h), math.sin(arc)), abs=0.3 * DEG)


@pytest.mark.parametrize("swerling", [0, 1, 3])
def test_one_look_detects_as_the_declared_fluctuation_says(swerling: int) -> None:
    model = msgspec.structs.replace(radar().model, swerling=swerling)
    assert isinstance(model, Radar)
    limit = -math.log(model.pfa)
    for distance, rcs in ((1500e3, 1.0), (3000e3, 16.0), (2500e3, 0.5)):
        snr = 20.0 * rcs * (1500e3 / distance) ** 4
        assert look_snr(model, distance, 1.0, 0.5, rcs) == pytest.approx(snr, rel=1e-12)
        steady = stats.ncx2(2, 2.0 * snr).sf(2.0 * limit)
        # Swerling: the steady answer averaged over the cross-section (chi-square of 2 or 4 degrees of freedom)
        u = np.linspace(0.0005, 0.9995, 1000)
        spread = {0: np.array([1.0]), 1: stats.gamma(1).ppf(u), 3: stats.gamma(2, scale=0.5).ppf(u)}[swerling]
        expected = np.mean([stats.ncx2(2, 2.0 * snr * v).sf(2.0 * limit) for v in spread])
        assert single_look(model, snr) == pytest.approx(expected, abs=2e-3)
        assert swerling != 0 or single_look(model, snr) == pytest.approx(steady, abs=1e-9)


def test_off_the_boresight_less_comes_back_and_behind_the_face_nothing() -> None:
    model = msgspec.structs.replace(radar().model, boresights=((0.0, 0.3), (math.pi, 0.3)))
    assert isinstance(model, Radar)
    at = look_snr(model, 1500e3, 0.0, 0.3, 1.0)
    assert at == pytest.approx(20.0, rel=1e-12)
    assert look_snr(model, 1500e3, math.pi, 0.3 + math.pi / 3.0, 1.0) == pytest.approx(20.0 / 8.0, rel=1e-12)
    assert look_snr(model, 1500e3, 0.0, 0.3 + math.pi / 3.0, 1.0, near=math.pi / 3.0) == pytest.approx(20.0)
    one = msgspec.structs.replace(model, boresights=((0.0, 0.0),))
    assert look_snr(one, 1500e3, math.pi, 0.1, 1.0) == 0.0


def test_terrain_is_linear_between_its_points_and_across_north() -> None:
    terrain = ((0.5, 0.02), (1.5, 0.04), (5.5, 0.06))
    assert over_terrain(terrain, 1.0, 0.0301)
    assert not over_terrain(terrain, 1.0, 0.0299)
    middle = 5.5 + 0.5 * (0.5 + 2.0 * math.pi - 5.5)
    assert over_terrain(terrain, middle % (2.0 * math.pi), 0.0401)
    assert not over_terrain(terrain, middle % (2.0 * math.pi), 0.0399)
    assert over_terrain((), 1.0, -0.5)


def test_a_fence_is_all_that_is_searched() -> None:
    x = climbing()
    here = to_ecef(x[:3], 0.3)
    _, _, el = look_angles(here, 40 * DEG, 140 * DEG, 0.0)
    for fence, sees in (((el - 0.02, el + 0.02), True), ((el + 0.01, el + 0.05), False)):
        model = msgspec.structs.replace(radar().model, fence=fence)
        sensor = msgspec.structs.replace(radar(), model=model)
        assert (look_probability(sensor, here, 0, SKY, DARK) > 0.0) == sees


def climbing(theta0: float = 0.3, t_ns: int = 0) -> np.ndarray:
    """An object 400 km west of the radar, 60 km up, rising at 2 km/s and going east at 2 km/s."""
    lon2, lat2, _ = Geod(ellps="WGS84").fwd(140.0, 40.0, 270.0, 400e3)
    p = geodetic_to_ecef([lat2 * DEG, lon2 * DEG, 60e3])
    up = p / np.linalg.norm(p)
    east = np.array([-math.sin(lon2 * DEG), math.cos(lon2 * DEG), 0.0])
    return to_eci(np.concatenate([p, 2000.0 * up + 2000.0 * east]), theta_at(theta0, t_ns))


def test_below_the_floor_a_sensor_could_not_have_looked_yet_and_says_from_when() -> None:
    sensor, x = radar(el_min=20.0), climbing()
    assert look_probability(sensor, to_ecef(x[:3], 0.3), 0, SKY, DARK) == 0.0
    when = could_from(sensor, x, 0, 600 * S, SKY, DARK, -1)
    assert when is not None
    at = np.empty(6)
    model = sensor.model
    assert isinstance(model, Radar)
    for t, above in ((when, True), (when - 10 * S, False)):
        coast_to(x, 0.0, t / 1e9, 0.3, -1.0, at)
        _, _, el = look_angles(to_ecef(at[:3], theta_at(0.3, t)), model.lat, model.lon, model.h)
        assert (el >= 20.0 * DEG) == above


def scans(sensor: int, times: list[int], sensitivity: float = 1500e3) -> np.ndarray:
    table = empty(SCAN, len(times))
    table["sensor"], table["scan"] = sensor, range(len(times))
    table["t0_ns"], table["t1_ns"] = times, [t + S for t in times]
    table["region"] = Region.SECTOR
    table["sensitivity"] = sensitivity
    table["el_min"], table["el_max"], table["range_min"], table["range_max"] = 3 * DEG, 85 * DEG, 10e3, 2500e3
    return table


def test_three_answers() -> None:
    sensors = {0: radar(0), 1: radar(1, lat=-40.0), 2: radar(2)}
    watch, x = Watch(), climbing()
    for n in (0, 1, 2):
        found = np.array([0], dtype=np.uint16)
        note_scans(watch, sensors, scans(n, [0, 5 * S, 10 * S]), found, x, 0, SKY, DARK)
    got = {e.sensor: e for e in collect(watch, sensors, "a", x, 10 * S, 900 * S, SKY, DARK, -1)}
    assert got["radar-0"].state == "agrees"
    assert got["radar-1"].state == "not_yet"
    assert got["radar-1"].could_from_ns is None  # on the other half of the Earth
    assert got["radar-2"].state == "disagrees"
    assert Watch.of(watch.state()).state() == watch.state()
    assert all(e.source_chain == ("a",) for e in got.values())


def test_silence_disagrees_only_when_a_miss_is_unlikely() -> None:
    weak = msgspec.structs.replace(radar(2), model=msgspec.structs.replace(radar().model, reference_range=100e3))
    watch = Watch()
    note_scans(watch, {2: weak}, scans(2, [0, 5 * S], 100e3), np.array([], np.uint16), climbing(), 0, SKY, DARK)
    assert collect(watch, {2: weak}, "a", None, 10 * S, 900 * S, SKY, DARK, -1)[0].state == "not_yet"


def test_a_radar_that_says_it_sees_little_does_not_disagree() -> None:
    states = {}
    for sensitivity in (1500e3, 100e3):
        watch, x = Watch(), climbing()
        none = np.array([], dtype=np.uint16)
        seen = scans(0, [0, 5 * S, 10 * S], sensitivity)
        note_scans(watch, {0: radar()}, seen, none, x, 0, SKY, DARK)
        (one,) = collect(watch, {0: radar()}, "a", x, 10 * S, 900 * S, SKY, DARK, -1)
        states[sensitivity] = one.state
    assert states == {1500e3: "disagrees", 100e3: "not_yet"}


def test_a_satellite_sees_burning_objects_on_its_side_of_the_earth_only() -> None:
    here = geodetic_to_ecef([0.0, 0.0, 50e3])
    for lon0, burning, intensity, expected in (
        (0.0, True, 1e5, True),
        (0.0, False, 1e5, False),
        (0.0, True, 1e3, False),
        (math.pi, True, 1e5, False),
    ):
        p = look_probability(satellite(lon0=lon0), here, 0, Sky(0.0, 0), Shown(1.0, burning, intensity))
        assert (p > 0.5) == expected


def test_the_sun_the_trough_and_a_silent_scan_excuse_a_satellite() -> None:
    unix = 1_600_000_000 * S
    sky, plume = Sky(0.0, unix), Shown(1.0, True, 1e5)
    here = geodetic_to_ecef([0.0, 0.0, 80e3])
    sun = sun_direction_eci(unix)
    # a satellite nearly opposite to the Sun has it beside the Earth's edge; one at 60 deg from there has not
    for angle in (math.radians(12.0), math.radians(60.0)):
        lon = math.atan2(sun[1], sun[0]) + math.pi + angle
        sensor = satellite(lon0=lon)
        side = np.array([math.cos(lon + 0.5 * math.pi), math.sin(lon + 0.5 * math.pi), 0.0])
        there = side * (A + 80e3)
        clear = msgspec.structs.replace(sensor.model, sun_exclusion=0.0)
        blind = msgspec.structs.replace(sensor.model, sun_exclusion=math.radians(25.0))
        seen = [
            look_probability(msgspec.structs.replace(sensor, model=m), to_ecef(there, 0.0), 0, sky, plume)
            for m in (clear, blind)
        ]
        assert seen[0] > 0.9
        assert (seen[1] > 0.9) == (angle > math.radians(30.0))
    full = look_probability(satellite(), here, 0, sky, Shown(1.0, True, 2.4e4))
    dim = look_probability(satellite(), here, 0, sky, Shown(1.0, True, 2.4e4, trough=(70e3, 90e3, 0.2)))
    assert full > 0.5
    assert dim < 0.1
    row = scans(5, [0], 2e4)[0]
    assert look_probability(satellite(), here, 0, sky, plume, row) > 0.9
    row["status"] = Status.SILENT
    assert look_probability(satellite(), here, 0, sky, plume, row) == 0.0


def test_a_warm_body_is_seen_against_space_alone() -> None:
    model = msgspec.structs.replace(satellite().model, least_body=10.0)
    sensor = msgspec.structs.replace(satellite(), model=model)
    sky, body = Sky(0.0, 0), Shown(1.0, False, 0.0, warm=30.0)
    below = np.array([A + 500e3, 0.0, 0.0])  # between the satellite and the Earth
    beside = np.array([0.0, A + 1500e3, 0.0])
    assert look_probability(sensor, below, 0, sky, body) == 0.0
    assert look_probability(sensor, beside, 0, sky, body) > 0.9
    assert look_probability(satellite(), beside, 0, sky, body) == 0.0
    # what a sensor of bodies detects need not burn
    assert [tells_burning(s) for s in (satellite(), sensor, radar())] == [True, False, False]


def test_a_starer_looks_at_the_end_of_its_period() -> None:
    """A plume that is out of the cloud only at the end of a scan: a starer must have seen it."""
    up = np.array([A + 9.6e3, 0.0, 0.0, 100.0, 0.0, 0.0])  # 9.6 km up at 100 m/s; the cloud top is at 10 km
    logs = {}
    for staring in (False, True):
        model = msgspec.structs.replace(satellite().model, staring=staring)
        table = scans(5, [0], 2e4)
        table["t1_ns"] = 7 * S
        watch = Watch()
        none = np.array([], np.uint16)
        sensor = msgspec.structs.replace(satellite(), model=model)
        note_scans(watch, {5: sensor}, table, none, up, 0, Sky(0.0, 0), Shown(1.0, True, 1e5))
        logs[staring] = watch.looked[5].log_missed
    assert logs[False] == 0.0
    assert logs[True] < math.log(0.01)


def test_scans_over_the_horizon_count_as_looks() -> None:
    model = OverHorizon(
        lat=0.0, lon=0.0, h=0.0, sector=(0.0, math.pi), range_min=900e3, range_max=3000e3, reference_range=2000e3,
        reference_rcs=10.0, reference_snr=100.0, greatest_height=60e3, sigma_range=20e3, sigma_azimuth=0.01, pfa=1e-4,
        false_per_scan=0.0, scan_period=10.0, latency=1.0, availability=0.7,
    )  # fmt: skip
    sensor = Sensor(3, "oth", "over the horizon", "a", model)
    low, high, west = (geodetic_to_ecef([0.0, lon, h]) for lon, h in ((0.3, 30e3), (0.3, 90e3), (-0.3, 30e3)))
    sky, shown = Sky(0.0, 0), Shown(10.0, True, 0.0)
    assert look_probability(sensor, high, 0, sky, shown) == look_probability(sensor, west, 0, sky, shown) == 0.0
    row = scans(3, [0])[0]
    row["sensitivity"] = 2000e3 / 10.0**0.25  # what such a radar says while the ionosphere carries
    snr = 100.0 * (2000e3 / (0.3 * A)) ** 4
    p = look_probability(sensor, low, 0, sky, shown, row)
    assert p == pytest.approx(1e-4 ** (1.0 / (1.0 + snr)), rel=1e-6)
    assert look_probability(sensor, low, 0, sky, shown) == pytest.approx(0.7 * p, rel=1e-6)
    row["sensitivity"] = 0.0  # and while it does not
    assert look_probability(sensor, low, 0, sky, shown, row) == 0.0
