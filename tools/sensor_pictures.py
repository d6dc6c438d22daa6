"""The pictures of docs/explanation/sensors.md, made by the program.

`.venv/bin/python tools/sensor_pictures.py` draws docs/images/sensor-*.png.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.dynamics.signals import dimmed, sees
from tocsin.earth import coastlines
from tocsin.earth.frames import gmst82, theta_at, to_ecef
from tocsin.earth.geodesics import direct
from tocsin.earth.sun import AU, sun_direction_ecef
from tocsin.earth.wgs84 import ecef_to_geodetic, geodetic_to_ecef
from tocsin.exercise.world import World
from tocsin.scenario import catalogue
from tocsin.scenario.scenario import Scenario
from tocsin.scenario.specs import Radar
from tocsin.sensing.glint import facet_tilts
from tocsin.sensing.radar import detection_probability
from tocsin.sensing.radar_kernels import over_horizon
from tocsin.truth.classes import nominal_class
from tocsin.truth.consistency import Place, fly

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
DEG = math.pi / 180.0
WHEN = 433_368_900_000_000_000  # 1983-09-25T20:15:00Z
MALMSTROM = (47.5, -111.2)
APOGEES = ((63.0, 15.0, "perigee at 270°"), (38.0, -5.0, "perigee at 316°"))
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.dpi": 120,
    "savefig.dpi": 120,
}
Array = NDArray[np.float64]


def save(figure: Any, name: str) -> None:
    """Write a picture without anything that changes from run to run."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure.savefig(IMAGES / f"sensor-{name}.png", metadata={"Software": None}, bbox_inches="tight", facecolor="white")
    plt.close(figure)


def coasts(ax: Any) -> None:
    """Coasts of the world, in degrees, lines that jump over the date line cut there."""
    for line in coastlines.world("110m").coasts:
        lon, lat = np.degrees(line[:, 0]), np.degrees(line[:, 1])
        lon[1:][np.abs(np.diff(lon)) > 180.0] = np.nan
        ax.plot(lon, lat, color="#9aa0a6", lw=0.7, zorder=1)


def _places(lats: Array, lons: Array, height: float) -> Array:
    la, lo = np.meshgrid(lats * DEG, lons * DEG, indexing="ij")
    return np.asarray(geodetic_to_ecef(np.stack([la, lo, np.full(la.shape, height)], axis=-1).reshape(-1, 3)))


def glint() -> None:
    """Which satellite positions could see sunlight off cloud over Montana, and where else one of them would."""
    sun = sun_direction_ecef(WHEN) * AU
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 4.6), width_ratios=(1.25, 1.0))
    lats, lons = np.arange(-80.0, 90.1, 1.0), np.arange(-180.0, 61.0, 1.0)
    spot = geodetic_to_ecef([MALMSTROM[0] * DEG, MALMSTROM[1] * DEG, 8e3])
    tilts = np.degrees(facet_tilts(spot, _places(lats, lons, 39.7e6), sun)).reshape(len(lats), len(lons))
    hidden = tilts > 179.0
    coasts(left)
    shown = np.ma.masked_where(hidden, tilts)
    levels = [0, 5, 10, 15, 20, 25, 30, 35, 40, 50]
    filled = left.contourf(lons, lats, shown, levels, cmap="YlOrRd_r", alpha=0.75, zorder=0, extend="max")
    left.contour(lons, lats, hidden.astype(float), [0.5], colors="black", linewidths=1.2)
    figure.colorbar(filled, ax=left, label="tilt of the facets that mirror it (deg)", shrink=0.85)
    left.plot(*MALMSTROM[::-1], "*", color="black", ms=10, zorder=5)
    for lat, lon, text in APOGEES:
        left.plot(lon, lat, "o", color="#0072B2", mec="white", ms=8, zorder=5)
        left.annotate(text, (lon, lat), xytext=(-8, -4), textcoords="offset points",
                      fontsize=8, ha="right")  # fmt: skip
    left.set(xlim=(-180, 60), ylim=(-60, 85), xlabel="longitude under the satellite (deg)",
             ylabel="latitude under the satellite (deg)")  # fmt: skip
    left.set_title("Cloud over Montana (star), seen from 39,700 km over ...", loc="left", fontsize=10)

    lats, lons = np.arange(5.0, 85.1, 1.0), np.arange(-170.0, -29.9, 1.0)
    for k, (lat, lon, text) in enumerate(APOGEES):
        eye = geodetic_to_ecef([lat * DEG, lon * DEG, 39.7e6])
        spots = _places(lats, lons, 8e3)
        tilts = np.array([facet_tilts(p, eye, sun)[0] for p in spots]).reshape(len(lats), len(lons)) / DEG
        colour = ("#0072B2", "#D55E00")[k]
        lines = right.contour(
            lons, lats, np.ma.masked_where(tilts > 179.0, tilts), [4, 8, 12, 24], colors=colour,
            linewidths=(2.2, 1.6, 1.0, 0.7),
        )  # fmt: skip
        right.clabel(lines, fmt="%d°", fontsize=7)
        right.plot([], [], color=colour, label=f"from {lat:.0f} N {abs(lon):.0f} {'E' if lon > 0 else 'W'} ({text})")
    coasts(right)
    right.plot(*MALMSTROM[::-1], "*", color="black", ms=10, zorder=5)
    right.set(xlim=(-170, -30), ylim=(5, 85), xlabel="longitude (deg)")
    right.set_title("Tilt asked for over North America, from two apogees", loc="left", fontsize=10)
    right.legend(loc="lower right", fontsize=8, frameon=True)
    figure.suptitle("25 September 1983, 20:15 UTC: the Sun is 40° up over Montana", x=0.06, ha="left", fontsize=10)
    figure.tight_layout()
    save(figure, "glint")


