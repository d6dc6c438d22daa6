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
from tocsin.tracking.bridge import fall_slopes
from tocsin.tracking.filter import (
    bent,
    bridge,
    chart_axes,
    from_chart,
    in_chart,
    score_pairs,
    shine_of,
    site_at,
    to_chart,
    update,
    update_rows,
)
from tocsin.tracking.measure import Looks, h
from tocsin.tracking.models import BOOST, COAST, REENTRY, Bank, coast_step


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
    again = np.empty(6)
    in_chart(back, centre, e, again)
    np.testing.assert_allclose(again, there, rtol=1e-9, atol=1e-9)
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


def batch(k, spread=(500.0, 50.0), seed=4):
    """Coasting rows and range-azimuth-elevation looks at them: what ``update_rows`` takes."""
    x6, centre = geometry()
    rng = np.random.default_rng(seed)
    attitude = np.linalg.qr(np.random.default_rng(8).standard_normal((3, 3)))[0].ravel()
    x, P = np.zeros((k, 1, 10)), np.zeros((k, 1, 10, 10))
    x[:, 0, :6] = x6 + rng.standard_normal((k, 6)) * np.repeat(spread, 3)
    root = rng.standard_normal((k, 6, 6)) * np.repeat(spread, 3)[:, None]
    P[:, 0, :6, :6] = root @ root.transpose(0, 2, 1) + np.diag(np.repeat(spread, 3)) ** 2
    a = rng.standard_normal((k, 4, 4)) * 0.3 + np.eye(4)
    scale = np.array([30.0, 1e-3, 1e-3, 1.0])
    R = (a @ a.transpose(0, 2, 1)) * scale[:, None] * scale
    z = np.empty((k, 4))
    for i in range(k):
        h(
            Kind.RAE,
            x6,
            0.0,
            Region.VIEW,
            centre,
            attitude,
            np.zeros(4),
            z[i],
            np.empty((4, 6)),
            np.empty((4, 4)),
            np.empty(4),
        )
    z[:, :3] += scale[:3] * rng.standard_normal((k, 3))
    looks = Looks(
        np.full(k, int(Kind.RAE)), np.full(k, int(Region.VIEW)), np.zeros(k), np.zeros(k), np.tile(centre, (k, 1)),
        np.tile(attitude, (k, 1)), z, np.ascontiguousarray(R), np.full(k, 3),
    )  # fmt: skip
    return x, P, np.ones((k, 1)), looks


def corrected(x, P, mu, looks, charts=False, points=False, anew=0, bank=None):
    k = len(x)
    bank = bank or Bank.of((COAST,), believe(()).parameters, THETA0)
    out = x.copy(), P.copy(), mu.copy()
    before = x.copy(), P.copy(), np.zeros(k)
    score = update_rows(
        bank, before, out, np.full(k, anew), np.zeros(k, dtype=np.int64), np.zeros((k, 3)), 0, looks, np.arange(k),
        charts, points=points,
    )  # fmt: skip
    return *out, score


def test_the_plain_batch_is_the_general_update_to_rounding():
    x, P, mu, looks = batch(50)
    xo, Po, _, score = corrected(x, P, mu, looks)
    for i in range(50):
        xi, Pi, distance = x[i, 0].copy(), P[i, 0].copy(), np.empty(1)
        log = update(
            xi, Pi, 6, Kind.RAE, 0.0, Region.VIEW, looks.platform[i], looks.attitude[i], looks.z[i], looks.R[i], False,
            looks.platform[i], 1, distance,
        )  # fmt: skip
        np.testing.assert_allclose(xo[i, 0], xi, rtol=1e-12, atol=1e-7)
        np.testing.assert_allclose(Po[i, 0], Pi, atol=1e-11 * np.abs(P[i, 0]).max())
        assert score[i] == pytest.approx([log, distance[0]], rel=1e-9)


def test_a_row_does_not_depend_on_its_neighbours():
    x, P, mu, looks = batch(9)
    every = corrected(x, P, mu, looks)
    for i in (0, 4, 8):
        one = Looks(*(getattr(looks, name)[i : i + 1] for name in looks.__dataclass_fields__))
        for a, b in zip(corrected(x[i : i + 1], P[i : i + 1], mu[i : i + 1], one), every, strict=True):
            np.testing.assert_array_equal(a[0], b[i])


