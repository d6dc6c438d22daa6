"""Arcs beside those of another program, Orekit (`validation/data/orekit`, made by `tools/orekit_arcs.py`).

A hundred arcs of 300 to 12,000 km, spread over the globe, each with J2 alone and with J2 and drag in an exponential
atmosphere that turns with the Earth. Tocsin flies the standard atmosphere; for these rows its own kernels are compiled
a second time with nothing but the density function exchanged. Positions are compared at a quarter, half and three
quarters of the flight and at Orekit's moment of impact, impact points on the ellipsoid as well.
"""

from __future__ import annotations

import csv
import math
import types
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from tocsin.dynamics import kernels, leap, precise
from tocsin.earth.geodesics import inverse
from validation.run import Book, Measured, at_most

DATA = Path(__file__).parent / "data" / "orekit" / "arcs.csv"
_ROWS = 5  # an arc: its start, three samples, its end

book = Book("programs", "Beside another program", __doc__)


@cache
def arcs() -> tuple[float, tuple[float, float, float], np.ndarray]:
    """Sidereal angle at the start, density (kg/m3), its height and scale height (m), rows ``(arc, sample, column)``."""
    with DATA.open(newline="") as file:
        words = file.readline().split()
        table = np.array([[float(cell) for cell in row] for row in list(csv.reader(file))[1:]])
    return float(words[2]), (float(words[5]), float(words[8]), float(words[11])), table.reshape(-1, _ROWS, 12)


def rebuilt(module: types.ModuleType, **exchanged: Any) -> dict[str, Any]:
    """The functions of a module, compiled anew with some of the names they use exchanged."""
    names = {**vars(module), **{name: made for name, made in exchanged.items() if name in vars(module)}}
    for name, made in vars(module).items():
        if name in exchanged or getattr(made, "__module__", None) != module.__name__:
            continue
        if hasattr(made, "py_func"):
            code, defaults = made.py_func.__code__, made.py_func.__defaults__
            names[name] = numba.njit(error_model="numpy")(types.FunctionType(code, names, name, defaults))
        elif isinstance(made, types.FunctionType):
            names[name] = types.FunctionType(made.__code__, names, name, made.__defaults__)
            names[name].__kwdefaults__ = made.__kwdefaults__
    return names


@cache
def _air() -> tuple[Any, Any]:
    """Orekit's exponential atmosphere in the forms of ``density`` and ``density_in``."""
    _, (rho0, h0, scale), _ = arcs()

    def density(h: float) -> float:
        return rho0 * math.exp((h0 - h) / scale)

    compiled = numba.njit(error_model="numpy")(density)

    def density_in(h: float, layer: int) -> float:
        return float(compiled(h))

    return compiled, numba.njit(error_model="numpy")(density_in)


@cache
def _fast() -> dict[str, Any]:
    density, density_in = _air()
    leaps = rebuilt(leap, density=density, density_in=density_in)
    own = {name: leaps[name] for name, made in vars(leap).items() if getattr(made, "__module__", "") == leap.__name__}
    return rebuilt(kernels, density=density, density_in=density_in, **own)


@cache
def _precise() -> dict[str, Any]:
    return rebuilt(precise, density_in=_air()[1])


def _away(drag: bool, carry: Any, fall: Any) -> Measured:
    theta0, _, table = arcs()
    worst = worst_impact = worst_time = 0.0
    for arc in table:
        if (arc[0, 1] > 0.0) != drag:
            continue
        start, beta = arc[0, 3:9].copy(), float(arc[0, 1])
        for row in arc[1:]:
            worst = max(worst, float(np.linalg.norm(carry(start, row[2], beta)[:3] - row[3:6])))
        when, lat, lon = fall(start, theta0, beta)
        end = arc[-1]
        worst_time = max(worst_time, abs(when - end[2]))
        worst_impact = max(worst_impact, inverse(lat, lon, math.radians(end[9]), math.radians(end[10]))[0])
    said = f"worst of 100 arcs; impact point {worst_impact:.2g} m and {worst_time * 1e3:.2g} ms away at worst"
    return Measured(max(worst, worst_impact), note=said)


def _fast_carry(start: np.ndarray, t: float, beta: float) -> np.ndarray:
    out = np.empty(6)
    _fast()["coast_to"](start, 0.0, t, 0.0, beta, out)
    return out


def _fast_fall(start: np.ndarray, theta0: float, beta: float) -> tuple[float, float, float]:
    out = np.empty(7)
    _fast()["fall"](start, 0.0, theta0, beta, out)
    return float(out[1]), float(out[2]), float(out[3])


def _precise_carry(start: np.ndarray, t: float, beta: float) -> np.ndarray:
    return np.asarray(_precise()["carry"](start, 0.0, t, precise.FreeBody(beta), 1e-10))


def _precise_fall(start: np.ndarray, theta0: float, beta: float) -> tuple[float, float, float]:
    down = _precise()["descend"](start, 0.0, theta0, precise.FreeBody(beta))
    return down.impact_s, down.lat, down.lon


@book.row("J2, the fast propagator", target=at_most(1.0), unit="m", source="Orekit 13.1, DOP853")
def fast_gravity() -> Measured:
    """Positions and impact points with J2 alone."""
    return _away(False, _fast_carry, _fast_fall)


@book.row("J2 and drag, the fast propagator", target=at_most(1.0), unit="m", source="Orekit 13.1, DOP853")
def fast_drag() -> Measured:
    """Positions and impact points with exponential drag."""
    return _away(True, _fast_carry, _fast_fall)


@book.row("J2, the precise propagator", target=at_most(1.0), unit="m", source="Orekit 13.1, DOP853")
def precise_gravity() -> Measured:
    """Positions and impact points with J2 alone."""
    return _away(False, _precise_carry, _precise_fall)


@book.row("J2 and drag, the precise propagator", target=at_most(1.0), unit="m", source="Orekit 13.1, DOP853")
def precise_drag() -> Measured:
    """Positions and impact points with exponential drag."""
    return _away(True, _precise_carry, _precise_fall)
