"""The pictures of a coverage: maps in Lambert's equal-area projection, and lines by hour of day, as PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tocsin.earth.coastlines import world
from tocsin.earth.polygons import contains
from tocsin.measures.coverage import Coverage
from tocsin.measures.provinces import Cover, provinces, turned_to
from tocsin.report.projection import RADIUS_KM, Projection, circle_on_earth, clip_ring
from tocsin.scenario.specs import Infrared, Radar, Sensor

Floats = NDArray[np.float64]
INK, MUTED, SEA, LAND, COAST = "#1d2329", "#59636d", "#eaf0f4", "#f3efe3", "#8b8776"
NEVER = "#c9c4c0"
_DPI = 130
_FONT = {"family": "sans-serif", "size": 9, "color": INK}
_MOST_REACH_KM = 11_500.0


def png(figure: Figure) -> bytes:
    """A figure as PNG, the same bytes for the same figure."""
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


class Map:
    """A square map around a place (deg) out to a distance (km)."""

    def __init__(self, axes: Any, lat: float, lon: float, reach_km: float, fine: bool = False) -> None:
        self.axes = axes
        self.reach = min(reach_km, _MOST_REACH_KM)
        self.projection = Projection(math.radians(lat), math.radians(lon), RADIUS_KM, 0.0, 0.0)
        self.half = 2.0 * RADIUS_KM * math.sin(self.reach / RADIUS_KM / 2.0)
        axes.set_facecolor(SEA)
        box = (-1.5 * self.half, -1.5 * self.half, 1.5 * self.half, 1.5 * self.half)
        w = world("50m" if fine else "110m")
        for ring in w.land:
            self._land(ring, box)
        for line in w.coasts:
            self.line(line, COAST, 0.6, zorder=4)
        for line in w.borders:
            self.line(line, COAST, 0.4, zorder=4, dashes=(3, 2))
        for lat_net in range(-80, 81, 10 if self.reach < 4000 else 20):
            ring = np.stack([np.linspace(-math.pi, math.pi, 181), np.full(181, math.radians(lat_net))], axis=-1)
            self.line(ring, MUTED, 0.25, zorder=3)
        for lon_net in range(-180, 180, 10 if self.reach < 4000 else 30):
            ring = np.stack([np.full(90, math.radians(lon_net)), np.linspace(-1.5, 1.5, 90)], axis=-1)
            self.line(ring, MUTED, 0.25, zorder=3)
        axes.set_xlim(-self.half, self.half)
        axes.set_ylim(-self.half, self.half)
        axes.set_aspect("equal")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_color("#dcd9d0")

    def _land(self, ring: Floats, box: tuple[float, float, float, float]) -> None:
        """A piece of land; one about the far side comes back inside out in the plane, and is the box less its ring."""
        cut = clip_ring(self.projection.ring(ring), box)
        paths = [] if len(cut) < 3 else [_closed(self.up(cut), True)]
        if len(ring) > 100:  # smaller ones surround no far side
            here = bool(contains([ring], self.projection.lat0, self.projection.lon0))
            if here != any(path.contains_point((0.0, 0.0)) for path in paths):
                whole = np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]])
                paths = [_closed(whole, False), *paths]
        if paths:
            shape = Path.make_compound_path(*paths)
            self.axes.add_patch(PathPatch(shape, facecolor=LAND, edgecolor="none", zorder=1))

    def up(self, plane: Floats) -> Floats:
        """Plane points with y upwards."""
        return np.asarray(plane * np.array([1.0, -1.0]))

    def at(self, lat_deg: Any, lon_deg: Any) -> Floats:
        """Plane points (km) of places (deg)."""
        lat, lon = np.radians(np.atleast_1d(lat_deg)), np.radians(np.atleast_1d(lon_deg))
        return self.up(self.projection.project(lat, lon))

    def line(self, line: Floats, colour: str, width: float, zorder: int = 4, dashes: Any = None) -> None:
        """A line of longitude and latitude (rad), where it is near enough."""
        points = self.up(self.projection.ring(line))
        far = np.abs(points).max(axis=1) > 1.5 * self.half
        jump = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T)]) > self.half
        points = np.where((far | jump)[:, None], np.nan, points)
        if np.isfinite(points).any():
            extra = {} if dashes is None else {"dashes": dashes}
            self.axes.plot(points[:, 0], points[:, 1], color=colour, lw=width, zorder=zorder, **extra)

    def cells(self, cover: Coverage, values: Floats, cmap: Any, norm: Any) -> Any:
        """Cells of the grid in colours; what is no number stays open."""
        step = float(cover.lat[1] - cover.lat[0])
        lat = np.concatenate([cover.lat - step / 2, [cover.lat[-1] + step / 2]])
        lon = np.concatenate([cover.lon - step / 2, [cover.lon[-1] + step / 2]])
        phi, lam = np.meshgrid(np.radians(lat), np.radians(lon), indexing="ij")
        plane = self.up(self.projection.project(phi.ravel(), lam.ravel())).reshape(*phi.shape, 2)
        middle = self.at(*(a.ravel() for a in np.meshgrid(cover.lat, cover.lon, indexing="ij")))
        near = (np.hypot(middle[:, 0], middle[:, 1]) < 1.6 * self.half).reshape(values.shape)
        shown = np.ma.masked_where(~np.isfinite(values) | ~near, values)
        return self.axes.pcolormesh(
            plane[..., 0], plane[..., 1], shown, cmap=cmap, norm=norm, zorder=2, rasterized=True
        )

    def sensors(self, sensors: Sequence[Sensor], names: bool) -> None:
        """Marks of the radars."""
        halo = [withStroke(linewidth=2.2, foreground="white", alpha=0.8)]
        named: list[Floats] = []
        for sensor in sensors:
            if isinstance(sensor.model, Infrared):
                continue
            at = self.at(math.degrees(sensor.model.lat), math.degrees(sensor.model.lon))[0]
            if np.abs(at).max() > self.half:
                continue
            self.axes.plot(*at, marker="^", ms=5.5, mfc="#0b5fa5", mec="white", mew=0.7, zorder=6)
            if names and all(np.abs(at - other).max() > 0.045 * self.half for other in named):
                named.append(at)
                left = at[0] > 0.4 * self.half
                self.axes.annotate(
                    sensor.name.split(",")[0].split("(")[0].strip(), at, xytext=(-6 if left else 6, 3), color=INK,
                    ha="right" if left else "left", textcoords="offset points", fontsize=7, zorder=8, path_effects=halo,
                )  # fmt: skip


def _closed(ring: Floats, left: bool) -> Path:
    """A plane ring as a closed path that runs to the left (or right) about what it holds."""
    x, y = ring[:, 0], ring[:, 1]
    area = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    way = ring if (area > 0.0) == left else ring[::-1]
    return Path(np.concatenate([way, way[:1]]), closed=True)


_HEIGHT_BINS = np.array([0.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 3000.0])


def _bins(values: Floats, whole: bool = False) -> Floats:
    good = values[np.isfinite(values)]
    if good.size == 0:
        return np.array([0.0, 1.0])
    low, high = float(np.percentile(good, 0.5)), float(np.percentile(good, 99.5))
    if whole:
        return np.arange(max(math.floor(low), 0) - 0.5, min(math.ceil(high), math.floor(low) + 12) + 1.0)
    return np.asarray(MaxNLocator(9, steps=[1, 2, 2.5, 5, 10]).tick_values(low, max(high, low + 0.1)))


def cell_map(
    cover: Coverage, values: Floats, title: str, unit: str, colours: str, whole: bool = False, everywhere: bool = False
) -> bytes:
    """One map of the grid. Cells of launches that are never seen are grey; with ``everywhere`` nothing is a launch."""
    import matplotlib as mpl

    figure = Figure(figsize=(5.2, 5.9), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0.02, 0.13, 0.96, 0.81))
    flies = np.isfinite(cover.cells["flight_time_s"])
    if everywhere:
        centre, reach = _around(cover, np.isfinite(values))
    else:
        centre = cover.aim
        furthest = cover.cells["distance_km"][flies]
        reach = float(furthest.max()) * 1.03 + 150.0 * float(cover.lat[1] - cover.lat[0]) if furthest.size else 2000.0
    chart = Map(axes, *centre, reach, fine=reach < 1500.0)
    bins = _bins(values, whole)
    if everywhere:
        top = int(np.searchsorted(_HEIGHT_BINS, np.nanmax(values)))
        bins = _HEIGHT_BINS[: min(top, len(_HEIGHT_BINS) - 1) + 1]
    cmap = mpl.colormaps[colours].resampled(max(len(bins) - 1, 1))
    if not everywhere:
        chart.cells(cover, np.where(flies & ~np.isfinite(values), 1.0, np.nan), ListedColormap([NEVER]), None)
    mesh = chart.cells(cover, values, cmap, BoundaryNorm(bins, cmap.N, extend="neither", clip=True))
    near = sum(not isinstance(s.model, Infrared) for s in cover.sensors)
    chart.sensors(cover.sensors, near <= 8)
    if not everywhere:
        at = chart.at(*cover.aim)[0]
        axes.plot(*at, marker="*", ms=12, mfc="#b3261e", mec="white", mew=0.8, zorder=7)
    axes.set_title(title, loc="left", fontsize=10.5, color=INK, pad=6)
    axes.text(0.985, 0.012, "EXERCISE", transform=axes.transAxes, ha="right", fontsize=7, color="#8f1d14", zorder=8)
    bar = figure.add_axes((0.06, 0.075, 0.88, 0.022))
    ticks = (bins[:-1] + bins[1:]) / 2 if whole else bins
    scale = figure.colorbar(mesh, cax=bar, orientation="horizontal", ticks=ticks)
    scale.ax.tick_params(labelsize=8, color=MUTED, labelcolor=INK, length=2)
    if whole:
        scale.ax.set_xticklabels([f"{t:.0f}" for t in ticks])
    scale.outline.set_visible(False)
    scale.set_label(unit, fontsize=8.5, color=MUTED)
    return png(figure)


def _around(cover: Coverage, good: NDArray[np.bool_]) -> tuple[tuple[float, float], float]:
    """A middle (deg) and a reach (km) that show the good cells."""
    if not good.any():
        return cover.aim, 2000.0
    lat, lon = np.meshgrid(np.radians(cover.lat), np.radians(cover.lon), indexing="ij")
    u = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)[good]
    mean = (u * np.cos(lat[good])[:, None]).sum(axis=0)
    size = float(np.sqrt((mean**2).sum()))
    if size < 1e-9:
        return cover.aim, _MOST_REACH_KM
    mean /= size
    apart = np.arccos(np.clip(u @ mean, -1.0, 1.0))
    middle = (math.degrees(math.asin(mean[2])), math.degrees(math.atan2(mean[1], mean[0])))
    return middle, max(float(np.percentile(apart, 99)) * RADIUS_KM * 1.08, 500.0)


def hour_chart(cover: Coverage) -> bytes:
    """Shares and medians by hour of day."""
    figure = Figure(figsize=(10.6, 3.3), dpi=_DPI, facecolor="white")
    hours = np.array([h.hour for h in cover.hours] + [24.0])

    def steps(values: list[float]) -> Floats:
        return np.array([*values, values[-1]])

    left = figure.add_axes((0.06, 0.17, 0.41, 0.68))
    right = figure.add_axes((0.56, 0.17, 0.41, 0.68))
    for axes in (left, right):
        axes.set_xlim(0, 24)
        axes.set_xticks(range(0, 25, 3))
        axes.set_xlabel("hour of launch, UTC", fontsize=8.5, color=MUTED)
        axes.tick_params(labelsize=8, color=MUTED, labelcolor=INK)
        axes.grid(color="#e9e6de", lw=0.8)
        axes.set_axisbelow(True)
        for name, spine in axes.spines.items():
            spine.set_visible(name in ("left", "bottom"))
            spine.set_color("#dcd9d0")
    shares = (
        ("any sensor", [h.share_any for h in cover.hours], "#1d2329", 3.4),
        ("a satellite", [h.share_infrared for h in cover.hours], "#b04a00", 2.0),
        ("both kinds", [h.share_both for h in cover.hours], "#0b5fa5", 1.4),
    )
    for name, values, colour, width in shares:
        left.step(hours, 100.0 * steps(values), where="post", color=colour, lw=width, label=name)
    left.set_ylim(-2, 104)
    left.set_title("Launches that are seen, % of the area", loc="left", fontsize=10, color=INK)
    left.legend(fontsize=8, frameon=False, loc="lower left", ncols=3)
    medians = (
        ("any sensor", [h.median_any_s for h in cover.hours], "#1d2329", 3.0),
        ("a satellite", [h.median_infrared_s for h in cover.hours], "#b04a00", 1.6),
    )
    for name, values, colour, width in medians:
        right.step(hours, steps(values), where="post", color=colour, lw=width, label=name)
    right.set_title("First look, median, s after launch", loc="left", fontsize=10, color=INK)
    right.set_ylim(bottom=0)
    right.legend(fontsize=8, frameon=False, loc="lower left", ncols=2)
    return png(figure)


def province_maps(cover: Cover, sensor: Sensor, boresight: float, cases: Sequence[tuple[float, float | None]]) -> bytes:
    """Small maps side by side: where the radar, turned to a boresight, sees at a height (m) things of a size (m2)."""
    from tocsin.earth.wgs84 import geodetic_to_ecef
    from tocsin.measures import coverage_kernels as k
    from tocsin.measures.coverage import pack

    model = sensor.model
    assert isinstance(model, Radar)
    packed = pack([turned_to(sensor, boresight)])
    n = len(cases)
    columns = min(n, 3)
    rows = math.ceil(n / columns)
    figure = Figure(figsize=(10.6, 3.75 * rows), dpi=_DPI, facecolor="white")
    reach = cover.range_max / 1e3 * 1.12
    site = (math.degrees(model.lat), math.degrees(model.lon))
    for i, (height, rcs) in enumerate(cases):
        width, tall = 1.0 / columns, 1.0 / rows
        axes = figure.add_axes(
            ((i % columns + 0.015) * width, 1.0 - (i // columns + 0.985) * tall, 0.97 * width, 0.9 * tall)
        )
        chart = Map(axes, *site, reach, fine=True)
        side = np.linspace(-chart.half, chart.half, 240)
        x, y = np.meshgrid(side, side)
        lat, lon = _back(chart, x.ravel(), y.ravel())
        points = np.ascontiguousarray(geodetic_to_ecef(np.stack([lat, lon, np.full_like(lat, height)], axis=-1)))
        out = np.empty(len(points), dtype=np.bool_)
        k.over_places(
            points, 1e12 if rcs is None else rcs, packed.par, packed.site, packed.axes, packed.limits, packed.faces,
            packed.face_start, packed.terrain, packed.terrain_start, out,
        )  # fmt: skip
        axes.contourf(
            x, y, out.reshape(x.shape).astype(float), levels=[0.5, 1.5], colors=["#0b5fa5"], alpha=0.42, zorder=2
        )
        for p in provinces():
            strong = p.name in ("Liaoning", "Jilin", "Heilongjiang")
            for ring in p.rings:
                if len(ring) > 12:
                    closed = np.concatenate([ring, ring[:1]])
                    chart.line(closed, "#8f1d14" if strong else "#6b6555", 0.9 if strong else 0.35, zorder=5)
        circle = circle_on_earth(model.lat, model.lon, cover.range_max / 1e3, np.linspace(0, 2 * math.pi, 181))
        chart.line(circle, INK, 0.9, zorder=6, dashes=(4, 3))
        chart.sensors([sensor], False)
        size = "any size" if rcs is None else f"{rcs:g} m²"
        axes.set_title(f"{height / 1e3:,.0f} km high, {size}", loc="left", fontsize=9.5, color=INK, pad=4)
        axes.text(
            0.985, 0.015, "EXERCISE", transform=axes.transAxes, ha="right", fontsize=6.5, color="#8f1d14", zorder=8
        )
    return png(figure)


def _back(chart: Map, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Places (rad) of plane points (km); Snyder 20-14, 20-15, 24-16."""
    lat0, lon0 = chart.projection.lat0, chart.projection.lon0
    rho = np.maximum(np.hypot(x, y) / RADIUS_KM, 1e-12)
    c = 2.0 * np.arcsin(np.minimum(rho / 2.0, 1.0))
    u, v = x / RADIUS_KM, y / RADIUS_KM
    lat = np.arcsin(np.clip(np.cos(c) * math.sin(lat0) + v * np.sin(c) * math.cos(lat0) / rho, -1.0, 1.0))
    lon = lon0 + np.arctan2(u * np.sin(c), rho * math.cos(lat0) * np.cos(c) - v * math.sin(lat0) * np.sin(c))
    return lat, lon
