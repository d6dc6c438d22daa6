"""Radars: sight of many positions, a crowded frame, all scans of a half-hour scene, the catalogue over a day."""

from __future__ import annotations

import functools
import sys

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.orbits import MINUTES, _sets
from benchmarks.run import process, row, seconds
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.kernels import coast_nodes
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST, gmst82, to_ecef, to_eci
from tocsin.earth.random import normals
from tocsin.measures.coverage import choose_class, cover
from tocsin.scenario import Scenario
from tocsin.scenario.specs import FlightClass, Infrared, Orbit, Radar, Sensor, WorldSpec
from tocsin.sensing.rig import Rig
from tocsin.sensing.targets import Targets
from tocsin.sensing.visibility import Sight

_THETA0 = 1.0
_DEG = np.pi / 180.0
_Array = NDArray[np.float64]


def _radar(k: int, **changes: object) -> Radar:
    """A two-faced radar somewhere between 35 and 75 deg of latitude."""
    lat, lon = (35.0 + 40.0 * ((k * 0.618) % 1.0)) * _DEG, (-180.0 + 360.0 * ((k * 0.755) % 1.0)) * _DEG
    az = 2.0 * np.pi * ((k * 0.324) % 1.0)
    values: dict[str, object] = {
        "lat": lat, "lon": lon, "h": 100.0, "boresights": ((az + 60 * _DEG, 0.35), (az + 180 * _DEG, 0.35)),
        "sector": (az, az + 240 * _DEG), "el_min": 3 * _DEG, "el_max": 85 * _DEG, "range_min": 1e5, "range_max": 5.5e6,
        "reference_range": 3.3e6, "reference_snr": 30.0, "frequency": 435e6, "beam_az": 0.038, "beam_el": 0.038,
        "bandwidth": 1e6, "pfa": 1e-6, "false_per_scan": 0.02, "scan_period": 5.0, "latency": 1.0, "sigma_range": 20.0,
        "sigma_angle": 1e-3,
    }  # fmt: skip
    return Radar(**{**values, **changes})  # type: ignore[arg-type]


def _satellite(k: int) -> Infrared:
    return Infrared(
        orbit=Orbit(42_164_172.0, 0.0, 0.0, 0.0, 0.0, k * 1.3), scan_period=10.0, least_intensity=20e3,
        threshold_snr=6.0, reference_distance=38e6, cloud_top=10e3, sigma_pointing=60e-6, sigma_floor=20e-6,
        false_per_scan=0.02, latency=5.0, limb=20e3,
    )  # fmt: skip


def _sensors(radars: int, satellites: int) -> tuple[Sensor, ...]:
    models: list[Radar | Infrared] = [*(_radar(k) for k in range(radars)), *(_satellite(k) for k in range(satellites))]
    return tuple(Sensor(n, f"s{n:03}", "s", "x", model) for n, model in enumerate(models))


def _arcs(n: int, last_s: float) -> Targets:
    """Objects in free flight, spread over the northern half of the Earth."""
    u = normals(5, 0, 0, 4 * n).reshape(n, 4)
    nodes = []
    for k in range(n):
        lat, lon = (50.0 + 10.0 * np.clip(u[k, 0], -3, 3)) * _DEG, np.pi * np.clip(u[k, 1] / 2.0, -1, 1)
        axes = wgs84.enu_axes(lat, lon)
        p = wgs84.geodetic_to_ecef(np.array([lat, lon, 250e3]))
        v = axes.T @ (np.array([np.cos(u[k, 2]), np.sin(u[k, 2]), 1.0]) * 4200.0)
        x = to_eci(np.concatenate([p, v]), _THETA0)
        room = np.empty((4000, 10))
        count = coast_nodes(np.ascontiguousarray(x), 0.0, last_s, 0.0, room)
        nodes.append(room[:count].copy())
    burns = [(0, 0, round(last_s) * NS, 3e5)]
    return Targets.of(Ephemeris([0] * n, nodes), range(1, n + 1), np.full((n, 2), 1.0), np.full(n, 60 * NS), burns)


