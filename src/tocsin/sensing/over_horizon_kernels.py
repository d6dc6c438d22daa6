"""The inner loops of over-the-horizon radars (conventions as in ``kernels``)."""

from __future__ import annotations

import math

import numpy as np

from tocsin.earth.jit import kernel
from tocsin.earth.random import normal, uniform
from tocsin.sensing.kernels import (
    AZ_FROM,
    AZ_TO,
    RANGE_MAX,
    RANGE_MIN,
    Floats,
    Ints,
    Keys,
    mix,
    sector_width,
    sweep_time,
    turned,
)

_0 = np.int64(0)

# columns of a scan's parameters
O_POWER = 0  # SNR of 1 m2 at 1 m over the ground (m4 / m2)
O_THRESHOLD = 1  # of measured power over noise power
O_SIGMA_RANGE, O_SIGMA_AZIMUTH = 2, 3  # m, rad
OVER_HORIZON_PARAMETERS = 4
LEAST_SNR = 0.1

# columns of where an object is
W_GROUND, W_RANGE, W_AZIMUTH, W_RCS = range(4)  # m over the ground, straight range (m), azimuth (rad), m2
WHERE = 4


@kernel
def over_horizon_detect(
    keys: Keys, t0: Ints, par: Floats, bias: Floats, scan: Ints, row: Ints, object_keys: Keys, where: Floats,
    z: Floats, cov: Floats, snr_out: Floats,
) -> Ints:  # fmt: skip
    """Look at every pair (Swerling 1); write straight range and azimuth, covariance, measured SNR; return those
    detected.
    """
    hits = np.empty(scan.shape[0], np.int64)
    found = 0
    for i in range(scan.shape[0]):
        s = scan[i]
        ground = where[i, W_GROUND]
        key = mix(keys[s], object_keys[row[i]])
        own = par[s, O_POWER] * where[i, W_RCS] / (ground * ground * ground * ground)
        own *= -math.log(uniform(key, t0[s], _0, _0))
        re = math.sqrt(own) + normal(key, t0[s], _0, np.int64(1)) * math.sqrt(0.5)
        im = normal(key, t0[s], _0, np.int64(2)) * math.sqrt(0.5)
        power = re * re + im * im
        if not power > par[s, O_THRESHOLD]:
            continue
        sr, sa = par[s, O_SIGMA_RANGE], par[s, O_SIGMA_AZIMUTH]
        z[i, 0] = max(where[i, W_RANGE] + sr * normal(key, t0[s], _0, np.int64(3)) + bias[s, 0], 0.0)
        z[i, 1] = turned(where[i, W_AZIMUTH] + sa * normal(key, t0[s], _0, np.int64(4)) + bias[s, 1])
        cov[i, 0], cov[i, 4] = sr * sr, sa * sa
        snr_out[i] = max(power - 1.0, LEAST_SNR)
        hits[found] = i
        found += 1
    return hits[:found]


@kernel
def over_horizon_false(
    keys: Keys, t0: Ints, t1: Ints, limits: Floats, par: Floats, scan: Ints, number: Ints, t: Ints, z: Floats,
    cov: Floats, snr_out: Floats,
) -> None:  # fmt: skip
    """False detections, even over range and azimuth."""
    for i in range(scan.shape[0]):
        s = scan[i]
        slot = number[i] + 1
        lim = limits[s]
        z[i, 0] = lim[RANGE_MIN] + (lim[RANGE_MAX] - lim[RANGE_MIN]) * uniform(keys[s], t0[s], slot, np.int64(0))
        width = sector_width(lim[AZ_FROM], lim[AZ_TO])
        z[i, 1] = turned(lim[AZ_FROM] + width * uniform(keys[s], t0[s], slot, np.int64(1)))
        power = par[s, O_THRESHOLD] - math.log(uniform(keys[s], t0[s], slot, np.int64(2)))
        snr_out[i] = max(power - 1.0, LEAST_SNR)
        t[i] = sweep_time(lim, z[i, 1], t0[s], t1[s])
        cov[i, 0], cov[i, 4] = par[s, O_SIGMA_RANGE] ** 2, par[s, O_SIGMA_AZIMUTH] ** 2
