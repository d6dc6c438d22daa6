"""A scenario's two sides: what is so (``WorldSpec``) and what each nation is told (``NationSpec``), in SI."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable

from tocsin.scenario import catalogue, moments, specs
from tocsin.scenario.checks import plain_of, post_of, resolved_sensor, spread_spec
from tocsin.scenario.model import AreaEntry, ObjectEntry, PartnerEntry, ScenarioModel

Theta = Callable[[int], float]


def stream_seed(seed: int, nation: str) -> int:
    """A nation's own 64-bit seed: a digest of the scenario's, from which that cannot be had back.

    The same digest as ``earth.random.stream_key(seed, "nation:" + nation, "stream")``.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in (str(seed), f"nation:{nation}", "stream"):
        raw = part.encode()
        digest.update(len(raw).to_bytes(4, "little"))
        digest.update(raw)
    return int.from_bytes(digest.digest(), "little")


def _longitude(degrees: float) -> float:
    return math.remainder(math.radians(degrees), 2.0 * math.pi)


def _object(id: str, entry: ObjectEntry, start: int) -> specs.FlightObject:
    return specs.FlightObject(
        id=id,
        key="",
        class_id=entry.class_,
        launch_ns=moments.moment_ns(entry.launch, start),
        lat=math.radians(entry.site.lat_deg),
        lon=_longitude(entry.site.lon_deg),
        h=float(entry.site.height_m),
        azimuth=math.fmod(math.radians(entry.azimuth_deg), 2.0 * math.pi),
        range=entry.range_km * 1e3,
        apogee=entry.apogee_km * 1e3,
    )


def _with_keys(objects: list[specs.FlightObject]) -> tuple[specs.FlightObject, ...]:
    """Objects with keys of their content (no name, no order), sorted by key; equal ones are told apart by a count."""
    counts: dict[str, int] = {}
    made = []
    for thing in objects:
        content = [
            thing.class_id,
            thing.launch_ns,
            thing.lat,
            thing.lon,
            thing.h,
            thing.azimuth,
            thing.range,
            thing.apogee,
        ]
        text = json.dumps(content)
        ordinal = counts.get(text, 0)
        counts[text] = ordinal + 1
        key = hashlib.blake2b(f"{text}#{ordinal}".encode(), digest_size=16).hexdigest()
        made.append(
            specs.FlightObject(
                thing.id,
                key,
                thing.class_id,
                thing.launch_ns,
                thing.lat,
                thing.lon,
                thing.h,
                thing.azimuth,
                thing.range,
                thing.apogee,
            )
        )
    return tuple(sorted(made, key=lambda thing: thing.key))


def _ring(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    ring = [(_longitude(lon), math.radians(lat)) for lon, lat in points]
    return (*ring, ring[0]) if ring[0] != ring[-1] else tuple(ring)


def _area(id: str, entry: AreaEntry) -> specs.Area:
    rings = (_ring(entry.polygon), *(_ring(hole) for hole in entry.holes))
    return specs.Area(id, entry.name or id, entry.kind, rings)


def _rule(entry: PartnerEntry) -> specs.WarningRule:
    rule = entry.centre.rule
    return specs.WarningRule(
        rule.min_updates, float(rule.min_span_s), rule.min_sensors, rule.accept_partner, rule.exclude_below,
        float(rule.refresh_s), float(rule.processing_s),
    )  # fmt: skip


def split(model: ScenarioModel, theta0: Theta) -> tuple[specs.WorldSpec, dict[str, specs.NationSpec]]:
    """The two sides of a valid scenario; ``theta0``: sidereal angle (rad) at a time in ns since 1970."""
    start = moments.unix_ns(model.start)
    frame_ns, duration_ns = round(model.frame_s * 1e9), moments.duration_ns(model.duration)
    angle = theta0(start)
    declared: dict[str, list[specs.Sensor]] = {id: [] for id in model.partners}
    actual: list[specs.Sensor] = []
    pairs = sorted((partner, id) for partner, entry in model.partners.items() for id in entry.sensors)
    for n, (partner, id) in enumerate(pairs):
        resolved, problems = resolved_sensor(id, model.partners[partner].sensors[id])
        if resolved is None:  # the loader has refused such a scenario
            raise AssertionError(problems)
        for which, into in (("declared", declared[partner]), ("actual", actual)):
            values = catalogue.model(resolved.kind, resolved.plain(which), start, theta0)
            into.append(specs.Sensor(n, id, resolved.name, partner, values))
    truth, belief = [], []
    for id, entry in sorted(model.classes.items()):
        merged = catalogue.merged_class(id, plain_of(entry))
        if merged is None:
            raise AssertionError(id)
        truth.append(catalogue.flight_class(id, merged, "truth"))
        belief.append(catalogue.flight_class(id, merged, "belief"))
    links = tuple(specs.Link(link.from_, link.to, spread_spec(link.delay_s), float(link.loss)) for link in model.links)
    shares = [
        specs.Share(
            r.from_,
            r.to,
            model.sharing.mode,
            tuple(sorted(model.partners[r.from_].sensors)) if r.sensors == "all" else tuple(sorted(r.sensors)),
        )
        for r in (model.sharing.releases if model.sharing.mode != "none" else ())
    ]
    injects = tuple(
        specs.Inject(
            i.id,
            moments.moment_ns(i.at, start),
            None if i.until is None else moments.moment_ns(i.until, start),
            i.act,
            i.target,
            i.text,
        )
        for i in model.injects
    )
    nations = {
        id: specs.NationSpec(
            id=id,
            name=entry.name or id,
            unix_ns=start,
            theta0=angle,
            frame_ns=frame_ns,
            duration_ns=duration_ns,
            stream=stream_seed(model.seed, id),
            sensors=tuple(declared[id]),
            classes=tuple(belief),
            areas=tuple(_area(area, content) for area, content in entry.areas.items()),
            posts=tuple(post_of(post, content) for post, content in entry.posts.items()),
            rule=_rule(entry),
            shares=tuple(s for s in shares if s.sender == id),
            links=tuple(link for link in links if link.sender == id),
        )
        for id, entry in sorted(model.partners.items())
    }
    world = specs.WorldSpec(
        id=model.id,
        title=model.title,
        unix_ns=start,
        theta0=angle,
        frame_ns=frame_ns,
        duration_ns=duration_ns,
        seed=model.seed,
        sensors=tuple(actual),
        classes=tuple(truth),
        objects=_with_keys([_object(id, entry, start) for id, entry in model.objects.items()]),
        nations=tuple(nations),
        links=links,
        injects=injects,
    )
    return world, nations
