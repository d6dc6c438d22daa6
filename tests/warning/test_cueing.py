"""Cueing: an arc from a partner's two estimates, what is in view of which radar, and what is asked how often."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.dynamics.coast import impacts
from tocsin.dynamics.kernels import coast_to
from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST, to_ecef, to_eci
from tocsin.earth.geodesics import direct
from tocsin.earth.wgs84 import ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.records.columns import ASSOCIATION, TRACK, Life, empty, pack_symmetric
from tocsin.records.shapes import Estimate, WarningVersion
from tocsin.scenario.specs import FlightClass, NationSpec, Radar, Sensor, Spread, Stage, WarningRule
from tocsin.warning.cueing import MOST, VAGUE, Cueing, arc_of, could_find

THETA0 = 0.7
DEG = math.pi / 180.0
BURN = 100.0
NOTHING = Estimate(0, "none", 1.0, "none")


def flight_class(spread: float = 0.0) -> FlightClass:
    exact = Spread(1.0)
    return FlightClass(
        id="c", title="C", family="ballistic", energy="cutoff",
        stages=(Stage(Spread(BURN), Spread(20.0), Spread(2500.0), Spread(0.0), Spread(1e5)),), vertical=exact,
        pitch=exact, beta_boost=exact, beta=exact, rcs_boost=exact, rcs=exact, burnout_height=Spread(80e3, spread),
        burnout_downrange=Spread(90e3, spread), energy_range=(1e5, 5e6), prior=1.0,
    )  # fmt: skip


def true_flight() -> tuple[np.ndarray, tuple[float, float], tuple[float, float], float]:
    """State at the end of thrust (100 s), the launch point 90 km behind it, the point and time (s) of impact."""
    place = np.array([0.6, 2.2, 80e3])
    axes = enu_axes(place[0], place[1])
    azimuth = 70.0 * DEG
    level = math.sin(azimuth) * axes[0] + math.cos(azimuth) * axes[1]
    v = 3200.0 * level + 3000.0 * axes[2]
    x = to_eci(np.concatenate([geodetic_to_ecef(place), v]), THETA0 + OMEGA_GMST * BURN)
    end = impacts(x[None], round(BURN * NS), THETA0)
    lat, lon, _ = direct(0.6, 2.2, azimuth + math.pi, 90e3)
    return x, (lat, lon), (float(end.lat[0]), float(end.lon[0])), float(end.t_ns[0]) / 1e9


def word(sigma_m: float = 0.0, sigma_s: float = 0.0, **changes: object) -> WarningVersion:
    _, launch, impact, t = true_flight()
    cov = (sigma_m**2, 0.0, 0.0, sigma_m**2)
    made = WarningVersion(
        uid="b/to:a/0", version=0, t_ns=0, status="opened", confirmed=True, cause="", track=None, sources=("b",),
        partner=None, first_data_ns=0,
        launch=Estimate(0, "boost-fit", 1.0, "gaussian", launch, cov, 0, sigma_s**2),
        impact=Estimate(0, "boost-fit", 1.0, "gaussian", impact, cov, round(t * NS), sigma_s**2), areas=(),
        types={"c": 1.0}, p_real=1.0, confidence="high", evidence=(),
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def test_two_exact_estimates_give_back_the_flight() -> None:
    x, _, _, t = true_flight()
    arc = arc_of(word(), {"c": flight_class()}, THETA0)
    assert arc is not None
    assert len(arc.x) == 1
    assert arc.t == pytest.approx(BURN)
    assert arc.end == pytest.approx(t)
    for at in (BURN, 0.5 * (BURN + t), t - 30.0):
        true, got = np.empty(6), np.empty(6)
        coast_to(x, BURN, at, THETA0, -1.0, true)
        coast_to(arc.x[0], arc.t, at, THETA0, -1.0, got)
        # the line over the ground is not quite that of the flight over the turning Earth
        assert np.linalg.norm(true[:3] - got[:3]) < 4e3


def test_without_a_known_class_it_is_one_that_flies_as_far() -> None:
    far = msgspec.structs.replace(flight_class(), id="far", energy_range=(5e6, 9e6), burnout_height=Spread(300e3))
    classes = {"c": flight_class(), "far": far}
    known, unknown = (arc_of(word(types=types), classes, THETA0) for types in ({"c": 1.0}, {"unheard-of": 1.0}))
    assert known is not None
    assert unknown is not None
    assert unknown.x.tolist() == known.x.tolist()
    assert arc_of(word(types={"unheard-of": 1.0}), {"far": far}, THETA0) is None
    # two that it may be: between them, and less sure
    both = arc_of(word(types={"c": 0.5, "far": 0.5}), classes, THETA0)
    assert both is not None
    assert len(both.x) == 2
    assert np.linalg.norm(both.x[1, :3] - both.x[0, :3]) == pytest.approx(110e3, rel=1e-3)  # half of 300 - 80 km


def test_the_spread_of_an_arc_is_that_of_arcs_drawn_from_the_estimates() -> None:
    classes = {"c": flight_class(3e3)}
    arc = arc_of(word(20e3, 5.0), classes, THETA0)
    assert arc is not None
    rng = np.random.Generator(np.random.PCG64(1))
    _, launch, impact, t = true_flight()
    half = 0.5 * (BURN + t)

    def moved(place: tuple[float, float]) -> tuple[float, float]:
        east, north = rng.normal(0.0, 20e3, 2)
        lat, lon, _ = direct(*place, math.atan2(east, north), math.hypot(east, north))
        return lat, lon

    ends = []
    for _ in range(300):
        drawn_class = {
            "c": msgspec.structs.replace(
                flight_class(),
                burnout_height=Spread(80e3 + rng.normal(0.0, 3e3)),
                burnout_downrange=Spread(90e3 + rng.normal(0.0, 3e3)),
            )
        }
        drawn = word(
            launch=msgspec.structs.replace(word().launch, mean=moved(launch), t_ns=round(rng.normal(0.0, 5.0) * NS)),
            impact=msgspec.structs.replace(word().impact, mean=moved(impact), t_ns=round((t + rng.normal(0, 5)) * NS)),
        )
        one = arc_of(drawn, drawn_class, THETA0)
        assert one is not None
        out = np.empty(6)
        coast_to(one.x[0], one.t, half, THETA0, -1.0, out)
        ends.append(out[:3])
    rms = math.sqrt(float(np.var(np.array(ends), axis=0).sum()))
    at = np.empty_like(arc.x)
    for k, x in enumerate(arc.x):
        coast_to(x, arc.t, half, THETA0, -1.0, at[k])
    linear = math.sqrt(float(((at[1:, :3] - at[0, :3]) ** 2).sum()))
    assert linear == pytest.approx(rms, rel=0.12)  # 300 draws: 4 % by chance, and what is not linear


NUMBER = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=150, deadline=None)
@given(
    mean=st.none() | st.tuples(NUMBER, NUMBER),
    cov=st.none() | st.tuples(NUMBER, NUMBER, NUMBER, NUMBER),
    t_ns=st.none() | st.integers(-(2**70), 2**70),
    t_var=st.none() | NUMBER,
    which=st.sampled_from(["launch", "impact"]),
    types=st.dictionaries(st.sampled_from(["c", "x"]), NUMBER),
    burnout=st.none() | st.integers(-(2**70), 2**70),
)
def test_no_word_from_outside_raises(mean, cov, t_ns, t_var, which, types, burnout) -> None:
    plain = word(1e3, 1.0)
    bad = msgspec.structs.replace(getattr(plain, which), mean=mean, cov_enu=cov, t_ns=t_ns, t_var=t_var)
    said = msgspec.structs.replace(plain, types=types, burnout_ns=burnout, **{which: bad})
    arc = arc_of(said, {"c": flight_class()}, THETA0)
    assert arc is None or np.isfinite(arc.x).all()


# ---- what a radar could find ----------------------------------------------------------------------------------------


def radar(**changes: object) -> Radar:
    values: dict[str, object] = {
        "lat": 0.6, "lon": 2.4, "h": 0.0, "boresights": (), "sector": (0.0, 0.0), "el_min": 3 * DEG, "el_max": 80 * DEG,
        "range_min": 1e4, "range_max": 2.5e6, "reference_range": 1.5e6, "reference_snr": 20.0, "frequency": 1e9,
        "beam_az": 0.03, "beam_el": 0.03, "bandwidth": 1e6, "pfa": 1e-6, "false_per_scan": 0.0, "scan_period": 5.0,
        "latency": 1.0, "sigma_range": 20.0, "sigma_angle": 1e-3, "dwell": 0.02, "scheduling": "cued",
        "fence": (3 * DEG, 6 * DEG),
    }  # fmt: skip
    return Radar(**{**values, **changes})  # type: ignore[arg-type]


def at(azimuth_deg: float, elevation_deg: float, distance: float) -> np.ndarray:
    a, e = azimuth_deg * DEG, elevation_deg * DEG
    axes = enu_axes(0.6, 2.4)
    u = math.cos(e) * math.sin(a) * axes[0] + math.cos(e) * math.cos(a) * axes[1] + math.sin(e) * axes[2]
    return geodetic_to_ecef(np.array([0.6, 2.4, 0.0])) + distance * u


def test_what_a_radar_could_find_by_its_limits() -> None:
    sector = radar(sector=(300 * DEG, 60 * DEG))
    assert could_find(sector, at(350.0, 30.0, 1e6), 0.0, 1.0)
    assert not could_find(sector, at(90.0, 30.0, 1e6), 0.0, 1.0)
    assert could_find(sector, at(63.0, 30.0, 1e6), 20e3, 1.0)  # three sigmas are 3.4 deg there
    assert not could_find(sector, at(72.0, 30.0, 1e6), 20e3, 1.0)
    assert not could_find(radar(), at(0.0, 2.0, 1e6), 0.0, 1.0)
    assert could_find(radar(), at(0.0, 2.0, 1e6), 10e3, 1.0)
    assert not could_find(radar(range_max=0.9e6), at(0.0, 30.0, 1e6), 0.0, 1.0)


def test_the_longest_look_reaches_twice_as_far() -> None:
    # a tenth of probability with pfa 1e-6 needs 1 + SNR = 6: SNR 5, at 2.83 times less than the reference range of 20
    reach = 1.5e6 * (20.0 / 5.0) ** 0.25
    for dwell, times in ((0.02, 2.0), (0.0, 1.0)):
        model = radar(dwell=dwell, range_max=1e8)
        assert could_find(model, at(0.0, 30.0, 0.99 * times * reach), 0.0, 1.0)
        assert not could_find(model, at(0.0, 30.0, 1.01 * times * reach), 0.0, 1.0)


# ---- what is asked --------------------------------------------------------------------------------------------------


def nation(*radars: Radar) -> NationSpec:
    sensors = tuple(Sensor(k, f"r{k}", "r", "a", model) for k, model in enumerate(radars))
    return NationSpec(
        "a", "A", 0, THETA0, NS, 3600 * NS, 1, sensors, (flight_class(),), (), (),
        WarningRule(3, 5.0, 1, True, 0.01, 10.0, 5.0), (), (),
    )  # fmt: skip


def tracks(count: int = 1, sigma: float = 100.0, life: int = Life.CONFIRMED) -> np.ndarray:
    table = empty(TRACK, count)
    x = to_eci(np.concatenate([at(0.0, 30.0, 8e5), [0.0, 0.0, 0.0]]), THETA0)
    for k in range(count):
        table["track"][k], table["life"][k] = k + 1, life
        table["x"][k] = x
        table["P"][k] = pack_symmetric(np.diag([sigma**2] * 3 + [1.0] * 3))
        table["mu"][k, 1] = 1.0
    return table


NO_LINKS = empty(ASSOCIATION)


def test_an_own_track_is_asked_for_twice_in_the_time_that_a_task_stands() -> None:
    cueing = Cueing(nation(radar()))
    asked = [t for t in range(31) if cueing.step(t * NS, tracks(), NO_LINKS, {})]
    assert asked == [0, 5, 10, 15, 20, 25, 30]
    (cue,) = Cueing(nation(radar())).step(0, tracks(), NO_LINKS, {})
    assert cue.cause == ("track", "1")
    assert (cue.task.sensor, cue.task.about, cue.task.t_ns, cue.task.until_ns) == ("r0", "track 1", 0, 10 * NS)
    assert cue.task.x == tuple(tracks()["x"][0])
    assert cue.task.spread == pytest.approx(math.sqrt(100.0**2 + 10.0**2), rel=1e-9)  # as it will be after 10 s


def test_who_is_not_asked() -> None:
    local = radar(scheduling="local")
    assert Cueing(nation(local)).step(0, tracks(), NO_LINKS, {}) == []
    assert Cueing(nation(radar())).step(0, tracks(life=Life.TENTATIVE), NO_LINKS, {}) == []
    assert Cueing(nation(radar())).step(0, tracks(sigma=1.01 * VAGUE), NO_LINKS, {}) == []
    assert Cueing(nation(radar(sector=(90 * DEG, 180 * DEG)))).step(0, tracks(), NO_LINKS, {}) == []
    # a radar that holds it by itself, until that is some scans ago
    link = empty(ASSOCIATION, 1)
    link["track"], link["sensor"] = 1, 0
    cueing = Cueing(nation(radar(track_period=2.0)))
    assert cueing.step(0, tracks(), link, {}) == []
    asked = [t for t in range(1, 40) if cueing.step(t * NS, tracks(), NO_LINKS, {})]
    assert asked[0] == 17  # latency and three scans, and then over


def test_a_raid_is_asked_for_up_to_a_bound() -> None:
    assert len(Cueing(nation(radar())).step(0, tracks(MOST + 10), NO_LINKS, {})) == MOST


def test_a_partner_s_word_is_asked_for_until_there_is_an_own_track_or_it_is_taken_back() -> None:
    x, _, _, _ = true_flight()
    # a radar under the flight, a minute after its end of thrust
    later = np.empty(6)
    coast_to(x, BURN, BURN + 60.0, THETA0, -1.0, later)
    lat, lon, _ = ecef_to_geodetic(to_ecef(later[:3], THETA0 + OMEGA_GMST * (BURN + 60.0)))
    spec = nation(radar(lat=float(lat), lon=float(lon) + 0.06))
    t = round((BURN + 60.0) * NS)
    heard = [("b:0", word(5e3, 1.0))]
    (cue,) = Cueing(spec).step(t, empty(TRACK), NO_LINKS, {}, heard)
    assert cue.cause == ("envelope", "b:0")
    assert cue.task.about == "b/to:a/0"
    assert np.linalg.norm(np.array(cue.task.x[:3]) - later[:3]) < 3.0 * cue.task.spread
    assert 5e3 < cue.task.spread < 20e3
    # still burning: nobody knows where it is
    assert Cueing(spec).step(50 * NS, empty(TRACK), NO_LINKS, {}, heard) == []
    # an own track of the same event
    own = word(uid="a/own/0", partner="b/to:a/0", track=1)
    assert Cueing(spec).step(t, empty(TRACK), NO_LINKS, {"a/own/0": own}, heard) == []
    # taken back
    cueing = Cueing(spec)
    gone = msgspec.structs.replace(word(5e3, 1.0), status="cancelled")
    assert cueing.step(t, empty(TRACK), NO_LINKS, {}, [*heard, ("b:1", gone)]) == []
    # too vague, or without a point of impact
    vague = [("b:0", word(150e3, 1.0))]
    assert Cueing(spec).step(t, empty(TRACK), NO_LINKS, {}, vague) == []
    assert Cueing(spec).step(t, empty(TRACK), NO_LINKS, {}, [("b:0", word(impact=NOTHING))]) == []


def test_it_goes_on_from_its_state() -> None:
    spec = nation(radar())
    one, other = Cueing(spec), Cueing(spec)
    one.step(0, tracks(2), NO_LINKS, {}, [("b:0", word(5e3, 1.0))])
    other.load(msgspec.msgpack.decode(msgspec.msgpack.encode(one.state())))
    for t in range(1, 30):
        assert one.step(t * NS, tracks(2), NO_LINKS, {}) == other.step(t * NS, tracks(2), NO_LINKS, {})
    assert one.state() == other.state()
