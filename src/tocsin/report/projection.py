"""The map's projection and what fits into its frame.

Lambert's azimuthal equal-area projection on the sphere (Snyder, USGS Professional Paper 1395, 1987, equations 24-2 to
24-4), centred on the events: right over the poles and across the date line, and areas keep their size. Geodetic
latitude is taken for spherical: on a picture a thousand units wide the difference cannot be seen. Angles in rad; the
plane is in frame units (``WIDTH`` across, y down).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WIDTH = 1000.0
HEIGHT = 600.0
# drawn above and below the frame as well: a tall box (a phone) then shows more of the world, not bars
OVERSCAN = 260.0
RADIUS_KM = 6371.0088


@dataclass(frozen=True)
class Projection:
    """``lat0``, ``lon0``: the centre; ``scale``: frame units per unit of the sphere; ``x0``, ``y0``: the centre in
    the plane.
    """

    lat0: float
    lon0: float
    scale: float
    x0: float = WIDTH / 2
    y0: float = HEIGHT / 2

    def project(self, lat: Floats, lon: Floats) -> Floats:
        """``(n, 2)`` plane points of latitudes and longitudes ``(n,)``. The antipode of the centre lands on its
        circle's rim.
        """
        x, y = _unit(lat, lon, self.lat0, self.lon0)
        return np.stack([self.x0 + self.scale * x, self.y0 - self.scale * y], axis=-1)

    def ring(self, ring: Floats) -> Floats:
        """A ring or line of longitude and latitude rows ``(n, 2)`` (rad) in the plane."""
        return self.project(ring[:, 1], ring[:, 0])

    @property
    def km(self) -> float:
        """Frame units per kilometre at the centre."""
        return self.scale / RADIUS_KM


def _unit(lat: Floats, lon: Floats, lat0: float, lon0: float) -> tuple[Floats, Floats]:
    """The projection of the unit sphere, y up."""
    lat = np.asarray(lat, dtype=np.float64)
    d = np.asarray(lon, dtype=np.float64) - lon0
    s0, c0 = math.sin(lat0), math.cos(lat0)
    s, c = np.sin(lat), np.cos(lat)
    cos_distance = s0 * s + c0 * c * np.cos(d)
    k = np.sqrt(2.0 / np.maximum(1.0 + cos_distance, 1e-12))
    return k * c * np.sin(d), k * (c0 * s - s0 * c * np.cos(d))


def fit(lat: Floats, lon: Floats, margin: float = 0.12) -> Projection:
    """The projection that shows all of the points (rad) in the frame, with a ``margin`` (share of the frame) around
    them.

    The frame shows at least 600 km and at most a hemisphere across.
    """
    lat = np.asarray(lat, dtype=np.float64)
    lon = np.asarray(lon, dtype=np.float64)
    if lat.size == 0:
        return Projection(0.0, 0.0, WIDTH / 2 / math.sqrt(2.0))
    direction = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    mean = direction.mean(axis=0)
    if float(np.linalg.norm(mean)) < 1e-9:
        mean = direction[0]
    lat0 = math.atan2(mean[2], math.hypot(mean[0], mean[1]))
    lon0 = math.atan2(mean[1], mean[0])
    # the mean of the points need not be the middle of their box: centre on the box that the plane shows, look again
    for _ in range(3):
        x, y = _unit(lat, lon, lat0, lon0)
        mid = np.array([(x.min() + x.max()) / 2, (y.min() + y.max()) / 2])
        lat0, lon0 = _inverse(mid, lat0, lon0)
    x, y = _unit(lat, lon, lat0, lon0)
    room = 1.0 - 2.0 * margin
    across = max(float(np.abs(x).max()) * 2, 1e-9)
    up = max(float(np.abs(y).max()) * 2, 1e-9)
    scale = min(WIDTH * room / across, HEIGHT * room / up)
    least, most = WIDTH / 2 / math.sqrt(2.0), WIDTH / (600.0 / RADIUS_KM)
    return Projection(lat0, lon0, min(max(scale, least), most))


def _inverse(point: Floats, lat0: float, lon0: float) -> tuple[float, float]:
    """Latitude and longitude of a point of the unit plane (Snyder 20-14, 20-15, 24-16)."""
    rho = min(float(np.hypot(point[0], point[1])), 2.0)
    if rho < 1e-12:
        return lat0, lon0
    c = 2.0 * math.asin(rho / 2.0)
    sin_c, cos_c = math.sin(c), math.cos(c)
    lat = math.asin(max(-1.0, min(1.0, cos_c * math.sin(lat0) + point[1] * sin_c * math.cos(lat0) / rho)))
    lon = lon0 + math.atan2(point[0] * sin_c, rho * math.cos(lat0) * cos_c - point[1] * math.sin(lat0) * sin_c)
    return lat, (lon + math.pi) % (2 * math.pi) - math.pi


BOX = (-30.0, -OVERSCAN, WIDTH + 30.0, HEIGHT + OVERSCAN)


def clip_ring(points: Floats, box: tuple[float, float, float, float] = BOX) -> Floats:
    """A closed plane ring cut to ``box`` (Sutherland and Hodgman 1974); ``(0, 2)`` where nothing is left."""
    ring = points
    for axis, bound, above in ((0, box[0], True), (1, box[1], True), (0, box[2], False), (1, box[3], False)):
        if len(ring) == 0:
            break
        ring = _clip_side(ring, axis, bound, above)
    return ring


def _clip_side(ring: Floats, axis: int, bound: float, above: bool) -> Floats:
    value = ring[:, axis]
    inside = value >= bound if above else value <= bound
    if inside.all():
        return ring
    if not inside.any():
        return ring[:0]
    following = np.roll(ring, -1, axis=0)
    crosses = inside != np.roll(inside, -1)
    gap = following[:, axis] - value
    share = np.where(crosses, (bound - value) / np.where(gap == 0, 1.0, gap), 0.0)
    cut = ring + share[:, None] * (following - ring)
    both = np.stack([ring, cut], axis=1).reshape(-1, 2)
    keep = np.stack([inside, crosses], axis=1).reshape(-1)
    return np.asarray(both[keep])


def clip_line(points: Floats, box: tuple[float, float, float, float] = BOX) -> list[Floats]:
    """The runs of a plane line that touch ``box``, each with one point beyond it at either end."""
    inside = (points[:, 0] >= box[0]) & (points[:, 0] <= box[2]) & (points[:, 1] >= box[1]) & (points[:, 1] <= box[3])
    near = inside.copy()
    near[1:] |= inside[:-1]
    near[:-1] |= inside[1:]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
    return [points[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]


def land_ring(projection: Projection, ring: Floats, box: tuple[float, float, float, float] = BOX) -> list[Floats]:
    """Plane rings (even-odd rule) of one ring on the sphere, cut to ``box``.

    A ring around the antipode of the centre turns inside out in the plane: then the box itself is added, which turns
    it back.
    """
    plane = projection.ring(ring)
    cut = clip_ring(plane, box)
    rings = [cut] if len(cut) > 2 else []
    if _around_antipode(projection, ring):
        rings.append(np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]]))
    return rings


def _around_antipode(projection: Projection, ring: Floats) -> bool:
    """Whether the ring winds around the antipode of the centre, on its side that is the smaller part of the sphere."""
    lat = ring[:, 1]
    cos_far = -(
        math.sin(projection.lat0) * np.sin(lat)
        + math.cos(projection.lat0) * np.cos(lat) * np.cos(ring[:, 0] - projection.lon0)
    )
    if cos_far.max() < 0.0:
        return False
    # seen from the antipode, in a plane around it
    x, y = _unit(lat, ring[:, 0], -projection.lat0, projection.lon0 + math.pi)
    angle = np.arctan2(y, x)
    turn = np.diff(np.concatenate([angle, angle[:1]]))
    turns = float(((turn + math.pi) % (2 * math.pi) - math.pi).sum()) / (2 * math.pi)
    return abs(turns) > 0.5


def thin(points: Floats, step: float = 0.7, closed: bool = False) -> Floats:
    """Points at least ``step`` frame units apart; ends are kept. Fewer than a visible ring's points give ``(0, 2)``
    if ``closed``.
    """
    n = len(points)
    if n < 3:
        return points if not closed else points[:0]
    # fast enough in plain Python for 80,000 points once, and exact where a stride would drop corners
    xs, ys = points[:, 0].tolist(), points[:, 1].tolist()
    keep = [0]
    x, y = xs[0], ys[0]
    limit = step * step
    for i in range(1, n - 1):
        dx, dy = xs[i] - x, ys[i] - y
        if dx * dx + dy * dy >= limit:
            keep.append(i)
            x, y = xs[i], ys[i]
    keep.append(n - 1)
    if closed and len(keep) < 4:
        return points[:0]
    return points[keep]


def path(parts: Iterable[Floats], closed: bool, digits: int = 1) -> str:
    """SVG path data of plane lines or rings: relative moves of ``10**-digits`` frame units, so that it stays small."""
    out: list[str] = []
    power = 10**digits
    for part in parts:
        if len(part) < 2:
            continue
        whole = np.round(part * power).astype(np.int64)
        moves = np.diff(whole, axis=0)
        moves = moves[np.any(moves != 0, axis=1)]
        if len(moves) == 0:
            continue
        out.append(f"M{_number(int(whole[0, 0]), power)} {_number(int(whole[0, 1]), power)}l")
        out.append(" ".join(f"{_number(dx, power)} {_number(dy, power)}" for dx, dy in moves.tolist()))
        if closed:
            out.append("z")
    return "".join(out)


def _number(whole: int, power: int) -> str:
    if power == 1 or whole % power == 0:
        return str(whole // power if whole >= 0 else -(-whole // power))
    text = f"{whole / power:.{len(str(power)) - 1}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def circle_on_earth(lat: float, lon: float, radius_km: float, azimuths: Floats) -> Floats:
    """``(n, 2)`` longitude, latitude (rad) at a distance over a sphere along each azimuth (rad)."""
    d = radius_km / RADIUS_KM
    s, c = math.sin(lat), math.cos(lat)
    lat2 = np.arcsin(np.clip(s * math.cos(d) + c * math.sin(d) * np.cos(azimuths), -1.0, 1.0))
    lon2 = lon + np.arctan2(np.sin(azimuths) * math.sin(d) * c, math.cos(d) - s * np.sin(lat2))
    return np.stack([lon2, lat2], axis=-1)
