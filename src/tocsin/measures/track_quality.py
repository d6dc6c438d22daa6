"""How good a set of tracks is: GOSPA over time, completeness, continuity, identity switches, what is spurious.

At each time objects and tracks are paired: a pair of the time before stays while it is nearer than the cut-off (CLEAR
MOT: Bernardin and Stiefelhagen, EURASIP J. Image Video Process. 2008), the others by the optimal assignment of GOSPA.
From the pairs: **completeness**, the share of an object's times at which it has a track; **longest segment**, the
longest stretch under one number without a gap; **breaks**, gaps with a track before and after; **switches**, times at
which the number is another than the one before it, gaps or not; **spurious**, the share of the tracks' times without an
object. GOSPA itself (``gospa``) keeps no memory: it is the optimum at each time.

An object counts from when it could be known of (``since``), for a nation from the first detection of it by one of its
own sensors. Before, it costs nothing to miss it, but a track that follows it is not spurious.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.measures.chain import Behind
from tocsin.measures.gospa import NONE, gospa_frame, gospa_over
from tocsin.measures.nees import nees
from tocsin.records.arrow import scalar, texts, values
from tocsin.records.words import Facts

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

CUTOFF_M = 50e3  # about what one satellite leaves of the place of a burning object: further off is another object
_NS = 1e9
_TOLD = ("confirmed", "coasting")


@dataclass(frozen=True)
class Points:
    """Who was where: ``who`` (N,), ``t_ns`` (N,) and ``x`` (N, 3) position or (N, 6) with velocity, one frame, SI; one
    row for each of them and each time. ``sigma`` (N,): stated 1-sigma of position (root of the trace), and ``P``
    (N, d, d), where known: of tracks only.
    """

    who: Ints
    t_ns: Ints
    x: Array
    sigma: Array | None = None
    P: Array | None = None


@dataclass(frozen=True)
class ObjectQuality:
    """One object: from ``first_ns`` it counts, at ``times`` times; shares and counts as above; ``longest_share``: of
    these times in the longest segment; ``numbers``: tracks that followed it, in order of their first time; ``rms_m``:
    error of position (None: never tracked); ``over_sigma``: root mean square of error over stated sigma (None: not
    stated).
    """

    who: int
    first_ns: int
    times: int
    completeness: float
    longest_share: float
    breaks: int
    switches: int
    numbers: tuple[int, ...]
    rms_m: float | None
    over_sigma: float | None


@dataclass(frozen=True)
class TrackQuality:
    """All objects together over ``times``. GOSPA (m) as root mean square over the times, and its parts likewise, whose
    squares (p-th powers) add up to it; ``completeness``: of all object-times (None: no object counted);
    ``longest_share``: mean over objects (None: none);
    ``spurious``: of all track-times (None: no track); ``rms_m``, ``over_sigma``, ``anees`` (mean NEES over the
    components of x; needs ``P``): over all pairs of objects that count (None: none).
    """

    cutoff_m: float
    power: float
    times: int
    gospa_m: float
    localisation_m: float
    missed_m: float
    false_m: float
    completeness: float | None
    longest_share: float | None
    breaks: int
    switches: int
    spurious: float | None
    rms_m: float | None
    rms_velocity_m_s: float | None
    over_sigma: float | None
    anees: float | None
    objects: tuple[ObjectQuality, ...]


@kernel
def _follow(
    a: Array, a_start: Ints, a_who: Ints, b: Array, b_start: Ints, b_who: Ints, many: int, c: float, p: float,
    pair: Ints,
) -> None:  # fmt: skip
    """``pair`` (N,): row of ``b`` that each row of ``a`` is followed by, or ``NONE``; ``a_who`` from 0 to ``many``."""
    last = np.full(many, NONE)  # track that followed an object at the time before
    out = np.empty(4)
    for f in range(a_start.shape[0] - 1):
        a0, a1, b0, b1 = a_start[f], a_start[f + 1], b_start[f], b_start[f + 1]
        used = np.zeros(b1 - b0, dtype=np.bool_)
        by_number = np.argsort(b_who[b0:b1], kind="mergesort")
        numbers = b_who[b0:b1][by_number]
        left = np.empty(a1 - a0, dtype=np.int64)
        nl = 0
        for i in range(a0, a1):
            pair[i] = NONE
            k = np.searchsorted(numbers, last[a_who[i]])
            if last[a_who[i]] != NONE and k < numbers.shape[0] and numbers[k] == last[a_who[i]]:
                j = by_number[k]
                d = 0.0
                for s in range(a.shape[1]):
                    d += (a[i, s] - b[b0 + j, s]) ** 2
                if not used[j] and d < c * c:
                    pair[i] = b0 + j
                    used[j] = True
            if pair[i] == NONE:
                left[nl] = i
                nl += 1
        free = np.empty(b1 - b0, dtype=np.int64)
        nf = 0
        for j in range(b1 - b0):
            if not used[j]:
                free[nf] = b0 + j
                nf += 1
        if nl > 0 and nf > 0:
            chosen = np.empty(nl, dtype=np.int64)
            gospa_frame(a[left[:nl]], b[free[:nf]], c, p, chosen, out)
            for k in range(nl):
                if chosen[k] != NONE:
                    pair[left[k]] = free[chosen[k]]
        for i in range(a0, a1):
            last[a_who[i]] = NONE if pair[i] == NONE else b_who[pair[i]]


def _sorted(points: Points, times: Ints, name: str) -> tuple[Points, Ints]:
    """Rows at ``times`` only, by time and who, and where each time begins (T + 1)."""
    who, t = np.asarray(points.who, dtype=np.int64), np.asarray(points.t_ns, dtype=np.int64)
    x = np.asarray(points.x, dtype=np.float64)
    if who.ndim != 1 or t.shape != who.shape or x.ndim != 2 or len(x) != len(who) or x.shape[1] not in (3, 6):
        raise ValueError(
            f"{name}: expected who (N,), t_ns (N,), x (N, 3) or (N, 6); found {who.shape}, {t.shape}, {x.shape}"
        )
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: a position is not finite")
    keep = np.flatnonzero(np.isin(t, times))
    order = keep[np.lexsort((who[keep], t[keep]))]
    if ((np.diff(t[order]) == 0) & (np.diff(who[order]) == 0)).any():
        raise ValueError(f"{name}: one of them stands twice at one time")
    rows = Points(
        who[order], t[order], x[order],
        None if points.sigma is None else np.asarray(points.sigma, dtype=np.float64)[order],
        None if points.P is None else np.asarray(points.P, dtype=np.float64)[order],
    )  # fmt: skip
    return rows, np.r_[np.searchsorted(rows.t_ns, times), len(order)].astype(np.int64)


def _rms(squares: Array) -> float | None:
    return float(np.sqrt(np.mean(squares))) if len(squares) else None


def _mean(powers: Array, p: float) -> float:
    return float(np.mean(powers) ** (1.0 / p)) if len(powers) else 0.0


def _object(who: int, t_ns: Ints, numbers: Ints, square: Array, over: Array | None) -> ObjectQuality:
    """From the track's number at each time that the object counts (``NONE``: no track)."""
    had = numbers != NONE
    # stretches of one value: where they begin, how long they are
    begin = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
    length = np.diff(np.r_[begin, len(numbers)])
    value = numbers[begin]
    followed = value[value != NONE]
    inner = value[1:-1] == NONE  # stretches without a track that have others before and after
    return ObjectQuality(
        who=who,
        first_ns=int(t_ns[0]),
        times=len(t_ns),
        completeness=float(had.mean()),
        longest_share=float(length[value != NONE].max(initial=0)) / len(t_ns),
        breaks=int(inner.sum()),
        switches=int((followed[1:] != followed[:-1]).sum()),
        numbers=tuple(dict.fromkeys(followed.tolist())),
        rms_m=_rms(square),
        over_sigma=None if over is None else _rms(over),
    )


