"""The four numbers that are called the gain of an activation, and how samples scatter."""

from functools import cache

import numpy as np

from initjax.activations import NamedActivation, resolve
from initjax.gains import TORCH_GAINS, gain, published_gain
from initjax.quadrature import gaussian_mean
from initjax.typing import Array, HostArray

MEASURED = ("forward", "backward", "centered")
"""Gains that samples can tell, in the order of ``sampled_gains``."""
KINDS = (*MEASURED, "torch")


def has_gain(kind: str, activation: str) -> bool:
    """Whether an activation has a gain of this kind; torch has numbers for a few."""
    name = resolve(activation).name.partition("(")[0]
    return kind != "torch" or name == "leaky_relu" or name in TORCH_GAINS


@cache
def gain_of(kind: str, activation: str) -> float:
    """A gain by quadrature, or torch's.

    Example:
        >>> round(gain_of("centered", "relu"), 6), gain_of("torch", "selu")
        (1.712859, 0.75)
    """
    if kind == "torch":
        return published_gain(activation)
    return gain(activation, kind=kind)  # type: ignore[arg-type]


@cache
def scatter(kind: str, activation: str) -> float:
    """Standard deviation of ln of a gain measured with N samples, times √N.

    By the central limit theorem it is that of the change which one sample makes:

        forward    -½ φ²/E φ²           of 1/√E φ²
        backward   -½ φ′²/E φ′²         of 1/√E φ′²
        centered   ½ x² - ½ (φ - E φ)²/Var φ     of std(x)/std(φ(x)), x ~ N(0, 1)

    It is 0 where each sample says the same: the slope of the identity is 1.

    Example:
        >>> round(scatter("forward", "identity"), 6), scatter("centered", "identity")
        (0.707107, 0.0)
    """
    named = resolve(activation)
    if kind != "centered":
        order = 1 if kind == "backward" else 0
        moment = float(gaussian_mean(np.square, named, order=order))
        square = float(
            gaussian_mean(lambda y: (y**2 / moment - 1) ** 2, named, order=order)
        )
    else:
        mean = float(gaussian_mean(_itself, named))
        variance = float(gaussian_mean(lambda y: (y - mean) ** 2, named))
        fourth = float(gaussian_mean(lambda y: (y - mean) ** 4, named)) / variance**2
        both = float(gaussian_mean(np.square, _product(named, mean))) / variance
        square = 3 + fourth - 2 * both
    return float(np.sqrt(square) / 2) if square > 1e-9 else 0.0


def _itself(y: HostArray) -> HostArray:
    return y


def _product(named: NamedActivation, mean: float) -> NamedActivation:
    """The function x (φ(x) - E φ), the mean of whose square is that of two squares."""

    def product(x: Array) -> Array:
        return x * (named.function(x) - mean)

    return NamedActivation(f"x (φ - {mean:g}) of {named.name}", product, named.kinks)
