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

from initjax.fans import (
    Fans,
    conv,
    conv_local,
    dense,
    dense_general,
    einsum,
    fans,
    masked,
)
from initjax.typing import Shape


class LayerFans(NamedTuple):
    """What there is to know of one kernel.

    Attributes:
        handed: The shape that Flax hands to the initializer.
        right: Fans by the role of each axis; per output where a mask makes outputs
            differ.
    """

    handed: Shape
    right: Fans


def layer_fans(layer: Any, shape: Shape, equation: str | None = None) -> LayerFans | None:
    """Fans of a layer's kernel; None for a module that is no such layer.

    Args:
        layer: A linen or nnx module.
        shape: Of its kernel.
        equation: Of an Einsum layer that is given one at the call.
    """
    if isinstance(layer, nn.Dense | nnx.Linear):
        return LayerFans(shape, dense(shape))
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


def nnx_kernel_shape(layer: nnx.Module) -> Shape | None:
    """Shape of one kernel of an nnx layer, by its settings.

    The array may have axes in front of it: layers that nnx.vmap has stacked.
    """
    if isinstance(layer, nnx.LinearGeneral):
        return (*layer.batch_axis.values(), *layer.in_features, *layer.out_features)
    if isinstance(layer, nnx.Linear):
        return layer.in_features, layer.out_features
    if isinstance(layer, nnx.Conv | nnx.ConvTranspose | nnx.Einsum):
        return tuple(layer.kernel_shape)
    return None


def _general(shape: Shape, batch_axes: int, in_axes: int) -> LayerFans:
    """Flax flattens the kernel, batch axes and all."""
    first = batch_axes + in_axes
    handed = math.prod(shape[:first]), math.prod(shape[first:])
    right = dense_general(shape, in_axes=in_axes, batch_sizes=shape[:batch_axes])
    return LayerFans(handed, right)


def _einsum(shape: Shape, equation: str | None) -> LayerFans:
    assert equation is not None  # a call without one has raised in Flax
    return LayerFans(shape, einsum(shape, equation=equation))


def _convolution(layer: Any, shape: Shape) -> LayerFans:
    groups = layer.feature_group_count
    right = conv(shape, feature_group_count=groups)
    if layer.mask is not None:
        right = masked(shape, mask=_mask(layer, shape), per_output=True)
        right = Fans(right.fan_in, right.fan_out / groups)
    return LayerFans(shape, right)


def _transposed(layer: Any, shape: Shape) -> LayerFans:
    inputs, outputs = (-1, -2) if layer.transpose_kernel else (-2, -1)
    roles = {"in_axis": inputs, "out_axis": outputs}
    right = fans(shape, **roles)
    if layer.mask is not None:
        right = masked(shape, mask=_mask(layer, shape), per_output=True, **roles)
    steps = math.prod(_per_axis(layer.strides, len(shape) - 2))
    return LayerFans(shape, Fans(right.fan_in / steps, right.fan_out))


def _local(layer: Any, shape: Shape) -> LayerFans:
    positions = tuple(range(len(shape) - 2))
    right = conv_local(
        shape,
        kernel_size=_per_axis(layer.kernel_size, len(positions)),
        strides=_per_axis(layer.strides, len(positions)),
    )
    if layer.mask is not None:
        kept = masked(
            shape, mask=_mask(layer, shape), per_output=True, batch_axis=positions
        )
        right = Fans(kept.fan_in, right.fan_out)
    return LayerFans(shape, right)


def _mask(layer: Any, shape: Shape) -> Any:
    """The mask of one layer; nnx.vmap stacks it together with the kernels."""
    mask = layer.mask
    while np.ndim(mask) > len(shape):
        if not np.all(mask == mask[:1]):
            raise ValueError(f"stacked layers have different masks, of shape {mask.shape}")
        mask = mask[0]
    return mask


def _listed(axes: int | Sequence[int]) -> tuple[int, ...]:
    return (axes,) if isinstance(axes, int) else tuple(axes)


def _per_axis(sizes: int | Sequence[int] | None, axes: int) -> tuple[int, ...]:
    return (sizes or 1,) * axes if sizes is None or isinstance(sizes, int) else tuple(sizes)
