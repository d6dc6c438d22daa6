"""Free flight of many objects: thin array forms of the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.dynamics.kernels import coast_to, fall
from tocsin.earth.jit import kernel


@dataclass(frozen=True)
class Impacts:
    """Where and when objects come down; one row an object.

    ``hit``: whether it comes down at all (else times are 0 and the rest NaN); ``t_ns``, ``apogee_t_ns``: scenario time;
    ``lat``, ``lon``: rad, on the ellipsoid; ``apogee``: m over it, the highest from the start on; ``speed``: m/s over
    the ground.
    """

    hit: NDArray[np.bool_]
    t_ns: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    apogee: NDArray[np.float64]
    apogee_t_ns: NDArray[np.int64]
    speed: NDArray[np.float64]


@kernel
def _coast_many(
    x: NDArray[np.float64], duration: NDArray[np.float64], beta: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    for i in range(x.shape[0]):
        coast_to(x[i], 0.0, duration[i], 0.0, beta[i], out[i])


@kernel
def _fall_many(
    x: NDArray[np.float64], t0: NDArray[np.float64], theta0: float, beta: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    for i in range(x.shape[0]):
        fall(x[i], t0[i], theta0, beta[i], out[i])


def _states(x: ArrayLike) -> NDArray[np.float64]:
    states = np.require(x, dtype=np.float64, requirements=["C", "W"])
    if states.ndim != 2 or states.shape[1] != 6:
        raise ValueError(f"expected states of shape (n, 6), found {states.shape}")
    for i in np.flatnonzero(~np.isfinite(states).all(axis=1))[:1]:
        raise ValueError(f"state {i} must be finite numbers, found {states[i].tolist()}")
    return states


def _spread(values: ArrayLike, n: int) -> NDArray[np.float64]:
    return np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), (n,)))


def _betas(values: ArrayLike, n: int) -> NDArray[np.float64]:
    beta = _spread(values, n)
    for i in np.flatnonzero(~np.isfinite(beta))[:1]:
        raise ValueError(f"beta of state {i} must be a finite number, found {beta[i]}")
    return beta


def propagate(
    x: ArrayLike, t0_ns: ArrayLike, t1_ns: ArrayLike, theta0: float, beta: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """States ``(n, 6)`` in eci at ``t1_ns`` of states at ``t0_ns`` (each one time or one a row), under gravity and
    drag.

    ``beta``: ballistic coefficient (kg/m2), one or one a row; none, zero or less: no drag. ``theta0`` is not used by
    the forces. Raises ValueError for states of another shape and, with its row, for what is no number.
    """
    states = _states(x)
    n = len(states)
    duration = _spread(np.subtract(np.asarray(t1_ns, dtype=np.int64), np.asarray(t0_ns, dtype=np.int64)) / 1e9, n)
    out = np.empty_like(states)
    _coast_many(states, duration, _betas(beta, n), out)
    return out


def impacts(x: ArrayLike, t0_ns: ArrayLike, theta0: float, beta: ArrayLike = 0.0) -> Impacts:
    """Where states ``(n, 6)`` in eci at ``t0_ns`` (one time or one a row) come down.

    ``theta0``: sidereal angle of the epoch (rad). Raises as ``propagate``.
    """
    states = _states(x)
    n = len(states)
    start = np.array(np.broadcast_to(np.asarray(t0_ns, dtype=np.int64), (n,)))
    out = np.empty((n, 7))
    _fall_many(states, start / 1e9, float(theta0), _betas(beta, n), out)
    hit = out[:, 0] > 0.0
    return Impacts(hit, _ns(out[:, 1], hit), out[:, 2], out[:, 3], out[:, 4], _ns(out[:, 5], hit), out[:, 6])


def _ns(seconds: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.rint(np.where(valid, seconds, 0.0) * 1e9).astype(np.int64)
