"""Scenarios: the file format, the bundled ones, the public catalogue, and what the world and each nation are told of
one.

``Scenario``, ``ScenarioError``, ``bundled`` and such are loaded on first use: rooms that need only ``specs`` pay for
nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.scenario.faults import Fault, ScenarioError
    from tocsin.scenario.scenario import Scenario, bundled, bundled_ids
    from tocsin.scenario.starter import template

__all__ = ["Fault", "Scenario", "ScenarioError", "bundled", "bundled_ids", "template"]

_WHERE = {
    "Fault": "faults",
    "Scenario": "scenario",
    "ScenarioError": "faults",
    "bundled": "scenario",
    "bundled_ids": "scenario",
    "template": "starter",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"tocsin.scenario.{_WHERE[name]}"), name)
    globals()[name] = found
    return found
