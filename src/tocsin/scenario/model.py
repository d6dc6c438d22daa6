"""The scenario file as pydantic models: units are those people use and stand in the names. ``split`` turns it into SI.

What one model cannot see (names that must exist elsewhere, times against the duration, polygons, complete sensors) is
checked in ``checks``. ``Scenario.json_schema()`` publishes these models. What flies stands in ``objects``, what all
models share in ``parts``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from tocsin.scenario import moments
from tocsin.scenario.behind import DisplayEntry, FaultEntry, IncidentEntry, RetractionEntry
from tocsin.scenario.ladders import LadderEntry
from tocsin.scenario.notices import NoticeEntry
from tocsin.scenario.objects import AnyEntry
from tocsin.scenario.parts import (
    NO_TIME,
    Azimuth,
    Confidence,
    DragTable,
    Elevation,
    ExactNumber,
    Id,
    Latitude,
    Longitude,
    Moment,
    NotNegative,
    NotNegativeSpread,
    Part,
    Positive,
    PositiveSpread,
    Ring,
    Text,
    check_duration,
    check_utc,
)

FORMAT: Literal["tocsin-scenario/1"] = "tocsin-scenario/1"
TROUBLES = ("silent", "degraded", "jammed", "delayed", "biased")
SENSOR_ACTS = {
    "sensor.silence": "silent", "sensor.degrade": "degraded", "sensor.jam": "jammed", "sensor.delay": "delayed",
    "sensor.bias": "biased",
}  # fmt: skip
ACTIONS = ("note", "confirm", "inform", "exclude", "stand-down", "check-sensors", "cancel", "correct")


def _mode(text: Any) -> Any:
    if text in ("tracks", "detections"):
        raise PydanticCustomError(
            "not_built", "{allowed}", {"allowed": f"none or warnings (sharing {text} is not built yet)"}
        )
    return text


def _no_truth_value(value: Any) -> Any:
    if isinstance(value, bool):  # which Python takes for 0 or 1
        raise PydanticCustomError("truth_value", "{allowed}", {"allowed": "0, 1 or 3"})
    return value


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


# ---- classes of objects --------------------------------------------------------------------------------------------


class Stage(Part):
    """The burn of one stage."""

    burn_s: PositiveSpread = Field(description="Burn time")
    thrust_m_s2: PositiveSpread = Field(description="Specific thrust (thrust over mass) at ignition")
    exhaust_m_s: PositiveSpread = Field(description="Effective exhaust velocity")
    coast_s: NotNegativeSpread = Field(default=NO_TIME, description="Unpowered time after the burn")
    intensity_kw_sr: NotNegativeSpread = Field(description="Plume intensity in the 2.7 um band")


class LooseEntry(Part):
    """What comes off in flight and falls on its own: a spent stage, a fairing's halves, debris of the end of thrust."""

    kind: Literal["stage", "fairing", "debris"]
    stage: int | None = Field(
        default=None, ge=1, le=8, description="The stage that falls, or whose end of thrust throws off the rest"
    )
    height_km: float | None = Field(
        default=None, gt=0, le=2000, description="For a fairing, instead of a stage: the height at which it goes"
    )
    count: int = Field(default=1, ge=1, le=200, description="Pieces")
    delay_s: NotNegativeSpread = Field(default=NO_TIME, description="After that moment")
    speed_m_s: NotNegativeSpread = Field(
        description="Against the object: stages go back along the thrust, fairings sideways, debris any way"
    )
    beta_kg_m2: PositiveSpread = Field(description="Ballistic coefficient of a piece")
    rcs_m2: PositiveSpread = Field(description="Radar cross-section of a piece")


class GlideEntry(Part):
    """Flight with lift after boost and entry."""

    lift_to_drag: PositiveSpread = Field(description="Greatest lift over drag")
    beta_kg_m2: PositiveSpread = Field(description="Ballistic coefficient at that ratio")
    mode: Literal["equilibrium", "skip"] = Field(
        description="Lift held so that the height changes smoothly, or full lift, on which the path swings"
    )
    pull_up_m_s2: ExactNumber = Field(description="Greatest load in the pull-up after entry")
    dive_speed_m_s: ExactNumber = Field(description="Speed over the ground under which it dives")


