"""What a scenario may say of sensors besides: searches, budgets, biases, glint, troubles; and what it may not."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.earth.frames import gmst82
from tocsin.scenario import Scenario, ScenarioError, catalogue
from tocsin.scenario.specs import NO_BIAS, Bias, Infrared, OverHorizon, Radar, StatusSpan

S = 1_000_000_000
FULL_RADAR = """kind: radar
        lat_deg: 10
        lon_deg: 20
        sector_deg: [300, 60]
        elevation_deg: [2, 80]
        range_km: [20, 3000]
        reference_range_km: 1500
        reference_snr_db: 15
        frequency_mhz: 435
        beam_deg: [2, 2]
        bandwidth_mhz: 1
        pfa: 1.0e-6
        false_per_scan: 0.1
        scan_period_s: 5
        latency_s: 2
        sigma_range_m: 30
        sigma_angle_deg: 0.1
"""
FULL_OTH = """kind: over-horizon
        lat_deg: 54
        lon_deg: 44
        sector_deg: [180, 360]
        range_km: [900, 3000]
        reference_range_km: 2000
        reference_rcs_m2: 30
        reference_snr_db: 10
        greatest_height_km: 100
        sigma_range_m: 15000
        sigma_azimuth_deg: 0.5
        pfa: 1.0e-4
        false_per_scan: 0.5
        scan_period_s: 20
        latency_s: 10
