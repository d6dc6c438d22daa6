"""Which model may follow which, and mixing: against sums over draws, closed forms and the rules as stated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking_scenes import THETA0, believed

from tocsin.dynamics.kernels import perigee_of
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import enu_axes, geodetic_to_ecef
from tocsin.scenario.specs import Glide, Spread
from tocsin.tracking.belief import BETA, BETA_SD, GLIDE_BETA, GLIDERS, PARAMETERS, Q_COAST, TURN_SD, believe
from tocsin.tracking.models import (
    AIRCRAFT,
    BOOST,
    COAST,
    GLIDE,
    NAMES,
    ORBIT,
    REENTRY,
    USED,
    Bank,
    advance_rows,
    match_moments,
    prior_state,
    prior_weights,
)
from tocsin.tracking.motions import slot_process
from tocsin.tracking.transitions import CLEAR, NOWHERE, clear_of_air, mix, rates_from

PAR = believe((believed(burn=60.0, pause=20.0),)).parameters
OMEGA = np.array([0.0, 0.0, OMEGA_GMST])
AXES = np.ascontiguousarray(enu_axes(0.7, 0.3).ravel())
SIX = Bank.of(NAMES, PAR, THETA0)


def place(height, east, north, up):
    axes = enu_axes(0.7, 0.3)
    p = geodetic_to_ecef([0.7, 0.3, height])
    return np.r_[p, east * axes[0] + north * axes[1] + up * axes[2] + np.cross(OMEGA, p)]


def begin(bank, x6, mu, sd=(100.0, 10.0)):
    P6 = np.diag([sd[0] ** 2] * 3 + [sd[1] ** 2] * 3)
    m = len(bank)
    x, P = np.zeros((1, m, 10)), np.zeros((1, m, 10, 10))
    for c in range(m):
        x[0, c, :6], P[0, c, :6, :6] = x6, P6
        for slot in range(6, USED[bank.kinds[c]]):
            if bank.kinds[c] == BOOST:
                x[0, c, slot], P[0, c, slot, slot] = 0.01, 1e-4
            else:
                x[0, c, slot], _, s = slot_process(bank.kinds[c], slot, bank.parameters)
                P[0, c, slot, slot] = s * s
    weights = np.array([mu.get(NAMES[k], 0.0) for k in bank.kinds])
    return x, P, weights[None] / weights.sum()


def carry(bank, start, dt, until=-1.0, seen=0.0):
    return advance_rows(
        bank, np.array([0]), np.array([dt]), *start, AXES[None].copy(), np.array([0.0]), np.array([[seen, until]])
    )


def rates(kind, x6, sd=(100.0, 10.0), restart=0.0):
    P = np.zeros((10, 10))
    P[:6, :6] = np.diag([sd[0] ** 2] * 3 + [sd[1] ** 2] * 3)
    P[6, 6] = 1.0
    x = np.r_[x6, 30.0, 0.0, 0.0, 0.01]
    out = np.empty(7)
    total = rates_from(kind, x, P, 0.0, restart, np.arange(6), PAR, out)
    assert total == pytest.approx(out.sum())
    assert (out >= 0.0).all()
    return {NAMES[k] if k < NOWHERE else "none": r for k, r in enumerate(out) if r > 0.0}


def test_what_may_follow_what():
    assert set(rates(BOOST, place(50e3, 1000.0, 0.0, 1000.0))) == {"coast"}
    assert set(rates(BOOST, place(60e3, 3000.0, 0.0, 100.0))) == {"coast", "glide"}
    assert rates(COAST, place(300e3, 3000.0, 0.0, -1000.0)) == {}  # the perigee is deep in the Earth
    assert set(rates(COAST, place(100e3, 3000.0, 0.0, -1000.0))) == {"reentry"}
    assert rates(COAST, place(100e3, 3000.0, 0.0, 1000.0)) == {}
    assert rates(COAST, place(100e3, 3000.0, 0.0, 1000.0), restart=0.01) == {"boost": 0.01}
    assert set(rates(COAST, place(500e3, 7400.0, 0.0, 0.0))) == {"orbit"}
    assert rates(REENTRY, place(150e3, 3000.0, 0.0, 1000.0))["coast"] >= 1e8
    assert set(rates(REENTRY, place(50e3, 3000.0, 0.0, -1000.0))) == {"glide"}
    assert rates(REENTRY, place(50e3, 300.0, 0.0, -1000.0)) == {}
    assert set(rates(GLIDE, place(50e3, 3000.0, 0.0, -100.0))) == {"reentry"}
    assert rates(GLIDE, place(110e3, 3000.0, 0.0, -100.0))["reentry"] >= 1e8
    assert rates(AIRCRAFT, place(10e3, 200.0, 0.0, 0.0)) == {}
    assert rates(AIRCRAFT, place(300e3, 200.0, 0.0, 0.0))["none"] >= 1e8
    assert rates(AIRCRAFT, place(10e3, 2000.0, 0.0, 0.0))["none"] >= 1e8
    assert rates(ORBIT, place(300e3, 3000.0, 0.0, 0.0))["coast"] >= 1e8
    for kind in (BOOST, COAST, REENTRY, GLIDE, ORBIT):  # nothing becomes an aircraft
        for height in (5e3, 50e3, 120e3, 500e3):
            assert "aircraft" not in rates(kind, place(height, 2000.0, 0.0, -300.0))


def test_probability_of_a_clear_perigee_against_draws():
    rng = np.random.default_rng(1)
    for speed, climb in ((7300.0, 0.0), (7330.0, 60.0), (7100.0, 20.0), (7900.0, -100.0), (3000.0, 500.0)):
        x6 = place(400e3, speed * 0.6, speed * 0.8, climb)
        sd = np.array([3e3] * 3 + [40.0] * 3)
        P = np.diag(sd**2)
        draws = x6 + rng.standard_normal((4000, 6)) * sd
        share = np.mean([perigee_of(*row) > CLEAR for row in draws])
        assert clear_of_air(x6, P) == pytest.approx(share, abs=0.04)
    circle = np.array([7e6, 0.0, 0.0, 0.0, math.sqrt(3.986004418e14 / 7e6), 0.0])
    assert clear_of_air(circle, np.diag([1e4] * 3 + [1.0] * 3)) > 0.9999  # no singularity at the circle


def test_mixing_is_the_moments_of_a_mixture():
    """Against the sums written out with NumPy: a slot that the source lacks has the destination's prior."""
    rng = np.random.default_rng(2)
    bank = Bank.of((COAST, REENTRY, GLIDE), PAR, THETA0)
    used = np.array([USED[k] for k in bank.kinds])
    base = place(45e3, 3000.0, 500.0, -800.0)
    x, P = np.zeros((3, 10)), np.zeros((3, 10, 10))
    for m in range(3):
        n = used[m]
        x[m, :6] = base + rng.standard_normal(6) * [300, 300, 300, 30, 30, 30]
        x[m, 6:n] = (9.0, 1.5, -0.5)[: n - 6]
        B = rng.standard_normal((n, n)) * np.array([200.0] * 3 + [20.0] * 3 + [0.4] * (n - 6))[:, None]
        P[m, :n, :n] = B @ B.T
    mu = np.array([0.2, 0.5, 0.3])
    p = np.array([[0.7, 0.3, 0.0], [0.1, 0.6, 0.3], [0.0, 0.25, 0.75]])
    wanted_mu = mu @ p
    wanted = []
    for j in range(3):
        n = used[j]
        ms, Ps, ws = [], [], []
        for i in range(3):
            m, C = np.zeros(n), np.zeros((n, n))
            m[:6], C[:6, :6] = x[i, :6], P[i, :6, :6]
            if i == j:
                m, C = x[i, :n].copy(), P[i, :n, :n].copy()
            else:
                for slot in range(6, n):
                    m[slot], _, sd = slot_process(bank.kinds[j], slot, PAR)
                    C[slot, slot] = sd * sd
            ms.append(m)
            Ps.append(C)
            ws.append(mu[i] * p[i, j] / wanted_mu[j])
        mean = sum(w * m for w, m in zip(ws, ms, strict=True))
        cov = sum(w * (C + np.outer(m - mean, m - mean)) for w, m, C in zip(ws, ms, Ps, strict=True))
        wanted.append((mean, cov))
    mix(bank.kinds, used, p, x, P, mu, AXES, PAR, np.empty((3, 10)), np.empty((3, 10, 10)), np.empty(200))
    np.testing.assert_allclose(mu, wanted_mu, rtol=1e-12)
    for j in range(3):
        n = used[j]
        np.testing.assert_allclose(x[j, :n], wanted[j][0], rtol=1e-12)
        d = np.sqrt(np.diag(wanted[j][1]))
        np.testing.assert_allclose(P[j, :n, :n] / np.outer(d, d), wanted[j][1] / np.outer(d, d), atol=1e-9)
        assert not x[j, n:].any()
        assert not P[j, n:].any()


