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


class Bias(msgspec.Struct, frozen=True):
    """Systematic errors of a sensor's measurements, in the order of its ``z`` (radar: range m, azimuth, elevation rad,
    range rate m/s; infrared: azimuth, elevation rad).

    ``constant``: what is added for good; ``slow``: standard deviations of a part that wanders with the correlation time
    ``tau`` (s).
    """

    constant: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    slow: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    tau: float = 600.0


NO_BIAS = Bias()


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

    What is off by default: ``swerling``: how the cross-section fluctuates from look to look (0: not, 1, 3); ``fence``:
    elevations (rad) between which it searches, None: its whole volume; ``track_period``: s between looks at an object
    that it holds in track (0: it has no looks but those of the search); ``dwell``: s of radar time of one look at the
    reference range (0: time costs nothing), ``search_share``: part of its time that the search takes; ``resolution``:
    whether objects in one cell of range and beam merge; ``refraction``: 1-sigma residual of the correction of
    elevation (rad) at 5 deg of elevation; ``terrain``: pairs of azimuth and least elevation (rad), linear between them;
    ``scheduling``: "local" or "cued"; ``bias``.
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
    swerling: int = 1
    fence: tuple[float, float] | None = None
    track_period: float = 0.0
    dwell: float = 0.0
    search_share: float = 0.5
    resolution: bool = False
    refraction: float = 0.0
    terrain: tuple[tuple[float, float], ...] = ()
    scheduling: str = "local"
    bias: Bias = NO_BIAS


class OverHorizon(msgspec.Struct, frozen=True, tag="over-horizon"):
    """A radar that looks beyond the horizon by way of the ionosphere: coarse range and azimuth of what flies low.

    ``lat``, ``lon``, ``h``: where; ``sector``: azimuth from, to; ``range_min``, ``range_max`` (m over the ground);
    ``reference_range``: where ``reference_rcs`` (m2) gives ``reference_snr``; ``greatest_height``: m, what flies higher
    is not lit; ``sigma_range`` m, ``sigma_azimuth`` rad; ``availability``: part of the time in which the ionosphere
    carries, in spells of ``spell`` s; the rest as in ``Radar``.
    """

    lat: float
    lon: float
    h: float
    sector: tuple[float, float]
    range_min: float
    range_max: float
    reference_range: float
    reference_rcs: float
    reference_snr: float
    greatest_height: float
    sigma_range: float
    sigma_azimuth: float
    pfa: float
    false_per_scan: float
    scan_period: float
    latency: float
    availability: float = 1.0
    spell: float = 1800.0
    bias: Bias = NO_BIAS


