"""Cueing: which of its own sensors a centre asks to look where, from its own tracks and on a partner's word.

Only radars whose scheduling is ``cued`` take tasks. For each thing that a centre knows of it asks those that will have
it in view soon, by what is declared of them (sector, elevations, range, and whether their longest look would find it),
to look where it will be:

- an **own track** that is confirmed, by its predicted state and covariance;
- a **partner's warning** of which there is no own track: the free arc from the end of its burning (by what is believed
  of the classes that the partner names, else of those that fly as far) to the point of impact (``lambert``), with the
  spread that the launch and impact estimates, their times and the classes leave. A word without a point of impact and
  its time says too little to look anywhere.

A task stands for two of the radar's scans and is said anew when half of that is over. A radar that keeps what it has
found in track by itself is not told of what it sees. A task names no more than a radar can search: beyond ``VAGUE`` of
spread, or beyond ``MOST`` tasks for one radar, nothing is asked (own tracks first, then in order of hearing).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to
from tocsin.dynamics.lambert import lambert
from tocsin.earth.clock import NS, to_ns
from tocsin.earth.frames import OMEGA_GMST, ecef_from_eci, to_eci
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.wgs84 import geodetic_to_ecef
from tocsin.records.columns import Life, Table, unpack_symmetric
from tocsin.records.shapes import Estimate, Task, WarningVersion
from tocsin.scenario.specs import FlightClass, NationSpec, Radar
from tocsin.warning.evidence import in_sector, look_angles, look_snr, single_look

Floats = NDArray[np.float64]

VAGUE = 100e3  # m, 1 sigma: what is known no better is not worth a radar's time
MOST = 32  # tasks for one radar at a time
MOST_HEARD = 64  # partners' warnings that are kept
LONGEST_LOOK = 16.0  # dwells: what a radar spends at most on a single look
_HOPE = 0.1  # probability that such a look detects, under which nobody asks for it
_LEAST_NS, _MOST_NS = 10 * NS, 120 * NS  # that a task stands
_STEEP = 40.0  # m/s2: what thrust may add to a free prediction of what may still burn
_BURNOUT_S = 2.0  # s, 1 sigma: of an end of thrust that a partner has worked out
_LIKELY = 0.02  # share of a class that is not left out
_LONGEST = 7200.0  # s: of a flight from launch to impact that anybody reports
_SIGMAS = 3.0
_GIVENS = 9  # of an arc


@dataclass(frozen=True)
class Cue:
    """A task, and what it rests on: ("track", number) or ("envelope", "sender:n")."""

    task: Task
    cause: tuple[str, str]


@dataclass
class _Heard:
    """A partner's warning as last heard, and the message that brought it."""

    version: WarningVersion
    cause: str


@dataclass(frozen=True)
class _Arc:
    """A free flight (row 0) and what it would be with each of its uncertain givens one sigma off: states at ``t``."""

    x: Floats  # (k, 6)
    t: float
    end: float


@dataclass(frozen=True)
class _Place:
    """Where something is at a time (s), in free flight, and how well that is known some time later."""

    x: Floats
    spread: float
    about: str
    cause: tuple[str, str]