class TroughEntry(Part):
    """Heights between which the plume is dimmer, as the air gets too thin to burn what the motor leaves unburnt."""

    from_km: NotNegative
    to_km: Positive
    factor: float = Field(gt=0, le=1, description="On the intensity in the middle; 1 at the edges")
    source: Text = Field(default="", description="Where the numbers come from, or the word notional")

    @model_validator(mode="after")
    def _rising(self) -> TroughEntry:
        if not self.from_km < self.to_km <= 1000.0:
            raise PydanticCustomError("trough", "{allowed}", {"allowed": "from_km under to_km, and that at most 1000"})
        return self


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
    loose: tuple[LooseEntry, ...] | None = Field(
        default=None, max_length=20, description="What comes off; becomes objects where an object says `loose: true`"
    )
    drag_mach: DragTable | None = Field(
        default=None, description="Drag after boost over the Mach number; none for a constant beta_kg_m2"
    )
    glide: GlideEntry | None = Field(default=None, description="Only, and always, for the family boost-glide")
    trough: TroughEntry | None = Field(default=None, description="Where the plume is dimmer; none if it is nowhere")
    warm_w_sr: NotNegativeSpread | None = Field(
        default=None, description="The body after boost, in the band of midcourse sensors; 0 is never seen"
    )


class ClassEntry(Part):
    """A class: empty for the bundled one of that name, or with what differs from it, or complete."""

    from_: Id | None = Field(
        default=None, alias="from", description="Bundled class to start from, if its name is another"
    )
    title: Text | None = None
    family: Literal["ballistic", "sounding-rocket", "space-launch", "boost-glide"] | None = None
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


class BiasParts(Part):
    """A number for each of what a sensor measures: a radar range, angles and rate; an over-the-horizon radar range and
    azimuth; an infrared satellite the two angles about the line to the Earth's centre.
    """

    range_m: float = Field(default=0.0, ge=-1e6, le=1e6)
    azimuth_deg: float = Field(default=0.0, ge=-45, le=45)
    elevation_deg: float = Field(default=0.0, ge=-45, le=45)
    rate_m_s: float = Field(default=0.0, ge=-1e4, le=1e4)


class Wander(Part):
    """Standard deviations of a bias that wanders (Gauss-Markov)."""

    range_m: float = Field(default=0.0, ge=0, le=1e6)
    azimuth_deg: float = Field(default=0.0, ge=0, le=45)
    elevation_deg: float = Field(default=0.0, ge=0, le=45)
    rate_m_s: float = Field(default=0.0, ge=0, le=1e4)


class BiasEntry(BiasParts):
    """Systematic errors of measurements: constant ones, and `slow` ones that wander with the correlation time `tau_s`.
    A radar has range, angles and rate; an over-the-horizon radar range and azimuth; an infrared satellite the angles.
    """

    slow: Wander = Wander()
    tau_s: float = Field(default=600.0, gt=0, le=1e7, description="Correlation time of the slow part")


class EquationEntry(Part):
    """The radar equation's inputs, instead of `reference_range_km`: the range is worked out for 1 m2 on boresight at
    `reference_snr_db`. One of `aperture_m2` and `gain_db` gives the other.
    """

    power_kw: Positive = Field(description="Power while it looks; power times dwell is the energy of one look")
    dwell_s: Positive = Field(description="Of one look, in which the returns are added up")
    aperture_m2: Positive | None = Field(default=None, description="Effective, of reception")
    gain_db: float | None = Field(default=None, ge=0, le=80, description="Of transmission")
    temperature_k: Positive = Field(default=290.0, description="Of the system: noise")
    loss_db: float = Field(default=0.0, ge=0, le=60, description="All losses")

    @model_validator(mode="after")
    def _antenna(self) -> EquationEntry:
        if self.aperture_m2 is None and self.gain_db is None:
            raise PydanticCustomError("antenna", "{allowed}", {"allowed": "aperture_m2, gain_db, or both"})
        return self


