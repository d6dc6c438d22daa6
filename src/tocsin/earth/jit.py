"""The one decorator for numerical kernels, and where their compiled form is kept.

numba keeps compiled kernels beside the source file and keys them by that file alone. Three things follow that this
module avoids: an installed package may be read-only (then the import fails), a kernel that calls a kernel of another
file keeps the *old* machine code of it when that file changes, and the cache is unpickled, so it must never lie in a
shared folder.

Tocsin's kernels, and only those, are therefore kept in ``<user cache>/tocsin/kernels/<room>-<key>``, folders of mode
0700 whose key covers every source file with kernels in that room and in the rooms it may call, and the versions of
numba, NumPy and Python. Keys unused for a month are pruned. Where no such folder can be made the kernels are compiled
in memory, each time anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
from numba.core import caching

F = TypeVar("F", bound=Callable[..., Any])

_PACKAGE = Path(__file__).resolve().parents[1]
# a kernel may call those of its own room and of the rooms before it in this list
_FLOORS = (
    "earth",
    "dynamics",
    "truth",
    "sensing",
    "tracking",
    "warning",
    "exchange",
    "command",
    "exercise",
    "measures",
)
_KEEP_UNUSED_S = 30 * 86400.0
_registered: list[Any] = []
_compiled = 0
_listener: Callable[[str, int], None] | None = None


@cache
def _digest(room: str) -> str:
    """Digest of the kernels of ``room`` and of those it may call, and of the versions that shape machine code."""
    h = hashlib.blake2b(digest_size=8)
    for part in (numba.__version__, np.__version__, sys.version, sys.platform):
        h.update(part.encode())
    under = _FLOORS[: _FLOORS.index(room) + 1] if room in _FLOORS else (*_FLOORS, room)
    for name in under:
        for path in sorted((_PACKAGE / name).rglob("*.py")):
            text = path.read_bytes()
            if b"@kernel" in text:
                h.update(path.relative_to(_PACKAGE).as_posix().encode())
                h.update(text)
    return h.hexdigest()


@cache
def _root() -> Path | None:
    """The private folder that holds one folder a room, made on first use; None where none can be written."""
    named = os.environ.get("TOCSIN_CACHE_DIR")
    try:
        if named:
            base = Path(named)
        else:
            from platformdirs import user_cache_path

            base = user_cache_path("tocsin")
        root = base / "kernels"
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        root.chmod(0o700)
        if hasattr(os, "getuid") and root.stat().st_uid != os.getuid():
            return None
        probe = root / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        _prune(root)
    except (OSError, RuntimeError):
        return None
    return root


@cache
def cache_folder(room: str) -> Path | None:
    """The folder of one room's compiled kernels, made on first use; None where none can be written."""
    root = _root()
    if root is None:
        return None
    folder = root / f"{room}-{_digest(room)}"
    try:
        folder.mkdir(exist_ok=True, mode=0o700)
        os.utime(folder)
    except OSError:
        return None
    return folder


def _prune(root: Path) -> None:
    oldest = time.time() - _KEEP_UNUSED_S
    for old in root.iterdir():
        if old.is_dir() and old.stat().st_mtime < oldest:
            shutil.rmtree(old, ignore_errors=True)


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "tocsin" else "other"


class _Locator(caching._CacheLocator):  # type: ignore[misc]
    def __init__(self, py_func: Any) -> None:
        self._name = py_func.__module__

    def get_cache_path(self) -> str:
        return str(cache_folder(_room(self._name)))

    def get_source_stamp(self) -> str:
        return _digest(_room(self._name))

    def get_disambiguator(self) -> str:
        return str(self._name)

    def ensure_cache_path(self) -> None:
        pass

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator | None:
        return cls(py_func) if cache_folder(_room(py_func.__module__)) is not None else None


class _Impl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _Impl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        loaded = super().load_overload(sig, target_context)
        if loaded is None:
            _note_compile(self._py_func.__qualname__)
        return loaded


def _note_compile(name: str) -> None:
    global _compiled  # noqa: PLW0603 - one counter for the process, read by the command line
    _compiled += 1
    if _listener is not None:
        _listener(name, _compiled)


def on_compile(listener: Callable[[str, int], None] | None) -> None:
    """Call ``listener(name, how_many_so_far)`` whenever a kernel has to be compiled (None: nobody)."""
    global _listener  # noqa: PLW0603
    _listener = listener


def kernel_count() -> int:
    """How many kernels the modules imported so far define."""
    return len(_registered)


def kernel(function: F) -> F:
    """Compile ``function`` with numba: no fast-math (its bits vary), serial, kept in Tocsin's own cache.

    The interpreter's version stays reachable as ``.py_func``.
    """
    compiled = numba.njit(fastmath=False, error_model="numpy")(function)
    if cache_folder(_room(function.__module__)) is not None:
        compiled._cache = _Cache(compiled.py_func)
    _registered.append(compiled)
    return compiled  # type: ignore[no-any-return]
