"""The life of a warning: what opens, confirms, joins, cancels and closes it. Tracks and assessments are given here by
hand.
"""

from __future__ import annotations

import math
from dataclasses import replace as changed
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
import warning_cases as cases

from tocsin.records.columns import ASSOCIATION, DETECTION, SCAN, TRACK, Life, empty
from tocsin.records.shapes import AreaRisk, Envelope, Estimate, Evidence, TrackEvent, WarningVersion
from tocsin.scenario.specs import Area, NationSpec, WarningRule
from tocsin.tracking.tracker import TrackStep
from tocsin.warning.assess import Assessment
from tocsin.warning.warner import Warner

S = 1_000_000_000
DEG = math.pi / 180.0
RING = tuple((lon * DEG, lat * DEG) for lon, lat in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
HOME = Area("home", "Home", "defended", (RING,))


def gaussian(lat: float, lon: float, sigma: float, t_s: float, basis: str = "coast") -> Estimate:
    cov = (sigma**2, 0.0, 0.0, sigma**2)
    return Estimate(0, basis, 1.0, "gaussian", (lat * DEG, lon * DEG), cov, round(t_s * S), 4.0)


def assessment(sigma: float = 20e3, impact_s: float = 600.0) -> Assessment:
    return Assessment(
        gaussian(10.0, 10.0, sigma, 0.0), gaussian(0.0, 0.0, sigma, impact_s), (AreaRisk("home", 0.9, 1.0, 0, False),),
        {"irbm": 1.0}, None, 1.0,
    )  # fmt: skip


class Hand:
    """Tracks by hand: ``row`` makes one, ``step`` gives what a tracker would say of a frame."""

    def __init__(self) -> None:
        self.detections: dict[int, Any] = {}
        self.answer = assessment()

    def history(self, track: int) -> Any:
        return SimpleNamespace(detections=self.detections[track], scans=empty(SCAN, len(self.detections[track])))

    def assess(self, t_ns: int, row: Any, tracker: Any, plume: Any) -> Assessment:
        return self.answer

    def seen(self, track: int, times_s: list[float], sensor: int = 0) -> None:
        table = empty(DETECTION, len(times_s))
        table["t_ns"] = [round(t * S) for t in times_s]
        table["sensor"] = sensor
        self.detections[track] = table

    def step(self, t_s: float, track: int | None, life: int = Life.CONFIRMED, ended: str = "") -> TrackStep:
        rows = empty(TRACK, 0 if track is None else 1)
        if track is not None:
            rows["track"], rows["t_ns"], rows["life"] = track, round(t_s * S), life
            rows["existence"], rows["updates"] = 0.99, len(self.detections[track])
            rows["mu"] = (0, 1, 0, 0, 0, 0)
            rows["x"] = (7000e3, 0, 0, 0, 7000, 0)
        events = (TrackEvent(track, "ended", round(t_s * S), ended),) if ended and track is not None else ()
        return TrackStep(rows, empty(ASSOCIATION), events, 0)


def spec(**rule: Any) -> NationSpec:
    base = WarningRule(4, 10.0, 1, True, 0.01, 10.0, 5.0)
    return NationSpec(
        id="a", name="A", unix_ns=0, theta0=0.0, frame_ns=S, duration_ns=3600 * S, stream=1, sensors=(), classes=(),
        areas=(HOME,), posts=(), rule=msgspec.structs.replace(base, **rule), shares=(), links=(),
    )  # fmt: skip


def warner(hand: Hand, **rule: Any) -> Warner:
    return Warner(spec(**rule), "own", (), hand)  # type: ignore[arg-type]


def theirs(version: int = 0, confirmed: bool = True, status: str = "opened", **change: Any) -> WarningVersion:
    made = WarningVersion(
        uid="b/to:a/0", version=version, t_ns=50 * S, status="opened", confirmed=confirmed, cause="new detections",
        track=None, sources=("b",), partner=None, first_data_ns=40 * S, launch=gaussian(10.0, 10.0, 5e3, 0.0),
        impact=gaussian(0.0, 0.0, 30e3, 600.0), areas=(), types={"irbm": 1.0}, p_real=0.99, confidence="high",
        evidence=(Evidence("infrared", "ir", "agrees", None, ("b",)),),
    )  # fmt: skip
    return msgspec.structs.replace(made, status=status, **change)


def mail(version: WarningVersion) -> tuple[tuple[Envelope, WarningVersion], ...]:
    return ((Envelope("b", "a", version.version, 0, 0, "warning", "EXERCISE", msgspec.Raw(b"\xc0")), version),)


NO_SCANS = empty(SCAN)


def test_a_confirmed_track_opens_a_warning_after_its_processing_and_the_rule_confirms_it() -> None:
    hand = Hand()
    w = warner(hand)
    hand.seen(1, [100.0, 104.0])
    assert w.step(105 * S, NO_SCANS, hand.step(105, 1), hand) == []  # 5 s of processing
    (opened,) = w.step(110 * S, NO_SCANS, hand.step(110, 1), hand)
    assert (opened.uid, opened.version, opened.status, opened.confirmed) == ("a/own/0", 0, "opened", False)
    assert opened.first_data_ns == 100 * S
    hand.seen(1, [100.0, 104.0, 108.0, 109.9])  # four updates, but not over ten seconds
    assert [v.status for v in w.step(120 * S, NO_SCANS, hand.step(120, 1), hand)] == ["updated"]
    hand.seen(1, [100.0, 104.0, 108.0, 109.9, 110.0])
    (confirmed,) = w.step(130 * S, NO_SCANS, hand.step(130, 1), hand)
    assert (confirmed.version, confirmed.status, confirmed.confirmed) == (2, "confirmed", True)


@pytest.mark.parametrize(("sensors", "confirmed"), [(1, False), (2, True)])
def test_the_rule_may_ask_for_several_sensors(sensors: int, confirmed: bool) -> None:
    hand = Hand()
    w = warner(hand, min_sensors=2)
    hand.seen(1, [100.0, 104.0, 108.0, 112.0])
    hand.detections[1]["sensor"] = np.arange(4) % sensors
    w.step(113 * S, NO_SCANS, hand.step(113, 1), hand)
    (opened,) = w.step(118 * S, NO_SCANS, hand.step(118, 1), hand)
    assert opened.confirmed is confirmed


def test_a_track_that_ends_unconfirmed_takes_its_warning_back() -> None:
    hand = Hand()
    w = warner(hand)
    hand.seen(1, [100.0, 104.0])
    w.step(105 * S, NO_SCANS, hand.step(105, 1), hand)
    w.step(110 * S, NO_SCANS, hand.step(110, 1), hand)
    (version,) = w.step(140 * S, NO_SCANS, hand.step(140, 1, Life.ENDED, "not seen again"), hand)
    assert (version.status, version.confirmed) == ("cancelled", False)
    assert version.cause == "never confirmed: not seen again"
    assert w.newest() == {}


def test_a_confirmed_warning_closes_after_the_time_of_impact_and_its_track_opens_no_other() -> None:
    hand = Hand()
    w = warner(hand)
    hand.seen(1, [100.0, 104.0, 108.0, 112.0])
    made = [v for t in range(113, 720) for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)]
    assert [v.version for v in made] == list(range(len(made)))
    assert {v.uid for v in made} == {"a/own/0"}
    assert (made[-1].status, made[-1].cause) == ("closed", "the time of impact has passed")
    # impact at 600 s, three sigma of 2 s and half a minute
    assert 636 < made[-1].t_ns / S <= 646
    assert w.newest() == {}


