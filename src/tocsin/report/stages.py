"""Published stages beside simulated ones, and the delays between a launch and a decision, as measures reckoned them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tocsin.report.facts import Facts, Nation


@dataclass(frozen=True)
class Stage:
    """One stage; times in s after the first launch (None: it did not happen here, or nothing of the run answers to it).

    ``precision``: how coarse the published time is; ``matches``: what of the run it is set against.
    """

    name: str
    published: float | None
    precision: float
    simulated: float | None
    source: str
    matches: str


@dataclass(frozen=True)
class Delay:
    """One part of the way from launch to deed; times in s after launch. ``shade``: its number among the six."""

    name: str
    start: float | None
    end: float | None
    note: str
    shade: int

    @property
    def took(self) -> float | None:
        """Its length; None where it did not happen."""
        return None if self.start is None or self.end is None else self.end - self.start


_PARTS = (
    ("geometry_s", "Geometry", "until a sensor could look at all"),
    ("detection_s", "Detection", "until the first detection that was used"),
    ("confirmation_s", "Confirmation", "until the track was confirmed, transport to the centre included"),
    ("processing_s", "Processing", "until the warning stood confirmed"),
    ("sending_s", "Sending", "on the way between nations"),
    ("decision_s", "Decision", "until the public step of the doctrine"),
)


def stage_rows(facts: Facts) -> list[Stage]:
    """The stages of the summary, in its order."""
    node = facts.summary.get("stages")
    return [
        Stage(
            name=str(e.get("event") or ""),
            published=_number(e, "published_s"),
            precision=_number(e, "precision_s") or 0.0,
            simulated=_number(e, "simulated_s"),
            source=str(e.get("source") or ""),
            matches=str(e.get("matches") or ""),
        )
        for e in (node if isinstance(node, list) else [])
        if isinstance(e, Mapping)
    ]


def event_time(nation: Nation, key: str) -> float | None:
    """The earliest time under ``key`` among the nation's events, in s since the epoch (events count from a zero of
    their own). False warnings and warnings of satellites count only where there is nothing else.
    """
    found = [e for e in nation.events if isinstance(e.get(key), int | float)]
    real = [e for e in found if e.get("object") is not None] or found
    return min((e[key] + float(e.get("zero_s") or 0.0) for e in real), default=None)


def delay_event(nation: Nation) -> dict[str, Any] | None:
    """The event whose delays are shown: the first that led to an alert, else the first that was confirmed."""
    found = [e for e in nation.events if isinstance(e.get("delays"), Mapping)]
    alerted = [e for e in found if e.get("alert_s") is not None]
    best = alerted or found
    return best[0] if best else None


def delay_rows(event: Mapping[str, Any]) -> list[Delay]:
    """The delays of one event, each from where the last one ended."""
    parts = event["delays"]
    out: list[Delay] = []
    at = 0.0
    for shade, (key, name, meaning) in enumerate(_PARTS):
        took = _number(parts, key)
        if took is None:
            out.append(Delay(name, None, None, "no public step", shade))
            continue
        out.append(Delay(name, at, at + took, meaning, shade))
        at += took
    return out


def _number(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
