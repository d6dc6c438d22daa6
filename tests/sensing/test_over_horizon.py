"""Over-the-horizon radars: what they light, how often, and what they say of it."""

import math
from typing import Any

import numpy as np
import pytest
from pyproj import Geod
from scipy import stats
from sensing_world import DEG, THETA0, OnTheEarth, sensor, targets

from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.records.columns import Kind, Status
from tocsin.scenario.specs import Bias, OverHorizon
from tocsin.sensing.rig import Rig

ALPHA = 1e-4
GEOD = Geod(ellps="WGS84")


def model(**changes: Any) -> OverHorizon:
    values: dict[str, Any] = {
        "lat": 0.9, "lon": 0.7, "h": 100.0, "sector": (240 * DEG, 60 * DEG), "range_min": 9e5, "range_max": 3e6,
        "reference_range": 2e6, "reference_rcs": 10.0, "reference_snr": 1e6, "greatest_height": 100e3,
        "sigma_range": 15e3, "sigma_azimuth": 0.01, "pfa": 1e-6, "false_per_scan": 0.0, "scan_period": 10.0,
        "latency": 5.0,
    }  # fmt: skip
    return OverHorizon(**{**values, **changes})


def at(azimuth_deg: float, ground: float, height: float, m: OverHorizon) -> Any:
    lon, lat, _ = GEOD.fwd(math.degrees(m.lon), math.degrees(m.lat), azimuth_deg, ground)
    return wgs84.geodetic_to_ecef([math.radians(lat), math.radians(lon), height])


def run(m: OverHorizon, paths: Any, seconds: float = 20.0, rcs: float = 10.0, seed: int = 1):
    return Rig((sensor(m),), THETA0, seed).step(0, round(seconds * NS), targets(OnTheEarth(paths), rcs=rcs))


@pytest.mark.parametrize(
    ("azimuth", "ground", "height", "seen"),
    [
        (300, 2e6, 20e3, True), (300, 2e6, 99.9e3, True), (300, 2e6, 100.1e3, False), (300, 8.99e5, 20e3, False),
        (300, 9.01e5, 20e3, True), (300, 2.999e6, 20e3, True), (300, 3.001e6, 20e3, False), (239, 2e6, 2e4, False),
        (241, 2e6, 2e4, True), (59, 2e6, 2e4, True), (61, 2e6, 2e4, False), (300, 2e6, -100.0, False),
    ],
)  # fmt: skip
def test_what_is_lit(azimuth, ground, height, seen):
    m = model()
    sensed = run(m, [at(azimuth, ground, height, m)])
    assert bool(len(sensed.detections)) == seen


def test_errors_and_what_is_told_of_them():
    n = 20_000
    m = model(bias=Bias(constant=(5e3, 0.002, 0.0, 0.0)))
    place = at(300, 2e6, 30e3, m)
    d = run(m, np.tile(place, (n, 1))).detections
    assert (d["kind"] == Kind.RA).all()
    assert (d["mask"] == 0b11).all()
    straight = float(np.linalg.norm(place - wgs84.geodetic_to_ecef([m.lat, m.lon, m.h])))
    for column, true, sigma in ((0, straight + 5e3, 15e3), (1, 300 * DEG + 0.002, 0.01)):
        assert stats.kstest((d["z"][:, column] - true) / sigma, "norm").pvalue > ALPHA
    np.testing.assert_allclose(d["R"][:, [0, 4]], [[15e3**2, 1e-4]] * len(d))


@pytest.mark.parametrize("ground", [1.2e6, 2e6, 2.8e6])
def test_detection_probability(ground):
    n = 20_000
    m = model(reference_snr=20.0)
    sensed = run(m, np.tile(at(10, ground, 20e3, m), (n, 1)), rcs=5.0)
    snr = 20.0 * 0.5 * (2e6 / ground) ** 4
    looks = n * len(sensed.scans)
    assert stats.binomtest(len(sensed.detections), looks, 1e-6 ** (1.0 / (1.0 + snr))).pvalue > ALPHA


def test_the_ionosphere_carries_for_a_part_of_the_spells_and_the_scans_say_so():
    m = model(availability=0.7, spell=600.0)
    sensed = Rig((sensor(m),), THETA0, 2).step(0, 400_000 * NS, targets(OnTheEarth([at(300, 2e6, 2e4, m)])))
    scans = sensed.scans
    spell = scans["t0_ns"] // (600 * NS)
    shut = scans["sensitivity"] == 0.0
    numbers, first = np.unique(spell, return_index=True)
    assert (shut == shut[first][np.searchsorted(numbers, spell)]).all()
    assert stats.binomtest(int((~shut[first]).sum()), len(numbers), 0.7).pvalue > ALPHA
    assert (scans["status"][shut] == Status.DEGRADED).all()
    assert (scans["status"][~shut] == Status.UP).all()
    assert (scans["n_detections"][shut] == 0).all()
    there = scans["t1_ns"] < 36_000 * NS  # as long as the object exists
    assert scans["n_detections"][~shut & there].mean() > 0.99


def test_false_detections_are_even_over_the_annulus_in_range_and_azimuth():
    d = run(model(false_per_scan=20.0), np.empty((0, 3)), 2000.0).detections
    low, high = (2 * 6371008.77 * math.sin(g / 2 / 6371008.77) for g in (9e5, 3e6))
    assert stats.kstest((d["z"][:, 0] - low) / (high - low), "uniform").pvalue > ALPHA
    assert stats.kstest(np.mod(d["z"][:, 1] / DEG - 240.0, 360.0) / 180.0, "uniform").pvalue > ALPHA


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"range_min": 4e6}, r"ranges over the ground from 4000000\.0 to 3000000\.0 m; rising"),
        ({"reference_rcs": 0.0}, r"a reference cross-section of 0\.0; more than 0"),
        ({"pfa": 1.0}, r"a false-alarm probability of 1\.0"),
        ({"availability": 1.2}, r"carries 1\.2 of the time; 0 to 1"),
        ({"spell": 0.0}, r"spells of 0\.0 s; at least"),
    ],
)
def test_parameters_that_make_no_sense(changes, said):
    with pytest.raises(ValueError, match=said):
        Rig((sensor(model(**changes)),), THETA0, 1)
