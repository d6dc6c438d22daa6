"""From when a sensor could have looked, against pyproj's topocentric coordinates and by plain geometry."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyproj
import pytest
import watched_flight as w

from tocsin.measures.view import first_look
from tocsin.records.tables import tables_from_records


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    return tables_from_records(w.records(), w.FACTS)


def scans_of(tables: dict[str, pa.Table], sensor: str, **other: float | str) -> pa.Table:
    scans = tables["scans"]
    scans = scans.filter(pa.compute.equal(scans["sensor"], sensor))
    for name, value in other.items():
        i = scans.column_names.index(name)
        scans = scans.set_column(
            i, scans.schema.field(i), pa.array([value] * scans.num_rows, scans.schema.field(i).type)
        )
    return scans


def topocentric(lat: float, lon: float, h: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times, range (m), azimuth and geometric elevation (deg) of the rocket from a site, by PROJ."""
    t = np.arange(w.LAUNCH, w.IMPACT + 1)
    to_ecef = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=cart"
    )
    turn = pyproj.Transformer.from_pipeline(f"+proj=topocentric +ellps=WGS84 +lon_0={lon} +lat_0={lat} +h_0={h}")
    points = [turn.transform(*to_ecef.transform(w.LON, w.lat_deg(x), w.height_km(x) * 1e3)) for x in t]
    e, n, u = np.array(points).T
    r = np.sqrt(e**2 + n**2 + u**2)
    return t, r, np.degrees(np.arctan2(e, n)) % 360.0, np.degrees(np.arcsin(u / r))


def test_a_radar_looks_from_when_the_rocket_rises_over_its_floor(tables: dict[str, pa.Table]) -> None:
    t, r, _, elevation = topocentric(*w.DISH, 100.0)
    apparent = elevation + np.degrees(r * np.cos(np.radians(elevation)) / 8.0 / 6_371_000.0)
    expected = t[np.flatnonzero(apparent >= 5.0)[0]]
    assert first_look(scans_of(tables, "dish"), tables["truth"]) == expected
    assert expected > w.LAUNCH + 20  # the limit, not the launch, decides


@pytest.mark.parametrize(("start", "end"), [(200.0, 225.0), (330.0, 10.0), (215.0, 290.0)])
def test_a_sector_is_read_clockwise(tables: dict[str, pa.Table], start: float, end: float) -> None:
    t, _, azimuth, elevation = topocentric(*w.DISH, 100.0)
    inside = (azimuth >= start) & (azimuth <= end) if start < end else (azimuth >= start) | (azimuth <= end)
    inside &= elevation >= 10.0  # far over the floor set here, so that refraction decides nothing
    scans = scans_of(tables, "dish", azimuth_from_deg=start, azimuth_to_deg=end, elevation_min_deg=2.0)
    found = first_look(scans, tables["truth"])
    rough = np.flatnonzero(inside)
    if not len(rough):
        assert found is None
    else:
        assert found is not None
        assert found <= t[rough[0]]
        where = int(found) - w.LAUNCH
        assert elevation[where] > 1.0
        assert (azimuth[where] - start) % 360.0 <= (end - start) % 360.0


def test_range_limits_count(tables: dict[str, pa.Table]) -> None:
    t, r, _, elevation = topocentric(*w.DISH, 100.0)
    near = 450.0
    expected = t[np.flatnonzero((r <= near * 1e3) & (elevation > 5.0))[0]]
    assert first_look(scans_of(tables, "dish", range_max_km=near), tables["truth"]) == expected
    assert first_look(scans_of(tables, "dish", range_max_km=60.0), tables["truth"]) is None


def test_a_satellite_looks_over_the_cloud_while_it_burns(tables: dict[str, pa.Table]) -> None:
    eye = scans_of(tables, "eye")
    # height is 1,200 km u (1 - u) with u in 600ths: 10 km after 5.04 s, 100 km after 55.05 s, 250 km after the burn
    assert first_look(eye, tables["truth"], 10_000.0) == w.LAUNCH + 6
    assert first_look(eye, tables["truth"], 100_000.0) == w.LAUNCH + 56
    assert first_look(eye, tables["truth"], 250_000.0) is None


def test_a_satellite_behind_the_earth_sees_nothing(tables: dict[str, pa.Table]) -> None:
    scans = scans_of(tables, "eye")
    assert (
        first_look(scans, tables["truth"], 0.0) == w.LAUNCH + 1 or first_look(scans, tables["truth"], 0.0) == w.LAUNCH
    )
    assert first_look(scans_of(tables, "eye", platform_lon_deg=-170.0), tables["truth"]) is None


def test_a_silent_sensor_looks_at_nothing(tables: dict[str, pa.Table]) -> None:
    assert first_look(scans_of(tables, "dish", status="silent"), tables["truth"]) is None


def test_between_two_scans_nobody_looks(tables: dict[str, pa.Table]) -> None:
    eye = scans_of(tables, "eye")
    late = eye.filter(pa.compute.greater(eye["t0_s"], 30.0))
    assert first_look(late, tables["truth"], 10_000.0) == 40.0
    assert first_look(eye.slice(0, 0), tables["truth"]) is None
