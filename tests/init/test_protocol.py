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
from tests.init.laws import EXACT, ORTHOGONAL, shape_of

pytestmark = pytest.mark.usefixtures("optimized")

NAMES = list(INITIALIZERS)
# Inside the trace test the layer is a Dense one.
DENSE = [name for name in NAMES if len(shape_of(name)) == 2]


def shapes_of(name):
    """Narrowing, widening and with a window, where the scheme has a meaning for them."""
    found = []
    for shape in ((6, 4), (4, 6), (3, 3, 4, 6), (3, 3, 6, 4)):
        try:
            INITIALIZERS[name].law(shape)
        except ValueError:
            continue
        found.append(shape)
    assert len(found) >= 2
    return found


@pytest.mark.parametrize("name", NAMES)
def test_shape_dtype_and_purity(name):
    initializer, key = INITIALIZERS[name].build(), jax.random.key(0)
    for shape in shapes_of(name):
        kernel = initializer(key, shape)
        assert kernel.shape == shape
        assert kernel.dtype == jnp.float32
        np.testing.assert_array_equal(kernel, initializer(key, shape))
        assert jax.eval_shape(lambda k, s=shape: initializer(k, s), key).shape == shape


def everything(key, size=None):
    """A kernel of each scheme; one program for all, in which equal draws are shared."""
    shapes = {name: shape_of(name) for name in NAMES}
    if size:
        shapes = {name: (*shape[:-2], *size) for name, shape in shapes.items()}
    return {name: INITIALIZERS[name].build()(key, shapes[name]) for name in NAMES}


def assert_equal(actual, expected):
    """Bit for bit; orthogonal matrices to the rounding of products of another layout."""
    for name in NAMES:
        if name in ORTHOGONAL and not np.array_equal(actual[name], expected[name]):
            np.testing.assert_allclose(actual[name], expected[name], atol=1e-6)
        else:
            np.testing.assert_array_equal(actual[name], expected[name], err_msg=name)


def test_jit_equals_eager():
    key = jax.random.key(0)
    assert_equal(jax.jit(everything)(key), everything(key))
    assert_equal(jax.jit(lambda k: everything(k, (24, 40)))(key), everything(key, (24, 40)))


@pytest.mark.parametrize("name", NAMES)
def test_vmap_over_keys(name):
    initializer, shape = INITIALIZERS[name].build(), shape_of(name)
    keys = jax.random.split(jax.random.key(0), 3)
    together = jax.vmap(lambda k: initializer(k, shape))(keys)
    for key, kernel in zip(keys, together, strict=True):
        np.testing.assert_allclose(kernel, initializer(key, shape), rtol=1e-6, atol=1e-7)
    if name not in EXACT:
        assert not np.array_equal(together[0], together[1])


@pytest.mark.parametrize("name", NAMES)
def test_no_compilation_at_the_second_call(name, compilations):
    initializer, shape = INITIALIZERS[name].build(), shape_of(name)
    initializer(jax.random.key(0), shape)
    with compilations() as count:
        initializer(jax.random.key(1), shape)
        INITIALIZERS[name].build()(jax.random.key(2), shape)
    assert count.value == 0


@pytest.mark.parametrize("name", NAMES)
def test_zero_size(name):
    initializer, shape = INITIALIZERS[name].build(), shape_of(name)
    for empty in ((*shape[:-1], 0), (*shape[:-2], 0, shape[-1]), (*shape[:-2], 0, 0)):
        assert initializer(jax.random.key(0), empty).shape == empty


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "dtype",
    [jnp.bfloat16, jnp.float16, jnp.float8_e4m3fn, jnp.float8_e5m2],
    ids=lambda d: jnp.dtype(d).name,
)
def test_low_precision_is_the_float32_draw_rounded(name, dtype):
    shape = {(6, 4): (256, 256)}.get(shape_of(name), shape_of(name))
    initializer, key = INITIALIZERS[name].build(), jax.random.key(7)
    low = initializer(key, shape, dtype)
    assert low.dtype == dtype
    wide = initializer(key, shape)
    np.testing.assert_array_equal(low.astype(jnp.float32), wide.astype(dtype).astype(float))
    assert np.isfinite(np.asarray(low, np.float32)).all()
    if dtype in (jnp.bfloat16, jnp.float16) and shape == (256, 256) and name not in EXACT:
        assert len(np.unique(np.asarray(low, np.float32))) > 1000


@pytest.mark.parametrize("name", NAMES)
def test_default_dtype_of_the_factory(name):
    """zeros and ones are initializers too: there the second argument is a shape."""
    named = {} if name in ("zeros", "ones") else {"dtype": jnp.bfloat16}
    kernel = INITIALIZERS[name].build(**named)(jax.random.key(0), shape_of(name))
    assert kernel.dtype == (jnp.bfloat16 if named else jnp.float32)


def spread(name, mesh):
    """The input channels of a kernel over the devices of a mesh."""
    return NamedSharding(mesh, PartitionSpec(*(None for _ in shape_of(name)[:-2]), "x"))


