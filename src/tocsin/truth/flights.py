"""Ballistic flights as they happen: class parameters drawn, the boost program solved, the ephemeris flown.

An object is given by its site, the azimuth and range at which it comes down, and its apogee. What its class leaves open
is solved with boost, drag and the Earth's rotation in the loop: the final elevation and the azimuth of thrust and, by
``class.energy``, either the cut-off time or a common factor on all specific thrusts (as a lighter or heavier payload
would give). Nothing is optimised: the flight is the one that the scenario describes, or there is none.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.boost import BoostPlan, trajectory
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.kernels import coast_nodes, fall, height_of, lowest_of
from tocsin.dynamics.thrust import boost_rows, fly_boost
from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.random import draw_uniform, normal_quantile, stream_key
from tocsin.scenario.specs import FlightClass, FlightObject, Spread, Stage, WorldSpec

STEP_S = 1.0  # boost is integrated in steps of this length at most: 5 cm from steps of 0.05 s at the cut-off
SOLVED_M = 1.0  # how near the impact point has to come (aim; 10 m is asked)
SOLVED_APOGEE_M = 1.0  # and the apogee (1 km is asked)
GREATEST_MASS_RATIO = 0.97  # part of its mass that a stage can burn
ATTEMPTS = 40  # draws of the class parameters before a flight is called impossible
SCALE_LIMITS = (0.4, 2.5)  # of the thrust factor
_LEAST_LIFT = 10.0  # initial specific thrust (m/s2) with which a rocket leaves the ground
_THREE_SIGMA = 0.5 * math.erfc(3.0 / math.sqrt(2.0))


class FlightImpossible(ValueError):  # noqa: N818 - the name says what is wrong
    """No flight of its class meets what is asked of an object.

    ``constraint``: "thrust", "range" or "apogee"; ``nearest``: the nearest range and apogee (m) that the class can fly
    from that site in that direction, None where nothing flies at all.
    """

    def __init__(self, text: str, constraint: str, nearest: tuple[float, float] | None) -> None:
        super().__init__(text)
        self.constraint = constraint
        self.nearest = nearest


@dataclass(frozen=True)
class Flight:
    """One flight as it happens.

    ``drawn``: the class parameters drawn for it, by name, and the solved ``thrust_scale``; ``burns``: start, end (ns),
    intensity (W/sr) of each burn; times on the scenario's clock (ns), lengths m, angles rad; ``range``: along the
    geodesic from the site; ``beta``: kg/m2 after boost; ``rcs_boost``, ``rcs``: m2; ``nodes (m, 10)``: the ephemeris,
    times in s since launch.
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


def draw(spread: Spread, seed: int, key: str, purpose: str, attempt: int = 0) -> float:
    """One value of a normal distribution cut at three sigma (not piled up there), from one stream."""
    if spread.spread == 0.0:
        return spread.nominal
    u = draw_uniform(stream_key(seed, key, purpose), 0, 0, attempt)
    return spread.nominal + spread.spread * float(normal_quantile(_THREE_SIGMA + u * (1.0 - 2.0 * _THREE_SIGMA)))


def draw_class(flight_class: FlightClass, seed: int, key: str, attempt: int = 0) -> dict[str, float]:
    """All parameters of one object of a class, by name ("stage1.burn", "beta", ...); draw number ``attempt``.

    A burn that would use more than ``GREATEST_MASS_RATIO`` of the mass is shortened to that. Raises FlightImpossible
    where a value that has to be positive is not.
    """
    out: dict[str, float] = {}
    for name in ("vertical", "pitch", "beta_boost", "beta", "rcs_boost", "rcs"):
        out[name] = draw(getattr(flight_class, name), seed, key, f"flight.{name}", attempt)
    for i, stage in enumerate(flight_class.stages, 1):
        for name in ("burn", "thrust", "exhaust", "coast", "intensity"):
            out[f"stage{i}.{name}"] = draw(getattr(stage, name), seed, key, f"flight.stage{i}.{name}", attempt)
    for name, value in out.items():
        least_is_zero = name in ("vertical", "pitch") or name.endswith(("coast", "intensity"))
        if not (math.isfinite(value) and (value > 0.0 or (least_is_zero and value == 0.0))):
            if least_is_zero and math.isfinite(value):
                out[name] = 0.0  # the tail of a spread around a small positive number
                continue
            raise FlightImpossible(
                f"class {flight_class.id}: {name} must be positive, drawn {value:.6g};"
                " its nominal value less three spreads must stay above zero",
                "thrust",
                None,
            )
    for i in range(1, len(flight_class.stages) + 1):
        longest = GREATEST_MASS_RATIO * out[f"stage{i}.exhaust"] / out[f"stage{i}.thrust"]
        out[f"stage{i}.burn"] = min(out[f"stage{i}.burn"], longest)
    return out


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


