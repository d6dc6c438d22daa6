"""Anybody's table of detections as scans and detections of ``columns``, its bad rows refused with a reason.

A table is a dictionary of columns, a NumPy structured array, a pandas data frame, or anything that speaks Arrow
(pyarrow, polars). Its values are not trusted: whatever stands in a row, the row is taken or refused, and nothing is
raised. What is raised (ValueError) is a wrong description: a column that is needed and missing, columns of different
lengths.

Columns: ``sensor`` (names); the time as ``t_s`` (s since the epoch), ``t_ns``, or ``time`` (UTC, datetime64);
``measurement`` (the components of the kind in m, rad, m/s) and ``covariance`` (whole or the upper triangle by rows); or
instead of these two named components with their 1-sigma errors (``range_m``, ``azimuth_deg``, ``elevation_deg``,
``range_rate_m_s``, ``east_m``, ``north_m``; ``sigma_range_m`` and so on). If wanted: ``kind`` (else the sensor's),
``scan`` (any whole number: which detections belong together), ``position`` and ``velocity`` (3 each) of moving sensors.

Without a column ``scan``, a sensor's detections within three quarters of its scan period form a scan, from the first
on: a sensor that looks everywhere at once is read right, and of one that sweeps no object is in a scan twice.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import NS, to_ns
from tocsin.earth.frames import OMEGA_GMST
from tocsin.records.columns import DETECTION, KIND_NAME, KIND_SIZE, SCAN, Kind, Status, Table, empty
from tocsin.tracking.observers import SPACE, Observer, numbered

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_TOGETHER = 0.75  # of a scan period: detections nearer than this to the first of a scan belong to it
_MOST_IN_SCAN = 65_535
_LATEST_S = 9e8  # s either side of the epoch: what nanoseconds in 64 bits hold, with room
_SINGULAR = 1e-12  # share of a variance that is left over the other components: less is no measurement of its own
_MOST_FILLED = 600  # scans without detections made up in a row
_SKEW = 1e-6  # relative: how far a covariance may be from symmetric
_BIG = 1e12  # m, rad, m/s: no measurement or error is greater

_NAMED = {
    "range-azimuth-elevation": ("range_m", "azimuth_deg", "elevation_deg"),
    "range-azimuth-elevation-rate": ("range_m", "azimuth_deg", "elevation_deg", "range_rate_m_s"),
    "line-of-sight": ("azimuth_deg", "elevation_deg"),
    "range-azimuth": ("range_m", "azimuth_deg"),
    "plane": ("east_m", "north_m"),
}
_SIZE = np.array(KIND_SIZE, dtype=np.int64)
_AZIMUTH = np.array([1, 1, 0, 1, -1])  # where azimuth stands by kind, -1 for nowhere
_ELEVATION = np.array([2, 2, 1, -1, -1])
_RANGE = np.array([0, 0, -1, 0, -1])
_UPPER = np.triu_indices(4)


class Refused:
    """Rows that were not taken: ``counts`` by reason, and (row, reason) of each in ``rows``."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rows: list[tuple[int, str]] = []

    def add(self, rows: Sequence[int] | NDArray[Any], reason: str) -> None:
        """Refuse ``rows``."""
        if len(rows):
            self.counts[reason] += len(rows)
            self.rows += [(int(r), reason) for r in rows]


@dataclass(frozen=True)
class Batch:
    """``scans`` (``SCAN``, by time of their ends) and ``detections`` (``DETECTION``, ordered as their scans are);

    ``rows`` (k,): the row of the table that each detection was; ``first`` (n + 1,): where a scan's detections begin.
    """

    scans: Table
    detections: Table
    rows: Ints
    first: Ints


