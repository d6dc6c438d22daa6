"""The life of a track: what it should have been seen by, when it is believed, when it coasts and when it ends.

``score`` is the logarithm of the odds that a track is a real object (sequential probability ratio: Sittler, IEEE
Trans. Mil. Electr. 8, 1964; Blackman and Popoli, Design and Analysis of Modern Tracking Systems, 1999, section 6.2). A
detection adds ln(Pd N(v; S) / false density), a look that should have seen it and did not adds ln(1 - Pd P(in the
look)). What a look should have seen follows from the declared sensor (radar equation and Swerling case, or the plume's
intensity), the scan's own limits and declared sensitivity, and where the track may be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.leap import height_of
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import EP2, MU, A
from tocsin.records.columns import Kind, Life, Region
from tocsin.tracking.belief import PAUSE
from tocsin.tracking.measure import predict_rows
from tocsin.tracking.models import BOOST, Bank, advance_rows, match_moments
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
_HOPELESS = 1000e3  # m: 1-sigma of position beyond which a track predicts nothing
_MARCH_S = 30.0
_LOST_S = 30.0  # unseen for longer than this a track is found again by ``stitch``

# a sensor for ``expect``: kind, plume or echo strength by model (boost, coast), threshold, cloud top, limb
S_INFRARED, S_BOOST, S_COAST, S_THRESHOLD, S_CLOUD, S_LIMB = 0, 1, 2, 3, 4, 5
S_DECLARED, S_PLUME = 6, 7  # a declared detection probability (0: none), and whether it holds for plumes alone
S_SWERLING, S_STARING = 8, 9  # how cross-sections fluctuate (0, 1, 3); it looks everywhere at once as a scan ends
SENSOR = 10
_MOST_PD = 0.9  # no belief about cross-sections is good enough for more
_SECTOR = Region.SECTOR
_GROUND = Region.GROUND
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
def detects(swerling: int, snr: float, threshold: float) -> float:
    """Probability that one look at a mean SNR (a ratio) has a power over ``threshold`` (over the mean noise).

    Swerling 0: Marcum's Q as a Poisson mixture of gamma tails; 1: exp(-T / (1 + S)); 3: exp(-T / a) (1 + (1 - 1 / a)
    T / a) with a = 1 + S / 2. Source: Marcum and Swerling, IRE Trans. IT-6 (1960).
    """
    if swerling == 3:
        a = 1.0 + 0.5 * snr
        return math.exp(-threshold / a) * (1.0 + (1.0 - 1.0 / a) * threshold / a)
    if swerling == 1:
        return math.exp(-threshold / (1.0 + snr))
    if math.sqrt(snr) > math.sqrt(threshold) + 6.0:
        return 1.0
    weight, term = math.exp(-snr), math.exp(-threshold)
    tail = term
    total, left = weight * tail, 1.0 - weight
    k = 0
    while left > 1e-14 and k < 5000:
        k += 1
        weight *= snr / k
        term *= threshold / k
        tail += term
        total += weight * tail
        left -= weight
    return min(total, 1.0)


@kernel
def _may_look(
    rows: Ints, x: Array, P: Array, mu: Array, t_track: Array, when: float, region: int, platform: Array, attitude:
    Array, limits: Array, out: Ints,
) -> int:  # fmt: skip
    """A cheap and generous test: which of ``rows`` are anywhere near the limits of a scan; returns how many."""
    found = 0
    models = mu.shape[1]
    for a in range(rows.shape[0]):
        i = rows[a]
        gap = when - t_track[i]
        near = True
        if abs(gap) < 60.0:
            best = models - 1
            for m in range(models - 1, -1, -1):
                if mu[i, m] > mu[i, best]:
                    best = m
            r2 = x[i, best, 0] ** 2 + x[i, best, 1] ** 2 + x[i, best, 2] ** 2
            g = -MU / (r2 * math.sqrt(r2))
            far, up = 0.0, 0.0
            slack = 20e3 + 40.0 * gap * gap
            for k in range(3):
                for m in range(models):
                    if mu[i, m] > 0.0:
                        slack += 4.0 * (math.sqrt(P[i, m, k, k]) + math.sqrt(P[i, m, 3 + k, 3 + k]) * abs(gap))
                d = x[i, best, k] * (1.0 + 0.5 * g * gap * gap) + x[i, best, 3 + k] * gap - platform[k]
                far += d * d
                up += d * attitude[6 + k]
            far = math.sqrt(far)
            near = far - slack <= limits[5] and far + slack >= limits[4]
            if region in (_SECTOR, _GROUND) and up + slack < far * math.sin(limits[2]):
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
        out[i, 2] = t1 if sensor[S_STARING] > 0.0 else t0 + (t1 - t0) * min(max(into / width, 0.0), 1.0)
        if inside < 1e-3:
            continue
        if sensor[S_DECLARED] > 0.0:
            out[i, 0] = inside * sensor[S_DECLARED]
            out[i, 1] = 0.0 if sensor[S_PLUME] > 0.0 else out[i, 0]
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
            out[i, m] = inside * min(_MOST_PD, detects(int(sensor[S_SWERLING]), snr, sensor[S_THRESHOLD]))


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


    @property
    def when(self) -> float:
        """The time (s) for which the scan as a whole stands: its middle, or its end if it stares."""
        return self.t1 if self.sensor[S_STARING] > 0.0 else 0.5 * (self.t0 + self.t1)


def expected(scan: Scan, x: Array, P: Array) -> Array:
    """How likely objects are to be detected in a scan: (k, 3): given boost, given no thrust; time of the look (s).

    ``x`` (k, 6), ``P`` (k, 6, 6) at ``scan.when``. A sweep is taken to run evenly through the azimuths of the limits.
    """
    k = len(x)
    z, hx, hb, ht = np.empty((k, 4)), np.empty((k, 4, 6)), np.empty((k, 4, 4)), np.empty((k, 4))
    predict_rows(
        np.full(k, _RAE, dtype=np.int64), x, np.full(k, scan.when - scan.t0), np.full(k, scan.region,
        dtype=np.int64), np.tile(scan.platform, (k, 1)), np.tile(scan.attitude, (k, 1)), z, hx, hb, ht,
    )  # fmt: skip
    out = np.empty((k, 3))
    _look_rows(x, P, z, hx, scan.region, scan.platform, scan.limits, scan.t0, scan.t1, scan.sensor, scan.faces, out)
    return out


def miss(store: Store, rows: Ints, scan: Scan, bank: Bank, young: Ints) -> Store:
    """What it means for tracks ``rows`` that a scan did not see them: a changed copy, or the same store where it means
    nothing. For a track that was lost for long nothing while one of the ``young`` rows near it may turn out to be it.

    Scores fall. A scan that sees plumes and should have seen one also speaks against boost: the track is then carried
    to the time of that look and its model probabilities are corrected.
    """
    when = scan.when
    t_track = store.t_ns / 1e9
    near = np.empty(len(rows), dtype=np.int64)
    count = _may_look(
        rows, store.x, store.P, store.mu, t_track, when, scan.region, scan.platform, scan.attitude, scan.limits, near
    )
    if not count:
        return store
    near = near[:count]
    tracks = (store.x, store.P, store.mu, store.axes, t_track, store.memory())
    x6, P6 = match_moments(*advance_rows(bank, near, np.full(count, when), *tracks))
    chance = expected(scan, x6, P6)
    told = (chance[:, 0] > 0.0) | (chance[:, 1] > 0.0)
    if told.any() and len(young):
        told &= ~_claimed(store, near, x6, P6, young, when, bank)
    if not told.any():
        return store
    near, chance = near[told], chance[told]
    lit, dark, t_look = chance[:, 0], chance[:, 1], chance[:, 2]
    out = store.copy()
    b = bank.column(BOOST)
    boosting = store.mu[near, b] if b >= 0 else np.zeros(len(near))
    seen_by = boosting * lit + (1.0 - boosting) * dark
    if b >= 0 and (scan.sensor[S_INFRARED] > 0.0 or scan.sensor[S_PLUME] > 0.0):
        some = np.flatnonzero((boosting > 0.01) & (t_look > t_track[near]))
        if len(some):
            which = near[some]
            x, P, mu = advance_rows(bank, which, t_look[some], *tracks)
            seen_by[some] = mu[:, b] * lit[some]
            mu[:, b] *= 1.0 - lit[some]
            total = mu[:, 0].copy()
            for m in range(1, mu.shape[1]):
                total += mu[:, m]
            out.x[which], out.P[which], out.mu[which] = x, P, mu / total[:, None]
            out.t_ns[which] = np.rint(t_look[some] * 1e9).astype(np.int64)
            out.note_boost(which, b, float(bank.parameters[PAUSE]))
    out.score[near] += np.log(np.maximum(1.0 - seen_by, 0.02))
    return out


def _claimed(store: Store, rows: Ints, x: Array, P: Array, young: Ints, when: float, bank: Bank) -> NDArray[np.bool_]:
    """Which of ``rows`` (at ``x`` (k, 6), ``P`` at time ``when``) were lost before a young track near them was born."""
    out = np.zeros(len(rows), dtype=np.bool_)
    lost = np.flatnonzero(when - store.last_ns[rows] / 1e9 > _LOST_S)
    if not len(lost):
        return out
    tracks = (store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory())
    y, Py = match_moments(*advance_rows(bank, young, np.full(len(young), when), *tracks))
    wide = np.sqrt(P[lost, 0, 0] + P[lost, 1, 1] + P[lost, 2, 2])
    own = np.sqrt(Py[:, 0, 0] + Py[:, 1, 1] + Py[:, 2, 2])
    for k, i in enumerate(young.tolist()):
        d = np.sqrt(((x[lost, :3] - y[k, :3]) ** 2).sum(axis=1))
        out[lost] |= (d < 5.0 * (wide + own[k])) & (store.last_ns[rows[lost]] < store.born_ns[i])
    return out


# why a track is over
STAYS, UNSEEN, MISSED, DOWN = 0, 1, 2, 3
REASON = ("", "not seen again", "not seen where it should be", "come down, or nothing is known of it any more")


class Deadlines:
    """Until when unseen tracks live on: until under the ground with two sigma, hopeless, or two hours.

    A track is marched on only as far as the time that is asked for, and remembers how far it came. What is remembered
    follows from the track's detections and its state's time alone.
    """

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        # (chain, time of the state): the time (ns) it certainly lives until, whether it ends then
        self._known: dict[tuple[int, int], tuple[int, bool]] = {}

    def forget(self) -> None:
        """Forget everything: chains have new numbers."""
        self._known.clear()

    def passed(self, store: Store, rows: Ints, t_ns: int) -> NDArray[np.bool_]:
        """Which of ``rows`` are over at ``t_ns``."""
        keys = list(zip(store.head[rows].tolist(), store.t_ns[rows].tolist(), strict=True))
        ask = []
        for a, key in enumerate(keys):
            known = self._known.get(key)
            if known is None or (known[0] < t_ns and not known[1]):
                ask.append(a)
        if ask:
            if len(self._known) > 65_536:
                self._known.clear()
            which = rows[np.array(ask, dtype=np.int64)]
            until, ends = march(store, which, t_ns, self._bank)
            for a, t, over in zip(ask, until.tolist(), ends.tolist(), strict=True):
                self._known[keys[a]] = (t, over)
        return np.array([self._known[k][1] and t_ns > self._known[k][0] for k in keys], dtype=np.bool_)


def march(store: Store, rows: Ints, t_ns: int, bank: Bank) -> tuple[Ints, NDArray[np.bool_]]:
    """Carry unseen tracks on in steps until they are over or two minutes past ``t_ns``: until when (ns) each lives, and
    whether it ends there.
    """
    k = len(rows)
    begin = store.t_ns[rows]
    until, ends = begin.copy(), np.zeros(k, dtype=np.bool_)
    x, P, mu = store.x[rows], store.P[rows], store.mu[rows]
    axes, memory = store.axes[rows], store.memory()[rows]
    goal = t_ns + 4 * round(_MARCH_S * 1e9)
    step = round(_MARCH_S * 1e9)
    on = np.arange(k)
    while len(on):
        t = until[on] / 1e9
        xo, Po, muo = advance_rows(bank, on, (until[on] + step) / 1e9, x, P, mu, axes, until / 1e9, memory)
        x[on], P[on], mu[on] = xo, Po, muo
        until[on] += step
        x6, P6 = match_moments(xo, Po, muo)
        over = np.empty(len(on), dtype=np.bool_)
        _over(x6, P6, over)
        over |= t + _MARCH_S - begin[on] / 1e9 >= _LONGEST_S
        ends[on] = over
        on = on[~over & (until[on] < goal)]
    return until, ends


@kernel
def _over(x: Array, P: Array, out: NDArray[np.bool_]) -> None:
    """Where a track is under the ground with two sigma, or known to worse than ``_HOPELESS``."""
    for i in range(x.shape[0]):
        r2 = x[i, 0] ** 2 + x[i, 1] ** 2 + x[i, 2] ** 2
        up = 0.0
        for a in range(3):
            for b in range(3):
                up += x[i, a] * P[i, a, b] * x[i, b]
        height = height_of(x[i, 0], x[i, 1], x[i, 2])
        spread = P[i, 0, 0] + P[i, 1, 1] + P[i, 2, 2]
        low = r2 < (0.5 * A) ** 2 or height + 2.0 * math.sqrt(max(up / r2, 0.0)) < 0.0
        out[i] = low or not spread <= _HOPELESS**2


def over(store: Store, t_ns: int, deadlines: Deadlines) -> Ints:
    """Why each row is no track any more at ``t_ns`` (n,): STAYS while it is one, else UNSEEN, MISSED or DOWN."""
    why = np.zeros(len(store), dtype=np.int64)
    unseen = t_ns - store.last_ns
    sure = store.life == Life.CONFIRMED
    periods = np.where(store.updates == 1, SEED_PERIODS, TENTATIVE_PERIODS)
    why[~sure & (unseen > periods * store.period_ns)] = UNSEEN
    why[sure & (store.score < DROP_SCORE)] = MISSED
    old = np.flatnonzero(sure & (why == STAYS) & (unseen > LEAST_COAST_NS))
    if len(old):
        why[old[deadlines.passed(store, old, t_ns)]] = DOWN
    return why


_I, _J = np.triu_indices(6)


def view(store: Store, rows: Ints, t: float, bank: Bank) -> tuple[Array, Array, Array]:
    """State (k, 6), packed covariance (k, 21) and model probabilities (k, M) of tracks ``rows`` at ``t`` (s)."""
    carried = advance_rows(
        bank, rows, np.full(len(rows), t), store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory()
    )
    x6, P6 = match_moments(*carried)
    return x6, P6[:, _I, _J], carried[2]
