"""What the page says first of one kind of sensor alone, and of several warnings at once."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa

from tocsin.report import headline


def facts(evidence=(), raids=()):
    version = SimpleNamespace(t=50.0)
    nation = SimpleNamespace(
        id="a", name="Avaria", warnings=[SimpleNamespace(uid="a/own/0", versions=[version], first_confirmed=None)]
    )
    tables = {"evidence": pa.Table.from_pylist(list(evidence)), "raids": pa.Table.from_pylist(list(raids))}
    declared = SimpleNamespace(sensor_name=lambda id: id.upper())
    return SimpleNamespace(nations=[nation], tables=tables, declared=declared, t0=0.0)


def said(kind, sensor, state, version=0, could=None):
    return {
        "warning": "a/own/0", "sensor_kind": kind, "sensor": sensor, "state": state, "version": version,
        "could_from_s": could,
    }  # fmt: skip


def test_it_says_when_another_kind_could_first_have_looked():
    rows = [
        said("infrared", "ir", "agrees"), said("radar", "r", "not_yet"), said("radar", "r", "not_yet", 1, 800.0),
        said("radar", "q", "not_yet", 1, 900.0), said("infrared", "ir2", "not_yet", 1, 60.0),
    ]  # fmt: skip
    (text,) = headline._other_kind_sentences(facts(rows))
    assert text == (
        "Only infrared stood behind the first warning of Avaria; R (radar) could first have looked at T+13:20."
    )


def test_it_says_nothing_of_that_where_two_kinds_agree_or_no_other_could_look():
    both = [said("infrared", "ir", "agrees"), said("radar", "r", "agrees"), said("radar", "q", "not_yet", 1, 9.0)]
    assert headline._other_kind_sentences(facts(both)) == []
    assert headline._other_kind_sentences(facts([said("infrared", "ir", "agrees")])) == []


def test_several_warnings_are_one_sentence():
    raid = {
        "nation": "a", "t_s": 120.0, "open": 4, "confirmed": 3, "least": 2, "most": 4, "rate_per_min": 3.0,
        "first_impact_s": 600.0, "first_sigma_s": 20.0, "last_impact_s": 900.0, "last_sigma_s": 30.0,
    }  # fmt: skip
    (text,) = headline._raid_sentences(facts(raids=[raid, {**raid, "open": 2, "t_s": 60.0}]))
    assert text == (
        "Avaria had 4 warnings open at T+2:00 (2 to 4 of them real), 3.0 launches a minute,"
        " impacts from T+10:00 (± 20\u00a0s) to T+15:00 (± 30\u00a0s)."
    )
