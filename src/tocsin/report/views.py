"""When a sensor could have looked: the true position against the sensor's declared limits.

For a radar: azimuth sector, elevation limits, instrumented range; elevation as a radar meets it, with rays bent as
over an Earth of 4/3 radius; no word on whether the echo would have been strong enough. For an infrared satellite: the
object burns, stands above the cloud top, and the Earth is not in the way. Positions are Earth-fixed metres, angles
rad, times s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.wgs84 import R_MEAN, A, B, enu_axes

Floats = NDArray[np.float64]

# why it could not look, in the order in which the question is asked
SEEN = "in view"
NOT_BURNING = "not burning"
UNDER_CLOUD = "below the cloud top"
HIDDEN = "behind the Earth"
BELOW = "below its lowest elevation"
ABOVE = "above its highest elevation"
SIDE = "outside its sector"
FAR = "beyond its range"


@dataclass(frozen=True)
class Site:
    """Where a sensor is and what it may look at: rows over time (one for a radar would do), limits from its scans
    (nan: none).
    """

    kind: str
    t: Floats
    ecef: Floats
    lat: Floats
    lon: Floats
    h: Floats
    azimuth: tuple[float, float]
    elevation: tuple[float, float]
    range: tuple[float, float]
    cloud_top: float

    @property
    def all_round(self) -> bool:
        """Whether there is no limit in azimuth."""
        a, b = self.azimuth
        return not math.isfinite(a) or abs((b - a) % (2 * math.pi)) < 1e-9


@dataclass(frozen=True)
class View:
    """Spans ``(from_s, to_s, why)`` that cover the flight; ``why`` is ``SEEN`` or what stood in the way."""

    spans: tuple[tuple[float, float, str], ...]

    @property
    def windows(self) -> list[tuple[float, float]]:
        """The spans in which the sensor could look."""
        return [(a, b) for a, b, why in self.spans if why == SEEN]

    def gaps(self) -> list[tuple[float, float, str]]:
        """What lies between two windows, each with the reason that held longest."""
        seen = self.windows
        out = []
        for (_, a), (b, _) in pairwise(seen):
            inside = [(min(y, b) - max(x, a), why) for x, y, why in self.spans if why != SEEN and y > a and x < b]
            out.append((a, b, max(inside)[1] if inside else ""))
        return out


def view(site: Site, t: Floats, ecef: Floats, h: Floats, phase: list[str]) -> View:
    """The view of one flight (rows) from ``site``."""
    why = _radar(site, ecef) if site.kind == "radar" else _infrared(site, t, ecef, h, phase)
    change = np.flatnonzero(why[1:] != why[:-1]) + 1
    starts = np.concatenate([[0], change])
    ends = np.concatenate([change, [len(why) - 1]])
    return View(tuple((float(t[a]), float(t[b]), str(why[a])) for a, b in zip(starts, ends, strict=True) if b > a))


def _radar(site: Site, ecef: Floats) -> NDArray[np.str_]:
    axes = enu_axes(float(site.lat[0]), float(site.lon[0]))
    d = ecef - site.ecef[0]
    east, north, up = (d[:, 0] * row[0] + d[:, 1] * row[1] + d[:, 2] * row[2] for row in axes)
    r = np.sqrt(east * east + north * north + up * up)
    azimuth = np.arctan2(east, north)
    elevation = np.arcsin(np.clip(up / np.maximum(r, 1.0), -1.0, 1.0))
    elevation += r * np.cos(elevation) * 0.25 / (2.0 * R_MEAN)
    start, end = site.azimuth
    least, most = site.elevation
    near, far = site.range
    width = (end - start) % (2 * math.pi)
    beside = np.zeros(len(r), dtype=bool) if site.all_round else (azimuth - start) % (2 * math.pi) > width
    return np.select(
        [elevation < (least if math.isfinite(least) else 0.0), elevation > most, beside, (r > far) | (r < near)],
        [BELOW, ABOVE, SIDE, FAR],
        default=SEEN,
    )


def _infrared(site: Site, t: Floats, ecef: Floats, h: Floats, phase: list[str]) -> NDArray[np.str_]:
    at = np.stack([np.interp(t, site.t, site.ecef[:, i]) for i in range(3)], axis=-1)
    # on axes scaled so that the ellipsoid is the unit sphere: the nearest point of the line of sight to the centre
    scale = np.array([1.0 / A, 1.0 / A, 1.0 / B])
    p, q = ecef * scale, at * scale
    d = q - p
    length = np.maximum((d * d).sum(axis=1), 1e-12)
    along = np.clip(-(p * d).sum(axis=1) / length, 0.0, 1.0)
    nearest = p + along[:, None] * d
    hidden = (along > 0.0) & ((nearest * nearest).sum(axis=1) < 1.0)
    burning = np.array([word == "boost" for word in phase])
    return np.select([~burning, h < site.cloud_top, hidden], [NOT_BURNING, UNDER_CLOUD, HIDDEN], default=SEEN)
