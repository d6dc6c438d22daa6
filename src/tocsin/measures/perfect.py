"""The perfect observer: what the same sensors would know if nothing but geometry stood in the way.

Same places, sectors, ranges, horizons, lines of sight, Sun and outages; but it looks at all times, detects for certain
and at once, and invents nothing. A plume is seen while it burns above the clouds, a warm body only by satellites that
can see such at all. It is the physical limit: no centre with these sensors can know of an object sooner. Seen so: by
each partner with its own sensors, and by all of them pooled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.orbit import orbit_states
from tocsin.earth.frames import theta_at, to_ecef
from tocsin.earth.jit import kernel
from tocsin.earth.sun import sun_direction_ecef
from tocsin.measures import coverage_kernels as k
from tocsin.measures.coverage import Pack, pack, spans_of
from tocsin.records.arrow import column, texts
from tocsin.scenario.specs import Infrared, WorldSpec
from tocsin.truth.body import Body, bodies_ephemeris
from tocsin.truth.draw import draw_bodies

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
POOLED = "pooled"
_CERTAIN = 1e60  # a power against which no distance counts


@dataclass(frozen=True)
class Sight:
    """What one observer sees of one object: s since the epoch; ``first_sensor``: id; times None if it sees nothing."""

    observer: str
    object: str
    first_s: float | None
    first_sensor: str
    last_s: float | None
    seen_s: float
    longest_gap_s: float


@kernel
def _sights(
    t: Floats, p: Floats, burning: Flags, orbit: Floats, sun: Floats, par: Floats, site: Floats, axes: Floats,
    limits: Floats, faces: Floats, face_start: NDArray[np.int64], terrain: Floats, terrain_start: NDArray[np.int64],
    spans: Floats, span_start: NDArray[np.int64], out: Flags,
) -> None:  # fmt: skip
    for i in range(t.shape[0]):
        plume = 1.0 if burning[i] else 0.0
        for j in range(par.shape[0]):
            out[i, j] = k.look(
                j, t[i], p[i], par, site, axes, limits, faces, face_start, terrain, terrain_start, orbit[j], i,
                sun[i], spans, span_start, 1.0, plume, 1.0, False,
            )  # fmt: skip


def _certain(packed: Pack) -> Pack:
    par = packed.par.copy()
    par[:, k.S_POWER] = _CERTAIN
    par[:, k.S_BODY] = np.where(par[:, k.S_BODY] > 0.0, _CERTAIN, 0.0)
    return replace(packed, par=par)


def in_view(world: WorldSpec, body: Body, paths: Ephemeris, row: int, step_s: float = 1.0) -> tuple[Floats, Flags]:
    """Times (s since the epoch, ``(n,)``) of a body's flight within the scenario, and which sensors have it in view at
    each ``(n, sensors)``.
    """
    first, last = paths.span(row)
    first, last = max(first, 0), min(last, world.duration_ns)
    step = round(step_s * 1e9)
    if last < first:
        return np.empty(0), np.empty((0, len(world.sensors)), dtype=np.bool_)
    t_ns = np.arange(first, last + 1, step, dtype=np.int64)
    theta = np.array([theta_at(world.theta0, int(x)) for x in t_ns])
    x = paths.states(np.full(len(t_ns), row, dtype=np.int64), t_ns)
    p = np.ascontiguousarray(to_ecef(np.ascontiguousarray(x[:, :3]), theta))
    burning = np.zeros(len(t_ns), dtype=np.bool_)
    for t0, t1, _ in body.burns:
        burning |= (t_ns >= t0) & (t_ns < t1)
    orbit = np.zeros((len(world.sensors), len(t_ns), 3))
    for j, sensor in enumerate(world.sensors):
        if isinstance(sensor.model, Infrared):
            orbit[j] = to_ecef(np.ascontiguousarray(orbit_states(sensor.model.orbit, t_ns)[:, :3]), theta)
    minute = (t_ns - t_ns[0]) // 60_000_000_000  # the Sun moves by a quarter of a degree a minute
    suns = np.array(
        [sun_direction_ecef(world.unix_ns + int(t_ns[0]) + int(m) * 60_000_000_000) for m in np.unique(minute)]
    )
    sun = np.ascontiguousarray(suns[np.searchsorted(np.unique(minute), minute)])
    packed = _certain(pack(world.sensors))
    spans, span_start = spans_of(world, world.sensors, 0, dimming=False)
    t = t_ns / 1e9
    out = np.zeros((len(t), len(world.sensors)), dtype=np.bool_)
    _sights(
        t, p, burning, orbit, sun, packed.par, packed.site, packed.axes, packed.limits, packed.faces,
        packed.face_start, packed.terrain, packed.terrain_start, spans, span_start, out,
    )  # fmt: skip
    return t, out


def _sight(observer: str, body: Body, t: Floats, seen: Flags, ids: Sequence[str], step_s: float) -> Sight:
    any_ = seen.any(axis=1) if seen.shape[1] else np.zeros(len(t), dtype=np.bool_)
    at = np.flatnonzero(any_)
    if not len(at):
        return Sight(observer, body.id, None, "", None, 0.0, 0.0)
    who = ids[int(np.argmax(seen[at[0]]))]
    # from one look to the next is no gap
    gap = float(np.diff(t[at]).max()) if len(at) > 1 else 0.0
    return Sight(
        observer, body.id, float(t[at[0]]), who, float(t[at[-1]]), len(at) * step_s, gap if gap > 1.5 * step_s else 0.0
    )


def perfect(world: WorldSpec, step_s: float = 1.0) -> tuple[Sight, ...]:
    """What each nation would see with its own sensors, and all with all (``POOLED``), object by object.

    ``step_s``: between looks. Raises ObjectsImpossible as ``truth.draw`` does, ValueError for a step that is not
    positive.
    """
    if not (math.isfinite(step_s) and step_s >= 1e-3):
        raise ValueError(f"a step of {step_s} s; at least 0.001 s is allowed")
    bodies = draw_bodies(world)
    paths = bodies_ephemeris(bodies)
    ids = [s.id for s in world.sensors]
    members = {nation: [j for j, s in enumerate(world.sensors) if s.partner == nation] for nation in world.nations}
    members[POOLED] = list(range(len(ids)))
    made = []
    for row, body in enumerate(bodies):
        t, seen = in_view(world, body, paths, row, step_s)
        for observer, own in members.items():
            made.append(_sight(observer, body, t, seen[:, own], [ids[j] for j in own], step_s))
    return tuple(made)


def perfect_table(sights: Sequence[Sight]) -> pa.Table:
    """The sights as a table."""
    return pa.table(
        {
            "observer": texts([s.observer for s in sights]),
            "object": texts([s.object for s in sights]),
            "first_s": column([s.first_s for s in sights], pa.float64()),
            "first_sensor": texts([s.first_sensor for s in sights]),
            "last_s": column([s.last_s for s in sights], pa.float64()),
            "seen_s": column([s.seen_s for s in sights], pa.float64()),
            "longest_gap_s": column([s.longest_gap_s for s in sights], pa.float64()),
        }
    )
