"""Words and numbers of the page: escaping, times people read, and the headline.

Everything a scenario may choose (names, titles, texts) reaches the page through ``esc`` or ``script_json`` and in no
other way.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tocsin.earth.clock import format_utc
from tocsin.report.declared import Area
from tocsin.report.facts import Facts, Nation, Version
from tocsin.report.stages import stage_rows
from tocsin.report.views import ABOVE, BELOW, FAR, NOT_BURNING, SIDE

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
LIMIT = 0.01
NBSP = "\u00a0"  # a number and its unit stay together


def esc(value: Any) -> str:
    """Text for HTML and SVG, in content and in quoted attributes alike.

    Characters that may not stand in a page (controls) or that reorder what a reader sees (bidirectional overrides)
    are shown as the replacement character.
    """
    out = []
    for ch in str(value):
        if ch in _HTML:
            out.append(_HTML[ch])
        elif _hostile(ch):
            out.append("�")
        else:
            out.append(ch)
    return "".join(out)


def _hostile(ch: str) -> bool:
    if ch in "\t\n\r":
        return False
    kind = unicodedata.category(ch)
    return (
        kind in ("Cc", "Cs")
        or ch in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        or ord(ch) & 0xFFFE == 0xFFFE
    )


def clean(value: Any) -> str:
    """The same replacement for text that goes into JSON."""
    return "".join("�" if _hostile(ch) else ch for ch in str(value))


def script_json(data: Any) -> str:
    """JSON that can stand inside a ``<script>`` element: no ``<``, ``>``, ``&``, no line separators that end a line
    of JavaScript.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for ch in "<>&\u2028\u2029":
        text = text.replace(ch, f"\\u{ord(ch):04x}")
    return text


def clock(seconds: float | None) -> str:
    """Minutes and seconds: "3:05", "−0:12", "1:02:00" from an hour on; an en dash for nothing."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    whole = round(abs(seconds))
    sign = "−" if seconds < 0 and whole else ""
    if whole >= 3600:
        return f"{sign}{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def t_plus(seconds: float | None) -> str:
    """A time after launch: "T+3:05"."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    return f"T−{clock(-seconds)}" if seconds < -0.5 else f"T+{clock(max(seconds, 0.0))}"


def span(seconds: float) -> str:
    """A duration in words: "42 s", "3 min 5 s", "14 min"."""
    whole = round(abs(seconds))
    if whole < 90:
        return f"{whole}{NBSP}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}{NBSP}min{NBSP}{rest}{NBSP}s" if rest else f"{minutes}{NBSP}min"


def percent(p: float | None) -> str:
    """A probability: "<0.1 %", "0.4 %", "12 %", ">99 %"."""
    if p is None or not math.isfinite(p):
        return "–"
    q = 100.0 * p
    if q == 0:
        return f"0{NBSP}%"
    if q < 0.1:
        return f"<0.1{NBSP}%"
    if q < 9.95:
        return f"{q:.1f}{NBSP}%"
    return f">99{NBSP}%" if 99.0 < q < 100.0 else f"{q:.0f}{NBSP}%"


def number(value: float | None, digits: int = 0) -> str:
    """A number with thin spaces between thousands; an en dash for nothing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def km(value: float | None) -> str:
    """Kilometres, two figures where they are few."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{number(value, 0 if abs(value) >= 10 else 1)}{NBSP}km"


def place(lat_deg: float | None, lon_deg: float | None) -> str:
    """Latitude and longitude: "39.2° N, 125.7° E"."""
    if lat_deg is None or lon_deg is None or not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        return "–"
    return f"{abs(lat_deg):.1f}° {'N' if lat_deg >= 0 else 'S'}, {abs(lon_deg):.1f}° {'E' if lon_deg >= 0 else 'W'}"


def utc(facts: Facts, t: float, digits: int = 0) -> str:
    """Time of day, UTC."""
    return format_utc(facts.unix_ns + round(t * 1e9), digits)[11:-1]


