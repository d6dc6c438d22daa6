"""Words and numbers: what is escaped, how times read, what the headline says."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_run import overflight, polar_rocket

from tocsin.report.facts import Nation, Version, Warned, gather
from tocsin.report.headline import gap_sentences, headline
from tocsin.report.risks import risk_over_time
from tocsin.report.text import (
    clock,
    esc,
    km,
    listed,
    number,
    percent,
    place,
    script_json,
    span,
    t_plus,
)


def plain(text):
    """Text with ordinary spaces, as one types it."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('" onload="x', "&quot; onload=&quot;x"),
        ("' onload='x", "&#39; onload=&#39;x"),
        ("a&amp;b", "a&amp;amp;b"),
        ("a\x00b\x1bc", "a\ufffdb\ufffdc"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("日本 Россия ü", "日本 Россия ü"),
    ],
)
def test_escaping(hostile, safe):
    assert esc(hostile) == safe


@given(st.text())
def test_nothing_unescaped_is_left(text):
    out = esc(text)
    assert not set(out) & set("<>\"'")
    out.encode("utf-8")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_json_in_a_script_is_the_same_data_and_cannot_end_it(data):
    text = script_json(data)
    assert json.loads(text) == data
    assert not set(text) & set("<>&\u2028\u2029")


def test_times():
    assert clock(185) == "3:05"
    assert clock(59.6) == "1:00"
    assert clock(-12) == "−0:12"
    assert clock(3725) == "1:02:05"
    assert clock(None) == clock(math.nan) == "–"
    assert t_plus(185) == "T+3:05"
    assert t_plus(-60) == "T−1:00"
    assert plain(span(42)) == "42 s"
    assert plain(span(185)) == "3 min 5 s"
    assert plain(span(840)) == "14 min"


def test_numbers():
    assert plain(percent(0.0)) == "0 %"
    assert plain(percent(0.0004)) == "<0.1 %"
    assert plain(percent(0.0123)) == "1.2 %"
    assert plain(percent(0.31)) == "31 %"
    assert plain(percent(0.996)) == ">99 %"
    assert plain(percent(1.0)) == "100 %"
    assert plain(number(1234567)) == "1 234 567"
    assert plain(km(8.26)) == "8.3 km"
    assert place(39.2, -125.67) == "39.2° N, 125.7° W"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_who_was_warned_comes_first():
    head = headline(gather(overflight()))
    first = plain(head.first)
    assert first.startswith(
        "Japan was warned at T+2:05 by the United States’ sensors and its own, 6 min 52 s before it passed over"
    )
    assert "alerted its public at T+4:00 (published: T+4:00)" in first
    assert "the United States was warned at T+1:18 by its own sensors" in first
    assert any("Splash" in m and "1 min 30 s later" in plain(m) for m in head.more)


def test_the_rocket_says_when_it_was_excluded_and_what_was_hidden():
    facts = gather(polar_rocket())
    first = plain(headline(facts).first)
    # 0.3 exp(-(t - 150) / 40) falls under 1 % at 286 s; the next version is that of 300 s
    assert "fell under 1 % for good at T+5:00" in first
    assert "peaked at 30 % at T+2:30" in first
    assert "upper elevation limit (34.5°) of Olenegorsk (Dnepr) hid the flight" in first
    assert "a gap of 16 min" in first
    assert len(gap_sentences(facts)) == 1


def warned(*values):
    """A nation with one warning whose risk of the area "home" takes these values, a minute apart."""
    versions = [
        Version(60.0 * i, i, "updated", True, "", None, "a", 1.0, "high", {}, {}, {"home": (p, 0.0, None, p < 0.01)})
        for i, p in enumerate(values)
    ]
    return Nation("a", "A", [], [Warned("a/own/0", "a", versions)], [], [])


def test_risk_falls_for_good_only_after_its_last_rise():
    r = risk_over_time(warned(0.3, 0.005, 0.02, 0.008, 0.001), "home")
    assert (r.peak, r.peak_t, r.under) == (0.3, 0.0, 180.0)
    assert r.ever_above
    assert not r.still_above


def test_risk_that_never_was_and_risk_that_stays():
    assert risk_over_time(warned(0.001, 0.009), "home").ever_above is False
    assert risk_over_time(warned(0.001, 0.02), "home").still_above
    assert risk_over_time(warned(0.1), "elsewhere") is None


def test_a_run_in_which_it_never_was_above():
    run = polar_rocket()
    risks = run.tables["risks"]
    low = [x * 0.01 for x in risks["p_impact"].to_pylist()]
    i = risks.schema.get_field_index("p_impact")
    import pyarrow as pa

    run.tables["risks"] = risks.set_column(i, risks.schema.field(i), pa.array(low))
    assert "never reached 1 %" in plain(headline(gather(run)).first)


def test_nobody_warned():
    run = overflight()
    for name in ("warnings", "estimates", "risks", "decisions"):
        run.tables[name] = run.tables[name].slice(0, 0)
    for p in run.summary["partners"]:
        p["events"] = []
    assert plain(headline(gather(run)).first).startswith("Nobody confirmed a warning")
