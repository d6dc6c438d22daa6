"""Six motions side by side, driven through the door: each object ends up as what it is."""

import math

import numpy as np
import pytest

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import enu_axes, geodetic_to_ecef
from tocsin.tracking import Observer, Tracking
from tocsin.tracking.settings import MODEL_NAME

SIGMA = np.array([30.0, 1.7e-3, 1.7e-3])
TIMES = np.arange(5.0, 150.0, 5.0)


def orbiting(t):
    """Due east at 500 km, on a circle but for the oblateness."""
    lat, lon = math.radians(50.0), math.radians(20.0)
    x0 = np.r_[geodetic_to_ecef([lat, lon, 500e3]), 7612.0 * enu_axes(lat, lon)[0]]
    x, phi = np.empty(6), np.empty((6, 6))
    coast_to_stm(x0, 0.0, t, 0.0, x, phi)
    return x[:3]


def flying(t):
    """Due east along a parallel at 240 m/s and 10 km, on the turning Earth."""
    lat = math.radians(50.0)
    lon = math.radians(20.0) + 240.0 * t / (6371e3 * math.cos(lat)) + OMEGA_GMST * t
    return np.asarray(geodetic_to_ecef([lat, lon, 10e3]))


def watched(path, lat_deg, lon_deg):
    """A radar at rest in space where a place was at time 0, and what it measured of a path."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    place, axes = np.asarray(geodetic_to_ecef([lat, lon, 0.0])), enu_axes(lat, lon)
    radar = Observer.at_rest(
        "radar", position_m=place, axes=axes, scan_period_s=5.0, detection_probability=0.9, false_alarms=0.1,
        azimuth_deg=(0.0, 360.0), elevation_deg=(0.0, 89.0), range_km=(10.0, 3000.0),
    )  # fmt: skip
    rng = np.random.Generator(np.random.PCG64(3))
    rows = []
    for t in TIMES:
        d = axes @ (path(t) - place)
        r = math.sqrt(float((d * d).sum()))
        z = np.array([r, math.atan2(d[0], d[1]) % (2.0 * math.pi), math.asin(d[2] / r)])
        rows.append(z + SIGMA * rng.standard_normal(3))
    table = {
        "sensor": ["radar"] * len(TIMES), "t_s": TIMES, "measurement": np.array(rows),
        "covariance": np.broadcast_to(np.diag(SIGMA**2).ravel(), (len(TIMES), 9)),
    }  # fmt: skip
    return radar, table


@pytest.mark.parametrize(
    ("path", "place", "kind", "filter"),
    [
        (orbiting, (47.0, 22.0), "orbit", "ekf"),
        (orbiting, (47.0, 22.0), "orbit", "ukf"),
        (flying, (49.0, 20.0), "aircraft", "ekf"),
    ],
)
def test_what_flies_is_told_by_its_motion(path, place, kind, filter):
    radar, table = watched(path, *place)
    rows = Tracking([radar], models=MODEL_NAME, filter=filter).run(table).tracks.to_pylist()
    assert {r["track"] for r in rows} == {1}
    last = rows[-1]
    assert last["updates"] == len(TIMES)
    assert last[f"p_{kind}"] > 0.99
    P = np.zeros((6, 6))
    P[np.triu_indices(6)] = last["covariance"]
    P = P + np.triu(P, 1).T
    off = path(last["t_s"]) - np.array([last["x_m"], last["y_m"], last["z_m"]])
    assert off @ np.linalg.solve(P[:3, :3], off) < 16.3  # one in a thousand


def test_tracks_that_are_given_start_as_what_they_may_be():
    x = np.r_[geodetic_to_ecef([0.9, 0.4, 60e3]), -2500.0 * enu_axes(0.9, 0.4)[2]]
    radar, table = watched(flying, 49.0, 20.0)
    door = Tracking([radar], models=MODEL_NAME, initiation=False, deletion=False)
    door.start(x[None], np.diag([1e4] * 3 + [1e2] * 3)[None], 0.0)
    told = next(door.steps(table)).told.tracks[0]["mu"]
    # falling at 60 km: in the air, perhaps gliding, no aircraft, no orbit, no thrust
    assert told[2] > 0.5
    assert told[3] > 0.01
    assert told[[0, 4, 5]].max() < 1e-6
