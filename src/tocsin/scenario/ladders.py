"""Ladders of conferences and named doctrines: how a scenario file says them, what is bundled, and both as specs.

A ladder starts from a bundled one or from nothing; a doctrine changes conditions of a bundled one's rungs; what the
scenario says of a rung itself comes before both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import CoreSchema

from tocsin.scenario import catalogue, specs
from tocsin.scenario.parts import NO_TIME, Id, NotNegativeSpread, Part, Text

OVER = "over"  # on which a rung is left that says nothing else
Problem = tuple[tuple[str | int, ...], str, str]  # path under `ladder`, found, allowed
Condition = Annotated[Text, Field(min_length=1, max_length=1000)]


class CallEntry(Part):
    """Who is called to a conference."""

    post: Id
    joins_s: NotNegativeSpread = Field(default=NO_TIME, description="From the call until it takes part")
    agrees: Condition | None = Field(
        default=None, description="Condition on which its doctrine agrees; that of the rung if not given"
    )


class RungEntry(Part):
    """One rung of a ladder: a conference and the alert state that it stands for."""

    id: Id
    name: Text | None = None
    when: Condition | None = Field(default=None, description="Condition on which it is called (see the reference)")
    after: tuple[Id, ...] | None = Field(
        default=None,
        max_length=20,
        description="Rungs that must stand for the same warning; the one below if not given",
    )
    calls: tuple[CallEntry, ...] | None = Field(
        default=None, max_length=50, description="Who is called; the first has the chair"
    )
    agree: Literal["all", "any"] | Annotated[int, Field(ge=1, le=50)] | None = Field(
        default=None, description="How many of those called must agree; all if not given"
    )
    takes_s: NotNegativeSpread | None = Field(
        default=None, description="From when so many have joined until they can agree"
    )
    state: Id | None = Field(default=None, description="The alert state while it stands; the rung's id if not given")
    action: Id | None = Field(default=None, description="What its decision does; note if not given")
    text: Text | None = Field(default=None, description="What is said; {areas}, {launch_time} and such are filled in")
    leave: Condition | None = Field(default=None, description="Condition on which it is stood down; over if not given")
    leave_takes_s: NotNegativeSpread | None = Field(default=None, description="From then until it has been")
    source: Text | None = Field(default=None, description="What it rests on, or the word notional")


class LadderEntry(Part):
    """Conferences from the lowest up, and the alert state of each. ``ladder: NAME`` takes a bundled one as it is."""

    from_: Id | None = Field(default=None, alias="from", description="Bundled ladder to start from")
    posts: dict[Id, Id] = Field(default={}, description="Which own post takes which role of the bundled ladder")
    rungs: tuple[RungEntry, ...] = Field(
        default=(), max_length=20, description="What differs from the bundled ladder, by id, or all of it"
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value

    @model_serializer(mode="wrap")
    def _shortest(self, handler: SerializerFunctionWrapHandler) -> Any:
        made = handler(self)
        return made["from"] if set(made) == {"from"} else made

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        made = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [{"type": "string"}, made], "description": str(cls.__doc__)}


# ---- what is bundled -----------------------------------------------------------------------------------------------


@cache
def _ladders() -> dict[str, Any]:
    return dict(catalogue.read_whole("ladders.yaml")["ladders"])


@cache
def _doctrines() -> dict[str, Any]:
    return dict(catalogue.read_whole("doctrines.yaml")["doctrines"])


def ladder_ids() -> tuple[str, ...]:
    """The bundled ladders."""
    return tuple(_ladders())


def doctrine_ids() -> tuple[str, ...]:
    """The bundled doctrines, in the order of their file."""
    return tuple(_doctrines())


@dataclass(frozen=True)
class Doctrine:
    """A named doctrine. ``rule``: values of a RuleEntry; ``ladder``: values of a RungEntry by the rung's id."""

    id: str
    title: str
    summary: str
    source: str
    rule: Mapping[str, Any]
    ladder: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def doctrine(id: str) -> Doctrine:
    """The bundled doctrine ``id``. Raises KeyError if there is none."""
    entry = _doctrines()[id]
    return Doctrine(id, entry["title"], entry["summary"], entry["source"], entry["rule"], entry.get("ladder", {}))


def rung_ids(entry: LadderEntry) -> list[str]:
    """The rungs of a ladder by name."""
    bundled = _ladders().get(entry.from_ or "", {}).get("rungs", ())
    return list(dict.fromkeys([*(rung["id"] for rung in bundled), *(rung.id for rung in entry.rungs)]))


# ---- from the entries to specs -------------------------------------------------------------------------------------


@dataclass
class Resolved:
    """A ladder as it stands: ``rungs``; ``added``: posts (id, name) that it brings; ``places``: for each rung where the
    scenario speaks of it, as a path under `ladder`.
    """

    rungs: tuple[specs.Rung, ...] = ()
    added: tuple[tuple[str, str], ...] = ()
    places: dict[str, tuple[str | int, ...]] = field(default_factory=dict)


