"""What no single part of a scenario shows: names that must exist elsewhere, times against the duration, polygons,
complete sensors.

All checks work on the plain data and step over what is not of the right shape (the models have said so already), so
that one load reports every fault of a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from tocsin.scenario import behind, catalogue, elementsets, ladders, moments, notices, recorded, specs
from tocsin.scenario.faults import clean, one_of, show
from tocsin.scenario.model import ACTIONS, SENSOR_ACTS, ClassEntry, ConfidenceEntry, PostEntry, SensorEntry
from tocsin.scenario.objects import AircraftValues, OrbitEntry, SatelliteValues, StateValues, TableEntry, form_of
from tocsin.scenario.parts import Spread
from tocsin.scenario.yaml12 import Path

Found = tuple[Path, str, str]  # path, found, allowed
DoctrineChecker = Callable[..., Sequence[str]]
"""``command.doctrine.check_doctrine``: the posts of one nation, ids of its areas and of the classes, and (only where it
has one) its ladder, to sentences on what is wrong.
"""

FIRST_START, LAST_END = "1957-01-01T00:00:00Z", "2100-01-01T00:00:00Z"
MOST_FRAMES = 1_000_000
_WHERE = re.compile(r"post '(?P<post>[^']*)', step '(?P<step>[^']*)': (?P<said>.*)\Z", re.DOTALL)
_RUNG = re.compile(r"rung '(?P<rung>[^']*)': (?P<said>.*)\Z", re.DOTALL)
_MATCHES = {
    "launch": 0, "apogee": 0, "impact": 0, "first-detection": 1, "warning": 1, "step": 2, "passage": 2, "abeam": 1,
    "opened": 1, "over": 1, "fault": 1,
}  # fmt: skip

TROUBLE_VALUES = {
    "silent": None, "degraded": "loss_db", "jammed": "noise_db", "delayed": "delay_s", "biased": "bias",
}  # fmt: skip
_WHERE_TO = ("azimuth_deg", "range_km", "to", "orbit")
_PLACES: tuple[set[str], ...] = ({"azimuth_deg", "range_km"}, {"to"}, {"orbit"})
_HOW = ("apogee_km", "shape", "flight_time")
WHERE = "azimuth_deg and range_km, or `to`, or (for a space launch) `orbit`"
HOW = "one of apogee_km, shape and flight_time, or shape beside flight_time"


def _map(data: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _list(data: Any, *keys: str) -> tuple[Any, ...]:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, tuple) else ()


def _text(data: Any, key: str) -> str | None:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, str) else None


def _moment(text: str | None, start: int) -> int | None:
    try:
        return None if text is None else moments.moment_ns(text, start)
    except ValueError:
        return None


def _duration(text: str) -> int | None:
    try:
        return moments.duration_ns(text)
    except ValueError:
        return None


def _valid(model: type[BaseModel], data: Any) -> Any:
    try:
        return model.model_validate({} if data is None else data)
    except ValidationError:
        return None


def plain_of(part: BaseModel) -> dict[str, Any]:
    """The fields that were given, under the names of the file."""
    return part.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)


class Checks:
    """All checks of one scenario. ``found`` grows; nothing is raised."""

    def __init__(self, data: Mapping[str, Any], check_doctrine: DoctrineChecker | None) -> None:
        self.data = data
        self.check_doctrine = check_doctrine
        self.found: list[Found] = []
        self.partners: dict[str, Any] = _map(data, "partners")
        self.sensors: dict[str, str] = {}  # sensor id -> partner
        self.kinds: dict[str, str] = {}  # sensor id -> its kind
        self.areas: dict[str, str] = {}  # area id -> partner
        self.classes = list(_map(data, "classes"))
        self.flights: dict[str, specs.FlightClass] = {}  # complete classes, as they are
        self.families: dict[str, str] = {}
        self.start = 0
        self.end: int | None = None

    def run(self) -> list[Found]:
        """Everything that is wrong."""
        self._times()
        self._classes()
        self._objects()
        for id, entry in self.partners.items():
            self._sensors(id, _map(entry, "sensors"))
            self._areas(id, _map(entry, "areas"))
        for id, entry in self.partners.items():
            self._posts(id, _map(entry, "posts"))
            self._centre(id, _map(entry, "centre"))
        self._links()
        self._injects()
        self._behind()
        self._notices()
        self._published()
        return self.found

    def _say(self, path: Path, found: str, allowed: str) -> None:
        self.found.append((path, found, allowed))

    def _unknown(self, path: Path, word: str, known: Collection[str], what: str) -> None:
        self._say(path, show(word), one_of(word, known, what))

    # -- time

    def _times(self) -> None:
        start, duration = _text(self.data, "start"), _text(self.data, "duration")
        try:
            if start is not None:
                self.start = moments.unix_ns(start)
                if not moments.unix_ns(FIRST_START) <= self.start <= moments.unix_ns(LAST_END):
                    self._say(("start",), show(start), f"a time from {FIRST_START} to {LAST_END}")
        except ValueError:
            pass
        try:
            self.end = None if duration is None else moments.duration_ns(duration)
        except ValueError:
            return
        frame = self.data.get("frame_s", 1.0)
        if self.end is not None and isinstance(frame, int | float) and not isinstance(frame, bool) and frame > 0:
            frames = self.end / (frame * 1e9)
            if frames < 1:
                self._say(("duration",), show(duration), f"at least one frame of {frame:g} s")
            elif frames > MOST_FRAMES:
                self._say(
                    ("duration",),
                    f"{show(duration)}, {frames:,.0f} frames of {frame:g} s",
                    f"at most {MOST_FRAMES:,} frames",
                )

    def _within(self, path: Path, text: str | None, what: str) -> int | None:
        at = _moment(text, self.start)
        if at is None or text is None:
            return None
        if at < 0:
            self._say(
                path, f"{show(text)}, {what} before the start", "a time from the start to the end of the scenario"
            )
        elif self.end is not None and at >= self.end:
            said = _text(self.data, "duration")
            self._say(
                path, f"{show(text)}, {what} after the end", f"a time before the end, which is {said} after the start"
            )
        return at

    # -- classes and objects

    def _classes(self) -> None:
        for id, entry in _map(self.data, "classes").items():
            path: Path = ("classes", id)
            model = _valid(ClassEntry, entry)
            if model is None:
                continue
            start = model.from_ or id
            given = plain_of(model)
            merged = catalogue.merged_class(id, given)
            if merged is None:
                self._unknown((*path, "from"), start, catalogue.class_ids(), "a bundled class")
                continue
            truth = _map(merged, "truth")
            missing = [f for f in catalogue.CLASS_FIELDS if f not in merged]
            missing += [f"truth.{f}" for f in catalogue.FLYING_FIELDS if f not in truth]
            if missing:
                if not given:
                    self._unknown(path, id, catalogue.class_ids(), "a bundled class, or one that is given in full")
                else:
                    bundled = ", ".join(catalogue.class_ids())
                    allowed = f"a class given in full, or `from:` a bundled one ({bundled})"
                    self._say(path, f"class '{clean(id)}' without {', '.join(missing)}", allowed)
                continue
            self.flights[id] = catalogue.flight_class(id, merged, "truth")
            self.families[id] = self.flights[id].family
            for which in ("truth", "belief"):
                problems = catalogue.class_problems(catalogue.flight_class(id, merged, which), which)
                for field, found, allowed in problems:
                    if which == "truth" or (field.startswith("belief") and "belief" in given):
                        self._say((*path, *_parts(field)), found, allowed)

    def _objects(self) -> None:
        for id, entry in _map(self.data, "objects").items():
            path: Path = ("objects", id)
            wanted = _text(entry, "class")
            if wanted is not None and wanted not in self.classes:
                near = one_of(wanted, self.classes, "a class that stands under `classes`")
                if wanted in catalogue.class_ids():
                    near += f"; {wanted} is bundled: add it there"
                self._say((*path, "class"), show(wanted), near)
            form = form_of(entry)
            if form == "launch":
                self._within((*path, "launch"), _text(entry, "launch"), "a launch")
                self._launched(path, entry)
            elif form == "state":
                self._state(path, entry)
            elif form == "table":
                self._table(path, entry)
            elif form == "satellite":
                self._satellite((*path, "satellite"), _map(entry, "satellite"))
            elif form == "aircraft":
                self._aircraft((*path, "aircraft"), _map(entry, "aircraft"))

    def _launched(self, path: Path, entry: dict[str, Any]) -> None:
        for key in (*_WHERE_TO, *_HOW):
            if key in entry and entry[key] is None:
                kind = "a number" if key.endswith(("_deg", "_km")) else "a value"
                self._say((*path, key), "nothing", f"{kind}, or no such key")
        family = self.families.get(_text(entry, "class") or "")
        where = [key for key in _WHERE_TO if key in entry]  # one without a value was told already
        hows = [key for key in _HOW if key in entry]
        if not where:
            self._say(path, "nothing that says where it goes", WHERE)
        elif set(where) not in _PLACES:
            found = f"only {where[0]}" if len(where) == 1 else " and ".join(where)
            self._say(path, found, WHERE)
        elif where == ["orbit"]:
            if hows:
                self._say((*path, hows[0]), f"{hows[0]} beside orbit", "orbit alone")
            if family is not None and family != "space-launch":
                self._say((*path, "orbit"), f"an orbit for the family {family}", "a class of the family space-launch")
        elif family == "boost-glide":
            for key in hows:
                if key != "apogee_km":
                    said = "apogee_km, of the flight before the glide, or nothing"
                    self._say((*path, key), f"{key} for the family boost-glide", said)
        elif hows == ["shape", "flight_time"]:
            if _text(entry, "shape") == "minimum-energy":
                self._say((*path, "shape"), "minimum-energy beside flight_time", "lofted, depressed or none")
        elif len(hows) != 1:
            self._say(path, " and ".join(hows) if hows else "nothing that says how it flies there", HOW)
        self._launched_values(path, entry, family)

    def _launched_values(self, path: Path, entry: dict[str, Any], family: str | None) -> None:
        time = _text(entry, "flight_time")
        if time is not None and _duration(time) == 0:
            self._say((*path, "flight_time"), show(time), "a time over 0")
        orbit = _valid(OrbitEntry, entry["orbit"]) if isinstance(entry.get("orbit"), dict) else None
        if orbit is not None and orbit.perigee_km > orbit.apogee_km:
            said = f"{orbit.perigee_km:g} over an apogee of {orbit.apogee_km:g}"
            self._say((*path, "orbit", "perigee_km"), said, "a perigee under the apogee")
        if orbit is not None and orbit.raise_to_km is not None and orbit.raise_to_km[0] > orbit.raise_to_km[1]:
            low, high = orbit.raise_to_km
            self._say((*path, "orbit", "raise_to_km"), f"[{low:g}, {high:g}]", "perigee and apogee, the lower first")
        if entry.get("bank_deg") is not None:
            if family is not None and family != "boost-glide":
                said = f"bank angles for the family {family}"
                self._say((*path, "bank_deg"), said, "a class of the family boost-glide")
            times = [pair[0] for pair in _list(entry, "bank_deg") if isinstance(pair, tuple) and pair]
            if all(isinstance(t, int | float) for t in times) and any(b <= a for a, b in pairwise(times)):
                self._say((*path, "bank_deg"), "times that do not rise", "[s, deg] pairs with times that rise")
        name = _text(entry, "class")
        flight = self.flights.get(name or "")
        if entry.get("loose") is True and flight is not None and not flight.loose:
            said = f"true for {clean(str(name))}, of which nothing comes off"
            self._say((*path, "loose"), said, "a class with `loose`")

    def _class_gives(self, path: Path, entry: dict[str, Any], keys: Sequence[str]) -> None:
        missing = [key for key in keys if entry.get(key) is None]
        if missing and _text(entry, "class") is None:
            self._say(path, f"neither {' and '.join(missing)} nor a class", "the one or the other")

    def _state(self, path: Path, entry: dict[str, Any]) -> None:
        self._within((*path, "state", "at"), _text(entry.get("state"), "at"), "a state")
        self._class_gives(path, entry, ("beta_kg_m2", "rcs_m2"))
        state = _valid(StateValues, entry["state"]) if isinstance(entry.get("state"), dict) else None
        if state is not None and state.height_km <= 0 and (state.climb_deg <= 0 or state.speed_m_s == 0):
            said = f"{state.height_km:g} km, going down or standing"
            self._say((*path, "state", "height_km"), said, "a height over 0, or a climb from the ground")
        lasts = _text(entry, "lasts")
        if lasts is not None and _duration(lasts) == 0:
            self._say((*path, "lasts"), show(lasts), "a time over 0")

    def _table(self, path: Path, entry: dict[str, Any]) -> None:
        self._within((*path, "starts"), _text(entry, "starts"), "a table")
        self._class_gives(path, entry, ("rcs_m2",))
        model = _valid(TableEntry, entry)
        if model is None:
            return
        table, problems = recorded.parse(model.table, model.greatest_gap_s, model.kind)
        for line, found, allowed in problems:
            self._say((*path, "table"), f"line {line} of the table: {found}", allowed)
        last = 0
        for k, burn in enumerate(model.burns):
            place: Path = (*path, "burns", k)
            first, end = _moment(burn.from_, self.start) or 0, _moment(burn.to, self.start) or 0
            if first < last:
                self._say((*place, "from"), show(burn.from_), "burns in their order, none before the scenario's start")
            if end <= first:
                self._say((*place, "to"), show(burn.to), "a time after `from`")
            elif table is not None:
                begins = _moment(model.starts, self.start) or 0
                if first < begins + table.rows[0][0] or end > begins + table.rows[-1][0]:
                    self._say(place, f"a burn from {burn.from_} to {burn.to}", "burns between the first and last row")
            last = max(last, end)

    def _satellite(self, path: Path, entry: dict[str, Any]) -> None:
        model = _valid(SatelliteValues, entry)
        if model is None:
            return
        given = plain_of(model)
        ways = [key for key in ("tle", "omm", "orbit") if key in given]
        if len(ways) != 1:
            self._say(path, " and ".join(ways) or "no element set and no orbit", "one of tle, omm, orbit")
            return
        for field in given:
            if field in catalogue.ORBIT_FIELDS and ways != ["orbit"]:
                self._say((*path, field), f"{field} beside {ways[0]}", f"{ways[0]} alone")
        if ways == ["tle"]:
            for _, found, allowed in elementsets.tle(model.tle)[1]:
                self._say((*path, "tle"), found, allowed)
        elif ways == ["omm"]:
            for field, found, allowed in elementsets.omm(model.omm)[1]:
                self._say((*path, "omm", field) if field else (*path, "omm"), found, allowed)
        else:
            if model.age_error:
                self._say((*path, "age_error"), "true beside orbit", "it with tle or omm only")
            needs = catalogue.orbit_needs(given["orbit"], given)
            missing = [field for field in needs if field not in given]
            if missing:
                said = f"an orbit '{given['orbit']}' without {', '.join(missing)}"
                self._say(path, said, f"it with {', '.join(needs)}")
            for field in given if given["orbit"] == "geo" else ():
                if field in catalogue.ORBIT_FIELDS and field not in ("orbit", "longitude_deg", "inclination_deg"):
                    self._say((*path, field), f"{field} of a slot", "longitude_deg, and inclination_deg if it has one")
            for field, found, allowed in catalogue.orbit_problems(given):
                self._say((*path, field), found, allowed)

    def _aircraft(self, path: Path, entry: dict[str, Any]) -> None:
        self._within((*path, "starts"), _text(entry, "starts"), "an aircraft")
        model = _valid(AircraftValues, entry)
        if model is None:
            return
        points = model.points
        if points[0].speed_m_s is None and points[1].speed_m_s is None:
            self._say((*path, "points", 1), "no speed_m_s", "a speed towards the second point")
        for k, (a, b) in enumerate(pairwise(points), 1):
            if (a.lat_deg, (a.lon_deg - b.lon_deg) % 360.0) == (b.lat_deg, 0.0):
                self._say((*path, "points", k), "the place of the point before again", "another place")

    # -- sensors and areas

    def _sensors(self, partner: str, entries: dict[str, Any]) -> None:
        for id, entry in entries.items():
            path: Path = ("partners", partner, "sensors", id)
            if id in self.sensors:
                self._say(
                    path, f"the sensor '{clean(id)}' again (also of {clean(self.sensors[id])})", "each sensor id once"
                )
            self.sensors.setdefault(id, partner)
            start: str | None = id
            start_path = path
            if isinstance(entry, dict) and isinstance(entry.get("from"), str):
                start, start_path = entry["from"], (*path, "from")
            elif isinstance(entry, dict) and entry.get("kind") is not None:
                start = None
            known = start in catalogue.sensor_ids() or start in catalogue.family_ids()
            if start is not None and not known:
                ids = catalogue.sensor_ids() + (catalogue.family_ids() if start_path != path else ())
                what = "an id of the catalogue, or `from:` one, or `kind:` and all values"
                self._say(start_path, f"the unknown sensor '{clean(start)[:80]}'", one_of(start, ids, what))
                continue
            model = _valid(SensorEntry, entry)
            if model is None:
                continue
            _, problems = resolved_sensor(id, model)
            for field, found, allowed in problems:
                self._say((*path, *_parts(field)), found, allowed)
            kind = sensor_kind(id, model)
            if kind is not None:
                self.kinds[id] = kind
            self._statuses((*path, "status"), model, kind)

    def _statuses(self, path: Path, model: SensorEntry, kind: str | None) -> None:
        for k, status in enumerate(model.status):
            place: Path = (*path, k)
            first = self._within((*place, "from"), status.from_, "a status")
            self._after((*place, "until"), first, status.until, "from")
            self._trouble(place, plain_of(status), status.what, kind)

    def _after(self, path: Path, first: int | None, until: str | None, name: str) -> None:
        end = _moment(until, self.start)
        if first is not None and end is not None and end <= first:
            self._say(path, show(until), f"a time after `{name}`")

    def _trouble(self, path: Path, given: Mapping[str, Any], what: str | None, kind: str | None) -> None:
        """The one value of each trouble, and no other; ``what`` None: no trouble of a sensor, and none of them."""
        wanted = TROUBLE_VALUES.get(what or "")
        for name in TROUBLE_VALUES.values():
            if name is not None and name in given and name != wanted:
                said = "nothing of a sensor" if what is None else f"'{what}'"
                allowed = "no such key" if wanted is None else f"{wanted} alone"
                self._say((*path, name), f"{name} for {said}", allowed)
        if wanted is not None and wanted not in given:
            self._say(path, f"'{what}' without {wanted}", f"it with {wanted}")
        elif wanted == "bias" and kind is not None:
            for field, found, allowed in catalogue.bias_problems(kind, given["bias"]):
                self._say((*path, *_parts(field)), found, allowed)

    def _areas(self, partner: str, entries: dict[str, Any]) -> None:
        for id, entry in entries.items():
            path: Path = ("partners", partner, "areas", id)
            if id in self.areas:
                self._say(path, f"the area '{clean(id)}' again (also of {clean(self.areas[id])})", "each area id once")
            self.areas.setdefault(id, partner)
            rings = [((*path, "polygon"), entry.get("polygon"))] if isinstance(entry, dict) else []
            rings += [((*path, "holes", k), ring) for k, ring in enumerate(_list(entry, "holes"))]
            for ring_path, ring in rings:
                points = _ring(ring)
                if points is None:
                    continue
                problem = ring_problem(points)
                if problem:
                    self._say(ring_path, problem, "at least three different points, edges that do not cross")

    # -- doctrine

    def _centre(self, partner: str, entry: Any) -> None:
        """What a centre's rule and catalogue say together."""
        path: Path = ("partners", partner, "centre")
        satellites = [id for id, thing in _map(self.data, "objects").items() if "satellite" in _map(thing)]
        for k, id in enumerate(_list(entry, "catalogue")):
            if isinstance(id, str) and id not in satellites:
                self._unknown((*path, "catalogue", k), id, satellites, "a satellite of the scenario")
        model = _valid(ConfidenceEntry, _map(entry, "rule", "confidence"))
        if model is not None:
            rising = (model.cancel_below, model.low, model.medium, model.high)
            if list(rising) != sorted(set(rising)):
                said = ", ".join(f"{v:g}" for v in rising)
                where: Path = (*path, "rule", "confidence")
                self._say(where, f"cancel_below, low, medium, high of {said}", "each more than the one before")

    def _posts(self, partner: str, entries: dict[str, Any]) -> None:
        base: Path = ("partners", partner, "posts")
        posts: list[specs.Post] = []
        whole = True
        for id, entry in entries.items():
            model = _valid(PostEntry, entry)
            if model is None:
                whole = False
            else:
                posts.append(post_of(id, model))
            seen: set[str] = set()
            for k, step in enumerate(_list(entry, "steps")):
                name = _text(step, "id")
                if name is not None and name in seen:
                    self._say(
                        (*base, id, "steps", k, "id"), f"the step {show(name)} again", "each step id once at a post"
                    )
                if name is not None:
                    seen.add(name)
        ladder = self._ladder(partner, posts, whole)
        if self.check_doctrine is not None:
            if whole and (posts or (ladder is not None and ladder.rungs)):
                mine = [area for area, owner in self.areas.items() if owner == partner]
                more = (ladder.rungs,) if ladder is not None else ()
                for said in self.check_doctrine(posts, mine, self.classes, *more):
                    self._doctrine_fault(base, posts, said, ladder)
            return
        names = {s.id for p in posts for s in p.steps} | {f"{p.id}/{s.id}" for p in posts for s in p.steps}
        for post in posts:
            for k, step in enumerate(post.steps):
                if step.action not in ACTIONS:
                    self._unknown((*base, post.id, "steps", k, "action"), step.action, ACTIONS, "an action")
                for j, name in enumerate(step.after):
                    if whole and name not in names:
                        self._unknown(
                            (*base, post.id, "steps", k, "after", j), name, sorted(names), "a step of this partner"
                        )

    def _ladder(self, partner: str, posts: list[specs.Post], whole: bool) -> ladders.Resolved | None:
        """The partner's ladder, if it has a sound one; ``posts`` grows by those that it brings."""
        path: Path = ("partners", partner, "centre")
        centre = _map(self.partners[partner], "centre")
        named = _text(centre, "doctrine")
        if named is not None and named not in ladders.doctrine_ids():
            self._unknown((*path, "doctrine"), named, ladders.doctrine_ids(), "a bundled doctrine")
        entry = None if centre.get("ladder") is None else _valid(ladders.LadderEntry, centre["ladder"])
        if entry is None or not whole:
            return None
        taken = [(post.id, step.id) for post in posts for step in post.steps]
        made, problems = ladders.resolve(entry, named, [post.id for post in posts], taken)
        for place, found, allowed in problems:
            self._say((*path, "ladder", *place), clean(found), clean(allowed))
        if problems:
            return None
        posts += [specs.Post(id, name, ()) for id, name in made.added]
        return made

    def _notices(self) -> None:
        entries = notices.valid_entries(_map(self.data, "notices"))
        for id, place, found, allowed in notices.problems(entries, self.partners, self.classes, self.start):
            self._say(("notices", id, *place), clean(found), clean(allowed))

    def _doctrine_fault(
        self, base: Path, posts: Sequence[specs.Post], said: str, ladder: ladders.Resolved | None = None
    ) -> None:
        match, of_rung = _WHERE.match(said), _RUNG.match(said)
        path = base
        if of_rung and ladder is not None:
            path = (*base[:2], "centre", "ladder", *ladder.places.get(of_rung["rung"], ()))
        elif match:
            said = match["said"]
            for post in posts:
                for k, step in enumerate(post.steps):
                    if post.id == match["post"] and step.id == match["step"]:
                        path = (*base, post.id, "steps", k)
            if said.startswith("condition"):
                path = (*path, "when")
            for field in ("text", "after"):
                if said.startswith(field + ":"):
                    path, said = (*path, field), said.removeprefix(field + ":").strip()
        found, mark, allowed = said.partition("; allowed: ")
        self._say(path, clean(found), clean(allowed) if mark else "a doctrine that can be carried out")

    # -- between partners

    def _partner(self, path: Path, entry: Any, key: str) -> str | None:
        name = _text(entry, key)
        if name is not None and name not in self.partners:
            self._unknown((*path, key), name, self.partners, "a partner")
            return None
        return name

    def _links(self) -> None:
        links: set[tuple[str, str]] = set()
        for k, entry in enumerate(_list(self.data, "links")):
            path: Path = ("links", k)
            a, b = self._partner(path, entry, "from"), self._partner(path, entry, "to")
            if a is None or b is None:
                continue
            if a == b:
                self._say(path, f"a link from {clean(a)} to itself", "two different partners")
            elif (a, b) in links:
                self._say(path, f"the link {clean(a)}>{clean(b)} again", "each link once")
            links.add((a, b))
        self.links = links
        releases: set[tuple[str, str]] = set()
        for k, entry in enumerate(_list(self.data, "sharing", "releases")):
            path = ("sharing", "releases", k)
            a, b = self._partner(path, entry, "from"), self._partner(path, entry, "to")
            for j, sensor in enumerate(_list(entry, "sensors")):
                if isinstance(sensor, str) and a is not None and self.sensors.get(sensor) != a:
                    mine = [s for s, owner in self.sensors.items() if owner == a]
                    self._unknown((*path, "sensors", j), sensor, mine, f"a sensor of {clean(a)}")
            if a is None or b is None:
                continue
            if a == b:
                self._say(path, f"a release from {clean(a)} to itself", "two different partners")
            elif (a, b) not in links:
                self._say(
                    path,
                    f"a release from {clean(a)} to {clean(b)}, which have no link",
                    f"a link from {clean(a)} to {clean(b)}",
                )
            if (a, b) in releases:
                self._say(path, f"a second release from {clean(a)} to {clean(b)}", "one release for each direction")
            releases.add((a, b))

    def _injects(self) -> None:
        posts = [post for entry in self.partners.values() for post in _map(entry, "posts")]
        seen: set[str] = set()
        for k, entry in enumerate(_list(self.data, "injects")):
            path: Path = ("injects", k)
            id = _text(entry, "id")
            if id is not None and id in seen:
                self._say((*path, "id"), f"the inject {show(id)} again", "each inject id once")
            if id is not None:
                seen.add(id)
            at = self._within((*path, "at"), _text(entry, "at"), "an inject")
            until = _moment(_text(entry, "until"), self.start)
            if at is not None and until is not None and until <= at:
                self._say((*path, "until"), show(_text(entry, "until")), "a time after `at`")
            target, act = _text(entry, "target"), _text(entry, "act")
            what = SENSOR_ACTS.get(act or "")
            if act is not None and isinstance(entry, dict):
                self._trouble(path, entry, what, self.kinds.get(target or ""))
                if entry.get("declared") is not None and what in (None, "silent"):
                    self._say((*path, "declared"), f"declared for {act}", "no such key")
            if target is None:
                continue
            if what is not None and target not in self.sensors:
                self._unknown((*path, "target"), target, self.sensors, "a sensor of this scenario")
            elif act == "link.cut" and target not in {f"{a}>{b}" for a, b in self.links}:
                self._unknown(
                    (*path, "target"), target, sorted(f"{a}>{b}" for a, b in self.links), "a link, as sender>recipient"
                )
            elif act in behind.FAULT_ACTS and target not in self._fault_ids():
                self._unknown((*path, "target"), target, self._fault_ids(), "a fault of this scenario")
            elif act == "note" and target not in posts:
                self._unknown((*path, "target"), target, posts, "a post of this scenario")

    def _fault_ids(self) -> list[str]:
        return [id for entry in _list(self.data, "faults") if (id := _text(entry, "id")) is not None]

    def _behind(self) -> None:
        faults: list[Any] = []
        for entry in _list(self.data, "faults"):
            try:
                faults.append(TypeAdapter(behind.FaultEntry).validate_python(entry))
            except ValidationError:
                faults.append(None)
        for path, found, allowed in behind.problems(tuple(faults), self.partners, self.classes, self.start, self.end):
            self._say(path, clean(found), clean(allowed))
        for id, entry in self.partners.items():
            for path, found, allowed in behind.post_problems(id, _map(entry), self.classes):
                self._say(path, clean(found), clean(allowed))

    def _published(self) -> None:
        places = _map(self.data, "places")
        for k, entry in enumerate(_list(self.data, "published")):
            path: Path = ("published", k)
            matches = _text(entry, "matches")
            if not matches:
                continue
            path = (*path, "matches")
            word, _, rest = matches.partition(":")
            if word not in _MATCHES:
                self._unknown(path, matches, _MATCHES, "one of the moments of the reference")
                continue
            parts = rest.split("/") if rest else []
            if len(parts) != _MATCHES[word]:
                form = {0: word, 1: f"{word}:NAME", 2: f"{word}:PARTNER/NAME"}[_MATCHES[word]]
                self._say(path, show(matches), form)
            elif word == "abeam":
                if parts[0] not in places:
                    self._unknown(path, parts[0], places, "a place of this scenario")
            elif word == "fault":
                if parts[0] not in self._fault_ids():
                    self._unknown(path, parts[0], self._fault_ids(), "a fault of this scenario")
            elif parts and parts[0] not in self.partners:
                self._unknown(path, parts[0], self.partners, "a partner")
            elif word == "passage" and parts[1] not in _map(self.partners[parts[0]], "areas"):
                self._unknown(path, parts[1], _map(self.partners[parts[0]], "areas"), f"an area of {clean(parts[0])}")
            elif word == "step":
                steps = [
                    name
                    for post in _map(self.partners[parts[0]], "posts").values()
                    for step in _list(post, "steps")
                    if (name := _text(step, "id")) is not None
                ]
                entry = _valid(ladders.LadderEntry, _map(self.partners[parts[0]], "centre").get("ladder") or {})
                if entry is not None:
                    steps += ladders.rung_ids(entry)
                if parts[1] not in steps:
                    self._unknown(path, parts[1], steps, f"a step of {clean(parts[0])}")


