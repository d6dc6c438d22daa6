"""What comes loose: it starts where its parent is, falls as two-body and drag laws say, and depends on nothing else."""

import math

import numpy as np
import pytest
from flight_cases import andoya, black_brant, hwasong, irbm, world
from msgspec.structs import replace
from scipy import stats

from tocsin.dynamics.coast import propagate
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth import frames, wgs84
from tocsin.scenario.specs import LooseKind, Spread
from tocsin.truth.body import Body, bodies_ephemeris
from tocsin.truth.descent import coast
from tocsin.truth.flights import flight_body, solve
from tocsin.truth.loose import loose_bodies, part_key

THETA0 = world([]).theta0
NO_DRAG = Spread(1e12)
STILL = Spread(0.0)


def loose(kind="stage", stage=1, count=1, delay=STILL, speed=STILL, beta=NO_DRAG, rcs=Spread(4.0), height=0.0):  # noqa: B008
    return LooseKind(kind, stage, count, delay, speed, beta, rcs, height)


def with_loose(flight_class, *kinds):
    return replace(flight_class, loose=kinds)


@pytest.fixture(scope="module")
def four():
    """A rocket of four stages, and its body."""
    flight = solve(andoya(), black_brant(), THETA0, 1)
    return flight, flight_body(flight)


@pytest.fixture(scope="module")
def one():
    flight = solve(hwasong(), irbm(), THETA0, 1)
    return flight, flight_body(flight)


def state(body, t_ns):
    return bodies_ephemeris([body]).states(0, t_ns)[0]


def kept(x):
    """What free flight about the flattened Earth keeps: energy with the potential of J2, spin about the pole."""
    r = np.linalg.norm(x[:3])
    flat = 0.5 * wgs84.J2 * (wgs84.A / r) ** 2 * (3.0 * (x[2] / r) ** 2 - 1.0)
    return 0.5 * x[3:] @ x[3:] - wgs84.MU / r * (1.0 - flat), x[0] * x[4] - x[1] * x[3]


def test_a_stage_without_drag_or_push_follows_the_arc_its_parent_was_on(four):
    _, body = four
    pieces = loose_bodies(body, with_loose(black_brant(), *(loose(stage=k) for k in (1, 2, 3, 4))), THETA0, 1)
    assert [p.id for p in pieces] == ["rocket/stage1", "rocket/stage2", "rocket/stage3", "rocket/stage4"]
    for number, piece in enumerate(pieces):
        assert piece.start_ns == pytest.approx(body.burns[number][1], abs=2)
        assert (piece.kind, piece.parent, piece.class_id, piece.burns) == ("loose", "rocket", "", ())
        start = state(body, piece.start_ns)
        end_ns = bodies_ephemeris([piece]).span(0)[1]
        middle = (piece.start_ns + end_ns) // 2
        for t_ns in (piece.start_ns, middle, end_ns):
            there = propagate(start[None, :], piece.start_ns, t_ns, THETA0)[0]
            assert state(piece, t_ns)[:3] == pytest.approx(there[:3], abs=1.0)
        assert kept(state(piece, middle)) == pytest.approx(kept(start), rel=1e-7)
        lat, lon, h = wgs84.ecef_to_geodetic(frames.to_ecef(state(piece, end_ns)[:3], frames.theta_at(THETA0, end_ns)))
        assert abs(h) < 0.1
        assert (piece.facts["impact_lat"], piece.facts["impact_lon"]) == pytest.approx((lat, lon), abs=1e-7)
        assert dict(piece.events)["impact"] == end_ns
    # earlier stages come down nearer
    ranges = [p.facts["range"] for p in pieces]
    assert ranges == sorted(ranges)
    assert ranges[3] == pytest.approx(body.facts["range"], rel=0.02)


def test_the_last_stage_with_its_parents_drag_falls_beside_it(four):
    flight, body = four
    kinds = loose(stage=4, beta=Spread(flight.beta))
    (piece,) = loose_bodies(body, with_loose(black_brant(), kinds), THETA0, 1)
    assert piece.facts["impact_ns"] == pytest.approx(body.facts["impact_ns"], abs=1e6)
    t_ns = flight.apogee_ns
    assert state(piece, t_ns) == pytest.approx(state(body, t_ns), abs=0.5)
    assert [name for name, _ in piece.events] == ["separation", "apogee", "entry", "impact"]
    for name in ("apogee", "entry"):
        assert dict(piece.events)[name] == pytest.approx(dict(body.events)[name], abs=5e6)


