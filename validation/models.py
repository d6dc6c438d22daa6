# ruff: noqa: D103 - what a row measures stands in its decorator
"""The motions a tracker knows, and how it tells them apart.

Steps are held against the propagators that fly the truth (``dynamics``). Then each model is alone, with objects drawn
from the model itself, slots and noise included: the error must be what the covariance says (average NEES of position
and velocity, over six). Then all six run side by side and meet objects that move by the truth's own physics, which no
model of the six is exactly.

Measured is the position, with equal errors in three axes (30 m unless a row says otherwise) once a second: this book
is about motion, what a radar or a satellite makes of it stands in others. Updates are plain Kalman updates written in
NumPy. Tracks start from the truth and an error of 300 m and 100 m/s that the filter knows of.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from tocsin.dynamics.glide import DOWN, GLIDE_T, OUT, fly_glide, glide_forces
from tocsin.dynamics.glide import GLIDE as GLIDING
from tocsin.dynamics.kernels import coast_to, state_at
from tocsin.dynamics.leap import height_of
from tocsin.dynamics.thrust import boost_rows, fly_boost
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import gravity
from tocsin.earth.wgs84 import MU, enu_axes, geodetic_to_ecef
from tocsin.scenario.catalogue import flight_class, merged_class
from tocsin.scenario.specs import Spread
from tocsin.tracking.belief import BETA, believe
from tocsin.tracking.models import (
    AIRCRAFT,
    BOOST,
    COAST,
    GLIDE,
    NAMES,
    ORBIT,
    REENTRY,
    SLOTS,
    USED,
    Bank,
    advance_rows,
    match_moments,
    prior_state,
    prior_weights,
    turn_axes,
)
from tocsin.tracking.motions import ROOM, fall_step, fly_step, forces, slot_process
from validation.run import Book, Measured, at_least, at_most, between

book = Book("motion_models", "Motions of tracked objects", __doc__)
Array = NDArray[np.float64]
_OMEGA = np.array([0.0, 0.0, OMEGA_GMST])
_SIGMA = 30.0
_P6 = np.diag([300.0**2] * 3 + [100.0**2] * 3)


def _place(height: float, east: float, north: float, up: float, lat: float = 0.7, lon: float = 0.3) -> Array:
    axes = enu_axes(lat, lon)
    p = geodetic_to_ecef([lat, lon, height])
    return np.r_[p, east * axes[0] + north * axes[1] + up * axes[2] + np.cross(_OMEGA, p)]


_MRBM = flight_class("mrbm", merged_class("mrbm", {}) or {}, "truth")
_PAR = believe((_MRBM,)).parameters
_SIX = Bank.of(NAMES, _PAR, 0.0)


# --------------------------------------------------------------------------------------------------- steps of motions


@book.row(
    "re-entry, 120 km to 3 km at 20, 45 and 80 deg, ballistic coefficients 500, 2,000 and 10,000 kg/m2, steps of 2 s: "
    "greatest error of position", target=at_most(2.0), unit="m", source="dynamics.kernels.coast_to (leaps of order 8)",
)  # fmt: skip
def reentry_steps() -> Measured:
    worst = 0.0
    room, P, Po = np.empty(ROOM), np.zeros((10, 10)), np.empty((10, 10))
    for beta in (500.0, 2000.0, 10_000.0):
        for angle in (20.0, 45.0, 80.0):
            e = math.radians(angle)
            x = np.zeros(10)
            x[:6] = _place(120e3, 5000.0 * math.cos(e), 0.0, -5000.0 * math.sin(e))
            x[6] = math.log(beta)
            start, out, truth = x[:6].copy(), np.empty(10), np.empty(6)
            for k in range(1, 61):
                fly_step(REENTRY, x, P, 2.0, 7, _PAR, out, Po, room)
                coast_to(start, 0.0, 2.0 * k, 0.0, beta, truth)
                if height_of(*truth[:3]) < 3e3:
                    break
                x = out.copy()
                worst = max(worst, float(np.linalg.norm(x[:3] - truth[:3])))
    return Measured(worst)


@book.row(
    "glide: greatest difference of acceleration along a flight of the truth's glider, banks included",
    target=at_most(1e-6), unit="of it", source="dynamics.glide",
)  # fmt: skip
def glide_same() -> Measured:
    nodes, _, body = _glider(0)
    worst = 0.0
    a, G, w = np.empty(3), np.empty((3, 9)), np.empty((3, 6))
    for row in nodes:
        for bank in (-0.6, 0.0, 0.9):
            ax, ay, az, lift, drag, angle, _, m = glide_forces(*row[1:7], body, GLIDING, bank)
            if drag < 1e-3 or abs(angle) > 1.4:
                continue
            s = np.r_[row[1:7], math.log(2.0 * body[1] / (1.0 + m * m)), lift / drag * math.cos(bank),
                      lift / drag * math.sin(bank)]  # fmt: skip
            forces(GLIDE, s, _PAR, a, G, w)
            worst = max(worst, float(np.linalg.norm(a - (ax, ay, az)) / np.linalg.norm(a)))
    return Measured(worst)


@book.row(
    "coast and orbit, one step of 10 s, heights 100 to 2,000 km: greatest error of position", target=at_most(0.001),
    unit="m", source="DOP853 of SciPy on the same gravity",
)  # fmt: skip
def coast_steps() -> Measured:
    worst = 0.0
    P, Po, out, F, T = np.zeros((10, 10)), np.empty((10, 10)), np.empty(10), np.empty((6, 6)), np.empty((6, 6))
    for height in (100e3, 300e3, 800e3, 2000e3):
        for speed in (1000.0, 4000.0, 7000.0):
            x = np.zeros(10)
            x[:6] = _place(height, 0.7 * speed, 0.5 * speed, 0.5 * speed, lat=1.0)
            fall_step(COAST, x, P, 0.0, 10.0, 0.0, _PAR, out, Po, F, T)
            truth = solve_ivp(
                lambda _, y: np.r_[y[3:], gravity(*y[:3])], (0.0, 10.0), x[:6], method="DOP853", rtol=1e-13, atol=1e-9
            ).y[:, -1]
            worst = max(worst, float(np.linalg.norm(out[:3] - truth[:3])))
    return Measured(worst)


# ---------------------------------------------------------------------------------------------------------- the filter


@dataclass
class _Tracks:
    """Tracks of many runs: after each look the NEES (n, T) of position and velocity, ``mu`` (n, T, M), errors."""

    nees: Array
    mu: Array
    x: Array
    P: Array
    error: Array


def _follow(
    bank: Bank, times: Array, truth: Array, rng: np.random.Generator, mu0: Array, sigma: float = _SIGMA,
    start: tuple[Array, Array] | None = None, until: float = 1e9,
) -> _Tracks:  # fmt: skip
    """Track ``truth`` (n, T, 6) at ``times`` (T); the first time is where the tracks start."""
    n, count = truth.shape[:2]
    m = len(bank)
    axes = np.tile(enu_axes(0.7, 0.3).ravel(), (n, 1))
    if start is None:
        first = truth[:, 0] + rng.standard_normal((n, 6)) * np.sqrt(np.diag(_P6))
        x, P = np.zeros((n, m, SLOTS)), np.zeros((n, m, SLOTS, SLOTS))
        for i in range(n):
            for c in range(m):
                x[i, c], P[i, c] = prior_state(int(bank.kinds[c]), first[i], _P6, axes[i], bank.parameters)
    else:
        x, P = start
    mu = np.tile(mu0 / mu0.sum(), (n, 1))
    R = np.eye(3) * sigma**2
    out = _Tracks(np.empty((n, count)), np.empty((n, count, m)), x, P, np.empty((n, count)))
    rows = np.arange(n)
    for k in range(count):
        if k:
            memory = np.tile([times[k - 1], until], (n, 1))
            x, P, mu = advance_rows(bank, rows, np.full(n, times[k]), x, P, mu, axes, np.full(n, times[k - 1]), memory)
            z = truth[:, k, :3] + rng.standard_normal((n, 3)) * sigma
            weight = np.full((n, m), -np.inf)
            for c in range(m):
                live = np.flatnonzero(mu[:, c] > 0.0)
                if not len(live):
                    continue
                C, v = P[live, c], z[live] - x[live, c, :3]
                S = C[:, :3, :3] + R
                gain = np.linalg.solve(S, C[:, :3, :]).transpose(0, 2, 1)
                x[live, c] += np.einsum("nij,nj->ni", gain, v)
                A = np.tile(np.eye(SLOTS), (len(live), 1, 1))
                A[:, :, :3] -= gain
                new = A @ C @ A.transpose(0, 2, 1) + gain @ R @ gain.transpose(0, 2, 1)
                P[live, c] = 0.5 * (new + new.transpose(0, 2, 1))
                d2 = np.einsum("ni,ni->n", v, np.linalg.solve(S, v[..., None])[..., 0])
                weight[live, c] = np.log(mu[live, c]) - 0.5 * (d2 + np.linalg.slogdet(S)[1])
            weight -= weight.max(axis=1, keepdims=True)
            mu = np.exp(weight)
            mu /= mu.sum(axis=1, keepdims=True)
            boost = bank.column(BOOST)
            for i in np.flatnonzero(mu[:, boost] > 0.0) if boost >= 0 else ():
                turn_axes(x[i, boost], P[i, boost], axes[i])
        mean, cov = match_moments(x, P, mu)
        e = truth[:, k] - mean
        out.nees[:, k] = np.einsum("ni,ni->n", e, np.linalg.solve(cov, e[..., None])[..., 0])
        out.error[:, k] = np.sqrt((e[:, :3] ** 2).sum(axis=1))
        out.mu[:, k] = mu
    out.x, out.P = x, P
    return out


def _anees(nees: Array) -> Measured:
    """Average over states with an interval from the spread between runs: looks of one run are not independent."""
    per_run = nees.mean(axis=1) / 6.0
    half = 1.96 * float(per_run.std(ddof=1)) / math.sqrt(len(per_run))
    mean = float(per_run.mean())
    return Measured(mean, (mean - half, mean + half))


# ---------------------------------------------------------------------------------------- each model, drawn from itself


_STARTS = {
    COAST: _place(300e3, 4000.0, 1000.0, 500.0),
    REENTRY: _place(70e3, 4500.0, 0.0, -2000.0),
    GLIDE: _place(40e3, 5000.0, 0.0, -20.0),
    AIRCRAFT: _place(10e3, 220.0, 60.0, 0.0),
    ORBIT: _place(500e3, 7000.0, 2000.0, 0.0),
}


@functools.cache
def _drawn(kind: int, seconds: int, runs: int = 200, start: int = -1) -> Array:
    """Objects of a model (runs, seconds + 1, 6): slots from their prior, its own noise once a second."""
    rng = np.random.default_rng(100 + kind)
    bank = Bank.of((kind,), _PAR, 0.0)
    n = USED[kind]
    axes = np.tile(enu_axes(0.7, 0.3).ravel(), (runs, 1))
    states = np.zeros((runs, SLOTS))
    states[:, :6] = _STARTS[start if start >= 0 else kind]
    for slot in range(6, n):
        m, _, sd = slot_process(kind, slot, _PAR)
        states[:, slot] = m + sd * rng.standard_normal(runs)
    truth = np.empty((runs, seconds + 1, 6))
    for k in range(seconds + 1):
        truth[:, k] = states[:, :6]
        # what a second does to a state that is exactly known: its covariance is the noise
        moved, noise, _ = advance_rows(
            bank, np.arange(runs), np.full(runs, k + 1.0), states[:, None].copy(), np.zeros((runs, 1, SLOTS, SLOTS)),
            np.ones((runs, 1)), axes, np.full(runs, float(k)), np.zeros((runs, 2)),
        )  # fmt: skip
        for i in range(runs):
            values, vectors = np.linalg.eigh(noise[i, 0, :n, :n])
            kick = vectors @ (np.sqrt(np.maximum(values, 0.0)) * rng.standard_normal(n))
            states[i, :n] = moved[i, 0, :n] + kick
    return truth


for _name, _kind, _seconds in (
    ("coast at 300 km", COAST, 60),
    ("re-entry from 70 km at 5 km/s", REENTRY, 25),
    ("glide at 40 km and 5 km/s", GLIDE, 60),
    ("aircraft at 10 km", AIRCRAFT, 120),
    ("orbit at 500 km", ORBIT, 60),
):

    @book.row(
        f"{_name}, 200 objects drawn from the model, the model alone: ANEES / n", target=between(0.9, 1.1),
        source="a filter's own model: 1",
    )  # fmt: skip
    def own(kind: int = _kind, seconds: int = _seconds) -> Measured:
        rng = np.random.default_rng(200 + kind)
        bank = Bank.of((kind,), _PAR, 0.0)
        return _anees(_follow(bank, np.arange(seconds + 1.0), _drawn(kind, seconds), rng, np.ones(1)).nees[:, 3:])

    @book.row(
        f"{_name}, the same objects, six models that start as prior_weights has it: ANEES / n",
        target=between(0.9, 1.1), source="consistency while one model holds",
    )  # fmt: skip
    def among(kind: int = _kind, seconds: int = _seconds) -> Measured:
        rng = np.random.default_rng(300 + kind)
        first = prior_weights(_SIX, _STARTS[kind], _P6, 0.0)
        found = _follow(_SIX, np.arange(seconds + 1.0), _drawn(kind, seconds), rng, first)
        m = _anees(found.nees[:, 10:])
        share = found.mu[:, :, kind].mean(axis=0)
        note = f"{share[0]:.2f} at first, {share[10]:.2f} after 10 looks, {share[-1]:.2f} at the end"
        return Measured(m.value, m.interval, f"probability of the true model {note}")


@functools.cache
def _either() -> tuple[_Tracks, int]:
    """As many re-entries as glides, all from the same state, met by a filter that knows the odds."""
    seconds = 40
    truth = np.concatenate([_drawn(k, seconds, 150, GLIDE) for k in (REENTRY, GLIDE)])
    bank = Bank.of((REENTRY, GLIDE), _PAR, 0.0)
    rng = np.random.default_rng(12)
    return _follow(bank, np.arange(seconds + 1.0), truth, rng, np.array([0.5, 0.5])), 150


@book.row(
    "re-entry or glide, 150 drawn of each from 40 km and 5 km/s, two models: looks until the true one has 0.9, median",
    target=at_most(15.0), unit="looks", source="matched simulation",
)  # fmt: skip
def either_known() -> Measured:
    found, half = _either()
    right = np.concatenate([found.mu[:half, :, 0], found.mu[half:, :, 1]])
    first = [int(np.argmax(row > 0.9)) if (row > 0.9).any() else 10**6 for row in right]
    wrong = float((right[:, -1] < 0.5).mean())
    return Measured(float(np.median(first)), note=f"{100 * wrong:.1f} % wrong after 40 looks")


@book.row("the same: ANEES / n over all objects and looks", target=between(0.9, 1.1), source="consistency")
def either_consistent() -> Measured:
    found, _ = _either()
    return _anees(found.nees[:, 3:])


# ------------------------------------------------------------------------------------------ six side by side, the truth


@functools.cache
def _falling() -> tuple[_Tracks, Array, Array, Array]:
    """Warheads from 160 km to 10 km; ln of their ballistic coefficients from the believed class's spread and more."""
    rng = np.random.default_rng(7)
    runs = 200
    times = np.arange(0.0, 62.0)
    beta = np.exp(rng.normal(math.log(_PAR[BETA]), 0.4, runs))
    truth = np.empty((runs, len(times), 6))
    drag = np.zeros((runs, len(times)))
    height = np.empty((runs, len(times)))
    for i in range(runs):
        angle = math.radians(rng.uniform(35.0, 50.0))
        x = _place(160e3, 4000.0 * math.cos(angle), 300.0, -4000.0 * math.sin(angle))
        for k in range(len(times)):
            truth[i, k] = x
            height[i, k] = np.linalg.norm(x[:3]) - 6.369e6
            s = np.r_[x, math.log(beta[i]), 0.0, 0.0]
            drag[i, k] = forces(REENTRY, s, _PAR, np.empty(3), np.empty((3, 9)), np.empty((3, 6)))
            nxt = np.empty(6)
            coast_to(x, 0.0, 1.0, 0.0, beta[i], nxt)
            x = nxt
    keep = int((height > 8e3).all(axis=0).sum())
    found = _follow(_SIX, times[:keep], truth[:, :keep], rng, np.array([0, 1.0, 0, 0, 0, 0]))
    return found, drag[:, :keep], height[:, :keep], beta


