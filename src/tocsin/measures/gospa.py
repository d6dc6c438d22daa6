"""GOSPA: how far a set of estimates is from the set of true objects, and which part of it is of what kind.

The generalised optimal sub-pattern assignment metric with alpha = 2 (Rahmathullah, Garcia-Fernandez, Svensson,
"Generalized optimal sub-pattern assignment metric", FUSION 2017, eq. 1 and proposition 1):

    d = [ min over assignments g of  sum over (i, j) in g of d(x_i, y_j)^p  +  c^p / 2 (|X| + |Y| - 2 |g|) ]^(1/p)

so that an object without an estimate and an estimate without an object cost c^p / 2 each. The base distance is the
Euclidean one of the columns given. The optimum is exact: pairs at ``c`` or further apart are never better assigned than
not, what remains falls into clusters, and each cluster is solved by shortest augmenting paths (Jonker and Volgenant,
Computing 38, 1987).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE = -1  # in ``pair``: no estimate


@kernel
def least_cost(cost: Array, column: Ints) -> None:
    """Columns (n,) of the assignment of least cost for ``cost`` (n, m) with n at most m: every row gets one."""
    n, m = cost.shape
    u, v = np.zeros(n + 1), np.zeros(m + 1)
    owner = np.zeros(m + 1, dtype=np.int64)  # row (from 1) that holds a column, 0: none
    way = np.zeros(m + 1, dtype=np.int64)
    for i in range(1, n + 1):
        owner[0] = i
        at = 0
        least = np.full(m + 1, math.inf)
        done = np.zeros(m + 1, dtype=np.bool_)
        while True:
            done[at] = True
            row = owner[at]
            step = math.inf
            then = 0
            for j in range(1, m + 1):
                if not done[j]:
                    reduced = cost[row - 1, j - 1] - u[row] - v[j]
                    if reduced < least[j]:
                        least[j] = reduced
                        way[j] = at
                    if least[j] < step:
                        step = least[j]
                        then = j
            for j in range(m + 1):
                if done[j]:
                    u[owner[j]] += step
                    v[j] -= step
                else:
                    least[j] -= step
            at = then
            if owner[at] == 0:
                break
        while at != 0:
            owner[at] = owner[way[at]]
            at = way[at]
    for j in range(1, m + 1):
        if owner[j] > 0:
            column[owner[j] - 1] = j - 1


@kernel
def _root(of: Ints, i: int) -> int:
    while of[i] != i:
        of[i] = of[of[i]]
        i = of[i]
    return i


@kernel
def _power(a: Array, b: Array, p: float) -> float:
    s = 0.0
    for k in range(a.shape[0]):
        s += (a[k] - b[k]) ** 2
    return s if p == 2.0 else math.sqrt(s) ** p


@kernel
def _links(a: Array, b: Array, c: float, p: float, rows: Ints, columns: Ints, values: Array) -> int:
    """Pairs nearer than ``c`` with their distances to the power p; how many (nothing written without room)."""
    n, m = a.shape[0], b.shape[0]
    room = rows.shape[0]
    order = np.argsort(b[:, 0], kind="mergesort")
    first = np.empty(m)
    for j in range(m):
        first[j] = b[order[j], 0]
    found = 0
    for i in range(n):
        for s in range(np.searchsorted(first, a[i, 0] - c), np.searchsorted(first, a[i, 0] + c)):
            d = _power(a[i], b[order[s]], p)
            if d < c**p:
                if found < room:
                    rows[found], columns[found], values[found] = i, order[s], d
                found += 1
    return found


@kernel
def gospa_frame(a: Array, b: Array, c: float, p: float, pair: Ints, out: Array) -> None:
    """GOSPA of true objects ``a`` (n, d) and estimates ``b`` (m, d), rows finite.

    Written: ``pair`` (n,): the estimate of each object or ``NONE``; ``out`` (4): the metric, and to its power p the
    parts of it: localisation, missed, false.
    """
    n, m = a.shape[0], b.shape[0]
    for i in range(n):
        pair[i] = NONE
    localisation = 0.0
    assigned = 0
    if n > 0 and m > 0:
        rows, columns, values = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
        found = _links(a, b, c, p, rows, columns, values)
        rows, columns, values = np.empty(found, dtype=np.int64), np.empty(found, dtype=np.int64), np.empty(found)
        _links(a, b, c, p, rows, columns, values)
        of = np.arange(n + m)
        for k in range(found):
            r, s = _root(of, rows[k]), _root(of, n + columns[k])
            if r != s:
                of[max(r, s)] = min(r, s)
        label = np.empty(found, dtype=np.int64)
        for k in range(found):
            label[k] = _root(of, rows[k])
        order = np.argsort(label, kind="mergesort")
        place = np.full(n + m, NONE)  # of a row or column within its cluster
        begin = 0
        while begin < found:
            end = begin
            while end < found and label[order[end]] == label[order[begin]]:
                end += 1
            here_r, here_c = np.empty(end - begin, dtype=np.int64), np.empty(end - begin, dtype=np.int64)
            nr, nc = 0, 0
            for k in range(begin, end):
                r, s = rows[order[k]], columns[order[k]]
                if place[r] == NONE:
                    place[r] = nr
                    here_r[nr] = r
                    nr += 1
                if place[n + s] == NONE:
                    place[n + s] = nc
                    here_c[nc] = s
                    nc += 1
            # not to be assigned costs c^p for the two together
            few, many = min(nr, nc), max(nr, nc)
            cost = np.full((few, many), c**p)
            for k in range(begin, end):
                r, s = place[rows[order[k]]], place[n + columns[order[k]]]
                if nr <= nc:
                    cost[r, s] = values[order[k]]
                else:
                    cost[s, r] = values[order[k]]
            chosen = np.empty(few, dtype=np.int64)
            least_cost(cost, chosen)
            for k in range(few):
                if cost[k, chosen[k]] < c**p:
                    r, s = (here_r[k], here_c[chosen[k]]) if nr <= nc else (here_r[chosen[k]], here_c[k])
                    pair[r] = s
                    localisation += cost[k, chosen[k]]
                    assigned += 1
            begin = end
    out[1] = localisation
    out[2] = 0.5 * c**p * (n - assigned)
    out[3] = 0.5 * c**p * (m - assigned)
    out[0] = (out[1] + out[2] + out[3]) ** (1.0 / p)


@kernel
def _frames(
    a: Array, a_start: Ints, b: Array, b_start: Ints, c: float, p: float, pair: Ints, out: Array
) -> None:  # fmt: skip
    for f in range(a_start.shape[0] - 1):
        gospa_frame(
            a[a_start[f] : a_start[f + 1]], b[b_start[f] : b_start[f + 1]], c, p,
            pair[a_start[f] : a_start[f + 1]], out[f],
        )  # fmt: skip


@dataclass(frozen=True)
class Gospa:
    """GOSPA of one frame: ``distance`` (unit of the states), and to its power p the parts ``localisation``, ``missed``,
    ``false``, which add up to ``distance ** p``; ``pair`` (n,): the estimate of each object, -1: none.
    """

    distance: float
    localisation: float
    missed: float
    false: float
    pair: Ints


@dataclass(frozen=True)
class Gospas:
    """GOSPA of many frames: arrays (frames,) as in ``Gospa``; ``pair`` (N,): places within the frame's estimates."""

    distance: Array
    localisation: Array
    missed: Array
    false: Array
    pair: Ints

    def rms(self, p: float = 2.0) -> float:
        """The mean over the frames of the p-th powers, to the power 1/p: the same metric of the whole (nan: none)."""
        return float(np.mean(self.distance**p) ** (1.0 / p)) if len(self.distance) else math.nan


