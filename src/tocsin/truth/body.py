"""What moves, whatever it is: the one shape that the world handles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.ephemeris import Ephemeris


@dataclass(frozen=True)
class Body:
    """One object as it moves, from ``start_ns`` to the end of its nodes.

    ``key``: 32 hex digits, the digest of what it is (never of its name); ``class_id``: "" where it has none; ``kind``:
    "flight", "glide", "launch" (to orbit), "loose" (came off ``parent``), "state", "recorded", "orbit", "aircraft";
    ``nodes (m, 10)``: the ephemeris, times in s since ``start_ns``; ``events``: name and time of what happens to it, in
    order of time ("launch", "burnout", "apogee", "entry", "pull-up", "dive", "orbit", "separation", "impact");
    ``burns``: start, end (ns), intensity (W/sr); ``cutoff_ns``: until when ``rcs_boost`` holds, ``rcs`` after it (m2);
    ``facts``: what was drawn and solved, by name, SI and rad.
    """

    id: str
    key: str
    class_id: str
    kind: str
    parent: str
    start_ns: int
    nodes: NDArray[np.float64] = field(compare=False, repr=False)
    events: tuple[tuple[str, int], ...]
    burns: tuple[tuple[int, int, float], ...]
    cutoff_ns: int
    rcs_boost: float
    rcs: float
    facts: dict[str, float]


def bodies_ephemeris(bodies: Sequence[Body]) -> Ephemeris:
    """Ephemeris of the bodies, one row each in their order."""
    return Ephemeris([b.start_ns for b in bodies], [b.nodes for b in bodies])
