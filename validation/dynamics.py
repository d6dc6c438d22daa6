# ruff: noqa: D103 - what a row measures stands in its decorator
"""Free flight against closed forms, conservation laws, SciPy and NASA's check cases.

*fast* is the propagator that simulation and estimators share, *precise* the one behind the flights. The states drawn
for the first rows are what missiles and sounding rockets do: 3 to 7.5 km/s, climbing. The thousand arcs begin at
burnout, 40 to 250 km up, and lead 300 to 12,000 km far with ballistic coefficients of 500 to 15,000 kg/m2; even the
least likely of them (7 km/s at 40 km) are left in.

SciPy's DOP853 flies them at a relative tolerance of 1e-12 and an absolute one of 1e-9 (m, m/s; with 1e-6 it would be
off by up to 0.8 m itself), once as it is and once layer by layer of the atmosphere, so that no step leads over a kink.
"""

from __future__ import annotations

import csv
import json
import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.coast import impacts, propagate
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.kernels import coast_nodes, height_of
from tocsin.dynamics.precise import Descent, FreeBody, carry, descend
from tocsin.earth import geodesics
from tocsin.earth.frames import OMEGA_GMST, to_eci
from tocsin.earth.gravity import gravity, potential, zonal_potential
from tocsin.earth.wgs84 import MU, A, ecef_to_geodetic, geodetic_to_ecef
from validation.arcs import THETA0, Reference, arcs, by_scipy
from validation.run import Book, Measured, at_most

book = Book("dynamics", "Free flight", __doc__)
Array = NDArray[np.float64]
_N = 200
_ARCS = 1000
_NESC = Path(__file__).parent / "data" / "nesc"
_KEPT = "conservation"


def _states(n: int) -> Array:
    """``(n, 6)`` eci states (m, m/s) above the air."""
    generator = np.random.default_rng(1)
    up = generator.normal(size=(n, 3))
    up /= np.linalg.norm(up, axis=1)[:, None]
    east = np.cross([0.0, 0.0, 1.0], up)
    east /= np.linalg.norm(east, axis=1)[:, None]
    climb, speed = np.radians(generator.uniform(10, 80, n)), generator.uniform(3e3, 7.5e3, n)
    v = speed[:, None] * (np.sin(climb)[:, None] * up + np.cos(climb)[:, None] * east)
    return np.column_stack([up * (6.378e6 + generator.uniform(2e5, 8e5, n))[:, None], v])


def _energy(x: Array) -> Array:
    return np.array([0.5 * row[3:] @ row[3:] + potential(row[0], row[1], row[2]) for row in x])


def _zeros() -> NDArray[np.int64]:
    return np.zeros(_N, dtype=np.int64)


# Kepler


def _equatorial(n: int) -> list[tuple[Array, float]]:
    """States over the equator and the semi-major axes of their arcs; there heights are radii less the Earth's."""
    generator = np.random.default_rng(3)
    out = []
    for _ in range(n):
        r, v = A + generator.uniform(1e5, 3e5), generator.uniform(2e3, 7.2e3)
        climb, east = math.radians(generator.uniform(15, 80)), generator.choice([-1.0, 1.0])
        state = np.array([r, 0.0, 0.0, v * math.sin(climb), east * v * math.cos(climb), 0.0])
        out.append((state, 1.0 / (2.0 / r - v * v / MU)))
    return out


def _kepler_times(state: Array, a: float) -> tuple[float, float]:
    """Times (s) from a rising state to its apogee and to radius A, by Kepler's equation."""
    r, rate = state[0], state[3]
    ec, es = 1.0 - r / a, r * rate / math.sqrt(MU * a)  # e cos E, e sin E
    e = math.hypot(ec, es)
    n = math.sqrt(MU / a**3)
    began = math.atan2(es, ec)
    down = 2.0 * math.pi - math.acos((1.0 - A / a) / e)

    def mean(anomaly: float) -> float:
        return anomaly - e * math.sin(anomaly)

    return (math.pi - mean(began)) / n, (mean(down) - mean(began)) / n


