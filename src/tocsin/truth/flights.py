"""Ballistic flights as they happen: class parameters drawn, the boost program solved, the ephemeris flown.

An object is given by its site, where it comes down (azimuth and range, or the end point), and one thing more: its
apogee, its time of flight, or its shape (minimum energy, lofted, depressed). What its class leaves open is solved with
boost, drag and the Earth's rotation in the loop: the final elevation and the azimuth of thrust and, by
``class.energy``, either the cut-off time or a common factor on all specific thrusts (as a lighter or heavier payload
would give). But for minimum energy nothing is optimised: the flight is the one that the scenario describes, or there is
none. Thrust may end before its time (``cutoff``); the flight then ends where that leaves it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.boost import BoostPlan, trajectory
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.wgs84 import A
from tocsin.scenario.specs import FlightClass, FlightObject, WorldSpec
from tocsin.truth.body import Body
from tocsin.truth.classes import ATTEMPTS, FlightImpossible, draw_class, nominal_class
from tocsin.truth.descent import ENTRY_HEIGHT, crossing, follow, whole_ns
from tocsin.truth.trials import Asked, Survey, Trial, Trials, ends, farthest, find, passes, peak, survey, sweep

STEP_S = 1.0  # boost is integrated in steps of this length at most: 5 cm from steps of 0.05 s at the cut-off
SHAPES = ("minimum-energy", "lofted", "depressed")
_LEAST_RANGE = 1e3  # m


@dataclass(frozen=True)
class Flight:
    """One flight as it happens.

    ``drawn``: the class parameters drawn for it, by name, and the solved ``thrust_scale``; ``plan``: as flown, with an
    early end of thrust in it; ``burns``: start, end (ns), intensity (W/sr) of each burn; times on the scenario's clock
    (ns), lengths m, angles rad; ``range``: along the geodesic from the site; ``beta``: kg/m2 after boost;
    ``rcs_boost``, ``rcs``: m2; ``nodes (m, 10)``: the ephemeris, times in s since launch.

    Where thrust ends before the last stage has ignited nothing has come apart: ``beta`` and ``rcs`` are then those of
    the boost.
    """

    object: FlightObject
    drawn: dict[str, float]
    plan: BoostPlan
    launch_ns: int
    cutoff_ns: int
    burns: tuple[tuple[int, int, float], ...]
    apogee_ns: int
    apogee: float
    impact_ns: int
    impact_lat: float
    impact_lon: float
    range: float
    impact_speed: float
    beta: float
    rcs_boost: float
    rcs: float
    nodes: NDArray[np.float64] = field(compare=False, repr=False)


def _first_plan(thing: FlightObject, drawn: dict[str, float], stages: int) -> BoostPlan:
    table = []
    ignition = 0.0
    for i in range(1, stages + 1):
        burn = drawn[f"stage{i}.burn"]
        table.append((ignition, burn, drawn[f"stage{i}.thrust"], drawn[f"stage{i}.exhaust"]))
        ignition += burn + drawn[f"stage{i}.coast"]
    return BoostPlan(
        tuple(table), drawn["vertical"], drawn["pitch"], 0.5 * math.pi, thing.azimuth, math.inf, drawn["beta_boost"],
        thing.lat, thing.lon, thing.h, thing.launch_ns,
    )  # fmt: skip


def solve(thing: FlightObject, flight_class: FlightClass, theta0: float, seed: int) -> Flight:
    """The flight of one object.

    What flew is an object of its class that could: parameters with which the flight cannot be flown are drawn again, up
    to ``ATTEMPTS`` times. Raises FlightImpossible, naming the constraint and the nearest flight of the nominal class,
    if all fail, and ValueError for what is no way to ask for a flight (see ``asked_of``).
    """
    if flight_class.energy not in ("cutoff", "thrust"):
        raise ValueError(f"class {flight_class.id}: energy must be 'cutoff' or 'thrust', found {flight_class.energy!r}")
    if not flight_class.stages:
        raise FlightImpossible(f"class {flight_class.id} has no stage to fly", "thrust", None)
    asked = asked_of(thing)
    nominal = nominal_class(flight_class)
    for attempt in range(1 if nominal == flight_class else ATTEMPTS):
        flight = _solve_drawn(thing, asked, flight_class, theta0, draw_class(flight_class, seed, thing.key, attempt))
        if flight is not None:
            return flight
    raise _why_not(thing, asked, flight_class, theta0, draw_class(nominal, seed, thing.key))


def asked_of(thing: FlightObject) -> Asked:
    """What is asked of a flight, in one form.

    Raises ValueError unless it is one place to come down (azimuth and range, or an end point) and one thing more: an
    apogee, a time of flight (which may have a shape besides) or a shape.
    """
    if thing.orbit is not None:
        raise ValueError(f"{thing.id}: goes into orbit and does not come down; it is no ballistic flight")
    for name in ("azimuth", "range", "apogee", "flight_time", "lat", "lon", "h", "cutoff"):
        value = getattr(thing, name)
        if not math.isfinite(value) or (value < 0.0 and name in ("range", "apogee", "flight_time", "cutoff")):
            raise ValueError(f"{thing.id}: {name} must be a finite number and not negative, found {value}")
    if thing.shape not in ("", *SHAPES):
        raise ValueError(f"{thing.id}: shape must be one of {', '.join(SHAPES)}, found {thing.shape!r}")
    branch = thing.shape if thing.flight_time > 0.0 else ""
    if branch == "minimum-energy":
        raise ValueError(f"{thing.id}: a flight time goes with the shape lofted or depressed, found {branch!r}")
    given = {"an apogee": thing.apogee > 0.0, "a flight time": thing.flight_time > 0.0,
             "a shape": thing.shape != "" and not branch}  # fmt: skip
    found = [name for name, there in given.items() if there]
    if len(found) != 1:
        raise ValueError(
            f"{thing.id}: needs exactly one of an apogee, a flight time and a shape,"
            f" found {' and '.join(found) or 'none'}"
        )
    if thing.end is not None:
        lat, lon = thing.end
        if not (abs(lat) <= 0.5 * math.pi and math.isfinite(lon)):
            raise ValueError(f"{thing.id}: end must be a latitude and a longitude in rad, found {thing.end}")
        distance, azimuth, _ = inverse(thing.lat, thing.lon, lat, lon)
        if distance < _LEAST_RANGE:
            raise ValueError(f"{thing.id}: comes down {distance:.0f} m from its site; at least 1 km is needed")
    else:
        azimuth, distance = thing.azimuth, thing.range
        if not _LEAST_RANGE <= distance <= math.pi * A:
            raise ValueError(
                f"{thing.id}: range must lie between 1 km and half way round the Earth, found {distance / 1e3:g} km"
            )
        lat, lon, _ = direct(thing.lat, thing.lon, azimuth, distance)
    if thing.apogee > 0.0:
        what, value = "apogee", thing.apogee
    elif thing.flight_time > 0.0:
        what, value = "flight-time", thing.flight_time
    else:
        what, value = thing.shape, 0.0
    return Asked(lat, lon, azimuth, distance, what, value, branch)


def _trial(
    thing: FlightObject, flight_class: FlightClass, theta0: float, drawn: dict[str, float], step_s: float, mach: bool
) -> Trials:
    plan = _first_plan(thing, drawn, len(flight_class.stages))
    theta = theta0 + OMEGA_GMST * to_s(thing.launch_ns)
    drag_mach = flight_class.drag_mach if mach else ()
    return Trials(plan, flight_class.energy == "cutoff", drawn["beta"], theta, step_s, drag_mach)


def _solve_drawn(
    thing: FlightObject, asked: Asked, flight_class: FlightClass, theta0: float, drawn: dict[str, float]
) -> Flight | None:
    """The flight with given parameters, None if there is none."""
    trial = _trial(thing, flight_class, theta0, drawn, STEP_S, True)
    rough = _trial(thing, flight_class, theta0, drawn, 3.0 * STEP_S, False)
    found = find(trial, rough, asked)
    return None if found is None else _fly(thing, trial, found, drawn)


def _km(metres: float) -> str:
    return f"{metres / 1e3:.0f} km"


def _why_not(
    thing: FlightObject, asked: Asked, flight_class: FlightClass, theta0: float, drawn: dict[str, float]
) -> FlightImpossible:
    """What stands against a flight, from a fine survey of all that the class can fly in that direction."""
    rough = _trial(thing, flight_class, theta0, drawn, 3.0 * STEP_S, False)
    if not rough.energies(2):
        return FlightImpossible(
            f"{thing.id}: class {flight_class.id} does not lift off:"
            f" its first stage gives {rough.plan.stages[0][2]:.1f} m/s2",
            "thrust",
            None,
        )
    who = f"{thing.id}: class {flight_class.id}"
    full = asked.what in ("lofted", "depressed")
    grid = survey(rough, asked, [rough.full()] if full else rough.energies(30), sweep(40))
    end = {
        "apogee": f" with an apogee of {_km(asked.value)}",
        "flight-time": f" in {asked.value:.0f} s",
        "minimum-energy": " at minimum energy",
        "lofted": " lofted, burning all there is",
        "depressed": " depressed, burning all there is",
    }[asked.what]
    wanted = f"a range of {_km(asked.range)}{end}"
    if not grid:
        return FlightImpossible(f"{who} cannot fly {wanted}: no flight of it comes down", "range", None)
    if asked.what == "minimum-energy":
        lines = farthest(grid)
        lines[-1] = peak(rough, asked, lines[-1])
        return _other_range(f"{who} cannot fly {wanted}: at minimum energy", asked, lines)
    top = max(range(len(grid)), key=lambda i: grid[i].range)
    if full:
        side = grid[top:] if asked.what == "lofted" else grid[: top + 1]
        return _other_range(f"{who} cannot fly {wanted}: there", asked, [*side, peak(rough, asked, grid[top])])
    # along each line of equal energy, where the range asked for is passed; apogee and time there
    passed = passes(grid, asked.range)
    if not passed:
        return _other_range(f"{who} cannot fly {wanted}:", asked, [*grid, peak(rough, asked, grid[top])])
    # a survey does not aim: the flights at the ends are solved for, and what it found beyond them is nothing
    exact = ends(_trial(thing, flight_class, theta0, drawn, STEP_S, True), rough, asked)
    if len(exact) > 1:
        low, high = min(exact), max(exact)
        passed = [p for p in passed if all(low[k] < p[k] < high[k] for k in (0, 1))]
    passed += exact
    if asked.what == "apogee":
        apogees = [h for h, _ in passed]
        best = min(apogees, key=lambda h: abs(h - asked.value))
        return FlightImpossible(
            f"{who} cannot fly {wanted}: over that range its apogees lie between {min(apogees) / 1e3:.0f} and"
            f" {_km(max(apogees))}; nearest: {_km(best)}",
            "apogee",
            (asked.range, best),
        )
    times = [t for _, t in passed]
    apogee, time = min(passed, key=lambda pair: abs(pair[1] - asked.value))
    return FlightImpossible(
        f"{who} cannot fly {wanted}: over that range its flights take between {min(times):.0f} and {max(times):.0f} s;"
        f" nearest: {time:.0f} s with an apogee of {_km(apogee)}",
        "flight-time",
        (asked.range, apogee),
        time,
    )


def _other_range(text: str, asked: Asked, flown: Sequence[Survey]) -> FlightImpossible:
    """The refusal for a range outside of those flown, or of one that lies in a gap between them."""
    value = asked.value if asked.what == "apogee" else 0.0
    nearest = min(flown, key=lambda g: (abs(g.range - asked.range), abs(g.apogee - value)))
    low, high = min(g.range for g in flown), max(g.range for g in flown)
    return FlightImpossible(
        f"{text} its ranges lie between {low / 1e3:.0f} and {_km(high)}; nearest:"
        f" {_km(nearest.range)} with an apogee of {_km(nearest.apogee)}",
        "range",
        (nearest.range, nearest.apogee),
        nearest.time if asked.what == "flight-time" else None,
    )


def _fly(thing: FlightObject, trial: Trials, at: Trial, drawn: dict[str, float]) -> Flight:
    """The flight of a solved plan, with its ephemeris."""
    plan = trial.solved(*at)
    scale = plan.stages[0][2] / trial.plan.stages[0][2]
    beta, rcs, drag_mach = trial.beta, drawn["rcs"], trial.drag_mach
    if 0.0 < thing.cutoff < plan.end_s():
        # between two burns nothing is left to end: it has ended with the one before
        early = replace(plan, cutoff_s=thing.cutoff)
        plan = replace(plan, cutoff_s=max(end for _, _, end in early.burning()))
        if thing.cutoff < plan.stages[-1][0]:
            beta, rcs, drag_mach = plan.beta, drawn["rcs_boost"], ()
    theta0 = trial.theta - OMEGA_GMST * to_s(thing.launch_ns)
    boost = trajectory(plan, theta0, STEP_S, since_launch=True)
    end = boost[-1]
    down = follow(end[1:7], float(end[0]), trial.theta, beta, drag_mach)
    if down is None:  # what was solved came down, and less thrust lifts nothing into orbit
        raise FlightImpossible(f"{thing.id}: does not come down after {end[0]:.0f} s of thrust", "thrust", None)
    nodes = np.concatenate([boost, down.nodes])
    distance, _, _ = inverse(thing.lat, thing.lon, down.lat, down.lon)
    launch = thing.launch_ns
    burns = tuple(
        (launch + round(t0 * 1e9), launch + round(t1 * 1e9), drawn[f"stage{i + 1}.intensity"])
        for i, t0, t1 in plan.burning()
    )
    return Flight(
        thing, {**drawn, "thrust_scale": scale}, plan, launch, launch + round(plan.end_s() * 1e9), burns,
        launch + round(down.apogee_s * 1e9), down.apogee, launch + whole_ns(down.impact_s), down.lat, down.lon,
        distance, down.speed, beta, drawn["rcs_boost"], rcs, nodes,
    )  # fmt: skip


def flight_body(flight: Flight) -> Body:
    """A flight as the world handles it. Facts: what was drawn (by name) and what came of it; times ns as numbers."""
    thing = flight.object
    events = [("launch", flight.launch_ns), ("burnout", flight.cutoff_ns), ("apogee", flight.apogee_ns)]
    if flight.apogee > ENTRY_HEIGHT:
        entry = crossing(flight.nodes, ENTRY_HEIGHT, (flight.apogee_ns - flight.launch_ns) / 1e9, rising=False)
        if entry is not None:
            events.append(("entry", flight.launch_ns + whole_ns(entry)))
    events.append(("impact", flight.impact_ns))
    facts = {
        **{name: float(value) for name, value in sorted(flight.drawn.items())},
        "beta": flight.beta,
        "rcs": flight.rcs,
        "launch_lat": thing.lat,
        "launch_lon": thing.lon,
        "elevation": flight.plan.elevation,
        "azimuth": flight.plan.azimuth,
        "apogee": flight.apogee,
        "apogee_ns": float(flight.apogee_ns),
        "range": flight.range,
        "impact_lat": flight.impact_lat,
        "impact_lon": flight.impact_lon,
        "impact_ns": float(flight.impact_ns),
        "impact_speed": flight.impact_speed,
    }
    return Body(
        thing.id, thing.key, thing.class_id, "flight", "", flight.launch_ns, flight.nodes,
        tuple(sorted(events, key=lambda event: event[1])), flight.burns, flight.cutoff_ns, flight.rcs_boost, flight.rcs,
        facts,
    )  # fmt: skip


def draw_flights(world: WorldSpec) -> tuple[Flight, ...]:
    """The flights of all objects of a world that are launched, in its order.

    Each depends on the world's seed, the object's content (its ``key``) and its class alone, not on its name or its
    neighbours. Raises FlightImpossible for the first object whose class cannot fly it, ValueError for an unknown class.
    """
    classes = {c.id: c for c in world.classes}
    out = []
    for thing in world.objects:
        if not isinstance(thing, FlightObject):
            continue
        if thing.class_id not in classes:
            raise ValueError(f"{thing.id}: unknown class {thing.class_id!r}; known: {', '.join(sorted(classes))}")
        out.append(solve(thing, classes[thing.class_id], world.theta0, world.seed))
    return tuple(out)


def truth_ephemeris(flights: Sequence[Flight]) -> Ephemeris:
    """Ephemeris of the flights, one row each in their order, from launch to impact."""
    return Ephemeris([f.launch_ns for f in flights], [f.nodes for f in flights])
