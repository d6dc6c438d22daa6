"""Free flight against DOP853 with an independent right-hand side, Kepler's closed forms and conservation laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from tocsin.dynamics import kernels as k
from tocsin.dynamics.coast import impacts, propagate
from tocsin.earth import geodesics, gravity, wgs84
from tocsin.earth.atmosphere import density
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic

METRE = 1.0
DAY_TURN = np.array([0.0, 0.0, OMEGA_GMST])


def acceleration(state, beta):
    """The same physics, written as the textbook writes it (Vallado, eq. 8-28 and 8-30), with geodetic heights."""
    r, v = state[:3], state[3:]
    d = np.linalg.norm(r)
    j2 = 1.5 * wgs84.J2 * wgs84.MU * wgs84.A**2 / d**5
    zz = 5.0 * (r[2] / d) ** 2
    a = -wgs84.MU * r / d**3 - j2 * r * (np.array([1.0, 1.0, 3.0]) - zz)
    if beta > 0.0:
        wind = v - np.cross(DAY_TURN, r)
        a = a - 0.5 * density(float(ecef_to_geodetic(r)[2])) / beta * np.linalg.norm(wind) * wind
    return a


def reference(state, duration, beta, events=None):
    return solve_ivp(
        lambda t, s: np.concatenate([s[3:], acceleration(s, beta)]),
        (0.0, duration), state, "DOP853", rtol=1e-11, atol=1e-6, events=events, max_step=20.0 if beta <= 0 else 4.0,
    )  # fmt: skip


def burnout(lat=0.7, lon=2.0, h=100e3, speed=4600.0, climb_deg=40.0, heading_deg=70.0):
    """A state like those at the end of boost, speed in eci."""
    place = wgs84.geodetic_to_ecef([lat, lon, h])
    climb, heading = np.radians([climb_deg, heading_deg])
    enu = np.array([math.cos(climb) * math.sin(heading), math.cos(climb) * math.cos(heading), math.sin(climb)])
    return np.concatenate([place, speed * enu @ wgs84.enu_axes(lat, lon)])


FLIGHTS = [
    (burnout(), 5000.0),
    (burnout(), 300.0),
    (burnout(speed=7000.0, climb_deg=22.0, heading_deg=-20.0), 10_000.0),
    (burnout(speed=4600.0, climb_deg=85.0), 1500.0),
    (burnout(speed=1500.0, climb_deg=50.0, h=30e3), 3000.0),
]


@pytest.mark.parametrize(("state", "beta"), FLIGHTS)
def test_to_the_ground_within_a_metre_of_dop853(state, beta):
    def ground(t, s):
        return float(ecef_to_geodetic(s[:3])[2])

    ground.terminal, ground.direction = True, -1.0
    ref = reference(state, 4000.0, beta, events=ground)
    there = np.empty(6)
    k.coast_to(state, 0.0, ref.t[-1], 0.0, beta, there)
    assert np.linalg.norm(there[:3] - ref.y[:3, -1]) < METRE
    out = np.empty(7)
    k.fall(state, 0.0, 0.3, beta, out)
    lat, lon, h = ecef_to_geodetic(to_ecef(ref.y[:3, -1], 0.3 + OMEGA_GMST * ref.t[-1]))
    assert abs(h) < METRE
    assert out[0] == 1.0
    assert out[1] == pytest.approx(ref.t[-1], abs=0.01)
    assert geodesics.inverse(lat, lon, out[2], out[3])[0] < METRE
    heights = ecef_to_geodetic(np.ascontiguousarray(ref.y[:3].T))[:, 2]
    assert heights.max() - 0.01 < out[4] < heights.max() + 250.0  # the reference's steps miss the very top
    assert ref.y[:, -1] @ ref.y[:, -1] > 0.0


@pytest.mark.parametrize(("state", "beta"), [(burnout(), 0.0), (burnout(speed=7300.0), 0.0), (burnout(), 5000.0)])
def test_half_an_hour_either_way(state, beta):
    duration = 1800.0 if beta == 0.0 else 300.0
    ref = reference(state, duration, beta)
    there = propagate(state[None], 0, int(duration * 1e9), 0.0, beta)[0]
    assert np.linalg.norm(there[:3] - ref.y[:3, -1]) < METRE
    assert np.linalg.norm(there[3:] - ref.y[3:, -1]) < 1e-3
    back = propagate(there[None], int(duration * 1e9), 0, 0.0, beta)[0]
    assert np.linalg.norm(back[:3] - state[:3]) < METRE


def test_energy_and_polar_angular_momentum_stay():
    state = burnout(speed=7200.0, climb_deg=25.0, heading_deg=30.0)

    def energy(s):
        return 0.5 * s[3:] @ s[3:] + gravity.potential(*s[:3])

    there = propagate(state[None], 0, 2_000_000_000_000, 0.0)[0]
    assert energy(there) == pytest.approx(energy(state), rel=1e-8)
    assert np.cross(there[:3], there[3:])[2] == pytest.approx(np.cross(state[:3], state[3:])[2], rel=1e-8)


def test_drag_only_takes_energy_from_what_moves_through_the_air():
    state = burnout(h=60e3, climb_deg=0.0)
    there = propagate(state[None], 0, 5_000_000_000, 0.0, [1000.0])[0]
    free = propagate(state[None], 0, 5_000_000_000, 0.0, [0.0])[0]
    assert np.linalg.norm(there[3:]) < np.linalg.norm(free[3:]) - 10.0
    # what rests in the turning air feels no drag: only gravity acts
    place = wgs84.geodetic_to_ecef([0.5, 1.0, 1000.0])
    still = np.concatenate([place, np.cross(DAY_TURN, place)])
    assert k.free_acceleration(*still, 10.0) == pytest.approx(gravity.gravity(*place), abs=1e-9)


# range km: burnout km/s, apogee km, minutes: impulsive minimum-energy arcs on a sphere of 6,371 km
MINIMUM_ENERGY = [(300, 1.70, 74, 4.2), (600, 2.37, 146, 6.0), (1000, 3.02, 240, 7.9), (2000, 4.11, 459, 11.7),
                  (3000, 4.86, 655, 14.9), (5500, 6.08, 1041, 21.9), (8000, 6.80, 1264, 28.0),
                  (10000, 7.20, 1319, 32.2), (12000, 7.48, 1265, 35.7)]  # fmt: skip


@pytest.mark.parametrize(("range_km", "speed_km_s", "apogee_km", "minutes"), MINIMUM_ENERGY)
def test_minimum_energy_arcs(range_km, speed_km_s, apogee_km, minutes):
    """Kepler's closed form gives the published table; the flight over the flattened Earth stays within 1 % of it."""
    radius = 6371e3
    arc = range_km * 1e3 / radius
    s = math.sin(arc / 2)
    speed = math.sqrt(wgs84.MU / radius * 2 * s / (1 + s))
    climb = (math.pi - arc) / 4
    assert speed / 1e3 == pytest.approx(speed_km_s, abs=0.006)
    a = radius * (1 + s) / 2
    e = math.sqrt(1 - (speed * radius * math.cos(climb)) ** 2 / (wgs84.MU * a))
    assert (a * (1 + e) - radius) / 1e3 == pytest.approx(apogee_km, abs=1.0)
    # along the parallel of 35 degrees the Earth's radius is the mean one; the speed is inertial
    out = np.empty(7)
    k.fall(burnout(0.615, 0.0, 0.1, speed, math.degrees(climb), 90.0), 0.0, 0.0, 0.0, out)
    inertial = geodesics.inverse(0.615, 0.0, out[2], out[3] + OMEGA_GMST * out[1])[0]
    assert inertial / 1e3 == pytest.approx(range_km, rel=0.02)
    assert out[1] / 60 == pytest.approx(minutes, rel=0.02)
    assert out[4] / 1e3 == pytest.approx(apogee_km, rel=0.02)


