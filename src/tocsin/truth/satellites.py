"""Satellites as bodies: along their element set, along notional elements, or beside an old element set."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.element_age import age_error, draw_beside
from tocsin.dynamics.element_files import ElementSet
from tocsin.dynamics.elements import ElementSets, PropagationFailed
from tocsin.dynamics.nodes import PathNotSmooth, path_nodes
from tocsin.dynamics.orbit import orbit_states
from tocsin.earth.random import stream_key
from tocsin.earth.wgs84 import MU, A
from tocsin.scenario.specs import OrbitObject
from tocsin.truth.body import Body

WITHIN = 0.3  # m, of SGP4 (1 m is asked)
_NODES_A_TURN = 12  # at least


class SatelliteImpossible(ValueError):  # noqa: N818 - the name says what is wrong
    """A satellite that cannot be flown through the scenario: its elements are wrong or it has decayed by then."""


def satellite_body(thing: OrbitObject, start_ns: int, end_ns: int, unix_ns: int, seed: int) -> Body:
    """The satellite from ``start_ns`` to ``end_ns`` of the scenario's clock, whose zero is ``unix_ns`` (UTC).

    Position within 0.3 m of SGP4 (or of the notional elements), velocity its derivative. ``facts``: a, e, i and the
    heights of the elements, their age at the start (s) and, where the satellite flies beside them, the deviations of
    that age (m). Raises SatelliteImpossible.
    """
    if (thing.elements is None) == (thing.element_set == ""):
        raise SatelliteImpossible(f"satellite {thing.id}: either elements or an element set is needed")
    if not end_ns > start_ns:
        raise SatelliteImpossible(f"satellite {thing.id}: ends at {end_ns} ns, not after its start at {start_ns} ns")
    span = (end_ns - start_ns) / 1e9
    try:
        if thing.elements is not None:
            nodes, facts = _notional(thing, start_ns, span)
        else:
            nodes, facts = _published(thing, start_ns, span, unix_ns, seed)
    except (PropagationFailed, PathNotSmooth) as error:
        raise SatelliteImpossible(f"satellite {thing.id}: {error}") from None
    return Body(
        thing.id, thing.key, thing.class_id, "orbit", "", start_ns, nodes, (), (), start_ns, thing.rcs, thing.rcs, facts
    )


def _shape(a: float, e: float, i: float) -> dict[str, float]:
    return {"a": a, "e": e, "i": i, "perigee": a * (1.0 - e) - A, "apogee": a * (1.0 + e) - A}


def _longest(a: float) -> float:
    return 2.0 * math.pi * math.sqrt(a**3 / MU) / _NODES_A_TURN


def _notional(thing: OrbitObject, start_ns: int, span: float) -> tuple[NDArray[np.float64], dict[str, float]]:
    orbit = thing.elements
    assert orbit is not None
    if not (orbit.a * (1.0 - orbit.e) > A and 0.0 <= orbit.e < 1.0):
        raise SatelliteImpossible(
            f"satellite {thing.id}: a = {orbit.a:.0f} m, e = {orbit.e:g} is no ellipse outside the Earth"
        )

    def path(t: NDArray[np.float64]) -> NDArray[np.float64]:
        return orbit_states(orbit, start_ns + np.rint(t * 1e9).astype(np.int64))[:, :3]

    return path_nodes(path, 0.0, span, _longest(orbit.a), WITHIN), _shape(orbit.a, orbit.e, orbit.i)


def element_set_of(thing: OrbitObject) -> ElementSet:
    """The one element set that a satellite is given by. Raises SatelliteImpossible with what is wrong in it."""
    try:
        sets = ElementSets.read(thing.element_set).sets
    except ValueError as error:
        raise SatelliteImpossible(f"satellite {thing.id}: {error}") from None
    if len(sets) != 1:
        raise SatelliteImpossible(f"satellite {thing.id}: found {len(sets)} element sets, allowed: one")
    return sets[0]


def _published(
    thing: OrbitObject, start_ns: int, span: float, unix_ns: int, seed: int
) -> tuple[NDArray[np.float64], dict[str, float]]:
    one = element_set_of(thing)
    sets = ElementSets([one])
    zero = unix_ns + start_ns
    epoch_s = (one.epoch_ns - zero) / 1e9
    facts = _shape(one.a, one.e, one.i) | {"age_s": -epoch_s}
    beside = draw_beside(one, stream_key(seed, thing.key, "orbit.age")) if thing.age_error else None
    if beside is not None:
        radial, along, cross = age_error(one, -epoch_s)[0]
        facts |= {"sigma_radial": float(radial), "sigma_along": float(along), "sigma_cross": float(cross)}

    def path(t: NDArray[np.float64]) -> NDArray[np.float64]:
        own = t if beside is None else beside.when(t, epoch_s)
        x = sets.states(zero + np.rint(own * 1e9).astype(np.int64))[0, :, :3]
        return x if beside is None else beside.moved(x)

    return path_nodes(path, 0.0, span, _longest(one.a), WITHIN), facts
