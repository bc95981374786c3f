import numpy as np
import pytest
from scipy.integrate import quad

from initjax.meanfield import mode_time, task_time


@pytest.mark.parametrize(
    ("depth", "time"),
    [(2, 5.75093731), (4, 16.78966415), (9, 31.50162743), (99, 9.06727676)],
)
def test_from_a_small_start(depth, time):
    assert mode_time(depth, start=0.001, stop=0.99) == pytest.approx(time, rel=1e-8)


def test_learning_time_saturates_from_a_start_of_order_one():
    depths = np.array([2, 4, 9, 49, 99, 1e9])
    found = depths * mode_time(depths, start=0.5, stop=0.99)
    expected = [4.5951, 5.0421, 5.3303, 5.5365, 5.5609, 5.58501884]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    small = 1e9 * mode_time(1e9, start=0.001, stop=0.99)
    assert small == pytest.approx(1010.49177, rel=1e-6)


@pytest.mark.parametrize(("strength", "start", "stop"), [(2, 0.3, 1.9), (0.2, 1.0, 0.21)])
def test_against_the_integral_itself(strength, start, stop):
    for depth in (1, 3, 40):

        def rate(u, d=depth):
            return d * u ** (2 - 2 / d) * (strength - u)

        expected = quad(lambda u: 1 / rate(u), start, stop, epsabs=0, epsrel=1e-12)[0]
        found = mode_time(depth, strength=strength, start=start, stop=stop)
        assert found == pytest.approx(expected, rel=1e-11)


def test_modes_together_take_as_long_as_the_slowest_allows():
    both = task_time(10, strengths=[0.3, 0.2], error=0.02)
    bounds = [
        float(mode_time(10, strength=s, start=1.0, stop=s + gap))
        for s, gap in ((0.3, 0.2), (0.2, np.sqrt(0.04)), (0.2, np.sqrt(0.02)))
    ]
    assert max(bounds[:2]) < both < bounds[2]
    assert task_time(10, strengths=[0.9], error=0.02) == 0


@pytest.mark.parametrize(
    ("function", "settings", "words"),
    [
        (mode_time, {"start": 0.5, "stop": 1.0}, "stop must lie between"),
        (mode_time, {"start": 0.5, "stop": 0.4}, "stop must lie between"),
        (mode_time, {"start": 0.0, "stop": 0.4}, "stop must lie between"),
        (mode_time, {"start": 0.1, "stop": 0.4, "depth": 0.5}, "depth must be >= 1"),
        (task_time, {"strengths": [-1.0]}, "strengths finite"),
        (task_time, {"strengths": [1.0], "start": 0.0}, "start and error > 0"),
    ],
)
def test_bad_arguments(function, settings, words):
    with pytest.raises(ValueError, match=words):
        function(**{"depth": 3, **settings})
