"""The conditions of a doctrine: a small language that is parsed and never evaluated as Python.

    condition  = all { "or" all }              all     = unary { "and" unary }
    unary      = "not" unary | "(" condition ")" | comparison
    comparison = operand [ ("<" | "<=" | ">" | ">=" | "==" | "!=") operand ]
    operand    = ["-"] number [ "s" | "min" | "%" ] | 'text' | name | name('argument') | true | false

Names and what they mean stand in ``NAMES``. A name that counts things may stand alone: it holds from one on. A
comparison with something not (yet) known is false, whatever the sign. Length and depth are capped, so no text can
exhaust the stack.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Value = bool | int | float | str | None
Resolver = Callable[[str, str | None], Value]
Facts = Mapping[str | tuple[str, str], Value]

MAX_LENGTH = 1000
MAX_DEPTH = 32
MAX_NUMBER = 1e15  # a second count beyond any clock here; keeps inf out
LEVELS = ("no", "low", "medium", "high")
WAYS = ("processing", "message", "display", "partner")  # by which a warning comes as a word


@dataclass(frozen=True)
class Meaning:
    """What a name is: ``kind``, ``unit`` ("s", "probability", ""), kind of its ``argument`` or None, a sentence."""

    kind: Literal["flag", "count", "number", "level"]
    unit: str
    argument: str | None
    text: str


NAMES: dict[str, Meaning] = {
    "confirmed": Meaning("flag", "", None, "the warning stands confirmed"),
    "cancelled": Meaning("flag", "", None, "the warning has been cancelled"),
    "confidence": Meaning("level", "", None, "'no' < 'low' < 'medium' < 'high'"),
    "p_real": Meaning("number", "probability", None, "probability that there is an object at all"),
    "version_count": Meaning("count", "", None, "versions of the warning so far"),
    "age_s": Meaning("number", "s", None, "seconds since the first data behind the warning"),
    "sensors": Meaning("count", "", None, "sensors that agree"),
    "sensor_kinds": Meaning("count", "", None, "kinds of sensor (radar, infrared) among those that agree"),
    "sources": Meaning("count", "", None, "nations whose sensors stand behind the warning"),
    "partner_reports": Meaning("count", "", None, "other nations that stand behind the warning"),
    "agrees": Meaning("count", "", None, "pieces of evidence that agree"),
    "disagrees": Meaning("count", "", None, "pieces of evidence that disagree: it looked and saw nothing"),
    "not_yet": Meaning("count", "", None, "sensors that could not have looked yet"),
    "p_impact": Meaning("number", "probability", "area", "probability of impact in the area"),
    "p_passage": Meaning("number", "probability", "area", "probability of flying over the area"),
    "excluded": Meaning("flag", "", "area", "impact in the area is excluded by the nation's own limit"),
    "max_p_impact": Meaning("number", "probability", None, "the greatest probability of impact over all areas"),
    "max_p_passage": Meaning("number", "probability", None, "the greatest probability of passage over all areas"),
    "type": Meaning("number", "probability", "class", "probability that the object is of the class"),
    "time_to_impact_s": Meaning("number", "s", None, "seconds to the expected impact; negative after it"),
    "done": Meaning("flag", "", "step", "the step has been done for this warning"),
    "reported": Meaning(
        "flag", "", "way", "it came as a word by that way: 'processing', 'message', 'display', 'partner'"
    ),
    "shown": Meaning("count", "", None, "the largest count that a display shows of it"),
    "counts_differ": Meaning("flag", "", None, "displays of different posts show different counts of it"),
    "over": Meaning("flag", "", None, "the warning has been cancelled or closed"),
    "announced": Meaning("number", "probability", None, "probability that the launch is one that a notice announced"),
    "called": Meaning("flag", "", "rung", "the conference has been called for this warning and is not over"),
    "conference": Meaning("flag", "", "rung", "the conference has agreed on this warning and has not stood down"),
    "alert_state": Meaning("count", "", None, "rung of the nation's alert state, 1 the lowest; 0 while none stands"),
    "alert": Meaning("flag", "", "state", "the nation is in the alert state or a higher one"),
}

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_UNITS = {"s": ("s", 1.0), "min": ("s", 60.0), "%": ("probability", 0.01)}
_WORDS = ("and", "or", "not", "true", "false")
_SAID_ELSEWHERE = {"&&": "and", "||": "or", "&": "and", "|": "or", "!": "not", "=": "=="}
_UNIT_WORDS = {"sec": "s", "seconds": "s", "second": "s", "minutes": "min", "minute": "min", "m": "min", "percent": "%"}


class ConditionError(ValueError):
    """A text that is no condition: ``position`` (character, from 1), ``found``, ``allowed``, a ``suggestion``."""

    def __init__(self, text: str, position: int, found: str, allowed: str, suggestion: str = "") -> None:
        self.text = text
        self.position = position
        self.found = found
        self.allowed = allowed
        self.suggestion = suggestion
        meant = f"; did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"condition, character {position}: found {found}; allowed: {allowed}{meant}")


@dataclass(frozen=True)
class Name:
    """A name of ``NAMES``, with its argument where it takes one."""

    name: str
    argument: str | None = None

    @property
    def meaning(self) -> Meaning:
        """What the name is."""
        return NAMES[self.name]

    def __str__(self) -> str:
        return self.name if self.argument is None else f"{self.name}({_quote(self.argument)})"


@dataclass(frozen=True)
class Written:
    """A written value in base units (s, 0 to 1): a number, a level of confidence, true or false."""

    value: bool | float | str

    def __str__(self) -> str:
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str):
            return _quote(self.value)
        short = f"{self.value:g}"
        return short if float(short) == self.value else repr(self.value)


Operand = Name | Written


@dataclass(frozen=True)
class Truth:
    """A flag or a count that stands alone."""

    operand: Operand

    def __str__(self) -> str:
        return str(self.operand)


@dataclass(frozen=True)
class Comparison:
    """Two operands of one kind and the sign between them; at least one is a name."""

    left: Operand
    sign: str
    right: Operand

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right}"


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: Node

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, All | Some) else f"not {self.part}"


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " and ".join(f"({p})" if isinstance(p, All | Some) else str(p) for p in self.parts)


@dataclass(frozen=True)
class Some:
    """Some part holds."""

    parts: tuple[Node, ...]

    def __str__(self) -> str:
        return " or ".join(f"({p})" if isinstance(p, Some) else str(p) for p in self.parts)


Node = Truth | Comparison | Not | All | Some


def _quote(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def walk(node: Node) -> Iterator[Truth | Comparison]:
    """The leaves, from left to right."""
    if isinstance(node, All | Some):
        for part in node.parts:
            yield from walk(part)
    elif isinstance(node, Not):
        yield from walk(node.part)
    else:
        yield node


def holds(node: Node, resolve: Resolver) -> bool:
    """Whether ``node`` holds where ``resolve(name, argument)`` gives the names' values (None: not known)."""
    if isinstance(node, All):
        return all(holds(p, resolve) for p in node.parts)
    if isinstance(node, Some):
        return any(holds(p, resolve) for p in node.parts)
    if isinstance(node, Not):
        return not holds(node.part, resolve)
    if isinstance(node, Truth):
        value = _value(node.operand, resolve)
        return value is not None and value > 0
    left, right = _value(node.left, resolve), _value(node.right, resolve)
    return left is not None and right is not None and _COMPARE[node.sign](left, right)


