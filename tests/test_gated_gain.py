"""Gains of gated units against closed forms and against a layer in JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.activations import resolve
from initjax.gains import GATED_UNITS, gain, gated_gain

INPUTS, UNITS, BATCH, SEEDS = 256, 384, 32, 64


def _moments(phi, scale, q):
    """Second moments that a gated block passes on, forward and backward, per seed."""

    def block(x, up, gate, down):
        return (phi(x @ gate) * (x @ up)) @ down

    def one(key):
        keys = jax.random.split(key, 5)
        x = jax.random.normal(keys[0], (BATCH, INPUTS))
        x *= jnp.sqrt(q / jnp.mean(x**2, axis=1, keepdims=True))
        gate, up = jax.random.normal(keys[1], (2, INPUTS, UNITS)) / INPUTS**0.5
        down = scale * jax.random.normal(keys[2], (UNITS, INPUTS)) / UNITS**0.5
        y, pull = jax.vjp(lambda x: block(x, up, gate, down), x)
        cotangent = jax.random.normal(keys[3], y.shape)
        back = pull(cotangent)[0]
        return jnp.mean(y**2) / q, jnp.mean(back**2)

    keys = jax.random.split(jax.random.key(0), SEEDS)
    return [np.asarray(m, float) for m in jax.jit(lambda k: jax.lax.map(one, k))(keys)]


def _kept(moments):
    """Whether the mean is 1: six standard errors, and the terms of order 1/n.

    A row of W given its projection a = Wx is not quite Gaussian, which moves the
    gradient by a multiple of 1/n; forward the law is exact.
    """
    error = moments.std(ddof=1) / SEEDS**0.5
    return abs(moments.mean() - 1) < 6 * error + 4 / INPUTS


@pytest.mark.parametrize(
    ("unit", "q"), [*((unit, 1.0) for unit in GATED_UNITS), ("swiglu", 2.5)]
)
def test_a_layer_keeps_the_moment_that_its_gain_is_for(unit, q):
    phi = resolve(GATED_UNITS[unit]).function
    forward, backward = _moments(phi, 1.0, q)
    for moments, kind in ((forward, "forward"), (backward, "backward")):
        g = gated_gain(unit, kind=kind, q=q)
        assert _kept(g**2 * moments)
        assert not _kept((1.05 * g) ** 2 * moments), "a gain off by 5 % must fail"
    one_path = gain(GATED_UNITS[unit], kind="backward", q=q) / q**0.5
    assert not _kept(one_path**2 * backward), "the gradient of b counts"


@pytest.mark.parametrize("q", [0.1, 1.0, 7.0])
def test_units_with_closed_forms(q):
    assert gated_gain("bilinear", q=q) == pytest.approx(q**-0.5, rel=1e-12)
    assert gated_gain("bilinear", kind="backward", q=q) == pytest.approx(
        (2 * q) ** -0.5, rel=1e-12
    )
    assert gated_gain("reglu", q=q) == pytest.approx((2 / q) ** 0.5, rel=1e-12)
    assert gated_gain("reglu", kind="backward", q=q) == pytest.approx(q**-0.5, rel=1e-12)


def test_swiglu_of_unit_inputs():
    """Measured 0.354 in a layer; 0.355775519817 is E[silu(z)²]."""
    assert gated_gain("swiglu") ** -2 == pytest.approx(0.355775519817, abs=1e-12)


@pytest.mark.parametrize(("unit", "gate"), GATED_UNITS.items())
def test_a_unit_is_its_gate(unit, gate):
    for kind in ("forward", "backward", "centered"):
        assert gated_gain(unit, kind=kind) == gated_gain(gate, kind=kind)
    assert gated_gain(unit, kind="centered") == gated_gain(unit)


def test_a_callable_gate():
    def hinge(x):
        return jnp.maximum(x, 0)

    assert gated_gain(hinge) == pytest.approx(gated_gain("reglu"), rel=1e-12)
    assert gated_gain(hinge, kinks=[0]) == pytest.approx(gated_gain("reglu"), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"activation": "swigloo"}, "'swigloo' is unknown"),
        ({"activation": "swiglu", "q": 0.0}, "q must be"),
        ({"activation": "swiglu", "kind": "up"}, "kind must be"),
        ({"activation": "reglu", "kinks": [0.0]}, "kinks"),
        ({"activation": lambda x: 0 * x}, "has no forward gain"),
    ],
)
def test_errors_name_the_argument(arguments, match):
    with pytest.raises(ValueError, match=match):
        gated_gain(arguments.pop("activation"), **arguments)
