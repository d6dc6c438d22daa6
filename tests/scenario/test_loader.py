"""Bad scenarios: every fault at once, each with file, line, path, found and allowed; never another traceback."""

import copy
import os
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tocsin.scenario import Scenario, ScenarioError, loader, template
from tocsin.scenario.faults import Fault, clean, nearest, show

GOOD = """\
id: small
title: A small one
start: 2020-01-01T00:00:00Z
duration: 10 min
partners:
  a:
    sensors:
      US-BEALE:
    areas:
      home: {polygon: [[0, 0], [1, 0], [1, 1]]}
    posts:
      watch:
        steps:
          - {id: one, action: note, when: confirmed}
          - {id: two, action: inform, when: confirmed, after: [one], takes_s: 5 +- 1}
  b:
    name: B
classes:
  srbm:
objects:
  x: {class: srbm, launch: T+01:00, site: {lat_deg: 1, lon_deg: 2}, azimuth_deg: 3, range_km: 300, apogee_km: 90}
links:
  - {from: a, to: b, delay_s: 2}
sharing:
  mode: warnings
  releases: [{from: a, to: b, sensors: [US-BEALE]}]
injects:
  - {id: i, at: T+2min, until: T+3min, act: sensor.silence, target: US-BEALE}
  - {id: j, at: T+2min, act: link.cut, target: a>b}
  - {id: k, at: T+2min, act: note, target: watch}
places:
  cape: {lat_deg: 1, lon_deg: 2}
published:
  - {event: launch, at: T+0s, matches: launch}
  - {event: by, at: T+1h, matches: "abeam:cape"}
  - {event: said, at: 2020-01-01T00:03:00Z, matches: "step:a/two"}
  - {event: over, at: T+03:00, matches: "passage:a/home"}
"""


def faults(text: str, **kwargs) -> tuple[Fault, ...]:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_text(text, "f.yaml", **kwargs)
    assert str(caught.value).count("\n") + 1 == len(caught.value.faults)
    return caught.value.faults


def only(text: str, **kwargs) -> str:
    found = faults(text, **kwargs)
    assert len(found) == 1, [str(f) for f in found]
    return str(found[0])


def test_the_small_one_is_good():
    assert Scenario.from_text(GOOD).id == "small"


