"""The scenario file as pydantic models: units are those people use and stand in the names. ``split`` turns it into SI.

What one model cannot see (names that must exist elsewhere, times against the duration, polygons, complete sensors) is
checked in ``checks``. ``Scenario.json_schema()`` publishes these models.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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

FORMAT: Literal["tocsin-scenario/1"] = "tocsin-scenario/1"
ACTIONS = ("note", "confirm", "inform", "exclude", "stand-down")
ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
_SPREAD_TEXT = re.compile(r"\s*([-+0-9.eE]{1,30})\s*(?:\+-|±)\s*([0-9.eE+-]{1,30})\s*\Z")


def _moment(text: Any) -> Any:
    if isinstance(text, str):
        try:
            moments.moment_ns(text, 0)
        except ValueError as error:
            raise PydanticCustomError("moment", "{allowed}", {"allowed": str(error)}) from None
    return text


def _utc(text: Any) -> Any:
    if isinstance(text, str):
        try:
            moments.unix_ns(text)
        except ValueError as error:
            raise PydanticCustomError("utc", "{allowed}", {"allowed": str(error)}) from None
    return text


def _duration(text: Any) -> Any:
    if isinstance(text, str):
        try:
            moments.duration_ns(text)
        except ValueError as error:
            raise PydanticCustomError("duration", "{allowed}", {"allowed": str(error)}) from None
    return text


def _mode(text: Any) -> Any:
    if text in ("tracks", "detections"):
        raise PydanticCustomError(
            "not_built", "{allowed}", {"allowed": f"none or warnings (sharing {text} is not built yet)"}
        )
    return text


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Text = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$")]
Moment = Annotated[str, BeforeValidator(_moment), Field(description="A time: " + moments.MOMENT_FORM)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=360)]
Azimuth = Annotated[float, Field(ge=0, le=360)]
Positive = Annotated[float, Field(gt=0, le=1e12)]
NotNegative = Annotated[float, Field(ge=0, le=1e12)]
Confidence = Literal["high", "medium", "low", "notional"]
Point = tuple[Longitude, Latitude]
Ring = Annotated[tuple[Point, ...], Field(min_length=3, max_length=500)]


class Part(BaseModel):
    """What all parts share: unknown keys are refused, nothing is converted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


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


NO_TIME = NotNegativeSpread(nominal=0.0)


# ---- classes of objects --------------------------------------------------------------------------------------------


class Stage(Part):
    """The burn of one stage."""

    burn_s: PositiveSpread = Field(description="Burn time")
    thrust_m_s2: PositiveSpread = Field(description="Specific thrust (thrust over mass) at ignition")
    exhaust_m_s: PositiveSpread = Field(description="Effective exhaust velocity")
    coast_s: NotNegativeSpread = Field(default=NO_TIME, description="Unpowered time after the burn")
    intensity_kw_sr: NotNegativeSpread = Field(description="Plume intensity in the 2.7 um band")


class Flying(Part):
    """How a class flies: all numbers, or (as a change of another entry) some."""

    stages: tuple[Stage, ...] | None = Field(default=None, min_length=1, max_length=8, description="First to last")
    vertical_s: NotNegativeSpread | None = Field(default=None, description="Time of vertical rise")
    pitch_s: PositiveSpread | None = Field(
        default=None, description="Time over which the thrust then turns to its final elevation"
    )
    beta_boost_kg_m2: PositiveSpread | None = Field(default=None, description="Ballistic coefficient while boosting")
    beta_kg_m2: PositiveSpread | None = Field(default=None, description="Ballistic coefficient on re-entry")
    rcs_boost_m2: PositiveSpread | None = Field(default=None, description="Radar cross-section while boosting")
    rcs_m2: PositiveSpread | None = Field(default=None, description="Radar cross-section afterwards")
    burnout_height_km: PositiveSpread | None = Field(default=None, description="Where thrust typically ends: height")
    burnout_downrange_km: NotNegativeSpread | None = Field(
        default=None, description="Where thrust typically ends: distance from the site"
    )


