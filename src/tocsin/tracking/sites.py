"""Declared sensors as the tracker's kernels want them: strengths, waits, and where false detections fall."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_ns
from tocsin.earth.wgs84 import A, geodetic_to_ecef
from tocsin.records.columns import Kind
from tocsin.scenario.specs import Infrared, OverHorizon, Radar, Sensor
from tocsin.tracking import life as lf
from tocsin.tracking.belief import Belief, Prior
from tocsin.tracking.measure import Looks
from tocsin.tracking.settings import Declared, Settings

_RATE_WIDTH = 16_000.0  # m/s: the span of range rates in which false detections fall
_NONE_FALSE = 1e-3  # a scan that declares no false detections is granted this many: nobody is perfect


@dataclass(frozen=True)
class Site:
    """A declared sensor.

    ``n``: its number; ``column``: its place among the tracker's sensors; ``place``: of one that has a chart to keep
    (ecef; eci if it ``rests`` in space); ``period_ns``; ``wait_ns``: how old its newest look may be while all is well;
    ``row``: for ``life.expected``, strengths at sensitivity 1; ``faces`` (k, 3): boresights in its axes; ``prior``: of
    a plume first seen by it; ``ln_pd``: of the detection probability in view.
    """

    n: int
    column: int
    place: NDArray[np.float64] | None
    period_ns: int
    wait_ns: int
    row: NDArray[np.float64]
    faces: NDArray[np.float64]
    prior: Prior | None
    ln_pd: float
    rests: bool = False

    @property
    def chart(self) -> int:
        """The chart it keeps (a u8 in records), 0 for none."""
        return self.n + 1 if self.place is not None and self.n < 255 else 0


def site_of(sensor: Sensor | Declared, column: int, belief: Belief, settings: Settings) -> Site:
    """The site of a declared sensor."""
    row = np.zeros(lf.SENSOR)
    none = np.zeros((0, 3))
    ln_pd = math.log(settings.detection_probability)
    if isinstance(sensor, Declared):
        ln_pd = math.log(sensor.detection_probability)
        row[lf.S_DECLARED], row[lf.S_PLUME] = sensor.detection_probability, float(sensor.plume)
        at = sensor.place or sensor.rest
        place, rests = None if at is None else np.array(at), sensor.rest is not None
        wait = sensor.period_ns + sensor.latency_ns
        prior = belief.first_seen(0.0, sensor.period_ns / 1e9) if sensor.plume else None
        return Site(sensor.n, column, place, sensor.period_ns, wait, row, none, prior, ln_pd, rests)
    model = sensor.model
    period_ns = to_ns(model.scan_period)
    wait = period_ns + to_ns(model.latency)
    if isinstance(model, Infrared):
        row[lf.S_INFRARED] = 1.0
        row[lf.S_THRESHOLD] = model.threshold_snr
        row[lf.S_CLOUD], row[lf.S_LIMB] = model.cloud_top, model.limb
        row[lf.S_STARING] = float(model.staring)
        # over the least intensity, which the scan declares
        row[lf.S_BOOST] = model.threshold_snr * model.reference_distance**2 * belief.intensity
        prior = belief.first_seen(model.cloud_top, model.scan_period)
        return Site(sensor.n, column, None, period_ns, wait, row, none, prior, ln_pd)
    row[lf.S_THRESHOLD] = -math.log(model.pfa)
    # times the fourth power of the range at 1 m2, which the scan declares
    row[lf.S_BOOST] = model.reference_snr * belief.rcs_boost
    row[lf.S_COAST] = model.reference_snr * belief.rcs
    row[lf.S_SWERLING] = 1.0
    if isinstance(model, OverHorizon):
        return Site(sensor.n, column, None, period_ns, wait, row, none, None, ln_pd)
    row[lf.S_SWERLING] = model.swerling
    faces = [(math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)) for a, e in model.boresights]
    place = _place(model)
    return Site(sensor.n, column, place, period_ns, wait, row, np.array(faces).reshape(-1, 3), None, ln_pd)


def _place(model: Radar) -> NDArray[np.float64]:
    return np.asarray(geodetic_to_ecef([model.lat, model.lon, model.h]), dtype=np.float64)


def false_density(site: Site, scan: np.void, looks: Looks) -> tuple[NDArray[np.float64], float]:
    """ln of the density of false detections at each measurement (k,), and the score that a seed begins with: ln of how
    many new objects a look brings against how many false detections.
    """
    mean = max(float(scan["clutter"]), _NONE_FALSE)
    turn = 2.0 * math.pi
    azimuth = float(scan["az_to"] - scan["az_from"]) % turn or turn
    span = max(float(scan["range_max"] - scan["range_min"]), 1.0)
    declared = site.row[lf.S_DECLARED] > 0.0
    lowest = float(scan["el_min"]) if declared else max(float(scan["el_min"]), 0.0)
    lines = max(math.sin(float(scan["el_max"])) - math.sin(lowest), 1e-3)
    if declared:
        solid = azimuth * lines
    else:
        # over the disc of the Earth, even by solid angle
        p = scan["platform"]
        r = math.sqrt(float(p[0]) ** 2 + float(p[1]) ** 2 + float(p[2]) ** 2)
        solid = max(turn * (1.0 - math.sqrt(max(1.0 - (A / max(r, A)) ** 2, 0.0))), 1e-3)
    density = np.full(len(looks.kind), 1.0 / (math.pi * max(float(scan["range_max"]), 1.0) ** 2))
    los, ra = looks.kind == Kind.LOS, looks.kind == Kind.RA
    ranged = (looks.kind == Kind.RAE) | (looks.kind == Kind.RAER)
    density[los] = np.maximum(np.cos(looks.z[los, 1]), 1e-3) / solid
    density[ranged] = np.maximum(np.cos(looks.z[ranged, 2]), 1e-3) / (span * azimuth * lines)
    density[looks.kind == Kind.RAER] /= _RATE_WIDTH
    density[ra] = 1.0 / (span * azimuth)
    start = min(math.log(lf.START_PER_S * max(site.period_ns, 1) / 1e9 / mean), 0.0)
    return np.log(mean * density), start


def as_looked(site: Site, scan: np.void) -> lf.Scan:
    """A scan's row as ``life`` wants it: what was looked at, from where, how well."""
    row = site.row.copy()
    sensitivity = max(float(scan["sensitivity"]), 1e-9)
    if row[lf.S_INFRARED] > 0.0:
        row[lf.S_BOOST] /= sensitivity
    else:
        row[lf.S_BOOST] *= sensitivity**4
        row[lf.S_COAST] *= sensitivity**4
    limits = np.array([float(scan[n]) for n in ("az_from", "az_to", "el_min", "el_max", "range_min", "range_max")])
    return lf.Scan(
        int(scan["region"]),
        np.array(scan["platform"], dtype=np.float64),
        np.array(scan["attitude"], dtype=np.float64),
        limits,
        int(scan["t0_ns"]) / 1e9,
        int(scan["t1_ns"]) / 1e9,
        row,
        site.faces,
    )
