"""Launches to orbit: what was asked for is entered, what cannot be is refused, and what is cut short falls."""

import math
import re
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.gravity import potential
from tocsin.earth.wgs84 import MU, A, ecef_to_geodetic
from tocsin.scenario import catalogue
from tocsin.scenario.specs import FlightClass, FlightObject, Spread, Stage, TargetOrbit
from tocsin.truth.ascents import Trial, osculating
from tocsin.truth.body import bodies_ephemeris
from tocsin.truth.classes import FlightImpossible, draw_class
from tocsin.truth.launches import LaunchImpossible, solve_launch

THETA0 = 1.0
END_NS = 3 * 3600 * 10**9
CAPE = (math.radians(28.57), math.radians(-80.65))
HEIGHT_M, INCLINATION = 1000.0, math.radians(0.01)  # as the orbit is promised


def launcher(**changes):
    merged = catalogue.merged_class("space-launch", {})
    assert merged is not None
    return msgspec.structs.replace(catalogue.flight_class("space-launch", merged, "truth"), **changes)


def launch(perigee=200, apogee=250, inclination=51.6, northward=True, raised=None, key="a" * 32, **changes):
    orbit = TargetOrbit(perigee * 1e3, apogee * 1e3, math.radians(inclination), northward, raised)
    values = {
        "id": "launch", "key": key, "class_id": "space-launch", "launch_ns": 60_000_000_000, "lat": CAPE[0],
        "lon": CAPE[1], "h": 10.0, "azimuth": 0.0, "range": 0.0, "apogee": 0.0, "orbit": orbit,
    }  # fmt: skip
    return FlightObject(**{**values, **changes})


def solved(thing, flight_class=None, seed=1, end_ns=END_NS):
    return solve_launch(thing, flight_class or launcher(), THETA0, seed, end_ns)


def when(body, name):
    return [t for n, t in body.events if n == name]


def measured(body, t_ns):
    """Perigee, apogee over the equator's radius (m), inclination, climb (m/s) by the vis-viva equation."""
    x = bodies_ephemeris([body]).states(0, t_ns)[0]
    r, v = x[:3], x[3:]
    momentum = np.cross(r, v)
    size = 1.0 / (2.0 / np.linalg.norm(r) - v @ v / MU)
    e = np.linalg.norm(np.cross(v, momentum) / MU - r / np.linalg.norm(r))
    i = math.acos(momentum[2] / np.linalg.norm(momentum))
    return size * (1 - e) - A, size * (1 + e) - A, i, r @ v / np.linalg.norm(r), v[2]


@settings(max_examples=8)
@given(
    perigee=st.floats(160, 350), higher=st.floats(0, 300), inclination=st.floats(28.45, 151.55),
    northward=st.booleans(), key=st.integers(0, 10**6),
)  # fmt: skip
def test_solve_fly_measure(perigee, higher, inclination, northward, key):
    """The orbit flown is the orbit asked for, entered at its perigee."""
    thing = launch(perigee, perigee + higher, inclination, northward, key=f"{key:032x}")
    body = solved(thing, end_ns=0)
    low, high, i, climb, _ = measured(body, when(body, "orbit")[0])
    assert low == pytest.approx(thing.orbit.perigee, abs=HEIGHT_M)
    assert high == pytest.approx(thing.orbit.apogee, abs=HEIGHT_M)
    assert i == pytest.approx(thing.orbit.inclination, abs=INCLINATION)
    assert abs(climb) < 1.0


@pytest.mark.parametrize("northward", [True, False])
def test_heading(northward):
    """A steep orbit is entered going the way that was asked for, over the site's pole or its equator side."""
    body = solved(launch(inclination=80, northward=northward))
    assert bool(measured(body, when(body, "orbit")[0])[4] > 0.0) is northward


@pytest.mark.parametrize(
    ("lat", "inclination", "northward"), [(28.57, 28.41, True), (28.57, 151.59, False), (-34, 34, False), (0, 0, True)]
)
def test_least_inclination(lat, inclination, northward):
    """Where the orbit only touches the site's latitude."""
    body = solved(launch(160, 160, inclination, northward, lat=math.radians(lat)), end_ns=0)
    assert measured(body, when(body, "orbit")[0])[2] == pytest.approx(math.radians(inclination), abs=INCLINATION)


