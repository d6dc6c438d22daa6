"""A track's whole history at once: the most likely flight behind its detections, back towards the launch.

Fixed-interval smoothing of the boost and coast models: the estimate of Rauch, Tung and Striebel, AIAA Journal 3 (1965),
worked out in the form of Bryson and Frazier (Bierman, Automatica 9, 1973), which inverts nothing but innovations and so
holds without process noise too. It is iterated: flight and measurements are linearised anew about the smoothed path,
which is Gauss-Newton on the batch problem (Bell, SIAM J. Optimization 4, 1994), until the path stands still.

What the models are mixed over is one thing only: when thrust ended (after which, before the first look, or not yet).
Each end is a hypothesis with its own smoothed path; its weight is its likelihood (that of the linearised problem at the
smoothed path) times the prior of ``belief``. That is exact for one end of thrust, on a grid of 2 s and finer; a pause
between stages is bridged by the boost model's noise, as in the filter, and a stage that lights after a long coast is
not modelled. A forward filter says roughly which ends matter; from there to both sides, until they matter no more, each
is smoothed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.dynamics.leap import height_of
from tocsin.earth.jit import kernel
from tocsin.records.columns import Kind
from tocsin.scenario.specs import FlightClass
from tocsin.tracking.belief import BURNOUT, Q_ANGLE, Q_BOOST, Q_RATIO, Q_THRUST, TOP, Belief, believe
from tocsin.tracking.filter import factor, update
from tocsin.tracking.initiation import seed
from tocsin.tracking.measure import Looks, h, lay_out, move_platform, wrap_residual
from tocsin.tracking.models import SLOTS, boost_step, coast_step
from tocsin.tracking.tracker import History

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

GRID_S = 2.0  # between ends of thrust tried, and the longest step of powered flight
_LONGEST_S = 900.0  # no thrust is looked for later than this after the first look
_WIDE = 300e3  # m: what is known of a place before its first look; the look itself is used as one
_MATTERS = 1e-3  # ends of thrust less likely than this, against the likeliest, are left out
_FIRST_ENDS = 3  # that the forward filter likes best: where to begin
_MOST_ENDS = 40
_AFTER = 8  # ends tried after the last look
_HOPELESS = 60.0  # ln likelihood behind the best at which a hypothesis is not followed further
_ITERATIONS = 12
_STILL = 1e-6  # greatest squared movement, in standard deviations of the estimate, at which the path stands still
_DARK = math.log(1e-3)  # that a satellite sees an object without thrust, as in ``filter``
_HIGH_RATE = 0.1  # 1/s: how soon thrust above all believed heights is over, as in ``models.advance``
_SPENT = 5.0  # m/s2: less than any class has
_LOS = Kind.LOS


@kernel
def _arc(
    x: Array, axes: Array, t0: float, t1: float, powered: bool, theta0: float, par: Array, xo: Array, F: Array, Q: Array
) -> None:  # fmt: skip
    """Carry ``x`` (10) over an arc: ``xo``, transition ``F`` and noise ``Q`` (10, 10). A coast has no more than six."""
    for i in range(10):
        for j in range(10):
            F[i, j] = 1.0 if i == j and (powered or i < 6) else 0.0
            Q[i, j] = 0.0
    if not powered:
        x6, out6, Phi, zero = np.empty(6), np.empty(6), np.empty((6, 6)), np.zeros((10, 10))
        coast_step(x, zero, t0, t1, theta0, par, xo, Q)
        for i in range(6):
            x6[i] = x[i]
        coast_to_stm(x6, t0, t1, theta0, out6, Phi)
        for i in range(6):
            for j in range(6):
                F[i, j] = Phi[i, j]
        return
    now, then, step, T = np.empty(10), np.empty(10), np.empty((10, 10)), np.empty((10, 10))
    for i in range(10):
        now[i] = x[i]
    t = t0
    while t != t1:
        end = t1
        if abs(t1 - t) > GRID_S:
            end = t + math.copysign(GRID_S, t1 - t)
        boost_step(now, axes, end - t, par, then, step)
        span = abs(end - t)
        for i in range(10):
            for j in range(10):
                s = 0.0
                for k in range(10):
                    s += step[i, k] * F[k, j]
                T[i, j] = s
        F[:] = T
        _sandwich(step, Q, T)
        Q[:] = T
        for i in range(3):
            Q[i, i] += par[Q_BOOST] * span**3 / 3.0
            Q[i, 3 + i] += par[Q_BOOST] * span**2 / 2.0
            Q[3 + i, i] += par[Q_BOOST] * span**2 / 2.0
            Q[3 + i, 3 + i] += par[Q_BOOST] * span
        Q[6, 6] += par[Q_THRUST] * span
        Q[7, 7] += par[Q_ANGLE] * span
        Q[8, 8] += par[Q_ANGLE] * span
        Q[9, 9] += par[Q_RATIO] * span
        for i in range(10):
            now[i] = then[i]
        t = end
    for i in range(10):
        xo[i] = now[i]


@kernel
def _sandwich(F: Array, P: Array, out: Array) -> None:
    """``out = F P F'`` (10, 10), symmetric."""
    T = np.empty((10, 10))
    for i in range(10):
        for j in range(10):
            s = 0.0
            for k in range(10):
                s += F[i, k] * P[k, j]
            T[i, j] = s
    for i in range(10):
        for j in range(i, 10):
            s = 0.0
            for k in range(10):
                s += T[i, k] * F[j, k]
            out[i, j] = s
            out[j, i] = s


