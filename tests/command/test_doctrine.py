"""Reading a doctrine before anything runs: what can never happen is said, what can is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.command.actions import action_names, register
from tocsin.command.doctrine import can_hold, check_doctrine
from tocsin.command.grammar import parse
from tocsin.scenario.specs import Post, Spread, StepRule


def rule(
    step: str, when: str = "confirmed", after: tuple[str, ...] = (), action: str = "note", text: str = ""
) -> StepRule:
    return StepRule(step, action, when, Spread(60.0), after, text, "notional")


def post(*steps: StepRule, name: str = "watch") -> Post:
    return Post(name, name.title(), steps)


@pytest.mark.parametrize(
    "when",
    [
        "p_real > 0.9 and p_real < 0.1",
        "confirmed and not confirmed",
        "confidence > 'high'",
        "confidence == 'low' and confidence == 'medium'",
        "sensors > 2 and sensors < 3",  # counts are whole
        "sensors < 0",
        "p_real < 0",
        "p_real > 100 %",
        "age_s < 0",
        "false",
        "(p_real > 0.9 or cancelled) and p_real < 0.5 and not cancelled",
        "not (confirmed or not confirmed)",
        "p_impact('a') >= 50 % and not p_impact('a') >= 0.5",
        "excluded('a') == true and excluded('a') == false",
        "time_to_impact_s < 60 and time_to_impact_s > 2 min",
        "not (p_real < 0.5 or p_real >= 0.5) and p_real == 0.7",
    ],
)
def test_conditions_that_can_never_hold_are_found(when: str) -> None:
    messages = check_doctrine([post(rule("a", when))])
    assert len(messages) == 1
    assert messages[0].startswith("post 'watch', step 'a': the condition can never hold: ")


@pytest.mark.parametrize(
    "when",
    [
        "p_real > 0.1 and p_real < 0.9",
        "p_impact('a') > 0.5 and p_impact('b') < 0.5",  # another area is another number
        "sensors >= 2 and sensors < 3",
        "time_to_impact_s < 0",  # after it
        "not (time_to_impact_s < 60 or time_to_impact_s >= 60)",  # as long as it is not known
        "p_real > 0.5 and p_real > max_p_impact and p_real < max_p_impact",  # not analysed: no false alarm
        " and ".join("(p_real > 0.1 or sensors > 1 or age_s > 9)" for _ in range(20)),  # too many cases to say
    ],
)
def test_conditions_that_can_hold_are_left_alone(when: str) -> None:
    assert check_doctrine([post(rule("a", when))]) == []


_atoms = st.sampled_from(
    [
        "confirmed",
        "cancelled",
        "sensors >= 2",
        "sensors == 0",
        "sensors < 1",
        "p_real > 0.5",
        "p_real <= 0.5",
        "p_real == 0.75",
        "confidence >= 'medium'",
        "confidence < 'low'",
    ]
)
_conditions = st.recursive(
    _atoms,
    lambda p: st.one_of(
        p.map("not ({})".format),
        st.lists(p, min_size=2, max_size=3).map(lambda x: "(" + " and ".join(x) + ")"),
        st.lists(p, min_size=2, max_size=3).map(lambda x: "(" + " or ".join(x) + ")"),
    ),
    max_leaves=7,
)


@given(_conditions)
def test_can_hold_agrees_with_trying_everything(when: str) -> None:
    """Brute force over every value that the atoms can tell apart."""
    condition = parse(when)
    tried = any(
        condition.evaluate({"confirmed": c, "cancelled": d, "sensors": s, "p_real": p, "confidence": k})
        for c in (True, False)
        for d in (True, False)
        for s in (0, 1, 2, 3)
        for p in (None, 0.0, 0.5, 0.6, 0.75, 0.8, 1.0)
        for k in ("no", "low", "medium", "high")
    )
    assert can_hold(condition) == tried


def test_a_loop_of_after_is_found_and_named() -> None:
    messages = check_doctrine(
        [post(rule("a", after=("c",)), rule("b", after=("a",)), rule("c", after=("b",)), rule("d"))]
    )
    assert messages == [
        "post 'watch', step 'a': can never be done, it waits for itself: watch/a -> watch/c -> watch/b -> watch/a"
    ]


def test_a_step_that_waits_for_itself_or_for_a_loop_is_found() -> None:
    messages = check_doctrine([post(rule("a", after=("a",)), rule("b", after=("a",)), rule("c", when="done('c')"))])
    assert messages == [
        "post 'watch', step 'a': can never be done, it waits for itself: watch/a -> watch/a",
        "post 'watch', step 'b': can never be done, it waits for watch/a, which never is",
        "post 'watch', step 'c': can never be done, it waits for itself: watch/c -> watch/c",
    ]


def test_a_loop_through_conditions_and_other_posts_is_found() -> None:
    messages = check_doctrine(
        [
            post(rule("confirm", when="confirmed and done('inform')")),
            post(rule("inform", after=("confirm",)), name="minister"),
        ]
    )
    assert len(messages) == 1
    assert "watch/confirm -> minister/inform -> watch/confirm" in messages[0]


def test_waiting_for_done_or_something_else_is_no_loop() -> None:
    assert check_doctrine([post(rule("a", when="done('b') or p_real > 0.9"), rule("b", when="not done('a')"))]) == []


def test_a_step_after_one_that_can_never_be_is_told_which() -> None:
    messages = check_doctrine([post(rule("a", when="p_real < 0"), rule("b", after=("a",)))])
    assert messages[0].endswith("the condition can never hold: p_real < 0")
    assert messages[1:] == ["post 'watch', step 'b': can never be done, it waits for watch/a, which never is"]


def test_every_fault_is_told_at_once_with_the_way_out() -> None:
    messages = check_doctrine(
        [
            post(
                rule("confirm", when="confirmd", action="confrim", text="at {launch_tme} {x.__class__} {time}"),
                rule("confirm"),
                rule(
                    "inform",
                    when="p_impact('hokaido') > 0.5 and type('icbn') > 0.1 and done('confrm')",
                    after=("verify",),
                ),
            )
        ],
        areas=["hokkaido"],
        classes=["icbm", "irbm"],
    )
    text = "\n".join(messages)
    assert (
        "unknown action 'confrim'; allowed: cancel, check-sensors, confirm, correct, exclude, inform, note, "
        "stand-down; did you mean 'confirm'?" in text
    )
    assert "{launch_tme} cannot be filled" in text
    assert "did you mean {launch_time}?" in text
    assert "{x.__class__} cannot be filled" in text
    assert "condition, character 1: found 'confirmd'" in text
    assert "step 'confirm': there are two steps of this name at the post" in text
    assert "p_impact('hokaido'): there is no area 'hokaido'; allowed: hokkaido; did you mean 'hokkaido'?" in text
    assert "type('icbn'): there is no class 'icbn'; allowed: icbm, irbm; did you mean 'icbm'?" in text
    assert "after: there is no step 'verify'" in text
    assert "done('confrm'): there is no step 'confrm'; allowed: confirm, inform; did you mean 'confirm'?" in text
    assert len(messages) == 9


def test_a_step_name_that_two_posts_have_must_be_said_in_full() -> None:
    posts = [post(rule("note")), post(rule("note"), name="second"), post(rule("end", after=("note",)), name="third")]
    assert check_doctrine(posts) == [
        "post 'third', step 'end': after: several posts have a step 'note'; say 'watch/note' or 'second/note'"
    ]
    assert check_doctrine([*posts[:2], post(rule("end", after=("second/note",)), name="third")]) == []


def test_the_registry_keeps_names_apart() -> None:
    assert {"confirm", "inform", "exclude", "stand-down", "note"} <= set(action_names())
    with pytest.raises(ValueError, match="already an action 'note'"):
        register("note", "", "")(lambda version, spec: ())
