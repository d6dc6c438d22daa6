"""The update of a track by a detection: an extended Kalman filter in the range-direction chart of a sensor.

Updates are carried out in the chart of a sensor (``charts``), where its measurement is nearly linear: the state is
moved there, corrected, moved back exactly, and its covariance is carried by the derivatives at each end. Stored states
stay Cartesian. For detections of a second sensor the chart of the first is kept, with the update iterated, as long as
the shell is bent against its thickness: (cross-range sigma)^2 / (2 R) over 0.3 sigma of range. While the shell is bent
in the sensor's own chart, flight and look are fitted together (``bridge``); once it is flat against the measurement
too, plain Cartesian axes do. What a line of sight leaves unknown is a straight needle, which a Gaussian in Cartesian
axes is: there the update is iterated.

Covariances are updated in Joseph's form. A row whose measurement, noise or covariance is not finite or not positive
definite stays as it was and has a likelihood of -inf. Sources: Aidala and Hammel, IEEE TAC 28 (1983) for filtering in
polar charts; Bell and Cathey, IEEE TAC 38 (1993) for the iteration; Bar-Shalom, Li, Kirubarajan (2001), section 11.6,
for the multiple model.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.records.columns import Kind
from tocsin.tracking.bridge import bridge, carry
from tocsin.tracking.charts import bent, chart_axes, from_chart, in_chart, site_at, to_chart
from tocsin.tracking.measure import Looks, h, move_platform, wrap_residual
from tocsin.tracking.models import BOOST, COAST, GLIDE, KINDS, ORBIT, REENTRY, SLOTS, USED, Bank

__all__ = [
    "bent", "bridge", "chart_axes", "factor", "from_chart", "in_chart", "score_pairs", "shine_of",
    "site_at", "to_chart", "update", "update_rows",
]  # fmt: skip

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_ITERATIONS_OTHER = 4  # for detections by another sensor than the chart's, and for lines of sight
_STILL = 1e-6  # squared standard deviations: an iteration that moves the state less is the last
_FLAT = 0.1  # of the range sigma: how far a shell may leave its tangent where Cartesian axes do as well as the chart
_LOS = Kind.LOS
_RAER = Kind.RAER
_RAE = Kind.RAE
_RA = Kind.RA
_TINY = 1e-9  # m, as in ``measure``

# share of a plume's detection probability that an infrared satellite has for each kind of motion without one. Notional:
# a warm body has little of the plume's megawatts (a thousandth), bodies that the air heats are seen now and then.
WARM = 1e-3
HOT = 0.1


def shine_of(bank: Bank, warm: float = WARM, hot: float = HOT) -> Array:
    """How well (M,) infrared satellites see each kind of a bank, against the one of them that they see best."""
    of = np.full(KINDS, warm)
    of[BOOST] = 1.0
    of[REENTRY], of[GLIDE] = hot, hot
    mine = of[bank.kinds]
    return np.asarray(mine / mine.max())


@kernel
def factor(S: Array, n: int, L: Array) -> float:
    """Cholesky factor of the leading n x n part of S into L; returns ln det S, inf where S is not positive definite."""
    logdet = 0.0
    for i in range(n):
        for j in range(i + 1):
            s = S[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                if not s > 0.0:
                    return math.inf
                L[i, i] = math.sqrt(s)
                logdet += math.log(s)
            else:
                L[i, j] = s / L[j, j]
    return logdet


@kernel
def _solve(L: Array, b: Array, n: int) -> None:
    """Solve L L' v = b in place."""
    for i in range(n):
        s = b[i]
        for k in range(i):
            s -= L[i, k] * b[k]
        b[i] = s / L[i, i]
    for i in range(n - 1, -1, -1):
        s = b[i]
        for k in range(i + 1, n):
            s -= L[k, i] * b[k]
        b[i] = s / L[i, i]


