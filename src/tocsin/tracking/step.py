"""The two kinds of work on a store: what a scan saw (``see``) and what its end means (``close``).

Both take a store and give another; neither knows what came before, what was told or what time it is. All work on
tracks is over arrays: pairs of tracks and detections that are near each other are scored, ``decide`` says which belong
together, the chosen tracks are corrected, the rest of the detections start seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.records.columns import SCAN, Kind, Life, Status, Table
from tocsin.tracking import life as lf
from tocsin.tracking.association import assign
from tocsin.tracking.belief import PAUSE, Belief, Prior
from tocsin.tracking.doubt import Weighed, weigh
from tocsin.tracking.filter import score_pairs, update_rows
from tocsin.tracking.gating import near
from tocsin.tracking.initiation import Seed, restart, seed
from tocsin.tracking.jpda import blend
from tocsin.tracking.measure import Looks, lay_out
from tocsin.tracking.models import (
    BOOST,
    COAST,
    ORBIT,
    REENTRY,
    Bank,
    advance_rows,
    match_moments,
    prior_rows,
    prior_state,
    turn_axes,
)
from tocsin.tracking.settings import Settings
from tocsin.tracking.sites import Site, as_looked, false_density
from tocsin.tracking.stitch import OPEN, mend
from tocsin.tracking.store import ALWAYS, NOBODY, Store, pack

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_SEEDS = 2000  # of one piece of work, the strongest first
_ROUGH = 20e3  # m: 1-sigma of position, known from lines of sight alone
_LONG_S = 30.0  # a gap over which a prediction's ellipsoid is no guide any more
_CLEAR = math.log(1000.0)  # odds of a pair over a long gap against any other of its track or detection
_FALLS = (COAST, ORBIT, REENTRY)
_TURN = 1.0  # rad: angle of thrust at which a track gets new axes

Fate = tuple[int, str, int]  # a family that ended, why, and the family in which it goes on (NOBODY: none)
Key = tuple[int, int, int, int, int]  # time ns, -1 given, 0 detections or 1 end, sensor, scan, part


@dataclass(frozen=True)
class Piece:
    """A piece of work with its place in the order: detections of a ``scan`` within a second (``part``, ordered by time
    and measurement), tracks that were ``given``, or the end of the scan (neither).
    """

    key: Key
    scan: np.void
    part: Table | None = None
    given: Store | None = None


@dataclass(frozen=True)
class Work:
    """What the work needs to know beside the store."""

    bank: Bank
    belief: Belief
    anywhere: Prior
    settings: Settings
    sites: Mapping[int, Site]
    places: Array  # (sensors, 3) by number, ecef: of those that have a chart (eci where ``resting``)
    resting: NDArray[np.bool_]  # (sensors,) by number: they do not turn with the Earth
    gate: Array
    deadlines: lf.Deadlines


@dataclass(frozen=True)
class Decision:
    """What becomes of the rows of a store when detections have been held against them.

    Row i of the next store is row ``row[i]`` of this one, corrected by the pair ``pair[i]`` (-1: by none). A row that
    is named twice has two futures (leaves of one family), one that is not named has none.
    """

    row: Ints
    pair: Ints


def decide(store: Store, tracks: Ints, dets: Ints, gain: Array, far: NDArray[np.bool_], work: Work) -> Decision:
    """Which pairs are taken: the one place where the ways of association meet.

    ``tracks``, ``dets``, ``gain`` (k,): pairs, ordered by track, then detection, and ln of their likelihood ratio
    against a false detection, -inf where impossible; ``far``: pairs over a long gap. Such a pair is taken only where
    nothing else comes near it in likelihood: else the detection begins a track of its own, and ``stitch`` finds out
    whose it is when more is known.
    """
    unclear = np.flatnonzero(far & (gain > -math.inf))
    if len(unclear):
        gain = gain.copy()
        gain[unclear[~_alone(tracks, dets, gain, unclear)]] = -math.inf
    row = np.arange(len(store))
    pair = np.full(len(store), -1, dtype=np.int64)
    places = assign(tracks, dets, gain)
    pair[tracks[places]] = places
    return Decision(row, pair)


def _alone(tracks: Ints, dets: Ints, gain: Array, which: Ints) -> NDArray[np.bool_]:
    """Whether no other pair of the same track or detection comes within ``_CLEAR`` of the pairs ``which``."""
    out = np.ones(len(which), dtype=np.bool_)
    for side in (tracks, dets):
        order = np.lexsort((np.arange(len(gain)), -gain, side))
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = side[order][1:] != side[order][:-1]
        begin = np.flatnonzero(first)
        best, second = order[begin], np.full(len(begin), -1, dtype=np.int64)
        more = begin + 1 < np.append(begin[1:], len(order))
        second[more] = order[begin[more] + 1]
        group = np.searchsorted(side[best], side[which])
        rival = np.where(best[group] == which, second[group], best[group])
        out &= (rival < 0) | (gain[np.maximum(rival, 0)] < gain[which] - _CLEAR)
    return out


def see(store: Store, piece: Piece, work: Work) -> Store:
    """Detections of one scan within a second: gate, decide, correct, start seeds."""
    if piece.given is not None:
        return store.with_rows(piece.given)
    if piece.part is None:
        return store
    part = piece.part
    looks = lay_out(part, np.repeat(np.array([piece.scan], dtype=SCAN), len(part)))
    site = work.sites[piece.key[2]]
    false, start = false_density(site, piece.scan, looks)
    used = np.zeros(len(part), dtype=np.bool_)
    if len(store):
        store = _associate(store, piece, part, looks, site, false, used, work)
    if work.settings.initiation and not used.all():
        store = _start(store, part, looks, np.flatnonzero(~used), site, start, work)
    return store


def _associate(
    store: Store, piece: Piece, part: Table, looks: Looks, site: Site, false: Array, used: NDArray[np.bool_], work: Work
) -> Store:
    """The store after the detections that its tracks explain, which are marked in ``used``."""
    tracks, dets = near(work.bank, store, looks, work.gate)
    if not len(tracks):
        return store
    number = piece.key[3]
    open_ = store.seen[tracks, site.column] != number  # a scan gives a track one detection at most
    if not open_.all():
        tracks, dets = tracks[open_], dets[open_]
        if not len(tracks):
            return store
    x, P, mu = _carry(store, tracks, looks.t_s[dets], work.bank)
    gain = score_pairs(work.bank, x, P, mu, looks, dets, work.gate)
    anew = _anew(store, tracks, looks, dets, mu, work)
    far = looks.t_s[dets] - store.t_ns[tracks] / 1e9 > _LONG_S
    long = np.flatnonzero((anew == 1) & far)
    if len(long):
        # over a long gap the prediction is no ellipsoid: only the correction itself tells how well they fit
        carried = (x[long], P[long], mu[long])
        _, fits = _correct(store, tracks[long], carried, anew[long], site, looks, dets[long], work)
        close_by = fits[:, 1] < work.gate[looks.kind[dets[long]]]
        gain[long] = np.where(close_by, fits[:, 0], -math.inf)
    mean, cov = match_moments(x, P, mu)
    ln_pd = _ln_pd(site, piece.scan, looks.kind[dets], mean, cov, mu, work.bank)
    gain += ln_pd - false[dets]
    if work.settings.initiation:
        gain[far & _vague(looks, dets, cov)] = -math.inf
    else:
        far[:] = False  # nothing can begin a track: what there is takes all it can
    vague = far | _vague(looks, dets, cov)
    doubt = weigh(
        store, tracks, dets, gain, vague, looks, site.column, ln_pd, false, work.bank, work.settings
    )  # fmt: skip
    clear = gain if doubt is None else np.where(doubt.closed, -math.inf, gain)
    decision = decide(store, tracks, dets, clear, far, work)
    if doubt is not None:
        decision.pair[doubt.row] = doubt.pair
    rows = np.flatnonzero(decision.pair >= 0)
    pairs = decision.pair[rows]
    if not len(rows) and len(decision.row) == len(store) and doubt is None:
        return store
    source = decision.row[rows]
    predicted = (x[pairs], P[pairs], mu[pairs])
    corrected = (predicted[0].copy(), predicted[1].copy(), predicted[2].copy())
    chart, _ = _correct(store, source, corrected, anew[pairs], site, looks, dets[pairs], work)
    same = len(decision.row) == len(store) and bool((decision.row == np.arange(len(store))).all())
    out = store.copy() if same else store.keep(decision.row)
    out.x[rows], out.P[rows], out.mu[rows] = corrected
    out.chart[rows], out.fresh[rows] = chart, 0
    told = None if doubt is None else _blended(store, doubt, (x, P, mu), tracks, anew, site, looks, dets, work)
    if told is not None:
        out.x[told[0]], out.P[told[0]], out.mu[told[0]] = told[2:]
    if work.settings.anew:
        for a in np.flatnonzero(_rough(looks, dets[pairs], anew[pairs], *predicted)):
            _restart(out, int(rows[a]), looks, int(dets[pairs[a]]), site, predicted, int(a), work)
    b = work.bank.column(BOOST)
    if b >= 0:
        for i in rows[(out.mu[rows, b] > 0.0) & (np.abs(out.x[rows, b, 7]) > _TURN)]:
            turn_axes(out.x[i, b], out.P[i, b], out.axes[i])
    t_ns = part["t_ns"][dets[pairs]].astype(np.int64)
    out.t_ns[rows] = t_ns
    out.last_ns[rows] = np.maximum(out.last_ns[rows], t_ns)
    if told is not None and doubt is not None:
        out.t_ns[told[0]] = told[1]
        mine = store.family[told[0]]
        kept = (w for w in store.windows if not np.isin(w.families, mine).any() and w.rows(store) is not None)
        out.windows = (*kept, *doubt.windows)
    # a window may give a track a detection outside the gate of its newest prediction: it speaks neither for nor against
    told_by = np.where(np.isfinite(gain[pairs]), gain[pairs], 0.0)
    out.score[rows] = np.minimum(out.score[rows] + told_by, lf.MOST_SCORE)
    out.updates[rows] += 1
    out.note_boost(rows, b, float(work.belief.parameters[PAUSE]))
    out.period_ns[rows] = np.maximum(out.period_ns[rows], site.period_ns)
    out.head[rows] = out.chains.extend(out.head[rows], _marks(part, dets[pairs]))
    out.seen[rows, site.column] = number
    sure = (out.updates[rows] >= lf.CONFIRM_UPDATES) & (out.score[rows] > lf.CONFIRM_SCORE)
    out.life[rows[sure]] = Life.CONFIRMED
    used[dets[pairs]] = True
    if doubt is not None:
        used[doubt.used] = True
    return out


def _blended(
    store: Store, doubt: Weighed, carried: tuple[Array, Array, Array], tracks: Ints, anew: Ints, site: Site,
    looks: Looks, dets: Ints, work: Work,
) -> tuple[Ints, Ints, Array, Array, Array]:  # fmt: skip
    """Rows in doubt as they are now: their numbers, times (ns), x, P, mu."""
    rows, ends = doubt.blended, np.zeros(len(doubt.blended))
    some = (store.axes, store.t_ns / 1e9, store.memory())
    real = np.flatnonzero(doubt.of >= 0)
    pairs, group = doubt.of[real], doubt.group[real]
    t = looks.t_s[dets[pairs]]
    ends[:] = -math.inf
    np.maximum.at(ends, group, t)
    # every hypothesis of a track stands at the latest of its detections' times
    x, P, mu = advance_rows(work.bank, rows, ends, store.x, store.P, store.mu, *some)
    by = (carried[0][pairs], carried[1][pairs], carried[2][pairs])
    _correct(store, tracks[pairs], by, anew[pairs], site, looks, dets[pairs], work)
    early = np.flatnonzero(t < ends[group])
    if len(early):
        axes, _, memory = (v[rows[group[early]]] for v in some)
        xe, Pe, mue = (v[early] for v in by)
        later = advance_rows(
            work.bank, np.arange(len(early)), ends[group[early]], xe, Pe, mue, axes, t[early], memory
        )  # fmt: skip
        for v, new in zip(by, later, strict=True):
            v[early] = new
    order = np.concatenate((np.flatnonzero(doubt.of < 0), real))
    every = [np.concatenate((a, b)) for a, b in zip((x, P, mu), by, strict=True)]
    x, P, mu = blend(doubt.group[order], len(rows), doubt.weight[order], *every)
    both = np.concatenate((rows, doubt.searched))
    xs, Ps, mus = advance_rows(work.bank, doubt.searched, doubt.t_s, store.x, store.P, store.mu, *some)
    c = max(work.bank.column(COAST), 0)
    xs[:, c, :6], Ps[:, c, :6, :6] = doubt.x, doubt.P
    t_ns = np.round(np.concatenate((ends, doubt.t_s)) * 1e9).astype(np.int64)
    return both, t_ns, np.concatenate((x, xs)), np.concatenate((P, Ps)), np.concatenate((mu, mus))


def _carry(store: Store, tracks: Ints, t: Array, bank: Bank) -> tuple[Array, Array, Array]:
    """``advance_rows`` for pairs, once for those neighbours in order that share a track and a time."""
    first = np.ones(len(tracks), dtype=np.bool_)
    first[1:] = (tracks[1:] != tracks[:-1]) | (t[1:] != t[:-1])
    some = (store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory())
    if first.all():
        return advance_rows(bank, tracks, t, *some)
    x, P, mu = advance_rows(bank, tracks[first], t[first], *some)
    each = np.cumsum(first) - 1
    return x[each], P[each], mu[each]


def _ln_pd(site: Site, scan: np.void, kind: Ints, x: Array, P: Array, mu: Array, bank: Bank) -> Array:
    """ln of the detection probability (k,) that a hit counts with: the one that a miss would count with.

    Over-the-horizon radars, whose misses count nothing and which start nothing, have one for all.
    """
    if site.row[lf.S_DECLARED] > 0.0 or (kind == Kind.RA).any():
        return np.full(len(kind), site.ln_pd)
    b = bank.column(BOOST)
    return lf.hit(as_looked(site, scan), kind, x, P, mu[:, b] if b >= 0 else np.zeros(len(kind)))


def _vague(looks: Looks, dets: Ints, cov: Array) -> NDArray[np.bool_]:
    """Where a single detection with a range tells too little of which track it is: known to worse than ``_ROUGH``."""
    known = np.sqrt(cov[:, 0, 0] + cov[:, 1, 1] + cov[:, 2, 2])
    return np.asarray((known > _ROUGH) & (looks.kind[dets] != Kind.LOS))


def _marks(part: Table, which: Ints) -> Ints:
    return pack(part["sensor"][which], part["scan"][which], part["n"][which])


def _anew(store: Store, tracks: Ints, looks: Looks, dets: Ints, mu: Array, work: Work) -> Ints:
    """Which pairs have their flight linearised anew: what certainly falls, and seeds, whose velocity is unknown."""
    falls = np.isin(work.bank.kinds, _FALLS)
    if not work.settings.anew or not falls.any():
        return np.zeros(len(dets), dtype=np.int64)
    alone = ((mu[:, ~falls] == 0.0) & (store.mu[tracks][:, ~falls] == 0.0)).all(axis=1)
    seeds = (store.fresh[tracks] == 1) & (looks.kind[dets] != Kind.LOS)
    later = looks.t_s[dets] > store.t_ns[tracks] / 1e9
    return np.asarray((alone | seeds) & later, dtype=np.int64)


def _correct(
    store: Store, rows: Ints, carried: tuple[Array, Array, Array], anew: Ints, site: Site, looks: Looks, dets: Ints,
    work: Work,
) -> tuple[Ints, Array]:  # fmt: skip
    """``update_rows`` for rows of a store, in place in ``carried``: their new charts, and how well they fit."""
    own = site.chart if work.settings.charts else 0
    points = work.settings.filter == "ukf"
    chart = store.chart[rows]
    which = np.maximum(np.where(chart != 0, chart, own) - 1, 0)
    sites, resting = work.places[which], work.resting[which]
    if resting.any():  # from where the kernel, which turns places with the Earth, comes to the place in space
        t = np.where(anew == 1, store.t_ns[rows] / 1e9, looks.t_s[dets])
        sites = np.where(resting[:, None], to_ecef(sites, work.bank.theta0 + OMEGA_GMST * t), sites)
    x0, P0 = _before(store, rows, carried[2], np.full(len(rows), points) | (anew == 1), work.bank)
    fits = update_rows(
        work.bank, (x0, P0, store.t_ns[rows] / 1e9), carried, anew, chart, sites, own, looks, dets,
        work.settings.charts, points=points,
    )  # fmt: skip
    return chart, fits


def _before(store: Store, rows: Ints, mu: Array, asked: NDArray[np.bool_], bank: Bank) -> tuple[Array, Array]:
    """States of rows before they were carried to where their models' probabilities are ``mu``, (k, M, 10) and
    (k, M, 10, 10), or, of a bank of one free fall alone, (k, 6) and (k, 6, 6).

    A model that came up on the way has none of its own: it gets, where it is ``asked`` for, that of the likeliest.
    """
    if len(bank) == 1 and bank.kinds[0] in (COAST, ORBIT):
        return np.ascontiguousarray(store.x[rows, 0, :6]), np.ascontiguousarray(store.P[rows, 0, :6, :6])
    x0, P0 = store.x[rows], store.P[rows]
    was = store.mu[rows]
    new = (was <= 0.0) & (mu > 0.0) & asked[:, None]
    if new.any():
        best = was.argmax(axis=1)
        for a, m in np.argwhere(new):
            x6, P6 = x0[a, best[a], :6], P0[a, best[a], :6, :6]
            x0[a, m], P0[a, m] = prior_state(int(bank.kinds[m]), x6, P6, store.axes[rows[a]], bank.parameters)
    return x0, P0


def _rough(looks: Looks, dets: Ints, anew: Ints, x: Array, P: Array, mu: Array) -> NDArray[np.bool_]:
    """Where a radar's position is so much better than the prediction that the track starts again from it."""
    _, cov = match_moments(x, P, mu)
    known = np.sqrt(cov[:, 0, 0] + cov[:, 1, 1] + cov[:, 2, 2])
    z, R, kind = looks.z[dets], looks.R[dets], looks.kind[dets]
    across = z[:, 0] * np.sqrt(R[:, 1, 1] * np.cos(z[:, 2]) ** 2 + R[:, 2, 2])
    ranged = (kind == Kind.RAE) | (kind == Kind.RAER)
    return np.asarray(ranged & (anew == 0) & (known > _ROUGH) & (known > 5.0 * across))


