"""Looks-linear initialization: mirrored kernels that make a ReLU network linear."""

import math
from typing import Literal, get_args

import jax.numpy as jnp

from initjax.init.arguments import check_choice
from initjax.init.laws import Law
from initjax.init.orthogonal import orthogonal
from initjax.init.sampled import Lawful, SampledInitializer
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType, Key, Shape

Mirror = Literal["both", "in", "out"]


def looks_linear(
    base: Lawful | None = None,
    *,
    mirror: Mirror = "both",
    dtype: DType = None,
) -> SampledInitializer:
    """Kernels of ± the same block Q, so that a ReLU network starts as a linear one.

        "out"   W = [Q, -Q]               first layer
        "both"  W = [[Q, -Q], [-Q, Q]]    layers between
        "in"    W = [Q; -Q]               last layer, or any layer after CReLU

    Units come in pairs z, -z, and relu(z) - relu(-z) = z: with zero biases the
    network computes the product of the blocks exactly, at any depth, and gradients
    do not shatter. With orthogonal blocks it is an isometry as well.

    Args:
        base: Draws the block, with a mean of 0; ``orthogonal()`` if None.
        mirror: Which channel axes are made of two halves.
        dtype: Used when the initializer is called without one.

    Raises:
        TypeError: if ``base`` is not an initializer of this package.
        ValueError: for an unknown ``mirror``; when called, if a mirrored axis has
            an odd size, and for shapes of fewer than two axes.

    Example:
        >>> import jax
        >>> w = looks_linear(mirror="in")(jax.random.key(0), (8, 3))
        >>> bool((w[:4] == -w[4:]).all())
        True

    References:
        Balduzzi et al. (2017), arXiv:1702.08591; CReLU: Shang et al.
        (2016), arXiv:1603.05201.
    """
    check_choice("mirror", mirror, get_args(Mirror))
    block = orthogonal() if base is None else base
    if not isinstance(block, ScaledInitializer | SampledInitializer):
        raise TypeError(
            "base must be an initializer of initjax.init, for instance "
            f"lecun_normal(); got base={base!r}"
        )
    axes = {"both": (-2, -1), "in": (-2,), "out": (-1,)}[mirror]

    def halved(shape: Shape) -> Shape:
        return tuple(
            size // 2 if axis - len(shape) in axes else size
            for axis, size in enumerate(shape)
        )

    def check(shape: Shape) -> None:
        if len(shape) < 2 or any(shape[axis] % 2 for axis in axes):
            raise ValueError(
                f"looks_linear with mirror={mirror!r} needs a kernel (*window, in, out) "
                f"whose mirrored channels are even in number; got shape={shape}"
            )
        if isinstance(block, SampledInitializer):
            block.check(halved(shape))

    def sample(key: Key, shape: Shape, dtype: DType) -> Array:
        kernel = block(key, halved(shape), dtype)
        for axis in axes:
            kernel = jnp.concatenate([kernel, -kernel], axis)
        return kernel

    def entry_law(shape: Shape, dtype: DType) -> Law:
        law = block.law(halved(shape), dtype)
        if not math.isclose(law.mean, 0, abs_tol=1e-9 * math.sqrt(law.variance)):
            raise ValueError(f"the law of a mirrored {block.name} with a mean is not known")
        return law

    name = f"looks_linear({block.name}, mirror={mirror!r})"
    return SampledInitializer(name, sample, entry_law, check, dtype)
