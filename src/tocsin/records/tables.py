"""From records to the tables of a run: the dense ones here, column by column; the sparse ones in ``lines``.

This is the one place where SI and radians inside become the units of the columns (km, degrees, dB stays dB).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST, to_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.records import columns as c
from tocsin.records.arrow import column, numbers, texts
from tocsin.records.dictionary import TABLES, schema
from tocsin.records.lines import sparse_rows
from tocsin.records.record import Record, unpack
from tocsin.records.words import Facts, nation_of, utc_texts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_KM = 1e-3
REGION_NAME = ("sector", "view")
STATUS_NAME = ("up", "degraded", "silent")
PHASE_NAME = ("boost", "coast", "re-entry", "glide", "orbit", "air")
# where the variances stand in the packed upper triangle of a detection's 4 x 4 R, and of a track's 6 x 6 P
_R_DIAGONAL = (0, 4, 7, 9)
_P_DIAGONAL = (0, 6, 11, 15, 18, 20)
_DENSE = {
    "scans": c.SCAN,
    "detections": c.DETECTION,
    "truth.links": c.TRUTH_LINK,
    "truth.states": c.TRUTH_STATE,
    "tracks": c.TRACK,
    "associations": c.ASSOCIATION,
}


class _Gathered:
    """All rows of one dense kind, with the nation and the label of the record that each came in."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._parts: list[c.Table] = []
        self._nations: list[str] = []
        self._labels: list[str] = []

    def add(self, record: Record) -> None:
        part = c.decode(unpack(record.body, c.Columns))
        if part.dtype != self._dtype:
            raise ValueError(f"record {record.ref} of kind {record.kind} holds {part.dtype}")
        self._parts.append(part)
        self._nations.append(nation_of(record))
        self._labels.append(record.label)

    @property
    def rows(self) -> c.Table:
        return np.concatenate(self._parts, dtype=self._dtype) if self._parts else c.empty(self._dtype)

    def _spread(self, words: list[str]) -> pa.Array:
        names = sorted(frozenset(words))
        codes = np.array([names.index(word) for word in words], dtype=np.int64)
        return _named(names, np.repeat(codes, [len(part) for part in self._parts]))

    @property
    def nation(self) -> pa.Array:
        return self._spread(self._nations)

    @property
    def label(self) -> pa.Array:
        return self._spread(self._labels)


def _named(names: Iterable[str], codes: NDArray[Any]) -> pa.Array:
    """Text column of ``names[code]``; a negative code is null."""
    codes = np.asarray(codes, dtype=np.int64)
    return texts(list(names)).take(numbers(codes, codes < 0))


