"""``python -m validation [book ...]``: make the pages of the validation book (default: all)."""

from __future__ import annotations

import sys

from validation import (  # noqa: F401 - importing registers their rows
    aircraft,
    ascent,
    chain,
    command,
    coverage,
    cueing,
    dynamics,
    earth,
    estimation,
    glide,
    infrared,
    models,
    orbits,
    programs,
    published,
    radar,
    sensor_coverage,
)
from validation.run import main

sys.exit(main(sys.argv[1:]))
