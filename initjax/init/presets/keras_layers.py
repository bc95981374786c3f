"""The default initialization of Keras' layers, in Flax's layouts."""

from initjax.fans import Fans, fans
from initjax.init.by_fan import gain_scaling
from initjax.init.last_names import glorot_uniform
from initjax.init.orthogonal import orthogonal
from initjax.init.plain import uniform, zeros
from initjax.init.presets.records import (
    AttentionInit,
    EmbedInit,
    LayerInit,
    RecurrentInit,
)
from initjax.init.presets.sizes import check_positive
from initjax.init.sampled import SampledInitializer
from initjax.typing import Array, DType, Key, Shape


def keras_dense() -> LayerInit:
    """Keras' Dense and Conv, transposed too: Glorot uniform kernel, bias 0.

    Keras stores the kernel of a transposed convolution as (*window, out, in); the
    sum of fans is the same.

    Example:
        >>> round(keras_dense().kernel_init.law((30, 70)).variance, 12)
        0.02

    References:
        Keras 3.15, ``keras.layers.Dense``.
    """
    return LayerInit(glorot_uniform(), zeros())


def keras_depthwise_conv(depth_multiplier: int = 1) -> LayerInit:
    """Keras' DepthwiseConv: U(±√(6 / (window · (in + multiplier)))), bias 0.

    Keras stores (*window, in, multiplier) and reads ``in`` as a fan_in, which for
    a depthwise layer is 1; the kernel here is Flax's (*window, 1, in · multiplier)
    with ``feature_group_count = in``.

    Args:
        depth_multiplier: Outputs per input channel.

    Raises:
        ValueError: if it is not positive; when called, if it does not divide the
            output channels.

    Example:
        >>> law = keras_depthwise_conv().kernel_init.law((3, 3, 1, 31))
        >>> round(law.support[1] ** 2 * 9 * 32, 6)
        6.0

    References:
        Keras 3.15, ``keras.layers.DepthwiseConv2D``.
    """
    check_positive("depth_multiplier", depth_multiplier)

    def depthwise(shape: Shape) -> Fans:
        *window, _, channels = shape
        if channels % depth_multiplier:
            raise ValueError(
                f"depth_multiplier={depth_multiplier} must divide the {channels} output "
                "channels"
            )
        return fans((*window, channels // depth_multiplier, depth_multiplier))

    kernel = gain_scaling(
        "keras_depthwise_conv()", 1.0, "fan_avg", "uniform", depthwise, None
    )
    return LayerInit(kernel, zeros())


def keras_mha() -> AttentionInit:
    """Keras' MultiHeadAttention: Glorot uniform by the equation, biases 0.

    Example:
        >>> law = keras_mha().kernel_init.law((64, 96))
        >>> round(law.variance * 160, 12)
        2.0

    References:
        Keras 3.15, ``keras.layers.MultiHeadAttention``; earlier ones read the fans
        from the shape (in, heads, size) alone (github.com/keras-team/keras, PR 22789).
    """
    return AttentionInit(glorot_uniform(), zeros(), glorot_uniform(), zeros())


def keras_lstm() -> RecurrentInit:
    """Keras' LSTM: Glorot uniform and orthogonal over all four gates at once, bias 0.

        input kernels U(±√(6 / (in + 4 · units)))
        recurrent kernels: blocks of an orthogonal matrix, units × 4 · units

    Flax draws each gate on its own: entries have Keras' law, but the four recurrent
    kernels are not orthonormal together. Keras sets the forget gate's bias to 1,
    which Flax's single ``bias_init`` cannot: ``recipes.apply_rules(params,
    [(".*/hf/bias", recipes.fill(1.0))])`` does.

    Example:
        >>> round(keras_lstm().recurrent_kernel_init.law((32, 32)).variance * 128, 12)
        1.0

    References:
        Keras 3.15, ``keras.layers.LSTM``.
    """
    return _gates(4)


def keras_gru() -> RecurrentInit:
    """Keras' GRU: as ``keras_lstm`` with three gates and every bias 0.

    Example:
        >>> round(keras_gru().kernel_init.law((24, 32)).variance * (24 + 96), 12)
        2.0

    References:
        Keras 3.15, ``keras.layers.GRU``.
    """
    return _gates(3)


def _gates(gates: int) -> RecurrentInit:
    def together(shape: Shape) -> Fans:
        fan_in, fan_out = fans(shape)
        return Fans(fan_in, gates * fan_out)

    kernel = gain_scaling(
        f"keras gates({gates})", 1.0, "fan_avg", "uniform", together, None
    )
    return RecurrentInit(kernel, orthogonal_block(gates), zeros())


def orthogonal_block(gates: int) -> SampledInitializer:
    """The first of ``gates`` square blocks, side by side, of an orthogonal matrix."""

    def check(shape: Shape) -> None:
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"a recurrent kernel is square; got shape={shape}")

    def wide(shape: Shape) -> Shape:
        return shape[0], gates * shape[1]

    def sample(key: Key, shape: Shape, dtype: DType) -> Array:
        return orthogonal()(key, wide(shape), dtype)[:, : shape[1]]

    return SampledInitializer(
        f"orthogonal_block({gates})",
        sample,
        lambda shape, dtype: orthogonal().law(wide(shape), dtype),
        check,
    )


def keras_embedding() -> EmbedInit:
    """Keras' Embedding: U(-0.05, 0.05).

    Example:
        >>> keras_embedding().embedding_init.law((10, 10)).support
        (-0.05, 0.05)

    References:
        Keras 3.15, ``keras.layers.Embedding``.
    """
    return EmbedInit(uniform(-0.05, 0.05))
