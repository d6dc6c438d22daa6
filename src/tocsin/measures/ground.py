"""What lay under a flight: ground tracks against areas, places and estimated regions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.earth.polygons import contains
from tocsin.records.arrow import values

Floats = NDArray[np.float64]
Rings = tuple[tuple[tuple[float, float], ...], ...]


def rings_of(area: Mapping[str, Any]) -> Rings:
    """Rings (longitude, latitude in rad) of an area of a scenario, the outer one first."""
    return tuple(_ring(ring) for ring in (area["polygon"], *(area.get("holes") or ())))


def _ring(points: Any) -> tuple[tuple[float, float], ...]:
    return tuple((math.radians(p[0]), math.radians(p[1])) for p in points)


def region_holds(region: Mapping[str, Any], lat: float, lon: float) -> bool:
    """Whether a GeoJSON Polygon or MultiPolygon (degrees) holds a point (rad)."""
    polygons = [region["coordinates"]] if region["type"] == "Polygon" else region["coordinates"]
    at = (np.array([lat]), np.array([lon]))
    return any(bool(contains(tuple(_ring(ring) for ring in polygon), *at)[0]) for polygon in polygons)


@dataclass(frozen=True)
class GroundTrack:
    """Points under a flight: times (s since the epoch), latitudes and longitudes (rad), a second apart."""

    t: Floats
    lat: Floats
    lon: Floats

    @classmethod
    def of(cls, truth: pa.Table) -> GroundTrack:
        """From the rows of one object in the truth table."""
        columns = (values(truth[name]) for name in ("t_s", "lat_deg", "lon_deg"))
        t, lat, lon = (np.asarray(c, dtype=np.float64) for c in columns)
        return cls(t, np.deg2rad(lat), np.deg2rad(lon))

    def first_over(self, rings: Rings) -> float | None:
        """First time (s since the epoch, to the second) over an area; None if never."""
        if not len(self.t):
            return None
        over = np.flatnonzero(contains(rings, self.lat, self.lon))
        return float(self.t[over[0]]) if len(over) else None

    def holds_impact(self, rings: Rings, flight: Mapping[str, Any]) -> bool:
        """Whether the impact point of a flight, if it came down, lies in an area."""
        if flight["impact_lat_deg"] is None:
            return False
        at = (np.array([math.radians(flight[f"impact_{c}_deg"])]) for c in ("lat", "lon"))
        return bool(contains(rings, *at)[0])

    def abeam(self, lat: float, lon: float) -> float | None:
        """Time (s since the epoch) at which the track is nearest to a place (rad), by angle at the Earth's centre.

        Between the seconds by a parabola through the three nearest points; None where the track does not pass the
        place: it ends, or the run did, while still coming nearer, or it only went away.
        """
        if not len(self.t):
            return None
        cosine = np.sin(self.lat) * math.sin(lat) + np.cos(self.lat) * math.cos(lat) * np.cos(self.lon - lon)
        k = int(np.argmax(cosine))
        if not 0 < k < len(self.t) - 1:
            return None
        before, at, after = (float(c) for c in cosine[k - 1 : k + 2])
        bend = before - 2.0 * at + after
        shift = 0.0 if bend == 0.0 else 0.5 * (before - after) / bend
        return float(self.t[k] + shift * (self.t[k + 1] - self.t[k]))