def test_body():
    thing = launch()
    body = solved(thing)
    assert (body.kind, body.parent, body.start_ns) == ("launch", "", thing.launch_ns)
    assert [name for name, _ in body.events] == ["launch", "separation", "burnout", "orbit"]
    facts = body.facts
    assert len(body.burns) == 2
    assert body.burns[0][:2] == (thing.launch_ns, when(body, "separation")[0])
    assert body.burns[1][0] == thing.launch_ns + round((facts["stage1.burn"] + facts["stage1.coast"]) * 1e9)
    assert body.burns[1][1] == body.cutoff_ns == when(body, "orbit")[0]
    first = ecef_to_geodetic(to_ecef(body.nodes[0, 1:4], THETA0 + OMEGA_GMST * 60.0))
    np.testing.assert_allclose(first, [thing.lat, thing.lon, 10.0], atol=1e-6)
    assert bodies_ephemeris([body]).span(0)[1] >= END_NS
    assert facts["perigee"] == pytest.approx(200e3, abs=HEIGHT_M)
    assert 50e3 < facts["staging_height"] < 110e3
    # speed over the ground: an eastward orbit at this latitude is 200 to 465 m/s slower than in eci
    at = bodies_ephemeris([body]).states(0, body.cutoff_ns)[0]
    assert 150.0 < np.linalg.norm(at[3:]) - facts["end_speed"] < 465.0


def test_no_node_jumps():
    """Every node is where its forerunner leads: half the change of acceleration over a step bounds the difference."""
    nodes = solved(launch(165, 165, 28.5, raised=(165e3, 35786e3))).nodes
    dt = np.diff(nodes[:, 0])
    assert np.all(dt >= 0.0)
    led = nodes[:-1, 1:4] + dt[:, None] * (nodes[:-1, 4:7] + nodes[1:, 4:7]) / 2.0
    off = np.linalg.norm(nodes[1:, 1:4] - led, axis=1)
    bound = np.linalg.norm(nodes[1:, 7:10] - nodes[:-1, 7:10], axis=1) * dt**2 / 6.0
    assert np.all(off <= bound + 0.01)


def test_orbit_keeps_its_energy_without_air():
    """With J2 in the potential, over two revolutions; and its momentum about the pole."""
    body = solved(launch(), launcher(beta=Spread(1e15)))
    x = body.nodes[body.nodes[:, 0] >= (body.cutoff_ns - body.start_ns) / 1e9, 1:7]
    assert len(x) > 20
    energy = np.array([0.5 * row[3:] @ row[3:] + potential(*row[:3]) for row in x])
    pole = x[:, 0] * x[:, 4] - x[:, 1] * x[:, 3]
    assert np.ptp(energy) < 1e-8 * abs(energy[0])
    assert np.ptp(pole) < 1e-8 * abs(pole[0])


