"""The bundled public data: sensors with the source of every value, generic classes; and complete entries turned into
specs.

``data/sensors.yaml`` is large, so a scenario reads only the entries it names: an entry starts at the third column, and
its lines are a YAML document of their own. The whole file is read by those who list the catalogue, and by the tests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from tocsin.scenario import moments, specs
from tocsin.scenario.faults import ScenarioError
from tocsin.scenario.yaml12 import Document

DATA = Path(__file__).parent / "data"
_ENTRY = re.compile(r"^  ([A-Za-z0-9][A-Za-z0-9_-]*):(.*)$", re.MULTILINE)
_SECTION = re.compile(r"^([a-z]+):[ \t]*$", re.MULTILINE)

Theta = Callable[[int], float]

MU = 3.986004418e14  # m3/s2, WGS 84
EQUATOR = 6_378_137.0  # m, WGS 84
J2 = 1.082629821e-3  # WGS 84, from C20 = -4.84165371736e-4
LIGHT = 299_792_458.0  # m/s
BOLTZMANN = 1.380649e-23  # J/K
TURN = 7.292115855306589e-5  # rad/s, mean sidereal rate (Aoki et al. 1982), as in earth.frames


@dataclass(frozen=True)
class Value:
    """A value and what it rests on.

    ``status``: "published", "recollected", "derived", "notional" or "scenario" (given in the scenario itself);
    ``confidence``: "high", "medium", "low", "notional" or "" (the scenario does not say).
    """

    value: Any
    status: str
    source: tuple[str, ...]
    confidence: str
    why: str = ""


@dataclass(frozen=True)
class Entry:
    """A sensor or a family of the catalogue. ``needs``: what a scenario must add before it can stand in one ("*": it
    never can).
    """

    id: str
    name: str
    kind: str
    family: str
    country: str
    state: Value | None
    usable: bool
    reason: str
    needs: tuple[str, ...]
    note: str
    values: dict[str, Value]


# ---- reading single entries ----------------------------------------------------------------------------------------


@cache
def _index(file: str) -> tuple[str, dict[str, dict[str, tuple[int, int]]]]:
    """The text of a data file, and for each section where each entry's lines stand."""
    text = (DATA / file).read_text(encoding="utf-8")
    marks = [(m.start(), m.group(1)) for m in _SECTION.finditer(text)]
    sections: dict[str, dict[str, tuple[int, int]]] = {}
    for (start, name), end in zip(marks, [m[0] for m in marks[1:]] + [len(text)], strict=True):
        found = list(_ENTRY.finditer(text, start, end))
        stops = [m.start() for m in found[1:]] + [end]
        sections[name] = {m.group(1): (m.start(), stop) for m, stop in zip(found, stops, strict=True)}
    return text, sections


def _read(file: str, section: str, id: str) -> dict[str, Any]:
    text, sections = _index(file)
    start, stop = sections[section][id]
    document = Document(file, text[start:stop])
    if document.faults:  # the file is bundled: its tests see to it that this cannot happen
        raise ScenarioError(document.faults)
    return dict(document.plain[id])


def read_whole(file: str) -> dict[str, Any]:
    """A whole data file as plain data (slow: a quarter of a second for the sensors)."""
    document = Document(file, (DATA / file).read_text(encoding="utf-8"))
    if document.faults:
        raise ScenarioError(document.faults)
    return dict(document.plain)


def sensor_ids() -> tuple[str, ...]:
    """Ids of all sensors of the catalogue, in its order."""
    return tuple(_index("sensors.yaml")[1]["sensors"])


def family_ids() -> tuple[str, ...]:
    """Ids of all families."""
    return tuple(_index("sensors.yaml")[1]["families"])


def class_ids() -> tuple[str, ...]:
    """Ids of all bundled classes."""
    return tuple(_index("classes.yaml")[1]["classes"])


def source_keys() -> tuple[str, ...]:
    """Keys of all sources that the catalogue's values name."""
    return tuple(_index("sensors.yaml")[1]["sources"])


@cache
def source(key: str) -> dict[str, Any]:
    """Title (and url) of a source of the catalogue; KeyError for an unknown one."""
    return _read("sensors.yaml", "sources", key)


@cache
def class_entry(id: str) -> dict[str, Any]:
    """Plain data of a bundled class; KeyError for an unknown one."""
    return _read("classes.yaml", "classes", id)


def _value(data: Mapping[str, Any]) -> Value:
    return Value(data["value"], data["status"], tuple(data["source"]), data["confidence"], data.get("why", ""))


@cache
def family(id: str) -> Entry:
    """A family of sensors; KeyError for an unknown one."""
    data = _read("sensors.yaml", "families", id)
    values = {key: _value(value) for key, value in data.get("values", {}).items()}
    return Entry(id, data["title"], data["kind"], id, "", None, True, "", (), "", values)


