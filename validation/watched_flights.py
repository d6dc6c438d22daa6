"""Flights and the sensors that watch them, for the books about tracking: plain geometry, no sensor physics.

Scans are rows as a nation gets them. An object is looked at when the sweep passes it and found with a fixed
probability; false detections are Poisson, even over the view, as the scan declares. Measurements are made by the
product's ``h`` (held against closed forms in the tests) with normal errors of the declared covariance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.boost import BoostPlan, trajectory
from tocsin.dynamics.kernels import coast_nodes, state_at
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST, to_eci
from tocsin.earth.wgs84 import MU, A, ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.records.columns import DETECTION, SCAN, Kind, Region, Table, empty
from tocsin.scenario import catalogue
from tocsin.scenario.specs import FlightClass, Infrared, Orbit, Radar, Sensor, Spread
from tocsin.tracking.measure import Looks, predict

Array = NDArray[np.float64]
THETA0 = 0.0
_GEO = 42164.17e3
_VIEW_RISE = 1e6  # m over the surface that a satellite's limits reach
_COAST_ROWS = 20_000


def bundled(id: str) -> FlightClass:
    """A class of the catalogue as it is."""
    return catalogue.flight_class(id, catalogue.class_entry(id), "truth")


def satellite(
    n: int, lon_deg: float, period: float = 10.0, sigma: float = 30e-6, false: float = 0.0, cloud_top: float = 10e3
) -> Sensor:
    """A geostationary infrared satellite with a sweep; ``sigma`` rad on each angle."""
    model = Infrared(
        orbit=Orbit(_GEO, 0.0, 0.0, 0.0, 0.0, math.radians(lon_deg) + THETA0), scan_period=period, least_intensity=2e4,
        threshold_snr=6.0, reference_distance=4e7, cloud_top=cloud_top, sigma_pointing=sigma, sigma_floor=sigma,
        false_per_scan=false, latency=1.0, limb=20e3,
    )  # fmt: skip
    return Sensor(n, f"satellite-{n}", f"satellite {n}", "x", model)


def radar(
    n: int, lat_deg: float, lon_deg: float, period: float = 5.0, sigma_range: float = 30.0, sigma_deg: float = 0.1,
    sector_deg: tuple[float, float] = (0.0, 0.0), elevation_deg: tuple[float, float] = (2.0, 85.0),
    reach: float = 4000e3, false: float = 0.0,
) -> Sensor:  # fmt: skip
    """A search radar, all round unless ``sector_deg`` says otherwise."""
    rad = math.radians
    model = Radar(
        lat=rad(lat_deg), lon=rad(lon_deg), h=0.0, boresights=(), sector=(rad(sector_deg[0]), rad(sector_deg[1])),
        el_min=rad(elevation_deg[0]), el_max=rad(elevation_deg[1]), range_min=10e3, range_max=reach,
        reference_range=2.0 * reach, reference_snr=100.0, frequency=1e9, beam_az=0.03, beam_el=0.03, bandwidth=1e6,
        pfa=1e-6, false_per_scan=false, scan_period=period, latency=1.0, sigma_range=sigma_range,
        sigma_angle=rad(sigma_deg),
    )  # fmt: skip
    return Sensor(n, f"radar-{n}", f"radar {n}", "x", model)


@dataclass(frozen=True)
class Path:
    """Where an object is: ``nodes`` (m, 7 or 10) as of ``state_at``; ``burns`` (start, end) s in which it has a
    plume."""

    nodes: Array
    burns: tuple[tuple[float, float], ...]

    def at(self, t: float) -> Array | None:
        """State (6) eci, None before its start and after its end."""
        out = np.empty(6)
        return out if state_at(self.nodes, 0, len(self.nodes), t, out) else None

    def burning(self, t: float) -> bool:
        """Whether a plume is to be seen."""
        return any(a <= t < b for a, b in self.burns)

    @property
    def cutoff(self) -> float:
        """s: end of its last burn."""
        return self.burns[-1][1]


def _draw(random: np.random.Generator, s: Spread) -> float:
    while True:
        u = float(random.standard_normal())
        if abs(u) <= 3.0:
            return max(s.nominal + s.spread * u, 0.0)


def fly(
    c: FlightClass, random: np.random.Generator, lat_deg: float, lon_deg: float, azimuth_deg: float,
    elevation_deg: float, t0: float = 0.0, burnt: float = 1.0, until: float = 600.0, spread: bool = True,
) -> Path:  # fmt: skip
    """A flight of a class, its parameters drawn from the class's spread (or nominal): thrust turns to
    ``elevation_deg`` and ends after ``burnt`` of the last burn; then it falls, through the air where there is some,
    until ``until`` (s).
    """

    def one(s: Spread) -> float:
        return _draw(random, s) if spread else s.nominal

    rows = []
    t = 0.0
    for stage in c.stages:
        burn = one(stage.burn)
        rows.append((t, burn, one(stage.thrust), one(stage.exhaust)))
        t += burn + one(stage.coast)
    last = rows[-1]
    plan = BoostPlan(
        tuple(rows), one(c.vertical), one(c.pitch), math.radians(elevation_deg), math.radians(azimuth_deg),
        last[0] + burnt * last[1], one(c.beta_boost), math.radians(lat_deg), math.radians(lon_deg), 0.0,
        round(t0 * NS),
    )  # fmt: skip
    boost = trajectory(plan, THETA0, 0.5)
    burns = tuple((t0 + a, t0 + b) for _, a, b in plan.burning())
    if until <= boost[-1, 0]:
        return Path(boost, burns)
    out = np.empty((_COAST_ROWS, 10))
    used = coast_nodes(boost[-1, 1:7].copy(), float(boost[-1, 0]), until, one(c.beta), out)
    return Path(np.concatenate([boost, out[:used]]), burns)


@dataclass
class Watch:
    """Scans over paths. ``probability`` of finding what is in view; ``cause`` of each detection (sensor, scan, n): the
    path's place, -1 for a false one."""

    sensors: Sequence[Sensor]
    paths: Sequence[Path]
    random: np.random.Generator
    probability: float = 0.9
    cause: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def scans(self, t0: float, t1: float) -> list[tuple[Table, Table]]:
        """All scans that lie within ``t0`` to ``t1`` s as (scan row, detections), by their end; those of sensor n are
        shifted by a part of their period."""
        out = []
        for s in self.sensors:
            period = s.model.scan_period
            first = t0 + (0.37 * (s.n + 1)) % 1.0 * period
            out += [
                self._scan(s, k, first + k * period, first + (k + 1) * period)
                for k in range(int((t1 - first) / period + 1e-9))
            ]
        out.sort(key=lambda pair: (int(pair[0]["t1_ns"][0]), int(pair[0]["sensor"][0])))
        return out

    def _scan(self, s: Sensor, number: int, t0: float, t1: float) -> tuple[Table, Table]:
        m = s.model
        scans = scan_row(s, number, t0, t1)
        row = scans[0]
        is_radar = isinstance(m, Radar)
        sigma = _sigma(s)
        n = len(sigma)
        width = float(row["az_to"] - row["az_from"]) % (2.0 * math.pi) or 2.0 * math.pi
        found: list[tuple[float, Array, Array, int]] = []
        for k, path in enumerate(self.paths):
            t = 0.5 * (t0 + t1)
            z = None
            for _ in range(2):
                x = path.at(t)
                if x is None:
                    break
                z = measured(row, is_radar, x, t)
                t = t0 + (t1 - t0) * ((z[1 if is_radar else 0] - row["az_from"]) % (2.0 * math.pi) / width)
            x = path.at(t) if z is not None and t0 <= t <= t1 else None
            if x is None or self.random.random() > self.probability:
                continue
            if is_radar:
                z = measured(row, True, x, t)
                if not (m.el_min <= z[2] <= m.el_max and m.range_min <= z[0] <= m.range_max):
                    continue
            else:
                if not path.burning(t) or ecef_to_geodetic(x[:3])[2] < m.cloud_top or hidden(row["platform"], x):
                    continue
                z = measured(row, False, x, t)
            sd = sigma.copy()
            if is_radar:
                sd[1] /= max(math.cos(z[2]), 0.02)
            z[:n] += sd * self.random.standard_normal(n)
            found.append((t, z, sd, k))
        for _ in range(int(self.random.poisson(m.false_per_scan))):
            u = self.random.random(3)
            sd = sigma.copy()
            if is_radar:
                low, high = math.sin(m.el_min), math.sin(m.el_max)
                z = np.array([
                    m.range_min + (m.range_max - m.range_min) * u[0], m.sector[0] + width * u[1],
                    math.asin(low + (high - low) * u[2]), 0.0,
                ])  # fmt: skip
                sd[1] /= max(math.cos(z[2]), 0.02)
            else:  # even by solid angle over the disc of the Earth
                c = 1.0 - (1.0 - math.cos(math.asin(A / _GEO))) * u[0]
                w = 2.0 * math.pi * u[1]
                side = math.sqrt(1.0 - c * c)
                z = np.array([math.atan2(side * math.sin(w), c), math.asin(side * math.cos(w)), 0.0, 0.0])
            into = (z[1 if is_radar else 0] - row["az_from"]) % (2.0 * math.pi) / width
            found.append((t0 + (t1 - t0) * into, z, sd, -1))
        found.sort(key=lambda f: tuple(f[1]))
        dets = empty(DETECTION, len(found))
        for i, (t, z, sd, k) in enumerate(found):
            dets[i] = detection(s, number, i, t, z, sd)
            self.cause[s.n, number, i] = k
        row["n_detections"] = len(found)
        return scans, dets


