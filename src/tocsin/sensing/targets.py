"""What there is to be seen: paths, radar cross-sections and plumes, as arrays over objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

BURN = np.dtype([("object", "<i4"), ("t0_ns", "<i8"), ("t1_ns", "<i8"), ("intensity", "<f8")])
_NEVER = (np.iinfo(np.int64).max, np.iinfo(np.int64).min)  # a first and last time that no scan falls between


class Paths(Protocol):
    """Where objects are, such as ``dynamics.ephemeris.Ephemeris``."""

    def states(self, rows: NDArray[np.int64], t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """States (m, m/s, eci) of the objects ``rows (k,)`` at the times ``t_ns (k,)``."""

    def span(self, row: int) -> tuple[int, int]:
        """First and last time (ns) of an object."""


@dataclass(frozen=True, eq=False)
class Targets:
    """All objects of a world, one row each; an object does not exist outside its path's span.

    ``keys (n,)`` uint64: digest of each object's content (never of its name or place), which keys its random numbers;
    ``rcs (n, 2)``: m2 before and after ``cutoff_ns (n,)``; ``burns``: table of ``BURN``, intensity in W/sr (2.7 um
    band) from t0 to t1; ``trough (n, 3)``: heights (m) between which a plume is dimmer and the factor in the middle
    (1: none), ``warm (n,)``: W/sr of the body in the band of midcourse sensors, either may be left out; ``unix_ns``:
    UTC of time zero (ns since 1970), which says where the Sun stands, needed only by sensors that mind.

    Raises ValueError where shapes or object numbers do not fit together, or two objects have one key.
    """

    ephemeris: Paths
    keys: NDArray[np.uint64]
    rcs: NDArray[np.float64]
    cutoff_ns: NDArray[np.int64]
    burns: NDArray[np.void]
    trough: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    warm: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    unix_ns: int | None = None
    spans: NDArray[np.int64] = field(init=False, repr=False)  # (n, 2): first and last time
    burning: NDArray[np.int64] = field(init=False, repr=False)  # (n, 2): first and last time of a plume, or never
    showing: NDArray[np.int64] = field(init=False, repr=False)  # (n, 2): the same of a plume or a warm body
    burn_start: NDArray[np.int64] = field(init=False, repr=False)  # (n + 1,): where each object's burns begin below
    burn_t: NDArray[np.int64] = field(init=False, repr=False)  # (b, 2)
    burn_intensity: NDArray[np.float64] = field(init=False, repr=False)  # (b,)

    def __post_init__(self) -> None:
        n = len(self.keys)
        if self.rcs.shape != (n, 2) or self.cutoff_ns.shape != (n,):
            raise ValueError(
                f"{n} keys need rcs ({n}, 2) and cutoff_ns ({n},), found {self.rcs.shape} and {self.cutoff_ns.shape}"
            )
        if len(np.unique(self.keys)) != n:
            raise ValueError("two objects have the same key and would have the same random numbers")
        if len(self.burns) and not np.isin(self.burns["object"], range(n)).all():
            raise ValueError(f"a burn names an object outside 0 to {n - 1}")
        trough = np.asarray(self.trough, dtype=np.float64) if len(self.trough) else np.tile([0.0, 1.0, 1.0], (n, 1))
        warm = np.asarray(self.warm, dtype=np.float64) if len(self.warm) else np.zeros(n)
        if trough.shape != (n, 3) or warm.shape != (n,):
            raise ValueError(f"{n} keys need trough ({n}, 3) and warm ({n},), found {trough.shape} and {warm.shape}")
        if not ((trough[:, 1] > trough[:, 0]) & (trough[:, 2] >= 0.0)).all():
            raise ValueError("a trough needs its lower height first and a factor of at least 0")
        if not (np.isfinite(warm) & (warm >= 0.0)).all():
            raise ValueError("warm must be finite and not negative")
        order = np.lexsort((self.burns["t0_ns"], self.burns["object"]))
        burns = self.burns[order]
        start = np.searchsorted(burns["object"], np.arange(n + 1)).astype(np.int64)
        spans = np.array([self.ephemeris.span(j) for j in range(n)], dtype=np.int64).reshape(n, 2)
        burning = np.full((n, 2), _NEVER, dtype=np.int64)
        for j in range(n):
            own = burns[start[j] : start[j + 1]]
            if len(own) and own["t0_ns"].min() <= spans[j, 1] and own["t1_ns"].max() >= spans[j, 0]:
                burning[j] = max(own["t0_ns"].min(), spans[j, 0]), min(own["t1_ns"].max(), spans[j, 1])
        times = np.stack((burns["t0_ns"], burns["t1_ns"]), axis=1).astype(np.int64)
        for name, value in (
            ("keys", np.ascontiguousarray(self.keys, dtype=np.uint64)),
            ("rcs", np.ascontiguousarray(self.rcs, dtype=np.float64)),
            ("cutoff_ns", np.ascontiguousarray(self.cutoff_ns, dtype=np.int64)),
            ("spans", spans),
            ("burning", burning),
            ("showing", np.where(warm[:, None] > 0.0, spans, burning)),
            ("trough", np.ascontiguousarray(trough)),
            ("warm", np.ascontiguousarray(warm)),
            ("burn_start", start),
            ("burn_t", np.ascontiguousarray(times)),
            ("burn_intensity", np.ascontiguousarray(burns["intensity"], dtype=np.float64)),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def of(
        cls,
        ephemeris: Paths,
        keys: Iterable[int],
        rcs: ArrayLike,
        cutoff_ns: ArrayLike,
        burns: Iterable[tuple[int, int, int, float]],
        trough: ArrayLike = (),
        warm: ArrayLike = (),
        unix_ns: int | None = None,
    ) -> Targets:
        """From plain numbers: ``keys`` (64 bits each), ``rcs (n, 2)``, ``cutoff_ns (n,)``, burns (object, t0_ns, t1_ns,
        W/sr), ``trough (n, 3)``, ``warm (n,)``.
        """
        k = np.array(list(keys), dtype=np.uint64)
        area = np.asarray(rcs, dtype=np.float64).reshape(len(k), 2)
        table: NDArray[Any] = np.array([tuple(b) for b in burns], dtype=BURN)
        return cls(
            ephemeris, k, area, np.asarray(cutoff_ns, dtype=np.int64), table,
            np.asarray(trough, dtype=np.float64).reshape(-1, 3), np.asarray(warm, dtype=np.float64), unix_ns,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.keys)