def _value(operand: Operand, resolve: Resolver) -> float | None:
    value = operand.value if isinstance(operand, Written) else resolve(operand.name, operand.argument)
    if isinstance(value, str):
        return float(LEVELS.index(value)) if value in LEVELS else None
    if value is None or math.isnan(value):
        return None
    return float(value)


@dataclass(frozen=True)
class Condition:
    """A parsed condition; ``str`` gives a text that parses to an equal one."""

    root: Node
    text: str = field(compare=False)

    def __str__(self) -> str:
        return str(self.root)

    def evaluate(self, facts: Facts | Resolver) -> bool:
        """Whether it holds. ``facts``: a mapping of ``name`` or ``(name, argument)``, or a function; None: unknown."""
        if callable(facts):
            return holds(self.root, facts)
        known = facts
        return holds(self.root, lambda name, argument: known.get(name if argument is None else (name, argument)))

    def names(self) -> list[Name]:
        """The names it asks for, each once, in order of appearance."""
        found: dict[Name, None] = {}
        for leaf in walk(self.root):
            for operand in (leaf.operand,) if isinstance(leaf, Truth) else (leaf.left, leaf.right):
                if isinstance(operand, Name):
                    found[operand] = None
        return list(found)


def parse(text: str) -> Condition:
    """Read a condition. Raises ConditionError, and nothing else, on any other text."""
    return Condition(_Parser(text).whole(), text)


