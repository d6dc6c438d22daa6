"""The public catalogue: reading it, a day of it by SGP4, one satellite of it as a body."""

from __future__ import annotations

import functools
import gzip
import sys
from pathlib import Path

import numpy as np

from benchmarks.run import process, row, seconds
from tocsin.dynamics.elements import ElementSets
from tocsin.earth.clock import parse_utc
from tocsin.scenario.specs import OrbitObject
from tocsin.truth.satellites import satellite_body

CATALOGUE = Path(__file__).parent / "data" / "active_2022-11-03.tle.gz"
START = parse_utc("2022-11-03T12:00Z")
MINUTES = START + 60_000_000_000 * np.arange(1440)


@functools.cache
def _text() -> str:
    with gzip.open(CATALOGUE, "rt", encoding="utf-8") as file:
        return file.read()


@functools.cache
def _sets() -> ElementSets:
    return ElementSets.read(_text())


@functools.cache
def _pairs() -> list[tuple[str, str]]:
    lines = [line.rstrip() for line in _text().splitlines()]
    return [(lines[k + 1], lines[k + 2]) for k in range(0, len(lines), 3)]


def _library_read() -> float:
    from sgp4.api import Satrec

    pairs = _pairs()
    return seconds(lambda: [Satrec.twoline2rv(one, two) for one, two in pairs])


@row(
    "elements-read",
    "6,789 element sets read, every column and checksum",
    unit="s",
    peer=("sgp4 twoline2rv, nothing checked", _library_read),
)
def read() -> float:
    text = _text()
    return seconds(lambda: ElementSets.read(text))


def _library_day() -> float:
    from sgp4.api import Satrec

    records = [Satrec.twoline2rv(one, two) for one, two in _pairs()]
    day, rest = np.divmod(MINUTES, 86_400_000_000_000)
    jd, fraction = day + 2440587.5, rest / 86_400_000_000_000
    return seconds(lambda: [record.sgp4_array(jd, fraction)[1][-1] for record in records])


@row(
    "catalogue-day",
    "6,789 satellites x 1,440 minutes by SGP4, states streamed in blocks of an hour",
    unit="s",
    target=15.0,
    peer=("sgp4, satellite by satellite", _library_day),
    runs=3,
)
def catalogue_day() -> float:
    sets = _sets()

    def work() -> None:
        count = sum(int((block.codes == 0).sum()) for block in sets.stream(MINUTES, 60))
        assert count == 6789 * 1440, count

    return seconds(work)


@row("catalogue-memory", "the same in a process of its own, peak memory", unit="MB", target=1000.0, runs=1, warmups=0)
def catalogue_memory() -> float:
    work = "from benchmarks.orbits import catalogue_day; catalogue_day()"
    return process([sys.executable, "-c", work]).peak_mb


@row("satellite-body", "one satellite of the catalogue as an ephemeris over 6 h, within 0.3 m of SGP4", unit="ms")
def body() -> list[float]:
    things = [OrbitObject("s", "00" * 16, "", None, "\n".join(pair), 1.0) for pair in _pairs()[::200]]
    took = [seconds(lambda one=one: satellite_body(one, 0, 6 * 3600 * 10**9, START, 1)) for one in things]  # type: ignore[misc]
    return [1e3 * float(np.median(took))]
