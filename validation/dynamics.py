# ruff: noqa: D103 - what a row measures stands in its decorator
"""Free flight against conservation laws and against an integrator of another kind.

The flights are drawn from what missiles and sounding rockets do: 1 to 7.5 km/s at 80 to 1,500 km, climbing or falling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.coast import propagate
from tocsin.earth.gravity import gravity, potential
from validation.run import Book, Measured, at_most

book = Book("dynamics", "Free flight", __doc__)
_N = 200


def _states(n: int) -> NDArray[np.float64]:
    """``(n, 6)`` eci states (m, m/s) above the air."""
    generator = np.random.default_rng(1)
    up = generator.normal(size=(n, 3))
    up /= np.linalg.norm(up, axis=1)[:, None]
    east = np.cross([0.0, 0.0, 1.0], up)
    east /= np.linalg.norm(east, axis=1)[:, None]
    climb, speed = np.radians(generator.uniform(10, 80, n)), generator.uniform(3e3, 7.5e3, n)
    v = speed[:, None] * (np.sin(climb)[:, None] * up + np.cos(climb)[:, None] * east)
    return np.column_stack([up * (6.378e6 + generator.uniform(2e5, 8e5, n))[:, None], v])


def _energy(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([0.5 * row[3:] @ row[3:] + potential(row[0], row[1], row[2]) for row in x])


def _zeros() -> NDArray[np.int64]:
    return np.zeros(_N, dtype=np.int64)


# 1e-7 of the energy is 0.6 mm/s, a metre after half an hour
@book.row(
    "energy kept over 200 s without air", target=at_most(1e-7), source="conservation (gravity with J2 has a potential)"
)
def energy() -> Measured:
    x = _states(_N)
    later = propagate(x, _zeros(), np.full(_N, 200_000_000_000), 0.0, np.zeros(_N))
    off = np.abs(_energy(later) - _energy(x)) / np.abs(_energy(x))
    return Measured(float(off.max()), note=f"relative, worst of {_N}")


@book.row(
    "angular momentum about the pole kept",
    target=at_most(1e-10),
    source="conservation (J2 is symmetric about the pole)",
)
def momentum() -> Measured:
    x = _states(_N)
    later = propagate(x, _zeros(), np.full(_N, 200_000_000_000), 0.0, np.zeros(_N))

    def about_pole(s: NDArray[np.float64]) -> NDArray[np.float64]:
        return s[:, 0] * s[:, 4] - s[:, 1] * s[:, 3]

    off = np.abs(about_pole(later) - about_pole(x)) / np.abs(about_pole(x)).max()
    return Measured(float(off.max()), note=f"relative, worst of {_N}")


@book.row("state after 300 s", target=at_most(0.1), unit="m", source="SciPy DOP853, relative tolerance 1e-13")
def against_dop853() -> Measured:
    from scipy.integrate import solve_ivp

    x = _states(_N)[:40]
    later = propagate(x, np.zeros(40, dtype=np.int64), np.full(40, 300_000_000_000), 0.0, np.zeros(40))
    worst = 0.0
    for row, ours in zip(x, later, strict=True):
        theirs = solve_ivp(
            lambda _, s: [*s[3:], *gravity(s[0], s[1], s[2])], (0, 300), row, "DOP853", rtol=1e-13, atol=1e-6
        )
        worst = max(worst, float(np.linalg.norm(theirs.y[:3, -1] - ours[:3])))
    return Measured(worst, note="worst of 40")


@book.row("300 s forth and back", target=at_most(0.1), unit="m", source="identity")
def back() -> Measured:
    x = _states(_N)
    t = np.full(_N, 300_000_000_000)
    again = propagate(propagate(x, _zeros(), t, 0.0, np.zeros(_N)), t, _zeros(), 0.0, np.zeros(_N))
    return Measured(float(np.linalg.norm(again[:, :3] - x[:, :3], axis=1).max()), note=f"worst of {_N}")
