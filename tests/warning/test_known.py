"""The catalogue, and what is no attack: satellites, aircraft, launches that reach orbit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import warning_cases as cases
from hypothesis import given
from hypothesis import strategies as st

from tocsin.dynamics.orbit import orbit_states
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import MU, A
from tocsin.scenario.specs import Catalogued, Orbit
from tocsin.warning import typing as kinds
from tocsin.warning.known import Known

S = 1_000_000_000
LOW = Orbit(6_778e3, 0.001, 0.9, 1.0, 0.5, 2.0)
OTHER = Orbit(7_378e3, 0.001, 1.4, 2.0, 0.5, 0.0)
# Vallado's textbook set of a satellite near the end of its days (SGP4-VER: 28350, decays within days)
VANGUARD = (
    "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n"
    "2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667"
)
EPOCH_NS = 962_131_819_731_000_000  # 2000-06-27 18:50:19.733 UTC, its epoch
SURE = np.diag([500.0**2] * 3 + [5.0**2] * 3)


def state(orbit: Orbit, t_s: float) -> Any:
    return orbit_states(orbit, np.array([round(t_s * S)], dtype=np.int64))[0]


def test_a_track_of_a_known_satellite_is_named_and_one_beside_it_is_not():
    known = Known((Catalogued("low", LOW, ""), Catalogued("other", OTHER, "")), 0)
    for t in (0.0, 600.0, 5000.0):
        assert known.match(state(LOW, t), SURE, round(t * S)) == "low"
        assert known.match(state(OTHER, t), SURE, round(t * S)) == "other"
    beside = state(LOW, 600.0).copy()
    beside[:3] *= 1.0 + 100e3 / np.linalg.norm(beside[:3])
    assert known.match(beside, SURE, 600 * S) is None
    # the same place, another way: it only passes there
    crossing = state(LOW, 600.0).copy()
    crossing[3:] *= 0.9
    assert known.match(crossing, SURE, 600 * S) is None


def test_a_track_that_could_be_anything_is_nobody():
    known = Known((Catalogued("low", LOW, ""),), 0)
    assert known.match(state(LOW, 0.0), 1e6 * SURE, 0) is None
    assert Known((), 0).match(state(LOW, 0.0), SURE, 0) is None


def test_an_element_set_is_flown_by_sgp4():
    """Position of the verification run of SGP4 at the epoch of satellite 5 (Vallado and others 2006), in km."""
    known = Known((Catalogued("vanguard", None, VANGUARD),), EPOCH_NS)
    (x,) = known.states(0)
    np.testing.assert_allclose(x[:3] / 1e3, [7022.46529266, -1400.08296755, 0.03995155], atol=0.02)
    assert known.match(x, SURE, 0) == "vanguard"


def circular(height: float, slower: float = 1.0) -> Any:
    r = A + height
    return np.array([[r, 0.0, 0.0, 0.0, slower * math.sqrt(MU / r), 0.0]])


def test_perigees_by_hand():
    assert kinds.perigees(circular(400e3))[0] == pytest.approx(400e3, abs=1.0)
    # at apogee with 95 % of the circular speed: a = r / (2 - 0.95^2), perigee = 2 a - r
    r = A + 400e3
    assert kinds.perigees(circular(400e3, 0.95))[0] == pytest.approx(2.0 * r / (2.0 - 0.95**2) - r - A, abs=1.0)
    one = np.ones(1)
    assert kinds.clear_of_the_air(circular(400e3), one) == 1.0
    assert kinds.clear_of_the_air(circular(400e3, 0.95), one) == 0.0


def test_an_aircraft_is_low_slow_and_level():
    def moving(height, east, up):
        x = np.array([A + height, 0.0, 0.0, up, east + OMEGA_GMST * (A + height), 0.0])
        return kinds.flies_like_an_aircraft(x)

    assert moving(11e3, 250.0, 5.0)
    assert not moving(11e3, 250.0, 400.0)  # a missile that rises, or something that falls
    assert not moving(60e3, 250.0, 5.0)
    assert not moving(11e3, 2500.0, 5.0)


CLASSES = (
    cases.make_class("icbm"), cases.make_class("slv", family="space-launch"),
    cases.make_class("bb", family="sounding-rocket"),
)  # fmt: skip


def test_families_keep_the_classes_shares_while_nothing_else_is_known():
    p = kinds.families({"icbm": 0.6, "slv": 0.3, "bb": 0.1}, CLASSES, 0.9, (0.0, 0.25, 0.0, 0.75), burned=True)
    assert p["false"] == pytest.approx(0.1)
    assert p["space-launch"] / p["sounding-rocket"] == pytest.approx(3.0)
    assert p["icbm"] / p["mrbm"] == pytest.approx(3.0)
    assert (p["icbm"] + p["mrbm"]) / p["space-launch"] == pytest.approx(2.0)
    assert p["srbm"] == p["irbm"] == 0.0


def test_what_goes_round_without_a_plume_is_a_satellite_and_with_one_a_space_launch():
    types = {"icbm": 0.5, "slv": 0.5}
    silent = kinds.families(types, CLASSES, 1.0, clear=1.0)
    burned = kinds.families(types, CLASSES, 1.0, clear=1.0, burned=True)
    assert max(silent, key=silent.get) in ("satellite", "space-launch")
    assert burned["space-launch"] > 0.99
    assert silent["icbm"] < 1e-3
    assert kinds.families({"icbm": 1.0}, CLASSES, 1.0, clear=1.0)["satellite"] > 0.99
    assert kinds.families(types, CLASSES, 1.0, clear=0.0)["satellite"] < 1e-3


def test_the_catalogue_says_it_also_of_one_that_comes_down():
    assert kinds.families({"icbm": 1.0}, CLASSES, 1.0, clear=0.0, known=True)["satellite"] > 0.99


def test_an_aircraft_and_what_splits_off():
    assert kinds.families({"icbm": 1.0}, CLASSES, 1.0, like_aircraft=True)["aircraft"] > 0.9
    assert kinds.families({"icbm": 1.0}, CLASSES, 1.0, like_aircraft=True, burned=True)["aircraft"] < 0.01
    split = kinds.families({"icbm": 1.0}, CLASSES, 1.0, clear=0.0, split_off=True)
    assert split["debris"] > 0.5 > kinds.families({"icbm": 1.0}, CLASSES, 1.0, clear=0.0)["debris"]


@given(
    st.dictionaries(st.sampled_from(["icbm", "slv", "bb", "theirs"]), st.floats(0.0, 1.0)), st.floats(0.0, 1.0),
    st.one_of(st.none(), st.floats(0.0, 1.0)), st.booleans(), st.booleans(), st.booleans(), st.booleans(),
)  # fmt: skip
def test_families_are_probabilities(types, p_real, clear, aircraft, burned, split, known):
    p = kinds.families(types, CLASSES, p_real, (0.1, 0.2, 0.3, 0.4), clear, aircraft, burned, split, known)
    assert tuple(p) == kinds.FAMILIES
    assert sum(p.values()) == pytest.approx(1.0, abs=1e-9)
    assert min(p.values()) >= 0.0


def test_ranges_are_told_by_the_usual_division():
    w = np.array([0.1, 0.2, 0.3, 0.4])
    assert kinds.range_shares(np.array([500e3, 2000e3, 4000e3, 9000e3]), w) == pytest.approx((0.1, 0.2, 0.3, 0.4))
    assert kinds.range_shares(np.zeros(0), np.zeros(0)) == (0.25,) * 4
