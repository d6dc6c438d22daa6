"""The pictures of docs/explanation/flight.md and the answers in docs/how-to/check-flight.md, made by the program.

`.venv/bin/python tools/flight_pictures.py` draws docs/images/flight-*.png and runs every `tocsin check-flight` of the
page again, each output in the block after its command.
"""

from __future__ import annotations

import csv
import math
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.frames import theta_at, to_ecef
from tocsin.earth.geodesics import inverse
from tocsin.earth.wgs84 import ecef_to_geodetic
from tocsin.scenario import catalogue
from tocsin.scenario.specs import FlightClass
from tocsin.truth.classes import FlightImpossible, nominal_class
from tocsin.truth.consistency import Place, check, duration, fly, kilometres
from tocsin.truth.flights import Flight

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "how-to" / "check-flight.md"
TESTS = ROOT / "validation" / "data" / "dprk_tests" / "flight_times.csv"
PLACE = Place(math.radians(40.0), 0.0, math.radians(90.0))  # notional
# one colour for each class throughout, apart for the colour-blind (Okabe and Ito)
COLOURS = {
    "srbm": "#E69F00",
    "mrbm": "#56B4E9",
    "irbm-liquid": "#009E73",
    "icbm-liquid": "#D55E00",
    "icbm-solid": "#0072B2",
    "slbm": "#CC79A7",
}
USUAL = {  # range and apogee (km) near minimum energy, for the pictures
    "srbm": (400, 110),
    "mrbm": (1200, 300),
    "irbm-liquid": (3000, 650),
    "icbm-liquid": (9000, 1250),
    "icbm-solid": (9000, 1250),
    "slbm": (6000, 1050),
}
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


@cache
def flying(name: str) -> FlightClass:
    """A bundled class without its spreads."""
    return nominal_class(catalogue.flight_class(name, catalogue.class_entry(name), "truth"))


def flown(name: str, range_km: float, apogee_km: float, place: Place = PLACE) -> Flight:
    """One flight of a class."""
    return fly(flying(name), place, range_km * 1e3, apogee_km * 1e3)


def path(flight: Flight) -> tuple[NDArray[np.float64], ...]:
    """Time (s), distance over the ground and height (km), speed against the ground (km/s), close
    enough for a smooth line."""
    ephemeris = Ephemeris([0], [flight.nodes])
    first, last = ephemeris.span(0)
    t_ns = np.unique(np.concatenate([np.linspace(first, last, 600).astype(np.int64), [flight.cutoff_ns, last]]))
    t_ns = t_ns[(t_ns >= first) & (t_ns <= last)]
    fixed = np.array([
        to_ecef(row, theta_at(0.0, int(t))) for t, row in zip(t_ns, ephemeris.states(0, t_ns), strict=True)
    ])
    ground = np.array([ecef_to_geodetic(row[:3]) for row in fixed])
    site = flight.object
    far = [inverse(site.lat, site.lon, lat, lon)[0] for lat, lon, _ in ground]
    return t_ns / 1e9, np.array(far) / 1e3, ground[:, 2] / 1e3, np.linalg.norm(fixed[:, 3:], axis=1) / 1e3


def minutes(seconds: float) -> str:
    """``15:44``."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def save(figure: Any, name: str) -> None:
    """Write a picture without anything that changes from run to run."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure.savefig(IMAGES / f"flight-{name}.png", metadata={"Software": None}, bbox_inches="tight", facecolor="white")
    plt.close(figure)


def shapes() -> None:
    """Flights of one class to one place, from depressed to lofted."""
    figure, ax = plt.subplots(figsize=(8, 4.6))
    for apogee, colour in ((350, "#0072B2"), (600, "#009E73"), (1200, "#E69F00"), (2400, "#D55E00")):
        flight = flown("irbm-liquid", 2700, apogee)
        t, far, up, _ = path(flight)
        ax.plot(far, up, color=colour, lw=1.6)
        powered = t <= flight.plan.end_s() + 1e-6
        ax.plot(far[powered], up[powered], color="black", lw=3.2, solid_capstyle="round", zorder=4)
        marks = np.arange(120.0, t[-1], 120.0)
        ax.plot(np.interp(marks, t, far), np.interp(marks, t, up), "o", color=colour, ms=4.5, mec="white", mew=0.8)
        top = int(np.argmax(up))
        ax.annotate(
            f"apogee {apogee:,} km: {minutes(t[-1])} min:s", (far[top], up[top]), xytext=(0, 5),
            textcoords="offset points", ha="center", color=colour,
        )  # fmt: skip
    ax.plot([], [], color="black", lw=3.2, label="under thrust")
    ax.plot([], [], "o", color="#666666", ms=4.5, label="every two minutes")
    ax.set(xlabel="distance over the ground (km)", ylabel="height (km)", xlim=(0, 2800), ylim=(0, 2650))
    ax.set_title(
        "One class, one range (irbm-liquid, 2,700 km): what the apogee makes of the time", loc="left", fontsize=10
    )
    ax.legend(loc="upper left")
    save(figure, "shapes")


