"""Boost-glide flights as they happen: class parameters drawn, boost and dive solved, the ephemeris flown.

A boost-glider is launched like any other object of its class, coasts, enters the air at 100 km, pulls up, glides and
dives (``dynamics.glide``). What is asked of it is the azimuth and range (or the point) at which it comes down, and
perhaps the apogee. What is turned to meet that, with boost, drag, lift and the Earth's rotation in the loop:

- the final elevation of thrust: to the apogee asked for or, where none is, to an entry angle of -4 deg, the middle of
  the open figures (-3 to -5 deg);
- the end of thrust (or the thrust factor, by ``class.energy``): so that the glide can just reach that far;
- the azimuth of thrust and the moment at which the dive begins: so that it comes down there within a metre.

The bank programme is as given; nothing is steered towards the end and nothing is optimised.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics import glide as g
from tocsin.dynamics.boost import BoostPlan, trajectory
from tocsin.dynamics.kernels import fall, lowest_of
from tocsin.dynamics.leap import height_of
from tocsin.dynamics.thrust import boost_rows, fly_boost
from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.geodesics import direct, inverse
from tocsin.scenario.specs import FlightClass, FlightObject
from tocsin.truth.body import Body
from tocsin.truth.classes import (
    ATTEMPTS,
    GREATEST_MASS_RATIO,
    SCALE_LIMITS,
    FlightImpossible,
    draw,
    draw_class,
    nominal_class,
)

Array = NDArray[np.float64]

STEP_S = 1.0  # of the boost, at most
ENTRY_ANGLE = math.radians(-4.0)  # where no apogee is asked: FACTS, -3 to -5 deg
SOLVED_M = 1.0  # how near the impact has to come (aim; 10 m is asked)
SOLVED_APOGEE_M = 100.0
STEEPEST_BANK = math.radians(75.0)
_SPARE_M = (5e3, 40e3)  # how much farther than asked it could glide: the dive begins that much earlier
_ELEVATIONS = np.radians(np.arange(-20.0, 80.1, 4.0))
_ENERGIES = 9
_ENTRY_SLACK = math.radians(1.0)  # an entry angle so near to the one meant is taken where that cannot be had
_MODES = {"equilibrium": 0.0, "skip": 1.0}
_LEAST_LIFT_OFF = 10.0  # m/s2


@dataclass(frozen=True)
class Reach:
    """Energy (0 to 1), elevation and azimuth of thrust (rad), and the distance (m) at which that comes down."""

    energy: float
    elevation: float
    azimuth: float
    distance: float


class _Trials:
    """Trial flights of one object with given parameters. Times in s since the launch.

    ``energy``: 0 to 1, from the least to the greatest that the class has, evenly in speed.
    """

    def __init__(self, thing: FlightObject, flight_class: FlightClass, theta: float, drawn: dict[str, float]) -> None:
        assert flight_class.glide is not None
        kind = flight_class.glide
        rows = []
        ignition = 0.0
        for i in range(1, len(flight_class.stages) + 1):
            burn = drawn[f"stage{i}.burn"]
            rows.append((ignition, burn, drawn[f"stage{i}.thrust"], drawn[f"stage{i}.exhaust"]))
            ignition += burn + drawn[f"stage{i}.coast"]
        self.plan = BoostPlan(
            tuple(rows), drawn["vertical"], drawn["pitch"], 0.5 * math.pi, thing.azimuth, math.inf,
            drawn["beta_boost"], thing.lat, thing.lon, thing.h, thing.launch_ns,
        )  # fmt: skip
        self.by_cutoff = flight_class.energy == "cutoff"
        self.theta = theta
        self.body = np.array([
            drawn["glide.lift_to_drag"], drawn["glide.beta"], _MODES[kind.mode], kind.pull_up, kind.dive_speed,
        ])  # fmt: skip
        self.bank = np.array(thing.bank, dtype=np.float64).reshape(-1, 2)
        table = self.plan.table()
        self.boost = np.empty((boost_rows(table, self.plan.vertical_s, self.plan.pitch_s, math.inf, STEP_S), 7))
        self.none = np.empty((0, 10))
        self.out = np.empty(g.OUT)
        self.ballistic = np.empty(7)

    def lifts_off(self) -> bool:
        return self.plan.stages[0][2] * (self._scales()[1] if not self.by_cutoff else 1.0) >= _LEAST_LIFT_OFF

    def _scales(self) -> tuple[float, float]:
        stages = self.plan.stages
        low = max(SCALE_LIMITS[0], _LEAST_LIFT_OFF / stages[0][2])
        return low, min(SCALE_LIMITS[1], *(GREATEST_MASS_RATIO * c / (f * burn) for _, burn, f, c in stages))

    def planned(self, energy: float, elevation: float, azimuth: float) -> BoostPlan:
        """The plan of a trial."""
        plan = replace(self.plan, elevation=elevation, azimuth=azimuth)
        if not self.by_cutoff:
            low, high = self._scales()
            scale = low * (high / low) ** energy
            return replace(plan, stages=tuple((i, b, f * scale, c) for i, b, f, c in plan.stages))
        ignition, burn, thrust, exhaust = plan.stages[-1]
        least = max(0.02 * burn, min(plan.vertical_s + plan.pitch_s - ignition, 0.5 * burn))
        q0 = -math.log(1.0 - least * thrust / exhaust)
        q1 = -math.log(1.0 - burn * thrust / exhaust)
        cutoff = ignition + (1.0 - math.exp(-(q0 + (q1 - q0) * energy))) * exhaust / thrust
        return replace(plan, cutoff_s=ignition + burn if energy >= 1.0 else cutoff)

    def _burnt(self, energy: float, elevation: float, azimuth: float) -> tuple[float, Array] | None:
        """Time and state at the end of thrust; None if it sinks on the way."""
        plan = self.planned(energy, elevation, azimuth)
        n = fly_boost(
            plan.table(), plan.vertical_s, plan.pitch_s, plan.beta, elevation, azimuth, float(plan.cutoff_s),
            plan.lat, plan.lon, plan.h, 0.0, self.theta, STEP_S, self.boost,
        )  # fmt: skip
        if lowest_of(self.boost, n) < height_of(*self.boost[0, 1:4]) - 1.0:
            return None
        return float(self.boost[n - 1, 0]), self.boost[n - 1, 1:7].copy()

    def fly(
        self, energy: float, elevation: float, azimuth: float, dive_s: float = math.inf, until: int = g.DOWN
    ) -> bool:
        """Fly; whether it enters (``until`` the pull-up) or comes down after a glide. The result stands in ``out``."""
        end = self._burnt(energy, elevation, azimuth)
        if end is None:
            return False
        g.fly_glide(end[1], end[0], self.theta, self.body, self.bank, dive_s, until, 1.0, self.none, self.out)
        if until == g.PULL_UP:
            return not math.isnan(self.out[g.ENTRY_T])
        return bool(self.out[g.HIT] > 0.0 and not math.isnan(self.out[g.GLIDE_T]))

    def apogee(self, energy: float, elevation: float, azimuth: float) -> float:
        """Height (m) of the apogee before the entry; NaN where there is none."""
        end = self._burnt(energy, elevation, azimuth)
        if end is None:
            return math.nan
        fall(end[1], end[0], self.theta, 2.0 * self.body[1], self.ballistic)
        return float(self.ballistic[4])

    def elevation(self, energy: float, azimuth: float, apogee: float) -> float | None:
        """The elevation that gives the apogee, or the entry angle meant where that is zero; None if there is none."""

        def off(elevation: float) -> float:
            if apogee > 0.0:
                return self.apogee(energy, elevation, azimuth) - apogee
            if not self.fly(energy, elevation, azimuth, until=g.PULL_UP):
                return math.nan
            return ENTRY_ANGLE - float(self.out[g.ENTRY_ANGLE])

        flown: list[tuple[float, float]] = []  # how far off, at which elevation
        for (low, at_low), (high, at_high) in itertools.pairwise((float(e), off(float(e))) for e in _ELEVATIONS):
            flown += [(abs(value), e) for e, value in ((low, at_low), (high, at_high)) if not math.isnan(value)]
            if at_high > 0.0 and not at_low > 0.0:  # below lies also what does not rise far enough to enter
                for _ in range(50):
                    middle = 0.5 * (low + high)
                    there = off(middle)
                    if not there > 0.0:  # also where it is not a number
                        low = middle
                    else:
                        high = middle
                    if high - low < 1e-10:
                        break
                if apogee > 0.0 or off(high) < _ENTRY_SLACK:
                    return high
        if apogee > 0.0:
            return None
        if not flown or min(flown)[0] > _ENTRY_SLACK:
            return None
        return min(flown)[1]

    def reach(self, energy: float, thing: FlightObject) -> Reach | None:
        """What it reaches in the direction asked for, diving as late as it can; None where it does not glide, or comes
        down nowhere near that direction, as past the far side of the Earth.
        """
        azimuth = thing.azimuth
        elevation = self.elevation(energy, azimuth, thing.apogee)
        if elevation is None:
            return None
        for _ in range(6):  # the Earth's rotation and the bank programme lead it aside
            if not self.fly(energy, elevation, azimuth):
                return None
            aside = self.aside(thing)
            if abs(aside) < 1e-3:
                return Reach(energy, elevation, azimuth, self.distance())
            if abs(aside) > 0.5 * math.pi:
                return None
            azimuth -= aside
            if thing.apogee > 0.0:  # that direction takes another elevation
                elevation = self.elevation(energy, azimuth, thing.apogee)
                if elevation is None:
                    return None
        return None

    def aside(self, thing: FlightObject) -> float:
        """Bearing (rad) of the last trial's impact from the site less the one asked for."""
        bearing = inverse(thing.lat, thing.lon, self.out[g.IMPACT_LAT], self.out[g.IMPACT_LON])[1]
        return math.remainder(bearing - thing.azimuth, 2.0 * math.pi)

    def distance(self) -> float:
        """Distance (m) from the site of the last trial's impact."""
        plan = self.plan
        return float(inverse(plan.lat, plan.lon, self.out[g.IMPACT_LAT], self.out[g.IMPACT_LON])[0])