class Cueing:
    """The cues of one nation. ``spec``: what it is told; sensors that take no tasks change nothing."""

    def __init__(self, spec: NationSpec) -> None:
        self._nation = spec.id
        self._theta0 = spec.theta0
        self._classes = {c.id: c for c in spec.classes}
        self._rcs = max((max(c.rcs.nominal, c.rcs_boost.nominal) for c in spec.classes), default=1.0)
        self._radars = [
            (s.n, s.id, s.model) for s in spec.sensors if isinstance(s.model, Radar) and s.model.scheduling == "cued"
        ]
        self._heard: dict[str, _Heard] = {}
        self._standing: dict[tuple[str, str], int] = {}  # (sensor, about) to when it is said anew or let go
        self._seen: dict[tuple[int, int], int] = {}  # (track, sensor) to when it last took part
        self._arcs: dict[str, tuple[int, _Arc | None]] = {}  # of partners' warnings by uid, with the version

    def step(
        self,
        t_ns: int,
        tracks: Table,
        associations: Table,
        newest: dict[str, WarningVersion],
        received: Sequence[tuple[str, WarningVersion]] = (),
    ) -> list[Cue]:
        """What to ask for at the end of a frame.

        ``tracks``, ``associations``: of the pipeline that all own sensors feed; ``newest``: its open warnings by uid;
        ``received``: partners' warnings that came in this frame, each with "sender:n" of its message.
        """
        if not self._radars:
            return []
        self._listen(t_ns, received)
        for row in associations:
            self._seen[int(row["track"]), int(row["sensor"])] = t_ns
        own = {w.partner for w in newest.values() if w.partner is not None and w.track is not None}
        cues: list[Cue] = []
        for n, sensor, radar in self._radars:
            hold = min(max(2 * to_ns(radar.scan_period), _LEAST_NS), _MOST_NS)
            # what is let go of its own accord makes room
            left = {k: t for k, t in self._standing.items() if k[0] != sensor or t > t_ns}
            room = MOST - sum(k[0] == sensor for k in left)
            self._standing = left
            for place in self._places(t_ns, hold, n, radar, tracks, own):
                if room <= 0:
                    break
                if (sensor, place.about) in self._standing or not self._in_view(radar, place, t_ns, hold):
                    continue
                state = tuple(float(v) for v in place.x)
                task = Task(sensor, t_ns, t_ns + hold, state, place.spread, place.about)  # type: ignore[arg-type]
                cues.append(Cue(task, place.cause))
                self._standing[sensor, place.about] = t_ns + hold // 2
                room -= 1
        alive = {int(row["track"]) for row in tracks}
        self._seen = {k: t for k, t in self._seen.items() if k[0] in alive}
        return cues

    def _listen(self, t_ns: int, received: Sequence[tuple[str, WarningVersion]]) -> None:
        for cause, version in received:
            if version.status in ("cancelled", "closed"):
                self._heard.pop(version.uid, None)
                self._arcs.pop(version.uid, None)
                continue
            self._heard[version.uid] = _Heard(version, cause)
        over = [u for u, h in self._heard.items() if h.version.impact.t_ns is not None and h.version.impact.t_ns < t_ns]
        over += list(self._heard)[: max(0, len(self._heard) - len(over) - MOST_HEARD)]
        for uid in over:
            self._heard.pop(uid, None)
            self._arcs.pop(uid, None)

    def _places(self, t_ns: int, hold: int, n: int, radar: Radar, tracks: Table, own: set[str]) -> list[_Place]:
        """What there is to look for, own tracks first."""
        made = []
        kept = to_ns(radar.latency) + 3 * max(to_ns(radar.scan_period), to_ns(radar.track_period))
        for row in tracks:
            number = int(row["track"])
            if int(row["life"]) not in (Life.CONFIRMED, Life.COASTING):
                continue
            if radar.track_period > 0.0 and t_ns - self._seen.get((number, n), -kept - 1) <= kept:
                continue  # it holds that by itself
            place = _of_track(row, t_ns, hold)
            if place is not None:
                made.append(place)
        for uid, heard in self._heard.items():
            if uid in own:
                continue
            arc = self._arc(uid, heard.version)
            if arc is None or not arc.t <= t_ns / 1e9 < arc.end:
                continue
            place = self._on_arc(arc, t_ns, hold, uid, heard.cause)
            if place is not None:
                made.append(place)
        return made

    def _arc(self, uid: str, version: WarningVersion) -> _Arc | None:
        known = self._arcs.get(uid)
        if known is None or known[0] != version.version:
            known = self._arcs[uid] = (version.version, arc_of(version, self._classes, self._theta0))
        return known[1]

    def _on_arc(self, arc: _Arc, t_ns: int, hold: int, uid: str, cause: str) -> _Place | None:
        now, then = (_carried(arc.x, arc.t, t / 1e9) for t in (t_ns, t_ns + hold))
        apart = max(float(((x[1:, :3] - x[0, :3]) ** 2).sum()) for x in (now, then))
        spread = math.sqrt(apart)
        if not spread <= VAGUE:
            return None
        return _Place(now[0], spread, uid, ("envelope", cause))

    def _in_view(self, radar: Radar, place: _Place, t_ns: int, hold: int) -> bool:
        """Whether the radar has it in view, or will while the task stands, and could find it."""
        for ahead in (0, hold // 2, hold):
            t = (t_ns + ahead) / 1e9
            x = np.empty(6)
            coast_to(place.x, t_ns / 1e9, t, self._theta0, -1.0, x)
            ecef_from_eci(x, self._theta0 + OMEGA_GMST * t, x)
            if could_find(radar, x[:3].copy(), place.spread, self._rcs):
                return True
        return False

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        encode = msgspec.msgpack.encode
        return {
            "heard": [[h.cause, encode(h.version)] for h in self._heard.values()],
            "standing": [[*key, t] for key, t in self._standing.items()],
            "seen": [[*key, t] for key, t in self._seen.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        decoder = msgspec.msgpack.Decoder(WarningVersion)
        heard = [_Heard(decoder.decode(version), str(cause)) for cause, version in state["heard"]]
        self._heard = {h.version.uid: h for h in heard}
        self._standing = {(str(sensor), str(about)): int(t) for sensor, about, t in state["standing"]}
        self._seen = {(int(track), int(n)): int(t) for track, n, t in state["seen"]}
        self._arcs = {}


def could_find(radar: Radar, here: Floats, spread: float, rcs: float) -> bool:
    """Whether a radar's longest single look would find something of ``rcs`` (m2) that is within three ``spread`` (m) of
    ``here`` (3, ecef), with a tenth of probability, by what is declared of it.
    """
    r, azimuth, elevation = look_angles(here, radar.lat, radar.lon, radar.h)
    margin = _SIGMAS * spread
    if not radar.range_min - margin <= r <= radar.range_max + margin:
        return False
    wide = min(margin / max(r, 1.0), math.pi)
    if not radar.el_min - wide <= elevation <= radar.el_max + wide:
        return False
    width = (radar.sector[1] - radar.sector[0]) % (2.0 * math.pi)
    across = wide / max(math.cos(elevation), 0.05)
    all_round = width == 0.0 or width + 2.0 * across >= 2.0 * math.pi
    if not all_round and not in_sector(azimuth, radar.sector[0] - across, radar.sector[1] + across):
        return False
    longest = LONGEST_LOOK if radar.dwell > 0.0 else 1.0
    # of a place that is not well known the best of it counts: nearer, and on the boresight
    snr = look_snr(radar, max(r - margin, 1.0), azimuth, elevation, rcs, wide)
    return single_look(radar, longest * snr) >= _HOPE


def _of_track(row: Any, t_ns: int, hold: int) -> _Place | None:
    x = np.array(row["x"], dtype=np.float64)
    P = unpack_symmetric(np.asarray(row["P"], dtype=np.float64), 6)
    dt = hold / 1e9
    far = P[:3, :3] + dt * (P[:3, 3:] + P[3:, :3]) + dt * dt * P[3:, 3:]
    if not (np.isfinite(x).all() and np.isfinite(P).all()):
        return None
    variance = max(float(np.linalg.eigvalsh(m)[-1]) for m in (P[:3, :3], far))
    spread = math.sqrt(max(variance, 0.0))
    if float(row["mu"][0]) > 0.5:  # it may still burn
        spread += 0.5 * _STEEP * dt * dt
    if not spread <= VAGUE:
        return None
    number = int(row["track"])
    return _Place(x, spread, f"track {number}", ("track", str(number)))


def arc_of(version: WarningVersion, classes: dict[str, FlightClass], theta0: float) -> _Arc | None:
    """The free flight that a warning's launch and impact estimates speak of, in eci; None where they do not tell one.

    It is bytes from outside: whatever stands in it, nothing is raised.
    """
    launch, impact = version.launch, version.impact
    if not (_says_where(launch) and _says_where(impact)):
        return None
    if launch.mean is None or impact.mean is None or launch.t_ns is None or impact.t_ns is None:
        return None
    distance, _, _ = inverse(*launch.mean, *impact.mean)
    weights = _weights(version.types, classes, distance)
    if not weights:
        return None
    ends = np.array([_end_of_thrust(classes[k]) for k in weights])  # (n, 2, 3): nominal, sigma of each
    share = np.array(list(weights.values()))
    mean = share @ ends[:, 0]
    off = np.sqrt(share @ ((ends[:, 0] - mean) ** 2 + ends[:, 1] ** 2))
    if version.burnout_ns is not None and 0 < version.burnout_ns - launch.t_ns < to_ns(_LONGEST):
        mean[0], off[0] = (version.burnout_ns - launch.t_ns) / 1e9, _BURNOUT_S
    base = (float(mean[0]), float(mean[1]), float(mean[2]))
    t_launch, t_impact = launch.t_ns / 1e9, impact.t_ns / 1e9
    if not 0.0 < t_impact - t_launch - base[0] <= _LONGEST:
        return None
    flights = []
    for shift in _shifts(launch, impact, off.tolist()):
        x = _flight(launch.mean, impact.mean, t_launch, t_impact, base, shift, theta0)
        if x is None:
            return None
        flights.append(x)
    # all carried to where the middle one begins: their own beginnings may be seconds off
    start = t_launch + base[0]
    states = np.array([_carried(x[None], t, start)[0] for x, t in flights])
    if not np.isfinite(states).all():
        return None
    return _Arc(states, start, t_impact)


def _says_where(estimate: Estimate) -> bool:
    """Whether an estimate has a place with a time, all of it usable numbers."""
    e = estimate
    if e.mean is None or e.cov_enu is None or e.t_ns is None or abs(e.t_ns) > 2**62:
        return False
    numbers = (*e.mean, *e.cov_enu, e.t_var or 0.0)
    if not all(math.isfinite(v) for v in numbers) or min(e.cov_enu[0], e.cov_enu[3], e.t_var or 0.0) < 0.0:
        return False
    return abs(e.mean[0]) <= 0.5 * math.pi and abs(e.mean[1]) <= 2.0 * math.pi


def _weights(types: dict[str, float], classes: dict[str, FlightClass], distance: float) -> dict[str, float]:
    """What it may be, as shares of the own classes (sum 1): the partner's word on those known here, else those that fly
    as far.
    """
    said = {k: p for k, p in sorted(types.items()) if k in classes and _LIKELY <= p <= 1.0}
    if not said:
        said = {k: c.prior for k, c in classes.items() if c.energy_range[0] <= distance <= c.energy_range[1]}
    total = sum(said.values())
    return {k: p / total for k, p in said.items()} if total > 0.0 else {}


def _end_of_thrust(c: FlightClass) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Time after launch (s), height and downrange (m) of a class's end of thrust: nominal and one sigma."""
    spans = [s.burn for s in c.stages] + [s.coast for s in c.stages[:-1]]
    time = sum(s.nominal for s in spans), math.sqrt(sum(s.spread**2 for s in spans))
    both = time, *((s.nominal, s.spread) for s in (c.burnout_height, c.burnout_downrange))
    return (both[0][0], both[1][0], both[2][0]), (both[0][1], both[1][1], both[2][1])


def _shifts(launch: Estimate, impact: Estimate, off: Sequence[float]) -> list[tuple[float, ...]]:
    """Rows of what is shifted by one sigma at a time: launch east, north, time, impact east, north, time, time, height
    and downrange of the end of thrust; the first shifts nothing.
    """
    rows: list[tuple[float, ...]] = [(0.0,) * _GIVENS]
    for k, e in enumerate((launch, impact)):
        assert e.cov_enu is not None
        c = np.array([[e.cov_enu[0], e.cov_enu[1]], [e.cov_enu[1], e.cov_enu[3]]])
        values, axes = np.linalg.eigh(c)
        for value, axis in zip(values.tolist(), axes.T, strict=True):
            s = math.sqrt(max(value, 0.0))
            row = [0.0] * _GIVENS
            row[3 * k : 3 * k + 2] = s * float(axis[0]), s * float(axis[1])
            rows.append(tuple(row))
        row = [0.0] * _GIVENS
        row[3 * k + 2] = math.sqrt(e.t_var or 0.0)
        rows.append(tuple(row))
    for k, s in enumerate(off):
        row = [0.0] * _GIVENS
        row[6 + k] = s
        rows.append(tuple(row))
    return [rows[0], *(row for row in rows[1:] if any(row))]


def _moved(place: tuple[float, float], east: float, north: float) -> tuple[float, float]:
    if east == 0.0 and north == 0.0:
        return place
    lat, lon, _ = direct(place[0], place[1], math.atan2(east, north), math.hypot(east, north))
    return float(lat), float(lon)


def _flight(
    start: tuple[float, float],
    end: tuple[float, float],
    t_launch: float,
    t_impact: float,
    base: tuple[float, float, float],
    shift: tuple[float, ...],
    theta0: float,
) -> tuple[Floats, float] | None:
    """State and time (s) at the end of thrust of one flight."""
    launch, impact = _moved(start, *shift[:2]), _moved(end, *shift[3:5])
    t0, t1 = t_launch + shift[2] + base[0] + shift[6], t_impact + shift[5]
    height, downrange = base[1] + shift[7], base[2] + shift[8]
    _, azimuth, _ = inverse(*launch, *impact)
    lat, lon, _ = direct(*launch, azimuth, downrange)
    places = geodetic_to_ecef(np.array([[lat, lon, max(height, 0.0)], [*impact, 0.0]]))
    theta = np.array([theta0 + OMEGA_GMST * t0, theta0 + OMEGA_GMST * t1])
    eci = to_eci(places, np.fmod(theta, 2.0 * math.pi))
    x = np.empty(6)
    if not lambert(eci[0].copy(), eci[1].copy(), t0, t1, theta0, x):
        return None
    return x, t0


def _carried(x: Floats, t0: float, t1: float) -> Floats:
    out = np.empty_like(x)
    for i in range(len(x)):
        coast_to(x[i], t0, t1, 0.0, -1.0, out[i])
    return out