def test_a_reentry_comes_with_the_prior_of_its_ballistic_coefficient():
    start = begin(SIX, place(90e3, 4000.0, 0.0, -3000.0), {"coast": 1.0})
    x, P, mu = carry(SIX, start, 2.0)
    assert mu[0, REENTRY] == pytest.approx(1.0 - math.exp(-0.6), rel=0.05)  # 6 km deeper, one in 10 km
    assert x[0, REENTRY, 6] == pytest.approx(math.log(PAR[BETA]))
    assert P[0, REENTRY, 6, 6] == pytest.approx(PAR[BETA_SD] ** 2, rel=0.05)
    assert np.linalg.eigvalsh(P[0, REENTRY, :7, :7]).min() > 0.0


def test_impossible_models_are_dropped_and_the_last_one_is_kept():
    high = begin(SIX, place(300e3, 1000.0, 0.0, 500.0), {"coast": 0.5, "reentry": 0.2, "glide": 0.2, "aircraft": 0.1})
    _, _, mu = carry(SIX, high, 2.0)
    np.testing.assert_allclose(mu[0], [0, 1, 0, 0, 0, 0], atol=1e-12)
    lonely = Bank.of((AIRCRAFT, ORBIT), PAR, THETA0)
    x, _, mu = carry(lonely, begin(lonely, place(300e3, 1000.0, 0.0, 500.0), {"aircraft": 1.0}), 2.0)
    assert mu[0].tolist() == [1.0, 0.0]
    assert np.isfinite(x).all()


