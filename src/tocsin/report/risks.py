"""The probability of impact in an area over time, as a partner reckoned it: as numbers and as a drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.report.charts import Scale, Svg, num, time_axis
from tocsin.report.facts import Facts, Nation
from tocsin.report.text import NBSP, listed, percent, t_plus

LIMIT = 0.01
_FLOOR = 1e-4  # the lowest decade that is drawn


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

    def says(self, facts: Facts) -> str:
        """What became of it, in words."""
        if self.peak == 0.0:
            return f"0{NBSP}% throughout"
        highest = f"highest {percent(self.peak)} at {t_plus(self.peak_t - facts.t0)}"
        if not self.ever_above:
            return f"never reached 1{NBSP}% ({highest})"
        if self.under is None:
            return f"{highest}, still over 1{NBSP}% at the end"
        return f"{highest}, under 1{NBSP}% for good from {t_plus(self.under - facts.t0)}"


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


def quiet(facts: Facts, risks: Sequence[Risk]) -> str | None:
    """A sentence in place of a drawing that would show nothing; None where there is something to show."""
    highest, passing = max(r.peak for r in risks), max((max(r.passage) for r in risks), default=0.0)
    if highest >= 1e-3 or passing >= 0.05:
        return None
    names = listed([facts.declared.area_name(r.nation, r.area) for r in risks])
    return f"{names}: impact {percent(highest)} at most, passage {percent(passing)} at most."


def risk_chart(facts: Facts, risks: Sequence[Risk], title: str, cls: str, key: str, width: float) -> Svg:
    """Probability of impact in each area (thick) and of flying over it (thin) over time.

    Logarithmic, because the question is 1 %; under the drawing a line of words for each area.
    """
    narrow = width < 500
    left, right, top, bottom = 56.0, 12.0, 12.0, 26.0
    plot = 210.0 if narrow else 230.0
    row = 34.0 if narrow else 20.0
    names = [facts.declared.area_name(r.nation, r.area) for r in risks]
    svg = Svg(
        f"risk-{key}-{'n' if narrow else 'w'}",
        width,
        plot + row * len(risks) + 6.0,
        title,
        " ".join(f"{name}: {r.says(facts)}." for name, r in zip(names, risks, strict=True)),
    )
    x = Scale(0.0, facts.t1 - facts.t0, left, width - right)
    y = Scale(math.log10(_FLOOR), 0.0, plot - bottom, top)
    for p, label in ((1.0, "100 %"), (0.1, "10 %"), (0.01, "1 %"), (0.001, "0.1 %"), (_FLOOR, "≤0.01 %")):
        svg.line(left, y(math.log10(p)), width - right, y(math.log10(p)), "limit" if p == LIMIT else "grid")
        svg.text(left - 6, y(math.log10(p)) + 4, label, "tick", "end")
    time_axis(svg, x, top, plot - bottom, 6 if narrow else 12)
    svg.add(
        f'<line class="now" x1="0" x2="0" y1="{num(top)}" y2="{num(plot - bottom)}" data-x0="{num(x.r0)}" '
        f'data-x1="{num(x.r1)}"/>'
    )

    def steps(t: Sequence[float], values: Sequence[float]) -> str:
        level = [y(math.log10(max(p, _FLOOR))) for p in values]
        d = f"M{num(x(t[0] - facts.t0))} {num(level[0])}"
        for moment, v in zip(t[1:], level[1:], strict=True):
            d += f"H{num(x(moment - facts.t0))}V{num(v)}"
        return f"{d}H{num(x.r1)}"

    for i, (r, name) in enumerate(zip(risks, names, strict=True)):
        if max(r.passage) >= LIMIT:
            svg.path(steps(r.t, r.passage), f"curve passage {cls} dash{i % 4}", f"{name}: flying over it")
        svg.path(steps(r.t, r.p), f"curve {cls} dash{i % 4}", f"{name}: {r.says(facts)}")
        first = y(math.log10(max(r.p[0], _FLOOR)))
        svg.mark("disc", x(r.t[0] - facts.t0), first, 3.0, cls, f"first reckoned at {t_plus(r.t[0] - facts.t0)}")
        if r.under is not None:
            tip = f"{name}: under 1 % for good from {t_plus(r.under - facts.t0)}"
            svg.mark("diamond", x(r.under - facts.t0), y(math.log10(LIMIT)), 4.5, cls, tip)
        at = plot + 12.0 + row * i
        svg.path(f"M{num(left)} {num(at - 4)}h26", f"curve {cls} dash{i % 4}")
        if narrow:
            svg.text(left + 32, at, name, "rowname")
            svg.text(left + 32, at + 14, r.says(facts), "note")
        else:
            svg.text(left + 34, at, f"{name}: {r.says(facts)}", "note")
    return svg
