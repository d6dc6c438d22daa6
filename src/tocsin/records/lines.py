"""The sparse tables (warnings, messages, decisions, events, inputs ...), row by row from the bodies of records."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from tocsin.records.dictionary import TABLES
from tocsin.records.record import Input, Record, unpack
from tocsin.records.shapes import Decision, Envelope, Estimate, RaidPicture, Recall, Task, TrackEvent, WarningVersion
from tocsin.records.words import Facts, nation_of, utc_texts

Row = dict[str, Any]
Rows = dict[str, list[Row]]

_json = msgspec.json.Encoder(order="deterministic")


class Accept(msgspec.Struct, frozen=True):
    """Body of an "input" record: the input and the frame edge at which it applies."""

    input: Input
    applies_ns: int


class FlightBody(msgspec.Struct, frozen=True):
    """Body of a "truth.flight" record: an object as it flew (ns, m, rad); no impact where it did not come down.

    ``kind`` as in ``truth.body.Body``; ``parent``: what it came off ("": nothing), whose launch it then shares.
    """

    object: str
    class_: str = msgspec.field(name="class")
    launch_ns: int
    cutoff_ns: int
    impact_ns: int | None
    apogee_m: float
    apogee_ns: int
    range_m: float | None
    launch_lat: float
    launch_lon: float
    impact_lat: float | None
    impact_lon: float | None
    drawn: dict[str, Any]
    kind: str = "flight"
    parent: str = ""


class ObjectBody(msgspec.Struct, frozen=True):
    """Body of a "truth.object" record: something that moves (ns); ``facts``: what was drawn and solved, SI and rad."""

    object: str
    class_: str = msgspec.field(name="class")
    kind: str
    parent: str
    start_ns: int
    end_ns: int
    facts: dict[str, Any]


class _Reference(msgspec.Struct, frozen=True):
    """What of a message's body a table shows."""

    uid: str | None = None
    version: int | None = None


def json_text(value: Any) -> str:
    """JSON with sorted keys."""
    return _json.encode(value).decode()


def _s(t_ns: int | None) -> float | None:
    return None if t_ns is None else t_ns / 1e9


def _finite(value: float | None, factor: float = 1.0) -> float | None:
    return None if value is None or not math.isfinite(value) else value * factor


def _estimate(base: Row, what: str, estimate: Estimate) -> Row:
    mean = estimate.mean or (None, None)
    cov = estimate.cov_enu or (None, None, None, None)
    cross = estimate.cov_position_time or (None, None)
    return {
        **base,
        "what": what,
        "as_of_s": _s(estimate.as_of_ns),
        "basis": estimate.basis,
        "p_impact": estimate.p_impact,
        "kind": estimate.kind,
        "lat_deg": _finite(mean[0], 180.0 / math.pi),
        "lon_deg": _finite(mean[1], 180.0 / math.pi),
        "cov_ee_km2": _finite(cov[0], 1e-6),
        "cov_en_km2": _finite(cov[1], 1e-6),
        "cov_nn_km2": _finite(cov[3], 1e-6),
        "at_s": _s(estimate.t_ns),
        "at_sigma_s": None if estimate.t_var is None else _finite(math.sqrt(max(estimate.t_var, 0.0))),
        "cov_et_km_s": _finite(cross[0], 1e-3),
        "cov_nt_km_s": _finite(cross[1], 1e-3),
        "region50": None if estimate.region50 is None else json_text(estimate.region50),
        "region95": None if estimate.region95 is None else json_text(estimate.region95),
    }


def _warning(record: Record, out: Rows) -> tuple[str, str, str]:
    w = unpack(record.body, WarningVersion)
    base: Row = {
        "nation": nation_of(record),
        "label": record.label,
        "warning": w.uid,
        "version": w.version,
        "t_s": _s(w.t_ns),
    }
    out["warnings"].append({
        **base,
        "t_ns": w.t_ns,
        "status": w.status,
        "confirmed": w.confirmed,
        "cause": w.cause,
        "track": w.track,
        "sources": ",".join(w.sources),
        "partner": w.partner,
        "first_data_s": _s(w.first_data_ns),
        "burnout_s": _s(w.burnout_ns),
        "p_real": w.p_real,
        "confidence": w.confidence,
        "types": json_text(w.types),
        "causes": json_text(w.causes),
        "families": json_text(w.families),
        "known": w.known or None,
    })
    out["estimates"].append(_estimate(base, "launch", w.launch))
    out["estimates"].append(_estimate(base, "impact", w.impact))
    for risk in w.areas:
        out["risks"].append({
            **base,
            "area": risk.area,
            "p_impact": risk.p_impact,
            "p_passage": risk.p_passage,
            "at_s": _s(risk.t_ns),
            "excluded": risk.excluded,
        })
    for item in w.evidence:
        out["evidence"].append({
            **base,
            "sensor_kind": item.sensor_kind,
            "sensor": item.sensor,
            "state": item.state,
            "could_from_s": _s(item.could_from_ns),
            "source_chain": ",".join(item.source_chain),
            "looks": item.looks,
            "detections": item.detections,
            "weight": _finite(item.weight, 1.0),
        })
    for notice in w.announced:
        out["evidence"].append({
            **base,
            "sensor_kind": "notice",
            "sensor": notice.notice,
            "state": "announced" if notice.p >= 0.5 else "other launch",
            "could_from_s": None,
            "source_chain": notice.sender,
        })
    return w.uid, w.status, f"version {w.version}: {w.cause}"


