"""Regions on the ellipsoid that hold a stated share of a distribution: ellipses and contours of a density, as GeoJSON.

A region is built in flat coordinates: the azimuthal-equidistant plane of a centre (right near the centre at any
latitude) or, for long corridors of impact points, distance and azimuth from an origin in its plane. Its rings are
carried to latitude and longitude at the very end and cut at the date line there: a ring that goes round a pole is
closed over it along the map's edge, as RFC 7946 (section 3.1.9) asks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import E2, A

Floats = NDArray[np.float64]
GeoJson = dict[str, Any]
ToGeodetic = Callable[[Floats], tuple[Floats, Floats]]

CONTENTS = (0.5, 0.95)
_FAN = math.radians(200.0)  # a cloud wider than this, seen from its origin, is no corridor
_STEP = math.radians(4.0)  # edges of a ring are halved until they span less longitude
_DIGITS = 5  # of a degree: about a metre


@kernel
def _radii(lat: float) -> tuple[float, float]:
    """Radii of curvature (m) of the ellipsoid at a latitude: along the meridian, across it."""
    w = 1.0 - E2 * math.sin(lat) ** 2
    return A * (1.0 - E2) / (w * math.sqrt(w)), A / math.sqrt(w)


@kernel
def _plane_rows(lat0: float, lon0: float, lat: Floats, lon: Floats, out: Floats) -> None:
    m, n = _radii(lat0)
    s0, c0 = math.sin(lat0), math.cos(lat0)
    for i in range(lat.shape[0]):
        s, c = math.sin(lat[i]), math.cos(lat[i])
        sl, cl = math.sin(lon[i] - lon0), math.cos(lon[i] - lon0)
        east, north = c * sl, c0 * s - s0 * c * cl
        sine = math.hypot(east, north)
        k = math.atan2(sine, s0 * s + c0 * c * cl) / sine if sine > 1e-15 else 1.0
        out[i, 0], out[i, 1] = n * k * east, m * k * north


@kernel
def _geodetic_rows(lat0: float, lon0: float, xy: Floats, lat: Floats, lon: Floats) -> None:
    m, n = _radii(lat0)
    s0, c0 = math.sin(lat0), math.cos(lat0)
    for i in range(xy.shape[0]):
        east, north = xy[i, 0] / n, xy[i, 1] / m
        angle = math.hypot(east, north)
        k = math.sin(angle) / angle if angle > 1e-15 else 1.0
        c = math.cos(angle)
        # the point's east, north, up at the centre; then towards the equator under the centre's meridian, and the pole
        out, pole = c * c0 - k * north * s0, c * s0 + k * north * c0
        lat[i] = math.atan2(pole, math.hypot(out, k * east))
        lon[i] = (lon0 + math.atan2(k * east, out) + math.pi) % (2.0 * math.pi) - math.pi


def to_plane(centre: tuple[float, float], lat: Floats, lon: Floats) -> Floats:
    """``(n, 2)`` east, north (m) of points (rad) in the plane of ``centre`` (latitude, longitude in rad).

    The plane is azimuthal-equidistant for the directions of the ellipsoid's normals, with the centre's radii of
    curvature: distances agree with geodesics to 3e-4 within 400 km and to half a percent anywhere, and there and back
    is exact.
    """
    out = np.empty((lat.shape[0], 2))
    _plane_rows(
        centre[0],
        centre[1],
        np.ascontiguousarray(lat, dtype=np.float64),
        np.ascontiguousarray(lon, dtype=np.float64),
        out,
    )
    return out


def from_plane(centre: tuple[float, float], xy: Floats) -> tuple[Floats, Floats]:
    """The inverse of ``to_plane``: latitudes and longitudes (rad, -pi to pi)."""
    lat, lon = np.empty(len(xy)), np.empty(len(xy))
    _geodetic_rows(centre[0], centre[1], np.ascontiguousarray(xy, dtype=np.float64), lat, lon)
    return lat, lon


def polar(centre: tuple[float, float], lat: Floats, lon: Floats) -> Floats:
    """``(n, 2)``: distance (m) and azimuth (rad, clockwise from north) in the plane of ``centre``."""
    xy = to_plane(centre, lat, lon)
    return np.column_stack([np.hypot(xy[:, 0], xy[:, 1]), np.arctan2(xy[:, 0], xy[:, 1])])


def geodetic(centre: tuple[float, float], polar_rows: Floats) -> tuple[Floats, Floats]:
    """The inverse of ``polar``."""
    r, azimuth = polar_rows[:, 0], polar_rows[:, 1]
    return from_plane(centre, np.column_stack([r * np.sin(azimuth), r * np.cos(azimuth)]))


def middle(lat: Floats, lon: Floats, weight: Floats) -> tuple[float, float]:
    """Weighted mean of points (rad): where the mean of their azimuthal-equidistant plane is nought."""
    w = weight / weight.sum()
    c = np.cos(lat)
    x, y, z = float(w @ (c * np.cos(lon))), float(w @ (c * np.sin(lon))), float(w @ np.sin(lat))
    centre = (math.atan2(z, math.hypot(x, y)), math.atan2(y, x))
    for _ in range(2):
        mean = w @ to_plane(centre, lat, lon)
        la, lo = from_plane(centre, mean[None, :])
        centre = (float(la[0]), float(lo[0]))
    return centre


def ellipse_region(centre: tuple[float, float], cov_enu: Floats, radius2: float, points: int = 72) -> GeoJson:
    """The ellipse ``d' cov^-1 d <= radius2`` (east-north, m) about a centre (rad), as GeoJSON.

    For a two-dimensional normal distribution the content is ``1 - exp(-radius2 / 2)`` and the area ``pi radius2
    sqrt(det cov)``.
    """
    values, vectors = np.linalg.eigh(cov_enu)
    axes = vectors * np.sqrt(np.maximum(values, 1.0))  # a point (under 1 m) has no ring
    if np.linalg.det(axes) < 0.0:
        axes[:, 0] *= -1.0
    a = np.linspace(0.0, 2.0 * math.pi, points, endpoint=False)
    # the ring's sagitta is given back, so that the polygon's area is the ellipse's
    stretch = math.sqrt(radius2 * (2.0 * math.pi / points) / math.sin(2.0 * math.pi / points))
    ring = stretch * (np.cos(a)[:, None] * axes[:, 0] + np.sin(a)[:, None] * axes[:, 1])
    return region_of([[ring]], lambda xy: from_plane(centre, xy))


def normal_radius2(content: float) -> float:
    """Squared Mahalanobis radius that holds ``content`` of a two-dimensional normal distribution."""
    return -2.0 * math.log(1.0 - content)


def density_regions(
    lat: Floats,
    lon: Floats,
    weight: Floats,
    contents: Sequence[float] = CONTENTS,
    *,
    origin: tuple[float, float] | None = None,
    effective: float | None = None,
) -> list[GeoJson]:
    """Highest-density regions of weighted points (rad), one GeoJSON per content, larger contents holding the smaller.

    The density is a binned Gaussian kernel estimate in whitened coordinates. With ``origin`` (say, the launch point)
    and a cloud that is a corridor or a fan seen from there, the coordinates are distance and azimuth off the
    corridor's curved middle line (across it, where the cloud is near to normal, samples are drawn towards the line so
    that the kernel does not widen it: West, J. R. Stat. Soc. B 55, 1993); else the plane.
    ``effective``: number of independent points the cloud is worth, if that is less than the weights say.
    """
    w = weight / weight.sum()
    n_eff = min(1.0 / float(w @ w), effective or np.inf)
    # of n draws and one more, the one more lies within c (n + 1) / n of the n as often as c says
    contents = [min(c * (1.0 + 1.0 / n_eff), 0.5 + 0.5 * c) for c in contents]
    if origin is not None:
        made = _corridor(origin, lat, lon, w)
        if made is not None:
            uv, to_geodetic = made
            # along the corridor the points are stratified and many; across it they are worth n_eff
            return _contours(
                uv,
                w,
                contents,
                (0.6 * n_eff ** (-1 / 6), n_eff ** (-1 / 6)),
                (False, True),
                (96, 64),
                to_geodetic,
                True,
            )
    centre = middle(lat, lon, w)
    xy = to_plane(centre, lat, lon)
    values, vectors = np.linalg.eigh((xy * w[:, None]).T @ xy)
    axes = vectors * np.sqrt(np.maximum(values, 1.0))
    if np.linalg.det(axes) < 0.0:
        axes[:, 0] *= -1.0
    uv = np.linalg.solve(axes, xy.T).T
    h = 0.6 * n_eff ** (-1 / 6)
    return _contours(uv, w, contents, (h, h), (False, False), (72, 72), lambda p: from_plane(centre, p @ axes.T), False)


def _corridor(origin: tuple[float, float], lat: Floats, lon: Floats, w: Floats) -> tuple[Floats, ToGeodetic] | None:
    """Whitened (distance, azimuth off the middle line) seen from ``origin``, and the way back; None for what is no
    corridor.
    """
    ra = polar(origin, lat, lon)
    r, az = ra[:, 0], ra[:, 1]
    mean_az = math.atan2(float(w @ np.sin(az)), float(w @ np.cos(az)))
    off = (az - mean_az + math.pi) % (2.0 * math.pi) - math.pi
    if float(w[np.abs(off) > 0.5 * _FAN].sum()) > 5e-3:
        return None
    r_mean = float(w @ r)
    r_sd = math.sqrt(float(w @ (r - r_mean) ** 2))
    if r_sd < 1.0:
        return None
    u = (r - r_mean) / r_sd
    basis = np.column_stack([np.ones_like(u), u, u * u])
    gram = (basis * w[:, None]).T @ basis
    coefficients = np.linalg.solve(gram + 1e-9 * np.eye(3), basis.T @ (w * off))
    v = off - basis @ coefficients
    v_sd = math.sqrt(max(float(w @ (v * v)), 1e-12))

    def to_geodetic(p: Floats) -> tuple[Floats, Floats]:
        along = p[:, 0]
        line = coefficients[0] + coefficients[1] * along + coefficients[2] * along * along
        distance = np.maximum(r_mean + r_sd * along, 1.0)
        return geodetic(origin, np.column_stack([distance, mean_az + line + v_sd * p[:, 1]]))

    return np.column_stack([u, v / v_sd]), to_geodetic


def _contours(
    uv: Floats,
    w: Floats,
    contents: Sequence[float],
    bandwidth: tuple[float, float],
    drawn_in: tuple[bool, bool],
    cells: tuple[int, int],
    to_geodetic: ToGeodetic,
    mirrored: bool,
) -> list[GeoJson]:
    grids: list[tuple[Floats, float]] = []
    index: list[Floats] = []
    for k in (0, 1):
        h = min(bandwidth[k], 0.6)
        mean = float(w @ uv[:, k])
        x = mean + (math.sqrt(1.0 - h * h) if drawn_in[k] else 1.0) * (uv[:, k] - mean)
        # a few stray points must not coarsen the grid: it ends where a thousandth of the weight lies outside
        order = np.argsort(x, kind="stable")
        total = np.cumsum(w[order])
        last = min(int(np.searchsorted(total, 1.0 - 1e-3)), len(x) - 1)
        low, high = float(x[order[int(np.searchsorted(total, 1e-3))]]), float(x[order[last]])
        low, high = low - 3.5 * h - 1e-3, high + 3.5 * h + 1e-3
        grids.append((np.linspace(low, high, cells[k]), h))
        index.append(np.clip((x - low) / (high - low) * (cells[k] - 1), 0.0, cells[k] - 1.001))
    mass = np.zeros(cells)
    i, j = index[0].astype(np.int64), index[1].astype(np.int64)
    a, b = index[0] - i, index[1] - j
    for di, wi in ((0, 1.0 - a), (1, a)):
        for dj, wj in ((0, 1.0 - b), (1, b)):
            mass += np.bincount((i + di) * cells[1] + (j + dj), w * wi * wj, cells[0] * cells[1]).reshape(cells)
    sigma = [h / (g[1] - g[0]) for g, h in grids]
    density = smoothed(mass, sigma[0], sigma[1])
    density[0, :] = density[-1, :] = 0.0
    density[:, 0] = density[:, -1] = 0.0
    down = np.asarray(np.sort(density, axis=None)[::-1], dtype=np.float64)
    held = np.cumsum(down) / down.sum()
    generator = contour_generator(
        x=grids[0][0], y=grids[1][0], z=density.T, name="serial", fill_type=FillType.OuterOffset
    )
    out = []
    for content in contents:
        level = float(down[int(np.searchsorted(held, content))])
        # the fill type above makes it a list of points and a list of the rings' offsets
        points, offsets = cast(tuple[list[Floats], list[NDArray[np.int64]]], generator.filled(level, np.inf))
        polygons = []
        for polygon, offset in zip(points, offsets, strict=True):
            rings = [polygon[s : e - 1] for s, e in pairwise(offset)]
            polygons.append([ring[::-1] for ring in rings] if mirrored else rings)
        out.append(region_of(polygons, to_geodetic))
    return out


@kernel
def _weights(sigma: float) -> Floats:
    """Weights of a normal kernel out to four sigma (cells), that sum to one; one weight alone for a sigma of nought."""
    reach = int(4.0 * sigma + 0.5)
    out = np.empty(2 * reach + 1)
    total = 0.0
    for i in range(-reach, reach + 1):
        out[i + reach] = math.exp(-0.5 * (i / sigma) ** 2) if reach > 0 else 1.0
        total += out[i + reach]
    for i in range(2 * reach + 1):
        out[i] /= total
    return out


@kernel
def smoothed(mass: Floats, sigma0: float, sigma1: float) -> Floats:
    """A grid smoothed by a normal kernel of ``sigma0``, ``sigma1`` cells along its two axes; there is nothing outside.

    What ``scipy.ndimage.gaussian_filter`` does with ``mode="constant"``, without its import.
    """
    n, m = mass.shape
    along = np.zeros((n, m))
    k = _weights(sigma0)
    reach = (k.shape[0] - 1) // 2
    for i in range(n):
        for a in range(max(i - reach, 0), min(i + reach + 1, n)):
            w = k[a - i + reach]
            for j in range(m):
                along[i, j] += w * mass[a, j]
    out = np.zeros((n, m))
    k = _weights(sigma1)
    reach = (k.shape[0] - 1) // 2
    for i in range(n):
        for j in range(m):
            total = 0.0
            for b in range(max(j - reach, 0), min(j + reach + 1, m)):
                total += k[b - j + reach] * along[i, b]
            out[i, j] = total
    return out


def region_of(polygons: Sequence[Sequence[Floats]], to_geodetic: ToGeodetic) -> GeoJson:
    """GeoJSON of polygons given by open rings ``(k, 2)`` in flat coordinates: outside anticlockwise on the ground,
    holes clockwise.

    ``to_geodetic`` carries rows of flat coordinates to latitude and longitude (rad).
    """
    rings = [
        _carried(np.asarray(ring, float), to_geodetic) for polygon in polygons for ring in polygon if len(ring) >= 3
    ]
    closed: list[Floats] = []
    chains: list[Floats] = []
    for ring in rings:
        _split(ring, closed, chains)
    closed += _linked(chains)
    outer = [r for r in closed if _area(r) > 0.0]
    parts = [[r] for r in outer]
    for hole in (r for r in closed if _area(r) < 0.0):
        for part in parts:
            if _inside(part[0], hole[:1])[0]:
                part.append(hole)
                break
    coordinates = [[_degrees(r) for r in part] for part in parts]
    if len(coordinates) == 1:
        return {"type": "Polygon", "coordinates": coordinates[0]}
    return {"type": "MultiPolygon", "coordinates": coordinates}


def holds(region: GeoJson, lat: Floats, lon: Floats) -> NDArray[np.bool_]:
    """Which points (rad) a region made here holds; edges are straight in longitude and latitude, as GeoJSON has
    them.
    """
    polygons = [region["coordinates"]] if region["type"] == "Polygon" else region["coordinates"]
    points = np.column_stack([np.degrees(lon), np.degrees(lat)])
    points[:, 0] = (points[:, 0] + 180.0) % 360.0 - 180.0
    inside = np.zeros(len(points), dtype=bool)
    for rings in polygons:
        part = np.zeros(len(points), dtype=bool)
        for ring in rings:
            part ^= _inside(np.asarray(ring[:-1], float), points)
        inside |= part
    return inside


def _carried(ring: Floats, to_geodetic: ToGeodetic) -> Floats:
    """A flat ring as (longitude, latitude) rows (rad), with points added where an edge spans much longitude."""
    lat, lon = to_geodetic(ring)
    for _ in range(12):
        jump = np.abs((np.roll(lon, -1) - lon + math.pi) % (2.0 * math.pi) - math.pi)
        wide = np.flatnonzero(jump > _STEP)
        if not len(wide) or len(lon) > 4000:
            break
        halves = 0.5 * (ring[wide] + np.roll(ring, -1, axis=0)[wide])
        la, lo = to_geodetic(halves)
        ring = np.insert(ring, wide + 1, halves, axis=0)
        lat, lon = np.insert(lat, wide + 1, la), np.insert(lon, wide + 1, lo)
    return np.column_stack([lon, lat])


def _split(ring: Floats, closed: list[Floats], chains: list[Floats]) -> None:
    """A ring that meets the date line becomes chains from edge to edge of the map; another stays closed."""
    lon = ring[:, 0]
    step = np.roll(lon, -1) - lon
    cuts = np.flatnonzero(np.abs(step) > math.pi)
    if not len(cuts):
        closed.append(ring)
        return
    pieces: list[list[Floats]] = []
    for i in cuts:
        a, b = ring[i], ring[(i + 1) % len(ring)]
        edge = math.pi if a[0] > 0.0 else -math.pi
        to = b[0] + 2.0 * edge
        part = 0.5 if to == a[0] else (edge - a[0]) / (to - a[0])
        y = a[1] + part * (b[1] - a[1])
        pieces.append([np.array([edge, y]), np.array([-edge, y])])
    for k, i in enumerate(cuts):
        j = cuts[(k + 1) % len(cuts)]
        between = ring[i + 1 : j + 1] if j > i else np.vstack([ring[i + 1 :], ring[: j + 1]])
        chains.append(np.vstack([pieces[k][1], between, pieces[(k + 1) % len(cuts)][0]]))


def _edge_place(p: Floats) -> float:
    """Where a point of the map's left or right edge lies on a walk anticlockwise round the map from its lower right
    corner.
    """
    half = 0.5 * math.pi
    return float(p[1] + half) if p[0] > 0.0 else float(2.0 * math.pi + half - p[1])


def _linked(chains: list[Floats]) -> list[Floats]:
    """Close chains along the map's edge, the inside on the left: anticlockwise from each end to the next start, over
    the poles.
    """
    half = 0.5 * math.pi
    # met at pi, 2 pi, 3 pi and 4 pi of the walk
    corners = [(math.pi, half), (-math.pi, half), (-math.pi, -half), (math.pi, -half)]
    turn = 4.0 * math.pi
    starts = [_edge_place(c[0]) for c in chains]
    done = [False] * len(chains)
    rings = []
    for first in range(len(chains)):
        if done[first]:
            continue
        parts, at = [], first
        while not done[at]:
            done[at] = True
            parts.append(chains[at])
            end = _edge_place(chains[at][-1])
            ahead = [(s - end) % turn for s in starts]
            following = min(range(len(chains)), key=lambda k: ahead[k])
            passed = sorted((((k + 1) * math.pi - end) % turn, k) for k in range(4))
            parts += [np.array([corners[k]]) for d, k in passed if d < ahead[following]]
            at = following
        rings.append(np.vstack(parts))
    return rings


def _area(ring: Floats) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


@kernel
def _even_odd(ring: Floats, points: Floats, out: NDArray[np.bool_]) -> None:
    for i in range(points.shape[0]):
        x, y = points[i, 0], points[i, 1]
        inside = False
        k = ring.shape[0] - 1
        for j in range(ring.shape[0]):
            if (ring[j, 1] > y) != (ring[k, 1] > y):
                at = ring[j, 0] + (y - ring[j, 1]) / (ring[k, 1] - ring[j, 1]) * (ring[k, 0] - ring[j, 0])
                if x < at:
                    inside = not inside
            k = j
        out[i] = inside


def _inside(ring: Floats, points: Floats) -> NDArray[np.bool_]:
    out = np.zeros(len(points), dtype=np.bool_)
    _even_odd(np.ascontiguousarray(ring), np.ascontiguousarray(points), out)
    return out


def _degrees(ring: Floats) -> list[list[float]]:
    rows = [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in np.degrees(ring).tolist()]
    kept = [row for k, row in enumerate(rows) if row != rows[k - 1]] or rows[:1]
    return [*kept, kept[0]]
