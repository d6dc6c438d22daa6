"""What the pages on ladders, doctrines and notices show loads as it stands there, and names what there is."""

import re
from pathlib import Path

import pytest

from tocsin.command.doctrine import check_doctrine
from tocsin.earth.frames import gmst82
from tocsin.scenario import Scenario
from tocsin.scenario.ladders import doctrine_ids

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
HEAD = (
    "id: page\ntitle: Page\nstart: 1995-01-25T06:24:00Z\nduration: 20 min\n"
    "classes: {srbm: , sounding-rocket-bb12: }\npartners:\n  norway: {}\n  russia:\n"
    "    posts:\n      watch: {steps: []}\n      government: {steps: []}\n"
)


def blocks(name: str) -> list[str]:
    page = PAGES / name
    if not page.is_file():
        pytest.skip("the handbook is not here")
    return re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_ladder_of_the_page_loads(which: int) -> None:
    text = HEAD + "".join(f"    {line}\n" for line in blocks("ladder.md")[which].splitlines())
    made = Scenario.from_text(text, "page.yaml", check_doctrine).split(gmst82)[1]["russia"]
    assert [len(made.ladder), made.ladder[-1].state] == ([2, "alarmed"] if which == 2 else [3, "attack"])


def test_the_page_tells_of_every_doctrine() -> None:
    page = PAGES / "ladder.md"
    if not page.is_file():
        pytest.skip("the handbook is not here")
    assert re.findall(r"^\| `([a-z-]+)` \|", page.read_text("utf-8"), re.MULTILINE) == list(doctrine_ids())


def test_the_notice_of_the_page_loads() -> None:
    world, _ = Scenario.from_text(HEAD + blocks("notices.md")[0], "page.yaml", check_doctrine).split(gmst82)
    assert world.notices[0].handoffs[-1].lost
