"""The dense shapes: scans, detections, tracks, truth. One NumPy structured dtype each, one place for what a column
means.

Inside, angles are rad, lengths m, times int64 ns since the scenario's epoch. A body with columns is ``Columns``: the
name of the dtype, the number of rows, the rows' bytes (little endian).
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.void]


class Region:
    """How a scan's limits and attitude are to be read."""

    SECTOR = 0  # fixed to the turning Earth: azimuth from north clockwise, elevation, range in the east-north-up axes
    VIEW = 1  # fixed in space during the scan: azimuth and elevation about the second attitude row
    GROUND = 2  # as SECTOR, of a platform that moves over the turning Earth (ship, aircraft)
    SPACE = 3  # as VIEW, of a platform that does not fall: at rest or in uniform motion in space


class Kind:
    """What ``z`` of a detection holds."""

    RAE = 0  # range (m), azimuth (rad), elevation (rad)
    RAER = 1  # the same and range rate (m/s)
    LOS = 2  # azimuth, elevation (rad) of a line of sight
    RA = 3  # range, azimuth
    XY = 4  # east, north (m) in a local plane


KIND_SIZE = (3, 4, 2, 2, 2)
KIND_NAME = ("range-azimuth-elevation", "range-azimuth-elevation-rate", "line-of-sight", "range-azimuth", "plane")


class Status:
    """What a sensor declares of itself with a scan."""

    UP = 0
    DEGRADED = 1
    SILENT = 2


class Life:
    """State of a track."""

    TENTATIVE = 0
    CONFIRMED = 1
    COASTING = 2
    ENDED = 3


LIFE_NAME = ("tentative", "confirmed", "coasting", "ended")

# ``platform``: position and velocity in eci at t0_ns. ``attitude``: rows of a 3 x 3 rotation, eci to sensor axes, at
# t0_ns. For Region.SECTOR and GROUND the rows are east, north, up and turn with the Earth after t0_ns; else they stay.
# A direction u (eci) has azimuth atan2(row0.u, row1.u) and elevation asin(row2.u) in all.
SCAN = np.dtype([
    ("sensor", "<u2"), ("scan", "<u4"), ("t0_ns", "<i8"), ("t1_ns", "<i8"), ("arrive_ns", "<i8"),
    ("region", "u1"), ("az_from", "<f8"), ("az_to", "<f8"), ("el_min", "<f8"), ("el_max", "<f8"),
    ("range_min", "<f8"), ("range_max", "<f8"), ("sensitivity", "<f8"), ("clutter", "<f8"), ("status", "u1"),
    ("platform", "<f8", (6,)), ("attitude", "<f8", (9,)), ("n_detections", "<u4"),
])  # fmt: skip
DETECTION = np.dtype([
    ("sensor", "<u2"), ("scan", "<u4"), ("n", "<u2"), ("t_ns", "<i8"), ("arrive_ns", "<i8"), ("kind", "u1"),
    ("mask", "u1"), ("z", "<f8", (4,)), ("R", "<f8", (10,)), ("snr_db", "<f4"), ("intensity", "<f4"), ("flags", "<u2"),
])  # fmt: skip
TRUTH_LINK = np.dtype([("sensor", "<u2"), ("scan", "<u4"), ("n", "<u2"), ("object", "<i4")])
TRUTH_STATE = np.dtype([("object", "<i4"), ("t_ns", "<i8"), ("x", "<f8", (6,)), ("phase", "u1")])
# ``track`` counts within one pipeline. x: position and velocity eci, P its covariance packed (upper triangle by rows).
TRACK = np.dtype([
    ("track", "<u4"), ("t_ns", "<i8"), ("life", "u1"), ("chart", "u1"), ("x", "<f8", (6,)), ("P", "<f8", (21,)),
    ("mu", "<f8", (6,)), ("existence", "<f8"), ("updates", "<u4"), ("sensors", "<u2"), ("last_update_ns", "<i8"),
    ("parent", "<i4"),
])  # fmt: skip
ASSOCIATION = np.dtype([("track", "<u4"), ("sensor", "<u2"), ("scan", "<u4"), ("n", "<u2")])

FORMATS: dict[str, np.dtype[Any]] = {
    "scan/1": SCAN,
    "detection/1": DETECTION,
    "truth-link/1": TRUTH_LINK,
    "truth-state/1": TRUTH_STATE,
    "track/1": TRACK,
    "association/1": ASSOCIATION,
}
_NAMES = {dtype: name for name, dtype in FORMATS.items()}


class Columns(msgspec.Struct, frozen=True):
    """A table as a body: format name, row count, the bytes of the rows."""

    format: str
    rows: int
    data: bytes


def encode(table: Table) -> Columns:
    """Table to body. Raises KeyError for a dtype that is not one of ``FORMATS``."""
    return Columns(_NAMES[table.dtype], len(table), np.ascontiguousarray(table).tobytes())


def decode(columns: Columns) -> Table:
    """Body to table (read-only). Raises ValueError where name, row count and bytes do not fit together."""
    dtype = FORMATS.get(columns.format)
    if dtype is None:
        raise ValueError(f"unknown column format {columns.format!r}; known: {', '.join(FORMATS)}")
    if len(columns.data) != columns.rows * dtype.itemsize:
        needed = columns.rows * dtype.itemsize
        raise ValueError(f"{columns.format}: {columns.rows} rows need {needed} bytes, found {len(columns.data)}")
    return np.frombuffer(columns.data, dtype=dtype)


def empty(dtype: np.dtype[Any], rows: int = 0) -> Table:
    """A zeroed table."""
    return np.zeros(rows, dtype=dtype)


def pack_symmetric(m: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(k, k)`` symmetric to its ``k (k + 1) / 2`` upper entries by rows."""
    return np.asarray(m[np.triu_indices(m.shape[0])])


def unpack_symmetric(packed: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """The inverse of ``pack_symmetric``; ``packed`` may be longer (the 4 x 4 room of a detection's R)."""
    if packed.shape[-1] not in (k * (k + 1) // 2, 10, 21):
        raise ValueError(f"cannot read a {k} x {k} matrix from {packed.shape[-1]} entries")
    full = {3: 2, 6: 3, 10: 4, 21: 6}[packed.shape[-1]]
    m = np.zeros((full, full))
    m[np.triu_indices(full)] = packed
    m = m + np.triu(m, 1).T
    return m[:k, :k]
