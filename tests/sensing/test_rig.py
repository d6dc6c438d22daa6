"""The rig: scans in time, and draws that depend on nothing they should not depend on."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensing_world import DEG, HOUR, THETA0, OnTheEarth, radar, satellite, sensor, targets

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST
from tocsin.records.columns import DETECTION, SCAN, TRUTH_LINK, Status
from tocsin.scenario.specs import Orbit
from tocsin.sensing import rig as rig_module
from tocsin.sensing.rig import Rig
from tocsin.sensing.scanning import Sensed
from tocsin.sensing.targets import Targets

SENSORS = (
    sensor(radar(scan_period=3.0, false_per_scan=1.0, reference_snr=30.0, doppler=True), 0, "a-radar"),
    sensor(satellite(scan_period=7.0, false_per_scan=2.0), 1, "b-satellite"),
    sensor(radar(scan_period=1.5, lon=-0.1, boresights=((0.0, 0.4), (2.0, 0.4)), sector=(5.0, 3.5)), 4, "c-radar"),
    sensor(satellite(orbit=Orbit(42_164_172.0, 0.0, 0.1, 0.5, 0.0, 0.2), scan_period=10.0), 6, "d-satellite"),
)


def world(chosen: list[int] | None = None) -> Targets:
    """Six rising objects near the first radar; ``chosen``: which of them, in which order."""
    rng = np.random.default_rng(5)
    lat, lon = rng.uniform(-3, 3, 6) * DEG, rng.uniform(-4, 4, 6) * DEG
    position = wgs84.geodetic_to_ecef(np.stack([lat, lon, np.full(6, 20e3)], axis=1))
    velocity = position / np.linalg.norm(position, axis=1)[:, None] * rng.uniform(800, 3000, 6)[:, None]
    spans = [(int(a) * NS, int(a + 120) * NS) for a in rng.uniform(0, 60, 6)]
    keys = [int(k) for k in rng.integers(1, 2**63, 6)]
    rcs = rng.uniform(0.5, 20.0, 6)
    order = list(range(6)) if chosen is None else chosen
    path = OnTheEarth(position[order], velocity[order], [spans[j] for j in order])
    burns = [
        (k, spans[j][0] + n * 40 * NS, spans[j][0] + (n * 40 + 30) * NS, 1e5)
        for k, j in enumerate(order)
        for n in range(2)
    ]
    area = np.stack([rcs[order], 0.1 * rcs[order]], axis=1)
    return targets(path, keys=[keys[j] for j in order], rcs=area, cutoff_ns=100 * NS, burns=burns)


def frames(rig: Rig, what: Targets, first: int, last: int, silent=frozenset()) -> list[Sensed]:
    return [rig.step(t * NS, (t + 1) * NS, what, silent) for t in range(first, last)]


def join(parts: list[Sensed]) -> Sensed:
    return Sensed(*(np.concatenate([getattr(p, n) for p in parts]) for n in ("scans", "detections", "links")))


def bytes_of(parts: list[Sensed]) -> list[tuple[bytes, bytes, bytes]]:
    return [(p.scans.tobytes(), p.detections.tobytes(), p.links.tobytes()) for p in parts]


def make(seed: int = 1) -> Rig:
    return Rig(SENSORS, THETA0, seed)


def test_tables_and_their_order():
    parts = frames(make(), world(), 0, 180)
    assert all((p.scans.dtype, p.detections.dtype, p.links.dtype) == (SCAN, DETECTION, TRUTH_LINK) for p in parts)
    for t, p in enumerate(parts):
        assert ((p.scans["t1_ns"] > t * NS) & (p.scans["t1_ns"] <= (t + 1) * NS)).all()
        keys = list(zip(p.scans["sensor"].tolist(), p.scans["scan"].tolist(), strict=True))
        assert keys == sorted(set(keys))
        rows = list(zip(*(p.detections[n].tolist() for n in ("sensor", "scan", "n")), strict=True))
        assert rows == sorted(set(rows))
        assert rows == list(zip(*(p.links[n].tolist() for n in ("sensor", "scan", "n")), strict=True))
        for s in p.scans:
            own = p.detections[(p.detections["sensor"] == s["sensor"]) & (p.detections["scan"] == s["scan"])]
            assert own["n"].tolist() == list(range(s["n_detections"]))
            z = [tuple(v) for v in own["z"].tolist()]
            assert z == sorted(z)
            assert (own["arrive_ns"] == s["arrive_ns"]).all()
            assert ((own["t_ns"] >= s["t0_ns"]) & (own["t_ns"] < s["t1_ns"])).all()
    whole = join(parts)
    for s in SENSORS:
        own = whole.scans[whole.scans["sensor"] == s.n]
        # without a gap, empty ones too, and not in step with the clock
        assert own["scan"].tolist() == list(range(len(own)))
        assert (own["t0_ns"][1:] == own["t1_ns"][:-1]).all()
        assert (own["t1_ns"] - own["t0_ns"] == round(s.model.scan_period * NS)).all()
        assert 0 <= own["t0_ns"][0] < s.model.scan_period * NS
    # every sensor sees something real, and some scans nothing
    assert {int(n) for n in whole.links["sensor"][whole.links["object"] >= 0]} == {0, 1, 4, 6}
    assert (whole.scans["n_detections"] == 0).any()


def test_each_object_at_most_once_a_scan():
    links = join(frames(make(), world(), 0, 180)).links
    real = links[links["object"] >= 0]
    rows = list(zip(real["sensor"].tolist(), real["scan"].tolist(), real["object"].tolist(), strict=True))
    assert len(rows) == len(set(rows))


@settings(max_examples=12, deadline=None)
@given(st.permutations(range(6)))
def test_permuting_objects_changes_no_byte_that_a_nation_sees(order):
    plain, mixed = frames(make(), world(), 0, 150), frames(make(), world(list(order)), 0, 150)
    assert [b[:2] for b in bytes_of(plain)] == [b[:2] for b in bytes_of(mixed)]
    # and the links name the same objects
    a, b = join(plain).links["object"], join(mixed).links["object"]
    assert a.tolist() == [-1 if j < 0 else order[j] for j in b.tolist()]


@settings(max_examples=12, deadline=None)
@given(st.sets(st.integers(0, 5), max_size=5))
def test_adding_objects_leaves_the_draws_of_the_others(chosen):
    some = sorted(chosen)

    def by_object(parts, names):
        whole = join(parts)
        out = set()
        for d, link in zip(whole.detections, whole.links, strict=True):
            fields = [d[n].tobytes() for n in DETECTION.names if n != "n"]
            out.add((-1 if link["object"] < 0 else names[link["object"]], *fields))
        return out

    everything = by_object(frames(make(), world(), 0, 150), range(6))
    assert by_object(frames(make(), world(some), 0, 150), some) == {d for d in everything if d[0] in {-1, *some}}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 170 * NS), max_size=12))
def test_how_time_is_cut_into_frames_changes_nothing(cuts):
    edges = [0, *sorted(set(cuts)), 170 * NS]
    rig = make()
    cut = join([rig.step(a, b, world()) for a, b in pairwise(edges)])
    whole = make().step(0, 170 * NS, world())
    for name, keys in (
        ("scans", ("scan", "sensor")),
        ("detections", ("n", "scan", "sensor")),
        ("links", ("n", "scan", "sensor")),
    ):
        table = getattr(cut, name)
        assert table[np.lexsort([table[k] for k in keys])].tobytes() == getattr(whole, name).tobytes()


def test_another_sensor_or_its_number_changes_nothing_for_the_rest():
    alone = Rig(SENSORS[:1], THETA0, 1).step(0, 150 * NS, world())
    beside = make().step(0, 150 * NS, world())
    own = beside.detections[beside.detections["sensor"] == 0]
    assert own.tobytes() == alone.detections.tobytes()
    renumbered = Rig((msgspec.structs.replace(SENSORS[0], n=9),), THETA0, 1).step(0, 150 * NS, world())
    assert renumbered.detections["z"].tobytes() == alone.detections["z"].tobytes()
    other_id = Rig((msgspec.structs.replace(SENSORS[0], id="other"),), THETA0, 1).step(0, 150 * NS, world())
    assert other_id.detections["z"].tobytes() != alone.detections["z"].tobytes()


def test_with_the_ephemeris_of_dynamics():
    # the same paths as nodes every 5 s: acceleration in space of an even motion in the turning axes
    what = world()
    path = what.ephemeris
    spin = np.array([0.0, 0.0, OMEGA_GMST])
    starts, nodes = [], []
    for row, (first, last) in enumerate(path.spans):
        t = np.arange(first, last + 1, 5 * NS)
        x = path.states(np.full(len(t), row), t)
        # a = w x (2 v - w x r) for dv/dt = 0 in the turning axes, v and r as they are in space
        a = np.cross(spin, 2.0 * x[:, 3:] - np.cross(spin, x[:, :3]))
        starts.append(first)
        nodes.append(np.column_stack([(t - first) / 1e9, x, a]))
    real = Targets(Ephemeris(starts, nodes), what.keys, what.rcs, what.cutoff_ns, what.burns)
    got, wanted = join(frames(make(), real, 0, 200)), join(frames(make(), what, 0, 200))
    assert got.links.tobytes() == wanted.links.tobytes()
    assert np.abs(got.detections["t_ns"] - wanted.detections["t_ns"]).max() < 1000
    np.testing.assert_allclose(got.detections["z"], wanted.detections["z"], rtol=1e-7, atol=1e-6)


def test_an_object_without_a_plume_is_never_asked_for():
    path = OnTheEarth(np.array([[7e6, 0.0, 0.0]]), spans=[(30 * NS, 60 * NS)])
    for burns in ([], [(0, 0, 20 * NS, 1e6)], [(0, 70 * NS, 80 * NS, 1e6)]):
        # a long scan that holds every time at which the object or its plume might be
        rig = Rig((sensor(satellite(scan_period=100.0)),), THETA0, 1)
        assert not len(rig.step(0, 300 * NS, targets(path, burns=burns)).detections)


def test_seeds_differ():
    assert (
        make(1).step(0, 60 * NS, world()).detections.tobytes() != make(2).step(0, 60 * NS, world()).detections.tobytes()
    )


def status_at(t: int) -> dict[str, int]:
    return {
        "a-radar": Status.SILENT if 40 <= t < 60 else Status.UP,
        "b-satellite": Status.DEGRADED if t > 90 else Status.UP,
    }


@pytest.mark.parametrize("at", [0, 1, 41, 59, 60, 61, 77, 130])
def test_state_and_load_in_the_middle_of_a_run(at):
    what = world()
    whole = make()
    plain = [whole.step(t * NS, (t + 1) * NS, what, status_at(t)) for t in range(150)]
    first = make()
    before = [first.step(t * NS, (t + 1) * NS, what, status_at(t)) for t in range(at)]
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(first.state()))
    second = make()
    second.step(0, 50 * NS, what, {"c-radar"})  # whatever it was before is gone
    second.load(kept)
    after = [second.step(t * NS, (t + 1) * NS, what, status_at(t)) for t in range(at, 150)]
    assert bytes_of(before + after) == bytes_of(plain)


def test_a_silent_sensor_sends_nothing_and_loses_the_scans_it_broke():
    what = world()
    rig = make()
    parts = frames(rig, what, 0, 40) + frames(rig, what, 40, 60, {"a-radar"}) + frames(rig, what, 60, 100)
    scans = join(parts).scans
    own = scans[scans["sensor"] == 0]
    every = make().step(0, 100 * NS, what).scans
    every = every[every["sensor"] == 0]
    whole = every[(every["t1_ns"] <= 40 * NS) | (every["t0_ns"] >= 60 * NS)]
    assert own["scan"].tolist() == whole["scan"].tolist()
    assert len(every) - len(own) in (7, 8)
    # the others go on as they were
    rest = scans[scans["sensor"] != 0]
    plain = make().step(0, 100 * NS, what).scans
    assert len(rest) == np.sum(plain["sensor"] != 0)


def test_a_degraded_sensor_says_so_and_sees_less():
    position = wgs84.geodetic_to_ecef([0.0, 0.1, 100e3])
    n = 2000
    what = targets(OnTheEarth(np.tile(position, (n, 1))))
    model = radar(
        reference_range=float(np.linalg.norm(position - wgs84.geodetic_to_ecef([0.0, 0.0, 0.0]))), reference_snr=40.0
    )
    sensed = Rig((sensor(model, 0, "r"),), THETA0, 1).step(0, 2 * NS, what, {"r": Status.DEGRADED})
    assert (sensed.scans["status"] == Status.DEGRADED).all()
    assert sensed.scans["sensitivity"][0] == pytest.approx(model.reference_range * 0.5**0.25)
    expected = 1e-6 ** (1.0 / 21.0)
    m = n * len(sensed.scans)
    assert abs(len(sensed.detections) - m * expected) < 4.0 * (m * expected * (1 - expected)) ** 0.5


def test_faults_are_named():
    with pytest.raises(ValueError, match="two sensors have the same id"):
        Rig((sensor(radar(), 0, "x"), sensor(radar(), 1, "x")), THETA0, 1)
    with pytest.raises(ValueError, match=r"x: a scan period of 0\.0 s; at least 0.001 s is allowed"):
        Rig((sensor(radar(scan_period=0.0), 0, "x"),), THETA0, 1)
    with pytest.raises(ValueError, match=r"x: 1000\.0 false detections a scan; 0 to 600 are allowed"):
        Rig((sensor(radar(false_per_scan=1000.0), 0, "x"),), THETA0, 1)
    with pytest.raises(KeyError, match="nobody"):
        make().step(0, NS, world(), {"nobody"})
    with pytest.raises(ValueError, match="format 7"):
        make().load({"format": 7})
    with pytest.raises(ValueError, match="not here: z"):
        make().load({"format": 1, "dark_ns": {"z": 5}})
    path = OnTheEarth(np.ones((2, 3)))
    with pytest.raises(ValueError, match="same key"):
        targets(path, keys=[3, 3])
    with pytest.raises(ValueError, match="a burn names an object outside 0 to 1"):
        targets(path, burns=[(2, 0, HOUR, 1.0)])


def test_a_kind_of_ones_own(monkeypatch):
    class Deaf:
        def __init__(self, sensors, theta0, seed):
            self.sensors = sensors

        def observe(self, due, what):
            del due, what
            return Sensed.nothing()

    monkeypatch.setattr(rig_module, "_makers", dict(rig_module._makers))
    rig_module.register("radar", Deaf)
    scans = make().step(0, 60 * NS, world()).scans
    assert {int(n) for n in scans["sensor"]} == {1, 6}
    monkeypatch.setattr(rig_module, "_makers", {})
    with pytest.raises(ValueError, match="no sensor kind 'infrared'; known: "):
        make()