@pytest.mark.parametrize("mode", ["plain", "charts", "points"])
@pytest.mark.parametrize(
    "spoil", ["nan look", "infinite look", "nan noise", "infinite noise", "singular", "negative", "P"]
)
def test_rows_of_no_use_stay_as_they_were(mode, spoil):
    x, P, mu, looks = batch(3)
    if spoil == "nan look":
        looks.z[1, 1] = math.nan
    elif spoil == "infinite look":
        looks.z[1, 0] = math.inf
    elif spoil == "nan noise":
        looks.R[1, 0, 0] = math.nan
    elif spoil == "infinite noise":
        looks.R[1, 2, 2] = math.inf
    elif spoil == "singular":
        looks.R[1, 1], looks.R[1, :, 1] = 0.0, 0.0
    elif spoil == "negative":
        looks.R[1] = -looks.R[1]
    else:
        P[1, 0, 3, 3] = math.nan
    xo, Po, muo, score = corrected(
        x, P, mu, looks, charts=mode == "charts", points=mode == "points", anew=mode == "charts"
    )
    assert score[1, 0] == -math.inf
    np.testing.assert_array_equal(xo[1], x[1])
    np.testing.assert_array_equal(Po[1], P[1])
    np.testing.assert_array_equal(muo[1], mu[1])
    assert np.all(np.isfinite(score[[0, 2]]))
    assert np.all(np.trace(Po[[0, 2], 0], axis1=1, axis2=2) < np.trace(P[[0, 2], 0], axis1=1, axis2=2))
    if spoil != "P":  # the gate refuses them too
        gain = score_pairs(
            Bank.of((COAST,), believe(()).parameters, THETA0), x, P, mu, looks, np.arange(3), np.full(5, 1e9)
        )
        assert gain[1] == -math.inf
        assert np.all(np.isfinite(gain[[0, 2]]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-1, 5), st.floats(-2, 4), st.sampled_from(["plain", "charts", "points"]))
def test_covariances_stay_positive_definite_over_looks(seed, place, speed, mode):
    x, P, mu, looks = batch(4, (10.0**place, 10.0**speed), seed)
    for _ in range(5):
        x, P, mu, _ = corrected(
            x, P, mu, looks, charts=mode == "charts", points=mode == "points", anew=mode == "charts"
        )
        for i in range(4):
            C = P[i, 0, :6, :6]
            scale = 1.0 / np.sqrt(np.diagonal(C))
            np.testing.assert_array_equal(C, C.T)
            assert np.linalg.eigvalsh(C * scale[:, None] * scale).min() > 0.0


def test_a_young_track_at_long_range_stays_honest():
    """The first looks of a radar at an unknown velocity: 30 m, 0.3 degrees, 3,000 km, a look every 10 s.

    Linearised look by look the normalised error grew to hundreds; the expectation is 6 with a standard error of 0.45.
    """
    rng = np.random.default_rng(12)
    k, angle, sd = 60, math.radians(0.3), 3500.0
    site = np.array([6.378e6, 0.0, 0.0])
    bank = Bank.of((COAST,), believe(()).parameters, THETA0)
    place = np.empty(6)
    site_at(site, THETA0, place)
    start = np.r_[place[:3] + 3e6 * np.array([math.cos(THETA0), math.sin(THETA0), 1.0]) / math.sqrt(2.0), place[3:]]
    e, y, G, x6 = np.empty((3, 3)), np.empty(6), np.empty((6, 6)), np.empty(6)
    chart_axes(start, place, e, y)
    s = np.array([30.0, angle, angle, sd, sd / y[0], sd / y[0]])
    from_chart(y, place, e, x6, G)
    truth = np.empty((k, 6))
    for i in range(k):
        from_chart(y + s * rng.standard_normal(6), place, e, truth[i], np.empty((6, 6)))
    x, P, mu = np.zeros((k, 1, 10)), np.zeros((k, 1, 10, 10)), np.ones((k, 1))
    x[:, 0, :6], P[:, 0, :6, :6] = x6, (G * s**2) @ G.T
    R, attitude = np.diag([900.0, angle**2, angle**2, 1.0]), np.eye(3).ravel()
    chart = np.ones(k, dtype=np.int64)
    for look in range(1, 6):
        t0, t1 = 10.0 * look - 10.0, 10.0 * look
        site_at(site, THETA0 + 7.292115855306589e-5 * t1, place)
        z, xo, Po = np.empty((k, 4)), np.zeros_like(x), np.zeros_like(P)
        for i in range(k):
            full, cov = np.zeros(10), np.zeros((10, 10))
            coast_step(np.r_[truth[i], np.zeros(4)], np.eye(10), t0, t1, THETA0, bank.parameters, full, cov)
            truth[i] = full[:6]
            h(
                Kind.RAE,
                truth[i],
                0.0,
                Region.SECTOR,
                place,
                attitude,
                np.zeros(4),
                z[i],
                np.empty((4, 6)),
                cov[:4, :4],
                full[:4],
            )
            coast_step(x[i, 0], P[i, 0], t0, t1, THETA0, bank.parameters, xo[i, 0], Po[i, 0])
        z[:, :3] += np.array([30.0, angle, angle]) * rng.standard_normal((k, 3))
        looks = Looks(
            np.full(k, int(Kind.RAE)), np.full(k, int(Region.SECTOR)), np.full(k, t1), np.zeros(k),
            np.tile(place, (k, 1)), np.tile(attitude, (k, 1)), z, np.tile(R, (k, 1, 1)), np.full(k, 3),
        )  # fmt: skip
        before = x[:, 0, :6].copy(), P[:, 0, :6, :6].copy(), np.full(k, t0)
        carried = xo, Po, mu
        update_rows(
            bank, before, carried, np.ones(k, dtype=np.int64), chart, np.tile(site, (k, 1)), 1, looks, np.arange(k)
        )
        x, P, mu = carried
    found, there, J = [], np.empty(6), np.empty((6, 6))
    for i in range(k):
        chart_axes(x[i, 0, :6].copy(), place, e, y)
        to_chart(y, e, J)
        in_chart(truth[i], place, e, there)
        found.append((there - y) @ np.linalg.solve(J @ P[i, 0, :6, :6] @ J.T, there - y))
    assert np.all(chart == 1)  # the shell is still bent
    assert 4.6 < np.mean(found) < 7.9


