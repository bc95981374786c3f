"""A traced function as flat lists of steps, one list per loop body.

What JAX nests for its own reasons (jit, calls) is written out; what has a meaning of its
own (a loop, a rematerialized block) keeps its steps inside. Every value of the whole
program has a number of its own, also when one function is called twice.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

INLINED = frozenset({"jit", "pjit", "closed_call", "core_call", "custom_lin"})
REMATERIALIZED = frozenset({"checkpoint", "remat", "remat2"})
CUSTOM = frozenset({"custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"})
"""Primitives by what is done with the functions inside them."""


@dataclass(frozen=True)
class Constant:
    """A value that the program holds."""

    value: Any


Ref = int | Constant
"""An input of a step: the number of a value, or a constant."""


@dataclass(frozen=True)
class Step:
    """One equation.

    Attributes:
        order: Number of the step; values of earlier steps have smaller ones.
        primitive: What it binds.
        params: Of the primitive.
        inputs: What it reads.
        outputs: Numbers of what it makes.
        avals: Shape and dtype of each output.
        inner: Steps of a loop's body or a rematerialized block, or those that define a
            function with a derivative of its own.
        within: Name of the innermost jitted function that it comes from, ``""`` if none.
    """

    order: int
    primitive: Any
    params: Mapping[str, Any]
    inputs: tuple[Ref, ...]
    outputs: tuple[int, ...]
    avals: tuple[Any, ...]
    inner: "Body | None" = None
    within: str = ""

    @property
    def name(self) -> str:
        """Of the primitive."""
        return self.primitive.name


@dataclass(frozen=True)
class Body:
    """Steps with their inputs, shapes and dtypes of those, and outputs."""

    inputs: tuple[int, ...]
    avals: tuple[Any, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Ref, ...]

    def made(self) -> Iterator[int]:
        """Numbers of all values made here and in what is run inside."""
        for step in self.steps:
            yield from step.outputs
            if step.inner is not None and step.name not in CUSTOM:
                yield from step.inner.made()


def loop_parts(params: Mapping[str, Any]) -> tuple[int, int]:
    """How many of a scan's inputs are constants, and how many are carried on."""
    if "num_consts" in params:
        return params["num_consts"], params["num_carry"]
    consts, carry, _ = params["ft_in"].unpack()  # from jax 0.12 on
    return len(consts), len(carry)


def flatten(function: Callable[..., Any], *arguments: Any) -> Body:
    """The steps of a function of arrays (or of their shapes), traced once."""
    closed = jax.make_jaxpr(function)(*arguments)
    return _body(closed.jaxpr, closed.consts, count(), "")


def _body(jaxpr: Jaxpr, consts: Any, numbers: Iterator[int], within: str) -> Body:
    environment: dict[Any, Ref] = {}
    for variable, value in zip(jaxpr.constvars, consts, strict=True):
        environment[variable] = Constant(value)
    inputs = [next(numbers) for _ in jaxpr.invars]
    environment.update(zip(jaxpr.invars, inputs, strict=True))
    steps = list[Step]()
    _write_out(jaxpr, environment, steps, numbers, within)
    outputs = tuple(_reference(v, environment) for v in jaxpr.outvars)
    avals = tuple(v.aval for v in jaxpr.invars)
    return Body(tuple(inputs), avals, tuple(steps), outputs)


def _reference(atom: Any, environment: Mapping[Any, Ref]) -> Ref:
    return Constant(atom.val) if isinstance(atom, Literal) else environment[atom]


def _write_out(
    jaxpr: Jaxpr,
    environment: dict[Any, Ref],
    steps: list[Step],
    numbers: Iterator[int],
    within: str,
) -> None:
    """Append the equations, those of called functions in the place of the call."""
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        inputs = tuple(_reference(v, environment) for v in equation.invars)
        if name in INLINED:
            called = _closed(equation.params)
            inside: dict[Any, Ref] = dict(zip(called.jaxpr.invars, inputs, strict=True))
            inside |= {
                variable: Constant(value)
                for variable, value in zip(
                    called.jaxpr.constvars, called.consts, strict=True
                )
            }
            named = equation.params.get("name") or within
            _write_out(called.jaxpr, inside, steps, numbers, named)
            results = [_reference(v, inside) for v in called.jaxpr.outvars]
            environment.update(zip(equation.outvars, results, strict=True))
            continue
        order = next(numbers)
        inner = _inner(equation, numbers)
        outputs = tuple(next(numbers) for _ in equation.outvars)
        environment.update(zip(equation.outvars, outputs, strict=True))
        avals = tuple(v.aval for v in equation.outvars)
        steps.append(
            Step(
                order,
                equation.primitive,
                equation.params,
                inputs,
                outputs,
                avals,
                inner,
                within,
            )
        )


def _inner(equation: Any, numbers: Iterator[int]) -> Body | None:
    """Steps inside an equation, where they are run or looked at."""
    name = equation.primitive.name
    if name != "scan" and name not in REMATERIALIZED | CUSTOM:
        return None
    called = _closed(equation.params)
    return _body(called.jaxpr, called.consts, numbers, str(equation.params.get("name", "")))


def _closed(params: Mapping[str, Any]) -> ClosedJaxpr:
    """The function that an equation holds, whatever it calls it."""
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        held = params.get(name)
        if isinstance(held, ClosedJaxpr):
            return held
        if isinstance(held, Jaxpr):
            return ClosedJaxpr(held, ())
    raise TypeError(f"no function among {sorted(params)}")
