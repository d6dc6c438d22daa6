"""The precise propagator against closed forms, SciPy's DOP853 with a right-hand side of its own, and conservation."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.integrate._ivp import dop853_coefficients as published

from tocsin.dynamics import dop853
from tocsin.dynamics import kernels as k
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.precise import FreeBody, NotFinite, carry, carry_many, descend, upright
from tocsin.earth import gravity, wgs84
from tocsin.earth.atmosphere import density, speed_of_sound
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import ecef_to_geodetic

DAY_TURN = np.array([0.0, 0.0, OMEGA_GMST])
TABLE = ((0.5, 0.6), (0.9, 0.8), (1.2, 1.6), (3.0, 1.2), (8.0, 1.0))


def burnout(lat=0.7, lon=2.0, h=100e3, speed=4600.0, climb_deg=40.0, heading_deg=70.0):
    place = wgs84.geodetic_to_ecef([lat, lon, h])
    climb, heading = np.radians([climb_deg, heading_deg])
    enu = np.array([math.cos(climb) * math.sin(heading), math.cos(climb) * math.cos(heading), math.sin(climb)])
    return np.concatenate([place, speed * enu @ wgs84.enu_axes(lat, lon)])


def acceleration(state, body):
    """The same physics in vectors, as a textbook writes it, with full geodetic conversion."""
    r, v = state[:3], state[3:]
    a = np.array(gravity.zonal_gravity(*r, body.degree))
    if body.beta > 0.0:
        lat, lon, h = (float(x) for x in ecef_to_geodetic(r))
        wind = v - np.cross(DAY_TURN, r)
        speed = np.linalg.norm(wind)
        factor = 1.0
        if body.drag_mach:
            factor = np.interp(speed / speed_of_sound(h), *np.array(body.drag_mach).T)
        drag = 0.5 * density(h) / body.beta * speed**2 * factor
        a = a - drag * wind / speed
        if body.lift:
            along = wind / speed
            up = wgs84.enu_axes(lat, lon)[2]
            level = up - (up @ along) * along
            level = level / np.linalg.norm(level)
            a = a + body.lift * drag * (math.cos(body.bank) * level + math.sin(body.bank) * np.cross(along, level))
    return a


def reference(state, duration, body):
    return solve_ivp(
        lambda _, s: np.concatenate([s[3:], acceleration(s, body)]), (0.0, duration), state, "DOP853",
        rtol=3e-13, atol=1e-7, max_step=3.0,
    ).y[:, -1]  # fmt: skip


def test_the_tableau_is_the_published_one_and_of_order_eight():
    assert np.array_equal(dop853.A, published.A[:12, :12])
    assert np.array_equal(dop853.B, published.B)
    assert np.array_equal(dop853.E5, published.E5[:12])
    assert np.array_equal(dop853.E3, published.E3[:12])
    c = dop853.A.sum(axis=1)
    for power in range(8):
        assert dop853.B @ c**power == pytest.approx(1.0 / (power + 1), abs=1e-13)
    assert abs(dop853.E5.sum()) < 1e-13
    assert abs(dop853.E3.sum()) < 1e-13


BODIES = [
    (burnout(h=60e3, speed=3000.0, climb_deg=-25.0), 60.0, FreeBody(4000.0)),
    (burnout(h=60e3, speed=3000.0, climb_deg=-25.0), 80.0, FreeBody(500.0, TABLE)),
    (burnout(h=75e3, speed=6500.0, climb_deg=-4.0), 150.0, FreeBody(2000.0, (), 4, 1.5, 0.5)),
    (burnout(h=30e3, speed=1200.0, climb_deg=50.0), 220.0, FreeBody(1500.0, TABLE, 4)),
]


@pytest.mark.parametrize(("state", "duration", "body"), BODIES)
def test_within_two_centimetres_of_scipy(state, duration, body):
    there = carry(state, 0.0, duration, body)
    ref = reference(state, duration, body)
    assert np.linalg.norm(there[:3] - ref[:3]) < 0.02
    assert np.linalg.norm(there[3:] - ref[3:]) < 0.001


def test_over_the_equator_it_is_keplers_closed_form():
    """There heights are radii less the Earth's: times of apogee and impact to a microsecond, place to a millimetre."""
    r, rate, across, theta0, t0 = wgs84.A + 150e3, 3900.0, 5200.0, 0.4, 77.0
    a = 1.0 / (2.0 / r - (rate**2 + across**2) / wgs84.MU)
    ec, es = 1.0 - r / a, r * rate / math.sqrt(wgs84.MU * a)
    e, n = math.hypot(ec, es), math.sqrt(wgs84.MU / a**3)
    began, down = math.atan2(es, ec), 2.0 * math.pi - math.acos((1.0 - wgs84.A / a) / e)
    top_s = (math.pi - began + es) / n
    impact_s = (down - e * math.sin(down) - began + es) / n
    true = [2.0 * math.atan(math.sqrt((1 + e) / (1 - e)) * math.tan(v / 2)) % (2 * math.pi) for v in (began, down)]
    d = descend([r, 0.0, 0.0, rate, across, 0.0], t0, theta0, FreeBody(0.0, degree=0))
    assert d.hit
    assert d.apogee_s - t0 == pytest.approx(top_s, abs=1e-6)
    assert d.apogee == pytest.approx(a * (1.0 + e) - wgs84.A, abs=1e-3)
    assert d.impact_s - t0 == pytest.approx(impact_s, abs=1e-6)
    turned = true[1] - true[0] - theta0 - OMEGA_GMST * (t0 + impact_s)
    assert math.remainder(d.lon - turned, 2 * math.pi) * wgs84.A == pytest.approx(0.0, abs=1e-3)
    assert d.lat == pytest.approx(0.0, abs=1e-12)
    speed = math.sqrt(wgs84.MU * (2.0 / wgs84.A - 1.0 / a))
    spin = r * across - OMEGA_GMST * wgs84.A**2
    assert d.impact_speed == pytest.approx(math.sqrt(speed**2 - (r * across / wgs84.A) ** 2 + (spin / wgs84.A) ** 2))


