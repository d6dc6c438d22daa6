"""A phased-array radar: the radar equation, and all radars of a world scan by scan.

Directions are those of the straight line, as if the correction for the air were perfect but for the residual that a
radar may be given. Errors that stay, cells that hold more than one object, the radar's time (``schedule``), terrain and
objects whose cross-section does not fluctuate (or less) are off unless the radar's description has them. Left out, and
so said wherever results are shown: multipath, clutter other than false alarms of noise, waveforms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.dynamics.coast import propagate
from tocsin.dynamics.signals import chances
from tocsin.earth import wgs84
from tocsin.earth.clock import to_ns
from tocsin.earth.frames import OMEGA_GMST, theta_at, to_ecef, to_eci
from tocsin.earth.random import stream_key
from tocsin.records.columns import Kind, Region, Status
from tocsin.records.shapes import Task
from tocsin.scenario.specs import Radar, Sensor
from tocsin.sensing import radar_kernels as k
from tocsin.sensing.biases import STEPS, Biases, gauss_markov
from tocsin.sensing.kernels import EL_MAX, EL_MIN, false_counts
from tocsin.sensing.scanning import Aspect, Due, Found, Looks, Sensed, look, scan_table, tables
from tocsin.sensing.schedule import Schedule, Strain, Wish, look_time, scheduled
from tocsin.sensing.targets import Targets

LIGHT = 299_792_458.0
BOLTZMANN = 1.380649e-23
AIR_TAU = 3600.0  # s over which the air's residual error changes (notional)
_MANY = 8  # objects from which on those out of reach are sorted out first
_WIDE = 3.0  # sigmas of where a centre believes an object that are searched for it
_GATE = 10e3  # m of range about such a place that is searched at least


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


def radar_snr(
    range_m: ArrayLike,
    power: float,
    gain: float,
    aperture: float,
    dwell: float,
    rcs: ArrayLike = 1.0,
    temperature: float = 290.0,
    loss: float = 1.0,
) -> NDArray[np.float64]:
    """SNR (a ratio) of one look at objects of ``rcs`` at ``range_m`` (any shapes that go together); the rest as in
    ``radar_range``, which solves this for the range.
    """
    energy = power * dwell * gain * aperture * np.asarray(rcs, dtype=np.float64)
    noise = (4.0 * math.pi) ** 2 * BOLTZMANN * temperature * loss
    return np.asarray(energy / (noise * np.asarray(range_m, dtype=np.float64) ** 4))


def detection_probability(
    radar: Radar, range_m: ArrayLike, rcs: ArrayLike, off_boresight: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Probability that one look detects, horizon and limits aside, in closed form for the radar's ``swerling``: 1 is
    pfa^(1 / (1 + SNR)), 0 Marcum's Q, 3 as in ``dynamics.signals.chance``.

    Arrays of any shapes that go together: slant range (m), radar cross-section (m2), angle off the nearest boresight
    (rad).
    """
    cos_off = np.maximum(np.cos(np.asarray(off_boresight, dtype=np.float64)), 0.0)
    ratio = radar.reference_range / np.asarray(range_m, dtype=np.float64)
    snr = radar.reference_snr * np.asarray(rcs, dtype=np.float64) * ratio**4 * cos_off**3
    if radar.swerling == 1:
        return np.asarray(radar.pfa ** (1.0 / (1.0 + snr)))
    out = np.empty(np.shape(snr))
    chances(radar.swerling, np.array(snr, dtype=np.float64).reshape(-1), threshold(radar.pfa), out.reshape(-1))
    return out


