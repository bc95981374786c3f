"""Names of parameters: as patterns that a user can write, and beside each other."""

import re
from collections.abc import Iterable, Sequence

_NUMBER = re.compile(r"(?<=[_/])(\d+)")


def pattern_of(paths: Sequence[str], others: Iterable[str]) -> str:
    r"""A regular expression for these paths and none of the others, short if it can be.

    Example:
        >>> print(pattern_of(["h_0/out_1/b", "h_12/out_1/b"], ["h_0/out_0/b"]))
        h_\d+/out_1/b
    """
    distinct, strangers = list(dict.fromkeys(paths)), set(others) - set(paths)
    for short in (_any_number(distinct), _numbers_that_vary(distinct)):
        joined = "|".join(short)
        if not any(re.fullmatch(joined, path) for path in strangers):
            return joined
    return "|".join(map(_escaped, distinct))


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\-", "-")


def _any_number(paths: Sequence[str]) -> list[str]:
    """With any number in place of each."""
    found = (_NUMBER.sub(r"\\d+", _escaped(path)) for path in paths)
    return list(dict.fromkeys(found))


def _numbers_that_vary(paths: Sequence[str]) -> list[str]:
    """With any number only where paths that are alike have different ones."""
    alike: dict[str, list[list[str]]] = {}
    for path in paths:
        parts = _NUMBER.split(path)
        alike.setdefault(_NUMBER.sub("0", path), []).append(parts)
    found = list[str]()
    for group in alike.values():
        columns = [set(column) for column in zip(*group, strict=True)]
        found.append(
            "".join(r"\d+" if len(c) > 1 else _escaped(next(iter(c))) for c in columns)
        )
    return found


def bias_beside(kernel: str, known: Iterable[str]) -> str | None:
    """The bias of the layer that a kernel belongs to."""
    folder = kernel.rpartition("/")[0]
    path = f"{folder}/bias" if folder else "bias"
    return path if path in known else None
