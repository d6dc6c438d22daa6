"""Aircraft along waypoints: shortest lines over the ellipsoid, turns by bank, speeds and climbs.

An aircraft passes over every point of its plan, at the height asked there. Behind a point it turns at once, in a
circle, until the shortest line to the next point lies ahead (a fly-over turn), then takes up the speed of that leg and
flies straight. It climbs as early and descends as late as its rate allows and is level over every point. Banking takes
no time; the air is at rest against the ground, so the radius of a turn follows from the speed over the ground.

Rates of change are the greatest that the civil flights of BADA take (EUROCONTROL, User Manual for the Base of Aircraft
Data, revision 3, global aircraft parameters): 2 ft/s2 along the path, 5 ft/s2 normal to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.geodesics import direct, ends, inverse
from tocsin.earth.wgs84 import E2, A, geodetic_to_ecef
from tocsin.scenario.specs import AircraftObject
from tocsin.truth.body import Body
from tocsin.truth.ground_paths import ground_nodes

LONGITUDINAL = 2.0 * 0.3048  # m/s2
NORMAL = 5.0 * 0.3048  # m/s2, with which climbs begin and end
GRAVITY = 9.80665  # m/s2, standard gravity, for the radius of turns
HEIGHTS = (-500.0, 50e3)  # m over the ellipsoid
_GREATEST_RADIUS = 1e6  # m of a turn; wider ones are not turned by bank
_LEAST_PIECE_S = 1e-6  # shorter pieces are left to their neighbours (0.3 mm at 300 m/s)


_Parabola = tuple[float, float, float]
_Geometry = tuple[float, float, float, float, float, float]


class AircraftImpossible(ValueError):  # noqa: N818 - the name says what is wrong
    """No flight along these points, or a number that means nothing.

    ``point``: its number from 1 (0: the aircraft itself); ``constraint``: "place", "speed", "climb", "turn" or
    "number".
    """

    def __init__(self, who: str, point: int, constraint: str, text: str) -> None:
        where = f"{who}: point {point}" if point else who
        super().__init__(f"{where}: {text}")
        self.point = point
        self.constraint = constraint


@dataclass(frozen=True)
class _Piece:
    """Part of a path on which both distance and height are parabolas of time.

    The point at the distance ``s`` stands ``radius + straight s`` from (``lat``, ``lon``) at the azimuth ``azimuth +
    bend s``; ``s`` and ``h`` are polynomials of the time since ``t0``.
    """

    begin: float
    end: float
    lat: float
    lon: float
    azimuth: float
    bend: float
    radius: float
    straight: float
    s: _Parabola
    h: _Parabola
    s_t0: float
    h_t0: float
    rate: float  # of turning (rad/s)


@dataclass(frozen=True)
class _Turn:
    """Arc of ``length`` (m) around a centre, beginning at ``azimuth`` from it; where it ends."""

    lat: float
    lon: float
    radius: float
    azimuth: float
    bend: float  # rad of azimuth a metre of path, positive to the right
    length: float
    end_lat: float
    end_lon: float


def turn_radius(speed: float, bank: float) -> float:
    """Radius (m) of a coordinated level turn at ``speed`` (m/s) and angle of ``bank`` (rad)."""
    return speed * speed / (GRAVITY * math.tan(bank))


def _check(thing: AircraftObject) -> None:
    who = thing.id
    if len(thing.points) < 2:
        raise AircraftImpossible(who, 0, "number", f"a path needs two points or more, found {len(thing.points)}")
    if not (math.isfinite(thing.climb) and thing.climb > 0.0):
        raise AircraftImpossible(who, 0, "number", f"climb must be above 0 m/s, found {thing.climb:g}")
    if not 0.0 < thing.bank < math.radians(85.0):
        raise AircraftImpossible(
            who, 0, "number", f"bank must lie between 0 and 85 degrees, found {math.degrees(thing.bank):g}"
        )
    if not (math.isfinite(thing.rcs) and thing.rcs > 0.0):
        raise AircraftImpossible(who, 0, "number", f"rcs must be above 0 m2, found {thing.rcs:g}")
    for i, p in enumerate(thing.points, 1):
        if not abs(p.lat) <= 0.5 * math.pi:
            raise AircraftImpossible(
                who, i, "place", f"latitude must lie between -90 and 90 degrees, found {math.degrees(p.lat):g}"
            )
        if not abs(p.lon) <= 2.0 * math.pi:
            raise AircraftImpossible(
                who, i, "place", f"longitude must lie between -360 and 360 degrees, found {math.degrees(p.lon):g}"
            )
        if not HEIGHTS[0] <= p.h <= HEIGHTS[1]:
            raise AircraftImpossible(
                who, i, "place", f"height must lie between {HEIGHTS[0]:g} and {HEIGHTS[1]:g} m, found {p.h:g}"
            )
        if not 1.0 <= p.speed <= 3000.0:
            raise AircraftImpossible(who, i, "number", f"speed must lie between 1 and 3000 m/s, found {p.speed:g}")


def _wrap(angle: float) -> float:
    return angle - 2.0 * math.pi * math.floor(angle / (2.0 * math.pi) + 0.5)


def _turn(
    who: str, point: int, at: tuple[float, float], course: float, to: tuple[float, float], radius: float
) -> _Turn:
    """The arc from ``at`` on ``course`` (rad) to where the shortest line to ``to`` lies ahead."""
    if radius > _GREATEST_RADIUS:
        raise AircraftImpossible(
            who, point, "turn",
            f"the turn that leads there would have a radius of {radius / 1e3:.0f} km; at most"
            f" {_GREATEST_RADIUS / 1e3:.0f} km are allowed",
        )  # fmt: skip
    wanted = inverse(*at, *to)[1]
    change = _wrap(wanted - course)
    right = math.copysign(1.0, change)
    lat, lon, azimuth = direct(*at, course + right * 0.5 * math.pi, radius)
    # arc per angle at the centre: reduced length on a sphere of the Gaussian curvature there (1e-9 of the radius)
    w2 = 1.0 - E2 * math.sin(lat) ** 2
    gauss = A * math.sqrt(1.0 - E2) / w2
    per_angle = gauss * math.sin(radius / gauss)
    bend = right / per_angle
    if abs(change) * radius < 1e-6:
        return _Turn(lat, lon, radius, azimuth, bend, 0.0, *at)
    distance, bearing, _ = inverse(lat, lon, *to)
    if distance <= radius * (1.0 + 1e-9):
        raise AircraftImpossible(
            who, point, "turn",
            f"it lies inside the turn that leads there, whose radius is {radius / 1e3:.2f} km;"
            f" {2.0 * radius / 1e3:.2f} km from the point before are enough",
        )  # fmt: skip
    # where a tangent leaves a circle of the sphere, then Newton's method on the ellipsoid: ahead = wrap(...) has slope
    # -1 at the tangent, because moving towards a point does not change its direction
    ratio = math.tan(radius / gauss) / math.tan(distance / gauss)
    leave = bearing - right * math.acos(min(max(ratio, -1.0), 1.0))
    for _ in range(60):
        q_lat, q_lon, back = direct(lat, lon, leave, radius)
        rest, ahead, _ = inverse(q_lat, q_lon, *to)
        off = _wrap(ahead - (back - right * 0.5 * math.pi))
        leave += off
        if abs(off) * max(rest, radius) < 1e-7:
            break
    else:
        raise AircraftImpossible(who, point, "turn", "no turn leads there")
    angle = math.fmod(right * (leave - azimuth), 2.0 * math.pi)
    if angle < 0.0:
        angle += 2.0 * math.pi
    if angle > 2.0 * math.pi - 1e-9:
        angle = 0.0
    end_lat, end_lon, _ = direct(lat, lon, azimuth + right * angle, radius)
    return _Turn(lat, lon, radius, azimuth, bend, angle * per_angle, end_lat, end_lon)


def climb_time(rise: float, rate: float) -> float:
    """Least time (s) for a change of height by ``rise`` (m) that begins and ends level, at no more than ``rate``
    (m/s)."""
    rise = abs(rise)
    if rise < rate * rate / NORMAL:
        return 2.0 * math.sqrt(rise / NORMAL)
    return rise / rate + rate / NORMAL


def _climb(h0: float, h1: float, rate: float, t0: float, t1: float) -> list[tuple[float, float, _Parabola]]:
    """Parabolas (begin, end, coefficients from begin) of the height from ``t0`` to ``t1``."""
    rise = h1 - h0
    if rise == 0.0:
        return [(t0, t1, (h0, 0.0, 0.0))]
    up = math.copysign(1.0, rise)
    took = climb_time(rise, rate)
    ramp = min(math.sqrt(abs(rise) / NORMAL), rate / NORMAL)
    peak = up * ramp * NORMAL
    begin = t0 if rise > 0.0 else t1 - took
    half = 0.5 * up * NORMAL
    low = h0 + half * ramp * ramp
    high = h1 - half * ramp * ramp
    a, b, c = begin + ramp, begin + took - ramp, begin + took
    parts = [
        (t0, begin, (h0, 0.0, 0.0)),
        (begin, a, (h0, 0.0, half)),
        (a, b, (low, peak, 0.0)),
        (b, c, (high, peak, -half)),
        (c, t1, (h1, 0.0, 0.0)),
    ]
    return [p for p in parts if p[1] - p[0] > _LEAST_PIECE_S]


def _pieces(thing: AircraftObject) -> tuple[list[_Piece], list[float], float]:
    """The pieces of the whole path, the times (s since start) at which the points are passed, the length flown."""
    who = thing.id
    out: list[_Piece] = []
    passed = [0.0]
    length = 0.0
    course = math.nan
    speed = thing.points[1].speed
    for i in range(1, len(thing.points)):
        p, q = thing.points[i - 1], thing.points[i]
        number = i + 1
        at, to = (p.lat, p.lon), (q.lat, q.lon)
        if inverse(*at, *to)[0] < 1.0:
            raise AircraftImpossible(who, number, "place", "it is the same place as the point before")
        t = passed[-1]
        # tracks: begin, end, geometry (lat, lon, azimuth, bend, radius, straight), distance parabola, rate of turning
        tracks: list[tuple[float, float, _Geometry, _Parabola, float]] = []
        if not math.isnan(course):
            turn = _turn(who, number, at, course, to, turn_radius(speed, thing.bank))
            if turn.length > 0.0:
                took = turn.length / speed
                where = (turn.lat, turn.lon, turn.azimuth, turn.bend, turn.radius, 0.0)
                tracks.append((t, t + took, where, (0.0, speed, 0.0), speed / turn.radius))
                t += took
                at = (turn.end_lat, turn.end_lon)
                length += turn.length
        rest, azimuth, course = inverse(*at, *to)
        length += rest
        where = (*at, azimuth, 0.0, 0.0, 1.0)
        gained = abs(q.speed * q.speed - speed * speed) / (2.0 * LONGITUDINAL)
        if gained > rest:
            reached = math.sqrt(max(speed * speed + math.copysign(2.0 * LONGITUDINAL * rest, q.speed - speed), 0.0))
            raise AircraftImpossible(
                who, number, "speed",
                f"it cannot change its speed from {speed:.1f} to {q.speed:.1f} m/s within {rest / 1e3:.2f} km at"
                f" {LONGITUDINAL:.2f} m/s2; nearest: {reached:.1f} m/s",
            )  # fmt: skip
        if gained > 0.0:
            took = abs(q.speed - speed) / LONGITUDINAL
            half = math.copysign(0.5 * LONGITUDINAL, q.speed - speed)
            tracks.append((t, t + took, where, (0.0, speed, half), 0.0))
            t += took
        speed = q.speed
        end = t + (rest - gained) / speed
        tracks.append((t, end, where, (gained, speed, 0.0), 0.0))
        _say_climb(who, number, q.h - p.h, thing.climb, end - passed[-1])
        heights = _climb(p.h, q.h, thing.climb, passed[-1], end)
        begin = passed[-1]
        for kink in [*sorted([*(k[1] for k in tracks[:-1]), *(k[1] for k in heights[:-1])]), end]:
            if kink != end and not begin + _LEAST_PIECE_S < kink < end - _LEAST_PIECE_S:
                continue
            middle = 0.5 * (begin + kink)
            track = next(k for k in reversed(tracks) if k[0] <= middle or k is tracks[0])
            height = next(k for k in reversed(heights) if k[0] <= middle or k is heights[0])
            out.append(_Piece(begin, kink, *track[2], track[3], height[2], track[0], height[0], track[4]))
            begin = kink
        passed.append(end)
    return out, passed, length


def _say_climb(who: str, number: int, rise: float, rate: float, time: float) -> None:
    needed = climb_time(rise, rate)
    if needed <= time:
        return
    ramp = rate / NORMAL
    reached = rate * (time - ramp) if time > 2.0 * ramp else 0.25 * NORMAL * time * time
    word = "climb" if rise > 0.0 else "descend"
    raise AircraftImpossible(
        who, number, "climb",
        f"it cannot {word} {abs(rise):.0f} m on the way there: at {rate:.1f} m/s that takes {needed:.0f} s and it has"
        f" {time:.0f} s; nearest: {reached:.0f} m",
    )  # fmt: skip


def aircraft_body(thing: AircraftObject, theta0: float) -> Body:
    """The flight of an aircraft from its first point to its last, where it ends.

    ``theta0``: sidereal angle (rad) of the scenario's epoch. ``facts``: ``length`` (m over the ground), ``duration``
    (s), ``point2``, ``point3``, ... (s after the start at which it passes them). Raises AircraftImpossible where a
    point cannot be reached as asked (too steep, inside the turn, no room for the change of speed) or a number is out of
    its bounds.
    """
    _check(thing)
    pieces, passed, length = _pieces(thing)
    names = ("lat", "lon", "azimuth", "bend", "radius", "straight", "s_t0", "h_t0")
    col = {name: np.array([getattr(p, name) for p in pieces]) for name in names}
    s, h = np.array([p.s for p in pieces]), np.array([p.h for p in pieces])
    # a twentieth of a radian of turn: 1e-7 of the velocity
    delta = np.array([min(1.0, 0.05 / p.rate) if p.rate > 0.0 else 1.0 for p in pieces])

    def position(k: NDArray[np.int64], t: NDArray[np.float64]) -> NDArray[np.float64]:
        u, w = t - col["s_t0"][k], t - col["h_t0"][k]
        along = s[k, 0] + u * (s[k, 1] + u * s[k, 2])
        height = h[k, 0] + w * (h[k, 1] + w * h[k, 2])
        azimuth = col["azimuth"][k] + col["bend"][k] * along
        place = ends(col["lat"][k], col["lon"][k], azimuth, col["radius"][k] + col["straight"][k] * along)
        return geodetic_to_ecef(np.column_stack([place[:, 0], place[:, 1], height]))

    breaks = np.array([*(p.begin for p in pieces), pieces[-1].end])
    nodes = ground_nodes(breaks, delta, position, theta0 + OMEGA_GMST * to_s(thing.start_ns))
    facts = {"length": length, "duration": passed[-1]}
    facts.update({f"point{i}": when for i, when in enumerate(passed[1:], 2)})
    return Body(
        thing.id, thing.key, thing.class_id, "aircraft", "", thing.start_ns, nodes, (), (), thing.start_ns, thing.rcs,
        thing.rcs, facts,
    )  # fmt: skip
