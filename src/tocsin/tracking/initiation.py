"""Starting a track from one detection: all that is not measured comes from a wide prior.

Every detection that no track explains becomes a seed, a track of one detection with a low score; the second and third
detection raise the score by their likelihood or the seed dies. So "two of three looks at a plausible speed" is not a
rule but follows.

How often clutter alone makes a confirmed track follows from the score (Wald, Sequential Analysis, 1947; Ville's
inequality). Under clutter that is as the scans declare it, the likelihood ratio of a seed, prod (Pd N / density) over
hits times prod (1 - Pd) over misses, is never above that of "there is an object", whose factor for a scan is 1 - Pd +
sum over detections of Pd N / density with expectation one: so it is a supermartingale from one, and passes a level B
ever with probability 1 / B at most. A seed starts with the odds of an object to a false detection, rate of new objects
times scan period over false detections a scan, and is confirmed when its odds pass C = exp(CONFIRM_SCORE) = 99: with
probability odds / C at most. Times the seeds, which are as many as false detections, their number cancels: whatever the
density of clutter, false confirmed tracks are at most ``START_PER_S / C`` a second for each sensor, one in 99 hours of
a sensor (``false_tracks_per_hour``); false tracks told as tentative (odds over one) at most one an hour of a sensor. It
holds as far as clutter is even over the view, of the declared mean, and a miss counts with the Pd of a hit; a hit
counts Pd 0.9, so where less is believed (far away, a weak plume) a scan's factor may reach 1.9 - Pd, for the few scans
that a seed lives. Measured rates (validation book *False tracks*) lie far below, mostly since a second or third
detection in a gate is rare to begin with.

Over-the-horizon radars (range and azimuth, kilometres and degrees) start no tracks: height and speed are open, and the
cell is so large that what passes the gate says little. Their detections support tracks that others started.

A radar's seed has its measured position and any velocity that ballistic objects have. A line of sight alone has no
range: the seed lies where it crosses the heights at which a believed typical boost is first seen, with the velocity
and thrust that go with these heights (``belief``). A second satellite then fixes the range by its first update; with
one satellite the belief stays in.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import E2, A, ecef_to_geodetic, enu_axes
from tocsin.records.columns import Kind
from tocsin.tracking.belief import TOP, Belief, Prior
from tocsin.tracking.filter import chart_axes, from_chart
from tocsin.tracking.life import CONFIRM_SCORE, START_PER_S
from tocsin.tracking.measure import Looks, move_platform, sight
from tocsin.tracking.models import SLOTS, match_moments

STARTING_KINDS = (Kind.RAE, Kind.RAER, Kind.LOS)  # of detections; others support tracks and start none
SPEED_SD = 3500.0  # m/s, each axis over the ground: three of it is past escape
_LOW_BOOST = 0.5  # prior probability of thrust for a radar's seed below the believed end of thrust
_TILT_SD = 0.5  # rad: thrust direction about the vertical where velocity says nothing yet
_MOST_RANGE_SD = 1.5e6  # m


class Seed(NamedTuple):
    """What one detection says of an object: ``x`` (10), ``P`` (10, 10) of boost, whose first six slots hold for every
    model; ``axes`` (3, 3) for thrust; ``boosts``: probability of thrust.
    """

    x: NDArray[np.float64]
    P: NDArray[np.float64]
    axes: NDArray[np.float64]
    boosts: float


def seed(look: Looks, i: int, belief: Belief, prior: Prior, anywhere: Prior) -> Seed | None:
    """The seed of detection ``i`` of ``look``; None where no range can be had from it.

    ``prior``: of a plume first seen by this sensor, ``anywhere``: of a plume seen past the limb.
    """
    kind = int(look.kind[i])
    if kind in (Kind.RAE, Kind.RAER):
        platform, attitude = np.empty(6), np.empty(9)
        move_platform(look.dt[i], look.region[i], look.platform[i], look.attitude[i], platform, attitude)
        return Seed(*_from_range(look, i, platform, belief))
    if kind == Kind.LOS:
        made = _from_sight(look, i, prior, anywhere)
        return None if made is None else Seed(*made, 1.0)
    return None


def restart(
    look: Looks, i: int, belief: Belief, x: NDArray[np.float64], P: NDArray[np.float64], mu: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """State, covariance and axes of a track that a radar sees for the first time after only rough sights of it.

    ``x`` (M, 10), ``P`` (M, 10, 10), ``mu`` (M): the track as predicted. Position is the radar's, which is far better
    than what was known and bends the correlation of position and velocity out of all use; velocity and thrust stay as
    predicted.
    """
    platform, attitude = np.empty(6), np.empty(9)
    move_platform(look.dt[i], look.region[i], look.platform[i], look.attitude[i], platform, attitude)
    xo, Po, axes, _ = _from_range(look, i, platform, belief)
    mean, cov = match_moments(x[None], P[None], mu[None])
    xo[3:6] = mean[0, 3:]
    Po[:6, 3:6] = 0.0
    Po[3:6, :6] = 0.0
    Po[3:6, 3:6] = cov[0, 3:, 3:]
    return xo, Po, axes


def _local_axes(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """East, north, up (rows, eci) at an eci position: the sidereal angle drops out."""
    lat, lon, _ = ecef_to_geodetic(position)
    return enu_axes(lat, lon)


def _with_earth(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Velocity (eci) of a place that turns with the Earth."""
    return np.array([-OMEGA_GMST * position[1], OMEGA_GMST * position[0], 0.0])


