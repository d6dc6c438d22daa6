"""The frameworks of the benchmarks and of the validation book: what counts as inside, and that a failure never does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import run as bench  # noqa: E402
from validation import run as book  # noqa: E402


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bench.Row]:
    found: dict[str, bench.Row] = {}
    monkeypatch.setattr(bench, "ROWS", found)
    monkeypatch.setattr(bench, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    return found


def test_a_benchmark_is_the_median_of_its_runs_after_a_warm_up(
    rows: dict[str, bench.Row], capsys: pytest.CaptureFixture[str]
) -> None:
    values = iter([100.0, 3.0, 1.0, 2.0, 9.0, 5.0])
    bench.row("a", "a thing", unit="s", target=3.0, peer=("other", lambda: 7.0))(lambda: next(values))
    bench.row("b", "speed", unit="M/s", better="more", target=10.0, runs=1, warmups=0)(lambda: [8.0, 9.0])
    bench.row("c", "watched", unit="s")(lambda: 1.0)
    bench.row("d", "broken", unit="s", target=1.0)(lambda: 1 / 0)
    assert bench.main([]) == 1
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "bench: 1 of 3 rows inside target"
    page = bench.PAGE.read_text()
    assert "| a | a thing | 3 s | 1 to 9, 5 runs | ≤ 3 s | yes | other: 7 s |" in page
    assert "| b | speed | 8.5 M/s | 8 to 9, 2 runs | ≥ 10 M/s | **no** |  |" in page
    assert "| d | broken | failed | ZeroDivisionError: division by zero | ≤ 1 s | **no** | |" in page
    assert bench.machine().partition(", load")[0] in page


def test_a_part_of_the_benchmarks_leaves_the_page_alone(
    rows: dict[str, bench.Row], capsys: pytest.CaptureFixture[str]
) -> None:
    bench.row("a", "", unit="s", target=1.0)(lambda: 0.5)
    bench.row("b", "", unit="s", target=1.0)(lambda: 0.5)
    assert bench.main(["a"]) == 0
    assert capsys.readouterr().out.endswith("bench: 1 of 1 rows inside target\n")
    assert not bench.PAGE.exists()
    assert bench.main(["zzz"]) == 2
    assert "no row begins with zzz; rows: a, b" in capsys.readouterr().err
    with pytest.raises(ValueError, match="already a row 'a'"):
        bench.row("a", "", unit="s")


def test_a_process_is_measured_and_its_failure_told() -> None:
    took = bench.process([sys.executable, "-c", "import time; x = bytearray(50_000_000); time.sleep(0.2)"])
    assert 0.2 <= took.wall_s < 20.0
    assert 50.0 < took.peak_mb < 500.0
    with pytest.raises(RuntimeError, match=r"exit 3: no"):
        bench.process([sys.executable, "-c", "import sys; print('no'); sys.exit(3)"])


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_proportion_is_scipys_exact_one(counts: tuple[int, int]) -> None:
    hits, trials = counts
    measured = book.proportion(hits, trials)
    exact = binomtest(hits, trials).proportion_ci(0.95, "exact")
    assert measured.interval == pytest.approx((exact.low, exact.high), abs=1e-9)
    assert measured.value == hits / trials
    assert book.interval_holds(measured.value).holds(measured)


def test_targets_say_what_they_ask() -> None:
    m = book.Measured
    assert [book.at_most(2.0).holds(m(v)) for v in (1.9, 2.0, 2.1)] == [True, True, False]
    assert [book.at_least(2.0).holds(m(v)) for v in (1.9, 2.0, 2.1)] == [False, True, True]
    assert [book.between(1, 2).holds(m(v)) for v in (0.9, 1, 2, 2.1)] == [False, True, True, False]
    assert [book.near(1, 0.5).holds(m(v)) for v in (0.4, 0.5, 1.5, 1.6)] == [False, True, True, False]
    assert not book.interval_holds(0.95).holds(m(0.95))  # no interval, no claim
    assert not book.at_most(1.0).holds(m(float("nan")))
    with pytest.raises(ValueError, match="3 of 2 is no proportion"):
        book.proportion(3, 2)


def test_a_book_is_a_page_and_a_failure_is_outside(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(book, "BOOKS", {})
    monkeypatch.setattr(book, "ROOT", tmp_path)
    monkeypatch.setattr(book, "FOLDER", tmp_path / "docs" / "validation")
    one = book.Book("one", "The one", "About it.")
    one.row("coverage", target=book.interval_holds(0.95), source="counting")(lambda: book.proportion(188, 200))
    one.row("far off", target=book.at_most(1.0), unit="m", source="a closed form")(
        lambda: book.Measured(1234.5, note="worst")
    )
    one.row("broken", target=book.at_most(1.0), source="nobody")(lambda: book.Measured(1 / 0))
    with pytest.raises(ValueError, match="already a book 'one'"):
        book.Book("one", "", "")
    assert book.main([]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "validation: 1 of 3 rows inside target"
    page = (book.FOLDER / "one.md").read_text()
    assert page.startswith("# The one\n\nAbout it.\n")
    assert "| coverage | 0.94 (0.898 to 0.969); 188 of 200 | 0.95 inside the interval | yes | counting |" in page
    assert "| far off | 1,234 m; worst | ≤ 1 m | **no** | a closed form |" in page
    assert "| broken | failed: ZeroDivisionError: division by zero | ≤ 1 | **no** | nobody |" in page
    assert "- [The one](one.md)" in (book.FOLDER / "index.md").read_text()
    assert book.main(["two"]) == 2
    assert capsys.readouterr().err == "no book 'two'; books: one\n"
