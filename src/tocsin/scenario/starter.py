"""The scenario that ``tocsin new NAME`` writes: two fictional nations, everything commented, ready to run."""

from __future__ import annotations

import re

from tocsin.scenario.faults import clean
from tocsin.scenario.parts import ID_PATTERN
from tocsin.scenario.yaml12 import quote

_TEXT = r"""# A scenario for Tocsin: an open simulation of missile early warning, for analysis and training only.
#
#   tocsin validate @FILE@        lists every fault at once
#   tocsin run @FILE@             runs it; the report lands in runs/
#
# The nations, places and events below are invented. Units stand in the names: range_km, azimuth_deg, takes_s.
# Azimuths count clockwise from north. Times are T+MM:SS after `start`, T+4min, or a time such as
# 2031-05-14T06:00:00Z. A number may carry a spread, `45 +- 10`: a normal distribution cut at three spreads. This is
# YAML 1.2: `no` is a word, and text that looks like a number goes in quotes.

format: tocsin-scenario/1
id: @ID@
title: @TITLE@
summary: ""                    # one line for lists of scenarios

start: 2031-05-14T06:00:00Z    # the epoch, T+00:00
duration: 16 min
frame_s: 1                     # the unit of every call; links and decisions take at least one
dut1_s: 0                      # UT1 - UTC, if you care for 0.9 s of the Earth's turning
seed: 1                        # same scenario, same seed: the same bytes

# ---- what flies ----------------------------------------------------------------------------------------------------

objects:
  test-flight:
    class: mrbm                # one of `classes` below
    launch: T+00:30
    site: {lat_deg: 36.0, lon_deg: -32.0, height_m: 0}
    azimuth_deg: 60            # of the impact point, from the site
    range_km: 1200             # over the ground; or, for both, `to: {lat_deg: 41.0, lon_deg: -21.0}`
    apogee_km: 280             # or `shape: minimum-energy` (lofted, depressed), or `flight_time: 8 min`
    # thrust_ends_s: 60        # ends it early: the flight falls short of what was solved
    # loose: true              # spent stages and debris become objects of their own
  # Other ways to say how something moves; take the # away to try them:
  # fragment:                  # free flight from a state, seen from the turning Earth
  #   state: {at: T+02:00, lat_deg: 38.0, lon_deg: -29.0, height_km: 150, speed_m_s: 2000, azimuth_deg: 60}
  #   beta_kg_m2: 300
  #   rcs_m2: 0.1
  # airliner:
  #   aircraft:
  #     starts: T+00:00
  #     points:
  #       - {lat_deg: 40.0, lon_deg: -28.0, height_km: 11, speed_m_s: 230}
  #       - {lat_deg: 41.0, lon_deg: -24.0, height_km: 11}
  #   rcs_m2: 30
  # relay: {satellite: {orbit: geo, longitude_deg: -30}, rcs_m2: 20}   # or `tle:` or `omm:`
  # drone: {file: drone.csv, kind: aircraft, rcs_m2: 0.5}     # t_s,lat_deg,lon_deg,height_km

# What may fly, as the centres see it. Bundled: srbm, mrbm, irbm-liquid, icbm-liquid, icbm-solid, slbm, boost-glide,
# space-launch, sounding-rocket-bb12. Leave a name empty to take the bundled class, or say what differs: `truth` is what
# is so, `belief` what the centres believe where that is something else.
classes:
  srbm:
  mrbm:
    truth:
      rcs_m2: 0.4 +- 0.1       # smaller than the bundled one ...
    belief:
      rcs_m2: 0.5 +- 0.12      # ... and the centres do not know
  irbm-liquid:

# ---- who watches ---------------------------------------------------------------------------------------------------

partners:
  avaria:
    name: Republic of Avaria
    sensors:
      # A sensor of the public catalogue stands here by its id alone. One that is like a family of it says what
      # differs:
      north-cape:
        from: uewr
        name: North Cape radar
        lat_deg: 43.5
        lon_deg: -23.0
        sector_deg: [150, 280] # clockwise, may pass through north; [0, 360] is all round
        range_km: [100, 3000]
        source: notional
        actual:                # what is so, where the owner declares something else
          sigma_range_m: 90
        # status:              # what is wrong with it, and when: degraded, jammed, delayed, biased, silent
        #   - {from: T+06:00, until: T+08:00, what: jammed, noise_db: 10, declared: false}
      # Or it is given in full, from nothing:
      harbour:
        kind: radar
        name: Harbour radar
        lat_deg: 42.0
        lon_deg: -20.5
        height_m: 150
        faces_azimuth_deg: [230]
        face_tilt_deg: 15
        sector_deg: [170, 290]
        elevation_deg: [2, 80]
        range_km: [20, 1500]
        reference_range_km: 1200   # where 1 m2 gives reference_snr_db in one look
        reference_snr_db: 13
        frequency_mhz: 1300
        beam_deg: [1.2, 1.5]
        bandwidth_mhz: 2
        pfa: 1e-6                  # sets the threshold
        false_per_scan: 0.02
        scan_period_s: 4
        latency_s: 2
        sigma_range_m: 40          # what is left of the errors however strong the echo
        sigma_angle_deg: 0.05
    centre:
      name: Avarian warning centre
      # doctrine: two-kinds    # a named one gives the values of `rule` that are not given here
      # ladder: three-step     # conferences and alert states; or rungs of your own (see the how-to page)
      rule:
        min_updates: 4         # a warning is confirmed after so many detections,
        min_span_s: 10         # over so long,
        min_sensors: 1         # from so many sensors
        min_kinds: 1           # of so many kinds (radar, infrared, over-horizon);
        accept_partner: true   # or when a partner has confirmed it
        exclude_below: 0.01    # probability of impact under which an area is excluded
        refresh_s: 10
        processing_s: 5
        # confidence: {low: 0.5, medium: 0.9, high: 0.999}   # probabilities from which it is called so
        # priors: {false_infrared: 10}                       # false sources a year of a satellite; see the reference
    areas:
      avaria-main:
        name: Avaria
        kind: defended         # or territory
        polygon: [[-24.0, 40.5], [-19.0, 40.0], [-17.5, 42.5], [-19.5, 44.5], [-23.5, 44.0]]   # [longitude, latitude]
    # The written doctrine: a step is begun when its condition holds and the steps in `after` are done for the same
    # warning, and it is done `takes_s` later. Conditions know: confirmed, cancelled, confidence ('no' < 'low' <
    # 'medium' < 'high'), p_real, sensors, sensor_kinds, partner_reports, agrees, disagrees, not_yet,
    # p_impact('area'), p_passage('area'), excluded('area'), max_p_impact, max_p_passage, type('class'),
    # time_to_impact_s, age_s, over, announced, done('step'), called('rung'), conference('rung'), alert('state'),
    # alert_state; and, or, not, ( ), < <= > >= == !=, and the units s, min, %. Actions:
    # note, confirm, inform, exclude, stand-down, check-sensors, cancel, correct.
    posts:
      watch:
        name: Watch officer
        steps:
          - id: confirm
            action: confirm
            when: confirmed and p_real >= 90%
            takes_s: 30 +- 8
            text: "Confirmed: {type}, launched {launch_time}."
            source: "notional: one officer, one look"
      government:
        name: Government
        steps:
          - id: alert
            action: inform
            when: max_p_impact >= 5% or max_p_passage >= 20%
            after: [confirm]
            takes_s: 60 +- 15
            text: "Take shelter in {areas}."
            source: "notional: a telephone and a siren"
          - id: all-clear
            action: stand-down
            when: time_to_impact_s < -60 s or cancelled
            after: [alert]
            takes_s: 30 +- 10

  borland:
    name: Kingdom of Borland
    sensors:
      lookout:                 # an infrared satellite in a slot of your choice
        from: sbirs-geo
        name: Lookout
        longitude_deg: -35
        source: notional
    areas:
      borland-main:
        name: Borland
        kind: territory
        polygon: [[-12.0, 48.0], [-6.0, 48.0], [-6.0, 52.0], [-12.0, 52.0]]
    posts:
      watch:
        name: Watch
        steps:
          - {id: note, action: note, when: confirmed, takes_s: 20 +- 5}

# ---- what is shared ------------------------------------------------------------------------------------------------

links:                         # one entry for each direction
  - {from: borland, to: avaria, delay_s: 6 +- 2, loss: 0.01, source: notional}

sharing:
  mode: warnings               # none or warnings
  releases:
    - {from: borland, to: avaria, sensors: all}   # or a list of sensor ids

# ---- what happens besides ------------------------------------------------------------------------------------------

# Launches that were announced go from hand to hand, and are known when the last hand has passed them on:
#
# notices:
#   test-flight:
#     from: borland
#     to: avaria
#     sent: 2031-05-13T06:00:00Z
#     window: [2031-05-14T05:00:00Z, 2031-05-14T09:00:00Z]
#     area: {lat_deg: 40, lon_deg: -30, radius_km: 50}
#     handoffs: [{who: embassy, takes_s: 7200 +- 1800, loss: 0.02}, {who: watch, takes_s: 600, lost: false}]

injects:
  - {id: quiet, at: T+09:00, until: T+10:00, act: sensor.silence, target: harbour, text: The radar is being cooled}
  - {id: word, at: T+02:00, act: note, target: watch, text: This is an exercise}

# What goes wrong behind the sensors (counts, test-data, drill); no nation is told. See the page on false alarms.
# faults:
#   - {id: drill, kind: drill, partner: avaria, post: watch, from: T+03:00, taken_for_real: 0.5, says: {class: srbm}}

# ---- what a reader should know -------------------------------------------------------------------------------------

sources:
  invented: {title: invented for this example}

assumptions:
  - {what: Everything in this file, confidence: notional, why: an example}
"""


def slug(name: str) -> str:
    """``name`` as an id: letters, digits, - and _; at most 64 of them. "my-scenario" where nothing is left."""
    made = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-_")[:64].rstrip("-_")
    return made if re.match(ID_PATTERN, made) else "my-scenario"


def template(name: str) -> str:
    """A commented scenario called ``name``, which validates and runs whatever the name is."""
    id = slug(name)
    title = clean(name).strip()[:200] or id
    text = _TEXT.replace("@FILE@", f"{id}.yaml").replace("@ID@", quote(id))
    return text.replace("@TITLE@", quote(title))  # last: a title may hold anything
