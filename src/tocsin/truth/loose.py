"""What comes off in flight: spent stages, fairing halves and debris, each an object of its own that falls freely.

A piece starts where its parent is at that moment, with the parent's velocity and the speed of separation: a stage is
left behind along the thrust, fairing halves go off sideways in opposite directions, debris goes anywhere. From there on
it has its own ballistic coefficient and cross-section and comes down by itself, or stays where the parent has taken it
into orbit. What has never burned has not come off: where thrust ends early, the stages left stay on.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import perigee_of, state_at
from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.geodesics import inverse
from tocsin.earth.gravity import gravity
from tocsin.earth.random import draw_uniform, stream_key
from tocsin.earth.wgs84 import A
from tocsin.scenario.specs import FlightClass, LooseKind, Spread
from tocsin.truth.body import Body
from tocsin.truth.classes import draw
from tocsin.truth.descent import ENTRY_HEIGHT, Descended, coast, crossing, follow, whole_ns

KINDS = ("stage", "fairing", "debris")
_SAME_TIME_S = 1e-6  # times of a body stand to a nanosecond in its events, and exactly in its nodes
_PIECE_S = 5400.0  # a turn of a low orbit
_DOWN_SOON = 110e3  # height (m) of a perigee under which what circles is followed to the ground

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Group:
    """Pieces that come off together: ``name`` without the number, ``numbers`` of the pieces, ``t_s`` since the start
    of the parent, ``axis``: unit vector of the thrust there (eci)."""

    kind: LooseKind
    name: str
    numbers: range
    key: str
    t_s: float
    axis: Array


def part_key(parent: str, part: str) -> str:
    """Key of a part: the digest of its parent's key and its name."""
    return hashlib.blake2b(f"{parent}/{part}".encode(), digest_size=16).hexdigest()


def loose_bodies(
    body: Body, flight_class: FlightClass, theta0: float, seed: int, end_ns: int | None = None
) -> tuple[Body, ...]:
    """All that comes off ``body`` by ``flight_class.loose``, in the order of the class.

    Ids are the parent's with "/stage1", "/fairing-1", "/debris2-1" (pieces that came off with stage 2) and so on, keys
    digests of the parent's key and that part, kind "loose". Each ends on the ground; one that does not come down (more
    than half a day, an orbit) ends at ``end_ns``. All draws are keyed by the piece, or what is common to a group (the
    moment) by the group.

    Raises ValueError for a kind that is none, for a stage that the class does not have, for draws of ``beta`` or
    ``rcs`` that are not positive, and where a piece stays up and there is no ``end_ns``.
    """
    out: list[Body] = []
    for group in _groups(body, flight_class, seed):
        for number in group.numbers:
            part = group.name if _alone(group, flight_class) else f"{group.name}-{number}"
            piece = _piece(body, group, part, number, flight_class, theta0, seed, end_ns)
            if piece is not None:
                out.append(piece)
    return tuple(out)


def _base(kind: LooseKind) -> str:
    """Name of the parts of a kind. Fairings need no number of a stage: a body has one fairing."""
    return "fairing" if kind.kind == "fairing" else f"{kind.kind}{kind.stage}"


def _alone(group: _Group, flight_class: FlightClass) -> bool:
    """Whether a spent stage is the only one of its number: it then has no number of a piece."""
    same = sum(kind.count for kind in flight_class.loose if _base(kind) == group.name)
    return group.kind.kind == "stage" and same == 1


