"""Which wheel runs here, by its file name (the tags of PEP 425, 600, 656); standard library only."""

from __future__ import annotations

import glob
import os
import platform
import re
import sys
from typing import NamedTuple


class Platform(NamedTuple):
    """What wheels can run here: Python version, system, machine, and the version of its C library or of macOS."""

    python: tuple[int, int]
    system: str  # "Linux" or "Darwin"
    machine: str
    libc: str  # "glibc", "musl" or ""
    version: tuple[int, int]


def this_platform() -> Platform:
    """The platform this runs on."""
    python, system, machine = sys.version_info[:2], platform.system(), platform.machine()
    if system == "Darwin":
        return Platform(python, system, machine, "", _pair(platform.mac_ver()[0]))
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    if libc.startswith("glibc"):
        return Platform(python, system, machine, "glibc", _pair(libc.split()[1]))
    return Platform(python, system, machine, "musl" if glob.glob("/lib/ld-musl-*") else "", (1, 2))


def _pair(version: str) -> tuple[int, int]:
    parts = [int(p) for p in re.findall(r"\d+", version)[:2]] + [0, 0]
    return parts[0], parts[1]


def wheel_rank(name: str, here: Platform) -> tuple[int, ...] | None:
    """How closely the wheel called ``name`` is made for ``here``, greater is closer; None if it does not run here."""
    if not name.endswith(".whl") or name.count("-") < 4:
        return None
    pythons, abis, platforms = name[:-4].split("-")[-3:]
    python = max(_python_rank(p, a, here.python) for p in pythons.split(".") for a in abis.split("."))
    ranks = [rank for p in platforms.split(".") if (rank := _platform_rank(p, here)) is not None]
    return (*max(ranks), python) if ranks and python >= 0 else None


def _python_rank(python: str, abi: str, here: tuple[int, int]) -> int:
    if python in {"py3", f"py{here[0]}{here[1]}"} and abi == "none":
        return 0
    match = re.fullmatch(r"cp3(\d+)", python)
    if not match:
        return -1
    minor = int(match.group(1))
    if abi == "abi3":
        return minor if minor <= here[1] else -1
    return 1000 if minor == here[1] and abi in {python, "none"} else -1


_OLD_NAMES = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12", "manylinux2014": "manylinux_2_17"}
_HOMES = {"manylinux": ("Linux", "glibc"), "musllinux": ("Linux", "musl"), "macosx": ("Darwin", "")}


def _platform_rank(tag: str, here: Platform) -> tuple[int, int] | None:
    if tag == "any":
        return (0, 0)
    kind, _, rest = tag.partition("_")
    match = re.fullmatch(r"(manylinux|musllinux|macosx)_(\d+)_(\d+)_(\w+)", f"{_OLD_NAMES.get(kind, kind)}_{rest}")
    if not match:
        return (0, 0) if here.system == "Linux" and tag == f"linux_{here.machine}" else None
    version, machine = (int(match[2]), int(match[3])), match[4]
    machines = {here.machine, "universal2"} if match[1] == "macosx" else {here.machine}
    if _HOMES[match[1]] != (here.system, here.libc) or machine not in machines or version > here.version:
        return None
    return version


def best_wheel(names: list[str], here: Platform) -> str | None:
    """Of wheel file names of one version the one made most closely for ``here``; None if none runs here."""
    ranked = sorted((rank, name) for name in names if (rank := wheel_rank(name, here)) is not None)
    return ranked[-1][1] if ranked else None


def release(version: str) -> tuple[int, ...] | None:
    """A final version as numbers; None for pre-releases and anything odd."""
    return tuple(int(p) for p in version.split(".")) if re.fullmatch(r"\d+(\.\d+)*", version) else None
