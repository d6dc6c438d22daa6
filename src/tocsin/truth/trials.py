"""Trial flights of one object, and the search among them for the one that is asked for.

A trial has three unknowns: the direction of the final thrust (two) and the energy, which is either the time at which
thrust ends or a common factor on all thrusts. Where the flight comes down takes two of them; the third goes into what
else is asked: the apogee, the time of flight, all the energy there is (lofted, depressed), or the least speed at
burnout (minimum energy).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.boost import BoostPlan
from tocsin.dynamics.kernels import lowest_of
from tocsin.dynamics.leap import height_of
from tocsin.dynamics.thrust import boost_rows, fly_boost
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.geodesics import inverse
from tocsin.truth.classes import GREATEST_MASS_RATIO, SCALE_LIMITS
from tocsin.truth.descent import DragMach, come_down

SOLVED_M = 1.0  # how near the impact point has to come (aim; 10 m is asked)
SOLVED_APOGEE_M = 1.0  # and the apogee (1 km is asked)
SOLVED_TIME_S = 1e-3  # and the time of flight (1 s is asked)
_LEAST_LIFT = 10.0  # initial specific thrust (m/s2) with which a rocket leaves the ground
_FLATTEST, _STEEPEST = math.radians(8.0), math.radians(89.0)  # elevations of thrust that a survey looks at
_BACKWARDS = math.radians(130.0)  # a steep flight may have to lean back, against the turning of the Earth under it
_SLOW = 0.9  # of the square of the miss, left by a step
_SAME = 1e-3  # two solutions whose apogees differ by less (relative) are one

Trial = tuple[float, float, float]
"""East and north part of the unit vector of final thrust, energy."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a flight, in one form for all the ways to say it.

    ``lat``, ``lon``: where it comes down; ``azimuth``, ``range``: the same from the site; ``what``: "apogee",
    "flight-time", "minimum-energy", "lofted" or "depressed"; ``value``: of the first two (m or s); ``branch``: which of
    two flights with one time, "lofted", "depressed" or "".
    """

    lat: float
    lon: float
    azimuth: float
    range: float
    what: str
    value: float
    branch: str


class Trials:
    """Trial flights of one object: what a thrust direction and an energy lead to.

    The unknowns are the east and north parts of the final thrust direction (no singularity where it points up) and the
    energy: cut-off (s) or logarithm of the thrust factor. Times count from the launch.
    """

    def __init__(
        self, plan: BoostPlan, by_cutoff: bool, beta: float, theta: float, step_s: float, drag_mach: DragMach = ()
    ) -> None:
        self.plan = plan
        self.by_cutoff = by_cutoff
        self.beta = beta
        self.theta = theta
        self.step_s = step_s
        self.drag_mach = drag_mach
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

    def full(self) -> float:
        """The energy of a flight that burns all there is: the last burnout, or the thrusts of the class as they are."""
        ends = self.energies(2)
        return ends[-1] if self.by_cutoff else min(max(0.0, ends[0]), ends[-1])

    def fly(self, east: float, north: float, energy: float) -> bool:
        """Fly; False if it sinks at once or never comes down. The result stands in ``out`` as ``kernels.fall`` leaves
        it, the end of thrust in ``state``."""
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
        come_down(self.state, float(self.nodes[n - 1, 0]), self.theta, self.beta, self.drag_mach, self.out)
        return bool(self.out[0] > 0.0)

    def burnout_speed(self) -> float:
        """Speed over the ground (m/s) at the end of thrust of the last trial."""
        x, y, _, vx, vy, vz = (float(v) for v in self.state)
        return math.sqrt((vx + OMEGA_GMST * y) ** 2 + (vy - OMEGA_GMST * x) ** 2 + vz * vz)

    def solved(self, east: float, north: float, energy: float) -> BoostPlan:
        """The plan of a trial."""
        plan = replace(
            self.plan, elevation=math.acos(min(math.hypot(east, north), 1.0)), azimuth=math.atan2(east, north)
        )
        if self.by_cutoff:
            return replace(plan, cutoff_s=energy)
        scale = math.exp(energy)
        return replace(plan, stages=tuple((i, b, f * scale, c) for i, b, f, c in plan.stages))


@dataclass(frozen=True)
class Survey:
    """One trial of a survey: what was tried (energy; elevation of thrust, over 90 deg leaning back) and what came of
    it (m, s), ``miss`` from the point asked for."""

    energy: float
    elevation: float
    range: float
    apogee: float
    time: float
    miss: float

    def start(self, azimuth: float) -> Trial:
        """The trial itself, to go on from."""
        level = math.cos(self.elevation)
        return level * math.sin(azimuth), level * math.cos(azimuth), self.energy


def survey(trial: Trials, asked: Asked, energies: Iterable[float], elevations: Iterable[float]) -> list[Survey]:
    """Trials over a grid with thrust towards the azimuth asked for: those that come down, energy by energy."""
    site = trial.plan
    sweep = list(elevations)
    out = []
    for energy in energies:
        for elevation in sweep:
            level = math.cos(elevation)
            if trial.fly(level * math.sin(asked.azimuth), level * math.cos(asked.azimuth), energy):
                _, t, lat, lon, apogee = (float(v) for v in trial.out[:5])
                distance = inverse(site.lat, site.lon, lat, lon)[0]
                miss = inverse(asked.lat, asked.lon, lat, lon)[0]
                out.append(Survey(energy, elevation, distance, apogee, t, miss))
    return out


def sweep(count: int, steepest: float = _STEEPEST) -> list[float]:
    """Elevations for a survey (rad)."""
    flat = math.degrees(_FLATTEST)
    return [math.radians(flat + (math.degrees(steepest) - flat) * i / (count - 1)) for i in range(count)]


Third = Callable[[Trials, float], float]
"""What a flight misses besides its place, scaled so that 1 is the aim; from the last trial and its energy."""


def _miss(trial: Trials, at: Trial, asked: Asked, third: Third) -> NDArray[np.float64] | None:
    """East and north miss (m) and the third; None if it does not come down."""
    if not trial.fly(*at):
        return None
    distance, bearing, _ = inverse(asked.lat, asked.lon, trial.out[2], trial.out[3])
    return np.array([distance * math.sin(bearing), distance * math.cos(bearing), third(trial, at[2])])


def _slopes(
    trial: Trials, at: NDArray[np.float64], miss: NDArray[np.float64], asked: Asked, third: Third, highest: float
) -> NDArray[np.float64] | None:
    """Derivatives of the miss ``(3, 3)`` by differences; None where a neighbour does not come down."""
    steps = np.array([1e-5, 1e-5, 1e-3 if trial.by_cutoff else 1e-5])
    slope = np.empty((3, 3))
    for j in range(3):
        # at a bound, differences are taken inwards
        h = -steps[j] if j == 2 and at[2] + steps[2] > highest else steps[j]
        moved = at.copy()
        moved[j] += h
        other = _miss(trial, (moved[0], moved[1], moved[2]), asked, third)
        if other is None:
            return None
        slope[:, j] = (other - miss) / h
    return slope


def newton(
    trial: Trials, start: Trial, asked: Asked, third: Third, limits: tuple[float, float], patient: bool = True
) -> Trial | None:
    """Damped Newton iteration from ``start``; None if it does not settle on what is asked, or, unless ``patient``, if
    it hardly comes nearer in a few steps (as where the energy does not suffice).

    After success the results of that trial stand in ``trial``.
    """
    at = np.array(start)
    slow = 0
    miss = _miss(trial, (at[0], at[1], at[2]), asked, third)
    for _ in range(40):
        if miss is None:
            return None
        if math.hypot(miss[0], miss[1]) < SOLVED_M and abs(miss[2]) < 1.0:
            found = float(at[0]), float(at[1]), float(at[2])
            trial.fly(*found)
            return found
        slope = _slopes(trial, at, miss, asked, third, limits[1])
        if slope is None:
            return None
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
            there = _miss(trial, (new[0], new[1], new[2]), asked, third)
            if there is not None and float(there @ there) < float(miss @ miss):
                slow = slow + 1 if float(there @ there) > _SLOW * float(miss @ miss) else 0
                at, miss, better = new, there, True
                break
            fraction *= 0.5
        if not better or (slow >= 3 and not patient):
            return None
    return None


def find(trial: Trials, rough: Trials, asked: Asked) -> Trial | None:
    """The trial that does what is asked, None if there is none; ``rough`` makes the survey that it starts from."""
    allowed = rough.energies(2)
    if not allowed:
        return None
    limits = (allowed[0], allowed[-1])
    if asked.what == "apogee":
        return _by_apogee(trial, rough, asked, limits)
    if asked.what == "flight-time":
        return _by_time(trial, rough, asked, limits)
    if asked.what == "minimum-energy":
        return _least(trial, rough, asked, limits)
    return _at_full(trial, rough, asked, limits)


def _apogee(value: float) -> Third:
    return lambda trial, _: (trial.out[4] - value) / SOLVED_APOGEE_M


def passes(grid: Iterable[Survey], distance: float) -> list[tuple[float, float]]:
    """Apogee and time (m, s) where the lines of equal energy of a survey pass a range."""
    out = []
    for a, b in itertools.pairwise(grid):
        if a.energy == b.energy and (a.range - distance) * (b.range - distance) <= 0.0 and a.range != b.range:
            part = (distance - a.range) / (b.range - a.range)
            out.append((a.apogee + (b.apogee - a.apogee) * part, a.time + (b.time - a.time) * part))
    return out


def _too_far(grid: Sequence[Survey], asked: Asked) -> bool:
    """Whether what is asked lies far beyond all that a survey reached; a survey is coarse, and does not aim."""
    return not grid or asked.range > 1.2 * max(g.range for g in grid)


def _hopeless(rough: Trials, grid: Sequence[Survey], asked: Asked) -> bool:
    """Whether a survey says plainly that there is no such flight: far beyond its ranges, or far outside of the apogees
    or times that go with the range; for one that goes much higher than far, beyond what goes straight up."""
    if _too_far(grid, asked):
        return True
    high = asked.value if asked.what == "apogee" else 1.2 * asked.value**2  # g t2 / 8
    if high > 2.0 * asked.range:
        rises = rough.fly(0.0, 0.0, rough.energies(2)[-1])
        return rises and asked.value > 1.05 * rough.out[4 if asked.what == "apogee" else 1]
    values = [pair[0 if asked.what == "apogee" else 1] for pair in passes(grid, asked.range)]
    return bool(values) and not 0.5 * min(values) < asked.value < 1.6 * max(values)


def _by_apogee(trial: Trials, rough: Trials, asked: Asked, limits: tuple[float, float]) -> Trial | None:
    grid = survey(rough, asked, rough.energies(14), sweep(14))
    if _hopeless(rough, grid, asked):
        return None
    grid.sort(
        key=lambda g: abs(math.log(max(g.range, 1.0) / asked.range)) + abs(math.log(max(g.apogee, 1.0) / asked.value))
    )
    for start in (*(g.start(asked.azimuth) for g in grid[:5]), *_upright(rough, lambda: rough.out[4], asked.value)):
        found = newton(trial, start, asked, _apogee(asked.value), limits)
        if found is not None:
            return found
    return None


def _upright(rough: Trials, what: Callable[[], float], value: float) -> list[Trial]:
    """The trial with thrust straight up whose apogee or time is the one asked for, if there is one.

    A survey aims along the azimuth asked for. Of a flight that goes much higher than far, the turning of the Earth
    decides more about where it comes down than the little that its thrust leans.
    """
    known: list[tuple[float, float]] = []
    for energy in rough.energies(14):
        if rough.fly(0.0, 0.0, energy):
            known.append((energy, float(what())))
    for (e0, v0), (e1, v1) in itertools.pairwise(known):
        if (v0 - value) * (v1 - value) <= 0.0 and v0 != v1:
            return [(0.0, 0.0, e0 + (e1 - e0) * (value - v0) / (v1 - v0))]
    return []


@dataclass(frozen=True)
class _Solution:
    """A trial that meets what was asked: its apogee (m), speed at burnout (m/s), and whether raising the thrust brings
    the impact nearer (lofted) or farther (depressed)."""

    at: Trial
    apogee: float
    speed: float
    lofted: bool


def _solutions(
    trial: Trials, starts: Iterable[Trial], asked: Asked, third: Third, limits: tuple[float, float]
) -> list[_Solution]:
    """The different flights that Newton's method reaches from some starts."""
    out: list[_Solution] = []
    for start in starts:
        at = newton(trial, start, asked, third, limits, patient=False)
        if at is None or _goes_back(trial, at, asked):
            continue
        apogee, speed = float(trial.out[4]), trial.burnout_speed()
        if any(abs(apogee - other.apogee) < _SAME * other.apogee for other in out):
            continue
        miss = _miss(trial, at, asked, third)
        slope = None if miss is None else _slopes(trial, np.array(at), miss, asked, third, limits[1])
        if slope is not None:
            # thrust flattened along the azimuth asked for moves the impact on along the bearing at the target, or back
            on = _onward(trial, asked)
            level = np.array([math.sin(asked.azimuth), math.cos(asked.azimuth)])
            out.append(_Solution(at, apogee, speed, bool(on @ slope[:2, :2] @ level > 0.0)))
    return out


