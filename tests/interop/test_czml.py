"""CZML: the structure of the document, positions against the truth, availability, escaping."""

import json
import sys
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyproj
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from synthetic_run import overflight, polar_rocket

from tocsin.interop.czml import czml

KNOWN = {
    "id",
    "name",
    "version",
    "description",
    "clock",
    "availability",
    "position",
    "point",
    "label",
    "path",
    "polygon",
}


@pytest.fixture(scope="module")
def run():
    return overflight()


@pytest.fixture(scope="module")
def packets(run):
    return json.loads(czml(run))


def instants(interval):
    a, b = interval.split("/")
    return datetime.fromisoformat(a), datetime.fromisoformat(b)


def test_the_document_comes_first(packets):
    document = packets[0]
    assert document["id"] == "document"
    assert document["version"] == "1.0"
    assert document["name"].startswith("EXERCISE")
    start, end = instants(document["clock"]["interval"])
    assert start < end
    assert datetime.fromisoformat(document["clock"]["currentTime"]) == start
    assert sum(p["id"] == "document" for p in packets) == 1


def test_every_packet(packets):
    start, end = instants(packets[0]["clock"]["interval"])
    ids = [p["id"] for p in packets]
    assert len(ids) == len(set(ids))
    for p in packets:
        assert set(p) <= KNOWN
        assert p["name"].startswith("EXERCISE")
        if "availability" in p:
            a, b = instants(p["availability"])
            assert start <= a < b <= end


def test_object_positions_are_the_truth(run, packets):
    p = next(p for p in packets if p["id"].startswith("object/"))
    position = p["position"]
    assert position["referenceFrame"] == "FIXED"
    epoch = datetime.fromisoformat(position["epoch"])
    assert epoch.isoformat() == "2017-08-28T20:57:00+00:00"
    rows = np.array(position["cartesian"]).reshape(-1, 4)
    assert (np.diff(rows[:, 0]) > 0).all()
    truth = run.tables["truth"].to_pydict()
    ecef = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    for t, x, y, z in rows[:: len(rows) // 12]:
        i = truth["t_s"].index(t)
        expected = ecef.transform(truth["lon_deg"][i], truth["lat_deg"][i], truth["height_km"][i] * 1e3)
        assert np.abs(np.array([x, y, z]) - expected).max() < 0.2
    a, b = instants(p["availability"])
    assert (a - epoch).total_seconds() == rows[0, 0] == truth["t_s"][0]
    assert (b - epoch).total_seconds() == rows[-1, 0] == truth["t_s"][-1]


def test_samples_are_thinned(run, packets):
    p = next(p for p in packets if p["id"].startswith("object/"))
    assert len(p["position"]["cartesian"]) / 4 < run.tables["truth"].num_rows / 4
    assert len(czml(run)) < 500_000


def test_sensors(packets):
    sensors = {p["id"]: p for p in packets if p["id"].startswith("sensor/")}
    assert len(sensors) == 4
    lon, lat, _ = sensors["sensor/tpy2-shariki"]["position"]["cartographicDegrees"]
    assert (lat, lon) == pytest.approx((40.887, 140.338), abs=1e-5)
    satellite = np.array(sensors["sensor/sbirs-geo-1"]["position"]["cartesian"]).reshape(-1, 4)
    assert np.linalg.norm(satellite[:, 1:], axis=1) == pytest.approx(42.164e6, rel=1e-3)
    for p in sensors.values():
        assert p["label"]["text"]
        assert all(0 <= v <= 255 for v in p["point"]["color"]["rgba"])


def test_estimates_follow_one_another(packets):
    groups = {}
    for p in packets:
        if p["id"].startswith("estimate/"):
            positions = p["polygon"]["positions"]["cartographicDegrees"]
            assert len(positions) % 3 == 0
            assert len(positions) >= 9
            assert positions[:3] != positions[-3:]  # CZML closes polygons by itself
            assert all(-180 <= v <= 360 for v in positions[::3])
            assert all(-90 <= v <= 90 for v in positions[1::3])
            _, rest = p["id"].split("estimate/")
            uid, _, what, _ = rest.rsplit("/", 3)
            groups.setdefault((uid, what), []).append(instants(p["availability"]))
    assert len(groups) == 4
    for spans in groups.values():
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            assert end == start


def test_parts_and_holes():
    run = overflight()
    rows = run.tables["estimates"].to_pylist()
    ring = [[170.0, 40.0], [175.0, 40.0], [175.0, 45.0], [170.0, 45.0], [170.0, 40.0]]
    hole = [[171.0, 41.0], [172.0, 41.0], [172.0, 42.0], [171.0, 42.0], [171.0, 41.0]]
    for r in rows:
        r["region95"] = json.dumps({"type": "MultiPolygon", "coordinates": [[ring, hole], [ring]]})
    run.tables["estimates"] = pa.Table.from_pylist(rows, schema=run.tables["estimates"].schema)
    made = [p for p in json.loads(czml(run)) if p["id"].startswith("estimate/")]
    assert [p["id"].rsplit("/", 1)[1] for p in made[:2]] == ["0", "1"]
    assert made[0]["polygon"]["holes"]["cartographicDegrees"] == [
        [171.0, 41.0, 0, 172.0, 41.0, 0, 172.0, 42.0, 0, 171.0, 42.0, 0]
    ]
    assert "holes" not in made[1]["polygon"]


def test_cancelled_warnings_leave_the_globe():
    run = overflight()
    rows = run.tables["warnings"].to_pylist()
    for r in rows:
        if r["t_s"] > 300:
            r["status"] = "cancelled"
    run.tables["warnings"] = pa.Table.from_pylist(rows, schema=run.tables["warnings"].schema)
    packets = json.loads(czml(run))
    epoch = datetime.fromisoformat("2017-08-28T20:57:00+00:00")
    starts = [
        (instants(p["availability"])[0] - epoch).total_seconds() for p in packets if p["id"].startswith("estimate/")
    ]
    assert starts
    assert max(starts) <= 300


def test_descriptions_are_escaped():
    text = czml(overflight("<img src=x onerror=alert(1)>\u2028"))
    for p in json.loads(text):
        assert "<img" not in p.get("description", "")


def test_the_same_twice_and_the_other_scenario(run):
    assert czml(run) == czml(overflight())
    packets = json.loads(czml(polar_rocket()))
    assert any(p["id"] == "object/black-brant" for p in packets)


def test_nothing_at_all():
    from types import SimpleNamespace

    empty = SimpleNamespace(tables={}, summary={}, manifest={}, scenario={"start": "2020-01-01T00:00:00Z"})
    packets = json.loads(czml(empty))
    assert [p["id"] for p in packets] == ["document"]
    start, end = instants(packets[0]["clock"]["interval"])
    assert start < end
