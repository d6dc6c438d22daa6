"""What a partner's estimate says of our areas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tocsin.records.shapes import Estimate, WarningVersion
from tocsin.scenario.specs import Area
from tocsin.warning.partner import risks, same_event, samples

DEG = math.pi / 180.0
S = 1_000_000_000
NONE = Estimate(0, "none", 1.0, "none")


def box(name: str, south: float, west: float, north: float, east: float) -> Area:
    ring = tuple((lon * DEG, lat * DEG) for lon, lat in ((west, south), (east, south), (east, north), (west, north)))
    return Area(name, name, "defended", (ring,))


def gaussian(lat: float, lon: float, sigma_m: float, t_s: int = 900, p: float = 1.0) -> Estimate:
    cov = (sigma_m**2, 0.0, 0.0, sigma_m**2)
    return Estimate(0, "coast", p, "gaussian", (lat * DEG, lon * DEG), cov, t_s * S, 1.0)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 2.0, 2.6])
def test_half_a_plane_takes_the_normal_distributions_share(shift: float) -> None:
    """An area whose border lies ``shift`` sigma north of the mean and that is wide otherwise holds 1 - Phi(shift)."""
    sigma = 20e3
    border = 0.0 + shift * sigma / 110574.0  # metres a degree of latitude at the equator
    got = risks(NONE, gaussian(0.0, 0.0, sigma), (box("north", border, -5.0, 8.0, 5.0),), 0.01)[0]
    assert got.p_impact == pytest.approx(norm.sf(shift), abs=0.004)
    assert got.excluded == (got.p_impact < 0.01)


def test_a_probability_of_no_impact_scales_all() -> None:
    area = box("all", -5.0, -5.0, 5.0, 5.0)
    assert risks(NONE, gaussian(0.0, 0.0, 10e3, p=0.25), (area,), 0.01)[0].p_impact == pytest.approx(0.25, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(-60, 60), st.floats(-179.9, 179.9))
def test_disjoint_areas_add_up_and_nothing_exceeds_one(lat: float, lon: float) -> None:
    west = box("w", lat - 3, lon - 3, lat + 3, lon)
    east = box("e", lat - 3, lon, lat + 3, lon + 3)
    both = box("b", lat - 3, lon - 3, lat + 3, lon + 3)
    w, e, b = risks(NONE, gaussian(lat, lon, 30e3), (west, east, both), 0.01)
    assert w.p_impact + e.p_impact == pytest.approx(b.p_impact, abs=2e-3)
    assert max(w.p_impact, e.p_impact, b.p_impact) <= 1.0


def test_passage_lies_on_the_way_and_comes_before_impact() -> None:
    launch = gaussian(39.2, 125.7, 3e3, t_s=0)
    impact = gaussian(41.0, 157.0, 5e3, t_s=900)
    on_the_way = box("way", 39.0, 140.0, 44.0, 145.0)
    beside = box("beside", 30.0, 140.0, 34.0, 145.0)
    got = {r.area: r for r in risks(launch, impact, (on_the_way, beside), 0.01)}
    assert got["way"].p_passage == pytest.approx(1.0)
    assert got["way"].p_impact == 0.0
    t_ns = got["way"].t_ns
    assert t_ns is not None
    assert 250 * S < t_ns < 600 * S
    assert got["beside"].p_passage == 0.0
    assert got["beside"].t_ns is None


def test_nothing_known_says_nothing() -> None:
    got = risks(NONE, NONE, (box("a", 0, 0, 1, 1),), 0.01)[0]
    assert (got.p_impact, got.p_passage, got.excluded) == (0.0, 0.0, False)


def test_a_polygon_spreads_its_weight_over_the_date_line() -> None:
    def square(half: float) -> dict[str, object]:
        west = [[180 - half, -half], [180, -half], [180, half], [180 - half, half], [180 - half, -half]]
        east = [[-180, -half], [-180 + half, -half], [-180 + half, half], [-180, half], [-180, -half]]
        return {"type": "MultiPolygon", "coordinates": [[west], [east]]}

    estimate = Estimate(0, "boost-fit", 1.0, "polygon", region50=square(2.0), region95=square(4.0))
    east_half = box("east", -9.0, -180.0, 9.0, -170.0)
    got = risks(NONE, estimate, (east_half,), 0.01)[0]
    assert got.p_impact == pytest.approx(0.95 / 2, abs=0.03)


def test_samples_have_the_stated_moments() -> None:
    cloud = samples(gaussian(10.0, 20.0, 15e3))
    assert cloud is not None
    lat, _, weight = cloud
    north = (lat - 10.0 * DEG) * 6336e3
    assert float(weight.sum()) == pytest.approx(1.0)
    assert float(np.sqrt(np.mean(north**2))) == pytest.approx(15e3, rel=0.03)


def warning(launch: Estimate, first_ns: int) -> WarningVersion:
    return WarningVersion(
        uid="a/own/0", version=0, t_ns=0, status="opened", confirmed=False, cause="", track=None, sources=("a",),
        partner=None, first_data_ns=first_ns, launch=launch, impact=NONE, areas=(), types={}, p_real=1.0,
        confidence="low", evidence=(),
    )  # fmt: skip


def test_two_reports_speak_of_one_launch_or_of_two() -> None:
    base = warning(gaussian(39.2, 125.7, 3e3, t_s=0), 40 * S)
    assert same_event(base, warning(gaussian(39.6, 125.9, 5e3, t_s=20), 100 * S))
    assert not same_event(base, warning(gaussian(45.0, 125.9, 5e3, t_s=20), 100 * S))
    assert not same_event(base, warning(gaussian(39.2, 125.7, 5e3, t_s=300), 330 * S))
    assert same_event(base, warning(NONE, 100 * S))
    assert not same_event(base, warning(NONE, 300 * S))
