import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import chi2

from tocsin.earth.geodesics import inverse
from tocsin.earth.polygons import contains
from tocsin.warning import regions

CENTRES = [
    (0.6, 2.0),
    (-0.3, math.pi - 0.005),
    (0.2, -math.pi + 0.01),
    (math.radians(89.0), 1.0),
    (math.radians(-88.5), -3.0),
    (0.0, 0.0),
]


def rings_of(region):
    return [region["coordinates"]] if region["type"] == "Polygon" else region["coordinates"]


def in_region_by_earth(region, lat, lon):
    """The other implementation of containment, ring by ring."""
    inside = np.zeros(len(lat), dtype=bool)
    for part in rings_of(region):
        inside |= contains([np.radians(ring[:-1]) for ring in part], lat, lon)
    return inside


def points_about(centre, spread, n=3000, seed=0):
    rng = np.random.default_rng(seed)
    return regions.from_plane(centre, rng.uniform(-spread, spread, (n, 2)))


@pytest.mark.parametrize(("sigma0", "sigma1"), [(0.0, 0.0), (0.05, 3.0), (2.7, 1.1), (40.0, 9.0)])
def test_smoothing_is_that_of_scipy(sigma0, sigma1):
    mass = np.random.default_rng(5).exponential(size=(72, 50)) ** 3
    expected = gaussian_filter(mass, (sigma0, sigma1), mode="constant", truncate=4.0)
    assert regions.smoothed(mass, sigma0, sigma1) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("centre", CENTRES)
def test_a_circle_holds_what_is_nearer_than_its_radius(centre):
    # also over the poles and the date line; geodesic distances from another module decide
    radius = 200e3
    region = regions.ellipse_region(centre, np.eye(2) * radius**2, 1.0)
    lat, lon = points_about(centre, 2.0 * radius)
    distance = np.array([inverse(*centre, la, lo)[0] for la, lo in zip(lat, lon, strict=True)])
    clear = np.abs(distance - radius) > 2e-3 * radius  # the sagitta of 72 corners is 1e-3
    assert 300 < (distance < radius).sum() < 2700
    np.testing.assert_array_equal(regions.holds(region, lat, lon)[clear], (distance < radius)[clear])
    np.testing.assert_array_equal(in_region_by_earth(region, lat, lon)[clear], (distance < radius)[clear])


@pytest.mark.parametrize("centre", CENTRES)
def test_geojson_keeps_to_the_map_and_is_closed_and_anticlockwise(centre):
    region = regions.ellipse_region(centre, np.array([[9e10, 2e10], [2e10, 1e10]]), 5.991)
    for part in rings_of(region):
        for k, ring in enumerate(part):
            a = np.array(ring)
            assert ring[0] == ring[-1]
            assert (np.abs(a[:, 0]) <= 180.0).all()
            assert (np.abs(a[:, 1]) <= 90.0).all()
            assert (np.abs(np.diff(a[:, 0])) < 180.0).all() or np.abs(a[:, 1]).max() == 90.0
            area = 0.5 * np.sum(a[:-1, 0] * a[1:, 1] - a[1:, 0] * a[:-1, 1])
            assert area > 0.0 if k == 0 else area < 0.0


def test_the_date_line_cuts_a_region_in_two_and_a_pole_does_not():
    assert regions.ellipse_region((0.1, math.pi), np.eye(2) * 1e10, 1.0)["type"] == "MultiPolygon"
    polar = regions.ellipse_region((math.radians(89.5), 0.7), np.eye(2) * 4e10, 1.0)
    assert polar["type"] == "Polygon"
    assert [180.0, 90.0] in polar["coordinates"][0]
    assert [-180.0, 90.0] in polar["coordinates"][0]


def sphere_area(region):
    """Area of a region on the authalic sphere: integral of (sin lat) d lon along its rings, edges straight on the
    map.
    """
    total = 0.0
    for part in rings_of(region):
        for ring in part:
            a = np.radians(np.array(ring))
            for p, q in pairwise(a):
                s = np.linspace(0.0, 1.0, 9)
                e = 0.0818191908426
                sine = np.sin(p[1] + s * (q[1] - p[1]))
                authalic = (1 - e * e) * (sine / (1 - e * e * sine**2) + np.arctanh(e * sine) / e)
                pole = (1 - e * e) * (1 / (1 - e * e) + np.arctanh(e) / e)
                total -= np.trapezoid(authalic / pole, s) * (q[0] - p[0])
    return total * 6371007.181**2


@pytest.mark.parametrize("centre", CENTRES)
def test_the_area_of_a_normal_ellipse_is_its_closed_form(centre):
    cov = np.array([[4.0e9, -1.5e9], [-1.5e9, 1.0e9]])
    for content in (0.5, 0.95):
        radius2 = regions.normal_radius2(content)
        assert radius2 == pytest.approx(chi2.ppf(content, 2), rel=1e-12)
        region = regions.ellipse_region(centre, cov, radius2)
        expected = math.pi * radius2 * math.sqrt(np.linalg.det(cov))
        assert sphere_area(region) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("centre", CENTRES)
