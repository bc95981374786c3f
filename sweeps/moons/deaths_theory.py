"""What is known of dead units and of their gradients before anything is measured.

All for independent Gaussian weights, exact but for what is said; float64 on the host.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import digamma, expit, logit, ndtr, polygamma

from initjax.activations import resolve
from initjax.quadrature import on_host
from initjax.typing import HostArray
from sweeps.data.moons import Points
from sweeps.moons.deaths_gradients import Kind

_ANGLES = 2**13


def off_at_a_point(inputs: HostArray, bias: HostArray | float, sigma: float) -> HostArray:
    """Probability that a ReLU of the first layer is 0 at each of the points […, point].

    P(w·x + b ≤ 0) = Φ(-b / (σ‖x‖))
    """
    lengths = np.linalg.norm(inputs.astype(np.float64), axis=1)
    return ndtr(-np.asarray(bias, np.float64)[..., None] / (sigma * lengths))


def off_at_all_points(
    inputs: HostArray, bias: HostArray | float, sigma: float
) -> HostArray:
    """Probability that a ReLU of the first layer is 0 at all points of the plane.

    The weights are w = r u, of a direction u and a length r with P(r > t) =
    exp(-t²/2σ²). With H(u) = max_x u·x, the unit is off if r H(u) ≤ -b:

        P = E_u [1 - exp(-b²/2σ²H²)]   for b < 0, with 1 where H ≤ 0
        P = E_u [exp(-b²/2σ²H²); H < 0]   for b ≥ 0

    The second is 0 where the points have the origin among them, as the moons have.
    """
    angles = 2 * np.pi * (np.arange(_ANGLES) + 0.5) / _ANGLES
    directions = np.stack([np.cos(angles), np.sin(angles)])
    reach = (inputs.astype(np.float64) @ directions).max(0)
    b = np.asarray(bias, np.float64)[..., None]
    with np.errstate(divide="ignore"):
        beyond = np.exp(-((b / (sigma * reach)) ** 2) / 2)
    below = np.where(reach > 0, 1 - beyond, 1.0)
    return np.where(b < 0, below, beyond * (reach < 0)).mean(-1)


class Norms(NamedTuple):
    """Expected log10 of L2 norms of gradients, and its standard deviation, each [layer].

    Attributes:
        weights: Of ∂L/∂W.
        biases: Of ∂L/∂b.
        spread: Of both, between draws of the weights.
    """

    weights: HostArray
    biases: HostArray
    spread: HostArray


def first_gradients(kind: Kind, points: Points) -> Norms:
    """Of the first step, to first order in the weights beside the bias.

    Every unit has the pre-activation b. With h = φ(b), ρ = the mean of σ(b) - y, and g_l
    the gradient of the biases of layer l = 1 … D + 1:

        ‖g_{D+1}‖ = |ρ|,  ‖g_l‖ = ‖g_{l+1}‖ |φ′(b)| σ_{l+1} χ
        ‖∂L/∂W_l‖ = ‖g_l‖ √n |h|,  ‖∂L/∂W_1‖ = ‖g_1‖ ‖mean (σ(b) - y) x‖ / |ρ|

    in which each χ is the length of n independent standard normal numbers, so that
    E ln χ = (ψ(n/2) + ln 2) / 2 and Var ln χ = ψ′(n/2) / 4. No underflow is in this.
    """
    (n, depth), bias = kind.shape, kind.bias
    phi = resolve(kind.activation)
    h, slope = (abs(float(on_host(phi, order)(np.array(bias)))) for order in (0, 1))
    behind = np.arange(depth, -1, -1)  # layers between this one and the loss
    sigmas = [kind.scales.hidden] * (depth - 1) + [kind.scales.readout]
    residual = expit(bias) - points.labels.astype(np.float64)
    pulled = np.linalg.norm((residual[:, None] * points.inputs).mean(0))
    mean = abs(residual.mean())
    with np.errstate(divide="ignore"):
        chi = (digamma(n / 2) + np.log(2)) / (2 * np.log(10))
        each = np.log10(slope) + np.log10(sigmas) + chi
        above = np.append(np.cumsum(each[::-1])[::-1], 0.0)
        biases = np.log10(mean) + above
        weights = biases + np.log10(np.sqrt(n) * h)
        weights[0] = np.log10(pulled) + above[0]
    spread = np.sqrt(behind * float(polygamma(1, n / 2)) / 4) / np.log(10)
    return Norms(weights, biases, spread)


def escape_steps(kind: Kind, points: Points, rate: float) -> float:
    """Steps of gradient descent that a network stays a constant for, at the least.

    First the last bias and the readout v move, with h = φ(b) for all points, until the
    output is the best constant, logit p: each weight of v by h S, with
    S = (logit p - b) / (1 + n h²). The mean of the residual r is 0 from then on, and no
    bias moves. To first order in the weights W the D hidden layers are linear, of slope
    a = |φ′(b)|, and only C = ‖mean r x‖ pulls at them. So the largest spectral norm m of
    their kernels, about 2σ√n at first, grows by

        dm/dt ≤ aᴰ C ‖v‖ m^(D-1)

    and the steps are those in which m would double; the output differs between points
    by 2ᴰ of what it did at first, still next to nothing.
    """
    (n, depth), bias = kind.shape, kind.bias
    if depth < 3:
        raise ValueError(f"the depth must be >= 3; got {depth}")
    phi = resolve(kind.activation)
    h, slope = (abs(float(on_host(phi, order)(np.array(bias)))) for order in (0, 1))
    p = float(points.labels.mean(dtype=np.float64))
    moved = abs(logit(p) - bias) / (1 + n * h**2)
    readout = np.sqrt(n) * (h * moved + kind.scales.readout)
    residual = p - points.labels.astype(np.float64)
    pull = np.linalg.norm((residual[:, None] * points.inputs).mean(0))
    norm = 2 * np.sqrt(n) * kind.scales.hidden
    growth = rate * slope**depth * pull * readout * (depth - 2) * norm ** (depth - 2)
    return float((1 - 2.0 ** (2 - depth)) / growth) if growth else float("inf")
