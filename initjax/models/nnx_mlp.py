"""The nnx twin of the linen MLP: same laws, same values for the same parameters."""

from collections.abc import Callable

from flax import nnx

from initjax.activations import resolve
from initjax.init import lecun_normal, zeros
from initjax.typing import Array, Initializer

_LECUN, _ZEROS = lecun_normal(), zeros()


class NnxMLP(nnx.Module):
    """A chain of ``depth`` hidden layers of equal width and a linear readout.

        h₀ = φ(x W₀ + b₀),  h_ℓ = φ(h_{ℓ-1} W_ℓ + b_ℓ),  logits = h_{depth-1} V + c

    The hidden layers after the first are created by one vmapped call and
    applied by one scan; their parameters carry a leading axis of depth - 1.

    Args:
        fan_in: Entries of an input.
        width: Units of every hidden layer.
        depth: Number of hidden layers, ≥ 1.
        features: Outputs.
        activation: φ, by name or as any elementwise callable.
        kernel_init: Initializer of every kernel, the readout included.
        bias_init: Initializer of every bias.
        use_bias: Whether there are biases.
        rngs: Random streams; ``params`` is used.

    Raises:
        ValueError: for a depth below 1.

    Example:
        >>> import jax.numpy as jnp
        >>> model = NnxMLP(8, width=32, depth=10, rngs=nnx.Rngs(0))
        >>> model(jnp.ones((4, 8))).shape
        (4, 10)
    """

    def __init__(
        self,
        fan_in: int,
        *,
        width: int,
        depth: int,
        features: int = 10,
        activation: str | Callable[[Array], Array] = "relu",
        kernel_init: Initializer = _LECUN,
        bias_init: Initializer = _ZEROS,
        use_bias: bool = True,
        rngs: nnx.Rngs,
    ):
        if depth < 1:
            raise ValueError(f"NnxMLP needs depth >= 1; got depth={depth}")

        def linear(fan_in: int, features: int, rngs: nnx.Rngs) -> nnx.Linear:
            return nnx.Linear(
                fan_in,
                features,
                use_bias=use_bias,
                kernel_init=kernel_init,
                bias_init=bias_init,
                rngs=rngs,
            )

        @nnx.split_rngs(splits=depth - 1)
        @nnx.vmap
        def stack(rngs: nnx.Rngs) -> nnx.Linear:
            return linear(width, width, rngs)

        self.phi = resolve(activation)
        self.first = linear(fan_in, width, rngs)
        if depth > 1:
            self.hidden = stack(rngs)
        self.depth = depth
        self.readout = linear(width, features, rngs)

    def __call__(self, x: Array) -> Array:
        """Logits [B, features] of inputs [B, ...], flattened to [B, n]."""

        @nnx.scan
        def step(h: Array, layer: nnx.Linear) -> tuple[Array, None]:
            return self.phi(layer(h)), None

        h = self.phi(self.first(x.reshape(x.shape[0], -1)))
        if self.depth > 1:
            h, _ = step(h, self.hidden)
        return self.readout(h)