def track_quality(
    truth: Points, tracks: Points, times_ns: Ints, since_ns: Mapping[int, int] | None = None,
    cutoff_m: float = CUTOFF_M, power: float = 2.0,
) -> TrackQuality:  # fmt: skip
    """Score ``tracks`` against ``truth`` at ``times_ns`` (rising): positions; velocities are only reported.

    ``since_ns``: from when each object counts (one that is not in it never does); None: all of them always. Raises
    ValueError for shapes that do not go together, rows not finite or twice, times that do not rise, or a cut-off or
    power as ``gospa`` refuses them.
    """
    times = np.asarray(times_ns, dtype=np.int64)
    if times.ndim != 1 or (np.diff(times) <= 0).any():
        raise ValueError("times must rise")
    a, a_start = _sorted(truth, times, "truth")
    b, b_start = _sorted(tracks, times, "tracks")
    ids, code = np.unique(a.who, return_inverse=True)
    first = np.array(
        [times[0] if since_ns is None else since_ns.get(int(w), times[-1] + 1) for w in ids], dtype=np.int64
    )
    counts = a.t_ns >= first[code] if len(ids) else np.zeros(0, dtype=np.bool_)
    ax, bx = np.ascontiguousarray(a.x[:, :3]), np.ascontiguousarray(b.x[:, :3])
    pair = np.empty(len(ax), dtype=np.int64)
    # GOSPA first: it checks cut-off and power. Left out: objects that do not count yet, and tracks that follow one
    gospa_over(ax[:0], np.zeros(1, dtype=np.int64), bx[:0], np.zeros(1, dtype=np.int64), cutoff_m, power)
    _follow(
        ax, a_start, code.astype(np.int64), bx, b_start, b.who, len(ids), float(cutoff_m), float(power), pair
    )  # fmt: skip
    paired = pair != NONE
    early = np.zeros(len(bx), dtype=np.bool_)
    early[pair[paired & ~counts]] = True
    g = gospa_over(
        ax[counts], np.r_[0, np.cumsum(counts)][a_start], bx[~early], np.r_[0, np.cumsum(~early)][b_start],
        cutoff_m, power,
    )  # fmt: skip
    both = np.flatnonzero(paired & counts)
    error = b.x[pair[both]][:, :3] - a.x[both][:, :3]
    square = (error**2).sum(axis=1)
    over = None if b.sigma is None else square / b.sigma[pair[both]] ** 2
    whole = b.P is not None and a.x.shape[1] == b.x.shape[1] == b.P.shape[-1]
    score = None
    if b.P is not None and whole and len(both):
        score = float(nees(b.x[pair[both]] - a.x[both], b.P[pair[both]]).mean()) / b.x.shape[1]
    velocity = None
    if a.x.shape[1] == 6 and b.x.shape[1] == 6:
        velocity = _rms(((b.x[pair[both]] - a.x[both])[:, 3:] ** 2).sum(axis=1))
    place = np.full(len(ax), -1, dtype=np.int64)  # of a row among ``both``
    place[both] = np.arange(len(both))
    objects = []
    for k, who in enumerate(ids):
        mine = np.flatnonzero((code == k) & counts)
        if len(mine):
            had = pair[mine]
            numbers = np.where(had == NONE, NONE, b.who[had] if len(b.who) else NONE)
            at = place[mine[had != NONE]]
            objects.append(_object(int(who), a.t_ns[mine], numbers, square[at], None if over is None else over[at]))
    found = float(paired[counts].sum())
    return TrackQuality(
        cutoff_m=float(cutoff_m),
        power=float(power),
        times=len(times),
        gospa_m=_mean(g.distance**power, power),
        localisation_m=_mean(g.localisation, power),
        missed_m=_mean(g.missed, power),
        false_m=_mean(g.false, power),
        completeness=found / float(counts.sum()) if counts.any() else None,
        longest_share=float(np.mean([o.longest_share for o in objects])) if objects else None,
        breaks=sum(o.breaks for o in objects),
        switches=sum(o.switches for o in objects),
        spurious=1.0 - len(np.unique(pair[paired])) / len(bx) if len(bx) else None,
        rms_m=_rms(square),
        rms_velocity_m_s=velocity,
        over_sigma=None if over is None else _rms(over),
        anees=score,
        objects=tuple(objects),
    )


