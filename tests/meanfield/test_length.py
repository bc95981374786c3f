"""The variance map and its slopes: closed form = quadrature = autodiff = Monte Carlo."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initjax.activations import ACTIVATIONS, resolve
from initjax.gains import gain
from initjax.meanfield import chi, chi_q, variance_map
from initjax.quadrature import on_host
from tests.meanfield.published import LENGTHS, TANH

PI = math.pi
SPREAD = np.array([1e-6, 0.04, 1.0, 30.0, 1e4])

# E φ², E φ′² and dEφ²/dq at variance q
CLOSED_FORMS = {
    "erf": (
        lambda q: 2 / PI * np.arcsin(2 * q / (1 + 2 * q)),
        lambda q: 4 / PI / np.sqrt(1 + 4 * q),
        lambda q: 4 / PI / ((1 + 2 * q) * np.sqrt(1 + 4 * q)),
    ),
    "relu": (lambda q: q / 2, lambda q: 0 * q + 0.5, lambda q: 0 * q + 0.5),
    "leaky_relu(0.2)": (
        lambda q: 0.52 * q,
        lambda q: 0 * q + 0.52,
        lambda q: 0 * q + 0.52,
    ),
    "abs": (lambda q: q, lambda q: 0 * q + 1, lambda q: 0 * q + 1),
    "squared_relu": (lambda q: 1.5 * q**2, lambda q: 2 * q, lambda q: 3 * q),
    "sin": (
        lambda q: -np.expm1(-2 * q) / 2,
        lambda q: (1 + np.exp(-2 * q)) / 2,
        lambda q: np.exp(-2 * q),
    ),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_closed_forms(name):
    """To 1e-12 of the scale of each: of E φ²/q for the slope, which may cancel."""
    q = SPREAD[SPREAD < 1e3] if name == "sin" else SPREAD
    length, steepness, slope = (form(q) for form in CLOSED_FORMS[name])
    found = variance_map(q, name, sigma_w=1.5, sigma_b=0.5, keep=0.8)
    np.testing.assert_allclose(found, 2.25 / 0.8 * length + 0.25, rtol=1e-12)
    found = chi(name, q=q, sigma_w=1.5, keep=0.8)
    np.testing.assert_allclose(found, 2.25 / 0.8 * steepness, rtol=1e-12)
    error = np.abs(chi_q(name, q=q, sigma_w=1.5, keep=0.8) - 2.25 / 0.8 * slope)
    assert np.all(error <= 1e-12 * (length / q + slope) * 2.25 / 0.8)


SMOOTH = ("tanh", "gelu", "silu", "mish", "softplus", "sigmoid", "erf", "sin", "arctan")


@pytest.mark.parametrize("name", SMOOTH)
def test_slope_by_quadrature_is_that_of_autodiff(name):
    """jax.grad of the map itself, by Gauss-Hermite, which suits what is smooth."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(220)
    function = ACTIVATIONS[name].function

    def length(q):
        return jnp.sum(weights / weights.sum() * jnp.square(function(jnp.sqrt(q) * nodes)))

    with jax.enable_x64(True):
        slopes = jax.jit(jax.vmap(jax.grad(length)))(jnp.array([0.05, 0.8], jnp.float64))
    np.testing.assert_allclose(chi_q(name, q=[0.05, 0.8], sigma_w=1.0), slopes, rtol=1e-9)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - set(SMOOTH)))