class ClassEntry(Part):
    """A class: empty for the bundled one of that name, or with what differs from it, or complete."""

    from_: Id | None = Field(
        default=None, alias="from", description="Bundled class to start from, if its name is another"
    )
    title: Text | None = None
    family: Literal["ballistic", "sounding-rocket", "space-launch"] | None = None
    energy: Literal["cutoff", "thrust"] | None = Field(
        default=None,
        description="What is turned to meet range and apogee: the cut-off time, or a scale of all thrusts (payload)",
    )
    prior: float | None = Field(default=None, gt=0, le=1, description="How common a centre takes it to be (relative)")
    range_km: tuple[Positive, Positive] | None = Field(
        default=None, description="Least and greatest range the class flies"
    )
    truth: Flying = Field(default=Flying(), description="What is so")
    belief: Flying = Field(default=Flying(), description="What centres believe, where it differs from the truth")
    note: Text | None = None


# ---- sensors -------------------------------------------------------------------------------------------------------


class SensorValues(Part):
    """The numbers of a sensor; a radar and an infrared satellite each use their own (see the reference)."""

    # radar
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None
    height_m: float | None = Field(default=None, ge=-500, le=9000)
    faces_azimuth_deg: tuple[Azimuth, ...] | None = Field(
        default=None, min_length=1, max_length=8, description="Boresight of each face"
    )
    face_tilt_deg: float | None = Field(default=None, ge=0, le=90, description="Elevation of the boresights")
    sector_deg: tuple[Azimuth, Azimuth] | None = Field(
        default=None, description="Azimuth from, to, clockwise; [0, 360] is all round"
    )
    elevation_deg: tuple[float, float] | None = Field(default=None, description="Least and greatest elevation")
    range_km: tuple[NotNegative, Positive] | None = Field(
        default=None, description="Least and greatest (instrumented) range"
    )
    reference_range_km: Positive | None = Field(
        default=None, description="Where 1 m2 on boresight gives reference_snr_db in one look"
    )
    reference_snr_db: float | None = Field(default=None, ge=-20, le=60)
    frequency_mhz: Positive | None = None
    beam_deg: tuple[Positive, Positive] | None = Field(
        default=None, description="3 dB beam widths in azimuth and elevation"
    )
    bandwidth_mhz: Positive | None = None
    pfa: float | None = Field(
        default=None, gt=0, le=0.1, description="False-alarm probability of one look, which sets the threshold"
    )
    sigma_range_m: Positive | None = Field(default=None, description="Floor of the range error")
    sigma_angle_deg: Positive | None = Field(default=None, description="Floor of the angle errors")
    doppler: bool | None = Field(default=None, description="Whether range rate is measured")
    sigma_rate_m_s: Positive | None = None
    # infrared satellite
    orbit: Literal["geo", "ellipse"] | None = None
    longitude_deg: Longitude | None = Field(default=None, description="Slot of a geostationary satellite")
    perigee_km: float | None = Field(default=None, ge=150, le=400_000, description="Height")
    apogee_km: float | None = Field(default=None, ge=150, le=400_000, description="Height")
    inclination_deg: float | None = Field(default=None, ge=0, le=180)
    argp_deg: Azimuth | None = Field(default=None, description="Argument of perigee")
    raan_deg: Azimuth | None = Field(default=None, description="Right ascension of the ascending node at the epoch")
    mean_anomaly_deg: Azimuth | None = Field(default=None, description="At the epoch")
    apogee_longitude_deg: Longitude | None = Field(
        default=None, description="Instead of node and anomaly: longitude under the apogee"
    )
    apogee_at: Moment | None = Field(default=None, description="... and when the satellite is there")
    least_intensity_kw_sr: Positive | None = Field(
        default=None, description="Plume that gives threshold_snr from reference_distance_km"
    )
    threshold_snr: Positive | None = None
    reference_distance_km: Positive | None = None
    cloud_top_km: float | None = Field(default=None, ge=0, le=30)
    sigma_pointing_urad: Positive | None = Field(
        default=None, description="Error of each line-of-sight angle of a look at threshold"
    )
    sigma_floor_urad: Positive | None = None
    limb_km: float | None = Field(
        default=None, ge=0, le=1000, description="Least height of the line of sight over the Earth"
    )
    # both
    false_per_scan: NotNegative | None = Field(default=None, description="Mean number of false detections a scan")
    scan_period_s: float | None = Field(
        default=None, ge=0.1, le=3600, description="Between looks at the same direction"
    )
    latency_s: float | None = Field(default=None, ge=0, le=3600, description="From the end of a scan to the centre")


