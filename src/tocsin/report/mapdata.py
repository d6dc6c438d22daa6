"""The data with which the page's script moves the map through time.

Everything is projected here, once; the script only picks rows. Times are whole tenths of seconds since the first
launch, places are in units of the frame.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.records.arrow import values
from tocsin.report.declared import geojson_rings
from tocsin.report.facts import Facts, Flight, Looks, Nation, Sensor, Version, Warned, floats, texts
from tocsin.report.projection import BOX, Projection, clip_ring, path
from tocsin.report.text import clean, clock, km, percent, place, t_plus, the

Floats = NDArray[np.float64]
# what is drawn of a long run: enough to see, little enough to send
MOST_LOOKS = 4000
MOST_VERSIONS = 160
REGION_POINTS = 40
MOST_NAMES = 6


@dataclass
class Inset:
    """The small picture of the hemisphere: its projection, middle and radius in units of the frame."""

    projection: Projection
    x: float
    y: float
    radius: float


def plane_track(projection: Projection, f: Flight) -> tuple[Floats, Floats]:
    """Times and plane points of a ground track, at most some 400 of them."""
    step = max(1, math.ceil(len(f.t) / 400))
    pick = [*range(0, len(f.t), step)]
    if pick[-1] != len(f.t) - 1:
        pick.append(len(f.t) - 1)
    return f.t[pick], projection.project(f.lat[pick], f.lon[pick])


def sensor_points(projection: Projection, s: Sensor) -> Floats:
    """Plane points under a sensor, one a scan."""
    return projection.project(s.site.lat, s.site.lon)


def on_disc(inset: Inset, x: float, y: float) -> tuple[float, float]:
    """A point, or where its direction meets the rim."""
    dx, dy = x - inset.x, y - inset.y
    r = math.hypot(dx, dy)
    if r <= inset.radius:
        return x, y
    return inset.x + dx / r * inset.radius, inset.y + dy / r * inset.radius


def region_path(projection: Projection, geometry: Any) -> str:
    """Path data of a GeoJSON region."""
    rings = []
    for ring in geojson_rings(geometry):
        step = max(1, len(ring) // REGION_POINTS)
        slim = ring[::step]
        cut = clip_ring(projection.ring(slim))
        if len(cut) > 2:
            rings.append(cut)
    return path(rings, True)


def _versions(w: Warned) -> list[Version]:
    """The versions that are drawn: all, or evenly thinned with first, first confirmed and last kept."""
    if len(w.versions) <= MOST_VERSIONS:
        return w.versions
    keep = {round(i * (len(w.versions) - 1) / (MOST_VERSIONS - 1)) for i in range(MOST_VERSIONS)}
    keep |= {i for i, v in enumerate(w.versions) if v is w.first_confirmed or v.status in ("cancelled", "closed")}
    return [w.versions[i] for i in sorted(keep)]


def estimate_paths(projection: Projection, v: Version) -> dict[str, Any]:
    """What one version draws: region paths and the mean of each estimate."""
    out: dict[str, Any] = {}
    for what, row in v.estimates.items():
        if row["kind"] == "none":
            continue
        entry: dict[str, Any] = {}
        for level in ("region95", "region50"):
            if row[level]:
                d = region_path(projection, json.loads(row[level]))
                if d:
                    entry[level] = d
        lat, lon = row["lat_deg"], row["lon_deg"]
        if lat is not None and lon is not None:
            at = projection.project(np.array([math.radians(lat)]), np.array([math.radians(lon)]))[0]
            entry["x"], entry["y"] = round(float(at[0]), 1), round(float(at[1]), 1)
        if entry:
            out[what] = entry
    return out


def _tenths(facts: Facts, t: Any) -> list[int]:
    return [round((float(x) - facts.t0) * 10) for x in np.atleast_1d(t)]


def _rounded(values: Floats) -> list[float]:
    return [round(float(v), 1) for v in values]


def map_data(
    facts: Facts,
    projection: Projection,
    inset: Inset | None,
    chosen: int,
    moment: float,
    tracks: list[tuple[Floats, Floats]],
) -> dict[str, Any]:
    """All that the script needs; ``chosen``, ``moment``: partner and time with which the map opens."""
    flights = []
    for f, (t, points) in zip(facts.flights, tracks, strict=True):
        entry: dict[str, Any] = {
            "id": clean(f.id),
            "down": f.down,
            # pieces lie close to what they came off: with many objects their names would hide the others
            "named": f.kind != "loose" or len(facts.flights) <= MOST_NAMES,
            "t": _tenths(facts, t),
            "x": _rounded(points[:, 0]),
            "y": _rounded(points[:, 1]),
            "h": [round(float(h)) for h in np.interp(t, f.t, f.h) / 1e3],
        }
        if inset is not None:
            lat, lon, _ = f.at(t)
            small = inset.projection.project(lat, lon)
            entry["ix"], entry["iy"] = _rounded(small[:, 0]), _rounded(small[:, 1])
        flights.append(entry)
    return {
        "end": round((facts.t1 - facts.t0) * 10),
        "start": round((moment - facts.t0) * 10),
        "unix": facts.unix_ns / 1e9 + facts.t0,
        "partner": chosen,
        "flights": flights,
        "sensors": [_sensor_data(facts, projection, inset, s) for s in facts.sensors],
        "looks": _looks_data(facts, projection),
        "nations": [_nation_data(facts, projection, n) for n in facts.nations],
    }


def _sensor_data(facts: Facts, projection: Projection, inset: Inset | None, s: Sensor) -> dict[str, Any]:
    points = sensor_points(projection, s)
    out: dict[str, Any] = {
        "n": next(i for i, n in enumerate(facts.nations) if n.id == s.nation),
        "name": clean(s.name),
        "radar": s.kind == "radar",
        "x": round(float(points[0][0]), 1),
        "y": round(float(points[0][1]), 1),
        "p": round(s.period * 10),
    }
    if s.kind != "radar" and inset is not None:
        # a satellite moves little in a minute: a place a minute is enough for a dot
        t = np.arange(facts.t0, facts.t1 + 60.0, 60.0)
        ecef = np.stack([np.interp(t, s.site.t, s.site.ecef[:, i]) for i in range(3)], axis=-1)
        lat = np.arctan2(ecef[:, 2], np.hypot(ecef[:, 0], ecef[:, 1]))
        lon = np.arctan2(ecef[:, 1], ecef[:, 0])
        small = [on_disc(inset, float(a), float(b)) for a, b in inset.projection.project(lat, lon)]
        out["st"] = _tenths(facts, t)
        out["sx"], out["sy"] = [round(a, 1) for a, _ in small], [round(b, 1) for _, b in small]
    return out


def _looks_data(facts: Facts, projection: Projection) -> dict[str, list[Any]]:
    """Detections in time order: when, by which sensor, whether true (1), false (0), and where (null: a direction
    only).
    """
    rows: list[tuple[int, int, int, float | None, float | None]] = []
    for i, s in enumerate(facts.sensors):
        for t, o, lat, lon in _places(facts, s.looks):
            if facts.t0 <= t <= facts.t1:
                x: float | None = None
                y: float | None = None
                if math.isfinite(lat):
                    at = projection.project(np.array([lat]), np.array([lon]))[0]
                    if BOX[0] <= at[0] <= BOX[2] and BOX[1] <= at[1] <= BOX[3]:
                        x, y = round(float(at[0]), 1), round(float(at[1]), 1)
                rows.append((round((t - facts.t0) * 10), i, 0 if o == -1 else 1, x, y))
    rows.sort(key=lambda r: (r[0], r[1]))
    step = math.ceil(len(rows) / MOST_LOOKS) if len(rows) > MOST_LOOKS else 1
    rows = rows[::step]
    names = ("t", "s", "o", "x", "y")
    return {name: [r[k] for r in rows] for k, name in enumerate(names)}


def _places(facts: Facts, looks: Looks) -> list[tuple[float, int, float, float]]:
    """Where each detection is drawn: where it was measured; for a direction without range, at the true place of what
    caused it.
    """
    lat, lon = looks.lat.copy(), looks.lon.copy()
    for k, f in enumerate(facts.flights):
        pick = (looks.object == k) & ~np.isfinite(lat)
        if pick.any():
            lat[pick], lon[pick], _ = f.at(looks.t[pick])
    return list(zip(looks.t.tolist(), looks.object.tolist(), lat.tolist(), lon.tolist(), strict=True))


def _nation_data(facts: Facts, projection: Projection, n: Nation) -> dict[str, Any]:
    log = [(w.versions[0].t, f"Warning opened: {w.uid}") for w in n.warnings]
    for w in n.warnings:
        first = w.first_confirmed
        if first is not None:
            log.append((first.t, f"Warning confirmed ({first.cause})"))
        log += [
            (v.t, f"Warning {v.status} ({v.cause})")
            for v in w.versions
            if v.status in ("cancelled", "closed", "downgraded")
        ]
    log += [(d["t_s"], d["text"] or f"{d['action']} ({d['step']})") for d in n.decisions]
    return {
        "name": clean(the(n.name)),
        "warnings": [
            [
                {
                    "t": round((v.t - facts.t0) * 10),
                    "off": v.status in ("cancelled", "closed"),
                    "say": [clean(line) for line in said(facts, n, w, v)],
                    **estimate_paths(projection, v),
                }
                for v in _versions(w)
            ]
            for w in n.warnings
        ],
        "tracks": _track_data(facts, projection, n),
        "log": [[round((t - facts.t0) * 10), clean(text)] for t, text in sorted(log, key=lambda entry: entry[0])],
    }


def said(facts: Facts, n: Nation, w: Warned, v: Version) -> list[str]:
    """One version in a few lines, as they stand beside the map."""
    lines = [
        f"Warning {'confirmed' if v.confirmed else 'open, not confirmed'} (version {v.version}); confidence "
        f"{v.confidence}, "
        f"probability of being real {percent(v.p_real)}"
    ]
    for what, word in (("launch", "Launch"), ("impact", "Impact")):
        row = v.estimates.get(what)
        if row is None or row["kind"] == "none":
            lines.append(f"{word}: nothing can be said yet")
            continue
        text = word
        if row["at_s"] is not None:
            text += f" {t_plus(row['at_s'] - facts.t0)}"
            if row["at_sigma_s"] is not None:
                text += f" ± {clock(2.0 * row['at_sigma_s'])}"
        if row["lat_deg"] is not None:
            text += f" at {place(row['lat_deg'], row['lon_deg'])}"
            if row["cov_ee_km2"] is not None and row["cov_nn_km2"] is not None:
                major = math.sqrt(max(_greatest(row["cov_ee_km2"], row["cov_en_km2"] or 0.0, row["cov_nn_km2"]), 0.0))
                text += f" (95 % within {km(2.45 * major)})"
        else:
            text += ": a region, no point yet"
        lines.append(text)
    for area, (p_impact, p_passage, _, excluded) in v.risks.items():
        line = f"{facts.declared.area_name(n.id, area)}: impact {percent(p_impact)}, passage {percent(p_passage)}"
        lines.append(line + (", impact excluded" if excluded else ""))
    if v.types:
        best = sorted(v.types.items(), key=lambda kv: -kv[1])[:3]
        lines.append("Type: " + ", ".join(f"{facts.declared.class_name(c)} {percent(p)}" for c, p in best))
    return lines


def _greatest(ee: float, en: float, nn: float) -> float:
    """Greater eigenvalue of a 2 x 2 covariance."""
    mid, half = (ee + nn) / 2, math.hypot((ee - nn) / 2, en)
    return mid + half


def _track_data(facts: Facts, projection: Projection, n: Nation) -> list[dict[str, Any]]:
    """The nation's own confirmed tracks, a place every five seconds."""
    table = facts.tables.get("tracks")
    if table is None or table.num_rows == 0:
        return []
    nation, label, life = (np.array(texts(table, c)) for c in ("nation", "label", "life"))
    t = floats(table, "t_s")
    pick = (
        (nation == n.id)
        & (label == "own")
        & ((life == "confirmed") | (life == "coasting"))
        & (t >= facts.t0)
        & (t <= facts.t1)
    )
    if not pick.any():
        return []
    number = np.asarray(values(table.column("track")), dtype=np.int64)[pick]
    t, lat, lon = t[pick], np.radians(floats(table, "lat_deg")[pick]), np.radians(floats(table, "lon_deg")[pick])
    out = []
    counts = sorted({int(k): int((number == k).sum()) for k in np.unique(number)}.items(), key=lambda kv: -kv[1])[:20]
    for k, _ in sorted(counts):
        rows = np.flatnonzero(number == k)
        rows = rows[np.argsort(t[rows], kind="stable")]
        slot = np.floor(t[rows] / 5.0)
        rows = rows[np.concatenate([[True], slot[1:] != slot[:-1]])]
        points = projection.project(lat[rows], lon[rows])
        out.append({"t": _tenths(facts, t[rows]), "x": _rounded(points[:, 0]), "y": _rounded(points[:, 1])})
    return out