def test_without_new_data_versions_come_a_minute_apart_and_with_them_at_the_nations_spacing() -> None:
    hand = Hand()
    w = warner(hand)
    hand.seen(1, [100.0, 104.0, 108.0, 112.0])
    quiet = [v.t_ns // S for t in range(113, 300) for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)]
    assert np.diff(quiet).tolist() == [60, 60, 60]
    busy = []
    for t in range(300, 360):
        hand.seen(1, [100.0 + 4.0 * k for k in range(t - 290)])
        busy += [v.t_ns // S for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)]
    assert set(np.diff(busy)) == {10}


def test_a_settled_estimate_is_told_less_often() -> None:
    hand = Hand()
    hand.answer = assessment(sigma=500.0)
    w = warner(hand)
    told = []
    for t in range(113, 300):
        hand.seen(1, [float(k) for k in range(100, t, 2)])
        told += [v.t_ns // S for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)]
    assert set(np.diff(told)[2:]) == {30}  # opened, confirmed, settled, and then


def test_a_partners_warning_opens_ours_and_is_enough_if_the_rule_says_so() -> None:
    for accept in (True, False):
        hand = Hand()
        w = warner(hand, accept_partner=accept)
        (opened,) = w.step(60 * S, NO_SCANS, hand.step(60, None), hand, mail(theirs()))
        assert opened.partner == "b/to:a/0"
        assert opened.sources == ("b",)
        assert opened.launch.basis == "partner"
        assert opened.confirmed is accept
        assert opened.evidence[-1].source_chain == ("b",)
        assert opened.areas[0].area == "home"  # reckoned here: the partner knows nothing of our areas
        assert opened.areas[0].p_impact > 0.5


def test_our_track_joins_the_partners_warning_of_the_same_launch_and_not_that_of_another() -> None:
    for impact_s, joined in ((600.0, True), (3000.0, False)):
        hand = Hand()
        hand.answer = assessment()
        if not joined:
            hand.answer = Assessment(
                gaussian(40.0, 40.0, 5e3, 2000.0), gaussian(50.0, 60.0, 5e3, impact_s), (), {"irbm": 1.0}, None, 1.0
            )
        w = warner(hand)
        w.step(60 * S, NO_SCANS, hand.step(60, None), hand, mail(theirs()))
        hand.seen(1, [100.0, 104.0, 108.0, 112.0])
        made = [v for t in range(113, 140) for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)]
        assert {v.uid for v in made if v.track == 1} == ({"a/own/0"} if joined else {"a/own/1"})
        assert len(w.newest()) == (1 if joined else 2)
        if joined:
            assert made[-1].sources == ("a", "b")
            assert made[-1].launch.basis == "partner"  # 5 km leave less open than our 20 km
            assert made[-1].impact.basis == "coast"


def test_a_partner_that_takes_its_word_back_takes_ours_back_too() -> None:
    hand = Hand()
    w = warner(hand)
    w.step(60 * S, NO_SCANS, hand.step(60, None), hand, mail(theirs()))
    (version,) = w.step(90 * S, NO_SCANS, hand.step(90, None), hand, mail(theirs(1, False, "cancelled")))
    assert (version.status, version.confirmed) == ("cancelled", False)
    assert w.step(95 * S, NO_SCANS, hand.step(95, None), hand, mail(theirs(1, False, "cancelled"))) == []


def test_late_word_of_an_event_that_is_over_opens_nothing() -> None:
    hand = Hand()
    w = warner(hand)
    w.step(60 * S, NO_SCANS, hand.step(60, None), hand, mail(theirs()))
    made = [v for t in range(61, 700) for v in w.step(t * S, NO_SCANS, hand.step(t, None), hand)]
    assert made[-1].status == "closed"
    assert w.step(700 * S, NO_SCANS, hand.step(700, None), hand, mail(theirs(9))) == []
    assert w.newest() == {}


def test_a_restored_warner_goes_on_alike() -> None:
    hand = Hand()
    first, second = warner(hand), warner(hand)
    hand.seen(1, [100.0, 104.0, 108.0, 112.0])
    first.step(60 * S, NO_SCANS, hand.step(60, None), hand, mail(theirs()))
    for t in range(113, 150):
        first.step(t * S, NO_SCANS, hand.step(t, 1), hand)
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(first.state()))
    second.load(plain)
    for t in range(150, 700):
        assert first.step(t * S, NO_SCANS, hand.step(t, 1), hand) == second.step(t * S, NO_SCANS, hand.step(t, 1), hand)


def test_a_warning_that_more_sensors_contradict_than_bear_out_is_downgraded_once_and_stays_so() -> None:
    """Three sensors object, one agrees: nothing confirms it again while that is so."""
    hand = Hand()
    w = warner(hand)
    w.step(60 * S, NO_SCANS, hand.step(60, None), hand, mail(theirs()))
    against = (*theirs().evidence, *(Evidence("radar", f"r{k}", "disagrees", None, ("b",)) for k in range(3)))
    made = []
    for k in range(1, 4):
        word = mail(theirs(k, evidence=against))
        made += w.step((60 + 20 * k) * S, NO_SCANS, hand.step(60 + 20 * k, None), hand, word)
    assert [v.status for v in made] == ["downgraded", "updated", "updated"]
    assert not any(v.confirmed for v in made)
    assert {v.confidence for v in made} == {"no"}


def test_a_satellite_opens_no_warning_and_takes_back_one_that_was_open() -> None:
    hand = Hand()
    w = warner(hand)
    hand.seen(1, [100.0, 104.0, 108.0, 112.0])
    hand.answer = changed(assessment(), clear=1.0)
    assert [v for t in range(113, 200) for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)] == []
    hand.answer = assessment()
    hand.seen(2, [200.0, 204.0, 208.0, 212.0])
    made = [v for t in range(213, 230) for v in w.step(t * S, NO_SCANS, hand.step(t, 2), hand)]
    assert made[-1].confirmed
    hand.answer = changed(assessment(), clear=1.0)
    hand.seen(2, [200.0, 204.0, 208.0, 212.0, 230.0])
    made = [v for t in range(231, 300) for v in w.step(t * S, NO_SCANS, hand.step(t, 2), hand)]
    assert [(v.status, v.cause) for v in made] == [("cancelled", "it is in orbit, and was before")]
    assert not made[0].confirmed
    assert made[0].families["satellite"] > 0.9