def _kepler_state(state: Array, t: float) -> Array:
    """State after ``t`` s around a point mass: Kepler's equation and Lagrange's f and g."""
    r = math.sqrt(float(state[:3] @ state[:3]))
    a = 1.0 / (2.0 / r - float(state[3:] @ state[3:]) / MU)
    n = math.sqrt(MU / a**3)
    ec, es = 1.0 - r / a, float(state[:3] @ state[3:]) / math.sqrt(MU * a)
    e, began = math.hypot(ec, es), math.atan2(es, ec)
    m = began - es + n * t
    # the mean anomaly grows with the eccentric one: between m - e and m + e by halving, then Newton's method
    low, high = m - e, m + e
    for _ in range(30):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle - e * math.sin(middle) < m else (low, middle)
    anomaly = 0.5 * (low + high)
    for _ in range(4):
        anomaly -= (anomaly - e * math.sin(anomaly) - m) / (1.0 - e * math.cos(anomaly))
    d = anomaly - began
    f = 1.0 - a / r * (1.0 - math.cos(d))
    g = t + (math.sin(d) - d) / n
    x = f * state[:3] + g * state[3:]
    later = math.sqrt(float(x @ x))
    fd, gd = -math.sqrt(MU * a) / (later * r) * math.sin(d), 1.0 - a / later * (1.0 - math.cos(d))
    return np.concatenate([x, fd * state[:3] + gd * state[3:]])


_POINT = FreeBody(0.0, degree=0)


@book.row(
    "Kepler arc, point mass, precise: position at eight times to the ground", target=at_most(1.0), unit="mm",
    source="Kepler's equation, closed form",
)  # fmt: skip
def kepler_position() -> Measured:
    worst = 0.0
    for x in _states(_N):
        for t in np.linspace(0.0, descend(x, 0.0, 0.0, _POINT).impact_s, 9)[1:]:
            worst = max(worst, float(np.linalg.norm((carry(x, 0.0, t, _POINT) - _kepler_state(x, t))[:3])))
    return Measured(worst * 1e3, note=f"worst of {_N}")


@book.row(
    "Kepler arc, point mass, precise: times of apogee and impact, over the equator", target=at_most(1.0), unit="µs",
    source="Kepler's equation, closed form",
)  # fmt: skip
def kepler_time() -> Measured:
    worst = 0.0
    for state, a in _equatorial(_N):
        top, down = _kepler_times(state, a)
        found = descend(state, 0.0, 0.0, _POINT)
        worst = max(worst, abs(found.apogee_s - top), abs(found.impact_s - down))
    return Measured(worst * 1e6, note=f"worst of {_N}")


# what is kept


def _kept(degree: int) -> tuple[float, float, float]:
    """Greatest relative change over the precise flight to the ground: energy, angular momentum, its polar part."""
    energy, momentum, polar = 0.0, 0.0, 0.0
    for x in _states(_N):
        end = descend(x, 0.0, 0.0, FreeBody(0.0, degree=degree)).nodes[-1, 1:7]
        first, last = (0.5 * float(s[3:] @ s[3:]) + zonal_potential(s[0], s[1], s[2], degree) for s in (x, end))
        h0, h1 = np.cross(x[:3], x[3:]), np.cross(end[:3], end[3:])
        energy = max(energy, abs(last / first - 1.0))
        momentum = max(momentum, float(np.linalg.norm(h1 - h0) / np.linalg.norm(h0)))
        polar = max(polar, float(abs(h1[2] - h0[2]) / np.linalg.norm(h0)))
    return energy, momentum, polar


@book.row("energy and angular momentum kept to the ground, point mass, precise", target=at_most(1e-10), source=_KEPT)
def kept_point() -> Measured:
    energy, momentum, _ = _kept(0)
    return Measured(max(energy, momentum), note=f"relative; energy {energy:.1e}, momentum {momentum:.1e}")


