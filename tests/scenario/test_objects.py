"""Every form of an object and every new value of a class: from the file to the specs, and what is refused."""

import copy
import hashlib
import json
import math
import os
import re

import jsonschema
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tocsin.earth.frames import OMEGA_GMST, gmst82
from tocsin.earth.wgs84 import E2, A, ecef_to_geodetic, geodetic_to_ecef
from tocsin.scenario import Scenario, ScenarioError, catalogue, elementsets, loader, recorded, specs, template, yaml12
from tocsin.scenario.split import ecef_state

# Vanguard 1, as Vallado's test set and the SGP4 report have it
LINE_1 = "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753"
LINE_2 = "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667"

WHOLE = f"""\
id: small
title: A small one
start: 2000-06-28T00:00:00Z
duration: 60 min
partners:
  a:
    name: A
classes:
  srbm:
  irbm-liquid:
  icbm-liquid:
    truth:
      drag_mach: [[0, 1.2], [1, 1.6], [5, 1]]
      loose:
        - {{kind: stage, stage: 1, delay_s: 2 +- 0.2, speed_m_s: 5 +- 1, beta_kg_m2: 300, rcs_m2: 10 +- 2}}
        - {{kind: fairing, height_km: 110, count: 2, speed_m_s: 3, beta_kg_m2: 20, rcs_m2: 4}}
        - {{kind: debris, stage: 2, count: 12, speed_m_s: 8 +- 2, beta_kg_m2: 60 +- 15, rcs_m2: 0.05 +- 0.01}}
    belief:
      loose: []
  space-launch:
  glider:
    from: icbm-solid
    title: A glider
    family: boost-glide
    truth:
      glide:
        lift_to_drag: {{nominal: 2.6, spread: 0.1, source: notional}}
        beta_kg_m2: 8000 +- 500
        mode: equilibrium
        pull_up_m_s2: {{nominal: 60, source: notional}}
        dive_speed_m_s: 1500
objects:
  plain: {{class: srbm, launch: T+01:00, site: {{lat_deg: 1, lon_deg: 2}}, azimuth_deg: 3, range_km: 300,
          apogee_km: 90}}
  shaped: {{class: srbm, launch: T+02:00, site: {{lat_deg: 1, lon_deg: 2}}, azimuth_deg: 3, range_km: 300,
           shape: depressed}}
  timed:
    class: irbm-liquid
    launch: T+01:00
    site: {{lat_deg: 40, lon_deg: 300}}
    to: {{lat_deg: 50, lon_deg: 330}}
    flight_time: 19 min 30 s
    shape: lofted
    thrust_ends_s: 120
  parts:
    class: icbm-liquid
    launch: T+01:00
    site: {{lat_deg: 40, lon_deg: 20}}
    to: {{lat_deg: 70, lon_deg: 200}}
    shape: minimum-energy
    loose: true
  orbiter:
    class: space-launch
    launch: T+00:00
    site: {{lat_deg: 28.5, lon_deg: -80.5}}
    orbit: {{perigee_km: 200, apogee_km: 300, inclination_deg: 51.6, heading: south, raise_to_km: [200, 35786]}}
  glide:
    class: glider
    launch: T+00:00
    site: {{lat_deg: 0, lon_deg: 0}}
    azimuth_deg: 270
    range_km: 7000
    bank_deg: [[0, 10], [300, -15.5], [600, 0]]
  falls:
    state: {{at: T+03:00, lat_deg: 45, lon_deg: 10, height_km: 100, speed_m_s: 4000, azimuth_deg: 90, climb_deg: 30}}
    beta_kg_m2: 0
    rcs_m2: 0.5
    drag_mach: {{points: [[1, 2], [2, 1]], source: notional}}
    lasts: 5 min
  falls-as-its-class:
    class: icbm-liquid
    state: {{at: T+03:00, lat_deg: -45, lon_deg: 10, height_km: 1, speed_m_s: 0, azimuth_deg: 0}}
  recorded:
    starts: T+01:00
    rcs_m2: 20
    kind: aircraft
    burns: [{{from: T+01:00, to: T+01:10, intensity_kw_sr: 3}}]
    table: |
      # a comment
      t_s, lat_deg, lon_deg, height_m

      0, 45, 190, 1000
      10.5, 45.01, 190.02, 1100
      20, 45.02, 190.04, 1200.5
  vanguard:
    satellite:
      age_error: true
      tle: |
        {LINE_1}
        {LINE_2}
    rcs_m2: 0.1
  message:
    satellite:
      omm: {{OBJECT_NAME: X, EPOCH: "2000-06-27T18:50:19.733568", MEAN_MOTION: 10.82419157, ECCENTRICITY: 0.1859667,
            INCLINATION: 34.2682, RA_OF_ASC_NODE: 348.7242, ARG_OF_PERICENTER: 331.7664, MEAN_ANOMALY: 19.3264,
            BSTAR: 2.8098e-5, MEAN_MOTION_DOT: 2.3e-7, MEAN_MOTION_DDOT: 0, NORAD_CAT_ID: 5, REV_AT_EPOCH: 41366}}
    rcs_m2: 0.1
  slot: {{satellite: {{orbit: geo, longitude_deg: 140}}, rcs_m2: 20}}
  ellipse:
    satellite: {{orbit: ellipse, perigee_km: 500, apogee_km: 40000, inclination_deg: 63.4, argp_deg: 270,
                apogee_longitude_deg: 30, apogee_at: T+01:00}}
    rcs_m2: 5
  airliner:
    aircraft:
      starts: T+00:30
      climb_m_s: 10
      bank_deg: 30
      points:
        - {{lat_deg: 48, lon_deg: 11, height_km: 6}}
        - {{lat_deg: 49, lon_deg: 11, height_km: 10, speed_m_s: 230}}
        - {{lat_deg: 50, lon_deg: 12, height_km: 10}}
        - {{lat_deg: 51, lon_deg: 12, height_km: 4, speed_m_s: 150}}
    rcs_m2: 30
"""


