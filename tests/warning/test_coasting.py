import math

import numpy as np
import pytest
import warning_cases as cases
from scipy.stats import norm

from tocsin.dynamics.kernels import coast_to, fall
from tocsin.earth.frames import OMEGA_GMST, to_ecef, to_eci
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.wgs84 import MU, A, ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.scenario.specs import Spread
from tocsin.warning import coasting, regions

R = 6371008.8
THETA0 = cases.THETA0


def thrown(lat, lon, azimuth, elevation, speed, height=0.0, theta0=THETA0):
    """A state at t = 0 over a place with an inertial velocity."""
    fixed = geodetic_to_ecef([lat, lon, height])
    e, n, u = enu_axes(lat, lon)
    v = speed * (math.cos(elevation) * (math.sin(azimuth) * e + math.cos(azimuth) * n) + math.sin(elevation) * u)
    return np.concatenate([to_eci(fixed, theta0), to_eci(v, theta0)])


@pytest.mark.parametrize("km", [300.0, 1000.0, 5500.0, 10000.0])
def test_best_range_is_that_of_minimum_energy_arcs(km):
    # published table of impulsive arcs on a spherical Earth of 6,371 km: burnout km/s
    speed = {300.0: 1.70, 1000.0: 3.02, 5500.0: 6.08, 10000.0: 7.20}[km] * 1e3
    x = np.array([R, 0.0, 0.0, 0.0, speed, 0.0])
    assert coasting.best_range(x) == pytest.approx(km * 1e3, rel=0.01)
    # the arc that reaches it leaves at 45 deg less a quarter of its angle
    gamma = math.pi / 4.0 - km * 1e3 / R / 4.0
    best = np.array([R, 0.0, 0.0, speed * math.sin(gamma), speed * math.cos(gamma), 0.0])
    assert coasting.arc_range(best) == pytest.approx(coasting.best_range(best), rel=1e-6)
    assert coasting.arc_elevation(best) == pytest.approx(gamma, abs=1e-9)
    # Kepler's constant comes from energy and angular momentum alone: range by the closed form of the arc
    nu = speed**2 * R / MU
    other = 2.0 * R * math.atan(nu * math.sin(1.0) * math.cos(1.0) / (1.0 - nu * math.cos(1.0) ** 2))
    flat = np.array([R, 0.0, 0.0, speed * math.sin(1.0), speed * math.cos(1.0), 0.0])
    assert coasting.arc_range(flat) == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize(
    ("lat", "azimuth", "elevation", "speed"),
    [(0.7, 1.2, 0.7, 4700.0), (-1.2, -2.0, 1.2, 3000.0), (1.5, 0.1, 0.5, 6500.0)],
)
def test_arcs_end_near_the_full_propagation_and_come_back_exactly(lat, azimuth, elevation, speed):
    x = thrown(lat, 2.0, azimuth, elevation, speed, 80e3)
    hit, bare = coasting.arc_impacts(x[None, :], np.zeros(1), THETA0)
    out = np.empty(7)
    fall(x, 0.0, THETA0, 0.0, out)
    assert hit[0]
    assert out[0] == 1.0
    apart = inverse(bare[0, 0], bare[0, 1], out[2], out[3])[0]
    # J2 turns and shortens an arc by about its share of gravity
    assert apart < 5e-3 * coasting.arc_range(x)
    assert bare[0, 2] == pytest.approx(out[1], rel=6e-3)
    down, up = np.empty(7), np.empty(7)
    assert coasting.arc_to(x, 0.0, True, down)
    assert coasting.arc_to(down[1:].copy(), 80e3, False, up)
    assert up[0] == pytest.approx(-down[0], abs=5e-3)
    np.testing.assert_allclose(up[1:4], x[:3], atol=30.0)  # 80 km along the radius, not the normal
    np.testing.assert_allclose(up[4:], x[3:], atol=0.1)


def test_states_that_never_come_down_have_no_point():
    orbit = thrown(0.3, 0.0, 1.0, 0.0, math.sqrt(MU / (A + 500e3)) * 1.01, 500e3)
    escape = thrown(0.3, 0.0, 1.0, 1.0, 12000.0)
    hit, _ = coasting.arc_impacts(np.vstack([orbit, escape]), np.zeros(2), THETA0)
    assert not hit.any()
    cloud = coasting.coast_cloud(escape, np.eye(6), 0.0, THETA0, [(1.0, Spread(5000.0))])
    assert cloud.p_impact == 0.0


def test_the_mean_of_a_tight_cloud_falls_where_full_propagation_puts_it():
    x = thrown(0.7, 2.0, 1.2, 0.7, 4700.0, 120e3)
    P = np.diag([50.0**2] * 3 + [0.5**2] * 3)
    cloud = coasting.coast_cloud(x, P, 0.0, THETA0, [(1.0, Spread(5000.0))])
    out = np.empty(7)
    fall(x, 0.0, THETA0, 5000.0, out)
    centre = coasting.centre_of(cloud)
    assert inverse(*centre, out[2], out[3])[0] < 30.0
    assert cloud.weight @ cloud.t == pytest.approx(out[1], abs=0.05)
    assert cloud.p_impact == pytest.approx(1.0, abs=1e-12)


