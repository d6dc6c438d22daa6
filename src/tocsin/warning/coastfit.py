"""The state of an object that flies freely, from all that was measured since its thrust ended.

A tracker that must be ready for thrust at any time cannot trust gravity; once an object is known to coast, all looks
at it lie on one arc. Gauss-Newton steps find that arc (six numbers) with gravity and J2, and the exact derivatives of
the propagation. Looks that do not lie on an arc with the newest ones, because the object still burned or because they
are not its own, are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to, coast_to_stm
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.tracking.measure import Looks, predict, wrap_residual

Floats = NDArray[np.float64]

LEAST = 4  # looks
_MOST = 120
_LOOSE_POSITION, _LOOSE_VELOCITY = 1e6, 5e3  # m, m/s: a word of prior where there is none
_BEND = 4.5  # distance beyond which a look pulls no harder
_STRAY2 = 30.0  # squared distance beyond which a look is not of this arc


@dataclass(frozen=True)
class Prior:
    """What is known of the state (eci, m, m/s) at ``t`` (s) from other data than the looks."""

    x: Floats
    P: Floats
    t: float


@dataclass(frozen=True)
class Arc:
    """State (6) and covariance (6, 6) in eci at ``t`` (s); ``chi2`` of ``size`` residual components; ``since``: first
    look used (s);

    ``looks``: how many.
    """

    x: Floats
    P: Floats
    t: float
    chi2: float
    size: int
    since: float
    looks: int


@kernel
def _along(x: Floats, t0: float, t: Floats, theta0: float, S: Floats, Phi: Floats) -> None:
    """States at times ``t`` (descending, none after ``t0``) and their derivatives by ``x``."""
    at = x.copy()
    total = np.eye(6)
    step = np.empty((6, 6))
    now = t0
    for i in range(t.shape[0]):
        if t[i] != now:
            coast_to_stm(at, now, t[i], theta0, at, step)
            fresh = np.zeros((6, 6))
            for a in range(6):
                for b in range(6):
                    for c in range(6):
                        fresh[a, b] += step[a, c] * total[c, b]
            total = fresh
            now = t[i]
        S[i, :] = at
        Phi[i, :, :] = total


@kernel
def _carried(x: Floats, t: Floats, to: float, theta0: float, out: Floats) -> None:
    for i in range(x.shape[0]):
        coast_to(x[i], t[i], to, theta0, 0.0, out[i])


def prior_of(x: Floats, t: Floats, weight: Floats, theta0: float) -> Prior:
    """Mean and covariance of weighted coasting states (n, 6) at times (n,), carried to the latest of them."""
    to = float(t.max())
    out = np.empty_like(x)
    _carried(np.ascontiguousarray(x), np.ascontiguousarray(t), to, theta0, out)
    w = weight / weight.sum()
    mean = w @ out
    apart = out - mean
    return Prior(mean, (apart * w[:, None]).T @ apart + np.diag([1.0] * 3 + [1e-4] * 3), to)


def heights(x: Floats, t: float, times: Floats, theta0: float) -> Floats:
    """Heights (m) at ``times`` (s) on the free arc of a state (6) at ``t``."""
    out = np.empty((len(times), 6))
    for i, to in enumerate(times):
        _carried(np.ascontiguousarray(x[None, :]), np.array([t]), float(to), theta0, out[i : i + 1])
    return ecef_to_geodetic(out[:, :3])[:, 2]  # turning does not change the height


def fit_arc(looks: Looks, W: Floats, x: Floats, t: float, theta0: float, prior: Prior | None = None) -> Arc | None:
    """The arc of the newest looks (in time order; ``W``: their whiteners) from a rough state (6) at ``t`` (s).

    Without ``prior`` the rough state only gives the start. None if fewer than ``LEAST`` looks lie on one arc.
    """
    rows = np.arange(len(looks.kind))
    if len(rows) > _MOST:
        rows = np.unique(np.linspace(0, len(rows) - 1, _MOST).round().astype(np.int64))
    if len(rows) < LEAST:
        return None
    t_end = float(looks.t_s[rows[-1]])
    begin = np.empty((1, 6))
    _carried(np.ascontiguousarray(x[None, :]), np.array([t]), t_end, theta0, begin)
    while len(rows) >= LEAST:
        found = _solve(looks, W, rows, begin[0], t_end, theta0, prior)
        if found is not None:
            state, P, d2 = found
            components = int(looks.rows[rows].sum())
            stray = d2 > _STRAY2
            if stray.any() and stray.mean() < 0.15 and not stray[-3:].any() and len(rows) - stray.sum() >= LEAST:
                rows = rows[~stray]
                continue
            chi2 = float(d2.sum())
            if chi2 < components + 4.0 * math.sqrt(2.0 * components):
                # reported errors that are a little too small show in the residuals
                P = P * max(1.0, chi2 / max(components - 6, 1)) if components > 12 else P
                return Arc(state, P, t_end, chi2, components, float(looks.t_s[rows[0]]), len(rows))
        # it may have burned during the older ones
        rows = rows[max(2, len(rows) // 4) :]
    return None


def _move(A: Floats, g: Floats, scale: Floats) -> Floats | None:
    """The step that solves ``A`` step = ``g``; None where a wild state has left no numbers to solve."""
    if not (np.isfinite(A).all() and np.isfinite(g).all()):
        return None
    try:
        return np.asarray(scale * np.linalg.solve(A * np.outer(scale, scale), scale * g), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None


def _solve(
    looks: Looks, W: Floats, rows: NDArray[np.int64], x: Floats, t_end: float, theta0: float, prior: Prior | None
) -> tuple[Floats, Floats, Floats] | None:
    """Gauss-Newton: state and covariance at ``t_end``, squared distance of each look."""
    back = rows[::-1]
    few = Looks(looks.kind[back], looks.region[back], looks.t_s[back], looks.dt[back], looks.platform[back],
                looks.attitude[back], looks.z[back], looks.R[back], looks.rows[back])  # fmt: skip
    scale = np.array([_LOOSE_POSITION] * 3 + [_LOOSE_VELOCITY] * 3)
    n = len(back)
    S, Phi = np.empty((n, 6)), np.empty((n, 6, 6))
    root = None if prior is None else np.linalg.inv(np.linalg.cholesky(prior.P))
    start, state, before = x.copy(), x.copy(), math.inf
    for round_ in range(15):
        _along(state, t_end, few.t_s, theta0, S, Phi)
        z, Hx, _, _ = predict(S, few)
        r = few.z - z
        for i in range(n):
            wrap_residual(few.kind[i], r[i])
            r[i, few.rows[i] :] = 0.0
        e = np.einsum("mij,mj->mi", W[back], r)
        J = np.einsum("mij,mjk->mik", np.einsum("mij,mjk->mik", W[back], Hx), Phi)
        d2 = np.sum(e * e, axis=1)
        # a look that is not of this arc must not bend it (Huber's weights); the first step may be wild
        w = np.minimum(1.0, _BEND / np.sqrt(np.maximum(d2, 1e-12))) if round_ > 1 else np.ones(n)
        A = np.einsum("m,mij,mik->jk", w, J, J)
        g = np.einsum("m,mij,mi->j", w, J, e)
        cost = float(w @ d2)
        if prior is None or root is None:
            A += np.diag(1.0 / scale**2)
            g += (start - state) / scale**2
        else:
            p_state, p_phi = np.empty((1, 6)), np.empty((1, 6, 6))
            _along(state, t_end, np.array([prior.t]), theta0, p_state, p_phi)
            B = root @ p_phi[0]
            d = root @ (prior.x - p_state[0])
            A += B.T @ B
            g += B.T @ d
            cost += float(d @ d)
        move = _move(A, g, scale)
        if move is None:
            return None
        length = float(np.linalg.norm(move[:3]))
        if not np.isfinite(length) or length > 5e6:
            return None
        state = state + move
        if abs(before - cost) < 1e-3 * (1.0 + cost) and length < 1e3:
            inverse = np.linalg.inv(A * np.outer(scale, scale))
            return state, np.asarray(inverse * np.outer(scale, scale), dtype=np.float64), d2[::-1]
        before = cost
    return None
