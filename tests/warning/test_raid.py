"""The picture of many warnings against counts and extremes worked out otherwise."""

from __future__ import annotations

from itertools import product

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.records.shapes import AreaRisk, Estimate, Evidence, WarningVersion
from tocsin.warning import raid

S = 1_000_000_000
NONE = Estimate(0, "none", 1.0, "none")


def warning(number, p=0.9, launch=0.0, impact=600.0, sigma=10.0, sensors=("ir",), status="updated", **change):
    at = Estimate(0, "coast", 1.0, "none", t_ns=round(launch * S))
    down = Estimate(0, "coast", 1.0, "none", t_ns=round(impact * S), t_var=sigma**2)
    made = WarningVersion(
        f"a/own/{number}", 0, 0, status, True, "", 1, ("a",), None, 0, at, down,
        (AreaRisk("home", 0.5, 0.5, None, False),), {}, p, "high",
        tuple(Evidence("infrared", s, "agrees", None, ("a",)) for s in sensors),
    )  # fmt: skip
    return msgspec.structs.replace(made, **change)


def all_of(*versions):
    return {v.uid: v for v in versions}


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=7))
def test_the_number_of_real_ones_by_counting_every_case(sure):
    exact = np.zeros(len(sure) + 1)
    for case in product((0, 1), repeat=len(sure)):
        exact[sum(case)] += np.prod([p if yes else 1.0 - p for p, yes in zip(sure, case, strict=True)])
    made = raid.picture(0, all_of(*(warning(k, p) for k, p in enumerate(sure))))
    np.testing.assert_allclose(raid._distribution(sure), exact, atol=1e-12)
    assert made.expected == pytest.approx(sum(sure))
    assert exact[: made.least].sum() <= 0.05 + 1e-9
    assert exact[made.most + 1 :].sum() <= 0.05 + 1e-9
    assert exact[made.least : made.most + 1].sum() >= 0.9 - 1e-9


def test_the_first_and_the_last_impact_by_drawing():
    rng = np.random.default_rng(1)
    means, sigmas = np.array([600.0, 610.0, 640.0, 645.0]), np.array([20.0, 5.0, 8.0, 8.0])
    drawn = means + sigmas * rng.standard_normal((200_000, 4))
    pairs = list(enumerate(zip(means, sigmas, strict=True)))
    made = raid.picture(0, all_of(*(warning(k, impact=m, sigma=s) for k, (m, s) in pairs)))
    for got, sigma, sample in (
        (made.first_impact_ns, made.first_sigma_s, drawn.min(axis=1)),
        (made.last_impact_ns, made.last_sigma_s, drawn.max(axis=1)),
    ):
        low, middle, high = np.quantile(sample, [0.16, 0.5, 0.84])
        assert got / S == pytest.approx(middle, abs=0.15)
        assert sigma == pytest.approx(0.5 * (high - low), abs=0.15)


def test_rate_areas_and_what_each_sensor_has_a_part_in():
    made = raid.picture(5, all_of(
        warning(0, launch=0.0, sensors=("ir", "r")), warning(1, launch=30.0), warning(2, launch=60.0),
        warning(3, status="closed"), warning(4, status="cancelled"),
        warning(5, launch=60.0, partner="b/to:a/7", sensors=()),
    ))  # fmt: skip
    assert (made.open, made.confirmed) == (4, 4)
    assert made.rate_per_min == pytest.approx(3.0)
    assert made.areas == {"home": pytest.approx(4 * 0.9 * 0.5)}
    assert made.counts == {"ir": 3, "r": 1, "partner b": 1}


def test_pieces_of_another_object_do_not_count_and_nothing_open_is_nothing():
    piece = warning(0, p=1.0, families={"debris": 0.9})
    assert raid.picture(0, all_of(piece)).expected == pytest.approx(0.1)
    assert raid.picture(0, {}) is None
    assert raid.picture(0, all_of(warning(0, status="closed"))) is None
    nowhere = msgspec.structs.replace(warning(1), impact=NONE)
    unknown = raid.picture(0, all_of(warning(0, launch=0.0, impact=1.0), nowhere))
    assert unknown.first_impact_ns == 1 * S


def test_a_picture_is_new_only_where_it_says_something_new():
    one = raid.picture(0, all_of(warning(0), warning(1)))
    assert raid.changed(one, None)
    assert not raid.changed(raid.picture(9, all_of(warning(0), warning(1, impact=601.0))), one)
    assert raid.changed(raid.picture(9, all_of(warning(0, impact=500.0), warning(1))), one)
    assert raid.changed(raid.picture(9, all_of(warning(0), warning(1), warning(2))), one)
    assert raid.changed(raid.picture(9, all_of(warning(0, sensors=("r",)), warning(1))), one)
