"""Mend the kernels whose fans Flax gets wrong, in an existing parameter tree."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_args

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from initjax.init import Lawful
from initjax.init.arguments import check_choice
from initjax.init.scaled import Mode, RoleFans, fan_of
from initjax.recipes.flax_layers import LayerFans, layer_fans
from initjax.recipes.patterns import Patterns, assign
from initjax.recipes.trees import Action, Applied, change_leaves, leaves_by_path
from initjax.typing import Array, Params


def mend_fans(
    model: Any,
    variables: Params = None,
    *inputs: Any,
    mode: Mode = "fan_in",
    only: Patterns = ".*",
    **keywords: Any,
) -> Applied:
    """Rescale each kernel from the fan that Flax told its initializer to the right one.

        W ← W · √(fan told / fan right)

    Wrong in Flax, under its default initializers, by the factor in brackets: layers
    with batch dimensions (their size), Einsum (the size of axes that are neither
    summed nor new: heads, experts), ConvLocal (the number of positions), strided
    ConvTranspose (the product of the strides), ConvTranspose with
    ``transpose_kernel`` (in / out), masked layers (the density of the mask), grouped
    convolutions with a fan_out (the number of groups).

    Kernels whose initializer reads no fan, or the right one (``init.for_layer``),
    stay as they are; an nnx layer does not remember its initializer, so leave such
    layers out with ``only``.

    Args:
        model: A linen module, or an nnx module that holds its parameters.
        variables: Of a linen model, as ``model.init`` returned them: ``{"params":
            …}``. Not for nnx.
        *inputs: Of a linen model, as for ``model.init``; shapes suffice.
        mode: The fan that the kernels' initializers divide by: fan_in for LeCun's
            and He's, fan_avg for Glorot's.
        only: Paths of the kernels to consider.
        **keywords: Of a linen model, as for ``model.init``.

    Returns:
        The parameters, ``variables["params"]`` or ``nnx.state(model, nnx.Param)``,
        and what changed. For nnx: ``nnx.update(model, mend_fans(model).params)``.

    Raises:
        ValueError: for an unknown mode, and a pattern that matches no parameter.
        TypeError: if ``model`` is neither a linen nor an nnx module.

    Example:
        >>> model = nn.Einsum((64, 8, 16), "btd,dhk->bthk")
        >>> x = jnp.ones((2, 3, 64))
        >>> variables = model.init(jax.random.key(0), x)
        >>> mend_fans(model, variables, x).changed
        {'kernel': '× 2.82843'}

    References:
        Glorot & Bengio (2010), eqs. (10) and (11), for what a fan counts.
    """
    check_choice("mode", mode, get_args(Mode))
    if isinstance(model, nn.Module):
        params = variables["params"]
        found = _in_linen(model, inputs, keywords)
    elif isinstance(model, nnx.Module):
        params = nnx.state(model, nnx.Param)
        found = _in_nnx(model)
    else:
        raise TypeError(f"model must be a linen or an nnx module; got {type(model)}")
    paths = list(leaves_by_path(params))
    lost = sorted(set(found) - set(paths))
    if lost:
        raise ValueError(f"layers {lost} have no kernel of that path in {paths}")
    chosen = assign(paths, [("only", only)])
    factors = {
        path: np.sqrt(fan_of(mode, layer.told) / fan_of(mode, layer.right))
        for path, layer in found.items()
        if path in chosen
    }
    return change_leaves(
        params, {p: _times(f) for p, f in factors.items() if not np.all(f == 1)}
    )


def _times(factor: Any) -> Action:
    """Multiply in float32 or wider, whatever the dtype of the leaf."""

    def change(path: str, leaf: Array) -> Array:
        del path
        wide = leaf.astype(jnp.promote_types(leaf.dtype, jnp.float32))
        return wide * jnp.asarray(factor, jnp.float32)

    low, high = np.min(factor), np.max(factor)
    return Action(change, f"× {low:g}" if low == high else f"× {low:g} to {high:g}")


def _in_linen(
    model: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> dict[str, LayerFans]:
    """Run ``model.init`` on shapes alone and look at each layer that is called."""
    found: dict[str, LayerFans] = {}

    def look(
        call: Callable[..., Any],
        args: Any,
        kwargs: Any,
        context: nn.module.InterceptorContext,
    ) -> Any:
        out = call(*args, **kwargs)
        layer = context.module
        path = "/".join((*layer.path, "kernel"))
        if context.method_name != "__call__" or path in found:
            return out
        if layer.has_variable("params", "kernel"):
            kernel = nn.meta.unbox(layer.get_variable("params", "kernel"))
            equation = kwargs.get("einsum_str", args[1] if len(args) > 1 else None)
            fans = layer_fans(layer, kernel.shape, equation)
            if fans is not None and _reads_shape(layer.kernel_init):
                found[path] = fans
        return out

    arrays = [i for i, given in enumerate(inputs) if hasattr(given, "shape")]

    def run(*traced: Array) -> Any:
        given = list(inputs)
        for i, array in zip(arrays, traced, strict=True):
            given[i] = array
        return model.init(jax.random.key(0), *given, **keywords)

    with nn.intercept_methods(look):
        jax.eval_shape(run, *(inputs[i] for i in arrays))
    return found


def _in_nnx(model: nnx.Module) -> dict[str, LayerFans]:
    found = {}
    for path, layer in nnx.iter_modules(model):
        kernel = getattr(layer, "kernel", None)
        if isinstance(kernel, nnx.Param):
            fans = layer_fans(layer, kernel[...].shape)
            if fans is not None:
                found["/".join(map(str, (*path, "kernel")))] = fans
    return found


@lru_cache(maxsize=64)
def _reads_shape(kernel_init: Any) -> bool:
    """Whether the scale of an initializer follows from the shape that it is given."""
    if isinstance(kernel_init, Lawful):
        fans_of = getattr(kernel_init, "fans_of", None)
        return isinstance(fans_of, RoleFans)
    with jax.ensure_compile_time_eval():
        key = jax.random.key(0)
        small, large = (
            np.std(np.asarray(nn.meta.unbox(kernel_init(key, shape)), np.float64))
            for shape in ((16, 16), (256, 256))
        )
    return bool(small > 2 * large)  # 4 for a fan, 1 for a fixed scale
