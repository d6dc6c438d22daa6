# ruff: noqa: D103 - what a row measures stands in its decorator
"""How long people take: drawn as the doctrine's spread says, once for each warning and step."""

from __future__ import annotations

import numpy as np

from tocsin.earth.draws import draw_spread
from tocsin.earth.random import stream_key
from validation.run import Book, Measured, between, near

book = Book("command", "Posts and their times", __doc__)
_N = 20_000


def _drawn() -> list[float]:
    return [
        draw_spread(60.0, 10.0, stream_key(seed, "japan/own/0", "command/takes/watch/confirm")) for seed in range(_N)
    ]


@book.row("mean of 60 ± 10 s", target=near(60.0, 4 * 10.0 / np.sqrt(_N)), unit="s", source="four standard errors")
def mean() -> Measured:
    return Measured(float(np.mean(_drawn())), note=f"{_N:,} warnings")


# the standard deviation of a standard normal cut at three is sqrt(1 - 6 phi(3) / (2 Phi(3) - 1)) = 0.98658
@book.row(
    "spread of 60 ± 10 s, cut at three", target=near(9.8658, 0.2), unit="s", source="closed form of the cut normal"
)
def spread() -> Measured:
    return Measured(float(np.std(_drawn())), note=f"{_N:,} warnings")


@book.row(
    "greatest distance from the nominal value", target=between(28.0, 30.0), unit="s", source="the cut at three spreads"
)
def cut() -> Measured:
    return Measured(float(np.max(np.abs(np.array(_drawn()) - 60.0))))