@pytest.fixture(scope="module")
def whole():
    return Scenario.from_text(WHOLE, "f.yaml")


@pytest.fixture(scope="module")
def things(whole):
    return {thing.id: thing for thing in whole.split(gmst82)[0].objects}


def refused(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_text(text, "f.yaml")
    return [str(fault) for fault in caught.value.faults]


# ---- what was there before -------------------------------------------------------------------------------------------

# written down from the program as it was when an object had azimuth, range and apogee and nothing else
BEFORE = {
    "hokkaido-2017": ("5009331248be132dce7d81e24c20c888", "irbm-liquid", 0, 0.6841718418552878, 2.1934120989017187,
                      30.0, 1.2740903539558606, 2700000.0, 550000.0),
    "black-brant-1995": ("cd4b7ae3bc7591e9d70fe193276392d4", "sounding-rocket-bb12", 0, 1.2094084518769506,
                         0.27960174616949157, 10.0, 6.1086523819801535, 960000.0, 1453000.0),
    "template": ("340fed333e8f1209035379a973d27765", "mrbm", 30000000000, 0.6283185307179586, -0.5585053606381855, 0.0,
                 1.0471975511965976, 1200000.0, 280000.0),
}  # fmt: skip
# digests of all values of a class but the new ones
CLASSES_BEFORE = {
    "srbm": "c0ea77599c64d99e",
    "mrbm": "5ccf5c80fe255fd5",
    "irbm-liquid": "d7b44e435797d526",
    "icbm-liquid": "206a39df1a15fc71",
    "icbm-solid": "1c1938e7f8537451",
    "slbm": "aad589f33d3152e0",
    "sounding-rocket-bb12": "a5df18dfebbe2ed1",
}


def load(name):
    return Scenario.from_text(template("x")) if name == "template" else Scenario.load(name)


@pytest.mark.parametrize("name", BEFORE)
def test_objects_from_before_have_their_keys_and_values(name):
    (thing,) = load(name).split(gmst82)[0].objects
    assert msgspec.structs.replace(thing, loose=False) == specs.FlightObject(thing.id, *BEFORE[name])


@pytest.mark.parametrize("id", CLASSES_BEFORE)
def test_classes_from_before_have_their_values(id):
    merged = catalogue.merged_class(id, {})
    plain = msgspec.to_builtins(catalogue.flight_class(id, merged, "truth"))
    assert (plain.pop("drag_mach"), plain.pop("glide")) == ((), None)  # a table would change flights that were flown
    del plain["trough"], plain["warm"]  # what sensors make of it changes no flight
    plain.pop("loose")  # nothing comes off unless an object says so
    assert hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16] == CLASSES_BEFORE[id]


# ---- into specs ------------------------------------------------------------------------------------------------------


def test_it_is_written_and_read_back_and_fits_its_schema(whole):
    again = Scenario.from_text(whole.to_yaml())
    assert again == whole
    assert again.to_yaml() == whole.to_yaml()
    assert again.split(gmst82) == whole.split(gmst82)
    plain = whole.plain()
    validator = jsonschema.Draft202012Validator(Scenario.json_schema())
    validator.validate(json.loads(json.dumps(plain)))
    for broken in ({"launch": "T+0s"}, {"rcs_m2": 1.0}, {**plain["objects"]["slot"], "table": "x"}):
        assert not validator.is_valid({**plain, "objects": {"x": broken}})
    json.dumps(whole.as_dict())


def test_the_world_is_plain_data(whole):
    world, nations = whole.split(gmst82)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(world), type=specs.WorldSpec) == world
    for nation in nations.values():
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(nation), type=specs.NationSpec) == nation
    assert {type(thing).__name__ for thing in world.objects} == {
        "FlightObject", "StateObject", "TableObject", "OrbitObject", "AircraftObject",
    }  # fmt: skip


def test_launches(things):
    rad = math.radians
    assert (things["shaped"].shape, things["shaped"].apogee, things["shaped"].range) == ("depressed", 0.0, 3e5)
    timed = things["timed"]
    assert timed.end == pytest.approx((rad(50), rad(-30)))
    assert timed.lon == pytest.approx(rad(-60))
    assert (timed.flight_time, timed.shape, timed.cutoff, timed.azimuth, timed.range) == (1170.0, "lofted", 120.0, 0, 0)
    assert not timed.loose
    assert things["parts"].loose
    assert things["orbiter"].orbit == specs.TargetOrbit(2e5, 3e5, rad(51.6), False, (2e5, 35_786e3))
    assert things["glide"].bank == ((0.0, rad(10)), (300.0, rad(-15.5)), (600.0, 0.0))


def test_classes(whole):
    world, nations = whole.split(gmst82)
    truth = {c.id: c for c in world.classes}
    belief = {c.id: c for c in nations["a"].classes}
    icbm = truth["icbm-liquid"]
    assert icbm.drag_mach == belief["icbm-liquid"].drag_mach == ((0.0, 1.2), (1.0, 1.6), (5.0, 1.0))
    stage, fairing, debris = icbm.loose
    assert stage == specs.LooseKind(
        "stage", 1, 1, specs.Spread(2, 0.2), specs.Spread(5, 1), specs.Spread(300), specs.Spread(10, 2)
    )
    assert (fairing.kind, fairing.stage, fairing.height, fairing.count) == ("fairing", 0, 110e3, 2)
    assert (debris.stage, debris.count, debris.delay) == (2, 12, specs.Spread(0.0))
    assert belief["icbm-liquid"].loose == ()  # what the centres believe may differ
    assert truth["glider"].glide == specs.Glide(
        specs.Spread(2.6, 0.1), specs.Spread(8000, 500), "equilibrium", 60.0, 1500.0
    )
    assert truth["glider"].family == "boost-glide"
    assert truth["srbm"].glide is None


