"""How an initializer gets its scale from a shape: which fan, of which axes."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

from initjax.fans import Fans
from initjax.init import SampledInitializer, ScaledInitializer
from initjax.init.by_fan import RoleFans
from initjax.init.scaled import Mode
from initjax.typing import Shape

_ROLES = ("in_axis", "out_axis", "batch_axis")
_JAX = "nn.initializers"  # of the modules that define JAX's initializers


class Reading(NamedTuple):
    """What an initializer makes of a shape.

    Attributes:
        fans_of: Fans that it reads from a shape.
        mode: Which of them it divides by.
    """

    fans_of: Callable[[Shape], Fans]
    mode: Mode


def default_reading(mode: Mode) -> Reading:
    """Fans of JAX's default axes: input -2, output -1."""
    return Reading(RoleFans(-2, -1, ()), mode)


def reading(kernel_init: Callable[..., Any], mode: Mode | None) -> Reading | None:
    """How an initializer reads a shape; None if its scale does not follow from fans.

    Args:
        kernel_init: Of this package, of JAX, or any; wrappers such as
            ``nn.with_partitioning`` are looked through.
        mode: Assumed, with the default axes, of an initializer that does not tell.

    Raises:
        ValueError: if it does not tell, and ``mode`` is None.
    """
    inner = inspect.unwrap(kernel_init)
    if isinstance(inner, SampledInitializer):
        return None
    if isinstance(inner, ScaledInitializer):
        if inner.fans_of is None or inner.mode is None:
            return None
        return Reading(inner.fans_of, inner.mode)
    settings = _closure(inner)
    if {"mode", *_ROLES} <= settings.keys():  # jax.nn.initializers.variance_scaling
        return Reading(RoleFans(*(settings[role] for role in _ROLES)), settings["mode"])
    if getattr(inner, "__module__", "").endswith(_JAX):
        return None
    if mode is None:
        raise ValueError(
            f"its kernel_init {inner!r} does not tell which fan it reads; give mode= to "
            "assume one, or leave the layer out with only="
        )
    return default_reading(mode)


def _closure(function: Any) -> dict[str, Any]:
    """Variables that a function has from the factory that made it."""
    try:
        return dict(inspect.getclosurevars(function).nonlocals)
    except TypeError:  # a callable object
        return {}
