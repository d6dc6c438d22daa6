"""The documented shape of ``summary.json``; its JSON Schema is made from it.

``python -m tocsin.measures.shapes`` prints the schema that stands in ``docs/reference/summary.schema.json``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tocsin.measures.incident import Incident

SCHEMA_ID = "https://tocsin.invalid/schema/summary-1.json"

Seconds = Annotated[float, Meta(description="seconds")]
MaybeSeconds = Annotated[
    float | None, Meta(description="seconds since the event's zero (see zero and zero_s); null: it did not happen")
]
Probability = Annotated[float, Meta(ge=0.0, le=1.0)]


class ObjectSummary(msgspec.Struct, frozen=True):
    """An object as it flew: truth. Null where it did not come down."""

    id: str
    class_: str = msgspec.field(name="class")
    launch_time: Annotated[str, Meta(description="UTC, ISO 8601")]
    impact_time: Annotated[str | None, Meta(description="UTC, ISO 8601; null: it did not come down")]
    launch_s: Annotated[float, Meta(description="seconds since the scenario's epoch")]
    flight_time_s: Seconds | None
    burnout_s: Annotated[float, Meta(description="end of thrust, seconds since launch")]
    apogee_km: float
    range_km: float | None
    launch_lat_deg: float
    launch_lon_deg: float
    impact_lat_deg: float | None
    impact_lon_deg: float | None


class EstimateSummary(msgspec.Struct, frozen=True):
    """An estimate as it stood in one version of the warning, and how far it was off."""

    version: int
    t_s: Annotated[float, Meta(description="when that version came to stand, seconds since the event's zero")]
    as_of_s: Annotated[float, Meta(description="time of its newest data, seconds since the event's zero")]
    basis: str
    p_impact: Probability
    kind: Literal["gaussian", "polygon", "none"]
    lat_deg: float | None
    lon_deg: float | None
    cov_enu_km2: Annotated[list[list[float]] | None, Meta(description="2 x 2, east and north")]
    at_s: Annotated[float | None, Meta(description="expected time, seconds since the event's zero")]
    at_sigma_s: float | None
    region50: Annotated[dict[str, Any] | None, Meta(description="GeoJSON, degrees")]
    region95: Annotated[dict[str, Any] | None, Meta(description="GeoJSON, degrees")]
    error_km: Annotated[
        float | None, Meta(description="length of the geodesic from the mean to the true point; null without either")
    ]
    time_error_s: Annotated[float | None, Meta(description="estimated minus true time")]
    inside50: Annotated[bool | None, Meta(description="whether region50 holds the true point; null without either")]
    inside95: Annotated[bool | None, Meta(description="whether region95 holds the true point; null without either")]


class Estimates(msgspec.Struct, frozen=True):
    """One kind of estimate at three moments."""

    first_warning: Annotated[
        EstimateSummary | None, Meta(description="in the first confirmed version; null if none was confirmed")
    ]
    burnout_60s: Annotated[
        EstimateSummary | None,
        Meta(description="in the version that stood 60 s after the object's true end of thrust; null if none did"),
    ]
    last: Annotated[EstimateSummary, Meta(description="in the last version")]


class AreaSummary(msgspec.Struct, frozen=True):
    """What a warning said of one area, and what was so."""

    area: str
    name: str
    kind: str
    max_p_impact: Probability
    last_p_impact: Probability
    above_1_percent: Annotated[bool, Meta(description="whether the probability of impact was ever 1 % or more")]
    below_1_percent_s: Annotated[
        float | None,
        Meta(description="from when it stayed under 1 % for good (first version if it always was); null: never"),
    ]
    excluded_s: Annotated[
        float | None, Meta(description="from when the nation's own limit counted it as excluded for good; null: never")
    ]
    passage_s: Annotated[float | None, Meta(description="true first passage over it, to the second; null: none")]
    impact_inside: Annotated[bool | None, Meta(description="whether the true impact lay in it; null for a false event")]


class Delays(msgspec.Struct, frozen=True):
    """Where the time went; the parts add up to total_s to the millisecond."""

    geometry_s: Annotated[
        float,
        Meta(
            description="launch to the first scan, by a sensor that fed the track behind the warning or could have, in"
            " which the true position was within the declared limits (radar: sector, elevation with 4/3 Earth, range;"
            " infrared: burning, over the cloud top, not behind the Earth), at the earliest such instant; the strength"
            " of the echo is not asked; at most until the first detection"
        ),
    ]
    detection_s: Annotated[float, Meta(description="from there to the first detection of the object used in the track")]
    confirmation_s: Annotated[float, Meta(description="from there to the confirmed track, way to the centre included")]
    processing_s: Annotated[
        float, Meta(description="confirmed track to confirmed warning; over a border both nations' share of it")
    ]
    sending_s: Annotated[float, Meta(description="on the way between nations")]
    decision_s: Annotated[float | None, Meta(description="confirmed warning to the public step; null without one")]
    total_s: Annotated[float, Meta(description="launch to alert_s, or to warning_s without an alert")]
    path: Annotated[list[str], Meta(description="nations it went through, first the one whose sensors saw it")]


class DecisionSummary(msgspec.Struct, frozen=True):
    """A step done for this warning."""

    post: str
    step: str
    action: str
    t_s: Annotated[float, Meta(description="when it was done, seconds since the event's zero")]
    by: str
    areas: list[str]
    text: str


class Event(msgspec.Struct, frozen=True):
    """A warning of a nation's own label, from its first version to its last."""

    warning: Annotated[str, Meta(description="uid")]
    object: Annotated[
        str | None,
        Meta(
            description="object by majority of the detections behind it (of its track, or of the track behind the"
            " partner's warning that fed it); null: a false one"
        ),
    ]
    zero: Annotated[Literal["launch", "epoch"], Meta(description="what *_s of this event counts from; false: epoch")]
    zero_s: Annotated[float, Meta(description="that zero, seconds since the scenario's epoch")]
    first_detection_s: MaybeSeconds
    track_confirmed_s: MaybeSeconds
    opened_s: Annotated[float, Meta(description="first version, confirmed or not")]
    warning_s: MaybeSeconds
    confirm_s: MaybeSeconds
    alert_s: MaybeSeconds
    warning_time_s: Annotated[
        dict[str, float | None],
        Meta(
            description="per defended area: from the first confirmed version to the true impact in it or first passage"
            " over it (negative: too late); null: no warning, or nothing came"
        ),
    ]
    source: Annotated[str, Meta(description='"own", or the partner whose word confirmed it (opened it, if not)')]
    sources: Annotated[list[str], Meta(description="nations whose sensors stood behind its last version")]
    status: Annotated[str, Meta(description="of the last version")]
    versions: int
    launch_estimate: Estimates
    impact_estimate: Estimates
    types: Annotated[dict[str, float], Meta(description="class to probability in the last version")]
    confidence: Annotated[Literal["no", "low", "medium", "high"], Meta(description="in the last version")]
    confidence_at_warning: Literal["no", "low", "medium", "high"] | None
    areas: list[AreaSummary]
    decisions: list[DecisionSummary]
    delays: Delays | None


