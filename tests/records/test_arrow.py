"""Columns by their buffers hold what ``pyarrow.array`` makes of the same values."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.records.arrow import column, numbers, scalar, texts, values


def some(drawn):
    return st.lists(st.none() | drawn, max_size=40)


@given(some(st.text(st.characters(exclude_categories=["Cs"]))))
def test_texts(rows):
    made = texts(rows)
    made.validate(full=True)
    assert made.equals(pa.array(rows, pa.string()))


@pytest.mark.parametrize(
    ("kind", "drawn"),
    [
        (pa.float64(), st.floats(allow_nan=False)), (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
        (pa.uint16(), st.integers(0, 65535)), (pa.bool_(), st.booleans()), (pa.int32(), st.integers(-5, 5)),
    ],
)  # fmt: skip
def test_numbers_with_gaps(kind, drawn):
    @given(some(drawn))
    def holds(rows):
        made = column(rows, kind)
        made.validate(full=True)
        assert made.equals(pa.array(rows, kind))

    holds()


def test_arrays_and_what_is_none():
    x = np.arange(20.0)[::2]
    gone = x > 10.0
    assert numbers(x, gone).equals(pa.array(x, mask=gone))
    assert numbers(x.astype(">f8")).equals(pa.array(x))
    assert numbers(gone).equals(pa.array(gone))
    with pytest.raises(ValueError, match="one dimension of numbers"):
        numbers(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="one dimension of numbers"):
        numbers(np.array(["a"]))


def test_a_number_that_does_not_fit_is_refused():
    with pytest.raises(OverflowError):
        column([70000], pa.uint16())


def test_a_run_leaves_pandas_alone():
    code = (
        "import sys, tocsin; r = tocsin.run(tocsin.Scenario.load('hokkaido-2017').with_('duration', '2 min'));"
        "r.tracks, r.summary, r.report_html(); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("value", ["a", 3, 2.5, True])
def test_a_scalar_compares(value):
    made = scalar(value)
    assert made.as_py() == value
    assert made.type == pa.scalar(value).type


@given(some(st.floats(-1e300, 1e300)), some(st.floats(-1e300, 1e300)), st.integers(0, 5))
def test_values_come_back(first, second, cut):
    column = pa.chunked_array([pa.array(first, pa.float64())[cut:], pa.array(second, pa.float64())])
    expected = np.array([np.nan if v is None else v for v in [*first[cut:], *second]], dtype=float)
    np.testing.assert_array_equal(values(column), expected)


def test_values_of_other_kinds():
    assert values(pa.array([3, 1, 2], pa.int32())).tolist() == [3, 1, 2]
    assert values(pa.array([3, None], pa.int32()))[0] == 3.0
    assert np.isnan(values(pa.array([3, None], pa.int32()))[1])
    got = values(pa.array([True, False, True])[1:])
    assert got.dtype == np.bool_
    assert got.tolist() == [False, True]
    assert len(values(pa.chunked_array([], pa.float64()))) == 0