@book.row(
    "re-entry, six models: probability that it is one (or a glide), where drag has passed 2 m/s2",
    target=at_least(0.95),
    source="200 warheads flown by dynamics from 160 km, coefficients spread by 0.4 in ln",
)  # fmt: skip
def reentry_known() -> Measured:
    found, drag, _, _ = _falling()
    inside = drag > 2.0
    alone = float(found.mu[..., REENTRY][inside].mean())
    both = (found.mu[..., REENTRY] + found.mu[..., GLIDE])[inside]
    return Measured(float(both.mean()), note=f"re-entry alone {alone:.3f}")


@book.row("the same: ANEES / n from 160 km until drag passes 2 m/s2", target=between(0.9, 1.1), source="consistency")
def reentry_before() -> Measured:
    found, drag, _, _ = _falling()
    upto = int((drag < 2.0).all(axis=0).sum())
    return _anees(found.nees[:, 3:upto])


@book.row(
    "the same: ANEES / n from there to the end", target=at_most(1.1),
    source="consistency; the truth's coefficient is constant and its fall straight, the model expects less: under 1",
)  # fmt: skip
def reentry_after() -> Measured:
    found, drag, _, _ = _falling()
    begin = int((drag < 2.0).any(axis=0).sum())
    return _anees(found.nees[:, begin:])


