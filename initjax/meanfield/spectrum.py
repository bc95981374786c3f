"""The law of the squared singular values of the Jacobian: density, atoms, edge.

By free probability, for any activation: exact in the limit of infinite width, with
D_ℓ and W_ℓ taken as free of each other, as they are for random weights.
"""

from collections.abc import Callable

import numpy as np

from initjax.activations import resolve
from initjax.meanfield.free_product import Curve
from initjax.meanfield.jacobian import Weights, checked
from initjax.meanfield.settings import off_zero
from initjax.meanfield.slope_cells import cell_law
from initjax.meanfield.slopes import REACH, SlopeLaw, slope_law
from initjax.meanfield.smoothness import check_continuous
from initjax.typing import Array, HostArray

_CELLS = 3  # refinement at which cells take the place of points


def jacobian_density(
    x: HostArray | float,
    activation: str | Callable[[Array], Array],
    *,
    depth: int,
    q: float,
    sigma_w: float,
    weights: Weights = "gaussian",
) -> HostArray:
    """Density of the squared singular values of the Jacobian of L layers.

        ρ(λ) = −Im G(λ + i0) / π,   S_{JJᵀ} = (S_{D²} S_{WWᵀ})^L

    with S_{WWᵀ} = 1/(σ_w² (1 + z)) for Gaussian and 1/σ_w² for orthogonal weights, and
    S_{D²} from the law of φ′(√q z)². It integrates to 1 less the masses of
    ``jacobian_atoms``. The equation for G is solved by continuation, to 1e-8 or better;
    where the law of a smooth φ itself shows through, in the tails of a few layers of
    orthogonal weights, to 1 %. A value that cannot be told is nan, as at an atom.

    Args:
        x: Squared singular values λ > 0; any shape.
        activation: φ, by name or as any elementwise callable.
        depth: L ≥ 1, whole.
        q: Second moment ≥ 0 of the pre-activation.
        sigma_w: Standard deviation of √fan_in · W, > 0; an orthogonal W has all
            singular values σ_w.
        weights: Law of W, gaussian or orthogonal.

    Returns:
        ρ in float64, shaped like ``x``; 0 from the upper edge on.

    Raises:
        ValueError: for x ≤ 0, for other arguments outside their range, where φ′ = 0
            everywhere or cannot be integrated.

    Example:
        >>> rho = jacobian_density(1.0, "identity", depth=1, q=1.0, sigma_w=1.0)
        >>> round(float(rho), 12) == round(3**0.5 / (2 * np.pi), 12)  # Marchenko-Pastur
        True

    References:
        Pennington, Schoenholz & Ganguli (2018), arXiv:1802.09979.
    """
    points = np.asarray(x, np.float64)
    if not np.all(good := (points > 0) & np.isfinite(points)):
        wrong = points[~good].flat[0]
        raise ValueError(f"x must be finite squared singular values > 0; got x={wrong!r}")
    edge = spectral_edge(activation, depth=depth, q=q, sigma_w=sigma_w, weights=weights)
    flat = points.ravel()
    density = np.where(flat < edge * (1 - 1e-12), np.nan, 0.0)
    for level in range(_CELLS + 1):
        left = np.flatnonzero(np.isnan(density))
        if not left.size:
            break
        curve, log_unit = _curve(activation, depth, q, sigma_w, weights, level)
        b = curve.follow(np.log(flat[left]) - log_unit)
        density[left] = np.maximum(-b.imag, 0) / (np.pi * flat[left])
    atoms = jacobian_atoms(activation, depth=depth, q=q, sigma_w=sigma_w, weights=weights)
    for place in atoms:
        density[np.abs(flat - place) <= 1e-9 * place] = np.nan
    return density.reshape(points.shape)


