"""Draws of uncertain parameters."""

from __future__ import annotations

from tocsin.earth.random import draw_normal

_TRIES = 64  # beyond three standard deviations lie 0.27 %: 64 misses in a row do not happen


def draw_spread(nominal: float, spread: float, key: int, t_ns: int = 0, slot: int = 0) -> float:
    """One draw of (key, time, slot): normal about ``nominal`` with standard deviation ``spread``, cut at three of
    them.
    """
    if spread == 0.0:
        return nominal
    for index in range(_TRIES):
        z = draw_normal(key, t_ns, slot, index)
        if abs(z) <= 3.0:
            return nominal + spread * z
    return nominal
