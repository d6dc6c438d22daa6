"""What the world and each nation are told: plain data, in SI and radians, made by ``split`` from a scenario.

A nation gets a ``NationSpec`` and nothing else: the declared sensors, the believed classes, its areas, doctrine and
links. The ``WorldSpec`` holds what is so. Both encode to msgpack as they stand (snapshots, nations on machines of their
own).
"""

from __future__ import annotations

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """A normal distribution cut at three ``spread``: nominal value and one standard deviation (0: exact)."""

    nominal: float
    spread: float = 0.0


class Orbit(msgspec.Struct, frozen=True):
    """Mean elements at the scenario's epoch, in eci: m and rad. Secular J2 drift of node and perigee is applied by the
    user.
    """

    a: float
    e: float
    i: float
    raan: float
    argp: float
    m0: float


class Radar(msgspec.Struct, frozen=True, tag="radar"):
    """A phased-array radar (one entry per radar, faces share the sector).

    ``lat``, ``lon``, ``h``: where; ``boresights``: azimuth and elevation of each face; ``sector``: azimuth from, to
    (clockwise, may wrap; from == to is all round); ``el_min``, ``el_max``; ``range_min``, ``range_max``: instrumented;
    ``reference_range``: where an object of 1 m2 gives ``reference_snr`` (a ratio, one look, on boresight);
    ``frequency`` Hz; ``beam_az``, ``beam_el``: one-way 3 dB beam widths; ``bandwidth`` Hz; ``pfa``: false-alarm
    probability per look cell that sets the threshold; ``false_per_scan``: mean number of false detections a scan;
    ``scan_period``: s between looks at the same direction; ``latency``: s from the end of a scan to the centre;
    ``sigma_range``, ``sigma_angle``: error floors (m, rad); ``doppler``: whether range rate is measured; ``sigma_rate``
    its floor.
    """

    lat: float
    lon: float
    h: float
    boresights: tuple[tuple[float, float], ...]
    sector: tuple[float, float]
    el_min: float
    el_max: float
    range_min: float
    range_max: float
    reference_range: float
    reference_snr: float
    frequency: float
    beam_az: float
    beam_el: float
    bandwidth: float
    pfa: float
    false_per_scan: float
    scan_period: float
    latency: float
    sigma_range: float
    sigma_angle: float
    doppler: bool = False
    sigma_rate: float = 1.0


class Infrared(msgspec.Struct, frozen=True, tag="infrared"):
    """An infrared satellite.

    ``orbit``; ``scan_period``: revisit (s); ``least_intensity``: plume intensity (W/sr) that gives ``threshold_snr``
    from ``reference_distance`` (m), falling with distance squared; ``cloud_top``: height (m) under which a plume is
    hidden; ``sigma_pointing``: 1-sigma error of each line-of-sight angle (rad) of one look at threshold, falling to
    ``sigma_floor``; ``false_per_scan``; ``latency`` s; ``limb``: least height (m) of the line of sight over the
    ellipsoid for a view past the limb.
    """

    orbit: Orbit
    scan_period: float
    least_intensity: float
    threshold_snr: float
    reference_distance: float
    cloud_top: float
    sigma_pointing: float
    sigma_floor: float
    false_per_scan: float
    latency: float
    limb: float


class Sensor(msgspec.Struct, frozen=True):
    """A sensor under its number ``n`` (u16, by sorted (partner, id)); ``id`` is stable and keys its random streams."""

    n: int
    id: str
    name: str
    partner: str
    model: Radar | Infrared


class Stage(msgspec.Struct, frozen=True):
    """Burn of one stage.

    ``burn``: s; ``thrust``: initial specific thrust (m/s2, thrust over mass at its ignition); ``exhaust``: effective
    exhaust velocity (m/s), so the mass-flow ratio is thrust / exhaust and the specific thrust grows as thrust / (1 -
    thrust t / exhaust); ``coast``: s unpowered after it; ``intensity``: plume (W/sr, 2.7 um band).
    """

    burn: Spread
    thrust: Spread
    exhaust: Spread
    coast: Spread
    intensity: Spread