def test_a_state_is_where_it_is_said_to_be(things):
    falls = things["falls"]
    assert (falls.at_ns, falls.beta, falls.rcs, falls.lasts, falls.drag_mach) == (
        180 * 10**9, 0.0, 0.5, 300.0, ((1.0, 2.0), (2.0, 1.0)),
    )  # fmt: skip
    lat, lon, h = ecef_to_geodetic(list(falls.state[:3]))
    assert (math.degrees(lat), math.degrees(lon), h) == pytest.approx((45, 10, 100e3), abs=1e-6)
    other = things["falls-as-its-class"]
    assert (other.beta, other.rcs, len(other.drag_mach)) == (9000.0, 0.3, 3)
    assert other.state[3:] == (0.0, 0.0, 0.0)
    assert other.lasts == 57 * 60.0


@settings(max_examples=30, deadline=None)
@given(
    st.floats(-85, 85), st.floats(-180, 180), st.floats(0, 1e6), st.floats(1, 1e4), st.floats(0, 360),
    st.floats(-89, 89),
)  # fmt: skip
def test_a_state_has_the_speed_azimuth_and_climb_that_were_given(lat, lon, h, speed, azimuth, climb):
    state = ecef_state(*map(math.radians, (lat, lon)), h, speed, *map(math.radians, (azimuth, climb)))
    lat, lon, azimuth, climb = map(math.radians, (lat, lon, azimuth, climb))
    assert math.dist(state[:3], geodetic_to_ecef([lat, lon, h])) < 1e-6
    assert math.hypot(*state[3:]) == pytest.approx(speed)
    # ten metres along the velocity: what they do to height, latitude and longitude, by the ellipsoid's radii
    lat2, lon2, h2 = ecef_to_geodetic([p + v * 10.0 / speed for p, v in zip(state[:3], state[3:], strict=True)])
    w = math.sqrt(1.0 - E2 * math.sin(lat) ** 2)
    north = (float(lat2) - lat) * (A * (1.0 - E2) / w**3 + h)
    east = math.remainder(float(lon2) - lon, math.tau) * (A / w + h) * math.cos(lat)
    level = 10.0 * math.cos(climb)
    assert (north, east, h2 - h) == pytest.approx(
        (level * math.cos(azimuth), level * math.sin(azimuth), 10.0 * math.sin(climb)), abs=2e-3
    )


def test_a_recorded_path(things):
    thing = things["recorded"]
    assert (thing.kind, thing.rcs, thing.greatest_gap, thing.class_id) == ("aircraft", 20.0, 60.0, "")
    assert [row[0] for row in thing.rows] == [60_000_000_000, 70_500_000_000, 80_000_000_000]
    assert thing.rows[0][1:] == pytest.approx((math.radians(45), math.radians(-170), 1000.0))
    assert thing.rows[2][3] == 1200.5
    assert thing.burns == ((60 * 10**9, 70 * 10**9, 3e3),)


def test_satellites(things, whole):
    assert things["vanguard"].element_set == f"{LINE_1}\n{LINE_2}"
    assert things["vanguard"].age_error
    assert things["vanguard"].elements is None
    fields = json.loads(things["message"].element_set)
    assert fields["MEAN_MOTION"] == 10.82419157
    assert fields["NORAD_CAT_ID"] == 5
    slot = things["slot"].elements
    theta0 = whole.split(gmst82)[0].theta0
    assert math.remainder(slot.raan + slot.argp + slot.m0 - theta0 - math.radians(140), math.tau) == pytest.approx(0)
    assert 2 * math.pi * math.sqrt(slot.a**3 / 3.986004418e14) == pytest.approx(2 * math.pi / OMEGA_GMST, rel=1e-4)
    ellipse = things["ellipse"].elements
    assert ellipse.a * (1 + ellipse.e) - 6_378_137.0 == pytest.approx(40e6)
    assert things["ellipse"].element_set == ""


def test_an_element_set_may_have_its_name_before_it(whole):
    named = whole.with_("objects.vanguard.satellite.tle", ["VANGUARD 1", LINE_1, LINE_2])
    (thing,) = (o for o in named.split(gmst82)[0].objects if o.id == "vanguard")
    assert thing.element_set == f"{LINE_1}\n{LINE_2}"


def test_an_aircraft(things):
    thing = things["airliner"]
    assert thing.start_ns == 30 * 10**9
    assert [(p.h, p.speed) for p in thing.points] == [(6e3, 230), (10e3, 230), (10e3, 230), (4e3, 150)]
    assert (thing.climb, thing.bank, thing.rcs) == (10.0, math.radians(30), 30.0)


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_names_and_order_change_no_key(whole):
    world = whole.split(gmst82)[0]
    entries = whole.plain()["objects"]
    other = whole.with_("objects", {f"n{k}": entry for k, entry in enumerate(reversed(entries.values()))})
    strip = [msgspec.structs.replace(thing, id="") for thing in world.objects]
    assert strip == [msgspec.structs.replace(thing, id="") for thing in other.split(gmst82)[0].objects]
    assert len({thing.key for thing in world.objects}) == len(entries)
    assert all(len(thing.key) == 32 for thing in world.objects)


def test_following_what_comes_off_changes_no_key(whole):
    before, after = (s.split(gmst82)[0].objects for s in (whole, whole.with_("objects.parts.loose", False)))
    assert {thing.id: thing.key for thing in before} == {thing.id: thing.key for thing in after}
    assert any(thing.loose for thing in before)
    assert not any(getattr(thing, "loose", False) for thing in after)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("shaped.shape", "lofted"),
        ("plain.thrust_ends_s", 50.0),
        ("parts.to.lat_deg", 71.0),
        ("timed.flight_time", "20 min"),
        ("orbiter.orbit.heading", "north"),
        ("glide.bank_deg", [[0, 9]]),
        ("falls.rcs_m2", 0.6),
        ("falls.lasts", "4 min"),
        ("recorded.starts", "T+00:55"),
        ("recorded.kind", "flight"),
        ("vanguard.satellite.age_error", False),
        ("slot.satellite.longitude_deg", 141.0),
        ("airliner.aircraft.bank_deg", 20.0),
    ],
)
def test_what_an_object_is_changes_its_key_and_no_other(whole, path, value):
    before = {thing.id: thing.key for thing in whole.split(gmst82)[0].objects}
    after = {thing.id: thing.key for thing in whole.with_(f"objects.{path}", value).split(gmst82)[0].objects}
    assert {id for id in before if before[id] != after[id]} == {path.partition(".")[0]}


