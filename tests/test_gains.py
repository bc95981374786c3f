import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from initjax.activations import ACTIVATIONS, resolve
from initjax.gains import calculate_gain, gain, published_gain
from initjax.quadrature import breakpoints, expectation, on_host
from tests.reference import GAINS, NFNET_GAMMAS


@pytest.mark.parametrize("name", GAINS)
@pytest.mark.parametrize(
    ("kind", "column"), [("forward", 1), ("backward", 2), ("centered", 3)]
)
def test_gain_reproduces_the_published_table(name, kind, column):
    assert gain(name, kind=kind) == pytest.approx(GAINS[name][column], abs=0.6e-12)


@pytest.mark.parametrize("name", GAINS)
def test_moments_reproduce_the_published_table(name):
    """E[φ²] to 12 digits, χ₁ and the slope of the variance map to 10, C(0) to 9."""
    phi = resolve(name)
    f, slope, cuts = on_host(phi), on_host(phi, 1), breakpoints(phi)
    square, steepness, product, mean = (
        float(expectation(moment, 1.0, cuts))
        for moment in (
            lambda x: f(x) ** 2,
            lambda x: slope(x) ** 2,
            lambda x: f(x) * slope(x) * x,
            f,
        )
    )
    assert square == pytest.approx(GAINS[name][0], abs=0.6e-12)
    assert steepness / square == pytest.approx(GAINS[name][4], abs=0.6e-10)
    assert product / square == pytest.approx(GAINS[name][5], abs=0.6e-10)
    assert mean**2 / square == pytest.approx(GAINS[name][6], abs=0.6e-9)


