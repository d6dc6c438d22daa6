"""Scenarios as objects: the bundled ones, changes, writing, the schema, the two sides."""

import json
import math
import re
from itertools import pairwise

import jsonschema
import msgspec
import pytest

from tocsin.command.doctrine import check_doctrine
from tocsin.earth.clock import parse_utc
from tocsin.earth.frames import gmst82
from tocsin.earth.random import stream_key
from tocsin.earth.wgs84 import A
from tocsin.scenario import Scenario, ScenarioError, bundled, bundled_ids, moments, specs, template
from tocsin.scenario.split import stream_seed

BUNDLED = ("black-brant-1995", "hokkaido-2017")


@pytest.fixture(scope="module", params=BUNDLED)
def scenario(request):
    return Scenario.load(request.param, check_doctrine)


def lists(data):
    return json.loads(json.dumps(data))


def test_bundled_are_listed_with_a_line_each():
    assert {id for id, _, _ in bundled()} >= set(BUNDLED)
    assert [id for id, _, _ in bundled()] == list(bundled_ids())
    for id, title, summary in bundled():
        loaded = Scenario.load(id)
        assert (loaded.id, loaded.title, loaded.model.summary) == (id, title, summary)
        assert "\n" not in summary
        assert 20 < len(summary) < 140


def test_bundled_are_valid_their_doctrines_too(scenario):
    assert scenario.id in BUNDLED
    assert scenario.model.sources
    assert scenario.model.assumptions
    assert scenario.model.published
    # what a published stage names as its source is one of the file's sources
    assert {p.source for p in scenario.model.published} <= set(scenario.model.sources)
    # every hand-off is named
    for partner in scenario.model.partners.values():
        for post in partner.posts.values():
            assert all(step.source for step in post.steps)


def test_writing_and_loading_gives_the_same(scenario):
    again = Scenario.from_text(scenario.to_yaml())
    assert again == scenario
    assert again.to_yaml() == scenario.to_yaml()
    assert again.split(gmst82) == scenario.split(gmst82)


def test_bundled_satisfy_the_published_schema(scenario):
    schema = Scenario.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    plain = scenario.plain()
    validator.validate(plain)
    assert lists(plain) == plain
    assert schema["$schema"].endswith("2020-12/schema")
    for broken in ({**plain, "titel": 1}, {**plain, "duration": 5}, {**plain, "partners": {}}):
        assert not validator.is_valid(broken)
    assert not validator.is_valid({**plain, "sharing": {"mode": "tracks"}})


def test_the_two_sides_are_plain_data(scenario):
    world, nations = scenario.split(gmst82)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(world), type=specs.WorldSpec) == world
    for nation in nations.values():
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(nation), type=specs.NationSpec) == nation
    assert world.unix_ns == parse_utc(scenario.model.start)
    assert world.theta0 == gmst82(world.unix_ns, scenario.model.dut1_s)
    assert world.nations == tuple(sorted(scenario.model.partners))
    numbers = [s.n for s in world.sensors]
    assert numbers == list(range(len(numbers)))
    assert [(s.partner, s.id) for s in world.sensors] == sorted((s.partner, s.id) for s in world.sensors)
    for nation in nations.values():
        assert all(s.partner == nation.id for s in nation.sensors)
        assert nation.stream == stream_key(world.seed, f"nation:{nation.id}", "stream")
        for area in nation.areas:
            for ring in area.rings:
                assert ring[0] == ring[-1]
                assert all(-math.pi <= lon <= math.pi and -math.pi / 2 <= lat <= math.pi / 2 for lon, lat in ring)


def test_nothing_of_the_objects_reaches_a_nation(scenario):
    _, nations = scenario.split(gmst82)
    said = msgspec.msgpack.encode(list(nations.values()))
    for id in scenario.model.objects:
        assert id.encode() not in said
    empty = scenario.with_("objects", {})
    assert empty.split(gmst82)[1] == nations


