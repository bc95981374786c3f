"""Checks of the settings of a layer: σ_w, σ_b and dropout."""

import numpy as np

from initjax.typing import HostArray

_TINY = 1e-30  # φ′ at 0 itself would be read from one side


def checked_number(argument: str, value: HostArray | float) -> float:
    """A number, of a function that does not take arrays.

    Raises:
        ValueError: for anything else.
    """
    if np.ndim(value) or not np.issubdtype(np.asarray(value).dtype, np.number):
        raise ValueError(f"{argument} must be one number; got {argument}={value!r}")
    return float(value)


def off_zero(q: HostArray | float) -> HostArray:
    """Second moments with a tiny one for 0, where a slope has a limit only as q → 0."""
    q = np.asarray(q, np.float64)
    return np.where(q == 0, _TINY, q)


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
