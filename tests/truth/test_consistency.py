"""Published figures against modelled flights: how figures are read, that what one flight gives goes together, Kepler's
closed form for the sensitivity, the tolerance as JCGM 100 puts it together, what cannot be flown."""

import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.scenario import catalogue
from tocsin.truth import consistency as c

HERE = c.Place(math.radians(39.2), math.radians(125.67), math.radians(73.0))
MU, EARTH = 3.986004418e14, 6.371e6


@cache
def bundled(name):
    return catalogue.flight_class(name, catalogue.class_entry(name), "truth")


def figures(apogee=None, distance=None, time=None):
    return (
        apogee and c.kilometres(apogee, "apogee", c.GREATEST_APOGEE),
        distance and c.kilometres(distance, "range", c.GREATEST_RANGE),
        time and c.duration(time, "time"),
    )


def ask(*given, classes=("irbm-liquid",), place=HERE):
    return c.check(*figures(*given), [bundled(name) for name in classes], place, len(classes) == 1)


# ---- figures as printed


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("550", 550e3, 5e3),
        ("2700", 2700e3, 50e3),
        ("4475", 4475e3, 0.5e3),
        ("3724.9", 3724.9e3, 50.0),
        ("787.0", 787e3, 50.0),
        ("1000", 1000e3, 25e3),  # not 500 km: at most 2.5 %
        ("90", 90e3, 2.25e3),
    ],
)
def test_a_length_is_as_exact_as_it_is_printed(text, value, half):
    found = c.kilometres(text, "apogee", 6e7)
    assert (found.value, found.half) == (pytest.approx(value), pytest.approx(half))


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("14min", 840.0, 30.0),
        ("14 min", 840.0, 30.0),
        ("47min12s", 2832.0, 0.5),
        ("47 min 12 s", 2832.0, 0.5),
        ("47:12", 2832.0, 0.5),
        ("1:02:03", 3723.0, 0.5),
        ("2832", 2832.0, 0.5),
        ("2830s", 2830.0, 0.5),
        ("13.5min", 810.0, 3.0),
        ("1h5min", 3900.0, 30.0),
        ("12.25s", 12.25, 0.005),
    ],
)
def test_a_time_is_as_exact_as_its_smallest_part(text, value, half):
    found = c.duration(text, "time")
    assert (found.value, found.half) == (pytest.approx(value), pytest.approx(half))


@given(st.integers(1, 43_200))
def test_every_time_reads_as_it_was_written(seconds):
    h, m, s = seconds // 3600, seconds // 60 % 60, seconds % 60
    for text in (f"{seconds}", f"{h}h{m}min{s}s", f"{h}:{m:02d}:{s:02d}", f"{seconds // 60}:{s:02d}"):
        assert c.duration(text, "time").value == seconds


@pytest.mark.parametrize("text", ["", "nan", "inf", "-5", "0", "1e3", "6000000", "five", "55 0", "0.0"])
def test_a_length_that_is_none_is_refused(text):
    with pytest.raises(c.FiguresError, match=r"^--apogee-km: '.*'; allowed: a number of km above 0, up to 60,000"):
        c.kilometres(text, "--apogee-km", c.GREATEST_APOGEE)


@pytest.mark.parametrize("text", ["", "nan", "-14min", "0", "14m", "14min 2h", "5s5s", "12:61", "13h", "43201", "min"])
def test_a_time_that_is_none_is_refused(text):
    with pytest.raises(c.FiguresError, match=r"^--flight-time: '.*'; allowed: a time up to 12 h such as 14min"):
        c.duration(text, "--flight-time")


@pytest.mark.parametrize("text", ["", "95,10", "10", "10,20,30", "a,b", "nan,0", "0,181"])
def test_a_site_that_is_none_is_refused(text):
    with pytest.raises(c.FiguresError, match=r"^site: '.*'; allowed: LAT,LON in degrees"):
        c.place(text, None)