class Reader:
    """Reads the tables of one run: numbers rows and scans through all of them.

    ``observers``: the sensors; ``theta0``: sidereal angle at the epoch (rad); ``epoch_ns``: unix time of the epoch.
    """

    def __init__(self, observers: Sequence[Observer], theta0: float, epoch_ns: int) -> None:
        self.observers = tuple(observers)
        self.numbers = numbered(self.observers)
        self.refused = Refused()
        self._theta0, self._epoch_ns = theta0, epoch_ns
        self._row = 0  # of the next table's first row
        self._scan = [0] * len(self.observers)
        self._named: dict[tuple[int, int], int] = {}  # the user's scan: our number
        self._kinds = np.array([KIND_NAME.index(o.kind) for o in self.observers])
        self._limits = np.array([o.limits() for o in self.observers])
        self._flips = np.array([o.axes == SPACE for o in self.observers])

    # ------------------------------------------------------------------------------------------------------ detections

    def read(
        self, table: Any, scans: Any = None, oldest_ns: int = -(1 << 62), until_ns: int = 1 << 62, fill: bool = False
    ) -> Batch:
        """Scans and detections of ``table``. Rows before ``oldest_ns`` or after ``until_ns`` are refused.

        ``scans``: a table of the scans there were, also those without detections: ``sensor``, ``scan``, ``start_s``,
        ``end_s``, and if wanted ``false_alarms``, ``silent`` (true: it did not look), ``position``, ``velocity``.
        ``fill``: scans without detections are made up where a sensor that stands still left out a period.
        """
        with np.errstate(all="ignore"):  # whatever stands in a cell
            return self._read(table, scans, oldest_ns, until_ns, fill)

    def _read(self, table: Any, scans: Any, oldest_ns: int, until_ns: int, fill: bool) -> Batch:
        columns = _columns(table, "detections")
        n = _length(columns, "detections")
        began, self._row = self._row, self._row + n
        told = self._told(scans) if scans is not None else None
        good = np.ones(n, dtype=np.bool_)

        def refuse(bad: NDArray[np.bool_], reason: str) -> None:
            now = bad & good
            if now.any():
                self.refused.add(began + np.flatnonzero(now), reason)
                good[now] = False

        sensor = self._sensors(_need(columns, ("sensor",), "detections")[1])
        refuse(sensor < 0, "unknown sensor")
        t_ns, fine = _times(columns, self._epoch_ns, "detections")
        refuse(~fine, "time is no finite number within 28 years of the epoch")
        refuse(t_ns < oldest_ns, "later than the lag allows")
        refuse(t_ns > until_ns, "after the end of the step")
        kind = self._kinds[np.maximum(sensor, 0)] if n else np.zeros(0, dtype=np.int64)
        if "kind" in columns:
            kind = _kinds(columns["kind"])
            refuse(kind < 0, "unknown kind")
        kind = np.maximum(kind, 0)
        if "measurement" in columns:
            z, sizes = _numbers(columns["measurement"], 4)
            refuse(sizes != _SIZE[kind], "measurement has not the components of its kind")
            R, shaped = _covariances(columns, kind)
            refuse(~shaped, "covariance has not the shape of its kind")
        else:
            z, R = _named_components(columns, kind)
        used = np.arange(4)[None] < _SIZE[kind][:, None]
        refuse((~np.isfinite(z) & used).any(axis=1), "measurement is not finite")
        both = used[:, :, None] & used[:, None, :]
        z = np.where(used & np.isfinite(z), z, 0.0)
        refuse((~np.isfinite(R) & both).any(axis=(1, 2)), "covariance is not finite")
        R = np.where(both & np.isfinite(R), R, 0.0)
        refuse(_outside(z, kind), "measurement is out of range")
        refuse(_skew(R), "covariance is not symmetric")
        R = 0.5 * (R + R.transpose(0, 2, 1))
        refuse(~_definite(R, _SIZE[kind]), "covariance is not positive definite")
        moved = np.zeros((n, 6))
        still = np.zeros(n, dtype=np.bool_)
        if n and any(o.moves for o in self.observers):
            moves = np.array([o.moves for o in self.observers])[np.maximum(sensor, 0)]
            moved, placed, still = _placed(columns, n)
            refuse(moves & ~placed, "position of a moving sensor is missing")
            refuse(moves & still & (kind == Kind.RAER), "velocity of a moving sensor is missing")
        own = np.full(n, -1, dtype=np.int64)
        if "scan" in columns:
            own, fine = _whole(columns["scan"])
            refuse(~fine, "scan is no whole number")
        z, R = self._turned(z, R, kind, sensor)
        keep = np.flatnonzero(good)
        groups = self._grouped(sensor[keep], t_ns[keep], own[keep], "scan" in columns, still[keep])
        return self._assemble(
            [(s, keep[m]) for s, m in groups], t_ns, kind, z, R, own, moved, began, told, fill, oldest_ns, until_ns
        )  # fmt: skip

    def _sensors(self, values: Any) -> Ints:
        cells = _cells(values)
        known: dict[Any, int] = {}
        out = np.empty(len(cells), dtype=np.int64)
        for i, v in enumerate(cells):
            try:
                if v not in known:
                    known[v] = self.numbers.get(v, -1)
                out[i] = known[v]
            except TypeError:  # not hashable
                out[i] = -1
        return out

    def _turned(self, z: Array, R: Array, kind: Ints, sensor: Ints) -> tuple[Array, Array]:
        """Right ascension to azimuth about the axes that ``Observer.stand`` gives."""
        at = _AZIMUTH[kind]
        rows = np.flatnonzero(self._flips[np.maximum(sensor, 0)] & (at >= 0)) if len(z) else np.zeros(0, dtype=np.int64)
        if not len(rows):
            return z, R
        z, R, at = z.copy(), R.copy(), at[rows]
        z[rows, at] = 0.5 * math.pi - z[rows, at]
        R[rows, at, :] *= -1.0
        R[rows, :, at] *= -1.0
        return z, R

    def _grouped(self, sensor: Ints, t_ns: Ints, own: Ints, named: bool, still: NDArray[np.bool_]) -> list[Any]:
        """(sensor, places) of each scan, by sensor and time."""
        groups: list[tuple[int, Ints]] = []
        order = np.lexsort((t_ns, own, sensor))
        edges = np.flatnonzero(np.diff(sensor[order])) + 1
        for mine in np.split(order, edges):
            if not len(mine):
                continue
            s = int(sensor[mine[0]])
            if named:
                parts = np.split(mine, np.flatnonzero(np.diff(own[mine])) + 1)
            else:
                parts = []
                t, at = t_ns[mine], 0
                width = int(_TOGETHER * to_ns(self.observers[s].scan_period_s))
                while at < len(mine):
                    end = int(np.searchsorted(t, t[at] + width, side="left"))
                    end = max(end, at + 1)
                    parts.append(mine[at:end])
                    at = end
            for part in parts:
                if self.observers[s].moves and still[part].any():
                    # where its velocity is not told, it is where it is at each time: a scan for each of them
                    part = part[np.argsort(t_ns[part], kind="stable")]
                    groups += [(s, p) for p in np.split(part, np.flatnonzero(np.diff(t_ns[part])) + 1)]
                else:
                    groups.append((s, part))
        return groups

    # ----------------------------------------------------------------------------------------------------------- scans

    def _told(self, table: Any) -> dict[tuple[int, int], dict[str, Any]]:
        columns = _columns(table, "scans")
        n = _length(columns, "scans")
        sensor = self._sensors(_need(columns, ("sensor",), "scans")[1])
        number, fine = _whole(_need(columns, ("scan",), "scans")[1])
        start, a = _reals(_need(columns, ("start_s",), "scans")[1])
        end, b = _reals(_need(columns, ("end_s",), "scans")[1])
        good = fine & a & b & (sensor >= 0) & (start <= end) & (np.abs(start) < _LATEST_S) & (np.abs(end) < _LATEST_S)
        false = np.full(n, np.nan)
        if "false_alarms" in columns:
            false, c = _reals(columns["false_alarms"])
            good &= c & (false >= 0.0)
        silent = np.zeros(n, dtype=np.bool_)
        if "silent" in columns:
            silent = np.array([bool(v) for v in _cells(columns["silent"])])
        moved, placed = np.zeros((n, 6)), np.zeros(n, dtype=np.bool_)
        if "position" in columns:
            moved, placed, _ = _placed(columns, n)
        for i in range(n):
            if good[i] and self.observers[sensor[i]].moves and not placed[i]:
                good[i] = False
        if not good.all():
            self.refused.counts["a scan that is not told as scans are"] += int((~good).sum())
        return {
            (int(sensor[i]), int(number[i])): {
                "t0": to_ns(float(start[i])), "t1": to_ns(float(end[i])),
                "false": None if math.isnan(false[i]) else float(false[i]), "silent": bool(silent[i]), "at": moved[i],
            }
            for i in np.flatnonzero(good)
        }  # fmt: skip

    def _assemble(
        self, groups: list[tuple[int, Ints]], t_ns: Ints, kind: Ints, z: Array, R: Array, own: Ints, moved: Array,
        began: int, told: dict[tuple[int, int], dict[str, Any]] | None, fill: bool, oldest_ns: int, until_ns: int,
    ) -> Batch:  # fmt: skip
        # (t1, sensor, t0, places, name or -1, told or None)
        made: list[tuple[int, int, int, Ints, int, dict[str, Any] | None]] = []
        seen: set[tuple[int, int]] = set()
        for s, places in groups:
            name = int(own[places[0]])
            scan = told.get((s, name)) if told is not None else None
            t0, t1 = int(t_ns[places].min()), int(t_ns[places].max())
            if scan is not None:
                t0, t1 = min(t0, scan["t0"]), max(t1, scan["t1"])
                seen.add((s, name))
            if t0 < oldest_ns:
                self.refused.add(began + places, "later than the lag allows")
                continue
            if len(places) > _MOST_IN_SCAN:
                places = places[_by_measurement(t_ns, kind, z, R, places)]
                self.refused.add(began + places[_MOST_IN_SCAN:], f"more than {_MOST_IN_SCAN} in a scan")
                places = places[:_MOST_IN_SCAN]
            made.append((t1, s, t0, places, name, scan))
        if told is not None:
            for (s, name), scan in told.items():
                if (s, name) not in seen and (s, name) not in self._named and scan["t0"] >= oldest_ns:
                    made.append((scan["t1"], s, scan["t0"], np.zeros(0, dtype=np.int64), name, scan))
        elif fill:
            made += self._filled(made)
        made.sort(key=lambda m: (m[0], m[1], m[2], m[4]))
        scans = empty(SCAN, len(made))
        order: list[Ints] = []
        numbers = np.zeros(0, dtype=np.int64)
        places_of: dict[int, list[int]] = {}
        for i, (t1, s, t0, places, name, scan) in enumerate(made):
            row = scans[i]
            number = self._scan[s]
            self._scan[s] += 1
            again = name >= 0 and (s, name) in self._named
            if name >= 0 and not again:
                self._named[s, name] = number
            o = self.observers[s]
            silent = again or (scan is not None and scan["silent"])
            # what comes later of a scan that was taken is no second look
            row["status"] = Status.SILENT if silent else Status.UP
            row["sensor"], row["scan"], row["t0_ns"], row["t1_ns"], row["arrive_ns"] = s, number, t0, t1, t1
            row["region"], row["sensitivity"] = o.region, 1.0
            row["clutter"] = o.false_alarms if scan is None or scan["false"] is None else scan["false"]
            row["n_detections"] = len(places)
            places_of.setdefault(s, []).append(i)
            order.append(places[_by_measurement(t_ns, kind, z, R, places)])
        for s, which in places_of.items():
            self._stand(scans, np.array(which), s, order, made, t_ns, moved)
        sizes = np.array([len(p) for p in order], dtype=np.int64)
        first = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(sizes)))
        places = np.concatenate(order) if order else np.zeros(0, dtype=np.int64)
        detections = empty(DETECTION, len(places))
        numbers = np.repeat(np.arange(len(made)), sizes)
        detections["sensor"], detections["scan"] = scans["sensor"][numbers], scans["scan"][numbers]
        detections["n"] = np.arange(len(places)) - first[numbers]
        detections["t_ns"], detections["arrive_ns"], detections["kind"] = t_ns[places], t_ns[places], kind[places]
        detections["mask"] = (1 << _SIZE[kind[places]]) - 1
        detections["z"], detections["R"] = z[places], R[places][:, _UPPER[0], _UPPER[1]]
        return Batch(scans, detections, began + places, first)

    def _stand(
        self, scans: Table, which: Ints, s: int, order: list[Ints], made: list[Any], t_ns: Ints, moved: Array
    ) -> None:
        o = self.observers[s]
        t0 = scans["t0_ns"][which].astype(np.int64)
        theta = self._theta0 + OMEGA_GMST * (t0 / NS)
        at = None
        if o.moves:
            at = np.empty((len(which), 6))
            for k, i in enumerate(which):
                places, scan = made[i][3], made[i][5]
                if scan is not None and scan["at"].any():
                    at[k] = scan["at"]
                else:
                    at[k] = moved[places[np.argmin(t_ns[places])]]
        platform, attitude = o.stand(theta, at)
        scans["platform"][which], scans["attitude"][which] = platform, attitude
        for k, name in enumerate(("az_from", "az_to", "el_min", "el_max", "range_min", "range_max")):
            scans[name][which] = self._limits[s, k]

    def _filled(self, made: list[Any]) -> list[Any]:
        """Scans without detections where a sensor's period passed without one, up to the last time there is."""
        out: list[Any] = []
        if not made:
            return out
        last = max(m[0] for m in made)
        for s, o in enumerate(self.observers):
            mine = sorted((m[2], m[0]) for m in made if m[1] == s)
            if o.moves or not mine:
                continue
            period = to_ns(o.scan_period_s)
            for (t0, t1), (after, _) in zip(mine, [*mine[1:], (last + period, 0)], strict=True):
                if after - t0 > _MOST_FILLED * period:
                    continue  # so long a silence is a sensor that was off
                at = t0 + period
                while at + period // 2 < after:
                    out.append((at + t1 - t0, s, at, np.zeros(0, dtype=np.int64), -1, None))
                    at += period
        return out


