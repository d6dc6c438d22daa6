"""The Earth's shadow against its geometry: tip of the umbra, eclipses of a geostationary satellite, continuity."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.earth.clock import parse_utc
from tocsin.earth.shadow import sunlit, sunlit_parts
from tocsin.earth.sun import AU, RADIUS, sun_direction_eci
from tocsin.earth.wgs84 import A, B

SUN = (AU, 0.0, 0.0)


def lit(x, y, z):
    return sunlit(x, y, z, *SUN)


def test_the_tip_of_the_umbra():
    """A / sin(alpha) with sin(alpha) = (R - A) / AU: 1.383 million km."""
    tip = A * AU / (RADIUS - A)
    assert tip == pytest.approx(1.383e9, rel=1e-3)
    assert lit(-0.9999 * tip, 0.0, 0.0) == 0.0
    assert 0.0 < lit(-1.001 * tip, 0.0, 0.0) < 0.005
    # far behind, the Earth covers (A / R)^2 of the disk for an eye infinitely far away
    assert lit(-1e6 * AU, 0.0, 0.0) == pytest.approx(1.0 - (A / RADIUS) ** 2, rel=1e-6)


def test_edges_of_umbra_and_penumbra():
    """At distance x behind, umbra and penumbra reach to A / cos(a) -+ x tan(a), each with its own cone."""
    x = 42_164e3
    umbra, penumbra = math.asin((RADIUS - A) / AU), math.asin((RADIUS + A) / AU)
    inner = A / math.cos(umbra) - x * math.tan(umbra)
    outer = A / math.cos(penumbra) + x * math.tan(penumbra)
    for edge, before, after in ((inner, 0.0, "more"), (outer, "less", 1.0)):
        low, high = lit(-x, edge - 300.0, 0.0), lit(-x, edge + 300.0, 0.0)
        assert low == before if after == "more" else low < 1.0
        assert high > 0.0 if after == "more" else high == after
    assert lit(-x, 0.5 * (inner + outer), 0.0) == pytest.approx(0.5, abs=0.02)


def test_the_shadow_is_narrower_over_the_poles():
    x = 7_000e3
    step = 100.0
    across = next(y for y in np.arange(6.2e6, 6.5e6, step) if lit(-x, y, 0.0) > 0.5)
    polar = next(z for z in np.arange(6.2e6, 6.5e6, step) if lit(-x, 0.0, z) > 0.5)
    assert across - polar == pytest.approx(A - B, abs=300.0)


def test_eclipses_of_a_geostationary_satellite():
    """At an equinox: 2 (asin(A / r) +- the Sun's 16') of its turn: 67.3 min of umbra, 71.6 min in all."""
    unix_ns = parse_utc("2022-03-20T15:33Z")
    s = sun_direction_eci(unix_ns)
    phase = np.radians(np.arange(0.0, 360.0, 0.005))
    across = np.array([-s[1], s[0], 0.0]) / math.hypot(s[0], s[1])
    x = 42_164e3 * (np.cos(phase)[:, None] * s + np.sin(phase)[:, None] * across)
    part = sunlit_parts(x, unix_ns)
    minutes = 1436.07 * np.array([(part == 0.0).mean(), (part < 1.0).mean()])
    assert minutes == pytest.approx([67.3, 71.6], abs=0.3)


def test_a_circular_low_orbit_in_the_plane_of_the_sun():
    phase = np.radians(np.arange(0.0, 360.0, 0.01))
    r = 6_878_137.0
    dark = np.mean([lit(r * math.cos(p), r * math.sin(p), 0.0) < 0.5 for p in phase])
    assert dark == pytest.approx(math.asin(A / r) / math.pi, abs=1e-3)  # the cylinder's share


@given(st.floats(-5e7, 5e7), st.floats(-5e7, 5e7), st.floats(-5e7, 5e7))
def test_it_is_a_share_and_full_on_the_day_side(x, y, z):
    part = lit(x, y, z)
    assert 0.0 <= part <= 1.0
    if x > 0.1 * A and math.hypot(x, y, z) > 1.01 * A:
        assert part == 1.0
    # a rotation about the pole changes nothing
    c, s = math.cos(1.0), math.sin(1.0)
    turned = sunlit(c * x - s * y, s * x + c * y, z, c * AU, s * AU, 0.0)
    assert turned == pytest.approx(part, abs=1e-4)


def test_it_grows_evenly_through_the_penumbra():
    y = np.linspace(6.15e6, 6.65e6, 4000)
    part = np.array([lit(-42_164e3, v, 0.0) for v in y])
    assert (np.diff(part) >= -1e-9).all()
    assert np.diff(part).max() < 0.002
    assert (part[0], part[-1]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("x", "times", "said"),
    [
        (np.zeros((3, 4)), 0, "found shape"),
        (np.zeros((3, 3)), [0, 1], "expected one time or 3, found 2"),
        (np.array([[7e6, 0, 0], [math.nan, 0, 0]]), 0, "row 1: positions must be finite"),
    ],
)
def test_faults(x, times, said):
    with pytest.raises(ValueError, match=said):
        sunlit_parts(x, times)