def test_a_stage_is_left_behind_along_the_thrust(one):
    flight, body = one
    kinds = loose(delay=Spread(3.0), speed=Spread(2.0))
    (piece,) = loose_bodies(body, with_loose(irbm(), kinds), THETA0, 1)
    assert piece.start_ns == pytest.approx(flight.cutoff_ns + 3e9, abs=2)
    push = state(piece, piece.start_ns)[3:] - state(body, piece.start_ns)[3:]
    assert np.linalg.norm(push) == pytest.approx(2.0, abs=1e-6)
    # the thrust of the plan: elevation and azimuth in the axes of the site at launch
    east, north, up = wgs84.enu_axes(flight.object.lat, flight.object.lon + frames.theta_at(THETA0, flight.launch_ns))
    e, a = flight.plan.elevation, flight.plan.azimuth
    thrust = math.cos(e) * (math.sin(a) * east + math.cos(a) * north) + math.sin(e) * up
    # what is known of the thrust is the acceleration: at 67 km up its drag turns it by a little
    assert -push @ thrust / 2.0 > math.cos(math.radians(0.5))


def test_a_spent_stage_is_off_before_the_next_one_lights(four):
    _, body = four
    kinds = [loose(stage=k, delay=Spread(100.0)) for k in (1, 2, 3)]
    pieces = loose_bodies(body, with_loose(black_brant(), *kinds), THETA0, 1)
    assert [p.start_ns for p in pieces] == pytest.approx([b[0] for b in body.burns[1:]], abs=2)


def test_fairing_halves_part_sideways_and_keep_the_momentum(four):
    _, body = four
    kinds = loose("fairing", 0, 2, speed=Spread(5.0), beta=Spread(60.0), height=90e3)
    pieces = loose_bodies(body, with_loose(black_brant(), kinds), THETA0, 3)
    assert [p.id for p in pieces] == ["rocket/fairing-1", "rocket/fairing-2"]
    start = pieces[0].start_ns
    assert pieces[1].start_ns == start
    x = state(body, start)
    h = wgs84.ecef_to_geodetic(frames.to_ecef(x[:3], frames.theta_at(THETA0, start)))[2]
    assert h == pytest.approx(90e3, abs=1.0)
    a, b = (state(p, start)[3:] - x[3:] for p in pieces)
    assert np.linalg.norm(a) == pytest.approx(5.0, abs=1e-6)
    assert a + b == pytest.approx(np.zeros(3), abs=1e-6)
    # both are light: they fall more slowly than the heavy rest and come down later than without air
    heavy = loose_bodies(body, with_loose(black_brant(), replace(kinds, beta=NO_DRAG)), THETA0, 3)
    assert all(p.facts["impact_speed"] < 0.2 * q.facts["impact_speed"] for p, q in zip(pieces, heavy, strict=True))
    assert loose_bodies(body, with_loose(black_brant(), replace(kinds, height=2e6)), THETA0, 3) == ()