# ------------------------------------------------------------------------------------------------------------- columns


def _columns(table: Any, what: str) -> dict[str, Any]:
    if isinstance(table, np.ndarray) and table.dtype.names:
        return {name: table[name] for name in table.dtype.names}
    if isinstance(table, Mapping):
        return {str(k): v for k, v in table.items()}
    if hasattr(table, "column_names") and hasattr(table, "column"):  # pyarrow
        return {str(name): table.column(name) for name in table.column_names}
    if hasattr(table, "columns") and hasattr(table, "to_numpy"):  # pandas
        return {str(name): table[name] for name in table.columns}
    if hasattr(table, "__arrow_c_stream__"):
        import pyarrow as pa

        return _columns(pa.table(table), what)
    raise ValueError(f"{what}: found {type(table).__name__}; allowed: a table (dictionary, NumPy, Arrow, pandas)")


def _cells(values: Any) -> Any:
    """A column as something of a length that gives Python or NumPy values."""
    if hasattr(values, "combine_chunks") or hasattr(values, "to_pylist"):  # pyarrow
        return values.to_pylist()
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if isinstance(values, np.ndarray):
        return values.tolist() if values.dtype.kind not in "mM" else values
    return values if hasattr(values, "__len__") and not isinstance(values, str | bytes) else [values]


