"""Sums of products: dense layers, convolutions, attention; and rows of a table."""

import math
from typing import TYPE_CHECKING

from initjax.probes.elementwise import merged
from initjax.probes.program import Step
from initjax.probes.sites import Kind
from initjax.probes.values import Value, floating, signal

if TYPE_CHECKING:
    from initjax.probes.reading import Reader

PRIMITIVES = frozenset({"dot_general", "ragged_dot_general", "conv_general_dilated"})
LOOKUPS = frozenset({"gather", "dynamic_slice"})
CLOSED = frozenset({"while", "cond", "shard_map", "pallas_call", "custom_partitioning"})
"""What may hold layers and is not looked into."""


def read(reader: "Reader", step: Step, operands: list[Value]) -> Value:
    """The value of a product of which one factor at least is a signal."""
    signals = [value for value in operands if value.origin == "signal"]
    kernels = [value for value in operands if value.origin == "parameter"]
    aval = step.avals[0]
    if (not kernels and len(signals) < 2) or not floating(aval):
        return merged(reader, signals, aval)
    sources = frozenset[int]().union(*map(reader.settle, signals))
    fan_in = _fan_in(step, operands)
    weights = [path for kernel in kernels for path in kernel.weights]
    kind: Kind = "conv" if step.name == "conv_general_dilated" else "dense"
    if not kernels:
        kind = "mixing"
    elif not any(value.real for value in signals):
        kind = "embedding"
    units = max(kernel.size for kernel in kernels) // max(fan_in, 1) if kernels else 0
    index = reader.site(
        kind, step.outputs[0], aval, sources, weights, fan_in=fan_in, units=units
    )
    opened = (index, frozenset({"add"})) if kernels else None
    return signal(frozenset({index}), open=opened)


def looked_up(reader: "Reader", step: Step, operands: list[Value]) -> Value:
    """Rows of a parameter, at places that depend on the inputs."""
    signals = [value for value in operands if value.origin == "signal"]
    sources = frozenset[int]().union(*map(reader.settle, signals))
    weights = [path for value in operands for path in value.weights]
    index = reader.site("embedding", step.outputs[0], step.avals[0], sources, weights)
    return signal(frozenset({index}))


def _fan_in(step: Step, operands: list[Value]) -> int:
    """Entries that one entry of the product sums over."""
    left, right = (value.aval.shape for value in operands[:2])
    if step.name == "conv_general_dilated":
        outputs = right[step.params["dimension_numbers"].rhs_spec[0]]
        zeros = math.prod(step.params["lhs_dilation"])
        return max(math.prod(right) // max(outputs, 1) // zeros, 1)
    if step.name == "ragged_dot_general":
        return int(left[-1])
    (contracted, _), _ = step.params["dimension_numbers"]
    return math.prod(left[axis] for axis in contracted)
