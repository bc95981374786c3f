"""The default initialization of Keras' layers, in Flax's layouts."""

from initjax.fans import Fans, fans
from initjax.init.last_names import glorot_uniform
from initjax.init.plain import uniform, zeros
from initjax.init.presets.records import EmbedInit, LayerInit
from initjax.init.scaled import gain_scaling
from initjax.typing import Shape


def keras_dense() -> LayerInit:
    """Keras' Dense and Conv, transposed too: Glorot uniform kernel, bias 0.

    Keras stores the kernel of a transposed convolution as (*window, out, in); the
    sum of fans is the same.

    Example:
        >>> round(keras_dense().kernel_init.law((30, 70)).variance, 12)
        0.02

    References:
        Keras 3, ``keras.layers.Dense``.
    """
    return LayerInit(glorot_uniform(), zeros())


def keras_depthwise_conv() -> LayerInit:
    """Keras' DepthwiseConv: U(±√(6 / (window · (in + multiplier)))), bias 0.

    Keras stores (*window, in, multiplier) and reads ``in`` as a fan_in, which for
    a depthwise layer is 1; the kernel here is Flax's (*window, 1, in · multiplier)
    with ``feature_group_count = in``, multiplier 1.

    Example:
        >>> law = keras_depthwise_conv().kernel_init.law((3, 3, 1, 31))
        >>> round(law.support[1] ** 2 * 9 * 32, 6)
        6.0

    References:
        Keras 3, ``keras.layers.DepthwiseConv2D``.
    """

    def depthwise(shape: Shape) -> Fans:
        *window, _, channels = shape
        return fans((*window, channels, 1))

    kernel = gain_scaling(
        "keras_depthwise_conv()", 1.0, "fan_avg", "uniform", depthwise, None
    )
    return LayerInit(kernel, zeros())


def keras_embedding() -> EmbedInit:
    """Keras' Embedding: U(-0.05, 0.05).

    Example:
        >>> keras_embedding().embedding_init.law((10, 10)).support
        (-0.05, 0.05)

    References:
        Keras 3, ``keras.layers.Embedding``.
    """
    return EmbedInit(uniform(-0.05, 0.05))
