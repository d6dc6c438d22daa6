# ruff: noqa: D103 - what a row measures stands in its decorator
"""Clutter alone, and how soon what is real is believed.

The stated rate (`tocsin.tracking.initiation.false_tracks_per_hour`, derived there) is a bound on confirmed tracks from
false detections, the same for every density of clutter: one in 99 hours of each sensor; and one an hour of each sensor
for tracks that are told as tentative. Clutter is Poisson with the declared mean, even over the view (range, azimuth,
sine of elevation; the disc of the Earth by solid angle). Intervals of rates are exact Poisson intervals (Garwood 1936).
Six classes are believed, so every line of sight may be a boost. The tracker is stepped every 30 s: what begins and ends
within a step is not told.

Sensors: *radar* (all round, 5 s, 30 m, 0.1 deg, 4,000 km), *coarse radar* (120 deg, 10 s, 200 m, 0.5 deg), *satellite*
(geostationary, 10 s, 30 microradians), *stereo* (two of them), *all* (two satellites, two radars).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from scipy import stats

from tocsin.earth.clock import NS
from tocsin.records.columns import Life
from tocsin.scenario.specs import Sensor
from tocsin.tracking.initiation import false_tracks_per_hour
from tocsin.tracking.tracker import Tracker
from validation.run import Book, Measured, Target, at_least, at_most, number, proportion
from validation.watched_flights import THETA0, Watch, bundled, fly, frames, radar, satellite

book = Book("false_tracks", "False tracks", __doc__)
_CLASSES = ("srbm", "mrbm", "irbm-liquid", "icbm-liquid", "icbm-solid", "slbm")
_STATED = "the bound stated in tracking.initiation"
_STEP_S = 30.0


def _radar(false: float) -> list[Sensor]:
    return [radar(0, 45.0, 45.0, false=false)]


def _coarse(false: float) -> list[Sensor]:
    return [radar(0, 45.0, 45.0, 10.0, 200.0, 0.5, (0.0, 120.0), (2.0, 30.0), false=false)]


def _satellite(false: float) -> list[Sensor]:
    return [satellite(0, 20.0, false=false)]


def _stereo(false: float) -> list[Sensor]:
    return [satellite(0, 20.0, false=false), satellite(1, 75.0, false=false)]


def _all(false: float) -> list[Sensor]:
    return [*_stereo(false), radar(2, 45.0, 45.0, false=false), radar(3, 50.0, 55.0, 5.0, 100.0, 0.3, false=false)]


_SETS: dict[str, Callable[[float], list[Sensor]]] = {
    "radar": _radar, "coarse radar": _coarse, "satellite": _satellite, "stereo": _stereo, "all": _all,
}  # fmt: skip


@functools.cache
def _clutter(name: str, false: float, hours: float, seed: int) -> tuple[int, int, float, int]:
    """Confirmed tracks, told tracks, hours of a sensor and false detections of clutter alone."""
    sensors = _SETS[name](false)
    watch = Watch(sensors, [], np.random.Generator(np.random.PCG64([seed, 23])))
    tracker = Tracker(tuple(sensors), tuple(bundled(c) for c in _CLASSES), THETA0)
    confirmed = told = 0
    end = hours * 3600.0
    for t_ns, s, d in frames(watch.scans(0.0, end), np.arange(_STEP_S, end + _STEP_S, _STEP_S)):
        for event in tracker.step(t_ns, s, d).events:
            confirmed += event.event == "confirmed"
            told += event.event == "initiated"
    return confirmed, told, hours * len(sensors), len(watch.cause)


def _rate(count: int, hours: float, note: str) -> Measured:
    low = float(stats.chi2.ppf(0.025, 2 * count)) / 2.0 if count else 0.0
    return Measured(count / hours, (low / hours, float(stats.chi2.ppf(0.975, 2 * count + 2)) / 2.0 / hours), note)


def _upper_at_most(bound: float) -> Target:
    return Target(
        f"interval ≤ {number(bound)}", lambda m: m.interval is not None and m.interval[1] <= bound
    )  # fmt: skip


_LONG = (("radar", 0.1, 60.0), ("radar", 1.0, 60.0), ("coarse radar", 1.0, 60.0), ("satellite", 0.1, 60.0),
         ("satellite", 1.0, 40.0), ("stereo", 0.3, 50.0))  # fmt: skip


@book.row(
    "clutter alone at 0.1 to 1 false detections a scan: confirmed tracks in an hour of a sensor",
    target=_upper_at_most(false_tracks_per_hour(1)), unit="per hour", source=_STATED,
)  # fmt: skip
def long_clutter() -> Measured:
    runs = [_clutter(name, false, hours, 1) for name, false, hours in _LONG]
    count, hours = sum(r[0] for r in runs), sum(r[2] for r in runs)
    return _rate(
        count, hours, f"{count} in {hours:,.0f} hours of a sensor, {sum(r[3] for r in runs):,} false detections"
    )


@book.row(
    "the same: tracks told as tentative in an hour of a sensor",
    target=_upper_at_most(false_tracks_per_hour(1, 1.0)), unit="per hour", source=_STATED,
)  # fmt: skip
def long_told() -> Measured:
    runs = [_clutter(name, false, hours, 1) for name, false, hours in _LONG]
    count, hours = sum(r[1] for r in runs), sum(r[2] for r in runs)
    return _rate(count, hours, f"{count} in {hours:,.0f} hours of a sensor")


def _add_hour(name: str, false: float, hours: float) -> None:
    said = "an hour" if hours == 1.0 else f"{hours:g} hours"

    @book.row(
        f"{said} of clutter alone, {name}, {false:g} false detections a scan: confirmed tracks",
        target=at_most(hours * false_tracks_per_hour(len(_SETS[name](0.0)))), source=_STATED,
    )  # fmt: skip
    def hour() -> Measured:
        confirmed, told, _, seen = _clutter(name, false, hours, 2)
        return Measured(float(confirmed), None, f"of {seen:,} false detections; {told} told as tentative")


for _name in ("radar", "stereo", "all"):
    for _false in (1.0, 10.0):
        _add_hour(_name, _false, 1.0)
_add_hour("radar", 100.0, 0.25)
_add_hour("satellite", 100.0, 0.25)


# ---------------------------------------------------------------------------------------------- how soon it is believed


@functools.cache
def _confirmed_after(name: str, false: float, runs: int) -> tuple[list[float], list[float], int]:
    """For flights of the six classes: s from the first detection of the object to its confirmed track, of those that
    were confirmed; the same in detections; how many flights had a detection."""
    seconds, looks, seen = [], [], 0
    for run in range(runs):
        draw = np.random.Generator(np.random.PCG64([run, 29]))
        c = bundled(_CLASSES[run % len(_CLASSES)])
        path = fly(c, draw, 45.0, 46.0, draw.uniform(0, 360), draw.uniform(40, 75), 0.0, draw.uniform(0.85, 1.0), 400.0)
        sensors = _SETS[name](false)
        watch = Watch(sensors, [path], draw)
        end = path.cutoff + (120.0 if name == "radar" else 30.0)
        scans = watch.scans(0.0, end)
        tracker = Tracker(tuple(sensors), tuple(bundled(c) for c in _CLASSES), THETA0)
        real = sorted(
            int(d["t_ns"]) / NS for _, ds in scans for d in ds
            if watch.cause[int(d["sensor"]), int(d["scan"]), int(d["n"])] == 0
        )  # fmt: skip
        if not real:
            continue
        seen += 1
        ends = sorted({int(s["t1_ns"][0]) / NS for s, _ in scans})
        mine: set[int] = set()
        for t_ns, s, d in frames(scans, ends):
            step = tracker.step(t_ns, s, d)
            mine |= {a[0] for a in step.associations.tolist() if watch.cause[a[1:]] == 0}
            sure = [t for t in step.tracks if t["life"] in (Life.CONFIRMED, Life.COASTING) and int(t["track"]) in mine]
            if sure:
                seconds.append(t_ns / NS - real[0])
                looks.append(float(sum(t <= t_ns / NS for t in real)))
                break
    return seconds, looks, seen


def _add_soon(name: str, false: float, runs: int) -> None:
    @book.row(
        f"boosts of six classes, {name}, {false:g} false detections a scan: share confirmed", target=at_least(0.95),
        source="what the project set itself",
    )  # fmt: skip
    def soon() -> Measured:
        seconds, looks, seen = _confirmed_after(name, false, runs)
        if not seconds:
            return proportion(0, seen)
        return proportion(
            len(seconds), seen,
            f"{np.median(seconds):.0f} s after the first detection in the median, {np.quantile(seconds, 0.9):.0f} s in"
            f" nine of ten; {np.median(looks):.0f} detections",
        )  # fmt: skip


for _name, _false in (("radar", 0.1), ("radar", 10.0), ("stereo", 0.1), ("stereo", 10.0), ("satellite", 0.1),
                      ("satellite", 10.0)):  # fmt: skip
    _add_soon(_name, _false, 48)
