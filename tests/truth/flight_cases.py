"""Notional classes and the two flights that happened, for tests. What names no source is notional."""

import math

from tocsin.earth.clock import parse_utc
from tocsin.earth.frames import gmst82
from tocsin.scenario.specs import FlightClass, FlightObject, Spread, Stage, WorldSpec


def spread(nominal, relative=0.0):
    return Spread(nominal, nominal * relative)


def irbm(relative=0.0):
    """A liquid single-stage class like the FACTS table of intermediate ranges: 150 s, about 100 km up at burnout."""
    stage = Stage(spread(150.0, relative), spread(16.0, relative), spread(2550.0, relative), Spread(0.0), Spread(3e5))
    return FlightClass(
        "irbm-liquid", "IRBM, liquid", "ballistic", "cutoff", (stage,), spread(8.0, relative), spread(50.0, relative),
        spread(9000.0, relative), spread(4000.0, relative), Spread(5.0), Spread(0.5), Spread(1e5), Spread(6e4),
        (5e5, 4.5e6), 1.0,
    )  # fmt: skip


def black_brant(relative=0.0):
    """Four solid stages; burn times as published for Talos, Taurus, Black Brant V and Nihka, the rest notional."""
    numbers = (
        (5.5, 100.0, 2000.0, 6.0),
        (3.5, 130.0, 2100.0, 12.0),
        (32.0, 60.0, 2300.0, 25.0),
        (17.5, 110.0, 2600.0, 0.0),
    )
    stages = tuple(
        Stage(spread(b, relative), spread(f, relative), spread(c, relative), Spread(q), Spread(3e4))
        for b, f, c, q in numbers
    )
    return FlightClass(
        "sounding-four", "Sounding rocket, four stages", "sounding-rocket", "thrust", stages, Spread(1.0), Spread(2.0),
        spread(8000.0, relative), spread(1500.0, relative), Spread(0.5), Spread(0.2), Spread(2e5), Spread(5e4),
        (1e5, 2e6), 1.0,
    )  # fmt: skip


def hwasong(key="h12", **changes):
    """The overflight of 28 August 2017 (UTC): site, bearing, range, apogee as published."""
    values = {
        "id": "overflight", "key": key, "class_id": "irbm-liquid", "launch_ns": 60_000_000_000,
        "lat": math.radians(39.200159), "lon": math.radians(125.673256), "h": 30.0,
        "azimuth": math.radians(73.0), "range": 2.7e6, "apogee": 5.5e5,
    }  # fmt: skip
    return FlightObject(**{**values, **changes})


def andoya(key="bb12", **changes):
    """The research rocket of 25 January 1995: published site and apogee; it came down near Spitsbergen."""
    values = {
        "id": "rocket", "key": key, "class_id": "sounding-four", "launch_ns": 0,
        "lat": math.radians(69.294), "lon": math.radians(16.020), "h": 10.0,
        "azimuth": math.radians(0.0), "range": 9.8e5, "apogee": 1.453e6,
    }  # fmt: skip
    return FlightObject(**{**values, **changes})


def world(objects, classes=None, seed=1, utc="2017-08-28T20:57:00Z"):
    unix_ns = parse_utc(utc)
    return WorldSpec(
        "w", "w", unix_ns, gmst82(unix_ns), 1_000_000_000, 3_600_000_000_000, seed, (),
        classes or (irbm(), black_brant()), tuple(objects), (), (), (),
    )  # fmt: skip
