"""Systematic errors: what a Gauss-Markov process is, and that it depends on the time alone."""

import math

import numpy as np
import pytest

from tocsin.earth.clock import NS
from tocsin.scenario.specs import Bias
from tocsin.sensing.biases import Biases


def wandering(tau: float, count: int = 400, seed: int = 1) -> Biases:
    return Biases([f"s{k}" for k in range(count)], [Bias(slow=(1.0, 2.0, 0.0, 0.5), tau=tau)] * count, seed)


def test_constant_is_constant_and_of_its_own_sensor():
    b = Biases(["a", "b"], [Bias(constant=(1.0, 2.0, 3.0, 4.0)), Bias()], 1)
    got = b.at(np.array([0, 1, 0]), np.array([0, 5, 10**15]))
    np.testing.assert_array_equal(got, [[1.0, 2.0, 3.0, 4.0], [0.0] * 4, [1.0, 2.0, 3.0, 4.0]])


@pytest.mark.parametrize("t_s", [0.0, 18.75, 123.456, 1e5])
def test_variance_and_exponential_correlation(t_s):
    # ensemble over sensors: variance slow^2 at grid times and between them, correlation exp(-dt / tau)
    n, tau = 3000, 600.0
    b = wandering(tau, n)
    which = np.arange(n)
    now = b.at(which, np.full(n, round(t_s * NS)))
    assert abs(now[:, 0].mean()) < 4.0 / math.sqrt(n)
    for column, sigma in ((0, 1.0), (1, 2.0), (3, 0.5)):
        assert now[:, column].var() == pytest.approx(sigma**2, rel=4.0 * math.sqrt(2.0 / n))
    assert (now[:, 2] == 0.0).all()
    for ahead in (60.0, 600.0, 1800.0):
        later = b.at(which, np.full(n, round((t_s + ahead) * NS)))
        assert np.corrcoef(now[:, 0], later[:, 0])[0, 1] == pytest.approx(math.exp(-ahead / tau), abs=0.07)
    # components and sensors are independent
    assert abs(np.corrcoef(now[:, 0], now[:, 1])[0, 1]) < 4.0 / math.sqrt(n)
    assert abs(np.corrcoef(now[:-1, 0], now[1:, 0])[0, 1]) < 4.0 / math.sqrt(n)


def test_the_path_is_continuous_and_depends_on_time_alone():
    b = wandering(100.0, 2)
    t = np.arange(0, 300 * NS, NS // 4)
    path = b.at(np.zeros(len(t), dtype=np.int64), t)[:, 0]
    # a grid step of tau / 16 brings at most a few times sqrt(2 / 16); a quarter of a second is 1 / 25 of one
    assert np.abs(np.diff(path)).max() < 0.1
    again = b.at(np.zeros(5, dtype=np.int64), t[[7, 3, 900, 0, 3]])[:, 0]
    np.testing.assert_array_equal(again, path[[7, 3, 900, 0, 3]])
    assert (b.at(np.array([0]), np.array([-5 * NS])) != path[0]).any()


def test_faults_are_named():
    with pytest.raises(ValueError, match=r"x: a bias with a correlation time of 0\.0 s; more than 0"):
        Biases(["x"], [Bias(slow=(1.0, 0.0, 0.0, 0.0), tau=0.0)], 1)
    with pytest.raises(ValueError, match=r"x: a bias that wanders by -1\.0; 0 or more"):
        Biases(["x"], [Bias(slow=(-1.0, 0.0, 0.0, 0.0))], 1)
    with pytest.raises(ValueError, match="x: a bias that is not a finite number"):
        Biases(["x"], [Bias(constant=(math.nan, 0.0, 0.0, 0.0))], 1)
