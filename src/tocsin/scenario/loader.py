"""From a file to a valid model, or to every fault of it at once. Strict, and capped in size, depth and count (see
``yaml12``).
"""

from __future__ import annotations

import types
from pathlib import Path as FilePath
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from tocsin.scenario.checks import Checks, DoctrineChecker
from tocsin.scenario.faults import Fault, ScenarioError, clean, dotted, nearest, one_of, show
from tocsin.scenario.model import ScenarioModel
from tocsin.scenario.objects import FORMS, MOST_TABLE, form_of
from tocsin.scenario.yaml12 import MOST_BYTES, Document, Path

MOST_FAULTS = 1000  # a file with more is wrong in a way that more would not show better
MOST_TABLES = 4_000_000  # bytes of all tables in files: with them the scenario still has to fit
SIZE = f"a scenario of at most {MOST_BYTES / 1e6:g} MB"


def read_text(path: FilePath) -> str:
    """The text of a file. Raises ScenarioError for one that is missing, unreadable, too large or not UTF-8."""
    file = clean(str(path))
    try:
        if path.is_dir():
            raise ScenarioError([Fault(file, 0, "", "a folder", "a scenario file")])
        with path.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ScenarioError([Fault(file, 0, "", f"no file to read ({clean(said)})", "a scenario file")]) from None
    if len(raw) > MOST_BYTES:
        try:
            size = f"{max(path.stat().st_size, len(raw)) / 1e6:,.0f} MB"
        except OSError:
            size = f"over {MOST_BYTES / 1e6:g} MB"
        raise ScenarioError([Fault(file, 0, "", f"a file of {size}", SIZE)])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ScenarioError(
            [Fault(file, line, "", f"bytes that are not UTF-8 text ({error.reason})", "UTF-8 text")]
        ) from None


def load_text(
    text: str, file: str, check_doctrine: DoctrineChecker | None = None, folder: FilePath | None = None
) -> ScenarioModel:
    """A scenario from its text. Raises ScenarioError with every fault; ``file``: what the faults call it; ``folder``:
    where tables in files of their own stand (None: there are none).
    """
    return load_whole(text, file, check_doctrine, folder)[0]


def load_whole(
    text: str, file: str, check_doctrine: DoctrineChecker | None, folder: FilePath | None
) -> tuple[ScenarioModel, bool]:
    """The same, and whether the text is all there is to it: no table stood in a file of its own."""
    document = Document(clean(file), text)
    if document.root is None:
        raise ScenarioError(document.faults)
    data = document.plain
    model = validate(data, clean(file), check_doctrine, document, folder)
    return model, not any(form_of(entry) == "file" for entry in data.get("objects", {}).values())


def with_tables(data: Any, folder: FilePath | None) -> tuple[Any, dict[str, str], list[tuple[Path, str, str]]]:
    """Plain data with the text of each `file` in its place as `table`; the names of the files by object; and what is
    wrong with them (path, found, allowed). An object whose file is not to be had stays as it is.
    """
    objects = data.get("objects") if isinstance(data, dict) else None
    if not isinstance(objects, dict):
        return data, {}, []
    names: dict[str, str] = {}
    found: list[tuple[Path, str, str]] = []
    made: dict[Any, Any] = {}
    total = 0
    for id, entry in objects.items():
        made[id] = entry
        if form_of(entry) != "file" or not isinstance(entry["file"], str):
            continue
        name = entry["file"]
        text, said = _table_text(name, folder)
        total += len(text.encode())
        if total > MOST_TABLES:
            said = ("more than the scenario can hold", f"tables of at most {MOST_TABLES / 1e6:g} MB together")
        if said is not None:
            found.append((("objects", id, "file"), f"{show(name)}, {said[0]}", said[1]))
            continue
        names[id] = name
        made[id] = dict(("table", text) if key == "file" else (key, value) for key, value in entry.items())
    return {**data, "objects": made}, names, found