def _checked(name: str, radar: Radar) -> None:
    for what, value in (
        ("reference range", radar.reference_range),
        ("reference SNR", radar.reference_snr),
        ("bandwidth", radar.bandwidth),
        ("beam width", min(radar.beam_az, radar.beam_el)),
    ):
        if not value > 0.0:
            raise ValueError(f"{name}: a {what} of {value}; more than 0 is allowed")
    for what, low, high in (
        ("elevations", radar.el_min, radar.el_max),
        ("ranges", radar.range_min, radar.range_max),
    ):
        if not low <= high:
            raise ValueError(f"{name}: {what} from {low} to {high}; the first must not be above the second")
    if radar.swerling not in {0, 1, 3}:
        raise ValueError(f"{name}: Swerling case {radar.swerling}; 0, 1 or 3")
    if not 0.0 < radar.pfa < 1.0:
        raise ValueError(f"{name}: a false-alarm probability of {radar.pfa}; more than 0 and less than 1")
    if not 0.0 <= radar.refraction < 0.1:
        raise ValueError(f"{name}: a residual of refraction of {radar.refraction} rad; 0 to 0.1")
    for azimuth, elevation in radar.terrain:
        if not (math.isfinite(azimuth) and -0.5 * math.pi <= elevation <= 0.5 * math.pi):
            raise ValueError(f"{name}: terrain at azimuth {azimuth}, elevation {elevation} rad; elevations to pi / 2")


