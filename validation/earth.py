# ruff: noqa: D103 - what a row measures stands in its decorator
"""Ellipsoid, geodesics, time and random streams against programs that others have written and checked.

Places are drawn over the whole globe, poles and date line included; what is shown is the worst of all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import parse_utc
from tocsin.earth.frames import gmst82
from tocsin.earth.geodesics import ends, lines
from tocsin.earth.random import normal_quantile, normals
from tocsin.earth.wgs84 import ecef_to_geodetic, geodetic_to_ecef
from validation.run import Book, Measured, at_most, between

book = Book("earth", "The Earth and the clock", __doc__)
_N = 20_000


def _places(n: int, seed: int) -> NDArray[np.float64]:
    """``(n, 3)`` latitude, longitude (rad), height (m, -5 km to 40,000 km), with the awkward ones first."""
    generator = np.random.default_rng(seed)
    lat = np.arcsin(generator.uniform(-1, 1, n))
    lon = generator.uniform(-np.pi, np.pi, n)
    h = np.where(generator.random(n) < 0.5, generator.uniform(-5e3, 1e6, n), generator.uniform(1e6, 4e7, n))
    lat[:6] = [np.pi / 2, -np.pi / 2, 0.0, 0.0, 1e-12, np.radians(89.999999)]
    lon[:6] = [0.0, 2.0, np.pi, -np.pi, 1e-12, np.radians(179.999999)]
    return np.column_stack([lat, lon, h])


@book.row(
    "geodetic coordinates to ECEF", target=at_most(1e-6), unit="m", source="PROJ, by pyproj (EPSG:4979 to EPSG:4978)"
)
def to_ecef() -> Measured:
    import pyproj

    places = _places(_N, 1)
    turn = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    theirs = np.column_stack(turn.transform(np.degrees(places[:, 1]), np.degrees(places[:, 0]), places[:, 2]))
    off = np.linalg.norm(geodetic_to_ecef(places) - theirs, axis=1)
    return Measured(float(off.max()), note=f"worst of {_N:,}")


@book.row("there and back again", target=at_most(1e-6), unit="m", source="identity")
def there_and_back() -> Measured:
    x = geodetic_to_ecef(_places(_N, 2))
    off = np.linalg.norm(geodetic_to_ecef(ecef_to_geodetic(x)) - x, axis=1)
    return Measured(float(off.max()), note=f"worst of {_N:,}")


@book.row("length of a geodesic", target=at_most(1e-3), unit="m", source="GeographicLib, by pyproj.Geod")
def geodesic_length() -> Measured:
    import pyproj

    a, b = _places(_N, 3), _places(_N, 4)
    b[:2000, :2] = np.column_stack(
        [-a[:2000, 0], a[:2000, 1] + np.pi - 0.01 * (a[:2000, 1] / np.pi) ** 2]
    )  # nearly antipodal
    theirs = pyproj.Geod(ellps="WGS84").inv(*np.degrees([a[:, 1], a[:, 0], b[:, 1], b[:, 0]]))[2]
    ours = lines(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[:, 0]
    return Measured(float(np.abs(ours - theirs).max()), note=f"worst of {_N:,}, 2,000 of them nearly antipodal")


@book.row("end of a geodesic", target=at_most(1e-3), unit="m", source="GeographicLib, by pyproj.Geod")
def geodesic_end() -> Measured:
    import pyproj

    a = _places(_N, 5)
    generator = np.random.default_rng(6)
    azimuth, distance = generator.uniform(-np.pi, np.pi, _N), generator.uniform(0, 2e7, _N)
    lon, lat, _ = pyproj.Geod(ellps="WGS84").fwd(*np.degrees([a[:, 1], a[:, 0], azimuth]), distance)
    ours = ends(a[:, 0], a[:, 1], azimuth, distance)
    here = geodetic_to_ecef(np.column_stack([ours[:, :2], np.zeros(_N)]))
    there = geodetic_to_ecef(np.column_stack([np.radians(lat), np.radians(lon), np.zeros(_N)]))
    return Measured(float(np.linalg.norm(here - there, axis=1).max()), note=f"worst of {_N:,}")


@book.row(
    "Greenwich mean sidereal time, 1980 to 2040", target=at_most(1e-9), unit="rad", source="ERFA gmst82, by pyerfa"
)
def sidereal_time() -> Measured:
    import erfa

    worst = 0.0
    for unix_ns in range(
        parse_utc("1980-01-01T00:00:00Z"), parse_utc("2040-01-01T00:00:00Z"), 86_400_000_000_000 * 29 + 12_345_678_901
    ):
        day, rest = divmod(unix_ns, 86_400_000_000_000)
        theirs = erfa.gmst82(2440587.5 + day, rest / 86_400e9)
        worst = max(worst, abs((gmst82(unix_ns) - theirs + np.pi) % (2 * np.pi) - np.pi))
    return Measured(worst, note="1e-9 rad is 6 mm at the equator")


@book.row("inverse of the normal distribution", target=at_most(1e-14), source="SciPy ndtri (Cephes)")
def quantile() -> Measured:
    from scipy.special import ndtri

    p = np.concatenate([np.logspace(-300, -1, 3000), np.linspace(0.1, 0.9, 3000), 1 - np.logspace(-15, -1, 1000)])
    ours = np.array([normal_quantile(x) for x in p])
    theirs = ndtri(p)
    return Measured(
        float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-3))), note="relative, worst of 7,000"
    )


@book.row(
    "a million normals of one stream: Kolmogorov-Smirnov", target=between(0.001, 0.999), source="SciPy kstest, p-value"
)
def stream() -> Measured:
    from scipy.stats import kstest

    return Measured(float(kstest(normals(20170828, 0, 0, 1_000_000), "norm").pvalue))
