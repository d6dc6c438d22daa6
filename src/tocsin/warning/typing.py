"""What kind of object it is: believed classes weighed by what was seen.

Scores are log likelihoods up to a constant common to all classes. A class that explains the data badly keeps a little
weight: beliefs are never exact, and a warning must not swear to a type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.wgs84 import R_MEAN
from tocsin.scenario.specs import FlightClass

Floats = NDArray[np.float64]

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
