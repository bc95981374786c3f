"""Any shape, axes and dtype give an array or a ValueError or TypeError; never a nan."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from initjax import init
from initjax.fans import LAYERS
from initjax.init import INITIALIZERS
from tests.init.laws import EXACT

# Few sizes, so that few programs are compiled.
SHAPES = st.lists(st.sampled_from([0, 1, 3]), max_size=4).map(tuple)
DTYPES = st.sampled_from(
    [
        *(None, "float32", "bfloat16", "float16", "float8_e4m3fn", "float8_e5m2"),
        *("float8_e8m0fnu", "float8_e3m4", "int32", "uint8", "bool", "complex64"),
        *("float31", 7),
    ]
)
AXES = st.one_of(
    st.integers(-4, 4), st.lists(st.integers(-4, 4), max_size=2).map(tuple), st.just("x")
)
NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 1e-300, 1e300, float("nan"), float("inf"), "a", None, True]),
    st.floats(),
)
SIZED = [n for n in INITIALIZERS if n in ("he_normal", "glorot_uniform", "kaiming_normal")]
KEY = jax.random.key(0)


def array_or_refusal(call):
    """Run it; what it returns is finite, what it raises says what was wrong."""
    try:
        kernel = call()
    except (ValueError, TypeError) as error:
        assert str(error)
        return None
    assert isinstance(kernel, jax.Array)
    kind = jnp.complex64 if jnp.iscomplexobj(kernel) else jnp.float32
    assert not np.isnan(np.asarray(kernel.astype(kind))).any()
    return kernel


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(sorted(INITIALIZERS)), SHAPES, DTYPES)
def test_shapes_and_dtypes(name, shape, dtype):
    kernel = array_or_refusal(lambda: INITIALIZERS[name].build()(KEY, shape, dtype))
    if kernel is not None:
        assert kernel.shape == shape
        assert kernel.dtype == jnp.dtype(dtype or jnp.float32)
        assert name in EXACT or jnp.issubdtype(kernel.dtype, jnp.inexact)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SIZED), SHAPES, AXES, AXES, AXES)
def test_axes(name, shape, in_axis, out_axis, batch_axis):
    array_or_refusal(
        lambda: INITIALIZERS[name].build(
            in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis
        )(KEY, shape)
    )


FIRST = {
    "gain": ("xavier_uniform", "orthogonal", "scaled_orthogonal", "identity", "hadamard"),
    "scale": ("variance_scaling",),
    "stddev": ("normal", "truncated_normal", "sparse"),
    "std": ("trunc_normal",),
    "a": ("kaiming_normal", "trunc_normal"),
    "omega_0": ("siren",),
    "fan_in": ("bias_uniform", "bias_normal"),
    "sparsity": ("sparse",),
    "value": ("constant",),
    "groups": ("dirac",),
}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([(n, a) for a, ns in FIRST.items() for n in ns]), NUMBERS)
def test_numbers(which, number):
    name, argument = which
    shape = (3, 4, 4) if name == "dirac" else (4, 4)
    array_or_refusal(lambda: INITIALIZERS[name].build(**{argument: number})(KEY, shape))


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(sorted(LAYERS)), SHAPES)
def test_layers(layer, shape):
    extra = {"einsum": {"equation": "ab,bc->ac"}, "masked": {"mask": np.ones(())}}
    array_or_refusal(lambda: init.for_layer(layer, **extra.get(layer, {}))(KEY, shape))
