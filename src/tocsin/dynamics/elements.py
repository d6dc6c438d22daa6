"""Many satellites from published element sets, by SGP4: states in eci (which coincides with TEME) in bulk.

The theory is Vallado, Crawford, Hujsak and Kelso, "Revisiting Spacetrack Report #3", AIAA 2006-6753, in the library
sgp4 (its compiled form), with the constants of WGS 72 for which element sets are made. Reading is in
``element_files``, how far old elements are off in ``element_age``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sgp4.api import SGP4_ERRORS, WGS72, Satrec, SatrecArray

from tocsin.dynamics.element_files import ElementSet, read_elements
from tocsin.earth.clock import format_utc

_DAY_NS = 86_400_000_000_000
_UNIX_JD = 2440587.5  # 1970-01-01
_EPOCH_JD = 2433281.5
_EPOCH_NS = -631_238_400_000_000_000  # 1949-12-31, from which the library counts days
_MOST_ALPHA5 = 339_999  # greatest catalogue number that the library's records hold


class PropagationFailed(ValueError):  # noqa: N818 - the name says what is wrong
    """SGP4 has no state of a satellite at a time.

    ``index``: which satellite; ``code``: SGP4's error (1 to 4, 6: decayed).
    """

    def __init__(self, text: str, index: int, code: int) -> None:
        super().__init__(text)
        self.index = index
        self.code = code


@dataclass(frozen=True)
class Block:
    """States of all satellites over some of the times.

    ``first``: index of the first time; ``times (b,)``: UTC, ns since 1970; ``states (n, b, 6)``: eci, m and m/s, NaN
    where ``codes (n, b)`` is not 0 (SGP4's errors; 6: decayed).
    """

    first: int
    times: NDArray[np.int64]
    states: NDArray[np.float64] = field(repr=False)
    codes: NDArray[np.uint8] = field(repr=False)


def _record(one: ElementSet) -> Satrec:
    record = Satrec()
    days, rest = divmod(one.epoch_ns - _EPOCH_NS, _DAY_NS)
    fraction = rest / _DAY_NS
    number = one.number if one.number <= _MOST_ALPHA5 else 0
    record.sgp4init(
        WGS72, "i", number, (days + _EPOCH_JD + fraction) - _EPOCH_JD, one.bstar, 0.0, 0.0,
        one.e, one.argp, one.i, one.m0, one.mean_motion * 60.0, one.raan,
    )  # fmt: skip
    # the epoch for Sun and Moon is rounded to 40 us as in the reference program; that from which time counts is exact
    record.jdsatepoch, record.jdsatepochF = days + _EPOCH_JD, fraction
    return record


class ElementSets:
    """``n`` satellites, in the order in which they were given.

    ``sets``: their elements; ``numbers (n,)``: catalogue numbers; ``epoch_ns (n,)``: UTC of the elements.
    """

    def __init__(self, sets: Sequence[ElementSet]) -> None:
        self.sets = tuple(sets)
        self.names = tuple(one.name for one in self.sets)
        self.numbers = np.array([one.number for one in self.sets], dtype=np.int64)
        self.epoch_ns = np.array([one.epoch_ns for one in self.sets], dtype=np.int64)
        self._records = SatrecArray([_record(one) for one in self.sets])

    @classmethod
    def read(cls, text: str, history: bool = False) -> ElementSets:
        """Satellites of a TLE file or an OMM (JSON, KVN). Raises ElementsError as ``read_elements`` does."""
        return cls(read_elements(text, history))

    def __len__(self) -> int:
        """The number of satellites."""
        return len(self.sets)

    def age_s(self, unix_ns: ArrayLike) -> NDArray[np.float64]:
        """Age (s) of the elements ``(n, k)`` at UTC times ``(k,)`` (ns since 1970); negative before their epoch."""
        times = _times(unix_ns)
        return (times[None, :] - self.epoch_ns[:, None]) / 1e9

    def coded_states(self, unix_ns: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """States ``(n, k, 6)`` in eci (m, m/s) at UTC times ``(k,)`` (ns since 1970), and SGP4's codes ``(n, k)``.

        Where a code is not 0 there is no state and the row is NaN (6: the satellite has decayed).
        """
        times = _times(unix_ns)
        days, rest = np.divmod(times, _DAY_NS)
        codes, r, v = self._records.sgp4(days + _UNIX_JD, rest / _DAY_NS)
        states = np.empty((len(self), len(times), 6))
        np.multiply(r, 1e3, out=states[:, :, :3])
        np.multiply(v, 1e3, out=states[:, :, 3:])
        if codes.any():
            states[codes != 0] = np.nan
        return states, codes

    def states(self, unix_ns: ArrayLike) -> NDArray[np.float64]:
        """States ``(n, k, 6)`` in eci (m, m/s) at UTC times ``(k,)`` (ns since 1970).

        Raises PropagationFailed, with index, time and reason, if a single one does not exist.
        """
        times = _times(unix_ns)
        states, codes = self.coded_states(times)
        if codes.any():
            index, at = (int(x) for x in np.argwhere(codes)[0])
            code, one = int(codes[index, at]), self.sets[index]
            reason = "it has decayed" if code == 6 else SGP4_ERRORS.get(code, "unknown")
            named = f" {one.name}" if one.name else ""
            raise PropagationFailed(
                f"index {index}: satellite {one.number}{named} has no state at {format_utc(int(times[at]))},"
                f" {(int(times[at]) - one.epoch_ns) / _DAY_NS:.2f} days from its epoch: {reason} (SGP4 error {code})",
                index,
                code,
            )
        return states

    def stream(self, unix_ns: ArrayLike, block: int = 60) -> Iterator[Block]:
        """The same over many times, ``block`` of them at once: memory is that of one block, whatever the span."""
        if block < 1:
            raise ValueError(f"a block has at least one time, found {block}")
        times = _times(unix_ns)
        for first in range(0, len(times), block):
            part = times[first : first + block]
            yield Block(first, part, *self.coded_states(part))


def _times(unix_ns: ArrayLike) -> NDArray[np.int64]:
    times = np.atleast_1d(np.asarray(unix_ns))
    if times.dtype.kind not in "iu" or times.ndim != 1:
        raise ValueError(f"times must be whole ns in one dimension, found {times.dtype} of shape {times.shape}")
    return times.astype(np.int64, copy=False)
