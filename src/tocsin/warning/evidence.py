"""Evidence: for each sensor of a pipeline whether it agrees, disagrees, or could not have looked yet, and from when it
could.

All of it is reckoned from what a centre has: the scans as sent (empty ones too), the declared sensors, and its own best
trajectory. "Disagrees" is not silence: it is silence of a sensor that would have seen the object, by its declared
performance, with 99 % probability in the scans it has reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to
from tocsin.dynamics.orbit import orbit_states
from tocsin.earth.frames import OMEGA_GMST, ecef_from_eci, theta_at, to_ecef
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import A, B, ecef_of, ecef_to_geodetic, enu_axes
from tocsin.records.columns import Region, Table
from tocsin.records.shapes import Evidence
from tocsin.scenario.specs import Infrared, OverHorizon, Radar, Sensor

DISAGREE_LOG = math.log(0.01)
MUST_SEE = 0.999  # a look that detects a plume this surely and finds none says that the burning has ended
_AHEAD_STEP_NS = 10_000_000_000


def in_sector(azimuth: float, start: float, end: float) -> bool:
    """Whether an azimuth lies in the sector clockwise from ``start`` to ``end`` (equal: all round); rad."""
    width = (end - start) % (2.0 * math.pi)
    return width == 0.0 or (azimuth - start) % (2.0 * math.pi) <= width


@kernel
def look_angles(position: NDArray[np.float64], lat: float, lon: float, h: float) -> tuple[float, float, float]:
    """Range (m), azimuth from north clockwise and geometric elevation (rad) of an ecef point (3,) from a site."""
    x, y, z = ecef_of(lat, lon, h)
    axes = enu_axes(lat, lon)
    dx, dy, dz = position[0] - x, position[1] - y, position[2] - z
    east = axes[0, 0] * dx + axes[0, 1] * dy + axes[0, 2] * dz
    north = axes[1, 0] * dx + axes[1, 1] * dy + axes[1, 2] * dz
    up = axes[2, 0] * dx + axes[2, 1] * dy + axes[2, 2] * dz
    r = math.sqrt(dx * dx + dy * dy + dz * dz)
    azimuth = math.atan2(east, north)
    if azimuth < 0.0:
        azimuth += 2.0 * math.pi
    return r, azimuth, math.asin(max(-1.0, min(1.0, up / r)))


@kernel
def _carried(x: NDArray[np.float64], t0: float, t1: float, theta0: float) -> NDArray[np.float64]:
    """Ecef position (3,) of a free flight from ``t0`` (s) at ``t1``."""
    at = np.empty(6)
    coast_to(x, t0, t1, theta0, -1.0, at)
    out = np.empty(6)
    ecef_from_eci(at, theta0 + OMEGA_GMST * t1, out)
    return out[:3].copy()


def line_is_free(a: NDArray[np.float64], b: NDArray[np.float64], margin: float) -> bool:
    """Whether the straight line between two points (ecef, m) stays ``margin`` m outside the ellipsoid."""
    scale = np.array([1.0 / (A + margin), 1.0 / (A + margin), 1.0 / (B + margin)])
    p, q = a * scale, b * scale
    d = q - p
    along = -float(p @ d) / float(d @ d)
    nearest = p + min(1.0, max(0.0, along)) * d
    return float(nearest @ nearest) >= 1.0


def detection_probability(radar: Radar, distance: float, rcs: float) -> float:
    """Swerling 1 in one look: pfa ** (1 / (1 + snr)), snr from the declared reference range."""
    snr = radar.reference_snr * rcs * (radar.reference_range / distance) ** 4
    return float(radar.pfa ** (1.0 / (1.0 + snr)))


@dataclass
class Looked:
    """What one sensor has been able to say of one warning so far."""

    log_missed: float = (
        0.0  # log probability of all silent looks since the last detection, if the object is what we think
    )
    detections: int = 0
    looks: int = 0


@dataclass
class Watch:
    """All sensors' looks at one warning."""

    looked: dict[int, Looked] = field(default_factory=dict)
    seen_ns: int | None = None  # newest infrared detection
    gone_ns: int | None = None  # end of the first infrared scan after it that must have seen a plume and did not
    intensity: float = 0.0  # W/sr as measured, 0 before

    def note_plume(self, seen_ns: int, intensity: float) -> None:
        """The newest infrared detection; a plume seen after it was taken to be gone is not gone."""
        self.seen_ns, self.intensity = seen_ns, intensity
        if self.gone_ns is not None and self.gone_ns <= seen_ns:
            self.gone_ns = None

    def note_detection(self, sensor: int) -> None:
        """A sensor that has contributed to the track."""
        looked = self.looked.setdefault(sensor, Looked())
        looked.detections = max(1, looked.detections)

    def state(self) -> dict[str, Any]:
        """Plain data; looks as rows of sensor, log_missed, detections, looks."""
        rows = [[n, s.log_missed, s.detections, s.looks] for n, s in sorted(self.looked.items())]
        return {"looked": rows, "seen_ns": self.seen_ns, "gone_ns": self.gone_ns, "intensity": self.intensity}

    @classmethod
    def of(cls, state: dict[str, Any]) -> Watch:
        """From plain data."""
        looked = {int(r[0]): Looked(float(r[1]), int(r[2]), int(r[3])) for r in state["looked"]}
        return cls(looked, state["seen_ns"], state["gone_ns"], float(state["intensity"]))


