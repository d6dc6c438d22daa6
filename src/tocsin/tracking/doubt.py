"""Tracks of which nobody can say at once what they caused: weighed, or searched for over a window of scans.

``weigh`` takes the pairs of a piece of work and finds the components in doubt (``jpda.ambiguity``); all others are left
to the assignment (``step.decide``). Only established tracks are weighed: they take first, seeds and tentative tracks
have what is left. What becomes of a component is ``jpda.choose``'s word (by the curves of the book ``boxes``) or the
settings': its tracks are blended by their probabilities, model by model, or a ``Window`` is kept of it, the tracker's
way of multiple hypotheses: what was known before the doubt began, and all detections since, which are explained
together after every scan (``window.explain``). A window lives in the store, never changed once made, so that replay and
snapshots need nothing else.

In a window tracks coast (most probably, Cartesian, above the air): others are blended. One noise, the mean of its
detections', serves each scan of it; a track's chain has the detection of the sample that came last when the scan was
new. What a scan did not show is not weighed by limits of its view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import A
from tocsin.records.columns import Life
from tocsin.tracking.association import assign, components
from tocsin.tracking.belief import BETA, Q_COAST
from tocsin.tracking.filter import update
from tocsin.tracking.jpda import CLEAR, MOST_IN_WINDOW, ambiguity, blend, choose, marginals
from tocsin.tracking.measure import Looks
from tocsin.tracking.models import COAST, Bank, advance_rows
from tocsin.tracking.settings import Settings
from tocsin.tracking.window import Block, explain

if TYPE_CHECKING:
    from tocsin.tracking.store import Store

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MOSTLY = 0.9  # probability of coasting from which a track may be in a window
_AIR = 90e3  # m over the equator's radius: below it a window's flight, which has no drag, will not do
_LONGEST_S = 120.0  # what is older in a window is settled
_GAP_S = 30.0  # without a detection: the window is given up
_QUIET = 10  # scans without doubt after which a window is given up
_LEAST_LN = -60.0  # of a probability, for the choice of one detection a track
_MOST_PD = 0.999
_OURS = 0.5  # probability of being any track's from which a detection starts no seed


@dataclass(frozen=True)
class Window:
    """A component in doubt, between two scans.

    ``families`` (n,): its tracks, with ``updates`` and ``t_ns`` (n,) of their rows as they were left: where a row is
    otherwise by now, somebody else had a hand in it and the window is void. ``t0``: s; ``x`` (n, 6), ``P`` (n, 6, 6):
    what was known then, before any of the scans in ``block``; ``start``, ``own``: as ``window.Found`` gives them;
    ``guess``, ``spread``: where joint probabilistic association alone would be, at ``t1`` (s); ``searches``: how many
    so far; ``quiet``: scans in a row without doubt.
    """

    families: Ints
    updates: Ints
    t_ns: Ints
    t0: float
    t1: float
    x: Array
    P: Array
    start: Array
    own: Ints
    guess: Array
    spread: Array
    block: Block
    searches: int = 0
    quiet: int = 0

    def rows(self, store: Store) -> Ints | None:
        """The rows of its tracks; None where it is void."""
        order = np.argsort(store.family, kind="stable")
        at = np.searchsorted(store.family[order], self.families)
        if (at >= len(order)).any():
            return None
        rows = order[at]
        same = (store.family[rows] == self.families) & (store.updates[rows] == self.updates)
        return rows if bool((same & (store.t_ns[rows] == self.t_ns)).all()) else None

    def to_plain(self) -> list[Any]:
        """As plain data."""
        return [*(_plain(getattr(self, f.name)) for f in fields(self) if f.name != "block"),
                [_plain(getattr(self.block, f.name)) for f in fields(Block)]]  # fmt: skip

    @classmethod
    def from_plain(cls, plain: list[Any]) -> Window:
        """The inverse of ``to_plain``. Raises ValueError, KeyError or TypeError on anything else."""
        names = [f.name for f in fields(cls) if f.name != "block"]
        block = Block(*(_unplain(v) for v in plain[-1]))
        return cls(**{n: _unplain(v) for n, v in zip(names, plain[:-1], strict=True)}, block=block)


def _plain(v: Any) -> Any:
    return [v.dtype.str, list(v.shape), v.tobytes()] if isinstance(v, np.ndarray) else v


def _unplain(v: Any) -> Any:
    if not isinstance(v, list):
        return v
    kind, shape, raw = v
    if kind not in ("<f8", "<i8"):
        raise ValueError(f"a window with an array of {kind!r}; allowed: <f8, <i8")
    return np.frombuffer(raw, dtype=kind).reshape(shape).copy()


@dataclass(frozen=True)
class Weighed:
    """What ``weigh`` says of a piece's pairs.

    ``closed`` (k,): pairs that nobody else may have; ``row``, ``pair``: the detection that each of its tracks takes
    into its chain, where there is one; ``used``: detections that start no seed. To be blended: row ``blended[i]`` of
    the store by hypotheses h with ``group[h] == i``, pair ``of[h]`` (-1: none) at probability ``weight[h]``.
    ``searched``: rows that a window says all of, their columns of coasting ``x`` (n, 6), ``P`` (n, 6, 6) at ``t_s``
    (n,). ``windows``: those that go on.
    """

    closed: Bools
    row: Ints
    pair: Ints
    used: Ints
    blended: Ints
    group: Ints
    of: Ints
    weight: Array
    searched: Ints
    x: Array
    P: Array
    t_s: Array
    windows: tuple[Window, ...]


def weigh(
    store: Store, tracks: Ints, dets: Ints, gain: Array, vague: Bools, looks: Looks, sensor: int, ln_pd: Array,
    false: Array, bank: Bank, settings: Settings,
) -> Weighed | None:  # fmt: skip
    """The pairs of a piece of work in doubt; None where there is no doubt.

    ``tracks``, ``dets``, ``gain`` (k,): ordered by track, then detection; ``vague`` (k,): pairs whose prediction is no
    ellipsoid: their tracks are left out; ``sensor``: its column; ``ln_pd`` (k,), ``false`` (of each detection): what
    is in ``gain`` of detection probability and, negative, of the density of false detections. A window knows one
    detection probability a scan, the mean over its pairs.
    """
    way = settings.association
    if way == "gnn":
        return None
    sure = (store.life == Life.CONFIRMED) & (store.fresh == 0)
    sure[tracks[vague]] = False
    which = np.flatnonzero(sure[tracks] & np.isfinite(gain))
    if not len(which):
        return None
    windows = [(w, r) for w in store.windows if (r := w.rows(store)) is not None and sure[r].all()]
    part = components(tracks[which], dets[which])
    if way != "jpda":
        first = np.ones(len(which), dtype=np.bool_)
        first[1:] = tracks[which][1:] != tracks[which][:-1]
        many = np.bincount(part[first]) > 1
        for _, rows in windows:
            many[part[np.isin(tracks[which], rows)]] = True
        which = which[many[part]]
        if not len(which):
            return None
        part = components(tracks[which], dets[which])
    t, d, g = tracks[which], dets[which], gain[which]
    found = np.minimum(np.exp(ln_pd[which]), _MOST_PD)
    begins = np.flatnonzero(np.append(True, t[1:] != t[:-1]))
    beta, none = marginals(t, d, g, np.log1p(-np.maximum.reduceat(found, begins)), settings.clusters)
    doubt = ambiguity(t, part, beta, none)
    c = bank.column(COAST)
    bodies = _free(store, bank, c) if c >= 0 else np.zeros(len(store), dtype=np.bool_)
    out = _Out(np.zeros(len(tracks), dtype=np.bool_))
    soft = np.zeros(len(which), dtype=np.bool_)
    for parts, held in _groups(t, part, len(doubt), windows):
        mine = np.flatnonzero(np.isin(part, parts))
        rows = np.unique(np.concatenate([t[mine], *(r for _, r in held)]))
        most = float(doubt[parts].max())
        how = {"mht": "window", "jpda": "jpda"}.get(way) or (
            choose(most, len(rows)) if not held else "window" if len(rows) <= MOST_IN_WINDOW else "jpda"
        )
        if how == "window" and len(rows) > 1 and bodies[rows].all():
            one = held[0][0] if len(held) == 1 and len(held[0][1]) == len(rows) else None
            rows = rows if one is None else held[0][1]  # in the window's order
            quiet = one.quiet + 1 if one is not None and most < CLEAR else 0
            if way == "auto" and quiet > _QUIET:
                continue
            seen = np.unique(d[mine])
            pd = float(np.mean(found[mine])) if len(mine) else settings.detection_probability
            missed = math.log1p(-pd)
            level = math.log(pd) - missed - false
            if _search(out, store, one, rows, tracks, dets, seen, looks, sensor, level, missed, bank, settings, quiet):
                continue
        if how != "gnn" and not (way == "auto" and most < CLEAR):
            soft[mine] = True
    _soft(out, which[soft], tracks, dets, beta[soft], none[np.searchsorted(np.unique(t), np.unique(t[soft]))])
    return out.done(dets)


@dataclass
class _Out:
    """What has come of the groups so far."""

    closed: Bools

    def __post_init__(self) -> None:
        none, empty = np.zeros(0, dtype=np.int64), np.zeros(0)
        self.rows, self.pairs, self.used = [none], [none], [none]
        self.blended, self.group, self.of, self.weight = none, none, none, empty
        self.searched, self.x, self.P, self.t = [none], [np.zeros((0, 6))], [np.zeros((0, 6, 6))], [empty]
        self.windows: list[Window] = []

    def done(self, dets: Ints) -> Weighed | None:
        row = np.concatenate(self.rows)
        searched = np.concatenate(self.searched)
        if not len(self.blended) and not len(searched):
            return None
        pair = np.concatenate(self.pairs)
        used = np.unique(np.concatenate([*self.used, dets[pair]]))
        self.closed |= np.isin(dets, used)
        return Weighed(
            self.closed, row, pair, used, self.blended, self.group, self.of, self.weight, searched,
            np.concatenate(self.x), np.concatenate(self.P), np.concatenate(self.t), tuple(self.windows),
        )  # fmt: skip


def _free(store: Store, bank: Bank, c: int) -> Bools:
    """Rows that may be in a window."""
    x = store.x[:, c]
    high = np.sqrt(x[:, 0] ** 2 + x[:, 1] ** 2 + x[:, 2] ** 2) > A + _AIR
    if math.isinf(bank.parameters[BETA]):
        high[:] = True
    return np.asarray((store.mu[:, c] >= _MOSTLY) & (store.chart == 0) & high)


def _groups(t: Ints, part: Ints, count: int, windows: list[tuple[Window, Ints]]) -> Any:
    """Components, in order, put together where a window holds them: (their numbers, the windows)."""
    parent = list(range(count + len(windows)))

    def root(i: int) -> int:
        while parent[i] != i:
            i = parent[i]
        return i

    for k, (_, rows) in enumerate(windows):
        for p in np.unique(part[np.isin(t, rows)]).tolist():
            a, b = root(p), root(count + k)
            parent[max(a, b)] = min(a, b)
    found: dict[int, tuple[list[int], list[tuple[Window, Ints]]]] = {}
    for p in range(count):
        found.setdefault(root(p), ([], []))[0].append(p)
    for k, w in enumerate(windows):
        if root(count + k) in found:  # else it saw nothing of this piece
            found[root(count + k)][1].append(w)
    for parts, held in found.values():
        yield np.array(parts), held


def _soft(out: _Out, which: Ints, tracks: Ints, dets: Ints, beta: Array, none: Array) -> None:
    """Tracks to be blended: all their pairs ``which`` with probabilities ``beta``, ``none`` of each track's being
    missed."""
    if not len(which):
        return
    t, d = tracks[which], dets[which]
    rows, group = np.unique(t, return_inverse=True)
    n = len(rows)
    out.closed |= np.isin(tracks, rows)
    out.blended = rows
    out.group = np.concatenate((np.arange(n), group)).astype(np.int64)
    out.of = np.concatenate((np.full(n, -1), which)).astype(np.int64)
    out.weight = np.concatenate((none, beta))
    with np.errstate(divide="ignore"):
        odds = np.maximum(np.log(beta), _LEAST_LN) - np.maximum(np.log(none), _LEAST_LN)[group]
    places = assign(t, d, np.where(beta > 0.0, odds, -math.inf))
    out.rows.append(t[places])
    out.pairs.append(which[places])
    total = np.zeros(int(d.max()) + 1)
    np.add.at(total, d, beta)
    out.used.append(np.flatnonzero(total > _OURS))


def _search(
    out: _Out, store: Store, one: Window | None, rows: Ints, tracks: Ints, dets: Ints, seen: Ints, looks: Looks,
    sensor: int, level: Array, missed: float, bank: Bank, settings: Settings, quiet: int,
) -> bool:  # fmt: skip
    """One more scan for a window, or the first one of a new one; False where it cannot be."""
    now_ns = int(np.mean(np.round(looks.t_s[seen] * 1e9)))
    now, theta0, q = now_ns / 1e9, bank.theta0, float(bank.parameters[Q_COAST])
    if len(np.unique(looks.kind[seen])) > 1:
        return False
    if one is not None and not 0.0 <= now - one.t1 < _GAP_S:
        one = None
    if one is None:
        x, P = _carried(store, rows, now, bank)
        if not _positive(P):
            return False
        n = len(rows)
        one = Window(
            store.family[rows], store.updates[rows], store.t_ns[rows], now, now, x, P, x, np.zeros((n, 0), np.int64),
            x, P, _NO_SCANS,
        )  # fmt: skip
    scan = _scan(looks, seen, now, sensor, level)
    block = _joined(one.block, scan)
    guess, spread = one.guess.copy(), one.spread.copy()
    _carry(guess, spread, one.t1, now, theta0, q)
    _blend_guess(guess, spread, scan, level[seen] + missed, looks, seen, missed, settings)
    try:
        found = explain(
            block, one.x, one.P, one.t0, one.start, one.own, q, now, theta0, seed=one.searches,
            guess=(guess, spread) if _positive(spread) else None,
        )  # fmt: skip
    except ValueError:
        return False
    if not (np.isfinite(found.x).all() and _positive(found.P)):
        return False
    chosen = found.own[:, -1] - block.first[-2]
    takes = np.flatnonzero(found.own[:, -1] >= 0)
    pairs = []
    for a in takes.tolist():
        at = np.flatnonzero((tracks == rows[a]) & (dets == seen[chosen[a]]))
        pairs.append(int(at[0]) if len(at) else -1)
    pair = np.array(pairs, dtype=np.int64)
    real = pair >= 0
    out.closed |= np.isin(tracks, rows)
    out.rows.append(rows[takes[real]])
    out.pairs.append(pair[real])
    out.used.append(seen[chosen[takes]])
    out.searched.append(rows)
    out.x.append(found.x)
    out.P.append(found.P)
    out.t.append(np.full(len(rows), now))
    updates = store.updates[rows]
    updates[takes[real]] += 1
    kept = replace(
        one, updates=updates, t_ns=np.full(len(rows), now_ns), t1=now, start=found.start, own=found.own, guess=guess,
        spread=spread, block=block, searches=one.searches + 1, quiet=quiet,
    )  # fmt: skip
    while len(kept.block.t) > settings.window or (len(kept.block.t) > 1 and now - kept.t0 > _LONGEST_S):
        kept = _settled(kept, theta0, q)
    out.windows.append(kept)
    return True


def _carried(store: Store, rows: Ints, t: float, bank: Bank) -> tuple[Array, Array]:
    """Coasting states of rows at ``t`` (s)."""
    x, P, _ = advance_rows(
        bank, rows, np.full(len(rows), t), store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory()
    )
    c = bank.column(COAST)
    return np.ascontiguousarray(x[:, c, :6]), np.ascontiguousarray(P[:, c, :6, :6])


def _positive(P: Array) -> bool:
    return bool(np.isfinite(P).all()) and bool((np.linalg.eigvalsh(P) > 0.0).all())


def _scan(looks: Looks, seen: Ints, now: float, sensor: int, level: Array) -> Block:
    """The detections ``seen`` of one piece of work as a window's scan."""
    j = seen[0]
    return Block(
        np.array([now]), np.array([looks.dt[j] - (looks.t_s[j] - now)]), np.array([sensor]), looks.kind[[j]],
        looks.region[[j]], looks.platform[[j]], looks.attitude[[j]], looks.R[seen].mean(axis=0)[None],
        np.array([0, len(seen)]), looks.z[seen], looks.t_s[seen] - now, level[seen],
    )  # fmt: skip