def _drawn(flight_class: FlightClass, seed: int, key: str, attempt: int) -> dict[str, float]:
    """All parameters of one object, by name."""
    assert flight_class.glide is not None
    out = draw_class(flight_class, seed, key, attempt)
    for name in ("lift_to_drag", "beta"):
        value = draw(getattr(flight_class.glide, name), seed, key, f"flight.glide.{name}", attempt)
        if not (math.isfinite(value) and value > 0.0):
            raise FlightImpossible(
                f"class {flight_class.id}: glide.{name} must be positive, drawn {value:.6g};"
                " its nominal value less three spreads must stay above zero",
                "range",
                None,
            )
        out[f"glide.{name}"] = value
    return out


def _checked(thing: FlightObject, flight_class: FlightClass) -> FlightObject:
    """The object with azimuth and range, whichever way its end is given; ValueError for what no glider is asked."""
    who = f"{thing.id}: class {flight_class.id}"
    kind = flight_class.glide
    if kind is None:
        raise ValueError(f"{who} has no lift (glide) to glide with")
    if kind.mode not in _MODES:
        raise ValueError(f"class {flight_class.id}: glide.mode must be one of {', '.join(_MODES)}, found {kind.mode!r}")
    for name in ("pull_up", "dive_speed"):
        value = getattr(kind, name)
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"class {flight_class.id}: glide.{name} must be positive, found {value!r}")
    if flight_class.energy not in ("cutoff", "thrust"):
        raise ValueError(f"class {flight_class.id}: energy must be 'cutoff' or 'thrust', found {flight_class.energy!r}")
    if not flight_class.stages:
        raise FlightImpossible(f"class {flight_class.id} has no stage to fly", "thrust", None)
    for given, name in ((thing.flight_time, "flight_time"), (thing.shape, "shape"), (thing.orbit, "orbit")):
        if given:
            raise ValueError(f"{thing.id}: {name} cannot be asked of a glider; azimuth and range, or an end point, can")
    since = -math.inf
    for i, (t, angle) in enumerate(thing.bank):
        if not (math.isfinite(t) and t >= 0.0 and t > since):
            raise ValueError(f"{thing.id}: bank[{i}] is at {t!r} s; times must rise from zero")
        if not abs(angle) <= STEEPEST_BANK:
            said = f"{math.degrees(angle):.6g} deg"
            raise ValueError(f"{thing.id}: bank[{i}] is {said}; allowed are -75 to 75 deg")
        since = t
    if thing.end is not None:
        distance, azimuth, _ = inverse(thing.lat, thing.lon, thing.end[0], thing.end[1])
        thing = msgspec.structs.replace(thing, azimuth=float(azimuth), range=float(distance))
    positive = (thing.range, thing.apogee, thing.cutoff)
    finite = all(math.isfinite(v) for v in (*positive, thing.azimuth, thing.lat, thing.lon, thing.h))
    if not (finite and min(positive) >= 0.0 and thing.range > 0.0):
        raise ValueError(f"{thing.id}: range must be positive, apogee and cutoff not negative, site and azimuth finite")
    return thing


