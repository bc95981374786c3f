"""The layers whose fans Flax gets wrong: before, mended, and built right."""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax import init
from initjax.recipes.mending import mend_fans

BOUND = 6.0


class Case(NamedTuple):
    """A layer, its input, and what its output's variance is before the mending."""

    linen: Any  # kernel_init -> module
    nnx: Any
    inputs: tuple[int, ...]
    before: float
    fan_in: int
    settings: dict[str, Any]
    crop: int = 0  # positions at the border that see fewer inputs
    mode: str = "fan_in"


TRIL = np.tril(np.ones((64, 64)))[None]
CASES = {
    "dense_general": Case(
        lambda k: nn.DenseGeneral(48, batch_dims=(0,), kernel_init=k),
        lambda k, r: nnx.LinearGeneral(64, 48, batch_axis={0: 8}, kernel_init=k, rngs=r),
        *((8, 96, 64), 1 / 8, 64),
        {"layer": "dense_general", "batch_sizes": (8,)},
    ),
    "einsum_heads": Case(
        lambda k: nn.Einsum((64, 8, 16), "btd,dhk->bthk", kernel_init=k),
        lambda k, r: nnx.Einsum("btd,dhk->bthk", (64, 8, 16), kernel_init=k, rngs=r),
        *((16, 16, 64), 1 / 8, 64),
        {"layer": "einsum", "equation": "btd,dhk->bthk"},
    ),
    "einsum_experts": Case(
        lambda k: nn.Einsum((4, 64, 48), "ebd,edf->ebf", kernel_init=k),
        lambda k, r: nnx.Einsum("ebd,edf->ebf", (4, 64, 48), kernel_init=k, rngs=r),
        *((4, 96, 64), 1 / 4, 64),
        {"layer": "einsum", "equation": "ebd,edf->ebf"},
    ),
    "conv_local": Case(
        lambda k: nn.ConvLocal(16, (3, 3), padding="VALID", kernel_init=k),
        None,
        *((32, 8, 8, 8), 1 / 36, 72),
        {"layer": "conv_local", "kernel_size": (3, 3)},
    ),
    "conv_transpose_strided": Case(
        lambda k: nn.ConvTranspose(32, (4, 4), strides=(2, 2), kernel_init=k),
        lambda k, r: nnx.ConvTranspose(
            16, 32, (4, 4), strides=(2, 2), kernel_init=k, rngs=r
        ),
        *((16, 12, 12, 16), 1 / 4, 64),
        {"layer": "conv_transpose", "strides": (2, 2)},
        4,
    ),
    "conv_transpose_kernel": Case(
        lambda k: nn.ConvTranspose(128, (3,), transpose_kernel=True, kernel_init=k),
        lambda k, r: nnx.ConvTranspose(
            16, 128, (3,), transpose_kernel=True, kernel_init=k, rngs=r
        ),
        *((32, 32, 16), 1 / 8, 48),
        {"layer": "conv_transpose", "transpose_kernel": True},
        2,
    ),
    "masked": Case(
        lambda k: nn.Conv(64, (1,), mask=TRIL, kernel_init=k),
        lambda k, r: nnx.Conv(64, 64, (1,), mask=TRIL, kernel_init=k, rngs=r),
        *((64, 32, 64), 65 / 128, 13),  # 1 / fan_in is on average 1 / 13
        {"layer": "masked", "mask": TRIL, "per_output": True},
    ),
    "grouped_fan_out": Case(
        lambda k: nn.Conv(
            96, (3, 3), feature_group_count=96, padding="VALID", kernel_init=k
        ),
        lambda k, r: nnx.Conv(
            *(96, 96, (3, 3)),
            **{"feature_group_count": 96, "padding": "VALID", "kernel_init": k, "rngs": r},
        ),
        *((16, 16, 16, 96), 1 / 96, 9),
        {"layer": "conv", "feature_group_count": 96, "mode": "fan_out"},
        0,
        "fan_out",
    ),
}


