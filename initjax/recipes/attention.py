"""Mimetic initialization: self-attention that starts like a trained one."""

import jax
import jax.numpy as jnp

from initjax.init.arguments import check_finite
from initjax.recipes.actions import key_of
from initjax.recipes.patterns import Patterns, assign
from initjax.recipes.trees import Action, Applied, change_leaves, leaves_by_path
from initjax.typing import Array, DType, Key, Params

_ROLES = ("query", "key", "value", "out")


def mimetic(
    params: Params,
    key: Key,
    *,
    attention: Patterns,
    query_key: tuple[float, float],
    value_out: tuple[float, float],
) -> Applied:
    r"""Redraw self-attention so that its products are near ±identity.

        W_Q W_Kᵀ ≈ α Z + β I   in each head, best approximation of rank d_head
        W_V W_O = α Z − β I    over all heads

    Z is d × d of entries N(0, 1/d), a new one for each product. With the SVD
    U Σ Vᵀ of the right side, W_Q = U √Σ, W_K = V √Σ, W_V = U √Σ, W_O = √Σ Vᵀ, cut
    to the rank that the kernels have. Logits then favour a token itself and those
    like it, and values leave it a little; in language models trained weights show
    the other signs, which negative β give. Biases stay as they are.

    There is no default for the constants. Public implementations use (0.7, 0.7)
    for one product and (0.4, 0.4) for the other but differ on which is which; the
    code beside arXiv:2404.01139, which compares with this scheme, has 0.7 for
    query and key.

    Args:
        params: Tree of parameters.
        key: Key for all attention modules; each folds its path into it.
        attention: Paths of the attention modules, such as ``r"blocks_\d+/attn"``,
            which hold query, key and value kernels (d, heads, d_head) and an out
            kernel (heads, d_head, d), as Flax's attention layers do.
        query_key: (α, β) of W_Q W_Kᵀ.
        value_out: (α, β) of W_V W_O, which has −β on its diagonal.

    Raises:
        ValueError: for a pattern that matches no attention module, for kernels of
            other shapes (layers stacked by nn.scan among them), and for constants
            that are not finite.

    Example:
        >>> params = {"attn": {role: {"kernel": jnp.zeros((8, 2, 4))} for role in _ROLES}}
        >>> params["attn"]["out"]["kernel"] = jnp.zeros((2, 4, 8))
        >>> new, changed = mimetic(params, jax.random.key(0), attention="attn",
        ...     query_key=(0.7, 0.7), value_out=(0.0, 0.4))
        >>> kernels = [new["attn"][role]["kernel"] for role in ("value", "out")]
        >>> bool(jnp.allclose(jnp.einsum("ihk,hkj->ij", *kernels), -0.4 * jnp.eye(8),
        ...     atol=1e-5))
        True

    References:
        Trockman & Kolter (2023), arXiv:2305.09828.
    """
    for name, pair in (("query_key", query_key), ("value_out", value_out)):
        if len(pair) != 2:
            raise ValueError(f"{name} must be a pair (α, β); got {name}={pair!r}")
        check_finite(name, jnp.asarray(pair))
    leaves = leaves_by_path(params)
    actions: dict[str, Action] = {}
    for module in assign(_modules(leaves), [("attention", attention)], kind="attention"):
        prefix = f"{module}/" if module else ""
        paths = {role: f"{prefix}{role}/kernel" for role in _ROLES}
        shape = _shape(module, {role: leaves.get(path) for role, path in paths.items()})
        dtype = jnp.promote_types(leaves[paths["query"]].dtype, jnp.float32)
        drawn = _draw(key_of(key, module), shape, query_key, value_out, dtype)
        for role, path in paths.items():
            actions[path] = _replacement(drawn[role])
    return change_leaves(params, actions)


def _modules(leaves: dict[str, Array]) -> list[str]:
    """Paths of the modules that have a query kernel; "" is the tree itself."""
    suffix = "query/kernel"
    found = [p for p in leaves if p == suffix or p.endswith(f"/{suffix}")]
    if not found:
        raise ValueError(
            "no module of the tree has a query/kernel, as Flax's attention layers do; "
            f"query, key and value in one kernel must be split. Its paths: {list(leaves)}"
        )
    return [path.removesuffix(suffix).removesuffix("/") for path in found]


def _shape(module: str, kernels: dict[str, Array | None]) -> tuple[int, int, int]:
    """(d, heads, d_head) of the kernels of one module."""
    shapes = {
        role: () if kernel is None else kernel.shape for role, kernel in kernels.items()
    }
    if len(shapes["query"]) == 3:
        width, heads, head_width = shape = shapes["query"]
        same = shape == shapes["key"] == shapes["value"]
        if (
            same
            and shapes["out"] == (heads, head_width, width)
            and heads * head_width <= width
        ):
            return width, heads, head_width
    raise ValueError(
        f"attention at {module!r} has kernels {shapes}; mimetic needs self-attention "
        "with query, key and value of one shape (d, heads, d_head), out of shape "
        "(heads, d_head, d), and heads · d_head <= d. Unstack layers that nn.scan "
        "has stacked, and leave cross-attention out of the pattern"
    )


def _draw(
    key: Key,
    shape: tuple[int, int, int],
    query_key: tuple[float, float],
    value_out: tuple[float, float],
    dtype: DType,
) -> dict[str, Array]:
    """The four kernels of one attention module."""
    width, heads, head_width = shape
    last, *each = jax.random.split(key, heads + 1)
    alpha, beta = query_key
    factors = [_factors(k, width, alpha, beta, head_width, dtype) for k in each]
    alpha, beta = value_out
    value, out = _factors(last, width, alpha, -beta, heads * head_width, dtype)
    return {
        "query": jnp.stack([left for left, _ in factors], axis=1),
        "key": jnp.stack([right.T for _, right in factors], axis=1),
        "value": value.reshape(shape),
        "out": out.reshape(heads, head_width, width),
    }


def _factors(
    key: Key, width: int, alpha: float, beta: float, rank: int, dtype: DType
) -> tuple[Array, Array]:
    """L (width, rank) and R (rank, width) whose product is closest to α Z + β I."""
    noise = jax.random.normal(key, (width, width), dtype) / jnp.sqrt(width).astype(dtype)
    left, sizes, right = jnp.linalg.svd(alpha * noise + beta * jnp.eye(width, dtype=dtype))
    root = jnp.sqrt(sizes[:rank])
    return left[:, :rank] * root, root[:, None] * right[:rank]


def _replacement(kernel: Array) -> Action:
    return Action(lambda path, leaf: kernel, "redrawn by mimetic")
