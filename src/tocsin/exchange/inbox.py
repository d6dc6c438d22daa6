"""The way in: messages from partners are bytes from outside and are checked as such before anybody reads them."""

from __future__ import annotations

from typing import Any

import msgspec

from tocsin.exchange.gateway import EXERCISE
from tocsin.records.record import unpack
from tocsin.records.shapes import Envelope, Evidence, Receipt, WarningVersion
from tocsin.scenario.specs import NationSpec

_OVER = ("cancelled", "closed")
LARGEST = 1 << 20  # a warning is some ten kilobytes; a megabyte is a mistake or an attack


class Inbox:
    """One nation's way in. Each message counts once; a rumour that comes home is stopped by its source chain."""

    def __init__(self, spec: NationSpec) -> None:
        self._nation = spec.id
        self._seen: dict[str, set[int]] = {}
        self._heard: dict[str, None] = {}  # partners' warnings of which something has come
        self.refused: dict[str, int] = {}
        self._strays: list[tuple[str, str]] = []

    def accept(self, envelope: Envelope) -> WarningVersion | Receipt | str:
        """The warning (or receipt) in ``envelope``, or the reason why it is refused; never raises on what a partner
        sends.
        """
        reason = self._refusal(envelope)
        if reason is None and envelope.kind == "receipt":
            try:
                return unpack(envelope.body, Receipt)
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                reason = f"unreadable: {error}"
        elif reason is None:
            try:
                version = unpack(envelope.body, WarningVersion)
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                reason = f"unreadable: {error}"
            else:
                if not version.uid.startswith(f"{envelope.sender}/"):
                    reason = f"warning {version.uid[:80]!r} is not one of {envelope.sender}'s"
                elif self._nation in version.sources and version.status != "cancelled":
                    reason = "it rests on our own sensors: it has come home"
                else:
                    self._note(version)
                    return msgspec.structs.replace(version, evidence=self._foreign(version.evidence, envelope.sender))
        self.refused[reason.split(":")[0]] = self.refused.get(reason.split(":")[0], 0) + 1
        return reason

    def _note(self, version: WarningVersion) -> None:
        """It is taken in whatever it is: what it ends may still be on its way, and must then open nothing."""
        if version.status in _OVER and version.uid not in self._heard:
            what = "cancellation" if version.status == "cancelled" else "end"
            self._strays.append((version.uid, f"{what} of an unknown warning"))
        self._heard[version.uid] = None

    def strays(self) -> list[tuple[str, str]]:
        """What has come since this was last asked that ends a warning of which nothing had come: its uid, and that."""
        made, self._strays = self._strays, []
        return made

    def _refusal(self, envelope: Envelope) -> str | None:
        if envelope.recipient != self._nation:
            return f"addressed to {envelope.recipient[:80]!r}"
        if envelope.exercise != EXERCISE:
            return "not marked EXERCISE"
        if envelope.kind not in ("warning", "receipt"):
            return f"unknown kind {envelope.kind[:80]!r}"
        if len(bytes(envelope.body)) > LARGEST:
            return "too large"
        seen = self._seen.setdefault(envelope.sender, set())
        if envelope.n in seen:
            return "received before"
        seen.add(envelope.n)
        return None

    def _foreign(self, evidence: tuple[Evidence, ...], sender: str) -> tuple[Evidence, ...]:
        """Evidence with the sender in its chain, without any that passed through here before."""
        kept = []
        for item in evidence:
            if self._nation in item.source_chain:
                continue
            chain = item.source_chain if item.source_chain[-1:] == (sender,) else (*item.source_chain, sender)
            kept.append(msgspec.structs.replace(item, source_chain=chain))
        return tuple(kept)

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {
            "seen": {k: sorted(v) for k, v in self._seen.items()},
            "refused": dict(self.refused),
            "heard": list(self._heard),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``."""
        self._seen = {str(k): {int(n) for n in v} for k, v in state["seen"].items()}
        self.refused = {str(k): int(v) for k, v in state["refused"].items()}
        self._heard = dict.fromkeys(str(uid) for uid in state["heard"])