def _parts(field: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in field.split(".") if part)


def resolved_sensor(id: str, entry: SensorEntry) -> tuple[catalogue.Resolved | None, list[catalogue.Problem]]:
    """A scenario's sensor over what it starts from. Raises KeyError if that is unknown."""
    given = plain_of(entry)
    given = {k: v for k, v in given.items() if k not in ("from", "kind", "name", "actual", "status", "source", "note")}
    start = entry.from_ or (None if entry.kind is not None else id)
    return catalogue.resolve(id, start, entry.kind, entry.name or "", given, plain_of(entry.actual), entry.source or "")


def sensor_kind(id: str, entry: SensorEntry) -> str | None:
    """The kind of a scenario's sensor, or None for one that starts from something unknown."""
    start = entry.from_ or (None if entry.kind is not None else id)
    if start is None:
        return entry.kind
    known = catalogue.sensor_ids() + catalogue.family_ids()
    kind = catalogue.kind_of(start) if start in known else None
    return kind if kind in catalogue.FIELDS else None


def spread_spec(value: Spread) -> specs.Spread:
    """A model's spread as a spec, in the same unit."""
    return specs.Spread(value.nominal, value.spread)


def post_of(id: str, entry: PostEntry) -> specs.Post:
    """A post as a spec."""
    steps = tuple(
        specs.StepRule(s.id, s.action, s.when, spread_spec(s.takes_s), s.after, s.text, s.source) for s in entry.steps
    )
    return specs.Post(id, entry.name or id, steps, behind.display(entry.display))


