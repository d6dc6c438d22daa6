"""Incidents under other doctrines: how far would it have gone, and how long until it was taken back?

Every bundled scenario with an ``incident`` is run as it is written ("as it was"), and once for each doctrine of the
library: the doctrine's rule instead of the scenario's own, its conferences (the bundled ladder of three steps where
the scenario has none), and every step of the posts that passes up or tells the public only while the warning stands
confirmed. All else stays: the same sensors, the same draws, the same hand-off times.

The runs of one incident go side by side, frame by frame, and share what their centres reckon from equal tracks: a
doctrine changes what is done with an assessment, not the assessment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tocsin.command.actions import action
from tocsin.command.doctrine import check_doctrine
from tocsin.earth.frames import gmst82
from tocsin.exercise.engine import Engine
from tocsin.measures.incident import Incident, incident
from tocsin.records.record import Record
from tocsin.records.tables import tables_from_records
from tocsin.records.words import Facts
from tocsin.scenario import Scenario, bundled_ids, ladders
from tocsin.scenario.specs import Radar

AS_IT_WAS = "as it was"
LADDER = "three-step"
_CHUNKS = 100


class Cell(msgspec.Struct, frozen=True):
    """One incident under one doctrine. ``level``: the highest reached; ``minutes``: how long it stood before it was
    taken back (the longest stretch, if it came again), None: to the end of the run, or nothing was reached; ``at_s``,
    ``how``: when and by which step it was reached first; ``warnings``: how many got so far.
    """

    incident: str
    doctrine: str
    level: str
    minutes: float | None
    at_s: float | None
    how: str
    warnings: int


def incident_ids() -> tuple[str, ...]:
    """The bundled scenarios that are incidents, by the time at which they were."""
    found = [Scenario.load(id, check_doctrine) for id in bundled_ids()]
    return tuple(s.id for s in sorted(found, key=lambda s: s.model.start) if s.model.incident is not None)


def doctrine_names() -> tuple[str, ...]:
    """Columns of the table: as it was, then the library's doctrines."""
    return (AS_IT_WAS, *ladders.doctrine_ids())


def under(scenario: Scenario, doctrine: str) -> Scenario:
    """The scenario under a doctrine. Raises ScenarioError for one that there is not."""
    if doctrine == AS_IT_WAS:
        return scenario
    plain = scenario.plain()
    for id, partner in plain["partners"].items():
        centre = dict(partner.get("centre") or {})
        kept = ("exclude_below", "refresh_s", "processing_s")
        centre["rule"] = {key: value for key, value in (centre.get("rule") or {}).items() if key in kept}
        centre["doctrine"] = doctrine
        centre.setdefault("ladder", LADDER)
        plain["partners"][id] = {**partner, "centre": centre, "posts": _guarded(partner.get("posts") or {})}
    return scenario.with_("partners", plain["partners"])


def _guarded(posts: Mapping[str, Any]) -> dict[str, Any]:
    """Posts whose raising steps ask for a warning that stands confirmed."""
    made = {}
    for id, post in posts.items():
        steps = [
            {**step, "when": f"({step['when']}) and confirmed"} if action(step["action"]).raises else step
            for step in post["steps"]
        ]
        made[id] = {**post, "steps": steps}
    return made


def outcomes(
    scenario: Scenario, doctrines: Sequence[str], progress: Callable[[float], None] | None = None
) -> dict[str, Incident]:
    """How far a scenario goes under each doctrine (``doctrine_names``)."""
    engines: dict[str, Engine] = {}
    records: dict[str, list[Record]] = {}
    chosen = {name: under(scenario, name) for name in doctrines}
    for name, one in chosen.items():
        engine = Engine(*one.split(gmst82), recording="full")
        engines[name], records[name] = engine, []
    first = next(iter(engines.values()))
    if not any(isinstance(s.model, Radar) and s.model.scheduling == "cued" for s in first.world_spec.sensors):
        # where no centre tasks its sensors, what they see does not depend on any doctrine
        for engine in engines.values():
            engine.share_assessments(first)
    frame, told = first.world_spec.frame_ns, 0
    while not first.done:
        for name, engine in engines.items():
            records[name].extend(r for r in engine.step(engine.t_ns + frame) if r.kind in ("warning", "decision"))
        share = first.t_ns * _CHUNKS // first.world_spec.duration_ns
        if progress is not None and share > told:
            told = share
            progress(share / _CHUNKS)
    made = {}
    for name, engine in engines.items():
        facts = Facts.of(engine.world_spec, (body.id for body in engine.bodies))
        made[name] = incident(tables_from_records(records[name], facts), chosen[name].plain())
    return made


def cells(id: str, found: Mapping[str, Incident]) -> list[Cell]:
    """The row of one incident."""
    row = []
    for doctrine, one in found.items():
        top = one.top
        row.append(
            Cell(
                incident=id,
                doctrine=doctrine,
                level=one.highest,
                minutes=None if top is None or top.minutes is None else round(top.minutes, 1),
                at_s=None if top is None else round(top.at_s, 3),
                how="" if top is None else top.how,
                warnings=0 if top is None else top.warnings,
            )
        )
    return row


def study(
    ids: Iterable[str],
    doctrines: Sequence[str] = (),
    seed: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> list[Cell]:
    """Every incident under every doctrine (all, if none are named). Raises ScenarioError for unknown ones."""
    made: list[Cell] = []
    for id in ids:
        scenario = Scenario.load(id, check_doctrine)
        if seed is not None:
            scenario = scenario.with_seed(seed)
        tell = None if progress is None else _teller(progress, id)
        made += cells(id, outcomes(scenario, tuple(doctrines) or doctrine_names(), tell))
    return made


def _teller(progress: Callable[[str, float], None], id: str) -> Callable[[float], None]:
    return lambda share: progress(id, share)


def table(found: Sequence[Cell]) -> str:
    """The table as text, incidents down and doctrines across: highest level, minutes until it was taken back."""
    doctrines = list(dict.fromkeys(cell.doctrine for cell in found))
    rows = [["", *doctrines]]
    for id in dict.fromkeys(cell.incident for cell in found):
        by = {cell.doctrine: cell for cell in found if cell.incident == id}
        rows.append([id, *(said(by[d]) if d in by else "" for d in doctrines)])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def said(cell: Cell) -> str:
    """A cell in a few words: ``passed up, 3.4``; ``public, –`` where it was never taken back."""
    if cell.level == "nothing":
        return "nothing"
    return f"{cell.level}, {'–' if cell.minutes is None else format(cell.minutes, '.1f')}"