def test_equal_objects_of_every_form_are_told_apart(whole):
    entries = whole.plain()["objects"]
    twice = whole.with_("objects", {**entries, **{f"{id}-2": entry for id, entry in entries.items()}})
    assert len({thing.key for thing in twice.split(gmst82)[0].objects}) == 2 * len(entries)


# ---- what is refused -------------------------------------------------------------------------------------------------

ROWS = "      0, 45, 190, 1000\n"
FAULTS = [
    (
        "to: T+01:10",
        "to: T+02:10",
        "objects.recorded.burns.0: found a burn from T+01:00 to T+02:10; allowed: burns between the first and last row",
    ),
    (
        "shape: depressed",
        "shape: flat",
        "objects.shaped.shape: found 'flat' (a word); allowed: minimum-energy, lofted or depressed",
    ),
    (
        "shape: depressed",
        "shape: depressed, apogee_km: 90",
        "objects.shaped: found apogee_km and shape; allowed: one of apogee_km, shape and flight_time",
    ),
    (
        ",\n           shape: depressed",
        "",
        "objects.shaped: found nothing that says how it flies there; allowed: one of apogee_km",
    ),
    (
        "shape: depressed",
        "shape: depressed, flight_time: 5 min, apogee_km: 3",
        "objects.shaped: found apogee_km and shape and flight_time",
    ),
    (
        "azimuth_deg: 3, range_km: 300,\n           shape",
        "range_km: 300, shape",
        "objects.shaped: found only range_km; allowed: azimuth_deg and range_km, or `to`",
    ),
    (
        "azimuth_deg: 3, range_km: 300,\n           shape",
        "shape",
        "objects.shaped: found nothing that says where it goes",
    ),
    (
        "azimuth_deg: 3, range_km: 300,\n           shape",
        "azimuth_deg: 3, range_km: 300, to: {lat_deg: 1, lon_deg: 9}, shape",
        "objects.shaped: found azimuth_deg and range_km and to",
    ),
    (
        "azimuth_deg: 3, range_km: 300,\n           shape: depressed",
        "to: {lat_deg: 91, lon_deg: 9}, shape: depressed",
        "objects.shaped.to.lat_deg: found 91; allowed: at most 90",
    ),
    (
        "azimuth_deg: 3, range_km: 300,\n           shape",
        "azimuth_deg: , range_km: 300, shape",
        "objects.shaped.azimuth_deg: found nothing; allowed: a number, or no such key",
    ),
    (
        "    shape: lofted\n",
        "    shape: minimum-energy\n",
        "objects.timed.shape: found minimum-energy beside flight_time; allowed: lofted, depressed or none",
    ),
    ("flight_time: 19 min 30 s", "flight_time: 19", "objects.timed.flight_time: found 19; allowed: a word"),
    (
        "flight_time: 19 min 30 s",
        "flight_time: 0 s",
        "objects.timed.flight_time: found '0 s' (a word); allowed: a time over 0",
    ),
    ("thrust_ends_s: 120", "thrust_ends_s: 0", "objects.timed.thrust_ends_s: found 0; allowed: over 0"),
    (
        "class: srbm, launch: T+02:00",
        "loose: true, class: srbm, launch: T+02:00",
        "objects.shaped.loose: found true for srbm, of which nothing comes off",
    ),
    (
        "orbit: {perigee_km: 200, apogee",
        "orbit: {perigee_km: 400, apogee",
        "objects.orbiter.orbit.perigee_km: found 400 over an apogee of 300",
    ),
    (
        "raise_to_km: [200, 35786]",
        "raise_to_km: [35786, 200]",
        "objects.orbiter.orbit.raise_to_km: found [35786, 200]; allowed: perigee and apogee, the lower first",
    ),
    (
        "heading: south",
        "heading: east",
        "objects.orbiter.orbit.heading: found 'east' (a word); allowed: north or south",
    ),
    (
        "    class: space-launch",
        "    class: srbm",
        "objects.orbiter.orbit: found an orbit for the family ballistic; allowed: a class of the family space-launch",
    ),
    (
        "    class: space-launch",
        "    apogee_km: 3\n    class: space-launch",
        "objects.orbiter.apogee_km: found apogee_km beside orbit; allowed: orbit alone",
    ),
    (
        "    range_km: 7000",
        "    range_km: 7000\n    apogee_km: 100\n    shape: lofted",
        "objects.glide.shape: found shape for the family boost-glide; allowed: apogee_km, of the flight before",
    ),
    ("[300, -15.5]", "[0, -15.5]", "objects.glide.bank_deg: found times that do not rise"),
    ("[300, -15.5]", "[300, -95]", "objects.glide.bank_deg.1.1: found -95; allowed: at least -75"),
    (
        "    class: glider",
        "    shape: lofted\n    class: srbm",
        "objects.glide.bank_deg: found bank angles for the family ballistic",
    ),
    (
        "at: T+03:00, lat_deg: 45",
        "at: T+01:03:00, lat_deg: 45",
        "objects.falls.state.at: found 'T+01:03:00' (a word), a state after the end",
    ),
    ("    beta_kg_m2: 0\n", "", "objects.falls: found neither beta_kg_m2 nor a class; allowed: the one or the other"),
    (
        "height_km: 1, speed_m_s: 0",
        "height_km: 0, speed_m_s: 900",
        "objects.falls-as-its-class.state.height_km: found 0 km, going down or standing; allowed: a height over 0",
    ),
    (
        "      20, 45.02",
        "      20, 45.5",
        "objects.recorded.table: found line 6 of the table: 5,739 m/s from the row",
    ),
    ("    lasts: 5 min", "    lasts: 0 s", "objects.falls.lasts: found '0 s' (a word); allowed: a time over 0"),
    (
        "[[1, 2], [2, 1]]",
        "[[2, 2], [2, 1]]",
        "objects.falls.drag_mach: found a mapping of 2; allowed: Mach numbers that rise: 2 stands after 2",
    ),
    ("[[0, 1.2], [1, 1.6], [5, 1]]", "[[0, 0], [5, 1]]", "classes.icbm-liquid.truth.drag_mach.0.1"),
    (
        "    class: icbm-liquid\n    state",
        "    class: mrbm\n    state",
        "objects.falls-as-its-class.class: found 'mrbm' (a word); allowed: a class that stands under `classes`; "
        "near: srbm; mrbm is bundled",
    ),
    (
        "climb_deg: 30}",
        "climb_deg: 30}\n    site: {lat_deg: 1, lon_deg: 1}",
        "objects.falls.site: found the key 'site' in an object that has `state`",
    ),
    (
        "climb_deg: 30}",
        "climb_deg: 30}\n    satellite: {}",
        "objects.falls.satellite: found the key 'satellite' beside `state`; "
        "allowed: one of launch, state, table, file, satellite, aircraft",
    ),
    (
        "climb_deg: 30}",
        "climb_deg: 30}\n    betta_kg_m2: 5",
        "objects.falls.betta_kg_m2: found the unknown key 'betta_kg_m2'; allowed: did you mean beta_kg_m2?",
    ),
    (
        "    table: |",
        "    tabel: |",
        "objects.recorded: found a mapping of 5; allowed: a mapping with one of launch, state, table",
    ),
    ("    rcs_m2: 20\n", "", "objects.recorded: found neither rcs_m2 nor a class"),
    (
        "    rcs_m2: 20\n",
        "    rcs_m2: 20\n    greatest_gap_s: 10\n",
        "objects.recorded.table: found line 5 of the table: a gap of 10.5 s, from 0 s; allowed: at most 10 s",
    ),
    (
        "      20, 45.02",
        "      10.5, 45.02",
        "objects.recorded.table: found line 6 of the table: the time 10.5 s again; allowed: times that rise",
    ),
    (
        "      20, 45.02",
        "      nan, 45.02",
        "objects.recorded.table: found line 6 of the table: t_s 'nan'; allowed: a finite number",
    ),
    (
        "starts: T+01:00",
        "starts: T+02:00:00",
        "objects.recorded.starts: found 'T+02:00:00' (a word), a table after the end",
    ),
    (
        "{from: T+01:00, to: T+01:10",
        "{from: T+03:00, to: T+01:10",
        "objects.recorded.burns.0.to: found 'T+01:10' (a word); allowed: a time after `from`",
    ),
    (
        "intensity_kw_sr: 3}]",
        "intensity_kw_sr: 3}, {from: T+01:05, to: T+01:15, intensity_kw_sr: 3}]",
        "objects.recorded.burns.1.from: found 'T+01:05' (a word); allowed: burns in their order",
    ),
    (
        "0  4753",
        "0  4754",
        "objects.vanguard.satellite.tle: found line 1 with the checksum 4; allowed: 3, as its digits give",
    ),
    (
        "      age_error: true\n",
        "      age_error: true\n      orbit: geo\n",
        "objects.vanguard.satellite: found tle and orbit; allowed: one of tle, omm, orbit",
    ),
    (
        "      age_error: true\n",
        "      raan_deg: 3\n",
        "objects.vanguard.satellite.raan_deg: found raan_deg beside tle; allowed: tle alone",
    ),
    (
        "ECCENTRICITY: 0.1859667",
        "ECCENTRICITY: 1.2",
        "objects.message.satellite.omm.ECCENTRICITY: found '1.2'; allowed: from 0 to 1",
    ),
    (
        "ECCENTRICITY: 0.1859667",
        "ECCENTRICTY: 0.1859667",
        "objects.message.satellite.omm.ECCENTRICTY: found the unknown field 'ECCENTRICTY'; "
        "allowed: a field of an OMM; near: ECCENTRICITY",
    ),
    ("BSTAR: 2.8098e-5, ", "", "objects.message.satellite.omm: found no BSTAR"),
    (
        "orbit: geo, longitude_deg: 140",
        "orbit: geo",
        "objects.slot.satellite: found an orbit 'geo' without longitude_deg",
    ),
    (
        "orbit: geo, longitude_deg: 140",
        "orbit: geo, longitude_deg: 140, age_error: true",
        "objects.slot.satellite.age_error: found true beside orbit",
    ),
    (
        "orbit: geo, longitude_deg: 140",
        "orbit: geo, longitude_deg: 140, argp_deg: 3",
        "objects.slot.satellite.argp_deg: found argp_deg of a slot",
    ),
    ("orbit: geo, longitude_deg: 140", "age_error: false", "objects.slot.satellite: found no element set and no orbit"),
    (
        "perigee_km: 500, apogee_km: 40000",
        "perigee_km: 500, apogee_km: 400",
        "objects.ellipse.satellite.perigee_km: found 500 over an apogee of 400",
    ),
    (
        "apogee_longitude_deg: 30, apogee_at: T+01:00",
        "apogee_longitude_deg: 30",
        "objects.ellipse.satellite: found an orbit 'ellipse' without apogee_at",
    ),
    (
        "lat_deg: 49, lon_deg: 11, height_km: 10, speed_m_s: 230",
        "lat_deg: 49, lon_deg: 11, height_km: 10",
        "objects.airliner.aircraft.points.1: found no speed_m_s",
    ),
    (
        "lat_deg: 49, lon_deg: 11, height_km: 10",
        "lat_deg: 48, lon_deg: 371, height_km: 10",
        "objects.airliner.aircraft.points.1.lon_deg: found 371; allowed: at most 360",
    ),
    (
        "lat_deg: 50, lon_deg: 12",
        "lat_deg: 49, lon_deg: 11",
        "objects.airliner.aircraft.points.2: found the place of the point before again",
    ),
    (
        "starts: T+00:30",
        "starts: T+90min",
        "objects.airliner.aircraft.starts: found 'T+90min' (a word), an aircraft after the end",
    ),
    (
        "kind: stage, stage: 1",
        "kind: stage, stage: 3",
        "classes.icbm-liquid.truth.loose.0.stage: found 3; allowed: a stage from 1 to 2",
    ),
    (
        "kind: stage, stage: 1",
        "kind: stage",
        "classes.icbm-liquid.truth.loose.0: found stage without its stage; allowed: a stage from 1 to 2",
    ),
    (
        "kind: stage, stage: 1",
        "kind: stage, stage: 1, count: 2",
        "classes.icbm-liquid.truth.loose.0.count: found 2 spent stages; allowed: 1 (pieces are debris)",
    ),
    (
        "kind: debris, stage: 2",
        "kind: stage, stage: 1",
        "classes.icbm-liquid.truth.loose.2.stage: found stage 1 again; allowed: each stage falls once",
    ),
    (
        "kind: debris, stage: 2",
        "kind: debris, height_km: 3, stage: 2",
        "classes.icbm-liquid.truth.loose.2.height_km: found it for debris; allowed: a height only for a fairing",
    ),
    (
        "kind: fairing, height_km: 110",
        "kind: fairing, height_km: 110, stage: 1",
        "classes.icbm-liquid.truth.loose.1: found a stage and a height_km; "
        "allowed: a fairing that goes with a stage or at a height",
    ),
    (
        "kind: fairing, height_km: 110",
        "kind: fairing",
        "classes.icbm-liquid.truth.loose.1: found neither a stage nor a height_km",
    ),
    (
        "    family: boost-glide\n",
        "",
        "classes.glider.truth.glide: found glide in the family ballistic; "
        "allowed: glide in the family boost-glide only",
    ),
    (
        "    from: icbm-solid\n    title: A glider\n    family: boost-glide\n    truth:\n",
        "    from: icbm-solid\n    family: boost-glide\n    belief:\n",
        "classes.glider.truth: found no glide in the family boost-glide",
    ),
    (
        "dive_speed_m_s: 1500",
        "dive_speed_m_s: 1500 +- 10",
        "classes.glider.truth.glide.dive_speed_m_s: found '1500 +- 10' (a word); allowed: a number without a spread",
    ),
    (
        "mode: equilibrium",
        "mode: phugoid",
        "classes.glider.truth.glide.mode: found 'phugoid' (a word); allowed: equilibrium or skip",
    ),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS, ids=[f[2].partition(":")[0] + "=" + f[1][:24] for f in FAULTS])
