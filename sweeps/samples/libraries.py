"""The initializers of torch and JAX by name, and the law that each is published with."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

from initjax import init
from initjax.init import INITIALIZERS, Law, Lawful
from initjax.typing import Shape

_OF_JAX: Mapping[str, tuple[dict[str, Any], Lawful]] = {
    **{name: ({}, INITIALIZERS[name].build()) for name in ("normal", "truncated_normal")},
    "uniform": ({}, init.uniform(0.0, 0.01)),  # JAX's starts at 0, not at -0.01
    "constant": ({"value": 0.1}, init.constant(0.1)),
    "variance_scaling": (
        {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"},
        init.variance_scaling(1.0),
    ),
    **{
        name: ({}, INITIALIZERS[name].build())
        for name in (
            *("zeros", "ones", "orthogonal", "delta_orthogonal"),
            *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal"),
            *("lecun_uniform", "lecun_normal"),
        )
    },
}
"""By name: arguments of JAX's factory, and the initializer of initjax of that law."""

_NO_FACTORY = ("zeros", "ones")
"""These of JAX are initializers themselves."""

_HAAR = ("orthogonal", "delta_orthogonal")


class Subject(NamedTuple):
    """An initializer that is sampled.

    Attributes:
        draw: (key, shape) to a kernel.
        law_of: Law of an entry of a kernel of this shape; raises a ValueError for a
            shape that the scheme has no meaning for.
        family: Draws of one family and shape run one program.
        dependent: Whether entries that are not 0 depend on each other.
    """

    draw: Callable[..., jax.Array]
    law_of: Callable[[Shape], Law]
    family: str
    dependent: bool


def subject(source: str, scheme: str) -> Subject:
    """The initializer of this name, of ``initjax`` or of ``jax``.

    Example:
        >>> round(subject("jax", "he_normal").law_of((50, 9)).variance, 12)
        0.04
    """
    ours = INITIALIZERS[scheme].build() if source == "initjax" else _OF_JAX[scheme][1]
    family = getattr(ours, "base", scheme)
    draw: Any = ours
    if source == "jax":
        found = getattr(jax.nn.initializers, scheme)
        draw = found if scheme in _NO_FACTORY else found(**_OF_JAX[scheme][0])
    return Subject(draw, ours.law, family, scheme in _HAAR)


def fits(source: str, scheme: str, shape: Shape) -> bool:
    """Whether the scheme has a meaning for kernels of this shape.

    Example:
        >>> fits("initjax", "dirac", (3, 3, 8, 8)), fits("initjax", "dirac", (8, 8))
        (True, False)
    """
    try:
        subject(source, scheme).law_of(shape)
    except ValueError:
        return False
    # JAX refuses to narrow a layer.
    return (source, scheme) != ("jax", "delta_orthogonal") or shape[-1] >= shape[-2]