Solved = tuple[float, float, float, float]  # energy, elevation, azimuth, dive_s


def _solve(trials: _Trials, thing: FlightObject) -> Solved | FlightImpossible:
    """Energy, elevation, azimuth and start of the dive; or what stands against it."""
    who = f"{thing.id}: class {thing.class_id}"
    apogee = f" with an apogee of {thing.apogee / 1e3:.0f} km" if thing.apogee > 0.0 else ""
    asked = f"cannot fly a range of {thing.range / 1e3:.0f} km{apogee}"
    if not trials.lifts_off():
        text = f"{who} does not lift off: its first stage gives {trials.plan.stages[0][2]:.1f} m/s2"
        return FlightImpossible(text, "thrust", None)
    grid = [trials.reach(i / (_ENERGIES - 1), thing) for i in range(_ENERGIES - 1, -1, -1)]
    flown = [at for at in grid if at is not None]
    if not flown:
        return _no_glide(trials, thing, who, asked)
    least, most = thing.range + _SPARE_M[0], thing.range + _SPARE_M[1]
    far = max(flown, key=lambda at: at.distance)
    if far.distance < least:
        near = (far.distance - _SPARE_M[0], trials.apogee(far.energy, far.elevation, far.azimuth))
        text = f"{who} {asked}: it reaches {near[0] / 1e3:.0f} km; nearest: that, with {near[1] / 1e3:.0f} km of apogee"
        return FlightImpossible(text, "range", near)
    # the least energy with which it reaches far enough; then between that and the next less one
    best = min((at for at in flown if at.distance >= least), key=lambda at: at.energy)
    low = max((at.energy for at in flown if at.energy < best.energy), default=best.energy)
    while best.distance > most and best.energy - low > 1e-9:
        middle = trials.reach(0.5 * (low + best.energy), thing)
        if middle is None or middle.distance < least:
            low = 0.5 * (low + best.energy)
        else:
            best = middle
    return _dive(trials, thing, best, who, asked)


