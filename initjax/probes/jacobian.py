"""Singular values of the input-output Jacobian of a network, exactly and matrix-free."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.probes.lanczos import Function, tridiagonal
from initjax.typing import HostArray, Key


class Spectrum(NamedTuple):
    """The squared singular values λ of a Jacobian with m outputs, estimated.

    Attributes:
        mean: tr(J Jᵀ)/m, the mean of λ over the m outputs.
        mean_error: Its standard error, over probes.
        second: tr((J Jᵀ)²)/m, the mean of λ².
        second_error: Its standard error, over probes.
        largest: λ_max, from below.
        largest_error: An eigenvalue lies within this distance of ``largest``.
        values: Quadrature points of the law of λ, [probes · steps], ascending.
        weights: Their masses, which sum to 1: a histogram of ``values`` with these
            weights is a smoothed density of λ.
    """

    mean: float
    mean_error: float
    second: float
    second_error: float
    largest: float
    largest_error: float
    values: HostArray
    weights: HostArray

    @property
    def variance(self) -> float:
        """Variance of λ."""
        return self.second - self.mean**2

    @property
    def isometry(self) -> float:
        """(mean λ)² / mean λ²: 1 where all singular values are equal."""
        return self.mean**2 / self.second


def singular_values(f: Function, x: Any) -> HostArray:
    """Singular values of ∂f/∂x at one input, from the whole Jacobian.

    Args:
        f: Function of one input, traceable by JAX: close over the parameters, as in
            ``lambda x: model.apply(variables, x[None])[0]``.
        x: The input, a float array of any shape with n entries.

    Returns:
        min(m, n) singular values in float64, descending, for m entries of the output.
        What lies below 1e-7 of the first is the rounding of float32.

    Raises:
        TypeError: if x is not a float array, or f does not give one.

    Example:
        >>> singular_values(lambda x: x * jnp.array([3.0, -4.0]), jnp.ones(2)).tolist()
        [4.0, 3.0]
    """
    outputs, inputs = _sizes(f, x)
    differentiate = jax.jacfwd if inputs <= outputs else jax.jacrev
    whole = jax.jit(differentiate(f))(jnp.asarray(x))
    matrix = np.asarray(whole, np.float64).reshape(outputs, inputs)
    if not np.isfinite(matrix).all():
        return np.full(min(matrix.shape), np.nan)
    return np.linalg.svd(matrix, compute_uv=False)


def jacobian_spectrum(
    f: Function, x: Any, key: Key, *, probes: int = 16, steps: int = 32
) -> Spectrum:
    """Mean, second moment, largest value and law of λ without the Jacobian.

        tr(A)/m ≈ mean of vᵀ A v,  tr(A²)/m ≈ mean of ‖A v‖²,   A = J Jᵀ, v = ±1/√m

    for random signs, and Gauss quadrature of the law of λ by Lanczos' recursion from
    the same vectors. It takes probes × steps products with J and with Jᵀ, and memory
    for as many outputs.

    Args:
        f: Function of one input, traceable by JAX, parameters closed over.
        x: The input, a float array of any shape.
        key: Random key of the probes.
        probes: Random vectors, ≥ 2; errors fall as 1/√probes.
        steps: Steps of the recursion, ≥ 2; at most as many as outputs are made.

    Returns:
        A ``Spectrum``; λ counts the outputs: with fewer inputs than outputs, zeros too.

    Raises:
        TypeError: if x is not a float array, or f does not give one.
        ValueError: for fewer than 2 probes or steps.

    Example:
        >>> found = jacobian_spectrum(lambda x: 2 * x, jnp.ones(64), jax.random.key(0))
        >>> found.mean, found.variance, found.largest, found.isometry
        (4.0, 0.0, 4.0, 1.0)

    References:
        Hutchinson (1990), Commun. Stat. Simul. 19:433; Golub & Welsch (1969),
        Math. Comp. 23:221; Ubaru, Chen & Saad (2017), SIAM J. Matrix Anal. 38:1075.
    """
    for name, count in (("probes", probes), ("steps", steps)):
        if not (isinstance(count, int) and count >= 2):
            raise ValueError(f"{name} must be a whole number >= 2; got {name}={count!r}")
    outputs, _ = _sizes(f, x)
    run = jax.jit(partial(tridiagonal, f, probes=probes, steps=min(steps, outputs)))
    alpha, beta = (np.asarray(a, np.float64) for a in run(jnp.asarray(x), key))
    with np.errstate(invalid="ignore"):
        return _spectrum(alpha, beta)


def _spectrum(alpha: HostArray, beta: HostArray) -> Spectrum:
    """What the coefficients [probe, step] say."""
    first, second = alpha[:, 0], alpha[:, 0] ** 2 + beta[:, 0] ** 2
    values, vectors = _eigen(alpha, beta)
    top = np.argmax(values[:, -1])
    weights = vectors[:, 0, :] ** 2 / len(alpha)
    order = np.argsort(values, axis=None)
    mean, mean_error = _mean(first)
    average, second_error = _mean(second)
    return Spectrum(
        mean=mean,
        mean_error=mean_error,
        second=average,
        second_error=second_error,
        largest=float(values[top, -1]),
        largest_error=float(abs(beta[top, -1] * vectors[top, -1, -1])),
        values=values.ravel()[order],
        weights=weights.ravel()[order],
    )


def _eigen(alpha: HostArray, beta: HostArray) -> tuple[HostArray, HostArray]:
    """Eigenvalues and eigenvectors of the tridiagonal matrices [probe, step, step]."""
    if not (np.isfinite(alpha).all() and np.isfinite(beta).all()):
        steps = alpha.shape[1]
        return np.full(alpha.shape, np.nan), np.full((len(alpha), steps, steps), np.nan)
    index = np.arange(alpha.shape[1])
    matrix = np.zeros((*alpha.shape, alpha.shape[1]))
    matrix[:, index, index] = alpha
    matrix[:, index[:-1], index[1:]] = matrix[:, index[1:], index[:-1]] = beta[:, :-1]
    values, vectors = np.linalg.eigh(matrix)
    return values, vectors


def _mean(samples: HostArray) -> tuple[float, float]:
    """Mean and standard error."""
    return float(samples.mean()), float(samples.std(ddof=1) / np.sqrt(len(samples)))


def _sizes(f: Function, x: Any) -> tuple[int, int]:
    """Entries of output and input, both of which must be float arrays."""
    x = jnp.asarray(x)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(
            f"x must be a float array, for a Jacobian to exist; got {x.dtype}. "
            "Convert it with jnp.float32"
        )
    out = jax.eval_shape(f, x)
    if not (hasattr(out, "dtype") and jnp.issubdtype(out.dtype, jnp.floating)):
        raise TypeError(
            f"f must return one float array; got {out}. Wrap it in a function that "
            "returns the output whose Jacobian is meant"
        )
    return int(out.size), int(x.size)
