"""The tracks of one pipeline as arrays, the detections they were made from, and the plain form of both.

Row i of every array is one track (or one leaf of a track with several hypotheses): ``x`` (n, M, 10), ``P`` (n, M, 10,
10), ``mu`` (n, M) as in ``models``. A state stands at the time of the track's own last change, never at a frame's edge,
so that it depends on its own detections alone. A store is never changed once it has been kept for a rollback: whoever
changes it copies it first.

A track's detections are a chain of nodes (node before, mark) in an arena that all stores of a tracker share. Equal
chains are the same node, so what replay makes again is found again and costs nothing, and two chains are compared by
one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.tracking.models import SLOTS

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

ALWAYS = 1 << 62  # ns: no end
NOBODY = -1  # no parent
GIVEN = 65535  # in place of a sensor's number: a track that was given and not made from detections

Mark = tuple[int, int, int]  # a detection: sensor, scan, n; packed into 64 bits inside

_FLOATS = ("x", "P", "mu", "axes", "score")
_INTS = (
    "t_ns", "last_ns", "born_ns", "period_ns", "until_ns", "life", "chart", "updates", "fresh", "parent", "family",
    "origin", "looked", "stitches",
)  # fmt: skip


def pack(sensor: Any, scan: Any, n: Any) -> Ints:
    """Marks as int64: sensor, scan and n side by side in 16, 32 and 16 bits."""
    s, k, m = (np.asarray(v).astype(np.uint64) for v in (sensor, scan, n))
    return np.asarray((s << np.uint64(48)) | (k << np.uint64(16)) | m).astype(np.int64)


def unpack(marks: Ints) -> tuple[Ints, Ints, Ints]:
    """Sensor, scan and n of packed marks."""
    m = np.asarray(marks, dtype=np.int64).astype(np.uint64)
    parts = (m >> np.uint64(48), (m >> np.uint64(16)) & np.uint64(0xFFFFFFFF), m & np.uint64(0xFFFF))
    return parts[0].astype(np.int64), parts[1].astype(np.int64), parts[2].astype(np.int64)


@kernel
def _slot(previous: int, mark: int, mask: int) -> int:
    """Where the search for a node begins in the table (multiply and fold; overflow wraps)."""
    h = (previous + 1) * 7046029254386353131 + mark * 6364136223846793005
    h ^= h >> 29
    h *= 1442695040888963407
    return (h ^ (h >> 32)) & mask


@kernel
def _extend(
    previous: Ints, mark: Ints, table: Ints, size: int, heads: Ints, marks: Ints, out: Ints
) -> int:  # fmt: skip
    mask = table.shape[0] - 1
    for k in range(heads.shape[0]):
        at = _slot(heads[k], marks[k], mask)
        while table[at] >= 0 and not (previous[table[at]] == heads[k] and mark[table[at]] == marks[k]):
            at = (at + 1) & mask
        if table[at] < 0:
            previous[size], mark[size] = heads[k], marks[k]
            table[at] = size
            size += 1
        out[k] = table[at]
    return size


@kernel
def _hash_all(previous: Ints, mark: Ints, table: Ints, size: int) -> None:
    mask = table.shape[0] - 1
    for node in range(size):
        at = _slot(previous[node], mark[node], mask)
        while table[at] >= 0:
            at = (at + 1) & mask
        table[at] = node


@kernel
def _lengths(previous: Ints, heads: Ints, known: Ints, out: Ints) -> None:
    """Nodes from each head back to its known one, that excluded; -1 - length where it is never met."""
    for k in range(heads.shape[0]):
        node, n = heads[k], 0
        while node > known[k]:  # a node is always younger than the one before it
            node = previous[node]
            n += 1
        met = node == known[k]
        while node >= 0 and not met:
            node = previous[node]
            n += 1
        out[k] = n if met else -1 - n


@kernel
def _fill(previous: Ints, mark: Ints, heads: Ints, ends: Ints, counts: Ints, out: Ints) -> None:
    for k in range(heads.shape[0]):
        node = heads[k]
        for i in range(counts[k]):
            out[ends[k] - 1 - i] = mark[node]
            node = previous[node]


@kernel
def _compact(previous: Ints, mark: Ints, live: Ints, size: int) -> int:
    """Move live nodes (live > 0) together, in order; ``live`` becomes the new place of each (-1: gone)."""
    n = 0
    for node in range(size):
        if live[node] > 0:
            p = previous[node]
            previous[n], mark[n] = live[p] if p >= 0 else -1, mark[node]
            live[node] = n
            n += 1
        else:
            live[node] = -1
    return n


@kernel
def _visit(previous: Ints, heads: Ints, live: Ints) -> None:
    for k in range(heads.shape[0]):
        node = heads[k]
        while node >= 0 and live[node] == 0:
            live[node] = 1
            node = previous[node]


class Chains:
    """Chains of detections in one arena; see the module."""

    def __init__(self) -> None:
        self._previous = np.empty(1024, dtype=np.int64)
        self._mark = np.empty(1024, dtype=np.int64)
        self._table = np.full(2048, -1, dtype=np.int64)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def extend(self, heads: Ints, marks: Ints) -> Ints:
        """The nodes (k,) of chains ``heads`` (k,), -1 for none, with one detection (packed) more each."""
        k = len(heads)
        if self._size + k > len(self._mark):
            room = 2 * (self._size + k)
            self._previous = np.concatenate((self._previous[: self._size], np.empty(room, dtype=np.int64)))
            self._mark = np.concatenate((self._mark[: self._size], np.empty(room, dtype=np.int64)))
        if 2 * (self._size + k) > len(self._table):
            self._rehash(4 * (self._size + k))
        out = np.empty(k, dtype=np.int64)
        self._size = _extend(self._previous, self._mark, self._table, self._size, heads, marks, out)
        return out

    def _rehash(self, room: int) -> None:
        self._table = np.full(1 << max(room - 1, 1).bit_length(), -1, dtype=np.int64)
        _hash_all(self._previous, self._mark, self._table, self._size)

    def marks(self, head: int) -> Ints:
        """The detections of one chain, oldest first."""
        return self.since(np.array([head]), np.array([-1]))[1]

    def since(self, heads: Ints, known: Ints) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        """How many detections each chain has beyond a known part of it (-1: none), and all of these one after the
        other, oldest first; whether the known part is one: where it is not, the whole chain is given.
        """
        counts = np.empty(len(heads), dtype=np.int64)
        _lengths(self._previous, heads, known, counts)
        part = counts >= 0
        counts = np.where(part, counts, -1 - counts)
        ends = np.cumsum(counts)
        out = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
        _fill(self._previous, self._mark, heads, ends, counts, out)
        return counts, out, part

    def chain(self, marks: Iterable[int]) -> int:
        """The node of a chain given oldest first."""
        head = np.array([-1], dtype=np.int64)
        for m in marks:
            head = self.extend(head, np.array([m], dtype=np.int64))
        return int(head[0])

    def chains(self, counts: Ints, marks: Ints) -> Ints:
        """The nodes of many chains: ``marks`` one chain after the other, ``counts`` of each."""
        heads = np.full(len(counts), -1, dtype=np.int64)
        first = np.cumsum(counts) - counts
        for step in range(int(counts.max()) if len(counts) else 0):
            on = np.flatnonzero(counts > step)
            heads[on] = self.extend(heads[on], marks[first[on] + step])
        return heads

    def compact(self, heads: Sequence[Ints]) -> None:
        """Forget all nodes that none of these arrays of heads leads to; the arrays are changed to the new places."""
        live = np.zeros(self._size, dtype=np.int64)
        for array in heads:
            _visit(self._previous, array, live)
        self._size = _compact(self._previous, self._mark, live, self._size)
        self._rehash(4 * max(self._size, 256))
        done: dict[int, None] = {}
        for array in heads:
            if id(array) not in done:
                done[id(array)] = None
                array[:] = np.where(array >= 0, live[np.maximum(array, 0)] if len(live) else -1, -1)


@dataclass
class Store:
    """The rows of a pipeline's tracks; see the fields.

    ``axes`` (n, 9): directions for thrust angles; ``score`` (n,): ln of the odds that it is real; ``t_ns``: time of the
    state, ``last_ns`` of the last detection, ``born_ns`` of the first; ``period_ns``: longest scan period among its
    sensors; ``until_ns``: until when thrust may begin anew; ``life``: TENTATIVE or CONFIRMED (coasting and ended follow
    from the time asked for); ``chart``: number + 1 of the radar whose chart is kept, 0 for Cartesian; ``updates``:
    detections in it; ``fresh``: 1 where the velocity is a prior's (both models then have the same first six slots);
    ``family``: the first detection (packed) of the object's first track, which is its identity for good: leaves of one
    track share it, stitched tracks keep the older; ``parent``: the family that it split from, NOBODY; ``origin``,
    ``looked``, ``stitches``: see ``stitch``: whether it is settled what it comes from, its updates when that was last
    asked, how often it was found again; ``head``: its chain of detections in ``chains``; ``seen`` (n, S): the newest
    scan of each sensor (in the tracker's order) that it was corrected by, -1 for none. The number that a track has
    outside is kept by its family, see ``telling``.
    """

    x: Array
    P: Array
    mu: Array
    axes: Array
    score: Array
    t_ns: Ints
    last_ns: Ints
    born_ns: Ints
    period_ns: Ints
    until_ns: Ints
    life: Ints
    chart: Ints
    updates: Ints
    fresh: Ints
    parent: Ints
    family: Ints
    origin: Ints
    looked: Ints
    stitches: Ints
    head: Ints
    seen: Ints
    chains: Chains

    @classmethod
    def none(cls, models: int, sensors: int, chains: Chains | None = None, rows: int = 0) -> Store:
        """A store of zeroed rows, without parents, detections or sightings."""
        n = rows
        ints = {name: np.zeros(n, dtype=np.int64) for name in _INTS}
        ints["parent"][:] = NOBODY
        return cls(
            x=np.zeros((n, models, SLOTS)),
            P=np.zeros((n, models, SLOTS, SLOTS)),
            mu=np.zeros((n, models)),
            axes=np.zeros((n, 9)),
            score=np.zeros(n),
            head=np.full(n, -1, dtype=np.int64),
            seen=np.full((n, sensors), -1, dtype=np.int64),
            chains=chains if chains is not None else Chains(),
            **ints,
        )

    def __len__(self) -> int:
        return len(self.score)

    @property
    def nbytes(self) -> int:
        """Size of the arrays (bytes)."""
        return sum(a.nbytes for a in self._arrays().values())

    def _arrays(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _COLUMNS}

    def memory(self) -> Array:
        """(n, 2), s: time of the last detection, time until which thrust may begin anew (``models.advance``)."""
        return np.column_stack((self.last_ns / 1e9, self.until_ns / 1e9))

    def note_boost(self, rows: Ints, boost: int, pause: float) -> None:
        """Remember from when tracks have probably coasted: thrust may begin anew for ``pause`` s from then.

        ``boost``: the column of that model, -1 for none.
        """
        if boost < 0:
            return
        burns = self.mu[rows, boost] > 0.5
        ended = ~burns & (self.until_ns[rows] == ALWAYS)
        self.until_ns[rows[burns]] = ALWAYS
        self.until_ns[rows[ended]] = self.t_ns[rows[ended]] + round(pause * 1e9)

    def copy(self) -> Store:
        """An independent store (but for the chains)."""
        return Store(**{k: v.copy() for k, v in self._arrays().items()}, chains=self.chains)

    def keep(self, which: NDArray[Any]) -> Store:
        """A store of the rows where ``which`` holds, or of rows given by number, in that order."""
        return Store(**{k: v[which] for k, v in self._arrays().items()}, chains=self.chains)

    def with_rows(self, other: Store) -> Store:
        """These rows, then those of ``other``."""
        arrays = {k: np.concatenate((v, getattr(other, k))) for k, v in self._arrays().items()}
        return Store(**arrays, chains=self.chains)

    def put(self, rows: Ints, other: Store) -> None:
        """Overwrite rows by those of ``other``, in place."""
        for name in _COLUMNS:
            getattr(self, name)[rows] = getattr(other, name)

    def to_plain(self) -> dict[str, Any]:
        """Bytes and integers only, the same for the same tracks however they came about."""
        plain: dict[str, Any] = {name: getattr(self, name).tobytes() for name in (*_FLOATS, *_INTS, "seen")}
        counts, marks, _ = self.chains.since(self.head, np.full(len(self), -1, dtype=np.int64))
        plain["chains"] = [counts.tobytes(), marks.tobytes()]
        plain["n"], plain["models"], plain["sensors"] = len(self), self.mu.shape[1], self.seen.shape[1]
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any], chains: Chains | None = None) -> Store:
        """The inverse of ``to_plain``. Raises ValueError or KeyError on anything else."""
        n, models, sensors = int(plain["n"]), int(plain["models"]), int(plain["sensors"])
        out = cls.none(models, sensors, chains, n)
        for name in (*_FLOATS, *_INTS, "seen"):
            blank = getattr(out, name)
            setattr(out, name, np.frombuffer(plain[name], dtype=blank.dtype).reshape(blank.shape).copy())
        counts, marks = (np.frombuffer(b, dtype=np.int64) for b in plain["chains"])
        if len(counts) != n or counts.sum() != len(marks) or (counts < 0).any():
            raise ValueError(f"a store of {n} tracks with {len(counts)} chains of {len(marks)} detections")
        out.head = out.chains.chains(counts, marks)
        return out


_COLUMNS = tuple(f.name for f in fields(Store) if f.name != "chains")
