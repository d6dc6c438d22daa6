"""The Python interface: run a scenario, load a run, ask it.

>>> import tocsin
>>> run = tocsin.run("hokkaido-2017", seed=1)            # doctest: +SKIP
>>> run.warnings.to_pandas()                             # doctest: +SKIP
>>> print(run.knew("japan", "T+4min"))                   # doctest: +SKIP
"""

from __future__ import annotations

import json
import platform
import resource
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from tocsin._version import __version__
from tocsin.command.doctrine import check_doctrine
from tocsin.earth.frames import gmst82
from tocsin.exercise.engine import Engine, Recording
from tocsin.measures.knowledge import Knowledge, Step, explain, knew, parse_moment
from tocsin.measures.summary import summarise
from tocsin.records.folder import RunFolder, write_run
from tocsin.records.record import Input, Record, Refused
from tocsin.records.tables import tables_from_records
from tocsin.records.words import Facts
from tocsin.report.figures import Timeline
from tocsin.scenario import Fault, Scenario, ScenarioError
from tocsin.truth.draw import ObjectsImpossible, draw_bodies

if TYPE_CHECKING:
    from tocsin.study.incidents import Cell

Progress = Callable[[float], None]
_CHUNKS = 100  # progress is told this often in a run


def engine_of(scenario: Scenario, *, seed: int | None = None, recording: Recording = "full") -> Engine:
    """The engine of a scenario at time zero. Raises ScenarioError where an object cannot move as asked."""
    chosen = scenario if seed is None else scenario.with_seed(seed)
    world, nations = chosen.split(gmst82)
    with _faults_of(chosen):
        return Engine(world, nations, recording=recording)


@contextmanager
def _faults_of(scenario: Scenario) -> Iterator[None]:
    """Objects that cannot move as asked become faults of the scenario."""
    try:
        yield
    except ObjectsImpossible as error:
        allowed = "what its class can fly (tocsin check-flight says what goes together)"
        name = scenario.name
        raise ScenarioError([Fault(name, 0, f"objects.{id}", text, allowed) for id, text in error.problems]) from None


def check_objects(scenario: Scenario) -> None:
    """Solve all that moves in a scenario. Raises ScenarioError with every object that cannot move as asked."""
    world, _ = scenario.split(gmst82)
    with _faults_of(scenario):
        draw_bodies(world)


