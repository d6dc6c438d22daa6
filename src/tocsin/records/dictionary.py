"""What every table of a run folder holds: each column is declared here once, all else about it is made from that.

The Arrow schemas with their metadata, the checks on reading and ``docs/reference/data.md`` come from ``TABLES``.
Print the page with ``python -m tocsin.records.dictionary``. Columns carry units people use, spelled in the name; null
means that a value does not exist (not measured, not applicable, not known), never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import pyarrow as pa

ArrowType = Literal["string", "float64", "int32", "int64", "bool"]
FORMAT: Final = "tocsin-run/1"

FRAMES = {
    "wgs84": "geodetic latitude (north), longitude (east, -180 to 180) and height over the WGS 84 ellipsoid",
    "eci": "inertial, origin at the Earth's centre, coinciding with TEME of date (pole up, x to the mean equinox)",
    "enu": "east, north, up at the point in question (for a detection: at the radar)",
    "sensor": "the sensor's own axes in that scan: for a radar east, north, up at the site (azimuth from north,"
    " clockwise) and for a satellite the attitude of the scan, which stays fixed in space while it lasts",
    "utc": "Coordinated Universal Time",
    "epoch": "seconds since the scenario's epoch",
}


@dataclass(frozen=True)
class Column:
    """One column: name with its unit, Arrow type, unit ("" for none), frame ("" where there is none), meaning."""

    name: str
    type: ArrowType
    unit: str
    frame: str
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class TableSpec:
    """One table, file ``<name>.parquet``: what a ``row`` is, the ``order`` of the rows, who has ``sight`` of it."""

    name: str
    row: str
    order: str
    sight: str
    columns: tuple[Column, ...]


def _text(name: str, meaning: str, nullable: bool = False) -> Column:
    return Column(name, "string", "", "", meaning, nullable)


def _count(name: str, meaning: str, nullable: bool = False) -> Column:
    return Column(name, "int32", "1", "", meaning, nullable)


def _flag(name: str, meaning: str, nullable: bool = False) -> Column:
    return Column(name, "bool", "", "", meaning, nullable)


def _real(name: str, unit: str, frame: str, meaning: str, nullable: bool = False) -> Column:
    return Column(name, "float64", unit, frame, meaning, nullable)


def _time(name: str, meaning: str, nullable: bool = False) -> Column:
    return Column(name, "float64", "s", "epoch", meaning, nullable)


def _utc(meaning: str = "the same time as t_s, ISO 8601 with three decimals") -> Column:
    return Column("time_utc", "string", "", "utc", meaning)


def _states(of: str) -> tuple[Column, ...]:
    return tuple(_real(f"{axis}_eci_km", "km", "eci", f"{axis} of the position of {of}") for axis in "xyz") + tuple(
        _real(f"v{axis}_eci_km_s", "km/s", "eci", f"{axis} of the velocity of {of}") for axis in "xyz"
    )


def _place(of: str, height: str = "height_km") -> tuple[Column, ...]:
    prefix = height.removesuffix("height_km")
    return (
        _real(f"{prefix}lat_deg", "deg", "wgs84", f"latitude of {of}"),
        _real(f"{prefix}lon_deg", "deg", "wgs84", f"longitude of {of}"),
        _real(height, "km", "wgs84", f"height of {of}"),
    )


_NATION = _text("nation", "id of the nation that made or was given the row")
_LABEL = _text("label", 'release label of the pipeline: "own" (everything) or "to:<partner>" (released sensors only)')
_SENSOR = _text("sensor", "id of the sensor")
_SCAN = _count("scan", "number of the scan, counted per sensor")
_N = _count("n", "number of the detection within its scan, given after sorting by measurement")
_TRACK = _count("track", "number of the track, counted per pipeline (nation and label)")
_WARNING = _text("warning", 'uid of the warning, such as "japan/own/0" (nation, label, number)')
_VERSION = _count("version", "version of the warning; versions are only ever added")

TRUTH_ONLY = "truth: for measures and reports, never for a nation"
NATION_ONLY = "the nation named in the row"

TABLES: dict[str, TableSpec] = {
    table.name: table
    for table in (
        TableSpec(
            "flights",
            "an object as it flew: the solved flight and the numbers drawn for it",
            "as in the scenario",
            TRUTH_ONLY,
            (
                _text("object", "id of the object"),
                _text("class", "id of its true class"),
                _time("launch_s", "launch"),
                _time("cutoff_s", "end of thrust"),
                _time("apogee_s", "highest point"),
                _time("impact_s", "impact on the ellipsoid; null: it did not come down", True),
                _real("apogee_km", "km", "wgs84", "height of the highest point"),
                _real("range_km", "km", "wgs84", "length of the geodesic from launch to impact point", True),
                _real("launch_lat_deg", "deg", "wgs84", "latitude of the launch point"),
                _real("launch_lon_deg", "deg", "wgs84", "longitude of the launch point"),
                _real("impact_lat_deg", "deg", "wgs84", "latitude of the impact point", True),
                _real("impact_lon_deg", "deg", "wgs84", "longitude of the impact point", True),
                _text("drawn", "JSON: the class parameters drawn for this flight, SI and radians"),
                _text("kind", "as in objects"),
                _text("parent", "id of the object it came off, whose launch it shares; null: none", True),
            ),
        ),
        TableSpec(
            "objects",
            "something that moves: flights and what came off them, satellites, aircraft",
            "as in the scenario, each followed by what came off it",
            TRUTH_ONLY,
            (
                _text("object", "id of the object"),
                _text("kind", '"flight", "glide", "launch", "loose", "state", "recorded", "orbit" or "aircraft"'),
                _text("class", "id of its true class; null: it has none", True),
                _text("parent", "id of the object it came off; null: none", True),
                _time("start_s", "from when it exists"),
                _time("end_s", "until when: its impact, or the end of the scenario"),
                _text("facts", "JSON: what was drawn and solved for it, SI and radians"),
            ),
        ),
        TableSpec(
            "truth",
            "an object at a whole second of its flight",
            "t_s, then objects as in the scenario",
            TRUTH_ONLY,
            (
                _text("object", "id of the object"),
                _time("t_s", "time"),
                _utc(),
                *_place("the object"),
                *_states("the object"),
                _text("phase", '"boost", "coast", "re-entry" (falling, below 100 km), "glide", "orbit" or "air"'),
            ),
        ),
        TableSpec(
            "truth_links",
            "which object caused a detection",
            "as recorded, then sensor, scan, n",
            TRUTH_ONLY,
            (_SENSOR, _SCAN, _N, _text("object", "id of the object; null: a false detection", True)),
        ),
        TableSpec(
            "scans",
            "a look of a sensor at its whole field, also if nothing was found",
            "as recorded, then sensor, scan",
            NATION_ONLY,
            (
                _NATION,
                _SENSOR,
                _text("sensor_kind", '"radar" or "infrared"'),
                _SCAN,
                _time("t0_s", "start of the scan"),
                _time("t1_s", "end of the scan"),
                _time("arrive_s", "arrival at the nation's centre"),
                _utc("end of the scan, ISO 8601 with three decimals"),
                _text("region", '"sector": limits turn with the Earth; "view": about the attitude, fixed in space'),
                _real("azimuth_from_deg", "deg", "sensor", "start of the sector, clockwise", True),
                _real("azimuth_to_deg", "deg", "sensor", "end of the sector; same as the start: all round", True),
                _real("elevation_min_deg", "deg", "sensor", "least elevation", True),
                _real("elevation_max_deg", "deg", "sensor", "greatest elevation", True),
                _real("range_min_km", "km", "sensor", "least range", True),
                _real("range_max_km", "km", "sensor", "greatest range", True),
                _real("sensitivity", "km or kW/sr", "", "radar: range (km) at which 1 m2 is at the threshold;"
                      " infrared: least plume intensity (kW/sr)", True),
                _real("clutter_per_scan", "1", "", "declared mean number of false detections in such a scan", True),
                _text("status", 'declared: "up", "degraded" or "silent"'),
                *_place("the sensor at the start of the scan", "platform_height_km"),
                _count("n_detections", "detections delivered with the scan"),
            ),
        ),
        TableSpec(
            "detections",
            "a detection, true or false alike",
            "as recorded, then sensor, scan, n",
            NATION_ONLY,
            (
                _NATION,
                _SENSOR,
                _SCAN,
                _N,
                _time("t_s", "time of the look by the sensor's clock"),
                _utc(),
                _time("arrive_s", "arrival at the nation's centre"),
                _text("kind", 'what was measured: "range-azimuth-elevation", "range-azimuth-elevation-rate",'
                      ' "line-of-sight", "range-azimuth" or "plane"'),
                _real("range_km", "km", "sensor", "range", True),
                _real("azimuth_deg", "deg", "sensor", "azimuth, 0 to 360", True),
                _real("elevation_deg", "deg", "sensor", "elevation", True),
                _real("range_rate_km_s", "km/s", "sensor", "range rate, positive outwards", True),
                _real("sigma_range_km", "km", "sensor", "standard deviation of range as the sensor reports it", True),
                _real("sigma_azimuth_deg", "deg", "sensor", "standard deviation of azimuth as reported", True),
                _real("sigma_elevation_deg", "deg", "sensor", "standard deviation of elevation as reported", True),
                _real("snr_db", "dB", "", "measured signal-to-noise ratio", True),
                _real("intensity_kw_sr", "kW/sr", "", "infrared: measured intensity", True),
                _count("flags", "bits set by the sensor model; 0: nothing to remark"),
            ),
        ),
        TableSpec(
            "tracks",
            "a live track at the end of a frame (or a track that ended in it)",
            "as recorded (time of the frame, nation, pipeline), then track",
            NATION_ONLY,
            (
                _NATION,
                _LABEL,
                _TRACK,
                _time("t_s", "time of the state"),
                _utc(),
                _text("life", '"tentative", "confirmed", "coasting" or "ended"'),
                *_place("the estimated position"),
                *_states("the track"),
                _real("sigma_position_km", "km", "eci", "root of the trace of the position covariance", True),
                _real("sigma_velocity_km_s", "km/s", "eci", "root of the trace of the velocity covariance", True),
                _real("p_boost", "1", "", "probability of the boost model", True),
                _real("existence", "1", "", "probability that the track is of something real", True),
                _count("updates", "detections used so far"),
                _count("sensors", "number of sensors whose detections were used"),
                _time("last_update_s", "time of the last detection used"),
            ),
        ),
        TableSpec(
            "associations",
            "a detection given to a track (by the step in which it was given)",
            "as recorded, then as in the step",
            NATION_ONLY,
            (_NATION, _LABEL, _TRACK, _SENSOR, _SCAN, _N),
        ),
        TableSpec(
            "warnings",
            "a version of a warning",
            "as recorded (t_s, nation, pipeline)",
            NATION_ONLY,
            (
                _NATION,
                _LABEL,
                _WARNING,
                _VERSION,
                _time("t_s", "time from which the version stands"),
                _utc(),
                _text("status", '"opened", "updated", "confirmed", "downgraded", "cancelled" or "closed"'),
                _flag("confirmed", "whether the warning stands confirmed in this version"),
                _text("cause", "why this version was made"),
                _count("track", "track of the same pipeline it stands on; null: on a partner's word alone", True),
                _text("sources", "nations whose sensors stand behind it, comma-separated"),
                _text("partner", "uid of the partner's warning that fed it; null: none", True),
                _time("first_data_s", "time of the first data in it"),
                _time("burnout_s", "believed end of thrust; null: not seen or not known", True),
                _real("p_real", "1", "", "probability that it is of something real"),
                _text("confidence", '"no", "low", "medium" or "high"'),
                _text("types", "JSON: class id to probability"),
                _text("causes", "JSON: what it may be (real, or what false cause) to probability", True),
                _text("families", "JSON: what kind of thing it is to probability", True),
                _text("known", "id of the satellite in the nation's catalogue that it is; null: none", True),
            ),
        ),
        TableSpec(
            "estimates",
            "where and when of the launch or the impact, in one version of a warning",
            "as warnings, launch before impact",
            NATION_ONLY,
            (
                _NATION,
                _LABEL,
                _WARNING,
                _VERSION,
                _time("t_s", "time from which the version stands"),
                _text("what", '"launch" or "impact"'),
                _time("as_of_s", "time of the newest data in the estimate"),
                _text("basis", 'how it was made, such as "boost-fit", "coast" or "partner"'),
                _real("p_impact", "1", "", "probability that there is such a point at all (1 for launches)"),
                _text("kind", '"gaussian" (mean and covariance hold), "polygon" (only the regions hold) or "none"'),
                _real("lat_deg", "deg", "wgs84", "latitude of the mean", True),
                _real("lon_deg", "deg", "wgs84", "longitude of the mean", True),
                _real("cov_ee_km2", "km2", "enu", "variance to the east", True),
                _real("cov_en_km2", "km2", "enu", "covariance of east and north", True),
                _real("cov_nn_km2", "km2", "enu", "variance to the north", True),
                _time("at_s", "expected time of the launch or impact", True),
                _real("at_sigma_s", "s", "", "standard deviation of that time", True),
                _real("cov_et_km_s", "km s", "enu", "covariance of east and time", True),
                _real("cov_nt_km_s", "km s", "enu", "covariance of north and time", True),
                _text("region50", "GeoJSON text (degrees): region that holds the point with probability 0.5", True),
                _text("region95", "GeoJSON text (degrees): region that holds the point with probability 0.95", True),
            ),
        ),
        TableSpec(
            "risks",
            "an area in one version of a warning",
            "as warnings, then as in the warning",
            NATION_ONLY,
            (
                _NATION,
                _LABEL,
                _WARNING,
                _VERSION,
                _time("t_s", "time from which the version stands"),
                _text("area", "id of the area"),
                _real("p_impact", "1", "", "probability of impact inside"),
                _real("p_passage", "1", "", "probability of flying over it at any height"),
                _time("at_s", "expected time of impact or first passage; null: neither is likely", True),
                _flag("excluded", "the probability of impact is below the nation's limit"),
            ),
        ),
        TableSpec(
            "evidence",
            "what one sensor says in one version of a warning",
            "as warnings, then as in the warning",
            NATION_ONLY,
            (
                _NATION,
                _LABEL,
                _WARNING,
                _VERSION,
                _time("t_s", "time from which the version stands"),
                _text("sensor_kind", '"radar", "infrared", "over-horizon", or "notice" (of a launch)'),
                _text("sensor", "id of the sensor, or of the notice"),
                _text(
                    "state",
                    '"agrees", "disagrees" or "not_yet" (it could not have looked); of a notice "announced" or '
                    '"other launch"',
                ),
                _time("could_from_s", "from when it can look; null: never, or always could", True),
                _text("source_chain", "nations through which it came, owner of the sensor first, comma-separated"),
                _count("looks", "how often it has looked where the object was; null: not said", True),
                _count("detections", "how often it found it then; null: not said", True),
                _real("weight", "1", "", "log10 of the odds that it adds for something real", True),
            ),
        ),
        TableSpec(
            "raids",
            "all open warnings of a nation as one picture, where there are several and it has changed",
            "as recorded",
            NATION_ONLY,
            (
                _NATION,
                _time("t_s", "time from which the picture stands"),
                _utc(),
                _count("open", "open warnings"),
                _count("confirmed", "of them confirmed"),
                _real("expected", "1", "", "expected number of real objects among them"),
                _count("least", "real objects: no fewer, with 95 %"),
                _count("most", "real objects: no more, with 95 %"),
                _real("rate_per_min", "1", "", "launches a minute; null: fewer than two", True),
                _time("first_impact_s", "median time of the first impact", True),
                _real("first_sigma_s", "s", "", "half the width of the middle 68 % of it", True),
                _time("last_impact_s", "median time of the last impact", True),
                _real("last_sigma_s", "s", "", "half the width of the middle 68 % of it", True),
                _text("areas", "JSON: area to expected number of impacts in it"),
                _text("counts", "JSON: sensor, or partner, to how many of the warnings it has a part in"),
            ),
        ),
        TableSpec(
            "messages",
            "a message between nations, with what became of it",
            "sent_s, sender, recipient, n",
            "control; sender and recipient their own part",
            (
                _text("sender", "nation that sent it"),
                _text("recipient", "nation it is for"),
                _count("n", "number of the message, counted per sender and recipient"),
                _text("kind", 'what it carries: "warning"'),
                _time("sent_s", "when it was sent"),
                _time("arrive_s", "when it arrived; null: it did not arrive in this run", True),
                _text("outcome", '"received", "lost", or "sent" (still on the way when the run ended)'),
                _text("warning", "uid of the warning it carries", True),
                _count("version", "version of the warning it carries", True),
                _text("exercise", 'always "EXERCISE"'),
            ),
        ),
        TableSpec(
            "decisions",
            "a step done at a command post",
            "as recorded (t_s, nation)",
            NATION_ONLY,
            (
                _NATION,
                _text("post", "id of the post"),
                _text("step", "id of the step in its doctrine"),
                _text("action", '"confirm", "inform", "exclude", "stand-down", "note" or another'),
                _WARNING,
                _VERSION,
                _time("due_s", "when its condition came to hold"),
                _time("t_s", "when it was done"),
                _utc(),
                _real("took_s", "s", "", "time it took from due to done"),
                _text("by", '"doctrine", or the person in the seat'),
                _text("areas", "ids of the areas concerned, comma-separated"),
                _text("text", "what was said"),
            ),
        ),
        TableSpec(
            "events",
            "a sparse record of any kind, in a line",
            "as recorded: time, phase, source, n",
            "as its audience says",
            (
                _time("t_s", "time"),
                _utc(),
                _text("source", 'who made it: "world", "nation:<id>", "link:<a>><b>", "control" ...'),
                Column("n", "int64", "1", "", "number of the record within its source; (source, n) is its identity"),
                _text("kind", 'kind of the record, such as "truth.event", "track.event", "warning" or "decision"'),
                _text("audience", "who may see it, comma-separated"),
                _text("label", "release label of the pipeline it came from; empty: none"),
                _text("subject", "what it is about: an object, a track, a warning, a sensor, a message"),
                _text("what", "what happened, in a word"),
                _text("text", "the rest, in a line for people"),
            ),
        ),
        TableSpec(
            "inputs",
            "an outside event that was accepted; replaying them gives the same run",
            "applies_s, then as accepted",
            "control",
            (
                _text("id", "id of the input, unique in the run"),
                _text("branch", "branch it belongs to"),
                _text("seat", "seat it came from"),
                _text("person", "who sat there"),
                _text("act", '"inject", "decide", "seat.take", "seat.release" or "rate"'),
                _count("v", "version of the body's shape"),
                _time("applies_s", "frame edge at which it applies; to the nanosecond for runs under twenty days"),
                _text("body", "JSON: its content"),
            ),
        ),
    )
}  # fmt: skip


@cache
def schema(table: str) -> pa.Schema:
    """Arrow schema of a table; unit, frame and meaning are metadata of each field. KeyError for an unknown name."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "float64": pa.float64(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
    }
    spec = TABLES[table]
    fields = [
        pa.field(
            c.name,
            kinds[c.type],
            nullable=c.nullable,
            metadata={"unit": c.unit, "frame": c.frame, "meaning": c.meaning},
        )
        for c in spec.columns
    ]
    return pa.schema(fields, metadata={"format": FORMAT, "table": spec.name, "row": spec.row, "order": spec.order})


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def page() -> str:
    """The data dictionary as Markdown."""
    out = [
        "# The tables of a run",
        "",
        "A run folder holds these tables as Parquet (zstd), with unit, frame and meaning in the columns' metadata.",
        "This page is made from the same declaration: `python -m tocsin.records.dictionary > docs/reference/data.md`.",
        "",
        "- A unit stands in the column's name. `*_s` without more is seconds since the scenario's epoch.",
        "- Null means that a value does not exist (not measured, not applicable, not known), never zero.",
        "- Within format `tocsin-run/1` tables and columns are only added.",
        "- Everything here is EXERCISE: simulation, analysis and training.",
        "",
        "## Frames",
        "",
        "| frame | meaning |",
        "|---|---|",
        *(f"| {name} | {_cell(meaning)} |" for name, meaning in FRAMES.items()),
    ]
    for spec in TABLES.values():
        out += [
            "",
            f"## {spec.name}",
            "",
            f"A row is {spec.row}. Sorted by: {spec.order}. Seen by: {spec.sight}.",
            "",
            "| column | type | unit | frame | null | meaning |",
            "|---|---|---|---|---|---|",
        ]
        for c in spec.columns:
            null = "yes" if c.nullable else ""
            out.append(f"| `{c.name}` | {c.type} | {_cell(c.unit)} | {c.frame} | {null} | {_cell(c.meaning)} |")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    print(page(), end="")