def _groups(body: Body, flight_class: FlightClass, seed: int) -> Iterator[_Group]:
    """What comes off and when; nothing for a moment that this flight does not have."""
    stages = len(flight_class.stages)
    used: dict[str, int] = {}
    for i, kind in enumerate(flight_class.loose):
        place = f"class {flight_class.id}: loose[{i}]"
        if kind.kind not in KINDS:
            raise ValueError(f"{place}: kind must be one of {', '.join(KINDS)}, found {kind.kind!r}")
        by_height = kind.kind == "fairing" and kind.height > 0.0
        if not by_height and not 1 <= kind.stage <= stages:
            raise ValueError(f"{place}: stage must lie between 1 and {stages}, found {kind.stage}")
        name = _base(kind)
        first = used.get(name, 0) + 1
        used[name] = first + kind.count - 1
        key = part_key(body.key, f"{name}#{first}")
        delay = max(draw(kind.delay, seed, key, "loose.delay"), 0.0)
        start = _height_passed(body, kind.height) if by_height else _end_of_thrust(body, kind, stages)
        if start is None:
            continue
        latest = float(body.nodes[-1, 0])
        if not by_height and kind.kind == "stage":
            latest = min(latest, _next_burn(body, start))  # a spent stage is off before the next one lights
        t = min(start + delay, latest)
        if t < float(body.nodes[-1, 0]):
            yield _Group(kind, name, range(first, first + kind.count), key, t, _thrust_axis(body, start))


def _height_passed(body: Body, height: float) -> float | None:
    return crossing(body.nodes, height, float(body.nodes[0, 0]), rising=True)


def _seconds(body: Body, t_ns: int) -> float:
    return (t_ns - body.start_ns) / 1e9


def _end_of_thrust(body: Body, kind: LooseKind, stages: int) -> float | None:
    """When the thrust of a stage ends (s since the body's start); None where the stage did not burn, or did not come
    off because its burn was cut short. Burns beyond the number of stages are more burns of the last one."""
    if len(body.burns) < kind.stage:
        return None
    last = kind.stage == stages
    start_ns, end_ns, _ = body.burns[-1 if last else kind.stage - 1]
    full = body.facts.get(f"stage{kind.stage}.burn")
    cut_short = full is not None and (end_ns - start_ns) / 1e9 < full - _SAME_TIME_S
    if cut_short and not last and kind.kind != "debris":
        return None
    return _seconds(body, end_ns)


def _next_burn(body: Body, t_s: float) -> float:
    """The first ignition that is not before ``t_s``, infinite where there is none."""
    starts = (_seconds(body, start) for start, _, _ in body.burns)
    return min((s for s in starts if s >= t_s - _SAME_TIME_S), default=math.inf)


def _thrust_axis(body: Body, t_s: float) -> Array:
    """Direction of the thrust up to ``t_s`` (unit vector, eci): what gravity leaves of the acceleration, or the
    velocity where there is none."""
    nodes = body.nodes
    # a jump of the thrust stands twice: the first of the two nodes belongs to what was before
    i = min(int(np.searchsorted(nodes[:, 0], t_s - _SAME_TIME_S)), len(nodes) - 1)
    x, y, z = (float(v) for v in nodes[i, 1:4])
    thrust = nodes[i, 7:10] - np.array(gravity(x, y, z))
    if float(np.sqrt(np.sum(thrust**2))) < 1.0:
        thrust = nodes[i, 4:7]
    return np.asarray(thrust / np.sqrt(np.sum(thrust**2)), dtype=np.float64)


def _across(axis: Array) -> tuple[Array, Array]:
    """Two unit vectors across an axis and each other."""
    other = np.zeros(3)
    other[int(np.argmin(np.abs(axis)))] = 1.0
    first = np.cross(axis, other)
    first /= np.sqrt(np.sum(first**2))
    return first, np.cross(axis, first)


def _direction(group: _Group, number: int, key: str, seed: int) -> Array:
    """Where a piece goes against its parent (unit vector, eci)."""
    if group.kind.kind == "stage":
        return -group.axis
    first, second = _across(group.axis)
    if group.kind.kind == "fairing":
        # evenly around the axis from a common angle: two halves go opposite ways
        turn = draw_uniform(stream_key(seed, group.key, "loose.turn"))
        angle = 2.0 * math.pi * (turn + (number - group.numbers.start) / len(group.numbers))
        along = 0.0
    else:
        stream = stream_key(seed, key, "loose.direction")
        along = 2.0 * draw_uniform(stream, 0, 0, 0) - 1.0  # evenly over the sphere
        angle = 2.0 * math.pi * draw_uniform(stream, 0, 0, 1)
    level = math.sqrt(1.0 - along * along)
    return np.asarray(
        along * group.axis + level * (math.cos(angle) * first + math.sin(angle) * second), dtype=np.float64
    )


