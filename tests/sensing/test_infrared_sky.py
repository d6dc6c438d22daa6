"""Infrared satellites and what is not a plume on a clear day: the Sun, the trough, warm bodies, staring, biases."""

import math

import erfa
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sensing_world import DEG, GEO, HOUR, THETA0, OnTheEarth, satellite, sensor, targets

from tocsin.dynamics.orbit import orbit_states
from tocsin.dynamics.signals import against_space, blinded, dimmed
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.scenario.specs import Bias, Orbit
from tocsin.sensing.infrared_kernels import NO_SUN
from tocsin.sensing.rig import Rig
from tocsin.sensing.targets import Targets

ALPHA = 1e-4
EQUINOX = 433_368_900_000_000_000  # 1983-09-25T20:15:00Z


def step(model, what, seconds=20.0, seed=1):
    return Rig((sensor(model),), THETA0, seed).step(0, round(seconds * NS), what)


def with_sky(what: Targets, **more) -> Targets:
    more.setdefault("unix_ns", EQUINOX)
    return Targets(what.ephemeris, what.keys, what.rcs, what.cutoff_ns, what.burns, **more)


def at_eci(points):
    """Earth-fixed positions at the epoch of points in eci."""
    c, s = math.cos(THETA0), math.sin(THETA0)
    return np.atleast_2d(points) @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]]).T


def erfa_sun(unix_ns):
    """Direction to the Sun from the Earth, true equator and mean equinox of date, by erfa's Earth."""
    tt = 2440587.5 + (unix_ns / 1e9 + 22 + 32.184) / 86400.0  # 22 leap seconds in autumn 1983
    heliocentric, _ = erfa.epv00(tt, 0.0)
    u = -heliocentric["p"] / np.linalg.norm(heliocentric["p"])
    u = u + 20.49552 / 206264.806 * heliocentric["v"] / np.linalg.norm(heliocentric["v"])  # aberration
    u = erfa.pnm06a(tt, 0.0) @ (u / np.linalg.norm(u))
    back = erfa.ee06a(tt, 0.0)
    c, s = math.cos(-back), math.sin(-back)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ u


# -------------------------------------------------------------------------------------------------------- staring


def test_a_starer_looks_at_the_end_of_its_period_and_at_nothing_that_is_over_by_then():
    spots = at_eci([[1.0, 0.1 * j, 0.1] / np.linalg.norm([1.0, 0.1 * j, 0.1]) * (wgs84.A + 50e3) for j in range(5)])
    path = OnTheEarth(spots, spans=[(-HOUR, HOUR)] * 4 + [(-HOUR, 13 * NS)])
    burns = [(j, 0, HOUR, 1e9) for j in range(5)]
    rig = Rig((sensor(satellite(staring=True)),), THETA0, 1)
    d = rig.step(0, 30 * NS, targets(path, burns=burns))
    ends = dict(zip(d.scans["scan"].tolist(), d.scans["t1_ns"].tolist(), strict=True))
    for row, link in zip(d.detections, d.links, strict=True):
        assert row["t_ns"] == ends[int(row["scan"])] - 1
        assert link["object"] != 4 or row["t_ns"] <= 13 * NS
    for number, end in ends.items():
        assert set(d.links["object"][d.links["scan"] == number].tolist()) == ({0, 1, 2, 3, 4} if end <= 13 * NS else
                                                                              {0, 1, 2, 3})  # fmt: skip


def test_a_scanner_beside_a_starer_sees_what_it_sees_alone():
    spots = at_eci([[1.0, 0.1 * j, 0.1] / np.linalg.norm([1.0, 0.1 * j, 0.1]) * (wgs84.A + 50e3) for j in range(5)])
    what = targets(OnTheEarth(spots), burns=[(j, 0, HOUR, 1e9) for j in range(5)])
    scans, stares = sensor(satellite(false_per_scan=1.0), 1, "scans"), sensor(satellite(staring=True), 2, "stares")
    both = Rig((scans, stares), THETA0, 1).step(0, 30 * NS, what).detections
    alone = Rig((scans,), THETA0, 1).step(0, 30 * NS, what).detections
    assert both[both["sensor"] == 1].tobytes() == alone.tobytes()
    assert (both["sensor"] == 2).any()


