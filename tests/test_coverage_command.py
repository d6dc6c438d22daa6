"""``tocsin coverage``: what it leaves, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from tocsin.cli import app


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coverage") / "out"
    words = ["coverage", "hokkaido-2017", "--step-deg", "10", "--hours", "--out", str(folder), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return folder, done


def test_it_leaves_page_pictures_and_tables(made):
    folder, done = made
    names = {path.name for path in folder.iterdir()}
    assert names >= {"coverage.html", "coverage.json", "coverage.csv", "coverage.parquet", "hours.csv", "first.png"}
    said = json.loads(done.stdout)
    assert said == json.loads((folder / "coverage.json").read_text())
    assert said["exercise"] is True
    assert said["class"] == "irbm-liquid"
    assert said["toward"] == "Hokkaido"
    assert len(said["hours"]) == 24


def test_the_page_stands_by_itself(made):
    page = (made[0] / "coverage.html").read_text()
    assert "EXERCISE" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"https?:", page)
    assert page.count("data:image/png;base64,") >= 5
    assert "By hour of day" in page
    assert not re.search(r"\b(nan|None|inf)\b", re.sub(r"data:image/png;base64,[^\"]*", "", page))


def test_the_grid_is_labelled(made):
    grid = pq.read_table(made[0] / "coverage.parquet")
    assert grid.schema.metadata[b"exercise"].startswith(b"EXERCISE")
    for field in grid.schema:
        assert field.metadata[b"unit"]
        assert field.metadata[b"meaning"]
    assert grid.schema.field("first_s").metadata[b"unit"] == b"s"
    assert grid.schema.field("distance_km").metadata[b"unit"] == b"km"
    again = pa_csv.read_csv(made[0] / "coverage.csv")
    assert again.column_names == grid.column_names
    assert np.allclose(again["lat_deg"].to_numpy(), grid["lat_deg"].to_numpy())


def test_what_is_refused(made, tmp_path: Path):
    def refused(*words: str) -> str:
        done = CliRunner().invoke(app, ["coverage", "hokkaido-2017", *words])
        assert done.exit_code == 2
        return done.stderr

    assert "is not empty; choose another with --out" in refused("--out", str(made[0]))
    assert "no class 'x'" in refused("--class", "x", "--out", str(tmp_path / "a"))
    assert "no area 'x'" in refused("--toward", "x", "--out", str(tmp_path / "a"))
    (tmp_path / "f").write_text("")
    assert "is a file" in refused("--out", str(tmp_path / "f"))
    assert not (tmp_path / "a").exists()
