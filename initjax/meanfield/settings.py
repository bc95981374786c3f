"""Checks of the settings of a layer: σ_w, σ_b and dropout."""

import numpy as np

from initjax.typing import HostArray


def checked_sigma(argument: str, value: HostArray | float) -> HostArray:
    """A standard deviation in float64.

    Raises:
        ValueError: if an entry is negative or not finite.
    """
    sigma = np.asarray(value, np.float64)
    if not np.all(np.isfinite(sigma) & (sigma >= 0)):
        raise ValueError(
            f"{argument} must be a finite standard deviation >= 0; got {argument}={value!r}"
        )
    return sigma


def checked_keep(value: HostArray | float) -> HostArray:
    """A probability to keep a unit, in float64.

    Raises:
        ValueError: if an entry is not in (0, 1].
    """
    keep = np.asarray(value, np.float64)
    if not np.all((keep > 0) & (keep <= 1)):
        raise ValueError(
            "keep must be the probability that dropout keeps a unit, in (0, 1]; "
            f"got keep={value!r}"
        )
    return keep
