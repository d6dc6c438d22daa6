"""The command check-flight: answers as text and JSON, exit codes, marks; that its help loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from tocsin import cli

Command = Callable[..., tuple[int, str, str]]
PUBLISHED = ("--apogee-km", "550", "--range-km", "2700", "--flight-time", "14min")
PLACE = ("--class", "irbm-liquid", "--site", "39.200159,125.673256", "--azimuth-deg", "73")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setenv("COLUMNS", "100")

    def run(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tocsin", "check-flight", *args])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = 0 if end.code is None else int(end.code)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


def test_the_overflight_of_2017_does_not_go_together(command: Command) -> None:
    """12 % is what an arc from other constants gives too; see the validation book."""
    code, out, _ = command(*PUBLISHED, *PLACE, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["exercise"] == "EXERCISE"
    assert found["consistent"] is False
    assert found["error_percent"] == pytest.approx(100.0 * (found["flight_time_s"] - 840.0) / 840.0, abs=0.02)
    assert found["error_percent"] == pytest.approx(12.0, abs=1.5)
    assert 5.0 < found["tolerance_percent"] < found["error_percent"]
    assert found["class_given"]
    assert found["site"]["given"]
    assert found["azimuth"] == {"deg": 73.0, "given": True}


def test_a_lofted_flight_of_2017_goes_together(command: Command) -> None:
    code, out, _ = command("--apogee-km", "4475", "--range-km", "950", "--flight-time", "53min", "--json")
    found = json.loads(out)
    assert (code, found["consistent"]) == (0, True)
    assert abs(found["error_percent"]) <= found["tolerance_percent"] < 3.5
    assert found["implied"]["by_range_and_time"]["apogees_km"] == [pytest.approx(4475, rel=0.03)]


def test_the_text_says_what_it_is_and_what_it_found(command: Command) -> None:
    code, out, _ = command(*PUBLISHED, *PLACE)
    assert code == 0
    assert out.startswith("EXERCISE: a model")
    assert "They do not go together" in out
    for part in ("range and time: apogee", "apogee and time: range", "all three:", "Tolerance: twice the root"):
        assert part in out


def test_two_figures_are_answered(command: Command) -> None:
    code, out, _ = command(*PUBLISHED[:4], *PLACE)
    assert (code, "They imply a flight time of 15:4" in out) == (0, True)
    code, out, _ = command(*PUBLISHED[2:], *PLACE)
    assert (code, "They imply an apogee of" in out) == (0, True)
    code, out, _ = command(*PUBLISHED[:2], "--flight-time", "15min", *PLACE)
    assert (code, "They imply a range of" in out) == (0, True)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--range-km", "2700"), "give at least two of apogee, range and flight time"),
        ((*PUBLISHED, "--class", "glider"), "--class: 'glider'; allowed: srbm, mrbm,"),
        ((*PUBLISHED[:4], "--flight-time", "soon"), "--flight-time: 'soon'; allowed: a time"),
        (("--apogee-km", "nan", "--range-km", "9"), "--apogee-km: 'nan'; allowed: a number of km"),
        ((*PUBLISHED, "--site", "here"), "site: 'here'; allowed: LAT,LON in degrees"),
        (("--apogee-km", "9000", "--range-km", "2700", *PLACE), "nearest: "),
    ],
)
def test_what_cannot_be_ends_with_2_and_says_why(command: Command, args: tuple[str, ...], said: str) -> None:
    code, out, err = command(*args)
    assert (code, out) == (2, "")
    assert err.startswith("tocsin: ")
    assert said in err


def test_its_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['tocsin', 'check-flight', '--help']\n"
        "from tocsin import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'numba', 'scipy', 'rich', 'tocsin.truth', 'tocsin.scenario') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "tocsin check-flight --apogee-km 550" in said
    assert said.splitlines()[-1] == "[]"
