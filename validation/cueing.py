# ruff: noqa: D103 - what a row measures stands in its decorator
"""What cueing buys: radars that look by their own returns alone beside the same radars when a centre may ask them.

The overflight of 2017, with Japan's radars given a search fence of 1 to 4 deg (notional: their real search is not
published), looks at what they hold every 2 s, and 20 ms of radar time for a look at the reference range. The United
States' satellites see the launch and Japan hears of it. First with all four radars, of which at least one has the
rising missile in its fence; then with the northernmost alone, which the missile reaches far above its fence.

Same seeds throughout; detections are those of the missile. All numbers hang on the notional budget: a radar that
searched its whole volume would need no cue.
"""

from __future__ import annotations

import statistics
from functools import cache

import numpy as np

from tocsin.api import engine_of
from tocsin.earth.clock import NS
from tocsin.records.columns import Columns, decode
from tocsin.records.record import unpack
from tocsin.scenario import Scenario
from validation.run import Book, Measured, at_least, at_most, proportion

book = Book("cueing", "Cueing", __doc__)

SEEDS = range(1, 6)
UNTIL = 600 * NS
FOUR = ("JP-FPS5-OMINATO", "JP-FPS5-SADO", "JP-FPS5-SHIMOKOSHIKI", "JP-FPS5-YOZADAKE")
ONE = FOUR[:1]


class _Played:
    """Japan's part of one run: times (s) of detections of the missile, tasks, and the bytes of what was sensed."""

    def __init__(self, radars: tuple[str, ...], scheduling: str, sharing: str, seed: int) -> None:
        values = {"fence_deg": [1, 4], "track_period_s": 2, "dwell_s": 0.02, "scheduling": scheduling}
        plain = Scenario.load("hokkaido-2017").with_("partners.japan.sensors", dict.fromkeys(radars, values))
        records = engine_of(plain.with_("sharing.mode", sharing), seed=seed).step(UNTIL)
        links = [decode(unpack(r.body, Columns)) for r in records if r.kind == "truth.links"]
        real = {(int(a["sensor"]), int(a["scan"]), int(a["n"])) for t in links for a in t if a["object"] >= 0}
        own = [r for r in records if r.source == "world:japan"]
        self.sensed = [bytes(r.body) for r in own]
        rows = [row for r in own if r.kind == "detections" for row in decode(unpack(r.body, Columns))]
        self.times = sorted(
            int(d["t_ns"]) / 1e9 for d in rows if (int(d["sensor"]), int(d["scan"]), int(d["n"])) in real
        )
        self.tasks = [r.t_ns / 1e9 for r in records if r.kind == "sensor.task"]
        self.refused = sum(r.kind == "task.refused" for r in records)


@cache
def _played(radars: tuple[str, ...], scheduling: str, sharing: str, seed: int) -> _Played:
    return _Played(radars, scheduling, sharing, seed)


def _all(radars: tuple[str, ...], scheduling: str) -> list[_Played]:
    return [_played(radars, scheduling, "warnings", seed) for seed in SEEDS]


@book.row(
    "four radars: share of five seeds in which the cued ones detect the missile more often, and no later at first",
    target=at_least(1.0), source="local against cued, same seed",
)  # fmt: skip
def four() -> Measured:
    pairs = list(zip(_all(FOUR, "local"), _all(FOUR, "cued"), strict=True))
    better = sum(len(b.times) > len(a.times) and b.times[:1] <= a.times[:1] for a, b in pairs)
    looks = [statistics.median(len(p[k].times) for p in pairs) for k in (0, 1)]
    last = [statistics.median(p[k].times[-1] for p in pairs) for k in (0, 1)]
    said = f"median detections in ten minutes {looks[0]:g} and {looks[1]:g}, "
    return proportion(better, len(pairs), said + f"the last at {last[0]:.0f} and {last[1]:.0f} s")


@book.row("one radar, local: detections of the missile", target=at_most(0), source="it passes above the fence")
def one_local() -> Measured:
    return Measured(max(len(p.times) for p in _all(ONE, "local")), note="the most of five seeds")


@book.row(
    "one radar, cued by the partner's word: share of five seeds in which it finds the missile", target=at_least(1.0),
    source="first asked when the partner's warning has an impact estimate",
)  # fmt: skip
def one_cued() -> Measured:
    runs = _all(ONE, "cued")
    firsts = [p.times[0] for p in runs if p.times]
    said = f"asked from {statistics.median(p.tasks[0] for p in runs):.0f} s, first detection at "
    said += f"{statistics.median(firsts):.0f} s ({min(firsts):.0f} to {max(firsts):.0f}), "
    said += f"{statistics.median(len(p.times) for p in runs):g} detections by 600 s (medians)"
    return proportion(len(firsts), len(runs), said)


@book.row(
    "cued looks before anybody asked for them, and tasks refused", target=at_most(0), source="the order of frames"
)
def causal() -> Measured:
    runs = _all(ONE, "cued")
    early = sum(t < p.tasks[0] for p in runs for t in p.times)
    return Measured(early + sum(p.refused for p in runs), note="one radar, five seeds")


@book.row(
    "local scheduling: frames whose scans or detections differ between sharing nothing and sharing warnings",
    target=at_most(0), source="bytes of what is sensed, four radars, two seeds",
)  # fmt: skip
def local_alike() -> Measured:
    differ = 0
    for seed in (1, 2):
        a, b = (_played(FOUR, "local", sharing, seed).sensed for sharing in ("none", "warnings"))
        differ += abs(len(a) - len(b)) + int(np.sum([x != y for x, y in zip(a, b, strict=False)]))
    return Measured(differ)