def test_plane_and_ground_agree_with_geodesics(centre):
    lat, lon = points_about(centre, 300e3, 200)
    xy = regions.to_plane(centre, lat, lon)
    for k in range(200):
        distance, azimuth, _ = inverse(*centre, lat[k], lon[k])
        assert math.hypot(*xy[k]) == pytest.approx(distance, rel=3e-4, abs=0.1)
        apart = math.atan2(xy[k, 0], xy[k, 1]) - azimuth
        assert abs((apart + math.pi) % (2.0 * math.pi) - math.pi) < 5e-4
    back = regions.from_plane(centre, xy)
    np.testing.assert_allclose(regions.to_plane(centre, *back), xy, atol=1e-5)


def normal_cloud(centre, n, seed, sd=(80e3, 20e3)):
    rng = np.random.default_rng(seed)
    xy = rng.standard_normal((n, 2)) * sd
    turn = 0.6
    xy = xy @ np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return regions.from_plane(centre, xy)


@pytest.mark.parametrize("centre", CENTRES[:5])
def test_density_regions_hold_their_share_of_new_points(centre):
    lat, lon = normal_cloud(centre, 2000, 1)
    new_lat, new_lon = normal_cloud(centre, 4000, 2)
    small, large = regions.density_regions(lat, lon, np.ones(2000))
    inside50, inside95 = regions.holds(small, new_lat, new_lon), regions.holds(large, new_lat, new_lon)
    # the kernel widens the cloud by a few per cent; never the other way
    assert 0.47 < inside50.mean() < 0.60
    assert 0.94 < inside95.mean() < 0.98
    assert not (inside50 & ~inside95).any()


def test_density_region_of_a_normal_cloud_is_about_its_ellipse():
    lat, lon = normal_cloud((0.4, 1.0), 20000, 3)
    large = regions.density_regions(lat, lon, np.ones(20000))[1]
    expected = math.pi * regions.normal_radius2(0.95) * 80e3 * 20e3
    assert sphere_area(large) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("origin", [(0.7, 2.2), (1.3, 3.1), (-0.2, -3.1)])
def test_a_curved_corridor_is_followed(origin):
    # a thousand times longer than wide along a bent line: the region must not fill the bend
    def cloud(seed):
        rng = np.random.default_rng(seed)
        r = rng.uniform(500e3, 3500e3, 3000)
        az = 1.0 + 0.3 * ((r - 2000e3) / 1500e3) ** 2 + 0.004 * rng.standard_normal(3000)
        return regions.geodetic(origin, np.column_stack([r, az]))

    lat, lon = cloud(4)
    small, large = regions.density_regions(lat, lon, np.ones(3000), origin=origin)
    new = cloud(5)
    assert 0.45 < regions.holds(small, *new).mean() < 0.65
    assert 0.93 < regions.holds(large, *new).mean() < 0.995
    length_times_width = 3000e3 * 4.0 * 0.004 * 2000e3
    assert sphere_area(large) < 1.7 * length_times_width


def test_two_heaps_give_two_parts():
    a, b = normal_cloud((0.5, 0.0), 1500, 6, (5e3, 5e3)), normal_cloud((0.5, 0.1), 1500, 7, (5e3, 5e3))
    large = regions.density_regions(np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]]), np.ones(3000))[1]
    assert large["type"] == "MultiPolygon"
    assert not regions.holds(large, np.array([0.5]), np.array([0.05]))[0]


def test_a_hole_stays_a_hole_over_the_date_line():
    angle = np.linspace(0.0, 2.0 * math.pi, 60, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    centre = (0.3, math.pi - 0.01)
    region = regions.region_of([[circle * 300e3, circle[::-1] * 100e3]], lambda xy: regions.from_plane(centre, xy))
    lat, lon = points_about(centre, 400e3)
    distance = np.hypot(*regions.to_plane(centre, lat, lon).T)
    clear = (np.abs(distance - 300e3) > 1e3) & (np.abs(distance - 100e3) > 1e3)
    np.testing.assert_array_equal(
        regions.holds(region, lat, lon)[clear], ((distance < 300e3) & (distance > 100e3))[clear]
    )


def test_middle_is_where_the_mean_is_nought():
    lat, lon = normal_cloud((1.55, 3.0), 500, 8)
    w = np.abs(np.random.default_rng(9).standard_normal(500))
    xy = regions.to_plane(regions.middle(lat, lon, w), lat, lon)
    assert np.abs(w @ xy / w.sum()).max() < 1.0


def test_normal_radius_is_that_of_two_dimensions():
    assert regions.normal_radius2(0.95) == pytest.approx(5.991464547, abs=1e-9)
