"""Radars through the rig: detection, errors, false detections and limits against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from scipy import stats
from sensing_world import DEG, THETA0, OnTheEarth, radar, sensor, targets

from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.records.columns import Kind, Region
from tocsin.sensing.rig import Rig
from tocsin.sensing.scanning import Sensed
from tocsin.sensing.targets import Targets

ALPHA = 1e-4  # a correct build fails one statistical check in ten thousand choices of seed; the seeds are fixed


def place(bearing_deg: float, up_deg: float, distance: float, lat: float = 0.0, lon: float = 0.0, h: float = 0.0):
    """Earth-fixed position of a direction and distance from a site (rad, m)."""
    b, u = bearing_deg * DEG, up_deg * DEG
    local = np.array([math.cos(u) * math.sin(b), math.cos(u) * math.cos(b), math.sin(u)]) * distance
    return wgs84.geodetic_to_ecef([lat, lon, h]) + wgs84.enu_axes(lat, lon).T @ local


def run(model, what: Targets, seconds: float, seed: int = 1) -> Sensed:
    return Rig((sensor(model),), THETA0, seed).step(0, round(seconds * NS), what)


def crowd(position, n: int, velocity=None) -> OnTheEarth:
    return OnTheEarth(np.tile(position, (n, 1)), None if velocity is None else np.tile(velocity, (n, 1)))


@pytest.mark.parametrize(("rcs", "off"), [(0.02, 0.0), (0.1, 0.0), (1.0, 0.0), (1.0, 50.0), (10.0, 30.0)])
def test_swerling_one_detection_probability(rcs, off):
    n = 20_000
    model = radar(boresights=((90.0 * DEG, 20.0 * DEG),), reference_snr=30.0, scan_period=2.0)
    # off the boresight within the plane of bearing 90 deg
    sensed = run(model, targets(crowd(place(90.0, 20.0 + off, 1e6), n), rcs=rcs), 4.0)
    assert len(sensed.scans) == 1
    snr = 30.0 * rcs * math.cos(off * DEG) ** 3
    expected = 1e-6 ** (1.0 / (1.0 + snr))
    assert stats.binomtest(len(sensed.detections), n, expected).pvalue > ALPHA


def test_measured_power_has_the_memoryless_tail():
    n, snr = 20_000, 40.0
    model = radar(reference_snr=snr, pfa=1e-4)
    sensed = run(model, targets(crowd(place(10.0, 30.0, 1e6), n)), 2.0)
    power = 10.0 ** (sensed.detections["snr_db"].astype(float) / 10.0) + 1.0
    excess = (power + math.log(1e-4)) / (1.0 + snr)
    assert excess.min() > -1e-6
    assert stats.kstest(excess, "expon").pvalue > ALPHA


def normalised(model, n: int, position, doppler: float = 0.0):
    detections = run(model, targets(crowd(position, n)), 2.0).detections
    d = position - wgs84.geodetic_to_ecef([model.lat, model.lon, model.h])
    e, north, u = wgs84.enu_axes(model.lat, model.lon) @ d
    true = np.array(
        [np.linalg.norm(d), math.atan2(e, north) % (2 * math.pi), math.asin(u / np.linalg.norm(d)), doppler]
    )
    return detections, detections["z"] - true


def test_errors_at_the_floor_are_normal_with_the_declared_sigma():
    n = 20_000
    model = radar(
        lat=0.8, lon=2.0, h=300.0, bandwidth=1e12, beam_az=1e-9, beam_el=1e-9, reference_snr=1e6, sigma_range=30.0,
        sigma_angle=2e-3, doppler=True, sigma_rate=3.0,
    )  # fmt: skip
    detections, error = normalised(model, n, place(200.0, 40.0, 1.5e6, 0.8, 2.0, 300.0))
    assert (detections["kind"] == Kind.RAER).all()
    assert (detections["mask"] == 0b1111).all()
    m = len(detections)
    assert m > 0.98 * n
    sigma = np.array([30.0, 2e-3 / math.cos(40.0 * DEG), 2e-3, 3.0])
    unit = error / sigma
    unit[:, 3] = unit[:, 3] / np.sqrt(1.0 + 13.8155 / 10.0 ** (detections["snr_db"] / 10.0))
    for column in range(4):
        assert stats.kstest(unit[:, column], "norm").pvalue > ALPHA
        assert abs(unit[:, column].mean()) < stats.norm.isf(ALPHA / 2) / math.sqrt(m)
        low, high = stats.chi2.ppf([ALPHA / 2, 1 - ALPHA / 2], m - 1) / (m - 1)
        assert low < unit[:, column].var(ddof=1) < high
    correlation = np.corrcoef(unit.T)
    assert abs(correlation - np.eye(4)).max() < 4.5 / math.sqrt(m)
    # what is reported is what was drawn
    np.testing.assert_allclose(detections["R"][:, 0], 900.0, rtol=1e-6)
    np.testing.assert_allclose(detections["R"][:, 7], 4e-6, rtol=1e-6)


def test_errors_of_noise_follow_student_t_over_swerling_one():
    # sigma = cell / sqrt(2 s) and s exponential about S: error sqrt(2 S) / cell is normal / sqrt(exponential),
    # Student's t with two
    # degrees of freedom; only one look in 70,000 is lost under the threshold
    n, snr = 20_000, 1e6
    model = radar(sigma_range=0.0, sigma_angle=0.0, reference_snr=snr, bandwidth=1e6)
    detections, error = normalised(model, n, place(30.0, 35.0, 1e6))
    cell = 299_792_458.0 / 2e6
    scale = np.array([cell, 0.04 / 1.6 / math.cos(35.0 * DEG), 0.03 / 1.6]) / math.sqrt(2.0 * snr)
    for column in range(3):
        assert stats.kstest(error[:, column] / scale[column], "t", args=(2,)).pvalue > ALPHA
    # and the sigma reported from the measured SNR normalises them
    sigma = np.sqrt(detections["R"][:, [0, 4, 7]])
    m = len(detections)
    low, high = stats.chi2.ppf([ALPHA / 2, 1 - ALPHA / 2], m) / m
    for column in range(3):
        assert low < np.mean((error[:, column] / sigma[:, column]) ** 2) < high


def test_the_beam_is_wider_off_the_boresight():
    position = place(150.0, 20.0, 1e6)
    sigma = []
    for face in (150.0, 90.0):
        model = radar(boresights=((face * DEG, 20.0 * DEG),), sigma_angle=0.0, reference_snr=1e9)
        detections, _ = normalised(model, 500, position)
        sigma.append(np.median(np.sqrt(detections["R"][:, 7] * 10.0 ** (detections["snr_db"] / 10.0))))
    off = math.cos(20.0 * DEG) ** 2 * math.cos(60.0 * DEG) + math.sin(20.0 * DEG) ** 2
    assert sigma[1] / sigma[0] == pytest.approx(1.0 / off, rel=1e-3)


def test_rcs_changes_at_cutoff():
    position = place(0.0, 30.0, 1e6)
    model = radar(reference_snr=1e4)
    sensed = run(model, targets(OnTheEarth(position), rcs=(100.0, 1e-9), cutoff_ns=100 * NS), 200.0)
    assert sensed.detections["t_ns"].max() < 100 * NS
    assert len(sensed.detections) >= 98


def test_false_detections_are_poisson_and_even_over_the_searched_cells():
    model = radar(
        lat=1.0, sector=(300 * DEG, 60 * DEG), el_min=3 * DEG, el_max=60 * DEG, range_min=2e5, range_max=4e6,
        false_per_scan=3.0, bandwidth=1e15, beam_az=1e-12, beam_el=1e-12, sigma_range=0.0, sigma_angle=0.0,
    )  # fmt: skip
    nobody = targets(OnTheEarth(np.empty((0, 3))))
    sensed = run(model, nobody, 5000.0)
    counts = sensed.scans["n_detections"]
    assert len(counts) in (4999, 5000)
    bins = np.arange(10)
    seen = np.array([*(np.sum(counts == b) for b in bins), np.sum(counts >= 10)])
    expected = np.array([*stats.poisson.pmf(bins, 3.0), stats.poisson.sf(9, 3.0)]) * len(counts)
    assert stats.chisquare(seen, expected).pvalue > ALPHA
    # successive scans have nothing to do with each other
    assert abs(np.corrcoef(counts[:-1], counts[1:])[0, 1]) < 4.0 / math.sqrt(len(counts))
    z = sensed.detections["z"]
    assert stats.kstest((z[:, 0] - 2e5) / 3.8e6, "uniform").pvalue > ALPHA
    assert stats.kstest(((z[:, 1] / DEG - 300.0) % 360.0) / 120.0, "uniform").pvalue > ALPHA
    low, high = math.sin(3 * DEG), math.sin(60 * DEG)
    assert stats.kstest((np.sin(z[:, 2]) - low) / (high - low), "uniform").pvalue > ALPHA
    power = 10.0 ** (sensed.detections["snr_db"].astype(float) / 10.0) + 1.0
    assert stats.kstest(power + math.log(1e-6), "expon").pvalue > ALPHA
    assert (sensed.links["object"] == -1).all()
    # they lie within the scan's time, where the sweep points
    scan = sensed.scans[np.searchsorted(sensed.scans["scan"], sensed.detections["scan"])]
    swept = scan["t0_ns"] + ((z[:, 1] / DEG - 300.0) % 360.0) / 120.0 * 1e9
    assert np.abs(swept - sensed.detections["t_ns"]).max() < 2


def test_false_detections_stay_above_the_horizon():
    model = radar(el_min=-0.5 * np.pi, h=3000.0, false_per_scan=50.0, beam_el=1e-12, sigma_angle=0.0)
    z = run(model, targets(OnTheEarth(np.empty((0, 3)))), 100.0).detections["z"]
    dip = math.acos(1.0 / (1.0 + 3000.0 / (4.0 / 3.0 * wgs84.A)))
    assert z[:, 2].min() > -dip - 1e-12
    assert z[:, 2].min() < -0.5 * dip


def test_measurement_and_time_of_a_moving_object_against_proj():
    site = (0.7, -1.2, 150.0)
    model = radar(
        lat=site[0], lon=site[1], h=site[2], sector=(200 * DEG, 80 * DEG), scan_period=10.0, reference_snr=1e14,
        bandwidth=1e9, beam_az=1e-9, beam_el=1e-9, sigma_range=0.0, sigma_angle=0.0, doppler=True, sigma_rate=1e-9,
    )  # fmt: skip
    positions = [place(b, u, d, *site) for b, u, d in ((210, 20, 1e6), (300, 5, 2e6), (20, 60, 8e5), (70, 30, 1.2e6))]
    velocity = np.array([[3e3, 1e3, 2e3], [-5e3, 2e3, 1e3], [1e3, 4e3, -2e3], [-2e3, -2e3, -2e3]])
    path = OnTheEarth(positions, velocity)
    sensed = run(model, targets(path), 40.0)
    assert len(sensed.detections) == 4 * len(sensed.scans)
    local = Transformer.from_pipeline(
        f"+proj=topocentric +ellps=WGS84 +lat_0={site[0] / DEG} +lon_0={site[1] / DEG} +h_0={site[2]}"
    )
    scans = {int(s["scan"]): s for s in sensed.scans}
    for d, link in zip(sensed.detections, sensed.links, strict=True):
        e, n, u = local.transform(*path.ecef(link["object"], d["t_ns"]))
        r = math.hypot(e, n, u)
        v_enu = wgs84.enu_axes(site[0], site[1]) @ velocity[link["object"]]
        assert d["z"][0] == pytest.approx(r, abs=1e-3)
        assert d["z"][1] == pytest.approx(math.atan2(e, n) % (2 * math.pi), abs=1e-9)
        assert d["z"][2] == pytest.approx(math.asin(u / r), abs=1e-9)
        # the rate seen from the ground is the one in the turning axes
        assert d["z"][3] == pytest.approx(v_enu @ np.array([e, n, u]) / r, abs=1e-3)
        scan = scans[int(d["scan"])]
        assert d["arrive_ns"] == scan["arrive_ns"] == scan["t1_ns"] + NS // 2
        # the look is when the sweep passes: two passes leave what the object moves in azimuth between the two
        swept = scan["t0_ns"] + ((d["z"][1] / DEG - 200.0) % 360.0) / 240.0 * 10e9
        assert abs(int(d["t_ns"]) - swept) < 0.06e9


def test_scan_rows_say_where_the_radar_looks():
    model = radar(lat=0.7, lon=-1.2, h=150.0, sector=(1.0, 2.0), el_min=0.05, el_max=1.4, range_min=1e5, range_max=4e6,
                  false_per_scan=0.25, reference_range=1.5e6)  # fmt: skip
    row = run(model, targets(OnTheEarth(np.empty((0, 3)))), 2.0).scans[0]
    assert row["region"] == Region.SECTOR
    assert [row[n] for n in ("az_from", "az_to", "el_min", "el_max", "range_min", "range_max")] == [
        1.0,
        2.0,
        0.05,
        1.4,
        1e5,
        4e6,
    ]
    assert (row["sensitivity"], row["clutter"], row["n_detections"]) == (1.5e6, 0.25, 0)
    path = OnTheEarth(wgs84.geodetic_to_ecef([0.7, -1.2, 150.0]))
    np.testing.assert_allclose(row["platform"], path.states(np.array([0]), row["t0_ns"].reshape(1))[0], rtol=1e-12)
    # the third row is up: a point 1 km above the site
    above = OnTheEarth(wgs84.geodetic_to_ecef([0.7, -1.2, 1150.0])).states(np.array([0]), row["t0_ns"].reshape(1))[0]
    np.testing.assert_allclose(row["attitude"][6:] * 1e3, above[:3] - row["platform"][:3], atol=1e-6)
    axes = row["attitude"].reshape(3, 3)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-14)


angles = st.floats(-math.pi, math.pi)
LIMITS = radar(sector=(0.0, 0.0))


@settings(max_examples=150, deadline=None)
@given(
    lat=st.floats(-1.5, 1.5), lon=angles, h=st.floats(0.0, 4000.0), az_from=angles, width=st.floats(0.2, 6.28),
    el=st.tuples(st.floats(-1.0, 1.5), st.floats(-1.0, 1.5)).map(sorted), reach=st.floats(1e5, 6e6),
    where=st.lists(st.tuples(angles, st.floats(-1.5, 1.55), st.floats(1e4, 7e6)), min_size=1, max_size=12),
)  # fmt: skip
@example(
    lat=0.5,
    lon=0.0,
    h=0.0,
    az_from=0.0,
    width=6.0,
    el=[-1.0, 1.5],
    reach=6e6,
    where=[(1.0, -0.02, 5e5), (2.0, -0.2, 4e6)],
)
def test_nothing_outside_limits_or_under_the_horizon_is_detected(lat, lon, h, az_from, width, el, reach, where):
    model = radar(lat=lat, lon=lon, h=h, sector=(az_from, az_from + width), el_min=el[0], el_max=el[1], range_min=5e4,
                  range_max=reach, reference_snr=1e14)  # fmt: skip
    ecef = np.array([place(b / DEG, u / DEG, d, lat, lon, h) for b, u, d in where])
    sensed = run(model, targets(OnTheEarth(ecef)), 2.0)
    local = Transformer.from_pipeline(f"+proj=topocentric +ellps=WGS84 +lat_0={lat / DEG} +lon_0={lon / DEG} +h_0={h}")
    height = Transformer.from_pipeline("+proj=pipeline +step +inv +proj=cart +ellps=WGS84")
    e, n, u = np.array(local.transform(*ecef.T))
    r = np.sqrt(e**2 + n**2 + u**2)
    up = np.arcsin(u / r)
    past = np.mod(np.arctan2(e, n) - az_from, 2 * math.pi)
    # a grazing ray: it starts under the horizontal by the dip, and the air bends it by at most 12.6 mrad before and
    # after that point
    dip = math.acos(wgs84.B / (wgs84.B + h))
    tiny = 1e-9
    may = (past <= width + tiny) | (past >= 2 * math.pi - tiny)
    may &= (up >= el[0] - tiny) & (up <= el[1] + tiny) & (r >= 5e4 - 1e-3) & (r <= reach + 1e-3)
    may &= (up > -dip - 0.0252) & (np.array(height.transform(*ecef.T))[2] > -1e-3)
    inside = (past > tiny) & (past < width - tiny) & (up > max(el[0], 0.0) + tiny) & (up < el[1] - tiny)
    inside &= (r > 5e4 + 1e-3) & (r < reach - 1e-3)
    seen = set(sensed.links["object"].tolist())
    assert seen <= set(np.flatnonzero(may).tolist())
    assert seen >= set(np.flatnonzero(inside).tolist())


def test_the_horizon_hides_what_a_straight_line_could_only_reach_through_the_ground():
    # 1,000 km away on the equator, a site on the ground: a straight line clears the sphere from 79.2 km up
    model = radar(el_min=-0.5, reference_snr=1e14)
    angle = 1e6 / wgs84.A
    tangent = wgs84.A / math.cos(angle) - wgs84.A
    assert tangent == pytest.approx(79.2e3, abs=0.1e3)

    def seen(height):
        at = wgs84.geodetic_to_ecef([0.0, angle, height])
        return len(run(model, targets(OnTheEarth(at)), 2.0).detections) == 1

    assert seen(tangent)
    # the air bends the ray down: by the 4/3 rule alone it would be 59 km, with the air ending it is more than that
    assert not seen(59e3)
    assert seen(70e3)
