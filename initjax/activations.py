"""Scalar nonlinearities by name, with the points where they are not smooth.

The table ACTIVATIONS is the one registry: theory, engine, sweeps and tests read
it. A callable that is not in it works everywhere too; its kinks are then found
by ``initjax.quadrature``.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from types import MappingProxyType

import jax
import jax.numpy as jnp

from initjax.typing import Array


@dataclass(frozen=True)
class NamedActivation:
    """An elementwise φ with its name and the kinks of φ.

    Attributes:
        name: How tables and figures call it.
        function: φ, traceable by JAX.
        kinks: Points where φ or a derivative of it jumps, ascending; None when
            unknown.
    """

    name: str
    function: Callable[[Array], Array]
    kinks: tuple[float, ...] | None = ()

    def __call__(self, x: Array) -> Array:
        """Apply φ to each entry of ``x``."""
        return self.function(x)


def leaky_relu(a: float = 0.01) -> NamedActivation:
    """Leaky ReLU φ(x) = max(x, 0) + a·min(x, 0).

    Args:
        a: Slope of the negative half, finite.

    Raises:
        ValueError: if ``a`` is not finite.

    Example:
        >>> float(leaky_relu(0.25)(jnp.float32(-2.0)))
        -0.5

    References:
        He et al. (2015), arXiv:1502.01852, eq. (1), there with a learned.
    """
    slope = float(a)
    if not abs(slope) < float("inf"):
        raise ValueError(f"leaky_relu needs a finite slope a; got a={a!r}")
    return _leaky_relu(slope)


@cache
def _leaky_relu(slope: float) -> NamedActivation:
    """Equal slopes are one object, so that they share compilations."""
    short = f"{slope:g}" if float(f"{slope:g}") == slope else repr(slope)
    name = "leaky_relu" if slope == 0.01 else f"leaky_relu({short})"
    function = partial(jax.nn.leaky_relu, negative_slope=slope)
    return NamedActivation(name, function, (0.0,))


def _hard_tanh(x: Array) -> Array:
    return jnp.clip(x, -1, 1)


def _identity(x: Array) -> Array:
    return x


def _squared_relu(x: Array) -> Array:
    return jnp.square(jax.nn.relu(x))


def _lecun_tanh(x: Array) -> Array:
    """So that φ(±1) = ±1, as LeCun et al. (1998), Efficient BackProp, §4.4 ask."""
    return 1.7159 * jnp.tanh(2 * x / 3)


def _quick_gelu(x: Array) -> Array:
    """The sigmoid approximation of Hendrycks & Gimpel (2016), arXiv:1606.08415."""
    return x * jax.nn.sigmoid(1.702 * x)


ACTIVATIONS: Mapping[str, NamedActivation] = MappingProxyType(
    {
        activation.name: activation
        for activation in (
            NamedActivation("identity", _identity),
            NamedActivation("relu", jax.nn.relu, (0.0,)),
            leaky_relu(),
            NamedActivation("relu6", jax.nn.relu6, (0.0, 6.0)),
            NamedActivation("squared_relu", _squared_relu, (0.0,)),
            NamedActivation("elu", jax.nn.elu, (0.0,)),
            NamedActivation("selu", jax.nn.selu, (0.0,)),
            NamedActivation("gelu", partial(jax.nn.gelu, approximate=False)),
            NamedActivation("gelu_tanh", partial(jax.nn.gelu, approximate=True)),
            NamedActivation("quick_gelu", _quick_gelu),
            NamedActivation("silu", jax.nn.silu),
            NamedActivation("hard_silu", jax.nn.hard_silu, (-3.0, 3.0)),
            NamedActivation("mish", jax.nn.mish),
            NamedActivation("softplus", jax.nn.softplus),
            NamedActivation("log_sigmoid", jax.nn.log_sigmoid),
            NamedActivation("sigmoid", jax.nn.sigmoid),
            NamedActivation("hard_sigmoid", jax.nn.hard_sigmoid, (-3.0, 3.0)),
            NamedActivation("tanh", jnp.tanh),
            NamedActivation("lecun_tanh", _lecun_tanh),
            NamedActivation("hard_tanh", _hard_tanh, (-1.0, 1.0)),
            NamedActivation("softsign", jax.nn.soft_sign, (0.0,)),
            NamedActivation("erf", jax.scipy.special.erf),
            NamedActivation("arctan", jnp.arctan),
            NamedActivation("sin", jnp.sin),
            NamedActivation("abs", jnp.abs, (0.0,)),
        )
    }
)

_LEAKY = re.compile(r"leaky_relu\(\s*(?:a\s*=\s*)?([^)]+?)\s*\)")


def resolve(
    activation: str | Callable[[Array], Array], kinks: Iterable[float] | None = None
) -> NamedActivation:
    """The activation meant by a name or a callable.

    Args:
        activation: A name of ACTIVATIONS, ``"leaky_relu(a)"`` with a number
            for a, or any elementwise callable that JAX can trace.
        kinks: Points where a callable or a derivative of it jumps; () says that
            it is smooth, None that they are unknown.

    Returns:
        Its entry; a bare callable without ``kinks`` gets ``kinks=None``.

    Raises:
        ValueError: for a name that is not in the table, for kinks that are not
            finite, and for kinks of an activation that has its own.
        TypeError: for something that is neither a name nor callable.

    Example:
        >>> resolve("leaky_relu(0.2)").kinks
        (0.0,)
        >>> resolve(jnp.cos).name
        'cos'
    """
    if isinstance(activation, NamedActivation):
        return _declared(activation, kinks)
    if isinstance(activation, str):
        return _declared(_by_name(activation), kinks)
    if callable(activation):
        name = getattr(activation, "__name__", type(activation).__name__)
        return _declared(NamedActivation(name, activation, None), kinks)
    raise TypeError(
        f"activation must be a name or a callable; got {activation!r}. "
        f"Names: {', '.join(ACTIVATIONS)}"
    )


def _declared(named: NamedActivation, kinks: Iterable[float] | None) -> NamedActivation:
    """The same φ with the kinks that the caller knows."""
    if kinks is None:
        return named
    if named.kinks is not None:
        raise ValueError(
            f"activation {named.name!r} has its kinks {named.kinks} already; got "
            f"kinks={kinks!r}. Leave kinks=None, or pass the bare function"
        )
    try:
        points = tuple(sorted({float(point) for point in kinks}))
    except (TypeError, ValueError):
        points = (math.nan,)
    if not all(map(math.isfinite, points)):
        raise ValueError(
            f"kinks must be a sequence of finite numbers, the points where the "
            f"activation or a derivative of it jumps; got kinks={kinks!r}"
        )
    return replace(named, kinks=points)


def _by_name(name: str) -> NamedActivation:
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    match = _LEAKY.fullmatch(name)
    try:
        if match:
            return leaky_relu(float(match[1]))
    except ValueError:
        pass
    raise ValueError(
        f"activation {name!r} is unknown; use one of {', '.join(ACTIVATIONS)}, "
        "leaky_relu(a) with a number for a, or pass a callable"
    )


def value_and_derivative(
    activation: Callable[[Array], Array], x: Array
) -> tuple[Array, Array]:
    """φ and φ′ at every entry of ``x``, by one forward-mode pass.

    Example:
        >>> value, slope = value_and_derivative(jnp.tanh, jnp.float32(0.0))
        >>> float(value), float(slope)
        (0.0, 1.0)
    """
    return jax.jvp(activation, (x,), (jnp.ones_like(x),))
