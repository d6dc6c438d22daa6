"""Evidence: for each sensor of a pipeline whether it agrees, disagrees, or could not have looked yet, and from when it
could.

All of it is reckoned from what a centre has: the scans as sent (empty ones too), the declared sensors, and its own best
trajectory, by the same physics as the sensors work by (``dynamics.signals``): Swerling case, loss off the boresight,
terrain and fence; cloud, limb, trough and the Sun. "Disagrees" is not silence: it is silence of a sensor that would
have seen the object, by its declared performance, with 99 % probability in the scans it has reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to
from tocsin.dynamics.orbit import orbit_states
from tocsin.dynamics.signals import against_space, blinded, chance, dimmed, sees
from tocsin.earth.frames import OMEGA_GMST, ecef_from_eci, theta_at, to_ecef
from tocsin.earth.geodesics import inverse
from tocsin.earth.jit import kernel
from tocsin.earth.sun import sun_positions
from tocsin.earth.wgs84 import ecef_of, ecef_to_geodetic, enu_axes
from tocsin.records.columns import Region, Status, Table
from tocsin.records.shapes import Evidence
from tocsin.scenario.specs import Infrared, OverHorizon, Radar, Sensor

DISAGREE_LOG = math.log(0.01)
MUST_SEE = 0.999  # a look that detects a plume this surely and finds none says that the burning has ended
_AHEAD_STEP_NS = 10_000_000_000


def in_sector(azimuth: float, start: float, end: float) -> bool:
    """Whether an azimuth lies in the sector clockwise from ``start`` to ``end`` (equal: all round); rad."""
    width = (end - start) % (2.0 * math.pi)
    return width == 0.0 or (azimuth - start) % (2.0 * math.pi) <= width


def tells_burning(sensor: Sensor) -> bool:
    """Whether its detections mean that something burns: of a sensor that sees warm bodies too they need not."""
    return isinstance(sensor.model, Infrared) and sensor.model.least_body == 0.0


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


def look_snr(radar: Radar, distance: float, azimuth: float, elevation: float, rcs: float, near: float = 0.0) -> float:
    """Mean SNR (a ratio) of one look: the declared reference range, loss off the nearest boresight (its cosine cubed).

    ``near``: angle (rad) by which the direction may be off; the best of it counts.
    """
    off = 1.0
    if radar.boresights:
        east, north = math.cos(elevation) * math.sin(azimuth), math.cos(elevation) * math.cos(azimuth)
        up = math.sin(elevation)
        off = max(
            math.cos(el) * (math.sin(az) * east + math.cos(az) * north) + math.sin(el) * up
            for az, el in radar.boresights
        )
        if near > 0.0:
            off = math.cos(max(math.acos(max(-1.0, min(1.0, off))) - near, 0.0))
    return radar.reference_snr * rcs * (radar.reference_range / distance) ** 4 * max(off, 0.0) ** 3


def single_look(radar: Radar, snr: float) -> float:
    """Probability that one look at a mean SNR detects, for the declared Swerling case and false-alarm probability."""
    return float(chance(radar.swerling, snr, -math.log(radar.pfa)))


def over_terrain(terrain: tuple[tuple[float, float], ...], azimuth: float, elevation: float) -> bool:
    """Whether a direction clears the declared terrain: least elevations by azimuth, linear between them all round."""
    if not terrain:
        return True
    rows = np.array(sorted((a % (2.0 * math.pi), e) for a, e in terrain))
    return elevation >= float(np.interp(azimuth, rows[:, 0], rows[:, 1], period=2.0 * math.pi))


class Sky(NamedTuple):
    """When time zero was: the sidereal angle (rad) and UTC (ns since 1970), which says where the Sun stands."""

    theta0: float
    unix_ns: int


@dataclass(frozen=True)
class Shown:
    """What a centre believes that an object shows: cross-section (m2), whether it burns, plume (W/sr) with its trough
    (heights m, factor; empty: none), warmth of its body (W/sr).
    """

    rcs: float
    burning: bool
    intensity: float
    trough: tuple[float, ...] = ()
    warm: float = 0.0


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
    sky: Sky,
    shown: Shown,
) -> None:
    """Enter the newest scans into ``watch``.

    ``found``: sensors among them that contributed a detection; ``x_eci``: best state at ``t_ns`` (6,), carried to when
    each scan looked: its middle, or its end where a satellite stares.
    """
    for row in scans:
        n = int(row["sensor"])
        sensor = sensors.get(n)
        if sensor is None:
            continue
        model = sensor.model
        looked = watch.looked.setdefault(n, Looked())
        if n in found:
            looked.detections += 1
            looked.looks += 1
            looked.log_missed = 0.0
            continue
        when = (int(row["t0_ns"]) + int(row["t1_ns"])) // 2
        if isinstance(model, Infrared) and model.staring:
            when = int(row["t1_ns"]) - 1
        here = _carried(x_eci, t_ns / 1e9, when / 1e9, sky.theta0)
        if isinstance(model, Infrared) and watch.seen_ns is not None and int(row["t0_ns"]) > watch.seen_ns:
            lit = replace(shown, burning=True, warm=0.0)
            if look_probability(sensor, here, when, sky, lit, row) > MUST_SEE:
                watch.gone_ns = min(watch.gone_ns or int(row["t1_ns"]), int(row["t1_ns"]))
            # what has burnt out cannot be seen again: such a miss says nothing against the warning
            if not (model.least_body > 0.0 and shown.warm > 0.0 and watch.gone_ns is not None):
                continue
        p = look_probability(sensor, here, when, sky, shown, row)
        if p > 0.0:
            looked.looks += 1
            looked.log_missed += math.log1p(-min(p, 1.0 - 1e-9))


def look_probability(
    sensor: Sensor, here: NDArray[np.float64], t_ns: int, sky: Sky, shown: Shown, row: Any = None
) -> float:
    """Probability that one look of ``sensor`` at ``t_ns`` detects an object ``here`` (3,) ecef; 0 where it cannot look.

    ``row``: the scan as sent, whose limits, sensitivity and status count; without it the declared ones do.
    """
    model = sensor.model
    if row is not None and (int(row["status"]) == Status.SILENT or not float(row["sensitivity"]) > 0.0):
        return 0.0
    if isinstance(model, Radar):
        return _radar_probability(model, here, shown.rcs, row)
    if isinstance(model, OverHorizon):
        return _over_horizon_probability(model, here, shown.rcs, row)
    gain = 1.0 if row is None else model.least_intensity / float(row["sensitivity"])
    return _infrared_probability(model, here, t_ns, sky, shown, gain)


def _radar_probability(model: Radar, here: NDArray[np.float64], rcs: float, row: Any) -> float:
    low, high = model.fence if model.fence is not None else (model.el_min, model.el_max)
    limits = (
        (model.sector[0], model.sector[1], low, high, model.range_min, model.range_max)
        if row is None or int(row["region"]) != Region.SECTOR
        else tuple(float(row[k]) for k in ("az_from", "az_to", "el_min", "el_max", "range_min", "range_max"))
    )
    r, azimuth, elevation = look_angles(here, model.lat, model.lon, model.h)
    if not (
        in_sector(azimuth, limits[0], limits[1])
        and limits[2] <= elevation <= limits[3]
        and limits[4] <= r <= limits[5]
        and over_terrain(model.terrain, azimuth, elevation)
    ):
        return 0.0
    if row is not None:  # as sensitive as it says it was in this scan
        rcs *= (float(row["sensitivity"]) / model.reference_range) ** 4
    snr = look_snr(model, r, azimuth, elevation, rcs)
    return single_look(model, snr) if snr > 0.0 else 0.0


def _over_horizon_probability(model: OverHorizon, here: NDArray[np.float64], rcs: float, row: Any) -> float:
    """Where the ionosphere carries (a scan in which it does not says so, by a sensitivity of nought)."""
    lat, lon, h = (float(v) for v in ecef_to_geodetic(here))
    if not 0.0 <= h <= model.greatest_height:
        return 0.0
    ground, _, _ = inverse(model.lat, model.lon, lat, lon)
    _, azimuth, _ = look_angles(here, model.lat, model.lon, model.h)
    if not (model.range_min <= ground <= model.range_max and in_sector(azimuth, *model.sector)):
        return 0.0
    snr = model.reference_snr * rcs / model.reference_rcs * (model.reference_range / ground) ** 4
    if row is not None:
        snr *= (float(row["sensitivity"]) * model.reference_rcs**0.25 / model.reference_range) ** 4
    p = float(chance(1, snr, -math.log(model.pfa)))
    return p if row is not None else model.availability * p


def _infrared_probability(
    model: Infrared, here: NDArray[np.float64], t_ns: int, sky: Sky, shown: Shown, gain: float
) -> float:
    if not (shown.burning or (model.least_body > 0.0 and shown.warm > 0.0)):
        return 0.0
    eci = orbit_states(model.orbit, np.array([t_ns], dtype=np.int64))[0, :3]
    platform = to_ecef(eci, theta_at(sky.theta0, t_ns))
    sx, sy, sz = platform.tolist()
    px, py, pz = here.tolist()
    if model.sun_exclusion > 0.0:
        sun = to_ecef(sun_positions(sky.unix_ns + t_ns)[0], theta_at(sky.theta0, t_ns))
        if blinded(sx, sy, sz, px, py, pz, np.ascontiguousarray(sun), math.cos(model.sun_exclusion)):
            return 0.0
    if shown.burning and sees(sx, sy, sz, px, py, pz, model.cloud_top, model.limb):
        strength = shown.intensity / model.least_intensity
        if shown.trough:
            strength *= dimmed(float(ecef_to_geodetic(here)[2]), *shown.trough)
    elif model.least_body > 0.0 and shown.warm > 0.0 and against_space(sx, sy, sz, px, py, pz, model.limb):
        strength = shown.warm / model.least_body
    else:
        return 0.0
    distance = float(np.linalg.norm(platform - here))
    snr = gain * model.threshold_snr * strength * (model.reference_distance / distance) ** 2
    return 0.5 * math.erfc((model.threshold_snr - snr) / math.sqrt(2.0))  # unit noise on the signal


def could_from(
    sensor: Sensor,
    x_eci: NDArray[np.float64],
    t_ns: int,
    until_ns: int,
    sky: Sky,
    shown: Shown,
    burning_until_ns: int,
    path: dict[int, NDArray[np.float64]] | None = None,
) -> int | None:
    """First time from ``t_ns`` at which a look of ``sensor`` would detect with at least one half; None if never until
    ``until_ns``. ``path``: positions by time, kept for the next sensor.
    """
    path = {} if path is None else path
    lit, dark = replace(shown, burning=True), replace(shown, burning=False)
    t = t_ns
    while t <= until_ns:
        if t not in path:
            path[t] = _carried(x_eci, t_ns / 1e9, t / 1e9, sky.theta0)
        if look_probability(sensor, path[t], t, sky, lit if t <= burning_until_ns else dark) >= 0.5:
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
    sky: Sky,
    shown: Shown,
    burning_until_ns: int,
) -> tuple[Evidence, ...]:
    """The evidence of all of a pipeline's sensors, in order of their numbers."""
    rows = []
    path: dict[int, NDArray[np.float64]] = {}
    for n, sensor in sorted(sensors.items()):
        looked = watch.looked.get(n, Looked())
        kind = str(sensor.model.__struct_config__.tag)
        if looked.detections > 0:
            rows.append(Evidence(kind, sensor.id, "agrees", None, (nation,), looked.looks, looked.detections))
        elif looked.log_missed < DISAGREE_LOG:
            rows.append(Evidence(kind, sensor.id, "disagrees", None, (nation,), looked.looks))
        else:
            when = None
            if x_eci is not None:
                when = could_from(sensor, x_eci, t_ns, until_ns, sky, shown, burning_until_ns, path)
            rows.append(Evidence(kind, sensor.id, "not_yet", when, (nation,), looked.looks))
    return tuple(rows)
