"""Mend the kernels whose fans Flax gets wrong, in an existing parameter tree."""

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from initjax.init.arguments import check_choice
from initjax.init.by_fan import fan_of
from initjax.init.scaled import Mode
from initjax.recipes.flax_layers import LayerFans, layer_fans, nnx_kernel_shape
from initjax.recipes.patterns import Patterns, assign
from initjax.recipes.readings import Reading, default_reading, reading
from initjax.recipes.trees import Action, Applied, change_leaves, leaves_by_path
from initjax.typing import Array, Params, Shape


class _Found(NamedTuple):
    """A kernel: its shape as one layer sees it, its fans, and how it was drawn."""

    shape: Shape
    fans: LayerFans
    read: Callable[[], Reading | None]


def mend_fans(
    model: Any,
    variables: Params = None,
    *inputs: Any,
    mode: Mode | None = None,
    only: Patterns = ".*",
    **keywords: Any,
) -> Applied:
    """Rescale each kernel from the fan that its initializer read to the right one.

        W ← W · √(fan read / fan right)

    Wrong in Flax, under its default initializers, by the factor in brackets: layers
    with batch dimensions (their size), Einsum (the size of axes that are neither
    summed nor new: heads, experts), ConvLocal (the number of positions), strided
    ConvTranspose (the product of the strides), ConvTranspose with
    ``transpose_kernel`` (in / out), masked layers (the density of the mask), grouped
    convolutions with a fan_out (the number of groups).

    A linen layer knows its initializer: kernels that read the right fan
    (``init.for_layer``) or none (orthogonal, a fixed scale) stay as they are. An nnx
    layer does not, so that what is said of its kernels has to be true: all read the
    fan ``mode`` of the default axes; leave others out with ``only``. Mend parameters
    once, as they were drawn: a second time would scale them again. A kernel under
    WeightNorm or SpectralNorm does not feel its scale.

    Args:
        model: A linen module, or an nnx module that holds its parameters.
        variables: Of a linen model, as ``model.init`` returned them: ``{"params":
            …}``. Not for nnx.
        *inputs: Of a linen model, as for ``model.init``; shapes suffice.
        mode: Fan of the kernels whose initializer does not tell: nnx, where None
            means Flax's default fan_in, and functions of one's own in linen.
        only: Paths of the kernels to consider.
        **keywords: Of a linen model, as for ``model.init``.

    Returns:
        The parameters, ``variables["params"]`` or ``nnx.state(model, nnx.Param)``,
        and what changed. For nnx: ``nnx.update(model, mend_fans(model).params)``.

    Raises:
        ValueError: for an unknown mode, a pattern that matches no parameter, no
            parameters, a model without any layer of Flax, a kernel that is stacked
            along another axis than the first while outputs differ, and an
            initializer that does not tell.
        TypeError: if ``model`` is neither a linen nor an nnx module, and for masks
            that are made inside the model by jax.numpy.

    Example:
        >>> model = nn.Einsum((64, 8, 16), "btd,dhk->bthk")
        >>> x = jnp.ones((2, 3, 64))
        >>> variables = model.init(jax.random.key(0), x)
        >>> mend_fans(model, variables, x).changed
        {'kernel': '× 2.82843'}

    References:
        Glorot & Bengio (2010), eqs. (10) and (11), for what a fan counts.
    """
    if mode is not None:
        check_choice("mode", mode, get_args(Mode))
    if isinstance(model, nn.Module):
        if variables is None or "params" not in variables:
            raise ValueError(
                "variables must be what model.init returned, with a collection 'params'"
            )
        params, found = variables["params"], _in_linen(model, inputs, keywords, mode)
    elif isinstance(model, nnx.Module):
        params, found = nnx.state(model, nnx.Param), _in_nnx(model, mode or "fan_in")
    else:
        raise TypeError(f"model must be a linen or an nnx module; got {type(model)}")
    leaves = leaves_by_path(params)
    lost = sorted(set(found) - set(leaves))
    if lost or not found:
        raise ValueError(
            f"layers {lost} have no kernel of that path in {list(leaves)}"
            if lost
            else f"the model calls no layer of Flax that has a kernel: {list(leaves)}"
        )
    chosen = assign(list(leaves), [("only", only)])
    factors = {
        path: _factor(path, kernel, leaves[path].shape)
        for path, kernel in found.items()
        if path in chosen
    }
    return change_leaves(
        params, {p: _times(f) for p, f in factors.items() if not np.all(f == 1)}
    )


def _factor(path: str, kernel: _Found, stored: Shape) -> Any:
    """√(fan read / fan right); an array where outputs differ."""
    try:
        read = kernel.read()
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if read is None:
        return 1.0
    right = fan_of(read.mode, kernel.fans.right)
    factor = np.sqrt(fan_of(read.mode, read.fans_of(kernel.fans.handed)) / right)
    ahead = len(stored) - len(kernel.shape)
    if factor.ndim and stored[ahead:] != kernel.shape:
        raise ValueError(
            f"{path} has shape {stored} and not {kernel.shape} behind its stack axes; a "
            "mask needs layers that are stacked along the first axis"
        )
    return factor


def _times(factor: Any) -> Action:
    """Multiply in float32 or wider, whatever the dtype of the leaf."""

    def change(path: str, leaf: Array) -> Array:
        del path
        wide = leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32))
        return wide * jnp.asarray(factor, jnp.float32)

    low, high = np.min(factor), np.max(factor)
    return Action(change, f"× {low:g}" if low == high else f"× {low:g} to {high:g}")


def _in_linen(
    model: nn.Module, inputs: Any, keywords: dict[str, Any], mode: Mode | None
) -> dict[str, _Found]:
    """Run ``model.init`` on shapes alone and look at each layer that is called."""
    found: dict[str, _Found] = {}

    def look(
        call: Callable[..., Any],
        args: Any,
        kwargs: Any,
        context: nn.module.InterceptorContext,
    ) -> Any:
        out, layer = call(*args, **kwargs), context.module
        path = "/".join((*layer.path, "kernel"))
        if (
            context.method_name == "__call__"
            and path not in found
            and layer.has_variable("params", "kernel")
        ):
            kernel = nn.meta.unbox(layer.get_variable("params", "kernel"))
            equation = kwargs.get("einsum_str", args[1] if len(args) > 1 else None)
            fans = layer_fans(layer, kernel.shape, equation)
            if fans is not None:
                drawn = layer.kernel_init
                found[path] = _Found(kernel.shape, fans, lambda: reading(drawn, mode))
        return out

    leaves, structure = jax.tree.flatten((inputs, keywords))
    arrays = [i for i, leaf in enumerate(leaves) if hasattr(leaf, "shape")]

    def run(*traced: Array) -> Any:
        given = list(leaves)
        for i, array in zip(arrays, traced, strict=True):
            given[i] = array
        args, kwargs = jax.tree.unflatten(structure, given)
        return model.init(jax.random.key(0), *args, **kwargs)

    with nn.intercept_methods(look):
        jax.eval_shape(run, *(leaves[i] for i in arrays))
    return found


def _in_nnx(model: nnx.Module, mode: Mode) -> dict[str, _Found]:
    found = {}
    for path, layer in nnx.iter_modules(model):
        if isinstance(getattr(layer, "kernel", None), nnx.Param):
            shape = nnx_kernel_shape(layer)
            fans = None if shape is None else layer_fans(layer, shape)
            if shape is not None and fans is not None:
                name = "/".join(map(str, (*path, "kernel")))
                found[name] = _Found(shape, fans, lambda: default_reading(mode))
    return found