def _length(columns: Mapping[str, Any], what: str) -> int:
    lengths: dict[str, int] = {}
    for name, values in columns.items():
        try:
            lengths[name] = len(values)
        except TypeError:
            raise ValueError(f"{what}.{name}: found {type(values).__name__}; allowed: a column") from None
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{k} {v}" for k, v in lengths.items())
        raise ValueError(f"{what}: columns of different lengths: {said}; allowed: one length")
    return next(iter(lengths.values()), 0)


def _need(columns: Mapping[str, Any], names: tuple[str, ...], what: str) -> tuple[str, Any]:
    for name in names:
        if name in columns:
            return name, columns[name]
    raise ValueError(f"{what}: found the columns {', '.join(columns) or '(none)'}; needed: {' or '.join(names)}")


def _array(values: Any) -> Any:
    """A column as a NumPy array where that is quick, else as it is."""
    if hasattr(values, "combine_chunks"):
        values = values.combine_chunks()
    if hasattr(values, "flatten") and hasattr(values, "null_count") and hasattr(values, "type"):  # an Arrow array
        kind = str(values.type)
        if kind.startswith(("list", "large_list", "fixed_size_list")) and values.null_count == 0 and len(values):
            flat = values.flatten()
            width = len(flat) // len(values)
            even = kind.startswith("fixed") or len(set(values.value_lengths().to_pylist())) == 1
            if even and flat.null_count == 0 and width * len(values) == len(flat):
                return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(len(values), width)
            return values.to_pylist()
        return values.to_numpy(zero_copy_only=False) if not kind.startswith("list") else values.to_pylist()
    if hasattr(values, "to_numpy"):
        return values.to_numpy()
    return values