def _no_glide(trials: _Trials, thing: FlightObject, who: str, asked: str) -> FlightImpossible:
    """Why no energy at all leads to a glide: the apogee, or the pull-up."""
    for i in range(_ENERGIES - 1, -1, -1):
        energy = i / (_ENERGIES - 1)
        elevation = trials.elevation(energy, thing.azimuth, thing.apogee)
        if elevation is not None:
            text = f"{who} {asked}: it does not pull out of the entry with {trials.body[3]:.0f} m/s2 of lift"
            return FlightImpossible(text, "pull-up", None)
    heights = [trials.apogee(e, float(el), thing.azimuth) for e in (0.0, 0.5, 1.0) for el in _ELEVATIONS]
    heights = [h for h in heights if h >= g.ENTRY_HEIGHT]
    if not heights:
        return FlightImpossible(f"{who} {asked}: it does not reach the height of 100 km", "apogee", None)
    best = min(heights, key=lambda h: abs(h - thing.apogee))
    text = f"{who} {asked}: its apogees lie between {min(heights) / 1e3:.0f} and {max(heights) / 1e3:.0f} km"
    return FlightImpossible(text, "apogee", (thing.range, best))


def _dive(trials: _Trials, thing: FlightObject, at: Reach, who: str, asked: str) -> Solved | FlightImpossible:
    """Azimuth and start of the dive, to the metre; elevation too where an apogee is asked."""
    energy, elevation, azimuth = at.energy, at.elevation, at.azimuth
    lat, lon, _ = direct(thing.lat, thing.lon, thing.azimuth, thing.range)

    def miss(v: Array) -> Array | None:
        if not (v[1] >= 0.0 and trials.fly(energy, float(v[2]), float(v[0]), float(v[1]))):
            return None
        distance, bearing, _ = inverse(lat, lon, trials.out[g.IMPACT_LAT], trials.out[g.IMPACT_LON])
        over = trials.apogee(energy, float(v[2]), float(v[0])) - thing.apogee if thing.apogee > 0.0 else 0.0
        return np.array([distance * math.sin(bearing), distance * math.cos(bearing), over])

    # turned until it comes down in the right direction, dived until at the right distance: a start for Newton's method
    dive = math.inf
    for _ in range(6):
        if not trials.fly(energy, elevation, azimuth):
            break
        low, high = 0.0, float(trials.out[g.DIVE_T] - trials.out[g.GLIDE_T])
        for _ in range(24):
            dive = 0.5 * (low + high)
            if trials.fly(energy, elevation, azimuth, dive) and trials.distance() < thing.range:
                low = dive
            else:
                high = dive
        if not trials.fly(energy, elevation, azimuth, dive):
            break
        aside = trials.aside(thing)
        if abs(aside) < 1e-4:
            break
        azimuth -= aside
    if dive < 1e-3:
        near = trials.distance()
        text = f"{who} {asked}: diving as soon as it glides it reaches {near / 1e3:.0f} km; nearest: that"
        return FlightImpossible(text, "range", (near, trials.apogee(energy, elevation, azimuth)))
    unknowns = 3 if thing.apogee > 0.0 else 2
    v = np.array([azimuth, dive, elevation])
    off = miss(v)
    steps = np.array([1e-6, 1e-3, 1e-6])
    for _ in range(25):
        if off is None:
            break
        if math.hypot(off[0], off[1]) < SOLVED_M and abs(off[2]) < SOLVED_APOGEE_M:
            return energy, float(v[2]), float(v[0]), float(v[1])
        slope = np.empty((unknowns, unknowns))
        for j in range(unknowns):
            moved = v.copy()
            moved[j] -= steps[j]
            other = miss(moved)
            if other is None:
                break
            slope[:, j] = (off - other)[:unknowns] / steps[j]
        else:
            try:
                change = -np.linalg.solve(slope, off[:unknowns])
            except np.linalg.LinAlgError:
                break
            fraction = 1.0
            for _ in range(12):
                new = v.copy()
                new[:unknowns] += fraction * change
                there = miss(new)
                if there is not None and float(there @ there) < float(off @ off):
                    v, off = new, there
                    break
                fraction *= 0.5
            else:
                break
            continue
        break
    text = f"{who} {asked}: no azimuth of thrust and moment to dive lead there"
    return FlightImpossible(text, "range", None)


