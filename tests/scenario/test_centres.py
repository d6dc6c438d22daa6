"""A centre's catalogue, priors and levels: from the file to its specs, and what is refused."""

from __future__ import annotations

import pytest

from tocsin.scenario import Scenario, ScenarioError

TEXT = """
format: tocsin-scenario/1
id: overhead
title: A satellite overhead
start: 2017-08-28T20:55:00Z
duration: 4 min
objects:
  passing:
    satellite: {orbit: ellipse, perigee_km: 500, apogee_km: 520, inclination_deg: 51.6, argp_deg: 236.8,
                apogee_longitude_deg: 138, apogee_at: T+02:00}
    rcs_m2: 10
  airliner:
    aircraft:
      starts: T+00:00
      points:
        - {lat_deg: 41.2, lon_deg: 139.0, height_km: 11, speed_m_s: 230}
        - {lat_deg: 42.2, lon_deg: 139.0, height_km: 11}
    rcs_m2: 40
classes: {srbm: , mrbm: }
partners:
  coast:
    name: Coast
    sensors: {JP-FPS5-OMINATO: }
    centre:
      catalogue: none
      rule: {min_updates: 4, min_span_s: 10, min_sensors: 1, accept_partner: true, refresh_s: 10}
    areas:
      town: {name: Town, polygon: [[139.0, 39.0], [143.0, 39.0], [143.0, 42.0], [139.0, 42.0]]}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("catalogue: none", "catalogue: [pasing]", "passing"),
        ("catalogue: none", "catalogue: [airliner]", "a satellite of the scenario"),
        ("min_updates: 4", "confidence: {low: 0.95}", "each more than the one before"),
        ("min_updates: 4", "priors: {misbelief: 2}", "misbelief"),
        ("min_updates: 4", "min_kinds: 0", "1"),
    ],
)
def test_faults_of_a_centre_are_told(old: str, new: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_text(TEXT.replace(old, new), "overhead.yaml")
    assert "centre" in str(caught.value)
    assert said in str(caught.value)


def test_a_nation_sees_its_own_catalogue_and_priors() -> None:
    text = TEXT.replace("catalogue: none", "catalogue: [passing]").replace(
        "min_updates: 4", "min_kinds: 2, priors: {launches: 50}, confidence: {high: 0.99}"
    )
    spec = Scenario.from_text(text, "overhead.yaml").split(lambda unix_ns, dut1_s: 1.0)[1]["coast"]
    assert [c.id for c in spec.catalogue] == ["passing"]
    assert spec.catalogue[0].elements is not None
    assert (spec.rule.min_kinds, spec.rule.credence.launches, spec.rule.credence.high) == (2, 50.0, 0.99)
