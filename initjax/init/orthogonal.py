"""Orthogonal kernels: every singular value equals the gain."""

import math

import jax.numpy as jnp

from initjax.init.arguments import check_finite, check_whole
from initjax.init.bases import BASES, matrix_shape
from initjax.init.identities import check_odd, check_window
from initjax.init.laws import Law, diluted
from initjax.init.sampled import Lawful, SampledInitializer
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType, Key, Shape


def orthogonal(
    gain: float | Array = 1.0, column_axis: int = -1, dtype: DType = None
) -> Lawful:
    """Gain · Q with Q uniform over matrices of orthonormal rows or columns.

        QᵀQ = I if ∏ other axes ≥ column axis, else QQᵀ = I

    A kernel of more than two axes is the matrix (∏ other axes, column axis). Drawn
    and orthonormalized in float32 or wider, so bfloat16 and float16 work. With a
    complex dtype Q is unitary.

    Args:
        gain: Every singular value of the kernel, ≥ 0.
        column_axis: Axis that the columns of Q run along.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``gain`` is negative or not finite; when called, for a
            shape of fewer than two axes or without that column axis.

    Example:
        >>> import jax
        >>> q = orthogonal()(jax.random.key(0), (64, 32))
        >>> bool(abs(q.T @ q - jax.numpy.eye(32)).max() < 1e-5)
        True

    References:
        Saxe et al. (2014), arXiv:1312.6120, random orthogonal initial conditions.
    """
    gain = check_finite("gain", gain, least=0)
    column_axis = check_whole("column_axis", column_axis)

    def scale(shape: Shape) -> float | Array:
        _check_matrix("orthogonal", shape)
        return gain / math.sqrt(max(matrix_shape(shape)))

    name = f"orthogonal({gain!r}, column_axis={column_axis})"
    straight = ScaledInitializer(name, "orthogonal", scale, dtype=dtype)
    if column_axis == -1:
        return straight
    return _turned(straight, column_axis)


def scaled_orthogonal(gain: float | Array = 1.0, dtype: DType = None) -> ScaledInitializer:
    """Orthogonal, scaled so that every entry has variance gain² / fan_in.

        W = gain · max(1, √(columns / rows)) · Q

    with rows = ∏ leading axes, the fan_in, and columns the last axis.

    Plain ``orthogonal`` shrinks the second moment of a layer that widens by fan_in
    / fan_out; this one keeps it, for any ratio, like the Gaussian of the same
    variance. Inputs keep their angles where the layer does not narrow.

    Args:
        gain: Factor on the entries, ≥ 0.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``gain`` is negative or not finite; when called, for a
            shape of fewer than two axes.

    Example:
        >>> round(scaled_orthogonal().law((100, 400)).variance, 12)
        0.01

    References:
        Martens et al. (2021), arXiv:2110.01765, scaled uniform orthogonal (SUO).
    """
    gain = check_finite("gain", gain, least=0)

    def scale(shape: Shape) -> float | Array:
        _check_matrix("scaled_orthogonal", shape)
        return gain / math.sqrt(matrix_shape(shape)[0])

    return ScaledInitializer(
        f"scaled_orthogonal({gain!r})", "orthogonal", scale, dtype=dtype
    )


def delta_orthogonal(
    gain: float | Array = 1.0,
    column_axis: int = -1,
    dtype: DType = None,
    *,
    scaled: bool = False,
) -> SampledInitializer:
    """A convolution whose central tap is orthogonal and whose other taps are 0.

        W[center] = gain · Q,   0 elsewhere

    It maps every position on its own, so that the layer is an isometry where it
    does not narrow; a kernel that is orthogonal only as a flattened matrix is not.
    Where it narrows (out < in), which JAX refuses, the columns of Q are orthonormal.

    Args:
        gain: Every singular value of the layer, ≥ 0.
        column_axis: Axis of the output channels: -1 as in Flax, or -2.
        dtype: Used when the initializer is called without one.
        scaled: Multiply by max(1, √(out / in)), so that the second moment of each
            unit is kept where the layer widens.

    Raises:
        ValueError: if ``gain`` is negative or not finite; when called, unless the
            shape has one to three window axes, all odd: an even window has no
            central tap.

    Example:
        >>> import jax
        >>> w = delta_orthogonal()(jax.random.key(0), (3, 3, 8, 4))
        >>> bool(abs(w[1, 1].T @ w[1, 1] - jax.numpy.eye(4)).max() < 1e-5)
        True

    References:
        Xiao et al. (2018), arXiv:1806.05393.
    """
    gain = check_finite("gain", gain, least=0)
    if check_whole("column_axis", column_axis) not in (-1, -2):
        raise ValueError(
            "column_axis must be -1 or -2, the channel axes of a kernel; "
            f"got column_axis={column_axis}"
        )

    def check(shape: Shape) -> None:
        check_window("delta_orthogonal", shape)
        check_odd("delta_orthogonal", shape)

    name = f"delta_orthogonal({gain!r}, scaled={scaled})"

    def size(rows: int, columns: int) -> float | Array:
        """Root mean square of the entries of the central tap."""
        inputs = columns if column_axis == -2 else rows
        return gain / math.sqrt(inputs if scaled else max(rows, columns))

    def sample(key: Key, shape: Shape, dtype: DType) -> Array:
        *window, rows, columns = shape
        tap = ScaledInitializer(name, "orthogonal", lambda s: size(*s))
        center = tuple(k // 2 for k in window)
        return jnp.zeros(shape, dtype).at[center].set(tap(key, (rows, columns), dtype))

    def entry_law(shape: Shape, dtype: DType) -> Law:
        tap, taps = shape[-2:], math.prod(shape[:-2])
        return diluted(BASES["orthogonal"].facts(dtype), tap, float(size(*tap)), 1 / taps)

    return SampledInitializer(name, sample, entry_law, check, dtype, size=gain)


def _check_matrix(name: str, shape: Shape) -> None:
    if len(shape) < 2:
        raise ValueError(
            f"{name} needs a shape of at least two axes; got "
            f"shape={shape}. Use normal(stddev) or zeros() for a vector"
        )


def _turned(straight: ScaledInitializer, column_axis: int) -> SampledInitializer:
    """The same with another axis as the last one of the matrix."""

    def moved(shape: Shape) -> Shape:
        axis = column_axis % len(shape)
        return (*shape[:axis], *shape[axis + 1 :], shape[axis])

    def check(shape: Shape) -> None:
        _check_matrix("orthogonal", shape)
        if not -len(shape) <= column_axis < len(shape):
            raise ValueError(f"column_axis={column_axis} is not an axis of shape {shape}")

    def sample(key: Key, shape: Shape, dtype: DType) -> Array:
        return jnp.moveaxis(straight(key, moved(shape), dtype), -1, column_axis)

    return SampledInitializer(
        straight.name,
        sample,
        lambda shape, dtype: straight.law(moved(shape), dtype),
        check,
        straight.dtype,
    )
