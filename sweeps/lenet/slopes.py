"""What becomes of a signal from convolution to convolution, and where float32 ends."""

import numpy as np

from initjax.typing import HostArray

_STEM = 2  # convolutions before the modules


def decades(record: HostArray, modules: int) -> float:
    """Decades that a record of the convolutions of the modules grows by, per convolution.

        Σ (l - l̄) (y - ȳ) / Σ (l - l̄)²

    with means of their own for the first and for the second convolutions of the modules,
    which differ where there are shortcuts.

    Args:
        record: log10 of a scale of each layer, from the input on.
        modules: N.

    Returns:
        The slope over the values that are finite; nan if fewer than two modules have any.

    Example:
        >>> decades(np.array([9.0, 9, 0, 5, 2, 7, 4, 9, 9, 9]), 3)
        1.0
    """
    values = np.asarray(record, np.float64)[_STEM : _STEM + 2 * modules].reshape(-1, 2)
    place = np.arange(values.size, dtype=float).reshape(-1, 2)
    above = below = 0.0
    for y, x in zip(values.T, place.T, strict=True):
        x, y = x[np.isfinite(y)], y[np.isfinite(y)]
        if len(y):
            above += ((x - x.mean()) * (y - y.mean())).sum()
            below += ((x - x.mean()) ** 2).sum()
    return float(above / below) if below else float("nan")


def first_lost(record: HostArray) -> int:
    """The first layer, from 1, whose values are all 0 or not finite; 0 if there is none.

    Example:
        >>> first_lost(np.array([0.0, -40, -np.inf])), first_lost(np.zeros(3))
        (3, 0)
    """
    lost = np.flatnonzero(~np.isfinite(record))
    return int(lost[0]) + 1 if len(lost) else 0


def last_lost(record: HostArray) -> int:
    """The last such layer: for what comes back it is the first on the way.

    Example:
        >>> last_lost(np.array([-np.inf, -np.inf, -40, 0.0]))
        2
    """
    lost = np.flatnonzero(~np.isfinite(record))
    return int(lost[-1]) + 1 if len(lost) else 0
