"""What ``tocsin coverage`` leaves: one page with its maps in it, and the grid as tables.

``coverage.html`` asks nothing of the network and has no script. ``coverage.parquet`` and ``coverage.csv`` hold a row a
cell, units in the names of the columns (and in the Parquet file's metadata); ``hours.csv`` and ``provinces.csv`` stand
beside them where they were asked for; ``coverage.json`` is the summary.
"""

from __future__ import annotations

import base64
import io
import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from tocsin.earth.clock import format_utc
from tocsin.measures.coverage import Coverage
from tocsin.measures.provinces import NORTHEAST, Cover
from tocsin.records.folder import write_page
from tocsin.report import coverage_maps as maps
from tocsin.report.text import clean, clock, esc, number, percent, span, t_plus
from tocsin.scenario.specs import Infrared, Sensor

UNITS = {"km": "km", "deg": "deg", "s": "s", "m": "m"}
MEANINGS = {
    "lat_deg": "latitude of the middle of the launch cell",
    "lon_deg": "longitude of the middle of the launch cell",
    "distance_km": "way over the ground to the aim",
    "azimuth_deg": "direction of the aim, clockwise from north",
    "flight_time_s": "launch to impact; empty where the class does not fly that far",
    "burnout_s": "launch to the end of thrust",
    "apogee_km": "greatest height",
    "first_s": "launch to the first look of any sensor; empty: never seen",
    "first_radar_s": "launch to the first look of a radar",
    "first_infrared_s": "launch to the first look of a satellite",
    "both_kinds_s": "launch to the moment when a radar and a satellite have each seen it",
    "left_s": "first look to impact",
    "left_radar_s": "first look of a radar to impact",
    "sensors": "number of sensors that see it at some time",
    "kinds": "number of kinds of sensors that see it: radar, infrared",
    "seen_s": "time in view of at least one sensor",
    "gaps": "times that it is lost from all views and found again",
    "longest_gap_s": "the longest of these",
    "last_seen_s": "launch to the last look",
    "least_height_m": "over the cell: least height at which some radar would find the class after boost",
}
_STYLE = """
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); gap: 1.2rem; }
.maps figure, .wide {
  margin: 0; background: #fff; border: 1px solid var(--line); border-radius: 8px; overflow: hidden;
}
.wide { margin: 1rem 0; }
figure img { display: block; width: 100%; height: auto; }
figcaption { display: block; border: 0; color: #59636d; font-size: .85rem; padding: .2rem .9rem .8rem; }
.scroll { overflow-x: auto; }
table.heat { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; width: 100%; }
table.heat th {
  text-align: right; font-weight: 600; padding: .3rem .5rem;
  border-bottom: 1px solid var(--line); vertical-align: bottom;
}
table.heat th:first-child, table.heat td:first-child { text-align: left; }
table.heat td { text-align: right; padding: .22rem .5rem; border-bottom: 1px solid var(--grid); }
table.heat tr.sum td { font-weight: 600; border-top: 2px solid var(--line); }
table.heat .cold { color: var(--muted); }
.star { color: #b3261e; } .tri { color: #0b5fa5; }
@media print { .maps figure { break-inside: avoid; } }
"""


def table(cover: Coverage) -> pa.Table:
    """The grid, a row a cell that the class can fly from or over which a radar sees; the first look of each sensor in a
    column ``first_s:ID``.
    """
    lat, lon = np.meshgrid(cover.lat, cover.lon, indexing="ij")
    columns: dict[str, Any] = {"lat_deg": lat, "lon_deg": lon, **cover.cells, "least_height_m": cover.least_height_m}
    for i, sensor in enumerate(cover.sensors):
        columns[f"first_s:{sensor.id}"] = cover.first_s[..., i]
    kept = (np.isfinite(cover.cells["flight_time_s"]) | np.isfinite(cover.least_height_m)).ravel()
    arrays, fields = [], []
    for name, values in columns.items():
        flat = np.round(np.ravel(values)[kept], 6)
        arrays.append(pa.array(flat, mask=~np.isfinite(flat)))
        meaning = MEANINGS.get(name, f"launch to the first look of {name.partition(':')[2]}")
        unit = UNITS.get(name.partition(":")[0].rpartition("_")[2], "1")
        fields.append(pa.field(name, pa.float64(), metadata={"unit": unit, "meaning": meaning}))
    about = {
        "exercise": "EXERCISE: simulation, not a real event",
        "class": cover.class_id,
        "toward": f"{cover.aim_name} ({cover.aim[0]:.3f}, {cover.aim[1]:.3f} deg)",
        "launch_utc": format_utc(cover.unix_ns, 0),
    }
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about))


