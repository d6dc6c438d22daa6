"""Sidereal time against the IAU's own routines (erfa), turning of states against the definition."""

import math

import erfa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.earth import frames
from tocsin.earth.clock import Epoch, parse_utc

finite = st.floats(-1e8, 1e8)
angles = st.floats(-10.0, 10.0)


def erfa_gmst(unix_ns, dut1_s=0.0):
    days, rest = divmod(unix_ns, 86_400_000_000_000)
    return float(erfa.gmst82(2440587.5 + days, rest / 86.4e12 + dut1_s / 86400.0))


UTC = ["1979-11-09T15:50Z", "1995-01-25T06:24Z", "2000-01-01T12:00Z", "2017-08-28T20:58Z", "2049-12-31T23:59:59.999Z"]


@pytest.mark.parametrize("utc", UTC)
@pytest.mark.parametrize("dut1_s", [0.0, 0.37, -0.6])
def test_gmst_agrees_with_erfa(utc, dut1_s):
    unix_ns = parse_utc(utc)
    difference = math.remainder(frames.gmst82(unix_ns, dut1_s) - erfa_gmst(unix_ns, dut1_s), 2 * math.pi)
    assert abs(difference) < 1e-11


@given(st.integers(-(10**18), 2 * 10**18))
def test_gmst_lies_in_one_turn_and_agrees_with_erfa(unix_ns):
    theta = frames.gmst82(unix_ns)
    assert 0.0 <= theta < 2 * math.pi
    assert abs(math.remainder(theta - erfa_gmst(unix_ns), 2 * math.pi)) < 1e-11


def test_the_even_rate_holds_over_a_day():
    start = parse_utc("2017-08-28T20:58:00Z")
    epoch = Epoch.at("2017-08-28T20:58:00Z")
    for hours in (1, 6, 24):
        t_ns = hours * 3600 * 10**9
        theta = frames.theta_at(epoch.theta0, t_ns)
        assert abs(math.remainder(theta - erfa_gmst(start + t_ns), 2 * math.pi)) < 1e-10


@given(st.tuples(finite, finite, finite, st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), angles)
def test_there_and_back(state, theta):
    back = frames.to_eci(frames.to_ecef(state, theta), theta)
    assert back[:3] == pytest.approx(state[:3], abs=1e-7)
    assert back[3:] == pytest.approx(state[3:], abs=1e-9 + 1e-11 * max(map(abs, state[:3])))


def test_turning_is_the_rotation_about_the_pole():
    theta = 0.7
    r3 = np.array([[np.cos(theta), np.sin(theta), 0], [-np.sin(theta), np.cos(theta), 0], [0, 0, 1]])
    x = np.array([7e6, -1e6, 2e6])
    assert frames.to_ecef(x, theta) == pytest.approx(r3 @ x, abs=1e-8)


def test_the_velocity_is_the_derivative_of_the_position():
    state = np.array([6.6e6, 1e6, 2e6, -1000.0, 5000.0, 3000.0])
    theta, dt = 1.1, 1e-2
    ahead = frames.to_ecef(state[:3] + dt * state[3:], theta + frames.OMEGA_GMST * dt)
    behind = frames.to_ecef(state[:3] - dt * state[3:], theta - frames.OMEGA_GMST * dt)
    assert frames.to_ecef(state, theta)[3:] == pytest.approx((ahead - behind) / (2 * dt), abs=1e-5)


def test_what_rests_on_the_ground_moves_in_eci():
    ground = np.array([6378137.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert frames.to_eci(ground, 0.3)[3:] == pytest.approx(
        6378137.0 * frames.OMEGA_GMST * np.array([-math.sin(0.3), math.cos(0.3), 0.0])
    )


def test_rows_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(3)
    x, theta = rng.normal(size=(50, 6)) * 7e6, rng.uniform(0, 6, 50)
    together = frames.to_ecef(x, theta)
    assert all(np.array_equal(together[i], frames.to_ecef(x[i], theta[i])) for i in range(50))


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="found shape"):
        frames.to_ecef(np.zeros((4, 5)), 0.0)


# Vallado, Crawford, Hujsak, Kelso, AIAA 2006-6753, appendix C (and Vallado, Fundamentals, example 3-15): km, km/s
TEME = [5094.18016210, 6127.64465950, 6380.34453270, -4.746131487, 0.785818041, 5.531931288]
PEF = [-1033.47503120, 7901.30558560, 6380.34453270, -3.225632747, -2.872442511, 5.531931288]
ITRF = [-1033.47938300, 7901.29527540, 6380.35659580]


def test_the_published_conversion():
    unix_ns = parse_utc("2004-04-06T07:51:28.386009Z")
    x = frames.to_ecef(np.array(TEME) * 1e3, frames.gmst82(unix_ns, -0.4399619))
    # the example has UT1 to 0.1 us, GMST with it to 1e-11 rad; the digits of the answer are 0.1 mm
    assert x[:3] == pytest.approx(np.array(PEF[:3]) * 1e3, abs=0.01)
    assert x[3:] == pytest.approx(np.array(PEF[3:]) * 1e3, abs=1e-4)
    # what polar motion would add: (-0.14, 0.33) arcsec at 10,208 km
    assert np.linalg.norm(x[:3] - np.array(ITRF) * 1e3) == pytest.approx(16.5, abs=1.0)


def test_erfa_turns_the_same_way():
    generator = np.random.default_rng(5)
    for year in range(1980, 2040, 7):
        unix_ns = parse_utc(f"{year}-03-17T05:43:21Z")
        day, rest = divmod(unix_ns, 86_400_000_000_000)
        ut = (2440587.5 + day, rest / 86.4e12)
        # TEME to the true equinox by the equation of the equinoxes, then by apparent sidereal time, no polar motion
        turn = erfa.pom00(0.0, 0.0, 0.0) @ erfa.rz(erfa.gst94(*ut) - erfa.eqeq94(*ut), np.eye(3))
        x = generator.normal(size=(20, 3)) * 2e7
        ours = frames.to_ecef(x, frames.gmst82(unix_ns))
        assert np.abs(ours - x @ turn.T).max() < 0.01
