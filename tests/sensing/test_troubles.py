"""What is wrong with sensors over a time; what they declare and what is so."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sensing_world import THETA0, OnTheEarth, radar, satellite, sensor, targets

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth import wgs84
from tocsin.earth.clock import NS
from tocsin.records.columns import SCAN, Status
from tocsin.records.shapes import Task
from tocsin.scenario.specs import Bias, Orbit, OverHorizon, StatusSpan
from tocsin.sensing import rig as rig_module
from tocsin.sensing.rig import BLIND, Rig
from tocsin.sensing.scanning import Due, Sensed
from tocsin.sensing.targets import Targets

PFA = 1e-6
PLACE = wgs84.geodetic_to_ecef([0.0, 0.1, 100e3])
RANGE = float(np.linalg.norm(PLACE - wgs84.geodetic_to_ecef([0.0, 0.0, 0.0])))
SNR = 40.0
MODEL = radar(reference_range=RANGE, reference_snr=SNR, pfa=PFA)
MANY = 2000


def crowd() -> Targets:
    """Many objects in one place, at the radar's reference range."""
    return targets(OnTheEarth(np.tile(PLACE, (MANY, 1))))


def span(what: str, first: float = 0.0, last: float = 100.0, **changes: object) -> StatusSpan:
    return StatusSpan("r", round(first * NS), round(last * NS), what, **changes)


def scan_all(spans: list[StatusSpan], last: int = 2) -> Sensed:
    return Rig((sensor(MODEL, 0, "r"),), THETA0, 1).step(0, last * NS, crowd(), spans=spans)


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    ("spans", "factor"),
    [
        ([("degraded", 0.25)], 0.25),
        ([("degraded", 0.0)], 0.5),  # where nothing is said: as a sensor that calls itself degraded
        ([("jammed", 8.0)], 1.0 / 8.0),
        ([("jammed", 4.0), ("degraded", 0.5)], 1.0 / 8.0),
    ],
)
def test_detections_follow_what_is_so_and_scans_what_is_declared(spans, factor, declared):
    sensed = scan_all([span(what, amount=amount, declared=declared) for what, amount in spans])
    said = factor if declared else 1.0
    # the range at which one square metre gives the reference SNR falls with the fourth root (radar equation)
    np.testing.assert_allclose(sensed.scans["sensitivity"], RANGE * said**0.25, rtol=1e-12)
    assert set(sensed.scans["status"].tolist()) == {Status.DEGRADED if declared else Status.UP}
    m, p = MANY * len(sensed.scans), PFA ** (1.0 / (1.0 + SNR * factor))  # Swerling 1
    assert abs(len(sensed.detections) - m * p) < 4.0 * (m * p * (1.0 - p)) ** 0.5


def test_a_sensor_that_knows_that_it_is_silent_sends_nothing_and_one_that_does_not_is_blind():
    model = radar(reference_range=RANGE, reference_snr=SNR, pfa=PFA, false_per_scan=2.0)
    made = {}
    for declared in (True, False):
        rig = Rig((sensor(model, 0, "r"),), THETA0, 1)
        made[declared] = rig.step(0, 40 * NS, crowd(), spans=[span("silent", 10.0, 20.0, declared=declared)])
    plain = Rig((sensor(model, 0, "r"),), THETA0, 1).step(0, 40 * NS, crowd())
    hit = (plain.scans["t0_ns"] < 20 * NS) & (plain.scans["t1_ns"] > 10 * NS)
    assert 10 <= hit.sum() <= 12
    assert made[True].scans.tobytes() == plain.scans[~hit].tobytes()  # all that no part of lies in the span
    blind = made[False].scans
    assert blind["scan"].tolist() == plain.scans["scan"].tolist()
    for name in SCAN.names:
        if name != "n_detections":
            assert blind[name].tobytes() == plain.scans[name].tobytes()  # as if nothing were the matter
    links = made[False].links
    seen = np.isin(links["scan"], plain.scans["scan"][hit])
    assert (links["object"][seen] == -1).all()
    assert seen.any()
    assert (links["object"][~seen] >= 0).any()


