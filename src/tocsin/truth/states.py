"""Free flight from a state that somebody stated: a fragment, a tracked object, a flight whose launch is not known."""

from __future__ import annotations

import math

import numpy as np

from tocsin.dynamics.leap import climb_of
from tocsin.dynamics.precise import FreeBody, descend
from tocsin.earth.clock import to_ns, to_s
from tocsin.earth.frames import OMEGA_GMST, to_eci
from tocsin.earth.geodesics import inverse
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.scenario.specs import StateObject
from tocsin.truth.body import Body

HEIGHTS = (-1000.0, 1e9)  # m over the ellipsoid; deeper or farther is no flight that is meant
FASTEST = 50_000.0  # m/s over the ground


class StateImpossible(ValueError):  # noqa: N818 - the name says what is wrong
    """A state that cannot be flown from; ``constraint``: "number", "place", "speed" or "time"."""

    def __init__(self, who: str, constraint: str, text: str) -> None:
        super().__init__(f"{who}: {text}")
        self.constraint = constraint


def _check(thing: StateObject, end_ns: int | None) -> None:
    who = thing.id
    for name, value in zip(("x", "y", "z", "vx", "vy", "vz"), thing.state, strict=True):
        if not math.isfinite(value):
            raise StateImpossible(who, "number", f"{name} must be a finite number, found {value}")
    if not (math.isfinite(thing.beta) and thing.beta >= 0.0):
        raise StateImpossible(who, "number", f"beta must be 0 kg/m2 (no drag) or more, found {thing.beta:g}")
    if not (math.isfinite(thing.rcs) and thing.rcs > 0.0):
        raise StateImpossible(who, "number", f"rcs must be above 0 m2, found {thing.rcs:g}")
    last = -1.0
    for i, (mach, factor) in enumerate(thing.drag_mach):
        if not (math.isfinite(mach) and mach > last and mach >= 0.0):
            raise StateImpossible(who, "number", f"drag_mach {i + 1}: Mach numbers must rise from 0 on, found {mach:g}")
        if not (math.isfinite(factor) and factor >= 0.0):
            raise StateImpossible(who, "number", f"drag_mach {i + 1}: the factor must be 0 or more, found {factor:g}")
        last = mach
    if not (math.isfinite(thing.lasts) and thing.lasts > 0.0):
        raise StateImpossible(who, "time", f"it must last more than 0 s, found {thing.lasts:g}")
    if end_ns is not None and end_ns <= thing.at_ns:
        raise StateImpossible(
            who, "time", f"it begins at {to_s(thing.at_ns):.3f} s, not before the end at {to_s(end_ns):.3f} s"
        )
    h = float(ecef_to_geodetic(np.array(thing.state[:3]))[2]) if math.hypot(*thing.state[:3]) > 1e6 else -math.inf
    if not HEIGHTS[0] <= h <= HEIGHTS[1]:
        raise StateImpossible(who, "place", f"height must lie between {HEIGHTS[0]:g} and {HEIGHTS[1]:g} m, found {h:g}")
    speed = math.hypot(*thing.state[3:])
    if speed > FASTEST:
        raise StateImpossible(who, "speed", f"speed must be at most {FASTEST:g} m/s, found {speed:.0f}")
    # in axes that turn with the Earth, velocities over the ground
    if h <= 0.0 and climb_of(*thing.state) <= 0.0:
        raise StateImpossible(who, "place", f"it is under the ground ({h:.0f} m) and does not rise")


def state_body(thing: StateObject, theta0: float, end_ns: int | None = None) -> Body:
    """The free flight from a state until it comes down, has lasted as long as it may, or ``end_ns``, whichever is
    first.

    ``theta0``: sidereal angle (rad) of the scenario's epoch. Events: "apogee" if it still rises at first and lasts that
    long, "entry" (sinking through 100 km), "impact" if it comes down. ``facts``: ``apogee`` (m, the highest reached),
    ``duration`` (s), and if it comes down ``impact_lat``, ``impact_lon`` (rad), ``impact_speed`` (m/s), ``range`` (m
    over the ground from where it began). Raises StateImpossible for what cannot be flown.
    """
    _check(thing, end_ns)
    longest = thing.lasts if end_ns is None else min(thing.lasts, to_s(end_ns - thing.at_ns))
    theta = theta0 + OMEGA_GMST * to_s(thing.at_ns)
    began = np.array(thing.state)
    flown = descend(to_eci(began, theta), 0.0, theta, FreeBody(thing.beta, thing.drag_mach), longest_s=longest)
    duration = float(flown.nodes[-1, 0])
    facts = {"duration": duration}
    events = []
    if math.isfinite(flown.apogee_s):
        facts["apogee"] = flown.apogee
        if flown.apogee_s > 0.0:
            events.append(("apogee", thing.at_ns + to_ns(flown.apogee_s)))
    if math.isfinite(flown.entry_s):
        events.append(("entry", thing.at_ns + to_ns(flown.entry_s)))
    if flown.hit:
        # down, so that the time lies within the nodes
        events.append(("impact", thing.at_ns + math.floor(flown.impact_s * 1e9)))
        lat, lon, _ = ecef_to_geodetic(began[:3])
        facts["impact_lat"], facts["impact_lon"] = flown.lat, flown.lon
        facts["impact_speed"] = flown.impact_speed
        facts["range"] = inverse(float(lat), float(lon), flown.lat, flown.lon)[0]
    events.sort(key=lambda e: e[1])
    return Body(
        thing.id, thing.key, thing.class_id, "state", "", thing.at_ns, flown.nodes, tuple(events), (), thing.at_ns,
        thing.rcs, thing.rcs, facts,
    )  # fmt: skip
