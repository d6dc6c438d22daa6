"""Whether a new track is an old object: stitched over a gap, the same seen twice, or come off another.

Detections after a long gap are not given to the tracks that were lost in it one by one: they begin young tracks, and a
young track whose velocity is known is then compared with the lost ones as a whole, position and velocity, in the chart
of its sensor. Where a lost track coasted, its flight over the gap is linearised anew about what fits both best, as
``filter.bridge`` does for a single detection. All young and lost tracks are assigned to each other at once; a pair is
taken when nothing else is likely, or when waiting has brought nothing. The young track's state is kept (it is far
better than the prediction, and owes it nothing), the old one's identity.

Young tracks that live beside an older one with the same state are the same object if no scan has seen both, and have
come off it (a stage, a released object) if scans have.

Against a stitch stands a new object: ``START_PER_S`` in the time in which an object comes into view, anywhere in the
view of a long-range radar, with any ballistic velocity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.records.columns import Life
from tocsin.tracking.association import assign, components
from tocsin.tracking.filter import chart_axes, factor, from_chart, site_at
from tocsin.tracking.initiation import SPEED_SD
from tocsin.tracking.life import MOST_SCORE, START_PER_S
from tocsin.tracking.models import COAST, Bank, advance_rows, match_moments
from tocsin.tracking.store import Store, unpack

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

OPEN, SETTLED = 0, 1  # whether it is known what a track comes from
_WHEN = (3, 4, 6, 8, 12, 16, 24, 32, 48, 64)  # updates at which young tracks are looked at
_PATIENCE_NS = 60_000_000_000  # after which the likeliest is taken
_CLEAR = math.log(100.0)  # odds against all else at which a stitch does not wait
_GATE = 33.1  # squared distance in six dimensions: a true pair fails one time in 1e5
_SAME = 16.8  # the same, one time in 100
_KNOWN_SPEED = 400.0  # m/s: 1-sigma at which a young track's velocity says something
_SEPARATION = 300.0  # m/s: what comes off an object leaves it slower than this
_BESIDE = 2e3  # m
_MOST_SPLIT_S = 120.0
_STEPS = 8
_LN_NEW = math.log(START_PER_S * 10.0) - math.log(1e19) - 3.0 * math.log(math.sqrt(2.0 * math.pi) * SPEED_SD)

STITCHED = "found to be the same object as track {}, which was lost before"
JOINED = "found to be the same object as track {}"


@dataclass(frozen=True)
class Mended:
    """The store after it, and families that ended: in which other family each went on, and the words for it."""

    store: Store
    fates: list[tuple[int, str, int]] = field(default_factory=list)


@kernel
def _in_chart(x: Array, centre: Array, e: Array, y: Array, G: Array, J: Array, moved: Array) -> None:
    """Coordinates ``y`` (6) of a state in the chart of axes ``e`` about ``centre``, and their derivative ``J`` (6, 6).

    ``J`` is the inverse of ``from_chart``'s ``G`` = [A 0; B A]: [A' 0; -A' B A', A'] with A' = A^-1.
    """
    u, w = np.zeros(3), np.zeros(3)
    r2 = 0.0
    for k in range(3):
        d = x[k] - centre[k]
        r2 += d * d
        for i in range(3):
            u[i] += e[i, k] * d
            w[i] += e[i, k] * (x[3 + k] - centre[3 + k])
    r = max(math.sqrt(r2), 1.0)
    a, b = math.atan2(u[1], u[0]), math.asin(min(max(u[2] / r, -1.0), 1.0))
    ca, sa, cb, sb = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
    y[0], y[1], y[2] = r, a, b
    y[3] = cb * (ca * w[0] + sa * w[1]) + sb * w[2]
    y[4] = (ca * w[1] - sa * w[0]) / (r * cb)
    y[5] = (cb * w[2] - sb * (ca * w[0] + sa * w[1])) / r
    from_chart(y, centre, e, moved, G)
    for i in range(6):
        for j in range(6):
            J[i, j] = 0.0
    for j in range(3):
        J[0, j] = G[j, 0]
        J[1, j] = G[j, 1] / (r * r * cb * cb)
        J[2, j] = G[j, 2] / (r * r)
    for i in range(3):
        for j in range(3):
            J[3 + i, 3 + j] = J[i, j]
            s = 0.0
            for k in range(3):
                for m in range(3):
                    s -= J[i, k] * G[3 + k, m] * J[m, j]
            J[3 + i, j] = s


@kernel
def _sandwich(J: Array, P: Array, out: Array) -> None:
    """``out = J P J'`` (6, 6), exactly symmetric."""
    t = np.zeros((6, 6))
    for i in range(6):
        for j in range(6):
            s = 0.0
            for k in range(6):
                s += J[i, k] * P[k, j]
            t[i, j] = s
    for i in range(6):
        for j in range(i, 6):
            s = 0.0
            for k in range(6):
                s += t[i, k] * J[j, k]
            out[i, j] = s
            out[j, i] = s