@pytest.mark.parametrize("azimuth", [-1.0, 361.0, math.nan])
def test_an_azimuth_that_is_none_is_refused(azimuth):
    with pytest.raises(c.FiguresError, match=r"azimuth: .*; allowed: 0 to 360 degrees"):
        c.place(None, azimuth)


def test_a_place_is_in_radians_and_knows_what_was_not_given():
    assert c.place("39.2,125.67", 73.0) == HERE
    assert HERE.others() == []
    assert len(c.place(None, None).others()) == 8
    assert {lat for lat, _ in c.place("10,20", None).others()} == {math.radians(10.0)}


# ---- flights


FLOWN = {"srbm": (100e3, 400e3), "mrbm": (300e3, 1200e3), "irbm-liquid": (800e3, 2500e3), "icbm-liquid": (1500e3, 8e6)}


@settings(max_examples=2)
@given(st.sampled_from(sorted(FLOWN)), st.floats(0.9, 1.15), st.floats(0.85, 1.1))
def test_what_one_flight_gives_goes_together_and_each_pair_implies_the_third(name, up, far):
    apogee, distance = FLOWN[name][0] * up, FLOWN[name][1] * far
    one = c.nominal_class(bundled(name))
    flight = c.fly(one, HERE, distance, apogee)
    t = flight.impact_ns * 1e-9
    assert min(abs(x - apogee) for x in c.apogees(one, HERE, distance, t).values) < 200.0
    assert min(abs(x - distance) for x in c.ranges(one, HERE, apogee, t).values) < 2000.0
    answer = ask(f"{apogee / 1e3:.3f}", f"{distance / 1e3:.3f}", f"{t:.2f}s", classes=(name,))
    assert answer.consistent
    assert answer.error_s == pytest.approx(0.0, abs=0.05)
    assert answer.thrust_s == pytest.approx(flight.cutoff_ns * 1e-9, rel=0.01)


def test_a_time_outside_the_tolerance_does_not_go_with_the_others():
    first = ask("2111.5", "787", None)
    for sign in (1, -1):
        moved = ask("2111.5", "787", f"{first.time_s + sign * 130.0:.0f}s")
        assert not moved.consistent
        assert moved.error_s == pytest.approx(-sign * 130.0, abs=0.6)
        assert abs(moved.error_s) > moved.tolerance_s


def test_the_tolerance_is_twice_the_root_of_the_sum_of_squares():
    answer = ask("550", "2700", "14min", place=c.Place())
    assert set(answer.parts) == {"time", "apogee", "range", "class", "thrust", "where"}
    assert answer.tolerance_s == pytest.approx(2.0 * math.sqrt(sum(part**2 for part in answer.parts.values())))
    # an even distribution of half width 30 s has a standard deviation of 30 / sqrt(3) (JCGM 100:2008, 4.3.7)
    assert answer.parts["time"] == pytest.approx(30.0 / math.sqrt(3.0))
    assert answer.parts["range"] == pytest.approx(answer.per_range * 50 / 27 / math.sqrt(3.0))
    assert all(part > 0.0 for part in answer.parts.values())


def test_what_is_given_narrows_the_tolerance():
    # without a time only its tolerance is asked for, which is soon had
    nowhere, site, all_given = (
        ask("550", "2700", None, place=place) for place in (c.Place(), c.Place(HERE.lat, HERE.lon), HERE)
    )
    assert nowhere.parts["where"] >= site.parts["where"] > all_given.parts["where"] == 0.0
    exact = ask("550.0", "2700.0", None)
    assert exact.tolerance_s < all_given.tolerance_s


def test_a_longer_thrust_gives_the_same_speed():
    one = c.nominal_class(bundled("icbm-liquid"))
    longer = c.stretched(one, 1.25)
    for a, b in zip(one.stages, longer.stages, strict=True):
        gains = [
            -s.exhaust.nominal * math.log(1.0 - s.burn.nominal * s.thrust.nominal / s.exhaust.nominal) for s in (a, b)
        ]
        assert gains[0] == pytest.approx(gains[1])
        assert b.burn.nominal == pytest.approx(1.25 * a.burn.nominal)


