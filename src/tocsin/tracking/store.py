"""The tracks of one pipeline as arrays, and their plain form.

Row i of every array is one track: ``x`` (n, M, 10), ``P`` (n, M, 10, 10), ``mu`` (n, M) as in ``models``. A state
stands at the time of the track's own last change, never at a frame's edge, so that it depends on its own detections
alone. A store is never changed once it has been kept for a rollback: whoever changes it copies it first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.tracking.models import BOOST, SLOTS

MODELS = 2  # boost and coast

ALWAYS = 1 << 62  # ns: no end

Mark = tuple[int, int, int]  # a detection: sensor, scan, n
Chain = tuple[Any, Mark] | None  # a track's detections, newest first: (the rest, mark); shared between copies

_FLOATS = {"x": (MODELS, SLOTS), "P": (MODELS, SLOTS, SLOTS), "mu": (MODELS,), "axes": (9,), "score": ()}
_INTS = ("t_ns", "last_ns", "born_ns", "period_ns", "until_ns", "life", "chart", "updates", "fresh", "parent")


@dataclass
class Store:
    """The rows of a pipeline's tracks; see the fields.

    ``axes`` (n, 9): directions for thrust angles; ``score`` (n,): ln of the odds that it is real; ``t_ns``: time of the
    state, ``last_ns`` of the last detection, ``born_ns`` of the first; ``period_ns``: longest scan period among its
    sensors; ``until_ns``: until when thrust may begin anew; ``life``: TENTATIVE or CONFIRMED (coasting and ended follow
    from the time asked for); ``chart``: number + 1 of the radar whose chart is kept, 0 for Cartesian; ``updates``:
    detections in it; ``fresh``: 1 where the velocity is a prior's (both models then have the same first six slots);
    ``parent``: -1. Lists: ``chain`` of its detections, ``sensors`` (a bit each), ``scans`` it was lately updated by.
    The number that a track has outside is no part of its row: it is kept by its first detection, see ``tracker``.
    """

    x: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, MODELS, SLOTS)))
    P: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, MODELS, SLOTS, SLOTS)))
    mu: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, MODELS)))
    axes: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 9)))
    score: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    t_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    last_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    born_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    period_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    until_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    life: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    chart: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    updates: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    fresh: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    parent: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    chain: list[Chain] = field(default_factory=list)
    sensors: list[int] = field(default_factory=list)
    scans: list[tuple[tuple[int, int], ...]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.chain)

    def memory(self) -> NDArray[np.float64]:
        """(n, 2), s: time of the last detection, time until which thrust may begin anew (``models.advance``)."""
        return np.column_stack((self.last_ns / 1e9, self.until_ns / 1e9))

    def note_boost(self, i: int, pause: float) -> None:
        """Remember from when track ``i`` has probably coasted: thrust may begin anew for ``pause`` s from then."""
        if self.mu[i, BOOST] > 0.5:
            self.until_ns[i] = ALWAYS
        elif self.until_ns[i] == ALWAYS:
            self.until_ns[i] = self.t_ns[i] + round(pause * 1e9)

    def copy(self) -> Store:
        """An independent store (chains are shared: they never change)."""
        arrays = {name: getattr(self, name).copy() for name in (*_FLOATS, *_INTS)}
        return Store(**arrays, chain=list(self.chain), sensors=list(self.sensors), scans=list(self.scans))

    def keep(self, which: NDArray[np.bool_]) -> Store:
        """A store of the rows where ``which`` holds."""
        arrays = {name: getattr(self, name)[which] for name in (*_FLOATS, *_INTS)}
        rows = [int(i) for i in np.flatnonzero(which)]
        return Store(
            **arrays,
            chain=[self.chain[i] for i in rows],
            sensors=[self.sensors[i] for i in rows],
            scans=[self.scans[i] for i in rows],
        )

    def with_rows(self, other: Store) -> Store:
        """These rows, then those of ``other``."""
        arrays = {n: np.concatenate((getattr(self, n), getattr(other, n))) for n in (*_FLOATS, *_INTS)}
        return Store(
            **arrays,
            chain=self.chain + other.chain,
            sensors=self.sensors + other.sensors,
            scans=self.scans + other.scans,
        )

    def to_plain(self) -> dict[str, Any]:
        """Bytes, integers and lists only."""
        plain: dict[str, Any] = {name: getattr(self, name).tobytes() for name in (*_FLOATS, *_INTS)}
        plain["n"] = len(self)
        plain["chain"] = [[list(mark) for mark in marks(c)] for c in self.chain]
        # bit sets may pass 64 bits: as bytes
        plain["sensors"] = [s.to_bytes((s.bit_length() + 7) // 8, "little") for s in self.sensors]
        plain["scans"] = [[list(pair) for pair in s] for s in self.scans]
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Store:
        """The inverse of ``to_plain``. Raises ValueError or KeyError on anything else."""
        n = int(plain["n"])
        arrays: dict[str, Any] = {}
        for name, shape in _FLOATS.items():
            arrays[name] = np.frombuffer(plain[name], dtype=np.float64).reshape(n, *shape).copy()
        for name in _INTS:
            arrays[name] = np.frombuffer(plain[name], dtype=np.int64).reshape(n).copy()
        chains = [chain_of([(int(a), int(b), int(c)) for a, b, c in one]) for one in plain["chain"]]
        sensors = [int.from_bytes(s, "little") for s in plain["sensors"]]
        scans = [tuple((int(a), int(b)) for a, b in s) for s in plain["scans"]]
        if not len(chains) == len(sensors) == len(scans) == n:
            raise ValueError(f"a store of {n} tracks with {len(chains)} chains")
        return cls(**arrays, chain=chains, sensors=sensors, scans=scans)


def marks(chain: Chain) -> list[Mark]:
    """The detections of a chain, oldest first."""
    out: list[Mark] = []
    while chain is not None:
        chain, mark = chain
        out.append(mark)
    out.reverse()
    return out


def chain_of(detections: list[Mark]) -> Chain:
    """A chain of detections given oldest first."""
    chain: Chain = None
    for mark in detections:
        chain = (chain, mark)
    return chain
