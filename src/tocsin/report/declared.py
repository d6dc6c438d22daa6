"""What the scenario says: names, areas, doctrine, where numbers come from and how sure they are.

The scenario arrives as plain data in the format of ``scenario.model``. Nothing here insists on a key: a scenario of
an older or a later version, or one that came in by hand, still gives a page, with less on it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """A defended area or a territory of a partner: rings ``(n, 2)`` of longitude, latitude (rad), holes among them."""

    id: str
    name: str
    kind: str
    partner: str
    rings: tuple[Floats, ...]


@dataclass(frozen=True)
class Assumption:
    """What was assumed, how sure anybody can be of it, and why or from where."""

    what: str
    confidence: str
    why: str


@dataclass(frozen=True)
class Step:
    """A step of a written doctrine with its assumed hand-off time."""

    partner: str
    post: str
    id: str
    action: str
    when: str
    takes: str
    source: str


@dataclass(frozen=True)
class Source:
    """Where facts come from; ``url`` is kept only where it is a web address."""

    key: str
    title: str
    url: str
    note: str


@dataclass(frozen=True)
class Value:
    """One value of a sensor: ``status`` ("published", "recollected", "derived", "notional", "scenario"), confidence."""

    sensor: str
    name: str
    value: str
    source: str
    status: str
    confidence: str
    why: str


@dataclass(frozen=True)
class Declared:
    """See the module. Look-ups by id fall back to the id itself."""

    id: str
    title: str
    summary: str
    partners: dict[str, str]
    sensors: dict[str, str]
    classes: dict[str, str]
    areas: tuple[Area, ...]
    assumptions: tuple[Assumption, ...]
    steps: tuple[Step, ...]
    sources: tuple[Source, ...]
    values: tuple[Value, ...]
    cloud_tops: dict[str, float]
    places: tuple[tuple[str, float, float], ...]
    sharing: tuple[str, ...]

    def partner_name(self, id: str) -> str:
        """Name of a partner."""
        return self.partners.get(id) or spoken(id)

    def sensor_name(self, id: str) -> str:
        """Name of a sensor."""
        return self.sensors.get(id) or id

    def class_name(self, id: str) -> str:
        """Name of a class."""
        return self.classes.get(id) or id

    def source_title(self, key: str) -> str:
        """What a source is called; the key itself where the scenario lists no such source."""
        return next((s.title for s in self.sources if s.key == key), key)

    def area(self, partner: str, id: str) -> Area | None:
        """The area of that partner, or of that id at all."""
        exact = next((a for a in self.areas if a.id == id and a.partner == partner), None)
        return exact or next((a for a in self.areas if a.id == id), None)

    def area_name(self, partner: str, id: str) -> str:
        """Name of an area."""
        found = self.area(partner, id)
        return found.name if found else spoken(id)


def short(name: str) -> str:
    """A name without what stands in brackets, for places where there is little room."""
    bare = " ".join(re.sub(r"\([^()]*\)", " ", name).split()).replace(" ,", ",")
    return bare or name


def spoken(id: str) -> str:
    """A readable name from an id: "united-states" is "United States"."""
    return " ".join(word[:1].upper() + word[1:] for word in id.replace("_", "-").split("-"))


def _map(node: Any, key: str) -> Mapping[str, Any]:
    value = node.get(key) if isinstance(node, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _list(node: Any, key: str) -> Sequence[Any]:
    value = node.get(key) if isinstance(node, Mapping) else None
    return value if isinstance(value, list | tuple) else ()


def _text(node: Any, *keys: str) -> str:
    for key in keys:
        value = node.get(key) if isinstance(node, Mapping) else None
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""


def declared(scenario: Mapping[str, Any], summary: Mapping[str, Any]) -> Declared:
    """What ``scenario`` (plain data) declares; the ``summary`` helps out with names, the bundled catalogue with
    sensors.
    """
    partners: dict[str, str] = {}
    sensors: dict[str, str] = {}
    cloud: dict[str, float] = {}
    areas: list[Area] = []
    steps: list[Step] = []
    values: list[Value] = []
    for id, partner in _map(scenario, "partners").items():
        partners[str(id)] = _text(partner, "name")
        for sensor, entry in _map(partner, "sensors").items():
            sensors[str(sensor)] = _text(entry, "name")
            values += _values(str(sensor), entry)
            top = _cloud_top(entry)
            if top is not None:
                cloud[str(sensor)] = top
        for area, entry in _map(partner, "areas").items():
            rings = tuple(
                _ring(r)
                for r in (_list(entry, "polygon"), *_list(entry, "holes"))
                if isinstance(r, list | tuple) and len(r) >= 3
            )
            if rings:
                areas.append(
                    Area(
                        str(area),
                        _text(entry, "name") or spoken(str(area)),
                        _text(entry, "kind") or "defended",
                        str(id),
                        rings,
                    )
                )
        for post, entry in _map(partner, "posts").items():
            for step in _list(entry, "steps"):
                if isinstance(step, Mapping):
                    steps.append(
                        Step(
                            str(id),
                            _text(entry, "name") or spoken(str(post)),
                            _text(step, "id"),
                            _text(step, "action"),
                            _text(step, "when"),
                            _spread(step.get("takes_s", 0)),
                            _text(step, "source"),
                        )
                    )
    for entry in _list(summary, "partners"):
        if isinstance(entry, Mapping) and not partners.get(str(entry.get("id"))):
            partners[str(entry.get("id"))] = _text(entry, "name")
    return Declared(
        id=_text(scenario, "id") or _text(summary, "scenario"),
        title=_text(scenario, "title") or _text(summary, "title", "scenario") or "A run",
        summary=_text(scenario, "summary"),
        partners=partners,
        sensors=sensors,
        classes={str(k): _text(v, "title") for k, v in _map(scenario, "classes").items()},
        areas=tuple(areas),
        assumptions=tuple(
            Assumption(_text(a, "what"), _text(a, "confidence"), _text(a, "why"))
            for a in _list(scenario, "assumptions")
        ),
        steps=tuple(steps),
        sources=tuple(
            Source(str(k), _text(s, "title") or str(k), _web(_text(s, "url")), _text(s, "note"))
            for k, s in _map(scenario, "sources").items()
        ),
        values=tuple(values),
        cloud_tops=cloud,
        places=tuple(_places(scenario)),
        sharing=tuple(_sharing(scenario)),
    )


def _web(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else ""


def _spread(value: Any) -> str:
    """A time with its spread in one form: "45 ± 10 s"."""
    if isinstance(value, Mapping):
        parts = [value.get("nominal", 0), value.get("spread", 0)]
    elif isinstance(value, str):
        parts = [_number_in(p) for p in value.replace("±", "+-").split("+-")]
    else:
        parts = [value]
    words = [_shown(float(p)) if isinstance(p, int | float) else str(p) for p in parts if p is not None]
    if len(words) > 1 and words[1] == "0":
        words = words[:1]
    return "\u00a0".join([*" ± ".join(words).split(" "), "s"])


def _number_in(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip()


def _ring(points: Any) -> Floats:
    return np.asarray(np.radians(np.array([[float(p[0]), float(p[1])] for p in points])))


def _places(scenario: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    for id, entry in _map(scenario, "places").items():
        lat, lon = (entry.get(k) if isinstance(entry, Mapping) else None for k in ("lat_deg", "lon_deg"))
        if isinstance(lat, int | float) and isinstance(lon, int | float):
            yield _text(entry, "name") or spoken(str(id)), math.radians(lat), math.radians(lon)


def _sharing(scenario: Mapping[str, Any]) -> Iterator[str]:
    sharing = _map(scenario, "sharing")
    mode = _text(sharing, "mode") or "none"
    yield f"Sharing: {mode}."
    for release in _list(sharing, "releases"):
        if isinstance(release, Mapping) and mode != "none":
            which = release.get("sensors", "all")
            said = "all its sensors" if which == "all" else ", ".join(str(s) for s in which)
            yield (
                f"{spoken(str(release.get('from')))} releases warnings to {spoken(str(release.get('to')))}, made "
                f"from {said}."
            )
    for link in _list(scenario, "links"):
        if isinstance(link, Mapping):
            loss = link.get("loss", 0) or 0
            yield (
                f"Link {spoken(str(link.get('from')))} to {spoken(str(link.get('to')))}: "
                f"{_spread(link.get('delay_s', 0))} on the way"
                + (f", {100 * float(loss):g} % lost" if loss else "")
                + (f" ({_text(link, 'source')})" if _text(link, "source") else "")
                + "."
            )


# ---- sensors -------------------------------------------------------------------------------------------------------


def _cloud_top(entry: Any) -> float | None:
    """Height (m) under which the sensor sees no plume, from a complete entry or a bare one."""
    for node in (_map(entry, "actual"), _map(entry, "values"), entry):
        top = node.get("cloud_top_km") if isinstance(node, Mapping) else None
        if isinstance(top, Mapping):
            top = top.get("value")
        if isinstance(top, int | float):
            return float(top) * 1e3
    return None


def _values(sensor: str, entry: Any) -> Iterator[Value]:
    """What stands behind each value of a sensor."""
    state = _map(entry, "state")
    for name, node in (*((("state", state),) if state else ()), *_map(entry, "values").items()):
        if isinstance(node, Mapping):
            sources = "; ".join(_cited(str(key)) for key in _list(node, "source"))
            yield Value(
                sensor, str(name), _shown(node.get("value")), sources, _text(node, "status"), _text(node, "confidence"),
                _text(node, "why"),
            )  # fmt: skip


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_shown(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


@cache
def _cited(key: str) -> str:
    """The title of a source of the bundled catalogue, or the key itself."""
    from tocsin.scenario import catalogue

    try:
        return str(catalogue.source(key).get("title") or key)
    except KeyError:
        return key


def geojson_rings(geometry: Any) -> tuple[Floats, ...]:
    """The rings (rad, longitude first) of a GeoJSON Polygon or MultiPolygon given as plain data; () for anything
    else.
    """
    if not isinstance(geometry, Mapping):
        return ()
    nodes = geometry.get("coordinates") or ()
    polygons = nodes if geometry.get("type") == "MultiPolygon" else [nodes]
    return tuple(_ring(ring) for polygon in polygons for ring in polygon if len(ring) >= 3)


def centre(area: Area) -> tuple[float, float]:
    """Latitude, longitude (rad) of the middle of an area's outline, for its label."""
    ring = area.rings[0]
    c = np.cos(ring[:, 1])
    direction = np.stack([c * np.cos(ring[:, 0]), c * np.sin(ring[:, 0]), np.sin(ring[:, 1])], axis=-1).mean(axis=0)
    return math.atan2(direction[2], math.hypot(direction[0], direction[1])), math.atan2(direction[1], direction[0])
