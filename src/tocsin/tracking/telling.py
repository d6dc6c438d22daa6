"""What has been told of the tracks of a store: numbers, rows, associations, events.

What has been told cannot be taken back: a track's number belongs to its family (its first detection) for good, and is
handed on if late data explain the same detections otherwise. An association that late data changes is told anew; of the
rows of one detection the newest holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tocsin.records.columns import ASSOCIATION, TRACK, Life, Table, empty
from tocsin.records.shapes import TrackEvent
from tocsin.tracking import life as lf
from tocsin.tracking.models import Bank
from tocsin.tracking.store import GIVEN, Chains, Store, pack, unpack

Ints = NDArray[np.int64]

_LATE = "late data explain its detections otherwise"


def leaders(store: Store) -> Ints:
    """The rows that stand for their families: of several leaves the one with the highest score, the first of equals."""
    _, first, size = np.unique(store.family, return_index=True, return_counts=True)
    if len(first) == len(store):
        return np.arange(len(store))
    order = np.lexsort((np.arange(len(store)), -store.score, store.family))
    return np.sort(order[np.cumsum(size) - size])


class Ledger:
    """All that was told of one store's tracks, by number (1, 2, ...)."""

    def __init__(self, chains: Chains) -> None:
        self.chains = chains
        self.numbers: dict[int, int] = {}  # by family
        self._next = 1
        self._rows = empty(TRACK, 64)  # newest row of each number, ``life`` as told
        self._family = np.zeros(64, dtype=np.int64)  # that bears the number now
        self._told = np.zeros(64, dtype=np.bool_)
        self.head = np.full(64, -1, dtype=np.int64)  # chain as told
        self._stitches = np.zeros(64, dtype=np.int64)  # as told
        self._splits = np.full(64, -1, dtype=np.int64)  # parent as told
        self._past: dict[int, dict[int, None]] = {}  # told of a number, and no longer in its chain

    # ------------------------------------------------------------------------------------------------------- numbers

    def _room(self, n: int) -> None:
        if n < len(self.head):
            return
        more = 2 * n - len(self.head)
        self._rows = np.concatenate((self._rows, empty(TRACK, more)))
        self._family = np.concatenate((self._family, np.zeros(more, dtype=np.int64)))
        self._told = np.concatenate((self._told, np.zeros(more, dtype=np.bool_)))
        self.head = np.concatenate((self.head, np.full(more, -1, dtype=np.int64)))
        self._stitches = np.concatenate((self._stitches, np.zeros(more, dtype=np.int64)))
        self._splits = np.concatenate((self._splits, np.full(more, -1, dtype=np.int64)))

    def add(self, families: Ints) -> list[int]:
        """New numbers for families."""
        out = []
        for family in families.tolist():
            self.numbers[family] = self._next
            out.append(self._next)
            self._next += 1
        self._room(self._next)
        return out

    def given(self, count: int) -> Ints:
        """Families for ``count`` tracks that do not begin with a detection."""
        before = sum(1 for f in self.numbers if f < 0 and int(unpack(np.array([f]))[0][0]) == GIVEN)
        return pack(np.full(count, GIVEN), np.zeros(count), before + np.arange(count))

    def idle(self, store: Store) -> bool:
        """Whether there is nothing to tell: no tracks, and none that was told and has not ended."""
        return not len(store) and not self._standing().any()

    def _standing(self) -> NDArray[np.bool_]:
        return np.asarray(self._told[: self._next] & (self._rows["life"][: self._next] != Life.ENDED))

    def known(self, number: int) -> bool:
        """Whether a track of this number was told."""
        return 0 < number < self._next and bool(self._told[number])

    # ------------------------------------------------------------------------------------------------------- telling

    def tell(
        self, store: Store, t1_ns: int, bank: Bank, why: Ints, fates: Mapping[int, tuple[str, int]], waits: Ints,
        names: Callable[[NDArray[np.bool_]], str],
    ) -> tuple[Table, Table, list[TrackEvent]]:  # fmt: skip
        """Rows of ``TRACK`` at ``t1_ns`` by number, new rows of ``ASSOCIATION``, events.

        ``why`` (n,): as from ``life.over``; ``fates``: why families ended that are not in the store; ``waits`` (S,):
        how old (ns) a sensor's newest look may be while all is well; ``names``: sensors (a mask) in words.
        """
        lead = leaders(store)
        worth = (store.life[lead] == Life.CONFIRMED) | (
            (store.updates[lead] >= lf.TELL_UPDATES) & (store.score[lead] > lf.TELL_SCORE)
        )
        known = np.array([f in self.numbers for f in store.family[lead].tolist()], dtype=np.bool_)
        alive = lead[(known | worth) & (why[lead] == lf.STAYS)]
        numbers = self._number(store, alive)
        order = np.argsort(numbers, kind="stable")
        alive, numbers = alive[order], numbers[order]
        rows = self._view(store, alive, numbers, t1_ns, bank, waits)
        events: list[TrackEvent] = []
        fresh = ~self._told[numbers]
        before = np.where(fresh, Life.TENTATIVE, self._rows["life"][numbers])
        stitches = store.stitches[alive]
        news = fresh | (before != rows["life"]) | (stitches != self._stitches[numbers])
        news |= self._splits[numbers] != rows["parent"]
        for k in np.flatnonzero(news).tolist():
            n = int(numbers[k])
            if fresh[k]:
                events.append(TrackEvent(n, "initiated", t1_ns, names(store.seen[alive[k]] >= 0)))
            events += _changes(n, int(before[k]), int(rows["life"][k]), t1_ns)
            if rows["parent"][k] >= 0 and rows["parent"][k] != self._splits[n]:
                self._splits[n] = rows["parent"][k]
                events.append(TrackEvent(n, "split", t1_ns, f"from track {int(rows['parent'][k])}"))
            if stitches[k] > self._stitches[n] and not fresh[k]:
                gap = (int(rows["last_update_ns"][k]) - int(self._rows["last_update_ns"][n])) / 1e9
                events.append(TrackEvent(n, "stitched", t1_ns, f"found again as a new track, {gap:.0f} s later"))
        self._told[numbers], self._stitches[numbers] = True, stitches
        self._rows[numbers] = rows
        associations = self._associate(store, alive, numbers)
        gone = self._standing()
        gone[numbers] = False
        over = {int(store.family[i]): lf.REASON[why[i]] for i in lead[why[lead] != lf.STAYS]} if gone.any() else {}
        ended = np.flatnonzero(gone)
        for n in ended.tolist():
            family = int(self._family[n])
            events.append(TrackEvent(n, "ended", t1_ns, over.get(family) or self._fate(fates.get(family)) or _LATE))
        self._rows["life"][ended] = Life.ENDED
        if len(ended):
            rows = np.concatenate((rows, self._rows[ended]))
            rows = rows[np.argsort(rows["track"], kind="stable")]
        return rows, associations, events

    def _fate(self, fate: tuple[str, int] | None) -> str:
        if fate is None:
            return ""
        why, other = fate
        return why.format(self.numbers.get(other, "?"))

    def _number(self, store: Store, alive: Ints) -> Ints:
        """The numbers of rows, new ones where needed: one whose track late data took away goes to its successor."""
        families = store.family[alive]
        out = np.array([self.numbers.get(f, 0) for f in families.tolist()], dtype=np.int64)
        new = np.flatnonzero(out == 0)
        if len(new):
            self._room(self._next + len(new))
            present = np.isin(self._family[: self._next], store.family)
            orphans = [n for n in np.flatnonzero(self._standing() & ~present).tolist() if n not in out]
            sent = {n: self._sent(n) for n in orphans}
            for k in new.tolist():
                best, most = 0, 0
                if sent:
                    mine = self.chains.marks(int(store.head[alive[k]])).tolist()
                    for n, theirs in sent.items():
                        common = sum(m in theirs for m in mine)
                        if common > most:
                            best, most = n, common
                if best:
                    del sent[best]
                    self.numbers[int(families[k])] = best
                else:
                    (best,) = self.add(families[k : k + 1])
                out[k] = best
        self._family[out] = families
        return out

    def _sent(self, n: int) -> dict[int, None]:
        """All detections told of a number."""
        return {**self._past.get(n, {}), **dict.fromkeys(self.chains.marks(int(self.head[n])).tolist())}

    def _associate(self, store: Store, alive: Ints, numbers: Ints) -> Table:
        heads = store.head[alive]
        changed = np.flatnonzero(self.head[numbers] != heads)
        if not len(changed):
            return empty(ASSOCIATION)
        which = numbers[changed]
        counts, marks, part = self.chains.since(heads[changed], self.head[which])
        new = np.ones(len(marks), dtype=np.bool_)
        ends = np.cumsum(counts)
        for k in range(len(which)):
            n = int(which[k])
            if part[k] and n not in self._past:
                continue
            begin, end = int(ends[k] - counts[k]), int(ends[k])
            sent = self._sent(n)
            new[begin:end] = [m not in sent for m in marks[begin:end].tolist()]
            chain = dict.fromkeys(self.chains.marks(int(heads[changed[k]])).tolist())
            past = {m: None for m in sent if m not in chain}
            if past:
                self._past[n] = past
            else:
                self._past.pop(n, None)
        self.head[which] = heads[changed]
        sensor, scan, place = unpack(marks)
        new &= sensor != GIVEN
        out = empty(ASSOCIATION, int(new.sum()))
        out["track"] = np.repeat(which, counts)[new]
        out["sensor"], out["scan"], out["n"] = sensor[new], scan[new], place[new]
        return out

    def _view(self, store: Store, alive: Ints, numbers: Ints, t1_ns: int, bank: Bank, waits: Ints) -> Table:
        rows = empty(TRACK, len(alive))
        if not len(alive):
            return rows
        x, cov, models = lf.view(store, alive, t1_ns / 1e9, bank)
        rows["track"], rows["t_ns"], rows["x"], rows["P"] = numbers, t1_ns, x, cov
        rows["mu"] = bank.by_kind(models)
        stage = store.life[alive].copy()
        silent = t1_ns - store.last_ns[alive]
        seen = store.seen[alive] >= 0
        wait = (seen * waits).max(axis=1) if len(waits) else np.zeros(len(alive), dtype=np.int64)
        late = silent > wait + np.maximum(lf.COAST_PERIODS * store.period_ns[alive], lf.LEAST_COAST_NS)
        stage[(stage == Life.CONFIRMED) & late] = Life.COASTING
        rows["life"] = stage
        rows["chart"] = store.chart[alive]
        rows["existence"] = 1.0 / (1.0 + np.exp(-store.score[alive]))
        rows["updates"] = store.updates[alive]
        rows["sensors"] = seen.sum(axis=1)
        rows["last_update_ns"] = store.last_ns[alive]
        rows["parent"] = -1
        for k in np.flatnonzero(store.parent[alive] != -1).tolist():
            rows["parent"][k] = self.numbers.get(int(store.parent[alive[k]]), -1)
        return rows

    # --------------------------------------------------------------------------------------------------------- state

    def to_plain(self) -> dict[str, Any]:
        """Plain data to go on from."""
        n = self._next
        counts, marks, _ = self.chains.since(self.head[:n], np.full(n, -1, dtype=np.int64))
        families = np.array(list(self.numbers), dtype=np.int64)
        return {
            "next": n,
            "numbers": [families.tobytes(), np.array(list(self.numbers.values()), dtype=np.int64).tobytes()],
            "rows": self._rows[:n].tobytes(),
            "families": self._family[:n].tobytes(),
            "told": self._told[:n].tobytes(),
            "stitches": self._stitches[:n].tobytes(),
            "splits": self._splits[:n].tobytes(),
            "chains": [counts.tobytes(), marks.tobytes()],
            "past": [[k, list(self._past[k])] for k in sorted(self._past)],
        }

    def load(self, plain: Mapping[str, Any]) -> None:
        """Go on from plain data."""
        self._next = int(plain["next"])
        families, numbers = (np.frombuffer(b, dtype=np.int64).tolist() for b in plain["numbers"])
        self.numbers = dict(zip(families, numbers, strict=True))
        self._room(self._next)
        n = self._next
        self._rows[:n] = np.frombuffer(plain["rows"], dtype=TRACK)
        self._family[:n] = np.frombuffer(plain["families"], dtype=np.int64)
        self._told[:n] = np.frombuffer(plain["told"], dtype=np.bool_)
        self._stitches[:n] = np.frombuffer(plain["stitches"], dtype=np.int64)
        self._splits[:n] = np.frombuffer(plain["splits"], dtype=np.int64)
        counts, marks = (np.frombuffer(b, dtype=np.int64) for b in plain["chains"])
        self.head[:n] = self.chains.chains(counts, marks)
        self._past = {int(k): {int(m): None for m in past} for k, past in plain["past"]}


def _changes(n: int, before: int, now: int, t_ns: int) -> list[TrackEvent]:
    """Events of a track whose state was told as ``before`` and is ``now``."""
    if now == before:
        return []
    if now == Life.COASTING:
        coasting = TrackEvent(n, "coasting", t_ns, "not seen lately")
        return [TrackEvent(n, "confirmed", t_ns), coasting] if before == Life.TENTATIVE else [coasting]
    if before in (Life.COASTING, Life.ENDED):
        return [TrackEvent(n, "reacquired", t_ns)]
    return [TrackEvent(n, "confirmed", t_ns)] if now == Life.CONFIRMED else []
