"""The map: a drawing that stands by itself, on paper and without a script, at a moment that matters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.coastlines import world
from tocsin.report.charts import num
from tocsin.report.declared import Area, centre, short
from tocsin.report.facts import Facts, Flight, Sensor
from tocsin.report.mapdata import Inset, estimate_paths, map_data, on_disc, plane_track, sensor_points
from tocsin.report.projection import (
    BOX,
    HEIGHT,
    OVERSCAN,
    RADIUS_KM,
    WIDTH,
    Projection,
    circle_on_earth,
    clip_line,
    clip_ring,
    fit,
    land_ring,
    path,
    thin,
)
from tocsin.report.stages import event_time
from tocsin.report.text import esc, place, t_plus, the

Floats = NDArray[np.float64]


@dataclass
class Picture:
    """The finished map. ``data`` goes into the page as JSON for the script; ``caption`` says what the standing
    picture shows.
    """

    svg: str
    data: dict[str, Any]
    caption: str


def draw(facts: Facts) -> Picture:
    """The map of a run."""
    projection = fit(*_frame_points(facts))
    chosen, moment = opening(facts)
    out: list[str] = []
    out.append(_ground(projection))
    out += [_area(projection, a, _colour(facts, a.partner)) for a in facts.declared.areas]
    boxes: list[tuple[float, float, float, float]] = []
    for s in facts.sensors:
        if s.kind == "radar":
            out.append(_fan(projection, s, _colour(facts, s.nation)))
    inset = _inset(facts, projection)
    if inset is not None:
        boxes.append((inset.x - inset.radius, inset.y - inset.radius, inset.x + inset.radius, inset.y + inset.radius))
    tracks = [plane_track(projection, f) for f in facts.flights]
    out += [f'<path class="track ghost" d="{path([thin(points, 1.5)], False)}"/>' for _, points in tracks]
    out.append('<g class="places">')
    for name, lat, lon in facts.declared.places:
        at = projection.project(np.array([lat]), np.array([lon]))[0]
        out.append(f'<path class="place" d="M{num(at[0] - 4)} {num(at[1])}h8M{num(at[0])} {num(at[1] - 4)}v8"/>')
        out.append(_label(at, name, "minor place-name", boxes, 11.0))
    out.append("</g>")
    out.append('<g class="sites">')
    fixed = [(s, sensor_points(projection, s)[0]) for s in facts.sensors if s.kind == "radar"]
    for _, at in fixed:
        boxes.append((at[0] - 7, at[1] - 7, at[0] + 7, at[1] + 7))
    names = [_area_name(projection, a, _colour(facts, a.partner), boxes) for a in facts.declared.areas]
    for s, at in fixed:
        cls = _colour(facts, s.nation)
        out.append(
            f'<path class="site {cls}" d="M{num(at[0])} {num(at[1] - 6)}l5.5 '
            f'9.5h-11z"><title>{esc(s.name)}</title></path>'
        )
        out.append(_label(at, short(s.name), f"minor sensor-name ink {cls}", boxes, 11.0))
    out.append("</g>")
    out += names
    out += [_minutes(facts, f, track, boxes) for f, track in zip(facts.flights, tracks, strict=True)]
    out.append(_knowledge_static(facts, projection, chosen, moment))
    out.append('<g id="m-moving">')
    out += ['<path class="track flown" d=""/>' for _ in facts.flights]
    out.append('<path id="m-lines" class="look-line" d=""/><g id="m-looks"></g>')
    out.append('<g id="m-objects"></g></g>')
    if inset is not None:
        out.append(_draw_inset(facts, inset))
    data = map_data(facts, projection, inset, chosen, moment, tracks)
    about = (
        f"Map of {', '.join(f.id for f in facts.flights[:3]) or 'the area'}: coastlines, the ground track, the "
        "sectors of radars, and "
        "launch and impact regions as a chosen partner knew them at a chosen time."
    )
    svg = (
        f'<svg id="map" class="map" viewBox="0 0 {num(WIDTH)} {num(HEIGHT)}" role="img" aria-labelledby="map-t map-d" '
        'preserveAspectRatio="xMidYMid meet"><title id="map-t">Map with time slider</title><desc '
        f'id="map-d">{esc(about)}</desc>'
        f'<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<path class="hatch" d="M0 0v7"/></pattern></defs>{"".join(out)}</svg>'
    )
    who = the(facts.nations[chosen].name) if facts.nations else "nobody"
    caption = f"What {who} knew at {t_plus(moment - facts.t0)}."
    return Picture(svg, data, caption)


def opening(facts: Facts) -> tuple[int, float]:
    """The partner and the moment with which the map opens: the first alert, else the first confirmed warning, else
    mid-flight.
    """
    alerts = [(t, i) for i, n in enumerate(facts.nations) if (t := event_time(n, "alert_s")) is not None]
    firsts = [
        (w.first_confirmed.t, i)
        for i, n in enumerate(facts.nations)
        for w in n.warnings
        if w.first_confirmed is not None
    ]
    # those who have something to defend before those who only look on
    defending = {a.partner for a in facts.declared.areas if a.kind == "defended"}
    near = [(t, i) for t, i in firsts if facts.nations[i].id in defending]
    for found in (alerts, near, firsts):
        if found:
            t, i = min(found)
            return i, t
    return 0, (facts.t0 + facts.t1) / 2


def _frame_points(facts: Facts) -> tuple[Floats, Floats]:
    """What must be in the frame: flights, defended areas, and the radars that had something to do with them."""
    # satellites go round the Earth, and what is brought into orbit goes on like them
    near = [f for f in facts.flights if f.kind != "orbit"] or facts.flights
    ends = [int(np.searchsorted(f.t, f.burnout_s or f.end_s)) + 1 if f.kind == "launch" else len(f.t) for f in near]
    lat = [f.lat[: end : max(1, end // 40)] for f, end in zip(near, ends, strict=True)]
    lon = [f.lon[: end : max(1, end // 40)] for f, end in zip(near, ends, strict=True)]
    middle = None
    if lat:
        middle = (float(lat[0][len(lat[0]) // 2]), float(lon[0][len(lon[0]) // 2]))
    for s in facts.sensors:
        if s.kind == "radar":
            site = (float(s.site.lat[0]), float(s.site.lon[0]))
            saw = bool((s.looks.object >= 0).any()) or any(v.windows for v in s.views)
            if middle is None or saw or _apart(middle, site) < 2500.0:
                lat.append(np.array([site[0]]))
                lon.append(np.array([site[1]]))
    for a in facts.declared.areas:
        if a.kind == "defended" or not facts.flights:
            lat.append(a.rings[0][:, 1])
            lon.append(a.rings[0][:, 0])
    if not lat:
        return np.empty(0), np.empty(0)
    return np.concatenate(lat), np.concatenate(lon)


def _apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of two places over a sphere (km)."""
    c = math.sin(a[0]) * math.sin(b[0]) + math.cos(a[0]) * math.cos(b[0]) * math.cos(a[1] - b[1])
    return RADIUS_KM * math.acos(max(-1.0, min(1.0, c)))


