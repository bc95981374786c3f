"""Checks of the sizes that presets are given, and the fan that they make."""

import math
from collections.abc import Sequence

from initjax.init.arguments import check_whole


def check_positive(argument: str, size: int) -> int:
    """The size as an integer.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is not positive.
    """
    return check_whole(argument, size, least=1)


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
    if not isinstance(kernel_size, Sequence):
        raise TypeError(
            "kernel_size must give a size for each window axis, such as (3, 3); "
            f"got kernel_size={kernel_size!r}"
        )
    window = math.prod(check_positive("kernel_size", size) for size in kernel_size)
    return channels // groups * window
