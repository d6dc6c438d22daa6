"""Radars that look beyond the horizon by way of the ionosphere: coarse range and azimuth of what flies low.

A detection holds the straight range and the azimuth (``Kind.RA``), as after coordinate registration; how well that is
known is the sigma, the same for every look. The ionosphere carries in spells: in each, by a draw of the sensor's, or
not at all; the radar sounds it, and so a scan in a spell that does not carry says that it is degraded and sees nothing.
Left out: the speed over the ground that a target needs to stand out from the clutter, the change of the path with the
hour, several paths at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.earth import wgs84
from tocsin.earth.clock import to_ns
from tocsin.earth.frames import OMEGA_GMST, theta_at, to_ecef, to_eci
from tocsin.earth.geodesics import lines
from tocsin.earth.random import draw_uniform, stream_key
from tocsin.records.columns import Kind, Region, Status
from tocsin.scenario.specs import OverHorizon, Sensor
from tocsin.sensing import over_horizon_kernels as k
from tocsin.sensing.biases import Biases
from tocsin.sensing.kernels import false_counts
from tocsin.sensing.scanning import Aspect, Due, Found, Looks, Sensed, look, scan_table, tables
from tocsin.sensing.targets import Targets


def chord(ground: float) -> float:
    """Straight range (m) between two points of the surface ``ground`` m apart over it, on a mean sphere."""
    radius = (2.0 * wgs84.A + wgs84.B) / 3.0
    return 2.0 * radius * math.sin(min(0.5 * ground / radius, 0.5 * math.pi))


def _checked(name: str, m: OverHorizon) -> None:
    if not 0.0 < m.range_min < m.range_max < math.pi * wgs84.B:
        raise ValueError(
            f"{name}: ranges over the ground from {m.range_min} to {m.range_max} m; rising and more than 0"
        )
    for what, value in (("reference range", m.reference_range), ("reference cross-section", m.reference_rcs),
                        ("reference SNR", m.reference_snr), ("greatest height", m.greatest_height),
                        ("range error", m.sigma_range), ("azimuth error", m.sigma_azimuth)):  # fmt: skip
        if not value > 0.0:
            raise ValueError(f"{name}: a {what} of {value}; more than 0 is allowed")
    if not 0.0 < m.pfa < 1.0:
        raise ValueError(f"{name}: a false-alarm probability of {m.pfa}; more than 0 and less than 1")
    if not 0.0 <= m.availability <= 1.0:
        raise ValueError(f"{name}: the ionosphere carries {m.availability} of the time; 0 to 1 is allowed")
    if to_ns(m.spell) < 1_000_000:
        raise ValueError(f"{name}: spells of {m.spell} s; at least 0.001 s is allowed")


class OverHorizonRadars:
    """All over-the-horizon radars of a world.

    Raises TypeError for a sensor of another kind, ValueError for one whose parameters make no sense.
    """

    def __init__(self, sensors: Sequence[Sensor], theta0: float, seed: int) -> None:
        models: list[OverHorizon] = []
        for sensor in sensors:
            if not isinstance(sensor.model, OverHorizon):
                raise TypeError(f"{sensor.id} is not an over-the-horizon radar")
            _checked(sensor.id, sensor.model)
            models.append(sensor.model)
        m = len(models)
        self._models = models
        self._theta0 = theta0
        self._numbers = np.array([s.n for s in sensors], dtype=np.uint16)

        def streams(purpose: str) -> NDArray[np.uint64]:
            return np.array([stream_key(seed, f"sensor:{s.id}", purpose) for s in sensors], dtype=np.uint64)

        self._keys, self._false_keys, self._spells = streams("detection"), streams("false detection"), streams("spell")
        self._place = np.array([(r.lat, r.lon, r.h) for r in models]).reshape(m, 3)
        self._site = np.zeros((m, 6))
        self._site[:, :3] = wgs84.geodetic_to_ecef(self._place)
        self._axes = np.array([wgs84.enu_axes(r.lat, r.lon) for r in models]).reshape(m, 3, 3)
        half = 0.5 * math.pi
        self._limits = np.array(
            [(*r.sector, -half, half, chord(r.range_min), chord(r.range_max)) for r in models], dtype=np.float64
        ).reshape(m, 6)
        self._par = np.zeros((m, k.OVER_HORIZON_PARAMETERS))
        for row, r in zip(self._par, models, strict=True):
            row[k.O_POWER] = r.reference_snr * r.reference_range**4 / r.reference_rcs
            row[k.O_THRESHOLD] = -math.log(r.pfa)
            row[k.O_SIGMA_RANGE], row[k.O_SIGMA_AZIMUTH] = r.sigma_range, r.sigma_azimuth
        # as in other radars: the range at which 1 m2 gives the reference SNR
        self._reach = np.array([r.reference_range / r.reference_rcs**0.25 for r in models])
        self._false = np.array([r.false_per_scan for r in models], dtype=np.float64)
        self._latency = np.array([to_ns(r.latency) for r in models], dtype=np.int64)
        self._biases = Biases([s.id for s in sensors], [r.bias for r in models], seed)

    def carries(self, which: int, t_ns: int) -> bool:
        """Whether the ionosphere carries for the sensor in place ``which`` in the spell of ``t_ns``."""
        m = self._models[which]
        return draw_uniform(int(self._spells[which]), t_ns // to_ns(m.spell)) < m.availability

    def _aspect(self, due: Due) -> Aspect:
        theta = np.array([theta_at(self._theta0, int(t)) for t in due.t0])
        platform = to_eci(self._site[due.which], theta)
        axes = to_eci(self._axes[due.which].reshape(-1, 3), np.repeat(theta, 3))
        return Aspect(Region.SECTOR, platform, axes.reshape(-1, 9), self._limits[due.which])

    def observe(self, due: Due, targets: Targets) -> Sensed:
        """Carry out the scans due."""
        aspect, which = self._aspect(due), due.which
        open_ = np.array([self.carries(int(w), int(t)) for w, t in zip(which, due.t0, strict=True)], dtype=np.bool_)
        gain = due.gain()
        par = self._par[which]
        par[:, k.O_POWER] *= gain
        looks, where = self._within(due, look(aspect, due, targets, targets.spans), targets, open_)
        found = Found.room(looks.scan, looks.row, looks.t)
        hit = k.over_horizon_detect(
            self._keys[which], due.t0, par, self._biases.at(which, due.t0) + due.bias, looks.scan, looks.row,
            targets.keys, where, found.z, found.cov, found.snr,
        )  # fmt: skip
        keys = self._false_keys[which]
        false, number = Found.false(false_counts(keys, due.t0, self._false[which]))
        k.over_horizon_false(
            keys, due.t0, due.t1, aspect.limits, par, false.scan, number, false.t, false.z, false.cov, false.snr
        )
        scans = scan_table(
            due,
            aspect,
            self._numbers[which],
            self._latency[which],
            np.where(open_, self._reach[which] * due.declared_gain() ** 0.25, 0.0),
            self._false[which],
        )
        scans["status"][~open_ & (scans["status"] == Status.UP)] = Status.DEGRADED
        kind, mask = np.full(len(which), Kind.RA, dtype=np.uint8), np.full(len(which), 0b11, dtype=np.uint8)
        return tables(scans, kind, mask, found.take(hit) + false)

    def _within(
        self, due: Due, looks: Looks, targets: Targets, open_: NDArray[np.bool_]
    ) -> tuple[Looks, NDArray[np.float64]]:
        """The looks at what is lit, and where it is (columns ``k.WHERE``)."""
        some = np.flatnonzero(open_[looks.scan])
        ecef = to_ecef(looks.x[some, :3], self._theta0 + OMEGA_GMST * (looks.t[some] / 1e9)).reshape(-1, 3)
        place = wgs84.ecef_to_geodetic(ecef)
        own = due.which[looks.scan[some]]
        limits = np.array([(m.range_min, m.range_max, m.greatest_height) for m in self._models])[own].reshape(-1, 3)
        low = (place[:, 2] >= 0.0) & (place[:, 2] <= limits[:, 2])
        some, ecef, place, own, limits = some[low], ecef[low], place[low], own[low], limits[low]
        d = ecef - self._site[own, :3]
        local = (self._axes[own] * d[:, None, :]).sum(axis=2)
        azimuth = np.arctan2(local[:, 0], local[:, 1])
        ground = lines(self._place[own, 0], self._place[own, 1], place[:, 0], place[:, 1])[:, 0]
        sector = self._limits[own, :2]
        turn = 2.0 * math.pi
        width = np.mod(sector[:, 1] - sector[:, 0], turn)
        inside = np.mod(azimuth - sector[:, 0], turn) <= np.where(width > 0.0, width, turn)
        inside &= (ground >= limits[:, 0]) & (ground <= limits[:, 1])
        some = some[inside]
        rcs = targets.rcs[looks.row[some], (looks.t[some] >= targets.cutoff_ns[looks.row[some]]).astype(np.int64)]
        where = np.stack((ground[inside], np.sqrt((d[inside] ** 2).sum(axis=1)), azimuth[inside], rcs), axis=1)
        lit = Looks(looks.scan[some], looks.row[some], looks.t[some], looks.x[some])
        return lit, np.ascontiguousarray(where.reshape(-1, k.WHERE))
