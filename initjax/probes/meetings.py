"""Where signals meet parameters and each other, entry by entry."""

from typing import TYPE_CHECKING

from initjax.probes import elementwise
from initjax.probes.program import Constant, Step
from initjax.probes.values import Value, floating, signal

if TYPE_CHECKING:
    from initjax.probes.reading import Reader

_SUMS = frozenset({"add", "sub", "add_any"})
_PRODUCTS = frozenset({"mul", "div"})
_PASSED = frozenset({"dense", "conv", "normalization", "scale"})
"""Kinds that the way around a branch may have."""
_BETWEEN = frozenset({"activation", "mixing", "gate", "softmax", "residual"})
"""Kinds that make a branch of what would otherwise be two ways of the same length."""


def read(reader: "Reader", step: Step, operands: list[Value]) -> Value:
    """The value of an entrywise operation of which one operand at least is a signal."""
    signals = [value for value in operands if value.origin == "signal"]
    if any(value.origin == "parameter" for value in operands):
        return _with_parameters(reader, step, operands, signals)
    mapped = elementwise.mapped(step, operands)
    if mapped is not None:
        return mapped
    if len(signals) == 2 == len(operands) and all(value.real for value in signals):
        return _two(reader, step, signals[0], signals[1])
    if len(signals) == 1 and signals[0].reduced:
        only = signals[0]
        return signal(only.sources, real=only.real, reduced=True, held=_held(only))
    if len(signals) == 1 and _normalizes(step, operands):
        return _normalized(reader, step, signals[0], ())
    return elementwise.merged(reader, signals, step.avals[0])


def _normalizes(step: Step, operands: list[Value]) -> bool:
    """Whether running statistics scale a signal."""
    return step.name in _PRODUCTS and any(
        value.state for value in operands if value.origin != "signal"
    )


def _with_parameters(
    reader: "Reader", step: Step, operands: list[Value], signals: list[Value]
) -> Value:
    """A signal that parameters scale or shift."""
    weights = [w for value in operands for w in value.weights if value.origin != "signal"]
    kind = "mul" if step.name in _PRODUCTS else "add"
    if len(signals) > 1 or step.name not in _SUMS | _PRODUCTS:
        value = elementwise.merged(reader, signals, step.avals[0])
        if not value.real or not floating(step.avals[0]):
            return value
        sources = value.sources
    else:
        only = signals[0]
        parameter = next(value for value in operands if value.origin == "parameter")
        if only.reduced:
            together = (*only.weights, *weights)
            return signal(only.sources, reduced=True, held=_held(only), weights=together)
        if only.open and kind in only.open[1] and not only.curved:
            index, allowed = only.open
            if reader.drafts[index].units >= parameter.size:
                return _extended(reader, step, index, allowed - {"mul", kind}, weights)
        if parameter.state and kind == "mul":
            return _normalized(reader, step, only, tuple(weights))
        sources = reader.settle(only)
    index = reader.site("scale", step.outputs[0], step.avals[0], sources, weights)
    units = step.avals[0].shape[-1] if step.avals[0].shape else 1
    reader.drafts[index].units = units
    later = frozenset({"add"}) if kind == "mul" else frozenset[str]()
    return signal(frozenset({index}), open=(index, later))


def _extended(
    reader: "Reader", step: Step, index: int, left: frozenset[str], weights: list[str]
) -> Value:
    """A layer whose output is this one, a parameter later than it was."""
    draft = reader.drafts[index]
    draft.number, draft.aval = step.outputs[0], step.avals[0]
    draft.order = (*reader.order, draft.number)
    draft.weights = list(dict.fromkeys([*draft.weights, *weights]))
    return signal(frozenset({index}), open=(index, left))


def _held(value: Value) -> tuple[Value, ...]:
    return (value,) if value.curved else value.held


