"""Who caused what over a window of scans: the assignment of many scans at once, by local search.

Where objects are closer than what one scan can tell apart, the newest scan cannot say which detection comes from which
object, but the scans of half a minute together often can: an object's detections must lie on one free flight. The best
assignment over many scans is a multidimensional one (Poore, Comput. Optim. Appl. 3, 1994), too large to be solved
outright; it is searched from where the last one stood:

- a scan is assigned anew, given what the other scans say of each track: by a two-dimensional assignment, exact;
- two tracks exchange all their detections before or after a moment;
- both again with the likelihoods made blunt and perturbed (perturb-and-MAP: Papandreou and Yuille, ICCV 2011), the
  bluntness falling to nothing: the way out of a corner. The draws are Philox words of a counter.

What counts is the likelihood of all detections, the states integrated out: flights are linear about the last estimate,
and a track with its detections is a Gaussian in information form, whose parts add up scan by scan (Oh, Russell, Sastry,
IEEE TAC 54, 2009, search the same posterior by Markov chains). Process noise since the window's start widens the
measurement; between scans it is taken as independent. The number of steps depends on counts alone.
"""

from __future__ import annotations

import math

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


@kernel
def _linear(
    x: Array, t0: float, theta0: float, q: float, t: Array, dt: Array, kind: Ints, region: Ints, platform: Array,
    attitude: Array, R: Array, first: Ints, z: Array, level: Array, G: Array, H: Array, y: Array, r: Array, c: Array,
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
                v[i] = z[b, i] - zp[i] if i < n else 0.0
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
def _evidence(I: Array, y: Array, L: Array, x: Array) -> float:
    """(y' I^-1 y - ln det I) / 2, with the factor of I in ``L`` (6, 6) and I^-1 y in ``x`` (6); -inf where I is not
    positive definite."""
    logdet = factor(I, 6, L)
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
    own: Ints, I0: Array, y0: Array, G: Array, y: Array, c: Array, I: Array, Y: Array
) -> float:  # fmt: skip
    """Information of one track with its detections ``own`` (scans,; -1: none) into ``I``, ``Y``; the sum of c."""
    total = 0.0
    for i in range(6):
        Y[i] = y0[i]
        for j in range(6):
            I[i, j] = I0[i, j]
    for s in range(own.shape[0]):
        b = own[s]
        if b < 0:
            continue
        total += c[b]
        for i in range(6):
            Y[i] += y[b, i]
            for j in range(6):
                I[i, j] += G[s, i, j]
    return total


@kernel
def _worth(own: Ints, I0: Array, y0: Array, c0: Array, G: Array, y: Array, c: Array) -> float:
    """ln likelihood of an assignment ``own`` (tracks, scans), up to a constant."""
    I, Y, L, x = np.empty((6, 6)), np.empty(6), np.zeros((6, 6)), np.empty(6)
    total = 0.0
    for a in range(own.shape[0]):
        total += c0[a] + _sum_up(own[a], I0[a], y0[a], G[a], y[a], c[a], I, Y)
        total += _evidence(I, Y, L, x)
    return total


@kernel
def _assign_scan(
    s: int, own: Ints, I: Array, Y: Array, G: Array, H: Array, y: Array, r: Array, c: Array, first: Ints, gate: float,
    blunt: float, key: np.uint64, counter: int,
) -> bool:  # fmt: skip
    """Assign scan ``s`` anew given the tracks' information ``I``, ``Y`` from all scans, corrected in place; whether
    anything changed."""
    n, m = own.shape[0], first[s + 1] - first[s]
    if m == 0:
        return False
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
                J[i, j] = I[a, i, j] - (G[a, s, i, j] if b >= 0 else 0.0)
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
                if blunt > 0.0:
                    w = uniform(key, counter, a, b)
                    g = g / blunt - math.log(-math.log(w))
                if g > 0.0:
                    columns[count], gain[count] = d, g
                    count += 1
        start[a + 1] = count
    chosen = np.full(n, -1)
    _assign(start, columns[:count], gain[:count], m, chosen)
    changed = False
    for a in range(n):
        new = first[s] + columns[chosen[a]] if chosen[a] >= 0 else -1
        old = own[a, s]
        if new == old:
            continue
        changed = True
        own[a, s] = new
        for i in range(6):
            Y[a, i] += (y[a, new, i] if new >= 0 else 0.0) - (y[a, old, i] if old >= 0 else 0.0)
            if (new >= 0) != (old >= 0):
                for j in range(6):
                    I[a, i, j] += G[a, s, i, j] if new >= 0 else -G[a, s, i, j]
    return changed


