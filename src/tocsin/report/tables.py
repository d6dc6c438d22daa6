"""The page's tables: the same facts as the pictures, for reading, searching and printing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tocsin.report.charts import difference
from tocsin.report.facts import Facts, rows
from tocsin.report.stages import stage_rows
from tocsin.report.text import clock, esc, km, number, percent, place, sentence, span, t_plus, utc

# longer tables are cut, and say so: the run's Parquet files hold every row
MOST_ROWS = 400


def table(caption: str, head: Sequence[str], body: Iterable[Sequence[str]], cls: str = "") -> str:
    """A table; cells are markup already (made with ``esc``). Cut at ``MOST_ROWS``."""
    lines = list(body)
    if not lines:
        return f'<p class="none">{esc(caption)}: none.</p>'
    cut = len(lines) - MOST_ROWS
    shown = lines[:MOST_ROWS]
    heads = "".join(f'<th scope="col">{esc(h)}</th>' for h in head)
    cells = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in line) + "</tr>" for line in shown)
    note = f'<p class="none">{number(cut)} more rows are in the run’s tables.</p>' if cut > 0 else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{esc(caption)}"><table '
        f'class="{cls}"><caption>{esc(caption)}'
        f"</caption><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table></div>{note}"
    )


def _fold(title: str, inside: str, open_: bool = False) -> str:
    return f"<details{' open' if open_ else ''}><summary>{esc(title)}</summary>{inside}</details>"


def events_table(facts: Facts) -> str:
    """What happened and who did what, in one order of time."""
    lines: list[tuple[float, str, str, str]] = []
    kinds = {r["object"]: r["kind"] for r in rows(facts.tables.get("objects"))}
    for o in facts.summary.get("objects", []):
        zero = float(o.get("launch_s") or 0.0)
        begins = "is launched" if kinds.get(o["id"], "flight") not in ("state", "recorded") else "begins"
        lines.append((zero, "truth", f"{o['id']} {begins}", place(o.get("launch_lat_deg"), o.get("launch_lon_deg"))))
        if (o.get("burnout_s") or 0.0) > 0.0:
            lines.append((zero + o["burnout_s"], "truth", f"{o['id']}: end of thrust", ""))
        if o.get("flight_time_s") is not None:
            where = place(o.get("impact_lat_deg"), o.get("impact_lon_deg"))
            lines.append((zero + o["flight_time_s"], "truth", f"{o['id']} comes down", where))
    for f in facts.flights:
        if not f.launched:
            continue
        lines.append(
            (float(f.t[int(f.h.argmax())]), "truth", f"{f.id}: highest point", f"{number(float(f.h.max()) / 1e3)} km")
        )
    for s in facts.sensors:
        hits = s.looks.t[s.looks.object >= 0]
        if len(hits):
            lines.append(
                (float(hits[0]), facts.nation_name(s.nation), f"{s.name}: first detection", f"{len(hits)} in all")
            )
    for n in facts.nations:
        for w in n.warnings:
            lines.append((w.versions[0].t, n.name, f"Warning {w.uid} opened", w.versions[0].cause))
            lines += [
                (v.t, n.name, f"Warning {w.uid} {v.status}", v.cause)
                for v in w.versions[1:]
                if v.status in ("confirmed", "downgraded", "cancelled", "closed")
            ]
        lines += [
            (d["t_s"], n.name, f"{sentence(d['action'])[:-1]} (step {d['step']}, by {d['by']})", d["text"])
            for d in n.decisions
        ]
    for r in rows(facts.tables.get("events")):
        if r["kind"] in ("track.event", "sensor.status", "inject"):
            who = facts.nation_name(r["source"].split(":", 1)[1]) if r["source"].startswith("nation:") else r["source"]
            lines.append((r["t_s"], who, f"{r['subject']}: {r['what']}", r["text"]))
    for m in rows(facts.tables.get("messages")):
        to = facts.nation_name(m["recipient"])
        lines.append(
            (m["sent_s"], facts.nation_name(m["sender"]), f"Message {m['n']} to {to}: {m['kind']}", m["outcome"])
        )
    lines.sort(key=lambda line: line[0])
    return table(
        "Events in order of time",
        ("T+", "UTC", "who", "what", "more"),
        ((t_plus(t - facts.t0), utc(facts.unix_ns, t), esc(who), esc(what), esc(more)) for t, who, what, more in lines),
        "times",
    )


def estimates_table(facts: Facts) -> str:
    """Launch and impact estimates at the three moments of the summary, with their errors."""
    body = []
    moments = (("first_warning", "first confirmed"), ("burnout_60s", "burnout + 60 s"), ("last", "last"))
    for n in facts.nations:
        for e in n.events:
            for what in ("launch", "impact"):
                group = e.get(f"{what}_estimate") or {}
                for key, word in moments:
                    x = group.get(key) if isinstance(group, Mapping) else None
                    if x is None:
                        continue
                    body.append(
                        (
                            esc(n.name),
                            esc(e.get("object") or "nothing launched"),
                            what,
                            word,
                            t_plus(x.get("t_s")),
                            esc(x.get("basis")),
                            place(x.get("lat_deg"), x.get("lon_deg"))
                            if x.get("kind") == "gaussian"
                            else esc(x.get("kind")),
                            _within(x),
                            km(x.get("error_km")),
                            _yes(x.get("inside95")),
                            "–" if x.get("time_error_s") is None else f"{x['time_error_s']:+.0f} s",
                        )
                    )
    return table(
        "Estimates and their errors against the truth",
        (
            "partner",
            "object",
            "of",
            "moment",
            "T+",
            "made from",
            "where",
            "95 % within",
            "error",
            "truth in 95 % region",
            "time error",
        ),
        body,
    )


def _within(x: Mapping[str, Any]) -> str:
    c = x.get("cov_enu_km2")
    if not c:
        return "–"
    mid, half = (c[0][0] + c[1][1]) / 2, math.hypot((c[0][0] - c[1][1]) / 2, c[0][1])
    return (
        f"{number(2.45 * math.sqrt(max(mid + half, 0.0)), 0)} × {number(2.45 * math.sqrt(max(mid - half, 0.0)), 0)} km"
    )


def tracking_table(facts: Facts) -> str:
    """How good each partner's tracks were: all objects together, then each (runs before this was measured: none)."""

    def share(value: Any) -> str:
        return "–" if value is None else f"{value:.1%}"

    def over(value: Any) -> str:
        return "–" if value is None else f"{value:.2f}"

    body = []
    for partner in facts.summary.get("partners", []):
        q = partner.get("tracking")
        if not q or not (q["objects"] or q["spurious"]):
            continue
        name = esc(facts.nation_name(partner["id"]))
        body.append(
            (
                name, "all together", share(q["completeness"]), share(q["longest_share"]), str(q["breaks"]),
                str(q["switches"]), share(q["spurious"]), km(q["rms_km"]), over(q["over_sigma"]), km(q["gospa_km"]),
            )
        )  # fmt: skip
        body += [
            (
                name, esc(o["object"]), share(o["completeness"]), share(o["longest_share"]), str(o["breaks"]),
                str(o["switches"]), "", km(o["rms_km"]), over(o["over_sigma"]), "",
            )
            for o in q["objects"]
        ]  # fmt: skip
    return table(
        "Tracks against the truth, from the first own detection of each object on",
        (
            "partner", "object", "tracked", "longest under one number", "breaks", "switches", "spurious",
            "error", "error over stated", "GOSPA",
        ),
        body,
    )  # fmt: skip


