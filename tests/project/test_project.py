"""What the project's own files promise of each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def test_the_lock_file_names_no_index_but_pypi() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}


def test_every_locked_file_has_a_digest() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    files = [f for p in lock["package"] for f in [*p.get("wheels", []), *([p["sdist"]] if "sdist" in p else [])]]
    assert len(files) > 1000
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", f["hash"]) for f in files)


def test_the_lock_file_is_that_of_the_project_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    metadata = next(p for p in lock["package"] if p["name"] == "tocsin")["metadata"]

    def locked(entries: list[dict[str, str]]) -> set[tuple[str, str]]:
        return {(e["name"], e.get("specifier", "")) for e in entries}

    def asked(entries: list[object]) -> set[tuple[str, str]]:
        found = [Requirement(e) for e in entries if isinstance(e, str)]
        return {(re.sub(r"[-_.]+", "-", r.name.lower()), str(r.specifier)) for r in found}

    assert locked(metadata["requires-dist"]) == asked(project["project"]["dependencies"])
    for group in ("test", "check", "docs"):
        assert locked(metadata["requires-dev"][group]) == asked(project["dependency-groups"][group])


def test_the_makefile_says_what_each_of_its_targets_does() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", text, re.MULTILINE)) - {"help"}
    described = set(re.findall(r'@echo "make ([a-z]+) ', text))
    assert {"demo", "test", "check", "bench", "validation", "docs", "setup"} <= targets
    assert targets == described
