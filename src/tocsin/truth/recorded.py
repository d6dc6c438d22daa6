"""Paths that were recorded: a smooth curve through the rows of a table.

The path passes through every row. Between rows, height is a cubic in time whose slopes are those of a quartic through
five rows, held back so that the curve is monotone where the rows are, without flattening true maxima (H. T. Huynh,
Accurate monotone cubic interpolation, SIAM J. Numer. Anal. 30 (1993), 57-100). The place over the ground is a cubic of
the vertical's direction (smooth at the poles and the date line), with slopes of the same kind, none greater than three
times the lesser speed before and after, so that what stands still stays. Position and velocity are continuous, the
acceleration jumps at rows: what is uneven in a recording stays in the path.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_s
from tocsin.earth.frames import OMEGA_GMST
from tocsin.earth.wgs84 import E2, R_MEAN, A
from tocsin.scenario.specs import TableObject
from tocsin.truth.body import Body
from tocsin.truth.ground_paths import ground_nodes

HEIGHTS = (-1000.0, 1e8)  # m over the ellipsoid
# m/s between rows, over the ground and upwards together; beyond the fastest entries and the fastest aircraft
FASTEST = {"flight": 15_000.0, "aircraft": 1_500.0}
MOST_ROWS = 1_000_000
NEAR_GROUND = 5000.0  # m; a path that begins or ends under it was launched or came down there

Array = NDArray[np.float64]
Row = tuple[int, float, float, float]


class TableFault(ValueError):  # noqa: N818 - the name says what is wrong
    """A row that no path can pass through; ``row``: its index from 0 (-1: the table as a whole); ``reason``."""

    def __init__(self, row: int, reason: str, who: str = "") -> None:
        place = f"row {row}: " if row >= 0 else ""
        super().__init__(f"{who}{': ' if who else ''}{place}{reason}")
        self.row = row
        self.reason = reason


def check_rows(rows: Sequence[Row], greatest_gap: float, kind: str = "flight", who: str = "") -> None:
    """Whether a path may pass through ``rows`` (t_ns, latitude, longitude rad, height m).

    Raises TableFault at the first row that is not finite, out of range, not later than the one before, later than it by
    more than ``greatest_gap`` (s), or so far from it that nothing of its ``kind`` ("flight", "aircraft") flies so fast.
    """
    if kind not in FASTEST:
        raise TableFault(-1, f"kind must be 'flight' or 'aircraft', found {kind!r}", who)
    if not 2 <= len(rows) <= MOST_ROWS:
        raise TableFault(-1, f"a path needs 2 to {MOST_ROWS:,} rows, found {len(rows):,}", who)
    if not (greatest_gap > 0.0):
        raise TableFault(-1, f"the greatest gap must be above 0 s, found {greatest_gap:g}", who)
    before: Row | None = None
    for i, row in enumerate(rows):
        t, lat, lon, h = row
        for name, value in (("latitude", lat), ("longitude", lon), ("height", h)):
            if not math.isfinite(value):
                raise TableFault(i, f"{name} must be a finite number, found {value}", who)
        if abs(lat) > 0.5 * math.pi:
            raise TableFault(i, f"latitude must lie between -90 and 90 degrees, found {math.degrees(lat):.6g}", who)
        if abs(lon) > 2.0 * math.pi:
            raise TableFault(i, f"longitude must lie between -360 and 360 degrees, found {math.degrees(lon):.6g}", who)
        if not HEIGHTS[0] <= h <= HEIGHTS[1]:
            raise TableFault(i, f"height must lie between {HEIGHTS[0]:g} and {HEIGHTS[1]:g} m, found {h:g}", who)
        if before is not None:
            took = to_s(t - before[0])
            if took == 0.0:
                raise TableFault(i, f"time {to_s(t):.3f} s stands twice", who)
            if took < 0.0:
                raise TableFault(
                    i, f"time {to_s(t):.3f} s is earlier than the row before ({to_s(before[0]):.3f} s)", who
                )
            if took > greatest_gap:
                raise TableFault(i, f"gap of {took:.3f} s before it; at most {greatest_gap:g} s may be bridged", who)
            # a sphere does, for a bound
            across = 2.0 * math.sin(0.5 * (lon - before[2])) * math.cos(0.5 * (lat + before[1]))
            over = (R_MEAN + max(h, before[3], 0.0)) * math.hypot(lat - before[1], across)
            speed = math.hypot(over, h - before[3]) / took
            if speed > FASTEST[kind]:
                raise TableFault(
                    i,
                    f"{over / 1e3:.2f} km and {(h - before[3]) / 1e3:.2f} km of height in {took:.3f} s after the row"
                    f" before is {speed:.0f} m/s; no {kind} is faster than {FASTEST[kind]:g} m/s",
                    who,
                )
        before = row


def slopes(t: Array, x: Array) -> Array:
    """Derivative at the times ``t (n,)`` of the quartics through each row of ``x (n, d)`` and two on either side.

    Near the ends parabolas through three rows, with two rows the straight line.
    """
    n = len(t)
    if n == 2:
        return np.repeat((x[1:] - x[:1]) / (t[1] - t[0]), 2, axis=0)
    out = np.empty_like(x)
    for j in range(n) if n < 5 else (0, 1, n - 2, n - 1):
        first = min(max(j - 1, 0), n - 3)
        window = np.arange(first, first + 3)[None, :]
        out[j] = _lagrange(t, x, window, np.array([j - first]))[0]
    if n >= 5:
        window = np.arange(2, n - 2)[:, None] + np.arange(-2, 3)
        out[2:-2] = _lagrange(t, x, window, np.full(n - 4, 2))
    return out


def _lagrange(t: Array, x: Array, window: NDArray[np.int64], at: NDArray[np.int64]) -> Array:
    """Derivative at the row ``at`` of each ``window (k, m)`` of the polynomials through its rows."""
    times = t[window]
    here = times[np.arange(len(at)), at]
    out = np.zeros((len(at), x.shape[1]))
    centre = x[window[np.arange(len(at)), at]]
    m = window.shape[1]
    for i in range(m):
        other = at != i
        weight = np.ones(len(at))
        for j in range(m):
            if j == i:
                continue
            step = np.where(other, times[:, i] - times[:, j], 1.0)
            factor = np.where(j == at, 1.0, here - times[:, j])
            weight *= np.where(other, factor / step, 0.0)
        # against the row itself, so that its own weight is not needed and equal rows give exactly zero
        out += weight[:, None] * (x[window[:, i]] - centre)
    return out


def _minmod(a: Array, b: Array) -> Array:
    return np.where(a * b > 0.0, np.sign(a) * np.minimum(np.abs(a), np.abs(b)), 0.0)


def monotone(t: Array, h: Array, slope: Array) -> Array:
    """Slopes ``(n,)`` held back so that the cubics through ``h (n,)`` do not overshoot (Huynh 1993, M3).

    Where three rows rise or fall, the curve does; around a smooth maximum or minimum it may pass beyond the rows by
    what their curvature says.
    """
    n = len(t)
    step = np.diff(t)
    chord = np.diff(h) / step
    out = slope.copy()
    if n < 3:
        return out
    second = np.zeros(n)  # divided differences, none at the ends
    second[1:-1] = np.diff(chord) / (step[1:] + step[:-1])
    bend = _minmod(second[1:], second[:-1])  # of each interval
    before, after = chord[:-1], chord[1:]
    t_lim = _minmod(before + bend[:-1] * step[:-1], after - bend[1:] * step[1:])
    s_lim = _minmod(before, after)
    most = np.maximum(3.0 * np.abs(s_lim), 1.5 * np.abs(t_lim))
    sign = np.where(s_lim != 0.0, np.sign(s_lim), np.sign(t_lim))
    out[1:-1] = sign * np.clip(sign * slope[1:-1], 0.0, most)
    for end, c in ((0, chord[0]), (n - 1, chord[-1])):
        out[end] = math.copysign(min(max(math.copysign(1.0, c) * slope[end], 0.0), 3.0 * abs(c)), c)
    return out


def held(t: Array, x: Array, slope: Array) -> Array:
    """Slopes ``(n, d)`` of a curve in space, none longer than three times the lesser of the speeds to its
    neighbours."""
    speed = np.sqrt((np.diff(x, axis=0) ** 2).sum(axis=1)) / np.diff(t)
    least = np.minimum(np.concatenate([[np.inf], speed]), np.concatenate([speed, [np.inf]]))
    size = np.sqrt((slope**2).sum(axis=1))
    return np.asarray(slope * np.minimum(1.0, 3.0 * least / np.maximum(size, 1e-300))[:, None])


class RecordedPath:
    """The curve through a table: ``t (n,)`` s; ``up (n, 3)``: the vertical in ecef; ``h (n,)`` m; and their slopes."""

    def __init__(self, t: Array, lat: Array, lon: Array, h: Array) -> None:
        c = np.cos(lat)
        self.t, self.h = t, h
        self.up = np.column_stack([c * np.cos(lon), c * np.sin(lon), np.sin(lat)])
        self.up_slope = held(t, self.up, slopes(t, self.up))
        self.h_slope = monotone(t, h, slopes(t, h[:, None])[:, 0])

    def place(self, k: NDArray[np.int64], t: Array) -> tuple[Array, Array]:
        """Vertical ``(m, 3)`` in ecef and height ``(m,)`` by the cubics behind rows ``k`` at times ``t`` (s)."""
        step = self.t[k + 1] - self.t[k]
        s = (t - self.t[k]) / step
        b0, b1 = s * (1.0 - s) ** 2 * step, s * s * (s - 1.0) * step
        w = s * s * (3.0 - 2.0 * s)
        h = self.h[k] + w * (self.h[k + 1] - self.h[k]) + b0 * self.h_slope[k] + b1 * self.h_slope[k + 1]
        w3, c0, c1 = w[:, None], b0[:, None], b1[:, None]
        up = self.up[k] + w3 * (self.up[k + 1] - self.up[k]) + c0 * self.up_slope[k] + c1 * self.up_slope[k + 1]
        return up / np.sqrt((up**2).sum(axis=1))[:, None], h

    def position(self, k: NDArray[np.int64], t: Array) -> Array:
        """The same in ecef (m), ``(m, 3)``."""
        up, h = self.place(k, t)
        n = A / np.sqrt(1.0 - E2 * up[:, 2] ** 2)
        return np.column_stack([(n + h) * up[:, 0], (n + h) * up[:, 1], (n * (1.0 - E2) + h) * up[:, 2]])

    def geodetic(self, t: Array) -> Array:
        """Latitude, longitude (rad), height (m), ``(m, 3)``, at times within the table."""
        if t.size and not (t.min() >= self.t[0] and t.max() <= self.t[-1]):
            raise ValueError(f"the table covers {self.t[0]:g} to {self.t[-1]:g} s")
        k = np.clip(np.searchsorted(self.t, t, side="right") - 1, 0, len(self.t) - 2)
        up, h = self.place(k, t)
        return np.column_stack([np.arctan2(up[:, 2], np.hypot(up[:, 0], up[:, 1])), np.arctan2(up[:, 1], up[:, 0]), h])

    def highest(self) -> tuple[float, float]:
        """Time (s) and height (m) of the highest point of the curve."""
        step = np.diff(self.t)
        rise = np.diff(self.h)
        d0, d1 = self.h_slope[:-1] * step, self.h_slope[1:] * step
        # the slope of each cubic is a parabola in s: d0 + 2 b s + 3 c s2; its falling root is the maximum
        b, c = 3.0 * rise - 2.0 * d0 - d1, d0 + d1 - 2.0 * rise
        root = np.sqrt(np.maximum(b * b - 3.0 * c * d0, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            s = np.where(b < 0.0, d0 / (root - b), (-b - root) / (3.0 * c))
        s = np.where(np.isfinite(s), np.clip(s, 0.0, 1.0), 0.0)
        top = self.h[:-1] + s * (d0 + s * (b + s * c))
        i, j = int(np.argmax(top)), int(np.argmax(self.h))
        if self.h[j] >= top[i]:
            return float(self.t[j]), float(self.h[j])
        return float(self.t[i] + s[i] * step[i]), float(top[i])


def _check_burns(thing: TableObject, begin: int, end: int) -> None:
    for i, (t0, t1, intensity) in enumerate(thing.burns):
        if not begin <= t0 < t1 <= end:
            raise TableFault(
                -1,
                f"burn {i + 1} must begin before it ends and lie within the table's {to_s(begin):.3f} to"
                f" {to_s(end):.3f} s, found {to_s(t0):.3f} to {to_s(t1):.3f} s",
                thing.id,
            )
        if not (math.isfinite(intensity) and intensity >= 0.0):
            raise TableFault(-1, f"burn {i + 1}: intensity must be 0 W/sr or more, found {intensity:g}", thing.id)


def recorded_body(thing: TableObject, theta0: float) -> Body:
    """An object along its recorded path, from the first row to the last.

    ``theta0``: sidereal angle (rad) of the scenario's epoch. Events of a flight: "launch" if the table begins under
    ``NEAR_GROUND`` and rises, "burnout" at the end of the last burn, "apogee" if the highest point is not at an end,
    "impact" if the table ends under ``NEAR_GROUND`` and falls; an aircraft has none. ``facts``: ``rows``, ``gap`` (the
    longest, s), ``duration`` (s), ``apogee`` (m). Raises TableFault, with the row, for a table that makes no path.
    """
    rows = thing.rows
    check_rows(rows, thing.greatest_gap, thing.kind, thing.id)
    if not (math.isfinite(thing.rcs) and thing.rcs > 0.0):
        raise TableFault(-1, f"rcs must be above 0 m2, found {thing.rcs:g}", thing.id)
    start, stop = rows[0][0], rows[-1][0]
    _check_burns(thing, start, stop)
    t = np.array([(r[0] - start) / 1e9 for r in rows])
    table = np.array([r[1:] for r in rows], dtype=np.float64)
    path = RecordedPath(t, table[:, 0], table[:, 1], np.array(table[:, 2]))
    # the stencil keeps within half a step of its piece
    delta = np.minimum(1.0, 0.25 * np.diff(t))
    nodes = ground_nodes(t, delta, path.position, theta0 + OMEGA_GMST * to_s(start))
    top_s, top = path.highest()
    cutoff = max((b[1] for b in thing.burns), default=start)
    events: list[tuple[str, int]] = []
    if thing.kind == "flight":
        if rows[0][3] < NEAR_GROUND and rows[1][3] > rows[0][3]:
            events.append(("launch", start))
        if thing.burns:
            events.append(("burnout", cutoff))
        if t[0] < top_s < t[-1]:
            events.append(("apogee", start + round(top_s * 1e9)))
        if rows[-1][3] < NEAR_GROUND and rows[-1][3] < rows[-2][3]:
            events.append(("impact", stop))
        events.sort(key=lambda e: e[1])
    facts = {"rows": float(len(rows)), "gap": float(np.diff(t).max()), "duration": float(t[-1]), "apogee": top}
    kind = "aircraft" if thing.kind == "aircraft" else "recorded"
    return Body(
        thing.id, thing.key, thing.class_id, kind, "", start, nodes, tuple(events), thing.burns, cutoff,
        thing.rcs, thing.rcs, facts,
    )  # fmt: skip
