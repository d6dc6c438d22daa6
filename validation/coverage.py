
"""How often the 95 % regions hold the truth: 200 seeds of `hokkaido-2017`.

Each seed draws the class's numbers, every sensor's errors and all delays anew. A region is scored where it was given:
at the first confirmed version and at the last one. An estimate that says nothing (kind "none") has no region; how often
that happened, and in how many runs nobody was warned, are rows of their own.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any

from validation.run import Book, Measured, at_most, interval_holds, proportion

book = Book("coverage", "Coverage of the regions", __doc__)
SEEDS = range(1, 201)
PARTNERS = {"japan": "Japan", "united-states": "United States"}


def _one(seed: int) -> dict[str, list[dict[str, Any]]]:
    import tocsin

    try:
        summary = tocsin.run("hokkaido-2017", seed=seed).summary
    except Exception as error:  # one broken run must not hide what the others say: it is counted in a row of its own
        print(f"  seed {seed} broke off: {type(error).__name__}: {error}", flush=True)
        traceback.print_exc()
        return {}
    made = {}
    for partner in summary["partners"]:
        real = [e for e in partner["events"] if e["object"] is not None and e["warning_s"] is not None]
        made[partner["id"]] = [
            {
                "launch": {k: _scored(e["launch_estimate"][k]) for k in ("first_warning", "last")},
                "impact": {k: _scored(e["impact_estimate"][k]) for k in ("first_warning", "last")},
            }
            for e in real[:1]
        ]
    return made


def _scored(estimate: dict[str, Any] | None) -> tuple[bool | None, float | None]:
    return (None, None) if estimate is None else (estimate["inside95"], estimate["error_km"])


@cache
def _all() -> list[dict[str, list[dict[str, Any]]]]:
    with ProcessPoolExecutor(min(8, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_one, SEEDS, chunksize=5))


def _events(partner: str) -> Iterator[dict[str, Any]]:
    for run in _all():
        yield from run.get(partner, [])


def _coverage(partner: str, what: str, when: str) -> Measured:
    scored = [e[what][when] for e in _events(partner)]
    given = [inside for inside, _ in scored if inside is not None]
    errors = sorted(km for _, km in scored if km is not None)
    note = f"{len(scored) - len(given)} without a region"
    if errors:
        note += f"; median error {errors[len(errors) // 2]:.1f} km"
    return proportion(sum(given), len(given), note)


def _add(partner: str, name: str, what: str, when: str, said: str) -> None:
    @book.row(f"{name}: 95 % {what} region, {said}", target=interval_holds(0.95), source="truth of the same runs")
    def row() -> Measured:
        return _coverage(partner, what, when)


for _partner, _name in PARTNERS.items():
    for _what in ("launch", "impact"):
        for _when, _said in (("first_warning", "first warning"), ("last", "last update")):
            _add(_partner, _name, _what, _when, _said)

    def _missed(partner: str = _partner) -> Measured:
        return Measured(float(sum(not run[partner] for run in _all() if run)), note=f"of {len(SEEDS)}")

    book.row(f"{_name}: runs without a confirmed warning", target=at_most(0), source="count")(_missed)


@book.row("runs that broke off", target=at_most(0), source="count")
def broken() -> Measured:
    """How many runs ended in an error."""
    return Measured(float(sum(not run for run in _all())), note=f"of {len(SEEDS)}")