def test_what_cannot_end_is_one_model_in_one_step():
    """A coast high up in a bank of six is bit for bit the coast alone."""
    x6 = place(400e3, 3000.0, 0.0, 1500.0)
    alone = Bank.of(("coast",), PAR, THETA0)
    a = carry(alone, begin(alone, x6, {"coast": 1.0}), 10.0)
    no_orbit = Bank.of(NAMES[:5], PAR, THETA0)
    b = carry(no_orbit, begin(no_orbit, x6, {"coast": 1.0}), 10.0)
    assert (a[0][0, 0] == b[0][0, COAST]).all()
    assert (a[1][0, 0] == b[1][0, COAST]).all()


def test_long_gaps_lead_from_boost_over_coast_into_the_air():
    start = begin(SIX, place(80e3, 1200.0, 0.0, 1500.0), {"boost": 0.9, "coast": 0.1})
    x, P, mu = carry(SIX, start, 60.0)
    assert mu[0, BOOST] + mu[0, COAST] > 0.9
    x, P, mu = carry(SIX, start, 430.0)
    assert mu[0, REENTRY] + mu[0, GLIDE] > 0.9
    assert mu[0].sum() == pytest.approx(1.0)
    mean, cov = match_moments(x, P, mu)
    assert np.isfinite(mean).all()
    assert np.linalg.eigvalsh(cov[0]).min() > 0.0


def test_a_row_does_not_depend_on_its_neighbours():
    one = begin(SIX, place(50e3, 3000.0, 0.0, -500.0), dict.fromkeys(NAMES, 1.0))
    two = begin(SIX, place(10e3, 200.0, 0.0, 0.0), {"aircraft": 1.0, "reentry": 1.0})
    both = tuple(np.concatenate(pair) for pair in zip(one, two, strict=True))
    axes = np.tile(AXES, (2, 1))
    rows = np.array([1, 0, 1])
    x, P, mu = advance_rows(SIX, rows, np.full(3, 5.0), *both, axes, np.zeros(2), np.zeros((2, 2)))
    for k, single in enumerate((two, one, two)):
        y, Q, nu = carry(SIX, single, 5.0, until=0.0)
        live = nu[0] > 0.0
        assert (mu[k] == nu[0]).all()
        assert (x[k][live] == y[0][live]).all()
        assert (P[k][live] == Q[0][live]).all()


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-1e3, 900e3), st.floats(-7500.0, 7500.0), st.floats(-4000.0, 4000.0),
    st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6), st.floats(0.1, 90.0),
    st.sets(st.integers(0, 5), min_size=1),
)  # fmt: skip
def test_probabilities_and_covariances_stay_sound(height, east, up, weights, dt, kinds):
    bank = Bank.of(sorted(kinds), PAR, THETA0)
    shares = {NAMES[k]: weights[k] + 1e-3 for k in kinds}
    x, P, mu = carry(bank, begin(bank, place(height, east, 100.0, up), shares), dt, until=1e9)
    assert mu[0].sum() == pytest.approx(1.0)
    assert (mu >= 0.0).all()
    for m in np.flatnonzero(mu[0] > 0.0):
        n = USED[bank.kinds[m]]
        assert np.isfinite(x[0, m]).all()
        d = np.sqrt(np.diag(P[0, m])[:n])
        assert (d > 0.0).all()
        assert np.linalg.eigvalsh(P[0, m, :n, :n] / np.outer(d, d)).min() > -1e-8