@pytest.mark.parametrize("declared", [True, False])
def test_delayed_scans_are_the_same_and_come_later(declared):
    plain = scan_all([], 30)
    late = scan_all([span("delayed", 5.0, 9.0, amount=7.25, declared=declared)], 30)
    hit = (plain.scans["t0_ns"] < 9 * NS) & (plain.scans["t1_ns"] > 5 * NS)
    added = late.scans["arrive_ns"] - plain.scans["arrive_ns"]
    assert added[hit].tolist() == [7_250_000_000] * hit.sum()
    assert not added[~hit].any()
    where = {(int(s["sensor"]), int(s["scan"])): int(s["arrive_ns"]) for s in late.scans}
    assert all(where[int(d["sensor"]), int(d["scan"])] == d["arrive_ns"] for d in late.detections)
    assert late.detections["z"].tobytes() == plain.detections["z"].tobytes()


class Watching:
    """A kind that keeps the scans that were due."""

    seen: list[Due]

    def __init__(self, sensors, theta0, seed):
        self.sensors = sensors
        self.seen = []
        self.count = 0

    def observe(self, due, what):
        del what
        self.seen.append(due)
        self.count += len(due.which)
        return Sensed.nothing()

    def state(self):
        return {"count": self.count}

    def load(self, state):
        self.count = state["count"]


@pytest.fixture
def watched(monkeypatch):
    """Rigs of radars in place of which a kind stands that keeps what it is asked for and counts scans."""
    monkeypatch.setattr(rig_module, "_makers", dict(rig_module._makers))
    rig_module.register("radar", Watching)
    made = Rig((sensor(radar(), 0, "r"), sensor(radar(scan_period=2.0), 1, "other")), THETA0, 1)
    return made, made._kinds[0][0]


def nothing() -> Targets:
    return Targets.of(Ephemeris([], []), (), np.empty((0, 2)), np.empty(0, dtype=np.int64), ())


def test_what_a_kind_is_told(watched):
    rig, kind = watched
    one, two = Bias((100.0, 0.0, 0.0, 2.0)), Bias((1.0, 0.01, -0.01, 0.0))
    spans = [span("biased", 3.0, 6.0, bias=one), span("biased", 5.0, 8.0, bias=two, declared=False)]
    task = Task("other", 0, 5 * NS, (7e6, 0.0, 0.0, 0.0, 0.0, 0.0), 1e4)
    rig.step(0, 10 * NS, nothing(), spans=[*spans, span("silent", 9.0, 9.5, declared=False)], tasks=[task])
    (due,) = kind.seen
    assert due.tasks == (task,)
    own = due.which == 0

    def touched(first, last):
        return (due.t0 < last * NS) & (due.t1 > first * NS) & own

    np.testing.assert_array_equal(due.bias[:, 0], 100.0 * touched(3, 6) + 1.0 * touched(5, 8))
    np.testing.assert_array_equal(due.bias[:, 1], 0.01 * touched(5, 8))
    np.testing.assert_array_equal(due.bias[:, 3], 2.0 * touched(3, 6))
    np.testing.assert_array_equal(due.gain(), np.where(touched(9, 9.5), BLIND, 1.0))
    assert (due.declared_gain() == 1.0).all()
    assert (due.status == np.where(touched(3, 6), Status.DEGRADED, Status.UP)).all()


def test_a_slow_bias_of_a_span_wanders_within_its_spread(watched):
    rig, kind = watched
    slow = Bias(slow=(50.0, 0.0, 0.0, 0.0), tau=30.0)
    rig.step(0, 6000 * NS, nothing(), spans=[span("biased", 0.0, 6000.0, bias=slow)])
    (due,) = kind.seen
    wander = due.bias[due.which == 0]
    assert not wander[:, 1:].any()
    # 200 correlation times: about 100 independent values
    assert np.std(wander[:, 0]) == pytest.approx(50.0, rel=0.25)
    assert abs(np.mean(wander[:, 0])) < 4.0 * 50.0 * (2.0 * 30.0 / 6000.0) ** 0.5
    assert np.abs(np.diff(wander[:, 0])).max() < 50.0  # one second is short against 30 s
    assert not due.bias[due.which == 1].any()


