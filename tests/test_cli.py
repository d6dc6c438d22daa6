"""The command line: what it says, above all when something is wrong. One test for each message.

``tocsin.run`` is played by a recorded run made by hand (``measures/watched_flight``), so that the commands are tested
and not the simulation; the last tests, marked slow, run the real thing.
"""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import tocsin
from tocsin import cli, screen
from tocsin.interop.csv import safe
from tocsin.records.folder import RunFolder, write_run

sys.path.append(str(Path(__file__).parent / "measures"))
import watched_flight as w

Command = Callable[..., tuple[int, str, str]]
SMALL = """\
format: tocsin-scenario/1
id: small
title: A small scenario
start: 2020-01-01T00:00:00Z
duration: 12 min
partners:
  a:
    name: Aland
    sensors: {}
classes:
  irbm-liquid: {}
objects: {}
"""


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run a command in an empty folder; exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*args: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tocsin", *map(str, args)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = 0 if end.code is None else int(end.code)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


class MadeRun:
    """A run with the tables of ``watched_flight``; what of ``api.Run`` the commands use."""

    def __init__(self, name: str = "watched") -> None:
        from tocsin.measures.summary import summarise
        from tocsin.records.tables import tables_from_records

        self.manifest = {**w.MANIFEST, "scenario": name, "parent": None}
        self.tables = tables_from_records(w.records(), w.FACTS)
        self.summary = summarise(self.tables, w.SCENARIO, self.manifest, w.FACTS)

    def write(self, out: Path, *, force: bool = False) -> Path:
        texts = {"report.html": self.report_html(), "replay.czml": self.czml()}
        return write_run(out, self.tables, self.manifest, self.summary, {}, texts, "id: watched\n", force=force)

    def report_html(self) -> str:
        return "<p>EXERCISE"

    def czml(self) -> str:
        return "[]"


@pytest.fixture(scope="module")
def made_run() -> MadeRun:
    return MadeRun()


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, made_run: MadeRun, tmp_path: Path) -> list[Any]:
    """``tocsin.run`` gives the made run and notes the scenarios it was asked to run; ``small.yaml`` stands ready."""
    asked: list[Any] = []

    def run(scenario: Any, *, progress: Callable[[float], None]) -> MadeRun:
        asked.append(scenario)
        for k in range(5):
            progress(k / 4)
        return made_run

    monkeypatch.setattr(tocsin, "run", run, raising=False)
    monkeypatch.setattr(tocsin, "load", lambda folder: (RunFolder.load(folder), made_run)[1], raising=False)
    (tmp_path / "small.yaml").write_text(SMALL)
    return asked


def left(path: Path) -> list[str]:
    return sorted(p.name for p in path.iterdir())


# help and start -------------------------------------------------------------------------------------------------------

COMMANDS = ("scenarios", "new", "validate", "run", "report", "warmup", "export", "check-flight", "coverage")


def test_help_lists_every_command(command: Command) -> None:
    code, out, _ = command("--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)
    assert "EXERCISE" in out
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_has_examples(command: Command, name: str) -> None:
    code, out, _ = command(name, "--help")
    assert code == 0
    examples = out.partition("Examples:")[2]
    assert f"tocsin {name}" in examples


def test_version(command: Command) -> None:
    assert command("--version") == (0, f"tocsin {tocsin.__version__}\n", "")


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['tocsin', '--help']\n"
        "import tocsin.cli\n"
        "try: tocsin.cli.main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'numba', 'pyarrow', 'pydantic', 'rich', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("fly",), "No such command 'fly'"),
        (("run",), "Missing argument"),
        (("run", "x", "--seed", "many"), "'--seed'"),
        (("run", "x", "--seed", "-1"), "'--seed'"),
        (("run", "x", "--sharing", "everything"), "'--sharing'"),
        (("run", "x", "--fast"), "No such option"),
        (("export", "x"), "Missing option '--to'"),
        (("export", "x", "--to", "stk"), "'--to'"),
    ],
)
def test_a_wrong_command_line_is_told(command: Command, args: tuple[str, ...], words: str) -> None:
    code, _, err = command(*args)
    assert code == 2
    assert words in err


