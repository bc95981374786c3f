"""Fans of each kind of layer: counted by hand, or from the layer's own Jacobian."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax import fans
from initjax.fans import Fans


def counted(layer, x):
    """Mean number of inputs of an output and of outputs of an input, seen by jacobian.

    A kernel of ones makes every connection a nonzero entry.
    """
    variables = jax.tree.map(
        jnp.ones_like, jax.eval_shape(layer.init, jax.random.key(0), x)
    )
    jacobian = np.asarray(jax.jacobian(lambda x: layer.apply(variables, x))(x))
    outputs = layer.apply(variables, x).size
    connected = jacobian.reshape(outputs, x.size) != 0
    return Fans(connected.sum(1).mean(), connected.sum(0).mean())


def kernel_shape(layer, x):
    shapes = jax.eval_shape(layer.init, jax.random.key(0), x)
    return shapes["params"]["kernel"].shape


MASK = np.tril(np.ones((5, 4)))[None]


@pytest.mark.parametrize(
    ("layer", "inputs", "name", "settings"),
    [
        (nn.Dense(3), (1, 5), "dense", {}),
        (nn.DenseGeneral((2, 3)), (1, 5), "dense_general", {}),
        (
            nn.DenseGeneral(3, axis=(-2, -1), batch_dims=(0,)),
            (4, 2, 5),
            "dense_general",
            {"in_axes": 2, "batch_sizes": (4,)},
        ),
        (nn.Conv(6, (3,), padding="CIRCULAR"), (1, 7, 4), "conv", {}),
        (
            nn.Conv(6, (3, 3), padding="CIRCULAR", feature_group_count=2),
            (1, 5, 5, 4),
            "conv",
            {"feature_group_count": 2},
        ),
        (
            nn.ConvTranspose(3, (4,), strides=(2,), padding="CIRCULAR"),
            (1, 6, 2),
            "conv_transpose",
            {"strides": 2},
        ),
        (
            nn.ConvTranspose(3, (3,), strides=(2,), padding="CIRCULAR"),
            (1, 6, 2),
            "conv_transpose",
            {"strides": (2,)},
        ),
        (
            nn.ConvTranspose(3, (3,), transpose_kernel=True, padding="CIRCULAR"),
            (1, 6, 2),
            "conv_transpose",
            {"transpose_kernel": True},
        ),
        (
            nn.ConvLocal(3, (3,), padding="CIRCULAR"),
            (1, 6, 2),
            "conv_local",
            {"kernel_size": (3,)},
        ),
        (
            nn.ConvLocal(3, (2,), strides=(2,), padding="VALID"),
            (1, 6, 2),
            "conv_local",
            {"kernel_size": 2, "strides": 2},
        ),
        (
            nn.Einsum((5, 2, 3), "btd,dhk->bthk"),
            (1, 1, 5),
            "einsum",
            {"equation": "btd,dhk->bthk"},
        ),
        (
            nn.Einsum((2, 5, 3), "ebd,edf->ebf"),
            (2, 1, 5),
            "einsum",
            {"equation": "ebd,edf->ebf"},
        ),
        (
            nn.Einsum((2, 3, 5), "bthk,hkd->btd"),
            (1, 1, 2, 3),
            "einsum",
            {"equation": "bthk, hkd -> btd"},
        ),
        (nn.Conv(4, (1,), mask=MASK), (1, 1, 5), "masked", {"mask": MASK}),
    ],
)
def test_the_number_of_connections(layer, inputs, name, settings):
    x = jnp.ones(inputs)
    found = fans.LAYERS[name](kernel_shape(layer, x), **settings)
    assert found == pytest.approx(counted(layer, x))


def test_flattened_and_stored_kernels_have_the_same_fans():
    assert fans.dense_general((8 * 64, 32), batch_sizes=(8,)) == (64, 32)
    assert fans.dense_general((8, 64, 4, 8), batch_sizes=(8,)) == (64, 32)
    assert fans.dense_general((4, 16, 32), in_axes=2) == (64, 32)


def test_attention_and_experts_and_embeddings():
    for shape in ((512, 8, 64), (512, 512)):
        assert fans.attention(shape, projection="value") == (512, 512)
    assert fans.attention((8, 64, 512), projection="out") == (512, 512)
    assert fans.attention((512, 1536), projection="packed_qkv") == (512, 512)
    assert fans.experts((4, 64, 32)) == (64, 32)
    assert fans.experts((64, 4, 32), expert_axis=1) == (64, 32)
    assert fans.embed((1000, 64)) == (1, 64)


def test_masks_output_by_output():
    mask = np.tril(np.ones((4, 3)))
    found = fans.masked((4, 3), mask=mask, per_output=True)
    np.testing.assert_array_equal(found.fan_in, [[4, 3, 2]])
    np.testing.assert_array_equal(found.fan_out, [[1], [2], [3], [3]])
    # Positions of an unshared convolution are copies, each with outputs of its own.
    local = np.stack([mask, np.ones((4, 3))])
    found = fans.masked((2, 4, 3), mask=local, per_output=True, batch_axis=0)
    np.testing.assert_array_equal(found.fan_in, [[[4, 3, 2]], [[4, 4, 4]]])
    # An output without inputs does not divide by zero.
    empty = np.array([[1, 0], [1, 0]])
    np.testing.assert_array_equal(
        fans.masked((2, 2), mask=empty, per_output=True).fan_in, [[2, 1]]
    )


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: fans.dense((3, 3, 3)), "in, out"),
        (lambda: fans.conv((3, 3)), "window"),
        (lambda: fans.conv_transpose((3, 4, 5), strides=(2, 2)), r"strides=\(2, 2\)"),
        (lambda: fans.conv_transpose((3, 4, 5), strides=0), "strides=0"),
        (lambda: fans.conv_local((3, 4, 5), kernel_size=(3, 3)), "kernel_size"),
        (lambda: fans.dense_general((7, 3), batch_sizes=(2,)), "batch_sizes"),
        (lambda: fans.dense_general((3, 4, 5), batch_sizes=(2,)), "batch_sizes"),
        (lambda: fans.dense_general((3, 4, 5), in_axes=3), "in_axes=3"),
        (lambda: fans.einsum((3, 4), equation="ab,bc"), "equation"),
        (lambda: fans.einsum((3, 4), equation="ab,bb->a"), "named once"),
        (lambda: fans.einsum((3, 4), equation="ab,...bc->ac"), "named once"),
        (lambda: fans.einsum((3,), equation="ab,bc->ac"), "2 axes"),
        (lambda: fans.attention((3, 4), projection="keys"), "projection='keys'"),
        (lambda: fans.attention((3, 4, 5, 6)), "cannot have"),
        (lambda: fans.experts((3, 4)), "three axes"),
        (lambda: fans.embed((3, 4, 5)), "vocabulary"),
        (lambda: fans.masked((2, 2), mask=np.full((2, 2), 0.5)), "0 and 1"),
        (lambda: fans.masked((2, 2), mask=np.zeros((2, 2))), "no entry"),
        (lambda: fans.masked((2, 2), mask=np.ones((3, 2))), "does not broadcast"),
    ],
)
def test_bad_input_is_named(call, match):
    with pytest.raises(ValueError, match=match):
        call()
