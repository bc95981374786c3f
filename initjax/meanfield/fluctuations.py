"""How far networks of finite width scatter around the mean field, to order 1/width.

Given layer ℓ the units of layer ℓ + 1 are independent, so that ln q is a random walk:
each step adds an error of variance ~ 1/n, and the elasticity of the length map passes
older errors on. Exact laws of homogeneous activations are in ``finite_width``.
"""

from collections.abc import Callable
from itertools import accumulate
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from initjax.activations import resolve
from initjax.meanfield.layer_noise import Layers
from initjax.meanfield.maps import variance_map
from initjax.meanfield.random_walks import (
    gradient_correlation,
    gradient_covariance,
    gradient_mean_field,
    gradient_shift,
    length_covariance,
    length_shift,
)
from initjax.meanfield.smoothness import check_continuous
from initjax.typing import Array, HostArray

_SMALLEST, _LARGEST = 1e-76, 1e76  # of q: its fourth power must be in float64


class Spread(NamedTuple):
    """A natural logarithm over random networks, [layer, ...].

    Attributes:
        mean_field: Its value at infinite width; nan where q leaves [1e-76, 1e76].
        shift: Its mean over networks minus that, of order 1/width.
        variance: Its variance over networks, of order 1/width.
    """

    mean_field: HostArray
    shift: HostArray
    variance: HostArray

    def band(self, level: float = 0.9) -> tuple[HostArray, HostArray]:
        """Ends of the interval that holds a share ``level`` of the networks.

        Those of a normal law of the logarithm, to which sums over layers tend.

        Raises:
            ValueError: for a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1; got level={level!r}")
        middle = self.mean_field + self.shift
        # Rounding may leave a variance of 0, of orthogonal linear layers, below it.
        spread = np.sqrt(np.maximum(self.variance, 0))
        half = NormalDist().inv_cdf((1 + level) / 2) * spread
        return middle - half, middle + half


class Fluctuations(NamedTuple):
    """Lengths and gradients of random networks of one width.

    Attributes:
        length: ln q_ℓ, the second moment of the pre-activations of layer ℓ = 0 …
            depth given the layer before, that is σ_w² (mean h²_{ℓ-1}) + σ_b².
        gradient: ln of the mean square of ∂L/∂z_ℓ over that of the last layer,
            ℓ = 0 … depth - 1.
    """

    length: Spread
    gradient: Spread


def log_fluctuations(
    activation: str | Callable[[Array], Array],
    *,
    q: HostArray | float,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    width: HostArray | int,
    depth: int,
    batch: int = 1,
    c: HostArray | float = 0.0,
    rho: HostArray | float = 0.0,
    input_variance: HostArray | float = 0.0,
    orthogonal: HostArray | bool = False,
) -> Fluctuations:
    """Log-normal law of lengths and gradients at finite width, to order 1/width.

        v_{ℓ+1} = s² v_ℓ + Var[φ²] σ_w⁴ / (n V²)         s = d ln V / d ln q
        m_{ℓ+1} = s m_ℓ + ½ s′ v_ℓ - ½ Var[φ²] σ_w⁴ / (n V²)

    for variance v and shift m of ln q of one input, and Var[φ²] at √q z. Backward,
    ln δ²_ℓ - ln δ²_{ℓ+1} = ln χ₁(q_ℓ) + θ_ℓ with Var θ = (3 E φ′⁴/(E φ′²)² - 1)/n,
    where q_ℓ is that of the network and θ_ℓ depends on what layer ℓ adds to ln q.

    The mean over a batch has the variance (v + (B-1) w)/B, with the covariance w of
    two inputs by the same recursion. Higher orders are left out: L/n must be small.
    Backward weights are those of the forward pass; what this adds to the shift is
    counted for one input, and is of higher order in the variance.

    Args:
        activation: φ, by name or as any elementwise callable.
        q: Second moment > 0 of the first layer's pre-activations.
        sigma_w: Standard deviation of √fan_in · W of all later layers.
        sigma_b: Standard deviation of their biases.
        width: Units n of every layer.
        depth: Layers.
        batch: Inputs B over which second moments are averaged.
        c: Correlation of two of them in the first layer.
        rho: Correlation of ∂L/∂h at two of them in the last layer; for the cross
            entropy at random labels of C classes its mean square is 1/(C - 1).
        input_variance: Variance of ln q over inputs: 2/d for d normal entries.
        orthogonal: Whether weights are orthogonal instead of independent; any shape.

    Returns:
        ``length`` [depth + 1, ...] and ``gradient`` [depth, ...], of the shape to
        which q, sigma_w, sigma_b, width and the others are broadcast.

    Raises:
        ValueError: for q, sigma_w or width that are not positive, q < σ_b², |c| > 1,
            a depth or batch below 1, and an activation that jumps.

    Example:
        >>> seen = log_fluctuations("relu", q=1.0, sigma_w=2**0.5, width=100, depth=50)
        >>> seen.length.variance[[1, 50]].round(9).tolist()
        [0.05, 2.5]

    References:
        Hanin & Rolnick (2018), arXiv:1803.01719, for ReLU.
    """
    named = resolve(activation)
    given = (q, sigma_w, sigma_b, width, c, rho, input_variance, orthogonal)
    q, sigma_w, sigma_b, n, c, rho, start, haar = _checked(given, depth, batch)
    path = [q]
    for _ in range(depth):
        q = variance_map(
            np.where(_inside(q), q, 1.0), named, sigma_w=sigma_w, sigma_b=sigma_b
        )
        path.append(q)
    known = np.logical_and.accumulate(_inside(np.stack(path)))
    inside = np.where(known, np.stack(path), 1.0)
    check_continuous(named, inside)
    layers = Layers(named, inside[:-1], sigma_w, sigma_b, haar)
    noise = layers.noise()
    v = length_covariance(layers, noise, n, start)
    m = length_shift(layers, noise, n, v)
    down = gradient_covariance(layers, noise, n, v)
    drift = gradient_shift(layers, noise, n, v, m)
    if batch > 1:
        w, across = _between_inputs(layers, n, c, rho)
        m, v = _of_batch(m, v, w, batch)
        drift, down = _of_batch(drift, down, across, batch)
    fields = np.log(inside), gradient_mean_field(layers)
    whole = np.broadcast_to(known[-2], down.shape)  # the walk down begins at the last layer
    return Fluctuations(
        Spread(*(np.where(known, part, np.nan) for part in (fields[0], m, v))),
        Spread(*(np.where(whole, part, np.nan) for part in (fields[1], drift, down))),
    )


def _between_inputs(
    layers: Layers, n: HostArray, c: HostArray, rho: HostArray
) -> tuple[HostArray, HostArray]:
    """Covariances of two inputs, of ln q and of ln δ²."""
    correlations = list(
        accumulate(range(len(layers.q) - 1), layers.next_correlation, initial=c)
    )
    path = np.stack(correlations)
    noise = layers.noise(path, gradient_correlation(layers, path, n, rho))
    w = length_covariance(layers, noise, n, np.zeros_like(c))
    return w, gradient_covariance(layers, noise, n, w)


def _of_batch(
    shift: HostArray, variance: HostArray, covariance: HostArray, batch: int
) -> tuple[HostArray, HostArray]:
    """Shift and variance of the logarithm of the mean over a batch."""
    # Of its mean exponential, a logarithm that scatters within the batch loses nothing.
    within = (1 - 1 / batch) * (variance - covariance)
    return shift + within / 2, (variance + (batch - 1) * covariance) / batch


def _inside(q: HostArray) -> HostArray:
    return (q > _SMALLEST) & (q < _LARGEST)


def _checked(
    given: tuple[HostArray | float, ...], depth: int, batch: int
) -> list[HostArray]:
    """The arguments as float64 arrays of one shape."""
    q, sigma_w, sigma_b, n, c, rho, v, haar = np.broadcast_arrays(
        *(np.asarray(value, np.float64) for value in given)
    )
    for name, value in (("q", q), ("sigma_w", sigma_w), ("width", n)):
        if not np.all((value > 0) & np.isfinite(value)):
            raise ValueError(f"{name} must be finite and > 0; got {name}={value!r}")
    for name, value in (("sigma_b", sigma_b), ("input_variance", v)):
        if not np.all((value >= 0) & np.isfinite(value)):
            raise ValueError(f"{name} must be finite and >= 0; got {name}={value!r}")
    for name, value in (("c", c), ("rho", rho)):
        if not np.all(np.abs(value) <= 1):
            raise ValueError(f"{name} is a correlation, from -1 to 1; got {name}={value!r}")
    for name, count in (("depth", depth), ("batch", batch)):
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name} must be a whole number >= 1; got {name}={count!r}")
    if np.any(q < np.square(sigma_b)):
        raise ValueError(
            f"q must be at least sigma_b², which the biases alone make; got q={q!r}, "
            f"sigma_b={sigma_b!r}"
        )
    return [q, sigma_w, sigma_b, n, c, rho, v, haar]
