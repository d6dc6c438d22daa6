"""The small drawing kit of the page: SVG as text, scales, axes, and the two plain charts.

Sizes are in units of the drawing. Each chart is drawn twice, for a wide and for a narrow column, and the style sheet
shows the one that fits: so its letters keep their size on a phone and on paper. Colours come from the style sheet's
classes, never from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tocsin.report.declared import short
from tocsin.report.stages import Delay, Stage
from tocsin.report.text import clock, esc, t_plus

WIDE, NARROW = 960.0, 360.0


def num(value: float) -> str:
    """A number for an attribute: one decimal, none where it is whole."""
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


@dataclass
class Svg:
    """A drawing. ``title`` and ``about`` are read out where it cannot be seen."""

    id: str
    width: float
    height: float
    title: str
    about: str
    parts: list[str] = field(default_factory=list)

    def add(self, markup: str) -> None:
        """Markup made by this kit (escaped already)."""
        self.parts.append(markup)

    def line(self, x1: float, y1: float, x2: float, y2: float, cls: str) -> None:
        """A line."""
        self.add(f'<line class="{cls}" x1="{num(x1)}" y1="{num(y1)}" x2="{num(x2)}" y2="{num(y2)}"/>')

    def rect(self, x: float, y: float, w: float, h: float, cls: str, tip: str = "", round_: float = 0.0) -> None:
        """A rectangle; ``tip`` is shown where a pointer rests on it."""
        end = f"><title>{esc(tip)}</title></rect>" if tip else "/>"
        r = f' rx="{num(round_)}"' if round_ else ""
        self.add(f'<rect class="{cls}" x="{num(x)}" y="{num(y)}" width="{num(max(w, 0.0))}" height="{num(h)}"{r}{end}')

    def text(self, x: float, y: float, words: str, cls: str = "", anchor: str = "start") -> None:
        """Words, escaped here."""
        a = "" if anchor == "start" else f' text-anchor="{anchor}"'
        c = f' class="{cls}"' if cls else ""
        self.add(f'<text x="{num(x)}" y="{num(y)}"{a}{c}>{esc(words)}</text>')

    def path(self, d: str, cls: str, tip: str = "") -> None:
        """A path from data made by this kit."""
        end = f"><title>{esc(tip)}</title></path>" if tip else "/>"
        self.add(f'<path class="{cls}" d="{d}"{end}')

    def mark(self, shape: str, x: float, y: float, r: float, cls: str, tip: str = "") -> None:
        """A mark that differs by shape, not by colour alone: "disc", "ring", "diamond", "square", "triangle",
        "cross".
        """
        s = num
        d = {
            "disc": f"M{s(x - r)} {s(y)}a{s(r)} {s(r)} 0 1 0 {s(2 * r)} 0a{s(r)} {s(r)} 0 1 0 {s(-2 * r)} 0z",
            "diamond": f"M{s(x)} {s(y - r * 1.25)}L{s(x + r * 1.25)} {s(y)}L{s(x)} "
            f"{s(y + r * 1.25)}L{s(x - r * 1.25)} {s(y)}z",
            "square": f"M{s(x - r)} {s(y - r)}h{s(2 * r)}v{s(2 * r)}h{s(-2 * r)}z",
            "triangle": f"M{s(x)} {s(y - r * 1.2)}L{s(x + r * 1.15)} {s(y + r * 0.8)}L{s(x - r * 1.15)} "
            f"{s(y + r * 0.8)}z",
            "cross": f"M{s(x - r)} {s(y - r)}l{s(2 * r)} {s(2 * r)}M{s(x + r)} {s(y - r)}l{s(-2 * r)} {s(2 * r)}",
        }
        d["ring"] = d["disc"]
        self.path(d[shape], f"mark {shape} {cls}", tip)

    def __str__(self) -> str:
        return (
            f'<svg id="{self.id}" class="chart" viewBox="0 0 {num(self.width)} {num(self.height)}" role="img" '
            f'aria-labelledby="{self.id}-t {self.id}-d"><title id="{self.id}-t">{esc(self.title)}</title>'
            f'<desc id="{self.id}-d">{esc(self.about)}</desc>{"".join(self.parts)}</svg>'
        )


def both(wide: Svg, narrow: Svg) -> str:
    """The wide and the narrow drawing; the style sheet shows one."""
    return f'<div class="fit wide">{wide}</div><div class="fit narrow">{narrow}</div>'


@dataclass(frozen=True)
class Scale:
    """A straight scale from data to the drawing."""

    d0: float
    d1: float
    r0: float
    r1: float

    def __call__(self, value: float) -> float:
        """The place of a value."""
        return self.r0 + (value - self.d0) / ((self.d1 - self.d0) or 1.0) * (self.r1 - self.r0)


def minute_ticks(t0: float, t1: float, most: int) -> list[float]:
    """Whole steps of time (s after launch) that give at most ``most`` ticks."""
    for step in (10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400):
        first = math.ceil(t0 / step - 1e-9)
        last = math.floor(t1 / step + 1e-9)
        if last - first + 1 <= most:
            return [float(k * step) for k in range(first, last + 1)]
    return [t0, t1]


def even_ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two values, at most ``most``."""
    width = max(high - low, 1e-9)
    power = 10.0 ** math.floor(math.log10(width / most))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = power * factor
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [k * step for k in range(first, last + 1)]
    return [low, high]