def test_a_short_drop():
    """From 1 km, at rest over the ground at the pole, without drag: t = sqrt(2 h / g) to first order in h / R."""
    state = np.array([0.0, 0.0, wgs84.B + 1000.0, 0.0, 0.0, 0.0])
    g = -gravity.gravity(0.0, 0.0, wgs84.B + 500.0)[2]
    out = np.empty(7)
    k.fall(state, 7.0, 0.0, 0.0, out)
    assert out[1] - 7.0 == pytest.approx(math.sqrt(2000.0 / g), rel=1e-4)
    assert out[6] == pytest.approx(math.sqrt(2000.0 * g), rel=1e-4)
    assert out[4] == pytest.approx(1000.0, abs=1e-3)
    assert out[5] == 7.0


def test_what_is_light_lands_at_its_terminal_speed():
    beta = 30.0
    out = np.empty(7)
    k.fall(burnout(h=20e3, speed=300.0, climb_deg=0.0), 0.0, 0.0, beta, out)
    assert out[6] == pytest.approx(math.sqrt(2 * beta * 9.80 / density(0.0)), rel=0.01)


def test_what_does_not_come_down():
    out = np.empty(7)
    circular = math.sqrt(wgs84.MU / (wgs84.A + 500e3))
    for state in (
        burnout(0.0, 0.0, 500e3, circular, 0.0),
        burnout(speed=11_500.0, climb_deg=60.0),
        np.full(6, np.nan),
    ):
        k.fall(state, 0.0, 0.0, 1000.0, out)
        assert out[0] == 0.0
        assert np.isnan(out[1:]).all()


