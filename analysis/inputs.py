"""Panels for inputs of which nobody could know beforehand: a person's own files."""

from collections.abc import Callable

import pandas as pd

from analysis.bands import Absent, one_family, sizes
from analysis.style import ACTIVATION_ORDER, in_order

WITH_FIGURES = ("gaussian", "mnist")
"""Kinds of inputs that have figures of their own."""

_LONGEST = 18  # characters of a name that a title has room for


def by_input(rows: Callable[..., pd.DataFrame], table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a figure for every kind of input that has no figure of its own.

    Args:
        rows: Table and ``inputs`` to the rows of one kind.
        table: Networks by layer.

    Returns:
        As ``rows``, with ``inputs``, ``panel``, of which there is one per kind and
        activation, and ``title``, the same in few characters.

    Raises:
        Absent: if the table has no networks on such inputs.
    """
    kinds = [kind for kind in dict.fromkeys(table["inputs"]) if kind not in WITH_FIGURES]
    if not kinds:
        raise Absent(f"no networks on inputs but {', '.join(WITH_FIGURES)}")
    parts = []
    for kind in kinds:
        one = rows(table, inputs=kind)
        for activation in in_order(list(one["activation"]), ACTIVATION_ORDER):
            same = one[one["activation"] == activation]
            panel, title = f"{activation}, {kind}", f"{activation}, {shortened(kind)}"
            parts.append(same.assign(inputs=kind, panel=panel, title=title))
    joined = pd.concat(parts, ignore_index=True)
    joined.attrs = {"note": sizes(one_family(table, kinds[0]))}
    return joined


def shortened(name: str) -> str:
    """A name without its middle, if it is too long for a title.

    Example:
        >>> shortened("mine.npz#0123abcd"), shortened("my_very_long_one.npz#0123abcd")
        ('mine.npz#0123abcd', 'my_ve…z#0123abcd')
    """
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST // 3 - 1]}…{name[-(_LONGEST // 2 + 1) :]}"
