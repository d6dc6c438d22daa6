"""The data dictionary: one declaration, and everything made from it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tocsin.records.dictionary import FRAMES, TABLES, page, schema

UNITS = {
    "_deg": "deg", "_km": "km", "_km_s": "km/s", "_s": "s", "_db": "dB", "_kw_sr": "kW/sr", "_km2": "km2",
}  # fmt: skip
COLUMNS = [(table, column) for table in TABLES.values() for column in table.columns]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda x: x.name)
def test_a_columns_name_says_its_unit(table: object, column: object) -> None:
    name, unit = column.name, column.unit  # type: ignore[attr-defined]
    if name in ("cov_et_km_s", "cov_nt_km_s"):
        assert unit == "km s"  # a product with time, not a rate
        return
    endings = [u for ending, u in UNITS.items() if re.search(f"{ending}$", name)]
    if endings:
        assert unit == UNITS[max((e for e in UNITS if name.endswith(e)), key=len)]
    else:
        assert unit in ("", "1", "km or kW/sr")


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda x: x.name)
def test_a_column_has_a_meaning_and_a_known_frame(table: object, column: object) -> None:
    assert column.meaning  # type: ignore[attr-defined]
    assert column.frame == "" or column.frame in FRAMES  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", TABLES)
def test_names_are_unique_within_a_table(table: str) -> None:
    names = [c.name for c in TABLES[table].columns]
    assert len(names) == len(dict.fromkeys(names))


@pytest.mark.parametrize("table", TABLES)
def test_arrow_fields_carry_unit_frame_and_meaning(table: str) -> None:
    for field, column in zip(schema(table), TABLES[table].columns, strict=True):
        assert field.name == column.name
        assert field.nullable == column.nullable
        told = {k.decode(): v.decode() for k, v in field.metadata.items()}
        assert told == {"unit": column.unit, "frame": column.frame, "meaning": column.meaning}


@pytest.mark.parametrize("table", TABLES)
def test_time_stands_twice_where_it_stands_in_words(table: str) -> None:
    names = [c.name for c in TABLES[table].columns]
    if "time_utc" in names:
        assert "t_s" in names or "t1_s" in names


def test_the_page_is_the_one_in_the_handbook() -> None:
    handbook = Path(__file__).parents[2] / "docs" / "reference" / "data.md"
    made = subprocess.run(
        [sys.executable, "-m", "tocsin.records.dictionary"], capture_output=True, text=True, check=True
    ).stdout
    assert made == page()
    assert handbook.read_text() == made


def test_the_page_names_every_column_in_a_table_of_six_cells() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == len(COLUMNS)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 7 for row in rows)


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(KeyError):
        schema("radars")
