"""Networks of convolutions with a known state."""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
from flax import nnx

from initjax import init
from tests.checkup.zoo_specimen import HEALTHY, Specimen, normal

IMAGES = normal(16, 16, 16, 3)
DIGITS = normal(16, 28, 28, 1)
HE = init.kaiming_normal()
GAIN_1 = init.kaiming_normal(gain=1.0)


class LeNet(nn.Module):
    """LeCun et al. (1998), with the activation and the pooling of one's choice."""

    activation: object = nn.relu
    pool: object = nn.max_pool

    @nn.compact
    def __call__(self, x):
        for channels, padding in ((6, "SAME"), (16, "VALID")):
            x = self.activation(nn.Conv(channels, (5, 5), padding=padding)(x))
            x = self.pool(x, (2, 2), strides=(2, 2))
        x = x.reshape(x.shape[0], -1)
        for width in (120, 84):
            x = self.activation(nn.Dense(width)(x))
        return nn.Dense(10)(x)


class NnxLeNet(nnx.Module):
    def __init__(self, *, rngs):
        self.conv1 = nnx.Conv(1, 6, (5, 5), rngs=rngs)
        self.conv2 = nnx.Conv(6, 16, (5, 5), padding="VALID", rngs=rngs)
        self.fc1 = nnx.Linear(400, 120, rngs=rngs)
        self.fc2 = nnx.Linear(120, 84, rngs=rngs)
        self.fc3 = nnx.Linear(84, 10, rngs=rngs)

    def __call__(self, x):
        pool = partial(nnx.max_pool, window_shape=(2, 2), strides=(2, 2))
        x = pool(nnx.relu(self.conv1(x)))
        x = pool(nnx.relu(self.conv2(x))).reshape(x.shape[0], -1)
        x = nnx.relu(self.fc2(nnx.relu(self.fc1(x))))
        return self.fc3(x)


class Vgg(nn.Module):
    """Pairs of 3×3 convolutions with SAME padding, max-pooling between them."""

    kernel_init: object = HE

    @nn.compact
    def __call__(self, x):
        for channels in (16, 32, 64):
            for _ in range(2):
                x = nn.relu(nn.Conv(channels, (3, 3), kernel_init=self.kernel_init)(x))
            x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape(x.shape[0], -1)
        x = nn.relu(nn.Dense(64, kernel_init=self.kernel_init)(x))
        return nn.Dense(10)(x)


class ConvLayer(nn.Module):
    """One layer of a stack of equal convolutions, as nn.scan takes it."""

    channels: int
    activation: object
    kernel_init: object

    @nn.compact
    def __call__(self, x, _):
        conv = nn.Conv(self.channels, (3, 3), kernel_init=self.kernel_init, name="conv")
        return self.activation(conv(x)), None


class DeepConv(nn.Module):
    """A stem and a scanned stack of 3×3 convolutions with SAME padding."""

    depth: int
    activation: object
    kernel_init: object
    channels: int = 32

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(self.channels, (3, 3), name="stem")(x)
        stack = nn.scan(
            ConvLayer,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.depth,
        )
        x, _ = stack(self.channels, self.activation, self.kernel_init, name="stack")(
            x, None
        )
        return nn.Dense(10)(x.mean((1, 2)))


class ResNet(nn.Module):
    """Basic blocks in three stages: with BatchNorm, as Fixup, or plain."""

    norm: str
    blocks: int = 4
    channels: int = 16

    @nn.compact
    def __call__(self, x, train=False):
        x = nn.relu(nn.Conv(self.channels, (3, 3), kernel_init=HE, name="stem")(x))
        for stage in range(3):
            for block in range(self.blocks):
                stride = 2 if stage and not block else 1
                x = self.block(x, self.channels * 2**stage, stride, train)
        zeros = nn.initializers.zeros
        readout = zeros if self.norm == "fixup" else nn.initializers.lecun_normal()
        return nn.Dense(10, kernel_init=readout)(x.mean((1, 2)))

    def block(self, x, channels, stride, train):
        first, second = HE, GAIN_1
        if self.norm == "fixup":
            first = init.kaiming_normal(gain=(2 / (3 * self.blocks)) ** 0.5)
            second = nn.initializers.zeros
        conv = partial(nn.Conv, channels, (3, 3), use_bias=self.norm != "batch")
        h = self.normalize(conv(strides=stride, kernel_init=first)(x), train)
        h = self.normalize(conv(kernel_init=second)(nn.relu(h)), train)
        if x.shape != h.shape:
            x = nn.Conv(channels, (1, 1), strides=stride, kernel_init=GAIN_1)(x)
        return nn.relu(x + h) if self.norm == "batch" else x + h

    def normalize(self, x, train):
        if self.norm != "batch":
            return x
        return nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)


class NnxBlock(nnx.Module):
    def __init__(self, channels, *, rngs):
        conv = partial(nnx.Conv, channels, channels, (3, 3), use_bias=False, rngs=rngs)
        self.conv1, self.conv2 = conv(kernel_init=HE), conv(kernel_init=HE)
        self.norm1 = nnx.BatchNorm(channels, rngs=rngs)
        self.norm2 = nnx.BatchNorm(
            channels, scale_init=nnx.initializers.zeros_init(), rngs=rngs
        )

    def __call__(self, x, train):
        settings = {"use_running_average": not train}
        h = nnx.relu(self.norm1(self.conv1(x), **settings))
        return nnx.relu(x + self.norm2(self.conv2(h), **settings))