def listed(words: Sequence[str]) -> str:
    """Words in a row: "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """First letter large, a stop at the end."""
    return text if not text else text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


@dataclass(frozen=True)
class Risk:
    """The probability of impact in one area as a nation reckoned it, over the versions of all its warnings.

    ``t``, ``p``: steps (the largest of the standing warnings from each time on); ``under``: when it fell under the
    limit for good (None: it never was above, or still is); ``peak``, ``peak_t``.
    """

    nation: str
    area: str
    t: tuple[float, ...]
    p: tuple[float, ...]
    passage: tuple[float, ...]
    peak: float
    peak_t: float
    under: float | None

    @property
    def ever_above(self) -> bool:
        """Whether it ever reached the limit."""
        return self.peak >= LIMIT

    @property
    def still_above(self) -> bool:
        """Whether it stood at the limit or over at the end."""
        return self.ever_above and self.under is None


def risk_over_time(nation: Nation, area: str) -> Risk | None:
    """The risk of one area; None where no version speaks of it."""
    changes: list[tuple[float, str, float, float]] = []
    for w in nation.warnings:
        for v in w.versions:
            if v.status in ("cancelled", "closed") and area not in v.risks:
                changes.append((v.t, w.uid, 0.0, 0.0))
            elif area in v.risks:
                p_impact, p_passage, _, _ = v.risks[area]
                gone = v.status == "cancelled"
                changes.append((v.t, w.uid, 0.0 if gone else p_impact, 0.0 if gone else p_passage))
    if not any(area in v.risks for w in nation.warnings for v in w.versions):
        return None
    changes.sort(key=lambda c: (c[0], c[1]))
    standing: dict[str, tuple[float, float]] = {}
    steps: dict[float, tuple[float, float]] = {}
    for t, uid, p_impact, p_passage in changes:
        standing[uid] = (p_impact, p_passage)
        steps[t] = (max(x[0] for x in standing.values()), max(x[1] for x in standing.values()))
    times = sorted(steps)
    values = [steps[t][0] for t in times]
    above = [i for i, p in enumerate(values) if p >= LIMIT]
    under = times[above[-1] + 1] if above and above[-1] + 1 < len(times) else None
    peak = max(range(len(values)), key=lambda i: values[i])
    return Risk(
        nation.id,
        area,
        tuple(times),
        tuple(values),
        tuple(steps[t][1] for t in times),
        values[peak],
        times[peak],
        under,
    )


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
        return Headline(f"Nothing flew, and nobody confirmed a warning ({watching} kept watch).", ())
    return Headline(
        f"Nobody confirmed a warning: {facts.flights[0].id} flew for "
        f"{span(facts.flights[0].end_s - facts.flights[0].launch_s)} and {watching} did not call it.",
        tuple(gap_sentences(facts)),
    )


def event_time(nation: Nation, key: str) -> float | None:
    """The earliest time under ``key`` among the nation's events, in s since the epoch (events count from a zero of
    their own).
    """
    times = [e[key] + float(e.get("zero_s") or 0.0) for e in nation.events if isinstance(e.get(key), int | float)]
    return min(times) if times else None


def _by_whose(facts: Facts, version: Version, nation: Nation) -> str:
    owners = [o.strip() for o in version.sources.split(",") if o.strip()]
    others = [f"{_possessive(the(facts.nation_name(o)))} sensors" for o in owners if o != nation.id]
    if not others:
        return "by its own sensors"
    return f"by {listed([*others, 'its own'] if nation.id in owners else others)}"


def _possessive(name: str) -> str:
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def the(name: str) -> str:
    """The article that a few names of states want."""
    return f"the {name}" if name.startswith(("United ", "Netherlands", "Philippines")) else name


def _warned(facts: Facts, warned: list[Nation]) -> Headline:
    # the nation that told its people comes first: it is the one the page is about; then those with something to defend
    defending = {a.partner for a in facts.declared.areas if a.kind == "defended"}
    ordered = sorted(warned, key=lambda n: (event_time(n, "alert_s") is None, n.id not in defending, _first(n).t))
    parts = []
    for n in ordered:
        v = _first(n)
        text = f"{the(n.name)} was warned at {t_plus(v.t - facts.t0)} {_by_whose(facts, v, n)}"
        left = _time_left(n)
        if left is not None:
            area, seconds = left
            what = f"{_what_happens(n, area)} {facts.declared.area_name(n.id, area)}"
            text += f", {span(seconds)} before {what}" if seconds >= 0 else f", {span(seconds)} after {what}"
        alert = event_time(n, "alert_s")
        if alert is not None:
            text += f", and alerted its public at {t_plus(alert - facts.t0)}{_published_alert(facts, n)}"
        parts.append(text)
    missed = [the(n.name) for n in facts.nations if n not in warned]
    more = published_sentence(facts)
    if missed:
        more = [*more, sentence(f"{listed(missed)} had no confirmed warning")]
    return Headline(sentence("; ".join(parts)), tuple(more))


def _published_alert(facts: Facts, nation: Nation) -> str:
    """The published time of the public step, in brackets."""
    steps = {
        f"step:{s.partner}/{s.id}" for s in facts.declared.steps if s.partner == nation.id and s.action == "inform"
    }
    found = [s for s in stage_rows(facts) if s.matches in steps and s.published is not None]
    return f" (published: {t_plus(found[0].published)})" if found else ""


def _first(nation: Nation) -> Version:
    return min((w.first_confirmed for w in nation.warnings if w.first_confirmed), key=lambda v: v.t)


def _time_left(nation: Nation) -> tuple[str, float] | None:
    """The area with the least time left after the first confirmed version."""
    pairs = [
        (float(s), str(area))
        for e in nation.events
        for area, s in (e.get("warning_time_s") or {}).items()
        if isinstance(s, int | float)
    ]
    if not pairs:
        return None
    seconds, area = min(pairs)
    return area, seconds


def _what_happens(nation: Nation, area: str) -> str:
    """Whether it fell there or passed, as measures found it against the truth."""
    for e in nation.events:
        for a in e.get("areas") or []:
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
    said = listed([f"{s.name} {t_plus(s.published)}" for s, _ in found[:5]])
    if abs(gap) < 1.0:
        return [f"Published: {said}; the run has the same to the second."]
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
    ABOVE: "its upper elevation limit of {el_max:.1f}° hid the flight",
    BELOW: "the flight stood below its lowest elevation of {el_min:.1f}°",
    SIDE: "the flight was outside its sector",
    FAR: "the flight was beyond its range",
}


def gap_sentences(facts: Facts) -> list[str]:
    """What the limits of each radar hid in the middle of a flight: gaps of a minute and more, the longest first."""
    found = []
    for s in facts.sensors:
        for flight, v in zip(facts.flights, s.views, strict=True):
            for a, b, why in v.gaps():
                if b - a >= 60.0 and why in _CAUSE and why != NOT_BURNING:
                    cause = _CAUSE[why].format(
                        el_max=math.degrees(s.site.elevation[1]), el_min=math.degrees(s.site.elevation[0])
                    )
                    share = 100.0 * (b - a) / max(flight.end_s - flight.launch_s, 1.0)
                    found.append(
                        (
                            b - a,
                            f"At {s.name} {cause} from {t_plus(a - facts.t0)} to {t_plus(b - facts.t0)}: "
                            f"a gap of {span(b - a)}, {share:.0f}{NBSP}% of the flight.",
                        )
                    )
    return [text for _, text in sorted(found, key=lambda x: -x[0])]
