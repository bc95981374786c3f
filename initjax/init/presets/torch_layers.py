"""The default initialization of torch's layers, in Flax's layouts.

``kaiming_uniform_(a=√5)`` of torch's source is U(±1/√fan_in): variance 1/(3
fan_in), a third of LeCun's. Sizes are those of torch's constructors, since a bias
law depends on the fan_in of its kernel.
"""

import math
from collections.abc import Sequence

from initjax.init.biases import bias_uniform
from initjax.init.first_names import xavier_uniform
from initjax.init.plain import normal, uniform, zeros
from initjax.init.presets.records import (
    AttentionInit,
    EmbedInit,
    LayerInit,
    RecurrentInit,
)
from initjax.init.presets.sizes import check_positive, fan_per_group
from initjax.init.scaled import ScaledInitializer


def torch_linear(in_features: int) -> LayerInit:
    """``torch.nn.Linear``: kernel and bias U(±1/√in_features).

    Args:
        in_features: Number of inputs.

    Raises:
        ValueError: if it is not positive.

    Example:
        >>> import flax.linen as nn
        >>> layer = nn.Dense(10, **torch_linear(784)._asdict())
        >>> round(layer.kernel_init.law((784, 10)).variance * 784, 6)
        0.333333

    References:
        torch 2.13, ``torch.nn.Linear.reset_parameters``.
    """
    return _both(check_positive("in_features", in_features))


def torch_conv(in_channels: int, kernel_size: Sequence[int], groups: int = 1) -> LayerInit:
    """``torch.nn.Conv1d`` to ``Conv3d``: kernel and bias U(±1/√fan_in).

        fan_in = in_channels / groups · ∏ kernel_size

    Args:
        in_channels: Number of input channels.
        kernel_size: Window, one size per axis.
        groups: Number of groups.

    Raises:
        ValueError: for sizes that are not positive, or groups that do not divide
            the channels.

    Example:
        >>> round(torch_conv(3, (3, 3)).bias_init.law((8,)).support[1] ** 2 * 27, 6)
        1.0

    References:
        torch 2.13, ``torch.nn.modules.conv._ConvNd.reset_parameters``.
    """
    return _both(fan_per_group("in_channels", in_channels, kernel_size, groups))


def torch_conv_transpose(
    out_channels: int, kernel_size: Sequence[int], groups: int = 1
) -> LayerInit:
    """``torch.nn.ConvTranspose1d`` to ``3d``: U(±1/√(out_channels/groups · window)).

    Torch reads the fan from a weight stored as (in, out / groups, *window), and
    takes the outputs for inputs; for its right fan see ``initjax.fans``.

    Args:
        out_channels: Number of output channels.
        kernel_size: Window, one size per axis.
        groups: Number of groups.

    Raises:
        ValueError: for sizes that are not positive, or groups that do not divide
            the channels.

    Example:
        >>> law = torch_conv_transpose(16, (4, 4)).kernel_init.law((4, 4, 64, 16))
        >>> round(law.support[1] ** 2 * 16 * 16, 6)
        1.0

    References:
        torch 2.13, ``torch.nn.modules.conv._ConvNd.reset_parameters``.
    """
    return _both(fan_per_group("out_channels", out_channels, kernel_size, groups))


def torch_mha(
    embed_dim: int, kdim: int | None = None, vdim: int | None = None
) -> AttentionInit:
    """``torch.nn.MultiheadAttention``: Xavier uniform in, U(±1/√E) out, biases 0.

    Query, key and value are one packed matrix (3E, E) in torch, which counts 3E
    outputs: U(±√(6 / 4E)), half the variance of three Xavier matrices. With keys or
    values of another size torch keeps three, each with its own Xavier law.

    Args:
        embed_dim: E, size of the model.
        kdim: Size of the keys, None for E.
        vdim: Size of the values, None for E.

    Raises:
        ValueError: if a size is not positive.

    Example:
        >>> preset = torch_mha(512)
        >>> round(preset.kernel_init.law((512, 512)).support[1] ** 2 * 512, 6)
        1.5

    References:
        torch 2.13, ``torch.nn.MultiheadAttention._reset_parameters``.
    """
    for argument, size in (("embed_dim", embed_dim), ("kdim", kdim), ("vdim", vdim)):
        check_positive(argument, embed_dim if size is None else size)
    out = _both(embed_dim).kernel_init
    if kdim in (None, embed_dim) and vdim in (None, embed_dim):
        bound = math.sqrt(6 / (4 * embed_dim))
        return AttentionInit(uniform(-bound, bound), zeros(), out, zeros())
    return AttentionInit(xavier_uniform(), zeros(), out, zeros())


def torch_embedding() -> EmbedInit:
    """``torch.nn.Embedding``: N(0, 1).

    Example:
        >>> torch_embedding().embedding_init.law((1000, 64)).variance
        1.0

    References:
        torch 2.13, ``torch.nn.Embedding.reset_parameters``.
    """
    return EmbedInit(normal(1.0))


def torch_rnn(hidden_size: int) -> RecurrentInit:
    """``torch.nn.LSTM``, ``GRU`` and ``RNN``: all kernels U(±1/√hidden_size).

    Torch has two biases per gate, each U(±1/√hidden_size), and adds them; Flax
    has one, which is drawn from the law of the sum, a triangular one. (The candidate
    gate of GRUs keeps its two biases apart in both; there use ``bias_uniform``.)

    Args:
        hidden_size: Size of the state.

    Raises:
        ValueError: if it is not positive.

    Example:
        >>> round(torch_rnn(64).bias_init.law((64,)).variance * 64, 6)
        0.666667

    References:
        torch 2.13, ``torch.nn.modules.rnn.RNNBase.reset_parameters``.
    """
    kernel = _both(check_positive("hidden_size", hidden_size)).kernel_init
    spread = math.sqrt(2 / (3 * hidden_size))
    bias = ScaledInitializer(f"torch_rnn({hidden_size})", "triangular", lambda _: spread)
    return RecurrentInit(kernel, kernel, bias)


def _both(fan_in: int) -> LayerInit:
    """Kernel and bias of the same law, whatever the shape of the kernel."""
    law = bias_uniform(fan_in)
    return LayerInit(law, law)
