"""Exact laws of one input in a narrow network, for positively homogeneous activations.

    z = W h,  √fan_in · W ~ N(0, σ_w²),  h' = φ(z),  φ(x) = α x for x ≥ 0, β x below

The mean square of h' over that of h does not depend on h, so that the logarithm of a
length is a random walk over layers. Any other activation, biases and gradients, to
first order in 1/width, are in ``fluctuations``.
"""

import math
from collections.abc import Callable

import numpy as np

from initjax.activations import resolve
from initjax.quadrature import on_host
from initjax.typing import Array, HostArray

_STEP = 1 / 64  # of the trapezoidal rule, which converges exponentially here
_REACH = 40.0  # e^-40 is below rounding


def log_length_moments(
    activation: str | Callable[[Array], Array],
    widths: HostArray | int,
    *,
    sigma_w: float | None = None,
) -> tuple[HostArray, HostArray]:
    """Exact mean and variance of the log length of one input, without biases.

        R = (|h_L|² / n_L) / (|h_0|² / n_0),    ln R = Σ_l ln(σ_w² X_l / n_l)

    with X_l = α² χ²_K + β² χ²_{n_l-K} and K ~ Binomial(n_l, ½) the number of
    positive units. Where β = 0 a layer can be all zero: the moments are those
    given that it is not, K ≥ 1. E R = 1 at the default σ_w, and yet E ln R < 0:
    the typical network shrinks, by 5/(2n) a layer for ReLU.

    Args:
        activation: φ, positively homogeneous: identity, relu, leaky_relu(a), abs
            or a callable of that kind.
        widths: Units n_l ≥ 1 of the layers after the input, on the last axis.
        sigma_w: Standard deviation of √fan_in · W; by default the critical one,
            √(2/(α² + β²)), at which E R = 1.

    Returns:
        Mean and variance of ln R in float64, summed over the last axis.

    Raises:
        ValueError: for an activation that is not homogeneous, for a width below 1
            and a sigma_w that is not positive.

    Example:
        >>> mean, variance = log_length_moments("relu", [100] * 50)
        >>> round(float(mean), 6), round(float(variance), 6)
        (-1.271044, 2.597)

    References:
        Hanin & Rolnick (2018), arXiv:1803.01719; Sussillo & Abbott (2014),
        arXiv:1412.6558, for the mean.
    """
    alpha, beta = homogeneous_slopes(activation)
    n = _checked(widths)
    gain = math.sqrt(2 / (alpha**2 + beta**2)) if sigma_w is None else float(sigma_w)
    if not (math.isfinite(gain) and gain > 0):
        raise ValueError(f"sigma_w must be finite and > 0; got sigma_w={sigma_w!r}")
    small, large = sorted((alpha**2, beta**2))
    distinct, place = np.unique(n, return_inverse=True)
    found = [_log_moments(int(one), small / large) for one in distinct]
    mean, variance = np.array(found).reshape(-1, 2).T
    mean = mean + 2 * math.log(gain) + math.log(large) - np.log(distinct)
    return (
        mean[place].reshape(n.shape).sum(-1),
        variance[place].reshape(n.shape).sum(-1),
    )


def second_moment_growth(
    activation: str | Callable[[Array], Array], widths: HostArray | int
) -> HostArray:
    """Second moment of the length of one input, without biases, at critical σ_w.

        E R² = Π_l (1 + k/n_l),    k = E φ(z)⁴ / (E φ(z)²)² - 1

    with R as in ``log_length_moments``, E R = 1; k is 5 for ReLU, 2 for a linear
    network. The law has a heavy tail: the average over few networks falls short.

    Args:
        activation: φ, positively homogeneous.
        widths: Units n_l ≥ 1 of the layers after the input, on the last axis.

    Raises:
        ValueError: for an activation that is not homogeneous, and a width below 1.

    Example:
        >>> round(float(second_moment_growth("relu", [100] * 50)), 10)
        11.4673997858

    References:
        Hanin & Rolnick (2018), arXiv:1803.01719.
    """
    alpha, beta = homogeneous_slopes(activation)
    kurtosis = 6 * (alpha**4 + beta**4) / (alpha**2 + beta**2) ** 2 - 1
    return np.exp(np.sum(np.log1p(kurtosis / _checked(widths)), axis=-1))


def homogeneous_slopes(
    activation: str | Callable[[Array], Array],
) -> tuple[float, float]:
    """α and β of φ(x) = α x for x ≥ 0 and β x below.

    Raises:
        ValueError: if φ has another form, or is 0 everywhere.

    Example:
        >>> homogeneous_slopes("leaky_relu(0.25)")
        (1.0, 0.25)

    References:
        He et al. (2015), arXiv:1502.01852, eq. (1).
    """
    named = resolve(activation)
    x = np.geomspace(2.0**-20, 2.0**20, 41)
    right, left = on_host(named)(np.stack([x, -x])) / np.stack([x, -x])
    straight = np.allclose([right, left], [[right[0]], [left[0]]], rtol=1e-12, atol=0)
    if not (straight and np.isfinite([right[0], left[0]]).all() and (right[0] or left[0])):
        raise ValueError(
            f"activation {named.name!r} is not positively homogeneous, φ(s·x) = s·φ(x) "
            "for s > 0; its laws are known to first order in 1/width only, see "
            "log_fluctuations"
        )
    return float(right[0]), float(left[0])


def _checked(widths: HostArray | int) -> HostArray:
    n = np.atleast_1d(np.asarray(widths))
    if not (np.issubdtype(n.dtype, np.integer) and np.all(n >= 1)):
        raise ValueError(f"widths must be whole numbers >= 1; got widths={widths!r}")
    return n


def _log_moments(n: int, ratio: float) -> tuple[float, float]:
    """Mean and variance of ln(χ²_{n-K} + ratio · χ²_K), 0 ≤ ratio ≤ 1."""
    from scipy import special  # slow to import, and few need it

    if ratio == 1:
        return special.digamma(n / 2) + math.log(2), special.polygamma(1, n / 2)
    if ratio > 0:
        return _by_survival(n, ratio)
    k = np.arange(1, n + 1)
    log_weight = -special.betaln(k + 1, n - k + 1) - math.log(n + 1) - n * math.log(2)
    weight = np.exp(log_weight)
    weight /= weight.sum()
    means = special.digamma(k / 2)
    mean = float(weight @ means)
    within = weight @ special.polygamma(1, k / 2)
    return mean + math.log(2), float(within + weight @ (means - mean) ** 2)


def _by_survival(n: int, ratio: float) -> tuple[float, float]:
    """From the Laplace transform of X, M(t) = E exp(-t X).

    With ε exponential and independent of X, P(ln(c ε/X) > x) = M(eˣ/c), while
    P(ln ε > x) = exp(-eˣ): what the integrals of both differ by are moments of ln X.
    """
    c = n * (1 + ratio) / 2
    low, high = -_REACH, _REACH * (1 + 2 / n) - math.log(ratio)
    x = np.arange(low, high, _STEP)
    t = 2 * np.exp(x) / c
    halves = np.expm1(-np.log1p(t) / 2) + np.expm1(-np.log1p(ratio * t) / 2)
    with np.errstate(divide="ignore"):  # where M is 0
        log_transform = np.log1p(halves / 2)
    excess = np.exp(n * log_transform) - np.exp(-np.exp(np.minimum(x, 7)))
    first, second = np.sum(excess) * _STEP, np.sum(2 * x * excess) * _STEP
    variance = second + 2 * np.euler_gamma * first - first**2
    return float(math.log(c) - first), float(variance)