def test_each_fault_is_told_with_its_place(old, new, said):
    assert old in WHOLE
    found = refused(WHOLE.replace(old, new, 1))
    assert sum(said in fault for fault in found) == 1, found
    assert all(fault.startswith("f.yaml:") and fault[7].isdigit() for fault in found)


def test_several_faults_of_several_objects_come_at_once():
    text = (
        WHOLE.replace("shape: depressed", "shape: flat")
        .replace("0  4753", "0  4754")
        .replace("      20, 45.02", "      5, 45.02")
        .replace("kind: stage, stage: 1", "kind: stage, stage: 3")
        .replace("raise_to_km: [200, 35786]", "raise_to_km: [35786, 200]")
    )
    assert len(refused(text)) == 5


def test_a_fault_in_a_short_list_is_one_fault():
    (said,) = refused(WHOLE.replace("height_km: 4, speed_m_s: 150", "height_km: 4, speed_m_s: 9000"))
    assert "objects.airliner.aircraft.points.3.speed_m_s: found 9000; allowed: at most 2000" in said
    short = re.sub(r"(      points:\n        - [^\n]*\n).*?(    rcs_m2: 30\n)", r"\1\2", WHOLE, flags=re.DOTALL)
    assert [line.partition(": ")[2] for line in refused(short)] == [
        "objects.airliner.aircraft.points: found a list of 1; allowed: at least 2"
    ]
    first = "        - {lat_deg: 48, lon_deg: 11, height_km: 6}\n"
    both = short.replace(first, first + "        - {lat_deg: 99, lon_deg: 11, height_km: 6}\n")
    assert len(refused(both)) == 1


