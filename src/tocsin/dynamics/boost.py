"""Powered flight: the boost program of one object, and its trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.thrust import boost_rows, burn_end, fly_boost
from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST


@dataclass(frozen=True)
class BoostPlan:
    """What ``thrust.fly_boost`` needs to know.

    ``stages``: per stage ignition (s after launch), burn (s), initial specific thrust (m/s2), exhaust velocity (m/s);
    ``vertical_s``, ``pitch_s``: rise straight up, then turn to ``elevation`` (rad) at an even rate; ``azimuth`` rad;
    ``cutoff_s``: end of thrust (s after launch; infinity: at the last burnout); ``beta``: kg/m2 while boosting;
    ``lat``, ``lon``, ``h``: site (rad, m); ``launch_ns``: scenario time.
    """

    stages: tuple[tuple[float, float, float, float], ...]
    vertical_s: float
    pitch_s: float
    elevation: float
    azimuth: float
    cutoff_s: float
    beta: float
    lat: float
    lon: float
    h: float
    launch_ns: int

    def table(self) -> NDArray[np.float64]:
        """The stages as the kernels take them, ``(k, 4)``."""
        return np.array(self.stages, dtype=np.float64).reshape(-1, 4)

    def end_s(self) -> float:
        """When thrust ends for good (s after launch)."""
        return float(burn_end(self.table(), float(self.cutoff_s)))

    def burning(self) -> tuple[tuple[int, float, float], ...]:
        """The burns that take place: number of the stage, start and end (s after launch)."""
        end = self.end_s()
        return tuple(
            (i, start, min(start + burn, end)) for i, (start, burn, _, _) in enumerate(self.stages) if start < end
        )


def trajectory(plan: BoostPlan, theta0: float, step_s: float = 1.0, since_launch: bool = False) -> NDArray[np.float64]:
    """Nodes ``(m, 10)`` from launch to the end of thrust: time (s), state in eci, acceleration.

    Times count from the epoch or, if asked, from the launch. Where thrust jumps, a time stands twice (see
    ``kernels.state_at``).
    """
    if not plan.stages or not step_s > 0.0 or not plan.cutoff_s > 0.0:
        raise ValueError("a boost program needs a stage, a positive cut-off time and a positive step")
    table = plan.table()
    launch_s = to_s(plan.launch_ns)
    if since_launch:
        theta0, launch_s = theta0 + OMEGA_GMST * launch_s, 0.0
    rows = boost_rows(table, plan.vertical_s, plan.pitch_s, float(plan.cutoff_s), float(step_s))
    out = np.empty((rows, 10))
    used = fly_boost(
        table, float(plan.vertical_s), float(plan.pitch_s), float(plan.beta), float(plan.elevation),
        float(plan.azimuth), float(plan.cutoff_s), float(plan.lat), float(plan.lon), float(plan.h),
        launch_s, float(theta0), float(step_s), out,
    )  # fmt: skip
    return out[:used].copy()