@kernel
def _room() -> tuple[Array, Array, Array, Array, Array, Array, Array, Array, Array]:
    """Arrays to work in, made once for many rows: making them anew for each would cost more than the algebra."""
    return (
        np.zeros((3, 3)), np.zeros((2, 6, 6)), np.zeros((4, 10)), np.zeros((4, 10, 10)), np.zeros((6, 4)),
        np.zeros((2, 4, 6)), np.zeros((3, 4, 4)), np.zeros((2, 10, 4)), np.zeros((4, 10)),
    )  # fmt: skip


@kernel
def _innovate(
    kind: int, n: int, zp: Array, Hx: Array, P: Array, z: Array, R: Array, room: tuple[Array, ...], out: Array
) -> float:
    """Log-likelihood of a measurement under a state's predicted one; ``out[0]``: squared Mahalanobis distance.

    The spread of range that a Cartesian Gaussian bent around the sensor has (variance of d^2 / 2 R for the cross-range
    d) is added.
    """
    S, L = room[6][0], room[6][1]
    r, v = room[4][0], room[4][1]
    PH = room[7][0]
    out[0] = math.inf
    if factor(R, n, L) == math.inf:
        return -math.inf
    for a in range(6):
        for j in range(n):
            s = 0.0
            for b in range(6):
                s += P[a, b] * Hx[j, b]
            PH[a, j] = s
    for i in range(4):
        r[i] = 0.0
    for i in range(n):
        r[i] = z[i] - zp[i]
        for j in range(n):
            s = 0.0
            for a in range(6):
                s += Hx[i, a] * PH[a, j]
            S[i, j] = s
    if kind in (_RAE, _RAER):
        S[0, 0] += 0.5 * (zp[0] * S[2, 2]) ** 2 + 0.5 * (zp[0] * math.cos(zp[2]) ** 2 * S[1, 1]) ** 2
    for i in range(n):
        for j in range(n):
            S[i, j] += R[i, j]
    wrap_residual(kind, r)
    logdet = factor(S, n, L)
    if logdet == math.inf:
        return -math.inf
    for i in range(n):
        v[i] = r[i]
    _solve(L, v, n)
    d2 = 0.0
    for i in range(n):
        d2 += r[i] * v[i]
    likelihood = -0.5 * (d2 + logdet + n * math.log(2.0 * math.pi))
    if not likelihood > -math.inf:
        return -math.inf
    out[0] = d2
    return likelihood


@kernel
def _sound(x: Array, P: Array, slots: int) -> bool:
    """Whether a state is finite and its variances are positive: what a look at the position alone would not notice."""
    least, total = math.inf, 0.0
    for i in range(slots):
        least = min(least, P[i, i])
        total += P[i, i] + abs(x[i])
    return bool(least > 0.0 and total < math.inf)


