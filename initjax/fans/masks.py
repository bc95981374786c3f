"""Fans of layers whose kernel is multiplied by a mask."""

import numpy as np
from jax import core

from initjax.fans.roles import Axes, Fans, ShapeError, fans, whole
from initjax.typing import HostArray, Shape


def masked(
    shape: Shape,
    *,
    mask: HostArray,
    per_output: bool = False,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
) -> Fans:
    """Fans of a kernel of which a mask leaves only some entries.

        fan_in = entries left / outputs,   fan_out = entries left / inputs

    Outputs of a masked layer differ in how many inputs they have, from 1 to n
    under a triangular mask. The default is the mean over outputs (over inputs for
    fan_out), right on average; ``per_output`` gives each its own, so that every
    output has the same variance.

    Args:
        shape: Shape of the kernel.
        mask: 0 and 1, or False and True; broadcasts to ``shape``. Concrete.
        per_output: Return fan_in as an array with one entry per output and fan_out
            with one per input, both broadcasting to the kernel. An output without
            inputs counts as having one.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.

    Raises:
        TypeError: if the mask is traced.
        ValueError: if the mask has other values, is empty of ones, or does not
            broadcast to ``shape``.

    Example:
        >>> masked((4, 4), mask=np.tril(np.ones((4, 4))))
        Fans(fan_in=2.5, fan_out=2.5)
        >>> masked((4, 2), mask=np.eye(4, 2), per_output=True).fan_in
        array([[1., 1.]])
    """
    if isinstance(mask, core.Tracer):
        raise TypeError(
            "mask is computed inside a traced function; make it with numpy, so that it is "
            "known when fans are counted"
        )
    given = np.asarray(mask, np.float64)
    if not np.isin(given, (0, 1)).all():
        raise ValueError("mask must hold 0 and 1 only")
    if given.size and not given.any():
        raise ValueError("mask leaves no entry of the kernel; the layer would be zero")
    fan_in, fan_out = fans(shape, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)
    try:
        kept = np.broadcast_to(given, shape)
    except ValueError as error:
        raise ShapeError(
            f"mask of shape {given.shape} does not broadcast to the kernel {shape}"
        ) from error
    if not per_output:
        density = float(kept.mean()) if kept.size else 1.0
        return Fans(whole(fan_in * density), whole(fan_out * density))
    outputs, inputs = _positive(out_axis, shape), _positive(in_axis, shape)
    copies = _positive(batch_axis, shape)
    return Fans(_left(kept, outputs | copies), _left(kept, inputs | copies))


def _left(kept: HostArray, but: set[int]) -> HostArray:
    """Entries left, summed over all axes but some."""
    summed = tuple(axis for axis in range(kept.ndim) if axis not in but)
    return np.maximum(kept.sum(summed, keepdims=True), 1.0)


def _positive(axes: Axes, shape: Shape) -> set[int]:
    listed = (axes,) if isinstance(axes, int) else tuple(axes)
    return {axis % len(shape) for axis in listed}
