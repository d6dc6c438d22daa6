"""The tracker of one pipeline: scans and detections in, tracks out, in whatever order the data arrive.

Data are cut into pieces of work, each with a place in time: the detections of a scan within a second of each other
(associated together), and the scan's end (what it did not see). The tracks are a function of the pieces in the order
of their places, nothing else: late data is put in its place, the store is taken back to before it, and what follows is
done again. Bits are therefore those of the same data fed in time order. Copies of the store are kept for a ring of
time, the further apart the more tracks there are, so that they fit a budget; what is older than the ring is refused and
counted.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import NS
from tocsin.records.columns import ASSOCIATION, DETECTION, SCAN, TRACK, Life, Table, empty
from tocsin.records.shapes import TrackEvent
from tocsin.scenario.specs import FlightClass, Sensor
from tocsin.tracking import intake
from tocsin.tracking import life as lf
from tocsin.tracking.belief import BETA, Q_BOOST, Q_COAST, believe
from tocsin.tracking.intake import Refused
from tocsin.tracking.models import BOOST, COAST, Bank
from tocsin.tracking.settings import DEFAULT, Declared, Settings
from tocsin.tracking.sites import site_of
from tocsin.tracking.step import Key, Piece, Work, close, see
from tocsin.tracking.stitch import SETTLED
from tocsin.tracking.store import GIVEN, Chains, Store, pack, unpack
from tocsin.tracking.telling import Ledger

FORMAT = "tocsin-tracker/2"
RING_BYTES = 256 << 20  # copies of the store for rollback take no more than this, or two copies
_SLICE_NS = NS  # detections of a scan further apart than this are associated one after the other
_GAP_NS = NS // 4
_BEGINNING = -(1 << 33)  # s: before any data
_LEAST_NODES = 1 << 16  # of chains, before any are forgotten

Pair = tuple[int, int]  # sensor, scan


@dataclass(frozen=True)
class History:
    """What a track was made from: ``detections`` in time order and, aligned with them, the ``scans`` they came from."""

    detections: Table
    scans: Table


@dataclass(frozen=True)
class TrackStep:
    """What one step gives: ``tracks`` (``TRACK``, by number) at its end: those alive, and those that ended in it, as
    last told;

    ``associations`` (``ASSOCIATION``) not told before; ``events``; ``refused``: how many scans (that came too late,
    twice, or from a sensor that was never declared) and detections were refused, and why (``intake``).
    """

    tracks: Table
    associations: Table
    events: tuple[TrackEvent, ...]
    refused: Refused


@dataclass
class _Kept:
    """A scan in memory: its row, its detections by number, and which of them are told to be some track's."""

    scan: np.void
    rows: Table
    used: NDArray[np.bool_]


