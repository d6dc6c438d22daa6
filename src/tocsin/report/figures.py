"""A run as a picture of who knew what when, with matplotlib, for notebooks and papers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tocsin.records.arrow import scalar, values

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Timeline:
    """Events of a run in order: ``rows`` of (t_s, nation, what); ``plot()`` draws them."""

    def __init__(self, tables: Mapping[str, pa.Table], title: str) -> None:
        self._tables = tables
        self.title = title
        self.rows: list[tuple[float, str, str]] = sorted(self._collect())

    def _collect(self) -> list[tuple[float, str, str]]:
        made = [(r["t_s"], "truth", r["what"]) for r in self._of("events", kind="truth.event")]
        for r in self._of("warnings", label="own"):
            if r["status"] != "updated":
                made.append((r["t_s"], r["nation"], f"warning {r['status']}"))
        made.extend((r["t_s"], r["nation"], r["action"]) for r in self._of("decisions"))
        return made

    def _of(self, name: str, **equal: str) -> list[dict[str, Any]]:
        table = self._tables[name]
        for column, value in equal.items():
            table = table.filter(pc.equal(table[column], scalar(value)))
        return list(table.to_pylist())

    def plot(self, path: str | Path | None = None) -> Figure:
        """A row a sensor and a nation over time: detections as ticks, warnings and decisions as marks. Saved if
        ``path`` is given.
        """
        from matplotlib.figure import Figure

        detections = self._tables["detections"]
        sensors = sorted(pc.unique(detections["sensor"]).to_pylist())
        who = list(dict.fromkeys(nation for _, nation, _ in self.rows))
        names = [*sensors, *who]
        figure = Figure(figsize=(10, 0.5 * len(names) + 1.6), layout="constrained")
        axes = figure.subplots()
        for k, sensor in enumerate(sensors):
            t = values(detections.filter(pc.equal(detections["sensor"], scalar(sensor)))["t_s"]) / 60.0
            axes.plot(t, [k] * len(t), "|", color="#0072B2", markersize=9, alpha=0.7)
        for t_s, nation, what in self.rows:
            k = names.index(nation)
            axes.plot([t_s / 60.0], [k], "o", color="#D55E00", markersize=5)
            axes.annotate(what, (t_s / 60.0, k), xytext=(3, 5), textcoords="offset points", fontsize=7, rotation=25)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.3, -0.9)
        axes.set_xlabel("minutes since the epoch")
        axes.set_title(f"EXERCISE: {self.title}", loc="left", fontsize=10)
        axes.grid(axis="x", alpha=0.3)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure
