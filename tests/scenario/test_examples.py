"""What the documents show of scenario files loads as it stands."""

import re
from pathlib import Path

import pytest

from tocsin.earth.frames import gmst82
from tocsin.scenario import Scenario, catalogue, template
from tocsin.scenario.yaml12 import Document

HOWTO = Path(__file__).parents[2] / "docs" / "how-to" / "scenario.md"
BASE = {
    "id": "examples",
    "title": "Examples",
    "start": "2000-06-28T00:00:00Z",
    "duration": "60 min",
    "partners": {"a": {"name": "A"}},
    "classes": {"irbm-liquid": None, "space-launch": None, "icbm-liquid": None},
}


def blocks():
    """The YAML of the page: the examples of objects, which hang together, and that of classes."""
    found = re.findall(r"```yaml\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.DOTALL)
    objects = "".join(block for block in found if not block.startswith("classes:"))
    (classes,) = (block for block in found if block.startswith("classes:"))
    return Document("objects", objects), Document("classes", classes)


def test_the_examples_of_the_page_load(tmp_path):
    objects, classes = blocks()
    assert not objects.faults
    assert not classes.faults
    things = dict(objects.plain["objects"])
    wanted = {thing["class"] for thing in things.values() if "class" in thing}
    bundled = wanted & set(catalogue.class_ids())
    assert wanted - bundled <= {"boost-glide"}
    things = {id: thing for id, thing in things.items() if thing.get("class") not in wanted - bundled}
    (tmp_path / "tracks").mkdir()
    (tmp_path / "tracks" / "drone.csv").write_text("t_s,lat_deg,lon_deg,height_km\n0,1,2,3\n1,1,2,3\n")
    from tocsin.scenario import loader

    data = {**BASE, "classes": dict.fromkeys(sorted({*BASE["classes"], *bundled})), "objects": things}
    model = loader.validate(data, "page", folder=tmp_path)
    assert set(model.objects) == set(things)
    assert Scenario(model, "", "page").split(gmst82)[0].objects
    loader.validate({**BASE, "classes": {**BASE["classes"], **classes.plain["classes"]}}, "page")


@pytest.mark.parametrize("form", ["fragment", "airliner", "relay", "drone"])
def test_what_the_template_has_behind_marks_loads_without_them(tmp_path, form):
    lines = template("mine").splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith(f"  # {form}:"))
    last = first + 1
    while lines[last].startswith("  #   "):
        last += 1
    lines[first:last] = [line.replace("# ", "", 1) for line in lines[first:last]]
    (tmp_path / "drone.csv").write_text("t_s,lat_deg,lon_deg,height_km\n0,1,2,3\n1,1,2,3\n")
    (tmp_path / "mine.yaml").write_text("\n".join(lines))
    made = Scenario.load(tmp_path / "mine.yaml")
    assert set(made.model.objects) == {"test-flight", form}
    assert len(made.split(gmst82)[0].objects) == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    # thrust_ends_s: 60 ", "    thrust_ends_s: 60 "),
        ("    # loose: true ", "    loose: true "),
        ("    apogee_km: 280 ", "    shape: minimum-energy\n#"),
        ("    apogee_km: 280 ", "    flight_time: 8 min\n#"),
        ("    azimuth_deg: 60 ", "    to: {lat_deg: 41.0, lon_deg: -21.0}\n#"),
    ],
)
def test_what_the_template_says_of_the_flight_holds(old, new):
    text = template("mine")
    assert old in text
    text = text.replace(old, new)
    if "to:" in new:
        text = text.replace("    range_km: 1200 ", "#")
    assert Scenario.from_text(text).model.objects