def flax_default(case):
    """Flax's default, or the same with a fan_out, where only that is wrong."""
    return nn.initializers.variance_scaling(1.0, case.mode, "truncated_normal")


def second_moment(case, outputs):
    """Mean square of the outputs whose window is whole."""
    inner = [slice(None)] * outputs.ndim
    for axis in range(1, outputs.ndim - 1):
        if case.crop:
            inner[axis] = slice(case.crop, -case.crop)
    return float(jnp.mean(jnp.square(outputs[tuple(inner)])))


def relative_error(case, units):
    """Standard deviation of a mean square over U units and B independent windows.

    For given weights Var y = ‖w‖², known to 2/fan per unit; for given inputs the
    units share ‖x‖², known to 2/fan per window; y² itself scatters by 2.
    """
    windows = np.prod(case.inputs) / case.fan_in
    return np.sqrt(
        2 / (case.fan_in * units) + 2 / (case.fan_in * windows) + 2 / (units * windows)
    )


@pytest.mark.parametrize("name", CASES)
def test_linen_layers_before_and_after(name):
    case = CASES[name]
    layer, x = (
        case.linen(flax_default(case)),
        jax.random.normal(jax.random.key(0), case.inputs),
    )
    variables = layer.init(jax.random.key(1), x)
    outputs = layer.apply(variables, x)
    bound = BOUND * relative_error(case, outputs.shape[-1])
    assert second_moment(case, outputs) == pytest.approx(case.before, rel=bound)
    assert abs(second_moment(case, outputs) - 1) > bound
    mended = mend_fans(layer, variables, x, mode=case.mode)
    assert list(mended.changed) == ["kernel"]
    after = layer.apply({"params": mended.params}, x)
    assert second_moment(case, after) == pytest.approx(1, rel=bound)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.nnx])
def test_nnx_layers_before_and_after(name):
    case = CASES[name]
    layer = case.nnx(flax_default(case), nnx.Rngs(1))
    x = jax.random.normal(jax.random.key(0), case.inputs)
    bound = BOUND * relative_error(case, layer(x).shape[-1])
    assert second_moment(case, layer(x)) == pytest.approx(case.before, rel=bound)
    nnx.update(layer, mend_fans(layer, mode=case.mode).params)
    assert second_moment(case, layer(x)) == pytest.approx(1, rel=bound)


@pytest.mark.parametrize("name", CASES)
def test_for_layer_is_right_from_the_start(name):
    case = CASES[name]
    layer = case.linen(init.for_layer(**case.settings))
    x = jax.random.normal(jax.random.key(0), case.inputs)
    variables = layer.init(jax.random.key(1), x)
    outputs = layer.apply(variables, x)
    bound = BOUND * relative_error(case, outputs.shape[-1])
    assert second_moment(case, outputs) == pytest.approx(1, rel=bound)
    assert mend_fans(layer, variables, x, mode=case.mode).changed == {}


def test_every_output_of_a_masked_layer_has_the_same_variance():
    case = CASES["masked"]
    x = jax.random.normal(jax.random.key(0), (2000, 4, 64))
    layer = case.linen(init.for_layer(**case.settings))
    outputs = layer.apply(layer.init(jax.random.key(1), x), x)
    lived = np.asarray(jnp.mean(jnp.square(outputs), (0, 1)))
    inputs = np.arange(64, 0, -1)
    np.testing.assert_array_less(abs(lived - 1), BOUND * np.sqrt(2 / inputs + 2 / 8000))
    layer = case.linen(flax_default(case))
    plain = layer.apply(layer.init(jax.random.key(1), x), x)
    last = float(jnp.mean(jnp.square(plain[..., -1])))  # one input of 64 is left
    assert last < 1 / 4


