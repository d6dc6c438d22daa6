"""An infrared satellite: a scanner that sweeps the Earth from limb to limb in one revisit, and all of them scan by
scan.

Left out, and so said wherever results are shown: the scene (clouds are a height under which nothing is seen, sunlight
and fires are only a mean number of false detections), the plume's aspect and trough, the atmosphere above the cloud
tops, staring modes, a pointing error shared by the detections of a scan.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.orbit import orbit_states
from tocsin.earth import wgs84
from tocsin.earth.clock import to_ns
from tocsin.earth.random import stream_key
from tocsin.records.columns import Kind, Region
from tocsin.scenario.specs import Infrared, Sensor
from tocsin.sensing import infrared_kernels as k
from tocsin.sensing.kernels import false_counts
from tocsin.sensing.scanning import Aspect, Due, Found, Sensed, look, scan_table, tables
from tocsin.sensing.targets import Targets

VIEW_HEIGHT = 1_000_000.0  # m: plumes are watched up to here above the limb


def view_attitude(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Attitude ``(k, 9)`` of satellites at ``x (k, 6)``: row 1 towards nadir (the Earth's centre), row 2 along the
    orbit's normal.

    Row 0 = row 1 x row 2 completes them, so that nadir has azimuth and elevation 0, and from a geostationary orbit
    azimuth grows to the east and elevation to the north.
    """
    out = np.empty((len(x), 3, 3))
    for row, s in zip(out, x, strict=True):
        down = -s[:3] / math.sqrt(s[0] * s[0] + s[1] * s[1] + s[2] * s[2])
        normal = np.cross(s[:3], s[3:])
        normal /= math.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2])
        row[0], row[1], row[2] = np.cross(down, normal), down, normal
    return out.reshape(-1, 9)


def view_limits(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Limits ``(k, 6)`` of the view from ``x (k, 6)``: wherever anything under ``VIEW_HEIGHT`` may be seen."""
    top = wgs84.A + VIEW_HEIGHT
    r = np.sqrt(x[:, 0] ** 2 + x[:, 1] ** 2 + x[:, 2] ** 2)
    half = np.arcsin(np.minimum(top / r, 1.0))
    far = np.sqrt(np.maximum(r**2 - wgs84.B**2, 0.0)) + math.sqrt(top**2 - wgs84.B**2)
    return np.stack((-half, half, -half, half, np.maximum(r - top, 0.0), far), axis=1)


class InfraredSatellites:
    """All infrared satellites of a world."""

    def __init__(self, sensors: Sequence[Sensor], theta0: float, seed: int) -> None:
        del theta0  # orbits are given in eci already
        models: list[Infrared] = []
        for sensor in sensors:
            if not isinstance(sensor.model, Infrared):
                raise TypeError(f"{sensor.id} is not an infrared satellite")
            orbit_states(sensor.model.orbit, np.zeros(1, dtype=np.int64))  # refuses what is no ellipse
            models.append(sensor.model)
        self._models = models
        self._numbers = np.array([s.n for s in sensors], dtype=np.uint16)
        self._keys = np.array([stream_key(seed, f"sensor:{s.id}", "detection") for s in sensors], dtype=np.uint64)
        self._false_keys = np.array(
            [stream_key(seed, f"sensor:{s.id}", "false detection") for s in sensors], dtype=np.uint64
        )
        par = np.zeros((len(models), k.INFRARED_PARAMETERS))
        for row, s in zip(par, models, strict=True):
            row[k.I_GAIN] = s.threshold_snr * s.reference_distance**2 / s.least_intensity
            row[k.I_THRESHOLD] = s.threshold_snr
            row[k.I_CLOUD_TOP], row[k.I_LIMB] = s.cloud_top, s.limb
            row[k.I_SIGMA], row[k.I_FLOOR] = s.sigma_pointing, s.sigma_floor
        self._par = par
        self._least = np.array([s.least_intensity for s in models])
        self._false = np.array([s.false_per_scan for s in models], dtype=np.float64)
        self._latency = np.array([to_ns(s.latency) for s in models], dtype=np.int64)

    def aspect(self, due: Due) -> Aspect:
        """Where the scans look from."""
        x = np.empty((len(due.which), 6))
        for i, w in enumerate(due.which):
            x[i] = orbit_states(self._models[w].orbit, due.t0[i : i + 1])[0]
        return Aspect(Region.VIEW, x, view_attitude(x), view_limits(x))

    def observe(self, due: Due, targets: Targets) -> Sensed:
        """Carry out the scans due."""
        aspect = self.aspect(due)
        which = due.which
        gain = due.gain()
        par = self._par[which]
        par[:, k.I_GAIN] *= gain

        looks = look(aspect, due, targets, targets.burning)
        found = Found.room(looks.scan, looks.row, looks.t)
        hit = k.infrared_detect(
            Region.VIEW, self._keys[which], due.t0, aspect.platform, aspect.attitude, aspect.limits, par,
            looks.scan, looks.row, looks.t, looks.x, targets.keys,
            targets.burn_start, targets.burn_t, targets.burn_intensity,
            found.z, found.cov, found.snr, found.intensity,
        )  # fmt: skip
        keys = self._false_keys[which]
        false, number = Found.false(false_counts(keys, due.t0, self._false[which]))
        k.infrared_false(
            Region.VIEW, keys, due.t0, due.t1, aspect.platform, aspect.attitude, aspect.limits, par,
            false.scan, number, false.t, false.z, false.cov, false.snr, false.intensity,
        )  # fmt: skip
        scans = scan_table(
            due,
            aspect,
            self._numbers[which],
            self._latency[which],
            self._least[which] / due.declared_gain(),
            self._false[which],
        )
        kind = np.full(len(which), Kind.LOS, dtype=np.uint8)
        return tables(scans, kind, np.full(len(which), 0b11, dtype=np.uint8), found.take(hit) + false)