@kernel
def _correct(
    a: int, powered: bool, x: Array, P: Array, kind: Ints, dt: Array, region: Ints, platform: Array, attitude: Array,
    z: Array, R: Array,
) -> float:  # fmt: skip
    """The filter's own update, in the chart of the sensor that looks; log-likelihood, plume included."""
    p, e, centre, distance = np.empty(6), np.empty(9), np.empty(6), np.empty(1)
    move_platform(dt[a], region[a], platform[a], attitude[a], p, e)
    for k in range(6):
        centre[k] = p[k]
    log = update(
        x, P, 10 if powered else 6, kind[a], dt[a], region[a], platform[a], attitude[a], z[a], R[a], True, centre, 1,
        distance,
    )  # fmt: skip
    return log + (_DARK if kind[a] == _LOS and not powered else 0.0)


@kernel
def _filter(
    t: Array, look: Ints, first: int, use: bool, powered: bool, axes: Array, theta0: float, par: Array, x: Array,
    P: Array, kind: Ints, dt: Array, region: Ints, platform: Array, attitude: Array, z: Array, R: Array, floor: float,
    xs: Array, Ps: Array, logs: Array,
) -> float:  # fmt: skip
    """Filter from node ``first`` (state ``x``, ``P`` there; ``use``: with its look) to the last; log-likelihood.

    Under thrust each node's ``xs``, ``Ps`` and ``logs`` (log-likelihood so far) are written; a coast goes from look to
    look. Given up (-inf) under ``floor``.
    """
    F, Q, T, xo = np.empty((10, 10)), np.empty((10, 10)), np.empty((10, 10)), np.empty(10)
    log = 0.0
    last = first
    for i in range(first, t.shape[0]):
        if i > first:
            if look[i] < 0 and not powered:
                continue
            _arc(x, axes, t[last], t[i], powered, theta0, par, xo, F, Q)
            last = i
            _sandwich(F, P, T)
            for a in range(10):
                x[a] = xo[a]
                for b in range(10):
                    P[a, b] = T[a, b] + Q[a, b]
        if look[i] >= 0 and (i > first or use):
            log += _correct(look[i], powered, x, P, kind, dt, region, platform, attitude, z, R)
        if powered:
            xs[i] = x
            Ps[i] = P
            logs[i] = log
        if not log > floor:
            return -math.inf
    return log