# old text, new text, path, part of what is said
FAULTS = [
    (
        "US-BEALE:\n",
        "US-BEELE:\n",
        "partners.a.sensors.US-BEELE",
        "found the unknown sensor 'US-BEELE'; allowed: an id of the catalogue, or `from:` one, "
        "or `kind:` and all values; near: US-BEALE",
    ),
    ("US-BEALE:\n", "US-BEALE: {from: uwer}\n", "partners.a.sensors.US-BEALE.from", "near: uewr"),
    ("range_km: 300", "range_km: -300", "objects.x.range_km", "found -300; allowed: over 0"),
    ("range_km: 300", "range_km: '300'", "objects.x.range_km", "found '300' (a word); allowed: a number"),
    ("range_km: 300", "range_km: true", "objects.x.range_km", "found true; allowed: a number"),
    ("range_km: 300", "range_km: 1e9", "objects.x.range_km", "found 1000000000.0; allowed: at most 19900"),
    ("range_km: 300", "range_km: ", "objects.x.range_km", "found nothing; allowed: a number"),
    (
        "lat_deg: 1, lon_deg: 2}, az",
        "lat_deg: 95, lon_deg: 2}, az",
        "objects.x.site.lat_deg",
        "found 95; allowed: at most 90",
    ),
    (
        "T+01:00",
        "T+11:00",
        "objects.x.launch",
        "found 'T+11:00' (a word), a launch after the end; "
        "allowed: a time before the end, which is 10 min after the start",
    ),
    ("T+01:00", "2019-12-31T23:59:00Z", "objects.x.launch", "a launch before the start"),
    (
        "T+01:00",
        "20:58",
        "objects.x.launch",
        "found '20:58' (a word); allowed: T+MM:SS, T+HH:MM:SS, T+4min, T+90s or a UTC time",
    ),
    ("T+01:00", "no", "objects.x.launch", "found 'no' (a word); allowed: T+MM:SS"),
    ("T+01:00", "60", "objects.x.launch", "found 60; allowed: a word"),
    ("launch: T+01:00, ", "", "objects.x.launch", "found nothing; allowed: this key is needed"),
    (
        "azimuth_deg: 3",
        "azimut_deg: 3, azimuth_deg: 3",
        "objects.x.azimut_deg",
        "found the unknown key 'azimut_deg'; allowed: did you mean azimuth_deg?",
    ),
    ("class: srbm", "class: mrbm", "objects.x.class", "mrbm is bundled: add it there"),
    ("class: srbm", "class: srmb", "objects.x.class", "near: srbm"),
    ("srbm:\n", "srbm:\n  mine:\n", "classes.mine", "a bundled class, or one that is given in full"),
    ("srbm:\n", "srbm: {from: sbrm}\n", "classes.srbm.from", "near: srbm, slbm"),
    (
        "srbm:\n",
        "srbm: {truth: {rcs_m2: 0.5 +- 0.2}}\n",
        "classes.srbm.truth.rcs_m2",
        "stays over 0 three spreads below its nominal",
    ),
    (
        "srbm:\n",
        "srbm: {truth: {rcs_m2: small}}\n",
        "classes.srbm.truth.rcs_m2",
        "allowed: a number, `150 +- 3`, or {nominal: 150",
    ),
    (
        "srbm:\n",
        "srbm:\n  m: {title: M, truth: {rcs_m2: 1}}\n",
        "classes.m",
        "found class 'm' without family, energy, prior",
    ),
    ("start: 2020-01-01T00:00:00Z", "start: 2020-01-01", "start", "allowed: a UTC time such as 2017-08-28T20:58:00Z"),
    ("start: 2020-01-01T00:00:00Z", "start: 2020-13-01T00:00:00Z", "start", "month must be in 1..12"),
    ("start: 2020-01-01T00:00:00Z", "start: 1066-10-14T00:00:00Z", "start", "a time from 1957"),
    ("10 min", "10", "duration", "found 10; allowed: a word"),
    ("10 min", "ten", "duration", "allowed: a duration such as 20 min"),
    ("10 min", "2000 h", "duration", "7,200,000 frames of 1 s; allowed: at most 1,000,000 frames"),
    (
        "sharing:\n  mode: warnings",
        "sharing:\n  mode: tracks",
        "sharing.mode",
        "found 'tracks' (a word); allowed: none or warnings (sharing tracks is not built yet)",
    ),
    (
        "sharing:\n  mode: warnings",
        "sharing:\n  mode: detections",
        "sharing.mode",
        "sharing detections is not built yet",
    ),
    (
        "sharing:\n  mode: warnings",
        "sharing:\n  mode: no",
        "sharing.mode",
        "found 'no' (a word); allowed: none or warnings",
    ),
    (
        "[{from: a, to: b, sensors",
        "[{from: b, to: a, sensors",
        "sharing.releases.0.sensors.0",
        "allowed: a sensor of b (there are none)",
    ),
    ("sensors: [US-BEALE]", "sensors: some", "sharing.releases.0.sensors", "allowed: all or a list"),
    ("{from: a, to: b, delay_s: 2}", "{from: a, to: bb, delay_s: 2}", "links.0.to", "near: b"),
    (
        "{from: a, to: b, delay_s: 2}",
        "{from: a, to: b, delay_s: 2 +- 1}",
        "links.0.delay_s",
        "stays at least 0 three spreads below",
    ),
    (
        "{from: a, to: b, delay_s: 2}",
        "{from: a, to: b, delay_s: 2}\n  - {from: a, to: b, delay_s: 2}",
        "links.1",
        "the link a>b again",
    ),
    (
        "{from: a, to: b, delay_s: 2}",
        "{from: a, to: b, delay_s: 2}\n  - {from: b, to: b, delay_s: 2}",
        "links.1",
        "to itself",
    ),
    (
        "[[0, 0], [1, 0], [1, 1]]",
        "[[0, 0], [1, 1], [1, 0], [0, 1]]",
        "partners.a.areas.home.polygon",
        "found an edge from [0, 0] that crosses the one from [1, 0]",
    ),
    (
        "[[0, 0], [1, 0], [1, 1]]",
        "[[0, 0], [1, 0], [0, 0]]",
        "partners.a.areas.home.polygon",
        "found 2 different points",
    ),
    ("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [1, 1], [2, 2]]", "partners.a.areas.home.polygon", "points on one line"),
    (
        "[[0, 0], [1, 0], [1, 1]]",
        "[[0, 0], [1, 0]]",
        "partners.a.areas.home.polygon",
        "found a list of 2; allowed: at least 3",
    ),
    (
        "[[0, 0], [1, 0], [1, 1]]",
        "[[0, 91], [1, 0], [1, 1]]",
        "partners.a.areas.home.polygon.0.1",
        "found 91; allowed: at most 90",
    ),
    (
        "[[0, 0], [1, 0], [1, 1]]",
        "[[0, 0, 5], [1, 0], [1, 1]]",
        "partners.a.areas.home.polygon.0",
        "found a list of 3; allowed: at most 2",
    ),
    ("{id: one,", "{id: two,", "partners.a.posts.watch.steps.1.id", "the step 'two' (a word) again"),
    (
        "after: [one]",
        "after: [won]",
        "partners.a.posts.watch.steps.1.after.0",
        "a step of this partner; near: two, one",
    ),
    (
        "action: inform",
        "action: launch",
        "partners.a.posts.watch.steps.1.action",
        "note, confirm, inform, exclude, stand-down",
    ),
    ("until: T+3min", "until: T+1min", "injects.0.until", "a time after `at`"),
    ("target: US-BEALE}", "target: US-CLEAR}", "injects.0.target", "allowed: a sensor of this scenario"),
    ("target: a>b", "target: b>a", "injects.1.target", "a link, as sender>recipient"),
    ("act: note, target: watch", "act: note, target: wotch", "injects.2.target", "near: watch"),
    ("act: note, target: watch", "act: shout, target: watch", "injects.2.act", "fault.begin, fault.end or note"),
    ("abeam:cape", "abeam:cap", "published.1.matches", "near: cape"),
    ("step:a/two", "step:a/three", "published.2.matches", "a step of a"),
    ("step:a/two", "step:two", "published.2.matches", "allowed: step:PARTNER/NAME"),
    ("passage:a/home", "passage:a/hom", "published.3.matches", "near: home"),
    ("matches: launch", "matches: lunch", "published.0.matches", "near: launch"),
    ("id: small", "id: 'a b'", "id", "a name of letters, digits, - and _"),
    ("id: small", "id: 5", "id", "text that looks like a number goes in quotes"),
    (
        "  b:\n    name: B",
        "  b/c:\n    name: B",
        "partners.b/c",
        "found the name 'b/c' (a word); allowed: a name of letters",
    ),
    (
        "title: A small one",
        'title: "a\\x1bb"',
        "title",
        "found 'a\\x1bb' (a word); allowed: text without control characters",
    ),
    ("title: A small one", "title: A small one\n<<: {a: 1}", "<<", "no merge keys"),
    ("title: A small one", "title: A small one\nseed: -1", "seed", "at least 0"),
    ("title: A small one", "title: A small one\nseed: 1.5", "seed", "allowed: a whole number"),
    ("title: A small one", "title: A small one\nformat: tocsin-scenario/2", "format", "allowed: tocsin-scenario/1"),
    (
        "US-BEALE:\n",
        "US-BEALE: {perigee_km: 500}\n",
        "partners.a.sensors.US-BEALE.perigee_km",
        "'perigee_km' for a radar",
    ),
    (
        "US-BEALE:\n",
        "US-BEALE: {elevation_deg: [50, 40]}\n",
        "partners.a.sensors.US-BEALE.elevation_deg",
        "two growing values",
    ),
    (
        "US-BEALE:\n",
        "US-BEALE: {actual: {range_km: [9, 8]}}\n",
        "partners.a.sensors.US-BEALE.actual.range_km",
        "two growing values",
    ),
    (
        "US-BEALE:\n",
        "US-BEALE:\n      AZ-GABALA:\n",
        "partners.a.sensors.AZ-GABALA",
        "found 'AZ-GABALA' as it stands, which is not usable: no sector was found; allowed: it with sector_deg given",
    ),
    (
        "US-BEALE:\n",
        "US-BEALE:\n      RU-KONTEINER-AMUR:\n",
        "partners.a.sensors.RU-KONTEINER-AMUR",
        "not usable: no sector is published; allowed: it with sector_deg given",
    ),
    (
        "US-BEALE:\n",
        "US-BEALE:\n      RU-EKS-4:\n",
        "partners.a.sensors.RU-EKS-4",
        "apogee_longitude_deg, apogee_at given",
    ),
    (
        "US-BEALE:\n",
        "US-BEALE:\n      mine: {kind: radar, lat_deg: 1}\n",
        "partners.a.sensors.mine",
        "allowed: it with lon_deg, sector_deg",
    ),
]


