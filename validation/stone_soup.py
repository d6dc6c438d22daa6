"""Stone Soup 1.9.1 on the scenes of ``local_frame``, with the tracker's own models: function, Jacobian, noise.

Its parts are used as they come (extended predictor and updater, distance hypothesiser, assignment in two dimensions,
the tree over detections); own are the two models, which call the kernels that the tracker calls, and the measure by
which pairs are judged: the logarithm of the likelihood ratio against a false detection within a Mahalanobis gate. That
is Stone Soup for a comparison of results. For one of times it also runs as its users have it (``usual``): its own
measurement model with its angle types and an analytic Jacobian in NumPy, gravity in NumPy with an analytic gradient (it
has none of its own), its Mahalanobis distance. Stone Soup is needed only while these functions run.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.dynamics.kernels import coast_to_stm
from tocsin.earth.wgs84 import MU
from tocsin.records.columns import Kind, Region
from tocsin.tracking.measure import h
from validation.local_frame import FALSE, GATE, NOISE, ORIGIN, PD, RADARS, SIGMA, Scene, observers

Array = NDArray[np.float64]
_START = datetime(2000, 1, 1)  # noqa: DTZ001 - Stone Soup's times have no zone
_NEAR = 3e3  # m of range around a prediction within which the tree looks: over the gate at all times


def _log_density() -> Callable[[float], float]:
    """ln of the density of false detections at an elevation, as the tracker spreads them over a scan's limits."""
    az0, az1, low, high, near, far = observers()[0].limits()
    volume = (far - near) * ((az1 - az0) % (2.0 * math.pi)) * (math.sin(high) - math.sin(low))
    return lambda elevation: math.log(FALSE * math.cos(elevation) / volume)


def _pull(p: Array) -> tuple[Array, Array]:
    """Acceleration of a point mass and its gradient."""
    r2 = float(p @ p)
    g = -MU / (r2 * math.sqrt(r2))
    return g * p, g * (np.eye(3) - 3.0 * np.outer(p, p) / r2)


def build(tree: bool, usual: bool = False) -> tuple[Any, Any, list[Any]]:
    """The associator, the updater, and the measurement models of the two radars; ``usual``: see above."""
    from stonesoup.base import Property
    from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
    from stonesoup.dataassociator.tree import DetectionKDTreeGNN2D
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.measures import Mahalanobis, Measure
    from stonesoup.models.base import GaussianModel
    from stonesoup.models.measurement.base import MeasurementModel
    from stonesoup.models.measurement.nonlinear import CartesianToElevationBearingRange
    from stonesoup.models.transition.base import TransitionModel
    from stonesoup.predictor.kalman import ExtendedKalmanPredictor
    from stonesoup.types.array import CovarianceMatrix, StateVector
    from stonesoup.updater.kalman import ExtendedKalmanUpdater

    class Coast(TransitionModel, GaussianModel):  # type: ignore[misc]
        """Free flight under the tracker's gravity with white acceleration noise."""

        ndim_state = 6

        def _fly(self, state: Any, time_interval: timedelta) -> tuple[Array, Array]:
            out, Phi = np.empty(6), np.empty((6, 6))
            x = np.ascontiguousarray(np.asarray(state.state_vector, dtype=np.float64).ravel())
            coast_to_stm(x, 0.0, time_interval.total_seconds(), 0.0, out, Phi)
            return out, Phi

        def function(self, state: Any, noise: bool = False, **more: Any) -> Any:
            return StateVector(self._fly(state, more["time_interval"])[0])

        def jacobian(self, state: Any, **more: Any) -> Any:
            return self._fly(state, more["time_interval"])[1]

        def covar(self, **more: Any) -> Any:
            dt = more["time_interval"].total_seconds()
            block = NOISE * np.array([[dt**3 / 3.0, dt * dt / 2.0], [dt * dt / 2.0, dt]])
            return CovarianceMatrix(np.kron(block, np.eye(3)))

    class Radar(MeasurementModel, GaussianModel):  # type: ignore[misc]
        """Range, azimuth, elevation by the tracker's kernel; azimuths of these scenes are far from the wrap."""

        ndim_state: int = Property(default=6)
        mapping: Any = Property(default=(0, 1, 2))
        platform: Any = Property()
        ndim_meas = 3

        def _look(self, state: Any) -> tuple[Array, Array]:
            z, Hx, Hb, Ht = np.empty(4), np.empty((4, 6)), np.empty((4, 4)), np.empty(4)
            x = np.ascontiguousarray(np.asarray(state.state_vector, dtype=np.float64).ravel())
            h(Kind.RAE, x, 0.0, Region.SPACE, self.platform, np.eye(3).ravel(), np.zeros(4), z, Hx, Hb, Ht)
            return z[:3], Hx[:3]

        def function(self, state: Any, noise: bool = False, **more: Any) -> Any:
            return StateVector(self._look(state)[0])

        def jacobian(self, state: Any, **more: Any) -> Any:
            return self._look(state)[1]

        def covar(self, **more: Any) -> Any:
            return CovarianceMatrix(np.diag(SIGMA**2))

    class UsualCoast(Coast):
        """The same in NumPy: Runge and Kutta's fourth order, the transition to third order in dt."""

        def function(self, state: Any, noise: bool = False, **more: Any) -> Any:
            dt = more["time_interval"].total_seconds()
            x = np.asarray(state.state_vector, dtype=np.float64).ravel()

            def rate(y: Array) -> Array:
                return np.concatenate((y[3:], _pull(y[:3])[0]))

            a = rate(x)
            b = rate(x + 0.5 * dt * a)
            c = rate(x + 0.5 * dt * b)
            d = rate(x + dt * c)
            return StateVector(x + dt / 6.0 * (a + 2.0 * b + 2.0 * c + d))

        def jacobian(self, state: Any, **more: Any) -> Any:
            dt = more["time_interval"].total_seconds()
            A = np.zeros((6, 6))
            A[:3, 3:] = np.eye(3)
            A[3:, :3] = _pull(np.asarray(state.state_vector, dtype=np.float64).ravel()[:3])[1]
            return np.eye(6) + dt * A + 0.5 * dt * dt * A @ A + dt**3 / 6.0 * A @ A @ A

    class UsualRadar(CartesianToElevationBearingRange):  # type: ignore[misc]
        """Stone Soup's own model with its Jacobian by hand."""

        def jacobian(self, state: Any, **more: Any) -> Any:
            x, y, z = np.asarray(state.state_vector[:3] - self.translation_offset, dtype=np.float64).ravel()
            s2 = x * x + y * y
            s, r2 = math.sqrt(s2), s2 + z * z
            r = math.sqrt(r2)
            H = np.zeros((3, 6))
            H[0, :3] = -x * z / (r2 * s), -y * z / (r2 * s), s / r2
            H[1, :3] = -y / s2, x / s2, 0.0
            H[2, :3] = x / r, y / r, z / r
            return H

    log_density = _log_density()

    class Ratio(Measure):  # type: ignore[misc]
        """Minus the logarithm of the likelihood ratio inside the gate, infinite outside."""

        mapping: Any = Property(default=None)
        mapping2: Any = Property(default=None)

        def __call__(self, predicted: Any, detection: Any) -> float:
            v = np.asarray(detection.state_vector - predicted.state_vector, dtype=np.float64).ravel()
            S = np.asarray(predicted.covar, dtype=np.float64)
            d2 = float(v @ np.linalg.solve(S, v))
            if not d2 < GATE**2:
                return math.inf
            like = -0.5 * (d2 + float(np.linalg.slogdet(S)[1]) + 3.0 * math.log(2.0 * math.pi))
            return -(like + math.log(PD) - log_density(float(detection.state_vector[2, 0])))

    predictor = ExtendedKalmanPredictor(UsualCoast() if usual else Coast())
    updater = ExtendedKalmanUpdater(measurement_model=None)
    measure, missed = (Mahalanobis(), GATE) if usual else (Ratio(), 0.0)
    hypothesiser = DistanceHypothesiser(predictor, updater, measure, missed_distance=missed)
    if tree:
        associator = DetectionKDTreeGNN2D(hypothesiser, predictor, updater, max_distance=_NEAR)
    else:
        associator = GNNWith2DAssignment(hypothesiser)
    models: list[Any] = []
    for place in RADARS:
        if usual:
            noise, at = np.diag(SIGMA[[2, 1, 0]] ** 2), StateVector(ORIGIN + place)
            models.append(UsualRadar(ndim_state=6, mapping=(0, 1, 2), noise_covar=noise, translation_offset=at))
            continue
        platform = np.zeros(6)
        platform[:3] = ORIGIN + place
        models.append(Radar(platform=platform))
    return associator, updater, models


