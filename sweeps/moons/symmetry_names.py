"""Names of the weights that networks start from, symmetric or not."""

import math
import re
from collections.abc import Sequence

from sweeps import axes

COPIED = ("identical_rows", "random_readout", "zero_readout")
"""Changes of N(0, 1): copies of the first unit; with readouts of their own; units that
differ but are not read out."""

_CONSTANT = re.compile(r"constant\((.+)\)")


def starts(names: Sequence[str]) -> tuple[str, ...]:
    """Names of known starts: a scheme of either layer, constant(c), or one of COPIED.

    Raises:
        ValueError: for an unknown name, or for none at all.

    Example:
        >>> starts(["zeros", "constant(.5)", "identical_rows", "normal(1.0)"])
        ('zeros', 'constant(0.5)', 'identical_rows', 'normal(1)')
    """
    if not names:
        raise ValueError(f"--starts needs at least one value; got {names!r}")
    return tuple(dict.fromkeys(map(_canonical, names)))


def constant(start: str) -> float | None:
    """The number that every weight is, None if they are not all the same by name.

    Raises:
        ValueError: if it is no finite number.
    """
    match = _CONSTANT.fullmatch(start)
    if not match:
        return None
    try:
        number = float(match[1])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"--starts: constant needs a finite number; got {start!r}")
    return number


def _canonical(start: str) -> str:
    if start in COPIED:
        return start
    number = constant(start)
    if number is not None:
        return f"constant({number!r})"
    try:
        return axes.schemes([start])[0]
    except ValueError as error:
        known = f"constant(c), {', '.join(COPIED)} or a scheme"
        raise ValueError(f"--starts must be {known}; got {start!r}: {error}") from None