# scenarios, new, validate ---------------------------------------------------------------------------------------------


def test_scenarios_are_listed_a_line_each(command: Command) -> None:
    code, out, _ = command("scenarios")
    assert code == 0
    bundled = ["black-brant-1995", "chip-1980", "hawaii-2018", "hokkaido-2017", "seongju-2016", "sun-glint-1983"]
    bundled.append("tape-1979")
    assert [line.split()[0] for line in out.splitlines()] == bundled
    assert [s["id"] for s in json.loads(command("scenarios", "--json")[1])] == bundled


def test_a_new_scenario_is_valid_and_commented(command: Command, tmp_path: Path) -> None:
    code, out, _ = command("new", "mine")
    assert (code, left(tmp_path)) == (0, ["mine.yaml"])
    assert "tocsin run mine.yaml" in out
    text = (tmp_path / "mine.yaml").read_text()
    assert "mine" in text
    assert sum(line.lstrip().startswith("#") for line in text.splitlines()) > 5
    assert command("validate", "mine.yaml")[:2] == (0, "ok\n")


def test_new_replaces_nothing_unasked(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("x")
    code, _, err = command("new", "mine")
    assert (code, (tmp_path / "mine.yaml").read_text()) == (2, "x")
    assert err == "tocsin: mine.yaml exists already; choose another file with --out or replace it with --force\n"
    assert command("new", "mine", "--force")[0] == 0


def test_new_into_a_missing_folder_or_onto_one(command: Command, tmp_path: Path) -> None:
    assert "there is no folder none" in command("new", "mine", "--out", "none/mine.yaml")[2]
    (tmp_path / "folder").mkdir()
    assert "folder is a folder; name a file with --out" in command("new", "mine", "--out", "folder", "--force")[2]
    assert left(tmp_path) == ["folder"]


def test_new_stays_in_the_folder_whatever_the_name(command: Command, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    os.chdir(tmp_path / "deep" / "er")
    code, out, _ = command("new", "../../\x1b[31mpasswd: [")
    assert (code, left(tmp_path), left(tmp_path / "deep")) == (0, ["deep"], ["er"])
    (made,) = left(tmp_path / "deep" / "er")
    assert "passwd" in made
    assert "\x1b" not in out
    assert command("validate", made)[:2] == (0, "ok\n")


def test_five_faults_are_five_lines(command: Command, tmp_path: Path) -> None:
    bad = SMALL.replace("duration: 12 min", "duration: soon\nseed: -4\ncolour: red\nframe_s: 0.001")
    bad = bad.replace("start: 2020-01-01T00:00:00Z", "start: yesterday")
    (tmp_path / "bad.yaml").write_text(bad)
    code, out, err = command("validate", "bad.yaml")
    assert (code, out) == (2, "")
    *faults, count = err.splitlines()
    assert count == "5 faults"
    for key in ("start", "duration", "seed", "colour", "frame_s"):
        assert sum(f" {key}: found " in line and line.startswith("bad.yaml:") for line in faults) == 1
    told = json.loads(command("validate", "bad.yaml", "--json")[1])
    assert told["ok"] is False
    assert sorted(f["path"] for f in told["faults"]) == ["colour", "duration", "frame_s", "seed", "start"]
    assert all(f["line"] > 0 and f["allowed"] for f in told["faults"])


def test_validate_wants_a_file(command: Command) -> None:
    code, _, err = command("validate")
    assert (code, err) == (2, "tocsin: name a scenario file, or ask for --schema\n")


def test_the_scenario_schema_is_one(command: Command) -> None:
    schema = json.loads(command("validate", "--schema")[1])
    jsonschema.Draft202012Validator.check_schema(schema)


def test_a_valid_scenario_is_ok(command: Command) -> None:
    assert command("validate", "hokkaido-2017") == (0, "ok\n", "")
    assert json.loads(command("validate", "black-brant-1995", "--json")[1])["ok"] is True


# run ------------------------------------------------------------------------------------------------------------------


def test_a_run_ends_with_the_table_and_the_path(command: Command, running: list[Any], tmp_path: Path) -> None:
    code, out, err = command("run", "small.yaml")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "report: runs/small-1/report.html"
    row = next(line for line in out.splitlines() if line.startswith("Aland") and "north-star" in line)
    assert row.split() == ["Aland", "north-star", "0:30", "0:51", "1:13", "1:30", "2:00", "under", "2:08", "Bland"]
    assert "Aland, steps done: gov 1:30, public 2:00, again 3:10" in out
    assert "told" in out
    assert RunFolder.load(tmp_path / "runs" / "small-1").damaged() == []


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_fits_the_screen(
    command: Command, running: list[Any], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, _ = command("run", "small.yaml", "--force")
    assert code == 0
    assert max(len(line) for line in out.splitlines()) <= width
    assert "2 min 08 s" in out if width < 100 else "under 2:08" in out
    assert "\x1b" not in out


def test_a_summary_can_be_read_by_a_program(command: Command, running: list[Any], made_run: MadeRun) -> None:
    from tocsin.measures.shapes import json_schema

    code, out, err = command("run", "small.yaml", "--json", "--out", "here")
    assert code == 0
    assert json.loads(out) == made_run.summary
    jsonschema.validate(json.loads(out), json_schema())
    assert err.endswith("/here\n")


def test_options_change_the_scenario(command: Command, running: list[Any]) -> None:
    assert command("run", "small.yaml", "--seed", "9", "--set", "title=No, thanks", "--set", "frame_s=2.0")[0] == 0
    assert command("run", "small.yaml", "--sharing", "warnings", "--set", "seed=12")[0] == 0
    first, second = running
    assert (first.seed, first.title, first.model.frame_s) == (9, "No, thanks", 2.0)
    assert (second.seed, second.model.sharing.mode) == (12, "warnings")
    assert left(Path("runs")) == ["small-12", "small-9"]


def test_set_without_a_value(command: Command, running: list[Any]) -> None:
    code, _, err = command("run", "small.yaml", "--set", "seed")
    assert (code, err) == (2, "tocsin: --set 'seed': expected path=value, such as objects.one.range_km=2500\n")


def test_set_of_something_that_is_not_there(command: Command, running: list[Any], tmp_path: Path) -> None:
    code, _, err = command("run", "small.yaml", "--set", "colour=red")
    assert code == 2
    assert "colour" in err
    assert (running, left(tmp_path)) == ([], ["small.yaml"])


def test_an_unknown_scenario_names_the_near_ones(command: Command, running: list[Any], tmp_path: Path) -> None:
    code, _, err = command("run", "hokaido")
    assert code == 2
    assert "no scenario 'hokaido'" in err
    assert "hokkaido-2017" in err
    assert running == []


def test_a_missing_file(command: Command) -> None:
    code, _, err = command("run", "none.yaml")
    assert code == 2
    assert "none.yaml" in err
    assert "No such file" in err


def test_a_scenario_with_faults_is_not_run(command: Command, running: list[Any], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(SMALL + "nonsense: 1\nmore: 2\n")
    code, _, err = command("run", "bad.yaml")
    assert code == 2
    assert "nonsense" in err
    assert "more" in err
    assert running == []


def test_an_existing_run_is_refused_before_anything_runs(command: Command, running: list[Any], tmp_path: Path) -> None:
    assert command("run", "small.yaml")[0] == 0
    code, _, err = command("run", "small.yaml")
    assert code == 2
    assert "small-1 exists already; choose another folder with --out or replace it with --force" in err
    assert len(running) == 1
    assert command("run", "small.yaml", "--force")[0] == 0
    assert left(tmp_path / "runs") == ["small-1"]


def test_force_spares_what_is_no_run(command: Command, running: list[Any], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("x")
    code, _, err = command("run", "small.yaml", "--out", "home", "--force")
    assert code == 2
    assert "is not a run folder" in err
    assert (running, left(tmp_path / "home")) == ([], ["thesis.txt"])


def test_a_folder_that_cannot_be_written(command: Command, running: list[Any]) -> None:
    code, _, err = command("run", "small.yaml", "--out", "small.yaml/run")
    assert code == 2
    assert "is not a folder" in err
    assert running == []
    code, _, err = command("run", "small.yaml", "--out", "/proc/tocsin/run")
    assert code == 2
    assert "cannot write /proc/tocsin/run" in err


def test_a_full_disk(command: Command, running: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, _, err = command("run", "small.yaml")
    assert code == 2
    assert "no space left on the device; no run folder was left behind" in err
    assert left(tmp_path) == ["small.yaml"]


@pytest.mark.parametrize("place", ["fsync", "tell", "show"])
def test_ctrl_c_leaves_nothing_half_written(
    command: Command, running: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    if place == "fsync":
        monkeypatch.setattr(os, "fsync", stop)
    elif place == "tell":
        monkeypatch.setattr(screen.Progress, "tell", stop)
    else:
        monkeypatch.setattr(screen, "show_run", stop)
    code, _, err = command("run", "small.yaml")
    assert code == 130
    assert err == "tocsin: interrupted; nothing half-written was left behind\n"
    assert left(tmp_path) == (["runs", "small.yaml"] if place == "show" else ["small.yaml"])
    if place == "show":
        assert RunFolder.load(tmp_path / "runs" / "small-1").damaged() == []


def test_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    script = f"{sys.executable} -m tocsin.cli validate --schema | head -c 10"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert len(done.stdout) == 10
    assert done.stderr == ""


# report and export ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(running: list[Any], made_run: MadeRun, tmp_path: Path) -> Path:
    return made_run.write(tmp_path / "done")


def test_the_report_can_be_made_again(command: Command, folder: Path) -> None:
    (folder / "report.html").unlink()
    assert command("report", folder)[0] == 0
    assert (folder / "report.html").read_text() == "<p>EXERCISE"


@pytest.mark.parametrize("args", [("report",), ("export", "--to", "csv")])
def test_what_is_no_run_folder_is_told(command: Command, folder: Path, tmp_path: Path, args: tuple[str, ...]) -> None:
    code, _, err = command(*args, "nowhere")
    assert (code, err) == (2, "tocsin: nowhere: there is no such folder\n")
    code, _, err = command(*args, tmp_path)
    assert code == 2
    assert "is not a run folder: manifest.json is missing" in err
    (folder / "manifest.json").write_text('{"format": "tocsin-run/9"}')
    code, _, err = command(*args, folder)
    assert code == 2
    assert "is of format 'tocsin-run/9'; this version of Tocsin reads 'tocsin-run/1'" in err


def test_every_table_is_exported_as_csv(command: Command, folder: Path, made_run: MadeRun) -> None:
    code, out, _ = command("export", folder, "--to", "csv")
    assert (code, out) == (0, f"{folder}/csv\n")
    assert left(folder / "csv") == sorted(f"{name}.csv" for name in made_run.tables)
    for name, table in made_run.tables.items():
        with (folder / "csv" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        assert header == table.column_names
        assert len(rows) == table.num_rows
        for i, column in enumerate(table.column_names):
            wanted = table[column].to_pylist()
            if wanted and isinstance(wanted[0], float):
                assert [float(row[i]) if row[i] else None for row in rows] == wanted
            elif wanted and isinstance(wanted[0], str):
                assert [row[i] for row in rows] == [safe(text) if text is not None else "" for text in wanted]


def test_an_export_replaces_nothing_unasked(command: Command, folder: Path, tmp_path: Path) -> None:
    assert command("export", folder, "--to", "csv")[0] == 0
    code, _, err = command("export", folder, "--to", "csv")
    assert code == 2
    assert ".csv exists already" in err
    assert command("export", folder, "--to", "csv", "--force")[0] == 0
    (tmp_path / "x.czml").write_text("mine")
    code, _, err = command("export", folder, "--to", "czml", "--out", "x.czml")
    assert (code, (tmp_path / "x.czml").read_text()) == (2, "mine")
    assert err == "tocsin: x.czml exists already; choose another file with --out or replace it with --force\n"
    assert command("export", folder, "--to", "czml", "--out", "y.czml")[:2] == (0, "y.czml\n")
    assert (tmp_path / "y.czml").read_text() == "[]"


def test_an_export_to_nowhere(command: Command, folder: Path) -> None:
    code, _, err = command("export", folder, "--to", "czml", "--out", "none/y.czml")
    assert code == 2
    assert "cannot write none/y.czml: no such file or directory" in err
    code, _, err = command("export", folder, "--to", "csv", "--out", "/proc/tocsin")
    assert code == 2
    assert "cannot write /proc/tocsin" in err


# texts from scenarios -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain ünïcode 火", "plain ünïcode 火"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("a\x00b\x07c\x7fd", "abcd"),
        ("one\ntwo\rthree\tfour", "one two three four"),
        ("abc\u202edef\u2066\u200b\ufeff", "abcdef"),
        ("\u2028\u2029", ""),
    ],
)
def test_texts_cannot_steer_a_terminal(text: str, cleaned: str) -> None:
    assert screen.clean(text) == cleaned


def test_names_are_shown_as_they_are_and_not_as_markup(
    command: Command, running: list[Any], made_run: MadeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "[red]x[/red] :smile: \x1b[2J[link=http://evil]y[/link]"
    partners = [{**p, "name": evil} for p in made_run.summary["partners"]]
    monkeypatch.setattr(made_run, "summary", {**made_run.summary, "title": evil, "partners": partners})
    monkeypatch.setenv("COLUMNS", "200")
    code, out, _ = command("run", "small.yaml")
    assert code == 0
    assert "[red]x[/red] :smile: [link=http://evil]y[/link]" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "  =1", "\n=1", "＝1"])
def test_no_text_is_a_formula_in_a_spreadsheet(text: str) -> None:
    assert safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "T+3", "north-star", "x@y", " a", "'=1"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert safe(text) == text


def test_times_are_told_to_the_second() -> None:
    assert [screen.clock(s) for s in (0.0, 59.6, 125.2, -10.4, -0.2, None)] == [
        "0:00",
        "1:00",
        "2:05",
        "-0:10",
        "0:00",
        "-",
    ]
    assert [screen.span(s) for s in (545.0, 5.4, -61.0, None)] == [
        "9 min 05 s",
        "0 min 05 s",
        "too late by 1 min 01 s",
        "-",
    ]


# progress -------------------------------------------------------------------------------------------------------------


def test_what_is_quick_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with screen.Progress("running x") as progress:
        for k in range(10):
            progress.tell(k / 10)
    assert capsys.readouterr() == ("", "")


def test_what_is_slow_says_so_in_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with screen.Progress("running x") as progress:
        for k in range(26):
            now[0] = float(k)
            progress.tell(k / 50)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["tocsin: running x, 20% done", "tocsin: running x, 40% done"]


def test_compiling_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    from tocsin.earth.jit import kernel_count

    with screen.Progress("running x") as progress:
        progress.compiling("coast", 1)
        progress.compiling("fall", 2)
    assert capsys.readouterr().err == f"tocsin: compiling kernels (once) 1/{kernel_count()}, 0% done\n"


# the real thing -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_real_run_leaves_a_whole_folder_that_can_be_read(command: Command) -> None:
    code, out, _ = command("run", "black-brant-1995", "--json", "--out", "run")
    assert code == 0
    from tocsin.measures.shapes import json_schema

    jsonschema.validate(json.loads(out), json_schema())
    assert RunFolder.load("run").damaged() == []
    Path("run/report.html").unlink()
    pages = []
    for _ in range(2):
        assert command("report", "run")[0] == 0
        pages.append(Path("run/report.html").read_bytes())
    assert pages[0] == pages[1]
    assert b"EXERCISE" in pages[0]
    assert command("export", "run", "--to", "czml")[0] == 0
    assert json.loads(Path("run/replay.czml").read_text())[0]["id"] == "document"


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.05, 1.5])
def test_a_real_ctrl_c(tmp_path: Path, after_s: float) -> None:
    script = "import tocsin.cli; print('ready', flush=True); tocsin.cli.main()"
    args = [sys.executable, "-c", script, "run", "black-brant-1995", "--out", "run"]
    with subprocess.Popen(args, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert process.returncode == 130
    assert left(tmp_path) == []