class Radars:
    """All radars of a world.

    Raises TypeError for a sensor that is no radar, ValueError for one whose parameters make no sense.
    """

    def __init__(self, sensors: Sequence[Sensor], theta0: float, seed: int) -> None:
        models: list[Radar] = []
        for sensor in sensors:
            if not isinstance(sensor.model, Radar):
                raise TypeError(f"{sensor.id} is not a radar")
            _checked(sensor.id, sensor.model)
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
            row[k.R_SWERLING], row[k.R_AIR] = float(r.swerling), r.refraction
        self._par = par
        self._boresights, self._face_span = _joined(
            [
                np.array(
                    [(math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)) for a, e in r.boresights]
                ).reshape(-1, 3)
                for r in models
            ],
            3,
        )
        self._reference_range = np.array([r.reference_range for r in models])
        self._false = np.array([r.false_per_scan for r in models], dtype=np.float64)
        self._latency = np.array([to_ns(r.latency) for r in models], dtype=np.int64)
        self._resolution = np.array([r.resolution for r in models], dtype=np.bool_)
        turn = 2.0 * math.pi
        self._terrain, self._terrain_span = _joined(
            [np.array(sorted((a % turn, e) for a, e in r.terrain)).reshape(-1, 2) for r in models], 2
        )
        self._biases = Biases([s.id for s in sensors], [r.bias for r in models], seed)
        self._air_keys = np.array([stream_key(seed, f"sensor:{s.id}", "air") for s in sensors], dtype=np.uint64)
        self._models = models
        self._ids = [s.id for s in sensors]
        self._schedules = {
            i: Schedule(s.id, r) for i, (s, r) in enumerate(zip(sensors, models, strict=True)) if scheduled(r)
        }
        # what is searched, and so declared in the scans: of a radar with a fence no more than that
        self._searched = self._limits.copy()
        for i, r in enumerate(models):
            if r.fence is not None:
                self._searched[i, EL_MIN], self._searched[i, EL_MAX] = r.fence
        self.strain: dict[str, list[Strain]] = {}  # of the last frame, by the ids of radars that share out their time
        self._kind = np.array([Kind.RAER if r.doppler else Kind.RAE for r in models], dtype=np.uint8)
        self._mask = np.array([0b1111 if r.doppler else 0b111 for r in models], dtype=np.uint8)

    def aspect(self, due: Due) -> Aspect:
        """Where the scans look from."""
        theta = np.fmod(self._theta0 + OMEGA_GMST * (due.t0 / 1e9), 2.0 * math.pi)  # as theta_at
        platform = to_eci(self._site[due.which], theta)
        axes = to_eci(self._axes[due.which].reshape(-1, 3), np.repeat(theta, 3))
        return Aspect(Region.SECTOR, platform, axes.reshape(-1, 9), self._limits[due.which])

    def observe(self, due: Due, targets: Targets) -> Sensed:
        """Carry out the scans due."""
        aspect = self.aspect(due)
        which = due.which
        par = self._par[which]
        par[:, k.R_POWER] *= due.gain()
        faces, face_span = self._boresights, self._face_span[which]
        terrain, terrain_span = self._terrain, self._terrain_span[which]
        bias = self._biases.at(which, due.t0) + due.bias

        keys = self._false_keys[which]
        false, number = Found.false(false_counts(keys, due.t0, self._false[which]))
        searched = self._searched[which]
        k.radar_false(
            keys, due.t0, due.t1, searched, self._horizon[which], par, faces, face_span, terrain, terrain_span,
            false.scan, number, false.t, false.z, false.cov, false.snr,
        )  # fmt: skip

        looks = look(aspect, due, targets, targets.spans, self._near(due, targets))
        seen = np.zeros((len(looks.scan), k.LOOK))
        sight = k.radar_looks(
            self._keys[which], due.t0, aspect.platform, aspect.attitude, aspect.limits, par, faces, face_span,
            terrain, terrain_span, looks.scan, looks.row, looks.t, looks.x, targets.keys, targets.rcs,
            targets.cutoff_ns, seen,
        )  # fmt: skip
        found = Found.room(looks.scan, looks.row, looks.t)

        def detect(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
            if self._resolution[which].any():
                order = pairs[np.lexsort((targets.keys[looks.row[pairs]], -seen[pairs, k.L_SNR], looks.scan[pairs]))]
                pairs = k.radar_merge(par, looks.scan, order, self._resolution[which], seen)
            return k.radar_detect(
                self._keys[which], due.t0, par, faces, face_span, bias, air, pairs, looks.scan, looks.row,
                targets.keys, seen, found.z, found.cov, found.snr,
            )  # fmt: skip

        air = self._air(due)
        if self._schedules:
            hit, strained = self._share_out(due, targets, looks, seen, sight, false, found.z, aspect, detect)
        else:
            hit, strained = detect(sight), np.zeros(len(which), dtype=np.bool_)
        scans = scan_table(
            due,
            Aspect(Region.SECTOR, aspect.platform, aspect.attitude, searched),
            self._numbers[which],
            self._latency[which],
            self._reference_range[which] * due.declared_gain() ** 0.25,
            self._false[which],
        )
        scans["status"][strained & (scans["status"] == Status.UP)] = Status.DEGRADED
        return tables(scans, self._kind[which], self._mask[which], found.take(hit) + false)

    def _near(self, due: Due, targets: Targets) -> tuple[NDArray[np.int64], ...] | None:
        """Pairs of a scan and an object that is not far out of its reach; None: not worth the trouble."""
        if len(targets) < _MANY or not len(due.which):
            return None
        middle = int(due.t0.min() + due.t1.max()) // 2
        at = np.clip(middle, targets.spans[:, 0], targets.spans[:, 1])
        x = targets.ephemeris.states(np.arange(len(targets)), at)
        where = np.empty((len(x), 4))
        where[:, :3] = to_ecef(x[:, :3], self._theta0 + OMEGA_GMST * (at / 1e9))
        size, speed = (np.sqrt((x[:, q : q + 3] ** 2).sum(axis=1)) for q in (0, 3))
        where[:, 3] = speed + OMEGA_GMST * size
        return k.near_pairs(
            due.t0, due.t1, due.which, self._site[:, :3].copy(), self._axes[:, 2].copy(), self._limits[due.which],
            targets.spans, at, where,
        )  # fmt: skip

    def _air(self, due: Due) -> NDArray[np.float64]:
        """The air's residual error at each scan, in sigmas."""
        out = np.zeros(len(due.which))
        step = np.int64(to_ns(AIR_TAU) // STEPS)
        for i in np.flatnonzero(self._par[due.which, k.R_AIR] > 0.0):
            out[i] = gauss_markov(self._air_keys[due.which[i]], np.int64(0), due.t0[i], step)
        return out

    def _share_out(
        self,
        due: Due,
        targets: Targets,
        looks: Looks,
        seen: NDArray[np.float64],
        sight: NDArray[np.int64],
        false: Found,
        z: NDArray[np.float64],
        aspect: Aspect,
        detect: Callable[[NDArray[np.int64]], NDArray[np.int64]],
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Looks of radars that share out their time, scan by scan; the pairs detected, the scans in which time ran
        out.
        """
        shares = np.array([int(w) in self._schedules for w in due.which])
        hits = [detect(sight[~shares[looks.scan[sight]]])]
        strained = np.zeros(len(due.which), dtype=np.bool_)
        self.strain = {self._ids[i]: [] for i in self._schedules}
        for s in np.flatnonzero(shares).tolist():
            place = int(due.which[s])
            schedule = self._schedules[place]
            own = sight[looks.scan[sight] == s]
            keys = targets.keys[looks.row[own]]
            wishes = self._wishes(due, s, aspect, looks.t[own], seen[own])
            plan = schedule.plan(
                int(due.scan[s]), int(due.t0[s]), int(due.t1[s]), keys, looks.t[own], seen[own], wishes
            )
            pairs = own[plan.pairs]
            seen[pairs, k.L_SNR] *= plan.factor
            hit = detect(pairs)
            schedule.learn(
                plan, int(due.t1[s]), targets.keys[looks.row[hit]], z[hit, 0], seen[hit, k.L_COS],
                false.z[false.scan == s, 0],
            )  # fmt: skip
            hits.append(hit)
            strained[s] = plan.strain.made < plan.strain.wanted
            self.strain[self._ids[place]].append(plan.strain)
        return np.sort(np.concatenate(hits)), strained

    def _wishes(
        self, due: Due, s: int, aspect: Aspect, t_ns: NDArray[np.int64], seen: NDArray[np.float64]
    ) -> list[Wish]:
        """What a centre asks of scan ``s``, as pairs (of those in sight, by their places among them)."""
        radar = self._models[due.which[s]]
        asked: list[Task] = [
            task for task in due.tasks
            if task.sensor == self._ids[due.which[s]] and task.t_ns <= due.t1[s] and task.until_ns >= due.t0[s]
        ]  # fmt: skip
        if radar.scheduling != "cued" or not asked:
            return []
        middle = int(due.t0[s] + due.t1[s]) // 2
        x = propagate(
            np.array([task.x for task in asked]), np.array([task.t_ns for task in asked]),
            np.full(len(asked), middle), self._theta0,
        )  # fmt: skip
        site = to_eci(self._site[due.which[[s]]], np.array([theta_at(self._theta0, middle)]))[0]
        axes = to_eci(self._axes[due.which[s]], np.full(3, theta_at(self._theta0, middle)))
        wishes = []
        for task, state in zip(asked, x, strict=True):
            # where it would be at the time of each pair's look, as seen by the radar
            ahead = (t_ns - middle)[:, None] * 1e-9
            d = (state[:3] + ahead * state[3:]) - (site[:3] + ahead * site[3:])
            r = np.sqrt((d * d).sum(axis=1))
            az, el, off = seen[:, k.L_AZ], seen[:, k.L_EL], np.maximum(seen[:, k.L_COS], 0.2)
            local = (d[:, None, :] * axes[None, :, :]).sum(axis=2) / r[:, None]
            u = np.stack((np.cos(el) * np.sin(az), np.cos(el) * np.cos(az), np.sin(el)), axis=1)
            apart = 2.0 * np.arcsin(np.minimum(0.5 * np.sqrt(((u - local) ** 2).sum(axis=1)), 1.0))
            reach = np.maximum(_WIDE * task.spread / r, 0.5 * max(radar.beam_az, radar.beam_el) / off)
            gate = max(_WIDE * task.spread, _GATE)
            asked_by = t_ns >= task.t_ns  # what the sweep passed before the task came it did not look for
            hit = np.flatnonzero((apart <= reach) & (np.abs(seen[:, k.L_RANGE] - r) <= gate) & asked_by)
            far = float(np.sqrt(((state[:3] - site[:3]) ** 2).sum()))
            wide = 2.0 * _WIDE * task.spread / max(far, 1.0)
            places = max(math.ceil(wide / radar.beam_az), 1) * max(math.ceil(wide / radar.beam_el), 1)
            wishes.append(Wish(hit, places, look_time(radar, far)))
        return wishes

    def state(self) -> dict[str, Any]:
        """Plain data from which ``load`` goes on exactly: what radars that share out their time hold in track."""
        return {self._ids[i]: schedule.state() for i, schedule in self._schedules.items()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()`` of the same radars."""
        for i, schedule in self._schedules.items():
            schedule.load(state.get(self._ids[i], {}))


def _joined(parts: Sequence[NDArray[np.float64]], width: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows of all parts one after another, and where each part begins and ends ``(m, 2)``."""
    ends = np.cumsum([0, *(len(p) for p in parts)]).astype(np.int64)
    return np.ascontiguousarray(np.concatenate([np.empty((0, width)), *parts])), np.stack((ends[:-1], ends[1:]), axis=1)