@kernel
def span(
    x0: Array, P0: Array, t0: float, t1: float, theta0: float, x1: Array, P1: Array, y: Array, Py: Array,
    centre: Array, out: Array,
) -> None:  # fmt: skip
    """How well a young track (``y`` (6), ``Py`` (6, 6) at ``t1``) goes with a lost one, in the chart about ``centre``.

    ``x0`` (6), ``P0`` at ``t0``: the lost one before its free flight (``t0 == t1``: no flight is linearised anew);
    ``x1``, ``P1``: as predicted at ``t1``. ``out``: squared distance, and ln of the density at ``y`` in position and
    velocity (m, m/s).
    """
    e, cy, cf = np.empty((3, 3)), np.empty(6), np.empty(6)
    G, Jy, Jf, moved = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6)), np.empty(6)
    chart_axes(y, centre, e, cy)
    _in_chart(y, centre, e, cy, G, Jy, moved)
    Ry = np.empty((6, 6))
    _sandwich(Jy, Py, Ry)
    xi, f, Phi = np.empty(6), np.empty(6), np.zeros((6, 6))
    flies = t0 != t1
    for i in range(6):
        xi[i] = x0[i]
        f[i] = x0[i]
        Phi[i, i] = 1.0
    since, W, T = np.zeros(6), np.zeros((6, 6)), np.empty((6, 6))
    if flies:
        # what happens beside free fall: mean ``since`` and covariance ``W``
        coast_to_stm(xi, t0, t1, theta0, f, Phi)
        _sandwich(Phi, P0, T)
        for i in range(6):
            since[i] = x1[i] - f[i]
            for j in range(6):
                W[i, j] = P1[i, j] - T[i, j]
        for i in range(6):
            W[i, i] = max(W[i, i], 0.0)
    H, PH, S, L = np.empty((6, 6)), np.empty((6, 6)), np.empty((6, 6)), np.zeros((6, 6))
    v, q, z = np.empty(6), np.empty(6), np.empty(6)
    out[0], out[1] = math.inf, -math.inf
    for step in range(_STEPS):
        for i in range(6):
            z[i] = f[i] + since[i]
        _in_chart(z, centre, e, cf, G, Jf, moved)
        _sandwich(Jf, W, S)
        for i in range(6):
            for j in range(6):
                s = 0.0
                for k in range(6):
                    s += Jf[i, k] * Phi[k, j]
                H[i, j] = s
        _sandwich(H, P0, T)
        for i in range(6):
            for j in range(6):
                S[i, j] += T[i, j] + Ry[i, j]
                s = 0.0
                for k in range(6):
                    s += P0[i, k] * H[j, k]
                PH[i, j] = s
        logdet = factor(S, 6, L)
        if logdet == math.inf:
            return
        for i in range(6):
            s = cy[i] - cf[i]
            for k in range(6):
                s -= H[i, k] * (x0[k] - xi[k])
            v[i] = s
        for i in range(6):
            s = v[i]
            for k in range(i):
                s -= L[i, k] * q[k]
            q[i] = s / L[i, i]
        d2 = 0.0
        for i in range(6):
            d2 += q[i] * q[i]
        out[0] = d2
        out[1] = -0.5 * (d2 + logdet + 6.0 * math.log(2.0 * math.pi)) - 4.0 * math.log(cy[0])
        if not flies:
            return
        for i in range(5, -1, -1):
            s = q[i]
            for k in range(i + 1, 6):
                s -= L[k, i] * q[k]
            q[i] = s / L[i, i]
        moved2 = 0.0
        for i in range(6):
            s = x0[i]
            for k in range(6):
                s += PH[i, k] * q[k]
            moved2 = max(moved2, (s - xi[i]) ** 2 / max(P0[i, i], 1e-300))
            xi[i] = s
        if step > 0 and moved2 < 1e-8:
            return
        coast_to_stm(xi, t0, t1, theta0, f, Phi)


