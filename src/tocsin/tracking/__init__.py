"""From detections to tracks: motion, filters, association, initiation, the life of a track. Never sees truth.

A nation of a scenario uses ``tracker``. For detections of one's own: ``track`` and ``Tracking`` with ``Observer``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tocsin.tracking.door import Result, Step, Tracking, track
    from tocsin.tracking.observers import Observer
    from tocsin.tracking.settings import Settings

__all__ = ["Observer", "Result", "Settings", "Step", "Tracking", "track"]


def __getattr__(name: str) -> Any:
    # only when asked for: a nation's imports stay as they are
    from importlib import import_module

    if name in __all__:
        places = {"Observer": "observers", "Settings": "settings"}
        return getattr(import_module(f"tocsin.tracking.{places.get(name, 'door')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