@pytest.mark.parametrize(("old", "new", "path", "said"), FAULTS, ids=[f[2] + "=" + f[1][:24] for f in FAULTS])
def test_each_fault_is_told_once_with_its_place(old, new, path, said):
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    related = [f for f in faults(text) if f.path == path]
    assert related, [str(f) for f in faults(text)]
    assert any(said in str(f) for f in related), [str(f) for f in related]
    assert len(related) == 1
    (fault,) = related
    assert fault.file == "f.yaml"
    # where the path ends in a key that stands once in the text, its line is known
    leaf = path.rpartition(".")[2]
    places = [k for k, row in enumerate(text.splitlines(), 1) if re.search(rf"(?<![\w-]){re.escape(leaf)}:", row)]
    if not leaf.isdecimal() and len(places) == 1:
        assert fault.line == places[0]
    assert str(fault).startswith(f"f.yaml:{fault.line}: {path}: found ")


def test_five_faults_in_one_file_are_five():
    text = (
        GOOD.replace("US-BEALE:\n", "US-BEELE:\n")
        .replace("range_km: 300", "range_km: -300")
        .replace("site: {lat_deg: 1", "site: {lat_deg: 95")
        .replace("T+01:00", "T+11:00")
        .replace("title:", "tittle: x\ntitle:")
        .replace("sensors: [US-BEALE]", "sensors: all")
        .replace("target: US-BEALE", "target: US-BEELE")
    )
    found = faults(text)
    assert {f.path for f in found} == {
        "tittle", "partners.a.sensors.US-BEELE", "objects.x.range_km", "objects.x.site.lat_deg", "objects.x.launch",
    }  # fmt: skip
    assert len(found) == 5
    assert [f.line for f in found] == sorted(f.line for f in found)


