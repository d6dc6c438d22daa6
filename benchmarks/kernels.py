"""What the chain spends its time in, one call at a time, beside the library one would else take."""

from __future__ import annotations

import numpy as np

from benchmarks.run import row, seconds
from tocsin.command.grammar import parse
from tocsin.earth.geodesics import lines
from tocsin.earth.random import normals
from tocsin.earth.wgs84 import ecef_to_geodetic, geodetic_to_ecef

_N = 1_000_000


def _numpy_normals() -> float:
    generator = np.random.default_rng(1)
    return _N / seconds(lambda: generator.standard_normal(_N)) / 1e6


@row("normals", "standard normals of one stream", unit="M/s", better="more", peer=("NumPy PCG64", _numpy_normals))
def philox_normals() -> float:
    return _N / seconds(lambda: normals(7, 0, 0, _N)) / 1e6


def _places(n: int) -> np.ndarray:
    u = normals(11, 0, 0, 3 * n).reshape(n, 3)
    return np.column_stack(
        [np.arctan2(u[:, 2], np.hypot(u[:, 0], u[:, 1])), np.arctan2(u[:, 1], u[:, 0]), 5e5 * u[:, 0] ** 2]
    )


def _pyproj_geodetic() -> float:
    import pyproj

    turn = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    x, y, z = geodetic_to_ecef(_places(100_000)).T
    return 0.1 / seconds(lambda: turn.transform(x, y, z))


@row("geodetic", "ECEF to latitude, longitude, height", unit="M/s", better="more", peer=("pyproj", _pyproj_geodetic))
def to_geodetic() -> float:
    x = geodetic_to_ecef(_places(100_000))
    return 0.1 / seconds(lambda: ecef_to_geodetic(x))


def _pyproj_lines() -> float:
    import pyproj

    a, b = np.degrees(_places(20_000)), np.degrees(_places(20_001)[1:])
    return 0.02 / seconds(lambda: pyproj.Geod(ellps="WGS84").inv(a[:, 1], a[:, 0], b[:, 1], b[:, 0]))


@row("geodesic", "geodesic between two points (inverse)", unit="M/s", better="more", peer=("pyproj", _pyproj_lines))
def geodesics() -> float:
    a, b = _places(20_000), _places(20_001)[1:]
    return 0.02 / seconds(lambda: lines(a[:, 0], a[:, 1], b[:, 0], b[:, 1]))


@row("condition", "one doctrine condition evaluated", unit="µs")
def condition() -> float:
    made = parse("confirmed and (p_impact('a') >= 5 % or p_passage('a') > 0.5) and not cancelled and age_s > 2 min")
    facts = {"confirmed": True, ("p_impact", "a"): 0.01, ("p_passage", "a"): 0.9, "cancelled": False, "age_s": 180.0}
    return seconds(lambda: [made.evaluate(facts) for _ in range(10_000)]) / 10_000 * 1e6
