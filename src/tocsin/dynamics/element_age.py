"""How far a satellite is from where its element set puts it, by the kind of orbit and the age of the elements.

At the epoch: standard deviations in radial, along-track and cross-track direction that Flohrer, Krag and Klinkrad found
for the public catalogue of 1 January 2008 by orbit determination from its own element sets ("Assessment and
Categorization of TLE Orbit Errors for the US SSN Catalogue", AMOS 2008, table 2 by eccentricity, perigee and
inclination; table 1 by regime where table 2 is empty; the numbers as two programs quote them, the paper itself was not
at hand). With age: 1.5 km a day along the track, which Levit and Marshall measured against laser ranging for four
satellites at 800 to 19,100 km ("Improved orbit predictions using two-line elements", Advances in Space Research 47,
2011, arXiv:1002.2277; 0.1 to 3 km a day elsewhere); it is taken as a drift, added in quadrature.

What this does not say: the low ones with much drag (below some 600 km) and those that manoeuvre do worse, geodetic
satellites better; biases are left out; at GEO the drift is beyond the heights it was measured at. No source for a
growth across the track and in radius was found, and none is put in. The differences between old and new sets of two
altimetry satellites (docs/validation/orbits.md) show one, some 50 m a day, and a quarter of the drift along the track.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tocsin.dynamics.element_files import ElementSet
from tocsin.earth.random import draw_normal
from tocsin.earth.wgs84 import MU, A

DRIFT = 1500.0 / 86400.0  # m/s, one standard deviation (Levit and Marshall 2011)

Sigmas = tuple[float, float, float]  # radial, along, cross (m)

# Flohrer et al. 2008, table 2: by eccentricity (to 0.1, above), perigee height (to 800 km, to 25,000 km, above) and
# inclination (to 30 deg, to 60 deg, above)
_TABLE_2: dict[tuple[int, int, int], Sigmas] = {
    (0, 0, 0): (67.0, 118.0, 75.0), (0, 0, 1): (107.0, 308.0, 169.0), (0, 0, 2): (115.0, 517.0, 137.0),
    (0, 1, 0): (191.0, 256.0, 203.0), (0, 1, 1): (71.0, 228.0, 95.0), (0, 1, 2): (91.0, 428.0, 114.0),
    (0, 2, 0): (357.0, 432.0, 83.0),
    (1, 0, 0): (2252.0, 4270.0, 1421.0), (1, 0, 1): (629.0, 909.0, 2057.0), (1, 0, 2): (494.0, 814.0, 1337.0),
    (1, 1, 0): (1748.0, 3119.0, 971.0), (1, 1, 1): (1832.0, 1878.0, 1454.0), (1, 1, 2): (529.0, 817.0, 1570.0),
    (1, 2, 0): (402.0, 418.0, 83.0), (1, 2, 1): (4712.0, 6223.0, 1208.0),
}  # fmt: skip
# table 1, as far as it is needed
_TABLE_1: dict[str, Sigmas] = {
    "MEO": (73.0, 131.0, 54.0), "HEO": (824.0, 1367.0, 1059.0), "GEO": (359.0, 432.0, 86.0),
}  # fmt: skip
_GEO_LOW, _GEO_HIGH = 40_164e3 - A, 44_164e3 - A  # heights of the paper's radii


def _high_regime(perigee: float, apogee: float) -> str:
    """Table 1's regime of an orbit whose perigee is above 25,000 km, the only ones for which table 2 may be empty."""
    if perigee > _GEO_LOW and apogee < _GEO_HIGH:
        return "GEO"
    return "MEO" if apogee < _GEO_LOW else "HEO"


def epoch_sigmas(elements: ElementSet) -> Sigmas:
    """Standard deviations (m) at the epoch: radial, along the track, across it."""
    band = 0 if elements.perigee < 800e3 else 1 if elements.perigee <= 25_000e3 else 2
    degrees = math.degrees(elements.i)
    tilt = 0 if degrees < 30.0 else 1 if degrees <= 60.0 else 2
    found = _TABLE_2.get((int(elements.e > 0.1), band, tilt))
    return found if found is not None else _TABLE_1[_high_regime(elements.perigee, elements.apogee)]


def age_error(elements: ElementSet, age_s: ArrayLike) -> NDArray[np.float64]:
    """Standard deviations ``(k, 3)`` (m) radial, along and cross at ages ``(k,)`` (s; the same before the epoch)."""
    age = np.atleast_1d(np.asarray(age_s, dtype=np.float64))
    radial, along, cross = epoch_sigmas(elements)
    out = np.empty((len(age), 3))
    out[:, 0], out[:, 2] = radial, cross
    out[:, 1] = np.sqrt(along**2 + (DRIFT * age) ** 2)
    return out


@dataclass(frozen=True)
class Beside:
    """One draw of that error: how the true path lies beside that of the elements.

    ``scale``: of the distance from the Earth's centre (1 plus a little); ``late``: s that the path is run through later
    at the epoch, ``slow``: s more of that a s; ``turn (3,)``: rotation vector (rad) of the plane, lying in it.
    """

    scale: float
    late: float
    slow: float
    turn: tuple[float, float, float]

    def when(self, t_s: NDArray[np.float64], epoch_s: float) -> NDArray[np.float64]:
        """Times (s) at which the elements' own path passes where the true one is at ``t_s``; ``epoch_s`` theirs."""
        return t_s - self.late - self.slow * (t_s - epoch_s)

    def moved(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Positions ``(k, 3)`` of the elements' own path at those times, moved to the true one."""
        w = np.array(self.turn)
        angle = math.sqrt(float(w[0]) ** 2 + float(w[1]) ** 2 + float(w[2]) ** 2)
        if angle == 0.0:
            return np.asarray(self.scale * x)
        k = w / angle
        along = (x[:, 0] * k[0] + x[:, 1] * k[1] + x[:, 2] * k[2])[:, None] * k
        across = np.cross(np.broadcast_to(k, x.shape), x)
        return np.asarray(
            self.scale * (x * math.cos(angle) + across * math.sin(angle) + along * (1.0 - math.cos(angle)))
        )


def draw_beside(elements: ElementSet, key: int) -> Beside:
    """A draw from the stream ``key`` whose deviations are those of ``age_error``, for any age.

    Along the track it is a shift and a drift in time (deviations at the orbit's mean square speed), across it a small
    turn of the plane, radially a scale: so the path keeps its shape and its velocity stays its derivative.
    """
    radial, along, cross = epoch_sigmas(elements)
    z = [draw_normal(key, 0, 0, index) for index in range(5)]
    a = elements.a
    speed = math.sqrt(MU / a)
    node = np.array([math.cos(elements.raan), math.sin(elements.raan), 0.0])
    ci, si = math.cos(elements.i), math.sin(elements.i)
    ahead = np.array([-math.sin(elements.raan) * ci, math.cos(elements.raan) * ci, si])  # 90 deg after the node
    # the rms distance of an ellipse over time is a sqrt(1 + 1.5 e^2): with it the deviations are those asked
    far = a * math.sqrt(1.0 + 1.5 * elements.e**2)
    turn = (cross * z[3] * node + cross * z[4] * ahead) / far
    return Beside(
        1.0 + radial * z[0] / far, along * z[1] / speed, DRIFT * z[2] / speed,
        (float(turn[0]), float(turn[1]), float(turn[2])),
    )  # fmt: skip
