"""Who caused what over a window of scans: the posterior of many scans' assignments at once, by sampling.

Where objects are closer than what one scan can tell apart, the newest scan cannot say which detection comes from which
object, but the scans of half a minute together often can: an object's detections must lie on one free flight. Sums over
the assignments of many scans are out of reach; they are sampled (Markov chains over assignments: Oh, Russell, Sastry,
IEEE TAC 54, 2009), with the states integrated out: flights are linear about the last estimate, and a track with its
detections is a Gaussian in information form, whose parts add up scan by scan.

Three moves, each from where the last one stood:

- a scan that is new is assigned given what the others say of each track, by a two-dimensional assignment;
- all tracks exchange what *one* sensor saw from a moment on, or what all sensors saw, as suits them best together: of
  n tracks before and n after, the best assignment. Two radars that know range far better than direction are why one
  sensor alone is exchanged: the spheres of objects A and B meet in A, in B, and in two ghosts, which explain the
  detections of each sensor perfectly well, and no exchange in a single scan leads out of them;
- Gibbs sampling: two tracks exchange their detections of a scan, one takes a free detection or leaves its own, each
  with its probability given all else.

The exchanges always go uphill: they find the hill, the Gibbs sweeps spread over it; the chain is no exact sampler.

The likeliest assignment is not what is wanted: where thousands are nearly as likely, it takes the noise for knowledge
(it explains the detections better than the truth does). Samples are therefore averaged, each with its tracks put in the
order in which they lie nearest the others' (the estimate of least mean OSPA: Guerriero, Svensson, Svensson, Willett,
FUSION 2010): label symmetry, which makes joint probabilistic association draw close objects together, does no harm.

Process noise since the window's start widens the measurement; between scans it is taken as independent. Within a scan
one noise and one time serve all tracks; how late a detection is enters by the rate of its measurement. The number of
steps depends on counts alone, draws are Philox words of a counter: the same data give the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.jit import kernel
from tocsin.earth.random import uniform
from tocsin.tracking.association import _assign
from tocsin.tracking.filter import factor
from tocsin.tracking.measure import h, wrap_residual

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_LN_2PI = math.log(2.0 * math.pi)
_NEVER = -40.0  # ln of odds under which nothing is drawn
_FAR = -1000.0  # ln likelihood under which a free detection is none of a track's


@kernel
def _linear(
    x: Array, t0: float, theta0: float, q: float, t: Array, dt: Array, kind: Ints, region: Ints, platform: Array,
    attitude: Array, R: Array, first: Ints, z: Array, late: Array, level: Array, G: Array, H: Array, y: Array, r: Array,
    c: Array,
) -> None:  # fmt: skip
    """Scans made linear about the flight from ``x`` (6) at ``t0``: of scan s the whitened ``H[s]`` (4, 6), information
    ``G[s]`` (6, 6); of detection b the whitened residual ``r[b]`` (4), ``y[b] = H' r`` and ``c[b]``: its ln likelihood
    but for the quadratic form in the state."""
    now, out = x.copy(), np.empty(6)
    F, Phi, T, Q = np.empty((6, 6)), np.eye(6), np.empty((6, 6)), np.zeros((6, 6))
    zp, Hx, Hb, Ht, bias = np.empty(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4), np.zeros(4)
    S, L, v = np.empty((4, 4)), np.zeros((4, 4)), np.zeros(4)
    before = t0
    for s in range(t.shape[0]):
        step = t[s] - before
        if step != 0.0:
            coast_to_stm(now, before, t[s], theta0, out, F)
            before = t[s]
            for i in range(6):
                now[i] = out[i]
                for j in range(6):
                    T[i, j] = 0.0
                    for k in range(6):
                        T[i, j] += F[i, k] * Phi[k, j]
            for i in range(6):
                for j in range(6):
                    Phi[i, j] = T[i, j]
            for i in range(6):
                for j in range(6):
                    T[i, j] = 0.0
                    for k in range(6):
                        T[i, j] += F[i, k] * Q[k, j]
            for i in range(6):
                for j in range(6):
                    Q[i, j] = 0.0
                    for k in range(6):
                        Q[i, j] += T[i, k] * F[j, k]
            a = abs(step)
            for i in range(3):
                Q[i, i] += q * a * a * a / 3.0
                Q[i, 3 + i] += q * a * a / 2.0
                Q[3 + i, i] += q * a * a / 2.0
                Q[3 + i, 3 + i] += q * a
        n = h(kind[s], now, dt[s], region[s], platform[s], attitude[s], bias, zp, Hx, Hb, Ht)
        for i in range(n):
            for j in range(n):
                total = R[s, i, j]
                for a in range(6):
                    for b in range(6):
                        total += Hx[i, a] * Q[a, b] * Hx[j, b]
                S[i, j] = total
        logdet = factor(S, n, L)
        for i in range(4):
            for j in range(6):
                H[s, i, j] = 0.0
                if i < n:
                    for k in range(6):
                        H[s, i, j] += Hx[i, k] * Phi[k, j]
        for j in range(6):
            for i in range(n):
                total = H[s, i, j]
                for k in range(i):
                    total -= L[i, k] * H[s, k, j]
                H[s, i, j] = total / L[i, i]
        for i in range(6):
            for j in range(6):
                G[s, i, j] = 0.0
                for k in range(n):
                    G[s, i, j] += H[s, k, i] * H[s, k, j]
        for b in range(first[s], first[s + 1]):
            for i in range(4):
                v[i] = z[b, i] - zp[i] - Ht[i] * late[b] if i < n else 0.0
            wrap_residual(kind[s], v)
            square = 0.0
            for i in range(4):
                r[b, i] = 0.0
            for i in range(n):
                total = v[i]
                for k in range(i):
                    total -= L[i, k] * r[b, k]
                r[b, i] = total / L[i, i]
                square += r[b, i] * r[b, i]
            c[b] = level[b] - 0.5 * (square + logdet + n * _LN_2PI)
            for j in range(6):
                y[b, j] = 0.0
                for k in range(n):
                    y[b, j] += H[s, k, j] * r[b, k]


@kernel
def _evidence(info: Array, y: Array, L: Array, x: Array) -> float:
    """(y' info^-1 y - ln det info) / 2, with the factor of info in ``L`` (6, 6) and info^-1 y in ``x`` (6).

    -inf where the information is not positive definite.
    """
    logdet = factor(info, 6, L)
    if logdet == math.inf:
        return -math.inf
    square = 0.0
    for i in range(6):
        s = y[i]
        for k in range(i):
            s -= L[i, k] * x[k]
        x[i] = s / L[i, i]
        square += x[i] * x[i]
    for i in range(5, -1, -1):
        s = x[i]
        for k in range(i + 1, 6):
            s -= L[k, i] * x[k]
        x[i] = s / L[i, i]
    return 0.5 * (square - logdet)


@kernel
def _sum_up(
    own: Ints, I0: Array, y0: Array, G: Array, y: Array, c: Array, info: Array, Y: Array
) -> float:  # fmt: skip
    """Information of one track with its detections ``own`` (scans,; -1: none) into ``info``, ``Y``; the sum of c."""
    total = 0.0
    for i in range(6):
        Y[i] = y0[i]
        for j in range(6):
            info[i, j] = I0[i, j]
    for s in range(own.shape[0]):
        b = own[s]
        if b < 0:
            continue
        total += c[b]
        for i in range(6):
            Y[i] += y[b, i]
            for j in range(6):
                info[i, j] += G[s, i, j]
    return total


@kernel
def _worth(own: Ints, I0: Array, y0: Array, c0: Array, G: Array, y: Array, c: Array) -> float:
    """ln likelihood of an assignment ``own`` (tracks, scans), up to a constant."""
    info, Y, L, x = np.empty((6, 6)), np.empty(6), np.zeros((6, 6)), np.empty(6)
    total = 0.0
    for a in range(own.shape[0]):
        total += c0[a] + _sum_up(own[a], I0[a], y0[a], G[a], y[a], c[a], info, Y)
        total += _evidence(info, Y, L, x)
    return total


@kernel
def _assign_scan(
    s: int, own: Ints, info: Array, Y: Array, G: Array, H: Array, y: Array, r: Array, c: Array, first: Ints, gate: float
) -> None:  # fmt: skip
    """Assign scan ``s`` anew given the tracks' information ``info``, ``Y`` from all scans, corrected in place."""
    n, m = own.shape[0], first[s + 1] - first[s]
    if m == 0:
        return
    J, v, L, x = np.empty((6, 6)), np.empty(6), np.zeros((6, 6)), np.empty(6)
    W, S, M = np.empty((4, 6)), np.empty((4, 4)), np.zeros((4, 4))
    u = np.empty(4)
    start = np.zeros(n + 1, dtype=np.int64)
    columns, gain = np.empty(n * m, dtype=np.int64), np.empty(n * m)
    count = 0
    for a in range(n):
        b = own[a, s]
        for i in range(6):
            v[i] = Y[a, i] - (y[a, b, i] if b >= 0 else 0.0)
            for j in range(6):
                J[i, j] = info[a, i, j] - (G[a, s, i, j] if b >= 0 else 0.0)
        if _evidence(J, v, L, x) > -math.inf:
            # S = H J^-1 H' + 1 by W = L^-1 H'
            for i in range(4):
                for j in range(6):
                    t = H[a, s, i, j]
                    for k in range(j):
                        t -= L[j, k] * W[i, k]
                    W[i, j] = t / L[j, j]
            for i in range(4):
                for j in range(4):
                    t = 1.0 if i == j else 0.0
                    for k in range(6):
                        t += W[i, k] * W[j, k]
                    S[i, j] = t
            logdet = factor(S, 4, M)
            for d in range(m):
                b = first[s] + d
                square, plain = 0.0, 0.0
                for i in range(4):
                    t = r[a, b, i]
                    plain += t * t
                    for j in range(6):
                        t -= H[a, s, i, j] * x[j]
                    for k in range(i):
                        t -= M[i, k] * u[k]
                    u[i] = t / M[i, i]
                    square += u[i] * u[i]
                if square > gate:
                    continue
                g = c[a, b] + 0.5 * (plain - square - logdet)
                if g > 0.0:
                    columns[count], gain[count] = d, g
                    count += 1
        start[a + 1] = count
    chosen = np.full(n, -1)
    _assign(start, columns[:count], gain[:count], m, chosen)
    for a in range(n):
        new = first[s] + columns[chosen[a]] if chosen[a] >= 0 else -1
        old = own[a, s]
        if new == old:
            continue
        own[a, s] = new
        for i in range(6):
            Y[a, i] += (y[a, new, i] if new >= 0 else 0.0) - (y[a, old, i] if old >= 0 else 0.0)
            if (new >= 0) != (old >= 0):
                for j in range(6):
                    info[a, i, j] += G[a, s, i, j] if new >= 0 else -G[a, s, i, j]


@kernel
def _forward(L: Array, y: Array, u: Array) -> float:
    """|L^-1 y|^2."""
    square = 0.0
    for i in range(6):
        s = y[i]
        for k in range(i):
            s -= L[i, k] * u[k]
        u[i] = s / L[i, i]
        square += u[i] * u[i]
    return square


@kernel
def _permute(
    own: Ints, sensor: Ints, which: int, I0: Array, y0: Array, G: Array, y: Array, c: Array
) -> None:  # fmt: skip
    """At each moment, from the last, all tracks exchange what sensor ``which`` (-1: all) saw since, as suits best."""
    n, scans = own.shape
    base, Yb, cb = np.empty((n, 6, 6)), np.empty((n, 6)), np.empty(n)
    for a in range(n):
        cb[a] = _sum_up(own[a], I0[a], y0[a], G[a], y[a], c[a], base[a], Yb[a])
    Is, Ys, cs = np.zeros((n, n, 6, 6)), np.zeros((n, n, 6)), np.zeros((n, n))
    info, Y, L, u = np.empty((6, 6)), np.empty(6), np.zeros((6, 6)), np.empty(6)
    worth = np.empty((n, n))
    start = np.arange(n + 1) * n
    columns, gain = np.empty(n * n, dtype=np.int64), np.empty(n * n)
    tail = np.arange(n)  # whose detections a track has from here on
    for s in range(scans - 1, -1, -1):
        if which >= 0 and sensor[s] != which:
            continue
        for q in range(n):
            b, o = own[q, s], tail[q]
            if b < 0:
                continue
            cb[q] -= c[q, b]
            for i in range(6):
                Yb[q, i] -= y[q, b, i]
                for j in range(i + 1):
                    base[q, i, j] -= G[q, s, i, j]
            for p in range(n):
                cs[p, o] += c[p, b]
                for i in range(6):
                    Ys[p, o, i] += y[p, b, i]
                    for j in range(i + 1):
                        Is[p, o, i, j] += G[p, s, i, j]
        low, high = math.inf, -math.inf
        for p in range(n):
            for q in range(n):
                o = tail[q]
                for i in range(6):
                    Y[i] = Yb[p, i] + Ys[p, o, i]
                    for j in range(i + 1):
                        info[i, j] = base[p, i, j] + Is[p, o, i, j]
                logdet = factor(info, 6, L)
                worth[p, q] = cb[p] + cs[p, o] + 0.5 * (_forward(L, Y, u) - logdet)
                low, high = min(low, worth[p, q]), max(high, worth[p, q])
        for p in range(n):
            for q in range(n):
                columns[p * n + q] = q
                gain[p * n + q] = worth[p, q] - low + n * (high - low) + 1.0 + (1e-7 if p == q else 0.0)
        chosen = np.full(n, -1)
        _assign(start, columns, gain, n, chosen)
        moved = False
        for p in range(n):
            if columns[chosen[p]] != p:
                moved = True
        if moved:
            before, was = own.copy(), tail.copy()
            for p in range(n):
                q = columns[chosen[p]]
                tail[p] = was[q]
                for w in range(s, scans):
                    if which < 0 or sensor[w] == which:
                        own[p, w] = before[q, w]


@kernel
def _try(
    b: int, d: int, info: Array, Y: Array, L: Array, logdet: float, G: Array, y: Array, c: Array, J: Array, v: Array,
    M: Array, u: Array, out: Array,
) -> float:  # fmt: skip
    """Worth (but for its prior) of a track that has detection d (-1: none) in place of b; ``out[0]``: ln det."""
    for i in range(6):
        v[i] = Y[i] + (y[d, i] if d >= 0 else 0.0) - (y[b, i] if b >= 0 else 0.0)
    gained = (c[d] if d >= 0 else 0.0) - (c[b] if b >= 0 else 0.0)
    if (b >= 0) == (d >= 0):
        out[0] = logdet
        for i in range(6):
            for j in range(i + 1):
                M[i, j] = L[i, j]
        return gained + 0.5 * (_forward(L, v, u) - logdet)
    for i in range(6):
        for j in range(6):
            J[i, j] = info[i, j] + (G[i, j] if d >= 0 else -G[i, j])
    out[0] = factor(J, 6, M)
    if out[0] == math.inf:
        return -math.inf
    return float(gained + 0.5 * (_forward(M, v, u) - out[0]))


@kernel
def _take(
    b: int, d: int, a: int, s: int, own: Ints, info: Array, Y: Array, L: Array, logdet: Array, G: Array, y: Array,
    M: Array, new: float,
) -> None:  # fmt: skip
    """Give track a detection d in place of b in scan s."""
    own[a, s] = d
    for i in range(6):
        Y[a, i] += (y[a, d, i] if d >= 0 else 0.0) - (y[a, b, i] if b >= 0 else 0.0)
    if (b >= 0) != (d >= 0):
        for i in range(6):
            for j in range(6):
                info[a, i, j] += G[a, s, i, j] if d >= 0 else -G[a, s, i, j]
            for j in range(i + 1):
                L[a, i, j] = M[i, j]
        logdet[a] = new


@kernel
def _sample(
    own: Ints, I0: Array, y0: Array, G: Array, y: Array, c: Array, first: Ints, sweeps: int,
    key: np.uint64, counter: int, states: Array, spreads: Array,
) -> None:  # fmt: skip
    """Sweeps of Gibbs sampling; after each, mean and covariance of each track (at the window's start, about where it
    was made linear) into ``states`` (sweeps, n, 6), ``spreads`` (sweeps, n, 6, 6)."""
    n, scans = own.shape
    info, Y, L, logdet, worth = np.empty((n, 6, 6)), np.empty((n, 6)), np.zeros((n, 6, 6)), np.empty(n), np.empty(n)
    J, v, u = np.empty((6, 6)), np.empty(6), np.empty(6)
    Ma, Me = np.zeros((6, 6)), np.zeros((6, 6))
    da, de = np.empty(1), np.empty(1)
    total = c.shape[1]
    free = np.ones(total, dtype=np.bool_)
    for a in range(n):
        for s in range(scans):
            if own[a, s] >= 0:
                free[own[a, s]] = False
    for w in range(sweeps):
        for a in range(n):
            _sum_up(own[a], I0[a], y0[a], G[a], y[a], c[a], info[a], Y[a])
            logdet[a] = factor(info[a], 6, L[a])
            worth[a] = 0.5 * (_forward(L[a], Y[a], u) - logdet[a])
        draw = 0
        for s in range(scans):
            for a in range(n):
                for e in range(a + 1, n):
                    b, d = own[a, s], own[e, s]
                    if b < 0 and d < 0:
                        continue
                    wa = _try(b, d, info[a], Y[a], L[a], logdet[a], G[a, s], y[a], c[a], J, v, Ma, u, da)
                    we = _try(d, b, info[e], Y[e], L[e], logdet[e], G[e, s], y[e], c[e], J, v, Me, u, de)
                    gain = wa + we - worth[a] - worth[e]
                    draw += 1
                    if (
                        gain > _NEVER
                        and uniform(key, np.int64(counter + w), np.int64(s), np.int64(draw))
                        * (1.0 + math.exp(min(-gain, 700.0)))
                        < 1.0
                    ):
                        _take(b, d, a, s, own, info, Y, L, logdet, G, y, Ma, da[0])
                        _take(d, b, e, s, own, info, Y, L, logdet, G, y, Me, de[0])
                        # worth is relative to what the track has: c is not carried along
                        worth[a] = 0.5 * (_forward(L[a], Y[a], u) - logdet[a])
                        worth[e] = 0.5 * (_forward(L[e], Y[e], u) - logdet[e])
            for a in range(n):
                for d in range(first[s] - 1, first[s + 1]):
                    b = own[a, s]
                    if d < first[s]:
                        if b < 0:
                            continue
                        new = -1
                    elif free[d] and c[a, d] > _FAR:
                        new = d
                    else:
                        continue
                    wa = _try(b, new, info[a], Y[a], L[a], logdet[a], G[a, s], y[a], c[a], J, v, Ma, u, da)
                    gain = wa - worth[a]
                    draw += 1
                    if (
                        gain > _NEVER
                        and uniform(key, np.int64(counter + w), np.int64(s), np.int64(draw))
                        * (1.0 + math.exp(min(-gain, 700.0)))
                        < 1.0
                    ):
                        _take(b, new, a, s, own, info, Y, L, logdet, G, y, Ma, da[0])
                        worth[a] = 0.5 * (_forward(L[a], Y[a], u) - logdet[a])
                        if b >= 0:
                            free[b] = True
                        if new >= 0:
                            free[new] = False
        for a in range(n):
            _evidence(info[a], Y[a], J, states[w, a])
            for k in range(6):
                for i in range(6):
                    v[i] = 1.0 if i == k else 0.0
                _evidence(info[a], v, J, u)
                for i in range(6):
                    spreads[w, a, i, k] = u[i]


@kernel
def _carry_samples(
    x: Array, spread: Array, t0: float, t1: float, theta0: float, xo: Array, Po: Array
) -> None:  # fmt: skip
    F, T = np.empty((6, 6)), np.empty((6, 6))
    for k in range(x.shape[0]):
        for a in range(x.shape[1]):
            coast_to_stm(x[k, a], t0, t1, theta0, xo[k, a], F)
            for i in range(6):
                for j in range(6):
                    T[i, j] = 0.0
                    for m in range(6):
                        T[i, j] += F[i, m] * spread[k, a, m, j]
            for i in range(6):
                for j in range(i, 6):
                    s = 0.0
                    for m in range(6):
                        s += T[i, m] * F[j, m]
                    Po[k, a, i, j] = s
                    Po[k, a, j, i] = s


@kernel
def _in_order(x: Array, near: Array, place: Ints) -> None:
    """Which track of each sample ``x`` (k, n, 6) lies where the tracks ``near`` (n, 6) are, into ``place`` (k, n).

    By the least sum of squared distances of positions.
    """
    n = near.shape[0]
    start = np.arange(n + 1) * n
    columns, gain = np.empty(n * n, dtype=np.int64), np.empty(n * n)
    chosen = np.empty(n, dtype=np.int64)
    for k in range(x.shape[0]):
        most = 0.0
        for a in range(n):
            for b in range(n):
                d = 0.0
                for i in range(3):
                    d += (x[k, b, i] - near[a, i]) ** 2
                columns[a * n + b], gain[a * n + b] = b, d
                most = max(most, d)
        for i in range(n * n):
            gain[i] = (n + 1) * most + 1.0 - gain[i]
        chosen[:] = -1
        _assign(start, columns, gain, n, chosen)
        for a in range(n):
            place[k, a] = columns[chosen[a]]


@dataclass(frozen=True)
class Block:
    """Scans of a window, in the order of time; scan s has detections ``first[s]`` to ``first[s + 1]``.

    ``t`` (S,): s since the epoch, ``dt``: since the scan's t0; ``sensor``: counted from 0; ``kind``, ``region``,
    ``platform`` (S, 6), ``attitude`` (S, 9): as in ``Looks``; ``R`` (S, 4, 4): one noise for all detections of a scan;
    ``z`` (D, 4); ``late`` (D,): s from the scan's ``t`` to the detection; ``level`` (D,): ln Pd / (1 - Pd), less ln of
    the density of false detections there.
    """

    t: Array
    dt: Array
    sensor: Ints
    kind: Ints
    region: Ints
    platform: Array
    attitude: Array
    R: Array
    first: Ints
    z: Array
    late: Array
    level: Array


@dataclass(frozen=True)
class Found:
    """What a search gives.

    ``own`` (n, S): the last sample's detection of each track in each scan (-1: none), to go on from; ``start`` (n, 6):
    its states at the window's start, to be linear about; ``x`` (n, 6), ``P`` (n, 6, 6): the tracks at the time asked
    for.
    """

    own: Ints
    start: Array
    x: Array
    P: Array


@dataclass(frozen=True)
class Effort:
    """How much is done: ``rounds`` of exchanges and sampling, then ``keep`` samples that are averaged; ``relinear``
    times over.

    ``gate``: squared distance within which a new scan's detections are taken at first.
    """

    rounds: int = 2
    keep: int = 10
    relinear: int = 1
    gate: float = 25.0


def explain(
    block: Block, x: Array, P: Array, t0: float, start: Array, own: Ints, q: float, t1: float, theta0: float = 0.0,
    effort: Effort | None = None, seed: int = 0, guess: tuple[Array, Array] | None = None,
) -> Found:  # fmt: skip
    """Tracks at ``t1`` (s), given all scans of a window.

    ``x`` (n, 6), ``P`` (n, 6, 6): what was known at ``t0`` (s), before any of the scans, in eci; ``start`` (n, 6): a
    better guess of the states then (or ``x`` itself); ``own`` (n, s): the assignment of the first s scans found before;
    ``q``: white acceleration of the flight (m2/s3); ``guess``: states and covariances at ``t1`` that another method
    came to (JPDA): the search goes on from there too, and the likelier of the two is kept. Tracks keep their places:
    that of ``start`` carried to ``t1``, by the least sum of squared distances. Raises ValueError where a covariance is
    not positive definite or the shapes do not go together.
    """
    effort = effort or Effort()
    n, scans = len(x), len(block.t)
    if own.shape[0] != n or own.shape[1] > scans or block.first.shape != (scans + 1,):
        raise ValueError(f"{n} tracks and {scans} scans do not go with an assignment of shape {own.shape}")
    prior = _inverse(P)
    own = np.hstack((own, np.full((n, scans - own.shape[1]), -1))).astype(np.int64)
    fresh = np.flatnonzero(np.all(own < 0, axis=0))
    ref = np.ascontiguousarray(start, dtype=np.float64).copy()
    near = _carried(ref[None], np.zeros((1, n, 6, 6)), t0, t1, theta0)[0][0]
    key = np.uint64(seed)

    lines = _Lines(block, ref, x, prior, t0, theta0, q)
    info, Y = lines.sums(own)
    for k in fresh:
        lines.place(int(k), own, info, Y, effort.gate)
    ways = [(lines, ref, own)]
    if guess is not None:
        back, spread = _carried(guess[0][None], guess[1][None], t1, t0, theta0)
        theirs, other = back[0], np.full((n, scans), -1)
        lines = _Lines(block, theirs, x, prior, t0, theta0, q)
        said, nothing = _inverse(spread[0]), np.zeros((n, 6))
        for s in range(scans):
            lines.place(s, other, said.copy(), nothing.copy(), math.inf)
        ways.append((lines, theirs, other))
    one, its = np.empty((1, n, 6)), np.empty((1, n, 6, 6))
    worth = []
    counter = 0
    for lines, _, labels in ways:
        for _ in range(effort.rounds):
            lines.exchange(labels)
            lines.sample(labels, key, counter, one, its)
            counter += 1
        worth.append(lines.worth(labels))
    lines, ref, own = ways[int(np.argmax(worth))]
    states, spreads = np.empty((effort.keep, n, 6)), np.empty((effort.keep, n, 6, 6))
    for again in range(effort.relinear):
        if again:
            lines = _Lines(block, ref, x, prior, t0, theta0, q)
        lines.sample(own, key, counter, states, spreads)
        counter += effort.keep
        states += ref
        ref = states[-1].copy()
    xs, Ps = _carried(states, spreads, t0, t1, theta0)
    place = np.empty((effort.keep, n), dtype=np.int64)
    for _ in range(2):
        _in_order(xs, near, place)
        ordered = np.take_along_axis(xs, place[:, :, None], axis=1)
        near = ordered.mean(axis=0)
    apart = ordered - near
    cov = np.take_along_axis(Ps, place[:, :, None, None], axis=1).mean(axis=0)
    cov += np.einsum("kai,kaj->aij", apart, apart) / effort.keep
    gap = abs(t1 - t0)
    for i in range(3):
        cov[:, i, i] += q * gap**3 / 3.0
        cov[:, i, 3 + i] += q * gap**2 / 2.0
        cov[:, 3 + i, i] += q * gap**2 / 2.0
        cov[:, 3 + i, 3 + i] += q * gap
    last = place[-1]
    return Found(own[last], ref[last], near, cov)


def _inverse(P: Array) -> Array:
    out = np.empty_like(P)
    for a in range(len(P)):
        if not np.all(np.linalg.eigvalsh(P[a]) > 0.0):
            raise ValueError(f"the covariance of track {a} is not positive definite")
        out[a] = np.linalg.inv(P[a])
    return out


class _Lines:
    """A window made linear about the flights from ``ref`` (n, 6): the kernels with their arrays at hand."""

    def __init__(self, block: Block, ref: Array, x: Array, prior: Array, t0: float, theta0: float, q: float) -> None:
        n, scans, count = len(ref), len(block.t), len(block.z)
        self._block, self._prior = block, prior
        self._groups = int(block.sensor.max()) + 1 if scans else 0
        self._G, self._H = np.empty((n, scans, 6, 6)), np.empty((n, scans, 4, 6))
        self._y, self._r, self._c = np.empty((n, count, 6)), np.empty((n, count, 4)), np.empty((n, count))
        for a in range(n):
            _linear(
                ref[a], t0, theta0, q, block.t, block.dt, block.kind, block.region, block.platform, block.attitude,
                block.R, block.first, block.z, block.late, block.level,
                self._G[a], self._H[a], self._y[a], self._r[a], self._c[a],
            )  # fmt: skip
        apart = x - ref
        self._y0 = np.einsum("aij,aj->ai", prior, apart)
        self._c0 = -0.5 * np.einsum("ai,ai->a", self._y0, apart)

    def sums(self, own: Ints) -> tuple[Array, Array]:
        """Information of the tracks with their detections."""
        n = len(own)
        info, Y = np.empty((n, 6, 6)), np.empty((n, 6))
        for a in range(n):
            _sum_up(own[a], self._prior[a], self._y0[a], self._G[a], self._y[a], self._c[a], info[a], Y[a])
        return info, Y

    def place(self, s: int, own: Ints, info: Array, Y: Array, gate: float) -> None:
        """Assign scan ``s`` given ``info``, ``Y``, which are corrected."""
        _assign_scan(s, own, info, Y, self._G, self._H, self._y, self._r, self._c, self._block.first, gate)

    def exchange(self, own: Ints) -> None:
        """The exchanges of all sensors and of each."""
        for which in range(-1, self._groups if self._groups > 1 else 0):
            _permute(own, self._block.sensor, which, self._prior, self._y0, self._G, self._y, self._c)

    def sample(self, own: Ints, key: np.uint64, counter: int, states: Array, spreads: Array) -> None:
        """Gibbs sweeps, as many as ``states`` has rows."""
        first = self._block.first
        _sample(
            own, self._prior, self._y0, self._G, self._y, self._c, first, len(states), key, counter, states, spreads
        )  # fmt: skip

    def worth(self, own: Ints) -> float:
        """ln likelihood of an assignment, up to a constant."""
        return float(_worth(own, self._prior, self._y0, self._c0, self._G, self._y, self._c))


def _carried(x: Array, spread: Array, t0: float, t1: float, theta0: float) -> tuple[Array, Array]:
    xo, Po = np.empty_like(x), np.empty_like(spread)
    _carry_samples(x, spread, t0, t1, theta0, xo, Po)
    return xo, Po
