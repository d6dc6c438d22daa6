"""Release labels: which pipelines a nation runs, and from which sensors each may be fed.

A nation runs ``own`` (all its sensors) and one pipeline per recipient, ``to:b``, fed by the sensors that it releases to
b and by nothing else. What a partner gets therefore cannot depend, by any bit, on what was not released.
"""

from __future__ import annotations

from tocsin.scenario.specs import NationSpec, Share

OWN = "own"


def label_for(recipient: str) -> str:
    """The label of what is released to ``recipient``."""
    return f"to:{recipient}"


def may_leave(label: str, recipient: str) -> bool:
    """Whether a product of the pipeline ``label`` may go to ``recipient``."""
    return label == label_for(recipient)


def pipelines(spec: NationSpec) -> dict[str, tuple[int, ...]]:
    """Label to the sorted sensor numbers that feed it. ``own`` comes first, then recipients by name."""
    number = {sensor.id: sensor.n for sensor in spec.sensors}
    made = {OWN: tuple(sorted(number.values()))}
    shares: list[Share] = sorted(spec.shares, key=lambda share: share.recipient)
    for share in shares:
        made[label_for(share.recipient)] = tuple(sorted(number[sensor] for sensor in share.sensors))
    return made
