"""What a centre believes before it sees anything: typical boosts of its classes, boiled down to numbers a filter can
use.

Each believed class is flown (``dynamics.thrust.fly_boost``), within its spread, at several final elevations of thrust.
The powered moments of these flights form a cloud of (height, velocity, thrust, direction, mass-flow ratio), even over
azimuth, of which a filter uses mean and covariance: as the prior of the boost model's slots, and as the prior along
the line of sight of a single satellite. Thrust is net of drag there, as the model has none. A gravity turn: Bryson and
Ho, Applied Optimal Control (1975), or any text on ascent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.thrust import boost_rows, fly_boost
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.gravity import gravity
from tocsin.earth.random import normal_quantile
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.scenario.specs import FlightClass, Spread

# places in the parameter row that the kernels of ``models`` read
BURNOUT, RESTART, TOP, THRUST, THRUST_SD, RATIO, RATIO_SD, ANGLE_SD = 0, 1, 2, 3, 4, 5, 6, 7
Q_COAST, Q_BOOST, Q_THRUST, Q_ANGLE, Q_RATIO, BETA = 8, 9, 10, 11, 12, 13
MOST_THRUST, MOST_RATIO, RELIGHT_TOP, PAUSE = 14, 15, 16, 17
# spread of ln ballistic coefficient; rate at which what falls into the air is taken to glide, its typical ln of mass
# over drag area and lift over drag; noises of the other motions (see ``motions``)
BETA_SD, GLIDERS, GLIDE_BETA, GLIDE_LIFT, Q_REENTRY, Q_BETA, Q_GLIDE, Q_AIRCRAFT, TURN_SD, Q_ORBIT = range(18, 28)
PARAMETERS = 28

# process noise (spectral densities): coast m2/s3 covers harmonics over J2; those of thrust and angle are for a boost of
# no believed class, see ``believe`` for the others
_NOISE = {Q_COAST: 1e-5, Q_BOOST: 4.0, Q_THRUST: 4.0, Q_ANGLE: 1.5e-3, Q_RATIO: 1e-7}
# the other motions: re-entry as coast; the drag coefficient of slender bodies doubles from Mach 10 to 1 (2.3 e-folds of
# speed), so ln beta wanders by 0.2 = (ln 2)^2 / 2.3 an e-fold; an airliner gains or loses 0.3 m/s2 for 5 s; an orbit is
# off by the harmonics of degree 2 and order 2, 5e-5 m/s2 that turn in some 600 s
_NOISE |= {Q_REENTRY: 1e-5, Q_BETA: 0.2, Q_GLIDE: 1e-2, Q_AIRCRAFT: 1.0, TURN_SD: 0.03, Q_ORBIT: 3e-6}
_LEAST_Q_THRUST = 0.1  # notional: throttling, 1 m/s2 over 10 s
_LEAST_Q_ANGLE = 5e-5  # notional: steering, 1.3 deg over 10 s
UNEXPECTED = 3e-4  # 1/s: boost taken to be over that was not, or a stage that no class has
_HIGHER = 1.25  # a flight may light its last stage this much higher than the nominal one
_SURE_PAUSE_S = 15.0  # how long after its end a believed pause between stages is still waited for
_SHORT_PAUSE_S = 10.0  # no pause between stages is told apart from a shorter one
_LEAST_BETA_SD, _ANY_BETA_SD = 0.4, 1.0  # of ln beta: within a class (Mach number, attitude), of anything at all
_UNEXPECTED_GLIDE = 0.01  # share of what falls into the air that may glide though no class does
_ENTRY_S = 40.0  # s from 100 km down to where lift is felt, at -5 deg and 7 km/s
_ANY_LIFT, _ANY_GLIDE_BETA = 2.2, 10e3  # the NRC's lift over drag (Acton 2015 has 2.6); kg/m2, notional
_ELEVATION_DEG = (25.0, 85.0)  # of the thrust after pitching over: from long range to lofted
_FLIGHTS = 12  # of a class
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
_CUT = 0.5 * math.erfc(3.0 / math.sqrt(2.0))  # spreads are cut at three sigma
_AZIMUTHS = 8
_STEP_S = 2.0
_CLOUDS = 10e3  # m: about where plumes come into sight
_LAG_S = 10.0  # over which the model's steadiness is judged: the revisit time of the slower satellites
_MISSED = 0.15  # share of looks that miss a plume in view: shapes how long after the cloud tops a first look may be


@dataclass(frozen=True)
class Prior:
    """Mean (8) and covariance (8, 8) of (height m; velocity east, north, up over the ground m/s; specific thrust m/s2;
    two angles of thrust from the vertical to the east and to the north, rad; mass-flow ratio 1/s).
    """

    mean: NDArray[np.float64]
    cov: NDArray[np.float64]


@dataclass(frozen=True)
class Belief:
    """``parameters`` (PARAMETERS) for the kernels; the cloud, one row a moment: ``cloud`` (k, 8) as in ``Prior``,

    ``clock`` (k,) s since launch, ``flight`` (k,) which flight, ``weight`` (k,); ``rcs``, ``rcs_boost`` m2;
    ``intensity`` W/sr.
    """

    parameters: NDArray[np.float64]
    cloud: NDArray[np.float64]
    clock: NDArray[np.float64]
    flight: NDArray[np.int64]
    weight: NDArray[np.float64]
    rcs: float
    rcs_boost: float
    intensity: float
    boosts: bool

    def at_any_time(self) -> Prior:
        """Somewhere in its powered flight."""
        return self._any

    @cached_property
    def _any(self) -> Prior:
        return _moments(self.cloud, self.weight)

    def first_seen(self, cloud_top: float, period: float) -> Prior:
        """At the first look of a satellite that sees down to ``cloud_top`` (m) and looks every ``period`` s."""
        weight = np.zeros_like(self.weight)
        for f in np.unique(self.flight):
            mine = np.flatnonzero(self.flight == f)
            above = mine[self.cloud[mine, 0] >= cloud_top]
            if len(above):
                since = self.clock[above] - self.clock[above[0]]
                shape = _MISSED ** np.floor(since / max(period, _STEP_S))
                weight[above] = self.weight[mine].sum() * shape / shape.sum()
        return _moments(self.cloud, weight) if weight.any() else self.at_any_time()


def believe(classes: Sequence[FlightClass]) -> Belief:
    """Boil believed classes down. Without any, only infrared detections suggest a boost, of a generic kind.

    Process noise of thrust and its direction is what the flights themselves do that the model (constant mass flow, a
    fixed direction) does not: drag that fades, thrust turning as in a gravity turn. What is returned is shared: do not
    write to it.
    """
    return _believe(tuple(classes))


@lru_cache(maxsize=32)
def _believe(classes: tuple[FlightClass, ...]) -> Belief:
    rows: list[NDArray[np.float64]] = []
    clocks: list[NDArray[np.float64]] = []
    flights: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float64]] = []
    lately: list[NDArray[np.bool_]] = []  # whether a moment follows the lighting of a later stage
    top_of_pauses: list[float] = []  # heights at which last stages light
    noise = np.zeros(3)
    priors = [max(c.prior, 1e-6) for c in classes]
    for c, prior in zip(classes, priors, strict=True):
        flown = _flights(c)
        for m in flown:
            last = m.rows[m.burn == len(c.stages) - 1, 0]
            if _relights(c) > 0.0 and len(last):
                top_of_pauses.append(_HIGHER * float(last.min()))
            rows.append(_all_round(m))
            lately.append(np.repeat(_lately_lit(m), _AZIMUTHS))
            clocks.append(np.repeat(m.clock, _AZIMUTHS))
            flights.append(np.full(len(rows[-1]), len(flights)))
            # seen moments are even over time: a class counts by its prior, however long it burns
            weights.append(np.full(len(rows[-1]), prior / len(flown) / len(rows[-1])))
            noise += prior * np.array(_unsteady(m))
    if not rows:
        return _generic()
    cloud, weight, late = np.concatenate(rows), np.concatenate(weights), np.concatenate(lately)
    weight = weight / weight.sum()
    share = np.array(priors) / sum(priors)
    burn = sum(p * sum(s.burn.nominal for s in c.stages) for p, c in zip(share, classes, strict=True))
    stages = sum(p * len(c.stages) for p, c in zip(share, classes, strict=True))
    top = max(c.burnout_height.nominal + 3.0 * c.burnout_height.spread for c in classes)
    any_time = _moments(cloud, weight)
    par = np.zeros(PARAMETERS)
    par[BURNOUT] = stages / max(burn, 1.0)
    par[RESTART] = UNEXPECTED + sum(p * _relights(c) for p, c in zip(share, classes, strict=True))
    gaps = [s.coast.nominal + 3.0 * s.coast.spread for c in classes for s in c.stages[:-1]]
    par[PAUSE] = max(gaps, default=0.0) + _SURE_PAUSE_S
    par[TOP] = max(top, 1.1 * float(cloud[:, 0].max()))
    par[RELIGHT_TOP] = max(top_of_pauses, default=0.0)
    # thrust that begins anew is that of a later stage lately lit, where a class has one
    anew = _moments(cloud, weight * late) if late.any() else any_time
    par[THRUST], par[THRUST_SD] = anew.mean[4], math.sqrt(anew.cov[4, 4])
    par[RATIO], par[RATIO_SD] = anew.mean[7], math.sqrt(anew.cov[7, 7])
    par[ANGLE_SD] = 0.3
    par[MOST_THRUST], par[MOST_RATIO] = 1.2 * float(cloud[:, 4].max()), 1.2 * float(cloud[:, 7].max())
    par[BETA] = math.exp(sum(p * math.log(max(c.beta.nominal, 1.0)) for p, c in zip(share, classes, strict=True)))
    _note_fall(par, classes, [float(p) for p in share])
    for place, value in _NOISE.items():
        par[place] = value
    if noise[2] > 0.0:
        par[Q_THRUST] = max(noise[0] / noise[2] / _LAG_S, _LEAST_Q_THRUST)
        # the mass flow goes along with throttling
        par[Q_RATIO] = _LEAST_Q_THRUST * (any_time.mean[7] / any_time.mean[4]) ** 2
        par[Q_ANGLE] = max(noise[1] / noise[2] / (2.0 * _LAG_S), _LEAST_Q_ANGLE)  # two angles share it

    def mean_log(values: list[float]) -> float:
        return math.exp(sum(p * math.log(max(v, 1e-9)) for p, v in zip(share, values, strict=True)))

    return Belief(
        par,
        cloud,
        np.concatenate(clocks),
        np.concatenate(flights),
        weight,
        mean_log([c.rcs.nominal for c in classes]),
        mean_log([c.rcs_boost.nominal for c in classes]),
        mean_log([c.stages[0].intensity.nominal for c in classes]),
        True,
    )


def _note_fall(par: NDArray[np.float64], classes: Sequence[FlightClass], share: Sequence[float]) -> None:
    """What is believed of the fall through the air: spread of ln beta, how likely a glide is, and what glide."""
    middle = math.log(par[BETA])
    spread = 0.0
    gliding, ratio, drag = 0.0, 0.0, 0.0
    for p, c in zip(share, classes, strict=True):
        nominal = max(c.beta.nominal, 1.0)
        spread += p * ((math.log(nominal) - middle) ** 2 + (c.beta.spread / nominal) ** 2)
        if c.glide is not None:
            gliding += p
            ratio += p * c.glide.lift_to_drag.nominal
            drag += p * math.log(max(c.glide.beta.nominal, 1.0))
    par[BETA_SD] = max(math.sqrt(spread), _LEAST_BETA_SD) if classes else _ANY_BETA_SD
    par[GLIDERS] = -math.log1p(-min(max(gliding, _UNEXPECTED_GLIDE), 0.9)) / _ENTRY_S
    par[GLIDE_LIFT] = ratio / gliding if gliding > 0.0 else _ANY_LIFT
    par[GLIDE_BETA] = drag / gliding if gliding > 0.0 else math.log(_ANY_GLIDE_BETA)


def _relights(c: FlightClass) -> float:
    """Rate (1/s) at which a coasting object of a class lights its next stage: one over the mean pause."""
    pauses = [max(s.coast.nominal, _SHORT_PAUSE_S) for s in c.stages[:-1]]
    return len(pauses) / sum(pauses) if pauses else 0.0


@dataclass(frozen=True)
class _Moments:
    """Powered moments of one flight to the east: ``clock`` (k,) s; ``rows`` (k, 6): height, velocity east and up, net
    specific force, its tilt from the vertical, mass-flow ratio; ``burn`` (k,): which."""

    clock: NDArray[np.float64]
    rows: NDArray[np.float64]
    burn: NDArray[np.int64]


def _flights(c: FlightClass) -> list[_Moments]:
    """Flights of a class: its spread drawn evenly (Weyl's sequence), thrust from flat to steep.

    What ends lower than the class typically does (three spreads) is no flight of it: thrust too flat to rise. If all
    do, all are taken.
    """
    flown = [_fly(c, k) for k in range(_FLIGHTS)]
    least = c.burnout_height.nominal - 3.0 * c.burnout_height.spread
    high = [m for m in flown if len(m.clock) and m.rows[-1, 0] >= least]
    return high or [m for m in flown if len(m.clock)]


def _fly(c: FlightClass, number: int) -> _Moments:
    """One flight from latitude 45 to the east."""
    place = 0

    def draw(s: Spread) -> float:
        nonlocal place
        u = (0.5 + (number + 1) * math.sqrt(_PRIMES[place % len(_PRIMES)])) % 1.0
        place += 1
        return max(s.nominal + s.spread * float(normal_quantile(_CUT + u * (1.0 - 2.0 * _CUT))), 0.0)

    elevation = math.radians(_ELEVATION_DEG[0] + (number + 0.5) / _FLIGHTS * (_ELEVATION_DEG[1] - _ELEVATION_DEG[0]))
    stages = np.zeros((len(c.stages), 4))
    t = 0.0
    for row, s in zip(stages, c.stages, strict=True):
        row[:] = t, draw(s.burn), draw(s.thrust), max(draw(s.exhaust), 1.0)
        t += float(row[1]) + draw(s.coast)
    vertical, pitch, beta = draw(c.vertical), draw(c.pitch), draw(c.beta_boost)
    lat, step = math.radians(45.0), _STEP_S
    end = float(stages[-1, 0] + stages[-1, 1])
    nodes = np.empty((boost_rows(stages, vertical, pitch, end, step), 10))
    used = fly_boost(
        stages, vertical, pitch, beta, elevation, math.pi / 2, end, lat, 0.0, 0.0, 0.0, 0.0, step, nodes,
    )  # fmt: skip
    clock = nodes[:used, 0]
    burn = np.full(used, -1, dtype=np.int64)
    ratio = np.zeros(used)
    for i, (ignition, lasts, thrust, exhaust) in enumerate(stages):
        inside = (ignition <= clock) & (clock < ignition + lasts)
        burn[inside] = i
        left = np.maximum(1.0 - thrust * (clock[inside] - ignition) / exhaust, 0.02)
        ratio[inside] = thrust / exhaust / left
    lit = burn >= 0
    lit[:-1] &= clock[1:] > clock[:-1]  # where the programme changes a time stands twice: the force after it counts
    ecef = to_ecef(nodes[:used, 1:7], OMEGA_GMST * clock)
    geodetic = ecef_to_geodetic(ecef[:, :3])
    cl, sl = np.cos(geodetic[:, 0]), np.sin(geodetic[:, 0])
    upward = np.stack((cl * np.cos(geodetic[:, 1]), cl * np.sin(geodetic[:, 1]), sl), axis=1)
    climb = (upward * ecef[:, 3:]).sum(axis=1)
    along = np.sqrt(np.maximum((ecef[:, 3:] ** 2).sum(axis=1) - climb**2, 0.0))
    # thrust less drag: what a filter without drag takes for thrust
    net = nodes[:used, 7:10] - np.array([gravity(*p) for p in nodes[:used, 1:4]])
    force = np.maximum(np.sqrt((net * net).sum(axis=1)), 1e-6)
    rise = (upward * to_ecef(net, OMEGA_GMST * clock)).sum(axis=1)
    tilt = np.arccos(np.clip(rise / force, -1.0, 1.0))
    rows = np.stack((geodetic[:, 2], along, climb, force, tilt, ratio), axis=1)
    return _Moments(clock[lit], rows[lit], burn[lit])


def _all_round(m: _Moments) -> NDArray[np.float64]:
    """The cloud (k * azimuths, 8) of a flight, turned to every azimuth."""
    a = 2.0 * math.pi * np.arange(_AZIMUTHS) / _AZIMUTHS
    e, n = np.sin(a)[None, :], np.cos(a)[None, :]
    one = np.ones((1, _AZIMUTHS))
    h, along, up, force, tilt, ratio = (m.rows[:, k : k + 1] for k in range(6))
    # the angles of ``models.thrust_direction`` with axes east, north, up
    p = np.arcsin(np.clip(np.sin(tilt) * e, -1.0, 1.0))
    q = np.arctan2(np.sin(tilt) * n, np.cos(tilt) * one)
    parts = (h * one, along * e, along * n, up * one, force * one, p, q, ratio * one)
    return np.stack(parts, axis=2).reshape(-1, 8)


def _lately_lit(m: _Moments) -> NDArray[np.bool_]:
    """Moments (k,) of a later stage that lit less than ``_LAG_S`` before."""
    out = np.zeros(len(m.clock), dtype=np.bool_)
    for i in range(1, int(m.burn.max(initial=0)) + 1):
        mine = m.burn == i
        if mine.any():
            out |= mine & (m.clock - m.clock[mine].min() <= _LAG_S)
    return out


def _unsteady(m: _Moments) -> tuple[float, float, float]:
    """What thrust does that the model (constant mass flow, a fixed direction) does not, over ``_LAG_S`` in sight: sums
    of squared change of force and of direction, and how many."""
    force, turn, count = 0.0, 0.0, 0
    lag = round(_LAG_S / _STEP_S)
    for k in range(len(m.clock) - lag):
        later = int(np.searchsorted(m.clock, m.clock[k] + _LAG_S - 1e-6))
        if m.rows[k, 0] < _CLOUDS or later >= len(m.clock) or m.burn[later] != m.burn[k]:
            continue
        dt = m.clock[later] - m.clock[k]
        left = 1.0 - m.rows[k, 5] * dt
        if left < 0.2:
            continue
        force += (m.rows[later, 3] - m.rows[k, 3] / left) ** 2 * (_LAG_S / dt)
        speed = math.hypot(m.rows[k, 1], m.rows[k, 2])
        own = (m.rows[later, 4] - m.rows[k, 4]) * (_LAG_S / dt)
        fall = 9.8 * m.rows[k, 1] / max(speed, 100.0) ** 2 * _LAG_S  # a gravity turn: g cos(climb) / v
        turn += max(own * own, fall * fall)
        count += 1
    return force, turn, count


def _moments(cloud: NDArray[np.float64], weight: NDArray[np.float64]) -> Prior:
    w = weight / weight.sum()
    mean = (w[:, None] * cloud).sum(axis=0)
    d = cloud - mean
    cov = np.empty((8, 8))
    for i in range(8):
        for j in range(8):
            cov[i, j] = (w * d[:, i] * d[:, j]).sum()
    floor = np.array([500.0, 50.0, 50.0, 50.0, 1.0, 0.1, 0.1, 3e-4])
    return Prior(mean, cov + np.diag(floor**2))


def _generic() -> Belief:
    par = np.zeros(PARAMETERS)
    par[BURNOUT], par[TOP] = 1.0 / 80.0, 0.0
    par[THRUST], par[THRUST_SD], par[RATIO], par[RATIO_SD], par[ANGLE_SD] = 35.0, 20.0, 0.012, 0.008, 0.3
    par[MOST_THRUST], par[MOST_RATIO] = 120.0, 0.05
    par[BETA], par[PAUSE] = 3000.0, _SURE_PAUSE_S
    _note_fall(par, (), [])
    for place, value in _NOISE.items():
        par[place] = value
    # a plain stand-in: 3 g straight up to 45 degrees for 80 s, in moments every 10 s
    clock = np.repeat(np.arange(10.0, 90.0, 10.0), _AZIMUTHS)
    a = np.tile(2.0 * math.pi * np.arange(_AZIMUTHS) / _AZIMUTHS, 8)
    tilt = np.minimum(clock / 40.0, 1.0) * math.pi / 4
    speed = 22.0 * clock
    cloud = np.column_stack((
        8.0 * clock**2, speed * np.sin(tilt) * np.sin(a), speed * np.sin(tilt) * np.cos(a), speed * np.cos(tilt),
        25.0 + 0.25 * clock, tilt * np.sin(a), tilt * np.cos(a), 0.008 + 1e-4 * clock,
    ))  # fmt: skip
    weight = np.full(len(clock), 1.0 / len(clock))
    return Belief(par, cloud, clock, np.zeros(len(clock), dtype=np.int64), weight, 1.0, 1.0, 1e6, False)