class Infrared(msgspec.Struct, frozen=True, tag="infrared"):
    """An infrared satellite.

    ``orbit``; ``scan_period``: revisit (s); ``least_intensity``: plume intensity (W/sr) that gives ``threshold_snr``
    from ``reference_distance`` (m), falling with distance squared; ``cloud_top``: height (m) under which a plume is
    hidden; ``sigma_pointing``: 1-sigma error of each line-of-sight angle (rad) of one look at threshold, falling to
    ``sigma_floor``; ``false_per_scan``; ``latency`` s; ``limb``: least height (m) of the line of sight over the
    ellipsoid for a view past the limb.

    What is off by default: ``staring``: it looks at all directions at once at the end of each period and does not
    sweep; ``sun_exclusion``: angle (rad) from the line of sight to the Sun under which nothing is seen; ``glint_lobe``:
    1-sigma width (rad) of the tilt of facets in high cloud that mirror the Sun (0: no glint), ``glint_intensity``: W/sr
    of such a facet field seen in the middle of its lobe, ``glint_fields``: mean number of cloud fields in view;
    ``least_body``: W/sr of a warm body against cold space at threshold from the reference distance (0: it sees plumes
    only); ``bias``.
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
    staring: bool = False
    sun_exclusion: float = 0.0
    glint_lobe: float = 0.0
    glint_intensity: float = 0.0
    glint_fields: float = 0.0
    least_body: float = 0.0
    bias: Bias = NO_BIAS


class Sensor(msgspec.Struct, frozen=True):
    """A sensor under its number ``n`` (u16, by sorted (partner, id)); ``id`` is stable and keys its random streams."""

    n: int
    id: str
    name: str
    partner: str
    model: Radar | Infrared | OverHorizon


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


class LooseKind(msgspec.Struct, frozen=True):
    """What comes off an object in flight and falls on its own.

    ``kind``: "stage" (the spent stage number ``stage``, from 1), "fairing" (thrown off at ``height``, or with stage
    ``stage`` where that is zero), "debris" (pieces that appear with the end of thrust of stage ``stage``); ``count``
    pieces; ``delay``: s after that moment; ``speed``: m/s against the object (a stage falls back along the thrust,
    fairings go sideways, debris any way); ``beta``: kg/m2; ``rcs``: m2.
    """

    kind: str
    stage: int
    count: int
    delay: Spread
    speed: Spread
    beta: Spread
    rcs: Spread
    height: float = 0.0


class Glide(msgspec.Struct, frozen=True):
    """Unpowered flight with lift.

    ``lift_to_drag``: greatest lift over drag; ``beta``: kg/m2 at that ratio; ``mode``: "equilibrium" (lift is held so
    that the height changes smoothly) or "skip" (full lift, the path swings); ``pull_up``: greatest load while pulling
    out of the entry (m/s2); ``dive_speed``: speed over the ground (m/s) under which it can no longer glide and dives.
    """

    lift_to_drag: Spread
    beta: Spread
    mode: str
    pull_up: float
    dive_speed: float


class FlightClass(msgspec.Struct, frozen=True):
    """A class of objects, either as it is (truth) or as a centre believes it to be.

    ``family``: "ballistic", "sounding-rocket", "space-launch", "boost-glide"; ``energy``: what the flight solver turns
    to meet what is asked: "cutoff" (thrust ends early) or "thrust" (all specific thrusts are scaled, as by payload);
    ``vertical``: s of vertical rise; ``pitch``: s over which the thrust then turns to its final elevation;
    ``beta_boost``, ``beta``: ballistic coefficient (kg/m2) while boosting and on re-entry; ``rcs_boost``, ``rcs``: m2;
    ``burnout_height``, ``burnout_downrange`` (m): where thrust typically ends, for centres that see only what comes
    after; ``energy_range``: least and greatest range (m) that the class flies; ``prior``: how common a centre takes it
    to be; ``loose``: what comes off; ``drag_mach``: pairs (Mach number rising, factor on the drag after boost), linear
    between them and constant outside, empty for a constant ``beta``; ``glide``: lift after boost, for boost-gliders;
    ``trough``: heights (m) between which the plume is dimmer and the factor in the middle, empty for none; ``warm``:
    W/sr of the body after boost in the band of midcourse sensors.
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
    loose: tuple[LooseKind, ...] = ()
    drag_mach: tuple[tuple[float, float], ...] = ()
    glide: Glide | None = None
    trough: tuple[float, ...] = ()
    warm: Spread = Spread(0.0)


