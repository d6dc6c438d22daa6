"""Which detection comes from which track: components and the global nearest neighbour.

Pairs that passed the gate are sparse: row i says that detection ``dets[i]`` may come from track ``tracks[i]``, and
``gain[i]`` is the logarithm of the likelihood ratio against a false detection (with ln Pd in it). Tracks and detections
that pairs link form a component; nothing outside a component can change a bit inside it.

The assignment is the shortest augmenting path method (Jonker and Volgenant, Computing 38, 1987) on the sparse pairs,
each track beside a column of its own at gain zero in which it stays without a detection. Tracks are added in the order
of their numbers, and of paths of equal length the one to the detection with the lowest number is taken: whoever numbers
detections by what was measured has ties broken by measurement. The order in which pairs are given changes nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def _root(parent: Ints, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def _components(rows: Ints, columns: Ints, n_rows: int, n_columns: int, out: Ints) -> int:
    """Component of each pair into ``out``, numbered by first appearance; how many. Rows and columns count from 0."""
    parent = np.arange(n_rows + n_columns)
    for i in range(rows.shape[0]):
        a, b = _root(parent, rows[i]), _root(parent, n_rows + columns[i])
        if a != b:
            parent[max(a, b)] = min(a, b)
    number = np.full(n_rows + n_columns, -1)
    found = 0
    for i in range(rows.shape[0]):
        a = _root(parent, rows[i])
        if number[a] < 0:
            number[a] = found
            found += 1
        out[i] = number[a]
    return found


@kernel
def _push(heap_key: Array, heap_item: Ints, size: int, key: float, item: int) -> int:
    i = size
    while i > 0:
        up = (i - 1) // 2
        if heap_key[up] < key or (heap_key[up] == key and heap_item[up] <= item):
            break
        heap_key[i], heap_item[i] = heap_key[up], heap_item[up]
        i = up
    heap_key[i], heap_item[i] = key, item
    return size + 1


@kernel
def _pop(heap_key: Array, heap_item: Ints, size: int) -> int:
    """Remove the first entry (the caller has read it); the size left."""
    size -= 1
    key, item = heap_key[size], heap_item[size]
    i = 0
    while True:
        low = 2 * i + 1
        if low >= size:
            break
        other = low + 1
        if other < size and (
            heap_key[other] < heap_key[low] or (heap_key[other] == heap_key[low] and heap_item[other] < heap_item[low])
        ):
            low = other
        if key < heap_key[low] or (key == heap_key[low] and item <= heap_item[low]):
            break
        heap_key[i], heap_item[i] = heap_key[low], heap_item[low]
        i = low
    heap_key[i], heap_item[i] = key, item
    return size


@kernel
def _assign(first: Ints, columns: Ints, gain: Array, n_columns: int, chosen: Ints) -> None:
    """The pair of each row into ``chosen`` (-1: none), for pairs in order of rows, columns; all gains over zero.

    ``first`` (rows + 1,): where the pairs of each row begin. Costs are -gain; ``u``, ``v`` are the duals, v = 0 for
    columns not in use. A row's own column of cost zero is a way out that ends every search near its start.
    """
    n = first.shape[0] - 1
    u, v = np.zeros(n), np.zeros(n_columns)
    holder = np.full(n_columns, -1)  # row that has the column
    best = np.full(n_columns, math.inf)
    via = np.full(n_columns, -1)  # pair by which the column is reached
    done = np.zeros(n_columns, dtype=np.bool_)
    touched = np.empty(n_columns, dtype=np.int64)
    rows_seen = np.empty(n, dtype=np.int64)
    row_length = np.empty(n)
    room = columns.shape[0] + 1
    heap_key, heap_item = np.empty(room), np.empty(room, dtype=np.int64)
    row_of = np.empty(columns.shape[0], dtype=np.int64)
    for r in range(n):
        for i in range(first[r], first[r + 1]):
            row_of[i] = r
            u[r] = min(u[r], -gain[i])
    for start in range(n):
        r, length = start, 0.0
        size, n_touched, n_seen = 0, 0, 0
        out_length, out_row, sink = math.inf, -1, -1
        while True:
            rows_seen[n_seen], row_length[n_seen] = r, length
            n_seen += 1
            if length - u[r] < out_length:  # stay without: reduced cost 0 - u
                out_length, out_row = length - u[r], r
            for i in range(first[r], first[r + 1]):
                c = columns[i]
                if done[c]:
                    continue
                d = length - gain[i] - u[r] - v[c]
                if d < best[c]:
                    if best[c] == math.inf:
                        touched[n_touched] = c
                        n_touched += 1
                    best[c], via[c] = d, i
                    size = _push(heap_key, heap_item, size, d, c)
            while size > 0 and (done[heap_item[0]] or heap_key[0] > best[heap_item[0]]):
                size = _pop(heap_key, heap_item, size)
            if size == 0 or heap_key[0] > out_length:
                break
            c = heap_item[0]
            size = _pop(heap_key, heap_item, size)
            length = best[c]
            done[c] = True
            if holder[c] < 0:
                sink = c
                break
            r = holder[c]
        if sink < 0:
            length = out_length
        for k in range(n_seen):
            u[rows_seen[k]] += length - row_length[k]
        for k in range(n_touched):
            c = touched[k]
            if done[c] and best[c] < length:
                v[c] -= length - best[c]
        # turn the path around: from its end back to the row that was added
        if sink < 0 and out_row != start:
            i = chosen[out_row]
            chosen[out_row] = -1
            sink = columns[i]
        elif sink < 0:
            chosen[start] = -1
        while sink >= 0:
            i = via[sink]
            r = row_of[i]
            before = chosen[r]
            chosen[r], holder[sink] = i, r
            sink = columns[before] if r != start else -1
        for k in range(n_touched):
            c = touched[k]
            best[c], via[c], done[c] = math.inf, -1, False


def _ranks(values: Ints) -> tuple[Ints, int]:
    """Values as counts from 0 in their order, and how many there are."""
    distinct, rank = np.unique(values, return_inverse=True)
    return rank.astype(np.int64), len(distinct)


def components(tracks: Ints, dets: Ints) -> Ints:
    """Component of each pair (k,), numbered from 0 by first appearance: pairs that share a track or a detection, at any
    remove, share a component."""
    out = np.empty(len(tracks), dtype=np.int64)
    rows, n_rows = _ranks(tracks)
    columns, n_columns = _ranks(dets)
    _components(rows, columns, n_rows, n_columns, out)
    return out


def assign(tracks: Ints, dets: Ints, gain: Array) -> Ints:
    """Places of the pairs of the assignment of greatest total gain, ordered by track.

    ``tracks``, ``dets``, ``gain`` (k,): one row a pair, each pair once. Each track and each detection is used once at
    most; pairs without a gain over zero (or with none that is a finite number) are never chosen.
    """
    useful = np.flatnonzero((gain > 0.0) & (gain < math.inf))
    if len(useful) < 2:
        return useful
    order = useful[np.lexsort((dets[useful], tracks[useful]))]
    rows, n_rows = _ranks(tracks[order])
    columns, n_columns = _ranks(dets[order])
    first = np.searchsorted(rows, np.arange(n_rows + 1))
    chosen = np.full(n_rows, -1, dtype=np.int64)
    _assign(first, columns, gain[order], n_columns, chosen)
    return order[chosen[chosen >= 0]]