def solve_glide(thing: FlightObject, flight_class: FlightClass, theta0: float, seed: int) -> Body:
    """The flight of one boost-glider, as a body of kind "glide".

    ``theta0``: sidereal angle of the scenario's epoch (rad). What flew is an object of its class that could: parameters
    with which the flight cannot be flown are drawn again, up to ``ATTEMPTS`` times; where all fail, FlightImpossible
    names the constraint ("thrust", "apogee", "pull-up", "range") and the nearest range and apogee of the nominal class.
    ValueError: a class without lift, or a thing asked that a glider does not know. With ``thing.cutoff`` thrust ends
    then, all else as solved; the flight ends where it then ends.

    ``facts``: what was drawn, and apogee, range, impact_lat, impact_lon, impact_speed, impact_angle, entry_speed,
    entry_angle, glide_height, glide_speed (when the pull-up is over), dive_height, dive_speed (m, m/s against the
    ground, rad), entry_s, pull_up_s, glide_s, dive_s, impact_s (s since launch), peak_lift (m/s2) and thrust_scale, as
    far as they happened.
    """
    thing = _checked(thing, flight_class)
    nominal = nominal_class(flight_class)
    theta = theta0 + OMEGA_GMST * to_s(thing.launch_ns)
    why: FlightImpossible | None = None
    for attempt in range(1 if nominal == flight_class else ATTEMPTS):
        drawn = _drawn(flight_class, seed, thing.key, attempt)
        trials = _Trials(thing, flight_class, theta, drawn)
        solved = _solve(trials, thing)
        if not isinstance(solved, FlightImpossible):
            return _fly(thing, trials, solved, drawn)
        if why is None:  # what stands against the nominal flight is what is said in the end
            exact = _solve(_Trials(thing, nominal, theta, _drawn(nominal, seed, thing.key, 0)), thing)
            why = exact if isinstance(exact, FlightImpossible) else solved
            if exact is why and why.nearest and not 0.5 < why.nearest[0] / thing.range < 2.0:
                break  # no spread makes up for that
    assert why is not None
    raise why


