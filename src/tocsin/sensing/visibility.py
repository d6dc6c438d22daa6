"""Which of many positions lie in sight of which radars: limits, horizon with the air, terrain, front of the faces.

The same answers as a radar's own look gives (``radar_kernels``), for many positions at once: everything is compared by
products instead of angles, and what depends on a position alone is worked out once for all radars.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth import wgs84
from tocsin.earth.jit import kernel
from tocsin.scenario.specs import Radar
from tocsin.sensing.kernels import Floats, Ints, sector_width
from tocsin.sensing.radar_kernels import ray_reach, terrain_mask

Bools = NDArray[np.bool_]
_A = wgs84.A
_F = wgs84.A / wgs84.B

# columns of a radar
V_SITE = 0  # 0-2: ecef (m)
V_EAST, V_NORTH, V_UP = 3, 6, 9  # unit vectors, turned about the up axis so that "north" is where the sector begins
V_WIDE_SIN, V_WIDE_COS, V_NEED = 12, 13, 14  # of the sector's width; how many of its two edges must be passed
V_LOW, V_HIGH = 15, 16  # sines of the elevations
V_NEAR, V_FAR = 17, 18  # m
V_ROUND = 19  # 19-21: unit vector to the site where the ellipsoid is a sphere, the last one stretched once more
V_COS, V_SIN = 22, 23  # of the site's own reach to the horizon
V_AZ, V_EDGE = 24, 25  # start of the sector (rad); spare
COLUMNS = 26


@kernel
def prepare(x: Floats, y: Floats, z: Floats, p1: Floats, p2: Floats) -> None:
    """Products of each position's distance (where the ellipsoid is a sphere) with cosine and sine of its reach."""
    for j in range(x.shape[0]):
        zs = z[j] * _F
        r = math.sqrt(x[j] * x[j] + y[j] * y[j] + zs * zs)
        if not r >= _A:
            p1[j], p2[j] = math.inf, 0.0
        else:
            reach = ray_reach(r - _A)
            p1[j], p2[j] = r * math.cos(reach), r * math.sin(reach)


@kernel
def lit_by(s: Floats, x: Floats, y: Floats, z: Floats, p1: Floats, p2: Floats, out: Bools) -> None:
    """Limits and horizon of one radar (row of ``COLUMNS``) for all positions: no branches, so that it runs wide."""
    sx, sy, sz = s[0], s[1], s[2]
    ex, ey, ez = s[3], s[4], s[5]
    nx, ny, nz = s[6], s[7], s[8]
    ux, uy, uz = s[9], s[10], s[11]
    ws, wc, need = s[12], s[13], int(s[14])
    low, high, near, far = s[15], s[16], s[17], s[18]
    hx, hy, hz, hc, hs = s[19], s[20], s[21], s[22], s[23]
    for j in range(x.shape[0]):
        dx, dy, dz = x[j] - sx, y[j] - sy, z[j] - sz
        r = math.sqrt(dx * dx + dy * dy + dz * dz)
        up = ux * dx + uy * dy + uz * dz
        along = nx * dx + ny * dy + nz * dz
        past = ex * dx + ey * dy + ez * dz
        edges = int(past >= 0.0) + int(ws * along - wc * past >= 0.0)
        above = hx * x[j] + hy * y[j] + hz * z[j] >= hc * p1[j] - hs * p2[j]
        out[j] = above & (edges >= need) & (up >= low * r) & (up <= high * r) & (r >= near) & (r <= far) & (r > 0.0)


@kernel
def _behind(
    s: Floats, faces: Floats, first: int, last: int, terrain: Floats, rise: int, fall: int,
    x: Floats, y: Floats, z: Floats, out: Bools,
) -> None:  # fmt: skip
    """Take out what is behind all faces (rows in ecef) or under the terrain."""
    for j in range(x.shape[0]):
        if not out[j]:
            continue
        dx, dy, dz = x[j] - s[0], y[j] - s[1], z[j] - s[2]
        front = first == last
        for k in range(first, last):
            front = front or faces[k, 0] * dx + faces[k, 1] * dy + faces[k, 2] * dz > 0.0
        if not front:
            out[j] = False
        elif rise < fall:
            along = s[6] * dx + s[7] * dy + s[8] * dz
            past = s[3] * dx + s[4] * dy + s[5] * dz
            el = math.atan2(s[9] * dx + s[10] * dy + s[11] * dz, math.hypot(along, past))
            out[j] = el >= terrain_mask(terrain, rise, fall, s[24] + math.atan2(past, along))


