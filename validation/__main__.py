"""``python -m validation [book ...]``: make the pages of the validation book (default: all)."""

from __future__ import annotations

import sys

from validation import chain, command, coverage, dynamics, earth  # noqa: F401 - importing registers their rows
from validation.run import main

sys.exit(main(sys.argv[1:]))
