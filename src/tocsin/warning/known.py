"""The catalogue: which of the satellites that a centre knows a track is, if any.

A centre is given element sets (``NationSpec.catalogue``). Where each of them stands at the track's time is compared
with the track's state in six dimensions, with the track's own covariance and what element sets are off by. A match is a
name: such an object is no attack, even when it is coming down.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.element_files import read_elements
from tocsin.dynamics.elements import ElementSets, PropagationFailed
from tocsin.dynamics.orbit import orbit_states
from tocsin.scenario.specs import Catalogued

Floats = NDArray[np.float64]

# 1-sigma of a predicted position and velocity against element sets of some days (Flohrer et al., AMOS 2008, table 2:
# some kilometres along the track in low orbits a few days old; doubled, as drag is hard to foresee when it comes down)
OFF_M, OFF_M_S = 10e3, 10.0
_GATE2 = 22.46  # chi-square of 6 degrees of freedom, 99.9 %
_LEAST_M, _LEAST_M_S = 100e3, 500.0  # a track known no better than this could be almost anything


class Known:
    """A centre's catalogue; ``unix_ns``: UTC of the scenario's time zero."""

    def __init__(self, entries: tuple[Catalogued, ...], unix_ns: int) -> None:
        self._entries = entries
        self._unix_ns = unix_ns
        self._at: tuple[int, Floats] | None = None

    @cached_property
    def _sets(self) -> list[ElementSets | None]:
        return [ElementSets(read_elements(e.element_set)[:1]) if e.element_set else None for e in self._entries]

    def states(self, t_ns: int) -> Floats:
        """``(n, 6)`` eci states at ``t_ns``; not a number where an element set gives none (it has come down)."""
        if self._at is not None and self._at[0] == t_ns:
            return self._at[1]
        out = np.full((len(self._entries), 6), np.nan)
        for row, entry, sets in zip(out, self._entries, self._sets, strict=True):
            if entry.elements is not None:
                row[:] = orbit_states(entry.elements, np.array([t_ns], dtype=np.int64))[0]
            elif sets is not None:
                try:
                    row[:] = sets.states(np.array([self._unix_ns + t_ns], dtype=np.int64)).reshape(-1, 6)[0]
                except PropagationFailed:
                    continue
        self._at = (t_ns, out)
        return out

    def match(self, x: Floats, P: Floats, t_ns: int) -> str | None:
        """Id of the satellite that a track with eci state ``x`` (6) and covariance ``P`` (6, 6) at ``t_ns`` is: the
        nearest within the gate; None where there is none, or the track is too uncertain to tell.
        """
        spread = np.sqrt(np.maximum(np.diag(P), 0.0))
        if not self._entries or not (spread[:3].max() < _LEAST_M and spread[3:].max() < _LEAST_M_S):
            return None
        apart = self.states(t_ns) - x
        near = np.flatnonzero(np.linalg.norm(apart[:, :3], axis=1) < 6.0 * (OFF_M + float(spread[:3].max())))
        if not len(near):
            return None
        S = P + np.diag([OFF_M**2] * 3 + [OFF_M_S**2] * 3)
        d2 = np.einsum("ni,ni->n", apart[near], np.linalg.solve(S, apart[near].T).T)
        best = int(np.argmin(d2))
        return self._entries[int(near[best])].id if d2[best] < _GATE2 else None
