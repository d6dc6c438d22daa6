"""The pages of docs/reference made from the code: written, or with `--check` compared with what stands there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
_NOTE = "<!-- made by tools/pages.py (make docs); change the code, not this page -->"


def cell(text: object) -> str:
    """A text that fits a Markdown table's cell."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")


# ---- commands


def command_line() -> str:
    """Every command's help page."""
    import typer.main

    from tocsin.cli import app

    top = typer.main.get_command(app)
    codes = "Exit codes: 0 done, 2 something in the input is wrong, 130 stopped by Ctrl-C."
    lines = ["# Commands", "", _NOTE, "", codes, ""]
    wide: dict[str, Any] = {"resilient_parsing": True, "terminal_width": 96, "max_content_width": 96}

    def page(command: Any, words: list[str], parent: Any) -> None:
        context = command.make_context(words[-1], [] if parent else ["--help"], parent=parent, **wide)
        shown = [line.rstrip() for line in command.get_help(context).splitlines()]
        lines.extend([f"## {' '.join(words)}", "", "```text", *shown, "```", ""])
        for name, inner in sorted(getattr(command, "commands", {}).items()):
            page(inner, [*words, name], context)

    page(top, ["tocsin"], None)
    return "\n".join(lines)


# ---- schemas


def kind(schema: dict[str, Any]) -> str:
    """What a JSON Schema allows, in a few words, linked where it has a section of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(v)}`" for v in schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(kind(s) for s in schema[several]))
    given = schema.get("type", "anything")
    if given == "array":
        items = schema.get("items")
        return f"list of {kind(items)}" if isinstance(items, dict) else "list"
    if given == "object":
        values = schema.get("additionalProperties", next(iter(schema.get("patternProperties", {}).values()), None))
        return f"map to {kind(values)}" if isinstance(values, dict) else "map"
    text = " or ".join(given) if isinstance(given, list) else str(given)
    marks = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[key]:g}" for key, sign in marks.items() if key in schema]
    return text + (f" ({', '.join(bounds)})" if bounds else "")


def section(title: str, schema: dict[str, Any]) -> list[str]:
    """One object of a schema as a table of its keys."""
    lines = [f"## {title}", "", cell(schema.get("description", "")), ""]
    if not schema.get("properties"):
        return [*lines, f"A value: {cell(kind(schema))}.", ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    needed = schema.get("required", [])
    for key, one in schema["properties"].items():
        default = "required" if key in needed else cell(f"`{json.dumps(one['default'])}`") if "default" in one else ""
        lines.append(f"| `{key}` | {cell(kind(one))} | {default} | {cell(one.get('description', ''))} |")
    return [*lines, ""]


def scenario() -> str:
    """The scenario file: every key, and the language of doctrines."""
    from tocsin.scenario import Scenario

    schema = Scenario.json_schema()
    lines = [
        "# Scenario files", "", _NOTE, "",
        "YAML 1.2 with strict scalars. Units stand in the keys. As JSON Schema: `tocsin validate --schema`.", "",
        *section("The file", schema),
    ]  # fmt: skip
    for name, one in sorted(schema.get("$defs", {}).items()):
        lines += section(name, one)
    return "\n".join(lines)


def doctrine() -> str:
    """The language of conditions, the actions, the words that texts may ask for."""
    from tocsin.command import actions
    from tocsin.command.grammar import MAX_DEPTH, MAX_LENGTH, NAMES

    lines = [
        "# Doctrines", "", _NOTE, "",
        "A step of a doctrine becomes due when its `when` comes to hold and the steps of its `after` have been done "
        "for the same warning. It is done `takes_s` later (drawn), once for each warning.", "",
        "## Conditions", "",
        "```text",
        'condition  = all { "or" all }              all     = unary { "and" unary }',
        'unary      = "not" unary | "(" condition ")" | comparison',
        'comparison = operand [ ("<" | "<=" | ">" | ">=" | "==" | "!=") operand ]',
        "operand    = [\"-\"] number [ \"s\" | \"min\" | \"%\" ] | 'text' | name | name('argument') | true | false",
        "```", "",
        f"At most {MAX_LENGTH} characters, brackets and `not` up to {MAX_DEPTH} deep. A comparison with something not "
        "(yet) known is false. A name that counts may stand alone: it holds from one on.", "",
        "| name | kind | unit | meaning |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, m in NAMES.items():
        shown = f"{name}('{m.argument}')" if m.argument else name
        lines.append(f"| `{shown}` | {m.kind} | {m.unit} | {cell(m.text)} |")
    lines += [
        "", "```yaml", "when: confirmed and p_real >= 90%",
        "when: p_impact('hokkaido') >= 1% or p_passage('hokkaido') >= 10%",
        "when: sensor_kinds >= 2 and not disagrees", "when: time_to_impact_s < -60 s or cancelled", "```", "",
        "## Actions", "", "| action | meaning | text where the step gives none |", "|---|---|---|",
    ]  # fmt: skip
    for name in actions.action_names():
        one = actions.action(name)
        lines.append(f"| `{name}` | {cell(one.meaning)} | {cell(one.text)} |")
    lines += ["", "## Words in texts", "", "Every text is marked EXERCISE.", "", "| word | filled with |", "|---|---|"]
    lines += [f"| `{{{name}}}` | {cell(meaning)} |" for name, meaning in actions.FIELDS.items()]
    return "\n".join([*lines, ""])


def summary_schema() -> dict[str, Any]:
    """The schema of summary.json."""
    from tocsin.measures.shapes import json_schema

    return json_schema()


def summary() -> str:
    """summary.json: every key."""
    schema = summary_schema()
    lines = [
        "# The summary of a run", "", _NOTE, "",
        "`summary.json` and `tocsin run --json`; as [JSON Schema](summary.schema.json). Null: it did not happen.", "",
    ]  # fmt: skip
    for name, one in schema.get("$defs", {}).items():
        lines += section(name, one)
    return "\n".join(lines)


def data() -> str:
    """The tables of a run."""
    from tocsin.records.dictionary import page

    return page()


PAGES = {
    "cli.md": command_line,
    "scenario.md": scenario,
    "doctrine.md": doctrine,
    "summary.md": summary,
    "data.md": data,
    "summary.schema.json": lambda: json.dumps(summary_schema(), indent=2) + "\n",  # as the module prints it
}


def main(arguments: list[str]) -> int:
    """Write the pages, or check them; 1 if one is out of date."""
    made = {name: make() for name, make in PAGES.items()}
    if arguments == ["--check"]:
        old = [n for n, text in made.items() if not (FOLDER / n).is_file() or (FOLDER / n).read_text("utf-8") != text]
        for name in old:
            print(f"docs/reference/{name} is out of date: .venv/bin/python tools/pages.py")
        return 1 if old else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