def resolve(
    entry: LadderEntry, named: str | None, posts: Collection[str], taken: Collection[tuple[str, str]] = ()
) -> tuple[Resolved, list[Problem]]:
    """A nation's ladder, and what is wrong with it.

    ``named``: its doctrine, which may change bundled rungs; ``posts``: ids of its own posts; ``taken``: its steps as
    (post, step): a chair's rung goes by no name that one of its steps has.
    """
    problems: list[Problem] = []
    bundled = _ladders().get(entry.from_ or "")
    if entry.from_ is not None and bundled is None:
        return Resolved(), [(("from",), f"the unknown ladder '{entry.from_}'", f"one of {', '.join(ladder_ids())}")]
    if bundled is None and not entry.rungs:
        return Resolved(), [((), "a ladder without rungs", "`rungs`, or `from` a bundled one, or no `ladder`")]
    roles: dict[str, str] = bundled["roles"] if bundled is not None else {}
    for role, post in entry.posts.items():
        if role not in roles:
            problems.append((("posts", role), f"the role '{role}'", f"one of {', '.join(roles) or 'none: no `from`'}"))
        if post not in posts:
            problems.append((("posts", role), f"the unknown post '{post}'", _one_of(posts)))
    plain: dict[str, dict[str, Any]] = {}
    places: dict[str, tuple[str | int, ...]] = {}
    changes = doctrine(named).ladder if named in _doctrines() and named is not None else {}
    for rung in bundled["rungs"] if bundled is not None else ():
        calls = tuple({**c, "post": entry.posts.get(c["post"], c["post"])} for c in rung["calls"])
        plain[rung["id"]] = {**rung, "calls": calls, **changes.get(rung["id"], {})}
        places[rung["id"]] = ()
    seen: set[str] = set()
    for k, own in enumerate(entry.rungs):
        if own.id in seen:
            problems.append((("rungs", k, "id"), f"the rung '{own.id}' again", "each rung once"))
            continue
        seen.add(own.id)
        given = own.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        plain[own.id] = {**plain.get(own.id, {}), **given}
        places[own.id] = ("rungs", k)
    known = tuple(dict.fromkeys((*posts, *roles)))
    made: list[specs.Rung] = []
    for id, values in plain.items():
        rung_spec = _rung(id, values, made, list(plain), known, places[id], problems)
        if rung_spec is not None:
            made.append(rung_spec)
            if (rung_spec.calls[0].post, id) in taken:
                said = f"a rung '{id}' beside a step of that name at its chair's post '{rung_spec.calls[0].post}'"
                problems.append((places[id], said, "another name for one of them"))
    called = [c.post for r in made for c in r.calls]
    added = tuple((role, name) for role, name in roles.items() if role in called and role not in posts)
    return Resolved(tuple(made), added, places), problems


def _rung(
    id: str,
    values: dict[str, Any],
    below: list[specs.Rung],
    all_ids: list[str],
    known: Collection[str],
    place: tuple[str | int, ...],
    problems: list[Problem],
) -> specs.Rung | None:
    missing = [key for key in ("when", "calls") if not values.get(key)]
    if missing:
        problems.append((place, f"the rung '{id}' without {' and '.join(missing)}", "a rung with when and calls"))
        return None
    entry = RungEntry.model_validate({k: _tuples(v) for k, v in values.items()})
    assert entry.when is not None
    assert entry.calls is not None
    sound = True
    posts = [call.post for call in entry.calls]
    for j, post in enumerate(posts):
        where = (*place, "calls", j, "post") if place else ()
        if post not in known:
            problems.append((where, f"the unknown post '{post}'", _one_of(known)))
        if post in posts[:j]:
            problems.append((where, f"the post '{post}' again", "each post once"))
            sound = False
    agree = {"all": len(posts), "any": 1, None: len(posts)}.get(entry.agree) if not isinstance(entry.agree, int) else (
        entry.agree
    )  # fmt: skip
    assert agree is not None
    if agree > len(posts):
        found = f"{agree} who must agree, of {len(posts)} who are called"
        problems.append(((*place, "agree") if place else (), found, f"1 to {len(posts)}, all or any"))
        sound = False
    after = entry.after if entry.after is not None else tuple(r.id for r in below[-1:])
    for j, name in enumerate(after):
        if name not in all_ids:
            problems.append(((*place, "after", j) if place else (), f"the unknown rung '{name}'", _one_of(all_ids)))
            sound = False
    if not sound:
        return None
    return specs.Rung(
        id=id,
        name=entry.name or id,
        when=entry.when,
        after=after,
        calls=tuple(specs.Call(c.post, _spread(c.joins_s), c.agrees or entry.when) for c in entry.calls),
        agree=agree,
        takes=_spread(entry.takes_s),
        state=entry.state or id,
        action=entry.action or "note",
        text=entry.text or "",
        leave=entry.leave or OVER,
        leave_takes=_spread(entry.leave_takes_s),
        source=entry.source or "",
    )


def _spread(value: NotNegativeSpread | None) -> specs.Spread:
    return specs.Spread(0.0, 0.0) if value is None else specs.Spread(value.nominal, value.spread)


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value


def _one_of(known: Collection[str]) -> str:
    return f"one of {', '.join(known)}" if known else "a post of this partner (there are none)"


def rule_values(given: Mapping[str, Any], named: str | None) -> dict[str, Any]:
    """The values of a nation's rule that are not the defaults: its doctrine's, and ``given`` before these."""
    from_doctrine = doctrine(named).rule if named in _doctrines() and named is not None else {}
    return {**from_doctrine, **given}
