"""What the theory answers at the borders of its domain, and what it refuses."""

import jax.numpy as jnp
import numpy as np
import pytest

from initjax import meanfield
from initjax.activations import resolve


def _stepped(x):
    return x + jnp.where(x > 0.3, 1.0, 0.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda phi: meanfield.chi(phi, q=1.0, sigma_w=1.0),
        lambda phi: meanfield.jacobian_moments(phi, depth=3, q=1.0, sigma_w=1.0),
        lambda phi: meanfield.isometry_score(phi, depth=3, q=1.0),
        lambda phi: meanfield.jacobian_atoms(
            phi, depth=3, q=1.0, sigma_w=1.0, weights="orthogonal"
        ),
        lambda phi: meanfield.log_fluctuations(phi, q=1.0, sigma_w=1.0, width=9, depth=2),
    ],
)
@pytest.mark.parametrize("kinks", [None, (0.0,)])
def test_jumps_are_refused_even_where_other_kinks_are_declared(function, kinks):
    with pytest.raises(ValueError, match=r"jumps at x=0\.3"):
        function(resolve(_stepped, kinks))


def test_at_zero_all_slopes_are_the_limit():
    root = 2**0.5
    assert meanfield.chi("relu", q=0.0, sigma_w=root) == pytest.approx(1, rel=1e-12)
    both = meanfield.chi_c("relu", q=0.0, c=1.0, sigma_w=root)
    assert both == pytest.approx(1, rel=1e-12)
    mean, variance = meanfield.jacobian_moments("relu", depth=2, q=0.0, sigma_w=root)
    assert (float(mean), float(variance)) == pytest.approx((1, 4), rel=1e-12)
    atoms = meanfield.jacobian_atoms("relu", depth=2, q=0.0, sigma_w=root)
    assert atoms[0.0] == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "q", "sigma_w", "depth"),
    [("hard_tanh", 1.0, 1.5, 50), ("tanh", 1e8, 1.0, 3), ("relu6", 9.0, 1.5, 50)],
)
def test_the_mean_field_of_the_gradient_is_the_product_of_its_slopes(
    name, q, sigma_w, depth
):
    seen = meanfield.log_fluctuations(name, q=q, sigma_w=sigma_w, width=64, depth=depth)
    lengths = np.exp(seen.length.mean_field[: depth - 1])
    steps = np.log(meanfield.chi(name, q=lengths, sigma_w=sigma_w))
    expected = [*np.cumsum(steps[::-1])[::-1], 0.0]
    np.testing.assert_allclose(seen.gradient.mean_field, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"q": 0.01, "sigma_b": 1.0}, "q must be at least sigma_b²"),
        ({"depth": 3.0}, r"depth must be a whole number >= 1; got depth=3\.0"),
        ({"batch": 0}, "batch must be a whole number"),
    ],
)
def test_fluctuations_say_what_is_wrong(settings, words):
    good = {"q": 1.0, "sigma_w": 1.0, "width": 10, "depth": 2}
    with pytest.raises(ValueError, match=words):
        meanfield.log_fluctuations("tanh", **{**good, **settings})


@pytest.mark.parametrize(
    "function",
    [
        lambda two: meanfield.phase("tanh", sigma_w=two),
        lambda two: meanfield.length_fixed_points("tanh", sigma_w=two),
    ],
)
def test_what_takes_one_number_says_so(function):
    with pytest.raises(
        ValueError, match=r"sigma_w must be one number; got sigma_w=\[1, 2\]"
    ):
        function([1, 2])
    with pytest.raises(ValueError, match="sigma_b must be one number"):
        meanfield.critical_sigma_w("tanh", sigma_b=[0.1, 0.2])


def test_a_slope_that_grows_like_a_root_is_no_jump():
    """Neither 1/ℓ nor 1/ℓ²; E φ″² is infinite, and that is said."""
    with pytest.raises(ValueError, match=r"integrated reliably|cannot be computed"):
        meanfield.critical_rate(resolve(relu_power), q=1.0)


def relu_power(x):
    return jnp.where(x > 0, jnp.where(x > 0, x, 1.0) ** 1.25, 0.0)


def test_rare_deaths_keep_their_digits():
    lower, upper = meanfield.dead_bounds(60, 10)
    assert upper == pytest.approx(float(meanfield.dead_probability([60] * 9)), rel=1e-12)
    assert 0 <= lower <= upper
    assert np.isfinite(meanfield.dead_bounds(1, np.array([2, 5]))).all()
