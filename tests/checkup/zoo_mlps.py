"""Fully connected networks with a known state."""

from itertools import pairwise

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from initjax import init
from initjax.models import MLP, NnxMLP
from tests.checkup.zoo_specimen import HEALTHY, Specimen, normal

X = normal(32, 48)
LABELS = np.random.default_rng(1).integers(0, 10, 32)


def _twins(verdicts, why, *, batch=X, width=64, loss=None, **settings):
    """The scanned MLP of ``initjax.models`` in linen and in nnx."""

    def build(rngs):
        return NnxMLP(batch.shape[-1], width=width, **settings, rngs=rngs)

    if isinstance(verdicts, str):
        verdicts = (verdicts,)
    return Specimen(verdicts, why, batch, MLP(width=width, **settings), build, loss)


def _twin_units(key, shape, dtype=jnp.float32, out_sharding=None):
    """Units in pairs with the same weights in and out, whose sums are as He's law has."""
    half = jax.random.normal(key, (shape[0] // 2, shape[1] // 2)) / shape[0] ** 0.5
    return jnp.tile(half, (2, 2)).astype(dtype)


def _with_distances(h):
    """Mean distance to the other rows, and to the row itself: √ of exactly 0."""
    distances = jnp.sqrt(jnp.sum((h[:, None] - h) ** 2, -1))
    return h + 0.01 * distances.mean(-1, keepdims=True)


def _cross_entropy(logits):
    return optax.softmax_cross_entropy_with_integer_labels(logits, LABELS).mean()


class Handwritten(nn.Module):
    """Layers one by one, with one function of h behind layer ``at``."""

    depth: int = 6
    width: int = 64
    at: int = -1
    function: object = None
    activation: object = nn.relu
    kernel_init: object = init.kaiming_normal()
    param_dtype: object = jnp.float32
    dtype: object = None

    @nn.compact
    def __call__(self, x):
        kinds = {"param_dtype": self.param_dtype, "dtype": self.dtype}
        for i in range(self.depth):
            x = nn.Dense(self.width, kernel_init=self.kernel_init, **kinds)(x)
            x = self.activation(x)
            if i == self.at:
                x = self.function(x)
        return nn.Dense(10, kernel_init=self.kernel_init, **kinds)(x)


class NnxHandwritten(nnx.Module):
    """Twin of ``Handwritten`` of 48 inputs without a function."""

    def __init__(self, *, rngs, kernel_init, depth=6, width=64, param_dtype=jnp.float32):
        kinds = {"kernel_init": kernel_init, "param_dtype": param_dtype, "rngs": rngs}
        sizes = [48, *[width] * depth]
        linears = [nnx.Linear(*pair, **kinds) for pair in pairwise(sizes)]
        self.layers = nnx.List(linears)
        self.readout = nnx.Linear(width, 10, **kinds)

    def __call__(self, x):
        for layer in self.layers:
            x = nnx.relu(layer(x))
        return self.readout(x)


class Residual(nn.Module):
    """x + W₂ φ(W₁ x), without normalization, ``rezero`` times α = 0 if asked."""

    blocks: int
    width: int = 64
    second_init: object = init.kaiming_normal(gain=1.0)
    rezero: bool = False

    @nn.compact
    def __call__(self, x):
        x = nn.Dense(self.width)(x)
        for i in range(self.blocks):
            h = nn.Dense(self.width, kernel_init=init.kaiming_normal())(x)
            h = nn.Dense(self.width, kernel_init=self.second_init)(nn.relu(h))
            if self.rezero:
                h = h * self.param(f"alpha_{i}", nn.initializers.zeros, ())
            x = x + h
        return nn.Dense(10)(x)


class Siren(nn.Module):
    """Sitzmann et al. (2020): sines of coordinates."""

    depth: int = 5

    @nn.compact
    def __call__(self, x):
        for i in range(self.depth):
            x = nn.Dense(64, kernel_init=init.siren(first=i == 0))(x)
            x = jnp.sin(30.0 * x)
        return nn.Dense(1, kernel_init=init.siren())(x)


class Autoencoder(nn.Module):
    """A bottleneck of two units, and an output as wide as the input."""

    @nn.compact
    def __call__(self, x):
        for width in (64, 16, 2, 16, 64):
            x = nn.tanh(nn.Dense(width)(x))
        return nn.Dense(48)(x)


def _low(kernel_init, **settings):
    """A network of width 128 with parameters in bfloat16, in linen and nnx."""
    settings |= {"width": 128, "param_dtype": jnp.bfloat16, "kernel_init": kernel_init}
    return {
        "batch": X,
        "linen": Handwritten(**settings),
        "nnx": lambda rngs: NnxHandwritten(**settings, rngs=rngs),
    }


_tanh_kernel, _tanh_bias = init.critical("tanh", sigma_b=0.2)
_he = init.kaiming_normal()

MLPS = {
    "gaussian_1_relu": _twins(
        "exploding",
        "every layer multiplies the rms by √(64/2) = 5.7, both ways",
        **{"depth": 10, "kernel_init": init.normal(1.0)},
    ),
    "gaussian_1_tanh": _twins(
        ("saturated", "exploding"),
        "74 % of z ~ N(0, 8²) lie where tanh′ < 0.02, and χ = 64 E tanh′² = 4.5 a layer",
        **{"depth": 10, "activation": "tanh", "kernel_init": init.normal(1.0)},
    ),
    "gaussian_001_tanh": _twins(
        "vanishing",
        "every layer multiplies the rms by 0.01 √64 = 0.08, both ways",
        **{"depth": 10, "activation": "tanh", "kernel_init": init.normal(0.01)},
    ),
    "xavier_relu_100": _twins(
        "vanishing",
        "half of the second moment is left by every layer: 2⁻¹⁰⁰",
        **{"depth": 100, "kernel_init": init.xavier_normal()},
    ),
    "lecun_relu_3": _twins(
        HEALTHY, "Flax's default in a shallow network: 2⁻³ of the second moment", depth=3
    ),
    "he_relu_100": _twins(
        HEALTHY,
        "He's law keeps the mean; log q has a variance of 100 · 5/64 over networks",
        **{"depth": 100, "kernel_init": _he},
    ),
    "he_uniform_relu_20_labels": _twins(
        HEALTHY,
        "as above; the cross entropy of a random guess has gradients of order 1",
        **{"depth": 20, "kernel_init": init.kaiming_uniform(), "loss": _cross_entropy},
    ),
    "zeros": _twins(
        "symmetric",
        "nothing tells one unit from another; only the last bias has a gradient",
        **{"depth": 3, "kernel_init": init.zeros()},
    ),
    "constant": _twins(
        "symmetric",
        "all units of a layer are the same, and so are their gradients",
        **{"depth": 3, "activation": "tanh", "kernel_init": init.constant(0.02)},
    ),
    "twin_units": _twins(
        "symmetric",
        "every unit has a twin with the same weights in and out, though all are random",
        **{"depth": 4, "kernel_init": _twin_units},
    ),
    "bias_minus_8_relu": _twins(
        "dead",
        "z ~ N(-8, 2) is positive for one unit and input in 10⁸",
        **{"depth": 4, "kernel_init": _he, "bias_init": init.constant(-8.0)},
    ),
    "bias_minus_8_leaky": _twins(
        ("vanishing", "rank_collapse"),
        "leaky ReLU behind a bias of -8: slope 0.01 everywhere, and values that are "
        "almost the bias alone",
        **{"depth": 6, "activation": "leaky_relu", "kernel_init": _he},
        bias_init=init.constant(-8.0),
    ),
    "sigmoid_30": _twins(
        ("vanishing", "rank_collapse"),
        "χ = E σ′² = 0.056 a layer, and correlations contract by as much",
        **{"depth": 30, "activation": "sigmoid"},
    ),
    "sigmoid_saturated": _twins(
        "saturated",
        "z has a standard deviation of 3 √(64/2) = 17, and 3/4 of σ′ are below 0.02 max σ′",
        **{"depth": 3, "activation": "sigmoid", "kernel_init": init.normal(3.0)},
    ),
    "tanh_critical_30": _twins(
        HEALTHY,
        "the edge of chaos, χ = 1; correlations meet like a power of depth",
        **{"depth": 30, "activation": "tanh"},
        **{"kernel_init": _tanh_kernel, "bias_init": _tanh_bias},
    ),
    "tanh_chaotic_60": _twins(
        "exploding",
        "σ_w = 2: signals stay, χ = 1.36 a layer, 8 decades of a squared gradient",
        **{"depth": 60, "activation": "tanh"},
        kernel_init=init.variance_scaling(4.0, "fan_in", "normal"),
    ),
    "tanh_ordered_60": _twins(
        ("vanishing", "rank_collapse"),
        "σ_w = 0.8, σ_b = 0.3: ξ_c is 1.4 layers, all inputs meet, χ = 0.50 a layer",
        **{"depth": 60, "activation": "tanh", "bias_init": init.normal(0.3)},
        kernel_init=init.variance_scaling(0.64, "fan_in", "normal"),
    ),
    "orthogonal_linear_50": _twins(
        HEALTHY,
        "a product of orthogonal matrices is one",
        **{"depth": 50, "activation": lambda x: x, "kernel_init": init.orthogonal()},
    ),
    "orthogonal_tanh_30": _twins(
        HEALTHY,
        "dynamical isometry: gain 1.05 against the slope of tanh",
        **{"depth": 30, "activation": "tanh", "kernel_init": init.orthogonal(1.05)},
    ),
    "selu_30": _twins(
        HEALTHY,
        "q = 1 is a fixed point that attracts, gradients grow by 1.07^½ a layer",
        **{"depth": 30, "activation": "selu"},
    ),
    "gelu_4": _twins(
        HEALTHY,
        "Flax's defaults with GELU: 0.43 of the second moment a layer, 4 layers",
        **{"depth": 4, "activation": "gelu"},
    ),
    "logistic_regression": Specimen(
        HEALTHY,
        "one layer has no depth to lose anything",
        *(X, nn.Dense(10), lambda rngs: nnx.Linear(48, 10, rngs=rngs), _cross_entropy),
    ),
    "nan_at_layer_3": Specimen(
        ("nonfinite",),
        "log of a negative number behind the fourth layer",
        *(X, Handwritten(at=3, function=lambda h: jnp.log(h - 0.1))),
        curable=False,
    ),
    "nan_backward": Specimen(
        ("nonfinite",),
        "√ at 0 is 0, and its slope 0 · ∞: a distance without an ε",
        *(X, Handwritten(at=2, function=_with_distances)),
        curable=False,
    ),
    "overflow": _twins(
        ("nonfinite", "exploding"),
        "5.7⁶⁰ = 10⁴⁵ is beyond float32; it exploded before it overflowed",
        **{"depth": 60, "kernel_init": init.normal(1.0)},
    ),
    "bfloat16_by_jax": Specimen(
        ("precision",),
        "JAX draws in bfloat16: 128 values, a mean of -1.8 % of σ",
        **_low(nn.initializers.variance_scaling(2.0, "fan_in", "normal")),
    ),
    "bfloat16_by_initjax": Specimen(
        HEALTHY, "drawn in float32, then cast", **_low(init.kaiming_normal())
    ),
    "partitioned": Specimen(
        HEALTHY,
        "He's law; parameters in boxes that name their axes",
        *(X, Handwritten(kernel_init=nn.with_partitioning(_he, ("in", "out")))),
    ),
    "residual_plain": Specimen(
        ("residual_blowup",),
        "a branch that keeps the second moment doubles it in every block: 2²⁴",
        *(X, Residual(24)),
    ),
    "residual_scaled": Specimen(
        HEALTHY,
        "branches of second moment 1/24 make (1 + 1/24)²⁴ < e",
        *(X, Residual(24, second_init=init.kaiming_normal(gain=(1 / 24) ** 0.5))),
    ),
    "residual_rezero": Specimen(
        HEALTHY, "α = 0: every block is the identity", X, Residual(24, rezero=True)
    ),
    "siren": Specimen(
        HEALTHY,
        "z is N(0, 1) in every layer after the first, its gradient as large",
        *(np.random.default_rng(2).uniform(-1, 1, (64, 2)).astype(np.float32), Siren()),
    ),
    "autoencoder": Specimen(
        HEALTHY, "a bottleneck is meant to be narrow, and six layers pass", X, Autoencoder()
    ),
}