def test_slope_is_the_difference_quotient_of_the_map(name):
    """Central differences of third order in ln q; rounding leaves ten digits."""
    q, step = np.array([0.3, 2.0]), 3e-3
    above, below, far, near = (
        variance_map(q * np.exp(k * step), name, sigma_w=1.0) for k in (1, -1, 2, -2)
    )
    slope = (8 * (above - below) - (far - near)) / (12 * step) / q
    np.testing.assert_allclose(chi_q(name, q=q, sigma_w=1.0), slope, rtol=1e-8)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_monte_carlo(name):
    """One sample for all; six standard errors, within which 5 % off would not be."""
    q, n = 1.7, 400_000
    z = np.random.default_rng(6).standard_normal(n)
    value, slope = (on_host(resolve(name), order)(np.sqrt(q) * z) for order in (0, 1))
    for samples, theory in (
        (value**2, variance_map(q, name, sigma_w=1.0)),
        (slope**2, chi(name, q=q, sigma_w=1.0)),
        (value * slope * z / np.sqrt(q), chi_q(name, q=q, sigma_w=1.0)),
    ):
        bound = 6 * samples.std() / np.sqrt(n) + 1e-12
        assert abs(samples.mean() - theory) < bound
        if samples.std() < 3 * samples.mean():
            assert abs(samples.mean() - 1.05**2 * theory) > bound


@pytest.mark.parametrize("name", LENGTHS)
def test_length_maps_under_the_forward_gain(name):
    """Digits as printed; and those of gelu after ten layers to 1e-8."""
    (slope,), low, high = LENGTHS[name]
    sigma_w = gain(name)
    assert float(chi_q(name, q=1.0, sigma_w=sigma_w)) == pytest.approx(slope, abs=6e-7)
    q = np.array([0.9, 1.1])
    for layer in range(1, 31):
        q = variance_map(q, name, sigma_w=sigma_w)
        if layer in (5, 10, 20, 30):
            at = (5, 10, 20, 30).index(layer)
            np.testing.assert_allclose(q, (low[at], high[at]), rtol=6e-6)
        if (name, layer) == ("gelu", 10):
            assert q[1] == pytest.approx(1.41090898, rel=1e-8)


@pytest.mark.parametrize(("sigma_w2", "sigma_b2", "keep", "q", "chi_1", "xi_q"), TANH)
def test_tanh_slopes(sigma_w2, sigma_b2, keep, q, chi_1, xi_q):
    sigma_w = sigma_w2**0.5
    # The settings of the largest ξ_c are printed to six digits, their q to ten.
    digits = 1e-9 if sigma_w2 * 1000 % 1 == 0 else 5e-6
    assert float(chi("tanh", q=q, sigma_w=sigma_w)) == pytest.approx(chi_1, rel=digits)
    slope = float(chi_q("tanh", q=q, sigma_w=sigma_w, keep=keep))
    assert -1 / math.log(slope) == pytest.approx(xi_q, rel=max(digits, 6e-7))


def test_dropout_multiplies_the_squared_gradient_by_one_over_keep():
    """Through one wide layer, backward: six standard errors over its units."""
    keep, q, n = 0.8, 1.3, 400_000
    rng = np.random.default_rng(1)
    z, mask = np.sqrt(q) * rng.standard_normal(n), rng.random(n) < keep
    back = 1.2 * rng.standard_normal(n)  # what σ_w Wᵀ/√n returns of a unit cotangent
    squares = (back * (1 - np.tanh(z) ** 2) * mask / keep) ** 2
    bound = 6 * squares.std() / np.sqrt(n)
    assert abs(squares.mean() - chi("tanh", q=q, sigma_w=1.2, keep=keep)) < bound
    assert abs(squares.mean() - chi("tanh", q=q, sigma_w=1.2)) > bound


@pytest.mark.parametrize(
    ("activation", "limit"),
    [
        ("relu", 0.5),
        ("leaky_relu(0.2)", 0.52),
        ("abs", 1.0),
        ("tanh", 1.0),
        ("gelu", 0.25),
        ("erf", 4 / PI),
        ("softplus", 0.25 + math.log(2) / 4),  # φ′² + φ φ″
        ("sigmoid", 1 / 16),
        (jnp.cos, -1.0),
        (lambda x: 1 + jnp.abs(x), math.inf),
        (lambda x: 1 - jnp.abs(x), -math.inf),
        (lambda x: jnp.exp(x) - 1, 1.0),
    ],
)
def test_slope_at_zero_is_the_limit(activation, limit):
    assert float(chi_q(activation, q=0.0, sigma_w=1.0)) == pytest.approx(limit, rel=1e-12)
    if math.isfinite(limit):
        near = chi_q(activation, q=[0.0, 1e-9], sigma_w=2.0)
        np.testing.assert_allclose(near, 4 * limit, rtol=1e-3)


