"""Boost-glide flights: what is asked is what is flown, or it is refused and says why."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.dynamics.kernels import height_of
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.scenario.specs import FlightClass, FlightObject, Glide, Spread, Stage
from tocsin.truth.body import bodies_ephemeris
from tocsin.truth.classes import FlightImpossible
from tocsin.truth.gliders import solve_glide

THETA0 = 1.3


def glider(relative=1.0, **changes):
    """Three solid stages and a glider after the open figures; ``relative``: share of the class's spreads."""

    def spread(nominal, deviation):
        return Spread(nominal, deviation * relative)

    stages = tuple(
        Stage(spread(burn, 0.8), spread(thrust, 0.5), spread(exhaust, 20.0), spread(coast, 0.1 * coast), Spread(4e5))
        for burn, thrust, exhaust, coast in ((60, 29, 2550, 1), (60, 30.5, 2750, 1), (58, 33, 2800, 0))
    )
    made = FlightClass(
        "boost-glide", "Boost-glider", "boost-glide", "cutoff", stages, spread(4.0, 0.4), spread(60.0, 6.0),
        spread(10000.0, 1200.0), spread(26000.0, 3000.0), spread(3.0, 0.6), spread(0.2, 0.05), Spread(9e4),
        Spread(2e5), (2e6, 1.2e7), 0.05,
        glide=Glide(spread(2.6, 0.2), spread(13000.0, 1300.0), "equilibrium", 50.0, 2200.0),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def lifted(made, **changes):
    return msgspec.structs.replace(made, glide=msgspec.structs.replace(made.glide, **changes))


def thing(**changes):
    values = {
        "id": "g", "key": "k1", "class_id": "boost-glide", "launch_ns": 5_000_000_000, "lat": math.radians(34.7),
        "lon": math.radians(-120.6), "h": 100.0, "azimuth": math.radians(265.0), "range": 6e6, "apogee": 0.0,
    }  # fmt: skip
    return FlightObject(**{**values, **changes})


def came_down(body):
    """Latitude and longitude of the end of the ephemeris, measured from it alone."""
    t = body.nodes[-1, 0]
    ecef = to_ecef(body.nodes[-1, 1:4], THETA0 + OMEGA_GMST * (body.start_ns / 1e9 + t))
    return ecef_to_geodetic(ecef)


def misses(body, asked):
    lat, lon, h = came_down(body)
    aim = direct(asked.lat, asked.lon, asked.azimuth, asked.range)
    assert abs(h) < 0.01
    return inverse(lat, lon, aim[0], aim[1])[0]


@given(
    st.floats(2.2e6, 9e6), st.floats(0, 2 * math.pi), st.floats(-60, 60), st.integers(0, 10**6),
    st.sampled_from([(), ((50.0, 0.5), (250.0, -0.5), (450.0, 0.0))]),
)  # fmt: skip
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
def test_solve_fly_measure_gives_back_what_was_asked(distance, azimuth, lat, seed, bank):
    asked = thing(range=distance, azimuth=azimuth, lat=math.radians(lat), bank=bank)
    body = solve_glide(asked, glider(), THETA0, seed)
    assert misses(body, asked) < 10.0
    assert body.facts["entry_angle"] == pytest.approx(math.radians(-4.0), abs=math.radians(1.0))


def test_apogee_asked_for():
    asked = thing(apogee=2.5e5)
    body = solve_glide(asked, glider(), THETA0, 3)
    assert misses(body, asked) < 10.0
    top = max(height_of(*row[1:4]) for row in body.nodes)
    assert body.facts["apogee"] == pytest.approx(2.5e5, abs=1000.0)
    assert top == pytest.approx(2.5e5, abs=1500.0)


def test_an_end_point_is_the_same_as_its_azimuth_and_range():
    lat, lon, _ = direct(thing().lat, thing().lon, thing().azimuth, thing().range)
    by_end = solve_glide(thing(end=(lat, lon), azimuth=0.0, range=0.0), glider(), THETA0, 1)
    by_range = solve_glide(thing(), glider(), THETA0, 1)
    assert misses(by_end, thing()) < 10.0
    assert by_end.facts["impact_s"] == pytest.approx(by_range.facts["impact_s"], abs=0.01)


def test_what_the_body_says():
    body = solve_glide(thing(), glider(), THETA0, 1)
    assert (body.kind, body.parent, body.class_id, body.start_ns) == ("glide", "", "boost-glide", 5_000_000_000)
    names = [name for name, _ in body.events]
    assert names == ["launch", "burnout", "apogee", "entry", "pull-up", "dive", "impact"]
    times = [t for _, t in body.events]
    assert times == sorted(times)
    at = bodies_ephemeris([body])
    low, high = at.span(0)
    assert (low, high) == (times[0], pytest.approx(times[-1], abs=2))
    moments = dict(body.events)
    assert height_of(*at.states(0, moments["entry"])[0, :3]) == pytest.approx(1e5, abs=1.0)
    assert len(body.burns) == 3
    assert body.burns[-1][1] == body.cutoff_ns == moments["burnout"]
    assert body.burns[0][2] == 4e5
    assert body.facts["dive_speed"] >= 2200.0 - 1e-6
    assert body.facts["peak_lift"] <= 50.0 + 1e-9
    assert body.rcs == body.facts["rcs"]
    assert len(body.nodes) < 3000


def test_joined_nodes_of_boost_and_glide_do_not_jump():
    body = solve_glide(thing(), glider(), THETA0, 1)
    dt = np.diff(body.nodes[:, 0])
    assert np.all(dt >= 0.0)
    same = dt == 0.0
    assert np.abs(np.diff(body.nodes[:, 1:7], axis=0)[same]).max() < 1e-9


def test_the_same_seed_and_key_fly_the_same_whatever_the_name():
    one = solve_glide(thing(), glider(), THETA0, 9)
    two = solve_glide(thing(id="other"), glider(), THETA0, 9)
    three = solve_glide(thing(key="k2"), glider(), THETA0, 9)
    assert np.array_equal(one.nodes, two.nodes)
    assert one.facts["glide.lift_to_drag"] != three.facts["glide.lift_to_drag"]
    assert abs(one.facts["glide.lift_to_drag"] - 2.6) <= 0.6


def test_early_end_of_thrust_ends_elsewhere():
    full = solve_glide(thing(), glider(0.0), THETA0, 1)
    body = solve_glide(thing(cutoff=90.0), glider(0.0), THETA0, 1)
    assert body.cutoff_ns == 5_000_000_000 + 90_000_000_000
    assert len(body.burns) == 2
    assert body.facts["range"] < 0.5 * full.facts["range"]
    assert "entry" not in dict(body.events)  # too slow to leave the air
    assert came_down(body)[2] == pytest.approx(0.0, abs=0.01)


def test_skipping_it_comes_down_there_too():
    asked = thing(range=5e6)
    body = solve_glide(asked, lifted(glider(0.0), mode="skip"), THETA0, 1)
    assert misses(body, asked) < 10.0


def test_energy_by_thrust():
    asked = thing(range=5e6)
    body = solve_glide(asked, glider(0.0, energy="thrust"), THETA0, 1)
    assert misses(body, asked) < 10.0
    assert body.facts["thrust_scale"] != 1.0
    assert body.cutoff_ns - body.start_ns == 180_000_000_000


@pytest.mark.parametrize(("distance", "said"), [(19.9e6, "it reaches"), (8e5, "diving as soon as it glides")])
def test_out_of_range(distance, said):
    with pytest.raises(FlightImpossible, match=f"cannot fly a range of .* km: .*{said}") as e:
        solve_glide(thing(range=distance), glider(0.0), THETA0, 1)
    assert e.value.constraint == "range"
    near = e.value.nearest
    # what is called nearest can be flown
    body = solve_glide(thing(range=near[0] + math.copysign(1e3, distance - near[0]) * -1.0), glider(0.0), THETA0, 1)
    assert body.facts["apogee"] == pytest.approx(near[1], rel=0.05)


def test_other_constraints():
    with pytest.raises(FlightImpossible, match="its apogees lie between") as e:
        solve_glide(thing(apogee=9e6), glider(0.0), THETA0, 1)
    assert e.value.constraint == "apogee"
    assert e.value.nearest[1] < 9e6
    with pytest.raises(FlightImpossible, match="does not pull out of the entry with 3 m/s2 of lift") as e:
        solve_glide(thing(), lifted(glider(0.0), pull_up=3.0), THETA0, 1)
    assert e.value.constraint == "pull-up"
    weak = glider(0.0)
    weak = msgspec.structs.replace(
        weak, stages=(msgspec.structs.replace(weak.stages[0], thrust=Spread(9.0)), *weak.stages[1:])
    )
    with pytest.raises(FlightImpossible, match=r"does not lift off: its first stage gives 9\.0 m/s2") as e:
        solve_glide(thing(), weak, THETA0, 1)
    assert e.value.constraint == "thrust"
    with pytest.raises(FlightImpossible, match="has no stage to fly"):
        solve_glide(thing(), glider(0.0, stages=()), THETA0, 1)
    with pytest.raises(FlightImpossible, match=r"glide.beta must be positive, drawn 0;"):
        solve_glide(thing(), lifted(glider(0.0), beta=Spread(0.0)), THETA0, 1)


@pytest.mark.parametrize(
    ("asked", "made", "said"),
    [
        ({}, {"glide": None}, "has no lift"),
        ({}, {"energy": "magic"}, "energy must be 'cutoff' or 'thrust', found 'magic'"),
        ({"flight_time": 900.0}, {}, "flight_time cannot be asked of a glider"),
        ({"shape": "lofted"}, {}, "shape cannot be asked of a glider"),
        ({"bank": ((10.0, 0.1), (10.0, 0.2))}, {}, r"bank\[1\] is at 10.0 s; times must rise"),
        ({"bank": ((10.0, 1.5),)}, {}, r"bank\[0\] is 85.9\d* deg; allowed are -75 to 75 deg"),
        ({"bank": ((10.0, math.nan),)}, {}, r"bank\[0\] is nan deg"),
        ({"range": math.nan}, {}, "range must be positive"),
        ({"range": 0.0}, {}, "range must be positive"),
        ({"lat": math.inf}, {}, "site and azimuth finite"),
        ({"apogee": -1.0}, {}, "apogee and cutoff not negative"),
    ],
)
def test_what_cannot_be_asked(asked, made, said):
    with pytest.raises(ValueError, match=said):
        solve_glide(thing(**asked), glider(0.0, **made), THETA0, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"mode": "loop"}, "glide.mode must be one of equilibrium, skip, found 'loop'"),
        ({"pull_up": 0.0}, "glide.pull_up must be positive, found 0.0"),
        ({"dive_speed": math.inf}, "glide.dive_speed must be positive, found inf"),
    ],
)
def test_what_no_class_can_be(changes, said):
    with pytest.raises(ValueError, match=said):
        solve_glide(thing(), lifted(glider(0.0), **changes), THETA0, 1)