class SensorValues(Part):
    """The numbers of a sensor; each kind uses its own (see the how-to page on scenarios)."""

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
    equation: EquationEntry | None = Field(default=None, description="Instead of reference_range_km")
    swerling: Annotated[Literal[0, 1, 3], BeforeValidator(_no_truth_value)] | None = Field(
        default=None, description="How the cross-section fluctuates from look to look: 0 not, 1 (if not given), 3"
    )
    fence_deg: tuple[float, float] | None = Field(
        default=None, description="Elevations between which it searches; its whole volume if not given"
    )
    track_period_s: float | None = Field(
        default=None, ge=0, le=3600, description="Between looks at an object in track; 0: only those of the search"
    )
    dwell_s: float | None = Field(
        default=None, ge=0, le=60, description="Radar time of a look at the reference range; 0: time costs nothing"
    )
    search_share: float | None = Field(default=None, gt=0, le=1, description="Part of its time that the search takes")
    resolution: bool | None = Field(default=None, description="Whether objects in one cell of range and beam merge")
    refraction_mrad: float | None = Field(
        default=None, ge=0, le=50, description="What is left of refraction after correction, 1 sigma at 5 deg elevation"
    )
    terrain_deg: tuple[tuple[Azimuth, Elevation], ...] | None = Field(
        default=None, max_length=720, description="[azimuth, least elevation] pairs, azimuths rising, linear between"
    )
    scheduling: Literal["local", "cued"] | None = Field(
        default=None, description="Looks by its own returns alone, or also by a centre's tasks"
    )
    # over-the-horizon radar
    reference_rcs_m2: Positive | None = Field(
        default=None, description="What gives reference_snr_db at reference_range_km"
    )
    greatest_height_km: float | None = Field(default=None, gt=0, le=2000, description="What flies higher is not lit")
    sigma_azimuth_deg: float | None = Field(default=None, gt=0, le=45)
    availability: float | None = Field(
        default=None, gt=0, le=1, description="Part of the time in which the ionosphere carries"
    )
    spell_s: float | None = Field(
        default=None, ge=1, le=1e6, description="Length of the spells in which it does or not"
    )
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
    staring: bool | None = Field(default=None, description="Looks everywhere at once, at the end of each period")
    sun_exclusion_deg: float | None = Field(
        default=None, ge=0, le=90, description="From the line of sight to the Sun, under which nothing is seen"
    )
    glint_lobe_deg: float | None = Field(
        default=None,
        ge=0,
        le=45,
        description="1 sigma of the tilt of facets in high cloud that mirror the Sun; 0: none",
    )
    glint_intensity_kw_sr: NotNegative | None = Field(
        default=None, description="Of a field of such facets in the middle of its lobe"
    )
    glint_fields: float | None = Field(default=None, ge=0, le=1000, description="Mean number of cloud fields in view")
    least_body_kw_sr: NotNegative | None = Field(
        default=None,
        description="Warm body against cold space that gives threshold_snr from reference_distance_km; 0: plumes only",
    )
    # all
    bias: BiasEntry | None = None
    false_per_scan: NotNegative | None = Field(default=None, description="Mean number of false detections a scan")
    scan_period_s: float | None = Field(
        default=None, ge=0.1, le=3600, description="Between looks at the same direction"
    )
    latency_s: float | None = Field(default=None, ge=0, le=3600, description="From the end of a scan to the centre")


