"""A run as CZML: the same events on the globe of any Cesium viewer.

CZML is a JSON list of packets (github.com/AnalyticalGraphicsInc/czml-writer/wiki/CZML-Structure): first the document
with its clock, then one packet for each thing. Positions are Earth-fixed (``FIXED``) metres; times are seconds after
the document's epoch, written once a packet. Every name begins with EXERCISE; texts from scenarios are escaped,
because viewers show descriptions as HTML.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import format_utc, parse_utc
from tocsin.earth.wgs84 import geodetic_to_ecef
from tocsin.records.arrow import values

Floats = NDArray[np.float64]
Packet = dict[str, Any]

# seconds between samples: a viewer draws a smooth line through them with polynomials of degree 5
STEP_S = 5.0
SATELLITE_STEP_S = 60.0
MOST_VERSIONS = 200
_COLOURS = ((11, 95, 165), (200, 84, 0), (0, 128, 100), (160, 60, 150), (130, 115, 0), (80, 110, 150))


class RunLike(Protocol):
    """What is exported: a run, or a run folder that was read."""

    @property
    def tables(self) -> Mapping[str, Any]:
        """Arrow tables by name, as in the data dictionary."""

    @property
    def summary(self) -> Mapping[str, Any]:
        """The documented keys of ``summary.json``."""

    @property
    def scenario(self) -> Mapping[str, Any]:
        """The parsed scenario as plain data."""


class _Time:
    """The document's times: ``start`` and ``end`` in s since the scenario's epoch."""

    def __init__(self, unix_ns: int, start: float, end: float) -> None:
        self.unix_ns = unix_ns
        self.start = start
        self.end = end
        self.epoch = self.utc(0.0)

    def utc(self, t: float) -> str:
        return format_utc(self.unix_ns + round(t * 1e9), 3)

    def interval(self, a: float, b: float) -> str:
        return f"{self.utc(a)}/{self.utc(b)}"


def czml(run: RunLike) -> str:
    """The document as text: JSON, one packet a line."""
    packets = list(_packets(run))
    lines = [json.dumps(p, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for p in packets]
    return "[" + ",\n".join(lines) + "]\n"


def _packets(run: RunLike) -> Iterator[Packet]:
    tables = run.tables
    time = _times(tables, run.scenario)
    title = str(run.scenario.get("title") or run.summary.get("scenario") or "run")
    nations = _nations(run)
    yield {
        "id": "document",
        "name": f"EXERCISE: {title}",
        "version": "1.0",
        "description": "EXERCISE. Simulation, analysis and training only.",
        "clock": {
            "interval": time.interval(time.start, time.end),
            "currentTime": time.utc(time.start),
            "multiplier": 10,
            "range": "LOOP_STOP",
            "step": "SYSTEM_CLOCK_MULTIPLIER",
        },
    }
    yield from _objects(tables, time)
    yield from _sensors(tables, time, nations, _names(run.scenario))
    yield from _estimates(tables, time, nations)


def _names(scenario: Mapping[str, Any]) -> dict[str, str]:
    """Sensor names where the scenario gives them."""
    out: dict[str, str] = {}
    partners = scenario.get("partners")
    for partner in partners.values() if isinstance(partners, Mapping) else ():
        sensors = partner.get("sensors") if isinstance(partner, Mapping) else None
        for id, entry in sensors.items() if isinstance(sensors, Mapping) else ():
            if isinstance(entry, Mapping) and isinstance(entry.get("name"), str):
                out[str(id)] = entry["name"]
    return out


def _nations(run: RunLike) -> list[str]:
    """Partner ids in the order that fixes their colours."""
    ids = [str(p["id"]) for p in run.summary.get("partners", []) if isinstance(p, Mapping) and "id" in p]
    for name in ("scans", "warnings"):
        table = run.tables.get(name)
        if table is not None and table.num_rows:
            ids += sorted(set(table.column("nation").to_pylist()) - set(ids))
    return ids


def _times(tables: Mapping[str, Any], scenario: Mapping[str, Any]) -> _Time:
    unix_ns, seen = None, []
    for name, column in (("truth", "t_s"), ("scans", "t1_s"), ("warnings", "t_s")):
        table = tables.get(name)
        if table is not None and table.num_rows:
            if unix_ns is None:
                row = table.slice(0, 1).to_pylist()[0]
                unix_ns = parse_utc(row["time_utc"]) - round(row[column] * 1e9)
            t = _floats(table, column)
            seen += [float(t.min()), float(t.max())]
    if unix_ns is None:
        start = scenario.get("start")
        unix_ns = parse_utc(start) if isinstance(start, str) else 0
    return _Time(unix_ns, min(seen, default=0.0), max(max(seen, default=0.0), min(seen, default=0.0) + 1.0))


def _floats(table: Any, column: str) -> Floats:
    return np.asarray(values(table.column(column)), dtype=np.float64)


def _rgba(nations: list[str], nation: str, alpha: int) -> dict[str, list[int]]:
    r, g, b = _COLOURS[(nations.index(nation) if nation in nations else 0) % len(_COLOURS)]
    return {"rgba": [r, g, b, alpha]}


def _description(lines: list[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in lines)
    return f"<p>EXERCISE: simulation, not a real event.</p><table>{rows}</table>"


def _samples(t: Floats, ecef: Floats) -> list[float]:
    """``t, x, y, z`` rows, joined; metres to a decimetre."""
    rows = np.concatenate([t[:, None], ecef], axis=1)
    return [round(float(v), 1) for v in rows.reshape(-1)]


def _thinned(t: Floats, step: float) -> NDArray[np.int64]:
    """Rows about ``step`` s apart, first and last kept."""
    if len(t) < 3:
        return np.arange(len(t))
    slot = np.floor((t - t[0]) / step + 1e-9)
    keep = np.concatenate([[True], slot[1:] != slot[:-1]])
    keep[-1] = True
    return np.flatnonzero(keep)


def _label(text: str, colour: dict[str, Any]) -> Packet:
    return {
        "text": text,
        "font": "12pt sans-serif",
        "style": "FILL_AND_OUTLINE",
        "fillColor": colour,
        "outlineColor": {"rgba": [0, 0, 0, 255]},
        "outlineWidth": 2,
        "horizontalOrigin": "LEFT",
        "pixelOffset": {"cartesian2": [12, 0]},
    }


def _objects(tables: Mapping[str, Any], time: _Time) -> Iterator[Packet]:
    truth = tables.get("truth")
    if truth is None or truth.num_rows == 0:
        return
    names = np.array(truth.column("object").to_pylist(), dtype=object)
    t = _floats(truth, "t_s")
    place = np.stack(
        [
            np.radians(_floats(truth, "lat_deg")),
            np.radians(_floats(truth, "lon_deg")),
            _floats(truth, "height_km") * 1e3,
        ],
        axis=-1,
    )
    white = {"rgba": [255, 255, 255, 255]}
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == name)
        rows = rows[np.argsort(t[rows], kind="stable")]
        rows = rows[_thinned(t[rows], STEP_S)]
        start, end = float(t[rows[0]]), float(t[rows[-1]])
        yield {
            "id": f"object/{name}",
            "name": f"EXERCISE: {name} (truth)",
            "description": _description([("object", name), ("from", time.utc(start)), ("until", time.utc(end))]),
            "availability": time.interval(start, max(end, start + 1.0)),
            "position": {
                "epoch": time.epoch,
                "referenceFrame": "FIXED",
                "interpolationAlgorithm": "LAGRANGE",
                "interpolationDegree": min(5, max(1, len(rows) - 1)),
                "cartesian": _samples(t[rows], geodetic_to_ecef(place[rows])),
            },
            "point": {"pixelSize": 9, "color": white, "outlineColor": {"rgba": [0, 0, 0, 255]}, "outlineWidth": 1},
            "label": _label(f"EXERCISE {name}", white),
            "path": {
                "material": {"solidColor": {"color": {"rgba": [255, 255, 255, 200]}}},
                "width": 2,
                "resolution": STEP_S,
                "leadTime": 0,
                "trailTime": max(end - start, 1.0),
            },
        }


def _sensors(tables: Mapping[str, Any], time: _Time, nations: list[str], called: dict[str, str]) -> Iterator[Packet]:
    scans = tables.get("scans")
    if scans is None or scans.num_rows == 0:
        return
    ids = np.array(scans.column("sensor").to_pylist(), dtype=object)
    nation = scans.column("nation").to_pylist()
    kinds = scans.column("sensor_kind").to_pylist()
    t = _floats(scans, "t0_s")
    place = np.stack(
        [
            np.radians(_floats(scans, "platform_lat_deg")),
            np.radians(_floats(scans, "platform_lon_deg")),
            _floats(scans, "platform_height_km") * 1e3,
        ],
        axis=-1,
    )
    for id in sorted(set(ids.tolist())):
        rows = np.flatnonzero(ids == id)
        rows = rows[np.argsort(t[rows], kind="stable")]
        owner, kind = nation[rows[0]], kinds[rows[0]]
        name = called.get(id, id)
        colour = _rgba(nations, owner, 255)
        packet: Packet = {
            "id": f"sensor/{id}",
            "name": f"EXERCISE: {name}",
            "description": _description([("sensor", id), ("partner", owner), ("kind", kind)]),
            "availability": time.interval(time.start, time.end),
            "point": {
                "pixelSize": 8,
                "color": colour,
                "outlineColor": {"rgba": [255, 255, 255, 255]},
                "outlineWidth": 1,
            },
            "label": _label(name, colour),
        }
        if kind == "radar":
            lat, lon, h = (float(v) for v in place[rows[0]])
            packet["position"] = {
                "cartographicDegrees": [round(math.degrees(lon), 6), round(math.degrees(lat), 6), round(h, 1)]
            }
        else:
            rows = rows[_thinned(t[rows], SATELLITE_STEP_S)]
            packet["position"] = {
                "epoch": time.epoch,
                "referenceFrame": "FIXED",
                "interpolationAlgorithm": "LAGRANGE",
                "interpolationDegree": min(5, max(1, len(rows) - 1)),
                "forwardExtrapolationType": "HOLD",
                "backwardExtrapolationType": "HOLD",
                "cartesian": _samples(t[rows], geodetic_to_ecef(place[rows])),
            }
        yield packet


def _estimates(tables: Mapping[str, Any], time: _Time, nations: list[str]) -> Iterator[Packet]:
    """The 95 % regions of each warning of a nation's own label, each from its version until the next."""
    warnings, estimates = tables.get("warnings"), tables.get("estimates")
    if warnings is None or estimates is None or warnings.num_rows == 0:
        return
    life: dict[str, list[tuple[float, int, str, str]]] = {}
    for r in warnings.to_pylist():
        if r["label"] == "own":
            life.setdefault(r["warning"], []).append((r["t_s"], r["version"], r["status"], r["nation"]))
    made = {(r["warning"], r["version"], r["what"]): r for r in estimates.to_pylist()}
    for uid, versions in life.items():
        versions.sort(key=lambda v: v[1])
        step = math.ceil(len(versions) / MOST_VERSIONS)
        shown = [v for i, v in enumerate(versions) if i % step == 0 or i == len(versions) - 1]
        for i, (t, version, status, nation) in enumerate(shown):
            end = shown[i + 1][0] if i + 1 < len(shown) else time.end
            if status in ("cancelled", "closed") or end <= t:
                continue
            for what in ("launch", "impact"):
                row = made.get((uid, version, what))
                if row is None or row["kind"] == "none" or not row["region95"]:
                    continue
                yield from _region(
                    json.loads(row["region95"]), uid, version, what, nation, time.interval(t, end), nations, row
                )