_NO_SCANS = Block(
    np.zeros(0), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 6)),
    np.zeros((0, 9)), np.zeros((0, 4, 4)), np.zeros(1, np.int64), np.zeros((0, 4)), np.zeros(0), np.zeros(0),
)  # fmt: skip


def _joined(a: Block, b: Block) -> Block:
    both = {f.name: np.concatenate((getattr(a, f.name), getattr(b, f.name))) for f in fields(Block)}
    both["first"] = np.concatenate((a.first, a.first[-1] + b.first[1:]))
    return Block(**both)


def _settled(w: Window, theta0: float, q: float) -> Window:
    """A window whose oldest scan is taken as its last sample has it: what was known moves on to the scan's time."""
    b = w.block
    t, count = float(b.t[0]), int(b.first[1])
    x, P, start = w.x.copy(), w.P.copy(), w.start.copy()
    _carry(x, P, w.t0, t, theta0, q)
    _carry(start, np.zeros_like(P), w.t0, t, theta0, 0.0)
    distance, centre = np.empty(1), np.zeros(6)
    for a in np.flatnonzero(w.own[:, 0] >= 0).tolist():
        d = int(w.own[a, 0])
        update(
            x[a], P[a], 6, b.kind[0], b.dt[0] + b.late[d], b.region[0], b.platform[0], b.attitude[0], b.z[d], b.R[0],
            False, centre, 1, distance,
        )  # fmt: skip
    one_each = {f.name: getattr(b, f.name)[1:] for f in fields(Block) if f.name not in ("first", "z", "late", "level")}
    rest = Block(
        **one_each, first=b.first[1:] - count, z=b.z[count:], late=b.late[count:], level=b.level[count:]
    )  # fmt: skip
    own = np.where(w.own[:, 1:] >= 0, w.own[:, 1:] - count, -1)
    return replace(w, t0=t, x=x, P=P, start=start, own=own, block=rest)


