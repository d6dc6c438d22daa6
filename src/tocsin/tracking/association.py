"""Which detection comes from which track: global nearest neighbour, component by component.

Pairs that passed the gate carry a gain (logarithm of the likelihood ratio against a false detection). Tracks and
detections that are linked through pairs form a component; each is solved on its own by an optimal assignment, so that
what happens far away cannot change a bit here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEVER = -1e12


def assign(
    tracks: NDArray[np.int64], detections: NDArray[np.int64], gain: NDArray[np.float64]
) -> list[tuple[int, int, int]]:
    """The assignment of greatest total gain among pairs with a gain over zero: list of (track, detection, place of the
    pair).

    ``tracks``, ``detections``, ``gain`` (k,): one row a pair. Each track and each detection is used once at most.
    """
    useful = [int(i) for i in np.flatnonzero(gain > 0.0)]
    if not useful:
        return []
    if len(useful) == 1:
        i = useful[0]
        return [(int(tracks[i]), int(detections[i]), i)]
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(node: tuple[int, int]) -> tuple[int, int]:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for i in useful:
        a, b = root((0, int(tracks[i]))), root((1, int(detections[i])))
        if a != b:
            parent[max(a, b)] = min(a, b)
    groups: dict[tuple[int, int], list[int]] = {}
    for i in useful:
        groups.setdefault(root((0, int(tracks[i]))), []).append(i)
    chosen: list[tuple[int, int, int]] = []
    for group in groups.values():
        if len(group) == 1:
            i = group[0]
            chosen.append((int(tracks[i]), int(detections[i]), i))
            continue
        rows = sorted({int(tracks[i]) for i in group})
        columns = sorted({int(detections[i]) for i in group})
        row = {t: k for k, t in enumerate(rows)}
        column = {d: k for k, d in enumerate(columns)}
        from scipy.optimize import linear_sum_assignment  # most runs have no such component and are spared its import

        # one column of no gain for each track: it may stay without a detection
        table = np.full((len(rows), len(columns) + len(rows)), _NEVER)
        table[np.arange(len(rows)), len(columns) + np.arange(len(rows))] = 0.0
        place = {}
        for i in group:
            r, c = row[int(tracks[i])], column[int(detections[i])]
            table[r, c] = gain[i]
            place[r, c] = i
        for r, c in zip(*linear_sum_assignment(table, maximize=True), strict=True):
            if c < len(columns):
                i = place[int(r), int(c)]
                chosen.append((int(tracks[i]), int(detections[i]), i))
    chosen.sort()
    return chosen
