# ruff: noqa: D103 - what a row measures stands in its decorator
"""How sure a centre is, and whether it may be: belief against the frequency of what is so, doctrines against false
alarms, the sunlight of 1983, what goes into orbit.

Priors are notional where the specs say so. The operating curve counts, with the stated rates, how many warnings a year
of nothing each doctrine would confirm; the delays beside it are those of one flight (`hokkaido-2017`, the United
States' centre), so they are an example and no law. A demonstration, not a test: with the published 3,703 routine
conferences and 147 evaluated ones of 18 months as rates (2,371 real and 98 doubtful events a year over ten sensors), a
centre that asks for two kinds of sensor would confirm less than one false warning a year from its sensors; what is
left are faults behind them, of which the years 1979 and 1980 had three.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import msgspec
import numpy as np

import tocsin
from tocsin.earth.wgs84 import MU, A
from tocsin.scenario.specs import Credence, Spread
from tocsin.warning import coasting
from tocsin.warning.credence import Said, believe
from validation.run import Book, Measured, at_most, between, proportion

book = Book("warnings", "How sure a warning is", __doc__)

_SENSORS = (("ir-1", "infrared"), ("ir-2", "infrared"), ("r-1", "radar"), ("r-2", "radar"))
_SEEN = 0.98  # probability that a sensor finds in its looks what is there and is what it is taken to be


def _event(rng: np.random.Generator, rates: Credence) -> tuple[bool, list[Said]] | None:
    """One event drawn from the rates: whether it was real, and what the sensors say; None where none says anything."""
    weights = np.array([rates.launches, *(rates.false_infrared if k == "infrared" else rates.false_radar
                                          for _, k in _SENSORS), rates.fault])  # fmt: skip
    cause = int(rng.choice(len(weights), p=weights / weights.sum()))
    odd = {kind: rng.uniform() < rates.misbelief for kind in ("infrared", "radar")}
    lasts = math.inf if rng.uniform() < rates.lasting_share else float(rng.exponential(rates.lasting_s))
    watched = float(rng.uniform(10.0, 180.0))
    could = rng.uniform(size=4) < 0.7  # who could look at all by now
    agrees, first = [], True
    for k, (_, kind) in enumerate(_SENSORS):
        if cause == 0:
            hit = could[k] and not odd[kind] and rng.uniform() < _SEEN
        elif cause <= 4:
            same = _SENSORS[cause - 1][1] == kind
            hit = k == cause - 1 or rng.uniform() < (rates.same_kind if same else rates.other_kind)
            hit = hit and could[k] and lasts >= watched
        else:
            hit = could[k] and (first or rng.uniform() < rates.fault_shows)
            first = first and not hit
        agrees.append(bool(hit))
    if not any(agrees):
        return None
    said = [
        Said(name, kind, "agrees", span_s=watched) if agrees[k]
        else Said(name, kind, "not_yet", log_missed=math.log(1.0 - _SEEN) if could[k] else 0.0)
        for k, (name, kind) in enumerate(_SENSORS)
    ]  # fmt: skip
    return cause == 0, said


@cache
def _calibration(launches: float, believed: float) -> Measured:
    """Expected calibration error over ten bins of belief, where launches are as rare as false sources."""
    rng = np.random.Generator(np.random.PCG64(6))
    so = msgspec.structs.replace(Credence(), launches=launches)
    thought = msgspec.structs.replace(so, launches=believed)
    p, real = [], []
    while len(p) < 20_000:
        drawn = _event(rng, so)
        if drawn is not None:
            real.append(drawn[0])
            p.append(believe(drawn[1], thought, 1.0 - 1e-9).p_real)
    belief, truth = np.array(p), np.array(real)
    which = np.minimum((belief * 10).astype(int), 9)
    error = sum(abs(belief[which == b].sum() - truth[which == b].sum()) for b in range(10)) / len(belief)
    return Measured(float(error), note=f"20,000 events, {truth.mean():.0%} of them real")


@book.row("belief against frequency: expected calibration error", target=at_most(0.03), source="drawn from the priors")
def calibrated() -> Measured:
    return _calibration(30.0, 30.0)


@book.row(
    "the same where launches are twice as rare as believed", target=at_most(0.10),
    source="what a wrong prior does; no target was given",
)  # fmt: skip
def shifted() -> Measured:
    return _calibration(15.0, 30.0)


@cache
def _glint(kinds: int) -> Any:
    chosen = tocsin.Scenario.load("sun-glint-1983")
    return tocsin.run(chosen.with_("partners.soviet-union.centre.rule.min_kinds", kinds), seed=1)


@book.row("1983 under one sensor: warnings confirmed", target=between(1, 99), source="what happened: five were shown")
def glint_one() -> Measured:
    events = _glint(1).summary["partners"][0]["events"]
    return Measured(sum(e["warning_s"] is not None for e in events), note="sun-glint-1983, seed 1")


@book.row("1983 under two kinds of sensor: warnings confirmed", target=at_most(0), source="the doctrine's meaning")
def glint_two() -> Measured:
    events = _glint(2).summary["partners"][0]["events"]
    return Measured(sum(e["warning_s"] is not None for e in events), note=f"{len(events)} opened; seed 1")


@book.row(
    "1983: one satellite's repetition, highest probability that any version gave", target=at_most(0.999),
    source="'high' begins at 0.999",
)  # fmt: skip
def glint_highest() -> Measured:
    warnings = _glint(1).warnings
    p = warnings["p_real"].to_numpy()
    return Measured(float(p.max()), note=f"{len(p)} versions")


@book.row(
    "1983: when a radar could first have looked, after the first data", target=between(600.0, 1200.0), unit="s",
    source="12.8 min for Olenegorsk on a minimum-energy arc from Montana to Moscow",
)  # fmt: skip
def glint_radar() -> Measured:
    run = _glint(2)
    rows = [r for r in run.evidence.to_pylist() if r["sensor_kind"] == "radar" and r["could_from_s"] is not None]
    first = {r["warning"]: r["first_data_s"] for r in run.warnings.to_pylist()}
    after = [r["could_from_s"] - first[r["warning"]] for r in rows]
    return Measured(float(np.median(after)) if after else math.nan, note=f"median of {len(after)} versions that say so")


def _false_a_year(sensors: int, kinds: int, span: float = 30.0, radars: int = 6, satellites: int = 4) -> float:
    """Confirmed warnings a year of nothing, with the default priors: sources that last, and that deceive enough."""
    rates = Credence()
    lasts = rates.lasting_share + (1.0 - rates.lasting_share) * math.exp(-span / rates.lasting_s)
    total = 0.0
    for mine, others, rate in (
        (satellites, radars, rates.false_infrared), (radars, satellites, rates.false_radar),
    ):  # fmt: skip
        same = 1.0 - (1.0 - rates.same_kind) ** (mine - 1)
        other = 1.0 - (1.0 - rates.other_kind) ** others
        also = 1.0 if sensors == kinds == 1 else other if kinds == 2 else 1.0 - (1.0 - same) * (1.0 - other)
        total += mine * rate * lasts * also
    return total


@cache
def _delay(sensors: int, kinds: int) -> float:
    chosen = tocsin.Scenario.load("hokkaido-2017").with_("duration", "5 min")
    rule = "partners.united-states.centre.rule"
    run = tocsin.run(chosen.with_(f"{rule}.min_sensors", sensors).with_(f"{rule}.min_kinds", kinds), seed=1)
    events = next(p for p in run.summary["partners"] if p["id"] == "united-states")["events"]
    return min((e["warning_s"] for e in events if e["object"] and e["warning_s"] is not None), default=math.nan)


@book.row("operating curve, one sensor: false warnings a year", target=between(10.0, 200.0), source="the stated priors;"
          " the published 98 evaluated conferences a year")  # fmt: skip
def one_sensor() -> Measured:
    return Measured(_false_a_year(1, 1), note=f"warned at T+{_delay(1, 1):.0f} s, not missed")


@book.row("operating curve, two sensors of any kind", target=at_most(12.0), source="the stated priors")
def two_sensors() -> Measured:
    return Measured(_false_a_year(2, 1), note=f"warned at T+{_delay(2, 1):.0f} s")


@book.row("operating curve, two kinds of sensor", target=at_most(1.0), source="the stated priors")
def two_kinds() -> Measured:
    return Measured(_false_a_year(2, 2), note=f"warned at T+{_delay(2, 2):.0f} s (nan: not within five minutes)")


@book.row(
    "orbit-bound, 60 s after the last cut-off: probability of impact over one half", target=at_most(0.01),
    source="2,000 orbits with perigees of 130 to 600 km, apogees to 36,000 km, tracked to 1 km and 10 m/s",
)  # fmt: skip
def orbit_bound() -> Measured:
    rng = np.random.Generator(np.random.PCG64(3))
    wrong, n = 0, 2000
    drag = [(1.0, Spread(5000.0, 1000.0))]
    for _ in range(n):
        low = A + rng.uniform(130e3, 600e3)
        high = max(A + 10.0 ** rng.uniform(math.log10(150e3), math.log10(36e6)), low)
        a = 0.5 * (low + high)
        speed = math.sqrt(MU * (2.0 / low - 1.0 / a))  # thrust ends at the perigee
        frame = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        x = np.concatenate([low * frame[0], speed * frame[1]])
        P = np.diag([1e3**2] * 3 + [10.0**2] * 3)
        seen = x + np.sqrt(np.diag(P)) * rng.standard_normal(6)
        wrong += coasting.coast_cloud(seen, P, 0.0, 1.0, drag).p_impact > 0.5
    return proportion(wrong, n, "states about the perigee, where thrust ended")
