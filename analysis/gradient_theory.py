"""Gradients at the first step of narrow networks: their law where weights are small.

With weights of std s much below 1 every unit stands at its bias b, and the cotangent of
a layer is that of the next times φ′(b) and a random matrix. Of three units that is, in
norm, s φ′(b) χ₃ with independent χ₃ from layer to layer:

    |∂L/∂b_l| = |σ(b) - ½| Π_{k > l} s φ′(b) χ₃,    |∂L/∂W_l| = |∂L/∂b_l| √3 φ(b)

for half of the points in each class; |∂L/∂W_1| = |∂L/∂b_1| |E x(σ(b) - y)| / |σ(b) - ½|.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy import special

from analysis.bands import Absent
from initjax.gains import published_gain

LAYERS, UNITS = 5, 3
SMALL, ONE = "normal(0.01)", 1.0
"""Scheme and bias of the networks whose gradients were published."""
STD = 0.01
PUBLISHED: Mapping[tuple[str, int], float] = {
    ("sigmoid", 1): 2.5e-11,
    ("sigmoid", 5): 0.28,
    ("relu", 1): 1.7e-8,
    ("relu", 5): 0.39,
}
"""|∂L/∂W| by activation and layer: one run each, given without reference."""
SHORT: Mapping[str, str] = {
    SMALL: "N(0, 0.01²)",
    "xavier_normal(gain)": "Xavier",
    "kaiming_normal(fan_in)": "Kaiming",
}
COLUMNS = {"weight": "weight_grad_log10_norm", "bias": "bias_grad_log10_norm"}

_MEAN_INPUT = np.array([0.5, 0.25])
_OF_CLASS_1 = np.array([1.0, 0.5 - 2 / np.pi])
"""Means of the points of both moons, and of the second one."""
_MEAN = (special.digamma(UNITS / 2) + np.log(2)) / 2
_VARIANCE = special.polygamma(1, UNITS / 2) / 4
"""Of ln χ₃."""


def _sigmoid(z: float) -> tuple[float, float]:
    h = float(special.expit(z))
    return h, h * (1 - h)


def _gelu(z: float) -> tuple[float, float]:
    below = float(special.ndtr(z))
    return z * below, below + z * float(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


_AT: Mapping[str, Callable[[float], tuple[float, float]]] = {
    "sigmoid": _sigmoid,
    "tanh": lambda z: (float(np.tanh(z)), float(1 - np.tanh(z) ** 2)),
    "relu": lambda z: (max(z, 0.0), float(z > 0)),
    "leaky_relu": lambda z: (max(z, 0.01 * z), 1.0 if z > 0 else 0.01),
    "gelu": _gelu,
}
"""φ and φ′ at a number."""


def expected(activation: str, part: str = "weight") -> np.ndarray:
    """Mean of log10 |∂L/∂W_l|, or of |∂L/∂b_l|, of the published networks, [layer].

    Example:
        >>> [f"{10**norm:.1e}" for norm in expected("sigmoid")[[0, 4]]]
        ['1.8e-11', '2.9e-01']
    """
    if activation not in _AT:
        return np.full(LAYERS, np.nan)
    h, slope = _AT[activation](ONE)
    chance = float(special.expit(ONE))
    below = np.arange(LAYERS)[::-1]  # factors between the layer and the readout
    biases = np.log(chance - 0.5) + below * (np.log(STD * slope) + _MEAN)
    if part == "bias":
        return biases / np.log(10)
    entry = np.linalg.norm(chance * _MEAN_INPUT - _OF_CLASS_1 / 2) / (chance - 0.5)
    inputs = np.array([entry, *[np.sqrt(UNITS) * h] * (LAYERS - 1)])
    return (biases + np.log(inputs)) / np.log(10)


def scatter() -> np.ndarray:
    """Standard deviation of log10 of a norm over seeds, [layer].

    Example:
        >>> scatter().round(2).tolist()
        [0.42, 0.36, 0.3, 0.21, 0.0]
    """
    below = np.arange(LAYERS)[::-1]
    return np.sqrt(below * _VARIANCE) / np.log(10)


def density(activation: str, layer: int, at: np.ndarray) -> np.ndarray:
    """Density of log10 |∂L/∂W| in theory, of a layer before the readout."""
    grid = np.arange(-15, 4, 0.01)
    one = np.exp(UNITS * grid - np.exp(2 * grid) / 2)
    one, found = one / one.sum(), np.ones(1)
    count = LAYERS - layer
    for _ in range(count):
        found = np.convolve(found, one)
    ln = count * grid[0] + 0.01 * np.arange(len(found)) - count * _MEAN
    middle = expected(activation)[layer - 1]
    return np.interp(at, middle + ln / np.log(10), found / 0.01 * np.log(10))


def published_start(table: pd.DataFrame) -> pd.DataFrame:
    """The networks of the published kind before their first step.

    Raises:
        Absent: if there are none.
    """
    first = table[table["part"] == "first"]
    rows = first[(first["scheme"] == SMALL) & (first["bias"] == ONE)]
    if rows.empty:
        raise Absent("no networks with N(0, 0.01²) weights and biases of 1")
    return rows


def percentiles(table: pd.DataFrame) -> pd.DataFrame:
    """Where the published norms stand among those of all seeds.

    Returns:
        activation, layer, ``published``, ``median``, ``percentile`` in %, ``seeds``.
    """
    rows = published_start(table)
    found = []
    for (activation, layer), value in PUBLISHED.items():
        at = (rows["activation"] == activation) & (rows["layer"] == layer)
        norms = rows[at][COLUMNS["weight"]].to_numpy(np.float64)
        if len(norms):
            below = 100 * float(np.mean(norms < np.log10(value)))
            median = 10 ** float(np.median(norms))
            found.append((activation, layer, value, median, below, len(norms)))
    names = ["activation", "layer", "published", "median", "percentile", "seeds"]
    return pd.DataFrame(found, columns=names)


def split(table: pd.DataFrame) -> pd.DataFrame:
    """What the weights and what φ′ take from the gradient between layers 5 and 1.

    The weights of scale s multiply a cotangent by s χ₃ a layer, which is known; what is
    missing beside that is φ′. Decades are those of the median |∂L/∂b_1| / |∂L/∂b_5|.

    Returns:
        activation, scheme, bias, ``decades`` in all, ``weights`` and ``slope``, the
        parts, and ``zero``, the share of networks whose gradient is 0 in layer 1.
    """
    first = table[table["part"] == "first"]
    keys = ["activation", "scheme", "bias"]
    norms = first.pivot(index=[*keys, "seed"], columns="layer", values=COLUMNS["bias"])
    with np.errstate(invalid="ignore"):
        lost = (norms[1] - norms[LAYERS]).astype(float)
    grouped = lost.groupby(keys)
    rows = pd.DataFrame({"decades": grouped.median()}).reset_index()
    rows["weights"] = [
        _by_weights(str(r.scheme), str(r.activation)) for r in rows.itertuples()
    ]
    rows["slope"] = rows["decades"] - rows["weights"]
    rows["zero"] = grouped.apply(lambda one: float((one == -np.inf).mean())).to_numpy()
    return rows


def _by_weights(scheme: str, activation: str) -> float:
    """Decades that the weights above layer 1 give, on average; nan if unknown."""
    gain = published_gain(activation) if scheme.endswith("(gain)") else 2**0.5
    into_three_and_one: Mapping[str, tuple[float, float]] = {
        SMALL: (STD, STD),
        "xavier_normal(gain)": (gain * (2 / 6) ** 0.5, gain * (2 / 4) ** 0.5),
        "kaiming_normal(fan_in)": (gain / 3**0.5, gain / 3**0.5),
    }
    if scheme not in into_three_and_one:
        return float("nan")
    three, one = into_three_and_one[scheme]
    ln = (LAYERS - 2) * np.log(three) + np.log(one) + (LAYERS - 1) * _MEAN
    return float(ln / np.log(10))
