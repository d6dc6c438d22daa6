"""Arrow columns from arrays and lists, by their buffers.

``pyarrow.array`` imports pandas to find out whether it was given something of pandas: a third of a second on every run
that never uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_FILL: dict[str, Any] = {"b": False, "i": 0, "u": 0, "f": 0.0}


def _bits(flags: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little").tobytes())


def numbers(values: NDArray[Any], nulls: NDArray[np.bool_] | None = None) -> pa.Array:
    """Column of a one-dimensional array of numbers or truth values; null where ``nulls`` is true."""
    plain = np.ascontiguousarray(values)
    if plain.ndim != 1 or plain.dtype.kind not in _FILL:
        raise ValueError(f"expected one dimension of numbers, found {plain.dtype} of shape {plain.shape}")
    own = plain.astype(plain.dtype.newbyteorder("="), copy=False)
    data = _bits(own) if own.dtype.kind == "b" else pa.py_buffer(own)
    valid = None if nulls is None or not nulls.any() else _bits(~nulls)
    return pa.Array.from_buffers(pa.from_numpy_dtype(own.dtype), len(own), [valid, data])


def texts(values: Sequence[str | None]) -> pa.Array:
    """Column of texts; null where there is none."""
    raw = [b"" if v is None else v.encode() for v in values]
    ends = np.zeros(len(raw) + 1, dtype=np.int32)
    ends[1:] = np.cumsum([len(r) for r in raw], dtype=np.int64)
    missing = np.array([v is None for v in values], dtype=np.bool_)
    valid = _bits(~missing) if missing.any() else None
    return pa.Array.from_buffers(pa.string(), len(raw), [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(raw))])


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Column of the given type from plain values; null where one is None."""
    if kind == pa.string():
        return texts(values)
    dtype = np.dtype(kind.to_pandas_dtype())
    missing = np.array([v is None for v in values], dtype=np.bool_)
    filled = [_FILL[dtype.kind] if v is None else v for v in values]
    return numbers(np.array(filled, dtype=dtype), missing)


def scalar(value: str | float | bool) -> pa.Scalar:
    """A value for ``pyarrow.compute``, which would make one by way of pandas."""
    if isinstance(value, str):
        return texts([value])[0]
    return numbers(np.array([value]))[0]


def values(column: pa.Array | pa.ChunkedArray) -> NDArray[Any]:
    """Numbers or truth values of a column (a copy); where some are null all are floats, with NaN for those."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [_plain(chunk) for chunk in chunks]
    return np.concatenate(parts) if parts else np.empty(0, dtype=column.type.to_pandas_dtype())


def _plain(chunk: pa.Array) -> NDArray[Any]:
    truth = chunk.type == pa.bool_()
    own = chunk.cast(pa.uint8()) if truth else chunk
    n = len(own)
    dtype = np.dtype(own.type.to_pandas_dtype())
    data = own.buffers()[1]
    made = np.frombuffer(data, dtype, n, own.offset * dtype.itemsize) if n else np.empty(0, dtype)
    if not own.null_count:
        return made.astype(np.bool_) if truth else made
    there = np.frombuffer(own.is_valid().cast(pa.uint8()).buffers()[1], np.uint8, n)
    return np.where(there > 0, made.astype(np.float64), np.nan)
