"""Kernels with a structure: exact entries, isometry, linear ReLU networks."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import linalg

from initjax import init

KEY = jax.random.key(0)


def entries(initializer, shape, key=KEY):
    return np.asarray(initializer(key, shape), np.float64)


def test_constants():
    for initializer, value in (
        (init.zeros(), 0),
        (init.ones(), 1),
        (init.constant(0.25), 0.25),
    ):
        np.testing.assert_array_equal(entries(initializer, (3, 4)), np.full((3, 4), value))
        law = initializer.law((3, 4))
        assert (law.mean, law.variance, law.support) == (value, 0, (value, value))
        assert law.cdf(np.array([value - 1e-9, value])).tolist() == [0, 1]


def test_an_array_of_constants_and_of_scales():
    scales = np.array([1.0, 3.0])
    law = init.normal(scales).law((5, 2))
    assert law.variance == pytest.approx(5)
    assert law.kurtosis == pytest.approx(3 * (1 + 81) / 2 / 25)
    assert init.constant(scales).law((5, 2)).variance == pytest.approx(1)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (1, 1)])
def test_identity_and_eye(shape):
    np.testing.assert_array_equal(entries(init.identity(2.5), shape), 2.5 * np.eye(*shape))
    np.testing.assert_array_equal(entries(init.eye(), shape), np.eye(*shape))
    law = init.identity(2.5).law(shape)
    assert law.mean == pytest.approx((2.5 * np.eye(*shape)).mean())
    assert law.variance == pytest.approx((2.5 * np.eye(*shape)).var())


@pytest.mark.parametrize("window", [(3,), (3, 3), (1, 3, 3)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_passes_its_input_on(window, groups):
    x = jax.random.normal(KEY, (2, *(6 for _ in window), 4))
    layer = nn.Conv(
        4,
        window,
        feature_group_count=groups,
        kernel_init=init.dirac(groups),
        use_bias=False,
    )
    np.testing.assert_array_equal(layer.apply(layer.init(KEY, x), x), x)


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (4, 8), (5, 8), (6, 20), (8, 3)])
def test_hadamard_matrices(shape):
    """ZerO: the leading block of SciPy's matrix, scaled to an orthogonal one."""
    rows, columns = shape
    if rows >= columns:
        expected = np.eye(rows, columns)
    else:
        order = 2 ** int(np.ceil(np.log2(columns)))
        expected = linalg.hadamard(order)[:rows, :columns] / np.sqrt(order)
    np.testing.assert_allclose(entries(init.hadamard(), shape), expected, rtol=1e-6)
    conv = entries(init.hadamard(3.0), (3, 5, *shape))
    np.testing.assert_allclose(conv[1, 2], 3 * expected, rtol=1e-6)
    assert np.count_nonzero(conv) == np.count_nonzero(expected)


