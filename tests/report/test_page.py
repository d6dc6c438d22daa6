"""The page: complete, asking nothing of the network, the same twice, and unmoved by hostile names."""

import base64
import hashlib
import json
import re
import time
from collections import Counter
from html.parser import HTMLParser
from types import SimpleNamespace

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from synthetic_run import Builder, overflight, polar_rocket

from tocsin.measures.shapes import Summary
from tocsin.records.dictionary import TABLES, schema
from tocsin.report.mapdata import region_path
from tocsin.report.page import page
from tocsin.report.projection import fit

VOID = {"meta", "input", "br", "link", "img"}
EVIL = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' onload='alert(3)' <!-- ]]> "
    "</title></style></svg>"
    " &lt;b&gt; {{7*7}} ${x} \u2028\u2029 \u202e \x00 javascript:alert(4) \ufeff"
)


class Reader(HTMLParser):
    """Every element with its attributes, the text, and whether everything that was opened was closed."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.stack = []
        self.text = []
        self.scripts = []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.stack, f"</{tag}> without a start"
        assert self.stack.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "script":
            self.scripts.append(data)
        elif not self.stack or self.stack[-1] != "style":
            self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:40]}")


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.stack
    return reader


@pytest.fixture(scope="module")
def calm():
    return page(overflight())


@pytest.fixture(scope="module")
def evil():
    return page(overflight(EVIL))


def test_the_synthetic_summary_has_the_published_shape():
    for run in (overflight(), polar_rocket()):
        msgspec.convert(run.summary, Summary)


def test_says_what_it_must(calm):
    text = " ".join("".join(read(calm).text).split())
    assert text.count("EXERCISE") >= 4
    for words in (
        "was warned at", "Where it went, and what was known", "Who could see what, and when", "Where the time went",
        "Published, and simulated", "Assumed hand-off times of the "
"doctrine", "Does it come down here?", "Tables", "Assumptions",
        "What this leaves out", "How this was made", "tocsin run hokkaido-2017 --seed 1", "40 ± 5 s", "notional",
        "Geometry", "Detection", "Confirmation", "Processing", "Sending", "Decision", "Northern Japan", "Cape Erimo",
    ):  # fmt: skip
        assert words in text, words


def test_asks_nothing_of_the_network(calm):
    for tag, attributes in read(calm).elements:
        assert tag not in (
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "audio",
            "video",
            "base",
            "form",
            "use",
            "image",
        ), tag
        assert "src" not in attributes
        if "href" in attributes:
            assert tag == "a", tag
    style = re.search(r"<style>(.*?)</style>", calm, re.S).group(1)
    assert "@import" not in style
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", style))
    script = calm.rsplit("<script>", 1)[1]
    for word in (
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "import(",
        "eval(",
        "innerHTML",
        "document.write",
        "Function(",
    ):
        assert word not in script, word


def test_only_its_own_script_may_run(calm):
    policy = next(a["content"] for t, a in read(calm).elements if t == "meta" and a.get("http-equiv"))
    script = re.search(r"<script>(.*?)</script>", calm, re.S).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_hostile_names_change_no_element(calm, evil):
    a, b = read(calm), read(evil)

    def kinds(reader):
        return Counter((tag, tuple(sorted(attributes))) for tag, attributes in reader.elements)

    # names that are too long for the map leave out a label, so there may be fewer of an element, never another kind
    assert set(kinds(b)) <= set(kinds(a))
    assert kinds(b)[("script", ())] == kinds(a)[("script", ())] == 1
    assert kinds(b)[("script", ("id", "type"))] == 1
    for tag, attributes in b.elements:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        assert not (attributes.get("href") or "").strip().lower().startswith("javascript")


def test_hostile_names_are_shown_as_they_are(evil):
    text = "".join(read(evil).text)
    assert "</script><script>alert(1)</script>" in text
    assert "{{7*7}}" in text
    for ch in "\x00\u202e":
        assert ch not in evil


def test_data_in_the_script_is_json_that_cannot_end_it(evil):
    reader = read(evil)
    text = reader.scripts[0]
    assert "<" not in text
    assert "\u2028" not in text
    data = json.loads(text)
    assert "<img src=x" in data["nations"][1]["name"]


def test_ids_are_unique_and_references_hold(calm, evil):
    for html in (calm, evil):
        elements = read(html).elements
        ids = [a["id"] for _, a in elements if "id" in a]
        assert len(ids) == len(set(ids))
        for _, a in elements:
            for name in ("aria-labelledby", "aria-describedby", "for"):
                for target in (a.get(name) or "").split():
                    assert target in ids, target


def test_pictures_have_words_and_tables(calm):
    reader = read(calm)
    drawings = [a for t, a in reader.elements if t == "svg" and "id" in a]
    assert len(drawings) >= 8
    assert all(a.get("role") == "img" and a.get("aria-labelledby") for a in drawings)
    assert sum(t == "caption" for t, _ in reader.elements) >= 8
    assert all(a.get("scope") == "col" for t, a in reader.elements if t == "th")


def test_stands_without_its_script(calm):
    bare = re.sub(r"<script.*?</script>", "", calm, flags=re.S)
    ghost = re.search(r'<path class="track ghost" d="([^"]+)"', bare).group(1)
    assert len(ghost) > 100
    known = re.search(r'<g id="m-known">(.*?)</g>', bare, re.S).group(1)
    assert 'class="region impact region95' in known
    assert "What Japan knew at T+4:00." in bare


def test_data_is_in_order(calm):
    data = json.loads(read(calm).scripts[0])
    assert data["looks"]["t"] == sorted(data["looks"]["t"])
    assert len({len(v) for v in data["looks"].values()}) == 1
    for f in data["flights"]:
        assert f["t"] == sorted(f["t"])
        assert len(f["t"]) == len(f["x"]) == len(f["y"]) == len(f["h"])
        assert all(0 <= x <= 1000 for x in f["x"])
        assert all(0 <= y <= 600 for y in f["y"])
    for n in data["nations"]:
        for versions in n["warnings"]:
            assert [v["t"] for v in versions] == sorted(v["t"] for v in versions)
    assert 0 <= data["start"] <= data["end"]


def test_tracks_are_scored_where_the_summary_does():
    run = overflight()
    assert "GOSPA" not in page(run)
    run.summary["partners"][0]["tracking"] = {
        "completeness": 0.914, "longest_share": 0.5, "breaks": 3, "switches": 2, "spurious": 0.25, "rms_km": 1.234,
        "over_sigma": 1.07, "gospa_km": 42.0,
        "objects": [{"object": "<b>one</b>", "completeness": 0.9, "longest_share": 0.5, "breaks": 3, "switches": 2,
                     "rms_km": None, "over_sigma": None}],
    }  # fmt: skip
    shown = page(run)
    for said in ("GOSPA", "91.4%", "25.0%", "1.07", "&lt;b&gt;one&lt;/b&gt;"):
        assert said in shown


def test_the_same_run_gives_the_same_page(calm):
    assert page(overflight()) == calm


def test_size_and_time(calm):
    run = overflight()
    began = time.perf_counter()
    page(run)
    assert time.perf_counter() - began < 2.0  # 0.2 s on an idle machine, and machines that test are seldom idle
    assert len(calm.encode()) < 600_000


def test_a_long_run_stays_small():
    run = overflight()
    big = run.tables["detections"]
    rows = big.to_pylist()
    more = []
    for k in range(100):
        for r in rows:
            more.append({**r, "scan": r["scan"] + 10_000 * (k + 1), "t_s": r["t_s"] + 0.01 * k})
    run.tables["detections"] = pa.Table.from_pylist(rows + more, schema=big.schema)
    assert len(page(run).encode()) < 3_000_000


def empty():
    tables = {name: schema(name).empty_table() for name in TABLES}
    summary = {"scenario": "quiet", "seed": 1, "version": "0", "objects": [], "partners": [], "stages": [],
               "epoch_utc": "2020-01-01T00:00:00Z"}  # fmt: skip
    return SimpleNamespace(tables=tables, summary=summary, manifest={}, scenario={"title": "A quiet day"})


def test_a_run_without_anything():
    html = page(empty())
    read(html)
    assert "Nothing flew" in html
    run = empty()
    run.tables = {}
    read(page(run))


def test_flights_without_anybody_who_looked():
    run = overflight()
    for name in (
        "scans",
        "detections",
        "truth_links",
        "tracks",
        "warnings",
        "estimates",
        "risks",
        "evidence",
        "decisions",
        "messages",
    ):
        run.tables[name] = run.tables[name].slice(0, 0)
    for p in run.summary["partners"]:
        p["events"] = []
    read(page(run))


def test_regions_in_two_parts_over_the_date_line():
    two = {"type": "MultiPolygon", "coordinates": [
        [[[179.0, 40.0], [180.0, 40.0], [180.0, 42.0], [179.0, 42.0], [179.0, 40.0]]],
        [[[-180.0, 40.0], [-179.0, 40.0], [-179.0, 42.0], [-180.0, 42.0], [-180.0, 40.0]]],
    ]}  # fmt: skip
    frame = fit(np.radians([38.0, 44.0]), np.radians([176.0, 184.0]))
    halves = re.findall(r"M(-?[\d.]+) (-?[\d.]+)l", region_path(frame, two))
    assert len(halves) == 2
    # each part begins at its western edge: they lie side by side, a degree apart, not at the two ends of the map
    degree = 111.2 * np.cos(np.radians(40.0)) * frame.km
    assert float(halves[1][0]) - float(halves[0][0]) == pytest.approx(degree, rel=0.02)


def test_the_rocket_over_the_pole_side():
    html = page(polar_rocket())
    reader = read(html)
    h1 = html.split("<h1>", 1)[1].split("</h1>", 1)[0].replace("\u00a0", " ")
    assert "fell under 1 % for good at T+5:00" in h1
    assert "a gap of 16 min" in h1
    assert "above its highest elevation" in "".join(reader.text)


def test_more_objects_than_can_be_drawn():
    b = Builder("2020-01-01T00:00:00Z")
    rng = np.random.default_rng(5)
    flights = {
        f"object-{k}": b.flight(
            f"object-{k}", "srbm", 10.0 * k, (40.0, 130.0), 60.0 + 3.0 * k, 500.0, 120.0, 240.0, 60.0
        )
        for k in range(15)
    }
    b.radar("japan", "radar", (38.0, 138.0), (200.0, 40.0), (2.0, 85.0), 2000.0, 10.0, 400.0, flights, rng)
    run = empty()
    run.tables = b.tables()
    html = page(run)
    read(html)
    assert "3 more objects are not drawn" in html
    assert "object-0 and 14 more flew" in html
    data = json.loads(read(html).scripts[0])
    assert len(data["flights"]) == 12
    assert sum(data["looks"]["o"]) == run.tables["detections"].num_rows  # those of objects that are not drawn, too
