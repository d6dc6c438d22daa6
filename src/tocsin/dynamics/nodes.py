"""A smooth path, given as a function, as the nodes of an ephemeris.

Velocity and acceleration at a node come from the path itself, by central differences of sixth order, so that the
ephemeris is consistent in itself whatever the source says of its velocity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import state_at

Path = Callable[[NDArray[np.float64]], NDArray[np.float64]]
_PROBES = (0.25, 0.5, 0.75)  # where between two nodes the polynomial is compared with the path
_LEAST = 0.5  # s between nodes, below which the path is not smooth
_BRIDGED = 20.0  # m: jumps up to this are joined within a second (SGP4 has such of some metres near inclination 0)
_SIDE = np.array([-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0])
_FIRST = np.array([-1.0, 9.0, -45.0, 0.0, 45.0, -9.0, 1.0]) / 60.0
_SECOND = np.array([2.0, -27.0, 270.0, -490.0, 270.0, -27.0, 2.0]) / 180.0


class PathNotSmooth(ValueError):  # noqa: N818 - the name says what is wrong
    """A path with a jump that is no flaw of some metres: no polynomial follows it."""


def _at(path: Path, t: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    x = path((t[:, None] + step * _SIDE).reshape(-1)).reshape(len(t), 7, 3)
    out = np.empty((len(t), 10))
    out[:, 0] = t
    out[:, 1:4] = x[:, 3]
    out[:, 4:7] = 0.0
    out[:, 7:10] = 0.0
    for k in range(7):  # a fixed order of sums: no BLAS
        out[:, 4:7] += _FIRST[k] * x[:, k] / step
        out[:, 7:10] += _SECOND[k] * x[:, k] / step**2
    return out


def path_nodes(
    path: Path, t0_s: float, t1_s: float, longest_s: float, within: float = 0.3, step: float = 5.0
) -> NDArray[np.float64]:
    """Nodes ``(m, 10)`` (time s, position, velocity, acceleration) from ``t0_s`` to ``t1_s`` of ``path``.

    ``path``: positions ``(k, 3)`` (m) at times ``(k,)`` (s), defined three ``step`` (s) beyond both ends; intervals are
    at most ``longest_s`` and are halved until the quintic between two nodes is ``within`` m of the path at a quarter,
    half and three quarters. A jump of the path of up to 20 m is joined within a second (and spoils the velocity for
    three ``step`` around it by as much as a jump over ``step``); for a greater one PathNotSmooth is raised. ValueError
    for t1_s <= t0_s.
    """
    if not t1_s > t0_s:
        raise ValueError(f"a path ends after it begins, found {t0_s} to {t1_s} s")
    n = max(1, int(np.ceil((t1_s - t0_s) / longest_s)))
    times = t0_s + (t1_s - t0_s) * np.arange(n + 1) / n
    nodes = _at(path, times, step)
    new = np.arange(n)  # intervals still to be compared, by their first node
    while len(new):
        starts, lengths = nodes[new, 0], nodes[new + 1, 0] - nodes[new, 0]
        probes = (starts[:, None] + lengths[:, None] * np.array(_PROBES)).reshape(-1)
        true = path(probes)
        off = np.empty(len(probes))
        out = np.empty(6)
        for k in range(len(probes)):
            row = int(new[k // len(_PROBES)])
            state_at(nodes, row, row + 2, float(probes[k]), out)
            d = out[:3] - true[k]
            off[k] = np.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2)
        worst = off.reshape(-1, len(_PROBES)).max(axis=1)
        short = lengths < 2.0 * _LEAST
        if (short & (worst > _BRIDGED)).any():
            at = starts[np.flatnonzero(short & (worst > _BRIDGED))[0]]
            raise PathNotSmooth(f"the path jumps near {at:.1f} s: no node spacing follows it")
        bad = np.flatnonzero((worst > within) & ~short)
        if not len(bad):
            break
        middles = _at(path, starts[bad] + 0.5 * lengths[bad], step)
        places = new[bad] + 1
        nodes = np.insert(nodes, places, middles, axis=0)
        ahead = places + np.arange(len(places)) - 1  # first nodes of the left halves
        new = np.sort(np.concatenate([ahead, ahead + 1]))
    return nodes
