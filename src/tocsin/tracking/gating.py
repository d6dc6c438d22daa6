"""Which tracks and detections are worth a closer look: a generous test that costs n log n and spares the filter.

Each track is boiled down to an outline: where its likeliest model stands and goes, and how far it may be from there.
Detections with a range are sorted into a grid of cells in space, lines of sight into one over directions; a track is
then held against the detections in the cells that its outline reaches, each at its own time. Tracks that were not seen
for long are carried by their models first. What is left out is out of every gate; nothing here decides what belongs
together.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import MU
from tocsin.records.columns import Kind
from tocsin.tracking.measure import Looks, sight
from tocsin.tracking.models import COAST, ORBIT, Bank, advance_rows
from tocsin.tracking.store import Store

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_OLD_S = 30.0  # a longer extrapolation is left to the models
_WIDER = 1.1  # than the gate, for what bends
_LEAST = 1e3  # m
_FREE = 20.0  # m/s2: half of what free fall and the air may add to a straight line with constant gravity
_PUSHED = 60.0  # the same where there may be thrust, lift or turns
_LOS, _RAE, _RAER = Kind.LOS, Kind.RAE, Kind.RAER
_OUTLINE = 12  # position, velocity (3 each), sigma of both, spread of models in both, push, time
_ORIGIN_SLACK = 2e4  # m: how far a platform moves within a piece of work


@kernel
def _outline(x: Array, P: Array, mu: Array, calm: Ints, t: float, out: Array) -> None:
    """``x`` (M, 10), ``P``, ``mu``; ``calm`` (M): 1 for models without thrust, lift or turns; ``out`` (_OUTLINE)."""
    models = mu.shape[0]
    best = models - 1
    for m in range(models - 1, -1, -1):
        if mu[m] > mu[best]:
            best = m
    for k in range(6):
        out[k] = x[best, k]
    push, sp, sv, dp, dv = _FREE, 0.0, 0.0, 0.0, 0.0
    for m in range(models):
        if mu[m] <= 0.0:
            continue
        if calm[m] == 0:
            push = _PUSHED
        sp = max(sp, P[m, 0, 0] + P[m, 1, 1] + P[m, 2, 2])
        sv = max(sv, P[m, 3, 3] + P[m, 4, 4] + P[m, 5, 5])
        if m != best:
            a, b = 0.0, 0.0
            for k in range(3):
                a += (x[m, k] - x[best, k]) ** 2
                b += (x[m, 3 + k] - x[best, 3 + k]) ** 2
            dp, dv = max(dp, math.sqrt(a)), max(dv, math.sqrt(b))
    out[6], out[7], out[8], out[9], out[10], out[11] = math.sqrt(sp), math.sqrt(sv), dp, dv, push, t


@kernel
def _outlines(x: Array, P: Array, mu: Array, calm: Ints, t: Array, out: Array) -> None:
    for i in range(x.shape[0]):
        _outline(x[i], P[i], mu[i], calm, t[i], out[i])


@kernel
def _slack(o: Array, dt: float, sigmas: float) -> float:
    h = abs(dt)
    return float(_LEAST + o[10] * h * h + sigmas * (o[6] + o[7] * h) + o[8] + o[9] * h)


@kernel
def _close(o: Array, kind: int, t: float, z: Array, R: Array, reach: Array, sigmas: float) -> bool:
    """Whether a detection is anywhere near a track of outline ``o``."""
    dt = t - o[11]
    slack = _slack(o, dt, sigmas)
    r2 = o[0] ** 2 + o[1] ** 2 + o[2] ** 2
    g = -MU / (r2 * math.sqrt(r2))
    far2, along = 0.0, 0.0
    for k in range(3):
        d = o[k] * (1.0 + 0.5 * g * dt * dt) + o[3 + k] * dt - reach[k]
        far2 += d * d
        along += d * reach[3 + k]
    across2 = far2 - along * along
    if kind == _LOS:
        angle = math.sqrt(R[0, 0] + R[1, 1])
    elif kind in (_RAE, _RAER):
        angle = math.sqrt(R[1, 1] + R[2, 2])
        if abs(along - z[0]) > slack + sigmas * math.sqrt(R[0, 0]) + across2 / z[0]:
            return False
    else:
        return True
    if along <= 0.0:
        return far2 < slack * slack
    return bool(across2 < (slack + sigmas * angle * along) ** 2)


@kernel
def _cells(points: Array, low: Array, size: Array, dims: Ints, start: Ints, order: Ints) -> None:
    """Points sorted into cells by counting: those of cell c are ``order[start[c]:start[c + 1]]``, by number."""
    place = np.empty(points.shape[0], dtype=np.int64)
    for j in range(points.shape[0]):
        c = 0
        for k in range(3):
            i = min(max(int((points[j, k] - low[k]) / size[k]), 0), dims[k] - 1)
            c = c * dims[k] + i
        place[j] = c
        start[c + 1] += 1
    for c in range(start.shape[0] - 1):
        start[c + 1] += start[c]
    fill = start.copy()
    for j in range(points.shape[0]):
        order[fill[place[j]]] = j
        fill[place[j]] += 1


@kernel
def _search(
    outlines: Array, centre: Array, radius: Array, low: Array, size: Array, dims: Ints, start: Ints, order: Ints,
    which: Ints, kind: Ints, t: Array, z: Array, R: Array, reach: Array, sigmas: float,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Pairs of tracks and detections: cells within ``radius`` (n,) of ``centre`` (n, 3), then ``_close``; ``which``:
    the detection that a point is.
    """
    room = 4 * (outlines.shape[0] + which.shape[0]) + 64
    tracks, dets = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    found = 0
    a, b = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    for i in range(outlines.shape[0]):
        empty = False
        for k in range(3):
            lowest = (centre[i, k] - radius[i] - low[k]) / size[k]
            highest = (centre[i, k] + radius[i] - low[k]) / size[k]
            if not (highest >= 0.0 and lowest <= dims[k]):
                empty = True
            a[k] = int(min(max(lowest, 0.0), dims[k] - 1.0))
            b[k] = int(min(max(highest, 0.0), dims[k] - 1.0))
        if empty:
            continue
        for i0 in range(a[0], b[0] + 1):
            for i1 in range(a[1], b[1] + 1):
                row = (i0 * dims[1] + i1) * dims[2]
                for p in range(start[row + a[2]], start[row + b[2] + 1]):
                    j = which[order[p]]
                    if not _close(outlines[i], kind[j], t[j], z[j], R[j], reach[j], sigmas):
                        continue
                    if found == room:
                        more, others = np.empty(2 * room, dtype=np.int64), np.empty(2 * room, dtype=np.int64)
                        more[:room] = tracks
                        others[:room] = dets
                        tracks, dets = more, others
                        room *= 2
                    tracks[found], dets[found] = i, j
                    found += 1
    return tracks[:found], dets[:found]