@book.row(
    "the same: error of ln of the ballistic coefficient at the end, over its own standard deviation, rms",
    target=at_most(1.1), source="consistency, as above",
)  # fmt: skip
def reentry_coefficient() -> Measured:
    found, _, height, beta = _falling()
    error = found.x[:, REENTRY, 6] - np.log(beta)
    ratio = error / np.sqrt(found.P[:, REENTRY, 6, 6])
    rms = float(np.sqrt((error**2).mean()))
    return Measured(float(np.sqrt((ratio**2).mean())), note=f"error {rms:.3f} at {height[:, -1].mean() / 1e3:.0f} km")


@functools.cache
def _glider(run: int) -> tuple[Array, Array, Array]:
    """Nodes and ``out`` of a glider that enters at 100 km, and its body."""
    rng = np.random.default_rng(900 + run)
    body = np.array([rng.normal(2.6, 0.2), rng.normal(13e3, 1500.0), 0.0, 30.0, 1200.0])
    angle = math.radians(rng.uniform(3.0, 5.0))
    speed = rng.uniform(5500.0, 6500.0)
    x6 = _place(100e3, speed * math.cos(angle), 0.0, -speed * math.sin(angle))
    bank = np.array([[60.0, 0.7], [160.0, -0.5], [260.0, 0.0]])
    nodes, out = np.empty((20_000, 10)), np.empty(OUT)
    used = fly_glide(x6, 0.0, 0.0, body, bank, math.inf, DOWN, 1.0, nodes, out)
    return nodes[:used].copy(), out, body