def test_hokkaido_is_what_was_published():
    model = Scenario.load("hokkaido-2017").model
    (thing,) = model.objects.values()
    assert (thing.site.lat_deg, thing.site.lon_deg) == (39.200159, 125.673256)
    assert (thing.azimuth_deg, thing.range_km, thing.apogee_km) == (73, 2700, 550)
    assert model.start == "2017-08-28T20:58:00Z"
    assert {p.matches: p.at for p in model.published if p.matches.startswith("step:")} == {
        "step:japan/confirm": "T+03:00", "step:japan/alert": "T+04:00",
    }  # fmt: skip
    world, nations = Scenario.load("hokkaido-2017").split(gmst82)
    assert [s.id for s in nations["japan"].sensors] == [
        "JP-FPS5-OMINATO", "JP-FPS5-SADO", "JP-FPS5-SHIMOKOSHIKI", "JP-FPS5-YOZADAKE",
    ]  # fmt: skip
    kinds = [type(s.model).__name__ for s in nations["united-states"].sensors]
    assert sorted(kinds) == ["Infrared", "Infrared", "Radar", "Radar"]
    (share,) = nations["united-states"].shares
    assert (share.recipient, share.what, len(share.sensors)) == ("japan", "warnings", 4)
    assert nations["japan"].shares == ()
    # both satellites have Korea in sight: the angle at the Earth's centre stays under acos(A / r)
    thing_at = world.objects[0]
    for sensor in world.sensors:
        if isinstance(sensor.model, specs.Infrared):
            orbit = sensor.model.orbit
            lon = orbit.raan + orbit.argp + orbit.m0 - world.theta0
            angle = math.acos(math.cos(thing_at.lat) * math.cos(lon - thing_at.lon))
            assert angle < math.acos(A / orbit.a)


def test_black_brant_is_what_was_published():
    scenario = Scenario.load("black-brant-1995")
    (thing,) = scenario.model.objects.values()
    assert thing.apogee_km == 1453
    assert 950 <= thing.range_km <= 1000
    world, nations = scenario.split(gmst82)
    (sensor,) = world.sensors
    assert (sensor.id, sensor.partner) == ("RU-OLENEGORSK-D", "russia")
    assert isinstance(sensor.model, specs.Radar)
    assert math.degrees(sensor.model.el_min) == pytest.approx(5.5)
    assert math.degrees(sensor.model.el_max) == pytest.approx(34.5)
    assert [math.degrees(v) for v in sensor.model.sector] == pytest.approx([280, 340])
    (area,) = nations["russia"].areas
    inside = {
        "Moscow": (37.6, 55.75),
        "Murmansk": (33.1, 68.97),
        "St Petersburg": (30.3, 59.9),
        "Arkhangelsk": (40.5, 64.5),
        "Kazan": (49.1, 55.8),
        "Perm": (56.2, 58.0),
        "Rostov": (39.7, 47.2),
    }
    outside = {
        "Helsinki": (24.9, 60.2),
        "Kirkenes": (30.0, 69.7),
        "Kyiv": (30.5, 50.5),
        "Longyearbyen": (15.6, 78.2),
        "Riga": (24.1, 56.9),
    }
    assert [k for k, at in inside.items() if not in_ring(area.rings[0], *map(math.radians, at))] == []
    assert [k for k, at in outside.items() if in_ring(area.rings[0], *map(math.radians, at))] == []


def in_ring(ring, x, y):
    """Even-odd rule in longitude and latitude, for shapes away from poles and the date line."""
    crossings = 0
    for (x0, y0), (x1, y1) in pairwise(ring):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            crossings += 1
    return crossings % 2 == 1


def test_japans_areas_hold_their_towns():
    _, nations = Scenario.load("hokkaido-2017").split(gmst82)
    areas = {a.id: a.rings[0] for a in nations["japan"].areas}
    towns = {
        "hokkaido": [(141.35, 43.06), (143.25, 42.0), (144.4, 43.0), (140.75, 41.8), (142.4, 43.8)],
        "northern-honshu": [
            (140.75, 40.8),
            (141.5, 40.5),
            (140.1, 39.7),
            (141.15, 39.7),
            (140.9, 38.3),
            (139.05, 37.9),
        ],
        "rest-of-japan": [(139.7, 35.7), (135.5, 34.7), (132.45, 34.4), (130.4, 33.6), (133.5, 33.55), (136.9, 35.2)],
    }
    for id, points in towns.items():
        for lon, lat in points:
            held = [a for a, ring in areas.items() if in_ring(ring, math.radians(lon), math.radians(lat))]
            assert held == [id], (lon, lat)


