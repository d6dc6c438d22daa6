"""Joint probabilistic data association: how likely each pair is, over all ways in which a component can be explained.

A joint event gives each track one detection at most and each detection one track at most; its weight is the product of
exp(gain) over its pairs and of exp(missed) over the tracks without a detection (Fortmann, Bar-Shalom, Scheffe, IEEE J.
Oceanic Eng. 8, 1983). Sums over events are exact where the component allows it: tracks are put into a tree whose
branches share no detection, and all that a branch has to know of the tracks above it is which of its detections they
use (efficient hypothesis management: Maskell, Briers, Wright, SPIE 5428, 2004; the tree: Horridge and Maskell, FUSION
2006). Sums are of logarithms: nothing overflows. Where a component has more than ``MOST_SHARED`` detections that
several tracks want, or its net more than ``MOST_STATES`` nodes, loopy belief propagation takes its place (Williams and
Lau, IEEE TAES 50, 2014: it converges always, its probabilities are near the true ones and too sure of themselves).
Both limits are counts.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.tracking.association import _components, _ranks

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SHARED = 62  # bits of a set of detections
MOST_STATES = 1 << 15
MOST_SWEEPS = 1000
_SETTLED = 1e-10  # change of a message between sweeps
_MOST_LN = 500.0  # a likelihood ratio that means certainty, for messages that are not logarithms


@kernel
def _bits(mask: int) -> int:
    """How many bits of a set are on."""
    count = 0
    while mask != 0:
        mask &= mask - 1
        count += 1
    return count


@kernel
def _slot(keys: Ints, nodes: Ints, index: Ints, node: int, used: int) -> int:
    """Where (node, used) stands in an open hash table, or the empty place for it."""
    size = index.shape[0]
    at = ((used * 2654435761) ^ (used >> 29) ^ (node * 40503)) & (size - 1)
    while index[at] >= 0 and (keys[at] != used or nodes[at] != node):
        at = (at + 1) & (size - 1)
    return int(at)


@kernel
def _tree(own: Ints, n: int, parent: Ints, below: Ints, order: Ints) -> None:
    """Tree of the tracks with shared detections ``own`` (n,): ``parent`` (-1: none), ``below``: the detections of a
    branch, ``order``: leaves first.

    A track becomes the parent of all branches that want any of its detections. Next comes the track whose branch then
    shares the fewest detections with tracks not yet in the tree; the first of equals.
    """
    placed = np.zeros(n, dtype=np.bool_)
    top = np.zeros(n, dtype=np.bool_)
    for k in range(n):
        best, best_live = -1, 1 << 30
        for i in range(n):
            if placed[i]:
                continue
            mine = own[i]
            for c in range(n):
                if top[c] and below[c] & own[i]:
                    mine |= below[c]
            rest = 0
            for j in range(n):
                if not placed[j] and j != i:
                    rest |= own[j]
            live = _bits(mine & rest)
            if live < best_live:
                best, best_live = i, live
        below[best] = own[best]
        for c in range(n):
            if top[c] and below[c] & own[best]:
                parent[c] = best
                below[best] |= below[c]
                top[c] = False
        parent[best] = -1
        placed[best], top[best] = True, True
        order[k] = best


@kernel
def _exact(
    first: Ints, bit: Ints, ln: Array, missed: Array, most: int, beta: Array, none: Array, whole: Array
) -> bool:  # fmt: skip
    """Marginals of one component: pairs of row r at ``first[r]`` to ``first[r + 1]``.

    ``bit`` of each pair's detection (0: nobody else wants it); ln of the sum over all events into ``whole[0]``. False,
    and nothing written, where the net has more than ``most`` nodes.
    """
    n = first.shape[0] - 1
    own = np.zeros(n, dtype=np.int64)
    for r in range(n):
        for i in range(first[r], first[r + 1]):
            own[r] |= bit[i]
    parent, below, order = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    _tree(own, n, parent, below, order)
    size = 16
    while size < 4 * most:
        size *= 2
    keys, nodes = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    index = np.full(size, -1)
    used, following = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    head = np.full(n, -1)
    up, down = np.empty(most), np.empty(most)  # ln of the sums over what is below and above a node
    count = 0
    for k in range(n - 1, -1, -1):
        r = order[k]
        if parent[r] < 0:
            if count == most:
                return False
            at = _slot(keys, nodes, index, r, 0)
            keys[at], nodes[at], index[at] = 0, r, count
            used[count], following[count], down[count] = 0, -1, 0.0
            head[r] = count
            count += 1
        for c in range(n):
            if parent[c] != r:
                continue
            s = head[r]
            while s >= 0:
                for i in range(first[r] - 1, first[r + 1]):
                    b = bit[i] if i >= first[r] else 0
                    if used[s] & b:
                        continue
                    after = (used[s] | b) & below[c]
                    at = _slot(keys, nodes, index, c, after)
                    if index[at] < 0:
                        if count == most:
                            return False
                        keys[at], nodes[at], index[at] = after, c, count
                        used[count], following[count], down[count] = after, head[c], -math.inf
                        head[c] = count
                        count += 1
                s = following[s]
    for k in range(n):
        r = order[k]
        s = head[r]
        while s >= 0:
            total = -math.inf
            for i in range(first[r] - 1, first[r + 1]):
                b = bit[i] if i >= first[r] else 0
                if used[s] & b:
                    continue
                term = ln[i] if i >= first[r] else missed[r]
                for j in range(k):
                    if parent[order[j]] == r:
                        c = order[j]
                        term += up[index[_slot(keys, nodes, index, c, (used[s] | b) & below[c])]]
                if term > total:
                    total = term + math.log1p(math.exp(total - term))
                elif term > -math.inf:
                    total += math.log1p(math.exp(term - total))
            up[s] = total
            s = following[s]
    whole[0] = 0.0
    for r in range(n):
        if parent[r] < 0:
            whole[0] += up[head[r]]
        none[r] = 0.0
        for i in range(first[r], first[r + 1]):
            beta[i] = 0.0
    for k in range(n - 1, -1, -1):
        r = order[k]
        top = r
        while parent[top] >= 0:
            top = parent[top]
        all_of_it = up[head[top]]
        s = head[r]
        while s >= 0:
            for i in range(first[r] - 1, first[r + 1]):
                b = bit[i] if i >= first[r] else 0
                if used[s] & b:
                    continue
                term = down[s] + (ln[i] if i >= first[r] else missed[r])
                for j in range(k):
                    if parent[order[j]] == r:
                        c = order[j]
                        term += up[index[_slot(keys, nodes, index, c, (used[s] | b) & below[c])]]
                if term == -math.inf:
                    continue
                if i >= first[r]:
                    beta[i] += math.exp(term - all_of_it)
                else:
                    none[r] += math.exp(term - all_of_it)
                for j in range(k):
                    if parent[order[j]] == r:
                        c = order[j]
                        t = index[_slot(keys, nodes, index, c, (used[s] | b) & below[c])]
                        part = term - up[t]
                        if part > down[t]:
                            down[t] = part + math.log1p(math.exp(down[t] - part))
                        elif part > -math.inf:
                            down[t] += math.log1p(math.exp(part - down[t]))
            s = following[s]
    return True


@kernel
def _loopy(first: Ints, column: Ints, ln: Array, missed: Array, n_columns: int, beta: Array, none: Array) -> int:
    """Marginals of one component by belief propagation; how many sweeps it took."""
    n = first.shape[0] - 1
    k = column.shape[0]
    w, to_track, to_det = np.empty(k), np.ones(k), np.empty(k)
    begin = np.zeros(n_columns + 1, dtype=np.int64)
    for i in range(k):
        begin[column[i] + 1] += 1
    for c in range(n_columns):
        begin[c + 1] += begin[c]
    place, fill = np.empty(k, dtype=np.int64), begin[:-1].copy()
    for r in range(n):
        for i in range(first[r], first[r + 1]):
            w[i] = math.exp(min(max(ln[i] - missed[r], -_MOST_LN), _MOST_LN))
            place[fill[column[i]]] = i
            fill[column[i]] += 1
    sweeps = 0
    for _ in range(MOST_SWEEPS):
        sweeps += 1
        for r in range(n):
            for i in range(first[r], first[r + 1]):
                s = 1.0
                for j in range(first[r], first[r + 1]):
                    if j != i:
                        s += w[j] * to_track[j]
                to_det[i] = w[i] / s
        moved = 0.0
        for c in range(n_columns):
            for a in range(begin[c], begin[c + 1]):
                s = 1.0
                for b in range(begin[c], begin[c + 1]):
                    if b != a:
                        s += to_det[place[b]]
                moved = max(moved, abs(1.0 / s - to_track[place[a]]))
                to_track[place[a]] = 1.0 / s
        if moved < _SETTLED:
            break
    for r in range(n):
        s = 1.0
        for i in range(first[r], first[r + 1]):
            s += w[i] * to_track[i]
        none[r] = 1.0 / s
        for i in range(first[r], first[r + 1]):
            beta[i] = w[i] * to_track[i] / s
    return sweeps


@kernel
def _marginals(
    first: Ints, columns: Ints, ln: Array, missed: Array, n_columns: int, component: Ints, count: int, most: int,
    beta: Array, none: Array, whole: Array,
) -> int:  # fmt: skip
    """``_exact`` or ``_loopy`` for each of ``count`` components of pairs in order of rows; how many were loopy.

    ``whole[0]``: ln of the sum over all events, of the exact ones.
    """
    n = first.shape[0] - 1
    degree = np.zeros(n_columns, dtype=np.int64)
    for i in range(columns.shape[0]):
        degree[columns[i]] += 1
    # rows of each component, in order
    begin = np.zeros(count + 1, dtype=np.int64)
    for r in range(n):
        begin[component[first[r]] + 1] += 1
    for c in range(count):
        begin[c + 1] += begin[c]
    rows, fill = np.empty(n, dtype=np.int64), begin[:-1].copy()
    for r in range(n):
        c = component[first[r]]
        rows[fill[c]] = r
        fill[c] += 1
    number = np.full(n_columns, -1)
    loops = 0
    whole[0] = 0.0
    part = np.zeros(1)
    for c in range(count):
        m = begin[c + 1] - begin[c]
        start = np.zeros(m + 1, dtype=np.int64)
        for a in range(m):
            r = rows[begin[c] + a]
            start[a + 1] = start[a] + first[r + 1] - first[r]
        k = start[m]
        part_column, part_bit = np.empty(k, dtype=np.int64), np.zeros(k, dtype=np.int64)
        part_ln, part_missed = np.empty(k), np.empty(m)
        part_beta, part_none = np.empty(k), np.empty(m)
        held, shared = 0, 0
        for a in range(m):
            r = rows[begin[c] + a]
            part_missed[a] = missed[r]
            for i in range(first[r], first[r + 1]):
                at = start[a] + i - first[r]
                d = columns[i]
                if number[d] < 0:
                    number[d] = held
                    held += 1
                part_column[at], part_ln[at] = number[d], ln[i]
        bit_of = np.zeros(held, dtype=np.int64)
        for a in range(m):
            r = rows[begin[c] + a]
            for i in range(first[r], first[r + 1]):
                d = columns[i]
                if degree[d] > 1:
                    if bit_of[number[d]] == 0:
                        if shared < MOST_SHARED:
                            bit_of[number[d]] = 1 << shared
                        shared += 1
                    part_bit[start[a] + i - first[r]] = bit_of[number[d]]
        room = min(most, m << min(shared, 40))  # no branch has more nodes than there are sets of what is shared
        if shared > MOST_SHARED or not _exact(start, part_bit, part_ln, part_missed, room, part_beta, part_none, part):
            _loopy(start, part_column, part_ln, part_missed, held, part_beta, part_none)
            loops += 1
        else:
            whole[0] += part[0]
        for a in range(m):
            r = rows[begin[c] + a]
            none[r] = part_none[a]
            for i in range(first[r], first[r + 1]):
                beta[i] = part_beta[start[a] + i - first[r]]
    return loops


def _solve(
    tracks: Ints, dets: Ints, gain: Array, missed: Array | float, most: int
) -> tuple[Array, Array, float, int]:  # fmt: skip
    """What ``marginals`` gives, ln of the sum over all events, and how many components were not exact."""
    rows, n_rows = _ranks(tracks)
    alone = np.broadcast_to(np.asarray(missed, dtype=np.float64), (n_rows,))
    beta, none = np.zeros(len(tracks)), np.ones(n_rows)
    order = np.flatnonzero(np.isfinite(gain))
    if not len(order):
        return beta, none, float(alone.sum()), 0
    order = order[np.lexsort((dets[order], rows[order]))]
    inside, row = np.unique(rows[order], return_inverse=True)
    columns, n_columns = _ranks(dets[order])
    first = np.searchsorted(row, np.arange(len(inside) + 1))
    component = np.empty(len(order), dtype=np.int64)
    count = _components(row.astype(np.int64), columns, len(inside), n_columns, component)
    found, left, whole = np.zeros(len(order)), np.ones(len(inside)), np.zeros(1)
    its = np.ascontiguousarray(alone[inside])
    loops = _marginals(first, columns, gain[order], its, n_columns, component, count, most, found, left, whole)
    beta[order] = found
    none[inside] = left
    return beta, none, float(whole[0] + alone.sum() - its.sum()), loops


def marginals(
    tracks: Ints, dets: Ints, gain: Array, missed: Array | float, most: int = MOST_STATES
) -> tuple[Array, Array]:
    """Probability of each pair (k,), and that each track has no detection (per distinct track, in the order of
    ``np.unique(tracks)``).

    ``tracks``, ``dets``, ``gain`` (k,): one row a pair, each pair once; a gain that is no finite number (outside the
    gate) has probability zero. ``missed``: ln(1 - Pd), of each distinct track or of all. ``most``: nodes of the exact
    net; with 0 all is belief propagation.
    """
    beta, none, _, _ = _solve(tracks, dets, gain, missed, most)
    return beta, none


def unresolved(apart: Array, cell: Array) -> Array:
    """Chance (k,) that two objects give one detection: exp(-ln 2 sum (apart / cell)^2), half at one cell.

    ``apart`` (k, m): differences of predicted measurements; ``cell`` (m,): the resolution declared, in the same units
    (Koch and van Keuk, IEEE TAES 33, 1997).
    """
    squares: Array = np.sum((np.asarray(apart, dtype=np.float64) / cell) ** 2, axis=1)
    return np.exp(-math.log(2.0) * squares)


def merged_marginals(
    tracks: Ints, dets: Ints, gain: Array, missed: Array | float, pairs: Ints, chance: Array, which: Ints, at: Ints,
    gain_merged: Array, most_sets: int = 64,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """``marginals`` where two tracks may share an unresolved detection: beta (k,), none, and of each merged row (m,)
    the probability that its two tracks are one detection there.

    ``pairs`` (p, 2): tracks that may be unresolved, each with its ``chance`` (``unresolved``). Row i of ``which``,
    ``at``, ``gain_merged`` (m,): pair number ``which[i]`` as the one source of detection ``at[i]``, with its gain: the
    likelihood of the middle of the two. Two that are unresolved are detected, or missed, as one; ``none`` holds that
    too. All sets of pairs without a common track are weighed, the ``most_sets`` likeliest of them; three in a cell are
    not (they come out as two and one). Sets with components too large to be exact are left out, unless no pair is
    merged in them. Raises ValueError where a pair names a track that has no row.
    """
    distinct = np.unique(tracks)
    if not np.all(np.isin(pairs, distinct)):
        raise ValueError("a pair of unresolved tracks names a track without a row")
    alone = np.broadcast_to(np.asarray(missed, dtype=np.float64), (len(distinct),))
    sets: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    with np.errstate(divide="ignore"):
        merge, split = np.log(chance), np.log1p(-np.asarray(chance, dtype=np.float64))
    for j in range(len(pairs)):
        grown: list[tuple[float, tuple[int, ...]]] = []
        for weight, members in sets:
            grown.append((weight + float(split[j]), members))
            taken = {int(t) for m in members for t in pairs[m]}
            if not taken & {int(t) for t in pairs[j]}:
                grown.append((weight + float(merge[j]), (*members, j)))
        grown = [g for g in grown if g[0] > -math.inf]
        sets = sorted(grown, key=lambda g: (-g[0], g[1]))[:most_sets]
    parts: list[tuple[float, Array, Array, Array]] = []
    beyond = int(distinct[-1]) + 1 if len(distinct) else 0
    for weight, members in sets:
        gone = np.isin(tracks, pairs[list(members)].ravel()) if members else np.zeros(len(tracks), dtype=np.bool_)
        rows, extra = np.flatnonzero(~gone), np.flatnonzero(np.isin(which, members))
        every = np.r_[tracks[rows], beyond + which[extra]].astype(np.int64)
        order = np.unique(every)
        # a pair without a row of its own is missed for certain
        quiet = [j for j in members if beyond + j not in order]
        first = [int(np.searchsorted(distinct, pairs[t - beyond, 0] if t >= beyond else t)) for t in order]
        found, left, whole, loops = _solve(
            every, np.r_[dets[rows], at[extra]].astype(np.int64), np.r_[gain[rows], gain_merged[extra]],
            alone[first], MOST_STATES,
        )  # fmt: skip
        if loops and members:
            continue
        beta, none, both = np.zeros(len(tracks)), np.ones(len(distinct)), np.zeros(len(which))
        beta[rows], both[extra] = found[: len(rows)], found[len(rows) :]
        for t, value in zip(order, left, strict=True):
            its = pairs[t - beyond] if t >= beyond else [t]
            none[np.searchsorted(distinct, its)] = value
        whole += sum(float(alone[np.searchsorted(distinct, pairs[j, 0])]) for j in quiet)
        parts.append((weight + whole, beta, none, both))
    most = max(p[0] for p in parts)
    shares = np.array([math.exp(p[0] - most) for p in parts])
    shares /= shares.sum()
    beta = np.sum([w * p[1] for w, p in zip(shares, parts, strict=True)], axis=0)
    none = np.sum([w * p[2] for w, p in zip(shares, parts, strict=True)], axis=0)
    return beta, none, np.sum([w * p[3] for w, p in zip(shares, parts, strict=True)], axis=0)


@kernel
def _blend(group: Ints, weight: Array, x: Array, P: Array, mu: Array, xo: Array, Po: Array, muo: Array) -> None:
    n, models, slots = xo.shape
    heaviest = np.full((n, models), -1.0)
    total = np.zeros(n)
    for h in range(group.shape[0]):
        total[group[h]] += weight[h]
        for m in range(models):
            muo[group[h], m] += weight[h] * mu[h, m]
    for h in range(group.shape[0]):
        a = group[h]
        for m in range(models):
            if muo[a, m] > 0.0:
                w = weight[h] * mu[h, m] / muo[a, m]
                for i in range(slots):
                    xo[a, m, i] += w * x[h, m, i]
            elif weight[h] > heaviest[a, m]:  # a model that nobody believes keeps a state, not a mixture of nothing
                heaviest[a, m] = weight[h]
                for i in range(slots):
                    xo[a, m, i] = x[h, m, i]
                    for j in range(slots):
                        Po[a, m, i, j] = P[h, m, i, j]
    d = np.empty(slots)
    for h in range(group.shape[0]):
        a = group[h]
        for m in range(models):
            if not muo[a, m] > 0.0:
                continue
            w = weight[h] * mu[h, m] / muo[a, m]
            if w == 0.0:
                continue
            for i in range(slots):
                d[i] = x[h, m, i] - xo[a, m, i]
            for i in range(slots):
                for j in range(slots):
                    Po[a, m, i, j] += w * (P[h, m, i, j] + d[i] * d[j])
    for a in range(n):
        for m in range(models):
            if total[a] > 0.0:
                muo[a, m] /= total[a]


def blend(group: Ints, n: int, weight: Array, x: Array, P: Array, mu: Array) -> tuple[Array, Array, Array]:
    """Mixtures replaced by Gaussians of the same moments, model by model: x (n, M, S), P (n, M, S, S), mu (n, M).

    Row h is what track ``group[h]`` (0 to n - 1) would be if hypothesis h held, ``weight[h]`` its probability: ``x``
    (k, M, S), ``P`` (k, M, S, S), ``mu`` (k, M). The weights of a track are normalised; a model's part in a hypothesis
    is the hypothesis's weight times the model's probability under it (Bar-Shalom, Li, Kirubarajan, 2001, 1.4.16).
    """
    xo, Po, muo = np.zeros((n, *x.shape[1:])), np.zeros((n, *P.shape[1:])), np.zeros((n, mu.shape[1]))
    _blend(group, weight, x, P, mu, xo, Po, muo)
    return xo, Po, muo


def ambiguity(tracks: Ints, component: Ints, beta: Array, none: Array) -> Array:
    """Of each component, in order, the greatest chance that a track's likeliest explanation is wrong, 0 to 1.

    ``tracks``, ``component``, ``beta`` (k,): of each pair, ``component`` from ``components``; ``none``: as
    ``marginals`` gives it.
    """
    rows, _ = _ranks(tracks)
    best = np.array(none, dtype=np.float64)
    np.maximum.at(best, rows, beta)
    out = np.zeros(int(component.max()) + 1 if len(component) else 0)
    np.maximum.at(out, component, 1.0 - best[rows])
    return out


CLEAR = 0.02  # chance of an error under which the nearest neighbours are as good as anything
MOST_IN_WINDOW = 24  # tracks; the search grows with their square, times scans


def choose(doubt: float, n_tracks: int) -> str:
    """How a component is to be associated: "gnn", "window" or "jpda".

    ``doubt``: its ``ambiguity``; ``n_tracks``: how many tracks it has. By the curves of the book ``boxes`` the window
    is the best of the three where there is doubt, but for objects of one velocity within a kilometre, where JPDA is a
    little better and nobody can know that it is so; JPDA takes what is too large for the window. A component once in a
    window stays there until its doubt has been small for as long as the window is. ``CLEAR`` and ``MOST_IN_WINDOW`` are
    first values: no curve over them has been drawn yet.
    """
    if doubt < CLEAR or n_tracks < 2:
        return "gnn"
    return "window" if n_tracks <= MOST_IN_WINDOW else "jpda"
