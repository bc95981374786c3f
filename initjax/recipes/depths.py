"""Depths as arguments: whole numbers, at least one, with the kernels they are for."""

import operator

from initjax.recipes.patterns import Patterns, listed_patterns


def check_depth(argument: str, value: int, *, least: int = 1, remedy: str = "") -> int:
    """``value`` as an int.

    Raises:
        TypeError: if it is not a whole number.
        ValueError: if it is below ``least``.
    """
    try:
        depth = operator.index(value)
    except TypeError as error:
        raise TypeError(
            f"{argument} must be a whole number; got {argument}={value!r}"
        ) from error
    if isinstance(value, bool) or depth < least:
        raise ValueError(f"{argument} must be >= {least}; got {argument}={value!r}{remedy}")
    return depth


def stack_depths(
    encoder_layers: int | None,
    encoder: Patterns,
    decoder_layers: int | None,
    decoder: Patterns,
) -> tuple[int | None, int | None]:
    """Layers (N, M) of encoder and decoder; None for a stack that is not there.

    Raises:
        ValueError: if a stack has layers but no kernels or kernels but no layers,
            and if there is none.
    """
    n = _stack_depth("encoder", encoder_layers, encoder)
    m = _stack_depth("decoder", decoder_layers, decoder)
    if n is None and m is None:
        raise ValueError(
            "encoder_layers=None and decoder_layers=None: give the number of layers of one"
        )
    return n, m


def _stack_depth(stack: str, layers: int | None, patterns: Patterns) -> int | None:
    """Number of layers of a stack; None if it has neither layers nor kernels."""
    named = listed_patterns(stack, patterns)
    if layers is None and named:
        raise ValueError(
            f"{stack}={patterns!r} but {stack}_layers=None; give the number of layers"
        )
    if layers is not None and not named:
        raise ValueError(
            f"{stack}_layers={layers!r} but {stack}=(): name the kernels of the {stack}, "
            f"or set {stack}_layers=None for a model without one"
        )
    return None if layers is None else check_depth(f"{stack}_layers", layers)