"""
RADAR, SATELLITE, OTH = FULL_RADAR, "from: sbirs-geo\n        longitude_deg: 90\n", FULL_OTH


def text(values: str, more: str = "", classes: str = "srbm:", rest: str = "") -> str:
    """A scenario of one sensor ``s`` with ``values`` and ``more`` lines of its own."""
    own = values + "".join(f"        {line}\n" for line in more.splitlines())
    return (
        "id: one\ntitle: One\nstart: 2020-01-01T00:00:00Z\nduration: 10 min\n"
        f"partners:\n  a:\n    sensors:\n      s:\n        {own}"
        f"classes:\n  {classes}\n{rest}"
    )


def split(*parts: str, **more: str):
    return Scenario.from_text(text(*parts, **more)).split(gmst82)


def actual(*parts: str):
    return split(*parts)[0].sensors[0].model


def declared(*parts: str):
    return split(*parts)[1]["a"].sensors[0].model


def told(*parts: str, **more: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_text(text(*parts, **more), "f.yaml")
    return [str(fault) for fault in caught.value.faults]


# ---- values ----------------------------------------------------------------------------------------------------------


def test_nothing_said_is_what_the_specs_leave_off():
    radar, satellite, oth = actual(RADAR), actual(SATELLITE), actual(OTH)
    assert isinstance(radar, Radar)
    assert isinstance(satellite, Infrared)
    assert isinstance(oth, OverHorizon)
    for model in (radar, satellite, oth):
        for field in model.__struct_fields__[-len(model.__struct_defaults__) :]:
            if field not in ("doppler", "sigma_rate"):
                default = model.__struct_defaults__[model.__struct_fields__.index(field) - len(model.__struct_fields__)]
                assert getattr(model, field) == default, field


def test_a_radar_with_everything():
    model = actual(
        RADAR,
        "swerling: 3\nfence_deg: [3, 7]\ntrack_period_s: 1\ndwell_s: 0.016\nsearch_share: 0.3\nresolution: true\n"
        "refraction_mrad: 0.4\nterrain_deg: [[0, 1.5], [90, 3], [270, 0]]\nscheduling: cued\n"
        "bias: {range_m: 50, azimuth_deg: 0.1, elevation_deg: -0.2, rate_m_s: 3, slow: {range_m: 20}, tau_s: 900}",
    )
    rad = math.radians
    assert (model.swerling, model.track_period, model.dwell, model.search_share) == (3, 1.0, 0.016, 0.3)
    assert (model.resolution, model.refraction, model.scheduling) == (True, pytest.approx(4e-4), "cued")
    assert model.fence == pytest.approx((rad(3), rad(7)))
    assert model.terrain == ((0.0, rad(1.5)), (rad(90), rad(3)), (rad(270), 0.0))
    assert model.bias == Bias((50.0, rad(0.1), rad(-0.2), 3.0), (20.0, 0.0, 0.0, 0.0), 900.0)


def test_a_satellite_with_everything():
    model = actual(
        SATELLITE,
        "staring: true\nsun_exclusion_deg: 10\nglint_lobe_deg: 2\nglint_intensity_kw_sr: 300\nglint_fields: 4\n"
        "least_body_kw_sr: 0.02\nbias: {azimuth_deg: 0.01, slow: {elevation_deg: 0.002}}",
    )
    rad = math.radians
    assert model.staring
    assert (model.sun_exclusion, model.glint_lobe) == (pytest.approx(rad(10)), pytest.approx(rad(2)))
    assert (model.glint_intensity, model.glint_fields, model.least_body) == (3e5, 4.0, 20.0)
    # in the order of what it measures: azimuth, elevation
    assert model.bias == Bias((rad(0.01), 0.0, 0.0, 0.0), (0.0, rad(0.002), 0.0, 0.0), 600.0)


def test_an_over_the_horizon_radar_with_everything():
    model = actual(OTH, "availability: 0.7\nspell_s: 600\nbias: {range_m: 8000, azimuth_deg: 0.5}")
    rad = math.radians
    assert model == OverHorizon(
        lat=rad(54), lon=rad(44), h=0.0, sector=(math.pi, 0.0), range_min=9e5, range_max=3e6, reference_range=2e6,
        reference_rcs=30.0, reference_snr=10.0, greatest_height=1e5, sigma_range=15e3, sigma_azimuth=rad(0.5),
        pfa=1e-4, false_per_scan=0.5, scan_period=20.0, latency=10.0, availability=0.7, spell=600.0,
        bias=Bias((8000.0, rad(0.5), 0.0, 0.0)),
    )  # fmt: skip


def test_the_two_over_the_horizon_radars_of_the_catalogue():
    kovylkino, amur = catalogue.sensor("RU-KONTEINER-KOVYLKINO"), catalogue.sensor("RU-KONTEINER-AMUR")
    assert kovylkino.kind == amur.kind == "over-horizon"
    assert kovylkino.values["range_km"].value == (900, 3000)  # as published; the rest is notional
    unsaid = set(catalogue.family("over-the-horizon").values)
    assert all(kovylkino.values[name].status == "notional" for name in unsaid)
    assert kovylkino.usable
    assert amur.needs == ("sector_deg",)
    assert isinstance(actual("from: RU-KONTEINER-AMUR\n", "sector_deg: [60, 180]"), OverHorizon)


def test_declared_and_actual_differ_where_the_scenario_says():
    more = "bias: {range_m: 5}\nactual: {bias: {range_m: 80, slow: {azimuth_deg: 0.05}}, swerling: 0, pfa: 1.0e-4}"
    so, said = actual(RADAR, more), declared(RADAR, more)
    assert said.bias == Bias((5.0, 0.0, 0.0, 0.0))
    assert so.bias == Bias((80.0, 0.0, 0.0, 0.0), (0.0, math.radians(0.05), 0.0, 0.0))
    assert (said.swerling, so.swerling, said.pfa, so.pfa) == (1, 0, 1e-6, 1e-4)


def test_the_nation_is_not_told_what_is_so_nor_what_goes_wrong():
    more = "actual: {refraction_mrad: 0.123}\nstatus: [{from: T+00:10, what: jammed, noise_db: 7, declared: false}]"
    world, nations = split(RADAR, more)
    assert len(world.statuses) == 1
    assert nations["a"].sensors[0].model.refraction == 0.0
    assert "StatusSpan" not in repr(nations["a"])


@pytest.mark.parametrize("antenna", ["gain_db: 38.6", "aperture_m2: {area}", "gain_db: 38.6, aperture_m2: {area}"])
def test_a_range_from_the_radar_equation(antenna):
    from tocsin.sensing.radar import aperture_of, radar_range

    area = aperture_of(10**3.86, 435e6)
    equation = f"power_kw: 609, dwell_s: 0.016, temperature_k: 450, loss_db: 7, {antenna.format(area=area)}"
    values = RADAR.replace("reference_range_km: 1500", f"equation: {{{equation}}}")
    wanted = radar_range(609e3, 10**3.86, area, 0.016, 10**1.5, temperature=450.0, loss=10**0.7)
    assert actual(values).reference_range == pytest.approx(float(wanted), rel=1e-9)
    # 1,878, 3,339, 5,938 km for 0.1, 1 and 10 m2: public figures for such a face
    assert actual(values).reference_range == pytest.approx(3339e3, rel=0.01)
    # over a catalogue's own range, and in what is so alone
    assert actual("from: US-BEALE\n", f"equation: {{{equation}}}").reference_range == pytest.approx(wanted)
    less = f"actual: {{equation: {{{equation}}}, reference_snr_db: 27}}"
    assert actual(RADAR, less).reference_range == pytest.approx(wanted * 10 ** (-12 / 40))
    assert declared(RADAR, less).reference_range == 1.5e6
    assert actual(values, "actual: {reference_snr_db: 27}").reference_range == pytest.approx(wanted * 10 ** (-12 / 40))


def test_a_class_with_a_trough_and_a_warm_body():
    classes = "srbm:\n    truth: {trough: {from_km: 15, to_km: 50, factor: 0.2}, warm_w_sr: 12 +- 2}"
    world, nations = split(RADAR, classes=classes)
    assert world.classes[0].trough == (15e3, 50e3, 0.2)
    assert (world.classes[0].warm.nominal, world.classes[0].warm.spread) == (12.0, 2.0)
    assert nations["a"].classes[0].trough == world.classes[0].trough
    believed = classes + "\n    belief: {warm_w_sr: 5}"
    assert split(RADAR, classes=believed)[1]["a"].classes[0].warm.nominal == 5.0
    plain = split(RADAR)[0].classes[0]
    assert (plain.trough, plain.warm.nominal) == ((70e3, 90e3, 0.3), 30.0)
    none = split(RADAR, classes="srbm:\n    truth: {trough: {from_km: 70, to_km: 90, factor: 1}, warm_w_sr: 0}")
    assert (none[0].classes[0].trough[2], none[0].classes[0].warm.nominal) == (1.0, 0.0)


# ---- troubles --------------------------------------------------------------------------------------------------------

STATUS = """status:
  - {from: T+00:10, until: T+01:00, what: degraded, loss_db: 3}
  - {from: 2020-01-01T00:02:00Z, what: silent}
  - {from: T+00:00, until: T+00:05, what: jammed, noise_db: 20, declared: false}
  - {from: T+00:05, until: T+05:00, what: delayed, delay_s: 12.5}
  - {from: T+04:00, until: T+05:00, what: biased, bias: {range_m: 300, slow: {range_m: 10}, tau_s: 60}}"""


def test_spans_of_trouble():
    spans = split(RADAR, STATUS)[0].statuses
    assert spans == (
        StatusSpan("s", 0, 5 * S, "jammed", pytest.approx(100.0), NO_BIAS, False),
        StatusSpan("s", 5 * S, 300 * S, "delayed", 12.5),
        StatusSpan("s", 10 * S, 60 * S, "degraded", pytest.approx(10**-0.3)),
        StatusSpan("s", 120 * S, 600 * S, "silent"),  # to the end of the scenario
        StatusSpan("s", 240 * S, 300 * S, "biased", 0.0, Bias((300.0, 0, 0, 0), (10.0, 0, 0, 0), 60.0)),
    )
    scenario = Scenario.from_text(text(RADAR, STATUS))
    assert Scenario.from_text(scenario.to_yaml()) == scenario


def test_injects_that_do_something_to_a_sensor():
    rest = """injects:
  - {id: a, at: T+01:00, until: T+02:00, act: sensor.degrade, target: s, loss_db: 10}
  - {id: b, at: T+01:00, act: sensor.jam, target: s, noise_db: 30, declared: false}
  - {id: c, at: T+01:00, act: sensor.delay, target: s, delay_s: 9}
  - {id: d, at: T+01:00, act: sensor.bias, target: s, bias: {azimuth_deg: 1}}
