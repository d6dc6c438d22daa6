"""How a tracker works: which models, which filter, which association, how much of it is kept.

One frozen value, checked when it is made. What a nation of a scenario uses is ``Settings()``; a researcher changes a
few fields (``door``). ``Declared`` is a sensor as a researcher tells of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tocsin.records.columns import KIND_NAME

MODEL_NAME = ("boost", "coast", "reentry", "glide", "aircraft", "orbit")  # by the model kinds of ``models``
FILTERS = ("ekf", "ukf")
ASSOCIATIONS = ("auto", "gnn", "jpda", "mht")

_NS = 1_000_000_000
# squared distance by detection kind; a true detection fails one time in 1e4
GATE = (22.0, 24.0, 19.0, 19.0, 19.0)
RING_NS = 60 * _NS


@dataclass(frozen=True)
class Settings:
    """The fields, and what each may be. Raises ValueError naming the field, what was found and what is allowed.

    ``models``: model kinds side by side in every track (0 to 5, see ``MODEL_NAME``), each once. ``filter``: "ekf"
    (extended) or "ukf" (sigma points). ``association``: "auto" chooses for each cluster by its ambiguity, the others
    are used throughout. ``charts``: whether young long-range tracks are corrected in a sensor's range-direction chart;
    False: Cartesian throughout. ``anew``: whether the flight before a correction is linearised anew where it bends
    (gaps, seeds, coasting); False: the plain filter, linearised once at the prediction.

    ``noise``: spectral density of white acceleration noise (m2/s3) by model kind, in place of the models' own; a
    kind that is not named keeps its own, and a number given replaces every part of it that is noise of velocity (air
    drag included). ``gate``: greatest squared Mahalanobis distance by detection kind (``columns.Kind``).
    ``detection_probability``: of an object in view, where a scan declares none.

    ``initiation``: whether detections that no track explains start tracks. ``deletion``: whether tracks end; without
    it each is carried for good. ``ring_ns``: how late data may be (ns). ``window``: scans after which a hypothesis of
    the MHT is settled; ``leaves``: most hypotheses of one track; ``clusters``: most joint hypotheses weighed exactly in
    one cluster; ``most_rows``: most rows (tracks, seeds and leaves) carried, the least likely seeds going first.
    """

    models: tuple[int, ...] = (0, 1)
    filter: str = "ekf"
    association: str = "auto"
    charts: bool = True
    anew: bool = True
    noise: Mapping[int, float] = field(default_factory=dict)
    gate: tuple[float, ...] = GATE
    detection_probability: float = 0.9
    initiation: bool = True
    deletion: bool = True
    ring_ns: int = RING_NS
    window: int = 4
    leaves: int = 20
    clusters: int = 4096
    most_rows: int = 20_000

    def __post_init__(self) -> None:
        """Check every field."""
        names = ", ".join(f"{k} ({n})" for k, n in enumerate(MODEL_NAME))
        known = [m for m in self.models if isinstance(m, int) and 0 <= m < len(MODEL_NAME)]
        if not known or len(known) != len(self.models) or len(set(known)) != len(known):
            raise ValueError(f"settings.models: found {self.models!r}; allowed: different ones of {names}")
        _one_of("filter", self.filter, FILTERS)
        _one_of("association", self.association, ASSOCIATIONS)
        for kind, q in self.noise.items():
            if kind not in range(len(MODEL_NAME)):
                raise ValueError(f"settings.noise: found the model kind {kind!r}; allowed: {names}")
            _number(f"noise of {MODEL_NAME[kind]}", q, 0.0, math.inf, "m2/s3, at least 0")
        if len(self.gate) != len(KIND_NAME):
            raise ValueError(f"settings.gate: found {len(self.gate)} numbers; allowed: one each for {KIND_NAME}")
        for name, g in zip(KIND_NAME, self.gate, strict=True):
            if not g > 0.0:
                raise ValueError(f"settings.gate: found {g!r} for {name}; allowed: a squared distance over 0")
        pd = self.detection_probability
        if not 0.0 < pd < 1.0:
            raise ValueError(f"settings.detection_probability: found {pd!r}; allowed: between 0 and 1, both excluded")
        if self.ring_ns < 0:
            raise ValueError(f"settings.ring_ns: found {self.ring_ns!r}; allowed: 0 or more")
        for name in ("window", "leaves", "clusters", "most_rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"settings.{name}: found {getattr(self, name)!r}; allowed: 1 or more")

    def to_plain(self) -> dict[str, Any]:
        """As plain data, for a state that must fit its tracker."""
        return {
            "models": list(self.models),
            "filter": self.filter,
            "association": self.association,
            "charts": self.charts,
            "anew": self.anew,
            "noise": [[kind, float(self.noise[kind])] for kind in sorted(self.noise)],
            "gate": [float(g) for g in self.gate],
            "detection_probability": float(self.detection_probability),
            "initiation": self.initiation,
            "deletion": self.deletion,
            "ring_ns": self.ring_ns,
            "window": self.window,
            "leaves": self.leaves,
            "clusters": self.clusters,
            "most_rows": self.most_rows,
        }


@dataclass(frozen=True)
class Declared:
    """A sensor of which no radar equation is known: what a tracker needs besides the limits that its scans state.

    It stands among a tracker's sensors like a ``scenario.specs.Sensor``. ``n``: its number; ``period_ns``: between
    looks at the same direction; ``latency_ns``: from a scan's end until its data are there, at the latest;
    ``detection_probability``: of one look at an object inside a scan's limits (over 0, at most 1), the same for every
    object; ``plume``: it sees burning plumes only; for charts, ``place``: where it stands on the Earth (ecef, m), or
    ``rest``: where it rests in space (eci, m); both None if it moves.

    A scan's ``clutter`` is spread evenly over its limits: over range, azimuth and the sine of elevation, for lines of
    sight over the two angles alone, for a plane over its disc.
    """

    n: int
    period_ns: int
    detection_probability: float
    latency_ns: int = 0
    plume: bool = False
    place: tuple[float, float, float] | None = None
    rest: tuple[float, float, float] | None = None


def _one_of(name: str, found: object, allowed: tuple[str, ...]) -> None:
    if found not in allowed:
        raise ValueError(f"settings.{name}: found {found!r}; allowed: {', '.join(allowed)}")


def _number(name: str, found: float, low: float, high: float, words: str) -> None:
    if not low <= found < high:
        raise ValueError(f"settings.{name}: found {found!r}; allowed: {words}")


DEFAULT = Settings()
