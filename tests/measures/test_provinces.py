"""Shares of provinces: areas as published, circles by geodesics, the turn of a radar, the answer's arithmetic."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from tocsin.earth.frames import gmst82
from tocsin.measures import coverage as c
from tocsin.measures import provinces as p
from tocsin.scenario import Scenario
from tocsin.scenario.specs import Infrared


@pytest.fixture(scope="module")
def seongju():
    return Scenario.load("seongju-2016").split(gmst82)[0].sensors[0]


@pytest.fixture(scope="module")
def cover(seongju):
    return p.radar_cover(seongju, (330.0, 0.0), (10e3, 100e3, 300e3), (0.01, 1.0), 0.5)


@pytest.mark.parametrize(
    ("name", "km2"),
    [("Jilin", 187_400), ("Hebei", 188_800), ("Beijing", 16_411), ("Sichuan", 486_000), ("Primorye", 164_673)],
)
def test_areas_are_the_published_ones(name, km2):
    province = next(x for x in p.provinces() if x.name == name)
    assert p.samples(province).area_km2.sum() == pytest.approx(km2, rel=0.03)


def test_provinces_do_not_overlap():
    count = 0
    lat, lon = np.radians(47.0), np.radians(np.arange(118.0, 133.0, 0.05))
    for province in p.provinces():
        count += p.contains(province.rings, np.full_like(lon, lat), lon).astype(int)
    assert count.max() == 1
    assert count.mean() > 0.8  # of the line through the northeast most is China


def test_a_turned_radar_looks_there(seongju):
    model = p.turned_to(seongju, 90.0).model
    assert [math.degrees(x) for x in model.sector] == pytest.approx([30.0, 150.0])
    assert math.degrees(model.boresights[0][0]) == pytest.approx(90.0)


def test_the_sentence_of_the_dispute(cover):
    assert cover.circle_share(p.NORTHEAST) == pytest.approx(1.0, abs=0.005)
    assert cover.farthest["Heilongjiang"][0] == pytest.approx(2_002e3, abs=6e3)
    assert cover.share(p.NORTHEAST, 10e3, None, None) < 0.01
    assert cover.share(p.NORTHEAST, 100e3, None, None) < cover.share(p.NORTHEAST, 300e3, None, None) < 1.0
    assert cover.circle["Tibet"] == 0.0


def test_less_is_seen_of_less(cover):
    for name, _, _ in cover.provinces:
        for h in (10e3, 100e3, 300e3):
            for b in (330.0, 0.0, None):
                small, big, any_ = (cover.share([name], h, b, rcs) for rcs in (0.01, 1.0, None))
                assert small <= big <= any_ <= cover.circle[name] + 0.01
            assert max(cover.share([name], h, b, None) for b in (330.0, 0.0)) <= cover.share([name], h, None, None)


def test_the_radar_equation_of_the_range(cover):
    """Even odds in Swerling 1: SNR = T / ln 2 - 1 with T = ln 1e6; range as its fourth root from 13 dB at 2,826 km."""
    needed = math.log(1e6) / math.log(2.0) - 1.0
    for r in cover.reach:
        assert r.boresight == pytest.approx(2826e3 * (10**1.3 * r.rcs / needed) ** 0.25, rel=1e-9)
        snr = 10**1.3 * r.rcs * (2826 / 2000) ** 4
        assert r.snr_db == pytest.approx(10 * math.log10(snr), abs=1e-9)
        assert r.odds == pytest.approx(1e-6 ** (1 / (1 + snr)), rel=1e-9)
        assert r.edge == pytest.approx(r.boresight * 0.5**0.75, rel=1e-9)


def test_only_for_one_radar_near_enough(seongju):
    assert p.if_near((seongju, seongju)) is None
    away = msgspec.structs.replace(seongju, model=msgspec.structs.replace(seongju.model, lat=-0.6, lon=-1.0))
    assert p.if_near((away,)) is None
    satellite = next(
        s for s in Scenario.load("hokkaido-2017").split(gmst82)[0].sensors if isinstance(s.model, Infrared)
    )
    assert p.if_near((satellite,)) is None
    with pytest.raises(ValueError, match="is no radar"):
        p.radar_cover(satellite)
    with pytest.raises(c.CoverageError, match="a boresight of 400 deg; 0 to under 360"):
        p.if_near((seongju,), (400.0,))
