"""Scenes for the tests of tracking: flights by SciPy, sensors as declared, detections drawn by plain NumPy."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import solve_ivp

from tocsin.earth.frames import OMEGA_GMST, theta_at, to_ecef, to_eci
from tocsin.earth.wgs84 import J2, MU, A, ecef_to_geodetic, enu_axes, geodetic_to_ecef
from tocsin.records.columns import DETECTION, SCAN, Kind, Region, empty, pack_symmetric, unpack_symmetric
from tocsin.scenario.specs import FlightClass, Infrared, Orbit, Radar, Sensor, Spread, Stage

THETA0 = 0.7
NS = 1_000_000_000


def gravity(p):
    r2 = p @ p
    r = math.sqrt(r2)
    k = 1.5 * J2 * A * A / r2
    q = 5.0 * p[2] ** 2 / r2
    return -MU / r**3 * p * np.array([1 + k * (1 - q), 1 + k * (1 - q), 1 + k * (3 - q)])


class Flight:
    """A flight given by its state at ``t0`` (free fall from there), or from a pad with thrust until ``cutoff``."""

    def __init__(self, x0, t0, t1, thrust=None):
        def rate(t, x):
            a = gravity(x[:3])
            if thrust is not None:
                a = a + thrust(t)
            return np.r_[x[3:], a]

        self.t0, self.t1 = t0, t1
        self._solution = solve_ivp(
            rate,
            (t0, t1),
            x0,
            method="DOP853",
            rtol=1e-10,
            atol=1e-6,
            dense_output=True,
            max_step=2.0 if thrust else np.inf,
        )

    def __call__(self, t):
        return self._solution.sol(t)

    def alive(self, t):
        return self.t0 <= t <= self.t1 and np.linalg.norm(self(t)[:3]) > A - 15e3


def launch(
    lat_deg,
    lon_deg,
    azimuth_deg,
    elevation_deg,
    t0=0.0,
    burn=100.0,
    thrust=22.0,
    exhaust=2600.0,
    vertical=8.0,
    pitch=30.0,
    until=1500.0,
):
    """A single-stage flight from a pad, and the time of its burnout."""
    lat, lon, az, el = (math.radians(v) for v in (lat_deg, lon_deg, azimuth_deg, elevation_deg))
    theta = theta_at(THETA0, round(t0 * NS))
    e = np.vstack([to_eci(row, theta) for row in enu_axes(lat, lon)])
    x0 = to_eci(np.r_[geodetic_to_ecef([lat, lon, 0.0]), np.zeros(3)], theta)

    def push(t):
        tau = t - t0
        if not 0.0 <= tau < burn:
            return np.zeros(3)
        a = thrust / (1.0 - thrust * tau / exhaust)
        angle = math.pi / 2 + min(max((tau - vertical) / pitch, 0.0), 1.0) * (el - math.pi / 2)
        return a * (math.cos(angle) * (math.sin(az) * e[0] + math.cos(az) * e[1]) + math.sin(angle) * e[2])

    return Flight(x0, t0, t0 + until, push), t0 + burn


def arc(lat_deg, lon_deg, height, speed, azimuth_deg, elevation_deg, t0=0.0, t1=120.0):
    """A free arc that starts with a given speed over the ground."""
    lat, lon, az, el = (math.radians(v) for v in (lat_deg, lon_deg, azimuth_deg, elevation_deg))
    p = geodetic_to_ecef([lat, lon, height])
    e = enu_axes(lat, lon)
    v = speed * (math.cos(el) * (math.sin(az) * e[0] + math.cos(az) * e[1]) + math.sin(el) * e[2])
    return Flight(to_eci(np.r_[p, v], theta_at(THETA0, round(t0 * NS))), t0, t1)


def radar(
    n,
    lat_deg,
    lon_deg,
    sigma_range=30.0,
    sigma_angle_deg=0.1,
    period=1.0,
    sector=(0.0, 0.0),
    elevation=(0.0, 90.0),
    reach=4000e3,
    false=0.1,
    latency=1.0,
    doppler=False,
):
    rad = math.radians
    return Sensor(
        n,
        f"radar-{n}",
        f"radar {n}",
        "x",
        Radar(
            lat=rad(lat_deg),
            lon=rad(lon_deg),
            h=0.0,
            boresights=(),
            sector=(rad(sector[0]), rad(sector[1])),
            el_min=rad(elevation[0]),
            el_max=rad(elevation[1]),
            range_min=10e3,
            range_max=reach,
            reference_range=4000e3,
            reference_snr=100.0,
            frequency=1e9,
            beam_az=0.03,
            beam_el=0.03,
            bandwidth=1e6,
            pfa=1e-6,
            false_per_scan=false,
            scan_period=period,
            latency=latency,
            sigma_range=sigma_range,
            sigma_angle=rad(sigma_angle_deg),
            doppler=doppler,
        ),
    )


def satellite(n, lon_deg, period=10.0, sigma=30e-6, false=0.2, latency=5.0):
    return Sensor(
        n,
        f"satellite-{n}",
        f"satellite {n}",
        "x",
        Infrared(
            orbit=Orbit(42164e3, 0.0, 0.0, 0.0, 0.0, math.radians(lon_deg) + THETA0),
            scan_period=period,
            least_intensity=1e5,
            threshold_snr=6.0,
            reference_distance=4e7,
            cloud_top=10e3,
            sigma_pointing=sigma,
            sigma_floor=sigma,
            false_per_scan=false,
            latency=latency,
            limb=20e3,
        ),
    )


def believed(burn=100.0, thrust=22.0, exhaust=2600.0, height=110e3, prior=1.0, id="typical", pause=None):
    """A class of one stage; with ``pause`` (s) of two, the second like the first."""
    s = Spread
    stages = (Stage(s(burn, 5.0), s(thrust, 1.0), s(exhaust, 50.0), s(pause or 0.0), s(1e6)),)
    return FlightClass(
        id=id,
        title=id,
        family="ballistic",
        energy="cutoff",
        stages=stages if pause is None else stages * 2,
        vertical=s(8.0),
        pitch=s(30.0),
        beta_boost=s(1e5),
        beta=s(5000.0),
        rcs_boost=s(1.0),
        rcs=s(1.0),
        burnout_height=s(height, 10e3),
        burnout_downrange=s(80e3, 20e3),
        energy_range=(3e5, 3e6),
        prior=prior,
    )


class Watch:
    """Scans of sensors over flights: detections by plain geometry, with a fixed probability and false ones even over
    the view.

    ``burning``: for each flight, until when infrared satellites see it.
    """

    def __init__(self, sensors, flights, seed, probability=0.9, burning=None):
        self.sensors, self.flights, self.probability = sensors, flights, probability
        self.random = np.random.default_rng(seed)
        self.burning = burning or [-1.0] * len(flights)
        self.cause = {}

    def _aspect(self, sensor, t0):
        m = sensor.model
        if isinstance(m, Radar):
            theta = theta_at(THETA0, round(t0 * NS))
            p = to_eci(np.r_[geodetic_to_ecef([m.lat, m.lon, m.h]), np.zeros(3)], theta)
            e = np.vstack([to_eci(row, theta) for row in enu_axes(m.lat, m.lon)])
            return p, e
        a = m.orbit.m0 + OMEGA_GMST * t0
        r = m.orbit.a
        p = np.array(
            [r * math.cos(a), r * math.sin(a), 0.0, -OMEGA_GMST * r * math.sin(a), OMEGA_GMST * r * math.cos(a), 0.0]
        )
        down = -p[:3] / r
        normal = np.array([0.0, 0.0, 1.0])
        return p, np.vstack([np.cross(down, normal), down, normal])

    def scan(self, sensor, number, t0, t1):
        """One scan row and its detections; each object is looked at as the sweep passes it."""
        m = sensor.model
        is_radar = isinstance(m, Radar)
        p, e = self._aspect(sensor, t0)
        scans = empty(SCAN, 1)
        row = scans[0]
        row["sensor"], row["scan"] = sensor.n, number
        row["t0_ns"], row["t1_ns"] = round(t0 * NS), round(t1 * NS)
        row["arrive_ns"] = round((t1 + m.latency) * NS)
        row["platform"], row["attitude"] = p, e.ravel()
        row["clutter"] = m.false_per_scan
        found = []
        if is_radar:
            row["region"] = Region.SECTOR
            row["az_from"], row["az_to"] = m.sector
            row["el_min"], row["el_max"], row["range_min"], row["range_max"] = (
                m.el_min,
                m.el_max,
                m.range_min,
                m.range_max,
            )
            row["sensitivity"] = m.reference_range
            sigma = [m.sigma_range, m.sigma_angle, m.sigma_angle]
        else:
            half = math.asin((A + 1e6) / m.orbit.a)
            row["region"] = Region.VIEW
            row["az_from"], row["az_to"], row["el_min"], row["el_max"] = -half, half, -half, half
            row["range_min"], row["range_max"] = m.orbit.a - A - 1e6, m.orbit.a + 1e6
            row["sensitivity"] = m.least_intensity
            sigma = [m.sigma_pointing, m.sigma_pointing]
        width = (row["az_to"] - row["az_from"]) % (2 * math.pi) or 2 * math.pi
        draw = self.random
        for k, flight in enumerate(self.flights):
            t = 0.5 * (t0 + t1)
            for _ in range(2):  # when the sweep passes
                if not flight.alive(t):
                    break
                z = self._measure(flight(t), t - t0, p, e, is_radar)
                t = t0 + (t1 - t0) * (((z[1 if is_radar else 0] - row["az_from"]) % (2 * math.pi)) / width)
            noise = draw.standard_normal(4)
            luck = draw.random()
            if not t0 <= t <= t1 or not flight.alive(t) or luck > self.probability:
                continue
            x = flight(t)
            z = self._measure(x, t - t0, p, e, is_radar)
            if is_radar:
                if not (m.el_min <= z[2] <= m.el_max and m.range_min <= z[0] <= m.range_max):
                    continue
            elif t > self.burning[k] or ecef_to_geodetic(to_ecef(x[:3], 0.0))[2] < m.cloud_top:
                continue
            s = np.array(sigma)
            s[-2] /= max(math.cos(z[2 if is_radar else 1]), 0.02)  # azimuth
            n = 3 if is_radar else 2
            z[:n] += s * noise[:n]
            found.append((round(t * NS), z, np.r_[s**2, np.zeros(4 - n)], k))
        for _ in range(draw.poisson(m.false_per_scan)):
            u = draw.random(4)
            if is_radar:
                az = m.sector[0] + width * u[1]
                low, high = math.sin(m.el_min), math.sin(m.el_max)
                z = np.array(
                    [m.range_min + (m.range_max - m.range_min) * u[0], az, math.asin(low + (high - low) * u[2]), 0.0]
                )
                s = np.array(sigma)
                s[1] /= max(math.cos(z[2]), 0.02)
            else:
                edge = math.asin(A / m.orbit.a)
                c = 1 - (1 - math.cos(edge)) * u[0]
                w = 2 * math.pi * u[1]
                d = np.array([math.sqrt(1 - c * c) * math.sin(w), c, math.sqrt(1 - c * c) * math.cos(w)])
                z = np.array([math.atan2(d[0], d[1]), math.asin(d[2]), 0.0, 0.0])
                az = z[0]
                s = np.array(sigma)
            t = t0 + (t1 - t0) * (((az - row["az_from"]) % (2 * math.pi)) / width)
            found.append((round(t * NS), z, np.r_[s**2, np.zeros(4 - len(s))], -1))
        found.sort(key=lambda f: tuple(f[1]))
        detections = empty(DETECTION, len(found))
        for n, (d, (t_ns, z, var, k)) in enumerate(zip(detections, found, strict=True)):
            d["sensor"], d["scan"], d["n"], d["t_ns"], d["arrive_ns"] = sensor.n, number, n, t_ns, row["arrive_ns"]
            d["kind"], d["mask"] = (Kind.RAE, 7) if is_radar else (Kind.LOS, 3)
            d["z"], d["R"] = z, pack_symmetric(np.diag(var))
            self.cause[sensor.n, number, n] = k
        row["n_detections"] = len(found)
        return scans, detections

    @staticmethod
    def _measure(x, dt, p, e, is_radar):
        if is_radar:
            turn = OMEGA_GMST * dt
            place, axes = to_eci(p, turn), np.vstack([to_eci(row, turn) for row in e])
            d = axes @ (x[:3] - place[:3])
            r = float(np.sqrt(d @ d))
            return np.array([r, math.atan2(d[0], d[1]), math.asin(d[2] / r), 0.0])
        g = -MU * p[:3] / np.linalg.norm(p[:3]) ** 3
        d = e @ (x[:3] - p[:3] - p[3:] * dt - g * dt * dt / 2)
        return np.array([math.atan2(d[0], d[1]), math.atan2(d[2], math.hypot(d[0], d[1])), 0.0, 0.0])

    def all_scans(self, t0, t1, phase=0.37):
        """Every scan that ends in (t0, t1], as a list of (scans, detections) by arrival."""
        out = []
        for sensor in self.sensors:
            period = sensor.model.scan_period
            first = t0 + (phase * (sensor.n + 1)) % 1.0 * period
            for k in range(int((t1 - first) // period)):
                out.append(self.scan(sensor, k, first + k * period, first + (k + 1) * period))
        out.sort(key=lambda pair: (int(pair[0]["arrive_ns"][0]), int(pair[0]["sensor"][0])))
        return out


def frames(scans, t1_ns, frame_ns=NS):
    """(t1_ns, scans, detections) for every frame until ``t1_ns``, as the exercise feeds a nation."""
    k = 0
    t = 0
    while t < t1_ns:
        t += frame_ns
        s, d = [], []
        while k < len(scans) and int(scans[k][0]["arrive_ns"][0]) <= t:
            s.append(scans[k][0])
            d.append(scans[k][1])
            k += 1
        yield t, np.concatenate(s) if s else empty(SCAN), np.concatenate(d) if d else empty(DETECTION)


def covariance(row):
    """The 6 x 6 covariance of a track row."""
    return unpack_symmetric(row["P"], 6)
