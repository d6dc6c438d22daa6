"""The way out: turns the warnings of a released pipeline into numbered messages.

Message numbers count per (sender, recipient): a common counter would tell each partner how much the others get.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tocsin.exchange.labels import label_for, may_leave
from tocsin.records.record import pack
from tocsin.records.shapes import Envelope, WarningVersion
from tocsin.scenario.specs import NationSpec

EXERCISE = "EXERCISE"


class Gateway:
    """One nation's way out to all its partners."""

    def __init__(self, spec: NationSpec) -> None:
        self._nation = spec.id
        self._recipients = tuple(sorted(share.recipient for share in spec.shares if share.what == "warnings"))
        self._next = dict.fromkeys(self._recipients, 0)

    def release(self, t_ns: int, label: str, versions: list[WarningVersion]) -> list[tuple[Envelope, WarningVersion]]:
        """Messages for all versions of pipeline ``label`` that may leave, each with the version it carries.

        The sender's own areas stay at home: the recipient reckons what the estimate means for its own.
        """
        sent: list[tuple[Envelope, WarningVersion]] = []
        for recipient in self._recipients:
            if not may_leave(label, recipient):
                continue
            for version in versions:
                body = pack(msgspec.structs.replace(version, areas=(), track=None))
                n = self._next[recipient]
                self._next[recipient] = n + 1
                sent.append((Envelope(self._nation, recipient, n, t_ns, t_ns, "warning", EXERCISE, body), version))
        return sent

    def labels(self) -> tuple[str, ...]:
        """The labels that have a recipient."""
        return tuple(label_for(recipient) for recipient in self._recipients)

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {"next": dict(self._next)}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self._next = {recipient: int(state["next"][recipient]) for recipient in self._recipients}