@kernel
def _exchange(own: Ints, I0: Array, y0: Array, G: Array, y: Array, c: Array) -> bool:
    """Let pairs of tracks exchange their detections from a moment on, where it is worth it; whether any did."""
    n, scans = own.shape
    changed = False
    L, x, I, Y = np.zeros((6, 6)), np.empty(6), np.empty((6, 6)), np.empty(6)
    for a in range(n):
        for e in range(a + 1, n):
            best, at = 1e-6, -1
            worth = np.zeros(scans + 1)
            for side in range(2):
                p, o = (a, e) if side == 0 else (e, a)
                # all its own, then one scan after another, from the last, taken over from the other
                total = _sum_up(own[p], I0[p], y0[p], G[p], y[p], c[p], I, Y)
                worth[scans] += total + _evidence(I, Y, L, x)
                for s in range(scans - 1, -1, -1):
                    b, d = own[p, s], own[o, s]
                    if b >= 0:
                        total -= c[p, b]
                    if d >= 0:
                        total += c[p, d]
                    for i in range(6):
                        Y[i] += (y[p, d, i] if d >= 0 else 0.0) - (y[p, b, i] if b >= 0 else 0.0)
                    if (b >= 0) != (d >= 0):
                        for i in range(6):
                            for j in range(6):
                                I[i, j] += G[p, s, i, j] if d >= 0 else -G[p, s, i, j]
                    worth[s] += total + _evidence(I, Y, L, x)
            for s in range(scans):
                if worth[s] - worth[scans] > best:
                    best, at = worth[s] - worth[scans], s
            if at >= 0:
                changed = True
                for s in range(at, scans):
                    own[a, s], own[e, s] = own[e, s], own[a, s]
    return changed


@kernel
def _settle(
    own: Ints, I0: Array, y0: Array, G: Array, H: Array, y: Array, r: Array, c: Array, first: Ints, gate: float,
    rounds: int, since: int,
) -> None:  # fmt: skip
    """Climb: scans from the last to ``since``, then exchanges, until nothing changes or ``rounds`` are over."""
    n, scans = own.shape
    I, Y = np.empty((n, 6, 6)), np.empty((n, 6))
    for _ in range(rounds):
        changed = False
        for a in range(n):
            _sum_up(own[a], I0[a], y0[a], G[a], y[a], c[a], I[a], Y[a])
        for s in range(scans - 1, since - 1, -1):
            if _assign_scan(s, own, I, Y, G, H, y, r, c, first, gate, 0.0, np.uint64(0), 0):
                changed = True
        if _exchange(own, I0, y0, G, y, c):
            changed = True
        if not changed:
            break


