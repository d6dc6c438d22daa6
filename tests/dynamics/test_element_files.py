"""Reading element sets: the three formats agree, every kind of fault is named with its place, nothing is half-read."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dynamics.element_files import (
    ElementsError,
    checksum,
    read_elements,
    read_omm_json,
    read_omm_kvn,
    read_tle,
)
from tocsin.earth.clock import parse_utc

# CelesTrak's page on the format
ISS = (
    "1 25544U 98067A   08264.51782528 -.00002182  00000-0 -11606-4 0  2927",
    "2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391563537",
)
OTHER = (
    "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753",
    "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
)
FIELDS = {
    "OBJECT_NAME": "ISS (ZARYA)",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2008-09-20T12:25:40.104192",
    "MEAN_MOTION": 15.72125391,
    "ECCENTRICITY": 0.0006703,
    "INCLINATION": 51.6416,
    "RA_OF_ASC_NODE": 247.4627,
    "ARG_OF_PERICENTER": 130.536,
    "MEAN_ANOMALY": 325.0288,
    "EPHEMERIS_TYPE": 0,
    "NORAD_CAT_ID": 25544,
    "BSTAR": -1.1606e-5,
}
KVN_HEAD = """CCSDS_OMM_VERS = 2.0
COMMENT made by hand
CREATION_DATE = 2008-09-20T13:00:00
ORIGINATOR = TEST
CENTER_NAME = EARTH
REF_FRAME = TEME
TIME_SYSTEM = UTC
MEAN_ELEMENT_THEORY = SGP4
"""


def kvn(fields):
    unit = {"MEAN_MOTION": " [rev/day]", "INCLINATION": " [deg]"}
    return KVN_HEAD + "".join(f"{k} = {v}{unit.get(k, '')}\n" for k, v in fields.items())


def summed(line):
    return line[:68] + str(checksum(line))


def changed(line, start, text):
    return summed(line[: start - 1] + text + line[start - 1 + len(text) :])


def problems(read, text, **options):
    with pytest.raises(ElementsError) as caught:
        read(text, **options)
    return caught.value.problems


def test_the_columns_of_the_format_page():
    (one,) = read_tle("\n".join(ISS))
    assert one.number == 25544
    assert one.designator == "98067A"
    assert one.epoch_ns == parse_utc("2008-09-20T12:25:40.104192Z")
    assert math.degrees(one.i) == pytest.approx(51.6416)
    assert math.degrees(one.raan) == pytest.approx(247.4627)
    assert one.e == pytest.approx(0.0006703)
    assert math.degrees(one.argp) == pytest.approx(130.5360)
    assert math.degrees(one.m0) == pytest.approx(325.0288)
    assert one.mean_motion * 86400 / (2 * math.pi) == pytest.approx(15.72125391)
    assert one.bstar == pytest.approx(-0.11606e-4)
    # its height is published as about 350 km at that time
    assert 340e3 < one.perigee < one.apogee < 365e3


def test_names_comments_and_empty_lines():
    text = f"# a comment\n\n0 ISS (ZARYA)\n{ISS[0]}\n{ISS[1]}   \r\n\nVANGUARD 1\n{OTHER[0]}\n{OTHER[1]}\n"
    sets = read_elements(text)
    assert [s.name for s in sets] == ["ISS (ZARYA)", "VANGUARD 1"]
    assert [s.place for s in sets] == ["line 4", "line 8"]


def test_years_from_1957_on():
    assert read_tle("\n".join((changed(ISS[0], 19, "57"), ISS[1])))[0].epoch_ns < 0
    assert read_tle("\n".join((changed(ISS[0], 19, "56"), ISS[1])))[0].epoch_ns > parse_utc("2056-01-01T00:00Z")


def test_alpha_5_numbers():
    lines = [changed(line, 3, "T0002") for line in ISS]
    assert read_tle("\n".join(lines))[0].number == 270002


def test_the_three_formats_agree():
    (tle,) = read_elements("\n".join(ISS))
    (from_json,) = read_elements(json.dumps([FIELDS]))
    (texts,) = read_elements(json.dumps({k: str(v) for k, v in FIELDS.items()}))
    (from_kvn,) = read_elements(kvn(FIELDS))
    for omm in (from_json, texts, from_kvn):
        assert omm.name == "ISS (ZARYA)"
        assert (omm.number, omm.epoch_ns) == (tle.number, tle.epoch_ns)
        for name in ("mean_motion", "e", "i", "raan", "argp", "m0", "bstar"):
            assert getattr(omm, name) == pytest.approx(getattr(tle, name), rel=1e-12)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((ISS[0][:-1] + "8", ISS[1]), "line 1: checksum '8', the line's digits give 7"),
        ((ISS[0], ISS[1][:-2]), "line 2: 67 characters, allowed: 69"),
        ((ISS[0], ISS[1] + "x"), "line 2: 70 characters, allowed: 69"),
        ((ISS[0][:30] + "é" + ISS[0][31:], ISS[1]), "line 1: characters outside ASCII"),
        ((ISS[0], OTHER[1]), "lines 1 and 2: catalogue numbers 25544 and 5 differ"),
        ((changed(ISS[0], 3, "I0002"), changed(ISS[1], 3, "I0002")), "columns 3 to 7: catalogue number 'I0002'"),
        ((changed(ISS[0], 21, "399"), ISS[1]), "line 1: day 399 of the year, allowed: 1 to 366"),
        ((changed(ISS[0], 24, " "), ISS[1]), "line 1, columns 21 to 32: epoch's day"),
        ((changed(ISS[0], 54, " nan+0-4"), ISS[1]), "line 1, columns 54 to 61: drag term ' nan+0-4'"),
        ((changed(ISS[0], 63, "4"), ISS[1]), "line 1: ephemeris type 4 (SGP4-XP)"),
        ((ISS[0], changed(ISS[1], 9, "181.0000")), "line 2: inclination 181 deg, allowed: 0 to 180"),
        ((ISS[0], changed(ISS[1], 27, "0.06703")), "line 2, columns 27 to 33: eccentricity '0.06703'"),
        ((ISS[0], changed(ISS[1], 53, " 0.00000000")), "line 2: mean motion 0, allowed: more"),
        ((ISS[0],), "line 1: first line of an element set without its second"),
        ((ISS[1],), "line 1: second line of an element set without its first"),
        ((ISS[0], *ISS), "line 1: first line of an element set without its second"),
        (("A NAME", "ANOTHER", *ISS), "line 2: found 'ANOTHER', allowed: the line of an element set"),
        ((*ISS, "A NAME"), "last line: a name ('A NAME') without an element set"),
        ((*ISS, *OTHER, *ISS), "line 5: satellite 25544 again, first at line 1"),
        (("# nothing",), "no element set found"),
    ],
)
def test_faults_of_two_line_sets(lines, said):
    assert any(said in p for p in problems(read_tle, "\n".join(lines)))


def test_a_history_may_repeat_a_satellite():
    assert len(read_tle("\n".join((*ISS, *ISS)), history=True)) == 2


def test_all_faults_at_once_and_nothing_half_read():
    bad = (ISS[0][:-1] + "0", ISS[1][:-1] + "0")
    found = problems(read_tle, "\n".join((*OTHER, *bad)))
    assert [p.split(":")[0] for p in found] == ["line 3", "line 4"]
    many = problems(read_tle, "\n".join(bad * 20))
    assert len(many) == 40
    with pytest.raises(ElementsError, match=r"; and 32 more$"):
        read_tle("\n".join(bad * 20))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"MEAN_MOTION": None}, "index 1: MEAN_MOTION is missing"),
        ({"ECCENTRICITY": 1.0}, "index 1: ECCENTRICITY 1.0, allowed: a number from 0 to 1"),
        ({"INCLINATION": "steep"}, "index 1: INCLINATION 'steep', allowed: a number from 0 to 180"),
        ({"BSTAR": True}, "index 1: BSTAR True, allowed: a number"),
        ({"MEAN_MOTION": "nan"}, "index 1: MEAN_MOTION 'nan', allowed"),
        ({"EPOCH": "yesterday"}, "index 1: EPOCH 'yesterday', allowed: a UTC time"),
        ({"EPOCH": "2008-02-31T00:00:00"}, "index 1: EPOCH '2008-02-31T00:00:00Z' is not a UTC time"),
        ({"NORAD_CAT_ID": "T0002"}, "index 1: NORAD_CAT_ID 'T0002', allowed: a number of up to nine digits"),
        ({"REF_FRAME": "GCRF"}, "index 1: REF_FRAME 'GCRF', allowed: TEME or TEMEOFDATE"),
        ({"TIME_SYSTEM": "TAI"}, "index 1: TIME_SYSTEM 'TAI', allowed: UTC"),
        ({"MEAN_ELEMENT_THEORY": "DSST"}, "index 1: MEAN_ELEMENT_THEORY 'DSST', allowed: SGP4"),
        ({"EPHEMERIS_TYPE": 4}, "index 1: EPHEMERIS_TYPE 4 (SGP4-XP)"),
        ({"NORAD_CAT_ID": 5}, "index 1: satellite 5 again, first at index 0"),
    ],
)
def test_faults_of_json(change, said):
    rows = [FIELDS | {"NORAD_CAT_ID": 5}, {k: v for k, v in (FIELDS | change).items() if v is not None}]
    assert any(said in p for p in problems(read_omm_json, json.dumps(rows)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "index 0: found int, allowed: an object"),
        ("[{]", "JSON, line 1, column 3"),
        ('{"BSTAR": NaN}', "JSON: found NaN, allowed: finite numbers"),
        ('{"BSTAR": 1, "BSTAR": 2}', "JSON: the field BSTAR twice in one object"),
        ("[" * 100_000, "JSON: nested too deeply"),
        ("[]", "no element set found"),
    ],
)
def test_faults_of_json_itself(text, said):
    assert said in problems(read_omm_json, text)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (kvn(FIELDS) + "BSTAR = 1\n", "line 21: BSTAR again, first on line 20"),
        (kvn(FIELDS | {"INCLINATION": 190}), "line 14: INCLINATION '190', allowed"),
        (kvn(FIELDS) + "what is this\n", "line 21: found 'what is this', allowed: KEY = VALUE"),
        (kvn({k: v for k, v in FIELDS.items() if k != "BSTAR"}), "message of line 1: BSTAR is missing"),
        ("EPOCH = 2008\n" + kvn(FIELDS), "line 1: EPOCH before the first CCSDS_OMM_VERS"),
        (kvn(FIELDS) + kvn(FIELDS), "line 31: satellite 25544 again, first at line 11"),
    ],
)
def test_faults_of_kvn(text, said):
    found = problems(read_omm_kvn, text)
    assert any(said in p for p in found), found


def test_nine_digits_and_several_kvn_messages():
    sets = read_elements(kvn(FIELDS) + kvn(FIELDS | {"NORAD_CAT_ID": 799500123}))
    assert [s.number for s in sets] == [25544, 799500123]


def test_a_file_has_a_greatest_size(monkeypatch):
    monkeypatch.setattr("tocsin.dynamics.element_files.MOST_CHARACTERS", 100)
    assert "allowed: up to 100" in problems(read_elements, "\n".join(ISS))[0]


@given(st.integers(0, 137), st.sampled_from("0123456789 -+.XZ"))
def test_one_wrong_character_never_passes_unseen(at, character):
    line, column = divmod(at, 69)
    lines = list(ISS)
    old = lines[line][column]
    lines[line] = lines[line][:column] + character + lines[line][column + 1 :]
    try:
        (one,) = read_tle("\n".join(lines))
    except ElementsError:
        return
    # what a checksum cannot see: characters that count nothing, or a minus for a one
    silent = {c: (int(c) if c.isdigit() else int(c == "-")) for c in (old, character)}
    assert silent[old] == silent[character]
    assert math.isfinite(one.mean_motion + one.e + one.i + one.raan + one.argp + one.m0 + one.bstar)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        read = read_elements(text)
    except ElementsError as error:
        read = error.problems
    assert read
