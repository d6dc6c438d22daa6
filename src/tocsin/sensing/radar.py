"""A phased-array radar: the radar equation, and all radars of a world scan by scan.

Left out, and so said wherever results are shown: refraction beyond the horizon (directions are those of the straight
line, as if the radar's correction were perfect), registration errors, multipath, clutter other than false alarms of
noise, resolution (two objects in one cell are still two detections), the radar's time budget, waveforms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth import wgs84
from tocsin.earth.clock import to_ns
from tocsin.earth.frames import theta_at, to_eci
from tocsin.earth.random import stream_key
from tocsin.records.columns import Kind, Region
from tocsin.scenario.specs import Radar, Sensor
from tocsin.sensing import radar_kernels as k
from tocsin.sensing.kernels import false_counts
from tocsin.sensing.scanning import Aspect, Due, Found, Sensed, look, scan_table, tables
from tocsin.sensing.targets import Targets

LIGHT = 299_792_458.0
BOLTZMANN = 1.380649e-23


def aperture_of(gain: float, frequency: float) -> float:
    """Effective aperture (m2) of a power gain ``gain`` (a ratio) at ``frequency`` (Hz): G lambda^2 / 4 pi."""
    return gain * (LIGHT / frequency) ** 2 / (4.0 * math.pi)


def gain_of(aperture: float, frequency: float) -> float:
    """Power gain (a ratio) of an effective aperture (m2) at ``frequency`` (Hz): the inverse of ``aperture_of``."""
    return 4.0 * math.pi * aperture * (frequency / LIGHT) ** 2


def radar_range(
    power: float,
    gain: float,
    aperture: float,
    dwell: float,
    snr: float,
    rcs: ArrayLike = 1.0,
    temperature: float = 290.0,
    loss: float = 1.0,
) -> NDArray[np.float64]:
    """Range (m) at which an object of ``rcs`` (m2, any shape) gives ``snr``: (P G Ae s T / ((4 pi)^2 k Ts L
    SNR))^(1/4).

    ``power`` (W) over ``dwell`` (s): their product is the energy of one look; ``gain`` of transmission, ``loss`` and
    ``snr`` are ratios, ``aperture`` of reception in m2 (effective), ``temperature`` of the system in K. With ``rcs`` 1
    it is a sensor's ``reference_range`` for ``reference_snr = snr``. Source: Skolnik, Radar Handbook, 3rd ed., ch. 1.
    """
    energy = power * dwell * gain * aperture * np.asarray(rcs, dtype=np.float64)
    return np.asarray((energy / ((4.0 * math.pi) ** 2 * BOLTZMANN * temperature * loss * snr)) ** 0.25)


def threshold(pfa: float) -> float:
    """Power over mean noise power that noise alone exceeds with probability ``pfa``."""
    return -math.log(pfa)


def detection_probability(
    radar: Radar, range_m: ArrayLike, rcs: ArrayLike, off_boresight: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Probability that one look detects: pfa^(1 / (1 + SNR)) (Swerling 1), horizon and limits aside.

    Arrays of any shapes that go together: slant range (m), radar cross-section (m2), angle off the nearest boresight
    (rad).
    """
    cos_off = np.maximum(np.cos(np.asarray(off_boresight, dtype=np.float64)), 0.0)
    ratio = radar.reference_range / np.asarray(range_m, dtype=np.float64)
    snr = radar.reference_snr * np.asarray(rcs, dtype=np.float64) * ratio**4 * cos_off**3
    return np.asarray(radar.pfa ** (1.0 / (1.0 + snr)))


