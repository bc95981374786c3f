"""Rates are found, with the errors they claim, where differences drown in noise."""

import numpy as np
import pytest

from analysis.responses import rate

SEEDS, LAYERS = 40, 25


def _differences(factor, noise, relative, seed):
    """d_{ℓ+1} = χ d_ℓ + noise, with a part that is proportional to d: [seed, layer]."""
    rng = np.random.default_rng(seed)
    d = np.full((SEEDS, 1), 0.2)
    for _ in range(LAYERS - 1):
        z, y = rng.normal(size=(2, SEEDS))
        d = np.column_stack([d, d[:, -1] * factor * (1 + relative * z) + noise * y])
    return d


@pytest.mark.parametrize(
    ("factor", "noise", "relative"),
    [(0.9, 0.01, 0), (0.85, 0.03, 0.05), (0.5, 0, 0.05), (0.98, 0, 0.03), (1.2, 0, 0.05)],
)
def test_the_error_is_the_scatter_over_repetitions(factor, noise, relative):
    """Of 60 scores the mean is within 5/√60 and the variance within a factor of 2."""
    found = [rate(_differences(factor, noise, relative, n)) for n in range(60)]
    scores = np.array([(one.factor - factor) / one.error for one in found])
    assert abs(scores.mean()) < 5 / np.sqrt(60)
    assert 0.5 < np.mean(scores**2) < 2
    off = np.array([(one.factor - 1.05 * factor) / one.error for one in found])
    assert abs(off.mean()) > 5 / np.sqrt(60), "a factor off by 5 % would be found"


def test_records_of_every_other_layer_give_the_factor_of_one():
    d = _differences(0.9, 0.001, 0.03, 0)
    each, second = rate(d), rate(d[:, ::2], every=2)
    assert abs(each.factor - second.factor) < 5 * second.error
    assert second.error == pytest.approx(each.error, rel=0.5)


def test_depths():
    assert rate(0.5 ** np.arange(5.0) + np.zeros((3, 1))).depth == pytest.approx(
        1 / np.log(2)
    )
    growing = rate(1.5 ** np.arange(5.0) + np.zeros((3, 1)))
    assert growing.depth == np.inf
    assert np.isnan(growing.depth_error)
    flat = rate(_differences(0.9, 0.001, 0.03, 1))
    assert flat.depth_error == pytest.approx(
        (-1 / np.log(flat.factor + flat.error) - flat.depth), rel=0.2
    )


def test_steps_below_the_least_and_after_the_first_do_not_count():
    d = 0.5 ** np.arange(8.0) * np.ones((4, 1))
    d[:, 5:] = 0.03  # a floor
    assert rate(d).factor > 0.53
    assert rate(d, least=0.1).factor == pytest.approx(0.5)
    assert rate(d, steps=3).factor == pytest.approx(0.5)
    assert np.isnan(rate(d, least=10).factor)
