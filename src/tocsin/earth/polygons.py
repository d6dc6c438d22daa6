"""Which points lie inside a polygon on the ellipsoid, also over a pole or the date line.

Rings are closed lines of (longitude, latitude) in rad, the last point joined to the first, edges straight in longitude
and latitude by the shorter way round, as GeoJSON draws them (RFC 7946). A ring that goes once round the pole encloses
the nearer one; so does one that is cut at the date line and led along it to the pole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.jit import kernel


@kernel
def _wrap(angle: float) -> float:
    return angle - 2.0 * math.pi * math.floor(angle / (2.0 * math.pi) + 0.5)


@kernel
def in_ring(ring: NDArray[np.float64], lat: float, lon: float) -> bool:
    """Whether a point (rad) lies in ``ring (m, 2)`` of longitude, latitude. On an edge: either."""
    # Count the edges that cross the meridian from the point to the north pole; every crossing changes sides, so an even
    # count means the point lies on the pole's side. Each vertex gets its offset once, so that edges which meet agree to
    # the last bit.
    turn = 0.0
    middle = 0.0
    crossed = False
    last = ring.shape[0] - 1
    a = _wrap(ring[last, 0] - lon)
    a_lat = ring[last, 1]
    for i in range(ring.shape[0]):
        b = _wrap(ring[i, 0] - lon)
        b_lat = ring[i, 1]
        step = _wrap(b - a)
        turn += step
        middle += b_lat
        # opposite sides of the point's meridian, and joined across it and not across the meridian behind the Earth
        if (a < 0.0) != (b < 0.0) and abs(b - a) < math.pi and a_lat + (b_lat - a_lat) * (a / (a - b)) > lat:
            crossed = not crossed
        a = b
        a_lat = b_lat
    pole_inside = abs(turn) > math.pi and middle > 0.0
    return crossed != pole_inside


@kernel
def _mark(
    ring: NDArray[np.float64], lat: NDArray[np.float64], lon: NDArray[np.float64], out: NDArray[np.bool_]
) -> None:
    for i in range(lat.shape[0]):
        if in_ring(ring, lat[i], lon[i]):
            out[i] = not out[i]


def ring_arrays(rings: Sequence[ArrayLike]) -> tuple[NDArray[np.float64], ...]:
    """Rings of (longitude, latitude) as arrays ``(m, 2)``; do it once where ``contains`` is asked often.

    Raises ValueError for a ring with fewer than three points.
    """
    out = []
    for ring in rings:
        a = np.require(ring, dtype=np.float64, requirements=["C", "W"])
        if a.ndim != 2 or a.shape[1] != 2 or a.shape[0] < 3:
            raise ValueError(f"a ring needs three or more points of longitude and latitude, found shape {a.shape}")
        out.append(a)
    return tuple(out)


def contains(rings: Sequence[ArrayLike], lat: ArrayLike, lon: ArrayLike) -> NDArray[np.bool_]:
    """Whether points (rad) lie inside the first ring and in none of the others (holes): bool array shaped like the
    points.

    Rings that lie apart may also be given together: a point inside an odd number of rings counts as inside.
    """
    lats, lons = np.broadcast_arrays(np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64))
    out = np.zeros(lats.size, dtype=np.bool_)
    flat_lat, flat_lon = lats.flatten(), lons.flatten()
    for ring in ring_arrays(rings):
        _mark(ring, flat_lat, flat_lon, out)
    return out.reshape(lats.shape)
