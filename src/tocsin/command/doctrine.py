"""Reading a written doctrine before anything runs: what does not parse, what can never hold, what waits for itself.
Rungs of a ladder are read with the steps: each may wait for the other.

Whether a condition can hold is decided by cases: every name gets the few values that its comparisons can tell apart
(the thresholds and one value between each two), and the condition becomes an "or" of boxes over those values. A
condition with no box left can never hold. Names are taken as independent of each other: what is reported is certain,
but not all is found.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tocsin.command import actions
from tocsin.command.grammar import (
    LEVELS,
    WAYS,
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
    holds,
    parse,
    walk,
)
from tocsin.scenario.specs import Post, Rung

StepRef = tuple[str, str]  # (post, step)
_LADDER = "the ladder"  # in the place of a post: no post can have this id
_MAX_BOXES = 4096

# a box: for each name it speaks of, the set of that name's sample values as bits
_Variable = Name | Comparison
_Box = dict[_Variable, int]


def find_step(posts: Sequence[Post], post: str, name: str) -> list[StepRef]:
    """The steps that ``name`` can mean at ``post``: its own, else another post's; "post/step" says it outright."""
    if any(p.id == post and s.id == name for p in posts for s in p.steps):
        return [(post, name)]
    plain = [(p.id, s.id) for p in posts for s in p.steps if s.id == name]
    return plain or [(p.id, s.id) for p in posts for s in p.steps if f"{p.id}/{s.id}" == name]


def can_hold(condition: Condition, never: Collection[Name] = ()) -> bool:
    """False only if no values of its names make it hold; ``never``: done('...') of steps that can never be done."""
    boxes = _Cases(condition.root, never).boxes(condition.root, True)
    return boxes is None or bool(boxes)


class _Cases:
    def __init__(self, root: Node, never: Collection[Name]) -> None:
        self.samples: dict[_Variable, list[Value]] = {}
        thresholds: dict[Name, set[float]] = {}
        for leaf in walk(root):
            if isinstance(leaf, Comparison) and isinstance(leaf.left, Name) and isinstance(leaf.right, Name):
                self.samples[leaf] = [True, False]  # one name against another: free, not analysed
                continue
            for operand in (leaf.operand,) if isinstance(leaf, Truth) else (leaf.left, leaf.right):
                if isinstance(operand, Name):
                    thresholds.setdefault(operand, {0.0})
            if isinstance(leaf, Comparison):
                name, written = (leaf.left, leaf.right) if isinstance(leaf.left, Name) else (leaf.right, leaf.left)
                if isinstance(name, Name) and isinstance(written, Written) and isinstance(written.value, float):
                    thresholds[name].add(written.value)
        for name, values in thresholds.items():
            self.samples[name] = [False] if name in never else _samples(name, sorted(values))

    def boxes(self, node: Node, wanted: bool) -> list[_Box] | None:
        """The boxes in which ``node`` is ``wanted``; None if there are too many to say."""
        if isinstance(node, Not):
            return self.boxes(node.part, not wanted)
        if isinstance(node, Truth | Comparison):
            return self._leaf(node, wanted)
        parts = [self.boxes(p, wanted) for p in node.parts]
        if isinstance(node, Some) == wanted:  # an "or", or the opposite of an "and"
            joined: list[_Box] = []
            for part in parts:
                if part is None:
                    return None
                joined.extend(part)
            return joined if len(joined) <= _MAX_BOXES else None
        known = [p for p in parts if p is not None]
        product: list[_Box] = [{}]
        for part in known:
            product = [box for a in product for b in part if (box := _both(a, b)) is not None]
            if len(product) > _MAX_BOXES:
                return None
        return None if len(known) < len(parts) and product else product

    def _leaf(self, node: Truth | Comparison, wanted: bool) -> list[_Box]:
        if isinstance(node, Comparison) and node in self.samples:
            return [{node: 1 if wanted else 2}]
        operands = (node.operand,) if isinstance(node, Truth) else (node.left, node.right)
        name = next((o for o in operands if isinstance(o, Name)), None)
        if name is None:
            return [{}] if holds(node, lambda *_: None) == wanted else []
        bits = 0
        for i, value in enumerate(self.samples[name]):
            # the evaluator itself decides, so that the check cannot disagree with the run
            bits |= (holds(node, lambda *_, value=value: value) == wanted) << i
        return [{name: bits}] if bits else []


