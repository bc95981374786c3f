"""The rows of the catalogue: factory, required arguments, formula, use, reference."""

from collections.abc import Callable
from typing import Any

from initjax.init.biases import bias_normal, bias_uniform
from initjax.init.by_fan import variance_scaling
from initjax.init.first_names import (
    kaiming_normal,
    kaiming_uniform,
    xavier_normal,
    xavier_uniform,
)
from initjax.init.for_layer import for_layer
from initjax.init.identities import dirac, eye, hadamard, identity
from initjax.init.last_names import (
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
)
from initjax.init.mirrored import looks_linear
from initjax.init.orthogonal import delta_orthogonal, orthogonal, scaled_orthogonal
from initjax.init.plain import constant, normal, ones, uniform, zeros
from initjax.init.random_walk import random_walk
from initjax.init.siren import siren
from initjax.init.sparse import sparse
from initjax.init.truncated import trunc_normal, truncated_normal

_GLOROT = "Glorot & Bengio (2010), AISTATS"
_HE = "He et al. (2015), arXiv:1502.01852"
_LECUN = "LeCun et al. (1998), Efficient BackProp"
_SAXE = "Saxe et al. (2014), arXiv:1312.6120"
_NONE = "elementary"

Row = tuple[Callable[..., Any], dict[str, Any], str, str, str]

PLAIN: tuple[Row, ...] = (
    (zeros, {}, "0", "biases; the last layer of a residual branch", _NONE),
    (ones, {}, "1", "scales of normalization layers", _NONE),
    (constant, {"value": 0.1}, "value", "biases with a wanted start", _NONE),
    (normal, {}, "N(mean, stddev²)", "a scale that is known, at any shape", _NONE),
    (
        uniform,
        {"low": -0.05, "high": 0.05},
        "U(low, high)",
        "bounds that are known, at any shape",
        _NONE,
    ),
    (
        *(truncated_normal, {}),
        "N(mean, stddev²) given |z| < 2, uncorrected",
        "ports from JAX, Keras and Haiku: bounds in standard deviations",
        _NONE,
    ),
    (
        *(trunc_normal, {}),
        "N(mean, std²) given a < x < b, uncorrected",
        "ports from torch and timm: bounds are absolute",
        _NONE,
    ),
)

SCALED: tuple[Row, ...] = (
    (
        *(variance_scaling, {"scale": 1.0}),
        "variance scale / fan, any of three laws",
        "the general form; JAX's and Keras' arguments",
        f"{_GLOROT}; {_HE}",
    ),
    (
        *(for_layer, {"layer": "dense"}),
        "variance gain² / fan of the layer",
        "Einsum, grouped, transposed, unshared, masked layers, expert stacks",
        _GLOROT,
    ),
    (
        *(xavier_uniform, {}),
        "U(±gain·√(6/(fan_in + fan_out)))",
        "tanh and linear layers, as in torch",
        _GLOROT,
    ),
    (
        *(xavier_normal, {}),
        "N(0, 2·gain²/(fan_in + fan_out))",
        "tanh and linear layers, as in torch (untruncated)",
        _GLOROT,
    ),
    (
        *(kaiming_uniform, {}),
        "U(±gain·√(3/fan)), gain² = 2/(1 + a²)",
        "ReLU and its relatives, as in torch",
        _HE,
    ),
    (
        *(kaiming_normal, {}),
        "N(0, gain²/fan), gain² = 2/(1 + a²)",
        "ReLU and its relatives, as in torch (untruncated)",
        _HE,
    ),
    (
        *(glorot_uniform, {}),
        "U(±√(6/(fan_in + fan_out)))",
        "tanh and linear layers; Keras' default",
        _GLOROT,
    ),
    (
        *(glorot_normal, {}),
        "truncated normal of variance 2/(fan_in + fan_out)",
        "tanh and linear layers, as in JAX",
        _GLOROT,
    ),
    (*(he_uniform, {}), "U(±√(6/fan_in))", "ReLU layers, as in JAX", _HE),
    (
        *(he_normal, {}),
        "truncated normal of variance 2/fan_in",
        "ReLU layers, as in JAX (truncated)",
        _HE,
    ),
    (
        *(lecun_uniform, {}),
        "U(±√(3/fan_in))",
        "SELU and linear layers, as in JAX",
        _LECUN,
    ),
    (
        *(lecun_normal, {}),
        "truncated normal of variance 1/fan_in",
        "SELU and linear layers; Flax's default",
        _LECUN,
    ),
    (
        *(random_walk, {}),
        "N(0, g²/fan_in), g = √2·exp(1.2/(max(fan_in, 6) - 2.4))",
        "narrow and very deep plain ReLU or linear networks",
        "Sussillo & Abbott (2014), arXiv:1412.6558",
    ),
    (
        *(siren, {}),
        "U(±√(6/fan_in)/ω₀); first layer U(±1/fan_in)",
        "coordinate networks with sine activations",
        "Sitzmann et al. (2020), arXiv:2006.09661",
    ),
    (
        *(bias_uniform, {"fan_in": 100}),
        "U(±gain/√fan_in of the kernel)",
        "biases as torch draws them",
        "torch.nn.Linear",
    ),
    (
        *(bias_normal, {"fan_in": 100}),
        "N(0, gain²/fan_in of the kernel)",
        "tests of theory with σ_b > 0 per input",
        "flax#3019",
    ),
)

STRUCTURED: tuple[Row, ...] = (
    (
        *(orthogonal, {}),
        "gain·Q, QᵀQ = I or QQᵀ = I, Haar; unitary if complex",
        "deep linear, tanh and recurrent layers",
        _SAXE,
    ),
    (
        *(scaled_orthogonal, {}),
        "gain·max(1, √(columns/rows))·Q",
        "orthogonal where widths change: entries of variance gain²/fan_in",
        "Martens et al. (2021), arXiv:2110.01765",
    ),
    (
        *(delta_orthogonal, {}),
        "gain·Q in the central tap, 0 elsewhere",
        "deep plain convolutional networks",
        "Xiao et al. (2018), arXiv:1806.05393",
    ),
    (
        *(looks_linear, {}),
        "[[Q, -Q], [-Q, Q]], Q orthogonal",
        "deep plain ReLU networks that start as linear ones",
        "Balduzzi et al. (2017), arXiv:1702.08591",
    ),
    (
        *(identity, {}),
        "gain·I",
        "recurrent ReLU kernels; Keras' Identity",
        "Le, Jaitly & Hinton (2015), arXiv:1504.00941",
    ),
    (*(eye, {}), "I", "torch's eye_", "torch.nn.init.eye_"),
    (
        *(dirac, {}),
        "identity of the channels in the central tap, per group",
        "convolutions that start as the identity",
        "torch.nn.init.dirac_",
    ),
    (
        *(hadamard, {}),
        "I if in ≥ out, else 2^(-k/2)·H: ZerO",
        "reproducible starts without random numbers",
        "Zhao et al. (2022), arXiv:2110.12661",
    ),
    (
        *(sparse, {"sparsity": 0.5}),
        "N(0, stddev²), ⌈sparsity·n⌉ zeros per input",
        "few strong inputs per unit",
        "Martens (2010), ICML",
    ),
)
