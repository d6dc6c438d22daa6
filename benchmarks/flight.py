"""Free flight: arcs a second, and SciPy at the same measured error in the same run.

The arcs are those of the validation book's thousand (300 to 12,000 km, J2 and drag), the clock is the processor's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
from validation.arcs import THETA0, Reference, arcs, by_scipy

from benchmarks.run import row
from tocsin.dynamics.coast import impacts
from tocsin.dynamics.precise import FreeBody, carry_many, descend

_N = 1000
_FEW = 60  # arcs that SciPy flies: it takes milliseconds each


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@cache
def _drawn() -> tuple[np.ndarray, np.ndarray]:
    return arcs(_N)


def _off(lat: float, lon: float, reference: Reference) -> float:
    """Distance (m) from the reference's impact, near enough."""
    east = (np.remainder(lon - reference.lon + np.pi, 2 * np.pi) - np.pi) * np.cos(reference.lat)
    return float(np.hypot(lat - reference.lat, east)) * 6.371e6


@cache
def _fine() -> list[Reference]:
    x, beta = _drawn()
    return [by_scipy(x[i], beta[i], "DOP853", 1e-12, 1e-9, 0) for i in range(_FEW)]


def _errors(found: list[tuple[float, float]]) -> tuple[float, float]:
    """Root mean square and greatest error (m) of the impacts of the first arcs."""
    off = np.array([_off(lat, lon, r) for (lat, lon), r in zip(found, _fine(), strict=True)])
    return float(np.sqrt(np.mean(off**2))), float(off.max())


@cache
def _equal() -> tuple[str, float, float]:
    """SciPy's cheapest method and tolerance among those that do no worse than ours, in rms and at the worst arc.

    Absolute tolerances (m, m/s) are tried at once and at 1,000 times the relative ones. Raises RuntimeError where none
    does as well.
    """
    x, beta = _drawn()
    ours = impacts(x[:_FEW], 0, THETA0, beta[:_FEW])
    rms, most = _errors(list(zip(ours.lat, ours.lon, strict=True)))
    best, least = ("", 0.0, 0.0), np.inf
    for method, part in product(("RK45", "DOP853", "LSODA"), (1.0, 1e3)):
        for tolerance in (1e-7, 3e-8, 1e-8, 3e-9, 1e-9, 3e-10, 1e-10, 3e-11, 1e-11):
            began = time.process_time()
            found = [by_scipy(x[i], beta[i], method, tolerance, tolerance * part, 0) for i in range(_FEW)]
            took = time.process_time() - began
            theirs = _errors([(r.lat, r.lon) for r in found])
            if theirs[0] <= rms and theirs[1] <= most:
                if took < least:
                    best, least = (method, tolerance, tolerance * part), took
                break
    if not best[0]:
        raise RuntimeError(f"nothing that SciPy was asked for comes within {rms:.2g} m rms and {most:.2g} m")
    return best


def _scipy_rate() -> float:
    x, beta = _drawn()
    method, relative, absolute = _equal()
    return _FEW / _cpu(lambda: [by_scipy(x[i], beta[i], method, relative, absolute, 0) for i in range(_FEW)])


@row(
    "arcs-fast", "arcs with J2 and drag to the ground, fast", unit="arcs/CPU s", better="more", target=20_000,
    peer=("SciPy solve_ivp, compiled right-hand side, equal error", _scipy_rate), runs=7,
)  # fmt: skip
def fast() -> float:
    x, beta = _drawn()
    return _N / _cpu(lambda: impacts(x, 0, THETA0, beta))


@row(
    "arcs-fast-ratio", "the same, times SciPy's rate at equal error (alternating)", unit="times", better="more",
    target=100, runs=5,
)  # fmt: skip
def ratio() -> float:
    theirs = _scipy_rate()
    return fast() / theirs


@row("arcs-precise", "the same arcs, precise, with nodes and events", unit="arcs/CPU s", better="more", runs=3)
def precise() -> float:
    x, beta = _drawn()
    return _N / _cpu(lambda: [descend(x[i], 0.0, THETA0, FreeBody(float(beta[i]))) for i in range(_N)])


@row("carry-precise", "precise states after 200 s", unit="states/CPU s", better="more", runs=3)
def carried() -> float:
    x, beta = _drawn()
    return _N / _cpu(lambda: carry_many(x, 0.0, 200.0, beta))