class _Range:
    """Trial flights of one object: what a thrust direction and an energy lead to.

    The unknowns are the east and north parts of the final thrust direction (no singularity where it points up) and the
    energy: cut-off (s) or logarithm of the thrust factor. Times count from the launch.
    """

    def __init__(self, plan: BoostPlan, by_cutoff: bool, beta: float, theta: float, step_s: float) -> None:
        self.plan = plan
        self.by_cutoff = by_cutoff
        self.beta = beta
        self.theta = theta
        self.step_s = step_s
        self.table = plan.table()
        self.nodes = np.empty((boost_rows(self.table, plan.vertical_s, plan.pitch_s, math.inf, step_s), 7))
        self.state = np.empty(6)
        self.out = np.empty(7)

    def energies(self, count: int) -> list[float]:
        """Trial energies, evenly spaced in the speed they give, from the least to the greatest allowed."""
        stages = self.plan.stages
        if not self.by_cutoff:
            # a heavier payload must still be lifted, a lighter one cannot make propellant of structure
            low = max(SCALE_LIMITS[0], _LEAST_LIFT / stages[0][2])
            high = min(SCALE_LIMITS[1], *(GREATEST_MASS_RATIO * c / (f * burn) for _, burn, f, c in stages))
            if low > high:
                return []
            return [math.log(low) + (math.log(high) - math.log(low)) * i / (count - 1) for i in range(count)]
        ignition, burn, thrust, exhaust = stages[-1]
        if stages[0][2] < _LEAST_LIFT:
            return []
        last = ignition + burn
        # no earlier stage is ever cut off, and the turn is flown to its end unless the burn is shorter than that
        least = max(ignition + 0.02 * burn, min(self.plan.vertical_s + self.plan.pitch_s, ignition + 0.5 * burn))
        q0 = -math.log(1.0 - (least - ignition) * thrust / exhaust)
        q1 = -math.log(1.0 - (last - ignition) * thrust / exhaust)
        out = [
            ignition + (1.0 - math.exp(-(q0 + (q1 - q0) * i / (count - 1)))) * exhaust / thrust for i in range(count)
        ]
        out[-1] = last
        return out

    def fly(self, east: float, north: float, energy: float) -> bool:
        """Fly; False if it sinks at once or never comes down. The result stands in ``out`` as ``kernels.fall`` leaves
        it."""
        plan = self.plan
        level = math.hypot(east, north)
        elevation = math.acos(min(level, 1.0))
        azimuth = math.atan2(east, north)
        table, cutoff = self.table, energy
        if not self.by_cutoff:
            table = self.table.copy()
            table[:, 2] *= math.exp(energy)
            cutoff = math.inf
        n = fly_boost(
            table, plan.vertical_s, plan.pitch_s, plan.beta, elevation, azimuth, cutoff,
            plan.lat, plan.lon, plan.h, 0.0, self.theta, self.step_s, self.nodes,
        )  # fmt: skip
        # one that the thrust lets sink under its site is none; a metre is left to the integration
        if lowest_of(self.nodes, n) < height_of(*self.nodes[0, 1:4]) - 1.0:
            return False
        self.state[:] = self.nodes[n - 1, 1:7]
        fall(self.state, self.nodes[n - 1, 0], self.theta, self.beta, self.out)
        return bool(self.out[0] > 0.0)

    def solved(self, east: float, north: float, energy: float) -> BoostPlan:
        """The plan of a trial."""
        plan = replace(
            self.plan, elevation=math.acos(min(math.hypot(east, north), 1.0)), azimuth=math.atan2(east, north)
        )
        if self.by_cutoff:
            return replace(plan, cutoff_s=energy)
        scale = math.exp(energy)
        return replace(plan, stages=tuple((i, b, f * scale, c) for i, b, f, c in plan.stages))


Trial = tuple[float, float, float]


def _survey(trial: _Range, azimuth: float, energies: int, elevations: int) -> list[tuple[float, float, float, float]]:
    """(energy, elevation, range, apogee) over a grid, for those that come down."""
    site = trial.plan
    out = []
    for energy in trial.energies(energies):
        for i in range(elevations):
            elevation = math.radians(8.0 + (89.0 - 8.0) * i / (elevations - 1))
            level = math.cos(elevation)
            if trial.fly(level * math.sin(azimuth), level * math.cos(azimuth), energy):
                distance = inverse(site.lat, site.lon, trial.out[2], trial.out[3])[0]
                out.append((energy, elevation, distance, float(trial.out[4])))
    return out


