"""A model whose state is known before anything looks at it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Specimen(NamedTuple):
    """A model in linen, in nnx, or in both, and what a diagnosis of it must say.

    Attributes:
        verdicts: Those that are right; more than one where ``why`` says so.
        why: From what the state is known.
        batch: What the model is called with.
        linen: A module.
        nnx: A callable Rngs -> Module.
        loss: Of the outputs; None for the default.
        curable: Whether the remedy that is found makes it healthy.
    """

    verdicts: tuple[str, ...]
    why: str
    batch: Any
    linen: Any = None
    nnx: Callable[..., Any] | None = None
    loss: Callable[..., Any] | None = None
    curable: bool = True


HEALTHY = ("healthy",)


def normal(*shape, scale=1.0, seed=0):
    """Inputs of mean 0 and second moment scale²."""
    return np.random.default_rng(seed).normal(0, scale, shape).astype(np.float32)


def tokens(*shape, vocabulary=97, seed=0):
    """Random words."""
    return np.random.default_rng(seed).integers(0, vocabulary, shape, dtype=np.int32)
