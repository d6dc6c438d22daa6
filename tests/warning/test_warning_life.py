"""Random evidence drives the life of warnings: none is lost, doubled, cancelled twice or left open."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tocsin.exchange.gateway import MOST, Gateway
from tocsin.exchange.inbox import Inbox
from tocsin.records.columns import ASSOCIATION, DETECTION, SCAN, TRACK, Life, Status, empty
from tocsin.records.shapes import AreaRisk, Envelope, Estimate, Evidence, Receipt, TrackEvent, WarningVersion
from tocsin.scenario.specs import Infrared, Link, NationSpec, Orbit, Sensor, Share, Spread, WarningRule
from tocsin.tracking.tracker import TrackStep
from tocsin.warning.assess import Assessment
from tocsin.warning.warner import Warner

S = 1_000_000_000
DEG = math.pi / 180.0
OVER = ("cancelled", "closed")
SENSORS = tuple(
    Sensor(n, f"ir-{n}", f"IR {n}", "a", Infrared(
        Orbit(42164e3, 0.0, 0.0, 0.0, 0.0, 0.5 * n), 10.0, 1e4, 6.0, 3.6e7, 8e3, 5e-5, 1e-5, 0.0, 5.0, 1e4,
    )) for n in range(3)
)  # fmt: skip


def nation(name: str, **change: Any) -> NationSpec:
    made = NationSpec(
        id=name, name=name, unix_ns=0, theta0=0.0, frame_ns=S, duration_ns=36000 * S, stream=1, sensors=SENSORS,
        classes=(), areas=(), posts=(), rule=WarningRule(3, 5.0, 1, True, 0.01, 5.0, 2.0), shares=(),
        links=(Link("a", "b", Spread(1.0), 0.0), Link("b", "a", Spread(1.0), 0.0)),
    )  # fmt: skip
    return msgspec.structs.replace(made, **change)


def gaussian(lat: float, t_s: float) -> Estimate:
    return Estimate(0, "coast", 1.0, "gaussian", (lat * DEG, 0.3), (1e6, 0.0, 0.0, 1e6), round(t_s * S), 4.0)


class LifeOfWarnings(RuleBasedStateMachine):
    """A nation with tracks made by hand, a partner that says what it likes, and a third that is told."""

    def __init__(self) -> None:
        super().__init__()
        self.t = 100
        self.rows: dict[int, dict[str, Any]] = {}
        self.detections: dict[int, Any] = {}
        self.next = 0
        self.misfit: dict[int, float] = {}
        self.versions: dict[str, list[WarningVersion]] = {}
        self.opened_by: dict[str, int | None] = {}
        self.warner = self._warner()
        self.gateway = Gateway(nation("a", shares=(Share("a", "b", "warnings", ("ir-0",)),)))
        self.told: dict[str, WarningVersion] = {}  # what the recipient has
        self.inbox = Inbox(nation("b"))
        self.last_word: dict[str, WarningVersion] = {}

    def _warner(self) -> Warner:
        return Warner(nation("a"), "own", SENSORS, self)  # type: ignore[arg-type]

    # ---- what the warner asks of its tracker

    def history(self, track: int) -> Any:
        table = self.detections[track]
        return SimpleNamespace(detections=table, scans=empty(SCAN, len(table)))

    def assess(self, t_ns: int, row: Any, tracker: Any, plume: Any) -> Assessment:
        n = int(row["track"])
        where = 10.0 * (n % 8)
        born = self.rows[n]["born"]
        return Assessment(
            gaussian(where, born), gaussian(where + 5.0, born + 900.0), (AreaRisk("x", 0.1, 0.1, None, False),),
            {"irbm": 1.0}, None, 1.0, self.misfit.get(n, 0.0),
        )  # fmt: skip

    # ---- what may happen

    @rule(sensor=st.integers(0, 2), existence=st.floats(0.0, 1.0), misfit=st.sampled_from([0.0, 0.0, 1e3]))
    def appears(self, sensor: int, existence: float, misfit: float) -> None:
        n = self.next = self.next + 1
        self.rows[n] = {"existence": existence, "life": Life.CONFIRMED, "born": self.t}
        self.misfit[n] = misfit
        self.detections[n] = empty(DETECTION, 0)
        self._seen(n, sensor)

    def _seen(self, n: int, sensor: int) -> None:
        more = empty(DETECTION, 1)
        more["sensor"], more["t_ns"], more["intensity"] = sensor, self.t * S, 1e5
        self.detections[n] = np.concatenate([self.detections[n], more])

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), sensor=st.integers(0, 2), existence=st.floats(0.0, 1.0))
    def is_seen(self, data: Any, sensor: int, existence: float) -> None:
        n = data.draw(st.sampled_from(sorted(self.rows)))
        self.rows[n]["existence"] = existence
        self._seen(n, sensor)
        self._step(associated=[(n, sensor)])

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def ends(self, data: Any) -> None:
        n = data.draw(st.sampled_from(sorted(self.rows)))
        del self.rows[n]
        self._step(events=(TrackEvent(n, "ended", self.t * S, "not seen again"),))

    @rule(seconds=st.sampled_from([1, 5, 30, 120, 700]), degraded=st.booleans())
    def time_passes(self, seconds: int, degraded: bool) -> None:
        scans = empty(SCAN, 1)
        scans["sensor"], scans["status"] = 1, Status.DEGRADED if degraded else Status.UP
        scans["t0_ns"], scans["t1_ns"] = (self.t - 1) * S, self.t * S
        self.t += seconds
        self._step(scans=scans)

    @rule(
        number=st.integers(0, 2), version=st.integers(0, 6), p=st.floats(0.0, 1.0),
        status=st.sampled_from(["opened", "updated", "confirmed", "downgraded", "cancelled", "closed"]),
        state=st.sampled_from(["agrees", "disagrees", "not_yet"]),
    )  # fmt: skip
    def the_partner_says(self, number: int, version: int, p: float, status: Any, state: Any) -> None:
        uid = f"c/to:a/{number}"
        said = WarningVersion(
            uid, version, self.t * S, status, status == "confirmed", "", None, ("c",), None, self.t * S,
            gaussian(10.0 * number, self.t), gaussian(10.0 * number + 5.0, self.t + 900.0), (), {"irbm": 1.0}, p, "low",
            (Evidence("radar", "r", state, None, ("c",)),),
        )  # fmt: skip
        known = self.last_word.get(uid)
        if status in OVER or known is None:
            self.last_word[uid] = said
        self._step(received=(said,))

    @rule()
    def stops_and_goes_on(self) -> None:
        again, gateway = self._warner(), Gateway(nation("a", shares=(Share("a", "b", "warnings", ("ir-0",)),)))
        again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(self.warner.state())))
        gateway.load(msgspec.msgpack.decode(msgspec.msgpack.encode(self.gateway.state())))
        self.warner, self.gateway = again, gateway

    # ---- one frame

    def _step(
        self,
        associated: list[tuple[int, int]] = [],  # noqa: B006
        events: tuple[TrackEvent, ...] = (),
        scans: Any = None,
        received: tuple[WarningVersion, ...] = (),
    ) -> None:
        self.t += 1
        rows = empty(TRACK, len(self.rows))
        for row, (n, known) in zip(rows, sorted(self.rows.items()), strict=True):
            row["track"], row["t_ns"], row["life"] = n, self.t * S, known["life"]
            row["existence"], row["updates"] = known["existence"], len(self.detections[n])
            row["mu"], row["x"] = (1, 0, 0, 0, 0, 0), (7000e3, 0, 0, 0, 7000, 0)
        pairs = empty(ASSOCIATION, len(associated))
        for pair, (n, sensor) in zip(pairs, associated, strict=True):
            pair["track"], pair["sensor"] = n, sensor
        step = TrackStep(rows, pairs, events, 0)
        mail = tuple((Envelope("c", "a", 0, 0, 0, "warning", "EXERCISE", msgspec.Raw(b"\xc0")), v) for v in received)
        made = self.warner.step(self.t * S, empty(SCAN) if scans is None else scans, step, self, mail)  # type: ignore[arg-type]
        for version in made:
            self._take(version)
        released = [msgspec.structs.replace(v, uid=v.uid.replace("own", "to:b"), sources=("a",)) for v in made]
        for envelope, _ in self.gateway.release(self.t * S, "to:b", released):
            self._deliver(envelope)
        for envelope, _ in self.gateway.repeat(self.t * S):
            self._deliver(envelope)

    def _deliver(self, envelope: Envelope) -> None:
        if envelope.n % 3 == 2:
            return  # lost on its way
        read = self.inbox.accept(envelope)
        assert isinstance(read, WarningVersion), read
        self.told[read.uid] = read
        if read.status == "cancelled":
            back = Gateway(nation("b")).receipt(self.t * S, "a", read)
            assert back is not None
            receipt = Inbox(nation("a")).accept(back)
            assert isinstance(receipt, Receipt)
            self.gateway.take_receipt("b", receipt)

    def _take(self, version: WarningVersion) -> None:
        """The life of a warning, version by version."""
        history = self.versions.setdefault(version.uid, [])
        assert version.version == len(history)  # none lost, none doubled
        assert version.t_ns == self.t * S
        if history:
            assert history[-1].status not in OVER  # nothing after the end: neither cancelled nor closed twice
            assert version.status != "opened"
            assert version.confirmed or version.status != "confirmed"
            if version.status == "confirmed":
                assert not history[-1].confirmed
            if version.status == "downgraded":
                assert history[-1].confirmed
                assert not version.confirmed
        else:
            assert version.status == "opened"
        assert not (version.status == "cancelled" and version.confirmed)
        assert version.cause
        assert 0.0 <= version.p_real <= 1.0
        assert abs(sum(version.causes.values()) - 1.0) < 1e-6
        history.append(version)

    @invariant()
    def what_is_open_here_is_what_was_told(self) -> None:
        open_ = {uid for uid, history in self.versions.items() if history[-1].status not in OVER}
        assert open_ == set(self.warner.newest())
        tracks = [v.track for v in self.warner.newest().values() if v.track is not None]
        assert len(tracks) == len(set(tracks))  # no track has two warnings
        partners = [v.partner for v in self.warner.newest().values() if v.partner is not None]
        assert len(partners) == len(set(partners))

    def teardown(self) -> None:
        """In the end all tracks are gone and all times have passed: nothing may be left open, here or abroad."""
        for n in sorted(self.rows):
            self.ends_all(n)
        for _ in range(3):
            self.t += 4000
            self._step()
        for uid in [uid for uid, v in self.last_word.items() if v.status not in OVER]:
            self._step(received=(msgspec.structs.replace(self.last_word[uid], version=99, status="closed"),))
        for _ in range(MOST + 1):
            self.t += 40
            self._step()
        assert self.warner.newest() == {}
        for history in self.versions.values():
            assert sum(v.status in OVER for v in history) == 1
            uid = history[0].uid.replace("own", "to:b")
            if history[-1].status == "cancelled":
                assert self.told[uid].status == "cancelled"  # though every third message is lost

    def ends_all(self, n: int) -> None:
        """One track's end."""
        del self.rows[n]
        self._step(events=(TrackEvent(n, "ended", self.t * S, "not seen again"),))


TestLifeOfWarnings = LifeOfWarnings.TestCase
TestLifeOfWarnings.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
