"""What is wrong with a scenario: every fault at once, each with file, line, path, what was found, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MOST_SHOWN = 100  # lines of one error message; all faults stay in ``ScenarioError.faults``
_LONGEST = 80


@dataclass(frozen=True, order=True)
class Fault:
    """One fault. ``line`` counts from 1 (0: no line, as for a value set from Python); ``path``: dotted, empty for the
    whole file.
    """

    file: str
    line: int
    path: str
    found: str
    allowed: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f" {self.path}:" if self.path else ""
        return f"{place}:{where} found {self.found}; allowed: {self.allowed}"


class ScenarioError(ValueError):
    """A scenario that is refused. ``faults`` holds all of them, in the order of the file; the text has one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults))
        super().__init__(self._text())

    def _text(self) -> str:
        lines = [str(fault) for fault in self.faults[:MOST_SHOWN]]
        if len(self.faults) > MOST_SHOWN:
            lines.append(f"... and {len(self.faults) - MOST_SHOWN} more faults")
        return "\n".join(lines)


def clean(text: str) -> str:
    """``text`` on one line, without control characters or halves of surrogate pairs, safe to print on any terminal."""
    return "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else ascii(c)[1:-1] for c in text)


def _short(text: str) -> str:
    text = clean(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 4] + " ..."


def show(value: Any) -> str:
    """What was found, in a few words: ``95``, ``'no' (a word)``, ``a list of 3``, ``nothing``."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _short(repr(value))
    if isinstance(value, str):
        return f"'{_short(value)}' (a word)" if value else "an empty word"
    if isinstance(value, dict):
        return f"a mapping of {len(value)}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    return _short(repr(value))


def dotted(path: Iterable[str | int]) -> str:
    """``("objects", "a", "range_km")`` as ``objects.a.range_km``; list entries count from 0."""
    return ".".join(_short(str(part)) for part in path)


def nearest(word: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Up to ``most`` of ``known`` that look like ``word``, best first, whatever the case."""
    by_lower: dict[str, str] = {}
    for name in known:
        by_lower.setdefault(name.lower(), name)
    word = word[:_LONGEST].lower()
    close = difflib.get_close_matches(word, by_lower, n=most, cutoff=0.6)
    inside = [
        name for name in sorted(by_lower) if len(word) > 2 and (word in name or name in word) and name not in close
    ]
    return [by_lower[name] for name in (close + inside)[:most]]


def one_of(word: str, known: Iterable[str], what: str) -> str:
    """The ``allowed`` of an unknown name: near names first, else all if they are few."""
    names = list(known)
    close = nearest(word, names)
    if close:
        return f"{what}; near: {', '.join(map(_short, close))}"
    if 0 < len(names) <= 12:
        return f"{what}: {', '.join(map(_short, names))}"
    return what if names else f"{what} (there are none)"
