"""The run folder: whole or not at all, the same bytes for the same run, and a clear word about everything else."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tocsin.records import folder as f
from tocsin.records.dictionary import TABLES, schema
from tocsin.records.folder import RunFolder, RunFolderError, check_writable, write_page, write_run

TEXT = "format: tocsin-scenario/1\nid: ünïcode\n"


def tables(rows: int = 200) -> dict[str, pa.Table]:
    made = {name: schema(name).empty_table() for name in TABLES}
    rng = np.random.default_rng(1)
    arrays = []
    for field in schema("truth"):
        if field.type == pa.string():
            arrays.append(pa.array([f"x{i % 7}" for i in range(rows)]))
        else:
            arrays.append(pa.array(rng.normal(size=rows)))
    made["truth"] = pa.Table.from_arrays(arrays, schema=schema("truth"))
    return made


def write(out: Path, *, force: bool = False, timing: float = 1.0, seed: int = 7) -> Path:
    manifest = {"scenario": "x", "seed": seed, "version": "0.1.0", "parent": None}
    summary = {"format": "tocsin-run/1", "value": 0.1, "text": "ü"}
    texts = {"report.html": "<p>EXERCISE</p>", "replay.czml": "[]"}
    return write_run(out, tables(), manifest, summary, {"wall_s": timing}, texts, TEXT, force=force)


def content(path: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(path.iterdir())}


def nothing_but(parent: Path, *names: str) -> bool:
    return sorted(p.name for p in parent.iterdir()) == sorted(names)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "deep" / "er" / "run")
    assert sorted(p.name for p in path.iterdir()) == sorted(
        [f"{name}.parquet" for name in TABLES]
        + ["manifest.json", "summary.json", "timing.json", "report.html", "replay.czml"]
    )
    run = RunFolder.load(path)
    assert run.summary == {"format": "tocsin-run/1", "value": 0.1, "text": "ü"}
    assert run.scenario_text == TEXT
    assert run.timing == {"wall_s": 1.0}
    assert list(run.tables) == list(TABLES)
    for name, table in tables().items():
        assert run.tables[name].equals(table)
        assert run.tables[name].schema.equals(schema(name), check_metadata=True)
    assert run.damaged() == []
    assert nothing_but(path.parent, "run")


def test_the_manifest_tells_of_every_file(tmp_path: Path) -> None:
    path = write(tmp_path / "run")
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["format"] == "tocsin-run/1"
    assert manifest["exercise"] == "EXERCISE"
    assert (manifest["scenario"], manifest["seed"], manifest["version"], manifest["parent"]) == ("x", 7, "0.1.0", None)
    assert manifest["scenario_sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert sorted(manifest["files"]) == sorted([f"{name}.parquet" for name in TABLES] + ["summary.json"])
    for name, told in manifest["files"].items():
        assert told["sha256"] == hashlib.sha256((path / name).read_bytes()).hexdigest()
        if name.endswith(".parquet"):
            assert told["rows"] == pq.read_metadata(path / name).num_rows


def test_parquet_holds_units_and_no_clock(tmp_path: Path) -> None:
    path = write(tmp_path / "run") / "truth.parquet"
    meta = pq.read_metadata(path)
    assert meta.row_group(0).column(0).compression == "ZSTD"
    assert b"pandas" not in (meta.metadata or {})
    assert pq.read_schema(path).field("height_km").metadata[b"unit"] == b"km"


def test_two_equal_runs_have_equal_bytes_but_for_timing(tmp_path: Path) -> None:
    a, b = content(write(tmp_path / "a", timing=1.0)), content(write(tmp_path / "b", timing=2.0))
    assert [name for name in a if a[name] != b[name]] == ["timing.json"]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where another process wrote ``whole`` and tried ``cut`` with no more than 20 kB a file; and what it said."""
    place = tmp_path_factory.mktemp("elsewhere")
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n" + textwrap.dedent(f"""
        import resource
        from pathlib import Path
        import pyarrow as pa
        pa.set_cpu_count(1)
        from test_folder import write
        from tocsin.records.folder import RunFolderError
        write(Path({str(place)!r}) / "whole")
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            write(Path({str(place)!r}) / "cut")
        except RunFolderError as error:
            print(error)
    """)
    env = {**os.environ, "PYTHONHASHSEED": "99"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    return place, done.stdout


def test_bytes_do_not_depend_on_the_process(tmp_path: Path, elsewhere: tuple[Path, str]) -> None:
    assert content(write(tmp_path / "here")) == content(elsewhere[0] / "whole")


# what stands in the way -----------------------------------------------------------------------------------------------


def test_an_existing_folder_is_refused(tmp_path: Path) -> None:
    before = content(write(tmp_path / "run"))
    with pytest.raises(
        RunFolderError, match=r"run exists already; choose another folder with --out or replace it with --force"
    ):
        write(tmp_path / "run", seed=8)
    assert content(tmp_path / "run") == before
    assert nothing_but(tmp_path, "run")


def test_force_replaces_a_run_folder(tmp_path: Path) -> None:
    write(tmp_path / "run")
    (tmp_path / "run" / "notes.txt").write_text("mine")
    write(tmp_path / "run", seed=8, force=True)
    assert RunFolder.load(tmp_path / "run").manifest["seed"] == 8
    assert not (tmp_path / "run" / "notes.txt").exists()
    assert nothing_but(tmp_path, "run")


def test_force_replaces_nothing_but_run_folders(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(RunFolderError, match=r"home is not a run folder .* it will not be replaced"):
        write(tmp_path / "home", force=True)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"
    assert nothing_but(tmp_path, "home")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    check_writable(tmp_path / "run")
    assert RunFolder.load(write(tmp_path / "run")).manifest["seed"] == 7


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    for force in (False, True):
        with pytest.raises(RunFolderError, match="exists and is not a folder"):
            write(tmp_path / "run", force=force)


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    target = write(tmp_path / "target")
    (tmp_path / "run").symlink_to(target)
    with pytest.raises(RunFolderError, match="exists and is not a folder"):
        write(tmp_path / "run", force=True)
    assert RunFolder.load(target).manifest["seed"] == 7


def test_a_place_that_cannot_be_written_is_told_before_and_during(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunFolderError, match="is not a folder"):
        check_writable(tmp_path / "file" / "run")
    with pytest.raises(RunFolderError, match=r"cannot write /proc/tocsin/run"):
        write(Path("/proc/tocsin/run"))


def test_missing_rights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the tests may run as root, who may write anywhere
    with pytest.raises(RunFolderError, match="no right to write in"):
        check_writable(tmp_path / "run")


def test_what_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / "run.partial"
    left.mkdir()
    (left / ".tocsin-partial").touch()
    (left / "truth.parquet").write_bytes(b"half")
    write(tmp_path / "run")
    assert nothing_but(tmp_path, "run")


def test_a_partial_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run.partial").mkdir()
    (tmp_path / "run.partial" / "thesis.txt").write_text("x")
    with pytest.raises(RunFolderError, match=r"run\.partial is in the way and is not ours"):
        write(tmp_path / "run")
    assert (tmp_path / "run.partial" / "thesis.txt").exists()
    assert nothing_but(tmp_path, "run.partial")


def test_two_runs_do_not_write_one_folder(tmp_path: Path) -> None:
    with f._partial(tmp_path / "run") as partial:
        with pytest.raises(RunFolderError, match="another run is being written to"):
            write(tmp_path / "run")
        assert partial.exists()
        partial.rename(tmp_path / "run")


# what goes wrong in the middle ----------------------------------------------------------------------------------------


class Breaks:
    """Counts calls of a function and raises at one of them."""

    def __init__(self, real: Any, at: int, error: BaseException) -> None:
        self.real, self.at, self.error, self.calls = real, at, error, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.calls == self.at:
            raise self.error
        return self.real(*args, **kwargs)


FULL = OSError(errno.ENOSPC, "No space left on device")


def steps_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    counter = Breaks(os.fsync, 0, FULL)
    monkeypatch.setattr(os, "fsync", counter)
    write(tmp_path / "count")
    monkeypatch.undo()
    return counter.calls


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
def test_nothing_half_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, existing: bool
) -> None:
    steps = steps_of_a_run(tmp_path, monkeypatch)
    assert steps > len(TABLES)
    place = tmp_path / "runs"
    place.mkdir()
    for at in (1, 2, len(TABLES) // 2, steps - 4, steps - 3, steps - 2, steps - 1, steps):
        if existing and not (place / "run").exists():
            write(place / "run", seed=1)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", Breaks(os.fsync, at, error))
            with pytest.raises((RunFolderError, KeyboardInterrupt)) as caught:
                write(place / "run", seed=2, force=True)
        if isinstance(error, OSError):
            assert "no space left on the device" in str(caught.value)
        names = sorted(p.name for p in place.iterdir())
        if at == steps:
            # the last is the sync of the parent, after the rename: the new run stands, whole
            assert names == ["run"]
            assert RunFolder.load(place / "run").damaged() == []
        else:
            assert names == (["run"] if existing else [])
            if existing:
                assert RunFolder.load(place / "run").manifest["seed"] == 1


@pytest.mark.parametrize("at", [1, 2])
def test_an_interrupted_swap_puts_the_old_run_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    write(tmp_path / "run", seed=1)
    with monkeypatch.context() as patch:
        breaks = Breaks(Path.rename, at, OSError(errno.EIO, "Input/output error"))
        # a plain function, so that it is bound as a method
        patch.setattr(Path, "rename", lambda *args: breaks(*args))  # noqa: PLW0108
        with pytest.raises(RunFolderError, match="input/output error"):
            write(tmp_path / "run", seed=2, force=True)
    assert nothing_but(tmp_path, "run")
    assert RunFolder.load(tmp_path / "run").manifest["seed"] == 1


def test_folders_made_on_the_way_go_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", Breaks(os.fsync, 3, FULL))
    with pytest.raises(RunFolderError):
        write(tmp_path / "a" / "b" / "run")
    assert nothing_but(tmp_path)


def test_a_real_limit_on_file_size_is_met_the_same_way(elsewhere: tuple[Path, str]) -> None:
    assert "file too large; no run folder was left behind" in elsewhere[1]
    assert nothing_but(elsewhere[0], "whole")


# reading --------------------------------------------------------------------------------------------------------------


def test_what_is_no_run_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="there is no such folder"):
        RunFolder.load(tmp_path / "none")
    with pytest.raises(RunFolderError, match=r"is not a run folder: manifest\.json is missing"):
        RunFolder.load(tmp_path)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ('{"format": "tocsin-run/2"}', r"is of format 'tocsin-run/2'; this version of Tocsin reads 'tocsin-run/1'"),
        ('{"format": "other/1"}', "is not a run folder: format 'other/1'"),
        ("{}", "is not a run folder: format 'None'"),
        ("[]", "expected an object"),
        ("[" * 100_000, "it is not JSON"),
        ("not json", "it is not JSON"),
        ('{"format": "tocsin-run/1"}', "scenario_text or files is missing"),
    ],
)
def test_other_formats_are_refused_clearly(tmp_path: Path, manifest: str, message: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(RunFolderError, match=message):
        RunFolder.load(tmp_path)


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "run")
    (path / "truth.parquet").write_bytes(b"PAR1 and then nonsense")
    run = RunFolder.load(path)
    assert run.damaged() == ["truth.parquet"]
    with pytest.raises(RunFolderError, match=r"truth\.parquet: it is damaged"):
        run.tables["truth"]
    (path / "truth.parquet").unlink()
    with pytest.raises(RunFolderError, match=r"cannot read .*truth\.parquet"):
        RunFolder.load(path).tables["truth"]


def test_a_run_without_later_tables_and_columns_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "run")
    old = pq.read_table(path / "truth.parquet").drop_columns(["height_km"])
    pq.write_table(old, path / "truth.parquet")
    manifest = json.loads((path / "manifest.json").read_text())
    del manifest["files"]["risks.parquet"]
    (path / "manifest.json").write_text(json.dumps(manifest))
    run = RunFolder.load(path)
    assert run.tables["truth"]["height_km"].null_count == 200
    assert run.tables["risks"].num_rows == 0
    assert "risks" in run.tables
    assert "radars" not in run.tables
    with pytest.raises(KeyError):
        run.tables["radars"]


def test_a_manifest_cannot_point_outside(tmp_path: Path) -> None:
    path = write(tmp_path / "run")
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"]["../secret"] = {"sha256": hashlib.sha256(b"x").hexdigest()}
    (path / "manifest.json").write_text(json.dumps(manifest))
    assert RunFolder.load(path).damaged() == ["../secret"]


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "run")
    write_page(path, "report.html", "new")
    assert (path / "report.html").read_text() == "new"
    monkeypatch.setattr(os, "fsync", Breaks(os.fsync, 1, FULL))
    with pytest.raises(RunFolderError, match="no space left on the device"):
        write_page(path, "report.html", "newer")
    assert (path / "report.html").read_text() == "new"
    assert not [p for p in path.iterdir() if p.name.startswith(".")]
