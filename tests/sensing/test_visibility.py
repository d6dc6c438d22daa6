"""Sight of many positions at once against a radar's own look, and against PROJ."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from sensing_world import DEG, THETA0, OnTheEarth, radar, sensor, targets
from test_radar import place

from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.sensing import radar as radar_module
from tocsin.sensing.rig import Rig
from tocsin.sensing.visibility import Sight

RIDGE = ((350.0 * DEG, 2.0 * DEG), (30.0 * DEG, 10.0 * DEG), (180.0 * DEG, 0.0))


def positions(rng, n, lat, lon, h):
    out = [place(rng.uniform(0, 360), rng.uniform(-15, 90), 10 ** rng.uniform(4.5, 6.9), lat, lon, h) for _ in range(n)]
    return np.array([p for p in out if wgs84.ecef_to_geodetic(p)[2] > -5e5])


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1), st.floats(0.0, 4000.0),
    st.floats(0.0, 6.28), st.one_of(st.just(0.0), st.floats(0.05, 6.2)), st.booleans(), st.booleans(),
)  # fmt: skip
def test_in_sight_is_what_an_all_powerful_radar_detects(seed, lat, lon, h, az, width, faces, ridge):
    rng = np.random.default_rng(seed)
    low = rng.uniform(-0.1, 0.5)
    model = radar(
        lat=lat, lon=lon, h=h, sector=(az, az + width), el_min=low, el_max=low + rng.uniform(0.1, 1.5), swerling=0,
        range_min=1e5, range_max=10 ** rng.uniform(6, 6.9), reference_snr=1e20,
        boresights=((az + 0.3, 0.4),) if faces else (), terrain=RIDGE if ridge else (),
    )  # fmt: skip
    ecef = positions(rng, 40, lat, lon, h)
    got = Sight([model]).lit(ecef)[0]
    seen = Rig((sensor(model),), THETA0, 1).step(0, round(1.999 * NS), targets(OnTheEarth(ecef))).links["object"]
    assert set(np.flatnonzero(got).tolist()) == set(seen.tolist())


def test_limits_against_proj():
    rng = np.random.default_rng(7)
    for lat, lon, az_from, az_to, el_min, el_max in (
        (0.7, -1.2, 200, 80, 3, 85), (-0.4, 2.0, 10, 130, 2, 55), (1.1, 0.5, 305, 304, 5, 34), (0.2, 0.1, 0, 0, 3, 90),
        (0.2, 0.1, 90, 270, 3, 90),
    ):  # fmt: skip
        model = radar(lat=lat, lon=lon, h=200.0, sector=(az_from * DEG, az_to * DEG), el_min=el_min * DEG,
                      el_max=el_max * DEG, range_min=3e5, range_max=5e6)  # fmt: skip
        ecef = positions(rng, 4000, lat, lon, 200.0)
        local = Transformer.from_pipeline(
            f"+proj=topocentric +ellps=WGS84 +lat_0={lat / DEG} +lon_0={lon / DEG} +h_0=200"
        )
        e, n, u = np.array(local.transform(*ecef.T))
        r = np.sqrt(e * e + n * n + u * u)
        past = np.mod(np.degrees(np.arctan2(e, n)) - az_from, 360.0)
        up = np.degrees(np.arcsin(u / r))
        expected = (past <= ((az_to - az_from) % 360 or 360)) & (up >= el_min) & (up <= el_max) & (r >= 3e5)
        expected &= r <= 5e6
        # at 2 deg and more nothing in range is under the horizon
        np.testing.assert_array_equal(Sight([model]).lit(ecef)[0], expected)


def test_the_earth_and_no_number():
    model = radar(el_min=-0.5 * math.pi, range_max=1e9)
    below = wgs84.geodetic_to_ecef([0.0, 0.01, -1.0])
    above = wgs84.geodetic_to_ecef([0.0, 0.01, 1000.0])
    behind = np.array([-42e6, 0.0, 0.0])
    got = Sight([model, model]).lit([below, above, behind, [np.nan, 0.0, 0.0]])
    assert got.tolist() == [[False, True, False, False]] * 2
    assert Sight([]).lit([above]).shape == (0, 1)


@pytest.mark.parametrize("period", [1.0, 30.0])
def test_sorting_out_what_is_far_away_changes_no_byte(monkeypatch, period):
    rng = np.random.default_rng(11)
    n = 400
    ecef = positions(rng, 600, 0.6, 0.2, 0.0)[:n]
    path = OnTheEarth(
        ecef, rng.normal(size=(n, 3)) * 5e3, [(int(a), int(a) + 90 * NS) for a in rng.uniform(0, 6e10, n)]
    )
    models = [
        radar(lat=0.6, lon=0.2, el_min=e, el_max=1.4, range_min=2e5, range_max=2e6, scan_period=period, doppler=True)
        for e in (-0.1, 0.05, 0.4)
    ]
    rigs = [Rig(tuple(sensor(m, k) for k, m in enumerate(models)), THETA0, 1) for _ in range(2)]
    with_it = rigs[0].step(0, 120 * NS, targets(path))
    framed = [rigs[0].step(t * NS, (t + 5) * NS, targets(path)) for t in range(0, 120, 5)]
    monkeypatch.setattr(radar_module, "_MANY", 10**9)
    without = rigs[1].step(0, 120 * NS, targets(path))
    assert len(without.detections) > 100
    for a, b in zip((with_it.scans, with_it.detections), (without.scans, without.detections), strict=True):
        assert a.tobytes() == b.tobytes()
    assert sum(len(f.detections) for f in framed) == len(without.detections)