@kernel
def _ends(
    t: Array, look: Ints, dark: float, axes: Array, theta0: float, par: Array, x0: Array, P0: Array,
    kind: Ints, dt: Array, region: Ints, platform: Array, attitude: Array, z: Array, R: Array, weight: Array,
    prior: Array,
) -> None:  # fmt: skip
    """Log-weight of thrust ending at each node (n,), then before the first look, then not yet: ``weight`` (n + 2), with
    the prior's part of it in ``prior``.
    """
    n = t.shape[0]
    xs, Ps, logs = np.empty((n, 10)), np.empty((n, 10, 10)), np.full(n, -math.inf)
    x, P = np.empty(10), np.empty((10, 10))
    weight[:] = -math.inf
    prior[:] = -math.inf
    best = -math.inf
    # no thrust at all
    for a in range(10):
        x[a] = x0[a] if a < 6 else 0.0
        for b in range(10):
            P[a, b] = P0[a, b] if a < 6 and b < 6 else 0.0
    prior[n] = math.log(max(dark, 1e-300))
    if dark > 0.0:
        weight[n] = prior[n] + _filter(
            t, look, 0, True, False, axes, theta0, par, x, P, kind, dt, region, platform, attitude, z, R, -math.inf,
            xs, Ps, logs,
        )  # fmt: skip
        best = float(weight[n])
    if dark >= 1.0:
        return
    for a in range(10):
        x[a] = x0[a]
        for b in range(10):
            P[a, b] = P0[a, b]
    whole = _filter(
        t, look, 0, True, True, axes, theta0, par, x, P, kind, dt, region, platform, attitude, z, R, -math.inf, xs, Ps,
        logs,
    )  # fmt: skip
    burning = math.log(1.0 - dark)  # ln of the probability that thrust is still on
    for i in range(n):
        if not math.isfinite(logs[i]):
            break
        rate = par[BURNOUT]
        if height_of(xs[i, 0], xs[i, 1], xs[i, 2]) > max(par[TOP], 100e3):
            rate = max(rate, _HIGH_RATE)
        rate += 0.5 * math.erfc((xs[i, 6] - _SPENT) / math.sqrt(2.0 * max(Ps[i, 6, 6], 1e-12)))
        span = t[i + 1] - t[i] if i + 1 < n else 0.0
        if span > 0.0:
            prior[i] = burning + math.log(1.0 - math.exp(-rate * span))
            burning -= rate * span
            for a in range(10):
                x[a] = xs[i, a] if a < 6 else 0.0
                for b in range(10):
                    P[a, b] = Ps[i, a, b] if a < 6 and b < 6 else 0.0
            rest = _filter(  # the node's own look was used under thrust
                t, look, i, False, False, axes, theta0, par, x, P, kind, dt, region, platform, attitude, z, R,
                best - _HOPELESS - prior[i] - logs[i], xs, Ps, logs,
            )  # fmt: skip
            weight[i] = prior[i] + logs[i] + rest
            best = max(best, float(weight[i]))
        if burning < -200.0:
            whole = -math.inf
            break
    prior[n + 1] = burning
    weight[n + 1] = burning + whole