def test_what_is_no_object_at_all():
    said = refused(WHOLE.replace("  slot: {satellite: {orbit: geo, longitude_deg: 140}, rcs_m2: 20}", "  slot: none"))
    assert said == [
        f"f.yaml:{WHOLE[: WHOLE.index('  slot:')].count(chr(10)) + 1}: objects.slot: found 'none' (a word); "
        "allowed: a mapping with one of launch, state, table, file, satellite, aircraft: it says how the object moves"
    ]


# ---- tables ----------------------------------------------------------------------------------------------------------

HEAD = "t_s,lat_deg,lon_deg,height_km\n"
TABLES = [
    ("", (1, "no table", recorded.FORM)),
    ("# nothing\n\n", (1, "no table", recorded.FORM)),
    ("t_s,lat_deg,lon_deg\n", (1, "no column height_km", recorded.FORM)),
    ("t_s,lat,lon_deg,height_km\n", (1, "the column 'lat'", None)),
    ("t_s,t_s,lat_deg,lon_deg,height_km\n", (1, "the column t_s twice", recorded.FORM)),
    ("t_s,lat_deg,lon_deg,height_km,height_m\n", (1, "height_km and height_m", recorded.FORM)),
    (HEAD + "0,1,2,3\n", (1, "1 rows", "at least two")),
    (HEAD + "0,1,2,3\n1,1,2\n", (3, "3 values", "4, as the first line names")),
    (HEAD + "0,1,2,3\n1,91,2,3\n", (3, "lat_deg 91", "from -90 to 90")),
    (HEAD + "-1,1,2,3\n1,1,2,3\n", (2, "t_s -1", "from 0 to 1e+07")),
    (HEAD + "0,1,2,3\n1,1,,3\n", (3, "lon_deg ''", "a finite number")),
    (HEAD + "0,1,2,3\n1,1,inf,3\n", (3, "lon_deg 'inf'", "a finite number")),
    (HEAD + "0,1,2,3\n1,1,1e999,3\n", (3, "lon_deg inf", "from -180 to 360")),
    (HEAD + "0,1,2,3\n5,1,2,3\n3,1,2,3\n", (4, "the time 3 s after 5 s", "times that rise")),
    (HEAD + "0,1,2,3\n5,1,2,3\n5,1,2,3\n", (4, "the time 5 s again", "times that rise")),
    (HEAD + "0,1,2,3\n1,2,2,3\n", (3, "111,247 m/s from the row before", "at most 15,000 m/s for a flight")),
    (HEAD + "0,1,2,3\n61,1,2,3\n", (3, "a gap of 61 s, from 0 s", "at most 60 s")),
]


