"""Notices of launches as a scenario file has them: what each says, and the hands through which it goes.

What a notice says need not be true, and may come late or not at all: that is what it is there for. Two notices of one
sender to one nation that speak of the same launch and say different things contradict each other, unless one replaces
the other.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from typing import Any

from pydantic import Field, ValidationError

from tocsin.scenario import moments, specs
from tocsin.scenario.parts import NO_TIME, Azimuth, Id, Latitude, Longitude, Moment, NotNegativeSpread, Part, Text

Problem = tuple[tuple[str | int, ...], str, str]  # path under the notice's id, found, allowed
EARTH_KM = 6371.0
FAR_AZIMUTH = 3.0  # azimuths that differ by more than so many joint spreads are different ones


class NoticeArea(Part):
    """Where the launch is announced from: a place and what lies within a distance of it."""

    lat_deg: Latitude
    lon_deg: Longitude
    radius_km: float = Field(default=20.0, gt=0, le=5000)


class HandOffEntry(Part):
    """One hand through which a notice goes."""

    who: Text
    takes_s: NotNegativeSpread = Field(default=NO_TIME, description="From having it until the next one has it")
    loss: float = Field(default=0.0, ge=0, le=1, description="Probability that it goes no further")
    lost: bool = Field(default=False, description="It goes no further, for certain")
    source: Text = ""


class NoticeEntry(Part):
    """An announced launch: what is said of it, and on what way to whom."""

    from_: Text = Field(alias="from", min_length=1, description="Who announces: a partner's id, or any name")
    to: Id = Field(description="The partner that it is meant for")
    sent: Moment
    window: tuple[Moment, Moment] = Field(description="From when to when the launch may be")
    area: NoticeArea
    azimuth_deg: Azimuth | None = None
    azimuth_spread_deg: float = Field(default=5.0, gt=0, le=90, description="One standard deviation")
    class_: Id | None = Field(default=None, alias="class", description="One of `classes`")
    replaces: Id | None = Field(default=None, description="A notice of the same sender whose place it takes")
    handoffs: tuple[HandOffEntry, ...] = Field(default=(), max_length=50, description="In their order")
    text: Text = ""
    source: Text = ""


def notice_spec(id: str, entry: NoticeEntry, start: int) -> specs.Notice:
    """A notice in SI, times on the scenario's clock (one sent before the start has a time under zero)."""
    said = specs.Announcement(
        id=id,
        sender=entry.from_,
        t0_ns=moments.moment_ns(entry.window[0], start),
        t1_ns=moments.moment_ns(entry.window[1], start),
        lat=math.radians(entry.area.lat_deg),
        lon=math.remainder(math.radians(entry.area.lon_deg), 2.0 * math.pi),
        radius=entry.area.radius_km * 1e3,
        azimuth=None if entry.azimuth_deg is None else math.radians(entry.azimuth_deg),
        azimuth_spread=math.radians(entry.azimuth_spread_deg),
        class_id=entry.class_ or "",
        replaces=entry.replaces or "",
    )
    hands = tuple(
        specs.HandOff(h.who, specs.Spread(h.takes_s.nominal, h.takes_s.spread), h.loss, h.lost) for h in entry.handoffs
    )
    return specs.Notice(said, entry.to, moments.moment_ns(entry.sent, start), hands)


def problems(
    entries: Mapping[str, NoticeEntry], partners: Collection[str], classes: Collection[str], start: int
) -> Iterator[tuple[str, tuple[str | int, ...], str, str]]:
    """What is wrong with notices: (id, path under it, found, allowed)."""
    known = {id: notice_spec(id, entry, start) for id, entry in entries.items()}
    for id, entry in entries.items():
        said = known[id].announcement
        if entry.to not in partners:
            yield id, ("to",), f"the unknown partner '{entry.to}'", _one_of(partners)
        if entry.from_ == entry.to:
            yield id, ("to",), f"a notice of {entry.from_} to itself", "another partner"
        if entry.class_ is not None and entry.class_ not in classes:
            yield id, ("class",), f"the unknown class '{entry.class_}'", _one_of(classes)
        if said.t1_ns <= said.t0_ns:
            yield id, ("window", 1), f"'{entry.window[1]}'", "a time after the first of the window"
        if entry.replaces is not None:
            other = entries.get(entry.replaces)
            if other is None:
                yield id, ("replaces",), f"the unknown notice '{entry.replaces}'", _one_of(entries)
            elif (other.from_, other.to) != (entry.from_, entry.to):
                found = f"'{entry.replaces}', from {other.from_} to {other.to}"
                yield id, ("replaces",), found, f"a notice from {entry.from_} to {entry.to}"
            elif loop := _loop(id, entries):
                yield id, ("replaces",), f"notices that replace each other: {' -> '.join(loop)}", "an earlier notice"
    for a, b in combinations(entries, 2):
        if entries[a].to != entries[b].to or entries[a].from_ != entries[b].from_:
            continue
        if b in _replaced(a, entries) or a in _replaced(b, entries):
            continue
        against = _against(known[a].announcement, known[b].announcement)
        if against:
            found = f"notice '{b}', which contradicts notice '{a}' ({against}) for the same window and area"
            yield b, (), found, "notices that agree, or `replaces` in the later one"


def _loop(id: str, entries: Mapping[str, NoticeEntry]) -> list[str]:
    """The way from a notice back to it along what replaces what; empty if there is none, or it was told before."""
    way, at = [id], entries[id].replaces
    while at is not None and at in entries and at not in way:
        way.append(at)
        at = entries[at].replaces
    return [*way, id] if at == id and id == min(way) else []


def _replaced(id: str, entries: Mapping[str, NoticeEntry]) -> set[str]:
    found: set[str] = set()
    at = entries[id].replaces
    while at is not None and at in entries and at not in found:
        found.add(at)
        at = entries[at].replaces
    return found


def _against(a: specs.Announcement, b: specs.Announcement) -> str:
    """In what two notices contradict each other; "" if they do not, or speak of different launches."""
    if a.t1_ns <= b.t0_ns or b.t1_ns <= a.t0_ns or _apart(a, b) > a.radius + b.radius:
        return ""
    said = []
    if a.class_id and b.class_id and a.class_id != b.class_id:
        said.append(f"class {a.class_id} and {b.class_id}")
    if a.azimuth is not None and b.azimuth is not None:
        apart = abs(math.remainder(a.azimuth - b.azimuth, 2.0 * math.pi))
        if apart > FAR_AZIMUTH * math.hypot(a.azimuth_spread, b.azimuth_spread):
            said.append(f"azimuth {math.degrees(a.azimuth):g} and {math.degrees(b.azimuth):g} deg")
    return ", ".join(said)


def _apart(a: specs.Announcement, b: specs.Announcement) -> float:
    """Distance (m) of two announced places on a sphere: what contradicts does not hang on the ellipsoid."""
    h = math.sin((b.lat - a.lat) / 2) ** 2 + math.cos(a.lat) * math.cos(b.lat) * math.sin((b.lon - a.lon) / 2) ** 2
    return 2.0 * EARTH_KM * 1e3 * math.asin(min(1.0, math.sqrt(h)))


def valid_entries(data: Any) -> dict[str, NoticeEntry]:
    """The notices of plain data that are of the right shape."""
    made: dict[str, NoticeEntry] = {}
    for id, entry in data.items() if isinstance(data, dict) else ():
        try:
            made[str(id)] = NoticeEntry.model_validate(entry)
        except ValidationError:
            continue
    return made


def _one_of(known: Collection[str]) -> str:
    return f"one of {', '.join(known)}" if known else "one that there is (there are none)"
