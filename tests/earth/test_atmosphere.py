"""The atmosphere against tables of the U.S. Standard Atmosphere, 1976, at heights that are not nodes of ours."""

import numpy as np
import pytest

from tocsin.earth.atmosphere import EDGES, EMPTY, density, density_in, speed_of_sound, speed_of_sound_in

# geometric km, density kg/m3 and speed of sound m/s: table I of the standard
LOW = [(0, 1.2250, 340.29), (1, 1.1117, 336.43), (5, 0.73643, 320.55), (10, 0.41351, 299.53), (15, 0.19476, 295.07),
       (25, 4.0084e-2, 298.39), (30, 1.8410e-2, 301.71), (40, 3.9957e-3, 317.19), (50, 1.0269e-3, 329.80),
       (60, 3.0968e-4, 315.07), (70, 8.2829e-5, 297.06), (80, 1.8458e-5, 282.54)]  # fmt: skip
HIGH = [(125, 1.291e-8), (170, 7.815e-10), (190, 3.581e-10), (550, 2.384e-13), (750, 1.788e-14)]


@pytest.mark.parametrize(("km", "rho", "sound"), LOW)
def test_layers(km, rho, sound):
    assert density(km * 1e3) == pytest.approx(rho, rel=1e-4)
    assert speed_of_sound(km * 1e3) == pytest.approx(sound, abs=0.01)


@pytest.mark.parametrize(("km", "rho"), HIGH)
def test_between_the_nodes_of_the_spline(km, rho):
    assert density(km * 1e3) == pytest.approx(rho, rel=0.005)


def test_it_falls_without_jumps():
    h = np.arange(-5e3, 1e6, 10.0)
    rho = np.array([density(float(v)) for v in h])
    steps = np.diff(np.log(rho))
    assert steps.max() < 0.0
    assert steps.min() > -10.0 / 4_500.0  # the least scale height of the standard is about 5 km
    seam = density(86e3 - 1e-6) / density(86e3)
    assert seam == pytest.approx(1.0, abs=1e-4)


def test_ends():
    assert density(-9e3) == density(-5e3) > 1.9
    assert density(1e6 + 1.0) == 0.0
    assert density(1e6) == pytest.approx(3.561e-15)
    assert speed_of_sound(2e5) == pytest.approx(274.1, abs=0.2)


def test_layers_taken_alone_are_the_whole():
    bounds = [-4000.0, *EDGES, 2e6]
    for layer in range(EMPTY + 1):
        for h in np.linspace(bounds[layer] + 0.01, bounds[layer + 1] - 0.01, 50):
            assert density_in(float(h), layer) == pytest.approx(density(float(h)), rel=1e-14)
            assert speed_of_sound_in(float(h), layer) == pytest.approx(speed_of_sound(float(h)), rel=1e-14)


def test_layers_go_on_smoothly_past_their_edges():
    """Within 100 m both formulas agree to what the kink makes of it: at 11 km 6.5 K/km of 217 K, 0.3 % in density."""
    for layer, edge in enumerate(EDGES[:-1]):
        for h in (edge - 100.0, edge, edge + 100.0):
            assert density_in(h, layer) == pytest.approx(density_in(h, layer + 1), rel=3.2e-3)
    for layer in range(EMPTY + 1):
        for h in (-1e5, 0.0, 5e4, 2e5):
            assert density_in(h, layer) >= 0.0


def test_edges_are_the_bases_of_the_standard():
    # geometric heights of 11, 20, 32, 47, 51, 71 geopotential km: table I of the standard
    assert EDGES[:6] == pytest.approx([11019.1, 20063.1, 32161.9, 47350.1, 51412.5, 71802.0], abs=0.06)
    assert list(EDGES[6:]) == [86e3, 1e6]