@cache
def sensor(id: str) -> Entry:
    """A sensor with its family's values under its own; KeyError for an unknown one."""
    data = _read("sensors.yaml", "sensors", id)
    base = family(data["family"])
    values = {**base.values, **{key: _value(value) for key, value in data.get("values", {}).items()}}
    return Entry(
        id,
        data["name"],
        base.kind,
        data["family"],
        data["country"],
        _value(data["state"]),
        data["usable"],
        data.get("reason", ""),
        tuple(data.get("needs", ())),
        data.get("note", ""),
        values,
    )


def kind_of(id: str) -> str:
    """The kind of a sensor or family; KeyError for an unknown one."""
    return (sensor(id) if id in _index("sensors.yaml")[1]["sensors"] else family(id)).kind


# ---- sensors -------------------------------------------------------------------------------------------------------

BOTH_FIELDS = ("false_per_scan", "scan_period_s", "latency_s")
RADAR_FIELDS = (
    "lat_deg", "lon_deg", "height_m", "faces_azimuth_deg", "face_tilt_deg", "sector_deg", "elevation_deg", "range_km",
    "reference_range_km", "reference_snr_db", "frequency_mhz", "beam_deg", "bandwidth_mhz", "pfa", "sigma_range_m",
    "sigma_angle_deg", "doppler", "sigma_rate_m_s",
)  # fmt: skip
ORBIT_FIELDS = (
    "orbit", "longitude_deg", "perigee_km", "apogee_km", "inclination_deg", "argp_deg", "raan_deg", "mean_anomaly_deg",
    "apogee_longitude_deg", "apogee_at",
)  # fmt: skip
INFRARED_FIELDS = (
    *ORBIT_FIELDS, "least_intensity_kw_sr", "threshold_snr", "reference_distance_km", "cloud_top_km",
    "sigma_pointing_urad", "sigma_floor_urad", "limb_km",
)  # fmt: skip
OVER_HORIZON_FIELDS = (
    "lat_deg", "lon_deg", "height_m", "sector_deg", "range_km", "reference_range_km", "reference_rcs_m2",
    "reference_snr_db", "greatest_height_km", "sigma_range_m", "sigma_azimuth_deg", "pfa",
)  # fmt: skip
# what no sensor has unless it says so
RADAR_OPTIONS = (
    "equation", "swerling", "fence_deg", "track_period_s", "dwell_s", "search_share", "resolution", "refraction_mrad",
    "terrain_deg", "scheduling", "bias",
)  # fmt: skip
INFRARED_OPTIONS = (
    "staring", "sun_exclusion_deg", "glint_lobe_deg", "glint_intensity_kw_sr", "glint_fields", "least_body_kw_sr",
    "bias",
)  # fmt: skip
OVER_HORIZON_OPTIONS = ("availability", "spell_s", "bias")
GLINT_FIELDS = ("glint_lobe_deg", "glint_intensity_kw_sr", "glint_fields")
_NEEDED = {"radar": RADAR_FIELDS, "infrared": INFRARED_FIELDS, "over-horizon": OVER_HORIZON_FIELDS}
FIELDS = {
    "radar": RADAR_FIELDS + BOTH_FIELDS + RADAR_OPTIONS,
    "infrared": INFRARED_FIELDS + BOTH_FIELDS + INFRARED_OPTIONS,
    "over-horizon": OVER_HORIZON_FIELDS + BOTH_FIELDS + OVER_HORIZON_OPTIONS,
}
KINDS = {"radar": "a radar", "infrared": "an infrared satellite", "over-horizon": "an over-the-horizon radar"}
# what a bias of each kind may hold, in the order of its measurements
BIAS_FIELDS = {
    "radar": ("range_m", "azimuth_deg", "elevation_deg", "rate_m_s"),
    "infrared": ("azimuth_deg", "elevation_deg"),
    "over-horizon": ("range_m", "azimuth_deg"),
}
# what a sensor that is given from nothing may leave out
_DEFAULTS: dict[str, Any] = {
    "height_m": 0.0,
    "doppler": False,
    "sigma_rate_m_s": 50.0,
    "face_tilt_deg": 20.0,
}
_FACE_WIDTH_DEG = 120.0  # what one face of a phased array usually covers
Problem = tuple[str, str, str]  # field, found, allowed


def orbit_needs(orbit: str, given: Collection[str]) -> list[str]:
    """Fields that an orbit "geo" or "ellipse" needs, by what else is ``given``: those of the one or the other way to
    say where on an ellipse the satellite is.
    """
    if orbit == "geo":
        return ["longitude_deg"]
    by_elements = "raan_deg" in given or "mean_anomaly_deg" in given
    where = ["raan_deg", "mean_anomaly_deg"] if by_elements else ["apogee_longitude_deg", "apogee_at"]
    return ["perigee_km", "apogee_km", "inclination_deg", "argp_deg", *where]


