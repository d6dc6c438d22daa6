"""The condition language: what it reads, what it refuses and how it says so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.command.grammar import (
    LEVELS,
    MAX_DEPTH,
    MAX_LENGTH,
    NAMES,
    All,
    Comparison,
    Condition,
    ConditionError,
    Name,
    Node,
    Not,
    Some,
    Truth,
    Value,
    Written,
    parse,
)

IDS = ("hokkaido", "tohoku", "it's", "área-1")

FACTS = {
    "confirmed": True,
    "cancelled": False,
    "confidence": "medium",
    "p_real": 0.9,
    "version_count": 3,
    "age_s": 120.0,
    "sensors": 2,
    "sensor_kinds": 2,
    "sources": 1,
    "partner_reports": 0,
    "agrees": 2,
    "disagrees": 0,
    "not_yet": 1,
    ("p_impact", "hokkaido"): 0.02,
    ("p_passage", "hokkaido"): 0.97,
    ("excluded", "hokkaido"): False,
    ("excluded", "tohoku"): True,
    "max_p_impact": 0.02,
    "max_p_passage": 0.97,
    ("type", "irbm"): 0.8,
    "time_to_impact_s": None,
    ("done", "confirm"): True,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("confirmed", True),
        ("not confirmed", False),
        ("confirmed and p_real >= 90 %", True),
        ("confirmed and p_real > 90%", False),
        ("age_s >= 2 min", True),
        ("age_s < 120 s", False),
        ("2 min <= age_s", True),
        ("confidence >= 'medium'", True),
        ('confidence > "medium"', False),
        ("confidence == medium", True),
        ("confidence != no", True),
        ("not_yet", True),
        ("disagrees", False),
        ("sensor_kinds >= 2 and disagrees == 0", True),
        ("p_impact('hokkaido') < 0.05 and p_passage('hokkaido') >= 50 %", True),
        ("excluded('hokkaido') or excluded('tohoku')", True),
        ("excluded('hokkaido') == false", True),
        ("type('irbm') > 0.5 and done('confirm')", True),
        ("cancelled or confirmed and not confirmed", False),  # "and" binds closer than "or"
        ("(cancelled or confirmed) and confirmed", True),
        ("not cancelled and confirmed", True),  # "not" binds closest
        ("not (cancelled and confirmed)", True),
        ("p_impact('hokkaido') < p_passage('hokkaido')", True),
        ("time_to_impact_s < 5 min", False),  # not known: no comparison holds
        ("time_to_impact_s >= 5 min", False),
        ("time_to_impact_s != 5 min", False),
        ("not time_to_impact_s < 5 min", True),
        ("p_impact('nowhere') < 1", False),
        ("true", True),
        ("not true", False),
        (" \n confirmed\tand\n not cancelled ", True),
    ],
)
def test_reads_what_it_says(text: str, expected: bool) -> None:
    assert parse(text).evaluate(FACTS) is expected


@pytest.mark.parametrize(
    ("text", "position", "found", "allowed", "suggestion"),
    [
        ("", 1, "nothing", "a condition", ""),
        ("   ", 1, "nothing", "a condition", ""),
        ("confirmd", 1, "'confirmd'", "one of confirmed, cancelled", "'confirmed'"),
        ("confirmed AND cancelled", 11, "'AND'", "'and', 'or' or the end", "'and'"),
        ("confirmed && cancelled", 11, "'&&'", "names, numbers", "'and'"),
        ("confidence = 'high'", 12, "'='", "names, numbers", "'=='"),
        ("!confirmed", 1, "'!'", "names, numbers", "'not'"),
        ("confidence >= 'hihg'", 15, "\"'hihg'\"", "'no', 'low', 'medium' and 'high'", "'high'"),
        ("confidence", 11, "the end", "a sign", "confidence >= 'medium'"),
        ("p_real", 7, "the end", "a sign", "p_real >= 0.5"),
        ("age_s", 6, "the end", "a sign", "age_s >= 3 min"),
        ("p_real >= 90", 11, "90", "0 to 1, or 0 to 100 % beside p_real", "90 %"),
        ("p_real >= 190 %", 11, "1.9", "0 to 1, or 0 to 100 % beside p_real", ""),
        ("p_real >= 3 min", 11, "a number of seconds", "0 to 1", ""),
        ("age_s >= 3 %", 10, "a number of per cent", "seconds", ""),
        ("age_s >= 3 minutes", 12, "'minutes'", "s, min, %", "'min'"),
        ("sensors >= 'high'", 12, "\"'high'\"", "a number beside sensors", ""),
        ("confirmed >= true", 11, "'>='", "== or !=", ""),
        ("confirmed == 1", 14, "'1'", "true or false beside confirmed", ""),
        ("age_s > p_real", 9, "p_real", "something of the same sort as age_s", ""),
        ("1 < 2", 1, "'1' compared with '2'", "a name on at least one side", ""),
        ("0.1 < p_real < 0.9", 14, "'<'", "one comparison", "two comparisons with 'and' between them"),
        ("p_impact >= 0.5", 10, "'>='", "the area in brackets", "p_impact('...')"),
        ("p_impact(hokkaido) >= 0.5", 10, "'hokkaido'", "an id of a kind 'area', in quotes", ""),
        ("p_impact('') >= 0.5", 10, "\"''\"", "an id of a kind 'area', in quotes", ""),
        ("confirmed('x')", 10, "'('", "confirmed without brackets", ""),
        ("(confirmed", 11, "the end", "the ')' for the '(' at character 1", ""),
        ("confirmed)", 10, "')'", "'and', 'or' or the end", ""),
        ("confirmed and", 14, "the end", "a name, a number", ""),
        ("confirmed 'x", 11, "a quote that is never closed", "a text between two quotes", ""),
        ("age_s > -", 10, "the end", "a number after '-'", ""),
        ("age_s > 1e999", 9, "'1e999'", "numbers up to 1e+15", ""),
        ("__import__('os')", 1, "'__import__'", "one of confirmed", ""),
        ("p_real.real >= 0", 7, "'.'", "names, numbers", ""),
    ],
)
def test_refuses_with_place_and_advice(text: str, position: int, found: str, allowed: str, suggestion: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    error = caught.value
    assert error.position == position
    assert error.found == found
    assert allowed in error.allowed
    assert error.suggestion == suggestion
    assert f"character {position}: found {found}; allowed: " in str(error)
    assert ("did you mean" in str(error)) == bool(suggestion)


def test_length_and_depth_are_capped() -> None:
    assert parse(" or ".join(["confirmed"] * 76)).evaluate(FACTS)  # 76 * 9 + 75 * 4 = 984 characters
    with pytest.raises(ConditionError, match="at most 1000"):
        parse("confirmed" + " " * MAX_LENGTH)
    assert parse("(" * MAX_DEPTH + "confirmed" + ")" * MAX_DEPTH).evaluate(FACTS)
    for deep in ("(" * (MAX_DEPTH + 1) + "confirmed" + ")" * (MAX_DEPTH + 1), "not " * (MAX_DEPTH + 1) + "confirmed"):
        with pytest.raises(ConditionError, match="32 deep"):
            parse(deep)


def test_a_percentage_is_the_number_one_writes_for_it() -> None:
    for percent in range(101):
        node = parse(f"p_real >= {percent} %").root
        assert isinstance(node, Comparison)
        assert node.right == Written(percent / 100)


def test_names_says_what_is_asked_for_once_and_in_order() -> None:
    found = parse("done('a') and (p_real > 0.5 or not p_real < 0.1) and done('a') and confirmed").names()
    assert found == [Name("done", "a"), Name("p_real"), Name("confirmed")]


# ---- properties

_alphabet = st.sampled_from(
    [
        *NAMES,
        *LEVELS,
        "and",
        "or",
        "not",
        "(",
        ")",
        "'a'",
        "<",
        ">=",
        "==",
        "3",
        "0.5",
        "%",
        "s",
        "min",
        "-",
        "true",
        "=",
        "\x00",
        "é",
        "'",
        " ",
        ",",
    ]
)


@given(
    st.text(max_size=1200)
    | st.lists(_alphabet, max_size=40).map(" ".join)
    | st.lists(_alphabet, max_size=40).map("".join)
)
def test_any_text_is_a_condition_or_a_condition_error(text: str) -> None:
    try:
        condition = parse(text)
    except ConditionError as error:
        refused = error
    else:
        assert isinstance(condition.evaluate({}), bool)
        return
    assert 1 <= refused.position <= len(text) + 1
    assert refused.allowed
    assert refused.found


def _names(kinds: set[str], unit: str | None = None) -> st.SearchStrategy[Name]:
    plain = [n for n, m in NAMES.items() if m.kind in kinds and (unit is None or m.unit == unit)]
    return st.sampled_from(plain).flatmap(
        lambda n: st.sampled_from([Name(n, i) for i in IDS]) if NAMES[n].argument else st.just(Name(n))
    )


_signs = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
_probability = st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.01, 0.5, 1.0])
_leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(Truth, _names({"flag", "count"}) | st.booleans().map(Written)),
    st.builds(Comparison, _names({"number"}, "probability"), _signs, _probability.map(Written)),
    st.builds(Comparison, st.floats(-1e6, 1e15).map(Written), _signs, _names({"number"}, "s")),
    st.builds(Comparison, _names({"count"}), _signs, st.integers(-2, 9).map(lambda n: Written(float(n)))),
    st.builds(Comparison, _names({"level"}), _signs, st.sampled_from(LEVELS).map(Written)),
    st.builds(Comparison, _names({"flag"}), st.sampled_from(["==", "!="]), st.booleans().map(Written)),
    st.builds(Comparison, _names({"number"}, "probability"), _signs, _names({"number"}, "probability")),
)
_trees = st.recursive(
    _leaves,
    lambda part: st.one_of(
        st.builds(Not, part),
        st.lists(part, min_size=2, max_size=4).map(lambda p: All(tuple(p))),
        st.lists(part, min_size=2, max_size=4).map(lambda p: Some(tuple(p))),
    ),
    max_leaves=8,
)


def _facts() -> st.SearchStrategy[dict[object, Value]]:
    def of(name: str) -> st.SearchStrategy[Value]:
        meaning = NAMES[name]
        if meaning.kind == "flag":
            return st.booleans() | st.none()
        if meaning.kind == "level":
            return st.sampled_from(LEVELS)
        if meaning.kind == "count":
            return st.integers(0, 5)
        return (_probability if meaning.unit == "probability" else st.floats(-1e4, 1e4)) | st.none()

    keys = {(n, i) if m.argument else n: of(n) for n, m in NAMES.items() for i in (IDS if m.argument else ("",))}
    return st.fixed_dictionaries(keys)


@given(_trees, _facts())
def test_printed_and_read_again_it_says_the_same(tree: Node, facts: dict[object, Value]) -> None:
    written = Condition(tree, "")
    if len(str(written)) > MAX_LENGTH:
        return
    again = parse(str(written))
    assert again.evaluate(facts) == written.evaluate(facts)  # type: ignore[arg-type]
    assert str(parse(str(again))) == str(again)
    assert parse(str(again)) == again


@given(_trees, _facts())
def test_it_means_what_python_makes_of_it(tree: Node, facts: dict[object, Value]) -> None:
    """Against an evaluator written another way: Python's own operators over the names' values."""

    def value(operand: Name | Written) -> float | None:
        known = (
            operand.value
            if isinstance(operand, Written)
            else facts[operand.name if operand.argument is None else (operand.name, operand.argument)]
        )
        return LEVELS.index(known) if isinstance(known, str) else known

    def means(node: Node) -> bool:
        match node:
            case All(parts):
                return min(means(p) for p in parts)
            case Some(parts):
                return max(means(p) for p in parts)
            case Not(part):
                return not means(part)
            case Truth(operand):
                return bool(value(operand))
            case Comparison(left, sign, right):
                a, b = value(left), value(right)
                if a is None or b is None:
                    return False
                return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": a == b, "!=": a != b}[sign]

    assert Condition(tree, "").evaluate(facts) == means(tree)  # type: ignore[arg-type]
