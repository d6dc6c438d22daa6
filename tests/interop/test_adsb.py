"""ADS-B tables: real flights, both forms, and every fault by its line or record."""

import contextlib
import csv
import gzip
import io
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.clock import parse_utc
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.interop.adsb import MOST_BYTES, AdsbError, parse_csv, parse_json, read_adsb
from tocsin.interop.paths import parse_path, path_text
from tocsin.scenario.specs import TableObject
from tocsin.truth.recorded import recorded_body

DATA = Path(__file__).parent / "data"


def records(name="kiruna", n=None):
    return json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))[:n]


def as_json(rows):
    return json.dumps(rows)


def as_csv(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_real_flight_is_read_in_si():
    raw = records()
    (path,) = read_adsb(DATA / "kiruna.json.gz")
    assert (path.icao24, path.callsign, path.part) == ("4ab179", "CFL12", 1)
    assert len(path.rows) == len(raw) - path.stale - path.incomplete == 400
    assert path.rows[0] == (
        parse_utc("2019-01-30T08:15:25Z"), math.radians(67.830521), math.radians(20.351912), 2400 * 0.3048
    )  # fmt: skip
    assert path.rows[-1][3] == pytest.approx(raw[-1]["altitude"] * 0.3048)
    epoch = parse_utc("2019-01-30T08:15:00Z")
    assert path.on_clock(epoch)[0][0] == 25_000_000_000
    assert path.on_clock(epoch, 5)[0][0] == 5
    assert path.on_clock(epoch, 5)[1][0] == 5_000_000_005


def test_stale_positions_are_left_out_and_counted():
    raw = records("belevingsvlucht")
    (path,) = read_adsb(DATA / "belevingsvlucht.json.gz")
    stale = sum(
        (a["latitude"], a["longitude"]) == (b["latitude"], b["longitude"]) and b["groundspeed"] > 20
        for a, b in itertools.pairwise(raw)
    )
    assert path.stale == stale == 24
    assert len(path.rows) == len(raw) - stale
    # without a speed nothing says that it moved
    for r in raw:
        del r["groundspeed"]
    assert parse_json(as_json(raw))[0].stale == 0


@pytest.mark.parametrize("name", ["kiruna", "belevingsvlucht"])
def test_real_flight_flies_through_its_rows(name):
    (path,) = read_adsb(DATA / f"{name}.json.gz")
    rows = path.on_clock(0, 1_000_000_000)
    body = recorded_body(TableObject("a", "0" * 32, "", "aircraft", rows, 60.0, 10.0), 1.0)
    ephemeris = Ephemeris([body.start_ns], [body.nodes])
    t = np.array([r[0] for r in rows])
    x = to_ecef(ephemeris.states(0, np.minimum(t, ephemeris.span(0)[1])), 1.0 + OMEGA_GMST * t / 1e9)
    at = ecef_to_geodetic(np.ascontiguousarray(x[:, :3]))
    assert np.abs(at[:, :2] - np.array([r[1:3] for r in rows])).max() * 6.4e6 < 0.02
    assert np.abs(at[:, 2] - np.array([r[3] for r in rows])).max() < 0.02
    # what it says of its own speed, which the path does not use
    said = {parse_time(r): r["groundspeed"] * 1852 / 3600 for r in records(name)}
    flown = np.array([said[p[0]] for p in path.rows])
    assert np.median(np.abs(np.linalg.norm(x[:, 3:], axis=1) - flown)) < 15.0


def parse_time(record):
    return record["timestamp"] * 1_000_000


def test_csv_and_opensky_form_give_the_same_path():
    raw = records(n=60)
    (one,) = parse_json(as_json(raw))
    for r in raw:
        ms = r["timestamp"]
        r["timestamp"] = f"2019-01-30 {8 + (ms // 1000 - 1548835200) // 3600:02d}:" + "{:02d}:{:02d}+00:00".format(
            *divmod((ms // 1000) % 3600, 60)
        )
    (two,) = parse_csv(as_csv(raw))
    assert one == two
    raw = records(n=60)
    opensky = [
        {
            "time": r["timestamp"] // 1000, "icao24": r["icao24"].upper(), "lat": r["latitude"], "lon": r["longitude"],
            "velocity": r["groundspeed"] * 1852 / 3600, "heading": r["track"], "vertrate": 0.0,
            "callsign": r["callsign"] + "  ", "onground": False, "baroaltitude": r["altitude"] * 0.3048,
            "geoaltitude": 77.0,
        }
        for r in raw
    ]  # fmt: skip
    assert parse_json(as_json(opensky)) == (one,)
    assert parse_csv(as_csv(opensky)) == (one,)
    assert {row[3] for row in parse_json(as_json(opensky), height="geometric")[0].rows} == {77.0}


def test_thinned_rows_are_the_step_apart_and_keep_both_ends():
    (path,) = read_adsb(DATA / "belevingsvlucht.json.gz")
    thin = path.thinned(30.0)
    t = np.array([r[0] for r in thin.rows]) / 1e9
    assert np.diff(t).min() >= 30.0
    assert np.diff(t).max() < 70.0
    assert (thin.rows[0], thin.rows[-1]) == (path.rows[0], path.rows[-1])
    assert set(thin.rows) <= set(path.rows)
    assert path.thinned(0.1).rows == path.rows
    assert path.thinned(1e6).rows == (path.rows[0], path.rows[-1])
    # the rows left out stay near: 250 m, mostly along the track
    body = recorded_body(TableObject("a", "0" * 32, "", "aircraft", thin.on_clock(0, 0), 90.0, 10.0), 1.0)
    rows = np.array(path.on_clock(0, 0))
    when = rows[:, 0].astype(np.int64)
    x = to_ecef(Ephemeris([0], [body.nodes]).states(0, when)[:, :3], 1.0 + OMEGA_GMST * when / 1e9)
    at = ecef_to_geodetic(np.ascontiguousarray(x))
    assert np.median(np.abs(at[:, 0] - rows[:, 1])) * 6.4e6 < 250.0


def test_path_goes_on_as_scenario_text():
    (path,) = read_adsb(DATA / "kiruna.json.gz")
    rows = path.on_clock(0, 0)
    again = parse_path(path_text(rows), kind="aircraft")
    assert [r[0] for r in again] == [r[0] for r in rows]
    assert np.abs(np.array(again) - np.array(rows))[:, 1:3].max() * 6.4e6 < 1e-3
    assert np.abs(np.array(again) - np.array(rows))[:, 3].max() < 1e-3


def test_several_aircraft_by_address_each_with_its_own_times():
    raw = records(n=20)
    other = [dict(r, icao24="00aa00", callsign=" ", timestamp=r["timestamp"] - 7_000_000) for r in raw]
    mixed = [r for pair in zip(raw, other, strict=True) for r in pair]
    paths = parse_json(as_json(mixed))
    assert [(p.icao24, p.callsign, len(p.rows)) for p in paths] == [("00aa00", "", 20), ("4ab179", "CFL12", 20)]
    assert [p.icao24 for p in parse_json(as_json(mixed), aircraft=["4AB179"])] == ["4ab179"]
    with pytest.raises(AdsbError, match="has no aircraft 123456"):
        parse_json(as_json(mixed), aircraft=["123456"])


def test_rows_without_a_position_are_left_out_and_counted():
    raw = records(n=10)
    raw[3]["latitude"] = None
    raw[5]["altitude"] = None
    (path,) = parse_json(as_json(raw))
    assert (path.incomplete, len(path.rows)) == (2, 8)
    assert parse_csv(as_csv(records(n=10)).replace("2550", "", 1))[0].incomplete == 1


def test_gap_is_an_error_or_parts_the_path():
    raw = records(n=40)
    gone = raw[:10] + raw[25:26] + raw[39:]
    text = as_json(raw[:10] + raw[25:])
    with pytest.raises(
        AdsbError, match=r"^t, record 10: aircraft 4ab179: gap of 80\.000 s before it; at most 60 s may be"
    ) as raised:
        parse_json(text, "t")
    assert raised.value.place == "record 10"
    with pytest.raises(AdsbError, match=r"^t, line 12: aircraft 4ab179: gap of 80\.000 s"):
        parse_csv(as_csv(raw[:10] + raw[25:]), "t")
    assert len(parse_json(text, greatest_gap=80.0)[0].rows) == 25
    parts = parse_json(text, part_at_gaps=True)
    assert [(p.part, len(p.rows)) for p in parts] == [(1, 10), (2, 15)]
    # single rows belong nowhere
    assert [len(p.rows) for p in parse_json(as_json(gone), part_at_gaps=True)] == [10]
    with pytest.raises(AdsbError, match="no aircraft with two rows that belong together"):
        parse_json(as_json(raw[:1] + raw[30:31]), part_at_gaps=True)


def with_value(i, **values):
    raw = records(n=10)
    raw[i].update(values)
    return raw


@pytest.mark.parametrize(
    ("rows", "record", "text"),
    [
        (with_value(4, latitude="x"), 4, "latitude must be a finite number, found 'x'"),
        (with_value(4, latitude=True), 4, "latitude must be a finite number, found True"),
        (with_value(4, latitude=95.0), 4, "latitude must lie between -90 and 90 degrees, found 95"),
        (with_value(4, longitude=-400), 4, "longitude must lie between -360 and 360 degrees, found -400"),
        (with_value(4, longitude=99.0), 4, "no aircraft is faster than 1500 m/s"),
        (with_value(4, altitude=-5e3), 4, "height must lie between -1000 and 1e+08 m, found -1524"),
        (with_value(4, timestamp=1548836140000), 4, "time 1548836140.000 s stands twice"),
        (with_value(4, timestamp=1548836139999), 4, "is earlier than the row before"),
        (with_value(0, timestamp=1548836125), 0, "timestamp must be milliseconds since 1970, from 1980 to 2100"),
        (with_value(3, timestamp=None), 3, "timestamp must be a finite number, found None"),
        (with_value(3, timestamp="yesterday"), 3, "timestamp must be a time with its zone such as 2019-01-30"),
        (with_value(3, timestamp="2019-01-30 08:15:40"), 3, "timestamp must be a time with its zone"),
        (with_value(3, timestamp="2019-01-99 08:15:40Z"), 3, "timestamp '2019-01-99 08:15:40Z' is no time"),
        (with_value(3, icao24="4ab17"), 3, "icao24 must be six hexadecimal digits, found '4ab17'"),
        (with_value(3, icao24=None), 3, "icao24 must be six hexadecimal digits, found None"),
    ],
)
def test_faults_are_named_by_record_and_by_line(rows, record, text):
    with pytest.raises(AdsbError) as raised:
        parse_json(as_json(rows), "t.json")
    assert str(raised.value).startswith(f"t.json, record {record}: ")
    assert text in str(raised.value)
    if not any(isinstance(v, bool | None) for r in rows for v in r.values()) and "'x'" not in text:
        with pytest.raises(AdsbError) as raised:
            parse_csv(as_csv(rows), "t.csv")
        assert str(raised.value).startswith(f"t.csv, line {record + 2}: ")


def test_nan_is_no_number_in_either_form():
    with pytest.raises(AdsbError, match="is no JSON list of objects"):
        parse_json(as_json(with_value(4, latitude=math.nan)))
    with pytest.raises(AdsbError, match=r"line 6: latitude must be a finite number, found 'nan'"):
        parse_csv(as_csv(with_value(4, latitude=math.nan)))


def test_missing_columns_and_broken_tables():
    raw = records(n=4)
    for r in raw:
        del r["altitude"]
    with pytest.raises(AdsbError, match=r"record 0: column 'altitude' is missing; found callsign, groundspeed"):
        parse_json(as_json(raw))
    with pytest.raises(AdsbError, match=r"line 2: column 'geoaltitude' is missing"):
        parse_csv(as_csv(records(n=4)), height="geometric")
    with pytest.raises(AdsbError, match="height must be 'pressure' or 'geometric', found 'true'"):
        parse_json(as_json(records(n=4)), height="true")
    with pytest.raises(AdsbError, match="greatest gap must be above 0 s, found nan"):
        parse_json(as_json(records(n=4)), greatest_gap=math.nan)
    with pytest.raises(AdsbError, match="is no JSON list of objects"):
        parse_json(as_json(records(n=4))[:-30])
    with pytest.raises(AdsbError, match="is no JSON list of objects"):
        parse_json("[1, 2]")
    with pytest.raises(AdsbError, match="is empty"):
        parse_json("[]")
    with pytest.raises(AdsbError, match="is empty"):
        parse_csv("")
    with pytest.raises(AdsbError, match="a path needs 2 to"):
        parse_json(as_json(records(n=1)))
    text = as_csv(records(n=4)).splitlines()
    with pytest.raises(AdsbError, match=r"line 3: 2 cells under 9 columns"):
        parse_csv("\n".join([*text[:2], "1,2", *text[2:]]))
    with pytest.raises(AdsbError, match=r"line 1: column 'icao24' stands twice"):
        parse_csv("icao24,icao24\n1,2\n")


def test_files_that_are_none_of_these(tmp_path):
    with pytest.raises(AdsbError, match=r"gone.json: cannot be read: no such file"):
        read_adsb(tmp_path / "gone.json")
    whole = (DATA / "kiruna.json.gz").read_bytes()
    (tmp_path / "half.json.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AdsbError, match=r"half.json.gz: is no whole gzip file"):
        read_adsb(tmp_path / "half.json.gz")
    (tmp_path / "plain.json.gz").write_bytes(b"[]")
    with pytest.raises(AdsbError, match="is no whole gzip file"):
        read_adsb(tmp_path / "plain.json.gz")
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(bytes(MOST_BYTES + 10), 9))
    with pytest.raises(AdsbError, match="unpacks to more than 64,000,000 bytes"):
        read_adsb(tmp_path / "bomb.csv.gz")
    (tmp_path / "latin.csv").write_bytes(b"icao24,a\n1,\xe9\n")
    with pytest.raises(AdsbError, match=r"latin.csv, line 2: is not UTF-8 text"):
        read_adsb(tmp_path / "latin.csv")
    (tmp_path / "what.txt").write_bytes(b"")
    with pytest.raises(AdsbError, match=r"the name must end in .json, .csv, .json.gz or .csv.gz"):
        read_adsb(tmp_path / "what.txt")
    (tmp_path / "fine.csv.gz").write_bytes(gzip.compress(as_csv(records(n=9)).encode()))
    assert read_adsb(tmp_path / "fine.csv.gz") == parse_json(as_json(records(n=9)))


LINES = tuple(as_csv(records(n=11)).splitlines())


@given(st.one_of(st.text(max_size=60), st.sampled_from(range(12)).flatmap(lambda i: st.tuples(st.just(i), st.text()))))
def test_whatever_stands_there_only_its_own_error_comes(what):
    lines = list(LINES)
    if isinstance(what, tuple):
        lines[what[0]] = what[1]
        text = "\n".join(lines)
    else:
        text = what
    for parse in (parse_csv, parse_json):
        with contextlib.suppress(AdsbError):
            assert len(parse(text)[0].rows) >= 2


@given(
    st.sampled_from(["timestamp", "icao24", "latitude", "longitude", "altitude", "groundspeed", "callsign"]),
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(),
              st.sampled_from([10**400, -(10**30), [], {}, [[[]]]])),
)  # fmt: skip
def test_whatever_a_record_holds_only_its_own_error_comes(column, value):
    rows = with_value(5, **{column: value})
    with contextlib.suppress(AdsbError):
        assert len(parse_json(as_json(rows))[0].rows) >= 2
    with contextlib.suppress(AdsbError):
        assert len(parse_csv(as_csv(rows))[0].rows) >= 2
    deep = as_json(rows)[:-2] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}]"
    with contextlib.suppress(AdsbError):
        parse_json(deep)
