"""What counts as normal is what theory says: width, borders, averages."""

import numpy as np
import pytest

from initjax.checkup import limits
from initjax.checkup.trunk import trunk_of
from initjax.meanfield import depth_scales, log_length_moments
from tests.checkup.made_traces import chain


def _of_width(width, depth):
    trace = chain(np.zeros((3, depth)), np.zeros((3, depth)), width=width)
    return trace, trunk_of(trace)


@pytest.mark.parametrize("width", [32, 64, 256])
def test_finite_width_is_that_of_relu(width):
    trace, trunk = _of_width(width, 40)
    mean, variance = log_length_moments("relu", [width] * 40)
    decades = np.log(10)
    expected = -float(mean) / 2 / decades, float(variance) ** 0.5 / 2 / decades
    # Exact moments against those to first order in 1/width, of 5/2 each.
    found = limits.finite_width(trace, trunk), limits.spread(trace, trunk)
    np.testing.assert_allclose(found, expected, rtol=5 / width)


def test_harmful_is_six_depth_scales():
    xi = float(depth_scales("tanh", sigma_w=0.8, sigma_b=0.3).xi_c)
    decades_of_a_square = 6 * xi / xi * np.log10(np.e)
    assert pytest.approx(decades_of_a_square / 2) == limits.HARMFUL
    assert pytest.approx(decades_of_a_square) == limits.GAP


@pytest.mark.parametrize(("window", "pixels"), [(3, 4), (3, 16), (5, 28), (1, 8)])
def test_borders_take_the_largest_eigenvalue(window, pixels):
    """He's law averages second moments over the window, and zeros are outside."""
    near = np.abs(np.subtract.outer(np.arange(pixels), np.arange(pixels)))
    matrix = (near <= (window - 1) // 2) / window
    expected = np.linalg.eigvalsh(matrix)[-1]
    # Exact for windows of 1 and 3; wider ones see a second zero beside the first.
    rtol = 1e-12 if window <= 3 else 0.01
    np.testing.assert_allclose(limits._kept(window, pixels), expected, rtol=rtol)
