"""How objects move between looks: boost and coast side by side, mixed as an interacting multiple model.

Two models a track (``BOOST``, ``COAST``), states of ten slots in eci: position, velocity, and for boost the specific
thrust a (m/s2), two direction angles p, q (rad) and the mass-flow ratio k (1/s), with a' = a k and k' = k k, exact for
constant mass flow and exhaust velocity. The thrust points along ``sin p e1 + cos p sin q e2 + cos p cos q e3`` of axes
that a track keeps from its start (east, north, up there): singular only along e1. Coasting is gravity with J2
(``dynamics.kernels.coast_to_stm``) and a noise that grows where the air could brake.

Between boost and coast an object passes at the believed rate of burnouts, back (staging) only while it rises below the
height at which thrust is believed to end. Mixing (Blom and Bar-Shalom, IEEE TAC 33, 1988) gives boost slots that coast
lacks the prior of boost, never zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.dynamics.leap import height_of
from tocsin.earth.atmosphere import density
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import gravity, gravity_gradient
from tocsin.earth.jit import kernel
from tocsin.tracking.belief import (
    ANGLE_SD,
    BETA,
    BURNOUT,
    MOST_RATIO,
    MOST_THRUST,
    Q_ANGLE,
    Q_BOOST,
    Q_COAST,
    Q_RATIO,
    Q_THRUST,
    RATIO,
    RATIO_SD,
    RELIGHT_TOP,
    RESTART,
    THRUST,
    THRUST_SD,
    TOP,
    UNEXPECTED,
)

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

BOOST, COAST, REENTRY, GLIDE, AIRCRAFT, ORBIT = 0, 1, 2, 3, 4, 5  # kinds of motion, as in the places of TRACK's mu
KINDS = 6
SLOTS = 10
USED = (10, 6, 7, 9, 7, 6)  # slots that each kind uses

_STRIDE = 2.0  # s between mixings while boost is possible: burnout may come at any moment, not only at looks
_FORGET_BOOST = 1e-4  # probability under which boost is dropped where it cannot begin anew
_STALE = 60.0  # s after which an unseen boost is taken to end quickly
_STALE_RATE = 0.1  # 1/s
_LEAST_THRUST = 5.0  # m/s2: no class burns with less, so a boost whose thrust has fallen under it is a coast
_SPENT_RATE = 1.0  # 1/s at which it is taken to be one
_AIR_CORRELATION = 10.0  # s over which drag that the model leaves out pushes the same way


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
    def of(cls, kinds: Sequence[int], parameters: Array, theta0: float) -> Bank:
        """A bank of distinct kinds. Raises ValueError on an empty one, an unknown kind or one that stands twice."""
        if not kinds or len(set(kinds)) != len(kinds) or any(k not in range(KINDS) for k in kinds):
            raise ValueError(
                f"the models of a tracker: found {list(kinds)}, allowed are distinct ones of 0 to {KINDS - 1}"
            )
        return cls(np.array(kinds, dtype=np.int64), parameters, float(theta0))

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
def _congruence(F: Array, P: Array, n: int, out: Array) -> None:
    """``out = F P F'`` for the leading n x n parts, made exactly symmetric."""
    t = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                f = F[i, k]
                if f != 0.0:
                    s += f * P[k, j]
            t[i, j] = s
    for i in range(n):
        for j in range(i, n):
            s = 0.0
            for k in range(n):
                s += t[i, k] * F[j, k]
            out[i, j] = s
            out[j, i] = s


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
def _boost_cov(P: Array, F: Array, dt: float, par: Array, Po: Array) -> None:
    _congruence(F, P, 10, Po)
    h = abs(dt)
    _white(Po, par[Q_BOOST], h)
    Po[6, 6] += par[Q_THRUST] * h
    Po[7, 7] += par[Q_ANGLE] * h
    Po[8, 8] += par[Q_ANGLE] * h
    Po[9, 9] += par[Q_RATIO] * h


@kernel
def _white(P: Array, q: float, h: float) -> None:
    """Add the covariance of white acceleration of density q (m2/s3) over h s."""
    for i in range(3):
        P[i, i] += q * h * h * h / 3.0
        P[i, 3 + i] += q * h * h / 2.0
        P[3 + i, i] += q * h * h / 2.0
        P[3 + i, 3 + i] += q * h


