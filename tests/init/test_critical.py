"""init.critical: the law that the theory asks for, in Flax, for any callable."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax import init
from initjax.meanfield import NoCriticalPointError, critical_sigma_w, length_stability
from tests.meanfield.published import CRITICAL


@pytest.mark.parametrize("name", CRITICAL)
def test_the_laws_are_those_of_the_published_point(name):
    sigma_b2, sigma_w2, _, _ = CRITICAL[name][3]
    kernel_init, bias_init = init.critical(name, sigma_b=sigma_b2**0.5)
    assert kernel_init.law((80, 7)).variance == pytest.approx(sigma_w2 / 80, rel=1e-11)
    assert kernel_init.law((3, 3, 10, 7)).variance == pytest.approx(
        sigma_w2 / 90, rel=1e-11
    )
    assert bias_init.law((7,)).variance == pytest.approx(sigma_b2, rel=1e-12)


def test_samples_follow_the_law():
    """Five standard errors of a mean square; 5 % off would not pass."""
    kernel_init, bias_init = init.critical("tanh", sigma_b=0.3)
    for initializer, shape in ((kernel_init, (400, 300)), (bias_init, (120_000,))):
        x = np.asarray(initializer(jax.random.key(3), shape), np.float64)
        variance = initializer.law(shape).variance
        bound = 5 * variance * (2 / x.size) ** 0.5
        assert abs(np.mean(x**2) - variance) < bound < abs(1.05**2 - 1) * variance


def test_a_deep_network_keeps_q_star():
    """Width 400, 30 layers: within 15 %, from inputs of the second moment q*."""
    q = length_stability("tanh", sigma_b=0.5).q
    settings = init.critical("tanh", sigma_b=0.5)._asdict()
    layer = nn.Dense(400, **settings)
    h = q**0.5 * jax.random.normal(jax.random.key(0), (16, 400))
    for key in jax.random.split(jax.random.key(1), 30):
        h = layer.apply(layer.init(key, h), jnp.tanh(h))
    assert float(jnp.mean(h**2)) == pytest.approx(q, rel=0.15)


def test_any_callable_and_no_bias():
    def swish(x):
        return x * jax.nn.sigmoid(2 * x)

    kernel_init, bias_init = init.critical(swish)
    assert kernel_init.law((100, 10)).variance * 100 == pytest.approx(4, rel=1e-12)
    assert not np.any(bias_init(jax.random.key(0), (5,)))


def test_orthogonal_weights():
    kernel_init, _ = init.critical("tanh", sigma_b=0.2, weights="orthogonal")
    sigma_w = critical_sigma_w("tanh", sigma_b=0.2)
    values = np.linalg.svd(kernel_init(jax.random.key(0), (64, 64)), compute_uv=False)
    np.testing.assert_allclose(values, sigma_w, rtol=1e-5)
    law = kernel_init.law((64, 128))
    assert law.variance == pytest.approx(sigma_w**2 / 64, rel=1e-12)


def test_dtypes():
    for weights in ("gaussian", "orthogonal"):
        both = init.critical("tanh", sigma_b=0.2, weights=weights, dtype=jnp.bfloat16)
        for initializer, shape in zip(both, ((64, 64), (64,)), strict=True):
            low = initializer(jax.random.key(0), shape)
            assert low.dtype == jnp.bfloat16
            wide = initializer(jax.random.key(0), shape, jnp.float32)
            np.testing.assert_array_equal(low, wide.astype(jnp.bfloat16))


def test_in_nnx_and_inside_a_trace():
    layer = nnx.Linear(
        8, 4, **init.critical("erf", sigma_b=0.1)._asdict(), rngs=nnx.Rngs(0)
    )
    assert layer.kernel[...].shape == (8, 4)

    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Dense(4, **init.critical(jnp.arctan, sigma_b=0.1)._asdict())(x)

    shapes = jax.eval_shape(Layer().init, jax.random.key(0), jnp.ones((1, 8)))
    assert shapes["params"]["Dense_0"]["kernel"].shape == (8, 4)


@pytest.mark.parametrize(
    ("activation", "arguments", "error", "match"),
    [
        ("softplus", {}, NoCriticalPointError, "no critical point"),
        ("relu", {"sigma_b": 0.1}, NoCriticalPointError, "Try sigma_b=0"),
        ("tanh", {"sigma_b": -0.1}, ValueError, "sigma_b"),
        ("tanh", {"sigma_b": jnp.ones(2)}, TypeError, "sigma_b"),
        ("tanh", {"weights": "haar"}, ValueError, "weights must be one of"),
        ("tanh", {"dtype": jnp.int32}, TypeError, "int32"),
        ("tahn", {}, ValueError, "unknown"),
    ],
)
def test_errors(activation, arguments, error, match):
    with pytest.raises(error, match=match):
        init.critical(activation, **arguments)
