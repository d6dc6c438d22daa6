"""What all parts of a scenario file are made of: strict models, names, texts, times, angles, numbers with a spread."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from tocsin.scenario import moments

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
_SPREAD_TEXT = re.compile(r"\s*([-+0-9.eE]{1,30})\s*(?:\+-|±)\s*([0-9.eE+-]{1,30})\s*\Z")


def _moment(text: Any) -> Any:
    if isinstance(text, str):
        try:
            moments.moment_ns(text, 0)
        except ValueError as error:
            raise PydanticCustomError("moment", "{allowed}", {"allowed": str(error)}) from None
    return text


def check_utc(text: Any) -> Any:
    """``text`` as it is, if it is a UTC time; the models' error if it is another text."""
    if isinstance(text, str):
        try:
            moments.unix_ns(text)
        except ValueError as error:
            raise PydanticCustomError("utc", "{allowed}", {"allowed": str(error)}) from None
    return text


def check_duration(text: Any) -> Any:
    """``text`` as it is, if it is a duration; the models' error if it is another text."""
    if isinstance(text, str):
        try:
            moments.duration_ns(text)
        except ValueError as error:
            raise PydanticCustomError("duration", "{allowed}", {"allowed": str(error)}) from None
    return text


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Text = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")]
Moment = Annotated[str, BeforeValidator(_moment), Field(description="A time: " + moments.MOMENT_FORM)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Duration = Annotated[str, BeforeValidator(check_duration), Field(description="How long: " + moments.DURATION_FORM)]
Longitude = Annotated[float, Field(ge=-180, le=360)]
Azimuth = Annotated[float, Field(ge=0, le=360)]
Elevation = Annotated[float, Field(ge=-5, le=90)]
Positive = Annotated[float, Field(gt=0, le=1e12)]
NotNegative = Annotated[float, Field(ge=0, le=1e12)]
Confidence = Literal["high", "medium", "low", "notional"]
Point = tuple[Longitude, Latitude]
Ring = Annotated[tuple[Point, ...], Field(min_length=3, max_length=500)]


class Part(BaseModel):
    """What all parts share: unknown keys are refused, nothing is converted, nothing changes afterwards."""

    # each model is built when first asked, not on import: most are only ever parts of the whole
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)


class Spread(Part):
    """A number, ``150 +- 3``, or ``{nominal: 150, spread: 3, source: ...}``: a normal distribution cut at 3 spreads."""

    nominal: float = Field(description="The middle")
    spread: float = Field(default=0.0, ge=0, description="One standard deviation; 0 is exact")
    source: Text = Field(default="", description="Where the number comes from, or the word notional")

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return {"nominal": value}
        if isinstance(value, str):
            match = _SPREAD_TEXT.match(value)
            try:
                if match:
                    return {"nominal": float(match.group(1)), "spread": float(match.group(2))}
            except ValueError:
                pass
            raise PydanticCustomError("spread", "a number, or a number with a spread such as 150 +- 3")
        return value

    @model_serializer(mode="wrap")
    def _shortest(self, handler: SerializerFunctionWrapHandler) -> Any:
        made = handler(self)
        return made["nominal"] if set(made) == {"nominal"} else made

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler.resolve_ref_schema(handler(core))
        words = {"type": "string", "pattern": r"^\s*[-+0-9.eE]+\s*(\+-|±)\s*[-+0-9.eE]+$"}
        return {"anyOf": [{"type": "number"}, words, made], "description": str(cls.__doc__)}


def _least(bound: float, strict: bool) -> Callable[[Spread], Spread]:
    def check(value: Spread) -> Spread:
        low = value.nominal - 3 * value.spread
        if low < bound or (strict and low == bound):
            words = f"a value that stays {'over' if strict else 'at least'} {bound:g} three spreads below its nominal"
            raise PydanticCustomError("spread_low", "{allowed}", {"allowed": words})
        return value

    return check


class PositiveSpread(Spread):
    """A spread that stays over zero to three standard deviations."""

    @model_validator(mode="after")
    def _positive(self) -> PositiveSpread:
        _least(0.0, True)(self)
        return self


class NotNegativeSpread(Spread):
    """A spread that stays at zero or over to three standard deviations."""

    @model_validator(mode="after")
    def _not_negative(self) -> NotNegativeSpread:
        _least(0.0, False)(self)
        return self


class ExactNumber(PositiveSpread):
    """A number over zero without a spread; it may stand as ``{nominal: 25, source: ...}``."""

    @model_validator(mode="after")
    def _exact(self) -> ExactNumber:
        if self.spread:
            raise PydanticCustomError("exact", "{allowed}", {"allowed": "a number without a spread"})
        return self


NO_TIME = NotNegativeSpread(nominal=0.0)


class DragTable(Part):
    """Drag over the Mach number: rising pairs ``[[Mach, factor], ...]``, or ``{points: ..., source: ...}``. The factor
    is on the drag that the ballistic coefficient gives; linear between the points, constant outside.
    """

    points: tuple[tuple[NotNegative, Positive], ...] = Field(min_length=2, max_length=100)
    source: Text = Field(default="", description="Where the numbers come from, or the word notional")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"points": value} if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _rising(self) -> DragTable:
        for (low, _), (high, _) in pairwise(self.points):
            if not low < high:
                words = {"allowed": f"Mach numbers that rise: {high:g} stands after {low:g}"}
                raise PydanticCustomError("mach", "{allowed}", words)
        return self

    @model_serializer(mode="wrap")
    def _shortest(self, handler: SerializerFunctionWrapHandler) -> Any:
        made = handler(self)
        return made["points"] if set(made) == {"points"} else made

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [made["properties"]["points"], made], "description": str(cls.__doc__)}


class Site(Part):
    """A place on the ground."""

    lat_deg: Latitude
    lon_deg: Longitude
    height_m: float = Field(default=0.0, ge=-500, le=9000)
