"""What each sensor says of a warning: geometry against closed forms, and the three answers."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from tocsin.dynamics.kernels import coast_to
from tocsin.earth.frames import theta_at, to_ecef, to_eci
from tocsin.earth.wgs84 import A, geodetic_to_ecef
from tocsin.records.columns import SCAN, Region, empty
from tocsin.scenario.specs import Infrared, Orbit, Radar, Sensor
from tocsin.warning.evidence import (
    Watch,
    collect,
    could_from,
    detection_probability,
    in_sector,
    line_is_free,
    look_angles,
    look_probability,
    note_scans,
)

S = 1_000_000_000
DEG = math.pi / 180.0


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


@given(st.floats(0.0, math.pi), st.floats(1e5, 4e7))
def test_a_line_is_free_as_tangents_say(angle: float, h: float) -> None:
    """On the equator the ellipsoid is a circle: points of one height see each other up to twice acos(A / (A + h))."""
    a = np.array([A + h, 0.0, 0.0])
    b = np.array([(A + h) * math.cos(angle), (A + h) * math.sin(angle), 0.0])
    limit = 2.0 * math.acos(A / (A + h))
    if abs(angle - limit) > 1e-6 and angle > 1e-3:
        assert line_is_free(a, b, 0.0) == (angle < limit)


def test_detection_probability_is_swerling_one() -> None:
    model = radar().model
    assert isinstance(model, Radar)
    assert detection_probability(model, 1500e3, 1.0) == pytest.approx(1e-6 ** (1.0 / 21.0), rel=1e-12)
    assert detection_probability(model, 3000e3, 16.0) == pytest.approx(1e-6 ** (1.0 / 21.0), rel=1e-12)
    assert detection_probability(model, 1e9, 1.0) == pytest.approx(1e-6, rel=1e-3)


def climbing(theta0: float = 0.3, t_ns: int = 0) -> np.ndarray:
    """An object 400 km west of the radar, 60 km up, rising at 2 km/s and going east at 2 km/s."""
    lon2, lat2, _ = Geod(ellps="WGS84").fwd(140.0, 40.0, 270.0, 400e3)
    p = geodetic_to_ecef([lat2 * DEG, lon2 * DEG, 60e3])
    up = p / np.linalg.norm(p)
    east = np.array([-math.sin(lon2 * DEG), math.cos(lon2 * DEG), 0.0])
    return to_eci(np.concatenate([p, 2000.0 * up + 2000.0 * east]), theta_at(theta0, t_ns))


def test_below_the_floor_a_sensor_could_not_have_looked_yet_and_says_from_when() -> None:
    sensor, x = radar(el_min=20.0), climbing()
    assert look_probability(sensor, to_ecef(x[:3], 0.3), 0, 0.3, 1.0, False, 0.0) == 0.0
    when = could_from(sensor, x, 0, 600 * S, 0.3, 1.0, -1, 0.0)
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
        note_scans(watch, sensors, scans(n, [0, 5 * S, 10 * S]), found, x, 0, 0.3, 1.0, False, 0.0)
    got = {e.sensor: e for e in collect(watch, sensors, "a", x, 10 * S, 900 * S, 0.3, 1.0, -1, 0.0)}
    assert got["radar-0"].state == "agrees"
    assert got["radar-1"].state == "not_yet"
    assert got["radar-1"].could_from_ns is None  # on the other half of the Earth
    assert got["radar-2"].state == "disagrees"
    assert Watch.of(watch.state()).state() == watch.state()
    assert all(e.source_chain == ("a",) for e in got.values())


def test_silence_disagrees_only_when_a_miss_is_unlikely() -> None:
    weak = msgspec.structs.replace(radar(2), model=msgspec.structs.replace(radar().model, reference_range=100e3))
    watch = Watch()
    note_scans(
        watch, {2: weak}, scans(2, [0, 5 * S], 100e3), np.array([], np.uint16), climbing(), 0, 0.3, 1.0, False, 0.0
    )
    assert collect(watch, {2: weak}, "a", None, 10 * S, 900 * S, 0.3, 1.0, -1, 0.0)[0].state == "not_yet"


def test_a_radar_that_says_it_sees_little_does_not_disagree() -> None:
    states = {}
    for sensitivity in (1500e3, 100e3):
        watch, x = Watch(), climbing()
        none = np.array([], dtype=np.uint16)
        seen = scans(0, [0, 5 * S, 10 * S], sensitivity)
        note_scans(watch, {0: radar()}, seen, none, x, 0, 0.3, 1.0, False, 0.0)
        (one,) = collect(watch, {0: radar()}, "a", x, 10 * S, 900 * S, 0.3, 1.0, -1, 0.0)
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
        p = look_probability(satellite(lon0=lon0), here, 0, 0.0, 1.0, burning, intensity)
        assert (p > 0.5) == expected
