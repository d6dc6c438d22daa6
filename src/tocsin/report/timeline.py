"""Height over time, and under it what each sensor could have seen, what it saw, and what people made of it.

One time axis for all: T+ since the first launch.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.report.charts import Scale, Svg, even_ticks, minute_ticks, num, polyline
from tocsin.report.declared import short
from tocsin.report.facts import Facts, Nation, Sensor
from tocsin.report.text import clock, number, span, t_plus
from tocsin.report.views import ABOVE, FAR, SIDE

_MARKS = {
    # action of a doctrine step: shape, word
    "confirm": ("square", "confirmed by the post"),
    "inform": ("triangle", "public informed"),
    "exclude": ("diamond", "impact excluded"),
    "stand-down": ("cross", "stood down"),
}


@dataclass(frozen=True)
class Mark:
    """A moment in a partner's row."""

    t: float
    shape: str
    word: str


def marks(nation: Nation) -> list[Mark]:
    """What a partner did and when (s since the epoch): warning opened, confirmed, cancelled, the steps of its posts."""
    out = []
    for w in nation.warnings:
        out.append(Mark(w.versions[0].t, "ring", "warning opened"))
        v = w.first_confirmed
        if v is not None:
            out.append(Mark(v.t, "disc", "warning confirmed"))
        out += [Mark(v.t, "cross", "warning cancelled") for v in w.versions if v.status == "cancelled"][:1]
    for d in nation.decisions:
        shape, word = _MARKS.get(d["action"], ("square", str(d["action"])))
        out.append(Mark(d["t_s"], shape, f"{word} (step {d['step']})"))
    return sorted(out, key=lambda m: m.t)


