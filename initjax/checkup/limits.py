"""How far a signal may drift before it hurts, and what an architecture makes normal.

All numbers are decades of an rms. What is normal is added to ``HARMFUL``, so that a
verdict needs a drift that neither width, nor borders, nor averages explain.
"""

import math

from initjax.checkup.trunk import Trunk, kernel_of
from initjax.probes.sites import Site
from initjax.probes.trace import Trace

HARMFUL = 3 / math.log(10)
"""Networks train down to 6 depth scales (Schoenholz et al. 2017): a squared signal or
gradient then changes by e⁶, an rms by e³ = 20, which is 1.3 decades."""

GAP = 6 / math.log(10)
"""The same of 1 - cosine, which is a square: e⁶, 2.6 decades."""

STREAM = math.log10(2)
"""A stream whose second moment grows in proportion to depth, as behind a normalization,
gains ½ log10 2 over its second half; twice that is what the whole counts."""

_KURTOSIS = 5.0  # E φ⁴/(E φ²)² - 1 of ReLU, the largest of the usual activations


def narrowness(trace: Trace, trunk: Trunk) -> float:
    """Σ 1/n over the levels, n units each."""
    sizes = {leaf.path: math.prod(leaf.shape) for leaf in trace.parameters}
    return sum(1 / _units(trace.sites[i], sizes) for i in trunk.levels)


def _units(site: Site, sizes: dict[str, int]) -> int:
    """Units of a layer, those of all heads together."""
    last = site.shape[-1] if site.shape else 1
    if site.weights and site.fan_in and site.weights[0] in sizes:
        return max(sizes[site.weights[0]] // site.fan_in, last, 1)
    return max(last, 1)


def finite_width(trace: Trace, trunk: Trunk) -> float:
    """Shift of a typical logarithm that width alone makes.

        ½ · ½ k Σ 1/n / ln 10,    k = 5 as for ReLU

    References:
        Hanin & Rolnick (2018), arXiv:1803.01719; see ``meanfield.log_length_moments``.
    """
    return _KURTOSIS / 4 * narrowness(trace, trunk) / math.log(10)


def spread(trace: Trace, trunk: Trunk) -> float:
    """Standard deviation of log10 rms over networks: ½ √(k Σ 1/n) / ln 10."""
    return math.sqrt(_KURTOSIS * narrowness(trace, trunk)) / 2 / math.log(10)


def averaging(trace: Trace, trunk: Trunk) -> float:
    """What attention may take: an average of T equal shares leaves 1/√T of an rms."""
    fans = [trace.sites[i].fan_in or 1 for i in trunk.path if _averages(trace.sites, i)]
    return sum(math.log10(fan) for fan in fans) / 2


def _averages(sites: tuple[Site, ...], at: int) -> bool:
    """Whether a site sums a signal with shares that a softmax makes."""
    if sites[at].kind != "mixing":
        return False
    return any(sites[i].kind == "softmax" for i in sites[at].parents)


def borders(trace: Trace, trunk: Trunk) -> float:
    """What zeros around images take, of a second moment, on each axis of W pixels.

        λ = (1/k) Σ_j cos(j π / (W + 1)),   |j| ≤ (k - 1)/2

    is left by a layer with a window of k pixels: the largest eigenvalue of the averages
    over windows that He's law makes.
    """
    shapes = {leaf.path: leaf.shape for leaf in trace.parameters}
    total, before = 0.0, tuple[int, ...]()
    for at in trunk.levels:
        site = trace.sites[at]
        space = site.shape[1:-1]
        if site.kind == "conv" and space == before:
            windows = shapes.get(kernel_of(site) or "", ())[-2 - len(space) : -2]
            for window, pixels in zip(windows, space, strict=False):
                total -= math.log10(_kept(window, pixels)) / 2
        before = space
    return total


def _kept(window: int, pixels: int) -> float:
    reach = (window - 1) // 2
    angles = [j * math.pi / (pixels + 1) for j in range(-reach, reach + 1)]
    # A window wider than the image reaches beyond its first zero.
    inside = [math.cos(angle) for angle in angles if abs(angle) < math.pi / 2]
    return sum(inside) / len(angles)
