"""Fan-in and fan-out of a kernel by the role of each of its axes.

A kernel's axes are input, output, batch (independent copies of the layer), and
window: every axis that is none of the others. Flax kernels are (in, out) for
Dense and (*window, in, out) for Conv, hence the defaults.
"""

import math
import operator
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from initjax.typing import Shape

Axes: TypeAlias = int | Sequence[int]


class Fans(NamedTuple):
    """Number of inputs that feed one output, and of outputs that one input feeds."""

    fan_in: int
    fan_out: int


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
    shape = tuple(map(operator.index, shape))
    if min(shape, default=0) < 0:
        raise ValueError(f"sizes of a kernel must be >= 0; got shape={shape}")
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
            f"axis of shape {shape} two roles; each axis has one"
        )
    inputs, outputs, _ = (math.prod(shape[axis] for axis in role) for role in roles)
    window = math.prod(size for i, size in enumerate(shape) if i not in taken)
    return Fans(inputs * window, outputs * window)


def dense(shape: Shape) -> Fans:
    """Fans of a Dense kernel (in, out).

    Raises:
        ValueError: if ``shape`` does not have two axes.

    Example:
        >>> dense((784, 256))
        Fans(fan_in=784, fan_out=256)
    """
    if len(shape) != 2:
        raise ValueError(f"a Dense kernel has shape (in, out); got shape={shape}")
    return fans(shape)


def conv(shape: Shape, *, feature_group_count: int = 1) -> Fans:
    """Fans of a Conv kernel (*window, in / groups, out).

    An input channel feeds only the outputs of its group, so fan_out is divided
    by the number of groups; fan_in already is, by the shape.

    Args:
        shape: Shape of the kernel, at least three axes.
        feature_group_count: Number of groups, a divisor of the output channels.

    Raises:
        ValueError: for too few axes, or groups that do not divide the outputs.

    Example:
        >>> conv((3, 3, 1, 256), feature_group_count=256)
        Fans(fan_in=9, fan_out=9)
    """
    if len(shape) < 3:
        raise ValueError(f"a Conv kernel has shape (*window, in, out); got shape={shape}")
    groups = operator.index(feature_group_count)
    if groups < 1 or shape[-1] % groups:
        raise ValueError(
            f"feature_group_count must divide the {shape[-1]} output channels; "
            f"got feature_group_count={groups}"
        )
    fan_in, fan_out = fans(shape)
    return Fans(fan_in, fan_out // groups)


def _positions(axes: Axes, shape: Shape, role: str) -> tuple[int, ...]:
    """Axes as non-negative positions."""
    listed = tuple(map(operator.index, axes if isinstance(axes, Sequence) else (axes,)))
    for axis in listed:
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"{role}={axes} is out of range for a kernel of shape {shape}; fans "
                "need an input and an output axis (set in_axis and out_axis, or use "
                "an initializer without fans, such as normal(stddev), for a vector)"
            )
    return tuple(axis % len(shape) for axis in listed)