@functools.cache
def _gliding() -> tuple[_Tracks, Array]:
    rng = np.random.default_rng(8)
    runs = 40
    times = np.arange(0.0, 400.0)
    truth = np.empty((runs, len(times), 6))
    glides = np.empty(runs)
    for i in range(runs):
        nodes, out, _ = _glider(i)
        glides[i] = out[GLIDE_T]
        for k, t in enumerate(times):
            if not state_at(nodes, 0, len(nodes), t, truth[i, k]):
                raise ValueError("the glider is down too soon")
    return _follow(_SIX, times, truth, rng, np.array([0, 0.5, 0.5, 0, 0, 0])), glides


@book.row(
    "glider, six models, no class that glides believed: probability of glide from the end of the pull-up on",
    target=at_least(0.9), source="40 gliders of dynamics.glide, lift over drag 2.6, banking 40 and -29 deg",
)  # fmt: skip
def glider_known() -> Measured:
    found, glides = _gliding()
    inside = np.arange(400.0)[None] > glides[:, None]
    when = []
    for i in range(len(glides)):
        sure = np.flatnonzero(found.mu[i, :, GLIDE] > 0.9)
        when.append(float(sure[0]) - glides[i] if len(sure) else math.inf)
    note = f"first over 0.9 {np.median(when):.0f} s after the end of the pull-up (median)"
    return Measured(float(found.mu[..., GLIDE][inside].mean()), note=note)