def test_chi_at_zero_sees_both_sides_of_a_kink():
    assert float(chi("relu", q=0.0, sigma_w=2**0.5)) == pytest.approx(1, rel=1e-12)
    assert float(chi("tanh", q=0.0, sigma_w=1.5)) == pytest.approx(2.25, rel=1e-12)


MONOTONE = ("tanh", "erf", "relu", "elu", "selu", "softplus", "hard_tanh", "softsign")
POINTS = st.floats(1e-8, 1e3)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MONOTONE), POINTS, st.floats(1.01, 10), st.floats(0.1, 3))
def test_the_map_of_what_leaves_zero_both_ways_increases(name, q, factor, sigma_w):
    low, high = variance_map([q, q * factor], name, sigma_w=sigma_w, sigma_b=0.3)
    assert 0.09 < low < high
    assert float(chi_q(name, q=q, sigma_w=sigma_w)) > 0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(ACTIVATIONS)), st.floats(0, 3), st.floats(0, 3))
def test_limit_at_zero_is_the_value_there(name, sigma_w, sigma_b):
    center = float(on_host(resolve(name))(np.zeros(1))[0])
    at_zero, near = variance_map([0.0, 1e-14], name, sigma_w=sigma_w, sigma_b=sigma_b)
    assert at_zero == pytest.approx((sigma_w * center) ** 2 + sigma_b**2, rel=1e-12)
    assert near == pytest.approx(at_zero, abs=1e-6 * sigma_w**2, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(("tanh", "gelu", "relu")), POINTS, st.floats(0.05, 1))
def test_dropout_is_a_larger_sigma_w(name, q, keep):
    wide = 1.3 / keep**0.5
    for function in (chi, chi_q):
        np.testing.assert_allclose(
            function(name, q=q, sigma_w=1.3, keep=keep),
            function(name, q=q, sigma_w=wide),
            rtol=1e-12,
        )
    np.testing.assert_allclose(
        variance_map(q, name, sigma_w=1.3, sigma_b=0.2, keep=keep),
        variance_map(q, name, sigma_w=wide, sigma_b=0.2),
        rtol=1e-12,
    )


def test_arrays_broadcast():
    shape = np.ones((3, 1)), np.array([0.5, 1, 2, 3])
    assert chi_q("tanh", q=shape[0], sigma_w=shape[1]).shape == (3, 4)
    assert variance_map(1.0, "tanh", sigma_w=1.0, keep=shape[1] / 3).shape == (4,)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"sigma_w": -1.0}, "sigma_w must be .* got sigma_w=-1"),
        ({"sigma_w": math.nan}, "sigma_w must be"),
        ({"sigma_b": [0.1, -0.1]}, "sigma_b must be"),
        ({"sigma_b": math.inf}, "sigma_b must be"),
        ({"keep": 0.0}, r"keep must be .* in \(0, 1\]"),
        ({"keep": 1.2}, "keep must be"),
        ({"keep": math.nan}, "keep must be"),
        ({"q": -1.0}, "q must be"),
    ],
)
def test_errors_name_the_argument(arguments, match):
    q = arguments.pop("q", 1.0)
    with pytest.raises(ValueError, match=match):
        variance_map(q, "tanh", **{"sigma_w": 1.0, **arguments})


def test_slopes_of_what_jumps_are_refused():
    def step(x):
        return jnp.where(x > 0.3, 1.0, 0.0) + 0.1 * x

    for function in (chi, chi_q):
        for jumping in (jnp.sign, step):
            with pytest.raises(ValueError, match="jumps at x="):
                function(jumping, q=1.0, sigma_w=1.0)
    assert float(chi(step, q=1e-6, sigma_w=1.0)) == pytest.approx(0.01, rel=1e-12)
    steep = chi(lambda x: jnp.clip(1e6 * x, -1, 1), q=1e-14, sigma_w=1.0)
    assert float(steep) == pytest.approx(1e12, rel=1e-9)