PI, E = math.pi, math.e
CLOSED_FORMS = {  # E[φ²], E[φ′²]
    "identity": (1, 1),
    "relu": (1 / 2, 1 / 2),
    "leaky_relu(0.1)": ((1 + 0.1**2) / 2, (1 + 0.1**2) / 2),
    "abs": (1, 1),
    "squared_relu": (3 / 2, 2),
    "erf": (2 / PI * math.asin(2 / 3), 4 / (PI * math.sqrt(5))),
    "sin": ((1 - E**-2) / 2, (1 + E**-2) / 2),
    "gelu": (1 / 3 + 1 / (2 * PI * 3**0.5), 1 / 3 + 2 / (3 * PI * 3**0.5)),
    "elu": (
        1 + E**2 * norm.cdf(-2) - 2 * E**0.5 * norm.cdf(-1),
        1 / 2 + E**2 * norm.cdf(-2),
    ),
    "hard_tanh": (
        1 - 2 * norm.pdf(1),
        math.erf(1 / math.sqrt(2)),
    ),
    "arctan": (None, 1 / 2),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_gains_are_the_closed_forms(name):
    square, slope = CLOSED_FORMS[name]
    assert gain(name, kind="backward") == pytest.approx(slope**-0.5, rel=1e-12)
    if square:
        assert gain(name) == pytest.approx(square**-0.5, rel=1e-12)


@pytest.mark.parametrize("q", [0.04, 1.0, 30.0])
def test_gains_at_q_are_the_closed_forms(q):
    square, slope = 2 / PI * math.asin(2 * q / (1 + 2 * q)), 4 / PI / math.sqrt(1 + 4 * q)
    assert gain("erf", q=q) == pytest.approx((q / square) ** 0.5, rel=1e-12)
    assert gain("erf", q=q, kind="backward") == pytest.approx(slope**-0.5, rel=1e-12)
    inside = math.erf(1 / math.sqrt(2 * q))
    assert gain("hard_tanh", q=q, kind="backward") == pytest.approx(inside**-0.5, rel=1e-12)


def test_gains_that_two_activations_share():
    for kind in ("forward", "backward", "centered"):
        softplus, log_sigmoid = gain("softplus", kind=kind), gain("log_sigmoid", kind=kind)
        assert softplus == pytest.approx(log_sigmoid, rel=1e-12)
    assert gain("softplus", kind="backward") == pytest.approx(gain("sigmoid"), rel=1e-12)


def test_centered_gain_is_the_gamma_of_nfnets():
    exact = math.sqrt(2 / (1 - 1 / PI))
    assert gain("relu", kind="centered") == pytest.approx(exact, rel=1e-12)
    for name, gamma in NFNET_GAMMAS.items():
        assert gain(name, kind="centered") == pytest.approx(gamma, rel=2e-3)
        assert gain(name, kind="centered") * 1.005 != pytest.approx(gamma, rel=2e-3)


def test_every_named_activation_is_in_the_published_table():
    assert set(ACTIVATIONS) <= set(GAINS)


def test_the_two_gelus_are_told_apart():
    assert abs(gain("gelu") - gain("gelu_tanh")) > 4e-5


@pytest.mark.parametrize("name", ["relu", "selu", "hard_silu", "softsign", "gelu"])
def test_a_callable_has_the_gain_of_its_name(name):
    function = ACTIVATIONS[name].function
    assert gain(lambda x: function(x)) == pytest.approx(gain(name), rel=1e-12)


def test_gain_at_q_keeps_q():
    """Monte Carlo: 4e6 samples, six standard errors."""
    q = 2.5
    z = np.sqrt(q) * np.random.default_rng(0).standard_normal(4_000_000)
    squares = np.tanh(z) ** 2 * gain("tanh", q=q) ** 2
    error = squares.std() / np.sqrt(squares.size)
    assert abs(squares.mean() - q) < 6 * error
    assert abs(squares.mean() * 1.05**2 - q) > 6 * error, "a gain off by 5 % must fail"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"activation": "tanh", "q": 0.0}, "q must be"),
        ({"activation": "tanh", "q": -1.0}, "q must be"),
        ({"activation": "tanh", "kind": "sideways"}, "kind must be"),
        ({"activation": "tahn"}, "unknown"),
        ({"activation": lambda x: 0 * x}, "has no forward gain"),
        ({"activation": "relu", "kinks": [0.0]}, r"kinks \(0.0,\) already"),
        ({"activation": jnp.tanh, "kinks": [math.inf]}, "kinks must be .* got kinks=.inf"),
        ({"activation": jnp.tanh, "kinks": 0.3}, "kinks must be .* got kinks=0.3"),
        ({"activation": jnp.tanh, "kinks": ["a"]}, "kinks must be"),
    ],
)
def test_errors_name_the_argument(arguments, match):
    with pytest.raises(ValueError, match=match):
        gain(arguments.pop("activation"), **arguments)


def test_published_table_to_the_digit():
    assert calculate_gain("tanh") == 5 / 3
    assert calculate_gain("selu") == 3 / 4
    assert calculate_gain("relu") == math.sqrt(2)
    assert calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    for name in ("linear", "sigmoid", "conv2d", "conv_transpose3d"):
        assert calculate_gain(name) == 1


def test_names_that_torch_lacks_point_to_gain():
    with pytest.raises(ValueError, match=r"initjax\.gains\.gain"):
        calculate_gain("gelu")
    with pytest.raises(ValueError, match="negative slope"):
        calculate_gain("leaky_relu", True)


def test_published_gain_prefers_the_table():
    assert published_gain("tanh") == 5 / 3
    assert published_gain("identity") == 1
    assert published_gain("leaky_relu(0.2)") == pytest.approx(
        math.sqrt(2 / 1.04), rel=1e-12
    )
    assert published_gain(jnp.sin) == pytest.approx(gain("sin"), rel=1e-12)


def test_published_gain_of_a_callable_is_computed_whatever_its_name():
    def relu(x):
        return 3 * jnp.tanh(x)

    assert published_gain(relu) == pytest.approx(gain("tanh") / 3, rel=1e-12)
    assert published_gain(jnp.tanh) == pytest.approx(gain("tanh"), rel=1e-12)
    assert published_gain("linear") == published_gain("conv2d") == 1
