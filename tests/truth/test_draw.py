"""What a world draws: every kind by its own solver, in order, each by its own content alone, and all faults at once."""

import math

import numpy as np
import pytest
from flight_cases import andoya, hwasong, irbm, world
from msgspec.structs import replace

from tocsin.dynamics.orbit import geo_slot
from tocsin.earth.wgs84 import geodetic_to_ecef
from tocsin.scenario.specs import (
    AircraftObject,
    LooseKind,
    OrbitObject,
    Spread,
    StateObject,
    TableObject,
    TargetOrbit,
    Waypoint,
)
from tocsin.truth.body import bodies_ephemeris
from tocsin.truth.draw import ObjectsImpossible, draw_bodies
from tocsin.truth.flights import flight_body, solve
from tocsin.truth.loose import loose_bodies
from tocsin.truth.satellites import satellite_body
from tocsin.truth.states import state_body

S = 1_000_000_000
STAGE = LooseKind("stage", 1, 1, Spread(2.0, 0.2), Spread(4.0, 1.0), Spread(300.0, 30.0), Spread(8.0, 1.0))
SHEDS = replace(irbm(), id="sheds", loose=(STAGE,))


def fragment(key="f" * 32, **changes):
    x = (*map(float, geodetic_to_ecef(np.array([0.7, 2.4, 120e3]))), 1000.0, -2000.0, 500.0)
    return replace(StateObject("fragment", key, "", 90 * S, x, 300.0, (), 0.5, 3600.0), **changes)


def slot(key="5" * 32, **changes):
    elements = geo_slot(2.4, world([]).theta0)
    return replace(OrbitObject("slot", key, "", elements, "", 20.0), **changes)


def drone(key="d" * 32, **changes):
    rows = tuple((k * 10 * S, 0.7 + 1e-4 * k, 2.4, 1000.0 + 10.0 * k) for k in range(5))
    return replace(TableObject("drone", key, "", "aircraft", rows, 60.0, 0.3), **changes)


def airliner(key="a" * 32, **changes):
    points = (Waypoint(0.7, 2.4, 9e3, 230.0), Waypoint(0.72, 2.42, 10e3, 230.0))
    return replace(AircraftObject("airliner", key, "", 20 * S, points, 10.0, 0.4, 30.0), **changes)


def whole():
    """One of each; the flight sheds a stage."""
    flight = hwasong(key="7" * 32, class_id="sheds", loose=True)
    return world([fragment(), flight, slot(), drone(), airliner()], (SHEDS,))


def same(a, b):
    return a == b and np.array_equal(a.nodes, b.nodes)


@pytest.fixture(scope="module")
def drawn():
    return draw_bodies(whole())


def test_bodies_stand_in_the_order_of_the_objects_each_before_what_came_off_it(drawn):
    assert [(body.id, body.kind, body.parent) for body in drawn] == [
        ("fragment", "state", ""),
        ("overflight", "flight", ""),
        ("overflight/stage1", "loose", "overflight"),
        ("slot", "orbit", ""),
        ("drone", "aircraft", ""),
        ("airliner", "aircraft", ""),
    ]
    assert len({body.key for body in drawn}) == len(drawn)
    ephemeris = bodies_ephemeris(drawn)
    for i, body in enumerate(drawn):
        start, end = ephemeris.span(i)
        assert start == body.start_ns
        assert all(start <= when <= end for _, when in body.events)
        assert math.isfinite(body.rcs)
        assert body.rcs > 0.0


def test_each_kind_is_what_its_own_solver_makes_of_it(drawn):
    spec = whole()
    falls, flies, stage, stays, _, _ = drawn
    assert same(falls, state_body(fragment(), spec.theta0))
    flown = flight_body(solve(spec.objects[1], SHEDS, spec.theta0, spec.seed))
    assert same(flies, flown)
    assert same(stage, *loose_bodies(flown, SHEDS, spec.theta0, spec.seed, spec.duration_ns))
    assert same(stays, satellite_body(slot(), 0, spec.duration_ns, spec.unix_ns, spec.seed))
    assert stays.start_ns == 0
    assert stays.nodes[-1, 0] == pytest.approx(spec.duration_ns / S)


def test_a_body_depends_on_its_own_content_and_the_seed_alone(drawn):
    spec = whole()
    turned = replace(spec, objects=tuple(reversed(spec.objects)))
    mine = {body.id: body for body in drawn}
    again = draw_bodies(turned)
    assert [body.id for body in again if not body.parent] == [thing.id for thing in turned.objects]
    assert all(same(body, mine[body.id]) for body in again)
    (alone,) = draw_bodies(replace(spec, objects=(slot(),)))
    assert same(alone, mine["slot"])
    renamed = draw_bodies(replace(spec, objects=(replace(spec.objects[1], id="other"),)))
    assert [body.id for body in renamed] == ["other", "other/stage1"]
    assert [(body.key, body.facts) for body in renamed] == [(b.key, b.facts) for b in drawn[1:3]]


def test_the_seed_changes_what_is_drawn_and_nothing_else(drawn):
    spec = whole()
    other = draw_bodies(replace(spec, seed=2, objects=spec.objects[:2]))
    assert same(other[0], drawn[0])  # nothing of a state is drawn
    assert other[2].facts["beta"] != drawn[2].facts["beta"]


def test_only_what_is_asked_to_come_off_does(drawn):
    spec = whole()
    (kept,) = draw_bodies(replace(spec, objects=(replace(spec.objects[1], loose=False),)))
    assert same(kept, drawn[1])


def test_a_world_of_nothing_has_no_bodies():
    assert draw_bodies(world([])) == ()


def test_all_that_cannot_move_is_told_at_once_in_order_without_the_name_twice():
    orbit = TargetOrbit(2e5, 3e5, math.radians(50.0))
    things = [
        hwasong(id="lost", class_id="none"),
        fragment(id="under", state=(*map(float, geodetic_to_ecef(np.array([0.7, 2.4, -50e3]))), 0.0, 0.0, 0.0)),
        slot(),
        airliner(id="steep", climb=0.1),
        drone(id="wide", greatest_gap=5.0),
        hwasong(id="far", range=1.9e7),
        andoya(id="orbiter", orbit=orbit),
        slot(id="none", elements=None),
    ]
    with pytest.raises(ObjectsImpossible) as caught:
        draw_bodies(world(things))
    told = dict(caught.value.problems)
    assert [name for name, _ in caught.value.problems] == [
        "lost", "under", "steep", "wide", "far", "orbiter", "none",
    ]  # fmt: skip
    assert told["lost"] == "unknown class 'none'; known: irbm-liquid, sounding-four"
    assert "height" in told["under"]
    assert str(caught.value) == "\n".join(f"{name}: {text}" for name, text in caught.value.problems)
    assert not any(text.startswith(f"{name}:") for name, text in told.items())
    assert all(text and text.isprintable() for text in told.values())
