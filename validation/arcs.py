"""A thousand arcs of free flight with drag, 300 to 12,000 km, and what DOP853 of SciPy makes of them.

Every arc begins where a boost ends: 40 to 250 km up, over any place, in any direction, at the speed and angle that lead
to the range drawn on a sphere without air: of least energy, depressed (down to 0.6 of its climb angle) or lofted (up to
half way to the vertical, apogee under 6,000 km). Ranges and ballistic coefficients (500 to 15,000 kg/m2) are drawn
evenly in their logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.atmosphere import EDGES, density, density_in
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import J2, MU, A, ecef_to_geodetic, enu_axes, geodetic_of, geodetic_to_ecef

Array = NDArray[np.float64]
THETA0 = 0.3


def arcs(n: int, seed: int = 2026) -> tuple[Array, Array]:
    """States ``(n, 6)`` in eci (m, m/s) and ballistic coefficients ``(n,)`` (kg/m2) of ``n`` arcs."""
    generator = np.random.default_rng(seed)
    states: list[Array] = []
    betas: list[float] = []
    while len(states) < n:
        reach = math.exp(generator.uniform(math.log(300e3), math.log(12_000e3))) / 6.371e6
        shape, h = generator.uniform(-1.0, 1.0), generator.uniform(40e3, 250e3)
        lat, lon = math.asin(generator.uniform(-1.0, 1.0)), generator.uniform(-math.pi, math.pi)
        heading = generator.uniform(0.0, 2.0 * math.pi)
        beta = math.exp(generator.uniform(math.log(500.0), math.log(15_000.0)))
        least = (math.pi - reach) / 4.0
        climb = least * (1.0 + 0.4 * shape) if shape < 0.0 else least + 0.5 * shape * (0.5 * math.pi - least)
        half = math.tan(0.5 * reach)
        c, s = math.cos(climb), math.sin(climb)
        energy = half / (s * c + half * c * c)  # r v^2 / mu
        place = geodetic_to_ecef([lat, lon, h])
        r = float(np.linalg.norm(place))
        e = math.sqrt(1.0 - energy * (2.0 - energy) * c * c)
        if energy >= 2.0 or r / (2.0 - energy) * (1.0 + e) > 6.371e6 + 6e6:
            continue
        v = math.sqrt(energy * MU / r)
        enu = np.array([c * math.sin(heading), c * math.cos(heading), s])
        states.append(np.concatenate([place, v * (enu @ enu_axes(lat, lon))]))
        betas.append(beta)
    return np.array(states), np.array(betas)


@kernel
def slope(y: Array, beta: float, layer: int) -> Array:
    """The right-hand side as the textbook has it (Vallado, eq. 8-28 and 8-30), heights by full geodetic conversion; air
    by the formulas of one layer, or (-1) of whatever layer it is in.
    """
    x, py, z = y[0], y[1], y[2]
    r = math.sqrt(x * x + py * py + z * z)
    j2 = 1.5 * J2 * MU * A * A / r**5
    zz = 5.0 * (z / r) ** 2
    out = np.empty(6)
    out[0], out[1], out[2] = y[3], y[4], y[5]
    out[3] = -MU * x / r**3 - j2 * x * (1.0 - zz)
    out[4] = -MU * py / r**3 - j2 * py * (1.0 - zz)
    out[5] = -MU * z / r**3 - j2 * z * (3.0 - zz)
    if beta > 0.0:
        _, _, h = geodetic_of(x, py, z)
        ux, uy, uz = y[3] + OMEGA_GMST * py, y[4] - OMEGA_GMST * x, y[5]
        rho = density(h) if layer < 0 else density_in(h, layer)
        d = 0.5 * rho / beta * math.sqrt(ux * ux + uy * uy + uz * uz)
        out[3] -= d * ux
        out[4] -= d * uy
        out[5] -= d * uz
    return out


def slope_in(beta: float, layer: int) -> Callable[[float, Array], Array]:
    """The right-hand side as SciPy wants it."""
    return lambda _, y: slope(y, beta, layer)


@dataclass(frozen=True)
class Reference:
    """One arc by SciPy: impact time (s), latitude, longitude (rad) and states ``(k, 7)`` (s, m, m/s) on the way."""

    t: float
    lat: float
    lon: float
    states: Array


def by_scipy(state: Array, beta: float, method: str, rtol: float, atol: float, samples: int) -> Reference:
    """Follow one arc with ``scipy.integrate.solve_ivp`` and its event for the ground.

    ``samples``: how many states on the way are kept; -1: none, and each layer of the atmosphere is flown for itself, by
    its own formulas, so that no step leads over a kink.
    """
    from scipy.integrate import solve_ivp

    def at_height(edge: float) -> Any:
        def over(_: float, y: Array) -> float:
            return float(geodetic_of(y[0], y[1], y[2])[2]) - edge

        event: Any = over
        event.terminal, event.direction = True, -1.0 if edge == 0.0 else 0.0
        return event

    edges = [0.0, *EDGES] if samples < 0 else [0.0]
    events = [at_height(edge) for edge in edges]
    layer = int(np.searchsorted(EDGES, geodetic_of(state[0], state[1], state[2])[2])) if samples < 0 else -1
    t, y = 0.0, state
    while True:
        with np.errstate(invalid="ignore"):  # trial steps far outside a layer, refused by the step control
            got = solve_ivp(
                slope_in(beta, layer), (t, 20_000.0), y, method, rtol=rtol, atol=atol, events=events,
                dense_output=samples > 0,
            )  # fmt: skip
        which = next(i for i, times in enumerate(got.t_events) if len(times))
        t, y = float(got.t_events[which][0]), got.y_events[which][0]
        if which == 0:
            break
        # a millimetre on, by a parabola, so that the event just met is not met again
        climb = float(y[:3] @ y[3:] / np.linalg.norm(y[:3]))
        dt = 1e-3 / max(abs(climb), 1.0)
        rate = slope(y, beta, layer)
        layer = which if climb > 0.0 else which - 1
        y = y + dt * rate
        y[:3] += 0.5 * dt * dt * rate[3:]
        t += dt
    lat, lon, _ = ecef_to_geodetic(y[:3])
    rows = np.empty((0, 7))
    if samples > 0:
        times = np.linspace(0.0, t, samples + 2)[1:-1]
        rows = np.column_stack([times, got.sol(times).T])
    lon = float(lon) - THETA0 - OMEGA_GMST * t
    return Reference(t, float(lat), math.remainder(lon, 2.0 * math.pi), rows)
