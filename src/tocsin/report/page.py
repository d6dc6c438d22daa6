"""``report.html``: one page with everything in it, to be read, printed and sent on.

It asks nothing of the network: style, script, data and pictures stand inside, and a content policy in its head
forbids anything else (the script is allowed by its digest, so that no other script can run, whatever a scenario is
called). The same run gives the same page.
"""

from __future__ import annotations

import base64
import hashlib
import math
from importlib.resources import files
from typing import Any

from tocsin.report import incident, tables
from tocsin.report import map as chart_map
from tocsin.report.charts import NARROW, WIDE, both, stage_chart, waterfall
from tocsin.report.facts import Facts, Nation, RunLike, gather, rows
from tocsin.report.headline import Headline, gap_sentences, headline, time_left
from tocsin.report.mapdata import said
from tocsin.report.risks import LIMIT, Risk, quiet, risk_chart, risk_over_time
from tocsin.report.stages import delay_event, delay_rows, event_time, stage_rows
from tocsin.report.text import esc, listed, number, percent, script_json, span, t_plus, utc
from tocsin.report.timeline import timeline


def page(run: RunLike) -> str:
    """The page of a run, HTML."""
    facts = gather(run)
    picture = chart_map.draw(facts)
    style, script = _asset("page.css"), _asset("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    head = headline(facts)
    title = f"EXERCISE · {facts.declared.title}"
    sections = (
        _opening(facts, head),
        _figures(facts),
        incident.section(run, facts),
        _map(facts, picture),
        _timeline(facts),
        _delays(facts),
        _limit(run, facts),
        _stages(facts),
        _risks(facts),
        _tables(facts),
        _assumptions(facts),
        _caveats(facts),
        _made(facts),
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" '
        'content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{esc(title)}</title>\n<style>\n{style}\n</style>\n</head>\n<body>\n"
        '<div class="exercise" role="note">EXERCISE <span>simulation, not a real event</span> EXERCISE</div>\n'
        f"<main>\n{''.join(s for s in sections if s)}</main>\n"
        '<div class="exercise foot" aria-hidden="true">EXERCISE <span>simulation, not a real event</span> '
        "EXERCISE</div>\n"
        f'<script type="application/json" id="data">{script_json(picture.data)}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return (files("tocsin.report") / "assets" / name).read_text(encoding="utf-8")


def _section(id: str, title: str, lead: str, inside: str) -> str:
    lead = f'<p class="lead">{lead}</p>' if lead else ""
    return f'<section id="{id}"><h2>{esc(title)}</h2>{lead}{inside}</section>\n'


def _opening(facts: Facts, head: Headline) -> str:
    more = "".join(f"<p>{esc(text)}</p>" for text in head.more[:4])
    day = utc_day(facts)
    about = f'<p class="about">{esc(facts.declared.summary)}</p>' if facts.declared.summary else ""
    return (
        f'<header><p class="kicker">{esc(facts.declared.title)}</p><h1>{esc(head.first)}</h1>{more}'
        f'<p class="when">T+0 is {esc(day)}, {esc(utc(facts.unix_ns, facts.t0))} UTC. All times are of the '
        f"simulation.</p>{about}</header>\n"
    )


def utc_day(facts: Facts) -> str:
    """The day of the first launch, in words."""
    from tocsin.earth.clock import format_utc

    year, month, day = format_utc(facts.unix_ns + round(facts.t0 * 1e9), 0)[:10].split("-")
    names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    return f"{int(day)} {names[int(month) - 1]} {year}"


# ---- key figures ---------------------------------------------------------------------------------------------------


def _figure(value: str, words: str) -> str:
    return f'<div class="figure"><dt>{esc(words)}</dt><dd>{esc(value)}</dd></div>'


def _figures(facts: Facts) -> str:
    cards = []
    objects = facts.summary.get("objects", [])
    if objects:
        o = min(objects, key=lambda one: float(one.get("launch_s") or 0.0))
        parts = [_figure(f"{number(o.get('apogee_km'))} km", "greatest height")]
        if o.get("flight_time_s") is None:
            parts.append(_figure("–", "does not come down"))
        else:
            parts.append(_figure(f"{number(o.get('range_km'))} km", "range over ground"))
            parts.append(_figure(span(o["flight_time_s"]), "flight time"))
        name = o["id"] if len(objects) == 1 else f"{o['id']} and {len(objects) - 1} more"
        cards.append(
            f'<div class="card"><h3>{esc(name)}</h3><p class="sub">what flew</p><dl>{"".join(parts)}</dl></div>'
        )
    for i, n in enumerate(facts.nations):
        cards.append(_nation_card(facts, i, n))
    return f'<section id="figures" class="cards" aria-label="Key figures">{"".join(cards)}</section>\n'


def _nation_card(facts: Facts, i: int, n: Nation) -> str:
    def plus(key: str) -> str:
        t = event_time(n, key)
        return "–" if t is None else t_plus(t - facts.t0)

    seen_by = [e["delays"]["path"][0] for e in n.events[:1] if (e.get("delays") or {}).get("path")]
    whose = f" ({facts.nation_name(seen_by[0])})" if seen_by and seen_by[0] != n.id else ""
    parts = [
        _figure(plus("first_detection_s"), f"first detection{whose}"),
        _figure(plus("warning_s"), "confirmed warning"),
    ]
    if event_time(n, "alert_s") is not None:
        parts.append(_figure(plus("alert_s"), "public alert"))
    least = time_left(facts, n)
    if least is not None:
        _, area, seconds = least
        left = span(seconds) if seconds >= 0 else f"{span(seconds)} too late"
        parts.append(_figure(left, f"left for {facts.declared.area_name(n.id, area)}"))
    territories = [
        (risk.peak, k, a, risk)
        for k, a in enumerate(facts.declared.areas)
        if a.kind == "territory" and a.partner == n.id and (risk := risk_over_time(n, a.id)) is not None
    ]
    if territories:
        # of several territories the one that came nearest to being meant
        _, _, a, risk = max(territories, key=lambda entry: (entry[0], -entry[1]))
        if risk.under is not None:
            parts.append(_figure(t_plus(risk.under - facts.t0), f"impact in {a.name} under 1 % for good"))
        else:
            parts.append(_figure("to the end" if risk.ever_above else "never", f"impact in {a.name} at 1 % or more"))
        parts.append(_figure(percent(risk.peak), f"its highest, at {t_plus(risk.peak_t - facts.t0)}"))
    sensors = [facts.sensors[k] for k in n.sensors]
    kinds = [
        f"{c} {w}{'s' if c != 1 else ''}"
        for w, c in (
            ("radar", sum(s.kind == "radar" for s in sensors)),
            ("satellite", sum(s.kind != "radar" for s in sensors)),
        )
        if c
    ]
    return (
        f'<div class="card p{i % 6}"><h3 class="ink p{i % 6}">{esc(n.name)}</h3><p '
        f'class="sub">{esc(listed(kinds) or "no sensors")}</p>'
        f"<dl>{''.join(parts)}</dl></div>"
    )


# ---- pictures ------------------------------------------------------------------------------------------------------


def _map(facts: Facts, picture: chart_map.Picture) -> str:
    chosen = picture.data["partner"]
    choices = "".join(
        f'<label class="p{i % 6}"><input type="radio" name="partner" value="{i}"{" checked" if i == chosen else ""}>'
        f"<span>{esc(n.name)}</span></label>"
        for i, n in enumerate(facts.nations)
    )
    first = facts.nations[chosen] if facts.nations else None
    moment = facts.t0 + picture.data["start"] / 10.0
    lines = []
    if first is not None:
        for w in first.warnings:
            v = w.at(moment)
            if v is not None and v.status not in ("cancelled", "closed"):
                lines += said(facts, first, w, v)
    known = "".join(f"<li>{esc(x)}</li>" for x in lines) or "<li>No warning yet.</li>"
    inside = (
        '<figure class="mapbox" tabindex="0" aria-describedby="map-keys"><div class="mapwrap">'
        f'<div class="badge" aria-hidden="true">EXERCISE</div>{picture.svg}</div>'
        '<div class="controls" hidden><button type="button" id="play" aria-label="Play"></button>'
        f'<input type="range" id="time" min="0" max="{picture.data["end"]}" value="{picture.data["start"]}" step="10" '
        'aria-label="Time after launch"><output id="clock" for="time"></output>'
        '<label class="speed">speed <select id="speed"><option value="10">10 ×</option><option value="30" '
        "selected>30 ×</option>"
        '<option value="60">60 ×</option><option value="120">120 ×</option></select></label></div>'
        f'<fieldset class="partners" hidden><legend>as known to</legend>{choices}</fieldset>'
        f'<figcaption><p id="caption">{esc(picture.caption)}</p><ul id="known">{known}</ul><ol id="log"></ol>'
        '<p id="map-keys" class="keys" hidden>Keys: space plays, ← and → step ten seconds, a digit picks a partner. '
        "A click in the chart below picks a time.</p></figcaption></figure>"
        f"{_map_legend()}"
    )
    truly = "The line is where the object truly went." if facts.flights else "Nothing flew."
    lead = (
        f"{truly} The shaded regions are what the chosen partner believed at that time: where it came "
        "from (+) and where it would fall (×), with 50 and 95 % probability."
    )
    return _section("map-section", "Where it went, and what was known", lead, inside)


def _map_legend() -> str:
    def swatch(markup: str) -> str:
        return f'<svg class="swatch" viewBox="0 0 26 14" aria-hidden="true">{markup}</svg>'

    items = (
        ('<path class="track flown" d="M1 7h24"/>', "true ground track"),
        ('<path class="region impact region95 p0" d="M2 7a11 6 0 1 0 22 0a11 6 0 1 0 -22 0z"/>', "95 % region"),
        ('<path class="fan p0" d="M3 13l5 -12h10l5 12z"/>', "radar sector, to its instrumented range"),
        ('<path class="site p0" d="M13 1l6 11h-12z"/>', "radar"),
        ('<path class="satellite p0" d="M13 1l6 6l-6 6l-6 -6z"/>', "point under a satellite"),
        ('<circle class="flash p0" cx="13" cy="7" r="4.5"/>', "detection"),
        ('<path class="believed p0" d="M13 1v12M7 7h12"/>', "track as estimated"),
    )
    return '<ul class="legend">' + "".join(f"<li>{swatch(m)}{esc(w)}</li>" for m, w in items) + "</ul>"


def _timeline(facts: Facts) -> str:
    def swatch(markup: str) -> str:
        return f'<svg class="swatch" viewBox="0 0 26 14" aria-hidden="true">{markup}</svg>'

    items = (
        ('<rect class="window p0" x="1" y="2" width="24" height="10"/>', "could look: true position inside its limits"),
        ('<path class="saw p0" d="M6 2v10M12 2v10M20 2v10"/>', "detection"),
        ('<rect class="hidden" x="1" y="2" width="24" height="10"/>', "above the horizon, outside its limits"),
        ('<path class="false" d="M13 8v4"/>', "false detection"),
        ('<path class="mark ring p0" d="M8 7a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"/>', "warning opened"),
        ('<path class="mark disc p0" d="M8 7a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"/>', "warning confirmed"),
        ('<path class="mark square p0" d="M8 2h10v10h-10z"/>', "confirmed by a post"),
        ('<path class="mark triangle p0" d="M13 1l6 11h-12z"/>', "public informed"),
        ('<path class="mark diamond p0" d="M13 1l6 6l-6 6l-6 -6z"/>', "impact excluded"),
    )
    legend = '<ul class="legend">' + "".join(f"<li>{swatch(m)}{esc(w)}</li>" for m, w in items) + "</ul>"
    gaps = "".join(f"<p>{esc(g)}</p>" for g in gap_sentences(facts)[:3])
    more = (
        f'<p class="none">{facts.undrawn} more objects are not drawn; the run’s tables hold them.</p>'
        if facts.undrawn
        else ""
    )
    return _section(
        "timeline-section",
        "Who could see what, and when",
        "Height of the object over minutes after launch; below, one row per sensor."
        if facts.flights
        else "Nothing flew. Over minutes from the start: warnings and steps of each partner, and one row per sensor.",
        both(timeline(facts, WIDE), timeline(facts, NARROW)) + legend + gaps + more,
    )


def _delays(facts: Facts) -> str:
    out = []
    until = 0.0
    found: list[tuple[int, Nation, Any]] = []
    for i, n in enumerate(facts.nations):
        e = delay_event(n)
        if e is not None:
            found.append((i, n, e))
            until = max(until, *(d.end or 0.0 for d in delay_rows(e)))
    if not found:
        return ""
    for i, n, e in found:
        delays = delay_rows(e)
        way = [facts.nation_name(x) for x in e["delays"].get("path", [])]
        route = "" if len(way) < 2 else f" Way: {' → '.join(way)}."
        title = f"{n.name}: from launch to {'public alert' if e.get('alert_s') is not None else 'confirmed warning'}"
        total = e["delays"].get("total_s")
        words = f"{title}, {span(total)}." if isinstance(total, int | float) else title
        draw = [waterfall(delays, title, f"p{i % 6}", str(i), w, max(until, 1.0) * 1.02) for w in (WIDE, NARROW)]
        more = len([x for x in n.events if x.get("delays")]) - 1
        others = f" {more} more {'warning is' if more == 1 else 'warnings are'} in the tables." if more > 0 else ""
        out.append(
            f'<div class="part"><h3 class="ink p{i % 6}">{esc(words)}</h3><p '
            f'class="sub">{esc((route + others).strip())}</p>'
            f"{both(*draw)}</div>"
        )
    return _section(
        "delays",
        "Where the time went",
        "Each bar starts where the one above ends. Geometry: until a sensor could look at all. Detection: until the "
        "first detection that "
        "counted. Confirmation: until the track stood. Processing: until the warning was confirmed. Sending: "
        "between partners. "
        "Decision: until the public step.",
        "".join(out),
    )


def _limit(run: RunLike, facts: Facts) -> str:
    """What geometry alone would have allowed, where the run can say so."""
    ask = getattr(run, "perfect", None)
    if ask is None:
        return ""
    names = {n.id: n.name for n in facts.nations} | {"pooled": "All sensors pooled"}
    sensors = {s.id: s.name for s in facts.sensors}
    shown = {f.id for f in facts.flights}
    lines = []
    for row in [r for r in ask().to_pylist() if r["object"] in shown][:12]:
        who, what = names.get(row["observer"], row["observer"]), row["object"]
        if row["first_s"] is None:
            lines.append(f"<li>{esc(who)}: {esc(what)} is never in view.</li>")
            continue
        by = sensors.get(row["first_sensor"], row["first_sensor"])
        gap = f", lost for up to {span(row['longest_gap_s'])}" if row["longest_gap_s"] > 0.0 else ""
        when, until = t_plus(row["first_s"] - facts.t0), t_plus(row["last_s"] - facts.t0)
        lines.append(f"<li>{esc(who)}: {esc(what)} from {when} ({esc(by)}) to {until}{gap}.</li>")
    if not lines:
        return ""
    lead = (
        "A perfect observer has the same sensors, and nothing but geometry stands in its way: it looks at all times, "
        "detects for certain and at once. Nobody can know sooner."
    )
    return _section("limit", "The physical limit", lead, f"<ul>{''.join(lines)}</ul>")


def _stages(facts: Facts) -> str:
    stages = stage_rows(facts)
    if not stages:
        return ""
    title = "Published and simulated stages"
    inside = (
        both(stage_chart(stages, WIDE, title), stage_chart(stages, NARROW, title))
        + '<ul class="legend"><li><svg class="swatch" viewBox="0 0 26 14" aria-hidden="true"><path class="mark ring '
        'published" '
        'd="M7 7a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z"/></svg>published</li><li><svg class="swatch" viewBox="0 0 26 14" '
        'aria-hidden="true">'
        '<path class="mark disc simulated" d="M8.5 7a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z"/></svg>in this '
        "run</li></ul>" + tables.stages_table(facts)
    )
    if facts.declared.steps:
        assumed = "; ".join(
            f"{facts.nation_name(s.partner)}, {s.id}: {s.takes}{f' ({s.source})' if s.source else ''}"
            for s in facts.declared.steps
            if s.action in ("confirm", "inform", "exclude")
        )
        if assumed:
            inside += f'<p class="assumed"><b>Assumed hand-off times of the doctrine:</b> {esc(assumed)}.</p>'
        inside += tables.doctrine_table(facts)
    lead = (
        "What was published of the real event beside what this run did, stage against stage. Nothing was tuned to fit."
    )
    return _section("stages", "Published, and simulated", lead, inside)


def _risks(facts: Facts) -> str:
    found: list[tuple[int, Nation, list[Risk]]] = []
    for i, n in enumerate(facts.nations):
        areas = dict.fromkeys(a for w in n.warnings for v in w.versions for a in v.risks)
        risks = [r for a in areas if (r := risk_over_time(n, a)) is not None]
        if risks:
            found.append((i, n, risks))
    loud = [i for i, _, risks in found if quiet(facts, risks) is None]
    out = []
    for i, n, risks in found:
        title = f"{n.name}: probability of impact over time"
        if loud and i not in loud:
            # beside drawings that show something, a sentence for those that would not
            inside = f"<p>{esc(quiet(facts, risks))}</p>"
        else:
            inside = both(*(risk_chart(facts, risks[:6], title, f"p{i % 6}", str(i), w) for w in (WIDE, NARROW)))
        out.append(f'<div class="part"><h3 class="ink p{i % 6}">{esc(n.name)}</h3>{inside}</div>')
    if not out:
        return ""
    lead = (
        "How likely each partner held an impact in each area, version by version. The scale is logarithmic: the "
        "question is when it "
        f"falls under {100 * LIMIT:g} % for good (dashed line, ◆). Thin lines: flying over it at any height."
    )
    return _section("risks", "Does it come down here?", lead, "".join(out))


# ---- words ---------------------------------------------------------------------------------------------------------


def _tables(facts: Facts) -> str:
    return _section(
        "tables", "Tables", "The same in numbers. Folded on the screen, complete on paper.", tables.all_tables(facts)
    )


def _assumptions(facts: Facts) -> str:
    d = facts.declared
    parts = []
    if d.assumptions:
        order = {"high": 0, "medium": 1, "low": 2, "notional": 3}
        parts.append(
            tables.table(
                "What was assumed, and how sure anybody can be of it",
                ("confidence", "assumption", "why"),
                (
                    (tables.sure(a.confidence), esc(a.what), esc(a.why))
                    for a in sorted(d.assumptions, key=lambda a: order.get(a.confidence, 9))
                ),
            )
        )
    if d.values:
        parts.append(
            "<details><summary>Sensor values and where they come from</summary>"
            + tables.sensor_values_table(facts)
            + "</details>"
        )
    if d.sharing:
        parts.append("<h3>Who tells whom</h3><ul>" + "".join(f"<li>{esc(x)}</li>" for x in d.sharing) + "</ul>")
    if d.sources:
        lines = []
        for s in d.sources:
            title = f'<a href="{esc(s.url)}" rel="noreferrer">{esc(s.title)}</a>' if s.url else esc(s.title)
            lines.append(f"<li>{title}{f': {esc(s.note)}' if s.note else ''}</li>")
        parts.append(f"<h3>Sources</h3><ul>{''.join(lines)}</ul>")
    if not parts:
        return ""
    return _section("assumptions", "Assumptions", "", "".join(parts))


def _caveats(facts: Facts) -> str:
    kinds = rows(facts.tables.get("objects"))
    hardware = "" if any(r["kind"] == "loose" for r in kinds) else "debris, staging hardware and "
    lines = [
        "This is one run with one seed: chance decides single detections, false alarms and hand-off times. One run "
        "is an example, "
        "not a distribution.",
        "Sensors, classes and procedures are public or plainly notional models. Instrumented ranges are not "
        "detection ranges; real "
        "noise levels, thresholds and plume intensities are not public.",
        "Bars of “could look” ask for geometry only (sector, elevation, range, Earth, cloud top, burning), not "
        "whether the echo or the "
        "plume was strong enough.",
        f"Left out: {hardware}decoys, jamming, weather other than a cloud top, the ionosphere, "
        "what is left of "
        "refraction after correction, polar motion, and everything about people but the time a written step takes.",
        "Decisions follow a written doctrine with assumed times; nothing says that people would have decided so.",
        "Regions of 50 and 95 % rest on what a centre believes of the classes; where belief and truth differ they "
        "may miss.",
        "Detections of a direction without range are drawn at the true place of what caused them; radar detections "
        "where they were "
        "measured.",
    ]
    if any(math.isnan(s.site.range[1]) for s in facts.sensors if s.kind == "radar"):
        lines.append("Some radars declare no range limit; their sectors are not drawn.")
    return _section(
        "caveats", "What this leaves out", "", "<ul>" + "".join(f"<li>{esc(x)}</li>" for x in lines) + "</ul>"
    )


def _made(facts: Facts) -> str:
    s, m = facts.summary, facts.manifest
    scenario = str(s.get("scenario") or m.get("scenario") or facts.declared.id)
    seed = s.get("seed", m.get("seed", ""))
    version = s.get("version") or m.get("version") or ""
    digest = next((str(m[k]) for k in ("scenario_sha256", "scenario_hash", "sha256") if isinstance(m.get(k), str)), "")
    name = "".join(ch for ch in scenario if ch.isalnum() or ch in "-_") or "SCENARIO.yaml"
    command = f"tocsin run {name} --seed {seed}"
    counts = [
        f"{number(t.num_rows)} {word}"
        for key, word in (("scans", "scans"), ("detections", "detections"), ("warnings", "versions of warnings"))
        if (t := facts.tables.get(key)) is not None
    ]
    lines = (
        f"<p>Scenario <b>{esc(scenario)}</b>, seed <b>{esc(seed)}</b>, Tocsin <b>{esc(version)}</b>"
        + (f", scenario digest <code>{esc(digest[:16])}</code>" if digest else "")
        + f". {esc(listed(counts))}.</p>"
        f"<p>To make it again:</p><pre><code>{esc(command)}</code></pre>"
        "<p>The same scenario, seed and version give the same numbers. Everything in this page is one file; it asks "
        "nothing of the "
        "network.</p>"
        '<p class="madeby">Made by Tocsin, an open simulation of missile early warning, for simulation, analysis '
        "and training only. "
        "Coastlines and borders: Natural Earth (public domain), as drawn there; no position is taken on any of "
        "them.</p>"
    )
    return _section("made", "How this was made", "", lines)
