"""Free flight to the millimetre: the precise integrator beside the fast one in ``kernels``.

DOP853 (see ``dop853``) with step control. Forces: zonal gravity of degree 0 to 4; drag ``factor(Mach) rho v^2 / (2
beta)`` against air that turns with the Earth; on request lift, a constant part of the drag, in the plane of velocity
and vertical, turned about the velocity by a bank angle. Heights are geodetic throughout.

The standard atmosphere and a drag table have kinks, at which a method of order 8 falls back to order 2. No step leads
over one: each is taken with the formulas of one layer, cut where it leaves the layer, and the next one begins with the
formulas of the next. Apogee, atmospheric entry and impact are cut in the same way, so that each is an end of a step;
the time of a cut is found by repeating the step with other lengths until it stands to 1e-9 s.

States are eci (m, m/s), times float seconds on the caller's clock, ``theta0`` the sidereal angle at its zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.dynamics.dop853 import E3, E5, STAGES, A, B
from tocsin.earth.atmosphere import EDGES, EMPTY, density_in, speed_of_sound_in
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.gravity import zonal_gravity
from tocsin.earth.jit import kernel
from tocsin.earth.wgs84 import E2, EP2, MU, geodetic_of
from tocsin.earth.wgs84 import A as EQUATOR
from tocsin.earth.wgs84 import B as POLE

Array = NDArray[np.float64]

ENTRY_HEIGHT = 100_000.0
_MOST_STEPS = 400_000
_LEAST_RADIUS, _MOST_SPEED = 6.0e6, 1.0e5
_CUT_S = 1e-9  # to which the time of a cut is found
_NODE_MISFIT = 0.05  # m, between two nodes' quintic and the integration, in the middle where it is worst
_LONGEST_STEP = 300.0  # s, for the nodes' sake and that no slow growth of errors goes unseen
_SHARE = 0.2  # of the tolerance, to one step: errors of many steps add up and grow on the way down
_DONE, _TOO_MANY = 0, 1


class NotFinite(ValueError):  # noqa: N818 - the name says what is wrong
    """A state, time or parameter that is no number or absurd."""


@dataclass(frozen=True)
class FreeBody:
    """What flies: ``beta`` ballistic coefficient (kg/m2; zero or less: no drag); ``drag_mach``: pairs (Mach number
    rising, factor on the drag), linear between them and constant outside, empty for none; ``degree``: highest zonal
    harmonic of gravity, 0 (point mass), 2, 3 or 4; ``lift``: lift over drag; ``bank`` (rad): how far the lift is turned
    about the velocity from upwards to the right.

    Raises NotFinite or ValueError for what is none.
    """

    beta: float
    drag_mach: tuple[tuple[float, float], ...] = ()
    degree: int = 2
    lift: float = 0.0
    bank: float = 0.0

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name, value in (("beta", self.beta), ("lift", self.lift), ("bank", self.bank)):
            if not math.isfinite(value):
                raise NotFinite(f"{name} must be a finite number, found {value}")
        if self.degree not in {0, 2, 3, 4}:
            raise ValueError(f"degree must be 0, 2, 3 or 4, found {self.degree}")
        last = -1.0
        for i, (mach, factor) in enumerate(self.drag_mach):
            if not (math.isfinite(mach) and math.isfinite(factor) and factor >= 0.0 and mach >= 0.0):
                raise NotFinite(f"drag_mach[{i}] must be a Mach number and a factor, both >= 0, found {mach}, {factor}")
            if mach <= last:
                raise ValueError(f"drag_mach[{i}]: Mach numbers must rise, found {mach} after {last}")
            last = mach


@dataclass(frozen=True)
class Descent:
    """A free flight followed to the ellipsoid, or for the longest time allowed if it does not come down (``hit``
    False; what did not happen is nan).

    ``nodes (m, 10)``: time (s, the caller's clock), state (eci), acceleration, for ``Ephemeris``; ``apogee``: the
    highest height (m) from the start on, at ``apogee_s``; ``entry_s``: when it first sinks through the entry height,
    with ``entry_speed`` (m/s over the ground) and ``entry_angle`` (rad, of that velocity over the horizon, negative);
    ``impact_s``, ``lat``, ``lon`` (rad), ``impact_speed`` (m/s over the ground).
    """

    hit: bool
    nodes: Array
    apogee_s: float
    apogee: float
    entry_s: float
    impact_s: float
    lat: float
    lon: float
    impact_speed: float
    entry_speed: float
    entry_angle: float


@kernel
def upright(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Geodetic height (m) and the unit vector up there, by one round of Bowring's method: nanometres near the Earth."""
    p = math.sqrt(x * x + y * y)
    a, b = z * EQUATOR, p * POLE
    w = 1.0 / math.sqrt(a * a + b * b)
    sb, cb = a * w, b * w
    a, b = z + EP2 * POLE * sb * sb * sb, p - E2 * EQUATOR * cb * cb * cb
    w = 1.0 / math.sqrt(a * a + b * b)
    s, c = a * w, b * w
    h = p * c + z * s - EQUATOR * math.sqrt(1.0 - E2 * s * s)
    across = c / p if p > 1e-6 else 0.0
    return h, across * x, across * y, s


@kernel
def _mach_factor(mach: Array, part: int, at: float) -> float:
    """Factor on the drag by the straight line of one part of the table (part i lies under its Mach number i)."""
    n = mach.shape[0]
    if part == 0:
        return float(mach[0, 1])
    if part == n:
        return float(mach[n - 1, 1])
    m0, f0, m1, f1 = mach[part - 1, 0], mach[part - 1, 1], mach[part, 0], mach[part, 1]
    factor: float = f0 + (at - m0) * (f1 - f0) / (m1 - m0)
    return max(factor, 0.0)


@kernel
def _mach_of(y: Array, layer: int) -> float:
    ux, uy, uz = y[3] + OMEGA_GMST * y[1], y[4] - OMEGA_GMST * y[0], y[5]
    h, _, _, _ = upright(y[0], y[1], y[2])
    return math.sqrt(ux * ux + uy * uy + uz * uz) / float(speed_of_sound_in(h, layer))


@kernel
def _slope(y: Array, body: Array, mach: Array, layer: int, part: int, out: Array) -> None:
    """Derivative of a state by time, with the formulas of one layer and one part of the drag table, into ``out``.

    ``body``: beta, degree, lift times the cosine and the sine of the bank.
    """
    ax, ay, az = zonal_gravity(y[0], y[1], y[2], int(body[1]))
    if body[0] > 0.0 and layer < EMPTY:
        h, nx, ny, nz = upright(y[0], y[1], y[2])
        ux, uy, uz = y[3] + OMEGA_GMST * y[1], y[4] - OMEGA_GMST * y[0], y[5]
        speed = math.sqrt(ux * ux + uy * uy + uz * uz)
        drag = 0.5 * density_in(h, layer) * speed / body[0]
        if mach.shape[0] > 0:
            drag *= _mach_factor(mach, part, speed / speed_of_sound_in(h, layer))
        ax -= drag * ux
        ay -= drag * uy
        az -= drag * uz
        if body[2] != 0.0 or body[3] != 0.0:
            # up without its part along the velocity; there is no such direction in a vertical flight, and no lift
            along = (nx * ux + ny * uy + nz * uz) / max(speed * speed, 1e-12)
            nx, ny, nz = nx - along * ux, ny - along * uy, nz - along * uz
            size = math.sqrt(nx * nx + ny * ny + nz * nz)
            if size > 1e-9 and speed > 0.0:
                lifting, aside = drag * speed * body[2] / size, drag * body[3] / size
                ax += lifting * nx + aside * (uy * nz - uz * ny)
                ay += lifting * ny + aside * (uz * nx - ux * nz)
                az += lifting * nz + aside * (ux * ny - uy * nx)
    out[0], out[1], out[2], out[3], out[4], out[5] = y[3], y[4], y[5], ax, ay, az


@kernel
def _step(
    y: Array, dt: float, body: Array, mach: Array, layer: int, part: int, tolerance: float, k: Array, t6: Array,
    out: Array,
) -> float:  # fmt: skip
    """One step into ``out``; ``k[0]`` holds the slope at ``y`` and the others are written, ``t6`` is room for a state.

    Returns the estimated error over the allowed one. Allowed are ``tolerance`` of the distance from the Earth's centre
    and of a velocity that does not vanish with the body's own.
    """
    for i in range(1, STAGES):
        for j in range(6):
            s = 0.0
            for m in range(i):
                s += A[i, m] * k[m, j]
            t6[j] = y[j] + dt * s
        _slope(t6, body, mach, layer, part, k[i])
    r2 = y[0] * y[0] + y[1] * y[1] + y[2] * y[2]
    v2 = y[3] * y[3] + y[4] * y[4] + y[5] * y[5] + MU / math.sqrt(r2)
    five, three = 0.0, 0.0
    for j in range(6):
        s, e5, e3 = 0.0, 0.0, 0.0
        for m in range(STAGES):
            s += B[m] * k[m, j]
            e5 += E5[m] * k[m, j]
            e3 += E3[m] * k[m, j]
        out[j] = y[j] + dt * s
        allowed2 = tolerance * tolerance * (r2 if j < 3 else v2)
        five += e5 * e5 / allowed2
        three += e3 * e3 / allowed2
    if five == 0.0 and three == 0.0:
        return 0.0
    return abs(dt) * five / math.sqrt(6.0 * (five + 0.01 * three))


@kernel
def _beyond(kind: int, y: Array, layer: int, bound: float) -> float:
    """What changes its sign where a step is to be cut: the rate of climb (kind 0), the height (1) or the Mach number
    (2) over its bound.
    """
    if kind == 2:
        return _mach_of(y, layer) - bound
    h, nx, ny, nz = upright(y[0], y[1], y[2])
    if kind == 1:
        return h - bound
    climb: float = nx * y[3] + ny * y[4] + nz * y[5]
    return climb


@kernel
def _cut(
    kind: int, bound: float, y: Array, dt: float, body: Array, mach: Array, layer: int, part: int, k: Array, t6: Array,
    out: Array,
) -> float:  # fmt: skip
    """Length of the step from ``y`` at whose end ``_beyond`` is zero, between 0 and ``dt`` (whose end is in ``out``),
    and its end into ``out``; 0 where it is already beyond at the start.

    Secants, kept inside their bracket.
    """
    high = dt
    g_high = _beyond(kind, out, layer, bound)
    low, g_low = 0.0, _beyond(kind, y, layer, bound)
    if g_low == 0.0 or (g_low > 0.0) == (g_high > 0.0):
        for j in range(6):
            out[j] = y[j]
        return 0.0
    before, g_before, d, g = low, g_low, high, g_high
    for _ in range(100):
        new = d - g * (d - before) / (g - g_before) if g != g_before else 0.5 * (low + high)
        if not min(low, high) < new < max(low, high):
            new = 0.5 * (low + high)
        before, g_before = d, g
        d = new
        _step(y, d, body, mach, layer, part, 1.0, k, t6, out)
        g = _beyond(kind, out, layer, bound)
        if (g > 0.0) == (g_low > 0.0):
            low = d
        else:
            high = d
        if g == 0.0 or abs(d - before) < _CUT_S or abs(high - low) < _CUT_S:
            break
    return d


@kernel
def _grown(rows: Array) -> Array:
    more = np.empty((2 * rows.shape[0], rows.shape[1]))
    for i in range(rows.shape[0]):
        for j in range(rows.shape[1]):
            more[i, j] = rows[i, j]
    return more


@kernel
def _misfit(y: Array, k0: Array, out: Array, k_out: Array, dt: float, middle: Array) -> float:
    """How far (m) the quintic through both ends of a step lies from the integration in the middle of it."""
    s = 0.0
    for j in range(3):
        q = 0.5 * (y[j] + out[j]) + dt * (5.0 / 32.0) * (y[3 + j] - out[3 + j])
        q += dt * dt / 64.0 * (k0[3 + j] + k_out[3 + j])
        s += (q - middle[j]) ** 2
    return math.sqrt(s)


@kernel
def _fly(
    x6: Array, t0: float, t1: float, body: Array, mach: Array, tolerance: float, entry_height: float, to_ground: bool,
    with_nodes: bool, state: Array, found: Array,
) -> tuple[int, Array]:  # fmt: skip
    """Follow a flight from ``t0`` to ``t1`` (later or earlier), or to the ground; the last state into ``state``.

    ``found`` (8), nan what did not happen: impact time, apogee time, apogee, entry time, speed at entry, its angle over
    the horizon, end time, steps. Returns 0 and the nodes, or 1 if it took too many steps.
    """
    for i in range(8):
        found[i] = np.nan
    nodes = np.empty((64 if with_nodes else 1, 10))
    used = 0
    y, out, t6, middle = np.empty(6), np.empty(6), np.empty(6), np.empty(6)
    k, side = np.empty((STAGES, 6)), np.empty((STAGES, 6))
    for j in range(6):
        y[j] = x6[j]
    sign = 1.0 if t1 >= t0 else -1.0

    # the heights at which steps are cut, rising; interval i lies under levels[i] and has layer layers[i]
    count = 2 + (EDGES.shape[0] if body[0] > 0.0 else 0)
    levels = np.empty(count)
    levels[0], levels[1] = 0.0, entry_height
    for i in range(2, count):
        levels[i] = EDGES[i - 2]
    levels.sort()
    ground = 0
    while levels[ground] != 0.0:
        ground += 1
    layers = np.zeros(count + 1, np.int64)
    for i in range(count + 1):
        # a height inside the interval
        if i == 0:
            inside = levels[0] - 1.0
        elif i == count:
            inside = levels[count - 1] + 1.0
        else:
            inside = 0.5 * (levels[i - 1] + levels[i])
        while layers[i] < EDGES.shape[0] and inside >= EDGES[layers[i]]:
            layers[i] += 1

    h, _, _, _ = upright(y[0], y[1], y[2])
    rising = sign * _beyond(0, y, 0, 0.0) >= 0.0
    at = 0
    while at < count and (h > levels[at] or (h == levels[at] and rising)):
        at += 1
    layer = layers[at]
    part = 0
    parts = mach.shape[0]
    if parts > 0:
        now = _mach_of(y, layer)
        while part < parts and now >= mach[part, 0]:
            part += 1
    if not rising:
        found[1], found[2] = t0, h
    t = t0
    dt = sign * 10.0
    rests = 0  # how many cuts at the very start of a step, one after another
    _slope(y, body, mach, layer, part, k[0])
    done = to_ground and not rising and at <= ground
    if done:
        found[0] = t
    elif t0 == t1:
        done = True
    refused = False
    if with_nodes:
        nodes[0, 0] = t
        for j in range(6):
            nodes[0, 1 + j] = y[j]
        for j in range(3):
            nodes[0, 7 + j] = k[0, 3 + j]
        used = 1
    steps = 0
    while not done:
        steps += 1
        if steps > _MOST_STEPS:
            return _TOO_MANY, nodes[:used]
        if abs(dt) > _LONGEST_STEP:
            dt = sign * _LONGEST_STEP
        last = (t1 - (t + dt)) * sign <= 0.0
        took = t1 - t if last else dt
        error = _step(y, took, body, mach, layer, part, _SHARE * tolerance, k, t6, out)
        if not error <= 1.0:  # also what is no number
            dt = took * (max(0.2, 0.9 * error**-0.125) if error < 1e8 else 0.2)
            refused = True
            continue
        grow = 5.0 if error < 1e-7 else min(5.0, 0.9 * error**-0.125)
        if with_nodes:
            for j in range(6):
                side[0, j] = k[0, j]
            _step(y, 0.5 * took, body, mach, layer, part, 1.0, side, t6, middle)
            _slope(out, body, mach, layer, part, side[1])
            apart = _misfit(y, k[0], out, side[1], took, middle) / _NODE_MISFIT
            if not apart <= 1.0:
                dt = took * max(0.2, 0.9 * apart ** (-1.0 / 6.0))
                refused = True
                continue
            grow = min(grow, 0.9 * max(apart, 1e-6) ** (-1.0 / 6.0))
        # what the next step may be; one that had to be cut says nothing about it
        if not last or abs(took) * grow > abs(dt):
            dt = took * (min(grow, 1.0) if refused else grow)
        refused = False

        # the first of what changes inside the step: each cut leaves a shorter step for the next question
        event = 0
        if (sign * _beyond(0, out, layer, 0.0) >= 0.0) != rising:
            took = _cut(0, 0.0, y, took, body, mach, layer, part, k, t6, out)
            event = 1
        if rising and at < count:
            if _beyond(1, out, layer, levels[at]) >= 0.0:
                took = _cut(1, levels[at], y, took, body, mach, layer, part, k, t6, out)
                event = 2
        elif not rising and at > 0 and _beyond(1, out, layer, levels[at - 1]) < 0.0:
            took = _cut(1, levels[at - 1], y, took, body, mach, layer, part, k, t6, out)
            event = 3
        if parts > 0 and layer < EMPTY and rests < 4:
            if part < parts and _beyond(2, out, layer, mach[part, 0]) > 0.0:
                took = _cut(2, mach[part, 0], y, took, body, mach, layer, part, k, t6, out)
                event = 4
            elif part > 0 and _beyond(2, out, layer, mach[part - 1, 0]) < 0.0:
                took = _cut(2, mach[part - 1, 0], y, took, body, mach, layer, part, k, t6, out)
                event = 5

        rests = rests + 1 if took == 0.0 else 0
        t = t1 if last and event == 0 else t + took
        for j in range(6):
            y[j] = out[j]
        if event == 1:
            rising = not rising
            h, _, _, _ = upright(y[0], y[1], y[2])
            if not rising and not h <= found[2]:
                found[1], found[2] = t, h
            if not rising and to_ground and at <= ground:
                found[0] = t
                done = True
        elif event == 2:
            at += 1
        elif event == 3:
            at -= 1
            if levels[at] == entry_height and np.isnan(found[3]):
                _, nx, ny, nz = upright(y[0], y[1], y[2])
                ux, uy, uz = y[3] + OMEGA_GMST * y[1], y[4] - OMEGA_GMST * y[0], y[5]
                found[3] = t
                found[4] = math.sqrt(ux * ux + uy * uy + uz * uz)
                found[5] = math.asin(min(max((nx * ux + ny * uy + nz * uz) / found[4], -1.0), 1.0))
            if to_ground and at == ground:
                found[0] = t
                done = True
        elif event == 4:
            part += 1
        elif event == 5:
            part -= 1
        layer = layers[at]
        if last and event == 0:
            done = True
        _slope(y, body, mach, layer, part, k[0])
        if with_nodes and (took * sign > 1e-6 or done):
            if used == nodes.shape[0]:
                nodes = _grown(nodes)
            if took * sign <= 1e-6 and used > 1:
                used -= 1
            nodes[used, 0] = t
            for j in range(6):
                nodes[used, 1 + j] = y[j]
            for j in range(3):
                nodes[used, 7 + j] = k[0, 3 + j]
            used += 1
    for j in range(6):
        state[j] = y[j]
    found[6], found[7] = t, float(steps)
    return _DONE, nodes[:used]


@kernel
def _carry_many(
    x: Array, t0: Array, t1: Array, beta: Array, body: Array, mach: Array, tolerance: float, out: Array
) -> int:
    found = np.empty(8)
    for i in range(x.shape[0]):
        body[0] = beta[i]
        status, _ = _fly(x[i], t0[i], t1[i], body, mach, tolerance, 100_000.0, False, False, out[i], found)
        if status != _DONE:
            return i
    return -1


def _checked(x: ArrayLike, tolerance: float, *times: float) -> Array:
    """The states ``(n, 6)``, if they and the times can be flown."""
    states = np.array(x, dtype=np.float64, order="C", ndmin=2)
    if states.ndim != 2 or states.shape[1] != 6:
        raise ValueError(f"expected states of 6 numbers, found shape {np.shape(x)}")
    for time in times:
        if not math.isfinite(time):
            raise NotFinite(f"times must be finite numbers, found {time}")
    if not 1e-14 <= tolerance <= 1e-4:
        raise ValueError(f"tolerance must lie between 1e-14 and 1e-4, found {tolerance}")
    for i, state in enumerate(states):
        if not np.all(np.isfinite(state)):
            raise NotFinite(f"state {i} must be finite numbers, found {state.tolist()}")
        radius, speed = float(np.sqrt(np.sum(state[:3] ** 2))), float(np.sqrt(np.sum(state[3:] ** 2)))
        if radius < _LEAST_RADIUS:
            raise ValueError(f"state {i} lies {radius / 1e3:.0f} km from the Earth's centre, at least 6,000 are needed")
        if speed > _MOST_SPEED:
            raise ValueError(f"state {i} moves at {speed / 1e3:.0f} km/s, at most 100 are allowed")
    return states


def _parameters(body: FreeBody) -> tuple[Array, Array]:
    numbers = np.array([
        body.beta, float(body.degree), body.lift * math.cos(body.bank), body.lift * math.sin(body.bank)
    ])  # fmt: skip
    return numbers, np.array(body.drag_mach, dtype=np.float64).reshape(-1, 2)


def descend(
    x6: ArrayLike,
    t0_s: float,
    theta0: float,
    body: FreeBody,
    longest_s: float = 43200.0,
    tolerance: float = 1e-10,
    entry_height: float = ENTRY_HEIGHT,
) -> Descent:
    """Follow the free flight of ``body`` from state ``x6`` (eci) at ``t0_s`` to the ellipsoid, for ``longest_s`` at
    most.

    ``theta0``: sidereal angle (rad) at time zero of the caller's clock. ``tolerance``: error allowed to five steps
    together, as part of the distance from the Earth's centre. Between its nodes a quintic is within 0.1 m of the
    integration. A state under the ellipsoid that rises is followed, one that sinks there has hit at once.

    Raises NotFinite for what is no number and ValueError for states inside the Earth (6,000 km), faster than 100 km/s
    or that take too many steps.
    """
    state = _checked(x6, tolerance, t0_s, theta0, longest_s, entry_height)[0]
    if longest_s < 0.0:
        raise ValueError(f"longest_s must not be negative, found {longest_s}")
    numbers, mach = _parameters(body)
    end, found = np.empty(6), np.empty(8)
    status, nodes = _fly(
        state, float(t0_s), float(t0_s) + float(longest_s), numbers, mach, float(tolerance), float(entry_height), True,
        True, end, found,
    )  # fmt: skip
    if status != _DONE:
        raise ValueError(f"the flight takes more than {_MOST_STEPS} steps; is its beta of {body.beta} kg/m2 right?")
    impact, apogee_s, apogee, entry, entry_speed, entry_angle = (float(v) for v in found[:6])
    hit = not math.isnan(impact)
    lat = lon = speed = math.nan
    if hit:
        lat, lon, _ = geodetic_of(float(end[0]), float(end[1]), float(end[2]))
        lon -= theta0 + OMEGA_GMST * impact
        lon -= 2.0 * math.pi * math.floor(lon / (2.0 * math.pi) + 0.5)
        speed = math.sqrt(
            float((end[3] + OMEGA_GMST * end[1]) ** 2 + (end[4] - OMEGA_GMST * end[0]) ** 2 + end[5] ** 2)
        )
    return Descent(hit, np.array(nodes), apogee_s, apogee, entry, impact, lat, lon, speed, entry_speed, entry_angle)


def carry(x6: ArrayLike, t0_s: float, t1_s: float, body: FreeBody, tolerance: float = 1e-10) -> Array:
    """State (eci) at ``t1_s``, later or earlier, of a body in free flight that has state ``x6`` at ``t0_s``.

    The ground does not stop it. Raises as ``descend``.
    """
    state = _checked(x6, tolerance, t0_s, t1_s)[0]
    numbers, mach = _parameters(body)
    end = np.empty(6)
    status, _ = _fly(
        state, float(t0_s), float(t1_s), numbers, mach, float(tolerance), ENTRY_HEIGHT, False, False, end, np.empty(8)
    )
    if status != _DONE:
        raise ValueError(f"the flight takes more than {_MOST_STEPS} steps; is its beta of {body.beta} kg/m2 right?")
    return end


def carry_many(
    x: ArrayLike,
    t0_s: ArrayLike,
    t1_s: ArrayLike,
    beta: ArrayLike,
    drag_mach: tuple[tuple[float, float], ...] = (),
    degree: int = 2,
    tolerance: float = 1e-10,
) -> Array:
    """States ``(n, 6)`` at ``t1_s`` of bodies with states ``x (n, 6)`` at ``t0_s``; times and ``beta`` are one value or
    one a row.

    The ground does not stop them. Raises as ``descend``, naming the row.
    """
    states = _checked(x, tolerance)
    n = len(states)
    rows = []
    for name, values in (("t0_s", t0_s), ("t1_s", t1_s), ("beta", beta)):
        row = np.array(np.broadcast_to(np.asarray(values, dtype=np.float64), (n,)))
        for i in np.flatnonzero(~np.isfinite(row))[:1]:
            raise NotFinite(f"{name} of state {i} must be a finite number, found {row[i]}")
        rows.append(row)
    numbers, mach = _parameters(FreeBody(0.0, drag_mach, degree))
    out = np.empty((n, 6))
    wrong = _carry_many(states, rows[0], rows[1], rows[2], numbers, mach, float(tolerance), out)
    if wrong >= 0:
        raise ValueError(
            f"state {wrong} takes more than {_MOST_STEPS} steps; is its beta of {rows[2][wrong]} kg/m2 right?"
        )
    return out
