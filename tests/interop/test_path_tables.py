"""Recorded paths as CSV: both column forms, exact times, faults by line."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.earth.wgs84 import ecef_of
from tocsin.interop.paths import MOST_BYTES, PathError, parse_path, path_text, read_path
from tocsin.truth.recorded import check_rows

TEXT = """# a table with remarks
t_s,lat_deg,lon_deg,height_km

0,10,-20,0.5
# and one in the middle
10.25,10.1,-20.1,12.5
20.000000001,10.2,-20.2,24.5
"""


def test_rows_in_si_with_exact_times():
    rows = parse_path(TEXT)
    assert [r[0] for r in rows] == [0, 10_250_000_000, 20_000_000_001]
    assert rows[1][1:] == (math.radians(10.1), math.radians(-20.1), 12_500.0)
    # any order of columns, blanks, a byte-order mark, quotes, carriage returns
    again = parse_path('height_km, lon_deg ,"t_s",lat_deg\r\n0.5,-20,0,10\r\n12.5,-20.1,10.25,10.1\r\n')
    assert again == rows[:2]
    assert parse_path("t_s,lat_deg,lon_deg,height_m\n0,10,-20,500\n10.25,10.1,-20.1,12500\n") == rows[:2]
    with pytest.raises(PathError, match="unknown column 'height_m'"):
        parse_path("t_s,lat_deg,lon_deg,height_m,height_km\n0,10,-20,500,1\n")


def test_earth_fixed_columns():
    a = ecef_of(0.5, 1.0, 2e4)
    b = ecef_of(0.501, 1.0, 2.1e4)
    text = "t_s,x_m,y_m,z_m\n" + "\n".join(",".join(map(repr, (t, *p))) for t, p in ((-1.5, a), (8.5, b)))
    rows = parse_path(text)
    assert [r[0] for r in rows] == [-1_500_000_000, 8_500_000_000]
    assert rows[0][1:] == pytest.approx((0.5, 1.0, 2e4), abs=1e-4)
    assert rows[1][1:] == pytest.approx((0.501, 1.0, 2.1e4), abs=1e-4)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**12), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1), st.floats(0.0, 1e6)
        ),
        min_size=2, max_size=8,
    ),
    st.integers(-(10**15), 10**15),
)  # fmt: skip
def test_written_and_read_again(steps, start):
    t = start
    rows = []
    for step, lat, lon, h in steps:
        t += step + 10**13
        rows.append((t, lat, lon, h))
    again = parse_path(path_text(rows), greatest_gap=1e9)
    check_rows(again, 1e9)
    assert [r[0] for r in again] == [r[0] for r in rows]
    for one, two in zip(rows, again, strict=True):
        assert two[1:] == pytest.approx(one[1:], abs=1e-3)
        assert abs(two[1] - one[1]) < 2e-11


def line(n, text):
    """TEXT with another line n (from 1)."""
    lines = TEXT.splitlines()
    lines[n - 1] = text
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "t: is empty; it needs the columns t_s, lat_deg, lon_deg, height_km or t_s, x_m, y_m, z_m"),
        ("# only a remark\n", "t: is empty"),
        (line(2, "t_s,lat_deg,lon_deg"), "t, line 2: column 'height_km' is missing; found t_s, lat_deg, lon_deg"),
        (line(2, "t_s,x_m,lat_deg,z_m"), "t, line 2: column 'y_m' is missing"),
        (line(2, "t_s,lat_deg,lon_deg,height_km,speed"), "t, line 2: unknown column 'speed'; allowed are t_s,"),
        (line(2, "t_s,t_s,lon_deg,height_km"), "t, line 2: column 't_s' stands twice"),
        (line(4, "0,10,-20"), "t, line 4: 3 cells under 4 columns"),
        (line(6, "10.25,nan,-20.1,12.5"), "t, line 6: lat_deg must be a finite number, found 'nan'"),
        (line(6, "10.25,10,1_0,12.5"), "t, line 6: lon_deg must be a finite number, found '1_0'"),
        (line(6, "10.25,10,1e999,12.5"), "t, line 6: lon_deg must be a finite number, found '1e999'"),
        (line(6, "later,10,-20,12.5"), "t, line 6: t_s must be a finite number, found 'later'"),
        (line(6, "1e9,10,-20,12.5"), "t, line 6: t_s must lie within 1e+08 s of zero, found 1e9"),
        (line(6, "10.25,,-20.1,12.5"), "t, line 6: lat_deg must be a finite number, found ''"),
        (line(6, "0,10.1,-20.1,12.5"), "t, line 6: time 0.000 s stands twice"),
        (line(6, "-1,10.1,-20.1,12.5"), "t, line 6: time -1.000 s is earlier than the row before (0.000 s)"),
        (line(6, "99,10.1,-20.1,12.5"), "t, line 6: gap of 99.000 s before it; at most 60 s may be bridged"),
        (line(7, "20,100,-20.2,24.5"), "t, line 7: latitude must lie between -90 and 90 degrees, found 100"),
        (line(7, "20,10,-361,24.5"), "t, line 7: longitude must lie between -360 and 360 degrees, found -361"),
        (line(7, "20,10,-20,-5"), "t, line 7: height must lie between -1000 and 1e+08 m, found -5000"),
        (line(7, "20,50,-20,5"), "no flight is faster than 15000 m/s"),
        ("\n".join(TEXT.splitlines()[:4]), "t: a path needs 2 to 1,000,000 rows, found 1"),
        ("t_s,x_m,y_m,z_m\n0,1,2,3\n1,1,2,3", "t, line 2: 0 km from the Earth's centre is no flight"),
        ('t_s,"lat_deg\n', "t, line 1: is no CSV: unexpected end of data"),
    ],
)  # fmt: skip
def test_faults_are_named_by_line(text, says):
    with pytest.raises(PathError) as raised:
        parse_path(text, "t")
    assert says in str(raised.value)
    assert raised.value.name == "t"
    if ", line " in says:
        assert raised.value.line == int(says.split("line ")[1].split(":")[0])


def test_an_aircraft_is_slower_than_a_rocket():
    text = "t_s,lat_deg,lon_deg,height_km\n0,0,0,10\n10,0.2,0,10\n"
    assert len(parse_path(text)) == 2
    with pytest.raises(PathError, match="no aircraft is faster than 1500 m/s"):
        parse_path(text, kind="aircraft")


@given(st.sampled_from(range(8)), st.text(alphabet=st.characters() | st.sampled_from('0123456789.,-+eE"\n#')))
def test_whatever_stands_there_only_its_own_error_comes(n, text):
    lines = TEXT.splitlines()
    for whole in (text, "\n".join([*lines[:n], text, *lines[n + 1 :]])):
        with contextlib.suppress(PathError):
            assert len(parse_path(whole)) >= 2
    with pytest.raises(PathError, match="must be a finite number"):
        parse_path(line(4, "0" * 5000 + ",10,-20,1"))


def test_files(tmp_path):
    file = tmp_path / "path.csv"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read_path(file) == parse_path(TEXT)
    with pytest.raises(PathError, match=r"gone.csv: cannot be read: no such file or directory"):
        read_path(tmp_path / "gone.csv")
    file.write_bytes(TEXT.encode() + b"\xff")
    with pytest.raises(PathError, match=r"path.csv, line 8: is not UTF-8 text"):
        read_path(file)
    file.write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(PathError, match=r"path.csv: is larger than 64,000,000 bytes"):
        read_path(file)