def _colour(facts: Facts, nation: str) -> str:
    return f"p{next((i for i, n in enumerate(facts.nations) if n.id == nation), 0) % 6}"


# ---- the ground ----------------------------------------------------------------------------------------------------


def _ground(projection: Projection) -> str:
    """Land, coasts, borders, and a net of meridians and parallels."""
    fine = projection.km > 0.09  # units per km: closer than about 11,000 km across
    w = world("50m" if fine else "110m")
    near = _reach(projection)
    land: list[Floats] = []
    for ring in w.land:
        if near(ring):
            for part in land_ring(projection, ring):
                slim = thin(part, 0.9, closed=True)
                if len(slim):
                    land.append(slim)
    lines = {"coast": w.coasts, "border": w.borders}
    drawn = {
        name: path([thin(run, 0.9) for line in group if near(line) for run in clip_line(projection.ring(line))], False)
        for name, group in lines.items()
    }
    return (
        f'<rect class="sea" x="{num(BOX[0])}" y="{num(-OVERSCAN)}" width="{num(BOX[2] - BOX[0])}" '
        f'height="{num(HEIGHT + 2 * OVERSCAN)}"/>'
        f'<path class="land" fill-rule="evenodd" d="{path(land, True)}"/>'
        f'<path class="net" d="{_net(projection)}"/>'
        f'<path class="coast" d="{drawn["coast"]}"/><path class="border" d="{drawn["border"]}"/>'
    )