class Model(nn.Module):
    """Right layers, wrong ones, stacked ones, and ones whose scale is fixed."""

    @nn.compact
    def __call__(self, x, train):
        x = nn.Dense(16)(x)
        x = nn.Dropout(0.5, deterministic=not train)(x)
        stack = nn.scan(
            Block,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=3,
            metadata_params={nn.PARTITION_NAME: None},
        )
        x, _ = stack(name="stack")(x, None)
        x = nn.MultiHeadDotProductAttention(num_heads=2, name="attention")(x)
        fixed = nn.initializers.normal(0.02)
        x = nn.Einsum((16, 2, 8), "btd,dhk->bthk", kernel_init=fixed, name="fixed")(x)
        return nn.Einsum((2, 8, 4), "bthk,hkd->btd", name="out")(x)


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        boxed = nn.with_partitioning(nn.initializers.lecun_normal(), ("a", "b", "c"))
        y = nn.Einsum((16, 4, 4), "btd,dhk->bthk", kernel_init=boxed)(x)
        return y.reshape(x.shape), None


def test_a_model_with_stacked_layers_dropout_and_boxes():
    x, key = jnp.ones((2, 3, 8)), jax.random.key(0)
    variables = Model().init(key, x, train=False)
    mended = mend_fans(Model(), variables, x, train=False)
    assert mended.changed == {"stack/Einsum_0/kernel": "× 2"}
    old, new = variables["params"], mended.params
    assert jax.tree.structure(new) == jax.tree.structure(old)
    kernel = new["stack"]["Einsum_0"]["kernel"]
    np.testing.assert_allclose(
        kernel.value, 2 * old["stack"]["Einsum_0"]["kernel"].value, rtol=1e-6
    )
    np.testing.assert_array_equal(new["Dense_0"]["kernel"], old["Dense_0"]["kernel"])


def strided(kernel_init):
    return nn.ConvTranspose(32, (4, 4), strides=(2, 2), kernel_init=kernel_init)


def heads(kernel_init):
    return nn.Einsum((64, 8, 16), "btd,dhk->bthk", kernel_init=kernel_init)


def changed(layer, x, **keywords):
    variables = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(layer.init, jax.random.key(0), x),
    )
    return mend_fans(layer, variables, x, **keywords).changed


jn = nn.initializers
AXES = {"in_axis": 0, "out_axis": (1, 2)}


@pytest.mark.parametrize(
    ("layer", "factor"),
    [
        # Read with the right axes, or not read at all: nothing to mend.
        (heads(init.lecun_normal(**AXES)), None),
        (heads(jn.lecun_normal(**AXES)), None),
        (heads(jn.lecun_normal(in_axis=-3, out_axis=(-2, -1))), None),
        (heads(jn.orthogonal()), None),
        (heads(init.orthogonal()), None),
        (heads(jn.normal(0.02)), None),
        (heads(init.normal(0.02)), None),
        (heads(jn.zeros), None),
        (strided(jn.delta_orthogonal()), None),
        (strided(init.for_layer("conv_transpose", strides=(2, 2))), None),
        (
            strided(
                nn.with_partitioning(
                    init.for_layer("conv_transpose", strides=(2, 2)), (None,) * 4
                )
            ),
            None,
        ),
        # The mode is that of the initializer: (32 + 32) / (32 / 4 + 32) = 1.6.
        (strided(jn.lecun_normal()), 2),
        (strided(init.kaiming_normal()), 2),
        (strided(init.kaiming_normal(mode="fan_out")), None),
        (strided(jn.glorot_normal()), 1.6**0.5),
        (strided(init.glorot_uniform()), 1.6**0.5),
        (strided(nn.with_partitioning(jn.lecun_normal(), (None,) * 4)), 2),
        (heads(nn.with_logical_partitioning(jn.he_normal(), (None,) * 3)), 8**0.5),
    ],
)
def test_what_an_initializer_reads_is_known(layer, factor):
    x = jnp.ones((1, 3, 64)) if isinstance(layer, nn.Einsum) else jnp.ones((1, 4, 4, 32))
    expected = {} if factor is None else {"kernel": f"× {factor:g}"}
    assert changed(layer, x) == expected


def test_an_initializer_that_does_not_tell_is_asked_about():
    layer = heads(lambda key, shape, dtype: jn.lecun_normal()(key, shape, dtype))
    x = jnp.ones((1, 3, 64))
    with pytest.raises(ValueError, match=r"kernel: its kernel_init .* mode="):
        changed(layer, x)
    assert changed(layer, x, mode="fan_in") == {"kernel": "× 2.82843"}


