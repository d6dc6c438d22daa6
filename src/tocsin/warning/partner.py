"""What a partner's warning means here: which of our warnings it speaks of, and what it says of our own areas."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.jit import kernel
from tocsin.earth.polygons import contains
from tocsin.records.shapes import AreaRisk, Estimate, GeoJson, WarningVersion
from tocsin.scenario.specs import Area

_SAMPLES = 2048
_TRACK_POINTS = 48
_SAME_TIME_S = 60.0  # two reports of one event differ by less, whoever saw it
_SAME_PLACE_M = 50e3
_SAME_DATA_NS = 120_000_000_000


def _halton(count: int, base: int) -> NDArray[np.float64]:
    out = np.empty(count)
    for i in range(count):
        f, value, k = 1.0, 0.0, i + 1
        while k:
            f /= base
            value += f * (k % base)
            k //= base
        out[i] = value
    return out


_U = _halton(_SAMPLES, 2)
_V = _halton(_SAMPLES, 3)


def _rings(region: GeoJson) -> list[list[list[tuple[float, float]]]]:
    polygons = [region["coordinates"]] if region["type"] == "Polygon" else region["coordinates"]
    return [[[(math.radians(p[0]), math.radians(p[1])) for p in ring] for ring in polygon] for polygon in polygons]


def inside_region(region: GeoJson, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points (rad) lie in a GeoJSON Polygon or MultiPolygon."""
    found = np.zeros(lat.shape, dtype=np.bool_)
    for polygon in _rings(region):
        found |= contains(tuple(tuple(ring) for ring in polygon), lat, lon)
    return found


