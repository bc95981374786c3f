"""How likely a ReLU network is dead from birth: some layer is zero for every input."""

import math

import numpy as np

from initjax.typing import HostArray


def dead_probability(widths: HostArray | int) -> HostArray:
    """Probability that some ReLU layer is all zero for one given input ≠ 0.

        P = 1 - Π_l (1 - 2^(-n_l))

    Exact for weights that are independent between units with a continuous law
    symmetric about 0, and no biases: each unit is off with probability ½.

    Args:
        widths: Units n_l ≥ 1 of the hidden layers, on the last axis.

    Raises:
        ValueError: for a width below 1.

    Example:
        >>> round(float(dead_probability([3] * 9)), 9)
        0.699342199

    References:
        Lu et al. (2019), arXiv:1903.06733.
    """
    n = _checked("widths", np.atleast_1d(np.asarray(widths)), 1)
    return -np.expm1(np.sum(np.log1p(-(2.0**-n)), axis=-1))


def dead_bounds(
    width: HostArray | int, depth: HostArray | int
) -> tuple[HostArray, HostArray]:
    """Bounds on the probability that a ReLU network of one input is a constant.

        lower  1 - a^(L-2) + (1 - 2p)(1 - p) / (1 + (n-1)p) · (b^(L-2) - a^(L-2))
        upper  1 - a^(L-1)

    with p = 2⁻ⁿ, a = 1 - p, b = 1 - 2p - (n-1)p², for L layers, the last one of
    them linear, of n hidden units without biases. A network on the line is dead if
    both half-lines are; the upper bound is ``dead_probability`` of one of them.
    The lower bound is not derived here: simulations of the tests and of
    ``sweeps.width_fluctuations`` stay above it.

    Args:
        width: Hidden units n ≥ 1, broadcast against ``depth``.
        depth: Layers L ≥ 2, the readout included.

    Returns:
        Lower and upper bound in float64.

    Raises:
        ValueError: for a width below 1 or a depth below 2.

    Example:
        >>> lower, upper = dead_bounds(3, 10)
        >>> round(float(lower), 9), round(float(upper), 9)
        (0.513388702, 0.699342199)

    References:
        Lu et al. (2019), arXiv:1903.06733.
    """
    n = _checked("width", np.asarray(width), 1)
    layers = _checked("depth", np.asarray(depth), 2)
    p = 2.0**-n
    share = (1 - 2 * p) * (1 - p) / (1 + (n - 1) * p)
    # Powers of a and b minus 1, which keep their digits where p is small.
    alone = np.log1p(-p)
    with np.errstate(divide="ignore"):  # b = 0 for a width of 1
        both = np.log1p(-2 * p - (n - 1) * p**2)
    first, upper = np.expm1((layers - 2) * alone), np.expm1((layers - 1) * alone)
    with np.errstate(invalid="ignore"):  # b⁰ = 1 there too
        second = np.where(layers == 2, 0.0, np.expm1((layers - 2) * both))
    return -first + share * (second - first), -upper


def half_death_depth(width: HostArray | int) -> HostArray:
    """Hidden layers after which half of the networks are dead for a given input.

        L = ln ½ / ln(1 - 2⁻ⁿ)

    Args:
        width: Units n ≥ 1 of every hidden layer; any shape.

    Raises:
        ValueError: for a width below 1.

    Example:
        >>> round(float(half_death_depth(8)), 1)
        177.1

    References:
        Lu et al. (2019), arXiv:1903.06733, for the probability.
    """
    n = _checked("width", np.asarray(width), 1)
    return -math.log(2) / np.log1p(-(2.0**-n))


def _checked(name: str, sizes: HostArray, least: int) -> HostArray:
    if not (np.issubdtype(sizes.dtype, np.integer) and np.all(sizes >= least)):
        raise ValueError(f"{name} must be whole numbers >= {least}; got {name}={sizes!r}")
    return sizes.astype(np.float64)
