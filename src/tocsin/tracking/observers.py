"""Anybody's sensors as a tracker wants them: where they stand, how often they look, what they are likely to see.

Three ways to stand: fixed on the Earth (``Observer.on_earth``), at rest in space (``Observer.at_rest``: a benchmark's
local frame that does not turn, say), moving (``Observer.moving``: a ship, an aircraft, a satellite, whose place comes
with its detections). Angles are measured in a sensor's axes: azimuth from the second axis towards the first, elevation
from the plane of the two towards the third; for "level" axes, that is from north clockwise and from the horizon up.
Units stand in the names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_ns
from tocsin.earth.frames import to_ecef, to_eci
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.records.columns import KIND_NAME, Region
from tocsin.tracking.settings import Declared

Array = NDArray[np.float64]
Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]

_EARTH, _REST, _GROUND, _ORBIT = "on_earth", "at_rest", "moving in ecef", "moving in eci"
_FRAMES = {"ecef": _GROUND, "eci": _ORBIT}
LEVEL, SPACE = "level", "space"


@dataclass(frozen=True)
class Observer:
    """One sensor; made by ``on_earth``, ``at_rest`` or ``moving``. Raises ValueError naming field, found and allowed.

    ``name``: as the detections' column ``sensor`` has it. ``scan_period_s``: between looks at the same direction.
    ``kind``: what it measures, where detections do not say (one of ``columns.KIND_NAME``).
    ``detection_probability``: of one look at an object within its limits. ``false_alarms``: mean number of false
    detections a scan, spread evenly over its limits: ``azimuth_deg`` from, to (in the direction in which azimuth grows;
    equal: all round), ``elevation_deg`` least, greatest (None: 0 to 90 on or over the Earth, else all), ``range_km``.
    ``latency_s``: until its data are there, at the latest. ``plume``: it sees burning plumes only.

    ``axes``: "level" (east, north, up of its place), "space" (azimuth is right ascension, elevation is declination of
    the true equator of date), or three unit vectors as rows: in eci, whichever way it stands. ``where``: how it stands;
    ``place``: ecef (on the Earth) or eci (at rest), m.
    """

    name: str
    scan_period_s: float
    kind: str = KIND_NAME[0]
    detection_probability: float = 0.9
    false_alarms: float = 0.1
    azimuth_deg: tuple[float, float] = (0.0, 0.0)
    elevation_deg: tuple[float, float] | None = None
    range_km: tuple[float, float] = (0.0, 10_000.0)
    latency_s: float = 0.0
    plume: bool = False
    axes: str | Matrix = LEVEL
    where: str = _EARTH
    place: tuple[float, float, float] | None = None

    @classmethod
    def on_earth(cls, name: str, *, lat_deg: float, lon_deg: float, height_m: float = 0.0, **more: Any) -> Observer:
        """Fixed on the turning Earth (WGS 84), with level axes unless told otherwise."""
        _check(name, "lat_deg", lat_deg, -90.0 <= lat_deg <= 90.0, "-90 to 90")
        _check(name, "lon_deg", lon_deg, -180.0 <= lon_deg <= 360.0, "-180 to 360")
        _check(name, "height_m", height_m, -1e4 <= height_m <= 1e8, "-10,000 to 1e8")
        p = geodetic_to_ecef([math.radians(lat_deg), math.radians(lon_deg), height_m])
        return cls(name, where=_EARTH, place=(float(p[0]), float(p[1]), float(p[2])), **more)

    @classmethod
    def at_rest(
        cls, name: str, *, position_m: Sequence[float], axes: str | Sequence[Sequence[float]] = SPACE, **more: Any
    ) -> Observer:
        """At rest in space at ``position_m`` (3, eci)."""
        p = [float(v) for v in position_m]
        _check(name, "position_m", position_m, len(p) == 3 and all(map(math.isfinite, p)), "three finite numbers")
        return cls(name, where=_REST, place=(p[0], p[1], p[2]), axes=_rows(name, axes), **more)

    @classmethod
    def moving(
        cls, name: str, *, frame: str, axes: str | Sequence[Sequence[float]] | None = None, **more: Any
    ) -> Observer:
        """Moving: its place comes with the detections, columns ``position`` (3, m) and ``velocity`` (3, m/s) in
        ``frame``: "ecef" (over the ground; level axes) or "eci" (in free fall; axes of space).
        """
        if frame not in _FRAMES:
            raise ValueError(f"observer {name!r}: frame: found {frame!r}; allowed: {', '.join(_FRAMES)}")
        usual = LEVEL if frame == "ecef" else SPACE
        return cls(name, where=_FRAMES[frame], axes=usual if axes is None else _rows(name, axes), **more)

    def __post_init__(self) -> None:
        """Check every field."""
        n = self.name
        if not isinstance(n, str | int) or n == "":
            raise ValueError(f"observer {n!r}: name: found {n!r}; allowed: a text or a whole number")
        _check(n, "scan_period_s", self.scan_period_s, 1e-6 < self.scan_period_s < 1e6, "1e-6 to 1e6")
        _check(n, "kind", self.kind, self.kind in KIND_NAME, ", ".join(KIND_NAME))
        pd = self.detection_probability
        _check(n, "detection_probability", pd, 0.0 < pd < 1.0, "between 0 and 1, both excluded")
        _check(n, "false_alarms", self.false_alarms, 0.0 <= self.false_alarms < 1e6, "0 to 1e6")
        _check(n, "latency_s", self.latency_s, 0.0 <= self.latency_s < 1e6, "0 to 1e6")
        az, (low, high), (near, far) = self.azimuth_deg, self.elevations_deg, self.range_km
        _check(n, "azimuth_deg", az, all(-720.0 <= a <= 720.0 for a in az), "two numbers, -720 to 720")
        _check(n, "elevation_deg", (low, high), -90.0 <= low < high <= 90.0, "least, greatest, -90 to 90")
        _check(n, "range_km", (near, far), 0.0 <= near < far < 1e9, "least, greatest, 0 to 1e9")
        if isinstance(self.axes, str):
            _check(n, "axes", self.axes, self.axes in (LEVEL, SPACE), "level, space, or three unit vectors")
        moves = self.where in (_GROUND, _ORBIT)
        _check(n, "where", self.where, moves or (self.where in (_EARTH, _REST) and self.place is not None), "a place")

    @property
    def elevations_deg(self) -> tuple[float, float]:
        """Least and greatest elevation, defaults filled in."""
        if self.elevation_deg is not None:
            return self.elevation_deg
        return (0.0, 90.0) if self.where in (_EARTH, _GROUND) and self.axes == LEVEL else (-90.0, 90.0)

    @property
    def moves(self) -> bool:
        """Whether its place comes with its detections."""
        return self.where in (_GROUND, _ORBIT)

    @property
    def region(self) -> int:
        """How its scans are to be read (``columns.Region``)."""
        if self.where == _ORBIT:
            return Region.VIEW
        if self.axes == LEVEL and self.where in (_EARTH, _GROUND):
            return Region.SECTOR if self.where == _EARTH else Region.GROUND
        return Region.SPACE

    def declared(self, n: int) -> Declared:
        """For a tracker, under the number ``n``."""
        fixed, rests = self.where == _EARTH, self.where == _REST
        return Declared(
            n, to_ns(self.scan_period_s), self.detection_probability, to_ns(self.latency_s), self.plume,
            self.place if fixed else None, self.place if rests else None,
        )  # fmt: skip

    def limits(self) -> tuple[float, float, float, float, float, float]:
        """Azimuth from, to, elevation least, greatest (rad), range least, greatest (m), as a scan has them."""
        a, b = (math.radians(v) for v in self.azimuth_deg)
        if self.axes == SPACE:  # see ``stand``: azimuth is a quarter turn less right ascension
            a, b = 0.5 * math.pi - b, 0.5 * math.pi - a
        turn = 2.0 * math.pi
        low, high = (math.radians(v) for v in self.elevations_deg)
        return a % turn, b % turn, low, high, 1e3 * self.range_km[0], 1e3 * self.range_km[1]

    def stand(self, theta: Array, moved: Array | None) -> tuple[Array, Array]:
        """Platform (k, 6) and attitude (k, 9) at k times with the Earth's sidereal angles ``theta`` (k,).

        ``moved`` (k, 6): position and velocity, for one that moves, in its frame. Axes of space are those of eci
        (x, y, z): azimuth then is a quarter turn less right ascension.
        """
        k = len(theta)
        if self.where == _EARTH or self.where == _GROUND:
            fixed = np.zeros((k, 6))
            fixed[:, :3] = self.place if moved is None else 0.0
            at = to_eci(fixed if moved is None else moved, theta)
        elif moved is not None:
            at = np.array(moved)
        else:
            at = np.zeros((k, 6))
            at[:, :3] = self.place
        if isinstance(self.axes, str) and self.axes == LEVEL:
            ground = np.array([self.place]) if self.where == _EARTH else to_ecef(at[:, :3], theta)
            rows = np.stack([enu_axes(g[0], g[1]) for g in ecef_to_geodetic(ground)])
            rows = np.broadcast_to(rows, (k, 3, 3))
            turned = to_eci(np.ascontiguousarray(rows).reshape(-1, 3), np.repeat(theta, 3))
            return at, np.ascontiguousarray(turned.reshape(k, 9))
        own = np.eye(3) if isinstance(self.axes, str) else np.array(self.axes)
        return at, np.tile(own.ravel(), (k, 1))


def _check(name: object, field: str, found: object, good: bool, allowed: str) -> None:
    if not good:
        raise ValueError(f"observer {name!r}: {field}: found {found!r}; allowed: {allowed}")


def _rows(name: str, axes: str | Sequence[Sequence[float]]) -> str | Matrix:
    if isinstance(axes, str):
        return axes
    try:
        m = np.array(axes, dtype=np.float64)
    except (TypeError, ValueError):
        m = np.zeros(0)
    good = m.shape == (3, 3) and bool(np.isfinite(m).all())
    if good:  # right-handed, perpendicular, of length 1
        gram = np.array([[float((m[i] * m[j]).sum()) for j in range(3)] for i in range(3)])
        handed = float((np.cross(m[0], m[1]) * m[2]).sum())
        good = bool(np.abs(gram - np.eye(3)).max() < 1e-9) and handed > 0.0
    _check(name, "axes", axes, good, "level, space, or three perpendicular unit vectors, right-handed")
    a, b, c = (tuple(float(v) for v in row) for row in m)
    return (a, b, c)  # type: ignore[return-value]


def numbered(observers: Sequence[Observer]) -> dict[str | int, int]:
    """Number of each observer by name. Raises ValueError for none, too many, or a name that stands twice."""
    if not 0 < len(observers) < 65_000:
        raise ValueError(f"observers: found {len(observers)}; allowed: 1 to 64,999")
    numbers: dict[str | int, int] = {}
    for n, o in enumerate(observers):
        if not isinstance(o, Observer):
            raise ValueError(f"observers[{n}]: found {type(o).__name__}; allowed: Observer")
        if o.name in numbers:
            raise ValueError(f"observers[{n}]: the name {o.name!r} stands twice; allowed: different names")
        numbers[o.name] = n
    return numbers
