"""What all sensor kinds share: scans that are due, who is looked at when, and how detections become a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tocsin.records.columns import DETECTION, SCAN, TRUTH_LINK, Status, Table, empty
from tocsin.records.shapes import Task
from tocsin.sensing.kernels import look_times, pair_up
from tocsin.sensing.targets import Targets

DEGRADED_GAIN = 0.5  # SNR of a sensor that declares itself degraded, over its usual SNR (notional)


def _not_given() -> NDArray[Any]:
    return np.empty(0)


@dataclass(frozen=True)
class Due:
    """Scans of one sensor kind that end in a frame, all arrays ``(k,)`` but ``bias (k, 4)``.

    ``which``: the sensor's place within its kind; ``scan``: its number; ``t0``, ``t1``: ns; ``status``:
    ``records.columns.Status``, as declared.

    What is wrong with the sensor at the time, filled by the rig (left out: by the status alone, nothing else wrong):
    ``factor``: on its SNR, as it is; ``said``: the factor that it declares; ``delay_ns``: more latency (``scan_table``
    adds it); ``bias``: what is added to each entry of ``z`` besides the biases of the model itself, in the units and
    the order of the model's ``Bias``. ``tasks``: wishes to any of the kind's sensors that hold in the frame.
    """

    which: NDArray[np.int64]
    scan: NDArray[np.int64]
    t0: NDArray[np.int64]
    t1: NDArray[np.int64]
    status: NDArray[np.uint8]
    factor: NDArray[np.float64] = field(default_factory=_not_given)
    said: NDArray[np.float64] = field(default_factory=_not_given)
    delay_ns: NDArray[np.int64] = field(default_factory=_not_given)
    bias: NDArray[np.float64] = field(default_factory=_not_given)
    tasks: tuple[Task, ...] = ()

    def __post_init__(self) -> None:
        k = len(self.which)
        by_status = np.where(self.status == Status.DEGRADED, DEGRADED_GAIN, 1.0)
        fill: tuple[tuple[str, NDArray[Any]], ...] = (
            ("factor", by_status),
            ("said", by_status),
            ("delay_ns", np.zeros(k, dtype=np.int64)),
            ("bias", np.zeros((k, 4))),
        )
        for name, values in fill:
            if not k or len(getattr(self, name)) != k:
                object.__setattr__(self, name, values)

    def gain(self) -> NDArray[np.float64]:
        """Factor on the SNR, as it is: for detections."""
        return self.factor

    def declared_gain(self) -> NDArray[np.float64]:
        """Factor on the SNR that the sensor declares: for what stands in its scans."""
        return self.said


@dataclass(frozen=True)
class Aspect:
    """Where scans look from: ``platform (k, 6)``, ``attitude (k, 9)`` in eci at their start, ``limits (k, 6)``: azimuth
    from, to,

    elevation least, greatest (rad), range least, greatest (m). ``region``: ``records.columns.Region``.
    """

    region: int
    platform: NDArray[np.float64]
    attitude: NDArray[np.float64]
    limits: NDArray[np.float64]


@dataclass(frozen=True)
class Looks:
    """Pairs of a scan and an object, at the time of the look: scan, object, time (ns), state (6, eci)."""

    scan: NDArray[np.int64]
    row: NDArray[np.int64]
    t: NDArray[np.int64]
    x: NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """Detections before they have numbers, all ``(m, ...)``; ``row``: the object, -1 for none; ``scan``: place among
    the scans due.
    """

    scan: NDArray[np.int64]
    row: NDArray[np.int64]
    t: NDArray[np.int64]
    z: NDArray[np.float64]
    cov: NDArray[np.float64]
    snr: NDArray[np.float64]
    intensity: NDArray[np.float64]

    @classmethod
    def room(cls, scan: NDArray[np.int64], row: NDArray[np.int64], t: NDArray[np.int64]) -> Found:
        """Room for what a kernel writes about looks or false detections."""
        m = len(scan)
        return cls(scan, row, t, np.zeros((m, 4)), np.zeros((m, 10)), np.ones(m), np.zeros(m))

    @classmethod
    def false(cls, count: NDArray[np.int64]) -> tuple[Found, NDArray[np.int64]]:
        """Room for ``count (k,)`` false detections a scan, and the number of each within its scan."""
        scan = np.repeat(np.arange(len(count)), count)
        number = np.arange(len(scan)) - np.repeat(np.cumsum(count) - count, count)
        return cls.room(scan, np.full(len(scan), -1), np.zeros(len(scan), dtype=np.int64)), number

    def take(self, which: NDArray[np.int64]) -> Found:
        """Some of them."""
        return Found(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def __add__(self, other: Found) -> Found:
        """These and others, one after the other."""
        return Found(*(np.concatenate((getattr(self, n), getattr(other, n))) for n in self.__dataclass_fields__))


@dataclass(frozen=True)
class Sensed:
    """What a frame brought: tables of ``SCAN``, ``DETECTION`` and ``TRUTH_LINK``, ordered by (sensor, scan, n)."""

    scans: Table
    detections: Table
    links: Table

    @classmethod
    def nothing(cls) -> Sensed:
        """No scan ended."""
        return cls(empty(SCAN), empty(DETECTION), empty(TRUTH_LINK))


class Kind(Protocol):
    """All sensors of one kind, made from (sensors, theta0, seed); ``rig.register`` takes further kinds.

    A kind that remembers anything from scan to scan (its own tracks, what time it has spent) has two methods more,
    which the rig calls if they are there: ``state() -> dict`` of plain data, and ``load(state)``.
    """

    def observe(self, due: Due, targets: Targets) -> Sensed:
        """Carry out the scans due, none of which is silent. Scans of one sensor come in the order of their times.

        Of sensors that are declared to be other than they are, the rig makes a second kind from what is declared and
        has it observe nothing: the limits, sensitivity, clutter, place and attitude in the scans are then its.
        """


def look(
    aspect: Aspect,
    due: Due,
    targets: Targets,
    windows: NDArray[np.int64],
    pairs: tuple[NDArray[np.int64], ...] | None = None,
) -> Looks:
    """Each object once a scan, when the sweep passes it; ``windows (n, 2)``: when each object can be seen at all.

    Two passes: the object's direction in the middle of the scan (or of the part of it in which it exists) says when the
    sweep passes it, and the look takes place where it is then. The sweep runs evenly through the azimuths of the scan's
    limits. ``pairs``: what ``pair_up`` returns, less the pairs that are known to be out of sight.
    """
    scan, row, middle = pair_up(due.t0, due.t1, windows) if pairs is None else pairs
    if not len(scan):
        return Looks(scan, row, middle, np.empty((0, 6)))
    x = np.ascontiguousarray(targets.ephemeris.states(row, middle))
    t = look_times(aspect.region, due.t0, due.t1, aspect.platform, aspect.attitude, aspect.limits, scan, middle, x)
    there = (t >= windows[row, 0]) & (t <= windows[row, 1])
    if not there.all():
        scan, row, t = scan[there], row[there], t[there]
        if not len(scan):
            return Looks(scan, row, t, np.empty((0, 6)))
    return Looks(scan, row, t, np.ascontiguousarray(targets.ephemeris.states(row, t)))


def tables(scans: Table, kind: NDArray[np.uint8], mask: NDArray[np.uint8], found: Found) -> Sensed:
    """Number the detections of each scan by their measurement (never by what caused them) and write the tables.

    ``scans (k,)`` filled but for ``n_detections``; ``kind``, ``mask (k,)``: what each sensor's z holds.
    """
    count = np.bincount(found.scan, minlength=len(scans))
    if len(scans) and count.max() > np.iinfo(np.uint16).max:
        raise ValueError(f"a scan with {count.max()} detections; the format numbers at most 65,536 of them")
    scans["n_detections"] = count
    m = len(found.scan)
    detections = empty(DETECTION, m)
    links = empty(TRUTH_LINK, m)
    if not m:
        return Sensed(scans, detections, links)
    z = found.z
    order = np.lexsort((z[:, 3], z[:, 2], z[:, 1], z[:, 0], found.scan))
    s = found.scan[order]
    n = np.arange(m) - (np.cumsum(count) - count)[s]
    for name, values in (
        ("sensor", scans["sensor"][s]),
        ("scan", scans["scan"][s]),
        ("n", n),
        ("t_ns", found.t[order]),
        ("arrive_ns", scans["arrive_ns"][s]),
        ("kind", kind[s]),
        ("mask", mask[s]),
        ("z", z[order]),
        ("R", found.cov[order]),
        ("snr_db", 10.0 * np.log10(found.snr[order])),
        ("intensity", found.intensity[order]),
    ):
        detections[name] = values
    for name in ("sensor", "scan", "n"):
        links[name] = detections[name]
    links["object"] = found.row[order]
    return Sensed(scans, detections, links)


def scan_table(
    due: Due,
    aspect: Aspect,
    numbers: NDArray[np.uint16],
    latency_ns: NDArray[np.int64],
    sensitivity: NDArray[np.float64],
    clutter: NDArray[np.float64],
) -> Table:
    """The rows of ``SCAN`` of the scans due; the last four: ``(k,)``, sensor number, latency, range at 1 m2 or least
    intensity,

    mean number of false detections.
    """
    rows = empty(SCAN, len(due.scan))
    limits: dict[str, Any] = dict(
        zip(("az_from", "az_to", "el_min", "el_max", "range_min", "range_max"), aspect.limits.T, strict=True)
    )
    for name, values in {
        "sensor": numbers,
        "scan": due.scan,
        "t0_ns": due.t0,
        "t1_ns": due.t1,
        "arrive_ns": due.t1 + latency_ns + due.delay_ns,
        "region": aspect.region,
        **limits,
        "sensitivity": sensitivity,
        "clutter": clutter,
        "status": due.status,
        "platform": aspect.platform,
        "attitude": aspect.attitude,
    }.items():
        rows[name] = values
    return rows
