"""Infrared satellites: scanners that sweep the Earth from limb to limb in one revisit, or starers that look at all of
it at once, and all of them scan by scan.

They see plumes over the clouds, dimmer inside their trough; sunlight that high cloud mirrors (``glint``), where they
are given a lobe for it; and warm bodies against cold space, where they are sensitive enough. Near the Sun they see
nothing.

Left out, and so said wherever results are shown: the plume's aspect, the atmosphere above the cloud tops, fires and
other sources but as a mean number of false detections, light of the Earth's limb on midcourse sensors, and that the
Sun warms a body.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.orbit import orbit_states
from tocsin.earth import wgs84
from tocsin.earth.clock import to_ns
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.random import draw_uniform, normal_quantile, poisson, stream_key
from tocsin.earth.sun import sun_positions
from tocsin.records.columns import Kind, Region
from tocsin.scenario.specs import Infrared, Sensor
from tocsin.sensing import glint
from tocsin.sensing import infrared_kernels as k
from tocsin.sensing.biases import Biases
from tocsin.sensing.kernels import false_counts, pair_up
from tocsin.sensing.scanning import Aspect, Due, Found, Looks, Sensed, look, scan_table, tables
from tocsin.sensing.targets import Targets

VIEW_HEIGHT = 1_000_000.0  # m: plumes are watched up to here above the limb
BODY_HEIGHT = 5_000_000.0  # m: ... and warm bodies up to here

_DUE = ("which", "scan", "t0", "t1", "status")
_ASPECT = ("platform", "attitude", "limits")


def view_attitude(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Attitude ``(k, 9)`` of satellites at ``x (k, 6)``: row 1 towards nadir (the Earth's centre), row 2 along the
    orbit's normal.

    Row 0 = row 1 x row 2 completes them, so that nadir has azimuth and elevation 0, and from a geostationary orbit
    azimuth grows to the east and elevation to the north.
    """
    out = np.empty((len(x), 9))
    k.view_axes(np.ascontiguousarray(x, dtype=np.float64), out)
    return out


def view_limits(x: NDArray[np.float64], height: NDArray[np.float64] | float = VIEW_HEIGHT) -> NDArray[np.float64]:
    """Limits ``(k, 6)`` of the view from ``x (k, 6)``: wherever anything under ``height`` (m, or one each) may be seen.

    A satellite under ``BODY_HEIGHT`` that watches for bodies looks all round.
    """
    top = wgs84.A + height
    r = np.sqrt(x[:, 0] ** 2 + x[:, 1] ** 2 + x[:, 2] ** 2)
    half = np.arcsin(np.minimum(top / r, 1.0))
    far = np.sqrt(np.maximum(r**2 - wgs84.B**2, 0.0)) + np.sqrt(top**2 - wgs84.B**2)
    out = np.stack((-half, half, -half, half, np.maximum(r - top, 0.0), far), axis=1)
    inside = (np.broadcast_to(height, r.shape) > VIEW_HEIGHT) & (r <= top)
    out[inside, 0], out[inside, 1] = -math.pi, math.pi
    return out