def _restart(
    store: Store, i: int, looks: Looks, j: int, site: Site, predicted: tuple[Array, Array, Array], a: int, work: Work
) -> None:
    x, P, mu = (v[a] for v in predicted)
    xo, Po, axes = restart(looks, j, work.belief, x, P, mu)
    store.axes[i] = axes.ravel()
    bank = work.bank
    first, spread, _ = prior_rows(bank, xo[None, :6], Po[None, :6, :6], axes.reshape(1, 9), np.zeros(1))
    store.x[i], store.P[i] = first[0], spread[0]
    b = bank.column(BOOST)
    if b >= 0:
        store.x[i, b], store.P[i, b] = (xo, Po) if mu[b] > 0.0 else (0.0, 0.0)
    store.chart[i] = site.chart if work.settings.charts else 0
    store.fresh[i] = 1


def _start(
    store: Store, part: Table, looks: Looks, which: Ints, site: Site, start: float, work: Work
) -> Store:  # fmt: skip
    """Seeds of the detections ``which``, after the store's rows; of too many the strongest, of too many rows the
    likeliest."""
    if len(which) > MOST_SEEDS:
        order = np.lexsort((which, -part["snr_db"][which].astype(np.float64)))
        which = np.sort(which[order[:MOST_SEEDS]])
    made: list[Seed] = []
    places: list[int] = []
    for j in which.tolist():
        one = seed(looks, j, work.belief, site.prior or work.anywhere, work.anywhere)
        if one is not None:
            made.append(one)
            places.append(j)
    if not made:
        return store
    rows = _as_rows(made, store, work.bank)
    at = np.array(places, dtype=np.int64)
    t_ns = part["t_ns"][at].astype(np.int64)
    marks = _marks(part, at)
    rows.score[:] = start
    rows.t_ns[:], rows.last_ns[:], rows.born_ns[:] = t_ns, t_ns, t_ns
    rows.period_ns[:], rows.until_ns[:], rows.life[:] = site.period_ns, ALWAYS, Life.TENTATIVE
    rows.chart[:] = site.chart if work.settings.charts else 0
    rows.updates[:], rows.fresh[:], rows.family[:] = 1, 1, marks
    rows.head[:] = store.chains.extend(rows.head, marks)
    # of a piece's scan: seeds are never corrected by the scan they come from
    rows.seen[:, site.column] = part["scan"][at]
    store = store.with_rows(rows)
    most = work.settings.most_rows
    if len(store) <= most:
        return store
    sure = store.life == Life.CONFIRMED
    order = np.lexsort((np.arange(len(store)), -store.score, ~sure))
    return store.keep(np.sort(order[:most]))


