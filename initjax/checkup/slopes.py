"""How much a logarithm drifts over depth, with its interval over random networks."""

from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray

LEVEL = 0.95
"""Of every interval."""


class Estimate(NamedTuple):
    """A mean over networks and the ends of its interval.

    Attributes:
        mean: The mean.
        low: Lower end, -inf where too little is known.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """``-1.2 [-1.4, -1.0]``."""
        return f"{self.mean:.3g} [{self.low:.3g}, {self.high:.3g}]"


def student(samples: HostArray, spread: float = 0.0) -> Estimate:
    """Mean of the finite samples and its interval by Student's t.

        mean ± t_{(1 + level)/2, n-1} s / √n

    Args:
        samples: One number a network.
        spread: Standard deviation that the theory gives one network; it is used in place
            of s where there are fewer than three networks, whose own s says little.

    Example:
        >>> student(np.array([1.0, 2.0, 3.0])).text
        '2 [-0.484, 4.48]'
    """
    from scipy import special  # slow to import, and few need it

    known = samples[np.isfinite(samples)]
    n = len(known)
    if n == 0:
        return Estimate(np.nan, -np.inf, np.inf)
    mean = float(known.mean())
    if n < 3:
        half = special.ndtri((1 + LEVEL) / 2) * spread / np.sqrt(n)
    else:
        half = special.stdtrit(n - 1, (1 + LEVEL) / 2) * known.std(ddof=1) / np.sqrt(n)
    return Estimate(mean, mean - float(half), mean + float(half))


def drifts(values: HostArray, *, late: bool = False) -> HostArray:
    """Change of each row over all columns, by a straight line through its finite values.

        slope of the least squares line × (columns - 1)

    Args:
        values: [network, layer] logarithms; what is not finite is left out.
        late: Whether the slope is that of the second half: a power of depth, which bends,
            then counts as ½ log 2 · 2 · exponent, while an exponential counts whole.

    Returns:
        [network]; nan with fewer than two finite values.

    Example:
        >>> drifts(np.array([[0.0, 1.0, 2.0, 3.0]])).tolist()
        [3.0]
    """
    first = values.shape[1] // 2 if late and values.shape[1] >= 6 else 0
    x = np.arange(values.shape[1], dtype=np.float64)
    return np.array([_slope(x[first:], row[first:]) for row in values]) * (len(x) - 1)


def _slope(x: HostArray, y: HostArray) -> float:
    known = np.isfinite(y)
    if known.sum() < 2:
        return np.nan
    x, y = x[known] - x[known].mean(), y[known]
    return float(x @ y / (x @ x))
