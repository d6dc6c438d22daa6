# ruff: noqa: D103 - what a row measures stands in its decorator
"""The tracker beside Stone Soup 1.9.1: the same detections, the same models, the same Jacobians.

Scenes as in ``validation/local_frame.py``: objects in a frame that does not turn, two radars at 1 Hz with 30 m and
0.1 deg, one detection in ten missing, ten false ones a scan, 60 s. Both trackers start from the same errors and
neither starts nor ends tracks; both gate at a Mahalanobis distance of 5 and choose the assignment of greatest
likelihood (global nearest neighbour). Gravity with its gradient and the measurements with theirs come from the same
kernels; predicting, gating, assigning and correcting are each program's own. The tracker runs as a plain extended
filter in Cartesian axes (``charts=False, anew=False``), which is what Stone Soup's is. A last row shows what the
tracker's own ways change.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from tocsin.measures.gospa import gospa
from tocsin.tracking import Tracking
from validation.local_frame import GATE, NOISE, Scene, observers, scene
from validation.run import Book, Measured, at_least, at_most
from validation.stone_soup import run as stone_soup

book = Book("peer", "The tracker beside Stone Soup", __doc__)
_PEER = "Stone Soup 1.9.1 in the same run"
_SECONDS = 60
_SEEDS = {10: (1, 2, 3), 50: (1,)}


@dataclass(frozen=True)
class _Ran:
    """Mean GOSPA (m) over the scans, root mean square errors of position and velocity, pairs (track, row)."""

    gospa: float
    position: float
    velocity: float
    pairs: frozenset[tuple[int, int]]


def _score(world: Scene, told: list[Any], pairs: list[tuple[int, int]]) -> _Ran:
    metric = [gospa(world.truth[k, :, :3], x[:, :3], 5e3).distance for k, x in enumerate(told)]
    error = np.array(told) - world.truth[: len(told)]
    near = np.sqrt((error[:, :, :3] ** 2).sum(axis=2)) < 5e3  # a track that went with another object is no error of it
    position = float(np.sqrt((error[near][:, :3] ** 2).sum(axis=1).mean()))
    velocity = float(np.sqrt((error[near][:, 3:] ** 2).sum(axis=1).mean()))
    return _Ran(float(np.mean(metric)), position, velocity, frozenset(pairs))


def tracking(**more: Any) -> Tracking:
    """The tracker as a plain filter with global nearest neighbour, unless ``more`` says otherwise."""
    plain: dict[str, Any] = {
        "models": ("coast",), "association": "gnn", "noise": {"coast": NOISE}, "charts": False, "anew": False,
        "initiation": False, "deletion": False, "gate": (GATE**2,) * 5,
    }  # fmt: skip
    return Tracking(observers(), **{**plain, **more})


@functools.cache
def _ours(n: int, seed: int, own: bool = False) -> _Ran:
    world = scene(n, _SECONDS, seed)
    t = tracking(charts=True, anew=True) if own else tracking()
    numbers = t.start(world.x0, world.P0, 0.0)
    told: list[Any] = []
    for step in t.steps(world.table, every_s=0.5):
        rows = step.told.tracks
        told.append(rows["x"][np.searchsorted(rows["track"], numbers)].copy())
    place = {number: i for i, number in enumerate(numbers)}
    pairs = []
    for number in numbers:
        found = t.history(number)
        pairs += [(place[number], int(r)) for r in found["row"].to_pylist()]
    return _score(world, told, pairs)


@functools.cache
def _theirs(n: int, seed: int) -> _Ran:
    world = scene(n, _SECONDS, seed)
    told: list[Any] = []
    pairs, _ = stone_soup(world, tree=n > 20, tell=lambda _, x: told.append(x))
    return _score(world, told, pairs)


def _rows(n: int) -> None:
    seeds = _SEEDS[n]

    @book.row(f"N = {n}: GOSPA, relative difference", target=at_most(1e-3), unit="", source=_PEER)
    def difference() -> Measured:
        both = [(_ours(n, s), _theirs(n, s)) for s in seeds]
        worst = max(abs(a.gospa - b.gospa) / b.gospa for a, b in both)
        said = ", ".join(f"{a.gospa:.1f} m ({b.gospa:.1f} m)" for a, b in both)
        return Measured(worst, note=f"greatest of {len(seeds)} seeds; mean GOSPA ours (theirs): {said}")

    @book.row(f"N = {n}: equal assignments", target=at_least(0.999), unit="", source=_PEER)
    def assignments() -> Measured:
        same = sum(len(_ours(n, s).pairs & _theirs(n, s).pairs) for s in seeds)
        all_ = sum(len(_ours(n, s).pairs | _theirs(n, s).pairs) for s in seeds)
        return Measured(same / all_, note=f"{same} of {all_} pairs of track and detection that either chose")

    @book.row(f"N = {n}: errors, greatest relative difference", target=at_most(1e-3), unit="", source=_PEER)
    def errors() -> Measured:
        both = [(_ours(n, s), _theirs(n, s)) for s in seeds]
        worst = max(
            max(abs(a.position - b.position) / b.position, abs(a.velocity - b.velocity) / b.velocity) for a, b in both
        )
        a = both[0][0]
        return Measured(worst, note=f"first seed: {a.position:.1f} m, {a.velocity:.2f} m/s")


for _n in _SEEDS:
    _rows(_n)


@book.row(
    "N = 50: GOSPA of the tracker with its charts and iterations, over Stone Soup's", target=at_most(1.001), unit="",
    source=_PEER,
)  # fmt: skip
def own_ways() -> Measured:
    a, b = _ours(50, 1, True), _theirs(50, 1)
    return Measured(a.gospa / b.gospa, note=f"{a.gospa:.1f} m over {b.gospa:.1f} m; one seed")
