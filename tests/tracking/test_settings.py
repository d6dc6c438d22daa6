"""A tracker's settings are checked when they are made."""

import msgspec
import pytest

from tocsin.tracking.settings import Settings


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"models": ()}, "settings.models: found ()"),
        ({"models": (1, 1)}, "settings.models: found (1, 1)"),
        ({"models": (1, 6)}, "settings.models: found (1, 6)"),
        ({"filter": "kf"}, "settings.filter: found 'kf'; allowed: ekf, ukf"),
        ({"association": "nn"}, "settings.association: found 'nn'; allowed: auto, gnn, jpda, mht"),
        ({"noise": {9: 1.0}}, "settings.noise: found the model kind 9"),
        ({"noise": {1: -1.0}}, "settings.noise of coast: found -1.0"),
        ({"noise": {1: float("nan")}}, "settings.noise of coast: found nan"),
        ({"gate": (9.0,)}, "settings.gate: found 1 numbers"),
        ({"gate": (22.0, 24.0, 0.0, 19.0, 19.0)}, "found 0.0 for line-of-sight"),
        ({"detection_probability": 1.0}, "settings.detection_probability: found 1.0"),
        ({"ring_ns": -1}, "settings.ring_ns: found -1"),
        ({"leaves": 0}, "settings.leaves: found 0"),
    ],
)
def test_a_wrong_setting_is_named(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match="settings") as caught:
        Settings(**fields)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_settings_are_plain_data() -> None:
    plain = Settings(models=(1,), noise={1: 0.01}).to_plain()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plain)) == plain
    assert plain["noise"] == [[1, 0.01]]