def _reals(values: Any) -> tuple[Array, NDArray[np.bool_]]:
    """A column as floats, and which of them are finite numbers."""
    found = _array(values)
    try:
        out = np.asarray(found, dtype=np.float64)
        if out.ndim == 1:
            return out, np.isfinite(out)
    except (TypeError, ValueError, OverflowError):
        pass
    out = np.full(len(found), np.nan)
    for i, v in enumerate(found):
        try:
            out[i] = float(v)
        except (TypeError, ValueError, OverflowError):
            continue
    return out, np.isfinite(out)


def _whole(values: Any) -> tuple[Ints, NDArray[np.bool_]]:
    """A column as whole numbers from 0, and which of them are."""
    found = _array(values)
    if isinstance(found, np.ndarray) and found.dtype.kind in "iu" and found.ndim == 1:
        fine = found >= 0
        if found.dtype.kind == "u":
            fine &= found < (1 << 62)
        return np.where(fine, found, 0).astype(np.int64), fine
    out, fine = _reals(values)
    fine &= (out >= 0.0) & (out == np.floor(out)) & (out < 2.0**53)
    return np.where(fine, out, 0.0).astype(np.int64), fine


def _times(columns: Mapping[str, Any], epoch_ns: int, what: str) -> tuple[Ints, NDArray[np.bool_]]:
    name, values = _need(columns, ("t_ns", "t_s", "time"), what)
    found = _array(values)
    if name == "time":
        try:
            if not (isinstance(found, np.ndarray) and found.dtype.kind == "M"):
                found = np.array([_utc(v) for v in found], dtype="datetime64[ns]")
            unix = found.astype("datetime64[ns]").astype(np.int64)
        except (TypeError, ValueError, OverflowError):
            return np.zeros(len(found), dtype=np.int64), np.zeros(len(found), dtype=np.bool_)
        far = np.abs(unix / NS - epoch_ns / NS) < _LATEST_S
        fine = ~np.isnat(found) & far
        return np.where(fine, unix - epoch_ns, 0), fine
    if name == "t_ns" and isinstance(found, np.ndarray) and found.dtype.kind in "iu":
        fine = np.abs(found.astype(np.float64)) < _LATEST_S * NS
        return np.where(fine, found, 0).astype(np.int64), fine
    out, fine = _reals(values)
    scale = 1.0 if name == "t_ns" else float(NS)
    fine &= np.abs(out) < _LATEST_S * NS / scale
    return np.rint(np.where(fine, out, 0.0) * scale).astype(np.int64), fine


