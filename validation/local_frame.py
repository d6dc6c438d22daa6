"""Scenes of the benchmark that trackers are compared on: many objects in a frame that does not turn, two radars.

The frame's origin stands at (0, 0, 6371) km of eci; x, y, z are its east, north and up. Truth flies under the gravity
that the tracker has. Radar 1 rests at the origin, radar 2 at (250, -60) km; each sees range, azimuth and elevation once
a second (radar 2 half a second after radar 1) with 30 m, 0.1 deg, 0.1 deg and probability 0.9, and some ten false
detections a scan, Poisson, even over the box in which objects start. Objects start with x within 300 km, y from 400
to 900 km, z from 80 to 150 km, at 2.5 to 3.2 km/s in any heading, climbing 30 to 50 deg. Tracks start from truth with
errors of 500 m and 50 m/s on each axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.tracking.observers import Observer

Array = NDArray[np.float64]

ORIGIN = np.array([0.0, 0.0, 6371e3])
RADARS = np.array([[0.0, 0.0, 0.0], [250e3, -60e3, 0.0]])
NAMES = ("one", "two")
SIGMA = np.array([30.0, math.radians(0.1), math.radians(0.1)])
PD = 0.9
FALSE = 10.0
START_SD = np.array([500.0] * 3 + [50.0] * 3)
NOISE = 0.01  # m2/s3
GATE = 5.0
_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_LOW, _HIGH = np.array([-300e3, 400e3, 80e3]), np.array([300e3, 900e3, 150e3])


def observers() -> list[Observer]:
    """The two radars as a researcher tells of them."""
    return [
        Observer.at_rest(
            name, position_m=ORIGIN + place, axes=_AXES, scan_period_s=1.0, detection_probability=PD,
            false_alarms=FALSE, azimuth_deg=(-60.0, 60.0), elevation_deg=(0.0, 30.0), range_km=(200.0, 1400.0),
        )
        for name, place in zip(NAMES, RADARS, strict=True)
    ]  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """``times`` (m,) s of the scans, ``sensor`` (m,) whose they are; ``truth`` (m, n, 6) eci at these times;

    ``table``: detections as ``reading`` takes them, ordered by scan; ``at`` (rows,): the scan of each row; ``owner``
    (rows,): the object, -1 for a false one; ``x0`` (n, 6), ``P0`` (n, 6, 6): tracks to start from, at time 0.
    """

    times: Array
    sensor: NDArray[np.int64]
    truth: Array
    table: dict[str, Any]
    at: NDArray[np.int64]
    owner: NDArray[np.int64]
    x0: Array
    P0: Array


def states(n: int, rng: np.random.Generator) -> Array:
    """``n`` objects at time 0, (n, 6) eci."""
    x = np.empty((n, 6))
    x[:, :3] = ORIGIN + rng.uniform(_LOW, _HIGH, (n, 3))
    speed, climb = rng.uniform(2500.0, 3200.0, n), np.radians(rng.uniform(30.0, 50.0, n))
    heading = rng.uniform(0.0, 2.0 * np.pi, n)
    x[:, 3] = speed * np.cos(climb) * np.sin(heading)
    x[:, 4] = speed * np.cos(climb) * np.cos(heading)
    x[:, 5] = speed * np.sin(climb)
    return x


def measured(positions: Array, sensor: int) -> Array:
    """Range, azimuth, elevation (n, 3) of positions (n, 3) eci from one of the radars."""
    d = positions - ORIGIN - RADARS[sensor]
    r = np.sqrt((d * d).sum(axis=1))
    return np.column_stack((r, np.arctan2(d[:, 0], d[:, 1]), np.arcsin(d[:, 2] / r)))


def scene(n: int, seconds: int, seed: int, start: Array | None = None, false: float = FALSE) -> Scene:
    """A scene of ``n`` objects (or of the states ``start``) over whole ``seconds``, the first scan at 1 s."""
    rng = np.random.Generator(np.random.PCG64(seed))
    x = states(n, rng) if start is None else start.copy()
    n = len(x)
    x0 = x + rng.standard_normal((n, 6)) * START_SD
    times = np.sort(np.concatenate((np.arange(1.0, seconds + 1), np.arange(1.0, seconds + 1) + 0.5)))
    sensor = (np.arange(len(times)) % 2).astype(np.int64)
    truth = np.empty((len(times), n, 6))
    names: list[str] = []
    z: list[Array] = []
    at: list[NDArray[np.int64]] = []
    owner: list[NDArray[np.int64]] = []
    now, Phi = 0.0, np.empty((6, 6))
    for k, (t, s) in enumerate(zip(times, sensor, strict=True)):
        for i in range(n):
            coast_to_stm(x[i], now, t, 0.0, truth[k, i], Phi)
        x, now = truth[k].copy(), t
        seen = np.flatnonzero(rng.random(n) < PD)
        mine = measured(x[seen, :3], int(s)) + rng.standard_normal((len(seen), 3)) * SIGMA
        noise = measured(ORIGIN + rng.uniform(_LOW, _HIGH, (rng.poisson(false), 3)), int(s))
        both = np.concatenate((mine, noise))
        order = rng.permutation(len(both))
        z.append(both[order])
        owner.append(np.concatenate((seen, np.full(len(noise), -1)))[order])
        at.append(np.full(len(both), k))
        names += [NAMES[s]] * len(both)
    rows = np.concatenate(z)
    places = np.concatenate(at)
    table = {
        "sensor": names, "t_s": times[places], "measurement": rows,
        "covariance": np.broadcast_to(np.diag(SIGMA**2).ravel(), (len(rows), 9)),
    }  # fmt: skip
    P0 = np.broadcast_to(np.diag(START_SD**2), (n, 6, 6))
    return Scene(times, sensor, truth, table, places, np.concatenate(owner), x0, P0)
