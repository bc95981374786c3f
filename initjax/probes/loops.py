"""What goes into the turns of a loop, and what comes out of them."""

from dataclasses import replace

from initjax.probes.values import Value, floating, signal


def common(paths: list[str]) -> str:
    """The folder that all paths lie in."""
    shared = list[str]()
    for names in zip(*(path.split("/")[:-1] for path in paths), strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return "/".join(shared)


def started(value: Value) -> Value:
    """What a loop hands on, before its first turn: zeros count as a signal."""
    if value.origin == "constant" and value.aval is not None and floating(value.aval):
        return signal(frozenset(), aval=value.aval)
    return value


def sliced(value: Value, stem: str, at: int) -> Value:
    """One turn's part of what a loop sweeps over."""
    if value.origin != "parameter":
        return value
    weights = tuple(f"{stem}[{at}]{w.removeprefix(stem)}" for w in value.weights)
    return replace(value, weights=weights)


def union(rows: list[Value]) -> Value:
    """What a loop has stacked."""
    signals = [value for value in rows if value.origin == "signal"]
    if signals:
        sources = frozenset[int]().union(*(value.sources for value in signals))
        return signal(sources, real=signals[0].real)
    return replace(rows[0], node=None) if rows else Value("constant")