@settings(max_examples=25)
@given(
    st.sampled_from([0, 2, 3, 4]), st.floats(1e5, 6e5), st.floats(2000.0, 7500.0), st.floats(5.0, 85.0),
    st.floats(-1.5, 1.5), st.floats(0.0, 360.0),
)  # fmt: skip
def test_energy_and_polar_angular_momentum_are_kept_to_the_ground(degree, h, speed, climb_deg, lat, heading_deg):
    state = burnout(lat, 1.0, h, speed, climb_deg, heading_deg)
    d = descend(state, 0.0, 0.0, FreeBody(0.0, degree=degree))
    end = d.nodes[-1, 1:7]

    def energy(s):
        return 0.5 * s[3:] @ s[3:] + gravity.zonal_potential(*s[:3], degree)

    assert energy(end) == pytest.approx(energy(state), rel=1e-9)
    size = np.linalg.norm(np.cross(state[:3], state[3:]))
    assert np.cross(end[:3], end[3:])[2] == pytest.approx(np.cross(state[:3], state[3:])[2], abs=1e-9 * size)


@settings(max_examples=25)
@given(st.floats(6e4, 2.5e5), st.floats(1500.0, 7000.0), st.floats(15.0, 75.0), st.floats(-1.4, 1.4),
       st.floats(400.0, 15_000.0))  # fmt: skip
def test_fast_and_precise_agree_and_events_are_where_they_say(h, speed, climb_deg, lat, beta):
    state = burnout(lat, -1.0, h, speed, climb_deg)
    d = descend(state, 30.0, 0.2, FreeBody(beta))
    fast = np.empty(7)
    k.fall(state, 30.0, 0.2, beta, fast)
    assert d.hit
    assert fast[0] == 1.0
    assert fast[1] == pytest.approx(d.impact_s, abs=0.005)
    assert abs(fast[2] - d.lat) * wgs84.A < 2.0
    assert abs(math.remainder(fast[3] - d.lon, 2 * math.pi)) * math.cos(d.lat) * wgs84.A < 2.0
    assert fast[4] == pytest.approx(d.apogee, abs=0.5)
    times = d.nodes[:, 0]
    assert (np.diff(times) > 0.0).all()
    assert (times[0], times[-1]) == (30.0, d.impact_s)
    # nodes stand at the events, to a microsecond of the climb
    for when, height in ((d.entry_s, 100e3), (d.impact_s, 0.0), (d.apogee_s, d.apogee)):
        if not math.isnan(when):
            node = d.nodes[np.argmin(np.abs(times - when))]
            assert node[0] == when
            up = upright(*node[1:4])
            assert up[0] == pytest.approx(height, abs=0.01 if height == d.apogee else 2e-5)
    top = d.nodes[np.argmin(np.abs(times - d.apogee_s)), 1:7]
    assert abs(np.array(upright(*top[:3])[1:]) @ top[3:]) < 1e-5
    assert d.apogee_s < d.impact_s
    if d.apogee > 100e3:
        assert d.apogee_s < d.entry_s < d.impact_s
        node = d.nodes[np.argmin(np.abs(times - d.entry_s)), 1:7]
        wind = node[3:] - np.cross(DAY_TURN, node[:3])
        assert d.entry_speed == pytest.approx(np.linalg.norm(wind), rel=1e-12)
        assert d.entry_angle == pytest.approx(math.asin(upright(*node[:3])[1:] @ wind / np.linalg.norm(wind)))
        assert d.entry_angle < 0.0


