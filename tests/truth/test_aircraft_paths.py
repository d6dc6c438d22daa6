"""Aircraft along waypoints: geometry against pyproj, turns and climbs against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.scenario.specs import AircraftObject, Waypoint
from tocsin.truth.aircraft import (
    GRAVITY,
    LONGITUDINAL,
    NORMAL,
    AircraftImpossible,
    aircraft_body,
    climb_time,
    turn_radius,
)
from tocsin.truth.ground_paths import ground_nodes

GEOD = Geod(ellps="WGS84")
TURN = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
THETA0 = 1.25


def plan(*points, climb=15.0, bank=25.0, start_ns=0, **changes):
    """An aircraft by points in degrees, m, m/s."""
    given_points = tuple(Waypoint(math.radians(lat), math.radians(lon), h, v) for lat, lon, h, v in points)
    thing = AircraftObject("a", "0" * 32, "jet", start_ns, given_points, climb, math.radians(bank), 20.0)
    return AircraftObject(**{**{f: getattr(thing, f) for f in thing.__struct_fields__}, **changes})


def flown(thing):
    body = aircraft_body(thing, THETA0)
    ephemeris = Ephemeris([body.start_ns], [body.nodes])

    def at(seconds):
        """Earth-fixed states and (lon, lat in degrees, h) by PROJ."""
        t = thing.start_ns + np.rint(np.atleast_1d(seconds) * 1e9).astype(np.int64)
        low, high = ephemeris.span(0)
        t = np.clip(t, low, high)
        x = to_ecef(ephemeris.states(0, t), THETA0 + OMEGA_GMST * t / 1e9)
        return x, np.column_stack(TURN.transform(x[:, 0], x[:, 1], x[:, 2]))

    return body, at


ROUTE = (
    (50.0, 8.0, 100.0, 80.0),
    (50.3, 8.2, 3000.0, 120.0),
    (51.0, 9.0, 9000.0, 230.0),
    (50.5, 20.0, 11000.0, 240.0),
    (51.0, 20.5, 9000.0, 200.0),
    (50.2, 19.9, 500.0, 90.0),
)


def test_passes_every_point_at_its_height():
    body, at = flown(plan(*ROUTE, start_ns=90_000_000_000))
    for i, (lat, lon, h, _) in enumerate(ROUTE, 1):
        _, place = at(body.facts.get(f"point{i}", 0.0))
        assert GEOD.inv(lon, lat, place[0, 0], place[0, 1])[2] < 0.01
        assert place[0, 2] == pytest.approx(h, abs=0.01)
    assert body.start_ns == 90_000_000_000
    assert body.nodes[-1, 0] == body.facts["duration"] == body.facts["point6"]
    assert (body.kind, body.class_id, body.rcs, body.rcs_boost, body.burns) == ("aircraft", "jet", 20.0, 20.0, ())


def test_a_straight_leg_is_the_shortest_line_at_constant_speed_over_the_ground():
    # across the date line and close to the pole
    a, b, v = (60.0, 170.0), (71.0, -120.0), 250.0
    azimuth, _, length = GEOD.inv(a[1], a[0], b[1], b[0])
    body, at = flown(plan((*a, 10e3, v), (*b, 10e3, v)))
    assert body.facts["duration"] == pytest.approx(length / v, rel=1e-12)
    t = np.linspace(0.0, body.facts["duration"], 41)
    _, place = at(t)
    n = len(t)
    lon, lat, _ = GEOD.fwd(np.full(n, a[1]), np.full(n, a[0]), np.full(n, azimuth), v * t)
    assert np.max(GEOD.inv(lon, lat, place[:, 0], place[:, 1])[2]) < 0.01
    assert np.max(np.abs(place[:, 2] - 10e3)) < 0.01
    assert len(body.nodes) < 20  # little memory: no node a second


def test_turn_is_a_circle_of_the_radius_that_the_bank_gives():
    v, bank = 200.0, 20.0
    a, b, c = (45.0, 5.0), (45.0, 6.0), (46.0, 6.0)
    body, at = flown(plan((*a, 5e3, v), (*b, 5e3, v), (*c, 5e3, v), bank=bank))
    radius = v * v / (9.80665 * math.tan(math.radians(bank)))
    assert turn_radius(v, math.radians(bank)) == pytest.approx(radius, rel=1e-15)
    back = GEOD.inv(a[1], a[0], b[1], b[0])[1]  # azimuth from b back to a; the turn is to the left, to the north
    lon, lat, _ = GEOD.fwd(b[1], b[0], back + 180.0 - 90.0, radius)
    t = body.facts["point2"] + np.linspace(0.0, radius * math.radians(80.0) / v, 30)
    x, place = at(t)
    off = GEOD.inv(np.full(30, lon), np.full(30, lat), place[:, 0], place[:, 1])[2] - radius
    assert np.max(np.abs(off)) < 0.01
    # speed over the ground, scaled up to the height by the ratio of the radii
    speed = np.linalg.norm(x[:, 3:], axis=1)
    assert np.max(np.abs(speed / v - 1.0 - 5e3 / 6.38e6)) < 1e-5
    # behind the turn it flies straight to the point
    t = np.linspace(body.facts["point2"] + 120.0, body.facts["point3"], 9)
    _, place = at(t)
    ahead = GEOD.inv(place[:-1, 0], place[:-1, 1], np.full(8, c[1]), np.full(8, c[0]))[0]
    to_next = GEOD.inv(place[:-1, 0], place[:-1, 1], place[1:, 0], place[1:, 1])[0]
    assert np.max(np.abs(ahead - to_next)[:-1]) < 1e-4


def test_load_factor_in_the_turn_is_that_of_the_bank():
    v, bank = 150.0, 30.0
    body, at = flown(plan((10.0, 5.0, 0.0, v), (10.0, 6.0, 0.0, v), (11.0, 6.0, 0.0, v), bank=bank))
    t = body.facts["point2"] + np.linspace(0.5, 10.0, 20)
    dt = 0.01
    x0, _ = at(t - dt)
    x1, _ = at(t + dt)
    a = (x1[:, 3:] - x0[:, 3:]) / (2.0 * dt)
    x, _ = at(t)
    up = x[:, :3] / np.linalg.norm(x[:, :3], axis=1)[:, None]
    level = a - (a * up).sum(axis=1)[:, None] * up
    assert np.allclose(np.linalg.norm(level, axis=1), GRAVITY * math.tan(math.radians(bank)), rtol=2e-3)


def test_climbs_early_descends_late_no_faster_than_allowed():
    rate = 12.0
    body, at = flown(plan((0.0, 0.0, 1e3, 200.0), (0.0, 2.0, 7e3, 200.0), (0.0, 4.0, 2e3, 200.0), climb=rate))
    t = np.linspace(0.0, body.facts["duration"], 4001)
    _, place = at(t)
    up = np.gradient(place[:, 2], t)
    assert up.max() == pytest.approx(rate, rel=1e-6)
    assert up.min() == pytest.approx(-rate, rel=1e-6)
    assert np.abs(np.gradient(up, t)).max() <= NORMAL * 1.001
    needed = 6e3 / rate + rate / NORMAL
    assert climb_time(6e3, rate) == pytest.approx(needed)
    top = t[place[:, 2] > 7e3 - 1e-3]
    assert top[0] == pytest.approx(needed, abs=0.5)
    assert top[-1] == pytest.approx(body.facts["duration"] - 5e3 / rate - rate / NORMAL, abs=0.5)
    assert climb_time(1.0, rate) == pytest.approx(2.0 / math.sqrt(NORMAL))  # never reaches the rate


def test_takes_up_a_new_speed_no_faster_than_allowed():
    body, at = flown(plan((0.0, 0.0, 0.0, 9.0), (0.0, 1.0, 0.0, 100.0), (0.0, 2.0, 0.0, 220.0)))
    t = np.linspace(0.0, body.facts["duration"], 3001)
    x, _ = at(t)
    speed = np.linalg.norm(x[:, 3:], axis=1)
    assert speed[0] == pytest.approx(100.0)  # the speed towards the first point means nothing
    assert speed[-1] == pytest.approx(220.0)
    assert np.abs(np.gradient(speed, t)).max() <= LONGITUDINAL * 1.001
    length = GEOD.inv(0.0, 0.0, 1.0, 0.0)[2]
    gained = (220.0**2 - 100.0**2) / (2.0 * LONGITUDINAL)
    took = length / 100.0 + 120.0 / LONGITUDINAL + (length - gained) / 220.0
    assert body.facts["duration"] == pytest.approx(took, rel=1e-9)


def test_velocity_is_the_derivative_of_the_place_and_jumps_nowhere():
    body, at = flown(plan(*ROUTE))
    t = np.linspace(1.0, body.facts["duration"] - 1.0, 2000)
    dt = 0.005
    before, _ = at(t - dt)
    after, _ = at(t + dt)
    x, _ = at(t)
    assert np.max(np.abs((after[:, :3] - before[:, :3]) / (2.0 * dt) - x[:, 3:])) < 0.02
    twice = np.flatnonzero(np.diff(body.nodes[:, 0]) == 0.0)
    assert len(twice) > 5
    assert np.max(np.abs(body.nodes[twice + 1, 1:4] - body.nodes[twice, 1:4])) < 1e-4
    assert np.max(np.abs(body.nodes[twice + 1, 4:7] - body.nodes[twice, 4:7])) < 1e-4


@settings(max_examples=40)
@given(
    lat=st.floats(-85.0, 85.0),
    lon=st.floats(-180.0, 180.0),
    course=st.floats(-180.0, 180.0),
    turn=st.floats(-179.0, 179.0),
    v=st.floats(40.0, 600.0),
    bank=st.floats(10.0, 60.0),
    near=st.floats(2.05, 20.0),
)
def test_reaches_the_next_point_whatever_the_turn(lat, lon, course, turn, v, bank, near):
    radius = turn_radius(v, math.radians(bank))
    first, second = 20.0 * radius, near * radius
    lon1, lat1, back = GEOD.fwd(lon, lat, course, first)
    lon2, lat2, _ = GEOD.fwd(lon1, lat1, back + 180.0 + turn, second)
    body, at = flown(plan((lat, lon, 1e3, v), (lat1, lon1, 1e3, v), (lat2, lon2, 1e3, v), bank=bank))
    _, place = at(np.array([body.facts["point2"], body.facts["point3"]]))
    assert GEOD.inv(lon1, lat1, place[0, 0], place[0, 1])[2] < 0.02
    assert GEOD.inv(lon2, lat2, place[1, 0], place[1, 1])[2] < 0.02
    # no longer than by a turn to the far side, no shorter than straight
    straight = first + second
    assert straight - 0.1 <= body.facts["length"] <= straight + 7.0 * radius


def test_same_plan_same_bits_later_the_same_path():
    one, two = aircraft_body(plan(*ROUTE), THETA0), aircraft_body(plan(*ROUTE), THETA0)
    assert one.nodes.tobytes() == two.nodes.tobytes()
    # beginning an hour later, the path over the ground is the same
    _, at = flown(plan(*ROUTE))
    _, later = flown(plan(*ROUTE, start_ns=3_600_000_000_000))
    t = np.linspace(0.0, one.facts["duration"], 50)
    assert np.max(np.abs(at(t)[0] - later(t)[0])) < 0.02


def fault(*points, **changes):
    with pytest.raises(AircraftImpossible) as raised:
        aircraft_body(plan(*points, **changes), THETA0)
    return raised.value


def test_too_steep_is_refused_with_the_nearest():
    error = fault((0.0, 0.0, 0.0, 200.0), (0.0, 0.1, 9e3, 200.0))
    assert (error.point, error.constraint) == (2, "climb")
    time = GEOD.inv(0.0, 0.0, 0.1, 0.0)[2] / 200.0
    nearest = 15.0 * (time - 15.0 / NORMAL)
    needed = climb_time(9e3, 15.0)
    assert str(error) == (
        f"a: point 2: it cannot climb 9000 m on the way there: at 15.0 m/s that takes {needed:.0f} s and it has"
        f" {time:.0f} s; nearest: {nearest:.0f} m"
    )
    assert "cannot descend 9000 m" in str(fault((0.0, 0.0, 9e3, 200.0), (0.0, 0.1, 0.0, 200.0)))
    # and the nearest can be flown
    _, at = flown(plan((0.0, 0.0, 0.0, 200.0), (0.0, 0.1, nearest - 0.01, 200.0)))
    assert at(time)[1][0, 2] == pytest.approx(nearest - 0.01, abs=0.01)


def test_point_inside_the_turn_is_refused():
    error = fault((0.0, 0.0, 0.0, 250.0), (0.0, 1.0, 0.0, 250.0), (0.05, 1.0, 0.0, 250.0))
    assert (error.point, error.constraint) == (3, "turn")
    assert "it lies inside the turn that leads there, whose radius is 13.67 km; 27.33 km" in str(error)


def test_turn_as_wide_as_a_country_is_refused():
    error = fault((0.0, 0.0, 0.0, 3000.0), (0.0, 5.0, 0.0, 3000.0), (20.0, 5.0, 0.0, 3000.0), bank=20.0)
    assert (error.point, error.constraint) == (3, "turn")
    assert "would have a radius of 2521 km; at most 1000 km" in str(error)


def test_no_room_for_the_speed_is_refused_with_the_nearest():
    error = fault((0.0, 0.0, 0.0, 100.0), (0.0, 1.0, 0.0, 100.0), (0.0, 1.1, 0.0, 300.0))
    assert (error.point, error.constraint) == (3, "speed")
    length = GEOD.inv(1.0, 0.0, 1.1, 0.0)[2]
    assert f"nearest: {math.sqrt(100.0**2 + 2.0 * LONGITUDINAL * length):.1f} m/s" in str(error)
    error = fault((0.0, 0.0, 0.0, 300.0), (0.0, 1.0, 0.0, 300.0), (0.0, 1.1, 0.0, 100.0))
    assert "from 300.0 to 100.0 m/s" in str(error)


@pytest.mark.parametrize(
    ("points", "changes", "text"),
    [
        (ROUTE[:1], {}, "a: a path needs two points or more, found 1"),
        (ROUTE, {"climb": 0.0}, "a: climb must be above 0 m/s, found 0"),
        (ROUTE, {"climb": math.nan}, "a: climb must be above 0 m/s, found nan"),
        (ROUTE, {"bank": 90.0}, "a: bank must lie between 0 and 85 degrees, found 90"),
        (ROUTE, {"rcs": math.inf}, "a: rcs must be above 0 m2, found inf"),
        ((ROUTE[0], (91.0, 0.0, 0.0, 100.0)), {}, "a: point 2: latitude must lie between -90 and 90 degrees, found 91"),
        ((ROUTE[0], (0.0, math.nan, 0.0, 100.0)), {}, "a: point 2: longitude must lie between -360 and 360 degrees"),
        ((ROUTE[0], (0.0, 0.0, 1e6, 100.0)), {}, "a: point 2: height must lie between -500 and 50000 m, found 1e+06"),
        ((ROUTE[0], (0.0, 0.0, 0.0, 0.0)), {}, "a: point 2: speed must lie between 1 and 3000 m/s, found 0"),
        ((ROUTE[0], ROUTE[0]), {}, "a: point 2: it is the same place as the point before"),
    ],
)
def test_numbers_that_mean_nothing_are_refused(points, changes, text):
    assert str(fault(*points, **changes)).startswith(text)


def test_nodes_follow_any_path_and_refuse_what_is_none():
    # a circle in space with a kink: the known answer is the circle itself
    w = 0.02

    def position(k, t):
        return np.column_stack(
            [7e6 + 2e3 * np.cos(w * t), 2e3 * np.sin(w * t), np.where(k == 1, 3.0 * (t - 40.0), 0.0)]
        )

    nodes = ground_nodes(np.array([0.0, 40.0, 100.0]), np.array([0.5, 0.5]), position, 0.0)
    ephemeris = Ephemeris([0], [nodes])
    t = np.linspace(0.0, 100.0, 501)
    t_ns = np.minimum(np.rint(t * 1e9).astype(np.int64), ephemeris.span(0)[1])
    x = to_ecef(ephemeris.states(0, t_ns), OMEGA_GMST * t)
    assert np.max(np.abs(x[:, :3] - position((t >= 40.0).astype(np.int64), t))) < 0.01
    assert np.max(np.abs(x[:, 3] + 2e3 * w * np.sin(w * t))) < 0.01
    with pytest.raises(ValueError, match="two or more times, each later"):
        ground_nodes(np.array([0.0, 0.0]), np.array([0.5]), position, 0.0)
    with pytest.raises(ValueError, match="no finite position"):
        ground_nodes(np.array([0.0, 1.0]), np.array([0.5]), lambda k, t: np.full((len(k), 3), np.nan), 0.0)
    with pytest.raises(ValueError, match="bends too sharply"):
        ground_nodes(
            np.array([0.0, 1.0]), np.array([1e-3]),
            lambda k, t: np.column_stack([7e6 + 1e3 * (t > 1.0 / 3.0), t, t]), 0.0,
        )  # fmt: skip
