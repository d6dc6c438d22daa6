"""What centres have asked of their sensors and what of that is carried out: the way from processing back to sensing.

A nation runs on a machine of its own, so what it asks is checked like any word from outside: a sensor of its own that
takes tasks, finite numbers, times from now on. What is refused is counted and changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tocsin.earth.clock import NS, to_ns
from tocsin.records.shapes import Task
from tocsin.scenario.specs import Radar, Sensor

LONGEST_NS = 120 * NS  # that a task may stand
MOST = 64  # tasks of one sensor at a time
_NEAREST, _FARTHEST, _FASTEST = 6.2e6, 1e9, 1.2e4  # m from the centre of the Earth, m/s
_WIDEST = 1e6  # m of spread


class Tasking:
    """Tasks that stand, by sensor and what they are about. ``sensors``: all of the exercise, as declared."""

    def __init__(self, sensors: Sequence[Sensor]) -> None:
        self._owner = {s.id: s.partner for s in sensors}
        self._cued = {s.id for s in sensors if isinstance(s.model, Radar) and s.model.scheduling == "cued"}
        # a scan that is under way still looks for what was asked of it when it began
        self._scan_ns = {s.id: to_ns(s.model.scan_period) for s in sensors}
        self._standing: dict[tuple[str, str], Task] = {}
        self.refused: dict[str, int] = {}  # by nation

    def take(self, nation: str, task: Task, now_ns: int) -> str | None:
        """Take what ``nation`` asks at ``now_ns``, or say why not. It is carried out from then on, in later frames."""
        reason = self._refusal(nation, task, now_ns)
        if reason is None:
            self._standing[task.sensor, task.about] = task
        else:
            self.refused[nation] = self.refused.get(nation, 0) + 1
        return reason

    def _refusal(self, nation: str, task: Task, now_ns: int) -> str | None:
        if self._owner.get(task.sensor) != nation:
            return f"{nation} has no sensor {task.sensor[:80]!r}"
        if task.sensor not in self._cued:
            return f"{task.sensor} takes no tasks: its scheduling is not cued"
        if len(task.about) > 200:
            return "what a task is about takes at most 200 characters"
        if not now_ns <= task.t_ns <= task.until_ns <= now_ns + LONGEST_NS:
            return f"a task stands from its time on for at most {LONGEST_NS // NS} s"
        if not all(map(math.isfinite, (*task.x, task.spread))) or not 0.0 <= task.spread <= _WIDEST:
            return f"a task needs finite numbers and a spread of 0 to {_WIDEST / 1e3:g} km"
        if not _NEAREST <= math.hypot(*task.x[:3]) <= _FARTHEST or math.hypot(*task.x[3:]) > _FASTEST:
            allowed = f"{_NEAREST / 1e3:g} to {_FARTHEST / 1e3:g} km from the Earth's centre"
            return f"a task is about what is {allowed} and no faster than {_FASTEST / 1e3:g} km/s"
        mine = [key for key in self._standing if key[0] == task.sensor]
        if (task.sensor, task.about) not in self._standing and len(mine) >= MOST:
            return f"{task.sensor} has {MOST} tasks already"
        return None

    def standing(self, t0_ns: int) -> tuple[Task, ...]:
        """What a frame from ``t0_ns`` on may carry out; what is over is forgotten. A newer task about the same thing
        has the place of the older one in this order.
        """
        self._standing = {k: t for k, t in self._standing.items() if t.until_ns >= t0_ns - self._scan_ns[k[0]]}
        return tuple(self._standing.values())

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {"standing": [msgspec.to_builtins(t) for t in self._standing.values()], "refused": dict(self.refused)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``."""
        tasks = [msgspec.convert(t, Task) for t in state.get("standing", [])]
        self._standing = {(t.sensor, t.about): t for t in tasks}
        self.refused = {str(k): int(v) for k, v in state.get("refused", {}).items()}
