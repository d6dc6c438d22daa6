"""What each named doctrine takes for confirmed: tracks given by hand, the sensors behind them and a partner's word."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from test_warner import Hand, S, mail, spec, theirs
from test_warning_life import SENSORS

from tocsin.records.columns import SCAN, Status, empty
from tocsin.records.shapes import Evidence
from tocsin.scenario.ladders import doctrine, doctrine_ids
from tocsin.scenario.specs import OverHorizon, Sensor
from tocsin.warning.warner import Warner

# two satellites and a radar over the horizon, which here stands for any second kind
HORIZON = OverHorizon(
    lat=0.0, lon=0.0, h=0.0, sector=(0.0, 6.28), range_min=1e6, range_max=3e6, greatest_height=1e5, reference_range=2e6,
    reference_snr=20.0, reference_rcs=10.0, pfa=1e-6, sigma_range=1e4, sigma_azimuth=0.01,
    availability=0.8, false_per_scan=0.0, scan_period=10.0, latency=1.0,
)  # fmt: skip
BOTH = (*SENSORS[:2], Sensor(2, "oth", "OTH", "a", HORIZON))
LOOKS = {
    "a satellite twice": [(100.0, 0), (102.0, 0)],
    "a satellite for half a minute": [(100.0, 0), (110.0, 0), (120.0, 0), (130.0, 0)],
    "two satellites": [(100.0, 0), (110.0, 1), (120.0, 0), (130.0, 1)],
    "two kinds": [(100.0, 0), (110.0, 0), (120.0, 2), (130.0, 2)],
}


def confirmed(name: str, looks: list[tuple[float, int]], until: int = 140, partner: bool = False) -> bool:
    """Whether the own track is confirmed by ``until`` seconds, with or without a partner's confirmed warning of it."""
    rule: dict[str, Any] = dict(doctrine(name).rule)
    rule = {"min_span": float(rule.pop("min_span_s")), "cross_check": float(rule.pop("cross_check_s")), **rule}
    hand = Hand()
    nation = msgspec.structs.replace(spec(**rule), sensors=BOTH)
    warner = Warner(nation, "own", BOTH, hand)  # type: ignore[arg-type]
    hand.seen(1, [t for t, _ in looks])
    hand.detections[1]["sensor"] = np.array([n for _, n in looks])
    hand.detections[1]["intensity"] = 1e5
    # a scan of a sensor that says it is silent: there is something to enter, and nothing in it
    scans = empty(SCAN, 1)
    scans["status"] = Status.SILENT
    newest = None
    for t in range(131, until, 5):
        told = mail(theirs(evidence=(Evidence("infrared", "b-ir", "agrees", None, ("b",)),))) if partner else ()
        tracks = hand.step(t, 1)
        made = warner.step(t * S, scans, tracks, hand, told if t == 146 else ())  # type: ignore[arg-type]
        newest = made[-1] if made else newest
    assert newest is not None
    return bool(newest.confirmed)


EXPECTED = {
    "one-sensor": (True, True, True, True),
    "two-looks": (False, True, True, True),
    "two-sensors": (False, False, True, True),
    "two-kinds": (False, False, False, True),
    "two-kinds-or-partner": (False, False, False, True),
    "cross-check": (False, False, False, False),  # the partner has not answered yet
}


@pytest.mark.parametrize("name", doctrine_ids())
def test_what_it_takes_for_enough(name: str) -> None:
    assert tuple(confirmed(name, looks) for looks in LOOKS.values()) == EXPECTED[name]


@pytest.mark.parametrize("name", doctrine_ids())
def test_a_partners_word_is_enough_where_the_doctrine_says_so(name: str) -> None:
    enough = name in ("two-kinds-or-partner", "cross-check")
    alone = LOOKS["a satellite for half a minute"]
    assert confirmed(name, alone, 160, partner=True) == (enough or confirmed(name, alone, 160))


def test_a_partner_that_is_asked_has_its_time_and_then_the_own_data_are_enough() -> None:
    looks = LOOKS["two satellites"]
    assert not confirmed("cross-check", looks, 395)
    assert confirmed("cross-check", looks, 405)  # first data at 100 s, five minutes to answer
