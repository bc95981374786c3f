"""Drifts and their intervals: exact where they can be, covered as often as stated."""

import numpy as np
import pytest
from scipy import stats

from initjax.checkup.slopes import drifts, student


def test_a_drift_is_that_of_the_least_squares_line():
    values = np.random.default_rng(0).normal(size=(3, 9))
    expected = [8 * np.polyfit(np.arange(9), row, 1)[0] for row in values]
    np.testing.assert_allclose(drifts(values), expected, rtol=1e-12)


@pytest.mark.parametrize("lost", [-np.inf, np.inf, np.nan])
def test_what_is_not_finite_is_left_out(lost):
    row = np.arange(10.0)
    row[-3:] = lost
    assert drifts(row[None])[0] == pytest.approx(9.0)


def test_of_one_layer_no_drift_is_known():
    assert np.isnan(drifts(np.zeros((2, 1)))).all()


@pytest.mark.parametrize("depth", [12, 48, 400])
def test_late_tells_a_power_of_depth_from_an_exponential(depth):
    layers = np.arange(1.0, depth + 1)
    power, growth = np.log10(layers)[None] / 2, 0.15 * layers[None]
    assert drifts(growth, late=True)[0] == pytest.approx(0.15 * (depth - 1))
    # ½ log10 2 over the second half, doubled; few layers see a steeper part.
    assert drifts(power, late=True)[0] == pytest.approx(np.log10(2), abs=0.02 + 0.4 / depth)


def test_intervals_cover_as_often_as_stated():
    """Share of 4,000 intervals that hold the mean, within 4 standard errors of 95 %."""
    samples = np.random.default_rng(1).normal(3.0, 2.0, (4000, 8))
    found = [student(row) for row in samples]
    covered = np.mean([low <= 3.0 <= high for _, low, high in found])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)
    low, high = stats.t.interval(0.95, 7, samples[0].mean(), stats.sem(samples[0]))
    np.testing.assert_allclose(found[0][1:], [low, high], rtol=1e-9)


def test_one_network_has_the_spread_of_the_theory():
    mean, low, high = student(np.array([1.0]), spread=0.5)
    assert (mean, round(low, 6), round(high, 6)) == (1.0, 0.020018, 1.979982)


def test_nothing_known_is_an_interval_of_everything():
    assert student(np.array([np.nan])).low == -np.inf
