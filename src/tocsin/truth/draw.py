"""All that moves in a world, drawn and solved from its spec."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tocsin.scenario.specs import (
    AnyObject,
    FlightClass,
    FlightObject,
    OrbitObject,
    StateObject,
    TableObject,
    WorldSpec,
)
from tocsin.truth.aircraft import aircraft_body
from tocsin.truth.body import Body
from tocsin.truth.flights import flight_body, solve
from tocsin.truth.gliders import solve_glide
from tocsin.truth.launches import solve_launch
from tocsin.truth.loose import loose_bodies
from tocsin.truth.recorded import recorded_body
from tocsin.truth.satellites import satellite_body
from tocsin.truth.states import state_body


class ObjectsImpossible(ValueError):  # noqa: N818 - the name says what is wrong
    """Objects of a world that cannot move as asked. ``problems``: id and what stands against it, in their order."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{id}: {text}" for id, text in problems))
        self.problems = tuple(problems)


def draw_bodies(world: WorldSpec) -> tuple[Body, ...]:
    """All bodies of a world: its objects in their order, each followed by what came off it.

    Each depends on the world's seed, the object's content (its ``key``) and its class alone, not on its name or its
    neighbours. Raises ObjectsImpossible, with all that cannot move as asked.
    """
    classes = {c.id: c for c in world.classes}
    bodies: list[Body] = []
    problems = []
    for thing in world.objects:
        try:
            bodies += _bodies(thing, classes, world)
        except np.linalg.LinAlgError:
            raise  # a ValueError too, but nobody's mistake but ours
        except ValueError as error:  # each kind has its own, all say what is possible
            problems.append((thing.id, str(error).removeprefix(f"{thing.id}: ")))
    if problems:
        raise ObjectsImpossible(problems)
    return tuple(bodies)


def _class_of(thing: FlightObject, classes: dict[str, FlightClass]) -> FlightClass:
    if thing.class_id not in classes:
        raise ValueError(f"{thing.id}: unknown class {thing.class_id!r}; known: {', '.join(sorted(classes))}")
    return classes[thing.class_id]


def _bodies(thing: AnyObject, classes: dict[str, FlightClass], world: WorldSpec) -> list[Body]:
    """One object and what came off it."""
    theta0, seed, end_ns = world.theta0, world.seed, world.duration_ns
    if isinstance(thing, FlightObject):
        flight_class = _class_of(thing, classes)
        if thing.orbit is not None:
            body = solve_launch(thing, flight_class, theta0, seed, end_ns)
        elif flight_class.glide is not None:
            body = solve_glide(thing, flight_class, theta0, seed)
        else:
            body = flight_body(solve(thing, flight_class, theta0, seed))
        return [body, *(loose_bodies(body, flight_class, theta0, seed, end_ns) if thing.loose else ())]
    if isinstance(thing, StateObject):
        return [state_body(thing, theta0)]
    if isinstance(thing, TableObject):
        return [recorded_body(thing, theta0)]
    if isinstance(thing, OrbitObject):
        return [satellite_body(thing, 0, end_ns, world.unix_ns, seed)]
    return [aircraft_body(thing, theta0)]