def _onward(trial: Trials, asked: Asked) -> NDArray[np.float64]:
    _, _, bearing = inverse(trial.plan.lat, trial.plan.lon, asked.lat, asked.lon)
    return np.array([math.sin(bearing), math.cos(bearing)])


def _goes_back(trial: Trials, at: Trial, asked: Asked) -> bool:
    """Whether a flight takes the long way round the Earth: thrust that is not steep points away from the target."""
    along = at[0] * math.sin(asked.azimuth) + at[1] * math.cos(asked.azimuth)
    return along < -0.7 or (along < 0.0 and math.hypot(at[0], at[1]) > 0.7)


def _by_time(trial: Trials, rough: Trials, asked: Asked, limits: tuple[float, float]) -> Trial | None:
    def third(trial: Trials, _: float) -> float:
        return float(trial.out[1] - asked.value) / SOLVED_TIME_S

    grid = survey(rough, asked, rough.energies(14), sweep(14))
    if _hopeless(rough, grid, asked):
        return None
    grid.sort(key=lambda g: abs(math.log(max(g.range, 1.0) / asked.range)) + abs(math.log(g.time / asked.value)))
    starts = (*(g.start(asked.azimuth) for g in grid[:8]), *_upright(rough, lambda: rough.out[1], asked.value))
    found = _solutions(trial, starts, asked, third, limits)
    if not found:
        return None
    if asked.branch:
        best = max(found, key=lambda s: s.apogee if asked.branch == "lofted" else -s.apogee)
    else:
        best = min(found, key=lambda s: s.speed)
    return best.at