class SensorEntry(SensorValues):
    """A sensor as its owner declares it: empty for the catalogue's of that name, or with what differs, or complete."""

    from_: Id | None = Field(
        default=None, alias="from", description="Catalogue id or family to start from, if the name is another"
    )
    kind: Literal["radar", "infrared"] | None = Field(
        default=None, description="Needed only for a sensor that starts from nothing"
    )
    name: Text | None = None
    actual: SensorValues = Field(
        default=SensorValues(), description="What is so, where it differs from what is declared"
    )
    source: Text | None = Field(
        default=None, description="Where the numbers given here come from, or the word notional"
    )
    note: Text | None = None


# ---- partners ------------------------------------------------------------------------------------------------------


class AreaEntry(Part):
    """A defended area or a territory; longitude first, as in GeoJSON."""

    name: Text | None = None
    kind: Literal["defended", "territory"] = "defended"
    polygon: Ring = Field(description="Outer ring of [longitude, latitude] in degrees; closed by itself")
    holes: tuple[Ring, ...] = Field(default=(), max_length=20)


class RuleEntry(Part):
    """When the centre calls a warning confirmed, and an area excluded."""

    min_updates: int = Field(default=4, ge=1, le=1000, description="Detections that must have been associated")
    min_span_s: float = Field(default=10.0, ge=0, le=3600, description="... over at least this time")
    min_sensors: int = Field(default=1, ge=1, le=100, description="... from at least this many sensors")
    accept_partner: bool = Field(default=True, description="Whether a partner's confirmed warning is enough")
    exclude_below: float = Field(
        default=0.01, gt=0, lt=1, description="Probability of impact under which an area is excluded"
    )
    refresh_s: float = Field(default=10.0, ge=1, le=3600, description="Between versions of a warning")
    processing_s: float = Field(
        default=5.0, ge=0, le=3600, description="Computing and checking before a version stands"
    )


class CentreEntry(Part):
    """The warning centre."""

    name: Text | None = None
    rule: RuleEntry = RuleEntry()


class StepEntry(Part):
    """One step of a written doctrine."""

    id: Id
    action: Id = Field(description="note, confirm, inform, exclude, stand-down, or one that an installed package adds")
    when: Annotated[Text, StringConstraints(min_length=1, max_length=1000)] = Field(
        description="Condition (see the reference)"
    )
    takes_s: NotNegativeSpread = Field(default=NO_TIME, description="From the condition to the deed")
    after: tuple[Id, ...] = Field(
        default=(), max_length=50, description="Steps that must be done first, for the same warning"
    )
    text: Text = Field(default="", description="What is said; {areas}, {launch_time} and such are filled in")
    source: Text = Field(default="", description="What the hand-off time rests on, or the word notional")


class PostEntry(Part):
    """A command post and its doctrine."""

    name: Text | None = None
    steps: tuple[StepEntry, ...] = Field(max_length=100)


Named = BeforeValidator(_nothing_is_empty)


class PartnerEntry(Part):
    """A nation: its sensors, its centre, what it defends, who decides."""

    name: Text | None = None
    centre: CentreEntry = CentreEntry()
    sensors: dict[Id, Annotated[SensorEntry, Named]] = Field(default={}, description="By catalogue id, or inline")
    areas: dict[Id, AreaEntry] = {}
    posts: dict[Id, PostEntry] = {}
    note: Text | None = None


# ---- the whole -----------------------------------------------------------------------------------------------------


class Site(Part):
    """A place on the ground."""

    lat_deg: Latitude
    lon_deg: Longitude
    height_m: float = Field(default=0.0, ge=-500, le=9000)


