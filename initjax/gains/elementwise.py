"""Gain of an elementwise activation, by quadrature."""

import math
from collections.abc import Callable, Iterable
from typing import Literal, get_args

import numpy as np

from initjax.activations import resolve
from initjax.quadrature import gaussian_mean
from initjax.typing import Array, HostArray

Kind = Literal["forward", "backward", "centered"]


def gain(
    activation: str | Callable[[Array], Array],
    *,
    kind: Kind = "forward",
    q: float = 1.0,
    kinks: Iterable[float] | None = None,
) -> float:
    """Factor by which unit-gain weights must grow to offset an activation.

        forward    √(q / E[φ(√q z)²])       keeps the second moment q
        backward   1 / √E[φ′(√q z)²]        keeps the gradient's second moment
        centered   √(q / Var[φ(√q z)])      keeps q when means are removed

    with z ~ N(0, 1). Forward is for weights scaled by fan-in, so that activations
    stay level over depth; backward for weights scaled by fan-out, so that
    gradients do; centered is γ of NFNets, whose standardized weights sum to 0
    over the inputs and so see no mean: √(2/(1 − 1/π)) for relu. No single gain
    keeps both directions unless E[φ²] = E[φ′²]. For gelu, silu and mish q = 1 is
    a *repelling* fixed point under the forward gain, with slopes of the length map
    of 1.144, 1.173 and 1.076: a deep plain network of these dies or explodes at any
    width. ``initjax.meanfield.length_fixed_points`` tells it of any activation.

    Args:
        activation: φ, by name or as any elementwise callable.
        kind: Which moment to keep.
        q: Second moment of the pre-activation, > 0.
        kinks: Points where a callable φ or a derivative of it jumps; searched
            when None, which sees kinks everywhere but features only down to a
            width of 1e-5.

    Raises:
        ValueError: for an unknown name or kind, for q ≤ 0, for kinks that are
            not finite or that a named activation has already, where the moment
            is zero or infinite, so that no gain exists, and where the integral
            cannot be verified, so that the kinks must be given.

    Example:
        >>> round(gain("relu"), 12) == round(2**0.5, 12)
        True
        >>> round(gain("tanh"), 6), round(gain("gelu", kind="backward"), 6)
        (1.592537, 1.481114)
        >>> round(gain(lambda x: abs(x - 0.3), kinks=[0.3]) ** -2, 12)
        1.09

    References:
        He et al. (2015), arXiv:1502.01852, eq. (10) forward and eq. (14)
        backward, there for ReLU; Brock, De & Smith (2021), arXiv:2101.08692,
        for the centered gain, there γ.
    """
    check_moment(kind, q)
    named = resolve(activation, kinks)
    mean = float(gaussian_mean(_itself, named, q)) if kind == "centered" else 0.0
    order = 1 if kind == "backward" else 0
    moment = gaussian_mean(lambda y: (y - mean) ** 2, named, q, order=order)
    return from_moment(float(moment), named.name, kind, q)


def _itself(y: HostArray) -> HostArray:
    return y


def check_moment(kind: str, q: float) -> None:
    """Refuse a moment that no gain keeps."""
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of {get_args(Kind)}; got kind={kind!r}")
    if not (math.isfinite(q) and q > 0):
        raise ValueError(f"q must be a finite variance > 0; got q={q!r}")


def from_moment(moment: float, name: str, kind: str, q: float) -> float:
    """The gain that offsets a second moment, if there is one."""
    if not (math.isfinite(moment) and moment > 0):
        raise ValueError(
            f"activation {name!r} has no {kind} gain at q={q}: "
            f"the second moment it rests on is {moment}"
        )
    return float(np.sqrt((1.0 if kind == "backward" else q) / moment))
