"""Fan-in and fan-out of a kernel by the role of each of its axes.

A kernel's axes are input, output, batch (independent copies of the layer), and
window: every axis that is none of the others. Flax kernels are (in, out) for
Dense and (*window, in, out) for Conv, hence the defaults.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from initjax.typing import Shape

Axes: TypeAlias = int | Sequence[int]


class Fans(NamedTuple):
    """Number of inputs that feed one output, and of outputs that one input feeds.

    Where outputs differ (a strided transposed convolution, a mask) the fans are
    means over outputs and over inputs, and need not be whole numbers; arrays
    that broadcast to the kernel where each output is given its own.
    """

    fan_in: Any
    fan_out: Any


def fans(
    shape: Shape, *, in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = ()
) -> Fans:
    """Fans of a kernel whose axes have the given roles.

        fan_in = ∏ input axes · ∏ window axes
        fan_out = ∏ output axes · ∏ window axes

    Args:
        shape: Shape of the kernel.
        in_axis: Input axis or axes; negative ones count from the end.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies; they count for neither fan.

    Raises:
        ValueError: if an axis is out of range or has two roles.

    Example:
        >>> fans((3, 3, 64, 128))
        Fans(fan_in=576, fan_out=1152)
        >>> fans((8, 64, 128), batch_axis=0)
        Fans(fan_in=64, fan_out=128)

    References:
        Glorot & Bengio (2010), eqs. (10) and (11): n_i and n_{i+1}.
    """
    shape = checked_shape(shape)
    roles = [
        _positions(axes, shape, role)
        for role, axes in (
            ("in_axis", in_axis),
            ("out_axis", out_axis),
            ("batch_axis", batch_axis),
        )
    ]
    taken = [axis for role in roles for axis in role]
    if len(set(taken)) != len(taken):
        raise ValueError(
            f"in_axis={in_axis}, out_axis={out_axis}, batch_axis={batch_axis} give one "
            f"axis of shape {shape} two roles; each axis has one. (Flax's own Embed "
            "default means in_axis=1, out_axis=0)"
        )
    inputs, outputs, _ = (math.prod(shape[axis] for axis in role) for role in roles)
    window = math.prod(size for i, size in enumerate(shape) if i not in taken)
    return Fans(inputs * window, outputs * window)


class ShapeError(ValueError):
    """A shape that a layer cannot have; its settings alone are fine."""


def checked_shape(shape: Shape) -> Shape:
    """The shape as Python integers.

    Raises:
        TypeError: for a size that is not an integer.
        ValueError: for a negative size.
    """
    try:
        sizes = tuple(map(operator.index, shape))
    except TypeError as error:
        raise TypeError(f"shape must be a tuple of integers; got {shape!r}") from error
    if min(sizes, default=0) < 0:
        raise ShapeError(f"sizes of a kernel must be >= 0; got shape={sizes}")
    return sizes


def whole(number: float) -> float:
    """A fan as an int where it is one."""
    return int(number) if number == int(number) else number


def _positions(axes: Axes, shape: Shape, role: str) -> tuple[int, ...]:
    """Axes as non-negative positions."""
    listed = tuple(map(operator.index, axes if isinstance(axes, Sequence) else (axes,)))
    for axis in listed:
        if not -len(shape) <= axis < len(shape):
            raise ShapeError(
                f"{role}={axes} is out of range for a kernel of shape {shape}; fans "
                "need an input and an output axis (set in_axis and out_axis, or use "
                "an initializer without fans, such as normal(stddev), for a vector)"
            )
    return tuple(axis % len(shape) for axis in listed)
