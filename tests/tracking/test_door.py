"""The researcher's door: tables of every sort give the same tracks, bad rows are refused, wrong descriptions raise."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking_scenes import Flight

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.clock import parse_utc
from tocsin.earth.frames import gmst82, theta_at, to_ecef, to_eci
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.tracking import Observer, Tracking, track
from tocsin.tracking.door import EPOCH

THETA0 = gmst82(parse_utc(EPOCH))
SIGMA = np.array([30.0, math.radians(0.1), math.radians(0.1)])
NORTH = {"lat_deg": 60.0, "lon_deg": 20.0}
SOUTH = {"lat_deg": 57.0, "lon_deg": 24.0}


def radars():
    return [
        Observer.on_earth("north", **NORTH, scan_period_s=1.0, range_km=(50.0, 3000.0)),
        Observer.on_earth("south", **SOUTH, scan_period_s=1.0, range_km=(50.0, 3000.0)),
    ]


def flight():
    """A free arc over the Baltic that climbs south-east at 2.8 km/s."""
    p, e = (
        geodetic_to_ecef([math.radians(61.0), math.radians(24.0), 120e3]),
        enu_axes(math.radians(61.0), math.radians(24.0)),
    )
    az, el = math.radians(120.0), math.radians(40.0)
    v = 2800.0 * (math.cos(el) * (math.sin(az) * e[0] + math.cos(az) * e[1]) + math.sin(el) * e[2])
    return Flight(to_eci(np.r_[p, v], THETA0), 0.0, 120.0)


def seen(x, t, place):
    """Range, azimuth, elevation of an eci position from a place on the Earth, by plain trigonometry."""
    p = geodetic_to_ecef([math.radians(place["lat_deg"]), math.radians(place["lon_deg"]), 0.0])
    d = to_ecef(x[:3], theta_at(THETA0, round(t * 1e9))) - p
    lat, lon, _ = ecef_to_geodetic(p)
    e, n, u = enu_axes(lat, lon) @ d
    return np.array([np.linalg.norm(d), math.atan2(e, n), math.atan2(u, math.hypot(e, n))])


def detections(seconds=25, seed=1):
    """Rows (sensor, t_s, z) of one object seen by two radars, in turn."""
    rng = np.random.Generator(np.random.PCG64(seed))
    truth = flight()
    rows = []
    for k in range(seconds):
        for name, place, late in (("north", NORTH, 0.0), ("south", SOUTH, 0.4)):
            t = k + late
            rows.append((name, t, seen(truth(t), t, place) + rng.standard_normal(3) * SIGMA))
    return rows


def table(rows):
    return {
        "sensor": [r[0] for r in rows],
        "t_s": np.array([r[1] for r in rows]),
        "measurement": np.array([r[2] for r in rows]),
        "covariance": np.tile(np.diag(SIGMA**2).ravel(), (len(rows), 1)),
    }


def same(a, b):
    return a.equals(b)


def test_one_object_gives_one_track_where_it_is():
    rows = detections()
    result = track(table(rows), radars())
    assert not result.counts
    assert set(result.histories["track"].to_pylist()) == {1}
    assert sorted(result.histories["row"].to_pylist()) == list(range(len(rows)))
    last = result.tracks.to_pylist()[-1]
    assert last["life"] == "confirmed"
    assert last["sensors"] == 2
    error = np.array([last["x_m"], last["y_m"], last["z_m"]]) - flight()(last["t_s"])[:3]
    P = np.zeros((6, 6))
    P[np.triu_indices(6)] = last["covariance"]
    P = P + np.triu(P, 1).T
    assert error @ np.linalg.solve(P[:3, :3], error) < 21.1  # chi-square, 3 degrees, one in 1e4
    assert result.associations["row"].to_pylist() == result.histories["row"].to_pylist()


def forms(rows):
    """The same rows as every sort of table."""
    plain = table(rows)
    z, R = plain["measurement"], np.diag(SIGMA**2)
    packed = [R[np.triu_indices(3)].tolist()] * len(rows)
    dtype = [("sensor", "U8"), ("t_ns", "i8"), ("measurement", "f8", (3,)), ("covariance", "f8", (3, 3))]
    structured = np.zeros(len(rows), dtype=dtype)
    structured["sensor"], structured["t_ns"] = plain["sensor"], np.rint(plain["t_s"] * 1e9).astype(int)
    structured["measurement"], structured["covariance"] = z, R
    arrow = pa.table({
        "sensor": plain["sensor"], "t_s": plain["t_s"], "measurement": z.tolist(), "covariance": packed,
        "kind": ["range-azimuth-elevation"] * len(rows),
    })  # fmt: skip
    start = np.datetime64(EPOCH[:-1], "ns")
    clock = start + np.rint(plain["t_s"] * 1e9).astype("timedelta64[ns]")
    texts = [str(t) + "Z" for t in clock]
    other = {**plain, "time": clock}
    del other["t_s"]
    return {
        "structured": structured, "arrow": arrow, "pandas": arrow.to_pandas(), "lists": {**plain, "measurement":
        z.tolist()}, "datetimes": other, "texts": {**other, "time": texts}, "chunks": pa.concat_tables([arrow[:7],
        arrow[7:]]),
    }  # fmt: skip


@pytest.mark.parametrize("form", ["structured", "arrow", "pandas", "lists", "datetimes", "texts", "chunks"])
def test_every_sort_of_table_gives_the_same_tracks(form):
    rows = detections(6)
    expected = track(table(rows), radars())
    result = track(forms(rows)[form], radars())
    assert not result.counts
    assert same(result.tracks, expected.tracks)


def test_named_components_in_degrees():
    rows = detections(6)
    z = np.array([r[2] for r in rows])
    named = {
        "sensor": [r[0] for r in rows], "t_s": [r[1] for r in rows], "range_m": z[:, 0],
        "azimuth_deg": np.degrees(z[:, 1]), "elevation_deg": np.degrees(z[:, 2]), "sigma_range_m": [30.0] * len(rows),
        "sigma_azimuth_deg": [0.1] * len(rows), "sigma_elevation_deg": [0.1] * len(rows),
    }  # fmt: skip
    a, b = track(named, radars()).tracks, track(table(rows), radars()).tracks
    np.testing.assert_allclose(a["x_m"].to_numpy(), b["x_m"].to_numpy(), rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_tells_nothing(random):
    rows = detections(5)
    order = list(range(len(rows)))
    random.shuffle(order)
    result = track(table([rows[i] for i in order]), radars())
    assert same(result.tracks, track(table(rows), radars()).tracks)
    # and rows are named as they stood in the table
    assert [order[r] for r in result.histories["row"].to_pylist()] == track(table(rows), radars()).histories[
        "row"
    ].to_pylist()


def test_steps_are_the_run():
    rows = detections(8)
    expected = track(table(rows), radars())
    door = Tracking(radars())
    for k in range(8):
        now = [r for r in rows if k - 1 < r[1] <= k]
        door.step(float(k), table(now)) if now else door.step(float(k), {"sensor": [], "t_s": [], "measurement": [],
                                                                         "covariance": []})  # fmt: skip
    last = door.step(8.0, table([rows[-1]]))
    assert same(last.tracks, expected.tracks.filter(np.array(expected.tracks["t_s"]) == 8.0))
    assert same(door.history(1), expected.histories)


BAD = [
    ("measurement", [math.nan, 0.1, 0.1], "measurement is not finite"),
    ("measurement", [math.inf, 0.1, 0.1], "measurement is not finite"),
    ("measurement", [-5.0, 0.1, 0.1], "measurement is out of range"),
    ("measurement", [5e5, 0.1, 2.0], "measurement is out of range"),
    ("measurement", [1e300, 0.1, 0.2], "measurement is out of range"),
    ("covariance", np.diag([1.0, math.nan, 1.0]).ravel().tolist(), "covariance is not finite"),
    ("covariance", np.diag([1.0, 0.0, 1.0]).ravel().tolist(), "covariance is not positive definite"),
    ("covariance", np.diag([1.0, -1.0, 1.0]).ravel().tolist(), "covariance is not positive definite"),
    ("covariance", np.ones(9).tolist(), "covariance is not positive definite"),
    ("covariance", [1.0, 0.5, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0, 1.0], "covariance is not symmetric"),
    ("covariance", (1e308 * np.ones(9)).tolist(), "covariance is not positive definite"),
    ("sensor", "west", "unknown sensor"),
    ("sensor", None, "unknown sensor"),
    ("t_s", math.nan, "time is no finite number within 28 years of the epoch"),
    ("t_s", 1e12, "time is no finite number within 28 years of the epoch"),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD)
def test_a_bad_row_is_refused_with_its_reason_and_the_others_go_on(column, value, reason):
    rows = detections(6)
    columns = {k: list(v) for k, v in table(rows).items()}
    for k, v in columns.items():
        v.insert(4, value if k == column else v[3])
    result = track(columns, radars())
    assert dict(result.counts) == {reason: 1}
    assert result.refused.to_pylist() == [{"row": 4, "reason": reason}]
    expected = track(table(rows), radars())
    assert same(result.tracks, expected.tracks)
    assert [r - (r > 4) for r in result.histories["row"].to_pylist()] == expected.histories["row"].to_pylist()


def test_cells_of_any_sort_are_refused_and_never_raise():
    odd = [None, "x", [], [1.0], [1.0] * 40, {"a": 1}, float("nan"), object(), [[1.0, 2.0], [3.0]], b"\0", 10**400]
    rows = {
        "sensor": ["north"] * len(odd) + odd, "t_s": [1.0] * len(odd) * 2, "measurement": odd + odd[::-1],
        "covariance": odd[::-1] + odd, "scan": odd + odd,
    }  # fmt: skip
    result = track(rows, radars())
    assert sum(result.counts.values()) == 2 * len(odd)
    result = track({**rows, "t_s": odd + odd}, radars())
    assert sum(result.counts.values()) == 2 * len(odd)


def test_rows_beyond_the_lag_are_refused_and_rows_inside_it_are_put_in_their_place():
    rows = detections(12)
    late = [r for r in rows if r[0] == "south"]
    door = Tracking(radars(), lag_s=30.0)
    door.step(12.0, table([r for r in rows if r[0] == "north"]))
    step = door.step(13.0, table(late))
    expected = Tracking(radars(), lag_s=30.0)
    expected.step(12.0, table(rows))
    assert same(step.tracks, expected.step(13.0, table(rows[:0])).tracks)
    door.step(45.0, table(late[:1]))
    assert dict(door.counts) == {"later than the lag allows": 1}
    with pytest.raises(ValueError, match=r"step: until_s: found 44.0; allowed: 45.0 or later"):
        door.step(44.0, table(rows[:0]))


def test_what_comes_later_of_a_scan_is_taken_and_is_no_second_look():
    rows = detections(8)
    columns = table(rows)
    columns["scan"] = np.arange(len(rows)) // 2
    door = Tracking(radars())
    some = {k: np.asarray(v)[:-1] for k, v in columns.items()}
    rest = {k: np.asarray(v)[-1:] for k, v in columns.items()}
    door.step(8.0, some)
    step = door.step(8.0, rest)
    assert not door.counts
    assert step.associations["row"].to_pylist() == [len(rows) - 1]


def test_scans_that_saw_nothing_end_a_track():
    rows = detections(10)
    went_on = {k: list(v) + [v[-1]] * 0 for k, v in table(rows).items()}
    scans = {"sensor": [], "scan": [], "start_s": [], "end_s": []}
    for name, late in (("north", 0.0), ("south", 0.4)):
        for k in range(40):
            for key, v in zip(scans, (name, k, k + late, k + late), strict=True):
                scans[key].append(v)
    went_on["scan"] = [math.floor(t) for t in went_on["t_s"]]
    events = track(went_on, radars(), scans=scans).events.to_pylist()
    assert [e["what"] for e in events if e["what"] in ("confirmed", "ended")] == ["confirmed", "ended"]
    assert events[-1]["why"] == "not seen where it should be"
    silent = {**scans, "silent": [k >= 10 for k in scans["scan"]]}
    assert "ended" not in track(went_on, radars(), scans=silent).events["what"].to_pylist()


def test_made_up_scans_stand_where_a_period_passed_without_one():
    # the object is gone after 10 s, a false detection of each radar a minute later says that they were looking
    rows = detections(10)
    rows += [("north", 60.0, np.array([2.5e6, -1.0, 0.1])), ("south", 60.4, np.array([2.5e6, -1.0, 0.1]))]
    assert "ended" in track(table(rows), radars()).events["what"].to_pylist()
    assert "ended" not in track(table(rows), radars(), fill=False, every_s=60.0).events["what"].to_pylist()


# ------------------------------------------------------------------------------------------------- sensors of all sorts


def truth_and_lines(seed=3):
    """Right ascension and declination of an object from two satellites in free fall."""
    rng = np.random.Generator(np.random.PCG64(seed))
    truth = flight()
    rows = []
    over = truth(0.0)[:3]
    for name, off, v0 in (("a", [3e6, 0.0, 4e6], [-3e3, 5e3, 1e3]), ("b", [0.0, 3e6, 5e6], [5e3, 2e3, 0.0])):
        p0, v0 = over + np.array(off), np.array(v0)
        g = -3.986004418e14 * p0 / np.linalg.norm(p0) ** 3
        for k in range(20):
            t = 1.0 * k
            p, v = p0 + v0 * t + g * t * t / 2, v0 + g * t
            d = truth(t)[:3] - p
            z = [math.atan2(d[1], d[0]), math.asin(d[2] / np.linalg.norm(d))] + rng.standard_normal(2) * 20e-6
            rows.append((name, t, z, p, v))
    return truth, rows


def test_lines_of_sight_of_satellites_in_right_ascension_and_declination():
    truth, rows = truth_and_lines()
    satellites = [
        Observer.moving(n, frame="eci", scan_period_s=1.0, kind="line-of-sight", false_alarms=0.0) for n in "ab"
    ]
    C = np.array([[4e-10 / math.cos(1.0) ** 2, 0.0], [0.0, 4e-10]])
    columns = {
        "sensor": [r[0] for r in rows], "t_s": [r[1] for r in rows], "measurement": [r[2] for r in rows],
        "covariance": [C] * len(rows), "position": [r[3] for r in rows], "velocity": [r[4] for r in rows],
    }  # fmt: skip
    door = Tracking(satellites, initiation=False, deletion=False)
    off = np.array([2e3, -2e3, 1e3, 30.0, 20.0, -30.0])
    door.start(truth(0.0)[None] + off, np.diag([4e6] * 3 + [1600.0] * 3)[None], 0.0)
    last = door.run(columns).tracks.to_pylist()[-1]
    assert last["updates"] == len(rows)
    error = np.array([last["x_m"], last["y_m"], last["z_m"]]) - truth(last["t_s"])[:3]
    assert np.linalg.norm(error) < 500.0  # 20 microradians from 7,000 km are 140 m
    del columns["position"]
    assert dict(Tracking(satellites).run(columns).counts) == {"position of a moving sensor is missing": len(rows)}


def test_a_radar_on_a_ship_sees_as_one_on_the_ground_that_stands_there():
    rows = detections(6)
    expected = track(table(rows), radars()).tracks
    places = {n: geodetic_to_ecef([math.radians(p["lat_deg"]), math.radians(p["lon_deg"]), 0.0])
              for n, p in (("north", NORTH), ("south", SOUTH))}  # fmt: skip
    ships = [Observer.moving(n, frame="ecef", scan_period_s=1.0, range_km=(50.0, 3000.0)) for n in places]
    columns = {**table(rows), "position": [places[r[0]] for r in rows]}
    found = track(columns, ships).tracks
    assert found["updates"].to_pylist()[-1] == expected["updates"].to_pylist()[-1]
    x = np.column_stack([found[c].to_numpy()[-1:] - expected[c].to_numpy()[-1:] for c in ("x_m", "y_m", "z_m")])
    assert np.linalg.norm(x) < 3000.0  # without a kept chart it is another filter; the same object all the same


def test_a_sensor_at_rest_with_axes_of_its_own():
    truth = flight()
    place = truth(0.0)[:3] - np.array([4e5, 3e5, 5e5])
    m = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    rows = []
    for k in range(6):
        d = truth(float(k))[:3] - place
        east, north, up = m @ d
        r = np.linalg.norm(d)
        rows.append(("s", float(k), np.array([r, math.atan2(east, north), math.asin(up / r)])))
    o = Observer.at_rest("s", position_m=place, axes=m, scan_period_s=1.0, elevation_deg=(-90.0, 90.0))
    last = track(table(rows), [o]).tracks.to_pylist()[-1]
    assert last["updates"] == len(rows)
    error = np.array([last["x_m"], last["y_m"], last["z_m"]]) - truth(last["t_s"])[:3]
    assert np.linalg.norm(error) < 1000.0


@pytest.mark.parametrize("kind", ["range-azimuth-elevation-rate", "range-azimuth", "plane", "line-of-sight"])
def test_every_kind_of_measurement_corrects_a_track(kind):
    truth = flight()
    place = np.r_[geodetic_to_ecef([math.radians(NORTH["lat_deg"]), math.radians(NORTH["lon_deg"]), 0.0]), 0, 0, 0]
    rows, sigma = [], {"range": 30.0, "angle": 1e-3, "rate": 1.0, "plane": 100.0}
    rng = np.random.Generator(np.random.PCG64(4))
    for k in range(40):
        r, az, el = seen(truth(float(k)), float(k), NORTH)
        radar = to_eci(place, theta_at(THETA0, k * 10**9))
        d = truth(float(k)) - radar
        rate = d[:3] @ d[3:] / r
        east, north = r * math.cos(el) * math.sin(az), r * math.cos(el) * math.cos(az)
        z, s = {
            "range-azimuth-elevation-rate": ([r, az, el, rate], ["range", "angle", "angle", "rate"]),
            "range-azimuth": ([r, az], ["range", "angle"]),
            "plane": ([east, north], ["plane", "plane"]),
            "line-of-sight": ([az, el], ["angle", "angle"]),
        }[kind]
        sd = np.array([sigma[name] for name in s])
        rows.append((z + rng.standard_normal(len(z)) * sd, np.diag(sd**2)))
    o = Observer.on_earth("north", **NORTH, scan_period_s=1.0, kind=kind, range_km=(50.0, 3000.0), false_alarms=0.0)
    door = Tracking([o], initiation=False, deletion=False)
    P0 = np.diag([3000.0**2] * 3 + [100.0**2] * 3)
    door.start((truth(0.0) + np.sqrt(np.diag(P0)) * [1, -1, 1, -1, 1, -1])[None], P0[None], 0.0)
    columns = {"sensor": ["north"] * 40, "t_s": np.arange(40.0), "measurement": [z for z, _ in rows],
               "covariance": [R for _, R in rows]}  # fmt: skip
    result = door.run(columns)
    last = result.tracks.to_pylist()[-1]
    assert last["updates"] == 40
    error = np.array([last[c] for c in ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")]) - truth(39.0)
    P = np.zeros((6, 6))
    P[np.triu_indices(6)] = last["covariance"]
    P = P + np.triu(P, 1).T
    assert error @ np.linalg.solve(P, error) < 27.9  # chi-square, 6 degrees, one in 1e4
    x, F = np.empty(6), np.empty((6, 6))
    coast_to_stm(truth(0.0), 0.0, 39.0, 0.0, x, F)
    assert np.trace(P[:3, :3]) < 0.5 * np.trace((F @ P0 @ F.T)[:3, :3])  # half of what it is without a detection


def test_tracks_to_start_from_keep_their_numbers():
    truth = flight()
    x = np.stack([truth(0.0), truth(0.0) + np.r_[3e5, 0, 0, 0, 0, 0]])
    door = Tracking(radars(), initiation=False, deletion=False, noise={"coast": 0.01}, association="gnn")
    assert door.start(x, np.diag([500.0**2] * 3 + [50.0**2] * 3)[None].repeat(2, 0), 0.0) == [1, 2]
    result = door.run(table(detections(10)))
    assert set(result.histories["track"].to_pylist()) == {1}
    last = result.tracks.to_pylist()[-2:]
    assert [t["track"] for t in last] == [1, 2]
    assert [t["updates"] for t in last] == [20, 0]


# --------------------------------------------------------------------------------------------------- wrong descriptions


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Observer.on_earth("n", lat_deg=91.0, lon_deg=0.0, scan_period_s=1.0), "lat_deg: found 91.0; allowed"),
        (lambda: Observer.on_earth("n", lat_deg=1.0, lon_deg=0.0, scan_period_s=-1.0), "scan_period_s: found -1.0"),
        (lambda: Observer.on_earth("n", lat_deg=1.0, lon_deg=0.0, scan_period_s=1.0, kind="sonar"), "found 'sonar'"),
        (lambda: Observer.on_earth("n", lat_deg=1.0, lon_deg=0.0, scan_period_s=1.0, detection_probability=1.5),
         "detection_probability: found 1.5"),
        (lambda: Observer.at_rest("n", position_m=[1.0], scan_period_s=1.0), "position_m: found [1.0]"),
        (lambda: Observer.at_rest("n", position_m=[1.0] * 3, axes=np.ones((3, 3)), scan_period_s=1.0), "right-handed"),
        (lambda: Observer.moving("n", frame="enu", scan_period_s=1.0), "frame: found 'enu'; allowed: ecef, eci"),
        (lambda: Tracking([]), "observers: found 0"),
        (lambda: Tracking([radars()[0], radars()[0]]), "the name 'north' stands twice"),
        (lambda: Tracking(radars(), models=("coast", "hover")), "models: found 'hover'; allowed: boost, coast"),
        (lambda: Tracking(radars(), noise={"coast": -1.0}), "settings.noise of coast: found -1.0"),
        (lambda: Tracking(radars(), epoch="yesterday"), "epoch: 'yesterday' is not a UTC time"),
        (lambda: Tracking(radars(), windows=3), "found the setting 'windows'; allowed: models"),
        (lambda: Tracking(radars()).run([1, 2]), "detections: found list; allowed: a table"),
        (lambda: Tracking(radars()).run({"sensor": ["north"]}), "needed: t_ns or t_s or time"),
        (lambda: Tracking(radars()).run({"sensor": ["north"], "t_s": [1.0, 2.0]}), "columns of different lengths"),
        (lambda: Tracking(radars()).run({"sensor": ["north"], "t_s": [1.0]}), "measurement and covariance, or range_m"),
        (lambda: Tracking(radars()).start(np.zeros((1, 6)), np.zeros((1, 6, 6)), 0.0), "positive definite"),
        (lambda: Tracking(radars()).start(np.zeros((1, 6)), np.eye(6), 0.0), "start: P: found shape (6, 6)"),
    ],
)  # fmt: skip
def test_a_wrong_description_says_place_found_and_allowed(make, said):
    with pytest.raises(ValueError, match=r".") as caught:
        make()
    assert said in str(caught.value)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["north", "south", "west", None, 3]),
            st.one_of(st.floats(), st.integers(), st.none()),
            st.one_of(st.lists(st.floats(), max_size=5), st.text(max_size=3), st.none()),
            st.one_of(st.lists(st.floats(), max_size=16), st.none(), st.integers()),
            st.one_of(st.integers(), st.floats(), st.none(), st.text(max_size=2)),
            st.one_of(st.integers(-3, 8), st.sampled_from(["plane", "line-of-sight", "x"]), st.none()),
        ),
        max_size=8,
    )
)
def test_no_table_makes_the_tracker_raise(cells):
    names = ("sensor", "t_s", "measurement", "covariance", "scan", "kind")
    columns = {name: [row[k] for row in cells] for k, name in enumerate(names)}
    result = track(columns, radars())
    refused = set(result.refused["row"].to_pylist())
    assert refused <= set(range(len(cells)))
    assert len(result.refused) == len(refused)  # a row is refused once
