"""Base draws of a deep network: one set serves all schemes, activations, depths.

Each layer of each seed has a key of its own, made from the seed's key and the
index of the layer, so that a draw depends neither on how many layers are drawn
nor on what else is measured. Keys go through flax, as ``nn.Dense.init`` derives
them, so that the general path starts from the same weights.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, Key

READOUT = 2**31 - 1
"""Index of the readout among the layers of a network."""


class Draws(NamedTuple):
    """Unit draws [seed, layer, fan_in, features] of each base, by name.

    Attributes:
        first: Layer 0, by the size of the input it reads.
        hidden: Layers 1 … D-1.
        readout: The readout.
    """

    first: dict[int, dict[str, Array]]
    hidden: dict[str, Array]
    readout: dict[str, Array]


def layer_key(key: Key, index: Array | int) -> Key:
    """Key of one layer of the network that ``key`` stands for."""
    return jax.random.fold_in(key, index)


@partial(jax.jit, static_argnames=("bases", "depth", "width", "fan_ins", "classes"))
def draw_networks(
    bases: tuple[str, ...],
    keys: Key,
    *,
    depth: int,
    width: int,
    fan_ins: tuple[int, ...],
    classes: int,
) -> Draws:
    """Draw what networks of up to ``depth`` hidden layers need, in one program.

    Args:
        bases: Keys of ``initjax.init.bases.BASES``, see ``ScaledInitializer.base``.
        keys: One key per seed.
        depth: Hidden layers of the deepest network.
        width: Units of a hidden layer.
        fan_ins: Sizes of the inputs that will be measured.
        classes: Outputs of the readout.

    Example:
        >>> keys = jax.random.split(jax.random.key(0), 2)
        >>> sizes = {"depth": 3, "width": 8, "fan_ins": (4,), "classes": 10}
        >>> draw_networks(("normal",), keys, **sizes).hidden["normal"].shape
        (2, 2, 8, 8)
    """

    def each(layers: Sequence[int], fan_in: int, features: int) -> dict[str, Array]:
        index = jnp.asarray(layers, jnp.int32)
        return {base: _draw(base, keys, index, fan_in, features) for base in bases}

    return Draws(
        first={fan_in: each([0], fan_in, width) for fan_in in fan_ins},
        hidden=each(range(1, depth), width, width),
        readout=each([READOUT], width, classes),
    )


def _draw(base: str, keys: Key, layers: Array, fan_in: int, features: int) -> Array:
    unit = ScaledInitializer(base, base, lambda _: 1.0)
    dense = nn.Dense(features, use_bias=False, kernel_init=unit)

    def one(key: Key, index: Array) -> Array:
        variables = dense.init(layer_key(key, index), jnp.zeros((1, fan_in)))
        return variables["params"]["kernel"]

    return jax.vmap(lambda key: jax.vmap(partial(one, key))(layers))(keys)
