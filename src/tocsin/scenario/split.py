"""A scenario's two sides: what is so (``WorldSpec``) and what each nation is told (``NationSpec``), in SI."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence

import msgspec

from tocsin.scenario import behind, catalogue, elementsets, ladders, moments, recorded, specs
from tocsin.scenario.checks import plain_of, post_of, resolved_sensor, spread_spec
from tocsin.scenario.model import (
    AreaEntry,
    InjectEntry,
    PartnerEntry,
    RuleEntry,
    ScenarioModel,
    SensorEntry,
    StatusEntry,
)
from tocsin.scenario.notices import notice_spec
from tocsin.scenario.objects import (
    AircraftEntry,
    AnyEntry,
    FileEntry,
    LaunchEntry,
    SatelliteEntry,
    StateEntry,
    TableEntry,
)

Theta = Callable[[int], float]
FLATTENING = 1.0 / 298.257223563  # WGS 84


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


def _launched(id: str, entry: LaunchEntry, start: int) -> specs.FlightObject:
    orbit = None
    if entry.orbit is not None:
        raised = entry.orbit.raise_to_km
        orbit = specs.TargetOrbit(
            entry.orbit.perigee_km * 1e3,
            entry.orbit.apogee_km * 1e3,
            math.radians(entry.orbit.inclination_deg),
            entry.orbit.heading == "north",
            None if raised is None else (raised[0] * 1e3, raised[1] * 1e3),
        )
    return specs.FlightObject(
        id=id,
        key="",
        class_id=entry.class_,
        launch_ns=moments.moment_ns(entry.launch, start),
        lat=math.radians(entry.site.lat_deg),
        lon=_longitude(entry.site.lon_deg),
        h=float(entry.site.height_m),
        azimuth=math.fmod(math.radians(entry.azimuth_deg or 0.0), 2.0 * math.pi),
        range=(entry.range_km or 0.0) * 1e3,
        apogee=(entry.apogee_km or 0.0) * 1e3,
        shape=entry.shape or "",
        end=None if entry.to is None else (math.radians(entry.to.lat_deg), _longitude(entry.to.lon_deg)),
        flight_time=0.0 if entry.flight_time is None else moments.duration_ns(entry.flight_time) / 1e9,
        orbit=orbit,
        cutoff=float(entry.thrust_ends_s or 0.0),
        bank=tuple((float(t), math.radians(angle)) for t, angle in entry.bank_deg or ()),
        loose=entry.loose,
    )


def ecef_state(
    lat: float, lon: float, h: float, speed: float, azimuth: float, climb: float
) -> tuple[float, float, float, float, float, float]:
    """Position and velocity in ecef (m, m/s) of a place on or over the ellipsoid (rad, m) and a speed against the
    turning Earth (m/s), with its azimuth and its angle over the horizon (rad).
    """
    sin_lat, cos_lat, sin_lon, cos_lon = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    e2 = FLATTENING * (2.0 - FLATTENING)
    n = catalogue.EQUATOR / math.sqrt(1.0 - e2 * sin_lat * sin_lat)
    east, north = speed * math.cos(climb) * math.sin(azimuth), speed * math.cos(climb) * math.cos(azimuth)
    up = speed * math.sin(climb)
    out = up * cos_lat - north * sin_lat  # away from the axis
    return (
        (n + h) * cos_lat * cos_lon,
        (n + h) * cos_lat * sin_lon,
        (n * (1.0 - e2) + h) * sin_lat,
        out * cos_lon - east * sin_lon,
        out * sin_lon + east * cos_lon,
        up * sin_lat + north * cos_lat,
    )


def _from_state(
    id: str, entry: StateEntry, start: int, end_ns: int, of_class: specs.FlightClass | None
) -> specs.StateObject:
    s = entry.state
    at = moments.moment_ns(s.at, start)
    drag: tuple[tuple[float, float], ...] = of_class.drag_mach if of_class else ()
    if entry.drag_mach is not None:
        drag = tuple((float(mach), float(factor)) for mach, factor in entry.drag_mach.points)
    return specs.StateObject(
        id=id,
        key="",
        class_id=entry.class_ or "",
        at_ns=at,
        state=ecef_state(
            math.radians(s.lat_deg), _longitude(s.lon_deg), s.height_km * 1e3, s.speed_m_s,
            math.radians(s.azimuth_deg), math.radians(s.climb_deg),
        ),
        beta=_given(entry.beta_kg_m2, of_class.beta if of_class else None),
        drag_mach=drag,
        rcs=_given(entry.rcs_m2, of_class.rcs if of_class else None),
        lasts=(end_ns - at if entry.lasts is None else moments.duration_ns(entry.lasts)) / 1e9,
    )  # fmt: skip


def _given(value: float | None, otherwise: specs.Spread | None) -> float:
    if value is not None:
        return float(value)
    if otherwise is None:  # the loader has refused such an object
        raise AssertionError("neither a value nor a class that gives it")
    return otherwise.nominal


def _recorded(id: str, entry: TableEntry, start: int, of_class: specs.FlightClass | None) -> specs.TableObject:
    first = moments.moment_ns(entry.starts, start)
    table, problems = recorded.parse(entry.table, entry.greatest_gap_s, entry.kind)
    if table is None:
        raise AssertionError(problems)
    return specs.TableObject(
        id=id,
        key="",
        class_id=entry.class_ or "",
        kind=entry.kind,
        rows=tuple((first + t, lat, lon, h) for t, lat, lon, h in table.rows),
        greatest_gap=float(entry.greatest_gap_s),
        rcs=_given(entry.rcs_m2, of_class.rcs if of_class else None),
        burns=tuple(
            (moments.moment_ns(b.from_, start), moments.moment_ns(b.to, start), b.intensity_kw_sr * 1e3)
            for b in entry.burns
        ),
    )


def _satellite(id: str, entry: SatelliteEntry, start: int, theta: Theta) -> specs.OrbitObject:
    given = entry.satellite
    elements, text = None, ""
    if given.tle is not None:
        text, _ = elementsets.tle(given.tle)
    elif given.omm is not None:
        text, _ = elementsets.omm(given.omm)
    else:
        elements = catalogue.orbit({"inclination_deg": 0.0, **plain_of(given)}, start, theta)
    return specs.OrbitObject(id, "", "", elements, text, float(entry.rcs_m2), given.age_error)


def _aircraft(id: str, entry: AircraftEntry, start: int) -> specs.AircraftObject:
    points, speed = [], entry.aircraft.points[1].speed_m_s or entry.aircraft.points[0].speed_m_s or 0.0
    for k, point in enumerate(entry.aircraft.points):
        speed = point.speed_m_s or speed if k else speed  # nothing flies towards the first: it has the second's
        points.append(
            specs.Waypoint(math.radians(point.lat_deg), _longitude(point.lon_deg), point.height_km * 1e3, float(speed))
        )
    return specs.AircraftObject(
        id=id,
        key="",
        class_id="",
        start_ns=moments.moment_ns(entry.aircraft.starts, start),
        points=tuple(points),
        climb=float(entry.aircraft.climb_m_s),
        bank=math.radians(entry.aircraft.bank_deg),
        rcs=float(entry.rcs_m2),
    )


def _object(
    id: str, entry: AnyEntry, start: int, end_ns: int, classes: dict[str, specs.FlightClass], theta: Theta
) -> specs.AnyObject:
    if isinstance(entry, LaunchEntry):
        return _launched(id, entry, start)
    if isinstance(entry, SatelliteEntry):
        return _satellite(id, entry, start, theta)
    if isinstance(entry, AircraftEntry):
        return _aircraft(id, entry, start)
    if isinstance(entry, FileEntry):  # the loader has put the table in its place
        raise AssertionError(entry.file)
    of_class = classes[entry.class_] if entry.class_ is not None else None
    if isinstance(entry, StateEntry):
        return _from_state(id, entry, start, end_ns, of_class)
    return _recorded(id, entry, start, of_class)


def _content(thing: specs.AnyObject) -> str:
    """All that an object is but its name, as text. A flight by azimuth, range and apogee has the list of these that it
    had before there was anything else, and what else it has behind it; a default adds nothing. Whether what comes off
    it is followed changes nothing of the flight itself, so it does not count.
    """
    plain = msgspec.to_builtins(thing)
    del plain["id"], plain["key"]
    if not isinstance(thing, specs.FlightObject):
        return json.dumps(plain, sort_keys=True)
    content = [plain[name] for name in _FIRST_CONTENT]
    more = {
        field.name: plain[field.name]
        for field in msgspec.structs.fields(thing)
        if field.name in plain and field.name not in _SAID and getattr(thing, field.name) != field.default
    }
    return json.dumps([*content, more] if more else content, sort_keys=True)


_FIRST_CONTENT = ("class_id", "launch_ns", "lat", "lon", "h", "azimuth", "range", "apogee")
_SAID = (*_FIRST_CONTENT, "loose")


def _with_keys(objects: list[specs.AnyObject]) -> tuple[specs.AnyObject, ...]:
    """Objects with keys of their content (no name, no order), sorted by key; equal ones are told apart by a count."""
    counts: dict[str, int] = {}
    made: list[specs.AnyObject] = []
    for thing in sorted(objects, key=lambda thing: (_content(thing), getattr(thing, "loose", False))):
        text = _content(thing)
        ordinal = counts.get(text, 0)
        counts[text] = ordinal + 1
        key = hashlib.blake2b(f"{text}#{ordinal}".encode(), digest_size=16).hexdigest()
        made.append(msgspec.structs.replace(thing, key=key))
    return tuple(sorted(made, key=lambda thing: thing.key))


def _ring(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    ring = [(_longitude(lon), math.radians(lat)) for lon, lat in points]
    return (*ring, ring[0]) if ring[0] != ring[-1] else tuple(ring)


def _area(id: str, entry: AreaEntry) -> specs.Area:
    rings = (_ring(entry.polygon), *(_ring(hole) for hole in entry.holes))
    return specs.Area(id, entry.name or id, entry.kind, rings)


def _rule(entry: PartnerEntry) -> specs.WarningRule:
    rule = RuleEntry.model_validate(ladders.rule_values(plain_of(entry.centre.rule), entry.centre.doctrine))
    return specs.WarningRule(
        rule.min_updates, float(rule.min_span_s), rule.min_sensors, rule.accept_partner, rule.exclude_below,
        float(rule.refresh_s), float(rule.processing_s), rule.min_kinds,
        specs.Credence(**{k: float(v) for k, v in (*rule.priors, *rule.confidence)}), float(rule.cross_check_s),
    )  # fmt: skip


def _posts_and_ladder(entry: PartnerEntry) -> tuple[tuple[specs.Post, ...], tuple[specs.Rung, ...]]:
    """A nation's posts, with those that its ladder brings, and the ladder's rungs."""
    posts = tuple(
        behind.with_retraction(post_of(post, content), entry.centre.retraction) for post, content in entry.posts.items()
    )
    if entry.centre.ladder is None:
        return posts, ()
    ladder, problems = ladders.resolve(entry.centre.ladder, entry.centre.doctrine, tuple(entry.posts))
    if problems:  # the loader has refused such a scenario
        raise AssertionError(problems)
    return (*posts, *(specs.Post(id, name, ()) for id, name in ladder.added)), ladder.rungs


def _catalogue(entry: PartnerEntry, things: Sequence[specs.AnyObject]) -> tuple[specs.Catalogued, ...]:
    """The satellites that a centre knows, by name."""
    given = entry.centre.catalogue
    satellites = [thing for thing in things if isinstance(thing, specs.OrbitObject)]
    known = [s for s in satellites if given == "all" or s.id in given] if given != "none" else []
    return tuple(specs.Catalogued(s.id, s.elements, s.element_set) for s in sorted(known, key=lambda s: s.id))


def _amount(given: StatusEntry | InjectEntry) -> float:
    """What there is of a trouble, as ``specs.StatusSpan`` has it."""
    if given.loss_db is not None:
        return float(10.0 ** (-given.loss_db / 10.0))
    if given.noise_db is not None:
        return float(10.0 ** (given.noise_db / 10.0))
    return float(given.delay_s or 0.0)


def _bias(given: StatusEntry | InjectEntry, kind: str | None) -> specs.Bias:
    return catalogue.bias(kind or "radar", None if given.bias is None else plain_of(given.bias))


def _statuses(id: str, entry: SensorEntry, kind: str, start: int, end_ns: int) -> list[specs.StatusSpan]:
    made = [
        specs.StatusSpan(
            sensor=id,
            t0_ns=moments.moment_ns(status.from_, start),
            t1_ns=end_ns if status.until is None else moments.moment_ns(status.until, start),
            what=status.what,
            amount=_amount(status),
            bias=_bias(status, kind),
            declared=status.declared,
        )
        for status in entry.status
    ]
    return sorted(made, key=lambda span: (span.t0_ns, span.t1_ns, span.what))


def _inject(entry: InjectEntry, start: int, kinds: dict[str, str]) -> specs.Inject:
    return specs.Inject(
        id=entry.id,
        at_ns=moments.moment_ns(entry.at, start),
        until_ns=None if entry.until is None else moments.moment_ns(entry.until, start),
        act=entry.act,
        target=entry.target,
        text=entry.text,
        amount=_amount(entry),
        bias=_bias(entry, kinds.get(entry.target)),
        declared=entry.declared is not False,
    )


def split(model: ScenarioModel, theta0: Theta) -> tuple[specs.WorldSpec, dict[str, specs.NationSpec]]:
    """The two sides of a valid scenario; ``theta0``: sidereal angle (rad) at a time in ns since 1970."""
    start = moments.unix_ns(model.start)
    frame_ns, duration_ns = round(model.frame_s * 1e9), moments.duration_ns(model.duration)
    angle = theta0(start)
    declared: dict[str, list[specs.Sensor]] = {id: [] for id in model.partners}
    actual: list[specs.Sensor] = []
    statuses: list[specs.StatusSpan] = []
    kinds: dict[str, str] = {}
    pairs = sorted((partner, id) for partner, entry in model.partners.items() for id in entry.sensors)
    for n, (partner, id) in enumerate(pairs):
        resolved, problems = resolved_sensor(id, model.partners[partner].sensors[id])
        if resolved is None:  # the loader has refused such a scenario
            raise AssertionError(problems)
        kinds[id] = resolved.kind
        statuses += _statuses(id, model.partners[partner].sensors[id], resolved.kind, start, duration_ns)
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
    injects = tuple(_inject(entry, start, kinds) for entry in model.injects)
    commands = {id: _posts_and_ladder(entry) for id, entry in model.partners.items()}
    true = {flight.id: flight for flight in truth}
    things = [_object(id, entry, start, duration_ns, true, theta0) for id, entry in model.objects.items()]
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
            posts=commands[id][0],
            rule=_rule(entry),
            shares=tuple(s for s in shares if s.sender == id),
            links=tuple(link for link in links if link.sender == id),
            ladder=commands[id][1],
            catalogue=_catalogue(entry, things),
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
        objects=_with_keys(things),
        nations=tuple(nations),
        links=links,
        injects=injects,
        statuses=tuple(statuses),
        faults=behind.faults_of(model.faults, model.partners, start, duration_ns),
        notices=tuple(notice_spec(id, entry, start) for id, entry in sorted(model.notices.items())),
    )
    return world, nations