def _from_range(
    look: Looks, i: int, platform: NDArray[np.float64], belief: Belief
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    z = look.z[i]
    line = np.empty(6)
    sight(z[1], z[2], look.dt[i], look.region[i], look.platform[i], look.attitude[i], line)
    state = np.empty(6)
    state[:3] = line[:3] + z[0] * line[3:]
    state[3:] = _with_earth(state[:3])
    e, y, G, moved = np.empty((3, 3)), np.empty(6), np.empty((6, 6)), np.empty(6)
    chart_axes(state, platform, e, y)
    # the radar's own covariance of range, azimuth, elevation, turned into the chart's two angles
    cos_el = math.cos(z[2])
    across = _measured_across(look, i, line)
    T = np.zeros((3, 3))
    T[0, 0] = 1.0
    for k in range(2):
        T[1 + k, 1] = cos_el * float((e[1 + k] * across[0]).sum())
        T[1 + k, 2] = float((e[1 + k] * across[1]).sum())
    C = np.zeros((6, 6))
    C[:3, :3] = T @ look.R[i, :3, :3] @ T.T
    rate_var = SPEED_SD**2
    if look.kind[i] == Kind.RAER:
        gain = rate_var / (rate_var + look.R[i, 3, 3])
        y[3] += gain * (z[3] - y[3])
        rate_var *= 1.0 - gain
    C[3, 3] = rate_var
    C[4, 4] = C[5, 5] = (SPEED_SD / z[0]) ** 2
    from_chart(y, platform, e, moved, G)
    par = belief.parameters
    any_time = belief.at_any_time()
    x, P = np.zeros(SLOTS), np.zeros((SLOTS, SLOTS))
    x[:6] = moved
    P[:6, :6] = G @ C @ G.T
    P[:6, :6] = 0.5 * (P[:6, :6] + P[:6, :6].T)
    axes = _local_axes(moved[:3])
    x[6], x[9] = any_time.mean[4], any_time.mean[7]
    P[6, 6], P[7, 7], P[8, 8], P[9, 9] = any_time.cov[4, 4], _TILT_SD**2, _TILT_SD**2, any_time.cov[7, 7]
    height = float(ecef_to_geodetic(moved[:3])[2])
    return x, P, axes, _LOW_BOOST if belief.boosts and height < par[TOP] else 0.0


def _measured_across(look: Looks, i: int, line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors (2, 3) in which the direction moves as azimuth and as elevation grow."""
    _, attitude = np.empty(6), np.empty(9)
    move_platform(look.dt[i], look.region[i], look.platform[i], look.attitude[i], _, attitude)
    up = attitude[6:]
    el = np.cross(np.cross(line[3:], up), line[3:])
    el /= max(math.sqrt(float((el * el).sum())), 1e-12)
    return np.array([np.cross(line[3:], el), el])


def _crossing(line: NDArray[np.float64], height: float) -> tuple[float, bool]:
    """Distance (m) along a line of sight to where it first meets a height; past the limb, to its lowest point."""
    a = A + height
    f = a / (A * math.sqrt(1.0 - E2) + height)
    p = line[:3] * np.array([1.0, 1.0, f])
    u = line[3:] * np.array([1.0, 1.0, f])
    uu, pu, pp = float((u * u).sum()), float((p * u).sum()), float((p * p).sum())
    root = pu * pu - uu * (pp - a * a)
    if root <= 0.0:
        return -pu / uu, False
    return (-pu - math.sqrt(root)) / uu, True


def _from_sight(
    look: Looks, i: int, prior: Prior, anywhere: Prior
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    line = np.empty(6)
    sight(look.z[i, 0], look.z[i, 1], look.dt[i], look.region[i], look.platform[i], look.attitude[i], line)
    distance, hits = _crossing(line, float(prior.mean[0]))
    if not hits or not _crossing(line, 0.0)[1]:
        # past the limb: the plume has risen over it, at any time of its boost
        prior = anywhere
        distance, hits = _crossing(line, float(prior.mean[0]))
    if distance <= 0.0:
        return None
    position = line[:3] + distance * line[3:]
    axes = _local_axes(position)
    slope = float((axes[2] * line[3:]).sum())  # of height along the line: negative towards the Earth
    sigma = math.sqrt(prior.cov[0, 0])
    low, _ = _crossing(line, max(float(prior.mean[0]) - sigma, 0.0))
    high, _ = _crossing(line, float(prior.mean[0]) + sigma)
    spread = min(max(0.5 * abs(low - high), sigma), _MOST_RANGE_SD)
    # how range goes with height: by the slope, unless the line grazes
    per_height = math.copysign(spread / sigma, slope)
    T = np.zeros((SLOTS, 8))
    T[:3, 0] = line[3:] * per_height
    for k in range(3):
        T[3:6, 1 + k] = axes[k]
        T[6 + k, 4 + k] = 1.0
    T[9, 7] = 1.0
    P = T @ prior.cov @ T.T
    # across the line: what the sensor measured
    across = _measured_across(look, i, line)
    cos_el = math.cos(look.z[i, 1])
    C = look.R[i, :2, :2] * np.array([[cos_el**2, cos_el], [cos_el, 1.0]]) * distance**2
    for a in range(2):
        for b in range(2):
            P[:3, :3] += C[a, b] * np.outer(across[a], across[b])
    x = np.zeros(SLOTS)
    x[:3] = position
    x[3:6] = _with_earth(position) + prior.mean[1] * axes[0] + prior.mean[2] * axes[1] + prior.mean[3] * axes[2]
    x[6:9] = prior.mean[4:7]
    x[9] = prior.mean[7]
    return x, 0.5 * (P + P.T), axes


def false_tracks_per_hour(sensors: int, odds: float = math.exp(CONFIRM_SCORE)) -> float:
    """Stated rate of false tracks (1/h): the most that declared clutter makes pass ``odds`` (default: be confirmed).

    Raises ValueError for a negative number of sensors or odds under one, at which a seed starts.
    """
    if sensors < 0 or not odds >= 1.0:
        raise ValueError(f"sensors must not be negative and odds at least 1, found {sensors} and {odds}")
    return sensors * 3600.0 * START_PER_S / odds


def sighted(
    look: Looks, i: int, prior: Prior, anywhere: Prior
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None:
    """What a line of sight and a prior say of a plume: ``x`` (10), ``P`` (10, 10) of boost and the axes (3, 3) of its
    thrust; None where the line goes away from the Earth. Arguments as in ``seed``.
    """
    return _from_sight(look, i, prior, anywhere)
