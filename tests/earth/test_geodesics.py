"""Geodesics against GeographicLib through pyproj, also where simple methods fail."""

import numpy as np
import pytest
from pyproj import Geod

from tocsin.earth import geodesics as g

GEOD = Geod(ellps="WGS84")
MILLIMETRE = 1e-3
MICROMETRE = 1e-6
N = 2000


def rng():
    return np.random.default_rng(11)


def places(r):
    return np.arcsin(r.uniform(-1, 1, N)), r.uniform(-np.pi, np.pi, N)


def cases():
    r = rng()
    lat, lon = places(r)
    lat2, lon2 = places(r)
    near = r.uniform(-0.01, 0.01, (2, N))
    zero = np.zeros(N)
    pole = np.full(N, np.pi / 2)
    return {
        "anywhere": (lat, lon, lat2, lon2),
        "nearly antipodal": (lat, lon, -lat + near[0], lon + np.pi + near[1]),
        "antipodal latitudes": (lat, lon, -lat, lon + np.pi + near[1]),
        "nearly antipodal on the equator": (zero, lon, near[0] / 10, lon + np.pi + 2 * near[1]),
        "a few metres": (lat, lon, lat + 1e-6 * near[0] / 0.01, lon + 1e-6 * near[1] / 0.01),
        "one meridian": (lat, lon, lat2, lon),
        "over the pole": (lat, lon, lat2, lon + np.pi),
        "the equator": (zero, lon, zero, lon + 3.0 * near[1] / 0.01),
        "one latitude": (lat, lon, lat, lon2),
        "from a pole": (pole, lon, lat2, lon2),
        "to a pole": (lat, lon, -pole, lon2),
        "the same point": (lat, lon, lat, lon),
    }


@pytest.mark.parametrize("name", list(cases()))
def test_inverse(name):
    lat1, lon1, lat2, lon2 = cases()[name]
    ours = g.lines(lat1, lon1, lat2, lon2)
    _, _, distance = GEOD.inv(*np.degrees([lon1, lat1, lon2, lat2]))
    assert np.abs(ours[:, 0] - distance).max() < MICROMETRE
    # azimuths judged by where they lead: equally short lines may differ
    there = g.ends(lat1, lon1, ours[:, 1], ours[:, 0])
    back = g.ends(lat2, lon2, ours[:, 2] + np.pi, ours[:, 0])
    assert np.max(GEOD.inv(*np.degrees([there[:, 1], there[:, 0], lon2, lat2]))[2]) < MICROMETRE
    assert np.max(GEOD.inv(*np.degrees([back[:, 1], back[:, 0], lon1, lat1]))[2]) < MICROMETRE


def test_inverse_azimuths_where_the_line_is_one():
    lat1, lon1, lat2, lon2 = cases()["anywhere"]
    ours = g.lines(lat1, lon1, lat2, lon2)
    forward, back, _ = GEOD.inv(*np.degrees([lon1, lat1, lon2, lat2]))
    assert np.abs(np.angle(np.exp(1j * (ours[:, 1] - np.radians(forward))))).max() < 1e-11
    assert np.abs(np.angle(np.exp(1j * (ours[:, 2] + np.pi - np.radians(back))))).max() < 1e-11


def test_direct():
    r = rng()
    lat, lon = places(r)
    azimuth, distance = r.uniform(-np.pi, np.pi, N), r.uniform(-5e7, 5e7, N)
    ours = g.ends(lat, lon, azimuth, distance)
    lon2, lat2, back = GEOD.fwd(*np.degrees([lon, lat, azimuth]), distance)
    assert np.max(GEOD.inv(np.degrees(ours[:, 1]), np.degrees(ours[:, 0]), lon2, lat2)[2]) < MICROMETRE
    assert np.abs(np.angle(np.exp(1j * (ours[:, 2] - np.radians(back))))).max() < 1e-9


def test_scalars_and_broadcasting():
    one = g.inverse(0.1, 0.2, 0.3, 0.4)
    assert g.lines(0.1, 0.2, [0.3, 0.5], 0.4)[0].tolist() == list(one)
    assert g.inverse(0.5, 1.0, 0.5, 1.0) == (0.0, 0.0, 0.0)
    lat, lon, back = g.direct(0.5, 1.0, 2.0, 0.0)
    assert (lat, lon) == pytest.approx((0.5, 1.0))
    assert back == pytest.approx(2.0 - np.pi)


def test_a_published_line():
    """A published line: Flinders Peak to Buninyong (Vincenty's own example, on GRS 80; WGS 84 differs by under 0.1
    mm)."""
    lat1, lon1 = -(37 + 57 / 60 + 3.72030 / 3600), 144 + 25 / 60 + 29.52440 / 3600
    lat2, lon2 = -(37 + 39 / 60 + 10.15610 / 3600), 143 + 55 / 60 + 35.38390 / 3600
    distance, azimuth, _ = g.inverse(*np.radians([lat1, lon1, lat2, lon2]))
    assert distance == pytest.approx(54972.271, abs=MILLIMETRE)
    assert np.degrees(azimuth) % 360 == pytest.approx(306 + 52 / 60 + 5.37 / 3600, abs=0.01 / 3600)