class Tracker:
    """Tracks of one pipeline, from detections alone.

    ``sensors``: as declared; ``classes``: as believed; ``theta0``: sidereal angle at the epoch (rad); ``settings``.
    Raises ValueError if two sensors share a number.
    """

    def __init__(
        self,
        sensors: Sequence[Sensor | Declared],
        classes: tuple[FlightClass, ...],
        theta0: float,
        settings: Settings = DEFAULT,
    ) -> None:
        self._settings = settings
        self._ring = settings.ring_ns
        belief = believe(classes)
        parameters = belief.parameters.copy()
        if COAST in settings.noise:
            parameters[Q_COAST], parameters[BETA] = settings.noise[COAST], np.inf
        if BOOST in settings.noise:
            parameters[Q_BOOST] = settings.noise[BOOST]
        bank = Bank.of(settings.models, parameters, theta0)
        sites = {s.n: site_of(s, k, belief, settings) for k, s in enumerate(sensors)}
        if len(sites) != len(sensors):
            raise ValueError("two sensors share a number")
        places = np.zeros((max(sites, default=0) + 1, 3))
        resting = np.array([n in sites and sites[n].rests for n in range(len(places))])
        for n, site in sites.items():
            if site.place is not None:
                places[n] = site.place
        self._work = Work(
            bank, belief, belief.at_any_time(), settings, sites, places, resting, np.array(settings.gate),
            lf.Deadlines(bank),
        )  # fmt: skip
        self._waits = np.array([s.wait_ns for s in sites.values()], dtype=np.int64)
        self._clear()

    def _clear(self) -> None:
        self._chains = Chains()
        self._nodes = _LEAST_NODES  # of chains at which old ones are forgotten next
        self._store = Store.none(len(self._work.bank), len(self._work.sites), self._chains)
        # (second, the store before any piece of that second or later)
        self._kept: list[tuple[int, Store]] = [(_BEGINNING, self._store)]
        self._pieces: list[Piece] = []
        self._keys: list[Key] = []
        self._scans: dict[Pair, _Kept] = {}
        self._ledger = Ledger(self._chains)
        self._fates: dict[int, tuple[str, int]] = {}  # of families that ended: why, and in which other they went on
        self._left: dict[Pair, None] = {}  # scans that left the ring, not yet known to be of no use

    # ---------------------------------------------------------------------------------------------------- interface

    def step(self, t1_ns: int, scans: Table, detections: Table) -> TrackStep:
        """Take what arrived in the frame that ends at ``t1_ns`` and say what is known then.

        ``scans``, ``detections``: tables of ``columns.SCAN`` and ``DETECTION``; a detection counts with its scan, in
        the same call.
        """
        reasons: dict[str, int] = {}
        if len(scans) or len(detections):
            self._take(t1_ns, scans, detections, reasons)
        step = self._tell(t1_ns, Refused(reasons))
        self._trim(t1_ns)
        return step

    def start(self, x: NDArray[np.float64], P: NDArray[np.float64], t_ns: int) -> list[int]:
        """Take over tracks that are known otherwise: ``x`` (n, 6), ``P`` (n, 6, 6), eci, at ``t_ns``; their numbers.

        They count as confirmed and coast. They have to come before data of their time.
        """
        bank, n = self._work.bank, len(x)
        rows = Store.none(len(bank), len(self._work.sites), self._chains, n)
        rows.x[:, :, :6], rows.P[:, :, :6, :6] = np.asarray(x)[:, None], np.asarray(P)[:, None]
        rows.mu[:, max(bank.column(COAST), 0)] = 1.0
        rows.axes[:] = np.eye(3).ravel()
        rows.score[:], rows.life[:] = lf.MOST_SCORE, Life.CONFIRMED
        rows.t_ns[:], rows.last_ns[:], rows.born_ns[:] = t_ns, t_ns, t_ns
        rows.family[:], rows.origin[:] = self._ledger.given(n), SETTLED
        rows.head[:] = self._chains.extend(rows.head, rows.family)
        first = int(unpack(rows.family[:1])[2][0]) if n else 0
        numbers = self._ledger.add(rows.family)
        piece = Piece((int(t_ns), -1, GIVEN, first, 0), empty(SCAN, 1)[0], given=rows)
        at = bisect.bisect_left(self._keys, piece.key)
        self._keys.insert(at, piece.key)
        self._pieces.insert(at, piece)
        self._back_to(piece.key)
        return numbers

    def history(self, track: int) -> History:
        """What the track of a number was made from. Raises KeyError for a number that was never told."""
        if not self._ledger.known(track):
            raise KeyError(track)
        marks = self._chains.marks(int(self._ledger.head[track]))
        sensor, scan, n = (v.tolist() for v in unpack(marks))
        found = [(self._scans[s, k], i) for s, k, i in zip(sensor, scan, n, strict=True) if s != GIVEN]
        detections, scans = empty(DETECTION, len(found)), empty(SCAN, len(found))
        for a, (kept, i) in enumerate(found):
            detections[a] = kept.rows[np.searchsorted(kept.rows["n"], i)]
            scans[a] = kept.scan
        return History(detections, scans)

    def state(self) -> dict[str, Any]:
        """All of it as plain data (integers, bytes, lists, dictionaries with text keys)."""
        base = self._kept[0]
        kept = list(self._scans.values())
        rows = np.concatenate([k.rows for k in kept]) if kept else empty(DETECTION)
        used = np.concatenate([k.used for k in kept]) if kept else np.zeros(0, dtype=np.bool_)
        return {
            "format": FORMAT,
            "base": [base[0], base[1].to_plain()],
            "store": self._store.to_plain(),
            "keys": [list(k) for k in self._keys],
            "given": [p.given.to_plain() for p in self._pieces if p.given is not None],
            "scans": b"".join(k.scan.tobytes() for k in kept),
            "detections": rows.tobytes(),
            "used": used.tobytes(),
            "left": [list(pair) for pair in sorted(self._left)],
            "told": self._ledger.to_plain(),
            "fates": [[family, why, other] for family, (why, other) in self._fates.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over the ``state`` of a tracker with the same sensors, classes and settings. Raises ValueError on
        others.
        """
        if state.get("format") != FORMAT:
            raise ValueError(f"expected the state of a tracker ({FORMAT}), found {state.get('format')!r}")
        self._clear()
        chains = self._chains
        scans = np.frombuffer(state["scans"], dtype=SCAN)
        rows = np.frombuffer(state["detections"], dtype=DETECTION)
        used = np.frombuffer(state["used"], dtype=np.bool_)
        whose = pack(rows["sensor"], rows["scan"], np.zeros(len(rows)))
        for scan in scans:
            pair = (int(scan["sensor"]), int(scan["scan"]))
            mine = whose == pack(*pair, 0)
            self._scans[pair] = _Kept(scan.copy(), rows[mine].copy(), used[mine].copy())
        given = iter([Store.from_plain(plain, chains) for plain in state["given"]])
        wanted = [_key(k) for k in state["keys"]]
        named = dict.fromkeys(k[2:4] for k in wanted if k[1] >= 0)
        blank = empty(SCAN, 1)[0]
        try:
            found = {p.key: p for pair in named for p in self._cut(self._scans[pair])}
            self._pieces = [Piece(k, blank, given=next(given)) if k[1] < 0 else found[k] for k in wanted]
        except (KeyError, StopIteration):
            raise ValueError("the state of the tracker misses scans that it names") from None
        self._keys = wanted
        self._ledger.load(state["told"])
        self._fates = {int(family): (str(why), int(other)) for family, why, other in state["fates"]}
        self._kept = [(int(state["base"][0]), Store.from_plain(state["base"][1], chains))]
        self._redo(0)
        if self._store.to_plain() != state["store"]:
            raise ValueError("the state is of a tracker with other sensors, classes, settings or code")
        self._left = {(int(a), int(b)): None for a, b in state["left"]}

    # ------------------------------------------------------------------------------------------------- taking data in

    def _take(self, t1_ns: int, scans: Table, detections: Table, reasons: dict[str, int]) -> None:
        def refuse(why: str, count: int = 1) -> None:
            if count:
                reasons[why] = reasons.get(why, 0) + int(count)

        fresh: list[Piece] = []
        oldest = t1_ns - self._ring
        order = np.lexsort((detections["scan"], detections["sensor"]))
        sorted_ = detections[order]  # in the order of their coming within a scan
        whose = pack(sorted_["sensor"], sorted_["scan"], np.zeros(len(sorted_)))
        bounds = [0, *(np.flatnonzero(whose[1:] != whose[:-1]) + 1).tolist(), len(whose)]
        groups = {int(whose[a]): sorted_[a:b] for a, b in pairwise(bounds) if a < b}
        for scan in scans:
            pair = (int(scan["sensor"]), int(scan["scan"]))
            own = groups.pop(int(pack(*pair, 0)), detections[:0])
            if pair[0] not in self._work.sites:
                refuse(intake.STRANGER)
                continue
            if pair in self._scans:
                refuse(intake.TWICE)
                continue
            why = intake.scan_fault(scan)
            if not why and int(scan["t0_ns"]) < oldest:
                why = intake.LATE
            if why:
                refuse(why)
                continue
            own = self._sound(scan, own, refuse)
            if len(own) and int(own["t_ns"].min()) < oldest:
                refuse(intake.LATE)
                continue
            rows = own[np.argsort(own["n"], kind="stable")]
            self._scans[pair] = _Kept(scan.copy(), rows, np.zeros(len(rows), dtype=np.bool_))
            fresh += self._cut(self._scans[pair])
        for rest in groups.values():
            refuse(intake.ALONE if int(rest["sensor"][0]) in self._work.sites else intake.STRANGER, len(rest))
        if not fresh:
            return
        fresh.sort(key=lambda p: p.key)
        if self._keys and fresh[0].key < self._keys[-1]:
            first = fresh[0].key
            for p in fresh:
                at = bisect.bisect_left(self._keys, p.key)
                self._keys.insert(at, p.key)
                self._pieces.insert(at, p)
            if self._matters(fresh):
                self._back_to(first)
            else:
                self._redo_kept()
            return
        begin = len(self._pieces)
        self._pieces += fresh
        self._keys += [p.key for p in fresh]
        self._run(begin)

    @staticmethod
    def _sound(scan: np.void, own: Table, refuse: Any) -> Table:
        """A scan's detections without those that are refused."""
        if not len(own):
            return own
        bad = np.zeros(len(own), dtype=np.bool_)
        faults = [*intake.detection_faults(own), (intake.TIMES, intake.times_fault(scan, own))]
        for why, which in faults:
            refuse(why, int((which & ~bad).sum()))
            bad |= which
        own = own[~bad]
        again = intake.numbers_fault(own)
        refuse(intake.AGAIN, int(again.sum()))
        return own[~again]

    @staticmethod
    def _cut(kept: _Kept) -> list[Piece]:
        scan = kept.scan
        sensor, number = int(scan["sensor"]), int(scan["scan"])
        end = Piece((int(scan["t1_ns"]), 1, sensor, number, 0), scan)
        if not len(kept.rows):
            return [end]
        rows = intake.in_order(kept.rows)
        t = rows["t_ns"].astype(np.int64)
        starts = np.empty(len(t), dtype=np.int64)
        count = intake.slices(t, _GAP_NS, _SLICE_NS, starts)
        bounds = [*starts[:count].tolist(), len(t)]
        pieces = [
            Piece((int(t[a]), 0, sensor, number, k), scan, rows[a:b])
            for k, (a, b) in enumerate(pairwise(bounds))
        ]
        return [*pieces, end]

    # ------------------------------------------------------------------------------------------- order, back and again

    def _matters(self, fresh: list[Piece]) -> bool:
        """Whether late pieces can change anything: not where nothing was seen and nothing was there."""
        return any(p.part is not None for p in fresh) or len(self._store) > 0 or any(len(s) for _, s in self._kept)

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
        begin = bisect.bisect_left(self._keys, (second * NS, -2, -1, -1, -1))
        self._run(begin)

    def _redo_kept(self) -> None:
        """Where everything is empty only the times of the kept copies change."""
        seconds = sorted({k[0] // NS for k in self._keys} | {self._kept[0][0]})
        self._kept = [(s, self._store) for s in seconds if s >= self._kept[0][0]]

    def _run(self, begin: int) -> None:
        for piece in self._pieces[begin:]:
            second = piece.key[0] // NS
            if second > self._kept[-1][0]:
                self._keep(second)
            if piece.given is not None or piece.part is not None:
                self._store = see(self._store, piece, self._work)
            elif len(self._store):
                self._store, fates = close(self._store, piece, self._work)
                self._fates.update({family: (why, other) for family, why, other in fates})

    def _keep(self, second: int) -> None:
        """Keep the store as it is before a second: every second, or as many apart as the budget asks for, at most a
        quarter of the ring. Which are kept follows from the pieces alone.
        """
        ring = max(self._ring // NS, 1)
        every = min(max(-(-ring * self._store.nbytes // RING_BYTES), 1), max(ring // 4, 1))
        if second // every > self._kept[-1][0] // every:
            self._kept.append((second, self._store))

    def _trim(self, t1_ns: int) -> None:
        oldest = (t1_ns - self._ring) // NS
        at = 0
        while at + 1 < len(self._kept) and self._kept[at + 1][0] <= oldest:
            at += 1
        if at == 0:
            return
        del self._kept[:at]
        begin = bisect.bisect_left(self._keys, (self._kept[0][0] * NS, -2, -1, -1, -1))
        gone = dict.fromkeys(k[2:4] for k in self._keys[:begin] if k[1] >= 0)
        del self._pieces[:begin], self._keys[:begin]
        for k in self._keys:
            gone.pop(k[2:4], None)
        self._left.update(gone)
        self._forget_scans()
        self._forget_chains()

    def _forget_scans(self) -> None:
        """Drop detections out of the ring that are no track's, and scans that have none."""
        if not self._left:
            return
        waiting: dict[int, None] = {}  # detections of tracks that may yet be told
        for store in (self._kept[0][1], self._store):
            untold = np.array([f not in self._ledger.numbers for f in store.family.tolist()], dtype=np.bool_)
            heads = store.head[untold]
            _, marks, _ = self._chains.since(heads, np.full(len(heads), -1, dtype=np.int64))
            waiting.update(dict.fromkeys(marks.tolist()))
        sensor, number, _ = unpack(np.array(list(waiting), dtype=np.int64))
        held = dict.fromkeys(zip(sensor.tolist(), number.tolist(), strict=True))
        for pair in [p for p in self._left if p not in held]:
            # a scan that comes again is known as long as it is in the ring; after that it is refused as late
            del self._left[pair]
            kept = self._scans[pair]
            if not kept.used.any():
                del self._scans[pair]
            elif not kept.used.all():
                kept.rows, kept.used = kept.rows[kept.used].copy(), kept.used[kept.used]

    def _forget_chains(self) -> None:
        if len(self._chains) < self._nodes:
            return
        stores = [s for _, s in self._kept] + [self._store] + [p.given for p in self._pieces if p.given is not None]
        self._chains.compact([s.head for s in stores] + [self._ledger.head])
        self._work.deadlines.forget()
        self._nodes = max(2 * len(self._chains), _LEAST_NODES)

    # ------------------------------------------------------------------------------------------------------- telling

    def _tell(self, t1_ns: int, refused: Refused) -> TrackStep:
        store, work = self._store, self._work
        if self._ledger.idle(store):
            return TrackStep(empty(TRACK), empty(ASSOCIATION), (), refused)
        if work.settings.deletion:
            why = lf.over(store, t1_ns, work.deadlines)
        else:
            why = np.full(len(store), lf.STAYS)
        tracks, associations, events = self._ledger.tell(
            store, t1_ns, work.bank, why, self._fates, self._waits, self._names
        )
        self._mark_used(associations)
        return TrackStep(tracks, associations, tuple(events), refused)

    def _mark_used(self, associations: Table) -> None:
        """Remember which detections are told to be some track's: they are kept for its history."""
        if not len(associations):
            return
        whose = pack(associations["sensor"], associations["scan"], np.zeros(len(associations)))
        for pair in np.unique(whose):
            sensor, scan, _ = unpack(pair)
            kept = self._scans[int(sensor), int(scan)]
            kept.used[np.searchsorted(kept.rows["n"], associations["n"][whose == pair])] = True

    def _names(self, seen: NDArray[np.bool_]) -> str:
        names = [str(n) for n in sorted(n for n, site in self._work.sites.items() if seen[site.column])]
        return f"sensor {names[0]}" if len(names) == 1 else f"sensors {', '.join(names)}"


def _key(plain: Sequence[int]) -> Key:
    t, what, sensor, scan, part = (int(v) for v in plain)
    return t, what, sensor, scan, part


