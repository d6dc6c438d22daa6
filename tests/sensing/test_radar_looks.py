"""What radars do besides the plain look: fluctuation, cells, biases, air, terrain."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from sensing_world import DEG, THETA0, OnTheEarth, radar, sensor, targets
from test_radar import ALPHA, crowd, place, run

from tocsin.dynamics.signals import chance, marcum_q
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.scenario.specs import Bias
from tocsin.sensing.radar import detection_probability, radar_range, radar_snr, threshold
from tocsin.sensing.radar_kernels import terrain_mask
from tocsin.sensing.rig import Rig

NOBODY = targets(OnTheEarth(np.empty((0, 3))))


@settings(max_examples=200, deadline=None)
@given(st.floats(0.0, 400.0), st.floats(0.1, 40.0))
def test_marcum_against_the_noncentral_chi_square(signal, limit):
    assert marcum_q(signal, limit) == pytest.approx(stats.ncx2.sf(2.0 * limit, 2, 2.0 * signal), abs=1e-9)


@pytest.mark.parametrize("swerling", [1, 3])
@pytest.mark.parametrize("signal", [0.1, 3.0, 30.0])
def test_fluctuation_against_the_integral_over_the_steady_case(swerling, signal):
    shape = 1 if swerling == 1 else 2
    limit = threshold(1e-4)

    def part(s):
        return stats.gamma.pdf(s, shape, scale=signal / shape) * stats.ncx2.sf(2.0 * limit, 2, 2.0 * s)

    expected = integrate.quad(part, 0.0, signal * 40.0, points=[signal, 2.0 * limit], limit=400)[0]
    assert chance(swerling, signal, limit) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("swerling", [0, 3])
@pytest.mark.parametrize("snr", [8.0, 14.0, 30.0])
def test_looks_are_detected_as_often_as_the_closed_form_says(swerling, snr):
    n = 20_000
    model = radar(reference_snr=snr, scan_period=2.0, swerling=swerling)
    sensed = run(model, targets(crowd(place(90.0, 20.0, 1e6), n)), 4.0)
    expected = float(detection_probability(model, 1e6, 1.0))
    assert stats.binomtest(len(sensed.detections), n, expected).pvalue > ALPHA


def test_detection_probability_keeps_shapes():
    model = radar(swerling=0)
    got = detection_probability(model, np.array([[5e5], [2e6]]), [0.1, 1.0, 10.0])
    assert got.shape == (2, 3)
    assert (np.diff(got, axis=1) >= 0.0).all()
    assert detection_probability(model, 1e12, 1.0) == pytest.approx(model.pfa, rel=1e-6)


def test_snr_is_the_inverse_of_range():
    kwargs = {"power": 81e3, "gain": 9e4, "aperture": 7.0, "dwell": 0.1, "temperature": 500.0, "loss": 4.0}
    reach = radar_range(snr=20.0, rcs=[0.01, 1.0], **kwargs)
    np.testing.assert_allclose(radar_snr(reach, rcs=[0.01, 1.0], **kwargs), 20.0, rtol=1e-12)


# --------------------------------------------------------------------------------------------------- cells that merge

SHARP = {"reference_snr": 1e8, "sigma_range": 0.0, "sigma_angle": 0.0, "swerling": 0, "resolution": True}


def pair_of(aside_deg: float, up_deg: float, further: float, rcs=(1.0, 1.0), **changes):
    at = [place(90.0, 30.0, 1e6), place(90.0 + aside_deg, 30.0 + up_deg, 1e6 + further)]
    area = np.stack([rcs, rcs], axis=1)
    model = radar(**{**SHARP, **changes})
    return run(model, targets(OnTheEarth(at), rcs=area), 2.0)


def test_two_in_one_cell_are_one_at_the_place_weighted_by_power():
    # 1 MHz: a cell of 150 m; beams of 2.3 and 1.7 deg
    sensed = pair_of(0.1, 0.05, 90.0, rcs=(3.0, 1.0))
    assert len(sensed.detections) == 1
    assert sensed.links["object"][0] == 0
    z = sensed.detections["z"][0]
    assert z[0] == pytest.approx(1e6 + 90.0 / 4.0, abs=1.0)
    assert z[1] / DEG == pytest.approx(90.0 + 0.1 / 4.0, abs=1e-3)
    assert z[2] / DEG == pytest.approx(30.0 + 0.05 / 4.0, abs=1e-3)
    # powers add: 4 m2 in all
    assert 10.0 ** (sensed.detections["snr_db"][0] / 10.0) == pytest.approx(4e8, rel=1e-3)


@pytest.mark.parametrize("apart", [(3.0, 0.0, 0.0), (0.0, 2.0, 0.0), (0.0, 0.0, 200.0)])
def test_two_in_different_cells_stay_two(apart):
    assert len(pair_of(*apart).detections) == 2
    assert len(pair_of(*(0.4 * a for a in apart)).detections) == 1
    assert len(pair_of(*(0.4 * a for a in apart), resolution=False).detections) == 2


def test_the_beam_of_a_cell_is_wider_off_the_boresight():
    assert len(pair_of(3.2, 0.0, 0.0).detections) == 2
    assert len(pair_of(3.2, 0.0, 0.0, boresights=((30.0 * DEG, 30.0 * DEG),)).detections) == 1


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)))
def test_merging_does_not_depend_on_order(order):
    rng = np.random.default_rng(3)
    at = np.array([place(90.0 + a, 30.0, 1e6 + r) for a, r in rng.uniform(0.0, 1.0, (12, 2)) * [4.0, 400.0]])
    model = radar(resolution=True, reference_snr=1e4)

    def sense(o):
        return run(model, targets(OnTheEarth(at[o]), keys=[10 + j for j in o]), 3.0)

    plain, mixed = sense(list(range(12))), sense(list(order))
    assert len(plain.detections) < 12 * len(plain.scans)
    assert plain.detections.tobytes() == mixed.detections.tobytes()
    assert plain.links["object"].tolist() == [order[j] for j in mixed.links["object"]]


# ---------------------------------------------------------------------------------------------------- errors that stay


def mean_error(model, up_deg: float, n: int = 400, t_s: float = 0.0):
    what = targets(crowd(place(40.0, up_deg, 1e6), n))
    sensed = Rig((sensor(model),), THETA0, 1).step(round(t_s * NS), round((t_s + 2.0) * NS), what)
    z = sensed.detections["z"][:, :3]
    return z.mean(axis=0) - [1e6, 40.0 * DEG, up_deg * DEG], sensed


FINE = {"reference_snr": 1e12, "sigma_range": 0.1, "sigma_angle": 1e-6}


def test_a_constant_bias_is_added_and_not_told():
    error, sensed = mean_error(radar(bias=Bias(constant=(250.0, 1e-3, -2e-3, 0.0)), **FINE), 30.0)
    np.testing.assert_allclose(error, [250.0, 1e-3, -2e-3], rtol=1e-3)
    assert (sensed.detections["R"][:, 7] < 1e-11).all()


def test_a_wandering_bias_is_one_for_all_objects_and_changes_slowly():
    model = radar(bias=Bias(slow=(100.0, 1e-3, 1e-3, 0.0), tau=600.0), **FINE)
    first, sensed = mean_error(model, 30.0)
    assert sensed.detections["z"][:, 0].std() < 1.0
    soon, _ = mean_error(model, 30.0, t_s=5.0)
    late, _ = mean_error(model, 30.0, t_s=6000.0)
    assert abs(soon[0] - first[0]) < 40.0
    assert abs(late[0] - first[0]) > 5.0
    assert 0.0 < abs(first[0]) < 400.0


def test_the_residual_of_refraction_goes_with_the_cotangent_and_is_told():
    model = radar(refraction=2e-4, **FINE)
    errors = {}
    for up in (5.0, 10.0, 45.0):
        error, sensed = mean_error(model, up)
        errors[up] = error[2]
        told = math.sqrt(float(np.median(sensed.detections["R"][:, 7])))
        assert told == pytest.approx(2e-4 * math.tan(5 * DEG) / math.tan(up * DEG), rel=0.01)
        assert abs(error[1]) < 1e-6
    assert 0.0 < abs(errors[5.0]) < 8e-4
    assert errors[10.0] / errors[5.0] == pytest.approx(math.tan(5 * DEG) / math.tan(10 * DEG), rel=0.02)
    assert errors[45.0] / errors[5.0] == pytest.approx(math.tan(5 * DEG), rel=0.05)


# ------------------------------------------------------------------------------------------------------------- terrain

RIDGE = ((350.0 * DEG, 2.0 * DEG), (30.0 * DEG, 10.0 * DEG), (180.0 * DEG, 0.0))


def test_terrain_is_linear_between_its_points_and_across_north():
    rows = np.array(sorted(RIDGE))
    for az, expected in ((350, 2.0), (0, 4.0), (10, 6.0), (30, 10.0), (105, 5.0), (265, 1.0), (-10, 2.0), (390, 10.0)):
        assert terrain_mask(rows, 0, 3, az * DEG) / DEG == pytest.approx(expected, abs=1e-9)
    assert terrain_mask(rows[:1], 0, 1, 3.0) == rows[0, 1]
    assert terrain_mask(rows, 2, 2, 0.0) == -0.5 * math.pi


@pytest.mark.parametrize(("az", "up", "seen"), [(30, 9.9, 0), (30, 10.1, 1), (0, 3.9, 0), (0, 4.1, 1), (180, 0.5, 1)])
def test_nothing_under_the_terrain_is_seen(az, up, seen):
    model = radar(terrain=RIDGE, reference_snr=1e9)
    assert len(run(model, targets(OnTheEarth(place(az, up, 8e5))), 1.9).detections) == seen


def test_false_detections_stay_above_the_terrain():
    model = radar(terrain=RIDGE, false_per_scan=50.0, sigma_angle=0.0, beam_el=1e-12, beam_az=1e-12)
    z = run(model, NOBODY, 100.0).detections["z"]
    rows = np.array(sorted(RIDGE))
    lowest = np.array([terrain_mask(rows, 0, 3, a) for a in z[:, 1]])
    assert (z[:, 2] > lowest - 1e-9).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reference_snr": -1.0}, r"s: a reference SNR of -1\.0; more than 0 is allowed"),
        ({"beam_el": 0.0}, r"s: a beam width of 0\.0; more than 0"),
        ({"el_min": 1.0, "el_max": 0.5}, r"s: elevations from 1\.0 to 0\.5; the first must not be above"),
        ({"range_min": 9e6}, r"s: ranges from 9000000\.0 to 5000000\.0"),
        ({"swerling": 2}, "s: Swerling case 2; 0, 1 or 3"),
        ({"pfa": 1.5}, r"s: a false-alarm probability of 1\.5; more than 0"),
        ({"refraction": -1.0}, r"s: a residual of refraction of -1\.0 rad"),
        ({"terrain": ((0.0, 2.0),)}, r"s: terrain at azimuth 0\.0, elevation 2\.0 rad"),
        ({"scheduling": "random"}, "s: scheduling 'random'; local or cued"),
        ({"fence": (0.5, 0.2)}, r"s: a fence from 0\.5 to 0\.2 rad"),
        ({"track_period": 1.0, "search_share": 0.0}, r"s: a search that takes 0\.0 of the time"),
        ({"track_period": 1.0, "dwell": -1.0}, r"a dwell of -1\.0 s; 0 or more"),
    ],
)
def test_parameters_that_make_no_sense(changes, said):
    with pytest.raises(ValueError, match=said):
        Rig((sensor(radar(**changes), 0, "s"),), THETA0, 1)


def test_under_the_ground_nothing_is_seen_whatever_is_switched_on():
    model = radar(swerling=0, resolution=True, refraction=1e-3, el_min=-1.0, reference_snr=1e14, fence=(-1.0, 1.0))
    at = [place(b, u, 3e6) for b in (0.0, 90.0, 200.0) for u in (-10.0, -20.0, -30.0)]
    assert all(wgs84.ecef_to_geodetic(np.array([p]))[0, 2] < 9e5 for p in at)
    assert not len(run(model, targets(OnTheEarth(at)), 5.0).detections)


@pytest.mark.parametrize("rcs", [-1.0, math.nan])
def test_a_cross_section_that_makes_no_sense_is_never_seen(rcs):
    what = targets(crowd(place(90.0, 30.0, 1e5), 2000), rcs=rcs)
    for case in (0, 1, 3):
        assert not len(run(radar(swerling=case, pfa=1e-2), what, 3.0).detections)


def test_a_cross_section_of_nothing_is_noise():
    n = 200_000
    found = len(run(radar(pfa=1e-3), targets(crowd(place(90.0, 30.0, 1e5), n), rcs=0.0), 1.99).detections)
    assert stats.binomtest(found, n, 1e-3).pvalue > ALPHA


def test_a_radar_at_the_pole_sees_over_it():
    # "north" at the south pole's own side and elevations past the zenith are right by definition: all round, all up
    for lat in (0.5 * math.pi, -0.5 * math.pi):
        model = radar(lat=lat, el_min=0.0, el_max=math.pi, reference_snr=1e9, swerling=0)
        up = np.sign(lat) * (wgs84.B + 5e5)
        at = [[1e5 * math.cos(a), 1e5 * math.sin(a), up] for a in np.arange(0.0, 6.2, 0.5)]
        assert len(run(model, targets(OnTheEarth(at)), 1.99).detections) == len(at)
