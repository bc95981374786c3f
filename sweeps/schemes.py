"""Schemes by name, as they stand in tables and on the command line.

name                     the initializer of initjax.init with its defaults
name(0.01)               with a number as its first argument
normal(1/√n)             n is the fan_in; 1/sqrt(n) is read too
xavier_normal(gain)      with the activation's gain: torch's published number
                         where it has one, else 1/√E[φ(z)²]
kaiming_normal(fan_out)  with a mode
"""

import inspect
import math
import re
from typing import Any

from initjax.gains import published_gain
from initjax.init import INITIALIZERS, ScaledInitializer, variance_scaling

_CALL = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*", re.ASCII)
_MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
_ONE_OVER_ROOT_N = "1/√n"
_NUMBERS = {
    **dict.fromkeys(("normal", "constant", "variance_scaling", "orthogonal"), 1),
    **dict.fromkeys(("xavier_uniform", "xavier_normal"), 1),
    **dict.fromkeys(("kaiming_uniform", "kaiming_normal"), 1),
    "uniform": 2,
}
"""How many numbers a scheme takes; others take none."""


def canonical(name: str) -> str:
    """The one spelling of a scheme's name that tables use.

    Raises:
        ValueError: if no such scheme exists.

    Example:
        >>> canonical("normal( 1/sqrt(n) )")
        'normal(1/√n)'
    """
    match = _CALL.fullmatch(name)
    if not match or match[1] not in INITIALIZERS:
        raise ValueError(
            f"scheme {name!r} is unknown; use one of {', '.join(INITIALIZERS)}, "
            "with a number, gain, fan_in or fan_out in parentheses"
        )
    words = _words(match[2])
    spelled = f"{match[1]}({', '.join(words)})" if words else match[1]
    build(spelled, "relu")
    return spelled


def build(scheme: str, activation: str) -> ScaledInitializer:
    """The initializer that a scheme's name stands for.

    Args:
        scheme: A name in canonical spelling.
        activation: Its gain is used where the scheme says ``gain``.

    Raises:
        ValueError: if the arguments do not fit the initializer, or it draws
            around a mean of its own, which the shared draws do not have.

    Example:
        >>> build("xavier_normal(gain)", "tanh").law((9, 9)).variance
        0.308641975308642
    """
    match = _CALL.fullmatch(scheme)
    assert match
    name, words = match[1], _words(match[2])
    if words == [_ONE_OVER_ROOT_N] and name == "normal":
        return variance_scaling(1.0, "fan_in", "normal")
    try:
        values, named = _arguments(words, activation)
        known = inspect.signature(INITIALIZERS[name].factory).parameters
        missing = [word for word in named if word not in known]
        if missing:
            raise ValueError(f"{name} takes no {missing[0]}")
        if len(values) > (most := _NUMBERS.get(name, 0)):
            raise ValueError(f"{name} takes at most {most} numbers")
        initializer = INITIALIZERS[name].factory(*values, **named)
        if not isinstance(initializer, ScaledInitializer):
            raise ValueError("it is not a draw times a number, which networks can share")
        if initializer.mean:
            raise ValueError("the entries have a mean; only laws around 0 are swept")
        if not math.isfinite(initializer.law((2, 2)).variance):
            raise ValueError("the entries have no finite variance")
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"scheme {scheme!r} is not valid: {error}") from error
    return initializer


def _words(inside: str | None) -> list[str]:
    """Arguments in their one spelling: shortest numbers first, then words by name."""
    words = ["".join(w.split()) for w in (inside or "").split(",") if w.strip()]
    spelled = [_spelled(word) for word in words]
    return sorted(spelled, key=lambda w: (w[0].isalpha(), w if w[0].isalpha() else ""))


def _spelled(word: str) -> str:
    if word in ("1/sqrt(n)", _ONE_OVER_ROOT_N):
        return _ONE_OVER_ROOT_N
    try:
        number = float(word)
    except ValueError:
        return word
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def _arguments(words: list[str], activation: str) -> tuple[list[float], dict[str, Any]]:
    values: list[float] = []
    named: dict[str, Any] = {}
    for word in words:
        key = "gain" if word == "gain" else "mode" if word in _MODES else ""
        if key in named:
            raise ValueError(f"{key} is given twice")
        if key:
            named[key] = published_gain(activation) if key == "gain" else word
        else:
            values.append(float(word))
    return values, named
