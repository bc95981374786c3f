"""Gaussian expectations E f(√q z), z ~ N(0, 1), in float64 on the host.

Gauss-Legendre on pieces: the line is cut at the kinks of f, at steps of ½ where
the Gaussian has its mass, and at geometrically growing points of √q z, so that
neither a kink nor a large q costs digits. Plain Gauss-Hermite is wrong in the
third digit for kinked activations.
"""

from collections.abc import Callable
from functools import cache, lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import NamedActivation, derivative
from initjax.typing import HostArray

HostFunction = Callable[[HostArray], HostArray]

_REACH = 13.0  # exp(-13²/2) = 2e-37: the tail beyond is below rounding
_NODES = 24
_GRADED = 8.0  # pieces of unit length in x up to here, doubling beyond
_LIMIT = 64.0  # kinks of an unknown callable are searched in [-64, 64]
_PIECES = 4096  # refinement stops here: f is then rough at every scale
_CHUNK = 128  # values of q integrated at once, to bound memory


@cache
def _rule() -> tuple[HostArray, HostArray]:
    return np.polynomial.legendre.leggauss(_NODES)


@lru_cache(maxsize=256)
def on_host(activation: NamedActivation, order: int = 0) -> HostFunction:
    """φ (order 0) or φ′ (order 1) as a float64 NumPy function.

    Raises:
        TypeError: if JAX cannot trace the activation.
        ValueError: if the activation is not elementwise.
    """
    if order == 0:
        traced = jax.jit(activation.function)
    else:
        traced = jax.jit(lambda x: derivative(activation.function, x))

    def evaluate(x: HostArray) -> HostArray:
        with jax.ensure_compile_time_eval(), jax.enable_x64(True):
            return np.asarray(traced(jnp.asarray(x, jnp.float64)), np.float64)

    _check_elementwise(activation, evaluate)
    return evaluate


def _check_elementwise(activation: NamedActivation, evaluate: HostFunction) -> None:
    x = np.array([-1.3, 0.4, 2.1])
    try:
        together = evaluate(x)
    except Exception as error:  # whatever a user's function raises while traced
        raise TypeError(
            f"activation {activation.name!r} cannot be traced and differentiated by "
            f"JAX; write it with jax.numpy ({type(error).__name__}: {error})"
        ) from error
    alone = np.concatenate([np.atleast_1d(evaluate(x[i : i + 1])) for i in range(3)])
    if together.shape != x.shape or not np.allclose(
        together, alone, rtol=1e-10, equal_nan=True
    ):
        raise ValueError(
            f"activation {activation.name!r} is not elementwise: its value at one "
            "entry depends on the others. Give a scalar nonlinearity"
        )


@lru_cache(maxsize=256)
def breakpoints(activation: NamedActivation) -> tuple[float, ...]:
    """Where the line must be cut so that φ and φ′ are smooth on each piece.

    The declared kinks if there are any; else pieces of [-64, 64] are halved
    until the Legendre series of φ and φ′ converge on each, which encloses a
    kink in a piece of rounding length. Kinks outside that range, and features
    narrower than about 0.01 that vanish elsewhere, are not seen: declare them.

    Example:
        >>> hinge = NamedActivation("hinge", lambda x: jnp.maximum(x - 0.3, 0), None)
        >>> any(abs(b - 0.3) < 1e-12 for b in breakpoints(hinge))
        True
    """
    if activation.kinks is not None:
        return activation.kinks
    value, slope = on_host(activation), on_host(activation, 1)
    # Off the integers, where kinks like to be: one on an edge would go unseen.
    edges = np.arange(-_LIMIT, _LIMIT + 1) + np.sqrt(0.17)
    floor = 1e-12 * max(1e-300, *(np.abs(f(edges[63:66])).max() for f in (value, slope)))
    rough = np.stack([edges[:-1], edges[1:]], 1)
    found: list[float] = []
    while len(rough) and len(found) < _PIECES:
        narrow = rough[:, 1] - rough[:, 0] < 4e-15 * np.abs(rough).max(1).clip(1e-3)
        bad = _unresolved(value, rough, floor) | _unresolved(slope, rough, floor)
        rough = rough[bad & ~narrow]
        middle = rough.mean(1)
        found.extend(middle.tolist())
        rough = np.concatenate(
            [np.stack([rough[:, 0], middle], 1), np.stack([middle, rough[:, 1]], 1)]
        )
    return tuple(sorted(found))