def _utc(value: Any) -> Any:
    """One cell of ``time``: a datetime (UTC if it has no zone) or ISO 8601 text; NaT for anything else."""
    if hasattr(value, "tzinfo") and value.tzinfo is not None:
        from datetime import UTC

        value = value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, str) and value.endswith("Z"):
        value = value[:-1]
    try:
        return np.datetime64(value, "ns")
    except (TypeError, ValueError, OverflowError):
        return np.datetime64("NaT", "ns")


def _kinds(values: Any) -> Ints:
    names = {name: k for k, name in enumerate(KIND_NAME)}
    out = np.full(len(values), -1, dtype=np.int64)
    for i, v in enumerate(_cells(values)):
        if isinstance(v, str):
            out[i] = names.get(v, -1)
        elif isinstance(v, int) and 0 <= v < len(KIND_NAME):
            out[i] = v
    return out


def _numbers(values: Any, width: int) -> tuple[Array, Ints]:
    """A column of lists of up to ``width`` numbers: (n, width), NaN where there is none; how many (-1: too many)."""
    found = _array(values)
    n = len(found)
    try:
        flat = np.asarray(found, dtype=np.float64)
        if flat.ndim >= 2 or n == 0:
            flat = flat.reshape(n, -1) if n else np.zeros((0, width))
            out = np.full((n, width), np.nan)
            k = min(flat.shape[1], width)
            out[:, :k] = flat[:, :k]
            return out, np.full(n, flat.shape[1] if flat.shape[1] <= width else -1, dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        pass
    out, sizes = np.full((n, width), np.nan), np.full(n, -1, dtype=np.int64)
    for i, cell in enumerate(found):
        try:
            row = np.asarray(cell, dtype=np.float64)
            if row.ndim and row.dtype == np.float64:
                row = row.ravel()
        except (TypeError, ValueError, OverflowError):
            try:  # a matrix as an array of arrays, as pandas gives it back
                row = np.concatenate([np.asarray(r, dtype=np.float64).ravel() for r in cell])
            except (TypeError, ValueError, OverflowError):
                continue
        if row.ndim == 1 and len(row) <= width:
            out[i, : len(row)], sizes[i] = row, len(row)
    return out, sizes


def _covariances(columns: Mapping[str, Any], kind: Ints) -> tuple[Array, NDArray[np.bool_]]:
    """The column ``covariance`` as (n, 4, 4), and which rows have a shape that fits."""
    _, values = _need(columns, ("covariance",), "detections")
    flat, lengths = _numbers(values, 16)
    n = len(kind)
    R, good = np.zeros((n, 4, 4)), np.zeros(n, dtype=np.bool_)
    for m in sorted(set(KIND_SIZE)):
        mine = _SIZE[kind] == m
        whole = np.flatnonzero(mine & (lengths == m * m))
        R[whole, :m, :m] = flat[whole, : m * m].reshape(-1, m, m)
        packed = np.flatnonzero(mine & (lengths == m * (m + 1) // 2))
        a, b = np.triu_indices(m)
        for k in range(len(a)):
            R[packed, a[k], b[k]] = flat[packed, k]
            R[packed, b[k], a[k]] = flat[packed, k]
        good[whole], good[packed] = True, True
    return R, good


def _named_components(columns: Mapping[str, Any], kind: Ints) -> tuple[Array, Array]:
    """Named components and their sigmas as (n, 4) and (n, 4, 4); NaN where a column is missing."""
    n = len(kind)
    z, R = np.full((n, 4), np.nan), np.zeros((n, 4, 4))
    wanted = dict.fromkeys(c for k in np.unique(kind) for c in _NAMED[KIND_NAME[int(k)]])
    missing = [c for name in wanted for c in (name, f"sigma_{name}") if c not in columns]
    if missing:
        raise ValueError(
            f"detections: found the columns {', '.join(columns)}; needed: measurement and covariance, "
            f"or {', '.join(missing)}"
        )
    found = {name: (_reals(columns[name])[0], _reals(columns[f"sigma_{name}"])[0]) for name in wanted}
    for k in np.unique(kind):
        rows = np.flatnonzero(kind == k)
        for i, name in enumerate(_NAMED[KIND_NAME[int(k)]]):
            unit = math.pi / 180.0 if name.endswith("_deg") else 1.0
            value, sigma = found[name]
            z[rows, i] = value[rows] * unit
            s = sigma[rows] * unit
            R[rows, i, i] = np.where(s > 0.0, np.minimum(np.abs(s), _BIG) ** 2, s)
    return z, R


def _placed(columns: Mapping[str, Any], n: int) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Position and velocity (n, 6); which rows have a position; which have no velocity (zeros then)."""
    out = np.zeros((n, 6))
    if "position" not in columns:
        return out, np.zeros(n, dtype=np.bool_), np.ones(n, dtype=np.bool_)
    p, sizes = _numbers(columns["position"], 3)
    placed = (sizes == 3) & np.isfinite(p).all(axis=1) & (np.abs(np.nan_to_num(p)) < _BIG).all(axis=1)
    out[:, :3] = np.where(placed[:, None], p, 0.0)
    still = np.ones(n, dtype=np.bool_)
    if "velocity" in columns:
        v, sizes = _numbers(columns["velocity"], 3)
        still = ~((sizes == 3) & np.isfinite(v).all(axis=1) & (np.abs(np.nan_to_num(v)) < 1e6).all(axis=1))
        out[:, 3:] = np.where(still[:, None], 0.0, v)
    return out, placed, still


# -------------------------------------------------------------------------------------------------------------- values


def _by_measurement(t_ns: Ints, kind: Ints, z: Array, R: Array, places: Ints) -> Ints:
    """The order of a scan's detections: by time and measurement, so that it tells nothing of the table's order."""
    keys = [R[places][:, a, b] for a, b in zip(*_UPPER, strict=True)]
    return np.lexsort((*keys, z[places, 3], z[places, 2], z[places, 1], z[places, 0], kind[places], t_ns[places]))


def _at(values: Array, place: Ints, other: float) -> Array:
    """One component of each row, ``other`` where it has none."""
    picked = np.take_along_axis(values, np.maximum(place, 0)[:, None], axis=1)[:, 0] if len(values) else np.zeros(0)
    return np.where(place >= 0, picked, other)


def _outside(z: Array, kind: Ints) -> NDArray[np.bool_]:
    """Which measurements no object can have."""
    bad = (np.abs(z) > _BIG).any(axis=1)
    bad |= _at(z, _RANGE[kind], 1.0) <= 0.0
    bad |= np.abs(_at(z, _ELEVATION[kind], 0.0)) > 0.5 * math.pi
    bad |= np.abs(_at(z, _AZIMUTH[kind], 0.0)) > 100.0
    return np.asarray(bad)


def _skew(R: Array) -> NDArray[np.bool_]:
    d = np.sqrt(np.abs(np.einsum("kii->ki", R)))
    most = d[:, :, None] * d[:, None, :]
    return np.asarray((np.abs(R - R.transpose(0, 2, 1)) > _SKEW * most).any(axis=(1, 2)))


def _definite(R: Array, size: Ints) -> NDArray[np.bool_]:
    """Which covariances are positive definite in their first ``size`` components, no component bound to the others.

    Cholesky's recursion, row by row of the matrix for all detections at once.
    """
    n = len(R)
    L = np.zeros((n, 4, 4))
    good = np.ones(n, dtype=np.bool_)
    for i in range(4):
        used = size > i
        for j in range(i):
            s = R[:, i, j].copy()
            for k in range(j):
                s -= L[:, i, k] * L[:, j, k]
            L[:, i, j] = s / L[:, j, j]
        s = R[:, i, i].copy()
        for k in range(i):
            s -= L[:, i, k] * L[:, i, k]
        variance = R[:, i, i]
        fine = (variance > 0.0) & (variance < _BIG**2) & (s > _SINGULAR * variance)
        good &= fine | ~used
        L[:, i, i] = np.sqrt(np.where(fine & used, s, 1.0))
    return good
