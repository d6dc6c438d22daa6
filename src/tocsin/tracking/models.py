"""How objects move between looks: up to six kinds of motion side by side, mixed as an interacting multiple model.

States have ten slots in eci: position and velocity, and what a kind adds. Boost: the specific thrust a (m/s2), two
direction angles p, q (rad) and the mass-flow ratio k (1/s), with a' = a k and k' = k k, exact for constant mass flow
and exhaust velocity. The thrust points along ``sin p e1 + cos p sin q e2 + cos p cos q e3`` of axes that a track keeps
from its start (east, north, up there): singular only along e1. The other kinds stand in ``motions``, what passes into
what, and the mixing, in ``transitions``.

Which kinds a tracker uses, and in which columns, is its ``Bank``. A model of zero probability costs nothing; one that
nothing leads to any more is dropped when its probability has become small, or at once where physics rules it out.
While models compete they are mixed every two seconds, as burnout may come at any moment and not only at looks; a coast
that nothing can end is carried in one step.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.leap import climb_of, height_of
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import gravity, gravity_gradient
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import E2, A
from tocsin.tracking.belief import (
    MOST_RATIO,
    MOST_THRUST,
    PARAMETERS,
    Q_AIRCRAFT,
    Q_ANGLE,
    Q_BOOST,
    Q_COAST,
    Q_GLIDE,
    Q_ORBIT,
    Q_RATIO,
    Q_REENTRY,
    Q_THRUST,
    TOP,
)
from tocsin.tracking.motions import (
    AIRCRAFT,
    BOOST,
    COAST,
    GLIDE,
    KINDS,
    ORBIT,
    REENTRY,
    ROOM,
    SLOTS,
    STEP,
    congruence,
    fall_step,
    fly_step,
    white,
)
from tocsin.tracking.transitions import (
    NEAR_AIR,
    STALE,
    clear_of_air,
    mix,
    rates_from,
    restart_rate,
    slots_prior,
)

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

__all__ = [
    "AIRCRAFT",
    "BOOST",
    "COAST",
    "GLIDE",
    "KINDS",
    "NAMES",
    "ORBIT",
    "REENTRY",
    "SLOTS",
    "USED",
    "Bank",
    "advance_rows",
    "boost_step",
    "coast_step",
    "match_moments",
    "prior_state",
    "prior_weights",
    "thrust_direction",
    "turn_axes",
]

NAMES = ("boost", "coast", "reentry", "glide", "aircraft", "orbit")
USED = (10, 6, 7, 9, 7, 6)  # slots that each kind uses
_USED = np.array(USED, dtype=np.int64)
_NOISE_OF = (Q_BOOST, Q_COAST, Q_REENTRY, Q_GLIDE, Q_AIRCRAFT, Q_ORBIT)

_STRIDE = 2.0  # s between mixings while boost is possible: burnout may come at any moment, not only at looks
_CALM = 20.0  # s between mixings of coast and orbit
_FORGET_BOOST = 1e-4  # probability under which boost is dropped where it cannot begin anew
_FORGET = 1e-6  # and any other model that nothing leads to
_FASTEST_FALL = 9.82  # m/s2

_AIRCRAFT_SPEED, _AIRCRAFT_CLIMB = 250.0, 15.0  # m/s, standard deviations over the ground, each level axis and up
_AIRCRAFT_HEIGHT, _AIRCRAFT_HEIGHT_SD = 8e3, 5e3  # m
_LOW = 25e3  # m: below it most of what a radar sees newly is aircraft, where they are in the bank
_AIRCRAFT_SHARE = 0.8
_GLIDE_SHARE = 0.1


@dataclass(frozen=True)
class Bank:
    """The models that the tracks of one tracker run side by side.

    ``kinds`` (M,) int64: which kind of motion stands in each column of a store; ``parameters`` (PARAMETERS,): see
    ``belief``; ``theta0``: sidereal angle at the epoch (rad).
    """

    kinds: Ints
    parameters: Array
    theta0: float

    @classmethod
    def of(cls, kinds: Sequence[int | str], parameters: Array, theta0: float) -> Bank:
        """A bank of distinct kinds, by number or by name (``NAMES``).

        Raises ValueError on none, on an unknown one, on one that stands twice, on parameters of another number.
        """
        numbers = [NAMES.index(k) if isinstance(k, str) and k in NAMES else k for k in kinds]
        if not numbers or len(set(numbers)) != len(numbers) or any(k not in range(KINDS) for k in numbers):
            raise ValueError(
                f"the models of a tracker: found {list(kinds)}, allowed are distinct ones of {', '.join(NAMES)} "
                f"(0 to {KINDS - 1})"
            )
        if np.shape(parameters) != (PARAMETERS,):
            raise ValueError(f"the parameters of models: found shape {np.shape(parameters)}, allowed ({PARAMETERS},)")
        return cls(np.array(numbers, dtype=np.int64), parameters, float(theta0))

    def with_noise(self, noise: Mapping[str, float]) -> Bank:
        """The same bank with other densities of white acceleration (m2/s3), by name of the kind.

        Raises ValueError on an unknown kind, or a density that is not a finite number of at least zero.
        """
        parameters = np.array(self.parameters)
        for name, q in noise.items():
            if name not in NAMES:
                raise ValueError(f"noise of a model: found {name!r}, allowed are {', '.join(NAMES)}")
            if not (math.isfinite(q) and q >= 0.0):
                raise ValueError(f"noise of {name}: found {q!r}, allowed are finite numbers (m2/s3) from 0")
            parameters[_NOISE_OF[NAMES.index(name)]] = q
        return Bank(self.kinds, parameters, self.theta0)

    def __len__(self) -> int:
        return len(self.kinds)

    def column(self, kind: int) -> int:
        """The column in which a kind stands, -1 if it stands in none."""
        found = np.flatnonzero(self.kinds == kind)
        return int(found[0]) if len(found) else -1

    def by_kind(self, mu: Array) -> Array:
        """Probabilities (k, M) of the columns as probabilities (k, 6) of the kinds."""
        out = np.zeros((len(mu), KINDS))
        out[:, self.kinds] = mu
        return out


@kernel
def thrust_direction(axes: Array, p: float, q: float, out: Array) -> None:
    """Unit vector of thrust and its derivatives by p and q into ``out`` (3, 3): rows u, du/dp, du/dq."""
    sp, cp = math.sin(p), math.cos(p)
    sq, cq = math.sin(q), math.cos(q)
    for k in range(3):
        e1, e2, e3 = axes[k], axes[3 + k], axes[6 + k]
        out[0, k] = sp * e1 + cp * (sq * e2 + cq * e3)
        out[1, k] = cp * e1 - sp * (sq * e2 + cq * e3)
        out[2, k] = cp * (cq * e2 - sq * e3)


@kernel
def boost_step(x: Array, axes: Array, dt: float, par: Array, xo: Array, F: Array) -> None:
    """One step of powered flight (dt up to some seconds, may be negative): ``xo`` (10), transition ``F`` (10, 10).

    Specific thrust and ratio stay within what is believed possible, and are carried in closed form, a / (1 - k t);
    position and velocity by the trapezium of thrust and gravity with a corrector: within 0.1 m over 2 s at 100 m/s2. F
    is the derivative to second order in dt.
    """
    u = np.empty((3, 3))
    thrust_direction(axes, x[7], x[8], u)
    a0 = min(max(x[6], 0.0), par[MOST_THRUST])
    k0 = min(max(x[9], 0.0), par[MOST_RATIO])
    if dt > 0.0 and (a0 > par[MOST_THRUST] * (1.0 - k0 * dt) or k0 > par[MOST_RATIO] * (1.0 - k0 * dt)):
        k0 = 0.0  # nothing believed burns harder: what is unknown then is when it ends
    left = 1.0 - k0 * dt
    middle = 1.0 - 0.5 * k0 * dt
    am, a1 = a0 / middle, a0 / left
    g0x, g0y, g0z = gravity(x[0], x[1], x[2])
    # Simpson for thrust along a fixed direction: velocity gains (a0 + 4 am + a1) dt / 6, position (a0 + 2 am) dt^2 / 6
    dv = (a0 + 4.0 * am + a1) * dt / 6.0
    dp = (a0 + 2.0 * am) * dt * dt / 6.0
    h2 = 0.5 * dt * dt
    px = x[0] + x[3] * dt + u[0, 0] * dp + g0x * h2
    py = x[1] + x[4] * dt + u[0, 1] * dp + g0y * h2
    pz = x[2] + x[5] * dt + u[0, 2] * dp + g0z * h2
    g1x, g1y, g1z = gravity(px, py, pz)
    xo[0], xo[1], xo[2] = px + (g1x - g0x) * h2 / 3.0, py + (g1y - g0y) * h2 / 3.0, pz + (g1z - g0z) * h2 / 3.0
    xo[3] = x[3] + u[0, 0] * dv + 0.5 * (g0x + g1x) * dt
    xo[4] = x[4] + u[0, 1] * dv + 0.5 * (g0y + g1y) * dt
    xo[5] = x[5] + u[0, 2] * dv + 0.5 * (g0z + g1z) * dt
    xo[6] = a1
    xo[7], xo[8] = x[7], x[8]
    xo[9] = k0 / left if k0 > 0.0 else min(max(x[9], 0.0), par[MOST_RATIO])
    gxx, gxy, gxz, gyy, gyz, gzz = gravity_gradient(x[0], x[1], x[2])
    for i in range(10):
        for j in range(10):
            F[i, j] = 1.0 if i == j else 0.0
    G = ((gxx, gxy, gxz), (gxy, gyy, gyz), (gxz, gyz, gzz))
    unit = dv / a0 if abs(a0) > 1e-6 else dt
    half = dp / a0 if abs(a0) > 1e-6 else h2
    for i in range(3):
        for j in range(3):
            F[i, j] += G[i][j] * h2
            F[3 + i, j] = G[i][j] * dt
            F[3 + i, 3 + j] += G[i][j] * h2
        F[i, 3 + i] = dt
        F[i, 6] = u[0, i] * half
        F[3 + i, 6] = u[0, i] * unit
        F[i, 7], F[i, 8] = u[1, i] * dp, u[2, i] * dp
        F[3 + i, 7], F[3 + i, 8] = u[1, i] * dv, u[2, i] * dv
        F[i, 9] = u[0, i] * a0 * dt * dt * dt / 6.0 / middle**2
        F[3 + i, 9] = u[0, i] * a0 * dt * dt / 6.0 * (2.0 / middle**2 + 1.0 / left**2)
    if k0 > 0.0:
        F[6, 6] = 1.0 / left
        F[6, 9] = a0 * dt / (left * left)
        F[9, 9] = 1.0 / (left * left)
    else:
        for i in range(6):
            F[i, 9] = 0.0


@kernel
def bend_boost(x: Array, P: Array, axes: Array, dt: float, par: Array, xo: Array) -> None:
    """Add to ``xo``, as of ``boost_step``, what the spread ``P`` of thrust does to the mean: half the second
    derivatives by angles, thrust and ratio times their covariance.

    A direction known to half a radian pushes less than its mean says, and 1 / (1 - k t) is steeper above its mean than
    under it. The second-order filter of Athans, Wishner, Bertolini, IEEE TAC 13 (1968), its mean only. Where thrust is
    held at what is believed possible nothing is added.
    """
    a0, k0 = x[6], x[9]
    left = 1.0 - k0 * dt
    if not (0.0 < a0 < par[MOST_THRUST] and 0.0 < k0 < par[MOST_RATIO] and left > 0.2):
        return
    u = np.empty((3, 3))
    thrust_direction(axes, x[7], x[8], u)
    cp, sp = math.cos(x[7]), math.sin(x[7])
    sq, cq = math.sin(x[8]), math.cos(x[8])
    dv = a0 * dt * (1.0 + 0.5 * k0 * dt)
    dp = 0.5 * a0 * dt * dt * (1.0 + k0 * dt / 3.0)
    # by angles twice, an angle and thrust, thrust and ratio, ratio twice; dv = a t + a k t^2 / 2 + a k^2 t^3 / 3
    unit_v, unit_p = dv / a0, dp / a0
    along_v = 0.5 * dt * dt * P[6, 9] + a0 * dt * dt * dt / 3.0 * P[9, 9]
    along_p = dt * dt * dt / 6.0 * P[6, 9] + a0 * dt * dt * dt * dt / 12.0 * P[9, 9]
    for i in range(3):
        level = sq * axes[3 + i] + cq * axes[6 + i]
        pq = -sp * (cq * axes[3 + i] - sq * axes[6 + i])
        turn = -0.5 * (P[7, 7] * u[0, i] + P[8, 8] * cp * level) + P[7, 8] * pq
        cross = P[6, 7] * u[1, i] + P[6, 8] * u[2, i]
        xo[i] += turn * dp + cross * unit_p + along_p * u[0, i]
        xo[3 + i] += turn * dv + cross * unit_v + along_v * u[0, i]
    xo[6] += dt / (left * left) * P[6, 9] + a0 * dt * dt / (left * left * left) * P[9, 9]
    xo[9] += dt / (left * left * left) * P[9, 9]


@kernel
def _boost_cov(P: Array, F: Array, dt: float, par: Array, t: Array, Po: Array) -> None:
    congruence(F, P, 10, t, Po)
    h = abs(dt)
    white(Po, par[Q_BOOST], h)
    Po[6, 6] += par[Q_THRUST] * h
    Po[7, 7] += par[Q_ANGLE] * h
    Po[8, 8] += par[Q_ANGLE] * h
    Po[9, 9] += par[Q_RATIO] * h


@kernel
def coast_step(x: Array, P: Array, t0: float, t1: float, theta0: float, par: Array, xo: Array, Po: Array) -> None:
    """Free flight of the first six slots from ``t0`` to ``t1`` (s) with covariance; the others become zero."""
    fall_step(COAST, x, P, t0, t1, theta0, par, xo, Po, np.empty((6, 6)), np.empty((6, 6)))


@kernel
def _keep(x: Array, P: Array, xo: Array, Po: Array) -> None:
    for i in range(10):
        xo[i] = x[i]
        for j in range(10):
            Po[i, j] = P[i, j]


@kernel
def _one(
    kind: int, slots: int, x: Array, P: Array, axes: Array, t0: float, t1: float, theta0: float, par: Array, xo: Array,
    Po: Array, room: Array,
) -> None:  # fmt: skip
    """One model from ``t0`` to ``t1`` (not equal), with covariance; ``xo``, ``Po`` must not be ``x``, ``P``."""
    if kind in (COAST, ORBIT):
        F, T = room[300:336].reshape(6, 6), room[400:436].reshape(6, 6)
        fall_step(kind, x, P, t0, t1, theta0, par, xo, Po, F, T)
        return
    if kind == BOOST:
        D = room[300:400].reshape(10, 10)
        boost_step(x, axes, t1 - t0, par, xo, D)
        bend_boost(x, P, axes, t1 - t0, par, xo)
        _boost_cov(P, D, t1 - t0, par, room[400:500].reshape(10, 10), Po)
        return
    span = t1 - t0
    count = 1
    if abs(span) > STEP:
        count = math.ceil(abs(span) / STEP - 1e-9)
    if count == 1:
        fly_step(kind, x, P, span, slots, par, xo, Po, room)
        return
    xi, Pi = np.empty(SLOTS), np.empty((SLOTS, SLOTS))
    _keep(x, P, xi, Pi)
    for _ in range(count):
        fly_step(kind, xi, Pi, span / count, slots, par, xo, Po, room)
        _keep(xo, Po, xi, Pi)


@kernel
def _until_air(x: Array) -> float:
    """Time (s) in which a free fall certainly stays above ``NEAR_AIR``, zero below it."""
    above = height_of(x[0], x[1], x[2]) - NEAR_AIR
    if not above > 0.0:
        return 0.0
    climb = climb_of(x[0], x[1], x[2], x[3], x[4], x[5])
    return (climb + math.sqrt(climb * climb + 2.0 * _FASTEST_FALL * above)) / _FASTEST_FALL


@kernel
def advance(
    kinds: Ints, place: Ints, used: Ints, x: Array, P: Array, mu: Array, axes: Array, t0: float, t1: float,
    memory: Array, theta0: float, par: Array, xo: Array, Po: Array, muo: Array, xs: Array, Ps: Array, room: Array,
) -> None:  # fmt: skip
    """Carry one track from ``t0`` to ``t1`` (s; earlier by a second or so is allowed), written to ``xo``, ``Po``,
    ``muo``.

    ``kinds`` (M): which kind stands in each column, ``place`` (6): the column of each kind or -1, ``used`` (M): slots
    of each column; ``x`` (M, 10), ``P`` (M, 10, 10), ``mu`` (M), ``axes`` (9); ``memory`` (2): time of the last
    detection, after which an unseen boost is taken to end; time until which thrust may begin anew. ``xs`` (M, 10),
    ``Ps`` (M, 10, 10), ``room`` (``ROOM`` + 240): room. Columns of zero probability keep what they hold.
    """
    models = kinds.shape[0]
    if models == 1:
        muo[0] = 1.0
        if t0 != t1:
            _one(kinds[0], used[0], x[0], P[0], axes, t0, t1, theta0, par, xo[0], Po[0], room)
        else:
            _keep(x[0], P[0], xo[0], Po[0])
        return
    for m in range(models):
        _keep(x[m], P[m], xo[m], Po[m])
        muo[m] = mu[m]
    p = room[0:36].reshape(6, 6)
    rates = room[40:47]
    t = t0
    boost, coast = place[BOOST], place[COAST]
    while t != t1:
        may_restart, restart = False, 0.0
        if boost >= 0 and coast >= 0 and muo[coast] > 0.0 and t <= memory[1]:
            restart = restart_rate(xo[coast], par)
            may_restart = restart > 0.0
            over = t - memory[0] > STALE
            if muo[boost] > 0.0:
                over = over or height_of(xo[boost, 0], xo[boost, 1], xo[boost, 2]) > max(par[TOP], 100e3)
            if over:
                restart = 0.0
        passes = False
        stride = math.inf
        live = 0
        for i in range(models):
            for j in range(models):
                p[i, j] = 0.0
            if not muo[i] > 0.0:
                continue
            live += 1
            kind = kinds[i]
            total = rates_from(kind, xo[i], Po[i], t - memory[0], restart, place, par, rates)
            for k in range(KINDS):
                if rates[k] > 0.0:
                    p[i, place[k]] = rates[k]
            p[i, i] = total  # for now
            passes = passes or total > 0.0
            if kind in (BOOST, REENTRY, GLIDE):
                stride = _STRIDE
            elif kind == COAST:
                if may_restart or rates[REENTRY] > 0.0 or rates[GLIDE] > 0.0:
                    stride = _STRIDE
                elif place[REENTRY] >= 0 or place[GLIDE] >= 0:
                    stride = min(stride, max(_until_air(xo[i]), _STRIDE))
                if place[ORBIT] >= 0:
                    stride = min(stride, _CALM)
            elif kind == ORBIT and total > 0.0:
                stride = min(stride, _CALM)
        if live > 1:
            stride = min(stride, _CALM)
            kept, dropped = 0.0, False
            for j in range(models):
                if muo[j] > 0.0:
                    comes = kinds[j] == BOOST and may_restart
                    for i in range(models):
                        comes = comes or (i != j and p[i, j] > 0.0)
                    if not comes and muo[j] < (_FORGET_BOOST if kinds[j] == BOOST else _FORGET):
                        muo[j] = 0.0
                        dropped = True
                    kept += muo[j]
            if dropped:
                for j in range(models):
                    muo[j] /= kept
                continue  # with fewer models: look again
        end = t1
        if abs(t1 - t) > stride:
            end = t + math.copysign(stride, t1 - t)
        if passes:
            h = abs(end - t)
            for i in range(models):
                total = p[i, i]
                if not muo[i] > 0.0 or total <= 0.0:
                    p[i, i] = 1.0
                    continue
                if total >= 1e8 and live == 1 and kinds[i] == AIRCRAFT:
                    p[i, i] = 1.0  # impossible, but there is nothing else
                    continue
                gone = 1.0 - math.exp(-total * h) if total < 1e8 else 1.0
                for j in range(models):
                    if j != i:
                        p[i, j] *= gone / total
                p[i, i] = 1.0 - gone
            mix(kinds, used, p, xo, Po, muo, axes, par, xs, Ps, room[ROOM + 40 : ROOM + 240])
        for m in range(models):
            if muo[m] > 0.0:
                _one(kinds[m], used[m], xo[m], Po[m], axes, t, end, theta0, par, xs[0], Ps[0], room[40:])
                _keep(xs[0], Ps[0], xo[m], Po[m])
        t = end


@kernel
def _advance_rows(
    kinds: Ints, used: Ints, place: Ints, rows: Ints, t1: Array, x: Array, P: Array, mu: Array, axes: Array,
    t_track: Array, memory: Array, theta0: float, par: Array, xo: Array, Po: Array, muo: Array,
) -> None:  # fmt: skip
    models = kinds.shape[0]
    if models == 1 and (kinds[0] == COAST or kinds[0] == ORBIT):
        # thousands of tracks of one model: nothing but free fall
        F, T = np.empty((6, 6)), np.empty((6, 6))
        for a in range(rows.shape[0]):
            i = rows[a]
            muo[a, 0] = 1.0
            fall_step(kinds[0], x[i, 0], P[i, 0], t_track[i], t1[a], theta0, par, xo[a, 0], Po[a, 0], F, T)
        return
    xs, Ps = np.empty((models, SLOTS)), np.empty((models, SLOTS, SLOTS))
    room = np.empty(ROOM + 240)
    for a in range(rows.shape[0]):
        i = rows[a]
        advance(
            kinds, place, used, x[i], P[i], mu[i], axes[i], t_track[i], t1[a], memory[i], theta0, par, xo[a], Po[a],
            muo[a], xs, Ps, room,
        )  # fmt: skip


def advance_rows(
    bank: Bank, rows: Ints, t1: Array, x: Array, P: Array, mu: Array, axes: Array, t_track: Array, memory: Array
) -> tuple[Array, Array, Array]:
    """Tracks ``rows`` (k,) carried to times ``t1`` (k,) (s): x (k, M, 10), P (k, M, 10, 10), mu (k, M).

    ``x`` (n, M, 10), ``P``, ``mu``, ``axes`` (n, 9), ``t_track`` (n,) their times (s), ``memory`` (n, 2): see
    ``advance``.
    """
    k, m = len(rows), len(bank)
    xo, Po, muo = np.empty((k, m, SLOTS)), np.empty((k, m, SLOTS, SLOTS)), np.empty((k, m))
    place = np.full(KINDS, -1, dtype=np.int64)
    place[bank.kinds] = np.arange(m)
    _advance_rows(
        bank.kinds, _USED[bank.kinds], place, rows, t1, x, P, mu, axes, t_track, memory, bank.theta0, bank.parameters,
        xo, Po, muo,
    )  # fmt: skip
    return xo, Po, muo


@kernel
def _match_rows(x: Array, P: Array, mu: Array, out: Array, cov: Array) -> None:
    for a in range(x.shape[0]):
        for i in range(6):
            s = 0.0
            for m in range(x.shape[1]):
                if mu[a, m] > 0.0:
                    s += mu[a, m] * x[a, m, i]
            out[a, i] = s
        for i in range(6):
            for j in range(6):
                s = 0.0
                for m in range(x.shape[1]):
                    if mu[a, m] > 0.0:
                        s += mu[a, m] * (P[a, m, i, j] + (x[a, m, i] - out[a, i]) * (x[a, m, j] - out[a, j]))
                cov[a, i, j] = s


def match_moments(x: Array, P: Array, mu: Array) -> tuple[Array, Array]:
    """Mean (k, 6) and covariance (k, 6, 6) of position and velocity over all models: what ``advance_rows`` gives."""
    out, cov = np.empty((len(x), 6)), np.empty((len(x), 6, 6))
    _match_rows(x, P, mu, out, cov)
    return out, cov


@kernel
def turn_axes(x: Array, P: Array, axes: Array) -> bool:
    """Give a track whose thrust nears the singular direction (|p| over 1 rad) new axes with e3 along the thrust, in
    place.

    ``x`` (10), ``P`` (10, 10) of the boost model. The angles start anew at zero; their covariance is carried over.
    Returns whether.
    """
    if abs(x[7]) < 1.0:
        return False
    u = np.empty((3, 3))
    thrust_direction(axes, x[7], x[8], u)
    c = math.cos(x[7])
    # the new e1 is along du/dp and the new e2 along du/dq: dp' = dp, dq' = cos p dq
    for k in range(3):
        axes[k] = u[1, k]
        axes[3 + k] = u[2, k] / c
        axes[6 + k] = u[0, k]
    x[7], x[8] = 0.0, 0.0
    for i in range(10):
        P[8, i] *= c
    for i in range(10):
        P[i, 8] *= c
    return True


@kernel
def _tell(x: Array, P: Array, at: Array, z: float, var: float) -> None:
    """Correct a state (6) in place by a scalar that is linear in it: ``at`` (6) its derivative, ``z`` its value."""
    g = np.zeros(6)
    s = var
    for i in range(6):
        for j in range(6):
            g[i] += P[i, j] * at[j]
        z -= at[i] * x[i]
    for i in range(6):
        s += at[i] * g[i]
    for i in range(6):
        x[i] += g[i] / s * z
        for j in range(6):
            P[i, j] -= g[i] * g[j] / s
    for i in range(6):
        for j in range(i):
            P[i, j] = P[j, i]


@kernel
def _prior_state(kind: int, x6: Array, P6: Array, axes: Array, par: Array, x: Array, P: Array) -> None:
    x[:] = 0.0
    P[:, :] = 0.0
    if kind == AIRCRAFT:
        s, C, at = x6.copy(), P6.copy(), np.zeros(6)
        r = math.sqrt(s[0] ** 2 + s[1] ** 2 + s[2] ** 2)
        f = 1.0 + E2 * A / r
        m = math.sqrt(s[0] ** 2 + s[1] ** 2 + (f * s[2]) ** 2)
        up = np.array([s[0] / m, s[1] / m, f * s[2] / m])
        level = math.sqrt(max(up[0] ** 2 + up[1] ** 2, 1e-12))
        east = np.array([-up[1] / level, up[0] / level, 0.0])
        north = np.array([up[1] * east[2] - up[2] * east[1], up[2] * east[0] - up[0] * east[2],
                          up[0] * east[1] - up[1] * east[0]])  # fmt: skip
        height = height_of(s[0], s[1], s[2])
        for k in range(3):
            at[k] = up[k]
        here = up[0] * s[0] + up[1] * s[1] + up[2] * s[2]
        _tell(s, C, at, here + _AIRCRAFT_HEIGHT - height, _AIRCRAFT_HEIGHT_SD**2)
        ground = np.array([-OMEGA_GMST * s[1], OMEGA_GMST * s[0], 0.0])
        for d, sd in ((east, _AIRCRAFT_SPEED), (north, _AIRCRAFT_SPEED), (up, _AIRCRAFT_CLIMB)):
            at[:] = 0.0
            for k in range(3):
                at[3 + k] = d[k]
            _tell(s, C, at, d[0] * ground[0] + d[1] * ground[1] + d[2] * ground[2], sd * sd)
        x[:6], P[:6, :6] = s, C
    else:
        x[:6], P[:6, :6] = x6, P6
    mean, var = np.empty(4), np.empty(4)
    for i in range(slots_prior(kind, x, axes, par, mean, var)):
        x[6 + i], P[6 + i, 6 + i] = mean[i], var[i]


def prior_state(kind: int, x6: Array, P6: Array, axes: Array, par: Array) -> tuple[Array, Array]:
    """State (10) and covariance (10, 10) with which a model of ``kind`` starts from what is known of position and
    velocity (6, 6 x 6, eci).

    ``axes`` (9 or 3 x 3): those of thrust angles. The slots of the kind get their prior. For an aircraft, which is a
    narrower thing than anything that moves, height and velocity over the ground are corrected by what aircraft do.
    """
    x, P = np.empty(SLOTS), np.empty((SLOTS, SLOTS))
    _prior_state(
        kind, np.array(x6[:6], dtype=np.float64), np.array(P6[:6, :6], dtype=np.float64), np.ravel(axes), par, x, P
    )
    return x, P


def prior_weights(bank: Bank, x6: Array, P6: Array, boosts: float) -> Array:
    """Probabilities (M,) of the columns for an object that was seen once, of position and velocity (6, 6 x 6, eci).

    ``boosts``: probability of thrust, given by who knows what saw it. The rest is shared: where the perigee is clear of
    the air, orbit; below 25 km mostly aircraft; below 130 km re-entry, and a glide where gliders are; else coast. What
    the bank lacks goes to its neighbours, and to the first column if nothing else is left.
    """
    x6, P6 = np.asarray(x6, dtype=np.float64), np.asarray(P6, dtype=np.float64)
    up = x6[:3] / math.sqrt(float((x6[:3] * x6[:3]).sum()))
    height = height_of(float(x6[0]), float(x6[1]), float(x6[2]))
    sd = math.sqrt(max(sum(float(up[i] * P6[i, j] * up[j]) for i in range(3) for j in range(3)), 1.0))

    def under(limit: float) -> float:
        return 0.5 * math.erfc((height - limit) / (sd * math.sqrt(2.0)))

    has = [bank.column(k) >= 0 for k in range(KINDS)]
    share = np.zeros(KINDS)
    share[BOOST] = boosts if has[BOOST] else 0.0
    left = 1.0 - share[BOOST]
    if has[AIRCRAFT]:
        share[AIRCRAFT] = left * _AIRCRAFT_SHARE * under(_LOW)
        left -= share[AIRCRAFT]
    if has[ORBIT]:
        share[ORBIT] = left * clear_of_air(x6, P6)
        left -= share[ORBIT]
    if has[REENTRY]:
        share[REENTRY] = left * under(NEAR_AIR) if has[COAST] else left
        left -= share[REENTRY]
    if has[GLIDE]:
        falling = share[REENTRY] if has[REENTRY] else left * under(NEAR_AIR)
        share[GLIDE] = _GLIDE_SHARE * falling
        if has[REENTRY]:
            share[REENTRY] -= share[GLIDE]
        else:
            left -= share[GLIDE]
    if has[COAST]:
        share[COAST] = left
    out: Array = share[bank.kinds]
    total = float(out.sum())
    if total <= 0.0:
        out[0], total = 1.0, 1.0
    return out / total
