"""Whether a new track is an old object: stitched over a gap, the same seen twice, or come off another.

Detections after a long gap are not given to the tracks that were lost in it one by one: they begin young tracks, and a
young track whose velocity is known is then compared with the lost ones as a whole, position and velocity, in the chart
of its sensor. Where a lost track coasted, its flight over the gap is linearised anew about what fits both best, as
``filter.bridge`` does for a single detection. All young and lost tracks are assigned to each other at once; a pair is
taken when nothing else is likely, or when waiting has brought nothing. The young track's state is kept (it is far
better than the prediction, and owes it nothing), the old one's identity.

Young tracks that live beside an older one with the same state are the same object if no scan has seen both, and have
come off it (a stage, a released object, which does not burn) if scans have.

Against a stitch stands a new object: ``START_PER_S`` in the time in which an object comes into view, anywhere in the
view of a long-range radar, with any ballistic velocity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tocsin.records.columns import Life
from tocsin.tracking.association import assign, components
from tocsin.tracking.initiation import SPEED_SD
from tocsin.tracking.life import MOST_SCORE, START_PER_S
from tocsin.tracking.models import BOOST, COAST, Bank, advance_rows, match_moments
from tocsin.tracking.spans import span_rows
from tocsin.tracking.store import Store, unpack

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

OPEN, SETTLED = 0, 1  # whether it is known what a track comes from
_WHEN = (3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # updates at which young tracks are looked at
_PATIENCE_NS = 60_000_000_000  # of all young tracks that compete, after which the likeliest is taken; of one, twice it
_CLEAR = math.log(100.0)  # odds against all else at which a stitch does not wait
_GATE = 33.1  # squared distance in six dimensions: a true pair fails one time in 1e5
_SAME = 16.8  # the same, one time in 100
_KNOWN_SPEED = 400.0  # m/s: 1-sigma at which a young track's velocity says something
_SEPARATION = 300.0  # m/s: what comes off an object leaves it slower than this
_BESIDE = 2e3  # m
_MOST_SPLIT_S = 120.0
_LN_NEW = math.log(START_PER_S * 10.0) - math.log(1e19) - 3.0 * math.log(math.sqrt(2.0 * math.pi) * SPEED_SD)

STITCHED = "found to be the same object as track {}, which was lost before"
JOINED = "found to be the same object as track {}"


@dataclass(frozen=True)
class Mended:
    """The store after it, and families that ended: in which other family each went on, and the words for it."""

    store: Store
    fates: list[tuple[int, str, int]] = field(default_factory=list)


def compare(store: Store, old: Ints, young: Ints, bank: Bank, places: Array) -> Array:
    """Rows ``old`` (k,) carried to the times of rows ``young`` (k,): (k, 2) as from ``span``."""
    t_young = store.t_ns[young] / 1e9
    t_old = store.t_ns[old] / 1e9
    tracks = (store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory())
    x, P, mu = advance_rows(bank, old, t_young, *tracks)
    x1, P1 = match_moments(x, P, mu)
    y, Py = match_moments(store.x[young], store.P[young], store.mu[young])
    c = bank.column(COAST)
    coasts = np.zeros(len(old), dtype=np.bool_) if c < 0 else (store.mu[old, c] == 1.0) & (mu[:, c] == 1.0)
    x0, P0 = x1.copy(), P1.copy()
    if coasts.any():
        x0[coasts] = store.x[old[coasts], c, :6]
        P0[coasts] = store.P[old[coasts], c, :6, :6]
    out = np.empty((len(old), 2))
    # without a radar's place of its own a chart about the middle of the Earth is as good as any
    sites = np.where(store.chart[young, None] > 0, places[np.maximum(store.chart[young] - 1, 0)], 0.0)
    span_rows(x0, P0, np.where(coasts, t_old, t_young), t_young, bank.theta0, x1, P1, y, Py, sites, out)
    return out


def mend(store: Store, t_ns: int, bank: Bank, places: Array) -> Mended:
    """Look at the young tracks of a store whose time it is: stitch, join, name parents."""
    open_ = np.flatnonzero((store.origin == OPEN) & (store.life == Life.CONFIRMED))
    if not len(open_):
        return Mended(store)
    late = t_ns - store.born_ns[open_] > _PATIENCE_NS
    when = np.array(_WHEN)
    # as many updates as wait for the next look, or more where late data bring several at once
    following = when[np.minimum(np.searchsorted(when, store.looked[open_], side="right"), len(when) - 1)]
    due = late | ((store.updates[open_] >= following) & (store.looked[open_] < following))
    if not due.any():
        return Mended(store)
    store = store.copy()
    store.looked[open_] = store.updates[open_]
    others = np.flatnonzero(store.life == Life.CONFIRMED)
    young = open_[_moves_known(store, open_)]
    fates: list[tuple[int, str, int]] = []
    gone = np.zeros(len(store), dtype=np.bool_)
    if len(young) and len(others) > 1:
        old, new = _near(store, others, young, bank)
        if len(old):
            fit = compare(store, old, new, bank, places)
            _beside(store, old, new, fit, bank.column(BOOST), gone, fates)
            lost = (store.last_ns[old] < store.born_ns[new]) & ~gone[new] & ~gone[old]
            _stitch(store, old[lost], new[lost], fit[lost], t_ns, gone, fates)
    store.origin[open_[t_ns - store.born_ns[open_] > 2 * _PATIENCE_NS]] = SETTLED
    return Mended(store.keep(~gone) if gone.any() else store, fates)


def _moves_known(store: Store, rows: Ints) -> NDArray[np.bool_]:
    _, cov = match_moments(store.x[rows], store.P[rows], store.mu[rows])
    return np.asarray(np.sqrt(cov[:, 3, 3] + cov[:, 4, 4] + cov[:, 5, 5]) < _KNOWN_SPEED)


def _near(store: Store, old: Ints, young: Ints, bank: Bank) -> tuple[Ints, Ints]:
    """Pairs (old, young) that are not far apart in position and velocity at the newest of the young ones' times."""
    t = float(store.t_ns[young].max()) / 1e9
    tracks = (store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory())
    x, P = match_moments(*advance_rows(bank, old, np.full(len(old), t), *tracks))
    where = np.searchsorted(old, young)  # young ones are confirmed: among the old
    sigma = np.sqrt(np.stack([P[:, k, k] + P[:, k + 1, k + 1] + P[:, k + 2, k + 2] for k in (0, 3)], axis=1))
    found = []
    for k, j in enumerate(where.tolist()):
        dp = np.sqrt(((x[:, :3] - x[j, :3]) ** 2).sum(axis=1))
        dv = np.sqrt(((x[:, 3:] - x[j, 3:]) ** 2).sum(axis=1))
        near = (dp < 7.0 * (sigma[:, 0] + sigma[j, 0]) + _SEPARATION * _MOST_SPLIT_S) & (
            dv < 7.0 * (sigma[:, 1] + sigma[j, 1]) + _SEPARATION
        )
        # the older of two: by birth, then by identity
        older = (store.born_ns[old] < store.born_ns[young[k]]) | (
            (store.born_ns[old] == store.born_ns[young[k]]) & (store.family[old] < store.family[young[k]])
        )
        found.append(old[near & older & (store.family[old] != store.family[young[k]])])
    counts = [len(f) for f in found]
    return np.concatenate(found), np.repeat(young, counts)