@kernel
def _pass(
    t: Array, look: Ints, powered: NDArray[np.bool_], ref: Array, axes: Array, theta0: float, par: Array, x0: Array,
    P0: Array, kind: Ints, dt: Array, region: Ints, platform: Array, attitude: Array, z: Array, R: Array,
    xs: Array, Ps: Array,
) -> float:  # fmt: skip
    """Filter and smooth once, all linearised about the path ``ref`` (n, 10): ``xs``, ``Ps``; log-likelihood.

    ``powered`` (n,): whether the arc that leads to a node is powered; of the first node, whether there is thrust.
    """
    n = t.shape[0]
    xf, Pf = np.zeros((n, 10)), np.zeros((n, 10, 10))
    Fs = np.zeros((n, 10, 10))
    Hs, Ls, vs, Ks = np.zeros((n, 4, 6)), np.zeros((n, 4, 4)), np.zeros((n, 4)), np.zeros((n, 10, 4))
    rows = np.zeros(n, dtype=np.int64)
    Q, T, A = np.empty((10, 10)), np.empty((10, 10)), np.empty((10, 10))
    xo, base, x, P = np.empty(10), np.empty(6), np.empty(10), np.empty((10, 10))
    zp, Ht, bias = np.empty(4), np.empty(4), np.zeros(4)
    Hx, Hb = np.empty((4, 6)), np.empty((4, 4))
    S, r, u = np.empty((4, 4)), np.zeros(4), np.zeros(4)
    PH = np.empty((10, 4))
    log = 0.0
    for i in range(n):
        if i == 0:
            for a in range(10):
                x[a] = x0[a] if powered[0] or a < 6 else 0.0
                for b in range(10):
                    P[a, b] = P0[a, b] if powered[0] or (a < 6 and b < 6) else 0.0
        else:
            _arc(ref[i - 1], axes, t[i - 1], t[i], powered[i], theta0, par, xo, Fs[i], Q)
            for a in range(10):
                s = xo[a]
                for b in range(10):
                    s += Fs[i, a, b] * (xf[i - 1, b] - ref[i - 1, b])
                x[a] = s
            _sandwich(Fs[i], Pf[i - 1], T)
            for a in range(10):
                for b in range(10):
                    P[a, b] = T[a, b] + Q[a, b]
        k = look[i]
        if k >= 0:
            for a in range(6):
                base[a] = ref[i, a]
            m = h(kind[k], base, dt[k], region[k], platform[k], attitude[k], bias, zp, Hx, Hb, Ht)
            for a in range(4):
                r[a] = z[k, a] - zp[a] if a < m else 0.0
            wrap_residual(kind[k], r)
            for c in range(m):
                for b in range(6):
                    r[c] -= Hx[c, b] * (x[b] - base[b])
                for a in range(10):
                    s = 0.0
                    for b in range(6):
                        s += P[a, b] * Hx[c, b]
                    PH[a, c] = s
            for c in range(m):
                for d in range(m):
                    s = R[k, c, d]
                    for b in range(6):
                        s += Hx[c, b] * PH[b, d]
                    S[c, d] = s
            logdet = factor(S, m, Ls[i])
            if logdet == math.inf:
                return -math.inf
            rows[i] = m
            for c in range(m):
                s = r[c]
                for d in range(c):
                    s -= Ls[i, c, d] * u[d]
                u[c] = s / Ls[i, c, c]
                log -= 0.5 * u[c] * u[c]
            log -= 0.5 * (logdet + m * math.log(2.0 * math.pi))
            if kind[k] == _LOS and not powered[i]:
                log += _DARK
            for c in range(m - 1, -1, -1):  # S^-1 r
                s = u[c]
                for d in range(c + 1, m):
                    s -= Ls[i, d, c] * vs[i, d]
                vs[i, c] = s / Ls[i, c, c]
            for a in range(10):
                for c in range(m):
                    s = PH[a, c]
                    for d in range(c):
                        s -= Ls[i, c, d] * u[d]
                    u[c] = s / Ls[i, c, c]
                for c in range(m - 1, -1, -1):
                    s = u[c]
                    for d in range(c + 1, m):
                        s -= Ls[i, d, c] * Ks[i, a, d]
                    Ks[i, a, c] = s / Ls[i, c, c]
            for c in range(m):
                for b in range(6):
                    Hs[i, c, b] = Hx[c, b]
            for a in range(10):
                for c in range(m):
                    x[a] += Ks[i, a, c] * r[c]
            # Joseph
            for a in range(10):
                for b in range(10):
                    A[a, b] = 1.0 if a == b else 0.0
                    if b < 6:
                        for c in range(m):
                            A[a, b] -= Ks[i, a, c] * Hx[c, b]
            _sandwich(A, P, T)
            for a in range(10):
                for b in range(10):
                    s = T[a, b]
                    for c in range(m):
                        for d in range(m):
                            s += Ks[i, a, c] * R[k, c, d] * Ks[i, b, d]
                    P[a, b] = s
        for a in range(10):
            xf[i, a] = x[a]
            for b in range(10):
                Pf[i, a, b] = P[a, b]
    lam, Lam, new, column = np.zeros(10), np.zeros((10, 10)), np.zeros(10), np.zeros(4)
    for i in range(n - 1, -1, -1):
        for a in range(10):
            s = xf[i, a]
            for b in range(10):
                s -= Pf[i, a, b] * lam[b]
            xs[i, a] = s
        _sandwich(Pf[i], Lam, T)
        for a in range(10):
            for b in range(10):
                Ps[i, a, b] = Pf[i, a, b] - T[a, b]
        m = rows[i]
        if m > 0:
            for a in range(10):
                for b in range(10):
                    A[b, a] = 1.0 if a == b else 0.0  # (I - K H)'
                    if b < 6:
                        for c in range(m):
                            A[b, a] -= Ks[i, a, c] * Hs[i, c, b]
            _sandwich(A, Lam, T)
            for a in range(10):
                s = 0.0
                for b in range(10):
                    s += A[a, b] * lam[b]
                if a < 6:
                    for c in range(m):
                        s -= Hs[i, c, a] * vs[i, c]
                new[a] = s
            for b in range(6):  # H' S^-1 H = (L^-1 H)' (L^-1 H)
                for c in range(m):
                    s = Hs[i, c, b]
                    for d in range(c):
                        s -= Ls[i, c, d] * column[d]
                    column[c] = s / Ls[i, c, c]
                for c in range(m):
                    PH[b, c] = column[c]
            for a in range(6):
                for b in range(6):
                    for c in range(m):
                        T[a, b] += PH[a, c] * PH[b, c]
            for a in range(10):
                lam[a] = new[a]
                for b in range(10):
                    Lam[a, b] = T[a, b]
        if i > 0:
            for a in range(10):
                s = 0.0
                for b in range(10):
                    s += Fs[i, b, a] * lam[b]
                new[a] = s
                for b in range(10):
                    A[a, b] = Fs[i, b, a]
            _sandwich(A, Lam, T)
            for a in range(10):
                lam[a] = new[a]
                for b in range(10):
                    Lam[a, b] = T[a, b]
    return log