@kernel
def _spheres(outlines: Array, t: float, half: float, wide: float, sigmas: float, centre: Array, radius: Array) -> None:
    """Where each track is at ``t`` and how far a detection within ``half`` s of it, ``wide`` m broad, may be."""
    for i in range(outlines.shape[0]):
        o = outlines[i]
        dt = t - o[11]
        r2 = o[0] ** 2 + o[1] ** 2 + o[2] ** 2
        g = -MU / (r2 * math.sqrt(r2))
        speed = 0.0
        for k in range(3):
            centre[i, k] = o[k] * (1.0 + 0.5 * g * dt * dt) + o[3 + k] * dt
            speed += (o[3 + k] + g * o[k] * dt) ** 2
        radius[i] = _slack(o, abs(dt) + half, sigmas) + math.sqrt(speed) * half + wide


@kernel
def _directions(origin: Array, wide: float, centre: Array, radius: Array) -> None:
    """From places to unit vectors as seen from ``origin``, and from distances to chords."""
    for i in range(centre.shape[0]):
        d2 = 0.0
        for k in range(3):
            d2 += (centre[i, k] - origin[k]) ** 2
        d = max(math.sqrt(d2), 1.0)
        for k in range(3):
            centre[i, k] = (centre[i, k] - origin[k]) / d
        slack = (radius[i] + _ORIGIN_SLACK) / d
        radius[i] = 2.0 if slack >= 1.0 else 2.0 * math.sin(0.5 * min(math.asin(slack) + wide, math.pi))