@kernel
def _spans(
    x0: Array, P0: Array, t0: Array, t1: Array, theta0: float, x1: Array, P1: Array, y: Array, Py: Array,
    sites: Array, out: Array,
) -> None:  # fmt: skip
    centre = np.empty(6)
    for a in range(x0.shape[0]):
        site_at(sites[a], theta0 + OMEGA_GMST * t1[a], centre)
        span(x0[a], P0[a], t0[a], t1[a], theta0, x1[a], P1[a], y[a], Py[a], centre, out[a])


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
    _spans(x0, P0, np.where(coasts, t_old, t_young), t_young, bank.theta0, x1, P1, y, Py, sites, out)
    return out


def mend(store: Store, t_ns: int, bank: Bank, places: Array) -> Mended:
    """Look at the young tracks of a store whose time it is: stitch, join, name parents."""
    open_ = np.flatnonzero((store.origin == OPEN) & (store.life == Life.CONFIRMED))
    if not len(open_):
        return Mended(store)
    late = t_ns - store.born_ns[open_] > _PATIENCE_NS
    due = late | (np.isin(store.updates[open_], _WHEN) & (store.looked[open_] != store.updates[open_]))
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
            _beside(store, old, new, fit, gone, fates)
            lost = (store.last_ns[old] < store.born_ns[new]) & ~gone[new] & ~gone[old]
            _stitch(store, old[lost], new[lost], fit[lost], t_ns, gone, fates)
    store.origin[open_[late]] = SETTLED
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
    store: Store, old: Ints, young: Ints, fit: Array, gone: NDArray[np.bool_], fates: list[tuple[int, str, int]]
) -> None:
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
        elif common >= 2 and _came_off(store, i, j):
            store.parent[j], store.origin[j] = store.family[i], SETTLED


def _came_off(store: Store, i: int, j: int) -> bool:
    """Whether row ``j`` was beside row ``i`` when it was first seen, moving as it does, as far as is known."""
    x, P = match_moments(store.x[[i, j]], store.P[[i, j]], store.mu[[i, j]])
    h = float(store.t_ns[j] - store.t_ns[i]) / 1e9
    age = float(store.t_ns[j] - store.born_ns[j]) / 1e9
    d = x[1] - x[0]
    d[:3] -= x[0, 3:] * h
    trace = P[:, range(6), range(6)].sum(axis=0)
    apart, along = math.sqrt(float((d[:3] ** 2).sum())), math.sqrt(float((d[3:] ** 2).sum()))
    spread = 3.0 * math.sqrt(float(trace[:3].sum())), 3.0 * math.sqrt(float(trace[3:].sum()))
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
        if margin < _CLEAR and t_ns - int(store.born_ns[j]) <= _PATIENCE_NS:
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


