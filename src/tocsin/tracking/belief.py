"""What a centre believes before it sees anything: typical boosts of its classes, boiled down to numbers a filter can
use.

Each believed class is flown nominally (``dynamics.kernels.fly_boost``) at several final elevations of thrust. The
powered moments of these flights form a cloud of (height, velocity, thrust, direction, mass-flow ratio), even over
azimuth, of which a filter uses mean and covariance: as the prior of the boost model's slots, and as the prior along
the line of sight of a single satellite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.thrust import boost_rows, fly_boost
from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes
from tocsin.scenario.specs import FlightClass

# places in the parameter row that the kernels of ``models`` read
BURNOUT, RESTART, TOP, THRUST, THRUST_SD, RATIO, RATIO_SD, ANGLE_SD = 0, 1, 2, 3, 4, 5, 6, 7
Q_COAST, Q_BOOST, Q_THRUST, Q_ANGLE, Q_RATIO, BETA = 8, 9, 10, 11, 12, 13
MOST_THRUST, MOST_RATIO, RELIGHT_TOP, PAUSE = 14, 15, 16, 17
# spread of ln ballistic coefficient; rate at which what falls into the air is taken to glide, its typical ln of mass
# over drag area and lift over drag; noises of the other motions (see ``motions``)
BETA_SD, GLIDERS, GLIDE_BETA, GLIDE_LIFT, Q_REENTRY, Q_BETA, Q_GLIDE, Q_AIRCRAFT, TURN_SD, Q_ORBIT = range(18, 28)
PARAMETERS = 28

# process noise (spectral densities): coast m2/s3 covers harmonics over J2; boost covers air and steering
_NOISE = {Q_COAST: 1e-5, Q_BOOST: 4.0, Q_THRUST: 4.0, Q_ANGLE: 1.5e-3, Q_RATIO: 1e-6}
# the other motions: re-entry as coast; the drag coefficient of slender bodies doubles from Mach 10 to 1 (2.3 e-folds of
# speed), so ln beta wanders by 0.2 = (ln 2)^2 / 2.3 an e-fold; an airliner gains or loses 0.3 m/s2 for 5 s; an orbit is
# off by the harmonics of degree 2 and order 2, 5e-5 m/s2 that turn in some 600 s
_NOISE |= {Q_REENTRY: 1e-5, Q_BETA: 0.2, Q_GLIDE: 1e-2, Q_AIRCRAFT: 1.0, TURN_SD: 0.03, Q_ORBIT: 3e-6}
UNEXPECTED = 3e-4  # 1/s: boost taken to be over that was not, or a stage that no class has
_HIGHER = 1.25  # a flight may light its last stage this much higher than the nominal one
_SURE_PAUSE_S = 15.0  # how long after its end a believed pause between stages is still waited for
_SHORT_PAUSE_S = 5.0  # shorter pauses between stages are bridged by the boost model
_LEAST_BETA_SD, _ANY_BETA_SD = 0.4, 1.0  # of ln beta: within a class (Mach number, attitude), of anything at all
_UNEXPECTED_GLIDE = 0.01  # share of what falls into the air that may glide though no class does
_ENTRY_S = 40.0  # s from 100 km down to where lift is felt, at -5 deg and 7 km/s
_ANY_LIFT, _ANY_GLIDE_BETA = 2.2, 10e3  # the NRC's lift over drag (Acton 2015 has 2.6); kg/m2, notional
_ELEVATIONS_DEG = (25.0, 40.0, 55.0, 70.0, 85.0)  # of the thrust after pitching over: from long range to lofted
_AZIMUTHS = 8
_STEP_S = 2.0
_MISSED = 0.15  # share of looks that miss a plume in view: shapes how long after the cloud tops a first look may be
_WIDER = 1.3  # the cloud is nominal flights only: standard deviations are widened for the spread within a class


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
    """Boil believed classes down. Without any, only infrared detections suggest a boost, of a generic kind."""
    rows: list[NDArray[np.float64]] = []
    clocks: list[NDArray[np.float64]] = []
    flights: list[NDArray[np.int64]] = []
    weights: list[NDArray[np.float64]] = []
    top_of_pauses: list[float] = []  # heights at which last stages light
    priors = [max(c.prior, 1e-6) for c in classes]
    for c, prior in zip(classes, priors, strict=True):
        for elevation in _ELEVATIONS_DEG:
            cloud, clock = _fly(c, math.radians(elevation))
            if _relights(c) > 0.0:
                last = sum(s.burn.nominal + s.coast.nominal for s in c.stages[:-1])
                top_of_pauses.append(_HIGHER * float(cloud[clock >= last, 0].min()))
            rows.append(cloud)
            clocks.append(clock)
            flights.append(np.full(len(clock), len(flights)))
            # seen moments are even over time: a class counts by its prior, however long it burns
            weights.append(np.full(len(clock), prior / max(len(clock), 1)))
    if not rows:
        return _generic()
    cloud, weight = np.concatenate(rows), np.concatenate(weights)
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
    par[THRUST], par[THRUST_SD] = any_time.mean[4], math.sqrt(any_time.cov[4, 4])
    par[RATIO], par[RATIO_SD] = any_time.mean[7], math.sqrt(any_time.cov[7, 7])
    par[ANGLE_SD] = 0.3
    par[MOST_THRUST], par[MOST_RATIO] = 1.2 * float(cloud[:, 4].max()), 1.2 * float(cloud[:, 7].max())
    par[BETA] = math.exp(sum(p * math.log(max(c.beta.nominal, 1.0)) for p, c in zip(share, classes, strict=True)))
    _note_fall(par, classes, [float(p) for p in share])
    for place, value in _NOISE.items():
        par[place] = value

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
    pauses = [s.coast.nominal for s in c.stages[:-1] if s.coast.nominal > _SHORT_PAUSE_S]
    return len(pauses) / sum(pauses) if pauses else 0.0


def _fly(c: FlightClass, elevation: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One nominal flight from latitude 45: its powered moments spread evenly over azimuth, and their clock."""
    stages = np.zeros((len(c.stages), 4))
    t = 0.0
    for row, s in zip(stages, c.stages, strict=True):
        row[:] = t, s.burn.nominal, s.thrust.nominal, s.exhaust.nominal
        t += s.burn.nominal + s.coast.nominal
    lat, step = math.radians(45.0), _STEP_S
    end = float(stages[-1, 0] + stages[-1, 1])
    nodes = np.empty((boost_rows(stages, c.vertical.nominal, c.pitch.nominal, end, step), 7))
    used = fly_boost(
        stages, c.vertical.nominal, c.pitch.nominal, c.beta_boost.nominal, elevation, math.pi / 2, end,
        lat, 0.0, 0.0, 0.0, 0.0, step, nodes,
    )  # fmt: skip
    clock = nodes[:used, 0]
    ecef = to_ecef(nodes[:used, 1:], OMEGA_GMST * clock)
    geodetic = ecef_to_geodetic(ecef[:, :3])
    out = []
    kept = []
    for tau, g, v in zip(clock, geodetic, ecef[:, 3:], strict=True):
        burning = (stages[:, 0] <= tau) & (tau < stages[:, 0] + stages[:, 1])
        if not burning.any():
            continue
        ignition, _, thrust, exhaust = stages[np.flatnonzero(burning)[0]]
        left = max(1.0 - thrust * (tau - ignition) / exhaust, 0.02)
        axes = enu_axes(g[0], g[1])
        up = float((axes[2] * v).sum())
        along = math.sqrt(max(float((v * v).sum()) - up * up, 0.0))
        turned = min(max((tau - c.vertical.nominal) / max(c.pitch.nominal, 1e-3), 0.0), 1.0)
        tilt = turned * (math.pi / 2 - elevation)
        for k in range(_AZIMUTHS):
            a = 2.0 * math.pi * k / _AZIMUTHS
            e, n = math.sin(a), math.cos(a)
            # the angles of ``models.thrust_direction`` with axes east, north, up
            p = math.asin(math.sin(tilt) * e)
            q = math.atan2(math.sin(tilt) * n, math.cos(tilt))
            out.append((g[2], along * e, along * n, up, thrust / left, p, q, thrust / exhaust / left))
            kept.append(tau)
    return np.array(out).reshape(-1, 8), np.array(kept)


def _moments(cloud: NDArray[np.float64], weight: NDArray[np.float64]) -> Prior:
    w = weight / weight.sum()
    mean = (w[:, None] * cloud).sum(axis=0)
    d = cloud - mean
    cov = np.empty((8, 8))
    for i in range(8):
        for j in range(8):
            cov[i, j] = (w * d[:, i] * d[:, j]).sum() * _WIDER**2
    floor = np.array([500.0, 50.0, 50.0, 50.0, 3.0, 0.1, 0.1, 1e-3])
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