class FlightClass(msgspec.Struct, frozen=True):
    """A class of objects, either as it is (truth) or as a centre believes it to be.

    ``family``: "ballistic", "sounding-rocket", "space-launch"; ``energy``: what the flight solver turns to meet range
    and apogee: "cutoff" (thrust ends early) or "thrust" (all specific thrusts are scaled, as by payload); ``vertical``:
    s of vertical rise; ``pitch``: s over which the thrust then turns to its final elevation; ``beta_boost``, ``beta``:
    ballistic coefficient (kg/m2) while boosting and on re-entry; ``rcs_boost``, ``rcs``: m2; ``burnout_height``,
    ``burnout_downrange`` (m): where thrust typically ends, for centres that see only what comes after;
    ``energy_range``: least and greatest range (m) that the class flies; ``prior``: how common a centre takes it to be.
    """

    id: str
    title: str
    family: str
    energy: str
    stages: tuple[Stage, ...]
    vertical: Spread
    pitch: Spread
    beta_boost: Spread
    beta: Spread
    rcs_boost: Spread
    rcs: Spread
    burnout_height: Spread
    burnout_downrange: Spread
    energy_range: tuple[float, float]
    prior: float


class FlightObject(msgspec.Struct, frozen=True):
    """An object by site, azimuth of the impact point, range over the ground and apogee (m, rad); ``launch_ns`` on the
    clock.

    ``key``: digest of all that it is but its name; random streams use it, so renaming or reordering objects changes
    nothing.
    """

    id: str
    key: str
    class_id: str
    launch_ns: int
    lat: float
    lon: float
    h: float
    azimuth: float
    range: float
    apogee: float


class Area(msgspec.Struct, frozen=True):
    """A defended area or a territory: GeoJSON-like rings of (longitude, latitude) in rad, first ring outside."""

    id: str
    name: str
    kind: str  # "defended" or "territory"
    rings: tuple[tuple[tuple[float, float], ...], ...]


class Link(msgspec.Struct, frozen=True):
    """One direction between two nations: ``delay`` s (drawn per message), ``loss`` probability that a message never
    arrives.
    """

    sender: str
    recipient: str
    delay: Spread
    loss: float


class Share(msgspec.Struct, frozen=True):
    """What ``sender`` releases to ``recipient``: "warnings" made from ``sensors`` only (ids); the label is
    "to:recipient".
    """

    sender: str
    recipient: str
    what: str
    sensors: tuple[str, ...]


class StepRule(msgspec.Struct, frozen=True):
    """One step of a written doctrine. ``when``: text of the condition grammar; ``takes``: s (drawn); ``after``: steps
    that must

    have been done for the same warning; ``action``; ``text``: what is said, with {area} and such filled in.
    """

    id: str
    action: str
    when: str
    takes: Spread
    after: tuple[str, ...]
    text: str
    source: str


class Post(msgspec.Struct, frozen=True):
    """A command post and its written doctrine."""

    id: str
    name: str
    steps: tuple[StepRule, ...]


class WarningRule(msgspec.Struct, frozen=True):
    """When a pipeline calls its own warning confirmed, and when an area is excluded.

    ``min_updates`` associated detections over at least ``min_span`` s, from ``min_sensors`` sensors;
    ``accept_partner``: a partner's confirmed warning is enough; ``exclude_below``: probability of impact; ``refresh``:
    s between versions; ``processing``: s of computing and checking before a version stands.
    """

    min_updates: int
    min_span: float
    min_sensors: int
    accept_partner: bool
    exclude_below: float
    refresh: float
    processing: float


class Inject(msgspec.Struct, frozen=True):
    """A scripted outside event. ``act``: "sensor.silence" (target: sensor id), "link.cut" (target: "a>b"), "note"
    (target: post).
    """

    id: str
    at_ns: int
    until_ns: int | None
    act: str
    target: str
    text: str


class NationSpec(msgspec.Struct, frozen=True):
    """All that one nation's own machine is told.

    ``stream``: the nation's own 64-bit seed, from which nothing about the world's streams can be had.
    """

    id: str
    name: str
    unix_ns: int
    theta0: float
    frame_ns: int
    duration_ns: int
    stream: int
    sensors: tuple[Sensor, ...]
    classes: tuple[FlightClass, ...]
    areas: tuple[Area, ...]
    posts: tuple[Post, ...]
    rule: WarningRule
    shares: tuple[Share, ...]  # those whose sender it is
    links: tuple[Link, ...]  # those it sends on


class WorldSpec(msgspec.Struct, frozen=True):
    """What is so: actual sensors, true classes, objects, links, injects."""

    id: str
    title: str
    unix_ns: int
    theta0: float
    frame_ns: int
    duration_ns: int
    seed: int
    sensors: tuple[Sensor, ...]
    classes: tuple[FlightClass, ...]
    objects: tuple[FlightObject, ...]
    nations: tuple[str, ...]
    links: tuple[Link, ...]
    injects: tuple[Inject, ...]