class TrackedObject(msgspec.Struct, frozen=True):
    """How well one object was tracked, from the first detection of it by the nation's own sensors."""

    object: str
    from_s: Annotated[float, Meta(description="first frame at which it counts, seconds since the scenario's epoch")]
    completeness: Annotated[float, Meta(ge=0.0, le=1.0, description="share of its frames at which it had a track")]
    longest_share: Annotated[
        float,
        Meta(ge=0.0, le=1.0, description="share of its frames in the longest stretch under one number without a gap"),
    ]
    breaks: Annotated[int, Meta(description="gaps with a track before and after")]
    switches: Annotated[int, Meta(description="times at which its track's number became another")]
    tracks: Annotated[list[int], Meta(description="numbers of the tracks that followed it, in order")]
    rms_km: Annotated[float | None, Meta(description="root mean square error of position; null: never tracked")]
    over_sigma: Annotated[
        float | None, Meta(description="root mean square of that error over its stated 1-sigma; 1 is as stated")
    ]


class Tracking(msgspec.Struct, frozen=True):
    """A nation's confirmed and coasting tracks against the truth, at the frames' ends on whole seconds of the truth."""

    cutoff_km: Annotated[float, Meta(description="a track further off than this follows another object, or none")]
    frames: int
    gospa_km: Annotated[
        float,
        Meta(
            description="GOSPA (Rahmathullah and others 2017; p = 2, alpha = 2), root mean square over the frames; its"
            " square is the sum of the squares of the three parts that follow"
        ),
    ]
    localisation_km: Annotated[float, Meta(description="its part from errors of position")]
    missed_km: Annotated[float, Meta(description="its part from objects without a track")]
    false_km: Annotated[float, Meta(description="its part from tracks without an object")]
    completeness: Annotated[float | None, Meta(description="of all objects' frames; null: no object was ever detected")]
    longest_share: Annotated[float | None, Meta(description="mean over the objects; null: none")]
    breaks: int
    switches: int
    spurious: Annotated[float | None, Meta(description="share of the tracks' frames without an object; null: no track")]
    rms_km: float | None
    rms_km_s: Annotated[float | None, Meta(description="root mean square error of velocity")]
    over_sigma: float | None
    objects: Annotated[list[TrackedObject], Meta(description="those that the nation's own sensors ever detected")]


