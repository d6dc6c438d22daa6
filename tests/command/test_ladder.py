"""Conferences: who joins when, who must agree, what a person's word does, when they are left, and that none stays."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tocsin.command.doctrine import check_doctrine
from tocsin.command.posts import Desk, DoctrineError
from tocsin.records.record import Input, pack
from tocsin.records.shapes import AlertState, AreaRisk, Conference, Decision, Estimate, Evidence, WarningVersion
from tocsin.scenario.specs import Area, Call, NationSpec, Post, Rung, Spread, StepRule, WarningRule

S = 1_000_000_000
LEVELS = ("no", "low", "medium", "high")


def call(post: str, joins: float = 5.0, agrees: str = "confirmed") -> Call:
    return Call(post, Spread(joins, 0.0), agrees)


def rung(
    id: str,
    when: str = "confirmed",
    calls: tuple[Call, ...] = (call("watch"),),
    agree: int = 1,
    takes: float = 10.0,
    after: tuple[str, ...] = (),
    leave: str = "over",
    leave_takes: float = 4.0,
    state: str = "",
    action: str = "note",
    text: str = "",
) -> Rung:
    return Rung(
        id, id.title(), when, after, calls, agree, Spread(takes, 0.0), state or id, action, text, leave,
        Spread(leave_takes, 0.0), "notional",
    )  # fmt: skip


def nation(*ladder: Rung, posts: tuple[Post, ...] = (), stream: int = 7) -> NationSpec:
    empty = tuple(Post(name, name.title(), ()) for name in ("watch", "chief", "leader"))
    have = {p.id for p in posts}
    return NationSpec(
        "japan", "Japan", 1_503_953_880 * S, 0.0, S, 1800 * S, stream, (), (),
        (Area("hokkaido", "Hokkaido", "defended", ()),), (*posts, *(p for p in empty if p.id not in have)),
        WarningRule(3, 5.0, 1, True, 0.01, 5.0, 2.0), (), (), ladder=ladder,
    )  # fmt: skip


def warning(
    uid: str = "japan/own/0",
    version: int = 0,
    status: str = "confirmed",
    confirmed: bool = True,
    confidence: str = "high",
    p_real: float = 0.99,
    kinds: int = 2,
) -> WarningVersion:
    none = Estimate(0, "none", 1.0, "none")
    evidence = tuple(Evidence(k, k, "agrees", None, ("japan",)) for k in ("infrared", "radar")[:kinds])
    return WarningVersion(
        uid, version, 0, status, confirmed, "new detections", 3, ("japan",), None, 0, none, none,
        (AreaRisk("hokkaido", 0.2, 0.9, None, False),), {}, p_real, confidence, evidence,
    )  # fmt: skip


def seat(act: str, body: object, n: int, post: str = "watch", person: str = "Mori") -> Input:
    return Input(f"i{n}", "main", f"japan/{post}", person, act, 1, pack(body))


def decide(step: str, n: int, choice: str = "do", post: str = "watch", uid: str = "japan/own/0") -> Input:
    return seat("decide", {"warning": uid, "step": step, "choice": choice}, n, post)


@dataclass
class Told:
    decisions: list[tuple[int, str, str, str]] = field(default_factory=list)  # second, step, action, by
    events: list[tuple[int, str, str, str]] = field(default_factory=list)  # second, id, event, post
    alerts: list[tuple[int, str, int]] = field(default_factory=list)


def run(
    desk: Desk, until: int, at: dict[int, WarningVersion], inputs: dict[int, list[Input]] | None = None, start: int = 0
) -> Told:
    """Frames of a second; ``at``: versions by the second in which they are made."""
    told, newest = Told(), {}
    for t in range(start + 1, until + 1):
        if t in at:
            newest[at[t].uid] = at[t]
        made = desk.step(t * S, newest, tuple((inputs or {}).get(t, ())))
        told.decisions += [(when // S, d.step, d.action, d.by) for when, d in made]
        for when, event in desk.events():
            assert event.text.startswith("EXERCISE")
            if isinstance(event, Conference):
                told.events.append((when // S, event.id, event.event, event.post))
            else:
                told.alerts.append((when // S, event.id, event.level))
        newest = {u: v for u, v in newest.items() if v.status not in ("cancelled", "closed")}
    return told


def test_a_conference_is_called_joined_and_agrees_after_its_times() -> None:
    two = (call("watch", 5.0), call("chief", 20.0))
    desk = Desk(nation(rung("talk", calls=two, agree=2, takes=10.0)))
    told = run(desk, 60, {3: warning()})
    # called with the warning, the last of those needed joins 20 s later, and they need ten seconds from then
    assert [e[0] for e in told.events] == [3, 8, 23]
    assert [e[1:] for e in told.events] == [
        ("talk", "called", "watch"), ("talk", "joined", "watch"), ("talk", "joined", "chief"),
    ]  # fmt: skip
    assert told.decisions == [(33, "talk", "note", "doctrine")]
    assert told.alerts == [(33, "talk", 1)]


@pytest.mark.parametrize(("agree", "at"), [(1, 8 + 10), (2, 23 + 10), (3, 43 + 10)])
def test_so_many_must_agree_as_the_rung_says(agree: int, at: int) -> None:
    three = (call("watch", 5.0), call("chief", 20.0), call("leader", 40.0))
    told = run(Desk(nation(rung("talk", calls=three, agree=agree))), 80, {3: warning()})
    assert told.decisions == [(at, "talk", "note", "doctrine")]


def test_a_post_agrees_when_its_own_condition_holds_and_not_before() -> None:
    doubting = (call("watch", 1.0), call("chief", 1.0, "sensor_kinds >= 2"))
    desk = Desk(nation(rung("talk", calls=doubting, agree=2, takes=5.0)))
    told = run(desk, 60, {3: warning(kinds=1), 40: warning(version=1, kinds=2)})
    assert [d[0] for d in told.decisions] == [40]


def test_a_person_decides_instead_of_the_doctrine() -> None:
    def of(*inputs: Input) -> Told:
        desk = Desk(nation(rung("talk", calls=(call("watch", 20.0),), takes=10.0)))
        return run(desk, 90, {3: warning()}, {1: [seat("seat.take", {}, 0)], 30: list(inputs)})

    assert of().decisions == []  # the doctrine is silent where somebody sits
    assert of(decide("talk", 1)).decisions == [(30, "talk", "note", "Mori")]
    refused = of(decide("talk", 1, "decline"))
    assert refused.decisions == []
    assert refused.events[-1] == (30, "talk", "refused", "watch")
    assert of(seat("seat.release", {}, 1)).decisions == [(33, "talk", "note", "doctrine")]


def test_one_who_refuses_does_not_stop_those_who_are_enough() -> None:
    three = (call("watch"), call("chief"), call("leader"))
    inputs = {1: [seat("seat.take", {}, 0)], 5: [decide("talk", 1, "decline")]}
    told = run(Desk(nation(rung("talk", calls=three, agree=2))), 60, {3: warning()}, inputs)
    assert told.decisions == [(18, "talk", "note", "doctrine")]
    told = run(Desk(nation(rung("talk", calls=three, agree=3))), 60, {3: warning()}, inputs)
    assert told.decisions == []
    assert (5, "talk", "refused", "watch") in told.events


def test_what_a_person_may_not_do_is_said() -> None:
    desk = Desk(nation(rung("talk", calls=(call("watch"), call("chief")), agree=2)))
    taken = seat("seat.take", {}, 0)
    version = warning()
    desk.step(S, {}, (taken,))
    assert desk.refuses(decide("talk", 1)) == "no conference 'talk' has been called for japan/own/0"
    assert desk.refuses(decide("walk", 1)) == "the post has no step 'walk'; steps: "
    assert desk.refuses(decide("talk", 1), {}) == "there is no warning 'japan/own/0'"
    desk.step(2 * S, {version.uid: version})
    assert [(p.post, p.step) for p in desk.proposals()] == [("watch", "talk")]
    desk.step(3 * S, {version.uid: version}, (decide("talk", 2),))
    assert desk.refuses(decide("talk", 3)) == "'watch' has already decided in the conference 'talk' on japan/own/0"
    for t in range(4, 30):
        desk.step(t * S, {version.uid: version})
    assert desk.refuses(decide("talk", 4)) == "the conference 'talk' has already agreed on japan/own/0"
    assert desk.proposals() == ()


def test_rungs_are_climbed_one_after_the_other_and_left_from_the_top() -> None:
    ladder = (
        rung("low", takes=2.0, calls=(call("watch", 1.0),), leave="over or confidence < 'medium'"),
        rung("high", takes=2.0, calls=(call("chief", 1.0),), after=("low",), state="alarm", leave="over"),
    )
    told = run(Desk(nation(*ladder)), 60, {3: warning(), 30: warning(version=1, confidence="low")})
    assert told.decisions == [
        (6, "low", "note", "doctrine"),
        (9, "high", "note", "doctrine"),
        (34, "high", "stand-down", "doctrine"),  # it stands on the lower one, which is left four seconds after 30
        (34, "low", "stand-down", "doctrine"),
    ]
    assert told.alerts == [(6, "low", 1), (9, "alarm", 2), (34, "", 0)]


def test_the_nation_is_in_the_highest_state_of_all_its_warnings() -> None:
    ladder = (
        rung("low", takes=2.0, calls=(call("watch", 1.0),)),
        rung("high", "confidence == 'high'", takes=2.0, calls=(call("chief", 1.0),), after=("low",)),
    )
    at = {
        3: warning(), 5: warning("japan/own/1", confidence="medium"),
        40: warning(version=1, status="cancelled", confirmed=False),
        60: warning("japan/own/1", version=1, status="closed"),
    }  # fmt: skip
    told = run(Desk(nation(*ladder)), 90, at)
    assert told.alerts == [(6, "low", 1), (9, "high", 2), (44, "low", 1), (64, "", 0)]


def test_it_adjourns_when_the_warning_is_over_before_it_agreed() -> None:
    desk = Desk(nation(rung("talk", takes=100.0)))
    told = run(desk, 60, {3: warning(), 20: warning(version=1, status="cancelled", confirmed=False)})
    assert told.events[-1] == (20, "talk", "adjourned", "watch")
    assert told.decisions == []


def test_it_adjourns_then_whatever_its_condition_to_leave() -> None:
    desk = Desk(nation(rung("talk", takes=100.0, leave="disagrees >= 5")))
    told = run(desk, 60, {3: warning(), 20: warning(version=1, status="closed")})
    assert told.events[-1] == (20, "talk", "adjourned", "watch")


def test_what_has_ended_is_called_again_only_after_its_condition_has_ceased_to_hold() -> None:
    desk = Desk(nation(rung("talk", calls=(call("watch", 1.0),), takes=2.0, leave="not confirmed", leave_takes=2.0)))
    at = {
        3: warning(), 20: warning(version=1, status="downgraded", confirmed=False),
        30: warning(version=2), 40: warning(version=3, status="cancelled", confirmed=False),
    }  # fmt: skip
    told = run(desk, 60, at)
    assert [e[0] for e in told.events if e[2] == "called"] == [3, 30]
    assert [d[:3] for d in told.decisions] == [
        (6, "talk", "note"), (22, "talk", "stand-down"), (33, "talk", "note"), (42, "talk", "stand-down"),
    ]  # fmt: skip


def test_a_restored_desk_remembers_what_has_ended_and_does_not_call_it_again() -> None:
    spec = nation(rung("talk"))
    desk, again = Desk(spec), Desk(spec)
    newest = {"japan/own/0": warning()}
    desk.step(S, newest, (seat("seat.take", {}, 0),))
    desk.step(2 * S, newest, (decide("talk", 1, "decline"),))
    assert [e.event for _, e in desk.events() if isinstance(e, Conference)] == ["refused"]
    again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(desk.state())))
    for t in range(3, 20):
        again.step(t * S, newest)
        assert again.events() == []


def test_a_conference_that_nothing_stands_down_goes_with_the_forgotten_warning() -> None:
    desk = Desk(nation(rung("talk", calls=(call("watch", 1.0),), takes=2.0, leave="disagrees >= 5")))
    told = run(desk, 700, {3: warning(), 20: warning(version=1, status="closed")})
    assert told.decisions == [(6, "talk", "note", "doctrine"), (620, "talk", "stand-down", "doctrine")]
    assert told.alerts[-1] == (620, "", 0)


def test_steps_ask_for_conferences_and_alert_states_and_rungs_for_steps() -> None:
    steps = (
        StepRule("siren", "inform", "conference('talk') and alert('talk') and alert_state", Spread(5.0), (), "", ""),
        StepRule("listen", "note", "called('talk')", Spread(1.0), (), "", ""),
    )
    heard = (call("watch", 1.0, "done('watch/siren')"),)
    second = rung("end", "done('siren')", calls=heard, takes=2.0, after=("talk",))
    spec = nation(rung("talk", calls=(call("watch", 1.0),), takes=2.0), second, posts=(Post("watch", "Watch", steps),))
    assert check_doctrine(spec.posts, ["hokkaido"], [], spec.ladder) == []
    told = run(Desk(spec), 60, {3: warning()})
    assert [(t, s) for t, s, _, _ in told.decisions] == [(4, "listen"), (6, "talk"), (11, "siren"), (15, "end")]


def test_without_a_ladder_nothing_is_called_and_there_is_no_alert_state() -> None:
    steps = (StepRule("a", "note", "not alert_state", Spread(1.0), (), "", ""),)
    desk = Desk(nation(posts=(Post("watch", "Watch", steps),)))
    told = run(desk, 20, {3: warning()})
    assert told.decisions == [(4, "a", "note", "doctrine")]
    assert told.events == []


def test_a_ladder_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(DoctrineError, match="ladder: condition, character 1: found 'conf'"):
        Desk(nation(rung("talk", when="conf >= 1")))


# ---- what validate finds


def names(*ladder: Rung, posts: tuple[Post, ...] = ()) -> list[str]:
    return check_doctrine(posts, ["hokkaido"], ["icbm"], ladder)


def test_rungs_that_wait_for_each_other_are_found_by_name() -> None:
    ladder = (rung("a", "conference('b')"), rung("b", after=("a",)))
    assert names(*ladder) == [
        "rung 'a': can never be done, it waits for itself: the ladder/a -> the ladder/b -> the ladder/a"
    ]


def test_a_step_and_a_rung_that_wait_for_each_other_are_found_by_name() -> None:
    steps = (StepRule("siren", "note", "conference('talk')", Spread(1.0), (), "", ""),)
    found = names(rung("talk", "done('siren')"), posts=(Post("watch", "Watch", steps),))
    assert found == [
        "post 'watch', step 'siren': can never be done, it waits for itself: "
        "watch/siren -> the ladder/talk -> watch/siren"
    ]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (rung("a", "p_real > 0.9 and p_real < 0.5"), "rung 'a': the condition can never hold: "),
        (rung("a", leave="age_s < 0"), "rung 'a': it is never left, its condition to leave can never hold: age_s < 0"),
        (
            rung("a", calls=(call("watch"), call("chief", agrees="sensors < 0")), agree=2),
            "rung 'a': the conference can never agree: 2 must agree and the conditions of 1 of 2 can never hold",
        ),
        (rung("a", "conference('b')"), "rung 'a': conference('b'): there is no rung 'b'; allowed: a"),
        (rung("a", leave="alert('b')"), "rung 'a': leave: alert('b'): there is no state 'b'; allowed: a"),
        (rung("a", action="shout"), "rung 'a': unknown action 'shout'"),
        (rung("a", text="{weather}"), "rung 'a': text: {weather} cannot be filled"),
        (rung("a", "confirmd"), "rung 'a': condition, character 1: found 'confirmd'"),
    ],
)
def test_what_is_wrong_with_a_rung_is_said_by_name(made: Rung, said: str) -> None:
    found = names(made)
    assert any(message.startswith(said) for message in found), found


def test_an_alert_state_can_never_be_where_there_is_no_ladder() -> None:
    steps = (StepRule("a", "note", "alert_state >= 1", Spread(1.0), (), "", ""),)
    assert names(posts=(Post("watch", "Watch", steps),)) == [
        "post 'watch', step 'a': the condition can never hold: alert_state >= 1"
    ]
    assert names(rung("talk"), posts=(Post("watch", "Watch", steps),)) == []


# ---- anything at all


class AnyExercise(RuleBasedStateMachine):
    """Random warnings, evidence and people before one desk with a ladder of three rungs and steps beside it; a second
    desk is made anew from a snapshot now and then and must do the same.
    """

    @initialize()
    def begin(self) -> None:
        calls = (call("watch", 2.0), call("chief", 6.0), call("leader", 9.0, "confidence >= 'medium'"))
        ladder = (
            rung("low", "version_count >= 1", calls=calls[:1], takes=3.0, leave="over"),
            rung("mid", "confirmed", calls=calls, agree=2, takes=5.0, after=("low",), leave="over or not confirmed"),
            rung("top", "confidence == 'high'", calls=calls, agree=3, takes=4.0, after=("mid",), leave="p_real < 0.5"),
        )
        steps = (
            StepRule("tell", "inform", "conference('mid')", Spread(3.0, 1.0), (), "", ""),
            StepRule("clear", "stand-down", "over", Spread(2.0), ("tell",), "", ""),
        )
        self.spec = nation(*ladder, posts=(Post("watch", "Watch", steps),))
        self.desk = Desk(self.spec)
        self.twin: Desk | None = None  # the same, from before a snapshot
        self.t = 0
        self.n = 0
        self.live: dict[str, WarningVersion] = {}
        self.ended: dict[str, int] = {}  # when each warning was over
        self.open: dict[tuple[str, str], str] = {}  # conference to "called" or "stands"
        self.done: set[tuple[str, str, str]] = set()
        self.level = 0
        self.given: list[Input] = []

    @rule(confidence=st.sampled_from(LEVELS), confirmed=st.booleans())
    def a_launch(self, confidence: str, confirmed: bool) -> None:
        uid = f"japan/own/{len(self.live) + len(self.ended)}"
        p = 0.99 if confidence != "no" else 0.3
        self.live[uid] = warning(uid, 0, "confirmed" if confirmed else "opened", confirmed, confidence, p)

    @rule(data=st.data(), confidence=st.sampled_from(LEVELS), confirmed=st.booleans(), p=st.floats(0.0, 1.0))
    def new_evidence(self, data: st.DataObject, confidence: str, confirmed: bool, p: float) -> None:
        if not self.live:
            return
        uid = data.draw(st.sampled_from(sorted(self.live)))
        last = self.live[uid]
        status = "confirmed" if confirmed and not last.confirmed else "updated"
        self.live[uid] = msgspec.structs.replace(
            last, version=last.version + 1, status=status, confirmed=confirmed, confidence=confidence, p_real=p
        )

    @rule(data=st.data(), act=st.sampled_from(["seat.take", "seat.release", "do", "decline"]))
    def somebody(self, data: st.DataObject, act: str) -> None:
        self.n += 1
        post = data.draw(st.sampled_from(["watch", "chief", "leader"]))
        person = data.draw(st.sampled_from(["Mori", "Abe"]))
        if act in ("do", "decline"):
            uid = data.draw(st.sampled_from([*sorted(self.live), *sorted(self.ended), "japan/own/999"]))
            step = data.draw(st.sampled_from(["low", "mid", "top", "tell", "clear", "nothing"]))
            body = {"warning": uid, "step": step, "choice": act}
            self.given.append(seat("decide", body, self.n, post, person))
        else:
            self.given.append(seat(act, {}, self.n, post, person))

    @rule(data=st.data(), how=st.sampled_from(["cancelled", "closed"]))
    def it_is_over(self, data: st.DataObject, how: str) -> None:
        if self.live:
            uid = data.draw(st.sampled_from(sorted(self.live)))
            last = self.live[uid]
            over = msgspec.structs.replace(
                last, version=last.version + 1, status=how, confirmed=last.confirmed and how == "closed"
            )
            del self.live[uid]
            self.ended[uid] = self.t + 1
            self._frame({**self.live, uid: over})

    @rule(seconds=st.sampled_from([1, 4, 15, 700]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self._frame(self.live)

    @rule()
    def another_machine_goes_on(self) -> None:
        plain = msgspec.msgpack.decode(msgspec.msgpack.encode(self.desk.state()))
        self.twin, self.desk = self.desk, Desk(self.spec)
        self.desk.load(plain)

    def _frame(self, warnings: dict[str, WarningVersion]) -> None:
        self.t += 1
        inputs, self.given = tuple(self.given), []
        decisions = self.desk.step(self.t * S, warnings, inputs)
        events = self.desk.events()
        if self.twin is not None:
            assert self.twin.step(self.t * S, warnings, inputs) == decisions, "a restored desk decides otherwise"
            assert self.twin.events() == events
        self._take_in(decisions, events)

    def _take_in(self, decisions: list[tuple[int, Decision]], events: list[tuple[int, object]]) -> None:
        rungs = {r.id for r in self.spec.ladder}
        # what is called or ends within one frame: ends come first, as a rung is never called in the frame it ends in
        for when, event in events:
            assert when == self.t * S
            if not isinstance(event, Conference):
                continue
            key = (event.warning, event.id)
            if event.event in ("refused", "adjourned"):
                assert self.open.pop(key) == "called"
        for when, decision in decisions:
            assert when == self.t * S
            assert decision.text.startswith("EXERCISE")
            key = (decision.warning, decision.step)
            if decision.step not in rungs:
                assert (*key, decision.action) not in self.done, "a step done twice"
                self.done.add((*key, decision.action))
            elif decision.action == "stand-down":
                assert self.open.pop(key) == "stands"
            else:
                assert self.open[key] == "called"
                self.open[key] = "stands"
        for _, event in events:
            if isinstance(event, Conference) and event.event == "called":
                key = (event.warning, event.id)
                assert key not in self.open, "a conference called twice"
                assert event.warning not in self.ended, "a conference on a warning that is over"
                self.open[key] = "called"
            if isinstance(event, AlertState):
                assert event.was_level == self.level
                assert (event.event == "raised") == (event.level > self.level)
                self.level = event.level

    @invariant()
    def the_alert_state_is_that_of_the_highest_conference(self) -> None:
        order = [r.id for r in self.spec.ladder] if hasattr(self, "spec") else []
        standing = [order.index(name) + 1 for (_, name), how in self.open.items() if how == "stands"] if order else []
        assert not order or self.level == max(standing, default=0) == self.desk.ladder.level

    @invariant()
    def nothing_is_left_open_on_a_warning_that_is_over(self) -> None:
        for (uid, _), how in self.open.items() if hasattr(self, "open") else ():
            if uid in self.ended:
                assert how == "stands", "a conference still gathers on a warning that is over"
                assert self.t - self.ended[uid] < 600, "a conference left open"

    @invariant()
    def what_stands_on_something_stands_on_what_stands(self) -> None:
        if hasattr(self, "open"):
            order = [r.id for r in self.spec.ladder]
            for low, high in pairwise(order):
                for uid, name in self.open:
                    if name == high:
                        assert self.open.get((uid, low)) == "stands"

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        for uid in sorted(self.live):
            last = self.live.pop(uid)
            self._frame({**self.live, uid: msgspec.structs.replace(last, version=last.version + 1, status="closed")})
            self.ended[uid] = self.t
        for _ in range(620):
            self._frame({})
        assert self.open == {}
        assert self.desk.ladder.level == 0
        state = self.desk.state()["ladder"]
        assert state["sittings"] == state["spent"] == state["counts"] == []


TestAnyExercise = AnyExercise.TestCase
TestAnyExercise.settings = settings(max_examples=30, stateful_step_count=30, deadline=None, derandomize=True)


def test_draws_hang_on_the_warning_the_rung_and_the_call_alone() -> None:
    spread = Call("watch", Spread(60.0, 15.0), "confirmed")
    desk = Desk(nation(rung("talk", calls=(spread,), takes=1.0)))
    both = run(desk, 200, {3: warning(), 4: warning("japan/own/1")})
    alone = run(Desk(nation(rung("talk", calls=(spread,), takes=1.0))), 200, {4: warning("japan/own/1")})
    joined = [e[0] for e in both.events if e[2] == "joined"]
    assert len(joined) == 2
    assert next(e[0] for e in alone.events if e[2] == "joined") in joined
    assert all(3 < t < 3 + 60 + 45 + 2 for t in joined)
    assert not math.isclose(joined[0], joined[1])
