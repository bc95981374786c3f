"""In bfloat16 and float16 the mean is unbiased, and deep networks do not notice."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import init
from initjax.init import INITIALIZERS
from tests.init.laws import CASES

BOUND = 6.0
HALF = (jnp.bfloat16, jnp.float16)


@pytest.mark.parametrize("dtype", HALF, ids=["bfloat16", "float16"])
@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.arguments or c.name == "for_layer"], ids=str
)
def test_the_mean_is_unbiased(case, dtype):
    """Rounding to nearest adds a variance of at most (2⁻⁹)² of the square, no mean."""
    kernel = INITIALIZERS[case.name].build(**case.arguments)(
        jax.random.key(0), case.shape, dtype
    )
    x = (np.asarray(kernel, np.float64) - case.law.mean()) / case.law.std()
    assert abs(x.mean()) * np.sqrt(x.size) < BOUND


def test_sampling_in_bfloat16_itself_is_biased():
    """JAX's way: the mean is off by more than 1 % of σ."""
    theirs = jax.nn.initializers.he_normal()(jax.random.key(0), (1024, 1024), jnp.bfloat16)
    mean = np.mean(np.asarray(theirs, np.float64)) / (2 / 1024) ** 0.5
    assert mean < -0.01
    assert abs(mean) * 1024 > BOUND


def second_moment(kernel_init, dtype, depth=50, width=1024):
    """Of the activations after ReLU layers with kernels of ``dtype``, in float32."""

    @jax.jit
    def layer(x, key):
        kernel = kernel_init(key, (width, width), dtype).astype(jnp.float32)
        return jax.nn.relu(x @ kernel)

    x = jax.random.normal(jax.random.key(1), (4, width))
    for key in jax.random.split(jax.random.key(0), depth):
        x = layer(x, key)
    return float(jnp.mean(jnp.square(x))) * 2  # that of the pre-activations


def test_a_deep_relu_network_keeps_its_second_moment_in_bfloat16():
    """ln q is normal with variance 5 L / n and mean -5 L / 2n at this size.

    The float32 network with the same key differs by the rounding alone.
    """
    spread = (5 * 50 / 1024) ** 0.5
    exact = second_moment(init.he_normal(), jnp.float32)
    for dtype in HALF:
        low = second_moment(init.he_normal(), dtype)
        assert abs(np.log(low) + spread**2 / 2) < 4 * spread
        assert abs(np.log(low / exact)) < 0.1 * spread
    theirs = second_moment(jax.nn.initializers.he_normal(), jnp.bfloat16)
    assert theirs < 1e-6
