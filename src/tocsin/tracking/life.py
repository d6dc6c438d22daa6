"""The life of a track: what it should have been seen by, when it is believed, when it coasts and when it ends.

``score`` is the logarithm of the odds that a track is a real object (sequential probability ratio: Sittler, IEEE
Trans. Mil. Electr. 8, 1964; Blackman and Popoli, Design and Analysis of Modern Tracking Systems, 1999, section 6.2). A
detection adds ln(Pd N(v; S) / false density), a look that should have seen it and did not adds ln(1 - Pd P(in the
look)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.leap import height_of
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import EP2, MU, A
from tocsin.records.columns import Kind, Region
from tocsin.tracking.belief import PAUSE
from tocsin.tracking.measure import predict_rows
from tocsin.tracking.models import BOOST, COAST, Bank, advance_rows, match_moments
from tocsin.tracking.store import Store

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFIRM_UPDATES = 3
CONFIRM_SCORE = math.log(0.99 / 0.01)
TELL_UPDATES = 2
TELL_SCORE = 0.0
DROP_SCORE = math.log(0.1 / 0.9)  # of a confirmed track
MOST_SCORE = 12.0  # so that a track which is lost for good is not carried for ever by its past
START_PER_S = 1.0 / 3600.0  # believed rate of new objects in the view of a sensor
SEED_PERIODS = 3.5  # scan periods that a single detection waits for a second
TENTATIVE_PERIODS = 4.5
COAST_PERIODS = 1.5
LEAST_COAST_NS = 10_000_000_000
_LONGEST_S = 7200.0  # how long an unseen track is carried at most
_HOPELESS = 300e3  # m: 1-sigma of position beyond which a track predicts nothing
_MARCH_S = 30.0

# a sensor for ``expect``: kind, plume or echo strength by model (boost, coast), threshold, cloud top, limb
S_INFRARED, S_BOOST, S_COAST, S_THRESHOLD, S_CLOUD, S_LIMB = 0, 1, 2, 3, 4, 5
SENSOR = 6
_MOST_PD = 0.9  # no belief about cross-sections is good enough for more
_SECTOR = Region.SECTOR
_RAE = Kind.RAE
_ROOT2 = math.sqrt(2.0)


@kernel
def _between(low: float, high: float, mean: float, sigma: float) -> float:
    """Probability that a normal variable lies between two values."""
    s = max(sigma, 1e-12) * _ROOT2
    return 0.5 * (math.erf((high - mean) / s) - math.erf((low - mean) / s))


@kernel
def _passes_over(p: Array, x: Array) -> float:
    """Least height (m) of the line from ``p`` to ``x`` over the ellipsoid, inf where ``x`` is on the near side."""
    f2 = 1.0 + EP2  # (a / b)^2: the axes in which the ellipsoid is a sphere
    d0, d1, d2 = x[0] - p[0], x[1] - p[1], x[2] - p[2]
    tau = -(p[0] * d0 + p[1] * d1 + f2 * p[2] * d2) / (d0 * d0 + d1 * d1 + f2 * d2 * d2)
    if tau >= 1.0:
        return math.inf
    return float(height_of(p[0] + tau * d0, p[1] + tau * d1, p[2] + tau * d2))


@kernel
def _may_look(
    rows: Ints, x: Array, P: Array, mu: Array, t_track: Array, middle: float, region: int, platform: Array, attitude:
    Array, limits: Array, out: Ints,
) -> int:  # fmt: skip
    """A cheap and generous test: which of ``rows`` are anywhere near the limits of a scan; returns how many."""
    found = 0
    for a in range(rows.shape[0]):
        i = rows[a]
        gap = middle - t_track[i]
        near = True
        if abs(gap) < 60.0:
            best = COAST if mu[i, COAST] >= mu[i, BOOST] else BOOST
            r2 = x[i, best, 0] ** 2 + x[i, best, 1] ** 2 + x[i, best, 2] ** 2
            g = -MU / (r2 * math.sqrt(r2))
            far, up = 0.0, 0.0
            slack = 20e3 + 40.0 * gap * gap
            for k in range(3):
                for m in range(2):
                    if mu[i, m] > 0.0:
                        slack += 4.0 * (math.sqrt(P[i, m, k, k]) + math.sqrt(P[i, m, 3 + k, 3 + k]) * abs(gap))
                d = x[i, best, k] * (1.0 + 0.5 * g * gap * gap) + x[i, best, 3 + k] * gap - platform[k]
                far += d * d
                up += d * attitude[6 + k]
            far = math.sqrt(far)
            near = far - slack <= limits[5] and far + slack >= limits[4]
            if region == _SECTOR and up + slack < far * math.sin(limits[2]):
                near = False
        if near:
            out[found] = i
            found += 1
    return found


@kernel
def _look_rows(
    x6: Array, P6: Array, z: Array, Hx: Array, region: int, platform: Array, limits: Array, t0: float, t1: float,
    sensor: Array, faces: Array, out: Array,
) -> None:  # fmt: skip
    sigma = np.empty(3)
    turn = 2.0 * math.pi
    width = limits[1] - limits[0]
    width -= turn * math.floor(width / turn)
    if width == 0.0:
        width = turn
    lowest = max(limits[2], 0.0) if region == _SECTOR else limits[2]
    for i in range(x6.shape[0]):
        out[i, 0], out[i, 1] = 0.0, 0.0
        for k in range(3):
            s = 0.0
            for a in range(3):
                for b in range(3):
                    s += Hx[i, k, a] * P6[i, a, b] * Hx[i, k, b]
            sigma[k] = math.sqrt(max(s, 0.0))
        inside = _between(lowest, limits[3], z[i, 2], sigma[2]) * _between(limits[4], limits[5], z[i, 0], sigma[0])
        into = z[i, 1] - limits[0]
        into -= turn * math.floor(into / turn)
        if into > 0.5 * (width + turn):
            into -= turn
        if width < turn:
            inside *= _between(0.0, width, into, sigma[1])
        out[i, 2] = t0 + (t1 - t0) * min(max(into / width, 0.0), 1.0)
        if inside < 1e-3:
            continue
        if sensor[S_INFRARED] > 0.0:
            height = height_of(x6[i, 0], x6[i, 1], x6[i, 2])
            spread = math.sqrt(max(P6[i, 0, 0] + P6[i, 1, 1] + P6[i, 2, 2], 0.0) / 3.0)
            inside *= _between(sensor[S_CLOUD], 1e12, height, spread)
            if _passes_over(platform, x6[i]) >= sensor[S_LIMB]:
                snr = sensor[S_BOOST] / (z[i, 0] * z[i, 0])
                seen = 1.0 - _between(snr, 1e12, sensor[S_THRESHOLD], 0.5 * sensor[S_THRESHOLD])
                out[i, 0] = inside * _MOST_PD * seen
            continue
        if z[i, 2] <= 0.0:
            continue
        ce, se = math.cos(z[i, 2]), math.sin(z[i, 2])
        cosine = 1.0 if faces.shape[0] == 0 else 0.0
        for k in range(faces.shape[0]):
            c = faces[k, 0] * ce * math.sin(z[i, 1]) + faces[k, 1] * ce * math.cos(z[i, 1]) + faces[k, 2] * se
            cosine = max(cosine, c)
        loss = cosine * cosine * cosine / z[i, 0] ** 4
        for m in range(2):
            snr = sensor[S_BOOST + m] * loss
            # Swerling 1: Pd = pfa^(1 / (1 + SNR)); the threshold is -ln pfa
            out[i, m] = inside * min(_MOST_PD, math.exp(-sensor[S_THRESHOLD] / (1.0 + snr)))


@dataclass(frozen=True)
class Scan:
    """A scan's row as kernels want it.

    ``region``; ``platform`` (6), ``attitude`` (9); ``limits`` (6): azimuth from, to, elevation least, greatest (rad),
    range least, greatest (m); ``t0``, ``t1`` (s); ``sensor`` (SENSOR): strengths at this scan's sensitivity; ``faces``
    (k, 3): boresights in the sensor's axes.
    """

    region: int
    platform: Array
    attitude: Array
    limits: Array
    t0: float
    t1: float
    sensor: Array
    faces: Array


def expected(scan: Scan, x: Array, P: Array) -> Array:
    """How likely objects are to be detected in a scan: (k, 3): given boost, given coast; time of the look (s).

    ``x`` (k, 6), ``P`` (k, 6, 6) in the middle of the scan. The sweep is taken to run evenly through the azimuths of
    the limits.
    """
    k = len(x)
    z, hx, hb, ht = np.empty((k, 4)), np.empty((k, 4, 6)), np.empty((k, 4, 4)), np.empty((k, 4))
    predict_rows(
        np.full(k, _RAE, dtype=np.int64), x, np.full(k, 0.5 * (scan.t1 - scan.t0)), np.full(k, scan.region,
        dtype=np.int64), np.tile(scan.platform, (k, 1)), np.tile(scan.attitude, (k, 1)), z, hx, hb, ht,
    )  # fmt: skip
    out = np.empty((k, 3))
    _look_rows(x, P, z, hx, scan.region, scan.platform, scan.limits, scan.t0, scan.t1, scan.sensor, scan.faces, out)
    return out


def miss(store: Store, rows: Ints, scan: Scan, bank: Bank) -> Store:
    """What it means for tracks ``rows`` that a scan did not see them: a changed copy, or the same store where it means
    nothing.

    Scores fall. An infrared scan that should have seen a plume also speaks against boost: the track is then carried to
    the time of that look and its model probabilities are corrected.
    """
    middle = 0.5 * (scan.t0 + scan.t1)
    t_track = store.t_ns / 1e9
    near = np.empty(len(rows), dtype=np.int64)
    count = _may_look(
        rows, store.x, store.P, store.mu, t_track, middle, scan.region, scan.platform, scan.attitude, scan.limits, near
    )
    if not count:
        return store
    near = near[:count]
    tracks = (store.x, store.P, store.mu, store.axes, t_track, store.memory())
    x6, P6 = match_moments(*advance_rows(bank, near, np.full(count, middle), *tracks))
    chance = expected(scan, x6, P6)
    if not (chance[:, :2] > 0.0).any():
        return store
    out = store.copy()
    infrared = scan.sensor[S_INFRARED] > 0.0
    for a in range(count):
        i = int(near[a])
        lit, dark, t_look = float(chance[a, BOOST]), float(chance[a, COAST]), float(chance[a, 2])
        if lit <= 0.0 and dark <= 0.0:
            continue
        if infrared and store.mu[i, BOOST] > 0.01 and t_look > t_track[i]:
            xo, Po, muo = advance_rows(bank, near[a : a + 1], np.array([t_look]), *tracks)
            boost, coast = float(muo[0, BOOST]), float(muo[0, COAST])
            out.x[i], out.P[i] = xo[0], Po[0]
            left = boost * (1.0 - lit)
            out.mu[i] = left / (left + coast), coast / (left + coast)
            out.t_ns[i] = round(t_look * 1e9)
            out.note_boost(i, bank.parameters[PAUSE])
            seen_by = boost * lit
        else:
            seen_by = float(store.mu[i, BOOST]) * lit + float(store.mu[i, COAST]) * dark
        out.score[i] += math.log(max(1.0 - seen_by, 0.02))
    return out


def deadline(store: Store, i: int, bank: Bank) -> int:
    """Until when (ns) track ``i`` lives on unseen: until under the ground with two sigma, hopeless, or two hours."""
    row = np.zeros(1, dtype=np.int64)
    x, P, mu, axes = store.x[i : i + 1], store.P[i : i + 1], store.mu[i : i + 1], store.axes[i : i + 1]
    t = np.array([int(store.t_ns[i]) / 1e9])
    memory = store.memory()[i : i + 1]
    end = t[0] + _LONGEST_S
    while t[0] < end:
        later = t + _MARCH_S
        x, P, mu = advance_rows(bank, row, later, x, P, mu, axes, t, memory)
        t = later
        x6, P6 = match_moments(x, P, mu)
        p, C = x6[0, :3], P6[0, :3, :3]
        r2 = float(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])
        up = sum(float(p[a] * C[a, b] * p[b]) for a in range(3) for b in range(3)) / r2
        height = height_of(float(p[0]), float(p[1]), float(p[2]))
        if r2 < (0.5 * A) ** 2 or height + 2.0 * math.sqrt(max(up, 0.0)) < 0.0:
            break
        if float(C[0, 0] + C[1, 1] + C[2, 2]) > _HOPELESS**2:
            break
    return round(float(t[0]) * 1e9)


_I, _J = np.triu_indices(6)


def view(
    store: Store, rows: Ints, t: float, bank: Bank
) -> tuple[Array, Array, Array]:  # fmt: skip
    """State (k, 6), packed covariance (k, 21) and model probabilities (k, 2) of tracks ``rows`` at ``t`` (s)."""
    carried = advance_rows(
        bank, rows, np.full(len(rows), t), store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory()
    )
    x6, P6 = match_moments(*carried)
    return x6, P6[:, _I, _J], carried[2]
