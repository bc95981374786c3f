"""How a network descends: SGD or Adam behind transformations of the gradient.

Numbers that differ between networks of one program are data, so that all rates and all ε
of Adam share it. In float32 Adam has a second floor, besides ε: the square of a gradient
below about 3e-18 is flushed to 0 on its way into the second moment.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import optax

from initjax.typing import Array, HostArray
from sweeps.training.transforms import clip_by_norm, clip_by_value, floor

TRANSFORMS: Mapping[str, Callable[[float], optax.GradientTransformation]] = (
    MappingProxyType(
        {"clip_by_norm": clip_by_norm, "clip_by_value": clip_by_value, "floor": floor}
    )
)
"""What may stand before a step, by name."""
KINDS = ("sgd", "adam")


class Optimizer(NamedTuple):
    """What is compiled.

    Attributes:
        kind: ``sgd``, with momentum, or ``adam``.
        transforms: Name and threshold of what the gradient goes through before, in that
            order, see TRANSFORMS.
    """

    kind: str
    transforms: tuple[tuple[str, float], ...] = ()


class Hyperparameters(NamedTuple):
    """What is data, a number of each network.

    Attributes:
        rate: η.
        momentum: μ of SGD; Adam has its β₁ = 0.9 and β₂ = 0.999.
        epsilon: ε of Adam; SGD has none.
    """

    rate: Array | HostArray | float
    momentum: Array | HostArray | float = 0.9
    epsilon: Array | HostArray | float = 1e-8


def build(optimizer: Optimizer, numbers: Hyperparameters) -> optax.GradientTransformation:
    """The chain of transformations, and then the step.

        SGD    v ← μ v + g,   θ ← θ - η v
        Adam   m ← β₁ m + (1-β₁) g,   v ← β₂ v + (1-β₂) g²,   θ ← θ - η m̂ / (√v̂ + ε)

    Args:
        optimizer: What is compiled.
        numbers: Of one network; may be traced.

    Raises:
        ValueError: for a kind or transformation that is unknown, and a threshold that is
            not a number > 0.
    """
    if optimizer.kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {optimizer.kind!r}")
    unknown = [name for name, _ in optimizer.transforms if name not in TRANSFORMS]
    if unknown:
        raise ValueError(
            f"transforms must be some of {', '.join(TRANSFORMS)}; got {unknown[0]!r}"
        )
    before = [TRANSFORMS[name](number) for name, number in optimizer.transforms]
    step = (
        optax.sgd(numbers.rate, numbers.momentum)
        if optimizer.kind == "sgd"
        else optax.adam(numbers.rate, eps=numbers.epsilon)
    )
    return optax.chain(*before, step)