@pytest.mark.parametrize(("beta", "speed"), [(300.0, 3000.0), (3000.0, 4600.0), (12_000.0, 7000.0)])
def test_few_nodes_and_the_ephemeris_between_them_within_a_decimetre(beta, speed):
    body = FreeBody(beta)
    state = burnout(speed=speed, climb_deg=35.0)
    d = descend(state, 0.0, 0.0, body)
    assert len(d.nodes) < 120
    table = Ephemeris([0], [d.nodes])
    middles = [int(0.5e9 * (a + b)) for a, b in pairwise(d.nodes[:, 0])]
    for t in middles:
        there = carry(state, 0.0, t / 1e9, body)
        assert np.linalg.norm(table.states(0, t)[0, :3] - there[:3]) < 0.1
    worst = max(np.linalg.norm(acceleration(row[1:7], body) - row[7:]) for row in d.nodes)
    assert worst < 0.01  # but for the seam at 86 km, where the standard itself jumps by a part in 4e4


def test_forth_and_back():
    for state, duration, body in BODIES:
        there = carry(state, 5.0, 5.0 + 0.5 * duration, body)
        assert carry(there, 5.0 + 0.5 * duration, 5.0, body) == pytest.approx(state, abs=2e-3)
    assert np.array_equal(carry(burnout(), 3.0, 3.0, FreeBody(100.0)), burnout())


def test_many_are_each_for_itself():
    x = np.stack([burnout(h=h) for h in (5e4, 9e4, 3e5)])
    beta, t1 = [500.0, 3000.0, 0.0], [20.0, 400.0, -30.0]
    many = carry_many(x, 0.0, t1, beta, TABLE, 4)
    for i in range(3):
        assert np.array_equal(many[i], carry(x[i], 0.0, t1[i], FreeBody(beta[i], TABLE, 4)))
    assert carry_many(np.empty((0, 6)), 0.0, 1.0, 0.0).shape == (0, 6)


def test_a_constant_table_is_a_factor_on_the_drag():
    state = burnout(h=50e3, climb_deg=-30.0)
    with_table = carry(state, 0.0, 25.0, FreeBody(2000.0, ((0.0, 2.0), (5.0, 2.0))))
    assert with_table == pytest.approx(carry(state, 0.0, 25.0, FreeBody(1000.0)), abs=1e-3)


def test_lift_turns_the_flight_and_does_no_work():
    state = burnout(0.0, 0.0, 50e3, 6000.0, -2.0, 90.0)
    flown = {b: carry(state, 0.0, 20.0, FreeBody(3000.0, (), 2, 2.0, b)) for b in (0.0, 0.4, -0.4, math.pi)}
    none = carry(state, 0.0, 20.0, FreeBody(3000.0))
    assert upright(*flown[0.0][:3])[0] > upright(*none[:3])[0] > upright(*flown[math.pi][:3])[0]
    # along the equator east: a bank to the right leads south, and the two banks are mirror images
    assert flown[0.4][2] < -10.0
    assert flown[0.4] * np.array([1, 1, -1, 1, 1, -1]) == pytest.approx(flown[-0.4], abs=1e-4)
    # what lift does is normal to the velocity through the air
    lifting, plain = (acceleration(state, FreeBody(3000.0, (), 2, lift, 0.7)) for lift in (2.0, 0.0))
    node = descend(state, 0.0, 0.0, FreeBody(3000.0, (), 2, 2.0, 0.7), 1.0).nodes[0]
    assert node[7:] == pytest.approx(lifting, abs=1e-8)
    wind = state[3:] - np.cross(DAY_TURN, state[:3])
    assert (node[7:] - plain) @ wind / np.linalg.norm(wind) == pytest.approx(0.0, abs=1e-8)


def test_what_does_not_come_down():
    circular = math.sqrt(wgs84.MU / (wgs84.A + 500e3))
    orbit = descend(burnout(0.0, 0.0, 500e3, circular, 0.0), 10.0, 0.0, FreeBody(500.0), 7200.0)
    assert not orbit.hit
    assert orbit.nodes[-1, 0] == 7210.0
    assert all(math.isnan(v) for v in (orbit.impact_s, orbit.lat, orbit.lon, orbit.impact_speed, orbit.entry_s))
    away = descend(burnout(speed=12_000.0, climb_deg=80.0), 0.0, 0.0, FreeBody(500.0))
    assert not away.hit
    assert math.isnan(away.apogee)
    assert np.linalg.norm(away.nodes[-1, 1:4]) > 1e8


