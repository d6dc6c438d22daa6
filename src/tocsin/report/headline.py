"""What a reader must know if only one sentence is read, and the sentences that follow it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tocsin.report import incident
from tocsin.report.declared import Area
from tocsin.report.facts import LAUNCHED, Facts, Nation, Version, rows
from tocsin.report.risks import Risk, risk_over_time
from tocsin.report.stages import event_time, stage_rows
from tocsin.report.text import NBSP, listed, percent, possessive, sentence, span, t_plus, the
from tocsin.report.views import ABOVE, BELOW, FAR, SIDE

Event = dict[str, Any]  # one of the summary's
_SAME_S = 0.5  # times of a summary are rounded


@dataclass(frozen=True)
class Headline:
    """``first``: the sentence; ``more``: those that follow it."""

    first: str
    more: tuple[str, ...]


def headline(facts: Facts) -> Headline:
    """What a reader must know if only one sentence is read.

    Where somebody was alerted, or an area that is defended was at stake: who was warned, when, by whose sensors, with
    how much time left. Where the question was whether a territory is meant: when that was answered, and what the
    sensors could not see meanwhile.
    """
    warned = [n for n in facts.nations if any(w.first_confirmed for w in n.warnings)]
    highest = (facts.summary.get("incident") or {}).get("highest")
    if highest is not None and not facts.flights and highest not in ("nothing", "confirmed"):
        return Headline(incident.first_sentence(facts), tuple(published_sentence(facts)))
    if warned and not any(f.launched for f in facts.flights):
        return _of_nothing(facts, warned)
    defending = {a.partner for a in facts.declared.areas if a.kind == "defended"}
    if not any(event_time(n, "alert_s") is not None or n.id in defending for n in warned):
        territory = [
            (n, risks)
            for n in facts.nations
            if (risks := [r for a in facts.declared.areas if (r := _territory_risk(n, a)) is not None])
        ]
        if territory:
            return _excluded(facts, territory)
    if warned:
        return _warned(facts, warned)
    watching = listed([n.name for n in facts.nations]) or "Nobody"
    if not facts.flights:
        said = tuple(_other_kind_sentences(facts))
        return Headline(f"Nothing flew, and nobody confirmed a warning ({watching} kept watch).", said)
    flown = [f for f in facts.flights if f.launched]
    if not flown:
        said = tuple(_other_kind_sentences(facts))
        return Headline(f"Nothing was launched, and nobody confirmed a warning ({watching} kept watch).", said)
    first = min(flown, key=lambda f: f.launch_s)
    kinds = rows(facts.tables.get("objects"))
    others = sum(r["kind"] in LAUNCHED for r in kinds) - 1 if kinds else len(facts.flights) + facts.undrawn - 1
    what = f"{first.id} flew for {span(first.end_s - first.launch_s)}"
    if others:
        what = f"{first.id} and {others} more flew"
    return Headline(f"Nobody confirmed a warning: {what} and {watching} did not call it.", tuple(gap_sentences(facts)))


def _of_nothing(facts: Facts, warned: list[Nation]) -> Headline:
    """Warnings where nothing was launched."""
    more = []
    for n in warned:
        more.append(sentence(f"{the(n.name)} was warned first at {t_plus(_first(n).t - facts.t0)}"))
        if n.decisions:
            last = max(n.decisions, key=lambda d: float(d["t_s"]))
            when = t_plus(last["t_s"] - facts.t0)
            more.append(sentence(f"the last step of {the(n.name)} was {last['step']} at {when}"))
    return Headline(
        " ".join(_false_sentences(warned)), (*more, *_other_kind_sentences(facts), *_raid_sentences(facts))
    )


def _other_kind_sentences(facts: Facts) -> list[str]:
    """For each nation's first warning that one kind of sensor alone stands behind: when another kind could first look.

    As its own evidence had it in the first version that says so.
    """
    out = []
    evidence = rows(facts.tables.get("evidence"))
    for n in facts.nations:
        if not n.warnings:
            continue
        first = min(n.warnings, key=lambda w: (w.versions[0].t, w.uid))
        mine = [r for r in evidence if r["warning"] == first.uid]
        agree = {r["sensor_kind"] for r in mine if r["state"] == "agrees"}
        ahead = [r for r in mine if r["sensor_kind"] not in agree and r["could_from_s"] is not None]
        if len(agree) != 1 or not ahead:
            continue
        r = min(ahead, key=lambda r: (r["version"], r["could_from_s"], r["sensor"]))
        when = t_plus(r["could_from_s"] - facts.t0)
        out.append(
            sentence(
                f"only {listed(sorted(agree))} stood behind the first warning of {the(n.name)}; "
                f"{facts.declared.sensor_name(r['sensor'])} ({r['sensor_kind']}) could first have looked at {when}"
            )
        )
    return out


def _raid_sentences(facts: Facts) -> list[str]:
    """Several warnings at once, as one picture: how many, how fast, the first impact and the last."""
    out = []
    table = rows(facts.tables.get("raids"))
    for n in facts.nations:
        mine = [r for r in table if r["nation"] == n.id]
        if not mine:
            continue
        r = max(mine, key=lambda r: (r["open"], r["t_s"]))
        real = f"{r['least']}" if r["least"] == r["most"] else f"{r['least']} to {r['most']}"
        text = f"{the(n.name)} had {r['open']} warnings open at {t_plus(r['t_s'] - facts.t0)} ({real} of them real)"
        if r["rate_per_min"] is not None:
            text += f", {r['rate_per_min']:.1f} launches a minute"
        if r["first_impact_s"] is not None:
            first, last = (t_plus(r[f"{k}_impact_s"] - facts.t0) for k in ("first", "last"))
            text += f", impacts from {first} (± {span(r['first_sigma_s'])})"
            text += f" to {last} (± {span(r['last_sigma_s'])})" if last != first else ""
        out.append(sentence(text))
    return out


def _by_whose(facts: Facts, version: Version, nation: Nation) -> str:
    owners = [o.strip() for o in version.sources.split(",") if o.strip()]
    others = [f"{possessive(the(facts.nation_name(o)))} sensors" for o in owners if o != nation.id]
    if not others:
        return "by its own sensors"
    return f"by {listed([*others, 'its own'] if nation.id in owners else others)}"


def _warned(facts: Facts, warned: list[Nation]) -> Headline:
    # the nation that told its people comes first: it is the one the page is about; then those with something to defend
    defending = {a.partner for a in facts.declared.areas if a.kind == "defended"}
    ordered = sorted(warned, key=lambda n: (event_time(n, "alert_s") is None, n.id not in defending, _first(n).t))
    parts = []
    for n in ordered:
        v = _first(n)
        text = f"{the(n.name)} was warned at {t_plus(v.t - facts.t0)} {_by_whose(facts, v, n)}"
        left = time_left(facts, n)
        if left is not None:
            event, area, seconds = left
            what = f"{_what_happens(event, area)} {facts.declared.area_name(n.id, area)}"
            when = f"{span(seconds)} {'before' if seconds >= 0 else 'after'} {what}"
            first = _event_s(event) <= v.t + _SAME_S
            text += f", {when}" if first else f" (of {event['object']} at {t_plus(_event_s(event) - facts.t0)}, {when})"
        alert = event_time(n, "alert_s")
        if alert is not None:
            text += f", and alerted its public at {t_plus(alert - facts.t0)}{_published_alert(facts, n)}"
        parts.append(text)
    missed = [the(n.name) for n in facts.nations if n not in warned]
    more = published_sentence(facts)
    if missed:
        more = [*more, sentence(f"{listed(missed)} had no confirmed warning")]
    more = [*more, *_false_sentences(warned), *_raid_sentences(facts)]
    return Headline(sentence("; ".join(parts)), tuple(more))


def _false_sentences(warned: list[Nation]) -> list[str]:
    """What was warned of without anything that had been launched: false detections, satellites, aircraft."""
    out = []
    for n in warned:
        false = [w for w in n.warnings if w.first_confirmed and w.object is None]
        if false:
            other = len(false) < sum(w.first_confirmed is not None for w in n.warnings)
            count = f"{len(false)} warning{'s' if len(false) > 1 else ''}"
            what = f"{'also ' if other else ''}confirmed {count} of nothing that had been launched"
            out.append(sentence(f"{the(n.name)} {what}"))
    return out


def _published_alert(facts: Facts, nation: Nation) -> str:
    """The published time of the public step, in brackets."""
    steps = {
        f"step:{s.partner}/{s.id}" for s in facts.declared.steps if s.partner == nation.id and s.action == "inform"
    }
    found = [s for s in stage_rows(facts) if s.matches in steps and s.published is not None]
    return f" (published: {t_plus(found[0].published)})" if found else ""


def _first(nation: Nation) -> Version:
    """The first confirmed version; of a warning that had no object only where none had one."""
    pairs = [(w.object is None, w.first_confirmed) for w in nation.warnings if w.first_confirmed]
    return min(pairs, key=lambda pair: (pair[0], pair[1].t))[1]


def _event_s(event: Event) -> float:
    """When the first version of an event was confirmed (s since the epoch)."""
    return float(event["warning_s"]) + float(event.get("zero_s") or 0.0)


def time_left(facts: Facts, nation: Nation) -> tuple[Event, str, float] | None:
    """The event and area with the least time left (s) after the first confirmed version.

    What counts of each object is the first confirmed warning; of what came off another object, none.
    """
    pieces = {r["object"] for r in rows(facts.tables.get("objects")) if r["kind"] == "loose"}
    events = [e for e in nation.events if isinstance(e.get("warning_s"), int | float) and e.get("object") not in pieces]
    first: dict[Any, Event] = {}
    for e in sorted(events, key=_event_s):
        first.setdefault(e.get("object"), e)
    found = [
        (e, str(area), float(s))
        for e in first.values()
        for area, s in (e.get("warning_time_s") or {}).items()
        if isinstance(s, int | float)
    ]
    return min(found, key=lambda entry: (entry[2], entry[1])) if found else None


def _what_happens(event: Event, area: str) -> str:
    """Whether it fell there or passed, as measures found it against the truth."""
    for a in event.get("areas") or []:
        if a.get("area") == area:
            return "impact in" if a.get("impact_inside") else "it passed over"
    return "it reached"


def published_sentence(facts: Facts) -> list[str]:
    """What the published stages say, against the run: the largest difference named."""
    found = [
        (s, s.simulated - s.published)
        for s in stage_rows(facts)
        if s.published is not None and s.simulated is not None and s.matches != "launch"
    ]
    if not found:
        return []
    worst, gap = max(found, key=lambda pair: abs(pair[1]))
    said = "; ".join(f"{s.name} at {t_plus(s.published)}" for s, _ in found[:6])
    if abs(gap) < 1.0:
        return [f"Published: {said}. The run has the same to the second."]
    word = "later" if gap > 0 else "earlier"
    return [f"Published: {said}. The run differs most at “{worst.name}”: {span(gap)} {word}."]


def _territory_risk(nation: Nation, area: Area) -> Risk | None:
    """The risk of one of the nation's own territories."""
    if area.kind != "territory" or area.partner not in ("", nation.id):
        return None
    return risk_over_time(nation, area.id)


