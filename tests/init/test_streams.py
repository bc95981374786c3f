"""One pass over memory gives the words of ``jax.random``, and so its numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.init import streams
from tests.engine.programs import megabytes

KEY = jax.random.key(7)
PAIRS = {
    "normal": (
        lambda key, shape, dtype: streams.normal(key, shape, dtype, None),
        jax.random.normal,
    ),
    "uniform": (
        lambda key, shape, dtype: streams.uniform(key, shape, dtype, -1.7, 1.7, None),
        lambda key, shape, dtype: jax.random.uniform(key, shape, dtype, -1.7, 1.7),
    ),
    "truncated_normal": (
        lambda key, shape, dtype: streams.truncated_normal(key, 2.0, shape, dtype, None),
        lambda key, shape, dtype: jax.random.truncated_normal(key, -2, 2, shape, dtype),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("shape", [(64, 37), (3, 3, 5, 7), ()])
def test_the_numbers_of_jax_random(name, shape):
    """Up to the rounding of u (b - a) + a, which a compiler may round once or twice."""
    ours, theirs = PAIRS[name]
    compiled = jax.jit(lambda key: ours(key, shape, jnp.float32))(KEY)
    expected = theirs(KEY, shape, jnp.float32)
    np.testing.assert_allclose(compiled, expected, rtol=3e-7, atol=3e-7)


def test_the_words_of_jax_random_even_compiled():
    compiled = jax.jit(lambda key: streams._words(key, (1000, 7)))(KEY)
    np.testing.assert_array_equal(compiled, jax.random.bits(KEY, (1000, 7), jnp.uint32))
    swapped = jax.jit(lambda key: streams._words(key, (7000,)))(KEY).reshape(7, 1000).T
    assert np.mean(swapped == compiled) < 0.01, "their order is tested"


@pytest.mark.parametrize("kind", ["rbg", "unsafe_rbg"])
def test_other_generators_are_used(kind):
    key = jax.random.key(7, impl=kind)
    for ours, theirs in PAIRS.values():
        np.testing.assert_array_equal(
            ours(key, (8, 3), jnp.float32), theirs(key, (8, 3), jnp.float32)
        )


def test_keys_of_the_old_kind():
    old = jax.random.PRNGKey(7)
    for ours, _ in PAIRS.values():
        np.testing.assert_array_equal(
            ours(old, (8, 3), jnp.float32), ours(KEY, (8, 3), jnp.float32)
        )


def test_other_dtypes_are_drawn_by_jax():
    for dtype in (jnp.bfloat16, jnp.complex64):
        np.testing.assert_array_equal(
            streams.normal(KEY, (8, 3), dtype, None), jax.random.normal(KEY, (8, 3), dtype)
        )


def test_nothing_but_the_result_is_written():
    """JAX's own, compiled alike, holds its words beside the result."""
    size = (512, 512)

    def held(draw):
        batched = jax.vmap(lambda key: draw(key, size, jnp.float32))
        return megabytes(jax.jit(batched).lower(jax.random.split(KEY, 4)))

    ours, theirs = map(held, PAIRS["normal"])
    written = 4 * 512**2 * 4 / 1e6
    assert ours < 1.01 * written
    assert theirs > 1.9 * written, "so that this can fail"
