"""Warnings of what came in as words and not through this nation's own tracks: launches that the data processing tells
without its sensors having scanned any, messages to a post, counts on a display.

The centre cannot see from the words that they are wrong. It can only compare them. Sensors that are said to have seen
the launch count as agreeing until somebody asks for their own data (the action ``check-sensors``); the others are held
against the words at once, by the same physics as any other warning's evidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to
from tocsin.dynamics.lambert import lambert
from tocsin.earth.clock import NS, to_ns
from tocsin.earth.frames import theta_at, to_eci
from tocsin.earth.wgs84 import geodetic_to_ecef
from tocsin.records.columns import Table
from tocsin.records.shapes import AreaRisk, Estimate, Evidence, Report, Screen, WarningVersion
from tocsin.scenario.specs import NationSpec
from tocsin.warning.evidence import Shown, Sky, Watch, collect, note_scans
from tocsin.warning.partner import risks
from tocsin.warning.regions import ellipse_region, normal_radius2

DOUBT = 0.1  # that a word's way to here is at fault: the same as for a partner's word
_SIGMA_M, _SIGMA_S = 20e3, 10.0  # how exactly words tell a place and a time (1 sigma)
_OVER_NS = 60 * NS  # after the time of impact
Level = Literal["no", "low", "medium", "high"]
Status = Literal["opened", "updated", "confirmed", "downgraded", "cancelled", "closed"]


class _Live(msgspec.Struct):
    """A warning that is not over. ``key``: the report's id, or "display"."""

    uid: str
    key: str
    first_ns: int
    word: Report | None = None
    words: int = 0
    due_ns: int = 0
    asked: bool = False
    shown: dict[str, int] = {}
    told: str = ""  # what the newest version took in
    checked: bool = False  # whether that was the sensors' own data
    ended: str = ""
    taken_back: str = ""
    version: WarningVersion | None = None
    watch: dict[str, Any] = {}


class _State(msgspec.Struct):
    next: int
    live: list[_Live]
    over: list[str]
    blind: bool
    sent: dict[str, Screen]
    screens: dict[str, Screen]


@dataclass
class _Flight:
    """What a word says of a flight: the state (6, eci) at launch, when its thrust ends, what it shows."""

    x: NDArray[np.float64] | None
    burning_until_ns: int
    burning: Shown
    dark: Shown
    watch: Watch = field(default_factory=Watch)