@pytest.mark.parametrize("id", BUNDLED)
def test_bundled_flights_can_be_flown_and_are_seen_as_published(id):
    from tocsin.truth.flights import draw_flights

    world, _ = Scenario.load(id).split(gmst82)
    (flight,) = draw_flights(world)
    assert flight.impact_ns < world.duration_ns
    if id == "black-brant-1995":
        assert (flight.impact_ns - flight.launch_ns) / 60e9 == pytest.approx(24.0, abs=1.0)  # published: about 24 min


# ---- changing --------------------------------------------------------------------------------------------------------


def test_with_changes_one_value_and_leaves_the_original():
    scenario = Scenario.load("hokkaido-2017")
    none = scenario.with_("sharing.mode", "none")
    assert none.model.sharing.mode == "none"
    assert scenario.model.sharing.mode == "warnings"
    assert all(n.shares == () for n in none.split(gmst82)[1].values())
    assert none.text == none.to_yaml()
    assert Scenario.from_text(none.text) == none
    assert none.with_("sharing.mode", "warnings") == scenario
    assert scenario.with_seed(9).seed == 9
    assert scenario.with_("partners.japan.posts.cabinet-secretariat.steps.alert.takes_s", 10).with_(
        "partners.japan.posts.cabinet-secretariat.steps.0.takes_s", "45 +- 10"
    ) == scenario.with_(
        "partners.japan.posts.cabinet-secretariat.steps.alert.takes_s", {"nominal": 45.0, "spread": 10.0}
    )
    new = scenario.with_("partners.japan.sensors.JP-FPS5-SADO.actual.latency_s", 9.0)
    world, nations = new.split(gmst82)
    assert next(s for s in world.sensors if s.id == "JP-FPS5-SADO").model.latency == 9.0
    assert next(s for s in nations["japan"].sensors if s.id == "JP-FPS5-SADO").model.latency == 2.0


def test_defaults_can_be_set_where_the_section_was_left_out():
    changed = Scenario.load("black-brant-1995").with_("sharing.mode", "warnings")
    assert changed.model.sharing.mode == "warnings"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "sharing.mode",
            "tracks",
            "sharing.mode: found 'tracks' (a word); allowed: none or warnings (sharing tracks is not built yet)",
        ),
        ("sharing.mood", "none", "found the unknown key 'mood'; allowed: did you mean mode?"),
        ("objects.hwasong-12.range_km", -1, "objects.hwasong-12.range_km: found -1; allowed: over 0"),
        ("objects.hwasong-12.range_km.x", 1, "found 2700.0; allowed: a mapping or a list to go into"),
        (
            "partners.japan.posts.sensor-crew.steps.none.text",
            "x",
            "found 'none' (a word); allowed: an id or a number under 1",
        ),
        ("", 1, "unknown key"),
        ("seed", "1", "seed: found '1' (a word); allowed: a whole number"),
        ("seed", float("nan"), "seed"),
        ("frame_s", float("inf"), "frame_s"),
        ("title", object(), "title"),
    ],
)
def test_with_refuses_what_a_file_could_not_hold(path, value, said):
    with pytest.raises(ScenarioError) as caught:
        Scenario.load("hokkaido-2017").with_(path, value)
    assert said in str(caught.value)
    assert str(caught.value).startswith("with_(")


def test_renaming_and_permuting_objects_changes_names_only():
    thing = {
        "class": "irbm-liquid",
        "launch": "T+00:00",
        "site": {"lat_deg": 39.0, "lon_deg": 125.0},
        "azimuth_deg": 73.0,
        "range_km": 2000.0,
        "apogee_km": 450.0,
    }
    other = {**thing, "range_km": 2100.0}
    base = Scenario.load("hokkaido-2017")
    one = base.with_("objects", {"a": thing, "b": other, "c": thing})
    two = base.with_("objects", {"x": other, "y": thing, "z": thing})
    w1, w2 = one.split(gmst82)[0], two.split(gmst82)[0]
    assert [o.key for o in w1.objects] == [o.key for o in w2.objects] == sorted({o.key for o in w1.objects})
    assert len({o.key for o in w1.objects}) == 3  # equal ones are told apart
    strip = [msgspec.structs.replace(o, id="") for o in w1.objects]
    assert strip == [msgspec.structs.replace(o, id="") for o in w2.objects]
    # adding an object leaves the others' keys
    more = base.with_("objects", {"a": thing, "b": other, "c": thing, "d": {**thing, "azimuth_deg": 74.0}}).split(
        gmst82
    )[0]
    assert {o.key for o in w1.objects} < {o.key for o in more.objects}


