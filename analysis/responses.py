"""Rates per layer from differences that networks carry from layer to layer."""

from typing import NamedTuple

import numpy as np


class Rate(NamedTuple):
    """A factor per layer with its standard error."""

    factor: float
    error: float

    @property
    def depth(self) -> float:
        """Layers ξ = -1/ln(factor) over which the difference falls by e; inf from 1 on."""
        return -1 / np.log(self.factor) if 0 < self.factor < 1 else float("inf")

    @property
    def depth_error(self) -> float:
        """Standard error of ``depth``."""
        if not 0 < self.factor < 1:
            return float("nan")
        return self.depth**2 * self.error / self.factor


def rate(
    differences: np.ndarray, *, every: int = 1, least: float = 0.0, steps: int | None = None
) -> Rate:
    """The factor χ by which a difference is multiplied per layer.

        d_{ℓ+1} = χ d_ℓ + noise of layer ℓ + 1

    Each step from one recorded layer to the next is a ratio r of means over seeds with
    its own error, the spread of d_{ℓ+1} - r d_ℓ over seeds; these errors of one layer's
    weights are independent of those of another, so that the mean of the ratios weighted
    by inverse squared errors is the best of all, and its error follows. Steps in which
    the difference has drowned weigh nothing, so that no window has to be chosen.

    Args:
        differences: d [seed, recorded layer].
        every: Layers from one record to the next.
        least: Steps from a mean below this are left out, for float32's sake.
        steps: The first so many steps only.

    Returns:
        nan if no step can be used.

    Example:
        >>> noise = np.random.default_rng(0).normal(1, 0.1, (100, 1))
        >>> found = rate(noise * 0.5 ** np.arange(5) + 0 * noise)
        >>> round(found.factor, 12)
        0.5
    """
    now, then = differences[:, :-1][:, :steps], differences[:, 1:][:, :steps]
    mean, seeds = now.mean(0), len(now)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratio = then.mean(0) / mean
        spread = (then - ratio * now).std(0, ddof=1)
        floor = 1e-9 * np.abs(then).max(0)  # of steps that all seeds take alike
        weight = np.square(mean / np.maximum(spread, floor))
    good = np.isfinite(ratio) & np.isfinite(weight) & (np.abs(mean) > least)
    total = weight[good].sum()
    if not total > 0 or (factor := (weight[good] @ ratio[good]) / total) <= 0:
        return Rate(float("nan"), float("nan"))
    error = 1 / np.sqrt(seeds * total)
    return Rate(
        float(factor ** (1 / every)), float(factor ** (1 / every) * error / factor / every)
    )