def boosts() -> None:
    """Height and speed while thrust lasts, class by class, with the constants that others use."""
    figure, axes = plt.subplots(1, 2, figsize=(9.2, 4.1))
    for name, (far_km, up_km) in USUAL.items():
        flight = flown(name, far_km, up_km)
        t, _, up, speed = path(flight)
        end = flight.plan.end_s()
        for ax, y in zip(axes, (up, speed), strict=True):
            powered = t <= end + 1e-6
            ax.plot(t, y, color=COLOURS[name], lw=1.0, alpha=0.55)
            ax.plot(t[powered], y[powered], color=COLOURS[name], lw=2.4, label=f"{name} ({far_km:,} km)")
            ax.plot(t[powered][-1], y[powered][-1], "o", color=COLOURS[name], ms=6, mec="white", zorder=5)
    known = ((240, 250, "liquid ICBM", (7, -11)), (180, 220, "solid ICBM", (7, -9)), (150, 100, "IRBM", (7, -9)))
    for at, up, text, off in known:
        axes[0].plot(at, up, "x", color="black", ms=7, mew=1.6, zorder=6)
        axes[0].annotate(text, (at, up), xytext=off, textcoords="offset points", fontsize=8)
    axes[1].plot([], [], "x", color="black", label="burnout constants used elsewhere")
    axes[0].set(xlabel="s after launch", ylabel="height (km)", xlim=(0, 300), ylim=(0, 400))
    axes[1].set(xlabel="s after launch", ylabel="speed against the ground (km/s)", xlim=(0, 300), ylim=(0, 7.5))
    axes[0].set_title("Height", loc="left", fontsize=10)
    axes[1].set_title("Speed", loc="left", fontsize=10)
    figure.suptitle("Boost near minimum energy: thick under thrust, thin after it", x=0.07, ha="left", fontsize=10)
    figure.tight_layout()
    figure.legend(
        *axes[1].get_legend_handles_labels(), loc="upper center", bbox_to_anchor=(0.5, 0.01), ncol=4, fontsize=8.5
    )
    save(figure, "boost")


