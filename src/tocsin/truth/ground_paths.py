"""Ephemeris nodes of paths that are given over the ground (a flight plan, a recording) and not integrated.

A path is made of pieces, each a smooth function of time that goes on smoothly beyond its ends. Velocity and
acceleration are five-point differences of that function, in ecef and then turned to eci by the exact rules, so that a
path needs to say nothing but where it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.frames import OMEGA_GMST

TOLERANCE_M = 0.01  # between nodes against the path itself (a metre is asked)
_ROUNDS = 40  # halvings of a piece

Array = NDArray[np.float64]
Position = Callable[[NDArray[np.int64], Array], Array]


def ground_nodes(
    breaks: Array, delta: Array, position: Position, theta: float, tolerance: float = TOLERANCE_M
) -> NDArray[np.float64]:
    """Nodes ``(m, 10)`` (time, state, acceleration in eci) that follow a path within ``tolerance`` (m).

    ``breaks (k + 1,)``: rising times (s) between which the k pieces lie; ``delta (k,)``: step (s) of the differences on
    each; ``position(piece (n,), t (n,))``: ecef (m) of each piece at any time near it; ``theta``: sidereal angle (rad)
    at time zero. Each piece begins and ends with a node, so every break but the ends has two. Raises ValueError where
    the breaks do not rise or a piece gives no finite position.
    """
    if breaks.ndim != 1 or len(breaks) < 2 or not np.all(np.diff(breaks) > 0.0):
        raise ValueError("a path needs two or more times, each later than the one before")
    piece = np.arange(len(breaks) - 1, dtype=np.int64)
    begin, end = np.array(breaks[:-1]), np.array(breaks[1:])
    first = _nodes_at(piece, begin, delta, position, theta)
    last = _nodes_at(piece, end, delta, position, theta)
    if not (np.all(np.isfinite(first)) and np.all(np.isfinite(last))):
        raise ValueError("the path has no finite position at one of its times")
    done: list[tuple[NDArray[np.int64], Array, Array]] = []  # piece and both nodes of each interval
    for _ in range(_ROUNDS):
        bad = _gap(piece, first, last, position, theta) > tolerance
        done.append((piece[~bad], first[~bad], last[~bad]))
        if not bad.any():
            break
        piece, first, last = piece[bad], first[bad], last[bad]
        middle = _nodes_at(piece, 0.5 * (first[:, 0] + last[:, 0]), delta, position, theta)
        piece = np.concatenate([piece, piece])
        first, last = np.concatenate([first, middle]), np.concatenate([middle, last])
    else:
        raise ValueError(f"the path bends too sharply for an ephemeris near {first[0, 0]:.3f} s")
    piece = np.concatenate([d[0] for d in done])
    first = np.concatenate([d[1] for d in done])
    last = np.concatenate([d[2] for d in done])
    order = np.lexsort((first[:, 0], piece))
    piece, first, last = piece[order], first[order], last[order]
    fresh = np.concatenate([[True], np.diff(piece) > 0])
    out = np.empty((len(piece) + int(fresh.sum()), 10))
    at = np.arange(len(piece)) + np.cumsum(fresh)  # where each interval's last node goes
    out[at] = last
    out[at[fresh] - 1] = first[fresh]
    return out


def _nodes_at(piece: NDArray[np.int64], t: Array, delta: Array, position: Position, theta: float) -> Array:
    """Nodes ``(n, 10)`` of the pieces at their times."""
    d = delta[piece]
    p = [position(piece, t + k * d) for k in (-2, -1, 0, 1, 2)]
    step = d[:, None]
    x = p[2]
    # sums of differences, so that the size of the coordinates costs as few digits as may be
    v = (8.0 * (p[3] - p[1]) - (p[4] - p[0])) / (12.0 * step)
    a = (16.0 * ((p[3] - x) + (p[1] - x)) - ((p[4] - x) + (p[0] - x))) / (12.0 * step * step)
    w = OMEGA_GMST
    vi = np.column_stack([v[:, 0] - w * x[:, 1], v[:, 1] + w * x[:, 0], v[:, 2]])
    ai = np.column_stack([
        a[:, 0] - 2.0 * w * v[:, 1] - w * w * x[:, 0],
        a[:, 1] + 2.0 * w * v[:, 0] - w * w * x[:, 1],
        a[:, 2],
    ])  # fmt: skip
    angle = theta + w * t
    return np.column_stack([t, _turned(x, angle), _turned(vi, angle), _turned(ai, angle)])


def _turned(x: Array, angle: Array) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.column_stack([c * x[:, 0] - s * x[:, 1], s * x[:, 0] + c * x[:, 1], x[:, 2]])


def _gap(piece: NDArray[np.int64], first: Array, last: Array, position: Position, theta: float) -> Array:
    """Greatest distance (m) between the path and the polynomials at a quarter, half and three quarters."""
    worst = np.zeros(len(piece))
    h = (last[:, 0] - first[:, 0])[:, None]
    p0, v0, a0 = first[:, 1:4], first[:, 4:7] * h, first[:, 7:10] * h * h
    # as kernels.state_at: what the second node has beyond a parabola from the first
    p = last[:, 1:4] - p0 - v0 - 0.5 * a0
    v = last[:, 4:7] * h - v0 - a0
    a = last[:, 7:10] * h * h - a0
    c3, c4, c5 = 10.0 * p - 4.0 * v + 0.5 * a, -15.0 * p + 7.0 * v - a, 6.0 * p - 3.0 * v + 0.5 * a
    for s in (0.25, 0.5, 0.75):
        t = first[:, 0] + s * h[:, 0]
        joined = p0 + s * (v0 + s * (0.5 * a0 + s * (c3 + s * (c4 + s * c5))))
        there = _turned(position(piece, t), theta + OMEGA_GMST * t)
        worst = np.maximum(worst, np.sqrt(((joined - there) ** 2).sum(axis=1)))
    return worst
