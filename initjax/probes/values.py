"""What is known of a value of a program without running it."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import jax.numpy as jnp

from initjax.probes.functions import VARIABLE, Node
from initjax.probes.program import Constant

Origin = Literal["constant", "parameter", "signal"]


@dataclass(eq=False)
class Value:
    """A value of a program, as far as it says how layers hang together.

    Attributes:
        origin: ``parameter`` if it comes from parameters alone, ``signal`` if inputs of the
            model take part in it, ``constant`` otherwise (random numbers too).
        aval: Shape and dtype.
        real: Whether it is a floating-point number that inputs of the model, as
            floating-point numbers, or parameters have made: no mask, no index.
        weights: Paths of the parameters that it comes from, if it is a parameter, or
            statistic that is to scale a signal.
        state: Whether running statistics of a normalization take part in it.
        node: A constant that is the same everywhere, or the function of ``root`` that the
            signal is, entry by entry.
        root: The signal that ``node`` is a function of; None for itself.
        curved: Whether ``node`` is not linear.
        within: Name of the jitted function that the last operation of ``node`` was in.
        sources: Sites whose outputs it is made of, without others between.
        reduced: Whether it was summed over some axis and belongs to what was summed.
        summed: The signal it is the plain sum of, if it is.
        held: Signals whose activations are sites only if this one is read by a layer.
        open: The site that a parameter still may scale (``mul``) or shift (``add``).
        before: The signal that this one is a multiple of, plus a number, if it is.
        number: Of the value in the program; -1 for one that has none.
    """

    origin: Origin
    aval: Any = None
    real: bool = False
    weights: tuple[str, ...] = ()
    state: bool = False
    node: Node | None = None
    root: "Value | None" = None
    curved: bool = False
    within: str = ""
    sources: frozenset[int] = frozenset()
    reduced: bool = False
    summed: "Value | None" = None
    held: tuple["Value", ...] = ()
    open: tuple[int, frozenset[str]] | None = None
    before: "Value | None" = None
    number: int = -1

    @property
    def function(self) -> Node:
        """The graph of the signal as a function of its root."""
        return VARIABLE if self.root is None or self.node is None else self.node

    @property
    def size(self) -> int:
        """Entries."""
        return math.prod(self.aval.shape) if self.aval is not None else 1

    @property
    def base(self) -> "Value":
        """What ``function`` is a function of."""
        return self if self.root is None else self.root


def constant(atom: Constant) -> Value:
    """A constant of the program; one number everywhere if it is a scalar."""
    shape = tuple(getattr(atom.value, "shape", ()))
    node = Node(value=atom.value) if not shape and _plain(atom.value) else None
    return Value(
        "constant", atom.value if hasattr(atom.value, "dtype") else None, node=node
    )


def _plain(value: object) -> bool:
    """Whether a value is a number; keys of random numbers are not."""
    dtype = getattr(value, "dtype", None)
    return dtype is None or getattr(dtype, "kind", "O") in "biufV"


def signal(sources: frozenset[int], *, real: bool = True, **more: Any) -> Value:
    """A signal that is its own root."""
    return Value("signal", real=real, sources=sources, **more)


def floating(aval: Any) -> bool:
    """Whether entries are real floating-point numbers."""
    return bool(jnp.issubdtype(aval.dtype, jnp.floating))
