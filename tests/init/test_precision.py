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


def rounding_scores(low, wide):
    """Size of low - wide against wide, and the standard score of its mean."""
    low, wide = (np.asarray(kernel, np.float64) for kernel in (low, wide))
    error = low - wide
    size = np.sqrt(np.mean(error**2))
    return size / np.sqrt(np.mean(wide**2)), error.mean() / size * np.sqrt(error.size)


@pytest.mark.parametrize("dtype", HALF, ids=["bfloat16", "float16"])
@pytest.mark.parametrize(
    "case", [c for c in CASES if not c.arguments or c.name == "for_layer"], ids=str
)
def test_the_mean_is_unbiased(case, dtype):
    """The float32 draw, whose law is tested, plus a rounding of mean 0.

    Paired, the mean is seen to 6 · 2⁻⁹/√n of the scale, 5e-5 here; unpaired, the
    bias of 1 % that a draw in bfloat16 has would drown in 1/√n.
    """
    initializer = INITIALIZERS[case.name].build(**case.arguments)
    key = jax.random.key(0)
    size, score = rounding_scores(
        initializer(key, case.shape, dtype), initializer(key, case.shape)
    )
    assert size < 2.0**-8
    assert abs(score) < BOUND


def test_what_is_no_rounding_or_rounds_down_fails():
    wide = init.he_normal()(jax.random.key(0), (300, 200))
    drawn = jax.nn.initializers.he_normal()(jax.random.key(0), (300, 200), jnp.bfloat16)
    assert rounding_scores(drawn, wide)[0] > 2.0**-8
    bits = jax.lax.bitcast_convert_type(wide, jnp.uint32) & jnp.uint32(0xFFFF0000)
    toward_zero = jax.lax.bitcast_convert_type(bits, jnp.float32)
    below = jnp.where(wide < 0, wide.astype(jnp.bfloat16), toward_zero)
    assert abs(rounding_scores(below, wide)[1]) > BOUND


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