def _points(table: pa.Table, who: Ints, sigma: bool) -> Points:
    km = np.stack([values(table[f"{name}_km"]) for name in ("x_eci", "y_eci", "z_eci")], axis=1)
    speed = np.stack([values(table[f"{name}_km_s"]) for name in ("vx_eci", "vy_eci", "vz_eci")], axis=1)
    stated = values(table["sigma_position_km"]) * 1e3 if sigma else None
    t_ns = np.rint(values(table["t_s"]).astype(np.float64) * _NS).astype(np.int64)
    return Points(who, t_ns, np.concatenate((km, speed), axis=1) * 1e3, stated)


def qualities(
    tables: Mapping[str, pa.Table], scenario: Mapping[str, Any], facts: Facts, cutoff_m: float = CUTOFF_M
) -> dict[tuple[str, str], TrackQuality]:
    """Quality of the tracks of every pipeline (nation, label) of a run, from its tables: confirmed and coasting tracks
    at the frames' ends that fall on whole seconds. ``ObjectQuality.who`` counts through ``facts.objects``.

    ``scenario``: as plain data. Nations without a pipeline's tracks are there too, under "own".
    """
    index = {name: i for i, name in enumerate(facts.objects)}
    truth = tables["truth"]
    known = np.array([index.get(name, -1) for name in truth["object"].to_pylist()], dtype=np.int64)
    true = _points(truth, known, sigma=False)
    true = Points(true.who[known >= 0], true.t_ns[known >= 0], true.x[known >= 0])
    frame_ns = round(float(scenario.get("frame_s") or 1.0) * _NS)
    seconds = np.unique(true.t_ns)
    times = seconds[seconds % frame_ns == 0]
    behind = Behind(tables, facts.objects)
    told = tables["tracks"]
    told = told.filter(pc.is_in(told["life"], texts(_TOLD)))
    pipelines = dict.fromkeys((nation, "own") for nation in scenario["partners"])
    # not ``group_by``, which imports pandas by way of pyarrow.dataset
    names = zip(tables["tracks"]["nation"].to_pylist(), tables["tracks"]["label"].to_pylist(), strict=True)
    pipelines.update(dict.fromkeys(sorted(set(names))))
    found = {}
    for nation, label in pipelines:
        own = told.filter(pc.and_(pc.equal(told["nation"], scalar(nation)), pc.equal(told["label"], scalar(label))))
        since = {
            i: round(t_s * _NS)
            for i, t_s in behind.first_seen([s.id for s in facts.sensors if s.partner == nation]).items()
        }
        tracks = _points(own, values(own["track"]).astype(np.int64), sigma=True)
        found[nation, label] = track_quality(true, tracks, times, since, cutoff_m)
    return found