def _sigma(s: Sensor) -> Array:
    m = s.model
    if isinstance(m, Radar):
        return np.array([m.sigma_range, m.sigma_angle, m.sigma_angle])
    return np.array([m.sigma_floor, m.sigma_floor])


def scan_row(s: Sensor, number: int, t0: float, t1: float) -> Table:
    """The row of a scan from ``t0`` to ``t1`` (s), without detections yet."""
    m = s.model
    scans = empty(SCAN, 1)
    row = scans[0]
    row["sensor"], row["scan"], row["t0_ns"], row["t1_ns"] = s.n, number, round(t0 * NS), round(t1 * NS)
    row["arrive_ns"], row["clutter"] = row["t1_ns"], m.false_per_scan
    if isinstance(m, Radar):
        theta = THETA0 + OMEGA_GMST * t0
        row["region"] = Region.SECTOR
        row["platform"] = to_eci(np.r_[geodetic_to_ecef([m.lat, m.lon, m.h]), np.zeros(3)], theta)
        row["attitude"] = np.concatenate([to_eci(e, theta) for e in enu_axes(m.lat, m.lon)])
        row["az_from"], row["az_to"], row["el_min"], row["el_max"] = *m.sector, m.el_min, m.el_max
        row["range_min"], row["range_max"], row["sensitivity"] = m.range_min, m.range_max, m.reference_range
        return scans
    a, r = m.orbit.m0 + math.sqrt(MU / m.orbit.a**3) * t0, m.orbit.a
    v = math.sqrt(MU / r)
    row["region"] = Region.VIEW
    row["platform"] = [r * math.cos(a), r * math.sin(a), 0.0, -v * math.sin(a), v * math.cos(a), 0.0]
    row["attitude"] = [-math.sin(a), math.cos(a), 0.0, -math.cos(a), -math.sin(a), 0.0, 0.0, 0.0, 1.0]
    half = math.asin((A + _VIEW_RISE) / r)
    row["az_from"], row["az_to"], row["el_min"], row["el_max"] = -half, half, -half, half
    row["range_min"], row["range_max"], row["sensitivity"] = r - A - _VIEW_RISE, r + _VIEW_RISE, m.least_intensity
    return scans