def _reach(projection: Projection) -> Any:
    """A quick test whether any point of a line can be in the drawing (or whether it could surround it)."""
    corner = math.hypot(WIDTH / 2 + 30.0, HEIGHT / 2 + OVERSCAN) / projection.scale
    limit = math.cos(min(2.0 * math.asin(min(corner / 2.0, 1.0)), math.pi))
    s0, c0 = math.sin(projection.lat0), math.cos(projection.lat0)

    def near(line: Floats) -> bool:
        if len(line) > 400:
            return True
        cos_distance = s0 * np.sin(line[:, 1]) + c0 * np.cos(line[:, 1]) * np.cos(line[:, 0] - projection.lon0)
        return bool((cos_distance >= limit).any())

    return near


def _net(projection: Projection) -> str:
    across = WIDTH / projection.km
    step = 5 if across < 2500 else 10 if across < 9000 else 15
    lines = []
    fine = np.radians(np.arange(-180.0, 180.01, 2.0))
    for lat in range(-90 + step, 90, step):
        lines.append(np.stack([fine, np.full_like(fine, math.radians(lat))], axis=-1))
    lats = np.radians(np.linspace(-90 + step, 90 - step, 90))
    for lon in range(-180, 180, step):
        lines.append(np.stack([np.full_like(lats, math.radians(lon)), lats], axis=-1))
    return path([run for line in lines for run in clip_line(projection.ring(line))], False, 0)


def _area(projection: Projection, area: Area, cls: str) -> str:
    rings = [cut for r in area.rings for cut in land_ring(projection, _dense(np.concatenate([r, r[:1]])))]
    d = path([thin(r, 1.0) for r in rings], True)
    if not d:
        return ""
    kind = "territory" if area.kind == "territory" else "defended"
    return f'<path class="area {kind} {cls}" fill-rule="evenodd" d="{d}"><title>{esc(area.name)}</title></path>'


def _area_name(projection: Projection, area: Area, cls: str, boxes: list[tuple[float, float, float, float]]) -> str:
    lat, lon = centre(area)
    at = projection.project(np.array([lat]), np.array([lon]))[0]
    return _label(at, area.name, f"area-name {cls}", boxes, 12.0, _WITHIN)


def _dense(ring: Floats) -> Floats:
    """A ring with points at least every two degrees, so that its sides keep their course in the projection."""
    out = [ring[:1]]
    for a, b in pairwise(ring):
        way = b - a
        way[0] = (way[0] + math.pi) % (2 * math.pi) - math.pi  # the short way round, over the date line too
        n = max(1, math.ceil(float(np.abs(way).max()) / math.radians(2.0)))
        out.append(a + way * (np.arange(1, n + 1) / n)[:, None])
    return np.concatenate(out)


def _fan(projection: Projection, s: Sensor, cls: str) -> str:
    """A radar's sector out to its instrumented range, over the ground."""
    lat, lon = float(s.site.lat[0]), float(s.site.lon[0])
    reach = s.site.range[1] / 1e3
    if not math.isfinite(reach):
        return ""
    reach = min(reach, 9000.0)
    start, end = s.site.azimuth
    if s.site.all_round:
        ring = circle_on_earth(lat, lon, reach, np.linspace(0, 2 * math.pi, 90))
    else:
        width = (end - start) % (2 * math.pi)
        arc = circle_on_earth(lat, lon, reach, start + np.linspace(0, width, max(8, int(width * 20))))
        sides = np.linspace(0.02, 1.0, 14)
        out = np.concatenate([circle_on_earth(lat, lon, reach * u, np.array([start])) for u in sides])
        back = np.concatenate([circle_on_earth(lat, lon, reach * u, np.array([start + width])) for u in sides[::-1]])
        ring = np.concatenate([np.array([[lon, lat]]), out, arc, back])
    cut = clip_ring(projection.ring(ring))
    if len(cut) < 3:
        return ""
    return f'<path class="fan {cls}" d="{path([cut], True)}"><title>{esc(s.name)}: sector</title></path>'


