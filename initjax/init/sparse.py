"""Sparse kernels: a stated share of exact zeros, the rest Gaussian."""

import math
from typing import Literal, get_args

import jax
import jax.numpy as jnp

from initjax.init.arguments import check_choice, check_concrete, check_finite
from initjax.init.bases import BASES
from initjax.init.laws import Law, diluted
from initjax.init.plain import normal
from initjax.init.sampled import SampledInitializer
from initjax.typing import Array, DType, Key, Shape

Per = Literal["input", "output"]


def sparse(
    sparsity: float,
    stddev: float | Array = 0.01,
    dtype: DType = None,
    *,
    per: Per = "input",
) -> SampledInitializer:
    """N(0, stddev²) with the same number of exact zeros for each input, or output.

        ⌈sparsity · n⌉ of the n weights of each input (output) are 0, at random

    Args:
        sparsity: Share of zeros, in [0, 1); the number is rounded up.
        stddev: Standard deviation of the entries that are kept, ≥ 0.
        dtype: Used when the initializer is called without one.
        per: "input": zeros among the weights that leave an input, as in torch,
            whose columns are inputs. "output": among those that enter a unit, as
            Martens proposed.

    Raises:
        ValueError: if ``sparsity`` is not in [0, 1), ``stddev`` is negative or not
            finite, or ``per`` is unknown; when called, unless the shape has two
            axes.

    Example:
        >>> import jax
        >>> w = sparse(0.9)(jax.random.key(0), (30, 20))
        >>> sorted(set((w == 0).sum(1).tolist()))
        [18]

    References:
        Martens (2010), Deep learning via Hessian-free optimization, ICML;
        ``torch.nn.init.sparse_``.
    """
    sparsity = check_concrete("sparsity", sparsity)
    if not 0 <= sparsity < 1:
        raise ValueError(f"sparsity must be in [0, 1); got sparsity={sparsity!r}")
    stddev = check_finite("stddev", stddev, least=0)
    check_choice("per", per, get_args(Per))
    axis = 1 if per == "input" else 0

    def check(shape: Shape) -> None:
        if len(shape) != 2:
            raise ValueError(f"sparse needs a shape of two axes; got shape={shape}")

    def zeros(shape: Shape) -> int:
        return math.ceil(sparsity * shape[axis])

    def sample(key: Key, shape: Shape, dtype: DType) -> Array:
        values, places = jax.random.split(key)
        order = jnp.argsort(jax.random.bits(places, shape), axis)
        chosen = jax.lax.slice_in_dim(order, 0, zeros(shape), axis=axis)
        return jnp.put_along_axis(
            normal(stddev)(values, shape, dtype), chosen, 0, axis, inplace=False
        )

    def entry_law(shape: Shape, dtype: DType) -> Law:
        kept = 1 - zeros(shape) / shape[axis]
        facts = BASES["normal"].facts(dtype)
        return diluted(facts, shape, float(stddev), kept)

    name = f"sparse({sparsity!r}, {stddev!r}, per={per!r})"
    return SampledInitializer(name, sample, entry_law, check, dtype, size=stddev)
