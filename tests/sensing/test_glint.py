"""Sunlit cloud: the geometry of mirrors in closed form, who sees which field, and that nothing else is changed."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sensing_world import DEG, GEO, HOUR, OnTheEarth, satellite, sensor, targets

from tocsin.dynamics.orbit import high_ellipse, orbit_states
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.earth.frames import gmst82, theta_at, to_ecef
from tocsin.earth.shadow import sunlit_parts
from tocsin.earth.sun import AU, sun_direction_ecef, sun_heights, sun_positions
from tocsin.scenario.specs import Bias, Orbit
from tocsin.sensing.glint import cloud_fields, facet_tilts
from tocsin.sensing.rig import Rig
from tocsin.sensing.targets import Targets

WHEN = 433_368_900_000_000_000  # 1983-09-25T20:15:00Z
THETA = gmst82(WHEN)
MALMSTROM = (47.5 * DEG, -111.2 * DEG)
GLINT = {"glint_lobe": 10.0 * DEG, "glint_intensity": 1e6, "glint_fields": 300.0}


def nothing(unix_ns=WHEN):
    far = OnTheEarth(np.array([[7e6, 0.0, 0.0]]), spans=[(-HOUR, 100 * HOUR)])
    what = targets(far)
    return Targets(what.ephemeris, what.keys, what.rcs, what.cutoff_ns, what.burns, unix_ns=unix_ns)


def over(longitude_deg, **more):
    """A geostationary satellite over a longitude at the epoch."""
    return satellite(orbit=Orbit(GEO, 0.0, 0.0, longitude_deg * DEG + THETA, 0.0, 0.0), **more)


def step(model, seconds=20.0, seed=1, what=None):
    return Rig((sensor(model),), THETA, seed).step(0, round(seconds * NS), nothing() if what is None else what)


# ---------------------------------------------------------------------------------------------------------- geometry


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_facet_of_that_tilt_mirrors_the_sun(number):
    # the law of reflection: the Sun's direction turned about the facet's normal by half a turn is the satellite's
    rng = np.random.default_rng(number)
    lat, lon = rng.uniform(-1.5, 1.5), rng.uniform(-3.1, 3.1)
    place = wgs84.geodetic_to_ecef([lat, lon, 9e3])
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    sun, eye = rng.normal(size=3), rng.normal(size=3)
    sun *= AU / np.linalg.norm(sun)
    eye *= 4e7 / np.linalg.norm(eye)
    s, e = (sun - place) / np.linalg.norm(sun - place), (eye - place) / np.linalg.norm(eye - place)
    tilt = facet_tilts(place, eye, sun)[0]
    if s @ up <= 0.0 or e @ up <= 0.0:
        assert tilt == math.pi
        return
    assume(np.linalg.norm(s + e) > 1e-3)
    normal = (s + e) / np.linalg.norm(s + e)
    np.testing.assert_allclose(2.0 * (s @ normal) * normal - s, e, atol=1e-12)
    assert math.cos(tilt) == pytest.approx(normal @ up, abs=1e-9)


def test_flat_cloud_mirrors_at_equal_heights():
    place = np.array([wgs84.A + 9e3, 0.0, 0.0])
    for height in (10.0, 40.0, 80.0):
        h = height * DEG
        sun = place + 1.5e11 * np.array([math.sin(h), math.cos(h), 0.0])
        flat = place + 3e7 * np.array([math.sin(h), -math.cos(h), 0.0])
        assert facet_tilts(place, flat, sun)[0] == pytest.approx(0.0, abs=1e-7)
        # a satellite higher by some angle needs half of it
        aside = place + 3e7 * np.array([math.sin(h + 0.1), -math.cos(h + 0.1), 0.0])
        assert facet_tilts(place, aside, sun)[0] == pytest.approx(0.05, abs=1e-9)


def test_montana_on_25_september_1983():
    # by hand: the Sun 40 deg up; satellites near the limb need facets tilted by 35 deg (apogee at 36 N) to 11 (62 N)
    assert math.degrees(float(sun_heights(*MALMSTROM, WHEN))) == pytest.approx(40.0, abs=0.5)
    place = wgs84.geodetic_to_ecef([*MALMSTROM, 9e3])
    sun = sun_direction_ecef(WHEN) * AU
    for lat, lon, tilt in ((36.0, -5.0, 35.0), (62.0, 12.0, 11.0)):
        at = wgs84.geodetic_to_ecef([lat * DEG, lon * DEG, 39.7e6])
        assert math.degrees(facet_tilts(place, at, sun)[0]) == pytest.approx(tilt, abs=1.0)


# ------------------------------------------------------------------------------------------------------------ fields


def test_more_fields_hold_the_fewer():
    few, many = cloud_fields(7, 20, 9e3), cloud_fields(7, 50, 9e3)
    for a, b in zip(few, many, strict=True):
        np.testing.assert_array_equal(a, b[:20])
    assert not np.array_equal(cloud_fields(8, 20, 9e3)[0], few[0])
    heights = wgs84.ecef_to_geodetic(many[0])[:, 2]
    np.testing.assert_allclose(heights, 9e3, atol=1e-3)
    # even over the sphere: the mean of n directions is shorter than 4 / sqrt(n)
    places = cloud_fields(7, 1500, 9e3)[0]
    unit = places / np.linalg.norm(places, axis=1)[:, None]
    assert np.linalg.norm(unit.mean(axis=0)) < 4.0 / math.sqrt(1500)


def by_hand(model, seed, sensed):
    """Which fields shine by how many times the threshold, from their places, by NumPy alone."""
    share = 0.5 * (1.0 - wgs84.A / (model.orbit.a * (1.0 + model.orbit.e)))
    place, bright, _ = cloud_fields(seed, 1500, model.cloud_top)
    row = sensed.scans[0]
    middle = (int(row["t0_ns"]) + int(row["t1_ns"])) // 2
    eye = to_ecef(orbit_states(model.orbit, np.array([middle]))[0], theta_at(THETA, middle))[:3]
    sun = to_ecef(np.concatenate([sun_positions(WHEN)[0], np.zeros(3)]), theta_at(THETA, 0))[:3]
    out = []
    geodetic = wgs84.ecef_to_geodetic(place)
    up = np.stack([np.cos(geodetic[:, 0]) * np.cos(geodetic[:, 1]), np.cos(geodetic[:, 0]) * np.sin(geodetic[:, 1]),
                   np.sin(geodetic[:, 0])], axis=1)  # fmt: skip
    for p, b, u in zip(place, bright, up, strict=True):
        s, e = (sun - p) / np.linalg.norm(sun - p), (eye - p) / np.linalg.norm(eye - p)
        if s @ u <= 0.0 or e @ u <= 0.0:
            out.append(0.0)
            continue
        tilt = math.acos(min((s + e) @ u / np.linalg.norm(s + e), 1.0))
        shine = model.glint_intensity * b * math.exp(-0.5 * (tilt / model.glint_lobe) ** 2)
        out.append(shine / model.least_intensity * (model.reference_distance / np.linalg.norm(eye - p)) ** 2)
    return place, np.array(out), share, eye


def test_what_is_seen_is_what_the_geometry_says():
    model = over(-110.0, **GLINT, sigma_pointing=0.0, sigma_floor=0.0)
    d = step(model, seconds=20.0)
    assert len(d.detections) > 0
    assert (d.links["object"] == -1).all()
    first = d.detections[d.detections["scan"] == 0]
    place, strength, _, eye = by_hand(model, 1, d)
    row = d.scans[0]
    axes = row["attitude"].reshape(3, 3)
    seen = set()
    for z, t in zip(first["z"], first["t_ns"], strict=True):
        u = axes.T @ [math.cos(z[1]) * math.sin(z[0]), math.cos(z[1]) * math.cos(z[0]), math.sin(z[1])]
        u = to_ecef(np.concatenate([u, np.zeros(3)]), theta_at(THETA, int(t)))[:3]
        away = place - eye
        aside = np.linalg.norm(np.cross(u, away / np.linalg.norm(away, axis=1)[:, None]), axis=1)
        near = np.argmin(np.where(away @ u < math.sqrt(eye @ eye - wgs84.A**2) * 1.01, aside, 9.0))
        assert aside[near] < 2e-4
        seen.add(int(near))
    # Poisson says how many of the places there are; those that are, are seen by their strength
    there = max(seen) + 1
    assert 500 < there < 1000
    clear = set(np.flatnonzero(strength[:there] > 1.8).tolist())
    assert clear <= seen
    assert len(clear) > 10
    assert not seen & set(np.flatnonzero(strength < 0.3).tolist())


def test_night_and_flat_cloud_and_no_brightness_give_none():
    assert len(step(over(-110.0, **GLINT)).detections) > 0
    assert len(step(over(55.0, **{**GLINT, "glint_lobe": 0.2 * DEG})).detections) == 0
    assert len(step(over(-110.0, **{**GLINT, "glint_intensity": 0.0})).detections) == 0
    assert len(step(over(-110.0, **{**GLINT, "glint_intensity": 1.0})).detections) == 0
    assert len(step(over(-110.0, **{**GLINT, "glint_fields": 0.0})).detections) == 0
    # where the Sun stands behind the Earth all that is in view is dark but a rim, which would have to be tilted far
    midnight = math.degrees(math.atan2(*sun_direction_ecef(WHEN)[1::-1])) + 180.0
    assert len(step(over(midnight, **GLINT)).detections) == 0


def test_wider_lobes_show_more_and_two_satellites_the_same_clouds():
    counts = [len(step(over(-110.0, **{**GLINT, "glint_lobe": w * DEG})).detections) for w in (3.0, 10.0, 30.0)]
    assert counts[0] < counts[1] < counts[2]
    # two satellites close together see the same fields
    pair = Rig((sensor(over(-110.0, **GLINT), 0, "a"), sensor(over(-110.1, **GLINT), 1, "b")), THETA, 1)
    d = pair.step(0, 20 * NS, nothing())
    n = [int((d.detections["sensor"] == i).sum()) / int((d.scans["sensor"] == i).sum()) for i in (0, 1)]
    assert n[0] == pytest.approx(n[1], rel=0.3)


def test_the_glint_follows_the_sun():
    rig = Rig((sensor(over(-110.0, **GLINT, scan_period=60.0)),), THETA, 1)
    d = rig.step(0, 4 * HOUR + 600 * NS, nothing()).detections
    early, late = d["z"][d["t_ns"] < 600 * NS], d["z"][d["t_ns"] > 4 * HOUR]
    # the Sun goes from 16 deg west of the satellite's meridian to 76 deg; mirrors lie about half way
    assert early[:, 0].mean() - late[:, 0].mean() > 0.04
    r = wgs84.A / (GEO - wgs84.A)
    assert abs(early[:, 0].mean() + r * math.sin(8.0 * DEG)) < 0.02


def test_cuts_in_time_and_restarts_change_nothing_and_objects_neither():
    model = over(-110.0, **GLINT, false_per_scan=2.0, bias=Bias(constant=(1e-4, 0.0, 0.0, 0.0)))
    whole = step(model, 60.0)
    rig = Rig((sensor(model),), THETA, 1)
    parts = [rig.step(a * NS, (a + 1) * NS, nothing()) for a in range(60)]
    assert np.concatenate([p.detections for p in parts]).tobytes() == whole.detections.tobytes()
    spot = wgs84.geodetic_to_ecef([0.3, -110.0 * DEG, 50e3])
    more = targets(OnTheEarth(spot), burns=[(0, 0, HOUR, 1e9)])
    more = Targets(more.ephemeris, more.keys, more.rcs, more.cutoff_ns, more.burns, unix_ns=WHEN)
    beside = step(model, 60.0, what=more)
    rest = beside.detections[beside.links["object"] < 0]
    names = [n for n in rest.dtype.names if n != "n"]
    assert [r.tobytes() for r in rest[names]] == [r.tobytes() for r in whole.detections[names]]


def test_too_many_fields_are_refused():
    with pytest.raises(ValueError, match=r"sensor-0: 5000\.0 cloud fields in view are"):
        step(over(-110.0, **{**GLINT, "glint_fields": 5000.0}))


def test_a_cloud_in_the_shadow_is_dark():
    orbit = high_ellipse(2, 600e3, 63.0 * DEG, 316.0 * DEG, -10.0 * DEG, 0, THETA)
    place = cloud_fields(1, 1500, 9e3)[0]
    sun = sun_positions(WHEN)[0]
    s = to_ecef(np.concatenate([sun, np.zeros(3)]), THETA)[:3]
    eye = to_ecef(orbit_states(orbit, np.zeros(1, dtype=np.int64))[0], THETA)[:3]
    turned = np.array([[math.cos(THETA), -math.sin(THETA), 0], [math.sin(THETA), math.cos(THETA), 0], [0, 0, 1.0]])
    dark = sunlit_parts(place @ turned.T, WHEN) == 0.0
    assert dark.any()
    assert all(facet_tilts(p, eye, s)[0] == math.pi for p in place[dark])
