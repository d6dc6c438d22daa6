"""The strict YAML reader and the writer: the core schema of YAML 1.2, caps, and hostile files."""

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.scenario import yaml12
from tocsin.scenario.yaml12 import Document, write


def read(text: str) -> object:
    document = Document("f.yaml", text)
    assert document.faults == []
    return document.plain


def fault_of(text: str) -> str:
    document = Document("f.yaml", text)
    assert len(document.faults) == 1, document.faults
    return str(document.faults[0])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        # YAML 1.2.2, section 10.3.2 (core schema)
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("20:58", "20:58"),
        ("190:20:30", "190:20:30"),
        ("2017-08-28", "2017-08-28"),
        ("2017-08-28T20:58:00Z", "2017-08-28T20:58:00Z"),
        ("1e3", 1000.0),
        ("1E3", 1000.0),
        ("12e03", 12000.0),
        ("-2E+05", -200000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+12.3", 12.3),
        ("0", 0),
        ("-19", -19),
        ("010", 10),
        ("0o17", 15),
        ("0x3A", 58),
        ("0b11", "0b11"),
        ("1_000", "1_000"),
        ("1.2.3", "1.2.3"),
        ("-", None),
        ("+", "+"),
        (".", "."),
        ("e3", "e3"),
        ("1e", "1e"),
        ("'7'", "7"),
        ('"no"', "no"),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_scalars_are_those_of_the_core_schema(written, meant):
    if written == "-":
        assert read("a:\n  -\n") == {"a": (None,)}
        return
    found = read(f"a: {written}\n")["a"]
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("key", ["no", "1", "1.5", "null", "true", "2017-08-28", "<<"])
def test_keys_are_words_whatever_they_look_like(key):
    assert read(f"{key}: 1\n") == {key: 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.yaml:1: found nothing; allowed: a scenario"),
        ("   \n# only a comment\n", "found nothing"),
        ("a: .inf", "f.yaml:1: a: found .inf, which is not a finite number"),
        ("a: [1, .NaN]", "f.yaml:1: a.1: found .NaN"),
        ("a: 1e999", "found 1e999, which is not a finite number"),
        ("a: " + "9" * 5000, "found a number of 5000 characters"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: found the key 'a' (a word) a second time (first on line 1)"),
        ("a: !!python/object:os.system x", "found the tag tag:yaml.org,2002:python/object:os.system"),
        ("a: !!str 1", "no tags"),
        ("a: &x [1, *x]", "inside what it stands for"),
        ("a: *nowhere", "found the alias *nowhere; allowed: an alias of an anchor that stands before it"),
        ("? [a]\n: b", "found a mapping or list as a key"),
        ("a: 1\n---\nb: 2\n", "found a second document"),
        ("%YAML 1.1\n---\na: no\n", "found YAML 1.1; allowed: YAML 1.2"),
        ("a: [1, 2", "broken YAML (while parsing a flow sequence"),
        ("a: b: c", "f.yaml:1: found broken YAML (mapping values are not allowed here)"),
        ("a:\n\tb: 1", "f.yaml:2: a: found broken YAML"),
        ('a: "\\UFFFFFFFF"', "broken YAML"),
        ('a: "\\ud800"', "half of a surrogate pair"),
        ("a: 1\nb: \x07", "f.yaml:2: found the character 0x0007; allowed: printable characters"),
        ("@", "broken YAML"),
    ],
)
def test_what_is_not_allowed_is_one_clear_fault(text, said):
    assert said in fault_of(text)


def test_several_faults_of_reading_are_all_found():
    document = Document("f.yaml", "a: .inf\nb: !x 1\nc: 1\nc: 2\n")
    assert [fault.line for fault in document.faults] == [1, 2, 4]


def test_lines_are_those_of_the_keys():
    document = Document("f.yaml", "a:\n  b: 1\n  c:\n    - x\n    - y: 2\n")
    assert document.line(("a", "b")) == 2
    assert document.line(("a", "c", 1, "y")) == 5
    assert document.line(("a", "c", 0)) == 4
    assert document.line(("a", "nowhere", "deep")) == 1


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + k)}: &{chr(98 + k)} [{', '.join(['*' + chr(97 + k)] * 9)}]\n" for k in range(9)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 10_000, "nesting deeper than 50"),
        ("[" * 10_000 + "]" * 10_000, "nesting deeper than 50"),
        ("{a: " * 10_000, "nesting deeper than 50"),
        ("- " * 10_000, "nesting deeper than 50"),
        ("? " * 10_000, "nesting deeper than 50"),  # a key in a key
        ("".join(" " * k + "a:\n" for k in range(2_000)), "nesting deeper than 50"),
        (BOMB, "more than 200,000 values (aliases expanded)"),
        # a chain of aliases is deep too, though nothing in it is nested deeply
        ("a0: &a0 [1]\n" + "".join(f"a{k}: &a{k} [*a{k - 1}]\n" for k in range(1, 300)), "nesting deeper than 50"),
        ("x" * 5_000_001, "a text of over 5 MB"),
        ("é" * 2_500_001, "a text of over 5 MB"),
    ],
    ids=["open flow", "closed flow", "maps", "sequences", "keys", "block maps", "bomb", "alias chain", "long", "bytes"],
)
def test_hostile_files_end_soon_in_one_fault(text, said):
    start = time.perf_counter()
    message = fault_of(text)
    assert said in message or "as a key" in message
    assert len(message) < 400
    assert time.perf_counter() - start < 20  # a cap on work, not a benchmark: alone it takes a second or two at most


def test_count_of_values_is_capped(monkeypatch):
    monkeypatch.setattr(yaml12, "MOST_NODES", 1000)  # the real cap takes seconds to reach
    assert "f.yaml:1: 1000: found more than 1,000 values" in fault_of("[" + "a," * 1200 + "]")
    assert "f.yaml:501: found more than 1,000 values" in fault_of("".join(f"k{k}: a\n" for k in range(600)))


def test_aliases_repeat_what_they_stand_for():
    assert read("a: &x {b: [1, 2]}\nc: *x\nd: &y 5\ne: [*y, *x]\n") == {
        "a": {"b": (1, 2)}, "c": {"b": (1, 2)}, "d": 5, "e": (5, {"b": (1, 2)}),
    }  # fmt: skip


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufffe\uffff"), max_size=40)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(
        ["no", "1e3", "20:58", "null", "- a", "a: b", "#", " x", "x ", "'", '"', "2017-08-28", "~", "[a", "&x"]
    )
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(TEXTS, TREES, min_size=1, max_size=5))
def test_what_is_written_reads_back_the_same(data):
    text = write(data)
    found = read(text)
    assert repr(found) == repr(data)  # repr: so that 1 and 1.0 and True differ


def test_infinities_are_not_written():
    with pytest.raises(ValueError, match="only finite numbers"):
        write({"a": math.inf})


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet="-?:,[]{}#&*!|>'\"%@` \n\tab1.~<", max_size=60))
def test_any_text_reads_or_is_refused(text):
    document = Document("f.yaml", text)
    assert (document.root is not None) or document.faults
    for fault in document.faults:
        assert "\n" not in str(fault)


def test_caps_are_those_of_the_reference():
    assert (yaml12.MOST_BYTES, yaml12.MOST_DEPTH, yaml12.MOST_NODES) == (5_000_000, 50, 200_000)