@kernel
def _plain(
    x: Array, P: Array, platform: Array, attitude: Array, z: Array, R: Array, room: tuple[Array, ...], distance: Array
) -> float:  # fmt: skip
    """``update`` of six slots by range, azimuth, elevation in Cartesian axes, written out: the batch's inner loop.

    ``platform``, ``attitude``: as they are at the detection's time.
    """
    distance[0] = math.inf
    # the noise must be positive definite: its leading minors
    q00, q01, q02, q11, q12, q22 = R[0, 0], R[0, 1], R[0, 2], R[1, 1], R[1, 2], R[2, 2]
    minor = q00 * q11 - q01 * q01
    whole = q00 * (q11 * q22 - q12 * q12) - q01 * (q01 * q22 - q12 * q02) + q02 * (q01 * q12 - q11 * q02)
    if not (q00 > 0.0 and minor > 0.0 and whole > 0.0 and _sound(x, P, 6)):
        return -math.inf
    d0, d1, d2 = x[0] - platform[0], x[1] - platform[1], x[2] - platform[2]
    l0 = attitude[0] * d0 + attitude[1] * d1 + attitude[2] * d2
    l1 = attitude[3] * d0 + attitude[4] * d1 + attitude[5] * d2
    l2 = attitude[6] * d0 + attitude[7] * d1 + attitude[8] * d2
    r2 = d0 * d0 + d1 * d1 + d2 * d2
    r = max(math.sqrt(r2), _TINY)
    g2 = l0 * l0 + l1 * l1
    ground = max(math.sqrt(g2), _TINY)
    i_r, i_g2 = 1.0 / r, 1.0 / (ground * ground)
    a0, a1 = l1 * i_g2, -l0 * i_g2
    c = i_r * i_r
    b0, b1, b2 = -l0 * l2 * c / ground, -l1 * l2 * c / ground, ground * c
    v0 = z[0] - r
    v1 = z[1] - math.atan2(l0, l1)
    v1 -= 2.0 * math.pi * math.floor((v1 + math.pi) / (2.0 * math.pi))
    v2 = z[2] - math.atan2(l2, ground)
    h00, h01, h02 = d0 * i_r, d1 * i_r, d2 * i_r
    h10, h11, h12 = (
        a0 * attitude[0] + a1 * attitude[3], a0 * attitude[1] + a1 * attitude[4], a0 * attitude[2] + a1 * attitude[5],
    )  # fmt: skip
    h20 = b0 * attitude[0] + b1 * attitude[3] + b2 * attitude[6]
    h21 = b0 * attitude[1] + b1 * attitude[4] + b2 * attitude[7]
    h22 = b0 * attitude[2] + b1 * attitude[5] + b2 * attitude[8]
    PH, K, T = room[7][0], room[7][1], room[3][0]
    for i in range(6):
        p0, p1, p2 = P[i, 0], P[i, 1], P[i, 2]
        PH[i, 0] = p0 * h00 + p1 * h01 + p2 * h02
        PH[i, 1] = p0 * h10 + p1 * h11 + p2 * h12
        PH[i, 2] = p0 * h20 + p1 * h21 + p2 * h22
    s00 = q00 + h00 * PH[0, 0] + h01 * PH[1, 0] + h02 * PH[2, 0]
    s01 = q01 + h00 * PH[0, 1] + h01 * PH[1, 1] + h02 * PH[2, 1]
    s02 = q02 + h00 * PH[0, 2] + h01 * PH[1, 2] + h02 * PH[2, 2]
    s11 = q11 + h10 * PH[0, 1] + h11 * PH[1, 1] + h12 * PH[2, 1]
    s12 = q12 + h10 * PH[0, 2] + h11 * PH[1, 2] + h12 * PH[2, 2]
    s22 = q22 + h20 * PH[0, 2] + h21 * PH[1, 2] + h22 * PH[2, 2]
    # S = L D L', unit lower L: no roots
    if not s00 > 0.0:
        return -math.inf
    m1, m2 = s01 / s00, s02 / s00
    e1 = s11 - m1 * s01
    if not e1 > 0.0:
        return -math.inf
    m3 = (s12 - m2 * s01) / e1
    e2 = s22 - m2 * s02 - m3 * m3 * e1
    if not e2 > 0.0:
        return -math.inf
    i0, i1, i2 = 1.0 / s00, 1.0 / e1, 1.0 / e2
    u1 = v1 - m1 * v0
    u2 = v2 - m2 * v0 - m3 * u1
    squared = v0 * v0 * i0 + u1 * u1 * i1 + u2 * u2 * i2
    likelihood: float = -0.5 * (squared + math.log(s00 * e1 * e2) + 3.0 * math.log(2.0 * math.pi))
    if not likelihood > -math.inf:
        return -math.inf
    for i in range(6):
        f0 = PH[i, 0]
        f1 = PH[i, 1] - m1 * f0
        f2 = PH[i, 2] - m2 * f0 - m3 * f1
        k2 = f2 * i2
        k1 = f1 * i1 - m3 * k2
        k0 = f0 * i0 - m1 * k1 - m2 * k2
        K[i, 0], K[i, 1], K[i, 2] = k0, k1, k2
        # Joseph, first half: T = (I - K H) P, for H P = (P H')'
        for j in range(6):
            T[i, j] = P[i, j] - k0 * PH[j, 0] - k1 * PH[j, 1] - k2 * PH[j, 2]
    for i in range(6):
        # second half: T (I - K H)' + K R K' = T - (T H' - K R) K'
        t0, t1, t2 = T[i, 0], T[i, 1], T[i, 2]
        k0, k1, k2 = K[i, 0], K[i, 1], K[i, 2]
        w0 = t0 * h00 + t1 * h01 + t2 * h02 - k0 * q00 - k1 * q01 - k2 * q02
        w1 = t0 * h10 + t1 * h11 + t2 * h12 - k0 * q01 - k1 * q11 - k2 * q12
        w2 = t0 * h20 + t1 * h21 + t2 * h22 - k0 * q02 - k1 * q12 - k2 * q22
        for j in range(i, 6):
            s = T[i, j] - w0 * K[j, 0] - w1 * K[j, 1] - w2 * K[j, 2]
            P[i, j] = s
            P[j, i] = s
        x[i] += k0 * v0 + k1 * v1 + k2 * v2
    distance[0] = squared
    return likelihood