def time_axis(svg: Svg, x: Scale, y0: float, y1: float, most: int) -> None:
    """Grid lines and labels of minutes after launch under a plot from ``y0`` down to ``y1``."""
    for t in minute_ticks(x.d0, x.d1, most):
        svg.line(x(t), y0, x(t), y1, "grid")
        near_end = x(t) > svg.width - 16
        svg.text(x(t), y1 + 15, clock(t), "tick", "end" if near_end else "middle")


def polyline(xs: Iterable[float], ys: Iterable[float]) -> str:
    """Path data through points."""
    return "M" + "L".join(f"{num(x)} {num(y)}" for x, y in zip(xs, ys, strict=True))


def waterfall(delays: Sequence[Delay], title: str, cls: str, key: str, width: float, until: float) -> Svg:
    """Delays one after another from launch on, each a bar from where the last one ended."""
    narrow = width < 500
    row = 40.0 if narrow else 30.0
    left, right = (16.0, 12.0) if narrow else (150.0, 200.0)
    top = 8.0
    height = top + row * len(delays) + 24.0
    total = max((d.end for d in delays if d.end is not None), default=0.0)
    svg = Svg(
        f"delays-{key}-{'n' if narrow else 'w'}",
        width,
        height,
        title,
        " ".join(f"{d.name}: {clock(d.took)}." for d in delays if d.took is not None) + f" Together {clock(total)}.",
    )
    x = Scale(0.0, until, left, width - right)
    time_axis(svg, x, top, height - 22, 5 if narrow else 9)
    last: float | None = None
    for i, d in enumerate(delays):
        y = top + row * i
        bar_y, bar_h = (y + 18, 15.0) if narrow else (y + 6, 17.0)
        label = d.name if d.took is None else f"{d.name}"
        if narrow:
            svg.text(left, y + 12, label, "rowname")
        else:
            svg.text(left - 10, bar_y + 13, label, "rowname", "end")
        if d.start is None or d.end is None or d.took is None:
            svg.text(left + 8 if not narrow else left + 4, bar_y + 12, d.note or "did not happen", "note")
            continue
        if not narrow and last is not None and abs(last - x(d.start)) < 0.8:
            svg.line(last, bar_y - (row - bar_h) + 1, last, bar_y, "joint")
        svg.rect(x(d.start), bar_y, max(x(d.end) - x(d.start), 1.5), bar_h, f"bar {cls} step{d.shade}", d.note, 2.0)
        last = x(d.end)
        words = f"{clock(d.took)}" + ("" if narrow else f"   → {t_plus(d.end)}")
        if narrow:
            svg.text(width - right, y + 12, f"{clock(d.took)} → {t_plus(d.end)}", "note", "end")
        else:
            svg.text(max(x(d.end), x(d.start) + 1.5) + 8, bar_y + 13, words, "note")
    return svg


def stage_chart(stages: Sequence[Stage], width: float, title: str) -> Svg:
    """Published against simulated, stage by stage: a ring for published, a disc for the run."""
    narrow = width < 500
    row = 44.0 if narrow else 32.0
    left, right = (16.0, 14.0) if narrow else (312.0, 130.0)
    top = 10.0
    height = top + row * len(stages) + 24.0
    known = [v for s in stages for v in (s.published, s.simulated) if v is not None]
    svg = Svg(
        f"stages-{'n' if narrow else 'w'}",
        width,
        height,
        title,
        " ".join(f"{s.name}: published {t_plus(s.published)}, simulated {t_plus(s.simulated)}." for s in stages),
    )
    x = Scale(0.0, max(known, default=60.0) * 1.05, left, width - right)
    time_axis(svg, x, top, height - 22, 5 if narrow else 9)
    for i, s in enumerate(stages):
        y = top + row * i
        mid = y + (27 if narrow else 16)
        if narrow:
            svg.text(left, y + 13, _cut(short(s.name), 40), "rowname")
        else:
            svg.text(left - 12, mid + 4, _cut(short(s.name), 50), "rowname", "end")
        svg.line(x.r0, mid, x.r1, mid, "rail")
        if s.published is not None and s.simulated is not None:
            svg.line(x(s.published), mid, x(s.simulated), mid, "span")
        if s.published is not None:
            svg.mark("ring", x(s.published), mid, 6.0, "published", f"published {t_plus(s.published)}")
        if s.simulated is not None:
            svg.mark("disc", x(s.simulated), mid, 4.5, "simulated", f"simulated {t_plus(s.simulated)}")
        if not narrow:
            svg.text(width - right + 12, mid + 4, difference(s), "note")
        else:
            svg.text(width - right, y + 13, difference(s), "note", "end")
    return svg


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def difference(stage: Stage) -> str:
    """ "12 s later", "as published", or what is missing."""
    if stage.simulated is None:
        return "not in this run"
    if stage.published is None:
        return f"run {t_plus(stage.simulated)}"
    gap = stage.simulated - stage.published
    if abs(gap) < 0.5:
        return "as published"
    return f"{clock(abs(gap))} {'later' if gap > 0 else 'earlier'}"