@book.row(
    "energy with the J2 potential and polar angular momentum kept to the ground, precise", target=at_most(1e-10),
    source=_KEPT,
)  # fmt: skip
def kept_j2() -> Measured:
    energy, _, polar = _kept(2)
    return Measured(max(energy, polar), note=f"relative; energy {energy:.1e}, polar part {polar:.1e}")


@book.row("the same with J3 and J4", target=at_most(1e-10), source=_KEPT)
def kept_j4() -> Measured:
    energy, _, polar = _kept(4)
    return Measured(max(energy, polar), note=f"relative; energy {energy:.1e}, polar part {polar:.1e}")


# 1e-7 of the energy is 0.6 mm/s, a metre after half an hour
@book.row(
    "energy kept over 200 s without air, fast",
    target=at_most(1e-7),
    source="conservation (gravity with J2 has a potential)",
)
def energy() -> Measured:
    x = _states(_N)
    later = propagate(x, _zeros(), np.full(_N, 200_000_000_000), 0.0, np.zeros(_N))
    off = np.abs(_energy(later) - _energy(x)) / np.abs(_energy(x))
    return Measured(float(off.max()), note=f"relative, worst of {_N}")


@book.row(
    "angular momentum about the pole kept, fast",
    target=at_most(1e-10),
    source="conservation (J2 is symmetric about the pole)",
)
def momentum() -> Measured:
    x = _states(_N)
    later = propagate(x, _zeros(), np.full(_N, 200_000_000_000), 0.0, np.zeros(_N))

    def about_pole(s: Array) -> Array:
        return s[:, 0] * s[:, 4] - s[:, 1] * s[:, 3]

    off = np.abs(about_pole(later) - about_pole(x)) / np.abs(about_pole(x)).max()
    return Measured(float(off.max()), note=f"relative, worst of {_N}")


@book.row(
    "state after 300 s without air, fast", target=at_most(0.1), unit="m",
    source="SciPy DOP853, relative tolerance 1e-13",
)  # fmt: skip
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


@book.row("300 s forth and back, fast", target=at_most(0.1), unit="m", source="identity")
def back() -> Measured:
    x = _states(_N)
    t = np.full(_N, 300_000_000_000)
    again = propagate(propagate(x, _zeros(), t, 0.0, np.zeros(_N)), t, _zeros(), 0.0, np.zeros(_N))
    return Measured(float(np.linalg.norm(again[:, :3] - x[:, :3], axis=1).max()), note=f"worst of {_N}")


# the thousand arcs

_DOP853 = "SciPy DOP853 at 1e-12, own right-hand side"


@cache
def _reference(rtol: float, atol: float, samples: int) -> list[Reference]:
    x, beta = arcs(_ARCS)
    return [by_scipy(x[i], beta[i], "DOP853", rtol, atol, samples) for i in range(_ARCS)]


def _fine() -> list[Reference]:
    return _reference(1e-12, 1e-9, 8)


@cache
def _descents() -> list[Descent]:
    x, beta = arcs(_ARCS)
    return [descend(x[i], 0.0, THETA0, FreeBody(float(beta[i]))) for i in range(_ARCS)]


def _spread(values: Array, what: str) -> str:
    half, most = np.percentile(values, [50, 99])
    return f"worst of {len(values):,}; median {half:.2g}, 99 % {most:.2g}{what}"


def _off(lat: Array, lon: Array, reference: list[Reference]) -> Array:
    """Distance (m) of each impact from the reference's."""
    return np.array(
        [geodesics.inverse(lat[i], lon[i], r.lat, r.lon)[0] for i, r in enumerate(reference)], dtype=np.float64
    )


def _on_the_way(precise: bool) -> Array:
    x, beta = arcs(_ARCS)
    worst = np.zeros(_ARCS)
    for i, r in enumerate(_fine()):
        for t, *state in r.states:
            if precise:
                ours = carry(x[i], 0.0, t, FreeBody(float(beta[i])))
            else:
                ours = propagate(x[i : i + 1], 0, round(t * 1e9), 0.0, beta[i])[0]
            worst[i] = max(worst[i], float(np.linalg.norm(ours[:3] - state[:3])))
    return worst