class ObjectEntry(Part):
    """Something that flies: from a site, towards an azimuth, so far and so high."""

    class_: Id = Field(alias="class")
    launch: Moment
    site: Site
    azimuth_deg: Azimuth = Field(description="Of the impact point, from the site")
    range_km: float = Field(gt=0, le=19_900, description="Over the ground, site to impact")
    apogee_km: float = Field(gt=0, le=100_000, description="Greatest height")
    note: Text | None = None


class LinkEntry(Part):
    """One direction between two partners."""

    from_: Id = Field(alias="from")
    to: Id
    delay_s: NotNegativeSpread
    loss: float = Field(default=0.0, ge=0, le=1, description="Probability that a message never arrives")
    source: Text = ""


class Release(Part):
    """What one partner releases to another."""

    from_: Id = Field(alias="from")
    to: Id
    sensors: Literal["all"] | tuple[Id, ...] = Field(
        default="all", description="Sensors whose data may stand behind what is released"
    )


class Sharing(Part):
    """What is shared at all (``mode``), and by whom."""

    mode: Annotated[Literal["none", "warnings"], BeforeValidator(_mode)] = "none"
    releases: tuple[Release, ...] = ()


class InjectEntry(Part):
    """A scripted outside event."""

    id: Id
    at: Moment
    until: Moment | None = None
    act: Literal["sensor.silence", "link.cut", "note"]
    target: Annotated[Text, StringConstraints(max_length=140)] = Field(
        description="Sensor id, sender>recipient, or post id"
    )
    text: Text = ""


class Place(Part):
    """A point that reports name, such as a cape flown by."""

    name: Text | None = None
    lat_deg: Latitude
    lon_deg: Longitude


class Published(Part):
    """What was published of the real event, for reports to set beside the simulated one. Nothing is tuned to it."""

    event: Text
    at: Moment
    precision_s: float = Field(default=0.0, ge=0, description="How coarse the published time is")
    matches: Text = Field(
        default="",
        description="What it is set against: launch, apogee, impact, first-detection:PARTNER, warning:PARTNER, "
        "step:PARTNER/STEP, passage:PARTNER/AREA, abeam:PLACE; empty for nothing",
    )
    source: Text = ""
    note: Text | None = None


class SourceEntry(Part):
    """Where facts of this scenario come from."""

    title: Text
    url: Text = ""
    note: Text | None = None


class Assumption(Part):
    """What was assumed, and how sure anybody can be of it."""

    what: Text
    confidence: Confidence
    why: Text = ""


class ScenarioModel(Part):
    """A whole scenario."""

    format: Literal["tocsin-scenario/1"] = Field(default=FORMAT, description="The version of this format")
    id: Id = Field(description="Short name; run folders are called after it")
    title: Annotated[Text, StringConstraints(min_length=1, max_length=200)]
    summary: Annotated[Text, StringConstraints(max_length=400)] = Field(
        default="", description="One line for lists of scenarios"
    )
    start: Annotated[str, BeforeValidator(_utc)] = Field(description="The epoch, T+00:00: " + moments.UTC_FORM)
    duration: Annotated[str, BeforeValidator(_duration)] = Field(
        description="How long to run: " + moments.DURATION_FORM
    )
    frame_s: float = Field(default=1.0, ge=0.1, le=60, description="The unit of every call")
    dut1_s: float = Field(default=0.0, ge=-0.9, le=0.9, description="UT1 - UTC as the IERS publishes it")
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    partners: dict[Id, PartnerEntry] = Field(min_length=1, max_length=50)
    classes: dict[Id, Annotated[ClassEntry, Named]] = Field(
        min_length=1, max_length=100, description="What flies, or may fly"
    )
    objects: dict[Id, ObjectEntry] = Field(default={}, description="What does fly; none is a quiet day")
    links: tuple[LinkEntry, ...] = ()
    sharing: Sharing = Sharing()
    injects: tuple[InjectEntry, ...] = ()
    places: dict[Id, Place] = {}
    published: tuple[Published, ...] = ()
    sources: dict[Id, SourceEntry] = {}
    assumptions: tuple[Assumption, ...] = ()
    note: Text | None = None