class Reports:
    """The warnings of one nation that rest on words. ``step`` is asked once a frame."""

    def __init__(self, spec: NationSpec) -> None:
        self._spec = spec
        self._sensors = {s.n: s for s in spec.sensors}
        self._sky = Sky(spec.theta0, spec.unix_ns)
        self._classes = {c.id: c for c in spec.classes}
        self._displays = {p.id: p.display for p in spec.posts if p.display is not None}
        self._next = 0
        self._live: list[_Live] = []
        self._over: dict[str, None] = {}  # of words that are done with
        self._blind = False  # displays are known to show what is not there, until they have been clean once
        self._sent: dict[str, Screen] = {}  # newest message to each display
        self._screens: dict[str, Screen] = {}  # what each shows
        self._flights: dict[str, _Flight] = {}

    def newest(self) -> dict[str, WarningVersion]:
        """The newest version of every warning that is not over, by uid."""
        return {w.uid: w.version for w in self._live if w.version is not None}

    def count(self, uid: str) -> int:
        """How many objects a warning is about, as far as words say."""
        return next((w.word.count for w in self._live if w.uid == uid and w.word is not None), 1)

    def ask(self, uid: str) -> None:
        """From now on what its sensors are said to have seen no longer counts, but what they have sent does."""
        for warning in self._live:
            if warning.uid == uid:
                warning.asked, warning.due_ns = True, 0

    def take_back(self, uid: str, cause: str) -> None:
        """The warning is cancelled with the next version, whatever else is said."""
        for warning in self._live:
            if warning.uid == uid:
                warning.taken_back = cause

    # ---- displays

    def send(self, t_ns: int, standing: dict[str, WarningVersion]) -> tuple[Screen, ...]:
        """What the centre sends to its posts' displays in the frame that ends at ``t_ns``: how many of what stands."""
        sent = []
        for post, display in self._displays.items():
            period = max(to_ns(display.refresh), self._spec.frame_ns)
            if t_ns % period >= self._spec.frame_ns:
                continue
            counts = []
            for name, classes in display.fields:
                n = 0
                for uid, version in standing.items():
                    likely = max(sorted(version.types), key=lambda c: version.types[c], default="")
                    if version.status not in ("cancelled", "closed") and version.p_real >= 0.5 and likely in classes:
                        n += self.count(uid)
                counts.append((name, min(n, 10**display.digits - 1)))
            sent.append(Screen(post, tuple(counts)))
        self._sent.update((s.post, s) for s in sent)
        return tuple(sent)

    def _watch_displays(self, t_ns: int, screens: Sequence[Screen]) -> None:
        self._screens.update((s.post, s) for s in screens)
        # a message is on its way for a frame: what was sent last is what may stand there
        wrong = {p: s.total for p, s in self._screens.items() if p in self._sent and s.counts != self._sent[p].counts}
        live = next((w for w in self._live if w.key == "display"), None)
        if not screens:
            return
        if any(wrong.values()):
            if live is None and not self._blind:
                live = self._open("display", t_ns)
        elif live is not None:
            live.ended = "the displays show nothing any more"
        else:
            self._blind = False
        if live is not None:
            live.shown = {p: s.total for p, s in sorted(self._screens.items())}

    # ---- one frame

    def step(
        self, t_ns: int, scans: Table, reports: Sequence[Report] = (), screens: Sequence[Screen] = ()
    ) -> list[WarningVersion]:
        """The new versions at the end of a frame, in the order in which their warnings were opened."""
        for report in reports:
            if report.id in self._over:
                continue
            live = next((w for w in self._live if w.key == report.id), None)
            if live is None:
                if report.ends:
                    continue
                live = self._open(report.id, t_ns)
                live.due_ns = t_ns + to_ns(self._spec.rule.processing) if report.way == "processing" else t_ns
            live.words += 1
            if report.ends:
                live.ended = "no more words of it come"
            else:
                live.word = report
        self._watch_displays(t_ns, screens)
        made = []
        for warning in self._live:
            self._look(warning, scans)
            version = self._advance(t_ns, warning)
            if version is not None:
                warning.version = version
                made.append(version)
        for warning in self._live:
            if warning.version is not None and warning.version.status in ("cancelled", "closed"):
                if warning.key == "display":
                    self._blind = bool(warning.taken_back)
                else:
                    self._over[warning.key] = None
                self._flights.pop(warning.uid, None)
        self._live = [w for w in self._live if w.version is None or w.version.status not in ("cancelled", "closed")]
        return made

    def _open(self, key: str, t_ns: int) -> _Live:
        opened = _Live(f"{self._spec.id}/own/r{self._next}", key, t_ns)
        self._next += 1
        self._live.append(opened)
        return opened

    def _flight(self, warning: _Live) -> _Flight | None:
        word = warning.word
        if word is None or word.launch is None or word.impact is None:
            return None
        if warning.uid not in self._flights:
            believed = self._classes.get(word.class_id)
            burn = 0.0 if believed is None else sum(s.burn.nominal + s.coast.nominal for s in believed.stages)
            plume = 1e5 if believed is None else believed.stages[-1].intensity.nominal
            trough = () if believed is None else believed.trough
            warm = 0.0 if believed is None else believed.warm.nominal
            lit = Shown(1.0 if believed is None else believed.rcs_boost.nominal, True, plume, trough, warm)
            dark = Shown(1.0 if believed is None else believed.rcs.nominal, False, plume, trough, warm)
            ends = word.launch[2] + to_ns(burn)
            flight = _Flight(_free_flight(word.launch, word.impact, self._spec.theta0), ends, lit, dark)
            if warning.watch:
                flight.watch = Watch.of(warning.watch)
            self._flights[warning.uid] = flight
        return self._flights[warning.uid]

    def _look(self, warning: _Live, scans: Table) -> None:
        flight = self._flight(warning)
        if flight is None or flight.x is None or len(scans) == 0 or warning.word is None:
            return
        assert warning.word.launch is not None
        launch_ns = warning.word.launch[2]
        nobody = np.zeros(0, dtype=np.uint16)
        for lit in (True, False):
            burns = scans["t1_ns"] <= flight.burning_until_ns
            mine = scans[(scans["t0_ns"] >= launch_ns) & (burns == lit)]
            shown = flight.burning if lit else flight.dark
            note_scans(flight.watch, self._sensors, mine, nobody, flight.x, launch_ns, self._sky, shown)
        warning.watch = flight.watch.state()

    def _advance(self, t_ns: int, warning: _Live) -> WarningVersion | None:
        last = warning.version
        if warning.taken_back and last is not None:
            return self._over_version(t_ns, last, "cancelled", warning.taken_back)
        word = warning.word
        if word is not None and word.impact is not None and t_ns > word.impact[2] + _OVER_NS and last is not None:
            said = "the time of impact has passed and nothing came down"
            return self._over_version(t_ns, last, "closed" if last.confirmed else "cancelled", said)
        if warning.ended and last is not None and not last.confirmed:
            return self._over_version(t_ns, last, "cancelled", warning.ended)
        if warning.ended and last is None:
            warning.ended = ""  # it was over before anything stood
        if t_ns < warning.due_ns:
            return None
        evidence = self._evidence(t_ns, warning)
        p_real = self._p_real(warning)
        told = f"{warning.words} {warning.asked} {[e.state for e in evidence]} {warning.shown}"
        warning.due_ns = t_ns + (0 if warning.key == "display" else to_ns(self._spec.rule.refresh))
        if last is not None and told == warning.told:
            return None
        cause = self._cause(warning, last)
        warning.told, warning.checked = told, warning.asked
        agree = [e for e in evidence if e.state == "agrees"]
        against = p_real < 0.5 or sum(e.state == "disagrees" for e in evidence) > len(agree)
        stood = last is not None and last.confirmed
        confirmed = (stood or self._confirms(t_ns, warning, agree)) and not against
        status: Status = "updated"
        if last is None:
            status = "opened"
        elif stood and against:
            status = "downgraded"
        elif confirmed and not stood:
            status = "confirmed"
        launch, impact, areas = self._estimates(t_ns, warning, p_real)
        return WarningVersion(
            uid=warning.uid, version=0 if last is None else last.version + 1, t_ns=t_ns, status=status,
            confirmed=confirmed, cause=cause, track=None, sources=(self._spec.id,), partner=None,
            first_data_ns=warning.first_ns, launch=launch, impact=impact, areas=areas,
            types={word.class_id: 1.0} if word is not None and word.class_id in self._classes else {},
            p_real=p_real, confidence=_confidence(p_real, confirmed, evidence), evidence=evidence,
            shown=dict(warning.shown),
        )  # fmt: skip

    def _over_version(
        self, t_ns: int, last: WarningVersion, status: Literal["cancelled", "closed"], cause: str
    ) -> WarningVersion:
        return msgspec.structs.replace(
            last, version=last.version + 1, t_ns=t_ns, status=status, cause=cause,
            confirmed=last.confirmed and status == "closed",
        )  # fmt: skip

    def _cause(self, warning: _Live, last: WarningVersion | None) -> str:
        if warning.key == "display":
            return "displays show " + ", ".join(f"{n} at {post}" for post, n in warning.shown.items())
        if last is not None and warning.asked and not warning.checked:
            return "the sensors' own data"
        word = warning.word
        assert word is not None
        by = "the data processing tells" if word.way == "processing" else f"a message to {word.post} tells"
        return f"{by} of {word.count} x {word.class_id}"

    def _confirms(self, t_ns: int, warning: _Live, agree: list[Evidence]) -> bool:
        rule = self._spec.rule
        if warning.words < rule.min_updates or (t_ns - warning.first_ns) / 1e9 < rule.min_span:
            return False
        kinds = len({e.sensor_kind for e in agree})
        if len(agree) < rule.min_sensors or kinds < int(getattr(rule, "min_kinds", 1)):
            return False
        return (t_ns - warning.first_ns) / 1e9 >= float(getattr(rule, "cross_check", 0.0))

    def _evidence(self, t_ns: int, warning: _Live) -> tuple[Evidence, ...]:
        flight = self._flight(warning)
        if flight is None or warning.word is None:
            return ()
        assert warning.word.launch is not None
        assert warning.word.impact is not None
        x = None
        if flight.x is not None:
            t0 = warning.word.launch[2]
            x = np.empty(6)
            coast_to(flight.x, t0 / 1e9, t_ns / 1e9, self._spec.theta0, -1.0, x)
        until = max(warning.word.impact[2], t_ns)
        shown = flight.burning if t_ns <= flight.burning_until_ns else flight.dark
        found = collect(
            flight.watch, self._sensors, self._spec.id, x, t_ns, until, self._sky, shown, flight.burning_until_ns
        )
        if warning.asked:
            return found
        said = warning.word.sensors
        return tuple(
            msgspec.structs.replace(e, state="agrees", could_from_ns=None) if e.sensor in said else e for e in found
        )

    def _p_real(self, warning: _Live) -> float:
        """That there is a launch: the doubt of a word's way, the silence of sensors that would have seen it; of counts
        that differ at most one can be right.
        """
        if warning.key == "display":
            return (1.0 - DOUBT) / max(len(set(warning.shown.values())), 1)
        flight, miss = self._flights.get(warning.uid), 0.0
        if flight is not None and warning.word is not None:
            for n, looked in sorted(flight.watch.looked.items()):
                sensor = self._sensors.get(n)
                if sensor is not None and (warning.asked or sensor.id not in warning.word.sensors):
                    miss += looked.log_missed
        missed = math.exp(max(miss, -500.0))
        return (1.0 - DOUBT) * missed / ((1.0 - DOUBT) * missed + DOUBT)

    def _estimates(self, t_ns: int, warning: _Live, p_real: float) -> tuple[Estimate, Estimate, tuple[AreaRisk, ...]]:
        word = warning.word
        way = "display" if word is None else word.way
        if word is None or word.launch is None or word.impact is None:
            nothing = Estimate(t_ns, way, 1.0, "none")
            return nothing, nothing, ()
        launch, impact = _told(t_ns, way, word.launch, 1.0), _told(t_ns, way, word.impact, p_real)
        return launch, impact, risks(launch, impact, self._spec.areas, self._spec.rule.exclude_below)

    # ---- state

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        made = _State(self._next, self._live, list(self._over), self._blind, self._sent, self._screens)
        return {"reports": msgspec.msgpack.encode(made)}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        read = msgspec.msgpack.decode(state["reports"], type=_State)
        self._next, self._live, self._blind = read.next, read.live, read.blind
        self._over = dict.fromkeys(read.over)
        self._sent, self._screens = dict(read.sent), dict(read.screens)
        self._flights = {}


