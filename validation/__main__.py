"""``python -m validation [book ...]``: make the pages of the validation book (default: all)."""

from __future__ import annotations

import sys

from validation import (  # noqa: F401 - importing registers their rows
    aircraft,
    ascent,
    boost_tracking,
    boxes,
    chain,
    command,
    coverage,
    credence,
    cueing,
    dynamics,
    earth,
    estimation,
    false_tracks,
    filters,
    glide,
    infrared,
    models,
    orbits,
    peer,
    programs,
    published,
    radar,
    sensor_coverage,
)
from validation.run import main

sys.exit(main(sys.argv[1:]))
