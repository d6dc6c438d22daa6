"""The run folder: written whole or not at all, read lazily.

``DIR.partial`` is filled, synced and renamed to ``DIR``. Whatever stops that (no space, no rights, Ctrl-C) leaves what
stood there before. The Parquet files, ``summary.json`` and ``manifest.json`` of two equal runs have equal bytes;
``timing.json`` and the pages (``report.html``, ``replay.czml``) may differ and so have no digest in the manifest.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tocsin.records.dictionary import FORMAT, TABLES, schema

MANIFEST = "manifest.json"
SUMMARY = "summary.json"
TIMING = "timing.json"
_MARK = ".tocsin-partial"
_ROWS_PER_GROUP = 131_072
_LARGEST_JSON = 256 << 20


class RunFolderError(Exception):
    """A run folder cannot be written or read; the text says why in a sentence a user can act on."""


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "no space left on the device"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "no right to write there"
    if error.errno == errno.EROFS:
        return "the file system is read-only"
    return (error.strerror or str(error)).lower()


def is_run_folder(path: Path) -> bool:
    """Whether ``path`` holds a run of any format of ours."""
    try:
        with (path / MANIFEST).open("rb") as file:
            head = json.loads(file.read(_LARGEST_JSON))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(head, dict) and str(head.get("format", "")).startswith("tocsin-run/")


def check_writable(out: Path, force: bool = False) -> None:
    """Say before a long run whether its folder could be written; leaves nothing behind. Raises RunFolderError."""
    out = out.absolute()
    if out.is_symlink() or out.exists():
        if not out.is_dir() or out.is_symlink():
            raise RunFolderError(f"{out} exists and is not a folder")
        empty = not any(out.iterdir())
        if not force and not empty:
            raise RunFolderError(f"{out} exists already; choose another folder with --out or replace it with --force")
        if not empty and not is_run_folder(out):
            raise RunFolderError(f"{out} is not a run folder (no {MANIFEST} of ours); it will not be replaced")
    base = _existing_parent(out)
    if not base.is_dir():
        raise RunFolderError(f"cannot write {out}: {base} is not a folder")
    if not os.access(base, os.W_OK | os.X_OK):
        raise RunFolderError(f"cannot write {out}: no right to write in {base}")


def _existing_parent(out: Path) -> Path:
    base = out.parent
    while not base.exists() and base != base.parent:
        base = base.parent
    return base


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _json_bytes(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_table(table: pa.Table, path: Path) -> None:
    """One Parquet file whose bytes depend on nothing but the table and the version of pyarrow; synced."""
    with path.open("wb") as file:
        pq.write_table(
            table,
            file,
            row_group_size=_ROWS_PER_GROUP,
            version="2.6",
            compression="zstd",
            compression_level=3,
            use_dictionary=True,
            write_statistics=True,
            data_page_version="1.0",
        )
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _partial(out: Path) -> Iterator[Path]:
    """An empty, locked ``DIR.partial`` that is removed again unless it has been renamed by the end."""
    partial = out.with_name(out.name + ".partial")
    made_parent = _make_parents(out)
    lock = -1
    try:
        if partial.exists() or partial.is_symlink():
            lock = _take_over(partial)
        else:
            partial.mkdir()
            lock = _lock(partial)
        _write(partial / _MARK, b"")
        yield partial
    except BaseException:
        if lock >= 0 and _is_same(lock, partial):
            shutil.rmtree(partial, ignore_errors=True)
        if made_parent is not None:
            _remove_empty(out.parent, made_parent)
        raise
    finally:
        if lock >= 0:
            os.close(lock)


def _make_parents(out: Path) -> Path | None:
    """Make the folders above ``out``; returns the uppermost that was missing."""
    missing = [p for p in (out.parent, *out.parent.parents) if not p.exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    return missing[-1] if missing else None


def _remove_empty(path: Path, top: Path) -> None:
    with contextlib.suppress(OSError):
        while True:
            path.rmdir()
            if path == top:
                return
            path = path.parent


def _is_same(handle: int, path: Path) -> bool:
    """Whether the open folder still stands at ``path`` (after the rename it does not)."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RunFolderError(f"another run is being written to {path}") from None
    except BaseException:
        os.close(handle)
        raise
    return handle


def _take_over(partial: Path) -> int:
    """Clear what a killed run left behind; never anything else."""
    if partial.is_symlink() or not partial.is_dir():
        raise RunFolderError(f"{partial} is in the way and is not ours; move it away")
    lock = _lock(partial)
    if not (partial / _MARK).exists() and any(partial.iterdir()):
        os.close(lock)
        raise RunFolderError(f"{partial} is in the way and is not ours; move it away")
    for old in partial.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    return lock