def _table_text(name: str, folder: FilePath | None) -> tuple[str, tuple[str, str] | None]:
    """The text of a table's file, or what was found and is allowed. Nothing outside ``folder`` is opened, nor anything
    but a file (a pipe would never end).
    """
    if folder is None:
        return "", ("a file, in a scenario that is none", "`table:` with the text in place")
    inside = "a file in the scenario's folder, by its path from there"
    try:
        at = (folder / name).resolve()
        if not name or FilePath(name).is_absolute() or not at.is_relative_to(folder.resolve()):
            return "", ("out of the scenario's folder", inside)
        if not at.is_file():
            return "", ("which is no file" if at.exists() else "which does not exist", inside)
        with at.open("rb") as stream:
            raw = stream.read(MOST_TABLE + 1)
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links is a RuntimeError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return "", (f"which cannot be read ({clean(reason)})", inside)
    if len(raw) > MOST_TABLE:
        return "", (f"of over {MOST_TABLE / 1e6:g} MB", f"at most {MOST_TABLE / 1e6:g} MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return "", (f"on line {line} of which stand bytes that are not UTF-8 text", "UTF-8 text")
    return text.replace("\r\n", "\n"), None


def validate(
    data: Any,
    file: str,
    check_doctrine: DoctrineChecker | None = None,
    document: Document | None = None,
    folder: FilePath | None = None,
) -> ScenarioModel:
    """A scenario from plain data (dicts, tuples or lists, scalars). Raises ScenarioError; lines come from ``document``,
    if any; tables in files of their own from ``folder``.
    """
    faults = list(document.faults) if document else []
    data, tables, told_of_tables = with_tables(data, folder)

    def fault(path: Path, found: str, allowed: str) -> None:
        if path[:1] == ("objects",) and len(path) > 2 and path[1] in tables and path[2] == "table":
            path, found = (*path[:2], "file", *path[3:]), f"{show(tables[str(path[1])])}, {found}"
        faults.append(Fault(file, document.line(path) if document else 0, dotted(path), found, allowed))

    if not isinstance(data, dict):
        fault((), show(data), "a mapping with `id`, `title`, `start` and so on; `tocsin new NAME` writes one")
        raise ScenarioError(faults)
    data = tuples(data)
    for path, found, allowed in told_of_tables:
        fault(path, found, allowed)
    model: ScenarioModel | None = None
    try:
        model = ScenarioModel.model_validate(data)
    except ValidationError as error:
        told: dict[tuple[Path, str], list[str]] = {}
        for said in error.errors(include_url=False)[:MOST_FAULTS]:
            if said["type"] == "too_short" and len(said["input"]) >= said["ctx"]["min_length"]:
                continue  # long enough, but for those of its values that have faults of their own
            path = _path_of(said, data)
            found, allowed = _explain(said, path, data)
            told.setdefault((path, found), []).append(allowed)
        for (path, found), ways in told.items():  # a value may be one of several kinds: one fault, all ways
            fault(path, found, " or ".join(dict.fromkeys(ways)))
    for path, found, allowed in Checks(data, check_doctrine).run()[:MOST_FAULTS]:
        fault(path, found, allowed)
    if faults or model is None:
        raise ScenarioError(dict.fromkeys(faults))
    return model


def tuples(data: Any) -> Any:
    """Plain data with tuples for lists (the strict models take nothing else); depth is the data's own."""
    if isinstance(data, dict):
        return {key: tuples(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return tuple(tuples(value) for value in data)
    return data


# ---- from pydantic's errors to faults ------------------------------------------------------------------------------


def _path_of(error: Any, data: Any) -> Path:
    """The path of an error in the file: pydantic's, without the names of union members and of key checks."""
    path: list[str | int] = []
    for part in error["loc"]:
        if isinstance(data, dict) and isinstance(part, str):
            if part in data:
                data = data[part]
            elif error["type"] not in ("missing", "extra_forbidden") or part != error["loc"][-1]:
                continue
        elif isinstance(data, tuple) and isinstance(part, int):
            data = data[part] if part < len(data) else None
        elif error["type"] != "missing":
            continue
        path.append(part)
    return tuple(path)


def _explain(error: Any, path: Path, data: Any) -> tuple[str, str]:
    """``found`` and ``allowed`` of one error."""
    kind, given, ctx = error["type"], error["input"], error.get("ctx", {})
    if error["loc"] and error["loc"][-1] == "[key]":
        return f"the name {show(path[-1])}", "a name of letters, digits, - and _, at most 64, first a letter or digit"
    if kind == "missing":
        fields = _fields_at(path[:-1], data)
        about = fields.get(str(path[-1]), "") if fields else ""
        return "nothing", f"this key is needed{': ' + about if about else ''}"
    if kind == "extra_forbidden":
        fields = _fields_at(path[:-1], data)
        word = str(path[-1])
        if word == "<<":
            return "the key '<<'", "no merge keys: YAML 1.2 has none"
        form = _form_at(path[:-1], data)
        if form and word in FORMS:
            return f"the key '{word}' beside `{form}`", f"one of {', '.join(FORMS)} in an object"
        close = nearest(word, fields)
        if form and any(word in _keys(model) for model in FORMS.values()):
            return f"the key '{word}' in an object that has `{form}`", ", ".join(fields)
        if close:
            return f"the unknown key '{clean(word)[:80]}'", f"did you mean {' or '.join(close)}?"
        return f"the unknown key '{clean(word)[:80]}'", one_of(word, fields, "one of") if len(
            fields
        ) <= 12 else ", ".join(fields)
    if "allowed" in ctx:
        return show(given), str(ctx["allowed"])
    return show(given), _allowed(kind, ctx, error["msg"])


_SIGNS = {
    "greater_than": "over {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "under {lt:g}",
    "less_than_equal": "at most {le:g}",
}
_KINDS = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "a word (text that looks like a number goes in quotes)",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
    "spread": "a number, `150 +- 3`, or {nominal: 150, spread: 3, source: ...}",
}


def _allowed(kind: str, ctx: dict[str, Any], message: str) -> str:
    if kind in _SIGNS:
        return _SIGNS[kind].format(**ctx)
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "literal_error":
        return str(ctx["expected"]).replace("'", "")
    if kind == "too_short":
        return f"at least {ctx['min_length']}"
    if kind == "too_long":
        return f"at most {ctx['max_length']}"
    if kind == "string_too_short":
        return "some text"
    if kind == "string_too_long":
        return f"at most {ctx['max_length']} characters"
    if kind == "string_pattern_mismatch":
        if ctx["pattern"].startswith("^[^"):
            return "text without control characters"
        return "a name of letters, digits, - and _, at most 64, first a letter or digit"
    return clean(message[:1].lower() + message[1:])


def _fields_at(path: Path, data: Any) -> dict[str, str]:
    """Keys (with what they are) that may stand in the mapping at ``path`` of ``data``; none where it is no model."""
    at: Any = ScenarioModel
    for depth, part in enumerate(path):
        at = _inside(at, part)
        data = data.get(part) if isinstance(data, dict) else None
        if depth == 1 and path[0] == "objects":
            at = FORMS.get(form_of(data) or "")
        if at is None:
            return {}
    model = _model_of(at)
    if model is None:
        return {}
    return {field.alias or name: field.description or "" for name, field in model.model_fields.items()}


def _form_at(path: Path, data: Any) -> str:
    """The form of the object at ``path``, or "" where none stands."""
    if len(path) != 2 or path[0] != "objects" or not isinstance(data, dict):
        return ""
    return form_of(data["objects"][path[1]]) or ""


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _members(annotation: Any) -> list[Any]:
    annotation = _bare(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return [_bare(member) for member in get_args(annotation)]
    return [annotation]


def _model_of(annotation: Any) -> type[BaseModel] | None:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            return member
    return None


def _inside(annotation: Any, part: str | int) -> Any:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            for name, field in member.model_fields.items():
                if (field.alias or name) == part:
                    return field.annotation
        elif get_origin(member) is dict and isinstance(part, str):
            return get_args(member)[1]
        elif get_origin(member) is tuple and isinstance(part, int):
            return get_args(member)[0]
    return None