class NnxResNet(nnx.Module):
    """Batch statistics, dropout, and γ = 0 in the last norm of every branch."""

    def __init__(self, *, rngs):
        self.stem = nnx.Conv(3, 16, (3, 3), rngs=rngs)
        self.blocks = nnx.List([NnxBlock(16, rngs=rngs) for _ in range(4)])
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.head = nnx.Linear(16, 10, rngs=rngs)

    def __call__(self, x, train):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x, train)
        return self.head(self.dropout(x.mean((1, 2)), deterministic=not train))


class Mobile(nn.Module):
    """Inverted residuals: pointwise up, depthwise, pointwise down; GroupNorm."""

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(16, (3, 3), strides=2)(x)
        for _ in range(4):
            h = nn.silu(nn.GroupNorm(4)(nn.Conv(64, (1, 1))(x)))
            h = nn.Conv(64, (3, 3), feature_group_count=64)(h)
            x = x + nn.Conv(16, (1, 1))(nn.silu(nn.GroupNorm(4)(h)))
        return nn.Dense(10)(x.mean((1, 2)))


class Grouped(nn.Module):
    """Grouped and depthwise convolutions in turn, without normalization."""

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(32, (3, 3), kernel_init=HE)(x)
        for groups in (4, 32, 8, 32, 4):
            conv = nn.Conv(32, (3, 3), feature_group_count=groups, kernel_init=HE)
            x = conv(nn.relu(x))
            x = nn.Conv(32, (1, 1), kernel_init=HE)(nn.relu(x))
        return nn.Dense(10)(nn.relu(x).mean((1, 2)))


class UNet(nn.Module):
    """Down, up by transposed convolutions, concatenated with what came down."""

    @nn.compact
    def __call__(self, x):
        kept = []
        for channels in (16, 32):
            x = nn.relu(nn.Conv(channels, (3, 3), kernel_init=HE)(x))
            x = nn.relu(nn.Conv(channels, (3, 3), kernel_init=HE)(x))
            kept.append(x)
            x = nn.avg_pool(x, (2, 2), strides=(2, 2))
        x = nn.relu(nn.Conv(64, (3, 3), kernel_init=HE)(x))
        for channels in (32, 16):
            up = init.for_layer("conv_transpose", strides=(2, 2))
            x = nn.ConvTranspose(channels, (2, 2), strides=(2, 2), kernel_init=up)(x)
            x = jnp.concatenate([x, kept.pop()], axis=-1)
            x = nn.relu(nn.Conv(channels, (3, 3), kernel_init=HE)(x))
        return nn.Conv(3, (1, 1))(x)


CONVOLUTIONAL = {
    "lenet_relu": Specimen(
        HEALTHY, "five layers of Flax's defaults learn MNIST", DIGITS, LeNet(), NnxLeNet
    ),
    "lenet_tanh": Specimen(
        HEALTHY, "LeCun's own, with averages", DIGITS, LeNet(nn.tanh, nn.avg_pool)
    ),
    "vgg_he": Specimen(HEALTHY, "He's law is made for it", IMAGES, Vgg()),
    "conv_he_30": Specimen(
        HEALTHY,
        "He's law; SAME padding takes from the border only",
        *(IMAGES, DeepConv(30, nn.relu, HE)),
    ),
    "conv_lecun_relu_40": Specimen(
        ("vanishing",),
        "Flax's default keeps half of the second moment a layer: 2⁻⁴⁰",
        *(IMAGES, DeepConv(40, nn.relu, nn.initializers.lecun_normal())),
    ),
    "conv_delta_orthogonal_40": Specimen(
        HEALTHY,
        "Xiao et al. (2018): every pixel passes an orthogonal matrix per layer",
        *(IMAGES, DeepConv(40, nn.tanh, init.delta_orthogonal(1.05))),
    ),
    "resnet_batch_norm": Specimen(
        HEALTHY,
        "normalized branches; batch statistics, train a static keyword",
        *({"x": IMAGES, "train": True}, ResNet("batch"), NnxResNet),
    ),
    "resnet_fixup": Specimen(
        HEALTHY,
        "Zhang et al. (2019): zero last convolutions and readout move after one step",
        *(IMAGES, ResNet("fixup")),
    ),
    "resnet_plain": Specimen(
        ("residual_blowup",),
        "De & Smith (2020): every block doubles the second moment, 2²⁴",
        *(IMAGES, ResNet("none", blocks=8)),
    ),
    "mobile": Specimen(
        HEALTHY, "depthwise kernels have the fan of a window, 9", IMAGES, Mobile()
    ),
    "grouped": Specimen(HEALTHY, "as above, with groups and He's law", IMAGES, Grouped()),
    "unet": Specimen(HEALTHY, "He's law, and long skips that concatenate", IMAGES, UNet()),
}