@pytest.mark.parametrize(("text", "problem"), TABLES, ids=[str(t[1][1]) for t in TABLES])
def test_a_bad_table_is_refused_whole(text, problem):
    table, problems = recorded.parse(text, 60.0)
    assert table is None
    assert len(problems) == 1
    assert problems[0][:2] == problem[:2]
    assert problem[2] is None or problems[0][2] == problem[2]


def test_a_table_of_nonsense_ends_soon():
    table, problems = recorded.parse(HEAD + "x\n" * 100_000, 60.0)
    assert table is None
    assert len(problems) == recorded.MOST_PROBLEMS
    long = HEAD + "".join(f"{k},1,2,3\n" for k in range(recorded.MOST_ROWS + 10))
    table, problems = recorded.parse(long, 60.0)
    assert table is None
    assert [p[1] for p in problems] == ["more than 50,000 rows"]


CELLS = st.from_regex(r"(?s)t_s,lat_deg,lon_deg,height_km\n([-0-9.,e+#\n ]{0,80})", fullmatch=True)


@given(st.text(max_size=200) | CELLS)
def test_any_table_is_read_or_refused(text):
    table, problems = recorded.parse(text, 60.0)
    assert (table is None) == bool(problems)
    if table is not None:
        times = [row[0] for row in table.rows]
        assert times == sorted(set(times))
        assert all(math.isfinite(v) for row in table.rows for v in row)


# ---- tables in files of their own ------------------------------------------------------------------------------------

ROW_TEXT = HEAD + "0,1,2,3\n1,1.01,2.01,3.1\n"
WITH_FILE = """\
id: small
title: A small one
start: 2000-06-28T00:00:00Z
duration: 60 min
partners: {a: {name: A}}
classes: {srbm: }
objects:
  path:
    rcs_m2: 1
    file: FILE
"""


def write(tmp_path, name="track.csv", table=ROW_TEXT):
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "track.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    path = tmp_path / "mine.yaml"
    path.write_text(WITH_FILE.replace("FILE", json.dumps(name)))
    return path


def refusal(path):
    with pytest.raises(ScenarioError) as caught:
        Scenario.load(path)
    return str(caught.value)


def test_a_table_in_a_file_becomes_part_of_the_scenario(tmp_path):
    path = write(tmp_path, "data/track.csv", b"\xef\xbb\xbf" + ROW_TEXT.replace("\n", "\r\n").encode())
    scenario = Scenario.load(path)
    (thing,) = scenario.split(gmst82)[0].objects
    assert [row[0] for row in thing.rows] == [0, 10**9]
    (tmp_path / "data" / "track.csv").unlink()
    again = Scenario.from_text(scenario.text)
    assert again == scenario
    assert again.split(gmst82) == scenario.split(gmst82)
    assert again.sha256 == scenario.sha256
    assert scenario.model.objects["path"].table == ROW_TEXT


def test_the_text_of_a_file_without_tables_stays_as_it_is(tmp_path):
    text = "# a comment\n" + WHOLE
    (tmp_path / "x.yaml").write_text(text)
    assert Scenario.load(tmp_path / "x.yaml").text == text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../track.csv", "'../track.csv' (a word), out of the scenario's folder; allowed: a file in the scenario's"),
        ("/etc/passwd", "'/etc/passwd' (a word), out of the scenario's folder"),
        ("data/../../x", "out of the scenario's folder"),
        ("link/track.csv", "out of the scenario's folder"),
        ("none.csv", "'none.csv' (a word), which does not exist"),
        ("data", "'data' (a word), which is no file"),
        ("pipe", "'pipe' (a word), which is no file"),
        ("loop", "'loop' (a word), which"),
        ("", "an empty word, out of the scenario's folder"),
        ("a\0b", "text without control characters"),
        ("x" * 3000, "which cannot be read (File name too long)"),
    ],
)  # fmt: skip
def test_only_files_in_the_scenarios_folder_are_read(tmp_path, name, said):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "track.csv").write_text(ROW_TEXT)
    (inside / "link").symlink_to(tmp_path)
    (inside / "loop").symlink_to(inside / "loop")
    os.mkfifo(inside / "pipe")
    assert said in refusal(write(inside, name))


def test_faults_of_a_file_name_it_and_its_line(tmp_path):
    path = write(tmp_path, "data/track.csv", HEAD + "0,1,2,3\n0,1,2,3\n")
    assert refusal(path) == (
        f"{path}:10: objects.path.file: found 'data/track.csv' (a word), line 3 of the table: the time 0 s again; "
        "allowed: times that rise"
    )
    assert "on line 2 of which stand bytes that are not UTF-8 text" in refusal(
        write(tmp_path, "data/track.csv", b"a\n\xff")
    )
    assert "of over 2 MB; allowed: at most 2 MB" in refusal(write(tmp_path, "data/track.csv", b"1" * 2_000_001))
    assert "text without control characters" in refusal(write(tmp_path, "data/track.csv", b"\0\0"))


