"""The commands: argument parsing, progress and printing, nothing else. Heavy imports stand inside the commands."""

from __future__ import annotations

import functools
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer

import tocsin
from tocsin import screen

P = ParamSpec("P")
R = TypeVar("R")
BAD_INPUT = 2
INTERRUPTED = 130
_PIPE_CLOSED = 141

# plain help pages: Rich would take a third of a second to draw them
app = typer.Typer(
    name="tocsin",
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Sharing(StrEnum):
    """What partners share."""

    NONE = "none"
    WARNINGS = "warnings"


class Target(StrEnum):
    """What a run can be exported to."""

    CSV = "csv"
    CZML = "czml"


def _mistakes() -> tuple[type[BaseException], ...]:
    """The errors that are the user's to mend, each with a message that says how."""
    from tocsin.records.folder import RunFolderError
    from tocsin.scenario import ScenarioError

    return (RunFolderError, ScenarioError, _RefusedError)


class _RefusedError(Exception):
    """A user's mistake found by a command itself."""


def _guarded(command: Callable[P, R]) -> Callable[P, R]:
    """No traceback for a user's mistake (exit code 2) or for Ctrl-C (130)."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            screen.say("interrupted; nothing half-written was left behind")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # whoever read our output has gone; what is still in the buffer must not raise again at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(_PIPE_CLOSED) from None
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            screen.say(f"{where}{(error.strerror or str(error)).lower()}")
            raise typer.Exit(BAD_INPUT) from None
        except Exception as error:
            if isinstance(error, _mistakes()):
                screen.say(str(error))
                raise typer.Exit(BAD_INPUT) from None
            raise

    return run


def _version(asked: bool) -> None:
    if asked:
        print(f"tocsin {tocsin.__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """An open simulation of missile early warning: truth, sensors, tracking, warning, exchange, decision.

    EXERCISE: simulation, analysis and training only.

    \b
    Examples:
      tocsin scenarios                        what is bundled
      tocsin run hokkaido-2017                run one, with table and report
      tocsin new mine && tocsin run mine.yaml start one of your own
    """


@app.command()
@_guarded
def scenarios(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of id, title and summary.")] = False,
) -> None:
    """List the bundled scenarios, a line each.

    \b
    Examples:
      tocsin scenarios
      tocsin scenarios --json
    """
    from tocsin.scenario import bundled

    found = bundled()
    if as_json:
        print(json.dumps([{"id": i, "title": t, "summary": s} for i, t, s in found], indent=2))
        return
    width = max((len(i) for i, _, _ in found), default=0)
    for name, title, summary in found:
        print(screen.clean(f"{name:<{width}}  {summary or title}"))


@app.command()
@_guarded
def new(
    name: Annotated[str, typer.Argument(help="Name of the scenario.")],
    out: Annotated[Path | None, typer.Option(help="File to write [default: NAME.yaml].")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented scenario to start from.

    \b
    Examples:
      tocsin new my-exercise
      tocsin new my-exercise --out scenarios/first.yaml
    """
    from tocsin.records.folder import write_page
    from tocsin.scenario import template
    from tocsin.scenario.starter import slug

    path = out or Path(f"{slug(name)}.yaml")
    text = template(name)
    if path.exists() and not force:
        raise _RefusedError(f"{path} exists already; choose another file with --out or replace it with --force")
    if path.is_dir():
        raise _RefusedError(f"{path} is a folder; name a file with --out")
    if not path.parent.is_dir():
        raise _RefusedError(f"cannot write {path}: there is no folder {path.parent}")
    write_page(path.parent, path.name, text)
    print(screen.clean(f"{path} written. Next: tocsin validate {path} && tocsin run {path}"))


@app.command()
@_guarded
def validate(
    file: Annotated[str | None, typer.Argument(help="Scenario file, or the name of a bundled one.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of scenarios and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the faults as JSON.")] = False,
) -> None:
    """Check a scenario; list all its faults at once.

    Each fault comes with file, line, path, what was found and what is allowed; without any it says "ok". Exit code 0 if
    the scenario can be run, 2 if not.

    \b
    Examples:
      tocsin validate mine.yaml
      tocsin validate mine.yaml --json
      tocsin validate --schema > scenario.schema.json
    """
    from tocsin.scenario import Scenario, ScenarioError

    if schema:
        print(json.dumps(Scenario.json_schema(), indent=2))
        return
    if file is None:
        raise _RefusedError("name a scenario file, or ask for --schema")
    try:
        found = _load(file)
        _check_objects(found)
    except ScenarioError as error:
        if as_json:
            keys = ("file", "line", "path", "found", "allowed")
            faults = [{key: getattr(fault, key) for key in keys} for fault in error.faults]
            print(json.dumps({"ok": False, "faults": faults}, indent=2))
        else:
            for fault in error.faults:
                print(screen.clean(str(fault)), file=sys.stderr)
            count = len(error.faults)
            print(f"{count} fault{'' if count == 1 else 's'}", file=sys.stderr)
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        print(json.dumps({"ok": True, "id": found.id, "faults": []}, indent=2))
    else:
        print("ok")


def _load(name: str) -> Any:
    """A scenario by name or file, its doctrines read too."""
    from tocsin.command.doctrine import check_doctrine
    from tocsin.scenario import Scenario

    return Scenario.load(name, check_doctrine)


def _sets(given: list[str]) -> list[tuple[str, Any]]:
    """``path=value`` pairs; a value that reads as JSON is that, anything else is a text."""
    pairs: list[tuple[str, Any]] = []
    for item in given:
        path, equals, text = item.partition("=")
        if not equals or not path.strip():
            raise _RefusedError(f"--set {item!r}: expected path=value, such as objects.one.range_km=2500")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        pairs.append((path.strip(), value))
    return pairs


@app.command()
@_guarded
def run(
    scenario: Annotated[str, typer.Argument(help="Name of a bundled scenario, or a scenario file.")],
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all random draws [default: the scenario's].")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write [default: runs/SCENARIO-SEED].", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run folder.")] = False,
    sharing: Annotated[Sharing | None, typer.Option(help="What partners share [default: the scenario's].")] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a value; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of the table.")] = False,
) -> None:
    """Run a scenario and show who was warned when.

    Tables, summary, report and replay go into a run folder.

    \b
    Examples:
      tocsin run hokkaido-2017
      tocsin run hokkaido-2017 --seed 7 --sharing none --out runs/alone
      tocsin run black-brant-1995 --json | jq .headline
      tocsin run mine.yaml --set objects.one.range_km=2500 --force
    """
    from tocsin.records.folder import check_writable

    with screen.Progress(f"loading {scenario}") as progress:
        chosen = _load(scenario)
        for path, value in _sets(sets or []):
            chosen = chosen.with_(path, value)
        if sharing is not None:
            chosen = chosen.with_("sharing.mode", sharing.value)
        if seed is not None:
            chosen = chosen.with_seed(seed)
        folder = out or Path("runs") / f"{chosen.id}-{chosen.seed}"
        check_writable(folder, force)
        made = _run(chosen, progress)
        progress.doing("writing the folder and its report")
        written = made.write(folder, force=force)
        summary = made.summary
    if as_json:
        print(json.dumps(summary, indent=2))
        print(f"run folder: {screen.clean(str(written))}", file=sys.stderr)
    else:
        screen.show_run(summary, str(folder))


def _run(chosen: Any, progress: screen.Progress) -> Any:
    import gc

    gc.disable()  # one run makes few cycles and then the process ends: looking for them takes a tenth of its time
    try:
        with _compiling(progress):
            progress.doing(f"running {chosen.id}")
            return tocsin.run(chosen, progress=progress.tell)
    finally:
        gc.enable()


@contextmanager
def _compiling(progress: screen.Progress) -> Iterator[None]:
    """Kernels that have to be compiled are told to ``progress``."""
    from tocsin.earth.jit import on_compile

    on_compile(progress.compiling)
    try:
        yield
    finally:
        on_compile(None)


def _check_objects(found: Any) -> None:
    """Whether all that moves in a scenario can move so."""
    with screen.Progress("checking what flies") as progress, _compiling(progress):
        from tocsin.api import check_objects

        check_objects(found)


@app.command()
@_guarded
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder.")],
) -> None:
    """Make the page of a run again.

    \b
    Examples:
      tocsin report runs/hokkaido-2017-1
    """
    from tocsin.records.folder import write_page

    with screen.Progress("making the report") as progress:
        found = tocsin.load(folder)
        progress.doing("making the report")
        path = write_page(folder, "report.html", found.report_html())
    print(f"report: {screen.clean(str(path))}")


@app.command()
@_guarded
def warmup() -> None:
    """Compile the numerical kernels once.

    The first run is then as fast as the second. Runs the bundled scenarios and writes no run folder.

    \b
    Examples:
      tocsin warmup
    """
    from tocsin.scenario import bundled_ids

    for name in bundled_ids():
        with screen.Progress(f"warming up with {name}") as progress:
            made = _run(_load(name), progress)
            # the measures have kernels of their own
            progress.doing("measuring")
            _ = made.summary
            _ = made.perfect()
    print("ready")


@app.command()
@_guarded
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder.")],
    to: Annotated[Target, typer.Option(help="csv: every table as a file; czml: the replay for a Cesium viewer.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder (csv) or file (czml) [default: DIR/csv, DIR/replay.czml].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Export a run.

    \b
    Examples:
      tocsin export runs/hokkaido-2017-1 --to csv
      tocsin export runs/hokkaido-2017-1 --to czml --out flight.czml
    """
    from tocsin.records.folder import write_page

    with screen.Progress(f"exporting to {to.value}") as progress:
        found = tocsin.load(folder)
        progress.doing(f"exporting to {to.value}")
        if to is Target.CSV:
            from tocsin.interop.csv import write_csv

            target = out or folder / "csv"
            write_csv(found.tables, target, force=force)
        else:
            target = out or folder / "replay.czml"
            if out is not None and out.exists() and not force:
                raise _RefusedError(f"{out} exists already; choose another file with --out or replace it with --force")
            write_page(target.parent, target.name, found.czml())
    print(screen.clean(str(target)))


@app.command("check-flight")
@_guarded
def check_flight(
    apogee_km: Annotated[str | None, typer.Option(metavar="KM", help="Published apogee, as printed.")] = None,
    range_km: Annotated[str | None, typer.Option(metavar="KM", help="Published range, as printed.")] = None,
    flight_time: Annotated[
        str | None, typer.Option(metavar="TIME", help="Published flight time: 14min, 47min12s, 47:12, 2832s.")
    ] = None,
    class_id: Annotated[
        str | None, typer.Option("--class", metavar="ID", help="Class that flew [default: every ballistic one].")
    ] = None,
    site: Annotated[
        str | None, typer.Option(metavar="LAT,LON", help="Launch site in degrees [default: 40 degrees north].")
    ] = None,
    azimuth_deg: Annotated[
        float | None, typer.Option(metavar="DEG", help="Azimuth of the impact point [default: any].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Say whether published figures of a flight go together, by a model of it.

    Give two or three of apogee, range and flight time. Two of them fix a flight of a class and so imply the third; all
    three go together if the time of that flight is the published one within a tolerance. Figures are taken to be as
    exact as they are printed. Without --class, what is said is said of the ballistic class with which they go together
    best. Exit code 0 whatever the answer, 2 for figures that no flight has.

    \b
    Examples:
      tocsin check-flight --apogee-km 550 --range-km 2700 --flight-time 14min
      tocsin check-flight --apogee-km 4475 --range-km 950 --flight-time 53min --class icbm-liquid
      tocsin check-flight --range-km 2700 --flight-time 14min --site 39.2,125.67 --azimuth-deg 73
    """
    with screen.Progress("checking the flight") as progress:
        from tocsin.scenario import catalogue
        from tocsin.truth import consistency as c

        entries = {i: catalogue.class_entry(i) for i in catalogue.class_ids()}
        known = [i for i, entry in entries.items() if entry["family"] in c.FAMILIES]
        if class_id is not None and class_id not in known:
            raise _RefusedError(f"--class: {class_id!r}; allowed: {', '.join(known)}")
        wanted = [class_id] if class_id else [i for i in known if entries[i]["family"] == "ballistic"]
        try:
            with _compiling(progress):
                answer = c.check(
                    None if apogee_km is None else c.kilometres(apogee_km, "--apogee-km", c.GREATEST_APOGEE),
                    None if range_km is None else c.kilometres(range_km, "--range-km", c.GREATEST_RANGE),
                    None if flight_time is None else c.duration(flight_time, "--flight-time"),
                    [catalogue.flight_class(i, entries[i], "truth") for i in wanted],
                    c.place(site, azimuth_deg),
                    class_id is not None,
                )
        except c.FiguresError as error:
            raise _RefusedError(str(error)) from None
        data = c.plain(answer)
    if as_json:
        print(json.dumps(data, indent=2))
    else:
        screen.show_check(data)


@app.command()
@_guarded
def coverage(
    scenario: Annotated[str, typer.Argument(help="Name of a bundled scenario, or a scenario file.")],
    class_id: Annotated[
        str | None, typer.Option("--class", metavar="ID", help="Class that flies [default: the scenario's first].")
    ] = None,
    toward: Annotated[
        str | None, typer.Option(metavar="AREA", help="Area, or LAT,LON [default: the first defended area].")
    ] = None,
    step_deg: Annotated[
        float | None, typer.Option(metavar="DEG", help="Side of the launch cells [default: 2; finer for short ranges].")
    ] = None,
    hours: Annotated[bool, typer.Option("--hours", help="Also by hour of day.")] = False,
    boresights: Annotated[
        list[float] | None,
        typer.Option("--boresight", metavar="DEG", help="Of a single radar, for the provinces; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write [default: coverage/SCENARIO].", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is in the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print coverage.json instead of a few lines.")] = False,
) -> None:
    """Show what a scenario's sensors see of launches from anywhere towards one place.

    From each cell of a grid one nominal flight: first look, number and kinds of sensors, gaps, time left; with --hours
    for each hour of the day. Leaves a page with maps, and the grid as Parquet and CSV. With a single radar near China
    also how much of each province it covers, by height, boresight and size.

    \b
    Examples:
      tocsin coverage hokkaido-2017
      tocsin coverage hokkaido-2017 --class icbm-liquid --toward north-america --hours
      tocsin coverage seongju-2016 --json
    """
    with screen.Progress("measuring coverage") as progress:
        from tocsin.earth.frames import gmst82
        from tocsin.earth.jit import on_compile
        from tocsin.measures import coverage as c
        from tocsin.measures import provinces as p
        from tocsin.report import coverage as pages

        chosen = _load(scenario)
        folder = out or Path("coverage") / chosen.id
        if folder.exists() and not folder.is_dir():
            raise _RefusedError(f"{folder} is a file; choose another folder with --out")
        if folder.exists() and any(folder.iterdir()) and not force:
            raise _RefusedError(f"{folder} is not empty; choose another with --out or replace it with --force")
        world, nations = chosen.split(gmst82)
        areas = [(name, area) for name, spec in nations.items() for area in spec.areas]
        on_compile(progress.compiling)
        try:
            aim, name = c.choose_aim(areas, toward)
            found = c.cover(world, c.choose_class(world, class_id), aim, name, step_deg, hours)
            shares = p.if_near(world.sensors, tuple(boresights) if boresights else p.BORESIGHTS)
        except c.CoverageError as error:
            raise _RefusedError(str(error)) from None
        finally:
            on_compile(None)
        progress.doing("drawing the maps")
        asked = {"--class": class_id, "--toward": toward, "--step-deg": None if step_deg is None else f"{step_deg:g}"}
        words = ["tocsin coverage", scenario, *(f"{key} {value}" for key, value in asked.items() if value is not None)]
        pages.write(folder, chosen.id, chosen.title, found, shares, " ".join([*words, "--hours"] if hours else words))
        data = pages.summary(chosen.id, found, shares)
    if as_json:
        print(json.dumps(data, indent=2))
        print(f"coverage folder: {screen.clean(str(folder))}", file=sys.stderr)
    else:
        print(pages.show(data))
        print(f"page: {screen.clean(str(folder / 'coverage.html'))}")


study = typer.Typer(help="Many runs of one question.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(study, name="study")


@study.command()
@_guarded
def incidents(
    names: Annotated[
        list[str] | None, typer.Option("--incident", metavar="ID", help="Only this one; may be repeated.")
    ] = None,
    doctrines: Annotated[
        list[str] | None, typer.Option("--doctrine", metavar="ID", help="Only this one; may be repeated.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of all random draws [default: the scenarios'].")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of cells instead of the table.")] = False,
) -> None:
    """Ask every false alarm of every doctrine how far it would have gone, and for how long.

    Incidents down, doctrines across: the highest level reached, and the minutes for which it stood until it was taken
    back (a dash: to the end of the run). "as it was" is the scenario as it is written.

    \b
    Examples:
      tocsin study incidents
      tocsin study incidents --incident tape-1979 --doctrine two-kinds
      tocsin study incidents --json
    """
    import msgspec

    from tocsin.study import incidents as s

    with screen.Progress("asking") as progress, _compiling(progress):
        known, columns = s.incident_ids(), s.doctrine_names()
        for given, allowed, option in ((names, known, "--incident"), (doctrines, columns, "--doctrine")):
            unknown = [name for name in given or () if name not in allowed]
            if unknown:
                raise _RefusedError(f"{option}: {unknown[0]!r}; allowed: {', '.join(allowed)}")

        def tell(id: str, share: float) -> None:
            progress.doing(f"asking {id}")
            progress.tell(share)

        found = s.study(names or known, doctrines or columns, seed, tell)
    if as_json:
        print(json.dumps(msgspec.to_builtins(found), indent=2))
    else:
        print("EXERCISE: highest level reached, minutes until it was taken back")
        print(s.table(found))


def main() -> None:
    """Entry point of the ``tocsin`` command."""
    for stream in (sys.stdout, sys.stderr):
        # a name that the terminal cannot write must not end a run
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="tocsin")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