def province_table(provinces: Cover) -> pa.Table:
    """Shares of provinces, a row each; boresight empty: turned to wherever it helps; rcs empty: any size."""
    rows = provinces.shares
    return pa.table(
        {
            "province": [s.province for s in rows],
            "country": [s.country for s in rows],
            "height_km": [s.height / 1e3 for s in rows],
            "boresight_deg": pa.array([s.boresight_deg for s in rows], pa.float64()),
            "rcs_m2": pa.array([s.rcs for s in rows], pa.float64()),
            "share_percent": [round(100.0 * s.share, 3) for s in rows],
            "circle_percent": [round(100.0 * provinces.circle[s.province], 3) for s in rows],
        }
    )


def hour_table(cover: Coverage) -> pa.Table:
    """What launches at each hour would meet."""
    h = cover.hours
    return pa.table(
        {
            "hour_utc": [x.hour for x in h],
            "seen_by_infrared_percent": [100.0 * x.share_infrared for x in h],
            "seen_percent": [100.0 * x.share_any for x in h],
            "seen_by_both_percent": [100.0 * x.share_both for x in h],
            "median_first_infrared_s": pa.array([x.median_infrared_s for x in h], from_pandas=True),
            "median_first_s": pa.array([x.median_any_s for x in h], from_pandas=True),
            "silent": [" ".join(x.silent) for x in h],
        }
    )


def summary(scenario: str, cover: Coverage, provinces: Cover | None) -> dict[str, Any]:
    """The answer as plain data; shares in per cent of the area from which the class can fly."""

    def or_none(value: float, digits: int = 1) -> float | None:
        return round(value, digits) if math.isfinite(value) else None

    made: dict[str, Any] = {
        "exercise": True,
        "scenario": scenario,
        "class": cover.class_id,
        "toward": cover.aim_name,
        "aim_deg": [round(x, 4) for x in cover.aim],
        "launch_utc": format_utc(cover.unix_ns, 0),
        "step_deg": float(cover.lat[1] - cover.lat[0]),
        "sensors": [s.id for s in cover.sensors],
        "area_km2": or_none(float(cover.weight.sum()), 0),
        "cells": int(np.isfinite(cover.cells["flight_time_s"]).sum()),
    }
    for name in ("first_s", "first_radar_s", "first_infrared_s", "both_kinds_s"):
        made[f"seen_percent_{name[:-2]}"] = or_none(100.0 * cover.share(name))
        made[f"median_{name}"] = or_none(cover.median(name))
    for name in ("left_s", "left_radar_s", "flight_time_s", "longest_gap_s", "sensors"):
        made[f"median_{name}"] = or_none(cover.median(name))
    if cover.hours:
        made["hours"] = hour_table(cover).to_pylist()
    if provinces is not None:
        made["answer"] = answer(provinces)
        made["provinces"] = [
            {
                "province": name,
                "country": country,
                "area_km2": round(km2),
                "circle_percent": round(100.0 * provinces.circle[name], 2),
                "farthest_km": round(provinces.farthest[name][0] / 1e3, 1),
                "percent_by_height_km": {
                    f"{h / 1e3:g}": round(100.0 * provinces.share([name], h, None, None), 2)
                    for h in _heights(provinces)
                },
            }
            for name, country, km2 in provinces.provinces
        ]
        made["reach"] = [
            {
                "rcs_m2": r.rcs,
                "even_odds_km_boresight": round(r.boresight / 1e3),
                "even_odds_km_edge": round(r.edge / 1e3),
                "snr_db_at_instrumented_range": round(r.snr_db, 1),
                "odds_at_instrumented_range": round(r.odds, 4),
            }
            for r in provinces.reach
        ]
    return made


def _heights(provinces: Cover) -> list[float]:
    return sorted({s.height for s in provinces.shares})


def _names(provinces: Cover, country: str) -> list[str]:
    return [name for name, where, _ in provinces.provinces if where == country]


