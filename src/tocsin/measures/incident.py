"""How far an alarm went, and how long until it was taken back: read from the tables of a run.

The levels are those that every doctrine has in common, whatever its conferences are called: something is shown; the
warning stands confirmed; it is passed up; the last conference of the ladder agrees; the public is told. A level is
taken back by what reaches as far: a public alert only by a correction to the public (where the doctrine has none, by
the order to stand down), what was passed up by a stand-down, what was shown by the end of the warning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import pyarrow as pa
from msgspec import Meta

from tocsin.scenario import ladders, loader

LEVELS = ("nothing", "shown", "confirmed", "passed up", "to the top", "public")
_OVER = ("cancelled", "closed")
_BACK = ("stand-down", "cancel", "correct")


class Reach(msgspec.Struct, frozen=True):
    """One level that was reached."""

    level: str
    partner: str
    warning: Annotated[str, Meta(description="the first one that got so far")]
    how: Annotated[str, Meta(description="post and step, or status, by which it did")]
    at_s: Annotated[float, Meta(description="since the scenario's epoch")]
    back_s: Annotated[
        float | None,
        Meta(description="when the last warning that got so far was taken back; null: not by the end of the run"),
    ]
    stood_s: Annotated[
        float | None,
        Meta(description="longest stretch in which some warning stood so far; null: one did to the end of the run"),
    ]
    stretches: Annotated[
        list[tuple[float, float | None]], Meta(description="from when to when some warning stood so far")
    ]
    warnings: Annotated[int, Meta(description="how many warnings got so far")]

    @property
    def minutes(self) -> float | None:
        """How long it stood before it was taken back."""
        return None if self.stood_s is None else self.stood_s / 60.0


class Incident(msgspec.Struct, frozen=True):
    """How far an alarm went in a run."""

    cause: str
    highest: Annotated[str, Meta(description="the highest level reached: " + ", ".join(LEVELS))]
    reached: Annotated[list[Reach], Meta(description="every level that was reached, from the lowest up")]

    @property
    def top(self) -> Reach | None:
        """The highest level; None where nothing was even shown."""
        return self.reached[-1] if self.reached else None


def incident(tables: Mapping[str, pa.Table], scenario: Mapping[str, Any]) -> Incident:
    """How far it went. ``scenario``: as plain data; its ``incident`` gives the cause."""
    decisions: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(tables["decisions"].to_pylist(), key=lambda r: r["t_s"]):
        decisions.setdefault((row["nation"], row["warning"]), []).append(row)
    versions: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sorted(tables["warnings"].to_pylist(), key=lambda r: r["version"]):
        if row["label"] == "own":
            versions.setdefault((row["nation"], row["warning"]), []).append(row)
    found: dict[str, list[tuple[float, float | None, str, str, str]]] = {}
    for (nation, uid), rows in versions.items():
        steps = decisions.get((nation, uid), [])
        for level, at, back, how in _levels(rows, steps, *_made_of(scenario, nation)):
            found.setdefault(level, []).append((at, back, nation, uid, how))
    reached = []
    for level in LEVELS:
        if level in found:
            at, _, nation, uid, how = min(found[level], key=lambda one: (one[0], one[3]))
            backs = [back for _, back, *_ in found[level]]
            last = None if None in backs else max(b for b in backs if b is not None)
            stretches = _stretches([(a, b) for a, b, *_ in found[level]])
            stood = None if last is None else max(round((b or a) - a, 3) for a, b in stretches)
            reached.append(Reach(level, nation, uid, how, at, last, stood, stretches, len(found[level])))
    cause = str((scenario.get("incident") or {}).get("cause") or "")
    return Incident(cause, reached[-1].level if reached else LEVELS[0], reached)


def _stretches(spans: list[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    """What spans (without an end: to the end of the run) cover together, gap by gap."""
    made: list[tuple[float, float]] = []
    for a, b in sorted((a, math.inf if b is None else b) for a, b in spans):
        if made and a <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], b))
        else:
            made.append((a, b))
    return [(a, None if b == math.inf else b) for a, b in made]


def _made_of(scenario: Mapping[str, Any], nation: str) -> tuple[tuple[str, ...], bool]:
    """The rungs of a nation's ladder from the lowest up; whether any of its steps corrects what the public heard."""
    entry = (scenario.get("partners") or {}).get(nation) or {}
    posts = (entry.get("posts") or {}).values()
    corrects = any(step.get("action") == "correct" for post in posts for step in (post or {}).get("steps") or ())
    given = (entry.get("centre") or {}).get("ladder")
    if given is None:
        return (), corrects
    return tuple(ladders.rung_ids(ladders.LadderEntry.model_validate(loader.tuples(given)))), corrects


def _levels(
    rows: list[dict[str, Any]], steps: list[dict[str, Any]], rungs: tuple[str, ...], corrects: bool
) -> list[tuple[str, float, float | None, str]]:
    """(level, when, when taken back, how) of one warning."""
    over = next((r["t_s"] for r in rows if r["status"] in _OVER), None)
    made = [("shown", rows[0]["t_s"], over, "opened")]
    first = next((r for r in rows if r["confirmed"]), None)
    if first is not None:
        later = (r["t_s"] for r in rows if r["version"] > first["version"])
        lost = (t for r, t in zip(rows[rows.index(first) + 1 :], later, strict=True) if not r["confirmed"])
        made.append(("confirmed", first["t_s"], next(lost, over), "confirmed"))
    up = [d for d in steps if _passes_up(d, rungs)]
    if up:
        made.append(("passed up", up[0]["t_s"], _taken_back(up[0], steps, rungs, over), _how(up[0])))
    top = [d for d in up if rungs and d["step"] == rungs[-1]]
    if top:
        made.append(("to the top", top[0]["t_s"], _taken_back(top[0], steps, rungs, over), _how(top[0])))
    told = next((d for d in steps if d["action"] == "inform"), None)
    if told is not None:
        words = ("correct",) if corrects else _BACK
        back = next((d["t_s"] for d in steps if d["action"] in words and d["t_s"] > told["t_s"]), None)
        made.append(("public", told["t_s"], back, _how(told)))
    return made


def _passes_up(decision: dict[str, Any], rungs: tuple[str, ...]) -> bool:
    """Whether a step passes a warning up: the routine first conference of a ladder does not."""
    if decision["step"] in rungs:
        return decision["step"] != rungs[0] and decision["action"] not in _BACK
    return bool(decision["action"] == "confirm")


def _taken_back(
    decision: dict[str, Any], steps: list[dict[str, Any]], rungs: tuple[str, ...], over: float | None
) -> float | None:
    """When what a step raised was lowered again; without an order to stand down, when the warning was over."""
    later = [d for d in steps if d["t_s"] > decision["t_s"] and d["action"] in _BACK]
    if decision["step"] in rungs:
        later = [d for d in later if d["step"] == decision["step"]]
    else:
        later = [d for d in later if d["step"] not in rungs]
    down = [d["t_s"] for d in later if d["action"] == "stand-down"] or [d["t_s"] for d in later]
    return min(down, default=over)


def _how(decision: dict[str, Any]) -> str:
    return f"{decision['post']}/{decision['step']}"
