"""Where the layers of a program are: its steps read one by one, loops turn by turn.

A layer is what a signal and a parameter do together, wherever they meet: nothing needs to
be a module, and what a model calls as a function is found as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from initjax.activations import ACTIVATIONS
from initjax.probes import elementwise, meetings, products
from initjax.probes.drafts import LAYERS, Draft
from initjax.probes.functions import Activation, recognize
from initjax.probes.loops import common, sliced, started, union
from initjax.probes.program import (
    CUSTOM,
    REMATERIALIZED,
    Body,
    Constant,
    Ref,
    Step,
    loop_parts,
)
from initjax.probes.sites import Kind, Unseen
from initjax.probes.values import Value, constant, signal


@dataclass
class Reader:
    """What has been found so far.

    Attributes:
        drafts: Sites.
        activations: Number of an activation's value to that of its root, and φ.
        residuals: Number of a sum to those of its two terms, skip first.
        unseen: What could not be looked into.
        order: Steps and turns of the loops that are being read.
        turns: Of each of those loops the index into its stacked arrays.
    """

    drafts: list[Draft] = field(default_factory=list)
    activations: dict[int, tuple[int, Activation]] = field(default_factory=dict)
    residuals: dict[int, tuple[int, int]] = field(default_factory=dict)
    unseen: list[Unseen] = field(default_factory=list)
    order: tuple[int, ...] = ()
    turns: tuple[int, ...] = ()

    def ancestors(self, sources: frozenset[int]) -> int:
        """All drafts that these depend on, themselves included, as bits."""
        bits = 0
        for index in sources:
            bits |= self.drafts[index].ancestors | 1 << index
        return bits

    def site(
        self,
        kind: Kind,
        number: int,
        aval: Any,
        sources: frozenset[int],
        weights: Sequence[str] = (),
        **more: Any,
    ) -> int:
        """A new draft."""
        below = max((self.drafts[i].depth for i in sources), default=0)
        draft = Draft(
            kind,
            number,
            (*self.order, number),
            self.turns,
            sources,
            self.ancestors(sources),
            list(dict.fromkeys(weights)),
            below + (kind in LAYERS),
            aval,
            **more,
        )
        self.drafts.append(draft)
        return len(self.drafts) - 1

    def settle(self, value: Value) -> frozenset[int]:
        """Sites that a signal is read from, of which its activation may be a new one."""
        if value.held:
            held, value.held = value.held, ()
            value.sources = value.sources.union(*map(self.settle, held))
        if value.origin == "signal" and value.weights and value.number >= 0:
            weights, value.weights = value.weights, ()
            index = self.site("scale", value.number, value.aval, value.sources, weights)
            value.sources, value.root, value.curved = frozenset({index}), None, False
        if value.curved and value.real and value.number >= 0:
            self._activate(value)
        elif value.root is not None and not value.curved:
            value.sources = self.settle(value.root)
        return value.sources

    def _activate(self, value: Value) -> None:
        """Make a site of an activation: of φ where a model has written c φ(z) + d."""
        inner: Value | None = value
        while inner is not None and inner.curved and inner.number >= 0:
            found = recognize(inner.function, inner.within, inner.aval.dtype)
            if found.name in ACTIVATIONS:
                break
            inner = inner.before
        else:
            inner, found = value, recognize(value.function, value.within, value.aval.dtype)
        root = inner.base
        if inner.root is not None:  # else it is a site already
            below = self.settle(root)
            index = self.site(
                "activation", inner.number, inner.aval, below, activation=found
            )
            self.activations[inner.number] = (root.number, found)
            inner.sources = frozenset({index})
            inner.root, inner.node, inner.curved = None, None, False
        value.sources = inner.sources
        value.root, value.node, value.curved = None, None, False

    def read(self, body: Body, inputs: Sequence[Value]) -> list[Value]:
        """Values of a body's outputs."""
        known: dict[int, Value] = {}

        def value(reference: Ref) -> Value:
            if isinstance(reference, Constant):
                return constant(reference)
            return known[reference]

        for number, aval, given in zip(body.inputs, body.avals, inputs, strict=True):
            known[number] = self.root(given)
            known[number].number, known[number].aval = number, aval
        for step in body.steps:
            operands = [value(reference) for reference in step.inputs]
            found = self.step(step, operands)
            for number, aval, one in zip(step.outputs, step.avals, found, strict=True):
                one.number, one.aval = number, aval
                known[number] = one
        return [value(reference) for reference in body.outputs]

    def root(self, value: Value) -> Value:
        """A value as another body knows it: a signal starts anew, nothing of it is open."""
        if value.origin != "signal":
            return replace(value)
        return signal(self.settle(value), real=value.real)

    def step(self, step: Step, operands: list[Value]) -> list[Value]:
        """Values that a step makes."""
        if step.name == "scan":
            return self._loop(step, operands)
        if step.name in REMATERIALIZED:
            assert step.inner is not None
            return [self.root(value) for value in self.read(step.inner, operands)]
        signals = [value for value in operands if value.origin == "signal"]
        if not signals:
            return [_without_signal(step, operands) for _ in step.outputs]
        if step.name in CUSTOM:
            found = elementwise.custom(step, operands)
            return [found] if found else self._other(step, operands, signals)
        if step.name in products.PRIMITIVES:
            return [products.read(self, step, operands)]
        if step.name in elementwise.PRIMITIVES:
            return [meetings.read(self, step, operands)]
        return self._other(step, operands, signals)

    def _loop(self, step: Step, operands: list[Value]) -> list[Value]:
        """A scan, turn by turn."""
        params, body = step.params, step.inner
        assert body is not None
        for value in operands:  # an activation before the loop is a site before it
            if value.origin == "signal":
                self.settle(value)
        first, carried = loop_parts(params)
        consts = operands[:first]
        carry = [started(value) for value in operands[first : first + carried]]
        swept = operands[first + carried :]
        stem = common([w for value in swept for w in value.weights])
        stacked = [list[Value]() for _ in step.outputs[carried:]]
        order, turns = self.order, self.turns
        for turn in range(params["length"]):
            at = params["length"] - 1 - turn if params["reverse"] else turn
            self.order, self.turns = (*order, step.order, turn), (*turns, at)
            slices = [sliced(value, stem, at) for value in swept]
            found = self.read(body, [*consts, *carry, *slices])
            after = [self.root(value) for value in found]
            carry = after[:carried]
            for rows, value in zip(stacked, after[carried:], strict=True):
                rows.append(value)
        self.order, self.turns = order, turns
        return [*map(replace, carry), *map(union, stacked)]

    def _other(
        self, step: Step, operands: list[Value], signals: list[Value]
    ) -> list[Value]:
        """Everything else hands on what it reads."""
        weights = [w for v in operands if v.origin == "parameter" for w in v.weights]
        if weights and step.name in products.LOOKUPS:
            return [products.looked_up(self, step, operands)]
        if step.name in products.CLOSED or (weights and step.name in CUSTOM):
            reason = f"{step.name} is not looked into"
            paths = dict.fromkeys(weights or ["input"])
            self.unseen.extend(Unseen(path, reason) for path in paths)
        elif weights:
            return [self._joined(step, signals, weights)]
        if step.name in elementwise.REDUCTIONS:
            return [elementwise.reduced(signals[0], step.name) for _ in step.outputs]
        if step.name in elementwise.SHAPES and len(signals) == len(step.outputs) == 1:
            return [elementwise.reshaped(self, signals[0])]
        return [elementwise.merged(self, signals, aval) for aval in step.avals]

    def _joined(self, step: Step, signals: list[Value], weights: list[str]) -> Value:
        """What parameters and signals make together in another way than a layer's."""
        aval = step.avals[0]
        value = elementwise.merged(self, signals, aval)
        index = self.site("scale", step.outputs[0], aval, value.sources, weights)
        return signal(frozenset({index}))


def _without_signal(step: Step, operands: list[Value]) -> Value:
    """What parameters and constants make."""
    weights = tuple(dict.fromkeys(w for v in operands for w in v.weights))
    state = any(value.state for value in operands)
    if weights:
        return Value("parameter", real=True, weights=weights, state=state)
    return Value("constant", state=state, node=elementwise.uniform(step, operands))
