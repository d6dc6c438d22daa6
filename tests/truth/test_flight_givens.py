"""Flights by everything that can be asked of them: solved, flown, measured again (by pyproj), or refused."""

import functools
import math

import numpy as np
import pytest
from flight_cases import andoya, black_brant, hwasong, irbm, world
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pyproj import Geod

from tocsin.dynamics.coast import propagate
from tocsin.earth import frames, wgs84
from tocsin.scenario import catalogue
from tocsin.scenario.specs import Spread, TargetOrbit
from tocsin.truth.body import bodies_ephemeris
from tocsin.truth.classes import FlightImpossible
from tocsin.truth.descent import coast, crossing, height_at
from tocsin.truth.flights import asked_of, flight_body, solve

GEOD = Geod(ellps="WGS84")
THETA0 = world([]).theta0
CLASSES = ("srbm", "mrbm", "irbm-liquid", "icbm-liquid", "icbm-solid", "slbm")
NOTIONAL_DRAG = ((0.0, 0.6), (0.8, 0.7), (1.1, 1.6), (2.0, 1.3), (4.0, 1.0))


@functools.cache
def class_of(id_):
    return catalogue.flight_class(id_, catalogue.merged_class(id_, {}), "truth")


def exact(flight_class):
    """A class without its spreads."""

    def nominal(thing):
        values = ((n, getattr(thing, n)) for n in thing.__struct_fields__)
        return replace(thing, **{n: Spread(v.nominal) for n, v in values if isinstance(v, Spread)})

    return replace(nominal(flight_class), stages=tuple(map(nominal, flight_class.stages)))


def asked(shape="", **changes):
    """A flight of 2,700 km by its shape, or as changed."""
    return hwasong(**{"apogee": 0.0, "shape": shape, **changes})


def seconds(flight):
    return (flight.impact_ns - flight.launch_ns) / 1e9


def measured(flight):
    """Miss (m) of the point asked for, greatest height (m), time (s): from the ephemeris and pyproj alone."""
    body = flight_body(flight)
    ephemeris = bodies_ephemeris([body])
    start, end = ephemeris.span(0)
    times = np.linspace(start, end, 4001).astype(np.int64)
    x = ephemeris.states(0, times)
    ground = wgs84.ecef_to_geodetic(frames.to_ecef(x[:, :3], [frames.theta_at(THETA0, int(t)) for t in times]))
    thing = flight.object
    if thing.end is None:
        lon, lat, _ = GEOD.fwd(*np.degrees([thing.lon, thing.lat, thing.azimuth]), thing.range)
    else:
        lat, lon = np.degrees(thing.end)
    assert abs(ground[-1, 2]) < 0.1
    miss = GEOD.inv(lon, lat, *np.degrees(ground[-1, 1::-1]))[2]
    return miss, float(ground[:, 2].max()), (end - start) / 1e9


def ground_speed_at_burnout(flight):
    x = bodies_ephemeris([flight_body(flight)]).states(0, flight.cutoff_ns)
    return float(np.linalg.norm(frames.to_ecef(x, frames.theta_at(THETA0, flight.cutoff_ns))[0, 3:]))


@given(
    st.sampled_from(CLASSES), st.floats(0.15, 0.85), st.floats(-math.pi, math.pi), st.floats(-1.2, 1.2),
    st.sampled_from(["minimum-energy", "lofted", "depressed", "apogee", "flight-time"]), st.booleans(),
    st.floats(0.1, 0.9), st.integers(0, 10**6),
)  # fmt: skip
@settings(max_examples=40)
def test_what_is_asked_is_given_back(id_, part, azimuth, lat, what, by_end, between, seed):
    flight_class = class_of(id_)
    near, far = flight_class.energy_range
    distance = near + part * (far - near)
    base = {"azimuth": azimuth, "lat": lat, "range": distance, "class_id": id_, "key": f"k{seed}"}
    if by_end:
        lon2, lat2, _ = GEOD.fwd(*np.degrees([hwasong().lon, lat, azimuth]), distance)
        base |= {"azimuth": 0.0, "range": 0.0, "end": (math.radians(lat2), math.radians(lon2))}
    if what in ("apogee", "flight-time"):
        # between the two flights that burn all there is, of the same rocket: each lies between theirs
        low, high = (solve(asked(shape, **base), exact(flight_class), THETA0, 1) for shape in ("depressed", "lofted"))
        apogee = low.apogee + between * (high.apogee - low.apogee)
        time = seconds(low) + between * (seconds(high) - seconds(low))
        base |= {"apogee": apogee} if what == "apogee" else {"flight_time": time}
        thing = asked(**base)
    else:
        thing = asked(what, **base)
    flight = solve(thing, flight_class, THETA0, seed)
    miss, highest, took = measured(flight)
    assert miss < 10.0
    # a hundredth of the flight lies between the times looked at: near the top a parabola
    assert highest == pytest.approx(flight.apogee, rel=1e-5)
    assert took == pytest.approx(seconds(flight), abs=1e-6)
    if what == "apogee":
        assert flight.apogee == pytest.approx(thing.apogee, abs=10.0)
    elif what == "flight-time":
        assert took == pytest.approx(thing.flight_time, abs=0.01)
    elif what in ("lofted", "depressed"):
        last = len(flight_class.stages)
        assert flight.plan.end_s() == pytest.approx(flight.plan.stages[-1][0] + flight.drawn[f"stage{last}.burn"])