@kernel
def update(
    x: Array, P: Array, slots: int, kind: int, dt: float, region: int, platform: Array, attitude: Array, z: Array,
    R: Array, charted: bool, centre: Array, iterations: int, distance: Array,
) -> float:  # fmt: skip
    """Correct a state (``x`` (10), ``P`` (10, 10), of which ``slots`` are used) by a measurement, in place;
    log-likelihood before it.

    ``charted``: in the chart about ``centre`` (6), else in Cartesian axes; ``iterations`` of Gauss-Newton (1: the
    plain filter). ``distance[0]``: squared distance. Where the noise or the innovation's covariance is not positive
    definite, or anything is not finite, nothing changes and -inf is returned.
    """
    room = _room()
    likelihood: float = _update(
        x, P, slots, kind, dt, region, platform, attitude, z, R, charted, centre, iterations, room, distance
    )
    return likelihood


@kernel
def _update(
    x: Array, P: Array, slots: int, kind: int, dt: float, region: int, platform: Array, attitude: Array, z: Array,
    R: Array, charted: bool, centre: Array, iterations: int, room: tuple[Array, ...], distance: Array,
) -> float:  # fmt: skip
    """``update`` in a given room."""
    e = room[0]
    J, G = room[1][0], room[1][1]
    y0, y = room[2][0], room[2][1]
    xi, y6 = room[2][2], room[2][3]
    Py, T, M, t = room[3][0], room[3][1], room[3][2], room[3][3]
    Ht, bias, r, v, column, zp = room[4][0], room[4][1], room[4][2], room[4][3], room[4][4], room[4][5]
    Hx, Hb = room[5][0], room[5][1]
    H = room[8]
    S, L = room[6][0], room[6][1]
    PH, K = room[7][0], room[7][1]
    distance[0] = math.inf
    if not _sound(x, P, slots):
        return -math.inf
    for i in range(6):
        xi[i] = x[i]
    if charted:
        chart_axes(xi, centre, e, y6)
        to_chart(y6, e, J)
        from_chart(y6, centre, e, xi, G)
        carry(J, P, slots, t, Py)
    else:
        for i in range(6):
            y6[i] = xi[i]
        for i in range(slots):
            for j in range(slots):
                Py[i, j] = P[i, j]
    for i in range(slots):
        y0[i] = y6[i] if i < 6 else x[i]
        y[i] = y0[i]
    likelihood, d2 = 0.0, 0.0
    n = 0
    for step in range(iterations):
        n = h(kind, xi, dt, region, platform, attitude, bias, zp, Hx, Hb, Ht)
        if step == 0 and factor(R, n, L) == math.inf:
            return -math.inf
        for i in range(n):
            for j in range(6):
                if charted:
                    s = 0.0
                    for k in range(6):
                        s += Hx[i, k] * G[k, j]
                    H[i, j] = s
                else:
                    H[i, j] = Hx[i, j]
        for a in range(slots):
            for i in range(n):
                s = 0.0
                for k in range(6):
                    s += Py[a, k] * H[i, k]
                PH[a, i] = s
        for i in range(n):
            for j in range(n):
                s = R[i, j]
                for k in range(6):
                    s += H[i, k] * PH[k, j]
                S[i, j] = s
        logdet = factor(S, n, L)
        if logdet == math.inf:
            return -math.inf
        for i in range(4):
            r[i] = z[i] - zp[i] if i < n else 0.0
        wrap_residual(kind, r)
        for i in range(n):
            s = r[i]
            for k in range(6):
                s -= H[i, k] * (y0[k] - y[k])
            v[i] = s
        for a in range(slots):
            for i in range(n):
                column[i] = PH[a, i]
            _solve(L, column, n)
            for i in range(n):
                K[a, i] = column[i]
        if step == 0:
            for i in range(n):
                column[i] = v[i]
            _solve(L, column, n)
            for i in range(n):
                d2 += v[i] * column[i]
            likelihood = -0.5 * (d2 + logdet + n * math.log(2.0 * math.pi))
            if not likelihood > -math.inf:
                return -math.inf
        moved = 0.0
        for a in range(slots):
            s = y0[a]
            for i in range(n):
                s += K[a, i] * v[i]
            moved = max(moved, (s - y[a]) ** 2 / max(Py[a, a], 1e-300))
            y[a] = s
        if charted:
            y[0] = max(y[0], 1.0)
            for i in range(6):
                y6[i] = y[i]
            from_chart(y6, centre, e, xi, G)
        else:
            for i in range(6):
                xi[i] = y[i]
        if moved < _STILL:
            break
    # Joseph: (I - K H) Py (I - K H)' + K R K'
    for i in range(slots):
        for j in range(6):
            s = 1.0 if i == j else 0.0
            for k in range(n):
                s -= K[i, k] * H[k, j]
            M[i, j] = s
    for i in range(slots):
        for j in range(slots):
            s = Py[i, j] if i >= 6 else 0.0
            for k in range(6):
                s += M[i, k] * Py[k, j]
            T[i, j] = s
    for i in range(slots):
        for a in range(n):
            s = 0.0
            for b in range(n):
                s += K[i, b] * R[b, a]
            PH[i, a] = s
    for i in range(slots):
        for j in range(i, slots):
            s = T[i, j] if j >= 6 else 0.0
            for k in range(6):
                s += T[i, k] * M[j, k]
            for a in range(n):
                s += PH[i, a] * K[j, a]
            Py[i, j] = s
            Py[j, i] = s
    if charted:
        carry(G, Py, slots, t, T)
    for i in range(slots):
        x[i] = xi[i] if i < 6 else y[i]
        for j in range(slots):
            P[i, j] = T[i, j] if charted else Py[i, j]
    distance[0] = d2
    return likelihood


