"""Tracking many objects: time a scan, beside Stone Soup on the same detections; the batch kernel; memory.

Scenes of ``validation/local_frame.py``: N objects, two radars at 1 Hz, ten false detections a scan, tracks started from
truth with errors, none started or ended by the tracker. A scan's time is CPU time, from its detections laid out as the
tracker takes them (``columns.DETECTION``) to its tracks told; the first four seconds, in which the errors of the start
are worked off, are not counted. Stone Soup's is the time of associating and updating, without building its detections;
it runs as its users have it (own measurement model, gravity in NumPy, analytic Jacobians, its tree over detections
within 3 km of range), and once more with the tracker's kernels as its models.
"""

from __future__ import annotations

import functools
import statistics
import sys
import time
from typing import Any

import numpy as np
from validation.local_frame import NOISE, RADARS, Scene, observers, scene, states

from benchmarks.run import process, row
from tocsin.records.columns import Kind, Region
from tocsin.tracking import Tracking
from tocsin.tracking.settings import MODEL_NAME

_SKIP_S = 4.0
_SECONDS = 12
_ASTRAY = 5e3  # m: median error that no such scene has unless something is wrong, boxes included
_WORKS = 1e-6  # probability of a model that is at work
_PEER = "Stone Soup 1.9.1, analytic Jacobians, KD-tree"


@functools.cache
def _scene(n: int, seconds: int = _SECONDS) -> Scene:
    return scene(n, seconds, 5)


def _tracking(models: tuple[str, ...], association: str) -> Tracking:
    noise = {"coast": NOISE} if models == ("coast",) else {}
    return Tracking(
        observers(), models=models, association=association, noise=noise, initiation=False, deletion=False, lag_s=5.0
    )


def _scans(world: Scene, models: tuple[str, ...] = ("coast",), association: str = "gnn", most: int = 1 << 30) -> Any:
    """CPU seconds of each scan after the first ones, and the tracker."""
    tracker = _tracking(models, association)
    numbers = tracker.start(world.x0, world.P0, 0.0)
    took: list[float] = []
    told: Any = None
    steps = tracker.steps(world.table, every_s=0.5)
    for k in range(min(most, len(world.times))):
        began = time.process_time()
        told = next(steps)
        took.append(time.process_time() - began)
        if world.times[k] <= _SKIP_S:
            took.clear()
    # what is fast and wrong is no result
    rows = told.told.tracks
    off = rows["x"][np.searchsorted(rows["track"], numbers)][:, :3] - world.truth[k, :, :3]
    median = float(np.median(np.sqrt((off * off).sum(axis=1))))
    if not median < _ASTRAY:
        raise RuntimeError(f"the tracks have gone astray: median error {median:.0f} m")
    work = float((rows["mu"] > _WORKS).sum(axis=1).mean())
    if len(models) > 1 and work < 2.0:
        raise RuntimeError(f"no mixture: of {len(models)} models {work:.1f} a track are at work")
    return took, told


def _ms(n: int, models: tuple[str, ...] = ("coast",), association: str = "gnn") -> float:
    took, _ = _scans(_scene(n), models, association)
    return 1e3 * statistics.median(took)


@functools.cache
def _stone_soup_ms(n: int, usual: bool, scans: int = 14) -> float:
    from validation.stone_soup import run

    _, took = run(_scene(n), tree=True, scans=scans, clock=time.process_time, usual=usual)
    return 1e3 * statistics.median(took[int(2 * _SKIP_S) :])


@row("gnn-200", "a scan, 200 objects, one model, global nearest neighbour", unit="ms", target=5.0, runs=3)
def gnn_200() -> float:
    return _ms(200)


@row(
    "gnn-200-ratio", f"times as fast as {_PEER}: a scan, 200 objects", unit="x", better="more", target=100.0, runs=3,
    warmups=0,
)  # fmt: skip
def gnn_200_ratio() -> float:
    return _stone_soup_ms(200, True) / _ms(200)


@row(
    "gnn-200-ratio-kernels", "the same, Stone Soup calling the tracker's kernels for its models", unit="x",
    better="more", runs=3, warmups=0,
)  # fmt: skip
def gnn_200_ratio_kernels() -> float:
    return _stone_soup_ms(200, False) / _ms(200)


@row("gnn-1000", "a scan, 1,000 objects, one model, global nearest neighbour", unit="ms", target=25.0, runs=3)
def gnn_1000() -> float:
    return _ms(1000)


@row("gnn-5000", "a scan, 5,000 objects, one model, global nearest neighbour", unit="ms", target=250.0, runs=1)
def gnn_5000() -> float:
    return _ms(5000)


@row("imm-200", "a scan, 200 objects, six models, association by cluster", unit="ms", target=60.0, runs=1)
def imm_200() -> float:
    return _ms(200, MODEL_NAME, "auto")


@row("imm-1000", "a scan, 1,000 objects, six models, association by cluster", unit="ms", target=400.0, runs=1)
def imm_1000() -> float:
    return _ms(1000, MODEL_NAME, "auto")


# ------------------------------------------------------------------------------------------------------------- kernels


