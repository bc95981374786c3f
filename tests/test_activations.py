import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.activations import (
    ACTIVATIONS,
    NamedActivation,
    derivative,
    leaky_relu,
    resolve,
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
        np.testing.assert_allclose(derivative(phi, x), difference, atol=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_second_derivative_jumps_or_first_does_exactly_at_declared_kinks(name):
    """The one-sided slopes differ at each declared kink, and at no other tenth."""
    with jax.enable_x64(True):
        phi, step = ACTIVATIONS[name], 1e-5
        x = jnp.arange(-30, 31) / 10.0
        left, right = (phi(x) - phi(x - step)) / step, (phi(x + step) - phi(x)) / step
        # Smooth functions differ by φ'' · step, at most about 3e-5 here.
        jumps = {round(float(v), 1) for v in x[jnp.abs(right - left) > 1e-3]}
    if name == "elu":  # φ' is continuous; φ'' jumps by 1
        assert not jumps
        assert phi.kinks == (0.0,)
    else:
        assert jumps == set(phi.kinks)


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


@pytest.mark.parametrize("bad", ["rleu", "leaky_relu(x)", "leaky_relu(inf)", ""])
def test_unknown_name_lists_the_choices(bad):
    with pytest.raises(ValueError, match=r"relu.*tanh"):
        resolve(bad)


def test_neither_name_nor_callable():
    with pytest.raises(TypeError, match="3"):
        resolve(3)
