"""A false alarm's own part of the page: how far it went, what displays showed, and how far it would have gone under
other doctrines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tocsin.report.charts import NARROW, WIDE, Scale, Svg, both, even_ticks, num, time_axis
from tocsin.report.facts import Facts, RunLike, rows
from tocsin.report.tables import table
from tocsin.report.text import clock, esc, sentence, span, t_plus, the
from tocsin.scenario import ladders

_MEANING = {
    "shown": "something was shown",
    "confirmed": "a warning stood confirmed",
    "passed up": "it was passed up",
    "to the top": "the last conference agreed",
    "public": "the public was told",
}


def first_sentence(facts: Facts) -> str:
    """What a reader must know of an incident if only one sentence is read; "" where the run is none."""
    node = facts.summary.get("incident")
    if not node:
        return ""
    began = "Nothing flew" if not facts.summary.get("objects") else "No attack flew"
    if not node["reached"]:
        return f"{began}, and nothing was shown."
    top = node["reached"][-1]
    who = the(facts.nation_name(top["partner"]))
    did = {
        "shown": f"{who} was shown something",
        "confirmed": f"{who} confirmed a warning",
        "passed up": f"{who} passed a warning up",
        "to the top": f"a warning of {who} got to the last conference",
        "public": f"{who} told its public",
    }[top["level"]]
    stood = top["stood_s"]
    back = "it was not taken back by the end of the run" if stood is None else f"it took {span(stood)} to take it back"
    return sentence(f"{began}, but {did} at {t_plus(top['at_s'] - facts.t0)}; {back}")


def section(run: RunLike, facts: Facts) -> str:
    """The part of an incident; "" for other runs."""
    node = facts.summary.get("incident")
    if not node:
        return ""
    lead = f"What was behind it: {esc(node['cause'])}. No centre in this run was told."
    out = []
    reached = node["reached"]
    if reached:
        title = "How far it went"
        out.append(both(*(_bars(facts, reached, title, w) for w in (WIDE, NARROW))))
        out.append(
            table(
                "Levels reached",
                ("level", "partner", "first at", "by", "taken back at", "stood for", "warnings"),
                (
                    (
                        esc(r["level"]),
                        esc(facts.nation_name(r["partner"])),
                        t_plus(r["at_s"] - facts.t0),
                        esc(r["how"]),
                        "not in this run" if r["back_s"] is None else t_plus(r["back_s"] - facts.t0),
                        "–" if r["stood_s"] is None else span(r["stood_s"]),
                        str(r["warnings"]),
                    )
                    for r in reached
                ),
            )
        )
    out.append(_displays(run, facts))
    out.append(_doctrines(run, facts))
    return f'<section id="incident"><h2>How far it went</h2><p class="lead">{lead}</p>{"".join(out)}</section>\n'


def _bars(facts: Facts, reached: list[dict[str, Any]], title: str, width: float) -> Svg:
    narrow = width < 500
    row = 40.0 if narrow else 30.0
    left, right = (16.0, 12.0) if narrow else (220.0, 130.0)
    top = 8.0
    height = top + row * len(reached) + 24.0
    end = max(facts.t1 - facts.t0, 1.0)
    about = " ".join(f"{_MEANING[r['level']]}: {t_plus(r['at_s'] - facts.t0)}." for r in reached)
    svg = Svg(f"incident-{'n' if narrow else 'w'}", width, height, title, about)
    x = Scale(0.0, end, left, width - right)
    time_axis(svg, x, top, height - 22, 5 if narrow else 9)
    for k, r in enumerate(reached):
        y = top + row * k
        bar, high = (y + 18, 14.0) if narrow else (y + 7, 15.0)
        if narrow:
            svg.text(left, y + 12, _MEANING[r["level"]], "rowname")
        else:
            svg.text(left - 10, bar + 12, _MEANING[r["level"]], "rowname", "end")
        for begins, ends in r["stretches"]:
            a, b = begins - facts.t0, end if ends is None else ends - facts.t0
            words = f"{t_plus(a)}, " + ("not taken back" if ends is None else f"back {t_plus(b)}")
            svg.rect(x(a), bar, max(x(b) - x(a), 2.0), high, "bar p0 step3", words, 2.0)
        stood = "" if r["stood_s"] is None else span(r["stood_s"])
        if narrow:
            svg.text(width - right, y + 12, stood or "not taken back", "note", "end")
        else:
            svg.text(width - right + 10, bar + 12, stood or "not taken back", "note")
    return svg


def shown(facts: Facts) -> dict[str, list[tuple[float, int]]]:
    """What each post's display showed: (time, count of all fields), at each change."""
    found: dict[str, list[tuple[float, int]]] = {}
    for r in rows(facts.tables.get("events")):
        if r["kind"] == "display":
            counts = json.loads(r["text"])["counts"]
            found.setdefault(r["subject"], []).append((r["t_s"], sum(counts.values())))
    return found