@kernel
def _search(
    own: Ints, I0: Array, y0: Array, c0: Array, G: Array, H: Array, y: Array, r: Array, c: Array, first: Ints,
    gate: float, rounds: int, tries: int, sweeps: int, hottest: float, key: np.uint64,
) -> float:  # fmt: skip
    n, scans = own.shape
    _settle(own, I0, y0, G, H, y, r, c, first, gate, rounds, 0)
    best = _worth(own, I0, y0, c0, G, y, c)
    I, Y = np.empty((n, 6, 6)), np.empty((n, 6))
    other = own.copy()
    for k in range(tries):
        other[:] = own
        for a in range(n):
            _sum_up(other[a], I0[a], y0[a], G[a], y[a], c[a], I[a], Y[a])
        for w in range(sweeps):
            blunt = hottest * (1.0 - w / sweeps)
            for s in range(scans):
                _assign_scan(
                    s, other, I, Y, G, H, y, r, c, first, gate, blunt, key, (k * sweeps + w) * scans + s
                )
            _exchange(other, I0, y0, G, y, c)
            for a in range(n):
                _sum_up(other[a], I0[a], y0[a], G[a], y[a], c[a], I[a], Y[a])
        _settle(other, I0, y0, G, H, y, r, c, first, gate, rounds, 0)
        worth = _worth(other, I0, y0, c0, G, y, c)
        if worth > best + 1e-6:
            best = worth
            own[:] = other
    return best


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
def _try(
    b: int, d: int, I: Array, Y: Array, L: Array, logdet: float, G: Array, y: Array, c: Array, J: Array, v: Array,
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
            J[i, j] = I[i, j] + (G[i, j] if d >= 0 else -G[i, j])
    out[0] = factor(J, 6, M)
    if out[0] == math.inf:
        return -math.inf
    return gained + 0.5 * (_forward(M, v, u) - out[0])


@kernel
def _take(b: int, d: int, a: int, s: int, own: Ints, I: Array, Y: Array, L: Array, logdet: Array, G: Array, y: Array, M: Array, new: float) -> None:
    own[a, s] = d
    for i in range(6):
        Y[a, i] += (y[a, d, i] if d >= 0 else 0.0) - (y[a, b, i] if b >= 0 else 0.0)
    if (b >= 0) != (d >= 0):
        for i in range(6):
            for j in range(6):
                I[a, i, j] += G[a, s, i, j] if d >= 0 else -G[a, s, i, j]
            for j in range(i + 1):
                L[a, i, j] = M[i, j]
        logdet[a] = new


@kernel
def _sample(
    own: Ints, I0: Array, y0: Array, G: Array, y: Array, c: Array, first: Ints, sweeps: int, since: int,
    key: np.uint64, states: Array, temper: float,
) -> None:  # fmt: skip
    """Gibbs sweeps."""
    n, scans = own.shape
    I, Y, L, logdet, worth = np.empty((n, 6, 6)), np.empty((n, 6)), np.zeros((n, 6, 6)), np.empty(n), np.empty(n)
    J, v, u = np.empty((6, 6)), np.empty(6), np.empty(6)
    Ma, Me = np.zeros((6, 6)), np.zeros((6, 6))
    da, de = np.empty(1), np.empty(1)
    x = np.empty(6)
    total = c.shape[1]
    free = np.ones(total, dtype=np.bool_)
    for a in range(n):
        for s in range(scans):
            if own[a, s] >= 0:
                free[own[a, s]] = False
    cut = np.empty(scans + 1)
    for w in range(sweeps):
        for a in range(n):
            _sum_up(own[a], I0[a], y0[a], G[a], y[a], c[a], I[a], Y[a])
            logdet[a] = factor(I[a], 6, L[a])
            worth[a] = 0.5 * (_forward(L[a], Y[a], u) - logdet[a])
        draw = 0
        for s in range(since, scans):
            for a in range(n):
                for e in range(a + 1, n):
                    b, d = own[a, s], own[e, s]
                    if b < 0 and d < 0:
                        continue
                    wa = _try(b, d, I[a], Y[a], L[a], logdet[a], G[a, s], y[a], c[a], J, v, Ma, u, da)
                    we = _try(d, b, I[e], Y[e], L[e], logdet[e], G[e, s], y[e], c[e], J, v, Me, u, de)
                    gain = (wa + we - worth[a] - worth[e]) / temper
                    draw += 1
                    if gain > -40.0 and uniform(key, w, s, draw) * (1.0 + math.exp(min(-gain, 700.0))) < 1.0:
                        _take(b, d, a, s, own, I, Y, L, logdet, G, y, Ma, da[0])
                        _take(d, b, e, s, own, I, Y, L, logdet, G, y, Me, de[0])
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
                    elif free[d] and c[a, d] > -1000.0:
                        new = d
                    else:
                        continue
                    wa = _try(b, new, I[a], Y[a], L[a], logdet[a], G[a, s], y[a], c[a], J, v, Ma, u, da)
                    gain = (wa - worth[a]) / temper
                    draw += 1
                    if gain > -40.0 and uniform(key, w, s, draw) * (1.0 + math.exp(min(-gain, 700.0))) < 1.0:
                        _take(b, new, a, s, own, I, Y, L, logdet, G, y, Ma, da[0])
                        worth[a] = 0.5 * (_forward(L[a], Y[a], u) - logdet[a])
                        if b >= 0:
                            free[b] = True
                        if new >= 0:
                            free[new] = False
        # exchanges of all after a moment
        It, Yt, Lt = np.empty((6, 6)), np.empty(6), np.zeros((6, 6))
        for a in range(n):
            for e in range(a + 1, n):
                cut[:] = 0.0
                for side in range(2):
                    p, o = (a, e) if side == 0 else (e, a)
                    t = _sum_up(own[p], I0[p], y0[p], G[p], y[p], c[p], It, Yt)
                    cut[scans] += t + _evidence(It, Yt, Lt, x)
                    for s in range(scans - 1, -1, -1):
                        b, d = own[p, s], own[o, s]
                        if b >= 0:
                            t -= c[p, b]
                        if d >= 0:
                            t += c[p, d]
                        for i in range(6):
                            Yt[i] += (y[p, d, i] if d >= 0 else 0.0) - (y[p, b, i] if b >= 0 else 0.0)
                        if (b >= 0) != (d >= 0):
                            for i in range(6):
                                for j in range(6):
                                    It[i, j] += G[p, s, i, j] if d >= 0 else -G[p, s, i, j]
                        cut[s] += t + _evidence(It, Yt, Lt, x)
                most = cut.max()
                weight = 0.0
                for s in range(scans + 1):
                    cut[s] = math.exp((cut[s] - most) / temper)
                    weight += cut[s]
                draw += 1
                left = uniform(key, w, -1, draw) * weight
                at = 0
                while at < scans and left > cut[at]:
                    left -= cut[at]
                    at += 1
                for s in range(at, scans):
                    own[a, s], own[e, s] = own[e, s], own[a, s]
        for a in range(n):
            _sum_up(own[a], I0[a], y0[a], G[a], y[a], c[a], It, Yt)
            _evidence(It, Yt, Lt, states[w, a])
