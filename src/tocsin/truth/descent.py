"""Free flight down to the ground, as truth flies it: the fast integrator where a constant ballistic coefficient makes
the drag, the precise one where it also goes by the Mach number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_nodes, fall, state_at
from tocsin.dynamics.precise import FreeBody, descend
from tocsin.earth.wgs84 import geodetic_of

Array = NDArray[np.float64]
DragMach = tuple[tuple[float, float], ...]
"""Pairs (Mach number, factor on the drag) as in ``FlightClass``."""

ENTRY_HEIGHT = 100e3  # m; under it what falls is said to re-enter
_MOST_NODES = 20_000


@dataclass(frozen=True)
class Descended:
    """A free flight that came down. Times in s on the caller's clock; ``lat``, ``lon`` rad; ``apogee`` (m) the highest
    from the start on; ``speed`` m/s over the ground at impact; ``nodes (m, 10)`` as in ``Ephemeris``.
    """

    impact_s: float
    lat: float
    lon: float
    apogee: float
    apogee_s: float
    speed: float
    nodes: Array


def come_down(state: Array, t_s: float, theta: float, beta: float, drag_mach: DragMach, out: Array) -> None:
    """Where a free flight from ``state`` (eci) at ``t_s`` comes down, into ``out (7,)`` as ``kernels.fall`` gives it.

    ``theta``: sidereal angle (rad) at time zero; ``beta``: kg/m2.
    """
    fall(state, t_s, theta, beta, out)
    if drag_mach and out[0] > 0.0:  # what does not come down at all does not for another drag
        down = descend(state, t_s, theta, FreeBody(beta, drag_mach))
        out[0] = 1.0 if down.hit else 0.0
        out[1], out[2], out[3] = down.impact_s, down.lat, down.lon
        out[4], out[5], out[6] = down.apogee, down.apogee_s, down.impact_speed


def follow(
    state: Array, t_s: float, theta: float, beta: float, drag_mach: DragMach = (), precise: bool = False
) -> Descended | None:
    """A free flight from ``state`` (eci) at ``t_s`` to the ground, None if it does not come down (an orbit, an escape,
    more than half a day). Parameters as for ``come_down``; ``precise`` takes the precise integrator in any case, which
    leaves a third of the nodes or, of light pieces, a tenth.
    """
    start = np.ascontiguousarray(state, dtype=np.float64)
    out = np.empty(7)
    fall(start, t_s, theta, beta, out)
    if not out[0] > 0.0:
        return None
    if not drag_mach and not precise:
        impact_s, lat, lon, apogee, apogee_s, speed = (float(v) for v in out[1:])
        return Descended(impact_s, lat, lon, apogee, apogee_s, speed, coast(start, t_s, impact_s, beta))
    down = descend(start, t_s, theta, FreeBody(beta, drag_mach))
    if not down.hit:
        return None
    return Descended(down.impact_s, down.lat, down.lon, down.apogee, down.apogee_s, down.impact_speed, down.nodes)


def coast(state: Array, t0_s: float, t1_s: float, beta: float) -> Array:
    """Nodes ``(m, 10)`` of a free flight from ``t0_s`` to ``t1_s``, whether or not the ground is in its way.

    Raises ValueError if it takes more than some 20,000 steps (60 turns of a low orbit).
    """
    out = np.empty((_MOST_NODES, 10))
    rows = coast_nodes(np.ascontiguousarray(state, dtype=np.float64), t0_s, t1_s, beta, out)
    if rows == 0:
        raise ValueError(f"a free flight from {t0_s:.0f} to {t1_s:.0f} s takes more than {_MOST_NODES} steps")
    return out[:rows].copy()


def height_at(nodes: Array, t_s: float) -> float:
    """Geodetic height (m) at a time within the nodes."""
    x = np.empty(6)
    state_at(nodes, 0, len(nodes), t_s, x)
    return float(geodetic_of(x[0], x[1], x[2])[2])


def crossing(nodes: Array, height: float, after_s: float, rising: bool) -> float | None:
    """When (s, to a microsecond) the path first rises or sinks through ``height`` (m) from ``after_s`` on; None if it
    does not."""
    times = nodes[:, 0]
    low = max(after_s, float(times[0]))
    before = height_at(nodes, low)
    for t in times[times > low]:
        now = height_at(nodes, float(t))
        if (before < height <= now) if rising else (before >= height > now):
            high = float(t)
            while high - low > 1e-6:
                middle = 0.5 * (low + high)
                if (height_at(nodes, middle) < height) == rising:
                    low = middle
                else:
                    high = middle
            return high
        low, before = float(t), now
    return None


def whole_ns(seconds: float) -> int:
    """The last whole nanosecond that is not after ``seconds`` as an ephemeris counts them (ns / 1e9)."""
    n = math.floor(seconds * 1e9)
    while n / 1e9 > seconds:
        n -= 1
    return n