@functools.cache
def _batch(n: int = 20_000) -> Any:
    """``n`` states a moment before their detections by radar 1: arguments of the batch kernel and of the prediction."""
    from tocsin.tracking.belief import believe
    from tocsin.tracking.measure import Looks, predict
    from tocsin.tracking.models import COAST, Bank

    rng = np.random.Generator(np.random.PCG64(9))
    bank = Bank.of((COAST,), believe(()).parameters, 0.0)
    x = np.zeros((n, 1, 10))
    x[:, 0, :6] = states(n, rng)
    P = np.zeros((n, 1, 10, 10))
    P[:, 0, range(6), range(6)] = [300.0**2] * 3 + [30.0**2] * 3
    platform = np.zeros((n, 6))
    platform[:, :3] = np.array([0.0, 0.0, 6371e3]) + RADARS[0]
    k = np.zeros(n)
    R = np.zeros((n, 4, 4))
    R[:, range(3), range(3)] = np.array([30.0, 1.75e-3, 1.75e-3]) ** 2
    kind, three = np.full(n, Kind.RAE), np.full(n, 3)
    looks = Looks(
        kind, np.full(n, Region.SPACE), k + 1.0, k, platform, np.tile(np.eye(3).ravel(), (n, 1)), np.zeros((n, 4)), R,
        three,
    )  # fmt: skip
    looks.z[:] = predict(x[:, 0, :6], looks)[0]
    looks.z[:, :3] += rng.standard_normal((n, 3)) * np.array([30.0, 1.75e-3, 1.75e-3])
    return bank, x, P, np.ones((n, 1)), looks


def _update(charts: bool) -> float:
    from tocsin.tracking.filter import update_rows

    bank, x0, P0, mu0, looks = _batch()
    n = len(x0)
    before = (np.ascontiguousarray(x0[:, 0, :6]), np.ascontiguousarray(P0[:, 0, :6, :6]), np.zeros(n))
    x, P, mu = x0.copy(), P0.copy(), mu0.copy()
    none, chart, dets = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.arange(n)
    began = time.process_time()
    update_rows(bank, before, (x, P, mu), none, chart, np.zeros((n, 3)), 0, looks, dets, charts)
    return n / (time.process_time() - began) / 1e6


@row("updates", "extended updates in the batch kernel, range and two angles", unit="M/s", better="more", target=1.0)
def updates() -> float:
    return _update(False)


@row("updates-chart", "the same in the sensor's range-direction chart", unit="M/s", better="more")
def updates_chart() -> float:
    return _update(True)


@row("predict-update", "extended predictions over 1 s with their updates", unit="M/s", better="more")
def predict_update() -> float:
    from tocsin.tracking.filter import update_rows
    from tocsin.tracking.models import advance_rows

    bank, x0, P0, mu0, looks = _batch()
    n = len(x0)
    rows, chart = np.arange(n), np.zeros(n, dtype=np.int64)
    before = (np.ascontiguousarray(x0[:, 0, :6]), np.ascontiguousarray(P0[:, 0, :6, :6]), np.zeros(n))
    axes, memory = np.zeros((n, 9)), np.zeros((n, 2))
    began = time.process_time()
    carried = advance_rows(bank, rows, looks.t_s, x0, P0, mu0, axes, np.zeros(n), memory)
    update_rows(bank, before, carried, np.zeros(n, dtype=np.int64), chart, np.zeros((n, 3)), 0, looks, rows, False)
    return n / (time.process_time() - began) / 1e6


# -------------------------------------------------------------------------------------------------------- memory, boxes


def peak(n: int) -> None:
    """A process of its own: track ``n`` objects for a few seconds."""
    _scans(_scene(n, 6))


@functools.cache
def _peak_mb(n: int) -> float:
    return process([sys.executable, "-c", f"from benchmarks.tracking import peak; peak({n})"]).peak_mb


@row(
    "memory-growth", "peak memory: what 2,000 objects add to 2,000, over what 1,000 add to 1,000", unit="x", target=2.2,
    runs=1, warmups=0,
)  # fmt: skip
def memory_growth() -> float:
    return (_peak_mb(4000) - _peak_mb(2000)) / max(_peak_mb(2000) - _peak_mb(1000), 1.0)


@row("memory-4000", "peak memory of a process that tracks 4,000 objects", unit="MB", runs=1, warmups=0)
def memory_4000() -> float:
    return _peak_mb(4000)


def _box(heading: bool, spread: bool) -> Scene:
    """Ten objects started inside a cube of 3 km: random headings, one heading with spread speeds, or one velocity."""
    rng = np.random.Generator(np.random.PCG64(17))
    x = np.repeat(states(1, rng), 10, axis=0)
    x[:, :3] += rng.uniform(-1.5e3, 1.5e3, (10, 3))
    if heading:
        x[:, 3:] = states(10, rng)[:, 3:]
    elif spread:
        x[:, 3:] *= rng.uniform(0.9, 1.1, (10, 1))
    return scene(10, 30, 18, start=x)


def _real_time(heading: bool, spread: bool) -> float:
    world = _box(heading, spread)
    took, _ = _scans(world, ("coast",), "auto")
    return sum(took) / (world.times[-1] - _SKIP_S)


@row("box-headings", "ten objects in a box of 3 km, random headings: CPU s per s", unit="s", target=1.0, runs=1)
def box_headings() -> float:
    return _real_time(True, False)


@row("box-speeds", "the same with one heading and spread speeds", unit="s", target=1.0, runs=1)
def box_speeds() -> float:
    return _real_time(False, True)


@row("box-velocity", "the same with one velocity", unit="s", target=1.0, runs=1)
def box_velocity() -> float:
    return _real_time(False, False)