def test_under_the_ellipsoid_and_at_once():
    sinking = descend(burnout(h=-50.0, speed=500.0, climb_deg=-30.0), 3.0, 0.0, FreeBody(1000.0))
    assert sinking.hit
    assert sinking.impact_s == 3.0
    assert len(sinking.nodes) == 1
    rising = descend(burnout(h=-50.0, speed=800.0, climb_deg=60.0), 3.0, 0.0, FreeBody(1000.0))
    assert rising.hit
    assert rising.apogee > 1000.0
    falling = descend(burnout(h=90e3, climb_deg=-10.0), 4.0, 0.0, FreeBody(1000.0))
    assert falling.apogee == pytest.approx(90e3, abs=1e-6)
    assert falling.apogee_s == 4.0
    assert math.isnan(falling.entry_s)  # it begins under that height


def test_what_is_very_light_flutters_down_at_its_terminal_speed():
    d = descend(burnout(h=40e3, speed=800.0, climb_deg=0.0), 0.0, 0.0, FreeBody(5.0))
    assert d.hit
    assert d.impact_speed == pytest.approx(math.sqrt(2 * 5.0 * 9.80 / density(0.0)), rel=0.01)


def test_the_entry_height_may_be_another():
    d = descend(burnout(speed=4000.0), 0.0, 0.0, FreeBody(3000.0), entry_height=86_000.0)
    node = d.nodes[np.argmin(np.abs(d.nodes[:, 0] - d.entry_s))]
    assert upright(*node[1:4])[0] == pytest.approx(86e3, abs=1e-4)


GOOD = burnout()
NAN = np.full(6, np.nan)
REFUSED = [
    (lambda: descend(NAN, 0.0, 0.0, FreeBody(1.0)), "state 0 must be finite numbers"),
    (lambda: carry_many(np.stack([GOOD, NAN]), 0.0, 1.0, 1.0), "state 1 must be finite numbers"),
    (lambda: carry_many(np.stack([GOOD, GOOD]), 0.0, 1.0, [1.0, np.nan]), "beta of state 1 must be a finite number"),
    (lambda: carry_many(np.stack([GOOD, GOOD]), 0.0, [np.inf, 1.0], 1.0), "t1_s of state 0 must be a finite number"),
    (lambda: descend(GOOD, np.nan, 0.0, FreeBody(1.0)), "times must be finite numbers, found nan"),
    (lambda: carry(GOOD, 0.0, np.inf, FreeBody(1.0)), "times must be finite numbers, found inf"),
    (lambda: descend(GOOD[:5], 0.0, 0.0, FreeBody(1.0)), r"states of 6 numbers, found shape \(5,\)"),
    (lambda: descend(GOOD, 0.0, 0.0, FreeBody(1.0), -1.0), "longest_s must not be negative, found -1"),
    (lambda: descend(GOOD, 0.0, 0.0, FreeBody(1.0), tolerance=0.1), "tolerance must lie between 1e-14 and 1e-4"),
    (lambda: descend(GOOD * 1e-3, 0.0, 0.0, FreeBody(1.0)), "6 km from the Earth's centre, at least 6,000"),
    (lambda: descend(GOOD * [1, 1, 1, 99, 99, 99], 0.0, 0.0, FreeBody(1.0)), "moves at 455 km/s, at most 100"),
    (lambda: FreeBody(math.nan), "beta must be a finite number, found nan"),
    (lambda: FreeBody(1.0, lift=math.inf), "lift must be a finite number, found inf"),
    (lambda: FreeBody(1.0, bank=math.nan), "bank must be a finite number"),
    (lambda: FreeBody(1.0, degree=5), "degree must be 0, 2, 3 or 4, found 5"),
    (lambda: FreeBody(1.0, ((0.5, 1.0), (0.5, 2.0))), r"drag_mach\[1\]: Mach numbers must rise, found 0.5 after 0.5"),
    (lambda: FreeBody(1.0, ((0.5, -1.0),)), r"drag_mach\[0\] must be a Mach number and a factor, both >= 0"),
    (lambda: FreeBody(1.0, ((math.nan, 1.0),)), r"drag_mach\[0\] must be a Mach number"),
    # backwards out of a fall at terminal speed, no flight is left to find
    (
        lambda: carry(burnout(h=1e3, speed=30.0, climb_deg=-89.0), 0.0, -4000.0, FreeBody(30.0)),
        "more than 400000 steps",
    ),
]


@pytest.mark.parametrize(("call", "text"), REFUSED)
def test_what_cannot_be_flown_is_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
    assert issubclass(NotFinite, ValueError)