@kernel
def _reach(
    kind: Ints, z: Array, dt: Array, region: Ints, platform: Array, attitude: Array, out: Array
) -> None:  # fmt: skip
    for i in range(kind.shape[0]):
        at = 0 if kind[i] == _LOS else 1
        if kind[i] in (_LOS, _RAE, _RAER):
            sight(z[i, at], z[i, at + 1], dt[i], region[i], platform[i], attitude[i], out[i])


def lines_of(looks: Looks) -> Array:
    """Origin and unit vector (k, 6) of each detection's line of sight (eci); zeros for kinds that have none."""
    out = np.zeros((len(looks.kind), 6))
    _reach(looks.kind, looks.z, looks.dt, looks.region, looks.platform, looks.attitude, out)
    return out


def near(bank: Bank, store: Store, looks: Looks, gate: Array) -> tuple[Ints, Ints]:
    """Pairs (track, detection) worth a closer look, ordered by track, then detection.

    ``looks``: detections of one scan within about a second; ``gate`` (5): greatest squared distance by kind. Every pair
    within its gate is among them.
    """
    sigmas = _WIDER * math.sqrt(float(gate.max()))
    none = np.empty(0, dtype=np.int64)
    if not len(looks.kind) or not len(store):
        return none, none
    calm = np.array([k in (COAST, ORBIT) for k in bank.kinds], dtype=np.int64)
    t_track = store.t_ns / 1e9
    first, last = float(looks.t_s.min()), float(looks.t_s.max())
    middle, half = 0.5 * (first + last), 0.5 * (last - first)
    outlines = np.empty((len(store), _OUTLINE))
    _outlines(store.x, store.P, store.mu, calm, t_track, outlines)
    old = np.flatnonzero(np.abs(middle - t_track) > _OLD_S)
    if len(old):
        x, P, mu = advance_rows(
            bank, old, np.full(len(old), middle), store.x, store.P, store.mu, store.axes, t_track, store.memory()
        )
        carried = np.empty((len(old), _OUTLINE))
        _outlines(x, P, mu, calm, np.full(len(old), middle), carried)
        outlines[old] = carried
    reach = lines_of(looks)
    ranged = (looks.kind == _RAE) | (looks.kind == _RAER)
    lined = looks.kind == _LOS
    pairs = []
    for group in (ranged, lined):
        which = np.flatnonzero(group)
        if not len(which):
            continue
        centre, radius = np.empty((len(store), 3)), np.empty(len(store))
        if group is ranged:
            points = reach[which, :3] + looks.z[which, :1] * reach[which, 3:]
            angle = np.sqrt(looks.R[which, 1, 1] + looks.R[which, 2, 2])
            reached = float((angle * looks.z[which, 0] + np.sqrt(looks.R[which, 0, 0])).max())
            _spheres(outlines, middle, half, 1.5 * sigmas * reached, sigmas, centre, radius)
        else:
            points = np.ascontiguousarray(reach[which, 3:])
            angle = np.sqrt(looks.R[which, 0, 0] + looks.R[which, 1, 1])
            _spheres(outlines, middle, half, 0.0, sigmas, centre, radius)
            _directions(reach[which[0], :3], 1.5 * sigmas * float(angle.max()), centre, radius)
        low, high = points.min(axis=0), points.max(axis=0)
        extent = np.maximum(high - low, 1e-9 * max(1.0, float(np.abs(high).max())))
        side = float(np.prod(extent) / len(which)) ** (1.0 / 3.0)
        dims = np.clip(np.ceil(extent / side), 1, 64).astype(np.int64)
        size = extent / dims
        start = np.zeros(int(dims.prod()) + 1, dtype=np.int64)
        order = np.empty(len(which), dtype=np.int64)
        _cells(points, low, size, dims, start, order)
        pairs.append(
            _search(
                outlines,
                centre,
                radius,
                low,
                size,
                dims,
                start,
                order,
                which,
                looks.kind,
                looks.t_s,
                looks.z,
                looks.R,
                reach,
                sigmas,
            )
        )
    rest = np.flatnonzero(~(ranged | lined))
    if len(rest):
        rows = np.arange(len(store))
        pairs.append((np.repeat(rows, len(rest)), np.tile(rest, len(rows))))
    if not pairs:
        return none, none
    tracks = np.concatenate([p[0] for p in pairs])
    dets = np.concatenate([p[1] for p in pairs])
    order = np.lexsort((dets, tracks))
    return tracks[order], dets[order]
