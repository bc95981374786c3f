"""Orthonormal to rounding, and uniform: by exact laws and moments that mutants fail."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from initjax import init
from initjax.init.haar import haar, reflected

DRAWS = 10_000
BOUND = 6.0  # two-sided tail of a standard normal: 2e-9
LEVEL = 1e-4 / 300  # of each Kolmogorov-Smirnov test; there are fewer than 300
DTYPES = pytest.mark.parametrize("dtype", [jnp.float32, jnp.complex64])

many = jax.jit(jax.vmap(reflected))


def gaussian(shape, dtype=jnp.float32, seed=0):
    return jax.random.normal(jax.random.key(seed), shape, dtype)


def wide(array):
    complex_valued = np.iscomplexobj(array)
    return np.asarray(array, np.complex128 if complex_valued else np.float64)


def adjoint(matrix):
    return matrix.conj().swapaxes(-1, -2)


def one_after_the_other(x):
    """The same product, reflection by reflection."""
    rows, columns = x.shape
    product, phases = np.eye(rows, dtype=x.dtype), np.sign(np.diagonal(x))
    for k in range(columns):
        v = np.where(np.arange(rows) < k, 0, x[:, k])
        v[k] += phases[k] * np.linalg.norm(v)
        v /= np.linalg.norm(v)
        product = product - 2 * np.outer(product @ v, v.conj())
    return product[:, :columns] * -phases


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((37, 37), jnp.float64),
        ((9, 4), jnp.float64),
        ((37, 35), jnp.complex128),
        ((150, 135), jnp.float64),
    ],
)
def test_the_closed_form_is_the_product_of_the_reflections(shape, dtype):
    with jax.enable_x64(True):
        x = gaussian(shape, dtype)
        drawn = jax.jit(reflected)(x)
        assert drawn.dtype == dtype
        np.testing.assert_allclose(drawn, one_after_the_other(np.asarray(x)), atol=1e-14)


def departure(q):
    """max |QᴴQ − I|, in units of rounding per square root of a column.

    v and the phase of one reflection are off their norm 1 by a few roundings ε, so
    QᴴQ by four times that; errors of n independent reflections add up to √n of it.
    """
    q, columns = wide(q), q.shape[-1]
    worst = np.abs(adjoint(q) @ q - np.eye(columns)).max()
    return worst / np.finfo(np.float32).eps / math.sqrt(columns)


@DTYPES
@pytest.mark.parametrize(
    "shape",
    [
        *((1, 1), (9, 1), (65, 65), (200, 40), (129, 128)),
        pytest.param((1024, 1024), marks=pytest.mark.slow),
    ],
)
def test_orthonormal_to_rounding(shape, dtype):
    q = jax.jit(lambda key: haar(key, *shape, dtype))(jax.random.key(0))
    assert (q.shape, q.dtype) == (shape, dtype)
    assert departure(q) < 16


def test_products_in_a_shorter_float_would_be_found():
    q, _ = np.linalg.qr(gaussian((65, 65)))
    assert departure(q) < 16
    assert departure(jnp.asarray(q, jnp.bfloat16)) > 16


def test_columns_of_zeros_are_no_reflection():
    some = np.ones((4, 4, 4), np.float32)
    some[0, :, 3] = some[1, :, 0] = some[2] = 0
    some[3, 1, 1] = 0  # the first entry alone
    for q in many(gaussian((4, 4, 4)) * some):
        assert departure(q) < 16


def real_scores(q):
    """Standard scores of moments of O(n), n = 4.

    Of the trace and its powers (Diaconis & Shahshahani 1994), the determinant, and
    of pairs of rows and columns.
    """
    n = q.shape[-1]
    trace = np.trace(q, axis1=1, axis2=2)
    along = np.arange(1.0, n + 1) / np.linalg.norm(np.arange(1.0, n + 1))
    oblique = np.einsum("i,kij,j->k", along, q, along[::-1])
    corners = q[:, 0, 0] * q[:, 1, 1]
    pairs = n * (n - 1) * (n + 2)
    return standard_scores(
        (trace, 0),
        (trace**2, 1),
        (trace**4, 3),
        (np.einsum("kij,kji->k", q, q), 1),
        (np.linalg.det(q), 0),
        (oblique, 0),
        (oblique**2, 1 / n),
        (oblique**4, 3 / (n * (n + 2))),
        (corners**2, (n + 1) / pairs),
        (corners * q[:, 0, 1] * q[:, 1, 0], -1 / pairs),
        (q[:, 2, 2] ** 2 * q[:, 3, 3] ** 2, (n + 1) / pairs),
    )


def unitary_scores(q):
    """Standard scores of moments of U(n), n = 4; those that a phase changes are 0."""
    n = q.shape[-1]
    trace, square = np.trace(q, axis1=1, axis2=2), np.einsum("kij,kji->k", q, q)
    corners = q[:, 0, 0] * q[:, 1, 1]
    turned = (trace, trace**2, square, np.linalg.det(q), corners)
    return standard_scores(
        *((part, 0) for value in turned for part in (value.real, value.imag)),
        (abs(trace) ** 2, 1),
        (abs(trace) ** 4, 2),
        (abs(square) ** 2, 2),
        (abs(corners) ** 2, 1 / (n**2 - 1)),
        ((corners * (q[:, 0, 1] * q[:, 1, 0]).conj()).real, -1 / (n * (n**2 - 1))),
    )


def standard_scores(*samples):
    return np.array(
        [(x.mean() - mean) / (x.std() + 1e-9) * math.sqrt(x.size) for x, mean in samples]
    )


def p_values(q):
    """Of Kolmogorov-Smirnov tests of every entry by its exact law."""
    n = q.shape[-1]
    entries = q.reshape(len(q), -1).T
    test = partial(stats.kstest, method="asymp")
    if np.iscomplexobj(q):
        angle = stats.uniform(-np.pi, 2 * np.pi)
        size = [test(abs(x) ** 2, stats.beta(1, n - 1).cdf) for x in entries]
        found = [*size, *(test(np.angle(x), angle.cdf) for x in entries)]
        found.append(test(np.angle(np.linalg.det(q)), angle.cdf))
    else:
        law = stats.beta((n - 1) / 2, (n - 1) / 2)
        found = [test((1 + x) / 2, law.cdf) for x in entries]
    return np.array([one.pvalue for one in found])


def is_uniform(q):
    q = wide(q)
    scores = unitary_scores(q) if np.iscomplexobj(q) else real_scores(q)
    return bool(np.all(np.abs(scores) < BOUND) and np.all(p_values(q) > LEVEL))


@DTYPES
def test_uniform_among_the_orthogonal_and_the_unitary_matrices(dtype):
    keys = jax.random.split(jax.random.key(0), DRAWS)
    q = jax.jit(jax.vmap(lambda key: haar(key, 4, 4, dtype)))(keys)
    assert is_uniform(q)
    turn = wide(haar(jax.random.key(1), 4, 4, dtype))
    assert is_uniform(turn @ wide(q))
    assert is_uniform(wide(q) @ turn)


def test_both_determinants_are_as_likely():
    q = wide(many(gaussian((DRAWS, 4, 4))))
    positive = np.count_nonzero(np.linalg.det(q) > 0)
    assert stats.binomtest(positive, DRAWS).pvalue > LEVEL


def without_phases(x):
    """H₁ … H_n alone, as LAPACK's Q is."""
    return many(x) * -jnp.sign(jnp.diagonal(x, axis1=1, axis2=2)).conj()[:, None]