@kernel
def _first_path(
    t: Array, look: Ints, powered: NDArray[np.bool_], axes: Array, theta0: float, par: Array, x0: Array, P0: Array,
    kind: Ints, dt: Array, region: Ints, platform: Array, attitude: Array, z: Array, R: Array, path: Array,
) -> None:  # fmt: skip
    """A path to linearise about: what the filter says, and for the coast its last word carried back."""
    n = t.shape[0]
    F, Q, T, xo = np.empty((10, 10)), np.empty((10, 10)), np.empty((10, 10)), np.empty(10)
    x, P = np.zeros(10), np.zeros((10, 10))
    for a in range(10):
        x[a] = x0[a] if powered[0] or a < 6 else 0.0
        for b in range(10):
            P[a, b] = P0[a, b] if powered[0] or (a < 6 and b < 6) else 0.0
    for i in range(n):
        if i > 0:
            _arc(x, axes, t[i - 1], t[i], powered[i], theta0, par, xo, F, Q)
            _sandwich(F, P, T)
            for a in range(10):
                x[a] = xo[a]
                for b in range(10):
                    P[a, b] = T[a, b] + Q[a, b]
        if look[i] >= 0:
            _correct(look[i], powered[i], x, P, kind, dt, region, platform, attitude, z, R)
        path[i] = x
    i = n - 1
    while i > 0 and not powered[i]:
        _arc(path[i], axes, t[i], t[i - 1], False, theta0, par, xo, F, Q)
        if powered[i - 1]:
            break
        path[i - 1] = xo
        i -= 1


@dataclass(frozen=True)
class Smoothed:
    """A flight as all its detections have it.

    ``t_s`` (k,) since the epoch; ``x`` (k, 6), ``P`` (k, 6, 6): position and velocity eci (m, m/s), moments over the
    hypotheses; ``p_boost`` (k,): probability of thrust then; ``ends`` (e,): times at which thrust may have ended (s;
    -inf: before the first look, inf: not yet), ``weight`` (e,): their probabilities; ``still``: whether every path
    stood still before the iterations ran out.
    """

    t_s: Array
    x: Array
    P: Array
    p_boost: Array
    ends: Array
    weight: Array
    still: bool


@dataclass(frozen=True)
class Start:
    """What is known before the first look: ``x`` (10), ``P`` (10, 10), the boost model's slots about ``axes`` (9);
    ``dark``: probability that there is no thrust then (1: none ever). The coast has the first six slots.
    """

    x: Array
    P: Array
    axes: Array
    dark: float