def _decision(record: Record, out: Rows) -> tuple[str, str, str]:
    d = unpack(record.body, Decision)
    out["decisions"].append({
        "nation": nation_of(record),
        "post": d.post,
        "step": d.step,
        "action": d.action,
        "warning": d.warning,
        "version": d.version,
        "due_s": _s(d.due_ns),
        "t_s": _s(record.t_ns),
        "t_ns": record.t_ns,
        "took_s": d.took_s,
        "by": d.by,
        "areas": ",".join(d.areas),
        "text": d.text,
    })
    return d.warning, d.action, d.text


def _message(record: Record, out: Rows) -> tuple[str, str, str]:
    e = unpack(record.body, Envelope)
    outcome = record.kind.partition(".")[2]
    carried = unpack(e.body, _Reference) if e.kind == "warning" else _Reference()
    row: Row = {
        "sender": e.sender,
        "recipient": e.recipient,
        "n": e.n,
        "kind": e.kind,
        "sent_s": _s(e.sent_ns),
        "arrive_s": _s(e.arrive_ns) if outcome == "received" else None,
        "outcome": outcome,
        "warning": carried.uid,
        "version": carried.version,
        "exercise": e.exercise,
    }
    out["messages"].append(row)
    about = f": {carried.uid} version {carried.version}" if carried.uid else ""
    return f"{e.sender}>{e.recipient} {e.n}", outcome, f"{e.exercise} {e.kind}{about}"


def _input(record: Record, out: Rows) -> tuple[str, str, str]:
    body = unpack(record.body, Accept)
    i = body.input
    raw = bytes(i.body)
    out["inputs"].append({
        "id": i.id,
        "branch": i.branch,
        "seat": i.seat,
        "person": i.person,
        "act": i.act,
        "v": i.v,
        "applies_s": _s(body.applies_ns),
        "body": json_text(msgspec.msgpack.decode(raw)) if raw else "null",
    })
    return i.id, i.act, f"{i.seat} {i.person}".strip()


def _flight(record: Record, out: Rows) -> tuple[str, str, str]:
    f = unpack(record.body, FlightBody)
    deg = 180.0 / math.pi
    out["flights"].append({
        "object": f.object,
        "class": f.class_,
        "launch_s": _s(f.launch_ns),
        "cutoff_s": _s(f.cutoff_ns),
        "apogee_s": _s(f.apogee_ns),
        "impact_s": _s(f.impact_ns),
        "apogee_km": f.apogee_m * 1e-3,
        "range_km": _finite(f.range_m, 1e-3),
        "launch_lat_deg": f.launch_lat * deg,
        "launch_lon_deg": f.launch_lon * deg,
        "impact_lat_deg": _finite(f.impact_lat, deg),
        "impact_lon_deg": _finite(f.impact_lon, deg),
        "drawn": json_text(f.drawn),
        "kind": f.kind,
        "parent": f.parent or None,
    })
    reach = "does not come down" if f.range_m is None else f"range {f.range_m / 1e3:.1f} km"
    return f.object, "flight", f"{f.class_}: apogee {f.apogee_m / 1e3:.1f} km, {reach}"


def _object(record: Record, out: Rows) -> tuple[str, str, str]:
    o = unpack(record.body, ObjectBody)
    out["objects"].append({
        "object": o.object,
        "kind": o.kind,
        "class": o.class_ or None,
        "parent": o.parent or None,
        "start_s": _s(o.start_ns),
        "end_s": _s(o.end_ns),
        "facts": json_text(o.facts),
    })
    return o.object, "object", f"{o.kind}{f' of {o.parent}' if o.parent else ''}"


def _truth_event(record: Record, out: Rows) -> tuple[str, str, str]:
    body = unpack(record.body, dict[str, Any])
    deg = 180.0 / math.pi
    place = f"{body['lat'] * deg:.4f} deg north, {body['lon'] * deg:.4f} deg east, {body['h'] / 1e3:.1f} km"
    return str(body["object"]), str(body["event"]), place