# ---- polygons ------------------------------------------------------------------------------------------------------


def _ring(ring: Any) -> list[tuple[float, float]] | None:
    """The points of a ring, longitudes made continuous over the date line; None if it is no ring at all."""
    if not isinstance(ring, tuple) or not 3 <= len(ring) <= 501:
        return None
    points: list[tuple[float, float]] = []
    for point in ring:
        if not (isinstance(point, tuple) and len(point) == 2):
            return None
        lon, lat = point
        if any(isinstance(v, bool) or not isinstance(v, int | float) or not abs(v) <= 360 for v in (lon, lat)):
            return None
        if points:
            lon += 360.0 * round((points[-1][0] - lon) / 360.0)
        points.append((float(lon), float(lat)))
    if points[0] == points[-1]:
        points.pop()
    return points


def _edges(points: list[tuple[float, float]]) -> Iterator[tuple[int, tuple[float, float], tuple[float, float]]]:
    for k, point in enumerate(points):
        yield k, point, points[(k + 1) % len(points)]


def _side(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def ring_problem(points: list[tuple[float, float]]) -> str:
    """What is wrong with a ring of (longitude, latitude), or "". Edges are taken straight in these, which finds
    crossings of any size that matters. A ring around a pole is let pass: its edges do not close in longitude.
    """
    if len(set(points)) < 3:
        return f"{len(set(points))} different points"
    if len(set(points)) < len(points):
        return "a point that stands twice"
    if abs(points[-1][0] - points[0][0]) > 180.0:
        return ""
    if all(_side(points[0], points[1], p) == 0.0 for p in points):
        return "points on one line"
    edges = list(_edges(points))
    for i, a, b in edges:
        for j, c, d in edges[i + 2 :]:
            if i == 0 and j == len(points) - 1:
                continue
            if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
                continue
            if _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0:
                return f"an edge from [{a[0]:g}, {a[1]:g}] that crosses the one from [{c[0]:g}, {c[1]:g}]"
    return ""
