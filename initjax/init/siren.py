"""SIREN: uniform laws for networks whose activation is sin(ω₀ x)."""

import math

from initjax.fans import Axes
from initjax.init.arguments import check_finite
from initjax.init.by_fan import RoleFans, gain_scaling
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType, Shape


def siren(
    omega_0: float | Array = 30.0,
    *,
    first: bool = False,
    dtype: DType = None,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
) -> ScaledInitializer:
    """Kernels for layers that compute sin(ω₀ · (W x + b)).

        first layer   U(±1 / fan_in)
        others        U(±√(6 / fan_in) / ω₀)

    An arcsine-distributed input in [-1, 1] then gives ω₀ W x a variance of 1, and
    the next activation the same law again. The first layer reads coordinates in
    [-1, 1]; ω₀ sets the frequencies that it spans and is not in its law.

    Args:
        omega_0: Factor inside the sine, > 0.
        first: Whether the layer reads the coordinates.
        dtype: Used when the initializer is called without one.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.

    Raises:
        ValueError: if ``omega_0`` is not finite and positive.

    Example:
        >>> round(siren().law((256, 256)).support[1] * 30, 6)
        0.153093
        >>> round(siren(first=True).law((2, 256)).support[1], 6)
        0.5

    References:
        Sitzmann et al. (2020), arXiv:2006.09661.
    """
    omega_0 = check_finite("omega_0", omega_0, least=0)
    if isinstance(omega_0, float) and omega_0 == 0:
        raise ValueError("omega_0 must be > 0; got omega_0=0")
    roles = RoleFans(in_axis, out_axis, batch_axis)
    if not first:
        name = f"siren({omega_0!r})"
        return gain_scaling(name, 2**0.5 / omega_0, "fan_in", "uniform", roles, dtype)

    def stddev(shape: Shape) -> float:
        return 1 / (math.sqrt(3) * roles(shape).fan_in)

    return ScaledInitializer("siren(first=True)", "uniform", stddev, dtype=dtype)
