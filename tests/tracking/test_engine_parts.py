"""The parts of the tracker's engine, each against something that knows better: brute force, SciPy, another room."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ncx2
from tracking_scenes import NS, THETA0, Watch, arc, believed, frames, launch, radar, satellite

from tocsin.dynamics.signals import chance
from tocsin.records.columns import DETECTION, SCAN, Kind, Region, empty, pack_symmetric
from tocsin.tracking import intake
from tocsin.tracking.filter import score_pairs
from tocsin.tracking.gating import near
from tocsin.tracking.life import detects
from tocsin.tracking.measure import lay_out
from tocsin.tracking.models import COAST, Bank, advance_rows
from tocsin.tracking.settings import Declared, Settings
from tocsin.tracking.spans import span
from tocsin.tracking.store import Chains, Store, pack, unpack
from tocsin.tracking.tracker import Tracker

PAIR = (radar(0, 0.0, 0.0, reach=2000e3), radar(1, -0.54, 2.2, reach=2000e3))


# ------------------------------------------------------------------------------------------------------------- chains


@given(st.lists(st.tuples(st.integers(0, 65534), st.integers(0, 2**32 - 1), st.integers(0, 65535)), max_size=20))
def test_marks_survive_packing(marks):
    sensor, scan, n = (np.array([m[k] for m in marks], dtype=np.int64) for k in range(3))
    assert [v.tolist() for v in unpack(pack(sensor, scan, n))] == [sensor.tolist(), scan.tolist(), n.tolist()]


@settings(max_examples=60, deadline=None)
@given(
    grow=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=60),
    drop=st.sets(st.integers(0, 5)),
)
def test_chains_are_lists_with_equal_ones_shared(grow, drop):
    """Against plain tuples: contents, equality by node, what is new since a known part, and forgetting."""
    chains = Chains()
    heads, plain = np.full(6, -1, dtype=np.int64), [()] * 6
    for i, mark in grow:
        before = heads.copy()
        heads[i : i + 1] = chains.extend(heads[i : i + 1], np.array([mark]))
        old, plain[i] = plain[i], (*plain[i], mark)
        counts, marks, part = chains.since(heads[i : i + 1], before[i : i + 1])
        assert (counts.tolist(), marks.tolist(), part.tolist()) == ([1], [mark], [True])
        assert len(old) == len(plain[i]) - 1
    for i in range(6):
        for j in range(6):
            assert (heads[i] == heads[j]) == (plain[i] == plain[j])
            _, marks, part = chains.since(heads[i : i + 1], heads[j : j + 1])
            begins = plain[i][: len(plain[j])] == plain[j]
            assert part[0] == begins
            assert tuple(marks.tolist()) == (plain[i][len(plain[j]) :] if begins else plain[i])
    kept = np.array([heads[i] for i in range(6) if i not in drop], dtype=np.int64)
    chains.compact([kept])
    left = [plain[i] for i in range(6) if i not in drop]
    assert [tuple(chains.marks(int(h)).tolist()) for h in kept] == left
    assert len(chains) == len({p[:k] for p in left for k in range(1, len(p) + 1)})
    again = chains.extend(kept, np.full(len(kept), 9))
    assert [tuple(chains.marks(int(h)).tolist()) for h in again] == [(*p, 9) for p in left]


# ------------------------------------------------------------------------------------------------------------- gating


def scattered(seed, n, kind, age):
    """Tracks of ``n`` arcs with errors as their covariances say, and detections of them and of nothing."""
    r = np.random.default_rng(seed)
    bank = Bank.of((COAST,), Tracker(PAIR, (), THETA0)._work.bank.parameters, THETA0)
    store = Store.none(1, 1, rows=n)
    truth = np.empty((n, 6))
    for i in range(n):
        flight = arc(r.uniform(3, 8), r.uniform(-3, 3), r.uniform(80e3, 300e3), r.uniform(1500, 6000),
                     r.uniform(-180, 180), r.uniform(-30, 60), 0.0, 30.0)  # fmt: skip
        sigma = np.r_[[r.choice([50.0, 2e3])] * 3, [r.choice([5.0, 500.0])] * 3]
        store.x[i, 0, :6] = flight(0.0) + sigma * r.standard_normal(6)
        store.P[i, 0, :6, :6] = np.diag(sigma**2)
        truth[i] = flight(age)
    store.mu[:] = 1.0
    watch = Watch(PAIR[:1], [], seed)
    sensor = PAIR[0] if kind == Kind.RAE else satellite(0, 10.0)
    scans, _ = watch.scan(sensor, 0, age - 0.5, age + 0.5)
    rows = np.concatenate([truth, truth[: n // 2] + np.r_[[30e3] * 3, [0.0] * 3]])
    sigma = np.array([30.0, 2e-3, 2e-3, 1.0]) if kind == Kind.RAE else np.array([3e-5, 3e-5, 1.0, 1.0])
    table = empty(DETECTION, len(rows))
    table["t_ns"], table["kind"] = round(age * NS), kind
    p, e = scans["platform"][0], scans["attitude"][0].reshape(3, 3)
    z = np.array([watch._measure(x, 0.5, p, e, kind == Kind.RAE) for x in rows])
    table["z"] = z + sigma * r.standard_normal(z.shape) * (np.array([1, 1, 1, 0]) if kind == Kind.RAE else [1, 1, 0, 0])
    table["R"] = pack_symmetric(np.diag(sigma**2))
    return bank, store, lay_out(table, np.repeat(scans, len(table)))


@pytest.mark.parametrize("kind", [Kind.RAE, Kind.LOS])
@pytest.mark.parametrize(("age", "wide"), [(0.7, 25.0), (8.0, 25.0), (25.0, 25.0), (8.0, 100.0)])
def test_no_pair_in_a_gate_is_left_out(kind, age, wide):
    gate = np.full(5, wide)
    inside = 0
    for seed in range(3):
        bank, store, looks = scattered(seed, 40, kind, age)
        near_tracks, near_dets = near(bank, store, looks, gate)
        found = set(zip(near_tracks.tolist(), near_dets.tolist(), strict=True))
        assert sorted(found) == list(zip(near_tracks.tolist(), near_dets.tolist(), strict=True))
        tracks, dets = (v.ravel() for v in np.meshgrid(np.arange(40), np.arange(len(looks.kind)), indexing="ij"))
        carried = advance_rows(
            bank, tracks, looks.t_s[dets], store.x, store.P, store.mu, store.axes, store.t_ns / 1e9, store.memory()
        )
        score = score_pairs(bank, *carried, looks, dets, gate)
        true = {(int(t), int(d)) for t, d, s in zip(tracks, dets, score, strict=True) if s > -math.inf}
        assert true <= found
        inside += len(true)
        assert len(found) < 0.7 * len(tracks)
    assert inside > 100


# --------------------------------------------------------------------------------------------------------------- life


@pytest.mark.parametrize("snr", [0.0, 0.7, 5.0, 20.0, 80.0, 900.0])
@pytest.mark.parametrize("pfa", [1e-3, 1e-6])
def test_detection_probabilities_are_those_of_the_sensors(snr, pfa):
    limit = -math.log(pfa)
    for case in (0, 1, 3):
        assert detects(case, snr, limit) == pytest.approx(chance(case, snr, limit), rel=1e-12, abs=1e-15)
    assert detects(0, snr, limit) == pytest.approx(ncx2.sf(2 * limit, 2, 2 * snr), rel=1e-8, abs=1e-12)


# --------------------------------------------------------------------------------------------------------- bad input


def fed(spoil=lambda table: None, scan=lambda table: None, frames_=12):
    """A track over some frames, with one more detection and the scans of one frame spoilt."""
    flight = arc(5.0, 0.0, 100e3, 2800.0, 40.0, 40.0, 0.0, 60.0)
    watch = Watch(PAIR, [flight], 3)
    tracker = Tracker(PAIR, (), THETA0)
    reasons = {}
    for t, s, d in frames(watch.all_scans(0, frames_), (frames_ + 2) * NS):
        if t == 8 * NS:
            more = d[-1:].copy()
            more["n"] = 999
            more["z"][:, 0] += 5e3
            spoil(more)
            d = np.concatenate((d, more))
            s = s.copy()
            scan(s)
        step = tracker.step(t, s, d)
        assert int(step.refused) == sum(step.refused.reasons.values())
        for why, count in step.refused.reasons.items():
            reasons[why] = reasons.get(why, 0) + count
    return step.tracks, reasons


def put(name, value, at=None):
    def change(table):
        if at is None:
            table[name] = value
        else:
            table[name][:, at] = value

    return change


BAD_ROWS = [
    (put("z", math.nan, 0), intake.NUMBERS),
    (put("z", math.inf, 1), intake.NUMBERS),
    (put("R", math.nan, 0), intake.NOISE),
    (put("R", math.inf, 4), intake.NOISE),
    (put("R", -1.0, 0), intake.NOISE),
    (put("R", 0.0, 4), intake.NOISE),
    (put("R", 1e9, 1), intake.NOISE),
    (put("kind", 77), intake.KIND),
    (put("z", -5.0, 0), intake.RANGES),
    (put("z", 2.5, 2), intake.RANGES),
    (put("t_ns", 1 << 60), intake.TIMES),
    (put("t_ns", -(1 << 62)), intake.TIMES),
    (put("n", 0), intake.AGAIN),
    (put("scan", 77_777), intake.ALONE),
    (put("sensor", 5), intake.STRANGER),
]


def test_bad_rows_are_refused_with_their_reason_and_leave_no_trace():
    flight = arc(5.0, 0.0, 100e3, 2800.0, 40.0, 40.0, 0.0, 60.0)
    assert flight.alive(10.0)
    clean = None
    for change, why in BAD_ROWS:
        tracks, reasons = fed(spoil=change)
        assert reasons == {why: 1}, why
        clean = tracks.tobytes() if clean is None else clean
        assert tracks.tobytes() == clean
    assert len(tracks) == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (put("platform", math.nan, 0), intake.SCAN_VALUES),
        (put("attitude", 3.0, 4), intake.SCAN_VALUES),
        (put("region", 9), intake.SCAN_VALUES),
        (put("clutter", -1.0), intake.SCAN_VALUES),
        (put("t1_ns", 0), intake.SCAN_TIMES),
        (put("sensor", 9), intake.STRANGER),
    ],
)
def test_bad_scans_are_refused_with_their_reason(change, why):
    tracks, reasons = fed(scan=change)
    assert reasons.pop(why) == 2
    assert set(reasons) <= {intake.ALONE}
    assert len(tracks) == 1


def test_ten_thousand_false_detections_in_a_scan_are_survived():
    flight = arc(5.0, 0.0, 100e3, 2800.0, 40.0, 40.0, 0.0, 60.0)
    watch = Watch(PAIR[:1], [flight], 3)
    tracker = Tracker(PAIR[:1], (), THETA0, Settings(most_rows=900))
    r = np.random.default_rng(1)
    for t, s, d in frames(watch.all_scans(0, 16), 17 * NS):
        if t == 9 * NS:
            flood = empty(DETECTION, 10_000)
            flood[:] = d[0]
            flood["n"] = 1000 + np.arange(10_000)
            flood["z"][:, :3] = np.column_stack(
                (r.uniform(1e5, 2e6, 10_000), r.uniform(-3, 3, 10_000), r.uniform(0, 1.5, 10_000))
            )
            d = np.concatenate((d, flood))
        step = tracker.step(t, s, d)
        assert len(tracker._store) <= 900
    (row,) = [row for row in step.tracks if np.linalg.norm(row["x"][:3] - flight(17.0)[:3]) < 5e3]
    assert row["updates"] > 10


# ------------------------------------------------------------------------------------------------ order and rollback

FLIGHTS = [arc(5.0, 0.3 * k, 90e3 + 4e3 * k, 2800.0, 30.0 * k, 40.0, 0.0, 60.0) for k in range(4)]
SCANS = Watch(PAIR, FLIGHTS, 21).all_scans(0, 14)


def states(tracker):
    plain = tracker.state()["store"]
    return [plain[name] for name in ("x", "P", "mu", "score", "t_ns", "life", "updates", "seen")]


def told(order):
    tracker = Tracker(PAIR, (), THETA0)
    for t, s, d in frames(SCANS, 15 * NS):
        tracker.step(t, s, order(d))
    return tracker


IN_ORDER = states(told(lambda d: d))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), renumber=st.booleans())
def test_the_order_of_a_scans_detections_changes_no_bit(seed, renumber):
    r = np.random.default_rng(seed)

    def shuffled(d):
        out = d[r.permutation(len(d))]
        if renumber:  # numbers say nothing either
            for pair in {(int(a), int(b)) for a, b in zip(out["sensor"], out["scan"], strict=True)}:
                mine = (out["sensor"] == pair[0]) & (out["scan"] == pair[1])
                out["n"][mine] = r.permutation(int(mine.sum()))
        return out

    assert states(told(shuffled)) == IN_ORDER


def test_fewer_copies_give_the_same_bits(monkeypatch):
    """Late data with a budget for two copies only: replay from an older copy."""
    monkeypatch.setattr("tocsin.tracking.tracker.RING_BYTES", 1)
    tracker = Tracker(PAIR, (), THETA0)
    late = [p for p in SCANS if int(p[0]["sensor"][0]) == 1]
    prompt = [p for p in SCANS if int(p[0]["sensor"][0]) == 0]
    for t, s, d in frames(prompt, 15 * NS):
        tracker.step(t, s, d)
    kept = len(tracker._kept)
    for s, d in late[::-1]:
        tracker.step(15 * NS, s, d)
    assert states(tracker) == IN_ORDER
    assert kept <= 3


def test_chains_are_forgotten_and_nothing_changes(monkeypatch):
    monkeypatch.setattr("tocsin.tracking.tracker._LEAST_NODES", 8)
    short = Settings(ring_ns=3 * NS)
    one, two = Tracker(PAIR, (), THETA0, short), Tracker(PAIR, (), THETA0, short)
    two._nodes = 1 << 40
    for t, s, d in frames(SCANS, 15 * NS):
        a, b = one.step(t, s, d), two.step(t, s, d)
        assert a.tracks.tobytes() == b.tracks.tobytes()
        assert a.associations.tobytes() == b.associations.tobytes()
    assert len(one._chains) < len(two._chains)
    for n in (1, 2, 3, 4):
        assert one.history(n).detections.tobytes() == two.history(n).detections.tobytes()


def test_given_tracks_are_followed_without_initiation():
    flights = FLIGHTS[:3]
    watch = Watch(PAIR, flights, 5)
    quiet = Settings(models=(COAST,), initiation=False, deletion=False, association="gnn")
    sensors = [Declared(n, NS, 0.9, place=None) for n in range(2)]
    tracker = Tracker(sensors, (), THETA0, quiet)
    x = np.array([f(0.0) for f in flights])
    P = np.tile(np.diag([500.0**2] * 3 + [50.0**2] * 3), (3, 1, 1))
    r = np.random.default_rng(2)
    noise = r.standard_normal((3, 6)) * np.r_[[500.0] * 3, [50.0] * 3]
    assert tracker.start(x + noise, P, 0) == [1, 2, 3]
    for t, s, d in frames(watch.all_scans(0, 12), 14 * NS):
        step = tracker.step(t, s, d)
    assert step.tracks["track"].tolist() == [1, 2, 3]
    for k, row in enumerate(step.tracks):
        assert np.linalg.norm(row["x"][:3] - flights[k](14.0)[:3]) < 1e3
        causes = [watch.cause[tuple(m)] for m in tracker.history(k + 1).detections[["sensor", "scan", "n"]].tolist()]
        assert causes.count(k) == len(causes) > 15


# ------------------------------------------------------------------------------------------------------ young and old


def test_a_span_without_flight_is_a_gaussian_in_polar_coordinates():
    """Far from its sensor and well known, the chart is as good as flat: the plain Cartesian distance and density."""
    r = np.random.default_rng(4)
    x = np.r_[6.9e6, 2e5, 1e5, 100.0, 6000.0, 2000.0]
    a, b = r.standard_normal((6, 6)), r.standard_normal((6, 6))
    scale = np.diag([50.0] * 3 + [5.0] * 3)
    P, Q = scale @ (a @ a.T + np.eye(6)) @ scale, scale @ (b @ b.T + np.eye(6)) @ scale
    y = x + scale @ r.standard_normal(6)
    out = np.empty(2)
    centre = np.r_[6.3e6, -5e5, 0.0, 0.0, 400.0, 0.0]
    span(x, P, 10.0, 10.0, THETA0, x, P, y, Q, centre, out)
    S = P + Q
    d2 = (y - x) @ np.linalg.solve(S, y - x)
    density = -0.5 * (d2 + np.linalg.slogdet(S)[1] + 6 * math.log(2 * math.pi))
    assert out[0] == pytest.approx(d2, rel=0.01)
    assert out[1] == pytest.approx(density, abs=0.05)


def test_spans_over_eight_minutes_have_the_distances_of_chi_squared():
    """Drawn before, flown by SciPy, seen anew by a radar-like young track: mean 6, over 300 pairs within 4 sigma."""
    r = np.random.default_rng(8)
    score = []
    flight = arc(20.0, 0.0, 150e3, 5500.0, 40.0, 35.0, 0.0, 500.0)
    x0 = flight(0.0)
    P0 = np.diag([3e3**2] * 3 + [60.0**2] * 3)
    Py = np.diag([300.0**2] * 3 + [10.0**2] * 3)
    from scipy.integrate import solve_ivp
    from tracking_scenes import gravity

    out = np.empty(2)
    for _ in range(300):
        drawn = x0 + np.sqrt(np.diag(P0)) * r.standard_normal(6)
        flown = solve_ivp(lambda t, s: np.r_[s[3:], gravity(s[:3])], (0.0, 480.0), drawn, rtol=1e-8, method="DOP853")
        y = flown.y[:, -1] + np.sqrt(np.diag(Py)) * r.standard_normal(6)
        from tocsin.dynamics.kernels import coast_to_stm

        x1, Phi = np.empty(6), np.empty((6, 6))
        coast_to_stm(x0, 0.0, 480.0, THETA0, x1, Phi)
        span(x0, P0, 0.0, 480.0, THETA0, x1, Phi @ P0 @ Phi.T, y, Py, np.zeros(6), out)
        score.append(out[0])
    assert abs(np.mean(score) - 6.0) < 4 * math.sqrt(12 / 300)


HWASONG = (
    believed(burn=140.0, thrust=17.0, exhaust=2700.0, height=130e3, id="long"),
    believed(burn=65.0, thrust=20.0, exhaust=2300.0, height=40e3, id="short"),
)


def test_objects_lost_for_eight_minutes_are_stitched_to_what_a_radar_finds():
    """Five launches 100 km apart, seen by two satellites, then by a radar 8 minutes after burnout."""
    pads = [(39.2 + 0.9 * k, 125.67) for k in range(5)]
    flown = [launch(*p, 73.0, 60.0, burn=142.0, thrust=17.0, exhaust=2700.0, vertical=10.0, pitch=40.0) for p in pads]
    sensors = (
        satellite(0, 85.0), satellite(1, 160.0), radar(2, 42.0, 141.0, 50.0, 0.15, 5.0, elevation=(2.0, 85.0),
        reach=3500e3),
    )  # fmt: skip
    watch = Watch(sensors, [f for f, _ in flown], 1, burning=[b for _, b in flown])
    begin = 622 * NS
    scans = [p for p in watch.all_scans(0, 710) if int(p[0]["sensor"][0]) < 2 or int(p[0]["t0_ns"][0]) >= begin]
    tracker, events = Tracker(sensors, HWASONG, THETA0), []
    for t, s, d in frames(scans, 710 * NS):
        step = tracker.step(t, s, d)
        events += step.events
    assert sum(e.event == "stitched" for e in events) >= 4
    for row in step.tracks[step.tracks["life"] < 2]:
        seen = tracker.history(int(row["track"])).detections[["sensor", "scan", "n"]].tolist()
        causes = {early: [watch.cause[m] for m in seen if (m[0] < 2) == early] for early in (True, False)}
        if causes[True] and causes[False]:
            most = {early: max(set(c), key=c.count) for early, c in causes.items()}
            assert most[True] == most[False]
    ended = [e.reason for e in events if e.event == "ended"]
    assert any("found to be the same object as track" in why for why in ended)


def test_what_comes_off_an_object_has_it_as_parent():
    whole = arc(5.0, 0.5, 120e3, 3000.0, 20.0, 40.0, 0.0, 100.0)
    x = whole(20.0)
    up = x[:3] / np.linalg.norm(x[:3])
    from tracking_scenes import Flight

    part = Flight(np.r_[x[:3], x[3:] + 60.0 * np.cross(up, x[3:] / np.linalg.norm(x[3:]))], 20.0, 100.0)
    watch = Watch(PAIR, [whole, part], 6)
    tracker, events = Tracker(PAIR, (), THETA0), []
    for t, s, d in frames(watch.all_scans(0, 70), 72 * NS):
        step = tracker.step(t, s, d)
        events += step.events
    assert len(step.tracks) == 2
    assert step.tracks["parent"].tolist() == [-1, 1]
    assert [(e.track, e.reason) for e in events if e.event == "split"] == [(2, "from track 1")]


def test_scans_of_every_region_are_taken():
    table = empty(SCAN, 1)
    for region in (Region.SECTOR, Region.VIEW, Region.GROUND, Region.SPACE):
        table["region"], table["attitude"], table["t1_ns"] = region, np.eye(3).ravel(), NS
        table["platform"][0, 0] = 6.4e6
        assert intake.scan_fault(table[0]) == ""
