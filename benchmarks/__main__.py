"""``python -m benchmarks [name ...]``: run the rows whose names begin with one of the names (default: all)."""

from __future__ import annotations

import sys

from benchmarks import command_line, flight, kernels, orbits, sensing, warning  # noqa: F401 - importing registers their rows
from benchmarks.run import main

sys.exit(main(sys.argv[1:]))
