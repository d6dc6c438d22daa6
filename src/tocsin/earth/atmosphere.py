"""The U.S. Standard Atmosphere, 1976 (NOAA, NASA, USAF; NOAA-S/T 76-1562): density from 5 km under the sea to 1,000 km.

Up to 86 km the standard's own layers. From there its table of densities, joined by a cubic spline of the logarithm:
within 0.5 % of the table's other rows. A mean atmosphere: the real density above 150 km varies by factors of two to ten
with the Sun.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel

TOP = 1.0e6
_R0 = 6_356_766.0  # radius of the standard's geopotential height (m)
_G0 = 9.80665
_GAS = 8314.32 / 28.9644  # specific gas constant of its air (J/kg/K): the standard has its own R*
_SEAM = 86_000.0
_T_SEAM = 186.946  # molecular-scale temperature at 86 km (K)

_BASE = np.array([0.0, 11_000.0, 20_000.0, 32_000.0, 47_000.0, 51_000.0, 71_000.0])  # geopotential m
_LAPSE = np.array([-0.0065, 0.0, 0.001, 0.0028, 0.0, -0.0028, -0.002])  # K/m
_T = np.array([288.15, 216.65, 216.65, 228.65, 270.65, 270.65, 214.65])  # K


def _base_densities() -> NDArray[np.float64]:
    p = 101_325.0
    out = [p / (_GAS * _T[0])]
    for i in range(6):
        step = _BASE[i + 1] - _BASE[i]
        if _LAPSE[i] == 0.0:
            p *= math.exp(-_G0 * step / (_GAS * _T[i]))
        else:
            p *= (_T[i] / _T[i + 1]) ** (_G0 / (_GAS * _LAPSE[i]))
        out.append(p / (_GAS * _T[i + 1]))
    return np.array(out)


_RHO = _base_densities()

# height (km), density (kg/m3): table I of the standard
_TABLE = np.array([
    (86.0, 6.958e-6), (90.0, 3.416e-6), (95.0, 1.393e-6), (100.0, 5.604e-7), (105.0, 2.325e-7),
    (110.0, 9.708e-8), (115.0, 4.289e-8), (120.0, 2.222e-8), (130.0, 8.152e-9), (140.0, 3.831e-9),
    (150.0, 2.076e-9), (160.0, 1.233e-9), (180.0, 5.194e-10), (200.0, 2.541e-10), (250.0, 6.073e-11),
    (300.0, 1.916e-11), (350.0, 7.014e-12), (400.0, 2.803e-12), (450.0, 1.184e-12), (500.0, 5.215e-13),
    (600.0, 1.137e-13), (700.0, 3.070e-14), (800.0, 1.136e-14), (900.0, 5.759e-15), (1000.0, 3.561e-15),
])  # fmt: skip
_X = _TABLE[:, 0] * 1e3


def _spline() -> NDArray[np.float64]:
    """Cubic coefficients (rows: intervals) of ln density over height, natural at both ends."""
    y = np.log(_TABLE[:, 1])
    h = np.diff(_X)
    n = len(_X)
    slope = np.diff(y) / h
    # second derivatives by elimination of the tridiagonal system, in plain order so that no library decides the bits
    upper = np.zeros(n)
    right = np.zeros(n)
    for i in range(1, n - 1):
        pivot = 2.0 * (h[i - 1] + h[i]) - h[i - 1] * upper[i - 1]
        upper[i] = h[i] / pivot
        right[i] = (6.0 * (slope[i] - slope[i - 1]) - h[i - 1] * right[i - 1]) / pivot
    bend = np.zeros(n)
    for i in range(n - 2, 0, -1):
        bend[i] = right[i] - upper[i] * bend[i + 1]
    c = np.empty((n - 1, 4))
    c[:, 0] = y[:-1]
    c[:, 1] = slope - h * (2.0 * bend[:-1] + bend[1:]) / 6.0
    c[:, 2] = bend[:-1] / 2.0
    c[:, 3] = (bend[1:] - bend[:-1]) / (6.0 * h)
    return c


_C = _spline()


# Heights (m) where the formulas change, rising: the bases of the standard's layers 1 to 6, the seam, the top. Layer i
# lies under EDGES[i]; 7 is the spline, 8 the empty space over it. An integrator that steps from edge to edge never
# meets a kink.
EDGES = np.array([*(_R0 * z / (_R0 - z) for z in _BASE[1:]), _SEAM, TOP])
EMPTY = len(EDGES)


@kernel
def density_in(h: float, layer: int) -> float:
    """Density (kg/m3) at a height (m) by the formula of one layer (see ``EDGES``), also a little outside of it."""
    if layer >= EMPTY:
        return 0.0
    if layer == EMPTY - 1:
        i = 0
        while i < _C.shape[0] - 1 and h >= _X[i + 1]:
            i += 1
        d = h - _X[i]
        return math.exp(_C[i, 0] + d * (_C[i, 1] + d * (_C[i, 2] + d * _C[i, 3])))
    h = max(h, -5000.0)
    z = _R0 * h / (_R0 + h)
    lapse = _LAPSE[layer]
    if lapse == 0.0:
        return float(_RHO[layer] * math.exp(-_G0 * (z - _BASE[layer]) / (_GAS * _T[layer])))
    t = max(_T[layer] + lapse * (z - _BASE[layer]), 1.0)  # the bound only tames trial steps far outside
    return float(_RHO[layer] * (_T[layer] / t) ** (1.0 + _G0 / (_GAS * lapse)))


@kernel
def speed_of_sound_in(h: float, layer: int) -> float:
    """Speed of sound (m/s) at a height (m) by the formula of one layer, also a little outside of it."""
    t = _T_SEAM
    if layer < EMPTY - 1:
        h = max(h, -5000.0)
        t = max(_T[layer] + _LAPSE[layer] * (_R0 * h / (_R0 + h) - _BASE[layer]), 1.0)
    return math.sqrt(1.4 * _GAS * t)


@kernel
def density(h: float) -> float:
    """Density (kg/m3) at a height over the ellipsoid (m); constant below -5 km, zero above 1,000 km."""
    if h >= _SEAM:
        if h > TOP:
            return 0.0
        i = 0
        while i < _C.shape[0] - 1 and h >= _X[i + 1]:
            i += 1
        d = h - _X[i]
        return math.exp(_C[i, 0] + d * (_C[i, 1] + d * (_C[i, 2] + d * _C[i, 3])))
    h = max(h, -5000.0)
    z = _R0 * h / (_R0 + h)
    i = 0
    while i < 6 and z >= _BASE[i + 1]:
        i += 1
    lapse = _LAPSE[i]
    if lapse == 0.0:
        return float(_RHO[i] * math.exp(-_G0 * (z - _BASE[i]) / (_GAS * _T[i])))
    t = _T[i] + lapse * (z - _BASE[i])
    return float(_RHO[i] * (_T[i] / t) ** (1.0 + _G0 / (_GAS * lapse)))


@kernel
def density_and_slope(h: float) -> tuple[float, float]:
    """``density`` (kg/m3) at a height (m) and the derivative of its logarithm by height (1/m), for estimators."""
    if h >= _SEAM:
        if h > TOP:
            return 0.0, 0.0
        i = 0
        while i < _C.shape[0] - 1 and h >= _X[i + 1]:
            i += 1
        d = h - _X[i]
        slope = _C[i, 1] + d * (2.0 * _C[i, 2] + d * 3.0 * _C[i, 3])
        return math.exp(_C[i, 0] + d * (_C[i, 1] + d * (_C[i, 2] + d * _C[i, 3]))), slope
    if h < -5000.0:
        return density(h), 0.0
    share = _R0 / (_R0 + h)
    z = share * h
    i = 0
    while i < 6 and z >= _BASE[i + 1]:
        i += 1
    lapse = _LAPSE[i]
    if lapse == 0.0:
        fall = _G0 / (_GAS * _T[i])
        return float(_RHO[i] * math.exp(-fall * (z - _BASE[i]))), -fall * share * share
    t = _T[i] + lapse * (z - _BASE[i])
    power = 1.0 + _G0 / (_GAS * lapse)
    return float(_RHO[i] * (_T[i] / t) ** power), -power * lapse / t * share * share


@kernel
def speed_of_sound(h: float) -> float:
    """Speed of sound (m/s) at a height (m); above 86 km, where the standard gives none, the value there."""
    t = _T_SEAM
    if h < _SEAM:
        h = max(h, -5000.0)
        z = _R0 * h / (_R0 + h)
        i = 0
        while i < 6 and z >= _BASE[i + 1]:
            i += 1
        t = _T[i] + _LAPSE[i] * (z - _BASE[i])
    return math.sqrt(1.4 * _GAS * t)