def test_debris_goes_any_way(one):
    _, body = one
    kinds = loose("debris", 1, 150, speed=Spread(20.0, 5.0), beta=Spread(200.0, 40.0), rcs=Spread(0.02, 0.005))
    pieces = loose_bodies(body, with_loose(irbm(), kinds), THETA0, 5)
    assert len({p.key for p in pieces}) == len({p.id for p in pieces}) == 150
    x = state(body, pieces[0].start_ns)
    pushes = np.array([p.nodes[0, 4:7] - x[3:] for p in pieces])
    speeds = np.linalg.norm(pushes, axis=1)
    assert 5.0 <= speeds.min() < speeds.max() <= 35.0
    assert speeds == pytest.approx([p.facts["speed"] for p in pieces], abs=1e-6)
    up = x[:3] / np.linalg.norm(x[:3])
    assert stats.kstest(pushes @ up / speeds, stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert stats.kstest([p.rcs for p in pieces], stats.truncnorm(-3, 3, 0.02, 0.005).cdf).pvalue > 1e-3
    bodies_ephemeris(pieces)  # whose nodes it takes


def test_what_a_piece_is_depends_on_its_parent_and_its_part_alone(one):
    _, body = one
    stage, debris = loose(speed=Spread(3.0, 1.0)), loose("debris", 1, 2, speed=Spread(9.0, 3.0))
    both = loose_bodies(body, with_loose(irbm(), stage, debris), THETA0, 5)
    (alone,) = loose_bodies(body, with_loose(irbm(), stage), THETA0, 5)
    assert np.array_equal(both[0].nodes, alone.nodes)
    assert both[0].key == alone.key == part_key(body.key, "stage1")
    (other,) = loose_bodies(body, with_loose(irbm(), stage), THETA0, 6)
    assert other.key == alone.key
    assert other.facts["speed"] != alone.facts["speed"]
    two = loose_bodies(body, with_loose(irbm(), debris, replace(debris, count=1), replace(stage, count=2)), THETA0, 5)
    names = ["debris1-1", "debris1-2", "debris1-3", "stage1-1", "stage1-2"]
    assert [p.id.removeprefix("overflight/") for p in two] == names
    assert two[0].key == both[1].key


def test_where_thrust_ends_early_the_rest_stays_on():
    kinds = [loose(stage=k) for k in (1, 2, 3, 4)]
    # in the coast after the second stage, in the burn of the third, at the very start of the first
    for cutoff, parts in ((20.0, ["stage1", "stage2"]), (30.0, ["stage1", "stage2"]), (1.0, [])):
        body = flight_body(solve(andoya(cutoff=cutoff), black_brant(), THETA0, 1))
        pieces = loose_bodies(body, with_loose(black_brant(), *kinds), THETA0, 1)
        assert [p.id for p in pieces] == [f"rocket/{part}" for part in parts]
    body = flight_body(solve(andoya(cutoff=30.0), black_brant(), THETA0, 1))
    debris = [loose("debris", k) for k in (2, 3, 4)]
    pieces = loose_bodies(body, with_loose(black_brant(), *debris), THETA0, 1)
    assert [p.id for p in pieces] == ["rocket/debris2-1", "rocket/debris3-1"]
    assert pieces[1].start_ns == pytest.approx(30e9, abs=2)


def circling(height, key="00"):
    """A body on a circular orbit whose second stage burned for a second at the start."""
    r = wgs84.A + height
    x = np.array([r, 0.0, 0.0, 0.0, math.sqrt(wgs84.MU / r), 0.0])
    nodes = coast(x, 0.0, 6000.0, 0.0)
    burns = ((0, 10**9, 1.0), (2 * 10**9, 3 * 10**9, 1.0))
    return Body("up", key, "c", "launch", "", 0, nodes, (("launch", 0),), burns, 3 * 10**9, 1.0, 1.0, {})


def test_in_orbit_it_stays_to_the_end_of_the_scenario():
    two = replace(black_brant(), stages=black_brant().stages[:2])
    body = circling(400e3)
    with pytest.raises(ValueError, match="up/stage2 does not come down: the end of the scenario is needed"):
        loose_bodies(body, with_loose(two, loose(stage=2, beta=Spread(150.0))), THETA0, 1)
    end_ns = 20_000 * 10**9
    (piece,) = loose_bodies(body, with_loose(two, loose(stage=2, beta=Spread(150.0))), THETA0, 1, end_ns)
    assert bodies_ephemeris([piece]).span(0) == (piece.start_ns, end_ns)
    assert [name for name, _ in piece.events] == ["separation"]
    radii = np.linalg.norm(piece.nodes[:, 1:4], axis=1) - wgs84.A
    assert radii.min() > 380e3


def test_what_skims_the_air_comes_down_in_time():
    two = replace(black_brant(), stages=black_brant().stages[:2])
    kinds = loose(stage=2, beta=Spread(20.0))
    (piece,) = loose_bodies(circling(150e3), with_loose(two, kinds), THETA0, 1, 80_000 * 10**9)
    assert "impact_ns" in piece.facts
    t_ns = Ephemeris([piece.start_ns], [piece.nodes]).span(0)[1]
    assert t_ns == pytest.approx(piece.facts["impact_ns"], abs=1)
    assert abs(wgs84.ecef_to_geodetic(state(piece, t_ns)[:3])[2]) < 0.1
    # the density at 150 km and the circular speed give the first turn's loss of height
    assert 3_000 < t_ns / 1e9 < 40_000


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (loose("wing"), r"loose\[0\]: kind must be one of stage, fairing, debris, found 'wing'"),
        (loose(stage=2), r"loose\[0\]: stage must lie between 1 and 1, found 2"),
        (loose("fairing", 0), r"loose\[0\]: stage must lie between 1 and 1, found 0"),
        (loose(beta=Spread(-3.0)), "beta of what comes loose must be positive, drawn -3"),
        (loose(rcs=Spread(0.0)), "rcs of what comes loose must be positive, drawn 0"),
    ],
)
def test_what_cannot_come_loose_is_named(one, kind, says):
    with pytest.raises(ValueError, match=says):
        loose_bodies(one[1], with_loose(irbm(), kind), THETA0, 1)
