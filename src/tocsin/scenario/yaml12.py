"""YAML 1.2, strictly: text to plain data with line numbers, and plain data to text.

Only the core schema: ``no`` is a word, ``20:58`` is a word, ``1e3`` is a number, dates stay words. Refused: tags, a
second document, duplicate keys, keys that are not words, infinities and NaN, aliases that contain themselves or grow
past the cap. Reading works on the parser's event stream with a stack of its own, so that depth and size are capped
before anything is built.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tocsin.scenario.faults import Fault, clean, dotted, show

MOST_BYTES = 5_000_000
MOST_DEPTH = 50
MOST_NODES = 200_000  # after aliases are expanded
MOST_READ_FAULTS = 1000

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]

_INT = re.compile(r"[-+]?[0-9]+\Z")
_OTHER_INT = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_LONGEST_NUMBER = 40


@dataclass(slots=True)
class Node:
    """A place in the file: ``data`` is a scalar, a dict of nodes or a list of nodes; ``keys``: the line of each key;
    lines from 1.
    """

    data: Any
    line: int
    keys: dict[str, int] = field(default_factory=dict)
    size: int = 1  # nodes in it, aliases expanded
    height: int = 0  # levels under it, aliases expanded
    open: bool = False


@dataclass(slots=True)
class _Frame:
    node: Node
    is_map: bool
    anchor: str | None
    key: str | None = None
    key_line: int = 0


class _ReadingStopsError(Exception):
    """The rest of the file is not worth reading."""


class Document:
    """A file as plain data (``plain``: dicts, tuples, scalars), the lines of its parts, the faults found in reading."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.root: Node | None = None
        self._anchors: dict[str, Node] = {}
        self._nodes = 0
        self._stack: list[_Frame] = []
        try:
            self._read(text)
        except _ReadingStopsError:
            self.root = None

    @property
    def plain(self) -> Any:
        """The data without places. Parts that an alias repeats are the same object."""
        return _plain(self.root, {}) if self.root is not None else None

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the deepest part of it that stands in the file."""
        node, line = self.root, 1
        for part in path:
            if node is None:
                break
            if isinstance(node.data, dict) and str(part) in node.data:
                line = node.keys[str(part)]
                node = node.data[str(part)]
            elif isinstance(node.data, list) and isinstance(part, int) and 0 <= part < len(node.data):
                node = node.data[part]
                line = node.line
            else:
                break
        return line

    def _fault(self, line: int, found: str, allowed: str, path: str | None = None) -> None:
        self.faults.append(Fault(self.file, line, self._path() if path is None else path, found, allowed))
        if len(self.faults) >= MOST_READ_FAULTS:
            raise _ReadingStopsError

    def _stop(self, line: int, found: str, allowed: str) -> _ReadingStopsError:
        self.faults.append(Fault(self.file, line, self._path(), found, allowed))
        return _ReadingStopsError()

    def _path(self) -> str:
        parts: list[str | int] = []
        for frame in self._stack[:8]:
            if frame.is_map:
                if frame.key is not None:
                    parts.append(frame.key)
            else:
                parts.append(len(frame.node.data))
        return dotted(parts) + (" ..." if len(self._stack) > 8 else "")

    def _events(self, text: str) -> Iterator[Any]:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError
        from ruamel.yaml.reader import ReaderError

        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            said = ", ".join(part for part in (error.context, error.problem) if part)
            raise self._stop((mark.line if mark else 0) + 1, f"broken YAML ({clean(said)})", "YAML 1.2") from None
        except ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self._stop(line, f"the character {error.character:#06x}", "printable characters") from None
        except Exception as error:
            # the library raises bare errors (OverflowError, IndexError, ...) on some malformed escapes and directives
            if isinstance(error, _ReadingStopsError):
                raise
            raise self._stop(1, f"broken YAML ({clean(str(error)) or type(error).__name__})", "YAML 1.2") from None

    def _read(self, text: str) -> None:
        if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
            raise self._stop(0, f"a text of over {MOST_BYTES / 1e6:g} MB", f"at most {MOST_BYTES / 1e6:g} MB")
        documents = 0
        for event in self._events(text):
            kind = type(event).__name__
            line = event.start_mark.line + 1
            if kind == "ScalarEvent":
                self._scalar(event, line)
            elif kind in ("MappingStartEvent", "SequenceStartEvent"):
                self._begin(event, kind == "MappingStartEvent", line)
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                self._end(line)
            elif kind == "AliasEvent":
                self._alias(event, line)
            elif kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise self._stop(line, "a second document", "one document in a file")
                if event.version not in (None, (1, 2)):
                    self._fault(line, "YAML " + ".".join(map(str, event.version)), "YAML 1.2")
        if self.root is None or (self.root.data is None and not self.faults):
            raise self._stop(1, "nothing", "a scenario; `tocsin new NAME` writes one to start from")

    def _count(self, line: int, size: int) -> None:
        self._nodes += size
        if self._nodes > MOST_NODES:
            raise self._stop(line, f"more than {MOST_NODES:,} values (aliases expanded)", f"at most {MOST_NODES:,}")

    def _no_tag(self, event: Any, line: int) -> None:
        if event.ctag is not None:
            self._fault(
                line, f"the tag {clean(str(event.tag))}", "no tags; put a text that looks like a number in quotes"
            )

    def _scalar(self, event: Any, line: int) -> None:
        self._no_tag(event, line)
        text: str = event.value
        if any("\ud800" <= c <= "\udfff" for c in text):
            self._fault(line, "half of a surrogate pair", "whole characters")
            text = clean(text)
        top = self._stack[-1] if self._stack else None
        if top is not None and top.is_map and top.key is None:
            self._take_key(top, text, line)
            return
        plain = event.implicit[0] and not event.style
        self._place(Node(self._resolve(text, line) if plain else text, line), event.anchor)

    def _resolve(self, text: str, line: int) -> Scalar:
        if text in _WORDS:
            return _WORDS[text]
        first = text[0]
        if not (first.isdigit() or first in "+-."):
            return text
        if _NOT_FINITE.match(text):
            self._fault(line, f"{text}, which is not a finite number", "a finite number")
            return None
        is_int, is_other, is_float = _INT.match(text), _OTHER_INT.match(text), _FLOAT.match(text)
        if not (is_int or is_other or is_float):
            return text
        if len(text) > _LONGEST_NUMBER:
            self._fault(
                line, f"a number of {len(text)} characters", f"at most {_LONGEST_NUMBER} (put a word in quotes)"
            )
            return None
        if is_int:
            return int(text)
        if is_other:
            return int(text[2:], 8 if text[1] == "o" else 16)
        number = float(text)
        if not math.isfinite(number):
            self._fault(line, f"{text}, which is not a finite number", "a finite number")
            return None
        return number

    def _take_key(self, top: _Frame, text: str, line: int) -> None:
        self._count(line, 1)
        if text in top.node.data:
            self._fault(
                line, f"the key {show(text)} a second time (first on line {top.node.keys[text]})", "each key once"
            )
        top.key, top.key_line = text, line

    def _begin(self, event: Any, is_map: bool, line: int) -> None:
        self._no_tag(event, line)
        if len(self._stack) >= MOST_DEPTH:
            raise self._stop(line, f"nesting deeper than {MOST_DEPTH}", f"at most {MOST_DEPTH} levels")
        top = self._stack[-1] if self._stack else None
        if top is not None and top.is_map and top.key is None:
            raise self._stop(line, "a mapping or list as a key", "a word as a key")
        node = Node({} if is_map else [], line, open=True)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._stack.append(_Frame(node, is_map, event.anchor))

    def _end(self, line: int) -> None:
        frame = self._stack.pop()
        frame.node.open = False
        self._place(frame.node, None)

    def _alias(self, event: Any, line: int) -> None:
        name = clean(event.anchor)
        known = self._anchors.get(event.anchor)
        if known is None:
            raise self._stop(line, f"the alias *{name[:60]}", "an alias of an anchor that stands before it")
        if known.open:
            raise self._stop(
                line, f"the alias *{name[:60]} inside what it stands for", "aliases that do not contain themselves"
            )
        top = self._stack[-1] if self._stack else None
        if top is not None and top.is_map and top.key is None:
            if isinstance(known.data, dict | list):
                raise self._stop(line, "a mapping or list as a key", "a word as a key")
            self._take_key(top, str(known.data), line)
            return
        self._count(line, known.size)
        if len(self._stack) + known.height > MOST_DEPTH:
            raise self._stop(line, f"nesting deeper than {MOST_DEPTH}", f"at most {MOST_DEPTH} levels")
        self._attach(known)

    def _place(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        self._count(node.line, 1)
        self._attach(node)

    def _attach(self, node: Node) -> None:
        if not self._stack:
            self.root = node
            return
        top = self._stack[-1]
        top.node.size += node.size
        top.node.height = max(top.node.height, node.height + 1)
        if top.is_map:
            if top.key is None:  # a key always comes first in the event stream
                raise AssertionError("a value without a key")
            if top.key not in top.node.data:
                top.node.data[top.key] = node
                top.node.keys[top.key] = top.key_line
            top.key = None
        else:
            top.node.data.append(node)


def _plain(node: Node, done: dict[int, Any]) -> Any:
    # recursion is bounded: reading stops at MOST_DEPTH, aliases expanded
    if not isinstance(node.data, dict | list):
        return node.data
    known = done.get(id(node))
    if known is not None:
        return known
    made: Any
    if isinstance(node.data, dict):
        made = {key: _plain(value, done) for key, value in node.data.items()}
    else:
        made = tuple(_plain(value, done) for value in node.data)
    done[id(node)] = made
    return made


# ---- writing -------------------------------------------------------------------------------------------------------

_SAFE = re.compile(r"(?:[A-Za-z][A-Za-z0-9_./+()%-]*(?: [A-Za-z0-9_./+()%-]+)*|T\+[0-9:]+|\d{4}-\d\d-\d\dT[0-9:.]+Z)\Z")
_ESCAPE = re.compile(r'[\x00-\x1f"\\\x7f-\xa0\xad\u2028\u2029\ufeff\ufffe\uffff]')


def quote(text: str) -> str:
    """``text`` as a double-quoted scalar on one line."""

    def escape(match: re.Match[str]) -> str:
        c = match.group()
        return json.dumps(c)[1:-1] if c in '"\\\n\t' else f"\\u{ord(c):04x}"

    return '"' + _ESCAPE.sub(escape, text) + '"'


def _scalar_text(value: Scalar) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _SAFE.match(value) and value not in _WORDS and len(value) < 100 else quote(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} cannot be written: only finite numbers stand in a scenario")
    return repr(value)


def _flow(value: Any) -> str | None:
    """``value`` on one line if it is a scalar or short, else None."""
    if isinstance(value, dict):
        parts = [(key, _flow(item)) for key, item in value.items()]
        text = "{" + ", ".join(f"{_scalar_text(key)}: {item}" for key, item in parts) + "}"
        nested = any(isinstance(item, dict) and item for item in value.values())
        return text if not nested and all(item is not None for _, item in parts) and len(text) <= 90 else None
    if isinstance(value, list | tuple):
        items = [_flow(item) for item in value]
        text = "[" + ", ".join(str(item) for item in items) + "]"
        return text if all(item is not None for item in items) and len(text) <= 90 else None
    return _scalar_text(value)


def _block(value: Any, indent: int) -> list[str] | None:
    """Long text of several lines as a literal block, its first line to stand behind the key; None for what is read
    back otherwise.
    """
    if not isinstance(value, str) or len(value) <= 100 or "\n" not in value.rstrip("\n"):
        return None
    lines = value.removesuffix("\n").split("\n")
    plain = not any(_ESCAPE.search(line.replace('"', "").replace("\\", "")) for line in lines)
    if not plain or not lines[0] or not lines[-1] or any(line != line.strip() for line in lines):
        return None
    pad = " " * indent
    return ["|" if value.endswith("\n") else "|-", *(pad + line if line else "" for line in lines)]


def _wrapped(value: Any, indent: int) -> str | None:
    """A long list of short lists, such as a polygon, on as few lines as it takes; None for anything else."""
    if not isinstance(value, list | tuple) or not all(isinstance(item, list | tuple) for item in value):
        return None
    rows = [""]
    for item in value:
        flow = _flow(item)
        if flow is None:
            return None
        if rows[-1] and len(rows[-1]) + len(flow) > 100:
            rows.append("")
        rows[-1] += ("" if not rows[-1] else " ") + flow + ","
    return "[" + ("\n" + " " * indent).join(rows)[:-1] + "]"


def _write(value: Any, indent: int, lines: list[str]) -> None:
    pad = " " * indent
    if isinstance(value, dict):
        for key, item in value.items():
            flow = _flow(item)
            if (block := _block(item, indent + 2)) is not None:
                lines += [f"{pad}{_scalar_text(key)}: {block[0]}", *block[1:]]
            elif flow is not None and not (isinstance(item, dict) and item and indent == 0):
                lines.append(f"{pad}{_scalar_text(key)}: {flow}")
            elif (wrapped := _wrapped(item, indent + len(_scalar_text(key)) + 3)) is not None:
                lines.append(f"{pad}{_scalar_text(key)}: {wrapped}")
            else:
                lines.append(f"{pad}{_scalar_text(key)}:")
                _write(item, indent + 2, lines)
    else:
        for item in value:
            flow = _flow(item)
            if flow is not None:
                lines.append(f"{pad}- {flow}")
            else:
                first = len(lines)
                _write(item, indent + 2, lines)
                lines[first] = f"{pad}- {lines[first][indent + 2 :]}"


def write(data: dict[str, Any]) -> str:
    """Plain data (dicts with text keys, lists or tuples, scalars) as YAML 1.2 that ``Document`` reads back to the same
    data.

    Raises ValueError for infinities and NaN.
    """
    lines: list[str] = []
    _write(data, 0, lines)
    return "\n".join(lines) + "\n" if lines else "{}\n"
