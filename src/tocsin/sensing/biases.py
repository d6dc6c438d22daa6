"""Systematic errors of sensors: constant ones, and ones that wander slowly.

What wanders is a Gauss-Markov process of unit variance and correlation exp(-|dt| / tau), made from independent normal
numbers on a grid of tau / 16: each grid time's value is the sum of the numbers up to it, fading by exp(-1 / 16) a step
(what is older than 16 tau is left out: 1e-7 of the amplitude), and between grid times the value is linear, scaled to
keep its variance. So the value at a time follows from the key and that time alone: neither frames nor snapshots nor
other sensors change it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_ns
from tocsin.earth.jit import kernel
from tocsin.earth.random import normal, stream_key
from tocsin.scenario.specs import Bias

STEPS = 16  # grid steps in one correlation time
_DEEP = 16 * STEPS
_FADE = math.exp(-1.0 / STEPS)
_FRESH = math.sqrt(1.0 - _FADE * _FADE)


@kernel
def _on_grid(key: np.uint64, slot: np.int64, n: np.int64) -> float:
    """Value of the process at grid time ``n``."""
    total = 0.0
    for k in range(_DEEP, -1, -1):
        total = total * _FADE + normal(key, n - np.int64(k), slot, np.int64(0))
    return total * _FRESH


@kernel
def gauss_markov(key: np.uint64, slot: np.int64, t_ns: np.int64, step_ns: np.int64) -> float:
    """Value at ``t_ns`` (any sign) of the process ``slot`` of ``key`` with grid steps of ``step_ns``: mean 0, variance
    1.
    """
    n = t_ns // step_ns
    f = (t_ns - n * step_ns) / step_ns
    value = (1.0 - f) * _on_grid(key, slot, n) + f * _on_grid(key, slot, n + np.int64(1))
    return value / math.sqrt((1.0 - f) * (1.0 - f) + f * f + 2.0 * f * (1.0 - f) * _FADE)


@kernel
def _wander(
    keys: NDArray[np.uint64],
    slow: NDArray[np.float64],
    step_ns: NDArray[np.int64],
    t_ns: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    for i in range(t_ns.shape[0]):
        for c in range(slow.shape[1]):
            if slow[i, c] > 0.0:
                out[i, c] += slow[i, c] * gauss_markov(keys[i], np.int64(c), t_ns[i], step_ns[i])


class Biases:
    """The systematic errors of sensors ``ids`` (m) with ``models`` (m) under a scenario's ``seed``.

    Raises ValueError for a bias that wanders with a correlation time that is not positive, or by less than nothing.
    """

    def __init__(self, ids: Sequence[str], models: Sequence[Bias], seed: int) -> None:
        for name, model in zip(ids, models, strict=True):
            if not all(math.isfinite(v) for v in (*model.constant, *model.slow, model.tau)):
                raise ValueError(f"{name}: a bias that is not a finite number: {model}")
            if min(model.slow) < 0.0:
                raise ValueError(f"{name}: a bias that wanders by {min(model.slow)}; 0 or more is allowed")
            if max(model.slow) > 0.0 and to_ns(model.tau) < STEPS:
                raise ValueError(f"{name}: a bias with a correlation time of {model.tau} s; more than 0 is allowed")
        m = len(models)
        self._constant = np.array([b.constant for b in models], dtype=np.float64).reshape(m, 4)
        self._slow = np.array([b.slow for b in models], dtype=np.float64).reshape(m, 4)
        self._step = np.array([max(to_ns(b.tau) // STEPS, 1) for b in models], dtype=np.int64)
        self._keys = np.array([stream_key(seed, f"sensor:{name}", "bias") for name in ids], dtype=np.uint64)
        self._wanders = bool((self._slow > 0.0).any())

    def at(self, which: NDArray[np.int64], t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Systematic errors (k, 4), in the units and order of ``Bias``, of the sensors ``which (k,)`` at ``t_ns
        (k,)``.
        """
        out = self._constant[which]
        if self._wanders:
            _wander(self._keys[which], self._slow[which], self._step[which], np.ascontiguousarray(t_ns), out)
        return out