# offsets at which a name is tried, with its anchor: beside a mark, or off a line that runs from left to right
_AROUND = (
    (9, 4, "start"),
    (-9, 4, "end"),
    (0, -10, "middle"),
    (0, 18, "middle"),
    (9, 16, "start"),
    (9, -9, "start"),
    (-9, 16, "end"),
    (-9, -9, "end"),
)
_WITHIN = ((0, 4, "middle"), (0, 22, "middle"), (0, -14, "middle"), (0, 40, "middle"), (0, -32, "middle"))
_BESIDE = ((0, 15, "middle"), (0, -8, "middle"), (9, 13, "start"), (-9, 13, "end"), (9, 4, "start"), (-9, 4, "end"))


def _label(
    at: Floats,
    name: str,
    cls: str,
    boxes: list[tuple[float, float, float, float]],
    size: float,
    offsets: tuple[tuple[int, int, str], ...] = _AROUND,
) -> str:
    """A name beside a place where there is room for it; none where there is not (it stays in the mark's title)."""
    words = name if len(name) <= 30 else name[:28] + "…"
    w, h = 0.56 * size * len(words), size * 1.15
    x, y = float(at[0]), float(at[1])
    if not (0 < x < WIDTH and 0 < y < HEIGHT):
        return ""
    for dx, dy, anchor in offsets:
        left = x + dx - (w if anchor == "end" else w / 2 if anchor == "middle" else 0.0)
        box = (left, y + dy - h * 0.8, left + w, y + dy + h * 0.25)
        free = all(box[2] < b[0] or box[0] > b[2] or box[3] < b[1] or box[1] > b[3] for b in boxes)
        if free and box[0] > 2 and box[2] < WIDTH - 2 and box[1] > 2 and box[3] < HEIGHT - 2:
            boxes.append(box)
            return f'<text class="{cls}" x="{num(x + dx)}" y="{num(y + dy)}" text-anchor="{anchor}">{esc(words)}</text>'
    return ""


# ---- what moves ----------------------------------------------------------------------------------------------------


def _minutes(
    facts: Facts, f: Flight, track: tuple[Floats, Floats], boxes: list[tuple[float, float, float, float]]
) -> str:
    """Whole minutes along the track."""
    t, points = track
    length = float(np.hypot(*np.diff(points, axis=0).T).sum())
    total = (f.end_s - f.launch_s) / 60.0
    every = next((m for m in (1, 2, 5, 10, 20, 30, 60) if length / max(total / m, 1e-9) > 42.0), 60)
    first = math.ceil((f.launch_s - facts.t0) / 60.0 / every) * every
    out = ['<g class="minutes">']
    for minute in range(first, math.floor((f.end_s - facts.t0) / 60.0) + 1, every):
        moment = facts.t0 + 60.0 * minute
        x, y = float(np.interp(moment, t, points[:, 0])), float(np.interp(moment, t, points[:, 1]))
        out.append(f'<circle class="minute" cx="{num(x)}" cy="{num(y)}" r="2.2"/>')
        out.append(_label(np.array([x, y]), f"T+{minute}", "minor minute-name", boxes, 9.5, _BESIDE))
    out.append("</g>")
    return "".join(out)


def _knowledge_static(facts: Facts, projection: Projection, chosen: int, moment: float) -> str:
    """What the opening partner knew at the opening moment: drawn here, so that it is there without a script and on
    paper.
    """
    out = ['<g id="m-known">']
    if facts.nations:
        n = facts.nations[chosen]
        for w in n.warnings:
            v = w.at(moment)
            if v is not None and v.status not in ("cancelled", "closed"):
                for what, entry in estimate_paths(projection, v).items():
                    for level in ("region95", "region50"):
                        if level in entry:
                            out.append(f'<path class="region {what} {level} p{chosen % 6}" d="{entry[level]}"/>')
                    if "x" in entry:
                        out.append(
                            f'<path class="mean {what} p{chosen % 6}" d="{_mean_mark(what, entry["x"], entry["y"])}"/>'
                        )
    out.append("</g>")
    return "".join(out)