def _start(looks: Looks, belief: Belief) -> Start:
    """From the first look that tracks are started by: its place, hardly known, and what goes with it by belief."""
    one = seed(looks, 0, belief, belief.at_any_time(), belief.at_any_time())
    if one is None:
        raise ValueError("the first detection is of a kind that starts no track, or its line of sight meets no height")
    x, P, axes = one.x.copy(), one.P.copy(), one.axes.ravel().copy()
    away = x[:3] - looks.platform[0, :3]
    u = away / math.sqrt(float((away * away).sum()))
    # the look is used as such: what the seed has from it is given back, but not how range goes with belief
    wide = np.eye(3) - np.outer(u, u) if looks.kind[0] == _LOS else np.eye(3)
    P[:3, :3] += _WIDE**2 * wide
    return Start(x, P, axes, float(1.0 - one.boosts))


def smooth(
    history: History, classes: Sequence[FlightClass] = (), theta0: float = 0.0, times: Array | None = None
) -> Smoothed:  # fmt: skip
    """The smoothed flight behind a track's ``history`` (``Tracker.history``).

    ``classes``: as believed; ``theta0``: sidereal angle at the epoch (rad); ``times`` (k,): s since the epoch for which
    it is wanted (default: the detections'), before the first detection carried back under what drives it there, after
    the last one carried on. Raises ValueError for a history without detections, out of order, or whose first one starts
    no track (``initiation.seed``), and for times that are not finite.
    """
    if not len(history.detections):
        raise ValueError("a history without detections")
    looks = lay_out(history.detections, history.scans)
    belief = believe(classes)
    return smooth_looks(looks, _start(looks, belief), belief.parameters, theta0, times)


def smooth_looks(
    looks: Looks, start: Start, parameters: Array, theta0: float = 0.0, times: Array | None = None
) -> Smoothed:  # fmt: skip
    """As ``smooth``, of laid-out looks in order of time, from a ``start`` at the first of them; ``parameters``: the row
    of ``belief`` for the models (process noise, end of thrust).
    """
    t = looks.t_s
    if not len(t) or (np.diff(t) < 0.0).any():
        raise ValueError("expected looks in order of time, at least one")
    wanted = t.copy() if times is None else np.array(times, dtype=np.float64).reshape(-1)
    if not np.isfinite(wanted).all():
        raise ValueError("times must be finite")
    par = np.ascontiguousarray(parameters, dtype=np.float64)
    problem = (
        np.ascontiguousarray(start.axes), float(theta0), par, start.x, start.P, looks.kind, looks.dt, looks.region,
        looks.platform, looks.attitude, looks.z, looks.R,
    )  # fmt: skip
    where, prior, queue = _likely_ends(looks, float(wanted.max(initial=t[-1])), float(start.dark), problem)
    found: dict[int, tuple[Array, Array, float, bool]] = {}
    known: dict[int, float] = {}
    while queue and len(found) < _MOST_ENDS:
        for i in queue:
            found[i] = _path(float(where[i]), t, wanted, problem)
            known[i] = found[i][2] + float(prior[i])
        beside = {j for i in _that_matter(known) for j in (i - 1, i + 1)}
        queue = [j for j in range(len(where)) if j in beside and j not in found]
    kept = _that_matter(known)
    ends, paths, logs = where[kept], [found[i] for i in kept], np.array([known[i] for i in kept])
    if not np.isfinite(logs).any():
        raise ValueError("no flight fits these detections at all")
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    x, P = np.zeros((len(wanted), 6)), np.zeros((len(wanted), 6, 6))
    for w, (xs, _, _, _) in zip(weight, paths, strict=True):
        x += w * xs
    for w, (xs, Ps, _, _) in zip(weight, paths, strict=True):
        d = xs - x
        P += w * (Ps + d[:, :, None] * d[:, None, :])
    burning = np.array([sum(w for w, end in zip(weight, ends, strict=True) if end > s) for s in wanted])
    return Smoothed(wanted, x, P, burning, ends, weight, all(still for *_, still in paths))


# what every kernel is told alike: axes, theta0, parameters, x0, P0; kind, dt, region, platform, attitude, z, R of looks
_Problem = tuple[Array, float, Array, Array, Array, Ints, Array, Ints, Array, Array, Array, Array]


def _that_matter(known: dict[int, float]) -> list[int]:
    """Places of the hypotheses that are not far less likely than the likeliest, in order."""
    return sorted(i for i, log in known.items() if log >= max(known.values()) + math.log(_MATTERS))