def _track_event(record: Record, out: Rows) -> tuple[str, str, str]:
    e = unpack(record.body, TrackEvent)
    return f"track {e.track}", e.event, e.reason


def _task(record: Record, out: Rows) -> tuple[str, str, str]:
    task = unpack(record.body, Task)
    within = f"within {task.spread / 1e3:.1f} km until T+{task.until_ns / 1e9:g} s"
    return task.sensor, "asked to look", f"{task.about}: {within}"


def _raid(record: Record, out: Rows) -> tuple[str, str, str]:
    raid = unpack(record.body, RaidPicture)
    out["raids"].append({
        "nation": nation_of(record),
        "t_s": _s(raid.t_ns),
        "t_ns": raid.t_ns,
        "open": raid.open,
        "confirmed": raid.confirmed,
        "expected": raid.expected,
        "least": raid.least,
        "most": raid.most,
        "rate_per_min": raid.rate_per_min,
        "first_impact_s": _s(raid.first_impact_ns),
        "first_sigma_s": raid.first_sigma_s,
        "last_impact_s": _s(raid.last_impact_ns),
        "last_sigma_s": raid.last_sigma_s,
        "areas": json_text(raid.areas),
        "counts": json_text(raid.counts),
    })
    return nation_of(record), "raid", f"{raid.open} open, {raid.least} to {raid.most} of them real"


def _recall(record: Record, out: Rows) -> tuple[str, str, str]:
    recall = unpack(record.body, Recall)
    after = (record.t_ns - recall.since_ns) / 1e9
    times = "once" if recall.times == 1 else f"{recall.times} times"
    return recall.warning, "taken back", f"{recall.recipient}: {recall.event}, {times}, {after:g} s after"


def _other(record: Record, out: Rows) -> tuple[str, str, str]:
    """Kinds without a table of their own: an inject, a sensor's status, whatever a user's package adds."""
    body = unpack(record.body, object)
    if not isinstance(body, dict):
        return "", record.kind.rpartition(".")[2], json_text(body)
    subject = next((body[k] for k in ("target", "sensor", "object", "id") if isinstance(body.get(k), str)), "")
    what = next((body[k] for k in ("act", "status", "event") if isinstance(body.get(k), str)), record.kind)
    text = body.get("text")
    return subject, what, text if isinstance(text, str) else json_text(body)


_READERS: dict[str, Callable[[Record, Rows], tuple[str, str, str]]] = {
    "warning": _warning,
    "decision": _decision,
    "message.sent": _message,
    "message.received": _message,
    "message.lost": _message,
    "input": _input,
    "truth.flight": _flight,
    "truth.object": _object,
    "truth.event": _truth_event,
    "track.event": _track_event,
    "sensor.task": _task,
    "warning.recall": _recall,
    "raid": _raid,
}


def _settled(messages: list[Row]) -> list[Row]:
    """One row a message, with what became of it in the end, ordered by (sent, sender, recipient, n)."""
    last: dict[tuple[str, str, int], Row] = {}
    for row in messages:
        key = (row["sender"], row["recipient"], row["n"])
        # the sender's row first makes the message; what the link or the recipient says of it counts more
        if key not in last or row["outcome"] != "sent":
            last[key] = row
    return sorted(last.values(), key=lambda r: (r["sent_s"], r["sender"], r["recipient"], r["n"]))


def sparse_rows(records: list[Record], facts: Facts) -> Rows:
    """Rows of all tables but the dense ones, from records in their order."""
    out: Rows = {name: [] for name in TABLES}
    for record in records:
        subject, what, text = _READERS.get(record.kind, _other)(record, out)
        out["events"].append({
            "t_s": _s(record.t_ns),
            "t_ns": record.t_ns,
            "source": record.source,
            "n": record.n,
            "kind": record.kind,
            "audience": ",".join(record.audience),
            "label": record.label,
            "subject": subject,
            "what": what,
            "text": text,
        })
    out["messages"] = _settled(out["messages"])
    out["inputs"].sort(key=lambda r: r["applies_s"])
    place = {name: i for i, name in enumerate(facts.objects)}
    out["flights"].sort(key=lambda r: place.get(r["object"], len(place)))
    out["objects"].sort(key=lambda r: place.get(r["object"], len(place)))
    for name in ("warnings", "raids", "decisions", "events"):
        times = np.array([row["t_ns"] for row in out[name]], dtype=np.int64)
        for row, text in zip(out[name], utc_texts(facts.unix_ns, times), strict=True):
            row["time_utc"] = text
    return out
