"""``Scenario``: a valid scenario, loaded or changed; and the list of the bundled ones."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tocsin.scenario import catalogue, loader, specs, yaml12
from tocsin.scenario import split as sides
from tocsin.scenario.checks import DoctrineChecker, plain_of, resolved_sensor
from tocsin.scenario.faults import Fault, ScenarioError, clean, one_of, show
from tocsin.scenario.model import ScenarioModel

_BUNDLED = catalogue.DATA / "scenarios"


def bundled_ids() -> tuple[str, ...]:
    """Ids of the bundled scenarios, sorted."""
    return tuple(sorted(path.stem for path in _BUNDLED.glob("*.yaml")))


def bundled() -> list[tuple[str, str, str]]:
    """Id, title and one line of every bundled scenario. Reads only the head of each file."""
    made = []
    for id in bundled_ids():
        head: dict[str, Any] = {}
        text = (_BUNDLED / f"{id}.yaml").read_text(encoding="utf-8")
        # the keys that come before `start` are plain ones; a test holds the bundled files to this
        document = yaml12.Document(id, text.partition("\nstart:")[0] + "\n")
        head = document.plain if isinstance(document.plain, dict) else {}
        made.append((id, str(head.get("title", id)), str(head.get("summary", ""))))
    return made


def _is_path(name: str) -> bool:
    return os.sep in name or "/" in name or name.endswith((".yaml", ".yml"))


@dataclass(frozen=True, eq=False)
class Scenario:
    """A valid scenario. ``model``: its content; ``text``: the YAML it was read from (written anew, without comments,
    after ``with_`` and where tables came from other files); ``name``: the file's or the bundled name. Equal when the
    contents are.
    """

    model: ScenarioModel
    text: str
    name: str
    check_doctrine: DoctrineChecker | None = field(default=None, repr=False)

    @classmethod
    def load(cls, name_or_path: str | os.PathLike[str], check_doctrine: DoctrineChecker | None = None) -> Scenario:
        """A bundled scenario by name, or one from a file. Raises ScenarioError with every fault.

        ``check_doctrine``: what reads the doctrines, as ``command.doctrine.check_doctrine`` does; without it conditions
        are kept as text and not read.
        """
        name = os.fspath(name_or_path)
        if isinstance(name_or_path, str) and not _is_path(name):
            if name in bundled_ids():
                return cls._from_file(_BUNDLED / f"{name}.yaml", f"{name} (bundled)", name, check_doctrine)
            if not name or "\0" in name or not Path(name).exists():
                allowed = one_of(name, bundled_ids(), "the path of a file, or a bundled scenario")
                raise ScenarioError(
                    [Fault(clean(name)[:80] or "scenario", 0, "", f"no scenario {show(name)}", allowed)]
                )
        return cls._from_file(Path(name), name, name, check_doctrine)

    @classmethod
    def _from_file(cls, path: Path, file: str, name: str, check_doctrine: DoctrineChecker | None) -> Scenario:
        text = loader.read_text(path)
        model, whole = loader.load_whole(text, file, check_doctrine, path.parent)
        # tables of other files stand in the model; the text has to hold them too
        return cls(model, text if whole else _write(model), name, check_doctrine)

    @classmethod
    def from_text(cls, text: str, name: str = "scenario", check_doctrine: DoctrineChecker | None = None) -> Scenario:
        """A scenario from YAML text. Raises ScenarioError with every fault."""
        return cls(loader.load_text(text, name, check_doctrine), text, name, check_doctrine)

    @property
    def id(self) -> str:
        """Short name."""
        return self.model.id

    @property
    def title(self) -> str:
        """Title."""
        return self.model.title

    @property
    def seed(self) -> int:
        """The seed of all its random streams."""
        return self.model.seed

    @property
    def sha256(self) -> str:
        """Digest of ``text``."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.model == other.model

    def __hash__(self) -> int:
        return hash(self.to_yaml())

    def with_(self, path: str, value: Any) -> Scenario:
        """A copy with one value changed: ``with_("sharing.mode", "none")``, ``with_("objects.a.range_km", 900)``.

        The path is dotted; entries of lists count from 0, or go by their ``id``. A key of a mapping may be new, an
        entry of a list may not. Raises ScenarioError.
        """
        data = self.plain()
        at: Any = data
        parts = path.split(".")
        where = f"with_({clean(path)[:80]!r})"
        for k, part in enumerate(parts):
            last = k == len(parts) - 1
            if isinstance(at, list):
                ids = [entry.get("id") if isinstance(entry, dict) else None for entry in at]
                index = ids.index(part) if part in ids else int(part) if part.isdecimal() and len(part) < 9 else -1
                if not 0 <= index < len(at):
                    raise ScenarioError(
                        [Fault(where, 0, ".".join(parts[:k]), show(part), f"an id or a number under {len(at)}")]
                    )
                if last:
                    at[index] = copy.deepcopy(value)
                else:
                    at = at[index]
            elif isinstance(at, dict):
                if last:
                    at[part] = copy.deepcopy(value)
                else:
                    if part in at and at[part] is None:
                        at[part] = {}
                    # sections that were left out, such as `sharing`, begin empty; an unknown one is refused below
                    at = at.setdefault(part, {})
            else:
                raise ScenarioError([Fault(where, 0, ".".join(parts[:k]), show(at), "a mapping or a list to go into")])
        model = loader.validate(data, where, self.check_doctrine)
        return Scenario(model, _write(model), self.name, self.check_doctrine)

    def with_seed(self, seed: int) -> Scenario:
        """A copy with another seed."""
        return self.with_("seed", seed)

    def plain(self) -> dict[str, Any]:
        """The content as plain data (dicts, lists, scalars): what was given, under the names of the file."""
        made = _lists(plain_of(self.model))
        assert isinstance(made, dict)
        return made

    def to_yaml(self) -> str:
        """The content as YAML, without comments; loads to an equal scenario."""
        return _write(self.model)

    @cached_property
    def sensors(self) -> tuple[catalogue.Resolved, ...]:
        """The sensors in the order of their numbers, complete, each declared value with what it rests on."""
        made = []
        for _, id, entry in sorted(
            (p, id, e) for p, part in self.model.partners.items() for id, e in part.sensors.items()
        ):
            resolved, problems = resolved_sensor(id, entry)
            if resolved is None:
                raise AssertionError(problems)
            made.append(resolved)
        return tuple(made)

    def as_dict(self) -> dict[str, Any]:
        """``plain()`` with what a report tells of it: sensors and classes complete, each value with source, status and
        confidence; ``epoch``; ``catalogue_sources``: title and url by the keys that the values of sensors name.
        """
        made = self.plain()
        made["epoch"] = self.model.start
        by_id = {resolved.id: resolved for resolved in self.sensors}
        for partner in made["partners"].values():
            for id in partner.get("sensors", {}):
                partner["sensors"][id] = _described(by_id[id])
        for id, entry in self.model.classes.items():
            made["classes"][id] = _lists(catalogue.merged_class(id, plain_of(entry)))
        keys = {key for resolved in self.sensors for value in resolved.declared.values() for key in value.source}
        made["catalogue_sources"] = {
            key: catalogue.source(key) for key in sorted(keys) if key in catalogue.source_keys()
        }
        return made

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """JSON Schema (2020-12) of the scenario file."""
        schema = ScenarioModel.model_json_schema(by_alias=True)
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Tocsin scenario"}

    def split(self, theta0: Callable[[int, float], float]) -> tuple[specs.WorldSpec, dict[str, specs.NationSpec]]:
        """What is so, and what each nation is told.

        ``theta0``: sidereal angle (rad) at a time in ns since 1970 and a UT1 - UTC in s: ``earth.frames.gmst82``, which
        the caller brings because a scenario is data and knows no Earth.
        """
        return sides.split(self.model, lambda unix_ns: theta0(unix_ns, self.model.dut1_s))


def _write(model: ScenarioModel) -> str:
    return yaml12.write(plain_of(model))


def _lists(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _lists(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_lists(value) for value in data]
    return data


def _value(value: catalogue.Value) -> dict[str, Any]:
    made: dict[str, Any] = {
        "value": _lists(value.value),
        "status": value.status,
        "source": list(value.source),
        "confidence": value.confidence,
    }
    if value.why:
        made["why"] = value.why
    return made


def _described(resolved: catalogue.Resolved) -> dict[str, Any]:
    made: dict[str, Any] = {"name": resolved.name, "kind": resolved.kind}
    if resolved.state is not None:
        made["state"] = _value(resolved.state)
    if resolved.note:
        made["note"] = resolved.note
    made["values"] = {key: _value(value) for key, value in resolved.declared.items()}
    differs = {
        key: _value(value) for key, value in resolved.actual.items() if value.value != resolved.declared[key].value
    }
    if differs:
        made["actual"] = differs
    return made