# ------------------------------------------------------------------------------------------------------------ the Sun


def test_nothing_is_seen_nearer_to_the_sun_than_the_exclusion():
    # plumes round the limb, 45 to 60 km up, as the satellite looks past the Earth towards the Sun
    sun = erfa_sun(EQUINOX)
    behind = -np.array([sun[0], sun[1], 0.0]) / math.hypot(sun[0], sun[1])
    longitude = math.atan2(behind[1], behind[0]) + 0.30  # so far aside that the Earth does not hide the Sun
    orbit = Orbit(a=GEO, e=0.0, i=0.0, raan=longitude, argp=0.0, m0=0.0)
    eye = orbit_states(orbit, np.zeros(1, dtype=np.int64))[0, :3]
    turn = np.linspace(0.0, 2 * math.pi, 400, endpoint=False)
    down = -eye / np.linalg.norm(eye)
    across = np.cross(down, [0.0, 0.0, 1.0])
    edge = math.acos(wgs84.A / GEO) - 0.02
    r = wgs84.A + 400e3
    points = r * (-math.cos(edge) * down + math.sin(edge) * (np.cos(turn)[:, None] * across + np.sin(turn)[:, None] *
                  np.array([0.0, 0.0, 1.0])))  # fmt: skip
    u = (points - eye) / np.linalg.norm(points - eye, axis=1)[:, None]
    angle = np.degrees(np.arccos(u @ sun))
    assert angle.min() < 10.0
    assert angle.max() > 20.0
    what = with_sky(targets(OnTheEarth(at_eci(points)), burns=[(j, 0, HOUR, 1e9) for j in range(400)]))
    free = set(step(satellite(orbit=orbit, scan_period=1.0), what, 2.0).links["object"].tolist())
    assert free == set(range(400))
    d = step(satellite(orbit=orbit, scan_period=1.0, sun_exclusion=15.0 * DEG), what, 2.0)
    seen = set(d.links["object"].tolist())
    # within two seconds satellite and Earth turn by a hundredth of a degree
    assert {j for j in range(400) if angle[j] > 15.02} <= seen
    assert not {j for j in range(400) if angle[j] < 14.98} & seen


def test_a_sun_behind_the_earth_blinds_nobody():
    sun = np.array([1.5e11, 0.0, 0.0])
    cosine = math.cos(20.0 * DEG)
    assert not blinded(-GEO, 0.0, 0.0, 0.0, 6.9e6, 0.0, sun, cosine)  # in the umbra, Sun 9 deg from the line of sight
    assert blinded(-GEO, 8e6, 0.0, 0.0, 6.9e6, 0.0, sun, cosine)  # beside it
    assert not blinded(-GEO, 8e6, 0.0, 0.0, -1e7, 0.0, sun, cosine)  # looking 23 deg away


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(1.0, 60.0))
def test_exclusion_against_the_angle(number, degrees):
    rng = np.random.default_rng(number)
    p, sun = rng.normal(size=3), rng.normal(size=3)
    p *= 4e7 / np.linalg.norm(p)
    sun *= 1.5e11 / np.linalg.norm(sun)
    q = p + rng.normal(size=3) * 1e7
    u, v = q - p, sun - p
    angle = math.degrees(math.acos(u @ v / np.linalg.norm(u) / np.linalg.norm(v)))
    assume(abs(angle - degrees) > 1e-6)
    lit = math.degrees(math.acos(-p @ v / np.linalg.norm(p) / np.linalg.norm(v))) > 10.0  # surely in the light
    got = blinded(*p, *q, sun, math.cos(math.radians(degrees)))
    assert got == (angle < degrees) if lit else (not got or angle < degrees)
    assert not blinded(*p, *q, sun, NO_SUN)


