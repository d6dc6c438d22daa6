"""What goes wrong behind the sensors, as the scenario file says it: counts that change on their way to a post's
display, the data of a test that come in like any other, a drill that somebody takes for the real thing. And what the
posts have for it: displays, and the right and the words to take something back.

Faults are what is so; no nation is told of them. A display and a retraction are a nation's own and it knows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from tocsin.scenario import moments, specs
from tocsin.scenario.parts import Duration, Id, Moment, NotNegative, NotNegativeSpread, Part, Site, Text

TAKING_BACK = ("cancel", "correct")
FAULT_ACTS = ("fault.begin", "fault.end")
Found = tuple[tuple[str | int, ...], str, str]  # path under the scenario, found, allowed


class DisplayEntry(Part):
    """A screen at a post that shows how many objects the warning centre counts."""

    fields: dict[Id, tuple[Id, ...]] = Field(
        min_length=1, max_length=8, description="What is counted, by name: the classes that belong to it"
    )
    digits: int = Field(default=4, ge=1, le=6, description="Of each number on the line, filled up with zeros")
    refresh_s: float = Field(default=18.0, ge=1, le=600, description="Between two messages to the screen")


class RetractionEntry(Part):
    """Who may take a warning back, and which words stand ready for it."""

    by: tuple[Id, ...] = Field(min_length=1, max_length=20, description="Posts that may do `cancel` and `correct`")
    texts: dict[Literal["cancel", "correct"], Annotated[Text, StringConstraints(min_length=1)]] = Field(
        default={}, description="Words written beforehand, by action"
    )
    drafting_s: NotNegativeSpread = Field(
        default=NotNegativeSpread(nominal=0.0),
        description="What it takes longer where no words stand ready: to find them and have them agreed",
    )


class SaidEntry(Part):
    """One launch as a test's data or a drill's words tell it."""

    class_: Id = Field(alias="class")
    count: int = Field(default=1, ge=1, le=9999, description="How many of them")
    after_s: NotNegative = Field(default=0.0, description="When it is launched, after the fault begins")
    site: Site | None = Field(default=None, description="Where from; nothing is said of it if not given")
    to: Site | None = Field(default=None, description="Where to")
    flight_time: Duration | None = Field(default=None, description="Needed where `site` and `to` stand")
    sensors: dict[Id, NotNegative] = Field(
        default={}, max_length=50, description="Sensors that are said to have seen it: seconds after its launch"
    )


class _FaultEntry(Part):
    id: Id
    partner: Id = Field(description="Where it happens")
    from_: Moment | None = Field(
        default=None, alias="from", description="If not given it waits for an inject `fault.begin`"
    )
    until: Moment | None = Field(default=None, description="To the end of the scenario if not given")
    text: Text = Field(default="", description="What it is; goes into the record of what was so")


class CountsFault(_FaultEntry):
    """A fault on the line from a centre to its posts' displays: zeros of the counts become another digit."""

    kind: Literal["counts"]
    posts: tuple[Id, ...] = Field(
        default=(), max_length=50, description="Whose displays; of all posts that have one if not given"
    )
    digit: int = Field(default=2, ge=1, le=9, description="What a zero becomes")
    chance: float = Field(default=0.5, gt=0, le=1, description="... with this probability, for each zero of a message")


class TestDataFault(_FaultEntry):
    """Data of a test on the live channel: launches enter a centre's data processing with no scans behind them."""

    kind: Literal["test-data"]
    says: tuple[SaidEntry, ...] = Field(min_length=1, max_length=200)
    every_s: float = Field(default=10.0, ge=1, le=600, description="Between two words on the same launch")


class DrillFault(_FaultEntry):
    """A drill's message to a post, which the person there takes for the real thing."""

    kind: Literal["drill"]
    post: Id
    says: SaidEntry
    taken_for_real: float = Field(default=1.0, ge=0, le=1, description="Probability that it is")


FaultEntry = Annotated[CountsFault | TestDataFault | DrillFault, Field(discriminator="kind")]


