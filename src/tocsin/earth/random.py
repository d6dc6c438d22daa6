"""Random streams: a draw depends on what it is for, not on when or beside whom it is asked.

Philox4x32 with ten rounds (Salmon, Moraes, Dror, Shaw, SC'11). The key is a digest of (seed, a stable string id, a
purpose), the counter is (time in ns, slot, block). One 53-bit uniform takes two words, a normal takes one uniform
through the inverse of the normal distribution (Wichura, AS 241, 1988): a fixed number of words per draw, so that
nothing shifts when one draw is added.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint32(0x9E3779B9)
_W1 = np.uint32(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def stream_key(seed: int, name: str, purpose: str) -> int:
    """64-bit key of the stream for ``purpose`` of the thing called ``name`` under ``seed``."""
    h = hashlib.blake2b(digest_size=8)
    for part in (str(seed), name, purpose):
        raw = part.encode()
        h.update(len(raw).to_bytes(4, "little"))
        h.update(raw)
    return int.from_bytes(h.digest(), "little")


@kernel
def philox(
    c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32, k0: np.uint32, k1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Four random words of a 128-bit counter under a 64-bit key (Philox4x32-10)."""
    for _ in range(10):
        p0 = _M0 * np.uint64(c0)
        p1 = _M1 * np.uint64(c2)
        n0 = np.uint32((p1 >> _32) & _LOW) ^ c1 ^ k0
        n2 = np.uint32((p0 >> _32) & _LOW) ^ c3 ^ k1
        c1 = np.uint32(p1 & _LOW)
        c3 = np.uint32(p0 & _LOW)
        c0 = n0
        c2 = n2
        k0 = np.uint32(k0 + _W0)
        k1 = np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@kernel
def uniform(key: np.uint64, t_ns: np.int64, slot: np.int64, index: np.int64) -> float:
    """Draw number ``index`` of (key, time, slot): uniform in (0, 1), both ends excluded, 53 bits."""
    t = np.uint64(t_ns)
    block = np.uint32(index >> 1)
    w = philox(
        np.uint32(t & _LOW),
        np.uint32((t >> _32) & _LOW),
        np.uint32(np.uint64(slot) & _LOW),
        block,
        np.uint32(np.uint64(key) & _LOW),
        np.uint32((np.uint64(key) >> _32) & _LOW),
    )
    if index & 1:
        hi, lo = w[2], w[3]
    else:
        hi, lo = w[0], w[1]
    mantissa = (np.uint64(hi) << np.uint64(21)) | (np.uint64(lo) >> np.uint64(11))
    return (float(mantissa) + 0.5) * (1.0 / 9007199254740992.0)


@kernel
def normal_quantile(p: float) -> float:
    """Inverse of the standard normal distribution, relative error about 1e-16 (AS 241, PPND16); p in (0, 1)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        num = (
            (
                (
                    (
                        ((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                        + 45921.953931549871457
                    )
                    * r
                    + 13731.693765509461125
                )
                * r
                + 1971.5909503065514427
            )
            * r
            + 133.14166789178437745
        ) * r + 3.387132872796366608
        den = (
            (
                (
                    (
                        ((5226.495278852545925 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                        + 21213.794301586595867
                    )
                    * r
                    + 5394.1960214247511077
                )
                * r
                + 687.1870074920579083
            )
            * r
            + 42.313330701600911252
        ) * r + 1.0
        return q * num / den
    r = p if q < 0.0 else 1.0 - p
    r = math.sqrt(-math.log(r))
    if r <= 5.0:
        r -= 1.6
        num = (
            (
                (
                    (
                        ((7.7454501427834140764e-4 * r + 0.0227238449892691845833) * r + 0.24178072517745061177) * r
                        + 1.27045825245236838258
                    )
                    * r
                    + 3.64784832476320460504
                )
                * r
                + 5.7694972214606914055
            )
            * r
            + 4.6303378461565452959
        ) * r + 1.42343711074968357734
        den = (
            (
                (
                    (
                        ((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 0.0151986665636164571966) * r
                        + 0.14810397642748007459
                    )
                    * r
                    + 0.68976733498510000455
                )
                * r
                + 1.6763848301838038494
            )
            * r
            + 2.05319162663775882187
        ) * r + 1.0
    else:
        r -= 5.0
        num = (
            (
                (
                    (
                        ((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 0.0012426609473880784386) * r
                        + 0.026532189526576123093
                    )
                    * r
                    + 0.29656057182850489123
                )
                * r
                + 1.7848265399172913358
            )
            * r
            + 5.4637849111641143699
        ) * r + 6.6579046435011037772
        den = (
            (
                (
                    (
                        ((2.04426310338993978564e-15 * r + 1.4215117583164458887e-7) * r + 1.8463183175100546818e-5) * r
                        + 7.868691311456132591e-4
                    )
                    * r
                    + 0.0148753612908506148525
                )
                * r
                + 0.13692988092273580531
            )
            * r
            + 0.59983220655588793769
        ) * r + 1.0
    value = num / den
    return -value if q < 0.0 else value


@kernel
def normal(key: np.uint64, t_ns: np.int64, slot: np.int64, index: np.int64) -> float:
    """Draw number ``index`` of (key, time, slot): standard normal."""
    return normal_quantile(uniform(key, t_ns, slot, index))


@kernel
def poisson(key: np.uint64, t_ns: np.int64, slot: np.int64, index: np.int64, mean: float) -> int:
    """Draw number ``index`` of (key, time, slot): Poisson with ``mean`` (0 to 600), by inversion of one uniform."""
    u = uniform(key, t_ns, slot, index)
    term = math.exp(-mean)
    total = term
    k = 0
    while u > total and k < 2000:
        k += 1
        term *= mean / k
        total += term
    return k


@kernel
def _fill_normals(key: np.uint64, t_ns: np.int64, slot: np.int64, out: NDArray[np.float64]) -> None:
    for i in range(out.shape[0]):
        out[i] = normal(key, t_ns, slot, np.int64(i))


def normals(key: int, t_ns: int, slot: int, count: int) -> NDArray[np.float64]:
    """The first ``count`` standard normals of (key, time, slot)."""
    out = np.empty(count)
    _fill_normals(np.uint64(key), np.int64(t_ns), np.int64(slot), out)
    return out


def draw_uniform(key: int, t_ns: int = 0, slot: int = 0, index: int = 0) -> float:
    """One uniform of (key, time, slot) from Python."""
    return float(uniform(np.uint64(key), np.int64(t_ns), np.int64(slot), np.int64(index)))


def draw_normal(key: int, t_ns: int = 0, slot: int = 0, index: int = 0) -> float:
    """One standard normal of (key, time, slot) from Python."""
    return float(normal(np.uint64(key), np.int64(t_ns), np.int64(slot), np.int64(index)))