@book.row(
    "the same: ANEES / n", target=at_most(1.1), source="consistency; it is no draw from the model: under 1 is safe"
)
def glider_consistent() -> Measured:
    found, _ = _gliding()
    m = _anees(found.nees[:, 10:])
    return Measured(m.value, m.interval, f"position error {np.sqrt((found.error[:, 10:] ** 2).mean()):.0f} m rms")


@functools.cache
def _turning() -> tuple[_Tracks, Array]:
    """Aircraft that fly straight for a minute, turn at 1.5 to 3 deg/s for 40 s, fly straight again."""
    rng = np.random.default_rng(9)
    runs = 100
    times = np.arange(0.0, 180.0)
    truth = np.empty((runs, len(times), 6))
    for i in range(runs):
        height, speed = rng.uniform(5e3, 11e3), rng.uniform(180.0, 260.0)
        heading = rng.uniform(0.0, 2.0 * math.pi)
        turn = math.radians(rng.uniform(1.5, 3.0)) * rng.choice([-1.0, 1.0])
        lat, lon = 0.7, 0.3
        for k, t in enumerate(times):
            axes = enu_axes(lat, lon)
            p = geodetic_to_ecef([lat, lon, height])
            ground = speed * (math.sin(heading) * axes[0] + math.cos(heading) * axes[1])
            c, s = math.cos(OMEGA_GMST * t), math.sin(OMEGA_GMST * t)
            spin = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
            truth[i, k] = np.r_[spin @ p, spin @ (ground + np.cross(_OMEGA, p))]
            for _ in range(20):  # along the ground in steps of 0.05 s
                heading += 0.05 * (turn if 60.0 <= t < 100.0 else 0.0)
                lat += 0.05 * speed * math.cos(heading) / (6.36e6 + height)
                lon += 0.05 * speed * math.sin(heading) / ((6.385e6 + height) * math.cos(lat))
    return _follow(_SIX, times, truth, rng, np.array([0, 0.1, 0.1, 0, 0.8, 0])), truth


