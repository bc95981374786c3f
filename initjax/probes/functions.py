"""Scalar functions found in a program, kept as the graph of their operations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np

from initjax.activations import ACTIVATIONS, NamedActivation
from initjax.quadrature import on_host
from initjax.typing import Array, HostArray

_GRID = np.linspace(-8.0, 8.0, 81)
_COMMON = ("relu", "tanh", "sigmoid", "gelu", "gelu_tanh", "silu")
_CLOSE = 2e-5
"""Names are given to functions that differ by less, ten times what float32 rounds."""


@dataclass(frozen=True, eq=False)
class Node:
    """An operation on scalars, the variable (no primitive, no value), or a constant.

    Attributes:
        primitive: What is applied to the arguments, or None.
        arguments: Other nodes.
        params: Of the primitive.
        value: Of a constant.
    """

    primitive: Any = None
    arguments: tuple["Node", ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None

    @cached_property
    def number(self) -> int:
        """That of the function: two nodes that are written alike share it.

        Each node counts once, however many ways lead to it.
        """
        value = None if self.value is None else np.asarray(self.value)
        own = (
            str(self.primitive),
            repr(sorted(self.params.items(), key=lambda item: item[0])),
            None if value is None else (str(value.dtype), repr(value.tolist())),
            *(argument.number for argument in self.arguments),
        )
        return _NUMBERS.setdefault(own, len(_NUMBERS))


_NUMBERS: dict[tuple[Any, ...], int] = {}


VARIABLE = Node()


def function_of(node: Node) -> Callable[[Array], Array]:
    """The graph as a function that maps every entry of an array."""

    def function(x: Array) -> Array:
        x = jnp.asarray(x)
        return jnp.asarray(_evaluate(node, x, {}), x.dtype)

    return function


def _evaluate(node: Node, x: Array, known: dict[int, Any]) -> Any:
    """The node at x, in the precision of x."""
    if id(node) in known:
        return known[id(node)]
    if node.primitive is None:
        found = x if node.value is None else _constant(node.value, x)
    else:
        arguments = [_evaluate(a, x, known) for a in node.arguments]
        if node.primitive.name == "convert_element_type":
            kind = np.dtype(node.params["new_dtype"])
            found = arguments[0]
            if not (_real(kind) and _real(found.dtype)):
                found = found.astype(x.dtype if _real(kind) else kind)
        else:
            found = node.primitive.bind(*arguments, **node.params)
    known[id(node)] = found
    return found


def _constant(value: Any, x: Array) -> Array:
    """A constant as large as x, whose precision it takes if it is a real number."""
    array = jnp.asarray(value)
    kind = x.dtype if _real(array.dtype) else array.dtype
    return jnp.broadcast_to(array.astype(kind), x.shape)


def _real(dtype: Any) -> bool:
    return bool(jnp.issubdtype(dtype, jnp.floating))


@dataclass(frozen=True)
class Activation:
    """An activation found in a program.

    Attributes:
        name: In ``initjax.activations``, or of the jitted function it was, or ``custom``.
        function: φ.
        steepest: sup |φ′| over [-8, 8].
    """

    name: str
    function: Callable[[Array], Array]
    steepest: float


_RECOGNIZED: dict[tuple[int, str, str], Activation] = {}


def recognize(node: Node, within: str, dtype: Any) -> Activation:
    """The activation of a graph, by its values and not by how it is written.

    Args:
        node: Its graph.
        within: Name of the jitted function that it was found in, for those without one.
        dtype: In which it is computed; its constants are rounded like that.
    """
    key = node.number, within, str(dtype)
    if key not in _RECOGNIZED:
        own = NamedActivation(_public(within), function_of(node), None)
        close = max(_CLOSE, 4 * float(jnp.finfo(dtype).eps))
        found = _named(on_host(own)(_GRID), close) or own
        slope = np.abs(on_host(own, 1)(np.linspace(-8, 8, 2001)))
        steepest = float(slope[np.isfinite(slope)].max(initial=0.0))
        _RECOGNIZED[key] = Activation(found.name, found.function, steepest)
    return _RECOGNIZED[key]


def _named(values: HostArray, close: float) -> NamedActivation | None:
    """The nearest named activation that is as close on the grid.

    In full precision the first one that is, as those are further apart.
    """
    best, least = None, np.inf
    for name in sorted(ACTIVATIONS, key=lambda name: name not in _COMMON):
        theirs = on_host(ACTIVATIONS[name])(_GRID)
        apart = np.max(np.abs(values - theirs) / (1 + np.abs(theirs)))
        if apart <= close and apart < least:
            best, least = ACTIVATIONS[name], apart
        if least <= _CLOSE:
            break
    return best


def _public(within: str) -> str:
    """A function's name if it tells something, else ``custom``."""
    return within if within.isidentifier() and within[0] != "_" else "custom"
