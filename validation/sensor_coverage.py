"""What a coverage map claims: nominal flights against those of the solver, first looks against the same flights looked
at second by second, the floor of a beam against its closed form, areas of provinces against published ones, the
sentence of the dispute about Seongju, and how long a map takes.
"""

from __future__ import annotations

import math
import time
from functools import cache

import msgspec
import numpy as np

from tocsin.dynamics.ephemeris import Ephemeris
from tocsin.earth.frames import OMEGA_GMST, gmst82, to_ecef
from tocsin.earth.geodesics import direct, inverse
from tocsin.earth.wgs84 import geodetic_to_ecef
from tocsin.measures import coverage as c
from tocsin.measures import coverage_kernels as k
from tocsin.measures import provinces as p
from tocsin.scenario import Scenario, catalogue
from tocsin.scenario.specs import FlightObject, Radar, WorldSpec
from tocsin.truth.classes import FlightImpossible, nominal_class
from tocsin.truth.flights import solve
from validation.run import Book, Measured, at_most, near

book = Book("sensor_coverage", "Coverage", __doc__)
AIM = (math.radians(35.7), math.radians(139.7))


@cache
def _world() -> WorldSpec:
    return Scenario.load("hokkaido-2017").split(gmst82)[0]


@cache
def _compared(class_id: str) -> tuple[np.ndarray, ...]:
    """Relative errors of the time of flight, errors (s) of first looks by radars, over cells 20 deg apart."""
    world = _world()
    flight_class = next(x for x in world.classes if x.id == class_id)
    scene = c.Scene.of(world, flight_class, AIM, 2.0)
    radars = [i for i, s in enumerate(world.sensors) if isinstance(s.model, Radar)]
    times, looks = [], []
    for lat in range(-10, 80, 20):
        for lon in range(0, 360, 20):
            at = (math.radians(lat), math.radians(lon))
            distance = inverse(*at, *AIM)[0]
            low, high = flight_class.energy_range
            if not 1.1 * low < distance < 0.9 * high:
                continue
            thing = FlightObject("a", "00", class_id, 0, *at, 0.0, 0.0, 0.0, 0.0, "minimum-energy", AIM)
            try:
                flight = solve(thing, nominal_class(flight_class), 0.0, 1)
            except FlightImpossible:
                continue
            first, cells = scene.watch(0, starts=geodetic_to_ecef(np.array([[*at, 0.0]])))
            times.append(cells[0, k.C_TIME] / (flight.impact_ns / 1e9) - 1.0)
            t = np.arange(0, flight.impact_ns // 1_000_000_000, dtype=np.int64) * 1_000_000_000
            paths = Ephemeris([0], [flight.nodes])
            x = paths.states(np.zeros(len(t), dtype=np.int64), t)[:, :3]
            where = to_ecef(np.ascontiguousarray(x), OMEGA_GMST * t / 1e9)
            burn, q = flight.cutoff_ns / 1e9, scene.packed
            for j in radars:
                seen = None
                for s, point in zip(t / 1e9, where, strict=True):
                    rcs = flight.rcs_boost if s < burn else flight.rcs
                    if k.radar_sees(
                        q.par[j], q.site[j], q.axes[j], q.limits[j], q.faces, q.face_start[j], q.face_start[j + 1],
                        q.terrain, q.terrain_start[j], q.terrain_start[j + 1], point, rcs, 1.0, True,
                    ):  # fmt: skip
                        seen = s
                        break
                if seen is not None and np.isfinite(first[0, j]):
                    looks.append(first[0, j] - seen)
                elif (seen is not None) != bool(np.isfinite(first[0, j])):
                    looks.append(math.inf)
    return np.array(times), np.array(looks)


def _time_row(class_id: str) -> Measured:
    times, _ = _compared(class_id)
    size = np.abs(times)
    return Measured(float(size.max()) * 100, note=f"{len(times)} cells; median {100 * np.median(size):.2f} %")


def _look_row(class_id: str) -> Measured:
    _, looks = _compared(class_id)
    both = looks[np.isfinite(looks)]
    note = f"{len(both)} pairs of cell and radar; 95 % within {np.percentile(np.abs(both), 95):.0f} s, greatest "
    note += f"{np.abs(both).max():.0f} s; seen by one of the two only: {int((~np.isfinite(looks)).sum())}"
    return Measured(float(np.median(np.abs(both))), note=note)


SOLVER = "truth.flights.solve, least energy, spreads zero"


@book.row("time of flight, irbm-liquid, the worst cell", target=at_most(2.0), unit="%", source=SOLVER)
def irbm_time() -> Measured:
    """Nominal flights against the solver's."""
    return _time_row("irbm-liquid")


@book.row("time of flight, icbm-liquid, the worst cell", target=at_most(2.0), unit="%", source=SOLVER)
def icbm_time() -> Measured:
    """Nominal flights against the solver's."""
    return _time_row("icbm-liquid")


LOOKED = "the solver's flights looked at each second"


@book.row("first look of a radar, irbm-liquid, median error", target=at_most(10.0), unit="s", source=LOOKED)
def irbm_look() -> Measured:
    """First looks against the solver's flights."""
    return _look_row("irbm-liquid")


@book.row("first look of a radar, icbm-liquid, median error", target=at_most(10.0), unit="s", source=LOOKED)
def icbm_look() -> Measured:
    """First looks against the solver's flights."""
    return _look_row("icbm-liquid")


@book.row("floor of a beam of 3 deg, 500 to 2,500 km away", target=at_most(1.2), unit="%",
          source="closed form over a sphere; the ellipsoid is the difference")  # fmt: skip
def floor() -> Measured:
    """Least height against R (cos e / cos(a + e) - 1)."""
    base = next(s for s in _world().sensors if isinstance(s.model, Radar))
    radar = msgspec.structs.replace(base, model=msgspec.structs.replace(
        base.model, sector=(0.0, 0.0), boresights=(), el_min=math.radians(3.0), el_max=1.5, lat=0.6, lon=0.3, h=0.0,
        range_min=0.0, range_max=9e6, reference_range=1e9))  # fmt: skip
    q = c.pack([radar])
    worst = 0.0
    for ground in np.arange(500e3, 2501e3, 250e3):
        lat, lon, _ = direct(0.6, 0.3, 1.1, float(ground))
        at = np.asarray(geodetic_to_ecef([lat, lon, 0.0])).reshape(1, 3)
        out = np.empty(1)
        k.least_height(np.ascontiguousarray(at / np.linalg.norm(at)), c.LEAST_HEIGHTS, 1.0, q.par, q.site, q.axes,
                       q.limits, q.faces, q.face_start, q.terrain, q.terrain_start, out)  # fmt: skip
        a, e = ground / 6.371e6, math.radians(3.0)
        worst = max(worst, abs(out[0] / (6.371e6 * (math.cos(e) / math.cos(a + e) - 1.0)) - 1.0))
    return Measured(100.0 * worst)


AREAS = {"Liaoning": 148_000, "Jilin": 187_400, "Hebei": 188_800, "Shandong": 157_900, "Beijing": 16_411,
         "Shanxi": 156_700, "Sichuan": 486_000, "Primorye": 164_673, "Amur": 361_908}  # fmt: skip


@book.row(
    "areas of nine provinces, the worst",
    target=at_most(3.0),
    unit="%",
    source="official areas",
)
def areas() -> Measured:
    """Areas of the sampled outlines."""
    off = {x.name: p.samples(x).area_km2.sum() / AREAS[x.name] - 1.0 for x in p.provinces() if x.name in AREAS}
    return Measured(100 * max(map(abs, off.values())), note=", ".join(f"{n} {100 * v:+.1f} %" for n, v in off.items()))


@cache
def _seongju() -> p.Cover:
    found = p.if_near(Scenario.load("seongju-2016").split(gmst82)[0].sensors)
    assert found is not None
    return found


@book.row("from Seongju to the far corner of the northeast", target=near(2002.0, 6.0), unit="km",
          source="measured from another site and outline")  # fmt: skip
def corner() -> Measured:
    """The farthest corner of Heilongjiang."""
    far = _seongju().farthest["Heilongjiang"]
    return Measured(far[0] / 1e3, note=f"at {far[1]:.2f} N {far[2]:.2f} E; the site is known to a tenth of a degree")


@book.row("reach of the X-band radar for 0.01 m2 at 13 dB", target=near(882.0, 12.0), unit="km",
          source="870 to 894 km published and computed")  # fmt: skip
def reach() -> Measured:
    """The radar equation at the SNR of the publication; even odds in Swerling 1 ask for more."""
    r = _seongju().reach[0]
    at_13 = r.boresight * (c.even_odds_snr(1e-6, 1) / 10**1.3) ** 0.25
    note = "; ".join(
        f"{x.rcs:g} m2: even odds {x.boresight / 1e3:.0f} km, at 2,000 km {x.snr_db:.1f} dB" for x in _seongju().reach
    )
    return Measured(at_13 / 1e3, note=note)


@book.row("a map of 22 radars on a grid of 2 deg", target=at_most(60.0), unit="s", source="the clock, one core")
def speed() -> Measured:
    """icbm-liquid towards Moscow, all the catalogue's first 22 radars, compiled already."""
    ids = [id for id in catalogue.sensor_ids() if (e := catalogue.sensor(id)).kind == "radar" and e.usable][:22]
    given = Scenario.load("hokkaido-2017").with_("partners.japan.sensors", dict.fromkeys(ids))
    world = given.split(gmst82)[0]
    world = msgspec.structs.replace(world, sensors=tuple(s for s in world.sensors if s.partner == "japan"))
    flight_class = next(x for x in world.classes if x.id == "icbm-liquid")
    moscow = (math.radians(55.75), math.radians(37.62))
    c.cover(world, flight_class, moscow, "Moscow", 30.0)
    began = time.perf_counter()
    found = c.cover(world, flight_class, moscow, "Moscow", 2.0)
    took = time.perf_counter() - began
    flown = int(np.isfinite(found.cells["flight_time_s"]).sum())
    return Measured(
        took,
        note=f"{len(world.sensors)} radars, {flown} flights, {100 * found.share('first_s'):.0f} % of the area seen",
    )