@book.row(
    "aircraft, six models: probability that it is one, from 20 s on", target=at_least(0.99),
    source="100 aircraft, straight, 40 s of turn at 1.5 to 3 deg/s, straight",
)  # fmt: skip
def aircraft_known() -> Measured:
    found, _ = _turning()
    return Measured(float(found.mu[:, 20:, AIRCRAFT].mean()))


@book.row(
    "the same: position error in the turn over the error of the measurement, rms", target=at_most(1.0),
    source="a filter that lags is worse than its measurements",
)  # fmt: skip
def aircraft_turn() -> Measured:
    found, _ = _turning()
    rms = float(np.sqrt((found.error[:, 60:100] ** 2).mean()))
    straight = float(np.sqrt((found.error[:, 30:60] ** 2).mean()))
    whole = _anees(found.nees[:, 20:])
    note = f"{rms:.0f} m, straight {straight:.0f} m; ANEES / n {whole.value:.2f} over all"
    return Measured(rms / (_SIGMA * math.sqrt(3.0)), note=note)


@book.row(
    "satellite at 500 km, six models, looks every 10 s: looks until orbit has 0.95, median", target=at_most(12.0),
    unit="looks", source="100 circular orbits by dynamics",
)  # fmt: skip
def satellite() -> Measured:
    rng = np.random.default_rng(10)
    runs, times = 100, np.arange(0.0, 300.0, 10.0)
    truth = np.empty((runs, len(times), 6))
    for i in range(runs):
        heading = rng.uniform(0.0, 2.0 * math.pi)
        x = _place(500e3, 1.0, 0.0, 0.0)
        axes = enu_axes(0.7, 0.3)
        v = math.sqrt(MU / np.linalg.norm(x[:3]))
        x[3:] = v * (math.sin(heading) * axes[0] + math.cos(heading) * axes[1])
        for k in range(len(times)):
            truth[i, k] = x
            nxt = np.empty(6)
            coast_to(x, 0.0, 10.0, 0.0, 0.0, nxt)
            x = nxt
    found = _follow(_SIX, times, truth, rng, np.array([0, 1.0, 0, 0, 0, 0]))
    first = [int(np.argmax(row > 0.95)) if (row > 0.95).any() else 10**6 for row in found.mu[..., ORBIT]]
    m = _anees(found.nees[:, 5:])
    return Measured(float(np.median(first)), note=f"ANEES / n {m.value:.2f}")


