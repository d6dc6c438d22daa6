"""What all tests share: no deadlines (a first call compiles), and no display."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")
settings.register_profile("tocsin", deadline=None, max_examples=60)
settings.load_profile("tocsin")