def _real(values: NDArray[Any]) -> pa.Array:
    """Float column in which what is not finite is null."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    return numbers(values, ~np.isfinite(values))


def _seconds(t_ns: NDArray[Any]) -> Floats:
    return np.asarray(t_ns, dtype=np.float64) / 1e9


def _degrees(angle: NDArray[Any]) -> Floats:
    return np.rad2deg(np.asarray(angle, dtype=np.float64))


def _azimuth(angle: NDArray[Any]) -> Floats:
    """Degrees in [0, 360)."""
    turned = np.mod(_degrees(angle), 360.0)
    return np.where(turned >= 360.0, 0.0, turned)


def _utc(facts: Facts, t_ns: NDArray[Any]) -> pa.Array:
    """ISO times; many rows share an instant, so each is written once."""
    instants, code = np.unique(np.asarray(t_ns, dtype=np.int64), return_inverse=True)
    return _named(utc_texts(facts.unix_ns, instants), code)


def _place(facts: Facts, x_eci: NDArray[Any], t_ns: NDArray[Any]) -> tuple[Floats, Floats, Floats]:
    """Latitude (deg), longitude (deg), height (km) of eci positions ``(n, 3)`` at their times."""
    if len(x_eci) == 0:
        nothing = np.zeros(0)
        return nothing, nothing, nothing
    theta = facts.theta0 + OMEGA_GMST * _seconds(t_ns)
    geodetic = ecef_to_geodetic(to_ecef(np.ascontiguousarray(x_eci[:, :3]), theta))
    return _degrees(geodetic[:, 0]), _degrees(geodetic[:, 1]), geodetic[:, 2] * _KM


def _states(x: NDArray[Any]) -> dict[str, pa.Array]:
    names = [f"{axis}_eci_km" for axis in "xyz"] + [f"v{axis}_eci_km_s" for axis in "xyz"]
    return {name: _real(x[:, i] * _KM) for i, name in enumerate(names)}


def _table(name: str, made: Mapping[str, Any]) -> pa.Table:
    """The columns in their declared order and type. KeyError if one is missing."""
    wanted = schema(name)
    arrays = []
    for field in wanted:
        given = made[field.name]
        array = given if isinstance(given, pa.Array | pa.ChunkedArray) else numbers(given)
        arrays.append(array.cast(field.type))
    table = pa.Table.from_arrays(arrays, schema=wanted)
    for field in wanted:
        if not field.nullable and table.column(field.name).null_count:
            raise ValueError(f"table {name}: column {field.name} must not hold null")
    return table


def _sensor(facts: Facts, n: NDArray[Any], what: str = "id") -> pa.Array:
    names = [""] * (max((s.n for s in facts.sensors), default=-1) + 1)
    for sensor in facts.sensors:
        names[sensor.n] = sensor.kind if what == "kind" else sensor.id
    return _named(names, n)


def _scans(got: _Gathered, facts: Facts) -> dict[str, Any]:
    rows = got.rows
    lat, lon, height = _place(facts, rows["platform"], rows["t0_ns"])
    return {
        "nation": got.nation,
        "sensor": _sensor(facts, rows["sensor"]),
        "sensor_kind": _sensor(facts, rows["sensor"], "kind"),
        "scan": rows["scan"],
        "t0_s": _seconds(rows["t0_ns"]),
        "t1_s": _seconds(rows["t1_ns"]),
        "arrive_s": _seconds(rows["arrive_ns"]),
        "time_utc": _utc(facts, rows["t1_ns"]),
        "region": _named(REGION_NAME, rows["region"]),
        "azimuth_from_deg": _real(_degrees(rows["az_from"])),
        "azimuth_to_deg": _real(_degrees(rows["az_to"])),
        "elevation_min_deg": _real(_degrees(rows["el_min"])),
        "elevation_max_deg": _real(_degrees(rows["el_max"])),
        "range_min_km": _real(rows["range_min"] * _KM),
        "range_max_km": _real(rows["range_max"] * _KM),
        "sensitivity": _real(rows["sensitivity"] * 1e-3),
        "clutter_per_scan": _real(rows["clutter"]),
        "status": _named(STATUS_NAME, rows["status"]),
        "platform_lat_deg": lat,
        "platform_lon_deg": lon,
        "platform_height_km": height,
        "n_detections": rows["n_detections"],
    }


def _detections(got: _Gathered, facts: Facts) -> dict[str, Any]:
    rows = got.rows
    kind = rows["kind"]
    # at which place of z a quantity stands, by kind; -1: not measured
    range_at = np.array([0, 0, -1, 0, -1])[kind]
    azimuth_at = np.array([1, 1, 0, 1, -1])[kind]
    elevation_at = np.array([2, 2, 1, -1, -1])[kind]
    rate_at = np.array([-1, 3, -1, -1, -1])[kind]
    line = np.arange(len(rows))

    def value(at: Ints) -> Floats:
        return np.where(at >= 0, rows["z"][line, at], np.nan)

    def sigma(at: Ints) -> Floats:
        variance = rows["R"][line, np.array(_R_DIAGONAL)[at]]
        return np.where(at >= 0, np.sqrt(np.maximum(variance, 0.0)), np.nan)

    infrared = kind == c.Kind.LOS
    return {
        "nation": got.nation,
        "sensor": _sensor(facts, rows["sensor"]),
        "scan": rows["scan"],
        "n": rows["n"],
        "t_s": _seconds(rows["t_ns"]),
        "time_utc": _utc(facts, rows["t_ns"]),
        "arrive_s": _seconds(rows["arrive_ns"]),
        "kind": _named(c.KIND_NAME, kind),
        "range_km": _real(value(range_at) * _KM),
        "azimuth_deg": _real(_azimuth(value(azimuth_at))),
        "elevation_deg": _real(_degrees(value(elevation_at))),
        "range_rate_km_s": _real(value(rate_at) * _KM),
        "sigma_range_km": _real(sigma(range_at) * _KM),
        "sigma_azimuth_deg": _real(_degrees(sigma(azimuth_at))),
        "sigma_elevation_deg": _real(_degrees(sigma(elevation_at))),
        "snr_db": _real(rows["snr_db"]),
        "intensity_kw_sr": _real(np.where(infrared, rows["intensity"].astype(np.float64) * 1e-3, np.nan)),
        "flags": rows["flags"],
    }


def _truth_links(got: _Gathered, facts: Facts) -> dict[str, Any]:
    rows = got.rows
    return {
        "sensor": _sensor(facts, rows["sensor"]),
        "scan": rows["scan"],
        "n": rows["n"],
        "object": _named(facts.objects, rows["object"]),
    }


def _truth(got: _Gathered, facts: Facts) -> dict[str, Any]:
    rows = got.rows
    rows = rows[np.lexsort((rows["object"], rows["t_ns"]))]
    lat, lon, height = _place(facts, rows["x"], rows["t_ns"])
    return {
        "object": _named(facts.objects, rows["object"]),
        "t_s": _seconds(rows["t_ns"]),
        "time_utc": _utc(facts, rows["t_ns"]),
        "lat_deg": lat,
        "lon_deg": lon,
        "height_km": height,
        **_states(rows["x"]),
        "phase": _named(PHASE_NAME, rows["phase"]),
    }


def _tracks(got: _Gathered, facts: Facts) -> dict[str, Any]:
    rows = got.rows
    lat, lon, height = _place(facts, rows["x"], rows["t_ns"])
    variance = rows["P"][:, _P_DIAGONAL]
    # sums of three in a fixed order: a row's value must not depend on how many rows there are
    position = variance[:, 0] + variance[:, 1] + variance[:, 2]
    velocity = variance[:, 3] + variance[:, 4] + variance[:, 5]
    return {
        "nation": got.nation,
        "label": got.label,
        "track": rows["track"],
        "t_s": _seconds(rows["t_ns"]),
        "time_utc": _utc(facts, rows["t_ns"]),
        "life": _named(c.LIFE_NAME, rows["life"]),
        "lat_deg": lat,
        "lon_deg": lon,
        "height_km": height,
        **_states(rows["x"]),
        "sigma_position_km": _real(np.sqrt(np.maximum(position, 0.0)) * _KM),
        "sigma_velocity_km_s": _real(np.sqrt(np.maximum(velocity, 0.0)) * _KM),
        "p_boost": _real(rows["mu"][:, 0]),
        "existence": _real(rows["existence"]),
        "updates": rows["updates"],
        "sensors": rows["sensors"],
        "last_update_s": _seconds(rows["last_update_ns"]),
    }


def _associations(got: _Gathered, facts: Facts) -> dict[str, Any]:
    rows = got.rows
    return {
        "nation": got.nation,
        "label": got.label,
        "track": rows["track"],
        "sensor": _sensor(facts, rows["sensor"]),
        "scan": rows["scan"],
        "n": rows["n"],
    }


def _from_rows(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    wanted = schema(name)
    return _table(name, {f.name: column([row[f.name] for row in rows], f.type) for f in wanted})


def tables_from_records(records: Iterable[Record], facts: Facts) -> dict[str, pa.Table]:
    """All tables of the dictionary, in its order, from the records of a run in any order.

    ``facts``: what turns numbers into names (see ``words.Facts.of``). Raises ValueError or msgspec.ValidationError on a
    record whose body does not fit its kind.
    """
    dense = {kind: _Gathered(dtype) for kind, dtype in _DENSE.items()}
    sparse: list[Record] = []
    for record in sorted(records, key=lambda r: r.order):
        if record.kind in dense:
            dense[record.kind].add(record)
        else:
            sparse.append(record)
    made: dict[str, pa.Table] = {}
    makers = {
        "truth": ("truth.states", _truth),
        "truth_links": ("truth.links", _truth_links),
        "scans": ("scans", _scans),
        "detections": ("detections", _detections),
        "tracks": ("tracks", _tracks),
        "associations": ("associations", _associations),
    }
    try:
        rows = sparse_rows(sparse, facts)
    except msgspec.DecodeError as error:
        raise ValueError(f"a record's body does not fit its kind: {error}") from error
    for name in TABLES:
        if name in makers:
            kind, maker = makers[name]
            made[name] = _table(name, maker(dense[kind], facts))
        else:
            made[name] = _from_rows(name, rows[name])
    return made