@book.row("1,000 arcs with J2 and drag, fast: place of impact", target=at_most(2.0), unit="m", source=_DOP853)
def fast_place() -> Measured:
    x, beta = arcs(_ARCS)
    ours = impacts(x, 0, THETA0, beta)
    off = _off(ours.lat, ours.lon, _fine())
    return Measured(float(off.max()), note=_spread(off, ""))


@book.row("1,000 arcs, fast: time of impact", target=at_most(5.0), unit="ms", source=_DOP853)
def fast_time() -> Measured:
    x, beta = arcs(_ARCS)
    off = 1e3 * np.abs(impacts(x, 0, THETA0, beta).t_ns / 1e9 - np.array([r.t for r in _fine()]))
    return Measured(float(off.max()), note=_spread(off, ""))


@book.row("1,000 arcs, fast: position at eight times on the way", target=at_most(2.0), unit="m", source=_DOP853)
def fast_way() -> Measured:
    off = _on_the_way(False)
    return Measured(float(off.max()), note=_spread(off, ""))


@book.row(
    "1,000 arcs without air, fast: place of impact", target=at_most(2.0), unit="m", source="the precise propagator"
)
def fast_no_air() -> Measured:
    x, _ = arcs(_ARCS)
    ours = impacts(x, 0, THETA0)
    precise = [descend(row, 0.0, THETA0, FreeBody(0.0)) for row in x]
    off = np.array([
        geodesics.inverse(lat, lon, d.lat, d.lon)[0] for lat, lon, d in zip(ours.lat, ours.lon, precise, strict=True)
    ])  # fmt: skip
    late = 1e3 * np.abs(ours.t_ns / 1e9 - np.array([d.impact_s for d in precise]))
    return Measured(float(off.max()), note=_spread(off, f"; time of impact within {late.max():.2g} ms"))


@book.row("1,000 arcs, precise: place of impact", target=at_most(0.2), unit="m", source=_DOP853)
def precise_place() -> Measured:
    ours = _descents()
    off = _off(np.array([d.lat for d in ours]), np.array([d.lon for d in ours]), _fine())
    return Measured(float(off.max()), note=_spread(off, ""))


@book.row("1,000 arcs, precise: position at eight times on the way", target=at_most(0.2), unit="m", source=_DOP853)
def precise_way() -> Measured:
    off = _on_the_way(True)
    return Measured(float(off.max()), note=_spread(off, ""))


@book.row("1,000 arcs, precise: time of impact", target=at_most(1.0), unit="ms", source=_DOP853)
def precise_time() -> Measured:
    off = 1e3 * np.abs(np.array([d.impact_s for d in _descents()]) - np.array([r.t for r in _fine()]))
    return Measured(float(off.max()), note=_spread(off, ""))


@book.row(
    "1,000 arcs, precise: place of impact, reference flown layer by layer", target=at_most(0.2), unit="m",
    source="SciPy DOP853 at 1e-12, each layer of the atmosphere for itself",
)  # fmt: skip
def precise_place_layers() -> Measured:
    ours, theirs = _descents(), _reference(1e-12, 1e-9, -1)
    off = _off(np.array([d.lat for d in ours]), np.array([d.lon for d in ours]), theirs)
    itself = _off(np.array([r.lat for r in _fine()]), np.array([r.lon for r in _fine()]), theirs)
    return Measured(
        float(off.max()), note=_spread(off, f"; the two references are up to {itself.max():.2g} m from each other")
    )


# NASA's check cases


