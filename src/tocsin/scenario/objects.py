"""What flies, as a scenario file gives it: by launch, by state, by a recorded table, as a satellite, as an aircraft.

An object has exactly one of these forms; the key that only one form has (``launch``, ``state``, ``table``, ``file``,
``satellite``, ``aircraft``) tells which.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, StringConstraints, Tag

from tocsin.scenario.parts import (
    Azimuth,
    DragTable,
    Duration,
    Id,
    Latitude,
    Longitude,
    Moment,
    NotNegative,
    Part,
    Positive,
    Site,
    Text,
)

MOST_TABLE = 2_000_000  # characters of a recorded table
Height = Annotated[float, Field(ge=150, le=400_000, description="Height")]
TableText = Annotated[
    str, StringConstraints(max_length=MOST_TABLE, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")
]


# ---- by launch -----------------------------------------------------------------------------------------------------


class EndPoint(Part):
    """Where a flight comes down."""

    lat_deg: Latitude
    lon_deg: Longitude


class OrbitEntry(Part):
    """The orbit that a space launch ends in; heights over the equator's radius."""

    perigee_km: float = Field(ge=100, le=400_000)
    apogee_km: float = Field(ge=100, le=400_000)
    inclination_deg: float = Field(ge=0, le=180)
    heading: Literal["north", "south"] = Field(default="north", description="Which way it goes when it gets there")
    raise_to_km: tuple[Height, Height] | None = Field(
        default=None, description="Perigee and apogee after a coast and a second burn"
    )


class LaunchEntry(Part):
    """Launched from a site. Where to: ``azimuth_deg`` and ``range_km``, or ``to``, or ``orbit``. How: ``apogee_km``,
    ``flight_time`` or ``shape``; a boost-glider needs none of them (``apogee_km`` may stand), a launch to orbit has
    none.
    """

    class_: Id = Field(alias="class")
    launch: Moment
    site: Site
    azimuth_deg: Azimuth | None = Field(default=None, description="Of the impact point, from the site")
    range_km: float | None = Field(default=None, gt=0, le=19_900, description="Over the ground, site to impact")
    to: EndPoint | None = Field(default=None, description="The impact point, instead of azimuth_deg and range_km")
    apogee_km: float | None = Field(default=None, gt=0, le=100_000, description="Greatest height")
    shape: Literal["minimum-energy", "lofted", "depressed"] | None = Field(
        default=None,
        description="Instead of apogee_km; or beside flight_time: which of two flights that take so long",
    )
    flight_time: Duration | None = Field(default=None, description="Launch to impact, such as 14 min")
    orbit: OrbitEntry | None = Field(default=None, description="For the family space-launch: where it goes instead")
    thrust_ends_s: float | None = Field(
        default=None,
        gt=0,
        le=7200,
        description="Thrust ends for good so long after launch, whatever was solved for; the flight ends elsewhere",
    )
    bank_deg: tuple[tuple[NotNegative, Annotated[float, Field(ge=-75, le=75)]], ...] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="For the family boost-glide: [s after the start of the glide, bank angle, positive to the right]",
    )
    loose: bool = Field(default=False, description="Whether what comes off (`loose` of its class) becomes objects")
    note: Text | None = None


# ---- by state ------------------------------------------------------------------------------------------------------


class StateValues(Part):
    """Where something is and how it moves, seen from the turning Earth."""

    at: Moment
    lat_deg: Latitude
    lon_deg: Longitude
    height_km: float = Field(ge=-0.5, le=100_000, description="Over the ellipsoid")
    speed_m_s: float = Field(ge=0, le=20_000, description="Against the turning Earth")
    azimuth_deg: Azimuth = Field(description="Where it goes")
    climb_deg: float = Field(default=0.0, ge=-90, le=90, description="How steeply; negative is down")


class StateEntry(Part):
    """In free flight from a state, until it comes down. A class gives the values that are left out, by its nominal
    ones.
    """

    class_: Id | None = Field(default=None, alias="class")
    state: StateValues
    beta_kg_m2: NotNegative | None = Field(default=None, description="Ballistic coefficient; 0 is no drag")
    drag_mach: DragTable | None = None
    rcs_m2: Positive | None = Field(default=None, description="Radar cross-section")
    lasts: Duration | None = Field(default=None, description="How long it flies at most; else to the scenario's end")
    note: Text | None = None


# ---- by a recorded table -------------------------------------------------------------------------------------------


class BurnEntry(Part):
    """When a plume is to be seen."""

    from_: Moment = Field(alias="from")
    to: Moment
    intensity_kw_sr: Positive = Field(description="Plume intensity in the 2.7 um band")


class _Recorded(Part):
    class_: Id | None = Field(default=None, alias="class")
    kind: Literal["flight", "aircraft"] = Field(default="flight", description="What the path is of")
    starts: Moment = Field(default="T+00:00", description="The moment at which t_s is 0")
    greatest_gap_s: float = Field(default=60.0, gt=0, le=3600, description="Between rows that may be bridged")
    rcs_m2: Positive | None = Field(default=None, description="Radar cross-section; else the class's nominal one")
    burns: tuple[BurnEntry, ...] = Field(default=(), max_length=20)
    note: Text | None = None