@kernel
def lit_all(
    radars: Floats, faces: Floats, face_start: Ints, terrain: Floats, terrain_start: Ints,
    x: Floats, y: Floats, z: Floats, p1: Floats, p2: Floats, out: Bools,
) -> None:  # fmt: skip
    """``lit_by`` and what lies behind, for all radars ``(m, COLUMNS)``: ``out (m, n)``."""
    for i in range(radars.shape[0]):
        lit_by(radars[i], x, y, z, p1, p2, out[i])
        if face_start[i] < face_start[i + 1] or terrain_start[i] < terrain_start[i + 1]:
            _behind(
                radars[i], faces, face_start[i], face_start[i + 1], terrain, terrain_start[i], terrain_start[i + 1],
                x, y, z, out[i],
            )  # fmt: skip


class Sight:
    """What a set of radars has in sight. Nothing of power: a position that is in sight may still be too faint."""

    def __init__(self, radars: Sequence[Radar]) -> None:
        m = len(radars)
        self._table = np.zeros((m, COLUMNS))
        faces: list[NDArray[np.float64]] = []
        terrain: list[NDArray[np.float64]] = []
        for row, r in zip(self._table, radars, strict=True):
            site = wgs84.geodetic_to_ecef(np.array([r.lat, r.lon, r.h]))
            axes = wgs84.enu_axes(r.lat, r.lon)
            c, s = math.cos(r.sector[0]), math.sin(r.sector[0])
            row[0:3] = site
            row[3:6] = c * axes[0] - s * axes[1]
            row[6:9] = s * axes[0] + c * axes[1]
            row[9:12] = axes[2]
            width = float(sector_width(*r.sector))
            whole = width >= 2.0 * math.pi
            row[12], row[13], row[14] = math.sin(width), math.cos(width), 0 if whole else (2 if width <= math.pi else 1)
            # an elevation past the zenith limits nothing
            row[15] = math.sin(max(r.el_min, -0.5 * math.pi))
            row[16] = math.sin(min(r.el_max, 0.5 * math.pi)) if r.el_max < 0.5 * math.pi else math.inf
            row[15] = row[15] if r.el_min > -0.5 * math.pi else -math.inf
            row[17], row[18] = r.range_min, r.range_max
            ball = site * np.array([1.0, 1.0, _F])
            size = math.sqrt(float(ball @ ball))
            row[19:22] = ball / size * np.array([1.0, 1.0, _F])
            reach = float(ray_reach(size - _A))
            row[22], row[23], row[24] = math.cos(reach), math.sin(reach), r.sector[0]
            east = [(math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)) for a, e in r.boresights]
            faces.append(np.array([sum(v * axes[q] for q, v in enumerate(b)) for b in east]).reshape(-1, 3))
            turn = 2.0 * math.pi
            terrain.append(np.array(sorted((a % turn, e) for a, e in r.terrain)).reshape(-1, 2))
        self._faces = np.ascontiguousarray(np.concatenate([np.empty((0, 3)), *faces]))
        self._terrain = np.ascontiguousarray(np.concatenate([np.empty((0, 2)), *terrain]))
        self._face_start = np.array([0, *np.cumsum([len(f) for f in faces])], dtype=np.int64)
        self._terrain_start = np.array([0, *np.cumsum([len(t) for t in terrain])], dtype=np.int64)

    def __len__(self) -> int:
        """How many radars."""
        return len(self._table)

    def lit(self, ecef: ArrayLike, out: Bools | None = None) -> Bools:
        """Which of ``ecef (n, 3)`` (m, fixed to the Earth) each radar has in sight: ``(m, n)``, into ``out`` if it is
        given. A position that is no number is in nobody's sight.
        """
        p = np.asarray(ecef, dtype=np.float64).reshape(-1, 3)
        x, y, z = (np.ascontiguousarray(p[:, k]) for k in range(3))
        p1, p2 = np.empty(len(p)), np.empty(len(p))
        prepare(x, y, z, p1, p2)
        made = np.empty((len(self._table), len(p)), dtype=np.bool_) if out is None else out
        lit_all(self._table, self._faces, self._face_start, self._terrain, self._terrain_start, x, y, z, p1, p2, made)
        return made
