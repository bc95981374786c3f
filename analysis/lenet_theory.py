"""Slopes of plain deep LeNets in the limit of many channels, zeros around the images.

Positions of an image share no kernel entry with themselves, so that second moments of
pre-activations follow a closed map; with zeros around, those at the rim read less:

    q(r) ← σ_w² / 25 · Σ_r′ E[φ(√q(r′) z)²] + σ_b²,   r′ in the 5 x 5 pixels around r

What comes back takes the same way backwards, times E[φ′(√q z)²]. With shortcuts or batch
normalization pre-activations are not Gaussian, or depend on the batch: nothing is claimed
there. Sixteen channels scatter, and their medians lie below means.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from initjax.gains import published_gain
from initjax.meanfield import chi, variance_map

SIDE = 7
"""Rows and columns of the images that modules see."""
WINDOW = 5
FAN_IN = 16 * WINDOW**2
_STEPS = 20


class Slopes(NamedTuple):
    """Decades that a root mean square grows by, per convolution.

    Attributes:
        act: What layers hand on, towards the last layer.
        delta: What comes back, towards the input.
        grad: Weight gradients, products of both, towards the input.
    """

    act: float
    delta: float
    grad: float


@cache
def slopes(activation: str, scheme: str) -> Slopes | None:
    """Slopes deep inside a plain network, None if its initialization has no such limit.

    Args:
        activation: Name of φ.
        scheme: Name of the initialization, as the sweep spells it.

    Example:
        >>> [round(slope, 3) for slope in slopes("relu", "kaiming_normal")]
        [-0.06, -0.06, 0.0]
    """
    found = variances(activation, scheme)
    if found is None:
        return None
    sigma_w, sigma_b = np.sqrt(found)
    reads = np.eye(SIDE**2) if scheme == "delta_orthogonal" else _around()
    q = last = np.ones(SIDE**2)
    for _ in range(_STEPS):
        last, q = q, reads @ variance_map(q, activation, sigma_w=sigma_w) + sigma_b**2
    act = math.log10(_handed_on(q, activation) / _handed_on(last, activation)) / 2
    back = chi(activation, q=q, sigma_w=sigma_w)[:, None] * reads
    delta = math.log10(np.abs(np.linalg.eigvals(back)).max()) / 2
    return Slopes(act, delta, delta - act)


def variances(activation: str, scheme: str) -> tuple[float, float] | None:
    """σ_w² and σ_b² of a convolution inside a module, None if they are not known.

    Example:
        >>> variances("relu", "xavier_normal(gain)")
        (2.0000000000000004, 0.0)
    """
    gain = published_gain(activation) ** 2
    if scheme.startswith("uniform("):
        low, high = (float(end) for end in scheme[8:-1].split(","))
        return FAN_IN * (high - low) ** 2 / 12, 0.0
    if scheme == "torch":  # U(±1/√fan_in), biases too
        return 1 / 3, 1 / (3 * FAN_IN)
    known = {
        **dict.fromkeys(("xavier_normal", "xavier_uniform"), 1.0),
        **dict.fromkeys(("kaiming_normal", "kaiming_uniform"), 2.0),
        **dict.fromkeys(("xavier_normal(gain)", "xavier_uniform(gain)"), gain),
        **dict.fromkeys(("kaiming_normal(gain)", "kaiming_uniform(gain)"), gain),
        "delta_orthogonal": gain,
    }
    return (known[scheme], 0.0) if scheme in known else None


def _around() -> np.ndarray:
    """[pixel, pixel] shares of a window that pixels have in each other's sum."""
    apart = np.abs(np.subtract.outer(np.arange(SIDE), np.arange(SIDE)))
    near = (apart <= WINDOW // 2) / WINDOW
    return np.kron(near, near)


def _handed_on(q: np.ndarray, activation: str) -> float:
    """Mean of E[φ(√q z)²] over the pixels."""
    return float(np.mean(variance_map(q, activation, sigma_w=1.0)))
