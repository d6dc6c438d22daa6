"""Make validation/data/boxes/states.csv: where ten objects stand in a box, and how they fly, for fifty seeds.

python tools/box_states.py
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SEEDS, OBJECTS = 50, 10
HEADER = (
    "seed", "object", "centre_x_km", "centre_y_km", "centre_z_km", "heading_deg", "climb_deg", "speed_km_s",
    "share_x", "share_y", "share_z", "own_heading_deg", "own_climb_deg", "own_speed_km_s",
)  # fmt: skip


def main() -> None:
    """Write the file."""
    path = Path(__file__).resolve().parents[1] / "validation" / "data" / "boxes" / "states.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(HEADER)
        for seed in range(SEEDS):
            rng = np.random.Generator(np.random.PCG64([2026, seed]))
            centre = rng.uniform([-300.0, 400.0, 80.0], [300.0, 900.0, 150.0])
            common = rng.uniform([0.0, 30.0, 2.5], [360.0, 50.0, 3.2])
            for k in range(OBJECTS):
                share = rng.uniform(-0.5, 0.5, 3)
                own = rng.uniform([0.0, 30.0, 2.5], [360.0, 50.0, 3.2])
                row = [f"{v:.4f}" for v in (*centre, *common, *share, *own)]
                out.writerow([seed, k, *row])


if __name__ == "__main__":
    main()