def needed(kind: str, values: Mapping[str, Value]) -> list[str]:
    """Fields that a model of this kind needs and that are not there."""
    if kind != "infrared":
        need = [f for f in _NEEDED[kind] + BOTH_FIELDS if f != "faces_azimuth_deg"]
    else:
        need = [f for f in INFRARED_FIELDS if f not in ORBIT_FIELDS] + [*BOTH_FIELDS, "orbit"]
        if "orbit" in values:
            need += orbit_needs(values["orbit"].value, values)
    return [f for f in need if f not in values and f not in _DEFAULTS]


def completed(kind: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """``values`` with the defaults of what may be left out, and the faces that the sector asks for."""
    made = dict(values)
    defaults = dict(_DEFAULTS)
    if kind == "infrared" and values["orbit"].value == "geo":
        defaults["inclination_deg"] = 0.0
    for name in _NEEDED[kind] + BOTH_FIELDS:
        if name not in made and name in defaults:
            made[name] = Value(defaults[name], "notional", ("notional",), "notional", "default of the program")
    if kind == "radar" and "faces_azimuth_deg" not in made and "sector_deg" in made:
        start, end = made["sector_deg"].value
        width = (end - start) % 360.0 or 360.0
        n = max(1, math.ceil(width / _FACE_WIDTH_DEG - 1e-9))
        faces = tuple((start + width * (k + 0.5) / n) % 360.0 for k in range(n))
        made["faces_azimuth_deg"] = Value(
            faces, "derived", ("derived",), "low", "the sector in equal parts of at most 120 deg"
        )
    return made


def orbit_problems(values: Mapping[str, Any]) -> list[Problem]:
    """What is wrong between the plain values of an orbit that are each right."""
    found: list[Problem] = []
    if values.get("orbit") == "ellipse":
        if "perigee_km" in values and "apogee_km" in values and values["perigee_km"] > values["apogee_km"]:
            low, high = values["perigee_km"], values["apogee_km"]
            found.append(("perigee_km", f"{low:g} over an apogee of {high:g}", "a perigee under the apogee"))
        if "apogee_longitude_deg" in values and ("raan_deg" in values or "mean_anomaly_deg" in values):
            either = "either apogee_longitude_deg and apogee_at, or raan_deg and mean_anomaly_deg"
            found.append(("apogee_longitude_deg", "both it and elements", either))
    return found


def problems(kind: str, values: Mapping[str, Value]) -> list[Problem]:
    """What is wrong between values that are each right."""
    found: list[Problem] = []

    def pair(name: str, least: float, most: float) -> None:
        if name in values:
            low, high = values[name].value
            if not least <= low < high <= most:
                found.append((name, f"[{low:g}, {high:g}]", f"two growing values from {least:g} to {most:g}"))

    if "bias" in values:
        found += bias_problems(kind, values["bias"].value)
    if kind == "over-horizon":
        pair("range_km", 1.0, 19_900.0)  # over the ground, and the nearest is never under the radar itself
    if kind == "radar":
        pair("range_km", 0.0, 60_000.0)
        pair("elevation_deg", -5.0, 90.0)
        pair("fence_deg", -5.0, 90.0)
        if "beam_deg" in values and max(values["beam_deg"].value) > 90:
            found.append(("beam_deg", str(list(values["beam_deg"].value)), "widths up to 90 deg"))
        found += _search_problems(values)
    if kind != "infrared":
        return found
    glint = [name for name in GLINT_FIELDS if name in values and values[name].value]
    if glint and len(glint) < len(GLINT_FIELDS):
        found.append(
            (glint[0], "only " + " and ".join(glint), "all of them over 0, or none: " + ", ".join(GLINT_FIELDS))
        )
    found += orbit_problems({name: values[name].value for name in ORBIT_FIELDS if name in values})
    if "sigma_floor_urad" in values and "sigma_pointing_urad" in values:
        low, high = values["sigma_floor_urad"].value, values["sigma_pointing_urad"].value
        if low > high:
            found.append(("sigma_floor_urad", f"{low:g} over sigma_pointing_urad {high:g}", "a floor under it"))
    return found


def bias_problems(kind: str, bias: Mapping[str, Any]) -> list[Problem]:
    """What of a plain bias this kind of sensor does not measure."""
    found: list[Problem] = []
    allowed = BIAS_FIELDS[kind]
    for where, part in (("bias.", bias), ("bias.slow.", bias.get("slow", {}))):
        for name in part:
            if name not in (*allowed, "slow", "tau_s"):
                found.append((where + name, f"'{name}' for {KINDS[kind]}", ", ".join(allowed)))
    return found


def _search_problems(values: Mapping[str, Value]) -> list[Problem]:
    """What is wrong with how a radar searches: a fence outside its elevations, looks longer than a scan, a mask whose
    azimuths do not rise.
    """
    plain = {name: value.value for name, value in values.items()}
    found: list[Problem] = []
    if "fence_deg" in plain and "elevation_deg" in plain:
        (low, high), (least, most) = plain["fence_deg"], plain["elevation_deg"]
        if low < high and not least <= low < high <= most:
            found.append(
                ("fence_deg", f"[{low:g}, {high:g}]", f"elevations within elevation_deg [{least:g}, {most:g}]")
            )
    if plain.get("dwell_s", 0.0) > plain.get("scan_period_s", math.inf):
        said = f"{plain['dwell_s']:g} over scan_period_s {plain['scan_period_s']:g}"
        found.append(("dwell_s", said, "looks no longer than a scan"))
    azimuths = [azimuth for azimuth, _ in plain.get("terrain_deg", ())]
    if any(b <= a for a, b in pairwise(azimuths)) or (len(azimuths) > 1 and azimuths[-1] - azimuths[0] >= 360.0):
        found.append(
            ("terrain_deg", "azimuths that do not rise", "[azimuth, elevation] pairs, azimuths rising under 360")
        )
    return found


def _rad(degrees: float) -> float:
    return math.radians(degrees)


def _longitude(degrees: float) -> float:
    return math.remainder(math.radians(degrees), 2.0 * math.pi)


def _turn(radians: float) -> float:
    return math.fmod(math.fmod(radians, 2.0 * math.pi) + 2.0 * math.pi, 2.0 * math.pi)


def geostationary_radius() -> float:
    """Mean semi-major axis (m) of a satellite over the equator that turns with the Earth, secular J2 included."""
    a = (MU / TURN**2) ** (1.0 / 3.0)
    for _ in range(5):
        # without inclination, anomaly, perigee and node drift by 1.5, 3 and -1.5 J2 (equator / a)^2 of the mean motion
        n = TURN / (1.0 + 3.0 * J2 * (EQUATOR / a) ** 2)
        a = (MU / n**2) ** (1.0 / 3.0)
    return float(a)


def orbit(values: Mapping[str, Any], start_unix_ns: int, theta: Theta) -> specs.Orbit:
    """Elements at the epoch of complete plain ``values``; ``theta``: sidereal angle (rad) at ns since 1970."""
    if values["orbit"] == "geo":
        # inclined slots cross the equator northwards at the epoch: node and satellite both at the slot
        at = _turn(_longitude(values["longitude_deg"]) + theta(start_unix_ns))
        return specs.Orbit(geostationary_radius(), 0.0, _rad(values["inclination_deg"]), at, 0.0, 0.0)
    low, high = EQUATOR + values["perigee_km"] * 1e3, EQUATOR + values["apogee_km"] * 1e3
    a, e = 0.5 * (low + high), (high - low) / (high + low)
    i, argp = _rad(values["inclination_deg"]), _rad(values["argp_deg"])
    if "apogee_longitude_deg" in values:
        since = moments.moment_ns(values["apogee_at"], start_unix_ns)
        n = math.sqrt(MU / a**3)
        g = 0.75 * J2 * (EQUATOR / (a * (1.0 - e * e))) ** 2 * n  # secular drifts by J2 (Vallado 2013, section 9.6)
        m_rate = n + g * math.sqrt(1.0 - e * e) * (3.0 * math.cos(i) ** 2 - 1.0)
        u = argp + math.pi + g * (5.0 * math.cos(i) ** 2 - 1.0) * since / 1e9  # argument of latitude of the apogee
        ahead = math.atan2(math.cos(i) * math.sin(u), math.cos(u))  # right ascension of the apogee from the node
        raan = _longitude(values["apogee_longitude_deg"]) + theta(start_unix_ns + since) - ahead
        raan += 2.0 * g * math.cos(i) * since / 1e9
        return specs.Orbit(a, e, i, _turn(raan), _turn(argp), _turn(math.pi - m_rate * since / 1e9))
    return specs.Orbit(a, e, i, _rad(values["raan_deg"]), argp, _rad(values["mean_anomaly_deg"]))


def radar_range_km(equation: Mapping[str, Any], frequency_mhz: float, snr_db: float) -> float:
    """Where 1 m2 on boresight gives ``snr_db`` in one look: (P T G A / ((4 pi)^2 k Ts L SNR))^(1/4), as
    ``sensing.radar.radar_range`` has it. Source: Skolnik, Radar Handbook, 3rd ed., ch. 1.
    """
    wavelength = LIGHT / (frequency_mhz * 1e6)
    area, gain_db = equation.get("aperture_m2"), equation.get("gain_db")
    gain = 4.0 * math.pi * (area or 0.0) / wavelength**2 if gain_db is None else 10.0 ** (gain_db / 10.0)
    area = gain * wavelength**2 / (4.0 * math.pi) if area is None else area
    energy = equation["power_kw"] * 1e3 * equation["dwell_s"] * gain * area
    noise = BOLTZMANN * equation.get("temperature_k", 290.0) * 10.0 ** (equation.get("loss_db", 0.0) / 10.0)
    return float((energy / ((4.0 * math.pi) ** 2 * noise * 10.0 ** (snr_db / 10.0))) ** 0.25 / 1e3)


def bias(kind: str, plain: Mapping[str, Any] | None) -> specs.Bias:
    """A plain bias in SI, in the order of the measurements of this kind of sensor."""
    if plain is None:
        return specs.NO_BIAS

    def four(part: Mapping[str, Any]) -> tuple[float, float, float, float]:
        made = [_rad(part.get(f, 0.0)) if f.endswith("_deg") else float(part.get(f, 0.0)) for f in BIAS_FIELDS[kind]]
        a, b, c, d = (*made, 0.0, 0.0)[:4] if len(made) == 2 else made
        return a, b, c, d

    return specs.Bias(four(plain), four(plain.get("slow", {})), float(plain.get("tau_s", specs.NO_BIAS.tau)))


def _sector(values: Mapping[str, Any]) -> tuple[float, float]:
    """Azimuth from, to (rad); from == to is all round."""
    start, end = values["sector_deg"]
    return (0.0, 0.0) if (end - start) % 360.0 == 0.0 else (_turn(_rad(start)), _turn(_rad(end)))


def _over_horizon(values: Mapping[str, Any]) -> specs.OverHorizon:
    return specs.OverHorizon(
        lat=_rad(values["lat_deg"]),
        lon=_longitude(values["lon_deg"]),
        h=float(values["height_m"]),
        sector=_sector(values),
        range_min=values["range_km"][0] * 1e3,
        range_max=values["range_km"][1] * 1e3,
        reference_range=values["reference_range_km"] * 1e3,
        reference_rcs=float(values["reference_rcs_m2"]),
        reference_snr=10.0 ** (values["reference_snr_db"] / 10.0),
        greatest_height=values["greatest_height_km"] * 1e3,
        sigma_range=float(values["sigma_range_m"]),
        sigma_azimuth=_rad(values["sigma_azimuth_deg"]),
        pfa=float(values["pfa"]),
        false_per_scan=float(values["false_per_scan"]),
        scan_period=float(values["scan_period_s"]),
        latency=float(values["latency_s"]),
        availability=float(values.get("availability", 1.0)),
        spell=float(values.get("spell_s", 1800.0)),
        bias=bias("over-horizon", values.get("bias")),
    )


def model(
    kind: str, values: Mapping[str, Any], start_unix_ns: int, theta: Theta
) -> specs.Radar | specs.Infrared | specs.OverHorizon:
    """Complete plain values (see ``completed``) in SI."""
    if kind == "over-horizon":
        return _over_horizon(values)
    if kind == "infrared":
        return specs.Infrared(
            orbit=orbit(values, start_unix_ns, theta),
            scan_period=float(values["scan_period_s"]),
            least_intensity=values["least_intensity_kw_sr"] * 1e3,
            threshold_snr=float(values["threshold_snr"]),
            reference_distance=values["reference_distance_km"] * 1e3,
            cloud_top=values["cloud_top_km"] * 1e3,
            sigma_pointing=values["sigma_pointing_urad"] * 1e-6,
            sigma_floor=values["sigma_floor_urad"] * 1e-6,
            false_per_scan=float(values["false_per_scan"]),
            latency=float(values["latency_s"]),
            limb=values["limb_km"] * 1e3,
            staring=bool(values.get("staring", False)),
            sun_exclusion=_rad(values.get("sun_exclusion_deg", 0.0)),
            glint_lobe=_rad(values.get("glint_lobe_deg", 0.0)),
            glint_intensity=values.get("glint_intensity_kw_sr", 0.0) * 1e3,
            glint_fields=float(values.get("glint_fields", 0.0)),
            least_body=values.get("least_body_kw_sr", 0.0) * 1e3,
            bias=bias(kind, values.get("bias")),
        )
    fence = values.get("fence_deg")
    tilt = _rad(values["face_tilt_deg"])
    return specs.Radar(
        lat=_rad(values["lat_deg"]),
        lon=_longitude(values["lon_deg"]),
        h=float(values["height_m"]),
        boresights=tuple((_turn(_rad(azimuth)), tilt) for azimuth in values["faces_azimuth_deg"]),
        sector=_sector(values),
        el_min=_rad(values["elevation_deg"][0]),
        el_max=_rad(values["elevation_deg"][1]),
        range_min=values["range_km"][0] * 1e3,
        range_max=values["range_km"][1] * 1e3,
        reference_range=values["reference_range_km"] * 1e3,
        reference_snr=10.0 ** (values["reference_snr_db"] / 10.0),
        frequency=values["frequency_mhz"] * 1e6,
        beam_az=_rad(values["beam_deg"][0]),
        beam_el=_rad(values["beam_deg"][1]),
        bandwidth=values["bandwidth_mhz"] * 1e6,
        pfa=float(values["pfa"]),
        false_per_scan=float(values["false_per_scan"]),
        scan_period=float(values["scan_period_s"]),
        latency=float(values["latency_s"]),
        sigma_range=float(values["sigma_range_m"]),
        sigma_angle=_rad(values["sigma_angle_deg"]),
        doppler=bool(values["doppler"]),
        sigma_rate=float(values["sigma_rate_m_s"]),
        swerling=int(values.get("swerling", 1)),
        fence=None if fence is None else (_rad(fence[0]), _rad(fence[1])),
        track_period=float(values.get("track_period_s", 0.0)),
        dwell=float(values.get("dwell_s", 0.0)),
        search_share=float(values.get("search_share", 0.5)),
        resolution=bool(values.get("resolution", False)),
        refraction=values.get("refraction_mrad", 0.0) * 1e-3,
        terrain=tuple((_rad(azimuth), _rad(least)) for azimuth, least in values.get("terrain_deg", ())),
        scheduling=values.get("scheduling", "local"),
        bias=bias(kind, values.get("bias")),
    )


# ---- one sensor of a scenario --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resolved:
    """A sensor of a scenario, complete: what is declared, what is so, and what each declared value rests on."""

    id: str
    name: str
    kind: str
    state: Value | None
    declared: dict[str, Value]
    actual: dict[str, Value]
    note: str = ""

    def plain(self, which: str = "declared") -> dict[str, Any]:
        """The bare values, "declared" or "actual"."""
        return {key: value.value for key, value in (self.declared if which == "declared" else self.actual).items()}


def resolve(
    id: str, start_from: str | None, kind: str | None, name: str, given: Mapping[str, Any], actual: Mapping[str, Any],
    said: str = "",
) -> tuple[Resolved | None, list[Problem]]:  # fmt: skip
    """A scenario's sensor over the catalogue's values; or None, and what is wrong.

    ``start_from``: catalogue id or family (None: nothing); ``given``, ``actual``: the scenario's own plain values;
    ``said``: the source that the scenario names for them. Raises KeyError for an unknown ``start_from``.
    """
    base: Entry | None = None
    if start_from is not None:
        base = sensor(start_from) if start_from in _index("sensors.yaml")[1]["sensors"] else family(start_from)
    kind = kind or (base.kind if base else None)
    if kind not in FIELDS or (base is not None and base.kind not in FIELDS):
        reason = base.reason if base and base.reason else "this kind of sensor is not modelled"
        return None, [
            (
                "",
                f"'{start_from}', which cannot be used: {reason}",
                "a radar, an infrared satellite or an over-the-horizon radar",
            )
        ]
    found: list[Problem] = []
    if base is not None and base.kind != kind:
        found.append(("kind", f"'{kind}' for '{start_from}'", f"'{base.kind}', as the catalogue has it"))
    for where, values in (("", given), ("actual.", actual)):
        for key in values:
            if key not in FIELDS[kind]:
                others = ", ".join(FIELDS[kind])
                found.append((where + key, f"'{key}' for {KINDS[kind]}", others))
    own = {
        key: Value(value, "scenario", (said,) if said else (), "notional" if said == "notional" else "")
        for key, value in given.items()
    }
    declared = dict(base.values if base else {})
    if "apogee_longitude_deg" in own or "apogee_at" in own:
        declared = {k: v for k, v in declared.items() if k not in ("raan_deg", "mean_anomaly_deg")}
    elif "raan_deg" in own or "mean_anomaly_deg" in own:
        declared = {k: v for k, v in declared.items() if k not in ("apogee_longitude_deg", "apogee_at")}
    if "sector_deg" in own and "faces_azimuth_deg" not in own:
        declared.pop("faces_azimuth_deg", None)
    if "equation" in own:
        declared.pop("reference_range_km", None)
    elif "reference_range_km" in own:
        declared.pop("equation", None)
    declared = {key: value for key, value in {**declared, **own}.items() if key in FIELDS[kind]}
    found += _by_equation(declared, "")
    missing = needed(kind, declared)
    if missing:
        what = "values of its own"
        if base is not None and not base.usable:
            what = f"'{start_from}' as it stands, which is not usable: {base.reason}"
        elif base is not None:
            what = f"'{start_from}' without them"
        found.append(("", what, f"it with {', '.join(missing)} given"))
        return None, found
    of_declared = problems(kind, declared)
    found += of_declared
    so = {**declared, **{key: Value(value, "scenario", (), "") for key, value in actual.items() if key in FIELDS[kind]}}
    if "equation" in actual:
        if "reference_range_km" not in actual:
            so.pop("reference_range_km")
    elif "reference_range_km" in actual:
        so.pop("equation", None)
    elif "equation" in so:  # its range follows what else differs
        so.pop("reference_range_km")
    found += _by_equation(so, "actual.")
    if "sector_deg" in actual and "faces_azimuth_deg" not in actual:
        so.pop("faces_azimuth_deg", None)
    found += [("actual." + p[0], p[1], p[2]) for p in problems(kind, so) if p not in of_declared]
    if found:
        return None, found
    label = name or (base.name if base else id)
    return Resolved(
        id,
        label,
        kind,
        base.state if base else None,
        completed(kind, declared),
        completed(kind, so),
        base.note if base else "",
    ), []


def _by_equation(values: dict[str, Value], where: str) -> list[Problem]:
    """Put the range that the radar equation gives beside it; what is wrong with that."""
    if "equation" not in values:
        return []
    if "reference_range_km" in values:
        return [(where + "equation", "it and reference_range_km", "one of them")]
    if "frequency_mhz" in values and "reference_snr_db" in values:
        made = radar_range_km(values["equation"].value, values["frequency_mhz"].value, values["reference_snr_db"].value)
        why = "the radar equation with the inputs under equation"
        values["reference_range_km"] = Value(
            made, "derived", values["equation"].source, values["equation"].confidence, why
        )
    return []


# ---- classes -------------------------------------------------------------------------------------------------------


def merged_class(id: str, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """A scenario's class entry (plain data) over the bundled one it starts from; None if that is unknown."""
    start = given.get("from", id)
    known = class_ids()
    if start not in known:
        return None if "from" in given else dict(given)
    base = class_entry(start)
    made = {**base, **{key: value for key, value in given.items() if key not in ("from", "truth", "belief")}}
    for part in ("truth", "belief"):
        over = given.get(part)
        made[part] = {**base.get(part, {}), **(over if isinstance(over, Mapping) else {})}
    return made


FLYING_FIELDS = (
    "stages", "vertical_s", "pitch_s", "beta_boost_kg_m2", "beta_kg_m2", "rcs_boost_m2", "rcs_m2", "burnout_height_km",
    "burnout_downrange_km",
)  # fmt: skip
CLASS_FIELDS = ("title", "family", "energy", "prior", "range_km")


def _spread(value: Any, factor: float = 1.0) -> specs.Spread:
    if isinstance(value, Mapping):
        return specs.Spread(value["nominal"] * factor, value.get("spread", 0.0) * factor)
    return specs.Spread(value * factor)


def _number(value: Any) -> float:
    return float(value["nominal"] if isinstance(value, Mapping) else value)


def drag_points(value: Any) -> tuple[tuple[float, float], ...]:
    """Pairs of Mach number and factor, from a plain ``drag_mach`` in either of its forms, or None."""
    points = value["points"] if isinstance(value, Mapping) else value or ()
    return tuple((float(mach), float(factor)) for mach, factor in points)


def _loose(data: Mapping[str, Any]) -> specs.LooseKind:
    return specs.LooseKind(
        data["kind"],
        data.get("stage", 0),
        data.get("count", 1),
        _spread(data.get("delay_s", 0.0)),
        _spread(data["speed_m_s"]),
        _spread(data["beta_kg_m2"]),
        _spread(data["rcs_m2"]),
        data.get("height_km", 0.0) * 1e3,
    )


def _glide(data: Mapping[str, Any]) -> specs.Glide:
    return specs.Glide(
        _spread(data["lift_to_drag"]),
        _spread(data["beta_kg_m2"]),
        data["mode"],
        _number(data["pull_up_m_s2"]),
        _number(data["dive_speed_m_s"]),
    )


def _trough(data: Mapping[str, Any] | None) -> tuple[float, ...]:
    return () if data is None else (data["from_km"] * 1e3, data["to_km"] * 1e3, float(data["factor"]))


def flight_class(id: str, data: Mapping[str, Any], which: str) -> specs.FlightClass:
    """A complete class entry (plain data with spreads as numbers or mappings) in SI; ``which``: "truth" or "belief"."""
    flying = data["truth"] if which == "truth" else {**data["truth"], **data.get("belief", {})}
    stages = tuple(
        specs.Stage(
            _spread(stage["burn_s"]),
            _spread(stage["thrust_m_s2"]),
            _spread(stage["exhaust_m_s"]),
            _spread(stage.get("coast_s", 0.0)),
            _spread(stage["intensity_kw_sr"], 1e3),
        )
        for stage in flying["stages"]
    )
    return specs.FlightClass(
        id=id,
        title=data["title"],
        family=data["family"],
        energy=data["energy"],
        stages=stages,
        vertical=_spread(flying["vertical_s"]),
        pitch=_spread(flying["pitch_s"]),
        beta_boost=_spread(flying["beta_boost_kg_m2"]),
        beta=_spread(flying["beta_kg_m2"]),
        rcs_boost=_spread(flying["rcs_boost_m2"]),
        rcs=_spread(flying["rcs_m2"]),
        burnout_height=_spread(flying["burnout_height_km"], 1e3),
        burnout_downrange=_spread(flying["burnout_downrange_km"], 1e3),
        energy_range=(data["range_km"][0] * 1e3, data["range_km"][1] * 1e3),
        prior=float(data["prior"]),
        loose=tuple(_loose(entry) for entry in flying.get("loose") or ()),
        drag_mach=drag_points(flying.get("drag_mach")),
        glide=None if flying.get("glide") is None else _glide(flying["glide"]),
        trough=_trough(flying.get("trough")),
        warm=_spread(flying.get("warm_w_sr") or 0.0),
    )


def class_problems(flight: specs.FlightClass, which: str) -> list[Problem]:
    """What no rocket can do: burn all its mass, fly less than its least range, stay on the ground under thrust, drop a
    stage that it has not got, glide without lift.
    """
    found: list[Problem] = []
    if flight.energy_range[0] >= flight.energy_range[1]:
        low, high = (r / 1e3 for r in flight.energy_range)
        found.append(("range_km", f"[{low:g}, {high:g}]", "two growing values"))
    for n, stage in enumerate(flight.stages):
        burnt = stage.burn.nominal * stage.thrust.nominal / stage.exhaust.nominal
        relative = math.sqrt(sum((s.spread / s.nominal) ** 2 for s in (stage.burn, stage.thrust, stage.exhaust)))
        if burnt * (1.0 + 3.0 * relative) >= 1.0:
            most = burnt * (1.0 + 3.0 * relative)
            said = f"a stage that burns {burnt:.0%} of its mass (up to {most:.0%} within three spreads)"
            found.append((f"{which}.stages.{n}", said, "burn_s * thrust_m_s2 / exhaust_m_s under 1 with its spreads"))
    if flight.stages[0].thrust.nominal < 10.0:
        found.append(
            (f"{which}.stages.0.thrust_m_s2", f"{flight.stages[0].thrust.nominal:g}", "at least 10: it has to lift")
        )
    return found + _loose_problems(flight, which) + _glide_problems(flight, which)


def _loose_problems(flight: specs.FlightClass, which: str) -> list[Problem]:
    found: list[Problem] = []
    stages = len(flight.stages)
    fallen: list[int] = []
    for n, loose in enumerate(flight.loose):
        place = f"{which}.loose.{n}"
        if loose.kind == "fairing" and (loose.stage > 0) == (loose.height > 0.0):
            said = "a stage and a height_km" if loose.stage else "neither a stage nor a height_km"
            found.append((place, said, "a fairing that goes with a stage or at a height"))
        elif loose.kind != "fairing" and loose.height > 0.0:
            found.append((f"{place}.height_km", f"it for {loose.kind}", "a height only for a fairing"))
        elif loose.kind != "fairing" and loose.stage == 0:
            found.append((place, f"{loose.kind} without its stage", f"a stage from 1 to {stages}"))
        if loose.stage > stages:
            found.append((f"{place}.stage", f"{loose.stage}", f"a stage from 1 to {stages}"))
        if loose.kind == "stage":
            if loose.stage in fallen:
                found.append((f"{place}.stage", f"stage {loose.stage} again", "each stage falls once"))
            fallen.append(loose.stage)
            if loose.count != 1:
                found.append((f"{place}.count", f"{loose.count} spent stages", "1 (pieces are debris)"))
    return found


def _glide_problems(flight: specs.FlightClass, which: str) -> list[Problem]:
    if (flight.family == "boost-glide") == (flight.glide is not None):
        return []
    if flight.glide is None:
        return [(which, "no glide in the family boost-glide", "it with glide: {lift_to_drag, beta_kg_m2, ...}")]
    return [(f"{which}.glide", f"glide in the family {flight.family}", "glide in the family boost-glide only")]
