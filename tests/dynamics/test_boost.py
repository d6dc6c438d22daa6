"""Powered flight against DOP853 with an independent right-hand side, and the rocket equation."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from tocsin.dynamics import kernels as k
from tocsin.dynamics.boost import BoostPlan, trajectory
from tocsin.dynamics.thrust import boost_rows, fly_boost
from tocsin.earth import gravity, wgs84
from tocsin.earth.frames import OMEGA_GMST, to_eci

THETA0 = 0.8
FOUR = ((0.0, 5.5, 100.0, 2000.0), (11.5, 3.5, 130.0, 2100.0), (27.0, 32.0, 60.0, 2300.0), (84.0, 17.5, 110.0, 2600.0))


def plan(**changes):
    values = {
        "stages": ((0.0, 150.0, 16.0, 2550.0),), "vertical_s": 8.0, "pitch_s": 50.0, "elevation": math.radians(40),
        "azimuth": 1.2, "cutoff_s": 141.3, "beta": 8000.0, "lat": 0.68, "lon": 2.19, "h": 30.0,
        "launch_ns": 60_000_000_000,
    }  # fmt: skip
    return BoostPlan(**{**values, **changes})


def reference(p):
    """The end of boost by DOP853, piece by piece, thrust written by its definition."""
    t0 = p.launch_ns / 1e9
    place = wgs84.geodetic_to_ecef([p.lat, p.lon, p.h])
    state = to_eci(np.concatenate([place, np.zeros(3)]), THETA0 + OMEGA_GMST * t0)
    axes = to_eci(wgs84.enu_axes(p.lat, p.lon), THETA0 + OMEGA_GMST * t0)

    def rate(tau, s, a, b):
        acc = np.array(k.free_acceleration(*s, p.beta))
        for ignition, burn, thrust, exhaust in p.stages:
            if ignition <= 0.5 * (a + b) < min(ignition + burn, p.cutoff_s):
                turn = min(max(tau - p.vertical_s, 0.0) / p.pitch_s, 1.0)
                el = math.pi / 2 + turn * (p.elevation - math.pi / 2)
                ca, sa, ce, se = math.cos(p.azimuth), math.sin(p.azimuth), math.cos(el), math.sin(el)
                acc = acc + thrust / (1 - thrust * (tau - ignition) / exhaust) * np.array([ce * sa, ce * ca, se]) @ axes
        return np.concatenate([s[3:], acc])

    edges = {0.0, p.vertical_s, p.vertical_s + p.pitch_s, p.end_s()}
    edges |= {e for i, b, _, _ in p.stages for e in (i, i + b)}
    edges = sorted(e for e in edges if e <= p.end_s())
    for a, b in pairwise(edges):
        state = solve_ivp(rate, (a, b), state, "DOP853", rtol=1e-11, atol=1e-7, args=(a, b), max_step=2.0).y[:, -1]
    return state


@pytest.mark.parametrize(
    "p",
    [
        plan(),
        plan(stages=FOUR, vertical_s=1.0, pitch_s=2.0, elevation=1.35, azimuth=-0.1, cutoff_s=math.inf, lat=1.209),
    ],
    ids=["one stage, cut off", "four stages, coasts between"],
)
def test_the_end_of_boost_is_within_a_metre_of_dop853(p):
    nodes = trajectory(p, THETA0)
    ref = reference(p)
    assert nodes[-1, 0] == pytest.approx(60.0 + p.end_s(), abs=1e-9)
    assert np.linalg.norm(nodes[-1, 1:4] - ref[:3]) < 1.0
    assert np.linalg.norm(nodes[-1, 4:7] - ref[3:]) < 0.01


def test_the_rocket_equation():
    """A hard kick straight up without air: exhaust velocity times the logarithm of the mass ratio, less gravity."""
    p = plan(stages=((0.0, 2.0, 900.0, 2500.0),), vertical_s=5.0, cutoff_s=2.0, beta=0.0)
    nodes = trajectory(p, THETA0, step_s=0.02)
    gained = np.linalg.norm(nodes[-1, 4:7] - nodes[0, 4:7])
    g = np.linalg.norm(gravity.gravity(*nodes[0, 1:4]))
    assert gained == pytest.approx(2500.0 * math.log(1 / (1 - 900.0 * 2.0 / 2500.0)) - 2.0 * g, rel=1e-4)


def test_it_starts_at_rest_on_the_turning_ground():
    first = trajectory(plan(), THETA0)[0]
    ground = wgs84.geodetic_to_ecef([0.68, 2.19, 30.0])
    expected = to_eci(np.concatenate([ground, np.zeros(3)]), THETA0 + OMEGA_GMST * 60.0)
    assert first[0] == 60.0
    assert first[1:7] == pytest.approx(expected, abs=1e-6)


def kernel_rows(p, width, step_s=1.0, rows=400):
    out = np.full((rows, width), np.nan)
    used = fly_boost(
        p.table(), p.vertical_s, p.pitch_s, p.beta, p.elevation, p.azimuth, float(p.cutoff_s), p.lat, p.lon, p.h, 60.0,
        THETA0, step_s, out,
    )  # fmt: skip
    return out, used


def test_seven_and_ten_columns_tell_the_same():
    p = plan(stages=FOUR, cutoff_s=math.inf)
    narrow, n = kernel_rows(p, 7)
    wide, m = kernel_rows(p, 10)
    times, first = np.unique(wide[:m, 0], return_index=True)
    assert np.array_equal(times, narrow[:n, 0])
    assert np.array_equal(wide[first, :7], narrow[:n])
    assert np.isnan(narrow[n:]).all()
    doubled = set(times[np.diff(np.append(first, m)) == 2] - 60.0)
    for ignition, burn, _, _ in FOUR[:-1]:
        assert any(abs(ignition + burn - d) < 1e-9 for d in doubled)
        assert any(abs(ignition - d) < 1e-9 for d in doubled) or ignition == 0.0


def test_the_acceleration_column_jumps_by_the_thrust():
    p = plan(stages=FOUR, cutoff_s=math.inf)
    wide, m = kernel_rows(p, 10)
    at = np.nonzero(np.abs(wide[:m, 0] - 60.0 - 27.0) < 1e-9)[0]
    assert len(at) == 2
    assert np.linalg.norm(wide[at[1], 7:] - wide[at[0], 7:]) == pytest.approx(60.0)


def test_too_few_rows_are_told():
    assert kernel_rows(plan(), 7, rows=20)[1] == 0
    assert kernel_rows(plan(), 10, rows=144)[1] == 0


@given(
    st.lists(st.tuples(st.floats(0.5, 80), st.floats(0, 30)), min_size=1, max_size=4),
    st.floats(0, 20), st.floats(0, 60), st.floats(0.1, 400), st.floats(0.2, 7),
)  # fmt: skip
def test_the_row_bound_holds_for_any_program(burns, vertical, pitch, cutoff, step):
    stages, t = [], 0.0
    for burn, coast in burns:
        stages.append((t, burn, 20.0, 3000.0))
        t += burn + coast
    p = plan(stages=tuple(stages), vertical_s=vertical, pitch_s=pitch, cutoff_s=cutoff)
    bound = boost_rows(p.table(), vertical, pitch, cutoff, step)
    out, used = kernel_rows(p, 10, step, bound)
    assert 0 < used <= bound
    assert out[used - 1, 0] == pytest.approx(60.0 + p.end_s(), abs=1e-8)
    assert (np.diff(out[:used, 0]) >= 0.0).all()
    assert (np.diff(out[:used, 0]) <= step + 1e-6).all()


def test_burns_that_take_place():
    p = plan(stages=FOUR, cutoff_s=40.0)
    assert p.burning() == ((0, 0.0, 5.5), (1, 11.5, 15.0), (2, 27.0, 40.0))
    assert p.end_s() == 40.0
    assert plan(stages=FOUR, cutoff_s=math.inf).end_s() == 101.5


def test_times_since_launch():
    p = plan()
    absolute, since = trajectory(p, THETA0), trajectory(p, THETA0, since_launch=True)
    assert since[0, 0] == 0.0
    assert since[-1, 0] == p.end_s()
    assert since[:, 1:] == pytest.approx(absolute[:, 1:], rel=1e-9, abs=1e-5)


def test_nonsense_is_refused():
    for wrong in (plan(stages=()), plan(cutoff_s=0.0), plan(cutoff_s=math.nan)):
        with pytest.raises(ValueError, match="needs a stage, a positive cut-off time"):
            trajectory(wrong, THETA0)