def _fly(thing: FlightObject, trials: _Trials, at: Solved, drawn: dict[str, float]) -> Body:
    """The body of a solved flight, with its ephemeris."""
    energy, elevation, azimuth, dive_s = at
    plan = trials.planned(energy, elevation, azimuth)
    if thing.cutoff > 0.0:
        plan = replace(plan, cutoff_s=min(plan.cutoff_s, thing.cutoff))
    theta0 = trials.theta - OMEGA_GMST * to_s(thing.launch_ns)
    boost = trajectory(plan, theta0, STEP_S, since_launch=True)
    end = boost[-1, 1:7].copy()
    fall(end, boost[-1, 0], trials.theta, 2.0 * trials.body[1], trials.ballistic)
    nodes = np.empty((30_000, 10))
    out = np.empty(g.OUT)
    used = g.fly_glide(end, boost[-1, 0], trials.theta, trials.body, trials.bank, dive_s, g.DOWN, 1.0, nodes, out)
    if used <= 0 or not out[g.HIT] > 0.0:
        raise FlightImpossible(f"{thing.id}: its flight does not come down within four hours", "range", None)
    launch = thing.launch_ns
    apogee, apogee_s = float(trials.ballistic[4]), float(trials.ballistic[5])
    facts = {**drawn, "thrust_scale": plan.stages[0][2] / trials.plan.stages[0][2], "apogee": apogee}
    names = (
        ("entry_speed", g.ENTRY_SPEED), ("entry_angle", g.ENTRY_ANGLE), ("glide_height", g.GLIDE_HEIGHT),
        ("glide_speed", g.GLIDE_SPEED), ("dive_height", g.DIVE_HEIGHT), ("dive_speed", g.DIVE_SPEED),
        ("impact_lat", g.IMPACT_LAT), ("impact_lon", g.IMPACT_LON), ("impact_speed", g.IMPACT_SPEED),
        ("impact_angle", g.IMPACT_ANGLE), ("peak_lift", g.PEAK_LIFT), ("entry_s", g.ENTRY_T), ("pull_up_s", g.LIFT_T),
        ("glide_s", g.GLIDE_T), ("dive_s", g.DIVE_T), ("impact_s", g.IMPACT_T),
    )  # fmt: skip
    facts |= {name: float(out[i]) for name, i in names if not math.isnan(out[i])}
    facts["range"] = float(inverse(thing.lat, thing.lon, out[g.IMPACT_LAT], out[g.IMPACT_LON])[0])
    moments = {
        "launch": 0.0, "burnout": plan.end_s(), "apogee": apogee_s, "entry": float(out[g.ENTRY_T]),
        "pull-up": float(out[g.LIFT_T]), "dive": float(out[g.DIVE_T]),
    }  # fmt: skip
    events = [(name, launch + round(t * 1e9)) for name, t in moments.items() if not math.isnan(t)]
    events.append(("impact", launch + math.floor(out[g.IMPACT_T] * 1e9)))
    burns = tuple(
        (launch + round(t0 * 1e9), launch + round(t1 * 1e9), drawn[f"stage{i + 1}.intensity"])
        for i, t0, t1 in plan.burning()
    )
    return Body(
        thing.id, thing.key, thing.class_id, "glide", "", launch, np.concatenate([boost, nodes[:used]]),
        tuple(sorted(events, key=lambda e: e[1])), burns, launch + round(plan.end_s() * 1e9),
        drawn["rcs_boost"], drawn["rcs"], facts,
    )  # fmt: skip
