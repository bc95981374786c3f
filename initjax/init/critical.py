"""Kernel and bias initializers on the edge of chaos, for any activation."""

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

from initjax.init.arguments import check_choice, check_concrete
from initjax.init.by_fan import RoleFans, gain_scaling
from initjax.init.orthogonal import scaled_orthogonal
from initjax.init.plain import normal
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType

Weights = Literal["gaussian", "orthogonal"]


class Critical(NamedTuple):
    """The arguments of a Flax layer: ``nn.Dense(n, **critical("tanh")._asdict())``.

    Attributes:
        kernel_init: Entries of standard deviation σ_w / √fan_in.
        bias_init: Entries N(0, σ_b²).
    """

    kernel_init: ScaledInitializer
    bias_init: ScaledInitializer


def critical(
    activation: str | Callable[[Array], Array],
    *,
    sigma_b: float = 0.0,
    weights: Weights = "gaussian",
    dtype: DType = None,
) -> Critical:
    """Kernel and bias at χ₁ = 1, where gradients neither vanish nor explode.

        W ~ N(0, σ_w² / fan_in),  b ~ N(0, σ_b²),    σ_w² E[φ′(√q* z)²] = 1

    q* is the fixed point of the variance map. The first layer is there if its inputs
    have the second moment (q* − σ_b²)/σ_w². For tanh without biases q* = 0: signals
    decay like 1/l. For gelu, silu and mish q* repels without biases and with small
    ones, so that a deep plain network leaves it and may explode:
    ``initjax.meanfield.length_stability`` says from which σ_b on it attracts.

    Args:
        activation: φ that follows the layers, by name or as any elementwise callable.
        sigma_b: Standard deviation of the biases, ≥ 0.
        weights: gaussian, or orthogonal for Haar matrices with entries of the same
            variance, which multiply all lengths by σ_w where a layer does not narrow.
        dtype: Used when the initializers are called without one.

    Raises:
        ValueError: if ``sigma_b`` is negative or not finite, for other ``weights``,
            and where there is no critical point (a ``NoCriticalPointError``), as for
            softplus, and for relu with σ_b > 0.

    Example:
        >>> kernel_init, bias_init = critical("tanh", sigma_b=0.05**0.5)
        >>> round(kernel_init.law((100, 10)).variance * 100, 10)
        1.7609546396
        >>> round(bias_init.law((10,)).variance, 12)
        0.05

    References:
        Schoenholz et al. (2017), arXiv:1611.01232; Pennington, Schoenholz & Ganguli
        (2017), arXiv:1711.04735, for orthogonal weights.
    """
    sigma_b = check_concrete("sigma_b", sigma_b)
    check_choice("weights", weights, get_args(Weights))
    # Here, so that who imports initjax does not wait for all its theory.
    from initjax.meanfield import critical_sigma_w

    sigma_w = critical_sigma_w(activation, sigma_b=sigma_b)
    if weights == "orthogonal":
        kernel = scaled_orthogonal(sigma_w, dtype)
    else:
        roles = RoleFans(-2, -1, ())
        name = f"critical(sigma_w={sigma_w!r})"
        kernel = gain_scaling(name, sigma_w, "fan_in", "normal", roles, dtype)
    return Critical(kernel, normal(sigma_b, dtype))
