"""The ellipsoid against PROJ and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from tocsin.earth import wgs84

TO_ECEF = Transformer.from_crs("EPSG:4979", "EPSG:4978")
MICROMETRE = 1e-6

latitudes = st.floats(-math.pi / 2, math.pi / 2)
longitudes = st.floats(-math.pi, math.pi)


def proj_ecef(lat, lon, h):
    return np.stack(TO_ECEF.transform(np.degrees(lat), np.degrees(lon), h), axis=-1)


def test_geodetic_to_ecef_agrees_with_proj():
    rng = np.random.default_rng(1)
    n = 2000
    g = np.stack([np.arcsin(rng.uniform(-1, 1, n)), rng.uniform(-np.pi, np.pi, n), rng.uniform(-1e4, 4e7, n)], axis=1)
    assert np.abs(wgs84.geodetic_to_ecef(g) - proj_ecef(*g.T)).max() < MICROMETRE


@given(latitudes, longitudes, st.floats(-5e6, 1e9))
def test_there_and_back(lat, lon, h):
    x = wgs84.geodetic_to_ecef([lat, lon, h])
    lat2, lon2, h2 = wgs84.ecef_to_geodetic(x)
    assert abs(lat2 - lat) < 1e-11
    assert abs(h2 - h) < 1e-4
    if math.cos(lat) > 1e-6:
        assert abs(math.remainder(lon2 - lon, 2 * math.pi)) < 1e-11


def test_poles():
    assert wgs84.ecef_to_geodetic([0.0, 0.0, wgs84.B + 7.0]) == pytest.approx([math.pi / 2, 0.0, 7.0], abs=1e-8)
    assert wgs84.ecef_to_geodetic([0.0, 0.0, -wgs84.B]) == pytest.approx([-math.pi / 2, 0.0, 0.0], abs=1e-8)


def test_one_or_many_and_what_is_refused():
    many = np.array([[0.5, 1.0, 100.0], [-0.5, 2.0, 3e5]])
    assert np.array_equal(wgs84.geodetic_to_ecef(many)[1], wgs84.geodetic_to_ecef(many[1]))
    with pytest.raises(ValueError, match=r"\(3,\) or \(n, 3\), found \(2, 2\)"):
        wgs84.geodetic_to_ecef(np.zeros((2, 2)))


@given(latitudes, longitudes)
def test_local_axes_are_right_handed_and_up_is_the_normal(lat, lon):
    m = wgs84.enu_axes(lat, lon)
    assert m @ m.T == pytest.approx(np.eye(3), abs=1e-15)
    assert np.linalg.det(m) == pytest.approx(1.0)
    rise = wgs84.geodetic_to_ecef([lat, lon, 1000.0]) - wgs84.geodetic_to_ecef([lat, lon, 0.0])
    assert m @ rise == pytest.approx([0.0, 0.0, 1000.0], abs=1e-6)


def test_j2_belongs_to_the_ellipsoid():
    """The dynamic form factor follows from a, f, GM and omega (Moritz, Geodetic Reference System 1980, section 2)."""
    ep = math.sqrt(wgs84.EP2)
    q0 = 0.5 * ((1.0 + 3.0 / wgs84.EP2) * math.atan(ep) - 3.0 / ep)
    m = wgs84.OMEGA**2 * wgs84.A**2 * wgs84.B / wgs84.MU
    expected = wgs84.E2 / 3.0 * (1.0 - 2.0 / 15.0 * m * ep / q0)
    assert expected == pytest.approx(wgs84.J2, rel=1e-9)
