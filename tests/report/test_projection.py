"""The map's projection against pyproj, equal areas, and what clipping and packing keep."""

import math
import re

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.earth.coastlines import world
from tocsin.report.projection import (
    HEIGHT,
    WIDTH,
    Projection,
    clip_line,
    clip_ring,
    fit,
    land_ring,
    path,
    thin,
)

EIGHTH = 0.125 + 1e-9


@pytest.mark.parametrize(("lat0", "lon0"), [(40.0, 140.0), (75.0, 20.0), (-10.0, 179.0), (90.0, 0.0)])
def test_against_pyproj(lat0, lon0):
    rng = np.random.default_rng(3)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 300))), rng.uniform(-180, 180, 300)
    theirs = pyproj.Proj(f"+proj=laea +R=1 +lat_0={lat0} +lon_0={lon0}")
    x, y = theirs(lon, lat)
    mine = Projection(math.radians(lat0), math.radians(lon0), 1.0, 0.0, 0.0).project(np.radians(lat), np.radians(lon))
    good = np.hypot(x, y) < 1.99
    assert np.abs(mine[good] - np.stack([x, -np.asarray(y)], axis=-1)[good]).max() < 1e-9


def test_areas_keep_their_size():
    p = Projection(math.radians(60), math.radians(15), 1.0, 0.0, 0.0)
    for lat, lon in ((70.0, 40.0), (20.0, -30.0), (85.0, 100.0)):
        a, b = math.radians(lat), math.radians(lat + 0.5)
        lons = np.radians(np.linspace(lon, lon + 1.0, 50))
        ring = np.concatenate(
            [np.stack([lons, np.full(50, a)], axis=-1), np.stack([lons[::-1], np.full(50, b)], axis=-1)]
        )
        xy = p.ring(ring)
        area = 0.5 * abs(np.sum(xy[:, 0] * np.roll(xy[:, 1], -1) - np.roll(xy[:, 0], -1) * xy[:, 1]))
        assert area == pytest.approx(math.radians(1.0) * (math.sin(b) - math.sin(a)), rel=2e-4)


@settings(deadline=None, max_examples=60)
@given(
    lat=st.floats(-80, 80),
    lon=st.floats(-180, 180),
    spread=st.floats(1.0, 40.0),
    seed=st.integers(0, 1000),
)
def test_fit_shows_every_point(lat, lon, spread, seed):
    rng = np.random.default_rng(seed)
    lats = np.radians(np.clip(lat + rng.uniform(-spread, spread, 20), -89.9, 89.9))
    lons = np.radians(lon + rng.uniform(-spread, spread, 20))
    p = fit(lats, lons)
    xy = p.project(lats, lons)
    assert xy[:, 0].min() > 0
    assert xy[:, 0].max() < WIDTH
    assert xy[:, 1].min() > 0
    assert xy[:, 1].max() < HEIGHT


def even_odd(rings, x, y):
    """Whether a point lies inside rings by the even-odd rule (ray to the right)."""
    count = 0
    for ring in rings:
        a, b = ring, np.roll(ring, -1, axis=0)
        crosses = (a[:, 1] > y) != (b[:, 1] > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
        count += int((crosses & (at > x)).sum())
    return count % 2 == 1


# the second centre has Antarctica around its antipode, the third Eurasia: there a ring turns inside out in the plane
@pytest.mark.parametrize(("lat0", "lon0"), [(42.0, 140.0), (78.0, 15.0), (-45.0, -100.0), (0.0, 180.0), (70.0, -120.0)])
def test_land_is_land_wherever_the_map_is_centred(lat0, lon0):
    p = Projection(math.radians(lat0), math.radians(lon0), 420.0)
    rings = [part for ring in world("110m").land for part in land_ring(p, ring)]
    sample = [
        (43.4, 142.8, True), (40.0, 135.0, False), (69.0, 27.0, True), (74.0, 35.0, False), (78.9, 17.0, True),
        (85.0, 20.0, False), (-43.0, -71.5, True), (-40.0, -90.0, False), (-60.0, -120.0, False),
        (66.5, -177.5, True), (-25.0, 134.0, True),
        (60.0, -110.0, True), (50.0, -140.0, False), (72.0, -40.0, True), (5.0, -160.0, False),
    ]  # fmt: skip
    asked = 0
    for lat, lon, land in sample:
        x, y = p.project(np.array([math.radians(lat)]), np.array([math.radians(lon)]))[0]
        if 0 < x < WIDTH and 0 < y < HEIGHT:
            asked += 1
            assert even_odd(rings, x, y) == land, (lat, lon)
    assert asked >= 2


def area_of(ring):
    return 0.5 * abs(np.sum(ring[:, 0] * np.roll(ring[:, 1], -1) - np.roll(ring[:, 0], -1) * ring[:, 1]))


def test_clipping_a_ring():
    box = (0.0, 0.0, 10.0, 10.0)
    square = np.array([[5.0, 5.0], [15.0, 5.0], [15.0, 15.0], [5.0, 15.0]])
    assert area_of(clip_ring(square, box)) == pytest.approx(25.0)
    around = np.array([[-5.0, -5.0], [15.0, -5.0], [15.0, 15.0], [-5.0, 15.0]])
    assert area_of(clip_ring(around, box)) == pytest.approx(100.0)
    assert len(clip_ring(square + 20.0, box)) == 0
    triangle = np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0]])
    assert area_of(clip_ring(triangle, box)) == pytest.approx(100.0)


def test_clipping_a_line_keeps_its_runs():
    x = np.arange(0.0, 100.0, 5.0)
    line = np.stack([x, np.where((x > 30) & (x < 60), 500.0, 5.0)], axis=-1)
    runs = clip_line(line, (0.0, 0.0, 100.0, 10.0))
    assert len(runs) == 2
    inside = sum(int((run[:, 1] == 5.0).sum()) for run in runs)
    assert inside == int((line[:, 1] == 5.0).sum())


def read_path(d):
    """The points of path data of moves and relative lines."""
    out = []
    for part in re.findall(r"M([^M]+)", d):
        head, _, rest = part.rstrip("z").partition("l")
        at = np.array([float(v) for v in head.split()])
        points = [at]
        numbers = [float(v) for v in re.findall(r"-?\d*\.?\d+", rest)]
        for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
            at = at + np.array([dx, dy])
            points.append(at)
        out.append(np.array(points))
    return out


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-400, 1400), st.floats(-400, 1400)), min_size=2, max_size=40))
def test_path_data_stays_where_it_is(points):
    line = np.array(points)
    kept = [p for p, q in zip(np.round(line, 1), np.round(np.roll(line, 1, axis=0), 1), strict=True) if (p != q).any()]
    found = read_path(path([line], False))
    if not found:
        assert np.ptp(np.round(line, 1), axis=0).max() == 0 or len(kept) <= 1
        return
    # relative moves are between rounded points, so errors do not add up along the line
    assert np.abs(found[0][0] - line[0]).max() <= 0.051
    assert np.abs(found[0][-1] - line[-1]).max() <= 0.051


def test_thinning_keeps_ends_and_distance():
    x = np.linspace(0.0, 10.0, 1001)
    line = np.stack([x, np.zeros_like(x)], axis=-1)
    slim = thin(line, 0.5)
    assert (slim[0] == line[0]).all()
    assert (slim[-1] == line[-1]).all()
    assert np.diff(slim[:-1, 0]).min() >= 0.5
    assert len(thin(line[:2], 0.5, closed=True)) == 0
