"""The way out: turns the warnings of a released pipeline into numbered messages, and sees to it that what is taken back
reaches everybody whom it had reached.

Message numbers count per (sender, recipient): a common counter would tell each partner how much the others get.

A warning that is cancelled goes to every recipient that was ever sent one of its versions, whatever the policy has
become since, and again until its receipt comes or it has been sent ``MOST`` times: a link that loses messages would
otherwise leave a partner with an alarm that its sender has long given up. Receipts need a link back; where there is
none the repeats are all that can be done.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tocsin.exchange.labels import label_for, may_leave
from tocsin.records.record import pack
from tocsin.records.shapes import Envelope, Recall, Receipt, WarningVersion
from tocsin.scenario.specs import NationSpec

EXERCISE = "EXERCISE"
AGAIN_NS = 30_000_000_000  # after which a cancellation without receipt is sent once more
MOST = 5  # times in all


class _Open(msgspec.Struct):
    """A cancellation that waits for its receipt."""

    uid: str
    version: int
    recipient: str
    body: bytes
    since_ns: int
    times: int
    due_ns: int


class Gateway:
    """One nation's way out to all its partners."""

    def __init__(self, spec: NationSpec) -> None:
        self._nation = spec.id
        self._recipients = tuple(sorted(share.recipient for share in spec.shares if share.what == "warnings"))
        self._back = frozenset(link.recipient for link in spec.links)  # to whom it can send at all
        self._next = dict.fromkeys(self._recipients, 0)
        self._reached: dict[str, dict[str, None]] = {}  # who was sent a version of a warning that is not over
        self._open: list[_Open] = []
        self._recalls: list[Recall] = []  # what is new since they were last asked for

    def release(self, t_ns: int, label: str, versions: list[WarningVersion]) -> list[tuple[Envelope, WarningVersion]]:
        """Messages for all versions of pipeline ``label`` that may leave, each with the version it carries.

        The sender's own areas stay at home: the recipient reckons what the estimate means for its own.
        """
        sent: list[tuple[Envelope, WarningVersion]] = []
        allowed = [recipient for recipient in self._recipients if may_leave(label, recipient)]
        everybody = sorted({*allowed, *(r for v in versions for r in self._reached.get(v.uid, ()))})
        for recipient in everybody:
            for version in versions:
                taken_back = version.status == "cancelled"
                if recipient not in allowed and not (taken_back and recipient in self._reached.get(version.uid, ())):
                    continue
                body = pack(msgspec.structs.replace(version, areas=(), track=None))
                sent.append((self._message(t_ns, recipient, "warning", body), version))
                self._reached.setdefault(version.uid, {})[recipient] = None
                if taken_back:
                    self._open.append(
                        _Open(version.uid, version.version, recipient, bytes(body), t_ns, 1, t_ns + AGAIN_NS)
                    )
                    self._recalls.append(Recall(version.uid, recipient, "told", 1, t_ns))
        for version in versions:
            if version.status in ("cancelled", "closed"):
                self._reached.pop(version.uid, None)
        return sent

    def repeat(self, t_ns: int) -> list[tuple[Envelope, str]]:
        """Cancellations whose receipt is overdue, once more, each with the uid of the warning."""
        sent = []
        for waiting in list(self._open):
            if t_ns < waiting.due_ns:
                continue
            if waiting.times >= MOST:
                self._open.remove(waiting)
                self._note(waiting, "no receipt")
                continue
            waiting.times += 1
            waiting.due_ns = t_ns + AGAIN_NS
            sent.append((self._message(t_ns, waiting.recipient, "warning", msgspec.Raw(waiting.body)), waiting.uid))
            self._note(waiting, "told again")
        return sent

    def receipt(self, t_ns: int, sender: str, version: WarningVersion) -> Envelope | None:
        """The receipt for a cancellation that has come from ``sender``; None where no link leads back."""
        if sender not in self._back:
            return None
        return self._message(t_ns, sender, "receipt", pack(Receipt(version.uid, version.version)))

    def take_receipt(self, sender: str, receipt: Receipt) -> bool:
        """Note that ``sender`` has a cancellation; False if it was never sent one, or has said so before."""
        for waiting in self._open:
            if (waiting.recipient, waiting.uid, waiting.version) == (sender, receipt.uid, receipt.version):
                self._open.remove(waiting)
                self._note(waiting, "has it")
                return True
        return False

    def recalls(self) -> list[Recall]:
        """What has become of cancellations since this was last asked."""
        made, self._recalls = self._recalls, []
        return made

    def _note(self, waiting: _Open, event: Any) -> None:
        self._recalls.append(Recall(waiting.uid, waiting.recipient, event, waiting.times, waiting.since_ns))

    def _message(self, t_ns: int, recipient: str, kind: str, body: msgspec.Raw) -> Envelope:
        n = self._next.get(recipient, 0)
        self._next[recipient] = n + 1
        return Envelope(self._nation, recipient, n, t_ns, t_ns, kind, EXERCISE, body)

    def labels(self) -> tuple[str, ...]:
        """The labels that have a recipient."""
        return tuple(label_for(recipient) for recipient in self._recipients)

    def state(self) -> dict[str, Any]:
        """Plain data to go on from."""
        return {
            "next": dict(self._next),
            "reached": [[uid, list(who)] for uid, who in self._reached.items()],
            "open": [msgspec.msgpack.encode(waiting) for waiting in self._open],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from ``state``, under whatever policy now holds: whom a warning has reached is not forgotten."""
        self._next = {str(recipient): int(n) for recipient, n in state["next"].items()}
        for recipient in self._recipients:
            self._next.setdefault(recipient, 0)
        self._reached = {str(uid): dict.fromkeys(str(r) for r in who) for uid, who in state["reached"]}
        self._open = [msgspec.msgpack.decode(raw, type=_Open) for raw in state["open"]]
