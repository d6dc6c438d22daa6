"""What a phased array does with its time: a search that takes its share, and looks at what it holds in the rest.

A scan period is the radar's cycle. In each cycle the search (fence or volume) takes ``search_share`` of the time and
has a look at everything it passes. What remains is spent on single looks, in this order: what a centre asked for (cued
radars only), then the objects held in track whose last look is ``track_period`` or more ago, the longest waiting first.
An object has at most one look a cycle, so that the shortest revisit is the scan period.

A look at the reference range takes ``dwell``; so that the SNR is held its time goes with range to the fourth power and
with the loss off the boresight, from a sixteenth of ``dwell`` to sixteen times (then the SNR falls again). When time
runs out the rest waits: revisits stretch, and the scan says that the radar is degraded.

An object is held from its first detection; three looks in a row without a detection, or ten track periods without a
look, end that. A false detection takes a look to be found false, which comes off the next cycle's time. The radar
points where its own returns say; that the object is still within the beam there is taken for granted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_ns
from tocsin.scenario.specs import Radar

LEAST, MOST = 1.0 / 16.0, 16.0  # of a look's time, in dwells
MISSES = 3  # looks in a row without a detection that end a track
FORGET = 10.0  # track periods without a look that end it
_LEAST_COS = 0.2


class Strain(NamedTuple):
    """How a scan went: single looks that were due, those that were made, s that they took and s that there were."""

    scan: int
    wanted: int
    made: int
    used: float
    had: float


class Wish(NamedTuple):
    """A centre's wish in one scan: which of the scan's pairs a look there would pass, how many beam places it takes, s
    that each takes.
    """

    pairs: NDArray[np.int64]
    places: int
    each: float


@dataclass
class Held:
    """An object in track: time of the last look (ns), range of the last detection (m), cosine off the boresight then,
    looks since without a detection.
    """

    looked: int
    range: float
    cos_off: float
    missed: int = 0


@dataclass(frozen=True)
class Plan:
    """The looks of one scan: which of its pairs, the factor on the SNR of each, the keys that were looked for."""

    pairs: NDArray[np.int64]
    factor: NDArray[np.float64]
    keys: dict[int, int] = field(repr=False)  # key to time of the look (ns)
    strain: Strain


def scheduled(radar: Radar) -> bool:
    """Whether a radar does anything but look at everything once a scan."""
    return radar.fence is not None or radar.track_period > 0.0 or radar.scheduling != "local"


def look_time(radar: Radar, range_m: float, cos_off: float = 1.0) -> float:
    """Seconds that a single look at ``range_m`` takes, ``cos_off``: cosine of the angle off the boresight."""
    needed = (range_m / radar.reference_range) ** 4 / max(cos_off, _LEAST_COS) ** 3
    return radar.dwell * min(max(needed, LEAST), MOST)


def look_factor(radar: Radar, range_m: float, cos_off: float = 1.0) -> float:
    """Factor on the SNR of such a look against one of ``dwell``: its time over ``dwell``."""
    return look_time(radar, range_m, cos_off) / radar.dwell if radar.dwell > 0.0 else 1.0


def search_places(radar: Radar) -> float:
    """How many beam places the search covers: its solid angle over that of the beam."""
    low, high = radar.fence if radar.fence is not None else (max(radar.el_min, 0.0), radar.el_max)
    width = (radar.sector[1] - radar.sector[0]) % (2.0 * math.pi) or 2.0 * math.pi
    lines = max(math.sin(high) - math.sin(low), 0.0)
    return max(width * lines / (radar.beam_az * radar.beam_el), width / radar.beam_az)


def search_time(radar: Radar) -> float:
    """Shortest scan period (s) in which the search can look at every place for ``dwell`` within its share of time."""
    return search_places(radar) * radar.dwell / radar.search_share


class Schedule:
    """What one radar holds in track and owes. Raises ValueError where its parameters make no sense."""

    def __init__(self, name: str, radar: Radar) -> None:
        if radar.scheduling not in {"local", "cued"}:
            raise ValueError(f"{name}: scheduling {radar.scheduling!r}; local or cued")
        if not 0.0 < radar.search_share <= 1.0:
            raise ValueError(f"{name}: a search that takes {radar.search_share} of the time; more than 0 to 1")
        if radar.track_period < 0.0 or radar.dwell < 0.0:
            raise ValueError(f"{name}: a track period of {radar.track_period} s, a dwell of {radar.dwell} s; 0 or more")
        if radar.fence is not None and not radar.el_min <= radar.fence[0] < radar.fence[1] <= radar.el_max:
            raise ValueError(f"{name}: a fence from {radar.fence[0]} to {radar.fence[1]} rad; within its elevations")
        self._radar = radar
        self._period = to_ns(radar.track_period)
        self._held: dict[int, Held] = {}
        self._owed = 0.0

    def __len__(self) -> int:
        """How many objects it holds in track."""
        return len(self._held)

    def plan(
        self,
        scan: int,
        t0_ns: int,
        t1_ns: int,
        keys: NDArray[np.uint64],
        t_ns: NDArray[np.int64],
        look: NDArray[np.float64],
        wishes: Sequence[Wish] = (),
    ) -> Plan:
        """Share out a scan's time over the pairs in sight: objects' ``keys (n,)``, times of a look ``t_ns (n,)``, what
        it would be ``look (n, 6)`` (columns of ``radar_kernels``).
        """
        r = self._radar
        low, high = r.fence if r.fence is not None else (r.el_min, r.el_max)
        factor = np.where((look[:, 2] >= low) & (look[:, 2] <= high), 1.0, 0.0)
        looked = {int(keys[i]): int(t_ns[i]) for i in np.flatnonzero(factor)}
        had = (t1_ns - t0_ns) / 1e9 * (1.0 - r.search_share)
        used = min(self._owed, had)
        wanted = made = 0
        full = False
        for wish in wishes:
            wanted += 1
            cost = wish.places * wish.each
            if full or (used + cost > had and used > 0.0):
                full = True
                continue
            made += 1
            used += cost
            share = wish.each / r.dwell if r.dwell > 0.0 else 1.0
            for i in wish.pairs.tolist():
                factor[i] = max(factor[i], share)
                looked[int(keys[i])] = int(t_ns[i])
        place = {int(k): i for i, k in enumerate(keys)}
        waiting = []
        for key, held in self._held.items() if self._period > 0 else ():
            i = place.get(key)
            t = int(t_ns[i]) if i is not None else (t0_ns + t1_ns) // 2
            if key not in looked and t - held.looked >= self._period:
                waiting.append((held.looked, key, t, held, i))
        for _, key, t, held, i in sorted(waiting, key=lambda w: w[:2]):
            wanted += 1
            cost = look_time(r, held.range, held.cos_off)
            if full or (used + cost > had and used > 0.0):
                full = True
                continue
            made += 1
            used += cost
            looked[key] = t
            if i is not None:
                factor[i] = look_factor(r, held.range, held.cos_off)
        pairs = np.flatnonzero(factor)
        return Plan(pairs, factor[pairs], looked, Strain(scan, wanted, made, used, had))

    def learn(
        self,
        plan: Plan,
        t1_ns: int,
        keys: NDArray[np.uint64],
        ranges: NDArray[np.float64],
        cos_off: NDArray[np.float64],
        false_ranges: NDArray[np.float64],
    ) -> None:
        """Take in what the looks of ``plan`` brought: keys of the objects detected, their measured ranges and cosines
        off the boresight ``(m,)``, ranges of false detections.
        """
        r = self._radar
        for key, range_m, cosine in zip(keys.tolist(), ranges.tolist(), cos_off.tolist(), strict=True):
            self._held[key] = Held(plan.keys[key], range_m, cosine)
        seen = set(keys.tolist())
        for key, t in plan.keys.items():
            held = self._held.get(key)
            if held is not None and key not in seen:
                held.looked = t
                held.missed += 1
        longest = max(FORGET * self._period, t1_ns - min(plan.keys.values(), default=t1_ns))
        self._held = {k: h for k, h in self._held.items() if h.missed < MISSES and t1_ns - h.looked <= longest}
        self._owed = sum(look_time(r, range_m) for range_m in false_ranges.tolist()) if self._period > 0 else 0.0

    def state(self) -> dict[str, Any]:
        """Plain data from which ``load`` goes on exactly."""
        held = [[k, h.looked, h.range, h.cos_off, h.missed] for k, h in sorted(self._held.items())]
        return {"held": held, "owed": self._owed}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state()``."""
        self._held = {int(k): Held(int(t), float(r), float(c), int(m)) for k, t, r, c, m in state.get("held", [])}
        self._owed = float(state.get("owed", 0.0))
