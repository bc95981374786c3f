"""Law of one entry of a kernel: what a test of the sampler compares with."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray, Shape


class Law(NamedTuple):
    """Law of an entry picked at random from a kernel, before the cast to its dtype.

    For a complex kernel: variance E |x - mean|², kurtosis E |x - mean|⁴ /
    variance², and support and cdf are those of |x - mean|.

    Attributes:
        mean: E x.
        variance: E (x - mean)².
        kurtosis: E (x - mean)⁴ / variance², 3 for a Gaussian; nan if constant.
        support: Smallest and largest possible value.
        cdf: P(entry ≤ x) of float64 arrays x.
    """

    mean: float
    variance: float
    kurtosis: float
    support: tuple[float, float]
    cdf: Callable[[HostArray], HostArray]


class Facts(NamedTuple):
    """A base law of second moment 1, symmetric around 0, given the shape.

    Attributes:
        kurtosis: Fourth moment.
        reach: Largest absolute value.
        cdf: P(entry ≤ x); of the modulus for complex entries.
        modulus: Whether the entries are complex.
    """

    kurtosis: Callable[[Shape], float]
    reach: Callable[[Shape], float]
    cdf: Callable[[HostArray, Shape], HostArray]
    modulus: bool = False


def mixture(facts: Facts, shape: Shape, mean: HostArray, scale: HostArray) -> Law:
    """Law of mean + scale · base, for an entry picked at random.

    Args:
        facts: Of the base.
        shape: Of the kernel.
        mean: Mean of each entry; broadcasts to ``shape``.
        scale: Root mean square of each entry around its mean.

    Raises:
        ValueError: for a kernel without entries.
    """
    if 0 in shape:
        raise ValueError(f"a kernel of shape {shape} has no entries, hence no law")
    # A pair as a complex number: np.unique sorts those, and pairs only slowly.
    pairs = np.asarray(mean, np.float64) + 1j * np.asarray(scale, np.float64)
    found, counts = np.unique(pairs, return_counts=True)
    means, scales, weights = found.real, found.imag, counts / counts.sum()
    center = float(weights @ means)
    off, kurtosis = means - center, facts.kurtosis(shape)
    largest = max(float(np.abs([scales, off]).max()), 1e-300)
    s, d = scales / largest, off / largest  # no square over- or underflows
    relative = float(weights @ (s**2 + d**2))
    fourth = float(weights @ (kurtosis * s**4 + 6 * s**2 * d**2 + d**4))
    reach = np.where(scales == 0, 0.0, np.abs(scales) * facts.reach(shape))

    def cdf(x: HostArray) -> HostArray:
        total = np.zeros(np.shape(x))
        for m, s, weight in zip(means, scales, weights, strict=True):
            spread = np.asarray(x, np.float64) - m
            part = facts.cdf(spread / s, shape) if s else np.where(spread >= 0, 1.0, 0.0)
            total = total + weight * part
        return total

    ratio = fourth / relative**2 if relative else float("nan")
    least = 0.0 if facts.modulus else float((means - reach).min())
    support = least, float((means + reach).max())
    return Law(center, relative * largest * largest, ratio, support, cdf)


def diluted(facts: Facts, shape: Shape, scale: float, fraction: float) -> Law:
    """Law of an entry that is scale · base with this probability and 0 otherwise.

    Args:
        facts: Of the base.
        shape: That the base is drawn in.
        scale: Root mean square of the entries that are not 0.
        fraction: Of entries that are not 0.
    """
    full = mixture(facts, shape, np.zeros(()), np.asarray(scale, np.float64))

    def cdf(x: HostArray) -> HostArray:
        return fraction * full.cdf(x) + (1 - fraction) * (np.asarray(x) >= 0)

    kurtosis = full.kurtosis / fraction if fraction else float("nan")
    return Law(0.0, fraction * full.variance, kurtosis, full.support, cdf)


def discrete(counts: Mapping[float, int]) -> Law:
    """Law of an entry picked at random from a kernel that holds each value so often."""
    x = np.array(sorted(value for value, count in counts.items() if count), np.float64)
    weights = np.array([counts[value] for value in x]) / sum(counts.values())
    mean = float(weights @ x)
    variance = float(weights @ (x - mean) ** 2)
    fourth = float(weights @ (x - mean) ** 4)
    below = np.concatenate([[0.0], np.cumsum(weights)])

    def cdf(at: HostArray) -> HostArray:
        return below[np.searchsorted(x, at, side="right")]

    kurtosis = fourth / variance**2 if variance else float("nan")
    return Law(mean, variance, kurtosis, (float(x[0]), float(x[-1])), cdf)