def _as_rows(made: list[Seed], store: Store, bank: Bank) -> Store:
    rows = Store.none(len(bank), store.seen.shape[1], store.chains, len(made))
    x, P = np.array([s.x for s in made]), np.array([s.P for s in made])
    boosts = np.array([s.boosts for s in made])
    rows.axes[:] = np.array([s.axes.ravel() for s in made])
    rows.x[:], rows.P[:], rows.mu[:] = prior_rows(bank, x[:, :6], P[:, :6, :6], rows.axes, boosts)
    b = bank.column(BOOST)
    if b >= 0:
        rows.x[:, b], rows.P[:, b] = x, P
    return rows


def close(store: Store, piece: Piece, work: Work) -> tuple[Store, list[Fate]]:
    """The end of a scan: what it should have seen and did not, what young tracks are, and whose time has come."""
    scan = piece.scan
    if int(scan["status"]) != Status.SILENT:
        site = work.sites[piece.key[2]]
        rows = np.flatnonzero((store.born_ns < int(scan["t0_ns"])) & (store.seen[:, site.column] != piece.key[3]))
        if len(rows):
            young = np.flatnonzero((store.origin == OPEN) & (store.updates >= lf.TELL_UPDATES))
            store = lf.miss(store, rows, as_looked(site, scan), work.bank, young)
    t_ns = int(scan["t1_ns"])
    fates: list[Fate] = []
    if work.settings.initiation:
        mended = mend(store, t_ns, work.bank, work.places)
        store, fates = mended.store, mended.fates
    if work.settings.deletion:
        store, more = _drop(store, t_ns, work)
        fates = fates + more
    return store, fates


def _drop(store: Store, t_ns: int, work: Work) -> tuple[Store, list[Fate]]:
    why = lf.over(store, t_ns, work.deadlines)
    if not why.any():
        return store, []
    worth = np.flatnonzero((why != lf.STAYS) & (store.updates >= lf.TELL_UPDATES))
    fates = [(int(store.family[i]), lf.REASON[why[i]], NOBODY) for i in worth]
    return store.keep(why == lf.STAYS), fates
