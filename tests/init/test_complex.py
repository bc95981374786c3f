"""Complex kernels: E |z|² is the variance, and the phase is uniform."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from initjax import init

# Law of |z|² / E|z|²: exponential, exponential cut at 4, uniform.
SQUARES = {
    "normal": stats.expon(),
    "truncated_normal": stats.truncexpon(4, scale=1 / stats.truncexpon(4).mean()),
    "uniform": stats.uniform(0, 2),
}
LEVEL = 1e-4 / 12
PHASE = stats.uniform(-np.pi, 2 * np.pi)


def draw(distribution, shape=(300, 200), dtype=jnp.complex64):
    initializer = init.variance_scaling(1.0, "fan_in", distribution)
    return np.asarray(initializer(jax.random.key(0), shape, dtype))


@pytest.mark.parametrize("distribution", SQUARES)
def test_law_of_modulus_and_phase(distribution):
    z, law = draw(distribution).ravel() * 300**0.5, SQUARES[distribution]
    assert np.mean(abs(z) ** 2) == pytest.approx(1, abs=6 * law.std() / np.sqrt(z.size))
    assert stats.kstest(abs(z) ** 2, law.cdf).pvalue > LEVEL
    assert stats.kstest((1.05 * abs(z)) ** 2, law.cdf).pvalue < LEVEL
    assert stats.kstest(np.angle(z), PHASE.cdf).pvalue > LEVEL
    # Modulus and phase are independent: the phase of the large ones is uniform too.
    assert stats.kstest(np.angle(z[abs(z) > 1]), PHASE.cdf).pvalue > LEVEL


@pytest.mark.parametrize("distribution", SQUARES)
def test_declared_law(distribution):
    initializer = init.variance_scaling(1.0, "fan_in", distribution)
    law, square = initializer.law((300, 200), jnp.complex64), SQUARES[distribution]
    assert law.variance == pytest.approx(1 / 300, rel=1e-12)
    assert law.kurtosis == pytest.approx(square.moment(2), rel=1e-9)
    assert law.support[0] == 0
    assert law.support[1] == pytest.approx((square.support()[1] / 300) ** 0.5, rel=1e-9)
    at = np.array([0.1, 0.5, 1.0, 1.3])
    np.testing.assert_allclose(law.cdf(at / 300**0.5), square.cdf(at**2), rtol=1e-9)


def test_the_constant_of_the_truncation():
    """√E|z|² for |z| < 2 is 0.96196; JAX divides by 0.95311, 1.9 % too much variance."""
    t = stats.truncexpon(4).mean()
    assert t**0.5 == pytest.approx(0.96196, abs=5e-6)
    assert t == pytest.approx(1 - 4 * np.exp(-4) / (1 - np.exp(-4)), rel=1e-12)
    shape = (1000, 1000)
    error = 6 * SQUARES["truncated_normal"].std() / 1000
    theirs = jax.nn.initializers.lecun_normal()(jax.random.key(0), shape, jnp.complex64)
    assert np.mean(abs(np.asarray(theirs)) ** 2) * 1000 > 1 + error
    assert np.mean(abs(draw("truncated_normal", shape)) ** 2) * 1000 == pytest.approx(
        1, abs=error
    )


@pytest.mark.parametrize("shape", [(16, 16), (24, 8), (8, 24)])
def test_unitary(shape):
    u = np.asarray(init.orthogonal(1.5)(jax.random.key(0), shape, jnp.complex64))
    np.testing.assert_allclose(
        np.linalg.svd(u, compute_uv=False), 1.5, rtol=64 * np.finfo(np.float32).eps
    )
    assert np.abs(u.imag).max() > 0.1
    law = init.orthogonal(1.5).law(shape, jnp.complex64)
    assert law.variance == pytest.approx(np.mean(abs(u) ** 2), rel=1e-5)


def test_unitary_matrices_are_uniform():
    """|u|² of one entry of a Haar matrix of side n is Beta(1, n-1), its phase uniform."""
    keys = jax.random.split(jax.random.key(0), 4000)
    kernels = jax.vmap(lambda k: init.orthogonal()(k, (5, 3), jnp.complex64))(keys)
    entry = np.asarray(kernels)[:, 0, 0]
    assert stats.kstest(abs(entry) ** 2, stats.beta(1, 4).cdf).pvalue > LEVEL
    assert stats.kstest(np.angle(entry), PHASE.cdf).pvalue > LEVEL
    raw = jax.vmap(lambda k: jnp.linalg.qr(jax.random.normal(k, (5, 3), jnp.complex64))[0])
    unfixed = np.asarray(raw(keys))[:, 0, 0]
    assert stats.kstest(np.angle(unfixed), PHASE.cdf).pvalue < LEVEL


def test_wide_complex_and_schemes_without_a_complex_form():
    with jax.enable_x64(True):
        kernel = init.he_normal()(jax.random.key(0), (8, 8), jnp.complex128)
        assert kernel.dtype == jnp.complex128
        assert np.any(np.asarray(kernel) != np.asarray(kernel.astype(jnp.complex64)))
    sparse = init.sparse(0.5)(jax.random.key(0), (8, 8), jnp.complex64)
    assert np.sum(np.asarray(sparse) == 0) == 32
    for initializer in (init.trunc_normal(), init.presets.torch_rnn(4).bias_init):
        with pytest.raises(TypeError, match="no complex form"):
            initializer(jax.random.key(0), (3, 3), jnp.complex64)
