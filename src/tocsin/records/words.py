"""What turns the numbers of records into the names and times that people read."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from tocsin.records.record import Record
from tocsin.scenario.specs import Infrared, Radar, WorldSpec


class SensorFact(msgspec.Struct, frozen=True):
    """A sensor's number, id, kind ("radar", "infrared" or "over-horizon"), owner.

    ``cloud_top``: height (m) under which an infrared one sees nothing.
    """

    n: int
    id: str
    kind: str
    partner: str
    cloud_top: float = 0.0


class Facts(msgspec.Struct, frozen=True):
    """``unix_ns`` and ``theta0`` (rad) of the epoch; ids of all that moves by index; the sensors."""

    unix_ns: int
    theta0: float
    objects: tuple[str, ...]
    sensors: tuple[SensorFact, ...]

    @classmethod
    def of(cls, world: WorldSpec, objects: Iterable[str] | None = None) -> Facts:
        """The facts of a world; ``objects``: ids of all that moves, where that is more than the scenario names."""
        sensors = tuple(
            SensorFact(s.n, s.id, "infrared", s.partner, s.model.cloud_top)
            if isinstance(s.model, Infrared)
            else SensorFact(s.n, s.id, "radar" if isinstance(s.model, Radar) else "over-horizon", s.partner)
            for s in world.sensors
        )
        names = tuple(o.id for o in world.objects) if objects is None else tuple(objects)
        return cls(world.unix_ns, world.theta0, names, sensors)


def nation_of(record: Record) -> str:
    """The nation that made a record or was given it; "" for the world's own and for control."""
    kind, _, rest = record.source.partition(":")
    return rest.partition("/")[0] if kind in ("nation", "world", "seat") else ""


def utc_texts(unix_ns: int, t_ns: NDArray[np.int64]) -> list[str]:
    """ISO 8601 with three decimals, rounded half up, and ``Z``, of times on the scenario's clock."""
    ms = (unix_ns + t_ns + 500_000) // 1_000_000
    return [f"{text}Z" for text in np.datetime_as_string(ms.astype("datetime64[ms]"), unit="ms")]
