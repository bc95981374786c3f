"""Fans of layers that are one contraction: dense, einsum, attention, experts."""

import math
import operator
from collections.abc import Sequence
from typing import Literal, get_args

from initjax.fans.roles import Fans, ShapeError, checked_shape, fans, whole
from initjax.typing import Shape

Projection = Literal["query", "key", "value", "out", "packed_qkv"]


def dense(shape: Shape) -> Fans:
    """Fans of a Dense kernel (in, out).

    Raises:
        ValueError: if ``shape`` does not have two axes.

    Example:
        >>> dense((784, 256))
        Fans(fan_in=784, fan_out=256)
    """
    if len(shape) != 2:
        raise ShapeError(f"a Dense kernel has shape (in, out); got shape={shape}")
    return fans(shape)


def dense_general(
    shape: Shape, *, in_axes: int = 1, batch_sizes: Sequence[int] = ()
) -> Fans:
    """Fans of a DenseGeneral kernel (*batch, *in, *out), stored or flattened.

        fan_in = ∏ in,   fan_out = ∏ out

    Flax hands its initializers the flattened shape (∏ batch · ∏ in, ∏ out), in
    which the batch axes, independent copies of the layer, look like inputs.

    Args:
        shape: Shape of the stored kernel, or of the flattened one (two axes).
        in_axes: Number of contracted axes; counts in the stored kernel only.
        batch_sizes: Size of each batch axis, () if there are none.

    Raises:
        ValueError: if the batch sizes are not those of ``shape``.

    Example:
        >>> dense_general((8, 64, 32), batch_sizes=(8,))
        Fans(fan_in=64, fan_out=32)
        >>> dense_general((8 * 64, 32), batch_sizes=(8,))
        Fans(fan_in=64, fan_out=32)
    """
    batch, axes = checked_shape(tuple(batch_sizes)), operator.index(in_axes)
    copies = math.prod(batch)
    if axes < 1 or copies < 1:
        raise ValueError(
            "in_axes and batch_sizes must be >= 1; "
            f"got in_axes={in_axes}, batch_sizes={batch}"
        )
    shape = checked_shape(shape)
    if len(shape) == 2:
        if shape[0] % copies:
            raise ShapeError(
                f"batch_sizes={batch} do not divide the first axis of the flattened "
                f"kernel {shape}"
            )
        return Fans(shape[0] // copies, shape[1])
    if shape[: len(batch)] != batch or axes >= len(shape) - len(batch):
        raise ShapeError(
            f"batch_sizes={batch} and in_axes={in_axes} do not fit the kernel {shape}, "
            "which is (*batch, *in, *out)"
        )
    first = len(batch)
    last = first + axes
    return Fans(math.prod(shape[first:last]), math.prod(shape[last:]))


def einsum(shape: Shape, *, equation: str) -> Fans:
    """Fans of an Einsum kernel, the second operand of its equation.

    An axis of the kernel is an output if the result has it and the input has
    not, a batch axis if both have it (heads, experts), an input if it is summed.

    Args:
        shape: Shape of the kernel.
        equation: As for ``jnp.einsum``: ``"input,kernel->result"``.

    Raises:
        ValueError: for an equation of another form, and for one whose kernel
            does not have the axes of ``shape``.

    Example:
        >>> einsum((64, 8, 16), equation="btd,dhk->bthk")
        Fans(fan_in=64, fan_out=128)
        >>> einsum((4, 64, 32), equation="ebd,edf->ebf")
        Fans(fan_in=64, fan_out=32)
    """
    inputs, kernel, result = einsum_operands(equation)
    shape = checked_shape(shape)
    if len(kernel) != len(shape):
        raise ShapeError(
            f"equation={equation!r} has a kernel of {len(kernel)} axes; got shape={shape}"
        )
    batch = [i for i, axis in enumerate(kernel) if axis in inputs and axis in result]
    out = [i for i, axis in enumerate(kernel) if axis in result and axis not in inputs]
    summed = [i for i, axis in enumerate(kernel) if axis not in result]
    return fans(shape, in_axis=summed, out_axis=out, batch_axis=batch)


def einsum_operands(equation: str) -> tuple[str, str, str]:
    """Axes of input, kernel and result of an equation.

    Raises:
        ValueError: unless it is ``input,kernel->result`` with each axis of the
            kernel named once and no ellipsis in the kernel.

    Example:
        >>> einsum_operands("...d, df -> ...f")
        ('...d', 'df', '...f')
    """
    if not isinstance(equation, str):
        raise TypeError(f"equation must be a string; got equation={equation!r}")
    operands, arrow, result = equation.replace(" ", "").partition("->")
    inputs, comma, kernel = operands.partition(",")
    if not (arrow and comma and kernel.isalpha() and len(set(kernel)) == len(kernel)):
        raise ValueError(
            "equation must be 'input,kernel->result' with every axis of the kernel "
            f"named once; got equation={equation!r}"
        )
    return inputs, kernel, result


def attention(shape: Shape, *, projection: Projection = "query") -> Fans:
    """Fans of the projections of multi-head attention.

    Args:
        shape: (features, heads, head size) for query, key and value, (heads, head
            size, features) for out; or flattened to two axes, as Flax hands it
            to an initializer. Packed query, key and value: (features, 3 · out).
        projection: query, key, value, out or packed_qkv. A packed kernel is three
            layers side by side: an input's fan_out is that of one of them.

    Raises:
        ValueError: for an unknown projection, and for a shape of other axes.

    Example:
        >>> attention((512, 8, 64)), attention((8, 64, 512), projection="out")
        (Fans(fan_in=512, fan_out=512), Fans(fan_in=512, fan_out=512))
        >>> attention((512, 1536), projection="packed_qkv")
        Fans(fan_in=512, fan_out=512)
    """
    if projection not in get_args(Projection):
        raise ValueError(
            f"projection must be one of {', '.join(get_args(Projection))}; "
            f"got projection={projection!r}"
        )
    shape = checked_shape(shape)
    if len(shape) == 2:
        packed = 3 if projection == "packed_qkv" else 1
        return Fans(shape[0], whole(shape[1] / packed))
    if len(shape) != 3 or projection == "packed_qkv":
        raise ShapeError(f"a {projection} kernel cannot have shape={shape}")
    return dense_general(shape, in_axes=2 if projection == "out" else 1)


def experts(shape: Shape, *, expert_axis: int = 0) -> Fans:
    """Fans of a stack of kernels, one per expert: those of one expert.

    Args:
        shape: Shape of the stack, (experts, in, out) by default.
        expert_axis: Axis over experts; of the others the last two are in, out.

    Raises:
        ValueError: for fewer than three axes or an axis out of range.

    Example:
        >>> experts((4, 64, 32))
        Fans(fan_in=64, fan_out=32)
    """
    axis, shape = operator.index(expert_axis), checked_shape(shape)
    if len(shape) < 3 or not -len(shape) <= axis < len(shape):
        raise ShapeError(
            "experts needs a shape of at least three axes that has the expert_axis; "
            f"got shape={shape}, expert_axis={expert_axis}"
        )
    axis %= len(shape)
    return fans(shape[:axis] + shape[axis + 1 :])


def embed(shape: Shape) -> Fans:
    """Fans of an embedding table (vocabulary, features).

    A token switches on one row: fan_in is 1, so that variance 1 / fan_in gives
    vectors of unit variance, as in torch. Flax's default, variance 1 / features,
    suits a table that is also the output layer.

    Raises:
        ValueError: if ``shape`` does not have two axes.

    Example:
        >>> embed((50_000, 512))
        Fans(fan_in=1, fan_out=512)
    """
    if len(shape) != 2:
        raise ShapeError(
            f"an embedding table has shape (vocabulary, features); got shape={shape}"
        )
    return Fans(1, checked_shape(shape)[1])
