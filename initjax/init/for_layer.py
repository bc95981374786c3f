"""Initializers that know the layer: variance over the fan that is right for it."""

import contextlib
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from initjax.fans import LAYERS, Fans, ShapeError
from initjax.init.arguments import check_choice
from initjax.init.by_fan import Distribution, gain_scaling
from initjax.init.scaled import Mode, ScaledInitializer
from initjax.typing import Array, DType


def for_layer(
    layer: str | Callable[..., Fans],
    gain: float | Array = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    dtype: DType = None,
    **settings: Any,
) -> ScaledInitializer:
    """Entries of standard deviation gain / √fan, with the fan of this kind of layer.

        Var W = gain² / fan

    Flax's layers hand their initializers a shape, from which the fan of seven kinds
    cannot be read: give this factory the settings of the layer, by the names that
    Flax uses, and the result as its ``kernel_init``.

    Args:
        layer: A name of ``initjax.fans.LAYERS`` (dense, dense_general, einsum,
            attention, experts, embed, masked, conv, conv_transpose, conv_local),
            or a function of the shape and ``settings`` that returns Fans.
        gain: Factor on the standard deviation, ≥ 0; see ``initjax.gains``.
        mode: fan_in, fan_out, fan_avg or fan_geo_avg.
        distribution: normal (untruncated), truncated_normal or uniform.
        dtype: Used when the initializer is called without one.
        **settings: As that function of ``initjax.fans`` takes them, for instance
            ``equation=``, ``strides=``, ``feature_group_count=``, ``mask=``.

    Raises:
        ValueError: for an unknown layer, mode or distribution, a gain that is
            negative or not finite, and a setting out of range; when called, for a
            shape that is not of this layer.
        TypeError: for a setting that the layer does not have, or of a wrong kind.

    Example:
        >>> kernel_init = for_layer("einsum", equation="btd,dhk->bthk")
        >>> round(1 / kernel_init.law((64, 8, 16)).variance, 6)  # not 64 * 8
        64.0

    References:
        Glorot & Bengio (2010), eqs. (10) and (11), for what a fan counts.
    """
    if isinstance(layer, str):
        check_choice("layer", layer, tuple(LAYERS))
    fans_of = LAYERS[layer] if isinstance(layer, str) else layer
    kind = layer if isinstance(layer, str) else getattr(layer, "__name__", repr(layer))
    _check_settings(kind, fans_of, settings)
    words = "".join(f", {name}={value!r}" for name, value in settings.items())
    return gain_scaling(
        f"for_layer({kind!r}, {gain!r}, {mode!r}, {distribution!r}{words})",
        gain,
        mode,
        distribution,
        partial(fans_of, **settings),
        dtype,
    )


def _check_settings(
    kind: str, fans_of: Callable[..., Fans], settings: dict[str, Any]
) -> None:
    try:
        inspect.signature(fans_of).bind((), **settings)
    except TypeError as error:
        known = list(inspect.signature(fans_of).parameters)[1:]
        raise TypeError(
            f"layer {kind!r} takes the settings {', '.join(known) or 'none'}: {error}"
        ) from error
    if fans_of in LAYERS.values():
        with contextlib.suppress(ShapeError):
            fans_of((), **settings)  # settings are checked before the shape is