@pytest.mark.parametrize("id_", ["srbm", "irbm-liquid", "icbm-solid"])
def test_minimum_energy_is_the_least_speed_at_burnout_between_lofted_and_depressed(id_):
    flight_class = exact(class_of(id_))
    distance = {"srbm": 300e3, "irbm-liquid": 2700e3, "icbm-solid": 8000e3}[id_]
    low, least, high = (
        solve(asked(shape, range=distance, class_id=id_), flight_class, THETA0, 1)
        for shape in ("depressed", "minimum-energy", "lofted")
    )
    assert low.apogee < least.apogee < high.apogee
    assert low.impact_ns < least.impact_ns < high.impact_ns
    speed = ground_speed_at_burnout(least)
    for factor in (0.8, 0.97, 1.03, 1.3):
        other = solve(asked(range=distance, class_id=id_, apogee=factor * least.apogee), flight_class, THETA0, 1)
        assert ground_speed_at_burnout(other) > speed
    assert max(ground_speed_at_burnout(f) for f in (low, high)) > 1.01 * speed


def test_minimum_energy_is_near_the_arc_of_a_point_mass():
    """Impulsive minimum-energy arcs on a sphere that stands still: apogee 655 km and 14.9 min over 3,000 km. Over both
    ways the turning of the Earth cancels to first order; boost to 80 km makes it higher, and longer by some 0.8 of its
    length (over 2,700 km such arcs have 13.7 min without boost and 15.7 with 150 s of it)."""
    angle = 3.0e6 / wgs84.R_MEAN
    apogee = wgs84.R_MEAN * (math.sin(0.5 * angle) + math.cos(0.5 * angle) - 1.0) / 2.0
    assert apogee == pytest.approx(655e3, abs=1e3)
    flights = [
        solve(asked("minimum-energy", azimuth=azimuth, lat=0.0, range=3.0e6), irbm(), THETA0, 1)
        for azimuth in (0.5 * math.pi, -0.5 * math.pi)
    ]
    assert np.mean([f.apogee for f in flights]) == pytest.approx(apogee, rel=0.12)
    assert flights[0].apogee < flights[1].apogee  # to the west the end point comes on, to the east it runs away
    assert np.mean([seconds(f) for f in flights]) == pytest.approx(14.9 * 60 + 0.8 * 150.0, rel=0.06)


def test_an_end_point_is_the_same_as_its_azimuth_and_range():
    by_azimuth = solve(hwasong(), irbm(), THETA0, 1)
    what = asked_of(hwasong())
    by_end = solve(hwasong(azimuth=0.0, range=0.0, end=(what.lat, what.lon)), irbm(), THETA0, 1)
    assert by_end.impact_ns == pytest.approx(by_azimuth.impact_ns, abs=1e5)
    assert by_end.nodes[-1] == pytest.approx(by_azimuth.nodes[-1], rel=1e-6, abs=1e-3)


def test_time_and_apogee_ask_for_the_same_flight():
    by_apogee = solve(hwasong(apogee=1.0e6), irbm(), THETA0, 1)
    for shape in ("", "lofted", "depressed"):  # there is one such flight, whatever it is called
        by_time = solve(asked(shape, flight_time=seconds(by_apogee)), irbm(), THETA0, 1)
        assert by_time.apogee == pytest.approx(1.0e6, abs=50.0)


def test_a_thrust_class_has_its_own_thrust_when_lofted_or_depressed():
    for shape in ("lofted", "depressed"):
        flight = solve(andoya(apogee=0.0, shape=shape), black_brant(), THETA0, 1)
        assert flight.drawn["thrust_scale"] == pytest.approx(1.0, abs=1e-9)
        assert measured(flight)[0] < 10.0
    light = solve(andoya(apogee=0.0, shape="minimum-energy"), black_brant(), THETA0, 1)
    assert light.drawn["thrust_scale"] < 1.0


