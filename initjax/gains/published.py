"""The gains of practice: torch's table, some of whose numbers are conventions."""

import math
import numbers
from collections.abc import Callable

from initjax.activations import ACTIVATIONS, resolve
from initjax.gains.elementwise import gain
from initjax.typing import Array


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The recommended gains of ``torch.nn.init.calculate_gain``, to the digit.

    Conventions rather than theory: tanh is 5/3 here and 1.5925 by ``gain``,
    selu is 3/4 here and 1 by ``gain``, sigmoid is 1 here and 1.8462 by ``gain``.

    Args:
        nonlinearity: linear or identity, conv1d … conv_transpose3d, sigmoid,
            tanh, relu, leaky_relu, selu.
        param: Negative slope of leaky_relu; 0.01 when None. Others ignore it.

    Raises:
        ValueError: for a name that torch has no number for, and for a slope
            that is not a number.

    Example:
        >>> calculate_gain("leaky_relu", 0.2) == (2 / 1.04) ** 0.5
        True
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        number = isinstance(slope, numbers.Real) and not isinstance(slope, bool)
        if not number or math.isnan(slope):
            raise ValueError(f"negative slope must be a number; got param={param!r}")
        return math.sqrt(2 / (1 + float(slope) ** 2))
    if nonlinearity not in TORCH_GAINS:
        raise ValueError(
            f"nonlinearity {nonlinearity!r} has no published gain; torch knows "
            f"{', '.join([*TORCH_GAINS, 'leaky_relu'])}. "
            "Use initjax.gains.gain for any other activation"
        )
    return TORCH_GAINS[nonlinearity]


_LINEAR = (
    ["linear", "identity"]
    + [f"conv{d}d" for d in (1, 2, 3)]
    + [f"conv_transpose{d}d" for d in (1, 2, 3)]
)
TORCH_GAINS: dict[str, float] = dict.fromkeys(_LINEAR, 1.0) | {
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}


def published_gain(activation: str | Callable[[Array], Array]) -> float:
    """What practice uses: torch's number where there is one, else the forward gain.

    The forward gain keeps q = 1, but for gelu, silu and mish that fixed point repels
    (slopes 1.144, 1.173, 1.076), and deep plain networks of these leave it.

    Args:
        activation: φ, by a name of either table or as any elementwise
            callable; a callable always has its forward gain, whatever its name.

    Example:
        >>> published_gain("tanh") == 5 / 3, round(published_gain("gelu"), 6)
        (True, 1.53353)
    """
    if isinstance(activation, str) and activation in TORCH_GAINS:
        return calculate_gain(activation)
    named = resolve(activation)
    ours = ACTIVATIONS.get(named.name) is named
    if ours and named.name in (*TORCH_GAINS, "leaky_relu"):
        return calculate_gain(named.name)
    return gain(named)