def test_what_a_kind_remembers_is_in_the_state(watched):
    rig, kind = watched
    rig.step(0, 10 * NS, nothing())
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(rig.state()))
    assert kept["kinds"] == {"radar": {"count": kind.count}}
    kind.count = 0
    rig.load(kept)
    assert kind.count > 10


def test_due_without_troubles_is_as_its_status():
    status = np.array([Status.UP, Status.DEGRADED], dtype=np.uint8)
    due = Due(np.zeros(2, dtype=np.int64), np.arange(2), np.arange(2), np.arange(2) + 1, status)
    assert due.gain().tolist() == due.declared_gain().tolist() == [1.0, 0.5]
    assert due.delay_ns.tolist() == [0, 0]
    assert due.bias.shape == (2, 4)
    assert not due.bias.any()


SENSORS = (
    sensor(radar(scan_period=3.0, false_per_scan=1.0, reference_snr=30.0), 0, "a"),
    sensor(satellite(scan_period=7.0, false_per_scan=2.0), 1, "b"),
)
SPANS = (
    StatusSpan("a", 20 * NS, 60 * NS, "jammed", 5.0, declared=False),
    StatusSpan("a", 50 * NS, 70 * NS, "silent"),
    StatusSpan("b", 33 * NS, 80 * NS, "delayed", 4.0),
    StatusSpan("b", 90 * NS, 91 * NS, "silent", declared=False),
)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 119 * NS), max_size=10), st.permutations(SPANS))
def test_neither_frames_nor_the_order_of_spans_change_anything(cuts, spans):
    path = OnTheEarth(wgs84.geodetic_to_ecef([0.01, 0.02, 30e3]), [[40.0, 0.0, 0.0]])
    what = targets(path, rcs=5.0, burns=[(0, 0, 120 * NS, 1e6)])
    rig = Rig(SENSORS, THETA0, 1)
    edges = [0, *sorted(set(cuts)), 120 * NS]
    parts = [rig.step(a, b, what, spans=spans) for a, b in pairwise(edges)]
    whole = Rig(SENSORS, THETA0, 1).step(0, 120 * NS, what, spans=SPANS)
    for name, keys in (("scans", ("scan", "sensor")), ("detections", ("n", "scan", "sensor"))):
        table = np.concatenate([getattr(p, name) for p in parts])
        assert table[np.lexsort([table[k] for k in keys])].tobytes() == getattr(whole, name).tobytes()
    assert len(whole.detections)


# ---- declared and actual -------------------------------------------------------------------------------------------


def test_scans_tell_what_is_declared_and_detections_what_is_so():
    so = msgspec.structs.replace(MODEL, reference_snr=4.0, range_max=2e6, false_per_scan=0.5, sector=(1.0, 2.0))
    said = MODEL
    what = crowd()
    whole = Rig((sensor(so, 0, "r"),), THETA0, 1, (sensor(said, 0, "r"),)).step(0, 30 * NS, what)
    as_is = Rig((sensor(so, 0, "r"),), THETA0, 1).step(0, 30 * NS, what)
    as_said = Rig((sensor(said, 0, "r"),), THETA0, 1).step(0, 30 * NS, what)
    assert whole.detections.tobytes() == as_is.detections.tobytes()
    assert whole.links.tobytes() == as_is.links.tobytes()
    assert len(as_said.detections) > len(as_is.detections)
    for name in SCAN.names:
        source = as_is if name == "n_detections" else as_said
        assert whole.scans[name].tobytes() == source.scans[name].tobytes(), name


