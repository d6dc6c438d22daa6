"""How what reaches a receiver becomes a detection: the physics that sensors carry out and that centres reckon with."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.earth.shadow import sunlit
from tocsin.earth.wgs84 import A, B, geodetic_of

Floats = NDArray[np.float64]


@kernel
def marcum_q(signal: float, limit: float) -> float:
    """Probability that a steady signal of SNR ``signal`` plus noise has a power over ``limit`` (over the mean noise):
    Marcum's Q(sqrt(2 signal), sqrt(2 limit)), as a Poisson mixture of gamma tails; within 1e-12.
    """
    if limit <= 0.0:
        return 1.0
    if math.sqrt(signal) > math.sqrt(limit) + 6.0:
        return 1.0
    weight = math.exp(-signal)  # of k quanta of signal
    term = math.exp(-limit)
    tail = term  # chance of a gamma of shape k + 1 over the limit
    total, left = weight * tail, 1.0 - weight
    k = 0
    while left > 1e-14 and k < 5000:
        k += 1
        weight *= signal / k
        term *= limit / k
        tail += term
        total += weight * tail
        left -= weight
    return min(total, 1.0)


@kernel
def chance(swerling: int, signal: float, limit: float) -> float:
    """Probability that one look at a mean SNR ``signal`` has a power over ``limit``: cross-sections that do not
    fluctuate (0), exponential ones (1), ones of a gamma distribution of shape 2 (3).

    Sources: Marcum, Swerling, IRE Trans. IT-6 (1960); for one look Swerling 3 is exp(-T / a) (1 + (1 - 1 / a) T / a),
    a = 1 + signal / 2.
    """
    if swerling == 0:
        return marcum_q(signal, limit)
    if swerling == 3:
        a = 1.0 + 0.5 * signal
        return math.exp(-limit / a) * (1.0 + (1.0 - 1.0 / a) * limit / a)
    return math.exp(-limit / (1.0 + signal))


@kernel
def chances(swerling: int, signal: Floats, limit: float, out: Floats) -> None:
    """``chance`` for an array of mean SNRs."""
    for i in range(signal.shape[0]):
        out[i] = chance(swerling, signal[i], limit)


@kernel
def lowest_point(sx: float, sy: float, sz: float, px: float, py: float, pz: float) -> tuple[bool, float]:
    """Where the line of sight from ``s`` to ``p`` (eci or ecef, m) comes nearest to the Earth: before ``p`` or not, and
    its height (m).

    "Nearest" is meant in the axes in which the ellipsoid is a sphere: exact for whether the line touches the ellipsoid,
    and within metres for the height of a line that passes it by some tens of kilometres.
    """
    f = A / B
    dx, dy, dz = px - sx, py - sy, pz - sz
    dd = dx * dx + dy * dy + f * f * dz * dz
    tau = 1.0
    if dd > 0.0:
        tau = min(max(-(sx * dx + sy * dy + f * f * sz * dz) / dd, 0.0), 1.0)
    _, _, h = geodetic_of(sx + tau * dx, sy + tau * dy, sz + tau * dz)
    return tau < 1.0, h


@kernel
def sees(sx: float, sy: float, sz: float, px: float, py: float, pz: float, cloud_top: float, limb: float) -> bool:
    """Whether a satellite at ``s`` has a free line of sight to a plume at ``p`` (eci or ecef, m).

    The plume must stand above ``cloud_top``. If the line of sight has passed its lowest point before it reaches the
    plume (a view past the limb), that point must be at least ``limb`` m over the ellipsoid.
    """
    _, _, h = geodetic_of(px, py, pz)
    if h <= cloud_top:
        return False
    past, lowest = lowest_point(sx, sy, sz, px, py, pz)
    return (not past) or (lowest >= limb and lowest >= 0.0)


@kernel
def against_space(sx: float, sy: float, sz: float, px: float, py: float, pz: float, limb: float) -> bool:
    """Whether a satellite at ``s`` has cold space behind ``p`` and before it (eci or ecef, m): the whole line of sight,
    on past ``p``, stays at least ``limb`` m over the ellipsoid.
    """
    f = A / B
    dx, dy, dz = px - sx, py - sy, pz - sz
    dd = dx * dx + dy * dy + f * f * dz * dz
    if dd <= 0.0:
        return False
    tau = max(-(sx * dx + sy * dy + f * f * sz * dz) / dd, 0.0)
    _, _, h = geodetic_of(sx + tau * dx, sy + tau * dy, sz + tau * dz)
    return bool(h >= limb and h >= 0.0)


@kernel
def dimmed(h: float, low: float, high: float, factor: float) -> float:
    """What is left of a plume's intensity at the height ``h`` (m): 1 outside of the trough from ``low`` to ``high``,
    ``factor`` in the middle of it, a half wave between.
    """
    if h <= low or h >= high:
        return 1.0
    s = math.sin(math.pi * (h - low) / (high - low))
    return 1.0 - (1.0 - factor) * s * s


@kernel
def blinded(px: float, py: float, pz: float, qx: float, qy: float, qz: float, sun: Floats, cosine: float) -> bool:
    """Whether the Sun at ``sun`` (3) stands too near the line of sight from ``p`` to ``q`` (eci, m).

    ``cosine``: of the exclusion angle. A Sun behind the Earth blinds nobody.
    """
    dx, dy, dz = qx - px, qy - py, qz - pz
    ux, uy, uz = sun[0] - px, sun[1] - py, sun[2] - pz
    d = math.sqrt(dx * dx + dy * dy + dz * dz)
    u = math.sqrt(ux * ux + uy * uy + uz * uz)
    if dx * ux + dy * uy + dz * uz <= cosine * d * u:
        return False
    return sunlit(px, py, pz, sun[0], sun[1], sun[2]) > 0.0
