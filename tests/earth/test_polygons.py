"""Point in polygon: caps over the poles, boxes over the date line, holes, and matplotlib's planar answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path

from tocsin.earth.polygons import contains, ring_arrays


def ring(*degrees):
    return np.radians(degrees)


def inside(rings, lat, lon):
    return contains(rings, np.radians(lat), np.radians(lon)).tolist()


NORTH = ring(*((lon, 70.0) for lon in range(-180, 180, 30)))
SOUTH = ring(*((lon, -70.0) for lon in range(-180, 180, 30)))
BOX = ring((170, 10), (-170, 10), (-170, 30), (170, 30))


def test_over_the_poles():
    lat, lon = [90, 75, 69, 0, -90, 75], [0, 180, 20, 0, 0, -90.0]
    assert inside([NORTH], lat, lon) == [True, True, False, False, False, True]
    assert inside([NORTH[::-1]], lat, lon) == [True, True, False, False, False, True]
    assert inside([SOUTH], [-90, -75, -69, 90, -71], [0, 180, 20, 0, -15.0]) == [True, True, False, False, True]


def test_a_pole_led_to_along_the_date_line():
    """As GeoJSON files draw Antarctica."""
    cut = ring((-180, -70), (-90, -65), (0, -70), (90, -65), (180, -70), (180, -90), (-180, -90))
    assert inside([cut], [-80, -66, -60, 80], [100, 90, 0, 0]) == [True, True, False, False]


def test_over_the_date_line():
    lat, lon = [20, 20, 20, 20, 20, 20, 5, 35], [175, -175, 180, -180, 165, 0, 180, 180]
    assert inside([BOX], lat, lon) == [True, True, True, True, False, False, False, False]


def test_holes():
    hole = ring((-178, 15), (178, 15), (178, 25), (-178, 25))
    assert inside([BOX, hole], [20, 20, 12], [180, 175, 180]) == [False, True, True]
    small = ring((0, 80), (90, 80), (180, 80), (-90, 80))
    assert inside([NORTH, small], [90, 75], [0, 45]) == [False, True]


@given(st.integers(0, 10**6), st.floats(-400, 400))
@settings(deadline=None, max_examples=40)
def test_stars_agree_with_the_plane_wherever_they_are_turned(seed, shift):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 12))
    reach = rng.uniform(2, 30, 12)
    flat = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)
    points = rng.uniform(-35, 35, (200, 2))
    expected = Path(np.vstack([flat, flat[:1]])).contains_points(points)
    moved = np.array([shift, 40.0])
    lon, lat = np.radians(points + moved).T
    turned = np.radians(flat + moved)
    assert contains([turned], lat, lon).tolist() == expected.tolist()
    assert contains([turned[::-1]], lat, lon).tolist() == expected.tolist()


def test_shapes_and_refusals():
    assert contains([BOX], 0.3, np.pi).shape == ()
    assert contains([BOX], np.zeros((2, 3)), 0.0).shape == (2, 3)
    assert contains([], [0.0], [0.0]).tolist() == [False]
    tuples = tuple(tuple(p) for p in BOX)
    assert inside([tuples], [20], [180]) == [True]
    assert np.array_equal(ring_arrays([tuples])[0], BOX)
    with pytest.raises(ValueError, match="three or more points"):
        contains([ring((0, 0), (1, 1))], 0.0, 0.0)
