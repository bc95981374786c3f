"""Fans of convolutions: grouped, transposed and strided, unshared."""

import math
import operator
from collections.abc import Sequence

from initjax.fans.roles import Fans, ShapeError, checked_shape, fans, whole
from initjax.typing import Shape

Sizes = int | Sequence[int]


def conv(shape: Shape, *, feature_group_count: int = 1) -> Fans:
    """Fans of a Conv kernel (*window, in / groups, out).

        fan_in = ∏ window · in / groups,   fan_out = ∏ window · out / groups

    An input channel feeds only the outputs of its group. The stride counts for
    neither, as in He et al. and in torch.

    Args:
        shape: Shape of the kernel, at least three axes.
        feature_group_count: Number of groups, a divisor of the output channels.

    Raises:
        ValueError: for too few axes, or groups that do not divide the outputs.

    Example:
        >>> conv((3, 3, 1, 256), feature_group_count=256)
        Fans(fan_in=9, fan_out=9)
    """
    groups = operator.index(feature_group_count)
    if groups < 1:
        raise ValueError(
            f"feature_group_count must be >= 1; got feature_group_count={groups}"
        )
    _check_kernel(shape, "Conv", "(*window, in, out)")
    if shape[-1] % groups:
        raise ShapeError(
            f"feature_group_count must divide the {shape[-1]} output channels; "
            f"got feature_group_count={groups}"
        )
    fan_in, fan_out = fans(shape)
    return Fans(fan_in, fan_out // groups)


def conv_transpose(
    shape: Shape, *, strides: Sizes = 1, transpose_kernel: bool = False
) -> Fans:
    """Fans of a ConvTranspose kernel.

        fan_in = ∏ window · in / ∏ strides,   fan_out = ∏ window · out

    A stride s spreads the inputs s apart, so that only one tap in s of the window
    meets an input. Where s does not divide the window, outputs differ in their
    number of inputs, and fan_in is the mean over outputs.

    Args:
        shape: (*window, in, out), or (*window, out, in) if ``transpose_kernel``.
        strides: Of the layer; one number for all window axes, or one for each.
        transpose_kernel: As in Flax: the kernel is stored as that of the
            convolution whose transpose this is.

    Raises:
        ValueError: for too few axes, and for strides that do not fit the window.

    Example:
        >>> conv_transpose((4, 4, 16, 32), strides=(2, 2))
        Fans(fan_in=64, fan_out=512)
        >>> conv_transpose((3, 3, 256, 16), transpose_kernel=True)
        Fans(fan_in=144, fan_out=2304)
    """
    _check_sizes("strides", strides)
    _check_kernel(shape, "ConvTranspose", "(*window, in, out)")
    axes = (-1, -2) if transpose_kernel else (-2, -1)
    fan_in, fan_out = fans(shape, in_axis=axes[0], out_axis=axes[1])
    steps = math.prod(_per_axis("strides", strides, len(shape) - 2))
    return Fans(whole(fan_in / steps), fan_out)


def conv_local(shape: Shape, *, kernel_size: Sizes = 1, strides: Sizes = 1) -> Fans:
    """Fans of a ConvLocal kernel (*positions, ∏ window · in, out).

        fan_in = ∏ window · in,   fan_out = ∏ window · out / ∏ strides

    Every output position has a kernel of its own: positions count for neither.

    Args:
        shape: Shape of the kernel, at least three axes.
        kernel_size: Window of the layer, only used by fan_out.
        strides: Strides of the layer, only used by fan_out.

    Raises:
        ValueError: for too few axes, and for sizes that do not fit the positions.

    Example:
        >>> conv_local((8, 8, 9 * 16, 32), kernel_size=(3, 3))
        Fans(fan_in=144, fan_out=288)
    """
    _check_sizes("kernel_size", kernel_size)
    _check_sizes("strides", strides)
    _check_kernel(shape, "ConvLocal", "(*positions, window * in, out)")
    axes = len(shape) - 2
    window = math.prod(_per_axis("kernel_size", kernel_size, axes))
    steps = math.prod(_per_axis("strides", strides, axes))
    return Fans(shape[-2], whole(window * shape[-1] / steps))


def _check_kernel(shape: Shape, layer: str, axes: str) -> None:
    checked_shape(shape)
    if len(shape) < 3:
        raise ShapeError(f"a {layer} kernel has shape {axes}; got shape={shape}")


def _check_sizes(argument: str, sizes: Sizes) -> None:
    listed = tuple(sizes) if isinstance(sizes, Sequence) else (sizes,)
    if any(operator.index(size) < 1 for size in listed):
        raise ValueError(f"{argument} must be >= 1; got {argument}={sizes!r}")


def _per_axis(argument: str, sizes: Sizes, axes: int) -> tuple[int, ...]:
    given = tuple(sizes) if isinstance(sizes, Sequence) else (sizes,) * axes
    if len(given) != axes:
        raise ShapeError(
            f"{argument} needs a size for each of {axes} window axes; "
            f"got {argument}={sizes!r}"
        )
    return given
