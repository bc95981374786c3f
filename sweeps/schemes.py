"""Schemes by name, as they stand in tables and on the command line.

name                     the initializer of initjax.init with its defaults
name(0.01)               with a number as its first argument
normal(1/√n)             n is the fan_in; 1/sqrt(n) is read too
xavier_normal(gain)      with the activation's gain: torch's published number
                         where it has one, else 1/√E[φ(z)²]
kaiming_normal(fan_out)  with a mode
"""

import inspect
import re
from typing import Any

from initjax.gains import published_gain
from initjax.init import INITIALIZERS, ScaledInitializer, variance_scaling

_CALL = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*")
_MODES = ("fan_in", "fan_out", "fan_avg", "fan_geo_avg")
_ONE_OVER_ROOT_N = "1/√n"


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
    words = [w.strip() for w in (match[2] or "").split(",") if w.strip()]
    words = [_ONE_OVER_ROOT_N if w == "1/sqrt(n)" else w for w in words]
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
    name, words = match[1], [w.strip() for w in (match[2] or "").split(",") if w]
    if words == [_ONE_OVER_ROOT_N] and name == "normal":
        return variance_scaling(1.0, "fan_in", "normal")
    try:
        values, named = _arguments(words, activation)
        known = inspect.signature(INITIALIZERS[name].factory).parameters
        missing = [word for word in named if word not in known]
        if missing:
            raise ValueError(f"{name} takes no {missing[0]}")
        initializer = INITIALIZERS[name].factory(*values, **named)
        if initializer.mean:
            raise ValueError("the entries have a mean; only laws around 0 are swept")
    except (TypeError, ValueError) as error:
        raise ValueError(f"scheme {scheme!r} is not valid: {error}") from error
    return initializer


def _arguments(words: list[str], activation: str) -> tuple[list[float], dict[str, Any]]:
    values: list[float] = []
    named: dict[str, Any] = {}
    for word in words:
        if word == "gain":
            named["gain"] = published_gain(activation)
        elif word in _MODES:
            named["mode"] = word
        else:
            values.append(float(word))
    return values, named