def test_under_the_ellipsoid():
    out = np.empty(7)
    k.fall(burnout(h=-50.0, speed=500.0, climb_deg=-30.0), 3.0, 0.0, 1000.0, out)
    assert (out[0], out[1]) == (1.0, 3.0)
    k.fall(burnout(h=-50.0, speed=800.0, climb_deg=60.0), 3.0, 0.0, 1000.0, out)
    assert out[0] == 1.0
    assert out[4] > 1000.0


@given(
    st.floats(60e3, 200e3), st.floats(2500.0, 6800.0), st.floats(20.0, 80.0), st.floats(-1.5, 1.5), st.floats(0.1, 0.95)
)
def test_back_to_where_it_rose(height, speed, climb_deg, lat, part):
    start = burnout(lat, 1.0, height, speed, climb_deg)
    out = np.empty(7)
    k.fall(start, 100.0, 0.0, 0.0, out)
    t = 100.0 + part * (out[1] - 100.0)
    later = np.empty(6)
    k.coast_to(start, 100.0, t, 0.0, 0.0, later)
    back = np.empty(8)
    k.back_to_height(later, t, 0.0, height, back)
    assert back[0] == 1.0
    assert back[1] == pytest.approx(100.0, abs=0.02)
    # heights along the radius and along the normal differ by a metre or two here
    assert np.linalg.norm(back[2:5] - start[:3]) < 100.0
    assert k.climb_of(*back[2:]) > 0.0


def test_no_way_back():
    back = np.empty(8)
    for state, height in (
        (burnout(h=90e3, climb_deg=40.0), 100e3),  # still rising under it
        (burnout(h=90e3, climb_deg=-40.0, speed=500.0), 200e3),  # never was that high
        (burnout(h=700e3, climb_deg=0.0, speed=7600.0), 100e3),  # an orbit
    ):
        k.back_to_height(state, 0.0, 0.0, height, back)
        assert back[0] == 0.0
        assert np.isnan(back[1:]).all()


@pytest.mark.parametrize("duration", [1.0, 10.0, 600.0, -400.0])
def test_the_transition_matrix(duration):
    state = burnout(speed=6000.0)
    there, phi = np.empty(6), np.empty((6, 6))
    k.coast_to_stm(state, 50.0, 50.0 + duration, 0.0, there, phi)
    same = np.empty(6)
    k.coast_to(state, 50.0, 50.0 + duration, 0.0, 0.0, same)
    assert there == pytest.approx(same, rel=1e-12)
    ends = np.empty((6, 6))
    for j, h in enumerate([100.0] * 3 + [0.1] * 3):
        moved = np.tile(state, (2, 1))
        moved[0, j] += h
        moved[1, j] -= h
        moved = propagate(moved, 0, int(duration * 1e9), 0.0)
        ends[:, j] = (moved[0] - moved[1]) / (2 * h)
    assert phi == pytest.approx(ends, rel=1e-5, abs=2e-7 * np.abs(ends).max())
    symplectic = np.block([[np.zeros((3, 3)), np.eye(3)], [-np.eye(3), np.zeros((3, 3))]])
    assert phi.T @ symplectic @ phi == pytest.approx(symplectic, abs=1e-6)


