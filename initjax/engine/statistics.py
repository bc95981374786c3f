"""What is measured at one layer of one network, safe from overflow and underflow.

A float32 sum of squares leaves float32 long before the values do, so everything
is divided by its largest entry first and reported as a base-10 logarithm:
-inf is all zeros, inf an infinity, nan a nan among the values.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import NamedActivation
from initjax.quadrature import on_host
from initjax.typing import Array

SATURATION = 0.02
"""A unit counts as saturated when |φ′(z)| is below this share of sup |φ′|."""

_WORDS = {1: jnp.int8, 2: jnp.int16, 4: jnp.int32, 8: jnp.int64}


class Forward(NamedTuple):
    """Statistics of one layer's pre-activations z and activations h = φ(z).

    Attributes:
        preact_mean: Mean of z over batch and units.
        preact_log10_std: log10 of the standard deviation of z.
        act_mean: Mean of h.
        act_log10_std: log10 of the standard deviation of h.
        act_log10_rms: log10 of the root mean square of h.
        zero_fraction: Share of entries of h that are exactly 0.
        saturated_fraction: Share of units with |φ′(z)| < 0.02 sup |φ′|.
        cosine: Cosine similarity of h between two inputs, mean over all pairs
            of inputs that are not all 0.
        finite: Whether every entry of z and h is finite.
        flushed: Whether all z are 0 though weights and inputs are not: the
            products fell below the smallest normal float.
    """

    preact_mean: Array
    preact_log10_std: Array
    act_mean: Array
    act_log10_std: Array
    act_log10_rms: Array
    zero_fraction: Array
    saturated_fraction: Array
    cosine: Array
    finite: Array
    flushed: Array


class Backward(NamedTuple):
    """Statistics of the gradient of the mean loss at one layer.

    Attributes:
        delta_log10_rms: log10 of the root mean square of ∂L/∂z.
        weight_grad_log10_norm: log10 of the L2 norm of ∂L/∂W.
        delta_flushed: Whether the gradient became all 0 in this layer because
            it fell below the smallest normal float.
    """

    delta_log10_rms: Array
    weight_grad_log10_norm: Array
    delta_flushed: Array


class Incoming(NamedTuple):
    """Inner products of a batch of activations h, divided by the largest entry.

    With h_a = h̄ + h̃_a around the mean h̄ over the batch, so that near-identical
    inputs lose no digits.

    Attributes:
        around: [B, B] products h̃_a·h̃_b.
        along: [B] products h̃_a·h̄.
        mean: |h̄|².
        log10_scale: log10 of the largest entry.
    """

    around: Array
    along: Array
    mean: Array
    log10_scale: Array


def largest(x: Array) -> Array:
    """Largest absolute entry; nan if there is a nan.

    Of the bits, as non-negative floats are ordered like their bits and nan comes last:
    XLA's maximum on CPU passes over nan, and to look for one takes another pass.
    """
    size = jnp.abs(x)
    kind = _WORDS[size.dtype.itemsize]
    # The modulus of a complex nan may keep its sign.
    words = jax.lax.bitcast_convert_type(size, kind) & jnp.iinfo(kind).max
    return jax.lax.bitcast_convert_type(jnp.max(words), size.dtype)


def _unit(x: Array) -> tuple[Array, Array]:
    """X divided by its largest entry, and that entry.

    In two steps, the first by a power of two: compilers turn a division into a
    product with the reciprocal, which is flushed to 0 for a top above 2^126.
    """
    top = largest(x)
    power = jnp.where(top > 2.0**60, 2.0**-60, jnp.where(top < 2.0**-60, 2.0**60, 1))
    power = power.astype(x.dtype)
    usable = (top > 0) & jnp.isfinite(top)
    return (x * power) / jnp.where(usable, top * power, 1), top


def log10_rms(x: Array) -> Array:
    """log10 √(mean x²) over all entries."""
    unit, top = _unit(x)
    return jnp.where(jnp.isfinite(top), _log10_scaled(top, jnp.mean(unit**2)), top)


def _log10_scaled(top: Array, square: Array) -> Array:
    return jnp.log10(top) + jnp.log10(square) / 2


def _moments(x: Array) -> tuple[Array, Array, Array]:
    """Mean, log10 standard deviation, log10 root mean square."""
    unit, top = _unit(x)
    mean = jnp.mean(unit)
    variance, square = jnp.mean((unit - mean) ** 2), jnp.mean(unit**2)
    finite = jnp.isfinite(top)
    return (
        jnp.where(finite, mean * top, jnp.nan),
        jnp.where(finite, _log10_scaled(top, variance), top),
        jnp.where(finite, _log10_scaled(top, square), top),
    )


def incoming(h: Array) -> Incoming:
    """What the norm of a weight gradient needs of the activations, axis 0 over inputs."""
    unit, top = _unit(h.reshape(h.shape[0], -1))
    mean = jnp.mean(unit, axis=0)
    around = unit - mean
    return Incoming(
        around=jnp.matmul(around, around.T, precision="highest"),
        along=jnp.matmul(around, mean, precision="highest"),
        mean=jnp.sum(mean**2),
        log10_scale=jnp.log10(top),
    )


def delta_norms(h: Incoming, delta: Array) -> tuple[Array, Array]:
    """log10 of √(mean δ²), and of the L2 norm of hᵀδ without the product itself.

        ‖hᵀδ‖² = Σ_ab (h_a·h_b)(δ_a·δ_b)
               = Σ_ab (h̃_a·h̃_b)(δ_a·δ_b) + 2 Σ_a (h̃_a·h̄)(δ_a·s) + |h̄|²|s|²

    with s = Σ_a δ_a: B²·n operations instead of B·n². Summing δ before squaring
    keeps the digits when the δ of near-identical inputs cancel.
    """
    unit, top = _unit(delta.reshape(delta.shape[0], -1))
    total = jnp.sum(unit, axis=0)
    products = jnp.matmul(unit, unit.T, precision="highest")
    crossed = jnp.sum(h.along * jnp.matmul(unit, total, precision="highest"))
    square = jnp.sum(h.around * products) + 2 * crossed + h.mean * jnp.sum(total**2)
    norm = h.log10_scale + jnp.log10(top) + jnp.log10(jnp.maximum(square, 0)) / 2
    mean = jnp.trace(products) / delta.size
    return jnp.where(jnp.isfinite(top), _log10_scaled(top, mean), top), norm


def mean_cosine(h: Array) -> Array:
    """Mean cosine over pairs of different inputs, those that are all 0 left out.

    nan if no pair is left, as in a batch of one.
    """
    rows = h.reshape(h.shape[0], -1)
    unit, tops = jax.vmap(_unit)(rows)
    norms = jnp.sqrt(jnp.sum(unit**2, axis=1))
    live = tops > 0
    rows = unit / jnp.where(live, norms, 1)[:, None]
    pairs = jnp.triu(live[:, None] & live, 1)
    cosines = jnp.matmul(rows, rows.T, precision="highest")
    return jnp.sum(jnp.where(pairs, cosines, 0)) / jnp.sum(pairs)


def forward_statistics(z: Array, h: Array, flat: Array, underflow: Array) -> Forward:
    """All forward statistics of one layer of one network.

    Args:
        z: Pre-activations, axis 0 over inputs.
        h: Activations φ(z).
        flat: Which units are saturated.
        underflow: Whether z must be nonzero: weights and inputs are.
    """
    mean, std, _ = _moments(z)
    act_mean, act_std, act_rms = _moments(h)
    top = largest(z)
    return Forward(
        preact_mean=mean,
        preact_log10_std=std,
        act_mean=act_mean,
        act_log10_std=act_std,
        act_log10_rms=act_rms,
        zero_fraction=jnp.mean(h == 0),
        saturated_fraction=jnp.mean(flat),
        cosine=mean_cosine(h),
        finite=jnp.isfinite(top) & jnp.isfinite(largest(h)),
        flushed=(top == 0) & underflow,
    )


def steepest_slope(activation: NamedActivation) -> float:
    """Sup |φ′| over [-8, 8], where all but squared_relu have their steepest point."""
    return float(np.abs(on_host(activation, 1)(np.linspace(-8, 8, 4001))).max())


def lost_in_underflow(g: Array, slope: Array, delta: Array, below: Array) -> Array:
    """Whether the gradient of one network became all 0 in a layer by underflow.

    Args:
        g: ∂L/∂h of the layer.
        slope: φ′(z).
        delta: ∂L/∂z = g φ′(z).
        below: ∂L/∂h of the layer below.
    """
    at_slope = jnp.any((g != 0) & (slope != 0)) & (largest(delta) == 0)
    return at_slope | ((largest(delta) > 0) & (largest(below) == 0))
