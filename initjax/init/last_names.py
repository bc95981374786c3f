"""Last names follow JAX and Keras: truncated normals, variance corrected.

Arguments stand in JAX's order, so that each is a drop-in for its namesake in
``jax.nn.initializers``; the laws are equal, the draws are made in float32.
"""

from initjax.fans import Axes
from initjax.init.by_fan import variance_scaling
from initjax.init.scaled import ScaledInitializer
from initjax.typing import DType


def glorot_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: DType = None
) -> ScaledInitializer:
    """Entries U(±√(6 / (fan_in + fan_out))).

    Args:
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.
        dtype: Used when the initializer is called without one.

    Example:
        >>> round(glorot_uniform().law((100, 200)).variance * 300, 12)
        2.0

    References:
        Glorot & Bengio (2010), eq. (16).
    """
    return variance_scaling(1.0, "fan_avg", "uniform", in_axis, out_axis, batch_axis, dtype)


def glorot_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: DType = None
) -> ScaledInitializer:
    """Truncated normal entries of variance 2 / (fan_in + fan_out).

    Args:
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.
        dtype: Used when the initializer is called without one.

    Example:
        >>> round(glorot_normal().law((100, 200)).variance * 300, 12)
        2.0

    References:
        Glorot & Bengio (2010), eq. (12).
    """
    return variance_scaling(
        1.0, "fan_avg", "truncated_normal", in_axis, out_axis, batch_axis, dtype
    )


def he_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: DType = None
) -> ScaledInitializer:
    """Entries U(±√(6 / fan_in)).

    Args:
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.
        dtype: Used when the initializer is called without one.

    Example:
        >>> round(he_uniform().law((100, 200)).variance * 100, 12)
        2.0

    References:
        He et al. (2015), arXiv:1502.01852, eq. (10), there for normal weights.
    """
    return variance_scaling(2.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def he_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: DType = None
) -> ScaledInitializer:
    """Truncated normal entries of variance 2 / fan_in.

    Args:
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.
        dtype: Used when the initializer is called without one.

    Example:
        >>> round(he_normal().law((100, 200)).variance * 100, 12)
        2.0

    References:
        He et al. (2015), arXiv:1502.01852, eq. (10), there untruncated.
    """
    return variance_scaling(
        2.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype
    )


def lecun_uniform(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: DType = None
) -> ScaledInitializer:
    """Entries U(±√(3 / fan_in)).

    Args:
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.
        dtype: Used when the initializer is called without one.

    Example:
        >>> round(lecun_uniform().law((100, 200)).variance * 100, 12)
        1.0

    References:
        LeCun et al. (1998), Efficient BackProp, section 4.6.
    """
    return variance_scaling(1.0, "fan_in", "uniform", in_axis, out_axis, batch_axis, dtype)


def lecun_normal(
    in_axis: Axes = -2, out_axis: Axes = -1, batch_axis: Axes = (), dtype: DType = None
) -> ScaledInitializer:
    """Truncated normal entries of variance 1 / fan_in.

    Args:
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.
        dtype: Used when the initializer is called without one.

    Example:
        >>> round(lecun_normal().law((100, 200)).variance * 100, 12)
        1.0

    References:
        LeCun et al. (1998), Efficient BackProp, section 4.6.
    """
    return variance_scaling(
        1.0, "fan_in", "truncated_normal", in_axis, out_axis, batch_axis, dtype
    )
