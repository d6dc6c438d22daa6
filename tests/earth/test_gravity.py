"""Gravity against its potential, Laplace's equation and the ellipsoid's published normal gravity."""

import numpy as np
import pytest

from tocsin.earth import gravity as g
from tocsin.earth import wgs84

# WGS 84 (NIMA TR8350.2, table 3.4): normal gravity at the equator and at the poles
EQUATOR, POLE = 9.7803253359, 9.8321849378
J4 = -2.37091222e-6  # of the ellipsoid (GRS 80), left out of our gravity; what J6 adds is under 5e-7 m/s2
J6_PART = 5e-7

POINTS = np.random.default_rng(2).normal(size=(30, 3))
POINTS *= np.random.default_rng(3).uniform(6.4e6, 4.2e7, 30)[:, None] / np.linalg.norm(POINTS, axis=1)[:, None]


def slope(f, x, h=20.0):
    """Fourth-order differences of a function of position."""
    out = []
    for axis in np.eye(3):
        a, b, c, d = (np.asarray(f(*(x + k * h * axis))) for k in (-2, -1, 1, 2))
        out.append((a - 8 * b + 8 * c - d) / (12 * h))
    return np.stack(out, axis=-1)


def test_on_the_ground_it_is_the_published_normal_gravity():
    equator = -g.gravity(wgs84.A, 0.0, 0.0)[0] - wgs84.OMEGA**2 * wgs84.A
    pole = -g.gravity(0.0, 0.0, wgs84.B)[2]
    j4_equator = -15 / 8 * J4 * wgs84.MU / wgs84.A**2
    j4_pole = -5 * J4 * wgs84.MU * wgs84.A**4 / wgs84.B**6
    assert equator + j4_equator == pytest.approx(EQUATOR, abs=J6_PART)
    assert pole + j4_pole == pytest.approx(POLE, abs=J6_PART)


def test_it_is_the_slope_of_its_potential():
    for x in POINTS:
        assert np.array(g.gravity(*x)) == pytest.approx(-slope(g.potential, x), rel=1e-6, abs=2e-8)


def test_the_gradient_is_the_slope_of_gravity():
    for x in POINTS:
        xx, xy, xz, yy, yz, zz = g.gravity_gradient(*x)
        full = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        scale = np.abs(full).max()
        assert full == pytest.approx(slope(g.gravity, x), abs=1e-6 * scale)
        assert abs(xx + yy + zz) < 1e-14 * scale * 10  # Laplace


def test_zonal_gravity_is_the_slope_of_its_potential():
    for degree in (0, 2, 3, 4):
        for x in POINTS[:12]:
            found = np.array(g.zonal_gravity(*x, degree))
            assert found == pytest.approx(-slope(lambda *p: g.zonal_potential(*p, degree), x), rel=1e-6, abs=2e-8)  # noqa: B023


def test_zonal_gravity_of_degree_two_is_the_gravity_of_the_estimators():
    for x in POINTS:
        assert g.zonal_gravity(*x, 2) == pytest.approx(g.gravity(*x), rel=1e-14)
        assert g.zonal_potential(*x, 2) == pytest.approx(g.potential(*x), rel=1e-15)


def test_zonal_harmonics_are_those_of_legendre():
    """Potential of degree n: mu/r J_n (a/r)^n P_n(sin latitude), with Legendre's polynomials from NumPy."""
    for x in POINTS:
        r = np.sqrt((x**2).sum())
        for degree, j in ((3, g.J3), (4, g.J4)):
            term = g.zonal_potential(*x, degree) - g.zonal_potential(*x, degree - 1)
            series = np.polynomial.legendre.Legendre.basis(degree)(x[2] / r)
            assert term == pytest.approx(wgs84.MU / r * j * (wgs84.A / r) ** degree * series, rel=1e-6, abs=1e-7)


def test_the_published_harmonics():
    """EGM2008 (Pavlis et al. 2012), a later model of the same Earth: C30 = 9.57161207e-7, C40 = 5.39965867e-7."""
    assert pytest.approx(-(7**0.5) * 9.57161207093473e-7, rel=3e-4) == g.J3
    assert pytest.approx(-3 * 5.39965866638991e-7, rel=3e-4) == g.J4


def test_the_odd_harmonic_pulls_south_and_north_differently():
    north, south = (g.zonal_gravity(0.0, 0.0, s * 7e6, 3)[2] for s in (1.0, -1.0))
    even = g.zonal_gravity(0.0, 0.0, 7e6, 2)[2]
    assert north - even == pytest.approx(south + even, rel=1e-6)
    assert north - even == pytest.approx(4.0 * wgs84.MU / 7e6**2 * g.J3 * (wgs84.A / 7e6) ** 3, rel=1e-6)