def _yes(value: Any) -> str:
    return "–" if value is None else "yes" if value else "no"


def decisions_table(facts: Facts) -> str:
    """Every step done at a post."""
    return table(
        "Steps done at the posts",
        ("T+", "UTC", "partner", "post", "step", "action", "condition held", "took", "by", "what was said"),
        (
            (
                t_plus(d["t_s"] - facts.t0),
                utc(facts.unix_ns, d["t_s"]),
                esc(n.name),
                esc(d["post"]),
                esc(d["step"]),
                esc(d["action"]),
                t_plus(d["due_s"] - facts.t0),
                span(d["took_s"]),
                esc(d["by"]),
                esc(d["text"]),
            )
            for n in facts.nations
            for d in n.decisions
        ),
    )


def messages_table(facts: Facts) -> str:
    """Every message between partners."""
    return table(
        "Messages between partners",
        ("sent", "from", "to", "n", "kind", "warning", "version", "arrived", "on the way", "outcome", "marked"),
        (
            (
                t_plus(m["sent_s"] - facts.t0),
                esc(facts.nation_name(m["sender"])),
                esc(facts.nation_name(m["recipient"])),
                str(m["n"]),
                esc(m["kind"]),
                esc(m["warning"] or "–"),
                esc("–" if m["version"] is None else m["version"]),
                "–" if m["arrive_s"] is None else t_plus(m["arrive_s"] - facts.t0),
                "–" if m["arrive_s"] is None else f"{m['arrive_s'] - m['sent_s']:.1f} s",
                esc(m["outcome"]),
                esc(m["exercise"]),
            )
            for m in rows(facts.tables.get("messages"))
        ),
    )


def evidence_table(facts: Facts) -> str:
    """What each sensor said of each warning: only the versions in which its answer changed."""
    last: dict[tuple[str, str], str] = {}
    body = []
    for r in rows(facts.tables.get("evidence")):
        if r["label"] != "own" or last.get((r["warning"], r["sensor"])) == r["state"]:
            continue
        last[r["warning"], r["sensor"]] = r["state"]
        could = "–" if r["could_from_s"] is None else t_plus(r["could_from_s"] - facts.t0)
        chain = " → ".join(facts.nation_name(x.strip()) for x in r["source_chain"].split(",") if x.strip())
        body.append(
            (
                t_plus(r["t_s"] - facts.t0),
                esc(facts.nation_name(r["nation"])),
                esc(r["warning"]),
                str(r["version"]),
                esc(facts.declared.sensor_name(r["sensor"])),
                esc(r["sensor_kind"]),
                esc(r["state"].replace("_", " ")),
                could,
                "–" if r.get("weight") is None else f"{r['weight']:+.1f}",
                esc(chain),
            )
        )
    return table(
        "Evidence: when the answer of a sensor changed",
        ("T+", "partner", "warning", "version", "sensor", "kind", "says", "could look from", "weight", "came through"),
        body,
    )