def descents() -> None:
    """What the air takes on the way down."""
    figure, ax = plt.subplots(figsize=(8, 4.0))
    for name, (far_km, up_km) in USUAL.items():
        if name == "icbm-solid":
            continue  # falls as the liquid one does
        flight = flown(name, far_km, up_km)
        t, _, up, speed = path(flight)
        down = (t > flight.apogee_ns * 1e-9) & (up < 110.0)
        beta = flying(name).beta.nominal
        ax.plot(speed[down], up[down], color=COLOURS[name], lw=2.0, label=f"{name}: {beta:,.0f} kg/m²")
        ax.plot(speed[down][-1], 0.0, "o", color=COLOURS[name], ms=6, mec="white", zorder=5, clip_on=False)
    ax.set(xlabel="speed against the ground (km/s)", ylabel="height (km)", xlim=(0, 7.5), ylim=(0, 100))
    ax.set_title("The way down: the fall gains speed, thick air takes it", loc="left", fontsize=10)
    ax.legend(title="ballistic coefficient", loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
    save(figure, "descent")


def _times(name: str, range_km: float, apogees: NDArray[np.float64], place: Place) -> NDArray[np.float64]:
    out = []
    for apogee in apogees:
        try:
            out.append(flown(name, range_km, float(apogee), place).impact_ns * 1e-9 / 60.0)
        except FlightImpossible:
            out.append(math.nan)
    return np.array(out)


def published() -> None:
    """Flight time over apogee, and where the five published flights lie."""
    figure, (ax, small) = plt.subplots(1, 2, figsize=(9.4, 4.2), width_ratios=(1.35, 1.0))
    with TESTS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    north_east = Place(math.radians(39.8), math.radians(125.7), math.radians(75.0))
    lines = (
        ("icbm-liquid", 950, np.geomspace(300, 5200, 26)),
        ("irbm-liquid", 800, np.geomspace(120, 3100, 26)),
        ("irbm-liquid", 2700, np.geomspace(330, 2900, 22)),
    )
    for name, far_km, apogees in lines:
        t = _times(name, far_km, apogees, north_east)
        style = "--" if far_km == 2700 else "-"
        ax.plot(apogees, t, style, color=COLOURS[name], lw=1.8, label=f"{name}, {far_km:,} km far")
    for k, row in enumerate(rows):
        minute = row["time_precision"] == "min"
        published_s = float(row["flight_time_s"])
        half = 0.5 if minute else 0.0
        ax.errorbar(
            float(row["apogee_km"]), published_s / 60.0, yerr=half, fmt="o", color="black", ms=5, capsize=3, zorder=5,
            label="published" if k == 0 else None,
        )  # fmt: skip
        name = "irbm-liquid" if row["class"].startswith("IRBM") else "icbm-liquid"
        place = Place(*(math.radians(float(row[key])) for key in ("lat", "lon", "bearing_deg")))
        figures = (kilometres(row[key], key, 1e9) for key in ("apogee_km", "range_km"))
        time = duration(f"{published_s / 60.0:.0f}min" if minute else f"{published_s:.0f}s", "time")
        told = check(*figures, time, [catalogue.flight_class(name, catalogue.class_entry(name), "truth")], place, True)
        off, allowed = (100.0 * (s or 0.0) / published_s for s in (told.error_s, told.tolerance_s))
        small.barh(k, 2.0 * allowed, left=-allowed, color="#dddddd", height=0.8, label="tolerance" if k == 0 else None)
        small.barh(k, off, color=COLOURS[name], height=0.42, zorder=3)
        small.errorbar(
            off, k, xerr=100.0 * half * 60.0 / published_s, fmt="none", ecolor="black", capsize=3, lw=1.0, zorder=4
        )
        beyond = off + math.copysign(100.0 * half * 60.0 / published_s + 0.5, off)
        small.text(beyond, k, f"{off:+.1f} %", va="center", ha="left" if off > 0 else "right", fontsize=8.5, zorder=5)
    ax.annotate("28 August 2017", (550, 14.0), xytext=(12, -13), textcoords="offset points", fontsize=8.5)
    ax.set(xlabel="apogee (km)", ylabel="flight time (min)", xlim=(0, 5000), ylim=(0, 60))
    ax.legend(loc="upper left", fontsize=8.5)
    ax.set_title("Flight time over apogee", loc="left", fontsize=10)
    small.axvline(0.0, color="black", lw=0.8)
    small.set_yticks(range(len(rows)), [f"{row['missile']}\n{row['date_utc']}" for row in rows], fontsize=8.5)
    small.invert_yaxis()
    small.grid(axis="y", visible=False)
    small.set(xlabel="modelled less published (%)", xlim=(-13, 22))
    small.legend(loc="upper right", fontsize=8.5)
    small.set_title("The five published times", loc="left", fontsize=10)
    figure.tight_layout()
    save(figure, "published")


# ---- the answers in the how-to page ---------------------------------------------------------------------------------

_BLOCK = re.compile(r"(```sh\n(tocsin check-flight [^\n]*)\n```\n\n```(?:text|json)\n)(.*?)(```)", re.DOTALL)


def answer(command: str) -> str:
    """What a command prints, 80 columns wide."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    words = shlex.split(command)[1:]
    made = subprocess.run(
        [sys.executable, "-m", "tocsin.cli", *words], capture_output=True, text=True, check=False, env=environment
    )
    if made.returncode not in (0, 2):
        raise RuntimeError(f"{command}: exit {made.returncode}\n{made.stderr}")
    lines = (made.stdout or made.stderr).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def answers() -> None:
    """Run the page's commands and put what they print after them."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BLOCK.sub(lambda m: m.group(1) + answer(m.group(2)) + m.group(4), text), encoding="utf-8")


def main() -> None:
    """Make everything."""
    with plt.rc_context(STYLE):
        shapes()
        boosts()
        descents()
        published()
    if PAGE.is_file():
        answers()


if __name__ == "__main__":
    main()