def test_a_launch_that_reaches_orbit_closes_its_warning() -> None:
    hand = Hand()
    w = Warner(
        msgspec.structs.replace(spec(), classes=(cases.make_class("slv", family="space-launch"),)), "own", (), hand
    )  # type: ignore[arg-type]
    hand.answer = changed(assessment(), types={"slv": 1.0})
    hand.seen(1, [100.0, 104.0, 108.0, 112.0])
    w.step(113 * S, NO_SCANS, hand.step(113, 1), hand)
    w._live[0].watch.note_plume(112 * S, 1e5)
    assert w.step(118 * S, NO_SCANS, hand.step(118, 1), hand)[0].status == "opened"
    hand.answer = changed(hand.answer, clear=1.0)
    hand.seen(1, [100.0, 104.0, 108.0, 112.0, 120.0])
    (version,) = w.step(130 * S, NO_SCANS, hand.step(130, 1), hand)
    assert (version.status, version.cause) == ("closed", "it has reached orbit")


def test_what_is_hardly_believed_is_taken_back_and_another_sensor_brings_it_up_again() -> None:
    hand = Hand()
    w = warner(hand)
    hand.seen(1, [100.0, 104.0, 108.0, 112.0])
    w.step(113 * S, NO_SCANS, hand.step(113, 1), hand)
    assert w.step(118 * S, NO_SCANS, hand.step(118, 1), hand)[0].confirmed
    doubted = hand.step(130, 1)
    doubted.tracks["existence"] = 0.001
    hand.seen(1, [100.0, 104.0, 108.0, 112.0, 129.0])
    doubted.tracks["updates"] = 5
    (version,) = w.step(130 * S, NO_SCANS, doubted, hand)
    assert (version.status, version.confirmed, version.confidence) == ("cancelled", False, "no")
    assert version.cause.startswith("taken back: ")
    assert version.cause.endswith("most probably chance")
    # the same sensor goes on: nothing; another one sees it: a new warning
    more = [v for t in range(131, 160) for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)]
    assert more == []
    again = hand.step(160, 1)
    pair = empty(ASSOCIATION, 1)
    pair["track"], pair["sensor"] = 1, 3
    w.step(160 * S, NO_SCANS, TrackStep(again.tracks, pair, (), 0), hand)
    (opened,) = w.step(165 * S, NO_SCANS, hand.step(165, 1), hand)
    assert (opened.uid, opened.status) == ("a/own/1", "opened")


