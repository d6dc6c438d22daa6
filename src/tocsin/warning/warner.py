"""The life of warnings in one pipeline: opened, updated, confirmed, downgraded, cancelled, closed.

A warning follows a confirmed track of its pipeline, or (in ``own``) a partner's warning, or both once they are found to
speak of one launch. Every change is a new version; none is ever altered. What confirms a warning is the nation's
``WarningRule``; how far it is believed is reckoned in ``credence``. A warning that is hardly believed any more is taken
back while its track still lives; what the sensors that had been heard by then go on to say of that track opens no
other, but a further sensor that agrees does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_ns
from tocsin.records.columns import Life, Table, unpack_symmetric
from tocsin.records.columns import Status as Health
from tocsin.records.shapes import AreaRisk, Envelope, Estimate, Evidence, WarningVersion
from tocsin.scenario.specs import NationSpec, Sensor
from tocsin.tracking.tracker import Tracker, TrackStep
from tocsin.warning import credence
from tocsin.warning import typing as kinds
from tocsin.warning.assess import Assessment, Assessor, Plume
from tocsin.warning.evidence import Shown, Sky, Watch, collect, note_scans, tells_burning
from tocsin.warning.known import Known
from tocsin.warning.notices import Notices
from tocsin.warning.partner import distance_between, risks, same_event

Status = Literal["opened", "updated", "confirmed", "downgraded", "cancelled", "closed"]
Level = Literal["no", "low", "medium", "high"]
TAKEN_BACK = "taken back"  # with which the cause of an end begins that people brought about
NONE = Estimate(0, "none", 1.0, "none")
_CERTAIN = 0.99  # probability from which something is taken to be no attack
_MIDDLING = Shown(1.0, False, 1e5)  # of a class that is not known here
_SETTLED_M = 3000.0  # an impact point known to this (one sigma) is settled, and new versions come less often:
_SETTLED_SLOWER = 3  # at this many times the nation's spacing, so that nobody has to read what has not changed
_SILENT_REFRESH_NS = (
    60_000_000_000  # without new data a version is added this often, so that times and evidence stay true
)


@dataclass
class _Live:
    """A warning that is not closed."""

    uid: str
    number: int
    track: int | None
    partner: str | None
    opened_ns: int
    due_ns: int
    version: WarningVersion | None = None
    theirs: WarningVersion | None = None
    own: Assessment | None = None  # newest one of the own track
    heard: int = -1  # version of theirs that our newest version took in
    updates_seen: int = -1
    checked_ns: int = 0
    watch: Watch = field(default_factory=Watch)
    ended: str = ""
    ever_confirmed: bool = False


class Views:
    """Assessments of the tracks of one tracker, each worked out once for all pipelines that the tracker serves."""

    def __init__(self, spec: NationSpec, sensors: tuple[Sensor, ...]) -> None:
        self._assessor = Assessor(msgspec.structs.replace(spec, sensors=sensors))
        self._t_ns = -1
        self._known: dict[tuple[int, Plume | None], Assessment] = {}

    def assess(self, t_ns: int, row: Any, tracker: Tracker, plume: Plume | None) -> Assessment:
        """The assessment of the track in ``row`` at ``t_ns``."""
        if t_ns != self._t_ns:
            self._t_ns, self._known = t_ns, {}
        key = (int(row["track"]), plume)
        if key not in self._known:
            self._known[key] = self._assessor.assess(t_ns, row, tracker.history(key[0]), plume)
        return self._known[key]


class Warner:
    """The warnings of one pipeline. ``step`` takes what the pipeline's tracker made of a frame and gives the new
    versions.
    """

    def __init__(
        self,
        spec: NationSpec,
        label: str,
        sensors: tuple[Sensor, ...],
        views: Views | None = None,
        notices: Notices | None = None,
    ) -> None:
        self._spec = spec
        self._notices = notices
        self._label = label
        self._sensors = {sensor.n: sensor for sensor in sensors}
        self._sky = Sky(spec.theta0, spec.unix_ns)
        self._infrared = np.array([s.n for s in sensors if tells_burning(s)], dtype=np.uint16)
        self._known = Known(spec.catalogue, spec.unix_ns)
        self._views = views if views is not None else Views(spec, sensors)
        self._live: list[_Live] = []
        self._next = 0
        self._settled: dict[str, None] = {}  # partners' warnings whose event is over here
        self._over: dict[int, None] = {}  # tracks whose warning is over
        self._dismissed: dict[int, tuple[int, ...]] = {}  # those taken back alive: sensors that had been heard by then
        self._alarms: list[tuple[int, int]] = []  # (time, sensor) of false alarms that one sensor gave alone
        self._degraded: set[int] = set()  # sensors that say of themselves that they are

    def take_back(self, uid: str, cause: str) -> None:
        """A post takes the warning back: it is cancelled with the next frame, whatever its track does."""
        for warning in self._live:
            if warning.uid == uid and warning.version is not None:
                warning.ended = f"{TAKEN_BACK} {cause}"
                if warning.partner is not None:
                    self._settled[warning.partner] = None

    def share_views(self, other: Warner) -> None:
        """Use another warner's assessments, of a tracker that has seen the same."""
        self._views = other._views

    def newest(self) -> dict[str, WarningVersion]:
        """The newest version of every warning that is not closed, by uid, in order of opening."""
        return {w.uid: w.version for w in self._live if w.version is not None}

    def step(
        self,
        t_ns: int,
        scans: Table,
        tracks: TrackStep,
        tracker: Tracker,
        received: tuple[tuple[Envelope, WarningVersion], ...] = (),
    ) -> list[WarningVersion]:
        """New versions at the end of a frame.

        ``scans``: the frame's scans of this pipeline; ``received``: partners' warnings that arrived (empty but in
        ``own``).
        """
        rows = {int(row["track"]): row for row in tracks.tracks}
        self._note_health(t_ns, scans)
        self._follow(t_ns, tracks, rows)
        self._look(scans, tracks, rows, tracker)
        for _, theirs in received:
            self._hear(t_ns, theirs)
        made: list[WarningVersion] = []
        for warning in self._live:
            version = self._advance(t_ns, warning, rows, tracker)
            if version is not None:
                made.append(version)
        self._live = [w for w in self._live if w.version is None or w.version.status not in ("cancelled", "closed")]
        self._live = [w for w in self._live if not (w.version is None and w.ended)]
        return made

    def _note_health(self, t_ns: int, scans: Table) -> None:
        """What sensors declare of themselves, and which of their false alarms are still to be minded."""
        for n, status in zip(scans["sensor"].tolist(), scans["status"].tolist(), strict=True):
            if status == Health.DEGRADED:
                self._degraded.add(n)
            else:
                self._degraded.discard(n)
        since = t_ns - to_ns(credence.RELAPSE_S)
        self._alarms = [alarm for alarm in self._alarms if alarm[0] > since]

    def _follow(self, t_ns: int, tracks: TrackStep, rows: dict[int, Any]) -> None:
        """Open a warning for each track newly confirmed, or that was dismissed and that another sensor sees now."""
        known = {w.track for w in self._live}
        for track, heard in list(self._dismissed.items()):
            mine = tracks.associations[tracks.associations["track"] == track]
            if track in rows and not set(mine["sensor"].tolist()) <= set(heard):
                del self._dismissed[track]
                self._over.pop(track, None)
        for number in sorted(rows):
            row = rows[number]
            if number in known or number in self._over or int(row["life"]) not in (Life.CONFIRMED, Life.COASTING):
                continue
            self._open(t_ns, track=number, partner=None, wait=self._spec.rule.processing)
        for event in tracks.events:
            if event.event == "ended":
                for warning in self._live:
                    if warning.track == event.track:
                        warning.ended = event.reason or "the track ended"

    def _open(self, t_ns: int, track: int | None, partner: str | None, wait: float) -> _Live:
        opened = _Live(
            f"{self._spec.id}/{self._label}/{self._next}", self._next, track, partner, t_ns, t_ns + to_ns(wait)
        )
        self._next += 1
        self._live.append(opened)
        return opened

    def _look(self, scans: Table, tracks: TrackStep, rows: dict[int, Any], tracker: Tracker) -> None:
        """Enter what the frame's scans say, empty ones too, into each warning's watch."""
        for warning in self._live:
            if warning.track is None or warning.track not in rows or len(scans) == 0:
                continue
            row, watch = rows[warning.track], warning.watch
            mine = tracks.associations[tracks.associations["track"] == warning.track]
            if len(mine) or not watch.looked:
                detections = tracker.history(warning.track).detections
                plumes = detections[np.isin(detections["sensor"], self._infrared)]
                if len(plumes):
                    watch.note_plume(int(plumes["t_ns"].max()), float(np.median(plumes["intensity"])))
                for n in np.unique(detections["sensor"]):
                    watch.note_detection(int(n))
            shown = self._shown(warning, row)
            x, at = np.array(row["x"], dtype=np.float64), int(row["t_ns"])
            found = np.unique(mine["sensor"])
            note_scans(watch, self._sensors, scans, found, x, at, self._sky, shown)

    def _hear(self, t_ns: int, theirs: WarningVersion) -> None:
        for warning in self._live:
            if warning.partner == theirs.uid:
                if warning.theirs is not None and theirs.version <= warning.theirs.version:
                    return  # overtaken on its way, or told again
                warning.theirs = theirs
                if theirs.status in ("cancelled", "closed"):
                    self._settled[theirs.uid] = None
                warning.due_ns = min(warning.due_ns, t_ns)
                return
        if theirs.status in ("cancelled", "closed"):
            self._settled[theirs.uid] = None  # an older version that was overtaken by this one opens nothing
            return
        if theirs.uid in self._settled:
            return  # late word of an event that is over here
        for warning in self._live:
            if warning.partner is None and warning.version is not None and same_event(warning.version, theirs):
                warning.partner, warning.theirs, warning.due_ns = theirs.uid, theirs, t_ns
                return
        self._open(t_ns, track=None, partner=theirs.uid, wait=0.0).theirs = theirs

    def _advance(self, t_ns: int, warning: _Live, rows: dict[int, Any], tracker: Tracker) -> WarningVersion | None:
        if warning.ended and (warning.track is not None or warning.ended.startswith(TAKEN_BACK)):
            return self._end(t_ns, warning)
        if t_ns < warning.due_ns:
            return None
        row = rows.get(warning.track) if warning.track is not None else None
        fresh = row is not None and int(row["updates"]) != warning.updates_seen
        heard = warning.theirs is not None and warning.theirs.version != warning.heard
        stale = t_ns - warning.checked_ns >= _SILENT_REFRESH_NS or self._has_waited(t_ns, warning)
        if not (fresh or heard) and _is_over(warning.version, t_ns):
            warning.ended = "the time of impact has passed"
            if warning.partner is not None:
                self._settled[warning.partner] = None
            return self._end(t_ns, warning)
        if not (fresh or heard or stale):
            return None
        slower = _SETTLED_SLOWER if _is_settled(warning.version) else 1
        warning.due_ns = t_ns + slower * to_ns(self._spec.rule.refresh)
        warning.checked_ns = t_ns
        if row is not None:
            warning.updates_seen = int(row["updates"])
        own = warning.own
        if fresh or own is None:
            own = warning.own = self._assess(t_ns, warning, row, tracker)
        if warning.version is None and own is not None and (known := self._reported(warning, own)) is not None:
            # a partner has reported this launch: the track joins that warning, and no second one is opened
            known.track, known.watch, known.updates_seen = warning.track, warning.watch, -1
            known.due_ns, warning.ended = t_ns, "joined a warning"
            return None
        return self._version(t_ns, warning, row, tracker, own, fresh)

    def _has_waited(self, t_ns: int, warning: _Live) -> bool:
        """Whether the time that a partner has to answer has run out since the warning was last looked at."""
        last, wait = warning.version, to_ns(self._spec.rule.cross_check)
        if last is None or last.confirmed or wait == 0:
            return False
        return warning.checked_ns < last.first_data_ns + wait <= t_ns

    def _reported(self, warning: _Live, own: Assessment) -> _Live | None:
        """The open warning that so far rests on a partner's word alone and speaks of the same event most nearly."""
        nearest, least = None, 1.0
        for other in self._live:
            if other is warning or other.track is not None or other.version is None:
                continue
            apart = distance_between(own.launch, own.impact, other.version.launch, other.version.impact)
            if apart <= least:
                nearest, least = other, apart
        return nearest

    def _end(self, t_ns: int, warning: _Live) -> WarningVersion | None:
        last = warning.version
        if warning.track is not None:
            self._over[warning.track] = None  # late data may wake the track once more: it is still the same event
        if last is None:
            return None
        status: Status
        if warning.ended.startswith(TAKEN_BACK):
            status, cause = "cancelled", warning.ended
        elif last.confirmed or (warning.theirs is not None and warning.theirs.status != "cancelled"):
            status, cause = "closed", warning.ended
        elif warning.ever_confirmed:
            status, cause = "cancelled", f"no longer believed: {warning.ended}"
        else:
            status, cause = "cancelled", f"never confirmed: {warning.ended}"
        return self._keep(warning, msgspec.structs.replace(
            last, version=last.version + 1, t_ns=t_ns, status=status, cause=cause,
            confirmed=last.confirmed and status == "closed",
        ))  # fmt: skip

    def _version(
        self, t_ns: int, warning: _Live, row: Any, tracker: Tracker, own: Assessment | None, fresh: bool
    ) -> WarningVersion | None:
        last, theirs = warning.version, warning.theirs
        if own is None and theirs is None and last is None:
            return None
        if (
            theirs is not None
            and theirs.status in ("cancelled", "closed")
            and warning.track is None
            and last is not None
        ):
            return self._keep(warning, msgspec.structs.replace(
                last, version=last.version + 1, t_ns=t_ns, status=theirs.status,
                confirmed=last.confirmed and theirs.status == "closed", cause=f"{theirs.uid} {theirs.status}",
            ))  # fmt: skip
        taken_back = theirs is not None and theirs.status == "cancelled"
        told_now = theirs is not None and theirs.version != warning.heard
        news = ["new detections"] if fresh else []
        if theirs is not None and told_now:
            news.append(f"{theirs.uid} version {theirs.version}")
            warning.heard = theirs.version
        if taken_back:
            theirs = None  # what a partner has taken back says nothing more
            if own is None and last is None:  # heard of and taken back within a frame
                warning.ended = "taken back before anybody here was told"
                return None
        launch, impact, areas, types, burnout = self._merge(own, theirs, last)
        evidence, said = self._evidence(t_ns, warning, row, tracker, impact, burnout)
        if theirs is not None:
            told = tuple(e for e in theirs.evidence if self._spec.id not in e.source_chain)
            evidence, said = evidence + told, said + credence.heard(msgspec.structs.replace(theirs, evidence=told))
        sources = tuple(
            sorted(({self._spec.id} if warning.track is not None else set()) | set(theirs.sources if theirs else ()))
        )
        rates = self._spec.rule.credence
        existence = float(row["existence"]) if row is not None else None
        misfit = own.misfit if own is not None else 0.0
        belief = credence.believe(said, rates, existence, misfit, warning.track is not None)
        evidence = _weighed(evidence, said, belief)
        p_real = belief.p_real
        if p_real < rates.cancel_below and row is not None:
            if last is None:
                return None  # nobody has been told anything, and there is nothing to tell
            return self._take_back(t_ns, warning, tracker, belief, evidence)
        families, known = self._families(warning, row, own, types, p_real)
        up = self._is_no_attack(row, own, families, known)
        if up:
            return self._not_an_attack(t_ns, warning, up, belief, evidence, families, known)
        against = p_real < rates.low
        stood = last is not None and last.confirmed
        confirmed = (stood or self._confirms(t_ns, warning, row, tracker, theirs, evidence)) and not against
        downgraded = stood and against
        confidence = cast(Level, credence.level(p_real, rates))
        status: Status
        if last is None:
            status = "opened"
        elif downgraded:
            status = "downgraded"
        elif confirmed and not stood:
            status = "confirmed"
        else:
            status = "updated"
        cause = " and ".join(news) if news else "time"
        if row is not None:
            first = self._first_data(warning, tracker)
        elif last is not None:
            first = last.first_data_ns
        else:
            first = theirs.first_data_ns if theirs is not None else t_ns
        return self._keep(warning, WarningVersion(
            uid=warning.uid, version=0 if last is None else last.version + 1, t_ns=t_ns, status=status,
            confirmed=confirmed, cause=cause, track=warning.track, sources=sources, partner=warning.partner,
            first_data_ns=first, launch=launch, impact=impact, areas=areas, types=types, p_real=p_real,
            confidence=confidence, evidence=evidence, burnout_ns=burnout, causes=belief.causes,
            families=families, known=known,
            announced=() if self._notices is None else self._notices.match(launch, impact, types),
        ))  # fmt: skip

    def _families(
        self, warning: _Live, row: Any, own: Assessment | None, types: dict[str, float], p_real: float
    ) -> tuple[dict[str, float], str]:
        """What kind of thing it is, and which satellite of the catalogue."""
        if row is None or own is None:
            return kinds.families(types, self._spec.classes, p_real), ""
        x = np.array(row["x"], dtype=np.float64)
        P = unpack_symmetric(np.asarray(row["P"], dtype=np.float64), 6)
        known = self._known.match(x, P, int(row["t_ns"])) or ""
        made = kinds.families(
            own.types, self._spec.classes, p_real, own.ranges, own.clear, kinds.flies_like_an_aircraft(x),
            warning.watch.seen_ns is not None, int(row["parent"]) >= 0, bool(known),
        )  # fmt: skip
        return made, known

    def _is_no_attack(self, row: Any, own: Assessment | None, families: dict[str, float], known: str) -> str:
        """Why what a track follows is no attack ("": it may be one)."""
        if row is None or own is None:
            return ""
        real = max(1.0 - families["false"], 1e-12)
        if families["satellite"] > _CERTAIN * real:
            return f"it is the satellite {known}" if known else "it is in orbit, and was before"
        if families["aircraft"] > _CERTAIN * real:
            return "it flies like an aircraft"
        if families["space-launch"] > _CERTAIN * real and (own.clear or 0.0) > _CERTAIN:
            return "it has reached orbit"
        return ""

    def _not_an_attack(
        self, t_ns: int, warning: _Live, why: str, belief: credence.Belief, evidence: tuple[Evidence, ...],
        families: dict[str, float], known: str,
    ) -> WarningVersion | None:
        """End a warning of something that will not come down as an attack does, or open none."""
        last = warning.version
        if warning.track is not None:
            self._over[warning.track] = None
        if last is None:
            warning.ended = why
            return None
        if warning.partner is not None:
            self._settled[warning.partner] = None
        # a launch that reached orbit was a launch; anything else was a false warning, and everybody is told so
        launched = families["space-launch"] > families["satellite"] + families["aircraft"]
        status: Status = "closed" if launched else "cancelled"
        return self._keep(warning, msgspec.structs.replace(
            last, version=last.version + 1, t_ns=t_ns, status=status, confirmed=last.confirmed and status == "closed",
            cause=why, p_real=belief.p_real, evidence=evidence, causes=belief.causes, families=families, known=known,
        ))  # fmt: skip

    def _take_back(
        self, t_ns: int, warning: _Live, tracker: Tracker, belief: credence.Belief, evidence: tuple[Evidence, ...]
    ) -> WarningVersion:
        """Cancel a warning that is hardly believed any more, while its track still lives."""
        last = warning.version
        assert last is not None
        if warning.track is not None:
            self._over[warning.track] = None
            seen = np.unique(tracker.history(warning.track).detections["sensor"])
            self._dismissed[warning.track] = tuple(int(n) for n in seen)
        if warning.partner is not None:
            self._settled[warning.partner] = None
        sure = f"{100.0 * belief.p_real:.2g} % likely to be real"
        cause = f"taken back: {sure}, most probably {_in_words(belief.otherwise)}"
        return self._keep(warning, msgspec.structs.replace(
            last, version=last.version + 1, t_ns=t_ns, status="cancelled", confirmed=False, cause=cause,
            p_real=belief.p_real, confidence=cast(Level, credence.level(belief.p_real, self._spec.rule.credence)),
            evidence=evidence, causes=belief.causes,
        ))  # fmt: skip

    def _keep(self, warning: _Live, version: WarningVersion) -> WarningVersion:
        warning.version = version
        warning.ever_confirmed |= version.confirmed
        if version.status == "cancelled":
            agreed = [n for n, looked in sorted(warning.watch.looked.items()) if looked.detections > 0]
            if len(agreed) == 1 and warning.partner is None:
                self._alarms.append((version.t_ns, agreed[0]))
        return version

    def _first_data(self, warning: _Live, tracker: Tracker) -> int:
        assert warning.track is not None
        detections = tracker.history(warning.track).detections
        own = int(detections["t_ns"].min()) if len(detections) else warning.opened_ns
        return min(own, warning.version.first_data_ns) if warning.version is not None else own

    def _assess(self, t_ns: int, warning: _Live, row: Any, tracker: Tracker) -> Assessment | None:
        if row is None or warning.track is None:
            return None
        watch = warning.watch
        plume = Plume(watch.seen_ns, watch.gone_ns) if watch.seen_ns is not None else None
        return self._views.assess(t_ns, row, tracker, plume)

    def _merge(
        self, own: Assessment | None, theirs: WarningVersion | None, last: WarningVersion | None
    ) -> tuple[Estimate, Estimate, tuple[AreaRisk, ...], dict[str, float], int | None]:
        """Whose estimate stands: for each of launch and impact the one that says more; areas follow the impact's."""
        if theirs is None:
            if own is not None:
                return own.launch, own.impact, own.areas, own.types, own.burnout_ns
            assert last is not None
            return last.launch, last.impact, last.areas, last.types, last.burnout_ns
        launch = msgspec.structs.replace(theirs.launch, basis="partner")
        impact = msgspec.structs.replace(theirs.impact, basis="partner")
        types, burnout = theirs.types, theirs.burnout_ns
        own_impact = own is not None and not _says_more(impact, own.impact)
        if own is not None:
            types = own.types
            burnout = own.burnout_ns if own.burnout_ns is not None else burnout
            if not _says_more(launch, own.launch):
                launch = own.launch
        if own is not None and own_impact:
            impact, areas = own.impact, own.areas
        else:
            areas = risks(launch, impact, self._spec.areas, self._spec.rule.exclude_below)
        return launch, impact, areas, types, burnout

    def _shown(self, warning: _Live, row: Any) -> Shown:
        """What it is taken to show, by the most probable class and by what was measured."""
        burning = float(row["mu"][0]) > 0.5
        types = warning.version.types if warning.version is not None else {}
        likely = max(sorted(types), key=lambda k: types[k]) if types else ""
        believed = next((c for c in self._spec.classes if c.id == likely), None)
        if believed is None:  # a partner's class that we do not know: something middling
            shown = _MIDDLING
        else:
            rcs = believed.rcs_boost.nominal if burning else believed.rcs.nominal
            plume = believed.stages[-1].intensity.nominal
            shown = Shown(rcs, burning, plume, believed.trough, believed.warm.nominal)
        intensity = warning.watch.intensity if warning.watch.intensity > 0.0 else shown.intensity
        return replace(shown, burning=burning and warning.watch.gone_ns is None, intensity=intensity)

    def _evidence(
        self, t_ns: int, warning: _Live, row: Any, tracker: Tracker, impact: Estimate, burnout_ns: int | None
    ) -> tuple[tuple[Evidence, ...], tuple[credence.Said, ...]]:
        x: NDArray[np.float64] | None = None
        shown, burning_until = _MIDDLING, t_ns
        if row is not None:
            shown = self._shown(warning, row)
            x = np.array(row["x"], dtype=np.float64)
            burning_until = (
                burnout_ns if burnout_ns is not None else (t_ns + 30_000_000_000 if shown.burning else t_ns - 1)
            )
        until = impact.t_ns if impact.t_ns is not None else t_ns + 1_800_000_000_000
        until = min(max(until, t_ns), t_ns + 3_600_000_000_000)
        at = int(row["t_ns"]) if row is not None else t_ns
        watch = warning.watch
        found = collect(watch, self._sensors, self._spec.id, x, at, until, self._sky, shown, burning_until)
        spans = self._spans(warning, tracker)
        said = []
        for (n, sensor), item in zip(sorted(self._sensors.items()), found, strict=True):
            kind = item.sensor_kind
            missed = watch.looked[n].log_missed if n in watch.looked else 0.0
            alarms = sum(1 for _, who in self._alarms if who == n)
            unwell = credence.relapsing(alarms, kind, self._spec.rule.credence)
            if n in self._degraded:
                unwell *= self._spec.rule.credence.degraded
            said.append(credence.Said(sensor.id, kind, item.state, "", missed, spans.get(n, 0.0), unwell))
        return found, tuple(said)

    def _spans(self, warning: _Live, tracker: Tracker) -> dict[int, float]:
        """For each sensor behind a warning's track the time (s) from its first to its last detection."""
        if warning.track is None:
            return {}
        detections = tracker.history(warning.track).detections
        times = {}
        for n in np.unique(detections["sensor"]).tolist():
            mine = detections["t_ns"][detections["sensor"] == n]
            times[n] = (int(mine.max()) - int(mine.min())) / 1e9
        return times

    def _confirms(
        self,
        t_ns: int,
        warning: _Live,
        row: Any,
        tracker: Tracker,
        theirs: WarningVersion | None,
        evidence: tuple[Evidence, ...],
    ) -> bool:
        rule = self._spec.rule
        if theirs is not None and rule.accept_partner and theirs.confirmed:
            return True
        if len({e.sensor_kind for e in evidence if e.state == "agrees"}) < rule.min_kinds > 1:
            return False
        if row is None or warning.track is None:
            return False
        detections = tracker.history(warning.track).detections
        if len(detections) < rule.min_updates:
            return False
        span = (int(detections["t_ns"].max()) - int(detections["t_ns"].min())) / 1e9
        if span < rule.min_span or len(np.unique(detections["sensor"])) < rule.min_sensors:
            return False
        # a partner that is asked first has so long; that nothing came of it is no objection
        return rule.cross_check == 0.0 or t_ns - int(detections["t_ns"].min()) >= to_ns(rule.cross_check)

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        encode = msgspec.msgpack.encode
        return {
            "next": self._next,
            "over": list(self._over),
            "settled": list(self._settled),
            "dismissed": [[track, list(heard)] for track, heard in self._dismissed.items()],
            "alarms": [list(alarm) for alarm in self._alarms],
            "degraded": sorted(self._degraded),
            "live": [
                [
                    w.uid, w.number, w.track, w.partner, w.opened_ns, w.due_ns, encode(w.version), encode(w.theirs),
                    w.updates_seen, w.checked_ns, w.watch.state(), w.ended, w.heard,
                    encode(w.own), w.ever_confirmed,
                ]
                for w in self._live
            ],
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        decoder = msgspec.msgpack.Decoder(WarningVersion | None)
        assessments = msgspec.msgpack.Decoder(Assessment | None)
        self._next = int(state["next"])
        self._over = dict.fromkeys(int(n) for n in state["over"])
        self._settled = dict.fromkeys(str(uid) for uid in state["settled"])
        self._dismissed = {int(track): tuple(int(n) for n in heard) for track, heard in state["dismissed"]}
        self._alarms = [(int(t), int(n)) for t, n in state["alarms"]]
        self._degraded = {int(n) for n in state["degraded"]}
        self._live = [
            _Live(
                uid=w[0], number=w[1], track=w[2], partner=w[3], opened_ns=w[4], due_ns=w[5],
                version=decoder.decode(w[6]), theirs=decoder.decode(w[7]), updates_seen=w[8], checked_ns=w[9],
                watch=Watch.of(w[10]), ended=w[11], heard=w[12],
                own=assessments.decode(w[13]), ever_confirmed=bool(w[14]),
            )
            for w in state["live"]
        ]  # fmt: skip


def _is_settled(version: WarningVersion | None) -> bool:
    """Whether a confirmed warning knows the place of impact so well that a new version hardly says anything new."""
    return version is not None and version.confirmed and _size(version.impact) < _SETTLED_M**2


def _is_over(version: WarningVersion | None, t_ns: int) -> bool:
    """Whether the expected time of impact has passed by three standard deviations and half a minute."""
    if version is None or version.impact.t_ns is None:
        return False
    return t_ns > version.impact.t_ns + to_ns(30.0 + 3.0 * math.sqrt(version.impact.t_var or 0.0))


def _size(estimate: Estimate) -> float:
    """How much an estimate leaves open: area of its one-sigma ellipse (m2), infinite where it has none."""
    if estimate.kind != "gaussian" or estimate.cov_enu is None:
        return math.inf if estimate.kind == "none" else 1e30
    c = estimate.cov_enu
    return math.sqrt(max(c[0] * c[3] - c[1] * c[2], 0.0))


def _says_more(a: Estimate, b: Estimate) -> bool:
    """Whether estimate ``a`` leaves less open than ``b``."""
    return _size(a) < _size(b)


def _weighed(
    evidence: tuple[Evidence, ...], said: tuple[credence.Said, ...], belief: credence.Belief
) -> tuple[Evidence, ...]:
    """Evidence with the weight of what each sensor says."""
    weights = {item.sensor: weight for item, weight in zip(said, belief.weights, strict=True)}
    return tuple(msgspec.structs.replace(e, weight=weights.get(e.sensor, 0.0)) for e in evidence)


def _in_words(cause: str) -> str:
    """A cause as a text for people."""
    what, _, who = cause.partition(":")
    if what == "sensor":
        return f"{who}'s own doing"
    if what == "channel":
        return f"a false word of {who}"
    return "a fault behind the sensors" if what == credence.CENTRE else "chance"