class FlightObject(msgspec.Struct, frozen=True, tag="flight"):
    """An object that is launched from a site; ``launch_ns`` on the clock; m and rad.

    What is asked of its flight is one of:

    - ``azimuth`` of the impact point and ``range`` over the ground, with ``apogee`` or with ``shape``:
      "minimum-energy" (of all that reach the range, the one with the least speed at burnout), "lofted" or "depressed"
      (the two that burn all there is, above and under it);
    - ``end`` (latitude, longitude) instead of azimuth and range, and ``flight_time`` (s, launch to impact), ``apogee``
      or ``shape``; where two flights have that time, ``shape`` "lofted" or "depressed" tells which;
    - ``orbit`` for a space launch: it ends there.

    Zero stands for an apogee or time that is not given, "" for a shape. ``cutoff``: s after launch at which thrust ends
    for good, whatever was solved for (0: as solved); the flight then ends elsewhere. ``bank``: for gliders, pairs (s
    after the start of the glide, bank angle in rad, positive to the right), held until the next. ``loose``: whether
    what comes off its class becomes objects.

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
    shape: str = ""
    end: tuple[float, float] | None = None
    flight_time: float = 0.0
    orbit: TargetOrbit | None = None
    cutoff: float = 0.0
    bank: tuple[tuple[float, float], ...] = ()
    loose: bool = False


class TargetOrbit(msgspec.Struct, frozen=True):
    """The orbit of a space launch: heights over the equator's radius (m) of ``perigee`` and ``apogee``, ``inclination``
    (rad), ``northward``: whether it is entered going north (or south). The last burn may raise it to a second orbit:
    ``raised`` perigee and apogee (m) after a coast, where the class has a stage for it.
    """

    perigee: float
    apogee: float
    inclination: float
    northward: bool = True
    raised: tuple[float, float] | None = None


class StateObject(msgspec.Struct, frozen=True, tag="state"):
    """An object in free flight from a state: ``state`` position and velocity in ecef (m, m/s) at ``at_ns``; ``beta``
    kg/m2 (0: no drag); ``drag_mach`` as in FlightClass; ``rcs`` m2. It flies until it comes down or for ``lasts`` s.
    """

    id: str
    key: str
    class_id: str
    at_ns: int
    state: tuple[float, float, float, float, float, float]
    beta: float
    drag_mach: tuple[tuple[float, float], ...]
    rcs: float
    lasts: float


class TableObject(msgspec.Struct, frozen=True, tag="table"):
    """An object whose path was recorded: ``rows`` (t_ns on the clock, latitude, longitude rad, height m over the
    ellipsoid), times rising; ``kind``: "flight" or "aircraft"; ``greatest_gap`` s between rows that may be bridged.
    ``burns``: (t0_ns, t1_ns, W/sr).
    """

    id: str
    key: str
    class_id: str
    kind: str
    rows: tuple[tuple[int, float, float, float], ...]
    greatest_gap: float
    rcs: float
    burns: tuple[tuple[int, int, float], ...] = ()


class OrbitObject(msgspec.Struct, frozen=True, tag="orbit"):
    """A satellite: either ``elements`` (mean, at the epoch of the scenario) or ``element_set``, the two lines of a TLE
    or the fields of an OMM as JSON; ``rcs`` m2; it stays for the whole scenario. ``age_error``: whether it flies beside
    its element set, by a draw of the error that element sets of that age have.
    """

    id: str
    key: str
    class_id: str
    elements: Orbit | None
    element_set: str
    rcs: float
    age_error: bool = False


class Waypoint(msgspec.Struct, frozen=True):
    """A point that an aircraft flies to: rad, m over the ellipsoid, ``speed`` over the ground (m/s) towards it."""

    lat: float
    lon: float
    h: float
    speed: float


class AircraftObject(msgspec.Struct, frozen=True, tag="aircraft"):
    """An aircraft along ``points``, at the first at ``start_ns``. ``climb``: greatest rate of climb or descent (m/s);
    ``bank``: angle (rad) in which it turns; ``rcs`` m2.
    """

    id: str
    key: str
    class_id: str
    start_ns: int
    points: tuple[Waypoint, ...]
    climb: float
    bank: float
    rcs: float


AnyObject = FlightObject | StateObject | TableObject | OrbitObject | AircraftObject


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


class Display(msgspec.Struct, frozen=True):
    """A screen with counts: ``fields``: what is counted and the ids of its classes; ``digits`` of each number on the
    line; ``refresh`` s between messages.
    """

    fields: tuple[tuple[str, tuple[str, ...]], ...]
    digits: int
    refresh: float


class Post(msgspec.Struct, frozen=True):
    """A command post, its written doctrine, its screen (None: it has none)."""

    id: str
    name: str
    steps: tuple[StepRule, ...]
    display: Display | None = None


class Credence(msgspec.Struct, frozen=True):
    """How a centre weighs whether a warning is of something real. Rates are events a year.

    Priors: ``launches``: of all that is launched in the sensors' view; ``false_infrared``, ``false_radar``,
    ``false_over_horizon``: false sources of one sensor of the kind that make a track (glint, fires, echoes), ``fault``:
    of the centre itself (test data, a broken part), ``fault_shows``: probability that such a fault shows one more
    sensor as well; ``channel``: false warnings of one partner and of the way from it.

    What a false source does: ``lasting_share`` of them stay, the others die away with ``lasting_s``; ``same_kind``,
    ``other_kind``: probability that it deceives another sensor of its kind, or of another kind, too; ``relapse``: that
    a false alarm of a sensor is followed by another within the hour; ``degraded``: factor on the rate of a sensor that
    says it is degraded. ``misbelief``: probability that an object is not what it is taken to be, so that silence and a
    path that fits no class say nothing against it; ``silent_again``: that a sensor is silent where another of its kind
    is for that reason, or where it saw the object before.

    Levels: ``low``, ``medium``, ``high``: probabilities from which the confidence is called so (under ``low``: "no");
    a warning whose probability falls under ``cancel_below`` is taken back.

    Where the defaults come from: 3,703 routine conferences on displays in the 18 months to June 1980, of which 147 were
    evaluated further (US Senate report of October 1980): some thousand things launched a year, and about a hundred that
    were doubtful, over about ten sensors. Once a year or so a fault sat behind the sensors (November 1979, June 1980).
    The rest is notional.
    """

    launches: float = 1000.0
    false_infrared: float = 10.0
    false_radar: float = 10.0
    false_over_horizon: float = 30.0
    fault: float = 1.0
    fault_shows: float = 0.5
    channel: float = 5.0
    lasting_share: float = 0.3
    lasting_s: float = 60.0
    same_kind: float = 0.02
    other_kind: float = 0.001
    relapse: float = 0.3
    degraded: float = 5.0
    misbelief: float = 0.02
    silent_again: float = 0.3
    low: float = 0.5
    medium: float = 0.9
    high: float = 0.999
    cancel_below: float = 0.05


class WarningRule(msgspec.Struct, frozen=True):
    """When a pipeline calls its own warning confirmed, and when an area is excluded.

    ``min_updates`` associated detections over at least ``min_span`` s, from ``min_sensors`` sensors;
    ``accept_partner``: a partner's confirmed warning is enough; ``exclude_below``: probability of impact; ``refresh``:
    s between versions; ``processing``: s of computing and checking before a version stands; ``min_kinds``: kinds of
    sensor (radar, infrared, over-horizon) that must agree; ``credence``: what makes it believed; ``cross_check``: s
    since the first data for which a partner's word is waited for before the own data alone are enough (0: not at all).
    """

    min_updates: int
    min_span: float
    min_sensors: int
    accept_partner: bool
    exclude_below: float
    refresh: float
    processing: float
    min_kinds: int = 1
    credence: Credence = Credence()
    cross_check: float = 0.0


class Call(msgspec.Struct, frozen=True):
    """Who is called to a conference: ``post``; ``joins``: s until it takes part (drawn); ``agrees``: condition on which
    its doctrine agrees.
    """

    post: str
    joins: Spread
    agrees: str


class Rung(msgspec.Struct, frozen=True):
    """One rung of a ladder of conferences and the alert state that it stands for.

    ``when``: condition on which it is called; ``after``: rungs that must stand for the same warning; ``calls``: who is
    called, the first has the chair; ``agree``: how many of them must agree; ``takes``: s from when so many have joined
    until they can (drawn); ``state``: the alert state while it stands; ``action``, ``text``: of its decision;
    ``leave``: condition on which it is stood down, ``leave_takes`` s later.
    """

    id: str
    name: str
    when: str
    after: tuple[str, ...]
    calls: tuple[Call, ...]
    agree: int
    takes: Spread
    state: str
    action: str
    text: str
    leave: str
    leave_takes: Spread
    source: str


class Announcement(msgspec.Struct, frozen=True):
    """What a notice says: a launch between ``t0_ns`` and ``t1_ns`` from within ``radius`` (m) of a place (rad), on
    ``azimuth`` (rad, None: not said) within ``azimuth_spread`` (rad), of ``class_id`` ("": not said). ``replaces``: an
    earlier one that it takes the place of ("": none).
    """

    id: str
    sender: str
    t0_ns: int
    t1_ns: int
    lat: float
    lon: float
    radius: float
    azimuth: float | None
    azimuth_spread: float
    class_id: str
    replaces: str = ""


class HandOff(msgspec.Struct, frozen=True):
    """One hand through which a notice goes: ``takes`` s (drawn), ``loss`` probability that it goes no further,
    ``lost``: it does not, for certain.
    """

    who: str
    takes: Spread
    loss: float
    lost: bool


class Notice(msgspec.Struct, frozen=True):
    """An announcement on its way to the nation ``recipient``: it is there when the last hand-off has passed it on."""

    announcement: Announcement
    recipient: str
    sent_ns: int
    handoffs: tuple[HandOff, ...]


class Inject(msgspec.Struct, frozen=True):
    """A scripted outside event. ``act``: "sensor.silence" and "sensor.degrade", "sensor.jam", "sensor.delay" and
    "sensor.bias" (target: sensor id), "link.cut" (target: "a>b"), "fault.begin" and "fault.end" (target: fault id),
    "note" (target: post).

    ``amount``, ``bias``, ``declared``: of those that do something to a sensor but silence, as in ``StatusSpan``.
    """

    id: str
    at_ns: int
    until_ns: int | None
    act: str
    target: str
    text: str
    amount: float = 0.0
    bias: Bias = NO_BIAS
    declared: bool = True


class CountsFault(msgspec.Struct, frozen=True, tag="counts"):
    """A fault on the line from the centre of ``nation`` to the displays of ``posts``: each zero of a count becomes
    ``digit`` with probability ``chance``. From ``t0_ns`` (None: it waits for an inject) to ``t1_ns``.
    """

    id: str
    nation: str
    t0_ns: int | None
    t1_ns: int
    text: str
    posts: tuple[str, ...]
    digit: int
    chance: float


class Said(msgspec.Struct, frozen=True):
    """A launch as words tell it: ``count`` of a class, launched ``after_ns`` after the fault begins from ``launch``
    (latitude, longitude, rad) to ``impact`` in ``flight_ns`` (None: nothing is said of it); ``sensors``: id and how
    long after the launch it is said to have seen it.
    """

    class_id: str
    count: int
    after_ns: int
    launch: tuple[float, float] | None
    impact: tuple[float, float] | None
    flight_ns: int
    sensors: tuple[tuple[str, int], ...]


class TestData(msgspec.Struct, frozen=True, tag="test-data"):
    """Words of a test that enter the data processing of ``nation``, one on each launch every ``every_ns``."""

    id: str
    nation: str
    t0_ns: int | None
    t1_ns: int
    text: str
    words: tuple[Said, ...]
    every_ns: int


class Drill(msgspec.Struct, frozen=True, tag="drill"):
    """A drill's words to a post, taken for the real thing there with probability ``taken``."""

    id: str
    nation: str
    t0_ns: int | None
    t1_ns: int
    text: str
    post: str
    word: Said
    taken: float


