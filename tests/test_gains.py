import math

import jax.numpy as jnp
import numpy as np
import pytest

from initjax.activations import ACTIVATIONS
from initjax.gains import TORCH_GAINS, calculate_gain, gain, published_gain
from tests.reference import GAINS


@pytest.mark.parametrize("name", GAINS)
@pytest.mark.parametrize(
    ("kind", "column"), [("forward", 1), ("backward", 2), ("centered", 3)]
)
def test_gain_reproduces_the_published_table(name, kind, column):
    assert gain(name, kind=kind) == pytest.approx(GAINS[name][column], abs=2e-12)


def test_every_named_activation_is_in_the_published_table():
    assert set(ACTIVATIONS) <= set(GAINS)


def test_the_two_gelus_are_told_apart():
    assert abs(gain("gelu") - gain("gelu_tanh")) > 4e-5


@pytest.mark.parametrize("name", ["relu", "selu", "hard_tanh", "gelu"])
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


@pytest.mark.parametrize("name", [*TORCH_GAINS, "leaky_relu"])
def test_table_equals_torch(name):
    torch = pytest.importorskip("torch", reason="the oracle of the bench extra")
    theirs = "linear" if name == "identity" else name
    assert calculate_gain(name) == torch.nn.init.calculate_gain(theirs)
    for slope in (0.2, 5, -1):
        expected = torch.nn.init.calculate_gain(theirs, slope)
        assert calculate_gain(name, slope) == expected


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