_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<string>'[^'\r\n]*'|\"[^\"\r\n]*\")"
    r"|(?P<sign><=|>=|==|!=|<|>)"
    r"|(?P<mark>[()%-])"
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int  # characters before it

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        if len(text) > MAX_LENGTH:
            raise self._wrong(MAX_LENGTH, f"{len(text)} characters", f"at most {MAX_LENGTH}")
        self.tokens = list(self._split())
        self.next = 0

    def _wrong(self, at: int, found: str, allowed: str, suggestion: str = "") -> ConditionError:
        return ConditionError(self.text, at + 1, found, allowed, suggestion)

    def _split(self) -> Iterator[_Token]:
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if match is None:
                two, one = self.text[at : at + 2], self.text[at]
                if one in "'\"":
                    raise self._wrong(at, "a quote that is never closed", "a text between two quotes on one line")
                odd = two if two in _SAID_ELSEWHERE else one
                meant = _SAID_ELSEWHERE.get(odd, "")
                allowed = "names, numbers, texts in quotes, < <= > >= == != and ( )"
                raise self._wrong(at, repr(odd), allowed, repr(meant) if meant else "")
            kind = match.lastgroup or ""
            if kind != "space":
                yield _Token(kind, match.group(), at)
            at = match.end()
        yield _Token("end", "", len(self.text))

    @property
    def _ahead(self) -> _Token:
        return self.tokens[self.next]

    def _take(self) -> _Token:
        token = self.tokens[self.next]
        self.next += token.kind != "end"
        return token

    def _is(self, word: str) -> bool:
        return self._ahead.text == word and self._ahead.kind in {"name", "mark"}

    def _deeper(self, at: int) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._wrong(at, "one level too many", f"brackets and 'not' up to {MAX_DEPTH} deep")

    def whole(self) -> Node:
        if self._ahead.kind == "end":
            raise self._wrong(0, "nothing", "a condition such as confirmed and p_real >= 90 %")
        node = self._any()
        if self._ahead.kind != "end":
            raise self._unexpected("'and', 'or' or the end")
        return node

    def _unexpected(self, allowed: str) -> ConditionError:
        token = self._ahead
        meant = ""
        if token.kind == "name":
            near = difflib.get_close_matches(token.text.lower(), _WORDS, 1, 0.6)
            meant = repr(near[0]) if near and near[0] != token.text else ""
        elif token.kind == "sign":
            allowed, meant = f"one comparison, then {allowed}", "two comparisons with 'and' between them"
        return self._wrong(token.at, str(token), allowed, meant)

    def _any(self) -> Node:
        parts = [self._all()]
        while self._is("or"):
            self._take()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Some(_flat(parts, Some))

    def _all(self) -> Node:
        parts = [self._unary()]
        while self._is("and"):
            self._take()
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else All(_flat(parts, All))

    def _unary(self) -> Node:
        if self._is("not"):
            self._deeper(self._take().at)
            node: Node = Not(self._unary())
            self.depth -= 1
            return node
        if self._is("("):
            opened = self._take()
            self._deeper(opened.at)
            node = self._any()
            if not self._is(")"):
                raise self._unexpected(f"'and', 'or' or the ')' for the '(' at character {opened.at + 1}")
            self._take()
            self.depth -= 1
            return node
        return self._comparison()

    def _comparison(self) -> Node:
        first = self._ahead
        left, left_unit = self._operand()
        if self._ahead.kind != "sign":
            return self._alone(left, first)
        sign = self._take()
        second = self._ahead
        right, right_unit = self._operand()
        self._agree(left, left_unit, first, sign, right, right_unit, second)
        return Comparison(left, sign.text, right)

    def _alone(self, operand: Operand, token: _Token) -> Node:
        if isinstance(operand, Name) and operand.meaning.kind in {"flag", "count"}:
            return Truth(operand)
        if isinstance(operand, Written) and isinstance(operand.value, bool):
            return Truth(operand)
        if isinstance(operand, Name):
            example = {"s": "3 min", "probability": "0.5"}.get(operand.meaning.unit, "'medium'")
            allowed = f"a sign (< <= > >= == !=) after {operand}"
            raise self._wrong(self._ahead.at, str(self._ahead), allowed, f"{operand} >= {example}")
        raise self._wrong(token.at, str(token), "a name of something that holds or not, or a comparison with a name")

    def _agree(
        self,
        left: Operand,
        left_unit: str,
        first: _Token,
        sign: _Token,
        right: Operand,
        right_unit: str,
        second: _Token,
    ) -> None:
        if isinstance(left, Written) and isinstance(right, Written):
            raise self._wrong(first.at, f"{first} compared with {second}", "a name on at least one side")
        for name, other, unit, token in ((left, right, right_unit, second), (right, left, left_unit, first)):
            if isinstance(name, Name):
                self._fits(name, other, unit, token)
        kind = left.meaning.kind if isinstance(left, Name) else right.meaning.kind if isinstance(right, Name) else ""
        if kind == "flag" and sign.text not in {"==", "!="}:
            raise self._wrong(sign.at, str(sign), "== or != between things that hold or not")

    def _fits(self, name: Name, other: Operand, unit: str, token: _Token) -> None:
        kind, own = name.meaning.kind, name.meaning.unit
        if isinstance(other, Name):
            if (_sort(other.meaning.kind), other.meaning.unit) != (_sort(kind), own):
                raise self._wrong(token.at, str(other), f"something of the same sort as {name} ({name.meaning.text})")
            return
        value = other.value
        wrong = {
            "flag": not isinstance(value, bool),
            "level": not isinstance(value, str),
        }.get(kind, isinstance(value, bool | str))
        if wrong:
            allowed = {"flag": "true or false", "level": "'no', 'low', 'medium' or 'high'"}.get(kind, "a number")
            raise self._wrong(token.at, str(token), f"{allowed} beside {name}")
        if isinstance(value, bool | str):
            return
        if unit and unit != own:
            found = f"a number of {'seconds' if unit == 's' else 'per cent'}"
            raise self._wrong(token.at, found, _number_allowed(name))
        if own == "probability" and not 0.0 <= value <= 1.0:
            meant = f"{value:g} %" if 1.0 < value <= 100.0 and not unit else ""
            raise self._wrong(token.at, f"{value:g}", _number_allowed(name), meant)

    def _operand(self) -> tuple[Operand, str]:
        token = self._take()
        if token.kind == "number" or (token.kind == "mark" and token.text == "-"):
            return self._number(token)
        if token.kind == "string":
            return self._level(token.text[1:-1], token), ""
        if token.kind == "name" and token.text in {"true", "false"}:
            return Written(token.text == "true"), ""
        if token.kind == "name" and token.text in LEVELS:
            return Written(token.text), ""
        if token.kind == "name" and token.text not in _WORDS:
            return self._name(token), ""
        raise self._wrong(token.at, str(token), "a name, a number, a text in quotes, 'not' or '('")

    def _level(self, text: str, token: _Token) -> Written:
        if text not in LEVELS:
            near = difflib.get_close_matches(text.lower(), LEVELS, 1)
            allowed = "as text only 'no', 'low', 'medium' and 'high'"
            raise self._wrong(token.at, str(token), allowed, repr(near[0]) if near else "")
        return Written(text)

    def _number(self, token: _Token) -> tuple[Written, str]:
        minus = token.text == "-"
        digits = self._take() if minus else token
        if digits.kind != "number":
            raise self._wrong(digits.at, str(digits), "a number after '-'")
        value = float(digits.text)
        unit, factor = "", 1.0
        ahead = self._ahead
        if ahead.text in _UNITS and ahead.kind in {"name", "mark"}:
            unit, factor = _UNITS[self._take().text]
        elif ahead.kind == "name" and ahead.text not in {"and", "or"}:
            meant = _UNIT_WORDS.get(ahead.text.lower(), "")
            allowed = "after a number: s, min, %, 'and', 'or', ')' or the end"
            raise self._wrong(ahead.at, str(ahead), allowed, repr(meant) if meant else "")
        # 90 % is 90 / 100, which is the float that 0.9 is; 90 * 0.01 need not be
        value = value / 100.0 if factor == 0.01 else value * factor
        if value > MAX_NUMBER:
            raise self._wrong(token.at, repr(digits.text[:30]), f"numbers up to {MAX_NUMBER:g}")
        return Written(-value if minus and value else value), unit

    def _name(self, token: _Token) -> Name:
        meaning = NAMES.get(token.text)
        if meaning is None:
            near = difflib.get_close_matches(token.text.lower(), (*NAMES, *_WORDS), 1)
            raise self._wrong(token.at, str(token), f"one of {', '.join(NAMES)}", repr(near[0]) if near else "")
        if meaning.argument is None:
            if self._is("("):
                raise self._wrong(self._ahead.at, "'('", f"{token.text} without brackets: it takes no argument")
            return Name(token.text)
        if not self._is("("):
            allowed = f"the {meaning.argument} in brackets"
            raise self._wrong(self._ahead.at, str(self._ahead), allowed, f"{token.text}('...')")
        self._take()
        argument = self._take()
        if argument.kind != "string" or len(argument.text) < 3:
            raise self._wrong(argument.at, str(argument), f"an id of a kind {meaning.argument!r}, in quotes")
        if not self._is(")"):
            raise self._wrong(self._ahead.at, str(self._ahead), "')'")
        self._take()
        return Name(token.text, argument.text[1:-1])


def _flat(parts: list[Node], kind: type[All] | type[Some]) -> tuple[Node, ...]:
    """``a and (b and c)`` is ``a and b and c``: one form for what means the same, and no depth from mere length."""
    flat: list[Node] = []
    for part in parts:
        if isinstance(part, kind):
            flat.extend(part.parts)
        else:
            flat.append(part)
    return tuple(flat)


def _sort(kind: str) -> str:
    return "number" if kind == "count" else kind


def _number_allowed(name: Name) -> str:
    units = {"s": "seconds (plain, s or min)", "probability": "0 to 1, or 0 to 100 %"}
    what = units.get(name.meaning.unit, "a plain number")
    return f"{what} beside {name}"
