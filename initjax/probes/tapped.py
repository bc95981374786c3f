"""A program run step by step under JAX, measured at its sites on the way.

Nothing is changed: every step binds what it did, loops stay loops and rematerialized
blocks are made again. Numbers of sites within loops are stacked, and so are their slots.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from initjax.probes.program import REMATERIALIZED, Body, Constant, Ref, Step, loop_parts
from initjax.probes.reading import Reader
from initjax.probes.statistics import activation, forward, size
from initjax.probes.taps import SLOT, tap
from initjax.typing import Array

Numbers = dict[int, Array]
"""Of each site's value, by its number."""


class Tapped:
    """A program with the places where it is measured.

    Args:
        body: The program.
        reader: What was found in it.
    """

    def __init__(self, body: Body, reader: Reader) -> None:
        self._body = body
        self._reader = reader
        self._sites = {draft.number for draft in reader.drafts}

    def slots(self) -> Numbers:
        """A slot for what comes back to each site, with an axis for each loop around."""
        return self._slots(self._body, ())

    def _slots(self, body: Body, around: tuple[int, ...]) -> Numbers:
        found: Numbers = {}
        for step in body.steps:
            here = [number for number in step.outputs if number in self._sites]
            found |= {number: jnp.zeros((*around, SLOT)) for number in here}
            if step.name == "scan" and step.inner is not None:
                found |= self._slots(step.inner, (*around, step.params["length"]))
            elif step.name in REMATERIALIZED and step.inner is not None:
                found |= self._slots(step.inner, around)
        return found

    def __call__(self, inputs: Sequence[Any], slots: Numbers) -> tuple[list[Any], Numbers]:
        """Outputs of the program, and what was measured going forward at each site.

        Args:
            inputs: Of the program, flat.
            slots: As ``slots()`` makes them.
        """
        return self._run(self._body, inputs, slots)

    def _run(
        self, body: Body, inputs: Sequence[Any], slots: Numbers
    ) -> tuple[list[Any], Numbers]:
        known: dict[int, Any] = dict(zip(body.inputs, inputs, strict=True))
        measured: Numbers = {}
        here = list[int]()

        def value(reference: Ref) -> Any:
            return reference.value if isinstance(reference, Constant) else known[reference]

        for step in body.steps:
            operands = [value(reference) for reference in step.inputs]
            if step.inner is not None and step.name == "scan":
                results, inside = self._scan(step, step.inner, operands, slots)
                measured |= inside
            elif step.inner is not None and step.name in REMATERIALIZED:
                results, inside = self._again(step, step.inner, operands, slots)
                measured |= inside
            else:
                results = bind(step, operands)
            known.update(zip(step.outputs, results, strict=True))
            for number in self._sites.intersection(step.outputs):
                known[number] = tap(known[number], slots[number])
                here.append(number)
        measured |= self._measured(here, jax.lax.stop_gradient(known))
        return [value(reference) for reference in body.outputs], measured

    def _measured(self, numbers: Sequence[int], known: Mapping[int, Any]) -> Numbers:
        """What was found at the sites of one body.

        Arrays of one shape are measured together: a program of a hundred layers then
        takes no longer to compile than one of a few.
        """
        found = together(forward, [(known[n],) for n in numbers])
        slopes = {n: r for n, r in self._reader.activations.items() if n in set(numbers)}
        ratios = {n: r for n, r in self._reader.residuals.items() if n in set(numbers)}
        flat = together(
            activation,
            [(known[root],) for root, _ in slopes.values()],
            [phi for _, phi in slopes.values()],
        )
        sizes = together(_sizes, [(known[a], known[b]) for a, b in ratios.values()])
        own = dict(zip(slopes, flat, strict=True))
        terms = dict(zip(ratios, sizes, strict=True))
        return {
            number: jnp.concatenate(
                [
                    numbers_of,
                    own.get(number, jnp.full(2, jnp.nan, jnp.float32)),
                    terms.get(number, jnp.full(4, jnp.nan, jnp.float32)),
                ]
            )
            for number, numbers_of in zip(numbers, found, strict=True)
        }

    def _inside(self, body: Body, slots: Numbers) -> Numbers:
        made = self._sites.intersection(body.made())
        return {number: slots[number] for number in made}

    def _scan(
        self, step: Step, body: Body, operands: Sequence[Any], slots: Numbers
    ) -> tuple[list[Any], Numbers]:
        """A loop whose body is measured at each turn."""
        params = step.params
        consts, carried = loop_parts(params)
        carry = operands[consts : consts + carried]

        def turn(carry: Any, swept: Any) -> tuple[Any, Any]:
            rows, own = swept
            outputs, measured = self._run(body, [*operands[:consts], *carry, *rows], own)
            return outputs[:carried], (outputs[carried:], measured)

        last, (stacked, measured) = jax.lax.scan(
            turn,
            list(carry),
            (list(operands[consts + carried :]), self._inside(body, slots)),
            length=params["length"],
            reverse=params["reverse"],
            unroll=params["unroll"],
        )
        return [*last, *stacked], measured

    def _again(
        self, step: Step, body: Body, operands: Sequence[Any], slots: Numbers
    ) -> tuple[list[Any], Numbers]:
        """A block that is made again on the way back."""

        def block(operands: Any, own: Numbers) -> tuple[list[Any], Numbers]:
            return self._run(body, operands, own)

        params = step.params
        kept = jax.checkpoint(
            block, policy=params["policy"], prevent_cse=params["prevent_cse"]
        )
        return kept(list(operands), self._inside(body, slots))


def _sizes(skip: Array, branch: Array) -> Array:
    return jnp.concatenate([size(skip), size(branch)])


def together(
    statistic: Callable[..., Array],
    rows: Sequence[tuple[Array, ...]],
    settings: Sequence[Any] | None = None,
) -> list[Array]:
    """A statistic of many rows of arrays, those of one shape and setting by one vmap.

    Args:
        statistic: Of a row of arrays, and its setting if there are settings.
        rows: Of arrays.
        settings: Of each row.
    """
    groups: dict[Any, list[int]] = {}
    for index, row in enumerate(rows):
        kind = tuple((x.shape, str(x.dtype)) for x in row)
        chosen = id(settings[index]) if settings is not None else None
        groups.setdefault((kind, chosen), []).append(index)
    found: list[Any] = [None] * len(rows)
    for members in groups.values():
        own = () if settings is None else (settings[members[0]],)
        stacked = [
            jnp.stack(column) for column in zip(*(rows[i] for i in members), strict=True)
        ]
        numbers = jax.vmap(lambda *row, own=own: statistic(*row, *own))(*stacked)
        for position, index in enumerate(members):
            found[index] = numbers[position]
    return found


def bind(step: Step, operands: Sequence[Any]) -> list[Any]:
    """Results of a step as it stands."""
    params = step.primitive.get_bind_params(step.params)
    results = step.primitive.bind(*operands, **params)
    return list(results) if step.primitive.multiple_results else [results]
