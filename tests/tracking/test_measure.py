"""The measurement kernel against a plain twin, finite differences and a geometry done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.earth.frames import OMEGA_GMST, to_eci
from tocsin.earth.wgs84 import MU, enu_axes, geodetic_to_ecef
from tocsin.records.columns import DETECTION, KIND_SIZE, SCAN, Kind, Region, empty, pack_symmetric
from tocsin.tracking.measure import h, lay_out, predict, sight, wrap_residual


def ground(lat_deg, lon_deg, height, theta):
    """Platform (6) and attitude (9) of a radar on the ground at sidereal angle theta."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    p = to_eci(np.r_[geodetic_to_ecef([lat, lon, height]), 0.0, 0.0, 0.0], theta)
    e = np.vstack([to_eci(row, theta) for row in enu_axes(lat, lon)])
    return np.ascontiguousarray(p), np.ascontiguousarray(e.ravel())


def orbiting():
    """Platform (6) and attitude (9) of a satellite that looks down, at geosynchronous height."""
    p = np.array([2.0e7, -3.6e7, 4.0e6, 2600.0, 1500.0, 300.0])
    down = -p[:3] / np.linalg.norm(p[:3])
    east = np.cross([0, 0, 1.0], -down)
    east /= np.linalg.norm(east)
    return p, np.concatenate([east, down, np.cross(east, down)])


def twin(kind, x, dt, region, platform, attitude, bias):
    """The same measurement in plain NumPy."""
    p, v, e = platform[:3], platform[3:], attitude.reshape(3, 3)
    if region in (Region.SECTOR, Region.GROUND):
        a = OMEGA_GMST * dt
        turn = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1.0]])
        if region == Region.GROUND:
            spin = np.array([0.0, 0.0, OMEGA_GMST])
            own = v - np.cross(spin, p)
            p = p + own * dt
            v = own + np.cross(spin, p)
        p, v, e = turn @ p, turn @ v, e @ turn.T
    elif region == Region.SPACE:
        p = p + v * dt
    else:
        g = -MU * p / np.linalg.norm(p) ** 3
        p, v = p + v * dt + g * dt**2 / 2, v + g * dt
    d = x[:3] - p
    east, north, up = e @ d
    r = np.linalg.norm(d)
    azimuth, elevation = math.atan2(east, north), math.asin(up / r)
    rate = d @ (x[3:6] - v) / r
    z = {
        Kind.RAE: [r, azimuth, elevation],
        Kind.RAER: [r, azimuth, elevation, rate],
        Kind.LOS: [azimuth, elevation],
        Kind.RA: [r, azimuth],
        Kind.XY: [east, north],
    }[kind]
    return np.array(z) + bias[: len(z)]


def call(kind, x, dt, region, platform, attitude, bias):
    z, hx, hb, ht = np.full(4, np.nan), np.full((4, 6), np.nan), np.full((4, 4), np.nan), np.full(4, np.nan)
    rows = h(kind, x, dt, region, platform, attitude, bias, z, hx, hb, ht)
    return rows, z, hx, hb, ht


CASES = [(k, r) for k in (Kind.RAE, Kind.RAER, Kind.LOS, Kind.RA, Kind.XY) for r in range(4)]
numbers = st.floats(-1.0, 1.0)


@pytest.mark.parametrize(("kind", "region"), CASES)
@settings(max_examples=25, deadline=None)
@given(v=st.lists(numbers, min_size=12, max_size=12))
def test_values_and_every_derivative(kind, region, v):
    platform, attitude = orbiting()
    if region in (Region.SECTOR, Region.GROUND):
        platform, attitude = ground(68.1, 33.9, 200.0, 1.1)
    if region == Region.GROUND:
        platform[3:] += 250.0 * attitude[:3] - 100.0 * attitude[3:6]
    # an object some 1,000 km from the ground radar, never within 5 degrees of its zenith
    base, _ = ground(72.0, 20.0, 4e5, 1.1)
    x = np.array(base)
    x[:3] += 2e5 * np.array(v[:3])
    x[3:] = 4000.0 * np.array(v[3:6])
    dt = 5.0 * v[6]
    bias = np.array([50.0, 1e-3, 1e-3, 3.0]) * np.array(v[7:11])
    rows, z, hx, hb, ht = call(kind, x, dt, region, platform, attitude, bias)
    assert rows == KIND_SIZE[kind]
    expected = twin(kind, x, dt, region, platform, attitude, bias)
    np.testing.assert_allclose(z[:rows], expected, rtol=1e-12, atol=2e-8)
    assert not z[rows:].any()

    def difference(plus, minus, step):
        d = np.zeros(4)
        d[:rows] = twin(kind, *plus) - twin(kind, *minus)
        wrap_residual(kind, d)
        return d[:rows] / (2 * step)

    rest = (region, platform, attitude)
    for j in range(6):
        step = 20.0 if j < 3 else 1.0
        e = np.zeros(6)
        e[j] = step
        fd = difference((x + e, dt, *rest, bias), (x - e, dt, *rest, bias), step)
        assert (np.abs(hx[:rows, j] - fd) <= 2e-6 * np.abs(hx[:rows]).max(axis=1) + 1e-12).all()
    for j in range(4):
        e = np.zeros(4)
        e[j] = 0.01
        fd = difference((x, dt, *rest, bias + e), (x, dt, *rest, bias - e), 0.01)
        np.testing.assert_allclose(hb[:rows, j], fd, atol=1e-6)

    def moved(s):
        g = -MU * x[:3] / np.linalg.norm(x[:3]) ** 3
        return np.r_[x[:3] + x[3:] * s + g * s * s / 2, x[3:] + g * s]

    fd = difference((moved(0.5), dt + 0.5, *rest, bias), (moved(-0.5), dt - 0.5, *rest, bias), 0.5)
    # angles to 1e-8 rad/s, ranges and their rates to 1 mm/s and mm/s2, against a central difference over one second
    assert (np.abs(ht[:rows] - fd) <= 1e-5 * np.abs(fd) + np.where(np.abs(z[:rows]) > 10.0, 1e-2, 1e-7)).all()


