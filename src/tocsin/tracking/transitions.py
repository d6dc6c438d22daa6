"""Which motion may follow which, and the mixing of states that differ in content.

Rates (1/s) depend on the state of the model that is left:

| from | to | when |
|---|---|---|
| boost | coast | at the believed rate of burnouts; within seconds where it is spent, unseen for a minute or too high |
| boost | glide | a burnout at glide heights and speeds, in the share of gliders |
| coast | boost | a stage lights: ``restart_rate`` |
| coast | re-entry | falling below 130 km: once in 10 km of height; rising below 70 km (drag after an early burnout) |
| re-entry | coast | rising above 90 km: once in 10 km; at once above 140 km, where both are the same |
| re-entry | glide | falling into 20 to 90 km at over 1,500 m/s: at the believed rate of gliders |
| glide | re-entry | once in 300 s (the dive, the skip); in 20 s below 20 km; at once above 105 km or under 300 m/s |
| coast | orbit | in 20 s, times the probability that the perigee is clear of 130 km |
| orbit | coast | in 20 s, times the probability that it is not; at once where that is sure |
| aircraft | none | and nothing becomes an aircraft; above 30 km or over 1,000 m/s (three sigma) it is none |

Where the bank lacks a model its neighbour stands in: coast for re-entry, re-entry for coast. "At once" and "none" drop
a model, whatever its likelihood.

Mixing is Blom and Bar-Shalom's (IEEE TAC 33, 1988) for the slots that two models share. A slot that the source lacks
takes the destination's prior, mean and covariance (Yuan, Bar-Shalom, Willett et al., Proc. SPIE 8393, 2012; Granstrom,
Willett, Bar-Shalom, FUSION 2015), never zeros: a model that nothing is known of must not start out sure.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.leap import climb_of, height_of
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import MU, A
from tocsin.tracking.belief import (
    ANGLE_SD,
    BURNOUT,
    GLIDERS,
    RATIO,
    RATIO_SD,
    RELIGHT_TOP,
    RESTART,
    THRUST,
    THRUST_SD,
    TOP,
    UNEXPECTED,
)
from tocsin.tracking.motions import AIRCRAFT, BOOST, COAST, GLIDE, KINDS, ORBIT, REENTRY, SLOTS, slot_process

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

STALE = 60.0  # s after which an unseen boost is taken to end quickly
_STALE_RATE = 0.1  # 1/s
_LEAST_THRUST = 5.0  # m/s2: no class burns with less, so a boost whose thrust has fallen under it is a coast
_SPENT_RATE = 1.0  # 1/s at which it is taken to be one

NEAR_AIR = 130e3  # m: below it a falling coast may become a re-entry
_OUT_OF_AIR = 140e3
_RISING_IN, _RISING_OUT = 70e3, 90e3
_DEEPER = 10e3  # m of height in which a fall into the air is noticed
_RISING_RATE = 0.05  # 1/s
_GLIDE_LOW, _GLIDE_HIGH, _GLIDE_SPEED = 20e3, 90e3, 1500.0
_NO_GLIDE, _TOO_SLOW = 105e3, 300.0
_DIVES, _DIVES_LOW = 1.0 / 300.0, 1.0 / 20.0
_CEILING, _FLOOR, _FASTEST = 30e3, -2e3, 1000.0  # of aircraft: m, m, m/s over the ground
CLEAR = A + 130e3  # m: a perigee above it is an orbit's for many turns
_ORBIT_TIME = 20.0
_SURE = 1e-4  # probability under which a perigee is taken to be clear, or not to be

AT_ONCE = 1e9  # 1/s
NOWHERE = KINDS  # the place in ``rates`` for what ends a model without a successor


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
def ground_speed(x: Array) -> float:
    """Speed over the turning Earth (m/s)."""
    ux, uy = x[3] + OMEGA_GMST * x[1], x[4] - OMEGA_GMST * x[0]
    return math.sqrt(ux * ux + uy * uy + x[5] * x[5])


@kernel
def _may_glide(height: float, x: Array) -> bool:
    return _GLIDE_LOW < height < _GLIDE_HIGH and ground_speed(x) > _GLIDE_SPEED


@kernel
def clear_of_air(x: Array, P: Array) -> float:
    """Probability that the Kepler orbit of a state (first six slots) stays above ``CLEAR``.

    It does where h^2 / 2 R^2 - mu / R > E for the angular momentum h, the energy E and the radius R: the speed that
    it would have to have there does not suffice to come down. That is smooth in the state, as the perigee itself, at
    the circle, is not; its spread is linearised.
    """
    r2 = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]
    v2 = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    rv = x[0] * x[3] + x[1] * x[4] + x[2] * x[5]
    r = math.sqrt(r2)
    if not r > CLEAR:
        return 0.0
    over = 1.0 / (CLEAR * CLEAR)
    clear = 0.5 * (r2 * v2 - rv * rv) * over - MU / CLEAR - (0.5 * v2 - MU / r)
    var = 0.0
    for i in range(6):
        a, va = x[i % 3], x[3 + i % 3]
        gi = over * (v2 * a - rv * va) - MU * a / (r2 * r) if i < 3 else over * (r2 * va - rv * a) - va
        for j in range(6):
            b, vb = x[j % 3], x[3 + j % 3]
            gj = over * (v2 * b - rv * vb) - MU * b / (r2 * r) if j < 3 else over * (r2 * vb - rv * b) - vb
            var += gi * P[i, j] * gj
    return 0.5 * math.erfc(-clear / math.sqrt(2.0 * max(var, 1e-12)))


@kernel
def _sigmas(x: Array, P: Array) -> tuple[float, float]:
    """Standard deviations of height (m) and of speed (m/s)."""
    r2 = x[0] * x[0] + x[1] * x[1] + x[2] * x[2]
    v2 = max(x[3] * x[3] + x[4] * x[4] + x[5] * x[5], 1.0)
    h, u = 0.0, 0.0
    for i in range(3):
        for j in range(3):
            h += x[i] * P[i, j] * x[j] / r2
            u += x[3 + i] * P[3 + i, 3 + j] * x[3 + j] / v2
    return math.sqrt(max(h, 0.0)), math.sqrt(max(u, 0.0))


@kernel
def rates_from(
    kind: int, x: Array, P: Array, since_seen: float, restart: float, place: Ints, par: Array, rates: Array
) -> float:  # fmt: skip
    """Rates (1/s) at which a model of ``kind`` with a state passes to the other kinds, into ``rates`` (7; see
    ``NOWHERE``); their sum.

    ``since_seen``: s since the last detection; ``restart``: ``restart_rate`` or zero where thrust may not begin anew;
    ``place`` (6): column of each kind, -1 where the bank has none.
    """
    for k in range(KINDS + 1):
        rates[k] = 0.0
    falls = REENTRY if place[REENTRY] >= 0 else COAST  # what a body in the air does without lift
    free = COAST if place[COAST] >= 0 else REENTRY
    if kind == BOOST:
        height = height_of(x[0], x[1], x[2])
        rate = par[BURNOUT]
        if since_seen > STALE or height > max(par[TOP], 100e3):
            rate = max(rate, _STALE_RATE)
        spread = math.sqrt(max(P[6, 6], 1e-12))
        rate += _SPENT_RATE * 0.5 * math.erfc((x[6] - _LEAST_THRUST) / (spread * math.sqrt(2.0)))
        share = 0.0
        if place[GLIDE] >= 0 and _may_glide(height, x):
            share = min(40.0 * par[GLIDERS], 0.5)
        rates[free] = rate * (1.0 - share)
        rates[GLIDE] = rate * share
    elif kind == COAST:
        rates[BOOST] = restart
        if place[REENTRY] >= 0:
            height = height_of(x[0], x[1], x[2])
            climb = climb_of(x[0], x[1], x[2], x[3], x[4], x[5])
            if climb < 0.0 and height < NEAR_AIR:
                rates[REENTRY] = -climb / _DEEPER
            elif climb >= 0.0 and height < _RISING_IN:
                rates[REENTRY] = _RISING_RATE
        elif _may_glide(height_of(x[0], x[1], x[2]), x):
            rates[GLIDE] = par[GLIDERS]
        if place[ORBIT] >= 0:
            clear = clear_of_air(x, P)
            if clear > _SURE:
                rates[ORBIT] = clear / _ORBIT_TIME
    elif kind == REENTRY:
        height = height_of(x[0], x[1], x[2])
        climb = climb_of(x[0], x[1], x[2], x[3], x[4], x[5])
        if height > _OUT_OF_AIR:
            rates[COAST] = AT_ONCE
        elif climb > 0.0 and height > _RISING_OUT:
            rates[COAST] = climb / _DEEPER
        elif _may_glide(height, x):
            rates[GLIDE] = par[GLIDERS]
    elif kind == GLIDE:
        height = height_of(x[0], x[1], x[2])
        if height > _OUT_OF_AIR:
            rates[free] = AT_ONCE
        elif height > _NO_GLIDE or ground_speed(x) < _TOO_SLOW:
            rates[falls] = AT_ONCE
        else:
            rates[falls] = _DIVES if height > _GLIDE_LOW else _DIVES_LOW
    elif kind == AIRCRAFT:
        height = height_of(x[0], x[1], x[2])
        sh, su = _sigmas(x, P)
        if height - 3.0 * sh > _CEILING or height + 3.0 * sh < _FLOOR or ground_speed(x) - 3.0 * su > _FASTEST:
            rates[NOWHERE] = AT_ONCE
    else:
        clear = clear_of_air(x, P)
        if clear < _SURE:
            rates[free] = AT_ONCE
        elif clear < 1.0 - _SURE:
            rates[free] = (1.0 - clear) / _ORBIT_TIME
    total = rates[NOWHERE]
    for k in range(KINDS):
        if place[k] < 0 or k == kind:
            rates[k] = 0.0
        total += rates[k]
    return float(total)


@kernel
def slots_prior(kind: int, x: Array, axes: Array, par: Array, mean: Array, var: Array) -> int:
    """Prior mean and variance of slots 6 to 9 of a model, given the first six of ``x``; returns how many it has.

    Boost: thrust along its way through the air. Re-entry, glide, aircraft: see ``motions.slot_process``.
    """
    if kind == BOOST:
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
        return 4
    slots = 0
    if kind in (REENTRY, AIRCRAFT):
        slots = 1
    elif kind == GLIDE:
        slots = 3
    for i in range(slots):
        m, _, sd = slot_process(kind, 6 + i, par)
        mean[i], var[i] = m, sd * sd
    return slots


@kernel
def mix(
    kinds: Ints, used: Ints, p: Array, x: Array, P: Array, mu: Array, axes: Array, par: Array, xs: Array, Ps: Array,
    room: Array,
) -> None:  # fmt: skip
    """The mixing step in place. ``p`` (M, M): probability of passing from column i to column j in this step.

    ``x`` (M, 10), ``P`` (M, 10, 10), ``mu`` (M); columns of zero probability are neither read nor, where nothing comes
    in, written. ``xs`` (M, 10), ``Ps`` (M, 10, 10), ``room`` (200): room.
    """
    models = kinds.shape[0]
    w = room[0:10]
    mean, var = room[10:14], room[14:18]
    new = room[20:30]
    d = room[30:90].reshape(6, 10)
    changed = room[90:96]
    for j in range(models):
        changed[j] = 0.0
        total = 0.0
        biggest = -1
        for i in range(models):
            w[i] = mu[i] * p[i, j] if mu[i] > 0.0 else 0.0
            total += w[i]
            if w[i] > 0.0 and (biggest < 0 or w[i] > w[biggest]):
                biggest = i
        new[j] = total
        if total <= 0.0 or (biggest == j and w[j] == total):
            continue
        changed[j] = 1.0
        slots = used[j]
        for i in range(models):
            w[i] /= total
            if w[i] <= 0.0:
                continue
            for a in range(6):
                d[i, a] = x[i, a] - x[biggest, a]
            if i == j:
                for a in range(6, slots):
                    d[i, a] = x[j, a]
            else:
                slots_prior(kinds[j], x[i], axes, par, mean, var)
                for a in range(6, slots):
                    d[i, a] = mean[a - 6]
        for a in range(SLOTS):
            s = 0.0
            if a < slots:
                for i in range(models):
                    if w[i] > 0.0:
                        s += w[i] * d[i, a]
                for i in range(models):
                    if w[i] > 0.0:
                        d[i, a] -= s
            xs[j, a] = x[biggest, a] + s if a < 6 else s
        for a in range(SLOTS):
            for b in range(SLOTS):
                Ps[j, a, b] = 0.0
        for i in range(models):
            if w[i] <= 0.0:
                continue
            same = slots if i == j else 6
            for a in range(slots):
                for b in range(a, slots):
                    s = d[i, a] * d[i, b]
                    if b < same:
                        s += P[i, a, b]
                    Ps[j, a, b] += w[i] * s
            if i != j:
                slots_prior(kinds[j], x[i], axes, par, mean, var)
                for a in range(6, slots):
                    Ps[j, a, a] += w[i] * var[a - 6]
    left = 0.0
    for j in range(models):
        mu[j] = new[j]
        left += new[j]
        if changed[j] > 0.0:
            for a in range(SLOTS):
                x[j, a] = xs[j, a]
                for b in range(a, SLOTS):
                    P[j, a, b] = Ps[j, a, b]
                    P[j, b, a] = Ps[j, a, b]
    if left > 0.0 and left != 1.0:
        for j in range(models):
            mu[j] /= left
