"""The ascent of one launch: what thrust program leads from a site into an orbit.

The first stage rises straight up, turns at an even rate by a small angle (the kick) and then flies along the velocity
against the air (gravity turn). The upper stages thrust in one vertical plane by the linear-tangent law until the orbit
asked for is entered at its perigee, in the plane of its inclination through the site. Unknown are the azimuth of either
plane of thrust, the two numbers of the tangent law and the end of thrust, by Newton's method; the kick is the one that
spends the least propellant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.ascent import (
    ALONG_AIRSPEED,
    ALONG_ELEVATION,
    ALONG_TANGENT,
    at_rest,
    fly_program,
    site_axes,
)
from tocsin.earth.wgs84 import E2, MU, A, geodetic_of
from tocsin.scenario.specs import FlightObject, TargetOrbit

Array = NDArray[np.float64]

STEP_S = 1.0  # powered flight is integrated in steps of this length at most
_ROUGH_S = 2.0  # and in these while the kick is searched for
SOLVED = np.array([1.0, 0.01, 0.01, 0.01, 10.0])  # radius (m), climb, speed, across the plane (m/s), beside it (m)
SCALES = np.array([1e3, 10.0, 10.0, 10.0, 1e4])
_LEAST_BURNOUT_M = 25e3  # a first stage that ends under this has not left the air


@dataclass(frozen=True)
class Ascent:
    """A solved ascent: ``pieces`` of its thrust program (``dynamics.ascent``) on the clock of the launch and their
    fixed ``axes``, the ``kick`` and ``azimuth`` of the first stage, ``yaw``: how far the upper stages' plane of thrust
    is turned from it (rad), ``tangent``: the two numbers of their law, ``end_s``: when the orbit is entered.
    """

    pieces: Array
    axes: Array
    kick: float
    azimuth: float
    yaw: float
    tangent: tuple[float, float]
    end_s: float


@dataclass(frozen=True)
class Elements:
    """An osculating orbit: ``perigee``, ``apogee`` (m over the equator's radius), ``inclination``, ``raan`` (rad)."""

    perigee: float
    apogee: float
    inclination: float
    raan: float


def osculating(x6: Array) -> Elements:
    """The osculating orbit of a bound state in eci; apogee is infinite where it is not bound."""
    r, v = x6[:3], x6[3:]
    momentum = np.cross(r, v)
    distance = math.sqrt(float(r @ r))
    energy = 0.5 * float(v @ v) - MU / distance
    e = math.sqrt(max(1.0 + 2.0 * energy * float(momentum @ momentum) / MU**2, 0.0))
    p = float(momentum @ momentum) / MU
    size = math.sqrt(float(momentum @ momentum))
    return Elements(
        p / (1.0 + e) - A,
        p / (1.0 - e) - A if e < 1.0 else math.inf,
        math.acos(min(max(float(momentum[2]) / size, -1.0), 1.0)),
        math.atan2(float(momentum[0]), -float(momentum[1])) % (2.0 * math.pi),
    )


def geocentric_latitude(lat: float) -> float:
    """Of a point on the ellipsoid at geodetic latitude ``lat`` (rad): the least inclination of an orbit over it."""
    return math.atan((1.0 - E2) * math.tan(lat))


def orbit_normal(u: Array, inclination: float, northward: bool) -> Array:
    """Unit normal of the orbit of an inclination through direction ``u``, going north or south there."""
    level = math.hypot(float(u[0]), float(u[1]))
    east = np.array([-u[1], u[0], 0.0]) / level
    north = np.cross(u, east)
    s = min(max(math.cos(inclination) / level, -1.0), 1.0)  # sine of the heading
    c = math.sqrt(1.0 - s * s) * (1.0 if northward else -1.0)
    return s * north - c * east


def newton(
    residual: Callable[[Array], Array | None], start: Array, steps: Array, scales: Array, solved: Array, longest: Array
) -> Array | None:
    """Damped Newton iteration with differences; None where it does not settle.

    ``longest``: greatest change of each unknown in one step.
    """
    at = start.copy()
    miss = residual(at)
    for _ in range(30):
        if miss is None:
            return None
        if bool(np.all(np.abs(miss) < solved)):
            return at
        slope = np.empty((len(miss), len(at)))
        for j in range(len(at)):
            moved = at.copy()
            moved[j] += steps[j]
            other = residual(moved)
            if other is None:
                return None
            slope[:, j] = (other - miss) / scales / steps[j]
        try:
            change = -np.linalg.solve(slope, miss / scales)
        except np.linalg.LinAlgError:
            return None
        fraction = min(1.0, float(np.min(longest / np.maximum(np.abs(change), 1e-300))))
        size = float(np.sum((miss / scales) ** 2))
        for _ in range(8):
            there = residual(at + fraction * change)
            if there is not None and float(np.sum((there / scales) ** 2)) < size:
                break
            fraction *= 0.5
        else:
            return None
        at, miss = at + fraction * change, there
    return None


class Trial:
    """Trial ascents with one set of class parameters into one orbit; times count from the launch."""

    def __init__(self, thing: FlightObject, orbit: TargetOrbit, drawn: dict[str, float], stages: int, theta: float):
        self.drawn, self.stages, self.orbit = drawn, stages, orbit
        self.lat, self.theta = thing.lat, theta + thing.lon
        self.rest = at_rest(thing.lat, self.theta, thing.h)
        self.beta = drawn["beta_boost"]
        self.radius = A + orbit.perigee
        self.speed = math.sqrt(MU * (2.0 / self.radius - 2.0 / (2.0 * A + orbit.perigee + orbit.apogee)))
        self.nominal = orbit_normal(self.rest[:3] / np.linalg.norm(self.rest[:3]), orbit.inclination, orbit.northward)
        self.burns = []  # ignition, end of each stage
        ignition = 0.0
        for i in range(1, stages + 1):
            self.burns.append((ignition, ignition + drawn[f"stage{i}.burn"]))
            ignition = self.burns[-1][1] + drawn[f"stage{i}.coast"]
        self.upper_s = self.burns[1][0]
        last = drawn[f"stage{stages}.exhaust"] / drawn[f"stage{stages}.thrust"]
        self.longest = self.burns[-1][0] + 0.985 * last  # trials may burn what is not there
        self.out = np.empty((4000, 10))
        self.flown: tuple[tuple[float, float, float], Array] | None = None

    def azimuth(self) -> float:
        """Of thrust, to begin with: the orbit's heading less the motion that the Earth gives."""
        u = self.rest[:3] / np.linalg.norm(self.rest[:3])
        v = self.speed * np.cross(self.nominal, u) - self.rest[3:]
        axes = site_axes(self.lat, self.theta, 0.0)
        east = np.cross(axes[:3], axes[3:])
        return math.atan2(float(v @ east), float(v @ axes[:3]))

    def first(self, kick: float) -> list[tuple[float, ...]]:
        """Pieces of the first stage and the coast after it."""
        d = self.drawn
        end = self.burns[0][1]
        turn = min(d["vertical"], end)
        along = min(turn + d["pitch"], end)
        burn = (0.0, d["stage1.thrust"], d["stage1.exhaust"])
        up = 0.5 * math.pi
        rate = -kick / d["pitch"] if d["pitch"] > 0.0 else 0.0
        return [
            (0.0, turn, *burn, ALONG_ELEVATION, up, 0.0),
            (turn, along, *burn, ALONG_ELEVATION, up, rate),
            (along, end, *burn, ALONG_AIRSPEED, 0.0, 0.0),
            (end, self.upper_s, 0.0, 0.0, 1.0, ALONG_TANGENT, 0.0, 0.0),
        ]

    def upper(self, a: float, b: float, end_s: float) -> list[tuple[float, ...]]:
        """Pieces of the upper stages, whose tangent law runs through from the first ignition, until ``end_s``."""
        d = self.drawn
        out: list[tuple[float, ...]] = []
        for i in range(1, self.stages):
            ignition, end = self.burns[i]
            if i == self.stages - 1:
                end = end_s
            burn = (ignition, d[f"stage{i + 1}.thrust"], d[f"stage{i + 1}.exhaust"])
            out.append((ignition, end, *burn, ALONG_TANGENT, a + b * (ignition - self.upper_s), b))
            if i < self.stages - 1:
                out.append((end, self.burns[i + 1][0], 0.0, 0.0, 1.0, ALONG_TANGENT, 0.0, 0.0))
        return out

    def fly(self, pieces: list[tuple[float, ...]], axes: Array, x6: Array, step_s: float) -> int:
        """Fly into ``self.out``; the rows used."""
        program = np.array(pieces)
        return int(fly_program(program, np.tile(axes, (len(program), 1)), x6, self.beta, step_s, self.out))

    def staged(self, kick: float, azimuth: float, step_s: float) -> Array | None:
        """State at the first upper ignition; None if the first stage falls or stays in the air."""
        if self.flown is None or self.flown[0] != (kick, azimuth, step_s):
            n = self.fly(self.first(kick), site_axes(self.lat, self.theta, azimuth), self.rest, step_s)
            self.flown = ((kick, azimuth, step_s), self.out[n - 1, 1:7].copy())
        x = self.flown[1]
        _, _, height = geodetic_of(x[0], x[1], x[2])
        return x if height > _LEAST_BURNOUT_M and float(x[:3] @ x[3:]) > 0.0 else None

    def miss(self, kick: float, at: Array, step_s: float) -> Array | None:
        """Of radius (m), climb, speed, motion across the plane (m/s) and place beside it (m) where thrust ends."""
        azimuth, a, b, end_s, yaw = (float(v) for v in at)
        if not self.burns[-1][0] + 1.0 < end_s < self.longest:
            return None
        begun = self.staged(kick, azimuth, step_s)
        if begun is None:
            return None
        axes = site_axes(self.lat, self.theta, azimuth + yaw)
        n = self.fly(self.upper(a, b, end_s), axes, begun, step_s)
        x = self.out[n - 1, 1:7]
        r = math.sqrt(float(x[:3] @ x[:3]))
        u = x[:3] / r
        climb = float(x[3:] @ u)
        speed = math.sqrt(max(float(x[3:] @ x[3:]) - climb * climb, 0.0))
        return np.array(
            [r - self.radius, climb, speed - self.speed, float(x[3:] @ self.nominal), float(x[:3] @ self.nominal)]
        )

    def survey(self, kick: float) -> Array | None:
        """A beginning for Newton's method: of a grid of tangent laws, which is nearest when the speed is there."""
        azimuth = self.azimuth()
        begun = self.staged(kick, azimuth, _ROUGH_S)
        if begun is None:
            return None
        axes = site_axes(self.lat, self.theta, azimuth)
        best: tuple[float, Array] | None = None
        span = self.burns[-1][1] - self.upper_s
        for a in np.tan(np.radians([5.0, 12.0, 20.0, 28.0, 36.0, 44.0, 52.0, 60.0])):
            for over in np.tan(np.radians([20.0, 5.0, -5.0, -15.0, -25.0, -35.0])):
                b = (over - a) / span
                n = self.fly(self.upper(float(a), float(b), self.longest - 1.0), axes, begun, _ROUGH_S)
                rows = self.out[:n]
                speeds = np.sqrt(np.sum(rows[:, 4:7] ** 2, axis=1))
                fast = np.nonzero((speeds >= self.speed) & (rows[:, 0] > self.burns[-1][0] + 1.0))[0]
                if not len(fast):
                    continue
                row = rows[fast[0]]
                r = math.sqrt(float(row[1:4] @ row[1:4]))
                climb = float(row[4:7] @ row[1:4]) / r
                score = ((r - self.radius) / 50e3) ** 2 + (climb / 300.0) ** 2
                if best is None or score < best[0]:
                    best = (score, np.array([azimuth, a, b, row[0], 0.0]))
        return None if best is None else best[1]

    def solved(self, kick: float, start: Array | None, step_s: float) -> Array | None:
        """Azimuth, tangent law and end of thrust into the orbit for one kick."""
        if start is None:
            return None
        return newton(
            lambda at: self.miss(kick, at, step_s), start, np.array([1e-6, 1e-6, 1e-8, 1e-3, 1e-6]), SCALES,
            SOLVED * (1.0 if step_s <= STEP_S else 10.0), np.array([0.1, 0.3, 1e-3, 30.0, 0.1]),
        )  # fmt: skip

    def best(self) -> tuple[float, Array] | None:
        """The kick that spends the least propellant and the ascent it gives."""
        found: list[tuple[float, float, Array]] = []
        for degrees in (2.0, 4.0, 6.0, 8.0, 11.0, 14.0, 18.0, 23.0, 29.0):
            kick = math.radians(degrees)
            at = None
            if found and found[-1][1] > kick - 0.12:  # next to one that is solved
                at = self.solved(kick, found[-1][2], _ROUGH_S)
            if at is None:
                at = self.solved(kick, self.survey(kick), _ROUGH_S)
            if at is not None:
                found.append((float(at[3]), kick, at))
                if len(found) > 2 and found[-1][0] > found[-2][0] > found[-3][0]:
                    break  # past the least
        if not found:
            return None
        k = min(range(len(found)), key=lambda i: found[i][0])
        end_s, kick, at = found[k]
        low = found[max(k - 1, 0)][1]
        high = found[min(k + 1, len(found) - 1)][1]
        ratio = 0.5 * (3.0 - math.sqrt(5.0))
        for _ in range(14):  # golden section
            other = kick + ratio * (high - kick) if high - kick > kick - low else kick - ratio * (kick - low)
            there = self.solved(other, at, _ROUGH_S)
            if there is not None and there[3] < end_s:
                low, high = (kick, high) if other > kick else (low, kick)
                end_s, kick, at = float(there[3]), other, there
            elif other > kick:
                high = other
            else:
                low = other
        fine = self.solved(kick, at, STEP_S)
        return None if fine is None else (kick, fine)

    def ascent(self) -> Ascent | None:
        """The ascent; None if there is none or it would need more propellant than there is."""
        best = self.best()
        if best is None or best[1][3] > self.burns[-1][1]:
            return None
        kick, at = best
        azimuth, a, b, end_s, yaw = (float(v) for v in at)
        first, upper = self.first(kick), self.upper(a, b, end_s)
        axes = [site_axes(self.lat, self.theta, azimuth)] * len(first)
        axes += [site_axes(self.lat, self.theta, azimuth + yaw)] * len(upper)
        return Ascent(np.array([*first, *upper]), np.array(axes), kick, azimuth, yaw, (a, b), end_s)
