"""Free flight from a state: against the integrator in other axes, closed forms and bounds."""

import math

import numpy as np
import pytest

from tocsin.dynamics.coast import impacts
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.frames import OMEGA_GMST, to_ecef, to_eci
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.scenario.specs import StateObject
from tocsin.truth.states import StateImpossible, state_body

THETA0 = 2.0
AT = 300_000_000_000


def state(lat=40.0, lon=100.0, h=150e3, speed=3000.0, azimuth=60.0, climb=40.0):
    """Earth-fixed state by place (degrees, m) and velocity over the ground (m/s, degrees)."""
    la, lo = math.radians(lat), math.radians(lon)
    a, c = math.radians(azimuth), math.radians(climb)
    level = math.cos(c)
    v = speed * np.array([level * math.sin(a), level * math.cos(a), math.sin(c)]) @ enu_axes(la, lo)
    return tuple(map(float, np.concatenate([geodetic_to_ecef(np.array([la, lo, h])), v])))


def thing(x=None, beta=5000.0, drag_mach=(), rcs=1.0, lasts=1e5):
    return StateObject("s", "0" * 32, "", AT, x or state(), beta, drag_mach, rcs, lasts)


def test_comes_down_where_the_fast_integrator_says():
    body = state_body(thing(), THETA0)
    x = to_eci(np.array(state()), THETA0 + OMEGA_GMST * AT / 1e9)
    fast = impacts([x], AT, THETA0, 5000.0)
    assert [e[0] for e in body.events] == ["apogee", "entry", "impact"]
    when = dict(body.events)
    assert abs(when["impact"] - int(fast.t_ns[0])) < 5_000_000
    assert abs(when["apogee"] - int(fast.apogee_t_ns[0])) < 50_000_000
    assert body.facts["apogee"] == pytest.approx(fast.apogee[0], abs=2.0)
    assert body.facts["impact_lat"] == pytest.approx(fast.lat[0], abs=1e-6)
    assert body.facts["impact_lon"] == pytest.approx(fast.lon[0], abs=1e-6)
    assert body.facts["impact_speed"] == pytest.approx(fast.speed[0], rel=1e-4)
    assert body.facts["duration"] == pytest.approx((when["impact"] - AT) / 1e9, abs=1e-8)


def test_ephemeris_begins_with_the_state_and_ends_on_the_ground():
    body = state_body(thing(), THETA0)
    ephemeris = Ephemeris([body.start_ns], [body.nodes])
    assert ephemeris.span(0)[0] == AT
    first = to_ecef(ephemeris.states(0, AT), THETA0 + OMEGA_GMST * AT / 1e9)[0]
    assert np.abs(first - np.array(state())).max() < 1e-6
    impact = dict(body.events)["impact"]
    last = to_ecef(ephemeris.states(0, impact)[:, :3], THETA0 + OMEGA_GMST * impact / 1e9)[0]
    lat, lon, h = ecef_to_geodetic(last)
    assert abs(h) < 0.1
    assert (lat, lon) == pytest.approx((body.facts["impact_lat"], body.facts["impact_lon"]), abs=1e-8)


def test_dropped_at_rest_from_a_low_tower_falls_as_galileo_says():
    body = state_body(thing(state(lat=0.0, h=100.0, speed=0.0), beta=0.0), THETA0)
    # gravity at the equator less what the rotation takes, by Newton and Huygens (Somigliana's value)
    assert body.facts["duration"] == pytest.approx(math.sqrt(200.0 / 9.7803253), rel=1e-4)
    # Coriolis: it lands to the east by g t^3 omega / 3
    fell = body.facts["duration"]
    east = (body.facts["impact_lon"] - math.radians(100.0)) * 6378137.0
    assert east == pytest.approx(9.78 * fell**3 * OMEGA_GMST / 3.0, rel=0.02)