def answer(provinces: Cover) -> list[str]:
    """The published sentence of the dispute, answered with the numbers."""
    heights = _heights(provinces)
    best = max(heights, key=lambda h: provinces.share(NORTHEAST, h, None, None))
    reach = provinces.range_max / 1e3
    far = max(provinces.farthest[name] for name in NORTHEAST)
    out = [
        f"“Includes parts of China and Russia”: yes. At {best / 1e3:g} km of height it can be turned to see "
        f"{percent(provinces.share(_names(provinces, 'China'), best, None, None))} of China and "
        f"{percent(provinces.share(_names(provinces, 'Russia'), best, None, None))} of the nine parts of Russia shown "
        "here.",
        f"“Fully covers northeast China”: on the map, {_exact(provinces.circle_share(NORTHEAST))} of Liaoning, Jilin "
        f"and Heilongjiang lies within {reach:,.0f} km; the farthest corner, at {far[1]:.1f}° N {far[2]:.1f}° E, lies "
        f"{far[0] / 1e3:,.0f} km away: too near to the circle to call, with a site known to a tenth of a degree.",
        "In the air, no: the Earth is in the way. Of an object of any size over these provinces it sees "
        + ", ".join(
            f"{_exact(provinces.share(NORTHEAST, h, None, None))} at {h / 1e3:g} km" for h in heights if h <= 500e3
        )
        + " of height.",
    ]
    sizes = sorted({s.rcs for s in provinces.shares if s.rcs is not None})
    parts = []
    for rcs in sizes:
        top = max(provinces.share(NORTHEAST, h, None, rcs) for h in heights)
        parts.append(f"{rcs:g} m² over at most {_exact(top)}")
    out.append("And the radar equation: with even odds a look it finds " + ", ".join(parts) + " of their area.")
    return out


