"""What is said when a model, a batch or a loss does not fit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


class ModelError(ValueError):
    """A model, its batch or its loss failed; the original error is the cause."""


def described(names: Sequence[str], arrays: Sequence[Any]) -> str:
    """Arrays by name, dtype and shape, for messages.

    Example:
        >>> import numpy as np
        >>> described(["x"], [np.ones((4, 3), np.float32)])
        'x: float32[4,3]'
    """
    parts = []
    for name, array in zip(names, arrays, strict=True):
        shape = ",".join(map(str, array.shape))
        parts.append(f"{name}: {array.dtype}[{shape}]")
    return ", ".join(parts)


@contextmanager
def named(what: str, remedy: str) -> Iterator[None]:
    """Errors inside become one that says what failed and what to look at.

    Raises:
        ModelError: in place of any exception inside, which is its cause.
    """
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ModelError(f"{what}: {type(error).__name__}: {first}; {remedy}") from error