def _region(
    geometry: Any,
    uid: str,
    version: int,
    what: str,
    nation: str,
    interval: str,
    nations: list[str],
    row: Mapping[str, Any],
) -> Iterator[Packet]:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for k, polygon in enumerate(polygons):
        outside, *holes = [_degrees(ring) for ring in polygon]
        if len(outside) < 9:
            continue
        packet: Packet = {
            "id": f"estimate/{uid}/{version}/{what}/{k}",
            "name": f"EXERCISE: {what} region of {uid}, version {version}",
            "description": _description(
                [
                    ("warning", uid),
                    ("version", str(version)),
                    ("of", what),
                    ("partner", nation),
                    ("made from", str(row["basis"])),
                ]
            ),
            "availability": interval,
            "polygon": {
                "positions": {"cartographicDegrees": outside},
                "height": 0,
                "material": {"solidColor": {"color": _rgba(nations, nation, 70)}},
                "outline": True,
                "outlineColor": _rgba(nations, nation, 255),
            },
        }
        good = [h for h in holes if len(h) >= 9]
        if good:
            packet["polygon"]["holes"] = {"cartographicDegrees": good}
        yield packet


def _degrees(ring: Any) -> list[float]:
    """Longitude, latitude, height, joined; the closing point of GeoJSON is left out, CZML closes by itself."""
    points = [(float(p[0]), float(p[1])) for p in ring]
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    return [v for lon, lat in points for v in (round(lon, 5), round(lat, 5), 0)]