def test_false_detections_keep_away_from_the_sun():
    sun = erfa_sun(EQUINOX)
    longitude = math.atan2(-sun[1], -sun[0]) + 0.25
    orbit = Orbit(a=GEO, e=0.0, i=0.0, raan=longitude, argp=0.0, m0=0.0)
    what = with_sky(targets(OnTheEarth(np.array([[7e6, 0.0, 0.0]]))))
    free = step(satellite(orbit=orbit, false_per_scan=300.0), what, 60.0)
    kept = step(satellite(orbit=orbit, false_per_scan=300.0, sun_exclusion=12.0 * DEG), what, 60.0)
    assert 0 < len(kept.detections) < 0.95 * len(free.detections)
    axes = {int(s["scan"]): s["attitude"].reshape(3, 3) for s in kept.scans}
    az, el = kept.detections["z"][:, 0], kept.detections["z"][:, 1]
    local = np.stack([np.cos(el) * np.sin(az), np.cos(el) * np.cos(az), np.sin(el)], axis=1)
    u = np.array([axes[int(n)].T @ v for n, v in zip(kept.detections["scan"], local, strict=True)])
    assert np.degrees(np.arccos(u @ sun)).min() > 11.95
    assert {r.tobytes() for r in kept.detections["z"]} <= {r.tobytes() for r in free.detections["z"]}


def test_a_sensor_that_minds_the_sun_needs_the_time():
    what = targets(OnTheEarth(np.array([[7e6, 0.0, 0.0]])))
    with pytest.raises(ValueError, match="sensor-0 minds the Sun, and the targets do not say when time zero was"):
        step(satellite(sun_exclusion=0.2), what)


# --------------------------------------------------------------------------------------------------------- the trough


def test_trough():
    assert dimmed(69e3, 70e3, 90e3, 0.2) == 1.0
    assert dimmed(91e3, 70e3, 90e3, 0.2) == 1.0
    assert dimmed(80e3, 70e3, 90e3, 0.2) == pytest.approx(0.2)
    assert dimmed(75e3, 70e3, 90e3, 0.2) == pytest.approx(0.6)
    up = at_eci([[1.0, 0.0, 0.0]])[0]
    path = OnTheEarth(up * (wgs84.A + 50e3), up * 1000.0, spans=[(0, 60 * NS)])
    plain = targets(path, burns=[(0, 0, 60 * NS, 1e9)])
    dim = with_sky(plain, trough=np.array([[70e3, 90e3, 0.2]]))
    model = satellite(scan_period=1.0, sigma_pointing=0.0, sigma_floor=0.0)
    a, b = step(model, plain, 60.0).detections, step(model, dim, 60.0).detections
    h = 50e3 + a["t_ns"] / 1e6
    ratio = 10.0 ** ((b["snr_db"] - a["snr_db"]) / 10.0)
    expected = [dimmed(x, 70e3, 90e3, 0.2) for x in h]
    np.testing.assert_allclose(ratio, expected, rtol=1e-3)
    assert ratio.min() < 0.21


# ------------------------------------------------------------------------------------------------------- warm bodies

midcourse = st.tuples(st.floats(-1.5, 1.5), st.floats(-3.0, 3.0), st.floats(1e5, 2e6))


@settings(max_examples=200, deadline=None)
@given(st.tuples(st.floats(-1.5, 1.5), st.floats(-3.0, 3.0), st.floats(4e5, 4e7)), midcourse)
def test_space_behind_a_body_against_the_ray_and_the_ellipsoid(a, b):
    s, p = wgs84.geodetic_to_ecef(a), wgs84.geodetic_to_ecef(b)
    d = np.array([1 / wgs84.A, 1 / wgs84.A, 1 / wgs84.B])
    u, w = d * s, d * (p - s)
    assume(w @ w > 1e-12)
    roots = np.roots([w @ w, 2 * u @ w, u @ u - 1])
    assume(abs((u @ w) ** 2 - (w @ w) * (u @ u - 1)) > 1e-9)
    meets = bool((np.isreal(roots) & (roots.real > 0.0)).any())  # before the body or behind it
    assert against_space(*s, *p, 0.0) == (not meets)


