"""The two frames: ``ecef`` (WGS 84) and ``eci``, which coincides with TEME of date and turns by mean sidereal time.

Polar motion is left out: as a rule 9 to 15 m on the ground, 19 m at the greatest pole distance (123 m at geostationary
height). So is UT1 - UTC where a scenario does not give it (up to 0.9 s: 419 m on the equator). Within one scenario the
sidereal angle is ``theta0 + OMEGA * t``: against the full IAU 1982 expression this is under 1e-10 rad (0.6 mm on the
ground) over a day, because ``OMEGA_GMST`` below is its rate, and under 5 cm at geostationary height over a week.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.earth.jit import kernel

OMEGA_GMST = 7.292115855306589e-5  # rad/s of UT1, mean sidereal rate at J2000 (Aoki et al. 1982)
_J2000_UNIX_NS = 946_728_000_000_000_000  # 2000-01-01T12:00:00


def gmst82(unix_ns: int, dut1_s: float = 0.0) -> float:
    """Greenwich mean sidereal time (rad, 0 to 2 pi) by the IAU 1982 expression (Aoki et al. 1982), UT1 = UTC +
    ``dut1_s``.
    """
    days_ns = unix_ns - _J2000_UNIX_NS
    whole, rest = divmod(days_ns, 86_400_000_000_000)
    day = rest / 86.4e12 + dut1_s / 86400.0
    t = (whole + day) / 36525.0
    # the whole-day part of 876600 h * t is a multiple of a turn and is dropped before it costs digits
    seconds = 67310.54841 + 8640184.812866 * t + 0.093104 * t * t - 6.2e-6 * t**3
    turns = seconds / 86400.0 + day
    return math.fmod(math.fmod(turns, 1.0) + 1.0, 1.0) * 2.0 * math.pi


@kernel
def ecef_from_eci(x: NDArray[np.float64], theta: float, out: NDArray[np.float64]) -> None:
    """Position, and velocity if ``x`` has six entries, from eci to ecef at sidereal angle ``theta`` (rad), into
    ``out``.
    """
    c = math.cos(theta)
    s = math.sin(theta)
    px = c * x[0] + s * x[1]
    py = -s * x[0] + c * x[1]
    if x.shape[0] >= 6:
        vx = c * x[3] + s * x[4] + OMEGA_GMST * py
        vy = -s * x[3] + c * x[4] - OMEGA_GMST * px
        vz = x[5]
        out[3], out[4], out[5] = vx, vy, vz
    out[2] = x[2]
    out[0], out[1] = px, py


@kernel
def eci_from_ecef(x: NDArray[np.float64], theta: float, out: NDArray[np.float64]) -> None:
    """The inverse of ``ecef_from_eci``."""
    c = math.cos(theta)
    s = math.sin(theta)
    px, py = x[0], x[1]
    if x.shape[0] >= 6:
        vx = x[3] - OMEGA_GMST * py
        vy = x[4] + OMEGA_GMST * px
        vz = x[5]
        out[3], out[4], out[5] = c * vx - s * vy, s * vx + c * vy, vz
    out[2] = x[2]
    out[0], out[1] = c * px - s * py, s * px + c * py


@kernel
def _turn_many(x: NDArray[np.float64], theta: NDArray[np.float64], to_ecef: bool) -> NDArray[np.float64]:
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        if to_ecef:
            ecef_from_eci(x[i], theta[i], out[i])
        else:
            eci_from_ecef(x[i], theta[i], out[i])
    return out


def _turn(x: ArrayLike, theta: ArrayLike, to_ecef: bool) -> NDArray[np.float64]:
    a = np.ascontiguousarray(x, dtype=np.float64)
    if a.ndim not in (1, 2) or a.shape[-1] not in (3, 6):
        raise ValueError(f"expected positions (3) or states (6) in one row or many, found shape {a.shape}")
    rows = a.reshape(-1, a.shape[-1])
    angles = np.ascontiguousarray(np.broadcast_to(np.asarray(theta, dtype=np.float64), (rows.shape[0],)))
    return _turn_many(rows, angles, to_ecef).reshape(a.shape)


def to_ecef(x_eci: ArrayLike, theta: ArrayLike) -> NDArray[np.float64]:
    """Positions ``(..., 3)`` or states ``(..., 6)`` from eci to ecef; ``theta`` (rad): one angle or one a row."""
    return _turn(x_eci, theta, True)


def to_eci(x_ecef: ArrayLike, theta: ArrayLike) -> NDArray[np.float64]:
    """Positions ``(..., 3)`` or states ``(..., 6)`` from ecef to eci; ``theta`` (rad): one angle or one a row."""
    return _turn(x_ecef, theta, False)


def theta_at(theta0: float, t_ns: int) -> float:
    """Sidereal angle (rad) ``t_ns`` after an epoch whose angle is ``theta0``."""
    return math.fmod(theta0 + OMEGA_GMST * (t_ns / 1e9), 2.0 * math.pi)
