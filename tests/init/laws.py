"""The law that each scheme is published with, written out by hand.

Every entry of INITIALIZERS stands in one of the tables, with SciPy's distribution
of an entry where it is random. Nothing here is computed by the library.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import stats


class Case(NamedTuple):
    """A scheme, the shape that it is drawn in, and the law of an entry."""

    name: str
    arguments: dict[str, Any]
    shape: tuple[int, ...]
    law: Any
    by_fan: bool = True  # whether swapping the fans changes it

    def __str__(self):
        words = ",".join(f"{k}={v}" for k, v in self.arguments.items())
        return f"{self.name}({words}){list(self.shape)}"


def gauss(variance):
    return stats.norm(scale=variance**0.5)


def flat(variance):
    edge = (3 * variance) ** 0.5
    return stats.uniform(-edge, 2 * edge)


def cut(variance):
    """Truncated at twice the deviation before the cut, of this variance after it."""
    return stats.truncnorm(-2, 2, scale=variance**0.5 / 0.8796256610342398)


def clipped(mean, std, low, high):
    return stats.truncnorm((low - mean) / std, (high - mean) / std, mean, std)


WIDE, TALL, CONV = (200, 300), (300, 200), (3, 3, 64, 96)  # fans of CONV: 576, 864

CASES = [
    Case("normal", {}, WIDE, gauss(1e-4), False),
    Case("normal", {"stddev": 0.5, "mean": 2.0}, WIDE, stats.norm(2, 0.5), False),
    Case("uniform", {}, WIDE, flat(0.1**2 / 12), False),
    Case("uniform", {"low": -0.3, "high": 0.7}, WIDE, stats.uniform(-0.3, 1.0), False),
    Case("truncated_normal", {}, WIDE, clipped(0, 0.01, -0.02, 0.02), False),
    Case(
        *("truncated_normal", {"stddev": 0.1, "lower": -1.0, "upper": 3.0, "mean": 1.0}),
        *(WIDE, clipped(1, 0.1, 0.9, 1.3), False),
    ),
    Case(
        *("truncated_normal", {"stddev": 1.0, "lower": 5.0, "upper": 7.0}),
        *(WIDE, clipped(0, 1, 5, 7), False),
    ),
    Case("trunc_normal", {}, WIDE, clipped(0, 1, -2, 2), False),
    Case("trunc_normal", {"std": 0.02}, WIDE, clipped(0, 0.02, -2, 2), False),
    Case(
        *("trunc_normal", {"mean": 0.5, "a": -1.0, "b": 0.75}),
        *(WIDE, clipped(0.5, 1, -1, 0.75), False),
    ),
    Case("variance_scaling", {}, WIDE, cut(1 / 200)),
    *(
        Case(
            "variance_scaling",
            {"scale": 1.7, "mode": mode, "distribution": distribution},
            TALL,
            law(1.7 / fan),
            mode in ("fan_in", "fan_out"),
        )
        for mode, fan in (
            ("fan_in", 300),
            ("fan_out", 200),
            ("fan_avg", 250),
            ("fan_geo_avg", 60000**0.5),
        )
        for distribution, law in (
            ("normal", gauss),
            ("uniform", flat),
            ("truncated_normal", cut),
        )
    ),
    *(
        Case(name, {}, shape, law(variance(i, o)), by_fan)
        for shape, i, o in ((WIDE, 200, 300), (TALL, 300, 200), (CONV, 576, 864))
        for name, law, variance, by_fan in (
            ("xavier_uniform", flat, lambda i, o: 2 / (i + o), False),
            ("xavier_normal", gauss, lambda i, o: 2 / (i + o), False),
            ("glorot_uniform", flat, lambda i, o: 2 / (i + o), False),
            ("glorot_normal", cut, lambda i, o: 2 / (i + o), False),
            ("kaiming_uniform", flat, lambda i, o: 2 / i, True),
            ("kaiming_normal", gauss, lambda i, o: 2 / i, True),
            ("he_uniform", flat, lambda i, o: 2 / i, True),
            ("he_normal", cut, lambda i, o: 2 / i, True),
            ("lecun_uniform", flat, lambda i, o: 1 / i, True),
            ("lecun_normal", cut, lambda i, o: 1 / i, True),
        )
    ),
    *(
        Case(name, {"a": a}, TALL, law(2 / (1 + a**2) / 300))
        for name, law in (("kaiming_uniform", flat), ("kaiming_normal", gauss))
        for a in (0.01, 0.2, 5**0.5, 1)
    ),
    Case("xavier_normal", {"gain": 5 / 3}, WIDE, gauss(25 / 9 * 2 / 500), False),
    Case("kaiming_normal", {"nonlinearity": "tanh"}, TALL, gauss(25 / 9 / 300)),
    Case("kaiming_uniform", {"gain": 3.0, "mode": "fan_out"}, TALL, flat(9 / 200)),
    Case("lecun_normal", {"batch_axis": 0}, (4, 100, 150), cut(1 / 100)),
    Case("for_layer", {"layer": "dense"}, TALL, cut(1 / 300), False),
    Case(
        *("for_layer", {"layer": "experts", "gain": 2**0.5, "mode": "fan_out"}),
        *((4, 100, 150), cut(2 / 150), False),
    ),
    Case("random_walk", {}, TALL, gauss(2 / 300 * np.exp(2.4 / 297.6))),
    Case("random_walk", {"activation": "identity"}, TALL, gauss(np.exp(1 / 300) / 300)),
    Case("siren", {}, TALL, stats.uniform(-(0.02**0.5) / 30, 2 * 0.02**0.5 / 30)),
    Case("siren", {"omega_0": 10.0}, TALL, flat(2 / 300 / 100)),
    Case("siren", {"first": True}, TALL, stats.uniform(-1 / 300, 2 / 300)),
    Case("bias_uniform", {"fan_in": 50}, (60000,), flat(1 / 150), False),
    Case("bias_normal", {"fan_in": 50, "gain": 2.0}, (60000,), gauss(4 / 50), False),
]

# Some entries are 0, exactly as many as this; the others follow the law.
DILUTED = [
    (Case("sparse", {"sparsity": 0.3, "stddev": 0.5}, TALL, gauss(0.25)), 300 * 60),
    (Case("sparse", {"sparsity": 0.501}, (200, 300), gauss(1e-4)), 200 * 151),
    (
        Case("sparse", {"sparsity": 0.501, "per": "output"}, (200, 300), gauss(1e-4)),
        300 * 101,
    ),
]

# Every singular value is 1: name, arguments, shape of the matrix.
ORTHOGONAL = {
    "orthogonal": {},
    "scaled_orthogonal": {},
    "delta_orthogonal": {},
    "looks_linear": {},
}

# The entries themselves, see test_structured.
EXACT = {"zeros", "ones", "constant", "identity", "eye", "dirac", "hadamard"}

# A shape that the scheme has a meaning for; (6, 4) for the others.
SHAPES = {"dirac": (3, 3, 4, 6), "delta_orthogonal": (3, 3, 4, 6)}


def shape_of(name):
    return SHAPES.get(name, (6, 4))
