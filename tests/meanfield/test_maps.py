import numpy as np
import pytest

from initjax.gains import gain
from initjax.meanfield import chi, variance_map


def _iterate(q, steps, *arguments, **settings):
    for _ in range(steps):
        q = variance_map(q, *arguments, **settings)
    return q


@pytest.mark.parametrize(
    ("sigma_w2", "sigma_b2", "q_star", "chi_1"),
    [
        (1.3, 0.05, 0.3153164775, 0.8801635099),
        (1.76095463961, 0.05, 0.570047881641, 1.0),
        (2.5, 0.05, 1.063958377, 1.133515699),
        (16, 0.09, 12.6041495, 2.367261036),
    ],
)
def test_tanh_fixed_points_and_slopes(sigma_w2, sigma_b2, q_star, chi_1):
    q = _iterate(1.0, 400, "tanh", sigma_w=sigma_w2**0.5, sigma_b=sigma_b2**0.5)
    assert float(q) == pytest.approx(q_star, rel=1e-9)
    assert float(chi("tanh", q=q, sigma_w=sigma_w2**0.5)) == pytest.approx(chi_1, rel=1e-9)


def test_tanh_with_unit_gain_decays_like_one_over_two_layers():
    q = 1.0
    seen = {}
    for layer in range(1, 1001):
        q = variance_map(q, "tanh", sigma_w=1.0)
        seen[layer] = float(q)
    published = {1: 0.394294490398, 10: 0.052200082787, 100: 0.00506901920017}
    for layer, value in {**published, 1000: 0.000501163910456}.items():
        assert seen[layer] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("gelu", 1.1440631969),
        ("silu", 1.1725940541),
        ("mish", 1.0763388164),
        ("tanh", 0.461),
    ],
)
def test_length_map_slope_at_one_under_the_forward_gain(name, slope):
    sigma_w, step = gain(name), 1e-5
    above, below = variance_map([1 + step, 1 - step], name, sigma_w=sigma_w)
    assert (above - below) / (2 * step) == pytest.approx(slope, abs=1e-4)


def test_gelu_leaves_one():
    assert float(_iterate(1.1, 10, "gelu", sigma_w=gain("gelu"))) == pytest.approx(
        1.41090898, rel=1e-8
    )


def test_homogeneous_activations_scale_to_any_magnitude():
    q = np.logspace(-200, 200, 9)
    np.testing.assert_allclose(variance_map(q, "relu", sigma_w=2**0.5), q, rtol=1e-12)
    np.testing.assert_allclose(variance_map(q, "identity", sigma_w=2.0), 4 * q, rtol=1e-12)


def test_arrays_broadcast():
    grid = variance_map(np.ones((3, 1)), "relu", sigma_w=np.ones(4), sigma_b=2.0)
    np.testing.assert_allclose(grid, np.full((3, 4), 4.5), rtol=1e-12)
    np.testing.assert_allclose(chi("relu", q=np.ones((3, 1)), sigma_w=np.ones(4)), 0.5)