def _check(c: float, p: float) -> None:
    if not (math.isfinite(c) and c > 0.0 and math.isfinite(p) and p >= 1.0):
        raise ValueError(f"GOSPA wants a cut-off above 0 and a power of 1 or more; found c = {c}, p = {p}")


def _rows(name: str, values: NDArray[np.float64]) -> Array:
    rows = np.ascontiguousarray(values, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"{name}: expected rows (n, d), found an array of shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name}: a row is not finite")
    return rows


def gospa(truth: Array, estimates: Array, c: float, p: float = 2.0) -> Gospa:
    """GOSPA of ``truth`` (n, d) and ``estimates`` (m, d): same unit as the cut-off ``c``; either may be empty (0, d).

    Raises ValueError for rows of other shapes or not finite, c not above 0 or p under 1.
    """
    many = gospa_over(truth, np.array([0, len(truth)]), estimates, np.array([0, len(estimates)]), c, p)
    return Gospa(
        float(many.distance[0]), float(many.localisation[0]), float(many.missed[0]), float(many.false[0]), many.pair
    )


def gospa_over(
    truth: Array, truth_start: Ints, estimates: Array, estimates_start: Ints, c: float, p: float = 2.0
) -> Gospas:
    """GOSPA frame by frame: frame f has rows ``truth_start[f]`` to ``truth_start[f + 1]`` of ``truth`` (N, d), likewise
    of ``estimates`` (M, d).

    Raises ValueError as ``gospa`` does, or where the starts do not fit the rows.
    """
    _check(c, p)
    a, b = _rows("truth", truth), _rows("estimates", estimates)
    if a.shape[1] != b.shape[1] or a.shape[1] < 1:
        raise ValueError(f"truth has {a.shape[1]} columns, estimates {b.shape[1]}")
    starts = []
    for name, given, rows in (("truth", truth_start, a), ("estimates", estimates_start, b)):
        start = np.ascontiguousarray(given, dtype=np.int64)
        if start.ndim != 1 or len(start) < 1 or start[0] != 0 or start[-1] != len(rows) or (np.diff(start) < 0).any():
            raise ValueError(f"{name}: starts must rise from 0 to the number of rows, {len(rows)}")
        starts.append(start)
    if len(starts[0]) != len(starts[1]):
        raise ValueError(f"truth has {len(starts[0]) - 1} frames, estimates {len(starts[1]) - 1}")
    pair, out = np.empty(len(a), dtype=np.int64), np.empty((len(starts[0]) - 1, 4))
    _frames(a, starts[0], b, starts[1], float(c), float(p), pair, out)
    return Gospas(out[:, 0], out[:, 1], out[:, 2], out[:, 3], pair)
