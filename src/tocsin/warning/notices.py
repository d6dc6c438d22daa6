"""Whether a launch is one that was announced: the notices at hand against what is seen, by Bayes.

A notice says: with probability ``HONOURED`` a launch in this window, from within this distance of this place, on this
azimuth, of this class. Against it stands a launch that nobody has announced, as likely at any time and anywhere:
``UNANNOUNCED`` a year and million km2, on any azimuth, of any class. The density of what is seen under the one, over
both, is the probability that the launch is the announced one. What is seen is the estimated place and time of the
launch and, where there is one, of the impact, with their covariances: a poor estimate says little for and little
against.

These numbers are notional: no published figure was found for any of them. They hardly decide: a launch in a window of
hours and an area of tens of kilometres is thousands of times denser under its notice than under "anytime, anywhere", so
each may be wrong by ten times before the answer changes. A notice that is late, or of another launch, or of none, is no
different from a true one to whoever reads it; that is what the probability is for. One that is wrong in its class or
azimuth still counts, with ``WRONG``.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from tocsin.earth.geodesics import inverse
from tocsin.records.shapes import Announced, Estimate
from tocsin.scenario.specs import Announcement, NationSpec

HONOURED = 0.5  # a window is used: notional
UNANNOUNCED = 1.0 / (365.25 * 86400.0) / 1e12  # launches of no notice, 1/(s m2): one a year and million km2, notional
WRONG = 0.05  # a notice is wrong in its class, or in its azimuth: notional
LEAST_PLACE = 1e3  # m, 1 sigma that no estimate of a launch place stays under here: its own floor may be zero
LEAST_TIME = 1.0  # s
LEAST_AZIMUTH = math.radians(1.0)
NODES = 48
_X, _W = np.polynomial.legendre.leggauss(NODES)


class Notices:
    """The notices that have reached a nation."""

    def __init__(self, spec: NationSpec) -> None:
        self._known: dict[str, Announcement] = {}

    def take(self, notice: Announcement) -> None:
        """One more; it takes the place of the one that it replaces, unless its sender is another."""
        old = self._known.get(notice.replaces)
        if old is not None and old.sender == notice.sender:
            del self._known[notice.replaces]
        self._known[notice.id] = notice

    def match(self, launch: Estimate, impact: Estimate, types: dict[str, float]) -> tuple[Announced, ...]:
        """For each notice the probability that this is its launch, in the order in which they came. Zero for all as
        long as nothing can be said of the place and time of the launch.
        """
        if not self._known:
            return ()
        densities = [HONOURED * likelihood(notice, launch, impact, types) for notice in self._known.values()]
        total = UNANNOUNCED + sum(densities)
        return tuple(
            Announced(notice.id, notice.sender, density / total)
            for notice, density in zip(self._known.values(), densities, strict=True)
        )

    def state(self) -> list[bytes]:
        """Plain data to go on from."""
        return [msgspec.msgpack.encode(notice) for notice in self._known.values()]

    def load(self, state: list[Any]) -> None:
        """Go on from ``state``."""
        read = [msgspec.msgpack.decode(raw, type=Announcement) for raw in state]
        self._known = {notice.id: notice for notice in read}


def likelihood(notice: Announcement, launch: Estimate, impact: Estimate, types: dict[str, float]) -> float:
    """Density (1/(s m2)) of a launch as estimated under the notice; azimuth and class as ratios to a launch of which
    nothing is known.
    """
    if launch.mean is None or launch.cov_enu is None or launch.t_ns is None:
        return 0.0
    distance, azimuth, _ = inverse(notice.lat, notice.lon, launch.mean[0], launch.mean[1])
    east, north = distance * math.sin(azimuth), distance * math.cos(azimuth)
    place = disc_share(east, north, launch.cov_enu, notice.radius) / (math.pi * notice.radius**2)
    sigma_t = math.sqrt(max(launch.t_var or 0.0, LEAST_TIME**2))
    t0, t1, t = notice.t0_ns / 1e9, notice.t1_ns / 1e9, launch.t_ns / 1e9
    time = (_phi((t1 - t) / sigma_t) - _phi((t0 - t) / sigma_t)) / (t1 - t0)
    return place * time * _azimuth_ratio(notice, launch, impact) * _class_ratio(notice, types)


def _azimuth_ratio(notice: Announcement, launch: Estimate, impact: Estimate) -> float:
    """Density of the azimuth from launch to impact under the notice, over that of any azimuth being as good."""
    if notice.azimuth is None or launch.mean is None or launch.cov_enu is None:
        return 1.0
    if impact.kind != "gaussian" or impact.mean is None or impact.cov_enu is None:
        return 1.0
    distance, azimuth, _ = inverse(launch.mean[0], launch.mean[1], impact.mean[0], impact.mean[1])
    across = sum(max(c[0], c[3]) for c in (launch.cov_enu, impact.cov_enu))
    known = math.hypot(LEAST_AZIMUTH, math.atan2(math.sqrt(across), max(distance, 1.0)))
    sigma = math.hypot(known, notice.azimuth_spread)
    off = math.remainder(azimuth - notice.azimuth, 2.0 * math.pi)
    # the notice is wrong in this as seldom as in its class; then any azimuth is as good
    right = math.exp(-0.5 * (off / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi)) * 2.0 * math.pi
    return (1.0 - WRONG) * right + WRONG


def _class_ratio(notice: Announcement, types: dict[str, float]) -> float:
    """How much more the class as typed speaks for the announced one than one of all classes alike would."""
    if not notice.class_id or notice.class_id not in types:
        return 1.0
    return (1.0 - WRONG) * types[notice.class_id] * len(types) + WRONG


def disc_share(east: float, north: float, cov_enu: tuple[float, float, float, float], radius: float) -> float:
    """Share of a normal distribution in the plane about (``east``, ``north``) (m) with covariance ``cov_enu`` (m2, rows
    joined) that lies within ``radius`` of the origin.

    The long axis in closed form, the short one by Gauss-Legendre over where it is not nought, so that nothing is
    steeper than the nodes are apart; shares under 1e-12 come as nought.
    """
    a, b, c = cov_enu[0], 0.5 * (cov_enu[1] + cov_enu[2]), cov_enu[3]
    mean, half = 0.5 * (a + c), math.hypot(0.5 * (a - c), b)
    s1 = math.sqrt(max(mean - half, LEAST_PLACE**2))
    s2 = math.sqrt(max(mean + half, LEAST_PLACE**2))
    turn = 0.5 * math.atan2(2.0 * b, a - c) + 0.5 * math.pi  # of the short axis
    u0 = math.cos(turn) * east + math.sin(turn) * north
    v0 = -math.sin(turn) * east + math.cos(turn) * north
    low, high = max(-radius, u0 - 8.0 * s1), min(radius, u0 + 8.0 * s1)
    if high <= low:
        return 0.0
    share = 0.0
    for x, w in zip(_X.tolist(), _W.tolist(), strict=True):
        u = 0.5 * (low + high) + 0.5 * (high - low) * x
        v = math.sqrt(max(radius * radius - u * u, 0.0))
        inside = _phi((v - v0) / s2) - _phi((-v - v0) / s2)
        share += w * inside * math.exp(-0.5 * ((u - u0) / s1) ** 2)
    share *= 0.5 * (high - low) / (s1 * math.sqrt(2.0 * math.pi))
    return share if share > 1e-12 else 0.0


def _phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