def _likely_ends(
    looks: Looks, until: float, dark: float, problem: _Problem
) -> tuple[Array, Array, list[int]]:  # fmt: skip
    """Ends of thrust up to ``until`` (s) that are possible, in order, ln of their prior, and where to begin."""
    t = looks.t_s
    grid, look = [float(t[0])], [0]
    for i in range(1, len(t)):
        gap = float(t[i] - t[i - 1])
        parts = max(math.ceil(gap / GRID_S), 1)
        if t[i] - t[0] <= _LONGEST_S:
            grid += [float(t[i - 1]) + gap * k / parts for k in range(1, parts)]
            look += [-1] * (parts - 1)
        grid.append(float(t[i]))
        look.append(i)
    after = min(until, float(t[0]) + _LONGEST_S) - float(t[-1])
    if after > 0.0:  # nothing tells these ends apart but the prior: a few will do
        parts = min(math.ceil(after / GRID_S), _AFTER)
        grid += [float(t[-1]) + after * k / parts for k in range(1, parts + 1)]
        look += [-1] * parts
    n = len(grid)
    weight, prior = np.empty(n + 2), np.empty(n + 2)
    _ends(np.array(grid), np.array(look, dtype=np.int64), dark, *problem, weight, prior)
    # before the first look, the grid, not yet
    order = np.r_[n, np.arange(n), n + 1]
    where = np.r_[-math.inf, np.array(grid), math.inf]
    possible = np.isfinite(prior[order])
    possible[0] &= dark > 0.0
    where, prior, weight = where[possible], prior[order][possible], weight[order][possible]
    best = np.argsort(-weight, kind="stable")[:_FIRST_ENDS]
    return where, prior, sorted(int(i) for i in best)


def _path(
    end: float, t: Array, wanted: Array, problem: _Problem
) -> tuple[Array, Array, float, bool]:  # fmt: skip
    """Smoothed states (k, 6) and covariances at the times wanted, log-likelihood, whether it stood still."""
    axes, theta0, par = problem[:3]
    inside = np.unique(wanted[wanted >= t[0]])
    extra = [s for s in (*inside.tolist(), end) if t[0] <= s < math.inf]
    nodes = np.r_[t, np.array(extra)]
    look = np.r_[np.arange(len(t)), np.full(len(extra), -1)]
    # what is only asked for stands after the looks of its time, the end of thrust after both
    order = np.lexsort((np.arange(len(nodes)), nodes))
    nodes, look = nodes[order], look[order].astype(np.int64)
    n = len(nodes)
    powered = nodes <= end
    xs, Ps, path = np.empty((n, SLOTS)), np.empty((n, SLOTS, SLOTS)), np.empty((n, SLOTS))
    _first_path(nodes, look, powered, *problem, path)
    log, still = -math.inf, False
    for _ in range(_ITERATIONS):
        log = _pass(nodes, look, powered, path, *problem, xs, Ps)
        if not math.isfinite(log):
            return np.zeros((len(wanted), 6)), np.zeros((len(wanted), 6, 6)), -math.inf, False
        variance = np.maximum(np.diagonal(Ps, axis1=1, axis2=2), 1e-300)
        used = np.arange(SLOTS)[None, :] < np.where(powered, SLOTS, 6)[:, None]
        moved = float(np.max(np.where(used, (xs - path) ** 2 / variance, 0.0)))
        path[:] = xs
        if moved < _STILL:
            still = True
            break
    x, P = np.empty((len(wanted), 6)), np.empty((len(wanted), 6, 6))
    xo, F, Q, T = np.empty(SLOTS), *(np.empty((SLOTS, SLOTS)) for _ in range(3))
    for k, s in enumerate(wanted):
        if s >= t[0]:
            i = int(np.searchsorted(nodes, s, side="right")) - 1
            x[k], P[k] = xs[i, :6], Ps[i, :6, :6]
        else:
            _arc(xs[0], axes, float(t[0]), float(s), bool(powered[0]), theta0, par, xo, F, Q)
            _sandwich(F, Ps[0], T)
            x[k], P[k] = xo[:6], (T + Q)[:6, :6]
    return x, P, log, still