class Raid(msgspec.Struct, frozen=True):
    """All open warnings of a nation as one picture, when most were open (the last time it was drawn so)."""

    t_s: Annotated[float, Meta(description="seconds since the scenario's epoch")]
    open: int
    confirmed: int
    least: Annotated[int, Meta(description="real objects among them: no fewer, with 95 %")]
    most: Annotated[int, Meta(description="real objects among them: no more, with 95 %")]
    rate_per_min: float | None
    first_impact_s: Annotated[float | None, Meta(description="median, seconds since the scenario's epoch")]
    first_sigma_s: float | None
    last_impact_s: Annotated[float | None, Meta(description="median, seconds since the scenario's epoch")]
    last_sigma_s: float | None
    areas: Annotated[dict[str, float], Meta(description="expected number of impacts by area")]
    counts: Annotated[
        dict[str, int], Meta(description="how many of the warnings each sensor, and each partner, has a part in")
    ]


class Partner(msgspec.Struct, frozen=True):
    """A nation and its events, in the order in which they were opened."""

    id: str
    name: str
    events: list[Event]
    missed: Annotated[list[str], Meta(description="objects of which it had no confirmed warning")]
    false_warnings: Annotated[
        int, Meta(description="confirmed warnings of nothing that was launched (noise, a satellite, an aircraft)")
    ]
    tracking: Annotated[
        Tracking | None,
        Meta(description="how good its tracks were (label own); null in runs made before this was measured"),
    ] = None
    raid: Annotated[Raid | None, Meta(description="null: never more than one warning was open")] = None


class Stage(msgspec.Struct, frozen=True):
    """A published stage beside the simulated one, in seconds since the first launch. Nothing is tuned to it."""

    event: str
    matches: Annotated[str, Meta(description="what of the run it is set against; empty: nothing")]
    published_s: float
    precision_s: Annotated[float, Meta(description="how coarse the published time is")]
    simulated_s: float | None
    difference_s: Annotated[float | None, Meta(description="simulated minus published")]
    source: str


class Headline(msgspec.Struct, frozen=True):
    """The numbers one would say first, of what was launched as such (not of what came off it); times in seconds since
    the launch of the object concerned.
    """

    objects: int
    warned_objects: Annotated[int, Meta(description="objects of which at least one partner had a confirmed warning")]
    false_warnings: int
    first_detection_s: float | None
    first_warning_s: float | None
    first_warning_partner: str | None
    first_alert_s: float | None
    first_alert_partner: str | None
    longest_warning_time_s: Annotated[
        float | None,
        Meta(
            description="of the times to impact or passage (warning_time_s) of each partner's first confirmed warning"
            " of each launched object; what came off one does not count"
        ),
    ]
    shortest_warning_time_s: Annotated[float | None, Meta(description="likewise")]
    detections: int
    false_detections: int
    messages: int


class Summary(msgspec.Struct, frozen=True):
    """The result of a run of Tocsin. EXERCISE: simulation, analysis and training only."""

    format: Literal["tocsin-run/1"]
    exercise: Literal["EXERCISE"]
    scenario: str
    title: str
    seed: int
    version: str
    epoch_utc: str
    headline: Headline
    objects: list[ObjectSummary]
    partners: list[Partner]
    stages: list[Stage]
    incident: Annotated[
        Incident | msgspec.UnsetType, Meta(description="how far it went; only of scenarios that are incidents")
    ] = msgspec.UNSET


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``summary.json``. Within format 1 keys are only added, so unknown keys are allowed."""
    (out,), components = msgspec.json.schema_components([Summary], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "summary.json of a Tocsin run",
        **out,
        "$defs": components,
    }


if __name__ == "__main__":
    import json

    print(json.dumps(json_schema(), indent=2))
