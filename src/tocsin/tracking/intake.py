"""What is taken in and what is refused: scans and detections looked over before anything works on them.

Detections come from outside and are not trusted: a row that no sensor can have meant (not a number, no covariance, an
unknown sensor, a time that is not its scan's) is refused with its reason and counted, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import NS
from tocsin.earth.jit import kernel
from tocsin.records.columns import KIND_SIZE, Kind, Region, Table

Ints = NDArray[np.int64]

# reasons for scans
LATE, TWICE, STRANGER, SCAN_VALUES, SCAN_TIMES = (
    "too late", "twice", "unknown sensor", "scan with impossible values", "scan with impossible times",
)  # fmt: skip
# reasons for detections
ALONE, KIND, NUMBERS, NOISE, RANGES, TIMES, AGAIN = (
    "detection without its scan", "unknown kind of detection", "measurement that is no number",
    "noise that is no covariance", "measurement out of bounds", "detection outside its scan's time",
    "detection number twice in a scan",
)  # fmt: skip
_FAULT = ("", KIND, NUMBERS, NOISE, RANGES)
_REGIONS = (Region.SECTOR, Region.VIEW, Region.GROUND, Region.SPACE)
_SIZE = np.array(KIND_SIZE, dtype=np.int64)
_KINDS = len(KIND_SIZE)
_LOS, _XY, _RA = Kind.LOS, Kind.XY, Kind.RA
_STRAY_NS = 60 * NS  # how far a sensor's clock may be off its scan
_AXES_OFF = 1e-6


class Refused(int):
    """How many scans and detections were refused; ``reasons``: how many for which reason."""

    reasons: Mapping[str, int]

    def __new__(cls, reasons: Mapping[str, int]) -> Refused:
        """Count by reason."""
        out = super().__new__(cls, sum(reasons.values()))
        out.reasons = dict(reasons)
        return out


@kernel
def _faults(kind: Ints, z: NDArray[np.float64], R: NDArray[np.float64], size: Ints, out: Ints) -> None:
    L = np.zeros((4, 4))
    full = np.zeros((4, 4))
    for i in range(kind.shape[0]):
        out[i] = 0
        if kind[i] < 0 or kind[i] >= size.shape[0]:
            out[i] = 1
            continue
        n = size[kind[i]]
        for a in range(n):
            if not np.isfinite(z[i, a]):
                out[i] = 2
        k = 0
        for a in range(4):
            for b in range(a, 4):
                full[a, b] = R[i, k]
                full[b, a] = R[i, k]
                if b < n and not np.isfinite(R[i, k]):
                    out[i] = 3
                k += 1
        if out[i] != 0:
            continue
        for a in range(n):
            for b in range(a + 1):
                s = full[a, b]
                for c in range(b):
                    s -= L[a, c] * L[b, c]
                if a == b:
                    # singular to rounding is singular
                    if not s > 1e-14 * full[a, a]:
                        out[i] = 3
                    L[a, a] = np.sqrt(max(s, 1e-300))
                else:
                    L[a, b] = s / L[b, b]
        if kind[i] not in (_LOS, _XY) and not (z[i, 0] > 0.0 and z[i, 0] < 1e12):
            out[i] = 4
        at = 1 if kind[i] == _LOS else 2
        if kind[i] not in (_XY, _RA) and abs(z[i, at]) > 0.5 * np.pi + 1e-6:
            out[i] = 4


def detection_faults(detections: Table) -> list[tuple[str, NDArray[np.bool_]]]:
    """Reasons and the rows (k,) that are refused for each: what can be said of a row by itself."""
    out = np.empty(len(detections), dtype=np.int64)
    kind = detections["kind"].astype(np.int64)
    z = np.ascontiguousarray(detections["z"], dtype=np.float64)
    R = np.ascontiguousarray(detections["R"], dtype=np.float64)
    _faults(kind, z, R, _SIZE, out)
    return [(reason, out == k) for k, reason in enumerate(_FAULT) if k and (out == k).any()]


def scan_fault(scan: np.void) -> str:
    """Why a scan cannot be used, "" if it can."""
    t0, t1 = int(scan["t0_ns"]), int(scan["t1_ns"])
    if t1 < t0 or abs(t0) > 1 << 61 or abs(t1) > 1 << 61:
        return SCAN_TIMES
    limits = [float(scan[n]) for n in ("az_from", "az_to", "el_min", "el_max", "range_min", "range_max")]
    rest = [float(scan["sensitivity"]), float(scan["clutter"])]
    attitude = np.asarray(scan["attitude"], dtype=np.float64).reshape(3, 3)
    # range_max may be infinite: no limit
    values = np.concatenate((limits[:5], rest, attitude.ravel(), scan["platform"]))
    if not np.isfinite(values).all() or np.isnan(limits[5]) or int(scan["region"]) not in _REGIONS or rest[1] < 0.0:
        return SCAN_VALUES
    product = (attitude[:, None, :] * attitude[None, :, :]).sum(axis=2)
    return "" if np.abs(product - np.eye(3)).max() < _AXES_OFF else SCAN_VALUES


def times_fault(scan: np.void, own: Table) -> NDArray[np.bool_]:
    """Which of a scan's detections (k,) cannot be of its time."""
    t = own["t_ns"].astype(np.int64)
    # compared without sums that could overflow
    return np.asarray((t < int(scan["t0_ns"]) - _STRAY_NS) | (t > int(scan["t1_ns"]) + _STRAY_NS))


def numbers_fault(own: Table) -> NDArray[np.bool_]:
    """Which of a scan's detections (k,) bear a number that an earlier row has."""
    _, first = np.unique(own["n"], return_index=True)
    out = np.ones(len(own), dtype=np.bool_)
    out[first] = False
    return out


def in_order(own: Table) -> Table:
    """A scan's detections by time, then by what was measured: the order in which they came makes no difference."""
    z = own["z"]
    keys = (own["n"], z[:, 3], z[:, 2], z[:, 1], z[:, 0], own["kind"], own["t_ns"])
    return own[np.lexsort(keys)]


@kernel
def slices(t: Ints, gap: int, longest: int, out: Ints) -> int:
    """Where pieces begin in rising times: after a gap, or when a piece gets too long; returns how many."""
    found = 0
    for i in range(t.shape[0]):
        if i == 0 or t[i] - t[i - 1] > gap or t[i] - t[out[found - 1]] > longest:
            out[found] = i
            found += 1
    return found
