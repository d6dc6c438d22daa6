"""Whether published figures of a flight go together: apogee, range and flight time, by modelled flights of classes.

Two of the three fix a flight of a class, so each pair implies the third. Three go together if the time of the modelled
flight with that apogee and range is the published one within what the figures and the model leave open. That is put
together as the Guide to the Expression of Uncertainty in Measurement does it (JCGM 100:2008, 4.3.7 and 5.1.2): bounds
count as even distributions (half width over the root of three), independent parts add by squares, twice the root of
their sum is the tolerance. The parts:

- each figure as it was printed: half a unit of its last digit that is not a trailing zero;
- the spread of the class's parameters, from flights drawn with them;
- the thrust: open accounts of one and the same class differ by up to a third of its duration ("about three minutes, as
  short as two" of solid ICBMs), so thrust lasting a third more or less, with the same gain of speed;
- where no site or azimuth is given, the turning Earth.

Each part has its source; none was fitted. How five published flights compare with the classes was known by then.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import msgspec

from tocsin.scenario.specs import FlightClass, FlightObject, Spread, Stage
from tocsin.truth.classes import FlightImpossible, nominal_class
from tocsin.truth.flights import Flight, solve

FAMILIES = ("ballistic", "sounding-rocket", "space-launch")  # those whose flight is boost and free fall
ASSUMED_LATITUDE = math.radians(40.0)
THRUST_UNKNOWN = 1.0 / 3.0  # part of the duration of thrust, see above
GREATEST_ROUNDING = 0.025  # part of its value: nobody prints 1,000 km for what may be 500
COVERAGE = 2.0  # standard uncertainties in the tolerance
DRAWS = 16
GREATEST_RANGE = 19_900e3  # m: up to the other side of the Earth
GREATEST_APOGEE = 60_000e3
GREATEST_TIME = 43_200.0
_LATITUDES = (0.0, ASSUMED_LATITUDE, math.radians(70.0))
_AZIMUTHS = (0.0, 0.5 * math.pi, 1.5 * math.pi)
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?\Z", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,4}):(\d\d)\Z", re.ASCII)
_TIME = re.compile(r"(?:\d{1,7}(?:\.\d{1,6})?\s?(?:h|min|s)\s?)+\Z", re.ASCII)
_TIME_PART = re.compile(r"(\d+(?:\.\d+)?)\s?(h|min|s)", re.ASCII)
_UNIT = {"h": 3600.0, "min": 60.0, "s": 1.0}


class FiguresError(ValueError):
    """Figures that are none, or that no flight has; the message says what would be possible."""


@dataclass(frozen=True)
class Figure:
    """A published figure: ``value`` and ``half`` a unit of the last place it was printed to (SI); ``text`` as given."""

    value: float
    half: float
    text: str


def _decimals(number: str) -> float:
    """Half a unit of the last place of a printed number that is not a trailing zero."""
    whole, _, fraction = number.partition(".")
    if fraction:
        return float(0.5 * 10.0 ** -len(fraction))
    zeros = len(whole) - len(whole.rstrip("0"))
    return float(0.5 * 10.0**zeros)


def kilometres(text: str, what: str, greatest: float) -> Figure:
    """A figure in km, such as "550" or "3724.9", in m. Raises FiguresError with ``what`` it is about."""
    if not _NUMBER.match(text) or not 0.0 < float(text) * 1e3 <= greatest:
        allowed = f"a number of km above 0, up to {greatest / 1e3:,.0f}, such as 550 or 3724.9"
        raise FiguresError(f"{what}: {text!r}; allowed: {allowed}")
    value = float(text) * 1e3
    return Figure(value, min(_decimals(text) * 1e3, GREATEST_ROUNDING * value), text)


def duration(text: str, what: str) -> Figure:
    """A flight time, such as "14min", "47min12s", "47:12" or "2832" (s), in s. Raises FiguresError.

    A time is as exact as its smallest part: "14min" to half a minute, "47min12s" to half a second.
    """
    allowed = f"a time up to {GREATEST_TIME / 3600:.0f} h such as 14min, 47min12s, 47:12 or 2832s"
    clock, value, half = _CLOCK.match(text), 0.0, 0.5
    if clock and int(clock.group(3)) < 60:
        value = int(clock.group(1) or 0) * 3600.0 + int(clock.group(2)) * 60.0 + int(clock.group(3))
    elif _NUMBER.match(text):
        value, half = float(text), min(_decimals(text), 0.5)
    elif _TIME.match(text):
        parts = _TIME_PART.findall(text)
        order = [_UNIT[unit] for _, unit in parts]
        if order != sorted(set(order), reverse=True):
            raise FiguresError(f"{what}: {text!r}; allowed: {allowed}")
        value = sum(float(number) * _UNIT[unit] for number, unit in parts)
        number, unit = parts[-1]
        half = min(_decimals(number), 0.5) * _UNIT[unit]
    if not 0.0 < value <= GREATEST_TIME:
        raise FiguresError(f"{what}: {text!r}; allowed: {allowed}")
    return Figure(value, half, text)


@dataclass(frozen=True)
class Place:
    """Whence and where to: latitude, longitude of the site, azimuth (rad); None where it was not given."""

    lat: float | None = None
    lon: float = 0.0
    azimuth: float | None = None

    def assumed(self) -> tuple[float, float]:
        """Latitude and azimuth that are flown."""
        lat = ASSUMED_LATITUDE if self.lat is None else self.lat
        return lat, 0.0 if self.azimuth is None else self.azimuth

    def others(self) -> list[tuple[float, float]]:
        """Latitudes and azimuths that may be meant as well."""
        latitudes = _LATITUDES if self.lat is None else (self.lat,)
        azimuths = _AZIMUTHS if self.azimuth is None else (self.azimuth,)
        return [(lat, az) for lat in latitudes for az in azimuths if (lat, az) != self.assumed()]


def place(site: str | None, azimuth_deg: float | None) -> Place:
    """A place from "LAT,LON" and an azimuth, both in degrees. Raises FiguresError."""
    if azimuth_deg is not None and not 0.0 <= azimuth_deg <= 360.0:
        raise FiguresError(f"azimuth: {azimuth_deg:g}; allowed: 0 to 360 degrees, from north over east")
    azimuth = None if azimuth_deg is None else math.radians(azimuth_deg % 360.0)
    if site is None:
        return Place(azimuth=azimuth)
    try:
        lat, lon = (float(part) for part in site.split(","))
    except ValueError:
        lat = lon = math.nan
    if not (abs(lat) <= 90.0 and abs(lon) <= 180.0):
        raise FiguresError(
            f"site: {site!r}; allowed: LAT,LON in degrees, -90 to 90 and -180 to 180, such as 39.2,125.67"
        )
    return Place(math.radians(lat), math.radians(lon), azimuth)


def stretched(flight_class: FlightClass, factor: float) -> FlightClass:
    """The class with burns ``factor`` times as long, thrust as much weaker: the same gain of speed."""

    def longer(stage: Stage) -> Stage:
        burn, thrust = stage.burn, stage.thrust
        return msgspec.structs.replace(
            stage,
            burn=Spread(burn.nominal * factor, burn.spread * factor),
            thrust=Spread(thrust.nominal / factor, thrust.spread / factor),
        )

    return msgspec.structs.replace(flight_class, stages=tuple(longer(stage) for stage in flight_class.stages))


def fly(
    flight_class: FlightClass, place: Place, distance: float, apogee: float,
    at: tuple[float, float] | None = None, seed: int = 0,
) -> Flight:  # fmt: skip
    """The flight of a class with a range and an apogee (m), from ``place`` or from another latitude and azimuth ``at``.

    Raises FlightImpossible.
    """
    lat, azimuth = at or place.assumed()
    thing = FlightObject(
        "the flight", "check-flight", flight_class.id, 0, lat, place.lon, 0.0, azimuth, distance, apogee
    )
    return solve(thing, flight_class, 0.0, seed)


def _time(flight: Flight) -> float:
    return (flight.impact_ns - flight.launch_ns) * 1e-9


def _attempt(*given: Any, **named: Any) -> float | None:
    """Flight time (s), None where there is no such flight."""
    try:
        return _time(fly(*given, **named))
    except FlightImpossible:
        return None


# ---- what two figures imply ----------------------------------------------------------------------------------------


def _crossings(xs: Sequence[float], times: Sequence[float | None], t: float, at: Callable[[float], float | None],
               near: float) -> list[float]:  # fmt: skip
    """Where the time of flight, known at rising ``xs``, passes ``t``; by regula falsi (Illinois) to ``near``."""
    out: list[float] = []
    for (x0, t0), (x1, t1) in pairwise(zip(xs, times, strict=True)):
        if t0 is None or t1 is None or (t0 - t) * (t1 - t) > 0.0 or t0 == t1:
            continue
        a, fa, b, fb, x = x0, t0 - t, x1, t1 - t, x0
        for _ in range(40):
            x = (a * fb - b * fa) / (fb - fa)
            found = at(x)
            if found is None or abs(found - t) < 1e-3 or abs(b - a) < near:
                break
            if (found - t) * fb < 0.0:
                a, fa = b, fb
            else:
                fa *= 0.5
            b, fb = x, found - t
        if not out or abs(out[-1] - x) > near:
            out.append(x)
    return out


def _ladder(low: float, high: float, count: int) -> list[float]:
    return [low * (high / low) ** (i / (count - 1)) for i in range(count)]


@dataclass(frozen=True)
class Implied:
    """What two figures imply for the third: its ``values`` (SI), and between which flight times (s) the class can
    choose when the other figure is kept (None: it cannot fly at all).
    """

    values: tuple[float, ...]
    times: tuple[float, float] | None
    ends: tuple[float, float] | None  # the third figure at those times


def _implied(xs: Sequence[float], t: float, at: Callable[[float], float | None]) -> Implied:
    known: list[tuple[float, float]] = []
    before: float | None = None  # the last that cannot be flown before those that can
    after: float | None = None  # and the first after them
    for x in xs:
        found = at(x)
        if found is not None:
            known.append((x, found))
            after = None
        elif not known:
            before = x
        elif after is None:
            after = x
        else:
            break  # two in a row: past what the class can fly
    if not known:
        return Implied((), None, None)
    values = _passes(known, t, at)
    for outside, first in () if values else ((before, True), (after, False)):
        # it may lie in the last stretch between what can be flown and what cannot
        for _ in range(0 if outside is None else 8):
            middle = math.sqrt(known[0 if first else -1][0] * (outside or 1.0))
            found = at(middle)
            if found is None:
                outside = middle
            else:
                known.insert(0 if first else len(known), (middle, found))
    least, most = min(known, key=lambda k: k[1]), max(known, key=lambda k: k[1])
    return Implied(values or _passes(known, t, at), (least[1], most[1]), (least[0], most[0]))


def _passes(known: Sequence[tuple[float, float]], t: float, at: Callable[[float], float | None]) -> tuple[float, ...]:
    return tuple(_crossings([x for x, _ in known], [time for _, time in known], t, at, 10.0))


def apogees(flight_class: FlightClass, place: Place, distance: float, t: float) -> Implied:
    """Apogees (m) with which a class flies a range (m) in a time (s)."""
    limits = []
    for asked in (1.0, 1e9):
        try:
            limits.append(fly(flight_class, place, distance, asked).apogee)
        except FlightImpossible as error:
            if error.constraint != "apogee" or error.nearest is None:
                return Implied((), None, None)
            limits.append(error.nearest[1])
    # the limits come from a survey: a little inside there is a flight for certain
    low, high = limits[0] * 1.02, min(limits[1] * 0.995, GREATEST_APOGEE)
    if not low < high:
        return Implied((), None, None)
    return _implied(_ladder(low, high, 14), t, lambda h: _attempt(flight_class, place, distance, h))


def ranges(flight_class: FlightClass, place: Place, apogee: float, t: float) -> Implied:
    """Ranges (m) over which a class flies in a time (s) with an apogee (m)."""
    return _implied(_ladder(20e3, GREATEST_RANGE, 18), t, lambda r: _attempt(flight_class, place, r, apogee))


# ---- three figures -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassTime:
    """One class with the published apogee and range: flight time and when thrust ends (s)."""

    id: str
    time_s: float
    thrust_s: float


@dataclass(frozen=True)
class Answer:
    """What the figures say of each other, SI and rad.

    ``consistent``: whether they go together (for two figures: whether there is such a flight); ``judged``: the class it
    is said of; ``time_s``: the modelled flight time, ``error_s``: that less the published one, ``tolerance_s``;
    ``parts``: standard uncertainties (s) by name, of which the tolerance consists; ``classes``: all that can fly it;
    ``per_apogee``, ``per_range``: s per per cent; ``apogees``, ``ranges``: what the other pairs imply for the class
    judged; ``thrust_s``: how long thrust would last in a flight of that class with all three figures (None: none does).
    """

    apogee: Figure | None
    range: Figure | None
    time: Figure | None
    place: Place
    class_given: bool
    consistent: bool
    judged: str
    time_s: float
    error_s: float | None
    tolerance_s: float | None
    parts: dict[str, float]
    classes: tuple[ClassTime, ...]
    per_apogee: float | None
    per_range: float | None
    apogees: Implied | None
    ranges: Implied | None
    thrust_s: float | None
    implied_by_class: dict[str, Implied] = field(default_factory=dict)


def _slope(at: Callable[[float], float | None], x: float, here: float) -> float:
    """Change (s) with one per cent of ``x``, both ways where both can be flown."""
    found = [(sign, at(x * (1.0 + 0.01 * sign))) for sign in (-1.0, 1.0)]
    slopes = [sign * (t - here) for sign, t in found if t is not None]
    return sum(slopes) / len(slopes) if slopes else 0.0


def _thrust_unknown(flight_class: FlightClass, place: Place, distance: float, apogee: float, here: ClassTime,
                    side: float) -> float:  # fmt: skip
    """Change (s, positive) of the time where thrust lasts ``THRUST_UNKNOWN`` more (``side`` 1) or less (-1)."""
    for part in (1.0, 0.3):
        for way in (side, -side):
            t = _attempt(stretched(flight_class, 1.0 + way * part * THRUST_UNKNOWN), place, distance, apogee)
            if t is not None:
                return abs(t - here.time_s) / part
    return THRUST_UNKNOWN * here.thrust_s  # no other can fly it: all of the added thrust is lost at most


def _one_side(flight_class: FlightClass, place: Place, distance: float, apogee: float, here: ClassTime,
              side: float) -> dict[str, float]:  # fmt: skip
    """The uncertainties that differ between longer (``side`` 1) and shorter (-1)."""
    elsewhere = [_attempt(flight_class, place, distance, apogee, at) for at in place.others()]
    most = max((side * (t - here.time_s) for t in elsewhere if t is not None), default=0.0)
    return {
        "thrust": _thrust_unknown(flight_class, place, distance, apogee, here, side) / math.sqrt(3.0),
        "where": max(most, 0.0) / math.sqrt(3.0),
    }


def _judge(
    apogee: Figure, distance: Figure, time: Figure | None, flight_class: FlightClass, here: ClassTime, place: Place
) -> Answer:
    """What one class says of the figures; without a time, the tolerance of the modelled one."""
    bare = nominal_class(flight_class)
    error = None if time is None else here.time_s - time.value
    per_apogee = _slope(lambda h: _attempt(bare, place, distance.value, h), apogee.value, here.time_s)
    per_range = _slope(lambda r: _attempt(bare, place, r, apogee.value), distance.value, here.time_s)
    drawn = [_attempt(flight_class, place, distance.value, apogee.value, seed=seed) for seed in range(1, DRAWS + 1)]
    off = [t - here.time_s for t in drawn if t is not None]
    sides = (1.0, -1.0) if error is None else (-1.0 if error > 0.0 else 1.0,)
    ways = [_one_side(bare, place, distance.value, apogee.value, here, side) for side in sides]
    parts = {
        "time": 0.0 if time is None else time.half / math.sqrt(3.0),
        "apogee": abs(per_apogee) * 100.0 * apogee.half / apogee.value / math.sqrt(3.0),
        "range": abs(per_range) * 100.0 * distance.half / distance.value / math.sqrt(3.0),
        "class": math.sqrt(sum(t * t for t in off) / max(len(off), 1)),
        **max(ways, key=lambda one: math.hypot(*one.values())),
    }
    tolerance = COVERAGE * math.hypot(*parts.values())
    return Answer(
        apogee, distance, time, place, True, error is None or abs(error) <= tolerance, here.id, here.time_s, error,
        tolerance, parts, (here,), per_apogee, per_range, None, None, None,
    )  # fmt: skip


def _thrust_for(flight_class: FlightClass, place: Place, distance: float, apogee: float, t: float) -> float | None:
    """When thrust would end (s) in a flight of the class, stretched, that takes ``t``; None if none between half and
    twice as long does.
    """
    factors = (0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.6, 2.0)

    def at(factor: float) -> float | None:
        return _attempt(stretched(flight_class, factor), place, distance, apogee)

    found = _crossings(factors, [at(f) for f in factors], t, at, 1e-4)
    if not found:
        return None
    flight = fly(stretched(flight_class, min(found, key=lambda f: abs(f - 1.0))), place, distance, apogee)
    return (flight.cutoff_ns - flight.launch_ns) * 1e-9


def _said(error: FlightImpossible) -> str:
    return str(error).removeprefix("the flight: ")


def _refused(errors: Sequence[FlightImpossible], apogee: Figure, distance: Figure) -> FiguresError:
    """The refusal that names the nearest flight of all classes asked."""
    if len(errors) == 1:
        return FiguresError(_said(errors[0]))

    def off(error: FlightImpossible) -> float:
        r, h = error.nearest or (1.0, 1.0)
        return abs(math.log(max(r, 1.0) / distance.value)) + abs(math.log(max(h, 1.0) / apogee.value))

    best = min(errors, key=off)
    return FiguresError(f"none of {len(errors)} classes can; the nearest flight is this one's: {_said(best)}")


def check(
    apogee: Figure | None, distance: Figure | None, time: Figure | None, classes: Sequence[FlightClass], place: Place,
    class_given: bool,
) -> Answer:  # fmt: skip
    """Hold published figures (two or three of apogee, range, time) against modelled flights of some classes.

    Of several classes, the one is judged with which the figures go together best. Raises FiguresError if fewer than two
    figures are given, and for figures that no flight of these classes has, naming the nearest.
    """
    if sum(figure is not None for figure in (apogee, distance, time)) < 2:
        raise FiguresError("give at least two of apogee, range and flight time")
    if not classes:
        raise FiguresError("no class to fly with")
    if apogee is None or distance is None:
        assert time is not None
        return _with_time(apogee, distance, time, classes, place, class_given)
    flown: list[tuple[FlightClass, ClassTime]] = []
    errors = []
    for one in classes:
        try:
            flight = fly(nominal_class(one), place, distance.value, apogee.value)
        except FlightImpossible as error:
            errors.append(error)
            continue
        flown.append((one, _class_time(one, flight)))
    if not flown:
        raise _refused(errors, apogee, distance)
    listed = tuple(found for _, found in flown)
    if time is None:
        # nothing to be judged by: the class in the middle of those that can
        middle = sum(found.time_s for found in listed) / len(listed)
        one, here = min(flown, key=lambda pair: abs(pair[1].time_s - middle))
        answer = _judge(apogee, distance, None, one, here, place)
        return replace(answer, class_given=class_given, classes=listed)
    answers = [_judge(apogee, distance, time, one, found, place) for one, found in flown]
    best = min(answers, key=lambda a: abs(a.error_s or 0.0) / (a.tolerance_s or 1.0))
    bare = nominal_class(next(one for one, found in flown if found.id == best.judged))
    return replace(
        best,
        class_given=class_given,
        classes=listed,
        apogees=apogees(bare, place, distance.value, time.value),
        ranges=ranges(bare, place, apogee.value, time.value),
        thrust_s=_thrust_for(bare, place, distance.value, apogee.value, time.value),
    )


def _class_time(one: FlightClass, flight: Flight) -> ClassTime:
    return ClassTime(one.id, _time(flight), (flight.cutoff_ns - flight.launch_ns) * 1e-9)


def _with_time(
    apogee: Figure | None, distance: Figure | None, time: Figure, classes: Sequence[FlightClass], place: Place,
    class_given: bool,
) -> Answer:  # fmt: skip
    """A time with one of the other figures: what the third can be."""
    by_class = {}
    for one in classes:
        bare = nominal_class(one)
        if distance is not None:
            by_class[one.id] = apogees(bare, place, distance.value, time.value)
        elif apogee is not None:
            by_class[one.id] = ranges(bare, place, apogee.value, time.value)
    can = [one for one in classes if by_class[one.id].values]
    if not can:
        raise _no_time(apogee, distance, time, by_class)
    listed = []
    for one in can:
        value = by_class[one.id].values[0]
        over, high = (distance.value, value) if distance is not None else (value, apogee.value if apogee else 0.0)
        listed.append(_class_time(one, fly(nominal_class(one), place, over, high)))
    middle = sorted(can, key=lambda one: by_class[one.id].values[0])[len(can) // 2]
    found = by_class[middle.id]
    here = next(one for one in listed if one.id == middle.id)
    return Answer(
        apogee, distance, time, place, class_given, True, middle.id, here.time_s, None, None, {}, tuple(listed), None,
        None, found if distance is not None else None, found if distance is None else None, None,
        {one.id: by_class[one.id] for one in can},
    )  # fmt: skip


def _no_time(
    apogee: Figure | None, distance: Figure | None, time: Figure, by_class: dict[str, Implied]
) -> FiguresError:
    kept = f"a range of {distance.text} km" if distance else f"an apogee of {apogee.text if apogee else ''} km"
    third = "apogee" if distance else "range"
    known = {id: (found.times, found.ends) for id, found in by_class.items() if found.times is not None and found.ends}
    if not known:
        who = next(iter(by_class)) if len(by_class) == 1 else f"any of {len(by_class)} classes"
        return FiguresError(f"{kept} cannot be flown by {who}")
    ends = [
        (abs(t - time.value), id, t, x) for id, (times, at) in known.items() for t, x in zip(times, at, strict=True)
    ]
    _, id, t, x = min(ends)
    return FiguresError(
        f"{kept} does not go with a flight time of {time.text}: nearest is {t:.0f} s with {'an' if distance else 'a'}"
        f" {third} of {x / 1e3:,.0f} km (class {id})"
    )


# ---- as plain data -------------------------------------------------------------------------------------------------


def plain(answer: Answer) -> dict[str, Any]:
    """The answer as plain data, in the units of the figures (km, s, deg, per cent)."""
    lat, azimuth = answer.place.assumed()

    def figure(one: Figure | None, unit: float) -> dict[str, Any] | None:
        return (
            None if one is None else {"as_printed": one.text, "value": one.value / unit, "half_unit": one.half / unit}
        )

    def implied(one: Implied | None, name: str) -> dict[str, Any] | None:
        if one is None:
            return None
        times = None if one.times is None else [round(t, 1) for t in one.times]
        return {name: [round(x / 1e3, 2) for x in one.values], "flight_time_s_between": times}

    def percent(part: float | None) -> float | None:
        whole = answer.time_s if answer.time is None else answer.time.value
        return None if part is None else round(100.0 * part / whole, 2)

    times = [one.time_s for one in answer.classes]
    three = answer.apogee is not None and answer.range is not None
    return {
        "exercise": "EXERCISE",
        "note": "modelled with generic classes, whose constants are public or notional; nothing here was measured",
        "given": {
            "apogee_km": figure(answer.apogee, 1e3),
            "range_km": figure(answer.range, 1e3),
            "flight_time_s": figure(answer.time, 1.0),
        },
        "consistent": answer.consistent,
        "flight_time_s": round(answer.time_s, 1),
        "error_s": None if answer.error_s is None else round(answer.error_s, 1),
        "error_percent": percent(answer.error_s),
        "tolerance_s": None if answer.tolerance_s is None else round(answer.tolerance_s, 1),
        "tolerance_percent": percent(answer.tolerance_s),
        "standard_uncertainties_s": {name: round(value, 2) for name, value in answer.parts.items()},
        "class": answer.judged,
        "class_given": answer.class_given,
        "classes": [
            {
                "class": one.id,
                "flight_time_s": round(one.time_s, 1),
                "thrust_ends_s": round(one.thrust_s, 1),
                **({"error_percent": percent(one.time_s - answer.time.value)} if three and answer.time else {}),
                **(implied(answer.implied_by_class[one.id], "apogees_km" if answer.range else "ranges_km") or {}
                   if one.id in answer.implied_by_class else {}),
            }
            for one in answer.classes
        ],
        "site": {
            "lat_deg": round(math.degrees(lat), 6),
            "lon_deg": round(math.degrees(answer.place.lon), 6),
            "given": answer.place.lat is not None,
        },
        "azimuth": {"deg": round(math.degrees(azimuth), 6), "given": answer.place.azimuth is not None},
        "implied": {
            "by_apogee_and_range": {"flight_time_s_between": [round(min(times), 1), round(max(times), 1)]}
            if three else None,
            "by_range_and_time": implied(answer.apogees, "apogees_km"),
            "by_apogee_and_time": implied(answer.ranges, "ranges_km"),
            "by_all_three": {"thrust_ends_s": None if answer.thrust_s is None else round(answer.thrust_s, 1)}
            if three and answer.time else None,
        },
        "sensitivity": {
            "s_per_percent_of_apogee": None if answer.per_apogee is None else round(answer.per_apogee, 2),
            "s_per_percent_of_range": None if answer.per_range is None else round(answer.per_range, 2),
        },
    }  # fmt: skip