@kernel
def _carry(x: Array, P: Array, t0: float, t1: float, theta0: float, q: float) -> None:
    """Carry states (n, 6) and covariances (n, 6, 6) under gravity with white acceleration q, in place."""
    F, T, out = np.empty((6, 6)), np.empty((6, 6)), np.empty(6)
    a = abs(t1 - t0)
    if a == 0.0:
        return
    for n in range(x.shape[0]):
        coast_to_stm(x[n], t0, t1, theta0, out, F)
        for i in range(6):
            x[n, i] = out[i]
            for j in range(6):
                s = 0.0
                for k in range(6):
                    s += F[i, k] * P[n, k, j]
                T[i, j] = s
        for i in range(6):
            for j in range(i, 6):
                s = 0.0
                for k in range(6):
                    s += T[i, k] * F[j, k]
                P[n, i, j] = s
                P[n, j, i] = s
        for i in range(3):
            P[n, i, i] += q * a * a * a / 3.0
            P[n, i, 3 + i] += q * a * a / 2.0
            P[n, 3 + i, i] += q * a * a / 2.0
            P[n, 3 + i, 3 + i] += q * a


@kernel
def _try_all(
    x: Array, P: Array, kind: int, dt: Array, region: int, platform: Array, attitude: Array, z: Array, R: Array,
    xo: Array, Po: Array, ll: Array, d2: Array,
) -> None:  # fmt: skip
    """Every track corrected by every detection: states (n, m, 6), covariances, ln likelihood and distance (n, m)."""
    centre = np.zeros(6)
    for a in range(x.shape[0]):
        for b in range(z.shape[0]):
            xo[a, b] = x[a]
            Po[a, b] = P[a]
            ll[a, b] = update(
                xo[a, b], Po[a, b], 6, kind, dt[b], region, platform, attitude, z[b], R[b], False, centre, 1,
                d2[a, b : b + 1],
            )  # fmt: skip


