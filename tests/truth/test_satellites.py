"""Satellites as bodies against SGP4 itself and against what is stated of old elements."""

import dataclasses
import math

import numpy as np
import pytest

from tocsin.dynamics.elements import ElementSets
from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.orbit import geo_slot, orbit_states
from tocsin.scenario.specs import Orbit, OrbitObject
from tocsin.truth.satellites import SatelliteImpossible, satellite_body

# AIAA 2006-6753: a station's height with drag, Molniya 2-14, a geostationary one, one that decays
LOW = """1 06251U 62025E   06176.82412014  .00008885  00000-0  12808-3 0  3985
2 06251  58.0579  54.0425 0030035 139.1568 221.1854 15.56387291  6774"""
MOLNIYA = """1 08195U 75081A   06176.33215444  .00000099  00000-0  11873-3 0   813
2 08195  64.1586 279.0717 6877146 264.7651  20.2257  2.00491383225656"""
GEO = """1 28626U 05008A   06176.46683397 -.00000205  00000-0  10000-3 0  2190
2 28626   0.0019 286.9433 0000335  13.7918  55.6504  1.00270176  4891"""
DECAYS = """1 28872U 05037B   05333.02012661  .25992681  00000-0  24476-3 0  1534
2 28872  96.4736 157.9986 0303955 244.0492 110.6523 16.46015938 10708"""
HOUR = 3600 * 10**9
START, END = 600 * 10**9, 14 * HOUR


def thing(lines, **given):
    fields = {"elements": None, "element_set": lines, "age_error": False} | given
    return OrbitObject("sat", "ab" * 16, "", fields["elements"], fields["element_set"], 2.0, fields["age_error"])


def states(body, times):
    return Ephemeris([body.start_ns], [body.nodes]).states(0, times)


@pytest.mark.parametrize("lines", [LOW, MOLNIYA, GEO])
def test_within_a_metre_of_sgp4(lines):
    sets = ElementSets.read(lines)
    unix_ns = int(sets.epoch_ns[0]) + 20 * HOUR
    body = satellite_body(thing(lines), START, END, unix_ns, 1)
    assert (body.kind, body.start_ns, body.rcs) == ("orbit", START, 2.0)
    times = np.linspace(START, END, 1500).astype(np.int64)
    x, theirs = states(body, times), sets.states(unix_ns + times)[0]
    assert np.linalg.norm(x[:, :3] - theirs[:, :3], axis=1).max() < 0.5
    # SGP4's velocity is not quite the derivative of its position
    assert np.linalg.norm(x[:, 3:] - theirs[:, 3:], axis=1).max() < 2.0
    assert body.facts["age_s"] == pytest.approx(20 * 3600 + 600)
    assert len(body.nodes) < 400
    assert Ephemeris([START], [body.nodes]).span(0) == (START, END)


def test_the_velocity_is_the_derivative_of_the_position():
    unix_ns = int(ElementSets.read(LOW).epoch_ns[0])
    body = satellite_body(thing(LOW), START, END, unix_ns, 1)
    t = np.arange(2 * START, END - START, 777 * 10**9)
    step = 10**9
    v = (states(body, t + step)[:, :3] - states(body, t - step)[:, :3]) / 2.0
    # central differences over 2 s are off by n^2 v / 6: 2 mm/s
    assert np.linalg.norm(v - states(body, t)[:, 3:], axis=1).max() < 0.005


def test_notional_elements_are_followed():
    slot = geo_slot(0.3, 1.0)
    body = satellite_body(thing("", elements=slot), START, END, 0, 1)
    times = np.linspace(START, END, 500).astype(np.int64)
    off = states(body, times) - orbit_states(slot, times)
    assert np.linalg.norm(off[:, :3], axis=1).max() < 0.5
    assert np.linalg.norm(off[:, 3:], axis=1).max() < 0.01
    assert body.facts["perigee"] == pytest.approx(35_786e3, abs=3e3)


def test_beside_old_elements_by_what_is_stated():
    unix_ns = int(ElementSets.read(LOW).epoch_ns[0]) + 5 * 24 * HOUR
    times = np.linspace(START, START + HOUR, 50).astype(np.int64)
    plain = states(satellite_body(thing(LOW), START, START + HOUR, unix_ns, 1), times)
    along = plain[:, 3:] / np.linalg.norm(plain[:, 3:], axis=1)[:, None]
    off, facts = [], {}
    for seed in range(60):
        body = satellite_body(thing(LOW, age_error=True), START, START + HOUR, unix_ns, seed)
        facts = body.facts
        off.append(np.mean(np.sum((states(body, times) - plain)[:, :3] * along, axis=1)))
    # five days: 7.5 km; 60 draws know it to 9 % (one standard deviation)
    assert facts["sigma_along"] == pytest.approx(math.hypot(308.0, 1500.0 * (5 + 600 / 86400)))
    assert np.std(off) == pytest.approx(facts["sigma_along"], rel=0.3)
    again = satellite_body(thing(LOW, age_error=True), START, START + HOUR, unix_ns, 3)
    assert np.array_equal(
        again.nodes, satellite_body(thing(LOW, age_error=True), START, START + HOUR, unix_ns, 3).nodes
    )
    other = dataclasses.asdict(again)["facts"]
    assert other == again.facts


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lines": DECAYS}, "satellite sat: index 0: satellite 28872 has no state at"),
        ({"lines": LOW.replace("3985", "3986")}, "satellite sat: line 1: checksum"),
        ({"lines": LOW + "\n" + GEO}, "satellite sat: found 2 element sets, allowed: one"),
        ({"lines": ""}, "satellite sat: either elements or an element set is needed"),
        ({"lines": LOW, "elements": Orbit(7e6, 0, 0, 0, 0, 0)}, "either elements or an element set"),
        ({"lines": "", "elements": Orbit(6e6, 0.0, 0, 0, 0, 0)}, "no ellipse outside the Earth"),
    ],
)
def test_what_cannot_fly_is_refused(given, said):
    lines = given.pop("lines")
    with pytest.raises(SatelliteImpossible, match=said):
        satellite_body(thing(lines, **given), START, END, 1_133_226_000 * 10**9, 1)


def test_it_ends_after_it_starts():
    with pytest.raises(SatelliteImpossible, match="ends at 5 ns, not after its start at 5 ns"):
        satellite_body(thing(LOW), 5, 5, 0, 1)
