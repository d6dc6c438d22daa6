"""What the how-to page shows of sensors loads as it stands there."""

import re
from pathlib import Path

import pytest

from tocsin.earth.frames import gmst82
from tocsin.scenario import Scenario

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "scenario.md"


@pytest.mark.skipif(not PAGE.is_file(), reason="the handbook is not here")
def test_the_page_loads():
    part = PAGE.read_text("utf-8").partition("## What sensors may say")[2].partition("\n## ")[0]
    sensors, actual, status, injects = re.findall(r"```yaml\n(.*?)```", part, re.DOTALL)
    north, mark, high = sensors.partition("  high:\n")
    whole = (
        "id: page\ntitle: Page\nstart: 2020-01-01T00:00:00Z\nduration: 20 min\nclasses: {srbm: }\n"
        "partners:\n  a:\n"
        + "".join(f"    {line}\n" for line in (north + actual + status + mark + high).splitlines())
        + injects
    )
    world, nations = Scenario.from_text(whole).split(gmst82)
    assert [s.id for s in world.sensors] == ["high", "north"]
    assert len(world.statuses) == 5
    assert [i.act.partition(".")[2] for i in world.injects] == ["degrade", "jam", "delay", "bias", "silence"]
    assert nations["a"].sensors[1].model.bias != world.sensors[1].model.bias
