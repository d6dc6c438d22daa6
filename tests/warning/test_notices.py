"""Announced launches: how probable it is that a launch is the announced one, and what a notice replaces."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import PCG64, Generator
from scipy import stats

from tocsin.earth.geodesics import direct
from tocsin.records.shapes import Estimate
from tocsin.scenario.specs import Announcement, NationSpec, WarningRule
from tocsin.warning.notices import HONOURED, UNANNOUNCED, Notices, disc_share, likelihood

S = 1_000_000_000
LAT, LON = math.radians(69.3), math.radians(16.0)
SPEC = NationSpec(
    "russia", "Russia", 0, 0.0, S, 1800 * S, 7, (), (), (), (), WarningRule(3, 5.0, 1, False, 0.01, 5.0, 2.0), (), ()
)
NOTHING = Estimate(0, "none", 1.0, "none")


def notice(id: str = "rocket", **changed: object) -> Announcement:
    values: dict[str, object] = {
        "id": id, "sender": "norway", "t0_ns": -3600 * S, "t1_ns": 3600 * S, "lat": LAT, "lon": LON, "radius": 20e3,
        "azimuth": math.radians(350.0), "azimuth_spread": math.radians(5.0), "class_id": "rocket",
    }  # fmt: skip
    return Announcement(**{**values, **changed})  # type: ignore[arg-type]


def launch(km: float = 5.0, t_s: float = 0.0, sigma_km: float = 10.0) -> Estimate:
    lat, lon, _ = direct(LAT, LON, 1.0, km * 1e3)
    var = (sigma_km * 1e3) ** 2
    return Estimate(0, "boost-fit", 1.0, "gaussian", (lat, lon), (var, 0.0, 0.0, var), int(t_s * S), 25.0)


def impact(azimuth_deg: float = 350.0, sigma_km: float = 50.0) -> Estimate:
    lat, lon, _ = direct(LAT, LON, math.radians(azimuth_deg), 900e3)
    var = (sigma_km * 1e3) ** 2
    return Estimate(0, "coast", 1.0, "gaussian", (lat, lon), (var, 0.0, 0.0, var), 1440 * S, 100.0)


def p(*told: Announcement, seen: Estimate | None = None, end: Estimate = NOTHING) -> list[float]:
    known = Notices(SPEC)
    for one in told:
        known.take(one)
    return [a.p for a in known.match(seen or launch(), end, {"rocket": 0.5, "slbm": 0.5})]


def test_without_a_notice_nothing_is_said() -> None:
    assert p() == []


def test_a_launch_in_its_window_and_area_is_the_announced_one() -> None:
    assert p(notice())[0] > 0.99


@pytest.mark.parametrize("seen", [launch(km=400.0), launch(t_s=2 * 3600.0), launch(t_s=-2 * 3600.0), NOTHING])
def test_one_elsewhere_or_at_another_time_is_not(seen: Estimate) -> None:
    assert p(notice(), seen=seen)[0] < 1e-6


def test_the_azimuth_and_the_class_tell_for_and_against() -> None:
    base = p(notice(), seen=launch(sigma_km=500.0))[0]
    assert p(notice(), seen=launch(sigma_km=500.0), end=impact(350.0, 10.0))[0] > base
    # from a place known to 500 km the azimuth says little; from one known well it says all it can
    known = launch(sigma_km=1.0)
    alone = likelihood(notice(), known, NOTHING, {})
    assert likelihood(notice(), known, impact(80.0), {}) == pytest.approx(0.05 * alone)
    sure = {"rocket": 1.0, "slbm": 0.0}
    other = {"rocket": 0.0, "slbm": 1.0}
    assert likelihood(notice(), known, NOTHING, sure) == pytest.approx(
        (0.95 * 2 + 0.05) / 0.05 * likelihood(notice(), known, NOTHING, other)
    )


def test_it_is_bayes_on_simulated_worlds() -> None:
    # launches of both sorts drawn by their rates, in a window so large that they are confused with each other
    rng = Generator(PCG64(4))
    radius, half = 300e3, 1800.0
    told = notice(radius=radius, t0_ns=int(-half * S), t1_ns=int(half * S), azimuth=None, class_id="")
    sigma, sigma_t = 100e3, 25.0**0.5
    # of what is estimated within the box of 3,000 km and 4 h: expected number of launches of either sort
    box, span = 3e6, 4 * 3600.0
    unannounced = UNANNOUNCED * 2e3  # a busy sky, or nothing else would ever be seen: the function is given it too
    n_true = HONOURED
    n_other = unannounced * box**2 * span
    count = 20_000
    is_true = rng.random(count) < n_true / (n_true + n_other)
    r, phi = radius * np.sqrt(rng.random(count)), 2 * np.pi * rng.random(count)
    e = np.where(is_true, r * np.cos(phi), box * (rng.random(count) - 0.5)) + sigma * rng.normal(size=count)
    n = np.where(is_true, r * np.sin(phi), box * (rng.random(count) - 0.5)) + sigma * rng.normal(size=count)
    t = np.where(is_true, half * (2 * rng.random(count) - 1), span * (rng.random(count) - 0.5))
    t += sigma_t * rng.normal(size=count)
    near = (np.hypot(e, n) < 700e3) & (np.abs(t) < 2400.0)
    said = []
    for k in np.flatnonzero(near):
        lat, lon, _ = direct(LAT, LON, math.atan2(e[k], n[k]), math.hypot(e[k], n[k]))
        seen = Estimate(
            0, "x", 1.0, "gaussian", (lat, lon), (sigma**2, 0.0, 0.0, sigma**2), int(t[k] * S), sigma_t**2
        )
        density = HONOURED * likelihood(told, seen, NOTHING, {})
        said.append(density / (density + unannounced))
    said_, truth = np.array(said), is_true[near]
    for low, high in ((0.0, 0.1), (0.1, 0.5), (0.5, 1.0)):
        held = (said_ >= low) & (said_ <= high)
        if held.sum() >= 100:
            error = 3.3 * math.sqrt(max(said_[held].mean() * (1 - said_[held].mean()), 1e-4) / held.sum())
            assert truth[held].mean() == pytest.approx(said_[held].mean(), abs=error)
    assert 0.2 < truth.mean() < 0.95  # both sorts are there, or nothing was tested


@given(
    east=st.floats(-300e3, 300e3), north=st.floats(-300e3, 300e3), a=st.floats(2e3, 200e3), b=st.floats(2e3, 200e3),
    turn=st.floats(0.0, math.pi), radius=st.floats(5e3, 200e3),
)  # fmt: skip
def test_the_share_in_a_disc_is_that_of_scipy(
    east: float, north: float, a: float, b: float, turn: float, radius: float
) -> None:
    c, s = math.cos(turn), math.sin(turn)
    axes = np.array([[c, -s], [s, c]])
    cov = axes @ np.diag([a * a, b * b]) @ axes.T
    # by SciPy: the distance squared from the origin, a sum of two non-central chi-squares, by quadrature over one
    mean = axes.T @ np.array([east, north])
    u = np.linspace(-radius, radius, 20_001)
    v = np.sqrt(np.maximum(radius**2 - u**2, 0.0))
    inner = stats.norm.cdf(v, mean[1], b) - stats.norm.cdf(-v, mean[1], b)
    expected = np.trapezoid(inner * stats.norm.pdf(u, mean[0], a), u)
    got = disc_share(east, north, tuple(cov.ravel()), radius)
    assert got == pytest.approx(expected, rel=2e-3, abs=1e-5)


def test_two_notices_share_a_launch_and_a_correction_takes_the_place_of_what_it_corrects() -> None:
    both = p(notice("a"), notice("b", azimuth=math.radians(180.0)), end=impact(350.0, 10.0))
    assert both[0] > 0.9
    assert sum(both) < 1.0
    known = Notices(SPEC)
    known.take(notice("a", lat=LAT - 0.2))
    known.take(notice("b", replaces="a"))
    assert [a.notice for a in known.match(launch(), NOTHING, {})] == ["b"]
    known.take(notice("c", replaces="b", sender="somebody"))  # not his to take back
    assert [a.notice for a in known.match(launch(), NOTHING, {})] == ["b", "c"]


def test_it_goes_on_from_its_state() -> None:
    known, again = Notices(SPEC), Notices(SPEC)
    known.take(notice("a"))
    again.load(known.state())
    assert again.match(launch(), impact(), {}) == known.match(launch(), impact(), {}) != ()