def test_all_tables_together_have_to_fit(tmp_path):
    rows = HEAD + "".join(f"{k},1.000000000000000000000000001,2.0000000000000000000001,3\n" for k in range(25_000))
    path = write(tmp_path, "data/track.csv", rows)
    more = "".join(f"  path{k}: {{rcs_m2: {k + 2}, file: data/track.csv}}\n" for k in range(4))
    path.write_text(path.read_text() + more)
    assert "more than the scenario can hold; allowed: tables of at most 4 MB together" in refusal(path)


def test_a_scenario_that_is_no_file_has_no_files():
    (said,) = refused(WITH_FILE.replace("FILE", "track.csv"))
    assert (
        "objects.path.file: found 'track.csv' (a word), a file, in a scenario that is none; allowed: `table:`" in said
    )


# ---- element sets ----------------------------------------------------------------------------------------------------


def signed(line: str) -> str:
    return line[:68] + str(elementsets.checksum(line))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (LINE_1, "1 lines"),
        (f"{LINE_1}\n{LINE_1}", "line 2 '1 00005U"),
        (f"{LINE_1}\n{LINE_2[:-1]}", "line 2 with 68 characters"),
        (f"{LINE_1}\n{LINE_2[:-1]}8", "line 2 with the checksum 8"),
        (f"{LINE_1}\n{signed(LINE_2.replace('00005', '00006'))}", "the satellites 00005 and 00006"),
        (f"{LINE_1}\n{signed(LINE_2.replace(' 34.2682', '234.2682'))}", "line 2 with the inclination '234.2682'"),
        (f"{LINE_1}\n{signed(LINE_2.replace('10.82419157', '00.00000000'))}", "line 2 with the mean motion 0"),
        (f"{signed(LINE_1.replace('179.784', '379.784'))}\n{LINE_2}", "line 1 with the epoch day '379.78495062'"),
        (f"{LINE_1}\n{LINE_2.replace('0', '٠', 1)}", "line 2 '2 "),
    ],
)  # fmt: skip
def test_element_sets_that_are_none(given, said):
    _, problems = elementsets.tle(given)
    assert len(problems) == 1
    assert said in problems[0][1]


def test_every_line_of_the_published_test_set_passes():
    # two more satellites of the SGP4 report's set: with minus signs, and with a deep-space orbit
    for lines in (
        ("1 06251U 62025E   06176.82412014  .00008885  00000-0  12808-3 0  3985",
         "2 06251  58.0579  54.0425 0030035 139.1568 221.1854 15.56387291  6774"),
        ("1 11801U          80230.29629788  .01431103  00000-0  14311-1      13",
         "2 11801  46.7916 230.4354 7318036  47.4722  10.4117  2.28537848    13"),
    ):  # fmt: skip
        assert elementsets.tle(lines) == ("\n".join(lines), [])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("EPOCH", "yesterday", "a UTC time such as"),
        ("MEAN_MOTION", 0, "from 1e-06 to 20"),
        ("NORAD_CAT_ID", "x", "a number of up to nine digits"),
        ("EPOCH", "2020-02-30T00:00:00", "a UTC time"),
        ("INCLINATION", "steep", "from 0 to 180"),
        ("REF_FRAME", "ITRF", "TEME"),
        ("CENTER_NAME", "MARS", "EARTH"),
    ],
)
def test_messages_that_are_none(whole, field, value, said):
    fields = dict(whole.plain()["objects"]["message"]["satellite"]["omm"])
    _, problems = elementsets.omm({**fields, field: value})
    assert [(p[0], p[2].startswith(said)) for p in problems] == [(field, True)]


# ---- long text -------------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(
    st.text(alphabet="ab1,.:#-|>\"\\' \n\t%&*!~\u00e9", max_size=160)
    | st.lists(st.text(alphabet="ab1,.:#- ", max_size=60), max_size=8).map("\n".join)
)
def test_any_text_is_written_so_that_it_is_read_back(text):
    for data in ({"a": text}, {"a": {"b": text, "c": 1}}, {"a": [{"b": text, "c": text}]}):
        document = yaml12.Document("f", yaml12.write(data))
        assert not document.faults
        expected = {"a": ({"b": text, "c": text},)} if isinstance(data["a"], list) else data
        assert document.plain == expected


def test_tables_are_written_as_they_stand(whole):
    assert "      10.5, 45.01, 190.02, 1100\n" in whole.to_yaml()


# ---- anything at all -------------------------------------------------------------------------------------------------

WHOLE_PLAIN = Scenario.from_text(WHOLE).plain()
PLAIN = WHOLE_PLAIN["objects"]


def paths_of(data, path=()):
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from paths_of(value, (*path, key))


ODD = st.sampled_from(
    [
        None, True, 0, -1, 1, 95, 1e300, "", "x", "T+01:00", "5 min", "srbm", "glider", "lofted", "geo", "ellipse", [],
        {}, [[1, 2], [2, 1]], {"lat_deg": 1, "lon_deg": 2}, "t_s,lat_deg,lon_deg,height_m\n0,1,2,3\n1,1,2,3\n",
        *PLAIN.values(),
    ]
)  # fmt: skip
KEYS = st.sampled_from(sorted({path[-1] for path in paths_of(PLAIN) if path and isinstance(path[-1], str)} | {"file"}))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([p for p in paths_of(PLAIN) if p]), ODD, KEYS, st.booleans()), max_size=3))
def test_good_objects_with_anything_put_anywhere_are_refused_or_load(changes):
    data = {**WHOLE_PLAIN, "objects": copy.deepcopy(PLAIN)}
    for path, value, key, add in changes:
        at = data["objects"]
        try:
            for part in path[:-1]:
                at = at[part]
            if add and isinstance(at[path[-1]], dict):
                at[path[-1]][key] = copy.deepcopy(value)
            else:
                at[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away

    faults = None
    try:
        made = Scenario(loader.validate(data, "f.yaml"), "", "f.yaml")
    except ScenarioError as error:
        faults = error.faults
    if faults is not None:
        assert faults
        assert all(f.found and f.allowed and str(f).isprintable() for f in faults)
        return
    assert Scenario.from_text(made.to_yaml()) == made
    world, _ = made.split(gmst82)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(world), type=specs.WorldSpec) == world