def test_prior_states():
    x6 = place(9e3, 0.0, 0.0, 0.0)
    P6 = np.diag([500.0**2] * 3 + [3500.0**2] * 3)
    for kind in range(6):
        x, P = prior_state(kind, x6, P6, AXES, PAR)
        n = USED[kind]
        assert np.linalg.eigvalsh(P[:n, :n]).min() > 0.0
        assert not x[n:].any()
        assert not P[n:].any()
        if kind != AIRCRAFT:
            assert (x[:6] == x6).all()
    x, P = prior_state(AIRCRAFT, x6, P6, AXES, PAR)
    axes = enu_axes(0.7, 0.3)
    up = axes[2] @ P[3:6, 3:6] @ axes[2]
    east = axes[0] @ P[3:6, 3:6] @ axes[0]
    assert math.sqrt(up) == pytest.approx(15.0, rel=0.01)
    assert math.sqrt(east) == pytest.approx(250.0, rel=0.01)
    assert P[6, 6] == pytest.approx(PAR[TURN_SD] ** 2)
    assert prior_state(REENTRY, x6, P6, AXES, PAR)[0][6] == pytest.approx(math.log(PAR[BETA]))


def test_prior_weights():
    wide = np.diag([500.0**2] * 3 + [3500.0**2] * 3)
    low = prior_weights(SIX, place(9e3, 0.0, 0.0, 0.0), wide, 0.1)
    assert low.sum() == pytest.approx(1.0)
    assert low[BOOST] == pytest.approx(0.1)
    assert low[AIRCRAFT] > 0.6
    high = prior_weights(SIX, place(300e3, 0.0, 0.0, 0.0), wide, 0.0)
    assert high[AIRCRAFT] == high[REENTRY] == high[GLIDE] == 0.0
    assert high[COAST] > high[ORBIT] > 0.0
    known = prior_weights(SIX, place(500e3, 7400.0, 0.0, 0.0), np.diag([1e4] * 3 + [1.0] * 3), 0.0)
    assert known[ORBIT] > 0.99
    alone = Bank.of(("aircraft",), PAR, THETA0)
    assert prior_weights(alone, place(300e3, 0.0, 0.0, 0.0), wide, 0.0).tolist() == [1.0]


def test_banks():
    bank = Bank.of(("coast", REENTRY), PAR, THETA0)
    assert bank.kinds.tolist() == [COAST, REENTRY]
    louder = bank.with_noise({"coast": 0.01})
    assert louder.parameters[Q_COAST] == 0.01
    assert bank.parameters[Q_COAST] != 0.01
    with pytest.raises(ValueError, match=r"found .*'hover'.*allowed are distinct ones of boost, coast"):
        Bank.of(("hover",), PAR, THETA0)
    with pytest.raises(ValueError, match="distinct"):
        Bank.of(("coast", COAST), PAR, THETA0)
    with pytest.raises(ValueError, match=rf"found shape \(3,\), allowed \({PARAMETERS},\)"):
        Bank.of(("coast",), np.zeros(3), THETA0)
    with pytest.raises(ValueError, match="noise of coast: found nan"):
        bank.with_noise({"coast": math.nan})
    with pytest.raises(ValueError, match="found 'hover', allowed are boost"):
        bank.with_noise({"hover": 1.0})


def test_beliefs_about_gliders():
    import msgspec

    lifted = msgspec.structs.replace(
        believed(), glide=Glide(Spread(2.6, 0.2), Spread(13e3, 1500.0), "equilibrium", 25.0, 600.0), prior=0.1
    )
    par = believe((believed(), lifted)).parameters
    plain = believe((believed(),)).parameters
    assert par[GLIDERS] > 3.0 * plain[GLIDERS] > 0.0
    assert par[GLIDE_BETA] == pytest.approx(math.log(13e3))
    assert believe(()).parameters[BETA_SD] == 1.0
    assert 0.4 <= plain[BETA_SD] < 1.0
