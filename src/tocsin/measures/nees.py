"""Normalised estimation error squared: whether a filter is as sure as it may be.

NEES = e' P^-1 e of an error e whose covariance is said to be P; for a consistent estimate chi-square with as many
degrees of freedom as components. The mean over N independent runs, times N, is chi-square with N n degrees (Bar-Shalom,
Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation", 2001, section 5.4.2).

A long-range radar's posterior is a thin curved shell; scored in Cartesian axes even an exact one looks inconsistent. So
it is scored in the sensor's range-direction chart of ``tracking.filter``: (range, two angles about the estimated line
of sight, and their rates), in which the truth's coordinates are exact and the covariance is carried by the derivative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.jit import kernel
from tocsin.tracking.filter import chart_axes, factor, to_chart

Array = NDArray[np.float64]


@kernel
def quadratic(e: Array, P: Array, n: int) -> float:
    """e' P^-1 e of the leading n components; inf where P is not positive definite, nan where e is not finite."""
    # scaled by the standard deviations: metres beside radians a second would cost digits
    S, L, v = np.empty((n, n)), np.zeros((n, n)), np.empty(n)
    for i in range(n):
        if not P[i, i] > 0.0:
            return math.inf
        v[i] = math.sqrt(P[i, i])
    for i in range(n):
        for j in range(n):
            S[i, j] = P[i, j] / (v[i] * v[j])
    if factor(S, n, L) == math.inf:
        return math.inf
    total = 0.0
    for i in range(n):
        s = e[i] / v[i]
        for k in range(i):
            s -= L[i, k] * S[k, 0]  # S's first column is free: it holds the solution so far
        S[i, 0] = s / L[i, i]
        total += S[i, 0] ** 2
    return total


@kernel
def _nees_rows(e: Array, P: Array, out: Array) -> None:
    for a in range(e.shape[0]):
        out[a] = quadratic(e[a], P[a], e.shape[1])


@kernel
def chart_error(truth: Array, x: Array, P: Array, centre: Array, error: Array, cov: Array) -> None:
    """Error (6) and covariance (6, 6) of an estimate in the range-direction chart about ``centre``.

    ``truth``, ``x``, ``centre`` (6): position and velocity in one frame; ``P`` (6, 6). The chart's axes are those of
    the estimate: range, two angles, and their rates (m, rad, rad, m/s, rad/s, rad/s).
    """
    axes, y = np.empty((3, 3)), np.empty(6)
    J, T = np.empty((6, 6)), np.empty((6, 6))
    chart_axes(x, centre, axes, y)
    to_chart(y, axes, J)
    d, w = np.empty(3), np.empty(3)
    for k in range(3):
        d[k], w[k] = 0.0, 0.0
        for j in range(3):
            d[k] += axes[k, j] * (truth[j] - centre[j])
            w[k] += axes[k, j] * (truth[3 + j] - centre[3 + j])
    # d = r (cos b cos a, cos b sin a, sin b) in the chart's axes
    level = math.sqrt(d[0] * d[0] + d[1] * d[1])
    r = math.sqrt(level * level + d[2] * d[2])
    a, b = math.atan2(d[1], d[0]), math.atan2(d[2], level)
    ca, sa, cb, sb = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
    error[0] = r - y[0]
    error[1] = a
    error[2] = b
    error[3] = cb * ca * w[0] + cb * sa * w[1] + sb * w[2] - y[3]
    error[4] = (ca * w[1] - sa * w[0]) / (r * cb) - y[4]
    error[5] = (cb * w[2] - sb * (ca * w[0] + sa * w[1])) / r - y[5]
    for i in range(6):
        for j in range(6):
            s = 0.0
            for k in range(6):
                s += J[i, k] * P[k, j]
            T[i, j] = s
    for i in range(6):
        for j in range(6):
            s = 0.0
            for k in range(6):
                s += T[i, k] * J[j, k]
            cov[i, j] = s