def test_values_do_not_change_with_the_sharding():
    """On eight devices, asked for in the call."""
    mesh = jax.make_mesh((8,), ("x",), axis_types=(jax.sharding.AxisType.Explicit,))
    key = jax.random.key(0)

    def sharded(key):
        return {
            name: INITIALIZERS[name].build()(
                key, (*shape_of(name)[:-2], 16, 8), out_sharding=spread(name, mesh)
            )
            for name in NAMES
        }

    plain = everything(key, (16, 8))
    with jax.sharding.set_mesh(mesh):
        kernels = jax.jit(sharded)(key)
        eager = init.he_normal()(key, (16, 8), out_sharding=PartitionSpec("x", None))
    for name in NAMES:
        assert kernels[name].sharding.is_equivalent_to(
            spread(name, mesh), kernels[name].ndim
        )
    assert_equal(kernels, plain)
    np.testing.assert_array_equal(eager, plain["he_normal"])


def test_values_do_not_change_when_a_jit_places_them():
    mesh = jax.make_mesh((8,), ("x",), axis_types=(jax.sharding.AxisType.Auto,))
    key = jax.random.key(0)
    places = {name: spread(name, mesh) for name in NAMES}
    placed = jax.jit(lambda k: everything(k, (16, 8)), out_shardings=places)(key)
    assert all(len(kernel.devices()) == 8 for kernel in placed.values())
    assert_equal(placed, everything(key, (16, 8)))


@pytest.mark.parametrize("name", NAMES)
def test_in_flax(name):
    initializer, window = INITIALIZERS[name].build(), shape_of(name)[:-2]
    x, names = jnp.ones((2, *(5 for _ in window), 4)), (*("w" for _ in window), "a", "b")
    boxed_init = nn.with_partitioning(initializer, names)
    if window:
        linen = nn.Conv(6, window, kernel_init=boxed_init)
        layer = nnx.Conv(4, 6, window, kernel_init=initializer, rngs=nnx.Rngs(0))
    else:
        linen = nn.Dense(6, kernel_init=boxed_init)
        layer = nnx.Linear(4, 6, kernel_init=initializer, rngs=nnx.Rngs(0))
    boxed = linen.init(jax.random.key(0), x)["params"]["kernel"]
    assert boxed.names == names
    assert boxed.value.shape == (*window, 4, 6)
    assert layer.kernel[...].shape == (*window, 4, 6)


FACTORIES = {
    **{name: INITIALIZERS[name].build for name in DENSE},
    "kaiming_gelu": lambda: init.kaiming_normal(nonlinearity="gelu"),
    "kaiming_callable": lambda: init.kaiming_uniform(
        nonlinearity=lambda x: x * jnp.tanh(x)
    ),
}


class Dense(nn.Module):
    """One layer for each factory, which is called inside whatever traces the module."""

    @nn.compact
    def __call__(self, x, _=None):
        for name, factory in FACTORIES.items():
            y = nn.Dense(4, kernel_init=factory(), name=name)(x)
        return y, None


def test_factories_may_be_called_inside_a_trace():
    """As in a compact linen module under jit, eval_shape or nn.scan, or under nnx.jit."""
    x, key = jnp.ones((2, 4)), jax.random.key(0)
    expected = jax.tree.map(jnp.shape, Dense().init(key, x))
    assert len(expected["params"]) == len(FACTORIES)
    assert jax.tree.map(jnp.shape, jax.jit(Dense().init)(key, x)) == expected
    assert jax.tree.map(jnp.shape, jax.eval_shape(Dense().init, key, x)) == expected
    stack = nn.scan(
        Dense, variable_axes={"params": 0}, split_rngs={"params": True}, length=2
    )()
    for name, layer in jax.eval_shape(stack.init, key, x)["params"].items():
        assert layer["kernel"].shape == (2, 4, 4), name
    made = nnx.jit(
        lambda: [
            nnx.Linear(4, 4, kernel_init=factory(), rngs=nnx.Rngs(0))
            for factory in FACTORIES.values()
        ]
    )()
    assert all(layer.kernel[...].shape == (4, 4) for layer in made)


def test_traced_arguments():
    key = jax.random.key(0)
    slopes = jnp.asarray([0.0, 0.5])
    kernels = jax.vmap(lambda a: init.kaiming_normal(a)(key, (8, 8)))(slopes)
    np.testing.assert_allclose(kernels[1], kernels[0] / 1.25**0.5, rtol=1e-6)
    highs = jax.vmap(lambda h: init.uniform(0.0, h)(key, (8, 8)))(jnp.asarray([1.0, 2.0]))
    np.testing.assert_allclose(highs[1], 2 * highs[0], rtol=1e-5, atol=1e-6)


def test_gradients_with_respect_to_a_gain():
    """As meta-learning of a scale would take them: W is linear in its gain."""
    key = jax.random.key(0)

    def energy(gain):
        return jnp.sum(jnp.square(init.xavier_normal(gain)(key, (8, 8))))

    assert float(jax.grad(energy)(2.0)) == pytest.approx(float(energy(2.0)), rel=1e-5)
    tangent = jax.jacfwd(lambda s: init.truncated_normal(s, lower=-1.0)(key, (5,)))(0.5)
    np.testing.assert_allclose(
        tangent, init.truncated_normal(1.0, lower=-1.0)(key, (5,)), rtol=1e-5
    )


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