@kernel
def _flat(P: Array, x: Array, centre: Array, noise: float) -> bool:
    """Whether the shell about ``centre`` is so flat, also against a range measured with variance ``noise``, that
    Cartesian axes do as well as the chart.
    """
    d0, d1, d2 = x[0] - centre[0], x[1] - centre[1], x[2] - centre[2]
    r2 = max(d0 * d0 + d1 * d1 + d2 * d2, 1.0)
    along = d0 * (P[0, 0] * d0 + 2.0 * (P[0, 1] * d1 + P[0, 2] * d2))
    along = (along + d1 * (P[1, 1] * d1 + 2.0 * P[1, 2] * d2) + d2 * P[2, 2] * d2) / r2
    across = max(P[0, 0] + P[1, 1] + P[2, 2] - along, 0.0)
    return bool(across * across < (2.0 * _FLAT) ** 2 * r2 * min(max(along, 0.0), noise))


@kernel
def _update_rows(
    kinds: Ints, used: Ints, shine: Array, x: Array, P: Array, mu: Array, x0: Array, P0: Array, t0: Array, anew: Ints,
    theta0: float, chart: Ints, sites: Array, own: int, charts: bool, points: bool, dets: Ints,
    kind: Ints, t_s: Array, dt: Array, region: Ints, platform: Array, attitude: Array, z: Array, R: Array,
    score: Array,
) -> None:  # fmt: skip
    centre, after, attitude_now, platform_now = np.empty(6), np.empty(6), np.empty(9), np.empty(6)
    attitude_then = np.empty(9)
    models = kinds.shape[0]
    full = x0.shape[1] == models and x0.shape[2] == SLOTS
    weight, distance = np.empty(models), np.empty(1)
    room = _room()
    for a in range(x.shape[0]):
        j = dets[a]
        t1 = t_s[j]
        ranged = kind[j] == _RAE or kind[j] == _RAER
        move_platform(dt[j], region[j], platform[j], attitude[j], platform_now, attitude_now)
        kept = chart[a] != 0 and chart[a] != own
        if kept:
            site_at(sites[a], theta0 + OMEGA_GMST * t1, after)
        else:
            for i in range(6):
                after[i] = platform_now[i]
        iterations = _ITERATIONS_OTHER if kept or kind[j] == _LOS else 1
        charted = charts and (kept or ranged or kind[j] == _RA)  # for a bridge: a satellite's needles are straight
        most = -math.inf
        closest = math.inf
        for m in range(models):
            weight[m] = -math.inf
            if mu[a, m] <= 0.0:
                continue
            slots = used[m]
            lit = shine[m] if kind[j] == _LOS else 1.0
            flat = ranged and not kept and _flat(P[a, m], x[a, m], after, R[j, 0, 0])
            likelihood = -math.inf
            falls = kinds[m] == COAST or kinds[m] == ORBIT or (full and kinds[m] == REENTRY)
            if (points and falls) or (anew[a] and charts and not (charted and flat)):
                if kept:
                    site_at(sites[a], theta0 + OMEGA_GMST * t0[a], centre)
                elif charted:
                    move_platform(dt[j] - (t1 - t0[a]), region[j], platform[j], attitude[j], centre, attitude_then)
                known = 7 if full and kinds[m] == REENTRY else 6
                b = m if full else 0
                likelihood = bridge(
                    x0[a, b], P0[a, b], known, t0[a], t1, theta0, charted, centre, after, x[a, m], P[a, m], slots,
                    kind[j], dt[j], region[j], platform[j], attitude[j], z[j], R[j], distance,
                )  # fmt: skip
            if likelihood == -math.inf:
                if kind[j] == _RAE and slots == 6 and (flat or not charts):
                    likelihood = _plain(x[a, m], P[a, m], platform_now, attitude_now, z[j], R[j], room, distance)
                else:
                    likelihood = _update(
                        x[a, m], P[a, m], slots, kind[j], dt[j], region[j], platform[j], attitude[j], z[j], R[j],
                        charts and not flat and (kept or kind[j] != _LOS), after, iterations, room, distance,
                    )  # fmt: skip
            if likelihood > -math.inf:
                weight[m] = math.log(mu[a, m] * lit) + likelihood
            closest = min(closest, distance[0])
            most = max(most, weight[m])
        score[a, 0] = -math.inf
        score[a, 1] = closest
        if most == -math.inf:
            continue
        total = 0.0
        for m in range(models):
            weight[m] = math.exp(weight[m] - most)
            total += weight[m]
        for m in range(models):
            mu[a, m] = weight[m] / total
        score[a, 0] = most + math.log(total)
        if not charts:
            chart[a] = 0
            continue
        best = models - 1
        for m in range(models - 1, -1, -1):
            if mu[a, m] > mu[a, best]:
                best = m
        if not bent(P[a, best], x[a, best], after):
            chart[a] = 0
        elif not kept:
            chart[a] = own