def plume() -> None:
    """The signal of one boost, seen from a geostationary satellite, with the cloud and the trough."""
    flying = nominal_class(catalogue.flight_class("icbm-liquid", catalogue.class_entry("icbm-liquid"), "truth"))
    flight = fly(flying, Place(40.0 * DEG, 110.0 * DEG, 0.0), 9000e3, 1250e3)
    ephemeris = Ephemeris([0], [flight.nodes])
    t = np.arange(0.5, flight.plan.end_s() + 20.0, 0.5)
    t_ns = (t * 1e9).astype(np.int64)
    x = np.array([to_ecef(row, theta_at(0.0, int(k))) for k, row in zip(t_ns, ephemeris.states(0, t_ns), strict=True)])
    height = np.array([ecef_to_geodetic(row[:3])[2] for row in x])
    eye = geodetic_to_ecef([0.0, 140.0 * DEG, 35_786e3])
    r = np.linalg.norm(x[:, :3] - eye, axis=1)
    figure, ax = plt.subplots(figsize=(8.2, 4.2))
    power = np.zeros(len(t))
    for t0, t1, watts in flight.burns:
        power += np.where((t_ns >= t0) & (t_ns < t1), watts, 0.0)
    free = np.array([sees(*eye, *row[:3], 8e3, 40e3) for row in x])
    at_sensor = power * (37.5e6 / r) ** 2 / 1e3
    dim = np.array([dimmed(h, 70e3, 90e3, 0.1) for h in height])
    ax.plot(t, np.where(free, at_sensor, np.nan), color="#D55E00", lw=2.2, label="plume over the cloud")
    ax.plot(t, np.where(free, at_sensor * dim, np.nan), color="#0072B2", lw=1.6, label="with a trough to a tenth")
    ax.plot(t, np.where(free, np.nan, at_sensor), ":", color="#D55E00", lw=1.4, label="under the cloud: not seen")
    for kw, text in ((15.0, "SBIRS-like: 15 kW/sr"), (60.0, "DSP-like: 60 kW/sr"), (120.0, "Oko-like: 120 kW/sr")):
        ax.axhline(kw, color="#555555", lw=0.9, ls="--")
        ax.annotate(f"threshold, {text}", (0.0, kw), xytext=(4, 3), textcoords="offset points", fontsize=8)
    ax.set(yscale="log", ylim=(5, 6000), xlim=(0, t[-1]), xlabel="s after launch",
           ylabel="kW/sr, as from 37,500 km")  # fmt: skip
    for km in (8, 70, 90, 200):
        at = float(np.interp(km * 1e3, height, t))
        ax.axvline(at, color="#bbbbbb", lw=0.8)
        ax.annotate(f"{km} km", (at, 5.4), xytext=(2, 0), textcoords="offset points", fontsize=8, color="#555555")
    ax.set_title("One boost (icbm-liquid) from geostationary orbit; every number notional", loc="left", fontsize=10)
    ax.legend(loc="upper right", fontsize=8.5)
    save(figure, "plume")


def scene() -> None:
    """Everything that the satellite of sun-glint-1983 reports in 35 minutes, put down on the ground."""
    world, _ = Scenario.load("sun-glint-1983").split(gmst82)
    figure, axes = plt.subplots(1, 2, figsize=(10.4, 4.2), sharey=True)
    for ax, seed in zip(axes, (1, 2), strict=True):
        coasts(ax)
        number = next(s.n for s in world.sensors if s.id == "cosmos-1382")
        made = World(type(world)(**{n: getattr(world, n) for n in world.__struct_fields__} | {"seed": seed}))
        lat, lon, size = [], [], []
        for k in range(35):
            _, deliveries, _ = made.step(k * 60 * 10**9, (k + 1) * 60 * 10**9, frozenset())
            found = deliveries["soviet-union"]
            scans = {int(s["scan"]): s for s in found.scans if s["sensor"] == number}
            for d in found.detections:
                if d["sensor"] != number or int(d["scan"]) not in scans:
                    continue
                place = _on_ground(scans[int(d["scan"])], d, world.theta0)
                if place is not None:
                    lat.append(place[0] / DEG)
                    lon.append(place[1] / DEG)
                    size.append(4.0 + 0.02 * float(d["intensity"]) / 1e3)
        ax.scatter(lon, lat, s=size, color="#D55E00", alpha=0.5, lw=0, zorder=3)
        ax.plot(*MALMSTROM[::-1], "*", color="none", mec="black", ms=13, zorder=5)
        ax.set(xlim=(-170, 60), ylim=(0, 88), xlabel="longitude (deg)")
        ax.set_title(f"seed {seed}: {len(lat)} detections of nothing that flies", loc="left", fontsize=10)
    axes[0].set_ylabel("latitude (deg)")
    figure.tight_layout()
    save(figure, "scene")