class StatusEntry(Part):
    """What is wrong with a sensor over a time, with the one value that this has."""

    from_: Moment = Field(alias="from")
    until: Moment | None = Field(default=None, description="To the end of the scenario if not given")
    what: Literal["silent", "degraded", "jammed", "delayed", "biased"]
    loss_db: float | None = Field(default=None, gt=0, le=90, description="For degraded: by which the SNR falls")
    noise_db: float | None = Field(default=None, gt=0, le=90, description="For jammed: by which the noise rises")
    delay_s: float | None = Field(default=None, gt=0, le=3600, description="For delayed: added to the latency")
    bias: BiasEntry | None = Field(default=None, description="For biased: added to the sensor's own")
    declared: bool = Field(
        default=True,
        description="Whether the sensor knows and says so with its scans. A silent one that does not know is blind: "
        "its scans arrive, with false detections in them at most",
    )
    text: Text = ""


class SensorEntry(SensorValues):
    """A sensor as its owner declares it: empty for the catalogue's of that name, or with what differs, or complete."""

    from_: Id | None = Field(
        default=None, alias="from", description="Catalogue id or family to start from, if the name is another"
    )
    kind: Literal["radar", "infrared", "over-horizon"] | None = Field(
        default=None, description="Needed only for a sensor that starts from nothing"
    )
    name: Text | None = None
    actual: SensorValues = Field(
        default=SensorValues(), description="What is so, where it differs from what is declared"
    )
    status: tuple[StatusEntry, ...] = Field(
        default=(), max_length=200, description="What is wrong with it, and when; several at a time work together"
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


class ConfidenceEntry(Part):
    """Probabilities that a warning is of something real from which its confidence is called so (notional)."""

    low: float = Field(default=0.5, gt=0, lt=1, description='From here "low", under it "no": not confirmed, or no more')
    medium: float = Field(default=0.9, gt=0, lt=1)
    high: float = Field(default=0.999, gt=0, lt=1, description="Out of reach of one sensor alone with the usual priors")
    cancel_below: float = Field(default=0.05, gt=0, lt=1, description="Under this a warning is taken back")


class PriorsEntry(Part):
    """What a centre takes to be usual: rates a year, and how false sources behave. See `specs.Credence` for sources."""

    launches: float = Field(default=1000.0, gt=0, le=1e6, description="Launches a year in view, of whatever kind")
    false_infrared: float = Field(default=10.0, gt=0, le=1e6, description="False sources a year of a satellite")
    false_radar: float = Field(default=10.0, gt=0, le=1e6, description="... of a radar")
    false_over_horizon: float = Field(default=30.0, gt=0, le=1e6, description="... of a radar over the horizon")
    fault: float = Field(default=1.0, gt=0, le=1e6, description="Faults a year behind the sensors that make a warning")
    fault_shows: float = Field(default=0.5, gt=0, le=1, description="That such a fault shows one more sensor as well")
    channel: float = Field(default=5.0, gt=0, le=1e6, description="False warnings a year of a partner and its channel")
    lasting_share: float = Field(default=0.3, gt=0, le=1, description="Share of false sources that stay")
    lasting_s: float = Field(default=60.0, gt=0, le=86400, description="In which the others die away")
    same_kind: float = Field(default=0.02, gt=0, le=1, description="That one deceives another sensor of its kind too")
    other_kind: float = Field(default=0.001, gt=0, le=1, description="That it deceives one of another kind too")
    relapse: float = Field(default=0.3, ge=0, le=10, description="False alarms that one of a sensor brings in the hour")
    degraded: float = Field(default=5.0, ge=1, le=1e3, description="Factor on the rate of a sensor that says so")
    misbelief: float = Field(default=0.02, gt=0, lt=1, description="That an object is not what it is taken to be")
    silent_again: float = Field(
        default=0.3, gt=0, le=1, description="That another of a kind is silent too then, or one that has lost it"
    )


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
    min_kinds: int = Field(
        default=1, ge=1, le=3, description="Kinds of sensor (radar, infrared, over-horizon) that must agree"
    )
    cross_check_s: float = Field(
        default=0.0,
        ge=0,
        le=3600,
        description="How long after the first data a partner's word is waited for before the own data alone are "
        "enough; 0: not at all",
    )
    confidence: ConfidenceEntry = ConfidenceEntry()
    priors: PriorsEntry = PriorsEntry()


class CentreEntry(Part):
    """The warning centre."""

    name: Text | None = None
    doctrine: Id | None = Field(
        default=None,
        description="A bundled doctrine: it gives the values of `rule` and the conditions of the ladder's rungs that "
        "are not given here",
    )
    rule: RuleEntry = RuleEntry()
    retraction: RetractionEntry | None = None
    ladder: LadderEntry | None = Field(default=None, description="Conferences and alert states; none if not given")
    catalogue: Literal["all", "none"] | tuple[Id, ...] = Field(
        default="none",
        description="Satellites of the scenario (objects with an element set or orbit) whose elements the centre has",
    )


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
    display: DisplayEntry | None = None


Named = BeforeValidator(_nothing_is_empty)


class PartnerEntry(Part):
    """A nation: its sensors, its centre, what it defends, who decides."""

    name: Text | None = None
    centre: CentreEntry = CentreEntry()
    sensors: dict[Id, Annotated[SensorEntry, Named]] = Field(default={}, description="By catalogue id, or inline")
    areas: dict[Id, AreaEntry] = Field(default={})
    posts: dict[Id, PostEntry] = Field(default={})
    note: Text | None = None


# ---- the whole -----------------------------------------------------------------------------------------------------


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
    act: Literal[
        "sensor.silence", "sensor.degrade", "sensor.jam", "sensor.delay", "sensor.bias", "link.cut",
        "fault.begin", "fault.end", "note",
    ]  # fmt: skip
    target: Annotated[Text, StringConstraints(max_length=140)] = Field(
        description="Sensor id, sender>recipient, fault id, or post id"
    )
    text: Text = ""
    loss_db: float | None = Field(default=None, gt=0, le=90, description="For sensor.degrade: by which the SNR falls")
    noise_db: float | None = Field(default=None, gt=0, le=90, description="For sensor.jam: by which the noise rises")
    delay_s: float | None = Field(default=None, gt=0, le=3600, description="For sensor.delay: added to the latency")
    bias: BiasEntry | None = Field(default=None, description="For sensor.bias: added to the sensor's own")
    declared: bool | None = Field(
        default=None, description="For these: whether the sensor knows and says so (true if not given)"
    )


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
        description="What it is set against: launch, apogee, impact, first-detection:PARTNER, opened:PARTNER, "
        "warning:PARTNER, over:PARTNER, fault:ID, "
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
    start: Annotated[str, BeforeValidator(check_utc)] = Field(description="The epoch, T+00:00: " + moments.UTC_FORM)
    duration: Annotated[str, BeforeValidator(check_duration)] = Field(
        description="How long to run: " + moments.DURATION_FORM
    )
    frame_s: float = Field(default=1.0, ge=0.1, le=60, description="The unit of every call")
    dut1_s: float = Field(default=0.0, ge=-0.9, le=0.9, description="UT1 - UTC as the IERS publishes it")
    seed: int = Field(default=1, ge=0, le=2**63 - 1)
    partners: dict[Id, PartnerEntry] = Field(min_length=1, max_length=50)
    classes: dict[Id, Annotated[ClassEntry, Named]] = Field(
        min_length=1, max_length=100, description="What flies, or may fly"
    )
    objects: dict[Id, AnyEntry] = Field(default={}, description="What does fly; none is a quiet day")
    links: tuple[LinkEntry, ...] = ()
    sharing: Sharing = Sharing()
    injects: tuple[InjectEntry, ...] = ()
    faults: tuple[FaultEntry, ...] = Field(
        default=(), max_length=100, description="What goes wrong behind the sensors; no nation is told"
    )
    incident: IncidentEntry | None = None
    notices: dict[Id, NoticeEntry] = Field(default={}, description="Launches that were announced, and on what way")
    places: dict[Id, Place] = Field(default={})
    published: tuple[Published, ...] = ()
    sources: dict[Id, SourceEntry] = Field(default={})
    assumptions: tuple[Assumption, ...] = ()
    note: Text | None = None