def _unresolved(f: HostFunction, pieces: HostArray, floor: float) -> HostArray:
    """Whether the last Legendre coefficients of f on a piece are not negligible."""
    nodes, weights = _rule()
    half = (pieces[:, 1] - pieces[:, 0]) / 2
    values = f(pieces.mean(1)[:, None] + half[:, None] * nodes)
    basis = np.polynomial.legendre.legvander(nodes, _NODES - 1)
    series = values @ (weights[:, None] * basis * (np.arange(_NODES) + 0.5))
    tail = np.abs(series[:, -4:]).max(1)
    return tail > np.maximum(floor, 1e-12 * np.abs(values).max(1))


def expectation(
    f: HostFunction, q: HostArray | float = 1.0, kinks: tuple[float, ...] = ()
) -> HostArray:
    """Mean of f under a centred Gaussian of variance q.

        E f(√q z) = ∫ f(√q z) exp(-z²/2) / √(2π) dz

    Args:
        f: Elementwise function of a float64 array.
        q: Variance, finite and ≥ 0; any shape.
        kinks: Points x = √q z at which f is not smooth.

    Returns:
        float64 array shaped like ``q``; relative error near 1e-14 for an f that
        is smooth between its kinks and turns at most some 50 times per unit of z.

    Raises:
        ValueError: if an entry of ``q`` is negative or not finite, and where f
            grows so fast that the mass beyond 13 standard deviations counts.

    Example:
        >>> bool(abs(expectation(np.square, 3.0) - 3.0) < 1e-14)
        True
    """
    q = np.asarray(q, np.float64)
    if not np.all(np.isfinite(q) & (q >= 0)):
        raise ValueError(f"q must be a finite variance >= 0; got q={q!r}")
    flat = np.sqrt(q).ravel()
    parts = [
        _integrate(f, flat[i : i + _CHUNK], kinks) for i in range(0, flat.size, _CHUNK)
    ]
    return np.concatenate(parts or [flat]).reshape(q.shape)


def _integrate(f: HostFunction, scale: HostArray, kinks: tuple[float, ...]) -> HostArray:
    edges = _edges(scale, kinks)
    nodes, weights = _rule()
    half = np.diff(edges) / 2
    z = (edges[:, :-1] + half)[..., None] + half[..., None] * nodes
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    with np.errstate(over="ignore", invalid="ignore"):
        mass = f(scale[:, None, None] * z) * density
        total = np.sum(np.abs(mass) * (half[..., None] * weights), axis=(1, 2))
        beyond = np.max(np.abs(mass) * (np.abs(z) > _REACH - 0.5), axis=(1, 2))
        if np.any(beyond > 1e-12 * total) or np.isnan(total).any():
            raise ValueError(
                "the expectation does not converge within 13 standard deviations: "
                f"the function grows too fast at q={np.square(scale).max():g}"
            )
        return np.sum(mass * (half[..., None] * weights), axis=(1, 2))


def _edges(scale: HostArray, kinks: tuple[float, ...]) -> HostArray:
    """Ends of the pieces in z, one row per scale; clipped ones have no length."""
    inner = np.arange(1.0, _GRADED + 1)
    doublings = np.log2(max(_REACH * scale.max(), _GRADED) / _GRADED)
    # In steps of 64, so that few shapes are compiled along a recursion over layers.
    outer = _GRADED * 2.0 ** np.arange(1, 64 * (int(doublings) // 64 + 1) + 1)
    right = np.concatenate([inner, outer])
    cuts = np.concatenate([-right[::-1], [0.0], right, np.asarray(kinks, np.float64)])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.nan_to_num(cuts / scale[:, None], nan=0.0)
    even = np.arange(-_REACH, _REACH + 0.5, 0.5)
    both = np.concatenate([np.broadcast_to(even, (len(scale), even.size)), moved], 1)
    return np.sort(np.clip(both, -_REACH, _REACH), axis=1)