def _excluded(facts: Facts, territory: list[tuple[Nation, list[Risk]]]) -> Headline:
    parts = []
    for n, risks in territory:
        never = [r for r in risks if not r.ever_above]
        for r in risks:
            if r.ever_above:
                area = facts.declared.area_name(n.id, r.area)
                text = f"the probability of impact in {area}, as {the(n.name)} reckoned it, "
                peak = f"{percent(r.peak)} at {t_plus(r.peak_t - facts.t0)}"
                if r.under is not None:
                    text += f"fell under 1{NBSP}% for good at {t_plus(r.under - facts.t0)} (it peaked at {peak})"
                else:
                    text += f"was still over 1{NBSP}% when the run ended (peak {peak})"
                parts.append(text)
        if never:
            areas = listed([facts.declared.area_name(n.id, r.area) for r in never])
            parts.append(f"the probability of impact in {areas}, as {the(n.name)} reckoned it, never reached 1{NBSP}%")
    first = "; ".join(parts)
    hidden = gap_sentences(facts)
    if hidden:
        # the first sentence says what the limit hides, too
        first += f", and {hidden[0][0].lower() + hidden[0][1:].rstrip('.')}"
    return Headline(sentence(first), tuple(hidden[1:]) + tuple(published_sentence(facts)))


