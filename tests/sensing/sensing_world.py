"""A small world for the tests of sensing: paths in closed form, a radar, a satellite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import NS
from tocsin.earth.frames import OMEGA_GMST
from tocsin.scenario.specs import Infrared, Orbit, Radar, Sensor
from tocsin.sensing.targets import Targets

THETA0 = 1.234
HOUR = 3600 * NS
GEO = 42_164_172.0
DEG = np.pi / 180.0


def turn(theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, 3, 3): from the turning Earth's axes to space."""
    c, s, o = np.cos(theta), np.sin(theta), np.zeros_like(theta)
    return np.stack([np.stack([c, -s, o], -1), np.stack([s, c, o], -1), np.stack([o, o, o + 1.0], -1)], -2)


class OnTheEarth:
    """Objects that move evenly in the turning Earth's axes: position (n, 3) and velocity (n, 3) there at time 0."""

    def __init__(self, position: Any, velocity: Any = None, spans: Any = None) -> None:
        self.position = np.atleast_2d(np.asarray(position, dtype=float))
        self.velocity = (
            np.zeros_like(self.position) if velocity is None else np.atleast_2d(np.asarray(velocity, dtype=float))
        )
        self.spans = [(-HOUR, 10 * HOUR)] * len(self.position) if spans is None else spans

    def ecef(self, rows: Any, t_ns: Any) -> NDArray[np.float64]:
        return self.position[rows] + self.velocity[rows] * (np.asarray(t_ns) / 1e9)[..., None]

    def states(self, rows: NDArray[np.int64], t_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        for row, t in zip(rows, t_ns, strict=True):
            first, last = self.spans[row]
            assert first <= t <= last, "asked outside the span"
        m = turn(THETA0 + OMEGA_GMST * (t_ns / 1e9))
        p = self.ecef(rows, t_ns)
        v = self.velocity[rows] + np.cross([0.0, 0.0, OMEGA_GMST], p)
        return np.concatenate([np.einsum("kij,kj->ki", m, p), np.einsum("kij,kj->ki", m, v)], axis=1)

    def span(self, row: int) -> tuple[int, int]:
        return self.spans[row]


def targets(
    paths: OnTheEarth,
    *,
    rcs: Any = 1.0,
    cutoff_ns: int = -HOUR,
    burns: Sequence[tuple[int, int, int, float]] = (),
    keys: Sequence[int] | None = None,
) -> Targets:
    n = len(paths.position)
    area = np.broadcast_to(np.asarray(rcs, dtype=float), (n, 2))
    return Targets.of(paths, range(1, n + 1) if keys is None else keys, area, np.full(n, cutoff_ns), burns)


def radar(**changes: Any) -> Radar:
    """All round and all up to 5,000 km at the origin of latitude and longitude, unless changed."""
    values: dict[str, Any] = {
        "lat": 0.0, "lon": 0.0, "h": 0.0, "boresights": (), "sector": (0.0, 0.0), "el_min": 0.0, "el_max": 0.5 * np.pi,
        "range_min": 0.0, "range_max": 5e6, "reference_range": 1e6, "reference_snr": 100.0, "frequency": 435e6,
        "beam_az": 0.04, "beam_el": 0.03, "bandwidth": 1e6, "pfa": 1e-6, "false_per_scan": 0.0, "scan_period": 1.0,
        "latency": 0.5, "sigma_range": 10.0, "sigma_angle": 1e-3,
    }  # fmt: skip
    return Radar(**{**values, **changes})


def satellite(**changes: Any) -> Infrared:
    """Geostationary, over eci longitude 0 at the epoch, unless changed."""
    values: dict[str, Any] = {
        "orbit": Orbit(a=GEO, e=0.0, i=0.0, raan=0.0, argp=0.0, m0=0.0), "scan_period": 10.0, "least_intensity": 20e3,
        "threshold_snr": 6.0, "reference_distance": 38e6, "cloud_top": 10e3, "sigma_pointing": 60e-6,
        "sigma_floor": 20e-6, "false_per_scan": 0.0, "latency": 5.0, "limb": 20e3,
    }  # fmt: skip
    return Infrared(**{**values, **changes})


def sensor(model: Radar | Infrared, n: int = 0, name: str = "") -> Sensor:
    return Sensor(n, name or f"sensor-{n}", "A sensor", "nation", model)