def _two(reader: "Reader", step: Step, left: Value, right: Value) -> Value:
    """Two signals of different roots."""
    if left.reduced and right.reduced:
        held = (*_held(left), *_held(right))
        weights = (*left.weights, *right.weights)
        sources = left.sources | right.sources
        return signal(sources, reduced=True, held=held, weights=weights)
    if left.reduced or right.reduced:
        full, statistic = (right, left) if left.reduced else (left, right)
        found = _with_statistic(reader, step, full, statistic)
        if found is not None:
            return found
    ways = reader.settle(left), reader.settle(right)
    number, aval = step.outputs[0], step.avals[0]
    if step.name in _SUMS:
        return _sum(reader, step, *ways)
    if step.name in _PRODUCTS:
        index = reader.site("gate", number, aval, ways[0] | ways[1])
        return signal(frozenset({index}))
    return signal(ways[0] | ways[1])


def _near(statistic: Value) -> frozenset[int]:
    """Sites that a sum is taken of, or of functions of their outputs."""
    return statistic.sources.union(*(_near(held.base) for held in statistic.held))


def _with_statistic(
    reader: "Reader", step: Step, full: Value, statistic: Value
) -> Value | None:
    """A signal and a sum of its own: centred, normalized, or a softmax; else None."""
    if step.name == "div" and statistic.summed is full:
        sources = reader.settle(full.base)
        index = reader.site("softmax", step.outputs[0], step.avals[0], sources)
        return signal(frozenset({index}))
    near = _near(statistic)
    sources = reader.settle(full)
    related = near or not sources  # an input of the model has no site before it
    if not related or reader.ancestors(near) & ~reader.ancestors(sources):
        return None
    if step.name in _PRODUCTS:
        return _normalized(reader, step, full, statistic.weights)
    return signal(sources) if step.name in _SUMS else None


def _normalized(
    reader: "Reader", step: Step, full: Value, weights: tuple[str, ...]
) -> Value:
    """A signal divided by its scale; parameters may follow."""
    sources = reader.settle(full)
    aval = step.avals[0]
    index = reader.site("normalization", step.outputs[0], aval, sources, weights)
    reader.drafts[index].units = max(aval.shape, default=1)
    left = frozenset({"add"} if weights else {"mul", "add"})
    return signal(frozenset({index}), open=(index, left))


def _sum(
    reader: "Reader", step: Step, left: frozenset[int], right: frozenset[int]
) -> Value:
    """A residual sum if one term comes from the other, or both from one; else a sum."""
    number, aval = step.outputs[0], step.avals[0]
    flipped = _comes_around(reader, right, left) and not _comes_around(reader, left, right)
    skip, branch = (right, left) if flipped else (left, right)
    if not flipped and not _comes_around(reader, left, right):
        index = reader.site("sum", number, aval, left | right)
        return signal(frozenset({index}))
    references = [r.value if isinstance(r, Constant) else r for r in step.inputs]
    first, second = reversed(references) if flipped else references
    reader.residuals[number] = (first, second)
    index = reader.site("residual", number, aval, left | right, skip=skip, branch=branch)
    return signal(frozenset({index}))


def _comes_around(reader: "Reader", skip: frozenset[int], branch: frozenset[int]) -> bool:
    """Whether one term is what the other has come from, or a projection of that."""
    bits = reader.ancestors(branch)
    if not branch or skip == branch:
        return False
    if all(bits >> index & 1 for index in skip):
        return True
    start, passed = skip, set[int]()
    while start and all(reader.drafts[i].kind in _PASSED for i in start):
        passed |= start
        start = frozenset().union(*(reader.drafts[i].sources for i in start))
    if not start or any(not bits >> index & 1 for index in start):
        return False
    beyond = bits & ~reader.ancestors(start)
    between = any(
        draft.kind in _BETWEEN for i, draft in enumerate(reader.drafts) if beyond >> i & 1
    )
    return between and _shorter(reader, skip, branch) and not _recurs(reader, passed)


def _shorter(reader: "Reader", skip: frozenset[int], branch: frozenset[int]) -> bool:
    """Whether a way has fewer layers than the other: equal ones are two heads."""
    depths = [max(reader.drafts[i].depth for i in way) for way in (skip, branch)]
    return depths[0] < depths[1]


def _recurs(reader: "Reader", passed: set[int]) -> bool:
    """Whether a layer was used before, as one that reads the inputs of all steps is."""
    kernels = {reader.drafts[i].weights[0] for i in passed if reader.drafts[i].weights}
    others = (
        d.weights[0] for i, d in enumerate(reader.drafts) if d.weights and i not in passed
    )
    return not kernels.isdisjoint(others)