def _exact(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def headline(cover: Coverage) -> list[str]:
    """What the maps show, in sentences."""
    if not np.isfinite(cover.cells["flight_time_s"]).any():
        return [f"No cell lies within the ranges of {cover.class_title.lower()} from {cover.aim_name}."]
    share = cover.share("first_s")
    first = (
        f"{cover.class_title} towards {cover.aim_name}: launches from {percent(share)} of the area in its reach are "
        f"seen"
    )
    if share > 0.0:
        first += (
            f", half of them by {t_plus(cover.median('first_s'))}, with {span(cover.median('left_s'))} left of a "
            f"flight of {span(cover.median('flight_time_s'))}"
        )
    out = [first + "."]
    infrared = any(isinstance(s.model, Infrared) for s in cover.sensors)
    if cover.share("first_radar_s") > 0.0:
        half = t_plus(cover.median("first_radar_s"))
        text = f"A radar sees {percent(cover.share('first_radar_s'))} of them, half by {half}"
        out.append(text + f", with {span(cover.median('left_radar_s'))} left.")
    if infrared:
        out.append(
            f"A satellite sees the plume of {percent(cover.share('first_infrared_s'))}; two kinds of sensors agree on "
            f"{percent(cover.share('both_kinds_s'))}."
        )
    return out


def _img(picture: bytes, words: str) -> str:
    return f'<img alt="{esc(words)}" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'


def _maps(cover: Coverage) -> tuple[str, dict[str, bytes]]:
    c = cover.cells
    kinds = (
        ("first", c["first_s"] / 60.0, "First look of any sensor", "minutes after launch", "viridis_r", False,
         "Colour: minutes from launch to the first look. Grey: never seen."),
        ("left", c["left_s"] / 60.0, "Time left after the first look", "minutes until impact", "cividis", False,
         "Colour: what remains of the flight."),
        ("radar", c["first_radar_s"] / 60.0, "First look of a radar", "minutes after launch", "viridis_r", False,
         "The horizon, the sectors and the radar equation; grey: no radar sees it."),
        ("sensors", c["sensors"], "How many sensors see it", "sensors, at some time of the flight", "YlGnBu", True,
         "All kinds together."),
        ("gap", np.where(c["gaps"] > 0, c["longest_gap_s"], np.nan) / 60.0, "Longest gap between looks", "minutes",
         "magma_r", False, "Lost from all views and found again. Grey: no such gap, or never seen."),
    )  # fmt: skip
    out, pictures = [], {}
    same = {"sensors"} if len(cover.sensors) == 1 else set()
    if np.array_equal(c["first_s"], c["first_radar_s"], equal_nan=True):
        same.add("radar")
    for name, values, title, unit, colours, whole, words in kinds:
        if name in same:  # it would show what another map shows, or one number
            continue
        if not np.isfinite(values).any():
            out.append(f"<figure><figcaption>{esc(title)}: none, nowhere.</figcaption></figure>")
            continue
        pictures[name] = maps.cell_map(cover, values, title, unit, colours, whole)
        out.append(f"<figure>{_img(pictures[name], title)}<figcaption>{esc(words)}</figcaption></figure>")
    if np.isfinite(cover.least_height_m).any():
        pictures["height"] = maps.cell_map(
            cover, cover.least_height_m / 1e3, "Least height seen by a radar", "km over the cell", "plasma", False, True
        )
        words = (
            "How high the class must be, after boost, to be found by some radar. Open: not at any height to 3,000 km."
        )
        out.append(f"<figure>{_img(pictures['height'], 'Least height')}<figcaption>{esc(words)}</figcaption></figure>")
    return f'<div class="maps">{"".join(out)}</div>', pictures


def _heat(share: float) -> str:
    if not share > 0.0:
        return '<td class="cold">–</td>'
    text = (
        f"{100.0 * share:.0f}" if share < 0.995 or share == 1.0 else "99.9" if share > 0.9985 else f"{100 * share:.1f}"
    )
    return f'<td style="background:rgba(11,95,165,{0.08 + 0.42 * share:.2f})">{text}</td>'


def _province_section(provinces: Cover, sensor: Sensor) -> tuple[str, dict[str, bytes]]:
    heights = _heights(provinces)
    bearings = sorted(
        {s.boresight_deg for s in provinces.shares if s.boresight_deg is not None}, key=lambda b: (b + 180) % 360
    )
    middle = bearings[len(bearings) // 2]
    sizes = sorted({s.rcs for s in provinces.shares if s.rcs is not None})
    cases: list[tuple[float, float | None]] = [(h, None) for h in (100e3, 300e3, 500e3) if h in heights]
    cases += [(300e3, rcs) for rcs in sizes if 300e3 in heights]
    picture = maps.province_maps(provinces, sensor, middle, cases)

    head = "".join(f"<th>{h / 1e3:,.0f} km</th>" for h in heights)
    body = []
    for country in ("China", "Russia"):
        rows = [(n, a) for n, where, a in provinces.provinces if where == country and provinces.circle[n] > 0.0]
        rows.sort(key=lambda row: (-provinces.share([row[0]], 300e3, None, None), row[0]))
        for name, km2 in rows:
            cells = "".join(_heat(provinces.share([name], h, None, None)) for h in heights)
            star = " *" if name in NORTHEAST else ""
            body.append(
                f"<tr><td>{esc(name)}{star}</td><td>{country}</td><td>{number(km2)}</td>"
                f"<td>{number(provinces.farthest[name][0] / 1e3)}</td>{_heat(provinces.circle[name])}{cells}</tr>"
            )
    cells = "".join(_heat(provinces.share(NORTHEAST, h, None, None)) for h in heights)
    total = sum(a for n, _, a in provinces.provinces if n in NORTHEAST)
    far = max(provinces.farthest[n][0] for n in NORTHEAST)
    body.append(
        f'<tr class="sum"><td>Northeast China *</td><td></td><td>{number(total)}</td><td>{number(far / 1e3)}</td>'
        f"{_heat(provinces.circle_share(NORTHEAST))}{cells}</tr>"
    )
    by_province = (
        '<div class="scroll"><table class="heat"><thead><tr><th>Province</th><th></th><th>km²</th><th>farthest, km</th>'
        f"<th>circle on the map</th>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )
    lines = []
    for bearing in [*bearings, None]:
        for rcs in (None, *sizes):
            cells = "".join(_heat(provinces.share(NORTHEAST, h, bearing, rcs)) for h in heights)
            where = "any" if bearing is None else f"{bearing:.0f}°"
            size = "any" if rcs is None else f"{rcs:g} m²"
            lines.append(f"<tr><td>{where}</td><td>{size}</td>{cells}</tr>")
    by_boresight = (
        f'<div class="scroll"><table class="heat"><thead><tr><th>Boresight</th><th>size</th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
    reach = "".join(
        f"<tr><td>{r.rcs:g} m²</td><td>{number(r.boresight / 1e3)} km</td><td>{number(r.edge / 1e3)} km</td>"
        f"<td>{r.snr_db:.1f} dB</td><td>{percent(r.odds)}</td></tr>"
        for r in provinces.reach
    )
    far_km = provinces.range_max / 1e3
    by_size = (
        '<div class="scroll"><table class="heat"><thead><tr><th>Cross-section</th><th>even odds on boresight</th>'
        f"<th>at the edge of the sector, {provinces.half_width_deg:.0f}° off</th><th>SNR at {far_km:,.0f} km</th>"
        f"<th>odds of one look there</th></tr></thead><tbody>{reach}</tbody></table></div>"
    )
    turned = ", ".join(f"{b:.0f}°" for b in bearings)
    text = (
        '<section id="provinces"><h2>Provinces</h2><p class="lead">Per cent of the area of each province over which '
        f"the radar sees an object of any size, by its height, if it is turned to wherever it helps (boresights "
        f"{turned}, {provinces.half_width_deg:.0f}° to either side). The circle on the map is "
        "what the dispute was about: no height, no horizon.</p>"
        f"{by_province}<p class='sub'>* what is meant here by northeast China. Some also count the east of Inner "
        "Mongolia. Outlines: Natural Earth, thinned; nothing is said about whose any land is.</p>"
        f'<figure class="wide">{_img(picture, "Maps of what the radar sees by height and size")}<figcaption>Turned to '
        f"{middle:.0f}°. Blue: seen at that height, with even odds a look. Dashed: the circle of {far_km:,.0f} km. "
        "Red: Liaoning, Jilin, Heilongjiang.</figcaption></figure></section>"
        '<section id="boresights"><h2>Northeast China by boresight and size</h2><p class="lead">Per cent of the area '
        "of the three provinces, by height. The boresight was not published.</p>"
        f"{by_boresight}</section>"
        f'<section id="reach"><h2>What the radar equation makes of {far_km:,.0f} km</h2><p class="lead">Swerling 1, '
        "one look; off the boresight a face loses as the cube of the cosine of the angle. The unpublished noise and "
        f"losses allow about 7 % in range.</p>{by_size}</section>"
    )
    return text, {"provinces": picture}


def page(title: str, cover: Coverage, provinces: Cover | None, command: str) -> tuple[str, dict[str, bytes]]:
    """The page (HTML) and its pictures (PNG) by name."""
    style = (files("tocsin.report") / "assets" / "page.css").read_text(encoding="utf-8")
    lines = answer(provinces) if provinces is not None else headline(cover)
    more = headline(cover) if provinces is not None else []
    grid, pictures = _maps(cover)
    parts = []
    if provinces is not None:
        radar = next(s for s in cover.sensors if s.name == provinces.sensor)
        text, extra = _province_section(provinces, radar)
        parts.append(text)
        pictures.update(extra)
    lead = "".join(f"<p>{esc(t)}</p>" for t in more)
    parts.append(
        f'<section id="maps"><h2>Launches towards {esc(cover.aim_name)}</h2>{lead}<p class="lead">One nominal flight '
        f"of least energy from each cell of {float(cover.lat[1] - cover.lat[0]):g}°, launched at "
        f"{esc(format_utc(cover.unix_ns, 0)[:16].replace('T', ' '))} UTC. <span class='star'>★</span> where it comes "
        f"down, <span class='tri'>▲</span> radars.</p>{grid}</section>"
    )
    if cover.hours:
        pictures["hours"] = maps.hour_chart(cover)
        off = sorted({i for h in cover.hours for i in h.silent})
        silent = f" Off for some of the day: {', '.join(off)}." if off else ""
        parts.append(
            '<section id="hours"><h2>By hour of day</h2><p class="lead">The same launches at each hour: satellites '
            'and the '
            f"Sun move on, and what is off for maintenance is off.{esc(silent)}</p>"
            f'<figure class="wide">{_img(pictures["hours"], "Shares and first looks by hour")}</figure></section>'
        )
    sensors = "".join(_sensor_row(cover, i, s) for i, s in enumerate(cover.sensors))
    parts.append(
        '<section id="sensors"><h2>Each sensor</h2><div class="scroll"><table class="heat"><thead><tr><th>Sensor</th>'
        "<th>kind</th><th>of whom</th><th>sees, % of the area</th><th>first look, median</th></tr></thead><tbody>"
        f"{sensors}</tbody></table></div></section>"
    )
    parts.append(
        '<section id="caveats"><h2>What this leaves out</h2><ul>'
        "<li>A first look is the first moment at which one look would detect with even odds. When the sweep comes "
        "by, the "
        "delay to the centre, and what a centre makes of it come on top.</li>"
        "<li>Flights are nominal: no spread of the class, boost interpolated between its own flights over "
        "several ranges, no drag after boost, the arc of least energy as the Earth turns. Lofted and depressed "
        "flights are "
        "others.</li>"
        "<li>Sensors are as the scenario has them, many values notional; false detections, errors, load and merging "
        "are "
        "left out, and so is whether an over-the-horizon radar's ionosphere carries.</li>"
        "<li>What sees a launch at once need not know where it goes.</li></ul></section>"
        f'<section id="made"><h2>How this was made</h2><pre>{esc(command)}</pre><p class="sub">Beside this page: '
        "coverage.parquet and coverage.csv (a row a cell, units in the names), coverage.json.</p></section>"
    )
    first, rest = lines[0], lines[1:]
    if provinces is not None:  # the question first, then its two halves
        first, rest = f"What it covers: {provinces.sensor}", lines
    opening = (
        f'<header><p class="kicker">{esc(title)} · coverage</p><h1>{esc(first)}</h1>'
        f"{''.join(f'<p>{esc(t)}</p>' for t in rest)}</header>"
    )
    html = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" '
        'content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>EXERCISE · {esc(title)} · coverage</title>\n<style>\n{style}{_STYLE}</style>\n</head>\n<body>\n"
        '<div class="exercise" role="note">EXERCISE <span>simulation, not a real event</span> EXERCISE</div>\n'
        f"<main>\n{opening}{''.join(parts)}</main>\n"
        '<div class="exercise foot" aria-hidden="true">EXERCISE <span>simulation, not a real event</span> '
        'EXERCISE</div>\n'
        "</body>\n</html>\n"
    )
    return html, pictures


def _sensor_row(cover: Coverage, i: int, sensor: Sensor) -> str:
    w = cover.weight
    first = cover.first_s[..., i]
    total = float(w.sum())
    share = float(w[np.isfinite(first)].sum()) / total if total else 0.0
    from tocsin.measures.coverage import weighted_median

    kind = {"radar": "radar", "infrared": "infrared satellite"}.get(
        str(sensor.model.__struct_config__.tag), "over-the-horizon radar"
    )
    return (
        f"<tr><td>{esc(sensor.name)}</td><td>{kind}</td><td>{esc(sensor.partner)}</td>{_heat(share)}"
        f"<td>{esc(clock(weighted_median(first, w)))}</td></tr>"
    )


def write(
    folder: Path, scenario: str, title: str, cover: Coverage, provinces: Cover | None, command: str
) -> list[Path]:
    """Leave page, pictures and tables in a folder, made if need be; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    html, pictures = page(title, cover, provinces, command)
    made = [write_page(folder, "coverage.html", html)]
    made.append(write_page(folder, "coverage.json", json.dumps(summary(scenario, cover, provinces), indent=2) + "\n"))
    grid = table(cover)
    pq.write_table(grid, folder / "coverage.parquet")
    tables = {"coverage.csv": grid}
    if cover.hours:
        tables["hours.csv"] = hour_table(cover)
    if provinces is not None:
        tables["provinces.csv"] = province_table(provinces)
    for name, rows in tables.items():
        out = io.BytesIO()
        pa_csv.write_csv(rows, out)
        made.append(write_page(folder, name, out.getvalue().decode()))
    for name, picture in pictures.items():
        (folder / f"{name}.png").write_bytes(picture)
        made.append(folder / f"{name}.png")
    return [*made, folder / "coverage.parquet"]


def show(data: dict[str, Any]) -> str:
    """The summary as a few lines for a terminal."""
    rows = [
        ("toward", f"{data['toward']}, {data['class']}, launches at {data['launch_utc']}"),
        ("seen", f"{data['seen_percent_first']} % of the area in reach, median {t_plus(data['median_first_s'])}"),
        ("by radar", f"{data['seen_percent_first_radar']} %, median {t_plus(data['median_first_radar_s'])}"),
        ("by satellite", f"{data['seen_percent_first_infrared']} %, median {t_plus(data['median_first_infrared_s'])}"),
        ("by both", f"{data['seen_percent_both_kinds']} %, median {t_plus(data['median_both_kinds_s'])}"),
        ("left", f"{clock(data['median_left_s'])} of {clock(data['median_flight_time_s'])} min (medians)"),
    ]
    lines = ["EXERCISE: simulation, not a real event", *(f"{name:<14}{text}" for name, text in rows)]
    return clean("\n".join([*lines, *data.get("answer", [])]))
