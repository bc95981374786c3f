"""The benchmark job: what every contestant computes, and what it costs at least.

Networks of every activation, scheme, depth and seed:

    z₀ = x W₀,  h_ℓ = φ(z_ℓ),  z_{ℓ+1} = h_ℓ W_{ℓ+1},  L = mean CE(h_{d-1} V, y)

with the standard deviation of every z_ℓ over batch and units, and the norm of every
∂L/∂W_ℓ. Whether networks of two depths have layers in common is left to the contestant:
those of the engine are the first layers of one deepest network, those of the others are
drawn anew.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

# Contestants are processes that load nothing but what they use.
HostArray: TypeAlias = np.ndarray[Any, np.dtype[Any]]

CLASSES = 10
GAINS = {"relu": math.sqrt(2), "tanh": 5 / 3}
"""torch.nn.init.calculate_gain, which all contestants use."""


@dataclass(frozen=True)
class Job:
    """Sizes of the benchmark job.

    Attributes:
        activations: relu and tanh, or one of them.
        depths: Numbers of hidden layers, ascending.
        seeds: Number of seeds.
        width: Entries of an input, units of every hidden layer.
        batch: Inputs in a batch.
        copies: How often the four schemes are measured; only the engine does that.
    """

    activations: tuple[str, ...] = ("relu", "tanh")
    depths: tuple[int, ...] = tuple(range(10, 101, 10))
    seeds: int = 10
    width: int = 256
    batch: int = 16
    copies: int = 1

    def networks(self) -> int:
        """How many networks are measured."""
        return len(self.activations) * 4 * self.copies * len(self.depths) * self.seeds

    def stds(self, activation: str, fan_out: int | None = None) -> tuple[float, ...]:
        """Standard deviations of N(0, 1), N(0, 1/n), Xavier and Kaiming weights.

        Args:
            activation: Whose gain Xavier has.
            fan_out: Outputs of the layer; the width if None.
        """
        root = self.width**-0.5
        both = (self.width + (self.width if fan_out is None else fan_out)) / 2
        return 1.0, root, GAINS[activation] * both**-0.5, math.sqrt(2) * root

    def flops(self) -> float:
        """Necessary floating-point operations of the matrix products.

        One forward pass serves all depths. Backward, the cotangent of each depth goes
        through each of its layers but the first; a norm of a weight gradient does not
        need the gradient: products of δ, and once of h, suffice.
        """
        deepest, total = max(self.depths), sum(self.depths)
        layers = deepest + total - len(self.depths)
        readouts = 2 * len(self.depths) * CLASSES / self.width
        products = (layers + readouts) * 2 * self.batch * self.width**2
        inner = 2 * self.batch**2 * self.width * (deepest + total)
        networks = self.seeds * len(self.activations) * 4 * self.copies
        return networks * (products + inner)

    def empty(self) -> HostArray:
        """Room for a statistic [activation, scheme, depth, seed, layer], nan."""
        of_network = (len(self.activations), 4 * self.copies, len(self.depths), self.seeds)
        return np.full((*of_network, self.depths[-1]), np.nan, np.float32)