def test_results_vary_smoothly():
    """Estimators take differences: over a metre of the start, the impact moves in a straight line."""
    out = np.empty((21, 7))
    for i in range(21):
        k.fall(burnout() + np.array([0.05 * i, 0, 0, 0, 0, 0]), 0.0, 0.0, 3000.0, out[i])
    for column, tolerance in ((1, 1e-6), (2, 1e-9), (3, 1e-9), (4, 1e-2)):
        line = np.polynomial.Polynomial.fit(np.arange(21), out[:, column], 1)
        assert np.abs(line(np.arange(21)) - out[:, column]).max() < tolerance


def test_rows_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(5)
    x = np.stack([burnout(h=float(h)) for h in rng.uniform(8e4, 3e5, 8)])
    beta = rng.uniform(500, 5000, 8)
    moved, down = propagate(x, 0, 10**11, 0.0, beta), impacts(x, np.arange(8) * 10**9, 0.4, beta)
    for i in range(8):
        assert np.array_equal(propagate(x[i : i + 1], 0, 10**11, 0.0, beta[i])[0], moved[i])
        alone = impacts(x[i : i + 1], i * 10**9, 0.4, beta[i])
        assert (alone.t_ns[0], alone.lat[0], alone.apogee[0]) == (down.t_ns[i], down.lat[i], down.apogee[i])
    assert down.hit.all()
    assert (down.t_ns > down.apogee_t_ns).all()


def test_array_forms_take_read_only_input_and_refuse_other_shapes():
    x = burnout()[None].copy()
    x.flags.writeable = False
    assert impacts(x, 0, 0.0).hit[0]
    assert not impacts(burnout(speed=12_000.0)[None], 0, 0.0).hit[0]
    with pytest.raises(ValueError, match=r"shape \(n, 6\), found \(6,\)"):
        propagate(burnout(), 0, 1, 0.0)


@pytest.mark.parametrize("beta", [0.0, 2000.0])
def test_what_is_no_number_is_refused_with_its_row(beta):
    x = np.stack([burnout(), burnout(), burnout()])
    x[1, 4] = np.nan
    for call in (lambda: propagate(x, 0, 10**9, 0.0, beta), lambda: impacts(x, 0, 0.0, beta)):
        with pytest.raises(ValueError, match="state 1 must be finite numbers"):
            call()
    with pytest.raises(ValueError, match="beta of state 2 must be a finite number, found inf"):
        impacts(np.stack([burnout()] * 3), 0, 0.0, [1.0, 2.0, np.inf])


@pytest.mark.parametrize("beta", [0.0, 2000.0])
def test_kernels_end_on_what_is_no_number(beta):
    out, rows = np.empty(6), np.empty((50, 10))
    k.coast_to(np.full(6, np.nan), 0.0, 1000.0, 0.0, beta, out)
    assert np.isnan(out).all()
    k.coast_to_stm(np.full(6, np.nan), 0.0, 1000.0, 0.0, out, np.empty((6, 6)))
    assert np.isnan(out).all()
    assert k.coast_nodes(np.full(6, np.nan), 0.0, 1000.0, beta, rows) == 2


def test_what_rises_slowly_near_the_edge_of_the_air_is_not_leapt_over():
    """Its fall from 145 km takes it from next to nothing to dense air within a long step's time."""
    state = burnout(h=145e3, speed=1400.0, climb_deg=0.5)
    ref = reference(state, 190.0, 600.0)
    there = np.empty(6)
    k.coast_to(state, 0.0, 190.0, 0.0, 600.0, there)
    assert np.linalg.norm(there[:3] - ref.y[:3, -1]) < METRE


@pytest.mark.parametrize("beta", [800.0, 8000.0])
def test_nodes_of_a_flight_with_drag_lead_where_the_flight_does(beta):
    out, rows = np.empty(7), np.empty((400, 10))
    state = burnout(speed=6500.0, climb_deg=30.0)
    k.fall(state, 20.0, 0.0, beta, out)
    n = k.coast_nodes(state, 20.0, out[1], beta, rows)
    assert 10 < n < 200
    assert abs(ecef_to_geodetic(rows[n - 1, 1:4])[2]) < 0.1
    assert rows[0, 0] == 20.0
    assert rows[n - 1, 0] == out[1]