@pytest.mark.parametrize(
    ("thing", "constraint", "says"),
    [
        (asked(flight_time=4000.0), "flight-time", "over that range its flights take between"),
        (asked(flight_time=300.0), "flight-time", "cannot fly a range of 2700 km in 300 s"),
        (asked("lofted", range=9e6), "range", "9000 km lofted, burning all there is: there its ranges lie between"),
        (asked("depressed", range=2e4), "range", "20 km depressed, burning all there is"),
        (asked("minimum-energy", range=9e6), "range", "at minimum energy its ranges lie between"),
        (asked(range=9e6, flight_time=2000.0), "range", "its ranges lie between"),
    ],
)
def test_what_cannot_be_flown_names_the_nearest_that_can(thing, constraint, says):
    with pytest.raises(FlightImpossible, match=says) as refused:
        solve(thing, irbm(), THETA0, 1)
    assert refused.value.constraint == constraint
    distance, apogee = refused.value.nearest
    inside = 0.995 if distance < thing.range else 1.01 if distance > thing.range else 1.0
    if constraint == "flight-time":
        time = refused.value.nearest_time
        assert abs(time - thing.flight_time) > 1.0
        pull = 0.999 if time < thing.flight_time else 1.001
        flight = solve(replace(thing, flight_time=time * pull), irbm(), THETA0, 1)
        assert flight.apogee == pytest.approx(apogee, rel=0.02)
    elif thing.shape:
        assert solve(replace(thing, range=distance * inside), irbm(), THETA0, 1).apogee == pytest.approx(
            apogee, rel=0.3
        )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "needs exactly one of an apogee, a flight time and a shape, found none"),
        ({"apogee": 1e6, "flight_time": 900.0}, "found an apogee and a flight time"),
        ({"apogee": 1e6, "shape": "lofted"}, "found an apogee and a shape"),
        ({"shape": "flat"}, "shape must be one of minimum-energy, lofted, depressed, found 'flat'"),
        ({"shape": "minimum-energy", "flight_time": 900.0}, "a flight time goes with the shape lofted or depressed"),
        ({"apogee": math.nan}, "apogee must be a finite number and not negative, found nan"),
        ({"apogee": 1e6, "range": -3.0}, "range must be a finite number and not negative, found -3"),
        ({"apogee": 1e6, "cutoff": -1.0}, "cutoff must be a finite number and not negative"),
        ({"apogee": 1e6, "range": 2.5e7}, "range must lie between 1 km and half way round the Earth, found 25000 km"),
        ({"apogee": 1e6, "end": (hwasong().lat, hwasong().lon)}, "comes down 0 m from its site"),
        ({"apogee": 1e6, "end": (91.0, 0.0)}, "end must be a latitude and a longitude in rad"),
        ({"orbit": TargetOrbit(2e5, 2e5, 1.0)}, "goes into orbit and does not come down"),
    ],
)
def test_what_is_no_way_to_ask_is_named(changes, says):
    with pytest.raises(ValueError, match=says) as refused:
        solve(asked(**changes), irbm(), THETA0, 1)
    assert not isinstance(refused.value, FlightImpossible)
    assert str(refused.value).startswith("overflight: ")


def test_thrust_may_end_early():
    whole = solve(hwasong(), irbm(0.01), THETA0, 1)
    early = solve(hwasong(cutoff=120.0), irbm(0.01), THETA0, 1)
    assert early.drawn == whole.drawn
    assert early.cutoff_ns == early.burns[-1][1] == early.launch_ns + 120 * 10**9
    assert early.range < 0.7 * whole.range
    assert early.beta == whole.beta
    e, w = bodies_ephemeris([flight_body(early)]), bodies_ephemeris([flight_body(whole)])
    assert e.states(0, early.cutoff_ns)[0] == pytest.approx(w.states(0, early.cutoff_ns)[0], abs=1e-3)
    there = propagate(e.states(0, early.cutoff_ns), early.cutoff_ns, early.apogee_ns, THETA0, early.beta)[0]
    assert there == pytest.approx(e.states(0, early.apogee_ns)[0], abs=1.0)
    assert [name for name, _ in flight_body(early).events][-1] == "impact"
    # later than it would have ended anyway: nothing changes
    assert np.array_equal(solve(hwasong(cutoff=170.0), irbm(0.01), THETA0, 1).nodes, whole.nodes)