def test_faults_of_reading_and_of_content_come_together():
    found = faults(
        GOOD.replace("seed", "seed").replace("title:", "frame_s: .inf\ntitle:").replace("range_km: 300", "range_km: -1")
    )
    assert {f.path for f in found} >= {"frame_s", "objects.x.range_km"}


def test_the_same_sensor_or_area_at_two_partners():
    text = GOOD.replace(
        "    name: B\n", "    sensors: {US-BEALE: }\n    areas: {home: {polygon: [[0, 0], [1, 0], [1, 1]]}}\n"
    )
    assert {str(f).partition("found ")[2].partition(" (")[0] for f in faults(text)} == {
        "the sensor 'US-BEALE' again", "the area 'home' again",
    }  # fmt: skip


def test_a_class_that_cannot_fly_is_refused():
    text = GOOD.replace(
        "  srbm:\n",
        "  srbm: {truth: {stages: [{burn_s: 100, thrust_m_s2: 25, exhaust_m_s: 2400, intensity_kw_sr: 1}]}}\n",
    )
    assert "classes.srbm.truth.stages.0: found a stage that burns 104% of its mass" in only(text)


def test_the_doctrine_checker_is_asked_with_the_partners_own_names():
    asked = []

    def checker(posts, areas, classes):
        asked.append(([p.id for p in posts], list(areas), list(classes)))
        return [
            "post 'watch', step 'two': condition, character 3: found 'x'; allowed: a name",
            "posts wait in a circle",
        ]

    found = faults(GOOD, check_doctrine=checker)
    assert asked == [(["watch"], ["home"], ["srbm"])]
    assert [str(f) for f in found] == [
        "f.yaml:11: partners.a.posts: found posts wait in a circle; allowed: a doctrine that can be carried out",
        "f.yaml:15: partners.a.posts.watch.steps.1.when: found condition, character 3: found 'x'; allowed: a name",
    ]


# ---- files -----------------------------------------------------------------------------------------------------------


def refusal(path) -> str:
    with pytest.raises(ScenarioError) as caught:
        Scenario.load(path)
    assert len(caught.value.faults) == 1
    return str(caught.value)


def test_files_that_are_none(tmp_path):
    assert "found a folder; allowed: a scenario file" in refusal(tmp_path)
    assert "no file to read (No such file or directory)" in refusal(tmp_path / "none.yaml")
    assert "no file to read" in refusal("a\0b.yaml")
    (tmp_path / "empty.yaml").write_bytes(b"")
    assert "empty.yaml:1: found nothing; allowed: a scenario; `tocsin new NAME` writes one" in refusal(
        tmp_path / "empty.yaml"
    )
    (tmp_path / "list.yaml").write_text("- a\n- b\n")
    assert "found a list of 2; allowed: a mapping" in refusal(tmp_path / "list.yaml")
    (tmp_path / "word.yaml").write_text("no")
    assert "found 'no' (a word); allowed: a mapping" in refusal(tmp_path / "word.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: a\nsummary: é".encode("latin-1"))
    assert "latin.yaml:2: found bytes that are not UTF-8 text" in refusal(tmp_path / "latin.yaml")


def test_a_file_of_200_mb_is_not_read(tmp_path):
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        os.truncate(stream.fileno(), 200_000_000)  # sparse: takes no room
    assert "found a file of 200 MB; allowed: a scenario of at most 5 MB" in refusal(path)