def test_a_clouds_spread_is_that_of_full_falls():
    x = thrown(0.7, 2.0, 1.2, 0.7, 4700.0, 120e3)
    P = np.diag([400.0**2] * 3 + [8.0**2] * 3)
    cloud = coasting.coast_cloud(x, P, 0.0, THETA0, [(1.0, Spread(4000.0, 800.0))])
    rng = np.random.default_rng(3)
    states = x + rng.standard_normal((600, 6)) * np.sqrt(np.diag(P))
    full = coasting.falls(states, np.zeros(600), THETA0, np.maximum(4000.0 + 800.0 * rng.standard_normal(600), 500.0))
    centre = coasting.centre_of(cloud)
    xy, other = regions.to_plane(centre, cloud.lat, cloud.lon), regions.to_plane(centre, full[:, 2], full[:, 3])
    cov = (xy * cloud.weight[:, None]).T @ xy
    sd = np.sqrt(np.linalg.eigvalsh(cov))
    np.testing.assert_allclose(
        sd, np.sqrt(np.linalg.eigvalsh(np.cov(other.T))), rtol=0.1
    )  # 600 falls know a sigma to 3 %
    assert np.linalg.norm(other.mean(axis=0)) < 4.0 * sd[1] / math.sqrt(600)


def test_tails_of_the_impact_point_are_resolved():
    # the share beyond k sigma along any line must be the normal distribution's, down to 1e-4
    x = thrown(0.7, 2.0, 1.2, 0.7, 4700.0, 120e3)
    cloud = coasting.coast_cloud(x, np.diag([100.0**2] * 3 + [1.0] * 3), 0.0, THETA0, [(1.0, Spread(5000.0))])
    xy = regions.to_plane(coasting.centre_of(cloud), cloud.lat, cloud.lon)
    values, vectors = np.linalg.eigh((xy * cloud.weight[:, None]).T @ xy)
    for angle in (0.0, 0.8, 1.6, 2.4):
        line = vectors @ (np.array([math.cos(angle), math.sin(angle)]) / np.sqrt(values))
        for k, tolerance in ((1.0, 0.05), (2.326, 0.25), (3.09, 0.45), (3.719, 0.7)):
            share = float(cloud.weight[xy @ line > k].sum())
            assert share == pytest.approx(norm.sf(k), rel=tolerance)


def test_rotation_of_the_earth_and_the_sky_together_turns_the_cloud():
    x = thrown(0.7, 2.0, 1.2, 0.7, 4700.0, 120e3)
    P = np.diag([400.0**2] * 3 + [8.0**2] * 3)
    one = coasting.coast_cloud(x, P, 100.0, THETA0, [(1.0, Spread(5000.0))])
    # same sky, the Earth turned under it: longitudes move back, nothing else
    other = coasting.coast_cloud(x, P, 100.0, THETA0 + 0.5, [(1.0, Spread(5000.0))])
    np.testing.assert_allclose(other.lat, one.lat, atol=1e-9)
    np.testing.assert_allclose((one.lon - other.lon) % (2.0 * math.pi), 0.5, atol=1e-9)
    # later by an hour with the Earth's turn taken back: only times move
    later = coasting.coast_cloud(x, P, 3700.0, THETA0 - OMEGA_GMST * 3600.0, [(1.0, Spread(5000.0))])
    np.testing.assert_allclose(later.lon, one.lon, atol=1e-8)
    np.testing.assert_allclose(later.t - one.t, 3600.0, atol=1e-6)


def test_launch_cloud_goes_back_to_burnout_and_behind_it():
    # a burnout made to measure: its height, downrange and time are the belief exactly
    site = (0.5, 1.0)
    azimuth, downrange, height, burn = 0.9, 120e3, 150e3, 130.0
    lat, lon, back = direct(*site, azimuth, downrange)
    onward = back + math.pi
    t_burnout = burn
    theta = THETA0 + OMEGA_GMST * t_burnout
    e, n, u = enu_axes(lat, lon)
    v = 3800.0 * (math.cos(0.7) * (math.sin(onward) * e + math.cos(onward) * n) + math.sin(0.7) * u)
    x = to_eci(np.concatenate([geodetic_to_ecef([lat, lon, height]), v]), theta)
    later = np.empty(6)
    coast_to(x, t_burnout, t_burnout + 300.0, THETA0, 0.0, later)
    origin = coasting.Origin(Spread(height), Spread(downrange), Spread(burn))
    la, lo, t, burnout = coasting.launch_cloud(later, np.eye(6) * 1e-6, t_burnout + 300.0, THETA0, origin)
    assert len(la) == coasting.LAUNCH_ROWS
    assert inverse(*site, la[0], lo[0])[0] < 50.0
    np.testing.assert_allclose(t, 0.0, atol=0.1)
    np.testing.assert_allclose(burnout, burn, atol=0.1)
    # and with spreads, they come out
    origin = coasting.Origin(Spread(height), Spread(downrange, 20e3), Spread(burn, 8.0))
    la, lo, t, _ = coasting.launch_cloud(later, np.eye(6) * 1e-6, t_burnout + 300.0, THETA0, origin)
    along = np.array([inverse(*site, a, b)[0] for a, b in zip(la, lo, strict=True)])
    assert math.sqrt(np.mean(along**2)) == pytest.approx(20e3, rel=0.05)
    assert t.std() == pytest.approx(8.0, rel=0.05)