def test_what_has_not_come_apart_falls_whole():
    flight = solve(andoya(cutoff=20.0), black_brant(), THETA0, 1)  # between the second and the third burn
    assert flight.cutoff_ns == flight.burns[-1][1]
    assert len(flight.burns) == 2
    assert flight.beta == flight.drawn["beta_boost"]
    assert flight.rcs == flight.rcs_boost
    assert flight_body(flight).facts["beta"] == flight.beta


def test_thrust_that_ends_on_the_pad_is_a_short_hop():
    flight = solve(hwasong(cutoff=0.5), irbm(), THETA0, 1)
    assert flight.range < 50.0
    assert flight.apogee < 40.0
    assert 0.5 < seconds(flight) < 10.0


@pytest.mark.parametrize("changes", [{"apogee": 9e4}, {"shape": "minimum-energy"}, {"flight_time": 420.0}])
def test_drag_over_mach_numbers_is_in_the_loop(changes):
    thing = asked(**{"range": 3e5, "class_id": "srbm", **changes})
    plain = exact(class_of("srbm"))
    flight = solve(thing, replace(plain, drag_mach=NOTIONAL_DRAG), THETA0, 1)
    miss, highest, took = measured(flight)
    assert miss < 10.0
    assert highest == pytest.approx(flight.apogee, rel=1e-5)
    if thing.flight_time:
        assert took == pytest.approx(420.0, abs=0.01)
    without = solve(thing, plain, THETA0, 1)
    assert flight.plan.cutoff_s != without.plan.cutoff_s


def test_a_table_that_says_always_the_same_is_another_beta():
    plain = exact(class_of("srbm"))
    thing = asked(range=3e5, class_id="srbm", apogee=1.2e5)
    once = solve(thing, replace(plain, drag_mach=((1.0, 1.0),)), THETA0, 1)
    assert seconds(once) == pytest.approx(seconds(solve(thing, plain, THETA0, 1)), abs=0.01)
    twice = solve(thing, replace(plain, drag_mach=((1.0, 2.0),)), THETA0, 1)
    half = solve(thing, replace(plain, beta=Spread(0.5 * plain.beta.nominal)), THETA0, 1)
    assert seconds(twice) == pytest.approx(seconds(half), abs=0.02)
    assert twice.impact_speed == pytest.approx(half.impact_speed, rel=1e-3)
    assert seconds(twice) > seconds(once) + 1.0


def test_a_flight_as_a_body():
    flight = solve(hwasong(), irbm(0.01), THETA0, 1)
    body = flight_body(flight)
    assert (body.id, body.key, body.kind, body.parent) == ("overflight", "h12", "flight", "")
    assert [name for name, _ in body.events] == ["launch", "burnout", "apogee", "entry", "impact"]
    times = [t for _, t in body.events]
    assert times == sorted(times)
    assert bodies_ephemeris([body]).span(0) == (times[0], times[-1])
    entry = bodies_ephemeris([body]).states(0, dict(body.events)["entry"])[0]
    assert wgs84.ecef_to_geodetic(frames.to_ecef(entry[:3], 0.0))[2] == pytest.approx(100e3, abs=0.1)
    assert body.facts["apogee"] == flight.apogee
    assert body.facts["impact_ns"] == flight.impact_ns
    assert {name: body.facts[name] for name in flight.drawn} == flight.drawn
    assert all(isinstance(value, float) for value in body.facts.values())
    low = solve(hwasong(range=8e4, apogee=3e4, class_id="srbm"), exact(class_of("srbm")), THETA0, 1)
    assert [name for name, _ in flight_body(low).events] == ["launch", "burnout", "apogee", "impact"]


def test_heights_are_passed_where_they_are():
    x = np.array([wgs84.A + 1e5, 0.0, 0.0, 300.0, 0.0, 0.0])  # straight up from over the equator
    nodes = coast(x, 0.0, 100.0, 0.0)
    up = crossing(nodes, 102e3, 0.0, rising=True)
    down = crossing(nodes, 102e3, 0.0, rising=False)
    g = wgs84.MU / (wgs84.A + 1e5) ** 2
    assert up == pytest.approx((300 - math.sqrt(9e4 - 4e3 * g)) / g, rel=1e-2)
    assert up < down
    assert height_at(nodes, up) == pytest.approx(102e3, abs=1e-3)
    assert crossing(nodes, 102e3, 60.0, rising=True) is None
    circle = np.array([7e6, 0.0, 0.0, 0.0, math.sqrt(wgs84.MU / 7e6), 0.0])
    with pytest.raises(ValueError, match="takes more than 20000 steps"):
        coast(circle, 0.0, 1e6, 0.0)