def test_random_bytes_give_one_fault(tmp_path):
    source = random.Random(1)
    for k in range(20):
        path = tmp_path / f"{k}.yaml"
        path.write_bytes(source.randbytes(2000))
        assert refusal(path).count("\n") == 0


def test_an_unknown_name_suggests_bundled_ones():
    said = refusal("hokaido-2017")
    assert "found no scenario 'hokaido-2017' (a word); allowed: the path of a file, or a bundled scenario" in said
    assert "near: hokkaido-2017" in said


def test_a_file_without_suffix_loads(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    assert Scenario.load("mine").id == "small"


def test_names_cannot_write_to_the_terminal():
    bad = Fault("f", 1, "", show("\x1b[2J\n\u202e\ud800"), "")
    assert str(bad) == "f:1: found '\\x1b[2J\\n\\u202e\\ud800' (a word); allowed: "
    assert clean("naïve 日本") == "naïve 日本"


def test_nearest_ignores_case_and_finds_parts():
    ids = ("US-BEALE", "JP-SHARIKI", "JP-FPS5-SADO")
    assert nearest("us-beal", ids) == ["US-BEALE"]
    assert nearest("sado", ids) == ["JP-FPS5-SADO"]
    assert nearest("zzzz", ids) == []


def test_a_thousand_faults_are_told_shortly():
    text = GOOD + "assumptions:\n" + "  - {what: 5, confidence: sure}\n" * 3000
    found = None
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_text(text)
    found = str(caught.value).splitlines()
    assert len(found) == 101
    assert found[-1].startswith("... and ")


# ---- anything at all -------------------------------------------------------------------------------------------------


def check(load: Callable[[], Scenario]) -> None:
    refused: tuple[Fault, ...] | None = None
    try:
        made = load()
    except ScenarioError as error:
        refused = error.faults
    if refused is not None:
        assert refused
        assert all(f.found and f.allowed and str(f).isprintable() for f in refused)
        return
    assert Scenario.from_text(made.to_yaml()) == made
    made.split(lambda unix_ns, dut1_s: 1.0)
    made.as_dict()


def load_or_refuse(text: str) -> None:
    check(lambda: Scenario.from_text(text, "f.yaml"))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_or_loads(text):
    load_or_refuse(text)


LEAVES = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        -1,
        95,
        1e300,
        -0.5,
        "",
        "no",
        "T+01:00",
        "T+99:59:59",
        "2020-01-01T00:00:00Z",
        "10 min",
        "a",
        "b",
        "x",
        "srbm",
        "US-BEALE",
        "uewr",
        "sbirs-geo",
        "5 +- 1",
        "all",
        "warnings",
        "tracks",
        "a>b",
        "ellipse",
        "geo",
        "note",
        "confirmed",
    ]
) | st.text(max_size=5)
KEYS = st.sampled_from(
    [
        "id",
        "title",
        "start",
        "duration",
        "partners",
        "classes",
        "objects",
        "links",
        "sharing",
        "mode",
        "releases",
        "injects",
        "a",
        "b",
        "sensors",
        "areas",
        "posts",
        "steps",
        "polygon",
        "holes",
        "US-BEALE",
        "from",
        "kind",
        "actual",
        "orbit",
        "sector_deg",
        "range_km",
        "truth",
        "belief",
        "stages",
        "burn_s",
        "nominal",
        "spread",
        "centre",
        "rule",
        "site",
        "lat_deg",
        "launch",
        "class",
        "after",
        "when",
        "takes_s",
        "at",
        "until",
        "target",
        "act",
        "published",
        "matches",
        "places",
    ]
) | st.text(max_size=3)
ANY = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


def check_data(data) -> None:
    check(lambda: Scenario(loader.validate(data, "f.yaml"), "", "f.yaml"))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, ANY, min_size=1, max_size=10))
def test_any_structure_is_refused_or_loads(data):
    check_data(data)


def paths_of(data, path=()):
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from paths_of(value, (*path, key))


PLAIN = Scenario.from_text(template("x")).plain()
PATHS = [path for path in paths_of(PLAIN) if path]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PATHS), ANY), min_size=1, max_size=3))
@example([(("partners",), {"\x1f": None})])  # these four were found by this test
@example([(("partners", "avaria", "sensors"), {"id": [], "": None})])
@example([(("partners", "avaria", "sensors", "harbour", "kind"), None)])
@example([(("partners", "avaria", "sensors", "north-cape", "range_km"), None)])
def test_a_good_scenario_with_anything_put_anywhere(changes):
    data = copy.deepcopy(PLAIN)
    for path, value in changes:
        at = data
        try:
            for part in path[:-1]:
                at = at[part]
            at[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    check_data(data)