def _at_full(trial: Trials, rough: Trials, asked: Asked, limits: tuple[float, float]) -> Trial | None:
    right = [s for s in _with_energy(trial, rough, asked, rough.full(), limits) if s.lofted == (asked.what == "lofted")]
    return max(right, key=lambda s: s.apogee).at if right else None


def ends(trial: Trials, rough: Trials, asked: Asked) -> list[tuple[float, float]]:
    """Apogee and time (m, s) of the flights over the range asked for that take all the energy the class can have:
    between them lie the others."""
    allowed = rough.energies(2)
    found = []
    for solution in _with_energy(trial, rough, asked, allowed[-1], (allowed[0], allowed[-1])):
        if trial.fly(*solution.at):
            found.append((float(trial.out[4]), float(trial.out[1])))
    return found


def _with_energy(
    trial: Trials, rough: Trials, asked: Asked, energy: float, limits: tuple[float, float]
) -> list[_Solution]:
    """The flights of one energy that come down where it is asked."""

    def third(_: Trials, tried: float) -> float:
        return (tried - energy) * 1e6

    grid = survey(rough, asked, [energy], sweep(42, _BACKWARDS))
    if _too_far(grid, asked):
        return []
    # from where the target is missed least, then from beside it: near the greatest range both flights lie close
    misses = [math.inf, *(g.miss for g in grid), math.inf]
    least = [i for i in range(len(grid)) if misses[i + 1] <= misses[i] and misses[i + 1] <= misses[i + 2]]
    beside = [i + k for k in (1, -1, 3, -3) for i in least if 0 <= i + k < len(grid)]
    starts = [grid[i].start(asked.azimuth) for i in [*least, *beside]]
    return _solutions(trial, starts, asked, third, limits)