def samples(estimate: Estimate) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Points (lat, lon in rad) and weights that stand for an estimate; None where it says nothing.

    Gaussian: low-discrepancy normal points. Polygon: half of the weight evenly in the 50 % region, 45 % in the rest of
    the 95 % region; the 5 % outside are left out, so that what is said of an area is a lower bound there.
    """
    if estimate.kind == "gaussian" and estimate.mean is not None and estimate.cov_enu is not None:
        radius = np.sqrt(-2.0 * np.log1p(-_U))
        root = np.linalg.cholesky(np.array(estimate.cov_enu).reshape(2, 2) + 1.0 * np.eye(2))
        e = radius * np.cos(2.0 * np.pi * _V)
        n = radius * np.sin(2.0 * np.pi * _V)
        east = root[0, 0] * e
        north = root[1, 0] * e + root[1, 1] * n
        lat, lon = np.empty(_SAMPLES), np.empty(_SAMPLES)
        _spread_out(estimate.mean[0], estimate.mean[1], east, north, lat, lon)
        return lat, lon, np.full(_SAMPLES, 1.0 / _SAMPLES)
    if estimate.kind == "polygon" and estimate.region95 is not None:
        outer = [p for polygon in _rings(estimate.region95) for p in polygon[0]]
        lon0 = outer[0][0]
        lons = np.array([(p[0] - lon0 + math.pi) % (2.0 * math.pi) - math.pi for p in outer])
        sines = np.sin(np.array([p[1] for p in outer]))
        lon = lon0 + lons.min() + _U * (lons.max() - lons.min())
        lat = np.arcsin(sines.min() + _V * (sines.max() - sines.min()))
        lon = (lon + math.pi) % (2.0 * math.pi) - math.pi
        in95 = inside_region(estimate.region95, lat, lon)
        in50 = inside_region(estimate.region50, lat, lon) if estimate.region50 is not None else np.zeros_like(in95)
        in50 &= in95
        rest = in95 & ~in50
        weight = np.zeros(_SAMPLES)
        if in50.any() and rest.any():
            weight[in50] = 0.5 / in50.sum()
            weight[rest] = 0.45 / rest.sum()
        elif in95.any():
            weight[in95] = 0.95 / in95.sum()
        keep = weight > 0.0
        return lat[keep], lon[keep], weight[keep]
    return None


def risks(launch: Estimate, impact: Estimate, areas: tuple[Area, ...], exclude_below: float) -> tuple[AreaRisk, ...]:
    """What a partner's estimates say of our areas: probability of impact and of passage, with the time reckoned along
    the way.
    """
    cloud = samples(impact)
    if cloud is None:
        return tuple(AreaRisk(area.id, 0.0, 0.0, None, False) for area in areas)
    lat, lon, weight = cloud
    weight = weight * impact.p_impact
    over = _tracks(launch, lat, lon)
    made = []
    for area in areas:
        hit = contains(area.rings, lat, lon)
        p_impact = float(weight[hit].sum())
        p_passage, t_ns = p_impact, impact.t_ns if p_impact >= 0.05 else None
        if over is not None:
            track_lat, track_lon, of = over
            crossed = contains(area.rings, track_lat.ravel(), track_lon.ravel()).reshape(track_lat.shape)
            share = weight[of]
            total = float(share.sum())
            any_crossed = crossed.any(axis=1)
            if total > 0.0:
                p_passage = max(p_impact, float(weight.sum()) * float(share[any_crossed].sum()) / total)
            if any_crossed.any() and launch.t_ns is not None and impact.t_ns is not None and p_passage >= 0.05:
                # ground speed is nearly even on a ballistic arc: the first crossing by its share of the way
                first = float(np.median(crossed[any_crossed].argmax(axis=1))) / (_TRACK_POINTS - 1)
                t_ns = int(launch.t_ns + first * (impact.t_ns - launch.t_ns))
        made.append(AreaRisk(area.id, min(1.0, p_impact), min(1.0, p_passage), t_ns, p_impact < exclude_below))
    return tuple(made)


def _tracks(
    launch: Estimate, lat: NDArray[np.float64], lon: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]] | None:
    """Ground tracks from the launch point to every 16th sample: (m, points) latitude and longitude, and which
    samples.
    """
    if launch.mean is None:
        return None
    of = np.arange(0, lat.shape[0], 16)
    track_lat = np.empty((of.shape[0], _TRACK_POINTS))
    track_lon = np.empty_like(track_lat)
    _ground_tracks(launch.mean[0], launch.mean[1], lat[of], lon[of], track_lat, track_lon)
    return track_lat, track_lon, of


@kernel
def _spread_out(
    lat0: float,
    lon0: float,
    east: NDArray[np.float64],
    north: NDArray[np.float64],
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
) -> None:
    for i in range(east.shape[0]):
        azimuth, distance = math.atan2(east[i], north[i]), math.hypot(east[i], north[i])
        lat[i], lon[i], _ = direct(lat0, lon0, azimuth, distance)


@kernel
def _ground_tracks(
    lat0: float,
    lon0: float,
    lat: NDArray[np.float64],
    lon: NDArray[np.float64],
    track_lat: NDArray[np.float64],
    track_lon: NDArray[np.float64],
) -> None:
    points = track_lat.shape[1]
    for k in range(lat.shape[0]):
        distance, azimuth, _ = inverse(lat0, lon0, lat[k], lon[k])
        for j in range(points):
            track_lat[k, j], track_lon[k, j], _ = direct(lat0, lon0, azimuth, distance * j / (points - 1))


def same_event(ours: WarningVersion, theirs: WarningVersion) -> bool:
    """Whether two warnings speak of one event (see ``distance_between``); without estimates, by their first data."""
    apart = distance_between(ours.launch, ours.impact, theirs.launch, theirs.impact)
    if math.isinf(apart) and (ours.launch.kind == "none" or theirs.launch.kind == "none"):
        return abs(ours.first_data_ns - theirs.first_data_ns) < _SAME_DATA_NS
    return apart <= 1.0


def distance_between(launch1: Estimate, impact1: Estimate, launch2: Estimate, impact2: Estimate) -> float:
    """How far two pairs of estimates are apart, 1 being the most that one event allows: the nearer of launch and
    impact.

    Each is measured in three joint standard deviations and the floor of what reports of one event differ by, in place
    and in time. Infinite where neither can be compared.
    """
    return min(_apart(launch1, launch2), _apart(impact1, impact2))


def _apart(a: Estimate, b: Estimate) -> float:
    if a.mean is None or b.mean is None or a.t_ns is None or b.t_ns is None or a.cov_enu is None or b.cov_enu is None:
        return math.inf
    distance, _, _ = inverse(a.mean[0], a.mean[1], b.mean[0], b.mean[1])
    largest = sum(max(c[0], c[3]) for c in (a.cov_enu, b.cov_enu))
    in_place = distance / (_SAME_PLACE_M + 3.0 * math.sqrt(largest))
    in_time = abs(a.t_ns - b.t_ns) / 1e9 / (_SAME_TIME_S + 3.0 * math.sqrt((a.t_var or 0.0) + (b.t_var or 0.0)))
    return float(max(in_place, in_time))
