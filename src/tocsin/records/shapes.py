"""The sparse shapes: estimates, evidence, warnings, messages, decisions, and the frame that drives a nation."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tocsin.records.columns import Table
from tocsin.records.record import Input, Record, Ref
from tocsin.scenario.specs import Announcement

GeoJson = dict[str, Any]


class Estimate(msgspec.Struct, frozen=True):
    """Where and when, with what is not known about it. Launch points lie on the ground, impact points on the ellipsoid.

    ``as_of_ns``: time of the newest data in it; ``basis``: how it was made ("boost-fit", "coast", "partner", ...);
    ``p_impact``: probability that there is such a point at all (1 for launches); ``kind``: "gaussian" (``mean``,
    ``cov_enu`` hold), "polygon" (only the regions hold) or "none" (nothing can be said yet); ``mean``: latitude,
    longitude (rad); ``cov_enu``: 2 x 2 east-north (m2), rows joined; ``t_ns``, ``t_var`` (s2): the time and its
    variance; ``cov_position_time``: east, north (m s); ``region50``, ``region95``: GeoJSON Polygon or MultiPolygon in
    degrees, cut at the date line, right over the poles.
    """

    as_of_ns: int
    basis: str
    p_impact: float
    kind: Literal["gaussian", "polygon", "none"]
    mean: tuple[float, float] | None = None
    cov_enu: tuple[float, float, float, float] | None = None
    t_ns: int | None = None
    t_var: float | None = None
    cov_position_time: tuple[float, float] | None = None
    region50: GeoJson | None = None
    region95: GeoJson | None = None


class Evidence(msgspec.Struct, frozen=True):
    """What one sensor says of one event. ``not_yet``: it could not have looked; ``could_from_ns``: from when it can
    (None: never).

    ``source_chain``: the nations through which it came, first the owner of the sensor: it stops a rumour that comes
    home. ``looks``: how often it has looked where the object was, ``detections``: how often it found it; ``weight``:
    log10 of the odds that it adds for something real in its nation's reckoning (negative: against).
    """

    sensor_kind: str
    sensor: str
    state: Literal["agrees", "disagrees", "not_yet"]
    could_from_ns: int | None
    source_chain: tuple[str, ...]
    looks: int = 0
    detections: int = 0
    weight: float = 0.0


class AreaRisk(msgspec.Struct, frozen=True):
    """One area in one version of a warning.

    ``p_impact``: probability of impact inside; ``p_passage``: that it flies over at any height; ``t_ns``: expected time
    of impact or first passage (None: neither is likely); ``excluded``: the probability of impact is under the nation's
    limit.
    """

    area: str
    p_impact: float
    p_passage: float
    t_ns: int | None
    excluded: bool


class Announced(msgspec.Struct, frozen=True):
    """A notice that a launch may be the one of: its id, who sent it, the probability that it is."""

    notice: str
    sender: str
    p: float


class WarningVersion(msgspec.Struct, frozen=True):
    """A warning as it stood from ``t_ns``; versions are only ever added.

    ``uid``: "japan/own/3" (nation, label, number); ``status``: "opened", "updated", "confirmed", "downgraded",
    "cancelled", "closed"; ``confirmed``: whether it stands confirmed in this version; ``cause``: why this version was
    made; ``track``: the pipeline's track (None: from a partner alone); ``sources``: nations whose sensors stand behind
    it; ``partner``: the partner's warning uid that fed it, if any; ``p_real`` and ``confidence`` ("no", "low",
    "medium", "high"); ``types``: class id to probability; ``causes``: what it may be, to probability (sum 1): "real",
    "sensor:ID" (that sensor's own doing), "centre" (a fault behind the sensors), "channel:NATION", "chance";
    ``announced``: the notices at hand that it may be the launch of; ``shown``: where it came up on displays, how
    many each post's showed.
    ``families``: what kind of thing it is, to probability (sum 1; see ``warning.typing.FAMILIES``); ``known``: the
    satellite of the nation's catalogue that it is ("": none);
    ``announced``: the notices at hand that it may be the launch of.
    """

    uid: str
    version: int
    t_ns: int
    status: Literal["opened", "updated", "confirmed", "downgraded", "cancelled", "closed"]
    confirmed: bool
    cause: str
    track: int | None
    sources: tuple[str, ...]
    partner: str | None
    first_data_ns: int
    launch: Estimate
    impact: Estimate
    areas: tuple[AreaRisk, ...]
    types: dict[str, float]
    p_real: float
    confidence: Literal["no", "low", "medium", "high"]
    evidence: tuple[Evidence, ...]
    burnout_ns: int | None = None
    causes: dict[str, float] = {}
    families: dict[str, float] = {}
    known: str = ""
    announced: tuple[Announced, ...] = ()
    shown: dict[str, int] = {}


class Report(msgspec.Struct, frozen=True):
    """Words on a launch that come to a nation by another way than its sensors' scans.

    ``id``: the same for all words on one launch; ``way``: "processing" (into the centre's data processing, where it
    looks like any other data) or "message" (to ``post``); ``class_id`` and ``count`` of what is said to fly;
    ``launch``, ``impact``: latitude, longitude (rad) and time (ns), None where nothing is said; ``sensors``: those that
    are said to have seen it; ``ends``: the last word, no more follow.
    """

    id: str
    way: Literal["processing", "message"]
    post: str
    class_id: str
    count: int
    launch: tuple[float, float, int] | None
    impact: tuple[float, float, int] | None
    sensors: tuple[str, ...]
    text: str = ""
    ends: bool = False


class Screen(msgspec.Struct, frozen=True):
    """One message to a post's display: what is counted, and how many."""

    post: str
    counts: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Of all fields."""
        return sum(n for _, n in self.counts)


class TrackEvent(msgspec.Struct, frozen=True):
    """ "initiated", "confirmed", "coasting", "reacquired", "stitched", "split", "ended" of one track."""

    track: int
    event: str
    t_ns: int
    reason: str = ""


class Envelope(msgspec.Struct, frozen=True):
    """A message between nations. ``n`` counts per (sender, recipient); its identity across the border is
    ("sender>recipient", n).
    """

    sender: str
    recipient: str
    n: int
    sent_ns: int
    arrive_ns: int
    kind: str  # "warning", or "receipt" of one that was taken back
    exercise: str  # always "EXERCISE": nothing here is ever to be taken for the real thing
    body: msgspec.Raw

    @property
    def ref(self) -> Ref:
        """Identity across the border."""
        return (f"{self.sender}>{self.recipient}", self.n)


class RaidPicture(msgspec.Struct, frozen=True):
    """All open warnings of a nation together, recorded as "raid" where there are several and the picture has changed.

    ``open``: warnings, ``confirmed`` of them; ``expected``: of them real, and ``least`` to ``most`` with 90 %;
    ``rate_per_min``: of launches; ``first_impact_ns``, ``last_impact_ns`` with sigmas (s); ``areas``: expected impacts
    by area; ``counts``: objects that each sensor, and each partner, has a part in.
    """

    t_ns: int
    open: int
    confirmed: int
    expected: float
    least: int
    most: int
    rate_per_min: float | None
    first_impact_ns: int | None
    first_sigma_s: float | None
    last_impact_ns: int | None
    last_sigma_s: float | None
    areas: dict[str, float]
    counts: dict[str, int]


class Receipt(msgspec.Struct, frozen=True):
    """A recipient's word that it has a message which takes a warning back: its ``uid`` and ``version``."""

    uid: str
    version: int


class Recall(msgspec.Struct, frozen=True):
    """What becomes of telling one ``recipient`` that a ``warning`` is taken back; recorded as "warning.recall".

    ``event``: "told" (the first message), "told again" (no receipt had come), "has it" (the receipt), "no receipt" (it
    has been told often enough); ``times``: messages so far; ``since_ns``: when it was taken back here, from which its
    clock runs.
    """

    warning: str
    recipient: str
    event: Literal["told", "told again", "has it", "no receipt"]
    times: int
    since_ns: int


class Decision(msgspec.Struct, frozen=True):
    """A post's step. ``action``: "confirm", "inform", "exclude", "stand-down", ...; ``by``: "doctrine" or the person of
    a seat;

    ``due_ns``: when its condition came to hold; the record's time is when it was done, ``took_s`` later.
    """

    post: str
    step: str
    action: str
    warning: str
    version: int
    due_ns: int
    took_s: float
    by: str
    text: str
    areas: tuple[str, ...] = ()


class Conference(msgspec.Struct, frozen=True):
    """Something in the life of a conference ``id`` on a warning: ``event`` "called", "joined" (``post``), "refused" (so
    many did that it cannot agree) or "adjourned" (without a decision). That it agreed and that it was stood down are
    decisions, of its chair's post and with the conference as the step. ``by``: "doctrine" or a person.
    """

    id: str
    event: Literal["called", "joined", "refused", "adjourned"]
    warning: str
    version: int
    post: str
    by: str
    text: str


class AlertState(msgspec.Struct, frozen=True):
    """The nation's alert state changed to ``id`` ("" for none), rung ``level`` of its ladder (0: none), from
    ``was_level``; ``warning``: the one that holds it there, "" for none.
    """

    id: str
    event: Literal["raised", "lowered"]
    level: int
    was_level: int
    warning: str
    text: str


class Task(msgspec.Struct, frozen=True):
    """A centre's word to one of its sensors (cueing): watch what is at ``x`` (6, eci, m and m/s) at ``t_ns`` and flies
    freely from there, known to ``spread`` (m, 1 sigma), from then until ``until_ns``.

    ``about``: what it is for ("track 3", a partner's warning); a newer task to one sensor about the same takes the
    place of the older one. Recorded as "sensor.task", and carried out from the next frame on.
    """

    sensor: str
    t_ns: int
    until_ns: int
    x: tuple[float, float, float, float, float, float]
    spread: float
    about: str = ""


class Frame(msgspec.Struct, frozen=True):
    """All that reaches a nation in one frame ``(t0_ns, t1_ns]``: what its sensors delivered, messages that arrived, its
    seats' inputs.

    ``scans`` and ``detections``: tables of ``columns.SCAN`` and ``columns.DETECTION`` ordered by (sensor, scan[, n]);
    ``records``: the identity of the record that carried them, for causes; ``reports``: words that came by another way;
    ``screens``: what the posts' displays show anew; ``notices``: those whose last hand-off was in this frame.
    """

    t0_ns: int
    t1_ns: int
    scans: Table
    detections: Table
    envelopes: tuple[Envelope, ...] = ()
    inputs: tuple[Input, ...] = ()
    scan_record: Ref | None = None
    detection_record: Ref | None = None
    reports: tuple[Report, ...] = ()
    screens: tuple[Screen, ...] = ()
    notices: tuple[Announcement, ...] = ()


class Step(msgspec.Struct, frozen=True):
    """What a nation gives back for a frame; ``screens``: what its centre sends to its posts' displays."""

    records: tuple[Record, ...]
    outgoing: tuple[Envelope, ...]
    tasks: tuple[Task, ...]
    screens: tuple[Screen, ...] = ()