def test_two_kinds_of_sensor_may_be_asked_for() -> None:
    for kind, confirmed in (("infrared", False), ("radar", True)):
        hand = Hand()
        w = warner(hand, accept_partner=False, min_kinds=2)
        own = (Evidence("infrared", "ir", "agrees", None, ("b",)), Evidence(kind, "x", "agrees", None, ("b",)))
        hand.seen(1, [100.0, 104.0, 108.0, 112.0])
        w.step(113 * S, NO_SCANS, hand.step(113, 1), hand, mail(theirs(evidence=own)))
        made = [v for t in range(114, 140) for v in w.step(t * S, NO_SCANS, hand.step(t, 1), hand)]
        assert made[-1].track == 1
        assert made[-1].confirmed is confirmed


def test_older_word_that_was_overtaken_opens_nothing_again() -> None:
    hand = Hand()
    w = warner(hand)
    w.step(60 * S, NO_SCANS, hand.step(60, None), hand, mail(theirs()))
    (version,) = w.step(90 * S, NO_SCANS, hand.step(90, None), hand, mail(theirs(2, False, "cancelled")))
    assert version.status == "cancelled"
    for late in (theirs(1), theirs(2, False, "cancelled")):
        assert w.step(95 * S, NO_SCANS, hand.step(95, None), hand, mail(late)) == []
    assert w.newest() == {}


def test_heard_of_and_taken_back_within_a_frame_tells_nobody() -> None:
    hand = Hand()
    w = warner(hand)
    both = (*mail(theirs()), *mail(theirs(1, False, "cancelled")))
    assert w.step(60 * S, NO_SCANS, hand.step(60, None), hand, both) == []
    assert w.newest() == {}



def test_false_alarms_of_a_sensor_are_minded_for_an_hour() -> None:
    w = warner(Hand())
    w._alarms = [(100 * S, 0)]
    w._note_health(101 * S, NO_SCANS)
    assert w._alarms
    w._note_health(3701 * S, NO_SCANS)
    assert not w._alarms
