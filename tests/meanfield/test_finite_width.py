import math

import numpy as np
import pytest

from initjax.init.random_walk import exact_walk_gain
from initjax.meanfield import (
    homogeneous_slopes,
    log_length_moments,
    second_moment_growth,
)
from initjax.meanfield.finite_width import _by_survival, _log_moments

# width: mean and variance of ln(|h'|²/|h|²), linear and (alive) ReLU
PUBLISHED = {
    4: (-0.2703628455, 0.6449340668, -0.7165726575, 2.926362478),
    8: (-0.1301766927, 0.2838229557, -0.3987772699, 1.246989128),
    16: (-0.06380006372, 0.1331370147, -0.1763973244, 0.4195933941),
    32: (-0.03157539391, 0.0644937834, -0.0825402081, 0.1774977872),
    64: (-0.01570637226, 0.03174336652, -0.04010859884, 0.08299735056),
    100: (-0.010033332, 0.02020133323, -0.02542088562, 0.05193999215),
    128: (-0.007832844555, 0.01574770606, -0.01978640188, 0.0402339926),
    256: (-0.003911336232, 0.00784309705, -0.009828659363, 0.01981870891),
    512: (-0.001954396564, 0.003913889329, -0.004898479353, 0.009836836037),
    1024: (-0.0009768803913, 0.00195503359, -0.002445311641, 0.004900534922),
}


@pytest.mark.parametrize("width", PUBLISHED)
def test_layers_of_all_widths(width):
    found = [*log_length_moments("identity", width), *log_length_moments("relu", width)]
    # The printed means of wide layers are good to 3e-12.
    np.testing.assert_allclose(found, PUBLISHED[width], rtol=1e-9, atol=3e-12)


def test_layers_add_up_over_arrays_of_widths():
    mean, variance = log_length_moments("relu", np.full((3, 8), 32))
    np.testing.assert_allclose(mean, [-0.660321665] * 3, rtol=1e-9)
    np.testing.assert_allclose(variance, [1.4199823] * 3, rtol=1e-8)
    mixed = log_length_moments("relu", [4, 16, 4])
    by_hand = [sum(PUBLISHED[n][i] for n in (4, 16, 4)) for i in (2, 3)]
    np.testing.assert_allclose(mixed, by_hand, rtol=1e-9)


@pytest.mark.parametrize(
    ("activation", "widths", "published"),
    [
        ("relu", [100] * 50, 11.4673997858),
        ("relu", [64] * 32, 11.1022687531),
        ("relu", [32] * 8, 3.19458145),
        ("identity", [100] * 50, 1.02**50),
        ("abs", [10, 20], 1.2 * 1.1),
    ],
)
def test_second_moment(activation, widths, published):
    assert float(second_moment_growth(activation, widths)) == pytest.approx(
        published, rel=3e-9
    )


@pytest.mark.parametrize("width", [1, 2, 5, 16, 100, 1024])
def test_two_slopes_agree_with_the_closed_form_of_one(width):
    """χ²_K + χ²_{n-K} is χ²_n: the integral over the transform against digamma."""
    np.testing.assert_allclose(
        _by_survival(width, 1.0), _log_moments(width, 1.0), rtol=1e-12, atol=1e-13
    )


def test_a_leak_that_vanishes_leaves_relu():
    """At width 100 all units are off with probability 1e-30."""
    leaky = log_length_moments("leaky_relu(1e-7)", 100)
    np.testing.assert_allclose(leaky, log_length_moments("relu", 100), rtol=1e-9)


@pytest.mark.parametrize("a", [0.01, 0.3])
def test_leaky_against_monte_carlo(a):
    n, draws = 6, 200_000
    z = np.random.default_rng(0).standard_normal((draws, n))
    logs = np.log(np.mean(np.where(z > 0, z, a * z) ** 2, 1) * 2 / (1 + a * a))
    mean, variance = log_length_moments(f"leaky_relu({a})", n)
    error = np.sqrt(variance / draws)
    spread = np.std((logs - logs.mean()) ** 2) / math.sqrt(draws)
    assert abs(logs.mean() - mean) < 5 * error
    assert abs(logs.var() - variance) < 5 * spread
    wrong = log_length_moments(f"leaky_relu({a})", n + 1)
    assert abs(logs.mean() - wrong[0]) > 5 * error, "another width is told apart"


def test_the_exact_random_walk_gain_keeps_the_logarithm():
    for name in ("identity", "relu"):
        gain = exact_walk_gain(name, 12)
        mean, _ = log_length_moments(name, 12, sigma_w=gain)
        assert float(mean) == pytest.approx(0, abs=1e-12)


def test_mean_tends_to_zero_and_variance_to_five_over_n():
    widths = 2 ** np.arange(4, 21)
    mean, variance = log_length_moments("relu", widths[:, None])
    assert (np.diff(mean) > 0).all()
    assert mean[-1] * widths[-1] == pytest.approx(-5 / 2, rel=1e-4)
    assert variance[-1] * widths[-1] == pytest.approx(5, rel=1e-4)


def test_homogeneity_is_found_not_declared():
    assert homogeneous_slopes(lambda x: 3 * abs(x)) == (3.0, -3.0)
    assert homogeneous_slopes("relu") == (1.0, 0.0)
    for name in ("tanh", "relu6", "squared_relu", "softplus"):
        with pytest.raises(ValueError, match="not positively homogeneous"):
            homogeneous_slopes(name)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("relu", 0), "widths must be whole numbers"),
        (("relu", [2.5]), "widths must be whole numbers"),
        (("tanh", 8), "log_fluctuations"),
    ],
)
def test_bad_input_is_named(arguments, match):
    for function in (log_length_moments, second_moment_growth):
        with pytest.raises(ValueError, match=match):
            function(*arguments)
    with pytest.raises(ValueError, match="sigma_w must be finite"):
        log_length_moments("relu", 8, sigma_w=0.0)