def timeline(facts: Facts, width: float) -> Svg:
    """The drawing for a wide or a narrow column."""
    narrow = width < 500
    left, right = (34.0, 8.0) if narrow else (205.0, 14.0)
    flies = bool(facts.flights)  # without any there is no height to draw
    plot_top, plot_h = 16.0, (170.0 if narrow else 220.0) if flies else 0.0
    row_h = 31.0 if narrow else 21.0
    nation_h = 34.0 if narrow else 27.0
    groups = [(n, [facts.sensors[i] for i in n.sensors]) for n in facts.nations]
    rows_h = sum(nation_h + row_h * len(s) + 8 for _, s in groups)
    rows_top = plot_top + plot_h + (26.0 if flies else 0.0)
    height = rows_top + rows_h + 22.0
    # beside a satellite everything else would lie on the ground
    high = [f for f in facts.flights if f.kind != "orbit"] or facts.flights
    top_km = max((float(f.h.max()) / 1e3 for f in high), default=100.0)
    svg = Svg(
        f"timeline-{'n' if narrow else 'w'}",
        width,
        height,
        "Height over time, and what each sensor could see and saw",
        " ".join(
            f"{f.id} rises to {number(float(f.h.max()) / 1e3)} km at {t_plus(float(f.t[f.h.argmax()]) - facts.t0)} "
            f"and is {'down' if f.down else 'followed to the end of its path'} at {t_plus(f.end_s - facts.t0)}."
            for f in high
        )
        + " Bars: times at which a sensor could have looked. Ticks: detections. The same is in the tables below.",
    )
    x = Scale(0.0, facts.t1 - facts.t0, left, width - right)
    y = Scale(0.0, top_km * 1.06, plot_top + plot_h, plot_top)
    for h in even_ticks(0.0, top_km * 1.05, 4 if narrow else 6) if flies else ():
        svg.line(left, y(h), width - right, y(h), "grid")
        svg.text(left - 6, y(h) + 4, number(h), "tick", "end")
    if flies:
        svg.text(left - 6 if not narrow else 0, plot_top - 5, "km", "tick", "end" if not narrow else "start")
    bottom = rows_top + rows_h
    for t in minute_ticks(0.0, x.d1, 6 if narrow else 14):
        svg.line(x(t), plot_top, x(t), bottom, "grid")
        anchor = "end" if x(t) > width - right - 12 else "middle"
        if flies:
            svg.text(x(t), plot_top + plot_h + 15, clock(t), "tick", anchor)
        svg.text(x(t), bottom + 15, clock(t), "tick", anchor)
    for k, f in enumerate(high):
        step = max(1, len(f.t) // 300)
        curve = [*range(0, len(f.t), step), len(f.t) - 1]
        svg.path(
            polyline((x(f.t[i] - facts.t0) for i in curve), (y(f.h[i] / 1e3) for i in curve)),
            f"curve object dash{k % 4}",
        )
        burnout = f.burnout_s
        if burnout is not None:
            burn = [i for i in range(len(f.t)) if f.t[i] <= burnout]
            burn = [*burn[:: max(1, len(burn) // 60)], burn[-1]]
            svg.path(
                polyline((x(f.t[i] - facts.t0) for i in burn), (y(f.h[i] / 1e3) for i in burn)),
                "curve burning",
                "burning",
            )
            if k == 0:
                at = burn[-1]
                svg.mark("disc", x(f.t[at] - facts.t0), y(f.h[at] / 1e3), 3.0, "burning")
                svg.text(
                    x(f.t[at] - facts.t0) + 7, y(f.h[at] / 1e3) + 12, f"burnout {t_plus(f.t[at] - facts.t0)}", "note"
                )
        if k == 0:
            top = int(f.h.argmax())
            at_x = x(f.t[top] - facts.t0)
            anchor = "end" if at_x > width - right - 20 else "middle"
            svg.text(at_x, y(f.h[top] / 1e3) + 16, f"{number(f.h[top] / 1e3)} km", "note", anchor)
    # what radars measured, as height over time: a cloud that shows the errors as they were
    for s in facts.sensors:
        if s.kind == "radar" and len(s.looks.t):
            cls = f"p{_index(facts, s.nation)}"
            d = "".join(
                f"M{num(x(t - facts.t0))} {num(y(h / 1e3))}h0"
                for t, h in list(zip(s.looks.t, s.looks.h, strict=True))[:: max(1, len(s.looks.t) // 400)]
                if 0.0 <= h / 1e3 <= top_km * 1.06 and facts.t0 <= t <= facts.t1
            )
            if d:
                svg.path(d, f"dots {cls}", f"detections of {s.name}, at the height it measured")
    at_y = rows_top
    for n, sensors in groups:
        cls = f"p{_index(facts, n.id)}"
        _nation_row(svg, facts, n, x, at_y, nation_h, cls, narrow)
        at_y += nation_h
        for s in sensors:
            _sensor_row(svg, facts, s, x, at_y, row_h, cls, narrow)
            at_y += row_h
        at_y += 8
    svg.add(
        f'<line class="now" x1="0" x2="0" y1="{num(plot_top)}" y2="{num(bottom)}" data-x0="{num(x.r0)}" '
        f'data-x1="{num(x.r1)}"/>'
    )
    svg.add(
        f'<rect class="pick" x="{num(x.r0)}" y="{num(plot_top)}" width="{num(x.r1 - x.r0)}" '
        f'height="{num(bottom - plot_top)}" '
        f'data-x0="{num(x.r0)}" data-x1="{num(x.r1)}"/>'
    )
    return svg


def _index(facts: Facts, nation: str) -> int:
    return next((i for i, n in enumerate(facts.nations) if n.id == nation), 0) % 6


def _nation_row(svg: Svg, facts: Facts, n: Nation, x: Scale, y: float, height: float, cls: str, narrow: bool) -> None:
    svg.line(x.r0 if narrow else 8.0, y + 1, x.r1, y + 1, "rule")
    if narrow:
        svg.text(x.r0, y + 14, n.name, f"nation ink {cls}")
    else:
        svg.text(x.r0 - 12, y + 18, n.name, f"nation ink {cls}", "end")
    mid = y + (25.0 if narrow else 14.0)
    for w in n.warnings:
        end = w.versions[-1].t
        svg.rect(
            x(w.versions[0].t - facts.t0),
            mid - 1.5,
            x(end - facts.t0) - x(w.versions[0].t - facts.t0),
            3.0,
            f"life {cls}",
        )
        ticks = "".join(f"M{num(x(v.t - facts.t0))} {num(mid - 4)}v8" for v in w.versions)
        svg.path(ticks, f"tick-marks {cls}", f"{len(w.versions)} versions of the warning")
    for m in marks(n):
        if facts.t0 <= m.t <= facts.t1:
            svg.mark(m.shape, x(m.t - facts.t0), mid, 5.0, cls, f"{n.name}: {m.word}, {t_plus(m.t - facts.t0)}")
    del height


def _sensor_row(svg: Svg, facts: Facts, s: Sensor, x: Scale, y: float, height: float, cls: str, narrow: bool) -> None:
    if narrow:
        svg.text(x.r0, y + 11, _cut(short(s.name), 44), "rowname")
        bar_y, bar_h = y + 15.0, 11.0
    else:
        svg.text(x.r0 - 12, y + height / 2 + 4, _cut(short(s.name), 29), "rowname", "end")
        bar_y, bar_h = y + 3.0, height - 6.0
    svg.line(x.r0, bar_y + bar_h, x.r1, bar_y + bar_h, "rail")
    count = max(len(s.views), 1)
    slice_h = bar_h / count
    for k, v in enumerate(s.views):
        for a, b, why in v.spans:
            if why in (ABOVE, SIDE, FAR):
                tip = f"{s.name}: {facts.flights[k].id} {why}, {t_plus(a - facts.t0)} to {t_plus(b - facts.t0)}"
                svg.rect(
                    x(a - facts.t0), bar_y + k * slice_h, x(b - facts.t0) - x(a - facts.t0), slice_h, "hidden", tip
                )
        for a, b in v.windows:
            tip = (
                f"{s.name} could look at {facts.flights[k].id} from {t_plus(a - facts.t0)} to "
                f"{t_plus(b - facts.t0)} ({span(b - a)})"
            )
            w = max(x(b - facts.t0) - x(a - facts.t0), 1.0)
            svg.rect(x(a - facts.t0), bar_y + k * slice_h, w, slice_h, f"window {cls}", tip)
        for a, b, why in v.gaps():
            wide = x(b - facts.t0) - x(a - facts.t0)
            if count == 1 and b - a >= 60.0 and wide > 7.0 * len(why):
                svg.text((x(a - facts.t0) + x(b - facts.t0)) / 2, bar_y + bar_h / 2 + 4, why, "note why", "middle")
    for a, b in s.silent:
        tip = f"{s.name} sent nothing from {t_plus(a - facts.t0)} to {t_plus(b - facts.t0)}"
        svg.rect(
            x(max(a, facts.t0) - facts.t0),
            bar_y,
            x(b - facts.t0) - x(max(a, facts.t0) - facts.t0),
            bar_h,
            "silent",
            tip,
        )
    unit = (x.d1 - x.d0) / (x.r1 - x.r0)
    true_t = [t for t, o in zip(s.looks.t, s.looks.object, strict=True) if o != -1 and facts.t0 <= t <= facts.t1]
    false_t = [t for t, o in zip(s.looks.t, s.looks.object, strict=True) if o == -1 and facts.t0 <= t <= facts.t1]
    if true_t:
        d = "".join(f"M{num(x(t - facts.t0))} {num(bar_y)}v{num(bar_h)}" for t in _apart(true_t, 2.6 * unit))
        svg.path(
            d,
            f"saw {cls}",
            f"{s.name}: {len(true_t)} detections, {t_plus(true_t[0] - facts.t0)} to {t_plus(true_t[-1] - facts.t0)}",
        )
    if false_t:
        d = "".join(f"M{num(x(t - facts.t0))} {num(bar_y + bar_h - 4)}v4" for t in _apart(false_t, unit))
        svg.path(d, "false", f"{s.name}: {len(false_t)} false detections")


def _cut(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _apart(times: list[float], step: float) -> list[float]:
    """Times at least a unit of the drawing apart: what would fall on one line is drawn once."""
    out: list[float] = []
    for t in times:
        if not out or t - out[-1] >= step:
            out.append(t)
    return out
