"""What a class leaves to chance: the parameters drawn for one object, and the class without its spreads."""

from __future__ import annotations

import math

import msgspec

from tocsin.earth.random import draw_uniform, normal_quantile, stream_key
from tocsin.scenario.specs import FlightClass, Glide, Spread, Stage

GREATEST_MASS_RATIO = 0.97  # part of its mass that a stage can burn
SCALE_LIMITS = (0.4, 2.5)  # of the thrust factor
ATTEMPTS = 40  # draws of the class parameters before a flight is called impossible
_THREE_SIGMA = 0.5 * math.erfc(3.0 / math.sqrt(2.0))


class FlightImpossible(ValueError):  # noqa: N818 - the name says what is wrong
    """No flight of its class meets what is asked of an object.

    ``constraint``: "thrust", "range", "apogee" or "flight-time"; ``nearest``: the nearest range and apogee (m) that the
    class can fly from that site in that direction, None where nothing flies at all; ``nearest_time``: the time of that
    flight (s), where a time was asked for.
    """

    def __init__(
        self,
        text: str,
        constraint: str,
        nearest: tuple[float, float] | None,
        nearest_time: float | None = None,
    ) -> None:
        super().__init__(text)
        self.constraint = constraint
        self.nearest = nearest
        self.nearest_time = nearest_time


def draw(spread: Spread, seed: int, key: str, purpose: str, attempt: int = 0) -> float:
    """One value of a normal distribution cut at three sigma (not piled up there), from one stream."""
    if spread.spread == 0.0:
        return spread.nominal
    u = draw_uniform(stream_key(seed, key, purpose), 0, 0, attempt)
    return spread.nominal + spread.spread * float(normal_quantile(_THREE_SIGMA + u * (1.0 - 2.0 * _THREE_SIGMA)))


def draw_class(flight_class: FlightClass, seed: int, key: str, attempt: int = 0) -> dict[str, float]:
    """All parameters of one object of a class, by name ("stage1.burn", "beta", ...); draw number ``attempt``.

    A burn that would use more than ``GREATEST_MASS_RATIO`` of the mass is shortened to that. Raises FlightImpossible
    where a value that has to be positive is not.
    """
    out: dict[str, float] = {}
    for name in ("vertical", "pitch", "beta_boost", "beta", "rcs_boost", "rcs"):
        out[name] = draw(getattr(flight_class, name), seed, key, f"flight.{name}", attempt)
    for i, stage in enumerate(flight_class.stages, 1):
        for name in ("burn", "thrust", "exhaust", "coast", "intensity"):
            out[f"stage{i}.{name}"] = draw(getattr(stage, name), seed, key, f"flight.stage{i}.{name}", attempt)
    for name, value in out.items():
        least_is_zero = name in ("vertical", "pitch") or name.endswith(("coast", "intensity"))
        if not (math.isfinite(value) and (value > 0.0 or (least_is_zero and value == 0.0))):
            if least_is_zero and math.isfinite(value):
                out[name] = 0.0  # the tail of a spread around a small positive number
                continue
            raise FlightImpossible(
                f"class {flight_class.id}: {name} must be positive, drawn {value:.6g};"
                " its nominal value less three spreads must stay above zero",
                "thrust",
                None,
            )
    for i in range(1, len(flight_class.stages) + 1):
        longest = GREATEST_MASS_RATIO * out[f"stage{i}.exhaust"] / out[f"stage{i}.thrust"]
        out[f"stage{i}.burn"] = min(out[f"stage{i}.burn"], longest)
    return out


def nominal_class(flight_class: FlightClass) -> FlightClass:
    """The class without its spreads, but those of what comes off it."""

    def exact(thing: FlightClass | Stage | Glide) -> dict[str, Spread]:
        values = ((name, getattr(thing, name)) for name in thing.__struct_fields__)
        return {name: Spread(value.nominal) for name, value in values if isinstance(value, Spread)}

    stages = tuple(msgspec.structs.replace(stage, **exact(stage)) for stage in flight_class.stages)
    glide = flight_class.glide
    lift = None if glide is None else msgspec.structs.replace(glide, **exact(glide))
    return msgspec.structs.replace(flight_class, stages=stages, glide=lift, **exact(flight_class))
