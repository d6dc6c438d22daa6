"""The tracker of one pipeline: scans and detections in, tracks out, in whatever order the data arrive.

Data are cut into pieces of work, each with a place in time: the detections of a scan within a second of each other
(associated together), and the scan's end (what it did not see). The tracks are a function of the pieces in the order
of their places, nothing else: late data is put in its place, the store is taken back to before it, and what follows is
done again. Bits are therefore those of the same data fed in time order. Copies of the store are kept for a ring of
time; what is older is refused and counted.

What has been told cannot be taken back: a track's number belongs to its first detection for good, and is handed on if
late data explain the same detections otherwise. An association that late data changes is told anew; of the rows of one
detection the newest holds.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import NS, to_ns
from tocsin.earth.wgs84 import A, geodetic_to_ecef
from tocsin.records.columns import ASSOCIATION, DETECTION, SCAN, TRACK, Kind, Life, Status, Table, empty
from tocsin.records.shapes import TrackEvent
from tocsin.scenario.specs import FlightClass, Infrared, Radar, Sensor
from tocsin.tracking import life as lf
from tocsin.tracking.association import assign
from tocsin.tracking.belief import PAUSE, Prior, believe
from tocsin.tracking.filter import near_pairs, score_pairs, update_rows
from tocsin.tracking.initiation import restart, seed
from tocsin.tracking.measure import Looks, lay_out, sight
from tocsin.tracking.models import BOOST, COAST, Bank, advance_rows, match_moments, turn_axes
from tocsin.tracking.store import Mark, Store, chain_of, marks

FORMAT = "tocsin-tracker/1"
RING_NS = 60 * NS
_SLICE_NS = NS  # detections of a scan further apart than this are associated one after the other
_GAP_NS = NS // 4
_GATE = np.array([22.0, 24.0, 19.0, 19.0, 19.0])  # squared distance by kind; a true detection fails one time in 1e4
_RATE_WIDTH = 16_000.0  # m/s: the span of range rates in which false detections fall
_LN_PD = math.log(0.9)
_NONE_FALSE = 1e-3  # a scan that declares no false detections is granted this many: nobody is perfect
_RECENT_SCANS = 12
_BEGINNING = -(1 << 33)  # s: before any data
_ROUGH = 20e3  # m: 1-sigma of position, known from lines of sight alone
_LONG_S = 30.0  # a gap over which a prediction's ellipsoid is no guide any more

Key = tuple[int, int, int, int, int]  # time ns, 0 detections or 1 end, sensor, scan, part


@dataclass(frozen=True)
class History:
    """What a track was made from: ``detections`` in time order and, aligned with them, the ``scans`` they came from."""

    detections: Table
    scans: Table


@dataclass(frozen=True)
class TrackStep:
    """What one step gives: ``tracks`` (``TRACK``, by number) at its end: those alive, and those that ended in it, as
    last told;

    ``associations`` (``ASSOCIATION``) not told before; ``events``; ``refused``: scans that came too late, twice, or
    from a sensor that was never declared.
    """

    tracks: Table
    associations: Table
    events: tuple[TrackEvent, ...]
    refused: int


@dataclass(frozen=True)
class _Site:
    """A declared sensor, as kernels want it."""

    sensor: Sensor
    period_ns: int
    row: NDArray[np.float64]  # for life.look_for; its strengths are for sensitivity 1
    faces: NDArray[np.float64]
    prior: Prior | None


@dataclass(frozen=True)
class _Piece:
    """A piece of work. For detections: ``looks``, ``marks``, ``false`` (ln of the density of false ones there)."""

    key: Key
    scan: NDArray[np.void]
    looks: Looks | None = None
    marks: tuple[Mark, ...] = ()
    t_ns: NDArray[np.int64] | None = None
    reach: NDArray[np.float64] | None = None
    false: NDArray[np.float64] | None = None
    start: float = 0.0  # score of a seed


@dataclass
class _Told:
    """What has been told of one track number."""

    mark: Mark
    life: int
    row: NDArray[np.void]
    chain: Any = None
    sent: dict[Mark, None] = field(default_factory=dict)


class Tracker:
    """Tracks of one pipeline, from detections alone.

    ``sensors``: as declared; ``classes``: as believed; ``theta0``: sidereal angle at the epoch (rad); ``ring_ns``: how
    late data may be. Raises ValueError if two sensors share a number.
    """

    def __init__(
        self,
        sensors: tuple[Sensor, ...],
        classes: tuple[FlightClass, ...],
        theta0: float,
        ring_ns: int = RING_NS,
    ) -> None:
        self._ring = int(ring_ns)
        self._belief = believe(classes)
        self._bank = Bank.of((BOOST, COAST), self._belief.parameters, theta0)
        self._anywhere = self._belief.at_any_time()
        self._sites = {s.n: self._site(s) for s in sensors}
        if len(self._sites) != len(sensors):
            raise ValueError("two sensors share a number")
        count = max(self._sites, default=0) + 1
        self._places = np.zeros((count, 3))
        for n, site in self._sites.items():
            model = site.sensor.model
            if isinstance(model, Radar):
                self._places[n] = geodetic_to_ecef([model.lat, model.lon, model.h])
        self._store = Store()
        # (second, the store before any piece of that second or later)
        self._kept: list[tuple[int, Store]] = [(_BEGINNING, self._store)]
        self._pieces: list[_Piece] = []
        self._keys: list[Key] = []
        self._scans: dict[tuple[int, int], NDArray[np.void]] = {}
        self._rows: dict[Mark, NDArray[np.void]] = {}
        self._numbers: dict[Mark, int] = {}
        self._told: dict[int, _Told] = {}
        self._next = 1
        self._fates: dict[Mark, str] = {}
        self._said: dict[Mark, None] = {}  # detections told to be a track's: kept for its history
        self._left: dict[tuple[int, int], None] = {}  # scans that left the ring, not yet known to be of no use
        self._deadlines: dict[tuple[Mark, int, int], int] = {}

    # ---------------------------------------------------------------------------------------------------- interface

    def step(self, t1_ns: int, scans: Table, detections: Table) -> TrackStep:
        """Take what arrived in the frame that ends at ``t1_ns`` and say what is known then.

        ``scans``, ``detections``: tables of ``columns.SCAN`` and ``DETECTION``; a detection counts with its scan, in
        the same call.
        """
        refused = self._take(t1_ns, scans, detections) if len(scans) else 0
        step = self._tell(t1_ns, refused)
        self._trim(t1_ns)
        return step

    def history(self, track: int) -> History:
        """What the track of a number was made from. Raises KeyError for a number that was never told."""
        told = self._told[track]
        found = marks(told.chain)
        return History(
            _table(DETECTION, [self._rows[m] for m in found]), _table(SCAN, [self._scans[m[:2]] for m in found])
        )

    def state(self) -> dict[str, Any]:
        """All of it as plain data (integers, bytes, lists, dictionaries with text keys)."""
        ring = {p.key[2:4] for p in self._pieces}
        base = self._kept[0]
        done = [list(p.key) for p in self._pieces]
        return {
            "format": FORMAT,
            "base": [base[0], base[1].to_plain()],
            "store": self._store.to_plain(),
            "keys": done,
            "scans": [self._scans[k].tobytes() for k in self._scans],
            "ring": sorted([list(k) for k in ring]),
            "detections": [self._rows[m].tobytes() for m in self._rows],
            "numbers": [[list(m), n] for m, n in self._numbers.items()],
            "told": [
                [n, list(t.mark), t.life, t.row.tobytes(), [list(m) for m in marks(t.chain)], [list(m) for m in t.sent]]
                for n, t in self._told.items()
            ],
            "next": self._next,
            "fates": [[list(m), why] for m, why in self._fates.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over the ``state`` of a tracker with the same sensors, classes and ring. Raises ValueError on others."""
        if state.get("format") != FORMAT:
            raise ValueError(f"expected the state of a tracker ({FORMAT}), found {state.get('format')!r}")
        self._scans = {}
        for raw in state["scans"]:
            row = np.frombuffer(raw, dtype=SCAN)[0]
            self._scans[int(row["sensor"]), int(row["scan"])] = row
        self._rows = {}
        by_scan: dict[tuple[int, int], list[Any]] = {}
        for raw in state["detections"]:
            row = np.frombuffer(raw, dtype=DETECTION)[0]
            mark = (int(row["sensor"]), int(row["scan"]), int(row["n"]))
            self._rows[mark] = row
            by_scan.setdefault(mark[:2], []).append(row)
        pieces: list[_Piece] = []
        for sensor, number in state["ring"]:
            found = by_scan.get((sensor, number), [])
            pieces += self._cut(self._scans[sensor, number], _table(DETECTION, found))
        wanted = {tuple(k) for k in state["keys"]}
        self._pieces = sorted((p for p in pieces if p.key in wanted), key=lambda p: p.key)
        if len(self._pieces) != len(wanted):
            raise ValueError("the state of the tracker misses scans that it names")
        self._keys = [p.key for p in self._pieces]
        self._numbers = {(m[0], m[1], m[2]): int(n) for m, n in state["numbers"]}
        self._fates = {(m[0], m[1], m[2]): str(why) for m, why in state["fates"]}
        self._next = int(state["next"])
        self._deadlines = {}
        self._kept = [(int(state["base"][0]), Store.from_plain(state["base"][1]))]
        self._redo(0)
        if self._store.to_plain() != state["store"]:
            raise ValueError("the state is of a tracker with other sensors, classes or code")
        self._told = {}
        self._said = {}
        current = {marks(c)[0]: c for c in self._store.chain}
        for n, mark, life, raw, chain, sent in state["told"]:
            own = chain_of([(a, b, c) for a, b, c in chain])
            live = current.get((mark[0], mark[1], mark[2]))
            if live is not None and marks(live) == marks(own):
                own = live
            row = np.frombuffer(raw, dtype=TRACK)[0]
            self._said.update(dict.fromkeys((a, b, c) for a, b, c in sent))
            self._told[int(n)] = _Told(
                (mark[0], mark[1], mark[2]), int(life), row, own, dict.fromkeys((a, b, c) for a, b, c in sent)
            )
        inside = {k[2:4] for k in self._keys}
        used = {m[:2] for m in self._said}
        unsaid = {m[:2] for m in self._rows if m not in self._said}
        self._left = dict.fromkeys(p for p in self._scans if p not in inside and (p in unsaid or p not in used))

    # ------------------------------------------------------------------------------------------------- taking data in

    def _site(self, sensor: Sensor) -> _Site:
        row = np.zeros(lf.SENSOR)
        model = sensor.model
        belief = self._belief
        if isinstance(model, Infrared):
            row[lf.S_INFRARED] = 1.0
            row[lf.S_THRESHOLD] = model.threshold_snr
            row[lf.S_CLOUD], row[lf.S_LIMB] = model.cloud_top, model.limb
            # over the least intensity, which the scan declares
            row[lf.S_BOOST] = model.threshold_snr * model.reference_distance**2 * belief.intensity
            prior = belief.first_seen(model.cloud_top, model.scan_period)
            return _Site(sensor, to_ns(model.scan_period), row, np.zeros((0, 3)), prior)
        row[lf.S_THRESHOLD] = -math.log(model.pfa)
        # times the fourth power of the range at 1 m2, which the scan declares
        row[lf.S_BOOST] = model.reference_snr * belief.rcs_boost
        row[lf.S_COAST] = model.reference_snr * belief.rcs
        boresights = model.boresights if isinstance(model, Radar) else ()
        faces = [(math.cos(e) * math.sin(a), math.cos(e) * math.cos(a), math.sin(e)) for a, e in boresights]
        return _Site(sensor, to_ns(model.scan_period), row, np.array(faces).reshape(-1, 3), None)

    def _take(self, t1_ns: int, scans: Table, detections: Table) -> int:
        refused = 0
        fresh: list[_Piece] = []
        starts: dict[tuple[int, int], list[int]] = {}
        if len(detections):
            for i, pair in enumerate(zip(detections["sensor"].tolist(), detections["scan"].tolist(), strict=True)):
                starts.setdefault(pair, []).append(i)
        oldest = t1_ns - self._ring
        for scan in scans:
            pair = (int(scan["sensor"]), int(scan["scan"]))
            if pair[0] not in self._sites or pair in self._scans or int(scan["t0_ns"]) < oldest:
                refused += 1
                continue
            mine = starts.get(pair)
            own = detections[mine] if mine else detections[:0]
            if len(own) and int(own["t_ns"].min()) < oldest:
                refused += 1
                continue
            self._scans[pair] = scan.copy()
            for row in own:
                self._rows[pair[0], pair[1], int(row["n"])] = row.copy()
            fresh += self._cut(self._scans[pair], own)
        if not fresh:
            return refused
        fresh.sort(key=lambda p: p.key)
        if self._keys and fresh[0].key < self._keys[-1]:
            first = fresh[0].key
            for p in fresh:
                at = bisect.bisect_left(self._keys, p.key)
                self._keys.insert(at, p.key)
                self._pieces.insert(at, p)
            if self._matters(fresh):
                self._back_to(first)
                return refused
            self._redo_kept()
            return refused
        begin = len(self._pieces)
        self._pieces += fresh
        self._keys += [p.key for p in fresh]
        self._work(begin)
        return refused

    def _cut(self, scan: NDArray[np.void], detections: Table) -> list[_Piece]:
        sensor, number = int(scan["sensor"]), int(scan["scan"])
        end = _Piece((int(scan["t1_ns"]), 1, sensor, number, 0), scan)
        if not len(detections):
            return [end]
        rows = detections[np.lexsort((detections["n"], detections["t_ns"]))]
        times = rows["t_ns"].astype(np.int64)
        pieces: list[_Piece] = []
        first = 0
        for i in range(1, len(rows) + 1):
            if i < len(rows) and times[i] - times[i - 1] <= _GAP_NS and times[i] - times[first] <= _SLICE_NS:
                continue
            part = rows[first:i]
            looks = lay_out(part, np.repeat(np.array([scan], dtype=SCAN), len(part)))
            false, start = self._false(scan, looks)
            pieces.append(
                _Piece(
                    (int(times[first]), 0, sensor, number, len(pieces)),
                    scan,
                    looks,
                    tuple((sensor, number, int(n)) for n in part["n"]),
                    times[first:i],
                    _reach(looks),
                    false,
                    start,
                )
            )
            first = i
        return [*pieces, end]

    def _false(self, scan: NDArray[np.void], looks: Looks) -> tuple[NDArray[np.float64], float]:
        """ln of the density of false detections at each measurement, and the score that a seed begins with."""
        mean = max(float(scan["clutter"]), _NONE_FALSE)
        site = self._sites[int(scan["sensor"])]
        turn = 2.0 * math.pi
        azimuth = float(scan["az_to"] - scan["az_from"]) % turn or turn
        span = max(float(scan["range_max"] - scan["range_min"]), 1.0)
        out = np.empty(len(looks.kind))
        for i, kind in enumerate(looks.kind):
            if kind == Kind.LOS:
                # over the disc of the Earth, even by solid angle
                p = scan["platform"]
                r = math.sqrt(float(p[0]) ** 2 + float(p[1]) ** 2 + float(p[2]) ** 2)
                solid = turn * (1.0 - math.sqrt(max(1.0 - (A / max(r, A)) ** 2, 0.0)))
                density = max(math.cos(looks.z[i, 1]), 1e-3) / max(solid, 1e-3)
            elif kind == Kind.RAE or kind == Kind.RAER:
                lines = math.sin(float(scan["el_max"])) - math.sin(max(float(scan["el_min"]), 0.0))
                density = max(math.cos(looks.z[i, 2]), 1e-3) / (span * azimuth * max(lines, 1e-3))
                if kind == Kind.RAER:
                    density /= _RATE_WIDTH
            elif kind == Kind.RA:
                density = 1.0 / (span * azimuth)
            else:
                density = 1.0 / (math.pi * float(scan["range_max"]) ** 2)
            out[i] = math.log(mean * density)
        start = min(math.log(lf.START_PER_S * site.period_ns / 1e9 / mean), 0.0)
        return out, start

    # --------------------------------------------------------------------------------------------- order, back and
    # again

    def _matters(self, fresh: list[_Piece]) -> bool:
        """Whether late pieces can change anything: not where nothing was seen and nothing was there."""
        return any(p.looks is not None for p in fresh) or len(self._store) > 0 or any(len(s) for _, s in self._kept)

    def _back_to(self, key: Key) -> None:
        second = key[0] // NS
        at = len(self._kept) - 1
        while at > 0 and self._kept[at][0] > second:
            at -= 1
        self._redo(at)

    def _redo(self, at: int) -> None:
        """Take the store back to kept copy ``at`` and do all pieces from there on again."""
        second, store = self._kept[at]
        del self._kept[at + 1 :]
        self._store = store
        begin = bisect.bisect_left(self._keys, (second * NS, -1, -1, -1, -1))
        self._work(begin)

    def _redo_kept(self) -> None:
        """Where everything is empty only the times of the kept copies change."""
        seconds = sorted({k[0] // NS for k in self._keys} | {self._kept[0][0]})
        self._kept = [(s, self._store) for s in seconds if s >= self._kept[0][0]]

    def _work(self, begin: int) -> None:
        for piece in self._pieces[begin:]:
            second = piece.key[0] // NS
            if second > self._kept[-1][0]:
                self._kept.append((second, self._store))
            if piece.looks is not None:
                self._store = self._see(self._store, piece)
            elif len(self._store):
                self._store = self._close(self._store, piece)

    def _trim(self, t1_ns: int) -> None:
        oldest = (t1_ns - self._ring) // NS
        at = 0
        while at + 1 < len(self._kept) and self._kept[at + 1][0] <= oldest:
            at += 1
        if at == 0:
            return
        del self._kept[:at]
        begin = bisect.bisect_left(self._keys, (self._kept[0][0] * NS, -1, -1, -1, -1))
        gone = dict.fromkeys(k[2:4] for k in self._keys[:begin])
        del self._pieces[:begin], self._keys[:begin]
        for k in self._keys:
            gone.pop(k[2:4], None)
        self._left.update(gone)
        if not self._left:
            return
        waiting: dict[Mark, None] = {}  # of seeds that may yet be told
        for store in (self._kept[0][1], self._store):
            for i in range(len(store)):
                if _first(store.chain[i]) not in self._numbers:
                    waiting.update(dict.fromkeys(marks(store.chain[i])))
        held = dict.fromkeys(m[:2] for m in waiting)
        used = dict.fromkeys(m[:2] for m in self._said)
        out = [pair for pair in self._left if pair not in held]
        for pair in out:
            del self._left[pair]
            # a scan that comes again is known as long as it is in the ring; after that it is refused as late
            scan = self._scans[pair]
            if pair not in used:
                del self._scans[pair]
            for n in range(int(scan["n_detections"])):
                mark = (*pair, n)
                if mark not in self._said:
                    self._rows.pop(mark, None)

    # ----------------------------------------------------------------------------------------------------- the work

    def _see(self, store: Store, piece: _Piece) -> Store:
        """Detections of one scan within a second: gate, assign, correct, start seeds."""
        looks = piece.looks
        if looks is None or piece.false is None or piece.t_ns is None or piece.reach is None:
            return store
        belief = self._belief
        sensor, number = piece.key[2], piece.key[3]
        site = self._sites[sensor]
        chosen: list[tuple[int, int, int]] = []
        own = sensor + 1 if isinstance(site.sensor.model, Radar) and sensor < 255 else 0
        if len(store):
            t_track = store.t_ns / 1e9
            tracks, dets = near_pairs(store.x, store.P, store.mu, t_track, looks, piece.reach)
            if len(tracks):
                x, P, mu = advance_rows(
                    self._bank, tracks, looks.t_s[dets], store.x, store.P, store.mu, store.axes, t_track,
                    store.memory(),
                )  # fmt: skip
                gain = score_pairs(self._bank, x, P, mu, looks, dets, _GATE)
                anew = self._anew(store, tracks, looks, dets, mu)
                long = np.flatnonzero(anew & (looks.t_s[dets] - t_track[tracks] > _LONG_S))
                if len(long):
                    # over a long gap the prediction is no ellipsoid: only the correction itself tells how well they fit
                    carried = (x[long], P[long], mu[long])
                    _, fits = self._correct(store, tracks[long], carried, anew[long], own, looks, dets[long])
                    near = fits[:, 1] < _GATE[looks.kind[dets[long]]]
                    gain[long] = np.where(near, fits[:, 0], -math.inf)
                gain += _LN_PD - piece.false[dets]
                for k, i in enumerate(tracks):  # a scan gives a track one detection at most
                    if (sensor, number) in store.scans[i]:
                        gain[k] = -math.inf
                chosen = assign(tracks, dets, gain)
        if chosen:
            store = store.copy()
            pairs = np.array([c[2] for c in chosen], dtype=np.int64)
            rows = tracks[pairs]
            corrected = (x[pairs], P[pairs], mu[pairs])  # copies: indexing by an array makes them
            chart, _ = self._correct(store, rows, corrected, anew[pairs], own, looks, dets[pairs])
            predicted = (x[pairs], P[pairs], mu[pairs])
            store.x[rows], store.P[rows], store.mu[rows] = corrected
            store.chart[rows] = chart
            store.fresh[rows] = 0
            for a in np.flatnonzero(self._rough(looks, dets[pairs], anew[pairs], *predicted)):
                self._restart(store, int(rows[a]), looks, int(dets[pairs[a]]), own, *(v[a] for v in predicted))
            for i in rows:
                if store.mu[i, BOOST] > 0.0 and abs(store.x[i, BOOST, 7]) > 1.0:
                    turn_axes(store.x[i, BOOST], store.P[i, BOOST], store.axes[i])
            for i, j, k in chosen:
                t_ns = int(piece.t_ns[j])
                store.t_ns[i] = t_ns
                store.last_ns[i] = max(int(store.last_ns[i]), t_ns)
                store.score[i] = min(store.score[i] + gain[k], lf.MOST_SCORE)
                store.updates[i] += 1
                store.note_boost(i, belief.parameters[PAUSE])
                store.period_ns[i] = max(int(store.period_ns[i]), site.period_ns)
                store.chain[i] = (store.chain[i], piece.marks[j])
                store.sensors[i] |= 1 << sensor
                store.scans[i] = (*store.scans[i][-_RECENT_SCANS + 1 :], (sensor, number))
                if store.updates[i] >= lf.CONFIRM_UPDATES and store.score[i] > lf.CONFIRM_SCORE:
                    store.life[i] = Life.CONFIRMED
        taken = {c[1] for c in chosen}
        for j, mark in enumerate(piece.marks):
            if j in taken:
                continue
            one = seed(
                looks, j, mark, int(piece.t_ns[j]), site.period_ns, piece.start, own, belief,
                site.prior or self._anywhere, self._anywhere,
            )  # fmt: skip
            if one is not None:
                store = store.with_rows(one)
        return store

    def _anew(
        self, store: Store, tracks: NDArray[np.int64], looks: Looks, dets: NDArray[np.int64], mu: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Which pairs have their flight linearised anew: coasting tracks, and seeds, whose velocity is unknown."""
        alone = (mu[:, BOOST] == 0.0) & (store.mu[tracks, BOOST] == 0.0)
        seeds = (store.fresh[tracks] == 1) & (looks.kind[dets] != Kind.LOS)
        later = looks.t_s[dets] > store.t_ns[tracks] / 1e9
        return np.asarray((alone | seeds) & later, dtype=np.int64)

    @staticmethod
    def _rough(
        looks: Looks, dets: NDArray[np.int64], anew: NDArray[np.int64],
        x: NDArray[np.float64], P: NDArray[np.float64], mu: NDArray[np.float64],
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Where a radar's position is so much better than the prediction that the track starts again from it."""
        _, cov = match_moments(x, P, mu)
        known = np.sqrt(cov[:, 0, 0] + cov[:, 1, 1] + cov[:, 2, 2])
        z, R, kind = looks.z[dets], looks.R[dets], looks.kind[dets]
        across = z[:, 0] * np.sqrt(R[:, 1, 1] * np.cos(z[:, 2]) ** 2 + R[:, 2, 2])
        ranged = (kind == Kind.RAE) | (kind == Kind.RAER)
        return np.asarray(ranged & (anew == 0) & (known > _ROUGH) & (known > 5.0 * across))

    def _restart(
        self, store: Store, i: int, looks: Looks, j: int, own: int,
        x: NDArray[np.float64], P: NDArray[np.float64], mu: NDArray[np.float64],
    ) -> None:  # fmt: skip
        boosting = mu[BOOST] > 0.0
        xo, Po, axes = restart(looks, j, self._belief, x, P, mu)
        store.axes[i] = axes.ravel()
        store.x[i], store.P[i] = 0.0, 0.0
        store.x[i, COAST, :6], store.P[i, COAST, :6, :6] = xo[:6], Po[:6, :6]
        if boosting:
            store.x[i, BOOST], store.P[i, BOOST] = xo, Po
        store.chart[i], store.fresh[i] = own, 1

    def _correct(
        self, store: Store, rows: NDArray[np.int64], carried: tuple[Any, Any, Any], anew: NDArray[np.int64], own: int,
        looks: Looks, dets: NDArray[np.int64],
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
        """``update_rows`` for rows of a store: their new charts, and how well they fit."""
        chart = store.chart[rows]
        sites = self._places[np.maximum(np.where(chart != 0, chart, own) - 1, 0)]
        before = (
            np.ascontiguousarray(store.x[rows, COAST, :6]),
            np.ascontiguousarray(store.P[rows, COAST, :6, :6]),
            store.t_ns[rows] / 1e9,
        )
        fits = update_rows(self._bank, before, carried, anew, chart, sites, own, looks, dets)
        return chart, fits

    def _close(self, store: Store, piece: _Piece) -> Store:
        """The end of a scan: what it should have seen and did not; and whose time has come."""
        scan = piece.scan
        sensor, number = piece.key[2], piece.key[3]
        if int(scan["status"]) != Status.SILENT:
            t0_ns = int(scan["t0_ns"])
            rows = [i for i in range(len(store)) if store.born_ns[i] < t0_ns and (sensor, number) not in store.scans[i]]
            if rows:
                which = np.array(rows, dtype=np.int64)
                store = lf.miss(store, which, self._unpack(scan), self._bank)
        return self._drop(store, int(scan["t1_ns"]))

    def _unpack(self, scan: NDArray[np.void]) -> lf.Scan:
        site = self._sites[int(scan["sensor"])]
        row = site.row.copy()
        sensitivity = max(float(scan["sensitivity"]), 1e-9)
        if row[lf.S_INFRARED] > 0.0:
            row[lf.S_BOOST] /= sensitivity
        else:
            row[lf.S_BOOST] *= sensitivity**4
            row[lf.S_COAST] *= sensitivity**4
        limits = np.array([float(scan[n]) for n in ("az_from", "az_to", "el_min", "el_max", "range_min", "range_max")])
        return lf.Scan(
            int(scan["region"]),
            np.array(scan["platform"], dtype=np.float64),
            np.array(scan["attitude"], dtype=np.float64),
            limits,
            int(scan["t0_ns"]) / 1e9,
            int(scan["t1_ns"]) / 1e9,
            row,
            site.faces,
        )

    def _drop(self, store: Store, t_ns: int) -> Store:
        keep = np.ones(len(store), dtype=np.bool_)
        for i in range(len(store)):
            why = self._over(store, i, t_ns)
            if why:
                keep[i] = False
                if store.updates[i] >= lf.TELL_UPDATES:
                    self._fates[_first(store.chain[i])] = why
        return store if keep.all() else store.keep(keep)

    def _over(self, store: Store, i: int, t_ns: int) -> str:
        """Why row ``i`` is no track any more at ``t_ns``, "" while it is one."""
        unseen = t_ns - int(store.last_ns[i])
        if store.life[i] != Life.CONFIRMED:
            periods = lf.SEED_PERIODS if store.updates[i] == 1 else lf.TENTATIVE_PERIODS
            if unseen > periods * int(store.period_ns[i]):
                return "not seen again"
            return ""
        if store.score[i] < lf.DROP_SCORE:
            return "not seen where it should be"
        if unseen <= lf.LEAST_COAST_NS:
            return ""
        mark = _first(store.chain[i])
        memo = (mark, int(store.updates[i]), int(store.t_ns[i]))
        deadline = self._deadlines.get(memo)
        if deadline is None:
            if len(self._deadlines) > 4096:
                self._deadlines.clear()
            deadline = self._deadlines[memo] = lf.deadline(store, i, self._bank)
        return "come down, or nothing is known of it any more" if t_ns > deadline else ""

    # ------------------------------------------------------------------------------------------------------- telling

    def _tell(self, t1_ns: int, refused: int) -> TrackStep:
        store = self._store
        if not len(store) and all(t.life == Life.ENDED for t in self._told.values()):
            return TrackStep(empty(TRACK), empty(ASSOCIATION), (), refused)
        alive: list[int] = []
        for i in range(len(store)):
            known = _first(store.chain[i]) in self._numbers
            worth = store.life[i] == Life.CONFIRMED or (
                store.updates[i] >= lf.TELL_UPDATES and store.score[i] > lf.TELL_SCORE
            )
            if (known or worth) and not self._over(store, i, t1_ns):
                alive.append(i)
        numbers = self._number(alive)
        tracks = self._view(alive, numbers, t1_ns)
        events: list[TrackEvent] = []
        ended: list[NDArray[np.void]] = []
        associations: list[tuple[int, int, int, int]] = []
        for k in np.argsort(np.array(numbers, dtype=np.int64), kind="stable"):
            i, n, row = alive[int(k)], numbers[int(k)], tracks[int(k)]
            told = self._told.get(n)
            stage = int(row["life"])
            if told is None:
                events.append(TrackEvent(n, "initiated", t1_ns, _sensors_said(store.sensors[i])))
                told = self._told[n] = _Told(_first(store.chain[i]), int(Life.TENTATIVE), row)
            if stage != told.life:
                if stage == Life.COASTING:
                    if told.life == Life.TENTATIVE:
                        events.append(TrackEvent(n, "confirmed", t1_ns))
                    events.append(TrackEvent(n, "coasting", t1_ns, "not seen lately"))
                elif told.life in (Life.COASTING, Life.ENDED):
                    events.append(TrackEvent(n, "reacquired", t1_ns))
                elif stage == Life.CONFIRMED:
                    events.append(TrackEvent(n, "confirmed", t1_ns))
            told.life, told.row = stage, row
            if told.chain is not store.chain[i]:
                told.chain = store.chain[i]
                told.mark = _first(store.chain[i])
                for mark in marks(told.chain):
                    if mark not in told.sent:
                        told.sent[mark] = None
                        self._said[mark] = None
                        associations.append((n, *mark))
        for n in sorted(self._told):
            told = self._told[n]
            if told.life == Life.ENDED or n in numbers:
                continue
            why = self._fates.get(told.mark, "")
            if not why:
                why = next(
                    (self._over(store, i, t1_ns) for i in range(len(store)) if _first(store.chain[i]) == told.mark), ""
                )
            row = told.row.copy()
            row["life"] = Life.ENDED
            told.life, told.row = Life.ENDED, row
            ended.append(row)
            events.append(TrackEvent(n, "ended", t1_ns, why or "late data explain its detections otherwise"))
        rows = _table(TRACK, [*tracks, *ended])
        rows = rows[np.argsort(rows["track"], kind="stable")]
        said = np.array(associations, dtype=ASSOCIATION) if associations else empty(ASSOCIATION)
        return TrackStep(rows, said, tuple(events), refused)

    def _number(self, alive: list[int]) -> list[int]:
        """The numbers of rows, new ones where needed: one whose track late data took away goes to its successor."""
        store = self._store
        firsts = [_first(store.chain[i]) for i in alive]
        out = [self._numbers.get(m, 0) for m in firsts]
        if all(out):
            return out
        present = {_first(c) for c in store.chain}
        orphans = [n for n, t in self._told.items() if t.life != Life.ENDED and t.mark not in present and n not in out]
        for k, i in enumerate(alive):
            if out[k]:
                continue
            best, most = 0, 0
            if orphans:
                mine = set(marks(store.chain[i]))
                for n in orphans:
                    common = len(mine.intersection(self._told[n].sent))
                    if common > most:
                        best, most = n, common
            if best:
                orphans.remove(best)
            else:
                best = self._next
                self._next += 1
            out[k] = self._numbers[firsts[k]] = best
        return out

    def _wait(self, bits: int) -> int:
        """How old (ns) the newest look of the slowest of some sensors may be while all is well."""
        longest = 0
        for n, site in self._sites.items():
            if bits >> n & 1:
                longest = max(longest, site.period_ns + to_ns(site.sensor.model.latency))
        return longest

    def _view(self, alive: list[int], numbers: list[int], t1_ns: int) -> Table:
        store = self._store
        k = len(alive)
        rows = empty(TRACK, k)
        if not k:
            return rows
        which = np.array(alive, dtype=np.int64)
        x, cov, models = lf.view(store, which, t1_ns / 1e9, self._bank)
        rows["track"], rows["t_ns"], rows["x"], rows["P"] = numbers, t1_ns, x, cov
        rows["mu"] = self._bank.by_kind(models)
        stage = store.life[which].copy()
        silent = t1_ns - store.last_ns[which]
        wait = np.array([self._wait(store.sensors[i]) for i in alive], dtype=np.int64)
        late = silent > wait + np.maximum(lf.COAST_PERIODS * store.period_ns[which], lf.LEAST_COAST_NS)
        stage[(stage == Life.CONFIRMED) & late] = Life.COASTING
        rows["life"] = stage
        rows["chart"] = store.chart[which]
        rows["existence"] = 1.0 / (1.0 + np.exp(-store.score[which]))
        rows["updates"] = store.updates[which]
        rows["sensors"] = [store.sensors[i].bit_count() for i in alive]
        rows["last_update_ns"] = store.last_ns[which]
        rows["parent"] = store.parent[which]
        return rows


def _first(chain: Any) -> Mark:
    while chain[0] is not None:
        chain = chain[0]
    mark: Mark = chain[1]
    return mark


def _sensors_said(bits: int) -> str:
    names = [str(n) for n in range(bits.bit_length()) if bits >> n & 1]
    return f"sensor {', '.join(names)}" if len(names) == 1 else f"sensors {', '.join(names)}"


def _table(dtype: Any, rows: list[Any]) -> Table:
    out = empty(dtype, len(rows))
    for i, row in enumerate(rows):
        out[i] = row
    return out


def _reach(looks: Looks) -> NDArray[np.float64]:
    out = np.zeros((len(looks.kind), 6))
    for i, kind in enumerate(looks.kind):
        if kind in (Kind.RAE, Kind.RAER):
            az, el = looks.z[i, 1], looks.z[i, 2]
        elif kind == Kind.LOS:
            az, el = looks.z[i, 0], looks.z[i, 1]
        else:
            continue
        sight(az, el, looks.dt[i], looks.region[i], looks.platform[i], looks.attitude[i], out[i])
    return out
