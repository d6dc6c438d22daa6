"""What the command line shows: clean texts, progress on stderr, the table that ends a run.

Rich is imported when first needed: a help page must not wait for it.
"""

from __future__ import annotations

import re
import sys
import time
import unicodedata
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.table import Table
    from rich.text import Text

WIDE = 100  # columns from which warning times stand in the table itself
_MOST_ROWS = 40
_QUIET_S = 0.7  # nothing is shown of what is done sooner
_PLAIN_EVERY_S = 10.0  # between lines where stderr is no terminal


_UNFIT = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]")


def clean(text: str) -> str:
    """A text on one line without control characters, escape sequences and marks that turn the writing round."""
    text = _ESCAPE.sub("", text)
    return "".join(" " if c in "\t\r\n" else c for c in text if c in "\t\r\n" or unicodedata.category(c) not in _UNFIT)


def clean_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(clean(line) for line in text.splitlines())


def say(message: str) -> None:
    """A message to the person at the terminal, on stderr."""
    print(f"tocsin: {clean_lines(message)}", file=sys.stderr)


def clock(seconds: float | None) -> str:
    """``3:05`` (min:s), to the second; a dash for None."""
    if seconds is None:
        return "-"
    whole = round(abs(seconds))
    return f"{'-' if seconds < 0 and whole else ''}{whole // 60}:{whole % 60:02d}"


def span(seconds: float | None) -> str:
    """``9 min 05 s``; a dash for None; "too late by ..." where it is negative."""
    if seconds is None:
        return "-"
    whole = round(abs(seconds))
    text = f"{whole // 60} min {whole % 60:02d} s"
    return f"too late by {text}" if seconds < 0 and whole else text