_CAUSE = {
    ABOVE: "the upper elevation limit ({el_max:.1f}°) of {name} hid {what}",
    BELOW: "{what} stood below the lowest elevation ({el_min:.1f}°) of {name}",
    SIDE: "{what} was outside the sector of {name}",
    FAR: "{what} was beyond the range of {name}",
}


def gap_sentences(facts: Facts) -> list[str]:
    """What the limits of each radar hid in the middle of a flight: gaps of a minute and more, the longest first."""
    found = []
    several = sum(f.launched for f in facts.flights) > 1
    for s in facts.sensors:
        for flight, v in zip(facts.flights, s.views, strict=True):
            for a, b, why in v.gaps() if flight.launched else ():
                if b - a < 60.0 or why not in _CAUSE:
                    continue
                low, high = (math.degrees(limit) for limit in s.site.elevation)
                what = flight.id if several else "the flight"
                cause = _CAUSE[why].format(name=s.name, el_max=high, el_min=low, what=what)
                share = 100.0 * (b - a) / max(flight.end_s - flight.launch_s, 1.0)
                text = (
                    f"{cause} from {t_plus(a - facts.t0)} to {t_plus(b - facts.t0)}: a gap of {span(b - a)}, "
                    f"{share:.0f}{NBSP}% of the flight"
                )
                found.append((b - a, sentence(text)))
    return [text for _, text in sorted(found, key=lambda pair: -pair[0])]
