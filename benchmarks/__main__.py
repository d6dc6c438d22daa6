"""``python -m benchmarks [name ...]``: run the rows whose names begin with one of the names (default: all)."""

from __future__ import annotations

import sys

from benchmarks import (  # noqa: F401 - importing registers their rows
    command_line,
    flight,
    kernels,
    orbits,
    sensing,
    tracking,
    warning,
)
from benchmarks.run import main

sys.exit(main(sys.argv[1:]))
