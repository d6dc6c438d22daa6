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