def _scans_of(store: Store, i: int) -> set[tuple[int, int]]:
    sensor, scan, _ = unpack(store.chains.marks(int(store.head[i])))
    return set(zip(sensor.tolist(), scan.tolist(), strict=True))


def _beside(
    store: Store, old: Ints, young: Ints, fit: Array, boost: int, gone: NDArray[np.bool_],
    fates: list[tuple[int, str, int]],
) -> None:  # fmt: skip
    """Young tracks that live beside an older one: joined to it if no scan saw both, else it may be their parent."""
    both = np.flatnonzero((store.last_ns[old] >= store.born_ns[young]) & (store.updates[young] >= 4))
    for a in both[np.lexsort((fit[both, 0], young[both]))].tolist():
        i, j = int(old[a]), int(young[a])
        if gone[i] or gone[j] or store.origin[j] != OPEN:
            continue
        mine = _scans_of(store, j)
        common = len(mine & _scans_of(store, i))
        if common == 0 and fit[a, 0] < _SAME:
            gone[j] = True
            fates.append((int(store.family[j]), JOINED, int(store.family[i])))
        elif common >= 2 and not (boost >= 0 and store.mu[j, boost] > 0.5) and _came_off(store, i, j):
            store.parent[j], store.origin[j] = store.family[i], SETTLED


