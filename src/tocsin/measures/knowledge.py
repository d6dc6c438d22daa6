"""Two questions to a run: what did a nation have at a time, and what does a warning rest on?

Both are answered from the tables of a run folder alone, so they work on a run from last year as on one just made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tocsin.records.arrow import scalar

Row = dict[str, Any]
_TIME = re.compile(r"^T\+(?:(\d+(?:\.\d+)?)\s*min)?\s*(?:(\d+(?:\.\d+)?)\s*s)?$|^T\+(\d+):(\d{2})$")


def parse_moment(text: str | float, unix_ns: int) -> float:
    """Seconds since the epoch of "T+4min", "T+3min 20s", "T+90s", "T+03:20", an ISO time with Z, or a number of
    seconds.

    Raises ValueError with what is allowed.
    """
    if isinstance(text, int | float):
        return float(text)
    match = _TIME.match(text.strip())
    if match and any(match.groups()):
        minutes, seconds, mm, ss = match.groups()
        if mm is not None:
            return int(mm) * 60.0 + int(ss)
        return float(minutes or 0) * 60.0 + float(seconds or 0)
    if text.strip().endswith("Z"):
        from tocsin.earth.clock import parse_utc

        return (parse_utc(text.strip()) - unix_ns) / 1e9
    raise ValueError(f"{text!r} is no time; write T+4min, T+3min 20s, T+03:20, 2017-08-28T21:02:00Z or seconds")


def _where(table: pa.Table, **equal: Any) -> pa.Table:
    mask = None
    for name, value in equal.items():
        one = pc.equal(table[name], scalar(value))
        mask = one if mask is None else pc.and_(mask, one)
    return table if mask is None else table.filter(mask)


@dataclass(frozen=True)
class Knowledge:
    """What ``nation`` had at ``t_s``: the newest version of each open warning with its estimates and risks, live
    tracks, messages received, decisions made. Each entry is a row of the table it comes from."""

    nation: str
    t_s: float
    warnings: list[Row]
    tracks: list[Row]
    messages: list[Row]
    decisions: list[Row]

    def __str__(self) -> str:
        lines = [f"EXERCISE: what {self.nation} had at T+{self.t_s:.0f} s"]
        for w in self.warnings:
            types = sorted(json.loads(w["types"] or "{}").items(), key=lambda kv: -kv[1])[:1]
            kind = f", {types[0][0]} {types[0][1]:.0%}" if types else ""
            state = "confirmed" if w["confirmed"] else w["status"]
            lines.append(
                f"  warning {w['warning']} version {w['version']}: {state}, confidence {w['confidence']}{kind}"
            )
            lines.extend(
                f"    {r['area']}: impact {r['p_impact']:.2%}, passage {r['p_passage']:.0%}" for r in w["risks"]
            )
        lines.append(f"  {len(self.tracks)} track(s), {len(self.messages)} message(s) received")
        lines.extend(
            f"  decided at T+{d['t_s']:.0f} s by {d['post']}: {d['action']} ({d['step']})" for d in self.decisions
        )
        return "\n".join(lines)


def knew(tables: Mapping[str, pa.Table], nation: str, t_s: float) -> Knowledge:
    """What ``nation`` had at ``t_s`` (seconds since the epoch), from its own records only."""

    def past(name: str, **equal: Any) -> pa.Table:
        table = _where(tables[name], **equal)
        return table.filter(pc.less_equal(table["t_s"], scalar(t_s)))

    newest: dict[str, Row] = {}
    for row in past("warnings", nation=nation, label="own").to_pylist():
        newest[row["warning"]] = row
    warnings = [dict(row) for row in newest.values() if row["status"] not in ("cancelled", "closed")]
    for row in warnings:
        key = {"warning": row["warning"], "version": row["version"]}
        row["estimates"] = _where(tables["estimates"], **key).to_pylist()
        row["risks"] = _where(tables["risks"], **key).to_pylist()
        row["evidence"] = _where(tables["evidence"], **key).to_pylist()
    tracks: dict[int, Row] = {}
    for row in past("tracks", nation=nation, label="own").to_pylist():
        tracks[row["track"]] = row
    live = [row for row in tracks.values() if row["life"] != "ended"]
    messages = _where(tables["messages"], recipient=nation, outcome="received")
    messages = messages.filter(pc.less_equal(messages["arrive_s"], scalar(t_s)))
    return Knowledge(nation, t_s, warnings, live, messages.to_pylist(), past("decisions", nation=nation).to_pylist())


@dataclass(frozen=True)
class Step:
    """One link of an explanation: at ``t_s``, ``what`` happened, with the rows behind it and the steps under it."""

    t_s: float
    what: str
    rows: list[Row] = field(default_factory=list)
    under: list[Step] = field(default_factory=list)

    def lines(self, depth: int = 0) -> list[str]:
        """The step and all under it as indented text."""
        made = [f"{'  ' * depth}T+{self.t_s:.1f} s  {self.what}"]
        for step in self.under:
            made.extend(step.lines(depth + 1))
        return made

    def __str__(self) -> str:
        return "\n".join(["EXERCISE", *self.lines()])


def explain(tables: Mapping[str, pa.Table], warning: str, version: int | None = None) -> Step:
    """The chain behind a version of a warning (the newest if None) back to the scans, over borders where it crosses
    them.

    Raises KeyError for a warning or version that the run does not have.
    """
    rows = _where(tables["warnings"], warning=warning).to_pylist()
    if not rows:
        known = pc.unique(tables["warnings"]["warning"]).to_pylist()
        raise KeyError(f"no warning {warning!r}; this run has: {', '.join(known) or 'none'}")
    found = rows[-1] if version is None else next((r for r in rows if r["version"] == version), None)
    if found is None:
        raise KeyError(f"{warning} has versions 0 to {rows[-1]['version']}, not {version}")
    under: list[Step] = []
    if found["track"] is not None:
        under.append(_track_step(tables, found))
    if found["partner"]:
        under.append(_partner_step(tables, found))
    return Step(
        found["t_s"], f"{warning} version {found['version']}: {found['status']} ({found['cause']})", [found], under
    )


def _track_step(tables: Mapping[str, pa.Table], warning: Row) -> Step:
    nation, label, track, t_s = warning["nation"], warning["label"], warning["track"], warning["t_s"]
    pairs = _where(tables["associations"], nation=nation, label=label, track=track).to_pylist()
    wanted = {(p["sensor"], p["scan"], p["n"]) for p in pairs}
    detections = [
        d
        for d in _where(tables["detections"], nation=nation).to_pylist()
        if (d["sensor"], d["scan"], d["n"]) in wanted and d["arrive_s"] <= t_s
    ]
    by_sensor: dict[str, list[Row]] = {}
    for d in detections:
        by_sensor.setdefault(d["sensor"], []).append(d)
    under = []
    for sensor, found in by_sensor.items():
        ids = {d["scan"] for d in found}
        scans = [s for s in _where(tables["scans"], sensor=sensor).to_pylist() if s["scan"] in ids]
        span = f"from T+{found[0]['t_s']:.1f} to T+{found[-1]['t_s']:.1f} s"
        what = f"{sensor}: {len(found)} detection(s) {span} in {len(scans)} scan(s)"
        under.append(
            Step(found[0]["t_s"], what, found, [Step(s["t0_s"], f"scan {s['scan']} of {sensor}", [s]) for s in scans])
        )
    first = min((d["t_s"] for d in detections), default=t_s)
    return Step(first, f"track {track} of {nation} ({label}), {len(detections)} detection(s)", [], under)


def _partner_step(tables: Mapping[str, pa.Table], warning: Row) -> Step:
    messages = _where(
        tables["messages"], recipient=warning["nation"], warning=warning["partner"], outcome="received"
    ).to_pylist()
    here = [m for m in messages if m["arrive_s"] <= warning["t_s"]]
    if not here:
        return Step(warning["t_s"], f"partner's {warning['partner']}", [])
    last = here[-1]
    deeper = explain(tables, warning["partner"], last["version"])
    return Step(
        last["arrive_s"],
        f"message {last['n']} from {last['sender']}, sent at T+{last['sent_s']:.0f} s",
        [last],
        [deeper],
    )
