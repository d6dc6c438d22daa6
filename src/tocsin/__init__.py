"""Tocsin: an open simulation of missile early warning. EXERCISE: simulation, analysis and training only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin._version import __version__

__all__ = ["Run", "Scenario", "__version__", "load", "run"]

if TYPE_CHECKING:
    from tocsin.api import Run, load, run
    from tocsin.scenario import Scenario


def __getattr__(name: str) -> Any:
    # heavy imports wait until somebody asks: the command line's help must be instant
    if name in ("Run", "load", "run"):
        from tocsin import api

        return getattr(api, name)
    if name == "Scenario":
        from tocsin.scenario import Scenario

        return Scenario
    raise AttributeError(f"module 'tocsin' has no attribute {name!r}")