@functools.cache
def _burning() -> tuple[_Tracks, Array, Array]:
    """Flights of the bundled class with its spread, cut off at 75 to 92 s, from 20 s after lift-off on."""
    rng = np.random.default_rng(11)
    runs = 100
    times = np.arange(20.0, 150.0)
    truth = np.empty((runs, len(times), 6))
    ends = rng.uniform(75.0, 92.0, runs)
    stage = _MRBM.stages[0]

    def draw(spread: Spread) -> float:
        return float(rng.normal(spread.nominal, spread.spread))

    for i in range(runs):
        stages = np.array([[0.0, 95.0, draw(stage.thrust), draw(stage.exhaust)]])
        turn = draw(_MRBM.vertical), draw(_MRBM.pitch)
        nodes = np.empty((boost_rows(stages, *turn, ends[i], 0.25), 7))
        used = fly_boost(
            stages, *turn, draw(_MRBM.beta_boost), math.radians(rng.uniform(35.0, 60.0)),
            rng.uniform(0.0, 2.0 * math.pi), ends[i], 0.7, 0.3, 0.0, 0.0, 0.0, 0.25, nodes,
        )  # fmt: skip
        beta = draw(_MRBM.beta)
        for k, t in enumerate(times):
            if not state_at(nodes, 0, used, t, truth[i, k]):
                coast_to(nodes[used - 1, 1:7], nodes[used - 1, 0], t, 0.0, beta, truth[i, k])
    return _follow(_SIX, times, truth, rng, np.array([1.0, 0, 0, 0, 0, 0])), ends, times


@book.row(
    "end of boost, six models: from burnout until the probability of boost stays under 0.5, median",
    target=at_most(5.0), unit="s", source="100 flights of the bundled mrbm with its spread, cut off at 75 to 92 s",
)  # fmt: skip
def burnout() -> Measured:
    found, ends, times = _burning()
    late, wrong = [], 0.0
    for i in range(len(ends)):
        lit = found.mu[i, :, BOOST] > 0.5
        late.append(times[min(int(np.flatnonzero(lit)[-1]) + 1, len(times) - 1)] - ends[i])
        wrong += float((~lit[10 : int(ends[i] - times[0])]).mean()) / len(ends)
    note = (
        f"95 % within {np.quantile(late, 0.95):.1f} s; while it burns it is under 0.5 in {100 * wrong:.1f} % of looks"
    )
    return Measured(float(np.median(late)), note=note)


@book.row(
    "the same: ANEES / n from 20 s after lift-off to 55 s after burnout", target=at_most(1.1), source="consistency"
)
def boost_consistent() -> Measured:
    found, _, _ = _burning()
    return _anees(found.nees[:, 5:])
