"""A multilayer perceptron in linen, its hidden layers scanned."""

from collections.abc import Callable

import flax.linen as nn

from initjax.activations import resolve
from initjax.init import lecun_normal, zeros
from initjax.typing import Array, Initializer

_LECUN, _ZEROS = lecun_normal(), zeros()


class HiddenLayer(nn.Module):
    """h ↦ φ(h W + b), in the form that ``nn.scan`` takes.

    Attributes:
        features: Outputs of the layer.
        activation: φ, by name or as any elementwise callable.
        kernel_init: Initializer of W.
        bias_init: Initializer of b.
        use_bias: Whether there is a b.
    """

    features: int
    activation: str | Callable[[Array], Array] = "relu"
    kernel_init: Initializer = _LECUN
    bias_init: Initializer = _ZEROS
    use_bias: bool = True

    @nn.compact
    def __call__(self, h: Array, _: None = None) -> tuple[Array, None]:
        """Activations of the layer, and nothing to stack."""
        z = nn.Dense(
            self.features,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            name="dense",
        )(h)
        return resolve(self.activation)(z), None


class MLP(nn.Module):
    """A chain of ``depth`` hidden layers of equal width and a linear readout.

        h₀ = φ(x W₀ + b₀),  h_ℓ = φ(h_{ℓ-1} W_ℓ + b_ℓ),  logits = h_{depth-1} V + c

    The hidden layers after the first are one scanned layer: compilation takes
    the same time at every depth, and their parameters carry a leading axis of
    depth - 1. Initializers see the shape of one layer.

    Attributes:
        width: Units of every hidden layer.
        depth: Number of hidden layers, ≥ 1.
        features: Outputs.
        activation: φ, by name or as any elementwise callable.
        kernel_init: Initializer of every kernel, the readout included.
        bias_init: Initializer of every bias.
        use_bias: Whether there are biases.

    Raises:
        ValueError: when called, for a depth below 1.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from initjax import init
        >>> model = MLP(width=32, depth=10, kernel_init=init.kaiming_normal())
        >>> params = model.init(jax.random.key(0), jnp.ones((4, 8)))
        >>> model.apply(params, jnp.ones((4, 8))).shape
        (4, 10)
    """

    width: int
    depth: int
    features: int = 10
    activation: str | Callable[[Array], Array] = "relu"
    kernel_init: Initializer = _LECUN
    bias_init: Initializer = _ZEROS
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Logits [B, features] of inputs [B, ...], flattened to [B, n]."""
        if self.depth < 1:
            raise ValueError(f"MLP needs depth >= 1; got depth={self.depth}")
        settings = (
            self.width,
            self.activation,
            self.kernel_init,
            self.bias_init,
            self.use_bias,
        )
        h, _ = HiddenLayer(*settings, name="first")(x.reshape(x.shape[0], -1))
        if self.depth > 1:
            scanned = nn.scan(
                HiddenLayer,
                variable_axes={"params": 0},
                split_rngs={"params": True},
                length=self.depth - 1,
                metadata_params={nn.PARTITION_NAME: None},
            )
            h, _ = scanned(*settings, name="hidden")(h, None)
        return nn.Dense(
            self.features,
            use_bias=self.use_bias,
            kernel_init=self.kernel_init,
            bias_init=self.bias_init,
            name="readout",
        )(h)