class Progress:
    """How far something is, on stderr: a bar on a terminal, a line now and then elsewhere.

    Nothing is shown for what takes under a second.
    """

    def __init__(self, what: str) -> None:
        self._what = clean(what)
        self._began = time.monotonic()
        self._said = self._began
        self._bar: RichProgress | None = None
        self._task: Any = None
        self._done = 0.0
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def tell(self, fraction: float) -> None:
        """Say that this share (0 to 1) is done."""
        self._done = min(1.0, max(0.0, fraction))
        self._show(self._what)

    def doing(self, what: str) -> None:
        """Say what is being done now."""
        self._what = clean(what)
        self._show(self._what)

    def compiling(self, name: str, count: int) -> None:
        """Say that a kernel is being compiled; fits ``earth.jit.on_compile``."""
        from tocsin.earth.jit import kernel_count

        self._show(f"compiling kernels (once) {count}/{max(count, kernel_count())}", at_once=count == 1)

    def _show(self, text: str, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._began < _QUIET_S:
            return
        if not self._terminal:
            if at_once or now - self._said >= _PLAIN_EVERY_S:
                self._said = now
                print(f"tocsin: {text}, {self._done:.0%} done", file=sys.stderr, flush=True)
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(text, total=1.0)
            self._bar.start()
        self._bar.update(self._task, description=text, completed=self._done)


def console() -> Console:
    """Rich's console on stdout: no markup, no emoji, colours only on a terminal and without ``NO_COLOR``."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, soft_wrap=False)


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(clean(text), style=style)


def _lines(texts: list[str]) -> Text:
    from rich.text import Text

    return Text("\n".join(clean(text) for text in texts))


def _grid() -> Table:
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))


def warned_when(summary: Mapping[str, Any], width: int) -> Table:
    """Who was warned when: a row for each warning of each partner. On ``WIDE`` screens with the warning times."""
    objects = [o["id"] for o in summary["objects"]]
    events = [(p, e) for p in summary["partners"] for e in p["events"]]
    name_object = len(objects) != 1 or any(e["object"] is None for _, e in events)
    table = _grid()
    names = {p["id"]: p["name"] for p in summary["partners"]}
    table.add_column("partner", overflow="fold")
    if name_object:
        table.add_column("object", overflow="fold")
    for name in ("detected", "track", "warning", "confirmed", "alert"):
        table.add_column(name, justify="right", no_wrap=True)
    if width >= WIDE:
        table.add_column("warning time", overflow="fold")
    table.add_column("source", overflow="fold")
    for partner, event in events[:_MOST_ROWS]:
        cells = [_text(partner["name"])]
        if name_object:
            cells.append(_text(event["object"] or "(false)"))
        cells += [
            _text(clock(event[key]), "bold" if key == "warning_s" else "")
            for key in ("first_detection_s", "track_confirmed_s", "warning_s", "confirm_s", "alert_s")
        ]
        if width >= WIDE:
            cells.append(_lines([f"{area} {clock(t)}" for area, t in event["warning_time_s"].items()] or ["-"]))
        cells.append(_text(names.get(event["source"], event["source"])))
        table.add_row(*cells)
    for partner in summary["partners"]:
        if not partner["events"]:
            table.add_row(_text(partner["name"]), _text("no warning"))
    return table


def _stages(summary: Mapping[str, Any]) -> Table:
    table = _grid()
    table.add_column("stage", overflow="fold")
    for name in ("published", "simulated", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in summary["stages"]:
        off = stage["difference_s"]
        table.add_row(
            _text(stage["event"]),
            _text(clock(stage["published_s"])),
            _text(clock(stage["simulated_s"])),
            _text("-" if off is None else f"{off:+.0f} s"),
        )
    return table


def show_run(summary: Mapping[str, Any], folder: str) -> None:
    """The end of a run: flights, who was warned when, warning times, published stages, where the report is."""
    out = console()
    width = out.width
    out.print(_text(f"EXERCISE: {summary['title']}, seed {summary['seed']}", "bold"))
    for o in summary["objects"][:_MOST_ROWS]:
        down = "does not come down"
        if o["range_km"] is not None:
            down = f"range {o['range_km']:.0f} km, flight time {span(o['flight_time_s'])}"
        of = f" ({o['class']})" if o["class"] else ""
        out.print(_text(f"{o['id']}{of}: apogee {o['apogee_km']:.0f} km, {down}"))
    out.print()
    out.print(_text("Who was warned when (min:s after launch)", "bold"))
    out.print(warned_when(summary, width))
    _notes(out, summary, width)
    if summary["stages"]:
        out.print()
        out.print(_text("Published beside simulated (min:s after launch; nothing is tuned to it)", "bold"))
        out.print(_stages(summary))
    out.print()
    # the path on a line of its own, never broken: it is to be copied
    out.print(_text(f"report: {folder}/report.html"), soft_wrap=True)


def _notes(out: Console, summary: Mapping[str, Any], width: int) -> None:
    """What the table has no room for."""
    events = [(p, e) for p in summary["partners"] for e in p["events"]]

    def who(partner: Mapping[str, Any], event: Mapping[str, Any]) -> str:
        """A partner, and of which of its warnings this is said where it has several of real objects."""
        several = sum(e["object"] is not None for e in partner["events"]) > 1
        return f"{partner['name']}, {event['object'] or '(false)'}" if several else str(partner["name"])

    if any(e["object"] is None for _, e in events):
        out.print(
            _text("(false): a warning of nothing that was launched; its times count from the start of the scenario")
        )
    if len(events) > _MOST_ROWS:
        out.print(_text(f"... and {len(events) - _MOST_ROWS} more warnings; all are in the report"))
    if width < WIDE:
        for partner, event in events[:_MOST_ROWS]:
            for area, seconds in event["warning_time_s"].items():
                if seconds is not None:
                    until = "from the warning to impact or passage"
                    out.print(_text(f"{who(partner, event)}, {area}: {span(seconds)} {until}"))
    for partner, event in events[:_MOST_ROWS]:
        if event["decisions"]:
            steps = ", ".join(f"{d['step']} {clock(d['t_s'])}" for d in event["decisions"])
            out.print(_text(f"{who(partner, event)}, steps done: {steps}"))
    for partner in summary["partners"]:
        if partner["missed"]:
            out.print(_text(f"{partner['name']} had no confirmed warning of {', '.join(partner['missed'][:10])}"))


_PARTS = {
    "time": "the time as printed",
    "apogee": "the apogee as printed",
    "range": "the range as printed",
    "class": "the spread of the class",
    "thrust": "thrust that lasts a third longer or shorter",
    "where": "site or azimuth not given",
}


def _check_words(data: Mapping[str, Any]) -> list[str]:
    """The answer, a line each."""
    given = data["given"]
    if data["error_s"] is not None:
        return [
            "They go together" if data["consistent"] else "They do not go together",
            f"  modelled   {clock(data['flight_time_s'])} ({data['class']})",
            f"  published  {clock(given['flight_time_s']['value'])}",
            f"  difference {data['error_s']:+.0f} s, {data['error_percent']:+.1f} %",
            f"  tolerance  {data['tolerance_s']:.0f} s, {data['tolerance_percent']:.1f} %",
        ]
    if data["tolerance_s"] is not None:
        time, give = clock(data["flight_time_s"]), f"give or take {data['tolerance_s']:.0f} s"
        return [f"They imply a flight time of {time} ({data['class']}), {give}"]
    name, key = ("an apogee", "apogees_km") if given["range_km"] else ("a range", "ranges_km")
    implied = data["implied"]["by_range_and_time" if given["range_km"] else "by_apogee_and_time"]
    values = " or ".join(f"{x:,.0f} km" for x in implied[key])
    return [f"They imply {name} of {values} ({data['class']})"]


def _check_table(data: Mapping[str, Any]) -> Table:
    table = _grid()
    table.add_column("class", overflow="fold")
    columns = {
        "thrust_ends_s": "thrust ends",
        "flight_time_s": "flight time",
        "error_percent": "difference",
        "apogees_km": "apogee",
        "ranges_km": "range",
    }
    shown = [key for key in columns if key in data["classes"][0]]
    for key in shown:
        table.add_column(columns[key], justify="right", no_wrap=True)
    for one in data["classes"][:_MOST_ROWS]:
        cells = [_text(one["class"])]
        for key in shown:
            value = one[key]
            if key.endswith("_s"):
                cells.append(_text(clock(value)))
            elif key == "error_percent":
                cells.append(_text(f"{value:+.1f} %"))
            else:
                cells.append(_text(" or ".join(f"{x:,.0f} km" for x in value)))
        table.add_row(*cells)
    return table


def _pair_lines(data: Mapping[str, Any]) -> list[str]:
    """What each pair of three figures implies for the class that is judged."""
    implied = data["implied"]
    lines = [f"apogee and range: flight time {clock(data['flight_time_s'])}"]
    # of a lofted flight, time and apogee say next to nothing about the range
    steps = data["sensitivity"]
    hardly = 30.0 * abs(steps["s_per_percent_of_range"]) < data["tolerance_s"]
    for key, name, words, loose in (
        ("by_range_and_time", "apogees_km", "range and time: apogee", False),
        ("by_apogee_and_time", "ranges_km", "apogee and time: range", hardly),
    ):
        found = implied[key]
        between = found["flight_time_s_between"]
        times = f"it can take {clock(between[0])} to {clock(between[1])}" if between else "it cannot be flown"
        values = " or ".join(f"{x:,.0f} km" for x in found[name])
        said = f"{words} {values}" if values else f"{words} none ({times})"
        lines.append(said + (", which they hardly fix" if loose and values else ""))
    asked = implied["by_all_three"]["thrust_ends_s"]
    now = next(one["thrust_ends_s"] for one in data["classes"] if one["class"] == data["class"])
    if asked is None:
        lines.append(f"all three: none, with thrust to half or twice the {clock(now)} of the class or between")
    else:
        lines.append(f"all three: thrust to {clock(asked)}, where the class has it to {clock(now)}")
    lines.append(
        f"a per cent of apogee changes the time by {steps['s_per_percent_of_apogee']:.1f} s, a per cent of range by"
        f" {steps['s_per_percent_of_range']:.1f} s"
    )
    return lines


def show_check(data: Mapping[str, Any]) -> None:
    """What ``truth.consistency`` says of published figures (its plain data): answer, classes, pairs, tolerance."""
    out = console()
    out.print(_text("EXERCISE: a model of generic classes, nothing measured (times min:s)", "bold"))
    given = data["given"]
    words = {"apogee_km": "apogee {} km", "range_km": "range {} km", "flight_time_s": "flight time {}"}
    shown = ", ".join(text.format(given[key]["as_printed"]) for key, text in words.items() if given[key])
    site, azimuth = data["site"], data["azimuth"]
    place = f"{site['lat_deg']:.4g}, {site['lon_deg']:.5g}" if site["given"] else f"{site['lat_deg']:g} N (assumed)"
    towards = f"{azimuth['deg']:g} deg" + ("" if azimuth["given"] else " (assumed)")
    out.print(_text(f"Published: {shown}"))
    out.print(_text(f"Flown from {place} towards {towards}"))
    out.print()
    first, *others = _check_words(data)
    out.print(_text(first, "bold"))
    for line in others:
        out.print(_text(line))
    out.print()
    if not data["class_given"]:
        out.print(_text("Class not given: these ballistic classes can fly it"))
    out.print(_check_table(data))
    if data["implied"]["by_all_three"]:
        out.print()
        out.print(_text(f"What each pair implies ({data['class']})", "bold"))
        for line in _pair_lines(data):
            out.print(_text(f"  {line}"))
    parts = [f"{_PARTS[name]} {s:.1f}" for name, s in data["standard_uncertainties_s"].items() if s >= 0.05]
    if parts:
        out.print()
        out.print(_text("Tolerance: twice the root of the sum of squares of, in s"))
        for part in parts:
            out.print(_text(f"  {part}"))