def quality_table(found: Mapping[tuple[str, str], TrackQuality], facts: Facts) -> pa.Table:
    """A row for each pipeline, then one for each object in it (``object`` null: all together); km, km/s, shares."""
    rows: list[dict[str, Any]] = []
    for (nation, label), q in found.items():
        common = {"nation": nation, "label": label}
        rows.append({
            **common, "object": None, "times": q.times, "gospa_km": q.gospa_m * 1e-3,
            "localisation_km": q.localisation_m * 1e-3, "missed_km": q.missed_m * 1e-3, "false_km": q.false_m * 1e-3,
            "completeness": q.completeness, "longest_share": q.longest_share, "breaks": q.breaks,
            "switches": q.switches, "spurious": q.spurious, "rms_km": _scaled(q.rms_m),
            "rms_km_s": _scaled(q.rms_velocity_m_s), "over_sigma": q.over_sigma, "from_s": None, "tracks": None,
        })  # fmt: skip
        rows += [
            {
                **common, "object": facts.objects[o.who], "times": o.times, "completeness": o.completeness,
                "longest_share": o.longest_share, "breaks": o.breaks, "switches": o.switches,
                "rms_km": _scaled(o.rms_m), "over_sigma": o.over_sigma, "from_s": o.first_ns / _NS,
                "tracks": list(o.numbers),
            }
            for o in q.objects
        ]  # fmt: skip
    text, real, count = pa.string(), pa.float64(), pa.int64()
    columns = {
        "nation": text, "label": text, "object": text, "from_s": real, "times": count, "gospa_km": real,
        "localisation_km": real, "missed_km": real, "false_km": real, "completeness": real, "longest_share": real,
        "breaks": count, "switches": count, "spurious": real, "rms_km": real, "rms_km_s": real, "over_sigma": real,
        "tracks": pa.list_(count),
    }  # fmt: skip
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in columns.items()})


def _scaled(value: float | None) -> float | None:
    return None if value is None else value * 1e-3
