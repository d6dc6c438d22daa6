"""The page *Track your own detections* runs as written, and what it says comes out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "track-your-own.md"


def test_the_page_runs_as_written(capsys):
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 8
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    said = capsys.readouterr().out
    assert "initiated" in said
    reasons = ("measurement is not finite", "covariance is not positive definite", "unknown sensor")
    assert all(f"'{reason}': 1" in said for reason in reasons)
    assert "observer 'alpha': lat_deg: found 98.1; allowed: -90 to 90" in said
    assert "60 rows of [1]" in said
    # one object: followed by one track nearly all the time
    score = names["score"]
    assert score.completeness > 0.95
    assert score.switches == 0
    assert score.spurious == 0.0
    assert len(names["with_scans"].tracks) > 0
    assert names["step"].tracks["life"].to_pylist().count("confirmed") == 1
