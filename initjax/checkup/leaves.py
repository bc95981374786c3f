"""Names of parameters: as patterns that a user can write, and beside each other."""

import re
from collections.abc import Iterable, Sequence


def pattern_of(paths: Sequence[str], others: Iterable[str]) -> str:
    r"""A regular expression for these paths and none of the others, short if it can be.

    Example:
        >>> print(pattern_of(["h_0/out/kernel", "h_12/out/kernel"], ["h_0/out/bias"]))
        h_\d+/out/kernel
    """
    exact = [re.escape(path).replace(r"\-", "-") for path in dict.fromkeys(paths)]
    short = list(dict.fromkeys(re.sub(r"(?<=[_/])\d+", r"\\d+", path) for path in exact))
    joined, strangers = "|".join(short), set(others) - set(paths)
    if any(re.fullmatch(joined, path) for path in strangers):
        return "|".join(exact)
    return joined


def bias_beside(kernel: str, known: Iterable[str]) -> str | None:
    """The bias of the layer that a kernel belongs to."""
    folder = kernel.rpartition("/")[0]
    path = f"{folder}/bias" if folder else "bias"
    return path if path in known else None
