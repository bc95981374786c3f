"""Exact and limiting laws of random vectors and matrices that are nearly orthogonal."""

import numpy as np
from scipy.special import digamma, gammaln
from scipy.stats import kstwo

from initjax.meanfield import variance_map

EDELMAN = 1.537
"""E ln cond − ln n of Gaussian n × n as n grows (Edelman 1988)."""
ATOMS = {
    "rademacher": "rademacher: cos θ is on a lattice",
    "sparse": "sparse: atoms at 0°, 90°, 180°",
}
"""Laws of which the angle has no density, and what it has at small n."""


def angle_density(theta: np.ndarray, n: int) -> np.ndarray:
    """Density of the angle of two Gaussian vectors, sinⁿ⁻²θ Γ(n/2) / (√π Γ((n−1)/2))."""
    constant = gammaln(n / 2) - gammaln((n - 1) / 2) - np.log(np.pi) / 2
    with np.errstate(divide="ignore"):
        return np.exp(constant + (n - 2) * np.log(np.clip(np.sin(theta), 0, None)))


def gram_moments(kurtosis: float, m: int, n: int) -> tuple[float, float]:
    """Mean squares of the entries of WᵀW − I: of all, and of those on its diagonal.

    Args:
        kurtosis: κ of independent entries of variance 1/m; nan for orthogonal rows or
            columns, of that variance too.
        m: Rows.
        n: Columns.
    """
    if np.isnan(kurtosis):  # √(n/m) times a projection, where m < n
        return (0.0, 0.0) if m >= n else (1 / m - 1 / n, 2 * (n - m) / (m * (n + 2)))
    diagonal = (kurtosis - 1) / m
    return (n - 1) / (n * m) + diagonal / n, diagonal


def norm_moments(kurtosis: float, m: int, n: int, drawn: int) -> tuple[float, float]:
    """Mean and standard deviation of r = ‖Wx‖/‖x‖ for Gaussian x.

    Exact for κ = 3, that of Gaussian entries, and for orthonormal columns; else by
    E r² = 1, Var r² and two terms of Taylor's series of the root.

    Args:
        kurtosis: κ of the entries, nan if orthogonal.
        m: Rows.
        n: Columns.
        drawn: Entries of x that are not 0.
    """
    if kurtosis == 3:
        mean = float(np.sqrt(2 / m) * np.exp(gammaln((m + 1) / 2) - gammaln(m / 2)))
        return mean, float(np.sqrt(1 - mean**2))
    square = norm_error(kurtosis, m, n, drawn)
    return 1 - square / 8, float(np.sqrt(square) / 2)


def norm_error(kurtosis: float, m: int, n: int, drawn: int) -> float:
    """Variance of r² = ‖Wx‖²/‖x‖² for Gaussian x, (2 + (κ − 3) E Σx⁴/‖x‖⁴)/m."""
    if np.isnan(kurtosis):
        return gram_moments(kurtosis, m, n)[1]
    return (2 + (kurtosis - 3) * 3 / (drawn + 2)) / m


def value_density(s: np.ndarray, m: int, n: int) -> np.ndarray:
    """Density of the min(m, n) singular values, as m and n grow (Marchenko & Pastur)."""
    y = n / m
    low, high = (1 - np.sqrt(y)) ** 2, (1 + np.sqrt(y)) ** 2
    inside = np.clip((high - s**2) * (s**2 - low), 0, None)
    return np.sqrt(inside) / (np.pi * min(y, 1) * np.where(s > 0, s, 1))


def least_cdf(t: np.ndarray) -> np.ndarray:
    """P(n s ≤ t) of the least singular value s of Gaussian n × n (Edelman 1988)."""
    return -np.expm1(-(t**2) / 2 - t)


def kolmogorov(count: int) -> float:
    """How far from the law 95 % of the empirical laws of so many values keep everywhere."""
    return float(kstwo.ppf(0.95, count))


def rates(n: int) -> tuple[float, float]:
    """Mean change of ln ‖x‖ and of ln sin θ in a layer of Gaussian n × n, both exact."""
    first, second = (digamma((n - i) / 2) / 2 for i in (0, 1))
    return first + np.log(2 / n) / 2, second - first


def plain_lengths(activation: str, layers: np.ndarray) -> list[float]:
    """RMS of h after each layer without any gain, in the limit of infinite width."""
    squares = [1.0]
    for _ in range(int(layers.max())):
        squares.append(float(variance_map(squares[-1], activation, sigma_w=1.0)))
    return [squares[layer] ** 0.5 for layer in layers]