def _case(number: int) -> tuple[Array, Array, Array]:
    """Times (s), altitudes ``(k, 4)`` of simulators 01, 02, 04, 06, and ours less theirs (m)."""
    with open(_NESC / f"case_{number:02d}.csv", encoding="utf-8") as file:
        rows = np.array([[float(v) for v in row] for row in list(csv.reader(file))[1:]])
    setup = json.loads((_NESC / "setups.json").read_text(encoding="utf-8"))[str(number)]
    place = geodetic_to_ecef([math.radians(setup["lat_deg"]), math.radians(setup["lon_deg"]), setup["height_m"]])
    # at latitude and longitude 0: up is x, east y, north z
    state = to_eci(np.concatenate([place, [-setup["down_m_s"], setup["east_m_s"], setup["north_m_s"]]]), 0.0)
    pull = setup["drag_coefficient"] * setup["area_m2"]
    body = FreeBody(setup["mass_kg"] / pull if pull > 0.0 else 0.0)
    ours = np.array([ecef_to_geodetic(carry(state, 0.0, t, body)[:3])[2] for t in rows[:, 0]])
    return rows[:, 0], rows[:, 1:], ours[:, None] - rows[:, 1:]


def _nesc(number: int) -> Measured:
    _, theirs, off = _case(number)
    each = ", ".join(f"{sim}: {v:+.4f}" for sim, v in zip(("01", "02", "04", "06"), off[-1], strict=True))
    spread = float(np.ptp(theirs[-1]))
    most = float(np.abs(off[:, 2:]).max())
    return Measured(
        float(np.abs(off[-1, 2:]).max()),
        note=f"ours less simulator {each} m; their own spread {spread:.4f} m; over all 30 s at most {most:.4f} m",
    )


for _number, _title in (
    (1, "NESC case 1, dropped sphere without drag"),
    (6, "NESC case 6, dropped sphere with drag"),
    (9, "NESC case 9, sphere fired eastward with drag"),
):

    def _measure(number: int = _number) -> Measured:
        return _nesc(number)

    book.row(
        f"{_title}: altitude at 30 s, precise", target=at_most(0.15), unit="m",
        source="NASA/TM-2015-218675, simulators 04 and 06",
    )(_measure)  # fmt: skip


# events and ephemerides


@book.row(
    "times of apogee, entry and impact at the usual tolerance, 200 arcs", target=at_most(20.0), unit="µs",
    source="the same at a tolerance of 1e-13",
)  # fmt: skip
def events() -> Measured:
    x, beta = arcs(_ARCS)
    worst = np.zeros(3)
    for i in range(200):
        a, b = _descents()[i], descend(x[i], 0.0, THETA0, FreeBody(float(beta[i])), tolerance=1e-13)
        off = np.abs([a.apogee_s - b.apogee_s, a.entry_s - b.entry_s, a.impact_s - b.impact_s])
        worst = np.fmax(worst, off)
    apogee, entry, impact = worst * 1e6
    return Measured(float(np.max(worst) * 1e6), note=f"apogee {apogee:.2g}, entry {entry:.2g}, impact {impact:.2g}")


def _between(nodes: Array, x: Array, beta: float) -> float:
    """Worst distance (m) of an ephemeris from the precise flight at 60 times."""
    table = Ephemeris([0], [nodes])
    worst, state, at = 0.0, x, 0.0
    for t in np.linspace(0.0, nodes[-1, 0], 62)[1:-1]:
        t_ns = int(t * 1e9)
        state, at = carry(state, at, t_ns / 1e9, FreeBody(beta)), t_ns / 1e9
        worst = max(worst, float(np.linalg.norm(table.states(0, t_ns)[0, :3] - state[:3])))
    return worst


@book.row(
    "ephemeris of a precise flight, between its nodes, 100 arcs", target=at_most(1.0), unit="m",
    source="the precise flight at 60 other times",
)  # fmt: skip
def ephemeris_precise() -> Measured:
    x, beta = arcs(_ARCS)
    off = [_between(_descents()[i].nodes, x[i], float(beta[i])) for i in range(100)]
    nodes = np.mean([len(d.nodes) for d in _descents()])
    return Measured(max(off), note=f"worst of 100; {nodes:.0f} nodes of 80 bytes a flight on average")


