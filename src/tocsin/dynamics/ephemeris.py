"""Where many objects are at any time: nodes of an integration joined by quintic Hermite polynomials.

A node is time, state and acceleration. Nodes stand at every step of the integration and twice at every jump of the
acceleration (ignition, burnout), so that no polynomial reaches over one. Between nodes the result is within a metre of
a finer integration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.dynamics.kernels import state_at
from tocsin.earth.jit import kernel


class OutsideEphemeris(ValueError):  # noqa: N818 - the name says what is wrong
    """A time before an object's first node or after its last."""


@kernel
def ephemeris_state(
    start_ns: NDArray[np.int64],
    first: NDArray[np.int64],
    nodes: NDArray[np.float64],
    row: int,
    t_ns: int,
    out6: NDArray[np.float64],
) -> bool:
    """State (eci) of object ``row`` at ``t_ns``; False, and nothing written, outside its span.

    Arrays as in ``Ephemeris``.
    """
    return bool(state_at(nodes, first[row], first[row + 1], (t_ns - start_ns[row]) / 1e9, out6))


@kernel
def _states(
    start_ns: NDArray[np.int64],
    first: NDArray[np.int64],
    nodes: NDArray[np.float64],
    rows: NDArray[np.int64],
    t_ns: NDArray[np.int64],
    out: NDArray[np.float64],
) -> int:
    for k in range(rows.shape[0]):
        if not ephemeris_state(start_ns, first, nodes, rows[k], t_ns[k], out[k]):
            return k
    return -1


class Ephemeris:
    """Ephemerides of ``n`` objects (rows).

    ``start_ns (n,)``: scenario time from which a row's node times count; ``nodes (m, 10)``: time (s since
    ``start_ns``), state (eci, m, m/s), acceleration (m/s2), all rows one after another; ``first (n + 1,)``: row r has
    nodes first[r] to first[r + 1] - 1.
    """

    def __init__(self, start_ns: Sequence[int], nodes: Sequence[NDArray[np.float64]]) -> None:
        """One start and one array of nodes ``(m, 10)``, times not falling, an object; ValueError where they do not
        fit."""
        if len(start_ns) != len(nodes):
            raise ValueError(f"{len(start_ns)} start times for {len(nodes)} objects")
        for row, part in enumerate(nodes):
            if part.ndim != 2 or part.shape[1] != 10 or len(part) < 1:
                raise ValueError(f"object {row}: nodes need the shape (m, 10), found {part.shape}")
            if not np.all(np.isfinite(part)) or np.any(np.diff(part[:, 0]) < 0.0):
                raise ValueError(f"object {row}: nodes must be finite and their times must not fall")
        self.start_ns = np.array(start_ns, dtype=np.int64)
        self.first = np.array([0, *np.cumsum([len(part) for part in nodes])], dtype=np.int64)
        self.nodes = np.concatenate([np.empty((0, 10)), *nodes])
        self._spans = [self._span(row) for row in range(len(nodes))]

    def __len__(self) -> int:
        """The number of objects."""
        return len(self.start_ns)

    def _span(self, row: int) -> tuple[int, int]:
        # whole nanoseconds inside the nodes, judged by the same division as in ephemeris_state
        low, high = float(self.nodes[self.first[row], 0]), float(self.nodes[self.first[row + 1] - 1, 0])
        t0, t1 = math.floor(low * 1e9), math.ceil(high * 1e9)
        while t0 / 1e9 < low:
            t0 += 1
        while t1 / 1e9 > high:
            t1 -= 1
        return int(self.start_ns[row]) + t0, int(self.start_ns[row]) + t1

    def span(self, row: int) -> tuple[int, int]:
        """First and last scenario time (ns, both included) at which object ``row`` has a state."""
        return self._spans[row]

    def states(self, rows: ArrayLike, t_ns: ArrayLike) -> NDArray[np.float64]:
        """States ``(k, 6)`` in eci of objects ``rows (k,)`` at ``t_ns (k,)``; each may also be one value for all.

        Raises OutsideEphemeris for a time outside the object's span and IndexError for a row that does not exist.
        """
        r, t = np.broadcast_arrays(np.atleast_1d(np.asarray(rows, dtype=np.int64)), np.asarray(t_ns, dtype=np.int64))
        r, t = np.array(r), np.array(t)
        if r.ndim != 1:
            raise ValueError(f"rows and times must be one-dimensional, found shape {r.shape}")
        if r.size and not (r.min() >= 0 and r.max() < len(self)):
            raise IndexError(f"rows must lie between 0 and {len(self) - 1}")
        out = np.empty((len(r), 6))
        wrong = _states(self.start_ns, self.first, self.nodes, r, t, out)
        if wrong >= 0:
            t0, t1 = self.span(int(r[wrong]))
            raise OutsideEphemeris(f"object {r[wrong]} has states from {t0} to {t1} ns, asked for {t[wrong]} ns")
        return out