class Radars:
    """All radars of a world."""

    def __init__(self, sensors: Sequence[Sensor], theta0: float, seed: int) -> None:
        models: list[Radar] = []
        for sensor in sensors:
            if not isinstance(sensor.model, Radar):
                raise TypeError(f"{sensor.id} is not a radar")
            models.append(sensor.model)
        m = len(models)
        self._theta0 = theta0
        self._numbers = np.array([s.n for s in sensors], dtype=np.uint16)
        self._keys = np.array([stream_key(seed, f"sensor:{s.id}", "detection") for s in sensors], dtype=np.uint64)
        self._false_keys = np.array(
            [stream_key(seed, f"sensor:{s.id}", "false detection") for s in sensors], dtype=np.uint64
        )
        sites = [(r.lat, r.lon, r.h) for r in models]
        self._site = np.zeros((m, 6))  # ecef, at rest
        self._site[:, :3] = wgs84.geodetic_to_ecef(np.array(sites).reshape(m, 3))
        self._axes = np.array([wgs84.enu_axes(r.lat, r.lon) for r in models]).reshape(m, 3, 3)
        self._limits = np.array(
            [(*r.sector, r.el_min, r.el_max, r.range_min, r.range_max) for r in models], dtype=np.float64
        ).reshape(m, 6)
        # the lowest direction with sky behind it: the radio horizon dips by the angle that its ray runs to the ground
        self._horizon = np.array([-float(k.ray_reach(r.h)) / (4.0 / 3.0) for r in models])
        par = np.zeros((m, k.RADAR_PARAMETERS))
        for row, r in zip(par, models, strict=True):
            row[k.R_POWER] = r.reference_snr * r.reference_range**4
            row[k.R_THRESHOLD] = threshold(r.pfa)
            row[k.R_CELL] = LIGHT / (2.0 * r.bandwidth)
            row[k.R_BEAM_AZ], row[k.R_BEAM_EL] = r.beam_az, r.beam_el
            row[k.R_SIGMA_RANGE], row[k.R_SIGMA_ANGLE], row[k.R_SIGMA_RATE] = r.sigma_range, r.sigma_angle, r.sigma_rate
            row[k.R_DOPPLER] = float(r.doppler)
        self._par = par
        self._boresights = [
            np.array(
                [(math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)) for a, e in r.boresights]
            ).reshape(-1, 3)
            for r in models
        ]
        self._reference_range = np.array([r.reference_range for r in models])
        self._false = np.array([r.false_per_scan for r in models], dtype=np.float64)
        self._latency = np.array([to_ns(r.latency) for r in models], dtype=np.int64)
        self._kind = np.array([Kind.RAER if r.doppler else Kind.RAE for r in models], dtype=np.uint8)
        self._mask = np.array([0b1111 if r.doppler else 0b111 for r in models], dtype=np.uint8)

    def aspect(self, due: Due) -> Aspect:
        """Where the scans look from."""
        theta = np.array([theta_at(self._theta0, int(t)) for t in due.t0])
        platform = to_eci(self._site[due.which], theta)
        axes = to_eci(self._axes[due.which].reshape(-1, 3), np.repeat(theta, 3))
        return Aspect(Region.SECTOR, platform, axes.reshape(-1, 9), self._limits[due.which])

    def observe(self, due: Due, targets: Targets) -> Sensed:
        """Carry out the scans due."""
        aspect = self.aspect(due)
        which = due.which
        gain = due.gain()
        par = self._par[which]
        par[:, k.R_POWER] *= gain
        faces = np.concatenate([self._boresights[w] for w in which] or [np.empty((0, 3))])
        face_start = np.zeros(len(which) + 1, dtype=np.int64)
        np.cumsum([len(self._boresights[w]) for w in which], out=face_start[1:])

        looks = look(aspect, due, targets, targets.spans)
        found = Found.room(looks.scan, looks.row, looks.t)
        hit = k.radar_detect(
            self._keys[which], due.t0, aspect.platform, aspect.attitude, aspect.limits, par, faces, face_start,
            looks.scan, looks.row, looks.t, looks.x, targets.keys, targets.rcs, targets.cutoff_ns,
            found.z, found.cov, found.snr,
        )  # fmt: skip
        keys = self._false_keys[which]
        false, number = Found.false(false_counts(keys, due.t0, self._false[which]))
        k.radar_false(
            keys, due.t0, due.t1, aspect.limits, self._horizon[which], par, faces, face_start,
            false.scan, number, false.t, false.z, false.cov, false.snr,
        )  # fmt: skip
        scans = scan_table(
            due,
            aspect,
            self._numbers[which],
            self._latency[which],
            self._reference_range[which] * due.declared_gain()**0.25,
            self._false[which],
        )
        return tables(scans, self._kind[which], self._mask[which], found.take(hit) + false)
