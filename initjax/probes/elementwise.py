"""What becomes of single signals: functions of their entries, shapes, sums."""

from typing import TYPE_CHECKING, Any

from initjax.probes.functions import VARIABLE, Node
from initjax.probes.program import Body, Constant, Step
from initjax.probes.values import Value, constant, floating, signal

if TYPE_CHECKING:
    from initjax.probes.reading import Reader

LINEAR = frozenset(
    (
        *("add", "sub", "mul", "div", "neg", "add_any", "copy", "real", "stop_gradient"),
        *("convert_element_type", "reduce_precision"),
        *("sharding_constraint", "optimization_barrier"),
    )
)
CURVED = frozenset(
    (
        *("tanh", "logistic", "erf", "erfc", "erf_inv", "exp", "exp2", "expm1", "log"),
        *("log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh"),
        *("acosh", "atanh", "sqrt", "rsqrt", "cbrt", "abs", "sign", "floor", "ceil"),
        *("round", "integer_pow", "pow", "square", "max", "min", "clamp", "select_n"),
        *("eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "xor", "is_finite"),
        *("atan2", "rem", "lgamma", "digamma", "nextafter"),
    )
)
PRIMITIVES = LINEAR | CURVED
"""What acts entry by entry."""
REDUCTIONS = frozenset(
    (
        *("reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "argmax", "argmin"),
        *("reduce_and", "reduce_or"),
    )
)
SHAPES = frozenset(
    ("reshape", "transpose", "broadcast_in_dim", "squeeze", "expand_dims", "rev", "copy")
)


def uniform(step: Step, operands: list[Value]) -> Node | None:
    """The node of a constant that is the same number everywhere; None for others."""
    nodes = [value.node for value in operands]
    if step.name in ("broadcast_in_dim", "reshape"):
        return nodes[0]
    if step.name not in PRIMITIVES or len(step.outputs) > 1:
        return None
    known = [node for node in nodes if node is not None]
    return (
        Node(step.primitive, tuple(known), step.params)
        if len(known) == len(nodes)
        else None
    )


def mapped(step: Step, operands: list[Value]) -> Value | None:
    """The signal as a function of one root; None if it is none."""
    signals = [value for value in operands if value.origin == "signal"]
    root = signals[0].base
    if any(value.base is not root for value in signals):
        return None
    if any(
        v.origin != "signal" and (v.origin == "parameter" or v.node is None)
        for v in operands
    ):
        return None
    nodes = [v.function if v.origin == "signal" else v.node for v in operands]
    straight = step.name in LINEAR and (
        len(signals) == 1 or step.name in ("add", "sub", "add_any")
    )
    if step.name == "div" and operands[0].origin != "signal":
        straight = False
    curved = not straight or any(value.curved for value in signals)
    keeps = straight and len(signals) == 1 and not curved
    return Value(
        "signal",
        real=floating(step.avals[0]) and any(value.real for value in signals),
        node=Node(step.primitive, tuple(n for n in nodes if n is not None), step.params),
        root=root,
        curved=curved,
        within=step.within,
        sources=root.sources,
        reduced=root.reduced,
        held=root.held,
        weights=root.weights,
        open=signals[0].open if keeps else None,
        before=signals[0] if straight and len(signals) == 1 else None,
    )


def custom(step: Step, operands: list[Value]) -> Value | None:
    """The value of a function with its own derivative that maps entries of one signal."""
    signals = [value for value in operands if value.origin == "signal"]
    if step.inner is None or len(step.outputs) > 1 or len(signals) > 1:
        return None
    inside = signal(frozenset())
    given = [inside if value is signals[0] else value for value in operands]
    found = _within(step.inner, given)
    if found is None or found.origin != "signal":
        return None
    before = signals[0]
    return Value(
        "signal",
        real=before.real,
        node=_composed(found.function, before.function, {}),
        root=before.base,
        curved=found.curved or before.curved,
        within=str(step.params.get("name") or step.within),
        sources=before.base.sources,
        reduced=before.reduced,
        held=before.held,
        weights=before.weights,
    )


def _within(body: Body, inputs: list[Value]) -> Value | None:
    """The one output of steps that all act entry by entry; None if others do not."""
    known = dict(zip(body.inputs, inputs, strict=True))
    for step in body.steps:
        operands = [
            constant(r) if isinstance(r, Constant) else known[r] for r in step.inputs
        ]
        found: Value | None
        if all(value.origin != "signal" for value in operands):
            if any(value.origin == "parameter" for value in operands):
                return None
            found = Value("constant", node=uniform(step, operands))
        elif step.name in PRIMITIVES:
            found = mapped(step, operands)
        else:
            found = custom(step, operands) if step.inner is not None else None
        if found is None or len(step.outputs) > 1:
            return None
        known[step.outputs[0]] = found
    last = body.outputs[0]
    return None if isinstance(last, Constant) else known[last]


def _composed(outer: Node, inner: Node, known: dict[Node, Node]) -> Node:
    """The node of outer(inner(x)), where what is known of its parts is not made again."""
    if outer is VARIABLE:
        return inner
    if outer.primitive is None or inner is VARIABLE:
        return outer
    if outer not in known:
        arguments = tuple(_composed(node, inner, known) for node in outer.arguments)
        known[outer] = Node(outer.primitive, arguments, outer.params)
    return known[outer]


def reduced(value: Value, primitive: str) -> Value:
    """A sum, or another number of many; what was summed may be an activation, or not."""
    held = (*value.held, *((value,) if value.curved else ()))
    sources = frozenset[int]() if value.curved else value.sources
    return signal(
        sources,
        real=value.real and not primitive.startswith("arg"),
        reduced=True,
        held=held,
        summed=value if primitive == "reduce_sum" else None,
    )


def reshaped(reader: "Reader", value: Value) -> Value:
    """The same entries in another shape."""
    if not value.reduced:
        reader.settle(value)
    return signal(
        value.sources,
        real=value.real,
        reduced=value.reduced,
        held=(value,) if value.reduced and value.curved else value.held,
        summed=value.summed,
        weights=value.weights,
        open=value.open,
    )


def merged(reader: "Reader", signals: list[Value], aval: Any) -> Value:
    """What is made of several signals in a way that is no site."""
    sources = frozenset[int]().union(*map(reader.settle, signals))
    real = any(value.real for value in signals) and floating(aval)
    return signal(sources, real=real)