def _both(a: _Box, b: _Box) -> _Box | None:
    box = dict(a)
    for name, bits in b.items():
        box[name] = box.get(name, -1) & bits
        if not box[name]:
            return None
    return box


def _samples(name: Name, thresholds: list[float]) -> list[Value]:
    kind, unit = name.meaning.kind, name.meaning.unit
    if kind == "flag":
        return [True, False]
    if kind == "level":
        return list(LEVELS)
    if kind == "count":
        near = {int(t // 1) + k for t in thresholds for k in (-1, 0, 1)}
        return [float(n) for n in sorted(near) if n >= 0]
    ends = [0.0, 1.0] if unit == "probability" else [thresholds[0] - 1.0, thresholds[-1] + 1.0]
    marks = sorted({*thresholds, *ends})
    between = [(a + b) / 2 for a, b in pairwise(marks)]
    least = float("-inf") if name.name == "time_to_impact_s" else 0.0
    return [None, *(v for v in sorted([*marks, *between]) if v >= least)]


@dataclass
class _Reading:
    """One step as read: where it is, its condition (None: does not parse), the steps it waits for."""

    ref: StepRef
    condition: Condition | None
    after: list[StepRef]
    done: dict[Name, StepRef]

    @property
    def where(self) -> str:
        if self.ref[0] == _LADDER:
            return f"rung {self.ref[1]!r}"
        return f"post {self.ref[0]!r}, step {self.ref[1]!r}"


@dataclass
class _Names:
    """What the names of a condition may be asked about (None: not checked)."""

    posts: Sequence[Post]
    ladder: Sequence[Rung]
    areas: Collection[str] | None
    classes: Collection[str] | None


def check_doctrine(
    posts: Sequence[Post],
    areas: Collection[str] | None = None,
    classes: Collection[str] | None = None,
    ladder: Sequence[Rung] = (),
) -> list[str]:
    """What is wrong with the doctrine of one nation's ``posts`` and ``ladder``, a sentence each; empty if nothing is.

    Conditions that do not parse or can never hold, unknown actions, words in braces that no text can fill, steps that
    are named but do not exist or exist twice, steps that can never be done because they wait for themselves or for
    such a step. With ``areas`` and ``classes`` (ids), names of areas and classes too.
    """
    messages: list[str] = []
    names = _Names(posts, ladder, areas, classes)
    readings = [_read(names, post, i, messages) for post in posts for i in range(len(post.steps))]
    for rung in ladder:
        readings.extend(_read_rung(names, rung, messages))
    # a nation that has no ladder has no alert state
    _check_never(readings, messages, () if ladder else (Name("alert_state"),))
    return messages


def _read(names: _Names, post: Post, index: int, messages: list[str]) -> _Reading:
    posts = names.posts
    rule = post.steps[index]
    reading = _Reading((post.id, rule.id), None, [], {})
    where = reading.where
    if any(s.id == rule.id for s in post.steps[:index]):
        messages.append(f"{where}: there are two steps of this name at the post")
    _check_action(rule.action, rule.text, where, messages)
    for name in rule.after:
        found = _one_step(posts, post.id, name, f"{where}: after", messages)
        if found is not None:
            reading.after.append(found)
    reading.condition = _condition(rule.when, post.id, where, names, reading.done, messages)
    return reading


def _check_action(action: str, text: str, where: str, messages: list[str]) -> None:
    try:
        actions.action(action)
    except ValueError as error:
        messages.append(f"{where}: {error}")
    for name in actions.unknown_fields(text):
        near = difflib.get_close_matches(name, actions.FIELDS, 1)
        meant = f"; did you mean {{{near[0]}}}?" if near else ""
        messages.append(f"{where}: text: {{{name}}} cannot be filled; allowed: {', '.join(actions.FIELDS)}{meant}")


def _condition(
    text: str, post: str, where: str, names: _Names, done: dict[Name, StepRef], messages: list[str]
) -> Condition | None:
    """A condition as read, and in ``done`` the steps and rungs that its names mean."""
    try:
        condition = parse(text)
    except ConditionError as error:
        messages.append(f"{where}: {error}")
        return None
    rungs = [rung.id for rung in names.ladder]
    for asked in condition.names():
        argument, kind = asked.argument or "", asked.meaning.argument
        if kind == "step":
            found = _one_step(names.posts, post, argument, f"{where}: {asked}", messages)
            if found is not None:
                done[asked] = found
        elif kind == "rung" and argument in rungs:
            done[asked] = (_LADDER, argument)
        states = [rung.state for rung in names.ladder]
        known = {
            "area": names.areas, "class": names.classes, "rung": rungs, "state": states, "way": WAYS,
        }.get(kind or "")  # fmt: skip
        if known is not None and argument not in known:
            near = difflib.get_close_matches(argument, sorted(known), 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            listed = ", ".join(sorted(set(known))) or f"no {kind} is defined"
            messages.append(f"{where}: {asked}: there is no {kind} {argument!r}; allowed: {listed}{meant}")
    return condition


def _read_rung(names: _Names, rung: Rung, messages: list[str]) -> list[_Reading]:
    """A rung as a thing to be reached; what of its other conditions can never hold is said at once."""
    reading = _Reading((_LADDER, rung.id), None, [(_LADDER, below) for below in rung.after], {})
    chair = rung.calls[0].post if rung.calls else ""
    where = reading.where
    _check_action(rung.action, rung.text, where, messages)
    reading.condition = _condition(rung.when, chair, where, names, reading.done, messages)
    aside: dict[Name, StepRef] = {}
    leave = _condition(rung.leave, chair, f"{where}: leave", names, aside, messages)
    if leave is not None and not can_hold(leave):
        messages.append(f"{where}: it is never left, its condition to leave can never hold: {leave}")
    willing = 0
    for call in rung.calls:
        agrees: Condition | None = reading.condition
        if call.agrees != rung.when:
            agrees = _condition(call.agrees, chair, f"{where}: {call.post} agrees", names, aside, messages)
        willing += agrees is None or can_hold(agrees)
    if reading.condition is not None and can_hold(reading.condition) and willing < rung.agree:
        said = f"{rung.agree} must agree and the conditions of {len(rung.calls) - willing} of {len(rung.calls)}"
        messages.append(f"{where}: the conference can never agree: {said} can never hold")
    return [reading]


def _one_step(posts: Sequence[Post], post: str, name: str, where: str, messages: list[str]) -> StepRef | None:
    found = find_step(posts, post, name)
    if len(found) == 1:
        return found[0]
    if found:
        listed = " or ".join(repr(f"{p}/{s}") for p, s in found)
        messages.append(f"{where}: several posts have a step {name!r}; say {listed}")
    else:
        known = [s.id for p in posts for s in p.steps]
        near = difflib.get_close_matches(name, known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        messages.append(f"{where}: there is no step {name!r}; allowed: {', '.join(dict.fromkeys(known))}{meant}")
    return None


def _check_never(readings: list[_Reading], messages: list[str], none: Collection[Name]) -> None:
    alone = {r.ref for r in readings if r.condition is not None and not can_hold(r.condition, none)}
    can: set[StepRef] = set()
    grew = True
    while grew:
        grew = False
        for r in readings:
            if r.ref in can or r.ref in alone or any(a not in can for a in r.after):
                continue
            never = [*none, *(name for name, ref in r.done.items() if ref not in can)]
            if r.condition is None or can_hold(r.condition, never):
                can.add(r.ref)
                grew = True
    waits = {r.ref: [*r.after, *r.done.values()] for r in readings if r.ref not in can}
    looped: set[StepRef] = set()
    for r in readings:
        if r.ref in can or r.ref in looped:
            continue
        if r.ref in alone:
            messages.append(f"{r.where}: the condition can never hold: {r.condition}")
            continue
        loop = _loop(r.ref, waits, alone)
        if loop:
            looped.update(loop)
            path = " -> ".join(f"{p}/{s}" for p, s in [*loop, loop[0]])
            messages.append(f"{r.where}: can never be done, it waits for itself: {path}")
        else:
            first = next(ref for ref in waits[r.ref] if ref not in can)
            messages.append(f"{r.where}: can never be done, it waits for {first[0]}/{first[1]}, which never is")


def _loop(start: StepRef, waits: dict[StepRef, list[StepRef]], alone: set[StepRef]) -> list[StepRef]:
    """The shortest way from ``start`` back to it along steps that can never be done; empty if there is none."""
    ways = [[start]]
    seen: set[StepRef] = set()
    while ways:
        way = ways.pop(0)
        for ref in waits.get(way[-1], []):
            if ref == start:
                return way
            if ref in waits and ref not in alone and ref not in seen:
                seen.add(ref)
                ways.append([*way, ref])
    return []