def play(engine: Engine, inputs: Sequence[tuple[int, Input]] = (), progress: Progress | None = None) -> list[Record]:
    """Run an engine to the end of its scenario; ``inputs``: (applies_ns, input), handed in as live ones would be.

    Raises ValueError if an input is refused or would apply at another time than it is said to.
    """
    records: list[Record] = []
    end, frame = engine.world_spec.duration_ns, engine.world_spec.frame_ns
    waiting = sorted(inputs, key=lambda pair: (pair[0], pair[1].id))
    chunk = max(frame, end // _CHUNKS // frame * frame)
    while not engine.done:
        while waiting and waiting[0][0] <= engine.t_ns + frame:
            applies_ns, given = waiting.pop(0)
            answer = engine.submit(given)
            if isinstance(answer, Refused):
                raise ValueError(f"input {given.id!r} refused: {answer.reason}")
            if answer.applies_ns != applies_ns:
                raise ValueError(f"input {given.id!r} would apply at {answer.applies_ns} ns, not at {applies_ns} ns")
        upto = engine.t_ns + chunk if not waiting else min(engine.t_ns + chunk, waiting[0][0] - frame)
        records.extend(engine.step(max(upto, engine.t_ns + frame)))
        if progress is not None:
            progress(min(1.0, engine.t_ns / end))
    return records


def inputs_of(tables: Mapping[str, pa.Table]) -> list[tuple[int, Input]]:
    """The live inputs of a run as ``play`` takes them; those that the scenario scripts come from the scenario again."""
    found = []
    for row in tables["inputs"].to_pylist():
        if row["person"] == "scenario" and row["id"].startswith("scenario:"):
            continue
        body = msgspec.Raw(msgspec.msgpack.encode(json.loads(row["body"])))
        given = Input(row["id"], row["branch"], row["seat"], row["person"], row["act"], row["v"], body)
        found.append((round(row["applies_s"] * 1e9), given))
    return found


class Run:
    """One run: its tables (Arrow), its summary, and the questions one asks of it.

    Made by ``run`` or ``load``; ``tables`` by the names of ``tocsin.records.dictionary.TABLES``.
    """

    def __init__(
        self,
        scenario: Scenario,
        tables: Mapping[str, pa.Table],
        facts: Facts,
        manifest: dict[str, Any],
        timing: dict[str, Any],
        summary: dict[str, Any] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.source = scenario
        self.tables = tables
        self.facts = facts
        self.manifest = manifest
        self.timing = timing
        self.folder = folder
        self._summary = summary

    @property
    def scenario(self) -> dict[str, Any]:
        """The scenario as plain data."""
        return self.source.as_dict()

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return int(self.manifest["seed"])

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The result as documented keys (docs/reference/summary.schema.json)."""
        if self._summary is not None:
            return self._summary
        return summarise(self.tables, self.scenario, self.manifest, self.facts)

    def __getattr__(self, name: str) -> pa.Table:
        if not name.startswith("_") and name in self.__dict__.get("tables", {}):
            return self.tables[name]
        raise AttributeError(f"a run has no {name!r}; its tables: {', '.join(self.__dict__.get('tables', {}))}")

    def knew(self, nation: str, moment: str | float) -> Knowledge:
        """What ``nation`` had at a time: "T+4min", "T+03:20", an ISO time, or seconds since the epoch."""
        known = [partner["id"] for partner in self.summary["partners"]]
        if nation not in known:
            raise KeyError(f"no partner {nation!r}; this run has: {', '.join(known)}")
        return knew(self.tables, nation, parse_moment(moment, self.facts.unix_ns))

    def explain(self, warning: str, version: int | None = None) -> Step:
        """The chain behind a warning (uid such as "japan/own/0") back to the scans."""
        return explain(self.tables, warning, version)

    def perfect(self) -> pa.Table:
        """What a perfect observer would have seen with the same sensors, each partner's own and all pooled: the limit
        that geometry sets (see ``measures.perfect``).
        """
        from tocsin.measures.perfect import perfect, perfect_table

        world, _ = self.source.split(gmst82)
        return perfect_table(perfect(world))

    def track_quality(self, cutoff_km: float = 50.0) -> pa.Table:
        """The tracks of every partner and pipeline against the truth: GOSPA and its parts, completeness, continuity,
        switches, what was spurious, errors; a row for each pipeline, then one for each object it could know of (see
        ``measures.track_quality``). A track further off than ``cutoff_km`` follows no object.
        """
        from tocsin.measures.track_quality import qualities, quality_table

        return quality_table(qualities(self.tables, self.scenario, self.facts, cutoff_km * 1e3), self.facts)

    def doctrines(self, progress: Progress | None = None) -> list[Cell]:
        """How far the run's incident goes under each doctrine, the scenario as it is ("as it was") first, by the same
        seed; it runs again for that. Empty for a scenario that is no incident.
        """
        from tocsin.study.incidents import cells, doctrine_names, outcomes

        if self.source.model.incident is None:
            return []
        return cells(self.source.id, outcomes(self.source, doctrine_names(), progress))

    def timeline(self) -> Timeline:
        """Who knew what when, in order; ``.plot()`` draws it."""
        return Timeline(self.tables, f"{self.summary['scenario']}, seed {self.seed}")

    def report_html(self) -> str:
        """The report: one self-contained page."""
        from tocsin.report.page import page

        return page(self)

    def czml(self) -> str:
        """The run for a Cesium viewer."""
        from tocsin.interop.czml import czml

        return czml(self)

    def write(self, out: str | Path, *, force: bool = False) -> Path:
        """Leave the run folder (DESIGN: manifest, timing, summary, tables, report, replay); returns its path.

        Raises RunFolderError where it exists (without ``force``) or cannot be written; nothing half-written stays.
        """
        texts = {"report.html": self.report_html(), "replay.czml": self.czml()}
        path = write_run(
            Path(out),
            tables=self.tables,
            manifest=self.manifest,
            summary=self.summary,
            timing=self.timing,
            texts=texts,
            scenario_text=self.source.text,
            force=force,
        )
        self.folder = path
        return path


def run(
    scenario: str | Path | Scenario,
    *,
    seed: int | None = None,
    sharing: str | None = None,
    sets: Iterable[tuple[str, Any]] = (),
    inputs: Sequence[tuple[int, Input]] = (),
    progress: Progress | None = None,
) -> Run:
    """Run a scenario (a bundled name, a file, or a ``Scenario``) to its end.

    ``seed``, ``sharing`` ("none", "warnings") and ``sets`` (dotted path, value) change it first; ``inputs`` are handed
    in as live ones; ``progress`` is told the share done. Raises ScenarioError for a scenario with faults.
    """
    began, cpu = time.perf_counter(), time.process_time()
    chosen = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario, check_doctrine)
    for path, value in sets:
        chosen = chosen.with_(path, value)
    if sharing is not None:
        chosen = chosen.with_("sharing.mode", sharing)
    if seed is not None:
        chosen = chosen.with_seed(seed)
    engine = engine_of(chosen)
    records = play(engine, inputs, progress)
    facts = Facts.of(engine.world_spec, (body.id for body in engine.bodies))
    manifest = {
        "scenario": chosen.id,
        "title": engine.world_spec.title,
        "epoch_utc": chosen.model.start,
        "seed": chosen.seed,
        "version": __version__,
        "parent": None,
        "scenario_sha256": chosen.sha256,
        "facts": msgspec.to_builtins(facts),
    }
    tables = tables_from_records(records, facts)
    timing = {
        "wall_s": round(time.perf_counter() - began, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
    }
    return Run(chosen, tables, facts, manifest, timing)


def load(folder: str | Path) -> Run:
    """A run from its folder. Raises RunFolderError for anything that is not one."""
    found = RunFolder.load(Path(folder))
    scenario = Scenario.from_text(found.scenario_text, name=str(found.manifest.get("scenario", "scenario")))
    facts = msgspec.convert(found.manifest["facts"], Facts)
    return Run(
        scenario.with_seed(int(found.manifest["seed"])),
        found.tables,
        facts,
        found.manifest,
        found.timing,
        found.summary,
        Path(folder),
    )
