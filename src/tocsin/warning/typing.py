"""What kind of object it is: believed classes weighed by what was seen.

Scores are log likelihoods up to a constant common to all classes. A class that explains the data badly keeps a little
weight: beliefs are never exact, and a warning must not swear to a type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import MU, R_MEAN, A, ecef_to_geodetic
from tocsin.scenario.specs import FlightClass

Floats = NDArray[np.float64]

FAMILIES = (
    "space-launch", "sounding-rocket", "srbm", "mrbm", "irbm", "icbm", "glider",
    "satellite", "aircraft", "debris", "false",
)  # fmt: skip
"""What kind of thing it is; ballistic ones by range: under 1,000, 3,000, 5,500 km and beyond."""
RANGES = (1000e3, 3000e3, 5500e3)  # m: the usual division
# Prior weights of what is no launch against a launch, for a track that sensors of missile warning make (notional; both
# pass a radar far oftener than launches do). A satellite that the catalogue has is found there; what is weighed here
# are those that it lacks.
_PRIORS = {"satellite": 10.0, "aircraft": 10.0, "debris": 0.1}
_BORN_OF = 30.0  # and debris so many times likelier where the track split off another
_PLUME_OF_OTHERS = 1e-5  # that a satellite or an aircraft seems to burn like a rocket
_IN_ORBIT = 1e-3  # that what is no space launch and no satellite clears the air all round
_COMING_DOWN = 2e-5  # share of satellites that no longer clear it
_LOW_AND_SLOW = 0.02  # share of a launch's seen life in which it could be an aircraft
CLEAR = 120e3  # m: a perigee over this stays up for a while
_CEILING, _FASTEST, _STEEPEST = 30e3, 1000.0, 150.0  # an aircraft's height (m), speed and climb (m/s)

_LEAST = 1e-6  # no class falls under this share
_EDGE = 0.05  # softness of the ends of an energy range, as a share of its width
_USUAL = 0.7  # share of flights that leave the ground about as their class is wont to
_STEEPNESS = math.radians(10.0)  # and how nearly
_STRAY = 0.05  # share of intensities that follow no belief
_INTENSITY_NOISE = 0.15  # relative error of a measured intensity, beside the believed spread


def probabilities(scores: Mapping[str, float], priors: Mapping[str, float]) -> dict[str, float]:
    """Class id to probability (sum 1) from log scores and priors; a score of -inf or a class without a score has the
    least share.

    Raises ValueError if there is no class.
    """
    if not priors:
        raise ValueError("no class to choose from")
    names = list(priors)
    logs = np.array([scores.get(n, -math.inf) + math.log(max(priors[n], 1e-12)) for n in names])
    if not np.isfinite(logs).any():
        logs = np.array([math.log(max(priors[n], 1e-12)) for n in names])
    p = np.exp(logs - logs[np.isfinite(logs)].max())
    p = np.where(np.isfinite(p), p, 0.0)
    p /= p.sum()
    p = np.maximum(p, _LEAST)
    p /= p.sum()
    return dict(zip(names, p.tolist(), strict=True))


def energy_score(
    c: FlightClass, energy: Floats, reach: Floats, weight: Floats, elevation: Floats | None = None
) -> float:
    """Log of the mean density of weighted coasting states under a class: uniform over its energy range, with soft ends.

    ``energy``: the range (m) that each one's energy gives at best, for classes that end thrust early to meet a range;
    ``reach``: its arc's own range, for those that burn out and fly steep or flat (``energy`` "thrust").
    ``elevation``: with which each arc leaves the ground (rad); most flights make the most of their energy, sounding
    rockets go up.
    """
    best_ranges = energy
    if c.energy != "cutoff":
        energy = reach
    low, high = c.energy_range
    width = max(high - low, 1e3)
    edge = _EDGE * width
    e = np.clip((energy - low) / edge, -30.0, 30.0)
    f = np.clip((high - energy) / edge, -30.0, 30.0)
    density = 1.0 / (1.0 + np.exp(-2.0 * e)) / (1.0 + np.exp(-2.0 * f)) / width
    if elevation is not None:
        best = 0.25 * (math.pi - np.minimum(best_ranges, math.pi * R_MEAN) / R_MEAN)
        if c.family == "sounding-rocket":
            best = np.full_like(best, 0.5 * math.pi)
        usual = np.exp(-0.5 * ((elevation - best) / _STEEPNESS) ** 2) / (_STEEPNESS * math.sqrt(2.0 * math.pi))
        if c.family == "sounding-rocket":
            usual = 2.0 * usual  # half of it lies beyond the vertical
        density = density * (_USUAL * usual + (1.0 - _USUAL) * 2.0 / math.pi)
    return math.log(max(float(weight @ density) / max(float(weight.sum()), 1e-300), 1e-300))


def intensity_score(c: FlightClass, intensity: Sequence[float] | Floats) -> float:
    """Log likelihood of the median of measured plume intensities (W/sr): log-normal about the nearest of the stages'
    beliefs.

    Nought where none was measured.
    """
    seen = np.asarray(intensity, dtype=np.float64)
    seen = seen[np.isfinite(seen) & (seen > 0.0)]
    if not len(seen):
        return 0.0
    value = math.log(float(np.median(seen)))
    best = 0.0
    for stage in c.stages:
        nominal = stage.intensity.nominal
        if nominal <= 0.0:
            continue
        s = math.hypot(stage.intensity.spread / nominal, _INTENSITY_NOISE)
        best = max(best, math.exp(-0.5 * ((value - math.log(nominal)) / s) ** 2) / (s * math.sqrt(2.0 * math.pi)))
    wide = 1.0 / math.log(1e4)  # anything between, say, 1 kW/sr and 10 MW/sr
    return math.log((1.0 - _STRAY) * best + _STRAY * wide)


def burn_score(total: float, spread: float, early: bool, seen: float, gone: float) -> float:
    """Log probability that a burn of ``total`` +- ``spread`` s from launch lasts beyond ``seen`` and (if known) ends
    before ``gone``.

    ``early``: thrust may end before the burn does, so that only the first can speak against the class.
    """

    def cdf(t: float) -> float:
        if spread <= 0.0:
            return 1.0 if t >= total else 0.0
        return 0.5 * math.erfc((total - t) / (spread * math.sqrt(2.0)))

    share = (1.0 if early else cdf(gone)) - cdf(seen)
    return math.log(max(share, 1e-9))


def perigees(x: Floats) -> Floats:
    """Heights (m, over the equator's radius) of the perigees of eci states (n, 6); -inf where one never comes back."""
    r, v = x[:, :3], x[:, 3:]
    distance = np.sqrt(np.sum(r * r, axis=1))
    energy = 0.5 * np.sum(v * v, axis=1) - MU / distance
    momentum2 = np.sum(np.cross(r, v) ** 2, axis=1)
    eccentricity = np.sqrt(np.maximum(1.0 + 2.0 * energy * momentum2 / MU**2, 0.0))
    return np.asarray(momentum2 / MU / (1.0 + eccentricity) - A, dtype=np.float64)


def clear_of_the_air(x: Floats, weight: Floats) -> float:
    """Share of weighted coasting states (n, 6) that go round without touching the air."""
    return float(weight @ (perigees(x) > CLEAR)) / max(float(weight.sum()), 1e-300)


def flies_like_an_aircraft(x: Floats) -> bool:
    """Whether an eci state is as low, slow and level as an aircraft."""
    up = x[:3] / float(np.linalg.norm(x[:3]))
    turning = np.array([-x[1], x[0], 0.0]) * OMEGA_GMST
    velocity = x[3:] - turning
    height = float(ecef_to_geodetic(x[:3])[2])  # turning does not change it
    climb = abs(float(up @ velocity))
    return -1e3 < height < _CEILING and float(np.linalg.norm(velocity)) < _FASTEST and climb < _STEEPEST


def range_shares(distance: Floats, weight: Floats) -> tuple[float, float, float, float]:
    """Shares of weighted ranges (m) in the four classes of ``RANGES``; even where nothing has any weight."""
    total = float(weight.sum())
    if total <= 0.0:
        return (0.25, 0.25, 0.25, 0.25)
    which = np.searchsorted(np.array(RANGES), distance, side="right")
    shares = [float(weight[which == k].sum()) / total for k in range(4)]
    return (shares[0], shares[1], shares[2], shares[3])


def families(
    types: Mapping[str, float],
    classes: Sequence[FlightClass],
    p_real: float,
    ranges: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
    clear: float | None = None,
    like_aircraft: bool = False,
    burned: bool = False,
    split_off: bool = False,
    known: bool = False,
) -> dict[str, float]:
    """Probabilities (sum 1) over ``FAMILIES``.

    ``types``: believed classes (``probabilities``), of which unknown ones count as ballistic; ``ranges``: shares of the
    ranges (``range_shares``); ``clear``: probability that it goes round without touching the air (None: not free of
    thrust, or nothing known); ``like_aircraft``; ``burned``: whether its plume was seen; ``split_off``: whether its
    track came off another; ``known``: whether the catalogue has it.
    """
    by_id = {c.id: c.family for c in classes}
    weight = dict.fromkeys(FAMILIES, 0.0)
    names = {"boost-glide": "glider", "space-launch": "space-launch", "sounding-rocket": "sounding-rocket"}
    total = sum(types.values())
    for id, given in types.items():
        share = given / total if total > 0.0 else 0.0
        family = names.get(by_id.get(id, "ballistic"))
        if family is not None:
            weight[family] += share
        else:
            for name, part in zip(("srbm", "mrbm", "irbm", "icbm"), ranges, strict=True):
                weight[name] += share * part
    launches = ("space-launch", "sounding-rocket", "srbm", "mrbm", "irbm", "icbm", "glider")
    up = 0.0 if clear is None else min(max(clear, 0.0), 1.0)
    for name in launches:
        if name != "space-launch":
            weight[name] *= (1.0 - up) + up * _IN_ORBIT
        if like_aircraft:
            weight[name] *= _LOW_AND_SLOW
    plume = _PLUME_OF_OTHERS if burned else 1.0
    weight["satellite"] = _PRIORS["satellite"] * plume * (up + (1.0 - up) * _COMING_DOWN)
    weight["aircraft"] = _PRIORS["aircraft"] * plume * (1.0 if like_aircraft else 1e-6)
    weight["debris"] = _PRIORS["debris"] * plume * ((1.0 - up) + up * _IN_ORBIT) * (_BORN_OF if split_off else 1.0)
    if like_aircraft:
        weight["debris"] *= _LOW_AND_SLOW
    if known:
        weight = {name: 1.0 if name == "satellite" else 1e-3 * w for name, w in weight.items()}
    total = sum(weight.values())
    real = min(max(p_real, 0.0), 1.0)
    if total <= 0.0:
        return {name: 1.0 if name == "false" else 0.0 for name in FAMILIES}
    made = {name: real * w / total for name, w in weight.items()}
    made["false"] = 1.0 - real
    return made
