"""Launches to orbit as they happen: class parameters drawn, the ascent solved, the orbit followed.

The ascent is solved in ``truth.ascents``. After a coast the last stage may burn once more, over the local horizon, into
a second orbit that touches the first. After the last burn gravity with J2 and drag carry the object on.

Nothing here is any launcher's guidance: it is the textbook ascent (Bryson and Ho, 1975, section 2.7) with a class's
numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.ascent import (
    ALONG_HORIZON,
    fly_program,
    program_rows,
)
from tocsin.dynamics.kernels import LONGEST_FALL_S
from tocsin.dynamics.precise import FreeBody, descend
from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import MU, A, geodetic_of
from tocsin.scenario.specs import FlightClass, FlightObject, TargetOrbit
from tocsin.truth.ascents import SCALES, SOLVED, STEP_S, Ascent, Trial, geocentric_latitude, newton, osculating
from tocsin.truth.body import Body
from tocsin.truth.classes import FlightImpossible, draw_class, nominal_class

Array = NDArray[np.float64]

ATTEMPTS = 8  # draws of the class parameters before a launch is called impossible
TOUCH_M = 30e3  # a second orbit has to come this near to an apsis of the first
_EASY_LOW_M = 140e3  # nothing stays in an orbit under this for long
_FALLS_M = 120e3  # an orbit whose perigee lies under this is not called one
_ROUND_M = 20e3  # orbits with less between perigee and apogee have no apsis to speak of


class LaunchImpossible(FlightImpossible):
    """No ascent of its class reaches the orbit asked for.

    ``constraint``: "inclination", "thrust" or "raised"; ``nearest_orbit``: the nearest orbit that can be entered, None
    where there is none; ``nearest``: its perigee and apogee.
    """

    def __init__(self, text: str, constraint: str, nearest_orbit: TargetOrbit | None) -> None:
        where = None if nearest_orbit is None else (nearest_orbit.perigee, nearest_orbit.apogee)
        super().__init__(text, constraint, where)
        self.nearest_orbit = nearest_orbit


def _fly(pieces: Array, axes: Array, x6: Array, beta: float) -> Array:
    out = np.empty((program_rows(pieces, STEP_S), 10))
    used = fly_program(pieces, axes, x6, beta, STEP_S, out)
    return out[:used]


def _coast(x6: Array, t0: float, t1: float, beta: float) -> Array:
    """Nodes of free flight from ``t0`` to ``t1``, or to the ground."""
    return descend(x6, t0, 0.0, FreeBody(beta), longest_s=t1 - t0).nodes


def _raise(
    orbit: TargetOrbit, ascent: Ascent, x6: Array, drawn: dict[str, float], stages: int
) -> tuple[Array, float, Array] | None:
    """Pieces of the second burn, its start (s) and the state there; None if the stage cannot.

    Raises LaunchImpossible where the second orbit does not touch the first.
    """
    assert orbit.raised is not None
    thrust, exhaust = drawn[f"stage{stages}.thrust"], drawn[f"stage{stages}.exhaust"]
    spent = ascent.end_s - ascent.pieces[-1, 0]
    restart = thrust / (1.0 - thrust * spent / exhaust)
    left = drawn[f"stage{stages}.burn"] - spent
    low, high = sorted(orbit.raised)
    a = A + 0.5 * (orbit.perigee + orbit.apogee)
    period = 2.0 * math.pi * math.sqrt(a**3 / MU)
    if orbit.apogee - orbit.perigee < _ROUND_M:  # left at an equator crossing, so that the apsides lie over it
        nodes = _coast(x6, ascent.end_s, ascent.end_s + 1.2 * period, drawn["beta"])
        ahead = nodes[:, 0] > ascent.end_s + 0.5 * left + 60.0
        crossing = np.nonzero(ahead[:-1] & (nodes[:-1, 3] * nodes[1:, 3] <= 0.0))[0]
        if len(crossing) and abs(math.sin(orbit.inclination)) > 0.02:
            i = int(crossing[0])
            part = nodes[i, 3] / (nodes[i, 3] - nodes[i + 1, 3]) if nodes[i, 3] != nodes[i + 1, 3] else 0.0
            middle = float(nodes[i, 0] + part * (nodes[i + 1, 0] - nodes[i, 0]))
        else:
            middle = ascent.end_s + 0.5 * period
        here = 0.5 * (orbit.perigee + orbit.apogee)
        touched = min((low, high), key=lambda h: abs(h - here))
    else:
        choices = [(abs(to - at), k, at, to) for k, at in ((0, orbit.apogee), (1, orbit.perigee)) for to in (low, high)]
        _, k, here, touched = min(choices)
        middle = _apsis(x6, ascent.end_s + (0.5 + 0.5 * k) * period, ascent.end_s, drawn["beta"])
    if abs(touched - here) > TOUCH_M:
        other = high if touched == low else low
        nearest = TargetOrbit(
            orbit.perigee, orbit.apogee, orbit.inclination, orbit.northward, (min(here, other), max(here, other))
        )
        raise LaunchImpossible(
            f"one more burn does not lead from {orbit.perigee / 1e3:.0f} x {orbit.apogee / 1e3:.0f} km to"
            f" {low / 1e3:.0f} x {high / 1e3:.0f} km: the second orbit must touch the first at its perigee or apogee;"
            f" nearest: {min(here, other) / 1e3:.0f} x {max(here, other) / 1e3:.0f} km",
            "raised",
            nearest,
        )
    radius = A + touched
    speed = math.sqrt(MU * (2.0 / radius - 2.0 / (2.0 * A + low + high)))
    now = math.sqrt(MU * (2.0 / (A + here) - 1.0 / a))
    if speed <= now:
        raise LaunchImpossible(
            f"the second orbit ({low / 1e3:.0f} x {high / 1e3:.0f} km) must lie over the first", "raised", None
        )
    guess = exhaust / restart * (1.0 - math.exp(-(speed - now) / exhaust))
    start = middle - 0.5 * guess
    begun = _coast(x6, ascent.end_s, start, drawn["beta"])[-1, 1:7].copy()
    longest = 0.985 * exhaust / restart
    if guess >= longest or start <= ascent.end_s:
        return None

    def pieces(at: Array) -> Array:
        end = start + float(at[2])
        return np.array([(start, end, start, restart, exhaust, ALONG_HORIZON, float(at[0]), float(at[1]))])

    def miss(at: Array) -> Array | None:
        if not 0.1 < at[2] < longest:
            return None
        x = _fly(pieces(at), ascent.axes[-1:], begun, drawn["beta_boost"])[-1, 1:7]
        r = math.sqrt(float(x[:3] @ x[:3]))
        climb = float(x[3:] @ x[:3]) / r
        return np.array([r - radius, climb, math.sqrt(max(float(x[3:] @ x[3:]) - climb * climb, 0.0)) - speed])

    def miss_size(at: Array) -> Array | None:
        # no more than the climb and the size of the orbit, where the burn is too short to change its height
        there = miss(np.array([at[0], 0.0, at[1]]))
        if there is None:
            return None
        r = radius + float(there[0])
        return np.array([there[1], there[2] + speed - math.sqrt(MU * (2.0 / r - 2.0 / (2.0 * A + low + high)))])

    found = newton(
        miss, np.array([0.0, 0.0, guess]), np.array([1e-6, 1e-8, 1e-4]), SCALES[:3], SOLVED[:3],
        np.array([0.3, 0.05, 0.3 * guess]),
    )  # fmt: skip
    if found is None:
        rough = newton(
            miss_size, np.array([0.0, guess]), np.array([1e-6, 1e-4]), SCALES[1:3], SOLVED[1:3],
            np.array([0.3, 0.3 * guess]),
        )  # fmt: skip
        found = None if rough is None else np.array([rough[0], 0.0, rough[1]])
    if found is None or found[2] > left:
        return None
    return pieces(found), start, begun


def _apsis(x6: Array, about: float, now: float, beta: float) -> float:
    """When the climb changes its sign next to the time ``about`` (s), where two bodies alone would have it."""
    nodes = _coast(x6, now, about + 0.1 * (about - now), beta)
    climbs = np.sum(nodes[:, 1:4] * nodes[:, 4:7], axis=1)
    turns = np.nonzero(climbs[:-1] * climbs[1:] <= 0.0)[0]
    if not len(turns):
        return about
    i = int(min(turns, key=lambda k: abs(nodes[k, 0] - about)))
    part = climbs[i] / (climbs[i] - climbs[i + 1]) if climbs[i] != climbs[i + 1] else 0.0
    return float(nodes[i, 0] + part * (nodes[i + 1, 0] - nodes[i, 0]))


def _check(thing: FlightObject, flight_class: FlightClass) -> TargetOrbit:
    """The orbit asked for, if it can be asked for at all."""
    orbit = thing.orbit
    if orbit is None:
        raise ValueError(f"{thing.id}: a launch to orbit needs an orbit")
    who = f"{thing.id}: class {flight_class.id}"
    if len(flight_class.stages) < 2:
        raise LaunchImpossible(
            f"{who} has {len(flight_class.stages)} stage(s); an ascent to orbit needs two", "thrust", None
        )
    heights = [orbit.perigee, orbit.apogee, *(orbit.raised or ())]
    if not all(math.isfinite(h) for h in heights) or not _EASY_LOW_M <= orbit.perigee <= orbit.apogee:
        raise ValueError(
            f"{thing.id}: the orbit's perigee must be at least {_EASY_LOW_M / 1e3:.0f} km and its apogee no lower,"
            f" found {orbit.perigee / 1e3:.0f} x {orbit.apogee / 1e3:.0f} km"
        )
    if orbit.raised is not None and not _EASY_LOW_M <= orbit.raised[0] <= orbit.raised[1]:
        raise ValueError(
            f"{thing.id}: the raised orbit's perigee must be at least {_EASY_LOW_M / 1e3:.0f} km and its apogee no"
            f" lower, found {orbit.raised[0] / 1e3:.0f} x {orbit.raised[1] / 1e3:.0f} km"
        )
    if not 0.0 <= orbit.inclination <= math.pi:
        raise ValueError(f"{thing.id}: inclination must be 0 to 180 deg, found {math.degrees(orbit.inclination):.6g}")
    least = abs(geocentric_latitude(thing.lat))
    allowed = min(max(orbit.inclination, least), math.pi - least)
    if abs(allowed - orbit.inclination) > math.radians(0.005):
        raise LaunchImpossible(
            f"{who} cannot enter an orbit of {math.degrees(orbit.inclination):.2f} deg from latitude"
            f" {math.degrees(thing.lat):.2f} deg without leaving its plane: inclinations from there lie between"
            f" {math.degrees(least):.2f} and {180.0 - math.degrees(least):.2f} deg; nearest:"
            f" {math.degrees(allowed):.2f} deg",
            "inclination",
            msgspec.structs.replace(orbit, inclination=allowed),
        )
    return orbit


def _why_not(
    thing: FlightObject, orbit: TargetOrbit, flight_class: FlightClass, drawn: dict[str, float], theta: float
) -> LaunchImpossible:
    """What stands against a launch, and the nearest orbit of the nominal class: the apogee, then both are lowered."""
    stages = len(flight_class.stages)
    who = f"{thing.id}: class {flight_class.id}"
    asked = f"{orbit.perigee / 1e3:.0f} x {orbit.apogee / 1e3:.0f} km at {math.degrees(orbit.inclination):.1f} deg"
    if drawn["stage1.thrust"] < 10.0:
        return LaunchImpossible(
            f"{who} does not lift off: its first stage gives {drawn['stage1.thrust']:.1f} m/s2", "thrust", None
        )

    def flies(perigee: float, apogee: float) -> Ascent | None:
        lower = msgspec.structs.replace(orbit, perigee=perigee, apogee=apogee, raised=None)
        return Trial(thing, lower, drawn, stages, theta).ascent()

    def highest(low: float, high: float, make: Callable[[float], Ascent | None]) -> float:
        while high - low > 5e3:
            middle = 0.5 * (low + high)
            low, high = (middle, high) if make(middle) is not None else (low, middle)
        return low

    perigee, apogee = orbit.perigee, orbit.apogee
    if orbit.raised is not None and flies(perigee, apogee) is not None:
        return LaunchImpossible(
            f"{who} reaches {asked} but has not the propellant for {orbit.raised[0] / 1e3:.0f} x"
            f" {orbit.raised[1] / 1e3:.0f} km after it; nearest: {perigee / 1e3:.0f} x {apogee / 1e3:.0f} km",
            "thrust",
            msgspec.structs.replace(orbit, raised=None),
        )
    if apogee > perigee and flies(perigee, perigee) is not None:
        apogee = highest(perigee, apogee, lambda h: flies(perigee, h))
    elif flies(_EASY_LOW_M, _EASY_LOW_M) is not None:
        perigee = apogee = highest(_EASY_LOW_M, perigee, lambda h: flies(h, h))
    else:
        return LaunchImpossible(f"{who} reaches no orbit at that inclination (asked: {asked})", "thrust", None)
    return LaunchImpossible(
        f"{who} has not the thrust for {asked}; nearest: {perigee / 1e3:.0f} x {apogee / 1e3:.0f} km",
        "thrust",
        msgspec.structs.replace(orbit, perigee=perigee, apogee=apogee, raised=None),
    )


def solve_launch(thing: FlightObject, flight_class: FlightClass, theta0: float, seed: int, end_ns: int) -> Body:
    """The launch of one object into ``thing.orbit``, followed until ``end_ns`` at least (scenario time) or the ground.

    ``theta0``: sidereal angle of the epoch (rad). Perigee, apogee (1 km) and inclination (0.01 deg) are those of the
    osculating orbit when it is entered; after that it flies on under gravity with J2 and drag. The launch is by an
    object of the class that can reach the orbit: parameters with which it cannot are drawn again, up to ``ATTEMPTS``
    times. ``thing.cutoff`` ends thrust early, whatever was solved for; what then does not stay up falls back.

    Events: launch, separation (end of the first stage's burn), burnout and orbit each time thrust ends in an orbit,
    apogee, entry and impact of what falls back. Facts: what was drawn; ``kick``, ``azimuth``, ``yaw``, ``tangent``,
    ``tangent_rate`` (of the solved program), ``insertion_s`` (s after launch), ``perigee``, ``apogee`` (m over the
    equator's radius), ``inclination``, ``raan`` of the osculating orbit when thrust ends for good, ``staging_height``,
    ``staging_speed``, ``end_height``, ``end_speed`` (where the first stage and the ascent end; speeds over the ground),
    ``launch_lat``, ``launch_lon``, and ``impact_lat``, ``impact_lon``, ``impact_ns`` of what comes down. A second burn
    of a few seconds cannot change its height: there the size of the orbit is as asked, and perigee and apogee are off
    by as far as J2 has moved the point where it burns (kilometres).

    Raises LaunchImpossible with the constraint and the nearest orbit, ValueError for an orbit that is none.
    """
    orbit = _check(thing, flight_class)
    theta = theta0 + OMEGA_GMST * to_s(thing.launch_ns)
    stages = len(flight_class.stages)
    for attempt in range(ATTEMPTS):
        drawn = draw_class(flight_class, seed, thing.key, attempt)
        ascent = Trial(thing, orbit, drawn, stages, theta).ascent()
        if ascent is None:
            continue
        trial = Trial(thing, orbit, drawn, stages, theta)
        nodes = _fly(ascent.pieces, ascent.axes, trial.rest, trial.beta)
        second = None
        if orbit.raised is not None:
            try:
                second = _raise(orbit, ascent, nodes[-1, 1:7].copy(), drawn, stages)
            except LaunchImpossible as raised:
                raise LaunchImpossible(
                    f"{thing.id}: class {flight_class.id}: {raised}", raised.constraint, raised.nearest_orbit
                ) from None
            if second is None:
                continue
        return _body(thing, ascent, second, drawn, trial, theta, end_ns)
    raise _why_not(thing, orbit, flight_class, draw_class(nominal_class(flight_class), seed, thing.key), theta)


def _cut(pieces: Array, cutoff: float) -> Array:
    """The pieces until ``cutoff``."""
    out = pieces[pieces[:, 0] < cutoff].copy()
    out[:, 1] = np.minimum(out[:, 1], cutoff)
    return out


def _over_ground(row: Array) -> tuple[float, float]:
    """Height (m) and speed over the ground (m/s) of a node."""
    _, _, h = geodetic_of(row[1], row[2], row[3])
    return h, math.hypot(row[4] + OMEGA_GMST * row[2], row[5] - OMEGA_GMST * row[1], row[6])


def _body(
    thing: FlightObject, ascent: Ascent, second: tuple[Array, float, Array] | None, drawn: dict[str, float],
    trial: Trial, theta: float, end_ns: int,
) -> Body:  # fmt: skip
    launch = thing.launch_ns
    cutoff = thing.cutoff if thing.cutoff > 0.0 else math.inf
    parts: list[Array] = []
    powered: list[tuple[float, float, float]] = []  # start, end, intensity

    def burn(pieces: Array, x6: Array, beta: float, stage: int) -> Array:
        cut = _cut(pieces, cutoff)
        nodes = _fly(cut, ascent.axes[-len(pieces) :][: len(cut)], x6, beta)
        parts.append(nodes)
        for p in cut:
            if p[3] > 0.0:
                if powered and p[2] < p[0] and powered[-1][1] == p[0]:
                    powered[-1] = (powered[-1][0], float(p[1]), powered[-1][2])
                else:
                    number = stage or 1 + [s for s, _ in trial.burns].index(p[2])
                    powered.append((float(p[0]), float(p[1]), drawn[f"stage{number}.intensity"]))
        return np.asarray(nodes[-1, 1:7].copy())

    x = burn(ascent.pieces, trial.rest, trial.beta, 0)
    staging = trial.burns[0][1]
    events = [("launch", 0.0)]
    if cutoff > staging:
        events.append(("separation", staging))
    now = min(ascent.end_s, cutoff)
    events.append(("burnout", powered[-1][1]))
    facts = {
        **drawn, "kick": ascent.kick, "azimuth": ascent.azimuth, "yaw": ascent.yaw, "tangent": ascent.tangent[0],
        "tangent_rate": ascent.tangent[1], "insertion_s": ascent.end_s, "launch_lat": thing.lat,
        "launch_lon": thing.lon,
    }  # fmt: skip
    at = int(np.searchsorted(parts[0][:, 0], min(staging, now), side="right")) - 1
    facts["staging_height"], facts["staging_speed"] = _over_ground(parts[0][at])
    facts["end_height"], facts["end_speed"] = _over_ground(parts[0][-1])
    if cutoff >= ascent.end_s:
        events.append(("orbit", now))
        if second is not None and cutoff > second[1]:
            parts.append(_coast(x, now, second[1], drawn["beta"]))
            x = burn(second[0], parts[-1][-1, 1:7].copy(), drawn["beta_boost"], trial.stages)
            now = powered[-1][1]
            events += [("burnout", now), ("orbit", now)]
    orbit = osculating(x)
    facts["perigee"], facts["apogee"] = orbit.perigee, orbit.apogee
    facts["inclination"], facts["raan"] = orbit.inclination, orbit.raan
    # what falls back is followed to the ground, what stays up to the end of the scenario
    longest = max((end_ns - launch) / 1e9 - now, 1.0 if orbit.perigee > _FALLS_M else LONGEST_FALL_S)
    down = descend(x, now, theta, FreeBody(drawn["beta"]), longest_s=longest)
    parts.append(down.nodes)
    if down.hit:
        if orbit.perigee <= _FALLS_M and down.apogee_s > now:
            events.append(("apogee", down.apogee_s))
        if math.isfinite(down.entry_s):
            events.append(("entry", down.entry_s))
        events.append(("impact", down.impact_s))
        facts["impact_lat"], facts["impact_lon"] = down.lat, down.lon
        facts["impact_ns"] = float(launch + math.floor(down.impact_s * 1e9))
    last_thrust = launch + round(powered[-1][1] * 1e9)
    return Body(
        thing.id, thing.key, thing.class_id, "launch", "", launch, np.concatenate(parts),
        tuple((name, launch + (math.floor(t * 1e9) if name == "impact" else round(t * 1e9))) for name, t in events),
        tuple((launch + round(t0 * 1e9), launch + round(t1 * 1e9), w) for t0, t1, w in powered),
        last_thrust, drawn["rcs_boost"], drawn["rcs"], facts,
    )  # fmt: skip
