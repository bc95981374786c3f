"""Singular values, exact and matrix-free, of matrices that are known."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.probes import jacobian_spectrum, singular_values
from initjax.probes.lanczos import tridiagonal

SIZE, PROBES = 60, 200


def _matrix(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns)) / math.sqrt(columns)


@pytest.fixture(scope="module")
def matrix():
    return _matrix(SIZE, SIZE)


def _through(matrix):
    """A function whose Jacobian at 0 is the matrix."""
    fixed = jnp.float32(matrix)
    return lambda x: jnp.tanh(fixed @ x) + 3.0


@pytest.fixture(scope="module")
def found(matrix):
    x = jnp.zeros(SIZE)
    return jacobian_spectrum(_through(matrix), x, jax.random.key(0), probes=PROBES)


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (1, 4), (3, 1)])
def test_singular_values_of_every_shape(shape):
    matrix = _matrix(*shape)
    seen = singular_values(_through(matrix), jnp.zeros(shape[1]))
    np.testing.assert_allclose(seen, np.linalg.svd(matrix, compute_uv=False), rtol=1e-5)
    assert seen.dtype == np.float64


def test_arrays_of_any_shape_and_flax_models():
    model = nn.Conv(3, (3, 3))
    x = jax.random.normal(jax.random.key(1), (5, 5, 2))
    variables = model.init(jax.random.key(0), x)

    def f(x):
        return nn.relu(model.apply(variables, x))

    exact = singular_values(f, x)
    assert exact.shape == (50,)
    seen = jacobian_spectrum(f, x, jax.random.key(2), probes=2, steps=40)
    assert seen.largest == pytest.approx(exact[0] ** 2, rel=1e-4)


def test_stochastic_traces_within_their_derived_errors(matrix, found):
    """Random signs: Var vᵀAv = 2 (‖A‖² − Σ A_ii²)/m², for v = signs/√m."""
    square = matrix @ matrix.T
    for power, seen, error in (
        (square, found.mean, found.mean_error),
        (square @ square, found.second, found.second_error),
    ):
        off = np.square(power).sum() - np.square(np.diag(power)).sum()
        derived = math.sqrt(2 * off) / SIZE / math.sqrt(PROBES)
        truth = np.trace(power) / SIZE
        assert abs(seen - truth) < 4.5 * derived
        # The spread of a spread: relative error 1/√(2 probes) and some kurtosis.
        assert error == pytest.approx(derived, rel=0.35)
        assert abs(1.05**2 * truth - truth) > 4.5 * derived, "5 % of gain would be seen"


def test_largest_value_and_its_error(matrix, found):
    truth = np.linalg.svd(matrix, compute_uv=False)[0] ** 2
    assert found.largest <= truth * (1 + 1e-5)
    assert abs(found.largest - truth) <= found.largest_error + 1e-5 * truth
    rough = jacobian_spectrum(
        _through(matrix), jnp.zeros(SIZE), jax.random.key(0), probes=2, steps=4
    )
    eigenvalues = np.linalg.svd(matrix, compute_uv=False) ** 2
    assert rough.largest < truth
    assert np.abs(eigenvalues - rough.largest).min() <= rough.largest_error


def test_quadrature_has_the_moments(matrix, found):
    assert found.weights.sum() == pytest.approx(1, rel=1e-9)
    assert np.all(np.diff(found.values) >= 0)
    assert found.weights @ found.values == pytest.approx(found.mean, rel=1e-5)
    assert found.weights @ found.values**2 == pytest.approx(found.second, rel=1e-5)
    assert found.variance == pytest.approx(found.second - found.mean**2)
    assert found.isometry == pytest.approx(found.mean**2 / found.second)
    below = found.weights[found.values < 1].sum()
    truth = np.mean(np.linalg.svd(matrix, compute_uv=False) ** 2 < 1)
    assert below == pytest.approx(truth, abs=0.1)


def test_the_end_of_a_krylov_space():
    """Rank 2: the recursion ends after three steps, and zeros follow."""
    matrix = np.diag([3.0, 2.0, *[0.0] * 30])
    alpha, beta = tridiagonal(
        lambda x: jnp.float32(matrix) @ x,
        jnp.ones(32),
        jax.random.key(0),
        probes=2,
        steps=8,
    )
    assert not np.any(np.asarray(beta)[:, 3:])
    assert not np.any(np.asarray(alpha)[:, 4:])
    found = jacobian_spectrum(
        lambda x: jnp.float32(matrix) @ x, jnp.ones(32), jax.random.key(0)
    )
    assert found.largest == pytest.approx(9, rel=1e-5)
    assert found.largest_error < 1e-4
    assert found.mean == pytest.approx(13 / 32, rel=1e-5)


def test_fewer_inputs_than_outputs_and_traced_keys():
    matrix = _matrix(12, 4)

    @jax.jit
    def traces(keys):
        def one(key):
            alpha, _ = tridiagonal(_through(matrix), jnp.zeros(4), key, probes=3, steps=5)
            return alpha[:, 0].mean()

        return jax.vmap(one)(keys)

    seen = np.asarray(traces(jax.random.split(jax.random.key(0), 500)))
    error = seen.std(ddof=1) / math.sqrt(500)
    assert abs(seen.mean() - np.square(matrix).sum() / 12) < 4.5 * error


def test_a_network_that_is_not_finite():
    assert np.isnan(singular_values(lambda x: x / 0.0, jnp.ones(3))).all()
    found = jacobian_spectrum(lambda x: x / 0.0, jnp.ones(3), jax.random.key(0))
    assert math.isnan(found.largest)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda f, x, k: singular_values(f, jnp.arange(3)), TypeError, "x must be a float"),
        (lambda f, x, k: singular_values(lambda x: (x, x), x), TypeError, "f must return"),
        (lambda f, x, k: singular_values(lambda x: x > 0, x), TypeError, "f must return"),
        (
            lambda f, x, k: jacobian_spectrum(f, x, k, probes=1),
            ValueError,
            "probes must be a whole number >= 2; got probes=1",
        ),
        (
            lambda f, x, k: jacobian_spectrum(f, x, k, steps=1.5),
            ValueError,
            "steps must be",
        ),
    ],
)
def test_bad_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call(jnp.sin, jnp.ones(3), jax.random.key(0))