class InfraredSatellites:
    """All infrared satellites of a world."""

    def __init__(self, sensors: Sequence[Sensor], theta0: float, seed: int) -> None:
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
        orbits = [(o.a, o.e, o.i, o.raan, o.argp, o.m0) for o in (s.orbit for s in models)]
        self._orbits = np.array(orbits, dtype=np.float64).reshape(-1, 6)
        par = np.zeros((len(models), k.INFRARED_PARAMETERS))
        for row, s in zip(par, models, strict=True):
            row[k.I_GAIN] = s.threshold_snr * s.reference_distance**2 / s.least_intensity
            row[k.I_THRESHOLD] = s.threshold_snr
            row[k.I_CLOUD_TOP], row[k.I_LIMB] = s.cloud_top, s.limb
            row[k.I_SIGMA], row[k.I_FLOOR] = s.sigma_pointing, s.sigma_floor
            row[k.I_SUN] = math.cos(s.sun_exclusion) if s.sun_exclusion > 0.0 else k.NO_SUN
            row[k.I_BODY] = s.threshold_snr * s.reference_distance**2 / s.least_body if s.least_body > 0.0 else 0.0
        self._par = par
        self._least = np.array([s.least_intensity for s in models])
        self._false = np.array([s.false_per_scan for s in models], dtype=np.float64)
        self._latency = np.array([to_ns(s.latency) for s in models], dtype=np.int64)
        self._staring = np.array([s.staring for s in models], dtype=np.bool_)
        self._plain = not self._staring.any() and not par[:, k.I_BODY].any()  # scanners that see plumes only
        self._height = np.where(par[:, k.I_BODY] > 0.0, BODY_HEIGHT, VIEW_HEIGHT)
        self._biases = Biases([s.id for s in sensors], [s.bias for s in models], seed)
        self._biased = any(any(s.bias.constant) or any(s.bias.slow) for s in models)
        self._theta0 = theta0
        self._clouds(sensors, seed)
        # what the Sun does to them, by name for an error
        minds = [s.id for s, m in zip(sensors, models, strict=True) if m.sun_exclusion > 0.0 or _glints(m)]
        self._minds = minds[0] if minds else ""

    def _clouds(self, sensors: Sequence[Sensor], seed: int) -> None:
        """The cloud fields of each satellite, one after the other in one table."""
        count = len(self._models)
        self._glint = np.zeros((count, 3))
        self._fields = np.zeros((count, 2), dtype=np.int64)
        places, brights, keys = [np.empty((0, 3))], [np.empty(0)], [np.empty(0, dtype=np.uint64)]
        total = 0
        for i, (sensor, s) in enumerate(zip(sensors, self._models, strict=True)):
            if not _glints(s):
                continue
            self._glint[i] = s.glint_lobe, s.glint_intensity, float(s.staring)
            mean = s.glint_fields / glint.part_in_view(s.orbit.a * (1.0 + s.orbit.e), wgs84.A)
            if not 0.0 <= mean <= glint.GREATEST_FIELDS:
                raise ValueError(
                    f"{sensor.id}: {s.glint_fields} cloud fields in view are {mean:.0f} over the whole Earth;"
                    f" 0 to {glint.GREATEST_FIELDS} are allowed"
                )
            place, bright, key = glint.cloud_fields(seed, _number(seed, mean), s.cloud_top)
            self._fields[i] = total, total + len(place)
            total += len(place)
            places.append(place)
            brights.append(bright)
            keys.append(key)
        self._places, self._brights = np.concatenate(places), np.concatenate(brights)
        self._field_keys = np.concatenate(keys)

    def aspect(self, due: Due) -> Aspect:
        """Where the scans look from."""
        x = np.empty((len(due.which), 6))
        k.satellites_at(self._orbits[due.which], due.t0 / 1e9, x)
        return Aspect(Region.VIEW, x, view_attitude(x), view_limits(x, self._height[due.which]))

    def observe(self, due: Due, targets: Targets) -> Sensed:
        """Carry out the scans due."""
        aspect = self.aspect(due)
        which = due.which
        gain = due.gain()
        par = self._par[which]
        par[:, k.I_GAIN] *= gain
        par[:, k.I_BODY] *= gain
        sun = self._sun(due, targets)

        looks = self._looks(aspect, due, targets)
        found = Found.room(looks.scan, looks.row, looks.t)
        hit = k.infrared_detect(
            Region.VIEW, self._keys[which], due.t0, aspect.platform, aspect.attitude, aspect.limits, par, sun,
            looks.scan, looks.row, looks.t, looks.x, targets.keys,
            targets.burn_start, targets.burn_t, targets.burn_intensity, targets.trough, targets.warm,
            found.z, found.cov, found.snr, found.intensity,
        )  # fmt: skip
        keys = self._false_keys[which]
        false, number = Found.false(false_counts(keys, due.t0, self._false[which]))
        k.infrared_false(
            Region.VIEW, keys, due.t0, due.t1, aspect.platform, aspect.attitude, aspect.limits, par,
            false.scan, number, false.t, false.z, false.cov, false.snr, false.intensity,
        )  # fmt: skip
        if self._minds and len(false.scan):
            false = false.take(k.away_from_sun(aspect.platform, aspect.attitude, par, sun, false.scan, false.z))
        if self._staring.any():
            stares = self._staring[which][false.scan]
            false.t[stares] = due.t1[false.scan[stares]] - 1
        everything = found.take(hit) + false
        if len(self._places) and targets.unix_ns is not None:
            everything = everything + self._mirrored(due, aspect, par, sun)
        self._off(due, everything)
        scans = scan_table(
            due,
            aspect,
            self._numbers[which],
            self._latency[which],
            self._least[which] / due.declared_gain(),
            self._false[which],
        )
        kind = np.full(len(which), Kind.LOS, dtype=np.uint8)
        return tables(scans, kind, np.full(len(which), 0b11, dtype=np.uint8), everything)

    def _sun(self, due: Due, targets: Targets) -> NDArray[np.float64]:
        """Where the Sun stands at the start of each scan ``(k, 3)``, zeros where nobody minds."""
        if not self._minds:
            return np.zeros((len(due.which), 3))
        if targets.unix_ns is None and not len(targets):  # nobody asks what there is to see, only how it would be seen
            return np.zeros((len(due.which), 3))
        if targets.unix_ns is None:
            raise ValueError(f"{self._minds} minds the Sun, and the targets do not say when time zero was")
        return sun_positions(targets.unix_ns + due.t0)

    def _looks(self, aspect: Aspect, due: Due, targets: Targets) -> Looks:
        """Each object once a scan: when the sweep passes it, or where a satellite stares, at the end of the period."""
        if self._plain:
            return look(aspect, due, targets, targets.burning)
        stares, bodies = self._staring[due.which], self._par[due.which, k.I_BODY] > 0.0
        parts = []
        for staring in (False, True):
            for body in (False, True):
                own = np.flatnonzero((stares == staring) & (bodies == body))
                if not len(own):
                    continue
                windows = targets.showing if body else targets.burning
                some = due if len(own) == len(due.which) else Due(*(getattr(due, n)[own] for n in _DUE))
                if staring:
                    looks = _stare(some, targets, windows)
                else:
                    looks = look(
                        Aspect(aspect.region, *(getattr(aspect, n)[own] for n in _ASPECT)), some, targets, windows
                    )
                parts.append(Looks(own[looks.scan], looks.row, looks.t, looks.x))
        if len(parts) == 1:
            return parts[0]
        return Looks(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("scan", "row", "t", "x")))

    def _mirrored(self, due: Due, aspect: Aspect, par: NDArray[np.float64], sun: NDArray[np.float64]) -> Found:
        """Detections of sunlit cloud."""
        which = due.which
        first, last = np.ascontiguousarray(self._fields[which, 0]), np.ascontiguousarray(self._fields[which, 1])
        room = Found.room(*(np.zeros(int((last - first).sum()), dtype=np.int64) for _ in range(3)))
        room.row[:] = -1
        theta = np.asarray(self._theta0 + OMEGA_GMST * (due.t0 * 1e-9), dtype=np.float64)
        count = glint.glint_detect(
            Region.VIEW, self._keys[which], due.t0, due.t1, aspect.platform, aspect.attitude, aspect.limits, par,
            self._glint[which], sun, theta, first, last,
            self._places, self._brights, self._field_keys,
            room.scan, room.t, room.z, room.cov, room.snr, room.intensity,
        )  # fmt: skip
        return room.take(np.arange(count))

    def _off(self, due: Due, found: Found) -> None:
        """Add systematic errors to what was measured, real or not: those of the model and those of the time."""
        if not (self._biased or due.bias.any()) or not len(found.scan):
            return
        which = due.which[found.scan]
        found.z[:, :2] += (self._biases.at(which, found.t) + due.bias[found.scan])[:, :2]
        # what a bias turns past the end of the azimuths comes back at the other; elevations cannot
        found.z[:, 0] -= 2.0 * math.pi * np.round(found.z[:, 0] / (2.0 * math.pi))
        np.clip(found.z[:, 1], -0.5 * math.pi, 0.5 * math.pi, out=found.z[:, 1])


def _glints(model: Infrared) -> bool:
    return model.glint_lobe > 0.0 and model.glint_intensity > 0.0 and model.glint_fields > 0.0


def _number(seed: int, mean: float) -> int:
    """How many cloud fields there are on the Earth where ``mean`` are expected; it grows with the mean."""
    key = np.uint64(stream_key(seed, "world", "number of cloud fields"))
    if mean <= 500.0:
        return int(poisson(key, np.int64(0), np.int64(0), np.int64(0), mean))
    # by its normal approximation, from the same uniform
    z = float(normal_quantile(draw_uniform(int(key))))
    return round(mean + math.sqrt(mean) * z)


def _stare(due: Due, targets: Targets, windows: NDArray[np.int64]) -> Looks:
    """Each object that there is at the end of a scan, then."""
    scan, row, _ = pair_up(due.t0, due.t1, windows)
    t = due.t1[scan] - 1
    there = (t >= windows[row, 0]) & (t <= windows[row, 1])
    scan, row, t = scan[there], row[there], t[there]
    if not len(scan):
        return Looks(scan, row, t, np.empty((0, 6)))
    return Looks(scan, row, t, np.ascontiguousarray(targets.ephemeris.states(row, t)))