def _miss(trial: _Range, at: Trial, target: tuple[float, float], apogee: float) -> NDArray[np.float64] | None:
    """East and north miss and excess of apogee (m); None if it does not come down."""
    if not trial.fly(*at):
        return None
    distance, bearing, _ = inverse(target[0], target[1], trial.out[2], trial.out[3])
    return np.array([distance * math.sin(bearing), distance * math.cos(bearing), trial.out[4] - apogee])


def _newton(
    trial: _Range, start: Trial, target: tuple[float, float], apogee: float, limits: tuple[float, float]
) -> Trial | None:
    """Damped Newton iteration from ``start``; None if it does not settle on the target."""
    at = np.array(start)
    miss = _miss(trial, (at[0], at[1], at[2]), target, apogee)
    steps = np.array([1e-5, 1e-5, 1e-3 if trial.by_cutoff else 1e-5])
    for _ in range(40):
        if miss is None:
            return None
        if math.hypot(miss[0], miss[1]) < SOLVED_M and abs(miss[2]) < SOLVED_APOGEE_M:
            return float(at[0]), float(at[1]), float(at[2])
        slope = np.empty((3, 3))
        for j in range(3):
            # at a bound, differences are taken inwards
            h = -steps[j] if j == 2 and at[2] + steps[2] > limits[1] else steps[j]
            moved = at.copy()
            moved[j] += h
            other = _miss(trial, (moved[0], moved[1], moved[2]), target, apogee)
            if other is None:
                return None
            slope[:, j] = (other - miss) / h
        try:
            change = -np.linalg.solve(slope, miss)
        except np.linalg.LinAlgError:
            return None
        better = False
        fraction = min(1.0, 0.3 / max(math.hypot(change[0], change[1]), 1e-300))
        for _ in range(12):
            new = at + fraction * change
            new[2] = min(max(new[2], limits[0]), limits[1])
            level = math.hypot(new[0], new[1])
            if level > 0.999:
                new[:2] *= 0.999 / level
            there = _miss(trial, (new[0], new[1], new[2]), target, apogee)
            if there is not None and float(there @ there) < float(miss @ miss):
                at, miss, better = new, there, True
                break
            fraction *= 0.5
        if not better:
            return None
    return None


def solve(thing: FlightObject, flight_class: FlightClass, theta0: float, seed: int) -> Flight:
    """The flight of one object.

    What flew is an object of its class that could: parameters with which the flight cannot be flown are drawn again, up
    to ``ATTEMPTS`` times. Raises FlightImpossible, naming the constraint and the nearest flight of the nominal class,
    if all fail.
    """
    if flight_class.energy not in ("cutoff", "thrust"):
        raise ValueError(f"class {flight_class.id}: energy must be 'cutoff' or 'thrust', found {flight_class.energy!r}")
    if not flight_class.stages:
        raise FlightImpossible(f"class {flight_class.id} has no stage to fly", "thrust", None)
    nominal = _nominal(flight_class)
    for attempt in range(1 if nominal == flight_class else ATTEMPTS):
        flight = _solve_drawn(thing, flight_class, theta0, draw_class(flight_class, seed, thing.key, attempt))
        if flight is not None:
            return flight
    raise _why_not(thing, flight_class, theta0, draw_class(nominal, seed, thing.key))


def _nominal(flight_class: FlightClass) -> FlightClass:
    """The class without its spreads."""

    def exact(thing: FlightClass | Stage) -> dict[str, Spread]:
        values = ((name, getattr(thing, name)) for name in thing.__struct_fields__)
        return {name: Spread(value.nominal) for name, value in values if isinstance(value, Spread)}

    stages = tuple(msgspec.structs.replace(stage, **exact(stage)) for stage in flight_class.stages)
    return msgspec.structs.replace(flight_class, stages=stages, **exact(flight_class))


def _trial(
    thing: FlightObject, flight_class: FlightClass, theta0: float, drawn: dict[str, float], step_s: float
) -> _Range:
    plan = _first_plan(thing, drawn, len(flight_class.stages))
    theta = theta0 + OMEGA_GMST * to_s(thing.launch_ns)
    return _Range(plan, flight_class.energy == "cutoff", drawn["beta"], theta, step_s)


