"""Fans of Flax's layers: what their initializers are told, and what is right.

Linen and nnx keep the same settings under the same names, but for the axes of
DenseGeneral and LinearGeneral.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import numpy as np
from flax import nnx

from initjax.fans import Fans, conv, conv_local, dense_general, einsum, fans, masked
from initjax.typing import Shape


class LayerFans(NamedTuple):
    """Two opinions on one kernel.

    Attributes:
        told: Fans of the shape that Flax hands to the initializer.
        right: Fans by the role of each axis; per output where a mask makes outputs
            differ.
    """

    told: Fans
    right: Fans


def layer_fans(layer: Any, shape: Shape, equation: str | None = None) -> LayerFans | None:
    """Fans of a layer's kernel; None for a module that is no such layer.

    Args:
        layer: A linen or nnx module.
        shape: Of its kernel.
        equation: Of an Einsum layer that is given one at the call.
    """
    if isinstance(layer, nn.DenseGeneral):
        return _general(shape, len(layer.batch_dims), len(_listed(layer.axis)))
    if isinstance(layer, nnx.LinearGeneral):
        return _general(shape, len(layer.batch_axis), len(layer.in_features))
    if isinstance(layer, nn.Einsum | nnx.Einsum):
        return _einsum(shape, equation or layer.einsum_str)
    if isinstance(layer, nn.ConvLocal):
        return _local(layer, shape)
    if isinstance(layer, nn.ConvTranspose | nnx.ConvTranspose):
        return _transposed(layer, shape)
    if isinstance(layer, nn.Conv | nnx.Conv):
        return _convolution(layer, shape)
    return None


def _general(shape: Shape, batch_axes: int, in_axes: int) -> LayerFans:
    """Flax flattens the kernel, batch axes and all."""
    rows = math.prod(shape[: batch_axes + in_axes])
    told = Fans(rows, math.prod(shape[batch_axes + in_axes :]))
    right = dense_general(shape, in_axes=in_axes, batch_sizes=shape[:batch_axes])
    return LayerFans(told, right)


def _einsum(shape: Shape, equation: str | None) -> LayerFans:
    assert equation is not None  # a call without one has raised in Flax
    return LayerFans(fans(shape), einsum(shape, equation=equation))


def _convolution(layer: Any, shape: Shape) -> LayerFans:
    groups = layer.feature_group_count
    right = conv(shape, feature_group_count=groups)
    if layer.mask is not None:
        right = masked(shape, mask=np.asarray(layer.mask), per_output=True)
        right = Fans(right.fan_in, right.fan_out / groups)
    return LayerFans(fans(shape), right)


def _transposed(layer: Any, shape: Shape) -> LayerFans:
    inputs, outputs = (-1, -2) if layer.transpose_kernel else (-2, -1)
    roles = {"in_axis": inputs, "out_axis": outputs}
    right = fans(shape, **roles)
    if layer.mask is not None:
        right = masked(shape, mask=np.asarray(layer.mask), per_output=True, **roles)
    steps = math.prod(_per_axis(layer.strides, len(shape) - 2))
    return LayerFans(fans(shape), Fans(right.fan_in / steps, right.fan_out))


def _local(layer: Any, shape: Shape) -> LayerFans:
    positions = tuple(range(len(shape) - 2))
    right = conv_local(
        shape,
        kernel_size=_per_axis(layer.kernel_size, len(positions)),
        strides=_per_axis(layer.strides, len(positions)),
    )
    if layer.mask is not None:
        kept = masked(
            shape, mask=np.asarray(layer.mask), per_output=True, batch_axis=positions
        )
        right = Fans(kept.fan_in, right.fan_out)
    return LayerFans(fans(shape), right)


def _listed(axes: int | Sequence[int]) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else tuple(axes)


def _per_axis(sizes: int | Sequence[int] | None, axes: int) -> tuple[int, ...]:
    return (sizes or 1,) * axes if sizes is None or isinstance(sizes, int) else tuple(sizes)