def _positive(spread: Spread, seed: int, key: str, what: str, flight_class: FlightClass) -> float:
    value = draw(spread, seed, key, f"loose.{what}")
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(
            f"class {flight_class.id}: {what} of what comes loose must be positive, drawn {value:.6g};"
            " its nominal value less three spreads must stay above zero"
        )
    return value


def _piece(
    body: Body, group: _Group, part: str, number: int, flight_class: FlightClass, theta0: float, seed: int,
    end_ns: int | None,
) -> Body | None:  # fmt: skip
    key = part_key(body.key, part)
    kind = group.kind
    beta = _positive(kind.beta, seed, key, "beta", flight_class)
    rcs = _positive(kind.rcs, seed, key, "rcs", flight_class)
    speed = max(draw(kind.speed, seed, key, "loose.speed"), 0.0)
    start_ns = body.start_ns + whole_ns(group.t_s)
    if end_ns is not None and start_ns >= end_ns:
        return None
    state = np.empty(6)
    if not state_at(body.nodes, 0, len(body.nodes), _seconds(body, start_ns), state):
        return None
    state[3:] += speed * _direction(group, number, key, seed)
    theta = theta0 + OMEGA_GMST * to_s(start_ns)
    id_ = f"{body.id}/{part}"
    facts = {"beta": beta, "rcs": rcs, "speed": speed}
    down = follow(state, 0.0, theta, beta, precise=True)
    if down is not None:
        return _made(body, id_, key, start_ns, down.nodes, down, facts)
    if end_ns is None:
        raise ValueError(f"{id_} does not come down: the end of the scenario is needed")
    nodes, down = _circling(state, (end_ns - start_ns) / 1e9, theta, beta)
    return _made(body, id_, key, start_ns, nodes, down, facts)


def _circling(state: Array, until_s: float, theta: float, beta: float) -> tuple[Array, Descended | None]:
    """Nodes of what does not come down at once, to ``until_s``, or to the ground where the air brings it down before
    that."""
    parts: list[Array] = []
    t, start = 0.0, state
    while t < until_s:
        # piece by piece: what the air has slowed down is followed to the ground and not far into it
        nodes = coast(start, t, min(t + _PIECE_S, until_s), beta)
        for i, node in enumerate(nodes):
            if perigee_of(*(float(v) for v in node[1:7])) < A + _DOWN_SOON:
                down = follow(node[1:7], float(node[0]), theta, beta, precise=True)
                if down is None or down.impact_s >= until_s:
                    break
                return np.concatenate([*parts, nodes[:i], down.nodes]), down
        parts.append(nodes[:-1])
        t, start = float(nodes[-1, 0]), nodes[-1, 1:7].copy()
    return np.concatenate([*parts, nodes[-1:]]), None


def _made(
    body: Body, id_: str, key: str, start_ns: int, nodes: Array, down: Descended | None, facts: dict[str, float]
) -> Body:
    events = [("separation", start_ns)]
    facts = {**facts, "separation_ns": float(start_ns)}
    if down is not None:
        if down.apogee_s > 0.0:
            events.append(("apogee", start_ns + round(down.apogee_s * 1e9)))
        entry = crossing(nodes, ENTRY_HEIGHT, down.apogee_s, rising=False)
        if entry is not None:
            events.append(("entry", start_ns + whole_ns(entry)))
        impact_ns = start_ns + whole_ns(down.impact_s)
        events.append(("impact", impact_ns))
        facts |= {
            "apogee": down.apogee,
            "apogee_ns": float(start_ns + round(down.apogee_s * 1e9)),
            "impact_lat": down.lat,
            "impact_lon": down.lon,
            "impact_ns": float(impact_ns),
            "impact_speed": down.speed,
        }
        if "launch_lat" in body.facts and "launch_lon" in body.facts:
            facts["range"] = inverse(body.facts["launch_lat"], body.facts["launch_lon"], down.lat, down.lon)[0]
    return Body(id_, key, "", "loose", body.id, start_ns, nodes, tuple(events), (), start_ns, facts["rcs"],
                facts["rcs"], facts)  # fmt: skip