class IncidentEntry(Part):
    """Marks a false or nearly false alarm that `tocsin study incidents` asks of every doctrine."""

    cause: Annotated[Text, StringConstraints(min_length=1, max_length=400)] = Field(description="What was behind it")


# ---- what single parts do not show ---------------------------------------------------------------------------------


def problems(
    faults: tuple[Any, ...], partners: Mapping[str, Any], classes: list[str], start: int, end: int | None
) -> Iterator[Found]:
    """What is wrong with valid ``faults`` (models), beside the scenario's ``partners`` (plain) and class ids."""
    seen: set[str] = set()
    for k, fault in enumerate(faults):
        if fault is None:
            continue
        path: tuple[str | int, ...] = ("faults", k)
        if fault.id in seen:
            yield (*path, "id"), f"the fault {fault.id!r} again", "each fault's id once"
        seen.add(fault.id)
        if fault.partner not in partners:
            yield (*path, "partner"), repr(fault.partner), f"a partner: {', '.join(partners)}"
            continue
        yield from _times(path, fault, start, end)
        posts, sensors = (_part(partners[fault.partner], key) for key in ("posts", "sensors"))
        if isinstance(fault, CountsFault):
            shown = [id for id, post in posts.items() if isinstance(post, dict) and post.get("display")]
            allowed = f"a post of {fault.partner} with a display: {', '.join(shown) or 'there is none'}"
            if not shown:
                yield path, f"counts of {fault.partner}, which has no display", allowed
            for j, post in enumerate(fault.posts):
                if post not in shown:
                    yield (*path, "posts", j), repr(post), allowed
            continue
        if isinstance(fault, DrillFault) and fault.post not in posts:
            yield (*path, "post"), repr(fault.post), f"a post of {fault.partner}: {', '.join(posts) or 'none'}"
        said = (fault.says,) if isinstance(fault, DrillFault) else fault.says
        for j, word in enumerate(said):
            place = (*path, "says") if isinstance(fault, DrillFault) else (*path, "says", j)
            yield from _word(place, word, classes, list(sensors))


def _part(data: Any, key: str) -> dict[str, Any]:
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _times(path: tuple[str | int, ...], fault: _FaultEntry, start: int, end: int | None) -> Iterator[Found]:
    t0 = None if fault.from_ is None else moments.moment_ns(fault.from_, start)
    t1 = None if fault.until is None else moments.moment_ns(fault.until, start)
    if t0 is not None and (t0 < 0 or (end is not None and t0 >= end)):
        yield (*path, "from"), repr(fault.from_), "a time from the start to the end of the scenario"
    if t1 is not None and t1 <= (t0 if t0 is not None else 0):
        yield (*path, "until"), repr(fault.until), "a time after `from`"


def _word(path: tuple[str | int, ...], word: SaidEntry, classes: list[str], sensors: list[str]) -> Iterator[Found]:
    if word.class_ not in classes:
        yield (*path, "class"), repr(word.class_), f"a class that stands under `classes`: {', '.join(classes)}"
    given = [name for name in ("site", "to", "flight_time") if getattr(word, name) is not None]
    if given and len(given) < 3:
        yield path, f"only {' and '.join(given)}", "all of site, to and flight_time, or none"
    for sensor in word.sensors:
        if sensor not in sensors:
            yield (*path, "sensors", sensor), repr(sensor), f"a sensor of that partner: {', '.join(sensors) or 'none'}"