def test_a_table_over_mach_is_followed():
    plain = state_body(thing(beta=1000.0), THETA0)
    # the same drag written as a table
    same = state_body(thing(beta=500.0, drag_mach=((0.5, 0.5), (3.0, 0.5))), THETA0)
    # four times the drag at low speed: half the terminal speed, sqrt(2 beta g / rho)
    more = state_body(thing(beta=1000.0, drag_mach=((0.5, 4.0), (3.0, 1.0))), THETA0)
    assert same.facts["duration"] == pytest.approx(plain.facts["duration"], abs=1e-3)
    assert same.facts["impact_speed"] == pytest.approx(plain.facts["impact_speed"], rel=1e-4)
    assert more.facts["impact_speed"] == pytest.approx(math.sqrt(2.0 * 250.0 * 9.8 / 1.225), rel=0.02)


def test_lasts_no_longer_than_it_may():
    body = state_body(thing(lasts=100.0), THETA0)
    assert body.events == ()
    assert body.facts["duration"] == pytest.approx(100.0, abs=1e-9)
    cut = state_body(thing(), THETA0, end_ns=AT + 50_000_000_000)
    assert cut.nodes[-1, 0] == pytest.approx(50.0, abs=1e-9)
    whole = Ephemeris([AT], [state_body(thing(), THETA0).nodes])
    t = AT + 49_000_000_000
    assert np.abs(whole.states(0, t) - Ephemeris([AT], [cut.nodes]).states(0, t)).max() < 0.2


def test_stays_up_in_an_orbit_for_as_long_as_asked():
    r = 6378137.0 + 500e3
    v = math.sqrt(3.986004418e14 / r) - OMEGA_GMST * r
    body = state_body(thing(state(lat=0.0, h=500e3, speed=v, azimuth=90.0, climb=0.0), beta=0.0, lasts=6000.0), THETA0)
    assert "impact" not in dict(body.events)
    assert body.facts["duration"] == 6000.0
    radius = np.linalg.norm(body.nodes[:, 1:4], axis=1)
    assert np.ptp(radius) < 40e3  # J2 alone


@pytest.mark.parametrize(
    ("changes", "constraint", "text"),
    [
        ({"x": (math.nan, 7e6, 0.0, 0.0, 0.0, 0.0)}, "number", "s: x must be a finite number, found nan"),
        ({"x": (0.0, 7e6, 0.0, 0.0, 0.0, math.inf)}, "number", "s: vz must be a finite number, found inf"),
        ({"beta": -1.0}, "number", "s: beta must be 0 kg/m2 (no drag) or more, found -1"),
        ({"rcs": 0.0}, "number", "s: rcs must be above 0 m2, found 0"),
        ({"lasts": 0.0}, "time", "s: it must last more than 0 s, found 0"),
        (
            {"drag_mach": ((1.0, 1.0), (1.0, 2.0))},
            "number",
            "s: drag_mach 2: Mach numbers must rise from 0 on, found 1",
        ),
        ({"drag_mach": ((1.0, -1.0),)}, "number", "s: drag_mach 1: the factor must be 0 or more, found -1"),
        ({"x": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}, "place", "s: height must lie between -1000 and 1e+09 m, found -inf"),
        ({"x": (6e6, 0.0, 0.0, 0.0, 0.0, 0.0)}, "place", "s: height must lie between -1000 and 1e+09 m, found -378137"),
        ({"x": (7e6, 0.0, 0.0, 6e4, 0.0, 0.0)}, "speed", "s: speed must be at most 50000 m/s, found 60000"),
        ({"x": state(h=-10.0, climb=-10.0)}, "place", "s: it is under the ground (-10 m) and does not rise"),
    ],
)
def test_states_that_cannot_be_flown_are_refused(changes, constraint, text):
    with pytest.raises(StateImpossible) as raised:
        state_body(thing(**changes), THETA0)
    assert str(raised.value) == text
    assert raised.value.constraint == constraint


def test_beginning_after_the_end_is_refused():
    with pytest.raises(StateImpossible, match=r"begins at 300.000 s, not before the end at 100.000 s"):
        state_body(thing(), THETA0, end_ns=100_000_000_000)