def update_rows(
    bank: Bank, before: tuple[Array, Array, Array], carried: tuple[Array, Array, Array], anew: Ints,
    chart: Ints, sites: Array, own: int, looks: Looks, dets: Ints, charts: bool = True, shine: Array | None = None,
    points: bool = False,
) -> Array:  # fmt: skip
    """Correct tracks that were carried to their detections, in place: row a by detection ``dets[a]``.

    ``before``: state, covariance and time (k,) of the tracks before they were carried, either all models' (k, M, 10)
    and (k, M, 10, 10), or position and velocity of the coast model (k, 6) and (k, 6, 6), which then stands for all;
    ``carried``: x, P, mu as from ``advance_rows``, corrected here; ``anew`` (k,): 1 where flight and look may be fitted
    together (``bridge``; done while the shell is bent); ``chart`` (k,): as the tracks have it, corrected too; ``sites``
    (k, 3): where the kept chart of another sensor stands (ecef); ``own``: the sensor's chart, 0 if it has none to keep
    (a satellite); ``charts``: whether charts are used at all, else every update is a plain one in Cartesian axes;
    ``shine`` (M,): see ``shine_of``, which is the default; ``points``: the sigma-point filter, flight and look of what
    falls freely (coast, orbit, and re-entry if ``before`` has all models) always fitted together. Returns (k, 2): log-
    likelihood, least squared distance; -inf and inf where the detection is of no use (not finite, noise not positive
    definite): such a row is as it was.
    """
    x, P, mu = carried
    score = np.empty((len(dets), 2))
    used = np.array([USED[k] for k in bank.kinds], dtype=np.int64)
    x0, P0, t0 = before
    if x0.ndim == 2:
        x0, P0 = x0[:, None], P0[:, None]
    _update_rows(
        bank.kinds, used, shine_of(bank) if shine is None else shine, x, P, mu, x0, P0, t0, anew, bank.theta0, chart,
        sites, own, charts, points, dets, looks.kind, looks.t_s, looks.dt, looks.region, looks.platform, looks.attitude,
        looks.z, looks.R, score,
    )  # fmt: skip
    return score