def test_two_satellites_cross_their_lines():
    """A needle of 300 km along one line of sight, cut by another: where the two lines meet, to the measured width."""
    rng = np.random.default_rng(13)
    k, s = 40, 30e-6
    truth, found = np.array([3.2e6, 1.1e6, 5.6e6, 0.0, 0.0, 0.0]), []
    x, P, mu = np.zeros((k, 1, 10)), np.zeros((k, 1, 10, 10)), np.ones((k, 1))
    x[:, 0, :6] = truth + np.r_[[3e5] * 3, [1.0] * 3] * rng.standard_normal((k, 6))
    P[:, 0, :6, :6] = np.diag([9e10] * 3 + [1.0] * 3)
    for lon in (0.3, 1.3):
        c, sn = math.cos(lon), math.sin(lon)
        place = np.array([42_164e3 * c, 42_164e3 * sn, 0.0, 0.0, 0.0, 0.0])
        attitude = np.array([-sn, c, 0.0, -c, -sn, 0.0, 0.0, 0.0, 1.0])
        z = np.zeros((k, 4))
        h(
            Kind.LOS,
            truth,
            0.0,
            Region.VIEW,
            place,
            attitude,
            np.zeros(4),
            z[0],
            np.empty((4, 6)),
            np.empty((4, 4)),
            np.empty(4),
        )
        z[:, :2] = z[0, :2] + s * rng.standard_normal((k, 2))
        looks = Looks(
            np.full(k, int(Kind.LOS)), np.full(k, int(Region.VIEW)), np.zeros(k), np.zeros(k), np.tile(place, (k, 1)),
            np.tile(attitude, (k, 1)), z, np.tile(np.diag([s**2, s**2, 1.0, 1.0]), (k, 1, 1)), np.full(k, 2),
        )  # fmt: skip
        x, P, mu, _ = corrected(x, P, mu, looks, charts=True)
    for i in range(k):
        error = x[i, 0, :3] - truth[:3]
        found.append(error @ np.linalg.solve(P[i, 0, :3, :3], error))
    assert 2.1 < np.mean(found) < 4.1  # chi-squared with 3 degrees: standard error 0.39
    assert np.sqrt(P[:, 0, 0, 0]).max() < 5e3


def test_slopes_of_a_fall_with_drag():
    """Heavier bodies fall further, and without air the slopes are those of gravity alone."""
    from tocsin.dynamics.kernels import coast_to_stm

    flight = arc(20.0, 30.0, 400e3, 3000.0, 40.0, -30.0, 0.0, 60.0)
    x0, end, F = np.r_[flight(0.0), math.log(1500.0)], np.empty(6), np.zeros((7, 7))
    fall_slopes(x0, 0.0, 5.0, THETA0, end, F)
    out, Phi = np.empty(6), np.empty((6, 6))
    coast_to_stm(x0[:6].copy(), 0.0, 5.0, THETA0, out, Phi)
    np.testing.assert_allclose(end, out, atol=1e-2)
    np.testing.assert_allclose(F[:6, :6], Phi, atol=1e-6)
    low = x0.copy()
    low[:3] *= (6.378e6 + 30e3) / np.linalg.norm(low[:3])
    fall_slopes(low, 0.0, 1.0, THETA0, end, F)
    assert F[3:6, 6] @ low[3:6] > 0.0  # more of its speed is left


def test_who_is_seen_by_its_heat():
    par = believe(()).parameters
    np.testing.assert_allclose(shine_of(Bank.of((COAST,), par, 0.0)), [1.0])
    seen = shine_of(Bank.of((BOOST, COAST, REENTRY), par, 0.0), warm=0.01)
    assert seen[0] == 1.0
    assert seen[1] == 0.01
    assert 0.01 < seen[2] < 1.0
