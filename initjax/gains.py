"""Gain of an activation: the σ_w that keeps a second moment through a layer.

``gain`` computes it for any activation, by quadrature; ``calculate_gain`` is
the table that torch publishes, some of whose numbers are conventions.
"""

import math
import numbers
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from initjax.activations import ACTIVATIONS, resolve
from initjax.quadrature import breakpoints, expectation, on_host
from initjax.typing import Array

Kind = Literal["forward", "backward", "centered"]


def gain(
    activation: str | Callable[[Array], Array],
    *,
    kind: Kind = "forward",
    q: float = 1.0,
) -> float:
    """Factor by which unit-gain weights must grow to offset an activation.

        forward    √(q / E[φ(√q z)²])       keeps the second moment q
        backward   1 / √E[φ′(√q z)²]        keeps the gradient's second moment
        centered   √(q / Var[φ(√q z)])      keeps q when means are removed

    with z ~ N(0, 1). At q = 1 the forward gain is 1/√E[φ(z)²]. No single gain
    keeps both directions unless E[φ²] = E[φ′²]. For gelu, silu and mish q = 1
    is a *repelling* fixed point under the forward gain: deep plain networks of
    these drift at any width.

    Args:
        activation: φ, by name or as any elementwise callable.
        kind: Which moment to keep.
        q: Second moment of the pre-activation, > 0.

    Raises:
        ValueError: for an unknown name or kind, for q ≤ 0, and where the moment
            is zero or infinite, so that no gain exists.

    Example:
        >>> round(gain("relu"), 12) == round(2**0.5, 12)
        True
        >>> round(gain("tanh"), 6), round(gain("gelu", kind="backward"), 6)
        (1.592537, 1.481114)

    References:
        He et al. (2015), arXiv:1502.01852, eq. (10) forward and eq. (14)
        backward, there for ReLU; Brock, De & Smith (2021), arXiv:2101.08692,
        for the centered gain, there γ.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {get_args(Kind)}; got kind={kind!r}")
    if not (math.isfinite(q) and q > 0):
        raise ValueError(f"q must be a finite variance > 0; got q={q!r}")
    named = resolve(activation)
    f = on_host(named, 1 if kind == "backward" else 0)
    cuts = breakpoints(named)
    moment = float(expectation(lambda x: f(x) ** 2, q, cuts))
    if kind == "centered":
        mean = float(expectation(f, q, cuts))
        moment = float(expectation(lambda x: (f(x) - mean) ** 2, q, cuts))
    if not (math.isfinite(moment) and moment > 0):
        raise ValueError(
            f"activation {named.name!r} has no {kind} gain at q={q}: "
            f"the second moment it rests on is {moment}"
        )
    return float(np.sqrt((1.0 if kind == "backward" else q) / moment))


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