@book.row(
    "ephemeris of a fast flight, between its nodes, 100 arcs", target=at_most(1.0), unit="m",
    source="the precise flight at 60 other times",
)  # fmt: skip
def ephemeris_fast() -> Measured:
    x, beta = arcs(_ARCS)
    room, off, count = np.empty((5000, 10)), [], 0
    for i in range(100):
        used = coast_nodes(x[i], 0.0, _descents()[i].impact_s, float(beta[i]), room)
        off.append(_between(room[:used].copy(), x[i], float(beta[i])))
        count += used
    return Measured(max(off), note=f"worst of 100; {count / 100:.0f} nodes a flight on average")


# what is left out


def _moved(change: dict[str, int], arc: int) -> float:
    x, beta = arcs(_ARCS)
    d, e = _descents()[arc], descend(x[arc], 0.0, THETA0, FreeBody(float(beta[arc]), **change))
    return float(geodesics.inverse(d.lat, d.lon, e.lat, e.lon)[0])


@book.row(
    "size of what gravity to J2 leaves out: J3 and J4, shift of the impact, 200 arcs", target=at_most(1000.0), unit="m",
    source="the same arcs with degree 4",
)  # fmt: skip
def zonal_left_out() -> Measured:
    off = np.array([_moved({"degree": 4}, i) for i in range(200)])
    return Measured(float(off.max()), note=_spread(off, ""))


@book.row(
    "size of what all zonal gravity leaves out: the equator's ellipticity (C22, S22), shift of the impact, 40 arcs",
    target=at_most(1000.0), unit="m", source="SciPy DOP853 with C22 and S22 of EGM96, without air",
)  # fmt: skip
def sectorial_left_out() -> Measured:
    off = np.array([_sectorial(i) for i in range(40)])
    return Measured(float(off.max()), note=_spread(off, ""))


def _sectorial(arc: int) -> float:
    """How far (m) the equator's ellipticity moves a flight without air until the impact it has without."""
    from scipy.integrate import solve_ivp

    # normalised EGM96 coefficients; V22 = mu/r (a/r)^2 sqrt(5/12) 3 (C (x2 - y2) + 2 S x y) / r^2, x and y Earth-fixed
    c, s = (3.0 * math.sqrt(5.0 / 12.0) * v for v in (2.43914352398e-6, -1.40016683654e-6))
    x, _ = arcs(_ARCS)
    end = descend(x[arc], 0.0, THETA0, FreeBody(0.0)).impact_s

    def slope(t: float, y: Array) -> list[float]:
        ax, ay, az = gravity(y[0], y[1], y[2])
        theta = THETA0 + OMEGA_GMST * t
        ct, st = math.cos(theta), math.sin(theta)
        fx, fy, fz = ct * y[0] + st * y[1], -st * y[0] + ct * y[1], y[2]
        r2 = fx * fx + fy * fy + fz * fz
        k = MU * A * A / r2**2.5
        q = 5.0 * (c * (fx * fx - fy * fy) + 2.0 * s * fx * fy) / r2
        gx, gy, gz = (k * (2.0 * (c * fx + s * fy) - q * fx), k * (2.0 * (s * fx - c * fy) - q * fy), -k * q * fz)
        return [y[3], y[4], y[5], ax + ct * gx - st * gy, ay + st * gx + ct * gy, az + gz]

    moved = solve_ivp(slope, (0.0, end), x[arc], "DOP853", rtol=1e-11, atol=1e-5).y[:, -1]
    still = carry(x[arc], 0.0, end, FreeBody(0.0))
    return float(np.linalg.norm(moved[:3] - still[:3]))


@book.row(
    "height inside the fast propagator, up to 1,500 km", target=at_most(0.1), unit="m",
    source="full geodetic conversion",
)  # fmt: skip
def heights() -> Measured:
    generator = np.random.default_rng(5)
    worst = 0.0
    for _ in range(2000):
        h = generator.uniform(0.0, 1.5e6)
        place = geodetic_to_ecef([math.asin(generator.uniform(-1, 1)), generator.uniform(-3, 3), h])
        worst = max(worst, abs(height_of(place[0], place[1], place[2]) - h))
    return Measured(worst, note="worst of 2,000")