def _mean_mark(what: str, x: float, y: float) -> str:
    if what == "launch":
        return f"M{num(x - 5)} {num(y)}h10M{num(x)} {num(y - 5)}v10"
    return f"M{num(x - 4)} {num(y - 4)}l8 8M{num(x + 4)} {num(y - 4)}l-8 8"


# ---- the inset -----------------------------------------------------------------------------------------------------


def _inset(facts: Facts, main: Projection) -> Inset | None:
    """A small picture of the hemisphere, if there are satellites: in the corner where least is going on."""
    satellites = [s for s in facts.sensors if s.kind != "radar"]
    if not satellites:
        return None
    radius = 88.0
    places = [(float(s.site.lat[len(s.site.lat) // 2]), float(s.site.lon[len(s.site.lon) // 2])) for s in satellites]
    places += [(main.lat0, main.lon0)] * max(1, len(places))
    v = np.array([[math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)] for a, b in places]).mean(axis=0)
    lat0, lon0 = math.atan2(v[2], math.hypot(v[0], v[1])), math.atan2(v[1], v[0])
    busy = [p for f in facts.flights for p in plane_track(main, f)[1]]
    busy += [sensor_points(main, s)[0] for s in facts.sensors if s.kind == "radar"]
    edge = radius + 12.0
    corners = [(WIDTH - edge, HEIGHT - edge), (edge, HEIGHT - edge), (edge, edge), (WIDTH - edge, edge)]
    x, y = min(corners, key=lambda c: sum(math.hypot(p[0] - c[0], p[1] - c[1]) < radius + 30 for p in busy))
    # the circle reaches 105 degrees from its centre, so that satellites over the limb of the hemisphere are on it
    return Inset(Projection(lat0, lon0, radius / (2.0 * math.sin(math.radians(52.5))), x, y), x, y, radius)


def _draw_inset(facts: Facts, inset: Inset) -> str:
    p = inset.projection
    box = (inset.x - inset.radius, inset.y - inset.radius, inset.x + inset.radius, inset.y + inset.radius)
    land = [thin(part, 1.2, closed=True) for ring in world("110m").land for part in land_ring(p, ring, box)]
    clip = f'<clipPath id="globe"><circle cx="{num(inset.x)}" cy="{num(inset.y)}" r="{num(inset.radius)}"/></clipPath>'
    tracks = [path([thin(p.project(f.lat[::20], f.lon[::20]), 1.0)], False) for f in facts.flights]
    return (
        f'{clip}<g class="inset"><circle class="globe-sea" cx="{num(inset.x)}" cy="{num(inset.y)}" '
        f'r="{num(inset.radius)}"/>'
        '<g clip-path="url(#globe)"><path class="land" fill-rule="evenodd" '
        f'd="{path([x for x in land if len(x)], True)}"/>'
        + "".join(f'<path class="track inset-track" d="{d}"/>' for d in tracks)
        + '<path id="m-inset-lines" class="look-line" d=""/></g>'
        f'<circle class="globe-rim" cx="{num(inset.x)}" cy="{num(inset.y)}" r="{num(inset.radius)}"/>'
        f'<g id="m-inset-sats">{_static_satellites(facts, inset)}</g></g>'
    )


def _static_satellites(facts: Facts, inset: Inset) -> str:
    out = []
    places = []
    for s in facts.sensors:
        if s.kind != "radar":
            middle = len(s.site.lat) // 2
            at = inset.projection.project(s.site.lat[middle : middle + 1], s.site.lon[middle : middle + 1])[0]
            places.append((s, middle, *on_disc(inset, float(at[0]), float(at[1]))))
    boxes = [(x - 6, y - 6, x + 6, y + 6) for _, _, x, y in places]
    for s, middle, x, y in places:
        cls = _colour(facts, s.nation)
        out.append(
            f'<path class="satellite {cls}" d="M{num(x)} {num(y - 4.5)}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"><title>'
            f"{esc(s.name)}, over "
            f"{place(math.degrees(s.site.lat[middle]), math.degrees(s.site.lon[middle]))}</title></path>"
        )
        out.append(_label(np.array([x, y]), short(s.name), f"minor sat-name ink {cls}", boxes, 9.0))
    return "".join(out)
