"""The bundled scenario in which nothing flies: its satellite reports sunlit cloud, from the same places again."""

import msgspec
import numpy as np

from tocsin.earth.clock import NS
from tocsin.earth.frames import gmst82
from tocsin.exercise.world import World
from tocsin.scenario.scenario import Scenario


def _reports(scenario, **changes):
    spec, _ = scenario.split(gmst82)
    eye = next(s for s in spec.sensors if s.id == "cosmos-1382")
    sensors = tuple(
        msgspec.structs.replace(s, model=msgspec.structs.replace(s.model, **changes)) if s is eye else s
        for s in spec.sensors
    )
    made = World(msgspec.structs.replace(spec, sensors=sensors))
    _, deliveries, _ = made.step(0, 300 * NS, frozenset())
    found = deliveries["soviet-union"].detections
    assert made.bodies == ()
    return found[found["sensor"] == eye.n]


def test_nothing_flies_and_the_satellite_reports():
    scenario = Scenario.load("sun-glint-1983")
    shines = _reports(scenario)
    assert len(shines) > 20
    # from few places, scan after scan: all but noise lies within a milliradian of another report
    z = shines["z"][:, :2]
    near = np.array([(np.hypot(*(z - row).T) < 1e-3).sum() - 1 for row in z])
    assert (near > 5).mean() > 0.8
    # without mirrors there is noise alone: 0.05 a scan, 29 scans
    assert len(_reports(scenario, glint_lobe=0.0)) < 8
    # plates as flat as calm air has them do not do it
    assert len(_reports(scenario, glint_lobe=np.radians(1.0))) < 8


def test_a_warning_of_nothing_is_told_as_one():
    from tocsin.api import run
    from tocsin.report.facts import gather
    from tocsin.report.headline import headline

    made = run(Scenario.load("sun-glint-1983").with_("duration", "4 min"))
    (partner,) = made.summary["partners"]
    confirmed = [e for e in partner["events"] if e["warning_s"] is not None]
    assert confirmed
    assert all(e["object"] is None for e in confirmed)
    assert partner["false_warnings"] == len(confirmed)
    said = headline(gather(made)).first
    assert said.startswith("Soviet Union confirmed ")
    assert said.endswith(" of nothing that had been launched.")
    # the published report stands beside the first warning, whatever it was about
    stage = next(s for s in made.summary["stages"] if s["matches"] == "warning:soviet-union")
    assert stage["simulated_s"] == min(e["warning_s"] for e in confirmed)
