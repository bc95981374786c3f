"""The random walks of ln q up and ln δ² down the layers, to order 1/n.

Arrays are [layer, ...]; ``layers`` holds the layers 0 … depth - 1, of which the last
one passes nothing on backward: its gradient is where the walk down begins.
"""

from itertools import accumulate

import numpy as np

from initjax.meanfield.layer_noise import Layers, Noise
from initjax.typing import HostArray


def length_covariance(
    layers: Layers, noise: Noise, n: HostArray, start: HostArray
) -> HostArray:
    """Covariance of ln q at two inputs, layers 0 … depth: v′ = s² v + noise/n."""
    steps = zip(layers.length.slope, noise.forward / n, strict=True)
    return np.stack(
        list(accumulate(steps, lambda v, at: at[0] ** 2 * v + at[1], initial=start))
    )


def length_shift(
    layers: Layers, noise: Noise, n: HostArray, variance: HostArray
) -> HostArray:
    """Mean of ln q minus its mean field, layers 0 … depth."""
    added = layers.length.curvature * variance[:-1] / 2 - noise.forward / (2 * n)
    # Where lengths are fixed, the sphere is narrower than the Gaussian.
    added -= layers.orthogonal * layers.from_weights**2 * layers.length.bend / n
    steps = zip(layers.length.slope, added, strict=True)
    start = -variance[0] / 2  # the mean of q itself is the one given
    return np.stack(list(accumulate(steps, lambda m, at: at[0] * m + at[1], initial=start)))


def gradient_covariance(
    layers: Layers, noise: Noise, n: HostArray, length: HostArray
) -> HostArray:
    """Covariance of ln δ² over that of the last layer, at two inputs.

    ln χ₁ of all layers above moves with ln q of this one, and with what each adds.
    """
    s, t = layers.length.slope, layers.gradient.slope
    moved = np.zeros_like(length[:-1])  # d ln δ²_ℓ / d ln q_ℓ
    for k in reversed(range(len(s) - 1)):
        moved[k] = t[k] + s[k] * moved[k + 1]
    above = moved[1:]
    added = above**2 * noise.forward[:-1] + 2 * above * noise.cross[:-1]
    return moved**2 * length[:-1] + _down((added + noise.backward[:-1]) / n)


def gradient_shift(
    layers: Layers, noise: Noise, n: HostArray, variance: HostArray, shift: HostArray
) -> HostArray:
    """Mean of ln δ² over that of the last layer, minus its mean field.

    ``variance`` and ``shift`` are those of ln q.
    """
    chi = layers.gradient
    added = chi.slope * shift[:-1] + chi.curvature * variance[:-1] / 2
    added = added + (_used_twice(layers) - noise.backward / 2) / n
    added -= layers.orthogonal * layers.from_weights**2 * chi.bend / n
    return _down(added[:-1])


def gradient_mean_field(layers: Layers) -> HostArray:
    """At infinite width, ln δ² over that of the last layer."""
    with np.errstate(divide="ignore"):
        return _down(np.log(np.square(layers.sigma_w) * layers.steepness[:-1]))


def gradient_correlation(
    layers: Layers, c: HostArray, n: HostArray, rho: HostArray
) -> HostArray:
    """Mean squared correlation of ∂L/∂h at two inputs, ``rho`` at the last layer.

    Each layer multiplies the correlation by that of the slopes, and adds a random
    one of variance 1/n; a batch has so many pairs that this counts.
    """
    slopes = np.exp(layers.gradient.log) / np.square(layers.sigma_w)
    kept = np.square(layers.series.slope.at(c) / slopes)
    square = np.broadcast_to(np.square(rho), kept.shape).copy()
    for k in reversed(range(len(kept) - 1)):
        square[k] = square[k + 1] * kept[k + 1] + 1 / n
    return square


def _used_twice(layers: Layers) -> HostArray:
    """Drift of ln δ², times n, as the weights of the way back are those of the way up.

    Wᵀδ is independent of the way up but for its part along h, which is (z·δ)/|h| without
    the bias; its square is A = n cos²(z, δ) times that of any other part, where
    χ p A = σ_w² E z²φ′² + r² p′ (A′ - 1) with p, p′ the parts of q, q′ that weights make.
    """
    s, t, chi = layers.length.slope, layers.gradient.slope, np.exp(layers.gradient.log)
    mine, q = layers.from_weights, layers.q
    after = layers.next_q - np.square(layers.sigma_b)
    r = mine * s * layers.next_q / after
    square = chi * q * mine * (mine * (1 + 2 * t) + 1 - mine)
    a = np.ones_like(q)
    for k in reversed(range(len(q) - 1)):
        a[k] = (square[k] + r[k] ** 2 * after[k] * (a[k + 1] - 1)) / (chi * mine * q)[k]
    a = np.concatenate([a[1:], a[:1] * 0 + 1])
    mixed = layers.series.mixed_squares.at(np.ones(1))  # E φ²φ′²
    along = np.square(np.square(layers.sigma_w)) * mixed / (after * chi)
    return (a - 1) * (along - layers.orthogonal)


def _down(steps: HostArray) -> HostArray:
    """Sums from each layer up to the last one, where they are 0."""
    sums = np.cumsum(steps[::-1], axis=0)[::-1]
    return np.concatenate([sums, np.zeros((1, *steps.shape[1:]))])
