import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import init


@pytest.mark.parametrize("shape", [(64, 64), (128, 32), (32, 128), (3, 3, 8, 40), (1, 9)])
@pytest.mark.parametrize("gain", [1.0, 1.7])
def test_singular_values_equal_the_gain(shape, gain):
    kernel = init.orthogonal(gain)(jax.random.key(0), shape)
    values = np.linalg.svd(np.asarray(kernel, np.float64).reshape(-1, shape[-1]))[1]
    # Reflections in float32: orthogonal to a few units of rounding, see test_haar.
    np.testing.assert_allclose(values, gain, rtol=64 * np.finfo(np.float32).eps)


def test_second_moment_is_exact():
    kernel = init.orthogonal(1.5)(jax.random.key(0), (100, 40))
    law = init.orthogonal(1.5).law((100, 40))
    assert float(jnp.mean(kernel**2)) == pytest.approx(law.variance, rel=1e-5)
    assert law.variance == pytest.approx(1.5**2 / 100)


def _trace_score(draw):
    """The trace of a Haar matrix has mean 0 and variance 1."""
    keys = jax.random.split(jax.random.key(1), 4000)
    traces = np.asarray(jax.vmap(lambda k: jnp.trace(draw(k)))(keys))
    return traces.mean() * np.sqrt(traces.size)


def test_uniform_over_orthogonal_matrices():
    assert abs(_trace_score(lambda key: init.orthogonal()(key, (6, 6)))) < 6


def test_qr_without_the_sign_fix_fails():
    def raw(key):
        return jnp.linalg.qr(jax.random.normal(key, (6, 6)))[0]

    assert abs(_trace_score(raw)) > 6


def test_half_precision():
    for dtype, tolerance in ((jnp.bfloat16, 0.02), (jnp.float16, 0.003)):
        q = np.asarray(init.orthogonal()(jax.random.key(0), (64, 64), dtype), np.float64)
        assert np.abs(q.T @ q - np.eye(64)).max() < tolerance