@functools.cache
def _sight() -> Sight:
    return Sight([_radar(k) for k in range(50)])


@row("sight", "positions tested against radars (limits, horizon, faces)", unit="M/s", better="more", target=100.0)
def sight() -> list[float]:
    u = normals(3, 0, 0, 60_000).reshape(-1, 3)
    ecef = u / np.sqrt((u * u).sum(axis=1))[:, None] * (6.9e6 + 1e5 * u[:, :1])
    out = np.empty((50, len(ecef)), dtype=np.bool_)
    return [out.size / seconds(lambda: _sight().lit(ecef, out)) / 1e6 for _ in range(5)]


@functools.cache
def _crowd() -> tuple[Rig, Targets]:
    models = [_radar(k, scan_period=1.0) for k in range(60)]
    sensors = tuple(Sensor(n, f"s{n:03}", "s", "x", model) for n, model in enumerate(models))
    return Rig(sensors, _THETA0, 1), _arcs(1000, 900.0)


@row("crowded-frame", "1,000 objects, 60 radars that all end a scan in the frame", unit="ms", target=10.0)
def crowded_frame() -> list[float]:
    rig, what = _crowd()
    return [1e3 * seconds(lambda t=t: rig.step(t * NS, (t + 1) * NS, what)) for t in range(60, 70)]  # type: ignore[misc]


@functools.cache
def _half_hour() -> tuple[Rig, Targets]:
    return Rig(_sensors(30, 4), _THETA0, 1), _arcs(1, 1800.0)


@row("half-hour", "all scans of 34 sensors over 30 min, one object, in one step", unit="ms", target=50.0)
def half_hour() -> float:
    rig, what = _half_hour()
    return 1e3 * seconds(lambda: rig.step(0, 1790 * NS, what))


@row("half-hour-frames", "the same in 1,790 frames of 1 s", unit="ms", runs=3)
def half_hour_frames() -> float:
    rig, what = _half_hour()
    return 1e3 * seconds(lambda: [rig.step(t * NS, (t + 1) * NS, what) for t in range(1790)])


@functools.cache
def _map_world() -> tuple[WorldSpec, FlightClass]:
    world, _ = Scenario.load("hokkaido-2017").split(gmst82)
    return msgspec.structs.replace(world, sensors=_sensors(22, 0)), choose_class(world, "icbm-liquid")


@row(
    "coverage-map", "`tocsin coverage` of 22 radars: an ICBM from every cell of a 2 deg grid to Moscow (16,200 cells)",
    unit="s", target=60.0, runs=3,
)  # fmt: skip
def coverage_map() -> float:
    world, flight_class = _map_world()
    moscow = (55.75 * _DEG, 37.62 * _DEG)
    return seconds(lambda: cover(world, flight_class, moscow, "Moscow", 2.0))


def catalogue_sight() -> int:
    """How many (radar, satellite, minute) are in sight over the day."""
    sets, count = _sets(), 0
    theta0 = gmst82(int(MINUTES[0]))
    for block in sets.stream(MINUTES, 60):
        theta = theta0 + OMEGA_GMST * ((block.times - MINUTES[0]) / 1e9)
        for k, angle in enumerate(theta):
            ecef = to_ecef(np.ascontiguousarray(block.states[:, k, :3]), angle)
            count += int(np.count_nonzero(_sight().lit(ecef)))
    return count


@row("catalogue-sight", "6,789 satellites x 1,440 minutes x 50 radars, SGP4 included", unit="s", target=40.0, runs=3)
def catalogue_sight_time() -> float:
    return seconds(catalogue_sight)


@row(
    "catalogue-sight-memory", "the same in a process of its own, peak memory", unit="MB", target=1500.0, runs=1,
    warmups=0,
)  # fmt: skip
def catalogue_sight_memory() -> float:
    return process([sys.executable, "-c", "from benchmarks.sensing import catalogue_sight as c; c()"]).peak_mb