def _on_ground(scan: Any, d: Any, theta0: float) -> Array | None:
    """Where a line of sight meets the ellipsoid (lat, lon in rad)."""
    az, el = d["z"][:2]
    axes = scan["attitude"].reshape(3, 3)
    u = axes.T @ np.array([math.cos(el) * math.sin(az), math.cos(el) * math.cos(az), math.sin(el)])
    p = scan["platform"][:3] + scan["platform"][3:] * (int(d["t_ns"]) - int(scan["t0_ns"])) * 1e-9
    f = np.array([1.0, 1.0, 6378137.0 / 6356752.314245])
    a, b, c = (u * f) @ (u * f), (u * f) @ (p * f), (p * f) @ (p * f) - 6378137.0**2
    if b * b < a * c:
        return None
    at = p + u * (-b - math.sqrt(b * b - a * c)) / a
    return np.asarray(
        ecef_to_geodetic(to_ecef(np.concatenate([at, np.zeros(3)]), theta_at(theta0, int(d["t_ns"])))[:3])
    )


def radar() -> None:
    """How far a radar sees what: the floor of the beam and the radar equation."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.2, 4.2))
    site = geodetic_to_ecef([0.8, 0.3, 100.0])
    far = np.arange(50e3, 5_001e3, 50e3)
    lowest = []
    for distance in far:
        lat, lon, _ = direct(0.8, 0.3, 1.0, float(distance))
        low, high = 0.0, 4e6
        for _ in range(40):
            middle = 0.5 * (low + high)
            seen = over_horizon(*site, *geodetic_to_ecef([lat, lon, middle]))
            low, high = (low, middle) if seen else (middle, high)
        lowest.append(high / 1e3)
    left.plot(far / 1e3, lowest, color="black", lw=2.0, label="horizon, with the air's bending")
    for el, colour in ((3.0, "#0072B2"), (5.5, "#009E73"), (20.0, "#D55E00")):
        angle = far / 6.371e6
        floor = 6.371e6 * (np.cos(el * DEG) / np.cos(np.minimum(el * DEG + angle, 1.5)) - 1.0)
        left.plot(far / 1e3, floor / 1e3, color=colour, lw=1.6, label=f"beam floor of {el:g}°")
    left.set(xlabel="distance over the ground (km)", ylabel="least height seen (km)", ylim=(0, 2000), xlim=(0, 5000))
    left.set_title("What lies under the beam is not there", loc="left", fontsize=10)
    left.legend(loc="upper left", fontsize=8.5)
    ranges = np.arange(200e3, 6_001e3, 20e3)
    for rcs, colour in ((0.01, "#D55E00"), (0.1, "#E69F00"), (1.0, "#009E73"), (10.0, "#0072B2")):
        for swerling, style in ((1, "-"), (0, ":"), (3, "--")):
            model = Radar(
                0.8, 0.3, 100.0, (), (0.0, 0.0), 0.0, 1.5, 0.0, 6e6, 3_339e3, 10**1.5, 435e6, 0.03, 0.03, 1e6, 1e-6,
                0.0, 1.0, 0.0, 10.0, 1e-3, swerling=swerling,
            )  # fmt: skip
            chance = detection_probability(model, ranges, rcs)
            label = f"{rcs:g} m²" if swerling == 1 else None
            right.plot(ranges / 1e3, chance, style, color=colour, lw=1.7 if swerling == 1 else 1.1, label=label)
    right.plot([], [], ":", color="#555555", label="steady (Swerling 0)")
    right.plot([], [], "--", color="#555555", label="Swerling 3; full: Swerling 1")
    right.set(xlabel="range (km)", ylabel="probability that one look detects", xlim=(200, 6000), ylim=(0, 1.02))
    right.set_title("A radar that gives 15 dB at 3,339 km on 1 m²", loc="left", fontsize=10)
    right.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
    figure.tight_layout()
    save(figure, "radar")


def main() -> None:
    """Draw all."""
    with plt.rc_context(STYLE):
        for draw in (glint, plume, scene, radar):
            draw()


if __name__ == "__main__":
    main()
