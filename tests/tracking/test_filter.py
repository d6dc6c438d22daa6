"""Charts and updates against their definitions, plain Kalman algebra and long-range consistency."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking_scenes import THETA0, arc

from tocsin.records.columns import Kind, Region
from tocsin.tracking.belief import believe
from tocsin.tracking.filter import bent, bridge, chart_axes, from_chart, site_at, to_chart, update
from tocsin.tracking.measure import h
from tocsin.tracking.models import coast_step


def geometry():
    centre = np.array([3.0e6, 4.5e6, 3.6e6, -330.0, 220.0, 0.0])
    x = centre + np.array([6e5, -2e5, 7e5, 3000.0, 1000.0, 2500.0])
    return x, centre


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6), st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_chart_and_back(direction, push):
    _, centre = geometry()
    d = np.array(direction[:3])
    if np.linalg.norm(d) < 0.1:
        d = np.array([1.0, 0.0, 0.0])
    x = centre + np.r_[1e6 * d, 5e3 * np.array(direction[3:])]
    e, y = np.empty((3, 3)), np.empty(6)
    chart_axes(x, centre, e, y)
    np.testing.assert_allclose(e @ e.T, np.eye(3), atol=1e-12)
    back, G, J = np.empty(6), np.empty((6, 6)), np.empty((6, 6))
    from_chart(y, centre, e, back, G)
    np.testing.assert_allclose(back, x, atol=1e-6)
    to_chart(y, e, J)
    scale = np.array([1.0, 1e6, 1e6, 1.0, 1e6, 1e6])
    np.testing.assert_allclose((J @ G) / scale[None, :] * scale[:, None], np.eye(6), atol=1e-9)
    # the derivative anywhere in the chart, against differences
    there = y + np.array([1e4, 0.05, 0.05, 100.0, 1e-3, 1e-3]) * push
    from_chart(there, centre, e, back, G)
    step = np.array([10.0, 1e-5, 1e-5, 1.0, 1e-6, 1e-6])
    for j in range(6):
        plus, minus = np.empty(6), np.empty(6)
        delta = np.zeros(6)
        delta[j] = step[j]
        from_chart(there + delta, centre, e, plus, np.empty((6, 6)))
        from_chart(there - delta, centre, e, minus, np.empty((6, 6)))
        fd = (plus - minus) / (2 * step[j])
        assert np.abs(G[:, j] - fd).max() <= 1e-6 * np.abs(fd).max() + 1e-6


def looking(x, centre, sigma=(30.0, 1e-3, 1e-3)):
    """A radar that turns with the Earth, in ``centre``, with simple axes."""
    attitude = np.eye(3).ravel()
    z, hx = np.empty(4), np.empty((4, 6))
    h(Kind.RAE, x, 0.0, Region.SECTOR, centre, attitude, np.zeros(4), z, hx, np.empty((4, 4)), np.empty(4))
    return attitude, z, hx[:3], np.diag([sigma[0] ** 2, sigma[1] ** 2, sigma[2] ** 2, 1.0])


@pytest.mark.parametrize("charted", [True, False])
def test_a_small_correction_is_that_of_textbook_algebra(charted):
    x6, centre = geometry()
    attitude, z, H, R = looking(x6, centre)
    z = z + np.array([3.0, 1e-5, -1e-5, 0.0])
    rng = np.random.default_rng(2)
    root = rng.standard_normal((10, 10)) * np.r_[[5.0] * 3, [1.0] * 3, 1.0, 0.01, 0.01, 1e-3][:, None]
    P0 = root @ root.T
    x, P = np.zeros(10), P0.copy()
    x[:6] = x6
    distance = np.empty(1)
    log = update(x, P, 10, Kind.RAE, 0.0, Region.SECTOR, centre, attitude, z, R, charted, centre, 1, distance)
    Hf = np.zeros((3, 10))
    Hf[:, :6] = H
    S = Hf @ P0 @ Hf.T + R[:3, :3]
    K = P0 @ Hf.T @ np.linalg.inv(S)
    r = np.array([3.0, 1e-5, -1e-5])
    np.testing.assert_allclose(x[:6] - x6, (K @ r)[:6], atol=2e-3 * np.abs(K @ r).max() + 1e-6)
    expected = P0 - K @ S @ K.T
    np.testing.assert_allclose(P, expected, atol=3e-3 * np.abs(expected).max())
    np.testing.assert_allclose(P, P.T)
    assert distance[0] == pytest.approx(r @ np.linalg.solve(S, r), rel=1e-6)
    assert log == pytest.approx(-0.5 * (distance[0] + np.linalg.slogdet(S)[1] + 3 * math.log(2 * math.pi)), rel=1e-9)


@pytest.mark.parametrize("charted", [True, False])
def test_a_bridge_over_a_short_and_certain_flight_is_the_plain_correction(charted):
    flight = arc(20.0, 30.0, 200e3, 3000.0, 40.0, 30.0, 0.0, 60.0)
    par = believe(()).parameters
    x0, P0 = np.zeros(10), np.zeros((10, 10))
    x0[:6] = flight(0.0)
    P0[:6, :6] = np.diag([50.0**2] * 3 + [2.0**2] * 3)
    x, P = np.empty(10), np.empty((10, 10))
    coast_step(x0, P0, 0.0, 10.0, THETA0, par, x, P)
    centre = np.r_[x[:3] + np.array([-5e5, 4e5, -3e5]), 0.0, 0.0, 0.0]
    attitude, z, _, R = looking(x[:6].copy(), centre)
    z = z + np.array([20.0, 1e-4, -1e-4, 0.0])
    plain, Pp = x.copy(), P.copy()
    log = update(plain, Pp, 6, Kind.RAE, 0.0, Region.SECTOR, centre, attitude, z, R, True, centre, 1, np.empty(1))
    other, Po = x.copy(), P.copy()
    again = bridge(
        x0, P0, 6, 0.0, 10.0, THETA0, charted, centre, centre, other, Po, 6,
        Kind.RAE, 0.0, Region.SECTOR, centre, attitude, z, R, np.empty(1),
    )  # fmt: skip
    assert again == pytest.approx(log, abs=1e-2)
    assert np.abs(plain[:3] - other[:3]).max() < 0.5
    assert np.abs(plain[3:6] - other[3:6]).max() < 0.05
    np.testing.assert_allclose(Pp[:6, :6], Po[:6, :6], atol=0.01 * np.abs(Pp[:6, :6]).max())


@pytest.mark.parametrize(("distance_km", "angle_deg"), [(2000.0, 0.3), (4000.0, 0.3)])
def test_a_long_range_radar_stays_honest_in_its_chart(distance_km, angle_deg):
    """The shell of DESIGN section 9: at 2,000 km and 0.3 degrees a Cartesian filter is far too sure; in the chart it is
    not.

    An object at rest in inertial space is watched 20 times by one radar; truth is drawn from the filter's own start.
    """
    sigma = (30.0, math.radians(angle_deg), math.radians(angle_deg))
    centre = np.array([6.3e6, 0.0, 0.0, 0.0, 0.0, 0.0])
    scores = {True: [], False: []}
    rng = np.random.default_rng(11)
    for _ in range(40):
        truth = np.zeros(6)
        truth[:3] = centre[:3] + distance_km * 1e3 * np.array([0.3, 0.8, math.sqrt(1 - 0.73)])
        attitude, z0, _, R = looking(truth, centre, sigma)
        looks = [z0 + np.r_[np.array(sigma) * rng.standard_normal(3), 0.0] for _ in range(20)]
        first = looks[0]
        line = np.array(
            [math.cos(first[2]) * math.sin(first[1]), math.cos(first[2]) * math.cos(first[1]), math.sin(first[2])]
        )
        for charted, found in scores.items():
            x, P = np.zeros(10), np.zeros((10, 10))
            x[:3] = centre[:3] + first[0] * line
            _, _, H, _ = looking(x[:6].copy(), centre, sigma)
            back = np.linalg.inv(H[:, :3])
            P[:3, :3] = back @ R[:3, :3] @ back.T
            P[3:6, 3:6] = np.eye(3) * 1e-12
            for z in looks[1:]:
                update(x, P, 6, Kind.RAE, 0.0, Region.SECTOR, centre, attitude, z, R, charted, centre, 1, np.empty(1))
            # scored in the chart, where the radar's knowledge is an ellipsoid
            e, y, J = np.empty((3, 3)), np.empty(6), np.empty((6, 6))
            chart_axes(x[:6].copy(), centre, e, y)
            to_chart(y, e, J)
            Py = (J @ P[:6, :6] @ J.T)[:3, :3]
            d = truth[:3] - centre[:3]
            r = np.linalg.norm(d)
            error = np.array([r - y[0], math.atan2(e[1] @ d, e[0] @ d), math.asin(e[2] @ d / r)])
            found.append(error @ np.linalg.solve(Py, error))
    # 40 values of chi-squared with 3 degrees: mean 3, standard error 0.39
    assert 1.8 < np.mean(scores[True]) < 4.2
    assert np.mean(scores[False]) > 2.0 * np.mean(scores[True])


def test_when_a_shell_is_bent():
    x, centre = np.array([7.3e6, 0, 0, 0, 0, 0.0]), np.array([6.3e6, 0, 0, 0, 0, 0.0])
    thin, round_ = np.zeros((10, 10)), np.zeros((10, 10))
    thin[:3, :3] = np.diag([10.0**2, 10e3**2, 10e3**2])  # 100 m of bend over 10 m
    round_[:3, :3] = np.diag([500.0**2, 10e3**2, 10e3**2])
    assert bent(thin, x, centre)
    assert not bent(round_, x, centre)


def test_a_site_turns_with_the_earth():
    out = np.empty(6)
    site_at(np.array([4e6, 1e6, 4.8e6]), 0.3, out)
    later = np.empty(6)
    site_at(np.array([4e6, 1e6, 4.8e6]), 0.3 + 7.292115855306589e-5, later)
    np.testing.assert_allclose(later[:3] - out[:3], out[3:], atol=0.02)
