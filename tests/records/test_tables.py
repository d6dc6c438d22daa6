"""Records to tables: units, frames, nulls and order, against ERFA and numbers worked out by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import erfa
import msgspec
import numpy as np
import pyarrow as pa
import pytest

from tocsin.earth.clock import parse_utc
from tocsin.records import columns as c
from tocsin.records.dictionary import TABLES, schema
from tocsin.records.record import Input, Record, Source, pack
from tocsin.records.shapes import AreaRisk, Decision, Envelope, Estimate, Evidence, TrackEvent, WarningVersion
from tocsin.records.tables import tables_from_records
from tocsin.records.words import Facts, SensorFact, nation_of

S = 1_000_000_000
THETA0 = 1.25
OMEGA = 7.292115855306589e-5
FACTS = Facts(
    parse_utc("2017-08-28T20:58:00Z"),
    THETA0,
    ("one", "two"),
    (SensorFact(0, "dish", "radar", "north"), SensorFact(2, "eye", "infrared", "south")),
)


def tables(*records: Record) -> dict[str, pa.Table]:
    return tables_from_records(records, FACTS)


def row(table: pa.Table, i: int = 0) -> dict[str, Any]:
    return table.to_pylist()[i]


def by_proj(position_eci: np.ndarray, t_s: float) -> tuple[float, float, float]:
    """Latitude, longitude (deg), height (km) of an eci position, by a plain rotation and ERFA (Fukushima's method)."""
    theta = THETA0 + OMEGA * t_s
    turn = np.array([[math.cos(theta), math.sin(theta), 0], [-math.sin(theta), math.cos(theta), 0], [0, 0, 1]])
    lon, lat, h = erfa.gc2gd(1, turn @ position_eci)
    return math.degrees(lat), math.degrees(lon), float(h) / 1e3


def test_no_records_give_empty_tables_in_the_declared_schemas() -> None:
    made = tables()
    assert list(made) == list(TABLES)
    for name, table in made.items():
        assert table.schema.equals(schema(name), check_metadata=True)
        assert table.num_rows == 0


def test_truth_states_are_turned_into_places() -> None:
    rows = c.empty(c.TRUTH_STATE, 3)
    rows["object"] = (1, 0, 1)
    rows["t_ns"] = (2 * S, 1 * S, 1 * S)
    rows["x"] = [[4e6, 5e6, 3e6, 1e3, -2e3, 3e3], [-6e6, 2e6, -3e6, 0, 0, 7e3], [1e6, 1e6, 6.6e6, 1, 2, 3]]
    rows["phase"] = (2, 0, 1)
    table = tables(Source("world").record(2 * S, 1, "truth.states", c.encode(rows), ("truth",)))["truth"]
    assert table["object"].to_pylist() == ["one", "two", "two"]  # by time, then as in the scenario
    assert table["t_s"].to_pylist() == [1.0, 1.0, 2.0]
    assert table["time_utc"].to_pylist() == ["2017-08-28T20:58:01.000Z"] * 2 + ["2017-08-28T20:58:02.000Z"]
    assert table["phase"].to_pylist() == ["boost", "coast", "re-entry"]
    last = row(table, 2)
    lat, lon, height = by_proj(rows["x"][0, :3], 2.0)
    assert last["lat_deg"] == pytest.approx(lat, abs=1e-8)
    assert last["lon_deg"] == pytest.approx(lon, abs=1e-8)
    assert last["height_km"] == pytest.approx(height, abs=1e-6)
    assert (last["x_eci_km"], last["vy_eci_km_s"]) == (4000.0, -2.0)


def test_scans_tell_limits_in_degrees_and_nothing_where_there_is_none() -> None:
    rows = c.empty(c.SCAN, 2)
    rows["sensor"] = (0, 2)
    rows["scan"], rows["region"], rows["status"] = (7, 8), (0, 1), (0, 1)
    rows["t0_ns"], rows["t1_ns"], rows["arrive_ns"] = 3 * S, 8_000_400_000, 9 * S
    rows["az_from"], rows["az_to"] = math.radians(330), math.radians(30)
    rows["el_max"][1] = np.nan
    rows["range_max"] = (3e6, np.inf)
    rows["sensitivity"], rows["clutter"], rows["n_detections"] = (1.2e6, 40e3), 0.25, 3
    rows["platform"][:, :3] = [[4e6, 3e6, 4e6], [4.2e7, 0, 0]]
    records = [
        Source(f"world:{nation}").record(9 * S, 2, "scans", c.encode(rows[i : i + 1]), (f"nation:{nation}",))
        for i, nation in enumerate(("north", "south"))
    ]
    table = tables(*records)["scans"]
    radar, satellite = table.to_pylist()
    assert (radar["nation"], radar["sensor"], radar["sensor_kind"], radar["region"], radar["status"]) == (
        "north", "dish", "radar", "sector", "up",
    )  # fmt: skip
    assert (satellite["sensor"], satellite["sensor_kind"], satellite["region"], satellite["status"]) == (
        "eye", "infrared", "view", "degraded",
    )  # fmt: skip
    assert radar["azimuth_from_deg"] == pytest.approx(330.0)
    assert (radar["range_max_km"], satellite["range_max_km"], satellite["elevation_max_deg"]) == (3000.0, None, None)
    assert (radar["sensitivity"], satellite["sensitivity"]) == (1200.0, 40.0)
    assert radar["time_utc"] == "2017-08-28T20:58:08.000Z"
    assert radar["t1_s"] == 8.0004
    lat, lon, height = by_proj(rows["platform"][0, :3], 3.0)
    assert (radar["platform_lat_deg"], radar["platform_lon_deg"]) == pytest.approx((lat, lon), abs=1e-8)
    assert radar["platform_height_km"] == pytest.approx(height, abs=1e-6)


def test_detections_say_what_was_measured_and_nothing_else() -> None:
    rows = c.empty(c.DETECTION, 5)
    rows["kind"] = (c.Kind.RAE, c.Kind.RAER, c.Kind.LOS, c.Kind.RA, c.Kind.XY)
    rows["n"], rows["t_ns"], rows["arrive_ns"], rows["snr_db"] = np.arange(5), 5 * S, 6 * S, 13.5
    rows["z"] = [[1e6, -0.1, 0.2, 0], [1e6, 0.1, 0.2, -500], [-0.3, 0.4, 0, 0], [2e6, 7.0, 0, 0], [1, 2, 0, 0]]
    rows["R"] = np.arange(1.0, 11.0) ** 2  # so that a wrong place in the packed triangle shows
    rows["intensity"] = 5e4
    table = tables(Source("world:north").record(6 * S, 2, "detections", c.encode(rows), ("nation:north",)))[
        "detections"
    ]
    rae, raer, los, ra, plane = table.to_pylist()
    assert [r["kind"] for r in (rae, raer, los, ra, plane)] == list(c.KIND_NAME)
    assert rae["range_km"] == 1000.0
    assert rae["azimuth_deg"] == pytest.approx(360.0 - math.degrees(0.1))
    assert rae["elevation_deg"] == pytest.approx(math.degrees(0.2))
    assert (rae["range_rate_km_s"], rae["intensity_kw_sr"]) == (None, None)
    # the packed upper triangle of 4 x 4 holds the diagonal at 0, 4, 7, 9: 1, 5, 8, 10 squared
    assert rae["sigma_range_km"] == pytest.approx(1e-3)
    assert rae["sigma_azimuth_deg"] == pytest.approx(math.degrees(5.0))
    assert rae["sigma_elevation_deg"] == pytest.approx(math.degrees(8.0))
    assert raer["range_rate_km_s"] == -0.5
    assert (los["range_km"], los["sigma_range_km"], los["intensity_kw_sr"]) == (None, None, 50.0)
    assert los["azimuth_deg"] == pytest.approx(360.0 - math.degrees(0.3))
    assert los["elevation_deg"] == pytest.approx(math.degrees(0.4))
    assert los["sigma_azimuth_deg"] == pytest.approx(math.degrees(1.0))
    assert los["sigma_elevation_deg"] == pytest.approx(math.degrees(5.0))
    assert (ra["range_km"], ra["elevation_deg"]) == (2000.0, None)
    assert ra["azimuth_deg"] == pytest.approx(math.degrees(7.0) - 360.0)
    assert (plane["range_km"], plane["azimuth_deg"], plane["elevation_deg"]) == (None, None, None)


def test_an_azimuth_a_hair_under_north_is_not_360() -> None:
    rows = c.empty(c.DETECTION, 1)
    rows["z"][0, 1] = -1e-18
    table = tables(Source("world:north").record(S, 2, "detections", c.encode(rows), ()))["detections"]
    assert row(table)["azimuth_deg"] == 0.0


def test_truth_links_keep_false_detections_apart() -> None:
    rows = c.empty(c.TRUTH_LINK, 2)
    rows["sensor"], rows["object"] = (0, 2), (1, -1)
    table = tables(Source("world").record(S, 1, "truth.links", c.encode(rows), ("truth",)))["truth_links"]
    assert table.to_pylist() == [
        {"sensor": "dish", "scan": 0, "n": 0, "object": "two"},
        {"sensor": "eye", "scan": 0, "n": 0, "object": None},
    ]


def test_tracks_tell_spread_and_place() -> None:
    rows = c.empty(c.TRACK, 2)
    rows["track"], rows["t_ns"], rows["life"] = (4, 5), 9 * S, (1, 3)
    rows["x"][:] = [5e6, 4e6, 2e6, 1e3, 2e3, 3e3]
    covariance = np.diag([4e6, 4e6, 1e6, 100.0, 200.0, 100.0]) + 7.0
    rows["P"][:] = c.pack_symmetric(covariance)
    rows["mu"][0, :2], rows["existence"], rows["updates"] = (0.2, 0.8), 0.9, 11
    rows["sensors"], rows["last_update_ns"] = 2, 8 * S
    table = tables(Source("nation:north").record(9 * S, 4, "tracks", c.encode(rows), (), label="to:south"))["tracks"]
    first = row(table)
    assert (first["nation"], first["label"], first["track"], first["life"]) == ("north", "to:south", 4, "confirmed")
    assert first["sigma_position_km"] == pytest.approx(math.sqrt(np.trace(covariance[:3, :3])) / 1e3)
    assert first["sigma_velocity_km_s"] == pytest.approx(math.sqrt(np.trace(covariance[3:, 3:])) / 1e3)
    assert (first["p_boost"], first["existence"], first["updates"], first["sensors"]) == (0.2, 0.9, 11, 2)
    assert first["lat_deg"] == pytest.approx(by_proj(rows["x"][0, :3], 9.0)[0], abs=1e-8)
    assert row(table, 1)["life"] == "ended"


def warning(**other: Any) -> WarningVersion:
    launch = Estimate(
        5 * S, "boost-fit", 1.0, "gaussian", (0.5, -1.0), (4e6, 1e6, 1e6, 9e6), 3 * S, 25.0, (500.0, -250.0),
        {"type": "Polygon", "coordinates": [[[1, 2], [3, 4], [5, 6], [1, 2]]]}, None,
    )  # fmt: skip
    made = WarningVersion(
        uid="north/own/0", version=2, t_ns=9 * S, status="updated", confirmed=True, cause="new detections", track=4,
        sources=("north", "south"), partner="south/to:north/1", first_data_ns=4 * S, launch=launch, impact=Estimate(5
        * S, "none", 0.3, "none"), areas=(AreaRisk("cape", 0.1, 0.6, 500 * S, False), AreaRisk("isle", 0.001, 0.0,
        None, True)), types={"b": 0.4, "a": 0.6}, p_real=0.9, confidence="medium", evidence=(Evidence("radar", "dish",
        "not_yet", 60 * S, ("north",)), Evidence("infrared", "eye", "agrees", None, ("south", "north"))),
    )  # fmt: skip
    return msgspec.structs.replace(made, **other)


def test_a_warning_fills_four_tables_and_a_line_of_events() -> None:
    made = tables(
        Source("nation:north").record(9 * S, 5, "warning", warning(), ("nation:north", "control"), label="own")
    )
    w = row(made["warnings"])
    assert (w["nation"], w["label"], w["warning"], w["version"], w["t_s"]) == ("north", "own", "north/own/0", 2, 9.0)
    assert (w["sources"], w["partner"], w["track"], w["burnout_s"]) == ("north,south", "south/to:north/1", 4, None)
    assert w["types"] == '{"a":0.6,"b":0.4}'
    assert w["time_utc"] == "2017-08-28T20:58:09.000Z"
    launch, impact = made["estimates"].to_pylist()
    assert (launch["what"], launch["kind"], impact["what"], impact["kind"]) == ("launch", "gaussian", "impact", "none")
    assert launch["lat_deg"] == pytest.approx(math.degrees(0.5))
    assert launch["lon_deg"] == pytest.approx(math.degrees(-1.0))
    assert (launch["cov_ee_km2"], launch["cov_en_km2"], launch["cov_nn_km2"]) == pytest.approx((4.0, 1.0, 9.0))
    assert (launch["at_s"], launch["at_sigma_s"], launch["cov_et_km_s"], launch["cov_nt_km_s"]) == (
        3.0,
        5.0,
        0.5,
        -0.25,
    )
    assert json.loads(launch["region50"])["coordinates"][0][1] == [3, 4]
    assert {impact[k] for k in ("lat_deg", "cov_ee_km2", "at_s", "at_sigma_s", "region50", "region95")} == {None}
    assert [(r["area"], r["p_impact"], r["at_s"], r["excluded"]) for r in made["risks"].to_pylist()] == [
        ("cape", 0.1, 500.0, False), ("isle", 0.001, None, True),
    ]  # fmt: skip
    assert [(e["sensor"], e["state"], e["could_from_s"], e["source_chain"]) for e in made["evidence"].to_pylist()] == [
        ("dish", "not_yet", 60.0, "north"), ("eye", "agrees", None, "south,north"),
    ]  # fmt: skip
    event = row(made["events"])
    assert (event["source"], event["kind"], event["audience"]) == ("nation:north", "warning", "nation:north,control")
    assert (event["subject"], event["what"], event["label"]) == ("north/own/0", "updated", "own")


def test_a_message_is_one_row_with_what_became_of_it() -> None:
    def envelope(n: int, arrive: int) -> Envelope:
        return Envelope("south", "north", n, 10 * S, arrive * S, "warning", "EXERCISE", pack(warning(version=n)))

    south, north, link = Source("nation:south"), Source("nation:north"), Source("link:south>north")
    made = tables(
        *[south.record(10 * S, 6, "message.sent", envelope(n, 10), ()) for n in range(3)],
        link.record(10 * S, 6, "message.lost", envelope(1, 10), ("control",)),
        north.record(14 * S, 3, "message.received", envelope(0, 13), ()),
    )["messages"].to_pylist()
    assert [(m["n"], m["outcome"], m["arrive_s"], m["version"]) for m in made] == [
        (0, "received", 13.0, 0), (1, "lost", None, 1), (2, "sent", None, 2),
    ]  # fmt: skip
    assert {m["warning"] for m in made} == {"north/own/0"}
    assert {m["exercise"] for m in made} == {"EXERCISE"}


def test_decisions_inputs_and_the_rest() -> None:
    decision = Decision(
        "watch", "public", "inform", "north/own/0", 2, 8 * S, 1.5, "doctrine", "EXERCISE", ("cape", "isle")
    )
    given = Input("i-1", "main", "north/watch", "Ada", "decide", 1, pack({"b": [1, None], "a": "x"}))
    north, control, world = Source("nation:north"), Source("control"), Source("world")
    made = tables(
        north.record(9_500_000_000, 7, "decision", decision, ("nation:north",)), control.record(7 * S, 0, "input",
        {"input": given, "applies_ns": 7_000_000_001}, ("control",)), control.record(6 * S, 0, "inject", {"act":
        "note", "target": "watch", "until_ns": None, "text": "drill"}, ("control",)), control.record(6 * S, 0,
        "sensor.status", {"sensor": "dish", "status": "silent"}, ("control",)), north.record(5 * S, 4, "track.event",
        TrackEvent(4, "ended", 5 * S, "lost"), ("nation:north",), label="own"), world.record(4 * S, 1, "truth.event",
                     {"object": "one", "event": "impact", "t_ns": 4 * S, "lat": 0.5, "lon": 1.0, "h": 0.0}, ("truth",)),
        control.record(3 * S, 0, "from.a.plugin", [1, 2], ("control",)),
    )  # fmt: skip
    d = row(made["decisions"])
    assert (d["post"], d["action"], d["due_s"], d["t_s"], d["took_s"], d["areas"]) == (
        "watch",
        "inform",
        8.0,
        9.5,
        1.5,
        "cape,isle",
    )
    i = row(made["inputs"])
    assert (i["id"], i["seat"], i["person"], json.loads(i["body"])) == (
        "i-1",
        "north/watch",
        "Ada",
        {"a": "x", "b": [1, None]},
    )
    assert round(i["applies_s"] * 1e9) == 7_000_000_001
    lines = [(e["t_s"], e["kind"], e["subject"], e["what"], e["text"]) for e in made["events"].to_pylist()]
    assert lines == [
        (3.0, "from.a.plugin", "", "plugin", "[1,2]"),
        (4.0, "truth.event", "one", "impact", "28.6479 deg north, 57.2958 deg east, 0.0 km"),
        (5.0, "track.event", "track 4", "ended", "lost"),
        (6.0, "inject", "watch", "note", "drill"),
        (6.0, "sensor.status", "dish", "silent", '{"sensor":"dish","status":"silent"}'),
        (7.0, "input", "i-1", "decide", "north/watch Ada"),
        (9.5, "decision", "north/own/0", "inform", "EXERCISE"),
    ]


def test_a_rows_values_do_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(5)
    rows = c.empty(c.TRUTH_STATE, 50)
    rows["x"] = rng.normal(0, 1, (50, 6)) * 1e6 + 6e6
    rows["t_ns"] = np.arange(50) * S
    source = Source("world")
    together = tables(source.record(0, 1, "truth.states", c.encode(rows), ()))["truth"]
    for i in (0, 17, 49):
        alone = tables(source.record(0, 1, "truth.states", c.encode(rows[i : i + 1]), ()))["truth"]
        assert row(alone) == row(together, i)


def test_the_order_of_records_does_not_matter() -> None:
    source = Source("nation:north")
    records = [source.record(t * S, 5, "warning", warning(version=t, t_ns=t * S), ()) for t in range(5)]
    assert tables(*records)["warnings"].equals(tables(*reversed(records))["warnings"])


def test_a_body_that_does_not_fit_its_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit its kind"):
        tables(Source("nation:north").record(S, 5, "warning", {"uid": 7}, ()))
    with pytest.raises(ValueError, match="holds"):
        tables(Source("world:north").record(S, 2, "scans", c.encode(c.empty(c.DETECTION, 1)), ()))


@pytest.mark.parametrize(
    ("source", "nation"),
    [("nation:a", "a"), ("world:a", "a"), ("seat:a/watch", "a"), ("world", ""), ("control", ""), ("link:a>b", "")],
)
def test_whose_a_record_is(source: str, nation: str) -> None:
    assert nation_of(Source(source).record(0, 0, "x", {}, ())) == nation
