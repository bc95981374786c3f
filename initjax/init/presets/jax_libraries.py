"""The default initialization of Haiku's and Equinox' layers, in Flax's layouts."""

import math
from collections.abc import Sequence

from initjax.fans import fans
from initjax.init.bases import TRUNCATED_STD
from initjax.init.biases import bias_uniform
from initjax.init.by_fan import gain_scaling
from initjax.init.plain import normal, zeros
from initjax.init.presets.records import EmbedInit, LayerInit, RecurrentInit
from initjax.init.presets.sizes import check_positive, fan_per_group
from initjax.init.truncated import truncated_normal


def haiku_linear() -> LayerInit:
    """Haiku's Linear and Conv, transposed too: truncated normal of stddev 1/√fan_in.

    The cut at 2 standard deviations is not corrected, so that the variance is
    0.774 / fan_in; the bias is 0. A stride counts for nothing.

    Example:
        >>> round(haiku_linear().kernel_init.law((100, 10)).variance * 100, 6)
        0.773741

    References:
        Haiku 0.0.17, ``hk.Linear``.
    """
    kernel = gain_scaling(
        "haiku_linear()", TRUNCATED_STD, "fan_in", "truncated_normal", fans, None
    )
    return LayerInit(kernel, zeros())


def haiku_embed() -> EmbedInit:
    """Haiku's Embed: truncated normal of stddev 1, uncorrected.

    Example:
        >>> round(haiku_embed().embedding_init.law((10, 10)).variance, 6)
        0.773741

    References:
        Haiku 0.0.17, ``hk.Embed``.
    """
    return EmbedInit(truncated_normal(1.0))


def haiku_lstm(input_size: int, hidden_size: int) -> RecurrentInit:
    """``hk.LSTM``: one matrix on (input, state), stddev 1/√(input + hidden), uncorrected.

    Haiku's cell adds 1 to the forget gate before its sigmoid, which Flax's does not:
    ``recipes.apply_rules(params, [(".*/hf/bias", recipes.fill(1.0))])`` sets it.

    Args:
        input_size: Number of inputs.
        hidden_size: Size of the state.

    Raises:
        ValueError: if a size is not positive.

    Example:
        >>> law = haiku_lstm(24, 32).kernel_init.law((24, 32))
        >>> round(law.variance * 56, 6)
        0.773741

    References:
        Haiku 0.0.17, ``hk.LSTM``.
    """
    check_positive("input_size", input_size)
    check_positive("hidden_size", hidden_size)
    law = truncated_normal(1 / math.sqrt(input_size + hidden_size))
    return RecurrentInit(law, law, zeros())


def equinox_linear(in_features: int) -> LayerInit:
    """``eqx.nn.Linear``: kernel and bias U(±1/√in_features).

    Args:
        in_features: Number of inputs.

    Raises:
        ValueError: if it is not positive.

    Example:
        >>> round(equinox_linear(64).kernel_init.law((64, 8)).support[1], 6)
        0.125

    References:
        Equinox 0.13, ``equinox.nn.Linear``.
    """
    law = bias_uniform(check_positive("in_features", in_features))
    return LayerInit(law, law)


def equinox_conv(
    in_channels: int, kernel_size: Sequence[int], groups: int = 1
) -> LayerInit:
    """``eqx.nn.Conv`` and ``ConvTranspose``: kernel and bias U(±1/√fan_in).

        fan_in = in_channels / groups · ∏ kernel_size

    Args:
        in_channels: Number of input channels.
        kernel_size: Window, one size per axis.
        groups: Number of groups.

    Raises:
        ValueError: for sizes that are not positive, or groups that do not divide
            the channels.

    Example:
        >>> law = equinox_conv(4, (3, 3)).kernel_init.law((3, 3, 4, 8))
        >>> round(law.support[1] ** 2 * 36, 6)
        1.0

    References:
        Equinox 0.13, ``equinox.nn.Conv``.
    """
    law = bias_uniform(fan_per_group("in_channels", in_channels, kernel_size, groups))
    return LayerInit(law, law)


def equinox_embedding() -> EmbedInit:
    """``eqx.nn.Embedding``: N(0, 1).

    Example:
        >>> equinox_embedding().embedding_init.law((10, 10)).variance
        1.0

    References:
        Equinox 0.13, ``equinox.nn.Embedding``.
    """
    return EmbedInit(normal(1.0))


def equinox_rnn(hidden_size: int) -> RecurrentInit:
    """``eqx.nn.LSTMCell`` and ``GRUCell``: kernels and biases U(±1/√hidden_size).

    Args:
        hidden_size: Size of the state.

    Raises:
        ValueError: if it is not positive.

    Example:
        >>> round(equinox_rnn(64).bias_init.law((64,)).support[1], 6)
        0.125

    References:
        Equinox 0.13, ``equinox.nn.LSTMCell``.
    """
    law = bias_uniform(check_positive("hidden_size", hidden_size))
    return RecurrentInit(law, law, law)