def _told(t_ns: int, way: str, place: tuple[float, float, int], p_impact: float) -> Estimate:
    cov = (_SIGMA_M**2, 0.0, 0.0, _SIGMA_M**2)
    square = np.array(cov).reshape(2, 2)
    centre = (place[0], place[1])
    return Estimate(
        as_of_ns=t_ns, basis=way, p_impact=p_impact, kind="gaussian", mean=centre, cov_enu=cov, t_ns=place[2],
        t_var=_SIGMA_S**2, cov_position_time=(0.0, 0.0),
        region50=ellipse_region(centre, square, normal_radius2(0.5)),
        region95=ellipse_region(centre, square, normal_radius2(0.95)),
    )  # fmt: skip


def _free_flight(
    launch: tuple[float, float, int], impact: tuple[float, float, int], theta0: float
) -> NDArray[np.float64] | None:
    ends = []
    for lat, lon, t_ns in (launch, impact):
        ends.append(np.ascontiguousarray(to_eci(geodetic_to_ecef([lat, lon, 0.0]), theta_at(theta0, t_ns))))
    x = np.empty(6)
    found = lambert(ends[0], ends[1], launch[2] / 1e9, impact[2] / 1e9, theta0, x)
    return x if found else None


def _confidence(p_real: float, confirmed: bool, evidence: tuple[Evidence, ...]) -> Level:
    if p_real < 0.5:
        return "no"
    if not confirmed:
        return "low"
    agree = sum(e.state == "agrees" for e in evidence)
    return "high" if agree >= 2 and not any(e.state == "disagrees" for e in evidence) else "medium"