def post_problems(partner: str, entry: Mapping[str, Any], classes: list[str]) -> Iterator[Found]:
    """What is wrong with the displays of a partner's posts and with who takes back what (plain data)."""
    posts = entry.get("posts")
    if not isinstance(posts, dict):
        return
    centre = entry.get("centre")
    retraction = centre.get("retraction") if isinstance(centre, dict) else None
    by = retraction.get("by") if isinstance(retraction, dict) else None
    if isinstance(by, tuple):
        for k, post in enumerate(by):
            if isinstance(post, str) and post not in posts:
                yield ("partners", partner, "centre", "retraction", "by", k), repr(post), f"a post: {', '.join(posts)}"
    for id, post in posts.items():
        if not isinstance(post, dict):
            continue
        display = post.get("display")
        fields = display.get("fields") if isinstance(display, dict) else None
        for name, wanted in fields.items() if isinstance(fields, dict) else ():
            for k, of_class in enumerate(wanted if isinstance(wanted, tuple) else ()):
                if isinstance(of_class, str) and of_class not in classes:
                    at: tuple[str | int, ...] = ("partners", partner, "posts", id, "display", "fields", name, k)
                    yield at, repr(of_class), f"a class that stands under `classes`: {', '.join(classes)}"
        for k, step in enumerate(post.get("steps") or ()):
            action = step.get("action") if isinstance(step, dict) else None
            if action in TAKING_BACK and isinstance(by, tuple) and id not in by:
                at = ("partners", partner, "posts", id, "steps", k, "action")
                allowed = f"a post of centre.retraction.by: {', '.join(map(str, by))}"
                yield at, f"{action} at {id}, which may take nothing back", allowed


# ---- to specs ------------------------------------------------------------------------------------------------------


def display(entry: DisplayEntry | None) -> specs.Display | None:
    """A display as a spec."""
    if entry is None:
        return None
    return specs.Display(tuple(entry.fields.items()), entry.digits, float(entry.refresh_s))


def with_retraction(post: specs.Post, entry: RetractionEntry | None) -> specs.Post:
    """A post whose steps that take back have the words that stand ready, or the time that it takes to find some."""
    if entry is None:
        return post
    steps = []
    for step in post.steps:
        if step.action in TAKING_BACK:
            ready = entry.texts.get(step.action)  # type: ignore[call-overload]
            if ready is not None:
                step = specs.StepRule(step.id, step.action, step.when, step.takes, step.after, ready, step.source)
            else:
                more = entry.drafting_s
                takes = specs.Spread(step.takes.nominal + more.nominal, math.hypot(step.takes.spread, more.spread))
                step = specs.StepRule(step.id, step.action, step.when, takes, step.after, step.text, step.source)
        steps.append(step)
    return specs.Post(post.id, post.name, tuple(steps), post.display)


def _said(entry: SaidEntry) -> specs.Said:
    def place(site: Site | None) -> tuple[float, float] | None:
        if site is None:
            return None
        return math.radians(site.lat_deg), math.remainder(math.radians(site.lon_deg), 2.0 * math.pi)

    return specs.Said(
        class_id=entry.class_,
        count=entry.count,
        after_ns=round(entry.after_s * 1e9),
        launch=place(entry.site),
        impact=place(entry.to),
        flight_ns=0 if entry.flight_time is None else moments.duration_ns(entry.flight_time),
        sensors=tuple((id, round(after * 1e9)) for id, after in entry.sensors.items()),
    )


def faults_of(entries: tuple[Any, ...], partners: Mapping[str, Any], start: int, end_ns: int) -> tuple[Any, ...]:
    """The faults of a valid scenario as specs. ``partners``: its models, by id."""
    made: list[specs.CountsFault | specs.TestData | specs.Drill] = []
    for entry in entries:
        t0 = None if entry.from_ is None else moments.moment_ns(entry.from_, start)
        t1 = end_ns if entry.until is None else moments.moment_ns(entry.until, start)
        if isinstance(entry, CountsFault):
            posts = entry.posts or tuple(id for id, p in partners[entry.partner].posts.items() if p.display is not None)
            made.append(
                specs.CountsFault(entry.id, entry.partner, t0, t1, entry.text, posts, entry.digit, entry.chance)
            )
        elif isinstance(entry, TestDataFault):
            words = tuple(_said(word) for word in entry.says)
            made.append(specs.TestData(entry.id, entry.partner, t0, t1, entry.text, words, round(entry.every_s * 1e9)))
        else:
            made.append(
                specs.Drill(
                    entry.id, entry.partner, t0, t1, entry.text, entry.post, _said(entry.says), entry.taken_for_real
                )
            )
    return tuple(made)
