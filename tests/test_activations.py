from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.activations import (
    ACTIVATIONS,
    NamedActivation,
    leaky_relu,
    resolve,
    value_and_derivative,
)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_table_keys_are_the_names(name):
    assert ACTIVATIONS[name].name == name
    assert resolve(name) is ACTIVATIONS[name]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_is_the_finite_difference(name):
    with jax.enable_x64(True):
        x = jnp.asarray([-2.3, -1.7, -0.31, 0.42, 0.77, 1.9], jnp.float64)
        phi, step = ACTIVATIONS[name], 1e-6
        difference = (phi(x + step) - phi(x - step)) / (2 * step)
        value, slope = value_and_derivative(phi, x)
        np.testing.assert_array_equal(value, phi(x))
        np.testing.assert_allclose(slope, difference, atol=1e-8)


def _slope(f, x):
    return value_and_derivative(f, x)[1]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_derivative_jumps_exactly_at_the_declared_kinks(name):
    """Of φ, φ′ and φ″ one at least, and at no other tenth within 7."""
    phi, step = ACTIVATIONS[name], 1e-9
    jumps = set()
    with jax.enable_x64(True):
        x = jnp.arange(-70, 71) / 10.0
        f = phi.function
        for _ in range(3):
            # What is smooth moves by its slope times 2e-9.
            jump = jnp.abs(f(x + step) - f(x - step)) > 1e-6
            jumps |= {round(float(v), 1) for v in x[jump]}
            f = partial(_slope, f)
    assert jumps == set(phi.kinks)


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("relu6", 7.0, 6.0),
        ("squared_relu", 3.0, 9.0),
        ("lecun_tanh", 1.0, 1.0000),
        ("arctan", 1.0, np.pi / 4),
        ("softsign", -3.0, -0.75),
        ("hard_sigmoid", 1.5, 0.75),
        ("hard_silu", 1.5, 1.125),
        ("log_sigmoid", 0.0, -np.log(2)),
        ("quick_gelu", 1.0, 1 / (1 + np.exp(-1.702))),
    ],
)
def test_values(name, x, expected):
    assert float(ACTIVATIONS[name](jnp.float32(x))) == pytest.approx(expected, rel=1e-5)


def test_leaky_relu_takes_a_slope_by_name_and_by_call():
    x = jnp.float32(-4.0)
    assert float(resolve("leaky_relu(0.25)")(x)) == -1.0
    assert float(resolve("leaky_relu(a=0.25)")(x)) == -1.0
    assert leaky_relu(0.25) is leaky_relu(0.25), "equal slopes must share a compilation"
    assert leaky_relu().name == "leaky_relu"


def test_callable_keeps_its_name_and_unknown_kinks():
    named = resolve(jnp.cos)
    assert named.name == "cos"
    assert named.kinks is None
    assert isinstance(named, NamedActivation)


def test_kinks_of_a_callable_are_declared_in_any_order():
    assert resolve(jnp.cos, [2, -1, 2]).kinks == (-1.0, 2.0)
    assert resolve(jnp.cos, ()).kinks == ()
    unknown = NamedActivation("mine", jnp.cos, None)
    assert resolve(unknown, np.array([0.5])) == NamedActivation("mine", jnp.cos, (0.5,))


@pytest.mark.parametrize("bad", ["rleu", "leaky_relu(x)", "leaky_relu(inf)", ""])
def test_unknown_name_lists_the_choices(bad):
    with pytest.raises(ValueError, match=r"relu.*tanh"):
        resolve(bad)


def test_neither_name_nor_callable():
    with pytest.raises(TypeError, match="3"):
        resolve(3)
