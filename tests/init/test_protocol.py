"""Every initializer is one of JAX's protocol, in linen, nnx, jit and vmap."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax.sharding import NamedSharding, PartitionSpec

from initjax import init
from initjax.init import INITIALIZERS

NAMES = list(INITIALIZERS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (3, 3, 4, 6)])
def test_shape_dtype_and_purity(name, shape):
    initializer, key = INITIALIZERS[name].build(), jax.random.key(0)
    kernel = initializer(key, shape)
    assert kernel.shape == shape
    assert kernel.dtype == jnp.float32
    np.testing.assert_array_equal(kernel, initializer(key, shape))
    jitted = jax.jit(initializer, static_argnums=1)(key, shape)
    np.testing.assert_allclose(jitted, kernel, rtol=1e-6)  # fused, so rounded otherwise
    assert jax.eval_shape(lambda k: initializer(k, shape), key).shape == shape


@pytest.mark.parametrize("name", NAMES)
def test_zero_size(name):
    assert INITIALIZERS[name].build()(jax.random.key(0), (0, 4)).shape == (0, 4)


@pytest.mark.parametrize("name", NAMES)
def test_default_dtype_of_the_factory(name):
    kernel = INITIALIZERS[name].build(
        **({} if name in ("zeros", "ones") else {"dtype": jnp.bfloat16})
    )(jax.random.key(0), (4, 4))
    assert kernel.dtype == (jnp.float32 if name in ("zeros", "ones") else jnp.bfloat16)


@pytest.mark.parametrize("name", NAMES)
def test_out_sharding(name):
    mesh = jax.make_mesh((1,), ("x",), axis_types=(jax.sharding.AxisType.Explicit,))
    sharding = NamedSharding(mesh, PartitionSpec("x", None))
    with jax.sharding.set_mesh(mesh):
        kernel = INITIALIZERS[name].build()(
            jax.random.key(0), (4, 4), out_sharding=sharding
        )
    assert kernel.sharding.is_equivalent_to(sharding, 2)
    plain = INITIALIZERS[name].build()(jax.random.key(0), (4, 4))
    np.testing.assert_array_equal(kernel, plain)


@pytest.mark.parametrize("name", NAMES)
def test_in_flax(name):
    initializer, x = INITIALIZERS[name].build(), jnp.ones((2, 3))
    linen = nn.Dense(4, kernel_init=nn.with_partitioning(initializer, ("a", "b")))
    boxed = linen.init(jax.random.key(0), x)["params"]["kernel"]
    assert boxed.value.shape == (3, 4)
    layer = nnx.Linear(3, 4, kernel_init=initializer, rngs=nnx.Rngs(0))
    assert layer.kernel[...].shape == (3, 4)


FACTORIES = {
    **{name: INITIALIZERS[name].build for name in NAMES},
    "kaiming_gelu": lambda: init.kaiming_normal(nonlinearity="gelu"),
    "kaiming_callable": lambda: init.kaiming_uniform(
        nonlinearity=lambda x: x * jnp.tanh(x)
    ),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_factories_may_be_called_inside_a_trace(name):
    """As in a compact linen module under jit, eval_shape or nn.scan."""

    class Model(nn.Module):
        @nn.compact
        def __call__(self, x, _=None):
            return nn.Dense(3, kernel_init=FACTORIES[name]())(x), None

    x, key = jnp.ones((2, 3)), jax.random.key(0)
    expected = jax.tree.map(jnp.shape, Model().init(key, x))
    assert jax.tree.map(jnp.shape, jax.jit(Model().init)(key, x)) == expected
    assert jax.tree.map(jnp.shape, jax.eval_shape(Model().init, key, x)) == expected
    stack = nn.scan(
        Model, variable_axes={"params": 0}, split_rngs={"params": True}, length=2
    )()
    assert stack.init(key, x)["params"]["Dense_0"]["kernel"].shape == (2, 3, 3)
    made = nnx.jit(
        lambda: nnx.Linear(3, 3, kernel_init=FACTORIES[name](), rngs=nnx.Rngs(0))
    )
    assert made().kernel[...].shape == (3, 3)


def test_traced_arguments():
    key = jax.random.key(0)
    slopes = jnp.asarray([0.0, 0.5])
    kernels = jax.vmap(lambda a: init.kaiming_normal(a)(key, (8, 8)))(slopes)
    np.testing.assert_allclose(kernels[1], kernels[0] / 1.25**0.5, rtol=1e-6)
    highs = jax.vmap(lambda h: init.uniform(0.0, h)(key, (8, 8)))(jnp.asarray([1.0, 2.0]))
    np.testing.assert_allclose(highs[1], 2 * highs[0], rtol=1e-5, atol=1e-6)


def test_jax_and_torch_spellings():
    key = jax.random.key(0)
    assert init.normal(1e-2, jnp.bfloat16)(key, (3,)).dtype == jnp.bfloat16
    assert init.zeros(dtype=jnp.bfloat16)(key, (3,)).dtype == jnp.bfloat16
    assert init.zeros(key, (3,), jnp.int32).dtype == jnp.int32
    for name in ("linear", "conv2d"):
        law = init.kaiming_normal(nonlinearity=name).law((100, 10))
        assert law.variance == pytest.approx(1 / 100)
    assert init.kaiming_normal().law((100, 10)).variance == pytest.approx(0.02, rel=1e-15)


def test_wider_dtypes_are_drawn_wide():
    with jax.enable_x64(True):
        kernel = init.he_normal()(jax.random.key(0), (64, 64), jnp.float64)
        assert kernel.dtype == jnp.float64
        assert np.any(np.asarray(kernel) != np.asarray(kernel.astype(jnp.float32)))


def test_gain_is_an_axis_under_vmap():
    gains, key = jnp.asarray([0.5, 1.0, 2.0]), jax.random.key(0)
    for factory in (
        init.xavier_normal,
        init.orthogonal,
        lambda g: init.kaiming_uniform(gain=g),
    ):
        kernels = jax.vmap(lambda g, make=factory: make(g)(key, (8, 8)))(gains)
        np.testing.assert_allclose(kernels, gains[:, None, None] * kernels[1], rtol=1e-6)


def test_zeros_and_ones_are_factories_and_initializers():
    for constant, value in ((init.zeros, 0), (init.ones, 1)):
        for kernel in (constant()(None, (2, 3)), constant(jax.random.key(0), (2, 3))):
            np.testing.assert_array_equal(kernel, np.full((2, 3), value))
        layer = nn.Dense(3, bias_init=constant)
        bias = layer.init(jax.random.key(0), jnp.ones((1, 2)))["params"]["bias"]
        np.testing.assert_array_equal(bias, np.full(3, value))


def test_vectors_where_a_meaning_exists():
    for initializer in (
        init.zeros(),
        init.normal(),
        init.uniform(-1, 1),
        init.constant(2.0),
    ):
        assert initializer(jax.random.key(0), (5,)).shape == (5,)
    assert init.lecun_normal(in_axis=0, out_axis=())(jax.random.key(0), (5,)).shape == (5,)


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: init.variance_scaling(-1.0), "scale=-1.0"),
        (lambda: init.variance_scaling(float("nan")), "scale=nan"),
        (lambda: init.variance_scaling(1.0, "fan_inn"), "mode='fan_inn'"),
        (lambda: init.variance_scaling(1.0, "fan_in", "cauchy"), "distribution='cauchy'"),
        (lambda: init.normal(-0.1), "stddev=-0.1"),
        (lambda: init.normal(0.1, mean=float("inf")), "mean=inf"),
        (lambda: init.uniform(0.05), r"uniform\(0, scale\)"),
        (lambda: init.uniform(1.0, -1.0), "low < high"),
        (lambda: init.constant(float("nan")), "value=nan"),
        (lambda: init.xavier_normal(-1.0), "gain=-1.0"),
        (lambda: init.kaiming_normal(mode="fan_avg"), "mode='fan_avg'"),
        (lambda: init.kaiming_normal(nonlinearity="swoosh"), "swoosh"),
        (lambda: init.orthogonal(-1.0), "gain=-1.0"),
    ],
)
def test_bad_arguments_fail_when_the_factory_is_called(build, match):
    with pytest.raises(ValueError, match=match):
        build()


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: init.variance_scaling("2x"), "scale='2x'"),
        (lambda: init.xavier_normal("tanh"), "gain='tanh'"),
        (lambda: init.kaiming_normal("fan_out"), "a='fan_out'"),
        (lambda: init.zeros(jnp.bfloat16), "dtype= by name"),
    ],
)
def test_arguments_of_a_wrong_kind(build, match):
    with pytest.raises(TypeError, match=match):
        build()


@pytest.mark.parametrize("name", ["he_normal", "xavier_uniform", "orthogonal"])
def test_vector_shape_is_refused_with_a_remedy(name):
    with pytest.raises(ValueError, match=r"normal\(stddev\)"):
        INITIALIZERS[name].build()(jax.random.key(0), (5,))


def test_negative_sizes_are_refused():
    with pytest.raises(ValueError, match="sizes of a kernel"):
        init.he_normal()(jax.random.key(0), (-3, 4))


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.complex64, bool])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(TypeError, match="floating-point"):
        init.he_normal()(jax.random.key(0), (3, 3), dtype)
