"""Checks of the sizes that presets are given, and the fan that they make."""

import math
import operator
from collections.abc import Sequence


def check_positive(argument: str, size: int) -> int:
    """The size as an integer.

    Raises:
        ValueError: if it is not positive.
    """
    if operator.index(size) < 1:
        raise ValueError(f"{argument} must be >= 1; got {argument}={size}")
    return operator.index(size)


def fan_per_group(
    argument: str, channels: int, kernel_size: Sequence[int], groups: int
) -> int:
    """Channels / groups · ∏ kernel_size.

    Raises:
        ValueError: for sizes that are not positive, or groups that do not divide
            the channels.
    """
    check_positive(argument, channels)
    check_positive("groups", groups)
    if channels % groups:
        raise ValueError(f"groups={groups} must divide {argument}={channels}")
    window = math.prod(check_positive("kernel_size", size) for size in kernel_size)
    return channels // groups * window