def test_inputs_may_be_shapes_in_any_structure():
    class Named(nn.Module):
        @nn.compact
        def __call__(self, batch, *, scale):
            return heads(jn.lecun_normal())(batch["x"]) * scale

    x, scale = jnp.ones((1, 3, 64)), jnp.ones(())
    variables = Named().init(jax.random.key(0), {"x": x}, scale=scale)
    shapes = {"x": jax.ShapeDtypeStruct(x.shape, x.dtype)}
    given = jax.ShapeDtypeStruct((), jnp.float32)
    mended = mend_fans(Named(), variables, shapes, scale=given)
    assert mended.changed == {"Einsum_0/kernel": "× 2.82843"}


def test_stacks_of_nnx_layers():
    @nnx.split_rngs(splits=3)
    @nnx.vmap
    def stacked(rngs):
        return nnx.List(
            [
                nnx.LinearGeneral(64, 16, batch_axis={0: 8}, rngs=rngs),
                nnx.Einsum("btd,dhk->bthk", (64, 8, 16), rngs=rngs),
                nnx.Conv(4, 4, (1,), mask=np.tril(np.ones((1, 4, 4))), rngs=rngs),
                nnx.Linear(4, 4, rngs=rngs),
            ]
        )

    layers = stacked(nnx.Rngs(0))
    assert mend_fans(layers).changed == {
        "0/kernel": "× 2.82843",
        "1/kernel": "× 2.82843",
        "2/kernel": "× 1 to 2",
    }


def test_what_cannot_be_mended_is_named():
    class InnerMask(nn.Module):
        @nn.compact
        def __call__(self, x):
            return nn.Conv(4, (1,), mask=jnp.tril(jnp.ones((1, 4, 4))))(x)

    x = jnp.ones((1, 5, 4))
    with pytest.raises(TypeError, match="make it with numpy"):
        changed(InnerMask(), x)

    class Step(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.Conv(4, (1,), mask=np.tril(np.ones((1, 4, 4))))(x), None

    stack = nn.scan(
        Step, variable_axes={"params": -1}, split_rngs={"params": True}, length=4
    )()
    variables = stack.init(jax.random.key(0), x, None)
    with pytest.raises(ValueError, match="stacked along the first axis"):
        mend_fans(stack, variables, x, None)

    class NoLayer(nn.Module):
        @nn.compact
        def __call__(self, x):
            return x @ self.param("kernel", jn.lecun_normal(), (4, 4))

    with pytest.raises(ValueError, match="no layer of Flax"):
        changed(NoLayer(), x)
    with pytest.raises(ValueError, match="collection 'params'"):
        mend_fans(nn.Dense(4), {"kernel": x}, x)


def test_paths_are_chosen_and_checked():
    x = jnp.ones((2, 3, 8))
    variables = Model().init(jax.random.key(0), x, train=False)
    assert mend_fans(Model(), variables, x, train=False, only="Dense_0/.*").changed == {}
    with pytest.raises(ValueError, match="only='Dense_9' matches no parameter"):
        mend_fans(Model(), variables, x, train=False, only="Dense_9")
    with pytest.raises(ValueError, match="mode='fan'"):
        mend_fans(Model(), variables, x, train=False, mode="fan")
    with pytest.raises(TypeError, match="linen or an nnx"):
        mend_fans(lambda x: x, variables, x)


def test_an_einsum_that_is_given_its_equation_at_the_call():
    layer, x = nn.Einsum((4, 2, 3)), jnp.ones((5, 4))
    variables = layer.init(jax.random.key(0), x, "bd,dhk->bhk")
    mended = {"kernel": "× 1.41421"}
    assert mend_fans(layer, variables, x, einsum_str="bd,dhk->bhk").changed == mended
    assert mend_fans(layer, variables, x, "bd,dhk->bhk").changed == mended