"""
    injects = split(SATELLITE, rest=rest)[0].injects
    assert [i.amount for i in injects] == pytest.approx([0.1, 1000.0, 9.0, 0.0])
    assert [i.declared for i in injects] == [True, False, True, True]
    assert injects[3].bias == Bias((math.radians(1.0), 0.0, 0.0, 0.0))  # of a line of sight: azimuth comes first


# ---- what is refused -------------------------------------------------------------------------------------------------

FAULTS = [
    # (values, more, path, part of what is said)
    (RADAR.replace("[2, 80]", "[80, 2]"), "", "elevation_deg", "found [80, 2]; allowed: two growing values from -5"),
    (RADAR.replace("[2, 80]", "[10, 170]"), "", "elevation_deg", "two growing values from -5 to 90"),  # over the zenith
    (RADAR.replace("[20, 3000]", "[3000, 20]"), "", "range_km", "two growing values from 0 to 60000"),
    (RADAR.replace("[300, 60]", "[300, 420]"), "", "sector_deg.1", "at most 360"),
    (RADAR.replace("[300, 60]", "[-60, 60]"), "", "sector_deg.0", "at least 0"),
    (RADAR.replace("1.0e-6", "1.5"), "", "pfa", "at most 0.1"),
    (RADAR.replace("1.0e-6", "0"), "", "pfa", "over 0"),
    (RADAR, "search_share: 1.5", "search_share", "at most 1"),
    (RADAR, "search_share: 0", "search_share", "over 0"),
    (RADAR, "swerling: 2", "swerling", "0, 1 or 3"),
    (RADAR, "swerling: true", "swerling", "0, 1 or 3"),
    (RADAR, "scheduling: best", "scheduling", "local or cued"),
    (RADAR, "fence_deg: [7, 3]", "fence_deg", "found [7, 3]; allowed: two growing values"),
    (RADAR, "fence_deg: [1, 7]", "fence_deg", "elevations within elevation_deg [2, 80]"),
    (RADAR, "dwell_s: 6", "dwell_s", "found 6 over scan_period_s 5; allowed: looks no longer than a scan"),
    (RADAR, "dwell_s: -1", "dwell_s", "at least 0"),
    (RADAR, "track_period_s: -1", "track_period_s", "at least 0"),
    (RADAR, "refraction_mrad: -1", "refraction_mrad", "at least 0"),
    (RADAR, "terrain_deg: [[90, 1], [10, 2]]", "terrain_deg", "azimuths that do not rise"),
    (RADAR, "terrain_deg: [[0, 1], [360, 2]]", "terrain_deg", "azimuths rising under 360"),
    (RADAR, "terrain_deg: [[0, 95]]", "terrain_deg.0.1", "at most 90"),
    (RADAR, "equation: {power_kw: 1, dwell_s: 1, gain_db: 30}", "equation", "it and reference_range_km"),
    (RADAR.replace("reference_range_km: 1500", "equation: {power_kw: -600, dwell_s: 1, gain_db: 30}"), "",
     "equation.power_kw", "found -600; allowed: over 0"),
    (RADAR.replace("reference_range_km: 1500", "equation: {power_kw: 600, dwell_s: 1}"), "",
     "equation", "aperture_m2, gain_db, or both"),
    (RADAR, "availability: 0.5", "availability", "'availability' for a radar"),
    (RADAR, "glint_lobe_deg: 3", "glint_lobe_deg", "'glint_lobe_deg' for a radar"),
    (RADAR, "bias: {range: 3}", "bias.range", "the unknown key 'range'"),
    (RADAR, "bias: {slow: {range_m: -3}}", "bias.slow.range_m", "at least 0"),
    (RADAR, "bias: {tau_s: 0}", "bias.tau_s", "over 0"),
    (RADAR, "actual: {elevation_deg: [50, 20]}", "actual.elevation_deg", "two growing values"),
    (RADAR, "actual: {fence_deg: [50, 20]}", "actual.fence_deg", "two growing values"),
    (SATELLITE, "bias: {range_m: 3}", "bias.range_m", "'range_m' for an infrared satellite; allowed: azimuth_deg, "),
    (SATELLITE, "bias: {slow: {rate_m_s: 3}}", "bias.slow.rate_m_s", "for an infrared satellite"),
    (SATELLITE, "actual: {bias: {range_m: 3}}", "actual.bias.range_m", "for an infrared satellite"),
    (SATELLITE, "glint_lobe_deg: 3", "glint_lobe_deg", "all of them over 0, or none"),
    (SATELLITE, "glint_fields: 3\nglint_intensity_kw_sr: 4", "glint_intensity_kw_sr", "all of them over 0, or none"),
    (SATELLITE, "glint_lobe_deg: 50", "glint_lobe_deg", "at most 45"),
    (SATELLITE, "sun_exclusion_deg: 100", "sun_exclusion_deg", "at most 90"),
    (SATELLITE, "least_body_kw_sr: -1", "least_body_kw_sr", "at least 0"),
    (SATELLITE, "swerling: 1", "swerling", "'swerling' for an infrared satellite"),
    (OTH, "elevation_deg: [1, 2]", "elevation_deg", "'elevation_deg' for an over-the-horizon radar"),
    (OTH, "bias: {elevation_deg: 1}", "bias.elevation_deg", "allowed: range_m, azimuth_deg"),
    (OTH, "availability: 1.2", "availability", "at most 1"),
    (OTH, "availability: 0", "availability", "over 0"),
    (OTH.replace("reference_rcs_m2: 30", "reference_rcs_m2: 0"), "", "reference_rcs_m2", "over 0"),
    (OTH.replace("[900, 3000]", "[3000, 900]"), "", "range_km", "two growing values"),
    (OTH.replace("[900, 3000]", "[0, 3000]"), "", "range_km", "two growing values from 1 to 19900"),
    (OTH.replace("        reference_rcs_m2: 30\n", ""), "", "", "reference_rcs_m2"),
    (RADAR, "status: [{from: T+02:00, until: T+01:00, what: silent}]", "status.0.until", "a time after `from`"),
    (RADAR, "status: [{from: T+02:00, until: T+02:00, what: silent}]", "status.0.until", "a time after `from`"),
    (RADAR, "status: [{from: T+20:00, what: silent}]", "status.0.from", "a status after the end"),
    (RADAR, "status: [{from: 2019-01-01T00:00:00Z, what: silent}]", "status.0.from", "a status before the start"),
    (RADAR, "status: [{from: T+01:00, what: tired}]", "status.0.what", "silent, degraded, jammed, delayed or biased"),
    (RADAR, "status: [{from: T+01:00, what: jammed}]", "status.0", "'jammed' without noise_db"),
    (RADAR, "status: [{from: T+01:00, what: silent, delay_s: 3}]", "status.0.delay_s",
     "delay_s for 'silent'; allowed: no such key"),
    (RADAR, "status: [{from: T+01:00, what: degraded, loss_db: 3, noise_db: 3}]", "status.0.noise_db",
     "noise_db for 'degraded'; allowed: loss_db alone"),
    (RADAR, "status: [{from: T+01:00, what: degraded, loss_db: -3}]", "status.0.loss_db", "over 0"),
    (SATELLITE, "status: [{from: T+01:00, what: biased, bias: {range_m: 5}}]", "status.0.bias.range_m",
     "for an infrared satellite"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "more", "path", "said"), FAULTS, ids=[f"{k}:{f[2]}" for k, f in enumerate(FAULTS)])
def test_each_fault_is_told_once_with_its_place(values, more, path, said):
    found = told(values, more)
    assert len(found) == 1, found
    place = "partners.a.sensors.s" + (f".{path}" if path else "")
    assert re.search(rf":\d+: {re.escape(place)}: ", found[0]), found
    assert said in found[0]


INJECT_FAULTS = [
    ("act: sensor.jam, target: s", "injects.0", "'jammed' without noise_db"),
    ("act: sensor.jam, target: t, noise_db: 3", "injects.0.target", "a sensor of this scenario"),
    ("act: sensor.degrade, target: s, loss_db: 0", "injects.0.loss_db", "over 0"),
    ("act: sensor.silence, target: s, delay_s: 3", "injects.0.delay_s", "delay_s for 'silent'"),
    ("act: sensor.silence, target: s, declared: false", "injects.0.declared", "declared for sensor.silence"),
    ("act: sensor.bias, target: s, bias: {range_m: 3}", "injects.0.bias.range_m", "for an infrared satellite"),
    ("act: sensor.delay, target: s, delay_s: 3, until: T+00:30", "injects.0.until", "a time after `at`"),
]


@pytest.mark.parametrize(("inject", "path", "said"), INJECT_FAULTS)
def test_each_fault_of_an_inject(inject, path, said):
    found = told(SATELLITE, rest=f"injects:\n  - {{id: i, at: T+01:00, {inject}}}\n")
    assert len(found) == 1, found
    assert f" {path}: " in found[0]
    assert said in found[0]


@pytest.mark.parametrize(
    ("trough", "said"),
    [
        ("{from_km: 50, to_km: 15, factor: 0.2}", "from_km under to_km"),
        ("{from_km: 15, to_km: 50, factor: 1.2}", "at most 1"),
        ("{from_km: 15, to_km: 50, factor: 0}", "over 0"),
    ],
)
def test_a_trough_that_is_none(trough, said):
    (found,) = told(RADAR, classes=f"srbm:\n    truth: {{trough: {trough}}}")
    assert "classes.srbm.truth.trough" in found
    assert said in found


@pytest.mark.parametrize("rcs", ["rcs_m2: 0", "rcs_boost_m2: 0", "rcs_m2: 1 +- 0.4"])
def test_a_cross_section_of_nothing(rcs):
    (found,) = told(RADAR, classes=f"srbm:\n    truth: {{{rcs}}}")
    assert "over 0 three spreads below" in found


# ---- right by definition ---------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 360), st.integers(0, 360))
def test_a_sector_runs_clockwise_from_the_first_to_the_second_whichever_is_greater(start, end):
    """There is no wrong way round: [60, 300] and [300, 60] are the two parts of the circle."""
    model = actual(RADAR.replace("[300, 60]", f"[{start}, {end}]"))
    width = math.degrees(model.sector[1] - model.sector[0]) % 360.0 or 360.0
    assert width == pytest.approx((end - start) % 360 or 360)
    # the faces stand within it, at equal distances
    for azimuth, _ in model.boresights:
        assert 0.0 < (math.degrees(azimuth) - start) % 360.0 < width or width == pytest.approx(360.0)
    assert len(model.boresights) == math.ceil(round(width) / 120)


def test_a_sector_through_north_sees_north_and_its_mirror_does_not():
    """The same two azimuths both ways round, against what flies to the north of the radar."""
    import numpy as np

    from tocsin.dynamics.ephemeris import Ephemeris
    from tocsin.earth import wgs84
    from tocsin.earth.frames import to_eci
    from tocsin.scenario.specs import Sensor
    from tocsin.sensing.rig import Rig
    from tocsin.sensing.targets import Targets

    at = np.concatenate([to_eci(wgs84.geodetic_to_ecef([math.radians(15), math.radians(20), 400e3]), 1.0), np.zeros(3)])
    nodes = np.stack([np.concatenate([[t], at, np.zeros(3)]) for t in (0.0, 10.0)])
    what = Targets.of(Ephemeris([0], [nodes]), [7], [[50.0, 50.0]], [0], ())
    seen = {}
    for sector in ("[300, 60]", "[60, 300]"):
        model = actual(RADAR.replace("[300, 60]", sector))
        seen[sector] = len(Rig((Sensor(0, "s", "s", "a", model),), 1.0, 1).step(0, 10 * S, what).detections)
    assert seen["[300, 60]"] > 0
    assert seen["[60, 300]"] == 0


@pytest.mark.parametrize(("edge", "inside"), [(80, 85), (-80, -85)])
def test_an_area_around_a_pole_is_the_cap(edge, inside):
    from tocsin.earth.polygons import contains

    rest = f"    areas: {{cap: {{polygon: [[0, {edge}], [90, {edge}], [180, {edge}], [-90, {edge}]]}}}}\n"
    one = text(RADAR).replace("classes:", rest + "classes:", 1)
    rings = Scenario.from_text(one).split(gmst82)[1]["a"].areas[0].rings
    lat = [math.radians(v) for v in (inside, inside, math.copysign(90, edge), 60 if edge > 0 else -60, -inside)]
    lon = [math.radians(v) for v in (30, -170, 0, 30, 30)]
    assert contains(rings, lat, lon).tolist() == [True, True, True, False, False]


def test_a_fence_is_held_to_what_is_so_too():
    (found,) = told(RADAR, "fence_deg: [3, 7]\nactual: {elevation_deg: [5, 60]}")
    assert "partners.a.sensors.s.actual.fence_deg" in found
    assert "found [3, 7]; allowed: elevations within elevation_deg [5, 60]" in found


@pytest.mark.parametrize("value", ["0", "-1", "0 +- 0.1", ".nan"])
@pytest.mark.parametrize("key", ["rcs_m2", "rcs_boost_m2"])
def test_a_cross_section_of_nothing_is_refused(key, value):
    found = told(RADAR, classes=f"srbm:\n    truth: {{{key}: {value}}}")
    assert found
    assert all(f"classes.srbm.truth.{key}" in line for line in found)