@kernel
def _score_rows(
    kinds: Ints, shine: Array, dets: Ints, x: Array, P: Array, mu: Array, gate: Array, kind: Ints, dt: Array,
    region: Ints, platform: Array, attitude: Array, z: Array, R: Array, score: Array,
) -> None:  # fmt: skip
    out = np.empty(1)
    models = kinds.shape[0]
    part = np.empty(models)
    room = _room()
    zp, Hx, Hb, Ht, bias = np.empty(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4), np.zeros(4)
    for a in range(dets.shape[0]):
        j = dets[a]
        inside = False
        most = -math.inf
        for m in range(models):
            part[m] = -math.inf
            if mu[a, m] <= 0.0:
                continue
            lit = shine[m] if kind[j] == _LOS else 1.0
            n = h(kind[j], x[a, m], dt[j], region[j], platform[j], attitude[j], bias, zp, Hx, Hb, Ht)
            likelihood = _innovate(kind[j], n, zp, Hx, P[a, m], z[j], R[j], room, out)
            if likelihood > -math.inf:
                part[m] = math.log(mu[a, m] * lit) + likelihood
            inside = inside or out[0] < gate[kind[j]]
            most = max(most, part[m])
        score[a] = -math.inf
        if inside and most > -math.inf:
            total = 0.0
            for m in range(models):
                total += math.exp(part[m] - most)
            score[a] = most + math.log(total)


def score_pairs(
    bank: Bank, x: Array, P: Array, mu: Array, looks: Looks, dets: Ints, gate: Array, shine: Array | None = None
) -> Array:
    """ln of the likelihood (k,) of each pair: a track carried to its detection, and the detection; -inf outside the
    gate.

    ``x`` (k, M, 10), ``P``, ``mu`` from ``advance_rows``; ``dets`` (k,): which of ``looks``; ``gate`` (5): greatest
    squared distance by kind. The models' likelihoods are weighed by their probabilities and, for infrared detections,
    by how well their kind is seen (``shine_of``, the default of ``shine``): that an object without thrust has a plume
    is next to impossible.
    """
    score = np.empty(len(dets))
    _score_rows(
        bank.kinds, shine_of(bank) if shine is None else shine, dets, x, P, mu, gate, looks.kind, looks.dt,
        looks.region, looks.platform, looks.attitude, looks.z, looks.R, score,
    )  # fmt: skip
    return score