def test_stream_seed_is_the_stream_key_of_the_house():
    assert stream_seed(5, "a") == stream_key(5, "nation:a", "stream")
    assert stream_seed(5, "a") != stream_seed(6, "a")


def test_as_dict_tells_what_every_value_rests_on():
    made = Scenario.load("hokkaido-2017").as_dict()
    assert json.loads(json.dumps(made)) == made
    shariki = made["partners"]["united-states"]["sensors"]["JP-SHARIKI"]
    assert shariki["kind"] == "radar"
    assert shariki["values"]["sector_deg"]["value"] == [230, 350]
    assert shariki["values"]["sector_deg"]["confidence"] == "high"
    satellite = made["partners"]["united-states"]["sensors"]["sbirs-140e"]["values"]
    assert satellite["longitude_deg"] == {
        "value": 140.0,
        "status": "scenario",
        "source": ["notional"],
        "confidence": "notional",
    }
    assert satellite["cloud_top_km"]["status"] == "notional"
    assert made["classes"]["irbm-liquid"]["truth"]["stages"][0]["burn_s"]["source"]
    assert made["epoch"] == made["start"]
    assert made["catalogue_sources"]["mmd-2012"]["title"].startswith("mostlymissiledefense")


# ---- tocsin new ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["my-exercise", "", "a: b\n- c", '"; rm -rf', "@TITLE@", "日本", "x" * 300, "no", "\x1b[2J", "\ud800", "1e3"],
)
def test_the_template_loads_whatever_its_name(name):
    text = template(name)
    made = Scenario.from_text(text, "new.yaml", check_doctrine)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", made.id)
    if name == "my-exercise":
        assert (made.id, made.title) == (name, name)
    world, nations = made.split(gmst82)
    assert set(nations) == {"avaria", "borland"}
    assert len(world.injects) == 2


def test_the_templates_flight_can_be_flown():
    from tocsin.truth.flights import draw_flights

    world, _ = Scenario.from_text(template("x")).split(gmst82)
    (flight,) = draw_flights(world)
    assert flight.impact_ns < world.duration_ns


# ---- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("T+04:00", 240_000_000_000),
        ("T+00:00.001", 1_000_000),
        ("T+01:02:03", 3_723_000_000_000),
        ("T+4min", 240_000_000_000),
        ("T+90s", 90_000_000_000),
        ("T+90", 90_000_000_000),
        ("T+0.1s", 100_000_000),
        ("T+1.5h", 5_400_000_000_000),
        ("T+120:00", 7200 * 10**9),
        ("1970-01-01T00:01:00Z", 0),
        ("1970-01-01T00:00:30.5Z", -29_500_000_000),
    ],
)
def test_moments(text, ns):
    assert moments.moment_ns(text, 60_000_000_000) == ns


@pytest.mark.parametrize(
    "text",
    [
        "T+4:5",
        "T+04:60",
        "T+01:60:00",
        "20:58",
        "T-01:00",
        "T+",
        "4min",
        "T+٤min",
        "2017-08-28",
        "T+1e3",
        "T+99999999s",
    ],
)
def test_what_is_no_moment(text):
    with pytest.raises(ValueError, match="such as"):
        moments.moment_ns(text, 0)


@pytest.mark.parametrize(
    "utc", ["2017-08-28T20:58:00Z", "1995-01-25T06:24Z", "2031-12-31T23:59:59.123456789Z", "2016-02-29T00:00:00Z"]
)
def test_utc_is_read_as_the_clock_of_the_house_reads_it(utc):
    assert moments.unix_ns(utc) == parse_utc(utc)


def test_durations():
    assert moments.duration_ns("1 h 30 min") == 5400 * 10**9
    assert moments.duration_ns("0.1s") == 100_000_000
    for text in ("20", "20 m", "1h30min", "-5 s", "", "5 s x", "5  s"):
        with pytest.raises(ValueError, match="duration"):
            moments.duration_ns(text)
