"""How old element sets differ from newer ones of the same satellite: the measurement behind two rows of ``orbits``.

The histories (two satellites with the true times of their manoeuvres: github.com/dpshorten/
TLE_observation_benchmark_dataset) carry no licence and are not kept here. Where the environment names their folder in
TOCSIN_TLE_HISTORIES the measurement is made anew and its table written; else the table of the last measurement is read.
"""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.element_age import age_error
from tocsin.dynamics.elements import ElementSets

TABLE = Path(__file__).parent / "data" / "element_age" / "differences.csv"
SATELLITES = ("Jason-3", "Sentinel-3A")
BINS = ((0.5, 1.5), (2.5, 3.5), (6.5, 7.5), (13.5, 14.5))  # days
_DAY_NS = 86_400_000_000_000
_BEFORE = 3 * _DAY_NS  # a manoeuvre shortly before the epoch spoils the older set's fit


def _manoeuvres(path: Path) -> NDArray[np.int64]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("- "):
            when = datetime.fromisoformat(line[2:].strip()).replace(tzinfo=UTC)
            found.append(int(when.timestamp()) * 1_000_000_000)
    return np.array(sorted(found), dtype=np.int64)


def _differences(sets: ElementSets, manoeuvres: NDArray[np.int64], low: float, high: float) -> NDArray[np.float64]:
    """``(n, 3)`` radial, along, cross (m): older set at the newer one's epoch less the newer one."""
    epochs = sets.epoch_ns
    out = []
    for j in range(len(sets)):
        t = int(epochs[j])
        rows = np.flatnonzero((epochs >= t - high * _DAY_NS) & (epochs <= t - low * _DAY_NS))
        if not len(rows):
            continue
        # none between (and just before the older, just after the newer epoch)
        clear = [
            i for i in rows
            if not ((manoeuvres > epochs[i] - _BEFORE) & (manoeuvres < t + _DAY_NS // 2)).any()
        ]  # fmt: skip
        if not clear:
            continue
        older = ElementSets([sets.sets[clear[len(clear) // 2]]])
        newer = ElementSets([sets.sets[j]])
        x, codes = newer.coded_states(t)
        y, other = older.coded_states(t)
        if codes.any() or other.any():
            continue
        r, v = x[0, 0, :3], x[0, 0, 3:]
        up = r / np.linalg.norm(r)
        across = np.cross(r, v)
        across /= np.linalg.norm(across)
        d = y[0, 0, :3] - r
        out.append([d @ up, d @ np.cross(across, up), d @ across])
    return np.array(out)


def _measure(folder: Path) -> None:
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(
            ["satellite", "age_days", "pairs"]
            + [f"{what}_{axis}_m" for what in ("p68", "rms", "stated") for axis in ("radial", "along", "cross")]
        )
        for name in SATELLITES:
            sets = ElementSets.read((folder / f"{name}.tle").read_text(encoding="utf-8"), history=True)
            order = np.argsort(sets.epoch_ns, kind="stable")
            sets = ElementSets([sets.sets[k] for k in order])
            manoeuvres = _manoeuvres(folder / f"manoeuvres_{name}.yaml")
            for low, high in BINS:
                d = _differences(sets, manoeuvres, low, high)
                age = 0.5 * (low + high)
                # both sets are off: the older by its age, the newer by what it is off at its epoch
                stated = np.hypot(age_error(sets.sets[0], age * 86400.0)[0], age_error(sets.sets[0], 0.0)[0])
                p68, rms = np.quantile(np.abs(d), 0.6827, axis=0), np.sqrt(np.mean(d**2, axis=0))
                table.writerow([name, f"{age:g}", len(d), *(f"{x:.0f}" for x in (*p68, *rms, *stated))])


def differences() -> list[dict[str, float | str]]:
    """Rows of the table, measured anew where TOCSIN_TLE_HISTORIES says where the histories are."""
    folder = os.environ.get("TOCSIN_TLE_HISTORIES")
    if folder:
        _measure(Path(folder))
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [{k: (v if k == "satellite" else float(v)) for k, v in row.items()} for row in csv.DictReader(file)]