def _displays(run: RunLike, facts: Facts) -> str:
    found = shown(facts)
    if not any(n for changes in found.values() for _, n in changes):
        return ""
    names = {post: _post_name(run.scenario, post) for post in found}
    at_once = _most_different(found)
    said = ""
    if at_once > 1:
        said = f" There were {at_once} different counts at one time: at most one of them can have been right."
    charts = both(*(_steps(facts, found, names, w) for w in (WIDE, NARROW)))
    lead = "What the posts’ displays showed, all fields together." + said
    return f'<div class="part"><h3>On the displays</h3><p class="sub">{esc(lead)}</p>{charts}</div>'


def _post_name(scenario: Mapping[str, Any], post: str) -> str:
    for partner in scenario["partners"].values():
        entry = (partner.get("posts") or {}).get(post)
        if entry:
            return str(entry.get("name") or post)
    return post


def _most_different(found: dict[str, list[tuple[float, int]]]) -> int:
    most = 1
    now: dict[str, int] = {}
    for t in sorted({t for changes in found.values() for t, _ in changes}):
        for post, changes in found.items():
            now.update((post, n) for when, n in changes if when == t)
        if len(now) == len(found):
            most = max(most, len(set(now.values())))
    return most


def _steps(facts: Facts, found: dict[str, list[tuple[float, int]]], names: dict[str, str], width: float) -> Svg:
    narrow = width < 500
    left, right, row, top = (40.0, 12.0, 96.0, 6.0) if narrow else (60.0, 20.0, 104.0, 6.0)
    height = top + row * len(found) + 24.0
    changes = {post: [(t - facts.t0, n) for t, n in got] for post, got in found.items()}
    about = " ".join(
        f"{names[post]}: " + ", ".join(f"{n} at {t_plus(t)}" for t, n in got) + "." for post, got in changes.items()
    )
    svg = Svg(f"displays-{'n' if narrow else 'w'}", width, height, "Counts on the displays", about)
    end = max(facts.t1 - facts.t0, 1.0)
    x = Scale(0.0, end, left, width - right)
    time_axis(svg, x, top, height - 22, 5 if narrow else 9)
    highest = max((n for got in changes.values() for _, n in got), default=1) or 1
    for k, (post, got) in enumerate(changes.items()):
        base = top + row * (k + 1) - 10.0
        y = Scale(0.0, float(highest), base, top + row * k + 26.0)
        svg.text(left, top + row * k + 14, names[post], "rowname")
        for tick in even_ticks(0.0, float(highest), 3):
            svg.line(left, y(tick), width - right, y(tick), "grid")
            svg.text(left - 6, y(tick) + 4, f"{tick:g}", "tick", "end")
        d, last = [], None
        for t, n in got:
            if last is not None:
                d.append(f"L{num(x(t))} {num(y(last))}")
            d.append(f"{'M' if last is None else 'L'}{num(x(t))} {num(y(n))}")
            last = n
        if last is not None:
            d.append(f"L{num(x(end))} {num(y(last))}")
        svg.path("".join(d), f"curve p{k % 6}")
        for t, n in got:
            svg.mark("disc", x(t), y(n), 2.5, f"p{k % 6}", f"{n} at {clock(t)}")
    return svg


def _doctrines(run: RunLike, facts: Facts) -> str:
    """How far it would have gone: the run, again under each doctrine."""
    ask = getattr(run, "doctrines", None)
    cells = ask() if ask is not None else []
    if not cells:
        return ""
    titles = {id: ladders.doctrine(id).title for id in ladders.doctrine_ids()}
    body = (
        (
            esc(c.doctrine),
            esc(titles.get(c.doctrine, "The scenario as it is written")),
            esc(c.level),
            "–" if c.at_s is None else t_plus(c.at_s - facts.t0),
            "–" if c.level == "nothing" else ("not in this run" if c.minutes is None else f"{c.minutes:.1f} min"),
            esc(c.how),
        )
        for c in cells
    )
    lead = (
        "The same morning again under each doctrine of the library: same sensors, same draws, same hands. Under a "
        "doctrine nothing is passed up or told to the public that does not stand confirmed by it; its conferences are "
        "the bundled ladder of three steps where the scenario has none."
    )
    inside = table(
        "Highest level reached, and how long until it was taken back",
        ("doctrine", "what it asks for", "highest level", "first at", "taken back after", "by"),
        body,
    )
    return f'<div class="part"><h3>Under other doctrines</h3><p class="sub">{esc(lead)}</p>{inside}</div>'
