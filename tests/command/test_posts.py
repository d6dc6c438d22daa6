"""The desk: when steps fall due, when they are done, by whom, and that nothing is ever done twice."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.command.actions import MAX_TEXT
from tocsin.command.posts import Desk, DoctrineError, Proposal
from tocsin.records.record import Input, pack
from tocsin.records.shapes import AreaRisk, Decision, Estimate, Evidence, WarningVersion
from tocsin.scenario.specs import Area, NationSpec, Post, Spread, StepRule, WarningRule

S = 1_000_000_000
UID = "japan/own/0"


def rule(
    step: str,
    when: str = "confirmed",
    takes: float = 10.0,
    after: tuple[str, ...] = (),
    action: str = "note",
    text: str = "",
    spread: float = 0.0,
) -> StepRule:
    return StepRule(step, action, when, Spread(takes, spread), after, text, "notional")


def nation(*posts: Post, stream: int = 7) -> NationSpec:
    rule_ = WarningRule(3, 5.0, 1, True, 0.01, 5.0, 2.0)
    areas = (Area("hokkaido", "Hokkaido", "defended", ()), Area("tohoku", "Tohoku {area}", "defended", ()))
    unix_ns = 1_503_953_880 * S  # 2017-08-28T20:58:00Z
    return NationSpec("japan", "Japan", unix_ns, 0.0, S, 1800 * S, stream, (), (), areas, posts, rule_, (), ())


def watch(*steps: StepRule, name: str = "watch") -> Post:
    return Post(name, name.title(), steps)


def warning(
    t_s: float = 60.0,
    *,
    uid: str = UID,
    version: int = 0,
    status: str = "confirmed",
    p_impact: float = 0.2,
    confirmed: bool = True,
    p_real: float = 0.99,
) -> WarningVersion:
    t = int(t_s * S)
    launch = Estimate(
        t, "boost-fit", 1.0, "gaussian", (math.radians(39.2), math.radians(125.67)), (1e6, 0.0, 0.0, 1e6), 0, 25.0
    )
    impact = Estimate(
        t, "coast", 0.99, "gaussian", (math.radians(39.5), math.radians(-158.4)), (1e8, 0.0, 0.0, 1e8), 840 * S, 100.0
    )
    areas = (AreaRisk("hokkaido", p_impact, 0.97, 540 * S, False), AreaRisk("tohoku", 0.001, 0.02, None, True))
    evidence = (
        Evidence("infrared", "geo-1", "agrees", 0, ("united-states",)),
        Evidence("radar", "shariki", "agrees", 120 * S, ("united-states",)),
        Evidence("radar", "shariki", "agrees", 120 * S, ("united-states",)),
        Evidence("radar", "okushiri", "not_yet", 240 * S, ("japan",)),
    )
    return WarningVersion(
        uid,
        version,
        t,
        status,
        confirmed,
        "new detections",
        3,
        ("japan", "united-states"),
        "united-states/to:japan/0",
        45 * S,
        launch,
        impact,
        areas,
        {"irbm-liquid": 0.8, "icbm-liquid": 0.2},
        p_real,
        "high",
        evidence,
    )


def seat(act: str, body: object, *, person: str = "Mori", post: str = "watch", n: int = 0) -> Input:
    return Input(f"i{n}", "main", f"japan/{post}", person, act, 1, pack(body))


Decided = list[tuple[int, Decision]]


def run(desk: Desk, until_s: int, at: dict[int, WarningVersion], inputs: dict[int, Input] | None = None) -> Decided:
    """Frames of a second; ``at``: versions by the second in which they are made (the newest until the next)."""
    newest: dict[str, WarningVersion] = {}
    made = []
    for t in range(1, until_s + 1):
        if t in at:
            newest[at[t].uid] = at[t]
        given_ = (inputs[t],) if inputs and t in inputs else ()
        made += desk.step(t * S, newest, given_)
        newest = {
            u: v for u, v in newest.items() if v.status not in ("cancelled", "closed")
        }  # as a pipeline gives them
    return made


def test_a_step_is_done_its_time_after_its_condition_came_to_hold() -> None:
    desk = Desk(
        nation(
            watch(
                rule("confirm", action="confirm", takes=30.0),
                rule("tell", takes=60.0, after=("confirm",), action="inform"),
            )
        )
    )
    made = run(desk, 200, {60: warning(60, confirmed=False, status="opened"), 70: warning(70, version=1)})
    assert [(t // S, d.step, d.due_ns // S, d.took_s, d.version, d.by) for t, d in made] == [
        (100, "confirm", 70, 30.0, 1, "doctrine"),
        (160, "tell", 100, 60.0, 1, "doctrine"),
    ]
    assert made[1][1].areas == ("hokkaido",)  # tohoku is excluded
    assert run(desk, 300, {}) == []


def test_steps_of_several_posts_may_wait_for_each_other() -> None:
    spec = nation(
        watch(rule("tell", after=("centre/confirm",), when="done('confirm')")), watch(rule("confirm"), name="centre")
    )
    assert [d.step for _, d in run(Desk(spec), 100, {60: warning()})] == ["confirm", "tell"]


def test_nothing_takes_less_than_a_frame() -> None:
    assert [(t // S, d.took_s) for t, d in run(Desk(nation(watch(rule("a", takes=0.0)))), 70, {60: warning()})] == [
        (61, 1.0)
    ]


def test_time_is_drawn_once_for_a_warning_and_step_as_the_spread_says() -> None:
    def took(stream: int) -> float:
        desk = Desk(nation(watch(rule("a", takes=60.0, spread=10.0)), stream=stream))
        return run(desk, 120, {2: warning(1)})[0][1].took_s

    drawn = np.array([took(stream) for stream in range(150)])
    assert took(3) == drawn[3]
    assert np.all((drawn >= 30.0) & (drawn <= 91.0))  # cut at three spreads, then up to the next frame's edge
    # done at the first frame's edge after 60 +- 10 s: mean 60.5 within four standard errors, spread likewise
    assert abs(drawn.mean() - 60.5) < 4 * 10 / np.sqrt(150)
    assert 8.0 < drawn.std() < 12.0


def test_what_a_condition_asks_is_taken_from_the_warning() -> None:
    facts = {
        "version_count == 3": True,
        "age_s == 15": True,
        "sensors == 2": True,
        "sensor_kinds == 2": True,
        "sources == 2": True,
        "partner_reports == 1": True,
        "agrees == 3": True,
        "disagrees": False,
        "not_yet == 1": True,
        "p_impact('hokkaido') == 0.2": True,
        "p_passage('hokkaido') == 0.97": True,
        "p_impact('x') >= 0": False,
        "excluded('tohoku')": True,
        "excluded('hokkaido')": False,
        "max_p_impact == 0.2": True,
        "max_p_passage == 0.97": True,
        "type('irbm-liquid') == 0.8": True,
        "type('srbm') == 0": True,
        "time_to_impact_s == 13 min": True,
        "confidence == 'high'": True,
        "cancelled": False,
        "p_real == 0.99": True,
    }
    steps = [rule(f"s{i}", when, takes=0.0) for i, when in enumerate(facts)]
    desk = Desk(nation(watch(*steps)))
    desk.step(60 * S, {UID: warning(60, version=2)})
    found = {d.step for _, d in desk.step(61 * S, {UID: warning(60, version=2)})}
    assert {when: f"s{i}" in found for i, when in enumerate(facts)} == facts


def test_people_who_have_begun_go_on_when_a_number_moves_but_not_when_it_is_over() -> None:
    steps = (
        rule("tell", "confirmed and p_impact('hokkaido') > 0.1", takes=30.0, action="inform"),
        rule("down", "cancelled", 20.0, action="stand-down"),
        rule("late", "p_real > 0.5 and age_s > 60", action="inform"),
    )
    moved = run(Desk(nation(watch(*steps[:1]))), 120, {60: warning(60), 70: warning(70, version=1, p_impact=0.0)})
    assert [(t // S, d.version) for t, d in moved] == [(90, 1)]
    over = warning(70, version=1, status="cancelled", confirmed=False)
    cancelled = run(Desk(nation(watch(*steps))), 900, {60: warning(60), 70: over})
    assert [(t // S, d.step) for t, d in cancelled] == [(90, "down")]  # the alarm is withdrawn and none is raised later


def test_a_warning_that_is_over_is_forgotten_after_ten_minutes() -> None:
    late = rule("late", "cancelled and age_s > 12 min", action="note")
    over = warning(70, status="cancelled", confirmed=False)
    assert run(Desk(nation(watch(late))), 1500, {70: over}) == []
    soon = rule("soon", "cancelled and age_s > 9 min", action="note")
    assert len(run(Desk(nation(watch(soon))), 1500, {70: over})) == 1


def test_every_text_says_exercise_and_is_filled_from_values_only() -> None:
    text = (
        "To {areas}, {area}: {type} from {launch_place} at {launch_time}, impact {impact_place} at {impact_time} in "
        "{minutes_to_impact} min, {p_real}, {confidence}, {sources}, {warning} v{version}, {post} of {nation}, {time}. "
        "{areas.__class__} {0} {{x}} {unknown} {"
    )
    desk = Desk(
        nation(watch(rule("a", takes=0.0, action="exclude", text=text), rule("b", takes=0.0, text="EXERCISE only.")))
    )
    (_, said), (_, marked) = run(desk, 61, {60: warning()})
    assert said.text == (
        "EXERCISE: To Tohoku {area}, Tohoku {area}: irbm-liquid from 39.2 N 125.7 E at 2017-08-28T20:58:00Z, "
        "impact 39.5 N 158.4 W at 2017-08-28T21:12:00Z in 13 min, 99 %, high, japan and united-states, "
        "japan/own/0 v0, Watch of Japan, "
        "2017-08-28T20:59:01Z. {areas.__class__} {0} {{x}} {unknown} {"
    )
    assert marked.text == "EXERCISE only."
    assert said.areas == ("tohoku",)


def test_a_text_has_an_end() -> None:
    desk = Desk(nation(watch(rule("a", takes=0.0, text="{areas}" * 5000))))
    text = run(desk, 61, {60: warning()})[0][1].text
    assert len(text) == MAX_TEXT
    assert text.startswith("EXERCISE: ")


def test_a_doctrine_that_cannot_be_read_is_refused_with_its_place() -> None:
    for step, message in [
        (rule("a", "confirmd"), "post 'watch', step 'a': condition, character 1: found 'confirmd'"),
        (rule("a", action="launch"), "post 'watch', step 'a': unknown action 'launch'"),
        (rule("a", after=("b",)), "post 'watch', step 'a': there is no step 'b'"),
    ]:
        with pytest.raises(DoctrineError) as caught:
            Desk(nation(watch(step)))
        assert str(caught.value).startswith(message)


# ---- people


def test_who_takes_a_seat_decides_and_doctrine_proposes() -> None:
    desk = Desk(
        nation(watch(rule("confirm", takes=5.0, action="confirm"), rule("tell", after=("confirm",), takes=5.0)))
    )
    inputs = {
        50: seat("seat.take", {}, n=1),
        90: seat("decide", {"warning": UID, "step": "confirm"}, n=2),
        95: seat("decide", {"warning": UID, "step": "confirm"}, n=3),  # a second time: refused
        130: seat("seat.release", {}, n=4),
    }
    assert run(desk, 89, {60: warning()}, inputs) == []
    assert desk.proposals() == (Proposal("watch", "confirm", UID, 60 * S),)
    assert desk.seats() == {"watch": "Mori"}
    made = []
    for t in range(90, 140):
        made += desk.step(t * S, {UID: warning()}, (inputs[t],) if t in inputs else ())
    assert [(t // S, d.step, d.by, d.due_ns // S, d.took_s) for t, d in made] == [
        (90, "confirm", "Mori", 60, 30.0),
        (135, "tell", "doctrine", 90, 45.0),  # given back at 130, and doctrine needs its five seconds
    ]
    assert desk.proposals() == ()


def test_a_person_may_act_before_doctrine_and_may_decline() -> None:
    desk = Desk(nation(watch(rule("confirm", "p_real > 0.999"), rule("tell"))))
    inputs = {
        61: seat("seat.take", {}, n=1),
        62: seat("decide", {"warning": UID, "step": "confirm", "text": "I have seen {type}"}, n=2),
        63: seat("decide", {"warning": UID, "step": "tell", "choice": "decline"}, n=3),
        64: seat("seat.release", {}, n=4),
    }
    made = run(desk, 120, {60: warning()}, inputs)
    assert [(t // S, d.step, d.by, d.text) for t, d in made] == [
        (62, "confirm", "Mori", "EXERCISE: I have seen irbm-liquid")
    ]


def test_inputs_that_cannot_be_taken_are_refused_with_a_reason_and_change_nothing() -> None:
    desk = Desk(nation(watch(rule("a"))))
    desk.step(1 * S, {UID: warning()}, (seat("seat.take", {}),))
    before = desk.state()
    cases = [
        (seat("seat.take", {}, person="Sato"), "the seat 'japan/watch' is taken by Mori"),
        (seat("seat.release", {}, person="Sato"), "'Sato' does not hold the seat"),
        (seat("decide", {"warning": UID, "step": "a"}, person="Sato"), "'Sato' does not hold the seat"),
        (seat("seat.take", {}, post="moon"), "there is no seat 'japan/moon'; seats: japan/watch"),
        (seat("rate", {}), "a seat cannot do 'rate' v1"),
        (seat("decide", {"warning": UID, "step": "b"}), "the post has no step 'b'; steps: a"),
        (seat("decide", {"warning": "x", "step": "a"}), "there is no warning 'x'"),
        (seat("decide", {"warning": UID}), "a decision needs step and warning"),
        (seat("decide", {"warning": UID, "step": "a", "choice": "maybe"}), "a decision needs step and warning"),
        (
            Input("i", "main", "japan/watch", "Mori", "decide", 1, msgspec.Raw(b"\xff\x00")),
            "a decision needs step and warning",
        ),
    ]
    for given_, reason in cases:
        assert desk.refuses(given_, {UID: warning()}).startswith(reason)
    assert desk.step(1 * S, {UID: warning()}, tuple(c for c, _ in cases)) == []
    assert desk.state() == before


# ---- properties

_whens = [
    "confirmed",
    "p_real > 0.5",
    "cancelled",
    "p_impact('hokkaido') > 10 % and not cancelled",
    "age_s > 20",
    "done('b') and confirmed",
    "not confirmed",
    "version_count >= 2",
]


@st.composite
def _stories(draw: st.DrawFn) -> tuple[NationSpec, list[dict[str, WarningVersion]], list[tuple[Input, ...]]]:
    """A doctrine of four steps, and some frames of warnings that change and people who come and go."""
    afters = [(), ("a",), ("a",), ("b", "c")]
    steps = [
        rule(
            name,
            draw(st.sampled_from(_whens)),
            draw(st.floats(0.0, 8.0)),
            draw(st.sampled_from([(), afters[i]])),
            spread=2.0,
            action=draw(st.sampled_from(["note", "inform", "stand-down"])),
        )
        for i, name in enumerate("abcd")
    ]
    spec = nation(watch(*steps[:2]), watch(*steps[2:], name="second"), stream=draw(st.integers(0, 2**64 - 1)))
    frames, inputs, live = [], [], {}
    for t in range(1, draw(st.integers(5, 40))):
        for uid in ("japan/own/0", "japan/own/1"):
            if draw(st.integers(0, 3)) == 0:
                old = live.get(uid)
                if old is not None and old.status == "cancelled":
                    continue
                status = draw(st.sampled_from(["confirmed", "updated", "updated", "cancelled"]))
                live[uid] = warning(
                    t,
                    uid=uid,
                    version=0 if old is None else old.version + 1,
                    status=status,
                    confirmed=status != "cancelled" and draw(st.booleans()),
                    p_real=draw(st.floats(0, 1)),
                    p_impact=draw(st.floats(0, 1)),
                )
        frames.append(dict(live))
        given_ = []
        if draw(st.integers(0, 2)) == 0:
            act = draw(st.sampled_from(["seat.take", "seat.release", "decide"]))
            body = (
                {
                    "warning": draw(st.sampled_from(["japan/own/0", "japan/own/1", "?"])),
                    "step": draw(st.sampled_from("abcd")),
                    "choice": draw(st.sampled_from(["do", "decline"])),
                }
                if act == "decide"
                else {}
            )
            who, where = draw(st.sampled_from(["Mori", "Sato"])), draw(st.sampled_from(["watch", "second"]))
            given_.append(seat(act, body, person=who, post=where, n=t))
        inputs.append(tuple(given_))
    return spec, frames, inputs


@settings(max_examples=60, deadline=None)
@given(_stories(), st.data())
def test_nothing_is_done_twice_and_a_desk_goes_on_from_its_state(
    story: tuple[NationSpec, list[dict[str, WarningVersion]], list[tuple[Input, ...]]], data: st.DataObject
) -> None:
    spec, frames, inputs = story
    at = data.draw(st.integers(0, len(frames)))
    one, other = Desk(spec), Desk(spec)
    made: list[tuple[int, Decision]] = []
    again: list[tuple[int, Decision]] = []
    for i, (warnings, given_) in enumerate(zip(frames, inputs, strict=True)):
        if i == at:
            carried = msgspec.msgpack.decode(msgspec.msgpack.encode(other.state()))
            other = Desk(spec)
            other.load(carried)
        t = (i + 1) * S
        made += one.step(t, warnings, given_)
        again += other.step(t, warnings, given_)
        assert one.state() == other.state()
    assert made == again
    done = [(d.warning, d.post, d.step) for _, d in made]
    assert len(done) == len(set(done))
    for t, d in made:
        assert d.text.startswith("EXERCISE")
        assert d.due_ns <= t
        assert t % S == 0
        assert d.took_s == (t - d.due_ns) / 1e9
        if d.by == "doctrine":
            assert d.took_s >= 1.0
            rules = {s.id: s for p in spec.posts for s in p.steps}
            before = {x.step: when for when, x in made if x.warning == d.warning}
            assert all(before[a] <= d.due_ns for a in rules[d.step].after)


@given(
    st.dictionaries(
        st.text(max_size=8), st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3), max_size=4
    )
)
def test_a_state_that_is_none_is_refused(state: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Expected|missing"):
        Desk(nation(watch(rule("a")))).load(state)