def half_normal(x):
    """The first entry of each column without its phase."""
    eye = jnp.eye(x.shape[-1])
    return many(x * (1 - eye) + jnp.abs(x) * eye)


def one_phase_for_all(x):
    return without_phases(x) * jnp.sign(x[:, :1, :1])


def repeated_columns(x):
    """Reflections that depend on each other: two columns of the same entries."""
    return many(x.at[:, 1:, 1].set(x[:, :-1, 0]))


def bounded_entries(x):
    """Uniform in place of normal, real or in each part."""
    squashed = jax.scipy.stats.norm.cdf
    if jnp.iscomplexobj(x):
        return many(squashed(x.real) - 0.5 + 1j * (squashed(x.imag) - 0.5))
    return many(squashed(x) - 0.5)


def one_determinant(x):
    """The rotations, of determinant 1."""
    q = many(x)
    return q.at[:, :, -1].multiply(jnp.linalg.det(q).conj()[:, None])


def normalized(x):
    """Columns of norm 1 that are not orthogonal."""
    return x / jnp.linalg.norm(x, axis=1, keepdims=True)


@DTYPES
@pytest.mark.parametrize(
    "sampler",
    [
        without_phases,
        half_normal,
        one_phase_for_all,
        repeated_columns,
        bounded_entries,
        one_determinant,
        normalized,
    ],
)
def test_a_wrong_sampler_is_found(sampler, dtype):
    assert not is_uniform(sampler(gaussian((DRAWS, 4, 4), dtype)))


def test_orthogonal_calls_no_lapack():
    """Of which batches wait for each other's threads forever, on CPU with jax < 0.12."""
    keys = jax.random.split(jax.random.key(0), 3)

    def text(draw):
        return jax.jit(jax.vmap(draw)).lower(keys).as_text()

    assert "lapack" not in text(lambda key: init.orthogonal()(key, (40, 20)))
    assert "lapack" in text(lambda key: jnp.linalg.qr(jax.random.normal(key, (40, 20)))[0])


def test_programs_that_draw_can_be_transformed():
    """The draw has a batching rule of its own, which must not be in the way."""
    keys, a = jax.random.split(jax.random.key(0), 3), jnp.ones((2, 6))

    def loss(a, key):
        return jnp.sum(jnp.tanh(a @ init.orthogonal()(key, (6, 6))) ** 2)

    each = [jax.grad(loss)(a, key) for key in keys]
    together = jax.jit(jax.vmap(jax.grad(jax.checkpoint(loss)), (None, 0)))(a, keys)
    np.testing.assert_allclose(together, each, rtol=1e-5, atol=1e-6)
    _, tangent = jax.jvp(lambda a: loss(a, keys[0]), (a,), (a,))
    assert float(tangent) == pytest.approx(float(jnp.sum(each[0])), rel=1e-5)


def test_nested_batches_hold_the_single_draws():
    keys = jax.random.split(jax.random.key(0), (2, 3))
    draw = jax.jit(lambda key: init.orthogonal()(key, (33, 20)))
    nested = jax.vmap(jax.vmap(draw))(keys)
    assert nested.shape == (2, 3, 33, 20)
    np.testing.assert_array_equal(nested[1, 2], draw(keys[1, 2]))
