"""The radar equation against published inputs worked out elsewhere, and the closed forms that stand on it."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from sensing_world import radar

from tocsin.earth import wgs84
from tocsin.sensing.radar import aperture_of, detection_probability, gain_of, radar_range, threshold
from tocsin.sensing.radar_kernels import TROPOSPHERE, ray_reach


def ratio(db: float) -> float:
    return 10.0 ** (db / 10.0)


def test_uhf_early_warning_face():
    # 609 kW peak for one 16 ms pulse, 38.6 dB at 435 MHz, 450 K, 7 dB lost, 15 dB wanted; 0.1, 1, 10 m2
    gain = ratio(38.6)
    found = radar_range(
        power=609e3, gain=gain, aperture=aperture_of(gain, 435e6), dwell=16e-3, snr=ratio(15.0), rcs=[0.1, 1.0, 10.0],
        temperature=450.0, loss=ratio(7.0),
    )  # fmt: skip
    np.testing.assert_allclose(found / 1e3, [1878.0, 3339.0, 5938.0], atol=0.5)


def test_x_band_class():
    # 81 kW average over 0.1 s, 9.2 m2 at 0.8 efficiency, 9.5 GHz, 500 K, 6 dB lost, 13 dB (taken as 20) wanted; 0.01,
    # 0.1, 1 m2
    aperture = 9.2 * 0.8
    found = radar_range(
        power=81e3, gain=gain_of(aperture, 9.5e9), aperture=aperture, dwell=0.1, snr=20.0, rcs=[0.01, 0.1, 1.0],
        temperature=500.0, loss=ratio(6.0),
    )  # fmt: skip
    np.testing.assert_allclose(found / 1e3, [894.0, 1589.0, 2826.0], atol=0.5)


def test_gain_and_aperture_are_inverse():
    assert gain_of(aperture_of(1234.5, 3e9), 3e9) == pytest.approx(1234.5, rel=1e-14)
    # an isotropic antenna catches lambda^2 / 4 pi
    assert aperture_of(1.0, 299_792_458.0) == pytest.approx(1.0 / (4.0 * math.pi), rel=1e-14)


def test_threshold_is_what_noise_exceeds():
    assert math.exp(-threshold(1e-6)) == pytest.approx(1e-6, rel=1e-12)


def test_detection_probability_at_the_reference_range():
    r = radar(reference_range=2e6, reference_snr=30.0, pfa=1e-6)
    assert detection_probability(r, 2e6, 1.0) == pytest.approx(1e-6 ** (1.0 / 31.0), rel=1e-12)
    # a hundred times the area goes 10^(1/2) times as far; at 60 deg off the boresight one eighth is left
    assert detection_probability(r, 2e6 * 100.0**0.25, 100.0) == pytest.approx(1e-6 ** (1.0 / 31.0), rel=1e-12)
    assert detection_probability(r, 2e6, 8.0, math.radians(60.0)) == pytest.approx(1e-6 ** (1.0 / 31.0), rel=1e-9)
    # nothing to be seen, and behind the face: false alarms only
    assert detection_probability(r, 2e6, 0.0) == pytest.approx(1e-6, rel=1e-9)
    assert detection_probability(r, 2e6, 1e6, math.radians(100.0)) == pytest.approx(1e-6, rel=1e-9)


def bent_reach(height: float) -> float:
    """The angle at the Earth's centre by integrating a ray that curves by a quarter of the Earth's curvature in the
    lowest air.
    """

    def ray(_s, y):
        r, _, up = y
        bend = 0.25 / wgs84.A if r - wgs84.A < TROPOSPHERE else 0.0
        return math.sin(up), math.cos(up) / r, math.cos(up) / r - bend

    def there(_s, y):
        return y[0] - wgs84.A - height

    there.terminal = True
    there.direction = 1
    flown = solve_ivp(ray, (0.0, 2e7), (wgs84.A, 0.0, 0.0), events=there, rtol=1e-10, atol=1e-6, max_step=5e3)
    return float(flown.y_events[0][0][1])


@pytest.mark.parametrize("height", [100.0, 3e3, 12e3, 100e3, 1000e3, 4000e3])
def test_horizon_against_an_integrated_ray(height):
    assert ray_reach(height) == pytest.approx(bent_reach(height), abs=2e-5)


def test_air_never_shows_more_than_the_bending_of_a_grazing_ray():
    heights = np.geomspace(10.0, 1e8, 60)
    straight = np.arccos(wgs84.A / (wgs84.A + heights))
    gained = np.array([ray_reach(h) for h in heights]) - straight
    assert (gained > 0.0).all()
    assert gained.max() < 12.6e-3
    assert gained[-1] == pytest.approx(12.5e-3, abs=0.1e-3)