@kernel
def coast_step(x: Array, P: Array, t0: float, t1: float, theta0: float, par: Array, xo: Array, Po: Array) -> None:
    """Free flight of the first six slots from ``t0`` to ``t1`` (s) with covariance; the others become zero."""
    x6, out = np.empty(6), np.empty(6)
    F = np.empty((6, 6))
    for i in range(6):
        x6[i] = x[i]
    coast_to_stm(x6, t0, t1, theta0, out, F)
    for i in range(10):
        xo[i] = out[i] if i < 6 else 0.0
        for j in range(10):
            Po[i, j] = 0.0
    _congruence(F, P, 6, Po)
    low = min(height_of(x6[0], x6[1], x6[2]), height_of(out[0], out[1], out[2]))
    q = par[Q_COAST]
    if low < 150e3:
        v2 = out[3] ** 2 + out[4] ** 2 + out[5] ** 2
        drag = min(0.5 * density(low) * v2 / par[BETA], 100.0)
        q += drag * drag * _AIR_CORRELATION
    _white(Po, q, abs(t1 - t0))


@kernel
def _slots_prior(x: Array, axes: Array, par: Array, mean: Array, var: Array) -> None:
    """Prior of the four boost slots for the first six slots of ``x``: thrust along its way through the air."""
    vx, vy, vz = x[3] + OMEGA_GMST * x[1], x[4] - OMEGA_GMST * x[0], x[5]
    r = math.sqrt(x[0] ** 2 + x[1] ** 2 + x[2] ** 2)
    # slow objects thrust upwards: 300 m/s of it is added so that the direction is defined at lift-off
    ux, uy, uz = vx + 300.0 * x[0] / r, vy + 300.0 * x[1] / r, vz + 300.0 * x[2] / r
    n = math.sqrt(ux * ux + uy * uy + uz * uz)
    c1 = (axes[0] * ux + axes[1] * uy + axes[2] * uz) / n
    c2 = (axes[3] * ux + axes[4] * uy + axes[5] * uz) / n
    c3 = (axes[6] * ux + axes[7] * uy + axes[8] * uz) / n
    mean[0] = par[THRUST]
    mean[1] = math.asin(min(max(c1, -0.98), 0.98))
    mean[2] = math.atan2(c2, c3)
    mean[3] = par[RATIO]
    var[0] = par[THRUST_SD] ** 2
    var[1] = par[ANGLE_SD] ** 2
    var[2] = (par[ANGLE_SD] / max(math.cos(mean[1]), 0.2)) ** 2
    var[3] = par[RATIO_SD] ** 2


@kernel
def restart_rate(x: Array, par: Array) -> float:
    """Rate (1/s) at which a coasting object (first six slots) ignites: none once it falls or is above believed thrust.

    Below the heights at which believed last stages light it is their rate, above them that of the unexpected.
    """
    if x[0] * x[3] + x[1] * x[4] + x[2] * x[5] <= 0.0:
        return 0.0
    height = height_of(x[0], x[1], x[2])
    if height < par[RELIGHT_TOP]:
        return float(par[RESTART])
    return UNEXPECTED if height < par[TOP] else 0.0


@kernel
def _mix(x: Array, P: Array, mu: Array, axes: Array, burnout: float, restart: float, par: Array) -> None:
    """The mixing step in place, with the probabilities of passing between the models in this step."""
    to_boost = mu[BOOST] * (1.0 - burnout) + mu[COAST] * restart
    to_coast = mu[BOOST] * burnout + mu[COAST] * (1.0 - restart)
    mean, var = np.empty(4), np.empty(4)
    _slots_prior(x[COAST], axes, par, mean, var)
    xb, xc = np.empty(10), np.zeros(10)
    Pb, Pc = np.empty((10, 10)), np.zeros((10, 10))
    # boost: from itself, and from coast with the prior in the slots that coast lacks
    w = mu[COAST] * restart / to_boost if to_boost > 0.0 else 1.0
    if w <= 0.0:
        for i in range(10):
            xb[i] = x[BOOST, i]
            for j in range(10):
                Pb[i, j] = P[BOOST, i, j]
    else:
        d = np.empty(10)
        for i in range(10):
            other = x[COAST, i] if i < 6 else mean[i - 6]
            d[i] = other - x[BOOST, i]
            xb[i] = x[BOOST, i] + w * d[i]
        for i in range(10):
            for j in range(10):
                own = P[BOOST, i, j]
                other = 0.0
                if i < 6 and j < 6:
                    other = P[COAST, i, j]
                elif i == j:
                    other = var[i - 6]
                Pb[i, j] = (1.0 - w) * own + w * other + w * (1.0 - w) * d[i] * d[j]
    w = mu[BOOST] * burnout / to_coast if to_coast > 0.0 else 1.0
    for i in range(6):
        xc[i] = x[COAST, i] + w * (x[BOOST, i] - x[COAST, i])
    for i in range(6):
        for j in range(6):
            spread = (x[BOOST, i] - x[COAST, i]) * (x[BOOST, j] - x[COAST, j])
            Pc[i, j] = (1.0 - w) * P[COAST, i, j] + w * P[BOOST, i, j] + w * (1.0 - w) * spread
    for i in range(10):
        x[BOOST, i] = xb[i]
        x[COAST, i] = xc[i]
        for j in range(10):
            P[BOOST, i, j] = Pb[i, j]
            P[COAST, i, j] = Pc[i, j]
    mu[BOOST], mu[COAST] = to_boost, to_coast