def test_a_state_that_never_rose_through_the_height_has_no_launch_there():
    x = thrown(0.5, 1.0, 0.3, -0.4, 1500.0, 60e3)
    origin = coasting.Origin(Spread(400e3), Spread(0.0), Spread(100.0))
    assert len(coasting.launch_cloud(x, np.eye(6), 0.0, THETA0, origin)[0]) == 0


def test_drag_of_two_kinds_makes_two_heaps():
    # light and heavy: each falls where the full propagation puts it, in its share
    x = thrown(0.7, 2.0, 1.2, 1.2, 3500.0, 120e3)
    kinds = [(0.3, Spread(300.0)), (0.7, Spread(9000.0))]
    cloud = coasting.coast_cloud(x, np.diag([1.0] * 3 + [1e-4] * 3), 0.0, THETA0, kinds)
    full = coasting.falls(np.vstack([x, x]), np.zeros(2), THETA0, np.array([300.0, 9000.0]))
    assert full[0, 1] > full[1, 1] + 20.0
    light = cloud.t > 0.5 * (full[0, 1] + full[1, 1])
    assert cloud.weight[light].sum() == pytest.approx(0.3, abs=0.01)
    for heap, row in ((light, full[0]), (~light, full[1])):
        np.testing.assert_allclose(cloud.t[heap], row[1], atol=0.5)
        places = zip(cloud.lat[heap][:50], cloud.lon[heap][:50], strict=True)
        apart = [inverse(a, b, row[2], row[3])[0] for a, b in places]
        assert max(apart) < 100.0


def test_ground_tracks_run_from_the_rise_to_the_impact():
    x = thrown(0.7, 2.0, 1.2, 0.7, 4700.0, 120e3)
    cloud = coasting.coast_cloud(x, np.diag([1.0] * 3 + [1e-4] * 3), 50.0, THETA0, [(1.0, Spread(5000.0))])
    rows = np.arange(4)
    track = coasting.ground_tracks(cloud, rows, THETA0)
    hit, bare = coasting.arc_impacts(cloud.x[rows], cloud.t_x[rows], THETA0)
    assert hit.all()
    np.testing.assert_allclose(track[:, -1, :2], bare[:, :2], atol=1e-6)
    np.testing.assert_allclose(track[:, -1, 2], bare[:, 2], atol=0.01)
    assert (np.diff(track[:, :, 2], axis=1) > 0.0).all()
    mid = np.empty(6)
    coast_to(cloud.x[0].copy(), 50.0, track[0, 30, 2], THETA0, 0.0, mid)
    under = ecef_to_geodetic(to_ecef(mid[:3], THETA0 + OMEGA_GMST * track[0, 30, 2]))
    assert inverse(under[0], under[1], track[0, 30, 0], track[0, 30, 1])[0] < 6e3  # J2 again


def test_standard_normals_are_what_they_say():
    z = coasting.standard_normals(320, 11, "launches")
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(z.T @ z / 320, np.eye(11), atol=1e-10)
    with pytest.raises(ValueError, match="too few"):
        coasting.standard_normals(20, 11, "launches")


def test_impact_regions_hold_the_truth_as_often_as_they_say():
    # a state known as a radar would know it, two classes' worth of drag: 95 % must be 95 %
    rng = np.random.default_rng(11)
    inside50 = inside95 = 0
    n = 150
    for _ in range(n):
        flight = cases.draw_flight(rng)
        t = flight.t_cut + 40.0
        x = flight.state(t)
        P = np.diag([300.0**2] * 3 + [rng.uniform(2.0, 60.0) ** 2] * 3)
        seen = x + np.sqrt(np.diag(P)) * rng.standard_normal(6)
        cloud = coasting.coast_cloud(seen, P, t, THETA0, [(1.0, cases.MIDDLE.beta)])
        centre = coasting.centre_of(cloud)
        xy = regions.to_plane(centre, cloud.lat, cloud.lon)
        cov = (xy * cloud.weight[:, None]).T @ xy
        off = regions.to_plane(centre, np.array([flight.impact[0]]), np.array([flight.impact[1]]))[0]
        d2 = off @ np.linalg.solve(cov, off)
        inside50 += d2 < regions.normal_radius2(0.5)
        inside95 += d2 < regions.normal_radius2(0.95)
    # three binomial sigmas
    assert abs(inside95 / n - 0.95) < 3.0 * math.sqrt(0.95 * 0.05 / n)
    assert abs(inside50 / n - 0.50) < 3.0 * math.sqrt(0.25 / n)