def _came_off(store: Store, i: int, j: int) -> bool:
    """Whether row ``j`` was beside row ``i`` when it was first seen, moving as it does, as far as is known."""
    x, P = match_moments(store.x[[i, j]], store.P[[i, j]], store.mu[[i, j]])
    h = float(store.t_ns[j] - store.t_ns[i]) / 1e9
    age = float(store.t_ns[j] - store.born_ns[j]) / 1e9
    d = x[1] - x[0]
    d[:3] -= x[0, 3:] * h
    trace = P[:, range(6), range(6)].sum(axis=0)
    known = math.sqrt(float(trace[:3].sum())), math.sqrt(float(trace[3:].sum()))
    if known[0] > _BESIDE or known[1] > _SEPARATION:
        return False
    apart, along = math.sqrt(float((d[:3] ** 2).sum())), math.sqrt(float((d[3:] ** 2).sum()))
    spread = 3.0 * known[0], 3.0 * known[1]
    leaves = min(along, _SEPARATION)
    return (
        age < _MOST_SPLIT_S
        and along < _SEPARATION + spread[1]
        and apart < _BESIDE + leaves * age + spread[0] + spread[1] * (age + abs(h))
    )


def _stitch(
    store: Store, old: Ints, young: Ints, fit: Array, t_ns: int, gone: NDArray[np.bool_],
    fates: list[tuple[int, str, int]],
) -> None:  # fmt: skip
    """Give young tracks the identity of lost ones, where that is clear or cannot get clearer."""
    gain = np.where((fit[:, 0] < _GATE) & (store.origin[young] == OPEN), fit[:, 1] - _LN_NEW, -math.inf)
    some = np.flatnonzero(gain > 0.0)
    if not len(some):
        return
    old, young, gain = old[some], young[some], gain[some]
    places = assign(old, young, gain)
    group = components(old, young)
    for a in places.tolist():
        i, j = int(old[a]), int(young[a])
        within = np.flatnonzero(group == group[a])
        without = np.where(within == a, -math.inf, gain[within])
        second = assign(old[within], young[within], without)
        best = float(gain[places[group[places] == group[a]]].sum())
        margin = best - float(without[second].sum())
        age = t_ns - store.born_ns[young[within]]
        waits = age.min() <= _PATIENCE_NS and t_ns - int(store.born_ns[j]) <= 2 * _PATIENCE_NS
        if margin < _CLEAR and waits:
            continue
        fates.append((int(store.family[j]), STITCHED, int(store.family[i])))
        _become(store, i, j)
        gone[j] = True


def _become(store: Store, i: int, j: int) -> None:
    """Row ``i`` goes on as row ``j`` stands, with its own identity and past."""
    kept = {name: getattr(store, name)[i].copy() for name in ("family", "parent", "born_ns", "head", "stitches")}
    updates, seen = int(store.updates[i]), store.seen[i].copy()
    score = max(float(store.score[i]), float(store.score[j]))
    marks = store.chains.marks(int(store.head[j]))
    store.put(np.array([i]), store.keep(np.array([j])))
    for name, value in kept.items():
        getattr(store, name)[i] = value
    head = store.head[i : i + 1]
    for mark in marks:
        head = store.chains.extend(head, np.array([mark], dtype=np.int64))
    store.head[i] = head[0]
    store.seen[i] = np.where(store.seen[i] >= 0, store.seen[i], seen)
    store.updates[i] += updates
    store.looked[i] = store.updates[i]
    store.stitches[i] += 1
    store.score[i] = min(score, MOST_SCORE)
    store.origin[i] = SETTLED


