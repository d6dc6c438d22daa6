"""Infrared satellites: lines of sight against closed forms, detection and errors through the rig."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy import stats
from sensing_world import DEG, GEO, HOUR, THETA0, OnTheEarth, satellite, sensor, targets

from tocsin.dynamics.orbit import orbit_states
from tocsin.dynamics.signals import lowest_point, sees
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST
from tocsin.records.columns import Kind, Region
from tocsin.scenario.specs import Orbit
from tocsin.sensing.rig import Rig
from tocsin.sensing.scanning import Sensed

ALPHA = 1e-4
MOLNIYA = Orbit(a=26.56e6, e=0.72, i=63.4 * DEG, raan=0.4, argp=270.0 * DEG, m0=150.0 * DEG)
LOW = Orbit(a=7.378e6, e=0.001, i=80.0 * DEG, raan=1.0, argp=0.3, m0=2.0)


def run(model, what, seconds: float, seed: int = 1) -> Sensed:
    return Rig((sensor(model),), THETA0, seed).step(0, round(seconds * NS), what)


def under(eci, height: float = 50e3):
    """Earth-fixed position at the epoch of the point ``height`` over the sphere under an eci direction."""
    unit = np.asarray(eci) / np.linalg.norm(eci)
    c, s = math.cos(THETA0), math.sin(THETA0)
    return np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]) @ (unit * (wgs84.A + height))


# ------------------------------------------------------------------------------------------------------ lines of sight

on_the_equator = st.tuples(st.floats(1e5, 4e7), st.floats(-math.pi, math.pi), st.floats(100.0, 2e6))


@settings(max_examples=200, deadline=None)
@given(on_the_equator)
def test_occultation_on_the_circle_of_the_equator(case):
    # in the plane of the equator the Earth is a circle of radius a: two points see each other if the angle between them
    # is under
    # arccos(a / r1) + arccos(a / r2)
    satellite_height, apart, height = case
    r1, r2 = wgs84.A + satellite_height, wgs84.A + height
    edge = math.acos(wgs84.A / r1) + math.acos(wgs84.A / r2)
    assume(abs(abs(apart) - edge) > 1e-9)
    got = sees(r1, 0.0, 0.0, r2 * math.cos(apart), r2 * math.sin(apart), 0.0, 0.0, 0.0)
    assert got == (abs(apart) < edge)


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.floats(-1.5, 1.5), st.floats(-3.0, 3.0), st.floats(4e5, 4e7)),
    st.tuples(st.floats(-1.5, 1.5), st.floats(-3.0, 3.0), st.floats(1e3, 1e6)),
)
def test_lowest_point_against_geodetic_heights_along_the_line(a, b):
    s, p = wgs84.geodetic_to_ecef(a), wgs84.geodetic_to_ecef(b)
    past, lowest = lowest_point(*s, *p)
    height_of = Transformer.from_pipeline("+proj=pipeline +step +inv +proj=cart +ellps=WGS84")
    # finer and finer about the least of the line's heights
    low, high = 0.0, 1.0
    for _ in range(4):
        tau = np.linspace(low, high, 401)
        line = s + tau[:, None] * (p - s)
        h = np.array(height_of.transform(*line.T))[2]
        k = int(np.argmin(h))
        low, high = tau[max(k - 1, 0)], tau[min(k + 1, 400)]
    if h[k] < -5e4:  # deep under the surface the sign is all that counts
        assert lowest < 0.0
        return
    assert lowest == pytest.approx(h[k], abs=25.0)
    assert past or lowest == pytest.approx(b[2], abs=1e-3)
    assert past or h[k] > b[2] - 25.0


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(st.floats(-1.5, 1.5), st.floats(-3.0, 3.0), st.floats(4e5, 4e7)),
    st.tuples(st.floats(-1.5, 1.5), st.floats(-3.0, 3.0), st.floats(100.0, 1e6)),
)
def test_occultation_by_the_ellipsoid(a, b):
    # the discriminant of |D (s + tau (p - s))|^2 = 1, D = diag(1/a, 1/a, 1/b), says whether the line meets the
    # ellipsoid
    s, p = wgs84.geodetic_to_ecef(a), wgs84.geodetic_to_ecef(b)
    d = np.array([1 / wgs84.A, 1 / wgs84.A, 1 / wgs84.B])
    u, w = d * s, d * (p - s)
    qa, qb, qc = w @ w, 2 * u @ w, u @ u - 1
    assume(qa > 1e-12)
    roots = np.roots([qa, qb, qc])
    assume(abs(qb * qb - 4 * qa * qc) > 1e-9)
    blocked = bool((np.isreal(roots) & (roots.real > 0.0) & (roots.real < 1.0)).any())
    assert sees(*s, *p, 0.0, 0.0) == (not blocked)


def test_cloud_top_and_limb():
    r = GEO
    edge = math.acos(wgs84.A / r)  # where the surface ends, seen from the satellite

    def at(angle, height):
        q = wgs84.A + height
        return (r, 0.0, 0.0, q * math.cos(angle), q * math.sin(angle), 0.0)

    assert sees(*at(0.5, 11e3), 10e3, 30e3)
    assert not sees(*at(0.5, 9e3), 10e3, 30e3)
    # before the limb the limb rule does not count; past it the line must pass 30 km up
    assert sees(*at(edge - 0.1, 11e3), 10e3, 30e3)
    tangent = wgs84.A + 30e3
    beyond = 0.2
    heights = np.arange(20e3, 400e3, 500.0)
    seen = np.array([sees(*at(math.acos(tangent / r) + beyond, h), 10e3, 30e3) for h in heights])
    # closed form: from the point where it passes at 30 km the line rises to (a + 30 km) / cos(angle past it)
    first = int(np.argmax(seen))
    assert heights[first] == pytest.approx(tangent / math.cos(beyond) - wgs84.A, abs=500.0)
    assert seen[first:].all()


# ------------------------------------------------------------------------------------------------- detection and errors


@pytest.mark.parametrize("strength", [0.7, 0.9, 1.0, 1.1, 1.3])
def test_detection_probability_about_the_threshold(strength):
    n = 4000
    spot = under([1.0, 0.1, 0.2])
    distance = np.linalg.norm(np.array([GEO, 0, 0]) - np.array([1.0, 0.1, 0.2]) / math.sqrt(1.05) * (wgs84.A + 50e3))
    model = satellite(reference_distance=distance, least_intensity=2e4, threshold_snr=6.0)
    what = targets(OnTheEarth(np.tile(spot, (n, 1))), burns=[(j, 0, HOUR, 2e4 * strength) for j in range(n)])
    sensed = run(model, what, 20.0)
    assert len(sensed.scans) == 1
    expected = stats.norm.sf(6.0 * (1.0 - strength))
    assert stats.binomtest(len(sensed.detections), n, expected).pvalue > ALPHA


def test_signal_falls_with_distance_squared():
    spot = under([1.0, 0.0, 0.0])
    what = targets(OnTheEarth(spot), burns=[(0, 0, HOUR, 1e9)])
    near = satellite(orbit=Orbit(a=wgs84.A + 50e3 + 10e6, e=0.0, i=0.0, raan=0.0, argp=0.0, m0=0.0), scan_period=1.0)
    far = satellite(orbit=Orbit(a=wgs84.A + 50e3 + 20e6, e=0.0, i=0.0, raan=0.0, argp=0.0, m0=0.0), scan_period=1.0)
    snr = [10.0 ** (run(m, what, 2.0).detections["snr_db"][0] / 10.0) for m in (near, far)]
    assert snr[0] / snr[1] == pytest.approx(4.0, rel=1e-3)
    assert snr[0] == pytest.approx(6.0 * (1e9 / 20e3) * (38.0 / 10.0) ** 2, rel=1e-3)


@pytest.mark.parametrize("orbit", [satellite().orbit, MOLNIYA, LOW], ids=["geostationary", "molniya", "low"])
@pytest.mark.parametrize("strength", [1.0, 1e4], ids=["threshold", "strong"])
def test_line_of_sight_and_its_errors(orbit, strength):
    n = 3000
    at = orbit_states(orbit, np.array([10 * NS]))[0]
    sub = at[:3] / np.linalg.norm(at[:3])
    side = np.cross(sub, [0.3, -0.5, 0.8])
    direction = sub + 0.03 * side  # within sight of the low orbit too
    spot = under(direction)
    distance = float(np.linalg.norm(at[:3] - direction / np.linalg.norm(direction) * (wgs84.A + 50e3)))
    model = satellite(orbit=orbit, reference_distance=distance, least_intensity=2e4, scan_period=1.0)
    path = OnTheEarth(np.tile(spot, (n, 1)))
    what = targets(path, burns=[(j, -HOUR, HOUR, 2e4 * strength) for j in range(n)])
    sensed = Rig((sensor(model),), THETA0, 3).step(9 * NS, 11 * NS, what)
    d = sensed.detections
    assert (d["kind"] == Kind.LOS).all()
    assert (d["mask"] == 0b11).all()
    # truth: the satellite where its orbit has it at the time of the look, axes as they stood at the start of the scan
    rows = {int(s["scan"]): s for s in sensed.scans}
    p = orbit_states(orbit, d["t_ns"].astype(np.int64))[:, :3]
    axes = np.array([rows[int(k)]["attitude"].reshape(3, 3) for k in d["scan"]])
    los = path.states(sensed.links["object"].astype(np.int64), d["t_ns"])[:, :3] - p
    u = np.einsum("kij,kj->ki", axes, los / np.linalg.norm(los, axis=1)[:, None])
    az, el = np.arctan2(u[:, 0], u[:, 1]), np.arcsin(u[:, 2])
    sigma = 60e-6 if strength == 1.0 else 20e-6
    m = len(d)
    assert m > (0.4 * n if strength == 1.0 else 0.99 * n)
    # within the scan the distance and so the strength change a little for the low orbit: 4 % of the sigma at most
    error = np.stack([(d["z"][:, 0] - az) * np.cos(el), d["z"][:, 1] - el]) / sigma
    low, high = stats.chi2.ppf([ALPHA / 2, 1 - ALPHA / 2], m) / m
    for e in error:
        assert abs(e.mean()) < 4.0 / math.sqrt(m)
        assert 0.92 * low < np.mean(e**2) < 1.08 * high
    assert abs(np.corrcoef(error)[0, 1]) < 4.0 / math.sqrt(m)
    if strength > 1.0:
        np.testing.assert_allclose(d["R"][:, 4], sigma**2, rtol=1e-3)
    # at threshold what is measured is at least the threshold: the reported sigma is at most the true one, and down to
    # the floor
    assert (d["R"][:, 4] <= (60e-6) ** 2 * (1 + 1e-6)).all()
    assert (d["R"][:, 4] >= (20e-6) ** 2 * (1 - 1e-9)).all()


def test_geostationary_view_has_nadir_at_zero_east_right_north_up():
    spots = np.array([under([1.0, 0.0, 0.0]), under([1.0, 0.2, 0.0]), under([1.0, 0.0, 0.2])])
    what = targets(OnTheEarth(spots), burns=[(j, 0, HOUR, 1e9) for j in range(3)])
    sensed = run(satellite(sigma_pointing=0.0, sigma_floor=0.0), what, 20.0)
    row = sensed.scans[0]
    found = dict(zip(sensed.links["object"].tolist(), sensed.detections, strict=True))
    aside = math.atan(0.2)
    r = wgs84.A + 50e3
    angle = math.atan2(r * math.sin(aside), GEO - r * math.cos(aside))
    for k, east, north in ((0, 0.0, 0.0), (1, angle, 0.0), (2, 0.0, angle)):
        # the satellite stays over its point; its axes stay as they were at the start of the scan, and it turns on
        turned = OMEGA_GMST * (found[k]["t_ns"] - row["t0_ns"]) / 1e9
        assert found[k]["z"][0] == pytest.approx(east - turned, abs=2e-7)
        assert found[k]["z"][1] == pytest.approx(north, abs=2e-7)
    assert row["region"] == Region.VIEW
    axes = row["attitude"].reshape(3, 3)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-14)
    np.testing.assert_allclose(axes[1], -row["platform"][:3] / np.linalg.norm(row["platform"][:3]), atol=1e-14)
    assert row["sensitivity"] == 20e3


def test_only_a_burning_stage_above_the_clouds_is_seen():
    # rises evenly from the ground: through the cloud top at 100 s; burns 0 to 150 s and 200 to 250 s
    up = under([1.0, 0.0, 0.0], 0.0)
    path = OnTheEarth(up, up / np.linalg.norm(up) * 100.0, spans=[(0, 600 * NS)])
    what = targets(path, burns=[(0, 0, 150 * NS, 1e9), (0, 200 * NS, 250 * NS, 4e9)])
    d = run(satellite(scan_period=1.0), what, 600.0).detections
    t = d["t_ns"] / 1e9
    assert ((t > 100.0) & (t < 150.0) | (t >= 200.0) & (t < 250.0)).all()
    assert len(t) in range(98, 103)
    snr = 10.0 ** (d["snr_db"] / 10.0)
    assert np.median(snr[t > 200]) / np.median(snr[t < 150]) == pytest.approx(4.0, rel=0.01)
    # the intensity it reports stands for a plume at the cloud tops: a little high for one above them
    np.testing.assert_allclose(d["intensity"][t < 150], 1e9, rtol=0.01)


@pytest.mark.parametrize("orbit", [satellite().orbit, MOLNIYA, LOW], ids=["geostationary", "molniya", "low"])
def test_false_detections_are_poisson_and_even_over_the_visible_earth(orbit):
    model = satellite(orbit=orbit, false_per_scan=2.0, scan_period=1.0, sigma_floor=0.0, sigma_pointing=0.0)
    sensed = run(model, targets(OnTheEarth(np.empty((0, 3)))), 1500.0)
    counts = sensed.scans["n_detections"]
    bins = np.arange(7)
    seen = np.array([*(np.sum(counts == b) for b in bins), np.sum(counts >= 7)])
    expected = np.array([*stats.poisson.pmf(bins, 2.0), stats.poisson.sf(6, 2.0)]) * len(counts)
    assert stats.chisquare(seen, expected).pvalue > ALPHA
    d = sensed.detections
    rows = sensed.scans[np.searchsorted(sensed.scans["scan"], d["scan"])]
    p = rows["platform"][:, :3]
    az, el = d["z"][:, 0], d["z"][:, 1]
    local = np.stack([np.cos(el) * np.sin(az), np.cos(el) * np.cos(az), np.sin(el)], axis=1)
    u = np.einsum("kji,kj->ki", rows["attitude"].reshape(-1, 3, 3), local)
    # every line of sight meets the ellipsoid ...
    scale = np.array([1 / wgs84.A, 1 / wgs84.A, 1 / wgs84.B])
    w, q = u * scale, p * scale
    w /= np.linalg.norm(w, axis=1)[:, None]
    least = np.sqrt(np.einsum("ki,ki->k", q, q) - np.einsum("ki,ki->k", w, q) ** 2)  # 1 is a graze
    assert least.max() < 1.0 + 1e-9
    assert least.max() > 0.999
    # ... and they fill its disc evenly (flattening, a third of a per cent of the angle, stays under the test's
    # resolution)
    cone = np.sqrt(1.0 - (wgs84.A / np.linalg.norm(p, axis=1)) ** 2)
    assert stats.kstest((1.0 - np.cos(np.arccos(local[:, 1]))) / (1.0 - cone), "uniform").pvalue > ALPHA
    round_nadir = np.arctan2(local[:, 2], local[:, 0]) / (2 * math.pi) + 0.5
    assert stats.kstest(round_nadir, "uniform").pvalue > ALPHA
    snr = 10.0 ** (d["snr_db"].astype(float) / 10.0)
    assert stats.kstest((snr - 6.0) * 6.0, "expon").pvalue > ALPHA
    assert ((d["t_ns"] >= rows["t0_ns"]) & (d["t_ns"] < rows["t1_ns"])).all()