def test_second_burn_to_a_transfer_orbit():
    body = solved(launch(165, 165, 28.5, raised=(165e3, 35786e3)))
    assert [name for name, _ in body.events][-2:] == ["burnout", "orbit"]
    low, high, i, climb, _ = measured(body, when(body, "orbit")[1])
    assert (low, high) == pytest.approx((165e3, 35786e3), abs=HEIGHT_M)
    assert i == pytest.approx(math.radians(28.5), abs=math.radians(0.1))
    assert abs(climb) < 1.0
    # it burns over the equator, and for as long as Tsiolkovsky wants for the speed from the circle to the ellipse
    x = bodies_ephemeris([body]).states([0, 0], [*when(body, "orbit")])
    middle = bodies_ephemeris([body]).states(0, sum(body.burns[2][:2]) // 2)[0]
    assert abs(middle[2]) < 100e3
    gained = np.linalg.norm(x[1, 3:]) - np.linalg.norm(x[0, 3:])
    f = body.facts
    first = (body.burns[1][1] - body.burns[1][0]) / 1e9
    second = (body.burns[2][1] - body.burns[2][0]) / 1e9
    mass = 1.0 - f["stage2.thrust"] / f["stage2.exhaust"] * np.array([first, first + second])
    assert gained == pytest.approx(f["stage2.exhaust"] * math.log(mass[0] / mass[1]), rel=0.02)  # what gravity takes
    assert first + second <= f["stage2.burn"]


def test_second_burn_at_the_apogee():
    """Two seconds of thrust: the size is as asked, the ends within what J2 moves the apogee by."""
    body = solved(launch(185, 600, 51.6, raised=(600e3, 600e3)))
    low, high, _, _, _ = measured(body, when(body, "orbit")[1])
    assert low + high == pytest.approx(1200e3, abs=HEIGHT_M)
    assert (low, high) == pytest.approx((600e3, 600e3), abs=15e3)
    assert when(body, "orbit")[1] - when(body, "orbit")[0] == pytest.approx(46.5 * 60e9, rel=0.02)  # half a revolution


def test_thrust_that_ends_early():
    whole, cut = solved(launch()), solved(launch(cutoff=400.0))
    assert [name for name, _ in cut.events] == ["launch", "separation", "burnout", "apogee", "entry", "impact"]
    assert cut.cutoff_ns == cut.start_ns + 400 * 10**9
    assert cut.burns[1][1] == cut.cutoff_ns
    both = Ephemeris([whole.start_ns, cut.start_ns], [whole.nodes, cut.nodes])
    t = whole.start_ns + np.array([5, 100, 200, 399]) * 10**9
    np.testing.assert_allclose(both.states(0, t)[:, :3], both.states(1, t)[:, :3], atol=0.1)
    lat, lon, height = ecef_to_geodetic(to_ecef(cut.nodes[-1, 1:4], THETA0 + OMEGA_GMST * (60.0 + cut.nodes[-1, 0])))
    assert abs(height) < 1.0
    assert (cut.facts["impact_lat"], cut.facts["impact_lon"]) == pytest.approx((lat, lon), abs=1e-6)
    assert both.span(1)[1] == when(cut, "impact")[0] == cut.facts["impact_ns"]


@pytest.mark.parametrize("cutoff", [5.0, 60.0, 157.0])
def test_first_stage_that_fails(cutoff):
    body = solved(launch(cutoff=cutoff))
    assert body.events[-1][0] == "impact"
    assert len(body.burns) == 1
    assert body.burns[0][1] <= body.start_ns + round(cutoff * 1e9)


def test_second_burn_that_fails_stays_in_the_first_orbit():
    body = solved(launch(165, 165, 28.5, raised=(165e3, 35786e3), cutoff=1000.0))
    assert [name for name, _ in body.events] == ["launch", "separation", "burnout", "orbit"]
    assert body.facts["apogee"] == pytest.approx(165e3, abs=HEIGHT_M)


def test_air_brings_a_light_object_down():
    body = solved(launch(150, 150, 51.6), launcher(beta=Spread(5.0)))
    assert [name for name, _ in body.events][-3:] == ["orbit", "entry", "impact"]
    at = ecef_to_geodetic(to_ecef(body.nodes[-1, 1:4], 0.0))
    assert abs(at[2]) < 1.0


def test_kick_spends_least():
    """A degree more or less burns longer."""
    flight_class, thing = launcher(), launch()
    drawn = draw_class(flight_class, 1, thing.key)
    trial = Trial(thing, thing.orbit, drawn, 2, THETA0)
    found = trial.ascent()
    assert found is not None
    start = np.array([found.azimuth, *found.tangent, found.end_s, found.yaw])
    for other in (-0.02, 0.02):
        at = trial.solved(found.kick + other, start, 1.0)
        assert at is not None
        assert at[3] > found.end_s


def test_three_stages():
    stages = (
        Stage(Spread(110.0), Spread(15.0), Spread(2600.0), Spread(5.0), Spread(1e6)),
        Stage(Spread(120.0), Spread(16.0), Spread(2900.0), Spread(5.0), Spread(5e5)),
        Stage(Spread(300.0), Spread(10.0), Spread(3000.0), Spread(0.0), Spread(2e5)),
    )
    body = solved(launch(300, 400, 63), launcher(stages=stages))
    assert [w for _, _, w in body.burns] == [1e6, 5e5, 2e5]
    low, high, _, _, _ = measured(body, when(body, "orbit")[0])
    assert (low, high) == pytest.approx((300e3, 400e3), abs=HEIGHT_M)


def test_draws_hang_on_content_not_on_names():
    one, renamed = solved(launch(), end_ns=0), solved(launch(id="other"), end_ns=0)
    np.testing.assert_array_equal(one.nodes, renamed.nodes)
    assert replace(renamed, id="launch") == one
    assert solved(launch(key="b" * 32), end_ns=0).facts["stage1.burn"] != one.facts["stage1.burn"]
    assert solved(launch(), seed=2, end_ns=0).facts["stage1.burn"] != one.facts["stage1.burn"]


def test_osculating_against_a_known_orbit():
    """An ellipse of given elements at its perigee on the ascending node."""
    r, i, node = A + 300e3, 1.1, 2.2
    v = math.sqrt(MU * (2 / r - 2 / (2 * A + 1200e3)))
    x = np.array([r * math.cos(node), r * math.sin(node), 0.0])
    along = np.array([-math.sin(node) * math.cos(i), math.cos(node) * math.cos(i), math.sin(i)])
    orbit = osculating(np.concatenate([x, v * along]))
    assert (orbit.perigee, orbit.apogee) == pytest.approx((300e3, 900e3), abs=1e-3)
    assert (orbit.inclination, orbit.raan) == pytest.approx((i, node), abs=1e-12)
    assert osculating(np.concatenate([x, 2 * v * along])).apogee == math.inf


def exact(**changes):
    """A class without spread whose second stage is weak."""
    stages = (
        Stage(Spread(154.0), Spread(13.1), Spread(2950.0), Spread(10.0), Spread(1e6)),
        Stage(Spread(397.0), Spread(7.98), Spread(3413.0), Spread(0.0), Spread(5e5)),
    )
    return FlightClass(
        "plain", "Plain", "space-launch", "cutoff", changes.pop("stages", stages), Spread(10.0), Spread(40.0),
        Spread(40_000.0), Spread(300.0), Spread(8.0), Spread(4.0), Spread(0.0), Spread(0.0), (0.0, 0.0), 1.0, **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("thing", "constraint", "text"),
    [
        (
            launch(inclination=20),
            "inclination",
            "launch: class plain cannot enter an orbit of 20.00 deg from latitude 28.57 deg without leaving its plane:"
            " inclinations from there lie between 28.41 and 151.59 deg; nearest: 28.41 deg",
        ),
        (launch(inclination=170), "inclination", "nearest: 151.59 deg"),
        (
            launch(1500, 1500),
            "thrust",
            r"launch: class plain has not the thrust for 1500 x 1500 km at 51.6 deg; nearest: \d+ x \d+ km",
        ),
        (launch(200, 300_000), "thrust", r"nearest: 200 x \d{4,6} km"),
        (
            launch(200, 200, raised=(200e3, 4e8)),
            "thrust",
            "launch: class plain reaches 200 x 200 km at 51.6 deg but has not the propellant for 200 x 400000 km after"
            " it; nearest: 200 x 200 km",
        ),
        (
            launch(185, 600, raised=(900e3, 1000e3)),
            "raised",
            "launch: class plain: one more burn does not lead from 185 x 600 km to 900 x 1000 km: the second orbit must"
            " touch the first at its perigee or apogee; nearest: 600 x 1000 km",
        ),
        (
            launch(185, 600, raised=(160e3, 600e3)),
            "raised",
            r"launch: class plain: the second orbit \(160 x 600 km\) must lie over the first",
        ),
    ],
)
def test_what_cannot_be_is_refused(thing, constraint, text):
    with pytest.raises(LaunchImpossible, match=text) as raised:
        solved(thing, exact())
    assert raised.value.constraint == constraint
    assert isinstance(raised.value, FlightImpossible)


def test_the_nearest_orbit_can_be_flown():
    with pytest.raises(LaunchImpossible) as raised:
        solved(launch(1500, 1500), exact())
    nearest = raised.value.nearest_orbit
    assert nearest is not None
    assert raised.value.nearest == (nearest.perigee, nearest.apogee)
    assert 300e3 < nearest.perigee < 1500e3
    body = solved(launch(orbit=nearest), exact())
    assert body.facts["perigee"] == pytest.approx(nearest.perigee, abs=HEIGHT_M)


def test_classes_that_reach_no_orbit():
    one = exact().stages[0]
    weak = msgspec.structs.replace(one, thrust=Spread(9.0))
    with pytest.raises(LaunchImpossible, match=re.escape("class plain has 1 stage(s); an ascent to orbit needs two")):
        solved(launch(), exact(stages=(one,)))
    with pytest.raises(LaunchImpossible, match=r"does not lift off: its first stage gives 9\.0 m/s2"):
        solved(launch(), exact(stages=(weak, one)))
    small = msgspec.structs.replace(one, burn=Spread(60.0))
    with pytest.raises(LaunchImpossible, match=r"reaches no orbit at that inclination \(asked: 200 x 250 km"):
        solved(launch(), exact(stages=(one, small)))


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (launch(orbit=None), "launch: a launch to orbit needs an orbit"),
        (launch(100, 300), "perigee must be at least 140 km and its apogee no lower, found 100 x 300 km"),
        (launch(300, 200), "perigee must be at least 140 km and its apogee no lower, found 300 x 200 km"),
        (launch(math.nan, 200), "perigee must be at least 140 km"),
        (launch(200, math.inf), "found 200 x inf km"),
        (launch(raised=(50e3, 900e3)), "the raised orbit's perigee must be at least 140 km"),
        (launch(inclination=-5), "inclination must be 0 to 180 deg, found -5"),
        (launch(inclination=math.nan), "inclination must be 0 to 180 deg, found nan"),
    ],
)
def test_orbits_that_are_none(thing, text):
    with pytest.raises(ValueError, match=text):
        solved(thing, exact())