def test_a_warm_body_is_seen_against_space_only_and_fades_with_distance():
    low = Orbit(a=wgs84.A + 1e6, e=0.0, i=0.0, raan=0.0, argp=0.0, m0=0.0)
    eye = orbit_states(low, np.zeros(1, dtype=np.int64))[0, :3]
    ahead = np.array([0.0, 1.0, 0.0])
    # level with the satellite and 600 km ahead and behind; one under it before the Earth; one far out above it
    points = np.array([eye + 6e5 * ahead, eye - 6e5 * ahead, eye * (wgs84.A + 2e5) / np.linalg.norm(eye),
                       eye * (wgs84.A + 4e6) / np.linalg.norm(eye)])  # fmt: skip
    what = with_sky(targets(OnTheEarth(at_eci(points))), warm=np.full(4, 100.0))
    model = satellite(orbit=low, scan_period=1.0, least_body=1.0, reference_distance=1e6, staring=True)
    d = step(model, what, 2.0)
    assert set(d.links["object"].tolist()) == {0, 1, 3}
    assert len(step(satellite(orbit=low, scan_period=1.0, staring=True), what, 2.0).detections) == 0
    snr = dict(zip(d.links["object"].tolist(), 10.0 ** (d.detections["snr_db"] / 10.0), strict=True))
    assert snr[0] == pytest.approx(600.0 / 0.36, rel=0.05)  # distances change by some per cent in the time
    assert snr[3] == pytest.approx(600.0 / 9.0, rel=0.10)
    row = d.scans[0]
    assert (row["az_from"], row["az_to"]) == (-math.pi, math.pi)


# ------------------------------------------------------------------------------------------------------------ errors


def test_biases_shift_what_is_measured():
    spots = at_eci(np.array([[1.0, 0.1 * j, 0.1] for j in range(5)]) * (wgs84.A + 50e3))
    what = targets(OnTheEarth(spots), burns=[(j, 0, HOUR, 1e9) for j in range(5)])
    plain = step(satellite(), what)
    off = step(satellite(bias=Bias(constant=(3e-4, -2e-4, 0.0, 0.0))), what)
    a = {int(j): z for j, z in zip(plain.links["object"], plain.detections["z"], strict=True)}
    assert len(a) == 5
    for j, z in zip(off.links["object"], off.detections["z"], strict=True):
        np.testing.assert_allclose(z - a[int(j)], [3e-4, -2e-4, 0.0, 0.0], atol=1e-12)
    assert off.scans.tobytes() == plain.scans.tobytes()


def test_a_slow_bias_has_its_size_and_its_correlation():
    spot = at_eci([[wgs84.A + 50e3, 0.0, 0.0]])
    what = targets(OnTheEarth(spot, spans=[(0, 10 * HOUR)]), burns=[(0, 0, 10 * HOUR, 1e12)])
    slow = Bias(slow=(1e-3, 0.0, 0.0, 0.0), tau=60.0)
    values = []
    for seed in range(40):
        a = Rig((sensor(satellite(scan_period=5.0)),), THETA0, seed).step(0, 600 * NS, what)
        b = Rig((sensor(satellite(scan_period=5.0, bias=slow)),), THETA0, seed).step(0, 600 * NS, what)
        values.append(b.detections["z"][:, 0] - a.detections["z"][:, 0])
    off = np.array([v[:115] for v in values]) / 1e-3
    assert 0.7 < off.std() < 1.3
    lag = np.mean(off[:, :-12] * off[:, 12:]) / off.var()  # one correlation time
    assert math.exp(-1.0) - 0.15 < lag < math.exp(-1.0) + 0.15