@kernel
def _chart_rows(truth: Array, x: Array, P: Array, centre: Array, error: Array, cov: Array, out: Array) -> None:
    for a in range(x.shape[0]):
        chart_error(truth[a], x[a], P[a], centre[a], error[a], cov[a])
        out[a] = quadratic(error[a], cov[a], 6)


def nees(error: Array, P: Array) -> Array:
    """NEES (k,) of errors (k, n) with covariances (k, n, n); inf where a covariance is not positive definite.

    Raises ValueError for shapes that do not go together.
    """
    e = np.ascontiguousarray(error, dtype=np.float64)
    cov = np.ascontiguousarray(P, dtype=np.float64)
    if e.ndim != 2 or cov.shape != (*e.shape, e.shape[-1]):
        raise ValueError(f"errors (k, n) want covariances (k, n, n); found {e.shape} and {cov.shape}")
    out = np.empty(len(e))
    _nees_rows(e, cov, out)
    return out


def chart_nees(truth: Array, x: Array, P: Array, centre: Array) -> Array:
    """NEES (k,), six degrees of freedom, of states ``x`` (k, 6) with covariances ``P`` (k, 6, 6) against ``truth``
    (k, 6), in the range-direction chart about ``centre`` (k, 6) or (6,): position and velocity, m and m/s, one frame.

    Raises ValueError for shapes that do not go together.
    """
    return chart_errors(truth, x, P, centre)[2]


def chart_errors(truth: Array, x: Array, P: Array, centre: Array) -> tuple[Array, Array, Array]:
    """As ``chart_nees``: errors (k, 6: m, rad, rad, m/s, rad/s, rad/s), their covariances (k, 6, 6), NEES (k,)."""
    states = np.ascontiguousarray(x, dtype=np.float64)
    true = np.ascontiguousarray(truth, dtype=np.float64)
    cov = np.ascontiguousarray(P, dtype=np.float64)
    k = len(states)
    if states.shape != (k, 6) or true.shape != (k, 6) or cov.shape != (k, 6, 6):
        raise ValueError(f"states (k, 6), truth (k, 6), P (k, 6, 6); found {states.shape}, {true.shape}, {cov.shape}")
    about = np.ascontiguousarray(np.broadcast_to(np.asarray(centre, dtype=np.float64), (k, 6)))
    error, out_cov, out = np.empty((k, 6)), np.empty((k, 6, 6)), np.empty(k)
    _chart_rows(true, states, cov, about, error, out_cov, out)
    return error, out_cov, out


@dataclass(frozen=True)
class Anees:
    """``mean`` NEES over ``runs`` independent ones of ``dof`` components; ``low`` and ``high``: what a consistent
    estimator's mean lies between with the probability asked for. All to be divided by ``dof`` by who wants 1.
    """

    mean: float
    dof: int
    runs: int
    low: float
    high: float

    @property
    def consistent(self) -> bool:
        """Whether the mean lies within the interval."""
        return self.low <= self.mean <= self.high


def anees(values: Array, dof: int, level: float = 0.95) -> Anees:
    """Average of independent NEES ``values`` (N,) with the chi-square interval of probability ``level``.

    Values of one run at several times are not independent: average over runs, time by time. Raises ValueError without
    values, for dof under 1 or a level outside (0, 1).
    """
    from scipy.stats import chi2

    given = np.asarray(values, dtype=np.float64)
    if given.ndim != 1 or not len(given) or dof < 1 or not 0.0 < level < 1.0:
        raise ValueError(
            f"expected values (N,), dof of 1 or more, a level within (0, 1); found {given.shape}, {dof}, {level}"
        )
    n = len(given)
    low, high = (float(chi2.ppf(q, n * dof)) / n for q in (0.5 * (1.0 - level), 0.5 * (1.0 + level)))
    return Anees(float(given.mean()), dof, n, low, high)
