"""Orthogonal kernels: every singular value equals the gain."""

import math

from initjax.init.arguments import check_finite
from initjax.init.bases import matrix_shape
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType, Shape


def orthogonal(gain: float | Array = 1.0, dtype: DType = None) -> ScaledInitializer:
    """Gain · Q with Q uniform over matrices of orthonormal rows or columns.

        QᵀQ = I if ∏ leading axes ≥ last axis, else QQᵀ = I

    A kernel of more than two axes is the matrix (∏ leading axes, last axis).
    Drawn and orthonormalized in float32 or wider, so bfloat16 and float16 work.

    Args:
        gain: Every singular value of the kernel, ≥ 0.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``gain`` is negative or not finite; when called, for a
            shape of fewer than two axes.

    Example:
        >>> import jax
        >>> q = orthogonal()(jax.random.key(0), (64, 32))
        >>> bool(abs(q.T @ q - jax.numpy.eye(32)).max() < 1e-5)
        True

    References:
        Saxe et al. (2014), arXiv:1312.6120, random orthogonal initial conditions.
    """
    check_finite("gain", gain, least=0)

    def scale(shape: Shape) -> float | Array:
        if len(shape) < 2:
            raise ValueError(
                "orthogonal needs a shape of at least two axes; got "
                f"shape={shape}. Use normal(stddev) or zeros() for a vector"
            )
        return gain / math.sqrt(max(matrix_shape(shape)))

    return ScaledInitializer(f"orthogonal({gain!r})", "orthogonal", scale, dtype=dtype)