def singular_values(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


# A product of reflections in float32 is orthogonal to a few units of rounding.
ROUNDING = 64 * np.finfo(np.float32).eps


@pytest.mark.parametrize("shape", [(64, 64), (128, 32), (32, 128), (3, 3, 8, 40), (1, 9)])
def test_scaled_orthogonal_keeps_the_second_moment(shape):
    matrix = entries(init.scaled_orthogonal(1.7), shape).reshape(-1, shape[-1])
    fan_in, fan_out = matrix.shape
    expected = 1.7 * max(1, fan_out / fan_in) ** 0.5
    np.testing.assert_allclose(singular_values(matrix), expected, rtol=ROUNDING)
    # The sum of squares is exact, so that of the outputs is for white inputs.
    assert np.sum(matrix**2) / fan_out == pytest.approx(1.7**2, rel=1e-5)


@pytest.mark.parametrize("axis", [0, 1, -2])
def test_column_axis(axis):
    kernel = np.moveaxis(entries(init.orthogonal(2.0, axis), (3, 20, 4)), axis, -1)
    matrix = kernel.reshape(-1, kernel.shape[-1])
    np.testing.assert_allclose(singular_values(matrix), 2.0, rtol=ROUNDING)


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 5, 4, 12), (1, 3, 3, 12, 4)])
@pytest.mark.parametrize("column_axis", [-1, -2])
def test_delta_orthogonal_in_any_ratio(shape, column_axis):
    kernel = entries(init.delta_orthogonal(1.5, column_axis), shape)
    center = tuple(size // 2 for size in shape[:-2])
    np.testing.assert_allclose(singular_values(kernel[center]), 1.5, rtol=ROUNDING)
    assert np.count_nonzero(kernel) == kernel[center].size
    law = init.delta_orthogonal(1.5, column_axis).law(shape)
    assert law.variance == pytest.approx(np.mean(kernel**2), rel=1e-5)


@pytest.mark.parametrize(("channels", "out"), [(6, 6), (6, 9), (9, 6)])
def test_a_delta_orthogonal_convolution_is_an_isometry(channels, out):
    """Where it narrows it loses norm; scaled, it keeps the mean square of a unit."""
    x = jax.random.normal(KEY, (2, 7, 7, channels))

    def norms(kernel_init):
        layer = nn.Conv(out, (3, 3), kernel_init=kernel_init, padding="CIRCULAR")
        y = layer.apply(layer.init(KEY, x), x)
        return np.linalg.norm(np.asarray(y, np.float64).reshape(2, -1), axis=1)

    given = np.linalg.norm(np.asarray(x, np.float64).reshape(2, -1), axis=1)
    if out >= channels:
        np.testing.assert_allclose(norms(init.delta_orthogonal()), given, rtol=1e-5)
        widened = norms(init.delta_orthogonal(scaled=True))
        np.testing.assert_allclose(widened, given * (out / channels) ** 0.5, rtol=1e-5)
    else:
        assert np.all(norms(init.delta_orthogonal()) < given)
    # An orthogonal matrix of the flattened kernel is no isometry.
    assert np.all(abs(norms(init.orthogonal()) / given - 1) > 1e-3)


class Mirrored(nn.Module):
    """A ReLU network with mirrored kernels; ``crelu`` doubles the features itself."""

    depth: int
    crelu: bool = False

    @nn.compact
    def __call__(self, x):
        inner = "in" if self.crelu else "both"
        width = 16 if self.crelu else 32
        for layer in range(self.depth):
            first = "out" if layer == 0 else inner
            kernel_init = init.looks_linear(mirror=first)
            if self.crelu and layer == 0:
                kernel_init = init.orthogonal()
            x = nn.Dense(width, kernel_init=kernel_init)(x)
            x = jnp.concatenate([nn.relu(x), nn.relu(-x)], -1) if self.crelu else nn.relu(x)
        return nn.Dense(16, kernel_init=init.looks_linear(mirror="in"))(x)


@pytest.mark.parametrize("crelu", [False, True])
def test_a_looks_linear_network_is_linear_and_an_isometry(crelu):
    """Balduzzi et al.: the product of the blocks, exactly, at depth 50."""
    with jax.enable_x64(True):
        model, x = Mirrored(50, crelu), jax.random.normal(KEY, (3, 16), jnp.float64)
        params = jax.tree.map(lambda p: p.astype(jnp.float64), model.init(KEY, x))
        outputs = model.apply(params, x)
        product = x
        for layer in range(51):
            kernel = params["params"][f"Dense_{layer}"]["kernel"]
            product = product @ kernel[:16, :16]
        np.testing.assert_allclose(outputs, product, rtol=1e-10, atol=1e-12)
        # Blocks were drawn in float32, so that the norm is kept to its rounding.
        np.testing.assert_allclose(
            jnp.linalg.norm(outputs, axis=1), jnp.linalg.norm(x, axis=1), rtol=1e-4
        )
        plain = jax.tree.map(
            lambda p: jax.random.normal(KEY, p.shape, p.dtype) / p.shape[0] ** 0.5, params
        )
        up, down = model.apply(plain, x), model.apply(plain, -x)
        assert not np.allclose(up, -down, rtol=1e-2)


def test_looks_linear_with_another_base():
    base = init.lecun_normal()
    kernel = entries(init.looks_linear(base), (3, 8, 10))
    np.testing.assert_array_equal(kernel[:, :4], -kernel[:, 4:])
    np.testing.assert_array_equal(kernel[..., :5], -kernel[..., 5:])
    assert init.looks_linear(base).law((3, 8, 10)).variance == pytest.approx(1 / 12)
    with pytest.raises(ValueError, match="with a mean"):
        init.looks_linear(init.uniform(0.0, 1.0)).law((8, 8))


@pytest.mark.parametrize(
    ("n", "published", "exact", "linear"),
    [
        (4, 1.97369402, 2.0235632, 1.14474445),
        (16, 1.54466782, 1.54461124, 1.03241429),
        (100, 1.43170877, 1.43230357, 1.00502927),
        (1024, 1.41587571, 1.41594372, 1.00048856),
    ],
)
def test_random_walk_gains(n, published, exact, linear):
    def gain(*args, **kwargs):
        return (init.random_walk(*args, **kwargs).law((n, n)).variance * n) ** 0.5

    assert gain() == pytest.approx(published, rel=1e-8)
    assert gain(exact=True) == pytest.approx(exact, rel=1e-8)
    assert gain("identity", exact=True) == pytest.approx(linear, rel=1e-8)
    assert gain("identity") == pytest.approx(np.exp(1 / (2 * n)), rel=1e-12)


def test_random_walk_keeps_the_logarithm_of_the_norm():
    """Chi-square with K degrees of freedom; He's gain loses 0.0401 a layer at n = 64."""

    def drift(kernel_init, depth=20, seeds=400):
        def run(key):
            x = jnp.ones((64,))
            for k in jax.random.split(key, depth):
                x = nn.relu(x) @ kernel_init(k, (64, 64))
            return jnp.log(jnp.sum(jnp.square(x)) / 64)

        keys = jax.random.split(KEY, seeds)
        logs = np.asarray(jax.jit(jax.vmap(run))(keys), np.float64)
        return logs.mean(), logs.std() / np.sqrt(seeds)

    # The first layer has all its inputs active: K = n, ln(g²/n χ²_n).
    first = np.log(2 * np.exp(2.4 / (64 - 2.4)))
    mean, error = drift(init.random_walk())
    assert abs(mean - first) < 6 * error + 20 * 2 * np.log(1.44286092 / 1.44203327)
    mean, error = drift(init.kaiming_normal())
    assert mean - np.log(2) < -19 * 0.0401086 + 6 * error
    assert mean - first < -6 * error