def _solve_drawn(
    thing: FlightObject, flight_class: FlightClass, theta0: float, drawn: dict[str, float]
) -> Flight | None:
    """The flight with given parameters, None if there is none."""
    trial = _trial(thing, flight_class, theta0, drawn, STEP_S)
    rough = _trial(thing, flight_class, theta0, drawn, 3.0 * STEP_S)
    allowed = rough.energies(2)
    if not allowed:
        return None
    lat, lon, _ = direct(thing.lat, thing.lon, thing.azimuth, thing.range)
    grid = _survey(rough, thing.azimuth, 14, 14)
    grid.sort(key=lambda g: abs(math.log(max(g[2], 1.0) / thing.range)) + abs(math.log(max(g[3], 1.0) / thing.apogee)))
    for energy, elevation, _, _ in grid[:5]:
        level = math.cos(elevation)
        start = (level * math.sin(thing.azimuth), level * math.cos(thing.azimuth), energy)
        found = _newton(trial, start, (lat, lon), thing.apogee, (allowed[0], allowed[-1]))
        if found is not None:
            return _fly(thing, trial, found, drawn)
    return None


def _why_not(
    thing: FlightObject, flight_class: FlightClass, theta0: float, drawn: dict[str, float]
) -> FlightImpossible:
    """What stands against a flight, from a fine survey of all that the class can fly in that direction."""
    rough = _trial(thing, flight_class, theta0, drawn, 3.0 * STEP_S)
    if not rough.energies(2):
        return FlightImpossible(
            f"{thing.id}: class {flight_class.id} does not lift off:"
            f" its first stage gives {rough.plan.stages[0][2]:.1f} m/s2",
            "thrust",
            None,
        )
    grid = _survey(rough, thing.azimuth, 30, 40)
    who = f"{thing.id}: class {flight_class.id}"
    asked = f"a range of {thing.range / 1e3:.0f} km with an apogee of {thing.apogee / 1e3:.0f} km"
    if not grid:
        return FlightImpossible(f"{who} cannot fly {asked}: no flight of it comes down", "range", None)
    # along each line of equal energy, where the range asked for is passed; the apogee there
    apogees = []
    for a, b in itertools.pairwise(grid):
        if a[0] == b[0] and (a[2] - thing.range) * (b[2] - thing.range) <= 0.0 and a[2] != b[2]:
            apogees.append(a[3] + (b[3] - a[3]) * (thing.range - a[2]) / (b[2] - a[2]))
    if not apogees:
        far = max(g[2] for g in grid)
        near = min(g[2] for g in grid)
        nearest = min(grid, key=lambda g: (abs(g[2] - thing.range), abs(g[3] - thing.apogee)))
        return FlightImpossible(
            f"{who} cannot fly {asked}: its ranges lie between {near / 1e3:.0f} and {far / 1e3:.0f} km; nearest:"
            f" {nearest[2] / 1e3:.0f} km with an apogee of {nearest[3] / 1e3:.0f} km",
            "range",
            (nearest[2], nearest[3]),
        )
    best = min(apogees, key=lambda h: abs(h - thing.apogee))
    return FlightImpossible(
        f"{who} cannot fly {asked}: over that range its apogees lie between {min(apogees) / 1e3:.0f} and"
        f" {max(apogees) / 1e3:.0f} km; nearest: {best / 1e3:.0f} km",
        "apogee",
        (thing.range, best),
    )


def _fly(thing: FlightObject, trial: _Range, at: Trial, drawn: dict[str, float]) -> Flight:
    """The flight of a solved plan, with its ephemeris."""
    plan = trial.solved(*at)
    theta0 = trial.theta - OMEGA_GMST * to_s(thing.launch_ns)
    boost = trajectory(plan, theta0, STEP_S, since_launch=True)
    end = boost[-1]
    out = np.empty(7)
    fall(end[1:7].copy(), end[0], trial.theta, trial.beta, out)
    impact_s, lat, lon, apogee, apogee_s, speed = (float(v) for v in out[1:])
    coast = np.empty((20_000, 10))
    rows = coast_nodes(end[1:7].copy(), end[0], impact_s, trial.beta, coast)
    nodes = np.concatenate([boost, coast[:rows]])
    distance, _, _ = inverse(thing.lat, thing.lon, lat, lon)
    launch = thing.launch_ns
    burns = tuple(
        (launch + round(t0 * 1e9), launch + round(t1 * 1e9), drawn[f"stage{i + 1}.intensity"])
        for i, t0, t1 in plan.burning()
    )
    scale = plan.stages[0][2] / trial.plan.stages[0][2]
    return Flight(
        thing, {**drawn, "thrust_scale": scale}, plan, launch, launch + round(plan.end_s() * 1e9), burns,
        launch + round(apogee_s * 1e9), apogee, launch + math.floor(impact_s * 1e9), lat, lon, distance, speed,
        trial.beta, drawn["rcs_boost"], drawn["rcs"], nodes,
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
