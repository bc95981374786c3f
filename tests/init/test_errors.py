"""Bad input is refused at once, with the argument, its value and the remedy."""

import jax
import jax.numpy as jnp
import pytest

from initjax import init
from initjax.init import INITIALIZERS


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
        (lambda: init.scaled_orthogonal(float("nan")), "gain=nan"),
        (lambda: init.delta_orthogonal(1.0, 0), "column_axis=0"),
        (lambda: init.truncated_normal(-1.0), "stddev=-1.0"),
        (lambda: init.truncated_normal(1.0, lower=2.0, upper=1.0), "lower < upper"),
        (lambda: init.truncated_normal(1.0, lower=9.0, upper=10.0), "8 standard"),
        (lambda: init.trunc_normal(std=0.02, a=1.0, b=2.0), "a=1.0"),
        (lambda: init.trunc_normal(std=0), "constant"),
        (lambda: init.sparse(1.0), r"sparsity must be in \[0, 1\); got sparsity=1.0"),
        (lambda: init.sparse(-0.1), "sparsity=-0.1"),
        (lambda: init.sparse(float("nan")), "sparsity=nan"),
        (lambda: init.sparse(0.5, per="row"), "per='row'"),
        (lambda: init.dirac(0), "groups=0"),
        (lambda: init.identity(float("inf")), "gain=inf"),
        (lambda: init.hadamard(float("inf")), "gain=inf"),
        (lambda: init.looks_linear(mirror="up"), "mirror='up'"),
        (lambda: init.siren(0), "omega_0 must be > 0"),
        (lambda: init.siren(-30.0), "omega_0=-30.0"),
        (lambda: init.random_walk("tanh"), "activation='tanh'"),
        (lambda: init.bias_uniform(0), "fan_in=0"),
        (lambda: init.bias_normal(10, -1.0), "gain=-1.0"),
        (lambda: init.for_layer("lstm"), "layer='lstm'"),
        (lambda: init.for_layer("dense", mode="fan"), "mode='fan'"),
        (lambda: init.for_layer("einsum", equation="ab,bc"), "equation='ab,bc'"),
        (lambda: init.for_layer("conv", feature_group_count=0), "feature_group_count=0"),
        (lambda: init.for_layer("attention", projection="foo"), "projection='foo'"),
        (lambda: init.for_layer("masked", mask=[[0.5]]), "mask must hold 0 and 1"),
        (lambda: init.for_layer("conv_transpose", strides=0), "strides=0"),
        (lambda: init.for_layer("dense_general", in_axes=0), "in_axes=0"),
        (lambda: init.uniform(), "low=None"),
        (lambda: init.presets.timm_vit(0), "patch_size=0"),
        (lambda: init.bias_uniform(-3.0), "fan_in=-3.0"),
        (lambda: init.he_normal(in_axis=0, out_axis=0), "each axis has one"),
        (lambda: init.lecun_normal(in_axis=(-2, -2)), "each axis has one"),
        (lambda: init.kaiming_uniform(batch_axis=-1), "batch_axis=-1"),
        (lambda: init.siren(in_axis=-1), "out_axis=-1"),
        (lambda: init.presets.torch_linear(0), "in_features=0"),
        (lambda: init.presets.torch_conv(3, (3, 3), groups=2), "groups=2"),
        (lambda: init.presets.torch_mha(-1), "embed_dim=-1"),
        (lambda: init.presets.gpt2(0), "blocks=0"),
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
        (lambda: init.for_layer("conv", stride=2), "feature_group_count"),
        (lambda: init.for_layer("einsum"), "equation"),
        (lambda: init.for_layer("einsum", equation=3), "equation=3"),
        (lambda: init.xavier_normal("2"), "gain='2'"),
        (lambda: init.orthogonal([1.0, 2.0]), "gain="),
        (lambda: init.identity(None), "gain=None"),
        (lambda: init.normal(True), "stddev=True"),
        (lambda: init.kaiming_normal(a="x", nonlinearity="relu"), "a='x'"),
        (lambda: init.orthogonal(column_axis=1.5), "column_axis=1.5"),
        (lambda: init.dirac(1.5), "groups=1.5"),
        (lambda: init.presets.torch_linear(1.5), "in_features=1.5"),
        (lambda: init.presets.torch_conv(3, 3), r"\(3, 3\)"),
        (lambda: init.constant(1j), "value="),
        (lambda: init.sparse("half"), "sparsity='half'"),
        (lambda: init.he_normal(in_axis="rows"), "in_axis='rows'"),
        (lambda: init.looks_linear(jax.nn.initializers.orthogonal()), "lecun_normal"),
        (lambda: init.truncated_normal(1.0, lower=jnp.ones(3)), "lower="),
        (lambda: init.he_normal(dtype=jnp.int32), "dtype=int32"),
        (lambda: init.orthogonal(dtype=jnp.int8), "dtype=int8"),
        (lambda: init.dirac(dtype=bool), "dtype=bool"),
        (lambda: init.sparse(0.5, dtype=jnp.uint8), "dtype=uint8"),
        (lambda: init.trunc_normal(dtype=jnp.complex64), "no complex form"),
        (lambda: init.xavier_normal(dtype=jnp.float8_e8m0fnu), "no sign"),
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


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.uint8, bool, jnp.float8_e8m0fnu])
@pytest.mark.parametrize("name", ["he_normal", "orthogonal", "sparse", "delta_orthogonal"])
def test_dtypes_that_cannot_hold_a_kernel_are_refused(name, dtype):
    with pytest.raises(TypeError, match=f"dtype={jnp.dtype(dtype)}"):
        INITIALIZERS[name].build()(jax.random.key(0), (3, 3, 3, 3)[-2:], dtype)


@pytest.mark.parametrize(
    ("build", "shape", "match"),
    [
        (init.delta_orthogonal(), (2, 2, 4, 4), "odd size"),
        (init.delta_orthogonal(), (3, 4, 4, 4), "odd size"),
        (init.delta_orthogonal(), (4, 4), "one to three window axes"),
        (init.hadamard(), (2, 4, 4), "odd size"),
        (init.dirac(), (4, 4), "window axes"),
        (init.dirac(2), (3, 4, 5), "groups=2"),
        (init.eye(), (3, 4, 4), "two axes"),
        (init.sparse(0.5), (4,), "two axes"),
        (init.looks_linear(), (5, 4), "even in number"),
        (init.orthogonal(column_axis=2), (3, 3), "column_axis=2"),
        (init.for_layer("dense"), (3, 3, 4), "in, out"),
        (init.for_layer("einsum", equation="ab,bc->ac"), (3, 3, 4), "3 axes|2 axes"),
        (init.he_normal(in_axis=-1, out_axis=1), (3, 3), "two roles"),
        (init.normal(1e30), (3, 3), None),
    ],
)
def test_shapes_without_a_meaning_are_refused(build, shape, match):
    if match is None:  # the wide dtype holds it, the narrow one does not
        assert build(jax.random.key(0), shape).shape == shape
        with pytest.raises(ValueError, match="has room for 65504"):
            build(jax.random.key(0), shape, jnp.float16)
        return
    with pytest.raises(ValueError, match=match):
        build(jax.random.key(0), shape)
