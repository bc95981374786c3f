"""Base draws of a deep network: one set serves all schemes, activations, depths.

Each layer of each seed has a key of its own, made from the seed's key and the
index of the layer, so that a draw depends neither on how many layers are drawn
nor on what else is measured. Keys go through flax, as ``nn.Dense.init`` derives
them, so that the general path starts from the same weights.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from initjax.engine.devices import by_device, together
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, Key

T = TypeVar("T")

READOUT = 2**31 - 1
"""Index of the readout among the layers of a network."""


class Draws(NamedTuple):
    """Unit draws [seed, layer, fan_in, features] of each base, by name.

    Attributes:
        first: Layer 0, by the size of the input it reads.
        hidden: Layers 1 … D-1; instead of the draws their keys [seed, layer] where
            they are to be redrawn at each use.
        readout: The readout.
    """

    first: dict[int, dict[str, Array]]
    hidden: dict[str, Array]
    readout: dict[str, Array]


def layer_key(key: Key, index: Array | int) -> Key:
    """Key of one layer of the network that ``key`` stands for."""
    return jax.random.fold_in(key, index)


def unit_draw(base: str, key: Key, fan_in: int, features: int) -> Array:
    """Kernel [fan_in, features] of second moment 1, as ``nn.Dense`` with this key has."""
    unit = ScaledInitializer(base, base, lambda _: 1.0)
    dense = nn.Dense(features, use_bias=False, kernel_init=unit)
    return dense.init(key, jnp.zeros((1, fan_in)))["params"]["kernel"]


def unbatched(init: Callable[..., T]) -> Callable[..., T]:
    """``init``, by vmap one after the other on CPU, for the sake of LAPACK within.

    No base draw needs it, but a block may bring any initializer, and many call QR. A
    batch of that on CPU keeps a thread of the pool while it waits for other threads of
    that pool: with jax < 0.12 forever, if as many do so as there are threads.
    """
    single = jax.custom_batching.sequential_vmap(init)
    return partial(jax.lax.platform_dependent, cpu=single, default=init)


def draw_networks(
    bases: tuple[str, ...],
    keys: Key,
    *,
    depth: int,
    width: int,
    fan_ins: tuple[int, ...],
    classes: int,
    redraw: bool = False,
) -> Draws:
    """Draw what networks of up to ``depth`` hidden layers need, in one program.

    Args:
        bases: Keys of ``initjax.init.bases.BASES``, see ``ScaledInitializer.base``.
        keys: One key per seed; where they are ``spread``, so are the draws.
        depth: Hidden layers of the deepest network.
        width: Units of a hidden layer.
        fan_ins: Sizes of the inputs that will be measured.
        classes: Outputs of the readout.
        redraw: Keep keys instead of the hidden layers, and let each measurement
            draw every layer forward and again backward. That takes the memory of
            one layer instead of all, and the time of two draws in each call: for
            weights that do not fit.

    Raises:
        ValueError: if the keys are on several devices, but not ``spread``.

    Example:
        >>> keys = jax.random.split(jax.random.key(0), 2)
        >>> sizes = {"depth": 3, "width": 8, "fan_ins": (4,), "classes": 10}
        >>> draw_networks(("normal",), keys, **sizes).hidden["normal"].shape
        (2, 2, 8, 8)
    """
    mesh, keys = together(keys)
    sizes = _Sizes(depth, width, fan_ins, classes)
    return _draw_networks(keys, bases=bases, sizes=sizes, redraw=redraw, mesh=mesh)


class _Sizes(NamedTuple):
    """The shapes of ``draw_networks``."""

    depth: int
    width: int
    fan_ins: tuple[int, ...]
    classes: int


@partial(jax.jit, static_argnames=("bases", "sizes", "redraw", "mesh"))
def _draw_networks(
    keys: Key, *, bases: tuple[str, ...], sizes: _Sizes, redraw: bool, mesh: Mesh | None
) -> Draws:
    depth, width, fan_ins, classes = sizes

    def many(_: None, keys: Key) -> Draws:
        def keys_of(layers: Sequence[int]) -> Key:
            index = jnp.asarray(layers, jnp.int32)
            return jax.vmap(lambda key: jax.vmap(partial(layer_key, key))(index))(keys)

        def each(layers: Sequence[int], fan_in: int, features: int) -> dict[str, Array]:
            return {b: _draw(b, keys_of(layers), fan_in, features) for b in bases}

        inner, square = range(1, depth), (width, width)
        return Draws(
            first={fan_in: each([0], fan_in, width) for fan_in in fan_ins},
            hidden=dict.fromkeys(bases, keys_of(inner)) if redraw else each(inner, *square),
            readout=each([READOUT], width, classes),
        )

    return by_device(many, mesh, None, keys)


def _draw(base: str, keys: Key, fan_in: int, features: int) -> Array:
    """Draws for keys [seed, layer].

    Those of independent entries all at once, as XLA writes each number where it
    belongs. An orthogonal matrix takes several times its size to make: these come as
    many at once as there are seeds, the next ones in the order of the result, which
    need not be copied into place.
    """
    draw = jax.vmap(lambda key: unit_draw(base, key, fan_in, features))
    if base != "orthogonal":
        return jax.vmap(draw)(keys)
    seeds, layers = keys.shape[:2]
    drawn = jax.lax.map(draw, keys.reshape(layers, seeds, *keys.shape[2:]))
    return drawn.reshape(seeds, layers, fan_in, features)