def jacobian_atoms(
    activation: str | Callable[[Array], Array],
    *,
    depth: int,
    q: float,
    sigma_w: float,
    weights: Weights = "gaussian",
) -> dict[float, float]:
    """Squared singular values that a finite share of all directions has.

        mass at 0: P(φ′ = 0),   at (σ_w a)^(2L): 1 − L (1 − P(φ′² = a²)), if that is > 0

    the latter for orthogonal weights only. ReLU has the first, hard tanh both.

    Args:
        activation: φ, by name or as any elementwise callable.
        depth: L ≥ 1, whole.
        q: Second moment ≥ 0 of the pre-activation.
        sigma_w: Standard deviation of √fan_in · W, > 0.
        weights: Law of W, gaussian or orthogonal.

    Returns:
        Mass of each atom by its place, ascending; slopes that are equal in float64
        count as equal.

    Raises:
        ValueError: as ``jacobian_density``.

    Example:
        >>> jacobian_atoms("relu", depth=5, q=1.0, sigma_w=2**0.5)
        {0.0: 0.5}

    References:
        Pennington, Schoenholz & Ganguli (2017), arXiv:1711.04735, for ReLU and hard
        tanh; Bercovici & Voiculescu (1993), for atoms of free products.
    """
    curve, log_unit = _curve(activation, depth, q, sigma_w, weights)
    law = curve.law
    assert isinstance(law, SlopeLaw)
    squares, found = law.squares, {}
    if squares[0] == 0 and law.flat[0]:
        found[0.0] = round(law.atom(0), 14)
    if weights == "orthogonal":
        for i in np.flatnonzero(squares > 0):
            mass = 1 - depth * (1 - law.atom(int(i)))
            if mass > 1e-12:
                place = np.exp(depth * np.log(squares[i]) + log_unit)
                found[float(place)] = round(mass, 14)
    return found


def spectral_edge(
    activation: str | Callable[[Array], Array],
    *,
    depth: int,
    q: float,
    sigma_w: float,
    weights: Weights = "gaussian",
) -> float:
    """Largest squared singular value of the Jacobian of L layers.

        λ_max = min ζ(x) over x > max φ′²

    with ζ the functional inverse that ``initjax.meanfield.free_product`` states; for a
    linear network of Gaussian weights σ_w^(2L) (L + 1)^(L + 1) / L^L, near e (L + ½),
    and for orthogonal ones σ_w^(2L).

    Args:
        activation: φ, by name or as any elementwise callable.
        depth: L ≥ 1, whole.
        q: Second moment ≥ 0 of the pre-activation.
        sigma_w: Standard deviation of √fan_in · W, > 0.
        weights: Law of W, gaussian or orthogonal.

    Returns:
        λ_max as a float, good to 1e-6 or better; inf where slopes that φ reaches with
        a probability below 1e-15 move it: they are not bounded as far as they count.

    Raises:
        ValueError: as ``jacobian_density``.

    Example:
        >>> edge = spectral_edge("identity", depth=2, q=1.0, sigma_w=1.0)
        >>> round(edge, 12)
        6.75

    References:
        Pennington, Schoenholz & Ganguli (2017), arXiv:1711.04735.
    """
    far, near = (
        _edge(*_curve(activation, depth, q, sigma_w, weights, 1, reach))
        for reach in (REACH, 8.0)
    )
    return far if abs(far - near) <= 1e-6 * far else float("inf")


def _edge(curve: Curve, log_unit: float) -> float:
    """Smallest ζ beyond the largest slope, by a grid that closes in on it."""
    low, high = -34.0, np.log(4.0 * (curve.depth + 2))  # of ln(x − 1), down to rounding
    for _ in range(7):
        t = np.linspace(low, high, 60)
        log_zeta = curve.at(np.log1p(np.exp(t)) + 0j)[0].real
        best = int(np.argmin(log_zeta))
        low, high = t[max(best - 1, 0)], t[min(best + 1, t.size - 1)]
    with np.errstate(over="ignore"):
        return float(np.exp(log_zeta[best] + log_unit))


def _curve(
    activation: str | Callable[[Array], Array],
    depth: int,
    q: float,
    sigma_w: float,
    weights: Weights,
    level: int = 0,
    reach: float = REACH,
) -> tuple[Curve, float]:
    """The curve of a law whose largest slope is 1, and ln of the unit of its ζ."""
    checked(depth, sigma_w, weights)
    if np.ndim(depth) or np.ndim(q) or np.ndim(sigma_w):
        raise ValueError(
            "depth, q and sigma_w must be one number each; got "
            f"depth={depth!r}, q={q!r}, sigma_w={sigma_w!r}"
        )
    if not (sigma_w > 0 and np.isfinite(q) and q >= 0):
        raise ValueError(
            f"q must be finite and >= 0 and sigma_w > 0; got q={q!r}, sigma_w={sigma_w!r}"
        )
    named, moment = resolve(activation), float(off_zero(q))
    check_continuous(named, moment)
    points = slope_law(named, moment, min(level, _CELLS - 1), reach)
    law = cell_law(named, moment) if level == _CELLS else points
    curve = Curve(law.over(law.top), int(depth), weights == "gaussian")
    return curve, depth * float(np.log(law.top) + 2 * np.log(sigma_w))
