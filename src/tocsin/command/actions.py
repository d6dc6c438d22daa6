"""What a step of a doctrine does: the registry of actions, and the words that a decision is given with.

An action says which areas it speaks of and has a text of its own for steps that give none. Actions of a user's own
package are found by the entry point group ``tocsin.actions``. Nothing here reaches anybody: a decision is a record of
an exercise.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from tocsin.earth.clock import format_utc
from tocsin.records.shapes import AreaRisk, Estimate, WarningVersion
from tocsin.scenario.specs import NationSpec

MARK = "EXERCISE"
MAX_TEXT = 2000
OVER = 0.1  # probability of passage from which an area counts as lying under the predicted track

Areas = Callable[[WarningVersion, NationSpec], tuple[str, ...]]


@dataclass(frozen=True)
class Action:
    """``name`` as doctrines write it; ``meaning``: a sentence; ``text``: default template; ``areas``: ids it names.

    ``raises``: it raises an alarm, so it is not begun for a warning that has been cancelled or closed.
    """

    name: str
    meaning: str
    text: str
    areas: Areas
    raises: bool


_ACTIONS: dict[str, Action] = {}


def register(name: str, meaning: str, text: str, *, raises: bool = False) -> Callable[[Areas], Areas]:
    """Make ``function(version, spec) -> area ids`` the action ``name``. Raises ValueError if the name is taken."""

    def add(function: Areas) -> Areas:
        if name in _ACTIONS:
            raise ValueError(f"there is already an action {name!r}")
        _ACTIONS[name] = Action(name, meaning, text, function, raises)
        return function

    return add


@cache
def _load_plugins() -> None:
    for point in sorted(entry_points(group="tocsin.actions"), key=lambda p: (p.name, p.value)):
        point.load()


def action_names() -> tuple[str, ...]:
    """All known actions, sorted."""
    _load_plugins()
    return tuple(sorted(_ACTIONS))


def action(name: str) -> Action:
    """The action ``name``. Raises ValueError naming the known ones, and the nearest, if there is none."""
    if name not in _ACTIONS:
        _load_plugins()
    if name not in _ACTIONS:
        near = difflib.get_close_matches(name, action_names(), 1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"unknown action {name!r}; allowed: {', '.join(action_names())}{meant}")
    return _ACTIONS[name]


def _by_risk(version: WarningVersion, keep: Callable[[AreaRisk], bool]) -> tuple[str, ...]:
    kept = [a for a in version.areas if keep(a)]
    return tuple(a.area for a in sorted(kept, key=lambda a: (-max(a.p_impact, a.p_passage), a.area)))


@register(
    "confirm",
    "the warning is taken for real and passed up",
    "Warning {warning} confirmed: {type}, launched {launch_time}.",
    raises=True,
)
def _confirm(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    return _inform(version, spec)


@register(
    "inform",
    "the population under the predicted track is told",
    "Object expected over or in {areas}. Take shelter.",
    raises=True,
)
def _inform(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    limit = spec.rule.exclude_below
    return _by_risk(version, lambda a: a.p_impact >= limit or a.p_passage >= OVER)


@register("exclude", "impact in areas of the nation is declared excluded", "Impact excluded in {areas}.")
def _exclude(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    return tuple(a.area for a in version.areas if a.excluded)


@register("stand-down", "what was raised is lowered again", "Warning {warning} is over. Stand down.")
def _stand_down(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    return ()


@register(
    "check-sensors",
    "the sensors' own data are asked for, past the data processing",
    "Sensors asked about {warning}.",
)
def _check_sensors(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    return ()


@register("cancel", "the warning is taken back: it was false", "Warning {warning} is cancelled: no launch.")
def _cancel(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    return ()


@register("correct", "the population that was told is told that it was false", "There is no threat. False alarm.")
def _correct(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    return tuple(a.id for a in spec.areas if a.kind == "defended")


@register("note", "something is written into the log, nothing else", "Noted: warning {warning}, version {version}.")
def _note(version: WarningVersion, spec: NationSpec) -> tuple[str, ...]:
    return ()


# what a template may ask for
FIELDS: dict[str, str] = {
    "areas": "names of the areas the action speaks of",
    "area": "the first of them",
    "launch_time": "estimated time of launch (UTC)",
    "launch_place": "estimated place of launch",
    "impact_time": "estimated time of impact (UTC)",
    "impact_place": "estimated place of impact",
    "minutes_to_impact": "minutes from the decision to the estimated impact",
    "type": "the most probable class",
    "p_real": "probability that there is an object",
    "confidence": "no, low, medium or high",
    "sources": "nations whose sensors stand behind it",
    "warning": "the warning's id",
    "version": "the version the decision was made on",
    "post": "name of the post",
    "nation": "name of the nation",
    "time": "time of the decision (UTC)",
}
_FIELD = re.compile(r"\{([^{}]*)\}")


def unknown_fields(template: str) -> list[str]:
    """Words in braces that no text can fill."""
    return [name for name in dict.fromkeys(_FIELD.findall(template)) if name not in FIELDS]


def wording(
    template: str, version: WarningVersion, spec: NationSpec, post: str, areas: tuple[str, ...], t_ns: int
) -> str:
    """The text of a decision: ``template`` with its {fields} filled, marked EXERCISE, at most ``MAX_TEXT`` characters.

    Only the words of ``FIELDS`` are filled, once, from values, never attributes or indices; other braces stay as they
    are.
    """
    names = {a.id: a.name for a in spec.areas}
    classes = {c.id: c.title for c in spec.classes}
    type_id = max(sorted(version.types), key=lambda c: version.types[c], default="")
    named = [names.get(a, a) for a in areas]
    values = {
        "areas": _listed(named) or "no area",
        "area": named[0] if named else "no area",
        "launch_time": _when(version.launch, spec),
        "launch_place": _where(version.launch),
        "impact_time": _when(version.impact, spec),
        "impact_place": _where(version.impact),
        "minutes_to_impact": "an unknown number of"
        if version.impact.t_ns is None
        else f"{max(version.impact.t_ns - t_ns, 0) / 60e9:.0f}",
        "type": classes.get(type_id, type_id) or "type unknown",
        "p_real": f"{version.p_real * 100:.0f} %",
        "confidence": version.confidence,
        "sources": _listed(list(version.sources)) or "nobody",
        "warning": version.uid,
        "version": str(version.version),
        "post": post,
        "nation": spec.name,
        "time": format_utc(spec.unix_ns + t_ns, 0),
    }
    filled = _FIELD.sub(lambda m: values.get(m.group(1), m.group(0)), template)
    marked = filled if filled.startswith(MARK) else f"{MARK}: {filled}"
    return marked if len(marked) <= MAX_TEXT else marked[: MAX_TEXT - 3] + "..."


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def _when(estimate: Estimate, spec: NationSpec) -> str:
    return "at a time not known" if estimate.t_ns is None else format_utc(spec.unix_ns + estimate.t_ns, 0)


def _where(estimate: Estimate) -> str:
    if estimate.mean is None:
        return "a place not known"
    lat, lon = (x * 180.0 / math.pi for x in estimate.mean)
    return f"{abs(lat):.1f} {'N' if lat >= 0 else 'S'} {abs(lon):.1f} {'E' if lon >= 0 else 'W'}"