def note_scans(
    watch: Watch,
    sensors: dict[int, Sensor],
    scans: Table,
    found: NDArray[np.uint16],
    x_eci: NDArray[np.float64],
    t_ns: int,
    theta0: float,
    rcs: float,
    burning: bool,
    intensity: float,
) -> None:
    """Enter the newest scans into ``watch``.

    ``found``: sensors among them that contributed a detection; ``x_eci``: best state at ``t_ns`` (6,), carried to each
    scan's middle; ``rcs`` (m2), ``burning``, ``intensity`` (W/sr): what the centre believes the object shows.
    """
    for row in scans:
        n = int(row["sensor"])
        sensor = sensors.get(n)
        if sensor is None:
            continue
        looked = watch.looked.setdefault(n, Looked())
        if n in found:
            looked.detections += 1
            looked.looks += 1
            looked.log_missed = 0.0
            continue
        middle_ns = (int(row["t0_ns"]) + int(row["t1_ns"])) // 2
        here = _carried(x_eci, t_ns / 1e9, middle_ns / 1e9, theta0)
        if isinstance(sensor.model, Infrared) and watch.seen_ns is not None and int(row["t0_ns"]) > watch.seen_ns:
            if look_probability(sensor, here, middle_ns, theta0, rcs, True, intensity, row) > MUST_SEE:
                watch.gone_ns = min(watch.gone_ns or int(row["t1_ns"]), int(row["t1_ns"]))
            continue  # what has burnt out cannot be seen again: such a miss says nothing against the warning
        p = look_probability(sensor, here, middle_ns, theta0, rcs, burning, intensity, row)
        if p > 0.0:
            looked.looks += 1
            looked.log_missed += math.log1p(-min(p, 1.0 - 1e-9))


def look_probability(
    sensor: Sensor,
    here: NDArray[np.float64],
    t_ns: int,
    theta0: float,
    rcs: float,
    burning: bool,
    intensity: float,
    row: Any = None,
) -> float:
    """Probability that one look of ``sensor`` at ``t_ns`` detects an object ``here`` (3,) ecef; 0 where it cannot look.

    ``row``: the scan as sent, whose limits and sensitivity count; without it the declared ones do.
    """
    model = sensor.model
    if isinstance(model, Radar):
        limits = (
            (model.sector[0], model.sector[1], model.el_min, model.el_max, model.range_min, model.range_max)
            if row is None or int(row["region"]) != Region.SECTOR
            else tuple(float(row[k]) for k in ("az_from", "az_to", "el_min", "el_max", "range_min", "range_max"))
        )
        r, azimuth, elevation = look_angles(here, model.lat, model.lon, model.h)
        if not (
            in_sector(azimuth, limits[0], limits[1])
            and limits[2] <= elevation <= limits[3]
            and limits[4] <= r <= limits[5]
        ):
            return 0.0
        if row is not None:  # as sensitive as it says it was in this scan
            rcs *= (float(row["sensitivity"]) / model.reference_range) ** 4
        return detection_probability(model, r, rcs)
    if isinstance(model, OverHorizon):
        return 0.0  # it sees what flies low, and no missile for long
    if row is not None:
        intensity *= model.least_intensity / float(row["sensitivity"])
    return _infrared_probability(model, here, t_ns, theta_at(theta0, t_ns), burning, intensity)


def _infrared_probability(
    model: Infrared, here: NDArray[np.float64], t_ns: int, theta: float, burning: bool, intensity: float
) -> float:
    if not burning:
        return 0.0
    platform = to_ecef(orbit_states(model.orbit, np.array([t_ns], dtype=np.int64))[0, :3], theta)
    if float(ecef_to_geodetic(here)[2]) < model.cloud_top or not line_is_free(platform, here, 0.0):
        return 0.0
    distance = float(np.linalg.norm(platform - here))
    snr = model.threshold_snr * intensity / model.least_intensity * (model.reference_distance / distance) ** 2
    return 0.5 * math.erfc((model.threshold_snr - snr) / math.sqrt(2.0))  # unit noise on the signal


def could_from(
    sensor: Sensor,
    x_eci: NDArray[np.float64],
    t_ns: int,
    until_ns: int,
    theta0: float,
    rcs: float,
    burning_until_ns: int,
    intensity: float,
) -> int | None:
    """First time from ``t_ns`` at which a look of ``sensor`` would detect with at least one half; None if never until
    ``until_ns``.
    """
    t = t_ns
    while t <= until_ns:
        here = _carried(x_eci, t_ns / 1e9, t / 1e9, theta0)
        if look_probability(sensor, here, t, theta0, rcs, t <= burning_until_ns, intensity) >= 0.5:
            return t
        t += _AHEAD_STEP_NS
    return None


def collect(
    watch: Watch,
    sensors: dict[int, Sensor],
    nation: str,
    x_eci: NDArray[np.float64] | None,
    t_ns: int,
    until_ns: int,
    theta0: float,
    rcs: float,
    burning_until_ns: int,
    intensity: float,
) -> tuple[Evidence, ...]:
    """The evidence of all of a pipeline's sensors, in order of their numbers."""
    rows = []
    for n, sensor in sorted(sensors.items()):
        looked = watch.looked.get(n, Looked())
        kind = str(sensor.model.__struct_config__.tag)
        if looked.detections > 0:
            rows.append(Evidence(kind, sensor.id, "agrees", None, (nation,)))
        elif looked.log_missed < DISAGREE_LOG:
            rows.append(Evidence(kind, sensor.id, "disagrees", None, (nation,)))
        else:
            when = None
            if x_eci is not None:
                when = could_from(sensor, x_eci, t_ns, until_ns, theta0, rcs, burning_until_ns, intensity)
            rows.append(Evidence(kind, sensor.id, "not_yet", when, (nation,)))
    return tuple(rows)