def test_an_object_due_east_on_the_horizon_and_one_overhead():
    platform, attitude = ground(0.0, 0.0, 0.0, 0.0)
    x = np.zeros(6)
    x[:3] = platform[:3] + np.array([0.0, 1e5, 0.0])
    _, z, *_ = call(Kind.RAE, x, 0.0, Region.SECTOR, platform, attitude, np.zeros(4))
    np.testing.assert_allclose(z, [1e5, math.pi / 2, 0.0, 0.0], atol=1e-9)
    x[:3] = platform[:3] + np.array([1e5, 0.0, 0.0])
    _, z, hx, _, ht = call(Kind.RAE, x, 0.0, Region.SECTOR, platform, attitude, np.zeros(4))
    assert z[2] == pytest.approx(math.pi / 2, abs=1e-6)
    assert np.isfinite(hx).all()
    assert np.isfinite(ht).all()


def test_an_object_that_turns_with_the_earth_stays_where_it_is_for_a_radar():
    platform, attitude = ground(50.0, 10.0, 0.0, 0.3)
    x, _ = ground(52.0, 12.0, 1e5, 0.3)
    later, _ = ground(52.0, 12.0, 1e5, 0.3 + OMEGA_GMST * 9.0)
    _, z, _, _, ht = call(Kind.RAER, x, 0.0, Region.SECTOR, platform, attitude, np.zeros(4))
    _, z9, *_ = call(Kind.RAER, later, 9.0, Region.SECTOR, platform, attitude, np.zeros(4))
    np.testing.assert_allclose(z9, z, rtol=1e-11, atol=1e-8)
    np.testing.assert_allclose(ht[:3], 0.0, atol=1e-8)


@pytest.mark.parametrize("region", range(4))
def test_sight_is_the_inverse(region):
    platform, attitude = ground(68.1, 33.9, 200.0, 1.1) if region == Region.SECTOR else orbiting()
    x, _ = ground(72.0, 20.0, 4e5, 1.1)
    _, z, *_ = call(Kind.RAE, x, 4.0, region, platform, attitude, np.zeros(4))
    out = np.empty(6)
    sight(z[1], z[2], 4.0, region, platform, attitude, out)
    np.testing.assert_allclose(out[:3] + z[0] * out[3:], x[:3], atol=1e-4)


@given(a=st.floats(-20.0, 20.0))
def test_wrapping(a):
    r = np.array([5.0, a, a, 0.0])
    wrap_residual(Kind.RAE, r)
    assert -math.pi <= r[1] < math.pi + 1e-12
    assert math.cos(r[1]) == pytest.approx(math.cos(a), abs=1e-9)
    assert math.sin(r[1]) == pytest.approx(math.sin(a), abs=1e-9)
    assert r[2] == a


def test_laying_out_tables():
    platform, attitude = ground(68.1, 33.9, 200.0, 1.1)
    scans, detections = empty(SCAN, 1), empty(DETECTION, 1)
    scans["t0_ns"], scans["platform"], scans["attitude"], scans["scan"] = 10_000_000_000, platform, attitude, 7
    noise = np.diag([100.0, 1e-6, 2e-6, 0.0])
    noise[0, 1] = noise[1, 0] = 3e-3
    detections["t_ns"], detections["scan"], detections["R"] = 12_500_000_000, 7, pack_symmetric(noise)
    looks = lay_out(detections, scans)
    np.testing.assert_array_equal(looks.R[0], noise)
    assert looks.dt[0] == 2.5
    assert looks.rows[0] == 3
    x, _ = ground(72.0, 20.0, 4e5, 1.1)
    z, hx, _, _ = predict(x[None], looks)
    _, one, hx_one, *_ = call(Kind.RAE, x, 2.5, Region.SECTOR, platform, attitude, np.zeros(4))
    np.testing.assert_array_equal(z[0], one)
    np.testing.assert_array_equal(hx[0], hx_one)
    detections["scan"] = 8
    with pytest.raises(ValueError, match="not its own"):
        lay_out(detections, scans)
    with pytest.raises(ValueError, match="as many scan rows"):
        lay_out(detections, scans[:0])