def kepler_time(apogee, low):
    """Rise from a height to an apogee and fall to the ground (m, s), straight up (closed form)."""
    top = EARTH + apogee

    def fall(height):
        x = (EARTH + height) / top
        return math.sqrt(top**3 / (2.0 * MU)) * (math.acos(math.sqrt(x)) + math.sqrt(x * (1.0 - x)))

    return fall(low) + fall(0.0)


@pytest.mark.parametrize(("apogee", "name"), [("2111.5", "irbm-liquid"), ("3724.9", "icbm-liquid")])
def test_a_lofted_flight_changes_with_its_apogee_as_a_radial_ellipse(apogee, name):
    answer = ask(apogee, "800", classes=(name,))
    h = float(apogee) * 1e3
    expected = kepler_time(1.005 * h, 0.0) - kepler_time(0.995 * h, 0.0)
    assert answer.per_apogee == pytest.approx(expected, rel=0.05)


def test_a_flight_with_the_turning_earth_takes_longer():
    one = c.nominal_class(bundled("irbm-liquid"))
    east, north, west = (
        c.fly(one, HERE, 2.7e6, 5.5e5, (HERE.lat, math.radians(az))).impact_ns for az in (90.0, 0.0, 270.0)
    )
    assert east > north > west


def test_of_several_classes_the_best_is_judged():
    names = ("srbm", "irbm-liquid", "slbm")
    answer = ask("550", "2700", "950s", classes=names)
    assert [one.id for one in answer.classes] == ["irbm-liquid", "slbm"]  # the first cannot
    alone = [ask("550", "2700", "950s", classes=(one.id,)) for one in answer.classes]
    assert answer.judged == min(alone, key=lambda a: abs(a.error_s) / a.tolerance_s).judged
    assert answer.consistent == any(a.consistent for a in alone)


def test_two_figures_imply_the_third():
    time = ask("550", "2700", None)
    assert (time.consistent, time.error_s, time.class_given) == (True, None, True)
    apogee = ask(None, "2700", f"{time.time_s:.2f}s")
    assert apogee.apogees.values == pytest.approx([550e3], abs=200.0)
    assert apogee.time_s == pytest.approx(time.time_s, abs=0.02)
    distance = ask("550", None, f"{time.time_s:.2f}s", classes=("irbm-liquid", "slbm"))
    assert distance.implied_by_class["irbm-liquid"].values == pytest.approx([2700e3], abs=2000.0)
    assert set(distance.implied_by_class) == {"irbm-liquid", "slbm"}


# ---- what cannot be


def test_fewer_than_two_figures_are_refused():
    with pytest.raises(c.FiguresError, match=r"^give at least two of apogee, range and flight time$"):
        ask("550", None, None)


def test_no_class_is_refused():
    with pytest.raises(c.FiguresError, match=r"^no class to fly with$"):
        c.check(*figures("550", "2700", "14min"), [], HERE, False)


def test_a_pair_that_a_class_cannot_fly_is_refused_with_the_nearest():
    with pytest.raises(c.FiguresError, match=r"class irbm-liquid cannot fly .* apogees lie between .*; nearest: .* km"):
        ask("5000", "2700", "14min")


def test_a_pair_that_no_class_can_fly_is_refused_with_the_nearest():
    with pytest.raises(c.FiguresError, match=r"^none of 2 classes can; the nearest flight is this one's: class mrbm "):
        ask("2000", "6000", "30min", classes=("srbm", "mrbm"))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (
            (None, "2700", "5min"),
            r"^a range of 2700 km does not go with a flight time of 5min: nearest is \d+ s with an",
        ),
        (
            ("550", None, "1h"),
            r"^an apogee of 550 km does not go with a flight time of 1h: nearest is \d+ s with a range",
        ),
        ((None, "9000", "30min"), "^a range of 9000 km cannot be flown by irbm-liquid$"),
    ],
)
def test_a_time_that_does_not_go_with_the_other_is_refused_with_the_nearest(given, match):
    with pytest.raises(c.FiguresError, match=match):
        ask(*given)
