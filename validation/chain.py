# ruff: noqa: D103 - what a row measures stands in its decorator
"""The two flights that happened, from launch to decision, against what was published of them.

Class constants come from their sources (`src/tocsin/scenario/data/classes.yaml`) and are not tuned to either flight.
The published figures are given to the minute, or to the kilometre, by the pages that the scenario files name.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import tocsin
from validation.run import Book, Measured, at_most, between, near

book = Book("chain", "Two flights that happened", __doc__)


@cache
def _summary(name: str) -> dict[str, Any]:
    return tocsin.run(name, seed=1).summary


def _stage(name: str, matches: str) -> dict[str, Any]:
    return next(s for s in _summary(name)["stages"] if s["matches"] == matches)


def _event(name: str, partner: str) -> dict[str, Any]:
    found = next(p for p in _summary(name)["partners"] if p["id"] == partner)
    return next(e for e in found["events"] if e["object"] is not None)


@book.row("hokkaido-2017: apogee as solved", target=near(550.0, 1.0), unit="km", source="published, an input")
def hokkaido_apogee() -> Measured:
    return Measured(_summary("hokkaido-2017")["objects"][0]["apogee_km"])


@book.row("hokkaido-2017: range as solved", target=near(2700.0, 1.0), unit="km", source="published, an input")
def hokkaido_range() -> Measured:
    return Measured(_summary("hokkaido-2017")["objects"][0]["range_km"])


@book.row("hokkaido-2017: abeam Cape Erimo", target=near(540.0, 60.0), unit="s", source="published T+9 min")
def erimo() -> Measured:
    return Measured(_stage("hokkaido-2017", "abeam:cape-erimo")["simulated_s"], note="seed 1")


@book.row("hokkaido-2017: flight time", target=near(840.0, 60.0), unit="s", source="published 14 min")
def hokkaido_time() -> Measured:
    flown = _summary("hokkaido-2017")["objects"][0]["flight_time_s"]
    return Measured(flown, note="the published apogee, range and time do not go together; stated, not tuned")


@book.row("hokkaido-2017: Japan confirms", target=near(180.0, 60.0), unit="s", source="published T+3 min")
def confirm() -> Measured:
    return Measured(_stage("hokkaido-2017", "step:japan/confirm")["simulated_s"], note="hand-off times are notional")


@book.row("hokkaido-2017: public alert", target=near(240.0, 60.0), unit="s", source="published T+4 min")
def alert() -> Measured:
    return Measured(_stage("hokkaido-2017", "step:japan/alert")["simulated_s"], note="hand-off times are notional")


@book.row("black-brant-1995: apogee", target=near(1453.0, 0.02 * 1453.0), unit="km", source="published 1,453 km")
def brant_apogee() -> Measured:
    return Measured(_summary("black-brant-1995")["objects"][0]["apogee_km"])


@book.row("black-brant-1995: flight time", target=near(1440.0, 60.0), unit="s", source="published 24 min")
def brant_time() -> Measured:
    return Measured(_summary("black-brant-1995")["objects"][0]["flight_time_s"])


@book.row(
    "black-brant-1995: first detection",
    target=between(60.0, 180.0),
    unit="s",
    source="elevation limits and geometry: about T+2 min",
)
def brant_first() -> Measured:
    return Measured(_event("black-brant-1995", "russia")["first_detection_s"])


@book.row(
    "black-brant-1995: probability of impact in Russia under 1 % for good",
    target=at_most(480.0), unit="s", source="published: judged outside Russia some 5 to 8 minutes after detection",
)  # fmt: skip
def brant_excluded() -> Measured:
    areas = _event("black-brant-1995", "russia")["areas"]
    russia = next(a for a in areas if a["area"] == "european-russia")
    return Measured(russia["below_1_percent_s"], note=f"highest {russia['max_p_impact']:.1%}")
