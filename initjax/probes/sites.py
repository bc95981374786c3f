"""What is looked at: the places of a network whose output a trace describes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import jax

Kind = Literal[
    "dense",
    "conv",
    "embedding",
    "normalization",
    "scale",
    "activation",
    "softmax",
    "mixing",
    "gate",
    "residual",
    "sum",
    "output",
]
"""What a site is.

    dense, conv    product of its input with a kernel, and the bias added to it
    embedding      rows looked up in a table of parameters
    normalization  its input divided by its own scale, times and plus parameters if any
    scale          parameters alone that multiply or shift a signal: LayerScale, position
                   embeddings
    activation     a function of one signal, entry by entry, however it is written
    softmax        positive numbers that sum to 1
    mixing         product of two signals that sums: attention's scores and averages
    gate           product of two signals, entry by entry
    residual       sum of two signals, one of which comes from the other
    sum            any other sum of two signals
    output         what the model returns, where it is not one of the others
"""


@dataclass(frozen=True)
class Site:
    """One place of a network; a layer that is scanned or shared has several.

    Attributes:
        path: Of the layer in the tree of parameters, ``blocks[3]/mlp/up``, an index where
            parameters are stacked; with what follows it behind a slash, as in
            ``blocks[3]/mlp/up/relu``; ``#2`` behind the second use of shared parameters.
        kind: What it is, see ``Kind``.
        depth: Dense layers, convolutions and embeddings on the longest way from the input
            to here, this one included.
        parents: Indices in ``Trace.sites`` of the sites whose outputs it reads, without
            others between them; those of the model's inputs are not listed.
        shape: Of the output, for one seed.
        dtype: Of the output.
        weights: Paths of the parameters that it reads, the kernel first.
        fan_in: Entries of the input that one entry of the output sums over, in dense,
            conv and mixing; None elsewhere.
        activation: Name of φ in ``initjax.activations`` if it is one of those, else that of
            the function in the model's program, or ``custom``; None if no activation.
        function: φ itself, traceable by JAX and elementwise; None if no activation.
        skip: In residual, indices of the nearest sites of the term that was there before;
            empty where it is the model's input.
        branch: In residual, those of the term that comes from it.
    """

    path: str
    kind: Kind
    depth: int
    parents: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: str
    weights: tuple[str, ...] = ()
    fan_in: int | None = None
    activation: str | None = None
    function: Callable[[jax.Array], jax.Array] | None = None
    skip: tuple[int, ...] = ()
    branch: tuple[int, ...] = ()


@dataclass(frozen=True)
class Unseen:
    """A part of a model that could not be looked into.

    Attributes:
        path: Of the parameters that it reads, or of the layer before it.
        reason: Why.
    """

    path: str
    reason: str