AnyFault = CountsFault | TestData | Drill


class StatusSpan(msgspec.Struct, frozen=True):
    """What is wrong with a sensor over a time. ``what``: "silent", "degraded" (``amount``: factor on its SNR),
    "jammed" (``amount``: rise of its noise, a ratio), "delayed" (``amount``: s more of latency) or "biased" (``bias``);
    ``declared``: whether the sensor knows and says so with its scans.
    """

    sensor: str
    t0_ns: int
    t1_ns: int
    what: str
    amount: float = 0.0
    bias: Bias = NO_BIAS
    declared: bool = True


class Catalogued(msgspec.Struct, frozen=True):
    """A satellite that a nation knows: ``elements`` or ``element_set`` as in ``OrbitObject``."""

    id: str
    elements: Orbit | None
    element_set: str


class NationSpec(msgspec.Struct, frozen=True):
    """All that one nation's own machine is told.

    ``stream``: the nation's own 64-bit seed, from which nothing about the world's streams can be had; ``catalogue``:
    the satellites it knows.
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
    catalogue: tuple[Catalogued, ...] = ()
    ladder: tuple[Rung, ...] = ()  # from the lowest up; none: no conferences


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
    objects: tuple[AnyObject, ...]
    nations: tuple[str, ...]
    links: tuple[Link, ...]
    injects: tuple[Inject, ...]
    statuses: tuple[StatusSpan, ...] = ()
    faults: tuple[AnyFault, ...] = ()
    notices: tuple[Notice, ...] = ()