def _put_in_place(partial: Path, out: Path) -> None:
    """Rename; what stood at ``out`` goes only after the new folder stands there."""
    if not out.exists():
        partial.rename(out)
        return
    old = out.with_name(out.name + ".replaced")
    if old.exists():
        if not is_run_folder(old):
            raise RunFolderError(f"{old} is in the way and is not ours; move it away")
        shutil.rmtree(old)
    try:
        out.rename(old)
        partial.rename(out)
    except BaseException:
        if not out.exists():
            old.rename(out)
        else:
            # an interrupt after the second rename: the new folder stands, and is whole
            shutil.rmtree(old, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_run(
    out: Path,
    tables: Mapping[str, pa.Table],
    manifest: Mapping[str, Any],
    summary: Mapping[str, Any],
    timing: Mapping[str, Any],
    texts: Mapping[str, str],
    scenario_text: str,
    *,
    force: bool = False,
) -> Path:
    """Write a run folder, whole or not at all, and return its path.

    ``tables``: those of the dictionary; ``manifest``: "scenario" (id), "seed", "version", "parent" (None, or what it
    branched from) and what else shall stand there; ``texts``: pages by name; ``scenario_text``: the scenario as run.
    ``force`` replaces an older run folder, but nothing else. Raises RunFolderError; Ctrl-C passes through. After
    either, what stood at ``out`` before still stands there.
    """
    out = Path(out).absolute()
    try:
        check_writable(out, force)
        with _partial(out) as partial:
            files: dict[str, dict[str, Any]] = {}
            for name in TABLES:
                path = partial / f"{name}.parquet"
                write_table(tables[name], path)
                files[path.name] = {"sha256": _digest(path), "rows": tables[name].num_rows}
            path = partial / SUMMARY
            _write(path, _json_bytes(summary))
            files[SUMMARY] = {"sha256": _digest(path)}
            for name, text in texts.items():
                _write(partial / name, text.encode())
            _write(partial / TIMING, _json_bytes(timing))
            head = {
                **manifest,
                "format": FORMAT,
                "exercise": "EXERCISE",
                "scenario_sha256": hashlib.sha256(scenario_text.encode()).hexdigest(),
                "scenario_text": scenario_text,
                "files": files,
            }
            _write(partial / MANIFEST, _json_bytes(head))
            (partial / _MARK).unlink()
            _sync_folder(partial)
            _put_in_place(partial, out)
            _sync_folder(out.parent)
    except OSError as error:
        raise RunFolderError(f"cannot write {out}: {_reason(error)}; no run folder was left behind") from error
    return out


def write_page(folder: Path, name: str, text: str) -> Path:
    """Write or replace one page (report.html, replay.czml) of a run folder, whole or not at all; RunFolderError."""
    path = folder / name
    partial = folder / f".{name}.partial"
    try:
        try:
            _write(partial, text.encode())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {_reason(error)}") from error
    return path


class StoredTables(Mapping[str, pa.Table]):
    """The tables of a run folder by name, each read when it is first asked for."""

    def __init__(self, folder: Path, files: Mapping[str, Any]) -> None:
        self._folder = folder
        self._files = files
        self._read: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in TABLES:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in TABLES

    def __iter__(self) -> Iterator[str]:
        return iter(TABLES)

    def __len__(self) -> int:
        return len(TABLES)

    def _load(self, name: str) -> pa.Table:
        wanted = schema(name)
        if f"{name}.parquet" not in self._files:
            # a table that later versions added
            return wanted.empty_table()
        path = self._folder / f"{name}.parquet"
        try:
            found = pq.read_table(path, partitioning=None)
        except OSError as error:
            raise RunFolderError(f"cannot read {path}: {_reason(error)}") from error
        except pa.ArrowException as error:
            raise RunFolderError(f"cannot read {path}: it is damaged ({str(error).splitlines()[0]})") from error
        for field in wanted:
            if field.name not in found.column_names:
                # a column that later versions added
                found = found.append_column(field.with_nullable(True), pa.nulls(found.num_rows, field.type))
        return found


@dataclass(frozen=True)
class RunFolder:
    """A recorded run: its ``path``, ``manifest``, ``summary``, ``timing`` and ``tables`` (Arrow, read on first use)."""

    path: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]
    timing: dict[str, Any]
    tables: StoredTables

    @property
    def scenario_text(self) -> str:
        """The scenario as it was run."""
        return str(self.manifest["scenario_text"])

    @classmethod
    def load(cls, folder: str | Path) -> RunFolder:
        """Open a run folder. Raises RunFolderError if it is none, is damaged, or is of another format."""
        path = Path(folder)
        if not path.is_dir():
            raise RunFolderError(f"{path}: there is no such folder")
        if not (path / MANIFEST).exists():
            raise RunFolderError(f"{path} is not a run folder: {MANIFEST} is missing")
        manifest = _read_json(path / MANIFEST)
        kind = manifest.get("format")
        if kind != FORMAT:
            if isinstance(kind, str) and kind.startswith("tocsin-run/"):
                raise RunFolderError(f"{path} is of format {kind[:40]!r}; this version of Tocsin reads {FORMAT!r}")
            raise RunFolderError(f"{path} is not a run folder: format {str(kind)[:40]!r}, expected {FORMAT!r}")
        if not isinstance(manifest.get("scenario_text"), str) or not isinstance(manifest.get("files"), dict):
            raise RunFolderError(f"cannot read {path / MANIFEST}: scenario_text or files is missing")
        timing = _read_json(path / TIMING) if (path / TIMING).exists() else {}
        return cls(path, manifest, _read_json(path / SUMMARY), timing, StoredTables(path, manifest["files"]))

    def damaged(self) -> list[str]:
        """Names of the files whose bytes are not those that the manifest tells of; empty if all is well."""
        wrong = []
        for name, told in self.manifest["files"].items():
            path = self.path / Path(name).name
            if not path.is_file() or _digest(path) != told.get("sha256"):
                wrong.append(name)
        return wrong


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise RunFolderError(f"cannot read {path}: larger than {_LARGEST_JSON >> 20} MB")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise RunFolderError(f"cannot read {path}: {_reason(error)}") from error
    except (ValueError, RecursionError):
        raise RunFolderError(f"cannot read {path}: it is not JSON") from None
    if not isinstance(value, dict):
        raise RunFolderError(f"cannot read {path}: expected an object")
    return value
