"""Flight with lift against closed forms, conservation, SciPy and its own symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from tocsin.dynamics import glide as g
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.kernels import climb_of, height_of
from tocsin.earth.atmosphere import density
from tocsin.earth.frames import OMEGA_GMST, to_ecef, to_eci
from tocsin.earth.geodesics import inverse
from tocsin.earth.gravity import gravity, potential
from tocsin.earth.wgs84 import MU, ecef_of, enu_axes

LEVEL = np.zeros((0, 2))
MODES = {"equilibrium": 0.0, "skip": 1.0}


def body(lift_to_drag=2.6, beta=13000.0, mode="equilibrium", pull_up=50.0, dive_speed=2200.0):
    return np.array([lift_to_drag, beta, MODES[mode], pull_up, dive_speed])


def entering(lat=10.0, lon=20.0, h=100e3, speed=6000.0, azimuth=0.0, angle=-4.0):
    """State in eci (theta0 = 0) of a flight over the ground; degrees."""
    lat, lon, azimuth, angle = (math.radians(v) for v in (lat, lon, azimuth, angle))
    east, north, up = enu_axes(lat, lon)
    level = math.sin(azimuth) * east + math.cos(azimuth) * north
    v = speed * (math.cos(angle) * level + math.sin(angle) * up)
    return to_eci(np.concatenate([ecef_of(lat, lon, h), v]), 0.0)


def fly(x, b, bank=LEVEL, dive_s=math.inf, until=g.DOWN, step=1.0):
    nodes, out = np.empty((60_000, 10)), np.empty(g.OUT)
    n = g.fly_glide(x, 0.0, 0.0, b, np.ascontiguousarray(bank, dtype=float), dive_s, until, step, nodes, out)
    assert n > 0
    return nodes[:n].copy(), out


def through_air(x):
    return np.array([x[3] + OMEGA_GMST * x[1], x[4] - OMEGA_GMST * x[0], x[5]])


@given(
    st.floats(25e3, 90e3), st.floats(1500, 7500), st.floats(-60, 60), st.floats(-70, 70),
    st.sampled_from([g.PULL_UP, g.GLIDE, g.DIVE]), st.floats(0, 360), st.sampled_from(["equilibrium", "skip"]),
)  # fmt: skip
@settings(max_examples=60)
def test_lift_is_normal_to_the_flow_and_drag_against_it(h, speed, angle, bank, phase, azimuth, mode):
    b = body(mode=mode)
    x = entering(h=h, speed=speed, angle=angle, azimuth=azimuth)
    f = g.glide_forces(*x, b, phase, math.radians(bank))
    aero = np.array(f[:3]) - gravity(*x[:3])
    u = through_air(x)
    along = aero @ u / np.linalg.norm(u)
    across = aero - along * u / np.linalg.norm(u)
    pressure = 0.5 * density(height_of(*x[:3])) * speed**2
    assert along == pytest.approx(-f[4], rel=1e-9, abs=1e-12)
    assert np.linalg.norm(across) == pytest.approx(abs(f[3]), rel=1e-9, abs=1e-10)
    assert f[3] == pytest.approx(pressure / b[1] * b[0] * f[7], rel=1e-9, abs=1e-12)  # the polar
    assert f[4] == pytest.approx(pressure / b[1] * 0.5 * (1.0 + f[7] ** 2), rel=1e-9)
    assert abs(f[3]) <= b[3] * (1.0 + 1e-12)
    assert f[5] == pytest.approx(math.radians(angle), abs=1e-4)


def test_lift_over_drag_is_greatest_where_it_is_said_to_be():
    f = g.glide_forces(*entering(h=50e3), body(mode="skip"), g.GLIDE, 0.0)
    assert f[3] / f[4] == pytest.approx(2.6, rel=1e-9)
    steep = g.glide_forces(*entering(h=60e3, angle=-10), body(), g.PULL_UP, 0.0)  # m near 2
    assert steep[7] > 1.9
    assert steep[3] / steep[4] == pytest.approx(2.6 * 2.0 / (1.0 / steep[7] + steep[7]), rel=1e-9)


def test_without_lift_it_is_the_ballistic_flight_of_twice_the_coefficient():
    x = entering(h=150e3, angle=-5.0, azimuth=70.0)
    _, out = fly(x, body(lift_to_drag=0.0, dive_speed=1.0))

    def right(_, s):
        a = np.array(gravity(*s[:3]))
        u = through_air(s)
        return [*s[3:], *(a - 0.5 * density(height_of(*s[:3])) * np.linalg.norm(u) / 26000.0 * u)]

    def ground(_, s):
        return height_of(*s[:3])

    ground.terminal = True
    r = solve_ivp(right, (0, 2000), x, "DOP853", rtol=1e-12, atol=1e-6, events=ground, max_step=5.0)
    there = to_ecef(r.y_events[0][0][:3], OMEGA_GMST * r.t_events[0][0])
    here = np.array(ecef_of(out[g.IMPACT_LAT], out[g.IMPACT_LON], 0.0))
    assert np.linalg.norm(here - there) < 1.0
    assert out[g.IMPACT_T] == pytest.approx(r.t_events[0][0], abs=1e-3)


@pytest.mark.parametrize("mode", ["equilibrium", "skip"])
def test_energy_goes_into_drag_and_nowhere_else(mode):
    b = body(mode=mode)
    nodes, _ = fly(entering(azimuth=50.0), b, bank=[[100.0, 0.5], [300.0, -0.7]], step=0.2)
    energy, power = [], []
    for row in nodes:
        x = row[1:7]
        u = through_air(x)
        # the energy that counts in axes turning with the Earth: with the potential of the centrifugal force
        energy.append(0.5 * u @ u + potential(*x[:3]) - 0.5 * OMEGA_GMST**2 * (x[0] ** 2 + x[1] ** 2))
        aero = row[7:10] - gravity(*x[:3])
        power.append(aero @ u)
    dt = np.diff(nodes[:, 0])
    work = np.concatenate([[0.0], np.cumsum(0.5 * dt * (np.array(power[1:]) + power[:-1]))])
    assert np.abs(np.array(energy) - energy[0] - work).max() < 1e-4 * abs(work[-1])
    assert max(power) <= 0.0


def test_the_glide_is_as_far_and_as_long_as_the_closed_forms_say():
    # northward over the pole the Earth's rotation adds least to the speed that carries it
    nodes, out = fly(entering(lat=55.0, azimuth=0.0, speed=6500.0), body())
    start = out[g.GLIDE_T] + 250.0  # the swinging of the pull-up is over
    rows = nodes[(nodes[:, 0] >= start) & (nodes[:, 0] <= out[g.DIVE_T])]
    speeds = [np.linalg.norm(through_air(r[1:7])) for r in (rows[0], rows[-1])]
    ground = np.array([to_ecef(r[1:4], OMEGA_GMST * r[0]) for r in rows])
    height = [height_of(*r[1:4]) for r in rows]
    radius = np.linalg.norm(ground, axis=1).mean()
    far = np.linalg.norm(np.diff(ground, axis=0), axis=1).sum()
    # energy, not speed, is what is spent: the height lost counts as speed
    spent = math.sqrt(speeds[0] ** 2 + 2.0 * 9.7 * (height[0] - height[-1]))
    assert far == pytest.approx(g.steady_range(spent, speeds[1], 2.6, radius), rel=0.02)
    assert rows[-1, 0] - rows[0, 0] == pytest.approx(g.steady_time(spent, speeds[1], 2.6, radius), rel=0.02)
    assert np.all(np.diff(height) <= 0.0)


def test_closed_forms_against_the_integral():
    v = np.linspace(2200.0, 6000.0, 20_001)
    r = 6.41e6
    slow = (MU / r**2 - v**2 / r) / 2.6
    assert g.steady_time(6000.0, 2200.0, 2.6, r) == pytest.approx(np.trapezoid(1.0 / slow, v), rel=1e-6)
    assert g.steady_range(6000.0, 2200.0, 2.6, r) == pytest.approx(np.trapezoid(v / slow, v), rel=1e-6)


def test_in_the_glide_lift_carries_what_the_speed_does_not():
    b = body()
    nodes, out = fly(entering(lat=30.0, azimuth=60.0, speed=6500.0), b, bank=[[0.0, 0.6]])
    checked = 0
    for row in nodes[(nodes[:, 0] > out[g.GLIDE_T] + 300.0) & (nodes[:, 0] < out[g.DIVE_T])][::40]:
        x = row[1:7]
        r = np.linalg.norm(x[:3])
        up = x[:3] @ x[3:] / r
        pull = MU / r**2 - (x[3:] @ x[3:] - up**2) / r
        f = g.glide_forces(*x, b, g.GLIDE, 0.6)
        assert f[3] * math.cos(0.6) == pytest.approx(pull, rel=0.03)
        assert f[7] == pytest.approx(1.0, abs=0.06)
        checked += 1
    assert checked > 5


def test_north_and_south_are_alike():
    # along the equator the plane of the equator is one of symmetry, also for a turning Earth
    b = body()
    bank = np.array([[50.0, 0.7], [400.0, -0.3]])
    _, right = fly(entering(lat=0.0, azimuth=90.0), b, bank=bank)
    _, left = fly(entering(lat=0.0, azimuth=90.0), b, bank=bank * [1.0, -1.0])
    assert right[g.IMPACT_LAT] < -math.radians(1.0)  # to the right of eastward is south
    assert left[g.IMPACT_LAT] == pytest.approx(-right[g.IMPACT_LAT], abs=1e-9)
    assert left[g.IMPACT_LON] == pytest.approx(right[g.IMPACT_LON], abs=1e-9)
    assert left[g.IMPACT_T] == pytest.approx(right[g.IMPACT_T], abs=1e-6)


@pytest.mark.parametrize("mode", ["equilibrium", "skip"])
def test_nodes_join_to_within_a_metre_and_steps_do_not_matter(mode):
    bank = [[60.0, 0.5], [200.0, 0.0]]
    x = entering(azimuth=120.0, angle=-5.0, speed=6200.0)
    nodes, out = fly(x, body(mode=mode), bank=bank)
    fine, fine_out = fly(x, body(mode=mode), bank=bank, step=0.1)
    coarse, reference = Ephemeris([0], [nodes]), Ephemeris([0], [fine])
    t = np.arange(0, int(min(out[g.IMPACT_T], fine_out[g.IMPACT_T]) * 1e9), 370_000_000)
    off = np.linalg.norm(coarse.states(0, t)[:, :3] - reference.states(0, t)[:, :3], axis=1)
    assert off.max() < 1.0
    assert len(nodes) < 3000
    far = inverse(out[g.IMPACT_LAT], out[g.IMPACT_LON], fine_out[g.IMPACT_LAT], fine_out[g.IMPACT_LON])[0]
    assert far < 1.0


def test_acceleration_stands_twice_where_it_jumps():
    nodes, out = fly(entering(), body(), bank=[[100.0, 0.5]])
    twice = nodes[:-1][np.diff(nodes[:, 0]) == 0.0, 0]
    assert np.abs(twice - (out[g.GLIDE_T] + 100.0)).min() < 1e-6
    assert np.abs(twice - out[g.DIVE_T]).min() < 1e-6
    assert np.all(np.diff(nodes[:, 0]) >= 0.0)


def test_skip_swings_and_equilibrium_does_not():
    def climbs(mode):
        nodes, out = fly(entering(angle=-5.0), body(mode=mode))
        rates = [climb_of(*r[1:7]) for r in nodes if out[g.GLIDE_T] + 200.0 < r[0] < out[g.DIVE_T]]
        return np.count_nonzero(np.diff(np.sign(rates)) > 0)

    assert climbs("skip") >= 4
    assert climbs("equilibrium") == 0


@given(st.floats(10, 80), st.floats(3500, 7000), st.floats(-6, -2))
@settings(max_examples=15)
def test_lift_stays_under_its_limit(pull_up, speed, angle):
    _, out = fly(entering(speed=speed, angle=angle), body(pull_up=pull_up))
    assert 0.0 < out[g.PEAK_LIFT] <= pull_up * (1.0 + 1e-12)


def test_events_are_where_they_are_said_to_be():
    nodes, out = fly(entering(h=130e3), body(), dive_s=200.0)
    at = Ephemeris([0], [nodes])

    def state(t):
        return at.states(0, round(t * 1e9))[0]

    entry, dive, last = state(out[g.ENTRY_T]), state(out[g.DIVE_T]), nodes[-1, 1:7]
    assert height_of(*entry[:3]) == pytest.approx(100e3, abs=0.01)
    assert np.linalg.norm(through_air(entry)) == pytest.approx(out[g.ENTRY_SPEED], abs=1e-3)
    assert out[g.DIVE_T] - out[g.GLIDE_T] == pytest.approx(200.0, abs=1e-9)
    assert height_of(*dive[:3]) == pytest.approx(out[g.DIVE_HEIGHT], abs=0.01)
    assert height_of(*last[:3]) == pytest.approx(0.0, abs=1e-3)
    assert out[g.IMPACT_ANGLE] < math.radians(-20.0)
    assert out[g.ENTRY_T] < out[g.LIFT_T] < out[g.GLIDE_T] < out[g.DIVE_T] < out[g.IMPACT_T]


def test_it_dives_when_it_is_too_slow_and_stops_where_asked():
    _, out = fly(entering(), body(dive_speed=3000.0))
    assert out[g.DIVE_SPEED] == pytest.approx(3000.0, abs=1e-4)
    nodes, out = fly(entering(h=130e3), body(), until=g.PULL_UP)
    assert nodes[-1, 0] == out[g.ENTRY_T]
    assert math.isnan(out[g.GLIDE_T])
    assert out[g.HIT] == 0.0


def test_a_weak_pull_up_ends_in_the_ground():
    _, out = fly(entering(angle=-25.0), body(pull_up=5.0))
    assert out[g.HIT] == 1.0
    assert math.isnan(out[g.GLIDE_T])


def test_no_room_no_number_and_no_end():
    x = entering()
    out = np.empty(g.OUT)
    assert g.fly_glide(x, 0.0, 0.0, body(), LEVEL, math.inf, g.DOWN, 1.0, np.empty((20, 10)), out) == -1
    x[2] = np.nan
    assert g.fly_glide(x, 0.0, 0.0, body(), LEVEL, math.inf, g.DOWN, 1.0, np.empty((20, 10)), out) == 0
    assert out[g.HIT] == 0.0
    away = entering(h=300e3, speed=12000.0, angle=60.0)
    g.fly_glide(away, 0.0, 0.0, body(), LEVEL, math.inf, g.DOWN, 1.0, np.empty((0, 10)), out)
    assert out[g.HIT] == 0.0
