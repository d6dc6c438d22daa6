"""How long an updated warning takes once the last detection is in."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from benchmarks.run import row
from tocsin.api import engine_of
from tocsin.earth.clock import NS
from tocsin.scenario import Scenario
from tocsin.scenario.specs import Credence
from tocsin.warning.credence import Said, believe


@cache
def _spent() -> dict[str, list[float]]:
    """CPU ms of each warning step of `hokkaido-2017` that made a version, by nation, over the first seven minutes."""
    engine = engine_of(Scenario.load("hokkaido-2017"), recording="none")
    spent: dict[str, list[float]] = {}
    for name, nation in engine._nations.items():
        warner = nation._warners["own"]
        spent[name] = []

        def timed(*given: Any, inner: Any = warner.step, kept: list[float] = spent[name]) -> Any:
            began = time.process_time()
            made = inner(*given)
            if made:
                kept.append(1e3 * (time.process_time() - began))
            return made

        warner.step = timed  # type: ignore[method-assign]
    engine.step(420 * NS)
    return {name: values[1:] for name, values in spent.items()}  # the first makes the classes' tables


@row("warning-radar", "detections to updated warning, one object, radars and a partner", unit="ms", target=50.0, runs=1,
     warmups=1)  # fmt: skip
def with_radars() -> list[float]:
    return _spent()["japan"]


@row("warning-infrared", "detections to updated warning, one object, two satellites and radars", unit="ms", target=50.0,
     runs=1, warmups=1)  # fmt: skip
def with_satellites() -> list[float]:
    return _spent()["united-states"]


@row("credence", "what to believe of one event with 34 sensors", unit="ms", target=5.0)
def credence() -> float:
    said = [
        Said(f"s{k}", "infrared" if k < 4 else "radar", ("agrees", "disagrees", "not_yet")[k % 3], "", -0.1 * (k % 3))
        for k in range(34)
    ]
    began = time.process_time()
    for _ in range(10):
        believe(said, Credence(), 0.99)
    return 100.0 * (time.process_time() - began)
