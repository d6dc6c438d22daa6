"""When a sensor could have looked: cases worked out by hand, and agreement with the measured geometry delay."""

import math

import numpy as np
import pytest
from synthetic_run import overflight, polar_rocket

from tocsin.earth.wgs84 import geodetic_to_ecef
from tocsin.measures.view import first_look
from tocsin.report.facts import gather
from tocsin.report.views import ABOVE, BELOW, FAR, HIDDEN, NOT_BURNING, SEEN, SIDE, UNDER_CLOUD, Site, view

LIMITS = {"azimuth": (0.0, math.pi), "elevation": (math.radians(5), math.radians(85)), "range": (10e3, 1000e3)}


def radar(**change):
    place = np.array([[0.0, 0.0, 0.0]])
    values = {**LIMITS, **change}
    return Site(
        "radar",
        np.array([0.0]),
        geodetic_to_ecef(place),
        place[:, 0],
        place[:, 1],
        place[:, 2],
        cloud_top=0.0,
        **values,
    )


def satellite(lon_deg, cloud_top=0.0):
    place = np.array([[0.0, math.radians(lon_deg), 35786e3]] * 2)
    none = (math.nan, math.nan)
    ecef = geodetic_to_ecef(place)
    return Site(
        "infrared", np.array([0.0, 1e4]), ecef, place[:, 0], place[:, 1], place[:, 2], none, none, none, cloud_top
    )


def flown(points, phase="boost"):
    """A flight through (latitude, longitude in degrees, height in m), ten seconds at each."""
    place = np.array([[math.radians(a), math.radians(b), h] for a, b, h in points for _ in range(10)])
    return np.arange(len(place), dtype=float), geodetic_to_ecef(place), place[:, 2], [phase] * len(place)


def reasons(site, points, phase="boost"):
    return [why for _, _, why in view(site, *flown(points, phase)).spans]


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ((0.0, 2.0, 200e3), SEEN),  # east, some 40 degrees up
        ((0.0, 0.0, 500e3), ABOVE),  # overhead
        ((0.0, 8.0, 1e3), BELOW),  # 900 km away on the ground
        ((0.0, -2.0, 200e3), SIDE),  # west of a sector that looks east
        ((0.0, 9.0, 900e3), FAR),
    ],
)
def test_a_radar_says_why(point, why):
    assert reasons(radar(), [point]) == [why]


def test_a_sector_may_wrap_and_be_all_round():
    north = (3.0, 0.0, 200e3)
    assert reasons(radar(azimuth=(math.radians(300), math.radians(60))), [north]) == [SEEN]
    assert reasons(radar(azimuth=(math.radians(60), math.radians(300))), [north]) == [SIDE]
    assert reasons(radar(azimuth=(1.0, 1.0)), [north]) == [SEEN]


def test_a_gap_has_its_cause():
    v = view(radar(), *flown([(0.0, 2.0, 200e3), (0.0, 0.0, 400e3), (0.0, 1.0, 150e3)]))
    assert [(round(a), round(b), why) for a, b, why in v.gaps()] == [(10, 20, ABOVE)]
    assert len(v.windows) == 2


@pytest.mark.parametrize(
    ("lon", "point", "phase", "cloud", "why"),
    [
        (0.0, (0.0, 10.0, 20e3), "boost", 8e3, SEEN),
        (0.0, (0.0, 10.0, 5e3), "boost", 8e3, UNDER_CLOUD),
        (0.0, (0.0, 10.0, 20e3), "coast", 8e3, NOT_BURNING),
        (0.0, (0.0, 120.0, 20e3), "boost", 8e3, HIDDEN),
        # the Earth's limb of a geostationary satellite is at acos(R/a) = 81.3 degrees; a height of 100 km adds 10
        (0.0, (0.0, 81.0, 0.0), "boost", 0.0, SEEN),
        (0.0, (0.0, 81.7, 0.0), "boost", 0.0, HIDDEN),
        (0.0, (0.0, 90.5, 100e3), "boost", 0.0, SEEN),
        (0.0, (0.0, 92.5, 100e3), "boost", 0.0, HIDDEN),
    ],
)
def test_a_satellite_says_why(lon, point, phase, cloud, why):
    assert reasons(satellite(lon, cloud), [point], phase) == [why]


def test_windows_begin_where_measures_say():
    for run in (overflight(), polar_rocket()):
        facts = gather(run)
        truth, scans = run.tables["truth"], run.tables["scans"]
        for s in facts.sensors:
            first = first_look(scans.filter([x == s.id for x in scans["sensor"].to_pylist()]), truth, s.site.cloud_top)
            windows = s.views[0].windows
            assert windows, s.id
            assert windows[0][0] == pytest.approx(first, abs=1.0)
