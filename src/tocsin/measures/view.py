"""From when a sensor could have looked: true positions against the limits that the sensor's own scans declare.

Radar: azimuth sector, elevation and range; elevation as a radar meets it, with rays bent as over an Earth of 4/3
radius. Infrared satellite: the object burns, stands above the cloud top, and the Earth is not in the way. Whether the
echo or the plume would have been strong enough is not asked: that is the detection's part of the delay, not the
geometry's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tocsin.earth.wgs84 import R_MEAN, A, B, enu_axes, geodetic_to_ecef
from tocsin.records.arrow import scalar, values

Floats = NDArray[np.float64]


def _column(table: pa.Table, name: str) -> Floats:
    return np.asarray(values(table[name]), dtype=np.float64)


def _positions(lat_deg: Floats, lon_deg: Floats, height_km: Floats) -> Floats:
    return geodetic_to_ecef(np.stack([np.deg2rad(lat_deg), np.deg2rad(lon_deg), height_km * 1e3], axis=1))


def _in_radar(scan: dict[str, Any], at: Floats) -> NDArray[np.bool_]:
    lat, lon = math.radians(scan["platform_lat_deg"]), math.radians(scan["platform_lon_deg"])
    site = geodetic_to_ecef([lat, lon, scan["platform_height_km"] * 1e3])
    axes = enu_axes(lat, lon)
    d = at - site
    east, north, up = (d[:, 0] * axes[i, 0] + d[:, 1] * axes[i, 1] + d[:, 2] * axes[i, 2] for i in range(3))
    r = np.sqrt(east * east + north * north + up * up)
    elevation = np.arcsin(np.clip(up / np.maximum(r, 1.0), -1.0, 1.0))
    elevation = np.rad2deg(elevation + r * np.cos(elevation) * 0.25 / (2.0 * R_MEAN))
    azimuth = np.mod(np.rad2deg(np.arctan2(east, north)), 360.0)
    seen = np.ones(len(at), dtype=bool)
    start, end = scan["azimuth_from_deg"], scan["azimuth_to_deg"]
    if start is not None and end is not None and (end - start) % 360.0 != 0.0:
        seen &= np.mod(azimuth - start, 360.0) <= (end - start) % 360.0
    for value, low, high in (
        (elevation, scan["elevation_min_deg"], scan["elevation_max_deg"]),
        (r * 1e-3, scan["range_min_km"], scan["range_max_km"]),
    ):
        if low is not None:
            seen &= value >= low
        if high is not None:
            seen &= value <= high
    return seen


def _free_of_earth(satellite: Floats, at: Floats) -> NDArray[np.bool_]:
    """Whether the straight lines between rows of two arrays (ecef, m) stay outside the ellipsoid."""
    scale = np.array([1.0 / A, 1.0 / A, 1.0 / B])
    p, q = at * scale, satellite * scale
    d = q - p
    along = -(p[:, 0] * d[:, 0] + p[:, 1] * d[:, 1] + p[:, 2] * d[:, 2])
    along = np.clip(along / (d[:, 0] ** 2 + d[:, 1] ** 2 + d[:, 2] ** 2), 0.0, 1.0)
    nearest = p + along[:, None] * d
    squared = nearest[:, 0] ** 2 + nearest[:, 1] ** 2 + nearest[:, 2] ** 2
    return np.asarray((squared >= 1.0) | (along == 0.0))


def first_look(scans: pa.Table, truth: pa.Table, cloud_top_m: float = 0.0) -> float | None:
    """Earliest time (s since the epoch) at which a scan of one sensor could have held one object; None if none could.

    ``scans``: rows of one sensor; ``truth``: rows of one object, a second apart; ``cloud_top_m``: for infrared sensors.
    The time is that of the first true position in view while a scan was under way.
    """
    up = scans.filter(pc.not_equal(scans["status"], scalar("silent")))
    if up.num_rows == 0 or truth.num_rows == 0:
        return None
    t = _column(truth, "t_s")
    at = _positions(_column(truth, "lat_deg"), _column(truth, "lon_deg"), _column(truth, "height_km"))
    order = np.argsort(_column(up, "t1_s"), kind="stable")
    t0, t1 = _column(up, "t0_s")[order], _column(up, "t1_s")[order]
    if up["sensor_kind"][0].as_py() == "radar":
        seen = _in_radar(up.slice(0, 1).to_pylist()[0], at)
    else:
        track = _positions(*(_column(up, f"platform_{c}")[order] for c in ("lat_deg", "lon_deg", "height_km")))
        satellite = np.stack([np.interp(t, t0, track[:, i]) for i in range(3)], axis=1)
        burning = np.asarray(values(pc.equal(truth["phase"], scalar("boost"))))
        seen = burning & (_column(truth, "height_km") * 1e3 >= cloud_top_m) & _free_of_earth(satellite, at)
    for moment in t[seen]:
        k = int(np.searchsorted(t1, moment, side="left"))
        if k == len(t1):
            return None
        if t0[k] <= moment:
            return float(moment)
    return None
