"""Flights with their looks for the tests of the estimators: drawn from a believed class, flown, and measured through
``h``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tocsin.dynamics.kernels import coast_to, fall
from tocsin.dynamics.thrust import fly_boost
from tocsin.earth.frames import OMEGA_GMST, to_eci
from tocsin.earth.wgs84 import enu_axes, geodetic_to_ecef
from tocsin.records.columns import DETECTION, KIND_SIZE, SCAN, TRACK, Kind, Region, empty, pack_symmetric
from tocsin.scenario.specs import (
    Area,
    FlightClass,
    Infrared,
    NationSpec,
    Orbit,
    Radar,
    Sensor,
    Spread,
    Stage,
    WarningRule,
)
from tocsin.tracking.measure import h
from tocsin.tracking.tracker import History
from tocsin.warning.boostfit import model_of
from tocsin.warning.coasting import best_range

THETA0 = 1.234
SIGMA = 50e-6
RADAR = 2


def make_class(
    id="middle", energy="cutoff", prior=1.0, thrust=16.0, burn=150.0, low=500e3, high=3500e3, intensity=2e5, **changes
):
    values = {
        "id": id,
        "title": id,
        "family": "ballistic",
        "energy": energy,
        "stages": (
            Stage(
                Spread(burn, 4.0),
                Spread(thrust, 0.5),
                Spread(2800.0, 50.0),
                Spread(0.0),
                Spread(intensity, 0.2 * intensity),
            ),
        ),
        "vertical": Spread(8.0, 1.5),
        "pitch": Spread(50.0, 6.0),
        "beta_boost": Spread(8000.0, 1500.0),
        "beta": Spread(5000.0, 1200.0),
        "rcs_boost": Spread(10.0),
        "rcs": Spread(1.0),
        "burnout_height": Spread(150e3, 40e3),
        "burnout_downrange": Spread(150e3, 50e3),
        "energy_range": (low, high),
        "prior": prior,
    }
    return FlightClass(**(values | changes))


MIDDLE = make_class()
SHORT = make_class("short", thrust=24.0, burn=75.0, low=200e3, high=900e3, intensity=5e4)


def make_spec(classes=(MIDDLE,), areas=(), theta0=THETA0, below=0.01):
    gap = Orbit(42164e3, 0.0, 0.0, 0.0, 0.0, 0.0)
    infrared = Infrared(gap, 10.0, 1e4, 6.0, 38e6, 8e3, SIGMA, SIGMA, 0.0, 1.0, 30e3)
    limits = (0.05, 1.4, 1e5, 5e6, 2e6, 30.0, 1e9, 0.02, 0.02, 1e6, 1e-6, 0.0, 5.0, 0.5, 30.0, 1e-3)
    radar = Radar(0.0, 0.0, 0.0, ((0.0, 0.3),), (0.0, 0.0), *limits)
    sensors = (
        Sensor(0, "a", "a", "n", infrared),
        Sensor(1, "b", "b", "n", infrared),
        Sensor(RADAR, "r", "r", "n", radar),
    )
    rule = WarningRule(4, 10.0, 1, True, below, 5.0, 1.0)
    return NationSpec("n", "n", 0, theta0, 10**9, 10**12, 1, sensors, tuple(classes), tuple(areas), (), rule, (), ())


def square(id, lat, lon, half_deg):
    """An area of +- half a side about a point (degrees)."""
    west, east, south, north = lon - half_deg, lon + half_deg, lat - half_deg, lat + half_deg
    ring = [(west, south), (east, south), (east, north), (west, north)]
    return Area(id, id, "territory", (tuple((math.radians(x), math.radians(y)) for x, y in ring),))


@dataclass
class Flight:
    site: tuple[float, float]
    t_launch: float
    nodes: np.ndarray
    t_cut: float
    x_cut: np.ndarray
    impact: tuple[float, float]
    t_impact: float
    theta0: float
    beta: float
    intensity: float

    def state(self, t):
        out = np.empty(6)
        if t >= self.t_cut:
            coast_to(self.x_cut, self.t_cut, t, self.theta0, self.beta, out)
        else:
            i = int(np.searchsorted(self.nodes[:, 0], t, side="right")) - 1
            a, b = self.nodes[i], self.nodes[i + 1]
            dt = b[0] - a[0]
            s = (t - a[0]) / dt
            out[:3] = (
                (2 * s**3 - 3 * s**2 + 1) * a[1:4]
                + (s**3 - 2 * s**2 + s) * dt * a[4:7]
                + (3 * s**2 - 2 * s**3) * b[1:4]
                + (s**3 - s**2) * dt * b[4:7]
            )
            out[3:] = a[4:7] + s * (b[4:7] - a[4:7])
        return out


def cut(rng, spread):
    """Normal, cut at three spreads, as the specs define it."""
    while True:
        z = rng.standard_normal()
        if abs(z) <= 3.0:
            return spread.nominal + spread.spread * z


def draw_flight(rng, c=MIDDLE, theta0=THETA0, site=None):
    """One flight of a class: its numbers from their spreads, thrust tilted like the belief, energy even over the
    class's range.
    """
    while True:
        stages, ignition = [], 0.0
        for stage in c.stages:
            burn, thrust, exhaust, coast = (cut(rng, s) for s in (stage.burn, stage.thrust, stage.exhaust, stage.coast))
            stages.append((ignition, burn, thrust, exhaust))
            ignition += burn + coast
        tilt = math.hypot(*(rng.standard_normal(2) * math.radians(30.0)))
        if rng.uniform() < 0.7:
            tilt = abs(model_of(c).best_tilt + math.radians(12.0) * rng.standard_normal())
        azimuth = rng.uniform(0.0, 2.0 * math.pi)
        where = site or (math.radians(rng.uniform(-60.0, 70.0)), rng.uniform(-math.pi, math.pi))
        t0 = rng.uniform(0.0, 500.0)
        vertical, pitch, beta_boost, beta = (cut(rng, s) for s in (c.vertical, c.pitch, c.beta_boost, c.beta))
        share = rng.uniform()
        if tilt > math.radians(65.0):
            continue
        nodes = np.empty((2000, 7))

        plan = (np.array(stages), vertical, pitch, beta_boost, 0.5 * math.pi - tilt, azimuth)
        rows = fly_boost(*plan, 1e9, *where, 0.0, t0, theta0, 0.5, nodes)
        top = best_range(nodes[rows - 1, 1:])
        energy = np.array([best_range(x) for x in nodes[:rows, 1:]])
        low, high = c.energy_range
        if c.energy == "cutoff":
            if top < low:
                continue
            goal = low + share * (min(top, high) - low)
            i = int(np.argmax(energy >= goal))
            part = (goal - energy[i - 1]) / (energy[i] - energy[i - 1])
            end = nodes[i - 1, 0] + part * (nodes[i, 0] - nodes[i - 1, 0]) - t0
            rows = fly_boost(*plan, end, *where, 0.0, t0, theta0, 0.5, nodes)
        out = np.empty(7)
        x_cut = nodes[rows - 1, 1:].copy()
        fall(x_cut, nodes[rows - 1, 0], theta0, beta, out)
        if out[0] < 0.5:
            continue
        return Flight(
            where,
            t0,
            nodes[:rows].copy(),
            nodes[rows - 1, 0],
            x_cut,
            (out[2], out[3]),
            out[1],
            theta0,
            beta,
            c.stages[0].intensity.nominal,
        )


def geo_scan(sensor, number, t0, lon, theta0):
    """A scan row of a geostationary satellite over ``lon`` that looks down with north up."""
    row = np.zeros(1, dtype=SCAN)
    angle = lon + theta0 + OMEGA_GMST * t0
    r = 42164e3
    p = np.array([r * math.cos(angle), r * math.sin(angle), 0.0])
    v = OMEGA_GMST * np.array([-p[1], p[0], 0.0])
    down = -p / r
    up = np.array([0.0, 0.0, 1.0])
    row["sensor"], row["scan"], row["t0_ns"], row["t1_ns"] = sensor, number, round(t0 * 1e9), round((t0 + 10.0) * 1e9)
    row["region"] = Region.VIEW
    row["platform"], row["attitude"] = np.concatenate([p, v]), np.concatenate([np.cross(down, up), down, up])
    return row


def radar_scan(number, t0, lat, lon, theta0):
    row = np.zeros(1, dtype=SCAN)
    theta = theta0 + OMEGA_GMST * t0
    place = to_eci(np.concatenate([geodetic_to_ecef([lat, lon, 0.0]), np.zeros(3)]), theta)
    row["sensor"], row["scan"], row["t0_ns"], row["t1_ns"] = RADAR, number, round(t0 * 1e9), round((t0 + 5.0) * 1e9)
    row["region"] = Region.SECTOR
    row["platform"], row["attitude"] = place, to_eci(enu_axes(lat, lon), theta).ravel()
    return row


def measured(rng, scan, t, x, kind, sigmas, intensity=0.0):
    """A detection of a state in a scan: errors of the true sigmas; the reported R is off by some 15 %, as from a
    measured SNR.
    """
    row = np.zeros(1, dtype=DETECTION)
    z, hx, hb, ht = np.empty(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4)
    t_ns = round(t * 1e9)
    place, axes = scan["platform"][0].copy(), scan["attitude"][0].copy()
    h(kind, x, (t_ns - int(scan["t0_ns"][0])) / 1e9, int(scan["region"][0]), place, axes, np.zeros(4), z, hx, hb, ht)
    n = KIND_SIZE[kind]
    noise = np.zeros((4, 4))
    reported = math.exp(0.15 * rng.standard_normal())
    for i in range(n):
        z[i] += sigmas[i] * rng.standard_normal()
        noise[i, i] = (sigmas[i] * reported) ** 2
    row["sensor"], row["scan"], row["t_ns"] = scan["sensor"], scan["scan"], t_ns
    row["kind"], row["mask"] = kind, (1 << n) - 1
    row["z"], row["R"], row["arrive_ns"] = z, pack_symmetric(noise), t_ns
    row["intensity"] = intensity * math.exp(0.1 * rng.standard_normal())
    return row


def infrared_history(rng, flight, until, satellites=(-0.5, 0.45)):
    """Looks of geostationary satellites (longitudes off the site's) every 10 s from 8 km up to the end of thrust."""
    rows, scans = [], []
    for k, off in enumerate(satellites):
        phase = rng.uniform(0.0, 10.0)
        for j in range(200):
            t = flight.t_launch + phase + 10.0 * j
            if t > until or t > flight.t_cut:
                break
            x = flight.state(t)
            if np.linalg.norm(x[:3]) < 6378137.0 * (1 - math.sin(flight.site[0]) ** 2 / 298.0) + 8e3:
                continue
            scan = geo_scan(k, j, t - 1.0, flight.site[1] + off, flight.theta0)
            rows.append(measured(rng, scan, t, x, Kind.LOS, (SIGMA, SIGMA), flight.intensity))
            scans.append(scan)
    return in_order(rows, scans)


def radar_looks(rng, flight, times, lat, lon, sigmas=(30.0, 2e-3, 2e-3)):
    rows, scans = [], []
    for j, t in enumerate(times):
        scan = radar_scan(j, t - 0.2, lat, lon, flight.theta0)
        rows.append(measured(rng, scan, t, flight.state(t), Kind.RAE, sigmas))
        scans.append(scan)
    return in_order(rows, scans)


def in_order(rows, scans):
    if not rows:
        return History(empty(DETECTION), empty(SCAN))
    d, s = np.concatenate(rows), np.concatenate(scans)
    order = np.lexsort((d["sensor"], d["t_ns"]))
    return History(d[order], s[order])


def joined(a, b):
    return in_order([a.detections, b.detections], [a.scans, b.scans])


def track_row(x, P, t, p_boost=1.0):
    row = np.zeros(1, dtype=TRACK)
    row["t_ns"], row["x"], row["P"] = round(t * 1e9), x, pack_symmetric(P)
    row["mu"] = [p_boost, 1.0 - p_boost, 0.0, 0.0, 0.0, 0.0]
    return row[0]