def test_a_satellite_that_is_not_where_its_owner_says():
    so, said = satellite(), satellite(orbit=Orbit(42_164_172.0, 0.0, 0.0, 0.01, 0.0, 0.0))
    both = (sensor(so, 0, "r"), sensor(satellite(), 1, "honest"))
    scans = Rig(both, THETA0, 1, (sensor(said, 0, "r"),)).step(0, 60 * NS, nothing()).scans
    as_is = Rig(both, THETA0, 1).step(0, 60 * NS, nothing()).scans
    own = scans["sensor"] == 0
    apart = np.linalg.norm(scans["platform"][:, :3] - as_is["platform"][:, :3], axis=1)
    np.testing.assert_allclose(apart[own], 42_164_172.0 * 2.0 * np.sin(0.005), rtol=1e-6)
    assert scans[~own].tobytes() == as_is[~own].tobytes()


def test_faults_are_named():
    rig = Rig((sensor(radar(), 0, "r"),), THETA0, 1)
    with pytest.raises(ValueError, match="r: no trouble 'bored'; known: silent, degraded, jammed, delayed, biased"):
        rig.step(0, 2 * NS, nothing(), spans=[span("bored")])
    with pytest.raises(KeyError, match="nobody"):
        rig.step(0, 2 * NS, nothing(), spans=[StatusSpan("nobody", 0, NS, "silent")])
    with pytest.raises(ValueError, match="r: declared to be of the kind 'infrared'; it is of 'radar'"):
        Rig((sensor(radar(), 0, "r"),), THETA0, 1, (sensor(satellite(), 0, "r"),))


# ---- end to end ----------------------------------------------------------------------------------------------------

OTH = OverHorizon(
    lat=0.0, lon=0.0, h=0.0, sector=(0.0, 0.0), range_min=5e5, range_max=3e6, reference_range=2e6, reference_rcs=10.0,
    reference_snr=1e4, greatest_height=2e5, sigma_range=1.0, sigma_azimuth=1e-6, pfa=1e-6, false_per_scan=0.0,
    scan_period=10.0, latency=1.0,
)  # fmt: skip
BIASED = {  # a model, where the object stands (rad, rad, m), the bias
    "over-horizon": (OTH, (0.1, 0.1, 1e5), Bias((5000.0, 0.02, 0.0, 0.0))),
    "radar": (radar(reference_snr=1e4, doppler=True), (0.02, 0.05, 3e5), Bias((800.0, 0.01, -0.02, 30.0))),
    "infrared": (satellite(), (0.1, -THETA0 + 0.1, 5e4), Bias((1e-4, -2e-4, 0.0, 0.0))),
}


@pytest.mark.parametrize("kind", BIASED)
def test_a_span_moves_the_measurements_by_its_bias_while_it_lasts(kind):
    model, place, bias = BIASED[kind]
    what = targets(OnTheEarth(wgs84.geodetic_to_ecef(place)), rcs=1e4, burns=[(0, 0, 400 * NS, 1e9)])
    made = []
    for spans in ([], [span("biased", 100.0, 200.0, bias=bias, declared=False)]):
        made.append(Rig((sensor(model, 0, "r"),), THETA0, 1).step(0, 300 * NS, what, spans=spans))
    plain, moved = made
    assert moved.scans.tobytes() == plain.scans.tobytes()
    assert moved.detections["scan"].tolist() == plain.detections["scan"].tolist()
    t0 = dict(zip(plain.scans["scan"].tolist(), plain.scans["t0_ns"].tolist(), strict=True))
    start = np.array([t0[n] for n in plain.detections["scan"].tolist()])
    hit = (start < 200 * NS) & (start + round(model.scan_period * NS) > 100 * NS)
    assert hit.any()
    assert not hit.all()
    off = moved.detections["z"] - plain.detections["z"]
    np.testing.assert_allclose(off[hit], np.tile(bias.constant, (hit.sum(), 1)), rtol=1e-6, atol=1e-9)
    assert not off[~hit].any()