def _blend_guess(
    x: Array, P: Array, scan: Block, worth: Array, looks: Looks, seen: Ints, missed: float, settings: Settings
) -> None:
    """A step of joint probabilistic association, in place; ``worth``: ln Pd less ln of the false density."""
    n, m = len(x), len(seen)
    xo, Po, ll, d2 = np.empty((n, m, 6)), np.empty((n, m, 6, 6)), np.empty((n, m)), np.empty((n, m))
    kind = int(scan.kind[0])
    _try_all(
        x, P, kind, scan.dt[0] + scan.late, scan.region[0], scan.platform[0], scan.attitude[0], scan.z, looks.R[seen],
        xo, Po, ll, d2,
    )  # fmt: skip
    a, b = np.nonzero((d2 < settings.gate[kind]) & np.isfinite(ll))
    if not len(a):
        return
    beta, none = marginals(a, b, ll[a, b] + worth[b], missed, settings.clusters)
    alone = np.ones(n)
    alone[np.unique(a)] = none
    group = np.concatenate((np.arange(n), a))
    every = np.concatenate((x, xo[a, b]))[:, None], np.concatenate((P, Po[a, b]))[:, None]
    xb, Pb, _ = blend(group, n, np.concatenate((alone, beta)), *every, np.ones((len(group), 1)))
    x[:], P[:] = xb[:, 0], Pb[:, 0]