def peak(trial: Trials, asked: Asked, about: Survey) -> Survey:
    """The farthest trial of an energy, looked for more finely about one of a survey."""
    fine = [about.elevation + math.radians(3.0) * (i / 30.0 - 1.0) for i in range(61)]
    return max(survey(trial, asked, [about.energy], fine), key=lambda g: g.range, default=about)


def farthest(grid: Iterable[Survey]) -> list[Survey]:
    """Of each energy of a survey the trial that goes farthest."""
    return [max(group, key=lambda g: g.range) for _, group in itertools.groupby(grid, key=lambda g: g.energy)]


def _least(trial: Trials, rough: Trials, asked: Asked, limits: tuple[float, float]) -> Trial | None:
    """The flight with the least speed over the ground at burnout, by its apogee: bracketed, then cut down."""
    if _too_far(survey(rough, asked, [limits[1]], sweep(14)), asked):
        return None
    grid = survey(rough, asked, rough.energies(20), sweep(28))
    if not grid:
        return None
    best = farthest(grid)
    # where the farthest flights of an energy pass the range; a little less than asked, for the survey is coarse
    enough = [g for g in best if g.range >= 0.995 * asked.range]
    guess = min(enough, key=lambda g: g.energy) if enough else max(best, key=lambda g: g.range)
    starts = sorted(grid, key=lambda g: (abs(g.energy - guess.energy), abs(g.elevation - guess.elevation)))[:3]

    tried: dict[float, tuple[float, Trial]] = {}

    def speed(log_apogee: float, start: Trial) -> float:
        """Speed at burnout of the flight with an apogee, infinite where there is none."""
        at = newton(trial, start, asked, _apogee(math.exp(log_apogee)), limits, patient=False)
        if at is None or _goes_back(trial, at, asked):
            return math.inf
        v = trial.burnout_speed()
        tried[log_apogee] = (v, at)
        return v

    for factor in (1.0, 0.97, 1.03, 0.9, 1.1, 0.8, 1.25):
        b = math.log(guess.apogee * factor)
        if any(speed(b, g.start(asked.azimuth)) < math.inf for g in starts):
            break
    else:
        return None
    vb, at = tried[b]
    step = 0.1
    # walk downhill until both neighbours are faster; where no flight is (the end of the thrust), with smaller steps
    for _ in range(60):
        va, vc = speed(b - step, at), speed(b + step, at)
        if vb <= va and vb <= vc:
            if (va < math.inf and vc < math.inf and step <= 0.03) or step <= 1e-3:
                break
            step /= 2.0
            continue
        b += -step if va < vc else step
        vb, at = tried[b]
    if at[2] <= limits[0]:
        return None  # less energy than the class can leave unburnt would do
    if va < math.inf and vc < math.inf:
        # the vertex of the parabola through the three
        bend = va - 2.0 * vb + vc
        if bend > 0.0:
            speed(b + 0.5 * step * (va - vc) / bend, at)
    return min(tried.values(), key=lambda pair: pair[0])[1]