class TableEntry(_Recorded):
    """Along a recorded path."""

    table: TableText = Field(description="CSV: t_s,lat_deg,lon_deg,height_km (or height_m), times rising")


class FileEntry(_Recorded):
    """Along a recorded path that stands in a file of its own; it becomes a `table` on loading."""

    file: Text = Field(description="The CSV file of the table: a path from the scenario file's folder, in that folder")


# ---- satellites ----------------------------------------------------------------------------------------------------


class SatelliteValues(Part):
    """One of: ``tle``; ``omm``; ``orbit`` with its elements."""

    tle: Text | tuple[Text, ...] | None = Field(
        default=None, description="Two lines (a line with a name before them may stand)"
    )
    omm: dict[Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")], Text | float | int] | None = Field(
        default=None, max_length=100, description="Fields of an orbit mean-elements message, under their CCSDS names"
    )
    age_error: bool = Field(
        default=False,
        description="Whether it flies beside its element set, by an error that sets of that age have (drawn)",
    )
    orbit: Literal["geo", "ellipse"] | None = None
    longitude_deg: Longitude | None = Field(default=None, description="Slot of a geostationary satellite")
    perigee_km: Height | None = None
    apogee_km: Height | None = None
    inclination_deg: float | None = Field(default=None, ge=0, le=180)
    argp_deg: Azimuth | None = Field(default=None, description="Argument of perigee")
    raan_deg: Azimuth | None = Field(default=None, description="Right ascension of the ascending node at the epoch")
    mean_anomaly_deg: Azimuth | None = Field(default=None, description="At the epoch")
    apogee_longitude_deg: Longitude | None = Field(
        default=None, description="Instead of node and anomaly: longitude under the apogee"
    )
    apogee_at: Moment | None = Field(default=None, description="... and when the satellite is there")


class SatelliteEntry(Part):
    """A satellite, up for the whole scenario."""

    satellite: SatelliteValues
    rcs_m2: Positive = Field(description="Radar cross-section")
    note: Text | None = None


# ---- aircraft ------------------------------------------------------------------------------------------------------


class WaypointEntry(Part):
    """A point that an aircraft flies to."""

    lat_deg: Latitude
    lon_deg: Longitude
    height_km: float = Field(ge=-0.5, le=40, description="Over the ellipsoid")
    speed_m_s: float | None = Field(
        default=None, gt=0, le=2000, description="Over the ground, towards this point; else that of the point before"
    )


class AircraftValues(Part):
    """A route."""

    starts: Moment = Field(description="When it is at the first point")
    points: tuple[WaypointEntry, ...] = Field(min_length=2, max_length=1000)
    climb_m_s: float = Field(default=12.0, gt=0, le=500, description="Greatest rate of climb and descent")
    bank_deg: float = Field(default=25.0, gt=0, le=80, description="In which it turns")


class AircraftEntry(Part):
    """An aircraft along waypoints."""

    aircraft: AircraftValues
    rcs_m2: Positive = Field(description="Radar cross-section")
    note: Text | None = None


# ---- which it is ---------------------------------------------------------------------------------------------------

FORMS: dict[str, type[BaseModel]] = {
    "launch": LaunchEntry,
    "state": StateEntry,
    "table": TableEntry,
    "file": FileEntry,
    "satellite": SatelliteEntry,
    "aircraft": AircraftEntry,
}
ALLOWED = f"a mapping with one of {', '.join(FORMS)}: it says how the object moves"
_ALSO_LAUNCH = ("site", "azimuth_deg", "range_km", "to", "apogee_km")  # an object with these lost its `launch`


def form_of(entry: Any) -> str | None:
    """The form of an object, by the first key that only one form has; None for what has none."""
    if isinstance(entry, BaseModel):
        return next((form for form, model in FORMS.items() if type(entry) is model), None)
    if not isinstance(entry, dict):
        return None
    found = next((form for form in FORMS if form in entry), None)
    return found or ("launch" if any(key in entry for key in _ALSO_LAUNCH) else None)


def _tag(entry: Any) -> str | None:
    form = form_of(entry)
    return f"<{form}>" if form else None  # no key of a file looks like this, so that paths of faults stay clear


AnyEntry = Annotated[
    Annotated[LaunchEntry, Tag("<launch>")]
    | Annotated[StateEntry, Tag("<state>")]
    | Annotated[TableEntry, Tag("<table>")]
    | Annotated[FileEntry, Tag("<file>")]
    | Annotated[SatelliteEntry, Tag("<satellite>")]
    | Annotated[AircraftEntry, Tag("<aircraft>")],
    Discriminator(
        _tag, custom_error_type="form", custom_error_message="{allowed}", custom_error_context={"allowed": ALLOWED}
    ),
]
