"""Natural Earth land: places that everybody knows, the area of the continents, a border that follows a parallel."""

import math

import numpy as np
import pytest

from tocsin.earth.coastlines import world

R_KM = 6371.0088
LAND = {
    "Sapporo": (43.06, 141.35),
    "Moscow": (55.75, 37.62),
    "Chukotka on the date line": (67.5, 180.0),
    "Chukotka beyond it": (67.3, -178.0),
    "the South Pole": (-89.5, 10.0),
    "Brasilia": (-15.8, -47.9),
}
SEA = {
    "Sea of Japan": (40.0, 135.0),
    "the North Pole": (89.5, 0.0),
    "Barents Sea": (74.0, 35.0),
    "Pacific on the date line": (10.0, 180.0),
    "Null Island": (0.0, 0.0),
}


def winding(ring, lat_deg, lon_deg):
    """Turns of a ring around a point, as seen along the direction of the point (gnomonic azimuth)."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    d = ring[:, 0] - lon
    east = np.cos(ring[:, 1]) * np.sin(d)
    north = math.cos(lat) * np.sin(ring[:, 1]) - math.sin(lat) * np.cos(ring[:, 1]) * np.cos(d)
    angle = np.arctan2(east, north)
    turn = np.diff(np.concatenate([angle, angle[:1]]))
    return round(float(((turn + math.pi) % (2 * math.pi) - math.pi).sum()) / (2 * math.pi))


def on_land(detail, lat, lon):
    """Turns of all rings: azimuths turn around a point inside a ring, and around its antipode."""
    return sum(winding(ring, lat, lon) for ring in world(detail).land)


@pytest.mark.parametrize("detail", ["50m", "110m"])
def test_known_places(detail):
    # around a point at sea whose antipode is at sea too, all rings together turn zero times; around land once,
    # either way round by the sense of the rings; where the antipode is land as well the two cancel (none such here)
    for name, (lat, lon) in LAND.items():
        assert abs(on_land(detail, lat, lon)) == 1, name
    for name, (lat, lon) in SEA.items():
        expected = 1 if name == "the North Pole" else 0  # its antipode is Antarctica
        assert abs(on_land(detail, lat, lon)) == expected, name


@pytest.mark.parametrize("detail", ["50m", "110m"])
def test_land_area(detail):
    # area under each ring down to the South Pole; holes run the other way round and subtract themselves
    total = 0.0
    for ring in world(detail).land:
        d = np.diff(np.concatenate([ring[:, 0], ring[:1, 0]]))
        d = (d + math.pi) % (2 * math.pi) - math.pi
        s = np.sin(np.concatenate([ring[:, 1], ring[:1, 1]]))
        total += float((d * (2.0 + s[1:] + s[:-1]) / 2.0).sum())
    # 148.9 million km2 of land on the Earth, lakes included; Natural Earth leaves out inland seas such as the Caspian
    assert abs(total) * R_KM**2 / 1e6 == pytest.approx(148.0, abs=2.5)


def test_rings_are_closed_and_lines_meet():
    w = world("110m")
    assert all(np.allclose(ring[0], ring[-1]) for ring in w.land)
    assert len(w.coasts) > 100
    assert len(w.borders) > 200


def test_the_border_along_the_49th_parallel():
    for meridian in (-120.0, -110.0, -100.0):
        crossings = []
        for line in world("50m").borders:
            lon, lat = np.degrees(line[:, 0]), np.degrees(line[:, 1])
            for i in np.flatnonzero((lon[1:] - meridian) * (lon[:-1] - meridian) < 0):
                share = (meridian - lon[i]) / (lon[i + 1] - lon[i])
                crossings.append(lat[i] + share * (lat[i + 1] - lat[i]))
        assert min(abs(c - 49.0) for c in crossings) < 0.02


def test_a_border_is_no_coast():
    w = world("110m")
    coast = {tuple(np.round(p, 9)) for line in w.coasts for p in line[1:-1]}
    border = {tuple(np.round(p, 9)) for line in w.borders for p in line[1:-1]}
    assert not coast & border


def test_other_details_are_refused():
    with pytest.raises(ValueError, match="'10m' is not one of '50m', '110m'"):
        world("10m")