@kernel
def _keep(x: Array, P: Array, xo: Array, Po: Array) -> None:
    for i in range(10):
        xo[i] = x[i]
        for j in range(10):
            Po[i, j] = P[i, j]


@kernel
def advance(
    kinds: Ints, x: Array, P: Array, mu: Array, axes: Array, t0: float, t1: float, memory: Array, theta0: float,
    par: Array, xo: Array, Po: Array, muo: Array,
) -> None:  # fmt: skip
    """Carry one track from ``t0`` to ``t1`` (s; earlier by a second or so is allowed), written to ``xo``, ``Po``,
    ``muo``.

    ``kinds`` (M): BOOST and COAST in this order, or COAST alone; ``x`` (M, 10), ``P`` (M, 10, 10), ``mu`` (M), ``axes``
    (9); ``memory`` (2): time of the last detection, after which an unseen boost is taken to end; time until which
    thrust may begin anew. Where boost is impossible the coast model runs alone, in one call.
    """
    if kinds.shape[0] == 1:
        muo[0] = 1.0
        if t0 != t1:
            coast_step(x[0], P[0], t0, t1, theta0, par, xo[0], Po[0])
        else:
            _keep(x[0], P[0], xo[0], Po[0])
        return
    for m in range(2):
        for i in range(10):
            xo[m, i] = x[m, i]
            for j in range(10):
                Po[m, i, j] = P[m, i, j]
        muo[m] = mu[m]
    xn = np.empty(10)
    Pn = np.empty((10, 10))
    F = np.empty((10, 10))
    t = t0
    while t != t1:
        restart = restart_rate(xo[COAST], par) if t <= memory[1] else 0.0
        if muo[BOOST] < _FORGET_BOOST and restart == 0.0:
            muo[BOOST], muo[COAST] = 0.0, 1.0
        alone = muo[BOOST] == 0.0 and restart == 0.0
        end = t1
        if not alone:
            if abs(t1 - t) > _STRIDE:
                end = t + math.copysign(_STRIDE, t1 - t)
            rate = par[BURNOUT]
            if t - memory[0] > _STALE or height_of(xo[BOOST, 0], xo[BOOST, 1], xo[BOOST, 2]) > max(par[TOP], 100e3):
                rate = max(rate, _STALE_RATE)
                restart = 0.0
            spread = math.sqrt(max(Po[BOOST, 6, 6], 1e-12))
            rate += _SPENT_RATE * 0.5 * math.erfc((xo[BOOST, 6] - _LEAST_THRUST) / (spread * math.sqrt(2.0)))
            h = abs(end - t)
            _mix(xo, Po, muo, axes, 1.0 - math.exp(-rate * h), 1.0 - math.exp(-restart * h), par)
            boost_step(xo[BOOST], axes, end - t, par, xn, F)
            bend_boost(xo[BOOST], Po[BOOST], axes, end - t, par, xn)
            _boost_cov(Po[BOOST], F, h, par, Pn)
            _keep(xn, Pn, xo[BOOST], Po[BOOST])
        coast_step(xo[COAST], Po[COAST], t, end, theta0, par, xn, Pn)
        _keep(xn, Pn, xo[COAST], Po[COAST])
        t = end


@kernel
def _advance_rows(
    kinds: Ints, rows: Ints, t1: Array, x: Array, P: Array, mu: Array, axes: Array, t_track: Array, memory: Array,
    theta0: float, par: Array, xo: Array, Po: Array, muo: Array,
) -> None:  # fmt: skip
    for a in range(rows.shape[0]):
        i = rows[a]
        advance(kinds, x[i], P[i], mu[i], axes[i], t_track[i], t1[a], memory[i], theta0, par, xo[a], Po[a], muo[a])


def advance_rows(
    bank: Bank, rows: Ints, t1: Array, x: Array, P: Array, mu: Array, axes: Array, t_track: Array, memory: Array
) -> tuple[Array, Array, Array]:
    """Tracks ``rows`` (k,) carried to times ``t1`` (k,) (s): x (k, M, 10), P (k, M, 10, 10), mu (k, M).

    ``x`` (n, M, 10), ``P``, ``mu``, ``axes`` (n, 9), ``t_track`` (n,) their times (s), ``memory`` (n, 2): see
    ``advance``.
    """
    k, m = len(rows), len(bank)
    xo, Po, muo = np.empty((k, m, SLOTS)), np.empty((k, m, SLOTS, SLOTS)), np.empty((k, m))
    _advance_rows(bank.kinds, rows, t1, x, P, mu, axes, t_track, memory, bank.theta0, bank.parameters, xo, Po, muo)
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
