"""Biases drawn by the fan-in of their kernels, which an initializer cannot see."""

import math
from typing import Any

from initjax import init
from initjax.init.arguments import check_finite
from initjax.recipes.actions import redraw
from initjax.recipes.patterns import Patterns, assign
from initjax.recipes.trees import Action, Applied, change_leaves, leaves_by_path
from initjax.typing import Key, Params


def fan_in_bias(
    params: Params, key: Key, *, biases: Patterns, gain: float = 1.0
) -> Applied:
    r"""Redraw biases from a uniform law of the width that their layer's inputs set.

        b ~ U(−a, a),   a = gain / √fan_in,   Var b = gain² / (3 fan_in)

    fan_in is that of the kernel beside the bias, ∏ of all its axes but those of
    the output: size of the kernel / size of the bias. This holds for Dense,
    DenseGeneral, Conv with groups, and for layers stacked along a leading axis.
    With gain 1 it is torch's default for Linear and Conv layers, which a Flax
    ``bias_init`` cannot express, as it is shown the shape of the bias only.
    (For transposed convolutions torch counts the outputs instead.)

    Args:
        params: Tree of parameters.
        key: Key for all biases; each folds its path into it.
        biases: The biases; each needs a sibling named "kernel".
        gain: Multiplies the width, > 0.

    Raises:
        ValueError: for a bias without a kernel beside it or with one that does not
            fit it, for a gain ≤ 0, and for patterns as ``apply_rules`` does.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> params = {"dense": {"kernel": jnp.ones((16, 3)), "bias": jnp.zeros(3)}}
        >>> fan_in_bias(params, jax.random.key(0), biases=".*/bias").changed
        {'dense/bias': 'redrawn by uniform(-0.25, 0.25)'}

    References:
        LeCun et al. (1998), Efficient BackProp, for weights of that scale; as a
        law of biases it is the convention of torch's layers.
    """
    check_finite("gain", gain)
    if gain <= 0:
        raise ValueError(f"gain must be > 0; got gain={gain!r}. For zeros use fill(0)")
    leaves = leaves_by_path(params)
    actions: dict[str, Action] = {}
    for path in assign(list(leaves), [("biases", biases)]):
        edge = gain / math.sqrt(_fan_in(path, leaves))
        actions[path] = redraw(init.uniform(-edge, edge), key)
    return change_leaves(params, actions)


def _fan_in(path: str, leaves: dict[str, Any]) -> int:
    """Size of the kernel beside the bias at ``path`` over the size of the bias."""
    beside = "/".join([*path.split("/")[:-1], "kernel"])
    if beside not in leaves or beside == path:
        raise ValueError(
            f"bias {path!r} has no kernel at {beside!r} to take its fan-in from; leave it "
            "out of the pattern, or draw it with redraw"
        )
    bias, kernel = leaves[path].shape, leaves[beside].shape
    axes = iter(kernel)
    # The bias has the kernel's output axes, in order: (out,) of (3, 3, in, out).
    fits = all(size in axes for size in bias) and len(bias) < len(kernel)
    if not fits or 0 in kernel:
        raise ValueError(
            f"bias {path!r} of shape {bias} is not that of the kernel {beside!r} of shape "
            f"{kernel}; fan_in_bias needs a kernel that ends in the axes of its bias"
        )
    return math.prod(kernel) // math.prod(bias)