def looks_of(row: NDArray[np.void], kind: int, t: float) -> Looks:
    """One look at ``t`` (s) in a scan, with nothing measured yet."""
    return Looks(
        np.array([kind]), np.array([int(row["region"])]), np.array([t]), np.array([t - int(row["t0_ns"]) / 1e9]),
        np.array(row["platform"])[None], np.array(row["attitude"])[None], np.zeros((1, 4)), np.zeros((1, 4, 4)),
        np.array([3 if kind == Kind.RAE else 2]),
    )  # fmt: skip


def measured(row: NDArray[np.void], is_radar: bool, x: Array, t: float) -> Array:
    """What a sensor measures of a state (4), without error."""
    return predict(x[None, :6], looks_of(row, Kind.RAE if is_radar else Kind.LOS, t))[0][0]


def hidden(platform: Array, x: Array) -> bool:
    """Whether the Earth (as a sphere) stands between."""
    p, d = np.asarray(platform[:3]), x[:3] - platform[:3]
    far = float(-(p * d).sum() / (d * d).sum())
    nearest = p + min(far, 1.0) * d
    return far < 1.0 and float((nearest * nearest).sum()) < A * A


_PLACE = {(i, j): sum(4 - a for a in range(i)) + j - i for i in range(4) for j in range(i, 4)}


def detection(s: Sensor, scan: int, n: int, t: float, z: Array, sd: Array) -> NDArray[np.void]:
    """A row of ``DETECTION`` with independent errors ``sd``."""
    d = empty(DETECTION, 1)[0]
    d["sensor"], d["scan"], d["n"], d["t_ns"], d["arrive_ns"] = s.n, scan, n, round(t * NS), round(t * NS)
    d["kind"], d["mask"] = (Kind.RAE, 7) if len(sd) == 3 else (Kind.LOS, 3)
    d["z"] = z
    for i, v in enumerate(sd):
        d["R"][_PLACE[i, i]] = v * v
    return d


def frames(scans: Sequence[tuple[Table, Table]], at: Sequence[float]) -> Iterator[tuple[int, Table, Table]]:
    """(t1_ns, scans, detections) to step a tracker with: at each of the times ``at`` (s, rising), what ended since."""
    k = 0
    for t in at:
        t_ns = round(t * NS)
        s, d = [], []
        while k < len(scans) and int(scans[k][0]["t1_ns"][0]) <= t_ns:
            s.append(scans[k][0])
            d.append(scans[k][1])
            k += 1
        yield t_ns, np.concatenate(s) if s else empty(SCAN), np.concatenate(d) if d else empty(DETECTION)