def sensors_table(facts: Facts) -> str:
    """What each sensor could see and saw."""
    body = []
    for n in facts.nations:
        for s in (facts.sensors[i] for i in n.sensors):
            windows = [w for v in s.views for w in v.windows]
            hits = s.looks.t[s.looks.object != -1]
            wrong = int((s.looks.object == -1).sum())
            body.append(
                (
                    esc(n.name),
                    esc(s.name),
                    esc(s.kind),
                    number(len(s.scan_t)),
                    f"{s.period:g} s",
                    ", ".join(f"{t_plus(a - facts.t0)}–{clock(b - facts.t0)}" for a, b in windows[:6]) or "never",
                    number(len(hits)),
                    t_plus(float(hits[0]) - facts.t0) if len(hits) else "–",
                    t_plus(float(hits[-1]) - facts.t0) if len(hits) else "–",
                    number(wrong),
                )
            )
    return table(
        "Sensors: when they could have looked, and what they saw",
        ("partner", "sensor", "kind", "scans", "every", "could look", "detections", "first", "last", "false"),
        body,
    )


def risks_table(facts: Facts) -> str:
    """Probabilities in each area at the versions where they matter: first, first confirmed, peak, last."""
    body = []
    for n in facts.nations:
        for w in n.warnings:
            for area in dict.fromkeys(a for v in w.versions for a in v.risks):
                have = [v for v in w.versions if area in v.risks]
                marked = {
                    0: "first",
                    len(have) - 1: "last",
                    max(range(len(have)), key=lambda i: have[i].risks[area][0]): "peak",
                }
                for i, word in sorted(marked.items()):
                    v = have[i]
                    p, q, at, out = v.risks[area]
                    body.append(
                        (
                            esc(n.name),
                            esc(w.uid),
                            esc(facts.declared.area_name(n.id, area)),
                            word,
                            str(v.version),
                            t_plus(v.t - facts.t0),
                            percent(p),
                            percent(q),
                            "–" if at is None else t_plus(at - facts.t0),
                            _yes(out),
                        )
                    )
    return table(
        "Areas: probability of impact and of passage",
        ("partner", "warning", "area", "moment", "version", "T+", "impact", "passage", "expected", "impact excluded"),
        body,
    )


def stages_table(facts: Facts) -> str:
    """Published stages with their sources."""
    return table(
        "Published stages, and what the run has in their place",
        ("stage", "published", "to within", "in this run", "difference", "set against", "source"),
        (
            (
                esc(s.name),
                t_plus(s.published),
                span(s.precision) if s.precision else "–",
                t_plus(s.simulated),
                esc(difference(s)),
                esc(s.matches or "nothing"),
                esc(facts.declared.source_title(s.source)),
            )
            for s in stage_rows(facts)
        ),
    )


def doctrine_table(facts: Facts) -> str:
    """The assumed hand-off times."""
    return table(
        "Doctrine: the assumed hand-off times",
        ("partner", "post", "step", "action", "when", "takes", "rests on"),
        (
            (
                esc(facts.nation_name(s.partner)),
                esc(s.post),
                esc(s.id),
                esc(s.action),
                f"<code>{esc(s.when)}</code>",
                esc(s.takes),
                esc(facts.declared.source_title(s.source)),
            )
            for s in facts.declared.steps
        ),
    )


def sensor_values_table(facts: Facts) -> str:
    """What stands behind the sensors' values: those of one sensor that rest on the same are one row."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for v in facts.declared.values:
        word = v.name.replace("_", " ")
        text = f"{word} {v.value}" + (f" ({v.why})" if v.why else "")
        groups.setdefault((v.sensor, v.status, v.confidence, v.source), []).append(text)
    return table(
        "Values of the sensors",
        ("sensor", "values", "status", "confidence", "source"),
        (
            (esc(facts.declared.sensor_name(sensor)), esc("; ".join(texts)), esc(status), sure(confidence), esc(source))
            for (sensor, status, confidence, source), texts in groups.items()
        ),
        "wide-second",
    )


def sure(confidence: str) -> str:
    """A confidence with its mark (a disc that is more or less full)."""
    return f'<span class="sure {esc(confidence)}">{esc(confidence)}</span>'


def all_tables(facts: Facts) -> str:
    """Every table, folded."""
    return "".join(
        (
            _fold("Events", events_table(facts)),
            _fold("Sensors", sensors_table(facts)),
            _fold("Estimates", estimates_table(facts)),
            _fold("Tracks", tracking_table(facts)),
            _fold("Areas", risks_table(facts)),
            _fold("Decisions", decisions_table(facts)),
            _fold("Messages", messages_table(facts)),
            _fold("Evidence", evidence_table(facts)),
        )
    )