def run(
    scene: Scene, tree: bool = False, tell: Callable[[int, Array], None] | None = None, scans: int | None = None,
    clock: Callable[[], float] | None = None, usual: bool = False,
) -> tuple[list[tuple[int, int]], list[float]]:  # fmt: skip
    """Track a scene: pairs (track, row), and what ``clock`` measured of each scan.

    ``usual``: see above; ``tell(k, x)``: called with the states (n, 6) after scan k; ``scans``: only the first so many.
    """
    from stonesoup.types.angle import Bearing, Elevation
    from stonesoup.types.array import CovarianceMatrix, StateVector
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.types.track import Track

    associator, updater, models = build(tree, usual)
    tracks = [
        Track([GaussianState(StateVector(x), CovarianceMatrix(P), timestamp=_START)])
        for x, P in zip(scene.x0, scene.P0, strict=True)
    ]
    z = scene.table["measurement"]

    def vector(z: Array) -> Any:
        if not usual:
            return StateVector(z)
        # it counts its bearing from x to y
        return StateVector([[Elevation(z[2])], [Bearing(0.5 * math.pi - z[1])], [z[0]]])

    pairs: list[tuple[int, int]] = []
    took: list[float] = []
    for k in range(len(scene.times) if scans is None else scans):
        when = _START + timedelta(seconds=float(scene.times[k]))
        rows = np.flatnonzero(scene.at == k)
        model = models[scene.sensor[k]]
        detections = {
            Detection(vector(z[r]), timestamp=when, measurement_model=model, metadata={"row": int(r)}) for r in rows
        }
        began = clock() if clock is not None else 0.0
        found = associator.associate(set(tracks), detections, when)
        for i, track in enumerate(tracks):
            hypothesis = found[track]
            if hypothesis:
                track.append(updater.update(hypothesis))
                pairs.append((i, hypothesis.measurement.metadata["row"]))
            else:
                track.append(hypothesis.prediction)
        if clock is not None:
            took.append(clock() - began)
        if tell is not None:
            tell(k, np.array([np.asarray(t.state_vector, dtype=np.float64).ravel() for t in tracks]))
    return pairs, took
